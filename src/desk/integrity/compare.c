/* compare.c - the checksums of the passport (paragraph 7(3)) laid beside the files that agents read (Q-04: algorithm, value, file).
 *
 * A file that the passport names with its whole path is looked for by that path; one that it names without a leading "/" by the end of the path, on
 * each host of the object. Agents compute SHA-256: a sum of another algorithm is "not comparable", which is said and is no difference. */
#include "desk/integrity/room.h"
#include "base/log.h"
#include "desk/duties/setback.h"

/* Passport items by the last part of their names, so that the files of a host are walked once. */
#define COMPARED_MAX 256   /* hosts of an object */

struct comparing {
    struct str object_id;
    int64_t    passport, version, round;
    json_t    *by_name;      /* {base name: [{file, algorithm, value, seen}]} */
    json_t    *before;       /* of one host: {"file TAB path": "verdict TAB expected TAB found"} as it stands and was not met yet; NULL: all is written */
    json_t    *unseen;       /* then: {file: verdict} of what no host had */
    json_t    *had;          /* then: {file: true} of what this host had */
    json_t    *roots;        /* [path] of all hosts */
    bool       any;          /* some host reports files */
    struct arena one;        /* of one verdict: there are as many as files times hosts */
};

static struct str base_name(struct str path)
{
    size_t n = path.n;

    while (n > 0 && path.p[n - 1] != '/')
        n--;
    return str_cut(path, n);
}

static int expected_load(struct call *c, struct comparing *k)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT json FROM passport_item WHERE passport_id = ? AND kind = 'checksum' ORDER BY position", "i", k->passport);
    int rc = st ? 0 : -EIO;

    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        struct str text = db_str(st, 0);
        json_t *item = json_loadb(text.p, text.n, 0, NULL), *list;
        struct str name = base_name(json_get_str(item, "file"));

        if (!name.n) {
            json_decref(item);
            continue;
        }
        list = json_object_getn(k->by_name, name.p, name.n);
        if (!list)
            json_object_setn_new(k->by_name, name.p, name.n, list = json_array());
        json_array_append_new(list, item);
    }
    return rc;
}

/* fits - does this path mean the file that the passport names? */
static bool fits(struct str file, struct str path)
{
    if (file.p[0] == '/')
        return str_eq(file, path);
    return str_ends(path, file) && (path.n == file.n || path.p[path.n - file.n - 1] == '/');
}

static const char *verdict_of(const json_t *item, struct str sum)
{
    struct str algorithm = json_get_str(item, "algorithm");

    if (str_starts(sum, STR("!")))
        return "not_comparable";
    if (!str_eq(algorithm, STR("sha256")))
        return "not_comparable";
    return str_ieq(json_get_str(item, "value"), sum) ? "match" : "differs";
}

struct verdict {
    struct str  file, path, expected, found;   /* found: the value of the fact; {NULL,0}: there is none */
    int64_t     host_id;
    const char *word;
};

/* verdict_write - the row, and the difference that waits, begins or ends. */
static int verdict_write(struct call *c, const struct comparing *k, const struct verdict *v)
{
    bool bad = strcmp(v->word, "differs") == 0 || strcmp(v->word, "missing") == 0;
    struct str expected = arena_printf(&c->a, "\t\t\t%.*s", STR_ARG(v->expected));
    struct fact_difference f = { .object_id = k->object_id, .host_id = v->host_id, .kind = "files", .key = v->path, .against = "passport",
                                 .what = v->found.p ? "changed" : "missing", .before = expected, .after = v->found, .waits = true };
    int rc = db_exec(c->d, c->e,
                     "INSERT INTO fact_check(object_id, file, host_id, path, verdict, expected, found, since_at, round) VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9)"
                     " ON CONFLICT DO UPDATE SET since_at = iif(verdict = ?5 AND found IS ?7, since_at, ?8), verdict = ?5, expected = ?6, found = ?7,"
                     " round = ?9",
                     "ttitzttii", k->object_id, v->file, v->host_id, v->path, v->word, v->expected, v->found.p ? value_part(v->found, 3) : v->found, c->now,
                     k->round);

    if (rc < 0)
        return rc;
    if (!bad)
        return difference_withdraw(c, k->object_id, v->host_id, "files", v->path, "passport");
    rc = difference_record(c, &f);
    /* The row about the passport waits; the same change need not be explained twice. */
    if (rc == 0)
        rc = db_exec(c->d, c->e, "UPDATE integrity_change SET state = 'recorded' WHERE host_id IS ?1 AND kind = 'files' AND key = ?2 AND against = 'before' AND state = 'open'",
                     "mt", (time_ns)v->host_id, v->path);
    return rc < 0 ? rc : 0;
}

/* verdict_put - in an arena of its own, forgotten with the row. */
static int verdict_put(struct call *c, struct comparing *k, const json_t *item, struct verdict *v)
{
    struct arena whole = c->a;

    c->a = k->one;
    v->expected = arena_printf(&c->a, "%.*s:%.*s", STR_ARG(json_get_str(item, "algorithm")), STR_ARG(json_get_str(item, "value")));
    int rc = verdict_write(c, k, v);
    k->one = c->a;
    arena_reset(&k->one);
    c->a = whole;
    return rc;
}

/* stands_already - a verdict that is good and says what the row says: nothing to write. What is bad is written each time: the difference that waits shows
 * the whole file as it is now. */
static bool stands_already(struct comparing *k, const json_t *item, const struct verdict *v)
{
    char key[2 * FACT_KEY_MAX + 2], now[2 * FACT_VALUE_MAX];
    const char *row;
    bool same;

    if (!k->before)
        return false;
    snprintf(key, sizeof key, "%.*s\t%.*s", STR_ARG(v->file), STR_ARG(v->path));
    row = json_string_value(json_object_get(k->before, key));
    if (!row)
        return false;
    snprintf(now, sizeof now, "%s\t%.*s:%.*s\t%.*s", v->word, STR_ARG(json_get_str(item, "algorithm")), STR_ARG(json_get_str(item, "value")),
             STR_ARG(value_part(v->found, 3)));
    same = strcmp(v->word, "differs") != 0 && strcmp(row, now) == 0;
    json_object_del(k->before, key);
    return same;
}

static int host_files(struct call *c, struct comparing *k, int64_t host_id)
{
    json_t *found = json_array(), *one;
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT key, value FROM fact_item WHERE host_id = ? AND kind = 'files'", "i", host_id);
    int64_t extra = 0;
    int rc = st ? 0 : -EIO;
    size_t i;

    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        struct str path = db_str(st, 0), value = db_str(st, 1), name = base_name(path);
        json_t *list = json_object_getn(k->by_name, name.p, name.n), *item;
        bool listed = false;

        json_array_foreach(list, i, item) {
            if (!fits(json_get_str(item, "file"), path))
                continue;
            listed = true;
            json_object_set_new(item, "seen", json_true());
            json_array_append_new(found, json_pack("{s:O, s:o, s:o}", "item", item, "path", json_str(path), "value", json_str(value)));
        }
        extra += !listed;
    }
    json_array_foreach(found, i, one) {
        const json_t *item = json_object_get(one, "item");
        struct str value = json_get_str(one, "value");
        struct verdict v = { .file = json_get_str(item, "file"), .path = json_get_str(one, "path"), .found = value, .host_id = host_id,
                             .word = verdict_of(item, value_part(value, 3)) };

        if (rc >= 0 && !stands_already(k, item, &v))
            rc = verdict_put(c, k, item, &v);
    }
    json_decref(found);
    if (rc >= 0)
        rc = db_exec(c->d, c->e, "UPDATE fact_state SET extra = ?2 WHERE host_id = ?1 AND kind = 'files'", "ii", host_id, extra);
    return rc < 0 ? rc : 0;
}

static bool watched(const struct comparing *k, struct str file)
{
    const json_t *root;
    size_t i;

    if (file.p[0] != '/')
        return k->any;
    json_array_foreach(k->roots, i, root) {
        struct str r = str_c(json_string_value(root));

        if (str_starts(file, r) && file.n > r.n && file.p[r.n] == '/')
            return true;
    }
    return false;
}

static int unseen(struct call *c, struct comparing *k)
{
    const char *name;
    json_t *list, *item;
    size_t i;
    int rc = 0;

    json_object_foreach(k->by_name, name, list)
        json_array_foreach(list, i, item) {
            struct verdict v = { .file = json_get_str(item, "file"), .path = json_get_str(item, "file") };

            if (rc < 0 || json_object_get(item, "seen"))
                continue;
            v.word = watched(k, v.file) ? "missing" : "not_watched";
            rc = verdict_put(c, k, item, &v);
        }
    return rc;
}

/* hosts_load - the hosts of the object that report files: their roots into k, their ids. */
static int hosts_load(struct call *c, struct comparing *k, int64_t ids[COMPARED_MAX], size_t *n)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT s.host_id, s.roots FROM object_host oh JOIN fact_host h ON h.host = oh.host JOIN fact_state s ON s.host_id = h.id AND"
                                " s.kind = 'files' WHERE oh.object_id = ?1 ORDER BY oh.position LIMIT 256",
                                "t", k->object_id);
    int rc = st ? 0 : -EIO;

    *n = 0;
    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        struct str text = db_str(st, 1);
        json_t *roots = json_loadb(text.p, text.n, 0, NULL);

        ids[(*n)++] = sqlite3_column_int64(st, 0);
        json_array_extend(k->roots, roots);
        json_decref(roots);
        k->any = true;
    }
    return rc;
}

static int hosts_compare(struct call *c, struct comparing *k)
{
    int64_t ids[COMPARED_MAX];
    size_t n = 0;
    int rc = hosts_load(c, k, ids, &n);

    for (size_t i = 0; rc >= 0 && i < n; i++)
        rc = host_files(c, k, ids[i]);
    return rc;
}

/* checked_put - which passport the object was laid beside, and how many files of its hosts it does not name. */
static int checked_put(struct call *c, const struct comparing *k)
{
    int rc = db_exec(c->d, c->e,
                     "INSERT INTO fact_checked(object_id, version, round, at, extra) SELECT ?1, ?2, ?3, ?4, coalesce(sum(s.extra), 0) FROM object_host oh JOIN"
                     " fact_host h ON h.host = oh.host JOIN fact_state s ON s.host_id = h.id AND s.kind = 'files' WHERE oh.object_id = ?1 ON CONFLICT DO UPDATE SET"
                     " version = excluded.version, round = excluded.round, at = excluded.at, extra = excluded.extra",
                     "tiii", k->object_id, k->version, k->round, c->now);

    return rc < 0 ? rc : 0;
}

/* forgotten - rows of what the passport or the hosts no longer have; differences about them wait for nobody. */
static int forgotten(struct call *c, const struct comparing *k)
{
    int rc = db_exec(c->d, c->e,
                     "UPDATE integrity_change SET state = 'withdrawn', decided_at = ?3 WHERE object_id = ?1 AND against = 'passport' AND state IN"
                     " ('open','explained','denied','questioned') AND EXISTS (SELECT 1 FROM fact_check f WHERE f.object_id = ?1 AND f.round <> ?2 AND f.path ="
                     " integrity_change.key AND f.host_id = coalesce(integrity_change.host_id, 0))",
                     "tii", k->object_id, k->round, c->now);

    if (rc >= 0)
        rc = db_exec(c->d, c->e, "DELETE FROM fact_check WHERE object_id = ? AND round <> ?", "ti", k->object_id, k->round);
    return rc < 0 ? rc : 0;
}

/* comparing_begin - the newest passport, what it expects, the number of this round. */
static int comparing_begin(struct call *c, struct comparing *k, struct str object_id)
{
    *k = (struct comparing){ .object_id = object_id, .by_name = json_object(), .roots = json_array() };
    arena_init(&k->one, MIB);
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT id, version FROM passport WHERE object_id = ? ORDER BY version DESC LIMIT 1", "t", object_id);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    if (rc > 0) {
        k->passport = sqlite3_column_int64(st, 0);
        k->version = sqlite3_column_int64(st, 1);
        db_done(st);
    }
    if (rc >= 0)
        rc = db_int(c->d, c->e, 0, &k->round, "SELECT round + 1 FROM fact_checked WHERE object_id = ?", "t", object_id);
    if (rc == 0 && k->passport)
        rc = expected_load(c, k);
    return rc < 0 ? rc : 0;
}

static void comparing_end(struct comparing *k)
{
    json_decref(k->by_name);
    json_decref(k->roots);
    json_decref(k->before);
    json_decref(k->unseen);
    json_decref(k->had);
    arena_free(&k->one);
}

int compare_object(struct call *c, struct str object_id)
{
    struct comparing k;
    int rc = comparing_begin(c, &k, object_id);

    if (rc == 0)
        rc = hosts_compare(c, &k);
    if (rc >= 0)
        rc = unseen(c, &k);
    if (rc >= 0)
        rc = forgotten(c, &k);
    if (rc >= 0)
        rc = checked_put(c, &k);
    comparing_end(&k);
    return rc < 0 ? rc : 0;
}

/* --- one host --- */

static int stands_load(struct call *c, struct comparing *k, int64_t host_id)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT file, path, verdict, expected, coalesce(found, '') FROM fact_check WHERE host_id = ?2 AND object_id = ?1", "ti",
                                k->object_id, host_id);
    int rc = st ? 0 : -EIO;

    k->before = json_object();
    k->had = json_object();
    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        struct str file = db_str(st, 0), path = db_str(st, 1);
        char key[2 * FACT_KEY_MAX + 2], row[2 * FACT_VALUE_MAX];

        snprintf(key, sizeof key, "%.*s\t%.*s", STR_ARG(file), STR_ARG(path));
        snprintf(row, sizeof row, "%.*s\t%.*s\t%.*s", STR_ARG(db_str(st, 2)), STR_ARG(db_str(st, 3)), STR_ARG(db_str(st, 4)));
        json_object_set_new(k->before, key, json_string(row));
        json_object_setn_new(k->had, file.p, file.n, json_true());
    }
    st = rc < 0 ? NULL : db_query(c->d, c->e, "SELECT file, verdict FROM fact_check WHERE host_id = 0 AND object_id = ?", "t", k->object_id);
    k->unseen = json_object();
    rc = rc < 0 ? rc : st ? 0 : -EIO;
    while (st && (rc = db_step(c->d, st, c->e)) > 0)
        json_object_setn_new(k->unseen, db_str(st, 0).p, db_str(st, 0).n, db_json(st, 1));
    return rc;
}

/* row_end - a row that says nothing any more; the difference about it waits for nobody. */
static int row_end(struct call *c, const struct comparing *k, int64_t host_id, struct str file, struct str path)
{
    int rc = db_exec(c->d, c->e, "DELETE FROM fact_check WHERE object_id = ? AND file = ? AND host_id = ? AND path = ?", "ttit", k->object_id, file, host_id, path);

    return rc < 0 ? rc : difference_withdraw(c, k->object_id, host_id, "files", path, "passport");
}

static int gone_from_host(struct call *c, struct comparing *k, int64_t host_id)
{
    const char *key;
    json_t *row;
    int rc = 0;

    json_object_foreach(k->before, key, row) {
        struct str rest = str_c(key), file;

        if (rc == 0 && str_split(&rest, '\t', &file))
            rc = row_end(c, k, host_id, file, rest);
    }
    return rc;
}

/* unseen_here - a file of the passport that this host has not: missing, if no other host has it. */
static int unseen_here(struct call *c, struct comparing *k, int64_t host_id, const json_t *item)
{
    struct verdict v = { .file = json_get_str(item, "file"), .path = json_get_str(item, "file") };
    const char *stood = json_string_value(json_object_getn(k->unseen, v.file.p, v.file.n));
    int64_t elsewhere = 0;
    int rc = 0;

    v.word = watched(k, v.file) ? "missing" : "not_watched";
    if (stood && strcmp(stood, v.word) == 0)
        return 0;
    if (!stood && json_object_getn(k->had, v.file.p, v.file.n))
        rc = db_int(c->d, c->e, 0, &elsewhere, "SELECT EXISTS (SELECT 1 FROM fact_check WHERE object_id = ?1 AND file = ?2 AND host_id > 0 AND host_id <> ?3)", "tti",
                    k->object_id, v.file, host_id);
    else if (!stood)
        return 0;                       /* another host has it, as before */
    return rc < 0 || elsewhere ? rc : verdict_put(c, k, item, &v);
}

static int unseen_after(struct call *c, struct comparing *k, int64_t host_id)
{
    const char *name;
    json_t *list, *item;
    size_t i;
    int rc = 0;

    json_object_foreach(k->by_name, name, list)
        json_array_foreach(list, i, item) {
            struct str file = json_get_str(item, "file");

            if (rc < 0)
                return rc;
            if (!json_object_get(item, "seen"))
                rc = unseen_here(c, k, host_id, item);
            else if (json_object_getn(k->unseen, file.p, file.n))
                rc = row_end(c, k, 0, file, file);
        }
    return rc;
}

int compare_host(struct call *c, struct str object_id, int64_t host_id)
{
    int64_t ids[COMPARED_MAX], version = -1;
    struct comparing k;
    size_t n = 0;
    int rc = comparing_begin(c, &k, object_id);
    bool among = false;

    if (rc == 0)
        rc = db_int(c->d, c->e, -1, &version, "SELECT version FROM fact_checked WHERE object_id = ?", "t", object_id);
    if (rc == 0)
        rc = hosts_load(c, &k, ids, &n);
    for (size_t i = 0; i < n; i++)
        among = among || ids[i] == host_id;
    if (rc < 0 || version != k.version || !among) {
        comparing_end(&k);
        return rc < 0 ? rc : compare_object(c, object_id);
    }
    rc = stands_load(c, &k, host_id);
    if (rc >= 0)
        rc = host_files(c, &k, host_id);
    if (rc >= 0)
        rc = gone_from_host(c, &k, host_id);
    if (rc >= 0)
        rc = unseen_after(c, &k, host_id);
    if (rc >= 0)
        rc = checked_put(c, &k);
    comparing_end(&k);
    return rc < 0 ? rc : 0;
}

int compare_next(struct call *c)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT k.object_id FROM fact_checked k WHERE k.version <> coalesce((SELECT max(version) FROM passport p WHERE p.object_id ="
                                " k.object_id), 0) LIMIT 1",
                                "");
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    if (rc <= 0)
        return rc;
    struct str object = db_copy(st, 0, &c->a);
    db_done(st);
    rc = db_begin(c->d, c->e);
    if (rc == 0)
        rc = db_end(c->d, compare_object(c, object), c->e);
    if (rc < 0 && (setback_of_row(rc) || arena_failed(&c->a))) {   /* it keeps no other object waiting: its next snapshot is laid beside the passport again */
        log_line(LOG_WARN, "an object's files cannot be laid beside its passport", "error.message", c->e->text, NULL);
        rc = db_exec(c->d, c->e, "UPDATE fact_checked SET version = coalesce((SELECT max(version) FROM passport p WHERE p.object_id = fact_checked.object_id), 0)"
                                 " WHERE object_id = ?", "t", object);
    }
    return rc < 0 ? rc : 1;
}
