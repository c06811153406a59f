/* apply.c - a whole snapshot becomes what is known of its host, and its differences rows. */
#include "desk/integrity/room.h"
#include "desk/tables/tables.h"

#include <fnmatch.h>

#define SOFTWARE_MAX OBSERVED_ITEMS_MAX

struct known {
    int64_t scan;
    bool    stale, any;
};

static int known_load(struct call *c, const struct snapshot *s, struct known *k)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT scan, stale FROM fact_state WHERE host_id = ? AND kind = ?", "iz", s->host_id, s->kind);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    *k = (struct known){ 0 };
    if (rc > 0) {
        *k = (struct known){ sqlite3_column_int64(st, 0), sqlite3_column_int64(st, 1) != 0, true };
        db_done(st);
    }
    return rc < 0 ? rc : 0;
}

/* tell - a difference to what was known before. What is known for the first time is no difference. */
static int tell(struct call *c, const struct snapshot *s, const struct known *k, struct str key, struct str before, struct str after)
{
    const struct integrity_policy *p = c->d->integrity;
    struct fact_difference f = { .object_id = s->object_id, .host_id = s->host_id, .kind = s->kind, .key = key, .against = "before",
                                 .what = !before.p ? "appeared" : !after.p ? "missing" : "changed", .before = before, .after = after,
                                 .waits = s->kind[0] == 'f' ? p->files_wait : s->kind[0] == 's' && p->settings_wait };

    return !k->any || !s->object_id.p || s->kind[0] == 't' ? 0 : difference_record(c, &f);   /* a clock is no configuration: its state is told, never explained */
}

static int item_before(struct call *c, const struct snapshot *s, struct str key, struct str *out)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT value FROM fact_item WHERE host_id = ? AND kind = ? AND key = ?", "izt", s->host_id, s->kind, key);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    *out = (struct str){ NULL, 0 };
    if (rc > 0) {
        *out = db_copy(st, 0, &c->a);
        db_done(st);
    }
    return rc < 0 ? rc : 0;
}

static int item_now(struct call *c, const struct snapshot *s, const struct known *k, struct str key, struct str after)
{
    struct str before;
    int rc = item_before(c, s, key, &before);

    if (rc < 0 || (before.p && str_eq(before, after)))
        return rc;
    bool same = before.p && value_same_fact(s->kind, before, after);
    rc = db_exec(c->d, c->e,
                 "INSERT INTO fact_item(host_id, kind, key, value, since_at) VALUES (?1,?2,?3,?4,?5) ON CONFLICT DO UPDATE SET value = ?4,"
                 " since_at = iif(?6, since_at, ?5)",
                 "izttii", s->host_id, s->kind, key, after, s->received, (int64_t)same);
    return rc < 0 || same ? rc : tell(c, s, k, key, before, after);
}

static int item_gone(struct call *c, const struct snapshot *s, const struct known *k, struct str key)
{
    struct str before;
    int rc = item_before(c, s, key, &before);

    if (rc < 0 || !before.p)
        return rc;
    rc = db_exec(c->d, c->e, "DELETE FROM fact_item WHERE host_id = ? AND kind = ? AND key = ?", "izt", s->host_id, s->kind, key);
    return rc < 0 ? rc : tell(c, s, k, key, before, (struct str){ NULL, 0 });
}

/* gone_find - of a whole list: what is known and does not stand in it. */
static int gone_find(struct call *c, struct snapshot *s)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT key FROM fact_item WHERE host_id = ? AND kind = ?", "iz", s->host_id, s->kind);
    int rc = st ? 0 : -EIO;

    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        struct str key = db_str(st, 0);

        if (!json_object_getn(s->items, key.p, key.n))
            json_array_append_new(s->gone, json_stringn(key.p, key.n));
    }
    return rc;
}

static int items_apply(struct call *c, struct snapshot *s, const struct known *k)
{
    struct arena *a = &c->a;
    const char *key;
    size_t key_n, i;
    json_t *value;
    int rc = s->base ? 0 : gone_find(c, s);

    json_object_keylen_foreach(s->items, key, key_n, value) {
        if (rc < 0)
            return rc;
        rc = item_now(c, s, k, str_of(key, key_n), str_of(json_string_value(value), json_string_length(value)));
        if (arena_failed(a))
            return err_set(c->e, -ENOMEM, "a snapshot is too large");
    }
    json_array_foreach(s->gone, i, value)
        if (rc >= 0)
            rc = item_gone(c, s, k, str_of(json_string_value(value), json_string_length(value)));
    return rc < 0 ? rc : 0;
}

/* --- what is known of the host now --- */

static int unreadable_count(struct call *c, const struct snapshot *s, int64_t *n)
{
    if (s->kind[0] == 'p')
        return 0;
    return db_int(c->d, c->e, 0, n,
                  "SELECT count(*) FROM fact_item WHERE host_id = ?1 AND kind = ?2 AND (?2 = 'files' AND instr(value, char(9) || '!') > 0"
                  " OR ?2 IN ('settings','time') AND value LIKE 'unreadable%')",
                  "iz", s->host_id, s->kind);
}

static int state_write(struct call *c, const struct snapshot *s)
{
    int64_t count = 0, unreadable = 0;
    int rc = db_int(c->d, c->e, 0, &count, "SELECT count(*) FROM fact_item WHERE host_id = ? AND kind = ?", "iz", s->host_id, s->kind);

    if (rc == 0)
        rc = unreadable_count(c, s, &unreadable);
    if (rc < 0)
        return rc;
    return db_exec(c->d, c->e,
                   "INSERT INTO fact_state(host_id, kind, scan, items, unreadable, over, roots, received_at, full_at, stale) VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?8,?9)"
                   " ON CONFLICT DO UPDATE SET scan = ?3, items = ?4, unreadable = ?5, over = ?6, roots = ?7, received_at = ?8,"
                   " full_at = iif(?10, full_at, ?8), stale = ?9",
                   "iziiiiziii", s->host_id, s->kind, s->scan, count, unreadable, s->over, s->roots ? s->roots : "[]", s->received,
                   (int64_t)(count != s->total), (int64_t)(s->base != 0));
}

/* --- packages beside the passport's software --- */

static bool left_out(const struct call *c, const char *name)
{
    const struct integrity_policy *p = c->d->integrity;
    char pattern[100];

    for (size_t i = 0; i < p->leave_out_count; i++) {
        snprintf(pattern, sizeof pattern, "%.*s", STR_ARG(p->leave_out[i]));
        if (fnmatch(pattern, name, 0) == 0)
            return true;
    }
    return false;
}

/* listed - the names of software that the newest passport gives this host. */
static int listed(struct call *c, const struct snapshot *s, json_t *names)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT i.json ->> '$.name' FROM passport_item i WHERE i.passport_id = (SELECT id FROM passport WHERE object_id = ?1 ORDER BY"
                                " version DESC LIMIT 1) AND i.kind = 'software' AND i.json ->> '$.host' = ?2 COLLATE NOCASE",
                                "tt", s->object_id, s->host);
    int rc = st ? 0 : -EIO;

    while (st && (rc = db_step(c->d, st, c->e)) > 0)
        json_object_setn_new(names, db_str(st, 0).p, db_str(st, 0).n, json_true());
    return rc;
}

/* software_items - 1: there is more than the passport may be laid beside, so what is missing cannot be told. */
static int software_items(struct call *c, const struct snapshot *s, json_t *names, json_t *items)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT key, value FROM fact_item WHERE host_id = ? AND kind = 'packages' ORDER BY key", "i", s->host_id);
    int rc = st ? 0 : -EIO;

    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        struct str key = db_str(st, 0), version = db_str(st, 1);
        ptrdiff_t colon = str_chr(key, ':');
        char name[256];

        snprintf(name, sizeof name, "%.*s", (int)min_size(colon < 0 ? key.n : (size_t)colon, 255), key.p);
        if (!*name || (left_out(c, name) && !json_object_get(names, name)))
            continue;
        if (json_array_size(items) >= SOFTWARE_MAX) {
            db_done(st);
            return 1;
        }
        json_array_append_new(items, json_pack("{s:s, s:s, s:o, s:o}", "kind", "software", "name", name, "host", json_str(s->host), "version",
                                               json_str(str_of(version.p, min_size(version.n, 200)))));
    }
    return rc;
}

static int software_observe(struct call *c, const struct snapshot *s)
{
    json_t *names = json_object(), *items = json_array();
    struct observation o = { .object_id = s->object_id, .source = arena_printf(&c->a, "agent:%.*s", STR_ARG(s->host)), .items = items, .host = s->host };
    int rc = listed(c, s, names);

    if (rc == 0)
        rc = software_items(c, s, names, items);
    if (rc > 0)
        o.host = (struct str){ NULL, 0 };
    if (rc >= 0)
        rc = passport_observe(c, &o);
    json_decref(names);
    json_decref(items);
    return rc < 0 ? rc : 0;
}

int snapshot_apply(struct call *c, struct snapshot *s)
{
    struct known k;
    int rc = known_load(c, s, &k);

    if (rc < 0 || (k.any && k.scan == s->scan))
        return rc;                     /* it is here already: an agent whose state was lost sends again */
    if (s->base && (!k.any || k.scan != s->base || k.stale)) {
        /* What it builds on is not what we have. The next whole list, in a week at the latest, mends it; until then the page says so. */
        rc = db_exec(c->d, c->e, "UPDATE fact_state SET stale = 1 WHERE host_id = ? AND kind = ?", "iz", s->host_id, s->kind);
        return rc < 0 ? rc : 0;
    }
    rc = items_apply(c, s, &k);
    if (rc == 0)
        rc = state_write(c, s);
    if (rc >= 0 && s->object_id.p && s->kind[0] == 'p')
        rc = software_observe(c, s);
    if (rc >= 0 && s->object_id.p && s->kind[0] == 'f')
        rc = compare_host(c, s->object_id, s->host_id);
    return rc < 0 ? rc : 0;
}
