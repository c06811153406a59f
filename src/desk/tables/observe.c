/* observe.c - what is seen of an object, laid beside what its passport says. */
#include "desk/tables/import_run.h"
#include "base/file.h"

#define SEARCH_TURN 200   /* records of an import whose words go into the search in one turn, should the import have been killed */

#define SOURCES_BYTES_MAX (16u * MIB)

static int observed_keep(struct call *c, const struct observation *o, struct str key, const json_t *item)
{
    AUTO_FREE char *text = json_dumps(item, JSON_COMPACT | JSON_SORT_KEYS);
    int rc = db_exec(c->d, c->e,
                     "INSERT INTO observed(object_id, key, kind, json, source, first_seen_at, last_seen_at) VALUES (?1,?2,?3,?4,?5,?6,?6)"
                     " ON CONFLICT (object_id, key) DO UPDATE SET json = excluded.json, source = excluded.source, last_seen_at = excluded.last_seen_at",
                     "tttzti", o->object_id, key, json_get_str(item, "kind"), text, o->source, c->now);

    return rc < 0 ? rc : 0;
}

/* compare - one seen item against the passport: a new difference is 1. */
static int compare(struct call *c, const struct observation *o, const json_t *passport, struct str key, const json_t *item)
{
    const json_t *written = json_object_getn(passport, key.p, key.n);
    struct difference f = { o->object_id, key, o->source, written ? "changed" : "appeared", written, item };

    if (written && item_same(written, item, true))
        return change_withdraw(c, o->object_id, key);
    return change_found(c, &f);
}

/* missing - software of a host that was listed whole and is not there any more. */
static int missing(struct call *c, const struct observation *o, json_t *passport, const json_t *seen)
{
    const char *key;
    json_t *item;
    int found = 0;

    json_object_foreach(passport, key, item) {
        struct difference f = { o->object_id, str_c(key), o->source, "missing", item, NULL };
        int rc;

        if (!str_eq(json_get_str(item, "kind"), STR("software")) || !str_ieq(json_get_str(item, "host"), o->host) || json_object_get(seen, key))
            continue;
        rc = change_found(c, &f);
        if (rc < 0)
            return rc;
        found += rc;
    }
    return found;
}

int passport_observe(struct call *c, const struct observation *o)
{
    json_t *passport = NULL, *seen = json_object(), *item;
    int64_t id = 0, version = 0, known = 0;
    int found = 0, rc = db_int(c->d, c->e, 0, &known, "SELECT count(*) FROM object WHERE id = ?", "t", o->object_id);
    size_t i;

    if (rc == 0 && !known)
        rc = err_set(c->e, -ENOENT, "no such object \"%.*s\"", STR_ARG(o->object_id));
    if (rc == 0 && json_array_size(o->items) > OBSERVED_ITEMS_MAX)
        rc = err_set(c->e, -E2BIG, "more than %d things observed at once", OBSERVED_ITEMS_MAX);
    if (rc == 0)
        rc = passport_newest(c, o->object_id, &id, &version);
    if (rc == 0 && id)
        rc = items_load(c, id, &passport);
    json_array_foreach((json_t *)(uintptr_t)o->items, i, item) {
        char prefix[32], field[DESK_FIELD_MAX];
        struct str key;

        if (rc < 0)
            break;
        snprintf(prefix, sizeof prefix, "items.%zu", i);
        rc = item_check(item, true, prefix, field, c->e);
        if (rc < 0)
            break;
        key = item_key(&c->a, item);
        json_object_setn(seen, key.p, key.n, item);
        rc = observed_keep(c, o, key, item);
        if (rc == 0 && id)
            rc = compare(c, o, passport, key, item);
        if (rc > 0)
            found += rc;
    }
    if (rc >= 0 && id && o->host.n) {
        rc = missing(c, o, passport, seen);
        found += rc > 0 ? rc : 0;
    }
    json_decref(passport);
    json_decref(seen);
    return rc < 0 ? rc : found;
}

/* --- what the desk sees by itself: the hosts whose events arrive --- */

/* hosts_by_object - {object id: [hardware items]} from what ingest writes about its sources. */
static json_t *hosts_by_object(const struct desk *d)
{
    AUTO_BUF struct buf b = { 0 };
    char path[4096];
    json_t *all, *list, *s, *out = json_object();
    size_t i;

    buf_init(&b, SOURCES_BYTES_MAX + 1);
    if (file_read(node_path(d->setup.node, "run/sources.json", path), SOURCES_BYTES_MAX, &b, NULL) < 0)
        return out;
    all = json_loadb(b.n ? b.p : "", b.n, 0, NULL);
    list = json_is_object(all) ? json_object_get(all, "items") : all;
    json_array_foreach(list, i, s) {
        const char *object = json_string_value(json_object_get(s, "object")), *host = json_string_value(json_object_get(s, "host"));
        json_t *items;

        if (!object || !host || !*object || !*host || strlen(host) > 255)
            continue;
        items = json_object_get(out, object);
        if (!items)
            json_object_set_new(out, object, items = json_array());
        json_array_append_new(items, json_pack("{s:s, s:s, s:s}", "kind", "hardware", "name", host, "host", host));
    }
    json_decref(all);
    return out;
}

static int observe_sources(struct call *c)
{
    json_t *by_object = hosts_by_object(c->d), *items;
    const char *object;
    int rc = 0;

    json_object_foreach(by_object, object, items) {
        struct observation o = { .object_id = str_c(object), .source = STR("logs"), .items = items };

        if (rc >= 0)
            rc = passport_observe(c, &o);
        if (rc == -ENOENT)
            rc = 0; /* ingest still knows an object that the registry has forgotten */
    }
    json_decref(by_object);
    return rc < 0 ? rc : 0;
}

/* import_forgotten - a dry run older than IMPORT_KEPT_NS is no longer shown; that it was, and by whom it was written, stays. */
static int import_forgotten(struct call *c, int64_t *run)
{
    int rc = db_int(c->d, c->e, 0, run,
                    "SELECT r.id FROM import_run r WHERE r.created_at <= ?1 AND EXISTS (SELECT 1 FROM import_row w WHERE w.run_id = r.id) ORDER BY r.id LIMIT 1",
                    "i", c->now - IMPORT_KEPT_NS);

    if (rc == 0 && *run)
        rc = db_exec(c->d, c->e, "UPDATE import_run SET state = 'read', checked = 0 WHERE id = ? AND state = 'checked'", "i", *run);
    return rc < 0 ? rc : 0;
}

static int hourly(struct call *c, int64_t *forgotten)
{
    int rc = db_exec(c->d, c->e, "INSERT INTO counter(name, value) VALUES ('observed_at', ?1) ON CONFLICT (name) DO UPDATE SET value = ?1", "i", c->now);

    if (rc >= 0)
        rc = observe_sources(c);
    return rc < 0 ? rc : import_forgotten(c, forgotten);
}

static int tables_turn(struct call *c)
{
    int64_t last = 0, run = 0;
    int rc = records_search(c, SEARCH_TURN);

    if (rc >= 0)
        rc = db_int(c->d, c->e, 0, &last, "SELECT value FROM counter WHERE name = 'observed_at'", "");
    if (rc < 0 || (last && c->now - last < OBSERVE_EVERY_NS && c->now >= last))
        return rc;
    rc = db_begin(c->d, c->e);
    if (rc == 0)
        rc = db_end(c->d, hourly(c, &run), c->e);
    return rc < 0 || !run ? rc : import_rows_forget(c, run, 0, INT64_MAX);
}

int tables_tick(struct desk *d, time_ns now, struct err *e)
{
    struct desk_reply r = { 0 };
    struct call c;
    int rc;

    desk_call_init(&c, d, NULL, now, &r);
    rc = tables_turn(&c);
    if (rc < 0)
        err_set(e, rc, "%s", r.err.text);
    desk_call_free(&c);
    desk_reply_free(&r);
    return rc;
}

/* --- reading --- */

static int observed_page(struct call *c, struct str object, int limit, struct str before)
{
    json_t *passport = NULL, *items = json_array();
    int64_t id = 0, version = 0;
    struct str last = before;
    bool more = false;
    int rc = passport_newest(c, object, &id, &version);

    if (rc == 0 && id)
        rc = items_load(c, id, &passport);
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT key, json, source, first_seen_at, last_seen_at FROM observed WHERE object_id = ?1 AND key > ?2 ORDER BY key LIMIT ?3",
                                "tti", object, before.p ? before : STR(""), (int64_t)limit + 1);
    rc = rc < 0 ? rc : st ? 0 : -EIO;
    while (rc >= 0 && (rc = db_step(c->d, st, c->e)) > 0) {
        if (json_array_size(items) == (size_t)limit) {
            more = true;
            db_done(st);
            break;
        }
        last = db_copy(st, 0, &c->a);
        struct str text = db_str(st, 1);
        json_t *item = json_loadb(text.p, text.n, 0, NULL), *written = json_object_getn(passport, last.p, last.n);
        const char *verdict = !id ? "no_passport" : !written ? "appeared" : item_same(written, item, true) ? "same" : "changed";

        json_array_append_new(items, json_pack("{s:o, s:O, s:s, s:o, s:o, s:o}", "item", item, "passport", written ? written : json_null(), "verdict", verdict,
                                               "source", db_json(st, 2), "first_seen_at", db_json_time(st, 3), "last_seen_at", db_json_time(st, 4)));
    }
    c->r->json = json_pack("{s:o, s:o, s:o}", "passport_version", id ? json_integer(version) : json_null(), "items", items, "next",
                           more ? json_str(last) : json_null());
    json_decref(passport);
    return rc < 0 ? rc : 0;
}

int desk_observed(struct desk *d, const struct viewer *v, struct str object, int limit, struct str before, struct desk_reply *r)
{
    struct call c;
    int rc;

    desk_call_init(&c, d, v, 0, r);
    rc = object_reached(&c, object, NULL);
    if (rc == 0)
        rc = observed_page(&c, object, page_limit(limit), before);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}
