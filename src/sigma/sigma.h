/* sigma.h - detection rules in the Sigma language: load, compile, match, correlate.
 *
 * Owns      struct sigma owns the compiled rules and all their texts. struct sigma_run owns the scratch of one worker and
 *           the memory of its correlations; it borrows the rules.
 * Promises  1. A rule is loaded, unsupported (with the reason) or broken (with file, line, column and the expected form);
 *              it is never evaluated in another sense than it says. One bad rule, or file, stops no other.
 *           2. Rules are data from outside: sizes, depth, nodes, regex steps and correlation memory have named limits;
 *              nothing here recurses over a rule or an event.
 *           3. Text is compared with case folded as Unicode's simple folding says (Cyrillic and Kazakh letters too), unless
 *              the modifier "cased" or a regular expression says otherwise.
 *           4. The same rules and the same events in the same order give the same matches, also when the state of
 *              correlations was saved and loaded in between.
 *           5. Correlations run on the time of the event, by the clock of its source: no source moves the windows of others. An
 *              event dated in the future counts at the moment of receipt. What ends without an event ends by our own clock.
 * Threads   struct sigma does not change after sigma_compile: any. struct sigma_run: owner.
 * Units     line and column from 1; at in bytes of the event's value.
 * Source    Sigma specification 2.1.0 (rules, modifiers, correlations); docs/detection.md has the table of what is done. */
#ifndef SAQSHY_SIGMA_SIGMA_H
#define SAQSHY_SIGMA_SIGMA_H

#include "event/event.h"

#define SIGMA_FILES_MAX       20000   /* the public collection has 4,000 */
#define SIGMA_RULES_MAX       20000
#define SIGMA_FILTERS_MAX     4096
#define SIGMA_FIELDS_MAX      4096    /* distinct field names of one set; the public collection has 408 */
#define SIGMA_NODES_MAX       30000   /* parts of one rule after its condition is written out */
#define SIGMA_CONDITION_MAX   8192    /* bytes of one condition */
#define SIGMA_REFS_MAX        32      /* rules that one correlation names */
#define SIGMA_GROUP_BY_MAX    8
#define SIGMA_GROUPS_MAX      100000  /* live groups of one correlation; the least recently touched is dropped, counted */
#define SIGMA_EXACT_MAX       4096    /* events of a group kept one by one; of more, those of 1/64 of the timespan are one */
#define SIGMA_COUNT_MAX       1000000000 /* the largest threshold of event_count */
#define SIGMA_VALUES_MAX      65536   /* different values kept for one group, so the largest threshold of value_count */
#define SIGMA_SOURCES_MAX     65536   /* sources with a clock of their own; further ones share one */
#define SIGMA_LATENESS        (60 * NS_PER_SECOND) /* how long an ended window waits for late events, unless saqshy.lateness says */
#define SIGMA_STATE_BYTES_MAX (64u * MIB)  /* memory of one correlation's groups */
#define SIGMA_STATE_BYTES_ALL (256u * MIB) /* of all together */
#define SIGMA_HITS_MAX        32      /* places told of one match */
#define SIGMA_GROUP_TEXT_MAX  512

struct sigma;
struct sigma_run;
struct sigma_units;
struct sigma_frequency;

enum sigma_level { SIGMA_INFORMATIONAL, SIGMA_LOW, SIGMA_MEDIUM, SIGMA_HIGH, SIGMA_CRITICAL, SIGMA_LEVEL_COUNT };
const char *sigma_level_name(enum sigma_level l);

struct sigma_texts {
    const struct str *items;
    size_t count;
};

/* What people read of a rule. All borrowed from the set. */
struct sigma_rule {
    struct str id, name, title, description, status, author;
    struct str title_kk, title_ru;      /* saqshy.title_kk, saqshy.title_ru; empty: title */
    enum sigma_level level;
    struct sigma_texts tags;            /* "attack.t1110", "saqshy.ux-01" */
    struct sigma_texts measures_kk, measures_ru, measures_en; /* saqshy.recommendations: first containment (R-10.1-10) */
    struct sigma_texts match, nomatch;  /* saqshy.samples: raw lines that must and must not raise it */
    struct sigma_texts group_by;        /* saqshy.group_by: fields whose values make matches one finding; none: the policy's */
    struct str file;                    /* as given */
    int  line;                          /* where its document starts */
    bool correlation;
    bool silent;                        /* raises nothing itself: a correlation reads it */
    uint32_t index;                     /* in the set */
};

/* One file of rules: its name, for messages, and its bytes. */
struct sigma_source {
    struct str path, text;
};

enum sigma_verdict { SIGMA_UNSUPPORTED, SIGMA_BROKEN };

/* Why a rule is not part of the set. */
struct sigma_refusal {
    enum sigma_verdict verdict;
    struct str file, id;   /* id may be empty */
    int        line, column;
    struct str reason;     /* without the place */
};

/* Something odd in a rule that is part of the set, or in what stands around it: what its author should look at. */
struct sigma_remark {
    struct str file, id;   /* id may be empty */
    int        line, column;
    struct str text;
};

/* A filter: what a site excepts from rules. All borrowed from the set. */
struct sigma_exception {
    struct str id, title, file;
    int        line;
    struct str author, reason;      /* of a file below a folder "exceptions" never empty */
    time_ns    expires;             /* counts for events received before; 0: for good */
    struct sigma_texts objects;     /* saqshy.scope; none: all */
    struct sigma_texts rules;       /* ids or names; none: any of its log source */
};

/* --- loading --- */

/* sigma_compile - build a set from files in memory. Refused rules are listed in the set. Fails only without memory or past
 * SIGMA_FILES_MAX and SIGMA_RULES_MAX. Nothing of sources is borrowed afterwards. */
MUST_USE int sigma_compile(const struct sigma_source *sources, size_t count, struct sigma **out, struct err *e);
/* sigma_compile_again - the same set as sigma_compile makes; of files that stood in the last set of u as they are, what was made of them is taken again. */
MUST_USE int sigma_compile_again(struct sigma_units *u, const struct sigma_source *sources, size_t count, struct sigma **out, struct err *e);
/* sigma_load - the same from every *.yml and *.yaml below the given folders (or files), in order of name. */
MUST_USE int sigma_load(const char *const *paths, size_t count, struct sigma **out, struct err *e);
void sigma_free(struct sigma **s);

/* sigma_files - the rule files below a path, sorted, as an array of texts owned by arena a. */
MUST_USE int sigma_files(const char *path, struct arena *a, struct str **files, size_t *count, struct err *e);

/* What was made of the files of the set that was compiled last, for the next one. It holds those files' rules alone, whose memory it shares with the
 * sets that have them, and what went since, at most SIGMA_UNITS_DEAD of it and as much as is alive: then all is compiled anew. Owner; sets that
 * came of it are independent of it. */
#define SIGMA_UNITS_DEAD  (1u * MIB)
#define SIGMA_CROPS_MAX   256      /* compilations whose memory one set has parts of */
#define SIGMA_NAMES_STALE 512      /* names of fields, or log sources, that no file need have any more */
struct sigma_units *sigma_units_new(void);
void sigma_units_free(struct sigma_units **u);
/* sigma_units_measured - sets that are compiled from now on choose their witnesses by it too (frequency.h). Borrowed. */
void sigma_units_measured(struct sigma_units *u, const struct sigma_frequency *f);
/* sigma_units_made - files that the last call compiled; the others were taken as they were. */
size_t sigma_units_made(const struct sigma_units *u);
/* sigma_units_worn - half of a bound is used up: sigma_units_drop, when there is time, then the next call compiles all. */
bool sigma_units_worn(const struct sigma_units *u);
void sigma_units_drop(struct sigma_units *u);

size_t sigma_rule_count(const struct sigma *s);
const struct sigma_rule *sigma_rule_at(const struct sigma *s, size_t i);
/* sigma_rule_find - by id, else by name; NULL if there is none. */
const struct sigma_rule *sigma_rule_find(const struct sigma *s, struct str id);
/* sigma_rule_named - as a person names it: by id, name, or a title (in any of its languages) that no other rule has; NULL if there is none. */
const struct sigma_rule *sigma_rule_named(const struct sigma *s, struct str text);
size_t sigma_refusal_count(const struct sigma *s);
const struct sigma_refusal *sigma_refusal_at(const struct sigma *s, size_t i);
size_t sigma_remark_count(const struct sigma *s);
const struct sigma_remark *sigma_remark_at(const struct sigma *s, size_t i);
/* sigma_rule_source - the log source of a rule; empty texts where it names none. */
void sigma_rule_source(const struct sigma *s, const struct sigma_rule *r, struct str *product, struct str *category, struct str *service);
size_t sigma_exception_count(const struct sigma *s);
struct sigma_exception sigma_exception_at(const struct sigma *s, size_t i);
/* sigma_expires_next - the first moment after "at" when an exception expires; 0: none does. */
time_ns sigma_expires_next(const struct sigma *s, time_ns at);
/* sigma_window_max - the longest timespan of the correlations, in ns; 0 if there are none. */
time_ns sigma_window_max(const struct sigma *s);

/* --- matching --- */

/* Where in the event a rule saw what it wanted. */
struct sigma_hit {
    struct str field, value;   /* value: the part of the event's value that matched */
    size_t     at;             /* its offset in that value */
};

struct sigma_match {
    const struct sigma_rule *rule;
    uint64_t   count;               /* events behind it: 1, or those of the correlation's group so far */
    uint64_t   first_seq, last_seq; /* the first event of the group, and this one */
    double     value;               /* the sum or average of a correlation that computes one; NAN otherwise */
    bool       window_end;          /* the event at hand only ended the window: its fields tell nothing of the group */
    uint64_t   conditions;          /* of a rule with a list of conditions: bit i is set if number i (from 0, at most 64) holds */
    struct str group;               /* group-by values joined by '|', empty without group-by */
    const struct sigma_hit *hits;
    size_t     hit_count;
};

struct sigma_counters {
    uint64_t events, evaluated, matches;     /* evaluated: rules whose condition was computed */
    uint64_t groups, bytes, evicted;         /* of correlations: groups now, their memory; groups dropped at a limit */
    uint64_t without_group, without_value;   /* events that lacked a group-by field; the field that is counted, or a number in it */
    uint64_t late;                           /* events read by correlations that were older than their source's newest by SIGMA_LATENESS */
    uint64_t checked, differed;              /* events that the plain evaluator looked at too; those it judged otherwise: 0, or there is a fault in us */
    uint64_t regex_limit;                    /* regular expressions and wildcards stopped at their step limit: no match */
};

/* What one correlation keeps in mind. */
struct sigma_load {
    const struct sigma_rule *rule;
    uint64_t groups, bytes, evicted;
};

/* loose: events whose product nobody knows (hunting over foreign JSON) are shown to every rule; else only to
 * rules that name no log source. */
MUST_USE int sigma_run_new(const struct sigma *s, bool loose, struct sigma_run **out, struct err *e);
void sigma_run_free(struct sigma_run **r);
/* sigma_run_event - all rules over one event. *matches is borrowed until the next call, ordered by rule index. Rules that only
 * feed correlations are told only with also_silent. Returns the number of matches, or -ENOMEM. */
MUST_USE int sigma_run_event(struct sigma_run *r, const struct event *ev, bool also_silent, const struct sigma_match **matches,
                             struct err *e);
const struct sigma_counters *sigma_run_counters(struct sigma_run *r);
/* sigma_run_meet - work out now what an event of this one's names and origin meets, which else the first such event does: it takes a look at every rule. Nothing is
 * matched or counted. sigma_run_met - how often sigma_run_event had to do it. */
void sigma_run_meet(struct sigma_run *r, const struct event *ev);
uint64_t sigma_run_met(const struct sigma_run *r);
/* sigma_run_check - from now on one event of so many is looked at by the plain evaluator too (0: none); what it finds otherwise is counted. */
void sigma_run_check(struct sigma_run *r, uint64_t every);
/* sigma_run_measure - from now on in one event of so many (0: none) it is measured how often what the rules look for is there, into f. It is borrowed. */
void sigma_run_measure(struct sigma_run *r, struct sigma_frequency *f, uint64_t every);
/* What a rule cost so far. Of a correlation: what its rules brought it. */
struct sigma_cost {
    uint64_t looked, matched;       /* how often it was a candidate, so its condition was computed; how often it was true */
    uint64_t events;                /* that its log source, and where it is plain the event's number, let through to it: 0, and it was never fed */
    uint64_t ns, limited;           /* time in its condition, from samples; its patterns that were stopped at their step limit */
    time_ns  last_match;            /* the receipt of the event; 0: none */
};
/* sigma_run_costs - of all rules, into cost[sigma_rule_count]. */
void sigma_run_costs(const struct sigma_run *r, struct sigma_cost *cost);
struct sigma_cost sigma_run_cost(const struct sigma_run *r, uint32_t rule);   /* events apart, which sigma_run_costs adds up */
/* sigma_run_cost_add - what it cost in an earlier run. */
void sigma_run_cost_add(struct sigma_run *r, uint32_t rule, const struct sigma_cost *c);
/* sigma_run_count - whether what comes is counted as cost: no, while events are looked at again. It is at first. */
void sigma_run_count(struct sigma_run *r, bool on);
/* sigma_run_bare - from now on matches tell their rule and events alone, not what of a rule held, and nothing is counted as cost. */
void sigma_run_bare(struct sigma_run *r);
uint64_t sigma_run_counted(const struct sigma_run *r);   /* events while it was on */
/* sigma_rule_filter - the id of the i-th filter that narrows a rule; false past the last. */
bool sigma_rule_filter(const struct sigma *s, uint32_t rule, uint32_t i, struct str *id);
/* sigma_bytes - memory of the compiled set. */
size_t sigma_bytes(const struct sigma *s);
/* sigma_run_plain - indexes of the rules that match the event, correlations apart, by the plain evaluator: it looks at every rule and
 * value and takes a hundred times as long. For comparison with sigma_run_event; it changes no correlation. Borrowed until the next call. */
MUST_USE int sigma_run_plain(struct sigma_run *r, const struct event *ev, const uint32_t **rules, size_t *count, struct err *e);
/* sigma_run_load_at - the memory of the i-th correlation; false past the last. */
bool sigma_run_load_at(const struct sigma_run *r, uint32_t i, struct sigma_load *out);

/* --- what must stand in an event --- */

/* A text, folded, that one value of the event has: at its beginning (left), at its end (right), or anywhere. */
struct sigma_need { struct str text; bool left, right; };
typedef int sigma_need_fn(void *arg, const struct sigma_need *n);
/* sigma_needs - texts of which at least one stands in every event that any rule of the set matches: for a store to leave blocks without them closed. 1: these are all;
 * 0: there are none, some rule needs no text (correlations, rules about numbers). A non-zero answer of fn ends it and is returned. */
MUST_USE int sigma_needs(const struct sigma *s, sigma_need_fn *fn, void *arg);

/* --- the memory of correlations --- */

/* sigma_run_save - append the state of all correlations to b. */
void sigma_run_save(const struct sigma_run *r, struct buf *b);
/* sigma_run_save_begin, sigma_run_save_some, sigma_run_save_drop - the same in slices between events: what comes to stand in b, which is only theirs, is the state of
 * the moment of the beginning, whatever events came since. begin: false without memory. some: about so many bytes more; true: it is whole. drop: it is
 * given up; so it is by sigma_run_load and sigma_run_adopt. */
MUST_USE bool sigma_run_save_begin(struct sigma_run *r, struct buf *b);
MUST_USE bool sigma_run_save_some(struct sigma_run *r, struct buf *b, size_t bytes);
void sigma_run_save_drop(struct sigma_run *r);
/* sigma_run_adopt - the same from a run of another set, which ends by it: windows are handed over, not copied, so it takes no longer the more there
 * are. from is good for sigma_run_costs and sigma_run_free alone afterwards. */
void sigma_run_adopt(struct sigma_run *to, struct sigma_run *from);
/* sigma_run_load - take a saved state: correlations that are the same in both sets (by id and definition) go on where they
 * were, the others start empty. -EBADMSG if it is damaged; r is then empty. */
MUST_USE int sigma_run_load(struct sigma_run *r, struct str saved, struct err *e);

#endif
