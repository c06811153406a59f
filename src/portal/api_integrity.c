/* api_integrity.c - the room "integrity" over HTTP: facts of hosts, differences, explanations and decisions. */
#include "desk/integrity/integrity.h"
#include "portal/internal.h"

#define CURSOR_BYTES (2 * FACT_KEY_MAX + 64)   /* a cursor of these lists holds a path, or two */

static int take_page(struct call *c, int *limit, struct str *before) { return call_page_within(c, CURSOR_BYTES, limit, before); }

/* one_of - a query's word that is empty or in the list. */
static int one_of(struct call *c, const char *name, const char *const *words, struct str *out)
{
    *out = params_get(&c->params, name);
    for (size_t i = 0; out->n && words[i]; i++)
        if (str_eq(*out, str_c(words[i])))
            return 0;
    return out->n ? err_set(&c->err, -EINVAL, "%s", name) : 0;
}

int api_fact_hosts(struct call *c)
{
    struct desk_reply r = { 0 };
    struct str before;
    int limit, rc = take_page(c, &limit, &before);

    return rc < 0 ? rc : call_desk(c, desk_fact_hosts(c->desk, &c->viewer, limit, before, c->now, &r), 200, &r);
}

int api_integrity_changes(struct call *c)
{
    static const char *const states[] = { "open", "explained", "denied", "questioned", "accepted", "withdrawn", "recorded", "waiting", NULL };
    static const char *const kinds[] = { "packages", "settings", "files", NULL };
    struct desk_integrity_query q = { .object = params_get(&c->params, "object"), .host = params_get(&c->params, "host"), .key = params_get(&c->params, "key") };
    struct desk_reply r = { 0 };
    int rc = take_page(c, &q.limit, &q.before);

    if (rc == 0)
        rc = one_of(c, "state", states, &q.state);
    if (rc == 0)
        rc = one_of(c, "kind", kinds, &q.kind);
    if (rc == 0 && q.host.n && !q.object.n)
        rc = err_set(&c->err, -EINVAL, "host");
    if (rc == 0 && q.key.n && (!q.kind.n || !q.host.n || !q.object.n))
        rc = err_set(&c->err, -EINVAL, "key");
    return rc < 0 ? rc : call_desk(c, desk_integrity_changes(c->desk, &c->viewer, &q, &r), 200, &r);
}

int api_integrity_explain(struct call *c)
{
    struct desk_reply r = { 0 };
    int rc = desk_integrity_explain(c->desk, &c->viewer, c->body, c->now, &r);

    if (rc == 0)
        call_acted(c);
    return call_desk(c, rc, 200, &r);
}

int api_integrity_decide(struct call *c)
{
    struct desk_reply r = { 0 };
    int rc = desk_integrity_decide(c->desk, &c->viewer, c->body, c->now, &r);

    if (rc == 0)
        call_acted(c);
    return call_desk(c, rc, 200, &r);
}

int api_integrity_document(struct call *c)
{
    struct desk_reply r = { 0 };
    int fd = -1, rc = desk_integrity_document(c->desk, &c->viewer, c->match.arg[0], c->now, &fd, &r);

    return call_attachment(c, rc, fd, &r);
}

int api_facts(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_facts(c->desk, &c->viewer, c->match.arg[0], c->now, &r), 200, &r);
}

int api_fact_items(struct call *c)
{
    struct desk_facts_query q = { .object = c->match.arg[0], .kind = c->match.arg[1], .host = params_get(&c->params, "host"), .q = params_get(&c->params, "q") };
    struct desk_reply r = { 0 };
    int rc = take_page(c, &q.limit, &q.before);

    if (rc == 0 && q.q.n > 800)
        rc = err_set(&c->err, -EINVAL, "q");
    return rc < 0 ? rc : call_desk(c, desk_fact_items(c->desk, &c->viewer, &q, c->now, &r), 200, &r);
}

int api_facts_file(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_facts_file(c->desk, &c->viewer, c->match.arg[0], params_get(&c->params, "host"), c->now, &r), 200, &r);
}

int api_checksums(struct call *c)
{
    static const char *const verdicts[] = { "match", "differs", "missing", "not_watched", "not_comparable", NULL };
    struct desk_reply r = { 0 };
    struct str before, verdict;
    int limit, rc = take_page(c, &limit, &before);

    if (rc == 0)
        rc = one_of(c, "verdict", verdicts, &verdict);
    return rc < 0 ? rc : call_desk(c, desk_checksums(c->desk, &c->viewer, c->match.arg[0], verdict, limit, before, &r), 200, &r);
}

int api_survey_facts(struct call *c)
{
    struct desk_reply r = { 0 };
    int rc = desk_survey_facts(c->desk, &c->viewer, c->match.arg[0], c->body, c->now, &r);

    if (rc == 0)
        call_acted(c);
    return call_desk(c, rc, 200, &r);
}
