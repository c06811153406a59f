/* test_coverage.c - the table of what arrives: counts over restarts and kills, states, fields, silences as findings, limits, the saved form. */
#include <jansson.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "detect/coverage.h"
#include "detect/policy.h"
#include "detect/test_place.h"

#define T0 INT64_C(1700000000)   /* seconds */

static const char policy_text[] =
    "group: {window: 1h, update: 1m, by: [host.name]}\nstorm: {groups: 60}\nraise_from: medium\n"
    "levels:\n  - {rule: saqshy-silence-source, level: low, objects: [quiet]}\n"
    "risk:\n  half_life: 1h\n  points: {informational: 1, low: 3, medium: 10, high: 30, critical: 60}\n  host: 50\n  user: 50\n"
    "  ignore_users: [system]\n  level: high\n  title: {kk: k, ru: r, en: e}\n"
    "silence:\n  ignore: [printer]\n  source:\n    level: medium\n    title: {kk: kk source, ru: ru source, en: en source}\n    measures: {kk: [a], ru: [b], en: [c, d]}\n"
    "  type:\n    level: medium\n    title: {kk: kk type, ru: ru type, en: en type}\n";

struct told { struct coverage *c; struct detect_policy *p; struct event_batch found; uint64_t seq; };

static void told_open(struct told *t)
{
    char path[] = "/tmp/saqshy-coverage-XXXXXX";
    struct err e;
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(file_write_atomic(path, str_c(policy_text), 0644, &e), 0);
    *t = (struct told){ 0 };
    if (detect_policy_load(path, NULL, &t->p, &e) < 0)
        fail_msg("%s", e.text);
    assert_int_equal(coverage_new(&t->c, &e), 0);
    event_batch_init(&t->found, 0);
    unlink(path);
}

static void told_close(struct told *t)
{
    coverage_free(&t->c);
    detect_policy_free(&t->p);
    event_batch_free(&t->found);
}

/* one - an event of a source at a moment, with types parted by blanks; returns how many silences it brought to light. */
static int one(struct told *t, int64_t at, const char *source, const char *object, enum event_class class, const char *types)
{
    struct event_batch b;
    struct event *ev;
    struct str rest = str_c(types), type;
    struct err e;
    int n;

    event_batch_init(&b, 0);
    ev = event_batch_add(&b);
    ev->seq = ++t->seq;
    ev->time = ev->received = (T0 + at) * NS_PER_SECOND;
    ev->source = str_c(source);
    ev->object = str_c(object);
    ev->class = class;
    ev->original = STR("line");
    while (str_split(&rest, ' ', &type))
        assert_int_equal(event_add(ev, &b.arena, STR("saqshy.types"), type), 0);
    assert_int_equal(event_add(ev, &b.arena, STR("host.name"), str_c(source)), 0);
    assert_int_equal(coverage_event(t->c, ev, &e), 0);
    n = coverage_due(t->c, t->p, ev, &t->found, &e);
    assert_true(n >= 0);
    event_batch_free(&b);
    return n;
}

static json_t *picture(const struct told *t, int64_t at)
{
    AUTO_BUF struct buf b;
    json_t *o;

    buf_init(&b, 0);
    coverage_json(t->c, (T0 + at) * NS_PER_SECOND, (T0 + at) * NS_PER_SECOND, t->seq + 1, &b);
    assert_false(buf_failed(&b));
    o = json_loadb(b.p, b.n, 0, NULL);
    assert_non_null(o);
    return o;
}

static const json_t *named(const json_t *list, const char *key, const char *value)
{
    const json_t *o;
    size_t i;

    json_array_foreach(list, i, o)
        if (strcmp(json_string_value(json_object_get(o, key)), value) == 0)
            return o;
    fail_msg("no %s %s", key, value);
    return NULL;
}

static const char *text(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));

    return s ? s : "";
}

static bool in_list(const json_t *list, const char *value)
{
    const json_t *o;
    size_t i;

    json_array_foreach(list, i, o)
        if (strcmp(json_string_value(o), value) == 0)
            return true;
    return false;
}

static void counts_states_and_never(void **state)
{
    struct told t;
    json_t *o;

    (void)state;
    told_open(&t);
    one(&t, 0, "web1", "obj-1", CLASS_OS_UNIX, "OS-04 UX-03");
    one(&t, 60, "web1", "obj-1", CLASS_OS_UNIX, "OS-04 OS-04");
    one(&t, 90, "web2", "obj-1", CLASS_OS_UNIX, "OS-04");
    one(&t, 100, "db1", "obj-1", CLASS_DB, "");
    one(&t, 120, "router", "", CLASS_NET, "NET-02");
    o = picture(&t, 130);
    const json_t *objects = json_object_get(o, "objects"), *web1 = named(json_object_get(o, "sources"), "source", "web1");
    assert_int_equal(json_array_size(objects), 3);   /* the router's, obj-1 as Unix, obj-1 as databases */
    const json_t *unix_part = json_array_get(objects, 1), *logins = named(json_object_get(unix_part, "types"), "type", "OS-04");
    assert_string_equal(text(unix_part, "class"), "os-unix");
    assert_int_equal(json_integer_value(json_object_get(unix_part, "events")), 3);
    assert_int_equal(json_integer_value(json_object_get(logins, "events")), 3);   /* a type told twice by one event is one */
    assert_int_equal(json_integer_value(json_object_get(logins, "sources")), 2);
    assert_string_equal(text(logins, "last_source"), "web2");
    assert_string_equal(text(logins, "first"), "2023-11-14T22:13:20Z");
    assert_string_equal(text(logins, "last"), "2023-11-14T22:14:50Z");
    assert_string_equal(text(logins, "state"), "arriving");
    assert_int_equal(json_integer_value(json_object_get(web1, "silence_s")), 60);
    assert_true(in_list(json_object_get(unix_part, "never"), "OS-01"));
    assert_false(in_list(json_object_get(unix_part, "never"), "OS-04"));
    assert_false(in_list(json_object_get(unix_part, "never"), "WIN-01"));   /* not applicable */
    assert_int_equal(json_array_size(json_object_get(unix_part, "never")), 14);
    assert_int_equal(json_array_size(json_object_get(json_array_get(objects, 2), "never")), 3);   /* DB-01 … 03 */
    json_decref(o);
    told_close(&t);
}

static void every_type_has_a_class_that_wants_it(void **state)
{
    size_t count[CLASS_COUNT] = { 0 };

    (void)state;
    for (int i = 0; i < EVENT_TYPES; i++) {
        bool wanted = false;

        assert_int_equal(event_type(event_types[i]), i);
        for (int k = 0; k < CLASS_COUNT; k++) {
            bool wants = coverage_wants((enum event_class)k, i);

            count[k] += wants;
            wanted = wanted || wants;
        }
        assert_true(wanted);
    }
    static const char *const none[] = { "", "OS-", "OS-0", "OS-00", "OS-14", "OS-1:", "OS-:1", "OS-011", "os-01", "FW-03", "XX-01" };
    for (size_t i = 0; i < COUNT(none); i++)
        assert_int_equal(event_type(str_c(none[i])), -1);
    assert_int_equal(count[CLASS_OS_UNIX], 16);
    assert_int_equal(count[CLASS_OS_WINDOWS], 24);
    assert_int_equal(count[CLASS_DB], 3);
    assert_int_equal(count[CLASS_NET], 7);
    assert_int_equal(count[CLASS_FW], 9);
    assert_int_equal(count[CLASS_APP], 5);
    assert_int_equal(count[CLASS_SEC], 4);
    assert_int_equal(count[CLASS_NONE], 0);
}

static void fields_of_the_chapter(void **state)
{
    struct told t;
    json_t *o;

    (void)state;
    told_open(&t);
    one(&t, 0, "db1", "obj-1", CLASS_DB, "DB-01");
    o = picture(&t, 1);
    const json_t *part = json_array_get(json_object_get(o, "objects"), 0), *type = named(json_object_get(part, "types"), "type", "DB-01");
    assert_true(in_list(json_object_get(type, "seen"), "event_datetime"));
    assert_true(in_list(json_object_get(type, "seen"), "host_ip_or_name"));
    assert_true(in_list(json_object_get(type, "lacks"), "account_id"));
    assert_false(in_list(json_object_get(type, "lacks"), "host_ip_or_name"));
    assert_false(in_list(json_object_get(type, "lacks"), "object_name"));   /* "where feasible" is not asked */
    json_decref(o);
    told_close(&t);
}

static void late_when_the_gap_is_three_times_the_usual(void **state)
{
    (void)state;
    assert_int_equal(coverage_late_after(600, 10 * 86400, 100000), 3600);    /* often: an hour at least */
    assert_int_equal(coverage_late_after(3600, 10 * 86400, 100000), 3 * 3600);
    assert_int_equal(coverage_late_after(3600, 10 * 86400, 50), 86400);      /* rare: a day at least */
    assert_int_equal(coverage_late_after(2 * 86400, 10 * 86400, 8), 6 * 86400);
    assert_int_equal(coverage_late_after(60, 10 * 86400, 2), 30 * 86400);    /* nobody can say yet what is usual */
    struct told t;
    json_t *o;
    told_open(&t);
    for (int i = 0; i < 300; i++)
        one(&t, i * 600, "web1", "obj-1", CLASS_OS_UNIX, "OS-04");
    o = picture(&t, 299 * 600 + 3600);
    assert_string_equal(text(named(json_object_get(json_array_get(json_object_get(o, "objects"), 0), "types"), "type", "OS-04"), "state"), "arriving");
    json_decref(o);
    o = picture(&t, 299 * 600 + 3601);
    assert_string_equal(text(named(json_object_get(json_array_get(json_object_get(o, "objects"), 0), "types"), "type", "OS-04"), "state"), "late");
    assert_string_equal(text(named(json_object_get(o, "sources"), "source", "web1"), "state"), "late");
    json_decref(o);
    told_close(&t);
}

/* hum - another source that goes on, so that time goes on; returns how many silences were told. */
static int hum(struct told *t, int64_t from, int64_t to)
{
    int n = 0;

    for (int64_t at = from; at < to; at += 60)
        n += one(t, at, "other", "obj-9", CLASS_APP, "");
    return n;
}

static const struct event *last_found(const struct told *t) { return &t->found.items[t->found.count - 1]; }

static void a_silent_source_is_told_once_and_again_after_it_came_back(void **state)
{
    struct told t;
    const struct event *f;

    (void)state;
    told_open(&t);
    for (int i = 0; i < 200; i++)
        assert_int_equal(one(&t, i * 60, "web1", "obj-1", CLASS_OS_UNIX, "OS-04"), 0);
    assert_int_equal(hum(&t, 12000, 12000 - 60 + 900), 0);
    assert_int_equal(hum(&t, 12000 - 60 + 901, 16000), 1);
    f = last_found(&t);
    assert_true(str_eq(event_get(f, STR("rule.id")), STR("saqshy-silence-source")));
    assert_true(str_eq(event_get(f, STR("rule.name_kk")), STR("kk source")));
    assert_true(str_eq(event_get(f, STR("saqshy.recommendations.en")), STR("c")));
    assert_true(str_eq(f->object, STR("obj-1")));
    assert_true(str_eq(f->source, STR("web1")));
    assert_true(str_eq(event_get(f, STR("saqshy.group")), STR("saqshy-silence-source|obj-1|web1")));
    assert_true(str_find(f->original, STR("no events from web1 since 2023-11-15T01:32:20")) == 0);
    assert_int_equal(hum(&t, 16000, 40000), 0);   /* once */
    assert_int_equal(one(&t, 40000, "web1", "obj-1", CLASS_OS_UNIX, ""), 0);
    for (int i = 0; i < 20; i++)
        one(&t, 40000 + i, "web1", "obj-1", CLASS_OS_UNIX, "");
    assert_int_equal(hum(&t, 40020, 40020 + 3 * 28080), 1);   /* twice the longest silence, 28,060 s, is asked for now */
    told_close(&t);
}

static void sources_that_fall_silent_together_are_one_finding(void **state)
{
    struct told t;

    (void)state;
    told_open(&t);
    for (int i = 0; i < 100; i++) {
        one(&t, i * 60, "web1", "obj-1", CLASS_OS_UNIX, "");
        one(&t, i * 60, "web2", "obj-1", CLASS_OS_UNIX, "");
        one(&t, i * 60, "web3", "obj-2", CLASS_OS_UNIX, "");
        one(&t, i * 60, "printer", "obj-2", CLASS_APP, "");     /* the policy lets it */
        one(&t, i * 60, "saqshyd", "", CLASS_APP, "");          /* our own log */
        one(&t, i * 60, "cellar", "quiet", CLASS_OS_UNIX, "");  /* of an object whose level is below raise_from */
    }
    one(&t, 6000, "passer-by", "obj-3", CLASS_OS_UNIX, "");
    assert_int_equal(hum(&t, 6000, 10000), 2);
    assert_true(str_eq(event_get(&t.found.items[0], STR("saqshy.group")), STR("saqshy-silence-source|obj-1")));
    assert_true(str_eq(event_get(&t.found.items[0], STR("saqshy.silence.count")), STR("2")));
    assert_true(str_eq(t.found.items[1].source, STR("web3")));
    told_close(&t);
}

static void a_type_that_stays_away_is_told_while_its_source_goes_on(void **state)
{
    struct told t;

    (void)state;
    told_open(&t);
    for (int i = 0; i < 4 * 24 * 12; i++)
        assert_int_equal(one(&t, i * 300, "web1", "obj-1", CLASS_OS_UNIX, i % 4 ? "OS-13" : "OS-04"), 0);
    int told = 0;
    for (int i = 4 * 24 * 12; i < 5 * 24 * 12; i++)   /* OS-04, each twenty minutes, is over: an hour is three times as long */
        told += one(&t, i * 300, "web1", "obj-1", CLASS_OS_UNIX, "OS-13");
    assert_int_equal(told, 1);
    assert_true(str_eq(event_get(last_found(&t), STR("rule.id")), STR("saqshy-silence-type")));
    assert_true(str_eq(event_get(last_found(&t), STR("saqshy.silence.type")), STR("OS-04")));
    assert_true(str_eq(event_get(last_found(&t), STR("saqshy.group")), STR("saqshy-silence-type|obj-1|OS-04|web1")));
    told_close(&t);
}

/* When the node itself heard nothing, the sources are not to blame. */
static void a_hole_of_everything_is_no_silence_of_a_source(void **state)
{
    struct told t;

    (void)state;
    told_open(&t);
    for (int i = 0; i < 100; i++)
        one(&t, i * 60, "web1", "obj-1", CLASS_OS_UNIX, "");
    assert_int_equal(one(&t, 50000, "other", "obj-9", CLASS_APP, ""), 0);
    assert_int_equal(hum(&t, 50060, 50000 + 900), 0);
    assert_int_equal(hum(&t, 50000 + 901, 50000 + 2000), 1);   /* it did not come back with the others */
    told_close(&t);
}

static void the_saved_table_goes_on_as_if_it_had_not_been_saved(void **state)
{
    struct told whole, cut;
    AUTO_BUF struct buf a, b;
    struct err e;
    uint32_t random = 7;
    int told[2] = { 0, 0 };

    (void)state;
    told_open(&whole);
    told_open(&cut);
    for (int i = 0; i < 5000; i++) {
        static const char *const sources[] = { "a", "b", "c" }, *const types[] = { "OS-01 OS-04", "OS-13", "" };
        random = random * 1664525 + 1013904223;
        const char *source = sources[i > 3000 ? 0 : random >> 20 & 1 ? 1 : random >> 22 & 1 ? 2 : 0], *type = types[(random >> 24) % 3];

        told[0] += one(&whole, i * 40, source, "obj-1", CLASS_OS_UNIX, type);
        told[1] += one(&cut, i * 40, source, "obj-1", CLASS_OS_UNIX, type);
        if (i % 97 == 0) {
            AUTO_BUF struct buf saved;

            buf_init(&saved, 0);
            coverage_save(cut.c, &saved);
            assert_int_equal(coverage_load(cut.c, buf_view(&saved), &e), 0);
        }
    }
    buf_init(&a, 0);
    buf_init(&b, 0);
    coverage_save(whole.c, &a);
    coverage_save(cut.c, &b);
    assert_true(told[0] > 0);
    assert_int_equal(told[0], told[1]);
    assert_true(str_eq(buf_view(&a), buf_view(&b)));
    /* Every cut of it, and bytes that are wrong, are refused or read as another table: never more than that. */
    for (size_t i = 0; i < a.n; i++)
        assert_int_equal(coverage_load(cut.c, str_of(a.p, i), &e), i ? -EBADMSG : 0);
    for (size_t i = 0; i < a.n; i++) {
        char kept = a.p[i];

        a.p[i] ^= 0x55;
        int rc = coverage_load(cut.c, buf_view(&a), &e);
        assert_true(rc == 0 || rc == -EBADMSG);
        a.p[i] = kept;
    }
    told_close(&whole);
    told_close(&cut);
}

static void the_table_is_bounded(void **state)
{
    struct told t;
    char name[32];

    (void)state;
    told_open(&t);
    one(&t, 0, "first", "obj-1", CLASS_OS_UNIX, "");
    one(&t, 0, "second", "obj-1", CLASS_OS_UNIX, "");
    one(&t, 1, "first", "obj-1", CLASS_OS_UNIX, "");
    for (int i = 0; i < COVERAGE_ROWS_MAX - 1; i++) {
        snprintf(name, sizeof name, "host-%d", i);
        one(&t, 2, name, "", CLASS_NONE, "");
    }
    assert_int_equal(coverage_rows(t.c), COVERAGE_ROWS_MAX);
    assert_int_equal(coverage_dropped(t.c), 1);
    json_t *o = picture(&t, 3);
    const json_t *first = named(json_object_get(o, "sources"), "source", "first");   /* the second was silent for longest */
    assert_int_equal(json_integer_value(json_object_get(first, "events")), 2);
    json_decref(o);
    told_close(&t);
}

/* --- detection as a whole: killed anywhere, each event is counted once and each silence told once --- */

static struct detect *open_counting(const struct place *p, struct err *e)
{
    const char *paths[] = { p->rules };
    struct detect_config c = { .journal = p->journal, .findings = p->findings, .state_file = p->state, .rules = paths, .rule_count = 1, .checkpoint_ms = 1,
                               .policy = p->policy, .coverage = true };
    struct detect *d = NULL;

    if (detect_open(&c, NULL, NULL, &d, e) < 0)
        fail_msg("%s", e->text);
    return d;
}

/* count_to_end - returns the picture, as of the last event. */
static json_t *count_to_end(const struct place *p)
{
    char path[160];
    struct err e;
    struct detect *d = open_counting(p, &e);
    json_t *o;
    int n;

    while ((n = detect_step(d, 0, &e)) != 0)
        assert_true(n > 0);
    assert_int_equal(detect_checkpoint(d, &e), 0);
    snprintf(path, sizeof path, "%s/coverage.json", p->root);
    assert_int_equal(detect_publish_coverage(d, path, (T0 + 400000) * NS_PER_SECOND, &e), 0);
    o = json_load_file(path, 0, NULL);
    assert_non_null(o);
    detect_close(&d);
    return o;
}

static void write_journal(const struct place *p, int from, int to)
{
    struct journal *j = NULL;
    struct event_batch b;
    struct err e;

    event_batch_init(&b, 0);
    assert_int_equal(journal_open(p->journal, MIB, &j, &e), 0);
    for (int i = from; i < to; i++) {
        event_batch_reset(&b);
        struct event *ev = event_batch_add(&b);
        int source = i > 2000 ? i % 2 : i % 3;   /* the third falls silent */

        ev->time = ev->received = (T0 + i * 30) * NS_PER_SECOND;
        ev->class = CLASS_OS_UNIX;
        ev->original = STR("line");
        ev->object = STR("obj-1");
        ev->source = arena_printf(&b.arena, "web%d", source);
        assert_int_equal(event_add(ev, &b.arena, STR("kind"), STR("fail")), 0);
        assert_int_equal(event_add(ev, &b.arena, STR("saqshy.types"), i % 5 ? STR("OS-13") : STR("OS-04")), 0);
        assert_int_equal(journal_append(j, b.items, b.count, (struct journal_origin){ { NULL, 0 }, 0 }, NULL, &e), 0);
    }
    assert_int_equal(journal_commit(j, &e), 0);
    journal_close(&j);
    event_batch_free(&b);
}

static void counted_place(struct place *p)
{
    struct err e;

    place_make(p);
    snprintf(p->policy, sizeof p->policy, "%s/policy.yaml", p->root);
    assert_int_equal(file_write_atomic(p->policy, str_c(policy_text), 0644, &e), 0);
    write_rule(p, "r.yml", "title: one\nid: one\nlevel: high\nlogsource: {}\ndetection: {s: {kind: other}, condition: s}\n");
}

static void killed_anywhere_each_event_is_counted_once(void **state)
{
    struct place whole, cut;
    AUTO_BUF struct buf a, b;
    json_t *want, *got;
    unsigned killed = 0;

    (void)state;
    counted_place(&whole);
    counted_place(&cut);
    write_journal(&whole, 0, 4000);
    want = count_to_end(&whole);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(json_object_get(want, "objects"), 0), "events")), 4000);
    for (int part = 0; part < 4; part++) {
        write_journal(&cut, part * 1000, part * 1000 + 1000);
        for (unsigned i = 0; i < 6; i++) {
            int status = 0;
            pid_t child = fork();

            assert_true(child >= 0);
            if (child == 0) {
                struct err e;
                struct detect *d = open_counting(&cut, &e);
                unsigned steps = 0;

                while (detect_step(d, 0, &e) > 0)
                    if (++steps > 50 + 37 * i)
                        raise(SIGKILL);
                _exit(0);
            }
            assert_int_equal(waitpid(child, &status, 0), child);
            killed += WIFSIGNALED(status);
        }
    }
    assert_true(killed > 0);
    got = count_to_end(&cut);
    if (!json_equal(want, got))
        fail_msg("want %s\ngot %s", json_dumps(json_object_get(want, "sources"), 0), json_dumps(json_object_get(got, "sources"), 0));
    buf_init(&a, 0);
    buf_init(&b, 0);
    assert_int_equal(read_findings(&whole, &a), 1);   /* web2 */
    assert_int_equal(read_findings(&cut, &b), 1);
    assert_non_null(strstr(a.p, "saqshy-silence-source|obj-1|web2"));
    assert_true(str_eq(buf_view(&a), buf_view(&b)));
    json_decref(want);
    json_decref(got);
    place_remove(&whole);
    place_remove(&cut);
}

/* A state of before this table is taken, and counting begins there. */
static void an_older_state_is_taken(void **state)
{
    struct place p;
    struct err e;
    json_t *o;

    (void)state;
    counted_place(&p);
    write_journal(&p, 0, 100);
    run_to_end(&p);   /* does not count */
    write_journal(&p, 100, 150);
    o = count_to_end(&p);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(json_object_get(o, "objects"), 0), "events")), 50);
    json_decref(o);
    o = count_to_end(&p);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(json_object_get(o, "objects"), 0), "events")), 50);
    json_decref(o);
    struct detect *d = open_counting(&p, &e);
    assert_string_equal(detect_note(d), "");
    detect_close(&d);
    place_remove(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        { .name = "R-12-02 what arrives is counted by object, class and type; what the chapter wants and never came is named", .test_func = counts_states_and_never },
        cmocka_unit_test(every_type_has_a_class_that_wants_it),
        { .name = "R-12-03 the fields of the chapter that events have and lack are known for each type", .test_func = fields_of_the_chapter },
        cmocka_unit_test(late_when_the_gap_is_three_times_the_usual),
        cmocka_unit_test(a_silent_source_is_told_once_and_again_after_it_came_back),
        cmocka_unit_test(sources_that_fall_silent_together_are_one_finding),
        cmocka_unit_test(a_type_that_stays_away_is_told_while_its_source_goes_on),
        cmocka_unit_test(a_hole_of_everything_is_no_silence_of_a_source),
        cmocka_unit_test(the_saved_table_goes_on_as_if_it_had_not_been_saved),
        cmocka_unit_test(the_table_is_bounded),
        cmocka_unit_test(killed_anywhere_each_event_is_counted_once),
        cmocka_unit_test(an_older_state_is_taken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
