/* tick.c - what falls due while nothing comes: ends of episodes, updates, silences. The role's clock brings them about (detect_clock), once.
 *
 * Events tell the time as long as they come: what an event of the moment T brings about stands in its frame, and a replay tells the same. While the
 * journal is silent there is no such event, so a *tick* stands for it: an event of the moment T of which nobody is the source. T is not "now": it is a
 * while ago (DETECT_QUIET_NS), so that whatever was received before T has long been read. Nothing that a tick says can be taken back by an event that
 * was on its way.
 *
 * Exactly once:
 *   1. Before a tick at which something may be due, the state is saved: on disk is what this tick is judged by.
 *   2. What it finds is one frame of the findings with origin {"detect-clock", T}, committed. Then the state is saved again, with T.
 *   3. Before the next event is looked at, the state with the tick is on disk: an event is never judged without the ticks before it.
 * Killed between 2 and the saving, a restart reads a T in the findings that its state does not know: the tick is repeated on just the state by which it
 * was judged, and what it finds is not taken twice. So there is never more than one such tick.
 *   4. A state that is lost is made anew from the journal, which knows no ticks. All events received up to the last T were judged before it: what they
 *      found is in the findings, and whatever the replay finds in them besides was told by some tick. Nothing of it is taken; then the tick is repeated.
 *
 * Silence counts only while somebody listens: where nothing came for an hour until this role began to listen, it was the role that was away
 * (coverage_listen). */
#include "detect/inside.h"
#include "detect/internal.h"

#define TICK_ORIGIN "detect-clock"

/* tell - what is due at that moment. 1: something was. */
static int tell(struct detect *d, time_ns at, struct err *e)
{
    const struct event nobody = { .seq = d->next_seq ? d->next_seq - 1 : 0, .time = at, .received = at, .offset_min = EVENT_OFFSET_NONE };
    const struct journal_origin origin = { STR(TICK_ORIGIN), (uint64_t)at };
    int rc, silences = 0;

    event_batch_reset(&d->found);
    d->used = true;
    rc = triage_due(d->triage, d->sigma, &nobody, &d->found, e);
    if (rc >= 0 && d->coverage)
        rc = silences = coverage_due(d->coverage, triage_policy(d->triage), &nobody, &d->found, e);
    if (rc < 0 || d->found.count == 0)
        return rc < 0 ? rc : 0;
    rc = journal_append(d->out, d->found.items, d->found.count, origin, NULL, e);
    if (rc == -E2BIG) {
        detect_shorten(&d->found);
        rc = journal_append(d->out, d->found.items, d->found.count, origin, NULL, e);
    }
    detect_meter(d, M_SILENCES, rc == 0 ? silences : 0);
    if (rc >= 0)
        detect_meter(d, rc == 1 ? M_REPEATED : M_FINDINGS, (int64_t)d->found.count);
    if (rc == 0)
        rc = journal_commit(d->out, e);
    d->ticked = at;
    return rc < 0 ? rc : 1;
}

/* tick_now - a half told tick must not be saved. */
static int tick_now(struct detect *d, time_ns at, struct err *e)
{
    int rc = tell(d, at, e);

    d->failed = d->failed || rc < 0;
    d->ticks = true;
    return rc;
}

void tick_restored(struct detect *d, bool lost)
{
    uint64_t last = journal_origin_seq(d->out, STR(TICK_ORIGIN));

    d->tick_lost = lost && last ? (time_ns)last : 0;
    d->tick_again = !lost && (time_ns)last > d->ticked ? (time_ns)last : 0;
}

int tick_before(struct detect *d, const struct event *ev, struct err *e)
{
    time_ns at = d->tick_again ? d->tick_again : d->tick_lost;

    if (!at || (d->tick_lost && ev && ev->received <= at))
        return 0;
    d->tick_again = d->tick_lost = 0;
    return tick_now(d, at, e);
}

int detect_clock(struct detect *d, time_ns since, time_ns at, struct err *e)
{
    int rc;

    if (d->failed)
        return err_set(e, -EIO, "detection stopped after an error, open it anew");
    /* Nothing is told by another policy or other rules than those of then, nor before what was judged before a kill is judged again. */
    if (!d->idle || d->hold || d->replay.on || triage_resumed(d->triage) || (d->next_seq && d->next_seq <= journal_origin_seq(d->out, STR(DETECT_ORIGIN))))
        return 0;
    rc = tick_before(d, NULL, e);
    if (rc < 0)
        return rc;
    if (d->coverage)
        coverage_listen(d->coverage, since);
    if (at <= d->ticked || (!triage_is_due(d->triage, at) && !(d->coverage && coverage_is_due(d->coverage, triage_policy(d->triage), at))))
        return 0;
    rc = detect_save(d, e);
    if (rc != 0)   /* no room: later */
        return rc < 0 ? rc : 0;
    rc = tick_now(d, at, e);
    if (rc == 1 && (rc = detect_save(d, e)) >= 0)
        rc = 1;
    return rc;
}
