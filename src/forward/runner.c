/* runner.c - the thread of one upstream: journal → filter → kind, and the cursor behind what is acknowledged.
 *
 * Failing is ordinary here. Whatever goes wrong, the connection is given up, the thread pauses (longer each time, by a random part, so that a hundred
 * collectors do not all come back in the same second), and reads again from the first event that was not acknowledged. While it pauses it holds no
 * memory of the journal. */
#include "forward/internal.h"
#include "base/log.h"
#include "journal/journal.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/random.h>

#define BATCH_KEEP      (8u * MIB)
#define KEEP_NS         (200 * NS_PER_MS)   /* the cursor's file is synced no more often than so */
#define CERTS_NS        (5 * NS_PER_SECOND)
#define IDLE_MS         200
#define PAUSE_MS        1000             /* the first one */
#define TOLD_NS         NS_PER_HOUR      /* a failure that goes on is told again */
#define SHORT_NS        (10 * NS_PER_SECOND)

static void set_state(struct runner *r, const char *state, const struct err *e)
{
    pthread_mutex_lock(&r->lock);
    snprintf(r->state, sizeof r->state, "%s", state);
    if (e) {
        snprintf(r->error, sizeof r->error, "%s", e->text);
        r->error_at = clock_now();
    }
    pthread_mutex_unlock(&r->lock);
}

static void clear_error(struct runner *r)
{
    pthread_mutex_lock(&r->lock);
    r->error[0] = 0;
    pthread_mutex_unlock(&r->lock);
}

static void take_filter(struct runner *r)
{
    struct query *fresh;

    pthread_mutex_lock(&r->lock);
    fresh = r->fresh;
    r->fresh = NULL;
    pthread_mutex_unlock(&r->lock);
    if (!fresh)
        return;
    query_free(&r->query);
    r->query = fresh;
}

int runner_filter(struct runner *r, const struct upstream_conf *c, struct err *e)
{
    struct query *q = NULL, *old;
    char *text = strdup(c->filter);
    int rc = text ? query_parse(str_c(c->filter), &q, e) : err_set(e, -ENOMEM, "no memory for a filter");

    if (rc < 0) {
        free(text);
        return rc;
    }
    pthread_mutex_lock(&r->lock);
    old = r->fresh;
    r->fresh = q;
    pthread_mutex_unlock(&r->lock);
    query_free(&old);
    free(r->conf.filter);    /* the thread reads r->query alone */
    r->conf.filter = text;
    return 0;
}

/* keep - the cursor's file follows what is acknowledged. */
static int keep(struct runner *r, bool now, struct err *e)
{
    time_ns at = clock_steady();
    int rc;

    if (r->u.first_seq == r->kept || (!now && at - r->kept_at < KEEP_NS))
        return 0;
    rc = journal_cursor_set(r->journal, r->cursor_name, r->u.first_seq, e);
    r->kept_at = at;
    if (rc == 0)
        r->kept = r->u.first_seq;
    return rc;
}

/* settle - and what it means for the place: with nothing on its way, what did not pass the filter is done too. */
static int settle(struct runner *r, int wait_ms, struct err *e)
{
    int rc = r->u.kind->settle(&r->u, wait_ms, e);

    if (rc < 0)
        return rc;
    r->outstanding = rc > 0;
    if (rc == 0)
        upstream_acked(&r->u, r->covered, 0, 0);
    return rc;
}

/* send_portion - the events [from, to) of the batch: those that pass move together at its head. */
static int send_portion(struct runner *r, size_t from, size_t to, struct err *e)
{
    struct event *items = r->batch.items;
    uint64_t next_seq = items[to - 1].seq + 1;
    size_t count = 0;
    int rc = 0;

    if (query_everything(r->query)) {
        count = to - from;
        items += from;
    } else {
        for (size_t i = from; i < to; i++)
            if (query_match(r->query, &items[i]))
                items[count++] = items[i];
    }
    if (count) {
        r->outstanding = true;
        rc = r->u.kind->send(&r->u, items, count, next_seq, e);
    }
    if (rc < 0)
        return rc;
    r->covered = next_seq;
    while (rc == 1) {
        rc = settle(r, IDLE_MS, e);
        if (rc == 1 && upstream_stopping(&r->u))
            break;
    }
    if (!r->outstanding)
        upstream_acked(&r->u, r->covered, 0, 0);
    return rc < 0 ? rc : keep(r, false, e);
}

/* wanted - of fields of events: those that the filter and the kind look at. */
static bool wanted(const void *arg, struct str name)
{
    const struct runner *r = arg;

    return !r->u.kind->wants || r->u.kind->wants(&r->u, name) || query_looks_at(r->query, name);
}

static void batch_init(struct runner *r)
{
    event_batch_init(&r->batch, JOURNAL_BATCH_BYTES);
    r->batch.wanted = wanted;
    r->batch.wanted_arg = r;
}

static int send_batch(struct runner *r, struct err *e)
{
    int rc = 0;

    for (size_t from = 0; rc == 0 && from < r->batch.count && !upstream_stopping(&r->u); from += UPSTREAM_PORTION)
        rc = send_portion(r, from, min_size(from + UPSTREAM_PORTION, r->batch.count), e);
    return rc;
}

/* idle - nothing new in the journal. */
static int idle(struct runner *r, struct err *e)
{
    int rc = settle(r, r->outstanding ? IDLE_MS : 0, e);

    if (rc >= 0)
        rc = keep(r, !r->outstanding, e) < 0 ? -EIO : rc;
    if (rc == 0)
        journal_reader_wait(r->reader, IDLE_MS);
    return rc < 0 ? rc : 0;
}

/* renewed - the files of certificates are others than those of the connection. Looked at when nothing is on its way. */
static bool renewed(struct runner *r)
{
    time_ns now = clock_steady();

    if (!r->conf.tls || r->outstanding || now - r->certs_at < CERTS_NS)
        return false;
    r->certs_at = now;
    return certs_stamp(&r->conf) != r->certs;
}

/* give_up - the journal keeps no more for it than the configuration allows: told, and written down before the place moves. What is given up is in the store. */
static void give_up(struct runner *r)
{
    uint64_t to = r->skip_to, from = r->u.first_seq;
    struct err e = { 0 };
    char n[24];
    int rc;

    if (to <= from)
        return;
    rc = place_give_up(r->u.data, r->journal, r->conf.name, from, to, &e);
    if (rc == 0) {
        upstream_acked(&r->u, to, 0, 0);
        rc = keep(r, true, &e);
    }
    if (rc == 0)
        r->given_up += to - from;
    log_line(LOG_ERROR, rc == 0 ? "an upstream is too far behind: events of the journal are given up for it; they are in the store, and in forward/given-up.jsonl"
                                : "could not give up what an upstream is behind", "saqshy.upstream", r->conf.name, "saqshy.events",
             log_num((long long)(to - from), n), "error.message", e.text, NULL);
}

/* work - until something fails, or the upstream is to end. 1: the certificates changed; 2: something is to be given up. */
static int work(struct runner *r, struct err *e)
{
    while (!upstream_stopping(&r->u)) {
        int n, rc;

        take_filter(r);    /* first: it says which fields are read */
        n = journal_reader_next(r->reader, &r->batch, NULL, e);
        if (n == -EBADMSG) {
            r->damaged++;
            log_line(LOG_ERROR, "a damaged part of the journal was passed", "saqshy.upstream", r->conf.name, "error.message", e->text, NULL);
            continue;
        }
        if (n < 0)
            return n;
        rc = n ? send_batch(r, e) : idle(r, e);
        if (rc < 0)
            return rc;
        if (r->batch.arena.used_bytes > BATCH_KEEP) {
            event_batch_free(&r->batch);
            batch_init(r);
        }
        if (renewed(r))
            return 1;
        if (r->skip_to > r->u.first_seq)
            return 2;
    }
    return 0;
}

/* begin - connect, and stand at the first event that was not acknowledged. */
static int begin(struct runner *r, struct err *e)
{
    int rc;

    set_state(r, "connecting", NULL);
    r->certs = certs_stamp(&r->conf);
    rc = r->u.kind->connect(&r->u, e);
    if (rc == 0)
        rc = journal_reader_open(r->journal, r->u.first_seq, &r->reader, e);
    if (rc < 0)
        return rc;
    batch_init(r);
    r->covered = r->u.first_seq;
    r->outstanding = false;
    r->connected = true;
    set_state(r, "connected", NULL);
    return 0;
}

static void end(struct runner *r)
{
    r->connected = false;
    r->u.kind->disconnect(&r->u);
    journal_reader_close(&r->reader);
    event_batch_free(&r->batch);
    batch_init(r);
}

/* pause - the longer the more often it failed, by a random half of it. */
static void pause_a_while(struct runner *r)
{
    int64_t most = r->conf.limits.retry_max_s * 1000, ms = PAUSE_MS;
    uint32_t random = 0;

    for (unsigned i = 1; i < r->tries && ms < most; i++)
        ms *= 2;
    ms = ms < most ? ms : most;
    if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
        random = 0;
    if (upstream_wait(&r->u, -1, 0, (int)(ms / 2 + (int64_t)(random % (uint32_t)(ms / 2 + 1)))) == -EINTR)
        return;
}

/* alike - the same words, whatever numbers are in them. */
static bool alike(const char *a, const char *b)
{
    for (;;) {
        while (*a >= '0' && *a <= '9')
            a++;
        while (*b >= '0' && *b <= '9')
            b++;
        if (*a != *b)
            return false;
        if (!*a)
            return true;
        a++;
        b++;
    }
}

/* failed - told once, until the reason is another one or it was long ago: our own log is passed on too, and a connection that comes and goes must not feed
 * itself. */
static void failed(struct runner *r, const struct err *e)
{
    time_ns now = clock_steady();

    r->failures++;
    r->tries++;
    set_state(r, "waiting", e);
    if (r->told[0] && alike(r->told, e->text) && now - r->told_at < TOLD_NS)
        return;
    snprintf(r->told, sizeof r->told, "%s", e->text);
    r->told_at = now;
    log_line(LOG_WARN, "events cannot be passed on now, trying again; they wait in the journal", "saqshy.upstream", r->conf.name, "saqshy.kind",
             upstream_type_name(r->conf.type), "server.address", r->conf.address, "error.message", e->text, NULL);
}

/* welcome - told at the beginning, and after a failure that was told and lasted. */
static void welcome(struct runner *r)
{
    bool first = !r->welcomed, over = r->told[0] && clock_steady() - r->told_at >= SHORT_NS;

    clear_error(r);
    r->welcomed = true;
    if (!first && !over)
        return;
    r->told[0] = 0;
    log_line(LOG_INFO, "passing events on", "saqshy.upstream", r->conf.name, "saqshy.kind", upstream_type_name(r->conf.type), "server.address", r->conf.address,
             NULL);
}

/* goodbye - what is on its way may still be acknowledged. */
static void goodbye(struct runner *r)
{
    struct err e = { 0 };
    int rc = 1;

    while (rc == 1 && upstream_wait(&r->u, -1, 0, 0) != -EINTR)
        rc = settle(r, 50, &e);
    if (keep(r, true, &e) < 0)
        log_line(LOG_WARN, "could not keep the place of an upstream, some events will be passed on again", "saqshy.upstream", r->conf.name, "error.message",
                 e.text, NULL);
}

static void *run(void *arg)
{
    struct runner *r = arg;
    struct err e = { 0 };

    while (!upstream_stopping(&r->u)) {
        uint64_t before;
        int rc;

        give_up(r);
        before = r->u.first_seq;
        rc = r->u.state ? 0 : r->u.kind->open(&r->u, &e);

        if (rc == 0)
            rc = begin(r, &e);
        if (rc == 0) {
            welcome(r);
            rc = work(r, &e);
            if (rc == 0 || rc == 1)
                goodbye(r);
        }
        if (rc == 1)
            log_line(LOG_INFO, "certificates were renewed, connecting anew with them", "saqshy.upstream", r->conf.name, NULL);
        end(r);
        if (r->u.first_seq > before) {
            r->tries = 0;
            (void)keep(r, true, NULL);
        }
        if (rc < 0 && !upstream_stopping(&r->u)) {
            failed(r, &e);
            pause_a_while(r);
        }
    }
    if (r->u.state)
        r->u.kind->close(&r->u);
    set_state(r, "stopped", NULL);
    return NULL;
}

int runner_new(const struct forward_options *o, const struct upstream_conf *c, struct runner **out, struct err *e)
{
    struct runner *r = calloc(1, sizeof *r);
    uint64_t seq = 0;
    int rc;

    if (!r)
        return err_set(e, -ENOMEM, "no memory for an upstream");
    pthread_mutex_init(&r->lock, NULL);
    batch_init(r);
    r->u.stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    rc = r->u.stop_fd < 0 ? err_sys(e, "could not make an event descriptor") : 0;
    snprintf(r->journal, sizeof r->journal, "%.4000s/journal", o->data);
    snprintf(r->cursor_name, sizeof r->cursor_name, PLACE_PREFIX "%s", c->name);
    if (rc == 0 && upstream_conf_copy(c, &r->conf) < 0)
        rc = err_set(e, -ENOMEM, "no memory for an upstream");
    if (rc == 0)
        rc = query_parse(str_c(r->conf.filter), &r->query, e);
    if (rc == 0)
        rc = place_open(r->journal, &r->conf, &seq, r->u.stream, e);
    r->u.kind = upstream_kind_find(c->type);
    r->u.conf = &r->conf;
    r->u.data = o->data;
    r->u.acked = seq;
    r->u.first_seq = r->kept = r->covered = seq;
    snprintf(r->state, sizeof r->state, "%s", c->enabled ? "connecting" : "off");
    if (rc < 0)
        runner_free(&r);
    *out = r;
    return rc;
}

int runner_start(struct runner *r, struct err *e)
{
    if (!r->conf.enabled)
        return 0;
    if (pthread_create(&r->thread, NULL, run, r) != 0)
        return err_set(e, -EAGAIN, "could not start the thread of an upstream");
    r->running = true;
    return 0;
}

void runner_stop(struct runner *r)
{
    if (eventfd_write(r->u.stop_fd, 1) < 0)
        return;    /* it is full: told already */
}

bool runner_ended(struct runner *r)
{
    if (r->running && pthread_tryjoin_np(r->thread, NULL) == 0)
        r->running = false;
    return !r->running;
}

void runner_free(struct runner **p)
{
    struct runner *r = *p;

    if (!r)
        return;
    if (r->u.stop_fd >= 0)
        close(r->u.stop_fd);
    query_free(&r->query);
    query_free(&r->fresh);
    event_batch_free(&r->batch);
    upstream_conf_free(&r->conf);
    pthread_mutex_destroy(&r->lock);
    free(r);
    *p = NULL;
}
