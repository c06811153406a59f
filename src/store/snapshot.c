/* snapshot.c - one state of the store as bytes and files, for a copy elsewhere. Whoever copies does so beside a writer: parts may be merged away meanwhile (-ENOENT), then the next
 * snapshot names what took their place. */
#include "base/file.h"
#include "store/internal.h"

#define SNAPSHOT_ATTEMPTS 1000

static int read_all(const char *folder, const char *name, size_t most, struct buf *out, struct err *e)
{
    char path[PATH_BYTES];
    int rc;

    snprintf(path, sizeof path, "%.4000s/%s", folder, name);
    rc = file_read(path, most, out, e);
    return rc == -ENOENT ? 0 : rc;
}

/* take - the files beside the manifest as they were while it was in force; 1: it was another one afterwards. */
static int take(const char *folder, struct manifest *m, struct store_snapshot *out, struct err *e)
{
    size_t chain;
    int rc;

    manifest_free(m);
    buf_reset(&out->chain);
    buf_reset(&out->dropped);
    rc = search_snapshot(folder, m, e);
    if (rc == 0)
        rc = read_all(folder, "CHAIN", SIZE_MAX / 2, &out->chain, e);
    if (rc == 0)
        rc = read_all(folder, "DROPPED", 4 * DROPPED_BYTES_MAX, &out->dropped, e);
    if (rc < 0)
        return rc;
    if (manifest_moved(folder, m))
        return 1;
    chain = CHAIN_HEAD + m->links * CHAIN_RECORD;
    if (m->links && out->chain.n < chain)
        return err_set(e, -EBADMSG, "CHAIN ends before the last link of the manifest");
    if (out->chain.n > chain)
        out->chain.n = m->links ? chain : 0;    /* what stands behind was never named by a manifest */
    return 0;
}

static int list(const char *folder, struct manifest *m, struct store_snapshot *out, struct err *e)
{
    out->part = calloc(m->count + 1, sizeof *out->part);
    if (!out->part)
        return err_set(e, -ENOMEM, "no memory for a snapshot of the store");
    for (size_t i = 0; i < m->count; i++) {
        struct store_part_file *f = &out->part[out->count++];
        char plain[PATH_BYTES];

        part_file(folder, &m->part[i], f->path);
        part_path("", m->part[i].day, m->part[i].number, plain);
        snprintf(f->name, sizeof f->name, "%.60s", plain + (plain[0] == '/'));
        f->bytes = m->part[i].bytes;
        hex_of(m->part[i].sha, SHA_BYTES, f->sha256);
        m->part[i].place = PLACE_FAST;          /* a copy has no archive */
    }
    out->next_seq = m->next_seq;
    manifest_encode(m, &out->manifest);
    return buf_failed(&out->manifest) ? err_set(e, -ENOMEM, "no memory for a snapshot of the store") : 0;
}

int store_snapshot_take(const char *folder, struct store_snapshot *out, struct err *e)
{
    struct manifest m;
    int rc = 1;

    memset(out, 0, sizeof *out);
    buf_init(&out->manifest, 0);
    buf_init(&out->chain, 0);
    buf_init(&out->dropped, 0);
    manifest_init(&m);
    for (int i = 0; rc == 1 && i < SNAPSHOT_ATTEMPTS; i++)
        rc = take(folder, &m, out, e);
    if (rc == 1)
        rc = err_set(e, -EBUSY, "the store changes faster than it can be read");
    if (rc == 0)
        rc = list(folder, &m, out, e);
    manifest_free(&m);
    if (rc < 0)
        store_snapshot_free(out);
    return rc;
}

void store_snapshot_free(struct store_snapshot *s)
{
    buf_free(&s->manifest);
    buf_free(&s->chain);
    buf_free(&s->dropped);
    free(s->part);
    memset(s, 0, sizeof *s);
}
