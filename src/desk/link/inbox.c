/* inbox.c - a bundle comes: judge it whole, then apply its envelopes one by one, each in a transaction of its own.
 *
 * The order of the checks: form, for us, known sender, the sender's signature of the head, then every envelope (signature, sender and receiver,
 * the chain within the bundle). Only then the first row changes. Where an envelope stands in the row of numbers is judged again inside its
 * transaction, for two bundles of one node may be on their way at once. */
#include "desk/link/room.h"

/* forged - whatever a certificate check or a signature said, the bundle is not what it pretends to be. */
static int forged(struct call *c, int rc)
{
    if (rc != -EBADMSG && rc != -EKEYREJECTED)
        return rc;
    return refuse(c, -EPROTO, "forged", NULL, "%.400s", c->e->text);
}

static int judge_head(struct call *c, const struct link_bundle *b, const char *fingerprint, struct peer *p)
{
    struct node_cert *cert = NULL;
    struct self self;
    int rc = link_self(c, &self);

    if (rc < 0)
        return rc;
    if (rc == 0 || !str_eq(b->head.to, self.node))
        return refuse(c, -EPROTO, "wrong_node", NULL, "the bundle is for node \"%.*s\", this one is \"%.*s\"", STR_ARG(b->head.to), STR_ARG(self.node));
    rc = peer_load(c, b->head.from, p);
    if (rc == 0 || (rc > 0 && !p->active))
        return refuse(c, -EPROTO, "unknown_node", NULL, "node \"%.*s\" is not known here, or is switched off", STR_ARG(b->head.from));
    if (rc > 0 && fingerprint) {
        /* Who holds the connection must be who speaks: one node never carries what another one says. */
        rc = peer_cert(c, p->node, str_c(fingerprint), &cert);
        node_cert_free(&cert);
        if (rc < 0)
            return forged(c, rc);
    }
    rc = rc < 0 ? rc : peer_cert(c, p->node, b->fingerprint, &cert);
    if (rc == 0)
        rc = link_bundle_verify(b, cert, c->e);
    node_cert_free(&cert);
    return forged(c, rc);
}

/* judge_item - the signature, and that it continues what stood before it in the bundle. */
static int judge_item(struct call *c, const struct peer *p, const struct link_head *h, const struct link_item *i, struct link_mark *last)
{
    const struct link_envelope *v = &i->envelope;
    struct node_cert *cert = NULL;
    int rc;

    if (!str_eq(v->from, h->from) || !str_eq(v->to, h->to))
        return refuse(c, -EPROTO, "forged", NULL, "an envelope from \"%.*s\" to \"%.*s\" lies in a bundle of another pair", STR_ARG(v->from), STR_ARG(v->to));
    if (last->sequence && (v->epoch != last->epoch || v->sequence != last->sequence + 1 || !str_eq(v->previous, str_c(last->hash))))
        return refuse(c, -EPROTO, "forged", NULL, "envelope %lld does not continue the one before it", (long long)v->sequence);
    rc = peer_cert(c, p->node, i->fingerprint, &cert);
    if (rc == 0)
        rc = link_item_verify(i, cert, c->e);
    node_cert_free(&cert);
    *last = (struct link_mark){ v->epoch, v->sequence, "" };
    memcpy(last->hash, i->hash, sizeof last->hash);
    return forged(c, rc);
}

static int judge_items(struct call *c, const struct peer *p, struct str bytes)
{
    struct link_item *item = arena_alloc(&c->a, sizeof *item);
    struct link_mark last = { 0 };
    struct link_bundle b;
    int rc = link_bundle_read(bytes, &b, c->e);

    if (rc < 0 || !item)
        return rc < 0 ? rc : err_set(c->e, -ENOMEM, "no memory for a bundle");
    while ((rc = link_bundle_next(&b, item, c->e)) > 0) {
        rc = judge_item(c, p, &b.head, item, &last);
        link_item_free(item);
        if (rc < 0)
            break;
    }
    link_bundle_free(&b);
    return rc == -EBADMSG || rc == -E2BIG ? refuse(c, -EPROTO, "not_a_bundle", NULL, "%.400s", c->e->text) : rc;
}

/* --- applying --- */

/* case_number_of - ours, for the other side to show beside its own; {NULL,0} without a case. */
static int case_number_of(struct call *c, int64_t id, struct str *out)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT number FROM cases WHERE id = ?", "i", id);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    *out = (struct str){ NULL, 0 };
    if (rc > 0) {
        *out = db_copy(st, 0, &c->a);
        db_done(st);
    }
    return rc < 0 ? rc : 0;
}

int receipt_put(struct call *c, const struct peer *p, const struct link_item *i, const struct applied *a)
{
    const char *code = a->code, *number = a->number;
    struct str of_case;
    char at[TIME_TEXT_MAX];
    json_t *payload = NULL;
    int rc = case_number_of(c, a->case_id, &of_case);

    if (rc == 0)
        payload = json_pack("{s:s, s:o, s:s?, s:s, s:s%, s:s?, s:s, s:s?}", "at", time_format_utc(c->now, at), "case", json_str(of_case), "code",
                            *code ? code : NULL, "hash", i->hash, "message", i->envelope.message.p, i->envelope.message.n, "number", *number ? number : NULL,
                            "result", *code ? "refused" : "accepted", "step", !*a->step_act ? NULL : *a->step_code ? a->step_code : "applied");
    if (rc == 0)
        rc = payload ? outbox_put(c, p, &(struct link_message){ .kind = LINK_RECEIPT, .payload = payload }, NULL)
                     : err_set(c->e, -ENOMEM, "no memory for a receipt");
    json_decref(payload);
    return rc;
}

/* known_message - the first row of this message and what came of it: an older one than ours means that it was applied already, under a number of
 * an earlier epoch. */
static int known_message(struct call *c, const struct peer *p, const struct link_item *i, int64_t *first, struct applied *a)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT id, code, number, step_act, step_code, case_id FROM link_in WHERE node = ?1 AND message = ?2 ORDER BY id LIMIT 1", "tt", p->node,
                                i->envelope.message);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    if (rc <= 0)
        return rc;
    *first = sqlite3_column_int64(st, 0);
    snprintf(a->code, sizeof a->code, "%.*s", STR_ARG(db_str(st, 1)));
    snprintf(a->number, sizeof a->number, "%.*s", STR_ARG(db_str(st, 2)));
    snprintf(a->step_act, sizeof a->step_act, "%.*s", STR_ARG(db_str(st, 3)));
    snprintf(a->step_code, sizeof a->step_code, "%.*s", STR_ARG(db_str(st, 4)));
    a->case_id = sqlite3_column_int64(st, 5);
    db_done(st);
    return 0;
}

/* apply_within - in a savepoint: a refused message leaves its row and its receipt, and nothing else. */
static int apply_within(struct call *c, const struct incoming *in, struct applied *a)
{
    size_t changes = c->d->change_count;
    int rc = db_exec(c->d, c->e, "SAVEPOINT link_apply", "");

    if (rc < 0)
        return rc;
    rc = incoming_apply(c, in, a);
    if (rc < 0 && link_trouble(rc))
        return rc; /* the whole transaction is undone */
    if (rc < 0) { /* it would be the same tomorrow, and those behind it would wait for it for ever */
        *a = (struct applied){ .code = "" };
        snprintf(a->code, sizeof a->code, "%s", rc == -EFBIG || rc == -E2BIG ? "too_large" : "bad_payload");
    }
    if (*a->code) {
        c->d->change_count = changes;
        rc = db_exec(c->d, c->e, "ROLLBACK TO link_apply", "");
    }
    if (rc >= 0)
        rc = db_exec(c->d, c->e, "RELEASE link_apply", "");
    c->r->code = NULL;
    c->r->field[0] = 0;
    return rc < 0 ? rc : 0;
}

static int move_mark(struct call *c, const struct peer *p, const struct link_item *i)
{
    int rc = db_exec(c->d, c->e, "UPDATE link_peer SET in_epoch = ?2, in_sequence = ?3, in_hash = ?4 WHERE node = ?1", "tiiz", p->node, i->envelope.epoch,
                     i->envelope.sequence, i->hash);

    change_add(c->d, "link", p->node);
    return rc < 0 ? rc : 0;
}

static int apply_one(struct call *c, const struct peer *p, const struct link_item *i, bool file, struct taken *t)
{
    const struct link_envelope *v = &i->envelope;
    struct applied a = { 0 };
    struct incoming in = { p, i, 0 };
    char target[120];
    int rc = db_int(c->d, c->e, 0, &in.id,
                    "INSERT INTO link_in(node, epoch, sequence, message, kind, created_at, received_at, via, envelope, hash, signature, signed_with, result)"
                    " VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,'accepted') RETURNING id",
                    "tiitziiztztt", p->node, v->epoch, v->sequence, v->message, link_kind_name(v->kind), v->created_at, c->now, file ? "file" : "https",
                    buf_view(&i->bytes), i->hash, i->signature, i->fingerprint);
    int64_t first = 0;

    for (size_t k = 0; rc == 0 && k < v->document_count; k++)
        rc = document_note(c, v->document[k].sha256);
    if (rc == 0)
        rc = known_message(c, p, i, &first, &a);
    if (rc == 0 && first == in.id)
        rc = apply_within(c, &in, &a);
    if (rc == 0)
        rc = db_exec(c->d, c->e, "UPDATE link_in SET result = ?2, code = ?3, number = ?4, ref = ?5, ref_id = ?6, step_act = ?7, step_result = ?8, step_code = ?9,"
                                 " step_reason = ?10, case_id = ?11 WHERE id = ?1",
                     "izzzzmzzzzm", in.id,
                     first != in.id ? "known" : *a.code ? "refused" : "accepted", *a.code ? a.code : NULL, *a.number ? a.number : NULL,
                     *a.ref ? a.ref : NULL, (time_ns)a.ref_id, *a.step_act ? a.step_act : NULL, !*a.step_act ? NULL : *a.step_code ? "not_applied" : "applied",
                     *a.step_code ? a.step_code : NULL, *a.step_code ? a.step_reason : NULL, (time_ns)a.case_id);
    if (rc >= 0)
        rc = move_mark(c, p, i);
    if (rc == 0 && v->kind != LINK_RECEIPT) {
        struct peer now;

        rc = peer_load(c, p->node, &now);
        if (rc > 0)
            rc = receipt_put(c, &now, i, &a);
    }
    snprintf(target, sizeof target, "node/%.*s/%lld/%lld", STR_ARG(p->node), (long long)v->epoch, (long long)v->sequence);
    if (rc == 0)
        rc = audit_add(c, "link.received", target, str_c(*a.code ? a.code : link_kind_name(v->kind)), *a.code ? "refused" : "ok");
    if (rc < 0)
        return rc;
    t->applied++;
    t->refused += *a.code != 0;
    return 0;
}

enum place { PLACE_NEXT, PLACE_KNOWN, PLACE_GAP };

/* place_of - where an envelope stands in the row: the next, one we have, or one that must wait. */
static int place_of(struct call *c, const struct peer *p, const struct link_item *i)
{
    const struct link_envelope *v = &i->envelope;
    sqlite3_stmt *st;
    bool same;
    int rc;

    if (v->epoch < p->in.epoch)
        return PLACE_KNOWN;
    if (v->epoch > p->in.epoch)
        return v->sequence == 1 && str_eq(v->previous, STR(LINK_ZERO_HASH)) ? PLACE_NEXT : PLACE_GAP;
    if (v->sequence > p->in.sequence + 1)
        return PLACE_GAP;
    if (v->sequence == p->in.sequence + 1) {
        if (!str_eq(v->previous, str_c(p->in.hash)))
            return refuse(c, -EPROTO, "diverged", NULL, "envelope %lld does not follow the one we have as %lld: node \"%.*s\" must restart its stream",
                          (long long)v->sequence, (long long)p->in.sequence, STR_ARG(p->node));
        return PLACE_NEXT;
    }
    st = db_query(c->d, c->e, "SELECT hash FROM link_in WHERE node = ?1 AND epoch = ?2 AND sequence = ?3", "tii", p->node, v->epoch, v->sequence);
    rc = st ? db_step(c->d, st, c->e) : -EIO;
    if (rc < 0)
        return rc;
    same = rc > 0 && str_eq(db_str(st, 0), str_c(i->hash));
    if (rc > 0)
        db_done(st);
    return same ? PLACE_KNOWN : refuse(c, -EPROTO, "diverged", NULL, "we have another envelope as number %lld: node \"%.*s\" must restart its stream",
                                       (long long)v->sequence, STR_ARG(p->node));
}

static int place_now(struct call *c, struct str node, const struct link_item *i, struct peer *p)
{
    int rc = peer_load(c, node, p);

    return rc < 0 ? rc : rc == 0 ? err_set(c->e, -ENOENT, "the node is gone") : place_of(c, p, i);
}

/* take_item - where it stands is judged before anything of it is kept (what is not the next must not fill the disk), and again under the lock. */
static int take_item(struct call *c, struct str node, const struct link_item *i, bool file, struct taken *t)
{
    struct peer p;
    int place = place_now(c, node, i, &p), rc = place;

    /* Files first: a document without a row is waste, a row without its document would be a lie. */
    for (size_t k = 0; rc == PLACE_NEXT && k < i->envelope.document_count; k++)
        rc = link_file_keep(c, i->envelope.document[k].sha256, buf_view(&i->content[k]));
    if (rc == PLACE_NEXT && (rc = db_begin(c->d, c->e)) == 0) {
        rc = place = place_now(c, node, i, &p);
        if (rc == PLACE_NEXT)
            rc = apply_one(c, &p, i, file, t);
        rc = db_end(c->d, rc, c->e);
    }
    t->known += rc >= 0 && place == PLACE_KNOWN;
    t->gap = t->gap || (rc >= 0 && place == PLACE_GAP);
    return rc < 0 ? rc : 0;
}

static int acknowledge(struct call *c, struct str node, const struct link_mark *have, bool file, struct taken *t)
{
    struct peer p;
    int rc = peer_load(c, node, &p);

    /* Hundreds of nodes ask a centre again and again whether there is something: that is no reason to write. */
    if (rc > 0 && !file && have->epoch == p.out_epoch && have->sequence == p.acked && !p.troubled && p.attempts == 0 && c->now >= p.last_contact_at &&
        c->now - p.last_contact_at < LINK_SEEN_NS)
        return 0;
    if (rc >= 0)
        rc = db_begin(c->d, c->e);

    if (rc < 0)
        return rc;
    rc = peer_load(c, node, &p);
    if (rc > 0)
        rc = outbox_acknowledge(c, &p, have, file);
    t->acknowledged = rc > 0 ? rc : 0;
    if (rc >= 0)
        rc = db_exec(c->d, c->e,
                     "UPDATE link_peer SET last_contact_at = ?2, last_file_at = CASE WHEN ?3 THEN ?2 ELSE last_file_at END, attempts = 0, last_error = NULL"
                     " WHERE node = ?1",
                     "tii", node, c->now, (int64_t)file);
    return db_end(c->d, rc, c->e);
}

int bundle_take(struct call *c, struct str bytes, bool file, const char *fingerprint, struct taken *out)
{
    struct link_item *item = arena_alloc(&c->a, sizeof *item);
    struct link_bundle b;
    struct peer p;
    int rc = item ? link_bundle_read(bytes, &b, c->e) : err_set(c->e, -ENOMEM, "no memory for a bundle");

    *out = (struct taken){ 0 };
    if (rc == -ENOTSUP)
        return refuse(c, -EPROTO, "unknown_version", NULL, "%.400s", c->e->text);
    if (rc < 0)
        return rc == -EBADMSG || rc == -E2BIG ? refuse(c, -EPROTO, "not_a_bundle", NULL, "%.400s", c->e->text) : rc;
    rc = judge_head(c, &b, fingerprint, &p);
    if (rc == 0) {
        snprintf(out->node, sizeof out->node, "%.*s", STR_ARG(p.node));
        rc = judge_items(c, &p, bytes);
    }
    if (rc == 0)
        rc = acknowledge(c, p.node, &b.head.have, file, out);
    while (rc >= 0 && !out->gap && (rc = link_bundle_next(&b, item, c->e)) > 0) {
        rc = take_item(c, p.node, item, file, out);
        link_item_free(item);
    }
    link_bundle_free(&b);
    return rc < 0 ? rc : 0;
}
