/* encode.c - many events as bytes; the layout is in codec.h.
 *
 * One pass, and no call per byte: the room that an event can need at most is asked for, then bytes are set down in it. Events may come in portions
 * while they are still in the processor's cache: what points into them is good for their portion only (struct shape, the cache of names), the texts
 * that the next event is compared with stand in the payload itself. */
#include "event/encode.h"

#define COUNT_BYTES 3u      /* the number of events, a varint of this width: it is known at the end */

/* put_texts - which of them have changed, how long these are, their bytes. */
static void put_texts(struct event_encoder *k, const struct event *ev, const struct shape *s, const struct fit *fit)
{
    struct place *last = k->texts.last + s->text;
    const char *safe = ev->original.n >= COPY ? ev->original.p + (ev->original.n - COPY) : NULL, *out;
    unsigned char *map = k->w;
    size_t bytes = 0;

    memset(map, 0, (s->texts + 7u) / 8);
    k->w += (s->texts + 7u) / 8;
    for (unsigned i = 0; i < fit->count; i++) {
        map[fit->change[i].text / 8] |= (unsigned char)(1u << fit->change[i].text % 8);
        k->w = varint(k->w, fit->change[i].n);
        bytes += fit->change[i].n;
    }
    room(k, bytes + COPY);
    if (!k->w)
        return;
    out = k->out->p;
    for (unsigned i = 0; i < fit->count; i++) {
        struct change c = fit->change[i];

        last[c.text] = (struct place){ (uint32_t)((const char *)k->w - out), c.n };
        if (c.n <= COPY && c.text < s->pieces && c.p <= safe)
            memcpy(k->w, c.p, COPY);   /* what is too much, the next text overwrites */
        else
            codec_copy(k->w, c.p, c.n);
        k->w += c.n;
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

void room_more(struct event_encoder *k, size_t need)
{
    k->out->n = (size_t)(k->w - (unsigned char *)k->out->p);
    k->w = (unsigned char *)buf_room(k->out, need);
    k->end = (unsigned char *)k->out->p + k->out->cap;
}

/* --- the face --- */

struct event_encoder *event_encoder_new(void)
{
    struct event_encoder *k = calloc(1, sizeof *k);

    if (k)
        arena_init(&k->arena, 0);
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
    free(k->columns.name);
    free(k->columns.span);
    free(k->columns.seen);
    free(k->columns.agree);
    free(k->texts.last);
    free(k->texts.seen);
    free(k->texts.whence);
    arena_free(&k->arena);
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
    arena_reset(&k->arena);
    k->columns.count = k->texts.count = k->shape_count = k->count = k->lines = 0;
    k->time = k->received = 0;
    k->out = out;
    memset(k->likes, 0, sizeof k->likes);
    k->start = out->n;
    k->w = (unsigned char *)buf_room(out, 1 + COUNT_BYTES + COPY);
    k->end = (unsigned char *)out->p + out->cap;
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

size_t event_encoder_bytes(const struct event_encoder *k)
{
    return k->w ? (size_t)(k->w - (unsigned char *)k->out->p) - k->start : 0;
}

int event_encoder_end(struct event_encoder *k, size_t *count, struct err *e)
{
    unsigned char *head;

    if (!k->w)
        return err_set(e, -E2BIG, "a batch of more than %zu events does not fit a payload", k->count);
    k->out->n = (size_t)(k->w - (unsigned char *)k->out->p);
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
