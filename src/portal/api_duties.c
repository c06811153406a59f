/* api_duties.c - the room "duties" over HTTP: what is owed, the arithmetic, the trace, and the editions by which it is counted. */
#include "desk/duties/duties.h"
#include "portal/internal.h"

int api_editions(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_editions(c->desk, &r), 200, &r);
}

static int take_bool(struct call *c, const char *name, bool *out)
{
    struct str s = params_get(&c->params, name);

    *out = str_eq(s, STR("true"));
    return s.n == 0 || *out || str_eq(s, STR("false")) ? 0 : err_set(&c->err, -EINVAL, "%s", name);
}

static int take_text(struct call *c, const char *name, struct str *out)
{
    *out = params_get(&c->params, name);
    return out->n > 128 ? err_set(&c->err, -EINVAL, "%s", name) : 0;
}

int api_duties(struct call *c)
{
    struct str state = params_get(&c->params, "state");
    struct desk_reply r = { 0 };
    struct duties_query q = { .ended = str_eq(state, STR("ended")) };
    const struct { const char *name; struct str *to; } texts[] = {
        { "obligation", &q.obligation }, { "object", &q.object }, { "subject", &q.subject }, { "subject_id", &q.subject_id }, { "org", &q.org },
    };
    int rc = call_page(c, &q.limit, &q.before);

    if (rc == 0 && state.n && !q.ended && !str_eq(state, STR("open")))
        rc = err_set(&c->err, -EINVAL, "state");
    if (rc == 0)
        rc = take_bool(c, "mine", &q.mine);
    if (rc == 0)
        rc = take_bool(c, "overdue", &q.overdue);
    for (size_t i = 0; rc == 0 && i < COUNT(texts); i++)
        rc = take_text(c, texts[i].name, texts[i].to);
    return rc < 0 ? rc : call_desk(c, desk_duties(c->desk, &c->viewer, &q, c->now, &r), 200, &r);
}

int api_duty(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_duty(c->desk, &c->viewer, c->match.arg[0], c->now, &r), 200, &r);
}

int api_duty_acknowledge(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_duty_acknowledge(c->desk, &c->viewer, c->match.arg[0], c->now, &r), 200, &r);
}

int api_duty_start(struct call *c)
{
    struct desk_reply r = { 0 };
    int rc = desk_duty_restart(c->desk, &c->viewer, c->match.arg[0], c->body, c->now, &r);

    if (rc == 0)
        call_acted(c);
    return call_desk(c, rc, 200, &r);
}

int api_duty_changes(struct call *c)
{
    static const char *const reasons[] = { "", "start", "calendar", "clock", "resumed" };
    struct str before, reason = params_get(&c->params, "reason");
    struct desk_reply r = { 0 };
    bool known = false;
    int limit, rc = call_page(c, &limit, &before);

    for (size_t i = 0; i < COUNT(reasons); i++)
        known = known || str_eq(reason, str_c(reasons[i]));
    if (rc == 0 && !known)
        rc = err_set(&c->err, -EINVAL, "reason");
    return rc < 0 ? rc : call_desk(c, desk_duty_changes(c->desk, &c->viewer, reason, limit, before, c->now, &r), 200, &r);
}
