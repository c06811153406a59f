/* test_skew.c - what the distance of a source's clock is taken for. */
#include "ingest/skew.h"
#include "base/test.h"

#define NOW (INT64_C(1774008000) * NS_PER_SECOND)

static const struct {
    const char    *name;
    int32_t        seconds, wobble;   /* the source's clock is so far behind; by so much more or less each time */
    bool           bare;
    int32_t        zone_min;
    enum skew_kind kind;
    int32_t        off_min;
} rows[] = {
    { "a clock that is right", 1, 1, true, 300, SKEW_OK, 0 },
    { "four minutes are within the tolerance", 240, 1, true, 300, SKEW_OK, 0 },
    { "seven minutes behind", 420, 1, true, 300, SKEW_OFF, 0 },
    { "seven minutes ahead", -420, 1, true, 300, SKEW_OFF, 0 },
    { "zone data from before March 2024", -3600, 2, true, 300, SKEW_OLD_ZONE, 60 },
    { "an hour ahead in times that name their zone", -3600, 2, false, 300, SKEW_ZONE, 60 },
    { "an hour ahead where UTC is assumed", -3600, 2, true, 0, SKEW_ZONE, 60 },
    { "UTC read as UTC+5", 5 * 3600, 2, true, 300, SKEW_ZONE, -300 },
    { "half an hour", 1800, 2, true, 300, SKEW_ZONE, -30 },
    { "a backlog", 9000, 4000, true, 300, SKEW_LATE, 0 },
    { "another year", -400 * 86400, 1, true, 300, SKEW_OFF, 0 },
};

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct skew k = { .count = 0 };
        struct skew_view v;

        for (int n = 0; n < 3 * SKEW_SAMPLES; n++) {
            time_ns received = NOW + n * NS_PER_SECOND;

            skew_add(&k, received, received - (rows[i].seconds + (n % 3 - 1) * rows[i].wobble) * NS_PER_SECOND, rows[i].bare);
        }
        v = skew_look(&k, rows[i].zone_min);
        if (v.kind != rows[i].kind || v.zone_min != rows[i].off_min)
            fail_msg("row \"%s\": %s, median %d s, spread %d s, zone %d min", rows[i].name, skew_name(v.kind), v.median_s, v.spread_s, v.zone_min);
    }
}

/* test_bounds - a few samples say nothing; a burst within one second is one sample; no distance overflows. */
static void test_bounds(void **state)
{
    struct skew k = { .count = 0 };

    (void)state;
    for (int n = 0; n < SKEW_LEAST - 1; n++)
        skew_add(&k, NOW + n * NS_PER_SECOND, NOW, true);
    assert_int_equal(skew_look(&k, 0).kind, SKEW_UNKNOWN);
    for (int n = 0; n < 2 * SKEW_SAMPLES; n++)
        skew_add(&k, NOW + n * NS_PER_SECOND, NOW + n * NS_PER_SECOND, true);
    for (int n = 0; n < 1000; n++)
        skew_add(&k, NOW + 2 * SKEW_SAMPLES * NS_PER_SECOND, 0, true);
    assert_int_equal(skew_look(&k, 0).kind, SKEW_OK);
    for (int n = 0; n < 2 * SKEW_SAMPLES; n++)
        skew_add(&k, INT64_MAX / 2 + n * NS_PER_SECOND, INT64_MIN / 4, true);
    assert_int_equal(skew_look(&k, 0).median_s, INT32_MAX);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        { .name = "a steady half hour is a zone, an hour of UTC+5 is old zone data, other distances are told too", .test_func = test_rows },
        { .name = "few samples say nothing, bursts count once, nothing overflows", .test_func = test_bounds },
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
