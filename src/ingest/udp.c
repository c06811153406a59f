/* udp.c - syslog over UDP, RFC 5426: one datagram, one message.
 *
 * Waking up costs more than reading (12 s of CPU a million lines at an even 20,000 a second, 2.3 s when read in batches), so when datagrams
 * come faster than GATHER_MS apart, the emptied socket is left alone for that long. A large receive buffer makes that safe; what the kernel
 * drops nevertheless it counts for us: SO_RXQ_OVFL with each datagram, SO_MEMINFO (the column drops of /proc/net/udp) when none comes. Drops
 * before our socket (the host's, in /proc/net/snmp) are shown beside them. */
#include "ingest/internal.h"
#include "base/file.h"
#include "base/log.h"

#include <event2/event.h>
#include <netinet/in.h>
#include <sys/socket.h>

#define BATCH           64
#define DATAGRAM_MAX    65536
#define RECEIVE_BUFFER  (8 * 1024 * 1024)
#define GATHER_MS       1
#define MEMINFO_DROPS   8       /* SK_MEMINFO_DROPS of linux/sock_diag.h, which has no place beside sys/socket.h */
#define MEMINFO_COUNT   9
#define SNMP_MAX        (64u * KIB)
#define LOOK_TICKS      10
#define ROUNDS_MAX      32      /* then other sockets have their turn */

struct socket {
    int           fd;
    struct event *readable, *gather;
    uint32_t      drops;           /* the kernel's count, as far as it is counted */
};

struct udp {
    struct listener base;
    struct socket  s;
    bool           paused;
    int            buffer_bytes;    /* what the kernel gave */
    time_ns        emptied;         /* steady: when it was found empty last */
    uint64_t       host_drops, host_errors;
    unsigned       ticks;
    struct mmsghdr msgs[BATCH];
    struct iovec   iov[BATCH];
    struct sockaddr_storage from[BATCH];
    char           control[BATCH][CMSG_SPACE(sizeof(uint32_t))];
    char          *bytes;       /* BATCH times DATAGRAM_MAX; pages that no datagram reached stay untouched */
};

/* count_drops - drops is the kernel's count since the socket was made; it wraps. */
static void count_drops(struct udp *u, uint32_t drops)
{
    int32_t more = (int32_t)(drops - u->s.drops);   /* a datagram tells the count of its arrival, SO_MEMINFO that of now */

    if (more <= 0)
        return;
    card_add(&u->base.card->kernel_drops, more);
    u->s.drops = drops;
}

static void note_drops(struct udp *u, struct msghdr *m)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        uint32_t drops;

        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SO_RXQ_OVFL)
            continue;
        memcpy(&drops, CMSG_DATA(c), sizeof drops);
        count_drops(u, drops);
    }
}

/* take - a datagram as a line, or as pieces where the limit is smaller. */
static void take(struct udp *u, const struct sockaddr *from, struct str text, time_ns now)
{
    size_t most = (size_t)u->base.conf.limits.record_bytes;
    char peer[PEER_TEXT_MAX];
    struct sender sender = { .card = u->base.card->number };
    bool split = text.n > most;

    listener_address_text(from, peer, NULL);
    sender.peer = str_c(peer);
    do {
        struct wire_line l = { .text = str_of(text.p, min_size(text.n, most)), .truncated = split, .received = now };

        (void)ingest_line(u->base.in, &sender, &l);
        text = str_cut(text, l.text.n);
    } while (text.n);
}

static int read_batch(struct udp *u)
{
    time_ns now;
    int n;

    for (int i = 0; i < BATCH; i++) {
        u->iov[i] = (struct iovec){ u->bytes + (size_t)i * DATAGRAM_MAX, DATAGRAM_MAX };
        u->msgs[i].msg_hdr = (struct msghdr){ .msg_name = &u->from[i], .msg_namelen = sizeof u->from[i],
                                              .msg_iov = &u->iov[i], .msg_iovlen = 1,
                                              .msg_control = u->control[i], .msg_controllen = sizeof u->control[i] };
    }
    n = recvmmsg(u->s.fd, u->msgs, BATCH, MSG_DONTWAIT, NULL);
    now = clock_now();
    for (int i = 0; i < n; i++) {
        struct str text = str_of(u->iov[i].iov_base, u->msgs[i].msg_len);

        while (text.n && (text.p[text.n - 1] == '\n' || text.p[text.n - 1] == '\r' || text.p[text.n - 1] == 0))
            text.n--;
        note_drops(u, &u->msgs[i].msg_hdr);
        take(u, (struct sockaddr *)&u->from[i], text, now);
    }
    return n;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    static const struct timeval wait = { 0, GATHER_MS * 1000 };
    struct udp *u = arg;
    time_ns now, before = u->emptied;
    int n = 0, all = 0;

    (void)fd;
    (void)what;
    for (int i = 0; i < ROUNDS_MAX && !u->paused; i++) {
        n = read_batch(u);
        all += n > 0 ? n : 0;
        if (n < BATCH)
            break;
    }
    if (u->paused)
        return;
    now = clock_steady();
    u->emptied = now;
    /* One a GATHER_MS or more: the next ones are better read together. */
    if (all > 1 || (all == 1 && now - before < GATHER_MS * NS_PER_MS))
        event_add(u->s.gather, &wait);
    else
        event_add(u->s.readable, NULL);
}

static void on_gather(evutil_socket_t fd, short what, void *arg) { on_readable(fd, what, arg); }

/* read_host - what the kernel dropped of all UDP of this host: RcvbufErrors and InErrors of /proc/net/snmp. */
static void read_host(struct udp *u)
{
    AUTO_BUF struct buf b = { 0 };
    struct str rest, line, names = { NULL, 0 }, name, value;

    buf_init(&b, 4 * SNMP_MAX);
    if (file_read("/proc/net/snmp", SNMP_MAX, &b, NULL) < 0)
        return;
    rest = buf_view(&b);
    while (str_split(&rest, '\n', &line)) {
        if (!str_starts(line, STR("Udp: ")))
            continue;
        if (!names.n) {
            names = line;
            continue;
        }
        while (str_split(&names, ' ', &name) && str_split(&line, ' ', &value)) {
            if (str_eq(name, STR("RcvbufErrors")))
                (void)str_u64(value, &u->host_drops);
            if (str_eq(name, STR("InErrors")))
                (void)str_u64(value, &u->host_errors);
        }
        return;
    }
}

static struct udp *udp_of(struct listener *l) { return (struct udp *)(void *)l; }

static uint16_t port(const struct listener *l) { return listener_port(((const struct udp *)(const void *)l)->s.fd); }

static void pause_reading(struct listener *l, bool paused)
{
    struct udp *u = udp_of(l);

    if (u->paused == paused)
        return;
    u->paused = paused;
    if (paused) {
        event_del(u->s.readable);
        event_del(u->s.gather);
    } else {
        event_add(u->s.readable, NULL);
    }
}

/* tick - drops are seen although no datagram comes any more that could tell. */
static void tick(struct listener *l)
{
    struct udp *u = udp_of(l);
    uint32_t info[MEMINFO_COUNT] = { 0 };
    socklen_t n = sizeof info;

    if (getsockopt(u->s.fd, SOL_SOCKET, SO_MEMINFO, info, &n) == 0 && n >= sizeof info)
        count_drops(u, info[MEMINFO_DROPS]);
    if (u->ticks++ % LOOK_TICKS == 0)
        read_host(u);
}

static void report(const struct listener *l, struct buf *json)
{
    const struct udp *u = (const struct udp *)(const void *)l;

    buf_printf(json, ",\"receive_buffer_bytes\":%d,\"host_buffer_drops\":%llu,\"host_errors\":%llu", u->buffer_bytes,
               (unsigned long long)u->host_drops, (unsigned long long)u->host_errors);
}

static void stop(struct listener *l) { pause_reading(l, true); }

static void close_socket(struct socket *s)
{
    if (s->readable)
        event_free(s->readable);
    if (s->gather)
        event_free(s->gather);
    if (s->fd >= 0)
        close(s->fd);
    *s = (struct socket){ .fd = -1 };
}

static void close_all(struct listener *l)
{
    struct udp *u = udp_of(l);

    close_socket(&u->s);
    free(u->bytes);
    listener_done(l);
}

static int bind_socket(struct udp *u, const char *address, struct err *e)
{
    struct sockaddr_storage ss;
    socklen_t len = sizeof(int);
    int n, one = 1, size = RECEIVE_BUFFER, rc = listener_address(address, &ss, &n, e);

    if (rc < 0)
        return rc;
    u->s.fd = socket(ss.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (u->s.fd < 0 || bind(u->s.fd, (struct sockaddr *)&ss, (socklen_t)n) < 0)
        return err_sys(e, "could not listen for syslog on UDP %s", address);
    if (setsockopt(u->s.fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) < 0)
        setsockopt(u->s.fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    if (getsockopt(u->s.fd, SOL_SOCKET, SO_RCVBUF, &size, &len) == 0)
        u->buffer_bytes = size;
    if (u->buffer_bytes < RECEIVE_BUFFER)
        log_line(LOG_WARN, "the kernel gives a small receive buffer, bursts may be lost: raise net.core.rmem_max to 8388608", "saqshy.listener",
                 u->base.conf.id, NULL);
    setsockopt(u->s.fd, SOL_SOCKET, SO_RXQ_OVFL, &one, sizeof one);
    u->s.drops = 0;
    u->s.readable = event_new(u->base.in->base, u->s.fd, EV_READ, on_readable, u);
    u->s.gather = evtimer_new(u->base.in->base, on_gather, u);
    if (!u->s.readable || !u->s.gather || (!u->paused && event_add(u->s.readable, NULL) < 0))
        return err_set(e, -ENOMEM, "no memory for the UDP listener");
    return 0;
}

static int open_udp(struct ingest *in, const struct listen_conf *c, struct listener **out, struct err *e)
{
    struct listener *l;
    struct udp *u;
    int rc = listener_new(in, &syslog_udp_kind, c, sizeof *u, &l, e);

    if (rc < 0)
        return rc;
    u = udp_of(l);
    u->s.fd = -1;
    u->bytes = malloc((size_t)BATCH * DATAGRAM_MAX);
    rc = u->bytes ? bind_socket(u, c->address, e) : err_set(e, -ENOMEM, "no memory for the UDP listener");
    if (rc < 0) {
        close_all(l);
        return rc;
    }
    *out = l;
    return 0;
}

/* change - another address is another socket, bound before the old one is emptied and closed. */
static int change(struct listener *l, const struct listen_conf *c, struct err *e)
{
    struct udp *u = udp_of(l);
    struct socket old = u->s, fresh;
    int rc = 0;

    if (strcmp(c->address, l->conf.address) == 0)
        return listener_keep(l, c, e);
    u->s = (struct socket){ .fd = -1 };
    rc = bind_socket(u, c->address, e);
    if (rc == 0)
        rc = listener_keep(l, c, e);
    fresh = u->s;
    u->s = old;
    if (rc < 0) {
        close_socket(&fresh);
        return rc;
    }
    for (int i = 0; i < ROUNDS_MAX && read_batch(u) > 0; i++)
        continue;
    close_socket(&u->s);
    u->s = fresh;
    return 0;
}

const struct listener_kind syslog_udp_kind = {
    .number = LISTEN_syslog_udp, .open = open_udp, .change = change, .pause = pause_reading, .tick = tick, .stop_accepting = stop,
    .close = close_all, .port = port, .report = report,
};
