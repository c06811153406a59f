/* changes.c - the changes of an object: differences that wait for somebody, and what was decided of them. */
#include "desk/tables/internal.h"
#include "desk/notices/notices.h"

static const char *const decision_values[] = { "accept", "question", NULL };

static int change_insert(struct call *c, const struct difference *f, const char *state, int64_t version)
{
    AUTO_FREE char *before = f->before ? json_dumps(f->before, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    AUTO_FREE char *after = f->after ? json_dumps(f->after, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    bool decided = version && c->v && c->v->user_id;
    int rc = db_exec(c->d, c->e,
                     "INSERT INTO object_change(object_id, kind, key, what, before, after, found_by, state, found_at, decided_at, decided_by,"
                     " passport_version) VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12)",
                     "ttzzzztzimmm", f->object_id, json_get_str(f->after ? f->after : f->before, "kind"), f->key.p, f->what, before, after, f->found_by,
                     state, c->now, version ? c->now : (time_ns)0, decided ? (time_ns)c->v->user_id : (time_ns)0, (time_ns)version);

    change_add(c->d, "source", f->object_id);
    return rc < 0 ? rc : 1;
}

int change_recorded(struct call *c, const struct difference *f, int64_t version)
{
    int rc = change_withdraw(c, f->object_id, f->key);

    return rc < 0 ? rc : change_insert(c, f, "recorded", version) < 0 ? -EIO : 0;
}

int change_found(struct call *c, const struct difference *f)
{
    AUTO_FREE char *after = f->after ? json_dumps(f->after, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    int64_t waits = 0;
    int rc = db_int(c->d, c->e, 0, &waits,
                    "SELECT count(*) FROM object_change WHERE object_id = ?1 AND key = ?2 AND state IN ('open','questioned') AND what = ?3"
                    " AND coalesce(after, '') = coalesce(?4, '')",
                    "ttzz", f->object_id, f->key, f->what, after);

    if (rc < 0 || waits)
        return rc < 0 ? rc : 0;
    /* What waited looked otherwise: it has moved on, and so does its row. */
    rc = change_withdraw(c, f->object_id, f->key);
    return rc < 0 ? rc : change_insert(c, f, "open", 0);
}

int change_withdraw(struct call *c, struct str object_id, struct str key)
{
    int rc = db_exec(c->d, c->e,
                     "UPDATE object_change SET state = 'withdrawn', decided_at = ?3 WHERE object_id = ?1 AND key = ?2 AND state IN ('open','questioned')",
                     "tti", object_id, key, c->now);

    return rc < 0 ? rc : 0;
}

/* --- reading --- */

static json_t *json_column(sqlite3_stmt *st, int column)
{
    struct str text = db_str(st, column);
    json_t *j = text.n ? json_loadb(text.p, text.n, 0, NULL) : NULL;

    return j ? j : json_null();
}

static json_t *change_json(sqlite3_stmt *st)
{
    json_t *by = sqlite3_column_type(st, 11) == SQLITE_NULL ? json_null() : json_pack("{s:o, s:o}", "id", db_json_id(st, 11), "name", db_json(st, 12));
    json_t *version = sqlite3_column_type(st, 13) == SQLITE_NULL ? json_null() : json_integer(sqlite3_column_int64(st, 13));

    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "id", db_json_id(st, 0), "object",
                     json_ref(db_str(st, 1), db_str(st, 2)), "kind", db_json(st, 3), "what", db_json(st, 4), "before", json_column(st, 5), "after",
                     json_column(st, 6), "found_by", db_json(st, 7), "state", db_json(st, 8), "found_at", db_json_time(st, 9), "decided_at",
                     db_json_time(st, 10), "decided_by", by, "passport_version", version, "note", db_json(st, 14));
}

static int changes_page(struct call *c, const struct desk_changes_query *q)
{
    struct scope s = scope_of(c->v);
    int limit = page_limit(q->limit);
    int64_t last = q->before.n ? parse_id(q->before) : INT64_MAX;
    json_t *items = json_array();
    bool more = false;
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT h.id, h.object_id, o.name, h.kind, h.what, h.before, h.after, h.found_by, h.state, h.found_at, h.decided_at,"
                                " h.decided_by, u.name, h.passport_version, h.note FROM object_change h JOIN object o ON o.id = h.object_id"
                                " LEFT JOIN user u ON u.id = h.decided_by WHERE " SCOPE_OBJECT " AND (?3 = '' OR h.object_id = ?3)"
                                " AND (?4 = '' OR h.state = ?4) AND h.id < ?5 ORDER BY h.id DESC LIMIT ?6",
                                "izttii", s.bounded, s.org, q->object.p ? q->object : STR(""), q->state.p ? q->state : STR(""), last,
                                (int64_t)limit + 1);
    int rc = st ? 0 : -EIO;

    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        if (json_array_size(items) == (size_t)limit) {
            more = true;
            db_done(st);
            break;
        }
        last = sqlite3_column_int64(st, 0);
        json_array_append_new(items, change_json(st));
    }
    c->r->json = json_pack("{s:o, s:o}", "items", items, "next", more ? json_id(last) : json_null());
    return rc < 0 ? rc : 0;
}

int desk_changes(struct desk *d, const struct viewer *v, const struct desk_changes_query *q, struct desk_reply *r)
{
    struct call c;
    int rc;

    desk_call_init(&c, d, v, 0, r);
    rc = changes_page(&c, q);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

/* --- deciding --- */

struct pending {
    int64_t    id;
    struct str object_id, org_id, key, what, after;
};

static int pending_load(struct call *c, int64_t id, struct pending *out)
{
    struct scope s = scope_of(c->v);
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT h.id, h.object_id, o.org_id, h.key, h.what, h.after, h.state FROM object_change h JOIN object o ON"
                                " o.id = h.object_id WHERE h.id = ?3 AND " SCOPE_OBJECT,
                                "izi", s.bounded, s.org, id);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;
    bool waits;

    if (rc <= 0)
        return rc < 0 ? rc : refuse(c, -ENOENT, "not_found", "ids", "no such change");
    *out = (struct pending){ id, db_copy(st, 1, &c->a), db_copy(st, 2, &c->a), db_copy(st, 3, &c->a), db_copy(st, 4, &c->a), db_copy(st, 5, &c->a) };
    waits = str_eq(db_str(st, 6), STR("open")) || str_eq(db_str(st, 6), STR("questioned"));
    db_done(st);
    return waits ? 0 : refuse(c, -EPROTO, "wrong_state", "ids", "change %lld has been decided already", (long long)id);
}

static int decided(struct call *c, int64_t id, const char *state, int64_t version, struct str note)
{
    int rc = db_exec(c->d, c->e,
                     "UPDATE object_change SET state = ?2, decided_at = ?3, decided_by = ?4, passport_version = ?5, note = ?6 WHERE id = ?1", "izimmt",
                     id, state, c->now, (time_ns)c->v->user_id, (time_ns)version, note);

    return rc < 0 ? rc : 0;
}

/* merged - a written item with the fields that were seen put in. */
static json_t *merged(const json_t *written, const json_t *seen)
{
    json_t *out = written ? json_copy((json_t *)(uintptr_t)written) : json_object(), *value;
    const char *field;

    json_object_foreach((json_t *)(uintptr_t)seen, field, value)
        if (!json_is_null(value) && !(written && strcmp(field, "name") == 0))
            json_object_set(out, field, value);
    return out;
}

/* accept_object - all accepted changes of one object make one new version. */
static int accept_object(struct call *c, const struct pending *all, size_t count, struct str object, struct str note)
{
    json_t *by_key = NULL, *items = json_array(), *item;
    int64_t passport = 0, version = 0;
    const char *key;
    int rc = passport_newest(c, object, &passport, &version);

    if (rc == 0)
        rc = items_load(c, passport, &by_key);
    /* Their rows first: writing the version would withdraw what still waits. */
    for (size_t i = 0; rc == 0 && i < count; i++)
        if (str_eq(all[i].object_id, object)) {
            json_t *after = all[i].after.n ? json_loadb(all[i].after.p, all[i].after.n, 0, NULL) : NULL;

            if (after)
                json_object_setn_new(by_key, all[i].key.p, all[i].key.n, merged(json_object_getn(by_key, all[i].key.p, all[i].key.n), after));
            else
                json_object_deln(by_key, all[i].key.p, all[i].key.n);
            json_decref(after);
            rc = decided(c, all[i].id, "accepted", version + 1, note);
        }
    json_object_foreach(by_key, key, item)
        json_array_append(items, item);
    if (rc == 0) {
        struct passport_new p = { .object_id = object, .source = STR("observation"), .note = note, .items = items };

        rc = passport_write(c, &p, &version);
    }
    json_decref(by_key);
    json_decref(items);
    return rc;
}

static int question_one(struct call *c, const struct pending *p, struct str note)
{
    struct subject about = { .kind = "object", .id = p->object_id, .object_id = p->object_id, .org_id = p->org_id };
    json_t *args = json_pack("{s:o}", "what", json_str(p->key));
    struct notice_new n = { .kind = "change_question", .paragraph = "7", .about = &about, .orgs = &p->org_id, .org_count = 1, .text = note };
    int64_t id = 0;
    int rc = decided(c, p->id, "questioned", 0, note);

    n.title = arena_printf(&c->a, "%.*s / %.*s", STR_ARG(text_fill(&c->a, catalog_text(c->d->setup.catalog, LANG_KK, "notice.change_question.title"), args)),
                           STR_ARG(text_fill(&c->a, catalog_text(c->d->setup.catalog, LANG_RU, "notice.change_question.title"), args)));
    json_decref(args);
    return rc < 0 ? rc : notice_issue(c, &n, &id);
}

static int decide(struct call *c, const json_t *body)
{
    const json_t *ids = json_object_get(body, "ids");
    size_t count = json_array_size(ids);
    struct pending *all = arena_array(&c->a, count ? count : 1, sizeof *all);
    struct str note = json_get_str(body, "note");
    bool accept = str_eq(json_get_str(body, "decision"), STR("accept"));
    int rc = all ? 0 : -ENOMEM;

    if (rc == 0 && (count == 0 || count > CHANGES_DECIDED_MAX))
        rc = refuse(c, -EINVAL, "bad_request", "ids", "from 1 to %d changes at once", CHANGES_DECIDED_MAX);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        const json_t *id = json_array_get(ids, i);

        rc = pending_load(c, json_is_string(id) ? parse_id(str_c(json_string_value(id))) : 0, &all[i]);
        for (size_t k = 0; rc == 0 && k < i; k++)
            if (all[k].id == all[i].id)
                rc = refuse(c, -EINVAL, "bad_request", "ids", "change %lld is named twice", (long long)all[i].id);
    }
    for (size_t i = 0; rc == 0 && i < count; i++) {
        bool first = true;

        for (size_t k = 0; k < i; k++)
            first = first && !str_eq(all[k].object_id, all[i].object_id);
        if (!accept)
            rc = question_one(c, &all[i], note);
        else if (first)
            rc = accept_object(c, all, count, all[i].object_id, note);
    }
    if (rc == 0)
        rc = audit_add(c, accept ? "changes.accept" : "changes.question", "changes", arena_printf(&c->a, "%zu changes", count), "ok");
    if (rc == 0)
        c->r->json = json_pack("{s:I}", "decided", (json_int_t)count);
    return rc;
}

int desk_changes_decide(struct desk *d, const struct viewer *v, const json_t *body, time_ns now, struct desk_reply *r)
{
    static const struct body_field fields[] = {
        { "decision", BODY_ENUM, true, false, 0, 0, decision_values },
        { "note", BODY_TEXT, false, true, 0, DESK_TEXT_MAX, NULL },
    };
    json_t *rest = json_is_object(body) ? json_copy((json_t *)(uintptr_t)body) : NULL;
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    if (rest)
        json_object_del(rest, "ids");
    rc = body_check(rest, fields, COUNT(fields), r->field, c.e);
    json_decref(rest);
    if (rc == 0)
        rc = db_begin(d, c.e);
    if (rc == 0)
        rc = db_end(d, decide(&c, body), c.e);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}
