/* idle_tls.c - holds many idle TLS connections to a listener, as sensors do that say little: how long they take to come, what they cost.
 *
 * usage: idle_tls PORT COUNT CA CERT KEY
 * Connects COUNT times to 127.0.0.1 (from 127.0.0.1 to 127.0.0.250 in turn), says "ready SECONDS", then a line of syslog on each connection at each
 * line of standard input, and "sent"; ends with standard input. */
#include "base/base.h"
#include "pki/pki.h"

#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>

#define ADDRESSES 250

static SSL *dial(SSL_CTX *ctx, uint16_t port, unsigned n)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct sockaddr_in from = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK + n % ADDRESSES) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    SSL *ssl = fd < 0 ? NULL : SSL_new(ctx);

    if (!ssl || bind(fd, (struct sockaddr *)&from, sizeof from) < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) < 0 || !SSL_set_fd(ssl, fd) ||
        SSL_connect(ssl) != 1) {
        SSL_free(ssl);
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    return ssl;
}

static bool say(SSL *ssl, unsigned n, unsigned round)
{
    char line[128];
    int size = snprintf(line, sizeof line, "<13>1 2026-11-27T10:00:00Z sensor-%u app - - - round %u\n", n, round);

    return SSL_write(ssl, line, size) == size;
}

int main(int argc, char **argv)
{
    struct rlimit r = { 0 };
    SSL_CTX *ctx = NULL;
    uint64_t port = 0, count = 0;
    time_ns begun;
    struct err e;
    SSL **all;

    if (argc != 6 || !str_u64(str_c(argv[1]), &port) || !str_u64(str_c(argv[2]), &count) || count > 200000) {
        fputs("usage: idle_tls PORT COUNT CA CERT KEY\n", stderr);
        return 2;
    }
    getrlimit(RLIMIT_NOFILE, &r);
    r.rlim_cur = r.rlim_max;
    setrlimit(RLIMIT_NOFILE, &r);
    all = calloc(count, sizeof *all);
    if (!all || pki_client_context(argv[3], argv[4], argv[5], &ctx, &e) < 0)
        return 1;
    begun = clock_steady();
    for (unsigned i = 0; i < count; i++) {
        all[i] = dial(ctx, (uint16_t)port, i);
        if (!all[i]) {
            fprintf(stderr, "connection %u failed\n", i);
            return 1;
        }
    }
    printf("ready %.1f\n", (double)(clock_steady() - begun) / NS_PER_SECOND);
    fflush(stdout);
    for (unsigned round = 1; getchar() != EOF; round++) {
        for (unsigned i = 0; i < count; i++)
            if (!say(all[i], i, round)) {
                fprintf(stderr, "connection %u is gone\n", i);
                return 1;
            }
        puts("sent");
        fflush(stdout);
    }
    return 0;
}
