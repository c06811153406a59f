/* proposals.c - what another node says of an object is a proposed change: shown beside what stands here, accepted or declined by somebody, never
 * written by itself. And the other way: what stands here of an object, proposed to the node of another organisation.
 *
 * Components and contacts of the object, and what stands here of our own organisation, go the same way (parts.c). */
#include "desk/link/parts.h"
#include "desk/link/room.h"
#include "desk/registry/registry.h"

static int may_look(struct call *c)
{
    return role_of_owner(c->v->role) ? 0 : link_needs(c, false);
}

/* --- sending --- */

static json_t *empty(void) { return json_object(); }

/* message_put - an update about an object, or with object {NULL,0} about the organisation; the object's own fields, then other records. Borrows. */
static int message_put(struct call *c, const struct peer *given, struct str object, struct str title, struct str note, const json_t *changes,
                       const json_t *parts, int64_t *id)
{
    struct peer p;
    json_t *payload = json_pack("{s:o, s:n, s:o, s:o, s:o, s:O}", "object", object.n ? json_str(object) : json_null(), "your_object", "title", json_str(title), "text",
                                json_str(note.n ? note : STR("")), "changes", changes ? json_deep_copy(changes) : empty(), "records", parts);
    int rc = peer_load(c, given->node, &p);     /* the number of the one before may be a moment old */

    if (rc > 0)
        rc = payload ? outbox_put(c, &p, &(struct link_message){ .kind = LINK_REGISTRY_UPDATE, .payload = payload }, id)
                     : err_set(c->e, -ENOMEM, "no memory for a message");
    json_decref(payload);
    return rc < 0 ? rc : 0;
}

/* title_of - of the object, or of the organisation. */
static int title_of(struct call *c, struct str object, struct str org, struct str *out)
{
    struct record r;
    int rc = object.n ? record_read(c, RECORD_OBJECT, object, 0, &r) : record_read(c, RECORD_ORGANISATION, org, 0, &r);

    if (rc == 0) {
        *out = arena_copy(&c->a, json_get_str(r.value, "name"));
        record_done(&r);
    }
    return rc;
}

/* Records on their way into messages: as many in one as an envelope surely holds. */
struct sending {
    const struct peer *p;
    struct str         object, title, note;
    json_t            *changes, *parts;     /* owned */
    size_t             bytes;
    int64_t            id;                  /* of the first message */
};

#define SENDING_BYTES (1u * MIB)

static int send_flush(struct call *c, struct sending *s)
{
    int64_t id = 0;
    int rc;

    if (!s->changes && json_array_size(s->parts) == 0)
        return 0;
    rc = message_put(c, s->p, s->object, s->title, s->note, s->changes, s->parts, &id);
    s->id = s->id ? s->id : id;
    json_decref(s->changes);
    s->changes = NULL;
    json_array_clear(s->parts);
    s->bytes = 0;
    return rc;
}

static int send_add(struct call *c, struct sending *s, enum record_kind k, struct str id)
{
    json_t *part = NULL;
    int rc = part_out(c, s->p->node, k, id, &part);
    size_t bytes = part ? json_dumpb(part, NULL, 0, JSON_COMPACT) : 0;

    if (rc == 0 && k != RECORD_OBJECT && (json_array_size(s->parts) == LINK_PARTS_MAX || s->bytes + bytes > SENDING_BYTES))
        rc = send_flush(c, s);
    s->bytes += bytes;
    if (rc == 0 && k == RECORD_OBJECT)
        s->changes = json_incref(json_object_get(part, "changes"));
    else if (rc == 0)
        json_array_append(s->parts, part);
    json_decref(part);
    return rc;
}

static int send_children(struct call *c, struct sending *s, enum record_kind k)
{
    json_t *list = NULL, *one;
    size_t i;
    int rc = record_children(c, k, arena_printf(&c->a, "object/%.*s", STR_ARG(s->object)), 0, &list);

    json_array_foreach(list, i, one)
        if (rc == 0)
            rc = send_add(c, s, k, arena_copy(&c->a, json_get_str(one, "id")));
    json_decref(list);
    return rc;
}

/* object_put - what stands here of the object, its components and contacts, and of our own organisation, as proposals to the node. */
static int object_put(struct call *c, const struct peer *p, struct str object, struct str note, int64_t *id)
{
    struct sending s = { .p = p, .object = object, .note = note, .parts = json_array() };
    struct self self;
    int64_t known = 0;
    int rc = link_self(c, &self);

    rc = rc < 0 ? rc : title_of(c, object, object, &s.title);
    if (rc == 0)
        rc = send_add(c, &s, RECORD_OBJECT, object);
    if (rc == 0)
        rc = send_children(c, &s, RECORD_COMPONENT);
    if (rc == 0)
        rc = send_children(c, &s, RECORD_CONTACT);
    if (rc == 0)
        rc = send_flush(c, &s);
    *id = s.id;
    s.object = (struct str){ NULL, 0 };
    if (rc == 0)
        rc = db_int(c->d, c->e, 0, &known, "SELECT count(*) FROM link_told t JOIN record r ON r.kind = t.kind AND r.id = t.id AND r.version = t.version WHERE t.node ="
                                           " ?1 AND t.kind = 'organisation' AND t.id = ?2", "tt", p->node, self.org_id);
    if (rc == 0 && !known)
        rc = title_of(c, s.object, self.org_id, &s.title);
    if (rc == 0 && !known)
        rc = send_add(c, &s, RECORD_ORGANISATION, self.org_id);
    if (rc == 0)
        rc = send_flush(c, &s);
    json_decref(s.parts);
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

/* A change that may have to be told: of which object (else of our organisation), which record, which version. */
struct changed {
    int64_t          seq, version;
    enum record_kind kind;
    struct str       id, root;
};

/* changed_send - the record goes, if the node knows what it stands under and not this version. */
static int changed_send(struct call *c, const struct peer *p, const struct changed *x, struct str root)
{
    struct str kind = str_starts(root, STR("object/")) ? STR("object") : STR("organisation"), of = str_cut(root, kind.n + 1);
    struct sending s = { .p = p, .object = kind.n == 6 ? of : (struct str){ NULL, 0 }, .parts = json_array() };
    enum record_kind k = x->kind == RECORD_PERSON ? RECORD_CONTACT : x->kind;
    struct self self;
    int64_t known = 0;
    int rc = link_self(c, &self);

    if (rc > 0)
        rc = db_int(c->d, c->e, 0, &known,
                    "SELECT EXISTS (SELECT 1 FROM link_told WHERE node = ?1 AND kind = ?2 AND id = ?3) AND (?2 = 'object' OR ?3 = ?6) AND NOT EXISTS (SELECT 1 FROM"
                    " link_told WHERE node = ?1 AND kind = ?4 AND id = ?5 AND version >= ?7)",
                    "tttztti", p->node, kind, of, record_kind_name(k), x->id, self.org_id, x->kind == RECORD_PERSON ? INT64_MAX : x->version);
    if (rc == 0 && known)
        rc = title_of(c, s.object, of, &s.title);
    if (rc == 0 && known)
        rc = send_add(c, &s, k, x->id);
    if (rc == 0 && known)
        rc = send_flush(c, &s);
    json_decref(s.changes);
    json_decref(s.parts);
    return rc;
}

/* person_changed - the contacts that are this person, each under its object. */
static int person_changed(struct call *c, const struct peer *p, const struct changed *x)
{
    struct { struct str id, root; } found[REGISTRY_CONTACTS_MAX];
    size_t n = 0;
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT x.id, r.parent FROM contact x JOIN record r ON r.kind = 'contact' AND r.id = x.id WHERE x.person_id = ?1 AND NOT EXISTS (SELECT 1"
                                " FROM link_told t WHERE t.node = ?2 AND t.kind = 'person' AND t.id = ?1 AND t.version >= ?3) ORDER BY x.id LIMIT 100",
                                "tti", x->id, p->node, x->version);
    int rc = st ? 0 : -EIO;

    while (st && n < COUNT(found) && (rc = db_step(c->d, st, c->e)) > 0) {
        found[n].id = db_copy(st, 0, &c->a);
        found[n++].root = db_copy(st, 1, &c->a);
    }
    if (rc > 0)
        db_done(st);
    for (size_t i = 0; rc >= 0 && i < n; i++)
        rc = changed_send(c, p, &(struct changed){ x->seq, x->version, RECORD_PERSON, found[i].id, found[i].root }, found[i].root);
    return rc < 0 ? rc : 0;
}

int update_send(struct call *c, struct str node)
{
    struct peer p;
    struct changed x;
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT v.seq, v.version, v.kind, v.id, v.root FROM link_peer x JOIN record_version v ON v.seq > x.update_cursor AND v.kind <> 'contract'"
                                " WHERE x.node = ?1 AND x.updates = 1 ORDER BY v.seq LIMIT 1",
                                "t", node);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    if (rc <= 0)
        return rc;
    x = (struct changed){ sqlite3_column_int64(st, 0), sqlite3_column_int64(st, 1), record_kind_parse(db_str(st, 2)), db_copy(st, 3, &c->a), db_copy(st, 4, &c->a) };
    db_done(st);
    rc = peer_load(c, node, &p);
    if (rc > 0)
        rc = x.kind == RECORD_PERSON ? person_changed(c, &p, &x) : changed_send(c, &p, &x, x.root);
    if (rc >= 0)
        rc = db_exec(c->d, c->e, "UPDATE link_peer SET update_cursor = ?2 WHERE node = ?1", "ti", node, x.seq);
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

/* parts_of - what a proposal says, the object's own fields first: one list for all kinds. */
static json_t *parts_of(struct str changes, struct str records, struct str their_object)
{
    json_t *own = NULL, *list = NULL;

    if (link_json_read(changes, &own, NULL) < 0)
        own = json_object();
    if (!records.n || link_json_read(records, &list, NULL) < 0)
        list = json_array();
    if (json_object_size(own))
        json_array_insert_new(list, 0, json_pack("{s:s, s:o, s:b, s:O}", "kind", "object", "id", json_str(their_object), "removed", 0, "changes", own));
    json_decref(own);
    return list;
}

/* object_now - ours that they call so, where the proposal does not name it: it may have been registered since. */
static int object_now(struct call *c, struct part_place *at, struct str theirs)
{
    struct peer p;
    json_t *about;
    int rc = at->of_object && !at->object.n ? peer_load(c, at->node, &p) : 0;

    if (rc <= 0)
        return rc;
    about = json_pack("{s:o}", "object", json_str(theirs));
    rc = object_find(c, &p, about, &at->object);
    json_decref(about);
    return rc;
}

#define PROPOSAL_COLUMNS                                                                                                                            \
    "SELECT x.id, i.node, p.org_id, g.name, x.object_id, o.name, x.their_object, x.changes, x.state, i.received_at, x.decided_at, u.name, x.note,"  \
    " i.number, x.records FROM link_proposal x JOIN link_in i ON i.id = x.in_id JOIN link_peer p ON p.node = i.node JOIN org g ON g.id = p.org_id"  \
    " LEFT JOIN object o ON o.id = x.object_id LEFT JOIN user u ON u.id = x.decided_by WHERE " SCOPE_OBJECT

/* proposal_json - people becomes true if people's data are shown. */
static json_t *proposal_json(struct call *c, sqlite3_stmt *st, bool *people, int *rc)
{
    struct part_place at = { db_copy(st, 1, &c->a), db_copy(st, 2, &c->a), db_copy(st, 4, &c->a), db_str(st, 6).n != 0 };
    json_t *parts = parts_of(db_str(st, 7), db_str(st, 14), db_str(st, 6)), *part, *differences = json_array(), *j;
    size_t i;

    j = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "id", db_json_id(st, 0), "node", db_json(st, 1), "org",
                  json_ref(db_str(st, 2), db_str(st, 3)), "object", json_ref(db_str(st, 4), db_str(st, 5)), "their_object",
                  at.of_object ? db_json(st, 6) : json_null(), "state", db_json(st, 8), "received_at", db_json_time(st, 9), "decided_at", db_json_time(st, 10), "decided_by", db_json(st, 11), "note",
                  db_json(st, 12), "number", db_json(st, 13));
    json_array_foreach(parts, i, part) {
        *people = *people || part_kind(part) == RECORD_CONTACT;
        if (*rc >= 0)
            *rc = part_differences(c, &at, part, differences);
    }
    json_decref(parts);
    json_object_set_new(j, "changes", differences);
    return j;
}

static int proposals(struct call *c, const struct desk_link_query *q)
{
    int64_t from = q->before.n ? parse_id(q->before) : INT64_MAX, limit = page_limit(q->limit), n = 0;
    struct scope s = scope_of(c->v);
    sqlite3_stmt *st = db_query(c->d, c->e, PROPOSAL_COLUMNS " AND x.id < ?3 AND (?4 = '' OR x.state = ?4) ORDER BY x.id DESC LIMIT ?5", "iziti", s.bounded, s.org,
                                from, q->state.p ? q->state : STR(""), limit + 1);
    json_t *items = json_array(), *next = NULL;
    bool people = false;
    int rc = st ? 0 : -EIO;

    while (st && rc >= 0 && (rc = db_step(c->d, st, c->e)) > 0) {
        if (n++ == limit)
            next = json_incref(json_object_get(json_array_get(items, (size_t)limit - 1), "id"));
        else
            json_array_append_new(items, proposal_json(c, st, &people, &rc));
        if (rc < 0)
            db_done(st);
    }
    if (rc >= 0 && people)
        rc = audit_read(c, "personal.read", "proposals", STR(""));
    if (rc >= 0)
        c->r->json = json_pack("{s:O, s:O}", "items", items, "next", next ? next : json_null());
    json_decref(items);
    json_decref(next);
    return rc;
}

int desk_link_proposals(struct desk *d, const struct viewer *v, const struct desk_link_query *q, struct desk_reply *r)
{
    struct call c;
    int rc;

    desk_call_init(&c, d, v, q->now, r);
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
    struct str node, object, changes, message, hash, number, their_object, records, org;
};

static int proposal_load(struct call *c, struct str id, struct proposal *out)
{
    struct scope s = scope_of(c->v);
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT x.id, x.in_id, i.node, x.object_id, x.changes, i.message, i.hash, i.number, x.state = 'open', x.their_object, x.records, p.org_id FROM"
                                " link_proposal x JOIN link_in i ON i.id = x.in_id JOIN link_peer p ON p.node = i.node LEFT JOIN object o ON o.id = x.object_id WHERE " SCOPE_OBJECT " AND x.id = ?3",
                                "izi", s.bounded, s.org, parse_id(id));
    int rc = st ? db_step(c->d, st, c->e) : -EIO;
    bool open;

    if (rc <= 0)
        return rc < 0 ? rc : refuse(c, -ENOENT, "not_found", NULL, "no such proposal");
    *out = (struct proposal){ sqlite3_column_int64(st, 0), sqlite3_column_int64(st, 1), db_copy(st, 2, &c->a), db_copy(st, 3, &c->a), db_copy(st, 4, &c->a),
                              db_copy(st, 5, &c->a), db_copy(st, 6, &c->a), db_copy(st, 7, &c->a), db_copy(st, 9, &c->a), db_copy(st, 10, &c->a),
                              db_copy(st, 11, &c->a) };
    open = sqlite3_column_int(st, 8);
    db_done(st);
    return open ? 0 : refuse(c, -EPROTO, "wrong_state", NULL, "somebody decided already");
}

/* accept - all of it or nothing; *object becomes ours of which it spoke. */
static int accept(struct call *c, const struct proposal *p, struct str *object, struct str note)
{
    struct part_place at = { p->node, p->org, *object, p->their_object.n != 0 };
    json_t *parts = parts_of(p->changes, p->records, p->their_object), *part;
    size_t i;
    int rc = object_now(c, &at, p->their_object);

    if (rc == 0 && at.of_object && !at.object.n)
        rc = refuse(c, -EINVAL, "bad_request", "object_id", "say which object of this desk is meant");
    json_array_foreach(parts, i, part) {
        if (rc == 0)
            rc = part_accept(c, &at, part, note.n ? note : p->number);
    }
    json_decref(parts);
    *object = at.object;
    if (rc < 0 || !at.of_object)
        return rc;
    if (!str_eq(p->their_object, at.object))
        rc = db_exec(c->d, c->e, "INSERT OR REPLACE INTO link_object(node, their_id, object_id) VALUES (?,?,?)", "ttt", p->node, p->their_object, at.object);
    /* What else waits about the same object speaks of ours now. */
    if (rc >= 0)
        rc = db_exec(c->d, c->e, "UPDATE link_proposal SET object_id = ?3 WHERE object_id IS NULL AND their_object = ?2 AND in_id IN (SELECT id FROM link_in WHERE node = ?1)",
                     "ttt", p->node, p->their_object, at.object);
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
    if (agreed)
        rc = accept(c, &p, &object, note);
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
