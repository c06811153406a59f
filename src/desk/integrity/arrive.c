/* arrive.c - parts of snapshots, from the table into which the reader of findings lays them, until one is whole.
 *
 * Each row is taken in a transaction of its own: moved to its snapshot, which is applied there and then if this was the last part that lacked. What
 * is no part (another version, a sender that lies about its form) is counted at its host with the reason, and goes: a sender cannot hold up others. */
#include "desk/integrity/room.h"
#include "desk/duties/setback.h"
#include "base/log.h"

#define ARRIVED_TURN   200                   /* rows of one turn */
#define TURN_NS        (2 * NS_PER_SECOND)   /* findings and clocks come first again then */
#define SENDER_MAX     300u                  /* bytes of a name in a certificate */
#define PART_BYTES_MAX (1u * MIB)
#define BYTES_MAX      (32 * (int64_t)MIB)   /* of a snapshot */
#define PARTS_KEPT_NS  (7 * NS_PER_DAY)      /* of a snapshot that never became whole */
#define SCANS_KEPT     4                     /* unfinished ones of a host and kind */

void snapshot_free(struct snapshot *s)
{
    json_decref(s->items);
    json_decref(s->gone);
    free(s->roots);
    s->items = s->gone = NULL;
    s->roots = NULL;
}

/* --- one part --- */

static bool number(const json_t *o, const char *key, int64_t *out)
{
    const json_t *j = json_object_get(o, key);
    uint64_t v;

    if (json_is_integer(j)) {
        *out = json_integer_value(j);
        return *out >= 0;
    }
    if (!json_is_string(j) || !str_u64(str_c(json_string_value(j)), &v) || v > INT64_MAX)
        return false;
    *out = (int64_t)v;
    return true;
}

/* item_take - [key, part, part …] into {key: "part TAB part"}. */
static bool item_take(struct snapshot *s, const json_t *item)
{
    AUTO_BUF struct buf value = { 0 };
    const json_t *word;
    size_t i;

    buf_init(&value, FACT_VALUE_MAX);
    if (!json_is_array(item) || json_array_size(item) < 2 || json_array_size(item) > 8)
        return false;
    json_array_foreach((json_t *)(uintptr_t)item, i, word) {
        if (!json_is_string(word) || json_string_length(word) > FACT_KEY_MAX || memchr(json_string_value(word), '\t', json_string_length(word)))
            return false;
        if (i > 1)
            buf_byte(&value, '\t');
        if (i > 0)
            buf_str(&value, str_of(json_string_value(word), json_string_length(word)));
    }
    word = json_array_get(item, 0);
    if (buf_failed(&value) || json_string_length(word) == 0 || json_object_size(s->items) >= FACT_ITEMS_MAX)
        return false;
    return json_object_setn_new_nocheck(s->items, json_string_value(word), json_string_length(word), json_stringn(value.n ? value.p : "", value.n)) == 0;
}

static bool lists_take(struct snapshot *s, const json_t *o)
{
    const json_t *items = json_object_get(o, "items"), *gone = json_object_get(o, "gone"), *one;
    size_t i;

    if (!json_is_array(items) || !json_is_array(gone) || json_array_size(s->gone) + json_array_size(gone) > FACT_ITEMS_MAX)
        return false;
    json_array_foreach((json_t *)(uintptr_t)items, i, one)
        if (!item_take(s, one))
            return false;
    json_array_foreach((json_t *)(uintptr_t)gone, i, one)
        if (!json_is_string(one) || json_array_append(s->gone, (json_t *)(uintptr_t)one) < 0)
            return false;
    return true;
}

static bool roots_take(struct snapshot *s, const json_t *roots)
{
    const json_t *one;
    size_t i;

    if (!json_is_array(roots) || json_array_size(roots) > 64)
        return false;
    json_array_foreach((json_t *)(uintptr_t)roots, i, one)
        if (!json_is_string(one) || json_string_length(one) > FACT_KEY_MAX)
            return false;
    if (!s->roots)
        s->roots = json_dumps(roots, JSON_COMPACT);
    return s->roots != NULL;
}

int facts_part_read(struct str payload, struct snapshot *s, int64_t *part, bool *last, struct err *e)
{
    json_error_t story;
    json_t *o = payload.n && payload.n <= PART_BYTES_MAX ? json_loadb(payload.p, payload.n, JSON_REJECT_DUPLICATES, &story) : NULL;
    const char *kind = fact_kind(json_get_str(o, "kind"));
    bool ok = o && kind && (!s->kind || s->kind == kind) && number(o, "scan", &s->scan) && s->scan > 0 && number(o, "part", part) && *part >= 1 &&
              *part <= FACT_PARTS_MAX && json_is_boolean(json_object_get(o, "last")) && number(o, "total", &s->total) && number(o, "over", &s->over);

    s->kind = kind ? kind : s->kind;
    s->items = s->items ? s->items : json_object();
    s->gone = s->gone ? s->gone : json_array();
    s->base = 0;
    if (ok && json_object_get(o, "base"))
        ok = number(o, "base", &s->base) && s->base > 0;
    if (ok)
        ok = roots_take(s, json_object_get(o, "roots")) && lists_take(s, o);
    *last = ok && json_is_true(json_object_get(o, "last"));
    json_decref(o);
    return ok ? 0 : err_set(e, -EBADMSG, "this is no part of a snapshot of version 1");
}

/* --- hosts --- */

static int host_of(struct call *c, struct str sender, time_ns at, int64_t *id)
{
    return db_int(c->d, c->e, 0, id,
                  "INSERT INTO fact_host(host, first_seen_at, last_seen_at) VALUES (?1, ?2, ?2) ON CONFLICT (host) DO UPDATE SET last_seen_at ="
                  " max(last_seen_at, ?2) RETURNING id", "ti", sender, at);
}

static int refused(struct call *c, int64_t host_id, struct str sender, const char *story)
{
    char reason[ERR_TEXT_MAX];

    snprintf(reason, sizeof reason, "%s", story);
    log_line(LOG_WARN, "a part of a host's state cannot be taken, skipping it", "saqshy.id", arena_copy(&c->a, sender).p, "error.message", reason, NULL);
    int rc = db_exec(c->d, c->e, "UPDATE fact_host SET refused = refused + 1, refused_text = ?2 WHERE id = ?1", "iz", host_id, reason);
    return rc < 0 ? rc : 0;
}

/* --- whole? --- */

static int parts_load(struct call *c, struct snapshot *s)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT payload, received_at FROM fact_part WHERE host_id = ? AND kind = ? AND scan = ? ORDER BY part", "izi",
                                s->host_id, s->kind, s->scan);
    int rc = st ? 0 : -EIO;
    int64_t part;
    bool last;

    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        rc = facts_part_read(str_of(sqlite3_column_blob(st, 0), (size_t)sqlite3_column_bytes(st, 0)), s, &part, &last, c->e);
        s->received = sqlite3_column_int64(st, 1);
        if (rc < 0) {
            db_done(st);
            return rc;
        }
    }
    return rc;
}

static int parts_forget(struct call *c, const struct snapshot *s)
{
    int rc = db_exec(c->d, c->e, "DELETE FROM fact_part WHERE host_id = ? AND kind = ? AND scan <= ?", "izi", s->host_id, s->kind, s->scan);

    return rc < 0 ? rc : 0;
}

static int object_of(struct call *c, struct snapshot *s)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT object_id FROM object_host WHERE host = ?", "t", s->host);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    s->object_id = (struct str){ NULL, 0 };
    if (rc > 0) {
        s->object_id = db_copy(st, 0, &c->a);
        db_done(st);
    }
    return rc < 0 ? rc : 0;
}

static int whole_apply(struct call *c, struct snapshot *s)
{
    int64_t count = 0, end = 0, bytes = 0;
    int rc = db_int(c->d, c->e, 0, &end, "SELECT part FROM fact_part WHERE host_id = ? AND kind = ? AND scan = ? AND last = 1", "izi", s->host_id, s->kind, s->scan);

    if (rc == 0)
        rc = db_int(c->d, c->e, 0, &count, "SELECT count(*) FROM fact_part WHERE host_id = ? AND kind = ? AND scan = ?", "izi", s->host_id, s->kind, s->scan);
    if (rc < 0 || end == 0 || count != end)
        return rc;
    rc = db_int(c->d, c->e, 0, &bytes, "SELECT sum(length(payload)) FROM fact_part WHERE host_id = ? AND kind = ? AND scan = ?", "izi", s->host_id, s->kind, s->scan);
    if (rc == 0 && bytes > BYTES_MAX)
        rc = err_set(c->e, -EBADMSG, "a snapshot of more than %lld bytes", (long long)BYTES_MAX);
    if (rc < 0)
        return rc;
    json_object_clear(s->items);
    json_array_clear(s->gone);
    rc = parts_load(c, s);
    if (rc == 0)
        rc = object_of(c, s);
    if (rc == 0)
        rc = snapshot_apply(c, s);
    return rc < 0 ? rc : parts_forget(c, s);
}

/* --- one row --- */

struct arrived {
    int64_t    seq;
    time_ns    received;
    struct str sender, payload;
};

static int arrived_next(struct call *c, struct arrived *a)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT seq, received_at, sender, payload FROM state_arrived ORDER BY seq LIMIT 1", "");
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    if (rc > 0) {
        *a = (struct arrived){ sqlite3_column_int64(st, 0), sqlite3_column_int64(st, 1), db_copy(st, 2, &c->a),
                               arena_copy(&c->a, str_of(sqlite3_column_blob(st, 3), (size_t)sqlite3_column_bytes(st, 3))) };
        db_done(st);
    }
    return rc;
}

static int arrived_one(struct call *c, const struct arrived *a, struct snapshot *s)
{
    int64_t part = 0;
    bool last = false;
    int rc = db_exec(c->d, c->e, "DELETE FROM state_arrived WHERE seq = ?", "i", a->seq);

    s->host = a->sender;
    if (rc >= 0)
        rc = host_of(c, a->sender, a->received, &s->host_id);
    if (rc == 0)
        rc = facts_part_read(a->payload, s, &part, &last, c->e);
    if (rc == 0)
        rc = db_exec(c->d, c->e, "INSERT OR IGNORE INTO fact_part(host_id, kind, scan, part, last, received_at, payload) VALUES (?,?,?,?,?,?,?)", "iziiiib",
                     s->host_id, s->kind, s->scan, part, (int64_t)last, a->received, a->payload);
    /* A sender that begins snapshots and never ends them keeps a few. */
    if (rc >= 0)
        rc = db_exec(c->d, c->e,
                     "DELETE FROM fact_part WHERE host_id = ?1 AND kind = ?2 AND (received_at < ?3 OR scan < (SELECT min(scan) FROM (SELECT DISTINCT scan FROM"
                     " fact_part WHERE host_id = ?1 AND kind = ?2 ORDER BY scan DESC LIMIT ?4)))",
                     "izii", s->host_id, s->kind, c->now - PARTS_KEPT_NS, (int64_t)SCANS_KEPT);
    return rc < 0 ? rc : whole_apply(c, s);
}

/* arrived_refuse - the same row once more: out of the way, and said. */
static int arrived_refuse(struct call *c, const struct arrived *a, const struct snapshot *s, const char *story)
{
    int64_t host = 0;
    int rc = db_begin(c->d, c->e);

    if (rc < 0)
        return rc;
    rc = db_exec(c->d, c->e, "DELETE FROM state_arrived WHERE seq = ?", "i", a->seq);
    if (rc >= 0)
        rc = host_of(c, a->sender, a->received, &host);
    if (rc == 0 && s->kind && s->scan)
        rc = db_exec(c->d, c->e, "DELETE FROM fact_part WHERE host_id = ? AND kind = ? AND scan = ?", "izi", host, s->kind, s->scan);
    if (rc >= 0)
        rc = refused(c, host, a->sender, story);
    return db_end(c->d, rc, c->e);
}

int arrived_take(struct call *c, int *taken)
{
    const time_ns end = clock_steady() + TURN_NS;
    int rc = 1;

    for (*taken = 0; *taken < ARRIVED_TURN && clock_steady() < end; ++*taken) {
        struct snapshot s = { 0 };
        struct arrived a;
        char sender[SENDER_MAX + 1];

        arena_reset(&c->a);
        rc = arrived_next(c, &a);
        if (rc <= 0)
            break;
        snprintf(sender, sizeof sender, "%.*s", (int)min_size(a.sender.n, SENDER_MAX), a.sender.p);
        rc = db_begin(c->d, c->e);
        if (rc == 0)
            rc = db_end(c->d, arrived_one(c, &a, &s), c->e);
        if (rc < 0 && arena_failed(&c->a)) {   /* the memory of a turn is this row's alone: it would fail as often as it is tried */
            rc = err_set(c->e, -EBADMSG, "a snapshot that differs in too much at once");
            arena_reset(&c->a);
            a.sender = str_c(sender);
        }
        if (rc == -EBADMSG || setback_of_row(rc)) {
            char story[ERR_TEXT_MAX];

            snprintf(story, sizeof story, "%s", c->e->text);
            rc = arrived_refuse(c, &a, &s, story);
        }
        snapshot_free(&s);
        if (rc < 0)
            break;
    }
    return rc < 0 ? rc : 0;
}
