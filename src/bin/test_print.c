/* test_print.c - what of a log reaches a terminal. */
#include "bin/event_print.h"
#include "base/test.h"

static const struct {
    const char *name, *in, *want;
} rows[] = {
    { "letters stay", "Қазақстан, ёлка, 中, 😀", "Қазақстан, ёлка, 中, 😀" },
    { "line ends become blanks", "a\nb\tc", "a b c" },
    { "escape", "\x1b]0;owned\x07", "?]0;owned?" },
    { "the command introducer as one character", "\xc2\x9b" "2J", "?2J" },
    { "delete", "a\x7f" "b", "a?b" },
    { "right to left override", "a\xe2\x80\xae" "b", "a?b" },
    { "isolates", "\xe2\x81\xa6x\xe2\x81\xa9", "?x?" },
    { "a zero width space", "ro\xe2\x80\x8b" "ot", "ro?ot" },
    { "a dash of the same row stays", "a\xe2\x80\x93" "b", "a\xe2\x80\x93" "b" },
    { "bytes that are no UTF-8", "\x9b" "2J\xff\xd0", "?2J??" },
};

static void nothing_of_a_log_drives_the_terminal(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        AUTO_BUF struct buf b;

        buf_init(&b, 0);
        plain_put(&b, str_c(rows[i].in), SIZE_MAX);
        CHECK(rows[i].name, str_eq(buf_view(&b), str_c(rows[i].want)));
    }
}

static void the_host_of_an_event_is_a_log_too(void **state)
{
    char *text = NULL;
    size_t n = 0;
    FILE *to = open_memstream(&text, &n);
    struct event_batch b;
    struct event *ev;

    (void)state;
    assert_non_null(to);
    event_batch_init(&b, 0);
    ev = event_batch_add(&b);
    ev->original = STR("line");
    ev->parser = STR("json");
    assert_int_equal(event_add(ev, &b.arena, STR("host.name"), STR("\x1b[2Jsrv")), 0);
    event_print(ev, false, to);
    fclose(to);
    assert_null(memchr(text, 0x1b, n));
    assert_non_null(strstr(text, "  ?[2Jsrv           json        line\n"));
    free(text);
    event_batch_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_of_a_log_drives_the_terminal),
        cmocka_unit_test(the_host_of_an_event_is_a_log_too),
    };

    return cmocka_run_group_tests_name("print", tests, NULL, NULL);
}
