/* retain.c - what goes for its age. Whole days where no event outlives them: the manifest forgets the parts, then the files go. Where some events of a day have a
 * longer term, each part of the day is written anew with those alone, at the place where it lies; CHAIN keeps the record of the part that went and of the
 * one that came. The day is that of receipt. A crash leaves the state before or after, as with every change of the manifest. */
#include "store/internal.h"

/* day_over - the day is older than a term of so many days. */
static bool day_over(int32_t day, int64_t days, time_ns now) { return day < day_of(now) - days; }

/* --- holds --- */

/* may_hold - can a part of these times and this day of receipt have an event of the hold's range? */
static bool may_hold(const struct store_hold *h, const struct part_info *p)
{
    time_ns day = (time_ns)p->day * NS_PER_DAY;

    return (p->min_time < h->to && p->max_time >= h->from) || (day < h->to && day + NS_PER_DAY > h->from);
}

static bool part_held(const struct store_policy *p, const struct part_info *part)
{
    for (size_t i = 0; i < p->hold_count; i++)
        if (may_hold(&p->hold[i], part))
            return true;
    return false;
}

/* day_held - the same of any part of the day that begins at the i-th of the manifest. */
static bool day_held(const struct store *s, const struct store_policy *p, size_t i)
{
    int32_t day = s->manifest.part[i].day;

    for (; i < s->manifest.count && s->manifest.part[i].day == day; i++)
        if (part_held(p, &s->manifest.part[i]))
            return true;
    return false;
}

static bool held(const struct store_policy *p, const struct event *ev)
{
    for (size_t i = 0; i < p->hold_count; i++) {
        const struct store_hold *h = &p->hold[i];

        if (((ev->time >= h->from && ev->time < h->to) || (ev->received >= h->from && ev->received < h->to)) && query_match(h->filter, ev))
            return true;
    }
    return false;
}

/* note_holds - other holds than those that were seen last begin another round, in which what a hold alone kept is looked at once more. It is on disk with the next change
 * of the manifest; whoever dies before begins the round again. */
static void note_holds(struct store *s, const struct store_policy *p)
{
    uint64_t mark = p->hold_count ? p->hold_mark : 0;

    if (mark == s->manifest.hold_mark)
        return;
    s->manifest.hold_mark = mark;
    s->manifest.hold_round = (uint8_t)(s->manifest.hold_round % 255 + 1);
}

/* remove_parts - the one place where what goes goes: told in DROPPED, then true, while no hold can come. Takes next. */
static int remove_parts(struct store *s, const struct store_policy *p, struct manifest *next, const struct buf *records, const struct part_info *gone, size_t count,
                        struct store_dropped *told, struct err *e)
{
    int rc = p->hold_enter ? p->hold_enter(p->hold_arg, e) : 0;

    if (rc == 0) {
        told->holds = p->hold_count;
        rc = dropped_put(s, next, told, e);
        if (rc == 0)
            rc = store_commit(s, next, records, gone, count, e);
        else
            manifest_free(next);
        if (p->hold_leave)
            p->hold_leave(p->hold_arg);
    } else {
        manifest_free(next);
    }
    return rc;
}

/* --- whole days and parts --- */

/* retire - these parts leave the manifest. */
static int retire(struct store *s, const struct store_policy *p, const struct part_info *gone, size_t count, int64_t term, time_ns now, struct store_expired *out, struct err *e)
{
    struct store_dropped told = { .at = now, .day = gone[0].day, .last_day = gone[count - 1].day, .rule = RULE_TERM, .term = term, .parts = count };
    struct manifest next;
    AUTO_BUF struct buf records;
    int rc;

    buf_init(&records, 0);
    if (manifest_copy(&s->manifest, &next) < 0)
        return err_set(e, -ENOMEM, "no memory for retention");
    for (size_t i = 0; i < count; i++) {
        chain_put(&next, CHAIN_RETIRED, &gone[i], 0, &records);
        manifest_remove(&next, gone[i].day, gone[i].number);
        told.events += gone[i].events;
        told.bytes += gone[i].bytes;
    }
    rc = remove_parts(s, p, &next, &records, gone, count, &told, e);
    if (rc < 0)
        return rc;
    out->parts += count;
    out->events += told.events;
    out->bytes += told.bytes;
    return 1;
}

/* retire_days - whole days whose longest term is over and in which nothing can be held, the oldest first. */
static int retire_days(struct store *s, const struct store_policy *p, int64_t term, time_ns now, struct store_expired *out, struct err *e)
{
    AUTO_FREE struct part_info *gone = calloc(s->manifest.count + 1, sizeof *gone);
    size_t count = 0, days = 0;
    bool goes = false;
    int rc;

    if (!gone)
        return err_set(e, -ENOMEM, "no memory for retention");
    for (size_t i = 0; i < s->manifest.count && day_over(s->manifest.part[i].day, term, now); i++) {
        if (i == 0 || s->manifest.part[i].day != s->manifest.part[i - 1].day) {
            goes = !day_held(s, p, i);
            if (goes && days == RETAIN_DAYS_AT_ONCE)
                break;
            days += goes;
        }
        if (goes)
            gone[count++] = s->manifest.part[i];
    }
    rc = count ? retire(s, p, gone, count, term, now, out, e) : 0;
    out->days += rc == 1 ? days : 0;
    return rc;
}

/* --- days of which a part stays --- */

struct thinning {
    struct store              *s;
    const struct store_policy *policy;
    int64_t                    cut;      /* days: what has no longer term than this goes */
    time_ns                    now;
    uint64_t                   held;     /* what a hold alone kept */
    struct part_writer         w;
    bool                       writing;
    struct waiting                pool;
    struct block_view          view;
    struct buf                 bytes;
    uint64_t                   kept;
};

static bool stays(struct thinning *t, const struct event *ev)
{
    for (size_t i = 0; i < t->policy->longer_count; i++)
        if (t->policy->longer[i].days > t->cut && query_match(t->policy->longer[i].filter, ev))
            return true;
    if (!held(t->policy, ev))
        return false;
    t->held++;
    return true;
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
    buf_reset(&t->bytes);
    rc = waiting_sort(&t->pool, e);
    if (rc == 0)
        rc = block_encode(t->s->blocks, &t->pool, 0, t->pool.count, &entry, &t->bytes, e);
    if (rc == 0)
        rc = part_put(&t->w, entry, buf_view(&t->bytes), e);
    t->kept += t->pool.count;
    waiting_reset(&t->pool);
    return rc;
}

static int keep_events(struct thinning *t, const struct part *p, const struct event *events, size_t count, struct err *e)
{
    int rc = 0;

    while (rc == 0 && count) {
        size_t taken;

        rc = waiting_add(&t->pool, events, count, &taken, e);
        events += taken;
        count -= taken;
        if (rc == 0 && count)
            rc = flush_kept(t, &p->info, e);
    }
    return rc;
}

static int keep_block(struct thinning *t, const struct part *p, uint32_t index, struct err *e)
{
    int rc = part_block_events(p, index, &t->view, e);

    for (size_t i = 0, end; rc == 0 && i < t->view.batch.count; i = end) {
        for (end = i; end < t->view.batch.count && stays(t, &t->view.batch.items[end]); end++)
            continue;
        rc = keep_events(t, p, t->view.batch.items + i, end - i, e);
        end += end == i;
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
    struct store_dropped told = { .at = t->now, .day = from->day, .last_day = from->day, .rule = RULE_THINNED, .term = t->cut, .parts = 1, .events = from->events - t->kept,
                                  .kept = t->kept, .held = t->held };
    int rc = 0;

    buf_init(&records, 0);
    if (manifest_copy(&s->manifest, &next) < 0)
        return err_set(e, -ENOMEM, "no memory for retention");
    if (all)
        made = *from;       /* nothing goes: the part stays as it is, only marked as looked at */
    made.thinned = (uint16_t)t->cut;
    made.held = t->held ? s->manifest.hold_round : 0;
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
    if (all)
        return store_commit(s, &next, &records, NULL, 0, e);
    told.bytes = from->bytes - (t->kept ? made.bytes : 0);
    return remove_parts(s, t->policy, &next, &records, from, 1, &told, e);
}

/* thin - one part. */
static int thin(struct store *s, const struct store_policy *policy, int64_t cut, time_ns now, const struct part_info *from, struct store_expired *out, struct err *e)
{
    struct thinning t = { .s = s, .policy = policy, .cut = cut, .now = now };
    char path[PATH_BYTES];
    int rc;

    block_view_init(&t.view);
    buf_init(&t.bytes, BLOCK_RAW_MAX);
    rc = waiting_init(&t.pool, s->options.block_events, s->options.memory_bytes) ? write_kept(&t, from, e) : err_set(e, -ENOMEM, "no memory for retention");
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
    waiting_free(&t.pool);
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

/* due - must this part be gone through? Once for each term that is over, and again when what a hold alone kept may go. */
static bool due(const struct store *s, const struct part_info *p, int64_t cut)
{
    return p->thinned < cut || (p->held && p->held != s->manifest.hold_round);
}

/* thin_one - the oldest part that has to be. What cannot be read is passed over. */
static int thin_one(struct store *s, const struct store_policy *p, time_ns now, struct store_expired *out, struct err *e)
{
    for (size_t i = 0; i < s->manifest.count && day_over(s->manifest.part[i].day, p->days, now); i++) {
        struct part_info from = s->manifest.part[i];
        int64_t cut, most = longest(p, from.day, now, &cut);
        int rc;

        if (cut > UINT16_MAX || !due(s, &from, cut))
            continue;
        if (from.place == PLACE_ARCHIVE && !archive_sound(s->folder))
            continue;
        if (cut >= most && !part_held(p, &from))
            return retire(s, p, &from, 1, cut, now, out, e);    /* beside one of its day that may hold what is held */
        rc = thin(s, p, cut, now, &from, out, e);
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
    note_holds(s, p);
    rc = retire_days(s, p, most, now, out, e);
    return rc != 0 ? rc : thin_one(s, p, now, out, e);
}
