/* skew.c - see skew.h. */
#include "ingest/skew.h"

#define HALF_HOUR_S   1800
#define ZONE_MOST_S   (14 * 3600)
#define KAZAKHSTAN_MIN 300     /* UTC+5 since 2024-03-01; before it was UTC+6 in the most of the country */

void skew_add(struct skew *k, time_ns received, time_ns said, bool bare)
{
    int64_t s = received / NS_PER_SECOND - said / NS_PER_SECOND;
    int32_t second = (int32_t)(received / NS_PER_SECOND % INT32_MAX);

    if (k->count == SKEW_SAMPLES && second == k->last_second)
        return;
    k->last_second = second;
    k->bare = bare;
    k->s[k->next] = (int32_t)(s > INT32_MAX ? INT32_MAX : s < INT32_MIN ? INT32_MIN : s);
    k->next = (uint8_t)((k->next + 1) % SKEW_SAMPLES);
    k->count = (uint8_t)(k->count < SKEW_SAMPLES ? k->count + 1 : SKEW_SAMPLES);
}

static int order(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;

    return (x > y) - (x < y);
}

struct skew_view skew_look(const struct skew *k, int32_t zone_min)
{
    struct skew_view v = { .count = k->count };
    int32_t sorted[SKEW_SAMPLES];
    int64_t off, halves, rest;

    if (k->count < SKEW_LEAST)
        return v;
    memcpy(sorted, k->s, k->count * sizeof sorted[0]);
    qsort(sorted, k->count, sizeof sorted[0], order);
    v.median_s = sorted[k->count / 2];
    off = (int64_t)sorted[k->count * 3 / 4] - sorted[k->count / 4];
    v.spread_s = (int32_t)(off > INT32_MAX ? INT32_MAX : off);
    off = v.median_s < 0 ? -(int64_t)v.median_s : v.median_s;
    halves = (off + HALF_HOUR_S / 2) / HALF_HOUR_S;
    rest = off - halves * HALF_HOUR_S;
    if (off <= SKEW_OK_S) {
        v.kind = SKEW_OK;
    } else if (v.spread_s > SKEW_STEADY_S) {
        v.kind = SKEW_LATE;
    } else if (halves > 0 && off <= ZONE_MOST_S + SKEW_ZONE_S && rest >= -SKEW_ZONE_S && rest <= SKEW_ZONE_S) {
        v.zone_min = (int32_t)(halves * 30) * (v.median_s < 0 ? 1 : -1);
        v.kind = v.zone_min == 60 && k->bare && zone_min == KAZAKHSTAN_MIN ? SKEW_OLD_ZONE : SKEW_ZONE;
    } else {
        v.kind = SKEW_OFF;
    }
    return v;
}

const char *skew_name(enum skew_kind k)
{
    static const char *const names[] = { "", "ok", "zone", "old_zone", "off", "late" };

    return names[k];
}
