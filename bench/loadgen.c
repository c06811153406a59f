/* loadgen.c - sends lines of a file as a sender of logs would, as fast as the other side takes them or evenly paced, and says how long it took.
 *
 *     loadgen MODE HOST PORT LINES FILE [RATE | CERT KEY CA]
 *
 *     udp    a datagram a line, by sendmmsg; with RATE so many a second, evenly: what is due is sent each 0.2 ms
 *     tcp    a line and LF                    octet   a count before each (RFC 6587)
 *     tls    as octet, over TLS with this client certificate
 *     relp   each line a transaction; ends when the last is answered
 *
 * The file is read whole and repeated until LINES lines were sent. Prints "sent LINES seconds S". */
#include "base/base.h"
#include "base/clock.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SEND_BYTES  (256u * KIB)
#define BATCH       64
#define PACE_NS     200000
#define FILE_MAX    (1u << 30)

struct load {
    struct str *lines;
    size_t      count;
    long        total;
    int         fd;
    SSL        *ssl;
};

static void die(const char *what)
{
    perror(what);
    exit(2);
}

static void read_lines(struct load *l, const char *path)
{
    FILE *f = fopen(path, "rb");
    char *all = malloc(FILE_MAX);
    size_t n = 0, cap = 0;

    if (!f || !all)
        die(path);
    n = fread(all, 1, FILE_MAX, f);
    fclose(f);
    for (struct str rest = str_of(all, n); rest.n;) {
        ptrdiff_t end = str_chr(rest, '\n');
        struct str one = str_of(rest.p, end < 0 ? rest.n : (size_t)end);

        rest = str_cut(rest, one.n + 1);
        if (!one.n)
            continue;
        if (l->count == cap) {
            cap = cap ? cap * 2 : 4096;
            l->lines = realloc(l->lines, cap * sizeof *l->lines);
            if (!l->lines)
                die("realloc");
        }
        l->lines[l->count++] = one;
    }
    if (!l->count) {
        fprintf(stderr, "%s has no lines\n", path);
        exit(2);
    }
}

static int dial(int type, const char *host, const char *port)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)strtoul(port, NULL, 10)) };
    int fd = socket(AF_INET, type, 0);

    if (fd < 0 || inet_pton(AF_INET, host, &to.sin_addr) != 1 || connect(fd, (struct sockaddr *)&to, sizeof to) < 0)
        die("connect");
    return fd;
}

static void put(struct load *l, const char *p, size_t n)
{
    while (n) {
        size_t sent = 0;
        ssize_t one;

        if (l->ssl) {
            if (SSL_write_ex(l->ssl, p, n, &sent) != 1) {
                fprintf(stderr, "TLS: the other side closed\n");
                exit(2);
            }
        } else {
            one = send(l->fd, p, n, MSG_NOSIGNAL);
            if (one < 0 && errno != EINTR)
                die("send");
            sent = one > 0 ? (size_t)one : 0;
        }
        p += sent;
        n -= sent;
    }
}

/* send_stream - count or LF with each line, in large writes. */
static void send_stream(struct load *l, bool octet)
{
    AUTO_BUF struct buf b = { 0 };

    buf_init(&b, SEND_BYTES + 2 * MIB);
    for (long i = 0; i < l->total; i++) {
        struct str line = l->lines[(size_t)i % l->count];

        if (octet)
            buf_printf(&b, "%zu ", line.n);
        buf_str(&b, line);
        if (!octet)
            buf_byte(&b, '\n');
        if (b.n >= SEND_BYTES || i + 1 == l->total) {
            put(l, b.p, b.n);
            buf_reset(&b);
        }
    }
    if (l->ssl)
        SSL_shutdown(l->ssl);
    shutdown(l->fd, SHUT_WR);
}

static SSL *shake(int fd, char **files)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL *ssl;

    if (!ctx || SSL_CTX_use_certificate_chain_file(ctx, files[0]) != 1 || SSL_CTX_use_PrivateKey_file(ctx, files[1], SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_load_verify_locations(ctx, files[2], NULL) != 1) {
        fprintf(stderr, "cannot take the certificate\n");
        exit(2);
    }
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    ssl = SSL_new(ctx);
    if (!ssl || !SSL_set_fd(ssl, fd) || SSL_connect(ssl) != 1) {
        fprintf(stderr, "no handshake\n");
        exit(2);
    }
    return ssl;
}

/* send_udp - a socket that is full is waited for: what is lost is lost by the receiver. */
static void send_udp(struct load *l, long rate)
{
    struct mmsghdr m[BATCH];
    struct iovec v[BATCH];
    time_ns start = clock_steady();
    long sent = 0;

    while (sent < l->total) {
        long due = rate ? (long)((clock_steady() - start) / 1000 * rate / 1000000) + 1 : l->total;
        int n = 0, got;

        due = due < l->total ? due : l->total;
        for (; n < BATCH && sent + n < due; n++) {
            struct str line = l->lines[(size_t)(sent + n) % l->count];

            v[n] = (struct iovec){ (void *)(uintptr_t)line.p, line.n };
            m[n] = (struct mmsghdr){ .msg_hdr = { .msg_iov = &v[n], .msg_iovlen = 1 } };
        }
        got = n ? sendmmsg(l->fd, m, (unsigned)n, 0) : 0;
        if (got < 0 && errno != EAGAIN && errno != EINTR && errno != ENOBUFS)
            die("sendmmsg");
        sent += got > 0 ? got : 0;
        if (sent >= due && sent < l->total)
            nanosleep(&(struct timespec){ 0, PACE_NS }, NULL);
    }
}

/* answers - how many whole answers are there now; the end of the connection is the end. */
static long answers(struct load *l, bool *closed)
{
    static char bytes[64 * 1024];   /* this program is one thread and no library */
    long n = 0;
    ssize_t got;

    while ((got = recv(l->fd, bytes, sizeof bytes, MSG_DONTWAIT)) > 0)
        for (ssize_t i = 0; i < got; i++)
            n += bytes[i] == '\n';
    *closed = got == 0;
    return n;
}

static void send_relp(struct load *l)
{
    AUTO_BUF struct buf b = { 0 };
    struct str offer = STR("relp_version=0\nrelp_software=loadgen\ncommands=syslog");
    long answered = -4, sent = 0;      /* the answer to open has four line feeds */
    size_t at = 0;
    bool closed = false;

    buf_init(&b, SEND_BYTES + 2 * MIB);
    buf_printf(&b, "1 open %zu %.*s\n", offer.n, STR_ARG(offer));
    while (answered < l->total && !closed) {
        struct pollfd p = { .fd = l->fd, .events = POLLIN };
        ssize_t one;

        while (at == b.n || b.n < SEND_BYTES) {
            struct str line = l->lines[(size_t)sent % l->count];

            if (at == b.n) {
                buf_reset(&b);
                at = 0;
            }
            if (sent == l->total)
                break;
            buf_printf(&b, "%ld syslog %zu ", 2 + sent % 999999990, line.n);
            buf_str(&b, line);
            buf_byte(&b, '\n');
            sent++;
        }
        p.events |= at < b.n ? POLLOUT : 0;
        if (poll(&p, 1, 10000) <= 0) {
            fprintf(stderr, "%ld of %ld answered, then silence\n", answered, l->total);
            exit(2);
        }
        if (p.revents & POLLIN)
            answered += answers(l, &closed);
        if (p.revents & POLLOUT) {
            one = send(l->fd, b.p + at, b.n - at, MSG_NOSIGNAL | MSG_DONTWAIT);
            if (one < 0 && errno != EAGAIN && errno != EINTR)
                die("send");
            at += one > 0 ? (size_t)one : 0;
        }
    }
    if (closed) {
        fprintf(stderr, "closed when %ld of %ld were answered\n", answered, l->total);
        exit(2);
    }
}

int main(int argc, char **argv)
{
    struct load l = { .fd = -1 };
    const char *mode = argc > 5 ? argv[1] : "";
    bool udp = strcmp(mode, "udp") == 0, tls = strcmp(mode, "tls") == 0, relp = strcmp(mode, "relp") == 0, octet = strcmp(mode, "octet") == 0;
    time_ns start;

    if (!(udp || relp || octet || strcmp(mode, "tcp") == 0 || (tls && argc == 9))) {
        fprintf(stderr, "usage: loadgen udp|tcp|octet|tls|relp HOST PORT LINES FILE [RATE | CERT KEY CA]\n");
        return 2;
    }
    l.total = strtol(argv[4], NULL, 10);
    read_lines(&l, argv[5]);
    l.fd = dial(udp ? SOCK_DGRAM : SOCK_STREAM, argv[2], argv[3]);
    if (tls)
        l.ssl = shake(l.fd, argv + 6);
    start = clock_steady();
    if (udp)
        send_udp(&l, argc > 6 ? strtol(argv[6], NULL, 10) : 0);
    else if (relp)
        send_relp(&l);
    else
        send_stream(&l, octet || tls);
    printf("sent %ld seconds %.3f\n", l.total, (double)(clock_steady() - start) / 1e9);
    if (!udp && !relp) {
        char byte;

        /* Until the other side has taken all: a receiver closes when it has read the end. */
        while (recv(l.fd, &byte, 1, 0) > 0)
            ;
    }
    close(l.fd);
    return 0;
}
