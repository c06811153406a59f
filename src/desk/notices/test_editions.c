/* test_editions.c - two editions whose forms have other labels: what a case, a notice or a summary says is drawn by its own edition, whenever it is
 * drawn, in both languages, as PDF, JSON and text. */
#include "desk/notices/api.h"
#include "desk/notices/notices.h"
#include "desk/reports/reports.h"
#include "desk/requests/kind.h"
#include "desk/testing.h"
#include "duty/internal.h"
#include "forms/test_filled.h"

#define JUNE (T0 + 80 * NS_PER_DAY)   /* 2026-06-08: the later edition is in force */

/* part_copy - one file of the later edition: every label of a field, and the names of choices, begin with "Жаңа:" and "Новое:". */
static void part_copy(const char *folder, const char *part)
{
    char from[4096], to[512];
    AUTO_BUF struct buf in;
    AUTO_BUF struct buf out;
    struct err e;

    buf_init(&in, MIB);
    buf_init(&out, MIB);
    snprintf(to, sizeof to, "content/editions/kz-52-2025/%s", part);
    must(file_read(source_path(to, from), MIB, &in, &e), &e);
    struct str rest = buf_view(&in), word;
    static const struct { const char *from, *to; } changes[] = {
        { "id: kz-52-2025", "id: kz-52-2026" }, { "effective_from: ''", "effective_from: '2026-06-01'" },
        { "          kk: '", "          kk: 'Жаңа: " }, { "          ru: '", "          ru: 'Новое: " },
        { "        name: {kk: '", "        name: {kk: 'Жаңа: " },
    };
    while (str_split(&rest, '\n', &word)) {
        const char *put = NULL;
        size_t cut = 0;

        for (size_t i = 0; i < COUNT(changes) && !put; i++)
            if (str_starts(word, str_c(changes[i].from))) {
                put = changes[i].to;
                cut = strlen(changes[i].from);
            }
        if (put)
            buf_str(&out, str_c(put));
        buf_str(&out, str_cut(word, cut));
        buf_byte(&out, '\n');
    }
    snprintf(to, sizeof to, "%.200s/%s", folder, part);
    must(file_write_atomic(to, buf_view(&out), 0600, &e), &e);
}

/* two_editions - the world with a content folder of its own that holds both; the configured one is the older. */
static void two_editions(struct world *w)
{
    static const char *const folders[] = { "content", "content/editions", "content/editions/kz-52-2026" };
    char path[512], command[4600], from[4096];
    struct err e;

    for (size_t i = 0; i < COUNT(folders); i++) {
        snprintf(path, sizeof path, "%s/%s", w->data, folders[i]);
        assert_int_equal(mkdir(path, 0700), 0);
    }
    for (size_t i = 0; i < EDITION_PARTS; i++)
        part_copy(path, edition_part_name(i));
    snprintf(command, sizeof command, "cd %.4000s && cp -r editions/kz-52-2025 %.60s/content/editions/ && cp -r calendars policy %.60s/content/",
             source_path("content", from), w->data, w->data);
    assert_int_equal(system(command), 0);
    desk_close(&w->desk);
    duty_world_free(&w->duty);
    snprintf(path, sizeof path, "%s/content", w->data);
    must(duty_world_load(path, "kz-52-2025", "Asia/Almaty", &w->duty, &e), &e);
    assert_int_equal(w->duty.edition_count, 2);
    desk_reopen(w);
}

/* pdf_says - how often a word stands on the paper; -1 without pdftotext. */
static int pdf_says(const struct world *w, struct str pdf, const char *word)
{
    char path[128], command[256], line[1024];
    struct err e;
    int n = 0;

    snprintf(path, sizeof path, "%s/look.pdf", w->data);
    must(file_write_atomic(path, pdf, 0600, &e), &e);
    if (system("pdftotext -v >/dev/null 2>&1") != 0)
        return -1;
    snprintf(command, sizeof command, "pdftotext -raw %s -", path);
    FILE *p = popen(command, "r");
    assert_non_null(p);
    while (fgets(line, sizeof line, p))
        for (const char *at = line; (at = strstr(at, word)) != NULL; at += strlen(word))
            n++;
    assert_int_equal(pclose(p), 0);
    return n;
}

static void document_is_of(struct world *w, const struct viewer *v, struct str sha256, bool later)
{
    AUTO_BUF struct buf pdf;
    AUTO_BUF struct buf json;
    struct desk_reply r = { 0 };
    int kk, ru;

    buf_init(&pdf, DESK_DOCUMENT_MAX);
    buf_init(&json, DESK_DOCUMENT_MAX);
    must(desk_document(w->desk, v, sha256, false, JUNE, &pdf, &r), &r.err);
    must(desk_document(w->desk, v, sha256, true, JUNE, &json, &r), &r.err);
    assert_int_equal(str_find(buf_view(&json), STR("Жаңа:")) >= 0, later);
    assert_int_equal(str_find(buf_view(&json), later ? STR("\"edition\":\"kz-52-2026\"") : STR("\"edition\":\"kz-52-2025\"")) >= 0, true);
    kk = pdf_says(w, buf_view(&pdf), "Жаңа:");
    ru = pdf_says(w, buf_view(&pdf), "Новое:");
    assert_true(kk < 0 || (later ? kk > 10 && ru > 10 : kk == 0 && ru == 0));
    assert_true(kk < 0 || pdf_says(w, buf_view(&pdf), later ? "kz-52-2026" : "kz-52-2025") > 0);
    desk_reply_free(&r);
}

/* records_are_of - every notice of the case: its frozen bytes, its form as data, both ways in which it is drawn anew, the letters. */
static void records_are_of(struct world *w, int64_t case_id, bool later)
{
    int64_t ids[32];
    size_t n = 0;
    sqlite3_stmt *st = db_query(w->desk, NULL, "SELECT id FROM notice_record WHERE case_id = ? ORDER BY id", "i", case_id);

    while (db_step(w->desk, st, NULL) > 0 && n < COUNT(ids))
        ids[n++] = sqlite3_column_int64(st, 0);
    assert_true(n >= 2);
    for (size_t i = 0; i < n; i++) {
        static const enum notice_bytes drawn[] = { NOTICE_SENT_PDF, NOTICE_PDF_KK, NOTICE_PDF_KK_RU };
        struct desk_reply r = { 0 };
        char id[24], name[64];
        AUTO_BUF struct buf frozen;

        buf_init(&frozen, DESK_DOCUMENT_MAX);
        snprintf(id, sizeof id, "%lld", (long long)ids[i]);
        must(desk_notice(w->desk, &w->analyst, str_c(id), JUNE, &r), &r.err);
        json_t *form = json_object_get(r.json, "form");
        assert_true(json_is_object(form));
        assert_string_equal(json_string_value(json_object_get(form, "edition")), later ? "kz-52-2026" : "kz-52-2025");
        must(desk_notice_bytes(w->desk, &w->analyst, str_c(id), NOTICE_CANONICAL, JUNE, &frozen, name, &r), &r.err);
        assert_int_equal(str_find(buf_view(&frozen), STR("\"edition\":\"kz-52-2026\"")) >= 0, later);
        for (size_t k = 0; k < COUNT(drawn); k++) {
            AUTO_BUF struct buf pdf;

            buf_init(&pdf, DESK_DOCUMENT_MAX);
            must(desk_notice_bytes(w->desk, &w->analyst, str_c(id), drawn[k], JUNE, &pdf, name, &r), &r.err);
            int said = pdf_says(w, buf_view(&pdf), "Жаңа:"), russian = pdf_says(w, buf_view(&pdf), "Новое:");
            assert_true(said < 0 || (said > 0) == later);
            assert_true(russian < 0 || (russian > 0) == (later && drawn[k] != NOTICE_PDF_KK));
        }
        desk_reply_free(&r);
    }
    int64_t letters = 0, new = 0;
    must(db_int(w->desk, NULL, 0, &letters, "SELECT count(*) FROM notice WHERE case_id = ? AND channel = 'email'", "i", case_id), NULL);
    must(db_int(w->desk, NULL, 0, &new, "SELECT count(*) FROM notice WHERE case_id = ? AND channel = 'email' AND body LIKE '%Жаңа:%' AND body LIKE '%Новое:%'",
                "i", case_id), NULL);
    assert_true(letters > 1 && new == (later ? letters : 0));
}

static void a_case_is_drawn_by_its_own_edition(void **state)
{
    struct world *w = *state;
    struct str sha7, sha2;

    two_editions(w);
    for (int later = 0; later < 2; later++) {
        time_ns at = later ? JUNE : T0, notice = JUNE + later * NS_PER_DAY;
        int64_t id = case_new(w, later ? "saqshy-edition-two" : "saqshy-edition-one", at);

        /* Both notices go out in June; the first case began in March, under the edition of that time. */
        act_do(w, &w->analyst, id, "notify", notify_body(w, id, notice), notice);
        act_do(w, &w->registry, id, "confirm_incident", incident_body(notice, "medium"), notice);
        act_do(w, &w->registry, id, "report_measures", measures_body(w, id, notice, "medium"), notice);
        json_t *c = case_get(w, &w->analyst, id, notice), *docs = json_object_get(c, "documents");
        assert_int_equal(json_array_size(docs), 2);
        sha7 = json_get_str(json_array_get(docs, 0), "sha256");
        sha2 = json_get_str(json_array_get(docs, 1), "sha256");
        document_is_of(w, &w->analyst, sha7, later);
        document_is_of(w, &w->analyst, sha2, later);
        json_decref(c);
        records_are_of(w, id, later);
    }
}

static void a_summary_is_of_the_edition_of_its_quarter(void **state)
{
    static const struct { const char *quarter; const char *edition; bool later; } rows[] = {
        { "2026Q1", "kz-52-2025", false }, { "2026Q3", "kz-52-2026", true },
    };
    struct world *w = *state;

    two_editions(w);
    for (size_t i = 0; i < COUNT(rows); i++) {
        time_ns at = rows[i].later ? JUNE + 40 * NS_PER_DAY : T0;
        int64_t id = case_new(w, "saqshy-edition-sum", at);
        struct desk_reply r = { 0 };

        act_do(w, &w->analyst, id, "notify", notify_body(w, id, at), at);
        act_do(w, &w->registry, id, "confirm_incident", incident_body(at, "high"), at);
        struct viewer v = w->analyst;
        v.lang = LANG_KK;
        must(desk_figures(w->desk, &v, &(struct desk_figures_query){ .paragraph = STR("17"), .quarter = str_c(rows[i].quarter), .as_of = STR("") },
                          JUNE + 60 * NS_PER_DAY, &r), &r.err);
        char *text = json_dumps(r.json, 0);
        CHECK(rows[i].quarter, (strstr(text, "Жаңа: Жоғары (4)") != NULL) == rows[i].later);
        CHECK(rows[i].quarter, strstr(text, "Жоғары (4)") != NULL);
        free(text);
        desk_reply_free(&r);
    }
}

/* A look before sending: the same paper with the mark of a draft, for the side that writes the form, and nothing is kept of it. */
static void a_form_is_looked_at_before_it_goes(void **state)
{
    struct world *w = *state;
    int64_t id = case_new(w, "rule-look", T0);
    json_t *body = notify_body(w, id, T0), *annex7 = json_pack("{s:O, s:s}", "annex7", json_object_get(body, "annex7"), "recommendations", "Оқшаулаңыз"), *none;
    struct desk_reply r = { 0 };
    char text[24];
    int64_t kept = 0;
    AUTO_BUF struct buf pdf;

    buf_init(&pdf, DESK_DOCUMENT_MAX);
    snprintf(text, sizeof text, "%lld", (long long)id);
    must(desk_case_preview(w->desk, &w->analyst, str_c(text), STR("annex7"), annex7, T0, &pdf, &r), &r.err);
    int mark = pdf_says(w, buf_view(&pdf), "ЖОБА"), russian = pdf_says(w, buf_view(&pdf), "ПРОЕКТ");
    assert_true(mark < 0 || (mark >= 1 && russian >= 1 && pdf_says(w, buf_view(&pdf), "Оқшаулаңыз") >= 1));
    must(db_int(w->desk, NULL, 0, &kept, "SELECT (SELECT count(*) FROM document) + (SELECT count(*) FROM notice_record) + (SELECT count(*) FROM case_draft)", ""),
         NULL);
    assert_int_equal(kept, 0);
    /* Not before the notice, not by a stranger, not the other side's form, no other form, no body that is none. */
    static const struct { bool owner; const char *form; int rc; } refused[] = {
        { true, "annex2", -ENOENT }, { false, "annex2", -EACCES }, { false, "annex1", -ENOENT },
    };
    for (size_t i = 0; i < COUNT(refused); i++) {
        assert_int_equal(desk_case_preview(w->desk, refused[i].owner ? &w->registry : &w->analyst, str_c(text), str_c(refused[i].form), annex7, T0, &pdf, &r),
                         refused[i].rc);
        desk_reply_free(&r);
        r = (struct desk_reply){ 0 };
    }
    none = json_pack("{s:{s:s}}", "annex7", "moon", "x");
    assert_int_equal(desk_case_preview(w->desk, &w->analyst, str_c(text), STR("annex7"), none, T0, &pdf, &r), -EINVAL);
    assert_true(strncmp(r.field, "annex7", 6) == 0);
    desk_reply_free(&r);
    json_decref(none);
    json_decref(annex7);
    json_decref(body);
}

static json_t *request_open(struct world *w, const char *kind, json_t *values, time_ns now)
{
    struct desk_reply r = { 0 };
    json_t *body = json_pack("{s:s, s:[s], s:o}", "kind", kind, "object_ids", "state-register", "values", values), *item;

    must(desk_request_open(w->desk, &w->registry, body, now, &r), &r.err);
    json_decref(body);
    item = json_incref(json_array_get(json_object_get(r.json, "items"), 0));
    desk_reply_free(&r);
    return item;
}

/* A duty that began under the older edition is kept by the older edition's form, Annex 1; one that begins in June by the later one's. */
static void annex_1_is_of_the_edition_of_its_duty(void **state)
{
    struct world *w = *state;

    two_editions(w);
    for (int later = 0; later < 2; later++) {
        json_t *q = request_open(w, later ? "termination" : "commissioning",
                                 later ? json_pack("{s:s, s:s}", "terminated_on", "2026-06-07", "reason", "x") : json_pack("{s:s}", "commissioned_on", "2026-03-20"),
                                 later ? JUNE : T0);
        struct subject about = { .kind = "request", .id = json_get_str(q, "id"), .object_id = STR("state-register"), .org_id = str_c(w->registry.org_id) };
        json_t *values = json_loads(filled_annex1, 0, NULL);
        struct str to = about.org_id;
        struct notice_new n = { .kind = "commissioning", .paragraph = "8", .about = &about, .form = "annex1", .values = values, .orgs = &to, .org_count = 1 };
        struct desk_reply r = { 0 };
        struct call c;
        int64_t old = 0, new = 0;

        desk_call_init(&c, w->desk, &w->analyst, JUNE, &r);
        must(db_begin(w->desk, c.e), c.e);
        must(db_end(w->desk, notice_issue(&c, &n, NULL), c.e), c.e);
        desk_call_free(&c);
        desk_reply_free(&r);
        json_decref(values);
        json_decref(q);
        must(db_int(w->desk, NULL, 0, &old, "SELECT count(*) FROM notice_record WHERE form = 'annex1' AND edition = 'kz-52-2025'", ""), NULL);
        must(db_int(w->desk, NULL, 0, &new, "SELECT count(*) FROM notice_record WHERE form = 'annex1' AND edition = 'kz-52-2026'", ""), NULL);
        assert_int_equal(old, 1);
        assert_int_equal(new, later);
        must(db_int(w->desk, NULL, 0, &new, "SELECT count(*) FROM notice n JOIN notice_record r ON r.id = n.record_id WHERE r.form = 'annex1' AND"
                                            " n.channel = 'email' AND (n.body LIKE '%Жаңа:%') <> (r.edition = 'kz-52-2026')", ""), NULL);
        assert_int_equal(new, 0);
    }
}

#define T(f, n) { .name = n, .test_func = f, .setup_func = world_open, .teardown_func = world_close }

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_case_is_drawn_by_its_own_edition, "a case, its annexes, notices and letters are drawn by its own edition, whichever is in force by then"),
        T(annex_1_is_of_the_edition_of_its_duty, "R-8-01 Annex 1 is drawn by the edition by which its duty is counted"),
        T(a_form_is_looked_at_before_it_goes, "a form is looked at before it goes: the mark of a draft, nothing kept"),
        T(a_summary_is_of_the_edition_of_its_quarter, "a summary is drawn by the edition of its quarter"),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
