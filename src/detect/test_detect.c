/* test_detect.c - detection over real journals: findings, restarts, kills, rules that change under way. */
#include "base/file.h"
#include "detect/test_place.h"
#include "parse/parse.h"

#include <sys/stat.h>
#include <unistd.h>

static const char rules_text[] =
    "title: one\nid: one\nlevel: low\ntags: [saqshy.os-11]\nlogsource: {}\ndetection: {s: {kind: fail}, condition: s}\n---\n"
    "title: seven\nid: seven\nlevel: high\nlogsource: {}\ndetection: {s: {n|endswith: '7'}, condition: s}\n---\n"
    "title: count\nid: count\nlevel: high\ncorrelation: {type: event_count, rules: one, group-by: user, timespan: 20s, condition: {gte: 3}, generate: true}\n---\n"
    "title: values\nid: values\ncorrelation: {type: value_count, rules: one, timespan: 15s, condition: {field: user, gte: 4}, generate: true}\n---\n"
    "title: new\nid: new\ncorrelation: {type: saqshy_new_value, rules: one, timespan: 30s, condition: {field: user}, generate: true}\nsaqshy: {learn: 5s}\n---\n"
    "title: few\nid: few\ncorrelation: {type: event_count, rules: one, group-by: user, timespan: 10s, condition: {lt: 2}, generate: true}\n---\n"
    "title: sum\nid: sum\ncorrelation: {type: value_sum, rules: one, group-by: user, timespan: 20s, condition: {field: n, gte: 100}, generate: true}\n---\n"
    "title: high\nid: high\ncorrelation: {type: value_percentile, rules: one, timespan: 20s, condition: {field: n, percentile: 90, gte: 60}, generate: true}\n---\n"
    "title: some\nid: some\ncorrelation: {type: value_avg, rules: one, group-by: user, timespan: 10s, condition: {field: n, gt: 20, lt: 40}, generate: true}\n---\n"
    "title: gone\nid: gone\ncorrelation: {type: saqshy_absence, rules: one, group-by: user, timespan: 15s, generate: true}\n---\n"
    "title: all\nid: all\ncorrelation: {type: event_count, rules: gone, timespan: 60s, condition: {gte: 2}, generate: true}\n---\n"
    "title: not\nid: not\ncorrelation: {type: temporal, rules: [one, seven], group-by: user, timespan: 10s, condition: one and not seven, generate: true}\n---\n"
    "title: chain\nid: chain\ncorrelation: {type: temporal_ordered, rules: [count, seven], timespan: 30s, generate: true}\n";

static void furnish(struct place *p) { write_rule(p, "r.yml", rules_text); }

static void killed_at_any_moment_the_findings_are_the_same(void **state)
{
    static const char *const found_by[] = {
        "\"rule.id\":\"count\"", "\"rule.id\":\"values\"", "\"rule.id\":\"new\"", "\"rule.id\":\"few\"", "\"rule.id\":\"sum\"", "\"rule.id\":\"high\"",
        "\"rule.id\":\"some\"", "\"rule.id\":\"gone\"", "\"rule.id\":\"all\"", "\"rule.id\":\"not\"", "\"rule.id\":\"chain\"",
    };

    (void)state;
    killed_finds_the_same(furnish, 500, found_by, COUNT(found_by));
}

static void without_its_state_nothing_is_found_twice(void **state)
{
    struct place p;
    AUTO_BUF struct buf before, after;
    uint32_t random = 3;
    struct err e;

    (void)state;
    buf_init(&before, 0);
    buf_init(&after, 0);
    place_make(&p);
    write_rule(&p, "r.yml", rules_text);
    fill(&p, 0, 60, &random);
    run_to_end(&p);
    assert_true(read_findings(&p, &before) > 50);
    assert_int_equal(file_write_atomic(p.state, STR("SAQDET1\nnonsense"), 0644, &e), 0);
    struct detect *d = open_detect(&p, p.rules, &e);
    assert_non_null(strstr(detect_note(d), "damaged"));
    detect_close(&d);
    run_to_end(&p);
    read_findings(&p, &after);
    assert_true(str_eq(buf_view(&before), buf_view(&after)));
    place_remove(&p);
}

static void one_step_after_the_commit_the_finding_is_on_disk(void **state)
{
    struct place p;
    uint32_t random = 1;
    struct err e;

    (void)state;
    place_make(&p);
    write_rule(&p, "r.yml", "title: all\nid: all\nlogsource: {}\ndetection: {s: {n: '*'}, condition: s}\n");
    struct detect *d = open_detect(&p, p.rules, &e);
    assert_int_equal(detect_step(d, 0, &e), 0);   /* no journal yet */
    fill(&p, 0, 1, &random);
    assert_int_equal(detect_step(d, 0, &e), 1);
    assert_int_equal(journal_committed_seq(p.findings), 2);
    detect_close(&d);
    place_remove(&p);
}

/* giant - one event of a line of noise that does not compress, and a rule for each of many findings of it. */
static void giant(const struct place *p, unsigned rules)
{
    AUTO_BUF struct buf text, line;
    struct journal *j = NULL;
    struct event ev = { .time = NS_PER_SECOND, .received = NS_PER_SECOND, .class = CLASS_OS_UNIX };
    AUTO_ARENA struct arena a;
    uint32_t random = 7;
    struct err e;

    buf_init(&text, 0), buf_init(&line, 0), arena_init(&a, MIB);
    for (unsigned i = 0; i < rules; i++)
        buf_printf(&text, "%stitle: r%u\nid: r%u\nlogsource: {}\ndetection: {s: {n: '*'}, condition: s}\n", i ? "---\n" : "", i, i);
    buf_byte(&text, 0);
    write_rule(p, "r.yml", text.p);
    while (line.n < EVENT_ORIGINAL_MAX) {
        random = random * 1664525 + 1013904223;
        buf_byte(&line, (char)(random >> 24));
    }
    ev.original = buf_view(&line);
    assert_int_equal(event_add(&ev, &a, STR("n"), STR("1")), 0);
    assert_int_equal(event_add(&ev, &a, STR("process.command_line"), ev.original), 0);
    assert_int_equal(journal_open(p->journal, MIB, &j, &e), 0);
    assert_int_equal(journal_append(j, &ev, 1, (struct journal_origin){ { NULL, 0 }, 0 }, NULL, &e), 0);
    assert_int_equal(journal_commit(j, &e), 0);
    journal_close(&j);
}

static void one_giant_line_does_not_stop_detection(void **state)
{
    AUTO_BUF struct buf out;
    struct place p;
    struct err e;

    (void)state;
    buf_init(&out, 0);
    place_make(&p);
    giant(&p, 40);
    struct detect *d = open_detect(&p, p.rules, &e);
    assert_int_equal(detect_step(d, 0, &e), 1);
    detect_close(&d);
    assert_int_equal(read_findings(&p, &out), 40);
    place_remove(&p);
}

/* The journal was lost, or restored from an old copy; the findings were not. Going on, all would count as repeated and nobody would know. */
static void findings_ahead_of_their_journal_are_said(void **state)
{
    struct place p;
    const char *paths[] = { p.rules };
    struct detect_config c = { .journal = p.journal, .findings = p.findings, .state_file = p.state, .rules = paths, .rule_count = 1 };
    struct detect *d = NULL;
    uint32_t random = 3;
    char path[512];
    struct err e;

    (void)state;
    place_make(&p);
    write_rule(&p, "r.yml", "title: all\nid: all\nlogsource: {}\ndetection: {s: {n: '*'}, condition: s}\n");
    fill(&p, 0, 60, &random);
    run_to_end(&p);
    snprintf(path, sizeof path, "mv %s %s.away", p.journal, p.journal);
    assert_int_equal(system(path), 0);
    fill(&p, 0, 1, &random);
    assert_int_equal(detect_open(&c, NULL, NULL, &d, &e), -EINVAL);
    assert_non_null(strstr(e.text, "not of one data directory"));
    snprintf(path, sizeof path, "rm -rf -- %s && mv %s.away %s", p.journal, p.journal, p.journal);
    assert_int_equal(system(path), 0);
    run_to_end(&p);
    place_remove(&p);
}

static void a_state_that_finds_no_room_is_saved_later(void **state)
{
    struct place p;
    uint32_t random = 1;
    uint64_t cursor = 0;
    char tmp[128];
    struct err e;

    (void)state;
    place_make(&p);
    write_rule(&p, "r.yml", rules_text);
    fill(&p, 0, 1, &random);
    struct detect *d = open_detect(&p, p.rules, &e);
    snprintf(tmp, sizeof tmp, "%s.tmp", p.state);
    assert_int_equal(symlink("/dev/full", tmp), 0);
    usleep(5000);   /* the checkpoint is due */
    assert_int_equal(detect_step(d, 0, &e), 1);
    assert_int_equal(journal_cursor_get(p.journal, DETECT_CURSOR, &cursor, &e), 0);
    assert_int_equal(cursor, 1);    /* not moved past what is not saved */
    usleep(100000);
    fill(&p, 100, 1, &random);
    assert_int_equal(detect_step(d, 0, &e), 1);
    assert_int_equal(journal_cursor_get(p.journal, DETECT_CURSOR, &cursor, &e), 0);
    assert_int_equal(cursor, 3);
    detect_close(&d);
    place_remove(&p);
}

static void a_state_from_another_journal_is_given_up(void **state)
{
    struct place p;
    uint32_t random = 3;
    uint64_t cursor = 0;
    char path[256];
    struct err e;

    (void)state;
    place_make(&p);
    write_rule(&p, "r.yml", rules_text);
    fill(&p, 0, 60, &random);
    run_to_end(&p);
    snprintf(path, sizeof path, "rm -rf -- %s %s", p.journal, p.findings);
    assert_int_equal(system(path), 0);
    fill(&p, 0, 2, &random);   /* a younger journal, shorter than the state says */
    struct detect *d = open_detect(&p, p.rules, &e);
    assert_non_null(strstr(detect_note(d), "the journal ends before event"));
    assert_int_equal(journal_cursor_get(p.journal, DETECT_CURSOR, &cursor, &e), 0);
    assert_int_equal(cursor, 1);
    assert_int_equal(detect_step(d, 0, &e), 1);
    detect_close(&d);
    place_remove(&p);
}

struct told { unsigned count, kept; char last[ERR_TEXT_MAX]; };
static void hear(void *arg, const struct sigma_refusal *r, bool kept)
{
    struct told *t = arg;

    t->count++;
    t->kept += kept;
    snprintf(t->last, sizeof t->last, "%.*s:%d:%d: %.*s", STR_ARG(r->file), r->line, r->column, STR_ARG(r->reason));
}

static void a_rule_that_became_broken_runs_as_it_was(void **state)
{
    static const char good[] = "title: v1\nid: v\nlogsource: {}\ndetection: {s: {kind: fail}, condition: s}\n";
    struct told told = { 0 };
    struct place p;
    struct err e;

    (void)state;
    place_make(&p);
    write_rule(&p, "v.yml", good);
    write_rule(&p, "w.yml", "title: w\nid: w\nlogsource: {}\ndetection: {s: {kind: ok}, condition: s}\n");
    struct detect *d = open_detect(&p, p.rules, &e);
    assert_int_equal(detect_reload(d, false, hear, &told, &e), 0);
    write_rule(&p, "v.yml", "title: v2\nid: v\nlogsource: {}\ndetection: {s: {kind|contians: fail}, condition: s}\n# longer\n");
    write_rule(&p, "w.yml", "title: w2\nid: w\nlogsource: {}\ndetection: {s: {kind: ok}, condition: s}\n");
    write_rule(&p, "x.yml", "title: x\nid: x\nlogsource: {}\ndetection: {s: {kind: ok}, condition: s}\n");
    assert_int_equal(detect_reload(d, false, hear, &told, &e), 1);
    assert_int_equal(told.count, 1);
    assert_int_equal(told.kept, 1);
    assert_non_null(strstr(told.last, "v.yml:4:17: no modifier \"contians\""));
    assert_int_equal(sigma_rule_count(detect_sigma(d)), 3);
    assert_true(str_eq(sigma_rule_find(detect_sigma(d), STR("v"))->title, STR("v1")));
    assert_true(str_eq(sigma_rule_find(detect_sigma(d), STR("w"))->title, STR("w2")));
    assert_int_equal(detect_rules_now(d)->kept, 1);
    assert_int_equal(detect_reload(d, false, hear, &told, &e), 0);   /* told once, not every five seconds */
    write_rule(&p, "v.yml", "title: v3, mended\nid: v\nlogsource: {}\ndetection: {s: {kind: fail}, condition: s}\n");
    assert_int_equal(detect_reload(d, false, hear, &told, &e), 1);
    assert_true(str_eq(sigma_rule_find(detect_sigma(d), STR("v"))->title, STR("v3, mended")));
    detect_close(&d);
    place_remove(&p);
}

static void a_reload_keeps_the_windows(void **state)
{
    static const char rule[] = "title: %s\nid: one\nlogsource: {}\ndetection: {s: {n: '*'}, condition: s}\n---\ntitle: c\nid: c\n"
                               "correlation: {type: event_count, rules: one, timespan: 1d, condition: {gte: 6}}\n";
    char text[512];
    struct place p;
    uint32_t random = 1;
    struct err e;

    (void)state;
    place_make(&p);
    snprintf(text, sizeof text, rule, "before");
    write_rule(&p, "r.yml", text);
    fill(&p, 0, 2, &random);   /* 1 + 2 events */
    struct detect *d = open_detect(&p, p.rules, &e);
    while (detect_step(d, 0, &e) > 0)
        ;
    snprintf(text, sizeof text, rule, "a title that is longer than it was");
    write_rule(&p, "r.yml", text);
    assert_int_equal(detect_reload(d, false, NULL, NULL, &e), 1);
    assert_true(journal_committed_seq(p.findings) <= 1);
    fill(&p, 10, 2, &random);
    while (detect_step(d, 0, &e) > 0)
        ;
    assert_int_equal(journal_committed_seq(p.findings), 2);
    detect_close(&d);
    place_remove(&p);
}

/* sshd_lines - lines as sshd writes them, through the parser, into the journal. */
static void sshd_lines(const struct place *p, const char *const *lines, size_t count)
{
    struct parser *parser = NULL;
    struct journal *j = NULL;
    struct event_batch b;
    struct err e;

    event_batch_init(&b, 0);
    assert_int_equal(parse_new(NULL, 0, &parser, &e), 0);
    assert_int_equal(journal_open(p->journal, MIB, &j, &e), 0);
    for (size_t i = 0; i < count; i++) {
        struct event *ev = event_batch_add(&b);
        struct parse_hints h = { .received = 1774000000 * NS_PER_SECOND + (time_ns)i, .zone_min = 300, .source = STR("a/auth.log") };

        parse_line(parser, str_c(lines[i]), &h, &b.arena, ev);
        ev->object = STR("obj-portal");
    }
    assert_int_equal(journal_append(j, b.items, b.count, (struct journal_origin){ { NULL, 0 }, 0 }, NULL, &e), 0);
    assert_int_equal(journal_commit(j, &e), 0);
    journal_close(&j);
    parse_free(&parser);
    event_batch_free(&b);
}

static void same_account_from_two_addresses(void **state)
{
    static const char *const lines[] = {
        "Mar 19 08:00:01 srv1 sshd[811]: Accepted publickey for aidana from 198.51.100.7 port 50022 ssh2: ED25519 SHA256:x",
        "Mar 19 08:00:02 srv2 sshd[812]: Accepted publickey for aidana from 203.0.113.5 port 50023 ssh2: ED25519 SHA256:x",
        "Mar 19 08:10:03 srv1 sshd[813]: Accepted publickey for daniyar from 203.0.113.5 port 50024 ssh2: ED25519 SHA256:x",
        "Mar 19 08:20:04 srv1 sshd[814]: Accepted publickey for aidana from 203.0.113.5 port 50025 ssh2: ED25519 SHA256:x",
    };
    char rules[4096];
    struct journal_reader *r = NULL;
    struct event_batch b;
    struct place p;
    struct err e;

    (void)state;
    snprintf(rules, sizeof rules, "%s/content/rules", getenv("SAQSHY_SOURCE"));
    place_make(&p);
    sshd_lines(&p, lines, COUNT(lines));
    struct detect *d = open_detect(&p, rules, &e);
    while (detect_step(d, 0, &e) > 0)
        ;
    detect_close(&d);
    event_batch_init(&b, 0);
    assert_int_equal(journal_reader_open(p.findings, 0, &r, &e), 0);
    assert_int_equal(journal_reader_next(r, &b, NULL, &e), 1);
    const struct event *f = b.items;
    assert_true(str_eq(event_get(f, STR("saqshy.types")), STR("UX-01")));
    assert_true(str_eq(event_get(f, STR("user.name")), STR("aidana")));
    assert_true(str_eq(event_get(f, STR("host.name")), STR("srv1")));
    assert_true(str_eq(event_get(f, STR("source.ip")), STR("203.0.113.5")));
    assert_true(str_eq(event_get(f, STR("saqshy.count")), STR("2")));
    assert_true(str_eq(event_get(f, STR("saqshy.first_seq")), STR("1")));
    assert_true(str_eq(event_get(f, STR("saqshy.last_seq")), STR("4")));
    assert_true(str_ends(event_get(f, STR("saqshy.group")), STR("|obj-portal|srv1|aidana")));
    assert_true(str_eq(f->object, STR("obj-portal")) && str_eq(f->original, str_c(lines[3])));
    assert_true(event_get(f, STR("saqshy.recommendations.kk")).n > 0);
    assert_int_equal(journal_reader_next(r, &b, NULL, &e), 0);   /* nothing else was found */
    journal_reader_close(&r);
    event_batch_free(&b);
    place_remove(&p);
}

static void the_state_of_a_host_is_handed_on_and_no_rule_looks_at_it(void **state)
{
    AUTO_BUF struct buf found = { 0 };
    struct event_batch b;
    struct journal *j = NULL;
    struct detect *d;
    struct place p;
    struct err e;

    (void)state;
    buf_init(&found, MIB);
    place_make(&p);
    write_rule(&p, "r.yml", "title: words\nid: words\nlevel: low\nlogsource: {}\ndetection: {k: [mimikatz], condition: k}\n");
    event_batch_init(&b, 0);
    assert_int_equal(journal_open(p.journal, MIB, &j, &e), 0);
    for (int i = 0; i < 2; i++) {
        struct event *ev = event_batch_add(&b);

        ev->time = ev->received = (1700000000 + i) * NS_PER_SECOND;
        ev->original = STR("{\"items\":[[\"mimikatz\",\"1\"]]}");
        ev->source = STR("web-1/facts");
        ev->object = STR("obj-1");
        ev->parser = i == 0 ? STR(EVENT_PARSER_FACTS) : STR("json");
        assert_int_equal(event_add(ev, &b.arena, STR("event.kind"), STR("state")), 0);
    }
    assert_int_equal(journal_append(j, b.items, b.count, (struct journal_origin){ { NULL, 0 }, 0 }, NULL, &e), 0);
    assert_int_equal(journal_commit(j, &e), 0);
    journal_close(&j);
    event_batch_free(&b);
    for (int twice = 0; twice < 2; twice++) {   /* the second time replays from the beginning: the state file is gone */
        d = open_detect(&p, p.rules, &e);
        while (detect_step(d, 0, &e) > 0)
            ;
        detect_close(&d);
    }
    assert_int_equal(read_findings(&p, &found), 2);
    struct str rest = buf_view(&found), line;
    assert_true(str_split(&rest, '\n', &line));
    assert_true(str_find(line, STR("\"saqshy.parser\":\"facts\"")) > 0 && str_find(line, STR("web-1/facts")) > 0 && str_find(line, STR("rule.id")) < 0);
    assert_true(str_split(&rest, '\n', &line));
    assert_true(str_find(line, STR("\"rule.id\":\"words\"")) > 0);
    place_remove(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_state_of_a_host_is_handed_on_and_no_rule_looks_at_it),
        cmocka_unit_test(one_step_after_the_commit_the_finding_is_on_disk),
        cmocka_unit_test(killed_at_any_moment_the_findings_are_the_same),
        cmocka_unit_test(without_its_state_nothing_is_found_twice),
        cmocka_unit_test(one_giant_line_does_not_stop_detection),
        cmocka_unit_test(a_state_that_finds_no_room_is_saved_later),
        cmocka_unit_test(a_state_from_another_journal_is_given_up),
        cmocka_unit_test(findings_ahead_of_their_journal_are_said),
        cmocka_unit_test(a_rule_that_became_broken_runs_as_it_was),
        cmocka_unit_test(a_reload_keeps_the_windows),
        { .name = "R-A4.3-01 UX-01 the same account from two addresses on one server", .test_func = same_account_from_two_addresses },
    };

    return cmocka_run_group_tests_name("detect", tests, NULL, NULL);
}
