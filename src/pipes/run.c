/* run.c - rows through the stages: what streams, what is kept until the end, and what then comes out. */
#include "pipes/internal.h"
#include "base/clock.h"

#define FILL_MAX 100000   /* empty buckets that a timechart draws; pipe_spans says so */

int run_grow(struct pipes_run *r, const struct stage *s, ssize_t bytes)
{
    if (bytes < 0)
        return err_set(r->e, -ENOMEM, "no memory for the pipe \"%s\"", s->name);
    r->used += (size_t)bytes;
    return r->used > r->limit ? pipes_too_much(r, s, LIMIT_MEMORY) : 0;
}

int run_late(const struct pipes_run *r)
{
    return r->deadline && clock_steady() >= r->deadline ? err_set(r->e, -ETIMEDOUT, "the search took too long: narrow the range of time") : 0;
}

/* --- what is kept --- */

static int keep(struct pipes_run *r, size_t i, size_t at, const struct pipes_cell *cells, size_t count)
{
    struct state *t = &r->state[i];
    struct kept row;

    if (at == t->row_cap) {
        size_t cap = t->row_cap ? t->row_cap * 2 : 64;
        struct kept *list = realloc(t->row, cap * sizeof *list);

        if (!list)
            return err_set(r->e, -ENOMEM, "no memory for the pipe \"%s\"", r->p->stage[i].name);
        t->row = list;
        t->row_cap = cap;
    }
    row.cells = cells_copy(cells, count, &row.bytes);
    if (!row.cells)
        return err_set(r->e, -ENOMEM, "no memory for the pipe \"%s\"", r->p->stage[i].name);
    row.bytes += sizeof row;
    if (at < t->rows) {
        r->used -= t->row[at].bytes;
        free(t->row[at].cells);
    } else {
        t->rows++;
    }
    t->row[at] = row;
    return run_grow(r, &r->p->stage[i], (ssize_t)row.bytes);
}

/* width - how many cells the rows have that come to stage i. */
static size_t width(const struct pipes *p, size_t i)
{
    while (i-- > 0)
        if (p->stage[i].outs)
            return p->stage[i].outs;
    return p->wants;
}

struct order {
    const struct stage *s;
    size_t              cells;
};

static int compare_rows(const void *x, const void *y, void *arg)
{
    const struct kept *a = x, *b = y;
    const struct order *o = arg;
    int order = 0;

    for (size_t k = 0; k < o->s->columns && order == 0; k++) {
        const struct pipes_cell *one = &a->cells[o->s->column[k]], *two = &b->cells[o->s->column[k]];
        bool missing = one->type == PIPES_NONE || two->type == PIPES_NONE;   /* last both ways */

        order = cell_compare(one, two);
        order = o->s->down[k] && !missing ? -order : order;
    }
    /* What is equal by its keys is told apart by the rest, so that the order does not depend on how rows came. */
    for (size_t k = 0; k < o->cells && order == 0; k++)
        order = cell_compare(&a->cells[k], &b->cells[k]);
    return order;
}

static void sort_rows(struct pipes_run *r, size_t i, size_t most)
{
    struct state *t = &r->state[i];
    struct order o = { &r->p->stage[i], width(r->p, i) };

    if (t->rows > 1)
        qsort_r(t->row, t->rows, sizeof *t->row, compare_rows, &o);
    while (most && t->rows > most) {
        r->used -= t->row[--t->rows].bytes;
        free(t->row[t->rows].cells);
    }
}

static int sort_row(struct pipes_run *r, size_t i, const struct pipes_cell *cells, size_t count)
{
    const struct stage *s = &r->p->stage[i];
    struct state *t = &r->state[i];

    /* With a head behind it twice as many rows are kept, then the half that cannot matter goes. */
    if (s->most && t->rows >= 2 * s->most + 1024)
        sort_rows(r, i, s->most);
    return keep(r, i, t->rows, cells, count);
}

static int tail_row(struct pipes_run *r, size_t i, const struct pipes_cell *cells, size_t count)
{
    struct state *t = &r->state[i];
    size_t most = r->p->stage[i].most;

    return keep(r, i, t->rows < most ? t->rows : t->seen++ % most, cells, count);
}

/* --- what streams --- */

/* pack - the bytes of some cells, all values of each. */
static int pack(struct pipes_run *r, const uint16_t *column, size_t columns, const struct pipes_cell *cells)
{
    buf_reset(&r->key);
    for (size_t k = 0; k < columns; k++) {
        const struct pipes_cell *c = &cells[column ? column[k] : k];

        buf_varint(&r->key, cell_values(c));
        for (size_t v = 0; v < cell_values(c); v++) {
            struct pipes_cell one = cell_value(c, v);

            cell_pack(&one, &r->key);
        }
    }
    return buf_failed(&r->key) ? err_set(r->e, -ENOMEM, "no memory for a row") : 0;
}

/* dedup_row - 1 if such a row was there. */
static int dedup_row(struct pipes_run *r, size_t i, const struct pipes_cell *cells)
{
    const struct stage *s = &r->p->stage[i];
    struct group *g;
    bool fresh;
    int rc = pack(r, s->column, s->columns, cells);

    if (rc < 0)
        return rc;
    g = pipes_group(&r->state[i].groups, buf_view(&r->key), 0, &fresh);
    if (!g)
        return err_set(r->e, -ENOMEM, "no memory for the pipe \"%s\"", s->name);
    if (!fresh)
        return 1;
    return run_grow(r, s, (ssize_t)(sizeof *g + g->key_bytes + 4 * sizeof(void *)));
}

/* head_row - 1 if the row goes no further; 2 if no later one does either. */
static int head_row(struct pipes_run *r, size_t i, const struct pipes_cell *cells)
{
    const struct stage *s = &r->p->stage[i];
    struct state *t = &r->state[i];

    if (s->per) {
        int rc = pack(r, NULL, s->per, cells);

        if (rc < 0)
            return rc;
        if (!t->begun || !str_eq(buf_view(&r->key), buf_view(&t->last))) {
            t->begun = true;
            t->seen = 0;
            buf_reset(&t->last);
            buf_str(&t->last, buf_view(&r->key));
            if (buf_failed(&t->last))
                return err_set(r->e, -ENOMEM, "no memory for the pipe \"%s\"", s->name);
        }
        return t->seen++ < s->most ? 0 : 1;
    }
    return t->seen++ < s->most ? 0 : 2;
}

/* span_after - where the next span begins; behind the last moment there is none. */
static time_ns span_after(time_ns at, int64_t span)
{
    time_ns next;

    return __builtin_add_overflow(at, span, &next) ? INT64_MAX : next;
}

/* fill_row - the empty buckets before this one. */
static int fill_row(struct pipes_run *r, size_t i, const struct pipes_cell *cells, size_t count)
{
    const struct stage *s = &r->p->stage[i];
    struct state *t = &r->state[i];
    struct pipes_cell empty[PIPES_COLUMNS_MAX] = { { .type = PIPES_NONE } };
    time_ns at = t->next;
    int rc = 0;

    if (cells[0].type != PIPES_TIME)
        return 0;
    for (size_t k = 0; k < s->aggs; k++)
        empty[1 + k] = s->agg[k].kind == AGG_COUNT || s->agg[k].kind == AGG_UNIQ ? cell_of_number(0) : (struct pipes_cell){ .type = PIPES_NONE };
    if (t->begun && ((__int128)cells[0].time - at) / s->span[0] > FILL_MAX)
        return pipes_too_much(r, s, LIMIT_SPANS);
    for (; t->begun && at < cells[0].time && rc == 0; at = span_after(at, s->span[0])) {
        empty[0] = cell_of_time(at);
        rc = pipes_send(r, i + 1, empty, count, 1);
    }
    t->begun = true;
    t->next = span_after(cells[0].time, s->span[0]);
    return rc;
}

static const struct pipes_cell *fields_row(struct pipes_run *r, size_t i, const struct pipes_cell *cells)
{
    const struct stage *s = &r->p->stage[i];

    for (size_t k = 0; k < s->columns; k++)
        r->state[i].cells[k] = cells[s->column[k]];
    return r->state[i].cells;
}

/* pipes_send calls itself only by FILL and STATS, once a stage: as deep as there are stages. */
int pipes_send(struct pipes_run *r, size_t i, const struct pipes_cell *cells, size_t count, uint64_t times)
{
    for (; i < r->p->count; i++) {
        const struct stage *s = &r->p->stage[i];
        int rc = 0;

        switch (s->kind) {
        case STAGE_FIELDS:
            cells = fields_row(r, i, cells);
            count = s->columns;
            break;
        case STAGE_WHERE:
            rc = run_late(r);       /* an expression may take long, and behind a stats nobody else looks at the clock */
            rc = rc < 0 ? rc : where_holds(s, cells, count) ? 0 : 1;
            break;
        case STAGE_DEDUP: rc = dedup_row(r, i, cells); break;
        case STAGE_HEAD: rc = head_row(r, i, cells); break;
        case STAGE_STATS: return stats_row(r, i, cells, times);
        case STAGE_SORT: return sort_row(r, i, cells, count);
        case STAGE_TAIL: return tail_row(r, i, cells, count);
        case STAGE_FILL: rc = fill_row(r, i, cells, count); break;
        }
        if (rc != 0)
            return rc < 0 ? rc : rc == 2;
    }
    if (r->verdict == 0)
        r->verdict = r->row(r->arg, cells, count);
    return r->verdict != 0;
}

/* full - nothing that comes can matter: a head that has its rows, and nothing but streams before it. */
static bool full(const struct pipes_run *r)
{
    for (size_t i = 0; i < r->p->count; i++) {
        const struct stage *s = &r->p->stage[i];

        if (s->kind == STAGE_HEAD && !s->per && r->state[i].seen >= s->most)
            return true;
        if (s->kind == STAGE_STATS || s->kind == STAGE_SORT || s->kind == STAGE_TAIL)
            return false;
    }
    return false;
}

/* --- events in --- */

int pipes_run_new(const struct pipes *p, size_t limit_bytes, pipes_row *row, void *arg, struct pipes_run **out, struct err *e)
{
    struct pipes_run *r = calloc(1, sizeof *r);
    struct state *state = calloc(p->count + 1, sizeof *state);

    *out = NULL;
    if (!r || !state) {
        free(r);
        free(state);
        return err_set(e, -ENOMEM, "no memory for the pipes of a search");
    }
    r->p = p;
    r->state = state;
    r->row = row;
    r->arg = arg;
    r->limit = limit_bytes ? limit_bytes : PIPES_MEMORY;
    arena_init(&r->scratch, 16u * MIB);
    buf_init(&r->key, 16u * MIB);
    for (size_t i = 0; i < p->count; i++) {
        buf_init(&state[i].last, 16u * MIB);
        if (p->stage[i].outs) {
            memcpy(r->column, p->stage[i].out, sizeof r->column);
            r->columns = p->stage[i].outs;
        }
    }
    *out = r;
    return 0;
}

void pipes_run_until(struct pipes_run *r, time_ns deadline_steady) { r->deadline = deadline_steady; }

static void state_free(struct pipes_run *r, size_t i)
{
    struct state *t = &r->state[i];

    pipes_groups_free(&t->groups, &r->p->stage[i]);
    for (size_t k = 0; k < t->rows; k++)
        free(t->row[k].cells);
    free(t->row);
    buf_free(&t->last);
    t->row = NULL;
    t->rows = t->row_cap = 0;
}

void pipes_run_free(struct pipes_run **rp)
{
    struct pipes_run *r = *rp;

    if (!r)
        return;
    for (size_t i = 0; i < r->p->count; i++)
        state_free(r, i);
    free(r->state);
    arena_free(&r->scratch);
    buf_free(&r->key);
    free(r);
    *rp = NULL;
}

/* take_field - all values of a field of an event, as one cell. */
static int take_field(struct pipes_run *r, const struct event *ev, struct str name, struct pipes_cell *out)
{
    struct str v, *values;
    uint32_t at = 0;
    size_t n = 0;

    *out = (struct pipes_cell){ .type = PIPES_NONE };
    if (str_eq(name, STR("@timestamp")) || str_eq(name, STR("event.received"))) {
        *out = cell_of_time(name.p[0] == '@' ? ev->time : ev->received);
        return 0;
    }
    if (!event_values(ev, name, &at, &v))
        return 0;
    *out = cell_of_text(v);
    if (!event_values(ev, name, &at, &v))
        return 0;
    values = arena_array(&r->scratch, ev->field_count + MARK_COUNT, sizeof *values);
    if (!values)
        return err_set(r->e, -ENOMEM, "no memory for an event");
    at = 0;
    while (event_values(ev, name, &at, &v))
        values[n++] = v;
    out->values = values;
    out->count = n;
    return 0;
}

int pipes_push_cells(struct pipes_run *r, const struct pipes_cell *cells, uint64_t times, struct err *e)
{
    int rc = 0;

    r->e = e;
    if (r->verdict || full(r))
        return 1;
    /* Where rows are shown as they are, events that are alike are as many rows. */
    for (uint64_t i = 0; rc == 0 && i < (r->p->stage[0].kind == STAGE_STATS ? 1 : times); i++)
        rc = pipes_send(r, 0, cells, r->p->wants, r->p->stage[0].kind == STAGE_STATS ? times : 1);
    return rc != 0 ? rc : full(r);
}

int pipes_push(struct pipes_run *r, const struct event *ev, struct err *e)
{
    int rc = 0;

    r->e = e;
    arena_reset(&r->scratch);
    for (size_t i = 0; i < r->p->wants && rc == 0; i++)
        rc = take_field(r, ev, r->p->wanted[i], &r->cells[i]);
    return rc < 0 ? rc : pipes_push_cells(r, r->cells, 1, e);
}

int pipes_merge(struct pipes_run *into, struct pipes_run *from, struct err *e)
{
    size_t i = 0;
    int rc = 0;

    assert(into->p == from->p && pipes_mergeable(into->p));
    into->e = e;
    while (into->p->stage[i].kind != STAGE_STATS && into->p->stage[i].kind != STAGE_SORT)
        i++;
    into->passed_over += from->passed_over;
    if (into->p->stage[i].kind == STAGE_STATS) {
        rc = stats_merge(into, from, i);
    } else {
        for (size_t k = 0; k < from->state[i].rows && rc == 0; k++)
            rc = sort_row(into, i, from->state[i].row[k].cells, width(into->p, i));
    }
    state_free(from, i);
    from->used = 0;
    from->passed_over = 0;
    return rc;
}

/* --- rows out --- */

/* send_kept - the rows of a sort or a tail to the stages behind it. */
static int send_kept(struct pipes_run *r, size_t i)
{
    const struct stage *s = &r->p->stage[i];
    struct state *t = &r->state[i];
    size_t cells = width(r->p, i), first = s->kind == STAGE_TAIL && t->rows == s->most ? t->seen % s->most : 0;
    int rc = 0;

    if (s->kind == STAGE_SORT)
        sort_rows(r, i, s->most);
    for (size_t k = 0; k < t->rows && rc == 0; k++)
        rc = pipes_send(r, i + 1, t->row[(first + k) % t->rows].cells, cells, 1);
    return rc < 0 ? rc : 0;
}

int pipes_end(struct pipes_run *r, struct err *e)
{
    int rc = 0;

    r->e = e;
    for (size_t i = 0; i < r->p->count && rc == 0 && r->verdict == 0; i++) {
        enum stage_kind kind = r->p->stage[i].kind;

        if (kind == STAGE_STATS)
            rc = stats_send(r, i);
        else if (kind == STAGE_SORT || kind == STAGE_TAIL)
            rc = send_kept(r, i);
    }
    return rc < 0 ? rc : r->verdict;
}

const struct pipes_column *pipes_columns(const struct pipes_run *r, size_t *count)
{
    *count = r->columns;
    return r->column;
}

uint64_t pipes_passed_over(const struct pipes_run *r) { return r->passed_over; }
const struct query_fault *pipes_fault(const struct pipes_run *r) { return r->fault.code ? &r->fault : NULL; }
