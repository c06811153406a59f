/* columns_open.h - a block of columns that is open: what putting events together and asking columns share.
 *
 * Owns      nothing of its own: struct columns is made and freed by columns_read.c.
 * Promises  A column of c belongs to the text of this index of the group that was read last.
 * Threads   owner.
 * Units     as in columns.h. */
#ifndef SAQSHY_STORE_COLUMNS_OPEN_H
#define SAQSHY_STORE_COLUMNS_OPEN_H

#include <zstd.h>

#include "store/columns.h"

#define TEXTS_MAX   (CODEC_TEXTS_MAX + LEARN_PIECES_MAX)
#define PIECES_MAX  (CODEC_PIECES_MAX + LEARN_PIECES_MAX)
#define RAW_MAX     (512u * MIB)    /* of all frames of a block */
#define WORK_MAX    (SHAPED_TEXTS_MAX * sizeof(struct str) + 64u * MIB)   /* a value of each text of each event; sets of rows */
#define COLUMNS_KEPT 128u           /* from block to block: of wider groups the memory is given back */
#define HEAD_MAX    (2u * MIB)      /* of a column: a constant of the greatest size, and what stands beside it */

struct frame {
    const char *packed;
    char       *raw;              /* NULL: not opened yet */
    uint32_t    packed_n, raw_n;
    uint64_t    sum;
};

/* A text of a group that is being read: its value in each row, or one for all. */
struct text_values {
    const struct str *v;
    uint32_t          step;        /* 0: one value */
    struct str        one;
};

struct columns {
    struct arena        arena, raw, work;   /* of the directory; of frames; of one question */
    ZSTD_DCtx          *zstd;
    struct str          payload;
    const time_ns      *time;
    size_t              count;
    bool                unchecked;
    struct buf          directory;
    struct str         *name;
    size_t              names, name_cap;
    struct group       *group;
    size_t              groups, group_cap;
    struct frame       *frame;
    size_t              frames, own;
    uint64_t            values, raw_bytes;  /* of all groups; of all frames */
    struct frame_place  rest, codes, moments;
    uint32_t           *rest_row;
    uint32_t            rests;
    time_ns            *received;
    struct column     **column;         /* one a text that is being read */
    size_t              column_cap;
    struct event_batch  rest_events;
    bool                rest_read;          /* they are those of this block, with the fields that were wanted then */
    struct frame_count { uint32_t own, pools, at; } counting;   /* while places are read */
    struct asking { struct columns *c; const struct group_text *t; } *asking;
};

/* Rows of a group: of those events that are asked for. */
struct pick {
    uint64_t *bits;       /* NULL: all */
    uint32_t  count;
    time_ns  *time;       /* of each row of the group */
};

static inline bool columns_has(const uint64_t *rows, uint32_t i) { return !rows || (rows[i / 64] >> i % 64 & 1); }
/* columns_pick - the rows of a group among the block's rows. False without memory. */
bool columns_pick(struct columns *c, const struct group *g, const uint64_t *rows, struct pick *p);
/* columns_room - columns for so many texts. */
bool columns_room(struct columns *c, size_t count);
/* columns_text - open the column of a text, which is not the same as one before it. */
MUST_USE int columns_text(struct columns *c, const struct group *g, uint32_t index, const time_ns *time, struct err *e);

#endif
