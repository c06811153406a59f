/* test_http.c - the HTTP layer over real sockets, in one loop: routes, answers that come later, clients that go meanwhile, and the crowd without TLS. */
#include "base/test.h"
#include "ingest/http.h"

#include <arpa/inet.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>

#define TURNS_MAX 3000        /* of the loop, until something must have happened */

static int decode(struct taking *t, struct str body, struct err *e)
{
    (void)t;
    (void)body;
    (void)e;
    return 0;
}
static const struct body_decoder decoder = { "test", decode };

static void hello(const struct http_ask *a, struct http_answer *out)
{
    buf_printf(out->body, "%.*s?%.*s", STR_ARG(a->path), STR_ARG(a->query));
    out->type = "text/plain";
}

static int admit(const struct http_ask *a, struct pile *p, struct err *e)
{
    const char *token = http_header(a, "Authorization");

    (void)p;
    if (token && strcmp(token, "Token 1") == 0)
        return 0;
    err_set(e, -EACCES, "no token");
    return 401;
}

static void form(struct http_answer *a, const struct pile *p)
{
    a->type = "text/plain";
    if (a->body->n == 0)
        buf_printf(a->body, "%s%s", a->reason, p && a->status == 200 ? "stored" : "");
}

static const struct http_route routes[] = {
    { HTTP_GET | HTTP_HEAD, "/hello/*", NULL, NULL, hello },
    { HTTP_POST | HTTP_PUT, "/take", admit, &decoder, NULL },
};
static const struct http_service service = { "test", routes, COUNT(routes), form };

struct world {
    struct ingest         in;
    struct ingest_options options;
    struct listener      *l;
    uint16_t              port;
};

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    struct listen_conf c = { .id = (char *)"plain", .kind = LISTEN_otlp, .address = (char *)"127.0.0.1:0", .certificate = (char *)"", .key = (char *)"",
                             .authority = (char *)"", .source = (char *)"" };
    struct err e;

    listen_default(LISTEN_otlp, &c);
    c.id = (char *)"plain";
    c.address = (char *)"127.0.0.1:0";
    c.certificate = c.key = c.authority = c.source = (char *)"";
    c.tls = false;
    c.client = LISTEN_CLIENT_NONE;
    c.limits.connections = 3;
    c.limits.peer_connections = 3;
    counters_init(&w->in.counters);
    w->in.options = &w->options;
    w->in.connections_max = 100;
    w->in.base = event_base_new();
    assert_int_equal(hub_init(&w->in.hub, &e), 0);
    assert_int_equal(peers_new(&w->in.peers, &e), 0);
    assert_int_equal(http_open(&w->in, &otlp_kind, &service, &c, &w->l, &e), 0);
    w->port = http_port(w->l);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    if (w->l)
        http_close(w->l);
    event_base_free(w->in.base);
    crowds_free(&w->in);
    hub_free(&w->in.hub);
    peers_free(&w->in.peers);
    free(w);
    return 0;
}

static int dial(const struct world *w)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(w->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

static void turn(struct world *w)
{
    static const struct timeval little = { 0, 10000 };

    event_base_loopexit(w->in.base, &little);
    event_base_dispatch(w->in.base);
}

/* hear - turn the loop until the whole answer is there; its text, or what came before the end. */
static const char *hear(struct world *w, int fd, const char *until)
{
    static char text[4096];
    size_t n = 0;

    text[0] = 0;
    for (int i = 0; i < TURNS_MAX && !strstr(text, until); i++) {
        ssize_t got;

        turn(w);
        got = recv(fd, text + n, sizeof text - 1 - n, 0);
        if (got == 0)
            break;
        n += got > 0 ? (size_t)got : 0;
        text[n] = 0;
    }
    return text;
}

static void say(int fd, const char *text) { assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text)); }

static int64_t connections(const struct world *w) { return card_get(&w->l->card->connections); }

static void expect_connections(struct world *w, int64_t n)
{
    for (int i = 0; i < TURNS_MAX && connections(w) != n; i++)
        turn(w);
    assert_int_equal(connections(w), n);
}

static const struct {
    const char *request, *begins, *holds;
} rows[] = {
    { "GET /hello/you?a=1&b=2 HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200", "/hello/you?a=1&b=2" },
    { "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 404", "there is no such path here" },
    { "POST /hello/x HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 405", "this path takes another method" },
    { "POST /take HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx", "HTTP/1.1 401", "no token" },
    { "POST /take HTTP/1.1\r\nHost: x\r\nAuthorization: Token 1\r\nContent-Encoding: br\r\nContent-Length: 1\r\n\r\nx", "HTTP/1.1 415", "Content-Encoding must be" },
};

static void requests_find_their_route_or_are_refused_in_its_form(void **state)
{
    struct world *w = *state;
    int fd = dial(w);

    for (size_t i = 0; i < COUNT(rows); i++) {      /* one connection for all: a refusal does not end it */
        const char *text;

        say(fd, rows[i].request);
        text = hear(w, fd, rows[i].holds);
        CHECK(rows[i].request, strncmp(text, rows[i].begins, strlen(rows[i].begins)) == 0);
        CHECK(rows[i].request, strstr(text, rows[i].holds) != NULL);
    }
    assert_int_equal(w->in.requests, 0);
    close(fd);
    expect_connections(w, 0);
}

/* taken - the pile of a request, when the loop has put it into the hub. */
static struct pile *taken(struct world *w)
{
    struct pile *p = NULL;
    bool stop;

    for (int i = 0; i < TURNS_MAX && !p; i++) {
        turn(w);
        p = hub_take(&w->in.hub, 0, &stop);
    }
    assert_non_null(p);
    return p;
}

static void stored(struct world *w, struct pile *p)
{
    p->status = 200;
    w->in.requests--;
    pile_tell(p);
    pile_free(&p);
}

static void an_answer_comes_after_the_commit_and_finds_nobody_if_the_client_has_gone(void **state)
{
    static const char request[] = "PUT /take?x=1 HTTP/1.1\r\nHost: x\r\nAuthorization: Token 1\r\nContent-Length: 5\r\n\r\nhello";
    struct world *w = *state;
    int stays = dial(w), goes = dial(w);
    struct pile *p;

    say(stays, request);
    p = taken(w);
    assert_true(str_eq(buf_view(&p->bytes), STR("hello")));
    assert_string_equal(p->query, "/take?x=1");
    assert_string_equal(p->peer, "127.0.0.1");
    assert_int_equal(w->in.requests, 1);
    assert_true(http_busy(w->l));
    stored(w, p);
    assert_non_null(strstr(hear(w, stays, "stored"), "stored"));
    assert_false(http_busy(w->l));
    say(goes, request);
    p = taken(w);
    close(goes);
    turn(w);
    stored(w, p);
    assert_false(http_busy(w->l));
    expect_connections(w, 1);
    say(stays, request);                    /* and at the end of the role nobody waits for what has no answer */
    p = taken(w);
    http_stop_accepting(w->l);
    http_close(w->l);
    w->l = NULL;
    pile_tell(p);
    pile_free(&p);
    close(stays);
}

static void a_crowd_without_tls_waits_outside_until_somebody_leaves(void **state)
{
    struct world *w = *state;
    int fd[5];

    for (size_t i = 0; i < COUNT(fd); i++)
        fd[i] = dial(w);
    expect_connections(w, 3);
    for (int i = 0; i < 20; i++)
        turn(w);
    assert_int_equal(connections(w), 3);
    close(fd[0]);
    close(fd[1]);
    for (int i = 0; i < TURNS_MAX && card_get(&w->l->card->accepted) < 5; i++)
        turn(w);
    assert_int_equal(card_get(&w->l->card->accepted), 5);
    say(fd[4], rows[0].request);
    assert_non_null(strstr(hear(w, fd[4], rows[0].holds), rows[0].holds));
    for (size_t i = 2; i < COUNT(fd); i++)
        close(fd[i]);
    expect_connections(w, 0);
    assert_int_equal(w->in.connections, 0);
    w->l->conf.limits.peer_connections = 1;
    for (size_t i = 0; i < 2; i++)
        fd[i] = dial(w);
    expect_connections(w, 2);
    expect_connections(w, 1);              /* one of an address: the other is sent away */
    assert_int_equal(card_get(&w->l->card->away[AWAY_PEER_LIMIT]), 1);
    close(fd[0]);
    close(fd[1]);
}

static void a_connection_over_its_bytes_a_second_is_read_later_and_nothing_is_lost(void **state)
{
    static const char head[] = "POST /take HTTP/1.1\r\nHost: x\r\nAuthorization: Token 1\r\nContent-Length: 150000\r\n\r\n";
    struct world *w = *state;
    time_ns begun = clock_steady();
    struct pile *p;
    char body[1000];
    size_t sent = 0;
    int fd;

    w->l->conf.limits.peer_bytes_s = 50000;
    fd = dial(w);
    say(fd, head);
    memset(body, 'b', sizeof body);
    while (sent < 150000) {
        ssize_t n = send(fd, body, min_size(sizeof body, 150000 - sent), MSG_NOSIGNAL);

        if (n > 0)
            sent += (size_t)n;
        else
            turn(w);
    }
    p = taken(w);
    assert_int_equal(p->bytes.n, 150000);
    assert_true(clock_steady() - begun > NS_PER_SECOND);   /* a second's worth at once, the rest takes two: far above what must pass */
    stored(w, p);
    assert_non_null(strstr(hear(w, fd, "stored"), "stored"));
    close(fd);
    expect_connections(w, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(requests_find_their_route_or_are_refused_in_its_form, setup, teardown),
        cmocka_unit_test_setup_teardown(an_answer_comes_after_the_commit_and_finds_nobody_if_the_client_has_gone, setup, teardown),
        cmocka_unit_test_setup_teardown(a_connection_over_its_bytes_a_second_is_read_later_and_nothing_is_lost, setup, teardown),
        cmocka_unit_test_setup_teardown(a_crowd_without_tls_waits_outside_until_somebody_leaves, setup, teardown),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests_name("ingest http", tests, NULL, NULL);
}
