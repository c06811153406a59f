/* state.c - the file of saved state: written whole and atomically, trusted only with its checksum. Layout: internal.h. */
#include "base/file.h"
#include "detect/internal.h"

#define MAGIC     "SAQDET3\n"
#define MAGIC_OLD "SAQDET1\n"

static const struct str names[STATE_PARTS] = { STR_INIT("corr"), STR_INIT("epis"), STR_INIT("risk"), STR_INIT("cove"), STR_INIT("poli"), STR_INIT("cloc") };

static uint64_t checksum(uint64_t seq, struct str state)
{
    return str_hash(state) ^ (seq * UINT64_C(0x9E3779B97F4A7C15));
}

int state_file_write(const char *path, uint64_t seq, const struct str parts[STATE_PARTS], struct err *e)
{
    AUTO_BUF struct buf b, head;
    size_t size = 0;

    for (int i = 0; i < STATE_PARTS; i++)
        size += names[i].n + 8 + parts[i].n;
    buf_init(&b, DETECT_STATE_MAX);
    buf_init(&head, STATE_HEAD);
    if (!buf_room(&b, STATE_HEAD + size))   /* at once: it is copied once only */
        return err_set(e, -ENOMEM, "no memory to save the state of detection");
    b.n = STATE_HEAD;
    for (int i = 0; i < STATE_PARTS; i++) {
        buf_str(&b, names[i]);
        buf_le64(&b, parts[i].n);
        buf_str(&b, parts[i]);
    }
    buf_str(&head, STR(MAGIC));
    buf_le64(&head, seq);
    buf_le64(&head, size);
    buf_le64(&head, checksum(seq, str_cut(buf_view(&b), STATE_HEAD)));
    if (buf_failed(&b) || buf_failed(&head))
        return err_set(e, -ENOMEM, "no memory to save the state of detection");
    memcpy(b.p, head.p, STATE_HEAD);
    return file_write_atomic(path, buf_view(&b), 0640, e);
}

static void take_sections(struct reader *r, struct str parts[STATE_PARTS])
{
    while (rd_ok(r) && rd_left(r)) {
        struct str name = rd_take(r, 4, "the name of a section");
        uint64_t n = rd_le64(r);
        struct str content = rd_take(r, n > rd_left(r) ? SIZE_MAX : (size_t)n, "a section");

        for (int i = 0; rd_ok(r) && i < STATE_PARTS; i++)
            if (str_eq(name, names[i]))
                parts[i] = content;
    }
}

int state_file_read(const char *path, struct buf *b, uint64_t *seq, struct str parts[STATE_PARTS], struct err *e)
{
    struct reader r;
    struct str magic, rest;
    uint64_t size, sum;
    int rc;

    for (int i = 0; i < STATE_PARTS; i++)
        parts[i] = (struct str){ NULL, 0 };
    if (!file_exists(path))
        return 1;
    rc = file_read(path, DETECT_STATE_MAX, b, e);
    if (rc < 0)
        return rc;
    r = rd_str(buf_view(b));
    magic = rd_take(&r, 8, "the mark SAQDET3");
    if (!str_eq(magic, STR(MAGIC)) && !str_eq(magic, STR(MAGIC_OLD)))
        rd_fail(&r, "the mark SAQDET3");
    *seq = rd_le64(&r);
    size = rd_le64(&r);
    sum = rd_le64(&r);
    rest = rd_rest(&r);
    if (!rd_ok(&r) || rest.n != size || checksum(*seq, rest) != sum)
        return err_set(e, -EBADMSG, "\"%s\" is damaged", path);
    r = rd_str(rest);
    if (str_eq(magic, STR(MAGIC_OLD)))
        parts[STATE_CORRELATIONS] = rest;
    else
        take_sections(&r, parts);
    return rd_ok(&r) ? 0 : err_set(e, -EBADMSG, "\"%s\" is damaged", path);
}
