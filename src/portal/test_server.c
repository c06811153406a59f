/* test_server.c - the whole server over TLS on a loopback port, with the fake desk: what a browser, a proxy or an attacker sends. */
#include "base/test.h"
#include "base/file.h"
#include "base/log.h"
#include "journal/journal.h"
#include "pki/pki.h"
#include "portal/http.h"
#include "portal/portal.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
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
    pthread_t       thread;
};

static void *serve(void *arg)
{
    struct err e;

    return portal_run(arg, &e) < 0 ? arg : NULL;
}

static void make_data(struct world *w)
{
    static const char *const names[] = { "localhost", "127.0.0.1" };
    char path[4096];
    struct err e;

    snprintf(w->data, sizeof w->data, "/tmp/saqshy-server-XXXXXX");
    assert_non_null(mkdtemp(w->data));
    snprintf(path, sizeof path, "%s/pki", w->data);
    assert_true(pki_ca_make(path, "test", &e) >= 0);
    assert_int_equal(pki_server_make(path, names, COUNT(names), &e), 0);
    snprintf(path, sizeof path, "%s/run", w->data);
    assert_int_equal(mkdir(path, 0700), 0);
}

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    char path[4096];
    struct err e = { 0 };

    assert_non_null(w);
    make_data(w);
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
    snprintf(path, sizeof path, "%s/pki/ca.pem", w->data);
    assert_int_equal(pki_client_context(path, NULL, NULL, &w->trust, &e), 0);
    assert_int_equal(pthread_create(&w->thread, NULL, serve, w->portal), 0);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    char command[128];
    void *failed;

    portal_stop(w->portal);
    pthread_join(w->thread, &failed);
    assert_null(failed);
    portal_close(&w->portal);
    SSL_CTX_free(w->trust);
    catalog_free(&w->catalog);
    node_free(&w->node);
    snprintf(command, sizeof command, "rm -r '%s'", w->data);
    assert_int_equal(system(command), 0);
    free(w);
    return 0;
}

/* --- a client --- */

struct client {
    int  fd;
    SSL *ssl;
};

static int connect_to(const struct world *w)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)portal_port(w->portal)),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct timeval patience = { 20, 0 };
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_true(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    return fd;
}

static struct client client_open(const struct world *w)
{
    struct client c = { .fd = connect_to(w) };

    c.ssl = SSL_new(w->trust);
    SSL_set_fd(c.ssl, c.fd);
    assert_int_equal(SSL_connect(c.ssl), 1);
    return c;
}

static void client_close(struct client *c)
{
    SSL_free(c->ssl);
    close(c->fd);
    ERR_clear_error();
}

static void say(struct client *c, struct str text)
{
    assert_int_equal(SSL_write(c->ssl, text.p, (int)text.n), (int)text.n);
}

/* hear - read until needle has come (or the end; needle NULL). */
static void hear(struct client *c, const char *needle, struct buf *out)
{
    char piece[4096];
    int n;

    while (!needle || str_find(buf_view(out), str_c(needle)) < 0) {
        n = SSL_read(c->ssl, piece, sizeof piece);
        if (n <= 0 && SSL_get_error(c->ssl, n) == SSL_ERROR_WANT_READ)
            fail_msg("the server neither answered nor hung up");
        if (n <= 0)
            break;
        buf_put(out, piece, (size_t)n);
    }
    if (needle && str_find(buf_view(out), str_c(needle)) < 0)
        fail_msg("waited in vain for \"%s\", got \"%.*s\"", needle, (int)out->n, out->p);
    ERR_clear_error();
}

static size_t count_of(const struct buf *b, const char *needle)
{
    struct str rest = buf_view(b);
    ptrdiff_t at;
    size_t n = 0;

    while ((at = str_find(rest, str_c(needle))) >= 0) {
        n++;
        rest = str_cut(rest, (size_t)at + 1);
    }
    return n;
}

#define H     "Host: localhost\r\n"
#define CLOSE "Connection: close\r\n"
#define ME    "Cookie: saqshy_session=centre_analyst\r\nX-CSRF-Token: the-token\r\n"

static const struct {
    const char *name, *in;
    const char *first;      /* how the answer begins */
    size_t      answers;    /* status lines until the connection ends */
    const char *holds;
} rows[] = {
    { "a page", "GET / HTTP/1.1\r\n" H CLOSE "\r\n", "HTTP/1.1 200 ", 1, "./start --build" },
    { "a link into the portal", "GET /cases/5 HTTP/1.1\r\n" H CLOSE "\r\n", "HTTP/1.1 200 ", 1, "./start --build" },
    { "HEAD has no body", "HEAD / HTTP/1.1\r\n" H CLOSE "\r\n", "HTTP/1.1 200 ", 1, "Content-Length: " },
    { "texts without a session", "GET /i18n/kk.json HTTP/1.1\r\n" H CLOSE "\r\n", "HTTP/1.1 200 ", 1, "error.internal" },
    { "two requests at once, answered in order", "GET /api/v1/clocks HTTP/1.1\r\n" H ME "\r\nGET /nothing.png HTTP/1.1\r\n" H CLOSE "\r\n",
      "HTTP/1.1 200 ", 2, "HTTP/1.1 404 " },
    { "a body and the next request at once", "POST /api/v1/cases/1/actions/comment HTTP/1.1\r\n" H ME
      "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}GET /nothing.png HTTP/1.1\r\n" H CLOSE "\r\n", "HTTP/1.1 200 ", 2, "HTTP/1.1 404 " },
    { "a hundred-continue", "POST /api/v1/cases/1/actions/comment HTTP/1.1\r\n" H ME CLOSE
      "Expect: 100-continue\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}", "HTTP/1.1 ", 1, "HTTP/1.1 200 " },
    { "1.0 closes by itself", "GET / HTTP/1.0\r\n\r\n", "HTTP/1.1 200 ", 1, NULL },
    { "no session", "GET /api/v1/cases HTTP/1.1\r\n" H CLOSE "\r\n", "HTTP/1.1 401 ", 1, "\"code\":\"unauthenticated\"" },
    { "another method", "DELETE /api/v1/clocks HTTP/1.1\r\n" H ME CLOSE "\r\n", "HTTP/1.1 405 ", 1, "Allow: GET, HEAD\r\n" },
    { "a method nobody knows", "BREW / HTTP/1.1\r\n" H CLOSE "\r\n", "HTTP/1.1 405 ", 1, "\"code\":\"method_not_allowed\"" },
    { "an API path nobody knows", "GET /api/v1/nothing HTTP/1.1\r\n" H ME CLOSE "\r\n", "HTTP/1.1 404 ", 1, "\"code\":\"not_found\"" },
    { "up and away", "GET /../../etc/passwd.txt HTTP/1.1\r\n" H CLOSE "\r\n", "HTTP/1.1 404 ", 1, NULL },
    { "up and away, coded", "GET /%2e%2e/%2e%2e/etc/passwd.txt HTTP/1.1\r\n" H CLOSE "\r\n", "HTTP/1.1 404 ", 1, NULL },

    { "smuggled behind two lengths", "POST /api/v1/session HTTP/1.1\r\n" H "Content-Length: 0\r\nContent-Length: 44\r\n\r\nGET /health HTTP/1.1\r\n" H "\r\n",
      "HTTP/1.1 400 ", 1, "\"code\":\"bad_request\"" },
    { "smuggled behind chunks", "POST /api/v1/session HTTP/1.1\r\n" H "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /health HTTP/1.1\r\n" H "\r\n",
      "HTTP/1.1 501 ", 1, NULL },
    { "smuggled behind a bare line feed", "GET / HTTP/1.1\r\n" H "X: y\nContent-Length: 60\r\n\r\nGET /health HTTP/1.1\r\n" H "\r\n", "HTTP/1.1 400 ", 1, NULL },
    { "smuggled in a body that nobody wants", "GET /api/v1/cases HTTP/1.1\r\n" H "Content-Length: 44\r\n\r\nGET /health HTTP/1.1\r\n" H "\r\n", "HTTP/1.1 401 ", 1, NULL },
    { "too long a body", "POST /api/v1/session HTTP/1.1\r\n" H "Content-Length: 1048577\r\n\r\n{", "HTTP/1.1 413 ", 1, "\"code\":\"too_large\"" },
    { "not HTTP", "hello\r\n\r\n", "HTTP/1.1 400 ", 1, "Content-Security-Policy: " },
    { "HTTP/2 without asking", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "HTTP/1.1 400 ", 1, NULL },
    { "JSON as a form", "POST /api/v1/session HTTP/1.1\r\n" H CLOSE "Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}", "HTTP/1.1 400 ", 1, NULL },
};

static void test_rows(void **state)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct client c = client_open(*state);
        AUTO_BUF struct buf b;

        buf_init(&b, 0);
        say(&c, str_c(rows[i].in));
        hear(&c, NULL, &b);
        if (!str_starts(buf_view(&b), str_c(rows[i].first)))
            print_error("%s: %.*s\n", rows[i].name, STR_ARG(buf_view(&b)));
        CHECK(rows[i].name, str_starts(buf_view(&b), str_c(rows[i].first)));
        CHECK(rows[i].name, count_of(&b, "\r\nContent-Security-Policy: default-src 'self'") == rows[i].answers);
        CHECK(rows[i].name, count_of(&b, "\r\nX-Content-Type-Options: nosniff") == rows[i].answers);
        CHECK(rows[i].name, !rows[i].holds || count_of(&b, rows[i].holds) > 0);
        client_close(&c);
    }
}

/* One letter at a time: the same answer as all at once. */
static void test_trickle(void **state)
{
    static const char request[] = "POST /api/v1/cases/1/actions/comment HTTP/1.1\r\n" H ME CLOSE "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
    struct client c = client_open(*state);
    AUTO_BUF struct buf b;

    buf_init(&b, 0);
    for (size_t i = 0; i + 1 < sizeof request; i++)
        say(&c, str_of(request + i, 1));
    hear(&c, NULL, &b);
    assert_true(str_starts(buf_view(&b), STR("HTTP/1.1 200 ")));
    client_close(&c);
}

static void test_long_head(void **state)
{
    struct client c = client_open(*state);
    AUTO_BUF struct buf b, in;

    buf_init(&b, 0);
    buf_init(&in, 0);
    buf_str(&in, STR("GET / HTTP/1.1\r\n" H "X: "));
    while (in.n < HTTP_HEAD_MAX + 100)
        buf_byte(&in, 'x');
    say(&c, buf_view(&in));
    hear(&c, NULL, &b);
    assert_true(str_starts(buf_view(&b), STR("HTTP/1.1 431 ")));
    client_close(&c);
}

/* The largest body is taken whole; it is no comment, but that is for the desk to say. */
static void test_long_body(void **state)
{
    struct client c = client_open(*state);
    AUTO_BUF struct buf b, in;

    buf_init(&b, 0);
    buf_init(&in, 0);
    buf_printf(&in, "POST /api/v1/cases/1/actions/comment HTTP/1.1\r\n" H ME CLOSE "Content-Type: application/json\r\nContent-Length: %u\r\n\r\n{\"text\":\"", HTTP_BODY_MAX);
    for (size_t i = 0; i < HTTP_BODY_MAX - 11; i++)
        buf_byte(&in, 'x');
    buf_str(&in, STR("\"}"));
    say(&c, buf_view(&in));
    hear(&c, NULL, &b);
    assert_true(str_starts(buf_view(&b), STR("HTTP/1.1 200 ")));
    client_close(&c);
}

/* Clients that go away in the middle of anything leave nothing behind (the sanitizers look). */
static void test_gone(void **state)
{
    static const char request[] = "GET /api/v1/events HTTP/1.1\r\n" H ME "\r\n";
    struct client c;
    int fd;

    for (size_t n = 0; n < sizeof request; n += 7) {
        c = client_open(*state);
        if (n)
            say(&c, str_of(request, n));
        client_close(&c);
    }
    for (int i = 0; i < 20; i++) {
        c = client_open(*state);
        say(&c, str_c(request));
        client_close(&c);
    }
    /* Before and during the handshake, and in plain text. */
    fd = connect_to(*state);
    close(fd);
    fd = connect_to(*state);
    assert_int_equal(write(fd, "GET / HTTP/1.1\r\n\r\n", 18), 18);
    assert_true(read(fd, (char[16]){ 0 }, 16) <= 16);
    close(fd);
}

/* open_stream - sign on to a stream as a role and wait until it runs. */
static struct client open_stream(const struct world *w, const char *path, const char *role, struct buf *b)
{
    struct client c = client_open(w);
    char text[512];

    snprintf(text, sizeof text, "GET %s HTTP/1.1\r\n" H "Cookie: saqshy_session=%s\r\n\r\n", path, role);
    say(&c, str_c(text));
    hear(&c, ": welcome\n\n", b);
    return c;
}

static void test_changes(void **state)
{
    struct world *w = *state;
    AUTO_BUF struct buf a, o;
    struct client analyst, officer;

    buf_init(&a, 0);
    buf_init(&o, 0);
    analyst = open_stream(w, "/api/v1/stream", "centre_analyst", &a);
    officer = open_stream(w, "/api/v1/stream", "owner_officer", &o);
    portal_changed(w->portal, "case", "2");   /* of another organisation */
    portal_changed(w->portal, "case", "1");
    hear(&analyst, "data: {\"type\":\"case\",\"id\":\"2\"}\n\n", &a);
    hear(&analyst, "data: {\"type\":\"case\",\"id\":\"1\"}\n\n", &a);
    hear(&officer, "data: {\"type\":\"case\",\"id\":\"1\"}\n\n", &o);
    assert_int_equal(count_of(&o, "\"2\""), 0);
    assert_int_equal(count_of(&a, "Content-Type: text/event-stream\r\n"), 1);
    client_close(&analyst);
    client_close(&officer);
}

static void append_event(struct journal *j, const char *line, const char *object)
{
    struct event ev = { .time = clock_now(), .received = clock_now(), .original = str_c(line), .object = str_c(object) };
    struct err e;

    assert_int_equal(journal_append(j, &ev, 1, (struct journal_origin){ 0 }, NULL, &e), 0);
    assert_int_equal(journal_commit(j, &e), 0);
}

static void test_tail(void **state)
{
    struct world *w = *state;
    AUTO_BUF struct buf a, o;
    struct client analyst, officer;
    struct journal *j;
    char path[128];
    struct err e;

    buf_init(&a, 0);
    buf_init(&o, 0);
    snprintf(path, sizeof path, "%s/journal", w->data);
    assert_int_equal(journal_open(path, MIB, &j, &e), 0);
    append_event(j, "sshd before anybody watched", "o1");
    analyst = open_stream(w, "/api/v1/events/tail?q=sshd", "centre_analyst", &a);
    officer = open_stream(w, "/api/v1/events/tail?q=sshd", "owner_officer", &o);
    append_event(j, "sshd of a stranger", "o2");
    append_event(j, "cron of ours", "o1");
    append_event(j, "sshd of ours", "o1");
    hear(&analyst, "sshd of ours", &a);
    hear(&officer, "sshd of ours", &o);
    assert_int_equal(count_of(&a, "id: 2\ndata: {"), 1);
    assert_int_equal(count_of(&a, "sshd of a stranger"), 1);
    assert_int_equal(count_of(&a, "cron"), 0);
    assert_int_equal(count_of(&a, "before"), 0);
    assert_int_equal(count_of(&o, "stranger"), 0);
    assert_int_equal(count_of(&o, "id: 4\ndata: {"), 1);
    client_close(&analyst);
    client_close(&officer);
    journal_close(&j);
}

static void test_stream_ends(void **state)
{
    struct client stream, other;
    AUTO_BUF struct buf s, b;

    buf_init(&s, 0);
    buf_init(&b, 0);
    stream = open_stream(*state, "/api/v1/stream", "owner_officer", &s);
    other = client_open(*state);
    say(&other, STR("DELETE /api/v1/session HTTP/1.1\r\n" H CLOSE "Cookie: saqshy_session=owner_officer\r\nX-CSRF-Token: the-token\r\n\r\n"));
    hear(&other, NULL, &b);
    assert_true(str_starts(buf_view(&b), STR("HTTP/1.1 204 ")));
    hear(&stream, NULL, &s); /* returns, because the server ends it */
    client_close(&other);
    stream = (client_close(&stream), open_stream(*state, "/api/v1/stream", "administrator", &s));
    other = client_open(*state);
    say(&other, STR("PUT /api/v1/users/1 HTTP/1.1\r\n" H CLOSE "Cookie: saqshy_session=administrator\r\nX-CSRF-Token: the-token\r\n"
                    "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"));
    hear(&other, NULL, &b);
    hear(&stream, NULL, &s);
    client_close(&other);
    client_close(&stream);
}

static void test_too_many_streams(void **state)
{
    struct client c[13];
    AUTO_BUF struct buf b;

    buf_init(&b, 0);
    for (size_t i = 0; i < 12; i++) {
        buf_reset(&b);
        c[i] = open_stream(*state, "/api/v1/stream", "administrator", &b);
    }
    buf_reset(&b);
    c[12] = client_open(*state);
    say(&c[12], STR("GET /api/v1/stream HTTP/1.1\r\n" H "Cookie: saqshy_session=administrator\r\n\r\n"));
    hear(&c[12], NULL, &b);
    assert_true(str_starts(buf_view(&b), STR("HTTP/1.1 429 ")));
    for (size_t i = 0; i < 13; i++)
        client_close(&c[i]);
}

/* From one address only so many: the next is closed at once. Those that were open still work. */
static void test_too_many_connections(void **state)
{
    struct world *w = *state;
    AUTO_BUF struct buf b;
    struct client last;
    int fd[64];
    char byte;

    buf_init(&b, 0);
    last = client_open(w);
    for (size_t i = 0; i < COUNT(fd); i++)
        fd[i] = connect_to(w);
    /* The last of them is the 65th at least: the server hangs up. */
    assert_true(read(fd[COUNT(fd) - 1], &byte, 1) <= 0);
    say(&last, STR("GET / HTTP/1.1\r\n" H CLOSE "\r\n"));
    hear(&last, NULL, &b);
    assert_true(str_starts(buf_view(&b), STR("HTTP/1.1 200 ")));
    for (size_t i = 0; i < COUNT(fd); i++)
        close(fd[i]);
    client_close(&last);
}

static void test_old_tls(void **state)
{
    struct world *w = *state;
    SSL_CTX *old = SSL_CTX_new(TLS_client_method());
    int fd = connect_to(w);
    SSL *ssl;

    SSL_CTX_set_security_level(old, 0);
    SSL_CTX_set_min_proto_version(old, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(old, TLS1_1_VERSION);
    ssl = SSL_new(old);
    SSL_set_fd(ssl, fd);
    assert_true(SSL_connect(ssl) <= 0);
    SSL_free(ssl);
    SSL_CTX_free(old);
    close(fd);
    ERR_clear_error();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        { "whatever is sent, the answer is ours, guarded, and the only one", test_rows, NULL, NULL, NULL },
        { "one letter at a time gives the same answer", test_trickle, NULL, NULL, NULL },
        { "a head without end is refused", test_long_head, NULL, NULL, NULL },
        { "the largest body is taken whole", test_long_body, NULL, NULL, NULL },
        { "clients that go away leave nothing behind", test_gone, NULL, NULL, NULL },
        { "an officer hears of own cases only", test_changes, NULL, NULL, NULL },
        { "the tail shows what matches, from now on, of own objects", test_tail, NULL, NULL, NULL },
        { "a stream ends with its session, and when its user is changed", test_stream_ends, NULL, NULL, NULL },
        { "one user has only so many streams", test_too_many_streams, NULL, NULL, NULL },
        { "one address has only so many connections", test_too_many_connections, NULL, NULL, NULL },
        { "TLS 1.1 is refused", test_old_tls, NULL, NULL, NULL },
    };

    log_open("test", LOG_ERROR + 5, 2);
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests_name("portal: the server over TLS", tests, set_up, tear_down);
}
