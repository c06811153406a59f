/* test_event.c - fields and flat JSON. */
#include "event/testing.h"

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
