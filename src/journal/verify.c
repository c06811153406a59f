/* verify.c - reading a whole journal with suspicion: checksums, numbers without gaps, chain without a break. */
#include "journal/internal.h"

#include <sys/stat.h>

struct verifier {
    struct journal_report *report;
    journal_complaint     *say;
    void                  *arg;
    unsigned char          chain[CHAIN_BYTES];
    bool                   chain_known;
    bool                   complained;
};

static void complain(struct verifier *v, const char *file, uint64_t offset, const char *reason)
{
    v->complained = true;
    if (v->say)
        v->say(v->arg, file, offset, reason);
}

static void check_frame(struct verifier *v, const char *file, uint64_t offset, const unsigned char head[FRAME_HEAD],
                        const struct frame_head *h, struct str body)
{
    struct journal_report *r = v->report;
    unsigned char chain[CHAIN_BYTES];

    if (h->first_seq != r->next_seq) {
        complain(v, file, offset, h->first_seq > r->next_seq ? "events are missing before this frame" : "events stand twice");
        if (h->first_seq > r->next_seq)
            r->missing_events += h->first_seq - r->next_seq;
    }
    if (v->chain_known) {
        frame_chain(v->chain, head, body, chain);
        if (memcmp(chain, h->chain, CHAIN_BYTES) != 0)
            complain(v, file, offset, "the hash chain does not fit: something before this frame was changed, removed or put in");
    }
    memcpy(v->chain, h->chain, CHAIN_BYTES);
    v->chain_known = true;
    r->frames++;
    r->events += h->count;
    r->next_seq = h->first_seq + h->count;
}

static void walk_segment(struct verifier *v, const char *file, int fd, uint64_t offset, uint64_t end, bool last)
{
    unsigned char head[FRAME_HEAD];
    AUTO_BUF struct buf body;
    struct frame_head h;
    struct err e;
    int rc;

    buf_init(&body, JOURNAL_FRAME_MAX + 16);
    while ((rc = segment_frame(fd, offset, end, head, &h, &body, &e)) != 1) {
        if (rc == 0) {
            check_frame(v, file, offset, head, &h, buf_view(&body));
            offset += FRAME_HEAD + h.body_bytes;
            continue;
        }
        uint64_t next = segment_resync(fd, offset + 1, end, &body);
        if (last && next >= end) {
            /* Past the commit point: bytes that a crash left behind and nobody was promised. */
            v->report->torn_bytes += end - offset;
            return;
        }
        complain(v, file, offset, e.text);
        v->report->damaged_frames++;
        v->chain_known = false;
        offset = next;
    }
}

static int verify_segment(struct verifier *v, const char *folder, uint64_t first_seq, const struct commit_point *c, struct err *e)
{
    char path[PATH_BYTES];
    struct segment_head h;
    struct err why;
    AUTO_CLOSE int fd = segment_open(folder, first_seq, false, &h, NULL, &why);
    struct stat st;

    segment_path(folder, first_seq, path);
    if (fd < 0) {
        complain(v, path, 0, why.text);
        v->chain_known = false;
        return 0;
    }
    if (fstat(fd, &st) < 0)
        return err_sys(e, "could not look at \"%s\"", path);
    if (v->chain_known && memcmp(v->chain, h.chain, CHAIN_BYTES) != 0)
        complain(v, path, 16, "the hash chain does not fit: a segment before this one was changed or removed");
    if (v->report->segments++ == 0)
        v->report->first_seq = v->report->next_seq = first_seq;
    memcpy(v->chain, h.chain, CHAIN_BYTES);
    v->chain_known = true;
    bool in_use = c->valid && c->segment == first_seq;
    if (in_use && (uint64_t)st.st_size < c->offset)
        complain(v, path, (uint64_t)st.st_size, "the segment is shorter than what was committed");
    walk_segment(v, path, fd, SEGMENT_HEAD + h.origin_bytes, in_use && c->offset < (uint64_t)st.st_size ? c->offset : (uint64_t)st.st_size,
                 !c->valid);
    if (in_use && (uint64_t)st.st_size > c->offset)
        v->report->torn_bytes += (uint64_t)st.st_size - c->offset;
    if (in_use && v->chain_known && memcmp(v->chain, c->chain, CHAIN_BYTES) != 0)
        complain(v, path, c->offset, "the last chain value is not the committed one");
    return 0;
}

int journal_verify(const char *folder, struct journal_report *report, journal_complaint *say, void *arg, struct err *e)
{
    struct verifier v = { .report = report, .say = say, .arg = arg };
    struct commit_map *m = NULL;
    struct commit_point c = { 0 };
    struct segments s;
    int rc;

    *report = (struct journal_report){ 0 };
    if (commit_map_open(folder, false, &m, NULL) == 0) {
        c = commit_map_read(m);
        commit_map_close(&m);
    }
    rc = segments_list(folder, &s, e);
    if (rc < 0)
        return rc;
    for (size_t i = 0; rc == 0 && i < s.count; i++)
        rc = verify_segment(&v, folder, s.first_seq[i], &c, e);
    if (rc == 0 && c.valid && s.count && s.first_seq[s.count - 1] < c.segment)
        complain(&v, folder, 0, "the newest segment is missing");
    segments_free(&s);
    for (size_t i = 0; i < CHAIN_BYTES; i++)
        snprintf(report->chain_hex + 2 * i, 3, "%02x", v.chain[i]);
    return rc < 0 ? rc : v.complained;
}
