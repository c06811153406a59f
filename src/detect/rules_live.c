/* rules_live.c - rules that change while events come, and rules that were others when the events came the first time.
 *
 * live.c brings a set that is compiled; here it takes over between two frames. What the new set finds is not committed until the list of sets
 * (sets.c) says on disk from which event on it looks. So whenever detection is killed, a restart knows for each event that may have been looked at by
 * which set, and replays it with that one. */
#include <unistd.h>

#include "detect/inside.h"
#include "detect/publish.h"

#define CHECK_EVERY 10000      /* one event of so many is looked at by the plain evaluator too */

int detect_run_new(const struct sigma *s, struct sigma_run **out, struct err *e)
{
    int rc = sigma_run_new(s, false, out, e);

    if (rc == 0)
        sigma_run_check(*out, CHECK_EVERY);
    return rc;
}

void rules_meter(struct detect *d)
{
    detect_meter(d, M_RULES, (int64_t)d->rules.loaded);
    detect_meter(d, M_BROKEN, (int64_t)d->rules.broken);
    detect_meter(d, M_UNSUPPORTED, (int64_t)d->rules.unsupported);
    detect_meter(d, M_KEPT, (int64_t)d->rules.kept);
}

void rules_use(struct detect *d, struct live_set *s)
{
    d->sigma = s->set;
    d->run = s->run;
    d->rules = s->stats;
    d->kept = s->kept;
    d->hash = s->hash;
    d->met = sigma_run_met(d->run);
    *s = (struct live_set){ .set = NULL };
}

struct live_set rules_former(struct detect *d)
{
    struct live_set s = { d->sigma, d->run, d->rules, d->kept, d->hash };

    d->sigma = NULL;
    d->run = NULL;
    d->kept = (struct refusals){ .p = NULL };
    return s;
}

/* load_set - texts that were kept, compiled. */
static int load_set(const struct detect *d, uint64_t hash, struct live_set *out, struct err *e)
{
    AUTO_ARENA struct arena a;
    struct sigma_source *sources;
    size_t count;
    int rc;

    *out = (struct live_set){ .hash = hash };
    arena_init(&a, 3 * (size_t)SET_BYTES_MAX);
    rc = set_load(d->state_file, hash, &a, &sources, &count, e);
    if (rc == 0)
        rc = sigma_compile(sources, count, &out->set, e);
    if (rc == 0)
        rc = detect_run_new(out->set, &out->run, e);
    if (rc == 0)
        out->stats = (struct detect_rules){ .files = count, .loaded = sigma_rule_count(out->set) };
    if (rc < 0)
        live_set_free(out);
    return rc;
}

/* rules_choose - the rules that looked at the events from "from" on. They look at all that they may have seen: up to where the journal reached when
 * detection was killed, or where it was stopped. A set whose texts are lost is passed over, which is told. */
int rules_choose(struct detect *d, uint64_t from, struct err *e)
{
    const struct sets *s = live_sets(d->live);
    uint64_t committed = journal_committed_seq(d->journal);
    struct live_set then;
    size_t at = s->count;
    int rc;

    while (at && s->line[at - 1].seq > from)
        at--;
    if (at == 0 || (s->stopped && s->stop == from) || committed <= from || (at == s->count && s->line[at - 1].hash == d->hash))
        return 0;
    rc = load_set(d, s->line[at - 1].hash, &then, e);
    if (rc == -ENOMEM)
        return rc;
    if (rc < 0) {
        snprintf(d->set_note, sizeof d->set_note, "%s", e->text);
        return 0;
    }
    d->replay = (struct replay){ .on = true, .sets = *s, .next = at, .until = committed, .files = rules_former(d) };
    rules_use(d, &then);
    return 0;
}

/* --- other rules --- */

static void take_costs(struct detect *d, struct sigma_cost *cost)
{
    for (size_t i = 0; cost && i < sigma_rule_count(d->sigma); i++)
        sigma_run_cost_add(d->run, (uint32_t)i, &cost[i]);
    free(cost);
}

/* rules_settle - what the new rules found may be committed, once it is on disk that they look. */
int rules_settle(struct detect *d, struct err *e)
{
    char trouble[ERR_TEXT_MAX];

    if (!d->hold)
        return 0;
    if (!live_settled(d->live, trouble, sizeof trouble)) {
        if (*trouble && strcmp(trouble, d->live_err.text) != 0)   /* told once */
            d->trouble = err_set(&d->live_err, -EIO, "%s", trouble);
        return 0;
    }
    d->hold = false;
    take_costs(d, live_carry(d->live));
    return journal_commit(d->out, e);
}

/* swap - other rules run from the next event on; windows go on. */
static struct live_set swap(struct detect *d, struct live_set *fresh)
{
    struct live_set former;

    detect_save_drop(d);
    former = rules_former(d);
    rules_use(d, fresh);
    sigma_run_adopt(d->run, former.run);
    if (d->publisher)
        publisher_carry(d->publisher, sigma_run_counted(former.run));
    d->counted = (struct sigma_counters){ 0 };
    d->other = true;
    rules_meter(d);
    return former;
}

/* adopt - rules of changed files: the thread makes it durable and frees the former; without it that is done now. */
static int adopt(struct detect *d, struct live_set *fresh, struct err *e)
{
    struct live_set former = swap(d, fresh);
    int rc;

    d->hold = true;
    rc = live_since(d->live, d->next_seq, d->saved_seq, d->hash, d->sigma, &former, e);
    return rc < 0 ? rc : rules_settle(d, e);
}

/* replay_set - during a replay: the rules that took over here when these events came the first time; behind them the files' own. */
static int replay_set(struct detect *d, struct err *e)
{
    struct replay *r = &d->replay;
    bool files = r->next == r->sets.count;
    struct live_set then, former;
    int rc;

    if (d->next_seq < (files ? r->until : r->sets.line[r->next].seq))
        return 0;
    if (files) {
        r->on = false;
        return adopt(d, &r->files, e);
    }
    rc = load_set(d, r->sets.line[r->next++].hash, &then, e);
    if (rc == -ENOMEM)
        return rc;
    if (rc < 0) {
        snprintf(d->set_note, sizeof d->set_note, "%s", e->text);
        return 1;
    }
    former = swap(d, &then);
    take_costs(d, live_costs(&former, d->sigma));
    live_set_free(&former);
    return 1;
}

int rules_next(struct detect *d, struct err *e)
{
    struct live_set fresh;
    int rc = 1;

    while (d->replay.on && rc == 1)
        rc = replay_set(d, e);
    if (rc < 0)
        return rc;
    rc = rules_settle(d, e);
    if (rc < 0 || d->replay.on || d->hold)
        return rc;
    rc = live_ready(d->live, &fresh, &d->live_err);
    if (rc < 0)
        d->trouble = rc;
    return rc == 1 ? adopt(d, &fresh, e) : 0;
}

int detect_reload(struct detect *d, bool force, detect_say *say, void *arg, struct err *e)
{
    struct live_set fresh;
    int rc = d->replay.on ? 0 : live_read(d->live, force, &fresh, e);

    if (rc != 1)
        return rc;
    rule_store_say(&fresh.kept, fresh.set, say, arg);
    rc = adopt(d, &fresh, e);
    return rc < 0 ? rc : 1;
}

int detect_watch(struct detect *d, struct err *e)
{
    int rc = saver_start(d->saver, e);

    return rc < 0 ? rc : live_start(d->live, e);
}

void detect_reread(struct detect *d) { live_ask(d->live, true); }

static size_t refused(const struct detect *d) { return sigma_refusal_count(d->sigma) + d->kept.count; }

/* tell_some - refusals of the set in force, so many at a time: telling may be slow, and events wait for it. */
static void tell_some(struct detect *d, detect_say *say, void *arg)
{
    size_t of_set = sigma_refusal_count(d->sigma), end = min_size(d->told + DETECT_TELL_MAX, refused(d));

    for (; say && d->told < end; d->told++)
        say(arg, d->told < of_set ? sigma_refusal_at(d->sigma, d->told) : &d->kept.p[d->told - of_set], d->told >= of_set);
}

int detect_other_rules(struct detect *d, detect_say *say, void *arg, struct err *e)
{
    int rc = d->trouble;

    if (rc < 0) {
        *e = d->live_err;
        d->trouble = 0;
        return rc;
    }
    rc = d->other;
    d->other = false;
    if (rc)
        d->told = say ? 0 : refused(d);
    tell_some(d, say, arg);
    return rc;
}

/* last_picture - what is being written is waited for, a moment; then the numbers of the end. */
static void last_picture(struct detect *d)
{
    struct published p = { d->sigma, d->run, &d->rules, d->kept.p, d->kept.count, d->next_seq };
    size_t costly;
    struct err e;
    int answer;

    for (int i = 0; d->picture_busy && i < 500; i++) {
        d->picture_busy = live_done(d->live, LIVE_PICTURE, &answer, NULL) != 0;
        if (d->picture_busy)
            usleep(10000);
    }
    if (!d->picture_busy && publisher_take(d->publisher, &p, NULL, NULL, &costly, &e) == 0 && publisher_put(d->publisher, &e) < 0)
        return;   /* the one before stands: some seconds are missing from what is counted */
}

int detect_stop(struct detect *d, struct err *e)
{
    int rc = detect_checkpoint(d, e);

    if (rc == 0 && !d->replay.on)
        rc = live_stop(d->live, d->next_seq, e);
    if (d->publisher)
        last_picture(d);
    return rc;
}

const char *detect_set_note(const struct detect *d) { return d->set_note; }
