/* samples.c - the log lines that rules carry are run through the parser and the rule; see hunt.h. */
#include "detect/hunt.h"
#include "parse/parse.h"

#define SAMPLE_RECEIVED (INT64_C(1798761600) * NS_PER_SECOND)   /* the end of 2026: lines without a year are of that year */

struct trial {
    const struct sigma *s;
    struct parser      *parser;
    struct event_batch  batch;
    sample_failed      *failed;
    void               *arg;
    struct sample_result *out;
};

/* raises - the rule is among what the line raises. */
static int raises(struct trial *t, struct sigma_run *run, const struct sigma_rule *r, struct str line, uint64_t seq, struct err *e)
{
    struct parse_hints hints = { .received = SAMPLE_RECEIVED, .zone_min = 0, .source = STR("sample") };
    const struct sigma_match *m;
    struct event *ev;
    int n;

    event_batch_reset(&t->batch);
    ev = event_batch_add(&t->batch);
    if (!ev)
        return err_set(e, -ENOMEM, "no memory for an event");
    if (line.n && *line.p == '{' && hunt_json_event(line, &t->batch, e) == 0)
        ev = &t->batch.items[t->batch.count - 1];
    else
        parse_line(t->parser, line, &hints, &t->batch.arena, ev);
    ev->seq = seq;
    n = sigma_run_event(run, ev, true, &m, e);
    for (int i = 0; i < n; i++)
        if (m[i].rule == r)
            return 1;
    return n < 0 ? n : 0;
}

static int run_list(struct trial *t, const struct sigma_rule *r, const struct sigma_texts *lines, bool wanted, struct err *e)
{
    struct sigma_run *run = NULL;
    size_t raised = 0;
    int rc = sigma_run_new(t->s, false, &run, e);

    for (size_t i = 0; i < lines->count && rc >= 0; i++) {
        rc = raises(t, run, r, lines->items[i], i + 1, e);
        raised += rc == 1;
        if (rc < 0 || (wanted && r->correlation))
            continue;
        t->out->passed += (rc == 1) == wanted;
        if ((rc == 1) != wanted)
            t->failed(t->arg, r, lines->items[i], wanted);
    }
    if (rc >= 0 && wanted && r->correlation && lines->count) {
        t->out->passed += raised ? lines->count : 0;
        if (!raised)
            t->failed(t->arg, r, lines->items[lines->count - 1], true);
    }
    t->out->samples += lines->count;
    sigma_run_free(&run);
    return rc < 0 ? rc : 0;
}

int samples_run(const struct sigma *s, const char *content, sample_failed *failed, void *arg, struct sample_result *out, struct err *e)
{
    struct trial t = { .s = s, .failed = failed, .arg = arg, .out = out };
    int rc = parse_new(content, 0, &t.parser, e);

    *out = (struct sample_result){ 0 };
    event_batch_init(&t.batch, 0);
    for (size_t i = 0; i < sigma_rule_count(s) && rc == 0; i++) {
        const struct sigma_rule *r = sigma_rule_at(s, i);

        out->rules += r->match.count || r->nomatch.count;
        rc = run_list(&t, r, &r->match, true, e);
        if (rc == 0)
            rc = run_list(&t, r, &r->nomatch, false, e);
    }
    event_batch_free(&t.batch);
    parse_free(&t.parser);
    return rc;
}
