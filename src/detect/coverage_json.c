/* coverage_json.c - the table of what arrives as the file that others read: DATA/detect/coverage.json, form in coverage.h.
 *
 * The rows are sorted by object and class; those of one object and class are a member of "objects", each row one of "sources". */
#include "detect/coverage_internal.h"

#include "parse/annex4.h"

static void put_time(struct buf *b, const char *name, time_ns t)
{
    char text[TIME_TEXT_MAX];

    if (t > 0)
        buf_printf(b, "\"%s\":\"%s\"", name, time_format_utc(t, text));
    else
        buf_printf(b, "\"%s\":null", name);
}

static void put_times(struct buf *b, const struct cell *x)
{
    put_time(b, "first", x->first_s * NS_PER_SECOND);
    buf_byte(b, ',');
    put_time(b, "last", x->last_s * NS_PER_SECOND);
}

static const char *field_name(enum event_class class, int bit)
{
    const struct annex4_chapter *chapter = annex4_chapter(class);

    if (bit == 0)
        return "event_datetime";
    for (int i = 0; chapter && i < bit && chapter->fields[i].need != ANNEX4_END; i++)
        if (i == bit - 1)
            return chapter->fields[i].name;
    return NULL;
}

static void put_fields(struct buf *b, const char *name, enum event_class class, unsigned mask)
{
    bool more = false;

    buf_printf(b, "\"%s\":[", name);
    for (int bit = 0; bit < ANNEX4_FIELDS_MAX; bit++) {
        const char *field = mask >> bit & 1 ? field_name(class, bit) : NULL;

        if (field) {
            buf_printf(b, "%s\"%s\"", more ? "," : "", field);
            more = true;
        }
    }
    buf_byte(b, ']');
}

static void put_classes(struct buf *b)
{
    buf_str(b, STR("\"classes\":{"));
    for (int k = CLASS_NONE + 1; k < CLASS_COUNT; k++) {
        bool more = false;

        buf_printf(b, "%s\n\"%s\":{\"types\":[", k > CLASS_NONE + 1 ? "," : "", event_class_name((enum event_class)k));
        for (int t = 0; t < EVENT_TYPES; t++)
            if (coverage_wants((enum event_class)k, t)) {
                buf_printf(b, "%s\"%s\"", more ? "," : "", event_types[t].p);
                more = true;
            }
        buf_str(b, STR("],"));
        put_fields(b, "fields", (enum event_class)k, UINT32_MAX);
        buf_byte(b, '}');
    }
    buf_byte(b, '}');
}

/* --- sources --- */

static void put_counts(struct buf *b, const struct coverage *c, const struct cell *x, int64_t now_s)
{
    buf_printf(b, "\"state\":\"%s\",\"events\":%llu,", cell_late(c, x, now_s) ? "late" : "arriving", (unsigned long long)x->events);
    put_times(b, x);
    buf_printf(b, ",\"rate_h\":%.3g,\"silence_s\":%u,\"late_after_s\":%lld,\"last_seq\":%llu,\"checked\":%u", cell_rate(x, now_s), cell_gap(x),
               (long long)cell_late_after(x), (unsigned long long)x->last_seq, x->checked);
}

static void put_source(struct buf *b, const struct coverage *c, const struct row *r, int64_t now_s)
{
    bool more = false;

    buf_str(b, STR("{\"source\":"));
    buf_json(b, row_source(r));
    buf_str(b, STR(",\"object\":"));
    buf_json(b, row_object(r));
    buf_printf(b, ",\"class\":\"%s\",", event_class_name((enum event_class)r->class));
    put_counts(b, c, &r->cells[0], now_s);
    buf_byte(b, ',');
    put_fields(b, "seen", (enum event_class)r->class, r->cells[0].seen);
    buf_byte(b, ',');
    put_fields(b, "lacks", (enum event_class)r->class, r->cells[0].lacks);
    buf_str(b, STR(",\"types\":["));
    for (int t = 0; t < EVENT_TYPES; t++) {
        const struct cell *x = &r->cells[r->at[t]];

        if (!r->at[t])
            continue;
        buf_printf(b, "%s{\"type\":\"%s\",", more ? "," : "", event_types[t].p);
        put_counts(b, c, x, now_s);
        buf_byte(b, ',');
        put_fields(b, "seen", (enum event_class)r->class, x->seen);
        buf_byte(b, ',');
        put_fields(b, "lacks", (enum event_class)r->class, x->lacks);
        buf_byte(b, '}');
        more = true;
    }
    buf_str(b, STR("]}"));
}

/* --- objects --- */

/* A type, or all, over the sources of an object and class. */
struct sum {
    struct cell       all;
    const struct row *last;
    uint32_t          sources, late;
    int64_t           late_after;
    double            rate;
};

static void add(struct sum *s, const struct coverage *c, const struct row *r, const struct cell *x, int64_t now_s)
{
    s->sources++;
    s->late += cell_late(c, x, now_s);
    s->rate += cell_rate(x, now_s);
    s->all.events += x->events;
    s->all.seen |= x->seen;
    s->all.lacks |= x->lacks;
    if (!s->last || x->first_s < s->all.first_s)
        s->all.first_s = x->first_s;
    if (!s->last || x->last_s > s->all.last_s) {   /* whoever was heard last speaks for them */
        s->all.last_s = x->last_s;
        s->all.last_seq = x->last_seq;
        s->all.gap_s[0] = cell_gap(x);
        s->late_after = cell_late_after(x);
        s->last = r;
    }
}

static void put_type(struct buf *b, const struct sum *s, int type, enum event_class class)
{
    buf_printf(b, "{\"type\":\"%s\",\"state\":\"%s\",\"events\":%llu,", event_types[type].p, s->late == s->sources ? "late" : "arriving",
               (unsigned long long)s->all.events);
    put_times(b, &s->all);
    buf_printf(b, ",\"rate_h\":%.3g,\"silence_s\":%u,\"late_after_s\":%lld,\"sources\":%u,\"late\":%u,\"last_source\":", s->rate, s->all.gap_s[0],
               (long long)s->late_after, s->sources, s->late);
    buf_json(b, row_source(s->last));
    buf_printf(b, ",\"last_seq\":%llu,", (unsigned long long)s->all.last_seq);
    put_fields(b, "seen", class, s->all.seen);
    buf_byte(b, ',');
    put_fields(b, "lacks", class, s->all.lacks);
    buf_byte(b, '}');
}

/* put_object - rows[0..n) are of one object and class. */
static void put_object(struct buf *b, const struct coverage *c, const struct row *const *rows, size_t n, int64_t now_s)
{
    struct sum whole = { 0 }, types[EVENT_TYPES] = { { { 0 }, NULL, 0, 0, 0, 0 } };
    const enum event_class class = (enum event_class)rows[0]->class;
    bool more = false;

    for (size_t i = 0; i < n; i++) {
        add(&whole, c, rows[i], &rows[i]->cells[0], now_s);
        for (uint8_t k = 1; k < rows[i]->count; k++)
            add(&types[rows[i]->cells[k].type], c, rows[i], &rows[i]->cells[k], now_s);
    }
    buf_str(b, STR("{\"object\":"));
    buf_json(b, row_object(rows[0]));
    buf_printf(b, ",\"class\":\"%s\",\"sources\":%u,\"silent\":%u,\"events\":%llu,", event_class_name(class), whole.sources, whole.late,
               (unsigned long long)whole.all.events);
    put_times(b, &whole.all);
    buf_str(b, STR(",\"types\":["));
    for (int t = 0; t < EVENT_TYPES; t++)
        if (types[t].sources) {
            buf_str(b, more ? STR(",") : STR(""));
            put_type(b, &types[t], t, class);
            more = true;
        }
    buf_str(b, STR("],\"never\":["));
    more = false;
    for (int t = 0; t < EVENT_TYPES; t++)
        if (!types[t].sources && coverage_wants(class, t)) {
            buf_printf(b, "%s\"%s\"", more ? "," : "", event_types[t].p);
            more = true;
        }
    buf_str(b, STR("]}"));
}

static int by_place(const void *a, const void *b)
{
    const struct row *x = *(const struct row *const *)a, *y = *(const struct row *const *)b;
    int object = str_cmp(row_object(x), row_object(y));

    return object ? object : x->class != y->class ? x->class - y->class : str_cmp(row_source(x), row_source(y));
}

void coverage_json(const struct coverage *c, time_ns at, time_ns now, uint64_t seq, struct buf *out)
{
    AUTO_FREE const struct row **rows = calloc(c->rows.count + 1, sizeof *rows);
    int64_t now_s = now / NS_PER_SECOND;
    size_t n = 0;

    if (!rows) {
        out->failed = true;
        return;
    }
    for (const struct row *r = row_at(c->rows.oldest); r; r = row_at(r->aged.newer))
        rows[n++] = r;
    qsort(rows, n, sizeof *rows, by_place);
    buf_byte(out, '{');
    put_time(out, "at", at);
    buf_byte(out, ',');
    put_time(out, "since", c->since);
    buf_printf(out, ",\"seq\":%llu,", (unsigned long long)seq);
    put_time(out, "clock", c->clock);
    buf_byte(out, ',');
    put_time(out, "resumed", c->resumed);
    buf_printf(out, ",\"dropped\":%llu,\n", (unsigned long long)c->dropped);
    put_classes(out);
    buf_str(out, STR(",\n\"objects\":["));
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && rows[end]->class == rows[i]->class && str_eq(row_object(rows[end]), row_object(rows[i])); end++)
            ;
        buf_str(out, i ? STR(",\n") : STR("\n"));
        put_object(out, c, rows + i, end - i, now_s);
    }
    buf_str(out, STR("],\n\"sources\":["));
    for (size_t i = 0; i < n; i++) {
        buf_str(out, i ? STR(",\n") : STR("\n"));
        put_source(out, c, rows[i], now_s);
    }
    buf_str(out, STR("]}\n"));
}
