/* proposals.c - what another node says of an object is a proposed change: shown beside what stands here, accepted or declined by somebody, never
 * written by itself. And the other way: what stands here of an object, proposed to the node of another organisation.
 *
 * Properties that name records of one desk (…_id) do not travel: they would mean somebody else there. */
#include "desk/link/room.h"
#include "desk/registry/registry.h"

static int may_look(struct call *c)
{
    return role_of_owner(c->v->role) ? 0 : link_needs(c, false);
}

/* --- sending --- */

static bool travels(const char *field)
{
    struct str f = str_c(field);

    return !str_ends(f, STR("_id")) && !str_ends(f, STR("_ids"));
}

/* decimal_out - a number with a fraction has no canonical form: it travels as its text. decimal_in - and back. */
static json_t *decimal_out(json_t *v)
{
    char text[40];

    if (!json_is_real(v))
        return json_incref(v);
    snprintf(text, sizeof text, "%.15g", json_real_value(v));
    return json_pack("{s:s}", "decimal", text);
}

static json_t *decimal_in(json_t *v)
{
    const char *text = json_object_size(v) == 1 ? json_string_value(json_object_get(v, "decimal")) : NULL;
    char *end = NULL;
    double d = text ? strtod(text, &end) : 0;

    return text && *text && !*end && strlen(text) < 40 && d >= 0 && d < 1e15 ? json_real(d) : json_incref(v);
}

static json_t *changes_of(const json_t *value)
{
    json_t *out = json_object(), *v;
    const char *key;

    json_object_foreach((json_t *)(uintptr_t)value, key, v)
        if (travels(key) && !json_is_null(v))
            json_object_set_new(out, key, decimal_out(v));
    return out;
}

static int known_version(struct call *c, struct str node, struct str object, int64_t version)
{
    int rc = db_exec(c->d, c->e, "INSERT INTO link_sent(node, object_id, version) VALUES (?1,?2,?3) ON CONFLICT DO UPDATE SET version = max(version, ?3)", "tti",
                     node, object, version);

    return rc < 0 ? rc : 0;
}

/* object_put - what stands here of the object, as a proposal to the node. */
static int object_put(struct call *c, const struct peer *p, struct str object, struct str note, int64_t *id)
{
    struct record record = { 0 };
    json_t *payload = NULL;
    int rc = record_read(c, RECORD_OBJECT, object, 0, &record);

    if (rc == 0)
        payload = json_pack("{s:o, s:n, s:o, s:o, s:o, s:I}", "object", json_str(object), "your_object", "title", json_str(json_get_str(record.value, "name")),
                            "text", json_str(note.n ? note : STR("")), "changes", changes_of(record.value), "version", (json_int_t)record.version);
    if (rc == 0)
        rc = payload ? outbox_put(c, p, &(struct link_message){ .kind = LINK_REGISTRY_UPDATE, .payload = payload }, id)
                     : err_set(c->e, -ENOMEM, "no memory for a message");
    if (rc == 0)
        rc = known_version(c, p->node, object, record.version);
    json_decref(payload);
    record_done(&record);
    return rc;
}

static int object_send(struct call *c, struct str node, const json_t *body)
{
    struct str object = json_get_str(body, "object_id");
    struct peer p;
    int64_t id = 0, own = 0;
    int rc = link_own(c, &own);

    if (rc == 0 && scope_of(c->v).bounded && !own)   /* from the node of another organisation nobody sends on */
        return refuse(c, -EACCES, "forbidden", NULL, "objects are sent from the node of their own organisation");
    rc = rc < 0 ? rc : peer_load(c, node, &p);
    if (rc == 0 || (rc > 0 && !p.active))
        return refuse(c, -ENOENT, "not_found", NULL, "no such node");
    if (rc > 0)
        rc = object_seen(c, object);
    if (rc == -ENOENT)
        return refuse(c, -EINVAL, "bad_request", "object_id", "no such object");
    if (rc == 0)
        rc = object_put(c, &p, object, json_get_str(body, "note"), &id);
    if (rc == 0)
        rc = audit_add(c, "link.object.send", p.node.p, object, "ok");
    if (rc == 0)
        c->r->json = json_pack("{s:o}", "id", json_id(id));
    return rc;
}

int update_send(struct call *c, struct str node)
{
    struct peer p;
    struct str object;
    int64_t seq, known, id;
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT v.seq, v.id, EXISTS (SELECT 1 FROM link_sent s WHERE s.node = x.node AND s.object_id = v.id AND s.version < v.version) FROM"
                                " link_peer x JOIN record_version v ON v.seq > x.update_cursor AND v.kind = 'object' WHERE x.node = ?1 AND x.updates = 1 ORDER BY"
                                " v.seq LIMIT 1",
                                "t", node);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    if (rc <= 0)
        return rc;
    seq = sqlite3_column_int64(st, 0);
    object = db_copy(st, 1, &c->a);
    known = sqlite3_column_int64(st, 2);
    db_done(st);
    rc = peer_load(c, node, &p);
    if (rc > 0 && known)
        rc = object_put(c, &p, object, (struct str){ NULL, 0 }, &id);
    if (rc >= 0)
        rc = db_exec(c->d, c->e, "UPDATE link_peer SET update_cursor = ?2 WHERE node = ?1", "ti", node, seq);
    return rc < 0 ? rc : 1;
}

int desk_link_object_send(struct desk *d, const struct viewer *v, struct str node, const json_t *body, time_ns now, struct desk_reply *r)
{
    static const struct body_field fields[] = { { "object_id", BODY_STRING, true, false, 1, ID_MAX, NULL }, { "note", BODY_TEXT, false, true, 0, 4000, NULL } };
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = may_look(&c);
    if (rc == 0)
        rc = body_check(body, fields, COUNT(fields), r->field, c.e);
    if (rc == 0)
        rc = db_begin(d, c.e);
    if (rc == 0)
        rc = db_end(d, object_send(&c, node, body), c.e);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

/* --- looking --- */

/* differences - of what is proposed and what stands here now; a property that is the same is left out. */
static json_t *differences(struct call *c, struct str object, const json_t *changes)
{
    json_t *out = json_array(), *v;
    struct record record = { 0 };
    const char *key;

    if (object.n && record_read(c, RECORD_OBJECT, object, 0, &record) < 0)
        record = (struct record){ 0 };
    json_object_foreach((json_t *)(uintptr_t)changes, key, v) {
        const json_t *was = json_object_get(record.value, key);
        json_t *to = decimal_in(v);

        if (!was || !json_equal(was, to))
            json_array_append_new(out, json_pack("{s:s, s:O?, s:O}", "field", key, "from", was, "to", to));
        json_decref(to);
    }
    record_done(&record);
    return out;
}

#define PROPOSAL_COLUMNS                                                                                                                            \
    "SELECT x.id, i.node, p.org_id, g.name, x.object_id, o.name, x.their_object, x.changes, x.state, i.received_at, x.decided_at, u.name, x.note,"  \
    " i.number FROM link_proposal x JOIN link_in i ON i.id = x.in_id JOIN link_peer p ON p.node = i.node JOIN org g ON g.id = p.org_id"             \
    " LEFT JOIN object o ON o.id = x.object_id LEFT JOIN user u ON u.id = x.decided_by WHERE " SCOPE_OBJECT

static json_t *proposal_json(struct call *c, sqlite3_stmt *st)
{
    struct str object = db_copy(st, 4, &c->a);
    json_t *changes = NULL, *j;

    if (link_json_read(db_str(st, 7), &changes, NULL) < 0)
        changes = json_object();
    j = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "id", db_json_id(st, 0), "node", db_json(st, 1), "org",
                  json_ref(db_str(st, 2), db_str(st, 3)), "object", json_ref(db_str(st, 4), db_str(st, 5)), "their_object", db_json(st, 6), "state",
                  db_json(st, 8), "received_at", db_json_time(st, 9), "decided_at", db_json_time(st, 10), "decided_by", db_json(st, 11), "note", db_json(st, 12),
                  "number", db_json(st, 13));
    json_object_set_new(j, "changes", differences(c, object, changes));
    json_decref(changes);
    return j;
}

static int proposals(struct call *c, const struct desk_link_query *q)
{
    int64_t from = q->before.n ? parse_id(q->before) : INT64_MAX, limit = page_limit(q->limit), n = 0;
    struct scope s = scope_of(c->v);
    sqlite3_stmt *st = db_query(c->d, c->e, PROPOSAL_COLUMNS " AND x.id < ?3 AND (?4 = '' OR x.state = ?4) ORDER BY x.id DESC LIMIT ?5", "iziti", s.bounded, s.org,
                                from, q->state.p ? q->state : STR(""), limit + 1);
    json_t *items = json_array(), *next = NULL;
    int rc = st ? 0 : -EIO;

    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        if (n++ == limit)
            next = json_incref(json_object_get(json_array_get(items, (size_t)limit - 1), "id"));
        else
            json_array_append_new(items, proposal_json(c, st));
    }
    c->r->json = json_pack("{s:o, s:o}", "items", items, "next", next ? next : json_null());
    return rc;
}

int desk_link_proposals(struct desk *d, const struct viewer *v, const struct desk_link_query *q, struct desk_reply *r)
{
    struct call c;
    int rc;

    desk_call_init(&c, d, v, 0, r);
    rc = may_look(&c);
    if (rc == 0 && q->state.n && !str_eq(q->state, STR("open")) && !str_eq(q->state, STR("accepted")) && !str_eq(q->state, STR("declined")))
        rc = refuse(&c, -EINVAL, "bad_request", "state", "open, accepted or declined");
    if (rc == 0)
        rc = proposals(&c, q);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

/* --- deciding --- */

struct proposal {
    int64_t    id, in_id;
    struct str node, object, changes, message, hash, number, their_object;
};

static int proposal_load(struct call *c, struct str id, struct proposal *out)
{
    struct scope s = scope_of(c->v);
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT x.id, x.in_id, i.node, x.object_id, x.changes, i.message, i.hash, i.number, x.state = 'open', x.their_object FROM link_proposal x JOIN"
                                " link_in i ON i.id = x.in_id LEFT JOIN object o ON o.id = x.object_id WHERE " SCOPE_OBJECT " AND x.id = ?3",
                                "izi", s.bounded, s.org, parse_id(id));
    int rc = st ? db_step(c->d, st, c->e) : -EIO;
    bool open;

    if (rc <= 0)
        return rc < 0 ? rc : refuse(c, -ENOENT, "not_found", NULL, "no such proposal");
    *out = (struct proposal){ sqlite3_column_int64(st, 0), sqlite3_column_int64(st, 1), db_copy(st, 2, &c->a), db_copy(st, 3, &c->a), db_copy(st, 4, &c->a),
                              db_copy(st, 5, &c->a), db_copy(st, 6, &c->a), db_copy(st, 7, &c->a), db_copy(st, 9, &c->a) };
    open = sqlite3_column_int(st, 8);
    db_done(st);
    return open ? 0 : refuse(c, -EPROTO, "wrong_state", NULL, "somebody decided already");
}

/* merge - what is proposed laid over what stands here; an owner's people may take over only what is theirs to change. */
static int merge(struct call *c, json_t *value, const json_t *changes, bool whole)
{
    const char *key;
    json_t *v;

    json_object_foreach((json_t *)(uintptr_t)changes, key, v) {
        json_t *to = decimal_in(v);
        bool same = !travels(key) || json_equal(json_object_get(value, key), to);

        if (same || (!whole && !record_owner_field(RECORD_OBJECT, key)))
            json_decref(to);
        if (same)
            continue;
        if (!whole && !record_owner_field(RECORD_OBJECT, key))
            return refuse(c, -EACCES, "forbidden", NULL, "\"%s\" is changed by the centre", key);
        json_object_set_new(value, key, to);
    }
    return 0;
}

static int accept(struct call *c, const struct proposal *p, struct str object, struct str note)
{
    struct record record = { 0 };
    json_t *value = NULL, *changes = NULL;
    bool whole = false;
    int rc = registry_may_write(c, RECORD_OBJECT, object, (struct str){ NULL, 0 }, &whole);

    if (rc == 0)
        rc = record_read(c, RECORD_OBJECT, object, 0, &record);
    if (rc == 0)
        rc = link_json_read(p->changes, &changes, c->e);
    if (rc == 0)
        value = json_deep_copy(record.value);
    if (rc == 0)
        rc = value ? merge(c, value, changes, whole) : err_set(c->e, -ENOMEM, "no memory for an object");
    if (rc == 0) {
        const struct record_write w = { .kind = RECORD_OBJECT, .id = object, .version = record.version, .value = value, .reason = note.n ? note : p->number,
                                        .origin = "peer", .field = "changes." };

        rc = record_put(c, &w, NULL);
    }
    /* Both sides have it now: what changes later is told of by itself, this is not told back. */
    if (rc >= 0)
        rc = known_version(c, p->node, object, record.version + 1);
    if (rc >= 0 && p->their_object.n && !str_eq(p->their_object, object))
        rc = db_exec(c->d, c->e, "INSERT OR REPLACE INTO link_object(node, their_id, object_id) VALUES (?,?,?)", "ttt", p->node, p->their_object, object);
    json_decref(value);
    json_decref(changes);
    record_done(&record);
    return rc < 0 ? rc : 0;
}

static int tell(struct call *c, const struct proposal *p, bool agreed, struct str note)
{
    char at[TIME_TEXT_MAX];
    json_t *payload = json_pack("{s:s, s:n, s:o, s:o, s:o, s:o, s:s}", "at", time_format_utc(c->now, at), "code", "hash", json_str(p->hash), "message",
                                json_str(p->message), "note", json_str(note), "number", json_str(p->number), "result", agreed ? "agreed" : "declined");
    struct peer peer;
    int rc = peer_load(c, p->node, &peer);

    if (rc > 0)
        rc = payload ? outbox_put(c, &peer, &(struct link_message){ .kind = LINK_RECEIPT, .payload = payload }, NULL)
                     : err_set(c->e, -ENOMEM, "no memory for a receipt");
    json_decref(payload);
    return rc < 0 ? rc : 0;
}

static int decide(struct call *c, struct str id, const json_t *body)
{
    bool agreed = str_eq(json_get_str(body, "decision"), STR("accept"));
    struct str note = json_get_str(body, "note"), object;
    struct proposal p;
    char target[40];
    int rc = proposal_load(c, id, &p);

    if (rc < 0)
        return rc;
    object = p.object.n ? p.object : json_get_str(body, "object_id");
    if (agreed && !object.n)
        return refuse(c, -EINVAL, "bad_request", "object_id", "say which object of this desk is meant");
    if (agreed)
        rc = accept(c, &p, object, note);
    if (rc == 0)
        rc = db_exec(c->d, c->e, "UPDATE link_proposal SET state = ?2, decided_at = ?3, decided_by = ?4, note = ?5, object_id = coalesce(object_id, ?6) WHERE id = ?1",
                     "iziitt", p.id, agreed ? "accepted" : "declined", c->now, c->v->user_id, note.n ? note : (struct str){ NULL, 0 },
                     object.n ? object : (struct str){ NULL, 0 });
    if (rc >= 0)
        rc = tell(c, &p, agreed, note.n ? note : STR(""));
    snprintf(target, sizeof target, "proposal/%lld", (long long)p.id);
    if (rc == 0)
        rc = audit_add(c, agreed ? "link.proposal.accept" : "link.proposal.decline", target, note, "ok");
    return rc;
}

int desk_link_proposal_decide(struct desk *d, const struct viewer *v, struct str id, const json_t *body, time_ns now, struct desk_reply *r)
{
    static const char *const decisions[] = { "accept", "decline", NULL };
    static const struct body_field fields[] = {
        { "decision", BODY_ENUM, true, false, 0, 0, decisions },
        { "note", BODY_TEXT, false, true, 0, REGISTRY_REASON_MAX, NULL },
        { "object_id", BODY_STRING, false, true, 1, ID_MAX, NULL },
    };
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = v->role == DESK_AUDITOR ? refuse(&c, -EACCES, "forbidden", NULL, "an auditor changes nothing") : may_look(&c);
    if (rc == 0)
        rc = body_check(body, fields, COUNT(fields), r->field, c.e);
    if (rc == 0)
        rc = db_begin(d, c.e);
    if (rc == 0)
        rc = db_end(d, decide(&c, id, body), c.e);
    desk_call_free(&c);
    return rc < 0 ? refuse_rc(r, rc) : 0;
}
