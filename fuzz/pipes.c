/* pipes.c - enemy of pipes: any text behind a '|', run over a few events within little memory; and the same events dealt out to two runs that are merged. */
#include "pipes/pipes.h"

#define NOW    (INT64_C(1795861800) * NS_PER_SECOND)
#define EVENTS 40
#define MEMORY (256u * KIB)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The rows of one run, as one number: what is merged must say the same. */
struct sum {
    uint64_t hash;
    size_t   rows;
};

static int add_row(void *arg, const struct pipes_cell *cells, size_t count)
{
    struct sum *s = arg;
    struct buf b;

    buf_init(&b, 0);
    for (size_t i = 0; i < count; i++) {
        pipes_cell_json(&cells[i], &b);
        buf_byte(&b, ',');
    }
    s->hash = s->hash * 31 + str_hash(buf_view(&b));
    s->rows++;
    buf_free(&b);
    return 0;
}

static void fill(struct event_batch *b)
{
    static const char *const names[] = { "a", "b", "user.name" }, *const values[] = { "1", "2", "-3.5", "root", "Қ", "2026-11-28", "10.0.0.1" };

    for (int i = 0; i < EVENTS; i++) {
        struct event *ev = event_batch_add(b);

        ev->original = STR("a line");
        ev->time = NOW - i * i * NS_PER_MINUTE;
        ev->received = NOW;
        for (int k = 0; k < i % 5; k++)
            if (event_add(ev, &b->arena, str_c(names[(i + k) % 3]), str_c(values[(i * 3 + k) % 7])) < 0)
                abort();
    }
}

static int run_all(const struct pipes *p, const struct event_batch *b, int runs, struct sum *s)
{
    struct pipes_run *run[2] = { NULL, NULL };
    struct err e;
    int rc = 0;

    for (int k = 0; k < runs; k++)
        if (pipes_run_new(p, MEMORY, add_row, s, &run[k], &e) < 0)
            abort();
    for (size_t i = 0; i < b->count && rc == 0; i++)
        rc = pipes_push(run[i % (size_t)runs], &b->items[i], &e);
    if (rc >= 0 && runs == 2)
        rc = pipes_merge(run[0], run[1], &e);
    if (rc >= 0)
        rc = pipes_end(run[0], &e);
    pipes_run_free(&run[0]);
    pipes_run_free(&run[1]);
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pipes *p;
    struct buf plan;
    struct event_batch b;
    struct sum one = { 0 }, two = { 0 };

    if (pipes_parse(str_of((const char *)data, size), 0, NOW, &p, NULL, NULL) < 0)
        return 0;
    event_batch_init(&b, 0);
    fill(&b);
    buf_init(&plan, 0);
    pipes_print(p, &plan);
    buf_free(&plan);
    /* Sums of fractions are the only thing that the way of merging may change: values here are halves, which are exact. */
    if (run_all(p, &b, 1, &one) >= 0 && pipes_mergeable(p) && run_all(p, &b, 2, &two) >= 0 && (one.hash != two.hash || one.rows != two.rows))
        abort();
    event_batch_free(&b);
    pipes_free(&p);
    return 0;
}
