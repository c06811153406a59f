/* judge.c - an envelope that came, judged whole before anything of it is used. See envelope.h. */
#include "envelope/envelope.h"
#include "envelope/internal.h"
#include "base/file.h"
#include "base/whofile.h"

#include <dirent.h>
#include <sys/stat.h>
#include <zstd.h>

#define BLOCK_HEAD 20u
#define MOMENT_AHEAD  NS_PER_DAY
#define MOMENT_BEHIND (20 * 366 * NS_PER_DAY)
#define READ_SPARE (256u * KIB)     /* of a buffer that is read into */

struct envelope_trust {
    struct node_cert *certs[ENVELOPE_NODES_MAX];
    size_t            count;
};

static int trust_add(struct envelope_trust *t, const char *path, struct err *e)
{
    AUTO_BUF struct buf b = { 0 };
    int rc;

    buf_init(&b, NODE_PEM_MAX + READ_SPARE);
    if (t->count == ENVELOPE_NODES_MAX)
        return err_set(e, -E2BIG, "there may be %d certificates of nodes", ENVELOPE_NODES_MAX);
    rc = file_read(path, NODE_PEM_MAX, &b, e);
    if (rc == 0)
        rc = node_cert_read(buf_view(&b), &t->certs[t->count], e);
    if (rc < 0)
        return err_wrap(e, rc, "certificate of a node \"%s\"", path);
    t->count++;
    return 0;
}

static int trust_folder(struct envelope_trust *t, const char *folder, struct err *e)
{
    DIR *d = opendir(folder);
    struct dirent *f;
    char path[4096];
    int rc = 0;

    if (!d)
        return err_sys(e, "could not read the folder of certificates \"%s\"", folder);
    while (rc == 0 && (f = readdir(d)) != NULL) {
        struct str name = str_c(f->d_name);

        if (!str_ends(name, STR(".pem")) && !str_ends(name, STR(".crt")))
            continue;
        snprintf(path, sizeof path, "%.3800s/%.255s", folder, f->d_name);
        rc = trust_add(t, path, e);
    }
    closedir(d);
    return rc;
}

int envelope_trust_load(const char *path, struct envelope_trust **out, struct err *e)
{
    struct envelope_trust *t = calloc(1, sizeof *t);
    struct stat st;
    int rc;

    *out = NULL;
    if (!t)
        return err_set(e, -ENOMEM, "no memory for certificates");
    if (stat(path, &st) < 0)
        rc = err_sys(e, "could not find the certificates of nodes, \"%s\"", path);
    else
        rc = S_ISDIR(st.st_mode) ? trust_folder(t, path, e) : trust_add(t, path, e);
    if (rc < 0) {
        envelope_trust_free(&t);
        return rc;
    }
    *out = t;
    return 0;
}

void envelope_trust_free(struct envelope_trust **t)
{
    if (!*t)
        return;
    for (size_t i = 0; i < (*t)->count; i++)
        node_cert_free(&(*t)->certs[i]);
    free(*t);
    *t = NULL;
}

/* signer_of - the certificate that the manifest names, if it is trusted and its node's. */
static const struct node_cert *signer_of(const struct envelope_trust *t, const struct envelope_manifest *m, struct err *e)
{
    bool named = false;

    for (size_t i = 0; i < t->count; i++) {
        bool same = strcmp(node_cert_name(t->certs[i]), m->node) == 0;

        if (same && strcmp(node_cert_fingerprint(t->certs[i]), m->signer) == 0)
            return t->certs[i];
        named = named || same;
    }
    err_set(e, -EACCES, named ? "node \"%s\" is trusted with another certificate than the one that signed this envelope, whose fingerprint is said to be %s"
                              : "node \"%s\" is not trusted: no certificate of it is in the folder. Its fingerprint is said to be %s",
            m->node, m->signer);
    return NULL;
}

bool envelope_next(const struct envelope *v, size_t *at, struct envelope_block *out)
{
    struct reader r = rd_str(str_cut(v->body, *at));
    uint32_t packed;

    if (rd_left(&r) == 0)
        return false;
    out->next = rd_le64(&r);
    out->events = rd_le32(&r);
    out->plain_bytes = rd_le32(&r);
    packed = rd_le32(&r);
    out->packed = rd_take(&r, packed, "a block");
    if (!rd_ok(&r) || out->events == 0 || out->events > EVENT_BATCH_MAX || out->plain_bytes > ENVELOPE_BLOCK_MAX || packed > ENVELOPE_BLOCK_MAX)
        return false;
    *at += BLOCK_HEAD + packed;
    return true;
}

int envelope_unpack(const struct envelope_block *b, struct buf *plain, struct err *e)
{
    char *to;
    size_t n;

    buf_reset(plain);
    to = buf_room(plain, b->plain_bytes + 1);
    if (!to)
        return err_set(e, -ENOMEM, "no memory for a block of an envelope");
    n = ZSTD_decompress(to, b->plain_bytes, b->packed.p, b->packed.n);
    if (ZSTD_isError(n) || n != b->plain_bytes)
        return err_set(e, -EBADMSG, "a block of the envelope cannot be unpacked");
    plain->n = n;
    return 0;
}

/* judge_blocks - their numbers rise from first to next, and their events are as many as the manifest says. */
static int judge_blocks(const struct envelope *v, struct err *e)
{
    struct envelope_block b = { .next = 0 };
    uint64_t events = 0, last = v->m.first;
    size_t at = 0;

    while (envelope_next(v, &at, &b)) {
        if (b.next <= last || b.next > v->m.next || b.events > b.next - last)
            return err_set(e, -EBADMSG, "the blocks of the envelope are not in order");
        last = b.next;
        events += b.events;
    }
    if (at != v->body.n || events != v->m.events)
        return err_set(e, -EBADMSG, "the blocks of the envelope are not those that its manifest counts");
    return 0;
}

static int judge(struct envelope *v, const struct envelope_trust *t, struct err *e)
{
    struct str rest = buf_view(&v->bytes), line, signature;
    ptrdiff_t end = str_chr(str_of(rest.p, min_size(rest.n, ENVELOPE_MANIFEST_MAX)), '\n'), second;
    const struct node_cert *c;
    char hash[NODE_HASH_TEXT];
    int rc;

    if (end < 0)
        return err_set(e, -EBADMSG, "this is no envelope of events");
    line = str_of(rest.p, (size_t)end);
    rest = str_cut(rest, (size_t)end + 1);
    rc = envelope_manifest_read(line, &v->m, e);
    if (rc < 0)
        return rc;
    second = str_chr(str_of(rest.p, min_size(rest.n, NODE_SIGNATURE_MAX)), '\n');
    signature = str_of(rest.p, second < 0 ? 0 : (size_t)second);
    v->body = str_cut(rest, signature.n + 1);
    node_sha256(line, v->digest);
    c = signer_of(t, &v->m, e);
    if (!c)
        return -EACCES;
    rc = node_verify(c, ENVELOPE_DOMAIN, line, signature, e);
    if (rc < 0)
        return rc;
    if (!node_cert_holds(c, v->m.created_at))
        return err_set(e, -EACCES, "the certificate of node \"%s\" did not hold when the envelope was made", v->m.node);
    node_sha256(v->body, hash);
    if (v->body.n != v->m.body_bytes || strcmp(hash, v->m.body_sha256) != 0)
        return err_set(e, -EBADMSG, "the events are not those that were signed: %s", v->body.n < v->m.body_bytes ? "the file is cut" : "the file was changed");
    return judge_blocks(v, e);
}

int envelope_judge(struct buf *b, const struct envelope_trust *t, struct envelope **out, struct err *e)
{
    struct envelope *v = calloc(1, sizeof *v);
    int rc;

    *out = NULL;
    if (!v)
        return err_set(e, -ENOMEM, "no memory for an envelope");
    v->bytes = *b;
    buf_init(b, 0);
    rc = judge(v, t, e);
    if (rc < 0) {
        envelope_free(&v);
        return rc;
    }
    *out = v;
    return 0;
}

/* read_whole - a regular file, without waiting: whoever may put files into a folder may put a pipe there, too, and who opens that waits for ever. */
static int read_whole(const char *path, struct buf *b, struct err *e)
{
    struct stat st;
    AUTO_CLOSE int fd = (errno = 0, file_open_regular(path, &st));

    if (fd < 0)
        return errno ? err_sys(e, "could not open \"%s\"", path) : err_set(e, -EBADMSG, "\"%s\" is no file", path);
    while (b->n <= ENVELOPE_BYTES_MAX) {
        char *to = buf_room(b, READ_SPARE);
        ssize_t n = to ? read(fd, to, READ_SPARE) : -1;

        if (!to)
            return err_set(e, -ENOMEM, "no memory for an envelope");
        if (n < 0 && errno != EINTR)
            return err_sys(e, "could not read \"%s\"", path);
        if (n == 0)
            return 0;
        b->n += n > 0 ? (size_t)n : 0;
    }
    return err_set(e, -E2BIG, "\"%s\" is larger than %u bytes", path, ENVELOPE_BYTES_MAX);
}

int envelope_open(const char *path, const struct envelope_trust *t, struct envelope **out, struct err *e)
{
    struct buf b;
    int rc;

    *out = NULL;
    buf_init(&b, ENVELOPE_BYTES_MAX + 2 * READ_SPARE);
    rc = read_whole(path, &b, e);
    if (rc == 0)
        rc = envelope_judge(&b, t, out, e);
    buf_free(&b);
    return rc;
}

void envelope_free(struct envelope **v)
{
    if (!*v)
        return;
    buf_free(&(*v)->bytes);
    free(*v);
    *v = NULL;
}

void envelope_moment(struct event *ev, time_ns now)
{
    if (ev->received > now + MOMENT_AHEAD || ev->received < now - MOMENT_BEHIND)
        ev->received = now;
}

void envelope_mark(struct event *ev, struct arena *a, struct str node)
{
    if (event_add(ev, a, STR("saqshy.relay"), node) < 0)
        ev->parse = ev->parse == EVENT_PARSE_OK ? EVENT_PARSE_PARTIAL : ev->parse;
    ev->seq = 0;
    envelope_moment(ev, clock_now());
    if (str_eq(ev->source, STR("saqshyd")))
        ev->source = arena_printf(a, "%.*s/saqshyd", STR_ARG(node));
}
