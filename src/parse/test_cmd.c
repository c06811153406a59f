/* test_cmd.c - "saqshy parse": what is printed for what file, and the exit code. argv[1] is the program. */
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "parse/test_lines.h"

struct tool {
    const char *path;
    char folder[64];
};

/* run - ARGS after the program's name, as a shell reads them; {} is the folder. Gives the exit code and standard
 * output. */
static int run(const struct tool *t, const char *args, struct buf *out)
{
    char command[2048];
    FILE *pipe;
    size_t n;
    int rc;

    snprintf(command, sizeof command, "cd '%s' && '%s' %s 2>errors", t->folder, t->path, args);
    buf_reset(out);
    pipe = popen(command, "r");
    assert_non_null(pipe);
    do {
        char *room = buf_room(out, 4096);

        assert_non_null(room);
        n = fread(room, 1, 4096, pipe);
        out->n += n;
    } while (n > 0);
    rc = pclose(pipe);
    return WIFEXITED(rc) ? WEXITSTATUS(rc) : -1;
}

static void put(const struct tool *t, const char *name, struct str content)
{
    char path[128];

    snprintf(path, sizeof path, "%s/%s", t->folder, name);
    assert_int_equal(file_write_atomic(path, content, 0600, NULL), 0);
}

static size_t count_lines(struct str s)
{
    size_t lines = 0;

    for (size_t i = 0; i < s.n; i++)
        lines += s.p[i] == '\n';
    return lines;
}

static const struct {
    const char *name, *file;
    struct str content;
    const char *args;
    int rc;
    size_t lines;
    const char *part; /* what the output holds */
} rows[] = {
    { "two lines, the last without an end", "a",
      STR_INIT("Mar 19 08:05:09 srv sshd[8]: Failed password for root from 203.0.113.8 port 4711 ssh2\nlast"),
      "--json a", 0, 2, "\"saqshy.parse\":\"failed\",\"saqshy.parser\":\"raw\"" },
    { "empty lines are no events", "b", STR_INIT("\n\r\nx\n\n"), "--json b", 0, 1, "\"event.original\":\"x\"" },
    { "an empty file", "c", STR_INIT(""), "--json c", 0, 0, "" },
    { "the end of a line of DOS stays in the original", "d", STR_INIT("Mar 19 08:05:09 srv app[8]: hi\r\n"), "--json d",
      0, 1, "\"event.original\":\"Mar 19 08:05:09 srv app[8]: hi\\r\"" },
    { "bytes that are no text", "e", STR_INIT("\x00\x01\xff\xfe\n"), "--json e", 0, 1,
      "\"saqshy.marks\":[\"binary\",\"not_utf8\",\"no_time\"]" },
    { "a packed file that ends too early is told", "f", STR_INIT("\x1f\x8b\x08\x00"), "--json f", 2, 0, "" },
    { "standard input", "g", STR_INIT("{\"message\":\"hi\"}\n"), "--json - < g", 0, 1, "\"message\":\"hi\"" },
    { "a zone", "h", STR_INIT("2026-03-19 08:05:09 install nmap:amd64 <none> 7.93\n"), "--json --zone +05:00 h", 0, 1,
      "\"@timestamp\":\"2026-03-19T03:05:09Z\"" },
    { "for people", "i", STR_INIT("Mar 19 08:05:09 srv app[8]: a\x1b[31mred\n"), "i", 0, 3, "a?[31mred" },
    { "several files", "j", STR_INIT("one\n"), "--json j j j", 0, 3, "one" },
    { "a file that is not there, and one that is", "k", STR_INIT("one\n"), "--json nothere k", 2, 1, "one" },
    { "no file", "l", STR_INIT(""), "--json", 2, 0, "" },
    { "an unknown option", "m", STR_INIT(""), "--nonsense m", 2, 0, "" },
    { "a zone that is none", "n", STR_INIT("x\n"), "--zone 5 n", 2, 0, "" },
};

static void test_rows(void **state)
{
    const struct tool *t = *state;
    struct buf out;

    buf_init(&out, 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        put(t, rows[i].file, rows[i].content);
        CHECK(rows[i].name, run(t, rows[i].args, &out) == rows[i].rc);
        CHECK(rows[i].name, count_lines(buf_view(&out)) == rows[i].lines);
        CHECK(rows[i].name, str_find(buf_view(&out), str_c(rows[i].part)) >= 0);
    }
    buf_free(&out);
}

static void test_long_line(void **state)
{
    const struct tool *t = *state;
    struct buf in, out;

    buf_init(&in, 0);
    buf_init(&out, 0);
    for (size_t i = 0; i < 3 * (size_t)EVENT_ORIGINAL_MAX; i++)
        buf_byte(&in, 'a');
    buf_str(&in, STR("\nshort\n"));
    put(t, "long", buf_view(&in));
    assert_int_equal(run(t, "--json long", &out), 0);
    assert_int_equal(count_lines(buf_view(&out)), 4);
    assert_true(str_find(buf_view(&out), STR("\"saqshy.marks\":[\"truncated\",\"no_time\"]")) >= 0);
    assert_true(str_find(buf_view(&out), STR("\"event.original\":\"short\"")) >= 0);
    buf_free(&in);
    buf_free(&out);
}

int main(int argc, char **argv)
{
    struct CMUnitTest tests[] = {
        { .name = "saqshy parse: one object a line, and the exit codes", .test_func = test_rows },
        { .name = "saqshy parse: a line longer than an event comes in pieces, marked", .test_func = test_long_line },
    };
    AUTO_FREE char *program = realpath(argc > 1 ? argv[1] : "./parse_tool", NULL);
    struct tool t = { .path = program };
    char command[96];
    int failed;

    snprintf(t.folder, sizeof t.folder, "/tmp/saqshy-cmd-XXXXXX");
    if (!program || !mkdtemp(t.folder))
        return 1;
    for (size_t i = 0; i < COUNT(tests); i++)
        tests[i].initial_state = &t;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    snprintf(command, sizeof command, "rm -rf '%s'", t.folder);
    return system(command) == 0 ? failed : 1;
}
