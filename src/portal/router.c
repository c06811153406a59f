/* router.c - see router.h. A few dozen rows: a walk is faster than a search. */
#include "portal/router.h"
#include "portal/handlers.h"
#include "desk/desk.h"
#include "portal/params.h"

/* The roles, three letters each, and the groups in which they come. */
enum {
    ADM = 1 << DESK_ADMINISTRATOR, ANA = 1 << DESK_CENTRE_ANALYST, LEA = 1 << DESK_CENTRE_LEAD, SUR = 1 << DESK_SURVEYOR,
    DOC = 1 << DESK_DOCUMENT_AUDITOR, OFF = 1 << DESK_OWNER_OFFICER, OAD = 1 << DESK_OWNER_ADMINISTRATOR, OCI = 1 << DESK_OCIB_ANALYST,
    CII = 1 << DESK_CII_RESPONSIBLE, KNB = 1 << DESK_KNB, AUT = 1 << DESK_AUTHORISED_BODY, AUD = 1 << DESK_AUDITOR,
    CENTRE = ANA | LEA, OWNER = OFF | OAD | OCI | CII, EVERY = (1 << DESK_ROLE_COUNT) - 1, ANY = ROUTE_ANYBODY
};

#define ROUTE(m, p, r, l, b, h) \
    { .method = HTTP_##m, .pattern = (p), .roles = (r), .lane = LANE_##l, .body = (b), .handle = (h) },
static const struct route routes[] = {
#include "portal/routes.def"
};
#undef ROUTE

const struct route *route_table(size_t *count)
{
    *count = COUNT(routes);
    return routes;
}

/* take_arg - one decoded piece that a pattern's braces take. */
static bool take_arg(struct str raw, struct arena *a, struct str *out)
{
    if (raw.n == 0 || raw.n > 3 * ROUTE_ARG_MAX || percent_decode(raw, false, a, out, NULL) < 0 || out->n > ROUTE_ARG_MAX)
        return false;
    for (size_t i = 0; i < out->n; i++)
        if ((unsigned char)out->p[i] < 0x20 || out->p[i] == '/' || out->p[i] == 0x7f)
            return false;
    return true;
}

bool route_path_match(const char *pattern, struct str path, struct arena *a, struct str arg[ROUTE_ARGS_MAX])
{
    struct str want = str_c(pattern), w, p;
    size_t args = 0;

    for (;;) {
        bool more_want = str_split(&want, '/', &w), more_path = str_split(&path, '/', &p);

        if (!more_want || !more_path)
            return more_want == more_path;
        if (!str_starts(w, STR("{"))) {
            if (!str_eq(w, p))
                return false;
            continue;
        }
        struct str tail = str_cut(w, (size_t)str_chr(w, '}') + 1);

        if (!str_ends(p, tail) || args == ROUTE_ARGS_MAX || !take_arg(str_of(p.p, p.n - tail.n), a, &arg[args]))
            return false;
        args++;
    }
}

void route_find(enum http_method method, struct str path, struct arena *a, struct route_match *out)
{
    struct str arg[ROUTE_ARGS_MAX];

    *out = (struct route_match){ 0 };
    if (method == HTTP_HEAD)
        method = HTTP_GET;
    for (size_t i = 0; i < COUNT(routes); i++) {
        memset(arg, 0, sizeof arg);
        if (!route_path_match(routes[i].pattern, path, a, arg))
            continue;
        out->allowed |= 1u << routes[i].method;
        if (routes[i].method != method)
            continue;
        out->route = &routes[i];
        memcpy(out->arg, arg, sizeof arg);
    }
    if (out->allowed & (1u << HTTP_GET))
        out->allowed |= 1u << HTTP_HEAD;
}
