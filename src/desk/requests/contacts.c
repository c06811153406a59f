/* contacts.c - paragraph 16: the responsible person's contact data, by the owner's word or after a check that nobody answered.
 *
 * Only the owner knows when the data changed: without changed_at no clock runs, and sent minus changed shows what was late. */
#include "desk/registry/registry.h"
#include "desk/requests/kind.h"
#include "desk/registry/registry.h"

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

int act_record_contacts(struct call *c, struct req *q, const json_t *body)
{
    (void)body;
    return registry_contact(c, q);
}

/* --- the monthly check --- */

/* Somebody of the centre may check between the months too; a contact of another object is none of this one's. */
int open_contact_check(struct call *c, struct req *q, const json_t *body)
{
    int64_t n = 0;
    int rc = db_int(c->d, c->e, 0, &n, "SELECT count(*) FROM contact WHERE id = ? AND object_id = ?", "tt", json_get_str(body, "contact_id"), q->object_id);

    return rc < 0 ? rc : n ? 0 : req_wrong(c, "values.contact_id", "no such contact of the object");
}

/* raise - the owner is asked whether the data changed; only they know when. */
static int raise(struct call *c, struct str object, struct str contact, struct str check, struct str why, struct str *number, char id_text[24])
{
    AUTO_REQ struct req other = { 0 };
    json_t *values = json_pack("{s:o, s:o, s:o}", "check", json_str(check), "contact_id", json_str(contact), "note", json_str(why));
    int rc = req_open(c, req_kind_find(STR("contact_change")), object, values, 0, &other);

    json_decref(values);
    *number = other.number;
    snprintf(id_text, 24, "%s", other.id_text);
    return rc;
}

static int check_write(struct call *c, const struct req *q, bool ok, struct str note, struct str raised)
{
    int rc = db_exec(c->d, c->e, "INSERT INTO contact_check(contact_id, at, author_id, ok, note, request_id) VALUES (?,?,?,?,?,?)", "tiiitt",
                     req_text(q, "contact_id"), c->now, c->v->user_id, (int64_t)ok, note.p ? note : STR(""), raised);

    return rc < 0 ? rc : 0;
}

int act_check_ok(struct call *c, struct req *q, const json_t *body) { return check_write(c, q, true, json_get_str(body, "note"), (struct str){ NULL, 0 }); }

int act_check_failed(struct call *c, struct req *q, const json_t *body)
{
    struct str why = json_get_str(body, "reason"), number;
    char id[24];
    int rc = raise(c, q->object_id, req_text(q, "contact_id"), q->number, why, &number, id);

    if (rc < 0)
        return rc;
    req_set(q, "raised", json_str(number));
    return check_write(c, q, false, why, str_c(id));
}

#define CHECKS_TURN 50

struct due_check {
    char object[ID_MAX + 1], contact[ID_MAX + 1];
};

/* checks_make - the tasks of this month, some at a time; a mark says that the month is done, so that ticks ask no more. */
static int checks_make(struct call *c, const char *month, time_ns since, int64_t mark)
{
    struct due_check due[CHECKS_TURN];
    size_t n = 0;
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT k.object_id, k.id FROM contact k JOIN object o ON o.id = k.object_id WHERE o.active = 1 AND NOT EXISTS (SELECT 1 FROM"
                                " contact_check x WHERE x.contact_id = k.id AND x.at >= ?2) AND NOT EXISTS (SELECT 1 FROM request r WHERE r.object_id ="
                                " k.object_id AND r.kind = 'contact_check' AND json_extract(r.values_json, '$.month') = ?1 AND"
                                " json_extract(r.values_json, '$.contact_id') = k.id) ORDER BY k.id LIMIT 50",
                                "zi", month, since);
    int rc = st ? 0 : -EIO;

    while (st && (rc = db_step(c->d, st, c->e)) > 0 && n < CHECKS_TURN) {
        snprintf(due[n].object, sizeof due[n].object, "%.*s", STR_ARG(db_str(st, 0)));
        snprintf(due[n].contact, sizeof due[n].contact, "%.*s", STR_ARG(db_str(st, 1)));
        n++;
    }
    if (rc > 0)
        db_done(st);
    for (size_t i = 0; rc >= 0 && i < n; i++) {
        AUTO_REQ struct req q = { 0 };
        json_t *values = json_pack("{s:s, s:s}", "month", month, "contact_id", due[i].contact);

        rc = req_open(c, req_kind_find(STR("contact_check")), str_c(due[i].object), values, 0, &q);
        json_decref(values);
    }
    if (rc >= 0 && n < CHECKS_TURN)
        rc = db_exec(c->d, c->e, "INSERT INTO counter(name, value) VALUES ('contact-checks', ?1) ON CONFLICT(name) DO UPDATE SET value = ?1", "i", mark);
    return rc < 0 ? rc : (int)n;
}

/* raise_next - a check that failed in the registry's own page and for which nobody was asked yet. */
static int raise_next(struct call *c)
{
    struct str contact = { NULL, 0 }, object = { NULL, 0 }, number;
    char id[24] = "none", check[40];
    int64_t found = 0;
    int rc = contact_check_failed_next(c, &found, &contact, &object);

    if (rc < 0 || found == 0)
        return rc;
    snprintf(check, sizeof check, "%lld", (long long)found);
    if (object.n)
        rc = raise(c, object, contact, str_c(check), STR(""), &number, id);
    if (rc == 0)
        rc = contact_check_raised(c, found, str_c(id));
    return rc < 0 ? rc : 1;
}

#define SEEN "contact-checks-seen"   /* the last check of the registry's page that was held against our tasks */

/* done_one - a task whose contact was checked in the registry's own page is done. 1; 0: there is none. */
static int done_one(struct call *c, int64_t seen)
{
    AUTO_REQ struct req q = { 0 };
    char target[40];
    int64_t id = 0, ok = 0;
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT r.id, x.ok FROM contact_check x JOIN contact k ON k.id = x.contact_id JOIN request r ON r.object_id = k.object_id AND"
                                " r.kind = 'contact_check' AND r.state = 'due' AND json_extract(r.values_json, '$.contact_id') = k.id AND x.at >= r.opened_at"
                                " WHERE x.id > ? ORDER BY x.id LIMIT 1",
                                "i", seen);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    if (rc <= 0)
        return rc;
    id = sqlite3_column_int64(st, 0);
    ok = sqlite3_column_int64(st, 1);
    db_done(st);
    rc = req_load(c, id, &q);
    if (rc < 0)
        return rc;
    req_move(&q, ok ? "ok" : "failed");
    rc = req_line(c, &q, ok ? "record_ok" : "record_failed", STR(""), 0);
    if (rc == 0)
        rc = req_save(c, &q);
    snprintf(target, sizeof target, "request/%lld", (long long)id);
    if (rc == 0)
        rc = audit_add(c, ok ? "request.record_ok" : "request.record_failed", target, q.number, "ok");
    return rc < 0 ? rc : 1;
}

static int done_some(struct call *c)
{
    int64_t seen = 0, last = 0;
    int n = 0, rc = db_int(c->d, c->e, 0, &seen, "SELECT value FROM counter WHERE name = '" SEEN "'", "");

    if (rc == 0)
        rc = db_int(c->d, c->e, 0, &last, "SELECT max(id) FROM contact_check", "");
    if (rc == 0)
        rc = 1;
    while (rc > 0 && n < CHECKS_TURN)
        n += (rc = done_one(c, seen)) > 0;
    if (rc == 0)
        rc = db_exec(c->d, c->e, "INSERT INTO counter(name, value) VALUES ('" SEEN "', ?1) ON CONFLICT(name) DO UPDATE SET value = ?1", "i", last);
    return rc < 0 ? rc : 0;
}

/* month_start - "2026-03" and the first moment of it in the zone of the node. */
static int month_start(struct call *c, char month[8], time_ns *since, int64_t *mark)
{
    struct duty_start start;
    char date[16];

    local_date(c->d, c->now, date);
    snprintf(month, 8, "%.7s", date);
    snprintf(date + 7, sizeof date - 7, "-01");
    *mark = (int64_t)(date[0] - '0') * 100000 + (date[1] - '0') * 10000 + (date[2] - '0') * 1000 + (date[3] - '0') * 100 + (date[5] - '0') * 10 +
            (date[6] - '0');
    if (duty_start_parse(str_c(date), c->d->setup.world->zone, &start, NULL) < 0)
        return err_set(c->e, -EIO, "no first day of a month");
    *since = start.at;
    return 0;
}

static int in_transaction(struct call *c, int (*one)(struct call *c))
{
    int rc = db_begin(c->d, c->e);

    return rc < 0 ? rc : db_end(c->d, one(c), c->e);
}

int requests_tick(struct call *c)
{
    char month[8];
    int64_t done = 0, mark, failed = 0, waiting = 0;
    time_ns since = 0;
    int rc = month_start(c, month, &since, &mark), made = 0;

    if (rc == 0)
        rc = db_int(c->d, c->e, 0, &done, "SELECT value FROM counter WHERE name = 'contact-checks'", "");
    /* A month that is still to come was marked by a clock that ran ahead: the months until then are not skipped. */
    if (rc == 0 && done > mark)
        rc = db_exec(c->d, c->e, "UPDATE counter SET value = ?1 WHERE name = 'contact-checks'", "i", mark) < 0 ? -EIO : 0;
    if (rc == 0 && done < mark) {
        rc = db_begin(c->d, c->e);
        made = rc < 0 ? rc : db_end(c->d, checks_make(c, month, since, mark), c->e);
    }
    /* Asked without a transaction first: most ticks have nothing to do. */
    if (rc == 0 && made >= 0)
        rc = db_int(c->d, c->e, 0, &failed, "SELECT EXISTS (SELECT 1 FROM contact_check WHERE ok = 0 AND request_id IS NULL)", "");
    if (rc == 0 && made >= 0 && failed)
        rc = in_transaction(c, raise_next);
    if (rc >= 0 && made >= 0)
        rc = db_int(c->d, c->e, 0, &waiting,
                    "SELECT coalesce(max(id), 0) > coalesce((SELECT value FROM counter WHERE name = '" SEEN "'), 0) FROM contact_check", "");
    if (rc >= 0 && made >= 0 && waiting)
        rc = in_transaction(c, done_some);
    return made < 0 ? made : rc < 0 ? rc : made;
}
