/* back_pass.c - the thread of a pass: stored events, oldest first, held against the new indicators; see back.h.
 *
 * It hands over what it found after each piece of the store and waits until that is written; then it rests, so that ingest, whose processor and disk it shares, does not suffer.
 * Few indicators that are hashes leave the blocks closed that do not have them. */
#include "detect/back_internal.h"
#include "detect/retro_internal.h"
#include "detect/triage.h"
#include "store/store.h"

#define REOPEN_MAX 1000
#define REST_MAX   (10 * NS_PER_SECOND)
#define CLOSE_NS   (31 * NS_PER_DAY)   /* longer than any window of the policy */

struct pass {
    struct back        *b;
    struct indicators  *x;
    struct triage      *triage;
    struct sigma       *rules;        /* none: indicators are of no set */
    struct wants        wants;
    bool                few;          /* wants is right */
    struct store_scan_options *scan;  /* from_seq: where the next opening of the store goes on */
    uint64_t            events;
    time_ns             began;        /* of this turn */
    struct err         *e;
};

static bool wanted(void *arg, const struct ioc *i, uint64_t seq)
{
    struct back *b = arg;
    size_t at;
    bool yes;

    pthread_mutex_lock(&b->lock);
    at = back_find(b, back_hash(i));
    yes = at != SIZE_MAX && b->known[at].set > 0 && b->known[at].set <= b->hi && seq < b->upto[b->known[at].set];
    pthread_mutex_unlock(&b->lock);
    return yes;
}

/* rest - as long as the work was, times what is left of the share. */
static void rest(struct back *b, time_ns worked)
{
    time_ns length = worked * (100 - b->share) / b->share;
    struct timespec until;

    length = length > REST_MAX ? REST_MAX : length;
    clock_gettime(CLOCK_MONOTONIC, &until);   /* a clock that is set back must not make it sleep for hours */
    until.tv_nsec += length % NS_PER_SECOND;
    until.tv_sec += length / NS_PER_SECOND + until.tv_nsec / NS_PER_SECOND;
    until.tv_nsec %= NS_PER_SECOND;
    pthread_mutex_lock(&b->lock);
    while (!b->quit && length > 0 && pthread_cond_timedwait(&b->wake, &b->lock, &until) == 0)
        continue;
    pthread_mutex_unlock(&b->lock);
}

/* hand_over - what was found of the events before to. False: the owner wants an end. */
static bool hand_over(struct pass *p, uint64_t to, bool ended)
{
    struct back *b = p->b;
    time_ns worked = clock_steady() - p->began;
    bool quit;

    pthread_mutex_lock(&b->lock);
    b->found_to = to;
    b->found_events = p->events;
    b->ended = ended;
    if (b->failed == 0) {
        buf_reset(&b->episodes);
        buf_reset(&b->risk);
        triage_save(p->triage, &b->episodes, &b->risk);
    }
    b->ready = true;
    while (b->ready && !b->quit && !ended)
        pthread_cond_wait(&b->wake, &b->lock);
    quit = b->quit;
    pthread_mutex_unlock(&b->lock);
    p->events = 0;
    if (!ended && !quit)
        rest(b, worked);
    p->began = clock_steady();
    return !quit;
}

/* seqs_grow - room for the numbers of all that was found: one event may end many episodes. */
static int seqs_grow(struct back *b, struct err *e)
{
    size_t cap = b->found_cap ? b->found_cap * 2 : 2 * BACK_FOUND_MAX;
    uint64_t *list;

    while (cap < b->found.count)
        cap *= 2;
    list = b->found.count <= b->found_cap ? b->found_seq : realloc(b->found_seq, cap * sizeof *list);
    if (!list)
        return err_set(e, -ENOMEM, "no memory for a finding");
    b->found_cap = b->found.count <= b->found_cap ? b->found_cap : cap;
    b->found_seq = list;
    return 0;
}

/* mark - the findings that the event brought about. */
static int mark(struct pass *p, size_t from, uint64_t seq)
{
    struct back *b = p->b;

    if (b->found.count && seqs_grow(b, p->e) < 0)
        return -ENOMEM;
    for (size_t i = from; i < b->found.count; i++) {
        int rc = event_add(&b->found.items[i], &b->found.arena, STR("saqshy.searched_back"), STR("true"));

        if (rc < 0 && rc != -E2BIG)
            return err_set(p->e, -ENOMEM, "no memory for a finding");
        b->found_seq[i] = seq;
    }
    return 0;
}

static int look(struct pass *p, const struct event *ev)
{
    struct back *b = p->b;
    size_t before = b->found.count;
    int64_t silent = 0;
    int n;

    p->events++;
    if (str_eq(ev->parser, STR(EVENT_PARSER_FACTS)))
        return 0;
    n = indicators_look(p->x, p->triage, p->rules, ev, &b->found, &silent, p->e);
    if (n >= 0)
        n = triage_due(p->triage, p->rules, ev, &b->found, p->e);
    if (n < 0 || b->found.count == before)
        return n < 0 ? n : 0;
    n = mark(p, before, ev->seq);
    /* The line of a finding is that of the event; it is written before the event goes. */
    return n == 0 && b->found.count >= BACK_FOUND_MAX && !hand_over(p, ev->seq + 1, false) ? -ECANCELED : n;
}

/* close_episodes - what was counted and not told: as if nothing came any more until every window is over. One event tells so many updates at most, so it is
 * asked until there are no more; their frames are numbered from the end of the pass on, and what is handed over is not told again after a kill. */
static int close_episodes(struct pass *p)
{
    struct back *b = p->b;
    const time_ns over = clock_now() + CLOSE_NS;   /* whenever the last of them came: a pass that goes on here has read no event */
    uint64_t at = b->next > b->to ? b->next : b->to;
    int n;

    do {
        const struct event last = { .seq = at, .received = over, .time = over };
        size_t before = b->found.count;

        n = triage_due(p->triage, p->rules, &last, &b->found, p->e);
        if (n > 0 && mark(p, before, at) < 0)
            return -ENOMEM;
        if (n > 0 && !hand_over(p, ++at, false))
            return -ECANCELED;
    } while (n > 0);
    return n;
}

static int look_tail(void *arg, const struct event *ev)
{
    struct pass *p = arg;
    size_t before = p->b->found.count;
    int rc = look(p, ev);

    p->scan->from_seq = ev->seq + 1;   /* it may be in the store when that is opened anew, and counts once */
    return rc < 0 || p->b->found.count == before ? rc : hand_over(p, ev->seq + 1, false) ? 0 : -ECANCELED;
}

static int read_pieces(struct pass *p, struct store_scan_options *o, struct store_scan *scan, struct store_page *page)
{
    struct store_stats stats = { 0 };
    size_t pieces = store_scan_pieces(scan);
    int rc = 0;

    for (size_t i = 0; i < pieces && rc == 0; i++) {
        const struct event *const *events;
        uint64_t skipped = stats.blocks_skipped;
        size_t count;

        rc = store_scan_read(scan, i, page, &events, &count, &stats, p->e);
        for (size_t k = 0; k < count && rc == 0; k++)
            rc = look(p, events[k]);
        if (rc < 0)
            break;
        o->from_seq = store_scan_first(scan, i + 1) > o->from_seq ? store_scan_first(scan, i + 1) : o->from_seq;
        if (stats.blocks_skipped == skipped || i + 1 == pieces || p->b->found.count)
            rc = hand_over(p, o->from_seq < o->to_seq ? o->from_seq : o->to_seq, false) ? 0 : -ECANCELED;
    }
    if (rc == 0)
        rc = store_scan_tail(scan, look_tail, p, &stats, p->e);
    __atomic_fetch_add(&p->b->counts.damaged, stats.damaged_parts, __ATOMIC_RELAXED);
    return rc;
}

static int want_one(void *arg, const struct ioc *i, struct err *e)
{
    struct pass *p = arg;
    bool whole = i->type == IOC_HASH;

    (void)e;
    if (!p->few || !wanted(p->b, i, 0))
        return 0;
    p->few = whole && wants_add(&p->wants, i->value, true, true);
    return 0;
}

static int run(struct pass *p)
{
    struct back *b = p->b;
    struct store_scan_options o = { .store_folder = b->store, .journal_folder = b->journal, .from = b->from, .to = INT64_MAX, .from_seq = b->next < b->to ? b->next : b->to, .to_seq = b->to,
                                    .stop = &b->stop };
    struct store_page *page = NULL;
    size_t count;
    int rc = indicators_open(b->set, b->policy, &p->x, p->e);

    if (rc == 0)
        rc = indicators_refresh(p->x, &count, p->e);
    if (rc >= 0)
        rc = triage_open(*b->triage ? b->triage : NULL, *b->site ? b->site : NULL, &p->triage, p->e);
    if (rc == 0)
        rc = sigma_compile(NULL, 0, &p->rules, p->e);
    if (rc == 0 && b->next > 1 && b->episodes.n)
        rc = triage_load(p->triage, buf_view(&b->episodes), buf_view(&b->risk), p->e);
    if (rc < 0)
        return rc;
    p->scan = &o;
    indicators_only(p->x, wanted, b, clock_now());
    p->few = true;
    p->wants.store = (struct store_wants){ p->wants.tokens, p->wants.ends, 0 };
    rc = indicators_each(p->x, want_one, p, p->e);
    o.wants = p->few ? &p->wants.store : NULL;
    if (rc == 0)
        rc = store_page_new(&page, p->e);
    for (int i = 0, again = -ESTALE; rc == 0 && again == -ESTALE; i++) {
        struct store_scan *scan = NULL;

        rc = i == REOPEN_MAX ? err_set(p->e, -EBUSY, "the store changes faster than it can be read") : store_scan_open(&o, &scan, p->e);
        if (rc == 0)
            again = read_pieces(p, &o, scan, page);
        if (rc == 0 && again != -ESTALE)
            rc = again;
        store_scan_close(&scan);
    }
    store_page_free(&page);
    return rc == 0 ? close_episodes(p) : rc;
}

static void *work(void *arg)
{
    struct back *b = arg;
    struct pass *p = calloc(1, sizeof *p);
    struct err e = { 0 };
    int rc = -ENOMEM;

    if (p) {
        *p = (struct pass){ .b = b, .e = &e, .began = clock_steady() };
        rc = run(p);
        b->failed = rc;
        b->failure = e;
        if (rc < 0)
            event_batch_reset(&b->found);   /* texts of it may be gone; it is found again, from what was saved last */
        (void)hand_over(p, rc < 0 ? b->next : b->to, true);
        indicators_close(&p->x);
        triage_close(&p->triage);
        sigma_free(&p->rules);
    } else {
        b->failed = err_set(&b->failure, -ENOMEM, "no memory to search back");
        pthread_mutex_lock(&b->lock);
        b->found_to = b->next;
        b->ended = b->ready = true;
        pthread_mutex_unlock(&b->lock);
    }
    free(p);
    return NULL;
}

int back_pass_start(struct back *b, struct err *e)
{
    int rc;

    b->ready = b->quit = b->ended = false;
    b->stop = 0;
    b->failed = 0;
    b->found_events = 0;
    event_batch_reset(&b->found);
    rc = -pthread_create(&b->thread, NULL, work, b);
    b->running = rc == 0;
    return rc < 0 ? err_set(e, rc, "could not start the search: %s", strerror(-rc)) : 0;
}

void back_pass_go_on(struct back *b)
{
    pthread_mutex_lock(&b->lock);
    b->ready = false;
    pthread_cond_broadcast(&b->wake);
    pthread_mutex_unlock(&b->lock);
}

void back_pass_stop(struct back *b)
{
    if (!b->running)
        return;
    b->stop = 1;
    pthread_mutex_lock(&b->lock);
    b->quit = true;
    pthread_cond_broadcast(&b->wake);
    pthread_mutex_unlock(&b->lock);
    pthread_join(b->thread, NULL);
    b->running = false;
    b->ready = false;
}
