/* sigma_state.c - enemy of the saved state of correlations. */
#include "sigma/sigma.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char rules[] =
    "title: b\nid: b\nlogsource: {}\ndetection: {s: {k: '*'}, condition: s}\n---\n"
    "title: c\nid: c\ncorrelation: {type: event_count, rules: b, group-by: k, timespan: 1m, condition: {gte: 3}}\n---\n"
    "title: v\nid: v\ncorrelation: {type: value_count, rules: b, timespan: 1m, condition: {field: k, gte: 2}}\n---\n"
    "title: t\nid: t\ncorrelation: {type: temporal_ordered, rules: [b, c], group-by: k, timespan: 1m}\n---\n"
    "title: a\nid: a\ncorrelation: {type: temporal, rules: [b, c], group-by: k, timespan: 1m}\n---\n"
    "title: s\nid: s\ncorrelation: {type: value_sum, rules: b, group-by: k, timespan: 1m, condition: {field: n, gte: 3}}\n---\n"
    "title: p\nid: p\ncorrelation: {type: value_percentile, rules: b, timespan: 1m, condition: {field: n, percentile: 90, gte: 3}}\n---\n"
    "title: e\nid: e\ncorrelation: {type: value_avg, rules: b, timespan: 1m, condition: {field: n, gt: 1, lte: 3}}\n---\n"
    "title: o\nid: o\ncorrelation: {type: temporal, rules: [b, c], timespan: 1m, condition: b and not c}\n---\n"
    "title: q\nid: q\ncorrelation: {type: saqshy_absence, rules: b, group-by: k, timespan: 1m}\n---\n"
    "title: n\nid: n\ncorrelation: {type: saqshy_new_value, rules: b, timespan: 1m, condition: {field: k}}\n---\n"
    "title: l\nid: l\ncorrelation: {type: event_count, rules: b, group-by: k, timespan: 1m, condition: {lt: 3}}\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sigma_source src = { STR("r.yml"), { rules, sizeof rules - 1 } };
    const struct sigma_match *m;
    struct sigma_run *r = NULL;
    struct sigma *s = NULL;
    struct event_batch b;
    struct err e;

    event_batch_init(&b, MIB);
    if (sigma_compile(&src, 1, &s, &e) == 0 && sigma_run_new(s, true, &r, &e) == 0) {
        (void)!sigma_run_load(r, str_of((const char *)data, size), &e);
        struct event *ev = event_batch_add(&b);
        (void)!event_add(ev, &b.arena, STR("k"), STR("x"));
        (void)!event_add(ev, &b.arena, STR("n"), STR("2.5"));
        for (int i = 0; i < 3; i++) {
            ev->time = i == 2 ? INT64_MAX : i * 1000000000;
            ev->seq = (uint64_t)i + 1;
            (void)!sigma_run_event(r, ev, true, &m, &e);
        }
    }
    sigma_run_free(&r);
    sigma_free(&s);
    event_batch_free(&b);
    return 0;
}
