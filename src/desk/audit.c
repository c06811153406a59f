/* audit.c - the audit trail: rows that are only added, each with the hash of itself and the row before.
 *
 * What a row hashes to stands in audit_chain.h. Cutting off the newest rows shows in sqlite_sequence and in our own log, where every row goes too,
 * and from there into the journal, which the desk cannot change.
 *
 * A list checks the rows that it shows; the whole trail is walked once a day in the background (audit_sweep). */
#include "desk/audit_chain.h"
#include "desk/internal.h"
#include "base/log.h"

static const char zero_hash[] = AUDIT_ZERO_HASH;

int audit_add(struct call *c, const char *action, const char *target, struct str detail, const char *outcome)
{
    struct audit_row r = { .at = recorded_at(c), .action = str_c(action), .target = str_c(target), .outcome = str_c(outcome) };
    char before[65], hash[65];
    sqlite3_stmt *st;
    int rc;

    r.detail = str_of(detail.p, min_size(detail.n, 2000));
    while (r.detail.n && !str_utf8_valid(r.detail))
        r.detail.n--;
    if (c->v) {
        r.login = str_c(c->v->login);
        r.role = str_c(c->v->role < DESK_ROLE_COUNT ? desk_role_name(c->v->role) : "");
        r.address = str_c(c->v->address);
    }
    snprintf(before, sizeof before, "%s", zero_hash);
    r.id = 1;
    st = db_query(c->d, c->e, "SELECT id, hash FROM audit ORDER BY id DESC LIMIT 1", "");
    if (!st)
        return -EIO;
    rc = db_step(c->d, st, c->e);
    if (rc < 0)
        return rc;
    if (rc > 0) {
        r.id = sqlite3_column_int64(st, 0) + 1;
        snprintf(before, sizeof before, "%.*s", 64, db_str(st, 1).p);
        db_done(st);
    }
    audit_row_hash(before, &r, hash);
    rc = db_exec(c->d, c->e,
                 "INSERT INTO audit(id, at, login, role, address, action, target, detail, outcome, hash) VALUES (?,?,?,?,?,?,?,?,?,?)",
                 "iizzzzztzz", r.id, r.at, c->v ? c->v->login : "", r.role.n ? r.role.p : NULL, c->v ? c->v->address : "", action, target,
                 r.detail.p ? r.detail : STR(""), outcome, hash);
    if (rc < 0)
        return rc;
    log_line(LOG_SEC, "audit", "event.action", action, "user.name", c->v ? c->v->login : "", "source.address", c->v ? c->v->address : "",
             "saqshy.target", target, "event.outcome", outcome, "saqshy.audit_hash", hash, NULL);
    return 0;
}

void audit_refusal(struct call *c, const char *action, const char *target)
{
    struct err kept = *c->e, e = { 0 };
    int rc = db_begin(c->d, &e);

    if (rc == 0) {
        c->e = &e;
        rc = audit_add(c, action, target, str_c(kept.text), "refused");
        rc = db_end(c->d, rc, &e);
        c->e = &c->r->err;
    }
    if (rc < 0)
        log_line(LOG_ERROR, "could not write a refusal into the audit trail, going on", "error.message", e.text, NULL);
    *c->e = kept;
}

int audit_read(struct call *c, const char *action, const char *target, struct str detail)
{
    int rc = db_begin(c->d, c->e);

    return rc < 0 ? rc : db_end(c->d, audit_add(c, action, target, detail, "ok"), c->e);
}

int desk_audit_note(struct desk *d, const struct viewer *v, const char *action, const char *target, const char *detail, const char *outcome,
                    time_ns now, struct err *e)
{
    struct desk_reply r = { 0 };
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, &r);
    rc = db_begin(d, c.e);
    if (rc == 0)
        rc = db_end(d, audit_add(&c, action, target, str_c(detail ? detail : ""), outcome), c.e);
    if (rc < 0)
        err_set(e, rc, "%s", r.err.text);
    desk_call_free(&c);
    desk_reply_free(&r);
    return rc;
}

/* walk - rows from id first on, at most most of them, each against the one before; before holds the hash of row first - 1 and becomes that of the last
 * one seen. Returns how many fit; *broken_at is the first that does not, 0 if all do. */
static int64_t walk(struct desk *d, int64_t first, int64_t most, char before[65], int64_t *broken_at, struct err *e)
{
    int64_t want = first;
    char hash[65];
    int rc;
    sqlite3_stmt *st = db_query(d, e,
                                "SELECT id, at, login, role, address, action, target, detail, outcome, hash FROM audit WHERE id >= ?1 ORDER BY id"
                                " LIMIT ?2",
                                "ii", first, most);

    *broken_at = 0;
    if (!st)
        return -EIO;
    while ((rc = db_step(d, st, e)) > 0) {
        struct audit_row r = { sqlite3_column_int64(st, 0), sqlite3_column_int64(st, 1), db_str(st, 2), db_str(st, 3), db_str(st, 4),
                               db_str(st, 5), db_str(st, 6), db_str(st, 7), db_str(st, 8) };

        audit_row_hash(before, &r, hash);
        if (r.id != want || !str_eq(db_str(st, 9), str_c(hash))) {
            *broken_at = want < r.id ? want : r.id;
            db_done(st);
            return want - first;
        }
        memcpy(before, hash, 65);
        want++;
    }
    return rc < 0 ? rc : want - first;
}

/* last_id - of the newest row that ever was: rows that were cut off show here. */
static int last_id(struct desk *d, int64_t *last, struct err *e)
{
    return db_int(d, e, 0, last, "SELECT seq FROM sqlite_sequence WHERE name = 'audit'", "");
}

int desk_audit_verify(struct desk *d, int64_t *broken_at, struct err *e)
{
    char before[65];
    int64_t last = 0, n;
    int rc = last_id(d, &last, e);

    if (rc < 0)
        return rc;
    snprintf(before, sizeof before, "%s", zero_hash);
    n = walk(d, 1, INT64_MAX, before, broken_at, e);
    if (n < 0)
        return (int)n;
    if (*broken_at == 0)
        *broken_at = n + 1;
    return n == last ? 0 : 1;
}

/* --- the walk in the background ---
 *
 * Reading the whole trail takes longer with each day, so no request does it. Each tick goes AUDIT_TURN rows on from where it stood (meta
 * audit_at, audit_hash), and after the end begins anew a day later; what it finds stays in meta audit_broken until a later walk finds all whole. */

#define AUDIT_TURN   2000
#define AUDIT_ROUND  (24 * NS_PER_HOUR)

static int meta_put(struct desk *d, const char *key, int64_t value, struct err *e)
{
    int rc = db_exec(d, e, "INSERT INTO meta(key, value) VALUES (?1, ?2) ON CONFLICT(key) DO UPDATE SET value = ?2", "zi", key, value);

    return rc < 0 ? rc : 0;
}

static int meta_int(struct desk *d, const char *key, int64_t *out, struct err *e)
{
    return db_int(d, e, 0, out, "SELECT value FROM meta WHERE key = ?", "z", key);
}

/* hash_of - the hash that row id claims; zeros for 0. */
static int hash_of(struct desk *d, int64_t id, char out[65], struct err *e)
{
    sqlite3_stmt *st = id ? db_query(d, e, "SELECT hash FROM audit WHERE id = ?", "i", id) : NULL;
    int rc = id == 0 ? 0 : st ? db_step(d, st, e) : -EIO;

    snprintf(out, 65, "%s", zero_hash);
    if (rc > 0) {
        snprintf(out, 65, "%.*s", (int)min_size(db_str(st, 0).n, 64), db_str(st, 0).p);
        db_done(st);
    }
    return rc < 0 ? rc : 0;
}

/* round_end - the last row was reached, or one that does not fit. */
static int round_end(struct desk *d, int64_t broken, time_ns now, struct err *e)
{
    int rc = meta_put(d, "audit_broken", broken, e);

    if (rc == 0 && broken)
        log_line(LOG_ERROR, "the audit trail does not hold: a row was changed or removed", "saqshy.target", "audit", NULL);
    if (rc == 0)
        rc = meta_put(d, "audit_at", 0, e);
    return rc < 0 ? rc : meta_put(d, "audit_rest_until", now + AUDIT_ROUND, e);
}

static int sweep(struct desk *d, time_ns now, struct err *e)
{
    int64_t at = 0, rest = 0, last = 0, broken = 0, n;
    char before[65];
    int rc = meta_int(d, "audit_rest_until", &rest, e);

    if (rc < 0 || (rest > now && rest <= now + AUDIT_ROUND))
        return rc;
    rc = meta_int(d, "audit_at", &at, e);
    if (rc == 0)
        rc = last_id(d, &last, e);
    if (rc == 0)
        rc = hash_of(d, at, before, e);
    if (rc < 0)
        return rc;
    n = walk(d, at + 1, AUDIT_TURN, before, &broken, e);
    if (n < 0)
        return (int)n;
    if (broken || (n < AUDIT_TURN && at + n < last))
        return round_end(d, broken ? broken : at + n + 1, now, e);
    return n < AUDIT_TURN ? round_end(d, 0, now, e) : meta_put(d, "audit_at", at + n, e);
}

int audit_sweep(struct desk *d, time_ns now, struct err *e)
{
    int rc = db_begin(d, e);

    return rc < 0 ? rc : db_end(d, sweep(d, now, e), e);
}

static json_t *entry_json(sqlite3_stmt *st)
{
    json_t *role = db_json(st, 3);

    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "id", db_json_id(st, 0), "at", db_json_time(st, 1), "login",
                     db_json(st, 2), "role", role, "address", db_json(st, 4), "action", db_json(st, 5), "target", db_json(st, 6), "detail",
                     db_json(st, 7), "outcome", db_json(st, 8), "hash", db_json(st, 9));
}

/* page_holds - do the rows from id first to id last fit one another? And is the newest row still the newest? */
static int page_holds(struct call *c, int64_t first, int64_t last, int64_t *broken)
{
    char before[65];
    int64_t n, newest = 0, kept = 0;
    int rc = hash_of(c->d, first - 1, before, c->e);

    if (rc == 0)
        rc = meta_int(c->d, "audit_broken", broken, c->e);
    if (rc == 0)
        rc = last_id(c->d, &newest, c->e);
    if (rc == 0)
        rc = db_int(c->d, c->e, 0, &kept, "SELECT max(id) FROM audit", "");
    if (rc < 0 || *broken)
        return rc;
    n = first <= last ? walk(c->d, first, last - first + 1, before, broken, c->e) : 0;
    if (n >= 0 && *broken == 0 && kept < newest)
        *broken = kept + 1;
    return n < 0 ? (int)n : 0;
}

/* A search looks at so many rows a request; what is older is asked for by the next page. */
#define AUDIT_LOOK 50000

static int audit_page(struct call *c, struct str q, int limit, struct str before)
{
    int64_t from = before.n ? parse_id(before) : INT64_MAX, broken = 0, newest = 0, floor, first = INT64_MAX, last = 0;
    json_t *items, *next = NULL;
    int rc = last_id(c->d, &newest, c->e), n = 0;

    from = from < newest + 1 ? from : newest + 1;
    floor = q.n ? from - AUDIT_LOOK : 0;
    sqlite3_stmt *st = rc < 0 ? NULL : db_query(c->d, c->e,
                                "SELECT id, at, login, role, address, action, target, detail, outcome, hash FROM audit WHERE id < ?1 AND id >= ?4"
                                " AND (?2 = '' OR instr(lower(login), ?2) OR instr(lower(action), ?2) OR instr(lower(target), ?2))"
                                " ORDER BY id DESC LIMIT ?3",
                                "itii", from, q.n ? fold_text(q, &c->a) : STR(""), (int64_t)page_limit(limit), floor);
    if (!st)
        return -EIO;
    items = json_array();
    while ((rc = db_step(c->d, st, c->e)) > 0) {
        first = sqlite3_column_int64(st, 0);
        last = n++ ? last : first;
        json_array_append_new(items, entry_json(st));
    }
    if (rc == 0)
        rc = page_holds(c, q.n || n == 0 ? 1 : first, q.n || n == 0 ? 0 : last, &broken);
    if (n == page_limit(limit) && first > 1)
        next = json_id(first);
    else if (n < page_limit(limit) && floor > 1)
        next = json_id(floor);
    c->r->json = json_pack("{s:o, s:o, s:{s:b, s:o}}", "items", items, "next", next ? next : json_null(), "chain", "ok", broken == 0, "broken_at",
                           broken ? json_id(broken) : json_null());
    return rc;
}

int desk_audit(struct desk *d, const struct viewer *v, struct str q, int limit, struct str before, struct desk_reply *r)
{
    struct call c;
    int rc;

    desk_call_init(&c, d, v, 0, r);
    rc = v->role == DESK_ADMINISTRATOR || v->role == DESK_AUDITOR
             ? audit_page(&c, q, limit, before)
             : refuse(&c, -EACCES, "forbidden", NULL, "the audit trail is for administrators and auditors");
    desk_call_free(&c);
    return refuse_rc(r, rc);
}
