/* api_approvals.c - what waits for a second person. */
#include "desk/approvals/approvals.h"
#include "portal/internal.h"

int api_approvals(struct call *c)
{
    struct desk_reply r = { 0 };
    struct str before;
    int limit, rc = call_page(c, &limit, &before);

    return rc < 0 ? rc : call_desk(c, desk_approvals(c->desk, &c->viewer, params_get(&c->params, "state"), limit, before, &r), 200, &r);
}

int api_approval_decide(struct call *c)
{
    struct desk_reply r = { 0 };
    int rc = desk_approval_decide(c->desk, &c->viewer, c->match.arg[0], c->body, c->now, &r);

    if (rc == 0)
        call_acted(c);
    return call_desk(c, rc, 200, &r);
}
