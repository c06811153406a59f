/* survey.c - paragraph 14: the notice before a document survey and the certified copies of Annex 3; paragraph 23: vulnerabilities of critical objects;
 * paragraph 7: data of conformity testing on their way to the passport. */
#include "desk/requests/kind.h"

/* ahead - the notice goes before the survey (R-14-04): a survey of a day that has passed is planned anew. */
static int ahead(struct call *c, const struct req *q, const char *field)
{
    struct duty_start from;
    char today[16];
    int rc = day_start(c, req_text(q, "survey_from"), field, false, &from);

    local_date(c->d, c->now, today);
    return rc == 0 && str_cmp(req_text(q, "survey_from"), str_c(today)) < 0 ? req_wrong(c, field, "the survey begins before its notice") : rc;
}

int open_survey(struct call *c, struct req *q, const json_t *body)
{
    (void)body;
    return ahead(c, q, "values.survey_from");
}

int open_testing(struct call *c, struct req *q, const json_t *body)
{
    struct duty_start tested;

    (void)q;
    return day_start(c, json_get_str(body, "protocol_date"), "values.protocol_date", true, &tested);
}

int act_survey_send(struct call *c, struct req *q, const json_t *body)
{
    int rc = ahead(c, q, "survey_from");

    (void)body;
    req_set(q, "notice_sent_at", json_time(c->now));
    return rc < 0 ? rc : req_tell(c, q, true, "document_survey");
}

/* receipt - by the one who received it: now; by the one who sent it: at a moment with proof, not before it was sent. */
static int receipt(struct call *c, struct req *q, const json_t *body, time_ns sent, const char *obligation)
{
    time_ns at;
    int rc = moment_of(c, body, "received_at", true, &at);

    if (rc == 0 && minutes_before(at, sent))
        return req_wrong(c, "received_at", "before it was sent");
    if (rc < 0)
        return rc;
    req_set(q, "received_at", json_time(at));
    return req_begin(c, q, obligation, (struct duty_start){ at, false });
}

int act_survey_receive(struct call *c, struct req *q, const json_t *body)
{
    time_ns sent = 0;
    int rc = moment_of(c, q->values, "notice_sent_at", true, &sent);

    return rc < 0 ? rc : receipt(c, q, body, sent, "D-16");
}

int act_survey_submit(struct call *c, struct req *q, const json_t *body)
{
    int64_t awaited = 0, missing = 0, uncertified = 0, bare = 0;
    int rc = items_count(c, q, "awaited", &awaited);

    if (rc == 0)
        rc = items_count(c, q, "missing", &missing);
    if (rc == 0)
        rc = db_int(c->d, c->e, 0, &uncertified,
                    "SELECT count(*) FROM request_item WHERE request_id = ? AND state = 'provided' AND (coalesce(json_extract(values_json, '$.approved'), 0)"
                    " = 0 OR coalesce(json_extract(values_json, '$.signed'), 0) = 0)",
                    "i", q->id);
    if (rc == 0)
        rc = items_bare(c, q, &bare);
    if (rc < 0)
        return rc;
    if (!json_is_true(json_object_get(body, "confirmed")))
        return req_wrong(c, "confirmed", "the sending must be confirmed");
    if (awaited)
        return refuse(c, -EPROTO, "wrong_state", "items", "%lld documents are neither provided nor listed as missing", (long long)awaited);
    if (uncertified)
        return refuse(c, -EINVAL, "bad_request", "items", "%lld copies are not of approved documents, or not signed", (long long)uncertified);
    if (bare)
        return refuse(c, -EINVAL, "bad_request", "files.document", "%lld copies have neither a file nor a record of the centre that they came as paper", (long long)bare);
    req_set(q, "missing", json_integer(missing));
    req_set(q, "complete", json_boolean(missing == 0));
    req_set(q, "copies_sent_at", json_time(c->now));
    rc = req_fulfil(c, q, "D-16", c->now);
    return rc < 0 ? rc : req_tell(c, q, false, "copies_sent");
}

/* --- vulnerabilities of a critical object --- */

int act_vulnerability_receive(struct call *c, struct req *q, const json_t *body) { return receipt(c, q, body, q->opened_at, "D-26"); }

int act_vulnerability_correct(struct call *c, struct req *q, const json_t *body)
{
    time_ns at, received = 0;
    int rc = moment_of(c, body, "corrected_at", true, &at);

    if (rc == 0)
        rc = moment_of(c, q->values, "received_at", true, &received);
    if (rc == 0 && minutes_before(at, received))
        return req_wrong(c, "corrected_at", "before the notification was received");
    if (rc == 0)
        rc = req_fulfil(c, q, "D-26", at);
    return rc < 0 ? rc : req_tell(c, q, false, "vulnerability_corrected");
}

int act_vulnerability_dispute(struct call *c, struct req *q, const json_t *body)
{
    time_ns received = 0;
    int rc = moment_of(c, q->values, "received_at", true, &received);

    (void)body;
    if (rc == 0)
        rc = req_begin(c, q, "D-26", (struct duty_start){ received, false });
    return rc < 0 ? rc : req_tell(c, q, true, "vulnerability_disputed");
}

/* --- a question to the centre --- */

int act_consultation_give(struct call *c, struct req *q, const json_t *body)
{
    (void)body;
    return req_tell(c, q, true, "consultation_given");
}

/* --- conformity testing --- */

/* The passport is written in its own room, with this request as its reference; here it is shown that this was done. */
int act_hand_over(struct call *c, struct req *q, const json_t *body)
{
    int64_t n = 0;
    int rc = db_int(c->d, c->e, 0, &n,
                    "SELECT count(*) FROM passport WHERE object_id = ? AND version = ? AND source = 'conformity_testing' AND tested_kind = ?", "tit",
                    q->object_id, (int64_t)json_integer_value(json_object_get(body, "passport_version")), req_text(q, "tested_kind"));

    if (rc == 0 && n == 0)
        return req_wrong(c, "passport_version", "no such passport from tests of this kind");
    return rc;
}
