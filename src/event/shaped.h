/* shaped.h - the events of a payload by shape: what stands in one place of alike events can be looked at together.
 *
 * Owns      the tables of shapes and rows. Texts are places in the payload, which is borrowed until the next read.
 * Promises  1. The same is believed as event_decode believes, and the same refused.
 *           2. A text that did not change from one event of a shape to the next is the same place: a column of one place has one value.
 *           3. Memory: 24 bytes an event, 8 a text of an event, and the shapes; SHAPED_TEXTS_MAX texts at most.
 * Threads   owner.
 * Units     as in codec.h: a column is a run of the line's pieces, or a text of its own.
 * Source    codec.h has what a shape is; the store makes columns of it. */
#ifndef SAQSHY_EVENT_SHAPED_H
#define SAQSHY_EVENT_SHAPED_H

#include "event/payload.h"

#define SHAPED_TEXTS_MAX (1u << 25)   /* in all rows: 256 MiB; 65,536 events of 512 texts */

struct shaped {
    struct arena          arena;      /* of shapes */
    struct payload_reader k;
    struct reader         r;
    struct str            payload;
    size_t                count;      /* of events, in the order of the payload */
    time_ns              *time, *received;
    uint32_t             *shape;      /* index, for shaped_shape */
    uint32_t             *first;      /* of its texts, in place */
    struct payload_place *place;
    size_t                cap, places, place_cap;
};

void shaped_init(struct shaped *s);
void shaped_free(struct shaped *s);
/* shaped_read - the events of a payload of the present version (as an encoder of this program makes it). -EBADMSG as event_decode; -E2BIG past SHAPED_TEXTS_MAX. */
MUST_USE int shaped_read(struct shaped *s, struct str payload, struct err *e);

/* shaped_event - the event of a row, its texts in the arena or borrowed from the payload; its seq is 0. -ENOMEM. */
MUST_USE int shaped_event(const struct shaped *s, size_t row, struct arena *a, struct event *out);

static inline size_t shaped_shapes(const struct shaped *s) { return s->k.shapes.count; }
static inline const struct payload_shape *shaped_shape(const struct shaped *s, size_t i)
{
    return (const struct payload_shape *)s->k.shapes.items + i;
}
static inline struct str shaped_name(const struct shaped *s, uint32_t name) { return ((const struct str *)s->k.names.items)[name]; }
static inline struct str shaped_text(const struct shaped *s, struct payload_place p) { return str_of(s->payload.p + p.at, p.n); }

#endif
