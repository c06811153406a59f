/* audit.c - the audit trail: rows that are only added, each with the hash of itself and the row before.
 *
 * hash(n) = SHA-256(hash(n-1) || id || at || login || role || address || action || target || detail || outcome); numbers are 64-bit
 * little-endian, texts have their length in front; hash(0) is 64 zeros. Cutting off the newest rows shows in sqlite_sequence and in
 * our own log, where every row goes too, and from there into the journal, which the desk cannot change. */
#include "desk/internal.h"
#include "base/log.h"

struct audit_row {
    int64_t    id;
    time_ns    at;
    struct str login, role, address, action, target, detail, outcome;
};

static void row_hash(const char *before, const struct audit_row *r, char out[65])
{
    const struct str parts[] = { r->login, r->role, r->address, r->action, r->target, r->detail, r->outcome };
    AUTO_BUF struct buf b = { 0 };

    buf_init(&b, MIB);
    buf_put(&b, before, 64);
    buf_le64(&b, (uint64_t)r->id);
    buf_le64(&b, (uint64_t)r->at);
    for (size_t i = 0; i < COUNT(parts); i++) {
        buf_le64(&b, parts[i].n);
        buf_str(&b, parts[i]);
    }
    secret_sha256_hex(buf_view(&b), out);
}

static const char zero_hash[] = "0000000000000000000000000000000000000000000000000000000000000000";

int audit_add(struct call *c, const char *action, const char *target, struct str detail, const char *outcome)
{
    struct audit_row r = { .at = c->now, .action = str_c(action), .target = str_c(target), .outcome = str_c(outcome) };
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
    row_hash(before, &r, hash);
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

int desk_audit_verify(struct desk *d, int64_t *broken_at, struct err *e)
{
    char before[65], hash[65];
    int64_t want = 1, last = 0;
    int rc = db_int(d, e, 0, &last, "SELECT seq FROM sqlite_sequence WHERE name = 'audit'", "");
    sqlite3_stmt *st;

    if (rc < 0)
        return rc;
    snprintf(before, sizeof before, "%s", zero_hash);
    st = db_query(d, e, "SELECT id, at, login, role, address, action, target, detail, outcome, hash FROM audit ORDER BY id", "");
    if (!st)
        return -EIO;
    while ((rc = db_step(d, st, e)) > 0) {
        struct audit_row r = { sqlite3_column_int64(st, 0), sqlite3_column_int64(st, 1), db_str(st, 2), db_str(st, 3), db_str(st, 4),
                               db_str(st, 5), db_str(st, 6), db_str(st, 7), db_str(st, 8) };

        row_hash(before, &r, hash);
        if (r.id != want || !str_eq(db_str(st, 9), str_c(hash))) {
            *broken_at = want < r.id ? want : r.id;
            db_done(st);
            return 1;
        }
        memcpy(before, hash, sizeof before);
        want++;
    }
    if (rc < 0)
        return rc;
    *broken_at = want;
    return want - 1 == last ? 0 : 1;
}

static json_t *entry_json(sqlite3_stmt *st)
{
    json_t *role = db_json(st, 3);

    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "id", db_json_id(st, 0), "at", db_json_time(st, 1), "login",
                     db_json(st, 2), "role", role, "address", db_json(st, 4), "action", db_json(st, 5), "target", db_json(st, 6), "detail",
                     db_json(st, 7), "outcome", db_json(st, 8), "hash", db_json(st, 9));
}

static int audit_page(struct call *c, struct str q, int limit, struct str before)
{
    int64_t from = before.n ? parse_id(before) : INT64_MAX, broken = 0;
    int chain = desk_audit_verify(c->d, &broken, c->e), rc, n = 0;
    json_t *items, *next = NULL;

    if (chain < 0)
        return chain;
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT id, at, login, role, address, action, target, detail, outcome, hash FROM audit WHERE id < ?1"
                                " AND (?2 = '' OR instr(lower(login), ?2) OR instr(lower(action), ?2) OR instr(lower(target), ?2))"
                                " ORDER BY id DESC LIMIT ?3",
                                "iti", from, q.n ? fold_text(q, &c->a) : STR(""), (int64_t)page_limit(limit) + 1);
    if (!st)
        return -EIO;
    items = json_array();
    while ((rc = db_step(c->d, st, c->e)) > 0) {
        if (n++ == page_limit(limit)) {
            next = json_incref(json_object_get(json_array_get(items, (size_t)n - 2), "id"));
            db_done(st);
            rc = 0;
            break;
        }
        json_array_append_new(items, entry_json(st));
    }
    c->r->json = json_pack("{s:o, s:o, s:{s:b, s:o}}", "items", items, "next", next ? next : json_null(), "chain", "ok", chain == 0,
                           "broken_at", chain ? json_id(broken) : json_null());
    return rc;
}

int desk_audit(struct desk *d, const struct viewer *v, struct str q, int limit, struct str before, struct desk_reply *r)
{
    struct call c;
    int rc;

    desk_call_init(&c, d, v, 0, r);
    rc = v->role == DESK_ADMINISTRATOR ? audit_page(&c, q, limit, before)
                                       : refuse(&c, -EACCES, "forbidden", NULL, "the audit trail is for administrators");
    desk_call_free(&c);
    return refuse_rc(r, rc);
}
