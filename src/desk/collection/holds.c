/* holds.c - legal holds in the portal: files of DATA/holds (keep/hold.h), which retention heeds from the moment they are written. The desk keeps nothing of them but the rows of the audit
 * trail and, where a release waits for a second person, that. */
#include "desk/approvals/approvals.h"
#include "desk/collection/collection.h"
#include "desk/internal.h"
#include "keep/hold.h"

#define DROPPED_SHOWN 500

static int may(struct call *c, const char *action, bool change)
{
    int rc = 0;

    if (c->v->role != DESK_ADMINISTRATOR && !role_of_centre(c->v->role) && (change || c->v->role != DESK_AUDITOR)) {
        rc = refuse(c, -EACCES, "forbidden", NULL, "legal holds are for the centre and administrators");
        audit_refusal(c, action, "hold");
    }
    return rc;
}

static const char *folder_of(struct call *c, char path[4096]) { return node_path(c->d->setup.node, HOLD_FOLDER, path); }

/* --- the list --- */

static int shown(struct call *c, const struct hold *h, json_t *items)
{
    json_t *o = hold_json(h, c->now), *waiting = NULL;
    int rc = approvals_json(c, "hold", str_c(h->id), &waiting);

    json_object_set_new(o, "waiting", waiting);
    json_array_append_new(items, o);
    return rc;
}

static int list(struct call *c)
{
    json_t *items = json_array();
    struct holds all;
    char path[4096];
    int rc = holds_read(folder_of(c, path), &all, c->e);

    for (size_t i = all.count; rc == 0 && i-- > 0;)
        rc = shown(c, &all.item[i], items);
    c->r->json = json_pack("{s:o,s:I,s:s,s:n}", "items", items, "unreadable", (json_int_t)all.unreadable, "error", all.fault, "next");
    holds_free(&all);
    return rc;
}

int desk_holds(struct desk *d, const struct viewer *v, time_ns now, struct desk_reply *r)
{
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = may(&c, "hold.read", false);
    if (rc == 0)
        rc = list(&c);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

/* --- setting --- */

static const struct body_field set_fields[] = {
    { "object_id", BODY_STRING, false, true, 0, ID_MAX, NULL },     { "case_number", BODY_STRING, false, true, 0, 64, NULL },
    { "query", BODY_TEXT, false, true, 0, 4000, NULL },             { "from", BODY_DATETIME, false, true, 0, 0, NULL },
    { "to", BODY_DATETIME, false, true, 0, 0, NULL },               { "until", BODY_DATETIME, false, true, 0, 0, NULL },
    { "reason", BODY_TEXT, true, false, 1, 1000, NULL },
};

static void take_moment(const json_t *body, const char *key, time_ns none, time_ns *out)
{
    struct str s = json_get_str(body, key);

    *out = none;
    if (s.n && time_parse_rfc3339(s, out, NULL, NULL) < 0)
        *out = none;    /* body_check has judged it */
}

/* copy_text - false where it does not fit; bytes that fit are all it may have. */
static bool copy_text(char *out, size_t room, struct str s)
{
    if (s.n >= room)
        return false;
    memcpy(out, s.n ? s.p : "", s.n);
    out[s.n] = 0;
    return true;
}

static int of_case(struct call *c, struct hold *h)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT object_id, detected_at FROM cases WHERE number = ?", "t", str_c(h->subject));
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    if (rc == 0)
        return refuse(c, -EINVAL, "bad_request", "case_number", "there is no such case");
    if (rc < 0)
        return rc;
    rc = db_str(st, 0).n ? hold_of_case(h, db_str(st, 0), sqlite3_column_int64(st, 1), c->e) : refuse(c, -EINVAL, "bad_request", "query", "the case is of no object: say by a search what is held");
    db_done(st);
    return rc;
}

static int of_object(struct call *c, struct hold *h)
{
    int64_t there = 0;
    int rc = db_int(c->d, c->e, 0, &there, "SELECT 1 FROM object WHERE id = ?", "t", str_c(h->subject));

    if (rc == 0 && !there)
        return refuse(c, -EINVAL, "bad_request", "object_id", "there is no such object");
    return rc < 0 ? rc : hold_of_object(h, str_c(h->subject), c->e);
}

/* read_body - what is held, why, and for how long. */
static int read_body(struct call *c, const json_t *body, struct hold *h)
{
    struct str object = json_get_str(body, "object_id"), number = json_get_str(body, "case_number"), query = json_get_str(body, "query");

    *h = (struct hold){ .kind = object.n ? HOLD_OBJECT : number.n ? HOLD_CASE : HOLD_QUERY, .set_at = c->now };
    if ((object.n > 0) + (number.n > 0) + (query.n > 0) != 1)
        return refuse(c, -EINVAL, "bad_request", "query", "one of object_id, case_number and query says what is held");
    take_moment(body, "from", INT64_MIN, &h->from);
    take_moment(body, "to", INT64_MAX, &h->to);
    take_moment(body, "until", 0, &h->until);
    if (!copy_text(h->subject, sizeof h->subject, object.n ? object : number) || !copy_text(h->filter, sizeof h->filter, query) ||
        !copy_text(h->reason, sizeof h->reason, json_get_str(body, "reason")))
        return refuse(c, -EINVAL, "bad_request", "reason", "a text is too long");
    snprintf(h->set_by, sizeof h->set_by, "%.200s", c->v->login);
    return h->kind == HOLD_OBJECT ? of_object(c, h) : h->kind == HOLD_CASE ? of_case(c, h) : 0;
}

/* set - the file first: a hold that is in force and told late (keeping.c) harms nobody, one that is told and not in force does. */
static int set(struct call *c, const json_t *body)
{
    struct hold h;
    char path[4096];
    int rc = read_body(c, body, &h);

    if (rc == 0)
        rc = hold_set(folder_of(c, path), &h, c->e);
    if (rc == -EINVAL && !c->r->code)
        return refuse(c, rc, "bad_request", h.kind == HOLD_QUERY ? "query" : "reason", "%.300s", c->e->text);
    if (rc == -EEXIST)
        return refuse(c, rc, "conflict", NULL, "this hold is there already");
    if (rc == 0)
        rc = keeping_tell_hold(c, &h);
    if (rc == 0)
        c->r->json = hold_json(&h, c->now);
    if (rc == 0)
        json_object_set_new(c->r->json, "waiting", json_array());
    return rc;
}

int desk_hold_set(struct desk *d, const struct viewer *v, const json_t *body, time_ns now, struct desk_reply *r)
{
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = may(&c, "hold.set", true);
    if (rc == 0)
        rc = body_check(body, set_fields, COUNT(set_fields), r->field, c.e);
    if (rc == 0)
        rc = db_begin(d, c.e);
    if (rc == 0)
        rc = db_end(d, set(&c, body), c.e);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

/* --- releasing --- */

static int find(struct call *c, struct str id, struct hold *out)
{
    struct holds all;
    char path[4096];
    int rc = holds_read(folder_of(c, path), &all, c->e);

    if (rc < 0)
        return rc;
    rc = -ENOENT;
    for (size_t i = 0; rc < 0 && i < all.count; i++)
        if (str_eq(id, str_c(all.item[i].id))) {
            *out = all.item[i];
            rc = 0;
        }
    holds_free(&all);
    if (rc < 0)
        return refuse(c, rc, "not_found", NULL, "there is no such hold");
    return hold_active(out, c->now) ? 0 : refuse(c, -EPROTO, "wrong_state", NULL, "this hold is not in force any more");
}

/* release - the row of the trail first, the file last: what cannot be told is not released. */
static int release(struct call *c, struct str id, struct str reason)
{
    struct hold h;
    char path[4096];
    int rc = find(c, id, &h);

    if (rc < 0)
        return rc;
    h.released_at = c->now;
    snprintf(h.released_by, sizeof h.released_by, "%.200s", c->v->login);
    if (!copy_text(h.release_reason, sizeof h.release_reason, reason))
        return refuse(c, -EINVAL, "bad_request", "reason", "a text is too long");
    rc = keeping_tell_hold(c, &h);
    return rc < 0 ? rc : hold_release(folder_of(c, path), id, str_c(h.released_by), reason, c->now, NULL, c->e);
}

int hold_release_approved(struct call *c, struct str id, const json_t *args) { return release(c, id, json_get_str(args, "reason")); }

static int ask_release(struct call *c, struct str id, const json_t *body)
{
    struct subject s = { .kind = "hold", .id = id };
    struct hold h;
    int rc = find(c, id, &h);

    if (rc == 0)
        rc = approval_gate(c, "hold.release", &s, body, json_get_str(body, "reason"));
    if (rc == 0)
        rc = release(c, id, json_get_str(body, "reason"));
    return rc < 0 ? rc : 0;
}

int desk_hold_release(struct desk *d, const struct viewer *v, struct str id, const json_t *body, time_ns now, struct desk_reply *r)
{
    static const struct body_field fields[] = { { "reason", BODY_TEXT, true, false, 1, 1000, NULL } };
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = may(&c, "hold.release", true);
    if (rc == 0)
        rc = body_check(body, fields, COUNT(fields), r->field, c.e);
    if (rc == 0)
        rc = db_begin(d, c.e);
    if (rc == 0)
        rc = db_end(d, ask_release(&c, id, body), c.e);
    if (rc == 0)
        rc = list(&c);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

/* --- what was removed --- */

struct last {
    struct store_dropped row[DROPPED_SHOWN];
    uint64_t             count;
};

static int take_row(void *arg, const struct store_dropped *d)
{
    struct last *l = arg;

    l->row[l->count++ % DROPPED_SHOWN] = *d;
    return 0;
}

static json_t *day_json(int32_t day)
{
    struct civil c = civil_from_days(day);

    return json_sprintf("%04d-%02d-%02d", c.year, c.month, c.day);
}

static json_t *dropped_json(const struct store_dropped *d)
{
    return json_pack("{s:o,s:s,s:o,s:o,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "at", json_time(d->at), "rule", store_rule_name(d->rule), "first_day", day_json(d->day), "last_day",
                     day_json(d->last_day), "term_days", (json_int_t)d->term, "parts", (json_int_t)d->parts, "events", (json_int_t)d->events, "bytes", (json_int_t)d->bytes, "kept",
                     (json_int_t)d->kept, "held", (json_int_t)d->held, "holds", (json_int_t)d->holds, "first_link", (json_int_t)d->first_link, "last_link", (json_int_t)d->last_link);
}

static int dropped(struct call *c)
{
    AUTO_FREE struct last *l = calloc(1, sizeof *l);
    json_t *items = json_array();
    uint64_t damaged = 0;
    char path[4096];
    int rc = l ? store_dropped_each(node_path(c->d->setup.node, "store", path), take_row, l, &damaged, c->e) : err_set(c->e, -ENOMEM, "no memory for the log of removals");

    for (uint64_t i = 0; rc == 0 && i < l->count && i < DROPPED_SHOWN; i++)
        json_array_append_new(items, dropped_json(&l->row[(l->count - 1 - i) % DROPPED_SHOWN]));
    c->r->json = json_pack("{s:o,s:I,s:n}", "items", items, "damaged", (json_int_t)damaged, "next");
    return rc;
}

int desk_dropped(struct desk *d, const struct viewer *v, struct desk_reply *r)
{
    struct call c;
    int rc;

    desk_call_init(&c, d, v, 0, r);
    rc = may(&c, "hold.read", false);
    if (rc == 0)
        rc = dropped(&c);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}
