/* cii.c - paragraphs 19 and 20: the list of critical objects, their connection to an operational centre and their responsible person (7.9).
 *
 * The day of inclusion is entered by hand with its basis; that the 90 days bind the designation too is our reading, told by the obligation. */
#include "desk/requests/kind.h"

int open_cii(struct call *c, struct req *q, const json_t *body)
{
    struct duty_start start;
    int rc = day_start(c, json_get_str(body, "included_on"), "included_on", true, &start), ego = rc == 0 ? registry_is_ego(c, q->object_id) : 0;

    if (rc < 0 || ego < 0)
        return rc < 0 ? rc : ego;
    if (ego)
        return req_wrong(c, "object_ids", "chapter 3 is not for objects of e-government (paragraph 25)");
    rc = req_begin(c, q, "D-21", start);
    if (rc == 0)
        rc = req_begin(c, q, "D-22", start);
    return rc < 0 ? rc : registry_set(c, q, json_pack("{s:b, s:O}", "is_cii", 1, "cii_listed_on", json_object_get(body, "included_on")));
}

int act_cii_delist(struct call *c, struct req *q, const json_t *body)
{
    struct duty_start on;
    int rc = day_start(c, json_get_str(body, "delisted_on"), "delisted_on", true, &on);

    return rc < 0 ? rc : registry_set(c, q, json_pack("{s:b, s:n, s:n}", "is_cii", 0, "cii_listed_on", "cii_sector"));
}

int act_cii_mode(struct call *c, struct req *q, const json_t *body)
{
    (void)q;
    if (str_eq(json_get_str(body, "mode"), STR("third_party"))) {
        if (json_get_str(body, "contractor").n == 0)
            return req_wrong(c, "contractor", "a third party is named");
        if (json_get_str(body, "contract_number").n == 0)
            return req_wrong(c, "contract_number", "a third party works by contract");
    }
    return 0;
}

/* The designated person stands in the registry from now on: whoever notifies "through the responsible person" (22) finds them there. */
int act_cii_designate(struct call *c, struct req *q, const json_t *body)
{
    struct duty_start on;
    int rc = day_start(c, json_get_str(body, "designated_on"), "designated_on", true, &on);

    if (rc == 0)
        rc = registry_contact(c, q);
    return rc < 0 ? rc : req_fulfil(c, q, "D-22", on.at);
}

int act_cii_declare(struct call *c, struct req *q, const json_t *body)
{
    time_ns at;
    int rc = moment_of(c, body, "connected_at", true, &at);

    if (rc == 0 && q->ocib_id.n == 0)
        return refuse(c, -EPROTO, "wrong_state", NULL, "the object has no operational centre in the registry");
    return rc < 0 ? rc : req_tell(c, q, false, "connection_declared");
}

/* second_party - what one party declared another one confirms: neither the same person nor the same organisation (paragraph 20: the critical object's
 * side connects, the operational centre confirms; what the operational centre itself has declared the centre confirms). */
static int second_party(struct call *c, const struct req *q)
{
    char id[24];
    int64_t same = 0;
    int rc;

    snprintf(id, sizeof id, "%lld", (long long)q->id);
    rc = db_int(c->d, c->e, 0, &same,
                "SELECT u.id = ?2 OR (?3 <> '' AND u.org_id = ?3) FROM timeline t JOIN user u ON u.id = t.author_id WHERE t.subject = 'request' AND"
                " t.subject_id = ?1 AND t.kind = 'declare_connection' ORDER BY t.id DESC LIMIT 1",
                "ziz", id, c->v->user_id, c->v->org_id);
    if (rc < 0 || !same)
        return rc;
    return refuse(c, -EACCES, "second_person", NULL, "another person of another party confirms a connection");
}

int act_cii_confirm(struct call *c, struct req *q, const json_t *body)
{
    time_ns at = 0;
    int rc = moment_of(c, q->values, "connected_at", true, &at);

    (void)body;
    if (rc == 0)
        rc = second_party(c, q);
    if (rc == 0)
        rc = req_fulfil(c, q, "D-21", at);
    return rc < 0 ? rc : req_tell(c, q, true, "connection_confirmed");
}

int act_cii_decline(struct call *c, struct req *q, const json_t *body)
{
    (void)body;
    return req_tell(c, q, true, "connection_declined");
}

int cii_connected(struct call *c, struct str object)
{
    int64_t n = 0;
    int rc = db_int(c->d, c->e, 0, &n, "SELECT count(*) FROM request WHERE object_id = ? AND kind = 'cii_connection' AND state = 'connected'", "t", object);

    return rc < 0 ? rc : n > 0;
}
