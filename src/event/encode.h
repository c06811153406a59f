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
 * number in the shape. */
struct span {
    uint16_t from, to;
};

/* A text that is written, as it is not that of the last event of the shape: n bytes at p, the text of this number. */
struct change {
    const char *p;
    uint32_t    n, text;
};

/* How an event fits a shape: where its line is cut, and which texts have changed. */
struct fit {
    uint32_t      cut[CODEC_PIECES_MAX + 1];
    unsigned      count;
    struct change change[CODEC_TEXTS_MAX + 1];   /* 1: what is only perhaps one is set down, too */
};

/* Its columns begin at column, its texts at text: the pieces of the line, then the columns that are no part of it. */
struct shape {
    uint64_t hash;                      /* of all but the cuts */
    uint32_t marks, fields, column, text;
    int32_t  offset_min;
    uint8_t  flags;
    uint16_t pieces, texts, agrees;
    uint32_t next;                      /* index + 1 of an older one, which differs in its cuts only */
    uint32_t portion;                   /* in which an event had it last: there the places of names and values are good */
};

struct agree {
    uint32_t whence;
    uint16_t from, to;
};

/* What is known of the columns of all shapes, one behind the other. */
struct columns {
    uint32_t    *name;    /* index; those that are no fields have none */
    struct span *span;
    struct str  *seen;    /* the name of the field in the last event, which lay there */
    struct agree *agree;  /* those of the shape that do not place both of their cuts: these must be where others placed them */
    size_t       count, cap;
};

/* whence - a value of an event, and its beginning or its end, as a number: bytes from the event on or from its fields on * 4, end * 2, of the fields. */
#define WHENCE_FIELDS 1u
#define WHENCE_END    2u

/* And of their texts. */
struct texts {
    struct place *last;    /* where it stands in out */
    struct str   *seen;    /* of a column that is no part of the line: its value in the last event, which lay there */
    uint32_t     *whence;  /* of a piece: what says where it ends. Of others: what is the text */
    size_t        count, cap;
};

struct event_encoder {
    struct name_seen cache[NAME_CACHE];
    uint32_t         likes[LIKES];   /* index + 1 of the shape that an event is likely to fit; only ever a guess */
    struct table     name_table, shape_table;
    struct arena     arena;          /* of names */
    struct str      *names;
    struct shape    *shapes;
    size_t           names_cap, shapes_cap, shape_count;
    struct columns   columns;
    struct texts     texts;
    struct buf      *out;
    unsigned char   *w, *end;        /* where the next byte goes, and where there is no more room; w NULL after a failure */
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

#define COPY  16u   /* bytes that are copied of a shorter text where so many can be */
#define SLACK 8u    /* bytes behind a text that may be read with it, and count for nothing; so many stand behind all that is written */

/* text_same - whether two texts of n bytes are. Most are short, and a call costs more than they. */
static inline bool text_same(const char *a, const char *b, size_t n)
{
    uint64_t x, y, v, w;

    if (n > 16)
        return memcmp(a, b, n) == 0;
    if (n >= 8) {
        memcpy(&x, a, 8);
        memcpy(&y, b, 8);
        memcpy(&v, a + n - 8, 8);
        memcpy(&w, b + n - 8, 8);
        return ((x ^ y) | (v ^ w)) == 0;
    }
    if (n >= 4) {
        uint32_t p, q, r, t;

        memcpy(&p, a, 4);
        memcpy(&q, b, 4);
        memcpy(&r, a + n - 4, 4);
        memcpy(&t, b + n - 4, 4);
        return ((p ^ q) | (r ^ t)) == 0;
    }
    return n == 0 || (a[0] == b[0] && a[n / 2] == b[n / 2] && a[n - 1] == b[n - 1]);
}

/* room_more - room, where there is not enough. */
void room_more(struct event_encoder *k, size_t need);

/* room - at least need bytes from w on. */
static inline void room(struct event_encoder *k, size_t need)
{
    if (k->w && (size_t)(k->end - k->w) < need)
        room_more(k, need);
}

/* shape_of - the shape that this event fits, set down as its index and, where it is new, its description. NULL without memory or past a limit. */
struct shape *shape_of(struct event_encoder *k, const struct event *ev, struct fit *fit);

#endif
