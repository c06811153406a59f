/* view.c - what the API shows of the links: this node, the others, and every envelope with what became of it. */
#include "desk/link/room.h"

static json_t *texts(const char *s) { return *s ? json_string(s) : json_null(); }

static int self_json(struct call *c, json_t **out)
{
    struct node_key *by = NULL;
    AUTO_BUF struct buf card;
    struct self self;
    struct err ignored;
    int rc = link_self(c, &self);

    buf_init(&card, LINK_CARD_MAX);
    *out = NULL;
    if (rc < 0)
        return rc;
    if (link_node_identity(c->d, &by, &ignored) < 0) {
        *out = json_null();
        return 0;
    }
    const struct node_cert *cert = node_key_cert(by);
    rc = link_card_write(cert, self.org_name.p ? self.org_name : STR(""), self.bin.p ? self.bin : STR(""), str_c(c->d->setup.node->link_url), &card, c->e);
    if (rc == 0)
        *out = json_pack("{s:s, s:o, s:s, s:o, s:s%}", "node", node_cert_name(cert), "org", json_ref(self.org_id, self.org_name), "fingerprint",
                         node_cert_fingerprint(cert), "ends_at", json_time(node_cert_ends(cert)), "card", card.p, card.n);
    node_key_free(&by);
    return rc;
}

static int certs_json(struct call *c, struct str node, json_t **out)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT fingerprint, ends_at, added_at, removed_at FROM link_cert WHERE node = ? ORDER BY added_at, fingerprint", "t",
                                node);
    int rc = st ? 0 : -EIO;

    *out = json_array();
    while (st && (rc = db_step(c->d, st, c->e)) > 0)
        json_array_append_new(*out, json_pack("{s:o, s:o, s:o, s:o}", "fingerprint", db_json(st, 0), "ends_at", db_json_time(st, 1), "added_at",
                                              db_json_time(st, 2), "withdrawn_at", db_json_time(st, 3)));
    return rc;
}

/* Each is one look into an index. */
#define LINK_QUEUE                                                                                                                             \
    " (SELECT created_at FROM link_out x WHERE x.node = p.node AND x.epoch = p.out_epoch AND x.sequence = p.acked + 1),"                         \
    " (SELECT count(*) FROM link_out x WHERE x.node = p.node AND x.receipt = 'refused'),"                                                        \
    " (SELECT count(*) FROM link_in x WHERE x.node = p.node AND x.step_result = 'not_applied'),"                                                 \
    " (SELECT count(*) FROM link_held x WHERE x.node = p.node), p.updates"
#define PEER_COLUMNS                                                                                                                          \
    "SELECT p.node, p.org_id, o.name, p.title, p.url, p.active, p.out_sequence - p.acked, p.out_sequence, p.acked, p.in_sequence, p.out_epoch," \
    " p.in_epoch, p.last_contact_at, p.last_file_at, p.last_error, p.last_error_at, CASE WHEN p.attempts > 0 THEN p.next_try_at END,"           \
    " (SELECT max(sequence) FROM link_out x WHERE x.node = p.node AND x.epoch = p.out_epoch AND x.sent_at IS NOT NULL)," LINK_QUEUE             \
    " FROM link_peer p JOIN org o ON o.id = p.org_id "

static json_t *peer_json(sqlite3_stmt *st)
{
    json_t *out = json_pack("{s:o, s:I, s:I, s:I}", "sent", sqlite3_column_type(st, 17) == SQLITE_NULL ? json_integer(0) : json_integer(sqlite3_column_int64(st, 17)),
                            "numbered", (json_int_t)sqlite3_column_int64(st, 7), "acknowledged", (json_int_t)sqlite3_column_int64(st, 8), "epoch",
                            (json_int_t)sqlite3_column_int64(st, 10));
    json_t *in = json_pack("{s:I, s:I}", "received", (json_int_t)sqlite3_column_int64(st, 9), "epoch", (json_int_t)sqlite3_column_int64(st, 11));

    return json_pack("{s:o, s:o, s:o, s:o, s:b, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:I, s:b}", "node", db_json(st, 0), "org", json_ref(db_str(st, 1), db_str(st, 2)),
                     "title", db_json(st, 3), "url", db_json(st, 4), "active", sqlite3_column_int(st, 5), "queue", (json_int_t)sqlite3_column_int64(st, 6), "out",
                     out, "in", in, "last_contact_at", db_json_time(st, 12), "last_file_at", db_json_time(st, 13), "last_error", db_json(st, 14),
                     "last_error_at", db_json_time(st, 15), "next_try_at", db_json_time(st, 16), "oldest_at", db_json_time(st, 18), "refused",
                     (json_int_t)sqlite3_column_int64(st, 19), "unapplied", (json_int_t)sqlite3_column_int64(st, 20), "held",
                     (json_int_t)sqlite3_column_int64(st, 21), "updates", sqlite3_column_int(st, 22));
}

static int peers_json(struct call *c, json_t **out)
{
    sqlite3_stmt *st = db_query(c->d, c->e, PEER_COLUMNS "ORDER BY p.title, p.node LIMIT 1000", "");
    int rc = st ? 0 : -EIO;

    *out = json_array();
    while (st && (rc = db_step(c->d, st, c->e)) > 0)
        json_array_append_new(*out, peer_json(st));
    return rc;
}

int desk_link(struct desk *d, const struct viewer *v, time_ns now, struct desk_reply *r)
{
    json_t *self = NULL, *peers = NULL;
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = link_needs(&c, false);
    if (rc == 0)
        rc = self_json(&c, &self);
    if (rc == 0)
        rc = peers_json(&c, &peers);
    if (rc == 0)
        r->json = json_pack("{s:O, s:o, s:b, s:O}", "self", self, "listen", texts(d->setup.node->link_listen), "connects",
                            strcmp(d->setup.node->link_connect, "yes") == 0, "nodes", peers);
    json_decref(self);
    json_decref(peers);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

static int peer_one(struct call *c, struct str id)
{
    sqlite3_stmt *st = db_query(c->d, c->e, PEER_COLUMNS "WHERE p.node = ?", "t", id);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;
    json_t *j, *certs;

    if (rc == 0)
        return refuse(c, -ENOENT, "not_found", NULL, "no such node");
    if (rc < 0)
        return rc;
    j = peer_json(st);
    db_done(st);
    rc = certs_json(c, id, &certs);
    json_object_set_new(j, "certificates", certs);
    c->r->json = j;
    return rc;
}

int desk_link_peer(struct desk *d, const struct viewer *v, struct str id, time_ns now, struct desk_reply *r)
{
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = link_needs(&c, false);
    if (rc == 0)
        rc = peer_one(&c, id);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

/* --- envelopes --- */

/* from_envelope - what people recognise a message by: its title, its number, its documents. */
static void from_envelope(json_t *to, struct str text)
{
    json_t *j = NULL, *payload;

    if (link_json_read(text, &j, NULL) < 0)
        return;
    payload = json_object_get(j, "payload");
    const json_t *record = json_object_get(payload, "record");
    struct str number = json_get_str(record, "number");
    json_object_set_new(to, "title", json_str(json_get_str(record ? record : payload, "title")));
    json_object_set_new(to, "number", json_str(number.n ? number : json_get_str(payload, "number")));
    json_object_set_new(to, "about", json_str(json_get_str(payload, "message")));
    json_object_set(to, "documents", json_object_get(j, "documents"));
    json_decref(j);
}

/* Both directions give the same columns. */
#define OUT_COLUMNS                                                                                                                                \
    "SELECT id, 'out', epoch, sequence, kind, message, created_at, hash, via, sent_at, acked_at, NULL, receipt, receipt_code, receipt_number,"    \
    " receipt_at, read_at, envelope, step_act, CASE step_code WHEN 'applied' THEN 'applied' ELSE CASE WHEN step_code IS NOT NULL THEN"              \
    " 'not_applied' END END, nullif(step_code, 'applied'), NULL, case_id, (SELECT number FROM cases k WHERE k.id = case_id) FROM link_out WHERE node = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3"
#define IN_COLUMNS                                                                                                                                 \
    "SELECT id, 'in', epoch, sequence, kind, message, created_at, hash, via, NULL, NULL, received_at, result, code, number, received_at,"         \
    " CASE WHEN ref = 'notice' THEN (SELECT read_at FROM notice n WHERE n.id = ref_id) END, envelope, step_act, step_result, step_code,"           \
    " step_reason, case_id, (SELECT number FROM cases k WHERE k.id = case_id) FROM link_in WHERE node = ?1 AND id < ?2"                          \
    " ORDER BY id DESC LIMIT ?3"

static json_t *envelope_json(sqlite3_stmt *st)
{
    json_t *receipt = sqlite3_column_type(st, 12) == SQLITE_NULL
                          ? json_null()
                          : json_pack("{s:o, s:o, s:o, s:o}", "result", db_json(st, 12), "code", db_json(st, 13), "number", db_json(st, 14), "at",
                                      db_json_time(st, 15));
    json_t *j = json_pack("{s:o, s:o, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:n, s:n, s:n, s:[]}", "id", db_json_id(st, 0), "direction",
                          db_json(st, 1), "epoch", (json_int_t)sqlite3_column_int64(st, 2), "sequence", (json_int_t)sqlite3_column_int64(st, 3), "kind",
                          db_json(st, 4), "message", db_json(st, 5), "created_at", db_json_time(st, 6), "hash", db_json(st, 7), "via", db_json(st, 8),
                          "sent_at", db_json_time(st, 9), "acknowledged_at", db_json_time(st, 10), "received_at", db_json_time(st, 11), "receipt", receipt,
                          "read_at", db_json_time(st, 16), "title", "number", "about", "documents");

    json_object_set_new(j, "step", sqlite3_column_type(st, 18) == SQLITE_NULL ? json_null()
                                   : json_pack("{s:o, s:o, s:o, s:o, s:o}", "act", db_json(st, 18), "result", db_json(st, 19), "code", db_json(st, 20), "reason",
                                               db_json(st, 21), "case", sqlite3_column_type(st, 22) == SQLITE_NULL ? json_null()
                                               : json_pack("{s:o, s:o}", "id", db_json_id(st, 22), "name", db_json(st, 23))));
    from_envelope(j, db_str(st, 17));
    return j;
}

static int envelopes(struct call *c, const struct desk_link_query *q)
{
    int64_t from = q->before.n ? parse_id(q->before) : INT64_MAX, limit = page_limit(q->limit), n = 0;
    bool out = !str_eq(q->direction, STR("in"));
    int64_t known = 0;

    if (db_int(c->d, c->e, 0, &known, "SELECT count(*) FROM link_peer WHERE node = ?", "t", q->peer) < 0)
        return -EIO;
    if (!known)
        return refuse(c, -ENOENT, "not_found", NULL, "no such node");
    json_t *items, *next = NULL;
    sqlite3_stmt *st;
    struct peer p;
    int rc = peer_load(c, q->peer, &p);

    if (rc <= 0)
        return rc < 0 ? rc : refuse(c, -ENOENT, "not_found", NULL, "no such node");
    st = db_query(c->d, c->e, out ? OUT_COLUMNS : IN_COLUMNS, "tii", q->peer, from, limit + 1);
    rc = st ? 0 : -EIO;
    items = json_array();
    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        if (n++ == limit)
            next = json_incref(json_object_get(json_array_get(items, (size_t)limit - 1), "id"));
        else
            json_array_append_new(items, envelope_json(st));
    }
    c->r->json = json_pack("{s:o, s:o}", "items", items, "next", next ? next : json_null());
    return rc;
}

int desk_link_envelopes(struct desk *d, const struct viewer *v, const struct desk_link_query *q, struct desk_reply *r)
{
    struct call c;
    int rc;

    desk_call_init(&c, d, v, 0, r);
    rc = link_needs(&c, false);
    if (rc == 0 && q->direction.n && !str_eq(q->direction, STR("in")) && !str_eq(q->direction, STR("out")))
        rc = refuse(&c, -EINVAL, "bad_request", "direction", "in or out");
    if (rc == 0)
        rc = envelopes(&c, q);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

/* travelled - is this the hash of a document of some envelope? */
static int travelled(struct call *c, struct str sha256)
{
    int64_t n = 0;
    int rc = db_int(c->d, c->e, 0, &n, "SELECT count(*) FROM link_document WHERE sha256 = ?", "t", sha256);

    return rc < 0 ? rc : n ? 0 : refuse(c, -ENOENT, "not_found", NULL, "no such document");
}

int desk_link_document(struct desk *d, const struct viewer *v, struct str sha256, struct buf *out, struct desk_reply *r)
{
    struct call c;
    int rc;

    desk_call_init(&c, d, v, 0, r);
    rc = link_needs(&c, false);
    if (rc == 0 && !link_hash_valid(sha256))
        rc = refuse(&c, -ENOENT, "not_found", NULL, "no such document");
    if (rc == 0)
        rc = travelled(&c, sha256);
    if (rc == 0)
        rc = link_file_read(d, sha256, out, c.e);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

int desk_link_export(struct desk *d, const struct viewer *v, struct str id, time_ns now, struct buf *out, struct desk_reply *r)
{
    char target[100];
    int64_t count = 0;
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = link_needs(&c, true);
    if (rc == 0)
        rc = bundle_make(&c, id, LINK_FILE_MAX - LINK_HEAD_MAX, out, &count, NULL);
    snprintf(target, sizeof target, "node/%.*s/%lld", (int)min_size(id.n, 64), id.p, (long long)count);
    if (rc == 0)
        rc = db_begin(d, c.e);
    if (rc == 0)
        rc = db_end(d, audit_add(&c, "link.export", target, (struct str){ NULL, 0 }, "ok"), c.e);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}
