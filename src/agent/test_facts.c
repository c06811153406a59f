/* test_facts.c - packages, settings and trees: what is read, in which order, and that a walk may be cut anywhere. */
#include "agent/facts.h"
#include "base/file.h"
#include "base/test.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- dpkg --- */

static void put(void *arg, struct str key, struct str version)
{
    buf_printf(arg, "%.*s=%.*s;", STR_ARG(key), STR_ARG(version));
}

static const struct {
    const char *name, *in, *want;
} dpkg_rows[] = {
    { "one", "Package: nginx\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.22.1-9\n\n", "nginx:amd64=1.22.1-9;" },
    { "the last one without an empty line", "Package: a\nStatus: install ok installed\nArchitecture: all\nVersion: 1\n", "a:all=1;" },
    { "removed, its configuration kept", "Package: a\nStatus: deinstall ok config-files\nArchitecture: all\nVersion: 1\n\n", "" },
    { "half installed", "Package: a\nStatus: install ok half-installed\nArchitecture: all\nVersion: 1\n\n", "" },
    { "a description that reads like fields", "Package: a\nStatus: install ok installed\nDescription: x\n Package: evil\n Version: 9\nArchitecture: all\nVersion: 2:1~rc1\n\n",
      "a:all=2:1~rc1;" },
    { "no version", "Package: a\nStatus: install ok installed\nArchitecture: all\n\n", "" },
    { "a name with a blank", "Package: a b\nStatus: install ok installed\nArchitecture: all\nVersion: 1\n\n", "" },
    { "a name that is no ASCII", "Package: \xd0\xb0\nStatus: install ok installed\nArchitecture: all\nVersion: 1\n\n", "" },
    { "nothing of the one before is left", "Package: a\nStatus: install ok installed\nArchitecture: all\nVersion: 1\n\nPackage: b\nVersion: 2\n\n", "a:all=1;" },
    { "fields without case", "package: a\nStatus: install ok installed\nARCHITECTURE: all\nversion: 1\n\n", "a:all=1;" },
};

static void the_status_file_of_dpkg_gives_what_is_installed(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(dpkg_rows); i++) {
        struct str rest = str_c(dpkg_rows[i].in), line;
        struct dpkg d = { .name = "" };
        AUTO_BUF struct buf got = { 0 };

        buf_init(&got, 64 * KIB);
        while (str_split(&rest, '\n', &line))
            dpkg_line(&d, line, put, &got);
        dpkg_line(&d, STR(""), put, &got);
        CHECK(dpkg_rows[i].name, str_eq(buf_view(&got), str_c(dpkg_rows[i].want)));
    }
}

/* --- the clock --- */

static const struct {
    const char  *name;
    struct timex t;
    int          rc, error;
    const char  *want;
} clock_rows[] = {
    { "kept in time, microseconds", { .status = STA_PLL, .offset = 2600, .esterror = 12400 }, TIME_OK, 0, "synchronised\t3\t12\t" },
    { "kept in time, nanoseconds", { .status = STA_PLL | STA_NANO, .offset = -2600000, .esterror = 499 }, TIME_OK, 0, "synchronised\t-3\t0\t" },
    { "a leap second ahead is no fault", { .status = STA_PLL | STA_INS }, TIME_INS, 0, "synchronised\t0\t0\t" },
    { "nobody keeps it", { .status = STA_UNSYNC, .esterror = 16000000 }, TIME_ERROR, 0, "unsynchronised\t0\t16000\t" },
    { "the state alone says so", { .status = STA_PLL, .esterror = 1000 }, TIME_ERROR, 0, "unsynchronised\t0\t1\t" },
    { "the flag alone says so", { .status = STA_UNSYNC, .esterror = 1000 }, TIME_OK, 0, "unsynchronised\t0\t1\t" },
    { "an offset beyond all sense", { .status = STA_UNSYNC, .offset = LONG_MAX, .esterror = LONG_MAX }, TIME_ERROR, 0, "unsynchronised\t86400000\t86400000\t" },
    { "and the other way", { .status = STA_UNSYNC, .offset = LONG_MIN, .esterror = 0 }, TIME_ERROR, 0, "unsynchronised\t-86400000\t0\t" },
    { "a container's filter", { .status = 0 }, -1, EPERM, "unreadable\t\t\tEPERM" },
    { "a kernel without it", { .status = 0 }, -1, ENOSYS, "unreadable\t\t\tENOSYS" },
};

static void the_clock_is_told_as_the_kernel_has_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(clock_rows); i++) {
        AUTO_BUF struct buf got = { 0 };

        buf_init(&got, 4 * KIB);
        clock_fact(&clock_rows[i].t, clock_rows[i].rc, clock_rows[i].error, &got);
        CHECK(clock_rows[i].name, str_eq(buf_view(&got), str_c(clock_rows[i].want)));
    }
}

/* --- settings --- */

static const struct {
    const char       *name, *in;
    enum setting_form form;
    bool              last;
    const char       *key, *want;      /* NULL: not there */
} setting_rows[] = {
    { "words", "PermitRootLogin no\n", SETTING_WORDS, false, "PermitRootLogin", "no" },
    { "keys have no case", "permitrootlogin  YES \n", SETTING_WORDS, false, "PermitRootLogin", "YES" },
    { "a comment", "# PermitRootLogin yes\n#PermitRootLogin yes\n", SETTING_WORDS, false, "PermitRootLogin", NULL },
    { "sshd takes the first", "PermitRootLogin no\nPermitRootLogin yes\n", SETTING_WORDS, false, "PermitRootLogin", "no" },
    { "others the last", "PASS_MAX_DAYS 30\nPASS_MAX_DAYS\t99999\n", SETTING_WORDS, true, "PASS_MAX_DAYS", "99999" },
    { "a condition is not the host's", "Match User x\n  PermitRootLogin yes\n", SETTING_WORDS, false, "PermitRootLogin", NULL },
    { "a longer key", "PermitRootLogins yes\n", SETTING_WORDS, false, "PermitRootLogin", NULL },
    { "sshd takes an equal sign too", "PermitRootLogin=no\n", SETTING_WORDS, false, "PermitRootLogin", "no" },
    { "quotes", "Banner \"/etc/issue net\"\n", SETTING_WORDS, false, "Banner", "/etc/issue net" },
    { "equals", "minlen = 12\n", SETTING_EQUALS, false, "minlen", "12" },
    { "an empty value", "minlen =\n", SETTING_EQUALS, false, "minlen", "" },
    { "pam", "auth required pam_env.so\nauth required pam_faillock.so preauth deny=5\n", SETTING_PAM, false, "pam_faillock.so",
      "auth required pam_faillock.so preauth deny=5" },
    { "pam with a path", "auth required /lib/security/pam_faillock.so\n", SETTING_PAM, false, "pam_faillock.so", "auth required /lib/security/pam_faillock.so" },
    { "another module of a longer name", "auth required xpam_faillock.so\n", SETTING_PAM, false, "pam_faillock.so", NULL },
    { "the whole file", "2\n", SETTING_VALUE, false, "", "2" },
    { "no file is longer than its bytes", "", SETTING_WORDS, false, "PermitRootLogin", NULL },
};

static void values_of_settings_are_read_by_fixed_forms(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(setting_rows); i++) {
        struct setting s = { .key = str_c(setting_rows[i].key), .form = setting_rows[i].form, .last = setting_rows[i].last };
        size_t n = strlen(setting_rows[i].in);
        char *copy = malloc(n ? n : 1);
        struct str got = { NULL, 0 };

        memcpy(copy, setting_rows[i].in, n);
        bool found = setting_in(&s, str_of(copy, n), &got);
        CHECK(setting_rows[i].name, found == (setting_rows[i].want != NULL));
        CHECK(setting_rows[i].name, !found || str_eq(got, str_c(setting_rows[i].want)));
        for (size_t cut = 0; cut < n; cut++) {
            char *part = malloc(cut ? cut : 1);

            memcpy(part, copy, cut);
            (void)setting_in(&s, str_of(part, cut), &got);
            free(part);
        }
        free(copy);
    }
}

static void r_10_2_03_the_list_of_settings_that_we_ship_is_whole_and_judges(void **state)
{
    const char *root = getenv("SAQSHY_SOURCE");
    struct settings *s = NULL;
    char path[4096];
    struct err e = { 0 };

    (void)state;
    snprintf(path, sizeof path, "%s/content/agent/settings.yaml", root ? root : ".");
    if (settings_load(path, &s, &e) < 0)
        fail_msg("%s", e.text);
    const struct { const char *id, *value; bool known; enum setting_verdict want; } rows[] = {
        { "sshd.permit_root_login", "yes", true, SETTING_OTHERWISE },   { "sshd.permit_root_login", "NO", true, SETTING_AS_EXPECTED },
        { "sshd.max_auth_tries", "6", true, SETTING_AS_EXPECTED },      { "sshd.max_auth_tries", "7", true, SETTING_OTHERWISE },
        { "sshd.max_auth_tries", "many", true, SETTING_OTHERWISE },     { "kernel.kptr_restrict", "0", true, SETTING_OTHERWISE },
        { "kernel.kptr_restrict", "2", true, SETTING_AS_EXPECTED },     { "kernel.kptr_restrict", "", false, SETTING_UNKNOWN },
        { "net.ipv4.ip_forward", "1", true, SETTING_TOLD },             { "pam.lockout", "auth required pam_faillock.so", true, SETTING_AS_EXPECTED },
        { "pam.lockout", "", true, SETTING_OTHERWISE },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct setting *one = settings_find(s, str_c(rows[i].id));

        CHECK(rows[i].id, one && setting_judge(one, rows[i].known, str_c(rows[i].value)) == rows[i].want);
    }
    settings_free(&s);
}

/* --- names and their order --- */

static void names_are_escaped_so_that_they_come_back_and_stay_in_order(void **state)
{
    static const char *const rows[] = { "/a", "/a b", "/\xd2\x9b\xd2\xb1", "/a\nb", "/a%20", "/\xff\xfe", "/a\tb", "/a\177", "/\x01" };
    AUTO_BUF struct buf b = { 0 };
    char back[64];

    (void)state;
    buf_init(&b, 4 * KIB);
    for (size_t i = 0; i < COUNT(rows); i++) {
        buf_reset(&b);
        fact_escape(str_c(rows[i]), &b);
        CHECK(rows[i], str_utf8_valid(buf_view(&b)) && !memchr(b.p, '\t', b.n) && !memchr(b.p, '\n', b.n));
        CHECK(rows[i], fact_unescape(buf_view(&b), back, sizeof back) && strcmp(back, rows[i]) == 0);
    }
    assert_false(fact_unescape(STR("%4"), back, sizeof back));
    assert_false(fact_unescape(STR("%zz"), back, sizeof back));
    assert_true(fact_key_cmp(STR("/a/x"), STR("/a.b")) < 0);      /* as the walk goes: into the folder first */
    assert_true(fact_key_cmp(STR("/a"), STR("/a/x")) < 0);
    assert_true(fact_key_cmp(STR("/a!"), STR("/a/x")) > 0);
    assert_int_equal(fact_key_cmp(STR("/a"), STR("/a")), 0);
}

/* --- trees --- */

struct tree {
    char folder[64], root[96], *roots[1], *exclude[1];
    struct agent_config config;
};

static const char *at(const struct tree *w, const char *name)
{
    static char path[4][512];
    static int turn;

    turn = (turn + 1) % 4;
    snprintf(path[turn], sizeof path[turn], "%s/%s", w->folder, name);
    return path[turn];
}

static void file_put(const struct tree *w, const char *name, const char *text)
{
    int fd = open(at(w, name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static int tree_open(void **state)
{
    struct tree *w = calloc(1, sizeof *w);

    snprintf(w->folder, sizeof w->folder, "/tmp/saqshy-tree-XXXXXX");
    if (!mkdtemp(w->folder))
        return -1;
    snprintf(w->root, sizeof w->root, "%s/tree", w->folder);
    w->roots[0] = w->root;
    w->config = (struct agent_config){ .trees = w->roots, .tree_count = 1, .tree_exclude = w->exclude, .tree_files_max = 1000 };
    static const char *const folders[] = { "tree", "tree/a", "tree/a/deep", "tree/empty", "tree/z" };
    for (size_t i = 0; i < COUNT(folders); i++)
        mkdir(at(w, folders[i]), 0755);
    file_put(w, "tree/a.b", "one");
    file_put(w, "tree/a/x", "two");
    file_put(w, "tree/a/deep/y", "");
    file_put(w, "tree/a!", "three");
    file_put(w, "tree/z/\xff\n%", "odd");
    file_put(w, "tree/z/skipped.log", "log");
    file_put(w, "outside", "secret");
    assert_int_equal(symlink("../../outside", at(w, "tree/z/link")), 0);
    assert_int_equal(symlink("..", at(w, "tree/z/up")), 0);
    assert_int_equal(mkfifo(at(w, "tree/z/pipe"), 0644), 0);
    *state = w;
    return 0;
}

static int tree_close(void **state)
{
    struct tree *w = *state;
    char command[128];

    snprintf(command, sizeof command, "rm -rf -- %s", w->folder);
    assert_int_equal(system(command), 0);
    free(w);
    return 0;
}

static void walk(const struct tree *w, const char *list, const char *base, bool resume, struct tree_result *result)
{
    struct trees *t = NULL;
    struct list_out o;
    char after[FACT_LINE_MAX] = "";
    uint64_t scan;
    struct err e = { 0 };
    int rc;

    assert_int_equal(trees_new(&w->config, -1, &t, &e), 0);
    rc = resume ? list_resume(&o, at(w, list), &scan, after, sizeof after, &e) : 0;
    assert_true(rc >= 0);
    if (rc == 0)
        assert_int_equal(list_make(&o, at(w, list), "files", 7, &e), 0);
    assert_int_equal(trees_begin(t, &o, after, base ? at(w, base) : NULL, &e), 0);
    while (trees_step(t, 0) > 0)
        ;
    *result = *trees_result(t);
    assert_int_equal(list_end(&o, &e), 0);
    trees_free(&t);
}

static void read_all(const struct tree *w, const char *name, struct buf *b)
{
    struct err e;

    buf_init(b, MIB);
    assert_int_equal(file_read(at(w, name), 512 * KIB, b, &e), 0);
}

static void a_walk_tells_each_file_in_order_and_leaves_the_tree_by_no_link(void **state)
{
    struct tree *w = *state;
    struct tree_result r;
    struct list *l = calloc(1, sizeof *l);
    char keys[2048] = "", before[256] = "";
    size_t prefix = strlen(w->root);

    w->exclude[0] = (char *)"*/skipped.log";
    w->config.tree_exclude_count = 1;
    walk(w, "list", NULL, false, &r);
    assert_true(list_open(l, at(w, "list")));
    for (; l->have; list_advance(l)) {
        snprintf(keys + strlen(keys), sizeof keys - strlen(keys), "%.*s ", STR_ARG(str_cut(l->key, prefix)));
        assert_true(fact_key_cmp(str_c(before), l->key) < 0);
        snprintf(before, sizeof before, "%.*s", STR_ARG(l->key));
    }
    assert_true(l->whole);
    assert_string_equal(keys, "/a/deep/y /a/x /a! /a.b /z/%ff%0a%25 /z/link /z/up ");
    assert_int_equal(r.files, 7);
    assert_int_equal(r.unreadable + r.over, 0);
    list_close(l);
    assert_true(list_open(l, at(w, "list")));
    /* SHA-256 of nothing. */
    assert_true(str_ends(l->value, STR("\te3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")));
    list_close(l);
    free(l);
}

static void what_cannot_be_read_is_an_item_and_the_limit_is_kept_and_counted(void **state)
{
    struct tree *w = *state;
    struct tree_result r;
    AUTO_BUF struct buf b = { 0 };
    char missing[96];

    w->config.tree_files_max = 3;
    walk(w, "list", NULL, false, &r);
    assert_int_equal(r.files, 3);
    assert_int_equal(r.over, 5);
    snprintf(missing, sizeof missing, "%s/nowhere", w->folder);
    w->roots[0] = missing;
    walk(w, "list", NULL, false, &r);
    read_all(w, "list", &b);
    assert_true(str_find(buf_view(&b), STR("\t!ENOENT")) > 0);
    assert_int_equal(r.unreadable, 1);
}

static void a_walk_that_is_cut_after_any_byte_goes_on_and_gives_the_same_list(void **state)
{
    struct tree *w = *state;
    AUTO_BUF struct buf whole = { 0 }, again = { 0 };
    struct tree_result r;
    struct err e;

    walk(w, "list", NULL, false, &r);
    read_all(w, "list", &whole);
    buf_init(&again, MIB);
    for (size_t cut = 0; cut <= whole.n; cut++) {
        assert_int_equal(file_write_atomic(at(w, "list"), str_of(whole.p, cut), 0600, &e), 0);
        walk(w, "list", NULL, true, &r);
        assert_int_equal(file_read(at(w, "list"), 512 * KIB, &again, &e), 0);
        assert_true(str_eq(buf_view(&again), buf_view(&whole)));
    }
}

static void a_look_for_changes_reads_only_what_looks_otherwise(void **state)
{
    struct tree *w = *state;
    AUTO_BUF struct buf base = { 0 }, look = { 0 };
    struct tree_result r;
    struct err e;
    ptrdiff_t sum;

    walk(w, "base", NULL, false, &r);
    read_all(w, "base", &base);
    /* "two" of a/x: its sum is made another in the base, so it is seen whether the file was read. */
    sum = str_find(buf_view(&base), STR("3fc4ccfe745870e2c0d99f71f30ff0656c8dedd41cc1d7d3d376b0dbe685e2f3"));
    assert_true(sum > 0);
    base.p[sum] = '0';
    assert_int_equal(file_write_atomic(at(w, "base"), buf_view(&base), 0600, &e), 0);
    file_put(w, "tree/a!", "another text");
    walk(w, "look", "base", false, &r);
    read_all(w, "look", &look);
    assert_true(str_find(buf_view(&look), STR("0fc4ccfe745870e2c0d99f71f30ff0656c8dedd41cc1d7d3d376b0dbe685e2f3")) > 0);
    assert_true(str_find(buf_view(&look), STR("\t12\t100644\t")) > 0);
    walk(w, "look", NULL, false, &r);
    buf_free(&look);
    read_all(w, "look", &look);
    assert_true(str_find(buf_view(&look), STR("3fc4ccfe745870e2c0d99f71f30ff0656c8dedd41cc1d7d3d376b0dbe685e2f3")) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_status_file_of_dpkg_gives_what_is_installed),
        cmocka_unit_test(the_clock_is_told_as_the_kernel_has_it),
        cmocka_unit_test(values_of_settings_are_read_by_fixed_forms),
        cmocka_unit_test(r_10_2_03_the_list_of_settings_that_we_ship_is_whole_and_judges),
        cmocka_unit_test(names_are_escaped_so_that_they_come_back_and_stay_in_order),
        cmocka_unit_test_setup_teardown(a_walk_tells_each_file_in_order_and_leaves_the_tree_by_no_link, tree_open, tree_close),
        cmocka_unit_test_setup_teardown(what_cannot_be_read_is_an_item_and_the_limit_is_kept_and_counted, tree_open, tree_close),
        cmocka_unit_test_setup_teardown(a_walk_that_is_cut_after_any_byte_goes_on_and_gives_the_same_list, tree_open, tree_close),
        cmocka_unit_test_setup_teardown(a_look_for_changes_reads_only_what_looks_otherwise, tree_open, tree_close),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
