/* wire.c - the client's end of a connection: names, TCP, TLS, and how much of what was written the other side's kernel has.
 *
 * Sockets do not block; whoever waits does so by upstream_wait, so that an upstream can be ended at any time. Name resolution alone blocks: the thread is
 * this upstream's own. */
#include "forward/internal.h"
#include "pki/pki.h"

#include <arpa/inet.h>
#include <linux/sockios.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

struct wire {
    struct upstream *u;
    int              fd;
    SSL_CTX         *ctx;
    SSL             *ssl;
    uint64_t         written;
    bool             want_write;   /* TLS needs to write before it can read */
};

static const char *peer_name(const struct upstream_conf *c, const char *host) { return *c->peer_name ? c->peer_name : host; }

uint64_t certs_stamp(const struct upstream_conf *c)
{
    const char *const files[] = { c->authority, c->certificate, c->key };
    struct {
        int64_t  s, ns, size;
        uint64_t inode;
    } stamp[COUNT(files)];
    struct stat st;

    memset(stamp, 0, sizeof stamp);
    for (size_t i = 0; i < COUNT(files); i++)
        if (*files[i] && stat(files[i], &st) == 0) {
            stamp[i].s = st.st_mtim.tv_sec;
            stamp[i].ns = st.st_mtim.tv_nsec;
            stamp[i].size = st.st_size;
            stamp[i].inode = (uint64_t)st.st_ino;
        }
    return str_hash(str_of((const char *)stamp, sizeof stamp));
}

/* finish_connect - a connection that began is there. */
static int finish_connect(struct wire *c, time_ns end, struct err *e)
{
    int64_t left = (end - clock_steady()) / NS_PER_MS;
    int rc = upstream_wait(c->u, c->fd, POLLOUT, left > 0 ? (int)left : 0), why = 0;
    socklen_t n = sizeof why;

    if (rc == -EINTR)
        return err_set(e, -EINTR, "stopping");
    if (rc == 0)
        return err_set(e, -ETIMEDOUT, "no connection to \"%s\" within %lld s", c->u->conf->address, (long long)c->u->conf->limits.timeout_s);
    if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &why, &n) < 0 || why)
        return err_set(e, -(why ? why : EIO), "could not connect to \"%s\": %s", c->u->conf->address, strerror(why ? why : EIO));
    return 0;
}

static int try_address(struct wire *c, const struct addrinfo *a, time_ns end, struct err *e)
{
    int one = 1, rc;

    c->fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (c->fd < 0)
        return err_sys(e, "could not make a socket");
    if (connect(c->fd, a->ai_addr, a->ai_addrlen) < 0 && errno != EINPROGRESS)
        rc = err_sys(e, "could not connect to \"%s\"", c->u->conf->address);
    else
        rc = finish_connect(c, end, e);
    if (rc < 0) {
        close(c->fd);
        c->fd = -1;
        return rc;
    }
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(c->fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
    return 0;
}

static int reach(struct wire *c, const char *host, uint16_t port, time_ns end, struct err *e)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV }, *list = NULL;
    char service[8];
    int rc;

    snprintf(service, sizeof service, "%u", port);
    rc = getaddrinfo(host, service, &hints, &list);
    if (rc != 0)
        return err_set(e, -EIO, "could not find the address of \"%s\": %s", host, gai_strerror(rc));
    rc = err_set(e, -EIO, "\"%s\" has no address", host);
    for (const struct addrinfo *a = list; a && rc < 0 && rc != -EINTR; a = a->ai_next)
        rc = try_address(c, a, end, e);
    freeaddrinfo(list);
    return rc;
}

/* tls_error - what OpenSSL has to say, in words that name the side that refused. */
static int tls_error(struct wire *c, struct err *e)
{
    long verdict = SSL_get_verify_result(c->ssl);
    unsigned long why = ERR_peek_last_error();
    const char *reason = ERR_reason_error_string(why);
    bool alert = ERR_GET_LIB(why) == ERR_LIB_SSL && ERR_GET_REASON(why) >= SSL_AD_REASON_OFFSET;
    int rc;

    if (verdict != X509_V_OK)
        rc = err_set(e, -EACCES, "the certificate of \"%s\" does not hold: %s", c->u->conf->address, X509_verify_cert_error_string(verdict));
    else if (alert)
        rc = err_set(e, -EACCES, "\"%s\" refuses us in the TLS handshake: %s; is the certificate of this upstream one that the other side knows?",
                     c->u->conf->address, reason);
    else if (reason)
        rc = err_set(e, -EIO, "TLS with \"%s\" failed: %s", c->u->conf->address, reason);
    else
        rc = err_set(e, -ECONNRESET, "\"%s\" closed the connection", c->u->conf->address);
    ERR_clear_error();
    return rc;
}

static int shake_hands(struct wire *c, const char *host, time_ns end, struct err *e)
{
    const struct upstream_conf *f = c->u->conf;
    const char *name = peer_name(f, host);
    unsigned char raw[16];
    bool address = inet_pton(AF_INET, name, raw) == 1 || inet_pton(AF_INET6, name, raw) == 1;
    int rc = pki_client_context(f->authority, *f->certificate ? f->certificate : NULL, *f->key ? f->key : NULL, &c->ctx, e);

    if (rc < 0)
        return rc;
    SSL_CTX_set_mode(c->ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    c->ssl = SSL_new(c->ctx);
    if (!c->ssl || !SSL_set_fd(c->ssl, c->fd) || !(address ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(c->ssl), name) : SSL_set1_host(c->ssl, name)) ||
        (!address && !SSL_set_tlsext_host_name(c->ssl, name)))
        return err_set(e, -ENOMEM, "no memory for TLS");
    while ((rc = SSL_connect(c->ssl)) != 1) {
        int want = SSL_get_error(c->ssl, rc);
        int64_t left = (end - clock_steady()) / NS_PER_MS;

        if (want != SSL_ERROR_WANT_READ && want != SSL_ERROR_WANT_WRITE)
            return tls_error(c, e);
        rc = upstream_wait(c->u, c->fd, want == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, left > 0 ? (int)left : 0);
        if (rc == -EINTR)
            return err_set(e, -EINTR, "stopping");
        if (rc == 0)
            return err_set(e, -ETIMEDOUT, "no TLS handshake with \"%s\" within %lld s", f->address, (long long)f->limits.timeout_s);
    }
    return 0;
}

int wire_open(struct upstream *u, struct wire **out, struct err *e)
{
    struct wire *c = calloc(1, sizeof *c);
    char host[UPSTREAM_HOST_MAX + 1];
    time_ns end = clock_steady() + u->conf->limits.timeout_s * NS_PER_SECOND;
    uint16_t port;
    int rc;

    if (!c || !upstream_host(u->conf->address, host, &port)) {
        free(c);
        return err_set(e, -ENOMEM, "no memory for a connection");
    }
    c->u = u;
    c->fd = -1;
    rc = reach(c, host, port, end, e);
    if (rc == 0 && u->conf->tls)
        rc = shake_hands(c, host, end, e);
    if (rc < 0)
        wire_close(&c);
    *out = c;
    return rc;
}

void wire_close(struct wire **p)
{
    struct wire *c = *p;

    if (!c)
        return;
    if (c->ssl && SSL_is_init_finished(c->ssl))
        SSL_shutdown(c->ssl);
    ERR_clear_error();
    SSL_free(c->ssl);
    SSL_CTX_free(c->ctx);
    if (c->fd >= 0)
        close(c->fd);
    free(c);
    *p = NULL;
}

static int over(struct wire *c, struct err *e)
{
    if (errno == 0)
        return err_set(e, -ECONNRESET, "\"%s\" closed the connection", c->u->conf->address);
    return err_set(e, -errno, "the connection to \"%s\" broke: %s", c->u->conf->address, strerror(errno));
}

/* tls_result - of SSL_read and SSL_write: bytes, 0 for later, or the end. */
static ssize_t tls_result(struct wire *c, int n, struct err *e)
{
    int want;

    if (n > 0)
        return n;
    want = SSL_get_error(c->ssl, n);
    c->want_write = want == SSL_ERROR_WANT_WRITE;
    if (want == SSL_ERROR_WANT_READ || want == SSL_ERROR_WANT_WRITE)
        return 0;
    if (want == SSL_ERROR_SYSCALL && ERR_peek_last_error() == 0)
        return over(c, e);
    if (want == SSL_ERROR_ZERO_RETURN)
        return err_set(e, -ECONNRESET, "\"%s\" closed the connection", c->u->conf->address);
    return tls_error(c, e);
}

ssize_t wire_write(struct wire *c, const char *p, size_t n, struct err *e)
{
    ssize_t done;

    errno = 0;
    if (n == 0)
        return 0;
    if (c->ssl)
        return tls_result(c, SSL_write(c->ssl, p, (int)min_size(n, 1u << 30)), e);
    done = send(c->fd, p, n, MSG_NOSIGNAL);
    if (done < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (done < 0)
        return over(c, e);
    c->written += (uint64_t)done;
    return done;
}

ssize_t wire_read(struct wire *c, char *p, size_t n, struct err *e)
{
    ssize_t done;

    errno = 0;
    if (c->ssl)
        return tls_result(c, SSL_read(c->ssl, p, (int)min_size(n, 1u << 30)), e);
    done = recv(c->fd, p, n, 0);
    if (done < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    return done > 0 ? done : over(c, e);
}

int wire_wait(struct wire *c, bool write, int wait_ms)
{
    if (c->ssl && SSL_pending(c->ssl))
        return POLLIN;
    return upstream_wait(c->u, c->fd, (short)(POLLIN | (write || c->want_write ? POLLOUT : 0)), wait_ms);
}

uint64_t wire_written(const struct wire *c) { return c->ssl ? BIO_number_written(SSL_get_wbio(c->ssl)) : c->written; }

uint64_t wire_delivered(const struct wire *c)
{
    uint64_t written = wire_written(c);
    int waiting = 0;

    /* Linux: bytes in the send queue, those that were sent and not acknowledged too. */
    if (ioctl(c->fd, SIOCOUTQ, &waiting) < 0 || waiting < 0)
        return 0;
    return (uint64_t)waiting > written ? 0 : written - (uint64_t)waiting;
}
