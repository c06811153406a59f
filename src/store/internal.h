/* internal.h - layouts and helpers that the files of the store share. docs/formats.md has the tables.
 *
 * Order of writes of every change: part file -> fsync -> its folder -> fsync -> CHAIN -> fsync -> MANIFEST (atomic) -> MANIFEST.copy
 * (atomic) -> files that are no longer named are removed. Whoever dies in between leaves the state before or after: what the manifest does
 * not name is removed by the next writer, records of CHAIN past the manifest's count are overwritten. */
#ifndef SAQSHY_STORE_INTERNAL_H
#define SAQSHY_STORE_INTERNAL_H

#include <limits.h>

#include "store/columns.h"
#include "store/waiting.h"
#include "store/store.h"

#define PATH_BYTES          4096u
#define SHA_BYTES           32u
#define MANIFEST_HEAD       88u
#define MANIFEST_PART       96u
#define MANIFEST_PARTS_MAX  65536u     /* 180 years of one part a day; 6 MiB */
#define PART_HEAD           32u
#define PART_FOOT           48u
#define BLOCK_ENTRY         88u        /* 80 in parts of version 1 */
#define BLOCK_ENTRY_1       80u
#define BLOCKS_MAX          65536u     /* in one part */
#define BLOCK_RAW_MAX       (256u * MIB) /* a block before compression: the memory of a writer, twice */
#define FILTER_LINE         64u        /* 480 bits and their checksum: one cache line */
#define FILTER_BITS_TOKEN   12u        /* 0.6 % of blocks are opened in vain */
#define CHAIN_HEAD          8u
#define CHAIN_RECORD        120u

#define BLOCK_EVENTS_DEFAULT 16384u
#define SEAL_AFTER_DEFAULT   (15 * NS_PER_SECOND)
#define MEMORY_DEFAULT       (64u * MIB)
#define MERGE_PARTS          8u        /* so many parts of one size become one */
#define PART_EVENTS_MAX      (4u << 20)
#define RETAIN_DAYS_AT_ONCE  2u
#define ARCHIVE_NAME         "archive" /* in the folder: a link to the archive */
#define ARCHIVE_ID           "SAQSHY-ARCHIVE" /* in both: says that they belong together */

enum part_place { PLACE_FAST, PLACE_ARCHIVE };

/* One part as the manifest tells of it. */
struct part_info {
    uint8_t       place;               /* enum part_place */
    uint16_t      thinned;             /* events whose term is so many days or less were taken out; 0: none */
    uint8_t       held;                /* some of what was left then a hold alone kept: hold_round of that moment; 0: none */
    int32_t       day;                 /* days since 1970, UTC, of receipt */
    uint64_t      number, events, bytes, first_seq, last_seq;
    time_ns       min_time, max_time;
    unsigned char sha[SHA_BYTES];      /* of the whole file */
};

struct manifest {
    uint64_t          generation, next_seq, next_part, links;
    unsigned char     chain[SHA_BYTES];
    uint64_t          hold_mark;       /* of the holds that were seen last, 0: none; hold_round counts their changes, 1 to 255 and again */
    uint8_t           hold_round;
    struct part_info *part;            /* owned; in order of day and number */
    size_t            count, cap;
};

/* --- manifest.c --- */

void manifest_init(struct manifest *m);
void manifest_free(struct manifest *m);
MUST_USE int manifest_copy(const struct manifest *m, struct manifest *out);
/* manifest_add - keeps the order. */
MUST_USE int manifest_add(struct manifest *m, const struct part_info *p);
const struct part_info *manifest_find(const struct manifest *m, int32_t day, uint64_t number);
void manifest_remove(struct manifest *m, int32_t day, uint64_t number);
void manifest_encode(const struct manifest *m, struct buf *out);
MUST_USE int manifest_decode(struct str bytes, struct manifest *out, struct err *e);
/* manifest_load - MANIFEST, or MANIFEST.copy if it is damaged or absent (*from_copy). -ENOENT: neither is there. */
MUST_USE int manifest_load(const char *folder, struct manifest *out, bool *from_copy, struct err *e);
/* manifest_save - both files. *named says that MANIFEST itself was replaced, even if the copy then failed. */
MUST_USE int manifest_save(const char *folder, const struct manifest *m, bool *named, struct err *e);

/* --- chain.c --- */

enum chain_kind { CHAIN_SEALED = 1, CHAIN_MERGED = 2, CHAIN_RETIRED = 3 };
struct chain_record {
    uint64_t         link;
    enum chain_kind  kind;             /* a part came; it went into another; it went for age */
    struct part_info part;             /* without times and bytes */
    uint64_t         into;
    unsigned char    chain[SHA_BYTES];
};
/* chain_put - append a record to out and move m on by one link. */
void chain_put(struct manifest *m, enum chain_kind kind, const struct part_info *p, uint64_t into, struct buf *out);
/* chain_write - records on disk behind the first links ones, synced. */
MUST_USE int chain_write(const char *folder, uint64_t links, struct str records, struct err *e);
void chain_decode(const unsigned char bytes[CHAIN_RECORD], struct chain_record *out);
/* chain_next - the value after a record. */
void chain_next(const unsigned char before[SHA_BYTES], const unsigned char record[CHAIN_RECORD], unsigned char out[SHA_BYTES]);
void hex_of(const unsigned char *bytes, size_t n, char *out);

/* --- block.c --- */

enum block_version {
    BLOCK_ROWS = 1,            /* payload: the event codec's bytes, compressed; blocks that were written until November 2026, and those that columns do not take */
    BLOCK_COLUMNS = 2,         /* payload: columns.h, its payload_raw 0 */
};

struct block_entry {
    uint64_t offset;
    uint32_t keys_bytes, keys_raw, payload_bytes, payload_raw, filter_lines, events;
    uint32_t version;          /* enum block_version */
    time_ns  min_time, max_time;
    uint64_t first_seq, last_seq, keys_sum, payload_sum;
};

/* What a block is decoded into; one for many blocks. */
struct block_view {
    struct buf         packed, keys, payload;
    time_ns           *time;
    uint64_t          *seq;
    size_t             cap;
    struct event_batch batch;
    struct columns    *columns;        /* of a block of columns that was opened; NULL: none was yet */
    bool               columned;       /* the block that is open is one of columns: its events are taken when they are asked for */
};

void block_view_init(struct block_view *v);
void block_view_free(struct block_view *v);
/* event_bytes, event_place - an event with all its texts in one piece of memory of that size, aligned for pointers. */
size_t event_bytes(const struct event *ev);
struct event *event_place(const struct event *ev, void *memory);
int32_t event_day(const struct event *ev);
int32_t day_of(time_ns t);
/* What writing blocks needs: scratch memory, what was learned of free text. */
struct block_writer;
struct block_writer *block_writer_new(void);     /* NULL without memory */
void block_writer_free(struct block_writer **w);
/* block_encode - count events that wait and are sorted, from this place of its order on, as the bytes of a block appended to out; the block's place is not set in *entry. The block
 * is read again: where an event would not come back as it was, or columns do not take it, the block is one of rows. */
MUST_USE int block_encode(struct block_writer *w, const struct waiting *p, size_t at, size_t count, struct block_entry *entry, struct buf *out, struct err *e);
/* block_sound - the checksums of keys, payload and every line of the filter. */
bool block_sound(const struct block_entry *entry, struct str packed);
/* block_decode_keys - v->time and v->seq from the packed bytes; block_decode_events: v->batch, keys first. */
MUST_USE int block_decode_keys(const struct block_entry *entry, struct str packed, struct block_view *v, struct err *e);
MUST_USE int block_decode_events(const struct block_entry *entry, struct str packed, struct block_view *v, struct err *e);
/* block_open - keys, and of a block of columns its directory (v->columned; packed is borrowed as long as it is asked); of one of rows v->batch. block_take: then of a block of
 * columns the events of rows (a bit each, NULL: all) into v->batch, which had others before. */
MUST_USE int block_open(const struct block_entry *entry, struct str packed, struct block_view *v, struct err *e);
MUST_USE int block_take(const struct block_entry *entry, const uint64_t *rows, struct block_view *v, struct err *e);
/* filter_line_of, filter_may - the line that speaks of a token, and whether it may be in the block. -EBADMSG: a damaged line. */
uint32_t filter_line_of(const struct block_entry *entry, uint64_t hash);
int filter_may(const struct block_entry *entry, const unsigned char line[FILTER_LINE], uint32_t index, uint64_t hash);
/* filter_has - whether the filter of such a block speaks of tokens of this kind (query_tokens) at all. */
bool filter_has(const struct block_entry *entry, uint64_t hash);
size_t block_bytes(const struct block_entry *b);

/* --- part.c --- */

struct part {
    struct part_info    info;
    int                 fd;            /* -1: closed for now */
    struct block_entry *block;
    uint32_t            count, version;
};

void part_path(const char *folder, int32_t day, uint64_t number, char out[PATH_BYTES]);
void day_path(const char *folder, int32_t day, char out[PATH_BYTES]);
/* part_file, part_folder - the same of a part wherever it lies. */
void part_file(const char *folder, const struct part_info *p, char out[PATH_BYTES]);
void part_folder(const char *folder, const struct part_info *p, char out[PATH_BYTES]);
/* part_open - head, foot and directory, checked. -ENOENT when the file is gone, -EBADMSG when it is damaged. */
MUST_USE int part_open(const char *folder, const struct part_info *info, struct part *out, struct err *e);
/* part_fd - open it again if it was closed. */
MUST_USE int part_fd(const char *folder, struct part *p, struct err *e);
void part_close(struct part *p);
MUST_USE int part_read(const struct part *p, uint64_t offset, size_t n, struct buf *out, struct err *e);
MUST_USE int part_block_keys(const struct part *p, uint32_t index, struct block_view *v, struct err *e);
MUST_USE int part_block_events(const struct part *p, uint32_t index, struct block_view *v, struct err *e);
MUST_USE int part_block_open(const struct part *p, uint32_t index, struct block_view *v, struct err *e);
/* part_block_may - can this block hold all these tokens? 1 yes or not known, 0 no. *damaged is set when a line of the filter is damaged. */
int part_block_may(const struct part *p, uint32_t index, const uint64_t *tokens, size_t count, uint64_t *bytes_read, bool *damaged);

struct part_writer {
    int              fd;
    void            *sha;              /* EVP_MD_CTX */
    struct part_info info;
    struct buf       directory;
    uint32_t         blocks;
    char             path[PATH_BYTES];
};
/* part_create - a new file at this place. */
MUST_USE int part_create(const char *folder, enum part_place place, int32_t day, uint64_t number, struct part_writer *w, struct err *e);
MUST_USE int part_put(struct part_writer *w, struct block_entry entry, struct str bytes, struct err *e);
/* part_finish - directory and foot, everything synced; w->info is complete. */
MUST_USE int part_finish(const char *folder, struct part_writer *w, struct err *e);
/* part_abort - what was not finished is removed; harmless afterwards. */
void part_abort(struct part_writer *w);

/* --- writer.c --- */

struct store {
    char                *folder;
    int                  lock;
    bool                 broken;       /* a write failed half-way: nothing more until it is opened anew */
    bool                 rest;         /* no merges now */
    bool                 settled;      /* nothing to merge since the last look */
    bool                 copy_stale;
    struct store_options options;
    struct block_writer *blocks;
    struct manifest      manifest;
    struct waiting          pending;
    uint64_t             next_seq;     /* with those that wait */
    time_ns              oldest;       /* when the first of them came */
    time_ns              looked;       /* when a day was last looked at for merging */
    struct part_info     unsound[16];  /* parts that a merge found damaged: left alone as evidence */
    size_t               unsound_count;
};
/* store_commit - records and next become the state; the files of parts in gone are removed. Takes next (also on failure). */
MUST_USE int store_commit(struct store *s, struct manifest *next, const struct buf *records, const struct part_info *gone, size_t gone_count,
                          struct err *e);
/* store_merge - one merge if one is worth it: 1 done, 0 nothing to do. */
MUST_USE int store_merge(struct store *s, time_ns now, struct err *e);

/* --- archive.c --- */

/* archive_sound - the link is there, leads somewhere, and both sides bear the same id. */
bool archive_sound(const char *folder);

/* --- dropped.c --- */

#define DROPPED_BYTES_MAX (8u * MIB)
/* One line, with the value of the chain that it names. */
struct dropped_row {
    struct store_dropped d;
    char                 chain[2 * SHA_BYTES + 1];
};
bool dropped_take(struct str line, struct dropped_row *r);
/* dropped_put - a line for what next, which is not committed yet, no longer has; d->first_link and last_link are set here. Synced. Lines of removals that never came
 * true are cut off first. */
MUST_USE int dropped_put(const struct store *s, const struct manifest *next, struct store_dropped *d, struct err *e);
/* dropped_prove - every line says what the chain says, and no part went without one since the first of them. say is told what does not fit. */
typedef void dropped_fault(void *arg, const char *reason);
MUST_USE int dropped_prove(const char *folder, const struct manifest *m, dropped_fault *say, void *arg, struct err *e);

/* --- tail.c --- */

/* tail_each - every committed event of the journal from from_seq on. -ESTALE: the journal was cut meanwhile, the manifest is to be read
 * anew. *damaged counts places that cannot be read. A non-zero answer of each ends it and is returned. */
typedef int tail_fn(void *arg, const struct event *ev);
MUST_USE int tail_each(const char *store_folder, const char *journal_folder, const struct manifest *m, tail_fn *each, void *arg, uint64_t *damaged,
                       struct err *e);
/* manifest_moved - another state is in force now than the one in m. */
bool manifest_moved(const char *folder, const struct manifest *m);

/* --- search.c, shared with histogram.c --- */

bool search_admits(const struct store_search *s, const struct event *ev);
/* search_halted - 0, -ECANCELED or -ETIMEDOUT. */
int search_halted(const struct store_search *s, struct err *e);
/* search_looked - one text more, a line or a value, of so many bytes was matched: search_halted when *work says that it is time to look. */
int search_looked(const struct store_search *s, size_t bytes, size_t *work);
/* search_snapshot - the manifest, empty when there is no store yet. */
MUST_USE int search_snapshot(const char *folder, struct manifest *m, struct err *e);
#define SEARCH_ATTEMPTS 100

#endif
