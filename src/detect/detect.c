/* detect.c - the loop: a frame of events, their findings, now and then the state; see detect.h.
 *
 * Order of writes: findings of an event are committed; then the file of state, which says up to which event it goes; then the
 * cursor. The last two are a thread's (saver.c), so events go on meanwhile and more findings are committed. Killed in between, a restart reads the older state and replays the same events: their findings carry the same origin
 * numbers and are not taken twice. */
#include "base/file.h"
#include "detect/coverage.h"
#include "detect/exception.h"
#include "detect/inside.h"
#include "detect/publish.h"

#define CHECKPOINT_MS     2000
#define CHECKPOINT_SHARE  20         /* saving may take one part in so many of the time */
#define SLICE_BYTES       (256 * KIB)

static const struct { const char *name; bool gauge; const char *help; } metric_rows[M_COUNT] = {
    [M_EVENTS] = { "saqshy_detect_events_total", false, "events that the rules looked at" },
    [M_FINDINGS] = { "saqshy_detect_findings_total", false, "findings written" },
    [M_EVALUATED] = { "saqshy_detect_evaluated_total", false, "conditions of rules computed" },
    [M_DAMAGED] = { "saqshy_detect_damaged_frames_total", false, "damaged frames of the journal passed over" },
    [M_SEQ] = { "saqshy_detect_next_seq", true, "the next event of the journal to look at" },
    [M_LAG] = { "saqshy_detect_lag_seconds", true, "age of the event looked at last" },
    [M_RULES] = { "saqshy_detect_rules", true, "rules that run" },
    [M_BROKEN] = { "saqshy_detect_rules_broken", true, "rules that were refused as broken" },
    [M_UNSUPPORTED] = { "saqshy_detect_rules_unsupported", true, "rules that use what is not supported" },
    [M_KEPT] = { "saqshy_detect_rule_files_kept", true, "files that became broken and run as they were" },
    [M_GROUPS] = { "saqshy_detect_groups", true, "groups that correlations keep in mind" },
    [M_EVICTED] = { "saqshy_detect_groups_evicted_total", false, "groups dropped at a limit" },
    [M_WITHOUT] = { "saqshy_detect_without_group_total", false, "events without the field that a correlation groups by" },
    [M_BYTES] = { "saqshy_detect_groups_bytes", true, "memory of the groups that correlations keep in mind" },
    [M_NO_VALUE] = { "saqshy_detect_without_value_total", false, "events without the field, or the number, that a correlation counts" },
    [M_LATE] = { "saqshy_detect_late_total", false, "events read by correlations that came a minute or more behind their source's newest" },
    [M_STOPPED] = { "saqshy_detect_patterns_stopped_total", false, "patterns stopped at their step limit" },
    [M_CHECKED] = { "saqshy_detect_checked_total", false, "events that the plain evaluator looked at too" },
    [M_DIFFERED] = { "saqshy_detect_differences_total", false, "events that the plain evaluator judged otherwise: above 0, tell us" },
    [M_UNSAVED] = { "saqshy_detect_state_unsaved_total", false, "times that the state found no room and was left for later" },
    [M_STATES] = { "saqshy_detect_states_total", false, "parts of the state of hosts handed on to the desk" },
    [M_INDICATORS] = { "saqshy_detect_indicators", true, "indicators of compromise in force" },
    [M_INDICATED] = { "saqshy_detect_indicators_found_total", false, "findings of indicators of compromise" },
    [M_BACK_EVENTS] = { "saqshy_detect_searched_back_events_total", false, "stored events that new indicators of compromise were looked for in" },
    [M_BACK_FOUND] = { "saqshy_detect_searched_back_findings_total", false, "findings of new indicators in stored events" },
    [M_BACK_LEFT] = { "saqshy_detect_searched_back_left", true, "stored events that the search for new indicators has before it" },
    [M_SILENT] = { "saqshy_detect_indicators_silent_total", false, "indicators that were seen and are on a warning list" },
    [M_EPISODES] = { "saqshy_detect_episodes", true, "findings that further matches are counted into" },
    [M_COUNTED] = { "saqshy_detect_grouped_total", false, "matches counted into a finding that was told before" },
    [M_STORMS] = { "saqshy_detect_storms_total", false, "storms: too many findings of a rule at once, told as a summary" },
    [M_DROPPED] = { "saqshy_detect_episodes_dropped_total", false, "open episodes ended early for lack of room, told before" },
    [M_COSTLY] = { "saqshy_detect_rules_costly", true, "rules over their budget of time" },
    [M_ROWS] = { "saqshy_detect_coverage_rows", true, "sources whose events are counted, for each object and class" },
    [M_ROWS_DROPPED] = { "saqshy_detect_coverage_dropped", true, "sources silent for longest that were dropped for lack of room" },
    [M_SILENCES] = { "saqshy_detect_silences_total", false, "findings of silent sources and types" },
    [M_POLICY_WRONG] = { "saqshy_detect_policy_wrong", true, "the files of the policy are wrong: at the start the site's is left out, later the one before goes on" },
    [M_REPEATED] = { "saqshy_detect_findings_repeated_total", false, "findings of replayed events, not taken twice" },
};

/* --- opening --- */

static int copy_config(struct detect *d, const struct detect_config *c, struct err *e)
{
    d->c = *c;
    d->journal = strdup(c->journal);
    d->findings = strdup(c->findings);
    d->state_file = strdup(c->state_file);
    d->rule_paths = calloc(c->rule_count + 1, sizeof *d->rule_paths);
    if (!d->journal || !d->findings || !d->state_file || !d->rule_paths)
        return err_set(e, -ENOMEM, "no memory for detection");
    for (size_t i = 0; i < c->rule_count; i++)
        if (!(d->rule_paths[i] = strdup(c->rules[i])))
            return err_set(e, -ENOMEM, "no memory for detection");
    if (d->c.checkpoint_ms <= 0)
        d->c.checkpoint_ms = CHECKPOINT_MS;
    if (d->c.slice_bytes == 0)
        d->c.slice_bytes = SLICE_BYTES;
    for (int i = 0; c->metrics && i < M_COUNT; i++)
        d->metric[i] = metrics_cell(c->metrics, metric_rows[i].name, NULL, metric_rows[i].gauge, metric_rows[i].help);
    return 0;
}

void detect_meter(struct detect *d, int m, int64_t n)
{
    if (d->metric[m] && metric_rows[m].gauge)
        metric_set(d->metric[m], n);
    else if (d->metric[m])
        metric_add(d->metric[m], n);
}

static void clear_state(struct detect *d)
{
    struct err e;

    d->ticked = 0;
    triage_clear(d->triage);
    if (d->coverage && coverage_load(d->coverage, (struct str){ NULL, 0 }, &e) < 0)
        return;   /* an empty text takes no memory: it cannot fail */
}

/* restore - saved state and where it ends. A damaged one is given up: the journal is replayed from its oldest event, and what
 * was found before is not taken twice. */
static int restore(struct detect *d, uint64_t *from, struct err *e)
{
    AUTO_BUF struct buf b;
    struct str parts[STATE_PARTS];
    int rc;

    buf_init(&b, DETECT_STATE_MAX + MIB);
    rc = state_file_read(d->state_file, &b, from, parts, e);
    if (rc == 0 || rc == 1) {   /* also before there is the first one: some set may have looked already */
        int chosen = rules_choose(d, rc == 0 ? *from : 0, e);

        if (chosen < 0)
            return chosen;
    }
    if (rc == 0)
        rc = triage_resume(d->triage, parts[STATE_POLICY], e);
    if (rc == 0)
        rc = triage_load(d->triage, parts[STATE_EPISODES], parts[STATE_RISK], e);
    if (rc == 0 && d->coverage)
        rc = coverage_load(d->coverage, parts[STATE_COVERAGE], e);
    if (rc == 0 && parts[STATE_CLOCK].n == sizeof d->ticked) {
        struct reader r = rd_str(parts[STATE_CLOCK]);

        d->ticked = (time_ns)rd_le64(&r);
    }
    if (rc == 0)
        rc = sigma_run_load(d->run, parts[STATE_CORRELATIONS], e);
    if (rc != 1 && rc != -EBADMSG && rc != -E2BIG)
        return rc;
    if (rc < 0)
        snprintf(d->note, sizeof d->note, "%s", e->text);
    clear_state(d);
    *from = 0;
    return 0;
}

/* sane_start - a state that is ahead of the journal belongs to another one (a data folder put together from two): it is given up.
 * The cursor is set before the first event, so that nothing is cut away from under a detection that is new here. */
static int sane_start(struct detect *d, uint64_t *from, struct err *e)
{
    uint64_t committed = journal_committed_seq(d->journal), cursor = 0;
    int rc = 0;

    if (committed && *from > committed) {
        sigma_run_free(&d->run);
        clear_state(d);
        rc = detect_run_new(d->sigma, &d->run, e);
        snprintf(d->note, sizeof d->note, "it goes up to event %llu, the journal ends before event %llu", (unsigned long long)*from,
                 (unsigned long long)committed);
        *from = 0;
    }
    if (rc == 0)
        rc = journal_cursor_get(d->journal, DETECT_CURSOR, &cursor, e);
    if (rc == 0 && (cursor == 0 || cursor > (*from ? *from : 1)))
        rc = journal_cursor_set(d->journal, DETECT_CURSOR, *from ? *from : 1, e);
    return rc;
}

/* one_directory - findings are numbered by their events. A journal that ends before the last event that was found something in was lost or is
 * an old copy (or ingest has not recovered it yet, then the next start finds it whole): its numbers come again for other events, and all
 * that is found in them would count as repeated, in silence. */
static int one_directory(const struct detect *d, struct err *e)
{
    uint64_t committed = journal_committed_seq(d->journal), last = journal_origin_seq(d->out, STR(DETECT_ORIGIN));

    if (!committed || last < committed)
        return 0;
    return err_set(e, -EINVAL, "the journal ends before event %llu, there are findings up to event %llu: they are not of one data directory",
                   (unsigned long long)committed, (unsigned long long)last);
}

/* open_back - what it remembers may be damaged: it is told, and all is searched for anew. */
static int open_back(struct detect *d, struct err *e)
{
    struct back_config c = { .folder = d->c.back_folder, .data = d->c.data, .set = d->c.indicators, .policy = d->c.indicator_policy, .triage = d->c.policy,
                             .site = d->c.site_policy, .days = d->c.back_days, .share = d->c.back_share };
    int rc = back_open(&c, &d->back, e);

    if (rc < 0 && d->back)
        snprintf(d->back_note, sizeof d->back_note, "%.400s: all indicators are searched for anew", e->text);
    return rc < 0 && !d->back ? rc : 0;
}

static int open_parts(struct detect *d, detect_say *say, void *arg, struct err *e)
{
    struct live_set first = { .set = NULL };
    uint64_t from = 0;
    int rc = live_open((const char *const *)d->rule_paths, d->c.rule_count, d->state_file, &d->live, e);

    if (rc == 0)
        rc = saver_open(d->state_file, d->journal, &d->saver, e);
    if (rc == 0)
        rc = live_read(d->live, true, &first, e);
    if (rc == 1) {
        rules_use(d, &first);
        rule_store_say(&d->kept, d->sigma, say, arg);
        d->told = sigma_refusal_count(d->sigma) + d->kept.count;
        rc = 0;
    }
    if (rc == 0)
        rc = classify_open((const char *const *)d->rule_paths, d->c.rule_count, &d->types, e);

    /* Rules go on without indicators, rather than nothing going on. */
    if (rc == 0 && d->c.indicators && indicators_open(d->c.indicators, d->c.indicator_policy, &d->indicators, e) < 0)
        snprintf(d->indicator_note, sizeof d->indicator_note, "%s", e->text);
    if (rc == 0 && d->indicators && d->c.back_folder)
        rc = open_back(d, e);
    if (rc == 0)
        rc = triage_open(d->c.policy, d->c.site_policy, &d->triage, e);
    if (rc == 0 && d->c.coverage)
        rc = coverage_new(&d->coverage, e);
    if (rc == 0)
        rc = restore(d, &from, e);
    if (rc == 0)
        rc = journal_open(d->findings, d->c.segment_bytes ? d->c.segment_bytes : 64u * MIB, &d->out, e);
    if (rc == 0)
        rc = one_directory(d, e);
    if (rc == 0)
        rc = sane_start(d, &from, e);
    if (rc == 0)
        rc = journal_reader_open(d->journal, from, &d->reader, e);
    if (rc < 0)
        return rc;
    tick_restored(d, from == 0);
    if (d->c.picture && (rc = publisher_new(d->c.picture, &d->publisher, e)) < 0)
        return rc;
    if (d->publisher)
        d->count_from = publisher_restore(d->publisher, d->sigma, d->run);
    d->next_seq = d->saved_seq = from;
    d->saved_at = clock_steady();
    rules_meter(d);
    if (!d->replay.on && live_since(d->live, from, from, d->hash, d->sigma, NULL, e) < 0)
        snprintf(d->set_note, sizeof d->set_note, "%s", e->text);   /* a later restart may not know these rules: no reason to find nothing now */
    return 0;
}

int detect_open(const struct detect_config *c, detect_say *say, void *arg, struct detect **out, struct err *e)
{
    struct detect *d = calloc(1, sizeof *d);
    int rc;

    *out = NULL;
    if (!d)
        return err_set(e, -ENOMEM, "no memory for detection");
    event_batch_init(&d->batch, JOURNAL_BATCH_BYTES);
    event_batch_init(&d->found, JOURNAL_BATCH_BYTES);
    rc = copy_config(d, c, e);
    if (rc == 0)
        rc = open_parts(d, say, arg, e);
    if (rc < 0)
        detect_close(&d);
    *out = d;
    return rc;
}

void detect_close(struct detect **dp)
{
    struct detect *d = *dp;

    if (!d)
        return;
    journal_reader_close(&d->reader);
    journal_close(&d->out);
    saver_close(&d->saver);
    live_close(&d->live);
    struct live_set now = rules_former(d);
    live_set_free(&now);
    live_set_free(&d->replay.files);
    back_close(&d->back);
    indicators_close(&d->indicators);
    classify_close(&d->types);
    triage_close(&d->triage);
    coverage_free(&d->coverage);
    publisher_free(&d->publisher);
    event_batch_free(&d->batch);
    event_batch_free(&d->found);
    for (size_t i = 0; d->rule_paths && i < d->c.rule_count; i++)
        free(d->rule_paths[i]);
    free(d->rule_paths);
    free(d->journal);
    free(d->findings);
    free(d->state_file);
    free(d);
    *dp = NULL;
}

/* --- the loop --- */

/* take_stock - count the event as arrived, and tell whose silence is news by now. Returns how many findings. */
static int take_stock(struct detect *d, const struct event *ev, struct err *e)
{
    int n = d->coverage ? coverage_event(d->coverage, ev, e) : 0;

    if (n == 0 && d->coverage)
        n = coverage_due(d->coverage, triage_policy(d->triage), ev, &d->found, e);
    detect_meter(d, M_SILENCES, n > 0 ? n : 0);
    return n;
}

/* judge - the findings that one event brings about, into found: its own, and those of others that are due by now. Returns how many indicators
 * it met. */
static int judge(struct detect *d, const struct event *ev, struct err *e)
{
    const struct sigma_match *m = NULL;
    int64_t silent = 0;
    int n, indicated = 0, due = 0, rc = 0;

    sigma_run_count(d->run, ev->seq >= d->count_from);
    n = sigma_run_event(d->run, ev, false, &m, e);
    if (n >= 0 && sigma_run_met(d->run) != d->met) {
        d->met = sigma_run_met(d->run);
        live_origin(d->live, ev);
    }

    if (n >= 0 && d->indicators)
        indicated = indicators_look(d->indicators, d->triage, d->sigma, ev, &d->found, &silent, e);
    detect_meter(d, M_SILENT, silent);
    if (n < 0 || indicated < 0)
        return n < 0 ? n : indicated;
    for (int i = 0; i < n && rc >= 0; i++) {
        size_t last;

        rc = triage_match(d->triage, d->sigma, &m[i], ev, &d->found, &last, e);
    }
    if (rc >= 0)
        due = triage_due(d->triage, d->sigma, ev, &d->found, e);
    int silences = rc >= 0 && due >= 0 ? take_stock(d, ev, e) : 0;
    d->used = n + indicated + due + silences > 0;
    return rc < 0 ? rc : due < 0 ? due : silences < 0 ? silences : indicated;
}

/* look_at - one event; what is found is appended as one frame. */
static int look_at(struct detect *d, const struct event *ev, struct err *e)
{
    struct journal_origin origin = { STR(DETECT_ORIGIN), ev->seq };
    bool state = str_eq(ev->parser, STR(EVENT_PARSER_FACTS));
    int indicated, rc = tick_before(d, ev, e);

    if (rc < 0)
        return rc;

    if (d->used)      /* nearly all events find nothing */
        event_batch_reset(&d->found);
    d->used = state;
    indicated = state ? detect_state(ev, &d->found, e) : judge(d, ev, e);
    if (indicated < 0 || d->found.count == 0)
        return indicated < 0 ? indicated : 0;
    rc = d->tick_lost ? 1 : journal_append(d->out, d->found.items, d->found.count, origin, NULL, e);
    if (rc == -E2BIG && !state) {     /* an event must not stop all that come after it */
        detect_shorten(&d->found);
        rc = journal_append(d->out, d->found.items, d->found.count, origin, NULL, e);
    }
    if (rc < 0)
        return rc;
    detect_meter(d, rc == 1 ? M_REPEATED : state ? M_STATES : M_FINDINGS, (int64_t)d->found.count);
    detect_meter(d, M_INDICATED, rc == 1 ? 0 : indicated);
    return 0;
}

static void meter_run(struct detect *d)
{
    const struct sigma_counters *c = sigma_run_counters(d->run);

    detect_meter(d, M_EVALUATED, (int64_t)(c->evaluated - d->counted.evaluated));
    detect_meter(d, M_EVICTED, (int64_t)(c->evicted - d->counted.evicted));
    detect_meter(d, M_WITHOUT, (int64_t)(c->without_group - d->counted.without_group));
    detect_meter(d, M_NO_VALUE, (int64_t)(c->without_value - d->counted.without_value));
    detect_meter(d, M_LATE, (int64_t)(c->late - d->counted.late));
    detect_meter(d, M_BYTES, (int64_t)c->bytes);
    detect_meter(d, M_STOPPED, (int64_t)(c->regex_limit - d->counted.regex_limit));
    detect_meter(d, M_CHECKED, (int64_t)(c->checked - d->counted.checked));
    detect_meter(d, M_DIFFERED, (int64_t)(c->differed - d->counted.differed));
    detect_meter(d, M_GROUPS, (int64_t)c->groups);
    detect_meter(d, M_SEQ, (int64_t)d->next_seq);
    detect_meter(d, M_POLICY_WRONG, *detect_policy_note(d) != 0);
    d->counted = *c;
    struct episode_counters g = triage_counters(d->triage);
    detect_meter(d, M_EPISODES, (int64_t)g.open);
    detect_meter(d, M_COUNTED, (int64_t)(g.counted - d->grouped.counted));
    detect_meter(d, M_STORMS, (int64_t)(g.storms - d->grouped.storms));
    detect_meter(d, M_DROPPED, (int64_t)(g.dropped - d->grouped.dropped));
    d->grouped = g;
    if (d->coverage) {
        detect_meter(d, M_ROWS, (int64_t)coverage_rows(d->coverage));
        detect_meter(d, M_ROWS_DROPPED, (int64_t)coverage_dropped(d->coverage));
    }
}

static int take_batch(struct detect *d, struct err *e)
{
    int rc = 0;

    rc = classify_batch(d->types, &d->batch, e);
    for (size_t i = 0; i < d->batch.count && rc == 0; i++)
        rc = look_at(d, &d->batch.items[i], e);
    if (rc == 0 && !d->hold)
        rc = journal_commit(d->out, e);
    if (rc < 0) {
        d->failed = true;
        return rc;
    }
    detect_meter(d, M_EVENTS, (int64_t)d->batch.count);
    if (d->batch.count)
        detect_meter(d, M_LAG, (clock_now() - d->batch.items[d->batch.count - 1].received) / NS_PER_SECOND);
    return 0;
}

static bool checkpoint_due(const struct detect *d)
{
    time_ns wait = d->c.checkpoint_ms * NS_PER_MS, share = d->save_took * CHECKPOINT_SHARE;

    return !d->hold && !d->putting && d->next_seq != d->saved_seq && !saver_busy(d->saver) && clock_steady() - d->saved_at >= (share > wait ? share : wait);
}

static bool no_room(int rc) { return rc == -ENOMEM || rc == -ENOSPC || rc == -EDQUOT; }

/* put_off - a state that finds no room, in memory or on disk, is saved later: detection goes on, the cursor stays, and a restart replays more. */
static void put_off(struct detect *d, time_ns begun)
{
    detect_meter(d, M_UNSAVED, 1);
    d->saved_at = clock_steady();
    d->save_took = d->saved_at - begun;
}

static void note_saved(struct detect *d, uint64_t seq, time_ns begun)
{
    d->saved_seq = seq;
    d->saved_at = clock_steady();
    d->save_took = d->saved_at - begun;
}

/* take_saved - how it went with the state that was given to be written beside the loop, if that is over. */
static int take_saved(struct detect *d, bool wait, struct err *e)
{
    struct saved s;

    if (!saver_done(d->saver, wait, &s))
        return 0;
    if (s.rc == 0)
        note_saved(d, s.seq, s.begun);
    else if (no_room(s.rc))
        put_off(d, s.begun);
    else
        *e = s.err;
    return s.rc < 0 && !no_room(s.rc) ? s.rc : 0;
}

/* moment - the state of now, but for the correlations. */
static void moment(struct detect *d, struct snapshot *s)
{
    s->seq = d->next_seq;
    s->begun = clock_steady();
    triage_save(d->triage, &s->part[STATE_EPISODES], &s->part[STATE_RISK]);
    triage_policy_save(d->triage, &s->part[STATE_POLICY]);
    if (d->coverage)
        coverage_save(d->coverage, &s->part[STATE_COVERAGE]);
    buf_le64(&s->part[STATE_CLOCK], (uint64_t)d->ticked);
}

static bool snapshot_failed(const struct snapshot *s)
{
    bool failed = false;

    for (int i = 0; i < STATE_PARTS; i++)
        failed = failed || buf_failed(&s->part[i]);
    return failed;
}

/* begin_saving - as detect_save, but events go on: correlations are put together slice by slice as they are now, then a thread writes all. */
static void begin_saving(struct detect *d)
{
    struct snapshot *s = saver_begin(d->saver);

    if (!s)
        return;
    moment(d, s);
    if (sigma_run_save_begin(d->run, &s->part[STATE_CORRELATIONS]))
        d->putting = s;
    else
        put_off(d, s->begun);
}

/* go_on_saving - another slice. */
static int go_on_saving(struct detect *d, struct err *e)
{
    struct snapshot *s = d->putting;

    if (!sigma_run_save_some(d->run, &s->part[STATE_CORRELATIONS], d->c.slice_bytes))
        return 0;
    d->putting = NULL;
    if (snapshot_failed(s)) {
        put_off(d, s->begun);
    } else {
        s->begun = clock_steady();   /* what stands between the slices is no cost of saving */
        saver_give(d->saver);
    }
    return take_saved(d, false, e);
}

void detect_save_drop(struct detect *d)
{
    if (d->putting)
        sigma_run_save_drop(d->run);
    d->putting = NULL;
}

int detect_checkpoint(struct detect *d, struct err *e)
{
    struct snapshot *s;
    int rc;

    if (d->failed)
        return err_set(e, -EIO, "the state of detection is not saved: an event was not dealt with");
    if (d->hold && !live_wait(d->live))
        return err_set(e, -ENOSPC, "the state of detection is not saved: its rules could not be kept");
    rc = rules_settle(d, e);
    if (rc == 0)
        rc = take_saved(d, true, e);
    if (rc < 0)
        return rc;
    detect_save_drop(d);
    s = saver_begin(d->saver);
    assert(s);
    moment(d, s);
    sigma_run_save(d->run, &s->part[STATE_CORRELATIONS]);
    rc = snapshot_failed(s) ? err_set(e, -ENOMEM, "no memory to save the state of detection") : saver_write(d->saver, e);
    if (rc < 0)
        return rc;
    note_saved(d, s->seq, s->begun);
    d->ticks = false;
    return 0;
}

int detect_save(struct detect *d, struct err *e)
{
    time_ns begun = clock_steady();
    int rc = detect_checkpoint(d, e);

    if (!no_room(rc))
        return rc;
    put_off(d, begun);
    return 1;
}

static int step_back(struct detect *d, struct err *e);

/* proceed - all that was judged before the kill has been judged again, by the policy of then: the one of now begins, and the state says so. Where that
 * finds no room, the one of then goes on until it does. */
static int proceed(struct detect *d, struct err *e)
{
    int rc = detect_checkpoint(d, e);

    if (rc < 0)
        return no_room(rc) ? 0 : rc;
    triage_swap(d->triage);
    rc = detect_checkpoint(d, e);
    if (rc == 0)
        triage_settle(d->triage);
    else
        triage_swap(d->triage);
    return no_room(rc) ? 0 : rc;
}

int detect_step(struct detect *d, int timeout_ms, struct err *e)
{
    int n, rc = 0;

    if (d->failed)
        return err_set(e, -EIO, "detection stopped after an error, open it anew");
    rc = take_saved(d, false, e);
    if (rc >= 0)
        rc = rules_next(d, e);
    if (rc >= 0 && triage_resumed(d->triage) && d->next_seq > journal_origin_seq(d->out, STR(DETECT_ORIGIN)))
        rc = proceed(d, e);
    if (rc < 0)
        return rc;
    n = journal_reader_next(d->reader, &d->batch, NULL, e);
    if (n == 0 && timeout_ms > 0 && !checkpoint_due(d) && !d->putting) {
        journal_reader_wait(d->reader, timeout_ms);
        rc = rules_next(d, e);
        if (rc < 0)
            return rc;
        n = journal_reader_next(d->reader, &d->batch, NULL, e);
    }
    if (n > 0 && d->ticks)
        rc = detect_save(d, e);   /* no event is judged without the ticks before it (tick.c) */
    if (n > 0 && rc >= 0)
        rc = take_batch(d, e);
    if (rc < 0)
        return rc;
    if (n == -EBADMSG)
        detect_meter(d, M_DAMAGED, 1);
    if (n != 0)
        d->next_seq = journal_reader_seq(d->reader);
    d->idle = n == 0;
    meter_run(d);
    if (n < 0)
        return n;
    if (d->back && !d->hold && (rc = step_back(d, e)) < 0)
        return rc;
    if (checkpoint_due(d))
        begin_saving(d);
    if (d->putting && (rc = go_on_saving(d, e)) < 0)
        return rc;
    return n;
}

/* --- indicators and rules --- */

const char *detect_policy_note(const struct detect *d) { return triage_note(d->triage); }
const char *detect_indicator_note(const struct detect *d) { return d->indicator_note; }

/* hand_back - what is new in the set is to be searched for before the event from which on detection has it: the state is saved first, so that a replay begins
 * there. Events up to the last one that was found something in count as looked at: what a replay finds in them is not taken twice. */
static void hand_back(struct detect *d)
{
    struct err e = { 0 };
    int rc = detect_checkpoint(d, &e);

    if (rc == 0) {
        int64_t fresh = back_take(d->back, d->indicators, d->back_from, &e);

        rc = fresh < 0 ? (int)fresh : 0;
    }
    d->back_from = rc == 0 ? 0 : d->back_from;
    snprintf(d->back_note, sizeof d->back_note, "%s", rc < 0 ? e.text : "");
}


int detect_indicators(struct detect *d, size_t *count, struct err *e)
{
    int rc = d->indicators ? indicators_refresh(d->indicators, count, e) : 0;

    if (rc == 1) {
        uint64_t last = journal_origin_seq(d->out, STR(DETECT_ORIGIN)) + 1;

        detect_meter(d, M_INDICATORS, (int64_t)*count);
        d->back_from = d->next_seq > last ? d->next_seq : last;
    }
    if (d->back && d->back_from)
        hand_back(d);
    return rc;
}

bool detect_back(const struct detect *d, struct back_counts *out)
{
    if (d->back)
        *out = back_counts(d->back);
    return d->back != NULL;
}

const char *detect_back_note(const struct detect *d) { return *d->back_note ? d->back_note : d->back ? back_note(d->back) : ""; }

/* step_back - what the search in stored events has found. */
static int step_back(struct detect *d, struct err *e)
{
    struct back_counts c;
    int rc = back_step(d->back, d->out, e);

    if (rc < 0) {
        d->failed = true;
        return rc;
    }
    c = back_counts(d->back);
    detect_meter(d, M_BACK_EVENTS, (int64_t)(c.events - d->back_counted.events));
    detect_meter(d, M_BACK_FOUND, (int64_t)(c.findings - d->back_counted.findings));
    detect_meter(d, M_BACK_LEFT, (int64_t)(c.to_seq > c.next_seq ? c.to_seq - c.next_seq : 0));
    d->back_counted = c;
    return 0;
}


int detect_policy_reload(struct detect *d, struct err *e)
{
    int rc;

    if (!d->c.policy || !triage_changed(d->triage))
        return 0;
    rc = detect_checkpoint(d, e);   /* so that a replay never judges by another policy than before */
    if (rc == 0)
        rc = triage_reload(d->triage, e);
    if (rc == 0)
        rc = detect_checkpoint(d, e);
    return rc < 0 ? rc : 1;
}

int detect_publish_risk(const struct detect *d, const char *path, time_ns at, struct err *e)
{
    AUTO_BUF struct buf b;

    buf_init(&b, 0);
    if (!triage_risk_json(d->triage, d->sigma, at, &b))
        return 0;
    return buf_failed(&b) ? err_set(e, -ENOMEM, "no memory to tell the risk") : file_write_quick(path, buf_view(&b), e);
}

static int put_exceptions(void *arg, struct err *e)
{
    const struct exceptions_told *x = arg;
    AUTO_BUF struct buf b;

    buf_init(&b, 0);
    exceptions_json(x->set, x->at, &b);
    return buf_failed(&b) ? err_set(e, -ENOMEM, "no memory to tell the exceptions") : file_write_quick(x->path, buf_view(&b), e);
}

/* tell_exceptions - the thread makes and writes the list: of the set of now, which it alone frees. */
static int tell_exceptions(struct detect *d, struct err *e)
{
    struct exceptions_asked *x = &d->exceptions;
    int answer = 0;

    if (live_done(d->live, LIVE_EXCEPTIONS, &answer, e) == 0)
        x->busy = false;
    if (answer < 0 || x->busy || !x->asked)
        return answer;
    x->given = (struct exceptions_told){ d->sigma, x->at, { 0 } };
    memcpy(x->given.path, x->path, sizeof x->given.path);
    if (!live_do(d->live, LIVE_EXCEPTIONS, put_exceptions, &x->given))
        return 0;
    x->asked = false;
    x->busy = live_done(d->live, LIVE_EXCEPTIONS, &answer, e) != 0;
    return answer;
}

int detect_publish_exceptions(struct detect *d, const char *path, time_ns at, struct err *e)
{
    if (snprintf(d->exceptions.path, sizeof d->exceptions.path, "%s", path) >= (int)sizeof d->exceptions.path)
        return err_set(e, -ENAMETOOLONG, "the path \"%s\" is too long", path);
    d->exceptions.at = at;
    d->exceptions.asked = true;
    return tell_exceptions(d, e);
}

size_t detect_coverage_rows(const struct detect *d) { return d->coverage ? coverage_rows(d->coverage) : 0; }

int detect_publish_coverage(const struct detect *d, const char *path, time_ns at, struct err *e)
{
    AUTO_BUF struct buf b;

    buf_init(&b, 0);
    if (!d->coverage)
        return 0;
    /* While there are events to look at, nobody is late by the clock on the wall. */
    coverage_json(d->coverage, at, d->idle ? at : coverage_clock(d->coverage), d->next_seq, &b);
    return buf_failed(&b) ? err_set(e, -ENOMEM, "no memory to tell what arrives") : file_write_quick(path, buf_view(&b), e);
}

static int put_picture(void *arg, struct err *e) { return publisher_put(arg, e); }

/* detect_publish - the numbers are taken here, the text is made and written by the thread, which reads the set and its refusals: both are freed by it alone. */
int detect_publish(struct detect *d, bool now, detect_costly *told, void *arg, struct err *e)
{
    struct published p = { d->sigma, d->run, &d->rules, d->kept.p, d->kept.count, d->next_seq, detect_policy_note(d) };
    size_t costly = 0;
    int rc = tell_exceptions(d, e), answer = 0;

    if (rc < 0 || !d->publisher)
        return rc;
    d->picture_asked = d->picture_asked || now || publisher_due(d->publisher);
    if (live_done(d->live, LIVE_PICTURE, &answer, e) == 0)
        d->picture_busy = false;
    if (answer < 0 || d->picture_busy || !d->picture_asked)
        return answer;
    d->picture_asked = false;
    rc = publisher_take(d->publisher, &p, told, arg, &costly, e);
    detect_meter(d, M_COSTLY, (int64_t)costly);
    if (rc < 0 || !live_do(d->live, LIVE_PICTURE, put_picture, d->publisher))
        return rc;
    d->picture_busy = live_done(d->live, LIVE_PICTURE, &answer, e) != 0;
    return answer;
}

int detect_types(struct detect *d, struct err *e)
{
    int rc = classify_changed(d->types) ? detect_checkpoint(d, e) : 1;   /* a replay sees the types that were seen before */

    return rc == 1 ? 0 : rc < 0 ? rc : classify_refresh(d->types, e);
}

const struct detect_rules *detect_rules_now(const struct detect *d) { return &d->rules; }
const struct sigma *detect_sigma(const struct detect *d) { return d->sigma; }
const char *detect_note(const struct detect *d) { return d->note; }
bool detect_load_at(const struct detect *d, uint32_t i, struct sigma_load *out) { return sigma_run_load_at(d->run, i, out); }
uint64_t detect_seq(const struct detect *d) { return d->next_seq; }
