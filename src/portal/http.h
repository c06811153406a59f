/* http.h - the head of an HTTP/1.1 request, read strictly.
 *
 * Owns      nothing: the request borrows every text from the head it was read from.
 * Promises  1. One reading only: what two servers could read differently is refused (a bare CR or LF, folded
 *              lines, blanks before a colon, two lengths, any Transfer-Encoding, a second Host), so nothing can be
 *              smuggled past a proxy in front of us.
 *           2. Bounded: HTTP_HEAD_MAX bytes, HTTP_HEADERS_MAX lines.
 *           3. target is a path from '/', in visible ASCII; the part before '?' is path, the part behind it query.
 * Threads   any.
 * Source    RFC 9110, RFC 9112; HTTP/1.0 and 1.1 alone. */
#ifndef SAQSHY_PORTAL_HTTP_H
#define SAQSHY_PORTAL_HTTP_H

#include "base/base.h"

#define HTTP_HEAD_MAX    (16u * KIB)
#define HTTP_HEADERS_MAX 64
#define HTTP_BODY_MAX    MIB

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_PUT, HTTP_DELETE, HTTP_OTHER };

/* The headers that anything here asks for; the others are checked and forgotten. */
enum http_header {
    HTTP_HOST, HTTP_COOKIE, HTTP_CSRF, HTTP_ORIGIN, HTTP_FETCH_SITE, HTTP_CONTENT_TYPE, HTTP_ACCEPT_LANGUAGE,
    HTTP_ACCEPT_ENCODING, HTTP_IF_NONE_MATCH, HTTP_HEADER_COUNT
};

struct http_request {
    enum http_method method;
    struct str       target, path, query;
    struct str       header[HTTP_HEADER_COUNT];   /* {NULL, 0}: not sent */
    uint64_t         content_length;
    bool             keep_alive, expect_continue;
};

/* http_head_end - bytes up to and with the empty line that ends a head; 0: not there yet. */
size_t http_head_end(struct str in);

/* http_head - read a head that ends with its empty line. Returns 0; -EBADMSG for what is not HTTP or is ambiguous, -ENOTSUP for
 * a version or a transfer coding that is not spoken here, -E2BIG for too many headers or a length above HTTP_BODY_MAX. *out is
 * whole only on success. */
MUST_USE int http_head(struct str head, struct http_request *out, struct err *e);
/* http_head_upto - the same with another greatest length of the body, for a listener that is not the portal's. */
MUST_USE int http_head_upto(struct str head, uint64_t body_max, struct http_request *out, struct err *e);

const char *http_method_name(enum http_method m);
/* http_status_text - "Not Found". */
const char *http_status_text(int status);

/* http_cookie - the value of the first cookie of this name in a Cookie header; {NULL, 0} if absent. */
struct str http_cookie(struct str header, struct str name);

#endif
