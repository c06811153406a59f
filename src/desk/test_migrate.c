/* test_migrate.c - a desk of the first release opens in this one: every row is still there, and what it meant. */
#include "desk/testing.h"

/* What the first release left: one case in the middle of its life, with all that hangs on it. */
static const char first_release[] =
    "INSERT INTO org VALUES ('o1', 'Owner', 'owner', '000000000002', 'o@owner.example', 1, 1), ('s1', 'Centre', 'sts', NULL, NULL, 1, 1);"
    "INSERT INTO object VALUES ('ob1', 'Register', 'o1', 'high', 'external', 1, 1, 1);"
    "INSERT INTO object_host VALUES ('web-1', 'ob1', 0);"
    "INSERT INTO object_contact VALUES ('ob1', 0, 'responsible_person', 'A. S.', 'a@owner.example', '+7 000', 'kk');"
    "INSERT INTO user VALUES (7, 'old-analyst', 'Analyst', 'centre_analyst', 's1', 'ru', NULL, 1, 'x', 1, NULL),"
    " (9, 'old-officer', 'Officer', 'owner_officer', 'o1', 'kk', NULL, 1, 'x', 1, NULL);"
    "INSERT INTO session VALUES (3, x'0000000000000000000000000000000000000000000000000000000000000001', 7, 1, 1, '192.0.2.1');"
    "INSERT INTO cases(id, number, state, kind, rule_id, rule_name, rule_level, object_id, grouping, edition, detected_at, last_seen_at, count,"
    " notified_at, created_at, updated_at) VALUES (5, '2026-000005', 'notified', 'event', 'r', 'R', 'high', 'ob1', 'g', 'kz-52-2025', 100, 100, 2,"
    " 200, 100, 200);"
    "INSERT INTO finding VALUES (1, 5, 100, '{}');"
    "INSERT INTO duty VALUES (11, 5, 'D-05', 'detected_at', 100, 1900, 1900, 'fulfilled', 200, NULL, 'kz-52-2025', '1', '{}', 100),"
    " (12, 5, 'D-10', 'notified_at', 200, 9000000000000000000, 9000000000000000000, 'running', NULL, NULL, 'kz-52-2025', '1', '{}', 200);"
    "INSERT INTO reminder VALUES (21, 12, 50, 2, 8000000000000000000, NULL);"
    "INSERT INTO timeline(id, case_id, kind, happened_at, recorded_at, author_id, internal) VALUES (31, 5, 'detected', 100, 100, NULL, 0),"
    " (32, 5, 'notify', 200, 200, 7, 0);"
    "INSERT INTO document VALUES (5, '0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef', 'annex7', 200, 1000, 7);"
    "INSERT INTO notice(id, case_id, kind, channel, addressee, org_id, state, queued_at, sent_at, subject, body) VALUES"
    " (41, 5, 'annex7', 'inbox', 'Owner', 'o1', 'sent', 200, 200, NULL, NULL), (42, 5, 'annex7', 'email', 'a@owner.example', NULL, 'queued', 200, NULL,"
    " 'Subject', 'Body');";

static void old_file(struct world *w)
{
    char path[4096];
    sqlite3 *db;

    node_path(w->node, "desk/desk.db", path);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(sqlite3_exec(db, desk_migrations[i], NULL, NULL, NULL), SQLITE_OK);
    if (sqlite3_exec(db, first_release, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s", sqlite3_errmsg(db));
    assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 3", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void the_first_release_opens(void **state)
{
    static const struct { const char *what, *sql; } rows[] = {
        { "organisations", "SELECT count(*) = 2 FROM org" },
        { "people keep their numbers", "SELECT count(*) = 2 FROM user WHERE (id, login) IN ((7, 'old-analyst'), (9, 'old-officer'))" },
        { "the session", "SELECT user_id = 7 FROM session" },
        { "the case", "SELECT number = '2026-000005' AND state = 'notified' FROM cases WHERE id = 5" },
        { "its duties", "SELECT count(*) = 2 FROM duty WHERE subject = 'case' AND subject_id = '5' AND case_id = 5 AND object_id = 'ob1' AND org_id = 'o1'" },
        { "the reminder hangs on its duty", "SELECT duty_id = 12 FROM reminder" },
        { "its timeline", "SELECT count(*) = 2 FROM timeline WHERE subject = 'case' AND subject_id = '5'" },
        { "no reference leads nowhere", "SELECT count(*) = 0 FROM pragma_foreign_key_check" },
        { "references are watched", "SELECT foreign_keys = 1 FROM pragma_foreign_keys" },
    };
    struct world *w = *state;
    char path[4096];

    desk_close(&w->desk);
    folder_remove(node_path(w->node, "desk", path));
    assert_int_equal(mkdir(path, 0700), 0);
    old_file(w);
    desk_reopen(w);
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t yes = 0;
        struct err e;

        must(db_int(w->desk, &e, 0, &yes, rows[i].sql, ""), &e);
        CHECK(rows[i].what, yes == 1);
    }
    struct viewer officer = { .user_id = 9, .role = DESK_OWNER_OFFICER, .lang = LANG_EN, .org_id = "o1", .login = "old-officer" };
    json_t *c = case_get(w, &officer, 5, 1000);
    assert_string_equal(state_of(c), "notified");
    assert_string_equal(clock_state(c, "D-10"), "running");
    assert_true(json_array_size(json_object_get(c, "notices")) >= 2);
    json_decref(c);
    /* And once more: nothing is left to do. */
    desk_reopen(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = { { "a desk of the first release opens, with every row", the_first_release_opens, NULL, NULL, NULL } };

    return cmocka_run_group_tests(tests, world_open, world_close);
}
