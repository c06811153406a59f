/* test_edges.c - a batch ends between audit events, not within one. */
#include "base/test.h"
#include "parse/edges.h"

/* Lines, and after each whether a batch may end there: '|' yes, '.' no. */
static const struct {
    const char *name, *lines, *ends;
} rows[] = {
    { "lines that are no audit records", "a\nb\nc", "|||" },
    { "an event with EOE", "type=SYSCALL msg=audit(1.500:7): \ntype=PATH msg=audit(1.500:7): \ntype=EOE msg=audit(1.500:7): ", "..|" },
    { "an event of audit.log, without EOE", "type=SYSCALL msg=audit(1.500:7): \ntype=CWD msg=audit(1.500:7): \ntype=PROCTITLE msg=audit(1.500:7): ", "..|" },
    { "interleaved", "type=SYSCALL msg=audit(1.500:7): \ntype=SYSCALL msg=audit(1.500:8): \ntype=PROCTITLE msg=audit(1.500:7): \n"
                     "type=PROCTITLE msg=audit(1.500:8): ", "...|" },
    { "a record of a user program between", "type=SYSCALL msg=audit(1.500:7): \ntype=USER_AUTH msg=audit(1.500:8): \ntype=PROCTITLE msg=audit(1.500:7): ", "..|" },
    { "an event that never ends", "type=CONFIG_CHANGE msg=audit(1.500:7): \ntype=USER_AUTH msg=audit(2.500:8): \ntype=USER_AUTH msg=audit(3.600:9): ", "..|" },
};

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str rest = str_c(rows[i].lines), line;
        struct edges e = { .count = 0 };

        for (const char *end = rows[i].ends; str_split(&rest, '\n', &line); end++) {
            edges_line(&e, line, 0);
            CHECK(rows[i].name, edges_open(&e) == (*end == '.'));
        }
    }
}

static void test_bound(void **state)
{
    struct edges e = { .count = 0 };
    char line[64];

    (void)state;
    for (int i = 0; i < 10 * EDGES_MAX; i++) {
        snprintf(line, sizeof line, "type=PATH msg=audit(1.500:%d): ", i + 1);
        edges_line(&e, str_c(line), 0);
        assert_true(e.count <= EDGES_MAX);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        { .name = "a batch may end where no audit event is open", .test_func = test_rows },
        { .name = "open events are bounded", .test_func = test_bound },
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
