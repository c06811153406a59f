/* udp.c - syslog over UDP, RFC 5426: one datagram, one message.
 *
 * Waking up costs more than reading (12 s of CPU a million lines at an even 20,000 a second, 2.3 s when read in batches), so
 * after a full batch the socket is left alone for GATHER_MS. A large receive buffer makes that safe; what the kernel drops
 * nevertheless it counts for us (SO_RXQ_OVFL). */
#include "ingest/internal.h"

#include <event2/event.h>
#include <event2/util.h>
#include <netinet/in.h>
#include <sys/socket.h>

#define BATCH           64
#define DATAGRAM_MAX    65536
#define RECEIVE_BUFFER  (8 * 1024 * 1024)
#define GATHER_MS       1
#define GATHER_LEAST    16      /* so many datagrams at once: it pays to let more of them gather */
#define ROUNDS_MAX      32      /* then other sockets have their turn */

struct udp {
    struct ingest *in;
    int            fd;
    struct event  *readable, *gather;
    bool           paused;
    uint32_t       drops;
    struct mmsghdr msgs[BATCH];
    struct iovec   iov[BATCH];
    struct sockaddr_storage from[BATCH];
    char           control[BATCH][CMSG_SPACE(sizeof(uint32_t))];
    char          *bytes;       /* BATCH times DATAGRAM_MAX; pages that no datagram reached stay untouched */
};

static void note_drops(struct udp *u, struct msghdr *m)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        uint32_t drops;

        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SO_RXQ_OVFL)
            continue;
        memcpy(&drops, CMSG_DATA(c), sizeof drops);
        if (drops != u->drops)
            metric_add(u->in->counters.kernel_drops, (int64_t)(uint32_t)(drops - u->drops));
        u->drops = drops;
    }
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
    n = recvmmsg(u->fd, u->msgs, BATCH, MSG_DONTWAIT, NULL);
    now = clock_now();
    for (int i = 0; i < n; i++) {
        struct str line = str_of(u->iov[i].iov_base, u->msgs[i].msg_len);
        char peer[PEER_TEXT_MAX];

        while (line.n && (line.p[line.n - 1] == '\n' || line.p[line.n - 1] == '\r' || line.p[line.n - 1] == 0))
            line.n--;
        ingest_address_text((struct sockaddr *)&u->from[i], peer, NULL);
        note_drops(u, &u->msgs[i].msg_hdr);
        ingest_line(u->in, FROM_UDP, str_c(peer), line, false, now);
    }
    return n;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    static const struct timeval wait = { 0, GATHER_MS * 1000 };
    struct udp *u = arg;
    int most = 0, n = 0;

    (void)fd;
    (void)what;
    for (int i = 0; i < ROUNDS_MAX && !u->paused; i++) {
        n = read_batch(u);
        if (n > most)
            most = n;
        if (n < BATCH)
            break;
    }
    if (u->paused)
        return;
    if (most >= GATHER_LEAST)
        event_add(u->gather, &wait);
    else
        event_add(u->readable, NULL);
}

static void on_gather(evutil_socket_t fd, short what, void *arg) { on_readable(fd, what, arg); }

uint16_t udp_port(const struct udp *u)
{
    struct sockaddr_storage ss;
    socklen_t n = sizeof ss;
    char text[PEER_TEXT_MAX];
    uint16_t port = 0;

    if (u && getsockname(u->fd, (struct sockaddr *)&ss, &n) == 0)
        ingest_address_text((struct sockaddr *)&ss, text, &port);
    return port;
}

void udp_pause(struct udp *u, bool paused)
{
    if (!u || u->paused == paused)
        return;
    u->paused = paused;
    if (paused) {
        event_del(u->readable);
        event_del(u->gather);
    } else {
        event_add(u->readable, NULL);
    }
}

int udp_open(struct ingest *in, const char *address, struct udp **out, struct err *e)
{
    struct sockaddr_storage ss;
    int n, one = 1, size = RECEIVE_BUFFER, rc = ingest_address(address, &ss, &n, e);
    struct udp *u;

    if (rc < 0)
        return rc;
    u = calloc(1, sizeof *u);
    if (u)
        u->bytes = malloc((size_t)BATCH * DATAGRAM_MAX);
    if (!u || !u->bytes) {
        free(u);
        return err_set(e, -ENOMEM, "no memory for the UDP listener");
    }
    u->in = in;
    u->fd = socket(ss.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (u->fd < 0 || bind(u->fd, (struct sockaddr *)&ss, (socklen_t)n) < 0) {
        rc = err_sys(e, "could not listen for syslog on UDP %s", address);
        udp_close(&u);
        return rc;
    }
    if (setsockopt(u->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) < 0)
        setsockopt(u->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    setsockopt(u->fd, SOL_SOCKET, SO_RXQ_OVFL, &one, sizeof one);
    u->readable = event_new(in->base, u->fd, EV_READ, on_readable, u);
    u->gather = evtimer_new(in->base, on_gather, u);
    if (!u->readable || !u->gather || event_add(u->readable, NULL) < 0) {
        udp_close(&u);
        return err_set(e, -ENOMEM, "no memory for the UDP listener");
    }
    *out = u;
    return 0;
}

void udp_close(struct udp **u)
{
    if (!*u)
        return;
    if ((*u)->readable)
        event_free((*u)->readable);
    if ((*u)->gather)
        event_free((*u)->gather);
    if ((*u)->fd >= 0)
        close((*u)->fd);
    free((*u)->bytes);
    free(*u);
    *u = NULL;
}
