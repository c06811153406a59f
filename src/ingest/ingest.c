/* ingest.c - the loop: listeners open, lines gather in piles, piles go to the worker, answers come back. */
#include "ingest/internal.h"
#include "ingest/profiles.h"
#include "ingest/tokens.h"
#include "ingest/wef.h"
#include "base/file.h"
#include "base/log.h"
#include "parse/edges.h"

#include <event2/event.h>
#include <signal.h>
#include <sys/resource.h>

#define TICK_S           1
#define AUDIT_WAIT_MS    200     /* for the records of one audit event to come together: a sender of halves delays others no longer */
#define AUDIT_LOOK       64u     /* lines */
#define DESCRIPTORS_KEPT 256     /* for the journal, answers and whatever else is opened */
#define PICTURE_MAX      (4u * MIB)
#define STOP_GRACE_MS    3000    /* unanswered requests may still be answered */
#define LAST_TURNS       1000    /* of the loop, for what was put off */
#define STOP_LINGER_MS   100     /* the last answers leave the sockets */

/* pause_reading - of the kinds that are patient, or of the others. */
static void pause_reading(struct ingest *in, bool patient, bool paused)
{
    bool *now = patient ? &in->patient_paused : &in->paused;

    if (*now == paused)
        return;
    *now = paused;
    for (struct listener *l = in->listeners; l; l = l->next)
        if (l->kind->pause && l->kind->patient == patient)
            l->kind->pause(l, paused);
}

static bool is_paused(const struct ingest *in, const struct listener_kind *kind) { return kind->patient ? in->patient_paused : in->paused; }

void ingest_flush(struct ingest *in)
{
    struct pile *p = in->open;

    if (!p)
        return;
    /* Not line by line: the worker adds to these cells, too, and what two threads add to is dear. */
    for (size_t i = 0; i < p->sender_count; i++)
        card_add(&in->counters.card[p->senders[i].card].read, p->senders[i].lines);
    in->open = NULL;
    in->open_waited = false;
    event_del(in->open_timer);
    hub_put(&in->hub, p);
    if (hub_weight(&in->hub) > QUEUE_PATIENT_MAX)
        pause_reading(in, true, true);
    if (hub_weight(&in->hub) > QUEUE_BYTES_MAX)
        pause_reading(in, false, true);
}

void ingest_refuse(struct ingest *in, struct card *card, enum refusal why, int64_t count)
{
    metric_add(in->counters.refused[why], count);
    card_add(&card->refused[why], count);
}

/* --- piles of lines, used again and again --- */

static struct pile *spare_take(struct ingest *in)
{
    struct pile *p = in->spare;

    if (!p)
        return pile_new();
    in->spare = p->next;
    p->next = NULL;
    in->spares--;
    in->spares_least = min_size(in->spares_least, in->spares);
    return p;
}

static void spare_give(struct ingest *in, struct pile *p)
{
    if (p->decoder || in->spares >= SPARE_PILES_MAX) {
        pile_free(&p);
        return;
    }
    pile_empty(p);
    p->next = in->spare;
    in->spare = p;
    in->spares++;
}

/* spares_trim - those that nobody needed since the last time. */
static void spares_trim(struct ingest *in)
{
    for (size_t n = in->spares_least; n > 0; n--) {
        struct pile *p = spare_take(in);

        pile_free(&p);
    }
    in->spares_least = in->spares;
}

bool ingest_line(struct ingest *in, const struct sender *s, const struct wire_line *l)
{
    static const struct timeval wait = { 0, PILE_WAIT_MS * 1000 };
    struct card *card = &in->counters.card[s->card];

    if (l->text.n == 0) {
        card_add(&card->read, 1);
        ingest_refuse(in, card, REFUSED_EMPTY, 1);
        return false;
    }
    if (!in->open) {
        in->open = spare_take(in);
        event_add(in->open_timer, &wait);
    }
    if (!in->open || (l->ticket && pile_wait(in->open, l->ticket, l->number) < 0) ||
        pile_add(in->open, s, l->text, l->truncated, l->received) < 0) {
        card_add(&card->read, 1);
        ingest_refuse(in, card, REFUSED_NO_SPACE, 1);
        return false;
    }
    if (in->open->bytes.n >= PILE_BYTES_MAX || in->open->count >= PILE_LINES_MAX)
        ingest_flush(in);
    return true;
}

const char *ingest_busy(struct ingest *in)
{
    if (in->stopping)
        return "stopping";
    return hub_weight(&in->hub) > QUEUE_BYTES_MAX || hub_disk_full(&in->hub) ? "busy, come again" : NULL;
}

void ingest_request(struct ingest *in, struct pile *p, struct ticket *t)
{
    in->requests++;
    if (pile_wait(p, t, 0) < 0) {
        /* Without memory for its ticket nobody could be told: so it is told now. */
        p->status = 503;
        snprintf(p->reason, sizeof p->reason, "no memory, come again");
        in->requests--;
        t->done(t->owner, 0, p);
        pile_free(&p);
        return;
    }
    hub_put(&in->hub, p);
}

/* audit_open - the pile ends within an audit event. Only its last lines are looked at: under load piles are full before their time. */
static bool audit_open(const struct pile *p)
{
    struct edges open = { .count = 0 };

    for (size_t i = p->count > AUDIT_LOOK ? p->count - AUDIT_LOOK : 0; i < p->count; i++)
        edges_line(&open, str_of(p->bytes.p + p->lines[i].at, p->lines[i].n), p->lines[i].sender + 1u);
    return edges_open(&open);
}

/* on_open_timer - the pile goes, save that it waits a little for the other records of an audit event, if nobody waits for an answer. */
static void on_open_timer(evutil_socket_t fd, short what, void *arg)
{
    static const struct timeval wait = { 0, AUDIT_WAIT_MS * 1000 };
    struct ingest *in = arg;

    (void)fd;
    (void)what;
    if (in->open && !in->open_waited && in->open->wait_count == 0 && !in->stopping && audit_open(in->open)) {
        in->open_waited = true;
        event_add(in->open_timer, &wait);
        return;
    }
    ingest_flush(in);
}

static void leave_when_quiet(struct ingest *in)
{
    static const struct timeval linger = { 0, STOP_LINGER_MS * 1000 };

    if (in->stopping && in->requests == 0 && hub_weight(&in->hub) == 0)   /* lines may be waited for too */
        event_base_loopexit(in->base, &linger);
}

static void on_done(evutil_socket_t fd, short what, void *arg)
{
    struct ingest *in = arg;
    struct pile *p, *next;

    (void)fd;
    (void)what;
    for (p = hub_collect(&in->hub); p; p = next) {
        next = p->next;
        in->requests -= p->decoder != NULL;
        pile_tell(p);
        spare_give(in, p);
    }
    if (!in->stopping && hub_weight(&in->hub) < QUEUE_PATIENT_LOW)
        pause_reading(in, true, false);
    if (!in->stopping && hub_weight(&in->hub) < QUEUE_BYTES_LOW)
        pause_reading(in, false, false);
    leave_when_quiet(in);
}

/* draw_picture - DATA/run/ingest.json: tests and people who asked for port 0 read where we listen; `saqshy sources` and the portal, what
 * came. The first members are the ports of the short words. give: the worker is to write it; the first one the loop writes itself, before the
 * worker has any (both would write to one temporary name). */
static void draw_picture(struct ingest *in, bool give)
{
    time_ns now = clock_now();
    struct buf *b = &in->picture;

    pthread_mutex_lock(&in->hub.lock);
    buf_reset(b);
    buf_printf(b, "{\"pid\":%d", (int)getpid());
    for (int k = 0; k < LISTEN_KIND_COUNT; k++) {
        uint16_t port = 0;

        for (struct listener *l = in->listeners; l; l = l->next)
            if (strcmp(l->conf.id, listen_kind_name((enum listen_kind)k)) == 0 && l->kind->port)
                port = l->kind->port(l);
        buf_printf(b, ",\"%s\":%u", listen_kind_name((enum listen_kind)k), port);
    }
    buf_str(b, STR(",\"at\":\""));
    buf_time(b, now);
    buf_printf(b, "\",\"config\":{\"number\":%llu,\"error\":", (unsigned long long)in->config_number);
    buf_json(b, str_c(in->config_error));
    buf_str(b, STR("},\"listeners\":["));
    for (struct listener *l = in->listeners; l; l = l->next) {
        buf_printf(b, "%s\n{\"id\":\"%s\",\"kind\":\"%s\",\"address\":", l == in->listeners ? "" : ",", l->conf.id,
                   listen_kind_name(l->conf.kind));
        buf_json(b, str_c(l->conf.address));
        buf_printf(b, ",\"port\":%u,\"tls\":%s,\"client\":\"%s\",\"paused\":%s,", l->kind->port ? l->kind->port(l) : 0,
                   l->conf.tls ? "true" : "false", listen_client_name(l->conf.client), is_paused(in, l->kind) ? "true" : "false");
        counters_json(l->card, now, b);
        if (l->kind->report)
            l->kind->report(l, b);
        buf_byte(b, '}');
    }
    buf_str(b, STR("\n],\"peers\":["));
    peers_json(in->peers, b);
    buf_str(b, STR("\n]}\n"));
    in->picture_new = give && !buf_failed(b);
    pthread_mutex_unlock(&in->hub.lock);
}

/* see_off - listeners that were taken out, once their last answer has left. */
static void see_off(struct ingest *in)
{
    struct listener **at = &in->leaving, *l;

    while ((l = *at) != NULL) {
        if (l->kind->busy && l->kind->busy(l)) {
            at = &l->next;
            continue;
        }
        *at = l->next;
        l->kind->close(l);
    }
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    struct ingest *in = arg;
    time_ns now = clock_now();

    (void)fd;
    (void)what;
    for (struct listener *l = in->listeners; l; l = l->next)
        if (l->kind->tick)
            l->kind->tick(l);
    see_off(in);
    spares_trim(in);
    for (size_t i = 0; i < in->counters.cards; i++) {
        struct card *c = &in->counters.card[i];
        int64_t read = card_get(&c->read);

        rate_add(&c->rate, (uint64_t)(read - c->rate_seen), now);
        c->rate_seen = read;
    }
    draw_picture(in, true);
}

/* on_stop - no new bytes; what was read is stored, and whoever waits for an answer gets it. */
static void on_stop(evutil_socket_t fd, short what, void *arg)
{
    static const struct timeval grace = { STOP_GRACE_MS / 1000, 0 };
    struct ingest *in = arg;

    (void)fd;
    (void)what;
    if (in->stopping)
        return;
    in->stopping = true;
    for (struct listener *l = in->listeners; l; l = l->next)
        l->kind->stop_accepting(l);
    ingest_flush(in);
    event_base_loopexit(in->base, &grace);
    leave_when_quiet(in);
}

static int open_listener(struct ingest *in, const struct listen_conf *c, struct err *e)
{
    const struct listener_kind *kind = listener_kind_find(c->kind);
    struct listener *l, **at = &in->listeners;
    int rc = kind->open(in, c, &l, e);

    if (rc < 0)
        return rc;
    while (*at)
        at = &(*at)->next;
    *at = l;
    if (is_paused(in, kind) && kind->pause)
        kind->pause(l, true);
    log_line(LOG_INFO, "listening", "saqshy.listener", c->id, "saqshy.kind", listen_kind_name(c->kind), "server.address", c->address, NULL);
    return 0;
}

static int open_listeners(struct ingest *in, struct err *e)
{
    char path[4096];
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < in->options->listen->listener_count; i++)
        rc = open_listener(in, &in->options->listen->listeners[i], e);
    if (rc < 0)
        return rc;
    draw_picture(in, false);
    snprintf(path, sizeof path, "%s/run/ingest.json", in->options->data);
    return file_write_atomic(path, buf_view(&in->picture), 0640, e);
}

/* --- another configuration --- */

static const struct listen_conf *conf_of(const struct listen_table *t, const char *id)
{
    for (size_t i = 0; i < t->listener_count; i++)
        if (strcmp(t->listeners[i].id, id) == 0)
            return &t->listeners[i];
    return NULL;
}

/* take_out - a listener leaves the list; what it read goes its way, answers that are due are still given. */
static void take_out(struct ingest *in, struct listener **at)
{
    struct listener *l = *at;

    *at = l->next;
    l->kind->stop_accepting(l);
    ingest_flush(in);
    l->next = in->leaving;
    in->leaving = l;
    log_line(LOG_INFO, "listening no more", "saqshy.listener", l->conf.id, NULL);
}

/* change_listener - the one at *at becomes as c says. 1: it was taken out, to be opened anew. */
static int change_listener(struct ingest *in, struct listener **at, const struct listen_conf *c, struct err *e)
{
    struct listener *l = *at;
    int rc = l->conf.kind == c->kind && l->kind->change ? l->kind->change(l, c, e) : 1;

    if (rc == 0)
        log_line(LOG_INFO, "listening as changed", "saqshy.listener", c->id, "server.address", c->address, NULL);
    if (rc == 1)
        take_out(in, at);
    return rc;
}

/* change_listeners - remove, change, add, in this order, so that an address may pass from one to another. A listener that cannot be had as
 * the new configuration says is told, and does not keep the others from it. */
static void change_listeners(struct ingest *in, const struct listen_table *t)
{
    struct listener **at = &in->listeners;
    struct err e = { 0 };

    while (*at) {
        const struct listen_conf *c = conf_of(t, (*at)->conf.id);
        int rc = !c ? 1 : listen_conf_same(c, &(*at)->conf) ? 0 : change_listener(in, at, c, &e);

        if (!c)
            take_out(in, at);
        else if (rc != 1)
            at = &(*at)->next;
        if (rc < 0) {
            snprintf(in->config_error, sizeof in->config_error, "listener \"%s\" stays as it was: %.300s", c->id, e.text);
            log_line(LOG_ERROR, "could not change a listener, it stays as it was", "saqshy.listener", c->id, "error.message", e.text, NULL);
        }
    }
    see_off(in);
    for (size_t i = 0; i < t->listener_count; i++) {
        const struct listen_conf *c = &t->listeners[i];
        bool there = false;

        for (struct listener *l = in->listeners; l; l = l->next)
            there = there || strcmp(l->conf.id, c->id) == 0;
        if (there || open_listener(in, c, &e) == 0)
            continue;
        snprintf(in->config_error, sizeof in->config_error, "listener \"%s\": %.300s", c->id, e.text);
        log_line(LOG_ERROR, "could not open a listener", "saqshy.listener", c->id, "error.message", e.text, NULL);
    }
}

static void on_hangup(evutil_socket_t fd, short what, void *arg)
{
    struct ingest *in = arg;
    struct ingest_options fresh = *in->options;
    struct profiles *p = NULL, *old;
    struct err e = { 0 };
    int rc = in->options->reload ? in->options->reload(in->options->arg, &fresh, &e) : err_set(&e, -ENOTSUP, "there is nothing to read again");

    (void)fd;
    (void)what;
    if (in->stopping)
        return;
    if (rc == 0)
        rc = profiles_new(&fresh, &p, &e);
    in->config_number++;
    snprintf(in->config_error, sizeof in->config_error, "%s", rc < 0 ? e.text : "");
    if (rc < 0) {
        log_line(LOG_ERROR, "cannot take the changed configuration, the old one stays in force", "error.message", e.text, NULL);
    } else {
        pthread_mutex_lock(&in->hub.lock);
        old = in->profiles;
        in->profiles = p;
        pthread_mutex_unlock(&in->hub.lock);
        profiles_free(&old);
        change_listeners(in, fresh.listen);
        log_line(LOG_INFO, "took the configuration again", NULL);
    }
    draw_picture(in, true);
}

static int open_loop(struct ingest *in, struct err *e)
{
    static const struct timeval tick = { TICK_S, 0 };

    in->base = event_base_new();
    if (!in->base)
        return err_set(e, -ENOMEM, "no memory for the event loop");
    in->open_timer = evtimer_new(in->base, on_open_timer, in);
    in->done_event = event_new(in->base, in->hub.done_fd, EV_READ | EV_PERSIST, on_done, in);
    in->tick = event_new(in->base, -1, EV_PERSIST, on_tick, in);
    in->term = evsignal_new(in->base, SIGTERM, on_stop, in);
    in->interrupt = evsignal_new(in->base, SIGINT, on_stop, in);
    in->hangup = evsignal_new(in->base, SIGHUP, on_hangup, in);
    if (!in->open_timer || !in->done_event || !in->tick || !in->term || !in->interrupt || !in->hangup ||
        event_add(in->done_event, NULL) < 0 || event_add(in->tick, &tick) < 0 || event_add(in->term, NULL) < 0 ||
        event_add(in->interrupt, NULL) < 0 || event_add(in->hangup, NULL) < 0)
        return err_set(e, -ENOMEM, "no memory for the event loop");
    return 0;
}

/* let_go - connections with callbacks that were put off are freed by the loop, a turn after these; freeing the loop alone loses them. */
static void let_go(struct event_base *base)
{
    for (int i = 0; base && i < LAST_TURNS && event_base_get_num_events(base, EVENT_BASE_COUNT_ACTIVE) > 0; i++)
        if (event_base_loop(base, EVLOOP_NONBLOCK) < 0)
            return;
}

static void close_all(struct ingest *in)
{
    struct event **events[] = { &in->open_timer, &in->done_event, &in->tick, &in->term, &in->interrupt, &in->hangup };

    hub_stop(&in->hub);
    worker_join(&in->worker);
    for (struct listener **list = &in->listeners; list; list = list == &in->listeners ? &in->leaving : NULL)
        for (struct listener *l; (l = *list) != NULL;) {
            *list = l->next;
            l->kind->close(l);
        }
    pile_free(&in->open);
    in->spares_least = in->spares;
    spares_trim(in);
    for (size_t i = 0; i < COUNT(events); i++)
        if (*events[i])
            event_free(*events[i]);
    let_go(in->base);
    if (in->base)
        event_base_free(in->base);
    crowds_free(in);
    hub_free(&in->hub);
    peers_free(&in->peers);
    tokens_free(&in->tokens);
    wef_free(&in->wef);
    profiles_free(&in->profiles);
    buf_free(&in->picture);
}

/* descriptors - how many connections all streams may have together. */
static size_t descriptors(void)
{
    struct rlimit r;

    if (getrlimit(RLIMIT_NOFILE, &r) < 0 || r.rlim_cur == RLIM_INFINITY)
        return 65536;
    return r.rlim_cur > 2 * DESCRIPTORS_KEPT ? (size_t)r.rlim_cur - DESCRIPTORS_KEPT : (size_t)r.rlim_cur / 2;
}

int ingest_run(const struct ingest_options *o, struct err *e)
{
    struct ingest *in = calloc(1, sizeof *in);
    char run[4096];
    int rc;

    if (!in)
        return err_set(e, -ENOMEM, "no memory for ingest");
    in->options = o;
    counters_init(&in->counters);
    signal(SIGPIPE, SIG_IGN);
    buf_init(&in->picture, PICTURE_MAX);
    in->connections_max = descriptors();
    rc = hub_init(&in->hub, e);
    if (rc < 0) {
        free(in);
        return rc;
    }
    snprintf(run, sizeof run, "%s/run", o->data);
    rc = file_mkdirs(run, 0750, e);
    if (rc == 0)
        rc = peers_new(&in->peers, e);
    if (rc == 0)
        rc = open_loop(in, e);
    if (rc == 0)
        rc = worker_start(in, &in->worker, e);
    if (rc == 0)
        rc = open_listeners(in, e);
    if (rc == 0 && event_base_dispatch(in->base) < 0)
        rc = err_set(e, -EIO, "the event loop failed");
    close_all(in);
    free(in);
    return rc;
}
