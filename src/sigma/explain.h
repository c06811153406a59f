/* explain.h - why a rule matches an event, or why it does not: the tree of its condition with the truth of every part.
 *
 * Owns      nothing: texts are borrowed from the set and the event, or lie in the arena that the caller gives.
 * Promises  1. The answer is the engine's own: "matches" is what sigma_run_event would say of this rule and event, filters and log source too.
 *           2. Every leaf is looked at, also those that evaluation would skip; of each is told which text of the rule stood in which value of
 *              the event, where in it, and where in the original line; or what was in the field instead.
 *           3. No correlation changes: of a correlation is told which of its rules match this event and whether the event has what it groups by.
 *           4. Bounded: a rule has SIGMA_NODES_MAX parts; of a value that did not match EXPLAIN_VALUE_MAX bytes are told.
 * Threads   any: the set does not change.
 * Units     at and in_line are offsets in bytes, from 0; in_line is -1 where the value is no part of the original. */
#ifndef SAQSHY_SIGMA_EXPLAIN_H
#define SAQSHY_SIGMA_EXPLAIN_H

#include "sigma/sigma.h"

#define EXPLAIN_VALUE_MAX 512
#define EXPLAIN_PARTS_MAX 60000
#define EXPLAIN_TESTS_MAX 64     /* texts of one leaf that are listed; tests counts all */

enum explain_kind { EXPLAIN_AND, EXPLAIN_OR, EXPLAIN_NOT, EXPLAIN_LEAF };
const char *explain_kind_name(enum explain_kind k);   /* "and", "or", "not", "leaf" */

/* One part. In the order of reading: a part stands before its own parts, which have one more depth. */
struct explain_part {
    enum explain_kind kind;
    uint32_t   depth;
    struct str name;            /* of the selection that it is; empty: it is a part of one, or of the condition */
    bool       holds;
    /* of a leaf: */
    struct str field;           /* as the rule names it; "keywords": any value, or the line */
    struct str comparison;      /* "equals", "contains", "starts with", "matches", "is in the network", … */
    const struct str *wanted;   /* the texts, one of which is enough: those looked for, at most EXPLAIN_TESTS_MAX */
    uint32_t   wanted_count, tests;
    bool       cased;
    bool       present;         /* the event has the field */
    struct str event_field;     /* the name under which it has it; empty: the original line, or none */
    struct str value;           /* what was compared: of a hit the value whole, else its beginning; empty: absent, null or empty */
    /* of a leaf that holds because of a value: */
    struct str text;            /* which of wanted it was */
    size_t     at, n;           /* where in value */
    ptrdiff_t  in_line;         /* where in the original, -1: not there as it stands */
};

/* A filter that narrows the rule: its parts are those of explain.parts from "first", "count" many. */
struct explain_filter {
    struct str id, title;
    bool       counts;          /* it has not expired and is for this object */
    bool       holds;           /* the rule may match; if not, it is excepted */
    uint32_t   first, count;
};

/* Of a correlation: a rule that it reads. */
struct explain_ref {
    const struct sigma_rule *rule;
    bool       holds;           /* that rule matches this event; of a correlation never known here */
    struct str missing;         /* the first field of group-by that the event lacks; empty: it has all */
};

struct explain {
    const struct sigma_rule *rule;
    bool       matches;         /* of a correlation: one of its rules matches, and the event would be counted */
    bool       applies;         /* the rule's log source is the event's */
    struct str product, category, service;             /* which the rule asks for; empty: any */
    struct str event_product, event_channel, event_id; /* what the event says of itself; empty: nothing */
    const char *event_class;
    const struct explain_part *parts;                  /* the condition first, then the filters */
    uint32_t   part_count, condition_count;            /* condition_count: how many are of the condition */
    const struct explain_filter *filters;
    uint32_t   filter_count;
    const struct explain_ref *refs;
    uint32_t   ref_count;
    bool       stopped;         /* a pattern was stopped at its step limit: it counted as no match */
};

/* sigma_explain - rule must be of the set; loose as in sigma_run_new. Texts are borrowed from ev, the set and a. -ENOMEM; -E2BIG: the
 * condition has more than EXPLAIN_PARTS_MAX parts when its selections are written out. */
MUST_USE int sigma_explain(const struct sigma *s, bool loose, const struct event *ev, const struct sigma_rule *rule, struct arena *a,
                           struct explain *out, struct err *e);
/* explain_json - {"rule":{id,title,level},"matches":bool,"why":CODE,"logsource":{"applies","wanted":{product,category,service},
 * "event":{product,channel,event_id,class}},"condition":[PART…],"filters":[{id,title,counts,holds,"parts":[PART…]}],
 * "refs":[{id,title,holds,missing}],"stopped":bool}. PART: {depth,kind,name,holds} and of a leaf {field,comparison,wanted:[…],tests,cased,
 * present,event_field,value} and of a hit {text,at,length,in_line:N or null}. CODE: matches | logsource | condition | filtered |
 * correlation (one of its rules matches) | not_read (none does) | no_group (the event lacks a field of group-by). */
void explain_json(const struct explain *x, struct buf *out);
const char *explain_why(const struct explain *x);

#endif
