/* otlp_json.c - the JSON form of an OTLP logs request, read token by token; see otlp.h.
 *
 * A resource may stand behind its records, so each member of resourceLogs is read twice: first for its resource. A structured body becomes
 * the same JSON text that otlp.c makes of it, with a stack of frames instead of recursion:
 *
 *     {"kvlistValue":{"values":[{"key":"a","value":{"intValue":"1"}}]}}    {"a":1}
 *      ANY            HOLD      VALUES
 *                                KV             ANY */
#include "ingest/jread.h"
#include "ingest/otlp.h"

#include <stdlib.h>

#define FRAMES_MAX (OTLP_DEPTH_MAX * 4 + 4)

static bool is(struct str key, const char *camel, const char *snake) { return str_eq(key, str_c(camel)) || str_eq(key, str_c(snake)); }

static bool fail(struct jread *r, const char *what)
{
    if (!r->bad)
        r->bad = what;
    return false;
}

/* begin - the value that is due is a container of this kind. False: it is null, which is as if it were not there, or r is bad. */
static bool begin(struct jread *r, enum jtoken want)
{
    struct str text;
    enum jtoken t = jread_next(r, &text);

    if (t == want)
        return true;
    if (t != J_NULL)
        fail(r, want == J_ARRAY ? "an array" : "an object");
    return false;
}

/* member - the next key of an object. False at its end, or if r is bad. */
static bool member(struct jread *r, struct str *key)
{
    enum jtoken t = jread_next(r, key);

    return t == J_KEY;
}

/* element - the next object of an array. False at its end. */
static bool element(struct jread *r)
{
    struct str text;
    enum jtoken t = jread_next(r, &text);

    if (t == J_OBJECT)
        return true;
    if (t != J_ARRAY_END)
        fail(r, "an object");
    return false;
}

static void pass_over(struct jread *r)
{
    struct str text;

    (void)jread_skip(r, jread_next(r, &text));
}

static struct str text_value(struct jread *r)
{
    struct str text;
    enum jtoken t = jread_next(r, &text);

    if (t == J_STRING)
        return text;
    if (t != J_NULL)
        fail(r, "a text");
    return str_of(NULL, 0);
}

static time_ns time_value(struct jread *r)
{
    struct str text;
    enum jtoken t = jread_next(r, &text);
    uint64_t n = 0;

    if (t == J_NULL)
        return 0;
    if ((t != J_STRING && t != J_NUMBER) || !str_u64(text, &n))
        fail(r, "a moment in nanoseconds");
    return (time_ns)min_size(n, INT64_MAX);
}

/* --- AnyValue --- */

enum any_kind { ANY_NONE, ANY_TEXT, ANY_BOOL, ANY_INT, ANY_DOUBLE, ANY_BYTES, ANY_LIST, ANY_MAP, ANY_UNKNOWN };

static enum any_kind kind_of(struct str key)
{
    static const struct {
        const char   *camel, *snake;
        enum any_kind kind;
    } kinds[] = {
        { "stringValue", "string_value", ANY_TEXT }, { "boolValue", "bool_value", ANY_BOOL },      { "intValue", "int_value", ANY_INT },
        { "doubleValue", "double_value", ANY_DOUBLE }, { "bytesValue", "bytes_value", ANY_BYTES }, { "arrayValue", "array_value", ANY_LIST },
        { "kvlistValue", "kvlist_value", ANY_MAP },
    };

    for (size_t i = 0; i < COUNT(kinds); i++)
        if (is(key, kinds[i].camel, kinds[i].snake))
            return kinds[i].kind;
    return ANY_UNKNOWN;
}

static void put_double(struct buf *out, struct str text)
{
    char copy[64];
    double d;

    snprintf(copy, sizeof copy, "%.*s", (int)min_size(text.n, sizeof copy - 1), text.n ? text.p : "");
    d = strtod(copy, NULL);
    if (d - d == 0)
        buf_printf(out, "%.17g", d);
    else
        buf_str(out, STR("null"));
}

/* scalar - the value that is due, of kind k, as JSON in out, or (out NULL) as a text: *text. False: null, or r is bad. */
static bool scalar(struct jread *r, enum any_kind k, struct buf *out, struct str *text)
{
    enum jtoken t = jread_next(r, text);
    int64_t n = 0;

    if (t == J_NULL || t == J_BAD)
        return false;
    if (k == ANY_TEXT || k == ANY_BYTES) {
        if (t != J_STRING)
            return fail(r, "a text");
        if (k == ANY_BYTES && !jread_base64(r, *text, text))
            return fail(r, "bytes in base64");
        if (out)
            buf_json(out, *text);
        return true;
    }
    if (k == ANY_BOOL) {
        if (t != J_TRUE && t != J_FALSE)
            return fail(r, "true or false");
        *text = t == J_TRUE ? STR("true") : STR("false");
    } else if (t != J_STRING && t != J_NUMBER) {
        return fail(r, "a number");
    } else if (k == ANY_INT && !str_i64(*text, &n)) {
        return fail(r, "a whole number");
    }
    if (!out) {
        AUTO_BUF struct buf b = { 0 };

        buf_init(&b, KIB);
        if (k == ANY_DOUBLE) {
            put_double(&b, *text);
            *text = arena_copy(r->arena, buf_view(&b));
        } else if (k == ANY_INT) {
            *text = arena_printf(r->arena, "%lld", (long long)n);
        }
        return true;
    }
    if (k == ANY_DOUBLE)
        put_double(out, *text);
    else if (k == ANY_INT)
        buf_printf(out, "%lld", (long long)n);
    else
        buf_str(out, *text);
    return true;
}

enum frame_kind { ANY, HOLD, VALUES, KV };
struct frame {
    enum frame_kind kind;
    bool            list;      /* HOLD, VALUES: of an array, not of a map */
    bool            begun;     /* VALUES: a comma is due; ANY, KV: the value was written; HOLD: values were met */
};
struct stack {
    struct frame at[FRAMES_MAX];
    int          depth, levels;   /* levels: containers open in out */
};

static void push(struct stack *s, enum frame_kind kind, bool list) { s->at[s->depth++] = (struct frame){ kind, list, false }; }

/* key_of - the key of the KeyValue that r stands in, wherever it is among its members. */
static struct str key_of(struct jread r)
{
    struct str key, found = { NULL, 0 };

    while (member(&r, &key)) {
        if (str_eq(key, STR("key")))
            return text_value(&r);
        pass_over(&r);
    }
    return found;
}

/* any_member - a member of an AnyValue; the first that says something counts. */
static void any_member(struct jread *r, struct stack *s, struct buf *out, struct str key)
{
    struct frame *top = &s->at[s->depth - 1];
    enum any_kind k = kind_of(key);
    struct str text;

    if (k == ANY_UNKNOWN || top->begun || (k >= ANY_LIST && s->levels == OTLP_DEPTH_MAX)) {
        pass_over(r);
        return;
    }
    if (k < ANY_LIST) {
        top->begun = scalar(r, k, out, &text);
        return;
    }
    if (!begin(r, J_OBJECT))
        return;
    top->begun = true;
    s->levels++;
    buf_byte(out, k == ANY_LIST ? '[' : '{');
    push(s, HOLD, k == ANY_LIST);
}

/* close_frame - the container of the top frame has ended. */
static void close_frame(struct stack *s, struct buf *out)
{
    struct frame *top = &s->at[--s->depth];

    if (top->kind == HOLD) {
        buf_byte(out, top->list ? ']' : '}');
        s->levels--;
    } else if ((top->kind == ANY || top->kind == KV) && !top->begun) {
        buf_str(out, STR("null"));
    }
}

/* open_value - an element of the values of an array or a map. */
static void open_value(struct jread *r, struct stack *s, struct buf *out)
{
    struct frame *top = &s->at[s->depth - 1];

    if (top->begun)
        buf_byte(out, ',');
    top->begun = true;
    if (top->list) {
        push(s, ANY, false);
        return;
    }
    buf_json(out, key_of(*r));
    buf_byte(out, ':');
    push(s, KV, false);
}

/* put_structure - r stands in an AnyValue, behind the key of its array or map. */
static bool put_structure(struct jread *r, struct buf *out, bool list)
{
    struct stack s = { .depth = 0, .levels = 1 };

    if (!begin(r, J_OBJECT))
        return false;
    buf_byte(out, list ? '[' : '{');
    push(&s, HOLD, list);
    while (s.depth && !r->bad) {
        struct frame *top = &s.at[s.depth - 1];
        struct str key;

        if (top->kind == VALUES) {
            if (element(r))
                open_value(r, &s, out);
            else
                s.depth--;
        } else if (!member(r, &key)) {
            close_frame(&s, out);
        } else if (top->kind == ANY) {
            any_member(r, &s, out, key);
        } else if (top->kind == HOLD && !top->begun && str_eq(key, STR("values"))) {
            top->begun = begin(r, J_ARRAY);
            if (top->begun)
                push(&s, VALUES, top->list);
        } else if (top->kind == KV && !top->begun && str_eq(key, STR("value"))) {
            top->begun = begin(r, J_OBJECT);
            if (top->begun)
                push(&s, ANY, false);
        } else {
            pass_over(r);
        }
    }
    return !r->bad;
}

/* any_text - a value as text: strings and bytes as they are. */
static struct str any_text(struct jread *r)
{
    AUTO_BUF struct buf out = { 0 };
    struct str key, text, got = { NULL, 0 };

    if (!begin(r, J_OBJECT))
        return got;
    while (member(r, &key)) {
        enum any_kind k = kind_of(key);

        if (k == ANY_UNKNOWN) {
            pass_over(r);
        } else if (k < ANY_LIST) {
            if (scalar(r, k, NULL, &text))
                got = text;
        } else {
            buf_free(&out);
            buf_init(&out, 64u * MIB);
            if (put_structure(r, &out, k == ANY_LIST))
                got = arena_copy(r->arena, buf_view(&out));
        }
    }
    return r->bad ? str_of(NULL, 0) : got;
}

static void read_attrs(struct jread *r, struct attrs *attrs)
{
    if (!begin(r, J_ARRAY))
        return;
    while (element(r)) {
        struct str key, name = { NULL, 0 }, value = { NULL, 0 };

        while (member(r, &key)) {
            if (str_eq(key, STR("key")))
                name = text_value(r);
            else if (str_eq(key, STR("value")))
                value = any_text(r);
            else
                pass_over(r);
        }
        if (!r->bad)
            attrs_add(attrs, name, value);
    }
}

/* --- records --- */

struct decoding {
    otlp_take         *take;
    void              *arg;
    size_t             count;
    int                rc;
    struct err        *e;
    struct attrs       resource;
    struct otlp_record record;
};

static void read_record(struct jread *r, struct otlp_record *rec)
{
    struct str key;

    rec->body = rec->severity = str_of(NULL, 0);
    rec->time = rec->observed = 0;
    rec->attrs.count = rec->attrs.dropped = 0;
    while (member(r, &key)) {
        if (is(key, "timeUnixNano", "time_unix_nano"))
            rec->time = time_value(r);
        else if (is(key, "observedTimeUnixNano", "observed_time_unix_nano"))
            rec->observed = time_value(r);
        else if (is(key, "severityText", "severity_text"))
            rec->severity = text_value(r);
        else if (is(key, "body", "body"))
            rec->body = any_text(r);
        else if (is(key, "attributes", "attributes"))
            read_attrs(r, &rec->attrs);
        else
            pass_over(r);
    }
}

static void read_records(struct jread *r, struct decoding *d)
{
    if (!begin(r, J_ARRAY))
        return;
    while (d->rc == 0 && element(r)) {
        if (d->count == OTLP_RECORDS_MAX) {
            d->rc = err_set(d->e, -E2BIG, "a request may hold %d records", OTLP_RECORDS_MAX);
            return;
        }
        read_record(r, &d->record);
        if (r->bad)
            return;
        d->count++;
        d->rc = d->take(d->arg, &d->resource, &d->record, d->e);
    }
}

static void read_scopes(struct jread *r, struct decoding *d)
{
    struct str key;

    if (!begin(r, J_ARRAY))
        return;
    while (d->rc == 0 && element(r))
        while (d->rc == 0 && member(r, &key)) {
            if (is(key, "logRecords", "log_records"))
                read_records(r, d);
            else
                pass_over(r);
        }
}

/* find_resource - r is a copy that stands in a member of resourceLogs. False if it is damaged. */
static bool find_resource(struct jread *r, struct decoding *d)
{
    struct str key, inner;

    d->resource.count = d->resource.dropped = 0;
    while (member(r, &key)) {
        if (!str_eq(key, STR("resource")) || !begin(r, J_OBJECT)) {
            if (!str_eq(key, STR("resource")))
                pass_over(r);
            continue;
        }
        while (member(r, &inner)) {
            if (str_eq(inner, STR("attributes")))
                read_attrs(r, &d->resource);
            else
                pass_over(r);
        }
    }
    return !r->bad;
}

static void read_resource_logs(struct jread *r, struct decoding *d)
{
    struct jread first = *r;
    struct str key;

    if (!find_resource(&first, d)) {
        *r = first;
        return;
    }
    while (d->rc == 0 && member(r, &key)) {
        if (is(key, "scopeLogs", "scope_logs"))
            read_scopes(r, d);
        else
            pass_over(r);
    }
}

static void read_request(struct jread *r, struct decoding *d)
{
    struct str key;

    if (!begin(r, J_OBJECT))
        return;
    while (d->rc == 0 && member(r, &key)) {
        if (!is(key, "resourceLogs", "resource_logs")) {
            pass_over(r);
            continue;
        }
        if (!begin(r, J_ARRAY))
            continue;
        while (d->rc == 0 && element(r))
            read_resource_logs(r, d);
    }
}

int otlp_json_decode(struct str body, struct arena *a, otlp_take *take, void *arg, size_t *count, struct err *e)
{
    struct jread r = jread_of(body, a);
    AUTO_FREE struct decoding *d = calloc(1, sizeof *d);
    struct str text;

    if (!d)
        return err_set(e, -ENOMEM, "no memory to decode a request");
    d->take = take;
    d->arg = arg;
    d->e = e;
    read_request(&r, d);
    if (count)
        *count = d->count;
    if (d->rc < 0)
        return d->rc;
    if (arena_failed(a))
        return err_set(e, -E2BIG, "the texts of a request are too large");
    if (!r.bad && jread_next(&r, &text) != J_END)
        fail(&r, "nothing behind the request");
    return r.bad ? jread_err(&r, e, "OTLP logs request") : 0;
}

void otlp_json_status(struct buf *out, int code, struct str message)
{
    buf_printf(out, "{\"code\":%d,\"message\":", code);
    buf_json(out, message);
    buf_byte(out, '}');
}
