/* test_classify.c - the rules of event types: one test for each of the 48 codes of Annex 4, and how they join what parsers say. */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/test.h"
#include "detect/hunt.h"
#include "parse/parse.h"
#include "sigma/classify.h"

#define RECEIVED (INT64_C(1798761600) * NS_PER_SECOND)
#define RULES_MAX 4096

static char content[4096], rules[4200], pipelines[4200];
static struct sigma *all;
static bool failed[RULES_MAX];

static void note_failed(void *arg, const struct sigma_rule *r, struct str line, bool wanted)
{
    (void)arg;
    print_message("%.*s (%s): %.*s\n", STR_ARG(r->title), wanted ? "must match" : "must not", STR_ARG(line));
    failed[r->index] = true;
}

static int load(void **state)
{
    const char *const folders[] = { pipelines, rules };
    struct sample_result told;
    struct err e;

    (void)state;
    snprintf(content, sizeof content, "%s/content", getenv("SAQSHY_SOURCE"));
    snprintf(rules, sizeof rules, "%s/rules", content);
    snprintf(pipelines, sizeof pipelines, "%s/pipelines", content);
    assert_int_equal(sigma_load(folders, 2, &all, &e), 0);
    assert_true(sigma_rule_count(all) < RULES_MAX);
    assert_int_equal(samples_run(all, content, note_failed, NULL, &told, &e), 0);
    assert_true(told.rules > 48);
    return 0;
}

static int unload(void **state)
{
    (void)state;
    sigma_free(&all);
    return 0;
}

/* UX-01 is a relation between lines: a correlation, which raises a finding. All others are rules of the pack. */
static void one_code(void **state)
{
    uintptr_t code = (uintptr_t)*state;
    size_t good = 0;

    for (size_t i = 0; i < sigma_rule_count(all); i++) {
        const struct sigma_rule *r = sigma_rule_at(all, i);
        bool pack = classify_file(str_c(rules), r->file);

        if (!(classify_of_rule(r) & UINT64_C(1) << code) || pack == str_eq(event_types[code], STR("UX-01")))
            continue;
        assert_false(failed[i]);
        assert_true(r->correlation == !pack);
        good += r->match.count && r->nomatch.count && r->title_kk.n && r->title_ru.n;
    }
    assert_true(good > 0);
}

static void rules_of_types_raise_nothing(void **state)
{
    size_t pack = 0;

    (void)state;
    for (size_t i = 0; i < sigma_rule_count(all); i++) {
        const struct sigma_rule *r = sigma_rule_at(all, i);

        if (!classify_file(str_c(rules), r->file))
            continue;
        pack++;
        assert_true(r->silent && !r->correlation && r->level == SIGMA_INFORMATIONAL);
    }
    assert_true(pack >= 47);
}

static struct event *read_line(struct parser *p, struct event_batch *b, const char *line)
{
    struct parse_hints hints = { .received = RECEIVED, .source = STR("t") };
    struct event *ev;

    event_batch_reset(b);
    ev = event_batch_add(b);
    assert_non_null(ev);
    parse_line(p, str_c(line), &hints, &b->arena, ev);
    return ev;
}

static void what_rules_find_joins_what_parsers_say(void **state)
{
    const char *const folders[] = { pipelines, rules };
    struct classify *c = NULL;
    struct parser *p = NULL;
    struct event_batch b;
    uint64_t before, added;
    struct event *ev;
    struct str v;
    uint32_t at = 0, n = 0;
    struct err e;

    (void)state;
    event_batch_init(&b, 0);
    assert_int_equal(parse_new(content, 0, &p, &e), 0);
    assert_int_equal(classify_open(folders, 2, &c, &e), 0);
    assert_int_equal(sigma_refusal_count(classify_rules(c)), 0);
    ev = read_line(p, &b, "Mar 19 03:00:00 srv1 sshd[1]: Failed password for root from 203.0.113.9 port 50000 ssh2");
    before = classify_said(ev);
    assert_true(before & classify_bit(STR("os-04")));
    assert_int_equal(classify_event(c, ev, &b.arena, &added, &e), 0);
    assert_int_equal(added & before, 0);
    assert_int_equal(classify_said(ev), before | added);
    /* A second time nothing is new, and each code stands once. */
    assert_int_equal(classify_event(c, ev, &b.arena, &added, &e), 0);
    assert_int_equal(added, 0);
    while (event_values(ev, STR("saqshy.types"), &at, &v))
        n++;
    assert_int_equal(n, __builtin_popcountll(classify_said(ev)));
    /* An event that no parser of ours read: foreign JSON that names channel and number. */
    event_batch_reset(&b);
    assert_int_equal(hunt_json_event(STR("{\"Channel\":\"Security\",\"EventID\":4720,\"TargetUserName\":\"x\"}"), &b, &e), 0);
    assert_int_equal(classify_said(&b.items[0]), 0);
    assert_int_equal(classify_batch(c, &b, &e), 0);
    assert_int_equal(classify_said(&b.items[0]), classify_bit(STR("OS-06")));
    classify_close(&c);
    parse_free(&p);
    event_batch_free(&b);
}

/* read_samples - the lines of all rules, as events of one frame of the journal. */
static void read_samples(struct parser *p, struct buf *frame, struct event_batch *out)
{
    struct parse_hints hints = { .received = RECEIVED, .source = STR("t") };
    struct event_batch parsed;
    struct err e;

    event_batch_init(&parsed, 0);
    for (size_t i = 0; i < sigma_rule_count(all); i++) {
        const struct sigma_texts *lists[] = { &sigma_rule_at(all, i)->match, &sigma_rule_at(all, i)->nomatch };

        for (size_t k = 0; k < 2; k++)
            for (size_t l = 0; l < lists[k]->count; l++) {
                struct event *ev = event_batch_add(&parsed);

                assert_non_null(ev);
                parse_line(p, lists[k]->items[l], &hints, &parsed.arena, ev);
            }
    }
    assert_int_equal(event_encode(parsed.items, parsed.count, frame, &e), 0);
    assert_int_equal(event_decode(buf_view(frame), 1, out, &e), 0);
    event_batch_free(&parsed);
}

/* What is remembered of earlier events of a batch changes nothing: each has the codes that the rules themselves give it. */
static void a_batch_has_the_types_that_the_rules_say_of_each_event(void **state)
{
    const char *const folders[] = { pipelines, rules };
    struct event_batch batch, apart;
    struct classify *c = NULL;
    struct sigma_run *run = NULL;
    const struct sigma_match *m;
    struct parser *p = NULL;
    AUTO_BUF struct buf frame;
    size_t types = 0;
    struct err e;

    (void)state;
    buf_init(&frame, 0);
    event_batch_init(&batch, 0);
    event_batch_init(&apart, 0);
    assert_int_equal(parse_new(content, 0, &p, &e), 0);
    assert_int_equal(classify_open(folders, 2, &c, &e), 0);
    assert_int_equal(sigma_run_new(classify_rules(c), false, &run, &e), 0);
    read_samples(p, &frame, &batch);
    assert_int_equal(event_decode(buf_view(&frame), 1, &apart, &e), 0);
    for (int again = 0; again < 2; again++) {
        assert_int_equal(classify_batch(c, &batch, &e), 0);
        for (size_t i = 0; i < batch.count; i++) {
            uint64_t want = classify_said(&apart.items[i]);
            int n = sigma_run_event(run, &apart.items[i], true, &m, &e);

            assert_true(n >= 0);
            for (int k = 0; k < n; k++)
                want |= classify_of_rule(m[k].rule);
            assert_true(classify_said(&batch.items[i]) == want);
            types += (size_t)__builtin_popcountll(want);
        }
    }
    assert_true(batch.count > 500 && types > batch.count);
    sigma_run_free(&run);
    classify_close(&c);
    parse_free(&p);
    event_batch_free(&batch);
    event_batch_free(&apart);
}

static void put(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static const char own_rule[] = "title: t\nlogsource: {}\ndetection:\n  s: {message|contains: toast}\n  condition: s\ntags: [kz.a4.app-05, saqshy.app-01]\n";

static void a_broken_file_stops_no_other_and_changes_are_seen(void **state)
{
    char folder[] = "/tmp/saqshy-types-XXXXXX", types[64], good[96], bad[96], outside[96];
    const char *const folders[] = { folder };
    struct classify *c = NULL;
    struct event_batch b;
    struct parser *p = NULL;
    uint64_t added;
    struct err e;

    (void)state;
    event_batch_init(&b, 0);
    assert_non_null(mkdtemp(folder));
    snprintf(types, sizeof types, "%s/types", folder);
    snprintf(good, sizeof good, "%s/good.yml", types);
    snprintf(bad, sizeof bad, "%s/bad.yml", types);
    snprintf(outside, sizeof outside, "%s/outside.yml", folder);
    assert_int_equal(parse_new(content, 0, &p, &e), 0);
    assert_int_equal(classify_open(folders, 1, &c, &e), 0);          /* no pack at all */
    assert_int_equal(classify_event(c, read_line(p, &b, "a toast"), &b.arena, &added, &e), 0);
    assert_int_equal(added, 0);
    assert_int_equal(mkdir(types, 0700), 0);
    put(outside, own_rule);                                          /* not of the pack: detection's */
    assert_int_equal(classify_refresh(c, &e), 1);
    assert_int_equal(sigma_rule_count(classify_rules(c)), 0);
    put(good, own_rule);
    put(bad, "title: [\n");
    assert_true(classify_changed(c));
    assert_int_equal(classify_refresh(c, &e), 1);
    assert_false(classify_changed(c));
    assert_int_equal(sigma_refusal_count(classify_rules(c)), 1);
    assert_int_equal(classify_event(c, read_line(p, &b, "a toast"), &b.arena, &added, &e), 0);
    assert_int_equal(added, classify_bit(STR("APP-05")) | classify_bit(STR("APP-01")));
    assert_int_equal(classify_refresh(c, &e), 0);
    classify_close(&c);
    parse_free(&p);
    event_batch_free(&b);
    unlink(good);
    unlink(bad);
    unlink(outside);
    rmdir(types);
    rmdir(folder);
}

#define CODE(n, words) { .name = words, .test_func = one_code, .initial_state = (void *)(uintptr_t)(n) }

int main(void)
{
    const struct CMUnitTest tests[] = {
        CODE(0, "R-A4.1-01 OS-01 is told by a rule of its own, whose lines hold"),
        CODE(1, "R-A4.1-02 OS-02 is told by a rule of its own, whose lines hold"),
        CODE(2, "R-A4.1-03 OS-03 is told by a rule of its own, whose lines hold"),
        CODE(3, "R-A4.1-04 OS-04 is told by a rule of its own, whose lines hold"),
        CODE(4, "R-A4.1-05 OS-05 is told by a rule of its own, whose lines hold"),
        CODE(5, "R-A4.1-06 OS-06 is told by a rule of its own, whose lines hold"),
        CODE(6, "R-A4.1-07 OS-07 is told by a rule of its own, whose lines hold"),
        CODE(7, "R-A4.1-08 OS-08 is told by a rule of its own, whose lines hold"),
        CODE(8, "R-A4.1-09 OS-09 is told by a rule of its own, whose lines hold"),
        CODE(9, "R-A4.1-10 OS-10 is told by a rule of its own, whose lines hold"),
        CODE(10, "R-A4.1-11 OS-11 is told by a rule of its own, whose lines hold"),
        CODE(11, "R-A4.1-12 OS-12 is told by a rule of its own, whose lines hold"),
        CODE(12, "R-A4.1-13 OS-13 is told by a rule of its own, whose lines hold"),
        CODE(13, "R-A4.3-01 UX-01 is told by a rule of its own, whose lines hold"),
        CODE(14, "R-A4.3-02 UX-02 is told by a rule of its own, whose lines hold"),
        CODE(15, "R-A4.3-03 UX-03 is told by a rule of its own, whose lines hold"),
        CODE(16, "R-A4.4-01 WIN-01 is told by a rule of its own, whose lines hold"),
        CODE(17, "R-A4.4-02 WIN-02 is told by a rule of its own, whose lines hold"),
        CODE(18, "R-A4.4-03 WIN-03 is told by a rule of its own, whose lines hold"),
        CODE(19, "R-A4.4-04 WIN-04 is told by a rule of its own, whose lines hold"),
        CODE(20, "R-A4.4-05 WIN-05 is told by a rule of its own, whose lines hold"),
        CODE(21, "R-A4.4-06 WIN-06 is told by a rule of its own, whose lines hold"),
        CODE(22, "R-A4.4-07 WIN-07 is told by a rule of its own, whose lines hold"),
        CODE(23, "R-A4.4-08 WIN-08 is told by a rule of its own, whose lines hold"),
        CODE(24, "R-A4.4-09 WIN-09 is told by a rule of its own, whose lines hold"),
        CODE(25, "R-A4.4-10 WIN-10 is told by a rule of its own, whose lines hold"),
        CODE(26, "R-A4.4-11 WIN-11 is told by a rule of its own, whose lines hold"),
        CODE(27, "R-A4.9-01 DB-01 is told by a rule of its own, whose lines hold"),
        CODE(28, "R-A4.9-02 DB-02 is told by a rule of its own, whose lines hold"),
        CODE(29, "R-A4.9-03 DB-03 is told by a rule of its own, whose lines hold"),
        CODE(30, "R-A4.15-01 NET-01 is told by a rule of its own, whose lines hold"),
        CODE(31, "R-A4.15-02 NET-02 is told by a rule of its own, whose lines hold"),
        CODE(32, "R-A4.15-03 NET-03 is told by a rule of its own, whose lines hold"),
        CODE(33, "R-A4.15-04 NET-04 is told by a rule of its own, whose lines hold"),
        CODE(34, "R-A4.15-05 NET-05 is told by a rule of its own, whose lines hold"),
        CODE(35, "R-A4.15-06 NET-06 is told by a rule of its own, whose lines hold"),
        CODE(36, "R-A4.15-07 NET-07 is told by a rule of its own, whose lines hold"),
        CODE(37, "R-A4.16-01 FW-01 is told by a rule of its own, whose lines hold"),
        CODE(38, "R-A4.16-02 FW-02 is told by a rule of its own, whose lines hold"),
        CODE(39, "R-A4.22-01 APP-01 is told by a rule of its own, whose lines hold"),
        CODE(40, "R-A4.22-02 APP-02 is told by a rule of its own, whose lines hold"),
        CODE(41, "R-A4.22-03 APP-03 is told by a rule of its own, whose lines hold"),
        CODE(42, "R-A4.22-04 APP-04 is told by a rule of its own, whose lines hold"),
        CODE(43, "R-A4.22-05 APP-05 is told by a rule of its own, whose lines hold"),
        CODE(44, "R-A4.28-01 SEC-01 is told by a rule of its own, whose lines hold"),
        CODE(45, "R-A4.28-02 SEC-02 is told by a rule of its own, whose lines hold"),
        CODE(46, "R-A4.28-03 SEC-03 is told by a rule of its own, whose lines hold"),
        CODE(47, "R-A4.28-04 SEC-04 is told by a rule of its own, whose lines hold"),
        cmocka_unit_test(rules_of_types_raise_nothing),
        cmocka_unit_test(what_rules_find_joins_what_parsers_say),
        cmocka_unit_test(a_batch_has_the_types_that_the_rules_say_of_each_event),
        cmocka_unit_test(a_broken_file_stops_no_other_and_changes_are_seen),
    };

    return cmocka_run_group_tests(tests, load, unload);
}
