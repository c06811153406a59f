/* reply.c - what goes back: status line, headers, and the portal's files. */
#include "portal/internal.h"

/* On every answer. One line each, so that a test can say which is missing. */
static const char security_headers[] =
    "Content-Security-Policy: default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'\r\n"
    "Strict-Transport-Security: max-age=31536000\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "X-Frame-Options: DENY\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "Cross-Origin-Opener-Policy: same-origin\r\n"
    "Cross-Origin-Resource-Policy: same-origin\r\n";

static void put_allowed(unsigned allowed, struct buf *out)
{
    const char *between = "";

    buf_str(out, STR("Allow: "));
    for (enum http_method m = HTTP_GET; m < HTTP_OTHER; m++) {
        if (!(allowed & (1u << m)))
            continue;
        buf_printf(out, "%s%s", between, http_method_name(m));
        between = ", ";
    }
    buf_str(out, STR("\r\n"));
}

void reply_head(const struct reply *r, bool keep_alive, struct buf *out)
{
    size_t n = r->file > 0 ? (size_t)r->file_bytes : r->view.n ? r->view.n : r->body.n;

    buf_printf(out, "HTTP/1.1 %d %s\r\n", r->status, http_status_text(r->status));
    buf_str(out, str_c(security_headers));
    buf_printf(out, "Cache-Control: %s\r\n", r->cache ? r->cache : "no-store");
    if (r->type)
        buf_printf(out, "Content-Type: %s\r\n", r->type);
    if (!r->stream && r->status != 204 && r->status != 304)
        buf_printf(out, "Content-Length: %zu\r\n", r->type ? n : 0);
    if (r->encoding)
        buf_printf(out, "Content-Encoding: %s\r\nVary: Accept-Encoding\r\n", r->encoding);
    if (r->etag[0])
        buf_printf(out, "ETag: %s\r\n", r->etag);
    if (r->cookie[0])
        buf_printf(out, "Set-Cookie: %s\r\n", r->cookie);
    if (r->disposition[0])
        buf_printf(out, "Content-Disposition: %s\r\n", r->disposition);
    if (r->allowed)
        put_allowed(r->allowed, out);
    if (r->retry_after_s > 0)
        buf_printf(out, "Retry-After: %lld\r\n", (long long)r->retry_after_s);
    buf_printf(out, "Connection: %s\r\n\r\n", keep_alive && !r->stream ? "keep-alive" : "close");
}

/* takes_gzip - a plain reading of Accept-Encoding: the word stands there, and not with q=0. */
static bool takes_gzip(struct str accept)
{
    struct str one;

    while (str_split(&accept, ',', &one)) {
        one = str_trim(one);
        if (str_starts(one, STR("gzip")))
            return str_find(one, STR("q=0")) < 0 || str_find(one, STR("q=0.")) >= 0;
    }
    return false;
}

void reply_file(struct call *c, const struct file_entry *f)
{
    struct reply *r = &c->reply;

    r->status = 200;
    r->type = f->type;
    r->cache = f->immutable ? "public, max-age=31536000, immutable" : "no-cache";
    snprintf(r->etag, sizeof r->etag, "%s", f->etag);
    if (str_find(c->http.header[HTTP_IF_NONE_MATCH], str_c(f->etag)) >= 0) {
        r->status = 304;
        r->type = NULL;
        return;
    }
    r->view = buf_view(&f->body);
    if (f->gzip.n && takes_gzip(c->http.header[HTTP_ACCEPT_ENCODING])) {
        r->view = buf_view(&f->gzip);
        r->encoding = "gzip";
    }
}
