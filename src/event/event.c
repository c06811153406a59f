/* event.c - batches, fields and the flat JSON of events; see event.h. */
#include "event/event.h"

void event_batch_init(struct event_batch *b, size_t arena_limit_bytes)
{
    *b = (struct event_batch){ 0 };
    arena_init(&b->arena, arena_limit_bytes);
}

void event_batch_reset(struct event_batch *b)
{
    arena_reset(&b->arena);
    b->count = 0;
}

void event_batch_free(struct event_batch *b)
{
    arena_free(&b->arena);
    free(b->items);
    b->items = NULL;
    b->count = b->cap = 0;
}

struct event *event_batch_add(struct event_batch *b)
{
    struct event *ev;

    if (b->count == EVENT_BATCH_MAX)
        return NULL;
    if (b->count == b->cap) {
        size_t cap = b->cap ? b->cap * 2 : 64;
        struct event *items = realloc(b->items, cap * sizeof *items);

        if (!items)
            return NULL;
        b->items = items;
        b->cap = cap;
    }
    ev = &b->items[b->count++];
    *ev = (struct event){ .offset_min = EVENT_OFFSET_NONE };
    return ev;
}

int event_add(struct event *ev, struct arena *a, struct str name, struct str value)
{
    if (value.n == 0)
        return 0;
    if (ev->field_count >= EVENT_FIELDS_MAX || name.n == 0 || name.n > EVENT_NAME_MAX)
        return -E2BIG;
    if (ev->field_count == ev->field_cap) {
        uint32_t cap = ev->field_cap ? (uint32_t)min_size(ev->field_cap * 2, EVENT_FIELDS_MAX) : 16;
        struct event_field *f = arena_array(a, cap, sizeof *f);

        if (!f)
            return -ENOMEM;
        if (ev->field_count)
            memcpy(f, ev->fields, ev->field_count * sizeof *f);
        ev->fields = f;
        ev->field_cap = cap;
    }
    ev->fields[ev->field_count++] = (struct event_field){ name, value };
    return 0;
}

int event_set(struct event *ev, struct arena *a, struct str name, struct str value)
{
    for (uint32_t i = 0; i < ev->field_count; i++)
        if (str_eq(ev->fields[i].name, name)) {
            ev->fields[i].value = value;
            return 0;
        }
    return event_add(ev, a, name, value);
}

static const char *const class_names[CLASS_COUNT] = {
    "", "os-unix", "os-windows", "db", "net", "fw", "app", "sec"
};

const char *event_class_name(enum event_class c)
{
    return c < CLASS_COUNT ? class_names[c] : "";
}

enum event_class event_class_parse(struct str s)
{
    for (enum event_class c = CLASS_OS_UNIX; c < CLASS_COUNT; c++)
        if (str_eq(s, str_c(class_names[c])))
            return c;
    return CLASS_NONE;
}

const char *event_parse_name(enum event_parse p)
{
    static const char *const names[EVENT_PARSE_COUNT] = { "ok", "partial", "failed" };

    return p < EVENT_PARSE_COUNT ? names[p] : "failed";
}

const char *event_mark_name(enum event_mark m)
{
    switch (m) {
    case MARK_TRUNCATED: return "truncated";
    case MARK_BINARY: return "binary";
    case MARK_NOT_UTF8: return "not_utf8";
    case MARK_FUTURE: return "future";
    case MARK_NO_TIME: return "no_time";
    case MARK_COUNT: break;
    }
    return "";
}

/* member - the value of a name that is a member of the struct; false if it is none. */
static bool member(const struct event *ev, struct str name, struct str *out)
{
    if (name.n < 12 || (name.p[0] != 's' && name.p[0] != 'e'))
        return false;
    if (str_eq(name, STR("event.original")))
        *out = ev->original;
    else if (str_eq(name, STR("saqshy.source")))
        *out = ev->source;
    else if (str_eq(name, STR("saqshy.object")))
        *out = ev->object;
    else if (str_eq(name, STR("saqshy.parser")))
        *out = ev->parser;
    else if (str_eq(name, STR("saqshy.parse")))
        *out = str_c(event_parse_name(ev->parse));
    else if (str_eq(name, STR("saqshy.class")))
        *out = str_c(event_class_name(ev->class));
    else
        return false;
    return true;
}

struct str event_get(const struct event *ev, struct str name)
{
    struct str v = { NULL, 0 };

    if (member(ev, name, &v))
        return v;
    for (uint32_t i = 0; i < ev->field_count; i++)
        if (str_eq(ev->fields[i].name, name))
            return ev->fields[i].value;
    return v;
}

static bool next_mark(const struct event *ev, uint32_t *at, struct str *value)
{
    while (*at < MARK_COUNT) {
        uint32_t bit = 1u << (*at)++;

        if (ev->marks & bit) {
            *value = str_c(event_mark_name((enum event_mark)bit));
            return true;
        }
    }
    return false;
}

bool event_values(const struct event *ev, struct str name, uint32_t *at, struct str *value)
{
    struct str v;

    if (member(ev, name, &v)) {
        if ((*at)++ > 0 || v.n == 0)
            return false;
        *value = v;
        return true;
    }
    if (str_eq(name, STR("saqshy.marks")))
        return next_mark(ev, at, value);
    while (*at < ev->field_count) {
        const struct event_field *f = &ev->fields[(*at)++];

        if (str_eq(f->name, name)) {
            *value = f->value;
            return true;
        }
    }
    return false;
}

static void json_member(struct buf *out, const char *name, struct str value)
{
    if (!value.n)
        return;
    buf_printf(out, ",\"%s\":", name);
    buf_json(out, value);
}

static void json_marks(struct buf *out, const struct event *ev)
{
    struct str v;
    uint32_t at = 0;
    bool first = true;

    if (!ev->marks)
        return;
    buf_str(out, STR(",\"saqshy.marks\":["));
    while (next_mark(ev, &at, &v)) {
        if (!first)
            buf_byte(out, ',');
        buf_json(out, v);
        first = false;
    }
    buf_byte(out, ']');
}

/* seen_before - the name of field i stands at a smaller index. */
static bool seen_before(const struct event *ev, uint32_t i)
{
    for (uint32_t k = 0; k < i; k++)
        if (str_eq(ev->fields[k].name, ev->fields[i].name))
            return true;
    return false;
}

static void json_fields(struct buf *out, const struct event *ev)
{
    for (uint32_t i = 0; i < ev->field_count; i++) {
        struct str name = ev->fields[i].name, v;
        uint32_t at = i, count = 0;

        if (seen_before(ev, i))
            continue;
        while (at < ev->field_count)
            count += str_eq(ev->fields[at++].name, name);
        bool many = count > 1 || str_eq(name, STR("saqshy.types"));
        buf_byte(out, ',');
        buf_json(out, name);
        buf_str(out, many ? STR(":[") : STR(":"));
        at = i;
        for (uint32_t k = 0; k < count && event_values(ev, name, &at, &v); k++) {
            if (k)
                buf_byte(out, ',');
            buf_json(out, v);
        }
        if (many)
            buf_byte(out, ']');
    }
}

void event_json(const struct event *ev, struct buf *out)
{
    buf_str(out, STR("{\"@timestamp\":\""));
    buf_time(out, ev->time);
    buf_str(out, STR("\",\"event.received\":\""));
    buf_time(out, ev->received);
    buf_byte(out, '"');
    if (ev->seq)
        buf_printf(out, ",\"saqshy.seq\":\"%llu\"", (unsigned long long)ev->seq);
    json_member(out, "saqshy.class", str_c(event_class_name(ev->class)));
    json_member(out, "saqshy.parse", str_c(event_parse_name(ev->parse)));
    json_member(out, "saqshy.parser", ev->parser);
    json_member(out, "saqshy.source", ev->source);
    json_member(out, "saqshy.object", ev->object);
    json_member(out, "saqshy.time_text", ev->time_text);
    json_marks(out, ev);
    json_fields(out, ev);
    buf_str(out, STR(",\"event.original\":"));
    buf_json(out, ev->original);
    buf_byte(out, '}');
}
