/* columns.h - the events of a block as columns: groups of events of one shape, each text of a shape a column (block version 2).
 *
 * Owns      a writer: scratch memory, what it learned of free text. A reader: the directory and the frames that were unpacked of the block it has open.
 * Promises  1. Every event comes back exactly as it was; a block that would not is never written (the caller reads each one again before it is put down).
 *           2. What is read is not believed: every index, length and number is held against its limit.
 *           3. Frames are unpacked when they are asked for, each after its checksum was tried; one that is damaged spoils the question, not the process.
 *           4. Memory of a writer: some 40 bytes a text of an event of one block beside the block's bytes; of a reader: the frames it opened and 16 bytes a text of the events asked for.
 * Threads   owner.
 * Units     rows of a group are its events in the order of the block.
 * Source    engine research, sections 3.3 and 3.4; docs/formats.md has the layout. */
#ifndef SAQSHY_STORE_COLUMNS_H
#define SAQSHY_STORE_COLUMNS_H

#include "column/column.h"
#include "event/shaped.h"
#include "learn/learn.h"
#include "query/query.h"

#define COLUMNS_HEAD       16u               /* before the directory: its bytes packed and raw, its checksum */
#define GROUP_ROWS_MIN     24u               /* shapes of fewer events are kept as a payload, all together */
#define FRAME_OWN_MIN      4096u             /* bytes; smaller frames are compressed together, in pools */
#define POOL_BYTES         65536u
#define DIRECTORY_MAX      (64u * MIB)
#define GROUPS_MAX         (EVENT_BATCH_MAX / GROUP_ROWS_MIN + 1)

/* Where the bytes of a frame are: in the packed frame of this number, from at on. */
struct frame_place {
    uint32_t frame, at, n;      /* n 0: there is none */
};

struct group_text {
    struct str         head;    /* of the column */
    struct frame_place place[COLUMN_FRAMES];
    uint16_t           same;    /* index + 1 of the text before it that it equals in every row; 0: a column of its own */
};

/* Events of one shape; its columns are those of a payload's shape. */
struct group {
    struct common          common;
    struct payload_column *columns;     /* CODEC_COLUMNS and its fields */
    struct group_text     *text;        /* pieces of the line, then columns that are no part of it */
    uint32_t               fields, pieces, texts, rows;
    bool                   joined;      /* a word of some line may reach over the border of two pieces */
    uint32_t              *row;         /* which events of the block they are, ascending; made when the codes are read */
};

/* --- columns_write.c --- */

struct columns_writer;
struct columns_writer *columns_writer_new(void);     /* NULL without memory */
void columns_writer_free(struct columns_writer **w);
typedef void columns_tell(void *arg, struct str value);
/* columns_tell_event - all texts of an event in which a search may look for a token. */
void columns_tell_event(const struct event *ev, columns_tell *tell, void *arg);
/* columns_encode - append the columns of events, the rows of s in this order, to out; each different text is told (tell may be called for one text several times), so
 * that all tokens of their lines and values are among the tokens of what is told. -EBADMSG: read again, the columns would not give back an event. */
MUST_USE int columns_encode(struct columns_writer *w, const struct shaped *s, const uint32_t *order, size_t count, columns_tell *tell, void *arg, struct buf *out,
                            struct err *e);

/* --- columns_read.c, columns_find.c --- */

struct columns;
struct columns *columns_new(void);                   /* NULL without memory */
void columns_free(struct columns **c);
/* columns_open - payload: the bytes of columns_encode, borrowed until the next open; time: of each event of the block, borrowed. */
MUST_USE int columns_open(struct columns *c, struct str payload, const time_ns *time, size_t count, struct err *e);
/* columns_unchecked - checksums of frames are not compared from now on: for the fuzzer, which cannot make them. */
void columns_unchecked(struct columns *c);
size_t columns_groups(const struct columns *c);
const struct group *columns_group(const struct columns *c, size_t i);
/* columns_same - whether group number g is the one of this shape, whose rows are rows of s in this order: each text of the group is that of the row. Where learned < UINT32_MAX
 * that piece of the shape is cut into so many. -EBADMSG if it is not. */
MUST_USE int columns_same(struct columns *c, size_t g, const struct shaped *s, const uint32_t *order, const struct payload_shape *shape, uint32_t learned, uint32_t cuts,
                          struct err *e);
/* columns_look - told of each value that a search looks at, by its bytes; below 0: the search is given up with this answer. */
typedef int columns_look(void *arg, size_t bytes);
/* columns_find - of rows (a bit each) those whose event may match stay in may, and those whose event surely does are put into sure; asked of columns, so most events that do
 * not match are never put together. Both have a bit for each event of the block. */
MUST_USE int columns_find(struct columns *c, const struct query *q, columns_look *look, void *arg, uint64_t *may, uint64_t *sure, struct err *e);
/* columns_events - the events of rows (a bit each; NULL: all) into the batch, in the block's order; their seq is 0. */
MUST_USE int columns_events(struct columns *c, const uint64_t *rows, struct event_batch *batch, struct err *e);

#endif
