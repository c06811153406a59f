/* test_live.c - rules that change while detection runs: the thread that reads them, windows that go on, kills at any moment. */
#include <fcntl.h>
#include <jansson.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "detect/inside.h"
#include "detect/publish.h"
#include "detect/sets.h"
#include "detect/test_place.h"

/* Each version of the rules says its number in every finding: an odd one finds nothing, an even one finds every event. */
static void write_version(const struct place *p, unsigned v)
{
    char text[256];

    snprintf(text, sizeof text, "title: v%u\nid: version\nlevel: low\nlogsource: {}\ndetection: {s: {n: '%s'}, condition: s}\n", v, v % 2 ? "never" : "*");
    write_rule(p, "r.yml", text);
}

static unsigned version_of(const struct detect *d)
{
    const struct sigma_rule *r = sigma_rule_find(detect_sigma(d), STR("version"));
    uint64_t v = 0;

    assert_true(r && str_u64(str_cut(r->title, 1), &v));
    return (unsigned)v;
}

static void step_until(struct detect *d, bool (*done)(struct detect *d, void *arg), void *arg)
{
    bool yes = done(d, arg);
    struct err e;

    for (int i = 0; i < 3000 && !yes; i++, yes = done(d, arg))
        if (detect_step(d, 10, &e) < 0)
            fail_msg("%s", e.text);
    assert_true(yes);
}

static bool runs_version(struct detect *d, void *arg) { return version_of(d) == *(unsigned *)arg; }

static void a_change_is_seen_by_itself_and_looks_at_what_comes_next(void **state)
{
    struct place p;
    AUTO_BUF struct buf out;
    uint32_t random = 5;
    unsigned want;
    struct err e;

    (void)state;
    buf_init(&out, 0);
    place_make(&p);
    write_version(&p, 1);
    fill(&p, 0, 20, &random);
    struct detect *d = open_detect(&p, p.rules, &e);
    assert_int_equal(detect_watch(d, &e), 0);
    while (detect_step(d, 0, &e) > 0)
        ;
    uint64_t before = detect_seq(d);
    write_version(&p, want = 2);
    step_until(d, runs_version, &want);
    assert_int_equal(detect_other_rules(d, NULL, NULL, &e), 1);
    assert_int_equal(detect_other_rules(d, NULL, NULL, &e), 0);
    fill(&p, 100, 5, &random);
    while (detect_step(d, 0, &e) > 0)
        ;
    assert_int_equal(detect_stop(d, &e), 0);
    uint64_t after = detect_seq(d);
    detect_close(&d);
    assert_int_equal(read_findings(&p, &out), after - before);
    assert_true(str_find(buf_view(&out), STR("\"rule.name\":\"v2\"")) >= 0);
    place_remove(&p);
}

struct heard { unsigned kept, all; };
static void hear(void *arg, const struct sigma_refusal *r, bool kept)
{
    struct heard *h = arg;

    (void)r;
    h->kept += kept;
    h->all++;
}

static bool other_rules(struct detect *d, void *arg)
{
    struct err e;

    return detect_other_rules(d, hear, arg, &e) == 1;
}

static void a_file_that_became_broken_is_told_and_goes_on(void **state)
{
    struct place p;
    struct heard h = { 0 };
    struct err e;

    (void)state;
    place_make(&p);
    write_version(&p, 2);
    write_rule(&p, "s.yml", "title: s\nid: s\nlogsource: {}\ndetection: {s: {a: b}, condition: s}\n");
    struct detect *d = open_detect(&p, p.rules, &e);
    assert_int_equal(detect_watch(d, &e), 0);
    write_rule(&p, "r.yml", "title: v4\nid: version\nlogsource: {}\ndetection: {s: {n|nonsense: 'x'}, condition: s}\n");
    step_until(d, other_rules, &h);
    assert_int_equal(version_of(d), 2);
    assert_true(h.kept == 1 && h.all == 1 && detect_rules_now(d)->kept == 1 && detect_rules_now(d)->loaded == 2);
    detect_close(&d);
    place_remove(&p);
}

static void a_change_costs_the_file_that_changed(void **state)
{
    struct heard h = { 0 };
    unsigned want;
    struct place p;
    struct err e;

    (void)state;
    place_make(&p);
    write_version(&p, 1);
    for (int i = 0; i < 50; i++) {
        char name[24], text[160];

        snprintf(name, sizeof name, "of-%d.yml", i);
        snprintf(text, sizeof text, "title: f%d\nid: f%d\nlogsource: {}\ndetection: {s: {f%d: b}, condition: s}\n", i, i, i);
        write_rule(&p, name, text);
    }
    struct detect *d = open_detect(&p, p.rules, &e);
    assert_int_equal(detect_rules_now(d)->compiled, 51);
    assert_int_equal(detect_watch(d, &e), 0);
    write_version(&p, want = 2);
    step_until(d, runs_version, &want);
    assert_int_equal(detect_rules_now(d)->compiled, 1);
    assert_int_equal(detect_rules_now(d)->loaded, 51);
    assert_int_equal(detect_other_rules(d, NULL, NULL, &e), 1);
    write_rule(&p, "of-7.yml", "title: f7\nid: f7\nlogsource: {}\ndetection: {s: {n|nonsense: 'x'}, condition: s}\n");   /* what goes on is not compiled either */
    step_until(d, other_rules, &h);
    assert_int_equal(detect_rules_now(d)->compiled, 0);
    assert_int_equal(detect_rules_now(d)->kept, 1);
    detect_close(&d);
    place_remove(&p);
}

/* --- what the loop itself does when the rules change --- */

/* put_origins - one event of each of so many services. */
static void put_origins(const struct place *p, int from, int to)
{
    struct journal *j = NULL;
    struct event_batch b;
    struct err e;

    event_batch_init(&b, 0);
    assert_int_equal(journal_open(p->journal, MIB, &j, &e), 0);
    for (int i = from; i < to; i++) {
        struct event *ev = event_batch_add(&b);

        ev->time = ev->received = (T0 + i) * NS_PER_SECOND;
        ev->class = CLASS_OS_UNIX;
        ev->parser = arena_printf(&b.arena, "service%d", i);
        assert_int_equal(event_add(ev, &b.arena, STR("n"), STR("1")), 0);
    }
    assert_true(journal_append(j, b.items, b.count, (struct journal_origin){ { NULL, 0 }, 0 }, NULL, &e) >= 0 && journal_commit(j, &e) == 0);
    journal_close(&j);
    event_batch_free(&b);
}

static void run_out(struct detect *d)
{
    struct err e;

    while (detect_step(d, 0, &e) > 0)
        ;
}

/* A look at all rules for each origin of events is the one thing that grows with the rules and that the first events of a new set need. */
static void origins_that_came_before_are_met_before_the_set_looks(void **state)
{
    char text[200], name[24];
    struct place p;
    unsigned want;
    struct err e;

    (void)state;
    place_make(&p);
    write_version(&p, 1);
    for (int i = 0; i < 40; i++) {
        snprintf(name, sizeof name, "of-%d.yml", i);
        snprintf(text, sizeof text, "title: f%d\nid: f%d\nlogsource: {service: service%d}\ndetection: {s: {n: '2'}, condition: s}\n", i, i, i);
        write_rule(&p, name, text);
    }
    put_origins(&p, 0, 30);
    struct detect *d = open_detect(&p, p.rules, &e);
    assert_int_equal(detect_watch(d, &e), 0);
    run_out(d);
    assert_int_equal(sigma_run_met(d->run), 30);     /* the first set met them as they came */
    write_version(&p, want = 2);
    step_until(d, runs_version, &want);
    put_origins(&p, 0, 30);
    run_out(d);
    assert_int_equal(sigma_run_met(d->run), 0);      /* the second had met them */
    put_origins(&p, 25, 35);
    run_out(d);
    assert_int_equal(sigma_run_met(d->run), 5);
    write_version(&p, want = 4);
    step_until(d, runs_version, &want);
    put_origins(&p, 0, 35);
    run_out(d);
    assert_int_equal(sigma_run_met(d->run), 0);
    detect_close(&d);
    place_remove(&p);
}

static bool told_all(struct detect *d, void *arg)
{
    struct heard *h = arg, before = *h;
    struct err e;

    assert_true(detect_other_rules(d, hear, h, &e) >= 0);
    assert_true(h->all - before.all <= DETECT_TELL_MAX);
    return h->all == 100;
}

static void refusals_are_told_a_few_at_a_step(void **state)
{
    struct heard h = { 0 };
    AUTO_BUF struct buf b;
    struct place p;
    struct err e;

    (void)state;
    buf_init(&b, 0);
    place_make(&p);
    write_version(&p, 1);
    struct detect *d = open_detect(&p, p.rules, &e);
    assert_int_equal(detect_watch(d, &e), 0);
    for (int i = 0; i < 100; i++)
        buf_printf(&b, "%stitle: b%d\nid: b%d\nlogsource: {}\ndetection: {s: {n|nonsense: 1}, condition: s}\n", i ? "---\n" : "", i, i);
    buf_byte(&b, 0);
    write_rule(&p, "b.yml", b.p);
    step_until(d, told_all, &h);
    assert_int_equal(detect_other_rules(d, hear, &h, &e), 0);
    assert_int_equal(h.all, 100);
    detect_close(&d);
    place_remove(&p);
}

static void the_list_of_exceptions_is_written_beside_the_loop(void **state)
{
    char path[160];
    struct place p;
    AUTO_BUF struct buf b;
    struct err e;

    (void)state;
    place_make(&p);
    write_version(&p, 1);
    buf_init(&b, 0);
    snprintf(path, sizeof path, "%s/exceptions.json", p.root);
    struct detect *d = open_detect(&p, p.rules, &e);
    assert_int_equal(detect_publish_exceptions(d, path, 0, &e), 0);    /* no thread yet: at once */
    assert_true(file_exists(path));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(detect_watch(d, &e), 0);
    assert_int_equal(detect_publish_exceptions(d, path, 0, &e), 0);
    for (int i = 0; i < 3000 && d->exceptions.busy; i++)
        assert_true(detect_step(d, 1, &e) >= 0 && detect_publish(d, false, NULL, NULL, &e) == 0);
    assert_true(file_exists(path));
    snprintf(path, sizeof path, "%s/nowhere/exceptions.json", p.root);
    int rc = detect_publish_exceptions(d, path, 0, &e);
    for (int i = 0; i < 3000 && rc == 0; i++)
        rc = detect_step(d, 1, &e) < 0 ? 1 : detect_publish(d, false, NULL, NULL, &e);
    assert_int_equal(rc, -ENOENT);
    detect_close(&d);
    place_remove(&p);
}

static void what_is_measured_is_kept_over_a_stop(void **state)
{
    uint32_t random = 3;
    char path[160];
    struct place p;
    AUTO_BUF struct buf one, other;
    struct err e;

    (void)state;
    place_make(&p);
    buf_init(&one, 0);
    buf_init(&other, 0);
    snprintf(path, sizeof path, "%s.frequency", p.state);
    write_rule(&p, "m.yml", "title: m\nid: m\nlogsource: {}\ndetection: {s: {user|contains: someone, kind|contains: fail}, condition: s}\n");
    fill(&p, 0, 2000, &random);      /* some 8,000 events */
    struct detect *d = open_detect(&p, p.rules, &e);
    run_out(d);
    assert_true(detect_seq(d) > 2 * LIVE_MEASURE_EVERY);
    assert_int_equal(detect_stop(d, &e), 0);
    detect_close(&d);
    assert_int_equal(file_read(path, MIB, &one, &e), 0);
    assert_true(one.n > 24);
    d = open_detect(&p, p.rules, &e);
    assert_int_equal(detect_stop(d, &e), 0);
    detect_close(&d);
    assert_int_equal(file_read(path, MIB, &other, &e), 0);
    assert_true(str_eq(buf_view(&one), buf_view(&other)));
    assert_int_equal(file_write_atomic(path, STR("torn"), 0600, &e), 0);   /* nothing is lost but numbers */
    d = open_detect(&p, p.rules, &e);
    assert_int_equal(detect_rules_now(d)->loaded, 1);
    detect_close(&d);
    place_remove(&p);
}

/* --- windows --- */

#define GROUPS(name, rest) "title: " name "\nid: " name "\ncorrelation: {rules: one, generate: true, " rest "}\n---\n"
static const char windows_text[] =
    PLAIN("one", "fail") GROUPS("count", "type: event_count, group-by: user, timespan: 20s, condition: {gte: 3}")
    GROUPS("values", "type: value_count, timespan: 15s, condition: {field: user, gte: 4}") GROUPS("few", "type: event_count, group-by: user, timespan: 10s, condition: {lt: 2}")
    GROUPS("sum", "type: value_sum, group-by: user, timespan: 20s, condition: {field: n, gte: 100}") GROUPS("gone", "type: saqshy_absence, group-by: user, timespan: 15s")
    "title: chain\nid: chain\ncorrelation: {type: temporal_ordered, rules: [one, count], group-by: user, timespan: 30s, generate: true}\n";

/* A file that changes nothing of them comes and goes: windows are handed from set to set, and what is found is what a run without changes finds. */
static void windows_go_from_set_to_set(void **state)
{
    struct place whole, changed;
    AUTO_BUF struct buf want, got;
    uint32_t a = 11, b = 11;
    struct err e;
    int n, i = 0;

    (void)state;
    buf_init(&want, 0);
    buf_init(&got, 0);
    place_make(&whole);
    place_make(&changed);
    write_rule(&whole, "r.yml", windows_text);
    write_rule(&changed, "r.yml", windows_text);
    fill(&whole, 0, 400, &a);
    fill(&changed, 0, 400, &b);
    run_to_end(&whole);
    struct detect *d = open_detect(&changed, changed.rules, &e);
    while ((n = detect_step(d, 0, &e)) > 0) {
        if (++i % 7 == 0) {
            write_rule(&changed, "a.yml", i % 2 ? "title: x\nid: x\nlogsource: {}\ndetection: {s: {x: y}, condition: s}\n"
                                                : "title: x\nid: z\nlogsource: {}\ndetection: {s: {other: y}, condition: s}\n");
            assert_int_equal(detect_reload(d, true, NULL, NULL, &e), 1);
        }
    }
    assert_int_equal(n, 0);
    detect_close(&d);
    assert_true(read_findings(&whole, &want) > 200);
    read_findings(&changed, &got);
    assert_true(str_eq(buf_view(&want), buf_view(&got)));
    place_remove(&whole);
    place_remove(&changed);
}

/* --- kills --- */

struct looked { uint64_t from, to; uint32_t version, pad; };

/* killed_watch - a child that a timer ends wherever it stands; it says which events it looked at with which version. */
static bool killed_watch(const struct place *p, unsigned microseconds, int to)
{
    int status = 0;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        struct itimerval after = { .it_value = { .tv_usec = microseconds } };
        struct detect *d;
        struct err e;

        setitimer(ITIMER_REAL, &after, NULL);
        d = open_detect(p, p->rules, &e);
        if (detect_watch(d, &e) < 0)
            _exit(2);
        for (int idle = 0; idle < 20;) {
            struct looked l = { .from = detect_seq(d) };
            int n = detect_step(d, 1, &e);

            l.version = version_of(d);
            l.to = detect_seq(d);
            idle = n == 0 ? idle + 1 : 0;
            if (n < 0 || (n > 0 && write(to, &l, sizeof l) != sizeof l))
                _exit(3);
        }
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status))
        assert_int_equal(WEXITSTATUS(status), 0);
    return WIFSIGNALED(status);
}

/* versions_found - by event: the version of its finding, 0: none. */
static void versions_found(const struct place *p, unsigned *by_seq, size_t count)
{
    AUTO_BUF struct buf out;
    struct str text, line;

    buf_init(&out, 0);
    read_findings(p, &out);
    text = buf_view(&out);
    while (str_split(&text, '\n', &line)) {
        json_t *j = line.n ? json_loadb(line.p, line.n, 0, NULL) : NULL;
        uint64_t seq, v;

        if (!j)
            continue;
        assert_true(str_u64(str_c(json_string_value(json_object_get(j, "saqshy.first_seq"))), &seq) && seq < count);
        assert_true(str_u64(str_c(json_string_value(json_object_get(j, "rule.name")) + 1), &v));
        assert_int_equal(by_seq[seq], 0);          /* exactly once */
        by_seq[seq] = (unsigned)v;
        json_decref(j);
    }
}

#define EVENTS_MAX 20000

static void killed_while_rules_change_no_event_is_looked_at_by_later_ones(void **state)
{
    static unsigned found[EVENTS_MAX];
    struct place p;
    struct looked l;
    uint32_t random = 9;
    unsigned version = 1, kills = 0, last = 0, silent = 0, told = 0;
    unsigned span = 60000;
    char path[160];
    off_t said = 0;
    struct err e;

    (void)state;
    memset(found, 0, sizeof found);
    place_make(&p);
    write_version(&p, version);
    snprintf(path, sizeof path, "%s/looked", p.root);
    AUTO_CLOSE int looked = open(path, O_CREAT | O_RDWR | O_APPEND | O_CLOEXEC, 0600);
    assert_true(looked >= 0);
    for (unsigned round = 0; round < 40; round++) {
        fill(&p, round * 300, 20, &random);
        pid_t writer = fork();          /* changes the rules while detection runs, or while it is down */

        if (writer == 0) {
            usleep((random >> 8) % (span / 2));
            write_version(&p, version + 1);
            _exit(0);
        }
        version++;
        kills += killed_watch(&p, 2000 + (random >> 4) % span, looked);
        assert_int_equal(waitpid(writer, NULL, 0), writer);
        if (said == lseek(looked, 0, SEEK_END) && span < 2000000)   /* a slow machine: it was ended before it looked at anything */
            span *= 2;
        said = lseek(looked, 0, SEEK_END);
    }
    struct detect *d = open_detect(&p, p.rules, &e);
    assert_int_equal(detect_watch(d, &e), 0);
    unsigned final = version;
    step_until(d, runs_version, &final);
    while (detect_step(d, 0, &e) > 0)
        ;
    assert_int_equal(detect_stop(d, &e), 0);
    uint64_t end = detect_seq(d);
    detect_close(&d);
    assert_true(end < EVENTS_MAX);
    versions_found(&p, found, EVENTS_MAX);
    for (uint64_t s = 1; s < end; s++)
        if (found[s]) {
            assert_true(found[s] >= last);         /* from the first event to the last, versions only grow */
            last = found[s];
            told++;
        }
    assert_int_equal(lseek(looked, 0, SEEK_SET), 0);
    while (read(looked, &l, sizeof l) == sizeof l)
        for (uint64_t s = l.from ? l.from : 1; s < l.to && l.version % 2; s++, silent++)
            if (found[s])
                fail_msg("event %llu was looked at by version %u, and again by %u", (unsigned long long)s, l.version, found[s]);
    assert_true(kills > 3 && silent > 100 && told > 100);
    place_remove(&p);
}

/* Killed before the first state was saved there is none that says where to go on, but there are findings. */
static void before_the_first_state_too_no_event_is_looked_at_by_later_ones(void **state)
{
    struct place p;
    const char *paths[] = { p.rules };
    struct detect_config c = { .journal = p.journal, .findings = p.findings, .state_file = p.state, .rules = paths, .rule_count = 1, .checkpoint_ms = 1000000 };
    uint32_t random = 3;
    int status = 0;
    pid_t child;
    struct err e;

    (void)state;
    place_make(&p);
    write_version(&p, 2);
    fill(&p, 0, 1, &random);
    child = fork();
    if (child == 0) {
        struct detect *d = NULL;

        _exit(detect_open(&c, NULL, NULL, &d, &e) == 0 && detect_step(d, 0, &e) > 0 ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0 && !file_exists(p.state));
    write_version(&p, 3);
    struct detect *d = open_detect(&p, p.rules, &e);
    assert_int_equal(version_of(d), 2);
    while (detect_step(d, 0, &e) > 0)
        ;
    fill(&p, 1, 1, &random);
    while (detect_step(d, 0, &e) > 0)
        ;
    assert_int_equal(version_of(d), 3);
    detect_close(&d);
    place_remove(&p);
}

static void a_stop_is_not_a_kill_new_rules_look_at_what_came_meanwhile(void **state)
{
    struct place p;
    AUTO_BUF struct buf out;
    uint32_t random = 3;
    struct err e;

    (void)state;
    buf_init(&out, 0);
    place_make(&p);
    write_version(&p, 1);
    fill(&p, 0, 20, &random);
    struct detect *d = open_detect(&p, p.rules, &e);
    while (detect_step(d, 0, &e) > 0)
        ;
    assert_int_equal(detect_stop(d, &e), 0);
    uint64_t before = detect_seq(d);
    detect_close(&d);
    write_version(&p, 2);
    fill(&p, 100, 20, &random);
    d = open_detect(&p, p.rules, &e);
    while (detect_step(d, 0, &e) > 0)
        ;
    uint64_t after = detect_seq(d);
    detect_close(&d);
    assert_int_equal(read_findings(&p, &out), after - before);
    place_remove(&p);
}

/* --- the list of sets --- */

static void what_is_kept_comes_back_and_what_is_cut_or_changed_is_refused(void **state)
{
    struct sigma_source given[] = { { STR("a.yml"), STR("title: a\n") }, { STR("dir/b.yml"), STR("") } }, *back;
    AUTO_BUF struct buf b;
    char path[160], stem[128];
    struct place p;
    struct arena a;
    size_t n;
    struct err e;

    (void)state;
    place_make(&p);
    buf_init(&b, 0);
    arena_init(&a, 0);
    snprintf(stem, sizeof stem, "%s/s", p.root);
    uint64_t hash = set_hash(given, 2);
    assert_int_equal(set_save(stem, given, NULL, 2, hash, 0, &e), SET_WHOLE);
    assert_int_equal(set_save(stem, given, NULL, 2, hash, 0, &e), SET_WAS_THERE);
    assert_int_equal(set_load(stem, hash, &a, &back, &n, &e), 0);
    assert_true(n == 2 && str_eq(back[0].text, given[0].text) && str_eq(back[1].path, given[1].path) && back[1].text.n == 0);
    assert_int_equal(set_load(stem, hash + 1, &a, &back, &n, &e), -ENOENT);
    snprintf(path, sizeof path, "%s.rules-%016llx", stem, (unsigned long long)hash);
    assert_int_equal(file_read(path, MIB, &b, &e), 0);
    for (size_t cut = 0; cut < b.n; cut++) {
        assert_int_equal(file_write_atomic(path, str_of(b.p, cut), 0600, &e), 0);
        assert_int_equal(set_load(stem, hash, &a, &back, &n, &e), -EBADMSG);
    }
    for (size_t i = 0; i < b.n; i++) {
        b.p[i] ^= 0x10;
        assert_int_equal(file_write_atomic(path, buf_view(&b), 0600, &e), 0);
        assert_true(set_load(stem, hash, &a, &back, &n, &e) < 0);
        b.p[i] ^= 0x10;
    }
    sets_clean(stem, &(struct sets){ .count = 0 });
    assert_false(file_exists(path));
    arena_free(&a);
    place_remove(&p);
}

/* A set of which most is in another: the file is small, and is good for as long as the other is there. */
static void a_changed_file_is_kept_as_a_part(void **state)
{
    static char large[4000];
    struct sigma_source base[] = { { STR("a"), STR("1") }, { STR("b"), str_of(large, sizeof large) }, { STR("c"), STR("3") }, { STR("d"), STR("4") } };
    struct sigma_source next[] = { { STR("0"), STR("0") }, base[0], base[1], { STR("c"), STR("33") }, base[3], { STR("e"), STR("5") } }, *back;
    const uint32_t at[] = { SET_NOT_THERE, 0, 1, SET_NOT_THERE, 3, SET_NOT_THERE }, none[] = { 0, SET_NOT_THERE, 2, 3 };
    uint64_t first = set_hash(base, 4), second = set_hash(next, 6);
    char path[160], base_path[160], stem[128];
    AUTO_BUF struct buf b;
    struct sets s = { .count = 1, .line = { { 1, second } } };
    struct place p;
    struct arena a;
    size_t n;
    struct err e;

    (void)state;
    memset(large, 'x', sizeof large);
    first = set_hash(base, 4);
    second = set_hash(next, 6);
    s.line[0].hash = second;
    place_make(&p);
    buf_init(&b, 0);
    arena_init(&a, 0);
    snprintf(stem, sizeof stem, "%s/s", p.root);
    snprintf(base_path, sizeof base_path, "%s.rules-%016llx", stem, (unsigned long long)first);
    snprintf(path, sizeof path, "%s.rules-%016llx", stem, (unsigned long long)second);
    assert_int_equal(set_save(stem, next, at, 6, second, first, &e), SET_WHOLE);   /* the other is not there */
    assert_int_equal(unlink(path), 0);
    assert_int_equal(set_save(stem, base, NULL, 4, first, 0, &e), SET_WHOLE);
    assert_int_equal(set_save(stem, next, at, 6, second, first, &e), SET_IN_PARTS);
    assert_int_equal(file_read(path, MIB, &b, &e), 0);
    assert_true(b.n < 100);
    assert_int_equal(set_load(stem, second, &a, &back, &n, &e), 0);
    assert_int_equal(n, 6);
    for (size_t i = 0; i < n; i++)
        assert_true(str_eq(back[i].path, next[i].path) && str_eq(back[i].text, next[i].text));
    sets_clean(stem, &s);
    assert_true(file_exists(path) && file_exists(base_path));    /* no line names the other, but it is needed */
    for (size_t cut = 0; cut < b.n; cut++) {
        assert_int_equal(file_write_atomic(path, str_of(b.p, cut), 0600, &e), 0);
        assert_true(set_load(stem, second, &a, &back, &n, &e) < 0);
    }
    for (size_t i = 0; i < b.n; i++) {
        b.p[i] ^= 0x10;
        assert_int_equal(file_write_atomic(path, buf_view(&b), 0600, &e), 0);
        assert_true(set_load(stem, second, &a, &back, &n, &e) < 0);
        b.p[i] ^= 0x10;
    }
    assert_int_equal(file_write_atomic(path, buf_view(&b), 0600, &e), 0);
    assert_int_equal(unlink(base_path), 0);
    assert_int_equal(set_load(stem, second, &a, &back, &n, &e), -ENOENT);
    sets_clean(stem, &(struct sets){ .count = 0 });
    assert_false(file_exists(path));
    base[1].text.p = "y";           /* most of it is new: written whole */
    base[1].text.n = 1;
    assert_int_equal(set_save(stem, base, NULL, 4, first, 0, &e), SET_WHOLE);
    base[1].text = str_of(large, sizeof large);
    assert_int_equal(set_save(stem, base, none, 4, set_hash(base, 4) + 1, first, &e), SET_WHOLE);
    arena_free(&a);
    place_remove(&p);
}

static void which_set_looked_from_where_is_kept(void **state)
{
    static const char *const bad[] = { "x 1\n", "1 00\n", "5 00000000000000aa\n5 00000000000000bb\n", "stop\n", "1 00000000000000zz\n" };
    struct sets s = { .count = 0 }, again;
    char path[160], stem[128];
    struct place p;
    struct err e;

    (void)state;
    place_make(&p);
    snprintf(stem, sizeof stem, "%s/s", p.root);
    sets_add(&s, 1, 0xAA, 0);
    sets_add(&s, 50, 0xBB, 10);
    sets_add(&s, 70, 0xBB, 10);
    assert_int_equal(s.count, 2);          /* the same set goes on */
    sets_add(&s, 90, 0xCC, 60);
    assert_true(s.count == 2 && s.line[0].hash == 0xBB);   /* a replay from 60 on does not need the first */
    sets_add(&s, 90, 0xDD, 60);
    assert_true(s.count == 2 && s.line[1].hash == 0xDD);
    s.stopped = true;
    s.stop = 95;
    assert_int_equal(sets_write(stem, &s, &e), 0);
    assert_int_equal(sets_read(stem, &again, &e), 0);
    assert_memory_equal(&again.line, &s.line, 2 * sizeof s.line[0]);
    assert_true(again.stopped && again.stop == 95);
    for (uint64_t i = 0; i < 3 * SETS_MAX; i++)
        sets_add(&s, 100 + i, i + 1, 0);
    assert_true(s.count == SETS_MAX && s.line[SETS_MAX - 1].hash == 3 * SETS_MAX);
    snprintf(path, sizeof path, "%s.rules", stem);
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_int_equal(file_write_atomic(path, str_c(bad[i]), 0600, &e), 0);
        CHECK(bad[i], sets_read(stem, &again, &e) == -EBADMSG);
    }
    place_remove(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_change_is_seen_by_itself_and_looks_at_what_comes_next),
        cmocka_unit_test(a_file_that_became_broken_is_told_and_goes_on),
        cmocka_unit_test(a_change_costs_the_file_that_changed),
        cmocka_unit_test(origins_that_came_before_are_met_before_the_set_looks),
        cmocka_unit_test(refusals_are_told_a_few_at_a_step),
        cmocka_unit_test(the_list_of_exceptions_is_written_beside_the_loop),
        cmocka_unit_test(what_is_measured_is_kept_over_a_stop),
        cmocka_unit_test(windows_go_from_set_to_set),
        cmocka_unit_test(killed_while_rules_change_no_event_is_looked_at_by_later_ones),
        cmocka_unit_test(before_the_first_state_too_no_event_is_looked_at_by_later_ones),
        cmocka_unit_test(a_stop_is_not_a_kill_new_rules_look_at_what_came_meanwhile),
        cmocka_unit_test(what_is_kept_comes_back_and_what_is_cut_or_changed_is_refused),
        cmocka_unit_test(a_changed_file_is_kept_as_a_part),
        cmocka_unit_test(which_set_looked_from_where_is_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
