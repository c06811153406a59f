/* files.c - the documents that travel lie where all documents lie, in DATA/documents by their hash; and a bundle that somebody uploads. */
#include "desk/link/room.h"
#include "base/file.h"
#include "desk/blob.h"

/* How the rooms call what they keep: files that were brought, letters as they are read, their structured form. */
static const char *const endings[] = { "bin", "pdf", "json" };

static bool find(struct desk *d, struct str sha256, char path[4096])
{
    char tail[100];

    for (size_t i = 0; link_hash_valid(sha256) && i < COUNT(endings); i++) {
        snprintf(tail, sizeof tail, "documents/%.*s.%s", STR_ARG(sha256), endings[i]);
        if (file_exists(node_path(d->setup.node, tail, path)))
            return true;
    }
    return false;
}

/* The row of "blob" decides, not the folder: an orphan of a refused act lies there too and would be swept away, and a letter that stands there only
 * as a PDF could not be opened as a file. */
int link_file_keep(struct call *c, struct str sha256, struct str bytes)
{
    struct blob b;
    int64_t kept = 0;
    int rc = db_int(c->d, c->e, 0, &kept, "SELECT count(*) FROM blob WHERE sha256 = ?", "t", sha256);

    return rc < 0 || kept ? rc : blob_put(c, bytes, &b);
}

int link_file_read(struct desk *d, struct str sha256, struct buf *out, struct err *e)
{
    char path[4096], hash[LINK_HASH_TEXT];
    int rc = find(d, sha256, path) ? file_read(path, LINK_DOCUMENT_BYTES, out, e) : err_set(e, -ENOENT, "document %.*s is not kept here", STR_ARG(sha256));

    if (rc < 0)
        return rc;
    link_sha256_hex(buf_view(out), hash);
    return str_eq(str_c(hash), sha256) ? 0 : err_set(e, -EIO, "the document \"%s\" was changed on disk", path);
}

/* take_upload - the file becomes a blob, in a transaction of its own: what was imported is kept as it came. */
static int take_upload(struct call *c, struct str upload, struct buf *out)
{
    char path[4096];
    struct blob b;
    int rc = db_begin(c->d, c->e);

    if (rc < 0)
        return rc;
    rc = blob_take(c, upload, "upload", &b);
    if (rc == 0)
        rc = audit_add(c, "link.import", b.sha256, str_c(b.name), "ok");
    rc = db_end(c->d, rc, c->e);
    if (rc < 0)
        return rc;
    if (b.size_bytes > LINK_FILE_MAX)
        return refuse(c, -EINVAL, "too_large", "upload", "a file of envelopes is at most %u bytes", LINK_FILE_MAX);
    return find(c->d, str_c(b.sha256), path) ? file_read(path, LINK_FILE_MAX, out, c->e) : err_set(c->e, -EIO, "an uploaded file is gone");
}

static int import(struct call *c, struct str upload)
{
    AUTO_BUF struct buf b;
    struct taken t;
    int rc;

    buf_init(&b, LINK_FILE_MAX + LINK_READ_SPARE);
    rc = take_upload(c, upload, &b);
    if (rc == 0)
        rc = bundle_take(c, buf_view(&b), true, NULL, &t);
    if (rc < 0)
        return rc;
    c->r->json = json_pack("{s:s, s:I, s:I, s:I, s:I, s:b}", "node", t.node, "applied", (json_int_t)t.applied, "refused", (json_int_t)t.refused, "known",
                           (json_int_t)t.known, "acknowledged", (json_int_t)t.acknowledged, "gap", t.gap);
    return 0;
}

int desk_link_import(struct desk *d, const struct viewer *v, const json_t *body, time_ns now, struct desk_reply *r)
{
    static const struct body_field fields[] = { { "upload", BODY_STRING, true, false, 1, 64, NULL } };
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = link_needs(&c, true);
    if (rc == 0)
        rc = body_check(body, fields, COUNT(fields), r->field, c.e);
    if (rc == 0)
        rc = import(&c, json_get_str(body, "upload"));
    if (rc == -EPROTO)
        audit_refusal(&c, "link.import", "link");
    desk_call_free(&c);
    return refuse_rc(r, rc);
}
