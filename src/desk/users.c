/* users.c - people who may sign in. */
#include "desk/internal.h"

static const struct body_field create_fields[] = {
    { "login", BODY_STRING, true, false, 1, 64, NULL },          { "name", BODY_STRING, true, false, 1, 200, NULL },
    { "role", BODY_ENUM, true, false, 0, 0, role_values },       { "org_id", BODY_STRING, false, true, 0, ID_MAX, NULL },
    { "language", BODY_ENUM, true, false, 0, 0, language_values }, { "email", BODY_EMAIL, false, true, 0, 254, NULL },
    { "password", BODY_STRING, true, false, 1, 256, NULL },
};
static const struct body_field update_fields[] = {
    { "name", BODY_STRING, true, false, 1, 200, NULL },          { "role", BODY_ENUM, true, false, 0, 0, role_values },
    { "org_id", BODY_STRING, false, true, 0, ID_MAX, NULL },     { "language", BODY_ENUM, true, false, 0, 0, language_values },
    { "email", BODY_EMAIL, false, true, 0, 254, NULL },          { "active", BODY_BOOL, true, false, 0, 0, NULL },
    { "password", BODY_STRING, false, false, 1, 256, NULL },
};

static bool login_valid(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char ch = s.p[i];
        bool plain = (ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9');

        if (!plain && (i == 0 || !strchr("._@-", ch)))
            return false;
    }
    return s.n >= 1 && s.n <= 64;
}

/* role_needs_org - who sees only what an organisation reaches must have one. */
static bool role_needs_org(enum desk_role r) { return r < DESK_ROLE_COUNT && !role_reads_all(r); }

/* role_of_staff - who reads every organisation's things in order to work on them. */
static bool role_of_staff(enum desk_role r) { return role_of_centre(r) || r == DESK_SURVEYOR || r == DESK_DOCUMENT_AUDITOR; }

/* org_fits - an officer has an organisation; nobody has one that does not exist; an owner's people read no other owner's things by a slip of the
 * administrator's hand: the centre's roles are for people of the centre. */
static int org_fits(struct call *c, const json_t *in)
{
    struct str org = json_get_str(in, "org_id");
    const enum desk_role role = desk_role_parse(json_get_str(in, "role"));
    int64_t n = 0, theirs = 0;
    int rc;

    if (!org.n)
        return role_needs_org(role) ? refuse(c, -EINVAL, "bad_request", "org_id", "this role belongs to an organisation") : 0;
    rc = db_int(c->d, c->e, 0, &n, "SELECT count(*) FROM org WHERE id = ?", "t", org);
    if (rc == 0 && n == 0)
        return refuse(c, -EINVAL, "bad_request", "org_id", "no such organisation");
    if (rc == 0)
        rc = db_int(c->d, c->e, 0, &theirs, "SELECT NOT EXISTS (SELECT 1 FROM org_kind WHERE org_id = ? AND kind = 'sts')", "t", org);
    return rc < 0 ? rc : theirs && role_of_staff(role) ? refuse(c, -EINVAL, "bad_request", "org_id", "this role is for people of the centre") : 0;
}

static struct str or_null(struct str s) { return s.n ? s : (struct str){ NULL, 0 }; }

int user_insert(struct call *c, const json_t *in, int64_t *id)
{
    char hash[160], target[40];
    const char *fault = password_fault(json_get_str(in, "password"), json_get_str(in, "login"));
    int rc;

    if (!login_valid(json_get_str(in, "login")))
        return refuse(c, -EINVAL, "bad_request", "login", "a login is of a-z, 0-9 and ._@-");
    if (fault)
        return refuse(c, -EINVAL, "weak_password", "password", "%s", fault);
    rc = org_fits(c, in);
    if (rc == 0)
        rc = password_hash(json_get_str(in, "password"), hash, c->e);
    if (rc < 0)
        return rc;
    rc = db_exec(c->d, c->e, "INSERT INTO user(login, name, role, org_id, language, email, active, password, created_at) VALUES (?,?,?,?,?,?,1,?,?)",
                 "ttttttzi", json_get_str(in, "login"), json_get_str(in, "name"), json_get_str(in, "role"), or_null(json_get_str(in, "org_id")),
                 json_get_str(in, "language"), or_null(json_get_str(in, "email")), hash, c->now);
    if (rc == -EEXIST)
        return refuse(c, -EEXIST, "conflict", "login", "the login is taken");
    if (rc < 0)
        return rc;
    *id = sqlite3_last_insert_rowid(c->d->db);
    snprintf(target, sizeof target, "user/%lld", (long long)*id);
    return audit_add(c, "user.create", target, json_get_str(in, "login"), "ok");
}

/* an_administrator_stays - the last active one cannot be taken away. */
static int an_administrator_stays(struct call *c)
{
    int64_t n = 0;
    int rc = db_int(c->d, c->e, 0, &n, "SELECT count(*) FROM user WHERE role = 'administrator' AND active = 1", "");

    return rc < 0 ? rc : n ? 0 : refuse(c, -EEXIST, "conflict", "role", "the last active administrator");
}

static int user_replace(struct call *c, int64_t id, const json_t *in)
{
    struct str password = json_get_str(in, "password"), login = { NULL, 0 };
    char hash[160] = "", target[40];
    bool active = json_is_true(json_object_get(in, "active"));
    int rc = org_fits(c, in);
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT login FROM user WHERE id = ?", "i", id);

    if (rc == 0)
        rc = st ? db_step(c->d, st, c->e) : -EIO;
    if (rc == 0)
        return refuse(c, -ENOENT, "not_found", NULL, "no such user");
    if (rc < 0)
        return rc;
    login = db_copy(st, 0, &c->a);
    db_done(st);
    const char *fault = password.p ? password_fault(password, login) : NULL;
    if (fault)
        return refuse(c, -EINVAL, "weak_password", "password", "%s", fault);
    if (password.p && (rc = password_hash(password, hash, c->e)) < 0)
        return rc;
    rc = db_exec(c->d, c->e,
                 "UPDATE user SET name = ?2, role = ?3, org_id = ?4, language = ?5, email = ?6, active = ?7, password = coalesce(?8, password)"
                 " WHERE id = ?1",
                 "itttttiz", id, json_get_str(in, "name"), json_get_str(in, "role"), or_null(json_get_str(in, "org_id")),
                 json_get_str(in, "language"), or_null(json_get_str(in, "email")), (int64_t)active, hash[0] ? hash : NULL);
    if (rc >= 0)
        rc = an_administrator_stays(c);
    /* Whoever lost a right or got a new password signs in anew; the one who is at work here stays signed in. */
    if (rc >= 0)
        rc = db_exec(c->d, c->e, "DELETE FROM session WHERE user_id = ?1 AND id <> ?2", "ii", id, c->v->session_id);
    snprintf(target, sizeof target, "user/%lld", (long long)id);
    return rc < 0 ? rc : audit_add(c, "user.update", target, login, "ok");
}

static int users_select(struct call *c, int64_t id, json_t *items)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT u.id, u.login, u.name, u.role, u.org_id, o.name, u.language, u.email, u.active,"
                                " (SELECT locked_until FROM guard WHERE key = 'login:' || u.login AND locked_until > ?2), u.last_login_at"
                                " FROM user u LEFT JOIN org o ON o.id = u.org_id WHERE ?1 = 0 OR u.id = ?1 ORDER BY u.login",
                                "ii", id, c->now);
    int rc = st ? 0 : -EIO;

    while (st && (rc = db_step(c->d, st, c->e)) > 0)
        json_array_append_new(items, json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:o, s:o}", "id", db_json_id(st, 0), "login",
                                               db_json(st, 1), "name", db_json(st, 2), "role", db_json(st, 3), "org",
                                               json_ref(db_str(st, 4), db_str(st, 5)), "language", db_json(st, 6), "email", db_json(st, 7),
                                               "active", sqlite3_column_int(st, 8), "locked_until", db_json_time(st, 9), "last_login_at",
                                               db_json_time(st, 10)));
    return rc;
}

int desk_users(struct desk *d, const struct viewer *v, time_ns now, struct desk_reply *r)
{
    struct call c;
    json_t *items = json_array();
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = v->role == DESK_ADMINISTRATOR ? audit_read(&c, "personal.read", "users", STR(""))
                                       : refuse(&c, -EACCES, "forbidden", NULL, "users are shown to administrators");
    if (rc == 0)
        rc = users_select(&c, 0, items);
    if (rc == 0)
        r->json = json_pack("{s:O, s:n}", "items", items, "next");
    json_decref(items);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

static int user_write(struct call *c, struct str id, const json_t *body, bool create)
{
    json_t *items = json_array();
    int64_t key = create ? 0 : parse_id(id);
    int rc;

    if (create)
        rc = user_insert(c, body, &key);
    else
        rc = key ? user_replace(c, key, body) : refuse(c, -ENOENT, "not_found", NULL, "no such user");
    if (rc == 0)
        rc = users_select(c, key, items);
    if (rc == 0)
        c->r->json = json_incref(json_array_get(items, 0));
    json_decref(items);
    return rc;
}

static int user_act(struct desk *d, const struct viewer *v, struct str id, const json_t *body, time_ns now, struct desk_reply *r, bool create)
{
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    if (v->role != DESK_ADMINISTRATOR) {
        rc = refuse(&c, -EACCES, "forbidden", NULL, "users are changed by administrators");
        audit_refusal(&c, create ? "user.create" : "user.update", "user");
    } else {
        rc = create ? body_check(body, create_fields, COUNT(create_fields), r->field, c.e)
                    : body_check(body, update_fields, COUNT(update_fields), r->field, c.e);
    }
    if (rc == 0)
        rc = db_begin(d, c.e);
    if (rc == 0)
        rc = db_end(d, user_write(&c, id, body, create), c.e);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

int desk_user_create(struct desk *d, const struct viewer *v, const json_t *body, time_ns now, struct desk_reply *r)
{
    return user_act(d, v, STR(""), body, now, r, true);
}

int desk_user_update(struct desk *d, const struct viewer *v, struct str id, const json_t *body, time_ns now, struct desk_reply *r)
{
    return user_act(d, v, id, body, now, r, false);
}
