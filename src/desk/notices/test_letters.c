/* test_letters.c - letters for which the Rules prescribe no form go out in ours: which form, what stands in it, to whom, frozen and drawn in Kazakh and
 * in both languages. */
#include "desk/notices/api.h"
#include "desk/notices/notices.h"
#include "desk/requests/kind.h"
#include "desk/testing.h"
#include "forms/test_filled.h"
#include "table/table.h"

#define H NS_PER_HOUR

/* newest - the values of the newest record in that form; the record's own columns are compared on the way. Owned. */
static json_t *newest(struct world *w, const char *form, const char *kind, const char *paragraph, int parties, int64_t *id)
{
    sqlite3_stmt *st = db_query(w->desk, NULL,
                                "SELECT id, kind, coalesce(paragraph, ''), form_values, (SELECT count(*) FROM notice_party p WHERE p.record_id = r.id AND"
                                " p.side = 'to'), canonical, sha256, number FROM notice_record r WHERE form = ? ORDER BY id DESC LIMIT 1", "z", form);
    char sum[65];

    if (!st || db_step(w->desk, st, NULL) != 1)
        fail_msg("nothing went out in the form \"%s\"", form);
    *id = sqlite3_column_int64(st, 0);
    CHECK(form, str_eq(db_str(st, 1), str_c(kind)) && str_eq(db_str(st, 2), str_c(paragraph)));
    CHECK(form, sqlite3_column_int(st, 4) == parties);
    secret_sha256_hex(db_str(st, 5), sum);
    CHECK(form, str_eq(db_str(st, 6), str_c(sum)));
    CHECK(form, str_starts(db_str(st, 7), STR("OUT-2026-")));
    struct str text = db_str(st, 3);
    json_t *values = json_loadb(text.p, text.n, 0, NULL);
    assert_non_null(values);
    db_done(st);
    return values;
}

/* drawn - both ways of drawing it give a document, and the journal's page of it shows the form. */
static void drawn(struct world *w, int64_t id, const char *form)
{
    static const enum notice_bytes ways[] = { NOTICE_SENT_PDF, NOTICE_PDF_KK, NOTICE_PDF_KK_RU };
    struct desk_reply r = { 0 };
    char text[24], name[64];

    snprintf(text, sizeof text, "%lld", (long long)id);
    must(desk_notice(w->desk, &w->analyst, str_c(text), T0 + 90 * H, &r), &r.err);
    assert_string_equal(json_string_value(json_object_get(json_object_get(r.json, "form"), "form")), form);
    for (size_t i = 0; i < COUNT(ways); i++) {
        AUTO_BUF struct buf pdf;

        buf_init(&pdf, DESK_DOCUMENT_MAX);
        must(desk_notice_bytes(w->desk, &w->analyst, str_c(text), ways[i], T0 + 90 * H, &pdf, name, &r), &r.err);
        CHECK(form, pdf.n > 5000 && memcmp(pdf.p, "%PDF-", 5) == 0);
    }
    desk_reply_free(&r);
}

/* said - the value under a name is this, or has this in it. */
static void said(json_t *values, const char *name, const char *want)
{
    const json_t *v = json_object_get(values, name);
    const char *got = json_string_value(json_is_array(v) ? json_array_get(v, 0) : v);

    if (!got || !strstr(got, want))
        fail_msg("\"%s\" is \"%s\", not \"%s\"", name, got ? got : "(none)", want);
}

static void recommendations_go_out_in_their_form(void **state)
{
    struct world *w = *state;
    int64_t id = case_new(w, "rule-letters", T0), record = 0;

    act_do(w, &w->analyst, id, "notify", notify_body(w, id, T0 + H), T0 + H);
    act_do(w, &w->registry, id, "confirm_incident", incident_body(T0 + H, "high"), T0 + H);
    act_do(w, &w->registry, id, "update", json_pack("{s:s, s:s}", "text", "x", "incident_type", "botnet"), T0 + H);
    act_do(w, &w->analyst, id, "recommend", json_pack("{s:s}", "recommendations", "Оқшаулаңыз / Изолируйте"), T0 + 2 * H);
    json_t *v = newest(w, "recommendations", "recommendations", "10(1)", 1, &record);
    said(v, "recommendations", "Оқшаулаңыз / Изолируйте");
    said(v, "incident_type", "botnet");
    said(v, "case_number", "2026-");
    said(v, "contact", "");
    json_t *ioc = json_array_get(json_object_get(v, "iocs"), 1);
    assert_true(str_eq(json_get_str(ioc, "type"), STR("ip")) && str_eq(json_get_str(ioc, "value"), STR("203.0.113.77")));
    assert_true(json_get_str(v, "object").n > 0);
    json_decref(v);
    drawn(w, record, "recommendations");
}

static void the_sending_of_an_employee_goes_out_in_its_forms(void **state)
{
    struct world *w = *state;
    struct viewer knb = w->lead;
    int64_t id = case_new(w, "rule-visit", T0), record = 0;
    struct desk_reply r;

    act_do(w, &w->analyst, id, "notify", notify_body(w, id, T0), T0);
    act_do(w, &w->registry, id, "confirm_incident", incident_body(T0, "high"), T0 + H);
    /* STS decides on its own: nothing goes out until somebody is sent. */
    act_do(w, &w->analyst, id, "decide_visit", json_pack("{s:s}", "reason", "журналдар жергілікті"), T0 + H);
    assert_int_equal(act_try(w, &w->analyst, id, "send_employee", json_pack("{s:s, s:o, s:o}", "employee", "А. Қызметкер", "sent_at", json_time(T0 + H),
                                                                             "arrives_at", json_time(T0)), T0 + 2 * H, &r), -EINVAL);
    assert_string_equal(r.field, "arrives_at");
    desk_reply_free(&r);
    act_do(w, &w->analyst, id, "send_employee", json_pack("{s:s, s:o, s:s}", "employee", "А. Қызметкер, инженер", "arrives_at", json_time(T0 + 5 * H), "note",
                                                          "рұқсатнама"), T0 + 2 * H);
    json_t *v = newest(w, "visit_notice", "visit", "10(1)", 1, &record);
    said(v, "decided_by", "sts");
    said(v, "purpose", "журналдар жергілікті");
    said(v, "employees", "А. Қызметкер, инженер");
    said(v, "sent_at", "2026-03-20T20:50:00");
    said(v, "arrives_at", "2026-03-20T23:50:00");
    said(v, "note", "рұқсатнама");
    json_decref(v);
    drawn(w, record, "visit_notice");
    act_do(w, &w->analyst, id, "visit_return", json_pack("{s:s}", "report", "тексерілді"), T0 + 9 * H);
    /* KNB decides: STS is told, and then whom the owner lets in says who decided. */
    assert_int_equal(db_exec(w->desk, NULL, "UPDATE cases SET escalated_at = ?2 WHERE id = ?1", "ii", id, T0 + 80 * H), 1);
    knb.role = DESK_KNB;
    assert_int_equal(db_exec(w->desk, NULL, "INSERT INTO org(id, name, kind, created_at, updated_at) VALUES ('committee', 'ҰҚК', 'knb', 1, 1)", ""), 1);
    snprintf(knb.org_id, sizeof knb.org_id, "%s", "committee");
    act_do(w, &knb, id, "decide_visit", json_pack("{s:s}", "reason", "дереу"), T0 + 80 * H);
    v = newest(w, "visit_decision", "visit", "10(1)", 1, &record);
    said(v, "decided_by", "knb");
    said(v, "reason", "дереу");
    json_decref(v);
    drawn(w, record, "visit_decision");
    act_do(w, &w->analyst, id, "send_employee", json_pack("{s:s}", "employee", "Б. Қызметкер"), T0 + 81 * H);
    v = newest(w, "visit_notice", "visit", "10(1)", 1, &record);
    said(v, "decided_by", "knb");
    json_decref(v);
}

static void consultations_and_analyses_go_out_in_their_forms(void **state)
{
    struct world *w = *state;
    int64_t id = case_new(w, "rule-words", T0), record = 0;

    act_do(w, &w->analyst, id, "notify", notify_body(w, id, T0), T0);
    act_do(w, &w->registry, id, "consult_request", json_pack("{s:s}", "text", "Қалай тексереміз?"), T0 + H);
    json_t *v = newest(w, "consultation_request", "consultation", "", 1, &record);
    said(v, "question", "Қалай тексереміз?");
    json_decref(v);
    drawn(w, record, "consultation_request");
    act_do(w, &w->analyst, id, "consult_give", json_pack("{s:s}", "text", "Оқшау ортада"), T0 + 2 * H);
    v = newest(w, "consultation_answer", "consultation", "", 1, &record);
    said(v, "question", "Қалай тексереміз?");
    said(v, "answer", "Оқшау ортада");
    json_decref(v);
    drawn(w, record, "consultation_answer");
    act_do(w, &w->registry, id, "confirm_event", NULL, T0 + 3 * H);
    act_do(w, &w->registry, id, "event_analysis", json_pack("{s:s}", "text", "өзіміздің сканер"), T0 + 4 * H);
    v = newest(w, "event_analysis", "event_analysis", "12", 1, &record);
    said(v, "analysis", "өзіміздің сканер");
    said(v, "result", "event_only");
    said(v, "analysed_at", "2026-03-20T22:50:00");
    json_decref(v);
    drawn(w, record, "event_analysis");
}

static json_t *opened(struct world *w, const struct viewer *v, const char *kind, json_t *values)
{
    struct desk_reply r = { 0 };
    json_t *body = json_pack("{s:s, s:[s], s:o}", "kind", kind, "object_ids", "state-register", "values", values), *item;

    must(desk_request_open(w->desk, v, body, T0, &r), &r.err);
    json_decref(body);
    item = json_incref(json_array_get(json_object_get(r.json, "items"), 0));
    desk_reply_free(&r);
    return item;
}

static void acted(struct world *w, const struct viewer *v, json_t *request, const char *name, json_t *body)
{
    struct desk_reply r = { 0 };

    must(desk_request_act(w->desk, v, json_get_str(request, "id"), str_c(name), body, T0 + H, &r), &r.err);
    json_decref(body);
    desk_reply_free(&r);
}

static void the_request_for_the_information_is_a_form(void **state)
{
    struct world *w = *state;
    int64_t record = 0;
    json_t *q = opened(w, &w->analyst, "information", json_pack("{s:s, s:s}", "text", "Тізбе жаңартылуда", "letter_number", "12-3/456"));
    json_t *v = newest(w, "information_request", "information", "15", 1, &record);

    said(v, "requested", "1-қосымша");
    said(v, "requested", "в электронном виде");
    said(v, "purpose", "тізбесін қалыптастыру");
    said(v, "basis", "Қағидалардың 15-тармағы / Пункт 15 Правил; № 12-3/456");
    /* The term is the edition's own: D-03, ten business days, from a moment that is not known yet. */
    said(v, "answer_by", "алған сәттен бастап 10 жұмыс күні");
    said(v, "answer_by", "10 рабочих дней с момента получения");
    said(v, "note", "Тізбе жаңартылуда");
    json_decref(v);
    json_decref(q);
    drawn(w, record, "information_request");
}

static void the_notice_before_a_document_survey_is_a_form(void **state)
{
    struct world *w = *state;
    struct viewer auditor = w->analyst;
    int64_t record = 0;
    json_t *q = opened(w, &auditor, "document_survey", json_pack("{s:s, s:s}", "survey_from", "2026-05-04", "schedule", "2026 жылғы кесте, 7-жол"));

    acted(w, &auditor, q, "send_notice", json_pack("{s:s}", "text", "Құжаттаманы ұсыныңыз"));
    json_t *v = newest(w, "td_survey_notice", "document_survey", "14", 1, &record), *documents = json_object_get(v, "documents");
    said(v, "starts_on", "2026-05-04");
    const struct enumeration *all = edition_enumeration(w->duty.edition, STR("td_document_type"));
    assert_int_equal(json_array_size(documents), all->count);   /* every document of Annex 3, in its order */
    for (size_t i = 0; i < all->count; i++)
        assert_true(str_eq(all->values[i].id, str_c(json_string_value(json_array_get(documents, i)))));
    said(v, "certification", "қолымен және мөрімен (бар болса)");
    said(v, "provide_by", "хабарламаны алған күннен бастап 10 жұмыс күні");
    said(v, "note", "Құжаттаманы ұсыныңыз");
    json_decref(v);
    json_decref(q);
    drawn(w, record, "td_survey_notice");
}

static void a_consultation_outside_of_cases_is_answered_by_letter(void **state)
{
    struct world *w = *state;
    int64_t record = 0;
    json_t *q = opened(w, &w->registry, "consultation", json_pack("{s:s, s:s}", "title", "TLS", "text", "Қай нұсқалары қалады?"));
    json_t *v = newest(w, "consultation_request", "consultation", "10(2)", 1, &record);

    said(v, "question", "Қай нұсқалары қалады?");
    json_decref(v);
    acted(w, &w->analyst, q, "give", json_pack("{s:s}", "answer", "1.2 және 1.3"));
    v = newest(w, "consultation_answer", "consultation", "10(2)", 1, &record);
    said(v, "question", "TLS");
    said(v, "answer", "1.2 және 1.3");
    json_decref(v);
    json_decref(q);
    drawn(w, record, "consultation_answer");
}

/* --- forms as tables --- */

struct cells {
    struct buf text;   /* "sheet|row|column=text" a line */
};

static int cell_take(void *arg, const struct table_row *row, struct err *e)
{
    struct cells *t = arg;

    (void)e;
    for (size_t i = 0; i < row->count; i++)
        buf_printf(&t->text, "%.*s|%u|%u=%.*s\n", STR_ARG(row->sheet), row->number, row->cells[i].column, STR_ARG(row->cells[i].text));
    return 0;
}

static void table_of(struct world *w, int64_t id, enum notice_bytes what, const char *sheet, struct buf *out)
{
    struct table_options o = { .sheet = str_c(sheet) };
    struct cells t = { .text = { 0 } };
    struct desk_reply r = { 0 };
    AUTO_BUF struct buf bytes;
    char text[24], name[64], path[4096];
    struct err e;

    buf_init(&bytes, DESK_DOCUMENT_MAX);
    buf_init(&t.text, MIB);
    must(file_mkdirs(node_path(w->node, "run", path), 0755, &e), &e);
    snprintf(text, sizeof text, "%lld", (long long)id);
    must(desk_notice_bytes(w->desk, &w->analyst, str_c(text), what, T0 + 90 * H, &bytes, name, &r), &r.err);
    must(table_read(buf_view(&bytes), &o, cell_take, &t, &e), &e);
    buf_str(out, buf_view(&t.text));
    buf_free(&t.text);
    desk_reply_free(&r);
}

static void has(const struct buf *b, const char *what)
{
    if (str_find(buf_view(b), str_c(what)) < 0)
        fail_msg("no \"%s\" in\n%.*s", what, STR_ARG(buf_view(b)));
}

/* Annex 1 as a workbook: its items on the first sheet, its compound items on sheets of their own; the letter with its parties; CSV in one. */
static void every_form_is_a_table_too(void **state)
{
    struct world *w = *state;
    struct subject about = { .kind = "object", .id = STR("state-register"), .object_id = STR("state-register"), .org_id = str_c(w->registry.org_id) };
    struct str to = about.org_id;
    json_t *values = json_loads(filled_annex1, 0, NULL);
    struct notice_new n = { .kind = "commissioning", .paragraph = "8", .about = &about, .form = "annex1", .values = values, .orgs = &to, .org_count = 1 };
    struct desk_reply r = { 0 };
    struct call c;
    int64_t id = 0;
    AUTO_BUF struct buf one;
    AUTO_BUF struct buf grid;
    AUTO_BUF struct buf csv;

    buf_init(&one, MIB);
    buf_init(&grid, MIB);
    buf_init(&csv, MIB);
    desk_call_init(&c, w->desk, &w->analyst, T0, &r);
    must(db_begin(w->desk, c.e), c.e);
    must(db_end(w->desk, notice_issue(&c, &n, &id), c.e), c.e);
    desk_call_free(&c);
    desk_reply_free(&r);
    json_decref(values);
    const struct form *form = edition_form(w->duty.edition, STR("annex1"));
    table_of(w, id, NOTICE_XLSX, "", &one);
    for (size_t i = 0; i < form->field_count; i++) {
        char want[4096];

        snprintf(want, sizeof want, "|2=%.*s\n", STR_ARG(form->fields[i].label.text[LANG_KK]));
        has(&one, want);
        snprintf(want, sizeof want, "|4=%.*s\n", STR_ARG(form->fields[i].label.text[LANG_RU]));
        has(&one, want);
    }
    has(&one, "OUT-2026-000001");
    size_t grids = 0;
    for (size_t i = 0; i < form->field_count; i++)
        if (form->fields[i].type == FIELD_TABLE) {
            char number[16];

            snprintf(number, sizeof number, "%.*s", STR_ARG(form->fields[i].number));
            buf_reset(&grid);
            table_of(w, id, NOTICE_XLSX, number, &grid);
            has(&grid, "|1|1=");
            has(&grid, "|2|");
            grids++;
        }
    assert_true(grids > 0);
    has(&grid, "желіаралық экран");
    table_of(w, id, NOTICE_CSV, "", &csv);
    has(&csv, "желіаралық экран");
    has(&csv, "OUT-2026-000001");
}

#define T(f, n) { .name = n, .test_func = f, .setup_func = world_open, .teardown_func = world_close }

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(recommendations_go_out_in_their_form, "R-10.1-10 recommendations go out in their form, with the indicators of the case"),
        T(the_sending_of_an_employee_goes_out_in_its_forms, "R-10.1-11 R-10.1-12 the decision to send an employee and the sending go out in their forms"),
        T(consultations_and_analyses_go_out_in_their_forms, "consultations of a case and the analysis of an event go out in their forms"),
        T(the_request_for_the_information_is_a_form, "R-15-01 R-15-02 the request for the Information is a form that says what, why and by when"),
        T(the_notice_before_a_document_survey_is_a_form, "R-14-01 R-14-02 R-14-04 the notice before a survey of documents is a form with the list of Annex 3"),
        T(every_form_is_a_table_too, "a filled form is a workbook and a CSV too, compound items on sheets of their own"),
        T(a_consultation_outside_of_cases_is_answered_by_letter, "R-10.2-09 a consultation outside of cases is asked and answered by letter"),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
