/* history.c - who changed what, when and why; what changed at objects in a quarter (paragraph 17). */
#include "desk/registry/room.h"

static json_t *loaded(sqlite3_stmt *st, int column)
{
    struct str s = db_str(st, column);
    json_t *v = s.p ? json_loadb(s.p, s.n, JSON_DECODE_ANY, NULL) : NULL;

    return v ? v : json_null();
}

static int changes_of(struct call *c, int64_t seq, json_t **out)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT field, was, became FROM record_change WHERE seq = ? ORDER BY field", "i", seq);
    int rc = st ? 0 : -EIO;

    *out = json_array();
    while (st && (rc = db_step(c->d, st, c->e)) > 0)
        json_array_append_new(*out, json_pack("{s:o, s:o, s:o}", "field", db_json(st, 0), "from", loaded(st, 1), "to", loaded(st, 2)));
    return rc;
}

#define VERSION_COLUMNS "v.seq, v.kind, v.id, v.version, v.at, v.author, v.origin, v.reason, v.json IS NULL"

/* version_row - one version with its differences. */
static int version_row(struct call *c, sqlite3_stmt *st, json_t **out)
{
    json_t *changes;
    int rc;

    *out = json_pack("{s:o, s:o, s:o, s:I, s:o, s:o, s:o, s:o, s:b}", "seq", db_json_id(st, 0), "kind", db_json(st, 1), "id", db_json(st, 2), "version",
                     (json_int_t)sqlite3_column_int64(st, 3), "at", db_json_time(st, 4), "author", db_json(st, 5), "origin", db_json(st, 6), "reason",
                     db_json(st, 7), "removed", sqlite3_column_int(st, 8));
    rc = changes_of(c, sqlite3_column_int64(st, 0), &changes);
    json_object_set_new(*out, "changes", changes);
    return rc;
}

static int history_page(struct call *c, struct str root, struct str kind, struct str id, int limit, struct str before)
{
    json_t *items = json_array(), *next = NULL, *one = NULL;
    int rc, n = 0;
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT " VERSION_COLUMNS " FROM record_version v WHERE v.root = ?1 AND v.seq < ?2 AND (?3 IS NULL OR (v.kind = ?3 AND"
                                " v.id = ?4)) ORDER BY v.seq DESC LIMIT ?5",
                                "titti", root, before.n ? parse_id(before) : INT64_MAX, kind, id, (int64_t)page_limit(limit) + 1);

    rc = st ? 0 : -EIO;
    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        if (n++ == page_limit(limit)) {
            next = json_incref(json_object_get(json_array_get(items, (size_t)n - 2), "seq"));
            db_done(st);
            rc = 0;
            break;
        }
        rc = version_row(c, st, &one);
        json_array_append_new(items, one);
        if (rc < 0) {
            db_done(st);
            break;
        }
    }
    c->r->json = json_pack("{s:o, s:o}", "items", items, "next", next ? next : json_null());
    return rc;
}

/* tells_of_people - a page of versions with a contact or a person in it, or an organisation's head and office. */
static bool tells_of_people(const json_t *page)
{
    json_t *one;
    size_t i;

    json_array_foreach(json_object_get(page, "items"), i, one)
        if (!str_eq(json_get_str(one, "kind"), STR("object")) && !str_eq(json_get_str(one, "kind"), STR("component")) &&
            !str_eq(json_get_str(one, "kind"), STR("contract")))
            return true;
    return false;
}

int desk_registry_history(struct desk *d, const struct viewer *v, struct str kind, struct str id, int limit, struct str before, time_ns now,
                          struct desk_reply *r)
{
    enum record_kind k = record_kind_parse(kind);
    struct str none = { NULL, 0 };
    struct record one = { 0 };
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = k < RECORD_KIND_COUNT ? record_seen(&c, k, id) : refuse(&c, -ENOENT, "not_found", NULL, "no such kind of record");
    if (rc == 0)
        rc = record_read(&c, k, id, 0, &one);
    if (rc == 0)
        rc = one.parent.n ? history_page(&c, one.parent, kind, id, limit, before)
                          : history_page(&c, arena_printf(&c.a, "%s/%.*s", record_kind_name(k), STR_ARG(id)), none, none, limit, before);
    if (rc == 0 && (k == RECORD_PERSON || tells_of_people(r->json)))
        rc = personal_read(&c, arena_printf(&c.a, "%s/%.*s", record_kind_name(k), STR_ARG(id)).p);
    if (rc < 0) {
        json_decref(r->json);
        r->json = NULL;
    }
    record_done(&one);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

int registry_changes(struct call *c, struct scope s, struct str object_id, time_ns from, time_ns to, int limit, json_t **out)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT " VERSION_COLUMNS ", o.id FROM record_version v CROSS JOIN record r ON r.kind = v.kind AND r.id = v.id JOIN object o"
                                " ON o.id = r.object_id WHERE " SCOPE_OBJECT " AND v.at > ?3 AND v.at <= ?4 AND (?5 = '' OR o.id = ?5)"
                                " ORDER BY v.at, v.seq LIMIT ?6",
                                "iziiti", s.bounded, s.org, (int64_t)from, (int64_t)to, object_id.p ? object_id : STR(""), (int64_t)limit);
    json_t *one = NULL;
    int rc = st ? 0 : -EIO;

    *out = json_array();
    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        rc = version_row(c, st, &one);
        json_object_set_new(one, "object_id", db_json(st, 9));
        json_array_append_new(*out, one);
        if (rc < 0) {
            db_done(st);
            break;
        }
    }
    if (rc < 0) {
        json_decref(*out);
        *out = NULL;
    }
    return rc;
}
