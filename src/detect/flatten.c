/* flatten.c - one JSON value becomes an event: nested names joined by dots, arrays as several values. */
#include <jansson.h>

#include "detect/hunt.h"

struct level {
    json_t *node;
    void   *key;        /* of an object: json_object_iter */
    size_t  index;      /* of an array */
    size_t  name_n;     /* length of the name so far */
};

struct flattener {
    struct event       *ev;
    struct arena       *arena;
    struct level        stack[HUNT_DEPTH_MAX];
    size_t              depth;
    char                name[EVENT_NAME_MAX + 1];
    size_t              name_n;
    bool                partial;
};

/* Members of the record, which event_json writes by itself. */
static bool is_member(struct flattener *f, struct str name, struct str value)
{
    struct event *ev = f->ev;

    if (str_eq(name, STR("@timestamp")) || str_eq(name, STR("event.received")) || str_eq(name, STR("saqshy.seq")) ||
        str_eq(name, STR("saqshy.parse")) || str_eq(name, STR("saqshy.marks")) || str_eq(name, STR("saqshy.time_text")))
        return true;
    if (str_eq(name, STR("event.original")))
        ev->original = value;
    else if (str_eq(name, STR("saqshy.class")))
        ev->class = event_class_parse(value);
    else if (str_eq(name, STR("saqshy.parser")))
        ev->parser = value;
    else if (str_eq(name, STR("saqshy.source")))
        ev->source = value;
    else if (str_eq(name, STR("saqshy.object")))
        ev->object = value;
    else
        return false;
    return true;
}

static void take_time(struct flattener *f, struct str name, struct str value)
{
    static const char *const names[] = { "@timestamp", "Event.System.TimeCreated.#attributes.SystemTime", "winlog.time_created",
                                         "TimeCreated", "timestamp", "eventTime", "time", "EventTime", "UtcTime" };
    time_ns t;

    if (!(f->ev->marks & MARK_NO_TIME))
        return;
    for (size_t i = 0; i < COUNT(names); i++) {
        struct str zoned;

        if (!str_eq(name, str_c(names[i])))
            continue;
        zoned = arena_printf(f->arena, "%.*sZ", STR_ARG(value));
        if (time_parse_rfc3339(value, &t, NULL, NULL) == 0 || (zoned.p && time_parse_rfc3339(zoned, &t, NULL, NULL) == 0)) {
            f->ev->time = f->ev->received = t;
            f->ev->time_text = value;
            f->ev->marks &= ~(uint32_t)MARK_NO_TIME;
        }
        return;
    }
}

/* add - an empty text is a value too, and so is null, which has no bytes at all: rules tell both from an absent field. */
static void add(struct flattener *f, struct str value)
{
    struct str name = arena_copy(f->arena, str_of(f->name, f->name_n));
    bool null = !value.p;

    if (!null)
        value = arena_copy(f->arena, value);
    if (!name.p || (!null && !value.p)) {
        f->partial = true;
        return;
    }
    take_time(f, name, value);
    if (is_member(f, name, value))
        return;
    if (event_add(f->ev, f->arena, name, value.n ? value : STR("-")) < 0)
        f->partial = true;
    else if (value.n == 0)
        f->ev->fields[f->ev->field_count - 1].value = value;
}

static void add_scalar(struct flattener *f, const json_t *v)
{
    char text[64];

    switch (json_typeof(v)) {
    case JSON_STRING:
        add(f, str_of(json_string_value(v), json_string_length(v)));
        break;
    case JSON_INTEGER:
        snprintf(text, sizeof text, "%lld", (long long)json_integer_value(v));
        add(f, str_c(text));
        break;
    case JSON_REAL:
        snprintf(text, sizeof text, "%.17g", json_real_value(v));
        add(f, str_c(text));
        break;
    case JSON_TRUE:
        add(f, STR("true"));
        break;
    case JSON_FALSE:
        add(f, STR("false"));
        break;
    default:
        add(f, (struct str){ NULL, 0 });
        break;
    }
}

static void push(struct flattener *f, json_t *node)
{
    if (f->depth == HUNT_DEPTH_MAX) {
        f->partial = true;
        return;
    }
    f->stack[f->depth++] = (struct level){ node, json_is_object(node) ? json_object_iter(node) : NULL, 0, f->name_n };
}

/* next_child - the next value of the container on top, its name joined on; NULL at the end. */
static json_t *next_child(struct flattener *f, struct level *l)
{
    const char *key;
    json_t *child;
    size_t n;

    f->name_n = l->name_n;
    if (json_is_array(l->node))
        return json_array_get(l->node, l->index++);
    if (!l->key)
        return NULL;
    key = json_object_iter_key(l->key);
    child = json_object_iter_value(l->key);
    l->key = json_object_iter_next(l->node, l->key);
    n = strlen(key);
    if (f->name_n + n + 1 > EVENT_NAME_MAX) {
        f->partial = true;
        return json_null();
    }
    if (f->name_n)
        f->name[f->name_n++] = '.';
    memcpy(f->name + f->name_n, key, n);
    f->name_n += n;
    return child;
}

static void walk(struct flattener *f, json_t *root)
{
    push(f, root);
    while (f->depth) {
        json_t *child = next_child(f, &f->stack[f->depth - 1]);

        if (!child)
            f->depth--;
        else if (json_is_object(child) || json_is_array(child))
            push(f, child);
        else if (f->name_n)
            add_scalar(f, child);
    }
}

int hunt_json_event(struct str text, struct event_batch *batch, struct err *e)
{
    struct flattener *f;
    json_error_t je;
    json_t *root = json_loadb(text.p, text.n, JSON_ALLOW_NUL, &je);

    if (!root)   /* numbers past 64 bits are read as reals */
        root = json_loadb(text.p, text.n, JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, &je);
    if (!root)
        return err_set(e, -EBADMSG, "not JSON: line %d, column %d: %s", je.line, je.column, je.text);
    f = json_is_object(root) ? calloc(1, sizeof *f) : NULL;
    if (!f) {
        json_decref(root);
        return err_set(e, -EBADMSG, "a JSON object is expected");
    }
    f->ev = event_batch_add(batch);
    f->arena = &batch->arena;
    if (!f->ev) {
        free(f);
        json_decref(root);
        return err_set(e, -ENOMEM, "no memory for an event");
    }
    f->ev->original = text;
    f->ev->parser = STR("json");
    f->ev->marks = MARK_NO_TIME;
    walk(f, root);
    f->ev->parse = f->partial ? EVENT_PARSE_PARTIAL : EVENT_PARSE_OK;
    free(f);
    json_decref(root);
    return 0;
}
