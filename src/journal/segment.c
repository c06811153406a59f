/* segment.c - segment files: names, heads, frames at offsets. Layout in internal.h. */
#include "journal/internal.h"
#include "base/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#define XXH_STATIC_LINKING_ONLY /* the state on the stack */
#include <xxhash.h>

void segment_path(const char *folder, uint64_t first_seq, char out[PATH_BYTES])
{
    snprintf(out, PATH_BYTES, "%s/%020llu.seg", folder, (unsigned long long)first_seq);
}

static int by_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

static bool segment_name(const char *name, uint64_t *first_seq)
{
    size_t n = strlen(name);

    return n == 24 && strcmp(name + 20, ".seg") == 0 && str_u64(str_of(name, 20), first_seq);
}

int segments_list(const char *folder, struct segments *out, struct err *e)
{
    DIR *d = opendir(folder);
    struct dirent *f;
    size_t cap = 0;
    int rc = 0;

    *out = (struct segments){ 0 };
    if (!d)
        return errno == ENOENT ? 0 : err_sys(e, "could not open \"%s\"", folder);
    while (rc == 0 && (f = readdir(d)) != NULL) {
        uint64_t seq;

        if (!segment_name(f->d_name, &seq))
            continue;
        if (out->count == cap) {
            uint64_t *p = realloc(out->first_seq, (cap = cap ? cap * 2 : 64) * sizeof *p);

            if (!p) {
                rc = err_set(e, -ENOMEM, "no memory for the list of segments");
                break;
            }
            out->first_seq = p;
        }
        out->first_seq[out->count++] = seq;
    }
    closedir(d);
    if (rc < 0)
        segments_free(out);
    else if (out->count)
        qsort(out->first_seq, out->count, sizeof *out->first_seq, by_number);
    return rc;
}

void segments_free(struct segments *s)
{
    free(s->first_seq);
    *s = (struct segments){ 0 };
}

static uint64_t head_checksum(const char *head, struct str origins)
{
    XXH3_state_t s;

    XXH3_64bits_reset(&s);
    XXH3_64bits_update(&s, head, 56);
    XXH3_64bits_update(&s, origins.n ? origins.p : "", origins.n);
    return XXH3_64bits_digest(&s);
}

int segment_create(const char *folder, const struct segment_head *h, struct str origins, struct err *e)
{
    char path[PATH_BYTES];
    AUTO_BUF struct buf b;
    int rc, fd;

    buf_init(&b, ORIGIN_TABLE_MAX + SEGMENT_HEAD);
    buf_str(&b, STR("SQJRNL01"));
    buf_le64(&b, h->first_seq);
    buf_put(&b, h->chain, CHAIN_BYTES);
    buf_le32(&b, (uint32_t)origins.n);
    buf_le32(&b, 0);
    if (buf_failed(&b))
        return err_set(e, -ENOMEM, "no memory for a segment");
    buf_le64(&b, head_checksum(b.p, origins));
    buf_str(&b, origins);
    if (buf_failed(&b))
        return err_set(e, -ENOMEM, "no memory for a segment");
    segment_path(folder, h->first_seq, path);
    rc = file_write_atomic(path, buf_view(&b), 0640, e);
    if (rc < 0)
        return rc;
    fd = open(path, O_RDWR | O_CLOEXEC);
    return fd < 0 ? err_sys(e, "could not open \"%s\"", path) : fd;
}

/* read_at - exactly n bytes; false at the end of the file or on an error. */
static bool read_at(int fd, void *to, size_t n, uint64_t offset)
{
    char *p = to;

    while (n) {
        ssize_t got = pread(fd, p, n, (off_t)offset);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        p += got;
        n -= (size_t)got;
        offset += (uint64_t)got;
    }
    return true;
}

int segment_open(const char *folder, uint64_t first_seq, bool write, struct segment_head *h, struct buf *origins, struct err *e)
{
    char path[PATH_BYTES], head[SEGMENT_HEAD];
    AUTO_CLOSE int fd = -1;
    AUTO_BUF struct buf own;
    struct buf *table = origins ? origins : &own;
    struct reader r;
    int out;

    buf_init(&own, ORIGIN_TABLE_MAX);
    segment_path(folder, first_seq, path);
    fd = open(path, (write ? O_RDWR : O_RDONLY) | O_CLOEXEC);
    if (fd < 0)
        return err_sys(e, "could not open \"%s\"", path);
    if (!read_at(fd, head, sizeof head, 0))
        return err_set(e, -EBADMSG, "\"%s\" is shorter than the head of a segment", path);
    r = rd_from(head, sizeof head);
    if (!str_eq(rd_take(&r, 8, "magic"), STR("SQJRNL01")))
        return err_set(e, -EBADMSG, "\"%s\" is not a journal segment of version 1", path);
    h->first_seq = rd_le64(&r);
    memcpy(h->chain, rd_take(&r, CHAIN_BYTES, "chain").p, CHAIN_BYTES);
    h->origin_bytes = rd_le32(&r);
    rd_skip(&r, 4);
    buf_reset(table);
    char *to = h->origin_bytes <= ORIGIN_TABLE_MAX ? buf_room(table, h->origin_bytes + 1u) : NULL;
    if (!to || !read_at(fd, to, h->origin_bytes, SEGMENT_HEAD))
        return err_set(e, -EBADMSG, "the table of origins of \"%s\" is cut or too large", path);
    table->n = h->origin_bytes;
    if (h->first_seq != first_seq || rd_le64(&r) != head_checksum(head, buf_view(table)))
        return err_set(e, -EBADMSG, "the head of \"%s\" is damaged", path);
    out = fd;
    fd = -1;
    return out;
}

int segment_frame(int fd, uint64_t offset, uint64_t end, unsigned char head[FRAME_HEAD], struct frame_head *h, struct buf *body,
                  struct err *e)
{
    char *to;

    if (offset >= end)
        return 1;
    if (end - offset < FRAME_HEAD || !read_at(fd, head, FRAME_HEAD, offset))
        return err_at(e, -EBADMSG, (size_t)offset, "the head of a frame is cut at offset %llu", (unsigned long long)offset);
    if (!frame_head_read(head, h) || h->body_bytes > end - offset - FRAME_HEAD)
        return err_at(e, -EBADMSG, (size_t)offset, "no frame at offset %llu", (unsigned long long)offset);
    buf_reset(body);
    to = buf_room(body, h->body_bytes + 1u);
    if (!to)
        return err_set(e, -ENOMEM, "no memory for a frame of %u bytes", h->body_bytes);
    if (!read_at(fd, to, h->body_bytes, offset + FRAME_HEAD) || !frame_sound(head, h, to))
        return err_at(e, -EBADMSG, (size_t)offset, "the frame at offset %llu is damaged", (unsigned long long)offset);
    body->n = h->body_bytes;
    return 0;
}

uint64_t segment_resync(int fd, uint64_t offset, uint64_t end, struct buf *body)
{
    unsigned char window[8192], head[FRAME_HEAD];
    struct frame_head h;

    while (offset < end) {
        size_t n = (size_t)(end - offset < sizeof window ? end - offset : sizeof window);

        if (!read_at(fd, window, n, offset))
            return end;
        for (size_t i = 0; i + 4 <= n; i++)
            if (memcmp(window + i, "QFRM", 4) == 0 && segment_frame(fd, offset + i, end, head, &h, body, NULL) == 0)
                return offset + i;
        if (n < sizeof window)
            return end;
        offset += n - 3;
    }
    return end;
}
