/* parse_work.h - what the fuzz targets of parse/ share: a work in hand over the given bytes.
 *
 * Owns      struct bench owns the parser and the batch until bench_close.
 * Threads   owner. */
#ifndef SAQSHY_FUZZ_PARSE_WORK_H
#define SAQSHY_FUZZ_PARSE_WORK_H

#include "parse/internal.h"

struct bench {
    struct parser *parser;
    struct event_batch batch;
    struct parse_hints hints;
    struct work work;
    struct noted noted[EVENT_FIELDS_MAX];
};

static inline void bench_open(struct bench *b, struct str line)
{
    *b = (struct bench){ .hints = { .received = INT64_C(1774008000) * NS_PER_SECOND, .zone_min = EVENT_OFFSET_NONE } };
    if (parse_new(NULL, 0, &b->parser, NULL) < 0)
        abort();
    event_batch_init(&b->batch, 0);
    b->work =
        (struct work){ .parser = b->parser, .hints = &b->hints, .arena = &b->batch.arena, .msg = line, .pri = -1, .noted = b->noted };
    b->work.ev = event_batch_add(&b->batch);
    b->work.ev->original = line;
}

/* bench_close - what came out must be an event that can be written: as JSON, and by the codec. */
static inline void bench_close(struct bench *b)
{
    struct buf out;

    buf_init(&out, 0);
    event_json(b->work.ev, &out);
    buf_reset(&out);
    if (event_encode(b->work.ev, 1, &out, NULL) < 0)
        abort();
    buf_free(&out);
    event_batch_free(&b->batch);
    parse_free(&b->parser);
}

#endif
