/* test_triage.c - from matches to findings: grouping, storms, levels, risk, and their state over kills. */
#include "base/file.h"
#include "detect/test_place.h"
#include "detect/triage.h"

static unsigned long long hits(const json_t *list)
{
    unsigned long long sum = 0;

    for (size_t i = 0; i < json_array_size(list); i++)
        sum += told_number(list, i, "saqshy.hits");
    return sum;
}

static const char one_rule[] = "title: one\nid: one\nlevel: high\nlogsource: {}\ndetection: {s: {kind: fail}, condition: s}\n";

static void matches_of_one_group_are_one_finding_and_updates(void **state)
{
    static const struct row rows[] = {
        { 0, "a", "fail", NULL }, { 1, "a", "fail", NULL }, { 2, "b", "fail", NULL }, { 3, "a", "fail", NULL }, { 59, "a", "fail", NULL },
        { 61, "c", "ok", NULL },                                      /* the update of the first minute is due */
        { 70, "a", "fail", NULL }, { 150, "c", "ok", NULL },          /* two minutes later the next */
        { 182, "c", "ok", NULL }, { 190, "a", "fail", NULL }, { 3600, "c", "ok", NULL }, { 3700, "a", "fail", NULL },
    };
    struct place p;

    (void)state;
    place_make(&p);
    policy_write(&p, "1h", "1m", 60, "medium");
    write_rule(&p, "r.yml", one_rule);
    put_rows(&p, rows, COUNT(rows));
    run_to_end(&p);
    json_t *f = findings_of(&p, "one");
    /* a at 0; b at 2; a's update at 61 (3 more); at 182 (1 more); a's end at 3600 (1 more); a anew at 3700 */
    assert_int_equal(json_array_size(f), 6);
    assert_string_equal(told_text(f, 0, "saqshy.group"), "one|obj-1|a");
    assert_string_equal(told_text(f, 0, "event.original"), "line 0");
    assert_string_equal(told_text(f, 1, "saqshy.group"), "one|obj-1|b");
    assert_int_equal(told_number(f, 2, "saqshy.hits"), 3);
    assert_int_equal(told_number(f, 2, "saqshy.count"), 4);
    assert_int_equal(told_number(f, 2, "saqshy.first_seq"), 1);
    assert_int_equal(told_number(f, 2, "saqshy.last_seq"), 5);
    assert_string_equal(told_text(f, 2, "saqshy.episode"), told_text(f, 0, "saqshy.episode"));
    assert_string_equal(told_text(f, 2, "event.original"), "line 59");
    assert_int_equal(json_array_size(json_object_get(json_array_get(f, 2), "saqshy.samples")), 3);
    assert_int_equal(json_array_size(json_object_get(json_array_get(f, 2), "saqshy.sample_seqs")), 4);
    assert_int_equal(told_number(f, 3, "saqshy.hits"), 1);
    assert_int_equal(told_number(f, 4, "saqshy.hits"), 1);
    assert_string_equal(told_text(f, 5, "event.original"), "line 3700");
    assert_string_not_equal(told_text(f, 5, "saqshy.episode"), told_text(f, 0, "saqshy.episode"));
    assert_int_equal(hits(f), 8);   /* each match once */
    json_decref(f);
    place_remove(&p);
}

static void a_rule_says_by_which_fields(void **state)
{
    static const struct row rows[] = { { 0, "a", "fail", NULL }, { 1, "b", "fail", NULL }, { 2, "c", "fail", "obj-2" }, { 3700, "x", "ok", NULL } };
    struct place p;

    (void)state;
    place_make(&p);
    policy_write(&p, "1h", "1m", 60, "medium");
    write_rule(&p, "r.yml", "title: one\nid: one\nlevel: high\nlogsource: {}\ndetection: {s: {kind: fail}, condition: s}\nsaqshy: {group_by: [kind]}\n");
    put_rows(&p, rows, COUNT(rows));
    run_to_end(&p);
    json_t *f = findings_of(&p, "one");
    assert_int_equal(json_array_size(f), 3);   /* one an object, and the update of the first */
    assert_string_equal(told_text(f, 0, "saqshy.group"), "one|obj-1|fail");
    assert_string_equal(told_text(f, 1, "saqshy.group"), "one|obj-2|fail");
    assert_int_equal(told_number(f, 2, "saqshy.hits"), 1);
    json_decref(f);
    place_remove(&p);
}

static void a_storm_is_summed_up_and_nothing_is_lost(void **state)
{
    struct row rows[64];
    char users[60][8];
    struct place p;
    size_t n = 0;

    (void)state;
    for (int i = 0; i < 20; i++, n++) {   /* twenty accounts within a minute, three are told one by one */
        snprintf(users[i], sizeof users[i], "u%d", i);
        rows[n] = (struct row){ i, users[i], "fail", NULL };
    }
    rows[n++] = (struct row){ 21, users[19], "fail", NULL };   /* of the storm, again */
    rows[n++] = (struct row){ 22, users[0], "fail", NULL };    /* of an episode of its own */
    rows[n++] = (struct row){ 65, "x", "ok", NULL };           /* the summary's update is due: 18 more */
    rows[n++] = (struct row){ 300, users[19], "fail", NULL };  /* the storm is over: told by itself */
    rows[n++] = (struct row){ 4000, "x", "ok", NULL };
    place_make(&p);
    policy_write(&p, "1h", "1m", 3, "medium");
    write_rule(&p, "r.yml", one_rule);
    put_rows(&p, rows, n);
    run_to_end(&p);
    json_t *f = findings_of(&p, "one");
    size_t summaries = 0, last = 0;
    for (size_t i = 0; i < json_array_size(f); i++)
        if (*told_text(f, i, "saqshy.summary")) {
            summaries++;
            last = i;
        }
    assert_int_equal(summaries, 2);
    assert_string_equal(told_text(f, 3, "saqshy.summary"), "storm");   /* it begins at once */
    assert_string_equal(told_text(f, 3, "event.original"), "line 3");
    assert_int_equal(told_number(f, last, "saqshy.hits"), 17);
    assert_int_equal(told_number(f, last, "saqshy.hits_total"), 18);
    assert_int_equal(told_number(f, last, "saqshy.groups"), 17);
    assert_string_equal(told_text(f, last, "saqshy.group"), "one|obj-1");
    assert_int_equal(hits(f), 23);
    assert_string_equal(told_text(f, json_array_size(f) - 1, "event.original"), "line 300");
    json_decref(f);
    place_remove(&p);
}

static void levels_are_of_the_policy_and_low_ones_raise_nothing(void **state)
{
    static const struct row rows[] = { { 0, "a", "fail", "obj-1" }, { 1, "b", "fail", "obj-2" }, { 2, "c", "fail", "obj-1" } };
    struct place p;

    (void)state;
    place_make(&p);
    policy_write(&p, "1h", "1m", 60, "medium");
    write_rule(&p, "r.yml", "title: up\nid: up\nlevel: high\nlogsource: {}\ndetection: {s: {kind: fail}, condition: s}\n");
    put_rows(&p, rows, COUNT(rows));
    run_to_end(&p);
    json_t *f = findings_of(&p, "up");
    assert_int_equal(json_array_size(f), 1);
    assert_string_equal(told_text(f, 0, "rule.level"), "critical");
    assert_string_equal(told_text(f, 0, "saqshy.object"), "obj-2");
    json_decref(f);
    place_remove(&p);
}

static void low_levels_add_up_to_a_finding_of_risk(void **state)
{
    static const char rules[] = "title: l1\nid: l1\nlevel: low\nlogsource: {}\ndetection: {s: {kind: fail}, condition: s}\n---\n"
                                "title: h1\nid: h1\nlevel: high\nlogsource: {}\ndetection: {s: {kind: bad}, condition: s}\n---\n"
                                "title: m1\nid: m1\nlevel: medium\nlogsource: {}\ndetection: {s: {kind: odd}, condition: s}\n";
    /* 3 + 30 + 10 are not yet 50; repetitions of one episode add nothing; another rule's 30 an hour later is not yet; then it is, once */
    static const struct row rows[] = {
        { 0, "a", "fail", NULL }, { 1, "a", "bad", NULL }, { 2, "a", "odd", NULL }, { 3, "a", "fail", NULL }, { 4, "a", "odd", NULL }, { 5, "a", "bad", NULL },
        { 6, "system", "bad", NULL }, { 3601, "a", "bad", NULL }, { 3602, "a", "odd", NULL }, { 7300, "a", "bad", NULL },
    };
    AUTO_BUF struct buf told;
    struct place p;
    struct err e;

    (void)state;
    buf_init(&told, 0);
    place_make(&p);
    policy_write(&p, "1h", "1m", 60, "medium");
    write_rule(&p, "r.yml", rules);
    put_rows(&p, rows, COUNT(rows));
    run_to_end(&p);
    json_t *f = findings_of(&p, "saqshy-risk-user");
    assert_int_equal(json_array_size(f), 1);
    assert_string_equal(told_text(f, 0, "user.name"), "a");
    assert_string_equal(told_text(f, 0, "rule.name_kk"), "k");
    assert_int_equal(told_number(f, 0, "saqshy.last_seq"), 8);   /* at 3601: 43 / 2 + 30 */
    assert_string_equal(told_text(f, 0, "saqshy.group"), "saqshy-risk-user|obj-1|a");
    json_decref(f);
    json_decref(f = findings_of(&p, "l1"));
    struct detect *d = open_detect(&p, p.rules, &e);
    char path[128];
    snprintf(path, sizeof path, "%s/risk.json", p.root);
    assert_int_equal(detect_publish_risk(d, path, (T0 + 7300) * NS_PER_SECOND, &e), 0);
    detect_close(&d);
    json_t *r = json_load_file(path, 0, NULL), *who = json_array_get(json_object_get(r, "entities"), 0);
    assert_int_equal(json_integer_value(json_object_get(r, "accounts")), 1);   /* system is passed over, and there is no host */
    assert_string_equal(json_string_value(json_object_get(who, "kind")), "user");
    assert_string_equal(json_string_value(json_object_get(who, "name")), "a");
    assert_true(json_is_true(json_object_get(who, "over")));
    assert_string_equal(json_string_value(json_object_get(json_array_get(json_object_get(who, "rules"), 0), "id")), "h1");
    json_decref(r);
    place_remove(&p);
}

static const char many_rules[] =
    "title: one\nid: one\nlevel: low\nlogsource: {}\ndetection: {s: {kind: fail}, condition: s}\n---\n"
    "title: seven\nid: seven\nlevel: high\nlogsource: {}\ndetection: {s: {n|endswith: '7'}, condition: s}\nsaqshy: {group_by: [n]}\n---\n"
    "title: two\nid: two\nlevel: medium\nlogsource: {}\ndetection: {s: {n|endswith: '2'}, condition: s}\n---\n"
    "title: count\nid: count\nlevel: high\ncorrelation: {type: event_count, rules: one, group-by: user, timespan: 20s, condition: {gte: 3}, generate: true}\n---\n"
    "title: gone\nid: gone\nlevel: medium\ncorrelation: {type: saqshy_absence, rules: one, group-by: user, timespan: 15s, generate: true}\n";

static void furnish_many(struct place *p)
{
    policy_write(p, "90s", "5s", 3, "medium");
    write_rule(p, "r.yml", many_rules);
}

static void killed_at_any_moment_the_episodes_are_the_same(void **state)
{
    static const char *const parts[] = { "\"rule.id\":\"seven\"", "\"rule.id\":\"two\"", "\"rule.id\":\"count\"", "\"rule.id\":\"gone\"", "\"rule.id\":\"saqshy-risk-user\"",
                                         "\"saqshy.summary\":\"storm\"", "\"saqshy.samples\":" };

    (void)state;
    killed_finds_the_same(furnish_many, 200, parts, COUNT(parts));
}

/* The sum of saqshy.hits over all findings is the number of matches, whatever the limits: an event a second of many users, rules that storm. */
static void the_sum_of_hits_is_the_number_of_matches(void **state)
{
    static const int groups[] = { 1, 3, 1000 };
    AUTO_BUF struct buf b;

    (void)state;
    buf_init(&b, 0);
    for (size_t g = 0; g < COUNT(groups); g++) {
        static const struct row last[] = { { 100000, "x", "ok", NULL } };
        unsigned long long matches = 0;
        struct place p;
        uint32_t random = 5;

        place_make(&p);
        write_rule(&p, "r.yml", "title: two\nid: two\nlevel: medium\nlogsource: {}\ndetection: {s: {n|endswith: '2'}, condition: s}\n");
        fill(&p, 0, 200, &random);
        run_to_end(&p);
        buf_reset(&b);
        matches = read_findings(&p, &b);   /* without a policy each match is a finding */
        assert_true(matches > 50);
        char command[256];
        snprintf(command, sizeof command, "rm -rf -- %s %s", p.findings, p.state);
        assert_int_equal(system(command), 0);
        policy_write(&p, "3m", "10s", groups[g], "medium");
        put_rows(&p, last, 1);
        struct err e;
        assert_int_equal(journal_cursor_set(p.journal, DETECT_CURSOR, 1, &e), 0);
        for (int again = 0; again < 5; again++) {   /* ended at most 64 an event */
            run_to_end(&p);
            put_rows(&p, last, 1);
        }
        run_to_end(&p);
        json_t *f = findings_of(&p, "two");
        assert_true(json_array_size(f) <= matches);
        assert_int_equal(hits(f), matches);
        json_decref(f);
        place_remove(&p);
    }
}

/* Cut after every byte, and each byte changed: the state is refused or taken, and nothing is read past its end. */
static void a_torn_state_is_refused(void **state)
{
    static const struct row rows[] = { { 0, "a", "fail", NULL }, { 1, "a", "fail", NULL }, { 2, "b", "fail", NULL }, { 3, "c", "fail", NULL }, { 4, "d", "fail", NULL } };
    AUTO_BUF struct buf episodes, risk;
    struct triage *t = NULL;
    struct sigma *set = NULL;
    struct event_batch out;
    struct place p;
    struct err e;

    (void)state;
    buf_init(&episodes, 0);
    buf_init(&risk, 0);
    event_batch_init(&out, 0);
    place_make(&p);
    policy_write(&p, "1h", "1m", 2, "medium");
    const struct sigma_source src = { STR("r.yml"), str_c(one_rule) };
    assert_int_equal(sigma_compile(&src, 1, &set, &e), 0);
    assert_int_equal(triage_open(p.policy, NULL, &t, &e), 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct event_field fields[] = { { STR("user"), str_c(rows[i].user) }, { STR("user.name"), str_c(rows[i].user) } };
        struct event ev = { .seq = i + 1, .received = (T0 + rows[i].at) * NS_PER_SECOND, .original = STR("a line"), .fields = fields, .field_count = 2 };
        struct sigma_match m = { .rule = sigma_rule_at(set, 0), .count = 1, .first_seq = i + 1, .last_seq = i + 1 };
        size_t at;

        assert_true(triage_match(t, set, &m, &ev, &out, &at, &e) >= 0);
    }
    triage_save(t, &episodes, &risk);
    const struct str whole[2] = { buf_view(&episodes), buf_view(&risk) };
    for (int part = 0; part < 2; part++)
        for (size_t cut = 1; cut < whole[part].n; cut++) {
            char *copy = malloc(cut);

            memcpy(copy, whole[part].p, cut);
            assert_int_equal(triage_load(t, part == 0 ? str_of(copy, cut) : whole[0], part == 1 ? str_of(copy, cut) : whole[1], &e), -EBADMSG);
            free(copy);
        }
    for (int part = 0; part < 2; part++)
        for (size_t at = 0; at < whole[part].n * 8; at++) {
            char *copy = malloc(whole[part].n);

            memcpy(copy, whole[part].p, whole[part].n);
            copy[at / 8] = (char)(copy[at / 8] ^ 1 << at % 8);
            struct str torn = str_of(copy, whole[part].n);
            int rc = triage_load(t, part == 0 ? torn : whole[0], part == 1 ? torn : whole[1], &e);
            assert_true(rc == 0 || rc == -EBADMSG);
            free(copy);
        }
    assert_int_equal(triage_load(t, whole[0], whole[1], &e), 0);
    AUTO_BUF struct buf second, third;
    buf_init(&second, 0);
    buf_init(&third, 0);
    triage_save(t, &second, &third);
    assert_true(str_eq(buf_view(&risk), buf_view(&third)));
    assert_int_equal(episodes.n, second.n);
    triage_close(&t);
    sigma_free(&set);
    event_batch_free(&out);
    place_remove(&p);
}

static void a_policy_that_became_wrong_is_told_and_the_one_before_goes_on(void **state)
{
    static const struct row rows[] = { { 0, "a", "fail", NULL }, { 1, "a", "fail", NULL } };
    struct place p;
    struct err e;

    (void)state;
    place_make(&p);
    policy_write(&p, "1h", "1m", 60, "medium");
    write_rule(&p, "r.yml", one_rule);
    struct detect *d = open_detect(&p, p.rules, &e);
    assert_int_equal(detect_policy_reload(d, &e), 0);
    assert_int_equal(file_write_atomic(p.policy, STR("group: {window: long}\n"), 0644, &e), 0);
    assert_int_equal(detect_policy_reload(d, &e), -EBADMSG);
    assert_non_null(strstr(e.text, "policy.yaml:1:17"));
    assert_int_equal(detect_policy_reload(d, &e), 0);   /* told once */
    assert_non_null(strstr(detect_policy_note(d), "policy.yaml:1:17"));   /* and shown until it is good again */
    put_rows(&p, rows, 2);
    while (detect_step(d, 0, &e) > 0)
        ;
    json_t *f = findings_of(&p, "one");
    assert_int_equal(json_array_size(f), 1);
    json_decref(f);
    policy_write(&p, "0m", "1m", 60, "critical");
    assert_int_equal(detect_policy_reload(d, &e), 1);
    assert_string_equal(detect_policy_note(d), "");
    detect_close(&d);
    place_remove(&p);
}

/* Half as many groups again as there is room for, each matched twice: those that are dropped are told first. */
static void past_the_limit_nothing_is_lost(void **state)
{
    enum { GROUPS = EPISODES_MAX * 3 / 2 };
    uint64_t told = 0, most = 0, seq = 0;
    struct triage *t = NULL;
    struct sigma *set = NULL;
    struct event_batch out;
    struct place p;
    struct err e;

    (void)state;
    event_batch_init(&out, 0);
    place_make(&p);
    policy_write(&p, "1h", "1m", 100000, "medium");
    const struct sigma_source src = { STR("r.yml"), str_c(one_rule) };
    assert_int_equal(sigma_compile(&src, 1, &set, &e), 0);
    assert_int_equal(triage_open(p.policy, NULL, &t, &e), 0);
    for (unsigned i = 0; i < 2 * GROUPS + GROUPS / 20; i++) {   /* at the end many events of nothing, hours later */
        char user[16];
        struct event_field fields[] = { { STR("user"), str_of(user, (size_t)snprintf(user, sizeof user, "u%u", i / 2)) } };
        struct event ev = { .seq = ++seq, .received = (T0 + i / 1000 + (i < 2 * GROUPS ? 0 : 36000)) * NS_PER_SECOND, .original = STR("a line"), .fields = fields, .field_count = 1 };
        struct sigma_match m = { .rule = sigma_rule_at(set, 0), .count = 1, .first_seq = seq, .last_seq = seq };
        size_t at;

        if (i < 2 * GROUPS)
            assert_true(triage_match(t, set, &m, &ev, &out, &at, &e) >= 0);
        assert_true(triage_due(t, set, &ev, &out, &e) >= 0);
        for (size_t k = 0; k < out.count; k++) {
            uint64_t n = 0;

            if (str_eq(event_get(&out.items[k], STR("rule.id")), STR("one")) && str_u64(event_get(&out.items[k], STR("saqshy.hits")), &n))
                told += n;
        }
        most = triage_counters(t).open > most ? triage_counters(t).open : most;
        event_batch_reset(&out);
    }
    assert_true(most <= EPISODES_MAX);
    assert_true(triage_counters(t).dropped > 1000);
    assert_int_equal(triage_counters(t).open, 0);
    assert_int_equal(triage_counters(t).bytes, 0);
    assert_int_equal(told, 2 * GROUPS);
    triage_close(&t);
    sigma_free(&set);
    event_batch_free(&out);
    place_remove(&p);
}

/* A file of version 1 held the correlations alone: it is taken, and they go on. */
static void a_state_of_version_1_is_taken(void **state)
{
    AUTO_BUF struct buf file, old, want, got;
    struct place whole, upgraded;
    uint32_t random = 7, again = 7;
    struct err e;

    (void)state;
    buf_init(&file, 0), buf_init(&old, 0), buf_init(&want, 0), buf_init(&got, 0);
    place_make(&whole);
    place_make(&upgraded);
    write_rule(&whole, "r.yml", many_rules);
    write_rule(&upgraded, "r.yml", many_rules);
    fill(&whole, 0, 40, &random);
    fill(&upgraded, 0, 40, &again);
    run_to_end(&whole);
    run_to_end(&upgraded);
    assert_int_equal(file_read(upgraded.state, MIB, &file, &e), 0);
    struct reader r = rd_str(buf_view(&file));
    rd_skip(&r, 8);
    uint64_t seq = rd_le64(&r);
    rd_skip(&r, 16);
    assert_true(str_eq(rd_take(&r, 4, "corr"), STR("corr")));
    struct str corr = rd_take(&r, (size_t)rd_le64(&r), "correlations");
    assert_true(rd_ok(&r) && corr.n > 100);
    buf_str(&old, STR("SAQDET1\n"));
    buf_le64(&old, seq);
    buf_le64(&old, corr.n);
    buf_le64(&old, str_hash(corr) ^ (seq * UINT64_C(0x9E3779B97F4A7C15)));
    buf_str(&old, corr);
    assert_int_equal(file_write_atomic(upgraded.state, buf_view(&old), 0640, &e), 0);
    struct detect *d = open_detect(&upgraded, upgraded.rules, &e);
    assert_string_equal(detect_note(d), "");
    assert_int_equal(detect_seq(d), seq);
    detect_close(&d);
    fill(&whole, 300, 40, &random);
    fill(&upgraded, 300, 40, &again);
    run_to_end(&whole);
    run_to_end(&upgraded);
    read_findings(&whole, &want);
    read_findings(&upgraded, &got);
    assert_true(str_eq(buf_view(&want), buf_view(&got)));
    place_remove(&whole);
    place_remove(&upgraded);
}

/* Killed, and the policy is another one when detection starts again: what it had told is judged again as it was, or matches would be lost between
 * the two (a finding of the new policy for an event that has a frame already is not taken). */
static void killed_and_another_policy_no_match_is_lost(void **state)
{
    static const struct { const char *window; int groups; } policies[] = { { "90s", 3 }, { "5m", 1 }, { "20s", 1000 }, { "0m", 3 }, { "3m", 2 } };
    AUTO_BUF struct buf b;
    struct place p, plain;
    uint32_t random = 7, again = 7;
    unsigned kills = 0;
    unsigned long long matches[2];
    struct row nothing[] = { { 500000, "x", "ok", NULL } };

    (void)state;
    buf_init(&b, 0);
    place_make(&p);
    place_make(&plain);
    static const char rules[] = "title: two\nid: two\nlevel: medium\nlogsource: {}\ndetection: {s: {n|endswith: '2'}, condition: s}\n---\n"
                                "title: one\nid: one\nlevel: high\nlogsource: {}\ndetection: {s: {kind: fail}, condition: s}\n";
    write_rule(&p, "r.yml", rules);
    write_rule(&plain, "r.yml", rules);
    for (unsigned round = 0; round < 30; round++) {
        fill(&p, round * 300, 20, &random);
        fill(&plain, round * 300, 20, &again);
        for (unsigned k = 0; k < 3; k++) {
            policy_write(&p, policies[(round * 3 + k) % COUNT(policies)].window, "5s", policies[(round * 3 + k) % COUNT(policies)].groups, "medium");
            kills += killed_run(&p, 1 + (random >> 8 ^ round * 7919 ^ k * 104729) % 60000);
        }
    }
    policy_write(&p, "90s", "5s", 3, "medium");
    for (int more = 0; more < 40; more++) {   /* at most 64 end with an event */
        nothing[0].at += 1000;
        put_rows(&p, nothing, 1);
    }
    run_to_end(&p);
    run_to_end(&plain);
    assert_true(kills > 5);
    static const char *const ids[] = { "one", "two" };
    for (size_t i = 0; i < COUNT(ids); i++) {
        json_t *f = findings_of(&plain, ids[i]);

        matches[i] = json_array_size(f);
        json_decref(f);
        f = findings_of(&p, ids[i]);
        unsigned long long told = 0;
        for (size_t k = 0; k < json_array_size(f); k++)
            told += *told_text(f, k, "saqshy.hits") ? told_number(f, k, "saqshy.hits") : 1;   /* without grouping a finding is a match */
        assert_true(matches[i] > 100);
        assert_int_equal(told, matches[i]);
        json_decref(f);
    }
    place_remove(&p);
    place_remove(&plain);
}

/* At the start a wrong file of the site is left out and told: detection does not stand still for it. */
static void a_wrong_policy_of_the_site_does_not_stop_the_start(void **state)
{
    char site[96];
    struct triage *t = NULL;
    struct place p;
    struct err e;

    (void)state;
    place_make(&p);
    policy_write(&p, "1h", "1m", 60, "medium");
    snprintf(site, sizeof site, "%s/site.yaml", p.root);
    assert_int_equal(file_write_atomic(site, STR("storm: {groups: many}\n"), 0644, &e), 0);
    assert_int_equal(triage_open(p.policy, site, &t, &e), 0);
    assert_non_null(strstr(triage_note(t), "site.yaml:1:"));
    triage_close(&t);
    assert_int_equal(triage_open(p.policy, p.root, &t, &e), 0);    /* a folder in its place cannot be read */
    assert_non_null(strstr(triage_note(t), p.root));
    triage_close(&t);
    assert_int_equal(triage_open(site, NULL, &t, &e), -EBADMSG);   /* ours is whole, or the program is not */
    place_remove(&p);
}

static const struct { const char *name, *text, *told; } wrong[] = {
    { "a stray key", "groups: {}\n", "groups" },
    { "a window without a unit", "group: {window: 60, update: 1m, by: [a]}\n", "\"window\" must be a time" },
    { "no update at all", "group: {window: 1h, update: 0m, by: [a]}\n", "\"update\" must be a time" },
    { "too many fields", "group: {window: 1h, update: 1m, by: [a, b, c, d, e, f, g, h, i]}\n", "at most 8" },
    { "a storm of nothing", "storm: {groups: 0}\n", "at least 1" },
    { "a level nobody knows", "raise_from: grave\n", "a level is expected" },
    { "a change without a rule", "levels: [{level: high}]\n", "\"rule\" is missing" },
    { "a change to an unknown level", "levels: [{rule: a, level: 5}]\n", "a level is expected" },
    { "points below nothing", "risk: {half_life: 1h, points: {informational: -1, low: 1, medium: 1, high: 1, critical: 1}}\n", "from 0 to" },
    { "a title in two languages", "risk: {half_life: 1h, points: {informational: 1, low: 1, medium: 1, high: 1, critical: 1}, host: 1, user: 1, ignore_users: [], "
      "level: low, title: {kk: a, ru: b}}\n", "kk, ru and en" },
};

static void the_policy_says_what_is_wrong_and_where(void **state)
{
    char ours[4200], site[96];
    struct detect_policy *policy = NULL;
    struct place p;
    struct err e;

    (void)state;
    place_make(&p);
    snprintf(ours, sizeof ours, "%s/content/policy/detection.yaml", getenv("SAQSHY_SOURCE"));
    snprintf(site, sizeof site, "%s/site.yaml", p.root);
    assert_int_equal(detect_policy_load(ours, NULL, &policy, &e), 0);   /* ours is whole */
    assert_true(policy->window == NS_PER_HOUR && policy->raise_from == SIGMA_MEDIUM);
    detect_policy_free(&policy);
    for (size_t i = 0; i < COUNT(wrong); i++) {
        assert_int_equal(file_write_atomic(site, str_c(wrong[i].text), 0644, &e), 0);
        CHECK(wrong[i].name, detect_policy_load(ours, site, &policy, &e) == -EBADMSG);
        CHECK(wrong[i].name, strstr(e.text, wrong[i].told) != NULL);
    }
    assert_int_equal(file_write_atomic(site, STR("raise_from: high\nlevels: [{rule: a, level: low, objects: [x]}]\n"), 0644, &e), 0);
    assert_int_equal(detect_policy_load(ours, site, &policy, &e), 0);
    const struct sigma_rule a = { .id = STR("a"), .level = SIGMA_HIGH };
    assert_int_equal(policy->raise_from, SIGMA_HIGH);
    assert_true(policy->window == NS_PER_HOUR);   /* what the site does not name stays */
    assert_int_equal(detect_policy_level(policy, &a, STR("x")), SIGMA_LOW);
    assert_int_equal(detect_policy_level(policy, &a, STR("y")), SIGMA_HIGH);
    detect_policy_free(&policy);
    place_remove(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_policy_says_what_is_wrong_and_where),
        cmocka_unit_test(matches_of_one_group_are_one_finding_and_updates),
        cmocka_unit_test(a_rule_says_by_which_fields),
        cmocka_unit_test(a_storm_is_summed_up_and_nothing_is_lost),
        cmocka_unit_test(levels_are_of_the_policy_and_low_ones_raise_nothing),
        cmocka_unit_test(low_levels_add_up_to_a_finding_of_risk),
        cmocka_unit_test(the_sum_of_hits_is_the_number_of_matches),
        cmocka_unit_test(killed_at_any_moment_the_episodes_are_the_same),
        cmocka_unit_test(killed_and_another_policy_no_match_is_lost),
        cmocka_unit_test(past_the_limit_nothing_is_lost),
        cmocka_unit_test(a_state_of_version_1_is_taken),
        cmocka_unit_test(a_wrong_policy_of_the_site_does_not_stop_the_start),
        cmocka_unit_test(a_torn_state_is_refused),
        cmocka_unit_test(a_policy_that_became_wrong_is_told_and_the_one_before_goes_on),
    };

    return cmocka_run_group_tests_name("triage", tests, NULL, NULL);
}
