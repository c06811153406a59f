/* coverage_due.c - silence as a finding: sources, and types of event of sources, that have not come for far longer than they ever stay away.
 *
 * The clock is that of the events themselves (and of ticks, while none come), so a replay tells the same. When nothing at all came for an hour, it was not the sources: their
 * silence counts from the first event behind such a hole. Those that fall silent together are told together, object by object. */
#include "detect/coverage_internal.h"

#include <math.h>

#include "detect/internal.h"
#include "detect/policy.h"

#define SCAN_S         60         /* looked for at most so often */
#define OWN_LOG        "saqshyd"  /* our own log is nobody's source */
#define SOURCE_EVENTS  10         /* a source that sent less, or was known for less than KNOWN_S, was a passer-by */
#define KNOWN_S        3600
#define TYPE_EVENTS    100        /* a type is missed when it came so often … */
#define TYPE_LIFE_S    (2 * 86400)
#define TYPE_GAP_S     86400      /* … for two days, and never stayed away for a day */
#define NAMES_TOLD     20

struct gone { struct row *row; struct cell *cell; };

static bool ignored(const struct detect_policy *p, const struct row *r)
{
    for (size_t i = 0; i < p->silence_ignored; i++)
        if (str_eq(p->silence_ignore[i], row_source(r)))
            return true;
    return str_eq(row_source(r), STR(OWN_LOG));
}

/* missed - would anybody expect it? */
static bool missed(const struct cell *x)
{
    int64_t life = (int64_t)x->last_s - x->first_s;

    return x->type == ROW_ITSELF ? x->events >= SOURCE_EVENTS && life >= KNOWN_S : x->events >= TYPE_EVENTS && life >= TYPE_LIFE_S && cell_gap(x) < TYPE_GAP_S;
}

/* look - the cells of a row that fell silent, which are told now. A source that is silent has silent types: they are not told by themselves.
 * *soonest: when the next may be. */
static bool look(const struct coverage *c, struct row *r, int64_t now_s, struct gone *out, size_t *count, int64_t *soonest)
{
    for (uint8_t i = 0; i < r->count; i++) {
        struct cell *x = &r->cells[i];
        int64_t left = cell_late_after(x) - cell_silence(c, x, now_s);

        if (i == 0 && x->told)
            return true;
        if (left >= 0 && now_s + left + 1 < *soonest)
            *soonest = now_s + left + 1;
        if (x->told || left >= 0 || !missed(x))
            continue;
        if (*count == COVERAGE_ROWS_MAX)   /* the others are told with the next look */
            return false;
        x->told = true;
        out[(*count)++] = (struct gone){ r, x };
        if (i == 0)
            return true;
    }
    return true;
}

static int by_object(const void *a, const void *b)
{
    const struct gone *x = a, *y = b;
    int object = str_cmp(row_object(x->row), row_object(y->row));

    return object                        ? object
           : x->cell->type != y->cell->type ? x->cell->type - y->cell->type
           : x->row->class != y->row->class ? x->row->class - y->row->class
                                            : str_cmp(row_source(x->row), row_source(y->row));
}

static int add_number(struct event *f, struct event_batch *b, struct str name, uint64_t v)
{
    return event_add(f, &b->arena, name, arena_printf(&b->arena, "%llu", (unsigned long long)v));
}

/* now_of - seconds: the clock, or a later moment at which nothing came. */
static int64_t now_of(const struct coverage *c, time_ns at) { return (at > c->clock ? at : c->clock) / NS_PER_SECOND; }

/* describe - what is told of all of them: names, since when, how long they usually stay away. */
static int describe(const struct coverage *c, int64_t now_s, const struct gone *g, size_t n, struct event *f, struct event_batch *b)
{
    const struct cell *x = g[0].cell;
    struct arena *a = &b->arena;
    char last[TIME_TEXT_MAX];
    struct str name = arena_copy(a, row_source(g[0].row)), others = n > 1 ? arena_printf(a, " and %zu more", n - 1) : STR("");
    const char *type = x->type == ROW_ITSELF ? "" : event_types[x->type].p;
    int rc;

    time_format_utc(x->last_s * NS_PER_SECOND, last);
    f->object = arena_copy(a, row_object(g[0].row));
    f->source = n == 1 ? name : (struct str){ NULL, 0 };
    f->class = (enum event_class)g[0].row->class;
    f->original = arena_printf(a, "no %s%sevents from %.*s%.*s since %s: the longest silence so far was %u s", type, *type ? " " : "", STR_ARG(name), STR_ARG(others), last,
                               cell_gap(x));
    rc = event_add(f, a, STR("saqshy.event_time"), arena_copy(a, str_c(last)));
    if (rc == 0 && *type)
        rc = event_add(f, a, STR("saqshy.silence.type"), str_c(type));
    for (size_t i = 0; rc == 0 && i < n && i < NAMES_TOLD; i++)
        rc = event_add(f, a, STR("saqshy.silence.sources"), arena_copy(a, row_source(g[i].row)));
    if (rc == 0)
        rc = add_number(f, b, STR("saqshy.silence.count"), n);
    if (rc == 0)
        rc = add_number(f, b, STR("saqshy.silence.seconds"), (uint64_t)cell_silence(c, x, now_s));
    if (rc == 0)
        rc = add_number(f, b, STR("saqshy.silence.usual_seconds"), cell_gap(x));
    return rc;
}

/* tell - n of one object that fell silent together, as one finding; 0: at this level nobody is told. */
static int tell(const struct coverage *c, const struct detect_policy *p, const struct gone *g, size_t n, const struct event *ev, struct event_batch *out, struct err *e)
{
    bool type = g[0].cell->type != ROW_ITSELF;
    const struct silence_policy *s = &p->silence[type];
    struct sigma_rule rule = {
        .id = type ? STR("saqshy-silence-type") : STR("saqshy-silence-source"), .title = s->en, .title_kk = s->kk, .title_ru = s->ru, .level = s->level,
        .author = STR("Saqshy"), .measures_kk = s->measures[0], .measures_ru = s->measures[1], .measures_en = s->measures[2],
    };
    struct event whose = { .seq = ev->seq, .time = ev->received, .received = ev->received, .offset_min = EVENT_OFFSET_NONE };
    struct sigma_match m = { .rule = &rule, .count = n, .first_seq = g[0].cell->last_seq, .last_seq = ev->seq, .value = NAN, .window_end = true };
    int rc;

    whose.object = row_object(g[0].row);
    rule.level = detect_policy_level(p, &rule, whose.object);
    if (rule.level < p->raise_from)
        return 0;
    m.group = arena_printf(&out->arena, "%s%s%.*s", type ? event_types[g[0].cell->type].p : "", type && n == 1 ? "|" : "", STR_ARG(n == 1 ? row_source(g[0].row) : STR("")));
    rc = detect_finding(&m, &whose, out, e);
    if (rc == 0)
        rc = describe(c, now_of(c, ev->received), g, n, &out->items[out->count - 1], out);
    return rc < 0 || arena_failed(&out->arena) ? err_set(e, -ENOMEM, "no memory for a finding") : 1;
}

void coverage_listen(struct coverage *c, time_ns since)
{
    if (c->clock && since > c->resumed && (since - c->clock) / NS_PER_SECOND >= HOLE_S)
        c->resumed = since;
}

bool coverage_is_due(const struct coverage *c, const struct detect_policy *p, time_ns at)
{
    int64_t now_s = now_of(c, at);

    return p && p->silence[0].told && c->clock && now_s >= c->due_s && now_s >= (int64_t)c->scanned_s + SCAN_S;
}

int coverage_due(struct coverage *c, const struct detect_policy *p, const struct event *ev, struct event_batch *out, struct err *e)
{
    AUTO_FREE struct gone *gone = NULL;
    int64_t now_s = now_of(c, ev->received), soonest = now_s + SILENT_LEAST_S;   /* what comes after this look is silent no sooner */
    size_t n = 0;
    int told = 0, rc = 0;

    if (!coverage_is_due(c, p, ev->received))
        return 0;
    gone = calloc(COVERAGE_ROWS_MAX, sizeof *gone);
    if (!gone)
        return err_set(e, -ENOMEM, "no memory to look for silent sources");
    for (struct row *r = row_at(c->rows.oldest); r; r = row_at(r->aged.newer))
        if (!ignored(p, r) && !look(c, r, now_s, gone, &n, &soonest)) {
            soonest = now_s;
            break;
        }
    c->scanned_s = (uint32_t)now_s;
    c->due_s = (uint32_t)soonest;
    qsort(gone, n, sizeof *gone, by_object);
    for (size_t i = 0, end; i < n && rc >= 0; i = end) {
        for (end = i + 1; end < n && gone[end].cell->type == gone[i].cell->type && str_eq(row_object(gone[end].row), row_object(gone[i].row)); end++)
            ;
        rc = tell(c, p, gone + i, end - i, ev, out, e);
        told += rc;
    }
    return rc < 0 ? rc : told;
}
