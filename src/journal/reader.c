/* reader.c - following committed frames through the segments. See journal.h. */
#include "journal/internal.h"

#include <poll.h>
#include <sys/stat.h>

struct journal_reader {
    char              *folder;
    struct commit_map *commit;    /* NULL until the writer made it */
    int                fd;        /* open segment, -1: none */
    uint64_t           segment, offset;
    uint64_t           want;      /* the seq that comes next */
    struct buf         body, payload;
};

int journal_reader_open(const char *folder, uint64_t from_seq, struct journal_reader **out, struct err *e)
{
    struct journal_reader *r = calloc(1, sizeof *r);

    *out = NULL;
    if (r)
        r->folder = strdup(folder);
    if (!r || !r->folder) {
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

/* open_segment - the segment that holds seq, or the oldest if seq is older. 1: there is none yet. */
static int open_segment(struct journal_reader *r, uint64_t seq, struct err *e)
{
    struct segment_head h;
    struct segments s;
    uint64_t first = 0;
    bool found = false;
    int rc = segments_list(r->folder, &s, e);

    if (rc < 0)
        return rc;
    for (size_t i = 0; i < s.count; i++)
        if (i == 0 || s.first_seq[i] <= seq) {
            first = s.first_seq[i];
            found = true;
        }
    segments_free(&s);
    if (!found)
        return 1;
    if (r->fd >= 0)
        close(r->fd);
    r->fd = -1;
    rc = segment_open(r->folder, first, false, &h, NULL, e);
    if (rc < 0)
        return rc;
    r->fd = rc;
    r->segment = first;
    r->offset = SEGMENT_HEAD + h.origin_bytes;
    if (r->want < first)
        r->want = first;
    return 0;
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

/* damaged - step over a place that is no sound frame; the error tells how much is missing. */
static int damaged(struct journal_reader *r, uint64_t end, struct err *e)
{
    struct err why = e ? *e : (struct err){ 0 };
    uint64_t at = r->offset, next = segment_resync(r->fd, r->offset + 1, end, &r->body), lost_from = r->want;
    unsigned char head[FRAME_HEAD];
    struct frame_head h;

    r->offset = next;
    if (next < end && segment_frame(r->fd, next, end, head, &h, &r->body, NULL) == 0 && h.first_seq > r->want)
        r->want = h.first_seq;
    return err_at(e, -EBADMSG, (size_t)at, "segment %020llu: %.200s; events %llu to %llu are missing",
                  (unsigned long long)r->segment, why.text, (unsigned long long)lost_from,
                  (unsigned long long)(r->want > lost_from ? r->want - 1 : lost_from));
}

/* take_frame - the frame at the offset: 0 read, 1 end of the segment, or an error. */
static int take_frame(struct journal_reader *r, uint64_t end, struct frame_head *h, struct event_batch *batch, struct err *e)
{
    unsigned char head[FRAME_HEAD];
    int rc = segment_frame(r->fd, r->offset, end, head, h, &r->body, e);

    if (rc == 1 || (rc < 0 && rc != -EBADMSG))
        return rc;
    if (rc == -EBADMSG)
        return damaged(r, end, e);
    r->offset += FRAME_HEAD + h->body_bytes;
    if (h->first_seq + h->count <= r->want)
        return 0;
    event_batch_reset(batch);
    rc = frame_payload(h, r->body.p, &r->payload, batch, e);
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

int journal_reader_next(struct journal_reader *r, struct event_batch *batch, struct journal_origin *origin, struct err *e)
{
    struct commit_point c;
    struct frame_head h = { 0 };
    uint64_t end = 0;
    int rc;

    event_batch_reset(batch);
    if (!r->commit && commit_map_open(r->folder, false, &r->commit, NULL) < 0)
        return 0;
    for (;;) {
        c = commit_map_read(r->commit);
        if (!c.valid || r->want >= c.next_seq)
            return 0;
        if (r->fd < 0 && (rc = open_segment(r, r->want ? r->want : 1, e)) != 0)
            return rc < 0 ? rc : 0;
        rc = segment_end(r, &c, &end, e);
        if (rc == 0)
            rc = take_frame(r, end, &h, batch, e);
        if (rc < 0)
            return rc;
        if (rc == 0 && batch->count) {
            if (origin)
                *origin = (struct journal_origin){ str_of(r->body.p, h.origin_bytes), h.origin_seq };
            return (int)batch->count;
        }
        if (rc == 1) {
            uint64_t before = r->segment;

            if (c.segment == before)
                return 0;
            rc = open_segment(r, r->want, e);
            if (rc != 0 || r->segment == before) {
                /* The events between this segment's end and the next one's start were lost to damage. */
                if (rc == 0)
                    rc = open_segment(r, c.segment, e);
                if (rc != 0)
                    return rc < 0 ? rc : 0;
            }
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
