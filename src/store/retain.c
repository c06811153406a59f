/* retain.c - what goes for its age. Whole days where no event outlives them: the manifest forgets the parts, then the files go. Where some events of a day have a
 * longer term, each part of the day is written anew with those alone, at the place where it lies; CHAIN keeps the record of the part that went and of the
 * one that came. The day is that of receipt. A crash leaves the state before or after, as with every change of the manifest. */
#include "store/internal.h"

/* day_over - the day is older than a term of so many days. */
static bool day_over(int32_t day, int64_t days, time_ns now) { return day < day_of(now) - days; }

/* retire - the first count parts of gone leave the manifest. */
static int retire(struct store *s, const struct part_info *gone, size_t count, struct err *e)
{
    struct manifest next;
    AUTO_BUF struct buf records;

    buf_init(&records, 0);
    if (manifest_copy(&s->manifest, &next) < 0)
        return err_set(e, -ENOMEM, "no memory for retention");
    for (size_t i = 0; i < count; i++) {
        chain_put(&next, CHAIN_RETIRED, &gone[i], 0, &records);
        manifest_remove(&next, gone[i].day, gone[i].number);
    }
    return store_commit(s, &next, &records, gone, count, e);
}

/* retire_before - whole days before the day, the oldest first. */
static int retire_before(struct store *s, int32_t before, struct store_expired *out, struct err *e)
{
    AUTO_FREE struct part_info *gone = NULL;
    size_t count = 0, days = 0;
    int rc;

    while (count < s->manifest.count && s->manifest.part[count].day < before) {
        bool another = count == 0 || s->manifest.part[count].day != s->manifest.part[count - 1].day;

        if (another && days == RETAIN_DAYS_AT_ONCE)
            break;
        days += another;
        count++;
    }
    if (count == 0)
        return 0;
    gone = calloc(count, sizeof *gone);
    if (!gone)
        return err_set(e, -ENOMEM, "no memory for retention");
    memcpy(gone, s->manifest.part, count * sizeof *gone);
    rc = retire(s, gone, count, e);
    if (rc < 0)
        return rc;
    out->days += days;
    out->parts += count;
    for (size_t i = 0; i < count; i++) {
        out->events += gone[i].events;
        out->bytes += gone[i].bytes;
    }
    return 1;
}

int store_retain(struct store *s, time_ns oldest, size_t *days_removed, struct err *e)
{
    struct store_expired out = { 0 };
    int rc;

    if (days_removed)
        *days_removed = 0;
    if (s->broken)
        return err_set(e, -EIO, "the store takes nothing more: an earlier write failed half-way");
    rc = retire_before(s, day_of(oldest), &out, e);
    if (rc >= 0 && days_removed)
        *days_removed = out.days;
    return rc < 0 ? rc : 0;
}

/* --- days of which a part stays --- */

struct thinning {
    struct store              *s;
    const struct store_policy *policy;
    int64_t                    cut;      /* days: what has no longer term than this goes */
    struct part_writer         w;
    bool                       writing;
    struct event_batch         pool;
    struct block_view          view;
    struct buf                 bytes;
    uint64_t                   kept;
};

static bool stays(const struct thinning *t, const struct event *ev)
{
    for (size_t i = 0; i < t->policy->longer_count; i++)
        if (t->policy->longer[i].days > t->cut && query_match(t->policy->longer[i].filter, ev))
            return true;
    return false;
}

static int flush_kept(struct thinning *t, const struct part_info *from, struct err *e)
{
    struct block_entry entry;
    int rc = 0;

    if (!t->pool.count)
        return 0;
    if (!t->writing) {
        rc = part_create(t->s->folder, (enum part_place)from->place, from->day, t->s->manifest.next_part, &t->w, e);
        if (rc < 0)
            return rc;
        t->writing = true;
    }
    events_sort(t->pool.items, t->pool.count);
    buf_reset(&t->bytes);
    rc = block_encode(t->pool.items, t->pool.count, &entry, &t->bytes, e);
    if (rc == 0)
        rc = part_put(&t->w, entry, buf_view(&t->bytes), e);
    t->kept += t->pool.count;
    event_batch_reset(&t->pool);
    return rc;
}

static int keep_block(struct thinning *t, const struct part *p, uint32_t index, struct err *e)
{
    int rc = part_block_events(p, index, &t->view, e);

    for (size_t i = 0; rc == 0 && i < t->view.batch.count; i++) {
        const struct event *ev = &t->view.batch.items[i];
        struct event *to;
        void *memory;

        if (!stays(t, ev))
            continue;
        if (t->pool.count >= t->s->options.block_events || t->pool.arena.used_bytes >= t->s->options.memory_bytes)
            rc = flush_kept(t, &p->info, e);
        if (rc < 0)
            break;
        memory = arena_alloc(&t->pool.arena, event_bytes(ev));
        to = memory ? event_batch_add(&t->pool) : NULL;
        if (!to)
            return err_set(e, -ENOMEM, "no memory for retention");
        *to = *event_place(ev, memory);
    }
    return rc;
}

/* write_kept - what stays of a part as a new one in t->w; nothing is written where nothing stays. */
static int write_kept(struct thinning *t, const struct part_info *from, struct err *e)
{
    struct part p;
    int rc = part_open(t->s->folder, from, &p, e);

    if (rc < 0)
        return rc;
    for (uint32_t i = 0; rc == 0 && i < p.count; i++)
        rc = keep_block(t, &p, i, e);
    if (rc == 0)
        rc = flush_kept(t, from, e);
    part_close(&p);
    if (rc < 0 && t->writing)
        part_abort(&t->w);
    else if (t->writing)
        rc = part_finish(t->s->folder, &t->w, e);
    return rc;
}

/* replace - from goes, what was kept of it comes. */
static int replace(struct thinning *t, const struct part_info *from, struct err *e)
{
    struct store *s = t->s;
    struct manifest next;
    AUTO_BUF struct buf records;
    bool all = t->kept == from->events;
    struct part_info made = t->writing ? t->w.info : *from;
    int rc = 0;

    buf_init(&records, 0);
    if (manifest_copy(&s->manifest, &next) < 0)
        return err_set(e, -ENOMEM, "no memory for retention");
    if (all)
        made = *from;       /* nothing goes: the part stays as it is, only marked as looked at */
    made.thinned = (uint16_t)t->cut;
    manifest_remove(&next, from->day, from->number);
    if (t->writing && !all) {
        next.next_part++;
        chain_put(&next, CHAIN_SEALED, &made, 0, &records);
    }
    if (!all)
        chain_put(&next, CHAIN_RETIRED, from, t->writing ? made.number : 0, &records);
    if (t->kept)
        rc = manifest_add(&next, &made);
    if (rc < 0) {
        manifest_free(&next);
        return err_set(e, rc, "no memory for retention");
    }
    return store_commit(s, &next, &records, from, all ? 0 : 1, e);
}

/* thin - one part. */
static int thin(struct store *s, const struct store_policy *policy, int64_t cut, const struct part_info *from, struct store_expired *out, struct err *e)
{
    struct thinning t = { .s = s, .policy = policy, .cut = cut };
    char path[PATH_BYTES];
    int rc;

    event_batch_init(&t.pool, s->options.memory_bytes + 8u * MIB);
    block_view_init(&t.view);
    buf_init(&t.bytes, BLOCK_RAW_MAX);
    rc = write_kept(&t, from, e);
    if (rc == 0)
        rc = replace(&t, from, e);
    if (t.writing && (rc < 0 || t.kept == from->events)) {
        part_file(s->folder, &t.w.info, path);
        unlink(path);
    }
    if (rc == 0 && t.kept < from->events) {
        out->parts++;
        out->events += from->events - t.kept;
        out->bytes += from->bytes - (t.kept ? t.w.info.bytes : 0);
    }
    event_batch_free(&t.pool);
    block_view_free(&t.view);
    buf_free(&t.bytes);
    return rc;
}

/* longest - the longest term; *cut: the longest that is over for this day, 0 if none is. */
static int64_t longest(const struct store_policy *p, int32_t day, time_ns now, int64_t *cut)
{
    int64_t most = p->days;

    *cut = day_over(day, p->days, now) ? p->days : 0;
    for (size_t i = 0; i < p->longer_count; i++) {
        int64_t days = p->longer[i].days;

        most = days > most ? days : most;
        if (days > *cut && *cut && day_over(day, days, now))
            *cut = days;
    }
    return most;
}

/* thin_one - the oldest part that has to be. What cannot be read is passed over. */
static int thin_one(struct store *s, const struct store_policy *p, time_ns now, struct store_expired *out, struct err *e)
{
    for (size_t i = 0; i < s->manifest.count && day_over(s->manifest.part[i].day, p->days, now); i++) {
        struct part_info from = s->manifest.part[i];
        int64_t cut, most = longest(p, from.day, now, &cut);
        int rc;

        if (cut >= most || from.thinned >= cut || cut > UINT16_MAX)
            continue;
        if (from.place == PLACE_ARCHIVE && !archive_sound(s->folder))
            continue;
        rc = thin(s, p, cut, &from, out, e);
        if (rc != -EBADMSG && rc != -ENOENT)
            return rc < 0 ? rc : 1;
        out->unreadable++;
    }
    return 0;
}

int store_expire(struct store *s, const struct store_policy *p, time_ns now, struct store_expired *out, struct err *e)
{
    int64_t cut, most = longest(p, INT32_MAX, now, &cut);
    int rc;

    if (s->broken)
        return err_set(e, -EIO, "the store takes nothing more: an earlier write failed half-way");
    rc = retire_before(s, (int32_t)(day_of(now) - most), out, e);
    return rc != 0 ? rc : thin_one(s, p, now, out, e);
}
