/* internal.h - what the files of the module share. docs/formats.md has the layouts.
 *
 *      encode.c     which kind; the encoder             column.c     the reader: opening, bounds, what is common to all kinds
 *      different.c  counting different values           table.c, strings.c   a kind each: its bytes, its values, its answers
 *      bits.c       bitmaps of rows                     bounds.c     what a head says of all values */
#ifndef SAQSHY_COLUMN_INTERNAL_H
#define SAQSHY_COLUMN_INTERNAL_H

#include "column/column.h"

#define CONSTANT_MAX     1024u     /* bytes of a constant in the head; a longer one is a table of one */
#define BOUNDS_SET_FROM  128u      /* texts of so many bytes together are worth sixteen for the set of their bytes */

/* --- bits.c: bitmaps of rows --- */

static inline bool bit_test(const uint64_t *rows, size_t i) { return rows[i / 64] >> (i % 64) & 1; }
static inline void bit_clear(uint64_t *rows, size_t i) { rows[i / 64] &= ~(UINT64_C(1) << (i % 64)); }
static inline void bit_set(uint64_t *rows, size_t i) { rows[i / 64] |= UINT64_C(1) << (i % 64); }
size_t bits_count(const uint64_t *rows, size_t count);
/* bits_all - the first count bits set, those of the last word behind them clear. */
void bits_all(uint64_t *rows, size_t count);
void bits_none(uint64_t *rows, size_t count);
/* bits_of_bytes - bit i is byte i, which is 0 or 1. */
uint64_t bits_of_bytes(const unsigned char bytes[64]);

/* --- bounds.c: which bytes the values have, and how long they are --- */

/* Bytes from 0x80 on share the bits of the 32 control bytes, which texts hardly have. */
struct bounds {
    uint64_t set[2];
    size_t   shortest, longest;
};
void bounds_start(struct bounds *b);
void bounds_add(struct bounds *b, struct str value);
void bounds_put(const struct bounds *b, size_t bytes, struct buf *head);
/* bounds_read - all bytes and the lengths as they stand, where the head has no set. */
void bounds_read(struct bounds *b, struct reader *head);
/* bounds_refuse - no value within them can answer yes. */
bool bounds_refuse(const struct bounds *b, const struct column_question *q);

/* --- different.c --- */

struct different {
    uint32_t *slot;     /* hash -> number of a different value, from 1; 0: free. 2 * COLUMN_ROWS_MAX */
    uint32_t *first;    /* the row where each different value stood first */
    uint16_t *code;     /* of each row */
    size_t    count, bytes;
};
/* different_count - number the different values of a column. False, and the rest is left as it is, when so many differ that a table would not pay. */
bool different_count(struct different *d, const struct str *values, size_t count);

/* --- encode.c --- */

struct column_encoder {
    column_tell_fn  *tell;
    void            *tell_arg;
    struct different d;
};

/* --- column.c: what a kind does for a reader --- */

struct column {
    enum column_kind kind;
    size_t           count;
    const time_ns   *time;
    column_frame_fn *frame;
    void            *frame_arg;
    struct str       bytes[COLUMN_FRAMES];
    bool             have[COLUMN_FRAMES];   /* the frame was given */
    bool             ready;                 /* the kind has looked through its frames */
    struct bounds    bounds;
    struct str       constant;
    size_t           different;             /* of a table */
    struct str      *table;                 /* owned; room for table_cap */
    size_t           table_cap;
    uint32_t        *ends;                  /* owned: where the value of each row ends in frame 1; COLUMN_ROWS_MAX */
    unsigned char   *said;                  /* owned: what yes said of each different value; COLUMN_ROWS_MAX */
};

struct column_ops {
    const char *name;
    void (*open)(struct column *c, struct reader *head);
    int (*values)(struct column *c, const uint64_t *rows, struct str *out, struct err *e);
    int (*ask)(struct column *c, const struct column_question *q, uint64_t *rows, struct err *e);
};
extern const struct column_ops table_ops, strings_ops;

/* column_frame - the bytes of a frame, asked of the caller once. */
MUST_USE int column_frame(struct column *c, unsigned which, struct str *bytes, struct err *e);
/* column_torn - -EBADMSG: the kind's bytes are not what its head says. */
int column_torn(const struct column *c, struct err *e, const char *what);
/* column_memory - *p has room for count cells of size bytes; 0 or -ENOMEM. Kept until the column is freed. */
MUST_USE int column_memory(void **p, size_t count, size_t size, struct err *e);

/* --- the kinds --- */

void table_put(const struct different *d, const struct str *values, size_t count, struct column_out *out);
void strings_put(const struct str *values, size_t count, struct column_out *out);

/* lengths_put - the length of each of count texts, in as few bytes as the longest needs, bytes of one weight side by side; nothing where all are equally long. */
void lengths_put(const struct str *values, const uint32_t *which, size_t count, const struct bounds *b, struct buf *out);
/* lengths_read - take them from *bytes and put where each text ends into ends. False: they do not add up to what is left of *bytes, or are out of bounds. */
bool lengths_read(struct str *bytes, size_t count, const struct bounds *b, uint32_t *ends, size_t total);

#endif
