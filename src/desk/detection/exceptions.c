/* exceptions.c - what people except from a rule (detect/exception.h): a look at what it would have removed, and what of that became an incident; the file; the audit trail.
 *
 * At night an analyst is alone: he may except for a week, which a lead of the centre makes longer in the morning, or not. */
#include "desk/cases/of_findings.h"
#include "desk/detection/detection.h"
#include "desk/internal.h"
#include "base/file.h"
#include "base/log.h"
#include "detect/exception.h"

#include <unistd.h>

#define CASES_SHOWN 50
#define LOOK_NS     (10 * NS_PER_SECOND)   /* a look may keep a worker for so long, as a search does */
#define FOLDER      "rules/exceptions"

static bool may_for(const struct viewer *v, time_ns term)
{
    if (v->role == DESK_ADMINISTRATOR || v->role == DESK_CENTRE_LEAD)
        return term <= EXCEPTION_LONGEST_NS;
    return v->role == DESK_CENTRE_ANALYST && term <= EXCEPTION_ANALYST_NS;
}

static int refused(struct call *c, const char *action)
{
    int rc = refuse(c, -EACCES, "forbidden", NULL, "exceptions are for administrators and the centre's people, of analysts for a week");

    audit_refusal(c, action, "exception");
    return rc;
}

/* take_where - the conditions of a body, borrowed from it. */
static int take_where(struct call *c, const json_t *body, struct exception *x)
{
    const json_t *list = json_object_get(body, "where"), *w;
    size_t i;

    json_array_foreach(list, i, w) {
        if (i == EXCEPTION_WHERE_MAX)
            return refuse(c, -EINVAL, "bad_request", "where", "at most %d conditions", EXCEPTION_WHERE_MAX);
        x->where[x->where_count++] = (struct exception_where){ json_get_str(w, "field"), json_get_str(w, "value") };
    }
    return x->where_count ? 0 : refuse(c, -EINVAL, "bad_request", "where", "at least one condition");
}

static int object_is(struct call *c, struct str id)
{
    int64_t there = 1;
    int rc = id.n ? db_int(c->d, c->e, 0, &there, "SELECT 1 FROM object WHERE id = ?", "t", id) : 0;

    return rc < 0 || there ? rc : refuse(c, -EINVAL, "bad_request", "object_id", "there is no such object");
}

static int take(struct call *c, const json_t *body, struct exception *x, struct desk_reply *r)
{
    static const struct body_field where[] = { { "field", BODY_STRING, true, false, 1, 200, NULL }, { "value", BODY_STRING, true, false, 0, 2000, NULL } };
    static const struct body_field fields[] = {
        { "rule", BODY_STRING, true, false, 1, 300, NULL },     { "where", BODY_ITEMS, true, false, 1, EXCEPTION_WHERE_MAX, NULL, where, COUNT(where) },
        { "reason", BODY_TEXT, true, false, 1, 1000, NULL },    { "expires_at", BODY_DATETIME, true, false, 0, 0, NULL },
        { "object_id", BODY_STRING, false, true, 0, 64, NULL }, { "title", BODY_STRING, false, true, 0, 200, NULL },
    };
    int rc = body_check(body, fields, COUNT(fields), r->field, c->e);

    if (rc < 0)
        return rc;
    *x = (struct exception){ .title = json_get_str(body, "title"), .rule = json_get_str(body, "rule"), .author = str_c(c->v->login), .reason = str_trim(json_get_str(body, "reason")),
                             .object = json_get_str(body, "object_id") };
    if (!x->reason.n)
        return refuse(c, -EINVAL, "bad_request", "reason", "a reason");
    if (time_parse_rfc3339(json_get_str(body, "expires_at"), &x->expires, NULL, NULL) < 0 || x->expires <= c->now)
        return refuse(c, -EINVAL, "bad_request", "expires_at", "a moment to come");
    rc = object_is(c, x->object);
    return rc < 0 ? rc : take_where(c, body, x);
}

/* text_of - the file that it would be. */
static int text_of(struct call *c, const struct desk_rule_paths *where, const struct exception *x, struct buf *text, char id[EXCEPTION_ID_MAX])
{
    struct sigma *set = NULL;
    struct err why = { 0 };
    int rc = sigma_load(where->path, where->count, &set, c->e);

    if (rc == 0)
        rc = exception_text(set, x, text, id, &why);
    sigma_free(&set);
    if (rc == -ENOENT)
        return refuse(c, rc, "not_found", NULL, "%s", why.text);
    if (rc == -EINVAL || rc == -EBADMSG) {
        rc = refuse(c, -EINVAL, "exception_refused", "where", "%s", why.text);
        c->r->problems = json_pack("[{s:s,s:s,s:o}]", "field", "where", "code", "exception_refused", "detail", json_str(str_c(why.text)));
    }
    return rc;
}

/* --- preview --- */

struct looking {
    struct call *c;
    json_t      *cases;
    int64_t      last, count, confirmed, open;
};

static int look(void *arg, const struct event *finding)
{
    struct looking *l = arg;
    sqlite3_stmt *st = db_query(l->c->d, l->c->e,
                                "SELECT k.id, k.number, k.state, " CASE_CONFIRMED_SQL ", k.closed_at IS NULL AND k.merged_into IS NULL"
                                " FROM finding f JOIN cases k ON k.id = f.case_id WHERE f.seq = ?1",
                                "i", (int64_t)finding->seq);
    int rc = st ? db_step(l->c->d, st, l->c->e) : -EIO;
    char id[24];

    if (rc <= 0)
        return rc;
    snprintf(id, sizeof id, "%lld", (long long)sqlite3_column_int64(st, 0));
    if (!json_object_get(l->cases, id)) {
        bool confirmed = sqlite3_column_int64(st, 3) != 0;

        l->count++;
        l->confirmed += confirmed;
        l->open += sqlite3_column_int64(st, 4) != 0;
        /* The confirmed ones are never left out. */
        json_object_set_new(l->cases, id, json_pack("{s:s,s:o,s:o,s:b}", "id", id, "number", db_json(st, 1), "state", db_json(st, 2), "confirmed", confirmed));
    }
    db_done(st);
    return 0;
}

/* cases_json - the confirmed ones first, at most CASES_SHOWN. */
static json_t *cases_json(const json_t *all)
{
    json_t *out = json_array(), *one;
    const char *key;

    for (int confirmed = 1; confirmed >= 0; confirmed--)
        json_object_foreach((json_t *)(uintptr_t)all, key, one)
            if (json_array_size(out) < CASES_SHOWN && json_is_true(json_object_get(one, "confirmed")) == confirmed)
                json_array_append(out, one);
    return out;
}

static int previewed(struct call *c, const struct desk_rule_paths *where, const struct exception *x)
{
    char findings[4096], id[EXCEPTION_ID_MAX];
    const struct exception_places places = { node_path(c->d->setup.node, "findings", findings), c->d->setup.node->content, where->path, where->count, clock_steady() + LOOK_NS };
    struct looking l = { .c = c, .cases = json_object() };
    struct exception_preview p = { 0 };
    AUTO_BUF struct buf text;
    int rc, wide = 0;

    buf_init(&text, MIB);
    rc = text_of(c, where, x, &text, id);
    if (rc == 0)
        rc = wide = exception_wide(x, c->e);
    if (rc >= 0)
        rc = exception_preview(&places, x, look, &l, &p, c->e);
    if (rc == 0)
        c->r->json = json_pack("{s:s,s:o,s:I,s:I,s:I,s:I,s:I,s:o,s:I,s:I,s:I,s:o,s:b,s:b,s:o,s:b}", "id", id, "text", json_str(buf_view(&text)), "findings", (json_int_t)p.findings, "hits",
                               (json_int_t)p.hits, "removed", (json_int_t)p.removed, "removed_hits", (json_int_t)p.removed_hits, "unknown", (json_int_t)p.unknown, "since",
                               json_time_or_null(p.since), "cases", (json_int_t)l.count, "confirmed", (json_int_t)l.confirmed, "open", (json_int_t)l.open, "items",
                               cases_json(l.cases), "may", may_for(c->v, x->expires - c->now), "complete", p.complete, "until", json_time_or_null(p.until), "wide", wide > 0);
    json_decref(l.cases);
    return rc;
}

int desk_exception_preview(struct desk *d, const struct viewer *v, const struct desk_rule_paths *where, const json_t *body, time_ns now, struct desk_reply *r)
{
    struct exception x;
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = desk_detection_seen_by(v) && v->role != DESK_AUDITOR ? take(&c, body, &x, r) : refused(&c, "exception.preview");
    if (rc == 0)
        rc = previewed(&c, where, &x);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

/* --- changes --- */

static int note(struct call *c, const char *action, const char *id, struct str detail, const char *outcome)
{
    char target[120];
    int rc = db_begin(c->d, c->e);

    snprintf(target, sizeof target, "exception/%.64s", id);
    return rc < 0 ? rc : db_end(c->d, audit_add(c, action, target, detail, outcome), c->e);
}

static void note_failed(struct call *c, const char *action, const char *id)
{
    if (note(c, action, id, STR("the file could not be changed"), "failed") < 0)
        log_line(LOG_ERROR, "a change of an exception failed, and the audit trail could not be told", "saqshy.target", id, NULL);
}

static int made(struct call *c, const struct desk_rule_paths *where, const struct exception *x)
{
    char folder[4096], path[4096], id[EXCEPTION_ID_MAX], until[TIME_TEXT_MAX];
    AUTO_BUF struct buf text, detail;
    int rc;

    buf_init(&text, MIB);
    buf_init(&detail, 16 * KIB);
    node_path(c->d->setup.node, FOLDER, folder);
    rc = text_of(c, where, x, &text, id);
    if (rc < 0)
        return rc;
    snprintf(path, sizeof path, "%.4000s/%.64s.yml", folder, id);
    if (access(path, F_OK) == 0)
        return refuse(c, -EEXIST, "conflict", "where", "the same exception is there already");
    buf_printf(&detail, "rule %.*s, until %s, object %.*s: %.*s", STR_ARG(x->rule), time_format_utc(x->expires, until), STR_ARG(x->object.n ? x->object : STR("any")),
               STR_ARG(x->reason));
    rc = note(c, "exception.create", id, buf_view(&detail), "ok");
    if (rc < 0)
        return rc;
    rc = exception_write(folder, id, buf_view(&text), path, c->e);
    if (rc < 0) {
        note_failed(c, "exception.create", id);
        return rc == -EEXIST ? refuse(c, rc, "conflict", "where", "the same exception is there already") : rc;
    }
    c->r->json = json_pack("{s:s,s:o}", "id", id, "text", json_str(buf_view(&text)));
    return 0;
}

int desk_exception_create(struct desk *d, const struct viewer *v, const struct desk_rule_paths *where, const json_t *body, time_ns now, struct desk_reply *r)
{
    struct exception x;
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = may_for(v, 0) ? take(&c, body, &x, r) : refused(&c, "exception.create");
    if (rc == 0 && !may_for(v, x.expires - now)) {
        rc = refuse(&c, -EINVAL, "exception_too_long", "expires_at", "an analyst excepts for a week, others for a year");
        r->problems = NULL;
    }
    if (rc == 0)
        rc = made(&c, where, &x);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

static bool id_valid(struct str id)
{
    for (size_t i = 0; i < id.n; i++)
        if (!((id.p[i] >= 'a' && id.p[i] <= 'z') || (id.p[i] >= '0' && id.p[i] <= '9') || (id.p[i] == '-' && i > 0)))
            return false;
    return id.n > 0 && id.n < EXCEPTION_ID_MAX;
}

static int removed(struct call *c, struct str id)
{
    char tail[EXCEPTION_ID_MAX + 32], name[EXCEPTION_ID_MAX], path[4096];
    int rc;

    snprintf(name, sizeof name, "%.*s", STR_ARG(id));
    snprintf(tail, sizeof tail, FOLDER "/%s.yml", name);
    node_path(c->d->setup.node, tail, path);
    if (!id_valid(id) || access(path, F_OK) < 0)
        return refuse(c, -ENOENT, "not_found", NULL, "there is no such exception");
    rc = note(c, "exception.remove", name, STR(""), "ok");
    if (rc < 0)
        return rc;
    rc = unlink(path) < 0 ? err_sys(c->e, "could not remove \"%s\"", path) : file_sync_dir(node_path(c->d->setup.node, FOLDER, path), c->e);
    if (rc < 0)
        note_failed(c, "exception.remove", name);
    return rc;
}

int desk_exception_remove(struct desk *d, const struct viewer *v, struct str id, time_ns now, struct desk_reply *r)
{
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = may_for(v, 0) ? removed(&c, id) : refused(&c, "exception.remove");
    desk_call_free(&c);
    return refuse_rc(r, rc);
}
