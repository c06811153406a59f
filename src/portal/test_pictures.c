/* test_pictures.c - what other roles publish is read when it changed; rates and "lately" come from two readings of one run. */
#include "portal/pictures.h"
#include "base/file.h"
#include "base/test.h"

#include <sys/stat.h>
#include <unistd.h>

struct folder {
    char         data[64];
    struct node *node;
    struct pictures *p;
};

static int open_folder(void **state)
{
    struct folder *f = calloc(1, sizeof *f);
    char path[4096];
    struct err e;

    snprintf(f->data, sizeof f->data, "/tmp/saqshy-pictures-XXXXXX");
    assert_non_null(mkdtemp(f->data));
    assert_int_equal(node_default(f->data, f->data, &f->node, &e), 0);
    assert_int_equal(file_mkdirs(node_path(f->node, "run", path), 0750, &e), 0);
    assert_int_equal(pictures_new(f->node, &f->p, &e), 0);
    *state = f;
    return 0;
}

static int close_folder(void **state)
{
    static const char *const files[] = { "run/ingest.json", "run/sources.json", "run", "" };
    struct folder *f = *state;
    char path[4096];

    for (size_t i = 0; i < COUNT(files); i++)
        (void)!remove(node_path(f->node, files[i], path));
    (void)!rmdir(f->data);
    pictures_free(&f->p);
    node_free(&f->node);
    free(f);
    return 0;
}

static void put(const struct folder *f, const char *tail, const char *text)
{
    char path[4096];
    struct err e;

    assert_int_equal(file_write_atomic(node_path(f->node, tail, path), str_c(text), 0640, &e), 0);
}

/* ingest - the picture of the role "pid" at a second of the day. */
static void ingest(const struct folder *f, int pid, int second, int read, int too_large, int repeated)
{
    char text[1024];

    snprintf(text, sizeof text,
             "{\"pid\":%d,\"at\":\"2026-03-20T10:%02d:%02dZ\",\"listeners\":[{\"id\":\"syslog_tcp\",\"read\":%d,\"events\":%d,\"refused\":{\"too_large\":%d,"
             "\"repeated\":%d},\"turned_away\":{\"handshake\":3},\"kernel_drops\":0}]}",
             pid, second / 60, second % 60, read, read - too_large - repeated, too_large, repeated);
    put(f, "run/ingest.json", text);
    pictures_look(f->p);
}

static void a_rate_needs_two_readings_of_one_run(void **state)
{
    struct folder *f = *state;

    assert_true(pictures_moved(f->p, "listener/syslog_tcp", "read").rate_s < 0);
    ingest(f, 7, 0, 1000, 5, 0);
    assert_true(pictures_moved(f->p, "listener/syslog_tcp", "read").rate_s < 0);
    assert_int_equal(pictures_moved(f->p, "listener/syslog_tcp", "trouble").lately, 0);   /* what was before we began is not "lately" */
    ingest(f, 7, 10, 1250, 7, 9);
    assert_true(pictures_moved(f->p, "listener/syslog_tcp", "read").rate_s == 25.0);
    assert_int_equal(pictures_moved(f->p, "listener/syslog_tcp", "read").lately, 250);
    assert_int_equal(pictures_moved(f->p, "listener/syslog_tcp", "trouble").lately, 2);   /* repeated ones are nobody's trouble */
    ingest(f, 7, 11, 9999, 7, 9);                                                         /* too soon: no reading */
    assert_true(pictures_moved(f->p, "listener/syslog_tcp", "read").rate_s == 25.0);
    ingest(f, 8, 20, 30, 1, 0);                                                           /* the role began again */
    assert_true(pictures_moved(f->p, "listener/syslog_tcp", "read").rate_s < 0);
    assert_int_equal(pictures_moved(f->p, "listener/syslog_tcp", "read").lately, 30);
    assert_int_equal(pictures_moved(f->p, "listener/syslog_tcp", "trouble").lately, 1);
    ingest(f, 8, 30, 40, 1, 0);
    assert_true(pictures_moved(f->p, "listener/syslog_tcp", "read").rate_s == 1.0);
    assert_int_equal(pictures_moved(f->p, "listener/other", "read").lately, 0);
}

static void what_is_older_than_a_quarter_of_an_hour_is_not_lately(void **state)
{
    struct folder *f = *state;

    for (int i = 0; i <= 130; i++)
        ingest(f, 7, i * 10, i * 10, i < 20 ? i : 20, 0);
    assert_int_equal(pictures_moved(f->p, "listener/syslog_tcp", "trouble").lately, 0);
    assert_int_equal(pictures_moved(f->p, "listener/syslog_tcp", "read").lately, 900);
}

static void a_file_is_read_again_when_it_changed_and_only_then(void **state)
{
    struct folder *f = *state;
    json_t *first, *second;

    assert_null(pictures_get(f->p, PICTURE_SOURCES));
    put(f, "run/sources.json", "[{\"id\":\"a\"}]");
    first = pictures_get(f->p, PICTURE_SOURCES);
    second = pictures_get(f->p, PICTURE_SOURCES);
    assert_ptr_equal(first, second);
    put(f, "run/sources.json", "[{\"id\":\"a\"},{\"id\":\"b\"}]");
    json_decref(second);
    second = pictures_get(f->p, PICTURE_SOURCES);
    assert_int_equal(json_array_size(first), 1);      /* whoever holds the one before keeps it */
    assert_int_equal(json_array_size(second), 2);
    json_decref(first);
    json_decref(second);
    put(f, "run/sources.json", "[{\"id\":");
    assert_null(pictures_get(f->p, PICTURE_SOURCES));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_rate_needs_two_readings_of_one_run, open_folder, close_folder),
        cmocka_unit_test_setup_teardown(what_is_older_than_a_quarter_of_an_hour_is_not_lately, open_folder, close_folder),
        cmocka_unit_test_setup_teardown(a_file_is_read_again_when_it_changed_and_only_then, open_folder, close_folder),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
