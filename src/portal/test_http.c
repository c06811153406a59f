/* test_http.c - heads of requests as browsers, curl and attackers send them. */
#include "base/test.h"
#include "portal/http.h"

#define H "Host: a\r\n"

static const struct {
    const char      *name, *in;
    int              rc;
    enum http_method method;
    const char      *path, *query;
    uint64_t         length;
    bool             keep_alive;
} rows[] = {
    { "a browser's page load",
      "GET /?a=1 HTTP/1.1\r\nHost: 127.0.0.1:8443\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\nAccept: text/html;q=0.9,*/*\r\n"
      "Accept-Language: kk-KZ,kk;q=0.9\r\nSec-Fetch-Site: none\r\n\r\n", 0, HTTP_GET, "/", "a=1", 0, true },
    { "curl with a body", "POST /api/v1/session HTTP/1.1\r\n" H "Content-Type: application/json\r\nContent-Length: 12\r\n\r\n",
      0, HTTP_POST, "/api/v1/session", "", 12, true },
    { "closing is asked for", "GET / HTTP/1.1\r\n" H "Connection: close\r\n\r\n", 0, HTTP_GET, "/", "", 0, false },
    { "1.0 without Host", "HEAD /x HTTP/1.0\r\n\r\n", 0, HTTP_HEAD, "/x", "", 0, false },
    { "names have no case", "GET / HTTP/1.1\r\nhOST: a\r\ncontent-LENGTH: 0\r\n\r\n", 0, HTTP_GET, "/", "", 0, true },
    { "an unknown method is for the router", "BREW /pot HTTP/1.1\r\n" H "\r\n", 0, HTTP_OTHER, "/pot", "", 0, true },
    { "an empty value", "GET / HTTP/1.1\r\n" H "X-A:\r\n\r\n", 0, HTTP_GET, "/", "", 0, true },

    { "two lengths", "POST / HTTP/1.1\r\n" H "Content-Length: 5\r\nContent-Length: 6\r\n\r\n", -EBADMSG },
    { "the same length twice", "POST / HTTP/1.1\r\n" H "Content-Length: 5\r\nContent-Length: 5\r\n\r\n", -EBADMSG },
    { "a list of lengths", "POST / HTTP/1.1\r\n" H "Content-Length: 5, 5\r\n\r\n", -EBADMSG },
    { "a signed length", "POST / HTTP/1.1\r\n" H "Content-Length: +5\r\n\r\n", -EBADMSG },
    { "chunks", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n", -ENOTSUP },
    { "chunks and a length", "POST / HTTP/1.1\r\n" H "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", -ENOTSUP },
    { "chunks, spelt oddly", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: xchunked\r\n\r\n", -ENOTSUP },
    { "a blank before the colon", "POST / HTTP/1.1\r\n" H "Content-Length : 5\r\n\r\n", -EBADMSG },
    { "a folded line", "GET / HTTP/1.1\r\n" H "X-A: b\r\n c\r\n\r\n", -EBADMSG },
    { "a bare line feed", "GET / HTTP/1.1\r\n" H "X-A: b\nTransfer-Encoding: chunked\r\n\r\n", -EBADMSG },
    { "a bare carriage return", "GET / HTTP/1.1\r\n" H "X-A: b\rX-B: c\r\n\r\n", -EBADMSG },
    { "two hosts", "GET / HTTP/1.1\r\n" H H "\r\n", -EBADMSG },
    { "two cookies lines", "GET / HTTP/1.1\r\n" H "Cookie: a=1\r\nCookie: a=2\r\n\r\n", -EBADMSG },
    { "no host", "GET / HTTP/1.1\r\nX-A: b\r\n\r\n", -EBADMSG },
    { "a whole URL", "GET http://a/ HTTP/1.1\r\n" H "\r\n", -EBADMSG },
    { "an asterisk", "OPTIONS * HTTP/1.1\r\n" H "\r\n", -EBADMSG },
    { "letters outside ASCII in the path", "GET /\xd2\x9b HTTP/1.1\r\n" H "\r\n", -EBADMSG },
    { "a fragment", "GET /#x HTTP/1.1\r\n" H "\r\n", -EBADMSG },
    { "two blanks", "GET  / HTTP/1.1\r\n" H "\r\n", -EBADMSG },
    { "a header without a colon", "GET / HTTP/1.1\r\n" H "hello\r\n\r\n", -EBADMSG },
    { "HTTP/2 by mistake", "PRI * HTTP/2.0\r\n\r\n", -EBADMSG },
    { "version 0.9", "GET /\r\n\r\n", -EBADMSG },
    { "version 3", "GET / HTTP/3.0\r\n" H "\r\n", -ENOTSUP },
    { "a TLS hello in plain text", "\x16\x03\x01\x02\r\n\r\n", -EBADMSG },
    { "an empty first line", "\r\n\r\n", -EBADMSG },
    { "too long a body", "POST / HTTP/1.1\r\n" H "Content-Length: 1048577\r\n\r\n", -E2BIG },
    { "an endless length", "POST / HTTP/1.1\r\n" H "Content-Length: 99999999999999999999999\r\n\r\n", -EBADMSG },
    { "an unknown expectation", "POST / HTTP/1.1\r\n" H "Expect: tea\r\n\r\n", -EBADMSG },
};

static int read_exact(const char *in, size_t n, struct http_request *r)
{
    /* A heap block of just that size, so that a sanitizer guards its end. */
    char *copy = malloc(n ? n : 1);
    struct err e;
    int rc;

    assert_non_null(copy);
    memcpy(copy, in, n);
    rc = http_head(str_of(copy, n), r, &e);
    if (rc == 0) {
        /* Views die with the copy: keep the literal's. */
        r->path.p = in + (r->path.p - copy);
        r->query.p = r->query.n ? in + (r->query.p - copy) : NULL;
    }
    free(copy);
    return rc;
}

static void test_heads(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct http_request r;
        size_t n = strlen(rows[i].in);

        CHECK(rows[i].name, read_exact(rows[i].in, n, &r) == rows[i].rc);
        if (rows[i].rc == 0) {
            CHECK(rows[i].name, r.method == rows[i].method && r.content_length == rows[i].length);
            CHECK(rows[i].name, r.keep_alive == rows[i].keep_alive);
            CHECK(rows[i].name, str_eq(r.path, str_c(rows[i].path)) && str_eq(r.query, str_c(rows[i].query)));
        }
        /* Cut anywhere a head is not a head. */
        for (size_t cut = 0; cut < n; cut++)
            CHECK(rows[i].name, read_exact(rows[i].in, cut, &r) < 0);
    }
}

static void test_limits(void **state)
{
    struct http_request r;
    struct err e;
    AUTO_BUF struct buf b;

    (void)state;
    buf_init(&b, MIB);
    buf_str(&b, STR("GET / HTTP/1.1\r\nHost: a\r\n"));
    for (int i = 0; i < HTTP_HEADERS_MAX; i++)
        buf_printf(&b, "X-%d: y\r\n", i);
    buf_str(&b, STR("\r\n"));
    assert_int_equal(http_head(buf_view(&b), &r, &e), -E2BIG);
    buf_reset(&b);
    buf_str(&b, STR("GET /"));
    while (b.n < HTTP_HEAD_MAX)
        buf_byte(&b, 'a');
    buf_str(&b, STR(" HTTP/1.1\r\nHost: a\r\n\r\n"));
    assert_int_equal(http_head(buf_view(&b), &r, &e), -E2BIG);
}

static void test_cookies(void **state)
{
    static const struct {
        const char *name, *header, *want;
    } cookies[] = {
        { "alone", "saqshy_session=abc", "abc" },
        { "among others", "a=b; saqshy_session=abc;c=d", "abc" },
        { "the first counts", "saqshy_session=abc; saqshy_session=def", "abc" },
        { "a name that only ends so", "xsaqshy_session=abc", NULL },
        { "a name that only begins so", "saqshy_session2=abc", NULL },
        { "the value keeps its equals signs", "saqshy_session=a=b", "a=b" },
        { "an empty value", "saqshy_session=", "" },
        { "no value", "saqshy_session", NULL },
        { "nothing", "", NULL },
        { "semicolons", ";;;", NULL },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cookies); i++) {
        struct str got = http_cookie(str_c(cookies[i].header), STR("saqshy_session"));

        CHECK(cookies[i].name, cookies[i].want ? str_eq(got, str_c(cookies[i].want)) : got.n == 0);
    }
    assert_int_equal(http_cookie((struct str){ NULL, 0 }, STR("a")).n, 0);
}

static void test_head_end(void **state)
{
    (void)state;
    assert_int_equal(http_head_end(STR("GET / HTTP/1.1\r\n\r\nbody")), 18);
    assert_int_equal(http_head_end(STR("GET / HTTP/1.1\r\n\r")), 0);
    assert_int_equal(http_head_end(STR("")), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        { "heads of requests are read in one way only, or refused", test_heads, NULL, NULL, NULL },
        { "heads are bounded", test_limits, NULL, NULL, NULL },
        { "the session cookie is found among others", test_cookies, NULL, NULL, NULL },
        { "the end of a head is found", test_head_end, NULL, NULL, NULL },
    };

    return cmocka_run_group_tests_name("portal: heads of requests are read strictly", tests, NULL, NULL);
}
