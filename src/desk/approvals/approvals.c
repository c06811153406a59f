/* approvals.c - see approvals.h: asking, deciding, listing. */
#include "desk/approvals/internal.h"

#define APPROVAL_ARGS_MAX (256u * KIB)
#define APPROVAL_COLUMNS                                                                                                              \
    "a.id, a.kind, a.subject, a.subject_id, k.number, a.object_id, o.name, a.reason, a.args, a.asked_by, u.name, a.asked_at, a.state, a.decided_by," \
    " w.name, a.decided_at, a.note, a.case_id, a.org_id"
#define APPROVAL_TABLES                                                                                                    \
    " FROM approval a JOIN user u ON u.id = a.asked_by LEFT JOIN user w ON w.id = a.decided_by LEFT JOIN cases k ON k.id = a.case_id" \
    " LEFT JOIN object o ON o.id = a.object_id "
/* Bound as ?1, ?2. An organisation sees what its own people decide, files that go; never what the centre weighs about a case or a clock. */
#define APPROVAL_SCOPE                                                                                                                  \
    "(?1 = 0 OR (a.kind = 'attachment.delete' AND (?2 = a.org_id OR ?2 IN (o.org_id, o.possessor_id, o.ocib_id))))"

/* approval_line - what the centre weighs about a case is not the owner's to read. */
static int approval_line(struct call *c, const struct subject *s, const char *kind, struct str text, const char *act)
{
    char key[64];

    snprintf(key, sizeof key, "approval.kind.%s", act);
    return timeline_of(c, s, &(struct line){ .kind = kind, .text = text, .key = key, .internal = s->case_id != 0 && role_of_centre(c->v->role) });
}

static int audit(struct call *c, const char *what, int64_t id, struct str detail)
{
    char action[40], target[40];

    snprintf(action, sizeof action, "approval.%s", what);
    snprintf(target, sizeof target, "approval/%lld", (long long)id);
    return audit_add(c, action, target, detail, "ok");
}

int approval_gate(struct call *c, const char *kind, const struct subject *s, const json_t *args, struct str reason)
{
    const struct approval_kind *k = approval_kind_find(str_c(kind));
    json_t *empty = args ? NULL : json_object();
    AUTO_FREE char *text = json_dumps(args ? args : empty, JSON_COMPACT | JSON_SORT_KEYS);
    int64_t id = 0;
    int rc;

    json_decref(empty);
    assert(k);
    if (c->approved || !c->v || !(c->d->two_person & (1u << (k - approval_kinds))))
        return 0;
    if (!text || strlen(text) > APPROVAL_ARGS_MAX)
        return err_set(c->e, -ENOMEM, "no room for the arguments of an act");
    rc = db_int(c->d, c->e, 0, &id,
                "INSERT INTO approval(kind, subject, subject_id, case_id, object_id, org_id, args, reason, asked_by, asked_at, state)"
                " VALUES (?,?,?,?,?,?,?,?,?,?,'waiting') RETURNING id",
                "zztmttztii", kind, s->kind, s->id, (time_ns)s->case_id, s->object_id, s->org_id, text, reason.p ? reason : STR(""), c->v->user_id,
                c->now);
    if (rc == -EEXIST)
        return refuse(c, -EEXIST, "conflict", NULL, "this waits for a second person already");
    if (rc == 0)
        rc = approval_line(c, s, "approval_asked", reason, kind);
    if (rc == 0)
        rc = audit(c, "ask", id, str_c(kind));
    if (rc < 0)
        return rc;
    return 1;
}

/* --- reading --- */

static bool may(const struct call *c, struct str kind)
{
    const struct approval_kind *k = approval_kind_find(kind);

    return c->v && k && k->may(c->v->role);
}

static json_t *person(sqlite3_stmt *st, int id, int name)
{
    return sqlite3_column_type(st, id) == SQLITE_NULL ? json_null() : json_pack("{s:o, s:o}", "id", db_json_id(st, id), "name", db_json(st, name));
}

static json_t *approval_json(struct call *c, sqlite3_stmt *st)
{
    struct str args = db_str(st, 8);
    json_t *a = json_loadb(args.p, args.n, 0, NULL);
    bool waits = str_eq(db_str(st, 12), STR("waiting")), mine = c->v && sqlite3_column_int64(st, 9) == c->v->user_id;

    return json_pack("{s:o, s:o, s:{s:o, s:o}, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:b}", "id", db_json_id(st, 0), "kind",
                     db_json(st, 1), "subject", "kind", db_json(st, 2), "id", db_json(st, 3), "case_number", db_json(st, 4), "object",
                     json_ref(db_str(st, 5), db_str(st, 6)), "reason", db_json(st, 7), "args", a ? a : json_object(), "asked_by", person(st, 9, 10),
                     "asked_at", db_json_time(st, 11), "state", db_json(st, 12), "decided_by", person(st, 13, 14), "decided_at", db_json_time(st, 15),
                     "note", db_json(st, 16), "may_decide", waits && !mine && may(c, db_str(st, 1)), "may_withdraw", waits && mine);
}

int approvals_json(struct call *c, const char *subject, struct str id, json_t **out)
{
    struct scope scope = scope_of(c->v);
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT " APPROVAL_COLUMNS APPROVAL_TABLES "WHERE " APPROVAL_SCOPE
                                " AND a.subject = ?3 AND a.subject_id = ?4 AND a.state = 'waiting' ORDER BY a.id",
                                "izzt", scope.bounded, scope.org, subject, id);
    int rc = st ? 0 : -EIO;

    *out = json_array();
    while (st && (rc = db_step(c->d, st, c->e)) > 0)
        json_array_append_new(*out, approval_json(c, st));
    return rc;
}

static int page(struct call *c, struct scope scope, struct str state, int limit, struct str before)
{
    int64_t from = before.n ? parse_id(before) : INT64_MAX;
    json_t *items, *next = NULL;
    int n = 0, rc;
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT " APPROVAL_COLUMNS APPROVAL_TABLES "WHERE " APPROVAL_SCOPE
                                " AND a.state = ?3 AND a.id < ?4 ORDER BY a.id DESC LIMIT ?5",
                                "iztii", scope.bounded, scope.org, state.n ? state : STR("waiting"), from, (int64_t)page_limit(limit) + 1);

    if (!st)
        return -EIO;
    items = json_array();
    while ((rc = db_step(c->d, st, c->e)) > 0) {
        if (n++ == page_limit(limit)) {
            next = json_incref(json_object_get(json_array_get(items, (size_t)n - 2), "id"));
            continue;
        }
        json_array_append_new(items, approval_json(c, st));
    }
    c->r->json = json_pack("{s:o, s:o}", "items", items, "next", next ? next : json_null());
    return rc;
}

int desk_approvals(struct desk *d, const struct viewer *v, struct str state, int limit, struct str before, struct desk_reply *r)
{
    static const char *const states[] = { "waiting", "approved", "refused", "withdrawn", NULL };
    struct call c;
    int rc;

    desk_call_init(&c, d, v, 0, r);
    rc = state.n && !value_known(states, state) ? refuse(&c, -EINVAL, "bad_request", "state", "no such state")
                                                : page(&c, scope_of(v), state, limit, before);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

/* --- deciding --- */

struct approval {
    int64_t        id, asked_by;
    struct str     kind, args;
    struct subject s;
    bool           waits;
};

static int load(struct call *c, struct scope scope, struct str id, struct approval *out)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT " APPROVAL_COLUMNS APPROVAL_TABLES "WHERE " APPROVAL_SCOPE " AND a.id = ?3", "izi", scope.bounded,
                                scope.org, parse_id(id));
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    if (rc <= 0)
        return rc < 0 ? rc : refuse(c, -ENOENT, "not_found", NULL, "no such approval");
    *out = (struct approval){ .id = sqlite3_column_int64(st, 0), .asked_by = sqlite3_column_int64(st, 9), .kind = db_copy(st, 1, &c->a),
                              .args = db_copy(st, 8, &c->a), .waits = str_eq(db_str(st, 12), STR("waiting")),
                              .s = { .kind = db_copy(st, 2, &c->a).p, .id = db_copy(st, 3, &c->a), .case_id = sqlite3_column_int64(st, 17),
                                     .object_id = db_copy(st, 5, &c->a), .org_id = db_copy(st, 18, &c->a) } };
    db_done(st);
    return 0;
}

static int settle(struct call *c, const struct approval *a, const char *state, const char *line, struct str note)
{
    int rc = db_exec(c->d, c->e, "UPDATE approval SET state = ?2, decided_by = ?3, decided_at = ?4, note = ?5 WHERE id = ?1 AND state = 'waiting'",
                     "iziit", a->id, state, c->v->user_id, c->now, note.n ? note : (struct str){ NULL, 0 });

    if (rc >= 0)
        rc = approval_line(c, &a->s, line, note, a->kind.p);
    if (rc == 0)
        rc = audit(c, state, a->id, a->kind);
    return rc;
}

static int approve(struct call *c, const struct approval *a, struct str note)
{
    const struct approval_kind *k = approval_kind_find(a->kind);
    json_t *args = json_loadb(a->args.p, a->args.n, 0, NULL);
    int rc = args ? settle(c, a, "approved", "approval_given", note) : err_set(c->e, -EIO, "an approval without arguments");

    if (rc == 0) {
        c->approved = true;
        rc = k->run(c, a->s.id, args);
        c->approved = false;
    }
    json_decref(args);
    return rc;
}

static int decide(struct call *c, struct str id, const json_t *body)
{
    static const char *const decisions[] = { "approve", "refuse", "withdraw", NULL };
    static const struct body_field fields[] = {
        { "decision", BODY_ENUM, true, false, 0, 0, decisions },
        { "note", BODY_TEXT, false, false, 0, DESK_TEXT_MAX, NULL },
    };
    struct str decision = json_get_str(body, "decision"), note = json_get_str(body, "note");
    struct approval a;
    int rc = load(c, scope_of(c->v), id, &a);

    if (rc == 0)
        rc = body_check(body, fields, COUNT(fields), c->r->field, c->e);
    if (rc < 0)
        return rc;
    bool mine = a.asked_by == c->v->user_id;
    if (!may(c, a.kind))
        return refuse(c, -EACCES, "forbidden", NULL, "%s does not decide on %s", desk_role_name(c->v->role), a.kind.p);
    if (!a.waits)
        return refuse(c, -EPROTO, "wrong_state", NULL, "this was decided already");
    if (mine != str_eq(decision, STR("withdraw")))
        return refuse(c, -EACCES, "second_person", "decision", mine ? "another person decides" : "only who asked withdraws");
    if (mine)
        return settle(c, &a, "withdrawn", "approval_withdrawn", note);
    if (str_eq(decision, STR("approve")))
        return approve(c, &a, note);
    return note.n ? settle(c, &a, "refused", "approval_refused", note) : refuse(c, -EINVAL, "bad_request", "note", "a refusal says why");
}

static int reload(struct call *c, struct str id)
{
    struct scope scope = scope_of(c->v);
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT " APPROVAL_COLUMNS APPROVAL_TABLES "WHERE " APPROVAL_SCOPE " AND a.id = ?3", "izi", scope.bounded,
                                scope.org, parse_id(id));
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    if (rc > 0) {
        c->r->json = approval_json(c, st);
        db_done(st);
    }
    return rc < 0 ? rc : 0;
}

int desk_approval_decide(struct desk *d, const struct viewer *v, struct str id, const json_t *body, time_ns now, struct desk_reply *r)
{
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = db_begin(d, c.e);
    if (rc == 0) {
        rc = decide(&c, id, body);
        if (rc == 0)
            rc = reload(&c, id);
        rc = db_end(d, rc, c.e);
    }
    if (rc < 0) {
        json_decref(r->json);
        r->json = NULL;
    }
    if (rc == -EACCES)
        audit_refusal(&c, "approval.decide", "approval");
    desk_call_free(&c);
    return refuse_rc(r, rc);
}
