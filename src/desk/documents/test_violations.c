/* test_violations.c - the life of violations beyond "fixed", and letters that cannot name all of them: nothing is cut in silence. */
#include "desk/documents/testing.h"
#include "desk/notices/api.h"
#include "table/table.h"

/* begun - a survey with its check-list; closed - brought to its end as an owner and an auditor who have nothing more to say would. */
static void begun(struct world *w, const struct viewer *auditor, time_ns now, const char *day, char id[24])
{
    planned(w, auditor, now, id);
    must_act(w, auditor, id, "send_notice", json_pack("{s:s, s:s}", "survey_from", day, "text", "x"), now);
    in_request(w, &w->registry, id, "receive", json_object(), now);
    must_act(w, auditor, id, "start", json_object(), now);
}

static json_t *violations_of(struct world *w, const struct viewer *v, const char *id, time_ns now)
{
    struct desk_reply r = { 0 };
    struct td_violations_query q = { .survey = str_c(id), .limit = 1000 };

    must(desk_td_violations(w->desk, v, &q, now, &r), &r.err);
    return r.json;
}

static void measured_and_closed(struct world *w, const struct viewer *auditor, const char *id, time_ns now)
{
    json_t *list, *v;
    size_t i;

    must_act(w, &w->registry, id, "receive", json_object(), now);
    list = violations_of(w, &w->registry, id, now);
    json_array_foreach(json_object_get(list, "items"), i, v)
        must_act(w, &w->registry, id, "set_measure", json_pack("{s:O, s:s}", "violation", json_object_get(v, "id"), "measure", "done"), now);
    json_decref(list);
    must_act(w, &w->registry, id, "send_measures", json_pack("{s:b}", "confirmed", 1), now);
    must_act(w, auditor, id, "close", json_object(), now);
}

static json_t *newest_letter(struct world *w, const struct viewer *v, const char *id, time_ns now)
{
    json_t *s = survey_of(w, v, id, now), *notices = json_object_get(s, "notices");
    struct desk_reply r = { 0 };

    must(desk_notice(w->desk, &w->analyst, json_get_str(json_array_get(notices, json_array_size(notices) - 1), "id"), now, &r), &r.err);
    json_decref(s);
    return r.json;
}

static json_t *value_in(const json_t *letter, const char *id)
{
    json_t *f;
    size_t i;

    json_array_foreach((json_t *)(uintptr_t)json_object_get(json_object_get(letter, "form"), "fields"), i, f)
        if (str_eq(json_get_str(f, "id"), str_c(id)))
            return json_object_get(f, "value");
    return NULL;
}

static json_t *with(json_t *items, const char *key, const char *value)
{
    json_t *one;
    size_t i;

    json_array_foreach(items, i, one)
        if (str_eq(json_get_str(one, key), str_c(value)))
            return one;
    fail_msg("nothing with %s = %s", key, value);
    return NULL;
}

static int64_t number_in(struct world *w, const char *sql)
{
    int64_t n = -1;

    must(db_int(w->desk, NULL, 0, &n, sql, ""), NULL);
    return n;
}

/* Of 27 open violations the next survey finds one fixed and one whose requirement does not apply any more: two ends, each with its own name. */
static void test_not_applicable(void **state)
{
    struct world *w = *state;
    struct viewer auditor;
    const time_ns next = T0 + 200 * NS_PER_DAY;
    char id[24];

    viewer_auditor(w, &auditor);
    begun(w, &auditor, T0, "2026-04-20", id);
    judged_all(w, &auditor, id, "not_met", T0);
    must_act(w, &auditor, id, "complete", json_object(), T0);
    must_act(w, &auditor, id, "send_results", json_pack("{s:b}", "confirmed", 1), T0);
    measured_and_closed(w, &auditor, id, T0);

    json_t *first = violations_of(w, &auditor, id, T0), *items = json_object_get(first, "items");
    size_t n = json_array_size(items);
    const char *gone = json_string_value(json_object_get(json_array_get(items, n - 1), "requirement"));
    const char *mended = json_string_value(json_object_get(json_array_get(items, n - 2), "requirement"));
    begun(w, &auditor, next, "2026-11-20", id);
    judged_all(w, &auditor, id, "not_met", next);
    must_act(w, &auditor, id, "set_verdict", json_pack("{s:s, s:s, s:s}", "requirement", gone, "verdict", "not_applicable", "reason", "No such network any more."), next);
    must_act(w, &auditor, id, "set_verdict", json_pack("{s:s, s:s}", "requirement", mended, "verdict", "met"), next);
    must_act(w, &auditor, id, "complete", json_object(), next);
    must_act(w, &auditor, id, "send_results", json_pack("{s:b}", "confirmed", 1), next);

    json_t *now = violations_of(w, &w->registry, id, next), *v = with(json_object_get(now, "items"), "requirement", gone);
    assert_string_equal(json_string_value(json_object_get(v, "state")), "not_applicable");
    assert_true(json_is_false(json_object_get(v, "open")));
    assert_string_equal(json_string_value(json_object_get(v, "ended_why")), "No such network any more.");
    assert_string_equal(json_string_value(json_object_get(with(json_object_get(now, "items"), "requirement", mended), "state")), "fixed");
    struct desk_reply r = { 0 };
    must(desk_td_violation(w->desk, &w->registry, json_get_str(v, "id"), next, &r), &r.err);
    const json_t *life = json_object_get(r.json, "life"), *end = json_array_get(life, json_array_size(life) - 1);
    assert_string_equal(json_string_value(json_object_get(end, "state")), "not_applicable");
    assert_string_equal(json_string_value(json_object_get(end, "text")), "No such network any more.");
    desk_reply_free(&r);

    json_t *s = survey_of(w, &auditor, id, next), *found = json_object_get(s, "found");
    assert_int_equal(json_integer_value(json_object_get(found, "fixed")), 1);
    assert_int_equal(json_integer_value(json_object_get(found, "not_applicable")), 1);
    json_decref(s);

    must(desk_td_compare(w->desk, &w->registry, str_c(id), &r), &r.err);
    json_t *changed = with(json_object_get(r.json, "items"), "requirement", gone);
    assert_string_equal(json_string_value(json_object_get(changed, "outcome")), "not_applicable");
    assert_string_equal(json_string_value(json_object_get(changed, "reason")), "No such network any more.");
    assert_string_equal(json_string_value(json_object_get(with(json_object_get(r.json, "items"), "requirement", mended), "outcome")), "fixed");
    desk_reply_free(&r);

    json_t *letter = newest_letter(w, &auditor, id, next);
    assert_int_equal(json_array_size(value_in(letter, "fixed")), 1);
    assert_int_equal(json_array_size(value_in(letter, "not_applicable")), 1);
    assert_non_null(strstr(json_string_value(json_array_get(value_in(letter, "not_applicable"), 0)), "No such network any more."));
    assert_int_equal(number_in(w, "SELECT count(*) FROM td_step WHERE state = 'fixed'"), 1);
    json_decref(letter);
    json_decref(now);
    json_decref(first);
}

/* A document that nobody brought next time mends nothing: what was open in it stays open, however little can be looked at. */
static void test_not_presented_ends_nothing(void **state)
{
    struct world *w = *state;
    struct viewer auditor;
    const time_ns next = T0 + 200 * NS_PER_DAY;
    json_t *list, *line;
    size_t i;
    char id[24];

    viewer_auditor(w, &auditor);
    begun(w, &auditor, T0, "2026-04-20", id);
    judged_all(w, &auditor, id, "met", T0);
    must_act(w, &auditor, id, "set_verdict", json_pack("{s:s, s:s, s:s}", "requirement", "is_policy.roles", "verdict", "not_met", "description", "no roles"), T0);
    must_act(w, &auditor, id, "complete", json_object(), T0);
    must_act(w, &auditor, id, "send_results", json_pack("{s:b}", "confirmed", 1), T0);
    measured_and_closed(w, &auditor, id, T0);
    begun(w, &auditor, next, "2026-11-20", id);
    must_act(w, &auditor, id, "not_presented", json_pack("{s:s}", "document", "is_policy"), next);
    list = checklist_of(w, &auditor, id, next);
    json_array_foreach(json_object_get(list, "items"), i, line)
        if (json_is_null(json_object_get(line, "verdict")))
            must_act(w, &auditor, id, "set_verdict", json_pack("{s:O, s:s}", "requirement", json_object_get(line, "requirement"), "verdict", "met"), next);
    json_decref(list);
    must_act(w, &auditor, id, "complete", json_object(), next);
    assert_int_equal(number_in(w, "SELECT count(*) FROM td_violation WHERE code = 'is_policy.roles' AND open = 1 AND state = 'persisting'"), 1);
    assert_int_equal(number_in(w, "SELECT count(*) FROM td_violation WHERE open = 1"), 2);   /* and the document itself */
}

/* --- letters --- */

#define MANY 1500

/* own_library - an administrator's file of so many requirements more. */
static void own_library(struct world *w)
{
    AUTO_BUF struct buf b = { 0 };
    char path[4096];
    struct err e;

    buf_init(&b, 4 * MIB);
    buf_str(&b, STR("version: 1\ndocuments:\n  - document: is_policy\n    requirements:\n"));
    for (int i = 0; i < MANY; i++)
        buf_printf(&b, "      - id: own_%04d\n        text: {kk: 'Талап %d', ru: 'Требование %d', en: 'Requirement %d'}\n        look: {kk: 'a', ru: 'b', en: 'c'}\n"
                       "        recommendation: {kk: 'Жойыңыз', ru: 'Устраните', en: 'Mend it'}\n", i, i, i, i);
    must(file_mkdirs(node_path(w->node, "requirements", path), 0750, &e), &e);
    must(file_write_atomic(node_path(w->node, "requirements/own.yaml", path), buf_view(&b), 0600, &e), &e);
}

struct counted {
    size_t      rows, named;   /* of the sheet; with a number of a violation in the first column */
    const char *word;          /* stands in each row of these */
    size_t      words;
};

static int count_row(void *arg, const struct table_row *row, struct err *e)
{
    struct counted *n = arg;

    (void)e;
    n->rows++;
    n->named += row->count && str_starts(row->cells[0].text, STR("TDV-"));
    for (size_t i = 0; i < row->count; i++)
        n->words += str_find(row->cells[i].text, str_c(n->word)) >= 0;
    return 0;
}

/* letter_holds - the letter names some, says how many stand where, and its workbook has them all. */
static void letter_holds(struct world *w, const json_t *letter, const char *table, const char *word)
{
    size_t shown = json_array_size(value_in(letter, table)), i;
    const char *note = json_string_value(value_in(letter, "note"));
    json_t *files = json_object_get(letter, "files"), *f;
    struct counted n = { .word = word };
    char count[16];
    bool seen = false;

    assert_true(shown > 100 && shown <= 1000);
    assert_non_null(note);
    snprintf(count, sizeof count, "%d", MANY);
    assert_non_null(strstr(note, count));
    snprintf(count, sizeof count, "%zu", shown);
    assert_non_null(strstr(note, count));
    json_array_foreach(files, i, f) {
        AUTO_BUF struct buf bytes = { 0 };
        char path[4096], tail[200];
        struct err e;

        if (!str_ends(json_get_str(f, "name"), STR(".xlsx")))
            continue;
        seen = true;
        buf_init(&bytes, 16 * MIB);
        snprintf(tail, sizeof tail, "documents/%s.bin", json_string_value(json_object_get(f, "sha256")));
        must(file_read(node_path(w->node, tail, path), 16 * MIB, &bytes, &e), &e);
        must(table_read(buf_view(&bytes), NULL, count_row, &n, &e), &e);
        assert_non_null(strstr(note, json_string_value(json_object_get(f, "name"))));
    }
    assert_true(seen);
    assert_int_equal(n.rows, MANY + 1);
    assert_int_equal(n.named, MANY);
    assert_int_equal(n.words, MANY);
}

static void test_many(void **state)
{
    struct world *w = *state;
    struct viewer auditor;
    struct err e;
    char id[24];

    viewer_auditor(w, &auditor);
    own_library(w);
    begun(w, &auditor, T0, "2026-04-20", id);
    assert_true(db_exec(w->desk, &e, "UPDATE td_verdict SET verdict = 'met'", "") > MANY);
    assert_int_equal(db_exec(w->desk, &e, "UPDATE td_verdict SET verdict = 'not_met', description = 'no such thing', recommendation = '{\"kk\":\"Жойыңыз\",\"ru\":\"Устраните\","
                                          "\"en\":\"Mend it\"}' WHERE code LIKE 'is_policy.own_%'", ""), MANY);
    must_act(w, &auditor, id, "complete", json_object(), T0);
    must_act(w, &auditor, id, "send_results", json_pack("{s:b, s:s}", "confirmed", 1, "note", "Our words."), T0);
    json_t *letter = newest_letter(w, &auditor, id, T0);
    letter_holds(w, letter, "violations", "no such thing");
    assert_non_null(strstr(json_string_value(value_in(letter, "note")), "Our words."));
    json_decref(letter);
    must_act(w, &w->registry, id, "receive", json_object(), T0);
    assert_int_equal(db_exec(w->desk, &e, "INSERT INTO td_measure(violation_id, survey_id, text, at, user_id) SELECT id, survey_id, 'mended it', 1, 1 FROM td_violation"
                                          " ORDER BY id LIMIT ?", "i", (int64_t)MANY - 1), MANY - 1);
    assert_int_equal(acted(w, &w->registry, id, "send_measures", json_pack("{s:b}", "confirmed", 1), T0, NULL), -EPROTO);   /* the 1,500th has none */
    assert_int_equal(db_exec(w->desk, &e, "INSERT OR IGNORE INTO td_measure(violation_id, survey_id, text, at, user_id) SELECT id, survey_id, 'mended it', 1, 1 FROM"
                                          " td_violation", ""), 1);
    must_act(w, &w->registry, id, "send_measures", json_pack("{s:b}", "confirmed", 1), T0);
    letter = newest_letter(w, &w->registry, id, T0);
    letter_holds(w, letter, "measures", "mended it");
    json_decref(letter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        { "7.6 a violation whose requirement no longer applies ends as that, not as fixed", test_not_applicable, world_open, world_close, NULL },
        { "a document that was not presented ends no violation", test_not_presented_ends_nothing, world_open, world_close, NULL },
        { "R-10.3-02 R-14-03 letters of 1,500 violations say what stands where, the workbook has all", test_many, world_open, world_close, NULL },
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
