/* encode.c - many events as bytes; the layout is in codec.h.
 *
 * One pass, and no call per byte: the room that an event can need at most is asked for, then bytes are set down in it. Events may come in portions
 * while they are still in the processor's cache: what points into them is good for their portion only (struct shape, the cache of names), the texts
 * that the next event is compared with stand in the payload itself. */
#include "event/encode.h"

#define COUNT_BYTES 3u      /* the number of events, a varint of this width: it is known at the end */

/* same - whether two texts of n bytes are. Most are short, and a call costs more than they. */
static inline bool same(const char *a, const char *b, size_t n)
{
    uint64_t x, y, v, w;

    if (n > 16)
        return memcmp(a, b, n) == 0;
    if (n >= 8) {
        memcpy(&x, a, 8);
        memcpy(&y, b, 8);
        memcpy(&v, a + n - 8, 8);
        memcpy(&w, b + n - 8, 8);
        return x == y && v == w;
    }
    if (n >= 4) {
        uint32_t p, q, r, s;

        memcpy(&p, a, 4);
        memcpy(&q, b, 4);
        memcpy(&r, a + n - 4, 4);
        memcpy(&s, b + n - 4, 4);
        return p == q && r == s;
    }
    return n == 0 || (a[0] == b[0] && a[n / 2] == b[n / 2] && a[n - 1] == b[n - 1]);
}

struct change {
    struct str    text;
    struct place *last;
};

/* changes - the texts of an event that are not those of the last event of its shape, marked in map. */
static unsigned changes(const struct event_encoder *k, const struct event *ev, const struct shape *s, const struct fit *fit, unsigned char *map,
                        struct change *change)
{
    const char *line = ev->original.p ? ev->original.p : "", *out = k->out->p;
    struct place *last = k->last + s->text;
    unsigned count = 0;

    for (unsigned i = 0; i < s->pieces; i++) {
        size_t n = fit->cut[i + 1] - fit->cut[i];

        if (n == last[i].n && same(line + fit->cut[i], out + last[i].at, n))
            continue;
        map[i / 8] |= (unsigned char)(1u << i % 8);
        change[count++] = (struct change){ str_of(line + fit->cut[i], n), last + i };
    }
    for (unsigned d = 0; d < fit->doubts; d++) {
        struct str v = fit->doubt[d].value;
        unsigned i = fit->doubt[d].text;

        if (v.n == last[i].n && same(v.p, out + last[i].at, v.n))
            continue;
        map[i / 8] |= (unsigned char)(1u << i % 8);
        change[count++] = (struct change){ v, last + i };
    }
    return count;
}

static void put_texts(struct event_encoder *k, const struct event *ev, const struct shape *s, const struct fit *fit)
{
    struct change change[CODEC_TEXTS_MAX];
    size_t map = (s->texts + 7u) / 8, bytes = 0;
    unsigned count;

    memset(k->w, 0, map);
    count = changes(k, ev, s, fit, k->w, change);
    k->w += map;
    for (unsigned i = 0; i < count; i++) {
        k->w = varint(k->w, change[i].text.n);
        bytes += change[i].text.n;
    }
    room(k, bytes);
    for (unsigned i = 0; i < count && k->w; i++) {
        struct str v = change[i].text;

        *change[i].last = (struct place){ (uint32_t)(k->w - (unsigned char *)k->out->p), (uint32_t)v.n };
        if (v.n)
            memcpy(k->w, v.p, v.n);
        k->w += v.n;
    }
}

static bool put_event(struct event_encoder *k, const struct event *ev)
{
    struct shape *s;
    struct fit fit;

    k->lines += ev->original.n;
    room(k, VARINT_MAX);
    s = k->w && k->lines <= k->out->limit_bytes ? shape_of(k, ev, &fit) : NULL;
    if (!s)
        return false;
    room(k, 2 * VARINT_MAX + (s->texts + 7u) / 8 + s->texts * (size_t)VARINT_MAX);   /* all but the bytes of texts */
    if (!k->w)
        return false;
    k->w = varint(k->w, codec_zig((int64_t)((uint64_t)ev->time - (uint64_t)k->time)));
    k->w = varint(k->w, codec_zig((int64_t)((uint64_t)ev->received - (uint64_t)k->received)));
    k->time = ev->time;
    k->received = ev->received;
    put_texts(k, ev, s, &fit);
    return k->w != NULL;
}

/* --- the face --- */

struct event_encoder *event_encoder_new(void)
{
    struct event_encoder *k = calloc(1, sizeof *k);

    if (k)
        arena_init(&k->texts, 0);
    return k;
}

void event_encoder_free(struct event_encoder **encoder)
{
    struct event_encoder *k = *encoder;

    if (!k)
        return;
    free(k->name_table.slot);
    free(k->shape_table.slot);
    free(k->names);
    free(k->shapes);
    free(k->column_names);
    free(k->spans);
    free(k->last);
    arena_free(&k->texts);
    free(k);
    *encoder = NULL;
}

static void forget(struct table *t)
{
    if (t->slot)
        memset(t->slot, 0, t->cap * sizeof *t->slot);
    t->count = 0;
}

void event_encoder_begin(struct event_encoder *k, struct buf *out)
{
    forget(&k->name_table);
    forget(&k->shape_table);
    arena_reset(&k->texts);
    k->columns = k->text_count = k->shape_count = k->count = k->lines = 0;
    k->time = k->received = 0;
    k->out = out;
    memset(k->likes, 0, sizeof k->likes);
    k->start = out->n;
    k->w = (unsigned char *)buf_room(out, 1 + COUNT_BYTES);
    if (k->w)
        k->w += 1 + COUNT_BYTES;
}

int event_encoder_add(struct event_encoder *k, const struct event *events, size_t count, struct err *e)
{
    memset(k->cache, 0, sizeof k->cache);
    k->portion++;
    for (size_t i = 0; i < count && k->w; i++)
        if (k->count == EVENT_BATCH_MAX || !put_event(k, &events[i]))
            k->w = NULL;
        else
            k->count++;
    return k->w ? 0 : err_set(e, -E2BIG, "a batch of more than %zu events does not fit a payload", k->count);
}

int event_encoder_end(struct event_encoder *k, size_t *count, struct err *e)
{
    unsigned char *head;

    room(k, 0);   /* out->n is behind the last byte now */
    if (!k->w)
        return err_set(e, -E2BIG, "a batch of more than %zu events does not fit a payload", k->count);
    head = (unsigned char *)k->out->p + k->start;
    *head++ = CODEC_VERSION;
    for (unsigned i = 0; i < COUNT_BYTES; i++)
        *head++ = (unsigned char)((k->count >> 7 * i & 0x7f) | (i + 1 < COUNT_BYTES ? 0x80u : 0));
    if (count)
        *count = k->count;
    k->w = NULL;
    return 0;
}

int event_encode(const struct event *events, size_t count, struct buf *out, struct err *e)
{
    struct event_encoder *k = event_encoder_new();
    int rc = k ? 0 : err_set(e, -ENOMEM, "no memory to encode events");

    if (rc == 0) {
        event_encoder_begin(k, out);
        rc = event_encoder_add(k, events, count, e);
    }
    if (rc == 0)
        rc = event_encoder_end(k, NULL, e);
    event_encoder_free(&k);
    return rc;
}
