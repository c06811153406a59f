/* publish.h - the rules as they run now, with what each costs and found, as a file for others: DATA/detect/rules.json.
 *
 * Owns      struct publisher owns the path and what the numbers were at the last writing. Set and run are borrowed.
 * Promises  1. The file is replaced whole: a reader never sees a part. It is written at most each PUBLISH_NS, and when the rules change.
 *           2. The counters of a rule go on over a change of its file and over restarts, by its id. An event that is looked at again after a
 *              restart is not counted again; after a kill the last ten seconds may be missing.
 *           3. A rule over its budget is told and marked, never left out.
 * Threads   owner; publisher_put: any, one at a time.
 * Units     ns: processor time of the rule's conditions, from one of PUBLISH_SAMPLE evaluations; times in RFC 3339.
 *
 * {"at":TIME,"since":TIME,"seq":N,"events":N,                 since when is counted; the next event; events looked at
 *  "set":{"loaded":N,"unsupported":N,"broken":N,"kept":N,"compiled_bytes":N},
 *  "rules":[{"id","title","title_kk","title_ru","level","status","author","tags":[…],"file","line":N,
 *    "logsource":{"product","category","service"},
 *    "correlation":bool,"silent":bool,         silent: it raises nothing itself
 *    "fed":bool,"events":N,                    events of its log source (and number) that came; of a correlation: of the rules it reads
 *    "looked":N,"matched":N,"ns":N,"limited":N,  how often its condition was computed, was true; patterns stopped at their limit
 *    "last_match":TIME or null,"costly":bool,"filters":[ID …]}],
 *  "refused":[{"file","line":N,"column":N,"id","verdict":"broken"|"unsupported","reason","kept":bool}],   kept: the former rules of the file run
 *  "remarks":[{"file","line":N,"column":N,"id","text"}]} */
#ifndef SAQSHY_DETECT_PUBLISH_H
#define SAQSHY_DETECT_PUBLISH_H

#include "detect/detect.h"

#define PUBLISH_NS        (10 * NS_PER_SECOND)
#define PUBLISH_SAMPLE    64
#define PUBLISH_BYTES_MAX (64u * MIB)
/* The budget of a rule: over the time between two writings (and at least so many events) not more than so many ns for each event of any kind. */
#define BUDGET_NS         250
#define BUDGET_EVENTS     10000

struct publisher;

/* What is published. */
struct published {
    const struct sigma        *set;
    struct sigma_run          *run;
    const struct detect_rules *stats;
    const struct sigma_refusal *kept;      /* refusals of files that go on as they were */
    size_t                     kept_count;
    uint64_t                   seq;
    const char                *policy_wrong;   /* why the policy's files of now do not count; "": they do */
};

/* publisher_new - path: the file. */
MUST_USE int publisher_new(const char *path, struct publisher **out, struct err *e);
void publisher_free(struct publisher **p);
/* publisher_restore - the counters of an earlier process, from its file, into the run. A file that is damaged or absent: from nothing. Returns the
 * event from which on counting goes on. */
uint64_t publisher_restore(struct publisher *p, const struct sigma *set, struct sigma_run *run);
/* publisher_carry - so many events were counted by a run that ended here: the rules changed. */
void publisher_carry(struct publisher *p, uint64_t events);
/* publisher_due - it is time to write. */
bool publisher_due(const struct publisher *p);
/* publisher_take - the numbers of now, quickly; what is written of the set, the kept refusals among it, is read by publisher_put. *costly: rules over their
 * budget; told: called for each that came over it since the last time. */
MUST_USE int publisher_take(struct publisher *p, const struct published *now, detect_costly *told, void *arg, size_t *costly, struct err *e);
/* publisher_put - write the file with what was taken: it may be another thread's, but not while publisher_take runs. */
MUST_USE int publisher_put(struct publisher *p, struct err *e);

#endif
