/* test_session.c - signing in: lock-out, sessions, CSRF, passwords; the audit trail that records it. */
#include "desk/audit_chain.h"
#include "desk/testing.h"

static int sign_in(struct world *w, const char *login, struct str password, const char *address, time_ns now, char token[DESK_TOKEN_TEXT],
                   int64_t *wait)
{
    struct desk_reply r = { 0 };
    struct viewer v;
    int rc = desk_sign_in(w->desk, str_c(login), password, str_c(address), now, token, &v, &r);

    if (wait)
        *wait = r.retry_after_s;
    desk_reply_free(&r);
    return rc;
}

static void the_right_password_opens_a_session(void **state)
{
    struct world *w = *state;
    char token[DESK_TOKEN_TEXT];
    struct desk_reply r = { 0 };
    struct viewer v;

    must(desk_sign_in(w->desk, STR("analyst"), password_of(w, "analyst"), STR("192.0.2.1"), T0, token, &v, &r), &r.err);
    assert_true(str_eq(json_get_str(r.json, "csrf"), str_c(v.csrf)));
    assert_true(str_eq(json_get_str(json_object_get(r.json, "user"), "role"), STR("centre_analyst")));
    desk_reply_free(&r);
    r = (struct desk_reply){ 0 };
    must(desk_session(w->desk, str_of(token, 64), STR("192.0.2.1"), T0 + NS_PER_MINUTE, &v, &r), &r.err);
    assert_true(v.role == DESK_CENTRE_ANALYST);
    assert_true(desk_csrf_ok(&v, str_c(v.csrf)));
    assert_false(desk_csrf_ok(&v, STR("")));
    assert_false(desk_csrf_ok(&v, str_of(token, 64)));
    desk_reply_free(&r);
    /* The token itself stands nowhere in the file. */
    int64_t n = 1;
    assert_int_equal(db_int(w->desk, NULL, 0, &n, "SELECT count(*) FROM session WHERE token = ?1", "b", str_of(token, 64)), 0);
    assert_int_equal(n, 0);
    r = (struct desk_reply){ 0 };
    must(desk_sign_out(w->desk, &v, T0 + NS_PER_MINUTE, &r), &r.err);
    desk_reply_free(&r);
    r = (struct desk_reply){ 0 };
    assert_int_equal(desk_session(w->desk, str_of(token, 64), STR(""), T0 + NS_PER_MINUTE, &v, &r), -ENOKEY);
    desk_reply_free(&r);
}

static void a_session_ends_by_idleness_and_by_age(void **state)
{
    struct world *w = *state;
    char token[DESK_TOKEN_TEXT];
    struct desk_reply r = { 0 };
    struct viewer v;
    time_ns t = T0;

    assert_int_equal(sign_in(w, "analyst", password_of(w, "analyst"), "192.0.2.1", T0, token, NULL), 0);
    for (; t < T0 + DESK_SESSION_MOST_NS; t += DESK_SESSION_IDLE_NS - NS_PER_MINUTE) {
        must(desk_session(w->desk, str_of(token, 64), STR(""), t, &v, &r), &r.err);
        desk_reply_free(&r);
        r = (struct desk_reply){ 0 };
    }
    assert_int_equal(desk_session(w->desk, str_of(token, 64), STR(""), t, &v, &r), -ENOKEY);
    desk_reply_free(&r);
    assert_int_equal(sign_in(w, "analyst", password_of(w, "analyst"), "192.0.2.1", t, token, NULL), 0);
    r = (struct desk_reply){ 0 };
    assert_int_equal(desk_session(w->desk, str_of(token, 64), STR(""), t + DESK_SESSION_IDLE_NS, &v, &r), -ENOKEY);
    desk_reply_free(&r);
}

static void five_wrong_passwords_lock_for_a_growing_time(void **state)
{
    struct world *w = *state;
    char token[DESK_TOKEN_TEXT];
    const char *logins[] = { "analyst", "nobody" };   /* known or not: the answers are the same */

    for (size_t i = 0; i < COUNT(logins); i++) {
        time_ns t = T0;
        int64_t wait = 0;

        for (int n = 0; n < DESK_FAILURES_LOGIN; n++)
            assert_int_equal(sign_in(w, logins[i], STR("wrong"), "192.0.2.7", t, token, &wait), -EPERM);
        assert_int_equal(sign_in(w, logins[i], STR("wrong"), "192.0.2.8", t, token, &wait), -EAGAIN);
        assert_int_equal(wait, 30);
        if (i == 0)
            assert_int_equal(sign_in(w, "analyst", password_of(w, "analyst"), "192.0.2.8", t, token, &wait), -EAGAIN);
        t += DESK_LOCK_FIRST_NS;
        assert_int_equal(sign_in(w, logins[i], STR("wrong"), "192.0.2.8", t, token, &wait), -EPERM);
        assert_int_equal(sign_in(w, logins[i], STR("wrong"), "192.0.2.8", t, token, &wait), -EAGAIN);
        assert_int_equal(wait, 60);
    }
    assert_int_equal(sign_in(w, "analyst", password_of(w, "analyst"), "192.0.2.8", T0 + NS_PER_HOUR, token, NULL), 0);
}

static void an_address_that_tries_many_logins_is_locked(void **state)
{
    struct world *w = *state;
    char token[DESK_TOKEN_TEXT], login[32];
    int64_t wait;

    for (int n = 0; n < DESK_FAILURES_ADDRESS; n++) {
        snprintf(login, sizeof login, "user%d", n);
        assert_int_equal(sign_in(w, login, STR("wrong"), "192.0.2.9", T0, token, NULL), -EPERM);
    }
    assert_int_equal(sign_in(w, "analyst", password_of(w, "analyst"), "192.0.2.9", T0, token, &wait), -EAGAIN);
    assert_int_equal(sign_in(w, "analyst", password_of(w, "analyst"), "192.0.2.1", T0, token, &wait), 0);
}

static void a_network_of_ipv6_is_one_address(void **state)
{
    struct world *w = *state;
    char token[DESK_TOKEN_TEXT], login[32], address[64];

    for (int n = 0; n < DESK_FAILURES_ADDRESS; n++) {
        snprintf(login, sizeof login, "user%d", n);
        snprintf(address, sizeof address, "2001:db8:0:7::%x", n + 1);
        assert_int_equal(sign_in(w, login, STR("wrong"), address, T0, token, NULL), -EPERM);
    }
    assert_int_equal(sign_in(w, "analyst", password_of(w, "analyst"), "2001:db8:0:7:ffff::1", T0, token, NULL), -EAGAIN);
    assert_int_equal(sign_in(w, "analyst", password_of(w, "analyst"), "2001:db8:0:8::1", T0, token, NULL), 0);
}

static void made_up_logins_push_out_no_lock(void **state)
{
    struct world *w = *state;
    char token[DESK_TOKEN_TEXT];

    for (int n = 0; n < DESK_FAILURES_LOGIN; n++)
        assert_int_equal(sign_in(w, "analyst", STR("wrong"), "192.0.2.7", T0, token, NULL), -EPERM);
    assert_true(db_exec(w->desk, NULL, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20001)"
                        " INSERT INTO guard SELECT 'login:made' || i, 1, ?1, 0 FROM n", "i", T0 + 1) > 0);
    assert_int_equal(sign_in(w, "nobody", STR("wrong"), "192.0.2.8", T0 + 2, token, NULL), -EPERM);
    assert_int_equal(sign_in(w, "analyst", password_of(w, "analyst"), "192.0.2.8", T0 + 3, token, NULL), -EAGAIN);
}

static void a_password_is_changed_and_other_sessions_end(void **state)
{
    struct world *w = *state;
    char one[DESK_TOKEN_TEXT], two[DESK_TOKEN_TEXT];
    struct desk_reply r = { 0 };
    struct viewer v;
    static const struct { const char *name, *password, *code; int rc; } rows[] = {
        { "short", "short", "weak_password", -EINVAL },
        { "one letter", "aaaaaaaaaaaaaaaa", "weak_password", -EINVAL },
        { "holds the login", "my-analyst-password", "weak_password", -EINVAL },
        { "good", "жақсы құпиясөз 42", NULL, 0 },
    };

    assert_int_equal(sign_in(w, "analyst", password_of(w, "analyst"), "192.0.2.1", T0, one, NULL), 0);
    assert_int_equal(sign_in(w, "analyst", password_of(w, "analyst"), "192.0.2.1", T0, two, NULL), 0);
    must(desk_session(w->desk, str_of(one, 64), STR("192.0.2.1"), T0, &v, &r), &r.err);
    desk_reply_free(&r);
    for (size_t i = 0; i < COUNT(rows); i++) {
        json_t *body = json_pack("{s:s, s:s}", "old", password_of(w, "analyst").p, "new", rows[i].password);

        r = (struct desk_reply){ 0 };
        CHECK(rows[i].name, desk_password_change(w->desk, &v, body, T0, &r) == rows[i].rc);
        CHECK(rows[i].name, (!r.code && !rows[i].code) || strcmp(r.code, rows[i].code) == 0);
        desk_reply_free(&r);
        json_decref(body);
    }
    r = (struct desk_reply){ 0 };
    assert_int_equal(desk_session(w->desk, str_of(two, 64), STR(""), T0, &v, &r), -ENOKEY);
    desk_reply_free(&r);
    r = (struct desk_reply){ 0 };
    assert_int_equal(desk_session(w->desk, str_of(one, 64), STR(""), T0, &v, &r), 0);
    desk_reply_free(&r);
    assert_int_equal(sign_in(w, "analyst", password_of(w, "analyst"), "192.0.2.1", T0, two, NULL), -EPERM);
    assert_int_equal(sign_in(w, "analyst", STR("жақсы құпиясөз 42"), "192.0.2.1", T0, two, NULL), 0);
}

/* --- the audit trail --- */

static void nobody_changes_the_audit_trail(void **state)
{
    struct world *w = *state;
    int64_t broken = 0;
    struct err e;

    assert_int_equal(desk_audit_verify(w->desk, &broken, &e), 0);
    assert_true(db_exec(w->desk, &e, "UPDATE audit SET login = 'x'", "") < 0);
    assert_true(db_exec(w->desk, &e, "DELETE FROM audit", "") < 0);
    assert_true(db_exec(w->desk, &e, "UPDATE timeline SET text = 'x'", "") >= 0);   /* no rows yet: nothing to refuse */
    case_new(w, "rule-audit", T0);
    assert_true(db_exec(w->desk, &e, "UPDATE timeline SET text = 'y'", "") < 0);
    assert_int_equal(desk_audit_verify(w->desk, &broken, &e), 0);
}

static void tampering_with_the_file_shows(void **state)
{
    struct world *w = *state;
    static const struct { const char *name, *sql; int64_t at; } rows[] = {
        { "a changed word", "UPDATE audit SET detail = 'nothing' WHERE id = 2", 2 },
        { "a changed moment", "UPDATE audit SET at = at + 1 WHERE id = 4", 4 },
        { "a row taken out", "DELETE FROM audit WHERE id = 3", 3 },
        { "the first row taken out", "DELETE FROM audit WHERE id = 1", 1 },
        { "the newest rows cut off", "DELETE FROM audit WHERE id > 5", 6 },
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t broken = 0;

        assert_int_equal(sqlite3_exec(w->desk->db, "SAVEPOINT t; DROP TRIGGER audit_kept; DROP TRIGGER audit_fixed", NULL, NULL, NULL), 0);
        assert_int_equal(sqlite3_exec(w->desk->db, rows[i].sql, NULL, NULL, NULL), 0);
        CHECK(rows[i].name, desk_audit_verify(w->desk, &broken, NULL) == 1);
        CHECK(rows[i].name, broken == rows[i].at);
        assert_int_equal(sqlite3_exec(w->desk->db, "ROLLBACK TO t; RELEASE t", NULL, NULL, NULL), 0);
        CHECK(rows[i].name, desk_audit_verify(w->desk, &broken, NULL) == 0);
    }
}

/* As "saqshy verify" asks: from outside, while the desk has the file open. */
static void the_trail_is_checked_from_outside(void **state)
{
    struct world *w = *state;
    struct audit_chain a;
    char path[4096];
    int64_t before;
    struct err e;

    node_path(w->node, "desk/desk.db", path);
    case_new(w, "rule-audit", T0);
    assert_int_equal(audit_chain_verify(path, &a, &e), 0);
    before = a.rows;
    assert_true(before > 3);
    assert_int_equal(strlen(a.last), 64);
    assert_int_equal(sqlite3_exec(w->desk->db, "DROP TRIGGER audit_kept; DROP TRIGGER audit_fixed; DELETE FROM audit WHERE id = (SELECT max(id) FROM audit)", NULL, NULL,
                                  NULL), 0);
    assert_int_equal(audit_chain_verify(path, &a, &e), 1);
    assert_int_equal(a.broken_at, before);
    assert_int_equal(sqlite3_exec(w->desk->db, "UPDATE audit SET outcome = 'refused' WHERE id = 2", NULL, NULL, NULL), 0);
    assert_int_equal(audit_chain_verify(path, &a, &e), 1);
    assert_int_equal(a.broken_at, 2);
    assert_int_equal(audit_chain_verify("/nowhere/desk.db", &a, &e), -ENOENT);
}

static int64_t rows_of(struct world *w, const char *action)
{
    int64_t n = 0;

    assert_int_equal(db_int(w->desk, NULL, 0, &n, "SELECT count(*) FROM audit WHERE action = ? AND outcome = 'ok'", "z", action), 0);
    return n;
}

static void reading_about_people_is_told(void **state)
{
    struct world *w = *state;
    int64_t before = rows_of(w, "personal.read");
    struct desk_reply r = { 0 };

    must(desk_users(w->desk, &w->admin, T0, &r), &r.err);
    desk_reply_free(&r);
    assert_int_equal(rows_of(w, "personal.read"), before + 1);
    assert_int_equal(desk_users(w->desk, &w->analyst, T0, &r), -EACCES);
    desk_reply_free(&r);
    assert_int_equal(rows_of(w, "personal.read"), before + 1);
}

static int64_t broken_of(struct world *w, const char *before, int limit)
{
    struct desk_reply r = { 0 };
    int64_t id;

    must(desk_audit(w->desk, &w->admin, STR(""), limit, str_c(before), &r), &r.err);
    id = id_of(json_object_get(r.json, "chain"), "broken_at");
    desk_reply_free(&r);
    return id;
}

/* Row 2 was changed: the page that shows it says so at once, another page after the walk in the background. */
static void an_old_row_that_was_changed_is_told_on_every_page_after_the_walk(void **state)
{
    struct world *w = *state;
    struct err e;

    must(audit_sweep(w->desk, T0, &e), &e);
    assert_int_equal(broken_of(w, "", 100), 0);
    assert_int_equal(sqlite3_exec(w->desk->db, "DROP TRIGGER audit_fixed; UPDATE audit SET detail = 'nothing' WHERE id = 2", NULL, NULL, NULL), 0);
    assert_int_equal(broken_of(w, "", 100), 2);
    assert_int_equal(broken_of(w, "", 1), 0);
    must(audit_sweep(w->desk, T0 + NS_PER_HOUR, &e), &e);
    assert_int_equal(broken_of(w, "", 1), 0);   /* it rests for a day */
    must(audit_sweep(w->desk, T0 + 25 * NS_PER_HOUR, &e), &e);
    assert_int_equal(broken_of(w, "", 1), 2);
}

static void the_trail_is_paged_and_only_for_administrators(void **state)
{
    struct world *w = *state;
    struct desk_reply r = { 0 };
    struct viewer *others[] = { &w->analyst, &w->registry };
    json_t *next;

    must(desk_audit(w->desk, &w->admin, STR(""), 3, STR(""), &r), &r.err);
    assert_int_equal(json_array_size(json_object_get(r.json, "items")), 3);
    assert_true(json_is_true(json_object_get(json_object_get(r.json, "chain"), "ok")));
    next = json_incref(json_object_get(r.json, "next"));
    desk_reply_free(&r);
    r = (struct desk_reply){ 0 };
    must(desk_audit(w->desk, &w->admin, STR("OBJECT"), 1000, str_c(json_string_value(next)), &r), &r.err);
    assert_true(json_array_size(json_object_get(r.json, "items")) >= 2);
    assert_true(json_is_null(json_object_get(r.json, "next")));
    desk_reply_free(&r);
    json_decref(next);
    for (size_t i = 0; i < COUNT(others); i++) {
        r = (struct desk_reply){ 0 };
        assert_int_equal(desk_audit(w->desk, others[i], STR(""), 0, STR(""), &r), -EACCES);
        desk_reply_free(&r);
    }
}

#define T(f, n) { .name = n, .test_func = f, .setup_func = world_open, .teardown_func = world_close }

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(the_right_password_opens_a_session, "the right password opens a session whose token is kept nowhere"),
        T(a_session_ends_by_idleness_and_by_age, "a session ends by idleness and by age"),
        T(five_wrong_passwords_lock_for_a_growing_time, "five wrong passwords lock a login, known or not, for a growing time"),
        T(an_address_that_tries_many_logins_is_locked, "an address that tries many logins is locked, others are not"),
        T(a_network_of_ipv6_is_one_address, "an address that tries many logins is locked, others are not"),
        T(made_up_logins_push_out_no_lock, "an address that tries many logins is locked, others are not"),
        T(a_password_is_changed_and_other_sessions_end, "a password is changed, weak ones are refused, other sessions end"),
        T(nobody_changes_the_audit_trail, "the audit trail and the timeline refuse UPDATE and DELETE"),
        T(tampering_with_the_file_shows, "tampering with the audit trail shows, with the first row that does not fit"),
        T(the_trail_is_checked_from_outside, "the audit trail is checked from outside the desk, as saqshy verify does it"),
        T(reading_about_people_is_told, "reading about people leaves a row in the audit trail"),
        T(an_old_row_that_was_changed_is_told_on_every_page_after_the_walk, "an old row that was changed is told after the daily walk"),
        T(the_trail_is_paged_and_only_for_administrators, "the audit trail is paged, searched, and only for administrators"),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
