/* detection.h - what people change of detection, and what the desk knows of its rules: indicators of compromise by source, exceptions from rules, and the cases that a rule made.
 *
 * Owns      in the portal's name DATA/intel (ioc/shelf.h) and DATA/rules/exceptions (detect/exception.h). The files that detection publishes are read by the portal.
 * Promises  1. Who may see detection: administrators, the centre's people, auditors. Who may bring indicators: administrators and the centre's people; who may take a
 *              whole source away: administrators and leads of the centre.
 *           2. Every change is a row of the audit trail, written before the change: none is made without one. A change that fails after it has a second row.
 *           3. A file of indicators is judged whole before anything is replaced.
 *           4. An exception has an author, who is who made it, a reason and an end: of an analyst within a week, of others within a year. It is a file of its own
 *              (DATA/rules/exceptions) and undone by removing it.
 * Threads   as struct desk.
 * Units     time_ns; days of 24 hours.
 * Source    issue of detection, points 5 and 7; R-A2-09; docs/intel.md, docs/detection.md. */
#ifndef SAQSHY_DESK_DETECTION_H
#define SAQSHY_DESK_DETECTION_H

#include "desk/desk.h"

#define INDICATORS_FILE_MAX (64u * MIB)   /* of a file brought by the portal, packed or plain; larger ones by `saqshy intel import` */

bool desk_detection_seen_by(const struct viewer *v);

/* desk_rule_facts - {rule: {"findings", "cases", "open", "dismissed", "confirmed"}}: of every rule that ever made a case. The caller owns it. */
MUST_USE int desk_rule_facts(struct desk *d, const struct viewer *v, json_t **out, struct err *e);

/* desk_indicators_import - {source, upload_id, add, type, tlp, confidence, days}; r->json: {source, format, taken, skipped, examples, own, all}. */
MUST_USE int desk_indicators_import(struct desk *d, const struct viewer *v, const json_t *body, time_ns now, struct desk_reply *r);
/* desk_indicators_remove - all that a source said. */
MUST_USE int desk_indicators_remove(struct desk *d, const struct viewer *v, struct str source, time_ns now, struct desk_reply *r);

/* Where the rules stand that an act needs: pipelines, the file of the rule, those of its filters. */
#define DESK_RULE_PATHS_MAX 40
struct desk_rule_paths {
    const char *path[DESK_RULE_PATHS_MAX];   /* borrowed */
    size_t      count;
};

#define EXCEPTION_ANALYST_NS (7 * NS_PER_DAY + NS_PER_HOUR)   /* an analyst may except for so long */
#define EXCEPTION_LONGEST_NS (366 * NS_PER_DAY + NS_PER_HOUR)

/* desk_exception_preview - {rule, where: [{field, value}], reason, expires_at, object_id, title}: the file that it would be, how many of the past findings it would have
 * removed, their cases (the confirmed ones first), and whether v may make it. */
MUST_USE int desk_exception_preview(struct desk *d, const struct viewer *v, const struct desk_rule_paths *where, const json_t *body, time_ns now, struct desk_reply *r);
/* desk_exception_create - the same body; r->json: {id, text}. -EEXIST: the same is there. */
MUST_USE int desk_exception_create(struct desk *d, const struct viewer *v, const struct desk_rule_paths *where, const json_t *body, time_ns now, struct desk_reply *r);
MUST_USE int desk_exception_remove(struct desk *d, const struct viewer *v, struct str id, time_ns now, struct desk_reply *r);

#endif
