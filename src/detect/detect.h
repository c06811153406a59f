/* detect.h - the reader of the journal that runs the rules and writes what they find.
 *
 * Owns      the cursor "detect" of the journal, the findings journal (its writer), the file of saved state.
 * Promises  1. Each event's findings go into the findings journal as one frame with origin {"detect", the event's seq}: however
 *              often detection is killed and replays, each finding is there exactly once.
 *           2. A restart goes on from saved state and gives the findings that an uninterrupted run would have given.
 *           3. A finding is on disk before the cursor passes its event.
 *           4. Indicators of compromise raise findings of their own, of the same frame (indicators.h).
 *           5. Rules are read anew when told or when a file changes; a file that became broken goes on as it was before, and
 *              whoever asked is told which and why. A folder without one good rule is said, not hidden.
 *           6. A damaged frame of the journal is counted, told and passed.
 *           7. Matches become findings by the policy: grouped, summed up in a storm, at another level (triage.h); none is lost on the way.
 *           7. An event that one set of rules looked at is never looked at by a later one, however often detection is killed: the texts of the former set
 *              are kept until the saved state is past it (sets.h).
 *           8. To take over other rules costs the loop no more the more rules, groups or findings there are: reading, compiling, writing and freeing are
 *              another thread's.
 *           9. What falls due while no event comes (ends of episodes, updates, silences) is told by the clock of whoever runs it, once, also over kills
 *              (detect_clock; tick.c says how).
 *          10. Saving the state now and then, the loop puts what correlations know together in memory a slice at a step, as it was at one moment (sigma_run_save_begin);
 *              events go on meanwhile and while it is written, and no cursor moves before it is on disk.
 * Threads   owner.
 * Units     seq counts events of the journal; times are time_ns.
 * Source    plan of the pipeline, docs/detection.md; R-10.1-02 (detection), R-10.1-10 (first measures). */
#ifndef SAQSHY_DETECT_DETECT_H
#define SAQSHY_DETECT_DETECT_H

#include "base/metrics.h"
#include "journal/journal.h"
#include "sigma/sigma.h"

#define DETECT_ORIGIN     "detect"
#define DETECT_CURSOR     "detect"
#define DETECT_STATE_MAX  (256u * MIB)   /* a larger file of saved state is not read */

struct detect;

struct detect_config {
    const char        *journal;          /* folder to read */
    const char        *findings;         /* folder to write */
    const char        *state_file;       /* "DATA/detect/state" */
    const char *const *rules;            /* folders or files */
    size_t             rule_count;
    uint64_t           segment_bytes;    /* of the findings journal */
    int64_t            checkpoint_ms;    /* how often state is saved while events come; 0: 2000 */
    size_t             slice_bytes;      /* of the state of correlations, put together between two frames; 0: 256 KiB */
    const char        *indicators;       /* the set of indicators, which may be missing; NULL: events are not held against any */
    const char        *indicator_policy; /* content/ioc/indicators.yaml */
    const char        *back_folder;      /* "DATA/detect": new indicators are looked for in the stored events, too (back.h); NULL: they are not */
    const char        *data;             /* with it: the data directory, for its store */
    int64_t            back_days, back_share; /* as days and share of back.h */
    const char        *policy;           /* content/policy/detection.yaml; NULL: each match is a finding by itself (triage.h) */
    const char        *site_policy;      /* DATA/policy/detection.yaml, which may be missing; or NULL. Both borrowed until detect_open returns */
    const char        *picture;          /* the rules as they run, for others: DATA/detect/rules.json (publish.h); NULL: none */
    bool               coverage;         /* count what arrives, and tell silences as the policy says (coverage.h) */
    struct metrics    *metrics;          /* borrowed; may be NULL */
};

/* What a reading of the rules gave. */
struct detect_rules {
    size_t files, loaded, unsupported, broken;
    size_t kept;       /* files that became broken and go on as they were */
    size_t read, compiled;   /* files, to make this set: the others were taken as they were */
};
/* say is called for every refused rule: kept tells that the file's former rules go on. */
typedef void detect_say(void *arg, const struct sigma_refusal *r, bool kept);

/* detect_open - read the rules, the saved state and the cursor. Broken rules are no failure (say tells them). */
MUST_USE int detect_open(const struct detect_config *c, detect_say *say, void *arg, struct detect **out, struct err *e);
/* detect_step - events of one frame through the rules; waits up to timeout_ms when there are none. Returns the number of events
 * looked at; -EBADMSG: a damaged frame was passed, *e tells it, go on. Other errors: stop. */
MUST_USE int detect_step(struct detect *d, int timeout_ms, struct err *e);
/* detect_clock - the journal has been silent since before "at", and for longer than events are on their way (DETECT_QUIET_NS): tell what is due by then.
 * since: from when on somebody listened; both are moments of receipt. 1: something was told, 0: nothing is due, or it is no time for it. Other errors: stop. */
#define DETECT_QUIET_NS (60 * NS_PER_SECOND)
MUST_USE int detect_clock(struct detect *d, time_ns since, time_ns at, struct err *e);
/* detect_checkpoint - save the state and move the cursor now; a state that is being written beside the loop is waited for. */
MUST_USE int detect_checkpoint(struct detect *d, struct err *e);
/* detect_reload - read the rules anew if a file changed (or force). 1: a new set runs, 0: nothing changed. On failure the old set runs. For who has
 * no thread; while events are looked at again (promise 7) it does nothing. */
MUST_USE int detect_reload(struct detect *d, bool force, detect_say *say, void *arg, struct err *e);
/* detect_policy_reload - read the policy anew if a file of it changed. 1: another policy is in force; 0: nothing changed. On failure the one before is. */
MUST_USE int detect_policy_reload(struct detect *d, struct err *e);
/* detect_policy_note - why the policy's files of now do not count (at the start the site's is left out, later the one before goes on); "": they do. */
const char *detect_policy_note(const struct detect *d);
/* detect_publish_risk, detect_publish_exceptions - the files risk.json (risk.h) and exceptions.json (exception.h) as of "at". The second is written beside the loop where
 * detect_watch was called: then a failure is told by a later call of it, or of detect_publish. */
MUST_USE int detect_publish_risk(const struct detect *d, const char *path, time_ns at, struct err *e);
MUST_USE int detect_publish_exceptions(struct detect *d, const char *path, time_ns at, struct err *e);
/* detect_publish_coverage - the file coverage.json (coverage.h) as of "at"; nothing where nothing is counted. */
size_t detect_coverage_rows(const struct detect *d);
MUST_USE int detect_publish_coverage(const struct detect *d, const char *path, time_ns at, struct err *e);
/* detect_types - look whether the rules of event types (classify.h) are others now. 1: they are, 0: as before; an error: those before go on. */
MUST_USE int detect_types(struct detect *d, struct err *e);
/* detect_watch - from now on a thread reads rules beside the loop: a change is seen at once, and detect_step lets the new set look at the next frame
 * when it is compiled. Instead of detect_reload. Another thread writes the state that detect_step saves now and then. */
MUST_USE int detect_watch(struct detect *d, struct err *e);
/* detect_reread - read all of them anew, though nothing seems changed. */
void detect_reread(struct detect *d);
/* detect_other_rules - 1: another set runs since it was asked last; 0: as before; an error: files could not be read, or not kept; the former rules go on, or nothing
 * that the new ones find is committed until it succeeds. say is told of the set's refusals, at most DETECT_TELL_MAX in each call from the one on that answers 1. */
#define DETECT_TELL_MAX 32
MUST_USE int detect_other_rules(struct detect *d, detect_say *say, void *arg, struct err *e);
/* detect_stop - the last checkpoint: nothing behind it was looked at. */
MUST_USE int detect_stop(struct detect *d, struct err *e);
/* detect_set_note - why events are looked at again by other rules than at first; empty: they are not. */
const char *detect_set_note(const struct detect *d);
/* detect_indicators - look whether the set of indicators is another one now. 1: it is, *count indicators; 0: as before; an error: the one before goes on. */
MUST_USE int detect_indicators(struct detect *d, size_t *count, struct err *e);
/* detect_back - how far the search for new indicators in stored events is; detect_back_note: why it does not go on, "". */
struct back_counts;
bool detect_back(const struct detect *d, struct back_counts *out);
const char *detect_back_note(const struct detect *d);
/* detect_indicator_note - why events are held against no indicators though they should be; "": they are. */
const char *detect_indicator_note(const struct detect *d);
/* detect_publish - write the picture of the rules if it is time, or now. told (may be NULL): of rules that came over their budget. */
typedef void detect_costly(void *arg, const struct sigma_rule *r, uint64_t ns_an_event);
MUST_USE int detect_publish(struct detect *d, bool now, detect_costly *told, void *arg, struct err *e);
/* detect_close - does not save: detect_checkpoint does, and can tell that it failed. */
void detect_close(struct detect **d);
const struct detect_rules *detect_rules_now(const struct detect *d);
const struct sigma *detect_sigma(const struct detect *d);
/* detect_note - why the saved state was not taken at the start, so that the journal is replayed from its oldest event; empty if it was. */
const char *detect_note(const struct detect *d);
/* detect_load_at - what the i-th correlation keeps in mind, and what it had to drop; false past the last. */
bool detect_load_at(const struct detect *d, uint32_t i, struct sigma_load *out);
uint64_t detect_seq(const struct detect *d);   /* the next event to look at */

/* detect_finding - a match as an event of the findings journal, added to out; texts are borrowed from ev, the set and out's arena. */
MUST_USE int detect_finding(const struct sigma_match *m, const struct event *ev, struct event_batch *out, struct err *e);

#endif
