/* rules.c - what people say of keys: these two are one, these are not, this name is that address, these checks look for the same. A rule is a row with its
 * reason; it holds for what is imported later, and is ended, not deleted. */
#include "desk/vulnerabilities/api.h"
#include "desk/vulnerabilities/room.h"

#define REASON_MAX 2000

static const struct body_field merge_fields[] = {
    { "into", BODY_STRING, true, false, 1, 24, NULL },
    { "reason", BODY_TEXT, true, false, 1, REASON_MAX, NULL },
};
static const struct body_field split_fields[] = {
    { "key_id", BODY_STRING, true, false, 1, 24, NULL },
    { "check_id", BODY_STRING, true, false, 1, 24, NULL },
    { "reason", BODY_TEXT, true, false, 1, REASON_MAX, NULL },
};
static const struct body_field host_fields[] = {
    { "object_id", BODY_STRING, true, false, 1, ID_MAX, NULL },
    { "was", BODY_STRING, true, false, 1, VULN_HOST_MAX, NULL },
    { "becomes", BODY_STRING, true, false, 1, VULN_HOST_MAX, NULL },
    { "reason", BODY_TEXT, true, false, 1, REASON_MAX, NULL },
};
static const struct body_field check_fields[] = {
    { "tool", BODY_STRING, true, false, 1, 60, NULL },
    { "check", BODY_STRING, true, false, 1, 200, NULL },
    { "weakness", BODY_STRING, true, false, 1, 100, NULL },
    { "reason", BODY_TEXT, true, false, 1, REASON_MAX, NULL },
};
static const struct body_field end_fields[] = { { "reason", BODY_TEXT, true, false, 1, REASON_MAX, NULL } };

static int rule_add(struct call *c, const char *kind, struct str object, struct str was, struct str becomes, struct str reason, int64_t *id)
{
    int rc = db_int(c->d, c->e, 0, id, "INSERT INTO vuln_rule(kind, object_id, was, becomes, reason, at, by_id) VALUES (?,?,?,?,?,?,?) RETURNING id", "zttttim", kind,
                    object, was, becomes, reason, c->now, (time_ns)c->v->user_id);

    if (rc == -EEXIST)
        return refuse(c, -EEXIST, "conflict", "was", "there is a rule for it; end that one first");
    return rc < 0 ? rc : audit_add(c, arena_printf(&c->a, "vulnerability.rule_%s", kind).p, arena_printf(&c->a, "vulnerability_rule/%lld", (long long)*id).p,
                                   arena_printf(&c->a, "%.*s -> %.*s: %.*s", STR_ARG(was), STR_ARG(becomes), STR_ARG(reason)), "ok");
}

/* keys_again - the keys of one vulnerability find their place anew, and all whom that touches are counted. */
static int keys_again(struct call *c, int64_t vuln)
{
    int64_t ids[512], to[512];
    size_t n = 0;
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT id FROM vuln_key WHERE vuln_id = ? LIMIT 512", "i", vuln);
    int rc = st ? 0 : -EIO;

    while (st && (rc = db_step(c->d, st, c->e)) > 0 && n < COUNT(ids))
        ids[n++] = sqlite3_column_int64(st, 0);
    for (size_t i = 0; rc >= 0 && i < n; i++)
        rc = key_resolve(c, ids[i], true, &to[i]);
    if (rc >= 0)
        rc = vuln_recount_one(c, vuln);
    for (size_t i = 0; rc >= 0 && i < n; i++)
        if (to[i] != vuln)
            rc = vuln_recount_one(c, to[i]);
    return rc < 0 ? rc : 0;
}

/* told_follow - what was done to the one counts for the other. */
static int told_follow(struct call *c, int64_t vuln, int64_t into)
{
    int rc = db_exec(c->d, c->e, "UPDATE vuln SET told = 1 WHERE id = ?2 AND (SELECT told FROM vuln WHERE id = ?1) = 1", "ii", vuln, into);

    return rc < 0 ? rc : 0;
}

static int merge(struct call *c, struct str id, const json_t *body, int64_t *rule)
{
    struct vuln_head h, into;
    int rc = vuln_load(c, parse_id(id), &h);
    int64_t unknown = 0;
    struct str last;

    if (rc == 0)
        rc = body_check(body, merge_fields, COUNT(merge_fields), c->r->field, c->e);
    if (rc == 0 && vuln_load(c, parse_id(json_get_str(body, "into")), &into) < 0)
        return vuln_wrong(c, "into", "no such vulnerability");
    if (rc < 0)
        return rc;
    if (!str_eq(h.object_id, into.object_id))
        return vuln_wrong(c, "into", "it is of another object");
    if (h.id == into.id || !into.live || !h.live)
        return vuln_wrong(c, "into", "both must live, and be two");
    /* The number that a letter named would go, and another come that no letter named. */
    rc = db_int(c->d, c->e, 0, &unknown, "SELECT EXISTS (SELECT 1 FROM vuln_owner WHERE id = ?1) AND NOT EXISTS (SELECT 1 FROM vuln_owner WHERE id = ?2)", "ii", h.id,
                into.id);
    if (rc == 0 && unknown)
        return vuln_wrong(c, "into", "the owner knows this one and was not told of that one: merge that one into this one");
    /* A chain that came back to its beginning would hide both. */
    last = into.key;
    for (int i = 0; rc == 0 && i < VULN_CHAIN_MAX; i++) {
        sqlite3_stmt *st = db_query(c->d, c->e, "SELECT becomes FROM vuln_rule WHERE kind = 'merge' AND coalesce(object_id, '') = ? AND was = ? AND ended_at IS NULL",
                                    "tt", h.object_id, last);
        int more = st ? db_step(c->d, st, c->e) : -EIO;

        if (more <= 0) {
            rc = more;
            break;
        }
        last = db_copy(st, 0, &c->a);
        db_done(st);
        if (str_eq(last, h.key))
            return vuln_wrong(c, "into", "that one goes into this one already");
    }
    if (rc == 0)
        rc = rule_add(c, "merge", h.object_id, h.key, into.key, json_get_str(body, "reason"), rule);
    if (rc == 0)
        rc = told_follow(c, h.id, into.id);
    if (rc == 0)
        rc = keys_again(c, h.id);
    if (rc == 0)
        rc = vuln_recount_one(c, into.id);
    change_id(c->d, "vuln", h.id);
    return rc;
}

/* sightings_move - sightings of a check go from one raw key to another of the same object. */
static int sightings_move(struct call *c, int64_t from, int64_t to, int64_t check)
{
    int rc = db_exec(c->d, c->e, "UPDATE OR IGNORE vuln_sighting SET key_id = ?2 WHERE key_id = ?1 AND (?3 = 0 OR check_id = ?3)", "iii", from, to, check);

    return rc < 0 ? rc : 0;
}

static int split(struct call *c, struct str id, const json_t *body, int64_t *rule)
{
    struct vuln_head h;
    int64_t key = 0, check = 0, to = 0, vuln = 0, others = 0;
    int rc = vuln_load(c, parse_id(id), &h);

    if (rc == 0)
        rc = body_check(body, split_fields, COUNT(split_fields), c->r->field, c->e);
    if (rc < 0)
        return rc;
    key = parse_id(json_get_str(body, "key_id"));
    check = parse_id(json_get_str(body, "check_id"));
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT k.text, x.key, k.host, k.port, k.protocol, k.component, k.path, k.weakness, k.cve IS NOT NULL FROM vuln_key k JOIN"
                                " vuln_sighting s ON s.key_id = k.id JOIN vuln_check x ON x.id = s.check_id WHERE k.id = ?1 AND k.vuln_id = ?2 AND x.id = ?3 LIMIT 1",
                                "iii", key, h.id, check);
    rc = st ? db_step(c->d, st, c->e) : -EIO;
    if (rc <= 0)
        return rc < 0 ? rc : vuln_wrong(c, "check_id", "this check has no sighting under that key");
    struct str was = arena_printf(&c->a, "%.*s @ %.*s", STR_ARG(db_str(st, 0)), STR_ARG(db_str(st, 1)));
    struct vuln_parts p = { .host = db_copy(st, 2, &c->a), .port = sqlite3_column_int(st, 3), .protocol = db_copy(st, 4, &c->a), .component = db_copy(st, 5, &c->a),
                            .path = db_copy(st, 6, &c->a), .is_cve = sqlite3_column_int(st, 8) };
    p.weakness = db_copy(st, 7, &c->a);
    db_done(st);
    rc = db_int(c->d, c->e, 0, &others, "SELECT count(DISTINCT s.check_id) FROM vuln_key k JOIN vuln_sighting s ON s.key_id = k.id WHERE k.vuln_id = ?", "i", h.id);
    if (rc == 0 && others < 2)
        return vuln_wrong(c, "check_id", "nothing would be left");
    if (rc == 0)
        rc = rule_add(c, "split", h.object_id, was, was, json_get_str(body, "reason"), rule);
    if (rc == 0)
        rc = key_find(c, h.object_id, &p, was, &to);
    if (rc == 0)
        rc = sightings_move(c, key, to, check);
    if (rc == 0)
        rc = key_resolve(c, to, true, &vuln);
    if (rc == 0)
        rc = vuln_recount_one(c, h.id);
    if (rc == 0)
        rc = vuln_recount_one(c, vuln);
    change_id(c->d, "vuln", h.id);
    return rc;
}

static int host_same(struct call *c, struct str unused, const json_t *body, int64_t *rule)
{
    struct str object = json_get_str(body, "object_id"), was, becomes;
    int64_t known = 0, chained = 0;
    int rc = body_check(body, host_fields, COUNT(host_fields), c->r->field, c->e);

    (void)unused;
    if (rc == 0)
        rc = db_int(c->d, c->e, 0, &known, "SELECT 1 FROM object WHERE id = ?", "t", object);
    if (rc == 0 && !known)
        return vuln_wrong(c, "object_id", "no such object");
    was = host_clean(json_get_str(body, "was"), &c->a);
    becomes = host_clean(json_get_str(body, "becomes"), &c->a);
    if (rc == 0 && (!was.n || !becomes.n || str_eq(was, becomes)))
        return vuln_wrong(c, "becomes", "two different hosts are expected");
    if (rc == 0)
        rc = db_int(c->d, c->e, 0, &chained, "SELECT 1 FROM vuln_rule WHERE kind = 'host' AND object_id = ?1 AND ended_at IS NULL AND (was = ?3 OR becomes = ?2)", "ttt",
                    object, was, becomes);
    if (rc == 0 && chained)
        return vuln_wrong(c, "becomes", "such rules do not follow one another: name the last host");
    if (rc == 0)
        rc = rule_add(c, "host", object, was, becomes, json_get_str(body, "reason"), rule);
    return rc < 0 ? rc : pending_add(c, object, true);
}

/* objects_again - every object that has the weakness is keyed anew, in the background. */
static int objects_again(struct call *c, struct str weakness)
{
    int rc = db_exec(c->d, c->e,
                     "INSERT INTO vuln_pending(object_id, rekey, cursor) SELECT DISTINCT object_id, 1, 0 FROM vuln_key WHERE weakness = ? AND cve IS NULL ON CONFLICT DO"
                     " UPDATE SET rekey = 1, cursor = 0",
                     "t", weakness);

    return rc < 0 ? rc : 0;
}

static int check_same(struct call *c, struct str unused, const json_t *body, int64_t *rule)
{
    struct scan_finding f = { .tool = json_get_str(body, "tool"), .check = json_get_str(body, "check") };
    int rc = body_check(body, check_fields, COUNT(check_fields), c->r->field, c->e);
    struct str was, name = fold_text(str_trim(json_get_str(body, "weakness")), &c->a);

    (void)unused;
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < name.n; i++)
        if (!((name.p[i] >= 'a' && name.p[i] <= 'z') || (name.p[i] >= '0' && name.p[i] <= '9') || name.p[i] == '-' || name.p[i] == '.'))
            return vuln_wrong(c, "weakness", "small Latin letters, digits, dots and hyphens");
    was = weakness_of(&f, &c->a);
    rc = rule_add(c, "check", (struct str){ NULL, 0 }, was, arena_printf(&c->a, "weakness:%.*s", STR_ARG(name)), json_get_str(body, "reason"), rule);
    return rc < 0 ? rc : objects_again(c, was);
}

/* --- ending a rule --- */

struct key_rule {
    struct str kind, object, was, becomes;
};

static int rule_load(struct call *c, int64_t id, struct key_rule *out)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT kind, object_id, was, becomes, ended_at IS NOT NULL FROM vuln_rule WHERE id = ?", "i", id);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    if (rc <= 0)
        return rc < 0 ? rc : refuse(c, -ENOENT, "not_found", NULL, "no such rule");
    bool ended = sqlite3_column_int(st, 4);
    *out = (struct key_rule){ db_copy(st, 0, &c->a), db_copy(st, 1, &c->a), db_copy(st, 2, &c->a), db_copy(st, 3, &c->a) };
    db_done(st);
    return ended ? refuse(c, -EPROTO, "wrong_state", NULL, "the rule was ended") : 0;
}

/* split_undo - what was parted goes back under its key: the same place and weakness, without what stands behind. */
static int split_undo(struct call *c, const struct key_rule *r)
{
    int64_t from = 0, to = 0;
    int rc = db_int(c->d, c->e, 0, &from, "SELECT id FROM vuln_key WHERE object_id = ? AND text = ?", "tt", r->object, r->was);

    if (rc == 0)
        rc = db_int(c->d, c->e, 0, &to,
                    "SELECT b.id FROM vuln_key a JOIN vuln_key b ON b.object_id = a.object_id AND b.host = a.host AND b.port = a.port AND b.protocol = a.protocol AND"
                    " b.component = a.component AND b.path = a.path AND b.weakness = a.weakness AND b.id <> a.id AND b.text = substr(a.text, 1, length(b.text)) WHERE"
                    " a.id = ? ORDER BY length(b.text) LIMIT 1",
                    "i", from);
    return rc < 0 || !from || !to ? rc : sightings_move(c, from, to, 0);
}

static int rule_end(struct call *c, int64_t id, const json_t *body)
{
    struct key_rule r;
    int rc = rule_load(c, id, &r);

    if (rc == 0)
        rc = body_check(body, end_fields, COUNT(end_fields), c->r->field, c->e);
    if (rc == 0)
        rc = db_exec(c->d, c->e, "UPDATE vuln_rule SET ended_at = ?2, ended_by = ?3, end_reason = ?4 WHERE id = ?1", "iimt", id, c->now, (time_ns)c->v->user_id,
                     json_get_str(body, "reason"));
    if (rc >= 0 && str_eq(r.kind, STR("split")))
        rc = split_undo(c, &r);
    if (rc >= 0 && str_eq(r.kind, STR("merge"))) {
        int64_t into = 0;

        rc = db_int(c->d, c->e, 0, &into, "SELECT v.id FROM vuln v WHERE v.object_id = ? AND v.key = ?", "tt", r.object, r.becomes);
        if (rc == 0 && into)
            rc = keys_again(c, into);
    }
    if (rc >= 0)
        rc = r.object.n ? pending_add(c, r.object, true) : objects_again(c, r.was);
    return rc < 0 ? rc : audit_add(c, "vulnerability.rule_end", arena_printf(&c->a, "vulnerability_rule/%lld", (long long)id).p, json_get_str(body, "reason"), "ok");
}

/* --- the API --- */

typedef int rule_maker(struct call *c, struct str id, const json_t *body, int64_t *rule);

static int made(struct desk *d, const struct viewer *v, struct str id, const json_t *body, rule_maker *make, time_ns now, struct desk_reply *r)
{
    struct call c;
    int64_t rule = 0;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = db_begin(d, c.e);
    if (rc == 0)
        rc = db_end(d, make(&c, id, body, &rule), c.e);
    if (rc >= 0)
        r->json = json_pack("{s:o}", "id", json_id(rule));
    desk_call_free(&c);
    return refuse_rc(r, rc > 0 ? 0 : rc);
}

int desk_vuln_merge(struct desk *d, const struct viewer *v, struct str id, const json_t *body, time_ns now, struct desk_reply *r)
{
    return made(d, v, id, body, merge, now, r);
}

int desk_vuln_split(struct desk *d, const struct viewer *v, struct str id, const json_t *body, time_ns now, struct desk_reply *r)
{
    return made(d, v, id, body, split, now, r);
}

int desk_vuln_rule_host(struct desk *d, const struct viewer *v, const json_t *body, time_ns now, struct desk_reply *r)
{
    return made(d, v, STR(""), body, host_same, now, r);
}

int desk_vuln_rule_check(struct desk *d, const struct viewer *v, const json_t *body, time_ns now, struct desk_reply *r)
{
    return made(d, v, STR(""), body, check_same, now, r);
}

int desk_vuln_rule_end(struct desk *d, const struct viewer *v, struct str id, const json_t *body, time_ns now, struct desk_reply *r)
{
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = db_begin(d, c.e);
    if (rc == 0)
        rc = db_end(d, rule_end(&c, parse_id(id), body), c.e);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

int desk_vuln_rules(struct desk *d, const struct viewer *v, struct str object, bool ended, int limit, struct str before, time_ns now, struct desk_reply *r)
{
    json_t *items = json_array();
    int64_t from = parse_id(before), most = page_limit(limit), next = 0;
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    sqlite3_stmt *st = db_query(d, c.e,
                                "SELECT r.id, r.kind, o.id, o.name, r.was, r.becomes, r.reason, r.at, u.name, r.ended_at, e.name, r.end_reason FROM vuln_rule r LEFT JOIN"
                                " object o ON o.id = r.object_id LEFT JOIN user u ON u.id = r.by_id LEFT JOIN user e ON e.id = r.ended_by WHERE r.id < ?1 AND (?2 = '' OR"
                                " r.object_id = ?2) AND (r.ended_at IS NOT NULL) = ?3 ORDER BY r.id DESC LIMIT ?4",
                                "itii", from ? from : INT64_MAX, object.p ? object : STR(""), (int64_t)ended, most + 1);
    rc = st ? 0 : -EIO;
    while (st && (rc = db_step(d, st, c.e)) > 0) {
        if ((int64_t)json_array_size(items) == most) {
            next = parse_id(json_get_str(json_array_get(items, (size_t)most - 1), "id"));
            db_done(st);
            rc = 0;
            break;
        }
        json_array_append_new(items, json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "id", db_json_id(st, 0), "kind", db_json(st, 1), "object",
                                               json_ref(db_str(st, 2), db_str(st, 3)), "was", db_json(st, 4), "becomes", db_json(st, 5), "reason", db_json(st, 6), "at",
                                               db_json_time(st, 7), "by", db_json(st, 8), "ended_at", db_json_time(st, 9), "ended_by", db_json(st, 10), "end_reason",
                                               db_json(st, 11)));
    }
    r->json = json_pack("{s:o, s:o, s:o}", "items", items, "next", next ? json_id(next) : json_null(), "policy", vuln_policy_json(d->vuln_policy));
    desk_call_free(&c);
    return refuse_rc(r, rc);
}
