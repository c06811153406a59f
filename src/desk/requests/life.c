/* life.c - paragraph 8: putting into operation and its end, on paper and electronically; paragraph 15: the request for the Information. */
#include "desk/requests/kind.h"

static bool ending(const struct req *q) { return strcmp(q->kind->name, "termination") == 0; }

/* day_set - the registry learns the day. The end of an operation whose beginning nobody wrote down is declared all the same: the registry then keeps
 * the state alone. */
static int day_set(struct call *c, const struct req *q, const char *key, json_t *day)
{
    int64_t begun = 1;
    int rc = ending(q) ? db_int(c->d, c->e, 0, &begun, "SELECT commissioned_on IS NOT NULL FROM object WHERE id = ?", "t", q->object_id) : 0;

    if (rc < 0 || !begun)
        return rc;
    return registry_set(c, q, ending(q) ? json_pack("{s:O}", key, day) : json_pack("{s:O, s:n}", key, day, "terminated_on"));
}

int open_commissioning(struct call *c, struct req *q, const json_t *body)
{
    const char *key = ending(q) ? "terminated_on" : "commissioned_on";
    struct duty_start start;
    int rc = day_start(c, json_get_str(body, key), key, true, &start);

    if (rc == 0)
        rc = req_begin(c, q, ending(q) ? "D-02" : "D-01", start);
    if (rc == 0)
        rc = day_set(c, q, key, json_object_get(body, key));
    return rc < 0 ? rc : life_move(c, q->object_id, q->org_id, ending(q) ? "operation_terminated" : "commissioned", start.at);
}

/* both_parts - complete when the letter and the electronic part are both there; the duty counts its facts by itself. */
static int both_parts(struct call *c, struct req *q)
{
    if (req_text(q, "letter_date").n == 0 || req_text(q, "information_sent_at").n == 0)
        return 0;
    req_move(q, "complete");
    return life_move(c, q->object_id, q->org_id, ending(q) ? "termination_received" : "information_received", c->now);
}

/* The letter's day counts as it is written on it; when it came in is kept beside. */
int act_paper(struct call *c, struct req *q, const json_t *body)
{
    struct duty_start letter, received;
    int rc = day_start(c, json_get_str(body, "letter_date"), "letter_date", true, &letter);

    if (rc == 0)
        rc = day_start(c, json_get_str(body, "letter_received_on"), "letter_received_on", true, &received);
    if (rc == 0 && received.at < letter.at)
        return req_wrong(c, "letter_received_on", "before the letter's date");
    if (rc == 0)
        rc = req_fact(c, q, ending(q) ? "D-02" : "D-01", ending(q) ? "termination_paper_at" : "commission_paper_at", letter.at, (struct str){ NULL, 0 },
                      json_get_str(body, "letter_number"));
    return rc < 0 ? rc : both_parts(c, q);
}

/* electronic - what the registry holds now is what is sent: frozen, with its hash; what the form wants and it lacks is said, and stops nobody. */
static int electronic(struct call *c, struct req *q, const json_t *body)
{
    json_t *snapshot = NULL, *missing = NULL;
    char sha256[65];
    int rc;

    if (!json_is_true(json_object_get(body, "confirmed")))
        return req_wrong(c, "confirmed", "the information must be confirmed as complete");
    rc = annex1_snapshot(c, q->object_id, &snapshot, &missing, sha256);
    if (rc < 0) {
        json_decref(snapshot);
        return rc;
    }
    req_set(q, "information", snapshot);
    req_set(q, "information_missing", missing);
    req_set(q, "information_sha256", json_string(sha256));
    req_set(q, "information_sent_at", json_time(c->now));
    return req_tell(c, q, false, "information_sent");
}

int act_electronic(struct call *c, struct req *q, const json_t *body)
{
    int rc = electronic(c, q, body);

    if (rc == 0)
        rc = req_fact(c, q, ending(q) ? "D-02" : "D-01", ending(q) ? "termination_electronic_at" : "commission_electronic_at", c->now,
                      req_text(q, "information_sha256"), (struct str){ NULL, 0 });
    return rc < 0 ? rc : both_parts(c, q);
}

int act_archive(struct call *c, struct req *q, const json_t *body)
{
    (void)body;
    return life_move(c, q->object_id, q->org_id, "archived", c->now);
}

/* --- paragraph 15 --- */

int open_information(struct call *c, struct req *q, const json_t *body)
{
    (void)body;
    return life_move(c, q->object_id, q->org_id, "information_requested", c->now);
}

/* receive - D-03 runs from the moment of receiving the request. */
static int receive(struct call *c, struct req *q, time_ns at)
{
    req_set(q, "received_at", json_time(at));
    return req_begin(c, q, "D-03", (struct duty_start){ at, false });
}

int act_receive_information(struct call *c, struct req *q, const json_t *body)
{
    time_ns at;
    int rc = moment_of(c, body, "received_at", true, &at);

    if (rc == 0 && minutes_before(at, q->opened_at))
        return req_wrong(c, "received_at", "before the request was sent");
    return rc < 0 ? rc : receive(c, q, at);
}

/* Whoever answers has received: without a receipt the term runs and is kept in one act. */
int act_answer_information(struct call *c, struct req *q, const json_t *body)
{
    int rc = req_text(q, "received_at").n ? 0 : receive(c, q, c->now);

    if (rc == 0)
        rc = electronic(c, q, body);
    if (rc == 0)
        rc = req_fulfil(c, q, "D-03", c->now);
    return rc < 0 ? rc : life_move(c, q->object_id, q->org_id, "information_received", c->now);
}

/* What was not the Information in full has not kept the term: it is counted on from the same receipt. */
int act_return_information(struct call *c, struct req *q, const json_t *body)
{
    time_ns at = 0;
    int rc = time_parse_rfc3339(req_text(q, "received_at"), &at, NULL, NULL);

    (void)body;
    if (rc == 0)
        rc = req_begin(c, q, "D-03", (struct duty_start){ at, false });
    return rc < 0 ? rc : req_tell(c, q, true, "information_returned");
}

int act_register(struct call *c, struct req *q, const json_t *body)
{
    (void)body;
    return life_move(c, q->object_id, q->org_id, "listed", c->now);
}
