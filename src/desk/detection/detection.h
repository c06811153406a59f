/* detection.h - what people change of detection, and what the desk knows of its rules: indicators of compromise by source, and the cases that a rule made.
 *
 * Owns      in the portal's name DATA/intel (ioc/shelf.h). The files that detection publishes are read by the portal.
 * Promises  1. Who may see detection: administrators, the centre's people, auditors. Who may bring indicators: administrators and the centre's people; who may take a
 *              whole source away: administrators and leads of the centre.
 *           2. Every change is a row of the audit trail, written before the change: none is made without one. A change that fails after it has a second row.
 *           3. A file of indicators is judged whole before anything is replaced.
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

#endif
