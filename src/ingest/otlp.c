/* otlp.c - a bounded reader of the protobuf wire format, for the one message we take.
 *
 * By hand instead of protobuf-c: a generated unpacker allocates one structure a record and a pointer a field before anyone can
 * say "too many", so 16 MiB of empty records become gigabytes. Here a record is a view and costs nothing until it is wanted.
 *
 *      ExportLogsServiceRequest  1 resource_logs*
 *      ResourceLogs              1 resource, 2 scope_logs*
 *      Resource                  1 attributes*
 *      ScopeLogs                 2 log_records*
 *      LogRecord                 1 time (fixed64), 3 severity_text, 5 body, 6 attributes*, 11 observed_time (fixed64)
 *      KeyValue                  1 key, 2 value
 *      AnyValue                  1 string, 2 bool, 3 int, 4 double (fixed64), 5 array, 6 kvlist, 7 bytes
 *      ArrayValue, KeyValueList  1 values* */
#include "ingest/otlp.h"

enum wire { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

struct field {
    uint64_t   number;
    enum wire  wire;
    uint64_t   value;
    struct str bytes;
};

/* next - the next field, or false at the end and after a failure. */
static bool next(struct reader *r, struct field *f)
{
    uint64_t key, n;

    if (!rd_ok(r) || rd_left(r) == 0)
        return false;
    key = rd_varint(r);
    *f = (struct field){ .number = key >> 3, .wire = (enum wire)(key & 7) };
    if (rd_ok(r) && f->number == 0)
        rd_fail(r, "a field number");
    switch (key & 7) {
    case WIRE_VARINT:
        f->value = rd_varint(r);
        break;
    case WIRE_FIXED64:
        f->value = rd_le64(r);
        break;
    case WIRE_FIXED32:
        f->value = rd_le32(r);
        break;
    case WIRE_BYTES:
        n = rd_varint(r);
        if (rd_ok(r) && n > rd_left(r))
            rd_fail(r, "as many bytes as the length says");
        f->bytes = rd_take(r, rd_ok(r) ? (size_t)n : 0, "bytes");
        break;
    default:
        rd_fail(r, "a known wire type");
    }
    return rd_ok(r);
}

static bool is(const struct field *f, uint64_t number, enum wire wire) { return f->number == number && f->wire == wire; }

/* inside - a reader of a field's bytes. */
static struct reader inside(const struct field *f) { return rd_str(f->bytes); }

/* close - what a reader of an inner message met counts for the outer one. */
static void close_inner(struct reader *outer, const struct reader *inner)
{
    if (!rd_ok(inner))
        rd_fail(outer, inner->expected);
}

struct any {
    uint64_t   number;    /* of AnyValue; 0: nothing */
    uint64_t   value;
    struct str bytes;
};

static struct any any_read(struct reader *outer, struct str bytes)
{
    struct reader r = rd_str(bytes);
    struct any v = { 0 };
    struct field f;

    while (next(&r, &f)) {
        bool known = f.number >= 1 && f.number <= 7;
        enum wire want = f.number == 2 || f.number == 3 ? WIRE_VARINT : f.number == 4 ? WIRE_FIXED64 : WIRE_BYTES;

        if (known && f.wire == want)
            v = (struct any){ f.number, f.value, f.bytes };
    }
    close_inner(outer, &r);
    return v;
}

static void put_scalar(struct buf *out, const struct any *v)
{
    double d;

    memcpy(&d, &v->value, sizeof d);
    switch (v->number) {
    case 1:
    case 7:
        buf_json(out, v->bytes);
        break;
    case 2:
        buf_str(out, v->value ? STR("true") : STR("false"));
        break;
    case 3:
        buf_printf(out, "%lld", (long long)v->value);
        break;
    case 4:
        if (d - d == 0)
            buf_printf(out, "%.17g", d);
        else
            buf_str(out, STR("null"));
        break;
    default:
        buf_str(out, STR("null"));
    }
}

struct level {
    struct reader r;
    bool          list, begun;
};

/* put_structure - an array or key-value list as JSON, with a stack of our own. */
static void put_structure(struct reader *outer, struct buf *out, const struct any *root)
{
    struct level stack[OTLP_DEPTH_MAX] = { { rd_str(root->bytes), root->number == 5, false } };
    size_t depth = 1;
    struct field f, kv;

    buf_byte(out, root->number == 5 ? '[' : '{');
    while (depth) {
        struct level *top = &stack[depth - 1];
        struct str key = { NULL, 0 }, value = { NULL, 0 };
        struct any v;

        if (!next(&top->r, &f)) {
            close_inner(outer, &top->r);
            buf_byte(out, top->list ? ']' : '}');
            depth--;
            continue;
        }
        if (!is(&f, 1, WIRE_BYTES))
            continue;
        value = f.bytes;
        if (!top->list) {
            struct reader r = inside(&f);

            value = str_of(NULL, 0);
            while (next(&r, &kv)) {
                if (is(&kv, 1, WIRE_BYTES))
                    key = kv.bytes;
                if (is(&kv, 2, WIRE_BYTES))
                    value = kv.bytes;
            }
            close_inner(outer, &r);
        }
        if (top->begun)
            buf_byte(out, ',');
        top->begun = true;
        if (!top->list) {
            buf_json(out, key);
            buf_byte(out, ':');
        }
        v = any_read(outer, value);
        if ((v.number == 5 || v.number == 6) && depth < OTLP_DEPTH_MAX) {
            buf_byte(out, v.number == 5 ? '[' : '{');
            stack[depth++] = (struct level){ rd_str(v.bytes), v.number == 5, false };
        } else {
            put_scalar(out, &v);
        }
    }
}

/* any_text - a value as text: strings and bytes as they are. */
static struct str any_text(struct reader *outer, struct str bytes, struct arena *a)
{
    struct any v = any_read(outer, bytes);
    AUTO_BUF struct buf out = { 0 };

    if (v.number == 1 || v.number == 7)
        return v.bytes;
    if (v.number == 0)
        return str_of(NULL, 0);
    buf_init(&out, 2 * bytes.n * 6 + 4096);
    if (v.number == 5 || v.number == 6)
        put_structure(outer, &out, &v);
    else
        put_scalar(&out, &v);
    return arena_copy(a, buf_view(&out));
}

static void take_attr(struct reader *outer, const struct field *f, struct arena *a, struct attrs *attrs)
{
    struct reader r = inside(f);
    struct str key = { NULL, 0 }, value = { NULL, 0 };
    struct field kv;

    while (next(&r, &kv)) {
        if (is(&kv, 1, WIRE_BYTES))
            key = kv.bytes;
        if (is(&kv, 2, WIRE_BYTES))
            value = kv.bytes;
    }
    close_inner(outer, &r);
    if (attrs->count == ATTRS_MAX)
        attrs->dropped++;
    else
        attrs_add(attrs, key, any_text(outer, value, a));
}

static void read_record(struct reader *outer, struct str bytes, struct arena *a, struct otlp_record *rec)
{
    struct reader r = rd_str(bytes);
    struct field f;

    rec->body = rec->severity = str_of(NULL, 0);
    rec->time = rec->observed = 0;
    rec->attrs.count = rec->attrs.dropped = 0;
    while (next(&r, &f)) {
        if (is(&f, 1, WIRE_FIXED64))
            rec->time = (time_ns)min_size(f.value, INT64_MAX);
        else if (is(&f, 3, WIRE_BYTES))
            rec->severity = f.bytes;
        else if (is(&f, 5, WIRE_BYTES))
            rec->body = any_text(&r, f.bytes, a);
        else if (is(&f, 6, WIRE_BYTES))
            take_attr(&r, &f, a, &rec->attrs);
        else if (is(&f, 11, WIRE_FIXED64))
            rec->observed = (time_ns)min_size(f.value, INT64_MAX);
    }
    close_inner(outer, &r);
}

struct decoding {
    struct arena      *arena;
    otlp_take         *take;
    void              *arg;
    size_t             count;
    int                rc;
    struct err        *e;
    struct attrs  resource;
    struct otlp_record record;
};

static void read_scope(struct reader *outer, const struct field *scope, struct decoding *d)
{
    struct reader r = inside(scope);
    struct field f;

    while (d->rc == 0 && next(&r, &f)) {
        if (!is(&f, 2, WIRE_BYTES))
            continue;
        if (d->count == OTLP_RECORDS_MAX) {
            d->rc = err_set(d->e, -E2BIG, "a request may hold %d records", OTLP_RECORDS_MAX);
            return;
        }
        read_record(&r, f.bytes, d->arena, &d->record);
        if (!rd_ok(&r))
            break;
        d->count++;
        d->rc = d->take(d->arg, &d->resource, &d->record, d->e);
    }
    close_inner(outer, &r);
}

/* read_resource_logs - the resource may stand behind its records, so it is looked for first. */
static void read_resource_logs(struct reader *outer, const struct field *logs, struct decoding *d)
{
    struct reader first = inside(logs), r = first;
    struct field f, attr;

    d->resource.count = d->resource.dropped = 0;
    while (next(&first, &f)) {
        struct reader in = inside(&f);

        if (!is(&f, 1, WIRE_BYTES))
            continue;
        while (next(&in, &attr))
            if (is(&attr, 1, WIRE_BYTES))
                take_attr(&in, &attr, d->arena, &d->resource);
        close_inner(&first, &in);
    }
    close_inner(outer, &first);
    while (rd_ok(outer) && d->rc == 0 && next(&r, &f))
        if (is(&f, 2, WIRE_BYTES))
            read_scope(&r, &f, d);
    close_inner(outer, &r);
}

int otlp_decode(struct str body, struct arena *a, otlp_take *take, void *arg, size_t *count, struct err *e)
{
    struct reader r = rd_str(body);
    AUTO_FREE struct decoding *d = calloc(1, sizeof *d);
    struct field f;

    if (!d)
        return err_set(e, -ENOMEM, "no memory to decode a request");
    d->arena = a;
    d->take = take;
    d->arg = arg;
    d->e = e;
    while (d->rc == 0 && next(&r, &f))
        if (is(&f, 1, WIRE_BYTES))
            read_resource_logs(&r, &f, d);
    if (count)
        *count = d->count;
    if (d->rc < 0)
        return d->rc;
    if (arena_failed(a))
        return err_set(e, -E2BIG, "the texts of a request are too large");
    return rd_ok(&r) ? 0 : rd_err(&r, e, "OTLP logs request");
}

void otlp_status(struct buf *out, int code, struct str message)
{
    buf_byte(out, 1 << 3);
    buf_varint(out, (uint64_t)code);
    buf_byte(out, 2 << 3 | WIRE_BYTES);
    buf_varstr(out, message);
}
