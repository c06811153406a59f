/* test_params.c - parameters behind '?', and the files of the portal. */
#include "base/test.h"
#include "portal/files.h"
#include "portal/params.h"

#include <sys/stat.h>
#include <unistd.h>

static const struct {
    const char *name, *query;
    int         rc;
    const char *key, *value;    /* value NULL: absent */
} rows[] = {
    { "plain", "q=sshd&limit=5", 0, "limit", "5" },
    { "Cyrillic", "q=%D2%9B%D0%B0%D1%82%D0%B5", 0, "q", "қате" },
    { "plus is a blank, %2B a plus", "q=a+b%2Bc", 0, "q", "a b+c" },
    { "an equals sign in the value", "q=a=b", 0, "q", "a=b" },
    { "a name alone", "q", 0, "q", "" },
    { "a coded name", "%71=x", 0, "q", "x" },
    { "empty pairs", "&&q=x&&", 0, "q", "x" },
    { "nothing", "", 0, "q", NULL },
    { "absent", "a=b", 0, "q", NULL },
    { "twice", "q=a&q=b", -EBADMSG, NULL, NULL },
    { "twice, once coded", "q=a&%71=b", -EBADMSG, NULL, NULL },
    { "half a code", "q=%2", -EBADMSG, NULL, NULL },
    { "a code at the end", "q=%", -EBADMSG, NULL, NULL },
    { "not a code", "q=%zz", -EBADMSG, NULL, NULL },
    { "a zero", "q=a%00b", -EBADMSG, NULL, NULL },
    { "not UTF-8", "q=%ff%fe", -EBADMSG, NULL, NULL },
    { "an overlong form", "q=%c0%af", -EBADMSG, NULL, NULL },
    { "too many", "a=1&b=1&c=1&d=1&e=1&f=1&g=1&h=1&i=1&j=1&k=1&l=1&m=1&n=1&o=1&p=1&q=1", -E2BIG, NULL, NULL },
};

static void test_params(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        AUTO_ARENA struct arena a;
        struct params p;
        struct str got;

        arena_init(&a, 0);
        CHECK(rows[i].name, params_read(str_c(rows[i].query), &a, &p, NULL) == rows[i].rc);
        if (rows[i].rc < 0)
            continue;
        got = params_get(&p, rows[i].key);
        CHECK(rows[i].name, rows[i].value ? got.p && str_eq(got, str_c(rows[i].value)) : got.p == NULL);
    }
}

static void test_typed(void **state)
{
    AUTO_ARENA struct arena a;
    struct params p;
    struct err e;
    int64_t n = 7;
    bool b = false;
    time_ns t = 1;

    (void)state;
    arena_init(&a, 0);
    assert_int_equal(params_read(STR("n=20&big=1001&word=x&neg=-1&yes=true&maybe=1&t=2026-03-20T23%3A50%3A00%2B05%3A00&e="), &a, &p, &e), 0);
    assert_int_equal(params_int(&p, "n", 1, 1000, &n, &e), 0);
    assert_int_equal(n, 20);
    assert_int_equal(params_int(&p, "absent", 1, 1000, &n, &e), 0);
    assert_int_equal(params_int(&p, "e", 1, 1000, &n, &e), 0);
    assert_int_equal(n, 20);
    assert_int_equal(params_int(&p, "big", 1, 1000, &n, &e), -EINVAL);
    assert_string_equal(e.text, "big");
    assert_int_equal(params_int(&p, "neg", 1, 1000, &n, &e), -EINVAL);
    assert_int_equal(params_int(&p, "word", 1, 1000, &n, &e), -EINVAL);
    assert_int_equal(params_bool(&p, "yes", &b, &e), 0);
    assert_true(b);
    assert_int_equal(params_bool(&p, "maybe", &b, &e), -EINVAL);
    assert_int_equal(params_time(&p, "t", &t, &e), 0);
    assert_int_equal(t, INT64_C(1774032600) * NS_PER_SECOND);
    assert_int_equal(params_time(&p, "word", &t, &e), -EINVAL);
}

static void put_file(const char *folder, const char *name, const char *text)
{
    char path[4096];
    FILE *f;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static const struct {
    const char *name, *path, *want;   /* the file's content, NULL: not found */
} wanted[] = {
    { "the page", "/index.html", "<p>" },
    { "a script", "/assets/app-1a2b.js", "let a" },
    { "a link into the portal", "/cases/17", "<p>" },
    { "the folder itself", "/assets", "<p>" },
    { "a missing script", "/assets/gone.js", NULL },
    { "up and away", "/../secret", "<p>" },
    { "up and away to a file", "/../secret.txt", NULL },
    { "up from inside", "/assets/../../secret.txt", NULL },
    { "no slash", "index.html", NULL },
    { "a hidden file", "/.env", NULL },
    { "a link out of the folder", "/out.txt", NULL },
    { "empty", "", NULL },
};

static void test_files(void **state)
{
    char root[] = "/tmp/saqshy-files-XXXXXX", web[64], path[128];
    struct files *f;
    struct err e;

    (void)state;
    assert_non_null(mkdtemp(root));
    snprintf(web, sizeof web, "%s/web", root);
    assert_int_equal(mkdir(web, 0700), 0);
    snprintf(path, sizeof path, "%s/assets", web);
    assert_int_equal(mkdir(path, 0700), 0);
    put_file(root, "secret.txt", "secret");
    put_file(web, ".env", "secret");
    put_file(web, "index.html", "<p>");
    put_file(web, "assets/app-1a2b.js", "let a");
    put_file(web, "assets/app-1a2b.js.gz", "zipped");
    snprintf(path, sizeof path, "%s/out.txt", web);
    assert_int_equal(symlink("../secret.txt", path), 0);

    assert_int_equal(files_load(web, &f, &e), 0);
    for (size_t i = 0; i < COUNT(wanted); i++) {
        const struct file_entry *got = files_find(f, str_c(wanted[i].path));

        CHECK(wanted[i].name, (got != NULL) == (wanted[i].want != NULL));
        CHECK(wanted[i].name, !got || str_eq(buf_view(&got->body), str_c(wanted[i].want)));
    }
    assert_true(files_find(f, STR("/assets/app-1a2b.js"))->immutable);
    assert_false(files_find(f, STR("/"))->immutable);
    assert_true(str_eq(buf_view(&files_find(f, STR("/assets/app-1a2b.js"))->gzip), STR("zipped")));
    files_free(&f);

    for (const char *const *gone = (const char *const[]){ "web/out.txt", "web/assets/app-1a2b.js.gz", "web/assets/app-1a2b.js",
         "web/assets", "web/index.html", "web/.env", "web", "secret.txt", ".", NULL }; *gone; gone++) {
        snprintf(path, sizeof path, "%s/%s", root, *gone);
        assert_int_equal(remove(strcmp(*gone, ".") == 0 ? root : path), 0);
    }
}

static void test_no_portal(void **state)
{
    struct files *f;
    struct err e;

    (void)state;
    assert_int_equal(files_load("/nowhere/at/all", &f, &e), 0);
    assert_int_equal(files_count(f), 1);
    assert_true(str_find(buf_view(&files_find(f, STR("/cases"))->body), STR("./start --build")) > 0);
    files_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        { "parameters are decoded strictly", test_params, NULL, NULL, NULL },
        { "numbers, moments and truth values are read from parameters", test_typed, NULL, NULL, NULL },
        { "only files of the portal are served, whatever the path", test_files, NULL, NULL, NULL },
        { "without a built portal a page says how to build it", test_no_portal, NULL, NULL, NULL },
    };

    return cmocka_run_group_tests_name("portal: parameters and files", tests, NULL, NULL);
}
