/* test_db.c - the connection: more different queries than the cache has places. */
#include "desk/testing.h"

static void more_queries_than_places_all_work(void **state)
{
    static char sql[DB_STATEMENTS_MAX + 100][32];
    struct world *w = *state;
    sqlite3_stmt *open;
    struct err e;
    int rows = 0;

    for (size_t i = 0; i < COUNT(sql); i++)
        snprintf(sql[i], sizeof sql[i], "SELECT %zu", i);
    open = db_query(w->desk, &e, "SELECT id FROM org ORDER BY id", "");
    assert_int_equal(db_step(w->desk, open, &e), 1);
    for (size_t i = 0; i < COUNT(sql); i++) {
        int64_t n = -1;

        must(db_int(w->desk, &e, -1, &n, sql[i], ""), &e);
        assert_int_equal(n, i);
    }
    /* The one that was being stepped all the while is still good. */
    for (int rc = 1; rc > 0; rows++)
        rc = db_step(w->desk, open, &e);
    assert_true(rows > 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = { { "more queries than the cache has places all work", more_queries_than_places_all_work, world_open, world_close, NULL } };

    return cmocka_run_group_tests_name("desk db", tests, NULL, NULL);
}
