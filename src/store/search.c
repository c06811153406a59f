/* search.c - newest (or oldest) first over parts and the journal's tail.
 *
 * Two heaps. One holds what is still to be opened - parts, then their blocks - by the best time that they can hold. The other holds events
 * found. An event goes out when nothing unopened can hold a better one; so with a limit the search ends after the few blocks that
 * matter. When a file is gone because it was merged meanwhile, the search starts anew behind the last event that went out. */
#include "store/internal.h"

#define FOUND_MEMORY_MAX (256u * MIB)   /* events that wait for their turn, where the search names nothing else */
#define OPEN_FILES_MAX   64u
#define LOOK_BYTES       (64u * KIB)    /* of lines between two looks at the clock: a long line takes long */
#define SLICE_EVENTS     256u           /* of a block that are put together at once, first; then twice as many each time */
#define LOOK_TEXT        64u            /* what a line or a value counts besides its bytes */

struct key {
    time_ns  time;
    uint64_t seq;
};

struct item {
    time_ns  best;
    uint32_t part;
    int64_t  block;        /* -1: the part, not opened yet */
};

struct found {
    struct event *ev;      /* one piece of memory */
    size_t        bytes;
};

struct finding {
    const struct store_search *s;
    store_hit          *hit;
    void               *arg;
    struct store_stats *stats;
    const uint64_t     *tokens;
    size_t              token_count;
    struct manifest     m;
    struct part        *part;          /* beside m.part */
    size_t              open_files;
    struct item        *item;          /* heap */
    size_t              items, item_cap;
    struct found       *found;         /* heap */
    size_t              founds, found_cap, found_bytes;
    size_t              out;           /* events that went out */
    bool                resumed;       /* only events behind last */
    struct key          last;
    bool                floored;       /* events behind floor cannot be among the limit */
    struct key          floor;
    size_t              work;          /* since the last look at the clock */
    int                 verdict;       /* of hit */
    struct block_view   view;
};

/* --- order --- */

/* ahead - a comes out before b. */
static bool ahead(const struct finding *f, struct key a, struct key b)
{
    if (f->s->oldest_first)
        return a.time != b.time ? a.time < b.time : a.seq < b.seq;
    return a.time != b.time ? a.time > b.time : a.seq > b.seq;
}

static struct key key_of(const struct event *ev) { return (struct key){ ev->time, ev->seq }; }

static bool item_ahead(const struct finding *f, const struct item *a, const struct item *b)
{
    return f->s->oldest_first ? a->best < b->best : a->best > b->best;
}

static int item_push(struct finding *f, struct item it)
{
    size_t i = f->items;

    if (f->items == f->item_cap) {
        size_t cap = f->item_cap ? f->item_cap * 2 : 256;
        struct item *list = realloc(f->item, cap * sizeof *list);

        if (!list)
            return -ENOMEM;
        f->item = list;
        f->item_cap = cap;
    }
    f->items++;
    for (; i > 0 && item_ahead(f, &it, &f->item[(i - 1) / 2]); i = (i - 1) / 2)
        f->item[i] = f->item[(i - 1) / 2];
    f->item[i] = it;
    return 0;
}

static struct item item_pop(struct finding *f)
{
    struct item top = f->item[0], last = f->item[--f->items];
    size_t i = 0, child;

    for (; (child = 2 * i + 1) < f->items; i = child) {
        if (child + 1 < f->items && item_ahead(f, &f->item[child + 1], &f->item[child]))
            child++;
        if (!item_ahead(f, &f->item[child], &last))
            break;
        f->item[i] = f->item[child];
    }
    f->item[i] = last;
    return top;
}

static void found_up(struct finding *f, size_t i)
{
    struct found it = f->found[i];

    for (; i > 0 && ahead(f, key_of(it.ev), key_of(f->found[(i - 1) / 2].ev)); i = (i - 1) / 2)
        f->found[i] = f->found[(i - 1) / 2];
    f->found[i] = it;
}

static struct found found_pop(struct finding *f)
{
    struct found top = f->found[0], last = f->found[--f->founds];
    size_t i = 0, child;

    for (; (child = 2 * i + 1) < f->founds; i = child) {
        if (child + 1 < f->founds && ahead(f, key_of(f->found[child + 1].ev), key_of(f->found[child].ev)))
            child++;
        if (!ahead(f, key_of(f->found[child].ev), key_of(last.ev)))
            break;
        f->found[i] = f->found[child];
    }
    f->found[i] = last;
    f->found_bytes -= top.bytes;
    return top;
}

static int compare_found(const void *x, const void *y, void *arg)
{
    const struct finding *f = arg;
    struct key a = key_of(((const struct found *)x)->ev), b = key_of(((const struct found *)y)->ev);

    return ahead(f, a, b) ? -1 : ahead(f, b, a);
}

static size_t wanted(const struct finding *f) { return f->s->limit ? f->s->limit - f->out : SIZE_MAX; }

/* prune - keep no more than can still go out; a sorted list is a heap too. */
static void prune(struct finding *f)
{
    size_t keep = wanted(f);

    if (f->founds <= keep)
        return;
    qsort_r(f->found, f->founds, sizeof *f->found, compare_found, f);
    while (f->founds > keep) {
        f->found_bytes -= f->found[--f->founds].bytes;
        free(f->found[f->founds].ev);
    }
    f->floored = true;
    f->floor = key_of(f->found[keep - 1].ev);
}

static size_t memory_of(const struct finding *f) { return f->s->memory_bytes ? f->s->memory_bytes : FOUND_MEMORY_MAX; }

static int keep_event(struct finding *f, const struct event *ev)
{
    size_t bytes = event_bytes(ev);
    void *memory;

    if (f->founds == f->found_cap) {
        size_t cap = f->found_cap ? f->found_cap * 2 : 256;
        struct found *list = realloc(f->found, cap * sizeof *list);

        if (!list)
            return -ENOMEM;
        f->found = list;
        f->found_cap = cap;
    }
    memory = malloc(bytes);
    if (!memory)
        return -ENOMEM;
    f->found[f->founds++] = (struct found){ event_place(ev, memory), bytes };
    f->found_bytes += bytes;
    found_up(f, f->founds - 1);
    if (f->s->limit && (f->founds / 2 > wanted(f) + 512 || f->found_bytes > memory_of(f)))
        prune(f);
    return f->found_bytes > memory_of(f) ? -E2BIG : 0;
}

/* --- what is looked for --- */

static bool owned(const struct store_search *s, struct str object)
{
    struct str rest = s->object_only, one;

    while (object.n && rest.n && str_split(&rest, ' ', &one))
        if (str_eq(one, object))
            return true;
    return false;
}

bool search_admits(const struct store_search *s, const struct event *ev)
{
    if (ev->time < s->from || (ev->time >= s->to && s->to != INT64_MAX))
        return false;
    if (s->object_filter && !owned(s, ev->object))
        return false;
    return !s->query || query_match(s->query, ev);
}

int search_halted(const struct store_search *s, struct err *e)
{
    if (s->stop && *s->stop)
        return err_set(e, -ECANCELED, "the search was given up");
    if (s->deadline_steady && clock_steady() >= s->deadline_steady)
        return err_set(e, -ETIMEDOUT, "the search took too long: narrow the range of time");
    return 0;
}

int search_looked(const struct store_search *s, size_t bytes, size_t *work)
{
    *work += LOOK_TEXT + bytes;
    if (*work < LOOK_BYTES)
        return 0;
    *work = 0;
    return search_halted(s, NULL);
}

static bool in_page(const struct finding *f, struct key k)
{
    const struct store_search *s = f->s;

    if (s->before_seq && (k.time > s->before_time || (k.time == s->before_time && k.seq >= s->before_seq)))
        return false;
    if (f->resumed && !ahead(f, f->last, k))
        return false;
    return !f->floored || ahead(f, k, f->floor);
}

static int take_event(void *arg, const struct event *ev)
{
    struct finding *f = arg;
    int rc = search_looked(f->s, ev->original.n, &f->work);

    if (rc < 0)
        return rc;
    f->stats->events_scanned++;
    if (!in_page(f, key_of(ev)) || !search_admits(f->s, ev))
        return 0;
    f->stats->matched++;
    return keep_event(f, ev);
}

/* in_time - can a range of times hold something wanted? */
static bool in_time(const struct store_search *s, time_ns min, time_ns max)
{
    return max >= s->from && (min < s->to || s->to == INT64_MAX) && !(s->before_seq && min > s->before_time);
}

/* --- going out --- */

/* send - events that are ahead of all that is unopened (all of them when nothing is). 1: the search is over. */
static int send(struct finding *f, bool all, time_ns best)
{
    while (f->founds) {
        struct event *ev = f->found[0].ev;

        if (wanted(f) == 0)
            return 1;
        if (!all && (f->s->oldest_first ? ev->time >= best : ev->time <= best))
            return 0;
        struct found top = found_pop(f);
        f->last = key_of(top.ev);
        f->resumed = true;
        f->out++;
        f->verdict = f->hit(f->arg, top.ev);
        free(top.ev);
        if (f->verdict)
            return 1;
    }
    return wanted(f) == 0;
}

/* --- parts --- */

/* lost - a part or block that cannot be read: gone with a newer manifest, or damaged and counted. */
static int lost(struct finding *f, int rc, uint32_t part)
{
    if (rc == -ENOENT && manifest_moved(f->s->store_folder, &f->m))
        return -ESTALE;
    if (rc != -EBADMSG && rc != -ENOENT)
        return rc;
    const struct part_info *p = &f->m.part[part];
    struct civil c = civil_from_days(p->day);

    if (!f->stats->damaged_parts++)
        snprintf(f->stats->damaged, sizeof f->stats->damaged, "%04d%02d%02d/p%08llu.part", c.year, c.month, c.day, (unsigned long long)p->number);
    return 0;
}

static void close_files(struct finding *f)
{
    for (size_t i = 0; i < f->m.count; i++)
        if (f->part[i].fd >= 0) {
            close(f->part[i].fd);
            f->part[i].fd = -1;
        }
    f->open_files = 0;
}

static int open_part(struct finding *f, uint32_t index, struct err *e)
{
    struct part *p = &f->part[index];
    int rc;

    if (f->open_files >= OPEN_FILES_MAX)
        close_files(f);
    rc = part_open(f->s->store_folder, &f->m.part[index], p, e);
    if (rc < 0)
        return lost(f, rc, index);
    f->open_files++;
    f->stats->parts++;
    for (uint32_t i = 0; rc == 0 && i < p->count; i++)
        if (in_time(f->s, p->block[i].min_time, p->block[i].max_time))
            rc = item_push(f, (struct item){ f->s->oldest_first ? p->block[i].min_time : p->block[i].max_time, index, i });
    return rc;
}

static int take_events(struct finding *f)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < f->view.batch.count; i++)
        rc = take_event(f, &f->view.batch.items[i]);
    return rc;
}

/* next_slice - the next rows of may in the order in which they go out, some more than least, moved into slice. False: none is left. */
static bool next_slice(const struct finding *f, uint64_t *may, uint64_t *slice, uint32_t events, uint32_t least)
{
    uint32_t words = (events + 63) / 64, count = 0;

    memset(slice, 0, words * sizeof *slice);
    for (uint32_t n = 0; n < words && count < least; n++) {
        uint32_t i = f->s->oldest_first ? n : words - 1 - n;

        slice[i] = may[i];
        may[i] = 0;
        count += (uint32_t)__builtin_popcountll(slice[i]);
    }
    return count > 0;
}

static int look(void *arg, size_t bytes)
{
    struct finding *f = arg;

    return search_looked(f->s, bytes, &f->work);
}

/* ask_block - of a block of columns: which rows may match, then these alone are put together, a slice at a time; once as many matched as are wanted, the
 * others of the block cannot be among them. */
static int ask_block(struct finding *f, const struct block_entry *b, struct err *e)
{
    uint32_t words = (b->events + 63) / 64;
    AUTO_FREE uint64_t *may = calloc(3 * (size_t)words, sizeof *may);
    uint64_t before = f->stats->matched;
    uint32_t least = SLICE_EVENTS;
    int rc = 0;

    if (!may)
        return -ENOMEM;
    for (uint32_t i = 0; i < b->events; i++)
        if (f->view.time[i] >= f->s->from && (f->view.time[i] < f->s->to || f->s->to == INT64_MAX) && in_page(f, (struct key){ f->view.time[i], f->view.seq[i] }))
            may[i / 64] |= UINT64_C(1) << i % 64;
    if (f->s->query && !query_everything(f->s->query))
        rc = columns_find(f->view.columns, f->s->query, look, f, may, may + words, e);
    for (; rc == 0 && f->stats->matched - before < wanted(f) && next_slice(f, may, may + 2 * (size_t)words, b->events, least); least *= 2) {
        rc = block_take(b, may + 2 * (size_t)words, &f->view, e);
        if (rc == 0)
            rc = take_events(f);
    }
    return rc;
}

static int open_block(struct finding *f, const struct item *it, struct err *e)
{
    struct part *p = &f->part[it->part];
    uint32_t index = (uint32_t)it->block;
    bool damaged = false;
    int rc;

    if (p->fd < 0 && f->open_files >= OPEN_FILES_MAX)
        close_files(f);
    f->open_files += p->fd < 0;
    rc = part_fd(f->s->store_folder, p, e);
    if (rc < 0)
        return lost(f, rc, it->part);
    if (!part_block_may(p, index, f->tokens, f->token_count, &f->stats->bytes_read, &damaged)) {
        f->stats->blocks_skipped++;
        return 0;
    }
    f->stats->blocks++;
    f->stats->bytes_read += p->block[index].keys_bytes + p->block[index].payload_bytes;
    rc = part_block_open(p, index, &f->view, e);
    if (rc == 0 && f->view.columned)
        rc = ask_block(f, &p->block[index], e);
    if (rc == -EBADMSG || rc == -ENOENT)
        return lost(f, rc, it->part);
    if (damaged)
        (void)lost(f, -EBADMSG, it->part);
    return rc == 0 && !f->view.columned ? take_events(f) : rc;
}

/* --- the search --- */

int search_snapshot(const char *folder, struct manifest *m, struct err *e)
{
    bool from_copy;
    int rc = manifest_load(folder, m, &from_copy, e);

    if (rc == -ENOENT) {
        manifest_init(m);
        rc = 0;
    }
    return rc;
}

static void forget(struct finding *f)
{
    for (size_t i = 0; f->part && i < f->m.count; i++)
        part_close(&f->part[i]);
    free(f->part);
    f->part = NULL;
    manifest_free(&f->m);
    while (f->founds)
        free(f->found[--f->founds].ev);
    f->found_bytes = 0;
    f->items = f->open_files = 0;
    f->floored = false;
}

static int walk(struct finding *f, struct err *e)
{
    int rc = 0;

    while (rc == 0 && f->items) {
        struct item it;

        rc = send(f, false, f->item[0].best);
        if (rc == 0)
            rc = search_halted(f->s, NULL);
        if (rc != 0)
            break;
        it = item_pop(f);
        rc = it.block < 0 ? open_part(f, it.part, e) : open_block(f, &it, e);
        /* A block closes its part's files only at the end: blocks are few, and opening is dear. */
    }
    if (rc == 0)
        rc = send(f, true, 0);
    return rc;
}

static int find_once(struct finding *f, struct err *e)
{
    int rc = search_snapshot(f->s->store_folder, &f->m, e);

    if (rc < 0)
        return rc;
    f->part = calloc(f->m.count + 1, sizeof *f->part);
    if (!f->part)
        return -ENOMEM;
    for (size_t i = 0; i < f->m.count; i++)
        f->part[i].fd = -1;
    for (size_t i = 0; rc == 0 && i < f->m.count; i++)
        if (in_time(f->s, f->m.part[i].min_time, f->m.part[i].max_time))
            rc = item_push(f, (struct item){ f->s->oldest_first ? f->m.part[i].min_time : f->m.part[i].max_time, (uint32_t)i, -1 });
    if (rc == 0 && f->s->journal_folder)
        rc = tail_each(f->s->store_folder, f->s->journal_folder, &f->m, take_event, f, &f->stats->damaged_parts, e);
    if (rc == 0)
        rc = walk(f, e);
    return rc;
}

/* end - what find answers. What was found in time goes out in order even when the time was up. */
static int end(struct finding *f, int rc, struct err *e)
{
    if (rc == -ETIMEDOUT || rc == -ECANCELED) {
        if (rc == -ETIMEDOUT)
            (void)send(f, true, 0);
        return search_halted(f->s, e) < 0 ? rc : err_set(e, rc, "the search was given up");
    }
    if (rc == -ENOMEM)
        return err_set(e, rc, "no memory for the search");
    if (rc == -E2BIG)
        return err_set(e, rc, "too many events overlap in time: narrow the range or set a limit");
    if (rc == -ESTALE)
        return err_set(e, -EBUSY, "the store changes faster than it can be searched");
    return rc < 0 ? rc : 0;
}

int store_find(const struct store_search *s, store_hit *hit, void *arg, struct store_stats *stats, struct err *e)
{
    struct store_stats unused;
    struct finding f = { .s = s, .hit = hit, .arg = arg, .stats = stats ? stats : &unused };
    time_ns began = clock_steady();
    int rc = -ESTALE;

    memset(f.stats, 0, sizeof *f.stats);
    if (s->query)
        f.tokens = query_needs(s->query, &f.token_count);
    manifest_init(&f.m);
    block_view_init(&f.view);
    for (int i = 0; i < SEARCH_ATTEMPTS && rc == -ESTALE; i++) {
        forget(&f);
        rc = find_once(&f, e);
    }
    rc = end(&f, rc, e);
    forget(&f);
    free(f.item);
    free(f.found);
    block_view_free(&f.view);
    f.stats->elapsed_ns = clock_steady() - began;
    return rc;
}
