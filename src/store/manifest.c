/* manifest.c - which parts there are, and up to which event they reach.
 *
 * Written twice, each time atomically: MANIFEST, then MANIFEST.copy. At any moment one of them is whole, and outside of the instant between
 * the two writes both say the same: a bad sector under one of them costs nothing. */
#include "base/file.h"
#include "store/internal.h"

#define MANIFEST_BYTES_MAX (MANIFEST_HEAD + MANIFEST_PARTS_MAX * MANIFEST_PART + 8)

void manifest_init(struct manifest *m)
{
    *m = (struct manifest){ .next_seq = 1, .next_part = 1 };
}

void manifest_free(struct manifest *m)
{
    free(m->part);
    manifest_init(m);
}

int manifest_copy(const struct manifest *m, struct manifest *out)
{
    *out = *m;
    out->cap = m->count + 16;
    out->part = calloc(out->cap, sizeof *out->part);
    if (!out->part)
        return -ENOMEM;
    if (m->count)
        memcpy(out->part, m->part, m->count * sizeof *m->part);
    return 0;
}

static int compare(const struct part_info *a, int32_t day, uint64_t number)
{
    if (a->day != day)
        return a->day < day ? -1 : 1;
    return a->number < number ? -1 : a->number > number;
}

/* place - the index of the first part not before (day, number). */
static size_t place(const struct manifest *m, int32_t day, uint64_t number)
{
    size_t low = 0, high = m->count;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (compare(&m->part[mid], day, number) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

int manifest_add(struct manifest *m, const struct part_info *p)
{
    size_t at = place(m, p->day, p->number);

    if (m->count == MANIFEST_PARTS_MAX)
        return -E2BIG;
    if (m->count == m->cap) {
        size_t cap = m->cap ? m->cap * 2 : 16;
        struct part_info *list = realloc(m->part, cap * sizeof *list);

        if (!list)
            return -ENOMEM;
        m->part = list;
        m->cap = cap;
    }
    memmove(m->part + at + 1, m->part + at, (m->count - at) * sizeof *m->part);
    m->part[at] = *p;
    m->count++;
    return 0;
}

const struct part_info *manifest_find(const struct manifest *m, int32_t day, uint64_t number)
{
    size_t at = place(m, day, number);

    return at < m->count && compare(&m->part[at], day, number) == 0 ? &m->part[at] : NULL;
}

void manifest_remove(struct manifest *m, int32_t day, uint64_t number)
{
    size_t at = place(m, day, number);

    if (at >= m->count || compare(&m->part[at], day, number) != 0)
        return;
    m->count--;
    memmove(m->part + at, m->part + at + 1, (m->count - at) * sizeof *m->part);
}

void manifest_encode(const struct manifest *m, struct buf *out)
{
    size_t from = out->n;

    buf_str(out, STR("SQMANI01"));
    buf_le64(out, m->generation);
    buf_le64(out, m->next_seq);
    buf_le64(out, m->next_part);
    buf_le64(out, m->links);
    buf_put(out, m->chain, SHA_BYTES);
    buf_le32(out, (uint32_t)m->count);
    buf_le64(out, m->hold_mark);
    buf_le32(out, m->hold_round);
    for (size_t i = 0; i < m->count; i++) {
        const struct part_info *p = &m->part[i];

        buf_le32(out, (uint32_t)p->day);
        buf_le32(out, (uint32_t)p->place | (uint32_t)p->held << 8 | (uint32_t)p->thinned << 16);
        buf_le64(out, p->number);
        buf_le64(out, p->events);
        buf_le64(out, p->bytes);
        buf_le64(out, p->first_seq);
        buf_le64(out, p->last_seq);
        buf_le64(out, (uint64_t)p->min_time);
        buf_le64(out, (uint64_t)p->max_time);
        buf_put(out, p->sha, SHA_BYTES);
    }
    if (!buf_failed(out))
        buf_le64(out, str_hash(str_of(out->p + from, out->n - from)));
}

static bool sound(const struct manifest *m, const struct part_info *p)
{
    return p->place <= PLACE_ARCHIVE && p->day >= 0 && p->day <= 2932896 && p->number > 0 && p->number < m->next_part && p->events > 0 && p->bytes >= PART_HEAD + PART_FOOT &&
           p->bytes <= INT64_MAX && p->first_seq > 0 && p->first_seq <= p->last_seq && p->last_seq < m->next_seq && p->min_time <= p->max_time;
}

int manifest_decode(struct str bytes, struct manifest *out, struct err *e)
{
    struct reader r = rd_str(bytes);
    struct manifest m = { 0 };
    uint32_t count;

    if (bytes.n < MANIFEST_HEAD + 8 || bytes.n > MANIFEST_BYTES_MAX)
        return err_at(e, -EBADMSG, bytes.n, "manifest: %zu bytes are no manifest", bytes.n);
    if (!str_eq(rd_take(&r, 8, "magic"), STR("SQMANI01")))
        return err_at(e, -EBADMSG, 0, "manifest: no magic SQMANI01");
    m.generation = rd_le64(&r);
    m.next_seq = rd_le64(&r);
    m.next_part = rd_le64(&r);
    m.links = rd_le64(&r);
    memcpy(m.chain, rd_take(&r, SHA_BYTES, "chain").p, SHA_BYTES);
    count = rd_le32(&r);
    m.hold_mark = rd_le64(&r);
    m.hold_round = (uint8_t)rd_le32(&r);
    if (count > MANIFEST_PARTS_MAX || bytes.n != MANIFEST_HEAD + (size_t)count * MANIFEST_PART + 8)
        return err_at(e, -EBADMSG, 72, "manifest: %u parts do not fit %zu bytes", count, bytes.n);
    struct reader tail = rd_str(str_cut(bytes, bytes.n - 8));
    if (rd_le64(&tail) != str_hash(str_of(bytes.p, bytes.n - 8)))
        return err_at(e, -EBADMSG, bytes.n - 8, "manifest: wrong checksum");
    m.cap = (size_t)count + 1;
    m.part = calloc(m.cap, sizeof *m.part);
    if (!m.part)
        return err_set(e, -ENOMEM, "no memory for the manifest");
    for (; m.count < count; m.count++) {
        struct part_info *p = &m.part[m.count];

        p->day = (int32_t)rd_le32(&r);
        uint32_t place = rd_le32(&r);

        p->place = (uint8_t)place;
        p->held = (uint8_t)(place >> 8);
        p->thinned = (uint16_t)(place >> 16);
        p->number = rd_le64(&r);
        p->events = rd_le64(&r);
        p->bytes = rd_le64(&r);
        p->first_seq = rd_le64(&r);
        p->last_seq = rd_le64(&r);
        p->min_time = (time_ns)rd_le64(&r);
        p->max_time = (time_ns)rd_le64(&r);
        memcpy(p->sha, rd_take(&r, SHA_BYTES, "sha").p, SHA_BYTES);
        if (!sound(&m, p) || (m.count && compare(p - 1, p->day, p->number) >= 0)) {
            free(m.part);
            return err_at(e, -EBADMSG, rd_offset(&r), "manifest: part %zu makes no sense", m.count + 1);
        }
    }
    *out = m;
    return 0;
}

static int load_one(const char *folder, const char *name, struct manifest *out, struct err *e)
{
    AUTO_BUF struct buf b;
    char path[PATH_BYTES];
    int rc;

    buf_init(&b, MANIFEST_BYTES_MAX + 1);
    snprintf(path, sizeof path, "%.4000s/%s", folder, name);
    rc = file_read(path, MANIFEST_BYTES_MAX, &b, e);
    if (rc == 0)
        rc = manifest_decode(buf_view(&b), out, e);
    return rc == -E2BIG ? -EBADMSG : rc;
}

int manifest_load(const char *folder, struct manifest *out, bool *from_copy, struct err *e)
{
    struct err why;
    int rc = load_one(folder, "MANIFEST", out, e), second;

    *from_copy = false;
    if (rc == 0 || (rc != -EBADMSG && rc != -ENOENT))
        return rc;
    second = load_one(folder, "MANIFEST.copy", out, &why);
    *from_copy = second == 0;
    if (second == -ENOENT || second == -EBADMSG)
        return rc == -ENOENT && second == -ENOENT ? rc : err_wrap(e, -EBADMSG, "neither MANIFEST nor MANIFEST.copy can be read");
    return second;
}

int manifest_save(const char *folder, const struct manifest *m, bool *named, struct err *e)
{
    AUTO_BUF struct buf b;
    char path[PATH_BYTES];
    int rc;

    *named = false;
    buf_init(&b, MANIFEST_BYTES_MAX + 1);
    manifest_encode(m, &b);
    if (buf_failed(&b))
        return err_set(e, -ENOMEM, "no memory for the manifest");
    snprintf(path, sizeof path, "%.4000s/MANIFEST", folder);
    rc = file_write_atomic(path, buf_view(&b), 0640, e);
    if (rc < 0)
        return rc;
    *named = true;
    snprintf(path, sizeof path, "%.4000s/MANIFEST.copy", folder);
    return file_write_atomic(path, buf_view(&b), 0640, e);
}

bool manifest_moved(const char *folder, const struct manifest *m)
{
    struct manifest now;
    bool from_copy, moved;

    manifest_init(&now);
    if (manifest_load(folder, &now, &from_copy, NULL) < 0)
        return false;
    moved = now.generation != m->generation;
    manifest_free(&now);
    return moved;
}
