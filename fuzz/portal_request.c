/* portal_request.c - a head, its cookie, and its parameters, from whatever a stranger sends. */
#include "portal/http.h"
#include "portal/params.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str in = str_of((const char *)data, size);
    struct http_request r;
    struct params p;
    struct err e;
    AUTO_ARENA struct arena a;
    int64_t n = 0;
    time_ns t = 0;
    bool b = false;

    arena_init(&a, MIB);
    if (http_head(in, &r, &e) == 0) {
        http_cookie(r.header[HTTP_COOKIE], STR("saqshy_session"));
        in = r.query;
        /* What was taken lies inside the head. */
        if (r.path.p < (const char *)data || r.path.p + r.path.n > (const char *)data + size)
            abort();
    }
    http_cookie(in, STR("a"));
    if (params_read(in, &a, &p, &e) < 0)
        return 0;
    if (params_int(&p, "limit", 1, 1000, &n, &e) == 0 && params_time(&p, "from", &t, &e) == 0 &&
        params_bool(&p, "open", &b, &e) == 0 && (n < 0 || n > 1000))
        abort();
    return 0;
}
