/* http.c - see http.h. */
#include "portal/http.h"

static const char *const method_names[] = { "GET", "HEAD", "POST", "PUT", "DELETE", "OTHER" };

const char *http_method_name(enum http_method m)
{
    return m < COUNT(method_names) ? method_names[m] : "OTHER";
}

/* In the order of enum http_header. */
static const char *const header_names[HTTP_HEADER_COUNT] = {
    "host", "cookie", "x-csrf-token", "origin", "sec-fetch-site", "content-type", "accept-language", "accept-encoding",
    "if-none-match",
};

size_t http_head_end(struct str in)
{
    ptrdiff_t at = str_find(in, STR("\r\n\r\n"));

    return at < 0 ? 0 : (size_t)at + 4;
}

/* is_token - the letters of a method or a header's name (RFC 9110 §5.6.2). */
static bool is_token(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

        if (!letter && (c == 0 || !strchr("!#$%&'*+-.^_`|~", c)))
            return false;
    }
    return s.n > 0;
}

static bool is_visible(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] <= 0x20 || s.p[i] > 0x7e)
            return false;
    return s.n > 0;
}

/* is_value - no control bytes but the tab. */
static bool is_value(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

static enum http_method method_of(struct str s)
{
    for (enum http_method m = HTTP_GET; m < HTTP_OTHER; m++)
        if (str_eq(s, str_c(method_names[m])))
            return m;
    return HTTP_OTHER;
}

static int take_first_line(struct str line, struct http_request *r, struct err *e)
{
    struct str method, rest = line;
    ptrdiff_t ask;

    if (!str_split(&rest, ' ', &method) || !is_token(method))
        return err_at(e, -EBADMSG, 0, "the method is not a word");
    if (!str_split(&rest, ' ', &r->target) || !is_visible(r->target) || r->target.p[0] != '/')
        return err_at(e, -EBADMSG, method.n + 1, "the target is not a path");
    if (str_eq(rest, STR("HTTP/1.1")))
        r->keep_alive = true;
    else if (!str_eq(rest, STR("HTTP/1.0")))
        return err_set(e, str_starts(rest, STR("HTTP/")) ? -ENOTSUP : -EBADMSG, "the version is not HTTP/1.1");
    r->method = method_of(method);
    if (str_chr(r->target, '#') >= 0)
        return err_set(e, -EBADMSG, "the target has a fragment");
    ask = str_chr(r->target, '?');
    r->path = ask < 0 ? r->target : str_of(r->target.p, (size_t)ask);
    r->query = ask < 0 ? (struct str){ NULL, 0 } : str_cut(r->target, (size_t)ask + 1);
    return 0;
}

static int take_length(struct http_request *r, struct str value, uint64_t body_max, bool *seen, struct err *e)
{
    if (*seen || !str_u64(value, &r->content_length))
        return err_set(e, -EBADMSG, "the length is not one number");
    *seen = true;
    return r->content_length > body_max ? err_set(e, -E2BIG, "the body is larger than %llu bytes", (unsigned long long)body_max) : 0;
}

static int take_header(struct http_request *r, struct str name, struct str value, uint64_t body_max, bool *length_seen, struct err *e)
{
    if (str_ieq(name, STR("content-length")))
        return take_length(r, value, body_max, length_seen, e);
    if (str_ieq(name, STR("transfer-encoding")))
        return err_set(e, -ENOTSUP, "transfer codings are not spoken here: send Content-Length");
    if (str_ieq(name, STR("connection"))) {
        if (str_ifind(value, STR("close")) >= 0)
            r->keep_alive = false;
        return 0;
    }
    if (str_ieq(name, STR("expect"))) {
        r->expect_continue = str_ieq(value, STR("100-continue"));
        return r->expect_continue ? 0 : err_set(e, -EBADMSG, "an unknown expectation");
    }
    for (size_t i = 0; i < HTTP_HEADER_COUNT; i++) {
        if (!str_ieq(name, str_c(header_names[i])))
            continue;
        if (r->header[i].p)
            return err_set(e, -EBADMSG, "\"%s\" stands twice", header_names[i]);
        r->header[i] = value.p ? value : STR("");
    }
    return 0;
}

/* take_line - everything before the next CR LF. A CR or LF by itself is refused. */
static bool take_line(struct str *rest, struct str *line)
{
    ptrdiff_t end = str_find(*rest, STR("\r\n"));

    if (end < 0)
        return false;
    *line = str_of(rest->p, (size_t)end);
    *rest = str_cut(*rest, (size_t)end + 2);
    return str_chr(*line, '\r') < 0 && str_chr(*line, '\n') < 0;
}

int http_head(struct str head, struct http_request *out, struct err *e)
{
    return http_head_upto(head, HTTP_BODY_MAX, out, e);
}

int http_head_upto(struct str head, uint64_t body_max, struct http_request *out, struct err *e)
{
    struct str rest = head, line, name;
    bool length_seen = false;
    int rc, late = 0;

    *out = (struct http_request){ 0 };
    if (head.n > HTTP_HEAD_MAX)
        return err_set(e, -E2BIG, "the head is larger than %u bytes", HTTP_HEAD_MAX);
    if (!take_line(&rest, &line))
        return err_set(e, -EBADMSG, "the first line does not end");
    rc = take_first_line(line, out, e);
    if (rc < 0)
        return rc;
    for (size_t count = 0;; count++) {
        if (!take_line(&rest, &line))
            return err_set(e, -EBADMSG, "a header does not end");
        if (line.n == 0)
            break;
        if (count == HTTP_HEADERS_MAX)
            return err_set(e, -E2BIG, "more than %d headers", HTTP_HEADERS_MAX);
        if (!str_split(&line, ':', &name) || !is_token(name) || !line.p || !is_value(line))
            return err_set(e, -EBADMSG, "a header is not \"name: value\"");
        rc = take_header(out, name, str_trim(line), body_max, &length_seen, e);
        /* A length too large still wants the other lines checked: ambiguity is the graver fault. */
        if (rc == -E2BIG)
            late = rc;
        else if (rc < 0)
            return rc;
    }
    if (rest.n)
        return err_set(e, -EBADMSG, "bytes after the empty line");
    if (!out->header[HTTP_HOST].n && out->keep_alive)
        return err_set(e, -EBADMSG, "no Host");
    return late;
}

struct status_text {
    int         status;
    const char *text;
};

const char *http_status_text(int status)
{
    static const struct status_text texts[] = {
        { 200, "OK" }, { 201, "Created" }, { 204, "No Content" }, { 304, "Not Modified" }, { 400, "Bad Request" },
        { 401, "Unauthorized" }, { 403, "Forbidden" }, { 404, "Not Found" }, { 405, "Method Not Allowed" },
        { 408, "Request Timeout" }, { 409, "Conflict" }, { 413, "Content Too Large" }, { 429, "Too Many Requests" },
        { 431, "Request Header Fields Too Large" }, { 500, "Internal Server Error" }, { 501, "Not Implemented" },
        { 503, "Service Unavailable" },
    };

    for (size_t i = 0; i < COUNT(texts); i++)
        if (texts[i].status == status)
            return texts[i].text;
    return "Unknown";
}

struct str http_cookie(struct str header, struct str name)
{
    struct str one, key;

    while (str_split(&header, ';', &one)) {
        one = str_trim(one);
        if (!str_split(&one, '=', &key) || !str_eq(key, name))
            continue;
        return one.p ? one : (struct str){ NULL, 0 };
    }
    return (struct str){ NULL, 0 };
}
