/* payload.h - what the two readers of a payload of the present version share: decode.c makes events of it, shaped.c puts the values of one place together.
 *
 * Owns      nothing: all grows in an arena of the reader's.
 * Promises  As in decode.h: nothing that a payload says is believed.
 * Threads   any.
 * Units     bytes from the beginning of the payload. */
#ifndef SAQSHY_EVENT_PAYLOAD_H
#define SAQSHY_EVENT_PAYLOAD_H

#include "event/decode.h"

struct payload_reader {
    struct reader *r;
    struct arena  *arena;
    const struct event_batch *batch;   /* says which fields are wanted; NULL: all of them */
    struct table   names, shapes;      /* of struct str, struct payload_shape */
};

/* A column: the pieces of the line from this cut to that one; from == to: the text of this number. */
struct payload_column {
    uint32_t name;               /* of a field, its index */
    uint16_t from, to;
};
static_assert(CODEC_TEXTS_MAX <= UINT16_MAX, "a column holds the number of a text");

/* A text that stands in the payload. */
struct payload_place {
    uint32_t at, n;
};

/* A line of names that nobody has twice is a shape of its own: it takes less memory here than its fields do. */
struct payload_shape {
    struct payload_column *columns;      /* the four, then the fields that are wanted */
    struct payload_place  *last;         /* of its texts: the pieces, then the columns that are no piece */
    struct common  common;
    uint32_t       fields, pieces, texts;   /* fields: those that are wanted */
};

/* payload_shape - the shape of the next event; NULL after a failure. */
struct payload_shape *payload_shape(struct payload_reader *k);
/* payload_texts - the texts of an event that are not those of the last event of its shape: a bit for each of all, how long each is, their bytes. */
void payload_texts(struct payload_reader *k, const struct payload_shape *s);

#endif
