/* ingest.c - the loop: listeners open, lines gather in piles, piles go to the worker, answers come back. */
#include "ingest/internal.h"
#include "base/file.h"
#include "base/log.h"

#include <arpa/inet.h>
#include <event2/event.h>
#include <event2/util.h>
#include <netinet/in.h>
#include <signal.h>

#define TICK_S           10
#define STOP_GRACE_MS    3000    /* unanswered requests may still be answered */
#define STOP_LINGER_MS   100     /* the last answers leave the sockets */

int ingest_address(const char *text, struct sockaddr_storage *out, int *n, struct err *e)
{
    struct str s = str_c(text);
    char host[PEER_TEXT_MAX];
    int len = sizeof *out;

    if (s.n >= sizeof host || str_chr(s, ':') < 0)
        return err_set(e, -EINVAL, "\"%s\" is not ADDRESS:PORT, as in 127.0.0.1:5514 or [::1]:5514", text);
    /* libevent refuses port 0, but takes it from a text without a port. */
    snprintf(host, sizeof host, "%.*s", (int)(str_ends(s, STR(":0")) ? s.n - 2 : s.n), text);
    if (evutil_parse_sockaddr_port(host, (struct sockaddr *)out, &len) < 0)
        return err_set(e, -EINVAL, "\"%s\" is not ADDRESS:PORT, as in 127.0.0.1:5514 or [::1]:5514", text);
    *n = len;
    return 0;
}

void ingest_address_text(const struct sockaddr *sa, char out[PEER_TEXT_MAX], uint16_t *port)
{
    const void *address = NULL;
    uint16_t number = 0;

    if (sa->sa_family == AF_INET) {
        address = &((const struct sockaddr_in *)(const void *)sa)->sin_addr;
        number = ntohs(((const struct sockaddr_in *)(const void *)sa)->sin_port);
    } else if (sa->sa_family == AF_INET6) {
        const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)sa;

        number = ntohs(six->sin6_port);
        address = &six->sin6_addr;
        if (IN6_IS_ADDR_V4MAPPED(&six->sin6_addr)) {   /* the same peer, whichever socket it came by */
            inet_ntop(AF_INET, six->sin6_addr.s6_addr + 12, out, PEER_TEXT_MAX);
            address = NULL;
        }
    }
    if (address)
        inet_ntop(sa->sa_family, address, out, PEER_TEXT_MAX);
    else if (sa->sa_family != AF_INET6)
        out[0] = 0;
    if (port)
        *port = number;
}

static void pause_reading(struct ingest *in, bool paused)
{
    if (in->paused == paused)
        return;
    in->paused = paused;
    udp_pause(in->udp, paused);
    tcp_pause(in->tcp, paused);
}

void ingest_flush(struct ingest *in)
{
    struct pile *p = in->open;

    if (!p)
        return;
    in->open = NULL;
    event_del(in->open_timer);
    hub_put(&in->hub, p);
    if (hub_weight(&in->hub) > QUEUE_BYTES_MAX)
        pause_reading(in, true);
}

void ingest_line(struct ingest *in, enum from from, struct str peer, struct str line, bool truncated, time_ns now)
{
    static const struct timeval wait = { 0, PILE_WAIT_MS * 1000 };

    metric_add(in->counters.read[from], 1);
    if (line.n == 0) {
        metric_add(in->counters.refused[REFUSED_EMPTY], 1);
        return;
    }
    if (!in->open) {
        in->open = pile_new();
        event_add(in->open_timer, &wait);
    }
    if (!in->open || pile_add(in->open, from, peer, line, truncated, now) < 0) {
        metric_add(in->counters.refused[REFUSED_NO_SPACE], 1);
        return;
    }
    if (in->open->bytes.n >= PILE_BYTES_MAX || in->open->count >= PILE_LINES_MAX)
        ingest_flush(in);
}

static void on_open_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    ingest_flush(arg);
}

static void leave_when_quiet(struct ingest *in)
{
    static const struct timeval linger = { 0, STOP_LINGER_MS * 1000 };

    if (in->stopping && in->requests == 0)
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
        if (p->request)
            http_answer(in, p);
        pile_free(&p);
    }
    if (in->paused && !in->stopping && hub_weight(&in->hub) < QUEUE_BYTES_LOW)
        pause_reading(in, false);
    leave_when_quiet(in);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    struct ingest *in = arg;

    (void)fd;
    (void)what;
    tcp_tick(in->tcp);
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
    udp_pause(in->udp, true);
    tcp_close(&in->tcp);
    http_stop_accepting(in->http);
    ingest_flush(in);
    event_base_loopexit(in->base, &grace);
    leave_when_quiet(in);
}

static bool is_set(const char *address) { return address && *address; }

/* publish_ports - tests and people who asked for port 0 read where we listen. */
static int publish_ports(struct ingest *in, struct err *e)
{
    char path[4096];
    AUTO_BUF struct buf b = { 0 };

    buf_init(&b, 4 * KIB);
    buf_printf(&b, "{\"pid\":%d,\"syslog_udp\":%u,\"syslog_tcp\":%u,\"otlp\":%u}\n", (int)getpid(), udp_port(in->udp),
               tcp_port(in->tcp), http_port(in->http));
    snprintf(path, sizeof path, "%s/run/ingest.json", in->options->data);
    return file_write_atomic(path, buf_view(&b), 0640, e);
}

static int open_listeners(struct ingest *in, struct err *e)
{
    const struct ingest_options *o = in->options;
    int rc = 0;

    if (is_set(o->syslog_udp))
        rc = udp_open(in, o->syslog_udp, &in->udp, e);
    if (rc == 0 && is_set(o->syslog_tcp))
        rc = tcp_open(in, o->syslog_tcp, &in->tcp, e);
    if (rc == 0 && is_set(o->otlp))
        rc = http_open(in, o->otlp, &in->http, e);
    return rc < 0 ? rc : publish_ports(in, e);
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
    if (!in->open_timer || !in->done_event || !in->tick || !in->term || !in->interrupt ||
        event_add(in->done_event, NULL) < 0 || event_add(in->tick, &tick) < 0 || event_add(in->term, NULL) < 0 ||
        event_add(in->interrupt, NULL) < 0)
        return err_set(e, -ENOMEM, "no memory for the event loop");
    return 0;
}

static void close_all(struct ingest *in)
{
    struct event **events[] = { &in->open_timer, &in->done_event, &in->tick, &in->term, &in->interrupt };

    hub_stop(&in->hub);
    worker_join(&in->worker);
    http_close(&in->http);
    udp_close(&in->udp);
    tcp_close(&in->tcp);
    pile_free(&in->open);
    for (size_t i = 0; i < COUNT(events); i++)
        if (*events[i])
            event_free(*events[i]);
    if (in->base)
        event_base_free(in->base);
    crowd_free(&in->crowd);
    hub_free(&in->hub);
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
    rc = hub_init(&in->hub, e);
    if (rc < 0) {
        free(in);
        return rc;
    }
    snprintf(run, sizeof run, "%s/run", o->data);
    rc = file_mkdirs(run, 0750, e);
    if (rc == 0)
        rc = open_loop(in, e);
    if (rc == 0)
        rc = worker_start(in, &in->worker, e);
    if (rc == 0)
        rc = open_listeners(in, e);
    if (rc == 0) {
        log_line(LOG_INFO, "listening", "saqshy.syslog_udp", is_set(o->syslog_udp) ? o->syslog_udp : "off",
                 "saqshy.syslog_tcp", is_set(o->syslog_tcp) ? o->syslog_tcp : "off", "saqshy.otlp",
                 is_set(o->otlp) ? o->otlp : "off", NULL);
        if (event_base_dispatch(in->base) < 0)
            rc = err_set(e, -EIO, "the event loop failed");
    }
    close_all(in);
    free(in);
    return rc;
}
