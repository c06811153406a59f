/* bench_reload.c - bench_reload RULES… -- FOLDER: rules changed under way, with events coming: how long until a changed file looks, and how long the loop stood.
 *
 * RULES are folders of rules; FOLDER is made, and holds a journal and one file of rules that is changed. Told: from writing the file to the set in force, by the
 * clock and in CPU time of the threads beside the loop; and the longest step of the loop meanwhile beside the longest of as long a time without a change, in CPU
 * time of the loop's thread, which a loaded machine does not spoil, and by the clock (state is not saved in either, that is the same in both). */
#include <sys/stat.h>
#include <time.h>

#include "base/file.h"
#include "detect/detect.h"

#define ROUNDS 10
#define FRAME  50
#define AFTER  50   /* steps after the change: what the first of them find of the new set */

struct bench { struct journal *j; struct event_batch b; struct detect *d; uint64_t n; };

static void die(const char *what, const struct err *e)
{
    fprintf(stderr, "bench_reload: %s: %s\n", what, e->text);
    exit(2);
}

static void feed(struct bench *s)
{
    struct err e;

    event_batch_reset(&s->b);
    for (int i = 0; i < FRAME; i++) {
        struct event *ev = event_batch_add(&s->b);

        ev->time = ev->received = clock_now();
        ev->class = CLASS_OS_WINDOWS;
        ev->original = arena_printf(&s->b.arena, "event %llu", (unsigned long long)s->n++);
        if (event_add(ev, &s->b.arena, STR("EventID"), i % 3 ? STR("4688") : arena_printf(&s->b.arena, "%d", 4600 + i)) < 0 ||   /* 17 origins and one */
            event_add(ev, &s->b.arena, STR("Channel"), i % 2 ? STR("Security") : STR("System")) < 0 ||
            event_add(ev, &s->b.arena, STR("NewProcessName"), arena_printf(&s->b.arena, "C:\\Windows\\System32\\p%llu.exe", (unsigned long long)s->n)) < 0 ||
            event_add(ev, &s->b.arena, STR("CommandLine"), arena_printf(&s->b.arena, "p%llu.exe -x", (unsigned long long)s->n)) < 0)
            abort();
    }
    if (journal_append(s->j, s->b.items, s->b.count, (struct journal_origin){ { NULL, 0 }, 0 }, NULL, &e) < 0 || journal_commit(s->j, &e) < 0)
        die("journal", &e);
}

static time_ns cpu(clockid_t whose)
{
    struct timespec t;

    clock_gettime(whose, &t);
    return t.tv_sec * NS_PER_SECOND + t.tv_nsec;
}

/* Of a stretch of steps: the longest, in CPU time of the loop's thread and by the clock; all of it by the clock, and the CPU time of other threads. */
struct stretch { time_ns longest, longest_clock, took, beside; };

static time_ns beside(void) { return cpu(CLOCK_PROCESS_CPUTIME_ID) - cpu(CLOCK_THREAD_CPUTIME_ID); }

/* step - one frame; true: other rules run since. */
static bool step(struct bench *s, struct stretch *to)
{
    struct err e;
    time_ns start, busy;
    bool other;

    feed(s);
    start = clock_steady();
    busy = cpu(CLOCK_THREAD_CPUTIME_ID);
    if (detect_step(s->d, 0, &e) < 0)
        die("step", &e);
    other = detect_other_rules(s->d, NULL, NULL, &e) == 1;
    busy = cpu(CLOCK_THREAD_CPUTIME_ID) - busy;
    start = clock_steady() - start;
    to->longest = busy > to->longest ? busy : to->longest;
    to->longest_clock = start > to->longest_clock ? start : to->longest_clock;
    return other;
}

/* run - for so long; or, after a change, until other rules have run AFTER steps. */
static struct stretch run(struct bench *s, time_ns span, bool until_other)
{
    struct stretch r = { .longest = 0 };
    time_ns start = clock_steady(), other = beside();
    int after = 0;

    while (clock_steady() - start < span && after <= AFTER) {
        bool now = step(s, &r);

        if (now && until_other) {
            r.took = clock_steady() - start;
            r.beside = beside() - other;
        }
        after += now || after;
    }
    return r;
}

int main(int argc, char **argv)
{
    const char *paths[32];
    char journal[4096], findings[4096], state[4096], rules[4096], file[4200], text[512];
    struct detect_config c = { .rules = paths, .checkpoint_ms = 3600000 };
    struct bench s = { .n = 0 };
    struct err e;
    int i = 1;

    for (; i < argc && strcmp(argv[i], "--") != 0 && c.rule_count < 31; i++)
        paths[c.rule_count++] = argv[i];
    if (i + 2 != argc) {
        fputs("usage: bench_reload RULES… -- FOLDER\n", stderr);
        return 2;
    }
    snprintf(journal, sizeof journal, "%s/journal", argv[i + 1]);
    snprintf(findings, sizeof findings, "%s/findings", argv[i + 1]);
    snprintf(state, sizeof state, "%s/state", argv[i + 1]);
    snprintf(rules, sizeof rules, "%s/rules", argv[i + 1]);
    snprintf(file, sizeof file, "%s/one.yml", rules);
    paths[c.rule_count++] = rules;
    c.journal = journal;
    c.findings = findings;
    c.state_file = state;
    event_batch_init(&s.b, 0);
    if (file_mkdirs(rules, 0755, &e) < 0 || journal_open(journal, 64u * MIB, &s.j, &e) < 0)
        die("folder", &e);
    feed(&s);
    if (detect_open(&c, NULL, NULL, &s.d, &e) < 0 || detect_watch(s.d, &e) < 0)
        die("detection", &e);
    printf("%zu rules\n", detect_rules_now(s.d)->loaded);
    for (int round = 0; round < ROUNDS; round++) {
        struct stretch calm = run(&s, 300 * NS_PER_MS, false), r;

        snprintf(text, sizeof text, "title: t%d\nid: one\nlogsource: {product: windows}\ndetection: {s: {CommandLine: 'x%d'}, condition: s}\n", round, round);
        if (file_write_atomic(file, str_c(text), 0644, &e) < 0)
            die("rule", &e);
        r = run(&s, 10 * NS_PER_SECOND, true);
        printf("changed file in force after %6.1f ms, CPU beside the loop %5.1f ms; longest step %5.2f ms CPU (%5.2f by the clock), without a change %5.2f (%5.2f)\n",
               (double)r.took / 1e6, (double)r.beside / 1e6, (double)r.longest / 1e6, (double)r.longest_clock / 1e6, (double)calm.longest / 1e6,
               (double)calm.longest_clock / 1e6);
    }
    detect_close(&s.d);
    journal_close(&s.j);
    event_batch_free(&s.b);
    return 0;
}
