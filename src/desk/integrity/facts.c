/* facts.c - what is known of hosts, for people and for a survey of updates and configurations; and the room's part of a tick. */
#include "desk/integrity/room.h"

/* --- which hosts report --- */

static json_t *state_json(sqlite3_stmt *st, int at, time_ns now)
{
    if (sqlite3_column_type(st, at) == SQLITE_NULL)
        return json_null();
    return json_pack("{s:o, s:I, s:I, s:I, s:o, s:b, s:b}", "kind", db_json(st, at), "items", (json_int_t)sqlite3_column_int64(st, at + 1), "unreadable",
                     (json_int_t)sqlite3_column_int64(st, at + 2), "over", (json_int_t)sqlite3_column_int64(st, at + 3), "received_at", db_json_time(st, at + 4),
                     "stale", (int)(sqlite3_column_int64(st, at + 5) != 0), "silent", (int)(now - sqlite3_column_int64(st, at + 4) > FACT_SILENT_NS));
}

static int states_of(struct call *c, const char *host, json_t **out)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT s.kind, s.items, s.unreadable, s.over, s.received_at, s.stale FROM fact_host h JOIN fact_state s ON s.host_id = h.id"
                                " WHERE h.host = ? ORDER BY s.kind", "z", host);
    int rc = st ? 0 : -EIO;

    *out = json_array();
    while (st && (rc = db_step(c->d, st, c->e)) > 0)
        json_array_append_new(*out, state_json(st, 0, c->now));
    return rc;
}

/* states_add - the states of each host of the list. */
static int states_add(struct call *c, json_t *hosts)
{
    json_t *host, *states, *clock;
    size_t i;
    int rc = 0;

    json_array_foreach(hosts, i, host) {
        if (rc == 0) {
            rc = states_of(c, json_string_value(json_object_get(host, "host")), &states);
            json_object_set_new(host, "states", states);
            if (rc == 0)
                rc = fact_clock_json(c, json_string_value(json_object_get(host, "host")), &clock);
            json_object_set_new(host, "clock", rc == 0 ? clock : json_null());
        }
    }
    return rc;
}

/* HOST_COLUMNS - of object_host oh, object o and fact_host h. */
#define HOST_COLUMNS "oh.host, o.id, o.name, h.first_seen_at, h.last_seen_at, coalesce(h.refused, 0), h.refused_text"

static json_t *host_json(sqlite3_stmt *st)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:I, s:o}", "host", db_json(st, 0), "object", json_ref(db_str(st, 1), db_str(st, 2)), "first_seen_at",
                     db_json_time(st, 3), "last_seen_at", db_json_time(st, 4), "refused", (json_int_t)sqlite3_column_int64(st, 5), "refused_text", db_json(st, 6));
}

/* strangers - agents whose name is no host of the registry: their facts belong to no object. */
static int strangers(struct call *c, json_t **out)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT h.host, NULL, NULL, h.first_seen_at, h.last_seen_at, h.refused, h.refused_text FROM fact_host h WHERE NOT EXISTS"
                                " (SELECT 1 FROM object_host oh WHERE oh.host = h.host) ORDER BY h.last_seen_at DESC LIMIT 100", "");
    int rc = st ? 0 : -EIO;

    *out = json_array();
    while (st && (rc = db_step(c->d, st, c->e)) > 0)
        json_array_append_new(*out, host_json(st));
    return rc < 0 ? rc : states_add(c, *out);
}

static int hosts_page(struct call *c, int limit, struct str before)
{
    struct scope s = scope_of(c->v);
    json_t *items = json_array(), *unknown = json_array();
    struct str last = { NULL, 0 };
    bool more = false;
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT " HOST_COLUMNS " FROM object_host oh JOIN object o ON o.id = oh.object_id LEFT JOIN fact_host h ON h.host = oh.host"
                                " WHERE oh.host > ?3 AND " SCOPE_OBJECT " ORDER BY oh.host LIMIT ?4",
                                "izti", s.bounded, s.org, before.p ? before : STR(""), (int64_t)limit + 1);
    int rc = st ? 0 : -EIO;

    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        if (json_array_size(items) == (size_t)limit) {
            more = true;
            db_done(st);
            break;
        }
        last = db_copy(st, 0, &c->a);
        json_array_append_new(items, host_json(st));
    }
    if (rc >= 0)
        rc = states_add(c, items);
    if (rc == 0 && !s.bounded && !before.n) {
        json_decref(unknown);
        rc = strangers(c, &unknown);
    }
    c->r->json = json_pack("{s:o, s:o, s:o, s:o}", "now", json_time(c->now), "items", items, "unknown", unknown, "next", more ? json_str(last) : json_null());
    return rc < 0 ? rc : 0;
}

int desk_fact_hosts(struct desk *d, const struct viewer *v, int limit, struct str before, time_ns now, struct desk_reply *r)
{
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = hosts_page(&c, page_limit(limit), before);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

/* --- one object --- */

static int object_known(struct call *c, struct str object, struct str *name)
{
    struct scope s = scope_of(c->v);
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT o.name FROM object o WHERE o.id = ?3 AND " SCOPE_OBJECT, "izt", s.bounded, s.org, object);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    if (rc == 0)
        return refuse(c, -ENOENT, "not_found", NULL, "no such object");
    if (rc > 0) {
        *name = db_copy(st, 0, &c->a);
        db_done(st);
    }
    return rc < 0 ? rc : 0;
}

static int object_hosts(struct call *c, struct str object, json_t **out)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT " HOST_COLUMNS " FROM object_host oh JOIN object o ON o.id = oh.object_id LEFT JOIN fact_host h ON h.host = oh.host"
                                " WHERE oh.object_id = ? ORDER BY oh.position", "t", object);
    int rc = st ? 0 : -EIO;

    *out = json_array();
    while (st && (rc = db_step(c->d, st, c->e)) > 0)
        json_array_append_new(*out, host_json(st));
    return rc < 0 ? rc : states_add(c, *out);
}

static int checks_json(struct call *c, struct str object, json_t **out)
{
    static const char *const words[] = { "match", "differs", "missing", "not_watched", "not_comparable" };
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT version, at, extra FROM fact_checked WHERE object_id = ?", "t", object);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    *out = json_null();
    if (rc <= 0)
        return rc;
    *out = json_pack("{s:o, s:o, s:I}", "passport_version", sqlite3_column_int64(st, 0) ? json_integer(sqlite3_column_int64(st, 0)) : json_null(), "at",
                     db_json_time(st, 1), "extra", (json_int_t)sqlite3_column_int64(st, 2));
    db_done(st);
    rc = 0;
    for (size_t i = 0; rc == 0 && i < COUNT(words); i++) {
        int64_t n = 0;

        rc = db_int(c->d, c->e, 0, &n, "SELECT count(*) FROM fact_check WHERE object_id = ? AND verdict = ?", "tz", object, words[i]);
        json_object_set_new(*out, words[i], json_integer(n));
    }
    return rc;
}

static int facts_of(struct call *c, struct str object)
{
    struct str name;
    json_t *hosts = NULL, *checks = NULL, *clocks = NULL;
    int64_t waiting = 0;
    int rc = object_known(c, object, &name);

    if (rc == 0)
        rc = object_hosts(c, object, &hosts);
    if (rc == 0)
        rc = checks_json(c, object, &checks);
    if (rc == 0)
        rc = fact_time_json(c, object, &clocks);
    if (rc == 0)
        rc = db_int(c->d, c->e, 0, &waiting,
                    "SELECT count(*) FROM integrity_change WHERE object_id = ? AND state IN ('open','denied','explained','questioned')", "t", object);
    if (rc == 0)
        c->r->json = json_pack("{s:o, s:o, s:O, s:O, s:O, s:I}", "now", json_time(c->now), "object", json_ref(object, name), "hosts", hosts, "checksums", checks, "time", clocks, "waiting",
                               (json_int_t)waiting);
    json_decref(hosts);
    json_decref(checks);
    json_decref(clocks);
    return rc;
}

int desk_facts(struct desk *d, const struct viewer *v, struct str object, time_ns now, struct desk_reply *r)
{
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = facts_of(&c, object);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

/* --- items --- */

/* host_find - the named host of the object, or its first that reports the kind; 0: none. */
static int host_find(struct call *c, struct str object, struct str host, const char *kind, int64_t *id, struct str *name, time_ns *received)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT h.id, h.host, s.received_at FROM object_host oh JOIN fact_host h ON h.host = oh.host JOIN fact_state s ON s.host_id = h.id"
                                " WHERE oh.object_id = ?1 AND (?2 = '' OR oh.host = ?2) AND (?3 = '' OR s.kind = ?3) ORDER BY oh.position LIMIT 1",
                                "ttz", object, host.p ? host : STR(""), kind);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    *id = 0;
    if (rc > 0) {
        *id = sqlite3_column_int64(st, 0);
        *name = db_copy(st, 1, &c->a);
        *received = sqlite3_column_int64(st, 2);
        db_done(st);
    }
    return rc < 0 ? rc : 0;
}

/* judged - what the list of settings says of a value: title, what is expected, the verdict. */
static void judged(struct call *c, json_t *out, struct str id, struct str value)
{
    const struct setting *s = settings_find(c->d->integrity->settings, id);
    struct str state = value_part(value, 0), text = value_part(value, 2);
    bool set = str_eq(state, STR("set")), known = set || (str_eq(state, STR("absent")) && s && s->absent.p);
    AUTO_BUF struct buf expected = { 0 };
    enum lang l = c->v ? c->v->lang : LANG_EN;

    buf_init(&expected, 4 * KIB);
    if (s)
        setting_expected(s, &expected);
    json_object_set_new(out, "title", s ? json_str(s->title[l == LANG_KK ? 0 : l == LANG_RU ? 1 : 2]) : json_null());
    json_object_set_new(out, "expected", expected.n ? json_str(buf_view(&expected)) : json_null());
    json_object_set_new(out, "severity", s && s->severity.n ? json_str(s->severity) : json_null());
    json_object_set_new(out, "absent", s && s->absent.p ? json_str(s->absent) : json_null());
    json_object_set_new(out, "verdict", json_string(setting_verdict_name(s ? setting_judge(s, known, set ? text : s->absent) : SETTING_TOLD)));
}

static json_t *item_json(struct call *c, const char *kind, sqlite3_stmt *st)
{
    struct str key = db_str(st, 0), value = db_str(st, 1);
    json_t *out = json_pack("{s:o, s:o, s:o}", "key", json_str(key), "value", fact_value_json(kind, value), "since_at", db_json_time(st, 2));

    if (kind[0] == 's') {
        judged(c, out, key, value);
    } else {
        json_object_set_new(out, "title", json_null());
        json_object_set_new(out, "expected", kind[0] == 'f' ? db_json(st, 4) : json_null());
        json_object_set_new(out, "severity", json_null());
        json_object_set_new(out, "absent", json_null());
        json_object_set_new(out, "verdict", kind[0] == 'f' ? db_json(st, 3) : json_null());
    }
    return out;
}

static int items_page(struct call *c, const struct desk_facts_query *q)
{
    const char *kind = fact_kind(q->kind);
    struct str name, host = { NULL, 0 }, last = { NULL, 0 };
    int limit = page_limit(q->limit);
    json_t *items = json_array();
    time_ns received = 0;
    int64_t id = 0;
    bool more = false;
    int rc = kind ? object_known(c, q->object, &name) : refuse(c, -ENOENT, "not_found", NULL, "no such kind of facts");

    if (rc == 0)
        rc = host_find(c, q->object, q->host, kind, &id, &host, &received);
    sqlite3_stmt *st = rc < 0 || !id ? NULL
                     : db_query(c->d, c->e,
                                "SELECT i.key, i.value, i.since_at, f.verdict, f.expected FROM fact_item i LEFT JOIN fact_check f ON ?2 = 'files' AND f.host_id ="
                                " i.host_id AND f.path = i.key WHERE i.host_id = ?1 AND i.kind = ?2 AND i.key > ?3 AND (?4 = '' OR instr(i.key, ?4) > 0)"
                                " ORDER BY i.key LIMIT ?5",
                                "iztti", id, kind, q->before.p ? q->before : STR(""), q->q.p ? q->q : STR(""), (int64_t)limit + 1);
    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        if (json_array_size(items) == (size_t)limit) {
            more = true;
            db_done(st);
            break;
        }
        last = db_copy(st, 0, &c->a);
        json_array_append_new(items, item_json(c, kind, st));
    }
    c->r->json = json_pack("{s:o, s:o, s:o, s:o}", "host", json_str(host), "received_at", json_time_or_null(received), "items", items, "next",
                           more ? json_str(last) : json_null());
    return rc < 0 ? rc : 0;
}

int desk_fact_items(struct desk *d, const struct viewer *v, const struct desk_facts_query *q, time_ns now, struct desk_reply *r)
{
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = items_page(&c, q);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

/* --- the passport's checksums --- */

static int checksums_page(struct call *c, struct str object, struct str verdict, int limit, struct str before)
{
    struct str name, last = { NULL, 0 };
    json_t *items = json_array();
    bool more = false;
    int rc = object_known(c, object, &name);
    sqlite3_stmt *st = rc < 0 ? NULL
                     : db_query(c->d, c->e,
                                "SELECT f.file || char(9) || f.host_id || char(9) || f.path, f.file, h.host, f.path, f.verdict, f.expected, f.found, f.since_at"
                                " FROM fact_check f LEFT JOIN fact_host h ON h.id = f.host_id WHERE f.object_id = ?1 AND (?2 = '' OR f.verdict = ?2) AND"
                                " f.file || char(9) || f.host_id || char(9) || f.path > ?3 ORDER BY 1 LIMIT ?4",
                                "ttti", object, verdict.p ? verdict : STR(""), before.p ? before : STR(""), (int64_t)limit + 1);

    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        if (json_array_size(items) == (size_t)limit) {
            more = true;
            db_done(st);
            break;
        }
        last = db_copy(st, 0, &c->a);
        json_array_append_new(items, json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "file", db_json(st, 1), "host", db_json(st, 2), "path", db_json(st, 3),
                                               "verdict", db_json(st, 4), "expected", db_json(st, 5), "found", db_json(st, 6), "since_at", db_json_time(st, 7)));
    }
    c->r->json = json_pack("{s:o, s:o}", "items", items, "next", more ? json_str(last) : json_null());
    return rc < 0 ? rc : 0;
}

int desk_checksums(struct desk *d, const struct viewer *v, struct str object, struct str verdict, int limit, struct str before, struct desk_reply *r)
{
    struct call c;
    int rc;

    desk_call_init(&c, d, v, 0, r);
    rc = checksums_page(&c, object, verdict, page_limit(limit), before);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

/* --- a file for a survey: docs/integrity.md has the format --- */

static int file_packages(struct call *c, int64_t id, json_t *out)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT key, value FROM fact_item WHERE host_id = ? AND kind = 'packages' ORDER BY key", "i", id);
    int rc = st ? 0 : -EIO;

    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        struct str key = db_str(st, 0);
        ptrdiff_t colon = str_chr(key, ':');

        json_array_append_new(out, json_pack("{s:o, s:o, s:o}", "name", json_str(str_of(key.p, colon < 0 ? key.n : (size_t)colon)), "arch",
                                             json_str(colon < 0 ? STR("") : str_cut(key, (size_t)colon + 1)), "version", db_json(st, 1)));
    }
    return rc;
}

static int file_settings(struct call *c, int64_t id, json_t *out)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT key, value, since_at FROM fact_item WHERE host_id = ? AND kind = 'settings' ORDER BY key", "i", id);
    int rc = st ? 0 : -EIO;

    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        struct str value = db_str(st, 1);
        json_t *one = json_pack("{s:o, s:o, s:o, s:o}", "id", db_json(st, 0), "state", json_str(value_part(value, 0)), "file", json_str(value_part(value, 1)), "value",
                                json_str(value_part(value, 2)));

        judged(c, one, db_str(st, 0), value);
        json_array_append_new(out, one);
    }
    return rc;
}

int facts_json_of(struct call *c, struct str object, int64_t id, struct str host, time_ns taken, json_t **out)
{
    json_t *packages = json_array(), *settings = json_array();
    int rc = file_packages(c, id, packages);

    if (rc >= 0)
        rc = file_settings(c, id, settings);
    *out = json_pack("{s:s, s:i, s:o, s:o, s:o, s:o, s:o}", "format", "saqshy-facts", "version", 1, "object", json_str(object), "host", json_str(host), "taken_at",
                     json_time(taken), "packages", packages, "settings", settings);
    return rc < 0 ? rc : 0;
}

static int facts_file(struct call *c, struct str object, struct str host)
{
    struct str name, found = { NULL, 0 };
    time_ns received = 0;
    int64_t id = 0;
    int rc = object_known(c, object, &name);

    if (rc == 0)
        rc = host_find(c, object, host, "", &id, &found, &received);
    if (rc == 0 && !id)
        rc = refuse(c, -ENOENT, "not_found", "host", "no agent reports of such a host of the object");
    if (rc == 0)
        rc = audit_read(c, "export", arena_printf(&c->a, "object/%.*s", STR_ARG(object)).p, arena_printf(&c->a, "facts of %.*s", STR_ARG(found)));
    return rc < 0 ? rc : facts_json_of(c, object, id, found, received, &c->r->json);
}

int desk_facts_file(struct desk *d, const struct viewer *v, struct str object, struct str host, time_ns now, struct desk_reply *r)
{
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = facts_file(&c, object, host);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

/* --- time --- */

int integrity_tick(struct call *c)
{
    int taken = 0, rc = arrived_take(c, &taken), compared = compare_next(c), made = cases_due(c);   /* none waits for the other */

    return rc < 0 ? rc : compared < 0 ? compared : made < 0 ? made : taken;
}
