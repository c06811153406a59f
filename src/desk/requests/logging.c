/* logging.c - paragraph 12: planned changes of event logging, five business days before, with formats; and whether the logs keep to Annex 4 after it.
 *
 * Unplanned changes are recorded without a timer. Too late a notice is taken, said and kept: the clock shows by how much. */
#include "desk/requests/kind.h"
#include "parse/lint.h"

#define REMARKS_SHOWN 20

int open_logging(struct call *c, struct req *q, const json_t *body)
{
    time_ns at;
    int rc;

    if (json_is_true(json_object_get(body, "planned"))) {
        rc = moment_of(c, body, "change_at", false, &at);
        return rc < 0 ? rc : req_begin(c, q, "D-07", (struct duty_start){ at, false });
    }
    rc = moment_of(c, body, "change_at", true, &at);
    if (rc == 0 && json_get_str(body, "reason").n == 0)
        return req_wrong(c, "values.reason", "an unplanned change needs its reason");
    if (rc < 0)
        return rc;
    req_set(q, "made_at", json_time(at));
    req_move(q, "made");
    return req_tell(c, q, false, "logging_unplanned");
}

int act_logging_notify(struct call *c, struct req *q, const json_t *body)
{
    struct subject s = req_subject(q);
    time_ns due = 0;
    int rc = duties_due(c, &s, "D-07", &due);

    (void)body;
    if (rc == 0 && (!req_true(q, "planned") || req_text(q, "notified_at").n))
        return refuse(c, -EPROTO, "wrong_state", NULL, "no notice is owed for this change");
    if (rc == 0 && due && c->now > due) {
        req_set(q, "notice_late", json_true());
        rc = timeline_of(c, &s, &(struct line){ .kind = "late_notice", .obligation = "D-07", .due_at = due });
    }
    if (rc < 0)
        return rc;
    req_set(q, "notified_at", json_time(c->now));
    if (req_in(q, "planned"))
        req_move(q, "notified");
    rc = req_fulfil(c, q, "D-07", c->now);
    return rc < 0 ? rc : req_tell(c, q, false, "logging_change");
}

/* Another day: the term is counted anew, and a notice that was sent is held against the new one. */
int act_logging_move(struct call *c, struct req *q, const json_t *body)
{
    time_ns at, told = 0;
    int rc = moment_of(c, body, "change_at", false, &at);
    struct subject s = req_subject(q);
    time_ns due = 0;

    if (rc == 0)
        rc = req_begin(c, q, "D-07", (struct duty_start){ at, false });
    if (rc < 0 || !req_in(q, "notified"))
        return rc;
    if (time_parse_rfc3339(req_text(q, "notified_at"), &told, NULL, NULL) < 0)
        return err_set(c->e, -EIO, "a notified change without its moment");
    rc = duties_due(c, &s, "D-07", &due);
    if (rc == 0)
        req_set(q, "notice_late", json_boolean(due && told > due));
    if (rc == 0)
        rc = req_fulfil(c, q, "D-07", told);
    return rc < 0 ? rc : req_tell(c, q, false, "logging_moved");
}

int act_logging_made(struct call *c, struct req *q, const json_t *body)
{
    time_ns at;
    int rc = moment_of(c, body, "made_at", true, &at);

    (void)q;
    return rc;
}

/* --- before and after --- */

struct tally {
    json_t *by_code, *first;
};

static void tally_one(void *arg, const struct lint_remark *r)
{
    struct tally *t = arg;
    json_int_t n = json_integer_value(json_object_get(t->by_code, r->code));

    json_object_set_new(t->by_code, r->code, json_integer(n + 1));
    if (json_array_size(t->first) < REMARKS_SHOWN)
        json_array_append_new(t->first, json_pack("{s:I, s:I, s:s, s:s, s:s}", "line", (json_int_t)r->line, "column", (json_int_t)r->column, "code", r->code,
                                                  "row", r->row ? r->row : "", "message", r->message));
}

static size_t lines_in(struct str text)
{
    size_t n = 0;
    struct str line;

    while (str_split(&text, '\n', &line))
        n += line.n > 0 && !(line.n == 1 && line.p[0] == '\r');
    return n;
}

/* conformity_json - one sample against Annex 4; *remarks is how much it fell short. */
static json_t *conformity_json(struct str text, enum event_class class, size_t *remarks)
{
    struct tally t = { json_object(), json_array() };
    char sha256[65];

    *remarks = lint_text(text, class, tally_one, &t);
    secret_sha256_hex(text, sha256);
    return json_pack("{s:I, s:I, s:o, s:o, s:s}", "lines", (json_int_t)lines_in(text), "remarks", (json_int_t)*remarks, "by_code", t.by_code, "first", t.first,
                     "sha256", sha256);
}

int act_logging_compare(struct call *c, struct req *q, const json_t *body)
{
    struct str before = json_get_str(body, "before"), after = json_get_str(body, "after");
    enum event_class class = event_class_parse(req_text(q, "log_class"));
    size_t was = 0, is = 0;

    if (req_true(q, "planned") && req_text(q, "notified_at").n == 0)
        return refuse(c, -EPROTO, "wrong_state", NULL, "the notice of paragraph 12 is still owed");
    if (class == CLASS_NONE)
        return req_wrong(c, "log_class", "no such class");
    if (lines_in(after) == 0)
        return req_wrong(c, "after", "no line");
    json_t *first = conformity_json(before, class, &was), *second = conformity_json(after, class, &is);
    req_set(q, "comparison", json_pack("{s:o, s:o, s:o, s:s}", "at", json_time(c->now), "before", first, "after", second, "verdict",
                                       is ? "non_conforming" : "conforming"));
    req_move(q, is ? "non_conforming" : "verified");
    return req_tell(c, q, false, is ? "logging_non_conforming" : "logging_verified");
}
