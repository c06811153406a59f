/* coverage.c - the table of what arrives: see coverage.h.
 *
 * A row is found by the hash of object, source and class, its cells by the type. Most events are of the row of the event before, so that one is
 * tried first. Looking for the fields of the chapter costs more than all the rest: it is done for the first events of a cell and for one of
 * CHECK_EVERY later. */
#include "detect/coverage_internal.h"

#include <math.h>

#include "parse/annex4.h"

#define BUCKETS_FIRST 1024u
#define RECENT_S      (6 * 3600)
#define CHECK_FIRST   16
#define CHECK_EVERY   64
#define SCRATCH_MAX   MIB
#define LATE_LEAST_S  3600
#define LATE_RARE_S   86400
#define LATE_NEW_S    (30 * 86400)   /* of what came less than FEW times */
#define FEW           5
#define SILENT_NEW_S  (6 * 3600)
#define SILENT_MOST_S (7 * 86400)

/* --- the types of Annex 4 --- */

/* What a chapter wants, as ranges of event_types. */
static const struct { uint8_t from, to; } wanted[CLASS_COUNT][2] = {
    [CLASS_OS_UNIX] = { { 0, 16 }, { 0, 0 } }, [CLASS_OS_WINDOWS] = { { 0, 13 }, { 16, 27 } }, [CLASS_DB] = { { 27, 30 }, { 0, 0 } },
    [CLASS_NET] = { { 30, 37 }, { 0, 0 } },    [CLASS_FW] = { { 30, 39 }, { 0, 0 } },          [CLASS_APP] = { { 39, 44 }, { 0, 0 } },
    [CLASS_SEC] = { { 44, 48 }, { 0, 0 } },
};

bool coverage_wants(enum event_class class, int type)
{
    for (int i = 0; i < 2; i++)
        if (type >= wanted[class][i].from && type < wanted[class][i].to)
            return true;
    return false;
}

/* --- how long is long --- */

int64_t coverage_silent_after(int64_t longest_s, int64_t life_s, int64_t events)
{
    int64_t limit = longest_s > SILENT_MOST_S ? SILENT_MOST_S : 2 * longest_s < SILENT_LEAST_S ? SILENT_LEAST_S : 2 * longest_s;
    bool busy = events > 0 && life_s / events < 60;

    if (life_s < 86400 && !busy && limit < SILENT_NEW_S)
        limit = SILENT_NEW_S;
    return limit < SILENT_MOST_S ? limit : SILENT_MOST_S;
}

int64_t coverage_late_after(int64_t longest_s, int64_t life_s, uint64_t events)
{
    bool rare = life_s < 86400 || events < (uint64_t)life_s / 3600;
    int64_t least = rare ? LATE_RARE_S : LATE_LEAST_S;

    if (events < FEW)
        return LATE_NEW_S;
    return 3 * longest_s > least ? 3 * longest_s : least;
}

uint32_t cell_gap(const struct cell *c) { return c->gap_s[0] > c->gap_s[1] ? c->gap_s[0] : c->gap_s[1]; }

int64_t cell_silence(const struct coverage *c, const struct cell *cell, int64_t now_s)
{
    int64_t resumed = c->resumed / NS_PER_SECOND, from = cell->last_s > resumed ? cell->last_s : resumed;

    return now_s > from ? now_s - from : 0;
}

int64_t cell_late_after(const struct cell *cell)
{
    int64_t life = (int64_t)cell->last_s - cell->first_s;

    return cell->type == ROW_ITSELF ? coverage_silent_after(cell_gap(cell), life, (int64_t)cell->events) : coverage_late_after(cell_gap(cell), life, cell->events);
}

bool cell_late(const struct coverage *c, const struct cell *cell, int64_t now_s) { return cell_silence(c, cell, now_s) > cell_late_after(cell); }

double cell_rate(const struct cell *cell, int64_t now_s)
{
    double age = (double)(now_s > cell->last_s ? now_s - cell->last_s : 0), life = (double)(now_s > cell->first_s ? now_s - cell->first_s : 0);
    double seen = 1 - exp2(-(life < 60 ? 60 : life) / RECENT_S);   /* what a table of that age can have seen of it */

    return (double)cell->recent * exp2(-age / RECENT_S) * M_LN2 / ((double)RECENT_S / 3600) / seen;
}

/* --- the table --- */

int coverage_new(struct coverage **out, struct err *e)
{
    struct coverage *c = calloc(1, sizeof *c);

    *out = c;
    if (c && ages_init(&c->rows, BUCKETS_FIRST) < 0) {
        free(c);
        *out = c = NULL;
    }
    if (!c)
        return err_set(e, -ENOMEM, "no memory for the table of what arrives");
    arena_init(&c->scratch, SCRATCH_MAX);
    return 0;
}

void coverage_clear(struct coverage *c)
{
    for (struct row *r = row_at(c->rows.oldest), *next; r; r = next) {
        next = row_at(r->aged.newer);
        free(r->cells);
        free(r);
    }
    ages_forget(&c->rows);
    c->scanned_s = c->due_s = 0;
    c->since = c->clock = c->resumed = 0;
    c->dropped = 0;
}

void coverage_free(struct coverage **cp)
{
    struct coverage *c = *cp;

    if (!c)
        return;
    coverage_clear(c);
    arena_free(&c->scratch);
    ages_free(&c->rows);
    free(c);
    *cp = NULL;
}

size_t coverage_rows(const struct coverage *c) { return c->rows.count; }
time_ns coverage_clock(const struct coverage *c) { return c->clock; }
uint64_t coverage_dropped(const struct coverage *c) { return c->dropped; }

static uint64_t hash_of(struct str object, struct str source, enum event_class class)
{
    return str_hash(object) * UINT64_C(0x9E3779B97F4A7C15) ^ str_hash(source) ^ ((uint64_t)class << 57);
}

static void drop_oldest(struct coverage *c)
{
    struct row *r = row_at(c->rows.oldest);

    ages_remove(&c->rows, &r->aged);
    free(r->cells);
    free(r);
    c->dropped++;
}

struct row *coverage_row(struct coverage *c, struct str object, struct str source, enum event_class class)
{
    struct row *r;

    if (c->rows.count >= COVERAGE_ROWS_MAX)
        drop_oldest(c);
    r = calloc(1, sizeof *r + object.n + source.n);
    if (!r || !(r->cells = calloc(1, sizeof *r->cells)) || ages_put(&c->rows, &r->aged, hash_of(object, source, class)) < 0) {
        if (r)
            free(r->cells);
        free(r);
        return NULL;
    }
    r->class = (uint8_t)class;
    r->object_n = (uint32_t)object.n;
    r->source_n = (uint32_t)source.n;
    if (object.n)
        memcpy(r->text, object.p, object.n);
    if (source.n)
        memcpy(r->text + object.n, source.p, source.n);
    r->cells[0].type = ROW_ITSELF;
    r->count = 1;
    return r;
}

struct cell *coverage_cell(struct row *r, int type)
{
    struct cell *more;

    if (r->at[type])
        return &r->cells[r->at[type]];
    more = realloc(r->cells, (r->count + 1u) * sizeof *more);
    if (!more)
        return NULL;
    r->cells = more;
    r->at[type] = r->count;
    r->cells[r->count] = (struct cell){ .type = (uint8_t)type };
    return &r->cells[r->count++];
}

static bool is_row(const struct row *r, struct str object, struct str source, enum event_class class)
{
    return r->class == class && str_eq(row_source(r), source) && str_eq(row_object(r), object);
}

/* row_of - the event's, the newest from now on. */
static struct row *row_of(struct coverage *c, const struct event *ev)
{
    struct str object = str_of(ev->object.p, min_size(ev->object.n, COVERAGE_NAME_MAX)), source = str_of(ev->source.p, min_size(ev->source.n, COVERAGE_NAME_MAX));
    struct row *r = row_at(c->rows.newest);
    uint64_t hash;

    if (r && is_row(r, object, source, ev->class))
        return r;
    hash = hash_of(object, source, ev->class);
    for (r = row_at(ages_first(&c->rows, hash)); r; r = row_at(r->aged.chain))
        if (r->aged.hash == hash && is_row(r, object, source, ev->class)) {
            ages_touch(&c->rows, &r->aged);
            return r;
        }
    return coverage_row(c, object, source, ev->class);
}

/* --- one event --- */

/* tick - the clock goes on. */
static void tick(struct coverage *c, time_ns at)
{
    if (!c->since)
        c->since = at;
    if (c->clock && (at - c->clock) / NS_PER_SECOND >= HOLE_S)
        c->resumed = at;
    if (at > c->clock)
        c->clock = at;
}

static void count(const struct coverage *c, struct cell *x, const struct event *ev, uint32_t at_s)
{
    if (x->events == 0) {
        x->first_s = x->last_s = at_s;
    } else if (at_s > x->last_s) {
        uint32_t gap = (uint32_t)cell_silence(c, x, at_s), weeks = at_s / WEEK_S - x->last_s / WEEK_S;

        if (weeks) {
            x->gap_s[1] = weeks == 1 ? x->gap_s[0] : 0;
            x->gap_s[0] = 0;
        }
        if (gap > x->gap_s[0])
            x->gap_s[0] = gap;
        x->recent *= exp2f(-(float)(at_s - x->last_s) / RECENT_S);
        x->last_s = at_s;
    }
    x->events++;
    x->recent += 1;
    x->last_seq = ev->seq;
    x->told = false;
}

/* fields_of - which fields of its chapter the event has. *asked: those that it must have. */
static uint8_t fields_of(struct coverage *c, const struct event *ev, uint8_t *asked)
{
    const struct annex4_chapter *chapter = annex4_chapter(ev->class);
    uint8_t have = ev->marks & MARK_NO_TIME ? 0 : 1;

    *asked = chapter ? 1 : 0;
    arena_reset(&c->scratch);
    for (size_t i = 0; chapter && i < ANNEX4_FIELDS_MAX - 1 && chapter->fields[i].need != ANNEX4_END; i++) {
        uint8_t bit = (uint8_t)(2u << i);

        if (chapter->fields[i].need != ANNEX4_OPTIONAL)
            *asked |= bit;
        if (annex4_value(ev, ev->class, i, 0, &c->scratch).n)
            have |= bit;
    }
    return chapter ? have : 0;
}

static bool to_check(const struct cell *x) { return x->events <= CHECK_FIRST || x->events % CHECK_EVERY == 0; }

static void check(struct cell *x, uint8_t have, uint8_t asked)
{
    x->checked++;
    x->seen |= have;
    x->lacks |= asked & (uint8_t)~have;
}

int coverage_event(struct coverage *c, const struct event *ev, struct err *e)
{
    time_ns at = ev->received > 0 ? ev->received : ev->time;
    uint32_t at_s = at > 0 ? (uint32_t)(at / NS_PER_SECOND) : 0;
    struct cell *due[EVENT_TYPES + 1];
    struct row *r = row_of(c, ev);
    uint64_t done = 0;
    size_t checks = 0;

    if (!r)
        return err_set(e, -ENOMEM, "no memory for the table of what arrives");
    tick(c, at);
    count(c, &r->cells[0], ev, at_s);
    for (uint32_t i = 0; i < ev->field_count; i++) {
        int type = str_eq(ev->fields[i].name, STR("saqshy.types")) ? event_type(ev->fields[i].value) : -1;
        struct cell *x;

        if (type < 0 || done & UINT64_C(1) << type)
            continue;
        done |= UINT64_C(1) << type;
        if (!(x = coverage_cell(r, type)))
            return err_set(e, -ENOMEM, "no memory for the table of what arrives");
        count(c, x, ev, at_s);
    }
    for (uint8_t i = 0; i < r->count; i++)
        if ((i == 0 || done & UINT64_C(1) << r->cells[i].type) && to_check(&r->cells[i]))
            due[checks++] = &r->cells[i];
    if (checks) {
        uint8_t asked, have = fields_of(c, ev, &asked);

        while (checks)
            check(due[--checks], have, asked);
    }
    return 0;
}
