/* plain.c - the plain evaluator: every rule whose log source applies, over every value, with no table in between.
 *
 * It is what the fast way (run.c) is measured against and compared with: in the tests over all rules and events, and in production over
 * one event of many. It shares with it how a rule is read and what a pattern means, and nothing of how rules are found: names are
 * looked up one by one, log sources are asked one by one, each leaf is looked at each time. It must stay as dull as it is. */
#include "sigma/internal.h"

struct plain {
    const struct sigma *set;
    bool                loose;
    struct view         view;
    bool               *applies;   /* by log source */
    uint32_t           *rules;     /* indexes of those that match, ascending */
};

void plain_free(struct plain **pp)
{
    struct plain *p = *pp;

    if (!p)
        return;
    view_free(&p->view);
    free(p->applies);
    free(p->rules);
    free(p);
    *pp = NULL;
}

int plain_new(const struct sigma *s, bool loose, struct plain **out, struct err *e)
{
    struct plain *p = calloc(1, sizeof *p);
    int rc;

    *out = NULL;
    if (!p)
        return err_set(e, -ENOMEM, "no memory for detection");
    p->set = s;
    p->loose = loose;
    p->applies = calloc(s->logsource_count + 1, sizeof *p->applies);
    p->rules = calloc(s->rule_count + 1, sizeof *p->rules);
    rc = view_init(&p->view, s, e);
    if (rc == 0 && (!p->applies || !p->rules))
        rc = err_set(e, -ENOMEM, "no memory for detection");
    if (rc < 0)
        plain_free(&p);
    *out = p;
    return rc;
}

int plain_event(struct plain *p, const struct event *ev, const uint32_t **rules, size_t *count, struct err *e)
{
    const struct sigma *s = p->set;
    struct origin o;
    int rc = view_take(&p->view, ev, true, e);

    *rules = p->rules;
    *count = 0;
    if (rc < 0)
        return rc;
    origin_of(&p->view, s, ev, &o);
    for (uint32_t i = 0; i < s->logsource_count; i++)
        p->applies[i] = logsource_applies(&s->logsources[i], &o, p->loose);
    for (uint32_t i = 0; i < s->rule_count; i++)
        if (!s->rules[i].correlation && p->applies[s->rules[i].logsource] && rule_holds(s, &s->rules[i], false, &p->view))
            p->rules[(*count)++] = i;
    return 0;
}
