/* session.c - signing in and staying signed in.
 *
 * A token is 256 random bits; the desk keeps its SHA-256 alone, so a copy of desk.db signs nobody in. The CSRF token is
 * SHA-256("csrf" || token): bound to the session, kept nowhere. Failures are counted by login (known or not) and by address. */
#include "desk/internal.h"

#include <arpa/inet.h>
#include <openssl/crypto.h>

#define GUARD_ROWS_MAX   20000
#define GUARD_FORGET_NS  (24 * NS_PER_HOUR)

static void csrf_of(struct str token, char out[DESK_TOKEN_TEXT])
{
    char both[DESK_TOKEN_TEXT + 8];

    snprintf(both, sizeof both, "csrf%.*s", 64, token.p);
    secret_sha256_hex(str_c(both), out);
}

bool desk_csrf_ok(const struct viewer *v, struct str header)
{
    return header.n == 64 && CRYPTO_memcmp(header.p, v->csrf, 64) == 0;
}

static json_t *session_json(const struct viewer *v)
{
    return json_pack("{s:{s:o, s:o, s:o, s:s, s:o, s:s}, s:s}", "user", "id", json_id(v->user_id), "login", json_str(str_c(v->login)), "name",
                     json_str(str_c(v->name)), "role", desk_role_name(v->role), "org_id",
                     v->org_id[0] ? json_str(str_c(v->org_id)) : json_null(), "language", lang_name(v->lang), "csrf", v->csrf);
}

static void put(char *out, size_t size, struct str s) { snprintf(out, size, "%.*s", STR_ARG(s)); }

/* viewer_fill - from columns id, login, name, role, org_id, language, starting at 0. */
static void viewer_fill(struct viewer *v, sqlite3_stmt *st)
{
    v->user_id = sqlite3_column_int64(st, 0);
    put(v->login, sizeof v->login, db_str(st, 1));
    put(v->name, sizeof v->name, db_str(st, 2));
    v->role = desk_role_parse(db_str(st, 3));
    put(v->org_id, sizeof v->org_id, db_str(st, 4));
    v->lang = lang_parse(db_str(st, 5), LANG_RU);
}

struct attempt {
    struct str login, address;
    char       login_key[200], address_key[100];
};

/* address_key - under which failures of an address are counted. Whoever has one address of IPv6 has the 2^64 of its network. */
static void address_key(struct str address, char out[100])
{
    char text[INET6_ADDRSTRLEN];
    unsigned char a[16];

    snprintf(text, sizeof text, "%.*s", (int)min_size(address.n, sizeof text - 1), address.n ? address.p : "");
    if (inet_pton(AF_INET6, text, a) == 1) {
        memset(a + 8, 0, 8);
        inet_ntop(AF_INET6, a, text, sizeof text);
    }
    snprintf(out, 100, "address:%s", text);
}

/* guard_wait - how long this login or address must still wait. */
static int guard_wait(struct call *c, const struct attempt *t, time_ns *wait)
{
    int64_t until = 0;
    int rc = db_int(c->d, c->e, 0, &until, "SELECT max(locked_until) FROM guard WHERE key IN (?1, ?2)", "zz", t->login_key, t->address_key);

    *wait = until > c->now ? until - c->now : 0;
    return rc;
}

static int guard_fail(struct call *c, const char *key, int64_t allowed)
{
    int64_t failures = 0;
    int rc = db_int(c->d, c->e, 1, &failures,
                    "INSERT INTO guard(key, failures, last_at, locked_until) VALUES (?1, 1, ?2, 0) ON CONFLICT(key) DO UPDATE SET"
                    " failures = CASE WHEN last_at < ?2 - ?3 THEN 1 ELSE failures + 1 END, last_at = ?2 RETURNING failures",
                    "zii", key, c->now, (int64_t)GUARD_FORGET_NS);

    if (rc < 0 || failures < allowed)
        return rc;
    int64_t doubled = failures - allowed;
    time_ns lock = doubled > 10 ? DESK_LOCK_MOST_NS : DESK_LOCK_FIRST_NS << doubled;
    if (lock > DESK_LOCK_MOST_NS)
        lock = DESK_LOCK_MOST_NS;
    rc = db_exec(c->d, c->e, "UPDATE guard SET locked_until = ?2 WHERE key = ?1", "zi", key, c->now + lock);
    return rc < 0 ? rc : 0;
}

/* guard_prune - rows that lock nobody go first: made-up logins must not push out a lock that counts. */
static int guard_prune(struct call *c)
{
    int64_t rows = 0;
    int rc = db_int(c->d, c->e, 0, &rows, "SELECT count(*) FROM guard", "");

    if (rc == 0 && rows > GUARD_ROWS_MAX)
        rc = db_exec(c->d, c->e, "DELETE FROM guard WHERE key IN (SELECT key FROM guard ORDER BY locked_until > ?, last_at LIMIT 1000)", "i", c->now);
    return rc < 0 ? rc : 0;
}

static int session_insert(struct call *c, const struct viewer *v, char token[DESK_TOKEN_TEXT])
{
    unsigned char raw[32], sum[32];
    int rc = secret_random(raw, sizeof raw, c->e);

    if (rc < 0)
        return rc;
    secret_hex(raw, sizeof raw, token);
    secret_sha256(str_of(token, 64), sum);
    rc = db_exec(c->d, c->e, "INSERT INTO session(token, user_id, created_at, seen_at, address) VALUES (?,?,?,?,?)", "biiiz",
                 str_of((const char *)sum, 32), v->user_id, c->now, c->now, v->address);
    return rc < 0 ? rc : 0;
}

/* sign_in_record - the outcome, in one transaction: counters, session, audit. */
static int sign_in_record(struct call *c, const struct attempt *t, struct viewer *v, bool good, char token[DESK_TOKEN_TEXT])
{
    int rc;

    c->v = v;
    if (!good) {
        rc = guard_fail(c, t->login_key, DESK_FAILURES_LOGIN);
        if (rc == 0)
            rc = guard_fail(c, t->address_key, DESK_FAILURES_ADDRESS);
        if (rc == 0)
            rc = guard_prune(c);
        return rc < 0 ? rc : audit_add(c, "session.open", "session", STR("wrong login or password"), "refused");
    }
    rc = db_exec(c->d, c->e, "DELETE FROM guard WHERE key = ?", "z", t->login_key);
    if (rc >= 0)
        rc = session_insert(c, v, token);
    if (rc >= 0)
        rc = db_exec(c->d, c->e, "UPDATE user SET last_login_at = ?2 WHERE id = ?1", "ii", v->user_id, c->now);
    return rc < 0 ? rc : audit_add(c, "session.open", "session", STR(""), "ok");
}

static int sign_in(struct call *c, const struct attempt *t, struct str password, char token[DESK_TOKEN_TEXT], struct viewer *v)
{
    char hash[160];
    time_ns wait;
    bool known = false;
    int rc = guard_wait(c, t, &wait);

    if (rc < 0)
        return rc;
    if (wait > 0) {
        c->r->retry_after_s = (wait + NS_PER_SECOND - 1) / NS_PER_SECOND;
        return refuse(c, -EAGAIN, "locked_out", NULL, "too many wrong passwords, %lld s to wait", (long long)c->r->retry_after_s);
    }
    snprintf(hash, sizeof hash, "%s", c->d->fake_hash);
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT id, login, name, role, org_id, language, password FROM user WHERE login = ? AND active = 1",
                                "t", t->login.p ? t->login : STR(""));
    if (!st)
        return -EIO;
    rc = db_step(c->d, st, c->e);
    if (rc < 0)
        return rc;
    if (rc > 0) {
        known = true;
        viewer_fill(v, st);
        put(hash, sizeof hash, db_str(st, 6));
        db_done(st);
    } else {
        put(v->login, 65, t->login);
        v->role = DESK_ROLE_COUNT;
    }
    bool good = password_matches(hash, password) && known;
    rc = db_begin(c->d, c->e);
    if (rc < 0)
        return rc;
    rc = db_end(c->d, sign_in_record(c, t, v, good, token), c->e);
    if (rc < 0)
        return rc;
    return good ? 0 : refuse(c, -EPERM, "bad_credentials", NULL, "wrong login or password");
}

int desk_sign_in(struct desk *d, struct str login, struct str password, struct str address, time_ns now, char token[DESK_TOKEN_TEXT],
                 struct viewer *v, struct desk_reply *r)
{
    struct attempt t = { str_of(login.p, min_size(login.n, 128)), address, "", "" };
    struct call c;
    int rc;

    *v = (struct viewer){ 0 };
    token[0] = 0;
    put(v->address, sizeof v->address, address);
    snprintf(t.login_key, sizeof t.login_key, "login:%.*s", STR_ARG(t.login));
    address_key(address, t.address_key);
    desk_call_init(&c, d, NULL, now, r);
    rc = str_utf8_valid(t.login) && memchr(t.login.n ? t.login.p : "", 0, t.login.n) == NULL
             ? sign_in(&c, &t, password, token, v)
             : refuse(&c, -EPERM, "bad_credentials", NULL, "the login is not text");
    if (rc == 0) {
        csrf_of(str_of(token, 64), v->csrf);
        r->json = session_json(v);
    } else {
        *v = (struct viewer){ 0 };
    }
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

static int session_find(struct call *c, struct str token, struct viewer *v)
{
    unsigned char sum[32];

    if (token.n != 64)
        return refuse(c, -ENOKEY, "unauthenticated", NULL, "no session");
    secret_sha256(token, sum);
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT u.id, u.login, u.name, u.role, u.org_id, u.language, s.id, s.seen_at FROM session s"
                                " JOIN user u ON u.id = s.user_id WHERE s.token = ?1 AND u.active = 1 AND s.seen_at > ?2 AND s.created_at > ?3",
                                "bii", str_of((const char *)sum, 32), c->now - DESK_SESSION_IDLE_NS, c->now - DESK_SESSION_MOST_NS);
    if (!st)
        return -EIO;
    int rc = db_step(c->d, st, c->e);
    if (rc < 0)
        return rc;
    if (rc == 0)
        return refuse(c, -ENOKEY, "unauthenticated", NULL, "no such session, or it has ended");
    viewer_fill(v, st);
    v->session_id = sqlite3_column_int64(st, 6);
    time_ns seen = sqlite3_column_int64(st, 7);
    db_done(st);
    csrf_of(token, v->csrf);
    if (c->now - seen < NS_PER_MINUTE)
        return 0;   /* written once a minute: a page that asks often costs no sync */
    rc = db_exec(c->d, c->e, "UPDATE session SET seen_at = ?2 WHERE id = ?1", "ii", v->session_id, c->now);
    return rc < 0 ? rc : 0;
}

int desk_session(struct desk *d, struct str token, struct str address, time_ns now, struct viewer *v, struct desk_reply *r)
{
    struct call c;
    int rc;

    *v = (struct viewer){ 0 };
    put(v->address, sizeof v->address, address);
    desk_call_init(&c, d, NULL, now, r);
    rc = session_find(&c, token, v);
    if (rc == 0)
        r->json = session_json(v);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

static int sign_out(struct call *c)
{
    int rc = db_exec(c->d, c->e, "DELETE FROM session WHERE id = ?1 AND user_id = ?2", "ii", c->v->session_id, c->v->user_id);

    return rc < 0 ? rc : audit_add(c, "session.close", "session", STR(""), "ok");
}

int desk_sign_out(struct desk *d, const struct viewer *v, time_ns now, struct desk_reply *r)
{
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = db_begin(d, c.e);
    if (rc == 0)
        rc = db_end(d, sign_out(&c), c.e);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

static int password_store(struct call *c, const char *hash)
{
    int rc = db_exec(c->d, c->e, "UPDATE user SET password = ?2 WHERE id = ?1", "iz", c->v->user_id, hash);

    if (rc >= 0)
        rc = db_exec(c->d, c->e, "DELETE FROM session WHERE user_id = ?1 AND id <> ?2", "ii", c->v->user_id, c->v->session_id);
    return rc < 0 ? rc : audit_add(c, "user.password", "session", STR("changed by the user"), "ok");
}

static int password_change(struct call *c, const json_t *body)
{
    static const struct body_field fields[] = { { "old", BODY_STRING, true, false, 1, 256, NULL },
                                                { "new", BODY_STRING, true, false, 1, 256, NULL } };
    struct attempt t = { str_c(c->v->login), str_c(c->v->address), "", "" };
    char hash[160] = "";
    time_ns wait;
    int rc = body_check(body, fields, COUNT(fields), c->r->field, c->e);

    if (rc < 0)
        return rc;
    snprintf(t.login_key, sizeof t.login_key, "login:%s", c->v->login);
    address_key(t.address, t.address_key);
    rc = guard_wait(c, &t, &wait);
    if (rc < 0)
        return rc;
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT password FROM user WHERE id = ? AND active = 1", "i", c->v->user_id);
    rc = st ? db_step(c->d, st, c->e) : -EIO;
    if (rc > 0) {
        put(hash, sizeof hash, db_str(st, 0));
        db_done(st);
    }
    if (rc < 0)
        return rc;
    if (wait > 0 || !hash[0] || !password_matches(hash, json_get_str(body, "old"))) {
        rc = db_begin(c->d, c->e);
        if (rc == 0)
            rc = db_end(c->d, guard_fail(c, t.login_key, DESK_FAILURES_LOGIN), c->e);
        return rc < 0 ? rc : refuse(c, -EPERM, "bad_credentials", "old", "the old password is wrong");
    }
    const char *fault = password_fault(json_get_str(body, "new"), str_c(c->v->login));
    if (fault)
        return refuse(c, -EINVAL, "weak_password", "new", "%s", fault);
    rc = password_hash(json_get_str(body, "new"), hash, c->e);
    if (rc == 0)
        rc = db_begin(c->d, c->e);
    return rc < 0 ? rc : db_end(c->d, password_store(c, hash), c->e);
}

int desk_password_change(struct desk *d, const struct viewer *v, const json_t *body, time_ns now, struct desk_reply *r)
{
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = password_change(&c, body);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

int desk_language_set(struct desk *d, const struct viewer *v, const json_t *body, time_ns now, struct desk_reply *r)
{
    static const struct body_field fields[] = { { "language", BODY_ENUM, true, false, 0, 0, language_values } };
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = body_check(body, fields, COUNT(fields), r->field, c.e);
    if (rc == 0)
        rc = db_exec(d, c.e, "UPDATE user SET language = ?2 WHERE id = ?1", "it", v->user_id, json_get_str(body, "language"));
    desk_call_free(&c);
    return refuse_rc(r, rc < 0 ? rc : 0);
}

int desk_password_reset(struct desk *d, struct str login, time_ns now, char password[33], struct err *e)
{
    struct desk_reply r = { 0 };
    struct call c;
    char hash[160];
    int64_t id = 0;
    int rc = password_random(password, e);

    desk_call_init(&c, d, NULL, now, &r);
    c.e = e;
    if (rc == 0)
        rc = password_hash(str_c(password), hash, e);
    if (rc == 0)
        rc = db_begin(d, e);
    if (rc == 0) {
        rc = db_int(d, e, 0, &id, "UPDATE user SET password = ?2, active = 1 WHERE login = ?1 RETURNING id", "tz", login, hash);
        if (rc == 0 && id == 0)
            rc = err_set(e, -ENOENT, "no user \"%.*s\"", STR_ARG(login));
        if (rc == 0)
            rc = db_exec(d, e, "DELETE FROM session WHERE user_id = ?", "i", id);
        if (rc >= 0)
            rc = db_exec(d, e, "DELETE FROM guard WHERE key = 'login:' || ?1", "t", login);
        if (rc >= 0)
            rc = audit_add(&c, "user.password", "user", STR("reset on the command line"), "ok");
        rc = db_end(d, rc, e);
    }
    desk_call_free(&c);
    desk_reply_free(&r);
    return rc;
}
