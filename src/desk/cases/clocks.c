/* clocks.c - the clocks of a case: rows of the room "duties" whose subject is the case. */
#include "desk/duties/duties.h"
#include "desk/internal.h"

struct subject case_subject(const struct kase *k)
{
    return (struct subject){ .kind = "case", .id = k->number, .case_id = k->id, .object_id = k->object_id, .org_id = k->org_id };
}

/* case_about - the id of the subject is the case's; room for its digits is the caller's. */
struct subject case_about(const struct kase *k, char id[24])
{
    snprintf(id, 24, "%lld", (long long)k->id);
    return (struct subject){ .kind = "case", .id = str_c(id), .case_id = k->id, .object_id = k->object_id, .org_id = k->org_id };
}

int clock_start(struct call *c, const struct kase *k, const char *obligation, time_ns from)
{
    char id[24];
    struct subject s = case_about(k, id);

    return duties_begin(c, &s, obligation, (struct duty_start){ .at = from }, NULL);
}

int clock_fulfil(struct call *c, const struct kase *k, const char *obligation, time_ns at)
{
    char id[24];
    struct subject s = case_about(k, id);

    return duties_fulfil(c, &s, obligation, at);
}

int clock_cancel(struct call *c, const struct kase *k, const char *obligation, const char *key)
{
    char id[24];
    struct subject s = case_about(k, id);

    return duties_cancel(c, &s, obligation, key);
}

int clock_due(struct call *c, int64_t case_id, const char *obligation, time_ns *due)
{
    char id[24];

    snprintf(id, sizeof id, "%lld", (long long)case_id);
    return duties_due(c, &(struct subject){ .kind = "case", .id = str_c(id), .case_id = case_id }, obligation, due);
}

int clocks_json(struct call *c, int64_t case_id, json_t **out)
{
    char id[24];

    snprintf(id, sizeof id, "%lld", (long long)case_id);
    return duties_json(c, &(struct subject){ .kind = "case", .id = str_c(id), .case_id = case_id }, out);
}
