/* test_phases.c - nobody can hold a connection by sending slowly: each phase ends at its time, however many bytes trickle in. The loop is
 * turned by hand, and the moment of the sweep is an argument, so nothing here waits. */
#include "base/test.h"
#include "base/log.h"
#include "pki/pki.h"
#include "portal/internal.h"

#include <arpa/inet.h>
#include <event2/event.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

struct world {
    char            data[64];
    struct node    *node;
    struct catalog *catalog;
    struct portal  *portal;
    SSL_CTX        *trust;
};

static int set_up(void **state)
{
    static const char *const names[] = { "localhost" };
    struct world *w = calloc(1, sizeof *w);
    char path[4096];
    struct err e = { 0 };

    assert_non_null(w);
    snprintf(w->data, sizeof w->data, "/tmp/saqshy-phases-XXXXXX");
    assert_non_null(mkdtemp(w->data));
    snprintf(path, sizeof path, "%s/pki", w->data);
    assert_true(pki_ca_make(path, "test", &e) >= 0);
    assert_int_equal(pki_server_make(path, names, 1, &e), 0);
    snprintf(path, sizeof path, "%s/run", w->data);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(node_default(w->data, "/nowhere", &w->node, &e), 0);
    free(w->node->portal);
    free(w->node->content);
    w->node->portal = strdup("127.0.0.1:0");
    snprintf(path, sizeof path, "%s/content", getenv("SAQSHY_SOURCE"));
    w->node->content = strdup(path);
    snprintf(path, sizeof path, "%s/content/i18n", getenv("SAQSHY_SOURCE"));
    assert_int_equal(catalog_load(path, &w->catalog, &e), 0);
    if (portal_open(&(struct portal_setup){ .node = w->node, .catalog = w->catalog }, &w->portal, &e) < 0)
        fail_msg("%s", e.text);
    w->trust = SSL_CTX_new(TLS_client_method());
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    char command[128];

    portal_close(&w->portal);
    SSL_CTX_free(w->trust);
    catalog_free(&w->catalog);
    node_free(&w->node);
    snprintf(command, sizeof command, "rm -r '%s'", w->data);
    assert_int_equal(system(command), 0);
    free(w);
    return 0;
}

static void turn(const struct world *w)
{
    event_base_loop(w->portal->base, EVLOOP_NONBLOCK);
}

static int connect_to(const struct world *w)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)portal_port(w->portal)),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    return fd;
}

/* reach - turn the loop until the only connection is in this state (or gone: CONN_LINGER + 1). */
#define GONE ((enum conn_state)(CONN_LINGER + 1))
static void reach(const struct world *w, enum conn_state state, SSL *ssl)
{
    for (int i = 0; i < 100000; i++) {
        enum conn_state now = w->portal->conns ? w->portal->conns->state : GONE;

        if (now == state)
            return;
        if (ssl)
            SSL_do_handshake(ssl);
        turn(w);
    }
    fail_msg("state %d was not reached", (int)state);
}

static const struct {
    const char     *name, *sent;   /* NULL: not even a handshake */
    enum conn_state state;
    int64_t         limit_ns;
} rows[] = {
    { "no handshake", NULL, CONN_HANDSHAKE, HANDSHAKE_NS },
    { "no request", "", CONN_HEAD, IDLE_NS },
    { "half a head", "GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ", CONN_HEAD, HEAD_NS },
    { "half a body", "POST /api/v1/session HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{", CONN_BODY, BODY_NS },
};

static void test_phases(void **state)
{
    struct world *w = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        int fd = connect_to(w);
        SSL *ssl = rows[i].sent ? SSL_new(w->trust) : NULL;
        int64_t began;

        reach(w, CONN_HANDSHAKE, NULL);
        if (ssl) {
            SSL_set_fd(ssl, fd);
            SSL_set_connect_state(ssl);
            reach(w, CONN_HEAD, ssl);
            while (SSL_do_handshake(ssl) != 1)
                turn(w);
        }
        if (ssl && *rows[i].sent)
            assert_true(SSL_write(ssl, rows[i].sent, (int)strlen(rows[i].sent)) > 0);
        for (int t = 0; ssl && *rows[i].sent && rows[i].state == CONN_HEAD && !w->portal->conns->head_since && t < 100000; t++)
            turn(w);
        reach(w, rows[i].state, NULL);
        began = w->portal->conns->head_since ? w->portal->conns->head_since : w->portal->conns->since;
        /* One more byte shortly before the end changes nothing. */
        conn_sweep(w->portal, began + rows[i].limit_ns - 1);
        CHECK(rows[i].name, w->portal->conn_count == 1);
        if (ssl && *rows[i].sent)
            SSL_write(ssl, "x", 1);
        turn(w);
        CHECK(rows[i].name, w->portal->conn_count == 1);
        conn_sweep(w->portal, began + rows[i].limit_ns + 1);
        CHECK(rows[i].name, w->portal->conn_count == 0 && w->portal->body_bytes == 0);
        SSL_free(ssl);
        close(fd);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        { "each phase of a connection ends in time, however slowly bytes come", test_phases, NULL, NULL, NULL },
    };

    log_open("test", LOG_ERROR + 5, 2);
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests_name("portal: slow clients", tests, set_up, tear_down);
}
