/* outbox.c - what waits to be sent: rows with a number, fixed bytes and the hash of the one before.
 *
 * The envelope is written once, in the transaction of the act, without the node's key: an act never fails because a file of keys cannot be
 * read. The signature is added when the envelope first leaves, and kept; a new certificate signs anew what still waits. */
#include "desk/link/room.h"

int link_send(struct call *c, struct str org_id, const struct link_message *m, int64_t *id)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT node FROM link_peer WHERE org_id = ? AND active = 1", "t", org_id);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;
    struct peer p;
    struct str node;

    if (rc <= 0)
        return rc;
    node = db_copy(st, 0, &c->a);
    db_done(st);
    rc = peer_load(c, node, &p);
    if (rc > 0)
        rc = outbox_put(c, &p, m, id);
    return rc < 0 ? rc : 1;
}

/* name_clean - a name that a receiver takes: no path, no leading dot, at most 200 bytes, whole letters. What people call their files must not be able
 * to stop a stream. */
static struct str name_clean(struct call *c, struct str name)
{
    size_t n = min_size(name.n, 200);
    char *to = arena_alloc(&c->a, n + 5);

    while (n && n < name.n && ((unsigned char)name.p[n] & 0xc0) == 0x80)
        n--;
    if (!to)
        return STR("file");
    for (size_t i = 0; i < n; i++)
        to[i] = (unsigned char)name.p[i] < 0x20 || name.p[i] == 0x7f || strchr("/\\:*?\"<>|", name.p[i]) || (i == 0 && name.p[i] == '.') ? '_' : name.p[i];
    return n && str_utf8_valid(str_of(to, n)) ? str_of(to, n) : STR("file");
}

int document_note(struct call *c, struct str sha256)
{
    int rc = db_exec(c->d, c->e, "INSERT OR IGNORE INTO link_document(sha256) VALUES (?)", "t", sha256);

    return rc < 0 ? rc : 0;
}

/* take_documents - kept as files by hash, listed in the order of their hashes, each once. */
static int take_documents(struct call *c, const struct link_message *m, struct link_envelope *v)
{
    size_t sum = 0;

    if (m->attachment_count > LINK_DOCUMENTS_MAX)
        return err_set(c->e, -E2BIG, "more than %d documents in one message", LINK_DOCUMENTS_MAX);
    for (size_t i = 0; i < m->attachment_count; i++) {
        const struct link_attachment *a = &m->attachments[i];
        char sha[LINK_HASH_TEXT];
        size_t at = 0;
        int rc, order = 1;

        sum += a->bytes.n;
        if (a->bytes.n == 0 || sum > LINK_DOCUMENT_BYTES)
            return err_set(c->e, -E2BIG, "a document is empty, or the documents of a message are larger than %u bytes", LINK_DOCUMENT_BYTES);
        link_sha256_hex(a->bytes, sha);
        while (at < v->document_count && (order = str_cmp(v->document[at].sha256, str_c(sha))) < 0)
            at++;
        if (at < v->document_count && order == 0)
            continue;
        rc = link_file_keep(c, str_c(sha), a->bytes);
        if (rc < 0)
            return rc;
        memmove(&v->document[at + 1], &v->document[at], (v->document_count - at) * sizeof v->document[0]);
        v->document[at] = (struct link_document){ name_clean(c, a->name), a->type, arena_copy(&c->a, str_c(sha)), (int64_t)a->bytes.n };
        v->document_count++;
        rc = document_note(c, v->document[at].sha256);
        if (rc < 0)
            return rc;
    }
    return arena_failed(&c->a) ? err_set(c->e, -ENOMEM, "no memory for a message") : 0;
}

static int number_it(struct call *c, const struct peer *p, const char *hash)
{
    /* A node that answers is told at once; one that does not keeps its pause. */
    int rc = db_exec(c->d, c->e,
                     "UPDATE link_peer SET out_sequence = out_sequence + 1, out_hash = ?2, next_try_at = CASE WHEN attempts = 0 THEN 0 ELSE"
                     " next_try_at END WHERE node = ?1",
                     "tz", p->node, hash);

    change_add(c->d, "link", p->node);
    return rc < 0 ? rc : 0;
}

int outbox_put(struct call *c, const struct peer *p, const struct link_message *m, int64_t *id)
{
    AUTO_BUF struct buf b;
    struct link_envelope *v = arena_zero(&c->a, sizeof *v);
    unsigned char raw[16];
    char hash[LINK_HASH_TEXT], message[LINK_MESSAGE_TEXT];
    struct self self;
    int64_t row;
    int rc = v ? link_self(c, &self) : err_set(c->e, -ENOMEM, "no memory for a message");

    buf_init(&b, LINK_ENVELOPE_MAX + KIB);
    if (rc == 0)
        rc = err_set(c->e, -EPROTO, "the organisation of this node is not set");
    if (rc > 0)
        rc = secret_random(raw, sizeof raw, c->e);
    if (rc < 0)
        return rc;
    secret_hex(raw, sizeof raw, message);
    *v = (struct link_envelope){ .from = self.node, .to = p->node, .previous = p->out_hash, .message = str_c(message), .kind = m->kind,
                                 .epoch = p->out_epoch, .sequence = p->out_sequence + 1, .created_at = c->now, .payload = m->payload };
    rc = take_documents(c, m, v);
    if (rc == 0)
        rc = link_envelope_write(v, &b, hash, c->e);
    if (rc == 0)
        rc = db_int(c->d, c->e, 0, id ? id : &row,
                    "INSERT INTO link_out(node, epoch, sequence, message, kind, created_at, envelope, hash, ref, ref_id) VALUES"
                    " (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10) RETURNING id",
                    "tiizzitzzm", p->node, v->epoch, v->sequence, message, link_kind_name(m->kind), c->now, buf_view(&b), hash, m->ref,
                    (time_ns)m->ref_id);
    return rc < 0 ? rc : number_it(c, p, hash);
}

/* --- making a bundle --- */

struct waiting {
    int64_t    id, sequence;
    struct str envelope, signature;
    bool       sign;
};

/* waiting_next - in the arena a, which is emptied before. */
static int waiting_next(struct call *c, struct arena *a, const struct peer *p, int64_t after, const char *fingerprint, struct waiting *out)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT id, sequence, envelope, signature, signed_with FROM link_out WHERE node = ?1 AND epoch = ?2 AND sequence > ?3"
                                " ORDER BY sequence LIMIT 1",
                                "tii", p->node, p->out_epoch, after);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    arena_reset(a);
    if (rc <= 0)
        return rc;
    *out = (struct waiting){ sqlite3_column_int64(st, 0), sqlite3_column_int64(st, 1), db_copy(st, 2, a), db_copy(st, 3, a),
                             !str_eq(db_str(st, 4), str_c(fingerprint)) };
    db_done(st);
    return out->envelope.p ? 1 : err_set(c->e, -ENOMEM, "no memory for an envelope");
}

static int put_line(struct call *c, struct arena *a, const struct waiting *w, const char *fingerprint, struct buf *line)
{
    AUTO_BUF struct buf content;
    struct link_envelope *v = arena_alloc(a, sizeof *v);
    struct link_writer writer;
    json_t *j = NULL;
    int rc = v ? link_json_read(w->envelope, &j, c->e) : err_set(c->e, -ENOMEM, "no memory for an envelope");

    buf_init(&content, LINK_DOCUMENT_BYTES + LINK_READ_SPARE);
    if (rc == 0)
        rc = link_envelope_read(j, v, c->e);
    buf_reset(line);
    link_item_begin(&writer, line);
    for (size_t i = 0; rc == 0 && i < v->document_count; i++) {
        rc = link_file_read(c->d, v->document[i].sha256, &content, c->e);
        if (rc == 0)
            link_item_document(&writer, v->document[i].sha256, buf_view(&content));
    }
    link_item_end(&writer, w->envelope, fingerprint, w->signature);
    json_decref(j);
    if (rc == 0 && buf_failed(line))
        rc = err_set(c->e, -ENOMEM, "no memory for an envelope");
    return rc;
}

static int sign_it(struct call *c, struct arena *a, const struct node_key *by, struct waiting *w)
{
    char signature[NODE_SIGNATURE_MAX];
    int rc = w->sign ? link_sign(by, LINK_SIGNED_ENVELOPE, w->envelope, signature, c->e) : 0;

    if (rc < 0 || !w->sign)
        return rc;
    w->signature = arena_copy(a, str_c(signature));
    rc = db_exec(c->d, c->e, "UPDATE link_out SET signature = ?2, signed_with = ?3 WHERE id = ?1", "izz", w->id, signature,
                 node_cert_fingerprint(node_key_cert(by)));
    return rc < 0 ? rc : 0;
}

/* gather - the lines of what waits; an envelope too many for the rest of the limit waits for the next bundle. */
static int gather(struct call *c, const struct peer *p, const struct node_key *by, size_t limit, struct buf *items, int64_t *count, bool *more)
{
    const char *fingerprint = node_cert_fingerprint(node_key_cert(by));
    AUTO_ARENA struct arena a;
    AUTO_BUF struct buf line;
    int64_t after = p->acked;
    struct waiting w;
    int rc;

    arena_init(&a, 4 * LINK_ENVELOPE_MAX);
    buf_init(&line, LINK_LINE_MAX);
    *count = 0;
    *more = false;
    while ((rc = waiting_next(c, &a, p, after, fingerprint, &w)) > 0) {
        if (*count == LINK_ITEMS_MAX) {
            *more = true;
            return 0;
        }
        rc = sign_it(c, &a, by, &w);
        if (rc == 0)
            rc = put_line(c, &a, &w, fingerprint, &line);
        if (rc < 0)
            return rc;
        if (*count && items->n + line.n > limit) {
            *more = true;
            return 0;
        }
        buf_str(items, buf_view(&line));
        (*count)++;
        after = w.sequence;
    }
    return rc < 0 ? rc : buf_failed(items) ? err_set(c->e, -ENOMEM, "no memory for a bundle") : 0;
}

static int mark_sent(struct call *c, const struct peer *p, int64_t count, bool file)
{
    int rc = db_exec(c->d, c->e,
                     "UPDATE link_out SET sent_at = coalesce(sent_at, ?4), via = ?5 WHERE node = ?1 AND epoch = ?2 AND sequence > ?3 AND"
                     " sequence <= ?3 + ?6",
                     "tiiizi", p->node, p->out_epoch, p->acked, c->now, file ? "file" : "https", count);

    return rc < 0 ? rc : 0;
}

int bundle_make(struct call *c, struct str node, size_t limit, struct buf *out, int64_t *count, bool *more)
{
    struct node_key *by = NULL;
    AUTO_BUF struct buf items;
    struct peer p;
    bool rest = false, file = limit > LINK_BODY_MAX;
    int rc;

    buf_init(&items, limit + LINK_LINE_MAX);
    rc = peer_load(c, node, &p);
    if (rc == 0)
        rc = refuse(c, -ENOENT, "not_found", NULL, "no such node");
    if (rc > 0 && link_node_identity(c->d, &by, c->e) < 0)
        rc = refuse(c, -EPROTO, "no_identity", NULL, "%.400s", c->e->text);
    *count = 0;
    if (rc > 0 && p.out_sequence > p.acked) {
        rc = db_begin(c->d, c->e);
        if (rc == 0) {
            rc = gather(c, &p, by, limit, &items, count, &rest);
            if (rc == 0)
                rc = mark_sent(c, &p, *count, file);
            rc = db_end(c->d, rc, c->e);
        }
    }
    if (rc >= 0) {
        const struct link_head h = { str_c(node_cert_name(node_key_cert(by))), p.node, c->now, *count, p.in };

        rc = link_bundle_write(&h, buf_view(&items), by, out, c->e);
    }
    if (more)
        *more = rest;
    node_key_free(&by);
    return rc;
}

/* --- what the other side says it has --- */

/* step_back - over the network the other side says what it has now: if it lost what it had, it gets that again. */
static int step_back(struct call *c, const struct peer *p, int64_t sequence)
{
    int rc = db_exec(c->d, c->e, "UPDATE link_peer SET acked = ?2 WHERE node = ?1", "ti", p->node, sequence);

    change_add(c->d, "link", p->node);
    return rc < 0 ? rc : 0;
}

int outbox_acknowledge(struct call *c, const struct peer *p, const struct link_mark *have, bool file)
{
    sqlite3_stmt *st;
    int rc;

    /* A bundle that was on its way when we numbered anew; or a node restored from a copy before that, which must have all again. */
    if (have->epoch < p->out_epoch)
        return !file && p->acked > 0 ? step_back(c, p, 0) : 0;
    /* An old file must not undo what is known since. */
    if ( (have->epoch == p->out_epoch && (have->sequence == p->acked || (file && have->sequence < p->acked))))
        return 0;
    if (have->epoch == p->out_epoch && have->sequence == 0)
        return step_back(c, p, 0);
    if (have->epoch > p->out_epoch || have->sequence > p->out_sequence)
        return refuse(c, -EPROTO, "diverged", NULL,
                      "node \"%.*s\" has number %lld of epoch %lld, we sent %lld of %lld: this node was restored from an older copy; restart the stream",
                      STR_ARG(p->node), (long long)have->sequence, (long long)have->epoch, (long long)p->out_sequence, (long long)p->out_epoch);
    st = db_query(c->d, c->e, "SELECT hash FROM link_out WHERE node = ?1 AND epoch = ?2 AND sequence = ?3", "tii", p->node, have->epoch, have->sequence);
    rc = st ? db_step(c->d, st, c->e) : -EIO;
    if (rc < 0)
        return rc;
    if (rc == 0 || !str_eq(db_str(st, 0), str_c(have->hash))) {
        if (rc > 0)
            db_done(st);
        return refuse(c, -EPROTO, "diverged", NULL, "node \"%.*s\" has another envelope as number %lld than we sent; restart the stream",
                      STR_ARG(p->node), (long long)have->sequence);
    }
    db_done(st);
    if (have->sequence < p->acked)
        return step_back(c, p, have->sequence);
    rc = db_exec(c->d, c->e, "UPDATE link_out SET acked_at = coalesce(acked_at, ?4), sent_at = coalesce(sent_at, ?4) WHERE node = ?1 AND epoch = ?2 AND sequence > ?3 AND"
                             " sequence <= ?5",
                 "tiiii", p->node, have->epoch, p->acked, c->now, have->sequence);
    if (rc >= 0)
        rc = db_exec(c->d, c->e, "UPDATE link_peer SET acked = ?2 WHERE node = ?1", "ti", p->node, have->sequence);
    change_add(c->d, "link", p->node);
    return rc < 0 ? rc : (int)min_size((size_t)(have->sequence - p->acked), INT32_MAX);
}

/* --- a new epoch --- */

/* renumber - the same message, with another number and another predecessor. */
static int renumber(struct call *c, struct str text, int64_t epoch, int64_t sequence, const char *previous, struct buf *out, char hash[LINK_HASH_TEXT])
{
    json_t *j = NULL;
    int rc = link_json_read(text, &j, c->e);

    buf_reset(out);
    if (rc == 0 && (json_object_set_new(j, "epoch", json_integer(epoch)) < 0 || json_object_set_new(j, "sequence", json_integer(sequence)) < 0 ||
                    json_object_set_new(j, "previous", json_string(previous)) < 0))
        rc = err_set(c->e, -ENOMEM, "no memory for an envelope");
    if (rc == 0)
        rc = link_json_write(j, out, c->e);
    if (rc == 0)
        link_sha256_hex(buf_view(out), hash);
    json_decref(j);
    return rc;
}

int outbox_restart(struct call *c, const struct peer *p)
{
    AUTO_ARENA struct arena a;
    AUTO_BUF struct buf b;
    char hash[LINK_HASH_TEXT] = LINK_ZERO_HASH, previous[LINK_HASH_TEXT];
    int64_t after = p->acked, n = 0;
    struct waiting w;
    int rc;

    arena_init(&a, 4 * LINK_ENVELOPE_MAX);
    buf_init(&b, LINK_ENVELOPE_MAX + KIB);
    while ((rc = waiting_next(c, &a, p, after, "", &w)) > 0) {
        memcpy(previous, hash, sizeof previous);
        rc = renumber(c, w.envelope, p->out_epoch + 1, ++n, previous, &b, hash);
        if (rc == 0)
            rc = db_exec(c->d, c->e, "UPDATE link_out SET epoch = ?2, sequence = ?3, envelope = ?4, hash = ?5, signature = NULL, signed_with = NULL"
                                     " WHERE id = ?1",
                         "iiitz", w.id, p->out_epoch + 1, n, buf_view(&b), hash);
        if (rc < 0)
            return rc;
        after = w.sequence;
    }
    if (rc == 0)
        rc = db_exec(c->d, c->e, "UPDATE link_peer SET out_epoch = out_epoch + 1, out_sequence = ?2, out_hash = ?3, acked = 0, attempts = 0, next_try_at"
                                 " = 0, last_error = NULL WHERE node = ?1",
                     "tiz", p->node, n, hash);
    return rc < 0 ? rc : 0;
}
