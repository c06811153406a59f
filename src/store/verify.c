/* verify.c - everything that can be proved about a store from its own files: checksums, the chain, and that the two agree. */
#include "base/file.h"
#include "store/internal.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>

struct verifying {
    const char           *folder;
    struct store_report  *report;
    store_complaint      *say;
    void                 *arg;
    struct manifest       m, live;     /* live: the parts that the chain says are there */
    struct block_view     view;
};

static void PRINTF(3, 4) complain(struct verifying *v, const char *file, const char *fmt, ...)
{
    char reason[ERR_TEXT_MAX];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(reason, sizeof reason, fmt, ap);
    va_end(ap);
    v->report->damaged++;
    if (v->say)
        v->say(v->arg, file, reason);
}

/* --- the chain --- */

static void apply(struct verifying *v, const struct chain_record *r, const char *path)
{
    const struct part_info *p = manifest_find(&v->live, r->part.day, r->part.number);

    if (r->kind == CHAIN_SEALED) {
        if (p || manifest_add(&v->live, &r->part) < 0)
            complain(v, path, "link %llu: the part came twice", (unsigned long long)r->link);
        return;
    }
    if (!p || memcmp(p->sha, r->part.sha, SHA_BYTES) != 0)
        complain(v, path, "link %llu: removes a part that was not there", (unsigned long long)r->link);
    else
        manifest_remove(&v->live, r->part.day, r->part.number);
}

static void check_links(struct verifying *v, FILE *f, const char *path)
{
    unsigned char bytes[CHAIN_RECORD], chain[SHA_BYTES] = { 0 }, want[SHA_BYTES];

    for (uint64_t i = 1; i <= v->m.links; i++) {
        struct chain_record r;

        if (fread(bytes, sizeof bytes, 1, f) != 1) {
            complain(v, path, "ends before link %llu of %llu", (unsigned long long)i, (unsigned long long)v->m.links);
            return;
        }
        chain_decode(bytes, &r);
        chain_next(chain, bytes, want);
        if (r.link != i || memcmp(want, r.chain, SHA_BYTES) != 0) {
            complain(v, path, "link %llu does not follow from the one before", (unsigned long long)i);
            return;
        }
        memcpy(chain, want, SHA_BYTES);
        apply(v, &r, path);
    }
    if (memcmp(chain, v->m.chain, SHA_BYTES) != 0)
        complain(v, path, "its last link is not that of the manifest");
}

static void check_chain(struct verifying *v)
{
    char path[PATH_BYTES], magic[CHAIN_HEAD];
    AUTO_FCLOSE FILE *f = NULL;

    snprintf(path, sizeof path, "%.4000s/CHAIN", v->folder);
    f = fopen(path, "re");
    if (!f) {
        if (v->m.links)
            complain(v, path, "could not open: %s", strerror(errno));
        return;
    }
    if (fread(magic, sizeof magic, 1, f) != 1 || memcmp(magic, "SQCHAI01", CHAIN_HEAD) != 0)
        complain(v, path, "no magic SQCHAI01");
    else
        check_links(v, f, path);
    for (size_t i = 0; i < v->m.count; i++) {
        const struct part_info *a = &v->m.part[i], *b = manifest_find(&v->live, a->day, a->number);

        if (!b || memcmp(a->sha, b->sha, SHA_BYTES) != 0 || a->events != b->events)
            complain(v, path, "the manifest names a part that the chain does not know: %llu of day %d", (unsigned long long)a->number, a->day);
    }
    for (size_t i = 0; i < v->live.count; i++)
        if (!manifest_find(&v->m, v->live.part[i].day, v->live.part[i].number))
            complain(v, path, "a part is missing from the manifest: %llu of day %d, %llu events", (unsigned long long)v->live.part[i].number,
                     v->live.part[i].day, (unsigned long long)v->live.part[i].events);
}

/* --- what went for its age --- */

static void dropped_complain(void *arg, const char *reason)
{
    struct verifying *v = arg;
    char path[PATH_BYTES];

    snprintf(path, sizeof path, "%.4000s/DROPPED", v->folder);
    complain(v, path, "%s", reason);
}

/* --- parts --- */

static int check_sha(struct verifying *v, const struct part_info *p, const char *path, struct err *e)
{
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    AUTO_FREE char *bytes = malloc(MIB);
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    unsigned char sha[SHA_BYTES];
    unsigned n = SHA_BYTES;
    ssize_t got = -1;
    int rc = 0;

    if (!bytes || !c || EVP_DigestInit_ex(c, EVP_sha256(), NULL) != 1)
        rc = err_set(e, -ENOMEM, "no memory to verify");
    while (rc == 0 && fd >= 0 && (got = read(fd, bytes, MIB)) > 0) {
        v->report->bytes += (uint64_t)got;
        if (EVP_DigestUpdate(c, bytes, (size_t)got) != 1)
            rc = err_set(e, -ENOMEM, "no memory to verify");
    }
    if (rc == 0 && (fd < 0 || got < 0))
        complain(v, path, "could not read: %s", strerror(errno));
    else if (rc == 0 && (EVP_DigestFinal_ex(c, sha, &n) != 1 || memcmp(sha, p->sha, SHA_BYTES) != 0))
        complain(v, path, "its bytes are not those that were sealed (SHA-256)");
    EVP_MD_CTX_free(c);
    return rc;
}

static void check_filter(struct verifying *v, const struct part *p, uint32_t index, const char *path)
{
    const struct block_entry *b = &p->block[index];
    struct err e;

    if (part_read(p, b->offset + b->keys_bytes + b->payload_bytes, (size_t)b->filter_lines * FILTER_LINE, &v->view.packed, &e) < 0) {
        complain(v, path, "block %u: %s", index + 1, e.text);
        return;
    }
    for (uint32_t i = 0; i < b->filter_lines; i++)
        if (filter_may(b, (const unsigned char *)v->view.packed.p + (size_t)i * FILTER_LINE, i, 0) < 0) {
            complain(v, path, "block %u at %llu: line %u of its filter has a wrong checksum", index + 1, (unsigned long long)b->offset, i + 1);
            return;
        }
}

static int check_part(struct verifying *v, const struct part_info *info, struct err *e)
{
    char path[PATH_BYTES];
    struct part p;
    struct err why;
    int rc;

    part_file(v->folder, info, path);
    if (access(path, F_OK) < 0 && manifest_moved(v->folder, &v->m))
        return 0;       /* a writer is at work and has merged it meanwhile */
    rc = check_sha(v, info, path, e);
    if (rc < 0)
        return rc;
    v->report->parts++;
    v->report->events += info->events;
    rc = part_open(v->folder, info, &p, &why);
    if (rc == -ENOMEM)
        return err_set(e, rc, "no memory to verify");
    if (rc < 0) {
        if (rc != -ENOENT)
            complain(v, path, "%s", why.text);
        return 0;
    }
    for (uint32_t i = 0; i < p.count; i++) {
        rc = part_block_events(&p, i, &v->view, &why);
        if (rc < 0)
            complain(v, path, "block %u at %llu: %s", i + 1, (unsigned long long)p.block[i].offset, why.text);
        check_filter(v, &p, i, path);
    }
    part_close(&p);
    return 0;
}

/* check_manifests - both must be whole; which of them is in force is said by load. */
static int check_manifests(struct verifying *v, struct err *e)
{
    static const char *const names[] = { "MANIFEST", "MANIFEST.copy" };
    bool from_copy;
    int rc = manifest_load(v->folder, &v->m, &from_copy, e);

    if (rc == -ENOENT)
        return 1;
    for (size_t i = 0; i < COUNT(names) && (rc == 0 || rc == -EBADMSG); i++) {
        char path[PATH_BYTES];
        AUTO_BUF struct buf b;
        struct manifest one;
        struct err why;

        manifest_init(&one);
        buf_init(&b, 0);
        snprintf(path, sizeof path, "%.4000s/%s", v->folder, names[i]);
        if (rc == 0 && v->m.next_seq == 1 && v->m.count == 0 && !file_exists(path)) {
            manifest_free(&one);
            continue;   /* a store that was being made, and never held an event: the second of its two first writes did not come */
        }
        if (file_read(path, 16 * MIB, &b, &why) < 0 || manifest_decode(buf_view(&b), &one, &why) < 0)
            complain(v, path, "%s", why.text);
        manifest_free(&one);
    }
    return rc == -EBADMSG ? 2 : rc;
}

int store_verify(const char *folder, struct store_report *report, store_complaint *say, void *arg, struct err *e)
{
    struct verifying v = { .folder = folder, .report = report, .say = say, .arg = arg };
    int rc;

    memset(report, 0, sizeof *report);
    manifest_init(&v.m);
    manifest_init(&v.live);
    block_view_init(&v.view);
    rc = check_manifests(&v, e);
    if (rc == 0) {
        check_chain(&v);
        rc = dropped_prove(folder, &v.m, dropped_complain, &v, e);
        hex_of(v.m.chain, SHA_BYTES, report->chain_hex);
        for (size_t i = 0; rc == 0 && i < v.m.count; i++)
            rc = check_part(&v, &v.m.part[i], e);
    } else if (rc > 0) {
        rc = 0;         /* no store yet, or none that can be read: the complaints have been made */
    }
    manifest_free(&v.m);
    manifest_free(&v.live);
    block_view_free(&v.view);
    return rc < 0 ? rc : report->damaged > 0;
}
