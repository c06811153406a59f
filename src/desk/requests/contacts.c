/* contacts.c - paragraph 16: the responsible person's contact data, by the owner's word or after a check that nobody answered.
 *
 * Only the owner knows when the data changed: without changed_at no clock runs, and sent minus changed shows what was late. */
#include "desk/registry/registry.h"
#include "desk/requests/kind.h"

static int begin_changed(struct call *c, struct req *q)
{
    time_ns at = 0;
    int rc = moment_of(c, q->values, "changed_at", true, &at);

    return rc < 0 ? rc : req_begin(c, q, "D-04", (struct duty_start){ at, false });
}

static int sent(struct call *c, struct req *q)
{
    req_set(q, "contacts_sent_at", json_time(c->now));
    int rc = req_fulfil(c, q, "D-04", c->now);

    return rc < 0 ? rc : req_tell(c, q, false, "contacts_sent");
}

int open_contact_change(struct call *c, struct req *q, const json_t *body)
{
    int rc;

    if (json_get_str(body, "changed_at").n == 0) {
        req_move(q, "suspected");
        return req_tell(c, q, true, "contact_suspected");
    }
    rc = begin_changed(c, q);
    if (rc < 0 || json_get_str(body, "person_name").n == 0)
        return rc;
    req_move(q, "sent");
    return sent(c, q);
}

int act_declare_contact(struct call *c, struct req *q, const json_t *body)
{
    (void)body;
    return begin_changed(c, q);
}

int act_send_contacts(struct call *c, struct req *q, const json_t *body)
{
    (void)body;
    return sent(c, q);
}

/* The register gets the person in the place of the first responsible one; what stood there before stays in its history. */
int act_record_contacts(struct call *c, struct req *q, const json_t *body)
{
    struct str language = req_text(q, "person_language"), phone = req_text(q, "person_phone");
    json_t *person = json_pack("{s:o, s:o, s:o, s:o}", "name", json_str(req_text(q, "person_name")), "email", json_str(req_text(q, "person_email")), "phone",
                               phone.n ? json_str(phone) : json_null(), "language", json_str(language.n ? language : STR("kk")));
    int rc = contact_responsible_set(c, q->object_id, person, q->number);

    (void)body;
    json_decref(person);
    change_add(c->d, "source", q->object_id);
    return rc;
}

/* --- the monthly check --- */

int act_check_failed(struct call *c, struct req *q, const json_t *body)
{
    AUTO_REQ struct req other = { 0 };
    json_t *values = json_pack("{s:o, s:o}", "check", json_str(q->number), "note", json_str(json_get_str(body, "reason")));
    int rc = req_open(c, req_kind_find(STR("contact_change")), q->object_id, values, 0, &other);

    json_decref(values);
    if (rc == 0)
        req_set(q, "raised", json_str(other.number));
    return rc;
}

#define CHECKS_TURN 50

/* checks_make - the tasks of this month, some at a time; a mark says that the month is done, so that ticks ask no more. */
static int checks_make(struct call *c, const char *month, int64_t mark)
{
    char ids[CHECKS_TURN][ID_MAX + 1];
    size_t n = 0;
    json_t *values = json_pack("{s:s}", "month", month);
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT o.id FROM object o WHERE o.active = 1 AND EXISTS (SELECT 1 FROM object_contact p WHERE p.object_id = o.id) AND NOT"
                                " EXISTS (SELECT 1 FROM request r WHERE r.object_id = o.id AND r.kind = 'contact_check' AND"
                                " json_extract(r.values_json, '$.month') = ?) ORDER BY o.id LIMIT 50",
                                "z", month);
    int rc = st ? 0 : -EIO;

    while (st && (rc = db_step(c->d, st, c->e)) > 0 && n < CHECKS_TURN)
        snprintf(ids[n++], sizeof ids[0], "%.*s", STR_ARG(db_str(st, 0)));
    if (rc > 0)
        db_done(st);
    for (size_t i = 0; rc >= 0 && i < n; i++) {
        AUTO_REQ struct req q = { 0 };

        rc = req_open(c, req_kind_find(STR("contact_check")), str_c(ids[i]), values, 0, &q);
    }
    if (rc >= 0 && n < CHECKS_TURN)
        rc = db_exec(c->d, c->e, "INSERT INTO counter(name, value) VALUES ('contact-checks', ?1) ON CONFLICT(name) DO UPDATE SET value = ?1", "i", mark);
    json_decref(values);
    return rc < 0 ? rc : (int)n;
}

int requests_tick(struct call *c)
{
    char date[16], month[8];
    int64_t done = 0, mark;
    int rc;

    local_date(c->d, c->now, date);
    snprintf(month, sizeof month, "%.7s", date);
    mark = (int64_t)(date[0] - '0') * 100000 + (date[1] - '0') * 10000 + (date[2] - '0') * 1000 + (date[3] - '0') * 100 + (date[5] - '0') * 10 + (date[6] - '0');
    rc = db_int(c->d, c->e, 0, &done, "SELECT value FROM counter WHERE name = 'contact-checks'", "");
    if (rc < 0 || done >= mark)
        return rc;
    rc = db_begin(c->d, c->e);
    return rc < 0 ? rc : db_end(c->d, checks_make(c, month, mark), c->e);
}
