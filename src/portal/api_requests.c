/* api_requests.c - the room "requests" over HTTP: what is asked of owners and declared by them, with evidence. */
#include "desk/requests/onboarding.h"
#include "desk/requests/requests.h"
#include "portal/internal.h"

int api_requests(struct call *c)
{
    static const char *const sides[] = { "", "mine", "other", "ended", "all" };
    struct requests_query q = { .kind = params_get(&c->params, "kind"), .state = params_get(&c->params, "state"),
                                .object = params_get(&c->params, "object"), .side = params_get(&c->params, "side"),
                                .before = params_get(&c->params, "before") };
    struct desk_reply r = { 0 };
    int64_t n = 100;
    bool known = false;
    int rc = params_int(&c->params, "limit", 1, DESK_LIMIT_MAX, &n, &c->err);

    q.limit = (int)n;
    for (size_t i = 0; i < COUNT(sides); i++)
        known = known || str_eq(q.side, str_c(sides[i]));
    if (rc == 0 && !known)
        rc = err_set(&c->err, -EINVAL, "side");
    if (rc == 0 && q.before.n > 128)
        rc = err_set(&c->err, -EINVAL, "before");
    return rc < 0 ? rc : call_desk(c, desk_requests(c->desk, &c->viewer, &q, c->now, &r), 200, &r);
}

int api_request_open(struct call *c)
{
    struct desk_reply r = { 0 };
    int rc = desk_request_open(c->desk, &c->viewer, c->body, c->now, &r);

    if (rc == 0)
        call_acted(c);
    return call_desk(c, rc, 201, &r);
}

int api_request_kinds(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_request_kinds(c->desk, &c->viewer, &r), 200, &r);
}

int api_request_targets(struct call *c)
{
    struct str q = params_get(&c->params, "q");
    struct desk_reply r = { 0 };

    if (q.n > 4 * 200)
        return err_set(&c->err, -EINVAL, "q");
    return call_desk(c, desk_request_targets(c->desk, &c->viewer, c->match.arg[0], q, &r), 200, &r);
}

int api_request(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_request(c->desk, &c->viewer, c->match.arg[0], c->now, &r), 200, &r);
}

int api_request_action(struct call *c)
{
    struct desk_reply r = { 0 };
    int rc = desk_request_act(c->desk, &c->viewer, c->match.arg[0], c->match.arg[1], c->body, c->now, &r);

    if (rc == 0)
        call_acted(c);
    return call_desk(c, rc, 200, &r);
}

int api_request_attach(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_request_attach(c->desk, &c->viewer, c->match.arg[0], c->body, c->now, &r), 201, &r);
}

int api_request_file(struct call *c)
{
    struct desk_reply r = { 0 };
    int fd = -1, rc = desk_request_file(c->desk, &c->viewer, c->match.arg[0], c->match.arg[1], c->now, &fd, &r);

    return call_attachment(c, rc, fd, &r);
}

int api_onboarding(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_onboarding(c->desk, &c->viewer, c->match.arg[0], c->now, &r), 200, &r);
}

int api_onboarding_action(struct call *c)
{
    struct desk_reply r = { 0 };
    int rc = desk_onboarding_act(c->desk, &c->viewer, c->match.arg[0], c->match.arg[1], c->body, c->now, &r);

    if (rc == 0)
        call_acted(c);
    return call_desk(c, rc, 200, &r);
}
