/* decode_shared.c - see decode.h. */
#include "event/decode.h"

/* grow - room for one more. */
static bool grow(struct reader *r, struct arena *a, struct table *t, size_t size)
{
    size_t cap = t->cap ? t->cap * 2 : 64;
    void *items = t->count < t->cap ? t->items : arena_array(a, cap, size);

    if (!items) {
        rd_fail(r, "memory for names and shapes");
        return false;
    }
    if (items == t->items)
        return true;
    if (t->count)
        memcpy(items, t->items, t->count * size);
    t->items = items;
    t->cap = cap;
    return true;
}

void *table_at(struct reader *r, struct arena *a, struct table *t, size_t size, size_t most, const char *what, bool *fresh)
{
    uint64_t at = rd_varint(r);
    char *item;

    *fresh = at == t->count;
    if (at > t->count || at >= most)
        rd_fail(r, what);
    if (!rd_ok(r) || (*fresh && !grow(r, a, t, size)))
        return NULL;
    item = (char *)t->items + at * size;
    if (*fresh) {
        memset(item, 0, size);
        t->count++;
    }
    return item;
}

uint32_t name_at(struct reader *r, struct arena *a, struct table *names)
{
    bool fresh;
    struct str *name = table_at(r, a, names, sizeof *name, CODEC_NAMES_MAX, "the index of a name", &fresh);

    if (!name)
        return 0;
    if (fresh)
        *name = rd_varstr(r, EVENT_NAME_MAX, "a name within the limit");
    return (uint32_t)(name - (const struct str *)names->items);
}

uint8_t flags_get(struct reader *r)
{
    uint8_t flags = rd_u8(r);

    if ((flags & 15) >= CLASS_COUNT || flags >> 4 >= EVENT_PARSE_COUNT)
        rd_fail(r, "a known class and parse state");
    return flags;
}

int32_t zone_get(struct reader *r)
{
    uint64_t zone = rd_varint(r);

    return zone ? (int32_t)codec_zag(zone - 1) : EVENT_OFFSET_NONE;
}

uint32_t field_count_get(struct reader *r)
{
    uint64_t n = rd_varint(r);

    if (n > EVENT_FIELDS_MAX || n > rd_left(r))
        rd_fail(r, "a number of fields within the limit");
    return rd_ok(r) ? (uint32_t)n : 0;
}

void common_put(struct reader *r, const struct common *c, const struct event *before, struct event *ev)
{
    ev->time = (time_ns)((uint64_t)(before ? before->time : 0) + (uint64_t)codec_zag(rd_varint(r)));
    ev->received = (time_ns)((uint64_t)(before ? before->received : 0) + (uint64_t)codec_zag(rd_varint(r)));
    ev->offset_min = c->offset_min;
    ev->class = (enum event_class)(c->flags & 15);
    ev->parse = (enum event_parse)(c->flags >> 4);
    ev->marks = c->marks;
}

size_t event_count_get(struct reader *r)
{
    uint64_t n = rd_varint(r);

    if (n > EVENT_BATCH_MAX || n > rd_left(r))
        rd_fail(r, "a number of events within the limit");
    return rd_ok(r) ? (size_t)n : 0;
}

void events_get(struct reader *r, size_t count, uint64_t first_seq, struct event_batch *batch, one_event *get, void *arg)
{
    for (size_t i = 0; i < count && rd_ok(r); i++) {
        struct event *ev = event_batch_add(batch);

        if (!ev) {
            rd_fail(r, "room in the batch");
            break;
        }
        ev->seq = first_seq + i;
        get(arg, ev, i ? ev - 1 : NULL);
    }
}
