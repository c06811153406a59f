/* peers.c - the nodes that are known: who they are, for whom they speak, how they are let in and struck off.
 *
 * A node is known by its certificate, which its administrator hands over on a card. No secret is copied; what makes the card trustworthy is that
 * two people compare the fingerprint by another way. */
#include "desk/link/room.h"

int link_node_identity(struct desk *d, struct node_key **out, struct err *e)
{
    char path[4096];

    return node_key_load(node_path(d->setup.node, "link", path), out, e);
}

int link_own(struct call *c, int64_t *yes)
{
    *yes = 0;
    return c->v->org_id[0] ? db_int(c->d, c->e, 0, yes, "SELECT count(*) FROM link_self WHERE org_id = ?", "z", c->v->org_id) : 0;
}

int link_needs(struct call *c, bool manage)
{
    enum desk_role r = c->v->role;
    int64_t own = 0;
    int rc = !manage && r == DESK_OWNER_ADMINISTRATOR ? link_own(c, &own) : 0;

    if (rc < 0 || own || r == DESK_ADMINISTRATOR || (!manage && (role_of_centre(r) || r == DESK_AUDITOR)))
        return rc;
    return refuse(c, -EACCES, "forbidden", NULL, "the links to other nodes are the administrator's");
}

int link_self(struct call *c, struct self *out)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT s.org_id, o.kind, o.name, o.bin, s.node FROM link_self s JOIN org o ON o.id = s.org_id", "");
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    *out = (struct self){ 0 };
    if (rc <= 0)
        return rc;
    *out = (struct self){ db_copy(st, 0, &c->a), db_copy(st, 1, &c->a), db_copy(st, 2, &c->a), db_copy(st, 3, &c->a), db_copy(st, 4, &c->a) };
    db_done(st);
    return 1;
}

int peer_load(struct call *c, struct str node, struct peer *out)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT p.node, p.org_id, o.kind, p.title, p.url, p.active, p.out_epoch, p.out_sequence, p.acked, p.attempts, p.out_hash,"
                                " p.in_epoch, p.in_sequence, p.in_hash, p.next_try_at, p.last_contact_at, p.last_error IS NOT NULL FROM link_peer p JOIN org o ON o.id = p.org_id WHERE p.node = ?",
                                "t", node);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    if (rc <= 0)
        return rc;
    *out = (struct peer){ .node = db_copy(st, 0, &c->a), .org_id = db_copy(st, 1, &c->a), .org_kind = db_copy(st, 2, &c->a),
                          .title = db_copy(st, 3, &c->a), .url = db_copy(st, 4, &c->a), .active = sqlite3_column_int(st, 5),
                          .out_epoch = sqlite3_column_int64(st, 6), .out_sequence = sqlite3_column_int64(st, 7), .acked = sqlite3_column_int64(st, 8),
                          .attempts = sqlite3_column_int64(st, 9), .out_hash = db_copy(st, 10, &c->a),
                          .in = { .epoch = sqlite3_column_int64(st, 11), .sequence = sqlite3_column_int64(st, 12) },
                          .next_try_at = sqlite3_column_int64(st, 14), .last_contact_at = sqlite3_column_int64(st, 15), .troubled = sqlite3_column_int(st, 16) };
    snprintf(out->in.hash, sizeof out->in.hash, "%.*s", 64, db_str(st, 13).p);
    db_done(st);
    return arena_failed(&c->a) ? err_set(c->e, -ENOMEM, "no memory for a node") : 1;
}

int peer_cert(struct call *c, struct str node, struct str fingerprint, struct node_cert **out)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT pem FROM link_cert WHERE fingerprint = ?1 AND node = ?2 AND removed_at IS NULL", "tt", fingerprint,
                                node);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    if (rc == 0)
        return err_set(c->e, -EKEYREJECTED, "certificate %.*s is not one of node \"%.*s\"", STR_ARG(fingerprint), STR_ARG(node));
    if (rc < 0)
        return rc;
    rc = node_cert_read(db_str(st, 0), out, c->e);
    db_done(st);
    return rc;
}

int link_trusted(struct desk *d, struct buf *out, struct err *e)
{
    sqlite3_stmt *st = db_query(d, e,
                                "SELECT c.pem FROM link_cert c JOIN link_peer p ON p.node = c.node WHERE p.active = 1 AND c.removed_at IS NULL"
                                " ORDER BY c.fingerprint",
                                "");
    int rc = st ? 0 : -EIO;

    while (st && (rc = db_step(d, st, e)) > 0)
        buf_str(out, db_str(st, 0));
    return rc < 0 ? rc : buf_failed(out) ? err_set(e, -ENOMEM, "no memory for the certificates of other nodes") : 0;
}

void peer_failed(struct desk *d, struct str node, const char *why, bool pause, time_ns now)
{
    struct err e;
    int64_t tries = 0;
    time_ns wait = LINK_PAUSE_FIRST;
    int rc = db_int(d, &e, 0, &tries, "SELECT attempts FROM link_peer WHERE node = ?", "t", node);

    for (int64_t i = 0; i < tries && wait < LINK_PAUSE_MOST; i++)
        wait = wait * 2 < LINK_PAUSE_MOST ? wait * 2 : LINK_PAUSE_MOST;
    if (rc == 0)
        rc = db_begin(d, &e);
    if (rc < 0)
        return; /* the next failure notes it */
    rc = db_exec(d, &e,
                 "UPDATE link_peer SET last_error = substr(?2, 1, 500), last_error_at = ?3, attempts = attempts + ?4, next_try_at = CASE WHEN ?4 THEN ?5"
                 " ELSE next_try_at END WHERE node = ?1",
                 "tziii", node, why, now, (int64_t)pause, now + wait);
    change_add(d, "link", node);
    if (db_end(d, rc, &e) < 0)
        return;
}

/* --- acts --- */

static int self_write(struct call *c, const json_t *body)
{
    struct str org = json_get_str(body, "org_id");
    struct node_key *by = NULL;
    int64_t n = 0, peers = 0;
    struct self before;
    int rc = link_node_identity(c->d, &by, c->e);

    if (rc < 0)
        return refuse(c, -EPROTO, "no_identity", NULL, "this node has no certificate yet: run \"saqshy link init\"");
    rc = db_int(c->d, c->e, 0, &n, "SELECT count(*) FROM org WHERE id = ?", "t", org);
    if (rc == 0)
        rc = db_int(c->d, c->e, 0, &peers, "SELECT count(*) FROM link_peer", "");
    if (rc == 0 && n == 0)
        rc = refuse(c, -EINVAL, "bad_request", "org_id", "no such organisation");
    if (rc == 0)
        rc = link_self(c, &before);
    if (rc > 0 && peers && !str_eq(before.node, str_c(node_cert_name(node_key_cert(by)))))
        rc = refuse(c, -EPROTO, "wrong_state", NULL, "other nodes know this one as \"%.*s\": its certificate may change, its name may not",
                    STR_ARG(before.node));
    if (rc >= 0)
        rc = db_exec(c->d, c->e, "INSERT INTO link_self(one, org_id, node) VALUES (1, ?1, ?2) ON CONFLICT(one) DO UPDATE SET org_id = ?1, node = ?2", "tz",
                     org, node_cert_name(node_key_cert(by)));
    if (rc >= 0)
        rc = audit_add(c, "link.self", node_cert_name(node_key_cert(by)), org, "ok");
    node_key_free(&by);
    return rc < 0 ? rc : 0;
}

int desk_link_self(struct desk *d, const struct viewer *v, const json_t *body, time_ns now, struct desk_reply *r)
{
    static const struct body_field fields[] = { { "org_id", BODY_STRING, true, false, 1, ID_MAX, NULL } };
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = link_needs(&c, true);
    if (rc == 0)
        rc = body_check(body, fields, COUNT(fields), r->field, c.e);
    if (rc == 0)
        rc = db_begin(d, c.e);
    if (rc == 0)
        rc = db_end(d, self_write(&c, body), c.e);
    desk_call_free(&c);
    return rc < 0 ? refuse_rc(r, rc) : desk_link(d, v, now, r);
}

static int cert_add(struct call *c, const struct node_cert *cert)
{
    int64_t n = 0;
    int rc = db_int(c->d, c->e, 0, &n, "SELECT count(*) FROM link_cert WHERE node = ?1 AND removed_at IS NULL", "z", node_cert_name(cert));

    if (rc == 0 && n >= LINK_CERTS_MAX)
        return refuse(c, -EPROTO, "wrong_state", "card", "a node has at most %d certificates: withdraw an old one", LINK_CERTS_MAX);
    if (rc == 0)
        rc = db_exec(c->d, c->e, "INSERT INTO link_cert(fingerprint, node, pem, ends_at, added_at) VALUES (?,?,?,?,?)", "zztii",
                     node_cert_fingerprint(cert), node_cert_name(cert), node_cert_pem(cert), node_cert_ends(cert), c->now);
    return rc == -EEXIST ? refuse(c, -EEXIST, "conflict", "card", "this certificate is known already") : rc < 0 ? rc : 0;
}

/* card_of - the card of a body, with its certificate not yet ended. */
static int card_of(struct call *c, const json_t *body, struct link_card *card)
{
    int rc = link_card_read(json_get_str(body, "card"), card, c->e);

    if (rc < 0)
        return refuse(c, -EINVAL, "bad_request", "card", "%.400s", c->e->text);
    if (node_cert_ends(card->cert) <= c->now)
        return refuse(c, -EINVAL, "bad_request", "card", "the certificate on the card has ended");
    return 0;
}

static int fingerprint_same(struct call *c, const json_t *body, const struct node_cert *cert)
{
    char hex[LINK_HASH_TEXT] = "";
    size_t n = 0;
    struct str s = json_get_str(body, "fingerprint");

    /* As people write it: in groups, with colons, in capitals. */
    for (size_t i = 0; i < s.n && n < 64; i++)
        if (s.p[i] != ' ' && s.p[i] != ':' && s.p[i] != '-')
            hex[n++] = s.p[i] >= 'A' && s.p[i] <= 'F' ? (char)(s.p[i] + 32) : s.p[i];
    hex[n] = 0;
    return strcmp(hex, node_cert_fingerprint(cert)) == 0
               ? 0 : refuse(c, -EINVAL, "bad_request", "fingerprint", "this is not the fingerprint of the certificate on the card");
}

static int org_free(struct call *c, struct str org, struct str node)
{
    int64_t n = 0, taken = 0;
    struct self self;
    int rc = db_int(c->d, c->e, 0, &n, "SELECT count(*) FROM org WHERE id = ?", "t", org);

    if (rc == 0)
        rc = db_int(c->d, c->e, 0, &taken, "SELECT count(*) FROM link_peer WHERE org_id = ?1 AND node <> ?2 AND active = 1", "tt", org, node);
    if (rc < 0)
        return rc;
    if (n == 0)
        return refuse(c, -EINVAL, "bad_request", "org_id", "no such organisation");
    if (taken)
        return refuse(c, -EEXIST, "conflict", "org_id", "another node speaks for this organisation");
    rc = link_self(c, &self);
    if (rc == 0)
        return refuse(c, -EPROTO, "wrong_state", NULL, "say first for which organisation this node speaks");
    if (rc > 0 && str_eq(self.org_id, org))
        return refuse(c, -EINVAL, "bad_request", "org_id", "this is our own organisation");
    if (rc > 0 && str_eq(self.node, node))
        return refuse(c, -EINVAL, "bad_request", "card", "this is the card of this node itself");
    return rc < 0 ? rc : 0;
}

static int url_of(struct call *c, const json_t *body, struct str *url)
{
    *url = json_get_str(body, "url");
    if (url->n && !link_url_valid(*url))
        return refuse(c, -EINVAL, "bad_request", "url", "https://host:port is expected");
    if (!url->n)
        *url = (struct str){ NULL, 0 };
    return 0;
}

static int peer_insert(struct call *c, const json_t *body)
{
    struct str org = json_get_str(body, "org_id"), url, title = json_get_str(body, "title");
    struct link_card card;
    char target[100];
    int rc = card_of(c, body, &card);

    if (rc == 0)
        rc = fingerprint_same(c, body, card.cert);
    if (rc == 0)
        rc = org_free(c, org, card.node);
    if (rc == 0)
        rc = url_of(c, body, &url);
    /* Notices issued before the node was known went their other ways: the cursor begins here. */
    if (rc == 0)
        rc = db_exec(c->d, c->e,
                     "INSERT INTO link_peer(node, org_id, title, url, active, added_at, added_by, out_hash, in_hash, notice_cursor, step_cursor) VALUES"
                     " (?1,?2,?3,?4,1,?5,?6,'" LINK_ZERO_HASH "','" LINK_ZERO_HASH "',(SELECT coalesce(max(id), 0) FROM notice),(SELECT coalesce(max(id), 0)"
                     " FROM link_step))",
                     "ttttii", card.node, org, title.n ? title : card.organisation, url, c->now, c->v->user_id);
    if (rc == -EEXIST)
        rc = refuse(c, -EEXIST, "conflict", "card", "node \"%.*s\" is known already", STR_ARG(card.node));
    if (rc >= 0)
        rc = cert_add(c, card.cert);
    snprintf(target, sizeof target, "node/%.*s", STR_ARG(card.node));
    if (rc == 0)
        rc = audit_add(c, "link.peer.add", target, str_c(node_cert_fingerprint(card.cert)), "ok");
    change_add(c->d, "link", card.node);
    if (rc == 0)
        snprintf(c->r->field, sizeof c->r->field, "%.*s", STR_ARG(card.node)); /* for the caller, who clears it */
    link_card_free(&card);
    return rc;
}

int desk_link_peer_add(struct desk *d, const struct viewer *v, const json_t *body, time_ns now, struct desk_reply *r)
{
    static const struct body_field fields[] = {
        { "card", BODY_TEXT, true, false, 1, LINK_CARD_MAX, NULL }, { "fingerprint", BODY_STRING, true, false, 64, 200, NULL },
        { "org_id", BODY_STRING, true, false, 1, ID_MAX, NULL },    { "title", BODY_STRING, false, true, 0, 500, NULL },
        { "url", BODY_STRING, false, true, 0, 500, NULL },
    };
    char node[PKI_NAME_MAX + 1];
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = link_needs(&c, true);
    if (rc == 0)
        rc = body_check(body, fields, COUNT(fields), r->field, c.e);
    if (rc == 0)
        rc = db_begin(d, c.e);
    if (rc == 0)
        rc = db_end(d, peer_insert(&c, body), c.e);
    if (rc >= 0) {
        snprintf(node, sizeof node, "%.64s", r->field);
        r->field[0] = 0;
    }
    desk_call_free(&c);
    return rc < 0 ? refuse_rc(r, rc) : desk_link_peer(d, v, str_c(node), now, r);
}

static int cert_remove(struct call *c, struct str node, struct str fingerprint)
{
    int64_t left = 0;
    int rc = db_exec(c->d, c->e, "UPDATE link_cert SET removed_at = ?3 WHERE node = ?1 AND fingerprint = ?2 AND removed_at IS NULL", "tti", node,
                     fingerprint, c->now);

    if (rc == 0)
        return refuse(c, -EINVAL, "bad_request", "withdraw", "no such certificate of this node");
    if (rc > 0)
        rc = db_int(c->d, c->e, 0, &left, "SELECT count(*) FROM link_cert WHERE node = ? AND removed_at IS NULL", "t", node);
    return rc < 0 ? rc : left == 0 ? refuse(c, -EPROTO, "wrong_state", "withdraw", "this is the node's last certificate: switch the node off instead") : 0;
}

static int peer_change(struct call *c, struct str node, const json_t *body)
{
    struct link_card card = { 0 };
    struct str url, org = json_get_str(body, "org_id"), withdraw = json_get_str(body, "withdraw");
    int64_t active = json_is_true(json_object_get(body, "active"));
    const json_t *updates = json_object_get(body, "updates");
    char target[100];
    int rc = url_of(c, body, &url);

    if (rc == 0 && active)
        rc = org_free(c, org, node);
    if (rc == 0)
        rc = db_exec(c->d, c->e,
                     "UPDATE link_peer SET org_id = ?2, title = ?3, url = ?4, active = ?5, attempts = 0, next_try_at = 0, updates = coalesce(CAST(?6 AS INTEGER), updates),"
                     " update_cursor = CASE WHEN ?6 = '1' AND updates = 0 THEN (SELECT coalesce(max(seq), 0) FROM record_version) ELSE update_cursor END WHERE node"
                     " = ?1",
                     "ttttiz", node, org, json_get_str(body, "title"), url, active, !updates ? NULL : json_is_true(updates) ? "1" : "0");
    if (rc == 0)
        return refuse(c, -ENOENT, "not_found", NULL, "no such node");
    if (rc > 0 && json_get_str(body, "card").n) {
        rc = card_of(c, body, &card);
        if (rc == 0 && !str_eq(card.node, node))
            rc = refuse(c, -EINVAL, "bad_request", "card", "this is the card of node \"%.*s\"", STR_ARG(card.node));
        if (rc == 0)
            rc = fingerprint_same(c, body, card.cert);
        if (rc == 0)
            rc = cert_add(c, card.cert);
        link_card_free(&card);
    }
    if (rc >= 0 && withdraw.n)
        rc = cert_remove(c, node, withdraw);
    snprintf(target, sizeof target, "node/%.*s", (int)min_size(node.n, 64), node.p);
    change_add(c->d, "link", node);
    return rc < 0 ? rc : audit_add(c, active ? "link.peer.update" : "link.peer.off", target, org, "ok");
}

int desk_link_peer_update(struct desk *d, const struct viewer *v, struct str id, const json_t *body, time_ns now, struct desk_reply *r)
{
    static const struct body_field fields[] = {
        { "org_id", BODY_STRING, true, false, 1, ID_MAX, NULL },      { "title", BODY_STRING, true, false, 1, 500, NULL },
        { "url", BODY_STRING, true, true, 0, 500, NULL },             { "active", BODY_BOOL, true, false, 0, 0, NULL },
        { "card", BODY_TEXT, false, true, 1, LINK_CARD_MAX, NULL },   { "fingerprint", BODY_STRING, false, true, 64, 200, NULL },
        { "withdraw", BODY_STRING, false, true, 64, 64, NULL },       { "updates", BODY_BOOL, false, false, 0, 0, NULL },
    };
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = link_needs(&c, true);
    if (rc == 0)
        rc = body_check(body, fields, COUNT(fields), r->field, c.e);
    if (rc == 0)
        rc = db_begin(d, c.e);
    if (rc == 0)
        rc = db_end(d, peer_change(&c, id, body), c.e);
    desk_call_free(&c);
    return rc < 0 ? refuse_rc(r, rc) : desk_link_peer(d, v, id, now, r);
}

static int restart(struct call *c, struct str node)
{
    char target[100];
    struct peer p;
    int rc = peer_load(c, node, &p);

    if (rc == 0)
        return refuse(c, -ENOENT, "not_found", NULL, "no such node");
    if (rc > 0)
        rc = outbox_restart(c, &p);
    snprintf(target, sizeof target, "node/%.*s", (int)min_size(node.n, 64), node.p);
    change_add(c->d, "link", node);
    return rc < 0 ? rc : audit_add(c, "link.peer.restart", target, (struct str){ NULL, 0 }, "ok");
}

int desk_link_peer_restart(struct desk *d, const struct viewer *v, struct str id, time_ns now, struct desk_reply *r)
{
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = link_needs(&c, true);
    if (rc == 0)
        rc = db_begin(d, c.e);
    if (rc == 0)
        rc = db_end(d, restart(&c, id), c.e);
    desk_call_free(&c);
    return rc < 0 ? refuse_rc(r, rc) : desk_link_peer(d, v, id, now, r);
}
