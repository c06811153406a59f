/* role_index.c - the role index: a reader of the journal that fills the store, removes what is too old, and cuts the journal.
 *
 * The store says how far it is (its manifest); the cursor "index" repeats that for the journal, which is never cut past it. A damaged frame is
 * told, counted and stepped over. Room is watched here for the whole node (src/keep): what is told in DATA/run/retention.json, everybody else shows. When the
 * reserve is touched no parts are merged; when half of it is used nothing is sealed either. On SIGTERM what waits in memory is sealed; after a kill it is read from the journal again. */
#include "bin/bin.h"
#include "base/log.h"
#include "base/metrics.h"
#include "keep/keep.h"
#include "sigma/classify.h"
#include "journal/journal.h"
#include "store/store.h"

#include <dirent.h>
#include <signal.h>

#define CURSOR_EVERY_NS  NS_PER_SECOND
#define METRICS_EVERY_NS (2 * NS_PER_SECOND)
#define RETAIN_EVERY_NS  NS_PER_HOUR            /* of the steady clock; keep_expiry_wait counts over restarts */
#define RETAIN_STEPS     8      /* in an hour: a clock that runs ahead for a while does not empty the store */
#define WATCH_EVERY_NS   NS_PER_SECOND
#define PICTURE_EVERY_NS (5 * NS_PER_SECOND)
#define HOLDS_EVERY_NS   (30 * NS_PER_SECOND)   /* holds are looked at so often to tell of them; before each removal besides */
#define MOVE_EVERY_NS    (10 * NS_PER_SECOND)   /* a part into the archive, even while events come */
#define MOVE_AGAIN_NS    NS_PER_MINUTE          /* after an error, or when there was nothing to move */
#define TYPES_EVERY_NS   (5 * NS_PER_SECOND)    /* the rules of event types are looked at for changes */
#define WAIT_MS          200
#define PAUSE_MS         1000   /* after an error such as a full disk */

struct indexer {
    const struct node     *node;
    char                   journal[4096], store_folder[4096], metrics_path[4096];
    struct store          *store;
    struct journal_reader *reader;
    struct event_batch     batch;
    struct metrics         metrics;
    struct metric         *events, *frames_damaged, *errors, *sealed, *lag_events, *days_removed, *segments_removed;
    uint64_t               cursor, detect;  /* as they were when the journal was cut last */
    struct keep           *keep;
    struct classify       *types;           /* NULL: what parsers say is all */
    time_ns                types_at;
    struct node           *again;           /* the configuration as it was read again; NULL: still the first */
    bool                   archive_set;
    bool                   holds_bad;       /* told once */
    bool                   forward_stood;   /* once; an upstream that is taken out later keeps nothing */
    time_ns                tick_at, cursor_at, metrics_at, retain_at, watch_at, picture_at, move_at, holds_at;
};

static volatile sig_atomic_t stop, hangup;

static void on_hup(int sig)
{
    (void)sig;
    hangup = 1;
}

static void on_term(int sig)
{
    (void)sig;
    stop = 1;
}

static void tell(struct indexer *x, const char *what, const struct err *e)
{
    metric_add(x->errors, 1);
    log_line(LOG_ERROR, what, "error.message", e->text, NULL);
}

/* tell_terms - a decision to keep events for less than the law is a line of the security log at every start. */
static void tell_terms(const struct node *n)
{
    struct keep_floor f;
    char days[24], least[24];

    if (keep_floor_load(n->content, &f, NULL) < 0 || !keep_shorter(n, &f))
        return;
    log_line(LOG_SEC, "events are kept for less than the least terms, by a recorded decision", "saqshy.days", log_num(n->retention_days, days),
             "saqshy.least_days", log_num(f.days, least), "event.reason", n->retention_reason, "user.name", n->retention_by, "saqshy.decided_on", n->retention_on,
             NULL);
}

/* open_types - which event types of Annex 4 an event shows, rules say besides parsers; without them events are stored all the same. */
static void open_types(struct indexer *x)
{
    struct rule_paths where;
    struct err e;

    rule_paths(&where, x->node->content, x->node->data, NULL, 0);
    if (classify_open(where.paths, where.count, &x->types, &e) < 0)
        tell(x, "the rules of event types cannot be read, types are what parsers say", &e);
}

/* refresh_types - rules that changed are read anew, the former ones go on where they cannot be. */
static void refresh_types(struct indexer *x, time_ns now)
{
    struct err e;
    int rc = x->types && now - x->types_at >= TYPES_EVERY_NS ? classify_refresh(x->types, &e) : 0;

    if (rc < 0)
        tell(x, "the rules of event types cannot be read, the former ones go on", &e);
    if (now - x->types_at >= TYPES_EVERY_NS)
        x->types_at = now;
}

static int open_all(struct indexer *x, struct err *e)
{
    struct metrics *m = &x->metrics;
    int rc;

    node_path(x->node, "journal", x->journal);
    node_path(x->node, "store", x->store_folder);
    node_path(x->node, "run/metrics-index.prom", x->metrics_path);
    x->events = metrics_cell(m, "saqshy_index_events_total", NULL, false, "events taken from the journal");
    x->frames_damaged = metrics_cell(m, "saqshy_index_damaged_frames_total", NULL, false, "damaged frames of the journal passed over");
    x->errors = metrics_cell(m, "saqshy_index_errors_total", NULL, false, "failed writes and readings");
    x->sealed = metrics_cell(m, "saqshy_index_sealed_seq", NULL, true, "the first event that is not in sealed parts");
    x->lag_events = metrics_cell(m, "saqshy_index_lag_events", NULL, true, "committed events not yet taken");
    x->days_removed = metrics_cell(m, "saqshy_index_days_removed_total", NULL, false, "days removed by age");
    x->segments_removed = metrics_cell(m, "saqshy_index_segments_removed_total", NULL, false, "segments of the journal cut");
    event_batch_init(&x->batch, JOURNAL_BATCH_BYTES);
    open_types(x);
    rc = store_open(x->store_folder, NULL, &x->store, e);
    if (rc == 0)
        rc = keep_open(x->node, &x->metrics, &x->keep, e);
    if (rc < 0)
        return rc;
    tell_terms(x->node);
    uint64_t end = journal_committed_seq(x->journal), next = store_next_seq(x->store);
    if (end && end < next)
        return err_set(e, -EINVAL, "the journal ends before event %llu, the store holds events up to %llu: they are not of one data directory",
                       (unsigned long long)end, (unsigned long long)next - 1);
    return journal_reader_open(x->journal, next, &x->reader, e);
}

/* tell_forgotten - places of upstreams keep the journal from being cut; without the role forward nobody moves them, and only a person knows whether it comes
 * back. */
static void tell_forgotten(const struct indexer *x)
{
    char folder[4200];
    struct dirent *f;
    DIR *d;

    snprintf(folder, sizeof folder, "%.4000s/cursors", x->journal);
    d = node_has_role(x->node, ROLE_FORWARD) ? NULL : opendir(folder);
    while (d && (f = readdir(d)) != NULL)
        if (str_starts(str_c(f->d_name), STR("forward-")))
            log_line(LOG_WARN, "the journal is kept for an upstream, but the role forward does not run: let it run, or remove its place", "saqshy.upstream",
                     f->d_name + strlen("forward-"), "file.directory", folder, NULL);
    if (d)
        closedir(d);
}

/* forward_stands - every upstream of the configuration has said where it stands: before, nothing may be cut that it may need. */
static bool forward_stands(const struct indexer *x)
{
    for (size_t i = 0; i < x->node->upstreams.count; i++) {
        char name[UPSTREAM_NAME_MAX + 16];
        uint64_t seq = 0;

        snprintf(name, sizeof name, "forward-%s", x->node->upstreams.items[i].name);
        if (journal_cursor_get(x->journal, name, &seq, NULL) < 0 || seq == 0)
            return false;
    }
    return true;
}

static void move_cursor(struct indexer *x)
{
    uint64_t seq = store_sealed_seq(x->store);
    uint64_t detect = 1;
    size_t removed = 0;
    struct err e;
    int rc;

    metric_set(x->sealed, (int64_t)seq);
    if (node_has_role(x->node, ROLE_DETECT) && journal_cursor_get(x->journal, "detect", &detect, &e) < 0)
        return tell(x, "could not read the cursor of detection", &e);
    x->forward_stood = x->forward_stood || forward_stands(x);
    if (seq == x->cursor && detect == x->detect)
        return;
    /* What was already read goes first: on a full disk that makes the room in which the cursor is written. */
    for (int i = 0; i < 2; i++) {
        /* Detection may start after us: nothing is cut before it has said where it stands. */
        rc = detect && x->forward_stood ? journal_cut(x->journal, seq, &removed, &e) : 0;
        metric_add(x->segments_removed, (int64_t)removed);
        if (rc == 0 && i == 0)
            rc = journal_cursor_set(x->journal, "index", seq, &e);
        if (rc < 0)
            return tell(x, "could not move the cursor or cut the journal", &e);
    }
    x->cursor = seq;
    x->detect = detect;
}

/* look_at_holds - the holds as they are now. One that cannot be read stops every removal, and is told: when it begins, and in every hour in which something is due. */
static int look_at_holds(struct indexer *x, bool again, struct err *e)
{
    int rc = keep_holds(x->keep, clock_now(), e);

    if (rc < 0 && (again || !x->holds_bad))
        tell(x, "a legal hold cannot be read: nothing is removed for its age until it can be, or is taken out of DATA/holds by somebody who answers for it", e);
    if (rc == 0 && x->holds_bad)
        log_line(LOG_INFO, "all legal holds can be read again", NULL);
    x->holds_bad = rc < 0;
    x->holds_at = clock_steady();
    return rc;
}

/* retain - what is due for its age: whole days one step an hour, parts of days a few. The hour is noted before anything goes. Where that cannot be written, what
 * is due goes nevertheless: it makes room. */
static void retain(struct indexer *x)
{
    struct keep_done *d = keep_done(x->keep);
    uint64_t days = d->expired.days, unreadable = d->expired.unreadable;
    char text[24];
    struct err e = { 0 };
    int rc = 1;

    if (keep_expiry_note(x->keep, clock_now(), &e) < 0)
        tell(x, "could not note when events whose term is over were removed last", &e);
    for (int i = 0; rc == 1 && i < RETAIN_STEPS && d->expired.days == days; i++) {
        rc = look_at_holds(x, i == 0, &e);
        if (rc < 0)
            break;
        rc = store_expire(x->store, keep_policy(x->keep), clock_now(), &d->expired, &e);
        if (rc == 1)
            d->expired_at = clock_now();
        if (rc == -ESTALE)
            rc = 1;     /* a hold was set or released meanwhile: nothing went, and the step is taken again with it */
    }
    snprintf(d->expire_error, sizeof d->expire_error, "%s", rc < 0 ? e.text : "");
    if (rc < 0 && !x->holds_bad)
        tell(x, "could not remove events whose term is over", &e);
    if (d->expired.unreadable > unreadable)
        log_line(LOG_WARN, "a damaged part holds events whose term is over; it stays until its longest term is", NULL);
    days = d->expired.days - days;
    if (days > 1)    /* one a day is the rule */
        log_line(LOG_WARN, "days of events were removed by age; more may follow. Is the clock right?", "saqshy.days",
                 log_num((long long)days, text), NULL);
    metric_add(x->days_removed, (int64_t)days);
}

static void archive_failed(struct indexer *x, const struct err *e)
{
    struct keep_done *d = keep_done(x->keep);

    if (strcmp(d->archive_error, e->text) != 0)     /* once, not every minute */
        tell(x, "could not move a part into the archive, trying again; it stays where it is", e);
    snprintf(d->archive_error, sizeof d->archive_error, "%s", e->text);
    x->move_at = clock_steady() + MOVE_AGAIN_NS;
}

/* archive - one part that is out of fast reach. */
static void archive(struct indexer *x, const struct node *n)
{
    struct keep_done *d = keep_done(x->keep);
    uint64_t bytes;
    struct err e = { 0 };
    int rc = x->archive_set ? 0 : store_archive_set(x->store, n->retention_archive, &e);

    if (rc < 0)
        return archive_failed(x, &e);
    x->archive_set = true;
    rc = store_archive_move(x->store, keep_policy(x->keep), clock_now(), &bytes, &e);
    if (rc < 0)
        return archive_failed(x, &e);
    d->archive_error[0] = 0;
    d->moved_parts += rc == 1;
    d->moved_bytes += bytes;
    if (rc == 1)
        d->moved_at = clock_now();
    x->move_at = clock_steady() + (rc == 1 ? MOVE_EVERY_NS : MOVE_AGAIN_NS);
}

/* watch - room, and who is to know of it. */
static void watch(struct indexer *x)
{
    char told[512];

    switch (keep_watch(x->keep, clock_now(), told)) {
    case KEEP_TOUCHED:
        log_line(LOG_ERROR, "the reserve of a disk is touched: senders are slowed until there is room, nothing is removed before its term", "error.message", told, NULL);
        break;
    case KEEP_LOW:
        log_line(LOG_WARN, "a disk has less than twice its reserve left; when the reserve is touched, senders are slowed", "error.message", told, NULL);
        break;
    case KEEP_ROOM:
        log_line(LOG_INFO, "a disk has room again", "saqshy.space", told, NULL);
        break;
    case KEEP_SAME:
        break;
    }
    store_rest(x->store, keep_touched(x->keep));
}

static const struct node *node_now(const struct indexer *x) { return x->again ? x->again : x->node; }

/* read_again - terms, reserve and archive of a changed configuration. */
static void read_again(struct indexer *x)
{
    struct keep_done done = *keep_done(x->keep);
    struct keep *keep = NULL;
    struct node *n = NULL;
    struct err e;
    int rc;

    hangup = 0;
    if (!x->node->file)
        return;
    rc = node_load_again(x->node, &n, &e);
    if (rc == 0)
        rc = keep_check(n, &e);
    if (rc == 0)
        rc = keep_open(n, &x->metrics, &keep, &e);
    if (rc < 0) {
        node_free(&n);
        return tell(x, "could not take the changed terms, the old ones stay in force", &e);
    }
    keep_close(&x->keep);
    node_free(&x->again);
    x->keep = keep;
    x->again = n;
    *keep_done(keep) = done;
    x->archive_set = false;
    x->watch_at = x->picture_at = x->move_at = 0;
    tell_terms(n);
}

/* look_after - room, terms, the archive and the picture of all that. */
static void look_after(struct indexer *x, bool idle)
{
    time_ns now = clock_steady();
    struct err e;

    if (hangup)
        read_again(x);
    if (now - x->watch_at >= WATCH_EVERY_NS || !x->watch_at) {
        watch(x);
        x->watch_at = now;
    }
    if (now >= x->retain_at) {
        time_ns wait = keep_expiry_wait(x->keep, clock_now());

        if (wait == 0)
            retain(x);
        x->retain_at = now + (wait ? wait : RETAIN_EVERY_NS);
    }
    if (*node_now(x)->retention_archive && now >= (idle && x->move_at ? x->move_at - MOVE_EVERY_NS : x->move_at))
        archive(x, node_now(x));
    if (now - x->holds_at >= HOLDS_EVERY_NS || !x->holds_at)
        (void)look_at_holds(x, false, &e);     /* told there */
    if (now - x->picture_at >= PICTURE_EVERY_NS || !x->picture_at) {
        if (keep_publish(x->keep, clock_now(), &e) < 0)
            tell(x, "could not write " KEEP_PICTURE, &e);
        x->picture_at = now;
    }
}

/* take - one frame. 1: there was one, 0: nothing new, below: an error that a pause may cure. */
static int take(struct indexer *x, struct err *e)
{
    int n = journal_reader_next(x->reader, &x->batch, NULL, e), rc;

    if (n == -EBADMSG) {
        metric_add(x->frames_damaged, 1);
        tell(x, "a damaged frame of the journal was passed over; \"saqshy verify\" names what is missing", e);
        return 1;
    }
    if (n <= 0)
        return n;
    if ((rc = classify_batch(x->types, &x->batch, e)) < 0)
        tell(x, "could not tell the types of events, they are what parsers say", e);
    while ((rc = store_add(x->store, x->batch.items, x->batch.count, clock_now(), e)) < 0 && !stop) {
        /* The frame stays in hand: nothing behind it is taken before it is in. */
        tell(x, "could not store events, trying again", e);
        if (rc == -EIO)
            return rc;      /* a write failed half-way: only opening anew tells what is on disk */
        look_after(x, false);   /* without room, terms that end make some, and somebody has to hear of it */
        journal_reader_wait(x->reader, PAUSE_MS);
    }
    metric_add(x->events, rc < 0 ? 0 : n);
    return rc < 0 ? rc : 1;
}

/* housekeeping - -EIO: the store must be opened anew. */
static int housekeeping(struct indexer *x, bool waits)
{
    time_ns now = clock_steady();
    struct err e;
    int rc = !waits && now >= x->tick_at ? store_tick(x->store, clock_now(), &e) : 0;

    if (rc < 0) {
        tell(x, "could not seal or merge, trying again", &e);
        x->tick_at = now + PAUSE_MS * NS_PER_MS;    /* each try is a line of our own log, which is an event again */
    }
    refresh_types(x, now);
    if (now - x->cursor_at >= CURSOR_EVERY_NS) {
        move_cursor(x);
        x->cursor_at = now;
    }
    if (now - x->metrics_at >= METRICS_EVERY_NS || !x->metrics_at) {
        uint64_t end = journal_committed_seq(x->journal), next = journal_reader_seq(x->reader);

        metric_set(x->lag_events, end > next ? (int64_t)(end - next) : 0);
        if (metrics_publish(&x->metrics, x->metrics_path, &e) < 0)
            tell(x, "could not write metrics", &e);
        x->metrics_at = now;
    }
    return rc == -EIO ? rc : 0;
}

/* work - until SIGTERM. -EIO: the store must be opened anew, the supervisor sees to it. */
static int work(struct indexer *x)
{
    struct err e;

    while (!stop) {
        bool waits = keep_store_waits(x->keep);
        int rc = waits ? 0 : take(x, &e);

        if (rc == -EIO)
            return rc;
        if (rc < 0)
            tell(x, "could not read the journal, trying again", &e);
        if (housekeeping(x, waits) == -EIO)
            return -EIO;
        look_after(x, rc == 0);
        if (rc <= 0)
            journal_reader_wait(x->reader, rc < 0 ? PAUSE_MS : WAIT_MS);
    }
    if (store_seal(x->store, &e) < 0)
        tell(x, "could not seal at the end; the journal still has these events", &e);
    move_cursor(x);
    return 0;
}

int role_index_run(const struct node *node)
{
    struct indexer *x = calloc(1, sizeof *x);
    struct err e;
    int rc;

    signal(SIGTERM, on_term);
    signal(SIGINT, on_term);
    signal(SIGHUP, on_hup);
    if (!x)
        return EXIT_NO;
    x->node = node;
    rc = open_all(x, &e);
    if (rc == 0) {
        tell_forgotten(x);
        rc = work(x);
    } else
        log_line(LOG_ERROR, "the index cannot start", "error.message", e.text, NULL);
    journal_reader_close(&x->reader);
    store_close(&x->store);
    classify_close(&x->types);
    keep_close(&x->keep);
    node_free(&x->again);
    event_batch_free(&x->batch);
    free(x);
    return rc < 0 ? EXIT_NO : EXIT_YES;
}
