/* scan.c - all of a store in the order in which it came, in pieces that several threads read at once.
 *
 * A block holds a range of numbers (seq). Blocks whose ranges overlap - those of one seal around midnight, or of a clock that was set back - are one piece, whose
 * events are sorted; so pieces follow each other without overlap, and who reads them in turn sees the events as they came. What the manifest
 * named when the scan was opened is what it reads: a part that is gone since was merged, or its term was over, and the scan is opened anew behind what was read. */
#include "store/internal.h"

#define PIECE_BLOCKS_MAX 64u     /* that overlap: of more the order cannot be kept in bounded memory */

struct ref {
    uint64_t first, last;
    uint32_t part, block;
};

struct piece {
    size_t   at, count;          /* in the list of refs */
    uint64_t first, events;      /* events: of all pieces before it */
};

struct store_scan {
    struct store_scan_options o;
    struct store_search search;  /* what an event must be, in the words of a search */
    char            *store_folder, *journal_folder;
    struct manifest  m;
    struct part     *part;       /* beside m.part; without files, these have the pages */
    struct ref      *ref;
    size_t           refs, ref_cap;
    struct piece    *piece;
    size_t           pieces;
    uint64_t         damaged;    /* parts that could not be opened */
    char             damaged_name[64];
};

struct store_page {
    struct block_view    view[PIECE_BLOCKS_MAX];
    size_t               views;  /* that were made */
    const struct event **list;
    size_t               cap;
    const struct store_scan *scan; /* whose part is open */
    uint32_t             part;
    int                  fd;
};

/* --- opening --- */

static void name_part(const struct part_info *p, char out[64])
{
    struct civil c = civil_from_days(p->day);

    snprintf(out, 64, "%04d%02d%02d/p%08llu.part", c.year, c.month, c.day, (unsigned long long)p->number);
}

static bool in_range(const struct store_scan_options *o, time_ns min, time_ns max, uint64_t first, uint64_t last)
{
    return max >= o->from && (min < o->to || o->to == INT64_MAX) && last >= o->from_seq && (!o->to_seq || first < o->to_seq);
}

static int add_ref(struct store_scan *s, struct ref r)
{
    if (s->refs == s->ref_cap) {
        size_t cap = s->ref_cap ? s->ref_cap * 2 : 256;
        struct ref *list = realloc(s->ref, cap * sizeof *list);

        if (!list)
            return -ENOMEM;
        s->ref = list;
        s->ref_cap = cap;
    }
    s->ref[s->refs++] = r;
    return 0;
}

/* take_part - its blocks that are in range. One that cannot be read is counted. */
static int take_part(struct store_scan *s, uint32_t index, struct err *e)
{
    struct part *p = &s->part[index];
    int rc = part_open(s->store_folder, &s->m.part[index], p, e);

    if (rc == -ENOENT && manifest_moved(s->store_folder, &s->m))
        return -ESTALE;
    if (rc == -EBADMSG || rc == -ENOENT) {
        if (!s->damaged++)
            name_part(&s->m.part[index], s->damaged_name);
        return 0;
    }
    if (rc < 0)
        return rc;
    close(p->fd);
    p->fd = -1;
    for (uint32_t i = 0; i < p->count && rc == 0; i++)
        if (in_range(&s->o, p->block[i].min_time, p->block[i].max_time, p->block[i].first_seq, p->block[i].last_seq))
            rc = add_ref(s, (struct ref){ p->block[i].first_seq, p->block[i].last_seq, index, i });
    return rc < 0 ? err_set(e, rc, "no memory to read the store") : 0;
}

static int compare_refs(const void *x, const void *y)
{
    const struct ref *a = x, *b = y;

    if (a->first != b->first)
        return a->first < b->first ? -1 : 1;
    return a->last < b->last ? -1 : a->last > b->last;
}

static int cut(struct store_scan *s, struct err *e)
{
    uint64_t last = 0, events = 0;

    if (s->refs)
        qsort(s->ref, s->refs, sizeof *s->ref, compare_refs);
    s->piece = calloc(s->refs + 1, sizeof *s->piece);
    if (!s->piece)
        return err_set(e, -ENOMEM, "no memory to read the store");
    for (size_t i = 0; i < s->refs; i++) {
        const struct ref *r = &s->ref[i];

        if (i == 0 || r->first > last)
            s->piece[s->pieces++] = (struct piece){ i, 0, r->first, events };
        if (++s->piece[s->pieces - 1].count > PIECE_BLOCKS_MAX)
            return err_set(e, -E2BIG, "store: more than %u blocks hold the same numbers", PIECE_BLOCKS_MAX);
        last = r->last > last ? r->last : last;
        events += s->part[r->part].block[r->block].events;
    }
    s->piece[s->pieces] = (struct piece){ s->refs, 0, s->m.next_seq, events };
    return 0;
}

static void forget(struct store_scan *s)
{
    for (size_t i = 0; s->part && i < s->m.count; i++)
        part_close(&s->part[i]);
    free(s->part);
    free(s->piece);
    s->part = NULL;
    s->piece = NULL;
    s->pieces = s->refs = 0;
    s->damaged = 0;
    manifest_free(&s->m);
}

static int snapshot(struct store_scan *s, struct err *e)
{
    int rc = search_snapshot(s->store_folder, &s->m, e);

    if (rc < 0)
        return rc;
    s->part = calloc(s->m.count + 1, sizeof *s->part);
    if (!s->part)
        return err_set(e, -ENOMEM, "no memory to read the store");
    for (size_t i = 0; i < s->m.count; i++)
        s->part[i].fd = -1;
    for (uint32_t i = 0; i < s->m.count && rc == 0; i++) {
        const struct part_info *p = &s->m.part[i];

        rc = search_halted(&s->search, e);
        if (rc == 0 && in_range(&s->o, p->min_time, p->max_time, p->first_seq, p->last_seq))
            rc = take_part(s, i, e);
    }
    return rc == 0 ? cut(s, e) : rc;
}

int store_scan_open(const struct store_scan_options *o, struct store_scan **out, struct err *e)
{
    struct store_scan *s = calloc(1, sizeof *s);
    int rc = -ESTALE;

    *out = NULL;
    if (!s)
        return err_set(e, -ENOMEM, "no memory to read the store");
    s->o = *o;
    s->search = (struct store_search){ .from = o->from, .to = o->to, .object_only = o->object_only, .object_filter = o->object_filter, .stop = o->stop,
                                       .deadline_steady = o->deadline_steady };
    manifest_init(&s->m);
    s->store_folder = strdup(o->store_folder);
    s->journal_folder = o->journal_folder ? strdup(o->journal_folder) : NULL;
    if (!s->store_folder || (o->journal_folder && !s->journal_folder))
        rc = err_set(e, -ENOMEM, "no memory to read the store");
    for (int i = 0; i < SEARCH_ATTEMPTS && rc == -ESTALE; i++) {
        forget(s);
        rc = snapshot(s, e);
    }
    if (rc == -ESTALE)
        rc = err_set(e, -EBUSY, "the store changes faster than it can be read");
    if (rc < 0)
        store_scan_close(&s);
    *out = s;
    return rc;
}

void store_scan_close(struct store_scan **sp)
{
    struct store_scan *s = *sp;

    if (!s)
        return;
    forget(s);
    free(s->ref);
    free(s->store_folder);
    free(s->journal_folder);
    free(s);
    *sp = NULL;
}

size_t store_scan_pieces(const struct store_scan *s) { return s->pieces; }
uint64_t store_scan_first(const struct store_scan *s, size_t i) { return s->piece[i].first; }
uint64_t store_scan_events(const struct store_scan *s, size_t i) { return s->piece[i].events; }

/* --- a page --- */

int store_page_new(struct store_page **out, struct err *e)
{
    *out = calloc(1, sizeof **out);
    if (!*out)
        return err_set(e, -ENOMEM, "no memory to read the store");
    (*out)->fd = -1;
    return 0;
}

void store_page_free(struct store_page **pp)
{
    struct store_page *p = *pp;

    if (!p)
        return;
    for (size_t i = 0; i < p->views; i++)
        block_view_free(&p->view[i]);
    if (p->fd >= 0)
        close(p->fd);
    free(p->list);
    free(p);
    *pp = NULL;
}

/* turn_to - the part as this page reads it: the shared directory, a file of its own. */
static int turn_to(const struct store_scan *s, struct store_page *p, uint32_t index, struct part *out, struct err *e)
{
    int rc;

    *out = s->part[index];
    if (p->fd >= 0 && p->scan == s && p->part == index) {
        out->fd = p->fd;
        return 0;
    }
    if (p->fd >= 0)
        close(p->fd);
    p->fd = -1;
    out->fd = -1;
    rc = part_fd(s->store_folder, out, e);
    p->fd = out->fd;
    p->scan = s;
    p->part = index;
    return rc;
}

static bool wanted(const struct store_scan *s, const struct part *p, uint32_t block, struct store_stats *stats, bool *damaged)
{
    const struct store_wants *w = s->o.wants;
    uint32_t at = 0;

    for (size_t i = 0; w && i < w->count; i++) {
        if (part_block_may(p, block, w->tokens + at, w->ends[i] - at, &stats->bytes_read, damaged))
            return true;
        at = w->ends[i];
    }
    return !w;
}

static void lost(const struct store_scan *s, uint32_t part, struct store_stats *stats)
{
    if (!stats->damaged_parts++)
        name_part(&s->m.part[part], stats->damaged);
}

static int add_event(struct store_page *p, size_t *count, const struct event *ev)
{
    if (*count == p->cap) {
        size_t cap = p->cap ? p->cap * 2 : 16384;
        const struct event **list = realloc(p->list, cap * sizeof *list);

        if (!list)
            return -ENOMEM;
        p->list = list;
        p->cap = cap;
    }
    p->list[(*count)++] = ev;
    return 0;
}

static bool admits(const struct store_scan *s, const struct event *ev)
{
    return ev->seq >= s->o.from_seq && (!s->o.to_seq || ev->seq < s->o.to_seq) && search_admits(&s->search, ev);
}

static int read_block(const struct store_scan *s, struct store_page *p, const struct ref *r, size_t view, size_t *count, struct store_stats *stats, struct err *e)
{
    struct block_view *v = &p->view[view];
    struct part part;
    bool damaged = false;
    int rc = turn_to(s, p, r->part, &part, e);

    if (rc == -ENOENT && manifest_moved(s->store_folder, &s->m))
        return -ESTALE;
    if (rc == 0 && !wanted(s, &part, r->block, stats, &damaged)) {
        stats->blocks_skipped++;
        return 0;
    }
    if (view == p->views) {
        block_view_init(v);
        p->views++;
    }
    if (rc == 0)
        rc = part_block_events(&part, r->block, v, e);
    if (rc == 0) {
        stats->blocks++;
        stats->bytes_read += part.block[r->block].keys_bytes + part.block[r->block].payload_bytes;
    }
    if (damaged || rc == -EBADMSG || rc == -ENOENT)
        lost(s, r->part, stats);
    if (rc < 0)
        return rc == -EBADMSG || rc == -ENOENT ? 0 : rc;
    stats->events_scanned += v->batch.count;
    for (size_t i = 0; i < v->batch.count && rc == 0; i++)
        if (admits(s, &v->batch.items[i]))
            rc = add_event(p, count, &v->batch.items[i]);
    return rc < 0 ? err_set(e, rc, "no memory to read the store") : 0;
}

static int compare_events(const void *x, const void *y)
{
    const struct event *a = *(const struct event *const *)x, *b = *(const struct event *const *)y;

    return a->seq < b->seq ? -1 : a->seq > b->seq;
}

int store_scan_read(const struct store_scan *s, size_t i, struct store_page *p, const struct event *const **events, size_t *count, struct store_stats *stats,
                    struct err *e)
{
    const struct piece *piece = &s->piece[i];
    bool sorted = true;
    int rc = search_halted(&s->search, e);

    *count = 0;
    for (size_t k = 0; k < piece->count && rc == 0; k++)
        rc = read_block(s, p, &s->ref[piece->at + k], k, count, stats, e);
    if (rc < 0)
        return rc;
    for (size_t k = 1; k < *count && sorted; k++)
        sorted = p->list[k - 1]->seq < p->list[k]->seq;
    if (!sorted)
        qsort(p->list, *count, sizeof *p->list, compare_events);
    if (i == 0 && s->damaged) {      /* told once */
        if (!stats->damaged_parts)
            snprintf(stats->damaged, sizeof stats->damaged, "%s", s->damaged_name);
        stats->damaged_parts += s->damaged;
    }
    *events = p->list;
    stats->matched += *count;
    return 0;
}

/* --- the tail --- */

struct tail {
    const struct store_scan *s;
    store_hit          *hit;
    void               *arg;
    struct store_stats *stats;
    size_t              work;
};

static int take_tail(void *arg, const struct event *ev)
{
    struct tail *t = arg;
    int rc = search_looked(&t->s->search, ev->original.n, &t->work);

    if (rc < 0)
        return rc;
    t->stats->events_scanned++;
    if (!admits(t->s, ev))
        return 0;
    t->stats->matched++;
    return t->hit(t->arg, ev);
}

int store_scan_tail(const struct store_scan *s, store_hit *hit, void *arg, struct store_stats *stats, struct err *e)
{
    struct tail t = { .s = s, .hit = hit, .arg = arg, .stats = stats };
    int rc = search_halted(&s->search, e);

    if (rc < 0 || !s->journal_folder || (s->o.to_seq && s->o.to_seq <= s->m.next_seq))
        return rc;
    if (s->pieces == 0 && s->damaged)
        stats->damaged_parts += s->damaged;
    rc = tail_each(s->store_folder, s->journal_folder, &s->m, take_tail, &t, &stats->damaged_parts, e);
    return rc == -ECANCELED || rc == -ETIMEDOUT ? (search_halted(&s->search, e) < 0 ? rc : err_set(e, rc, "given up")) : rc;
}
