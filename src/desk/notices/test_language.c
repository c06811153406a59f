/* test_language.c - what the system itself says is read in the reader's own language, whoever reads and whenever; what was kept as words before stays
 * readable; what goes out as a document is titled in Kazakh and Russian. */
#include "desk/notices/api.h"
#include "desk/notices/notices.h"
#include "desk/testing.h"

#define H NS_PER_HOUR

/* inbox_title_of - the title of the newest item of a kind, in a language; owned. */
static char *inbox_title_of(struct world *w, const struct viewer *of, enum lang lang, const char *kind)
{
    struct viewer v = *of;
    struct desk_reply r = { 0 };
    json_t *item;
    size_t i;
    char *title = NULL;

    v.lang = lang;
    must(desk_inbox(w->desk, &v, 50, STR(""), &r), &r.err);
    json_array_foreach(json_object_get(r.json, "items"), i, item)
        if (!title && strcmp(json_string_value(json_object_get(item, "kind")), kind) == 0)
            title = strdup(json_string_value(json_object_get(item, "title")) ? json_string_value(json_object_get(item, "title")) : "(none)");
    desk_reply_free(&r);
    if (!title)
        fail_msg("no \"%s\" in the inbox", kind);
    return title;
}

static void want(struct world *w, const struct viewer *v, enum lang lang, const char *kind, const char *in)
{
    char *title = inbox_title_of(w, v, lang, kind);

    if (!strstr(title, in))
        fail_msg("\"%s\" has no \"%s\"", title, in);
    free(title);
}

static int64_t count_of(struct world *w, const char *sql)
{
    int64_t n = -1;

    assert_int_equal(db_int(w->desk, NULL, 0, &n, sql, ""), 0);
    return n;
}

/* The 72 hours of D-11 pass: the owner is reminded, then told that they are late. */
static void a_reminder_is_read_in_the_readers_language(void **state)
{
    struct world *w = *state;
    int64_t id = case_new(w, "rule-language", T0);
    struct err e;

    act_do(w, &w->analyst, id, "notify", notify_body(w, id, T0), T0);
    for (int i = 1; i <= 90; i++)
        must(desk_tick(w->desk, T0 + i * H, NULL, &e), &e);
    assert_true(count_of(w, "SELECT count(*) FROM notice WHERE kind = 'reminder' AND channel = 'inbox' AND text_key = 'duty.mail.late' AND text_args LIKE '%D-1%'") > 0);
    assert_int_equal(count_of(w, "SELECT count(*) FROM notice WHERE kind = 'reminder' AND channel = 'inbox' AND (subject_line IS NOT NULL OR body IS NOT NULL)"), 0);
    want(w, &w->registry, LANG_KK, "reminder", "әлі орындалмаған, мерзімі 23.03.2026 23:50");
    want(w, &w->registry, LANG_RU, "reminder", "все еще не исполнено");
    want(w, &w->registry, LANG_EN, "reminder", "still not done");
    want(w, &w->registry, LANG_EN, "reminder", "2026-0000");   /* the case */
    /* Letters begin in the language of whom they reach; each language stands in them. */
    assert_true(count_of(w, "SELECT count(*) FROM notice n JOIN user u ON u.email = n.addressee WHERE n.kind = 'reminder' AND n.channel = 'email'") > 0);
    assert_int_equal(count_of(w, "SELECT count(*) FROM notice n JOIN user u ON u.email = n.addressee WHERE n.kind = 'reminder' AND n.channel = 'email' AND"
                                 " u.language = 'ru' AND substr(n.body, 1, 200) NOT LIKE '%пункт%'"), 0);
    /* What was sent is kept as it was said. */
    assert_true((sqlite3_exec(w->desk->db, "UPDATE notice SET text_args = '{}' WHERE text_key IS NOT NULL", NULL, NULL, NULL) & 0xff) == SQLITE_CONSTRAINT);
}

static void rows_of_before_stay_readable(void **state)
{
    struct world *w = *state;

    assert_int_equal(db_exec(w->desk, NULL, "INSERT INTO notice(subject, subject_id, kind, channel, addressee, org_id, state, queued_at, sent_at, subject_line,"
                                            " body) VALUES ('object', 'state-register', 'reminder', 'inbox', 'x', ?1, 'sent', 1, 1, 'D-11: мерзімі бітті', 'b')",
                             "z", w->registry.org_id), 1);
    for (enum lang l = 0; l < LANG_COUNT; l++)
        want(w, &w->registry, l, "reminder", "D-11: мерзімі бітті");
}

static void titles_and_the_centres_name_are_read_in_ones_language(void **state)
{
    static const struct { enum lang lang; const char *annex7, *centre; } rows[] = {
        { LANG_KK, "Анықталған ақпараттық қауіпсіздік оқиғасы", "\"МТҚ\" АҚ, кезекші ауысым" },
        { LANG_RU, "Перечень данных о выявленном событии", "АО «ГТС», дежурная смена" },
        { LANG_EN, "List of data on a detected", "STS, the shift on duty" },
    };
    struct world *w = *state;
    int64_t id = case_new(w, "rule-titles", T0);

    act_do(w, &w->analyst, id, "notify", notify_body(w, id, T0), T0);
    act_do(w, &w->registry, id, "consult_request", json_pack("{s:s}", "text", "?"), T0 + H);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct viewer v = w->registry;
        struct desk_reply r = { 0 };
        json_t *n, *c;
        size_t k;
        int seen = 0;

        v.lang = rows[i].lang;
        must(desk_notices(w->desk, &v, &(struct notices_query){ .limit = 50 }, T0 + H, &r), &r.err);
        json_array_foreach(json_object_get(r.json, "items"), k, n) {
            json_t *to = json_array_get(json_object_get(n, "addressees"), 0);

            if (strcmp(json_string_value(json_object_get(n, "kind")), "annex7") == 0) {
                assert_non_null(strstr(json_string_value(json_object_get(n, "title")), rows[i].annex7));
                assert_string_equal(json_string_value(json_object_get(json_object_get(n, "sender"), "name")), rows[i].centre);
                seen |= 1;
            }
            if (strcmp(json_string_value(json_object_get(n, "kind")), "consultation") == 0) {
                assert_string_equal(json_string_value(json_object_get(to, "name")), rows[i].centre);
                seen |= 2;
            }
        }
        assert_int_equal(seen, 3);
        desk_reply_free(&r);
        c = case_get(w, &v, id, T0 + H);
        json_array_foreach(json_object_get(c, "timeline"), k, n) {
            const char *to = json_string_value(json_object_get(json_object_get(n, "proof"), "addressee"));

            if (to && strcmp(to, rows[i].centre) == 0)
                seen |= 4;
        }
        assert_int_equal(seen, 7);
        json_decref(c);
    }
}

/* A case whose rule has its own name in each language: the letter about it is titled in both languages of documents, and a reader of English has English
 * before them. */
static void letters_are_titled_in_both_languages(void **state)
{
    struct world *w = *state;
    int64_t id = case_new(w, "ssh-brute-force", T0);

    act_do(w, &w->analyst, id, "notify", notify_body(w, id, T0), T0);
    const struct rule *rule = rule_find(&w->desk->rules, STR("ssh-brute-force"));
    struct str kk = rule ? rule->title.text[LANG_KK] : STR(""), ru = rule ? rule->title.text[LANG_RU] : STR("");
    act_do(w, &w->registry, id, "consult_request", json_pack("{s:s}", "text", "?"), T0 + H);
    int64_t both = 0;
    assert_int_equal(db_int(w->desk, NULL, 0, &both, "SELECT count(*) FROM notice_record WHERE form = 'consultation_request' AND instr(title, ?1) > 0 AND instr(title,"
                                                     " ?2) > 0", "tt", kk, ru), 0);
    assert_int_equal(both, 1);
    struct subject about = { .kind = "object", .id = STR("state-register"), .object_id = STR("state-register"), .org_id = str_c(w->registry.org_id) };
    struct str to = about.org_id;
    json_t *values = json_pack("{s:s, s:s, s:s}", "object", "x", "case_number", "2026-000001", "recommendations", "r");
    struct notice_new n = { .kind = "recommendations", .about = &about, .form = "recommendations", .values = values, .orgs = &to, .org_count = 1 };
    struct desk_reply r = { 0 };
    struct call c;

    assert_true(db_exec(w->desk, NULL, "UPDATE record SET json = json_set(json, '$.language', 'en') WHERE kind = 'person'", "") > 0);
    desk_call_init(&c, w->desk, &w->analyst, T0 + H, &r);
    must(db_begin(w->desk, c.e), c.e);
    must(db_end(w->desk, notice_issue(&c, &n, NULL), c.e), c.e);
    desk_call_free(&c);
    desk_reply_free(&r);
    json_decref(values);
    int64_t english = 0;
    must(db_int(w->desk, NULL, 0, &english, "SELECT count(*) FROM notice WHERE kind = 'recommendations' AND channel = 'email' AND subject = 'object' AND"
                                            " instr(body, 'Recommendations') BETWEEN 1 AND instr(body, 'Ұсынымдар') AND instr(body, 'Рекомендации') >"
                                            " instr(body, 'Ұсынымдар')", ""), NULL);
    assert_true(english > 0);
}

#define T(f, n) { .name = n, .test_func = f, .setup_func = world_open, .teardown_func = world_close }

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_reminder_is_read_in_the_readers_language, "a reminder in the inbox is read in the reader's language, a letter begins in the addressee's"),
        T(rows_of_before_stay_readable, "an inbox of before, kept as words, stays readable"),
        T(titles_and_the_centres_name_are_read_in_ones_language, "titles of forms and the centre's name are read in one's own language"),
        T(letters_are_titled_in_both_languages, "letters are titled in Kazakh and Russian; who reads English has it before them"),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
