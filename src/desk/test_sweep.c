/* test_sweep.c - files of refused acts go after a day; what any row knows stays, whatever its age. */
#include "desk/blob.h"
#include "desk/tables/tables.h"
#include "desk/testing.h"

static int64_t number(struct world *w, const char *sql)
{
    int64_t n = -1;
    struct err e;

    must(db_int(w->desk, &e, 0, &n, sql, ""), &e);
    return n;
}

static int files(struct world *w, const char *ending)
{
    char path[4096];
    DIR *dir = opendir(node_path(w->node, "documents", path));
    int n = 0;

    for (struct dirent *f; dir && (f = readdir(dir)) != NULL;)
        n += str_ends(str_c(f->d_name), str_c(ending));
    closedir(dir);
    return n;
}

static void upload(struct world *w, const char *bytes, time_ns now, char id[65])
{
    json_t *b = json_pack("{s:s, s:I}", "name", "table.csv", "size_bytes", (json_int_t)strlen(bytes));
    struct desk_reply r = { 0 };

    must(desk_upload_begin(w->desk, &w->admin, b, now, &r), &r.err);
    json_decref(b);
    snprintf(id, 65, "%s", json_string_value(json_object_get(r.json, "id")));
    desk_reply_free(&r);
    must(desk_upload_piece(w->desk, &w->admin, str_c(id), 0, str_c(bytes), now, &r), &r.err);
    desk_reply_free(&r);
}

/* import - an act that takes a file: refused for an empty table, after the file was taken. */
static int import(struct world *w, const char *bytes, time_ns now)
{
    struct desk_reply r = { 0 };
    char id[65];

    upload(w, bytes, now, id);
    json_t *b = json_pack("{s:s, s:s}", "upload_id", id, "kind", "object");
    int rc = desk_import_read(w->desk, &w->admin, b, now, &r);
    json_decref(b);
    desk_reply_free(&r);
    return rc;
}

/* round - enough turns for one whole look at the folder. */
static void round_of(struct world *w, time_ns now)
{
    struct err e;

    for (int i = 0; i < 4; i++)
        must(files_sweep(w->desk, now, &e), &e);
}

static void a_file_of_a_refused_act_goes_when_nobody_can_use_it(void **state)
{
    struct world *w = *state;
    const time_ns now = clock_now(), day = NS_PER_DAY;
    struct err e;

    assert_int_equal(import(w, "Official name;Owner\r\nA;registry-centre\r\n", now), 0);
    assert_int_equal(import(w, "\r\n\r\n\r\n", now), -EINVAL);
    assert_int_equal(files(w, ".bin"), 2);
    round_of(w, now + NS_PER_HOUR);
    round_of(w, now + 2 * day);   /* old, but its upload is still there: the person may correct and try again */
    assert_int_equal(files(w, ".bin"), 2);
    must(uploads_sweep(w->desk, now + 2 * day, &e), &e);
    round_of(w, now + 2 * day + NS_PER_HOUR);   /* the round in work ends */
    round_of(w, now + 2 * day + 3 * NS_PER_HOUR);
    assert_int_equal(files(w, ".bin"), 1);
    assert_int_equal(number(w, "SELECT value FROM meta WHERE key = 'files_swept'"), 1);
    for (int i = 0; i < 3; i++)
        round_of(w, now + (300 + i) * day);
    assert_int_equal(files(w, ".bin"), 1);   /* the one that the import knows, for ever */
    assert_int_equal(number(w, "SELECT value FROM meta WHERE key = 'files_swept'"), 1);
}

static void a_young_file_stays(void **state)
{
    struct world *w = *state;
    const time_ns now = clock_now();

    assert_int_equal(import(w, "\r\n\r\n", now), -EINVAL);
    assert_int_equal(db_exec(w->desk, NULL, "DELETE FROM upload", ""), 1);
    round_of(w, now + SWEEP_AGE_NS - NS_PER_HOUR);
    assert_int_equal(files(w, ".bin"), 1);
    desk_reopen(w);
    round_of(w, now - 400 * NS_PER_DAY);   /* a clock that came back finds everything young */
    assert_int_equal(files(w, ".bin"), 1);
    round_of(w, now + SWEEP_AGE_NS + NS_PER_HOUR);
    assert_int_equal(files(w, ".bin"), 0);
}

static void a_kill_in_the_sweep_loses_nothing(void **state)
{
    struct world *w = *state;
    const time_ns late = clock_now() + 3 * NS_PER_DAY;
    struct err e;

    assert_int_equal(import(w, "Official name;Owner\r\nA;registry-centre\r\n", clock_now()), 0);
    assert_int_equal(import(w, "\r\n\r\n\r\n", clock_now()), -EINVAL);
    assert_int_equal(db_exec(w->desk, NULL, "DELETE FROM upload", ""), 1);
    /* Killed after the file went and before its count: the count lacks it, and nothing else differs. */
    assert_int_equal(sqlite3_exec(w->desk->db, "CREATE TRIGGER killed BEFORE INSERT ON meta BEGIN SELECT RAISE(ROLLBACK, 'killed'); END", NULL, NULL, NULL), 0);
    assert_true(files_sweep(w->desk, late, &e) < 0);
    assert_int_equal(sqlite3_exec(w->desk->db, "DROP TRIGGER killed", NULL, NULL, NULL), 0);
    desk_reopen(w);
    round_of(w, late);
    assert_int_equal(files(w, ".bin"), 1);
    assert_int_equal(number(w, "SELECT count(*) FROM blob"), 1);
    assert_int_equal(number(w, "SELECT value FROM meta WHERE key = 'files_swept'"), 0);
    assert_int_equal(import(w, "\r\n\r\n\r\n", late), -EINVAL);   /* the same bytes can come again */
    assert_int_equal(files(w, ".bin"), 2);
}

static void a_piece_without_its_upload_goes_and_strange_names_stay(void **state)
{
    struct world *w = *state;
    const time_ns late = clock_now() + 3 * NS_PER_DAY;
    static const char *const names[] = { "documents/upload-0123456789abcdef0123456789abcdef.part", "documents/upload-x.part", "documents/readme.bin",
        "documents/0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.pdf" };
    char path[4096], id[65];

    upload(w, "whole", clock_now(), id);
    for (size_t i = 0; i < COUNT(names); i++)
        assert_int_equal(file_write_atomic(node_path(w->node, names[i], path), STR("x"), 0640, NULL), 0);
    round_of(w, late);
    assert_false(file_exists(node_path(w->node, names[0], path)));
    for (size_t i = 1; i < COUNT(names); i++)
        assert_true(file_exists(node_path(w->node, names[i], path)));
    assert_int_equal(files(w, ".part"), 2);   /* the upload that a row knows too */
}

#define T(f, n) { .name = n, .test_func = f, .setup_func = world_open, .teardown_func = world_close }

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_file_of_a_refused_act_goes_when_nobody_can_use_it, "a file of a refused act goes when nobody can use it any more; what a row knows stays for ever"),
        T(a_young_file_stays, "a file that was touched within a day stays, and so does every file when the clock came back"),
        T(a_kill_in_the_sweep_loses_nothing, "a kill in the sweep loses nothing that a row knows"),
        T(a_piece_without_its_upload_goes_and_strange_names_stay, "a piece without its upload goes, names of others stay"),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
