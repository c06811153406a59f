/* bench_correlate.c - bench_correlate [GROUPS [UPDATES]]: what one more event costs each kind of correlation, over many groups.
 *
 * Only the correlation is measured: the event is looked at once, then its group and value change under it. Groups come in the order of a
 * fixed pseudo-random row, a millisecond apart. The time is that of the thread. Memory is what costs, and neighbours on the machine
 * make it slow: the first line says what one look at a place as large as a group takes now, each waiting for the one before. */
#include "sigma/groups.h"

#include <time.h>

#define BASE "title: b\nid: b\nlogsource: {}\ndetection: {s: {g: '*'}, condition: s}\n---\n"
#define KIND(text) BASE "title: c\nid: c\ncorrelation: {rules: b, group-by: g, " text "}\n"

static const struct { const char *name, *rules; } kinds[] = {
    { "event_count, gte 10 in 10m", KIND("type: event_count, timespan: 10m, condition: {gte: 10}") },
    { "event_count, lt 10 in 10m", KIND("type: event_count, timespan: 10m, condition: {lt: 10}") },
    { "value_count, gte 10 in 10m", KIND("type: value_count, timespan: 10m, condition: {field: v, gte: 10}") },
    { "value_sum in 10m", KIND("type: value_sum, timespan: 10m, condition: {field: v, gte: 1000000}") },
    { "value_percentile in 10m", KIND("type: value_percentile, timespan: 10m, condition: {field: v, percentile: 95, gte: 1000000}") },
    { "temporal_ordered", BASE "title: d\nid: d\nlogsource: {}\ndetection: {s: {g: nothing}, condition: s}\n---\n"
      "title: c\nid: c\ncorrelation: {type: temporal_ordered, rules: [b, d], group-by: g, timespan: 10m}\n" },
};

static double thread_seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

struct look { uint64_t total, rest[15]; };   /* two lines of cache */

/* one_look - nanoseconds. */
static double one_look(uint32_t groups)
{
    enum { LOOKS = 2000000 };
    struct look *at = calloc(groups, sizeof *at);
    uint64_t random = 1, found = 0;
    double start;

    if (!at)
        abort();
    for (uint32_t i = 0; i < groups; i++)
        at[i].total = i & 1;
    start = thread_seconds();
    for (int i = 0; i < LOOKS; i++) {
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407 + found;
        found = at[(random >> 32) * groups >> 32].total;
    }
    start = (thread_seconds() - start) * 1e9 / LOOKS;
    free(at);
    return found > 1 ? 0 : start;
}

static struct str name_of(uint32_t g, char z[16])
{
    static const char digits[] = "0123456789abcdef";

    memcpy(z, "host-", 5);
    for (int i = 0; i < 6; i++, g >>= 4)
        z[10 - i] = digits[g & 15];
    return str_of(z, 11);
}

/* updates - the group of each event by a row of pseudo-random numbers; its value one of sixteen. */
static uint64_t updates(struct sigma *s, uint32_t groups, uint64_t count, struct sigma_counters *counters, double *seconds)
{
    struct event_field fields[] = { { STR("g"), STR("0") }, { STR("v"), STR("0") } };
    struct event ev = { .fields = fields, .field_count = COUNT(fields), .time = NS_PER_DAY, .received = NS_PER_DAY, .source = STR("host") };
    const struct correlation *c = s->correlations[0];
    struct vvalue *group, *value, unused;
    static struct fired fired;
    struct tracker t;
    struct view v;
    uint64_t random = 1, found = 0;
    char name[16];
    static const char *const numbers[] = { "0", "1", "2", "3", "4", "5", "60", "70", "800", "900", "1e3", "2.5", "-7", "33", "44", "55" };
    struct err e;

    if (tracker_init(&t, s, false, counters, &e) < 0 || view_init(&v, s, &e) < 0 || view_take(&v, &ev, false, &e) < 0)
        abort();
    group = view_value(&v, view_first(&v, c->group_by[0]));
    value = c->field_count ? view_value(&v, view_first(&v, c->field[0])) : &unused;
    *seconds = thread_seconds();
    for (uint64_t i = 0; i < count; i++) {
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
        group->raw = group->folded = name_of((uint32_t)((random >> 32) * groups >> 32), name);
        value->raw = value->folded = str_c(numbers[random >> 20 & 15]);
        group->has_folded = value->has_folded = true;
        ev.time = ev.received += NS_PER_MS;
        ev.seq = i + 1;
        tracker_event(&t, &ev);
        while (tracker_tick(&t, 0, &fired, &e) == 1)
            found++;
        int rc = tracker_feed(&t, 0, 0, &v, &fired, &e);
        if (rc < 0)
            abort();
        found += (uint64_t)rc;
    }
    *seconds = thread_seconds() - *seconds;
    counters->groups = t.of[0]->count;
    counters->bytes = t.bytes;
    tracker_free(&t);
    view_free(&v);
    return found;
}

int main(int argc, char **argv)
{
    uint64_t groups = 100000, count = 5000000;
    struct err e;

    if ((argc > 1 && !str_u64(str_c(argv[1]), &groups)) || (argc > 2 && !str_u64(str_c(argv[2]), &count)) || groups < 1000 ||
        groups > SIGMA_GROUPS_MAX)
        return 2;
    printf("one look at one of %llu places: %.1f ns\n", (unsigned long long)groups, one_look((uint32_t)groups));
    for (size_t k = 0; k < COUNT(kinds); k++) {
        struct sigma_source src = { STR("bench.yml"), str_c(kinds[k].rules) };
        struct sigma_counters counters = { 0 };
        struct sigma *s = NULL;
        double seconds;
        uint64_t found;

        if (sigma_compile(&src, 1, &s, &e) < 0 || sigma_refusal_count(s))
            return 1;
        found = updates(s, (uint32_t)groups, count, &counters, &seconds);
        printf("%-30s %6.1f ns an update, %5.2f million a second, %llu groups of %.0f bytes, %llu found\n", kinds[k].name,
               seconds * 1e9 / (double)count, (double)count / seconds / 1e6, (unsigned long long)counters.groups,
               (double)counters.bytes / (double)(counters.groups ? counters.groups : 1), (unsigned long long)found);
        sigma_free(&s);
    }
    return 0;
}
