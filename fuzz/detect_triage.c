/* detect_triage.c - enemy of the saved episodes and accounts of risk: what is taken goes on counting, tells, saves, and is taken again. The first two bytes
 * say where the episodes end and the accounts begin. */
#include "detect/episode.h"
#include "detect/risk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char rule[] = "title: b\nid: b\nlevel: high\nlogsource: {}\ndetection: {s: {k: '*'}, condition: s}\n";

/* go_on - a few events behind what was loaded: the old end, new ones begin, a storm comes. */
static void go_on(struct episodes *x, struct risk *r, const struct sigma *set)
{
    static const char *const users[] = { "a", "b", "c", "a" };
    struct event_batch out;
    struct err e;

    event_batch_init(&out, 16 * MIB);
    for (size_t i = 0; i < COUNT(users); i++) {
        struct event_field fields[] = { { STR("user.name"), str_c(users[i]) }, { STR("host.name"), STR("h") } };
        struct event ev = { .seq = i + 1, .received = i == 3 ? INT64_MAX / 8 : (time_ns)i * NS_PER_HOUR, .original = STR("a line"), .fields = fields, .field_count = 2 };
        struct sigma_match m = { .rule = sigma_rule_at(set, 0), .count = 1, .first_seq = i + 1, .last_seq = i + 1 };
        struct hit h = { .match = &m, .event = &ev, .level = SIGMA_HIGH, .quiet = i == 2 };
        struct episode_told told;

        (void)!episodes_hit(x, &h, set, &out, &told, &e);
        (void)!risk_add(r, m.rule, h.level, &ev, &out, &e);
        (void)!episodes_due(x, ev.received, set, &out, &e);
        event_batch_reset(&out);
    }
    event_batch_free(&out);
}

/* taken - both are saved and taken again: what we write we read. */
static void taken(struct episodes *x, struct risk *r, const struct sigma *set)
{
    AUTO_BUF struct buf b, c;
    struct err e;

    buf_init(&b, 0);
    buf_init(&c, 0);
    episodes_save(x, &b);
    risk_save(r, &c);
    assert(episodes_load(x, buf_view(&b), &e) == 0);
    assert(risk_load(r, buf_view(&c), &e) == 0);
    buf_reset(&c);
    risk_json(r, set, 0, &c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sigma_source src = { STR("r.yml"), { rule, sizeof rule - 1 } };
    struct detect_policy p = {
        .window = NS_PER_HOUR, .update = NS_PER_MINUTE, .by = { STR("user.name") }, .by_count = 1, .storm_groups = 1, .half_life = NS_PER_DAY,
        .points = { 1, 3, 10, 30, 60 }, .host = 100, .user = 100, .risk_level = SIGMA_HIGH, .risk_en = STR("risk"),
    };
    struct str all = str_of((const char *)data, size), rest = str_cut(all, 2);
    size_t first = size < 2 ? 0 : min_size((size_t)data[0] | (size_t)data[1] << 8, rest.n);
    struct episodes *x = NULL;
    struct risk *r = NULL;
    struct sigma *set = NULL;
    struct err e;

    if (sigma_compile(&src, 1, &set, &e) == 0 && episodes_new(&p, &x, &e) == 0 && risk_new(&p, &r, &e) == 0) {
        (void)!episodes_load(x, str_of(rest.p, first), &e);
        (void)!risk_load(r, str_cut(rest, first), &e);
        go_on(x, r, set);
        taken(x, r, set);
    }
    episodes_free(&x);
    risk_free(&r);
    sigma_free(&set);
    return 0;
}
