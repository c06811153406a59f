/* live.c - see live.h. One job at a time goes round: IDLE, READY (compiled), HANDED (to the loop), TAKEN (it runs), and IDLE again when
 * it is settled. */
#include "detect/live.h"

#include <dirent.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "sigma/frequency.h"

#define RETRY_MS 200

enum phase { IDLE, READY, HANDED, TAKEN };

/* Work that the loop gave away. */
struct job { live_work *work; void *arg; bool worked; int rc; struct err err; };   /* work NULL: none */

/* Events cut to what tells their origins; the oldest go first. */
struct origins { struct origins *older; struct event_batch batch; };
#define ORIGINS_BYTES_MAX (8u * MIB)   /* of one batch; there are two */

struct live {
    const char *const *paths;
    size_t             count;
    const char        *state;
    struct rule_store  store;        /* the thread's while it runs */
    struct sigma_frequency *frequency; /* the loop measures, the thread asks */
    time_ns            measured_at;  /* when it was saved last, on the steady clock */
    uint64_t           base;         /* the set whose texts were last written whole; 0: not by us */
    int                watch;        /* inotify, the thread's; -1: none */
    struct origins    *known;        /* of events that came so far; the thread's */
    bool               other_folders; /* a folder came or went, or nobody knows: it is to be made anew */

    pthread_t          thread;
    bool               started;
    int                wake;         /* eventfd */
    pthread_mutex_t    lock;
    pthread_cond_t     settled;
    /* behind the lock: */
    enum phase         phase;
    bool               stop, asked, forced;
    bool               redo;         /* what was read last did not come to run; the thread's */
    struct live_set    fresh, former;
    const struct sigma *now;
    struct sets        sets;
    struct sigma_cost *carry;
    int                rc;           /* of a reading that failed, until it is told */
    struct err         err;
    char               trouble[ERR_TEXT_MAX];
    struct job         jobs[LIVE_JOBS];
    struct origins    *noted;        /* by the loop, since the thread took them last; NULL: none */
};

void live_set_free(struct live_set *s)
{
    sigma_run_free(&s->run);
    sigma_free(&s->set);
    free(s->kept.p);
    arena_free(&s->kept.arena);
    *s = (struct live_set){ .set = NULL };
}

/* --- reading --- */

/* keep_texts - of the set that was just read. */
static int keep_texts(struct live *l, struct live_set *out, struct err *e)
{
    struct rule_store *s = &l->store;
    AUTO_FREE struct sigma_source *sources = rule_store_sources(s);
    AUTO_FREE uint32_t *at = calloc(s->count + 1, sizeof *at);
    int rc;

    if (!sources || !at)
        return err_set(e, -ENOMEM, "no memory to keep the rules");
    for (size_t i = 0; i < s->count; i++)
        at[i] = s->files[i].base;
    out->hash = set_hash(sources, s->count);
    rc = set_save(l->state, sources, at, s->count, out->hash, l->base, e);
    if (rc != SET_WHOLE)
        return rc < 0 ? rc : 0;
    l->base = out->hash;
    for (size_t i = 0; i < s->count; i++)
        s->files[i].base = (uint32_t)i;
    return 0;
}

int live_read(struct live *l, bool force, struct live_set *out, struct err *e)
{
    int rc;

    *out = (struct live_set){ .set = NULL };
    rc = rule_store_load(&l->store, l->paths, l->count, force || l->redo, &out->set, &out->stats, e);
    if (rc <= 0)
        return rc;
    out->kept = l->store.kept;
    l->store.kept = (struct refusals){ .p = NULL };
    rc = detect_run_new(out->set, &out->run, e);
    if (rc == 0)
        sigma_run_measure(out->run, l->frequency, LIVE_MEASURE_EVERY);
    if (rc == 0)
        rc = keep_texts(l, out, e);
    if (rc < 0 && out->run && !l->started) {   /* at the start they run all the same: a replay will not know them */
        out->hash = 0;
        rc = 0;
    }
    l->redo = rc < 0;
    if (rc < 0)
        live_set_free(out);
    return rc < 0 ? rc : 1;
}

/* --- origins --- */

static void origins_free(struct origins **op)
{
    while (*op) {
        struct origins *older = (*op)->older;

        event_batch_free(&(*op)->batch);
        free(*op);
        *op = older;
    }
}

static struct origins *origins_new(struct origins *older)
{
    struct origins *o = calloc(1, sizeof *o);

    if (!o)
        return NULL;
    o->older = older;
    event_batch_init(&o->batch, ORIGINS_BYTES_MAX);
    return o;
}

/* cut - the beginning of a text: as long as it tells something of an origin. */
static struct str cut(struct arena *a, struct str s) { return arena_copy(a, str_of(s.p, min_size(s.n, LIVE_VALUE_MAX))); }

/* origins_add - false without room or memory. */
static bool origins_add(struct origins *o, const struct event *ev)
{
    struct arena *a = &o->batch.arena;
    struct event *to = o->batch.count < LIVE_ORIGINS_MAX / 2 ? event_batch_add(&o->batch) : NULL;

    if (!to)
        return false;
    *to = *ev;
    to->original = to->time_text = (struct str){ NULL, 0 };
    to->source = cut(a, ev->source);
    to->object = cut(a, ev->object);
    to->parser = cut(a, ev->parser);
    to->fields = arena_array(a, ev->field_count + 1, sizeof *to->fields);
    to->field_cap = ev->field_count;
    for (uint32_t i = 0; to->fields && i < ev->field_count; i++)
        to->fields[i] = (struct event_field){ arena_copy(a, ev->fields[i].name), ev->fields[i].value.p ? cut(a, ev->fields[i].value) : ev->fields[i].value };
    if (!arena_failed(a))
        return true;
    o->batch.count--;
    return false;
}

/* note - to the newest batch; a full one becomes the older one, and what was older goes. */
static void note(struct origins **all, const struct event *ev)
{
    if (*all && origins_add(*all, ev))
        return;
    if (*all)
        origins_free(&(*all)->older);
    *all = origins_new(*all) ?: *all;
    if (*all && !origins_add(*all, ev))
        return;   /* one event too large to be kept: its origin is met when it comes */
}

void live_origin(struct live *l, const struct event *ev)
{
    if (!l->started)
        return;
    pthread_mutex_lock(&l->lock);
    note(&l->noted, ev);
    pthread_mutex_unlock(&l->lock);
}

/* meet_origins - before the set looks: what its rules have for the origins that came so far. Those that came twice (once for each of several sets) are
 * met at once the second time. */
static void meet_origins(struct live *l, struct sigma_run *run)
{
    struct origins *fresh;

    pthread_mutex_lock(&l->lock);
    fresh = l->noted;
    l->noted = NULL;
    pthread_mutex_unlock(&l->lock);
    for (struct origins *o = fresh; o; o = o->older)
        for (size_t i = 0; i < o->batch.count; i++)
            note(&l->known, &o->batch.items[i]);
    origins_free(&fresh);
    for (struct origins *o = l->known; o; o = o->older)
        for (size_t i = 0; i < o->batch.count; i++)
            sigma_run_meet(run, &o->batch.items[i]);
}

/* --- what was measured --- */

static void measured_path(const struct live *l, char path[4200]) { snprintf(path, 4200, "%.4000s.frequency", l->state); }

/* measured_load - of an earlier process; what is damaged or absent is measured again. */
static void measured_load(struct live *l)
{
    AUTO_BUF struct buf b;
    char path[4200];
    struct err e;

    measured_path(l, path);
    buf_init(&b, 2 * MIB);
    if (l->frequency && file_exists(path) && file_read(path, MIB + 64 * KIB, &b, &e) == 0 && sigma_frequency_load(l->frequency, buf_view(&b), &e) < 0)
        return;   /* empty then */
}

/* measured_save - what finds no room is saved later. */
static void measured_save(struct live *l)
{
    AUTO_BUF struct buf b;
    char path[4200];
    struct err e;

    buf_init(&b, 2 * MIB);
    l->measured_at = clock_steady();
    if (!l->frequency || sigma_frequency_events(l->frequency) == 0)
        return;
    measured_path(l, path);
    sigma_frequency_save(l->frequency, &b);
    if (!buf_failed(&b) && file_write_quick(path, buf_view(&b), &e) < 0)
        return;
}

/* --- watching --- */

static void watch_add(int fd, const char *path)
{
    (void)inotify_add_watch(fd, path, IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CREATE | IN_ATTRIB);
}

struct tree { struct arena a; char *list[LIVE_WATCH_MAX]; size_t count; };

/* watch_inside - a folder and those in it are put on the list. What cannot be read is found by looking. */
static void watch_inside(struct tree *t, const char *path)
{
    DIR *d = opendir(path);
    struct dirent *f;

    while (d && (f = readdir(d)) != NULL) {
        struct str inner;

        if (f->d_name[0] == '.' || (f->d_type != DT_DIR && f->d_type != DT_UNKNOWN) || t->count == LIVE_WATCH_MAX || strlen(path) > 3000)
            continue;
        inner = arena_printf(&t->a, "%s/%s", path, f->d_name);
        if (inner.p)
            t->list[t->count++] = (char *)(uintptr_t)inner.p;
    }
    if (d)
        closedir(d);
}

/* watch_all - the paths, and all folders below them. */
static void watch_all(struct live *l, int fd)
{
    struct tree *t = calloc(1, sizeof *t);

    if (!t)
        return;
    arena_init(&t->a, 16u * MIB);
    for (size_t i = 0; i < l->count; i++) {
        watch_add(fd, l->paths[i]);
        watch_inside(t, l->paths[i]);
    }
    for (size_t i = 0; i < t->count; i++) {
        watch_add(fd, t->list[i]);
        watch_inside(t, t->list[i]);
    }
    arena_free(&t->a);
    free(t);
}

static void drain(int fd)
{
    char bytes[4096] __attribute__((aligned(8)));

    while (fd >= 0 && read(fd, bytes, sizeof bytes) > 0)
        ;
}

/* hear - what was seen is read; only whether it is about folders matters, for all files are looked at. */
static void hear(struct live *l)
{
    char bytes[16 * KIB] __attribute__((aligned(8)));
    ssize_t n;

    while (l->watch >= 0 && (n = read(l->watch, bytes, sizeof bytes)) > 0)
        for (ssize_t at = 0; at + (ssize_t)sizeof(struct inotify_event) <= n;) {
            const struct inotify_event *ev = (const struct inotify_event *)(const void *)(bytes + at);

            l->other_folders = l->other_folders || (ev->mask & (IN_ISDIR | IN_Q_OVERFLOW | IN_IGNORED | IN_UNMOUNT));
            at += (ssize_t)(sizeof *ev + ev->len);
        }
}

/* watch_anew - before the files are read, so that no change falls between. Folders that are watched already go on being so. */
static void watch_anew(struct live *l)
{
    if (l->watch >= 0 && !l->other_folders)
        return;
    if (l->watch >= 0)
        close(l->watch);
    l->other_folders = false;
    l->watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (l->watch >= 0)
        watch_all(l, l->watch);
}

/* settle - until nothing more changes for a moment. */
static void settle(struct live *l)
{
    struct pollfd p = { .fd = l->watch, .events = POLLIN };

    for (int i = 0; i < 100 && l->watch >= 0 && poll(&p, 1, LIVE_SETTLE_MS) > 0; i++)
        hear(l);
}

/* --- the thread --- */

/* read_beside - a job of reading, from the thread. in_time: nothing was seen, so a folder may have come that nobody watched. */
static void read_beside(struct live *l, bool force, bool in_time)
{
    struct live_set fresh;
    struct err e = { 0 };
    int rc;

    settle(l);
    l->other_folders = l->other_folders || in_time;
    watch_anew(l);
    rc = live_read(l, force, &fresh, &e);
    if (rc == 1)
        meet_origins(l, fresh.run);
    if (rc == 0 && in_time)
        rc = rule_store_tidy(&l->store, &e);
    if (in_time && clock_steady() - l->measured_at >= LIVE_MEASURED_NS)
        measured_save(l);
    pthread_mutex_lock(&l->lock);
    if (rc == 1) {
        l->fresh = fresh;
        l->phase = READY;
    } else if (rc < 0) {
        l->rc = rc;
        l->err = e;
    }
    pthread_mutex_unlock(&l->lock);
}

/* live_costs - what the former rules cost, for the rules of now with the same ids. */
struct sigma_cost *live_costs(const struct live_set *former, const struct sigma *now)
{
    AUTO_FREE struct sigma_cost *old = calloc(sigma_rule_count(former->set) + 1, sizeof *old);
    struct sigma_cost *out = calloc(sigma_rule_count(now) + 1, sizeof *out);

    if (!old || !out) {
        free(out);
        return NULL;
    }
    sigma_run_costs(former->run, old);
    for (size_t i = 0; i < sigma_rule_count(former->set); i++) {
        const struct sigma_rule *r = sigma_rule_find(now, sigma_rule_at(former->set, i)->id);

        if (r)
            out[r->index] = old[i];
    }
    return out;
}

/* write_list - as often as it takes: until then nothing that the new rules find is committed. */
static bool write_list(struct live *l, const struct sets *sets)
{
    struct err e = { 0 };
    bool stop = false;

    while (!stop && sets_write(l->state, sets, &e) < 0) {
        pthread_mutex_lock(&l->lock);
        snprintf(l->trouble, sizeof l->trouble, "%s", e.text);
        stop = l->stop;
        pthread_cond_broadcast(&l->settled);
        pthread_mutex_unlock(&l->lock);
        if (!stop)
            (void)poll(NULL, 0, RETRY_MS);
    }
    return !stop;
}

/* settle_set - what the loop took becomes durable; the former rules go. */
static void settle_set(struct live *l)
{
    struct live_set former;
    struct sigma_cost *carry;
    const struct sigma *now;
    struct sets sets;
    bool durable;

    pthread_mutex_lock(&l->lock);
    sets = l->sets;
    former = l->former;
    now = l->now;
    l->former = (struct live_set){ .set = NULL };
    pthread_mutex_unlock(&l->lock);
    durable = write_list(l, &sets);
    carry = former.run ? live_costs(&former, now) : NULL;
    pthread_mutex_lock(&l->lock);
    if (durable) {
        l->phase = IDLE;
        *l->trouble = 0;
        free(l->carry);
        l->carry = carry;
        carry = NULL;
    }
    pthread_cond_broadcast(&l->settled);
    pthread_mutex_unlock(&l->lock);
    free(carry);
    live_set_free(&former);
    if (durable)
        sets_clean(l->state, &sets);
}

static void work_one(struct live *l, struct job *j)
{
    struct err e = { 0 };
    live_work *work;
    int rc;

    pthread_mutex_lock(&l->lock);
    work = j->worked ? NULL : j->work;
    pthread_mutex_unlock(&l->lock);
    if (!work)
        return;
    rc = work(j->arg, &e);
    pthread_mutex_lock(&l->lock);
    j->rc = rc;
    j->err = e;
    j->worked = true;
    pthread_mutex_unlock(&l->lock);
}

/* work_beside - what the loop gave away. */
static void work_beside(struct live *l)
{
    for (size_t i = 0; i < LIVE_JOBS; i++)
        work_one(l, &l->jobs[i]);
}

static void *thread_main(void *arg)
{
    struct live *l = arg;

    for (;;) {
        struct pollfd p[] = { { .fd = l->wake, .events = POLLIN }, { .fd = l->watch, .events = POLLIN } };
        bool stop, look, force;
        enum phase phase;
        int n = poll(p, l->watch >= 0 ? 2 : 1, LIVE_LOOK_MS);

        drain(l->wake);
        pthread_mutex_lock(&l->lock);
        stop = l->stop;
        phase = l->phase;
        force = l->forced;
        look = phase == IDLE && (n == 0 || p[1].revents || l->asked || l->forced);
        if (look)
            l->asked = l->forced = false;
        else if (p[1].revents)
            l->asked = true;       /* when this one is settled */
        pthread_mutex_unlock(&l->lock);
        work_beside(l);
        if (stop)
            return NULL;
        if (p[1].revents)
            hear(l);
        if (phase == TAKEN)
            settle_set(l);
        else if (look)
            read_beside(l, force, n == 0);
    }
}

static void wake(struct live *l)
{
    uint64_t one = 1;

    if (l->wake >= 0 && write(l->wake, &one, sizeof one) < 0)
        return;   /* it is awake */
}

/* --- the loop's side --- */

int live_open(const char *const *paths, size_t count, const char *state, struct live **out, struct err *e)
{
    struct live *l = calloc(1, sizeof *l);
    int rc;

    *out = NULL;
    if (!l)
        return err_set(e, -ENOMEM, "no memory for the rules");
    l->paths = paths;
    l->count = count;
    l->state = state;
    l->watch = l->wake = -1;
    l->frequency = sigma_frequency_new();   /* without memory nothing is measured */
    l->store.frequency = l->frequency;
    l->measured_at = clock_steady();
    measured_load(l);
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->settled, NULL);
    rc = sets_read(state, &l->sets, e);
    if (rc == -EBADMSG)   /* as if it were lost: told by the caller, who sees no line for the saved state */
        l->sets = (struct sets){ .count = 0 };
    if (rc < 0 && rc != -EBADMSG)
        live_close(&l);
    *out = l;
    return rc == -EBADMSG ? 0 : rc;
}

void live_close(struct live **lp)
{
    struct live *l = *lp;

    if (!l)
        return;
    if (l->started) {
        pthread_mutex_lock(&l->lock);
        l->stop = true;
        pthread_mutex_unlock(&l->lock);
        wake(l);
        pthread_join(l->thread, NULL);
    }
    live_set_free(&l->fresh);
    live_set_free(&l->former);
    rule_store_free(&l->store);
    sigma_frequency_free(&l->frequency);
    origins_free(&l->noted);
    origins_free(&l->known);
    free(l->carry);
    if (l->watch >= 0)
        close(l->watch);
    if (l->wake >= 0)
        close(l->wake);
    pthread_mutex_destroy(&l->lock);
    pthread_cond_destroy(&l->settled);
    free(l);
    *lp = NULL;
}

int live_start(struct live *l, struct err *e)
{
    sigset_t all, before;
    int rc;

    l->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (l->wake < 0)
        return err_sys(e, "could not begin to watch the rules");
    watch_anew(l);
    l->asked = true;              /* what changed since they were read */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);   /* signals are the loop's */
    rc = pthread_create(&l->thread, NULL, thread_main, l);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc)
        return err_set(e, -rc, "could not begin to watch the rules");
    l->started = true;
    wake(l);
    return 0;
}

void live_ask(struct live *l, bool force)
{
    pthread_mutex_lock(&l->lock);
    l->asked = true;
    l->forced = l->forced || force;
    pthread_mutex_unlock(&l->lock);
    wake(l);
}

int live_ready(struct live *l, struct live_set *out, struct err *e)
{
    int rc = 0;

    pthread_mutex_lock(&l->lock);
    if (l->phase == READY) {
        *out = l->fresh;
        l->fresh = (struct live_set){ .set = NULL };
        l->phase = HANDED;
        rc = 1;
    } else if (l->rc < 0) {
        rc = l->rc;
        *e = l->err;
        l->rc = 0;
    }
    pthread_mutex_unlock(&l->lock);
    return rc;
}

int live_since(struct live *l, uint64_t seq, uint64_t saved, uint64_t hash, const struct sigma *now, struct live_set *former, struct err *e)
{
    int rc = 0;

    pthread_mutex_lock(&l->lock);
    l->sets.stopped = false;
    sets_add(&l->sets, seq, hash, saved);
    l->now = now;
    if (former) {
        l->former = *former;
        *former = (struct live_set){ .set = NULL };
    }
    if (l->started)
        l->phase = TAKEN;
    pthread_mutex_unlock(&l->lock);
    if (l->started) {
        wake(l);
        return 0;
    }
    rc = sets_write(l->state, &l->sets, e);
    if (l->former.run) {
        free(l->carry);
        l->carry = live_costs(&l->former, l->now);
    }
    live_set_free(&l->former);
    if (rc == 0)
        sets_clean(l->state, &l->sets);
    return rc;
}

bool live_settled(struct live *l, char *trouble, size_t room)
{
    bool settled;

    pthread_mutex_lock(&l->lock);
    settled = l->phase == IDLE || l->phase == READY;
    if (trouble)
        snprintf(trouble, room, "%s", l->trouble);
    pthread_mutex_unlock(&l->lock);
    return settled;
}

bool live_wait(struct live *l)
{
    bool settled;

    pthread_mutex_lock(&l->lock);
    while (l->started && l->phase == TAKEN && !*l->trouble)
        pthread_cond_wait(&l->settled, &l->lock);
    settled = l->phase != TAKEN;
    pthread_mutex_unlock(&l->lock);
    return settled;
}

bool live_do(struct live *l, enum live_job job, live_work *work, void *arg)
{
    struct job *j = &l->jobs[job];
    bool taken;

    pthread_mutex_lock(&l->lock);
    taken = !j->work;
    if (taken)
        *j = (struct job){ .work = work, .arg = arg };
    pthread_mutex_unlock(&l->lock);
    if (taken && l->started)
        wake(l);
    else if (taken)
        work_one(l, j);
    return taken;
}

int live_done(struct live *l, enum live_job job, int *answer, struct err *e)
{
    struct job *j = &l->jobs[job];
    bool over;

    pthread_mutex_lock(&l->lock);
    over = j->work && j->worked;
    if (over) {
        j->work = NULL;
        *answer = j->rc;
        if (e)
            *e = j->err;
    }
    pthread_mutex_unlock(&l->lock);
    return over ? 0 : 1;
}

struct sigma_cost *live_carry(struct live *l)
{
    struct sigma_cost *c;

    pthread_mutex_lock(&l->lock);
    c = l->carry;
    l->carry = NULL;
    pthread_mutex_unlock(&l->lock);
    return c;
}

struct sets *live_sets(struct live *l) { return &l->sets; }

int live_stop(struct live *l, uint64_t seq, struct err *e)
{
    int rc;

    if (!live_wait(l))
        return err_set(e, -EIO, "%s", l->trouble);
    measured_save(l);
    pthread_mutex_lock(&l->lock);
    l->sets.stopped = true;
    l->sets.stop = seq;
    rc = sets_write(l->state, &l->sets, e);
    pthread_mutex_unlock(&l->lock);
    return rc;
}
