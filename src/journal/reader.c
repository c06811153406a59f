/* reader.c - following committed frames through the segments. See journal.h. */
#include "journal/internal.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <zstd.h>

struct journal_reader {
    char              *folder;
    struct commit_map *commit;    /* NULL until the writer made it */
    int                fd;        /* open segment, -1: none */
    uint64_t           segment, offset;
    uint64_t           want;      /* the seq that comes next */
    struct buf         body, payload;
    struct ZSTD_DCtx_s *zstd;
};

int journal_reader_open(const char *folder, uint64_t from_seq, struct journal_reader **out, struct err *e)
{
    struct journal_reader *r = calloc(1, sizeof *r);

    *out = NULL;
    if (r) {
        r->folder = strdup(folder);
        r->zstd = ZSTD_createDCtx();
    }
    if (!r || !r->folder || !r->zstd) {
        if (r) {
            free(r->folder);
            ZSTD_freeDCtx(r->zstd);
        }
        free(r);
        return err_set(e, -ENOMEM, "no memory to read the journal");
    }
    r->fd = -1;
    r->want = from_seq;
    buf_init(&r->body, JOURNAL_FRAME_MAX + 16);
    buf_init(&r->payload, PAYLOAD_MAX + 16);
    *out = r;
    return 0;
}

void journal_reader_close(struct journal_reader **r)
{
    if (!*r)
        return;
    commit_map_close(&(*r)->commit);
    buf_free(&(*r)->body);
    buf_free(&(*r)->payload);
    ZSTD_freeDCtx((*r)->zstd);
    if ((*r)->fd >= 0)
        close((*r)->fd);
    free((*r)->folder);
    free(*r);
    *r = NULL;
}

uint64_t journal_reader_seq(const struct journal_reader *r)
{
    return r->want;
}

/* segment_end - how far this segment may be read: the commit point, or its size if a later one is in use. */
static int segment_end(const struct journal_reader *r, const struct commit_point *c, uint64_t *end, struct err *e)
{
    struct stat st;

    if (c->segment == r->segment) {
        *end = c->offset;
        return 0;
    }
    if (fstat(r->fd, &st) < 0)
        return err_sys(e, "could not look at a segment");
    *end = (uint64_t)st.st_size;
    return 0;
}

/* segment_for - the segment that holds seq, or the oldest if seq is older. 1: there is none yet. */
static int segment_for(const struct journal_reader *r, uint64_t seq, uint64_t *first, struct err *e)
{
    struct segments s;
    bool found = false;
    int rc = segments_list(r->folder, &s, e);

    if (rc < 0)
        return rc;
    for (size_t i = 0; i < s.count; i++)
        if (i == 0 || s.first_seq[i] <= seq) {
            *first = s.first_seq[i];
            found = true;
        }
    segments_free(&s);
    return !found;
}

/* segment_after - the one that follows the open segment. 1: there is none. */
static int segment_after(const struct journal_reader *r, uint64_t *first, struct err *e)
{
    struct segments s;
    bool found = false;
    int rc = segments_list(r->folder, &s, e);

    if (rc < 0)
        return rc;
    for (size_t i = 0; i < s.count && !found; i++)
        if (s.first_seq[i] > r->segment) {
            *first = s.first_seq[i];
            found = true;
        }
    segments_free(&s);
    return !found;
}

/* open_headless - a segment whose head is damaged: its frames say themselves who they are. */
static int open_headless(struct journal_reader *r, uint64_t first, const struct commit_point *c, struct err *e)
{
    struct err why = e ? *e : (struct err){ 0 };
    char path[PATH_BYTES];
    uint64_t end = 0;
    int rc;

    segment_path(r->folder, first, path);
    r->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (r->fd < 0)
        return err_sys(e, "could not open \"%s\"", path);
    r->segment = first;
    rc = segment_end(r, c, &end, e);
    if (rc < 0)
        return rc;
    r->offset = segment_resync(r->fd, SEGMENT_HEAD, end, &r->body);
    return err_set(e, -EBADMSG, "%.200s; its sound frames are read", why.text);
}

static int open_segment(struct journal_reader *r, uint64_t first, const struct commit_point *c, struct err *e)
{
    struct segment_head h;
    int rc;

    if (r->fd >= 0)
        close(r->fd);
    r->fd = -1;
    if (r->want < first)
        r->want = first;
    rc = segment_open(r->folder, first, false, &h, NULL, e);
    if (rc == -EBADMSG)
        return open_headless(r, first, c, e);
    if (rc < 0)
        return rc;
    r->fd = rc;
    r->segment = first;
    r->offset = SEGMENT_HEAD + h.origin_bytes;
    return 0;
}

/* damaged - step over a place that is no sound frame; the error tells how much is missing. */
static int damaged(struct journal_reader *r, uint64_t end, const struct commit_point *c, struct err *e)
{
    struct err why = e ? *e : (struct err){ 0 };
    uint64_t at = r->offset, next = segment_resync(r->fd, r->offset + 1, end, &r->body), lost_from = r->want, goes_on = 0;
    unsigned char head[FRAME_HEAD];
    struct frame_head h;

    r->offset = next;
    if (next < end && segment_frame(r->fd, next, end, head, &h, &r->body, NULL) == 0)
        goes_on = h.first_seq;
    else if (c->segment == r->segment)
        goes_on = c->next_seq;
    else
        (void)segment_after(r, &goes_on, NULL);
    if (goes_on > r->want)
        r->want = goes_on;
    return err_at(e, -EBADMSG, (size_t)at, "segment %020llu: %.200s; events %llu to %llu are missing",
                  (unsigned long long)r->segment, why.text, (unsigned long long)lost_from,
                  (unsigned long long)(r->want > lost_from ? r->want - 1 : lost_from));
}

/* take_frame - the frame at the offset: 0 read, 1 end of the segment, or an error. */
static int take_frame(struct journal_reader *r, uint64_t end, const struct commit_point *c, struct frame_head *h, struct event_batch *batch,
                      struct err *e)
{
    unsigned char head[FRAME_HEAD];
    int rc = segment_frame(r->fd, r->offset, end, head, h, &r->body, e);

    if (rc == 1 || (rc < 0 && rc != -EBADMSG))
        return rc;
    if (rc == -EBADMSG)
        return damaged(r, end, c, e);
    r->offset += FRAME_HEAD + h->body_bytes;
    if (h->first_seq + h->count <= r->want)
        return 0;
    event_batch_reset(batch);
    rc = frame_payload(r->zstd, h, r->body.p, &r->payload, batch, e);
    if (rc < 0) {
        r->want = h->first_seq + h->count;
        return err_wrap(e, rc, "segment %020llu, event %llu", (unsigned long long)r->segment, (unsigned long long)h->first_seq);
    }
    if (h->first_seq < r->want) {
        size_t skip = (size_t)(r->want - h->first_seq);

        memmove(batch->items, batch->items + skip, (batch->count - skip) * sizeof *batch->items);
        batch->count -= skip;
    }
    r->want = h->first_seq + h->count;
    return 0;
}

/* step - the segment to read from is open: 0. 1: nothing is there yet. */
static int step(struct journal_reader *r, const struct commit_point *c, bool next, struct err *e)
{
    uint64_t first = 0;
    int rc;

    if (r->fd >= 0 && !next)
        return 0;
    rc = r->fd < 0 ? segment_for(r, r->want ? r->want : 1, &first, e) : segment_after(r, &first, e);
    return rc ? rc : open_segment(r, first, c, e);
}

int journal_reader_next(struct journal_reader *r, struct event_batch *batch, struct journal_origin *origin, struct err *e)
{
    struct frame_head h = { 0 };
    struct err own;
    uint64_t end = 0;
    bool next = false;

    if (!e)
        e = &own;
    event_batch_reset(batch);
    if (!r->commit && commit_map_open(r->folder, false, &r->commit, NULL) < 0)
        return 0;
    for (;;) {
        struct commit_point c = commit_map_read(r->commit);
        int rc;

        if (!c.valid || r->want >= c.next_seq)
            return 0;
        rc = step(r, &c, next, e);
        if (rc != 0)
            return rc < 0 ? rc : 0;
        rc = segment_end(r, &c, &end, e);
        if (rc == 0)
            rc = take_frame(r, end, &c, &h, batch, e);
        if (rc < 0)
            return rc;
        if (rc == 0 && batch->count) {
            if (origin)
                *origin = (struct journal_origin){ str_of(r->body.p, h.origin_bytes), h.origin_seq };
            return (int)batch->count;
        }
        next = rc == 1;
        if (next && c.segment == r->segment) {
            r->want = c.next_seq;   /* all that was committed is read; what is missing was told */
            return 0;
        }
    }
}

void journal_reader_wait(struct journal_reader *r, int timeout_ms)
{
    if (!r->commit && commit_map_open(r->folder, false, &r->commit, NULL) < 0) {
        poll(NULL, 0, timeout_ms < 50 ? timeout_ms : 50);
        return;
    }
    commit_map_wait(r->commit, r->want, timeout_ms);
}

uint64_t journal_committed_seq(const char *folder)
{
    struct commit_map *m;
    struct commit_point c;

    if (commit_map_open(folder, false, &m, NULL) < 0)
        return 0;
    c = commit_map_read(m);
    commit_map_close(&m);
    return c.valid ? c.next_seq : 0;
}
