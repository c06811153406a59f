/* blob.c - see blob.h. Both kinds of files lie in one folder: a name may then be changed inside it, which the sandbox allows, and not across. */
#include "desk/blob.h"
#include "desk/internal.h"
#include "desk/scope.h"
#include "base/file.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>

#define UPLOAD_COLUMNS "id, name, size_bytes, at, sha256, type"

struct upload {
    char       id[33];
    struct str name;
    int64_t    size_bytes, at;
    struct str sha256, type;
};

static const struct { const char *type; struct str magic; size_t at; } magics[] = {
    { "application/pdf", STR_INIT("%PDF-"), 0 },
    { "image/png", STR_INIT("\x89PNG\r\n\x1a\n"), 0 },
    { "image/jpeg", STR_INIT("\xff\xd8\xff"), 0 },
    { "image/webp", STR_INIT("WEBP"), 8 },
    { "video/mp4", STR_INIT("ftyp"), 4 },
    { "video/webm", STR_INIT("\x1a\x45\xdf\xa3"), 0 },
    { "application/zip", STR_INIT("PK\x03\x04"), 0 },   /* office documents too */
    { "application/pkcs7-signature", STR_INIT("-----BEGIN"), 0 },
};

const char *blob_type(struct str head)
{
    for (size_t i = 0; i < COUNT(magics); i++)
        if (head.n >= magics[i].at + magics[i].magic.n && memcmp(head.p + magics[i].at, magics[i].magic.p, magics[i].magic.n) == 0)
            return magics[i].type;
    for (size_t i = 0; i < head.n; i++)
        if ((unsigned char)head.p[i] < 0x20 && !memchr("\t\r\n\f\x1b", head.p[i], 5))
            return "application/octet-stream";
    return head.n ? "text/plain" : "application/octet-stream";
}

/* known_type - the literal of a type that a row names. */
static const char *known_type(struct str s)
{
    for (size_t i = 0; i < COUNT(magics); i++)
        if (str_eq(s, str_c(magics[i].type)))
            return magics[i].type;
    return str_eq(s, STR("text/plain")) ? "text/plain" : "application/octet-stream";
}

static const char *part_path(const struct desk *d, const char *id, char out[4096])
{
    char tail[80];

    snprintf(tail, sizeof tail, "documents/upload-%s.part", id);
    return node_path(d->setup.node, tail, out);
}

static const char *bin_path(const struct desk *d, const char *sha256, char out[4096])
{
    char tail[100];

    snprintf(tail, sizeof tail, "documents/%s.bin", sha256);
    return node_path(d->setup.node, tail, out);
}

/* disk - whatever the file system says is our trouble, not the caller's: -EACCES would read as "forbidden". */
static int disk(struct call *c, const char *what)
{
    int rc = errno == ENOSPC ? -ENOSPC : -EIO;

    return err_set(c->e, rc, "%s: %s", what, strerror(errno));
}

static json_t *upload_json(const struct upload *u)
{
    return json_pack("{s:s, s:o, s:I, s:I, s:I, s:o, s:o}", "id", u->id, "name", json_str(u->name), "size_bytes", (json_int_t)u->size_bytes, "offset",
                     (json_int_t)u->at, "piece_bytes", (json_int_t)BLOB_PIECE_MAX, "sha256", json_str(u->sha256), "type", json_str(u->type));
}

static int upload_load(struct call *c, struct str id, struct upload *out)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT " UPLOAD_COLUMNS " FROM upload WHERE id = ?1 AND user_id = ?2", "ti", id.p ? id : STR(""),
                                c->v->user_id);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    if (rc <= 0)
        return rc < 0 ? rc : refuse(c, -ENOENT, "not_found", NULL, "no such upload");
    *out = (struct upload){ .name = db_copy(st, 1, &c->a), .size_bytes = sqlite3_column_int64(st, 2), .at = sqlite3_column_int64(st, 3),
                            .sha256 = db_copy(st, 4, &c->a), .type = db_copy(st, 5, &c->a) };
    snprintf(out->id, sizeof out->id, "%.*s", (int)min_size(db_str(st, 0).n, 32), db_str(st, 0).p);
    db_done(st);
    return 0;
}

/* --- beginning --- */

static int begin(struct call *c, const json_t *body)
{
    static const struct body_field fields[] = {
        { "name", BODY_STRING, true, false, 1, BLOB_NAME_MAX, NULL },
        { "size_bytes", BODY_COUNT, true, false, 1, BLOB_LARGE_MAX, NULL },
    };
    bool large = c->v->role == DESK_SURVEYOR || role_of_centre(c->v->role);
    int64_t most = large ? BLOB_LARGE_MAX : BLOB_BYTES_MAX;
    struct upload u = { .name = json_get_str(body, "name"), .size_bytes = json_integer_value(json_object_get(body, "size_bytes")) };
    unsigned char raw[16];
    int64_t unfinished = 0;
    int rc = body_check(body, fields, COUNT(fields), c->r->field, c->e);

    if (rc == 0 && (u.size_bytes < 1 || u.size_bytes > most))
        return refuse(c, -EINVAL, "bad_request", "size_bytes", "a file has 1 to %lld bytes", (long long)most);
    if (rc == 0)
        rc = db_int(c->d, c->e, 0, &unfinished, "SELECT count(*) FROM upload WHERE user_id = ?", "i", c->v->user_id);
    if (rc == 0 && unfinished >= UPLOADS_MAX)
        return refuse(c, -EAGAIN, "too_many_requests", NULL, "%d uploads are unfinished", UPLOADS_MAX);
    if (rc == 0)
        rc = secret_random(raw, sizeof raw, c->e);
    secret_hex(raw, sizeof raw, u.id);
    if (rc == 0)
        rc = db_exec(c->d, c->e, "INSERT INTO upload(id, user_id, name, size_bytes, at, created_at) VALUES (?,?,?,?,0,?)", "zitii", u.id, c->v->user_id,
                     u.name, u.size_bytes, c->now);
    if (rc >= 0)
        c->r->json = upload_json(&u);
    return rc < 0 ? rc : 0;
}

int desk_upload_begin(struct desk *d, const struct viewer *v, const json_t *body, time_ns now, struct desk_reply *r)
{
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = db_begin(d, c.e);
    if (rc == 0)
        rc = db_end(d, begin(&c, body), c.e);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

int desk_upload(struct desk *d, const struct viewer *v, struct str id, struct desk_reply *r)
{
    struct upload u;
    struct call c;
    int rc;

    desk_call_init(&c, d, v, 0, r);
    rc = upload_load(&c, id, &u);
    if (rc == 0)
        r->json = upload_json(&u);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

/* --- pieces --- */

/* hash_file - SHA-256 of all that fd holds, and its first bytes. */
static int hash_file(struct call *c, int fd, char sha256[65], const char **type)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    char *piece = arena_alloc(&c->a, 256 * KIB);
    unsigned char sum[32];
    int64_t at = 0;
    ssize_t n = -1;
    bool ok = ctx && piece && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1;

    while (ok && (n = pread(fd, piece, 256 * KIB, at)) > 0) {
        if (at == 0 && type)
            *type = blob_type(str_of(piece, min_size((size_t)n, 512)));
        ok = EVP_DigestUpdate(ctx, piece, (size_t)n) == 1;
        at += n;
    }
    ok = ok && n == 0 && EVP_DigestFinal_ex(ctx, sum, NULL) == 1;
    EVP_MD_CTX_free(ctx);
    if (!ok)
        return n < 0 ? disk(c, "reading a file") : err_set(c->e, -ENOMEM, "no memory for a hash");
    secret_hex(sum, sizeof sum, sha256);
    return 0;
}

/* piece_write - the bytes into the file. What stands after a loss of power may be less than the row says: then the row follows the file. */
static int piece_write(struct call *c, struct upload *u, int fd, struct str bytes)
{
    struct stat s;
    size_t done = 0;

    if (fstat(fd, &s) < 0)
        return disk(c, "an upload");
    if (s.st_size < u->at) {
        u->at = s.st_size;
        bytes.n = 0;
    }
    while (done < bytes.n) {
        ssize_t n = pwrite(fd, bytes.p + done, bytes.n - done, u->at + (int64_t)done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return disk(c, "keeping a piece of an upload");
        done += (size_t)n;
    }
    u->at += (int64_t)bytes.n;
    return 0;
}

static int piece(struct call *c, struct str id, int64_t offset, struct str bytes)
{
    char path[4096], sha[65];
    const char *type = NULL;
    struct upload u;
    int rc = upload_load(c, id, &u);

    if (rc < 0)
        return rc;
    if (bytes.n == 0 || bytes.n > BLOB_PIECE_MAX || (int64_t)bytes.n > u.size_bytes - u.at)
        return refuse(c, -EINVAL, "bad_request", "body", "a piece has 1 to %u bytes and does not go beyond the size", BLOB_PIECE_MAX);
    if (offset != u.at)
        return refuse(c, -EEXIST, "conflict", "offset", "the upload stands at %lld", (long long)u.at);
    AUTO_CLOSE int fd = open(part_path(c->d, u.id, path), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (fd < 0)
        return disk(c, "an upload");
    rc = piece_write(c, &u, fd, bytes);
    if (rc == 0 && u.at == u.size_bytes) {
        if (fsync(fd) < 0)
            return disk(c, "an upload");
        rc = hash_file(c, fd, sha, &type);
        u.sha256 = str_c(sha);
        u.type = type ? str_c(type) : STR("application/octet-stream");
    }
    if (rc == 0)
        rc = db_exec(c->d, c->e, "UPDATE upload SET at = ?3, sha256 = ?4, type = ?5 WHERE id = ?1 AND user_id = ?2 AND at = ?6", "ziitti", u.id, c->v->user_id,
                     u.at, u.sha256, u.type, offset);
    if (rc == 0)
        return refuse(c, -EEXIST, "conflict", "offset", "another piece came at the same moment");
    if (rc > 0)
        c->r->json = upload_json(&u);
    return rc < 0 ? rc : 0;
}

int desk_upload_piece(struct desk *d, const struct viewer *v, struct str id, int64_t offset, struct str bytes, time_ns now, struct desk_reply *r)
{
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = piece(&c, id, offset, bytes);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

/* --- blobs --- */

static int blob_row(struct call *c, const struct blob *b)
{
    int rc = db_exec(c->d, c->e, "INSERT OR IGNORE INTO blob(sha256, size_bytes, type, name, created_at) VALUES (?,?,?,?,?)", "zizzi", b->sha256,
                     b->size_bytes, b->type, b->name, c->now);

    return rc < 0 ? rc : 0;
}

int blob_take_large(struct call *c, struct str upload_id, const char *field, struct blob *out)
{
    char from[4096], to[4096], folder[4096];
    struct upload u;
    int rc = upload_load(c, upload_id, &u);

    if (rc == -ENOENT || (rc == 0 && !u.sha256.p))
        return refuse(c, -EINVAL, "bad_request", field, "no finished upload of this person has this id");
    if (rc < 0)
        return rc;
    *out = (struct blob){ .size_bytes = u.size_bytes, .type = known_type(u.type) };
    snprintf(out->sha256, sizeof out->sha256, "%.*s", STR_ARG(u.sha256));
    snprintf(out->name, sizeof out->name, "%.*s", STR_ARG(u.name));
    /* A newer copy of the same bytes replaces an older one, which may be damaged. Should the transaction fail, the next try finds the new name. */
    if (rename(part_path(c->d, u.id, from), bin_path(c->d, out->sha256, to)) < 0 && (errno != ENOENT || !file_exists(to)))
        return disk(c, "keeping an upload");
    rc = file_sync_dir(node_path(c->d->setup.node, "documents", folder), c->e);
    if (rc >= 0)
        rc = blob_row(c, out);
    if (rc == 0)
        rc = db_exec(c->d, c->e, "DELETE FROM upload WHERE id = ?", "z", u.id);
    return rc < 0 ? rc : 0;
}

int blob_take(struct call *c, struct str upload_id, const char *field, struct blob *out)
{
    struct upload u;
    int rc = upload_load(c, upload_id, &u);

    if (rc == 0 && u.size_bytes > BLOB_BYTES_MAX)
        return refuse(c, -EINVAL, "bad_request", field, "a file has at most %u bytes here", BLOB_BYTES_MAX);
    return rc < 0 && rc != -ENOENT ? rc : blob_take_large(c, upload_id, field, out);
}

int blob_peek(struct call *c, struct str upload_id, const char *field, struct buf *out)
{
    char path[4096];
    struct upload u;
    int rc = upload_load(c, upload_id, &u);

    if (rc == -ENOENT || (rc == 0 && !u.sha256.p))
        return refuse(c, -EINVAL, "bad_request", field, "no finished upload of this person has this id");
    if (rc < 0)
        return rc;
    if (u.size_bytes > (int64_t)out->limit_bytes)
        return refuse(c, -EINVAL, "bad_request", field, "a table has at most %zu bytes", out->limit_bytes);
    rc = file_read(part_path(c->d, u.id, path), out->limit_bytes, out, c->e);
    return rc < 0 ? (rc == -ENOMEM ? rc : -EIO) : 0;
}

int blob_put(struct call *c, struct str bytes, struct blob *out)
{
    char path[4096];
    int rc;

    *out = (struct blob){ .size_bytes = (int64_t)bytes.n, .type = blob_type(str_of(bytes.p, min_size(bytes.n, 512))) };
    secret_sha256_hex(bytes, out->sha256);
    snprintf(out->name, sizeof out->name, "%.16s", out->sha256);
    rc = file_write_atomic(bin_path(c->d, out->sha256, path), bytes, 0640, c->e);
    return rc < 0 ? err_wrap(c->e, rc == -ENOSPC ? rc : -EIO, "keeping a file") : blob_row(c, out);
}

int blob_open(struct call *c, const char *sha256, int *fd, struct blob *out)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT size_bytes, type, name FROM blob WHERE sha256 = ?", "z", sha256);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;
    char path[4096], sum[65];

    *fd = -1;
    if (rc <= 0)
        return rc < 0 ? rc : refuse(c, -ENOENT, "not_found", NULL, "no such file");
    *out = (struct blob){ .size_bytes = sqlite3_column_int64(st, 0), .type = known_type(db_str(st, 1)) };
    snprintf(out->sha256, sizeof out->sha256, "%s", sha256);
    snprintf(out->name, sizeof out->name, "%.*s", STR_ARG(db_str(st, 2)));
    db_done(st);
    *fd = open(bin_path(c->d, sha256, path), O_RDONLY | O_CLOEXEC);
    if (*fd < 0)
        return disk(c, "a file is in the registry but not on disk");
    rc = hash_file(c, *fd, sum, NULL);
    if (rc == 0 && strcmp(sum, sha256) != 0)
        rc = err_set(c->e, -EIO, "the file on disk is not the one that was brought: \"%s\"", path);
    if (rc < 0) {
        close(*fd);
        *fd = -1;
    }
    return rc;
}

/* --- in the background --- */

int uploads_sweep(struct desk *d, time_ns now, struct err *e)
{
    char id[33], path[4096];
    int n = 0, rc = 1;

    while (rc > 0 && n < 64) {
        sqlite3_stmt *st = db_query(d, e, "DELETE FROM upload WHERE id = (SELECT id FROM upload WHERE created_at <= ?1 ORDER BY created_at LIMIT 1)"
                                          " RETURNING id", "i", now - UPLOAD_KEPT_NS);

        rc = st ? db_step(d, st, e) : -EIO;
        if (rc <= 0)
            break;
        snprintf(id, sizeof id, "%.*s", (int)min_size(db_str(st, 0).n, 32), db_str(st, 0).p);
        rc = db_step(d, st, e) < 0 ? -EIO : 1;
        (void)unlink(part_path(d, id, path));
        n++;
    }
    return rc < 0 ? rc : n;
}
