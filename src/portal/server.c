/* server.c - see portal.h: opening, the loop and its events, closing. */
#include "base/file.h"
#include "base/log.h"
#include "pki/pki.h"
#include "portal/internal.h"

#include <event2/event.h>
#include <event2/listener.h>
#include <netdb.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#define I18N_BYTES_MAX MIB
#define PUBLISH_NS     (2 * NS_PER_SECOND)

#ifndef PORTAL_CORE_ONLY
/* open_links - the listener for other nodes and the thread that connects to them. */
static int open_links(struct portal *p, struct err *e)
{
    struct desk_setup s = {
        .node = p->setup.node, .world = p->setup.world, .catalog = p->catalog, .changed = portal_changed, .changed_arg = p,
    };
    int rc = link_listener_open(p, &p->link, e);

    return rc == 0 ? link_client_start(&s, &p->link_client, e) : rc;
}
#else
static int open_links(struct portal *p, struct err *e)
{
    (void)p;
    (void)e;
    return 0;
}
#define link_listener_tick(l, now) ((void)(l), (void)(now))
#define link_listener_stop(l)      ((void)(l))
#define link_listener_free(l)      ((void)(l))
#define link_client_stop(l)        ((void)(l))
#endif

static void register_metrics(struct portal *p)
{
    static const char *const classes[6] = {
        "class=\"none\"", "class=\"1xx\"", "class=\"2xx\"", "class=\"3xx\"", "class=\"4xx\"", "class=\"5xx\"",
    };
    struct metrics *m = &p->metrics;

    for (size_t i = 0; i < COUNT(classes); i++)
        p->m.requests[i] = metrics_cell(m, "saqshy_portal_requests_total", classes[i], false,
                                        "answers by class of status; none: the TLS handshake was not finished in time");
    p->m.micros = metrics_cell(m, "saqshy_portal_request_microseconds_total", NULL, false, "time from head to answer, summed");
    p->m.connections = metrics_cell(m, "saqshy_portal_connections", NULL, true, "open connections");
    p->m.streams = metrics_cell(m, "saqshy_portal_stream_clients", NULL, true, "clients of server-sent events");
    p->m.refused_connections = metrics_cell(m, "saqshy_portal_refused_connections_total", NULL, false,
                                            "connections closed at once: too many in all or from one address");
    p->m.busy = metrics_cell(m, "saqshy_portal_busy_total", NULL, false, "requests refused because too much work waited");
    p->m.open_cases = metrics_cell(m, "saqshy_desk_open_cases", NULL, true, "cases that are not closed");
    p->m.running_clocks = metrics_cell(m, "saqshy_desk_running_clocks", NULL, true, "duties that run, late ones too");
    p->m.overdue_clocks = metrics_cell(m, "saqshy_desk_overdue_clocks", NULL, true, "duties that run and are late");
    p->m.letters_queued = metrics_cell(m, "saqshy_desk_letters_queued", NULL, true, "letters that wait to be sent");
    p->m.letters_failed = metrics_cell(m, "saqshy_desk_letters_failed", NULL, true, "letters that were given up");
    p->m.rows_waiting = metrics_cell(m, "saqshy_desk_rows_waiting", NULL, true, "reminders, marks and terms that could not be written and are tried again");
    p->m.findings_waiting = metrics_cell(m, "saqshy_desk_findings_waiting", NULL, true, "findings that could not become cases, are kept and tried again");
    p->m.policies_wrong = metrics_cell(m, "saqshy_desk_policies_wrong", NULL, true, "files of DATA/policy that are wrong and left out by the desk");
    p->m.files_swept = metrics_cell(m, "saqshy_desk_files_swept_total", NULL, false, "files of refused acts that no row knows, taken away");
    p->m.findings_taken = metrics_cell(m, "saqshy_desk_findings_taken_total", NULL, false, "findings read into cases");
    p->m.link_waiting = metrics_cell(m, "saqshy_link_waiting", NULL, true, "envelopes for other nodes that are not acknowledged");
    p->m.link_oldest = metrics_cell(m, "saqshy_link_oldest_seconds", NULL, true, "how long the oldest of them waits");
    p->m.link_refused = metrics_cell(m, "saqshy_link_refused", NULL, true, "envelopes that other nodes refused");
    p->m.link_unapplied = metrics_cell(m, "saqshy_link_steps_unapplied", NULL, true, "steps of other nodes that could not be repeated here");
    p->m.link_held = metrics_cell(m, "saqshy_link_steps_held", NULL, true, "steps that the label of their case, or their size, keeps here");
    p->m.sessions = metrics_cell(m, "saqshy_desk_sessions", NULL, true, "sessions that are not idle for too long");
    p->m.dropped = metrics_cell(m, "saqshy_portal_tail_dropped_total", NULL, false, "events not shown to slow readers of the tail");
}

static void publish(struct portal *p)
{
    char path[4096];
    struct err e;

    /* A full disk shows in /health: our own file is then old, and the next turn tries again. */
    if (metrics_publish(&p->metrics, node_path(p->setup.node, "run/metrics-desk.prom", path), &e) < 0)
        log_line(LOG_WARN, "could not publish metrics", "error.message", e.text, NULL);
}

/* --- the desk's numbers --- */

static void count_run(struct job *j, unsigned worker)
{
    struct count_job *c = (struct count_job *)(void *)j;
    struct err e;

    pictures_look(c->portal->pictures);
    c->known = desk_count(c->portal->desk[worker], clock_now(), &c->counts, &e) == 0;
}

static void count_done(struct job *j)
{
    struct count_job *c = (struct count_job *)(void *)j;
    const struct portal_metrics *m = &c->portal->m;

    c->busy = false;
    if (!c->known)
        return; /* the old numbers stay; the next turn asks again */
    metric_set(m->open_cases, c->counts.open_cases);
    metric_set(m->running_clocks, c->counts.running_clocks);
    metric_set(m->overdue_clocks, c->counts.overdue_clocks);
    metric_set(m->letters_queued, c->counts.letters_queued);
    metric_set(m->letters_failed, c->counts.letters_failed);
    metric_set(m->rows_waiting, c->counts.rows_waiting);
    metric_set(m->findings_waiting, c->counts.findings_waiting);
    metric_set(m->policies_wrong, c->counts.policies_wrong);
    metric_set(m->files_swept, c->counts.files_swept);
    metric_set(m->findings_taken, c->counts.findings_taken);
    metric_set(m->link_waiting, c->counts.link_waiting);
    metric_set(m->link_oldest, c->counts.link_oldest_s);
    metric_set(m->link_refused, c->counts.link_refused);
    metric_set(m->link_unapplied, c->counts.link_unapplied);
    metric_set(m->link_held, c->counts.link_held);
    metric_set(m->sessions, c->counts.sessions);
}

static void ask_counts(struct portal *p, int64_t now)
{
    if (p->count.busy || (p->counted && now - p->counted < COUNT_NS))
        return;
    p->counted = now;
    p->count = (struct count_job){ .job = { .run = count_run, .done = count_done }, .portal = p };
    p->count.busy = pool_submit(p->pool, &p->count.job, LANE_DESK) == 0;
}

/* --- the loop's events --- */

static void on_accept(struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *from, int n, void *arg)
{
    (void)l;
    (void)n;
    conn_accept(arg, fd, from);
}

static void on_accept_error(struct evconnlistener *l, void *arg)
{
    (void)arg;
    /* Out of descriptors: on_tick enables it again. */
    log_line(LOG_WARN, "could not accept a connection, pausing", "error.message", strerror(errno), NULL);
    evconnlistener_disable(l);
}

/* renewed_stamp - of the certificate that the role keys has made since --init; 0: none. */
static uint64_t renewed_stamp(const struct portal *p, char path[4096])
{
    struct stat st;

    if (stat(node_path(p->setup.node, "pki/server/server.pem", path), &st) < 0)
        return 0;
    return ((uint64_t)st.st_mtim.tv_sec * 1000000000u + (uint64_t)st.st_mtim.tv_nsec) ^ (uint64_t)st.st_ino << 1 ^ 1;
}

static int open_tls(struct portal *p, struct ssl_ctx_st **out, struct err *e);

/* take_renewed - a changed certificate, for connections from now on. The key is there before its certificate (pki.h). */
static void take_renewed(struct portal *p)
{
    struct ssl_ctx_st *fresh;
    char path[4096];
    struct err e;

    if (renewed_stamp(p, path) == p->tls_stamp)
        return;
    if (open_tls(p, &fresh, &e) < 0) {
        log_line(LOG_ERROR, "cannot take the changed certificate, the old one stays in force", "error.message", e.text, NULL);
        return;
    }
    pki_context_free(&p->tls);
    p->tls = fresh;
    log_line(LOG_INFO, "took a changed certificate", "file.path", path, NULL);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    struct portal *p = arg;
    int64_t now = clock_steady();

    (void)fd;
    (void)what;
    evconnlistener_enable(p->listener);
    conn_sweep(p, now);
    link_listener_tick(p->link, now);
    take_renewed(p);
    ask_counts(p, now);
    if (now - p->published < PUBLISH_NS)
        return;
    p->published = now;
    publish(p);
}

static void on_done(evutil_socket_t fd, short what, void *arg)
{
    struct portal *p = arg;
    struct job *j;

    (void)fd;
    (void)what;
    while ((j = pool_done(p->pool)) != NULL)
        j->done(j);
}

static void on_changed(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    stream_changes(arg);
}

static void on_tail(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    stream_tails(arg);
}

static void on_stop(evutil_socket_t fd, short what, void *arg)
{
    struct portal *p = arg;

    (void)fd;
    (void)what;
    event_base_loopbreak(p->base);
}

static int watch(struct portal *p, int fd, short what, event_callback_fn fn, const struct timeval *every, struct err *e)
{
    struct event *ev = event_new(p->base, fd, (short)(what | EV_PERSIST), fn, p);

    if (ev && p->event_count < COUNT(p->event))
        p->event[p->event_count++] = ev;
    if (!ev || event_add(ev, every) < 0)
        return err_set(e, -ENOMEM, "could not watch a descriptor");
    return 0;
}

static int watch_all(struct portal *p, struct err *e)
{
    static const struct timeval second = { 1, 0 };
    int rc = watch(p, -1, 0, on_tick, &second, e);

    if (rc == 0)
        rc = watch(p, pool_fd(p->pool), EV_READ, on_done, NULL, e);
    if (rc == 0)
        rc = watch(p, p->changed_fd, EV_READ, on_changed, NULL, e);
    if (rc == 0)
        rc = watch(p, tail_fd(p->tail), EV_READ, on_tail, NULL, e);
    if (rc == 0)
        rc = watch(p, p->stop_fd, EV_READ, on_stop, NULL, e);
    if (rc == 0)
        rc = watch(p, SIGTERM, EV_SIGNAL, on_stop, NULL, e);
    return rc == 0 ? watch(p, SIGINT, EV_SIGNAL, on_stop, NULL, e) : rc;
}

/* --- opening --- */

/* split_address - "host:port", "[v6]:port". */
static int split_address(const char *setting, const char *text, char host[256], char port[16], struct err *e)
{
    const char *colon = strrchr(text, ':');
    size_t n = colon ? (size_t)(colon - text) : 0;

    if (n >= 2 && text[0] == '[' && text[n - 1] == ']') {
        text++;
        n -= 2;
    }
    if (!colon || n >= 256 || strlen(colon + 1) >= 16 || colon[1] == 0)
        return err_set(e, -EINVAL, "%s: \"address:port\" is expected, not \"%.100s\"", setting, text);
    memcpy(host, text, n);
    host[n] = 0;
    snprintf(port, 16, "%s", colon + 1);
    return 0;
}

static int port_of(struct evconnlistener *l)
{
    struct sockaddr_storage at;
    socklen_t n = sizeof at;

    if (getsockname(evconnlistener_get_fd(l), (struct sockaddr *)&at, &n) < 0)
        return 0;
    return ntohs(at.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&at)->sin6_port : ((struct sockaddr_in *)&at)->sin_port);
}

int portal_listen(struct portal *p, const char *setting, const char *text, portal_accept *on, portal_accept_error *failed_on, void *arg,
                  struct evconnlistener **out, int *bound, struct err *e)
{
    struct addrinfo hints = { .ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM }, *found = NULL;
    char host[256], port[16];
    int rc = split_address(setting, text, host, port, e), failed;

    if (rc < 0)
        return rc;
    failed = getaddrinfo(*host ? host : NULL, port, &hints, &found);
    if (failed)
        return err_set(e, -EINVAL, "%s \"%.100s\": %s", setting, text, gai_strerror(failed));
    *out = evconnlistener_new_bind(p->base, on, arg, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE, 128, found->ai_addr,
                                   (int)found->ai_addrlen);
    freeaddrinfo(found);
    if (!*out)
        return err_sys(e, "could not listen on \"%.100s\"", text);
    evconnlistener_set_error_cb(*out, failed_on);
    *bound = port_of(*out);
    return 0;
}

static int load_texts(struct portal *p, struct err *e)
{
    for (enum lang l = 0; l < LANG_COUNT; l++) {
        char path[4200];
        int rc;

        snprintf(path, sizeof path, "%s/i18n/%s.json", p->setup.node->content, lang_name(l));
        rc = file_read(path, I18N_BYTES_MAX, &p->i18n[l], e);
        if (rc < 0)
            return rc;
    }
    return files_load(p->setup.node->web, &p->files, e);
}

static int open_desks(struct portal *p, struct err *e)
{
    struct desk_setup s = {
        .node = p->setup.node, .world = p->setup.world, .catalog = p->catalog, .changed = portal_changed, .changed_arg = p,
    };
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < POOL_THREADS; i++)
        rc = desk_open(&s, &p->desk[i], e);
    return rc == 0 ? desk_worker_start(&s, &p->worker, e) : rc;
}

/* open_tls - from what was renewed (DATA/pki/server), else what was made at first. No tickets, no sessions: a ticket would let a stolen key open old
 * sessions; the handshake is cheap enough. */
static int open_tls(struct portal *p, struct ssl_ctx_st **out, struct err *e)
{
    char cert[4096], key[4096];

    p->tls_stamp = renewed_stamp(p, cert);
    if (p->tls_stamp) {
        node_path(p->setup.node, "pki/server/server.key", key);
    } else {
        node_path(p->setup.node, "pki/server.pem", cert);
        node_path(p->setup.node, "pki/server.key", key);
    }
    int rc = pki_listener_context(&(struct pki_files){ .cert = cert, .key = key }, 0, out, e);

    /* As browsers have known this server from the beginning: two tickets, which open nothing. */
    if (rc == 0)
        SSL_CTX_set_num_tickets(*out, 2);
    return rc;
}

static int open_all(struct portal *p, struct err *e)
{
    char path[4096];
    int rc;

    p->stop_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    p->changed_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    p->base = event_base_new();
    if (p->stop_fd < 0 || p->changed_fd < 0 || !p->base)
        return err_set(e, -ENOMEM, "could not make an event loop");
    rc = portal_listen(p, "portal.listen", p->setup.node->portal, on_accept, on_accept_error, p, &p->listener, &p->port, e);
    if (rc == 0)
        rc = open_tls(p, &p->tls, e);
    if (rc == 0)
        rc = load_texts(p, e);
    if (rc == 0)
        rc = open_desks(p, e);
    if (rc == 0)
        rc = tail_open(node_path(p->setup.node, "journal", path), &p->tail, e);
    if (rc == 0)
        rc = pictures_new(p->setup.node, &p->pictures, e);
    if (rc == 0)
        rc = pool_open(&p->pool, e);
    if (rc == 0)
        rc = open_links(p, e);
    return rc == 0 ? watch_all(p, e) : rc;
}

int portal_open(const struct portal_setup *setup, struct portal **out, struct err *e)
{
    struct portal *p = calloc(1, sizeof *p);
    int rc;

    *out = NULL;
    if (!p)
        return err_set(e, -ENOMEM, "no memory for the portal");
    p->setup = *setup;
    p->catalog = setup->catalog;
    p->started = clock_steady();
    p->stop_fd = p->changed_fd = -1;
    pthread_mutex_init(&p->lock, NULL);
    for (enum lang l = 0; l < LANG_COUNT; l++)
        buf_init(&p->i18n[l], I18N_BYTES_MAX + 1);
    register_metrics(p);
    rc = open_all(p, e);
    if (rc < 0) {
        portal_close(&p);
        return rc;
    }
    *out = p;
    return 0;
}

int portal_port(const struct portal *p)
{
    return p->port;
}

int portal_run(struct portal *p, struct err *e)
{
    publish(p);
    p->published = clock_steady();
    return event_base_dispatch(p->base) < 0 ? err_set(e, -EIO, "the event loop failed") : 0;
}

void portal_stop(struct portal *p)
{
    uint64_t one = 1;

    if (write(p->stop_fd, &one, sizeof one) < 0)
        return; /* it has been told already */
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* Connections first, so that work still running finds nobody to answer; then the work; then what both used. */
void portal_close(struct portal **out)
{
    struct portal *p = *out;
    struct job *j;

    if (!p)
        return;
    if (p->listener)
        evconnlistener_free(p->listener);
    while (p->conns)
        conn_close(p->conns);
    link_listener_stop(p->link);
    if (p->pool) {
        pool_close(p->pool);
        while ((j = pool_done(p->pool)) != NULL)
            j->done(j);
    }
    /* Neither pokes nor changes come from here on. */
    link_listener_free(&p->link);
    link_client_stop(&p->link_client);
    if (p->worker)
        desk_worker_stop(&p->worker);
    tail_close(&p->tail);
    pool_free(&p->pool);
    pictures_free(&p->pictures);
    for (size_t i = 0; i < p->event_count; i++)
        event_free(p->event[i]);
    for (size_t i = 0; i < POOL_THREADS; i++)
        desk_close(&p->desk[i]);
    /* Deferred frees of connections run in one last turn. */
    if (p->base) {
        event_base_loop(p->base, EVLOOP_NONBLOCK);
        event_base_free(p->base);
    }
    pki_context_free(&p->tls);
    files_free(&p->files);
    for (enum lang l = 0; l < LANG_COUNT; l++)
        buf_free(&p->i18n[l]);
    close_fd(&p->stop_fd);
    close_fd(&p->changed_fd);
    pthread_mutex_destroy(&p->lock);
    free(p);
    *out = NULL;
}
