/* test_documents.c - the 27 documents of Annex 3 (written from requirements 6.3, not from the edition's files): each with its level, place and names, in the
 * check-list of a survey and in the letter of its results; and the machine of requirements 7.6 from a table of its own. */
#include "desk/documents/room.h"
#include "desk/documents/testing.h"
#include "desk/notices/api.h"
#include "desk/schedule/testing.h"

/* A survey that is at "results sent", made once for all 27 tests. */
struct story {
    struct world  *w;
    struct viewer  auditor;
    char           id[24];
    json_t        *survey, *checklist, *letter;
    char          *paper;      /* words of the letter's PDF without blanks; NULL without pdftotext */
};

static char *paper_of(const struct world *w, struct str pdf)
{
    char path[128], command[256], line[1024];
    AUTO_BUF struct buf b = { 0 };
    struct err e;

    buf_init(&b, 4 * MIB);
    snprintf(path, sizeof path, "%s/look.pdf", w->data);
    must(file_write_atomic(path, pdf, 0600, &e), &e);
    if (system("pdftotext -v >/dev/null 2>&1") != 0)
        return NULL;
    snprintf(command, sizeof command, "pdftotext -raw %s -", path);
    FILE *p = popen(command, "r");
    assert_non_null(p);
    while (fgets(line, sizeof line, p))
        for (const char *at = line; *at; at++)
            if (*at != ' ' && *at != '\n' && *at != '\f' && *at != '\r')
                buf_byte(&b, *at);
    assert_int_equal(pclose(p), 0);
    return strndup(b.p, b.n);
}

static void letter_read(struct story *s, time_ns now)
{
    json_t *notices = json_object_get(s->survey, "notices");
    struct str id = json_get_str(json_array_get(notices, json_array_size(notices) - 1), "id");
    AUTO_BUF struct buf pdf = { 0 };
    struct desk_reply r = { 0 };
    char name[64];

    buf_init(&pdf, DESK_DOCUMENT_MAX);
    must(desk_notice(s->w->desk, &s->w->analyst, id, now, &r), &r.err);
    s->letter = json_incref(r.json);
    desk_reply_free(&r);
    must(desk_notice_bytes(s->w->desk, &s->w->analyst, id, NOTICE_SENT_PDF, now, &pdf, name, &r), &r.err);
    desk_reply_free(&r);
    s->paper = paper_of(s->w, buf_view(&pdf));
}

static int story_made(void **state)
{
    struct story *s = calloc(1, sizeof *s);
    time_ns now = T0;

    if (!s || world_open((void **)&s->w) < 0)
        return -1;
    viewer_auditor(s->w, &s->auditor);
    planned(s->w, &s->auditor, now, s->id);
    must_act(s->w, &s->auditor, s->id, "send_notice", json_pack("{s:s, s:s}", "survey_from", "2026-04-20", "text", "copies, please"), now);
    in_request(s->w, &s->w->registry, s->id, "receive", json_object(), now);
    copies_sent(s->w, s->id, now + NS_PER_DAY);
    must_act(s->w, &s->auditor, s->id, "start", json_object(), now + 2 * NS_PER_DAY);
    judged_all(s->w, &s->auditor, s->id, "not_met", now + 3 * NS_PER_DAY);
    must_act(s->w, &s->auditor, s->id, "complete", json_object(), now + 4 * NS_PER_DAY);
    must_act(s->w, &s->auditor, s->id, "send_results", json_pack("{s:b}", "confirmed", 1), now + 5 * NS_PER_DAY);
    s->survey = survey_of(s->w, &s->auditor, s->id, now + 5 * NS_PER_DAY);
    s->checklist = checklist_of(s->w, &s->auditor, s->id, now + 5 * NS_PER_DAY);
    letter_read(s, now + 5 * NS_PER_DAY);
    *state = s;
    return 0;
}

static int story_ended(void **state)
{
    struct story *s = *state;
    void *w = s->w;

    json_decref(s->survey);
    json_decref(s->checklist);
    json_decref(s->letter);
    free(s->paper);
    free(s);
    return world_close(&w);
}

/* --- the 27 documents --- */

static const json_t *form_value(const json_t *letter, const char *id)
{
    const json_t *f;
    size_t i;

    json_array_foreach((json_t *)(uintptr_t)json_object_get(json_object_get(letter, "form"), "fields"), i, f)
        if (str_eq(json_get_str(f, "id"), str_c(id)))
            return json_object_get(f, "value");
    return NULL;
}

static bool stands_on_paper(const struct story *s, const char *name)
{
    char packed[1024];
    size_t n = 0;

    for (const char *at = name; *at && n < sizeof packed - 1; at++)
        if (*at != ' ')
            packed[n++] = *at;
    packed[n] = 0;
    return !s->paper || strstr(s->paper, packed) != NULL;
}

static void document_check(const struct story *s, size_t at)
{
    const struct expected *x = &expected[at];
    const struct enumeration *docs = edition_enumeration(s->w->duty.edition, STR("td_document_type"));
    const json_t *row = json_array_get(json_object_get(s->survey, "documents"), at), *line;
    size_t i, lines = 0, place = 0;

    CHECK(x->row, docs->count == COUNT(expected));
    CHECK(x->row, str_eq(docs->values[at].row, str_c(x->row)) && str_eq(docs->values[at].id, str_c(x->id)));
    CHECK(x->row, td_level(&docs->values[at]) == x->level && docs->values[at].number == (int32_t)at + 1);
    CHECK(x->row, str_eq(docs->values[at].name.text[LANG_KK], str_c(x->kk)) && str_eq(docs->values[at].name.text[LANG_RU], str_c(x->ru)));
    CHECK(x->row, str_eq(json_get_str(row, "document"), str_c(x->id)) && json_integer_value(json_object_get(row, "level")) == x->level);
    CHECK(x->row, json_is_false(json_object_get(row, "missing")) && json_integer_value(json_object_get(row, "not_met")) == 1);
    json_array_foreach(json_object_get(s->checklist, "items"), i, line)
        if (str_eq(json_get_str(line, "document"), str_c(x->id))) {
            CHECK(x->row, lines == 0 || place + 1 == i);   /* together, in one place */
            place = i;
            lines++;
        }
    CHECK(x->row, lines >= 5 && lines <= 12 && (json_int_t)lines == json_integer_value(json_object_get(row, "total")));
    CHECK(x->row, str_eq(json_get_str(json_array_get(form_value(s->letter, "documents"), at), "document"), str_c(x->id)));
    CHECK(x->row, str_eq(json_get_str(json_array_get(form_value(s->letter, "violations"), at), "document"), str_c(x->id)));
    CHECK(x->row, stands_on_paper(s, x->kk) && stands_on_paper(s, x->ru));
}

/* The number within its level is the place in the whole list less the documents of the levels before. */
static void number_check(size_t at)
{
    int before = 0;

    for (size_t i = 0; i < at; i++)
        before += expected[i].level < expected[at].level;
    CHECK(expected[at].row, expected[at].number == (int)at + 1 - before);
}

#define TEST_OF(fn, r_, l_, n_, i_, en_, kk_, ru_)               \
    static void test_##fn(void **state)                           \
    {                                                             \
        for (size_t i = 0; i < COUNT(expected); i++)              \
            if (strcmp(expected[i].row, r_) == 0) {               \
                number_check(i);                                  \
                document_check(*state, i);                        \
            }                                                     \
    }
DOCUMENTS(TEST_OF)
#define NAME_OF(fn, r_, l_, n_, i_, en_, kk_, ru_) { r_ " " i_ ": " en_ ", in the register, the check-list and the letter", test_##fn, NULL, NULL, NULL },

/* --- the machine of 7.6 --- */

/* Written from requirements 7.6; roles: what its column "actor" means here. */
static const struct {
    const char *row, *act, *from, *to;
    const char *by;      /* sts, owner, request: the survey follows its request */
} machine[] = {
    { "2", "send_notice", "planned", "notice_sent", "sts" },
    { "3", "notice_received", "notice_sent", "notice_received", "request" },
    { "4", "copies_received", "notice_received", "td_received", "request" },
    { "5", "start", "td_received", "in_progress", "sts" },
    { "5", "start", "notice_received", "in_progress", "sts" },
    { "6", "complete", "in_progress", "completed", "sts" },
    { "7", "send_results", "completed", "results_sent", "sts" },
    { "8", "receive", "results_sent", "results_received", "owner" },
    { "8", "record_receipt", "results_sent", "results_received", "sts" },
    { "9", "send_measures", "results_received", "measures_received", "owner" },
    { "10", "close", "measures_received", "closed", "sts" },
};
static const char *const states[] = { "planned", "notice_sent", "notice_received", "td_received", "in_progress", "completed", "results_sent", "results_received",
                                      "measures_received", "closed", "withdrawn" };

static bool word_of(const char *words, const char *word)
{
    struct str all = str_c(words), one;

    while (str_split(&all, ' ', &one))
        if (str_eq(one, str_c(word)))
            return true;
    return false;
}

static void test_machine(void **state)
{
    const unsigned owner = 1u << DESK_OWNER_OFFICER | 1u << DESK_OWNER_ADMINISTRATOR, ocib = 1u << DESK_OCIB_ANALYST | 1u << DESK_CII_RESPONSIBLE;

    (void)state;
    assert_int_equal(td_state_count, COUNT(states));
    for (size_t i = 0; i < COUNT(states); i++)
        assert_string_equal(td_states[i].name, states[i]);
    for (size_t i = 0; i < COUNT(machine); i++) {
        const struct td_act *a = td_act_find(str_c(machine[i].act));

        CHECK(machine[i].act, a && a->row && strcmp(a->row, machine[i].row) == 0);
        CHECK(machine[i].act, word_of(a->from, machine[i].from) && strcmp(a->to, machine[i].to) == 0);
        CHECK(machine[i].act, (a->roles == 0) == (strcmp(machine[i].by, "request") == 0));
        CHECK(machine[i].act, strcmp(machine[i].by, "owner") == 0 ? a->roles == owner : !(a->roles & (owner | ocib)));
    }
    for (const struct td_act *a = td_acts; a->name; a++) {   /* and nothing that 7.6 does not have, but acts within a state, and the withdrawal */
        bool known = !a->to || strcmp(a->to, "withdrawn") == 0;

        for (size_t i = 0; i < COUNT(machine); i++)
            known = known || (strcmp(machine[i].act, a->name) == 0 && strcmp(machine[i].to, a->to) == 0);
        CHECK(a->name, known);
        CHECK(a->name, a->roles == 0 || a->run);
    }
}

/* Every act in every state: done where the table says so, refused everywhere else, by everybody whom the table does not name. */
static void test_refusals(void **state)
{
    static const struct {
        const char *at, *refused;
    } rows[] = {
        { "planned", "start set_verdict complete send_results receive set_measure send_measures close" },
        { "notice_sent", "send_notice start complete send_results receive close" },
        { "notice_received", "send_notice complete send_results receive send_measures close" },
        { "in_progress", "send_notice start send_results receive send_measures close" },
        { "completed", "send_notice start set_verdict complete receive close withdraw" },
        { "results_sent", "send_results set_measure send_measures close withdraw set_verdict" },
    };
    struct world *w = *state;
    struct viewer auditor, anybody = w->registry;
    char id[24];

    viewer_auditor(w, &auditor);
    planned(w, &auditor, T0, id);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str all = str_c(rows[i].refused), one;
        json_t *s = survey_of(w, &auditor, id, T0);

        CHECK(rows[i].at, str_eq(json_get_str(s, "state"), str_c(rows[i].at)));
        json_decref(s);
        while (str_split(&all, ' ', &one)) {
            char name[40];
            const struct td_act *a = td_act_find(one);

            snprintf(name, sizeof name, "%.*s", STR_ARG(one));
            bool owners = (a->roles & (1u << DESK_OWNER_OFFICER)) != 0;
            int rc = acted(w, owners ? &w->registry : &auditor, id, name, json_object(), T0, NULL);
            CHECK(name, rc == (owners && i == 0 ? -ENOENT : -EPROTO));
            anybody.role = DESK_OWNER_OFFICER;
            CHECK(name, owners || i == 0 || acted(w, &anybody, id, name, json_object(), T0, NULL) == -EACCES);
            CHECK(name, acted(w, &w->city, id, name, json_object(), T0, NULL) == -ENOENT);
        }
        if (i == 0)
            must_act(w, &auditor, id, "send_notice", json_pack("{s:s, s:s}", "survey_from", "2026-04-20", "text", "x"), T0);
        else if (i == 1)
            in_request(w, &w->registry, id, "receive", json_object(), T0);
        else if (i == 2)
            must_act(w, &auditor, id, "start", json_object(), T0);
        else if (i == 3) {
            judged_all(w, &auditor, id, "partly", T0);
            must_act(w, &auditor, id, "complete", json_object(), T0);
        } else if (i == 4)
            must_act(w, &auditor, id, "send_results", json_pack("{s:b}", "confirmed", 1), T0);
    }
}

/* The last instant of D-17 and D-18 is in time; a nanosecond later the act is taken and shown as late. */
static void test_last_instant(void **state)
{
    struct world *w = *state;
    struct viewer auditor;

    viewer_auditor(w, &auditor);
    for (int late = 0; late < 2; late++) {
        time_ns now = T0 + late * 200 * NS_PER_DAY, due, month;
        json_t *s;
        char id[24];

        planned(w, &auditor, now, id);
        must_act(w, &auditor, id, "send_notice", json_pack("{s:s, s:s}", "survey_from", late ? "2026-11-20" : "2026-04-20", "text", "x"), now);
        in_request(w, &w->registry, id, "receive", json_object(), now);
        must_act(w, &auditor, id, "start", json_object(), now);
        judged_all(w, &auditor, id, "partly", now);
        must_act(w, &auditor, id, "complete", json_object(), now);
        s = survey_of(w, &auditor, id, now);
        due = clock_time(s, "D-17", "due");
        json_decref(s);
        assert_true(due > now + 10 * NS_PER_DAY);   /* ten business days */
        must_act(w, &auditor, id, "send_results", json_pack("{s:b}", "confirmed", 1), due + late);
        must_act(w, &w->registry, id, "receive", json_object(), due + late);
        s = survey_of(w, &auditor, id, due + late);
        assert_string_equal(clock_state(s, "D-17"), "fulfilled");
        assert_int_equal(clock_time(s, "D-17", "fulfilled_at") > due, late);
        month = clock_time(s, "D-18", "due");
        assert_true(month >= due + 28 * NS_PER_DAY && month <= due + 40 * NS_PER_DAY);
        json_decref(s);
        struct desk_reply r = { 0 };
        struct td_violations_query q = { .survey = str_c(id), .limit = 1000 };
        json_t *v;
        size_t i;
        must(desk_td_violations(w->desk, &w->registry, &q, due + late, &r), &r.err);
        assert_int_equal(json_array_size(json_object_get(r.json, "items")), COUNT(expected));
        json_array_foreach(json_object_get(r.json, "items"), i, v)
            must_act(w, &w->registry, id, "set_measure", json_pack("{s:O, s:s}", "violation", json_object_get(v, "id"), "measure", "done"), month);
        desk_reply_free(&r);
        must_act(w, &w->registry, id, "send_measures", json_pack("{s:b}", "confirmed", 1), month + late);
        s = survey_of(w, &auditor, id, month + late);
        assert_string_equal(clock_state(s, "D-18"), "fulfilled");
        assert_int_equal(clock_time(s, "D-18", "fulfilled_at") > month, late);
        json_decref(s);
        must_act(w, &auditor, id, "close", json_object(), month + late);
    }
}

/* A refused act leaves nothing; a version, a file and a step of a life cannot be changed by whoever has the database open through us. */
static void test_nothing_changes(void **state)
{
    static const char *const forbidden[] = { "UPDATE td_document SET number = 'x'", "DELETE FROM td_document", "UPDATE td_file SET name = 'x'",
                                             "UPDATE td_step SET state = 'fixed'", "DELETE FROM td_evidence" };
    struct world *w = *state;
    struct viewer auditor;
    struct err e;
    char id[24];

    viewer_auditor(w, &auditor);
    planned(w, &auditor, T0, id);
    must_act(w, &auditor, id, "send_notice", json_pack("{s:s, s:s}", "survey_from", "2026-04-20", "text", "x"), T0);
    in_request(w, &w->registry, id, "receive", json_object(), T0);
    copies_sent(w, id, T0);
    must_act(w, &auditor, id, "start", json_object(), T0);
    json_t *before = survey_of(w, &auditor, id, T0), *after;
    assert_int_equal(acted(w, &auditor, id, "complete", json_object(), T0, NULL), -EPROTO);
    assert_int_equal(acted(w, &auditor, id, "set_verdict", json_pack("{s:s, s:s}", "requirement", "is_policy.roles", "verdict", "partly"), T0, NULL), -EINVAL);
    after = survey_of(w, &auditor, id, T0);
    assert_true(json_equal(before, after));
    json_decref(before);
    json_decref(after);
    judged_all(w, &auditor, id, "partly", T0);
    must_act(w, &auditor, id, "complete", json_object(), T0);
    assert_int_equal(db_exec(w->desk, &e, "INSERT INTO td_file(document_id, name, type, size_bytes, sha256, added_at) SELECT id, 'a', 'b', 1, ?, 1 FROM td_document"
                                          " LIMIT 1", "z", "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"), 1);
    assert_int_equal(db_exec(w->desk, &e, "INSERT INTO td_evidence(survey_id, role, name, type, size_bytes, sha256, added_at) VALUES (?, 'photo', 'a', 'b', 1, ?, 1)",
                             "iz", parse_id(str_c(id)), "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"), 1);
    for (size_t i = 0; i < COUNT(forbidden); i++)
        CHECK(forbidden[i], db_exec(w->desk, &e, forbidden[i], "") == -EDOM);
}

/* The request is taken by the tick when nobody looks, once, and whoever looks first is not its author. */
static void test_followed(void **state)
{
    struct world *w = *state;
    struct viewer auditor;
    int64_t versions = 0, author = -1;
    char id[24];

    viewer_auditor(w, &auditor);
    planned(w, &auditor, T0, id);
    must_act(w, &auditor, id, "send_notice", json_pack("{s:s, s:s}", "survey_from", "2026-04-20", "text", "x"), T0);
    in_request(w, &w->registry, id, "receive", json_object(), T0);
    copies_sent(w, id, T0);
    for (int i = 0; i < 3; i++) {
        struct err e;

        must(desk_tick(w->desk, T0 + 1, NULL, &e), &e);
    }
    must(db_int(w->desk, NULL, 0, &versions, "SELECT count(*) FROM td_document WHERE object_id = ?", "z", OBJECT), &(struct err){ 0 });
    assert_int_equal(versions, COUNT(expected));
    must(db_int(w->desk, NULL, 0, &author, "SELECT count(*) FROM timeline WHERE subject = 'document_survey' AND kind IN ('notice_received','copies_received') AND"
                                           " author_id IS NOT NULL", ""), &(struct err){ 0 });
    assert_int_equal(author, 0);
    json_t *s = survey_of(w, &auditor, id, T0 + 1);
    assert_string_equal(state_of(s), "td_received");
    json_decref(s);
}

static int64_t number_of(struct world *w, const char *sql)
{
    int64_t n = -1;
    struct err e;

    must(db_int(w->desk, &e, -1, &n, sql, ""), &e);
    return n;
}

static void ticked(struct world *w, time_ns now)
{
    struct err e;

    must(desk_tick(w->desk, now, NULL, &e), &e);
}

/* A line of the agreed schedule becomes one survey, however often time passes; the line learns what came of it; an amendment moves it, and drops the next. */
static void test_scheduled(void **state)
{
    struct world *w = *state;
    struct viewer auditor;
    int64_t line = line_planned(w->desk, OBJECT, "document", "", 1, "2026-04-20", "2026-04-24", 0), next;
    char id[24];

    viewer_auditor(w, &auditor);
    assert_true(line > 0);
    for (int i = 0; i < 3; i++)
        ticked(w, T0);
    assert_int_equal(number_of(w, "SELECT count(*) FROM td_survey WHERE state = 'planned' AND plan_line IS NOT NULL AND reason IS NULL"), 1);
    snprintf(id, sizeof id, "%lld", (long long)number_of(w, "SELECT id FROM td_survey"));
    assert_int_equal(db_exec(w->desk, NULL,
                             "INSERT INTO plan_change(line_id, plan_id, object_id, mode, kind, ordinal, from_on, to_on, cancelled, reason, documents) SELECT id, plan_id,"
                             " object_id, mode, kind, ordinal, '2026-05-11', '2026-05-15', 0, 'the owner asked', 1 FROM plan_line WHERE id = ?", "i", line), 1);
    ticked(w, T0);
    json_t *s = survey_of(w, &auditor, id, T0);
    assert_true(str_eq(json_get_str(s, "planned_from"), STR("2026-05-11")));
    json_decref(s);
    must_act(w, &auditor, id, "send_notice", json_pack("{s:s, s:s}", "survey_from", "2026-05-11", "text", "x"), T0);
    in_request(w, &w->registry, id, "receive", json_object(), T0);
    must_act(w, &auditor, id, "start", json_object(), T0);
    assert_int_equal(number_of(w, "SELECT count(*) FROM plan_work WHERE state = 'in_progress' AND subject = 'document_survey'"), 1);
    judged_all(w, &auditor, id, "met", T0);
    must_act(w, &auditor, id, "complete", json_object(), T0);
    assert_int_equal(number_of(w, "SELECT count(*) FROM plan_work WHERE state = 'completed'"), 1);
    /* The next line waits while this survey is under way, is dropped by an amendment, and goes with it. */
    next = line_planned(w->desk, OBJECT, "document", "", 2, "2026-10-05", "2026-10-09", 0);
    ticked(w, T0);
    assert_int_equal(number_of(w, "SELECT count(*) FROM td_survey WHERE ended = 0"), 2);
    snprintf(id, sizeof id, "%lld", (long long)number_of(w, "SELECT max(id) FROM td_survey"));
    assert_int_equal(acted(w, &auditor, id, "send_notice", json_pack("{s:s, s:s}", "survey_from", "2026-10-05", "text", "x"), T0, NULL), -EEXIST);
    assert_int_equal(db_exec(w->desk, NULL,
                             "INSERT INTO plan_change(line_id, plan_id, object_id, mode, kind, ordinal, from_on, to_on, cancelled, reason, documents) SELECT id, plan_id,"
                             " object_id, mode, kind, ordinal, from_on, to_on, 1, 'out of use', 1 FROM plan_line WHERE id = ?", "i", next), 1);
    ticked(w, T0);
    s = survey_of(w, &auditor, id, T0);
    assert_string_equal(state_of(s), "withdrawn");
    assert_int_equal(lines_of(s, "line_dropped", NULL), 1);
    json_decref(s);
}

/* line_named - the code of the first line of a survey with a verdict, or without a violation: it stays in the desk. */
static const char *line_named(struct world *w, const char *survey, const char *sql)
{
    static char code[128];
    sqlite3_stmt *st = db_query(w->desk, NULL, sql, "i", parse_id(str_c(survey)));

    assert_int_equal(db_step(w->desk, st, NULL), 1);
    snprintf(code, sizeof code, "%.*s", STR_ARG(db_str(st, 0)));
    db_done(st);
    return code;
}

static const char *first_line(struct world *w, const char *survey)
{
    return line_named(w, survey, "SELECT code FROM td_verdict WHERE survey_id = ? AND verdict = 'partly' ORDER BY position LIMIT 1");
}

static const char *second_line(struct world *w, const char *survey)
{
    return line_named(w, survey, "SELECT code FROM td_verdict WHERE survey_id = ? AND verdict = 'met' ORDER BY position LIMIT 1");
}

static char *violations_text(struct world *w, const char *state, bool open)
{
    struct td_violations_query q = { .object = STR(OBJECT), .state = str_c(state), .open = open, .limit = DESK_LIMIT_MAX };
    struct desk_reply r = { 0 };

    must(desk_td_violations(w->desk, &w->registry, &q, T0, &r), &r.err);
    char *text = json_dumps(r.json, JSON_COMPACT | JSON_SORT_KEYS);
    desk_reply_free(&r);
    return text;
}

static char *checklist_text(struct world *w, const char *id)
{
    struct desk_reply r = { 0 };

    if (desk_td_checklist(w->desk, &w->registry, str_c(id), STR(""), DESK_LIMIT_MAX, STR(""), T0, &r) < 0) {
        desk_reply_free(&r);
        return strdup("");
    }
    json_t *line;
    size_t i;
    json_array_foreach(json_object_get(r.json, "items"), i, line)
        json_object_del(line, "facts");
    char *text = json_dumps(r.json, JSON_COMPACT | JSON_SORT_KEYS);
    desk_reply_free(&r);
    return text;
}

/* A line that cannot become a survey and a survey that cannot follow its request hold up neither the next line nor the next survey, and are tried again. */
static void test_neighbours(void **state)
{
    struct world *w = *state;
    struct viewer auditor;
    int64_t bad = line_planned(w->desk, OBJECT, "document", "", 1, "2026-04-13", "2026-04-17", 0);
    char sql[200], id[24];

    assert_true(line_planned(w->desk, "city-portal", "document", "", 1, "2026-04-20", "2026-04-24", 0) > bad);
    snprintf(sql, sizeof sql, "CREATE TRIGGER refusing BEFORE INSERT ON td_survey WHEN NEW.plan_line = %lld BEGIN SELECT RAISE(ABORT, 'no'); END", (long long)bad);
    assert_true(db_exec(w->desk, NULL, sql, "") >= 0);
    ticked(w, T0);
    assert_int_equal(number_of(w, "SELECT count(*) FROM td_survey WHERE object_id = 'city-portal'"), 1);
    assert_int_equal(number_of(w, "SELECT count(*) FROM td_survey"), 1);
    assert_true(db_exec(w->desk, NULL, "DROP TRIGGER refusing", "") >= 0);
    ticked(w, T0 + NS_PER_HOUR);
    assert_int_equal(number_of(w, "SELECT count(*) FROM td_survey"), 2);
    assert_int_equal(number_of(w, "SELECT count(*) FROM setback"), 0);

    /* Both are sent their copies; the register of the one that comes first takes no more versions. */
    viewer_auditor(w, &auditor);
    for (int i = 0; i < 2; i++) {
        snprintf(id, sizeof id, "%lld", (long long)number_of(w, i ? "SELECT max(id) FROM td_survey" : "SELECT min(id) FROM td_survey"));
        must_act(w, &auditor, id, "send_notice", json_pack("{s:s, s:s}", "survey_from", "2026-04-20", "text", "x"), T0);
    }
    assert_true(db_exec(w->desk, NULL, "UPDATE request SET state = 'notice_received' WHERE kind = 'document_survey'", "") == 2);
    assert_true(db_exec(w->desk, NULL, "CREATE TRIGGER refusing BEFORE UPDATE ON td_survey WHEN NEW.state = 'notice_received' AND NEW.object_id = 'city-portal'"
                                       " BEGIN SELECT RAISE(ABORT, 'no'); END", "") >= 0);
    ticked(w, T0 + NS_PER_HOUR);
    assert_int_equal(number_of(w, "SELECT count(*) FROM td_survey WHERE state = 'notice_received'"), 1);
}

/* Between the completion of the next survey and the sending of its results, the owner reads everything as the last letter left it: the check-list of before,
 * the recommendation, and what the lists answer to every filter. */
static void test_untold(void **state)
{
    static const char *const filters[] = { "sent", "persisting", "fixed", "found", "" };
    struct world *w = *state;
    struct viewer auditor;
    char id[24], next[24], *before[7], *after;

    viewer_auditor(w, &auditor);
    for (int turn = 0; turn < 2; turn++) {
        planned(w, &auditor, T0, turn ? next : id);
        must_act(w, &auditor, turn ? next : id, "send_notice", json_pack("{s:s, s:s}", "survey_from", "2026-04-20", "text", "x"), T0);
        in_request(w, &w->registry, turn ? next : id, "receive", json_object(), T0);
        must_act(w, &auditor, turn ? next : id, "start", json_object(), T0);
        judged_all(w, &auditor, turn ? next : id, turn ? "met" : "partly", T0);
        if (turn)   /* one is there still and is told to be mended otherwise, one is new, the others are mended */
            for (int i = 0; i < 2; i++)
                must_act(w, &auditor, next, "set_verdict",
                         json_pack("{s:s, s:s, s:s, s:s}", "requirement", i ? second_line(w, id) : first_line(w, id), "verdict", "not_met", "description",
                                   "worse", "recommendation_en", "another way"), T0);
        must_act(w, &auditor, turn ? next : id, "complete", json_object(), T0);
        for (int i = 0; i < 7; i++) {
            after = i == 6 ? checklist_text(w, id) : i == 5 ? violations_text(w, "", true) : violations_text(w, filters[i], false);
            if (!turn) {
                if (i == 0) {
                    free(after);
                    must_act(w, &auditor, id, "send_results", json_pack("{s:b}", "confirmed", 1), T0);
                    after = violations_text(w, filters[i], false);
                }
                before[i] = after;
                continue;
            }
            CHECK(i == 6 ? "check-list" : i == 5 ? "open" : filters[i], strcmp(before[i], after) == 0);
            free(after);
            free(before[i]);
        }
        if (!turn) {
            must_act(w, &w->registry, id, "receive", json_object(), T0);
            assert_true(db_exec(w->desk, NULL, "UPDATE td_survey SET ended = 1, state = 'closed', waits = 'nobody'", "") == 1);
            assert_true(db_exec(w->desk, NULL, "UPDATE request SET ended = 1, state = 'withdrawn' WHERE kind = 'document_survey'", "") == 1);
            free(before[6]);
            before[6] = checklist_text(w, id);
        }
    }
}

/* fact_of - what stands beside a measure for the auditor; borrowed from *all. */
static const json_t *fact_of(struct world *w, const struct viewer *v, const char *measure, time_ns now, json_t **all)
{
    struct desk_reply r = { 0 };
    const json_t *f, *found = NULL;
    size_t i;

    must(desk_td_facts(w->desk, v, STR(OBJECT), now, &r), &r.err);
    *all = r.json;
    json_array_foreach(json_object_get(r.json, "items"), i, f)
        if (str_eq(json_get_str(f, "measure"), str_c(measure)))
            found = f;
    assert_non_null(found);
    return found;
}

static void fact_is(struct world *w, const char *measure, const char *state, const char *words, time_ns now)
{
    json_t *all = NULL;
    const json_t *f = fact_of(w, &w->analyst, measure, now, &all);

    CHECK(measure, str_eq(json_get_str(f, "state"), str_c(state)));
    CHECK(measure, strstr(json_string_value(json_object_get(f, "text")), words) != NULL);
    CHECK(measure, json_get_str(f, "by").n && json_get_str(f, "measured_at").n);
    json_decref(all);
}

/* Facts are counted from what is there, and what nobody measured says so. */
static void test_facts(void **state)
{
    struct world *w = *state;
    char path[4096];
    struct err e;
    json_t *sources = json_pack("[{s:s, s:s, s:s, s:s, s:o}, {s:s, s:s, s:s, s:s, s:o}]", "id", "a", "host", "Reg-App-1", "object", OBJECT, "listener", "otlp",
                                "last_seen", json_time(T0 - NS_PER_HOUR), "id", "b", "host", "reg-old", "object", OBJECT, "listener", "syslog_udp", "last_seen",
                                json_time(T0 - 48 * NS_PER_HOUR));
    AUTO_FREE char *text = json_dumps(sources, 0);

    json_decref(sources);
    fact_is(w, "log_coverage", "not_measured", "receives no logs", T0);
    fact_is(w, "retention", "not_measured", "holds no day", T0);
    fact_is(w, "time_sync", "not_measured", "not measured", T0);
    fact_is(w, "vulnerability_age", "not_measured", "no results", T0);
    /* One that is completed has told nothing before its letter, not even that there are none. */
    must(db_exec(w->desk, &e, "INSERT INTO vuln_survey(id, object_id, number, mode, control, main_id, completed_at, cancelled, scope_given) VALUES (901, ?1, 'S-901', 'pentest_auto', 0, 0, ?2, 0, 0)",
                 "zi", OBJECT, T0 - NS_PER_DAY), &e);
    fact_is(w, "vulnerability_age", "not_measured", "no results", T0);
    must(db_exec(w->desk, &e, "UPDATE vuln_survey SET sent_at = ?1 WHERE id = 901", "i", T0 - NS_PER_HOUR), &e);
    fact_is(w, "vulnerability_age", "measured", "no open vulnerabilities", T0);
    fact_is(w, "agents", "not_measured", "receives no logs", T0);
    must(file_mkdirs(node_path(w->node, "run", path), 0750, &e), &e);
    must(file_write_atomic(node_path(w->node, "run/sources.json", path), str_c(text), 0600, &e), &e);
    must(file_mkdirs(node_path(w->node, "store/20260301", path), 0750, &e), &e);
    must(file_mkdirs(node_path(w->node, "store/20260115", path), 0750, &e), &e);
    must(file_mkdirs(node_path(w->node, "store/notaday1", path), 0750, &e), &e);
    fact_is(w, "retention", "measured", "15.01.2026, days kept: 2", T0);
    fact_is(w, "agents", "measured", "in the last day: 1,", T0);
    fact_is(w, "log_coverage", "measured", "(sources: 1, hosts: 1)", T0);
    fact_is(w, "agents", "measured", "in the last day: 0,", T0 + 30 * NS_PER_HOUR);
    fact_is(w, "passport", "not_measured", "no passport", T0);
    fact_is(w, "incidents", "measured", "0 incidents", T0);
    fact_is(w, "document_expiry", "measured", "0 of 27", T0);
}

int main(void)
{
    const struct CMUnitTest documents[] = {
        DOCUMENTS(NAME_OF)
    };
    const struct CMUnitTest machines[] = {
        { "R-10.3-01 the machine of 7.6, row by row", test_machine, NULL, NULL, NULL },
        { "what 7.6 does not have is refused, in every state and to every stranger", test_refusals, world_open, world_close, NULL },
        { "D-17 D-18 R-10.3-02 R-14-03 the last instant is in time, a nanosecond later is late", test_last_instant, world_open, world_close, NULL },
        { "a refused act leaves nothing; versions, files and lives are kept", test_nothing_changes, world_open, world_close, NULL },
        { "R-10.3-01 7.6 row 1 a line of the agreed schedule becomes a survey, once", test_scheduled, world_open, world_close, NULL },
        { "a line or a survey that the tables refuse holds up no neighbour", test_neighbours, world_open, world_close, NULL },
        { "the owner reads nothing of a survey before its results are sent, in no list and beside no line", test_untold, world_open, world_close, NULL },
        { "facts are measured, with when and by what, or said to be not measured", test_facts, world_open, world_close, NULL },
        { "R-14-01 D-16 copies are taken once, by the tick when nobody looks", test_followed, world_open, world_close, NULL },
    };
    int failed = cmocka_run_group_tests(documents, story_made, story_ended);

    return failed + cmocka_run_group_tests(machines, NULL, NULL);
}
