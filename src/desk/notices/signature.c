/* signature.c - detached signatures laid on a notice: kept as they came, judged when they come and again on demand, every verdict kept.
 *
 * An official signs the frozen bytes or the PDF that went out; which of the two is found by trying. The moment that counts is the one at which the
 * file was laid before us: that it existed then, we know ourselves. Judging reads files and counts with long numbers, so it is done before the
 * transaction: what was signed never changes (notice_record_fixed), and the transaction only writes the verdict. */
#include "desk/notices/api.h"
#include "desk/notices/room.h"
#include "base/file.h"
#include "sign/sign.h"

#define SIGNATURE_LETTERS 900000 /* of base64 or PEM; a body of the API holds 1 MiB */

struct signed_thing {
    struct buf canonical, pdf;
};

static int trust_ready(struct call *c)
{
    const char *folder = c->d->setup.node->trust_anchors;

    if (!c->d->trust)
        return sign_trust_load(folder, &c->d->trust, c->e);
    (void)sign_trust_refresh(c->d->trust, folder);   /* lists of revocation change daily */
    return 0;
}

static int thing_read(struct call *c, int64_t id, struct signed_thing *t)
{
    char tail[100], path[4096];
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT canonical, pdf_sha256 FROM notice_record WHERE id = ?", "i", id);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    buf_init(&t->canonical, NOTICE_CANONICAL_MAX);
    buf_init(&t->pdf, DESK_DOCUMENT_MAX);
    if (rc <= 0)
        return rc < 0 ? rc : -ENOENT;
    buf_str(&t->canonical, db_str(st, 0));
    snprintf(tail, sizeof tail, "documents/%.64s.pdf", db_copy(st, 1, &c->a).p);
    db_done(st);
    rc = file_read(node_path(c->d->setup.node, tail, path), DESK_DOCUMENT_MAX, &t->pdf, c->e);
    return rc < 0 ? err_wrap(c->e, -EIO, "the document of a notice is not on disk") : 0;
}

static void thing_free(struct signed_thing *t)
{
    buf_free(&t->canonical);
    buf_free(&t->pdf);
}

static json_t *signer_json(const struct sign_signer *s)
{
    json_t *usage = json_array();
    char iin[13] = "";

    for (int bit = 0; sign_usage_name(bit); bit++)
        if (s->usage & (1u << bit))
            json_array_append_new(usage, json_string(sign_usage_name(bit)));
    sign_mask(s->iin, iin);
    return json_pack("{s:s, s:s, s:o, s:o, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:b, s:s, s:s}", "name", s->name, "organisation", s->organisation, "iin",
                     *iin ? json_string(iin) : json_null(), "bin", *s->bin ? json_string(s->bin) : json_null(), "issuer", s->issuer, "serial", s->serial,
                     "algorithm", s->algorithm, "usage", usage, "signed_at", json_time_or_null(s->signed_at), "not_before",
                     json_time_or_null(s->not_before), "not_after", json_time_or_null(s->not_after), "intact", s->intact, "verdict",
                     sign_verdict_name(sign_reason_verdict(s->reason)), "reason", sign_reason_name(s->reason));
}

static int check_insert(struct call *c, int64_t signature, const struct sign_result *r)
{
    json_t *list = json_array();
    AUTO_FREE char *text = NULL;
    int rc;

    for (size_t i = 0; i < r->count; i++)
        json_array_append_new(list, signer_json(&r->signers[i]));
    text = json_dumps(list, JSON_COMPACT);
    json_decref(list);
    if (!text)
        return err_set(c->e, -ENOMEM, "no memory for a signature");
    rc = db_exec(c->d, c->e, "INSERT INTO notice_check(signature_id, verdict, reason, signers, at, author_id) VALUES (?,?,?,?,?,?)", "izztim", signature,
                 sign_verdict_name(r->verdict), sign_reason_name(r->reason), str_c(text), c->now, (time_ns)(c->v ? c->v->user_id : 0));
    return rc < 0 ? rc : audit_add(c, "notice.verify", "notice", str_c(sign_verdict_name(r->verdict)), "ok");
}

/* judge - which of the two was signed, and how well. */
static int judge(struct call *c, const struct signed_thing *t, struct str cms, struct sign_result *r, const char **over)
{
    struct sign_result other;
    int rc = sign_verify(c->d->trust, buf_view(&t->canonical), cms, c->now, r, c->e);

    *over = "canonical";
    /* Without signed attributes other bytes look like a broken signature: the PDF may be what was signed. */
    if (rc < 0 || (r->reason != SIGN_CONTENT_DIFFERS && r->reason != SIGN_SIGNATURE_BROKEN))
        return rc;
    rc = sign_verify(c->d->trust, buf_view(&t->pdf), cms, c->now, &other, c->e);
    if (rc == 0 && other.reason != SIGN_CONTENT_DIFFERS && other.reason != SIGN_SIGNATURE_BROKEN) {
        *r = other;
        *over = "pdf";
    }
    return rc;
}

static int sign_write(struct call *c, int64_t id, struct str cms, const struct sign_result *r, const char *over)
{
    char sha[65];
    int64_t row = 0;
    int rc;

    secret_sha256_hex(cms, sha);
    rc = db_int(c->d, c->e, 0, &row,
                "INSERT INTO notice_signature(record_id, sha256, cms, over, at, author_id) VALUES (?,?,?,?,?,?) RETURNING id", "izbzim", id, sha, cms,
                over, c->now, (time_ns)(c->v ? c->v->user_id : 0));
    if (rc == -EEXIST)
        return refuse(c, -EEXIST, "conflict", "signature", "this signature is there already");
    return rc < 0 ? rc : check_insert(c, row, r);
}

static int sign(struct call *c, int64_t id, struct str cms)
{
    struct signed_thing t;
    struct sign_result r;
    const char *over = NULL;
    int rc = thing_read(c, id, &t);

    if (rc == 0)
        rc = trust_ready(c);
    if (rc == 0)
        rc = judge(c, &t, cms, &r, &over);
    thing_free(&t);
    if (rc == -EBADMSG || rc == -E2BIG)
        return refuse(c, -EINVAL, "bad_request", "signature", "%s", c->e->text);
    if (rc == 0)
        rc = db_begin(c->d, c->e);
    return rc < 0 ? rc : db_end(c->d, sign_write(c, id, cms, &r, over), c->e);
}

static int run(struct desk *d, const struct viewer *v, struct str id, struct str cms, time_ns now, int (*fn)(struct call *, int64_t, struct str),
               struct desk_reply *r)
{
    int64_t record = parse_id(id);
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = notice_seen(&c, record);
    if (rc == 0)
        rc = fn(&c, record, cms);
    if (rc >= 0)
        rc = notice_json(&c, record, &r->json);
    desk_call_free(&c);
    return refuse_rc(r, rc < 0 ? rc : 0);
}

int desk_notice_sign(struct desk *d, const struct viewer *v, struct str id, const json_t *body, time_ns now, struct desk_reply *r)
{
    static const struct body_field fields[] = { { "signature", BODY_TEXT, true, false, 1, SIGNATURE_LETTERS, NULL } };

    if (body_check(body, fields, COUNT(fields), r->field, &r->err) < 0) {
        r->code = "bad_request";
        return -EINVAL;
    }
    return run(d, v, id, json_get_str(body, "signature"), now, sign, r);
}

#define RECHECK_MAX 64

struct laid {
    int64_t    id;
    time_ns    at;
    struct str cms;
    bool       pdf;
};

static int laid_read(struct call *c, int64_t id, struct laid found[RECHECK_MAX], size_t *n)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT id, at, cms, over FROM notice_signature WHERE record_id = ? ORDER BY id LIMIT 64", "i", id);
    int rc = st ? 0 : -EIO;

    for (*n = 0; st && (rc = db_step(c->d, st, c->e)) > 0; ++*n) {
        struct str blob = str_of(sqlite3_column_blob(st, 2), (size_t)sqlite3_column_bytes(st, 2));

        found[*n] = (struct laid){ sqlite3_column_int64(st, 0), sqlite3_column_int64(st, 1), arena_copy(&c->a, blob), str_eq(db_str(st, 3), STR("pdf")) };
    }
    return rc;
}

static int checks_write(struct call *c, const struct laid *found, const struct sign_result *results, size_t n)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = check_insert(c, found[i].id, &results[i]);
    return rc;
}

/* recheck - every signature of the record, with the anchors and lists of today, as of the moment it came. */
static int recheck(struct call *c, int64_t id, struct str unused)
{
    struct laid found[RECHECK_MAX];
    struct sign_result *results = arena_alloc(&c->a, RECHECK_MAX * sizeof *results);
    struct signed_thing t;
    size_t n = 0;
    int rc = thing_read(c, id, &t);

    (void)unused;
    if (rc == 0)
        rc = results ? laid_read(c, id, found, &n) : -ENOMEM;
    if (rc == 0)
        rc = trust_ready(c);
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = sign_verify(c->d->trust, buf_view(found[i].pdf ? &t.pdf : &t.canonical), found[i].cms, found[i].at, &results[i], c->e);
    thing_free(&t);
    if (rc == 0)
        rc = db_begin(c->d, c->e);
    return rc < 0 ? rc : db_end(c->d, checks_write(c, found, results, n), c->e);
}

int desk_notice_verify(struct desk *d, const struct viewer *v, struct str id, time_ns now, struct desk_reply *r)
{
    return run(d, v, id, (struct str){ NULL, 0 }, now, recheck, r);
}
