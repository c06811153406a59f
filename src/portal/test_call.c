/* test_call.c - every route for everybody: who is let in, who is not, and what the refusals say. With the fake desk. */
#include "base/test.h"
#include "base/log.h"
#include "base/yaml.h"
#include "portal/internal.h"

#include <unistd.h>

struct world {
    struct portal   portal;
    struct node    *node;
    struct catalog *catalog;
    char            data[64];
};

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    char path[4096];
    struct err e;

    assert_non_null(w);
    snprintf(w->data, sizeof w->data, "/tmp/saqshy-call-XXXXXX");
    assert_non_null(mkdtemp(w->data));
    snprintf(path, sizeof path, "%s/content/i18n", getenv("SAQSHY_SOURCE"));
    assert_int_equal(catalog_load(path, &w->catalog, &e), 0);
    assert_int_equal(node_default(w->data, "/nowhere", &w->node, &e), 0);
    w->portal.setup.node = w->node;
    w->portal.catalog = w->catalog;
    snprintf(path, sizeof path, "%s/journal", w->data);
    assert_int_equal(tail_open(path, &w->portal.tail, &e), 0);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    tail_close(&w->portal.tail);
    catalog_free(&w->catalog);
    node_free(&w->node);
    rmdir(w->data);
    free(w);
    return 0;
}

/* ask - one request through all checks. path may carry parameters. more is further header lines. */
static struct call *ask(struct world *w, enum http_method m, const char *path, const char *token, const char *more, const char *body)
{
    AUTO_BUF struct buf head;
    struct call *c;
    struct err e;

    buf_init(&head, 64 * KIB);
    buf_printf(&head, "%s %s HTTP/1.1\r\nHost: here:8443\r\n", http_method_name(m), path);
    if (token)
        buf_printf(&head, "Cookie: saqshy_session=%s\r\n", token);
    if (body)
        buf_printf(&head, "Content-Type: application/json\r\nContent-Length: %zu\r\n", strlen(body));
    buf_printf(&head, "%s\r\n", more ? more : "");
    assert_int_equal(call_begin(&w->portal, buf_view(&head), &c, &e), 0);
    assert_int_equal(http_head(buf_view(&c->head), &c->http, &e), 0);
    if (body)
        buf_str(&c->content, str_c(body));
    c->loopback = true;
    route_find(c->http.method, c->http.path, &c->arena, &c->match);
    if (c->match.route)
        call_run(c);
    return c;
}

static int status_of(struct world *w, enum http_method m, const char *path, const char *token, const char *more, const char *body)
{
    struct call *c = ask(w, m, path, token, more, body);
    int status = c->match.route ? c->reply.status : c->match.allowed ? 405 : 404;

    call_end(&c);
    return status;
}

/* code_of - error.code of an answer, in a static place of the caller. */
static void code_of(const struct call *c, char out[64])
{
    json_t *j = json_loadb(c->reply.body.p, c->reply.body.n, 0, NULL);
    const char *code = json_string_value(json_object_get(j, "code"));

    snprintf(out, 64, "%s", code ? code : "");
    json_decref(j);
}

/* example - a path that fits a pattern. */
static const char *example(const char *pattern, char out[256])
{
    static const char *const values[][2] = {
        { "{id}", "1" }, { "{name}", "comment" }, { "{lang}", "kk" },
        { "{sha256}", "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" },
    };
    struct str rest = str_c(pattern);
    size_t n = 0;

    while (rest.n) {
        ptrdiff_t close = rest.p[0] == '{' ? str_chr(rest, '}') : -1;

        if (close < 0) {
            out[n++] = rest.p[0];
            rest = str_cut(rest, 1);
            continue;
        }
        for (size_t i = 0; i < COUNT(values); i++)
            if (str_eq(str_of(rest.p, (size_t)close + 1), str_c(values[i][0])))
                n += (size_t)snprintf(out + n, 256 - n, "%s", values[i][1]);
        rest = str_cut(rest, (size_t)close + 1);
    }
    out[n] = 0;
    return out;
}

#define CSRF "X-CSRF-Token: the-token\r\n"

static void test_roles(void **state)
{
    /* After the two who are nobody, all roles in the order of enum desk_role. */
    static const char *const people[] = { NULL, "nobody", "administrator", "centre_analyst", "centre_lead", "surveyor", "document_auditor",
                                          "owner_officer", "owner_administrator", "ocib_analyst", "cii_responsible", "knb", "authorised_body",
                                          "auditor" };
    static_assert(COUNT(people) == 2 + DESK_ROLE_COUNT, "every role is tried");
    struct world *w = *state;
    size_t count;
    const struct route *table = route_table(&count);

    for (size_t i = 0; i < count; i++)
        for (size_t who = 0; who < COUNT(people); who++) {
            const struct route *r = &table[i];
            bool let_in = (r->roles & ROUTE_ANYBODY) || (who >= 2 && (r->roles & (1u << (who - 2))));
            char path[256], name[512];
            int status = status_of(w, r->method, example(r->pattern, path), people[who], CSRF, r->body ? "{}" : NULL);

            snprintf(name, sizeof name, "%s %s as %s: %d", http_method_name(r->method), path, people[who] ? people[who] : "a stranger", status);
            if (let_in)
                CHECK(name, status != 401 && status != 403 && status != 500 && status != 0);
            else
                CHECK(name, status == (who < 2 ? 401 : 403));
        }
}

static void test_forgery(void **state)
{
    static const struct {
        const char *name, *headers;
        int         status;
    } rows[] = {
        { "the token", CSRF, 200 },
        { "the token and our origin", CSRF "Origin: https://here:8443\r\n", 200 },
        { "the token and a browser's word", CSRF "Sec-Fetch-Site: same-origin\r\n", 200 },
        { "no token", "", 403 },
        { "a wrong token", "X-CSRF-Token: another\r\n", 403 },
        { "an empty token", "X-CSRF-Token:\r\n", 403 },
        { "another site", CSRF "Origin: https://evil.example\r\n", 403 },
        { "our name with more behind it", CSRF "Origin: https://here:8443.evil.example\r\n", 403 },
        { "our name without TLS", CSRF "Origin: http://here:8443\r\n", 403 },
        { "a page without an origin", CSRF "Origin: null\r\n", 403 },
        { "a browser says another site", CSRF "Sec-Fetch-Site: cross-site\r\n", 403 },
        { "a browser says a sister site", CSRF "Sec-Fetch-Site: same-site\r\n", 403 },
    };
    struct world *w = *state;
    size_t count;
    const struct route *table = route_table(&count);

    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK(rows[i].name, status_of(w, HTTP_POST, "/api/v1/cases/1/actions/comment", "centre_analyst", rows[i].headers, "{}") == rows[i].status);
    /* Whatever changes something asks for the token. */
    for (size_t i = 0; i < count; i++) {
        char path[256];

        if (table[i].method == HTTP_GET || (table[i].roles & ROUTE_ANYBODY))
            continue;
        CHECK(table[i].pattern, status_of(w, table[i].method, example(table[i].pattern, path),
              table[i].roles & (1u << DESK_ADMINISTRATOR) ? "administrator" : "centre_analyst", NULL, table[i].body ? "{}" : NULL) == 403);
    }
    assert_int_equal(status_of(w, HTTP_POST, "/api/v1/session", NULL, "Origin: https://evil.example\r\n", "{\"login\":\"a\",\"password\":\"right\"}"), 403);
}

static const struct {
    const char      *name;
    enum http_method method;
    const char      *path, *token, *headers, *body;
    int              status;
    const char      *code;       /* NULL: not an error */
    const char      *holds;      /* the body holds this, or NULL */
} answers[] = {
    { "signed in", HTTP_POST, "/api/v1/session", NULL, NULL, "{\"login\":\"centre_analyst\",\"password\":\"right\"}", 200, NULL, "csrf" },
    { "a wrong password", HTTP_POST, "/api/v1/session", NULL, "Accept-Language: en\r\n", "{\"login\":\"x\",\"password\":\"y\"}", 401,
      "bad_credentials", "password is wrong" },
    { "the same in Russian", HTTP_POST, "/api/v1/session", NULL, "Accept-Language: ru-RU,ru;q=0.9\r\n", "{\"login\":\"x\",\"password\":\"y\"}", 401,
      "bad_credentials", "Неверный" },
    { "Kazakh is the first language", HTTP_POST, "/api/v1/session", NULL, NULL, "{\"login\":\"x\",\"password\":\"y\"}", 401,
      "bad_credentials", "құпиясөз" },
    { "the user's language without Accept-Language", HTTP_GET, "/api/v1/users", "owner_officer", NULL, NULL, 403, "forbidden", "права" },
    { "locked out", HTTP_POST, "/api/v1/session", NULL, NULL, "{\"login\":\"x\",\"password\":\"locked\"}", 429, "locked_out", "\"retry_after\":30" },
    { "a password that is a number", HTTP_POST, "/api/v1/session", NULL, NULL, "{\"login\":\"x\",\"password\":5}", 400, "bad_request",
      "\"field\":\"password\"" },
    { "a property too many", HTTP_POST, "/api/v1/session", NULL, NULL, "{\"login\":\"x\",\"password\":\"y\",\"z\":1}", 400, "bad_request", "\"field\":\"z\"" },
    { "not JSON", HTTP_POST, "/api/v1/session", NULL, NULL, "login=x", 400, "bad_request", NULL },
    { "an array", HTTP_POST, "/api/v1/session", NULL, NULL, "[1]", 400, "bad_request", NULL },
    { "a property twice", HTTP_POST, "/api/v1/session", NULL, NULL, "{\"login\":\"x\",\"login\":\"y\",\"password\":\"right\"}", 400, "bad_request", NULL },
    { "nested too deep", HTTP_POST, "/api/v1/session", NULL, NULL, "{\"a\":[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]}", 400, "bad_request", NULL },
    { "a state of the past", HTTP_POST, "/api/v1/cases/1/actions/late", "centre_analyst", CSRF, "{}", 409, "wrong_state", NULL },
    { "a wrong field", HTTP_POST, "/api/v1/cases/1/actions/wrong", "centre_analyst", CSRF, "{}", 400, "bad_request", "annex7.source_ip" },
    { "a broken disk is not told to strangers", HTTP_POST, "/api/v1/cases/1/actions/broken", "centre_analyst", CSRF, "{}", 500, "internal", NULL },
    { "a foreign case is no case", HTTP_GET, "/api/v1/cases/2", "owner_officer", NULL, NULL, 404, "not_found", NULL },
    { "a foreign case is not to be changed", HTTP_POST, "/api/v1/cases/2/actions/comment", "owner_officer", CSRF, "{}", 404, "not_found", NULL },
    { "a broken parameter", HTTP_GET, "/api/v1/cases?limit=0", "centre_analyst", NULL, NULL, 400, "bad_request", "\"field\":\"limit\"" },
    { "a broken code", HTTP_GET, "/api/v1/cases?q=%zz", "centre_analyst", NULL, NULL, 400, "bad_request", NULL },
    { "no such document", HTTP_GET, "/api/v1/documents/..%2f..%2fetc%2fpasswd", "centre_analyst", NULL, NULL, 404, NULL, NULL },
    { "a document's name in capitals", HTTP_GET, "/api/v1/documents/ABCDEF", "centre_analyst", NULL, NULL, 404, "not_found", NULL },
    { "a bad query", HTTP_GET, "/api/v1/events?q=%D2%9B(", "centre_analyst", NULL, NULL, 400, "bad_query", "\"at\":" },
    { "all events", HTTP_GET, "/api/v1/events?limit=3", "centre_analyst", NULL, NULL, 200, NULL, "\"next\":\"18000000000.18\"" },
    { "the next page", HTTP_GET, "/api/v1/events?limit=3&before=3000000000.3", "centre_analyst", NULL, NULL, 200, NULL, "\"next\":null" },
    { "a cursor of another kind", HTTP_GET, "/api/v1/events?before=abc", "centre_analyst", NULL, NULL, 400, "bad_request", "before" },
    { "an officer searches own objects", HTTP_GET, "/api/v1/events?limit=1", "owner_officer", NULL, NULL, 200, NULL, "\"saqshy.object\":\"o1\"" },
    { "an officer is not told how many foreign events were looked at", HTTP_GET, "/api/v1/events", "owner_officer", NULL, NULL, 200, NULL,
      "\"scanned\":10," },
    { "a histogram", HTTP_GET, "/api/v1/events/histogram?from=2026-01-01T00:00:00Z&to=2026-01-01T00:01:00Z&buckets=2", "centre_analyst", NULL, NULL, 200, NULL,
      "{\"buckets\":[{\"from\":\"2026-01-01T00:00:00Z\",\"to\":\"2026-01-01T00:00:30Z\",\"count\":2},{\"from\":\"2026-01-01T00:00:30Z\",\"to\":\"2026-01-01T00:01:00Z\",\"count\":2}],\"total\":4}" },
    { "a histogram without an end", HTTP_GET, "/api/v1/events/histogram?from=2026-01-01T00:00:00Z", "centre_analyst", NULL, NULL, 400, "bad_request", "\"field\":\"to\"" },
    { "a histogram that runs backwards", HTTP_GET, "/api/v1/events/histogram?to=2026-01-01T00:00:00Z&from=2026-01-01T00:01:00Z", "centre_analyst", NULL, NULL,
      400, "bad_request", "\"field\":\"to\"" },
    { "a histogram of all time", HTTP_GET, "/api/v1/events/histogram?to=2262-01-01T00:00:00Z&from=1677-12-31T00:01:00Z", "centre_analyst", NULL, NULL, 400,
      "bad_request", NULL },
    { "no language of ours", HTTP_GET, "/i18n/de.json", NULL, NULL, NULL, 404, "not_found", NULL },
    { "a term without a start", HTTP_GET, "/api/v1/obligations/D-05/due", "centre_analyst", NULL, NULL, 400, "bad_request", "\"field\":\"from\"" },
};

static void test_answers(void **state)
{
    for (size_t i = 0; i < COUNT(answers); i++) {
        struct call *c = ask(*state, answers[i].method, answers[i].path, answers[i].token, answers[i].headers, answers[i].body);
        char code[64] = "";

        if (!c->match.route) { /* the router refuses it before */
            CHECK(answers[i].name, answers[i].status == 404);
            call_end(&c);
            continue;
        }
        if (c->reply.status >= 400)
            code_of(c, code);
        if (c->reply.status != answers[i].status)
            print_error("%s: %d %.*s\n", answers[i].name, c->reply.status, STR_ARG(buf_view(&c->reply.body)));
        CHECK(answers[i].name, c->reply.status == answers[i].status);
        CHECK(answers[i].name, !answers[i].code || strcmp(code, answers[i].code) == 0);
        CHECK(answers[i].name, !answers[i].holds || str_find(buf_view(&c->reply.body), str_c(answers[i].holds)) >= 0);
        CHECK(answers[i].name, str_find(buf_view(&c->reply.body), STR("disk")) < 0);
        call_end(&c);
    }
}

static void test_cookie(void **state)
{
    struct call *c = ask(*state, HTTP_POST, "/api/v1/session", NULL, NULL, "{\"login\":\"centre_analyst\",\"password\":\"right\"}");

    assert_string_equal(c->reply.cookie, "saqshy_session=centre_analyst; Path=/; HttpOnly; Secure; SameSite=Strict; Max-Age=43200");
    call_end(&c);
    c = ask(*state, HTTP_POST, "/api/v1/session", NULL, NULL, "{\"login\":\"centre_analyst\",\"password\":\"wrong\"}");
    assert_string_equal(c->reply.cookie, "");
    call_end(&c);
    c = ask(*state, HTTP_DELETE, "/api/v1/session", "centre_analyst", CSRF, NULL);
    assert_int_equal(c->reply.status, 204);
    assert_string_equal(c->reply.cookie, "saqshy_session=; Path=/; HttpOnly; Secure; SameSite=Strict; Max-Age=0");
    call_end(&c);
}

static const struct {
    const char      *name;
    enum http_method method;
    const char      *path;
    unsigned         allowed;   /* bits of methods; 0: no such path */
    bool             found;
    const char      *arg;
} paths[] = {
    { "a case", HTTP_GET, "/api/v1/cases/17", 1u << HTTP_GET | 1u << HTTP_HEAD, true, "17" },
    { "HEAD is GET without a body", HTTP_HEAD, "/api/v1/cases/17", 1u << HTTP_GET | 1u << HTTP_HEAD, true, "17" },
    { "a coded id", HTTP_GET, "/api/v1/cases/%D2%9B", 1u << HTTP_GET | 1u << HTTP_HEAD, true, "қ" },
    { "a suffix", HTTP_GET, "/i18n/kk.json", 1u << HTTP_GET | 1u << HTTP_HEAD, true, "kk" },
    { "a suffix alone", HTTP_GET, "/i18n/.json", 0, false, NULL },
    { "another method", HTTP_DELETE, "/api/v1/cases", 1u << HTTP_GET | 1u << HTTP_HEAD, false, NULL },
    { "an unknown method", HTTP_OTHER, "/api/v1/session", 1u << HTTP_GET | 1u << HTTP_HEAD | 1u << HTTP_POST | 1u << HTTP_DELETE, false, NULL },
    { "a slash in an id", HTTP_GET, "/api/v1/cases/a%2fb", 0, false, NULL },
    { "a zero in an id", HTTP_GET, "/api/v1/cases/a%00", 0, false, NULL },
    { "a line feed in an id", HTTP_GET, "/api/v1/cases/a%0ab", 0, false, NULL },
    { "no id", HTTP_GET, "/api/v1/cases/", 0, false, NULL },
    { "a slash too many", HTTP_GET, "/api/v1//cases", 0, false, NULL },
    { "a slash at the end", HTTP_GET, "/api/v1/clocks/", 0, false, NULL },
    { "dots", HTTP_GET, "/api/v1/x/../cases", 0, false, NULL },
    { "a coded name of the path", HTTP_GET, "/api/v1/%63ases", 0, false, NULL },
    { "capitals", HTTP_GET, "/API/v1/cases", 0, false, NULL },
    { "more behind", HTTP_GET, "/api/v1/cases/1/actions", 0, false, NULL },
    { "nothing", HTTP_GET, "", 0, false, NULL },
};

static void test_paths(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(paths); i++) {
        AUTO_ARENA struct arena a;
        struct route_match m;

        arena_init(&a, 0);
        route_find(paths[i].method, str_c(paths[i].path), &a, &m);
        CHECK(paths[i].name, m.allowed == paths[i].allowed && (m.route != NULL) == paths[i].found);
        CHECK(paths[i].name, !paths[i].arg || str_eq(m.arg[0], str_c(paths[i].arg)));
    }
}

static void test_every_answer_is_guarded(void **state)
{
    static const char *const wanted[] = {
        ("Content-Security-Policy: default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
         "frame-ancestors 'none'; base-uri 'none'; form-action 'self'\r\n"),
        "Strict-Transport-Security: max-age=", "X-Content-Type-Options: nosniff\r\n", "Referrer-Policy: no-referrer\r\n",
        "Cache-Control: no-store\r\n", "Content-Length: 2\r\n", "Connection: close\r\n", "HTTP/1.1 404 Not Found\r\n",
    };
    struct reply r = { .status = 404, .type = "application/json", .view = STR("{}") };
    AUTO_BUF struct buf b;

    (void)state;
    buf_init(&b, MIB);
    reply_head(&r, false, &b);
    for (size_t i = 0; i < COUNT(wanted); i++)
        CHECK(wanted[i], str_find(buf_view(&b), str_c(wanted[i])) >= 0);
    assert_true(str_ends(buf_view(&b), STR("\r\n\r\n")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        { "each route lets in its roles and nobody else", test_roles, NULL, NULL, NULL },
        { "what changes something needs the token and our own origin", test_forgery, NULL, NULL, NULL },
        { "answers and refusals say what the API promises", test_answers, NULL, NULL, NULL },
        { "the session cookie is HttpOnly, Secure and SameSite=Strict", test_cookie, NULL, NULL, NULL },
        { "paths are matched whole and decoded once", test_paths, NULL, NULL, NULL },
        { "every answer carries the security headers", test_every_answer_is_guarded, NULL, NULL, NULL },
    };

    log_open("test", LOG_ERROR + 5, 2);
    return cmocka_run_group_tests_name("portal: who may ask what", tests, set_up, tear_down);
}
