/* lists.c - the lists of the registry. Each is a statement that walks one index in its order and stops at the limit; the test asks SQLite for its plan.
 * With words to search for, the full-text index names the rows and their order is made afterwards. */
#include "desk/registry/room.h"

#define OBJECT_HEAD                                                                                                                               \
    "SELECT o.id, o.name, json_extract(r.json, '$.name_ru'), g.id, g.name, p.id, p.name, o.criticality, " REGIME_SQL ", o.state, o.active,"        \
    " json_extract(r.json, '$.city'), json_extract(r.json, '$.region'), " CASES_COUNTED("?12") ", r.version FROM object o CROSS JOIN org g CROSS JOIN record r"             \
    " LEFT JOIN org p ON p.id = o.possessor_id WHERE " SCOPE_OBJECT " AND g.id = o.org_id AND r.kind = 'object' AND r.id = o.id"                    \
    " AND (o.sort, o.id) > (?3, ?4) AND (?5 = '' OR ?5 IN (o.org_id, o.possessor_id, o.ocib_id)) AND (?6 = '' OR o.state = ?6)"                     \
    " AND (?7 = '' OR o.criticality = ?7) AND (?8 = '' OR " REGIME_SQL " = ?8)"
#define OBJECT_TAIL " ORDER BY o.sort, o.id LIMIT ?10"
#define FOUND(kinds)                                                                                                                              \
    " IN (SELECT x.object_id FROM registry_fts f CROSS JOIN record x WHERE f.text MATCH ?11 AND x.rid = f.rowid AND x.kind IN (" kinds ")"          \
    " AND x.removed = 0)"

const char registry_objects_sql[] = OBJECT_HEAD OBJECT_TAIL;
const char registry_objects_found_sql[] = OBJECT_HEAD " AND o.id" FOUND("'object', 'component'") OBJECT_TAIL;
const char registry_records_sql[] =
    "SELECT r.id, r.version, r.json, r.updated_at, r.updated_by FROM record r WHERE r.kind = ?3 AND (r.sort, r.id) > (?4, ?5) AND r.removed = 0"
    " AND CASE ?3 WHEN 'person' THEN " PERSON_REACHED " WHEN 'contract' THEN " CONTRACT_REACHED
    " ELSE EXISTS (SELECT 1 FROM org g WHERE g.id = r.id AND " ORG_REACHED ") END"
    " AND (?6 = '' OR json_extract(r.json, '$.org_id') = ?6) AND (?7 = '' OR EXISTS (SELECT 1 FROM org_kind w WHERE w.org_id = r.id AND w.kind = ?7))"
    " AND (?8 IS NULL OR r.rid IN (SELECT f.rowid FROM registry_fts f WHERE f.text MATCH ?8)) ORDER BY r.sort, r.id LIMIT ?9";
const char registry_children_sql[] =
    "SELECT r.id, r.version, r.json, r.updated_at, r.updated_by FROM record r WHERE r.parent = ?1 AND r.kind = ?2 AND (r.sort, r.id) > (?3, ?4)"
    " AND r.removed = 0 AND (?5 IS NULL OR r.rid IN (SELECT f.rowid FROM registry_fts f WHERE f.text MATCH ?5)) ORDER BY r.sort, r.id LIMIT ?6";

/* cursor - the sort of the row at which the page before ended. */
static int cursor(struct call *c, enum record_kind k, struct str before, struct str *sort)
{
    sqlite3_stmt *st;
    int rc;

    *sort = STR("");
    if (!before.n)
        return 0;
    rc = record_seen(c, k, before);   /* a foreign place is no place: nothing is learnt of what one may not see */
    if (rc < 0)
        return rc == -ENOENT ? refuse(c, -EINVAL, "bad_request", "before", "no such place in the list") : rc;
    st = k == RECORD_OBJECT ? db_query(c->d, c->e, "SELECT sort FROM object WHERE id = ?", "t", before)
                            : db_query(c->d, c->e, "SELECT sort FROM record WHERE kind = ?1 AND id = ?2", "zt", record_kind_name(k), before);
    rc = st ? db_step(c->d, st, c->e) : -EIO;
    if (rc > 0) {
        *sort = db_copy(st, 0, &c->a);
        db_done(st);
    }
    return rc < 0 ? rc : rc ? 0 : refuse(c, -EINVAL, "bad_request", "before", "no such place in the list");
}

static struct str blank(struct str s) { return s.p ? s : STR(""); }

static json_t *object_row(sqlite3_stmt *st)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:o, s:o, s:I, s:I}", "id", db_json(st, 0), "name", db_json(st, 1), "name_ru",
                     db_json(st, 2), "org", json_ref(db_str(st, 3), db_str(st, 4)), "possessor", json_ref(db_str(st, 5), db_str(st, 6)), "criticality",
                     db_json(st, 7), "regime", db_json(st, 8), "state", db_json(st, 9), "active", sqlite3_column_int(st, 10), "city", db_json(st, 11),
                     "region", db_json(st, 12), "open_cases", (json_int_t)sqlite3_column_int64(st, 13), "version",
                     (json_int_t)sqlite3_column_int64(st, 14));
}

static json_t *record_row(sqlite3_stmt *st)
{
    struct str json = db_str(st, 2);

    return json_pack("{s:o, s:I, s:o, s:o, s:o}", "id", db_json(st, 0), "version", (json_int_t)sqlite3_column_int64(st, 1), "value",
                     json_loadb(json.p, json.n, 0, NULL), "updated_at", db_json_time(st, 3), "updated_by", db_json(st, 4));
}

static int collect(struct call *c, sqlite3_stmt *st, json_t *(*row)(sqlite3_stmt *), int limit, json_t **items, json_t **next)
{
    int rc = st ? 0 : -EIO, n = 0;

    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        if (n++ == limit) {
            *next = json_incref(json_object_get(json_array_get(*items, (size_t)limit - 1), "id"));
            db_done(st);
            return 0;
        }
        json_array_append_new(*items, row(st));
    }
    return rc;
}

static int objects_list(struct call *c, const struct registry_query *q, int limit, json_t **items, json_t **next)
{
    struct scope s = scope_of(c->v);
    struct str sort, words = registry_words(c, blank(q->q)), day = today_of(c);
    int rc = cursor(c, RECORD_OBJECT, q->before, &sort);
    sqlite3_stmt *st;

    if (rc < 0)
        return rc;
    st = db_query(c->d, c->e, words.n ? registry_objects_found_sql : registry_objects_sql, "izttttttt" "iti", s.bounded, s.org, sort, blank(q->before),
                  blank(q->org), blank(q->state), blank(q->criticality), blank(q->regime), day, (int64_t)limit + 1, words, viewer_id(c));
    return collect(c, st, object_row, limit, items, next);
}

static int records_list(struct call *c, enum record_kind k, const struct registry_query *q, int limit, json_t **items, json_t **next)
{
    struct scope s = scope_of(c->v);
    struct str sort;
    int rc = cursor(c, k, q->before, &sort);
    sqlite3_stmt *st;

    if (rc < 0)
        return rc;
    st = db_query(c->d, c->e, registry_records_sql, "izztttzti", s.bounded, s.org, record_kind_name(k), sort, blank(q->before), blank(q->org),
                  k == RECORD_ORGANISATION && q->kind.n ? arena_copy(&c->a, q->kind).p : "", registry_words(c, blank(q->q)), (int64_t)limit + 1);
    return collect(c, st, record_row, limit, items, next);
}

/* contacts_fill - the list of contacts shows whole answers: the person and the last check. */
static int contacts_fill(struct call *c, json_t **items)
{
    json_t *out = json_array(), *one, *whole;
    size_t i;
    int rc = 0;

    json_array_foreach(*items, i, one) {
        rc = record_answer(c, RECORD_CONTACT, json_get_str(one, "id"), 0, &whole);
        if (rc < 0)
            break;
        json_array_append_new(out, whole);
    }
    json_decref(*items);
    *items = out;
    return rc;
}

static int children_list(struct call *c, enum record_kind k, struct str parent, const struct registry_query *q, int limit, json_t **items, json_t **next)
{
    struct str sort, kind, id;
    int rc = parent_split(parent, &kind, &id) ? record_seen(c, record_kind_parse(kind), id) : refuse(c, -ENOENT, "not_found", NULL, "no such place");

    if (rc == 0)
        rc = cursor(c, k, q->before, &sort);
    if (rc == 0)
        rc = collect(c, db_query(c->d, c->e, registry_children_sql, "tzttti", parent, record_kind_name(k), sort, blank(q->before),
                                 registry_words(c, blank(q->q)), (int64_t)limit + 1),
                     record_row, limit, items, next);
    return rc == 0 && k == RECORD_CONTACT ? contacts_fill(c, items) : rc;
}

int desk_registry_list(struct desk *d, const struct viewer *v, enum record_kind k, struct str parent, const struct registry_query *q, time_ns now,
                       struct desk_reply *r)
{
    struct call c;
    json_t *items = json_array(), *next = NULL;
    int limit = page_limit(q->limit), rc;

    desk_call_init(&c, d, v, now, r);
    if (k == RECORD_OBJECT)
        rc = objects_list(&c, q, limit, &items, &next);
    else if (parent.n)
        rc = children_list(&c, k, parent, q, limit, &items, &next);
    else
        rc = records_list(&c, k, q, limit, &items, &next);
    if (rc == 0 && (k == RECORD_PERSON || k == RECORD_CONTACT))
        rc = personal_read(&c, parent.n ? arena_copy(&c.a, parent).p : "people");
    if (rc == 0)
        r->json = json_pack("{s:o, s:o}", "items", json_incref(items), "next", next ? json_incref(next) : json_null());
    json_decref(items);
    json_decref(next);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}
