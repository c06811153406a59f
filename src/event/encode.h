/* encode.h - what encode.c and encode_shape.c share: the memory of an encoder. */
#ifndef SAQSHY_EVENT_ENCODE_H
#define SAQSHY_EVENT_ENCODE_H

#include "event/codec.h"

#define NAME_CACHE 512u   /* a power of two */
#define LIKES      512u   /* a power of two */
#define VARINT_MAX 10u

/* A name that was seen at this place in memory: nearly all are literals, so the text is hashed once a portion. */
struct name_seen {
    const char *p;
    size_t      n;
    uint32_t    index;
};

/* Open addressing on the hash: of names, and of shapes. */
struct table {
    uint32_t *slot;        /* index + 1 */
    size_t    count, cap;  /* cap is a power of two, at least twice count */
};

/* A text that stands in the payload. */
struct place {
    uint32_t at, n;
};

/* Where a column stands: it is the pieces of the line from this cut to that one; or, where to is 0, no part of the line, and from is its text's
 * number in the shape. The first column that has a cut places it, and the others must agree. */
struct span {
    uint16_t from, to;
    bool     places_from, places_to;
};

/* How an event fits a shape: where its line is cut, and which texts may have changed besides the pieces: those that are no part of the line, and
 * do not lie where they lay in the last event of the shape. */
struct fit {
    uint32_t cut[CODEC_PIECES_MAX + 1];
    unsigned doubts;
    struct doubt {
        unsigned   text;
        struct str value;
    } doubt[EVENT_FIELDS_MAX + CODEC_COLUMNS];
};

/* Its columns begin at column, its texts at text: the pieces of the line, then the columns that are no part of it. */
struct shape {
    uint64_t hash;                      /* of all but the cuts */
    uint32_t marks, fields, column, text;
    int32_t  offset_min;
    uint8_t  flags;
    uint16_t pieces, texts;
    uint32_t next;                      /* index + 1 of an older one, which differs in its cuts only */
    uint32_t portion;                   /* that last is of: there its pointers are good */
    const struct event *last;           /* whose texts those of the next event are compared with */
};

struct event_encoder {
    struct name_seen cache[NAME_CACHE];
    uint32_t         likes[LIKES];   /* index + 1 of the shape that an event is likely to fit; only ever a guess */
    struct table     name_table, shape_table;
    struct arena     texts;          /* of names */
    struct str      *names;
    struct shape    *shapes;
    size_t           names_cap, shapes_cap, shape_count;
    uint32_t        *column_names;   /* by column; those that are no fields have none */
    struct span     *spans;
    struct place    *last;           /* by text: where it stands in out */
    size_t           columns, columns_cap, text_count, texts_cap;
    struct buf      *out;
    unsigned char   *w;              /* where the next byte goes; NULL after a failure */
    uint32_t         portion;        /* counts them; 0: none yet */
    size_t           start, count;   /* where the payload begins in out; events in it */
    size_t           lines;          /* bytes of their lines */
    time_ns          time, received; /* of the event before */
};

static inline unsigned char *varint(unsigned char *w, uint64_t v)
{
    while (v >= 0x80) {
        *w++ = (unsigned char)(v | 0x80);
        v >>= 7;
    }
    *w++ = (unsigned char)v;
    return w;
}

/* room - at least need bytes from w on. */
static inline void room(struct event_encoder *k, size_t need)
{
    if (!k->w)
        return;
    k->out->n = (size_t)(k->w - (unsigned char *)k->out->p);
    k->w = (unsigned char *)buf_room(k->out, need);
}

/* shape_of - the shape that this event fits, set down as its index and, where it is new, its description. NULL without memory or past a limit. */
struct shape *shape_of(struct event_encoder *k, const struct event *ev, struct fit *fit);

#endif
