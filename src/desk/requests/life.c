/* life.c - where an object stands (requirements 7.7), and paragraph 8: putting into operation and its end, on paper and electronically. */
#include "desk/requests/kind.h"

int life_move(struct call *c, struct str object, struct str org, const char *state, time_ns at)
{
    struct subject s = { .kind = "object", .id = object, .object_id = object, .org_id = org };

    return timeline_of(c, &s, &(struct line){ .kind = "life", .text = str_c(state), .happened_at = at });
}

int annex1_snapshot(struct call *c, struct str object, json_t **out, char sha256[65])
{
    struct desk_reply r = { 0 };
    int rc = desk_object(c->d, c->v, object, &r);

    if (rc == 0) {
        json_object_del(r.json, "open_cases");
        json_object_del(r.json, "last_event_at");
        AUTO_FREE char *text = json_dumps(r.json, JSON_COMPACT | JSON_SORT_KEYS);
        secret_sha256_hex(str_c(text ? text : ""), sha256);
        *out = json_incref(r.json);
    } else
        err_set(c->e, rc, "%s", r.err.text);
    desk_reply_free(&r);
    return rc;
}

static bool ending(const struct req *q) { return strcmp(q->kind->name, "termination") == 0; }

int open_commissioning(struct call *c, struct req *q, const json_t *body)
{
    const char *key = ending(q) ? "terminated_on" : "commissioned_on";
    struct duty_start start;
    int rc = day_start(c, json_get_str(body, key), key, true, &start);

    if (rc == 0)
        rc = req_begin(c, q, ending(q) ? "D-02" : "D-01", start);
    return rc < 0 ? rc : life_move(c, q->object_id, q->org_id, ending(q) ? "operation_terminated" : "commissioned", start.at);
}

/* both_parts - kept when the letter and the electronic part are both there; at the later of the two. The letter's day counts as it is written. */
static int both_parts(struct call *c, struct req *q)
{
    struct str letter = req_text(q, "letter_date"), sent = req_text(q, "information_sent_at");
    struct duty_start paper;
    time_ns electronic;
    int rc;

    if (letter.n == 0 || sent.n == 0)
        return 0;
    rc = day_start(c, letter, "letter_date", true, &paper);
    if (rc < 0 || (rc = time_parse_rfc3339(sent, &electronic, NULL, NULL)) < 0)
        return rc;
    time_ns at = paper.at > electronic ? paper.at : electronic;
    rc = req_fulfil(c, q, ending(q) ? "D-02" : "D-01", at);
    req_move(q, "complete");
    return rc < 0 ? rc : life_move(c, q->object_id, q->org_id, ending(q) ? "termination_received" : "information_received", at);
}

int act_paper(struct call *c, struct req *q, const json_t *body)
{
    struct duty_start letter, received;
    int rc = day_start(c, json_get_str(body, "letter_date"), "letter_date", true, &letter);

    if (rc == 0)
        rc = day_start(c, json_get_str(body, "letter_received_on"), "letter_received_on", true, &received);
    if (rc == 0 && received.at < letter.at)
        return req_wrong(c, "letter_received_on", "before the letter's date");
    return rc < 0 ? rc : both_parts(c, q);
}

/* electronic - what the registry holds now is what is sent: frozen, with its hash. */
static int electronic(struct call *c, struct req *q, const json_t *body)
{
    json_t *snapshot = NULL;
    char sha256[65];
    int rc;

    if (!json_is_true(json_object_get(body, "confirmed")))
        return req_wrong(c, "confirmed", "the information must be confirmed as complete");
    rc = annex1_snapshot(c, q->object_id, &snapshot, sha256);
    if (rc < 0)
        return rc;
    req_set(q, "information", snapshot);
    req_set(q, "information_sha256", json_string(sha256));
    req_set(q, "information_sent_at", json_time(c->now));
    return req_tell(c, q, false, "information_sent");
}

int act_electronic(struct call *c, struct req *q, const json_t *body)
{
    int rc = electronic(c, q, body);

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
