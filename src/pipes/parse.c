/* parse.c - pipes as a plan: one reader a pipe, in a table. */
#include "pipes/internal.h"

#include <math.h>

static const struct str none = { NULL, 0 };

enum fault {
#define FAULT(id, text) FAULT_##id,
#include "pipes/fault.def"
#undef FAULT
};
static const struct {
    const char *code, *text;
} faults[] = {
#define FAULT(id, text) { #id, text },
#include "pipes/fault.def"
#undef FAULT
};

struct reading {
    struct pipes       *p;
    struct str          text;
    size_t              at;
    time_ns             now;
    struct query_fault *fault;
    struct err         *e;
    bool                events;    /* rows are events still: any field may be asked for */
    struct pipes_column out[PIPES_COLUMNS_MAX];   /* else the columns of the rows here */
    size_t              outs;
};

static int refuse(struct reading *r, size_t at, enum fault f, struct str word, struct str instead)
{
    return query_refuse(r->text, at, faults[f].code, faults[f].text, word, instead, r->fault, r->e);
}

static int no_memory(struct reading *r) { return err_set(r->e, -ENOMEM, "no memory for the pipes of a search"); }

/* --- words --- */

static bool blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

static void skip_blanks(struct reading *r)
{
    while (r->at < r->text.n && blank(r->text.p[r->at]))
        r->at++;
}

static bool name_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '@' || c == '-' || (unsigned char)c >= 0x80;
}

/* peek - the next word, without taking it; of a sign that sign. Empty at the end. */
static struct str peek(struct reading *r)
{
    size_t n = 0;

    skip_blanks(r);
    while (r->at + n < r->text.n && name_byte(r->text.p[r->at + n]))
        n++;
    return str_of(r->text.p + r->at, n ? n : min_size(1, r->text.n - r->at));
}

/* took - take this word if it is the next one. */
static bool took(struct reading *r, struct str word)
{
    if (!str_eq(peek(r), word))
        return false;
    r->at += word.n;
    return true;
}

static bool ended(struct reading *r)
{
    struct str w = peek(r);

    return w.n == 0 || w.p[0] == '|';
}

/* --- columns --- */

static int add_column(struct reading *r, size_t at, struct str name, enum pipes_type type, int64_t span)
{
    for (size_t i = 0; i < r->outs; i++)
        if (str_eq(r->out[i].name, name))
            return refuse(r, at, FAULT_pipe_twice, name, none);
    if (r->outs == PIPES_COLUMNS_MAX)
        return refuse(r, at, FAULT_pipe_columns, none, none);
    r->out[r->outs++] = (struct pipes_column){ .name = name, .type = type, .span_ns = span };
    return 0;
}

/* wanted - the place of a field among those that are looked at. */
static int wanted(struct reading *r, size_t at, struct str name)
{
    struct pipes *p = r->p;

    for (size_t i = 0; i < p->wants; i++)
        if (str_eq(p->wanted[i], name))
            return (int)i;
    if (p->wants == PIPES_FIELDS_MAX)
        return refuse(r, at, FAULT_pipe_fields, none, none);
    p->wanted[p->wants] = name;
    return (int)p->wants++;
}

static int no_column(struct reading *r, size_t at, struct str name)
{
    AUTO_BUF struct buf b;

    buf_init(&b, 64 * KIB);
    for (size_t i = 0; i < r->outs; i++) {
        buf_str(&b, i ? STR(", ") : STR(""));
        buf_str(&b, r->out[i].name);
    }
    return refuse(r, at, FAULT_pipe_no_column, name, buf_view(&b));
}

/* column_of - where a name stands in the rows here, or a refusal. "time" is "@timestamp". */
static int column_of(struct reading *r, size_t at, struct str name)
{
    if (str_eq(name, STR("time")) && r->events)
        name = STR("@timestamp");
    if (r->events)
        return wanted(r, at, name);
    for (size_t i = 0; i < r->outs; i++)
        if (str_eq(r->out[i].name, name))
            return (int)i;
    return str_eq(name, STR("time")) ? column_of(r, at, STR("@timestamp")) : no_column(r, at, name);
}

static enum pipes_type type_of(const struct reading *r, int column, struct str name)
{
    if (!r->events)
        return r->out[column].type;
    return str_eq(name, STR("@timestamp")) || str_eq(name, STR("event.received")) ? PIPES_TIME : PIPES_NONE;
}

/* take_name - a name of a field, bare or quoted. */
static int take_name(struct reading *r, struct str *out, size_t *at)
{
    struct str w = peek(r);
    ptrdiff_t end;

    *at = r->at;
    if (w.n && w.p[0] == '"') {
        end = str_chr(str_cut(r->text, r->at + 1), '"');
        if (end <= 0)
            return refuse(r, r->at, FAULT_pipe_field, none, none);
        *out = str_of(r->text.p + r->at + 1, (size_t)end);
        r->at += (size_t)end + 2;
        return 0;
    }
    if (w.n == 0 || !name_byte(w.p[0]) || w.p[0] == '-')
        return refuse(r, r->at, FAULT_pipe_field, none, none);
    r->at += w.n;
    *out = w;
    return 0;
}

/* take_column - a name that is a column here; *at is its place in the text. */
static int take_column(struct reading *r, struct str *name, size_t *at)
{
    int rc = take_name(r, name, at);

    if (rc == 0 && r->events && str_eq(*name, STR("time")))
        *name = STR("@timestamp");
    return rc < 0 ? rc : column_of(r, *at, *name);
}

static int take_count(struct reading *r, size_t *out)
{
    struct str w = peek(r);
    uint64_t n;

    if (!str_u64(w, &n) || n < 1 || n > PIPES_ROWS_MAX)
        return refuse(r, r->at, FAULT_pipe_number, none, none);
    *out = (size_t)n;
    r->at += w.n;
    return 0;
}

/* take_span - "5m", "1h", "1d": how long a bucket is. */
static int take_span(struct reading *r, int64_t *out)
{
    static const struct {
        char    unit;
        int64_t ns;
    } units[] = { { 's', NS_PER_SECOND }, { 'm', NS_PER_MINUTE }, { 'h', NS_PER_HOUR }, { 'd', NS_PER_DAY }, { 'w', 7 * NS_PER_DAY } };
    struct str w = peek(r);
    uint64_t n;

    for (size_t i = 0; i < COUNT(units); i++)
        if (w.n > 1 && w.p[w.n - 1] == units[i].unit && str_u64(str_of(w.p, w.n - 1), &n) && n >= 1 && n <= 10000) {
            *out = (int64_t)n * units[i].ns;
            r->at += w.n;
            return 0;
        }
    return refuse(r, r->at, FAULT_pipe_span, w, STR("30s, 5m, 1h, 1d, 1w"));
}

static struct stage *stage_new(struct reading *r, enum stage_kind kind, const char *name, size_t at)
{
    struct stage *s = &r->p->stage[r->p->count++];

    *s = (struct stage){ .kind = kind, .name = name, .at = at };
    return s;
}

/* rows_of - from here on rows have the columns of s. */
static void rows_of(struct reading *r, struct stage *s)
{
    memcpy(s->out, r->out, sizeof s->out);
    s->outs = r->outs;
    r->events = false;
}

/* --- the pipes --- */

/* fields a, b - these columns, in this order. */
static int read_fields(struct reading *r, const char *name, size_t at)
{
    struct stage *s = stage_new(r, STAGE_FIELDS, name, at);
    struct pipes_column out[PIPES_COLUMNS_MAX];
    size_t outs = 0;

    do {
        struct str field;
        size_t place;
        int column = take_column(r, &field, &place);

        if (column < 0)
            return column;
        if (outs == PIPES_COLUMNS_MAX)
            return refuse(r, place, FAULT_pipe_columns, none, none);
        out[outs] = r->events ? (struct pipes_column){ .name = field, .type = type_of(r, column, field) } : r->out[column];
        s->column[outs++] = (uint16_t)column;
    } while (took(r, STR(",")));
    r->outs = 0;
    for (size_t i = 0; i < outs; i++) {
        int rc = add_column(r, at, out[i].name, out[i].type, out[i].span_ns);

        if (rc < 0)
            return rc;
    }
    s->columns = outs;
    rows_of(r, s);
    return 0;
}

/* take_keys - "a, -b": columns, with a minus the greatest first. */
static int take_keys(struct reading *r, struct stage *s, bool signs)
{
    do {
        struct str field, w = peek(r);
        size_t place;
        bool down = signs && w.n > 0 && w.p[0] == '-';
        int column;

        r->at += down;
        column = take_column(r, &field, &place);
        if (column < 0)
            return column;
        if (s->columns == PIPES_COLUMNS_MAX)
            return refuse(r, place, FAULT_pipe_columns, none, none);
        s->down[s->columns] = down;
        s->column[s->columns++] = (uint16_t)column;
    } while (took(r, STR(",")));
    return 0;
}

static int read_sort(struct reading *r, const char *name, size_t at) { return take_keys(r, stage_new(r, STAGE_SORT, name, at), true); }
static int read_dedup(struct reading *r, const char *name, size_t at) { return take_keys(r, stage_new(r, STAGE_DEDUP, name, at), false); }

static int read_head(struct reading *r, const char *name, size_t at)
{
    struct pipes *p = r->p;
    struct stage *s = stage_new(r, STAGE_HEAD, name, at);
    int rc = take_count(r, &s->most);

    /* A sort before it need keep no more. */
    if (rc == 0 && p->count > 1 && s[-1].kind == STAGE_SORT)
        s[-1].most = s->most;
    return rc;
}

static int read_tail(struct reading *r, const char *name, size_t at) { return take_count(r, &stage_new(r, STAGE_TAIL, name, at)->most); }

/* --- stats --- */

static const struct {
    struct str      name;
    enum agg_kind   kind;
    enum pipes_type type;
} functions[] = {
    { STR_INIT("count"), AGG_COUNT, PIPES_NUMBER }, { STR_INIT("sum"), AGG_SUM, PIPES_NUMBER }, { STR_INIT("min"), AGG_MIN, PIPES_NONE }, { STR_INIT("max"), AGG_MAX, PIPES_NONE },
    { STR_INIT("avg"), AGG_AVG, PIPES_NUMBER }, { STR_INIT("uniq"), AGG_UNIQ, PIPES_NUMBER }, { STR_INIT("quantile"), AGG_QUANTILE, PIPES_NUMBER },
};
#define FUNCTIONS "count, sum, min, max, avg, uniq, quantile"

/* agg_name - what a figure is called without "as": count, sum_FIELD, p95_FIELD. */
static struct str agg_name(struct reading *r, struct str function, const struct agg_plan *a, struct str field)
{
    char head[32];

    if (a->kind == AGG_COUNT && field.n == 0)
        return function;
    if (a->kind == AGG_QUANTILE)
        snprintf(head, sizeof head, "p%g_", a->q * 100);
    else
        snprintf(head, sizeof head, "%.*s_", STR_ARG(function));
    return ARENA_JOIN(&r->p->arena, str_c(head), field);
}

/* take_q - "0.95," of a quantile. */
static int take_q(struct reading *r, double *q)
{
    struct str w = peek(r);

    if (!query_number(w, q) || *q < 0 || *q > 1)
        return refuse(r, r->at, FAULT_pipe_quantile, none, STR("quantile(0.95, field)"));
    r->at += w.n;
    return took(r, STR(",")) ? 0 : refuse(r, r->at, FAULT_pipe_quantile, none, STR("quantile(0.95, field)"));
}

/* One figure as it was read: its name goes behind those of the groups, which are read later. */
struct figure {
    struct str      name;
    enum pipes_type type;
    size_t          at;
};

static int take_function(struct reading *r, struct stage *s, struct figure *out)
{
    struct str w = peek(r), field = none;
    struct agg_plan *a = &s->agg[s->aggs];
    size_t place, f = 0;

    out->at = r->at;
    while (f < COUNT(functions) && !str_eq(functions[f].name, w))
        f++;
    if (w.n == 0 || !name_byte(w.p[0]))
        return refuse(r, r->at, FAULT_pipe_no_function, none, STR("count(), sum(field)"));
    if (f == COUNT(functions))
        return refuse(r, r->at, FAULT_pipe_function, w, STR(FUNCTIONS));
    r->at += w.n;
    *a = (struct agg_plan){ .kind = functions[f].kind, .column = -1 };
    out->type = functions[f].type;
    if (!took(r, STR("(")))
        return refuse(r, r->at, FAULT_pipe_open, w, none);
    int rc = a->kind == AGG_QUANTILE ? take_q(r, &a->q) : 0;
    if (rc == 0 && !(a->kind == AGG_COUNT && str_eq(peek(r), STR(")")))) {
        rc = a->column = take_column(r, &field, &place);
        out->type = out->type == PIPES_NONE && rc >= 0 ? type_of(r, a->column, field) : out->type;
    }
    if (rc < 0)
        return rc;
    if (!took(r, STR(")")))
        return refuse(r, r->at, FAULT_pipe_close, none, none);
    out->name = agg_name(r, w, a, field);
    if (took(r, STR("as"))) {
        rc = take_name(r, &out->name, &place);
        if (rc < 0)
            return refuse(r, place, FAULT_pipe_name, none, none);
    }
    s->aggs++;
    return arena_failed(&r->p->arena) ? no_memory(r) : 0;
}

/* take_by - one key: a column, or bucket(5m) of the event's time, or bucket(5m, field). */
static int take_by(struct reading *r, struct stage *s)
{
    struct str field = STR("@timestamp");
    size_t place;
    int64_t span = 0;
    int column, rc = 0;

    skip_blanks(r);
    place = r->at;
    if (took(r, STR("bucket")) && took(r, STR("("))) {
        rc = take_span(r, &span);
        if (rc == 0 && took(r, STR(",")))
            rc = take_name(r, &field, &place);
        if (rc == 0 && !took(r, STR(")")))
            rc = refuse(r, r->at, FAULT_pipe_close, none, none);
        if (rc < 0)
            return rc;
        column = column_of(r, place, field);
    } else {
        r->at = place;
        column = take_column(r, &field, &place);
    }
    if (column < 0)
        return column;
    if (s->columns == PIPES_COLUMNS_MAX)
        return refuse(r, place, FAULT_pipe_columns, none, none);
    s->column[s->columns] = (uint16_t)column;
    s->span[s->columns++] = span;
    return 0;
}

/* key_columns - the names of a stage's keys, as columns of what comes out. */
static void key_columns(const struct reading *r, const struct stage *s, struct pipes_column *keys)
{
    for (size_t i = 0; i < s->columns; i++) {
        struct str name = r->events ? r->p->wanted[s->column[i]] : r->out[s->column[i]].name;

        keys[i] = (struct pipes_column){ .name = name, .type = s->span[i] ? PIPES_TIME : type_of(r, s->column[i], name), .span_ns = s->span[i] };
    }
}

/* finish_stats - the columns that come out: keys, then figures. */
static int finish_stats(struct reading *r, struct stage *s, const struct figure *figure)
{
    struct pipes_column keys[PIPES_COLUMNS_MAX];
    int rc = 0;

    key_columns(r, s, keys);
    r->outs = 0;
    for (size_t i = 0; i < s->columns && rc == 0; i++)
        rc = add_column(r, s->at, keys[i].name, keys[i].type, keys[i].span_ns);
    for (size_t i = 0; i < s->aggs && rc == 0; i++)
        rc = add_column(r, figure[i].at, figure[i].name, figure[i].type, 0);
    rows_of(r, s);
    return rc;
}

static int take_figures(struct reading *r, struct stage *s, struct figure *figure)
{
    int rc;

    do {
        if (s->aggs == AGGS_MAX)
            return refuse(r, r->at, FAULT_pipe_functions, none, none);
        rc = take_function(r, s, &figure[s->aggs]);
    } while (rc == 0 && took(r, STR(",")));
    return rc;
}

static int read_stats(struct reading *r, const char *name, size_t at)
{
    struct stage *s = stage_new(r, STAGE_STATS, name, at);
    struct figure figure[AGGS_MAX];
    int rc = take_figures(r, s, figure);

    if (rc == 0 && took(r, STR("by")))
        do
            rc = take_by(r, s);
        while (rc == 0 && took(r, STR(",")));
    return rc == 0 ? finish_stats(r, s, figure) : rc;
}

/* timechart 5m count() by f - stats by bucket, the empty buckets between the first and the last filled where nothing else parts them. */
static int read_timechart(struct reading *r, const char *name, size_t at)
{
    struct stage *s = stage_new(r, STAGE_STATS, name, at);
    struct figure figure[AGGS_MAX];
    int rc = take_span(r, &s->span[0]), column = rc < 0 ? rc : column_of(r, at, STR("@timestamp"));

    if (column < 0)
        return column;
    s->column[s->columns++] = (uint16_t)column;
    rc = take_figures(r, s, figure);
    if (rc == 0 && took(r, STR("by")))
        rc = take_by(r, s);
    if (rc == 0)
        rc = finish_stats(r, s, figure);
    if (rc == 0 && s->columns == 1) {
        struct stage *fill = stage_new(r, STAGE_FILL, name, at);

        fill->span[0] = s->span[0];
        memcpy(fill->agg, s->agg, sizeof fill->agg);
        fill->aggs = s->aggs;
    }
    return rc;
}

/* top N f [by g] - how often each value is there, the most frequent first; rare: the rarest. Of each g. */
static int read_top(struct reading *r, const char *name, size_t at)
{
    struct stage *s = stage_new(r, STAGE_STATS, name, at), *sort, *head;
    struct figure figure[1] = { { STR("count"), PIPES_NUMBER, at } };
    struct str field;
    size_t most = 0, place, per = 0;
    int rc = take_count(r, &most), column = rc < 0 ? rc : take_column(r, &field, &place);

    if (column < 0)
        return column;
    if (took(r, STR("by")))
        do {
            rc = take_by(r, s);
            per++;
        } while (rc == 0 && took(r, STR(",")));
    if (rc < 0)
        return rc;
    if (s->columns == PIPES_COLUMNS_MAX)
        return refuse(r, at, FAULT_pipe_columns, none, none);
    s->skip[s->columns] = true;
    s->column[s->columns++] = (uint16_t)column;
    s->agg[s->aggs++] = (struct agg_plan){ .kind = AGG_COUNT, .column = -1 };
    rc = finish_stats(r, s, figure);
    if (rc < 0)
        return rc;
    sort = stage_new(r, STAGE_SORT, name, at);
    for (size_t i = 0; i < per; i++)
        sort->column[sort->columns++] = (uint16_t)i;
    sort->down[sort->columns] = strcmp(name, "top") == 0;
    sort->column[sort->columns++] = (uint16_t)(per + 1);
    sort->column[sort->columns++] = (uint16_t)per;
    sort->most = per ? 0 : most;
    head = stage_new(r, STAGE_HEAD, name, at);
    head->most = most;
    head->per = per;
    return 0;
}

/* where FILTER - rows for which it holds, in the same language; a word is looked for in every column. */
static int read_where(struct reading *r, const char *name, size_t at)
{
    struct stage *s = stage_new(r, STAGE_WHERE, name, at);
    size_t end = 0;
    int rc = query_parse_with(r->text, &(struct query_options){ .now = r->now, .pipes = &end, .fault = r->fault, .start = r->at }, &s->filter, r->e);

    if (rc < 0)
        return rc;
    s->place = arena_array(&r->p->arena, query_steps(s->filter) + 1, sizeof *s->place);
    if (!s->place)
        return no_memory(r);
    for (size_t i = 0; i < query_steps(s->filter); i++) {
        struct query_step step = query_step(s->filter, i);
        int column = -1;

        /* As many as a filter may have, however many filters there are: one event must not hold a search for minutes. */
        if (step.kind == QUERY_REGEX && ++r->p->patterns > QUERY_REGEX_MAX)
            return refuse(r, at, FAULT_pipe_patterns, none, none);
        if (step.leaf && step.field.n)
            column = column_of(r, at, step.field);
        else if (step.leaf && r->events && step.kind != QUERY_ALL)
            column = wanted(r, at, STR("event.original")) < 0 ? -EINVAL : -1;
        if (column < -1)
            return column;
        s->place[i] = (int16_t)column;
    }
    r->at = end == SIZE_MAX ? r->text.n : end - 1;   /* the '|' is taken by whoever reads pipes */
    return 0;
}

/* --- the whole --- */

static const struct {
    const char *name;
    int (*read)(struct reading *r, const char *name, size_t at);
} readers[] = {
    { "fields", read_fields }, { "where", read_where }, { "sort", read_sort }, { "head", read_head }, { "tail", read_tail }, { "dedup", read_dedup },
    { "stats", read_stats }, { "top", read_top }, { "rare", read_top }, { "timechart", read_timechart },
};
#define NAMES "fields, where, sort, head, tail, dedup, stats, top, rare, timechart"

static int read_pipe(struct reading *r)
{
    struct str w = peek(r);
    size_t at = r->at;

    if (ended(r))
        return refuse(r, at, FAULT_pipe_expected, none, STR(NAMES));
    for (size_t i = 0; i < COUNT(readers); i++)
        if (str_eq(w, str_c(readers[i].name))) {
            r->at += w.n;
            int rc = readers[i].read(r, readers[i].name, at);

            return rc == 0 && !ended(r) ? refuse(r, r->at, FAULT_pipe_end, peek(r), none) : rc;
        }
    return refuse(r, at, FAULT_pipe_unknown, w, STR(NAMES));
}

/* show_events - events that no pipe has made rows of: when, where, what was asked for, the line. */
static int show_events(struct reading *r)
{
    struct stage *s;
    struct str first[] = { STR("@timestamp"), STR("host.name") }, last = STR("event.original");
    size_t asked = r->p->wants;

    s = stage_new(r, STAGE_FIELDS, "fields", r->text.n);
    r->outs = 0;
    for (size_t i = 0; i < COUNT(first) + asked + 1; i++) {
        struct str name = i < COUNT(first) ? first[i] : i < COUNT(first) + asked ? r->p->wanted[i - COUNT(first)] : last;
        bool had = i >= COUNT(first) && i < COUNT(first) + asked && (str_eq(name, first[0]) || str_eq(name, first[1]) || str_eq(name, last));
        int column;

        if (had)
            continue;
        column = wanted(r, r->text.n, name);
        if (column < 0)
            return column;
        int rc = add_column(r, r->text.n, name, type_of(r, column, name), 0);
        if (rc < 0)
            return rc;
        s->column[s->columns++] = (uint16_t)column;
    }
    rows_of(r, s);
    return 0;
}

int pipes_parse(struct str text, size_t at, time_ns now, struct pipes **out, struct query_fault *fault, struct err *e)
{
    struct pipes *p = calloc(1, sizeof *p);
    struct reading r = { .p = p, .at = min_size(at, text.n), .now = now, .fault = fault, .e = e, .events = true };
    int rc = 0;

    *out = NULL;
    if (!p)
        return err_set(e, -ENOMEM, "no memory for the pipes of a search");
    arena_init(&p->arena, MIB);
    p->text = r.text = arena_copy(&p->arena, text);
    if (arena_failed(&p->arena))
        rc = no_memory(&r);
    for (size_t n = 0; rc == 0; n++) {
        if (n == PIPES_MAX)
            rc = refuse(&r, r.at, FAULT_pipe_too_many, none, none);
        else
            rc = read_pipe(&r);
        if (rc < 0 || !took(&r, STR("|")))
            break;
    }
    if (rc == 0 && r.events)
        rc = show_events(&r);
    if (rc < 0)
        pipes_free(&p);
    *out = p;
    return rc;
}

void pipes_free(struct pipes **pp)
{
    struct pipes *p = *pp;

    if (!p)
        return;
    for (size_t i = 0; i < p->count; i++)
        query_free(&p->stage[i].filter);
    arena_free(&p->arena);
    free(p);
    *pp = NULL;
}

const struct str *pipes_fields(const struct pipes *p, size_t *count)
{
    *count = p->wants;
    return p->wanted;
}

bool pipes_mergeable(const struct pipes *p)
{
    for (size_t i = 0; i < p->count; i++)
        switch (p->stage[i].kind) {
        case STAGE_FIELDS:
        case STAGE_WHERE: break;
        case STAGE_STATS:
        case STAGE_SORT: return true;
        default: return false;
        }
    return false;
}

bool pipes_charts(const struct pipes *p)
{
    for (size_t i = 0; i < p->count; i++)
        if (p->stage[i].kind == STAGE_STATS && strcmp(p->stage[i].name, "timechart") == 0)
            return true;
    return false;
}

int pipes_too_much(struct pipes_run *r, const struct stage *s, enum pipes_limit what)
{
    static const enum fault which[] = { [LIMIT_MEMORY] = FAULT_pipe_memory, [LIMIT_GROUPS] = FAULT_pipe_groups, [LIMIT_SPANS] = FAULT_pipe_spans };
    enum fault f = which[what];

    (void)query_refuse(r->p->text, s->at, faults[f].code, faults[f].text, str_c(s->name), none, &r->fault, r->e);
    return -E2BIG;
}

void pipes_print(const struct pipes *p, struct buf *out)
{
    for (size_t i = 0; i < p->count; i++) {
        const struct stage *s = &p->stage[i];

        buf_printf(out, "  %-10s", s->name);
        switch (s->kind) {
        case STAGE_FIELDS: buf_printf(out, "streams: %zu columns\n", s->columns); break;
        case STAGE_WHERE:
            buf_str(out, STR("streams: "));
            query_print(s->filter, out);
            buf_byte(out, '\n');
            break;
        case STAGE_DEDUP: buf_str(out, STR("streams, keeps the keys of what it has seen\n")); break;
        case STAGE_HEAD: buf_printf(out, s->per ? "streams: %zu rows of each\n" : "streams: ends after %zu rows\n", s->most); break;
        case STAGE_TAIL: buf_printf(out, "keeps the last %zu rows\n", s->most); break;
        case STAGE_SORT:
            if (s->most)
                buf_printf(out, "keeps the first %zu rows\n", s->most);
            else
                buf_str(out, STR("keeps all rows\n"));
            break;
        case STAGE_STATS: buf_printf(out, "keeps groups: %zu keys, %zu figures each\n", s->columns, s->aggs); break;
        case STAGE_FILL: buf_str(out, STR("streams: empty spans are filled\n")); break;
        }
    }
}
