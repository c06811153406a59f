/* part.c - one file of blocks: head, blocks, directory of blocks, foot. Written once, synced, never changed. */
#include "store/internal.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <xxhash.h>

#include "base/file.h"

void day_path(const char *folder, int32_t day, char out[PATH_BYTES])
{
    struct civil c = civil_from_days(day);

    snprintf(out, PATH_BYTES, "%.3900s/%04d%02d%02d", folder, c.year, c.month, c.day);
}

void part_path(const char *folder, int32_t day, uint64_t number, char out[PATH_BYTES])
{
    size_t n;

    day_path(folder, day, out);
    n = strlen(out);
    snprintf(out + n, PATH_BYTES - n, "/p%08llu.part", (unsigned long long)number);
}

static void root_of(const char *folder, const struct part_info *p, char out[PATH_BYTES])
{
    snprintf(out, PATH_BYTES, "%.3800s%s", folder, p->place == PLACE_ARCHIVE ? "/" ARCHIVE_NAME : "");
}

void part_folder(const char *folder, const struct part_info *p, char out[PATH_BYTES])
{
    char root[PATH_BYTES];

    root_of(folder, p, root);
    day_path(root, p->day, out);
}

void part_file(const char *folder, const struct part_info *p, char out[PATH_BYTES])
{
    char root[PATH_BYTES];

    root_of(folder, p, root);
    part_path(root, p->day, p->number, out);
}

/* --- reading --- */

/* read_at - exactly n bytes. -EBADMSG when the file ends before. */
static int read_at(int fd, void *to, size_t n, uint64_t offset, struct err *e)
{
    size_t done = 0;

    while (done < n) {
        ssize_t got = pread(fd, (char *)to + done, n - done, (off_t)(offset + done));

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && errno == EIO)
            return err_set(e, -EBADMSG, "part: the disk cannot read it at %llu", (unsigned long long)(offset + done));
        if (got < 0)
            return err_sys(e, "could not read a part");
        if (got == 0)
            return err_set(e, -EBADMSG, "part: ends at %llu", (unsigned long long)(offset + done));
        done += (size_t)got;
    }
    return 0;
}

static size_t entry_bytes(const struct part *p) { return p->version == 1 ? BLOCK_ENTRY_1 : BLOCK_ENTRY; }

static void take_entry(struct reader *r, const struct part *p, struct block_entry *b)
{
    b->offset = rd_le64(r);
    b->keys_bytes = rd_le32(r);
    b->keys_raw = rd_le32(r);
    b->payload_bytes = rd_le32(r);
    b->payload_raw = rd_le32(r);
    b->filter_lines = rd_le32(r);
    b->events = rd_le32(r);
    b->min_time = (time_ns)rd_le64(r);
    b->max_time = (time_ns)rd_le64(r);
    b->first_seq = rd_le64(r);
    b->last_seq = rd_le64(r);
    b->keys_sum = rd_le64(r);
    b->payload_sum = rd_le64(r);
    b->version = BLOCK_ROWS;
    if (p->version > 1) {
        b->version = rd_le32(r);
        rd_skip(r, 4);
    }
}

static void put_entry(struct buf *out, const struct block_entry *b)
{
    buf_le64(out, b->offset);
    buf_le32(out, b->keys_bytes);
    buf_le32(out, b->keys_raw);
    buf_le32(out, b->payload_bytes);
    buf_le32(out, b->payload_raw);
    buf_le32(out, b->filter_lines);
    buf_le32(out, b->events);
    buf_le64(out, (uint64_t)b->min_time);
    buf_le64(out, (uint64_t)b->max_time);
    buf_le64(out, b->first_seq);
    buf_le64(out, b->last_seq);
    buf_le64(out, b->keys_sum);
    buf_le64(out, b->payload_sum);
    buf_le32(out, b->version);
    buf_le32(out, 0);
}

static bool entry_sound(const struct block_entry *b, uint64_t from, uint64_t end)
{
    return b->offset == from && block_bytes(b) <= end - from && b->events > 0 && b->events <= EVENT_BATCH_MAX && b->filter_lines > 0 &&
           b->min_time <= b->max_time && b->first_seq > 0 && b->first_seq <= b->last_seq && (b->version == BLOCK_ROWS || b->version == BLOCK_COLUMNS);
}

/* read_directory - the blocks must follow each other without a gap from the head to the directory, and sum up to the part. */
static int read_directory(struct part *p, uint64_t directory, uint64_t sum, struct err *e)
{
    size_t bytes = p->count * entry_bytes(p);
    AUTO_BUF struct buf b;
    char *to;
    struct reader r;
    uint64_t at = PART_HEAD, events = 0;
    int rc;

    buf_init(&b, BLOCKS_MAX * BLOCK_ENTRY);
    to = buf_room(&b, bytes);
    p->block = calloc(p->count, sizeof *p->block);
    if (!to || !p->block)
        return err_set(e, -ENOMEM, "no memory to read a part");
    rc = read_at(p->fd, to, bytes, directory, e);
    if (rc < 0)
        return rc;
    if (XXH3_64bits(to, bytes) != sum)
        return err_set(e, -EBADMSG, "part: wrong checksum of its directory");
    r = rd_from(to, bytes);
    for (uint32_t i = 0; i < p->count; i++) {
        take_entry(&r, p, &p->block[i]);
        if (!entry_sound(&p->block[i], at, directory))
            return err_set(e, -EBADMSG, "part: block %u makes no sense", i + 1);
        at += block_bytes(&p->block[i]);
        events += p->block[i].events;
    }
    return at == directory && events == p->info.events ? 0 : err_set(e, -EBADMSG, "part: its blocks do not add up");
}

static int read_frame(struct part *p, struct err *e)
{
    unsigned char head[PART_HEAD], foot[PART_FOOT];
    struct stat st;
    struct reader r = rd_from(head, sizeof head), f = rd_from(foot, sizeof foot);
    uint64_t directory, sum, events;
    int rc;

    if (fstat(p->fd, &st) < 0)
        return err_sys(e, "could not look at a part");
    if ((uint64_t)st.st_size != p->info.bytes || p->info.bytes < PART_HEAD + PART_FOOT)
        return err_set(e, -EBADMSG, "part: %lld bytes, not %llu", (long long)st.st_size, (unsigned long long)p->info.bytes);
    rc = read_at(p->fd, head, sizeof head, 0, e);
    if (rc == 0)
        rc = read_at(p->fd, foot, sizeof foot, p->info.bytes - PART_FOOT, e);
    if (rc < 0)
        return rc;
    struct str magic = rd_take(&r, 8, "magic");

    p->version = str_eq(magic, STR("SQPART01")) ? 1 : 2;
    if ((p->version == 2 && !str_eq(magic, STR("SQPART02"))) || rd_le32(&r) != (uint32_t)p->info.day || rd_le32(&r) != 0 || rd_le64(&r) != p->info.number ||
        rd_le64(&r) != XXH3_64bits(head, 24))
        return err_set(e, -EBADMSG, "part: its head is not that of this part");
    if (!str_eq(rd_take(&f, 8, "magic"), STR("SQPEND01")))
        return err_set(e, -EBADMSG, "part: its foot is damaged");
    p->count = rd_le32(&f);
    rd_skip(&f, 4);
    directory = rd_le64(&f);
    sum = rd_le64(&f);
    events = rd_le64(&f);
    if (rd_le64(&f) != XXH3_64bits(foot, 40) || p->count == 0 || p->count > BLOCKS_MAX || events != p->info.events || directory < PART_HEAD ||
        directory > p->info.bytes || p->info.bytes - directory != p->count * (uint64_t)entry_bytes(p) + PART_FOOT)
        return err_set(e, -EBADMSG, "part: its foot is damaged");
    return read_directory(p, directory, sum, e);
}

int part_fd(const char *folder, struct part *p, struct err *e)
{
    char path[PATH_BYTES];

    if (p->fd >= 0)
        return 0;
    part_file(folder, &p->info, path);
    p->fd = open(path, O_RDONLY | O_CLOEXEC);
    return p->fd < 0 ? err_sys(e, "could not open \"%s\"", path) : 0;
}

int part_open(const char *folder, const struct part_info *info, struct part *out, struct err *e)
{
    int rc;

    *out = (struct part){ .info = *info, .fd = -1 };
    rc = part_fd(folder, out, e);
    if (rc == 0)
        rc = read_frame(out, e);
    if (rc < 0)
        part_close(out);
    return rc;
}

void part_close(struct part *p)
{
    if (p->fd >= 0)
        close(p->fd);
    free(p->block);
    p->fd = -1;
    p->block = NULL;
    p->count = 0;
}

int part_read(const struct part *p, uint64_t offset, size_t n, struct buf *out, struct err *e)
{
    char *to;
    int rc;

    buf_reset(out);
    to = buf_room(out, n ? n : 1);
    if (!to)
        return err_set(e, -ENOMEM, "no memory to read %zu bytes of a part", n);
    rc = read_at(p->fd, to, n, offset, e);
    if (rc == 0)
        out->n = n;
    return rc;
}

int part_block_keys(const struct part *p, uint32_t index, struct block_view *v, struct err *e)
{
    const struct block_entry *b = &p->block[index];
    int rc = part_read(p, b->offset, b->keys_bytes, &v->packed, e);

    return rc < 0 ? rc : block_decode_keys(b, buf_view(&v->packed), v, e);
}

int part_block_events(const struct part *p, uint32_t index, struct block_view *v, struct err *e)
{
    const struct block_entry *b = &p->block[index];
    int rc = part_read(p, b->offset, (size_t)b->keys_bytes + b->payload_bytes, &v->packed, e);

    return rc < 0 ? rc : block_decode_events(b, buf_view(&v->packed), v, e);
}

int part_block_open(const struct part *p, uint32_t index, struct block_view *v, struct err *e)
{
    const struct block_entry *b = &p->block[index];
    int rc = part_read(p, b->offset, (size_t)b->keys_bytes + b->payload_bytes, &v->packed, e);

    return rc < 0 ? rc : block_open(b, buf_view(&v->packed), v, e);
}

int part_block_may(const struct part *p, uint32_t index, const uint64_t *tokens, size_t count, uint64_t *bytes_read, bool *damaged)
{
    const struct block_entry *b = &p->block[index];
    uint64_t filter = b->offset + b->keys_bytes + b->payload_bytes;

    for (size_t i = 0; i < count; i++) {
        uint32_t line = filter_line_of(b, tokens[i]);
        unsigned char bytes[FILTER_LINE];
        int may;

        if (!filter_has(b, tokens[i]))
            continue;
        if (read_at(p->fd, bytes, sizeof bytes, filter + (uint64_t)line * FILTER_LINE, NULL) < 0) {
            *damaged = true;
            continue;
        }
        *bytes_read += sizeof bytes;
        may = filter_may(b, bytes, line, tokens[i]);
        if (may == 0)
            return 0;
        *damaged |= may < 0;        /* what cannot be read hides nothing: the block is opened */
    }
    return 1;
}

/* --- writing --- */

static int put_bytes(struct part_writer *w, struct str s, struct err *e)
{
    int rc = file_write_all(w->fd, s, e);

    if (rc < 0)
        return err_wrap(e, rc, "\"%s\"", w->path);
    if (s.n && EVP_DigestUpdate(w->sha, s.p, s.n) != 1)
        return err_set(e, -ENOMEM, "no memory for SHA-256");
    w->info.bytes += s.n;
    return 0;
}

int part_create(const char *folder, enum part_place place, int32_t day, uint64_t number, struct part_writer *w, struct err *e)
{
    char path[PATH_BYTES];
    AUTO_BUF struct buf head;
    int rc;

    *w = (struct part_writer){ .fd = -1, .info = { .place = (uint8_t)place, .day = day, .number = number, .min_time = INT64_MAX, .max_time = INT64_MIN, .first_seq = UINT64_MAX } };
    buf_init(&head, 0);
    buf_init(&w->directory, BLOCKS_MAX * BLOCK_ENTRY);
    part_folder(folder, &w->info, path);
    rc = file_mkdirs(path, 0750, e);
    if (rc < 0)
        return rc;
    part_file(folder, &w->info, w->path);
    unlink(w->path);        /* of a writer that died before it was named */
    w->fd = open(w->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    if (w->fd < 0)
        return err_sys(e, "could not make \"%s\"", w->path);
    w->sha = EVP_MD_CTX_new();
    if (!w->sha || EVP_DigestInit_ex(w->sha, EVP_sha256(), NULL) != 1)
        rc = err_set(e, -ENOMEM, "no memory for SHA-256");
    buf_str(&head, STR("SQPART02"));
    buf_le32(&head, (uint32_t)day);
    buf_le32(&head, 0);
    buf_le64(&head, number);
    if (!buf_failed(&head))
        buf_le64(&head, XXH3_64bits(head.p, head.n));
    if (rc == 0)
        rc = buf_failed(&head) ? err_set(e, -ENOMEM, "no memory for a part") : put_bytes(w, buf_view(&head), e);
    if (rc < 0)
        part_abort(w);
    return rc;
}

int part_put(struct part_writer *w, struct block_entry entry, struct str bytes, struct err *e)
{
    struct part_info *p = &w->info;

    if (w->blocks == BLOCKS_MAX)
        return err_set(e, -E2BIG, "a part has more than %u blocks", BLOCKS_MAX);
    assert(bytes.n == block_bytes(&entry));
    entry.offset = p->bytes;
    put_entry(&w->directory, &entry);
    w->blocks++;
    p->events += entry.events;
    p->min_time = entry.min_time < p->min_time ? entry.min_time : p->min_time;
    p->max_time = entry.max_time > p->max_time ? entry.max_time : p->max_time;
    p->first_seq = entry.first_seq < p->first_seq ? entry.first_seq : p->first_seq;
    p->last_seq = entry.last_seq > p->last_seq ? entry.last_seq : p->last_seq;
    return put_bytes(w, bytes, e);
}

int part_finish(const char *folder, struct part_writer *w, struct err *e)
{
    char path[PATH_BYTES];
    uint64_t directory = w->info.bytes;
    AUTO_BUF struct buf foot;
    unsigned n = SHA_BYTES;
    int rc;

    buf_init(&foot, 0);
    buf_str(&foot, STR("SQPEND01"));
    buf_le32(&foot, w->blocks);
    buf_le32(&foot, 0);
    buf_le64(&foot, directory);
    buf_le64(&foot, w->directory.n ? XXH3_64bits(w->directory.p, w->directory.n) : 0);
    buf_le64(&foot, w->info.events);
    if (!buf_failed(&foot))
        buf_le64(&foot, XXH3_64bits(foot.p, foot.n));
    rc = buf_failed(&foot) || buf_failed(&w->directory) ? err_set(e, -ENOMEM, "no memory for a part") : put_bytes(w, buf_view(&w->directory), e);
    if (rc == 0)
        rc = put_bytes(w, buf_view(&foot), e);
    if (rc == 0 && EVP_DigestFinal_ex(w->sha, w->info.sha, &n) != 1)
        rc = err_set(e, -ENOMEM, "no memory for SHA-256");
    if (rc == 0 && fsync(w->fd) < 0)
        rc = err_sys(e, "could not sync \"%s\"", w->path);
    part_folder(folder, &w->info, path);
    if (rc == 0)
        rc = file_sync_dir(path, e);
    root_of(folder, &w->info, path);
    if (rc == 0)
        rc = file_sync_dir(path, e);
    if (rc == 0) {
        close(w->fd);
        w->fd = -1;
        EVP_MD_CTX_free(w->sha);
        w->sha = NULL;
        buf_free(&w->directory);
    } else {
        part_abort(w);
    }
    return rc;
}

void part_abort(struct part_writer *w)
{
    if (w->fd >= 0) {
        close(w->fd);
        unlink(w->path);
    }
    w->fd = -1;
    EVP_MD_CTX_free(w->sha);
    w->sha = NULL;
    buf_free(&w->directory);
}
