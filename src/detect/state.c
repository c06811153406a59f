/* state.c - the file of saved state: written whole and atomically, trusted only with its checksum. Layout: internal.h. */
#include "base/file.h"
#include "detect/internal.h"

#define MAGIC "SAQDET1\n"

static uint64_t checksum(uint64_t seq, struct str state)
{
    return str_hash(state) ^ (seq * UINT64_C(0x9E3779B97F4A7C15));
}

int state_file_write(const char *path, uint64_t seq, struct str state, struct err *e)
{
    AUTO_BUF struct buf b;

    buf_init(&b, DETECT_STATE_MAX);
    buf_str(&b, STR(MAGIC));
    buf_le64(&b, seq);
    buf_le64(&b, state.n);
    buf_le64(&b, checksum(seq, state));
    buf_str(&b, state);
    if (buf_failed(&b))
        return err_set(e, -ENOMEM, "no memory to save the state of detection");
    return file_write_atomic(path, buf_view(&b), 0640, e);
}

int state_file_read(const char *path, struct buf *b, uint64_t *seq, struct str *state, struct err *e)
{
    struct reader r;
    uint64_t size, sum;
    int rc;

    if (!file_exists(path))
        return 1;
    rc = file_read(path, DETECT_STATE_MAX, b, e);
    if (rc < 0)
        return rc;
    r = rd_str(buf_view(b));
    if (!str_eq(rd_take(&r, 8, "the mark SAQDET1"), STR(MAGIC)))
        rd_fail(&r, "the mark SAQDET1");
    *seq = rd_le64(&r);
    size = rd_le64(&r);
    sum = rd_le64(&r);
    *state = rd_rest(&r);
    if (!rd_ok(&r) || state->n != size || checksum(*seq, *state) != sum)
        return err_set(e, -EBADMSG, "\"%s\" is damaged", path);
    return 0;
}
