/* bench_reload.c - bench_reload RULES… -- FOLDER: rules changed under way, with events coming: how long until a changed file looks, and how long the loop stood.
 *
 * RULES are folders of rules; FOLDER is made, and holds a journal and one file of rules that is changed. Told: from writing the file to the set in force, and
 * the longest step of the loop meanwhile beside the longest of as long a time without a change (state is not saved in either, that is the same in both). */
#include <sys/stat.h>

#include "base/file.h"
#include "detect/detect.h"

#define ROUNDS 10
#define FRAME  50

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
        if (event_add(ev, &s->b.arena, STR("EventID"), i % 3 ? STR("4688") : STR("4624")) < 0 || event_add(ev, &s->b.arena, STR("Channel"), STR("Security")) < 0 ||
            event_add(ev, &s->b.arena, STR("NewProcessName"), arena_printf(&s->b.arena, "C:\\Windows\\System32\\p%llu.exe", (unsigned long long)s->n)) < 0 ||
            event_add(ev, &s->b.arena, STR("CommandLine"), arena_printf(&s->b.arena, "p%llu.exe -x", (unsigned long long)s->n)) < 0)
            abort();
    }
    if (journal_append(s->j, s->b.items, s->b.count, (struct journal_origin){ { NULL, 0 }, 0 }, NULL, &e) < 0 || journal_commit(s->j, &e) < 0)
        die("journal", &e);
}

/* step - one frame; how long the loop took for it. */
static time_ns step(struct bench *s)
{
    struct err e;
    time_ns start;

    feed(s);
    start = clock_steady();
    if (detect_step(s->d, 0, &e) < 0)
        die("step", &e);
    return clock_steady() - start;
}

static time_ns longest(struct bench *s, time_ns span, bool until_other, time_ns *took)
{
    time_ns most = 0, start = clock_steady();
    struct err e;

    while (clock_steady() - start < span) {
        time_ns t = step(s);

        most = t > most ? t : most;
        if (until_other && detect_other_rules(s->d, NULL, NULL, &e) == 1)
            break;
    }
    *took = clock_steady() - start;
    return most;
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
        time_ns took, alone, calm = longest(&s, 300 * NS_PER_MS, false, &alone), most;

        snprintf(text, sizeof text, "title: t%d\nid: one\nlogsource: {product: windows}\ndetection: {s: {CommandLine: 'x%d'}, condition: s}\n", round, round);
        if (file_write_atomic(file, str_c(text), 0644, &e) < 0)
            die("rule", &e);
        most = longest(&s, 10 * NS_PER_SECOND, true, &took);
        printf("changed file in force after %6.1f ms; longest step %5.2f ms, without a change %5.2f ms\n", (double)took / 1e6, (double)most / 1e6, (double)calm / 1e6);
    }
    detect_close(&s.d);
    journal_close(&s.j);
    event_batch_free(&s.b);
    return 0;
}
