/* bench_sigma.c - bench_sigma [--ids N,N…] [--events N] [--plain N] [--measure N] RULES… -- FILE…: real events through the rules, beside the plain evaluator.
 *
 * RULES are folders or files of rules, FILE JSON events (one a line, or values in a row): real ones, of which with --ids only those with
 * these event numbers are taken. They are repeated up to N events (50,000), from the second round on with digits of long values changed by a fixed seed.
 * Told: loading, nanoseconds an event of the fast way (the best of several passes, processor time of the thread) and of the plain way over
 * its first events, and whether both found the same. With --measure it is then measured in one event of N how often what the rules look for is there, the rules are
 * compiled again with that, and the fast way is told once more: what it found must be the same. */
#include <time.h>

#include "base/file.h"
#include "detect/hunt.h"
#include "sigma/frequency.h"

#define PASSES 7

struct bench {
    const char  *rules[64];
    size_t       rule_count;
    uint64_t     want, plain, measure;
    struct str   ids;
    struct event_batch *batches;   /* of EVENT_BATCH_MAX events */
    size_t       batch_count;
    size_t       events, real, bytes, values;
    uint32_t     seed;
    struct sigma *set;
    struct sigma_run *run;
};

static double cpu_seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint32_t next(uint32_t *r) { return *r = *r * 1664525 + 1013904223; }

static struct event *event_at(const struct bench *b, size_t i) { return &b->batches[i / EVENT_BATCH_MAX].items[i % EVENT_BATCH_MAX]; }

static struct event_batch *room(struct bench *b)
{
    if (b->batch_count == 0 || b->batches[b->batch_count - 1].count == EVENT_BATCH_MAX) {
        b->batches = realloc(b->batches, (b->batch_count + 1) * sizeof *b->batches);
        if (!b->batches)
            abort();
        event_batch_init(&b->batches[b->batch_count++], SIZE_MAX / 2);
    }
    return &b->batches[b->batch_count - 1];
}

static bool wanted(const struct bench *b, const struct event *ev)
{
    struct str list = b->ids, one, id = event_get(ev, STR("EventID"));

    while (id.n && str_split(&list, ',', &one))
        if (str_eq(one, id))
            return true;
    return b->ids.n == 0;
}

static void take_value(struct bench *b, struct str text)
{
    struct event_batch *batch = room(b);
    struct err e;

    if (hunt_json_event(text, batch, &e) < 0)
        return;
    if (!wanted(b, &batch->items[batch->count - 1])) {
        batch->count--;
        return;
    }
    batch->items[batch->count - 1].seq = ++b->events;
    batch->items[batch->count - 1].original = arena_copy(&batch->arena, text);
}

/* take_values - the JSON objects of a file, wherever they begin and end. */
static void take_values(struct bench *b, struct str s)
{
    size_t depth = 0, start = 0;
    bool text = false;

    for (size_t i = 0; i < s.n && b->events < b->want; i++) {
        char c = s.p[i];

        if (text && c == '\\')
            i++;
        else if (c == '"')
            text = !text;
        else if (!text && c == '{' && depth++ == 0)
            start = i;
        else if (!text && c == '}' && depth && --depth == 0)
            take_value(b, str_of(s.p + start, i + 1 - start));
    }
}

/* again - an event once more, digits of its long values changed. */
static void again(struct bench *b, struct event from)
{
    struct event_batch *batch = room(b);
    struct event *ev = event_batch_add(batch);

    if (!ev)
        abort();
    *ev = from;
    ev->fields = arena_array(&batch->arena, from.field_count + 1, sizeof *ev->fields);
    ev->field_cap = from.field_count;
    ev->seq = ++b->events;
    for (uint32_t i = 0; i < from.field_count; i++) {
        struct str v = from.fields[i].value;

        if (v.n > 16) {
            char *p = arena_alloc(&batch->arena, v.n);

            for (size_t k = 0; k < v.n; k++)
                p[k] = v.p[k] >= '0' && v.p[k] <= '9' && next(&b->seed) >> 29 == 0 ? (char)('0' + (next(&b->seed) >> 16) % 10) : v.p[k];
            v.p = p;
        }
        ev->fields[i] = (struct event_field){ from.fields[i].name, v };
    }
}

static int load_events(struct bench *b, char **files)
{
    AUTO_BUF struct buf buf;
    struct err e;

    buf_init(&buf, 1u << 30);
    for (; *files; files++) {
        if (file_read(*files, 1u << 30, &buf, &e) < 0) {
            fprintf(stderr, "%s\n", e.text);
            return 1;
        }
        take_values(b, buf_view(&buf));
    }
    b->real = b->events;
    while (b->real && b->events < b->want)
        again(b, *event_at(b, b->events % b->real));
    for (size_t i = 0; i < b->events; i++)
        for (uint32_t f = 0; f < event_at(b, i)->field_count; f++) {
            b->bytes += event_at(b, i)->fields[f].value.n;
            b->values++;
        }
    return b->events ? 0 : 1;
}

static int fast(struct bench *b, size_t count, uint64_t *matches, double *best)
{
    const struct sigma_match *m;
    struct err e;

    for (int pass = 0; pass < PASSES; pass++) {
        double start = cpu_seconds(), took;

        *matches = 0;
        for (size_t i = 0; i < count; i++) {
            int n = sigma_run_event(b->run, event_at(b, i), true, &m, &e);

            if (n < 0)
                return 1;
            *matches += (uint64_t)n;
        }
        took = cpu_seconds() - start;
        if (pass == 0 || took < *best)
            *best = took;
    }
    return 0;
}

/* same - the plain way over the first events, and how many events both ways judge otherwise. */
static int same(struct bench *b, size_t count, double *took, size_t *differ)
{
    const struct sigma_match *m;
    const uint32_t *rules;
    struct err e;

    *took = 0;
    *differ = 0;
    for (size_t i = 0; i < count; i++) {
        double start = cpu_seconds();
        size_t n = 0, k = 0;
        int rc = sigma_run_plain(b->run, event_at(b, i), &rules, &n, &e);

        *took += cpu_seconds() - start;
        if (rc == 0)
            rc = sigma_run_event(b->run, event_at(b, i), true, &m, &e);
        if (rc < 0)
            return 1;
        for (int j = 0; j < rc; j++)
            if (!m[j].rule->correlation)
                k += k < n && rules[k] == m[j].rule->index ? 1 : n + 1;
        *differ += k != n;
    }
    return 0;
}

/* costliest - the rules that were candidates most often. */
static void costliest(const struct bench *b, double events)
{
    AUTO_FREE bool *told = calloc(sigma_rule_count(b->set) + 1, sizeof *told);

    for (int row = 0; told && row < 5; row++) {
        uint32_t most = 0;
        struct sigma_cost c;

        for (uint32_t i = 1; i < sigma_rule_count(b->set); i++)
            if (!told[i] && (told[most] || sigma_run_cost(b->run, i).looked > sigma_run_cost(b->run, most).looked))
                most = i;
        told[most] = true;
        c = sigma_run_cost(b->run, most);
        printf("       %.3f an event, %.4f matched: %.*s\n", (double)c.looked / events, (double)c.matched / events,
               STR_ARG(sigma_rule_at(b->set, most)->title));
    }
}

/* --- measured --- */

/* found - what the rules find in all events, as one hash. */
static uint64_t found(struct bench *b)
{
    const struct sigma_match *m;
    uint64_t all = 0;
    struct err e;

    for (size_t i = 0; i < b->events; i++)
        for (int k = sigma_run_event(b->run, event_at(b, i), true, &m, &e); k-- > 0;)
            all += (i + 1) * (str_hash(m[k].rule->id) | 1);
    return all;
}

/* compile - the rules once more, with what was measured. */
static int compile(struct bench *b, const struct sigma_frequency *f, struct err *e)
{
    struct sigma_source *all = calloc(SIGMA_FILES_MAX, sizeof *all);
    struct sigma_units *u = sigma_units_new();
    struct arena a;
    size_t n = 0;
    int rc = 0;

    arena_init(&a, 512u * MIB);
    for (size_t i = 0; i < b->rule_count && rc == 0; i++) {
        struct str *files;
        size_t count;

        rc = sigma_files(b->rules[i], &a, &files, &count, e);
        for (size_t k = 0; k < count && rc == 0 && n < SIGMA_FILES_MAX; k++) {
            AUTO_BUF struct buf text;

            buf_init(&text, 8u * MIB);
            rc = file_read(files[k].p, 4u * MIB, &text, e);
            all[n++] = (struct sigma_source){ files[k], arena_copy(&a, buf_view(&text)) };
        }
    }
    sigma_units_measured(u, f);
    sigma_run_free(&b->run);
    sigma_free(&b->set);
    if (rc == 0)
        rc = sigma_compile_again(u, all, n, &b->set, e);
    if (rc == 0)
        rc = sigma_run_new(b->set, false, &b->run, e);
    sigma_units_free(&u);
    arena_free(&a);
    free(all);
    return rc;
}

static void tell_fast(const struct bench *b, const char *what, double best, uint64_t matches)
{
    printf("%s %8.0f ns an event, %9.0f a second; %.3f matches, %.2f rules computed\n", what, best / (double)b->events * 1e9,
           (double)b->events / best, (double)matches / (double)b->events,
           (double)sigma_run_counters(b->run)->evaluated / (double)sigma_run_counters(b->run)->events);
}

static int measured(struct bench *b)
{
    struct sigma_frequency *f = sigma_frequency_new();
    uint64_t before, after, matches;
    double best = 0, start, took;
    struct err e = { .text = "no memory" };

    if (!f || compile(b, NULL, &e) < 0)     /* correlations begin anew in both */
        return 1;
    before = found(b);
    start = cpu_seconds();
    found(b);
    took = cpu_seconds() - start;
    sigma_run_measure(b->run, f, b->measure);
    start = cpu_seconds();
    found(b);
    printf("measuring one event of %llu costs %.0f ns an event\n", (unsigned long long)b->measure, (cpu_seconds() - start - took) / (double)b->events * 1e9);
    if (compile(b, f, &e) < 0) {
        fprintf(stderr, "%s\n", e.text);
        return 1;
    }
    after = found(b);
    if (fast(b, b->events, &matches, &best) != 0)
        return 1;
    tell_fast(b, "measured", best, matches);
    costliest(b, (double)sigma_run_counters(b->run)->events);
    printf("found: %s\n", before == after ? "the same" : "SOMETHING ELSE");
    sigma_frequency_free(&f);
    return before != after;
}

static int options(struct bench *b, int argc, char **argv, char ***files)
{
    int i = 1;

    b->want = 50000;
    b->plain = 2000;
    for (; i + 1 < argc && str_starts(str_c(argv[i]), STR("--")) && argv[i][2]; i += 2)
        if (strcmp(argv[i], "--ids") == 0)
            b->ids = str_c(argv[i + 1]);
        else if (strcmp(argv[i], "--events") != 0 && strcmp(argv[i], "--plain") != 0 && strcmp(argv[i], "--measure") != 0)
            return 2;
        else if (!str_u64(str_c(argv[i + 1]), argv[i][2] == 'e' ? &b->want : argv[i][2] == 'p' ? &b->plain : &b->measure))
            return 2;
    for (; i < argc && strcmp(argv[i], "--") != 0 && b->rule_count < COUNT(b->rules); i++)
        b->rules[b->rule_count++] = argv[i];
    *files = argv + i + (i < argc);
    return b->rule_count && **files ? 0 : 2;
}

int main(int argc, char **argv)
{
    struct bench b = { .seed = 1 };
    double best = 0, plain = 0, start;
    uint64_t matches = 0;
    size_t differ = 0, count;
    char **files = NULL;
    struct err e;

    if (options(&b, argc, argv, &files) != 0) {
        fprintf(stderr, "usage: bench_sigma [--ids N,N] [--events N] [--plain N] [--measure N] RULES… -- FILE…\n");
        return 2;
    }
    start = cpu_seconds();
    if (sigma_load(b.rules, b.rule_count, &b.set, &e) < 0 || sigma_run_new(b.set, false, &b.run, &e) < 0) {
        fprintf(stderr, "%s\n", e.text);
        return 1;
    }
    printf("%zu rules loaded in %.0f ms, %.1f MiB compiled\n", sigma_rule_count(b.set), (cpu_seconds() - start) * 1e3, (double)sigma_bytes(b.set) / (double)MIB);
    if (load_events(&b, files) != 0)
        return 1;
    printf("%zu events, %zu of them real; %.1f values and %.0f bytes each\n", b.events, b.real, (double)b.values / (double)b.events,
           (double)b.bytes / (double)b.events);
    if (fast(&b, b.events, &matches, &best) != 0)
        return 1;
    tell_fast(&b, "fast  ", best, matches);
    costliest(&b, (double)sigma_run_counters(b.run)->events);
    count = min_size(b.events, b.plain);
    if (same(&b, count, &plain, &differ) != 0)
        return 1;
    printf("plain  %8.0f ns an event over the first %zu: %.0f times as long; %zu events judged otherwise\n", plain / (double)count * 1e9,
           count, plain / (double)count / (best / (double)b.events), differ);
    return differ != 0 || (b.measure && measured(&b) != 0);
}
