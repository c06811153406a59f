/* replay_detect.c - today's rules over events of then. Nothing is opened: what would have matched is printed. */
#include "bin/bin.h"
#include "bin/event_print.h"
#include "bin/replay.h"
#include "detect/hunt.h"

struct redetect {
    struct sigma     *rules;
    struct sigma_run *run;
    struct buf        out;
    uint64_t          matches;
};

int redetect_new(const char *data, const char *content, const char *const *rules, size_t count, struct redetect **out, struct err *e)
{
    struct redetect *r = calloc(1, sizeof *r);
    struct rule_paths where;
    int rc;

    *out = NULL;
    if (!r)
        return err_set(e, -ENOMEM, "no memory to detect again");
    buf_init(&r->out, 0);
    rule_paths(&where, content, data, rules, count);
    rc = sigma_load(where.paths, where.count, &r->rules, e);
    if (rc == 0)
        rc = sigma_run_new(r->rules, false, &r->run, e);
    if (rc < 0)
        redetect_free(&r);
    *out = r;
    return rc;
}

void redetect_free(struct redetect **r)
{
    if (!*r)
        return;
    sigma_run_free(&(*r)->run);
    sigma_free(&(*r)->rules);
    buf_free(&(*r)->out);
    free(*r);
    *r = NULL;
}

int redetect_event(struct redetect *r, const struct event *ev, bool json, struct err *e)
{
    const struct sigma_match *m;
    int n = sigma_run_event(r->run, ev, false, &m, e);

    if (n <= 0)
        return n;
    buf_reset(&r->out);
    for (int i = 0; i < n; i++) {
        if (json) {
            hunt_match_json("store", ev->seq, ev, &m[i], &r->out);
        } else {
            buf_time(&r->out, ev->time);
            buf_printf(&r->out, "  %s  ", sigma_level_name(m[i].rule->level));
            plain_put(&r->out, m[i].rule->title, 200);
            buf_str(&r->out, STR("  "));
            plain_put(&r->out, m[i].rule->correlation ? m[i].group : ev->original, 200);
        }
        buf_byte(&r->out, '\n');
    }
    r->matches += (uint64_t)n;
    if (buf_failed(&r->out) || fwrite(r->out.p, 1, r->out.n, stdout) != r->out.n)
        return err_set(e, -EIO, "could not write the matches");
    return 0;
}

uint64_t redetect_matches(const struct redetect *r) { return r->matches; }
