/* access.c - paragraph 11: the conditions that an owner creates, as a check-list with evidence; and paragraph 4: who is not monitored, by whose decision. */
#include "desk/requests/kind.h"

int open_access(struct call *c, struct req *q, const json_t *body)
{
    (void)c;
    (void)q;
    (void)body;
    return 0;
}

int act_access_settle(struct call *c, struct req *q, const json_t *body)
{
    int64_t left = 0, refused = 0;
    int rc = items_count(c, q, "required", &left);

    (void)body;
    if (rc == 0)
        rc = items_count(c, q, "refused", &refused);
    if (rc < 0)
        return rc;
    if (left)
        return refuse(c, -EPROTO, "wrong_state", NULL, "%lld conditions are neither provided nor refused", (long long)left);
    req_set(q, "refused", json_integer(refused));
    return 0;
}

/* A second person decides: whoever proposed the exclusion cannot approve it. */
int act_exclusion_approve(struct call *c, struct req *q, const json_t *body)
{
    (void)body;
    if (c->v->user_id == q->opened_by)
        return refuse(c, -EACCES, "forbidden", NULL, "whoever proposed it cannot approve it");
    req_set(q, "approved_by", json_string(c->v->name));
    req_set(q, "approved_at", json_time(c->now));
    bool bank = str_eq(req_text(q, "ground"), STR("national_bank_not_integrated"));
    json_t *changes = json_pack("{s:O, s:O}", "exclusion", json_object_get(q->values, "ground"), "exclusion_ground", json_object_get(q->values, "basis"));

    if (bank) {
        json_object_set_new(changes, "national_bank", json_true());
        json_object_set_new(changes, "national_bank_integrated", json_false());
    }
    c->approved = true;   /* the registry excludes nothing for one person (registry/regime.c) */
    int rc = registry_set(c, q, changes);
    c->approved = false;
    if (rc == 0)
        rc = life_move(c, q->object_id, q->org_id, "excluded", c->now);
    return rc < 0 ? rc : req_tell(c, q, true, "exclusion");
}

int act_exclusion_end(struct call *c, struct req *q, const json_t *body)
{
    struct duty_start start;
    int rc = day_start(c, json_get_str(body, "ended_on"), "ended_on", true, &start);

    if (rc == 0)
        rc = registry_set(c, q, json_pack("{s:n, s:n}", "exclusion", "exclusion_ground"));
    if (rc == 0)
        rc = life_move(c, q->object_id, q->org_id, "information_received", c->now);
    return rc < 0 ? rc : req_tell(c, q, true, "exclusion_ended");
}
