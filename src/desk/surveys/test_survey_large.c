/* test_survey_large.c - a survey with many findings of many words: its table is read to the end in the memory of one turn; and the output of a tool that is
 * no file. */
#include "desk/surveys/room.h"
#include "desk/surveys/tools.h"
#include "base/file.h"
#include "desk/vulnerabilities/testing.h"

#include <sys/stat.h>
#include <unistd.h>

#define PAGED 2500
#define MANY 3000
#define WORDS 30000   /* bytes that a row takes of the call's memory, as recommendations in three languages do */

struct seen {
    struct call *c;
    size_t       rows;
    int64_t      last;
};

static int row_seen(void *arg, const struct vuln_row *f)
{
    struct seen *s = arg;
    char *words = arena_zero(&s->c->a, WORDS);

    assert_non_null(words);
    assert_true(f->id != s->last && f->title.n > 0 && f->tool.n > 0);
    s->last = f->id;
    s->rows++;
    return 0;
}

static void read_to_the_end(void **state)
{
    static struct scan_finding many[MANY];
    static char checks[MANY][16];
    const struct vuln_survey y = { .id = 1, .object_id = STR_INIT(OBJECT), .number = STR_INIT("S-1"), .mode = STR_INIT("pentest_auto"), .begun_at = T0, .completed_at = T0 };
    struct world *w = *state;
    struct sv s = { .id = 1 };
    bool left = true;
    struct desk_reply r;
    struct call c;

    for (int i = 0; i < MANY; i++) {
        snprintf(checks[i], sizeof checks[i], "%d", i);
        many[i] = (struct scan_finding){ .tool = STR("Nessus"), .check = str_c(checks[i]), .title = STR("a fault"), .severity = SCAN_HIGH, .ip = STR("192.0.2.5"), .port = 443 };
    }
    survey_put(w, &y, T0);
    report_feed(w, 1, &(struct report){ "a", "Nessus", many, MANY, NULL, 0, T0 }, T0);
    settle(w, T0);
    const struct { int64_t most; size_t rows; bool left; } asked[] = { { MANY * 2, MANY, false }, { MANY, MANY, false }, { 100, 100, true } };
    for (size_t i = 0; i < COUNT(asked); i++) {
        struct seen seen = { .c = call_open(w, &c, &w->analyst, T0, &r) };

        call_ok(w, &c, found_each(&c, &s, false, asked[i].most, row_seen, &seen, &left));
        CHECK("rows", seen.rows == asked[i].rows);
        CHECK("left", left == asked[i].left);
    }
}

/* Pages of a survey that found much are walked, of one that found little are put in order: both give each row once, in the order of all of them. */
static void pages_in_order(void **state)
{
    static struct scan_finding many[PAGED];
    static char checks[PAGED][16];
    const struct vuln_survey y = { .id = 1, .object_id = STR_INIT(OBJECT), .number = STR_INIT("S-1"), .mode = STR_INIT("pentest_auto"), .begun_at = T0, .completed_at = T0 };
    struct world *w = *state;
    struct desk_reply r;
    struct call c;

    for (int i = 0; i < PAGED; i++) {
        snprintf(checks[i], sizeof checks[i], "%d", i);
        many[i] = (struct scan_finding){ .tool = STR("Nessus"), .check = str_c(checks[i]), .title = STR("a fault"), .severity = SCAN_INFO + (i * 7) % 5, .ip = STR("192.0.2.5"), .port = 443 };
    }
    survey_put(w, &y, T0);
    for (size_t turn = 0; turn < 2; turn++) {   /* first a few, then many */
        size_t n = turn ? PAGED : 300, seen = 0, count = 0;
        struct vuln_row rows[100];
        int64_t *ids = NULL, cursor = 0;

        report_feed(w, 1, &(struct report){ turn ? "b" : "a", "Nessus", many, n, NULL, 0, T0 }, T0);
        settle(w, T0);
        call_open(w, &c, &w->analyst, T0, &r);
        must(vulns_ids_of_survey(&c, 1, false, false, PAGED, &ids, &count), c.e);
        CHECK("all but what is no weakness", count > n / 2 && count < n);
        do {
            size_t got = 0;

            must(vulns_of_survey(&c, 1, false, &cursor, rows, COUNT(rows), &got), c.e);
            for (size_t i = 0; i < got; i++, seen++)
                CHECK("the order of all", seen < count && rows[i].id == ids[seen]);
        } while (cursor);
        assert_int_equal(seen, count);
        free(ids);
        call_ok(w, &c, 0);
    }
}

/* A tool that was turned against us puts a link to another file, or a pipe, where its output should be. */
static void output_is_a_file(void **state)
{
    struct world *w = *state;
    char out[4096], link[4096], pipe[4096];
    AUTO_BUF struct buf b = { 0 };
    struct err e;

    buf_init(&b, MIB);
    node_path(w->desk->setup.node, "one.xml", out);
    node_path(w->desk->setup.node, "link.xml", link);
    node_path(w->desk->setup.node, "pipe.xml", pipe);
    must(file_write_atomic(out, STR("<a/>"), 0640, &e), &e);
    assert_int_equal(symlink(out, link), 0);
    assert_int_equal(mkfifo(pipe, 0600), 0);
    must(tools_output_read(out, &b, &e), &e);
    assert_true(str_eq(buf_view(&b), STR("<a/>")));
    assert_int_equal(tools_output_read(link, &b, &e), -EINVAL);
    assert_int_equal(tools_output_read(pipe, &b, &e), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = { { "a survey of many findings is read to its end in the memory of one turn", read_to_the_end, world_open, world_close, NULL },
                                        { "pages of what a survey found give each row once, in one order, of few and of many", pages_in_order, world_open, world_close, NULL },
                                        { "the output of a tool is a file, no link and no pipe", output_is_a_file, world_open, world_close, NULL } };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
