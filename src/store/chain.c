/* chain.c - CHAIN: a record for every part that came or went, each bound to the one before by SHA-256. It stays when the parts are gone. */
#include "store/internal.h"

#include <fcntl.h>
#include <openssl/evp.h>

void hex_of(const unsigned char *bytes, size_t n, char *out)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * n] = 0;
}

void chain_next(const unsigned char before[SHA_BYTES], const unsigned char record[CHAIN_RECORD], unsigned char out[SHA_BYTES])
{
    unsigned char both[SHA_BYTES + CHAIN_RECORD - SHA_BYTES];
    unsigned n = SHA_BYTES;

    memcpy(both, before, SHA_BYTES);
    memcpy(both + SHA_BYTES, record, CHAIN_RECORD - SHA_BYTES);
    if (EVP_Digest(both, sizeof both, out, &n, EVP_sha256(), NULL) != 1)
        abort();    /* SHA-256 of memory fails only without memory for 100 bytes */
}

void chain_put(struct manifest *m, enum chain_kind kind, const struct part_info *p, uint64_t into, struct buf *out)
{
    size_t from = out->n;

    buf_le64(out, m->links + 1);
    buf_le32(out, (uint32_t)kind);
    buf_le32(out, (uint32_t)p->day);
    buf_le64(out, p->number);
    buf_le64(out, into);
    buf_le64(out, p->events);
    buf_le64(out, p->first_seq);
    buf_le64(out, p->last_seq);
    buf_put(out, p->sha, SHA_BYTES);
    buf_room(out, SHA_BYTES);
    if (buf_failed(out))
        return;
    chain_next(m->chain, (const unsigned char *)out->p + from, m->chain);
    buf_put(out, m->chain, SHA_BYTES);
    m->links++;
}

void chain_decode(const unsigned char bytes[CHAIN_RECORD], struct chain_record *out)
{
    struct reader r = rd_from(bytes, CHAIN_RECORD);

    memset(out, 0, sizeof *out);
    out->link = rd_le64(&r);
    out->kind = (enum chain_kind)rd_le32(&r);
    out->part.day = (int32_t)rd_le32(&r);
    out->part.number = rd_le64(&r);
    out->into = rd_le64(&r);
    out->part.events = rd_le64(&r);
    out->part.first_seq = rd_le64(&r);
    out->part.last_seq = rd_le64(&r);
    memcpy(out->part.sha, rd_take(&r, SHA_BYTES, "sha").p, SHA_BYTES);
    memcpy(out->chain, rd_take(&r, SHA_BYTES, "chain").p, SHA_BYTES);
}

int chain_write(const char *folder, uint64_t links, struct str records, struct err *e)
{
    char path[PATH_BYTES];
    AUTO_CLOSE int fd = -1;
    off_t at = (off_t)(CHAIN_HEAD + links * CHAIN_RECORD);

    snprintf(path, sizeof path, "%.4000s/CHAIN", folder);
    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0640);
    if (fd < 0)
        return err_sys(e, "could not open \"%s\"", path);
    if (links == 0 && pwrite(fd, "SQCHAI01", CHAIN_HEAD, 0) != CHAIN_HEAD)
        return err_sys(e, "could not write \"%s\"", path);
    if (ftruncate(fd, at) < 0)      /* what stands behind was never named by a manifest */
        return err_sys(e, "could not cut \"%s\"", path);
    while (records.n) {
        ssize_t n = pwrite(fd, records.p, records.n, at);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_sys(e, "could not write \"%s\"", path);
        records = str_cut(records, (size_t)n);
        at += n;
    }
    return fdatasync(fd) < 0 ? err_sys(e, "could not sync \"%s\"", path) : 0;
}
