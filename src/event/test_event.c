/* test_event.c - fields and flat JSON. */
#include "event/event.h"
#include "base/test.h"

static const char line[] = "Nov 24 10:00:00 srv sshd[7]: Failed password for root from 203.0.113.9 port 4 ssh2";

static void fill(struct event_batch *b)
{
    for (int i = 0; i < 3; i++) {
        struct event *ev = event_batch_add(b);

        ev->original = str_of(line, sizeof line - 1);
        ev->time = 1795514400 * NS_PER_SECOND - i * NS_PER_HOUR;
        ev->received = ev->time + 5 - i * 9;
        ev->offset_min = i ? 300 : EVENT_OFFSET_NONE;
        ev->class = CLASS_OS_UNIX;
        ev->parse = EVENT_PARSE_PARTIAL;
        ev->marks = MARK_FUTURE | MARK_NO_TIME;
        ev->source = STR("a1/var/log/auth.log");
        ev->time_text = str_of(line, 15);
        ev->parser = STR("sshd");
        assert_int_equal(event_add(ev, &b->arena, STR("source.ip"), str_of(line + str_find(str_c(line), STR("203.")), 11)), 0);
        assert_int_equal(event_add(ev, &b->arena, STR("saqshy.types"), STR("OS-04")), 0);
        assert_int_equal(event_add(ev, &b->arena, STR("saqshy.types"), STR("UX-01")), 0);
    }
}

static void json_is_flat_with_arrays(void **state)
{
    struct event_batch in;
    AUTO_BUF struct buf b;

    (void)state;
    buf_init(&b, 0);
    event_batch_init(&in, 0);
    fill(&in);
    event_json(&in.items[0], &b);
    buf_byte(&b, 0);
    assert_non_null(strstr(b.p, "\"@timestamp\":\"2026-11-24"));
    assert_non_null(strstr(b.p, "\"saqshy.types\":[\"OS-04\",\"UX-01\"]"));
    assert_non_null(strstr(b.p, "\"source.ip\":\"203.0.113.9\""));
    assert_non_null(strstr(b.p, "\"saqshy.marks\":[\"future\",\"no_time\"]"));
    event_batch_free(&in);
}

static void fields_have_a_limit(void **state)
{
    struct event_batch in;
    struct event *ev;

    (void)state;
    event_batch_init(&in, 0);
    ev = event_batch_add(&in);
    for (int i = 0; i < EVENT_FIELDS_MAX; i++)
        assert_int_equal(event_add(ev, &in.arena, STR("a"), STR("b")), 0);
    assert_int_equal(event_add(ev, &in.arena, STR("a"), STR("b")), -E2BIG);
    event_batch_free(&in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_is_flat_with_arrays),
        cmocka_unit_test(fields_have_a_limit),
    };

    return cmocka_run_group_tests_name("event", tests, NULL, NULL);
}
