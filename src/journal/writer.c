/* writer.c - appending: recovery, frames, group commit, rotation. See journal.h.
 *
 * Order of writes: frame bytes → fdatasync → commit page. A new segment is written whole with its head, synced and renamed
 * into place before the first frame goes into it. So the last segment alone may end in frames that nobody was promised:
 * recovery keeps those that are sound (their senders may be told again) and cuts the rest. */
#include "journal/internal.h"
#include "base/file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <zstd.h>

struct journal {
    char              *folder;
    int                lock, fd;
    uint64_t           segment_bytes;
    uint64_t           segment, offset;   /* first_seq of the open segment; where the next frame goes */
    uint64_t           next_seq, committed_seq;
    uint64_t           committed;         /* bytes of the open segment that were promised */
    bool               ready;             /* recovered: what stands behind committed is ours to drop */
    unsigned char      chain[CHAIN_BYTES];
    struct origins     origins;
    struct commit_map *commit;
    struct buf         frame, scratch;
    struct ZSTD_CCtx_s *zstd;
    struct event_encoder *encoder;
    struct journal_origin origin;         /* of the frame that was begun */
    bool               broken;            /* a write failed in a way that leaves the disk unknown */
};

static int start_segment(struct journal *j, struct err *e)
{
    struct segment_head h = { .first_seq = j->next_seq };
    AUTO_BUF struct buf table;
    int fd;

    buf_init(&table, ORIGIN_TABLE_MAX);
    origins_write(&j->origins, &table);
    memcpy(h.chain, j->chain, CHAIN_BYTES);
    fd = segment_create(j->folder, &h, buf_view(&table), e);
    if (fd < 0)
        return fd;
    if (j->fd >= 0)
        close(j->fd);
    j->fd = fd;
    j->segment = h.first_seq;
    j->offset = j->committed = SEGMENT_HEAD + table.n;
    return 0;
}

/* glean - what the sound frames from offset on tell, damage stepped over: origins, the number and chain value behind the last. */
static int glean(struct journal *j, int fd, uint64_t offset, uint64_t end, struct err *e)
{
    unsigned char head[FRAME_HEAD];
    struct frame_head h;

    while ((offset = segment_resync(fd, offset, end, &j->scratch)) < end &&
           segment_frame(fd, offset, end, head, &h, &j->scratch, NULL) == 0) {
        struct str id = str_of(j->scratch.p, h.origin_bytes);

        if (id.n && h.origin_seq > origins_get(&j->origins, id) && origins_put(&j->origins, id, h.origin_seq) < 0)
            return err_set(e, -ENOMEM, "no room for the origin of a frame");
        if (h.first_seq + h.count > j->next_seq) {
            j->next_seq = h.first_seq + h.count;
            memcpy(j->chain, h.chain, CHAIN_BYTES);
        }
        offset += FRAME_HEAD + h.body_bytes;
    }
    return 0;
}

/* leave_damaged - the segment stays as evidence, without what nobody was promised; writing goes on in a new one. */
static int leave_damaged(struct journal *j, uint64_t end, const struct commit_point *c, struct err *e)
{
    if (c->valid && c->segment == j->segment && end > c->offset && ftruncate(j->fd, (off_t)c->offset) < 0)
        return err_sys(e, "could not cut the torn tail");
    if (c->valid && c->next_seq >= j->next_seq) {
        j->next_seq = c->next_seq;
        memcpy(j->chain, c->chain, CHAIN_BYTES);
    }
    return start_segment(j, e);
}

/* scan - walk the frames of the open segment up to its end; what is sound moves offset, next_seq, chain and origins on. */
static int scan(struct journal *j, uint64_t end, struct err *e)
{
    unsigned char head[FRAME_HEAD];
    struct frame_head h;
    int rc;

    while ((rc = segment_frame(j->fd, j->offset, end, head, &h, &j->scratch, e)) == 0) {
        if (h.first_seq != j->next_seq)
            return err_set(e, -EBADMSG, "a frame of event %llu stands where %llu is expected",
                           (unsigned long long)h.first_seq, (unsigned long long)j->next_seq);
        rc = h.origin_bytes ? origins_put(&j->origins, str_of(j->scratch.p, h.origin_bytes), h.origin_seq) : 0;
        if (rc < 0)
            return err_set(e, rc, "no room for the origin of a frame");
        j->offset += FRAME_HEAD + h.body_bytes;
        j->next_seq = h.first_seq + h.count;
        memcpy(j->chain, h.chain, CHAIN_BYTES);
    }
    return rc < 0 ? rc : 0;
}

/* recover_last - open the last segment, keep its sound frames, cut a torn tail. */
static int recover_last(struct journal *j, uint64_t first_seq, const struct commit_point *c, struct err *e)
{
    struct segment_head h;
    AUTO_BUF struct buf table;
    struct stat st;
    int rc;

    buf_init(&table, ORIGIN_TABLE_MAX);
    rc = segment_open(j->folder, first_seq, true, &h, &table, e);
    if (rc < 0)
        return rc;
    j->fd = rc;
    if (fstat(j->fd, &st) < 0)
        return err_sys(e, "could not look at the last segment");
    rc = origins_read(&j->origins, buf_view(&table));
    if (rc < 0)
        return err_set(e, rc, "the table of origins is damaged");
    j->segment = j->next_seq = first_seq;
    j->offset = SEGMENT_HEAD + h.origin_bytes;
    memcpy(j->chain, h.chain, CHAIN_BYTES);
    rc = scan(j, (uint64_t)st.st_size, e);
    if (rc == 0)
        return 0;
    if (rc != -EBADMSG)
        return rc;
    if (c->valid && c->segment == first_seq && j->offset < c->offset) {
        /* Damage inside what was promised. The senders of the sound frames behind it must not repeat them. */
        rc = glean(j, j->fd, j->offset, c->offset, e);
        return rc < 0 ? rc : leave_damaged(j, (uint64_t)st.st_size, c, e);
    }
    return ftruncate(j->fd, (off_t)j->offset) < 0 ? err_sys(e, "could not cut the torn tail") : 0;
}

/* recover_headless - the last segment's head is damaged: origins from the youngest sound head, and from all frames behind it. */
static int recover_headless(struct journal *j, const struct segments *s, const struct commit_point *c, struct err *e)
{
    size_t i = s->count - 1, from = i;
    uint64_t end = 0;
    int rc = 0;

    while (from > 0) {
        struct segment_head h;
        AUTO_BUF struct buf table;
        AUTO_CLOSE int fd = -1;

        buf_init(&table, ORIGIN_TABLE_MAX);
        fd = segment_open(j->folder, s->first_seq[--from], false, &h, &table, NULL);
        if (fd >= 0 && origins_read(&j->origins, buf_view(&table)) == 0)
            break;
    }
    j->next_seq = s->first_seq[i];
    for (size_t k = from; rc == 0 && k <= i; k++) {
        char path[PATH_BYTES];
        struct stat st;

        segment_path(j->folder, s->first_seq[k], path);
        if (j->fd >= 0)
            close(j->fd);
        j->fd = open(path, O_RDWR | O_CLOEXEC);
        if (j->fd < 0 || fstat(j->fd, &st) < 0)
            return err_sys(e, "could not open \"%s\"", path);
        j->segment = s->first_seq[k];
        end = (uint64_t)st.st_size;
        rc = glean(j, j->fd, SEGMENT_HEAD, c->valid && c->segment == j->segment && c->offset < end ? c->offset : end, e);
    }
    return rc < 0 ? rc : leave_damaged(j, end, c, e);
}

static int recover(struct journal *j, struct err *e)
{
    struct commit_point c = commit_map_read(j->commit);
    struct segments s;
    int rc = segments_list(j->folder, &s, e);

    if (rc < 0)
        return rc;
    if (s.count == 0) {
        j->next_seq = c.valid && c.next_seq ? c.next_seq : 1;
        rc = start_segment(j, e);
    } else {
        rc = recover_last(j, s.first_seq[s.count - 1], &c, e);
        if (rc == -EBADMSG && j->fd < 0)
            rc = recover_headless(j, &s, &c, e);
    }
    segments_free(&s);
    if (rc == 0 && fdatasync(j->fd) < 0)
        rc = err_sys(e, "could not sync the journal");
    return rc;
}

static void publish(struct journal *j)
{
    struct commit_point c = { .segment = j->segment, .offset = j->offset, .next_seq = j->next_seq };

    memcpy(c.chain, j->chain, CHAIN_BYTES);
    commit_map_write(j->commit, &c);
    j->committed_seq = j->next_seq;
    j->committed = j->offset;
}

static int take_lock(struct journal *j, struct err *e)
{
    char path[PATH_BYTES];

    snprintf(path, sizeof path, "%s/LOCK", j->folder);
    j->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (j->lock < 0)
        return err_sys(e, "could not open \"%s\"", path);
    if (flock(j->lock, LOCK_EX | LOCK_NB) < 0)
        return err_set(e, -EBUSY, "another process writes the journal \"%s\"", j->folder);
    return 0;
}

int journal_open(const char *folder, uint64_t segment_bytes, struct journal **out, struct err *e)
{
    struct journal *j = calloc(1, sizeof *j);
    int rc;

    *out = NULL;
    if (!j)
        return err_set(e, -ENOMEM, "no memory for the journal");
    j->lock = j->fd = -1;
    j->segment_bytes = segment_bytes ? segment_bytes : 64u * MIB;
    buf_init(&j->frame, JOURNAL_FRAME_MAX * 2u + PAYLOAD_MAX);
    buf_init(&j->scratch, PAYLOAD_MAX + MIB);
    j->folder = strdup(folder);
    j->zstd = ZSTD_createCCtx();
    j->encoder = event_encoder_new();
    rc = j->folder && j->zstd && j->encoder ? file_mkdirs(folder, 0750, e) : err_set(e, -ENOMEM, "no memory for the journal");
    if (rc == 0)
        rc = take_lock(j, e);
    if (rc == 0)
        rc = commit_map_open(folder, true, &j->commit, e);
    if (rc == 0)
        rc = recover(j, e);
    if (rc < 0) {
        journal_close(&j);
        return err_wrap(e, rc, "journal \"%s\"", folder);
    }
    publish(j);
    j->ready = true;
    *out = j;
    return 0;
}

void journal_close(struct journal **j)
{
    if (!*j)
        return;
    /* What was not committed was promised to nobody and is sent again. After a failed sync it stands in the page cache alone, where the
     * next recovery would find it sound: it must not. */
    if ((*j)->ready && ((*j)->broken || (*j)->committed_seq != (*j)->next_seq) && ftruncate((*j)->fd, (off_t)(*j)->committed) < 0)
        (*j)->broken = true;    /* then recovery judges */
    commit_map_close(&(*j)->commit);
    origins_free(&(*j)->origins);
    ZSTD_freeCCtx((*j)->zstd);
    event_encoder_free(&(*j)->encoder);
    buf_free(&(*j)->frame);
    buf_free(&(*j)->scratch);
    if ((*j)->fd >= 0)
        close((*j)->fd);
    if ((*j)->lock >= 0)
        close((*j)->lock);
    free((*j)->folder);
    free(*j);
    *j = NULL;
}

/* put_frame - the bytes at the end of the segment; on failure the file is cut back to where it was. */
static int put_frame(struct journal *j, struct err *e)
{
    size_t done = 0;
    int rc;

    while (done < j->frame.n) {
        ssize_t n = pwrite(j->fd, j->frame.p + done, j->frame.n - done, (off_t)(j->offset + done));

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            rc = n < 0 ? err_sys(e, "could not append to the journal") : err_set(e, -EIO, "could not append to the journal");
            if (ftruncate(j->fd, (off_t)j->offset) < 0)
                j->broken = true;
            return rc;
        }
        done += (size_t)n;
    }
    return 0;
}

int journal_begin(struct journal *j, struct journal_origin origin, struct err *e)
{
    if (j->broken)
        return err_set(e, -EIO, "the journal had a write error and must be opened anew");
    if (origin.id.n > JOURNAL_ORIGIN_ID_MAX)
        return err_set(e, -EINVAL, "the name of a sender is longer than %d bytes", JOURNAL_ORIGIN_ID_MAX);
    if (origin.id.n && origin.seq <= origins_get(&j->origins, origin.id))
        return 1;
    j->origin = origin;
    buf_reset(&j->scratch);
    event_encoder_begin(j->encoder, &j->scratch);
    return 0;
}

int journal_add(struct journal *j, const struct event *events, size_t count, struct err *e)
{
    return event_encoder_add(j->encoder, events, count, e);
}

/* take_origin - the number of this frame's sender is the last one taken. */
static int take_origin(struct journal *j, struct err *e)
{
    int rc = j->origin.id.n ? origins_put(&j->origins, j->origin.id, j->origin.seq) : 0;

    if (rc < 0) {
        err_set(e, rc, "more than %d numbering senders", JOURNAL_ORIGINS_MAX);
        j->broken = ftruncate(j->fd, (off_t)j->offset) < 0;
    }
    return rc;
}

int journal_end(struct journal *j, uint64_t *first_seq, struct err *e)
{
    unsigned char chain[CHAIN_BYTES];
    size_t count;
    int rc = event_encoder_end(j->encoder, &count, e);

    if (rc == 0 && count == 0)
        rc = err_set(e, -EINVAL, "a frame takes 1 to %d events", EVENT_BATCH_MAX);
    if (rc == 0 && j->offset >= j->segment_bytes && j->next_seq > j->segment) {
        rc = journal_commit(j, e);
        if (rc == 0)
            rc = start_segment(j, e);
    }
    memcpy(chain, j->chain, CHAIN_BYTES);
    if (rc == 0)
        rc = frame_build(j->zstd, &j->frame, buf_view(&j->scratch), count, j->origin, j->next_seq, chain, e);
    if (rc == 0)
        rc = put_frame(j, e);
    if (rc == 0)
        rc = take_origin(j, e);
    if (rc < 0)
        return rc;
    memcpy(j->chain, chain, CHAIN_BYTES);
    if (first_seq)
        *first_seq = j->next_seq;
    j->offset += j->frame.n;
    j->next_seq += count;
    return 0;
}

int journal_append(struct journal *j, const struct event *events, size_t count, struct journal_origin origin,
                   uint64_t *first_seq, struct err *e)
{
    int rc = count == 0 || count > EVENT_BATCH_MAX ? err_set(e, -EINVAL, "a frame takes 1 to %d events", EVENT_BATCH_MAX) : journal_begin(j, origin, e);

    if (rc == 0)
        rc = journal_add(j, events, count, e);
    return rc == 0 ? journal_end(j, first_seq, e) : rc;
}

int journal_commit(struct journal *j, struct err *e)
{
    if (j->broken)
        return err_set(e, -EIO, "the journal had a write error and must be opened anew");
    if (j->committed_seq == j->next_seq)
        return 0;
    if (fdatasync(j->fd) < 0) {
        /* After a failed sync the kernel may have dropped the dirty pages: only a new look at the disk tells. */
        j->broken = true;
        return err_sys(e, "could not sync the journal");
    }
    publish(j);
    return 0;
}

uint64_t journal_origin_seq(const struct journal *j, struct str id)
{
    return origins_get(&j->origins, id);
}

size_t journal_origin_count(const struct journal *j, struct str beginning)
{
    size_t n = 0;

    for (size_t i = 0; i < j->origins.count; i++)
        n += str_starts(str_of(j->origins.row[i].id, j->origins.row[i].id_bytes), beginning);
    return n;
}

uint64_t journal_next_seq(const struct journal *j)
{
    return j->next_seq;
}
