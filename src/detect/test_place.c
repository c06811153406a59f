/* test_place.c - see test_place.h. */
#include "detect/test_place.h"
#include "store/store.h"

#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"

void place_make(struct place *p)
{
    struct err e;

    *p->policy = 0;
    p->slice = 0;
    snprintf(p->root, sizeof p->root, "/tmp/saqshy-detect-XXXXXX");
    assert_non_null(mkdtemp(p->root));
    snprintf(p->journal, sizeof p->journal, "%s/journal", p->root);
    snprintf(p->findings, sizeof p->findings, "%s/findings", p->root);
    snprintf(p->state, sizeof p->state, "%s/detect.state", p->root);
    snprintf(p->rules, sizeof p->rules, "%s/rules", p->root);
    assert_int_equal(file_mkdirs(p->rules, 0755, &e), 0);
}

void place_remove(struct place *p)
{
    char command[128];

    snprintf(command, sizeof command, "rm -rf -- %s", p->root);
    assert_int_equal(system(command), 0);
}

void write_rule(const struct place *p, const char *file, const char *text)
{
    char path[160];
    struct err e;

    snprintf(path, sizeof path, "%s/%s", p->rules, file);
    assert_int_equal(file_write_atomic(path, str_c(text), 0644, &e), 0);
}

struct detect *open_detect(const struct place *p, const char *rules, struct err *e)
{
    const char *paths[] = { rules };
    struct detect_config c = { .journal = p->journal, .findings = p->findings, .state_file = p->state, .rules = paths,
                               .rule_count = 1, .checkpoint_ms = 1, .slice_bytes = p->slice };
    struct detect *d = NULL;

    c.policy = *p->policy ? p->policy : NULL;
    if (detect_open(&c, NULL, NULL, &d, e) < 0)
        fail_msg("%s", e->text);
    return d;
}

/* read_findings - all findings as lines of JSON. */
size_t read_findings(const struct place *p, struct buf *out)
{
    struct journal_reader *r = NULL;
    struct event_batch b;
    struct err e;
    size_t count = 0;
    int n;

    event_batch_init(&b, 0);
    assert_int_equal(journal_reader_open(p->findings, 0, &r, &e), 0);
    while ((n = journal_reader_next(r, &b, NULL, &e)) > 0)
        for (int i = 0; i < n; i++, count++) {
            event_json(&b.items[i], out);
            buf_byte(out, '\n');
        }
    assert_int_equal(n, 0);
    journal_reader_close(&r);
    event_batch_free(&b);
    return count;
}

/* fill - frames of varying size; kinds and users by a fixed row of pseudo-random numbers. */
void fill(const struct place *p, unsigned from, unsigned frames, uint32_t *random)
{
    struct journal *j = NULL;
    struct event_batch b;
    struct err e;
    unsigned t = from;

    event_batch_init(&b, 0);
    assert_int_equal(journal_open(p->journal, MIB, &j, &e), 0);
    for (unsigned f = 0; f < frames; f++) {
        event_batch_reset(&b);
        for (unsigned i = 0; i < 1 + f % 7; i++) {
            struct event *ev = event_batch_add(&b);

            *random = *random * 1664525 + 1013904223;
            ev->time = ev->received = (1700000000 + (int64_t)(t += *random >> 30)) * NS_PER_SECOND;
            ev->class = CLASS_OS_UNIX;
            ev->original = arena_printf(&b.arena, "line %u", 1000000 + t);   /* of so many digits that indexes of blocks have it */
            ev->object = *random & 0x4000 ? STR("obj-1") : STR("obj-2");
            assert_int_equal(event_add(ev, &b.arena, STR("kind"), *random & 0x8000 ? STR("fail") : STR("ok")), 0);
            assert_int_equal(event_add(ev, &b.arena, STR("user"), arena_printf(&b.arena, "u%u", *random >> 16 & 7)), 0);
            assert_int_equal(event_add(ev, &b.arena, STR("user.name"), event_get(ev, STR("user"))), 0);
            assert_int_equal(event_add(ev, &b.arena, STR("n"), arena_printf(&b.arena, "%u", *random >> 8 & 63)), 0);
        }
        assert_int_equal(journal_append(j, b.items, b.count, (struct journal_origin){ { NULL, 0 }, 0 }, NULL, &e), 0);
    }
    assert_int_equal(journal_commit(j, &e), 0);
    journal_close(&j);
    event_batch_free(&b);
}

void run_to_end(const struct place *p)
{
    struct err e;
    struct detect *d = open_detect(p, p->rules, &e);
    int n;

    while ((n = detect_step(d, 0, &e)) != 0)
        assert_true(n > 0);
    assert_int_equal(detect_checkpoint(d, &e), 0);
    detect_close(&d);
}

/* killed_run - a child that a timer ends wherever it stands (SIGALRM, not caught: no cleaning up, as by kill -9). */
bool killed_run(const struct place *p, unsigned microseconds)
{
    int status = 0;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        struct itimerval after = { .it_value = { .tv_usec = microseconds } };
        struct err e;
        struct detect *d;
        int n;

        setitimer(ITIMER_REAL, &after, NULL);
        d = open_detect(p, p->rules, &e);
        while ((n = detect_step(d, 0, &e)) > 0)
            ;
        _exit(n == 0 ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status))
        assert_int_equal(WEXITSTATUS(status), 0);
    return WIFSIGNALED(status);
}

/* --- rows of events, and what was found in them --- */

static const char policy_text[] =
    "group: {window: %s, update: %s, by: [host.name, user]}\nstorm: {groups: %d}\nraise_from: %s\n"
    "levels:\n  - {rule: up, level: critical, objects: [obj-2]}\n  - {rule: up, level: low}\n"
    "risk:\n  half_life: 1h\n  points: {informational: 1, low: 3, medium: 10, high: 30, critical: 60}\n  host: 50\n  user: 50\n"
    "  ignore_users: [system]\n  level: high\n  title: {kk: k, ru: r, en: e}\n";

void policy_write(struct place *p, const char *window, const char *update, int groups, const char *from)
{
    char text[2048];
    struct err e;

    snprintf(p->policy, sizeof p->policy, "%s/policy.yaml", p->root);
    snprintf(text, sizeof text, policy_text, window, update, groups, from);
    assert_int_equal(file_write_atomic(p->policy, str_c(text), 0644, &e), 0);
}

void put_rows(const struct place *p, const struct row *rows, size_t count)
{
    struct journal *j = NULL;
    struct event_batch b;
    struct err e;

    event_batch_init(&b, 0);
    assert_int_equal(journal_open(p->journal, MIB, &j, &e), 0);
    for (size_t i = 0; i < count; i++) {
        struct event *ev = event_batch_add(&b);

        ev->time = ev->received = (T0 + rows[i].at) * NS_PER_SECOND;
        ev->original = arena_printf(&b.arena, "line %d", rows[i].at);
        ev->object = str_c(rows[i].object ? rows[i].object : "obj-1");
        assert_int_equal(event_add(ev, &b.arena, STR("kind"), str_c(rows[i].kind)), 0);
        assert_int_equal(event_add(ev, &b.arena, STR("user"), str_c(rows[i].user)), 0);
        assert_int_equal(event_add(ev, &b.arena, STR("user.name"), str_c(rows[i].user)), 0);
    }
    assert_int_equal(journal_append(j, b.items, b.count, (struct journal_origin){ { NULL, 0 }, 0 }, NULL, &e), 0);
    assert_int_equal(journal_commit(j, &e), 0);
    journal_close(&j);
    event_batch_free(&b);
}

void index_to(const struct place *p, uint64_t seq, size_t block)
{
    struct store_options o = { .block_events = block };
    struct journal_reader *r = NULL;
    struct store *s = NULL;
    struct event_batch b;
    char folder[96];
    struct err e;
    int n;

    snprintf(folder, sizeof folder, "%s/store", p->root);
    event_batch_init(&b, 0);
    assert_int_equal(store_open(folder, &o, &s, &e), 0);
    assert_int_equal(journal_reader_open(p->journal, store_next_seq(s), &r, &e), 0);
    while ((n = journal_reader_next(r, &b, NULL, &e)) > 0)
        for (int i = 0; i < n && b.items[i].seq < seq; i++)
            assert_int_equal(store_add(s, &b.items[i], 1, b.items[i].received, &e), 0);
    assert_int_equal(store_seal(s, &e), 0);
    journal_reader_close(&r);
    store_close(&s);
    event_batch_free(&b);
}

void killed_finds_the_same(void (*furnish)(struct place *p), size_t least, const char *const *parts, size_t count)
{
    AUTO_BUF struct buf want, got;
    struct place whole, torn;
    uint32_t random = 7, again = 7;
    unsigned kills = 0;

    buf_init(&want, 0);
    buf_init(&got, 0);
    place_make(&whole);
    place_make(&torn);
    torn.slice = 1;   /* so kills come between slices too */
    furnish(&whole);
    furnish(&torn);
    for (unsigned round = 0; round < 30; round++) {
        fill(&whole, round * 300, 20, &random);
        fill(&torn, round * 300, 20, &again);
        for (unsigned k = 0; k < 3; k++)
            kills += killed_run(&torn, 1 + (random >> 8 ^ round * 7919 ^ k * 104729) % 60000);
    }
    run_to_end(&whole);
    run_to_end(&torn);
    assert_true(read_findings(&whole, &want) > least);
    for (size_t i = 0; i < count; i++)
        CHECK(parts[i], str_find(buf_view(&want), str_c(parts[i])) > 0);   /* each kind took part */
    read_findings(&torn, &got);
    assert_true(kills > 5);
    assert_true(str_eq(buf_view(&want), buf_view(&got)));
    place_remove(&whole);
    place_remove(&torn);
}

json_t *findings_of(const struct place *p, const char *rule)
{
    AUTO_BUF struct buf b;
    struct str rest, line;
    json_t *all = json_array();

    buf_init(&b, 0);
    read_findings(p, &b);
    rest = buf_view(&b);
    while (str_split(&rest, '\n', &line)) {
        json_t *f = line.n ? json_loadb(line.p, line.n, 0, NULL) : NULL;

        if (f && strcmp(json_string_value(json_object_get(f, "rule.id")), rule) == 0)
            json_array_append(all, f);
        json_decref(f);
    }
    return all;
}

const char *told_text(const json_t *list, size_t i, const char *name)
{
    const char *s = json_string_value(json_object_get(json_array_get(list, i), name));

    return s ? s : "";
}

unsigned long long told_number(const json_t *list, size_t i, const char *name) { return strtoull(told_text(list, i, name), NULL, 10); }
