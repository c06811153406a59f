/* detect_coverage.c - enemy of the saved table of what arrives: what is taken goes on counting, tells of silence, saves, and is taken again. */
#include "detect/coverage.h"
#include "detect/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void go_on(struct coverage *c, const struct detect_policy *p)
{
    static const char *const sources[] = { "web1", "web2", "web1", "web2" };
    struct event_batch out;
    struct err e;

    event_batch_init(&out, 16 * MIB);
    for (size_t i = 0; i < COUNT(sources); i++) {
        struct event_field fields[] = { { STR("saqshy.types"), STR("OS-04") }, { STR("host.name"), STR("h") } };
        struct event ev = { .seq = i + 1, .received = (1700000000 + (time_ns)i * 1800) * NS_PER_SECOND, .class = CLASS_OS_UNIX, .original = STR("a line"),
                            .source = str_c(sources[i]), .fields = fields, .field_count = 2 };

        (void)!coverage_event(c, &ev, &e);
        (void)!coverage_due(c, p, &ev, &out, &e);
        event_batch_reset(&out);
    }
    event_batch_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct detect_policy policy = { .silence = { { .told = true, .level = SIGMA_HIGH, .en = STR("s") }, { .told = true, .level = SIGMA_HIGH, .en = STR("t") } } };
    struct coverage *c = NULL;
    AUTO_BUF struct buf b, json;
    struct err e;

    buf_init(&b, 0);
    buf_init(&json, 0);
    if (coverage_new(&c, &e) < 0)
        return 0;
    (void)!coverage_load(c, str_of((const char *)data, size), &e);
    go_on(c, &policy);
    coverage_save(c, &b);
    assert(coverage_load(c, buf_view(&b), &e) == 0);
    coverage_json(c, 1700010000 * NS_PER_SECOND, 1700010000 * NS_PER_SECOND, 5, &json);
    coverage_free(&c);
    return 0;
}
