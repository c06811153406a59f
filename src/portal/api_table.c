/* api_table.c - a search with pipes: its rows as a table, as JSON or CSV.
 *
 * The store gives only events that the viewer may read (search.h); pipes see no others, so a count tells nothing of them either. */
#include "pipes/pipes.h"
#include "portal/search.h"
#include "table/table.h"

#define ROWS_MAX     10000u
#define MEMORY_BYTES (64u * MIB)   /* of one search; as many at once as there are workers */

struct rows {
    struct call         *c;
    struct pipes_run    *run;
    struct table_writer *csv;       /* NULL: JSON */
    struct buf           text;      /* a cell */
    size_t               count, bytes;
    bool                 more;
    int                  rc;        /* of what was pushed */
};

static int push(void *arg, const struct event *ev)
{
    struct rows *r = arg;

    return r->rc = pipes_push(r->run, ev, &r->c->err);
}

static int put_csv(struct rows *r, const struct pipes_cell *cells, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        buf_reset(&r->text);
        pipes_cell_text(&cells[i], &r->text);
        r->bytes += r->text.n;
        if (cells[i].type == PIPES_NUMBER)
            table_put_number(r->csv, cells[i].number);
        else
            table_put(r->csv, buf_view(&r->text));
    }
    table_end_row(r->csv);
    return 0;
}

static int put_row(void *arg, const struct pipes_cell *cells, size_t count)
{
    struct rows *r = arg;
    struct buf *b = &r->c->reply.body;

    if (r->count == ROWS_MAX || b->n > PAGE_BYTES_MAX || r->bytes > PAGE_BYTES_MAX) {
        r->more = true;
        return 1;
    }
    r->count++;
    if (r->csv)
        return put_csv(r, cells, count);
    buf_str(b, r->count > 1 ? STR(",[") : STR("["));
    for (size_t i = 0; i < count; i++) {
        buf_str(b, i ? STR(",") : STR(""));
        pipes_cell_json(&cells[i], b);
    }
    buf_byte(b, ']');
    return 0;
}

static void put_columns(struct rows *r, const struct pipes *p)
{
    static const char *const types[] = { [PIPES_NONE] = "any", [PIPES_NUMBER] = "number", [PIPES_TIME] = "time", [PIPES_TEXT] = "text" };
    struct buf *b = &r->c->reply.body;
    size_t count;
    const struct pipes_column *column = pipes_columns(r->run, &count);

    buf_str(b, STR("],\"columns\":["));
    for (size_t i = 0; i < count; i++) {
        buf_str(b, i ? STR(",{\"name\":") : STR("{\"name\":"));
        buf_json(b, column[i].name);
        buf_printf(b, ",\"type\":\"%s\",\"span_s\":%lld,\"approximate\":%s}", types[column[i].type], (long long)(column[i].span_ns / NS_PER_SECOND),
                   column[i].approximate ? "true" : "false");
    }
    buf_printf(b, "],\"more\":%s,\"chart\":%s,\"passed_over\":%llu", r->more ? "true" : "false", pipes_charts(p) ? "true" : "false",
               (unsigned long long)pipes_passed_over(r->run));
}

static void begin_csv(struct rows *r)
{
    struct str name[PIPES_COLUMNS_MAX];
    size_t count;
    const struct pipes_column *column = pipes_columns(r->run, &count);

    for (size_t i = 0; i < count; i++)
        name[i] = column[i].name;
    table_header(r->csv, name, NULL, count);
}

/* put_more - a file has no other place to say that it is not all. */
static void put_more(struct rows *r)
{
    struct call *c = r->c;
    char count[24];

    snprintf(count, sizeof count, "%zu", r->count);
    table_put(r->csv, catalog_format(c->portal->catalog, c->lang, &c->arena, "ui.events.table_more", "count", str_c(count), NULL));
    table_end_row(r->csv);
}

/* gather - all events that match and may be read into the pipes, then what they kept out of them. */
static int gather(struct rows *r, const struct pipes *p, const struct ask *a, bool csv, struct store_stats *st)
{
    struct call *c = r->c;
    int rc = pipes_run_new(p, MEMORY_BYTES, put_row, r, &r->run, &c->err);

    if (rc == 0)
        pipes_run_until(r->run, a->s.deadline_steady);
    if (rc == 0 && csv)
        rc = table_writer_new(&(struct table_writer_setup){ .format = TABLE_CSV }, &r->csv, &c->err);
    if (rc < 0)
        return rc;
    buf_reset(&c->reply.body);
    if (csv)
        begin_csv(r);
    else
        buf_str(&c->reply.body, STR("{\"rows\":["));
    rc = store_find_all(&a->s, push, r, st, &c->err);
    if (rc == 0 && r->rc < 0)
        rc = r->rc;
    if (rc == 0)
        rc = pipes_end(r->run, &c->err);
    return rc < 0 ? rc : 0;
}

/* answer - the rest of the body. */
static int answer(struct rows *r, const struct pipes *p, const struct ask *a, const struct store_stats *st)
{
    struct call *c = r->c;
    int rc = 0;

    if (r->csv) {
        if (r->more)
            put_more(r);
        rc = table_writer_finish(r->csv, &c->reply.body, &c->err);
        c->reply.type = "text/csv; charset=utf-8";
        snprintf(c->reply.disposition, sizeof c->reply.disposition, "attachment; filename=\"search.csv\"");
    } else {
        put_columns(r, p);
        /* How much was looked through would tell of foreign events (api_events). */
        buf_printf(&c->reply.body, ",\"stats\":{\"scanned\":%llu,\"ms\":%.3f}}", (unsigned long long)(a->s.object_filter ? st->matched : st->events_scanned),
                   (double)st->elapsed_ns / 1e6);
        c->reply.type = "application/json";
    }
    if (rc == 0 && buf_failed(&c->reply.body))
        rc = err_set(&c->err, -ENOMEM, "no memory for a table");
    c->reply.status = 200;
    return rc;
}

/* refused - what went wrong, as an answer where it is the search's own fault. */
static int refused(struct rows *r, int rc)
{
    const struct query_fault *f = r->run ? pipes_fault(r->run) : NULL;

    buf_reset(&r->c->reply.body);
    if (rc == -ETIMEDOUT)
        return call_refuse(r->c, 503, "unavailable", NULL, 0, 1);
    return rc == -E2BIG && f ? call_refuse_query(r->c, "q", f) : rc;
}

int api_events_table(struct call *c)
{
    struct rows r = { .c = c };
    struct store_stats st = { 0 };
    struct pipes *p = NULL;
    struct ask a = { 0 };
    struct query_fault fault = { .code = "pipe_expected", .letter = 1 };
    struct str format = params_get(&c->params, "format"), q = params_get(&c->params, "q");
    size_t pipes = SIZE_MAX;
    int rc = ask_take(c, &a, &pipes);

    if (rc != 0)
        return rc < 0 ? rc : 0;
    buf_init(&r.text, MIB);
    if (format.n && !str_eq(format, STR("csv")) && !str_eq(format, STR("json")))
        rc = err_set(&c->err, -EINVAL, "format");
    else
        rc = pipes_parse(q, pipes == SIZE_MAX ? q.n : pipes, c->now, &p, &fault, &c->err);
    if (rc == -EINVAL && !p && (!format.n || str_eq(format, STR("csv")) || str_eq(format, STR("json")))) {
        rc = call_refuse_query(c, "q", &fault);
    } else if (rc == 0) {
        rc = gather(&r, p, &a, str_eq(format, STR("csv")), &st);
        rc = rc == 0 ? answer(&r, p, &a, &st) : refused(&r, rc);
    }
    pipes_run_free(&r.run);
    pipes_free(&p);
    table_writer_free(&r.csv);
    buf_free(&r.text);
    ask_free(&a);
    return rc;
}
