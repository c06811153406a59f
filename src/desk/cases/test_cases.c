/* test_cases.c - lists and their plans, the enumerations of the annexes against the edition, opening by hand. */
#include "desk/blob.h"
#include "desk/cases/acts.h"
#include "desk/testing.h"

/* The values that bodies take are those of the edition, in its order. */
static void annex_choices_are_those_of_the_edition(void **state)
{
    struct world *w = *state;
    const struct { const char *form; const struct body_field *fields; size_t count; } forms[] = {
        { "annex2", annex2_fields, annex2_field_count }, { "annex7", annex7_fields, annex7_field_count },
    };
    size_t compared = 0;

    for (size_t f = 0; f < COUNT(forms); f++) {
        const struct form *form = edition_form(w->duty.edition, str_c(forms[f].form));

        for (size_t i = 0; i < forms[f].count; i++) {
            const struct body_field *b = &forms[f].fields[i];
            const struct form_field *field = NULL;

            for (size_t k = 0; k < form->field_count && !field; k++)
                if (str_eq(form->fields[k].id, str_c(b->name)))
                    field = &form->fields[k];
            CHECK(b->name, field != NULL);
            if (!b->values || b->type == BODY_IOCS)
                continue;
            size_t n = 0;
            while (b->values[n])
                n++;
            CHECK(b->name, field->values && field->values->count == n);
            for (size_t v = 0; v < n; v++)
                CHECK(b->name, str_eq(field->values->values[v].id, str_c(b->values[v])));
            compared++;
        }
    }
    assert_int_equal(compared, 8);   /* level, type, scale, recurrence, sign, contour, consequences; registration */
}

/* No list of cases walks the whole table: each statement is led by an index, or walks by id from the cursor down. */
static void no_list_scans_the_table(void **state)
{
    struct world *w = *state;
    size_t count, by_id = 0;
    const char *const *sql = case_list_statements(&count);

    for (size_t i = 0; i < count; i++) {
        char text[8192];
        sqlite3_stmt *st = NULL;
        bool walked = false;

        snprintf(text, sizeof text, "EXPLAIN QUERY PLAN %s", sql[i]);
        assert_int_equal(sqlite3_prepare_v2(w->desk->db, text, -1, &st, NULL), SQLITE_OK);
        while (sqlite3_step(st) == SQLITE_ROW) {
            const char *step = (const char *)sqlite3_column_text(st, 3);

            /* "SCAN k USING INDEX case_open": the partial index of open cases is walked on purpose; so is that of escalated ones. */
            if (strncmp(step, "SCAN k", 6) == 0 && !strstr(step, "case_open") && !strstr(step, "case_escalated"))
                walked = true;
            if (strstr(step, "SEARCH k USING INTEGER PRIMARY KEY (rowid<?)"))
                by_id++;
            CHECK(sql[i], strncmp(step, "SCAN o", 6) != 0 && strncmp(step, "SCAN d", 6) != 0 && strncmp(step, "SCAN i", 6) != 0);
        }
        sqlite3_finalize(st);
        CHECK(sql[i], !walked);
    }
    assert_true(by_id <= 2);
}

static json_t *listed(struct world *w, const struct viewer *v, struct desk_cases_query q)
{
    struct desk_reply r = { 0 };

    must(desk_cases(w->desk, v, &q, T0 + NS_PER_HOUR, &r), &r.err);
    return r.json;
}

static size_t found(struct world *w, const struct viewer *v, struct desk_cases_query q)
{
    json_t *j = listed(w, v, q);
    size_t n = json_array_size(json_object_get(j, "items"));

    json_decref(j);
    return n;
}

static void lists_find_what_was_asked_for(void **state)
{
    struct world *w = *state;
    int64_t a = case_new(w, "rule-one", T0);

    case_new(w, "rule-two", T0);
    act_do(w, &w->analyst, a, "notify", notify_body(w, a, T0), T0 + NS_PER_MINUTE);
    act_do(w, &w->registry, a, "confirm_incident", incident_body(T0 + NS_PER_MINUTE, "high"), T0 + 2 * NS_PER_MINUTE);
    const struct { const char *name; struct desk_cases_query q; size_t analyst, owner; } rows[] = {
        { "all", { .open = -1 }, 2, 1 },
        { "open", { .open = 1 }, 2, 1 },
        { "closed", { .open = 0 }, 0, 0 },
        { "by state", { .open = -1, .state = STR("incident_confirmed") }, 1, 1 },
        { "by kind", { .open = -1, .kind = STR("incident") }, 1, 1 },
        { "by level", { .open = -1, .level = STR("high") }, 1, 1 },
        { "by machine", { .open = -1, .machine = STR("cii") }, 0, 0 },
        { "by object", { .open = -1, .object = STR("state-register") }, 2, 1 },
        { "by organisation", { .open = -1, .org = STR("registry-centre") }, 2, 1 },
        { "overdue: the other case was not told of in thirty minutes", { .open = -1, .overdue = true }, 1, 0 },
        { "nobody took one", { .open = -1, .mine = true }, 0, 0 },
        { "by an indicator of the events", { .open = -1, .indicator = STR("203.0.113.77") }, 2, 1 },
        { "by a defanged indicator", { .open = -1, .indicator = STR("203[.]0[.]113[.]77") }, 2, 1 },
        { "by an indicator that nobody has", { .open = -1, .indicator = STR("203.0.113.78") }, 0, 0 },
        { "by words", { .open = -1, .q = STR("мемлекеттік тізі") }, 2, 1 },
        { "by a number", { .open = -1, .q = STR("2026-000001") }, 1, 1 },
        { "a quotation mark breaks nothing", { .open = -1, .q = STR("\"brute* OR (") }, 0, 0 },
        { "words and a state", { .open = -1, .q = STR("brute"), .state = STR("detected") }, 1, 0 },
        { "an indicator and words", { .open = -1, .indicator = STR("203.0.113.77"), .q = STR("brute"), .level = STR("high") }, 1, 1 },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        CHECK(rows[i].name, found(w, &w->analyst, rows[i].q) == rows[i].analyst);
        CHECK(rows[i].name, found(w, &w->registry, rows[i].q) == rows[i].owner);
        CHECK(rows[i].name, found(w, &w->city, rows[i].q) == 0);
    }
}

static void what_is_opened_by_hand_is_judged(void **state)
{
    struct world *w = *state;
    static const struct { const char *name, *body, *field; } rows[] = {
        { "nothing", "{}", "object" },
        { "an unknown property", "{\"object\":\"state-register\",\"title\":\"t\",\"detected_at\":\"2026-03-20T18:00:00Z\",\"x\":1}", "x" },
        { "a moment in the future", "{\"object\":\"state-register\",\"title\":\"t\",\"detected_at\":\"2027-03-20T18:00:00Z\"}", "detected_at" },
        { "confirmed before it was detected", "{\"object\":\"state-register\",\"title\":\"t\",\"detected_at\":\"2026-03-20T18:00:00Z\",\"confirmed_at\":\"2026-03-20T17:00:00Z\"}",
          "confirmed_at" },
        { "a notice without anybody to call", "{\"object\":\"state-register\",\"title\":\"t\",\"detected_at\":\"2026-03-20T18:00:00Z\",\"confirmed_at\":\"2026-03-20T18:00:00Z\",\"notice\":true}",
          "contact" },
        { "a case that nobody knows", "{\"object\":\"state-register\",\"title\":\"t\",\"detected_at\":\"2026-03-20T18:00:00Z\",\"previous\":\"2020-000001\"}", "previous" },
    };
    struct desk_reply r;

    for (size_t i = 0; i < COUNT(rows); i++) {
        json_t *body = json_loads(rows[i].body, 0, NULL);

        r = (struct desk_reply){ 0 };
        CHECK(rows[i].name, desk_case_create(w->desk, &w->registry, body, T0, &r) == -EINVAL);
        CHECK(rows[i].name, strcmp(r.field, rows[i].field) == 0 && r.json == NULL);
        desk_reply_free(&r);
        json_decref(body);
    }
    int64_t n = 1;
    assert_int_equal(db_int(w->desk, NULL, 1, &n, "SELECT count(*) FROM cases", ""), 0);
    assert_int_equal(n, 0);   /* nothing is half-saved */
    /* The centre writes down what it was told by telephone: thirty minutes run from the detection. */
    json_t *body = json_pack("{s:s, s:s, s:o, s:s}", "object", "state-register", "title", "told by telephone", "detected_at", json_time(T0), "contact", "+7 000");
    r = (struct desk_reply){ 0 };
    must(desk_case_create(w->desk, &w->analyst, body, T0 + NS_PER_MINUTE, &r), &r.err);
    assert_string_equal(state_of(r.json), "detected");
    assert_true(clock_time(r.json, "D-05", "due") == T0 + 30 * NS_PER_MINUTE);
    json_decref(body);
    desk_reply_free(&r);
}

/* A label is asked before anything leaves: the mark RED with contacts who are not named stops even the lawful notice, and nothing is half-done. */
static void a_label_is_asked_before_anything_leaves(void **state)
{
    struct world *w = *state;
    int64_t id = case_new(w, "rule-tlp", T0), notices = 1;
    char me[24];
    struct desk_reply r;

    snprintf(me, sizeof me, "%lld", (long long)w->registry.user_id);
    assert_int_equal(act_try(w, &w->analyst, id, "set_tlp", json_pack("{s:s, s:s}", "tlp", "red", "reason", "r"), T0, &r), -EINVAL);
    assert_string_equal(r.field, "persons");
    desk_reply_free(&r);
    act_do(w, &w->analyst, id, "set_tlp", json_pack("{s:s, s:[s], s:s}", "tlp", "red", "persons", me, "reason", "r"), T0);
    assert_int_equal(act_try(w, &w->analyst, id, "notify", notify_body(w, id, T0), T0, &r), -EPROTO);
    assert_string_equal(r.code, "tlp_forbids");
    desk_reply_free(&r);
    assert_int_equal(db_int(w->desk, NULL, 1, &notices, "SELECT count(*) FROM notice", ""), 0);
    assert_int_equal(notices, 0);
    act_do(w, &w->analyst, id, "set_tlp", json_pack("{s:s, s:s}", "tlp", "amber+strict", "reason", "r"), T0);
    act_do(w, &w->analyst, id, "notify", notify_body(w, id, T0), T0);
    json_t *c = case_get(w, &w->registry, id, T0);
    assert_true(str_eq(json_get_str(c, "tlp"), STR("amber+strict")));
    json_decref(c);
    /* The letter says so, and an operational centre that the owner has hired does not get it. */
    assert_int_equal(db_int(w->desk, NULL, 0, &notices, "SELECT count(*) FROM notice WHERE channel = 'email' AND subject_line LIKE '[TLP:AMBER+STRICT] %'"
                            " AND body LIKE 'TLP:AMBER+STRICT%'", ""), 0);
    assert_int_equal(notices, 1);
    assert_int_equal(db_int(w->desk, NULL, 1, &notices, "SELECT count(*) FROM notice WHERE addressee = 'duty@ocib.example'", ""), 0);
    assert_int_equal(notices, 0);
    /* The owner may make it stricter, never wider. */
    assert_int_equal(act_try(w, &w->registry, id, "set_tlp", json_pack("{s:s, s:s}", "tlp", "clear", "reason", "r"), T0, &r), -EINVAL);
    assert_string_equal(r.field, "tlp");
    desk_reply_free(&r);
}

/* heard_try - make the document of a case from what another node sent as its PDF. */
static int heard_try(struct world *w, int64_t id, struct str pdf)
{
    struct desk_reply r = { 0 };
    struct heard h = { .at = T0, .by = STR("node: person") };
    json_t *values = NULL;
    char sha256[65];
    struct kase k;
    struct blob b;
    struct call c;
    int rc;

    desk_call_init(&c, w->desk, &w->analyst, T0, &r);
    must(db_begin(w->desk, c.e), c.e);
    must(blob_put(&c, pdf, &b), c.e);
    must(case_load(&c, id, &k), c.e);
    must(annex7_draft(&c, &k, &values), c.e);
    h.pdf = str_c(b.sha256);
    c.heard = &h;
    rc = db_end(w->desk, document_make(&c, &k, "annex7", values, sha256), c.e);
    if (rc < 0)
        assert_string_equal(r.code, "bad_payload");
    json_decref(values);
    desk_call_free(&c);
    desk_reply_free(&r);
    return rc;
}

/* A node that sends the PDF of somebody else's document as its own letter must not put its words in the place of theirs. */
static void a_document_that_came_takes_no_others_place(void **state)
{
    struct world *w = *state;
    int64_t ours = case_new(w, "rule-ours", T0), theirs = case_new(w, "rule-theirs", T0 + NS_PER_SECOND);
    char tail[100], pdf_path[4096], json_path[4096];
    AUTO_BUF struct buf pdf, before, after;
    struct err e;

    buf_init(&pdf, DESK_DOCUMENT_MAX);
    buf_init(&before, DESK_DOCUMENT_MAX);
    buf_init(&after, DESK_DOCUMENT_MAX);
    assert_true(ours != theirs);
    act_do(w, &w->analyst, ours, "notify", notify_body(w, ours, T0), T0);
    sqlite3_stmt *st = db_query(w->desk, NULL, "SELECT sha256 FROM document WHERE case_id = ?", "i", ours);
    assert_int_equal(db_step(w->desk, st, NULL), 1);
    snprintf(tail, sizeof tail, "documents/%.*s.pdf", STR_ARG(db_str(st, 0)));
    node_path(w->node, tail, pdf_path);
    snprintf(tail, sizeof tail, "documents/%.*s.json", STR_ARG(db_str(st, 0)));
    node_path(w->node, tail, json_path);
    db_done(st);
    must(file_read(pdf_path, DESK_DOCUMENT_MAX, &pdf, &e), &e);
    must(file_read(json_path, DESK_DOCUMENT_MAX, &before, &e), &e);
    assert_int_equal(heard_try(w, theirs, buf_view(&pdf)), -EINVAL);
    assert_int_equal(heard_try(w, ours, buf_view(&pdf)), -EINVAL);     /* it is our own notice, not what they wrote */
    must(file_read(json_path, DESK_DOCUMENT_MAX, &after, &e), &e);
    assert_true(str_eq(buf_view(&before), buf_view(&after)));
    assert_int_equal(heard_try(w, theirs, STR("<html>no document</html>")), -EINVAL);
    /* What is theirs is kept, once more if it comes once more, and for no other case. */
    assert_int_equal(heard_try(w, theirs, STR("%PDF-1.7 theirs")), 0);
    assert_int_equal(heard_try(w, theirs, STR("%PDF-1.7 theirs")), 0);
    assert_int_equal(heard_try(w, ours, STR("%PDF-1.7 theirs")), -EINVAL);
}

#define T(f, n) { .name = n, .test_func = f, .setup_func = world_open, .teardown_func = world_close }

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(annex_choices_are_those_of_the_edition, "R-A2-02 R-A2-03 R-A2-04 R-A2-08 R-A2-10 R-A2-11 R-A2-13 R-A7-12 the choices of Annex 2 and Annex 7 are those of the edition"),
        T(no_list_scans_the_table, "no list of cases scans the table"),
        T(lists_find_what_was_asked_for, "lists find what was asked for, and nothing of others"),
        T(what_is_opened_by_hand_is_judged, "what is opened by hand is judged with its field, and nothing is half-saved"),
        T(a_label_is_asked_before_anything_leaves, "TLP: a label is asked before anything leaves"),
        T(a_document_that_came_takes_no_others_place, "a document that came from another node takes the place of no other"),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
