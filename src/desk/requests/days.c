/* days.c - moments and days that people declare, and the clocks they start. */
#include "desk/requests/kind.h"

/* A declared moment may lie a little ahead of our clock: a minute of a form, a watch that runs fast. */
#define AHEAD_NS (5 * NS_PER_MINUTE)

int moment_of(struct call *c, const json_t *body, const char *key, bool past, time_ns *out)
{
    struct str s = json_get_str(body, key);

    *out = c->now;
    if (s.n == 0)
        return 0;
    if (time_parse_rfc3339(s, out, NULL, NULL) < 0)
        return req_wrong(c, key, "not a moment");
    return past && *out > c->now + AHEAD_NS ? req_wrong(c, key, "lies in the future") : 0;
}

int day_start(struct call *c, struct str date, const char *key, bool past, struct duty_start *out)
{
    if (duty_start_parse(date, c->d->setup.world->zone, out, NULL) < 0 || !out->date)
        return req_wrong(c, key, "not a date");
    return past && out->at > c->now ? req_wrong(c, key, "lies in the future") : 0;
}

int req_begin(struct call *c, struct req *q, const char *obligation, struct duty_start start)
{
    struct subject s = req_subject(q);

    return duties_begin(c, &s, obligation, start, NULL);
}

int req_fact(struct call *c, struct req *q, const char *obligation, const char *fact, time_ns at, struct str sha256, struct str note)
{
    struct subject s = req_subject(q);
    int rc = duties_fact(c, &s, obligation, fact, at, &(struct duty_evidence){ .sha256 = sha256, .note = note });

    return rc < 0 ? rc : 0;
}

int req_fulfil(struct call *c, struct req *q, const char *obligation, time_ns at)
{
    struct subject s = req_subject(q);

    return duties_fulfil(c, &s, obligation, at);
}

int req_cancel(struct call *c, struct req *q, const char *obligation)
{
    struct subject s = req_subject(q);
    char running[8][8];
    size_t n = 0;
    int rc = 0;

    if (obligation)
        return duties_cancel(c, &s, obligation, "request.text.cancelled");
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT obligation FROM duty WHERE subject = 'request' AND subject_id = ? AND state = 'running'", "z", q->id_text);
    rc = st ? 0 : -EIO;
    while (st && n < COUNT(running) && (rc = db_step(c->d, st, c->e)) > 0)
        snprintf(running[n++], sizeof running[0], "%.7s", db_str(st, 0).p);
    if (rc > 0)
        db_done(st);
    for (size_t i = 0; rc >= 0 && i < n; i++)
        rc = duties_cancel(c, &s, running[i], "request.text.cancelled");
    return rc < 0 ? rc : 0;
}
