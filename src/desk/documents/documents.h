/* documents.h - surveys of the technical documentation of Annex 3: documents, requirements, verdicts, violations.
 *
 * Owns      the tables td_document, td_file, td_requirement, td_survey, td_verdict, td_evidence, td_violation, td_step, td_measure.
 * Promises  1. A version of a document is never changed, nor are its files: the next one is added. The day that stands on a document and the moment at
 *              which it was brought are two things; the second comes from our clock.
 *           2. What may be done to a survey, in which state and by whom stands in one table (machine.c); the portal's forms come from it.
 *           3. The notice (R-14-04) and the certified copies with D-16 are the request of kind "document_survey": a survey opens it, follows it and
 *              takes its copies into the register. Nothing of it is kept twice.
 *           4. A survey judges the requirements as they were worded when it began; later words change no verdict.
 *           5. A verdict "partly" or "not met" is a violation when the survey is completed; one that is open stays the same row until a survey finds
 *              it fixed. Nothing is fixed without a verdict that says so.
 *           6. What Saqshy measures itself says when and by what; what cannot be measured is said to be so. With the completion the facts are frozen.
 *           7. The owner sees the notice, their register and, from the sending of results on, what was found; the work before that is the centre's.
 *           8. An act is one transaction with its audit row, or nothing.
 * Threads   as struct desk.
 * Units     time_ns; days are "2026-03-20".
 * Source    paragraphs 10(3), 14, Annex 3; requirements 4.5, 4.9, 6.3, 7.6, D-16 to D-18; docs/documents.md. */
#ifndef SAQSHY_DESK_DOCUMENTS_H
#define SAQSHY_DESK_DOCUMENTS_H

#include "desk/desk.h"

#define TD_REQUIREMENTS_MAX 2000   /* of the library, and of a check-list */
#define TD_FILES_MAX        20     /* of one version of a document */
#define TD_EVIDENCE_MAX     1000   /* of one survey */
#define TD_VERSIONS_MAX     1000   /* of one document at one object */

/* --- the API; bodies and answers by docs/openapi.yaml --- */

/* The register of an object: the 27 documents with their newest version, the missing ones too. */
MUST_USE int desk_td_register(struct desk *d, const struct viewer *v, struct str object, time_ns now, struct desk_reply *r);
/* desk_td_versions - of one document, newest first; a page. */
MUST_USE int desk_td_versions(struct desk *d, const struct viewer *v, struct str object, struct str document, int limit, struct str before, time_ns now,
                              struct desk_reply *r);
/* desk_td_add - body {document, …, files: [{upload_id, dated_on}]}: the next version. */
MUST_USE int desk_td_add(struct desk *d, const struct viewer *v, struct str object, const json_t *body, time_ns now, struct desk_reply *r);
/* desk_td_file - a descriptor, owned by the caller; r->json {name, type, size_bytes}. */
MUST_USE int desk_td_file(struct desk *d, const struct viewer *v, struct str object, struct str file, time_ns now, int *fd, struct desk_reply *r);
MUST_USE int desk_td_facts(struct desk *d, const struct viewer *v, struct str object, time_ns now, struct desk_reply *r);

struct td_surveys_query {
    struct str object, state, side;   /* side: mine, other, ended, all; empty: all that are open */
    int        limit;
    struct str before;
};
MUST_USE int desk_td_surveys(struct desk *d, const struct viewer *v, const struct td_surveys_query *q, time_ns now, struct desk_reply *r);
MUST_USE int desk_td_survey(struct desk *d, const struct viewer *v, struct str id, time_ns now, struct desk_reply *r);
/* desk_td_plan - body {object_id, planned_from, planned_to, reason, request_id}: a survey outside the schedule. */
MUST_USE int desk_td_plan(struct desk *d, const struct viewer *v, const json_t *body, time_ns now, struct desk_reply *r);
MUST_USE int desk_td_act(struct desk *d, const struct viewer *v, struct str id, struct str action, const json_t *body, time_ns now, struct desk_reply *r);
/* desk_td_checklist - requirements of a survey with verdicts, those of last time and what Saqshy measures; document empty: all. */
MUST_USE int desk_td_checklist(struct desk *d, const struct viewer *v, struct str id, struct str document, int limit, struct str before, time_ns now,
                               struct desk_reply *r);
MUST_USE int desk_td_attach(struct desk *d, const struct viewer *v, struct str id, const json_t *body, time_ns now, struct desk_reply *r);
MUST_USE int desk_td_evidence(struct desk *d, const struct viewer *v, struct str id, struct str file, time_ns now, int *fd, struct desk_reply *r);
/* desk_td_compare - this survey beside the one before: only what changed. */
MUST_USE int desk_td_compare(struct desk *d, const struct viewer *v, struct str id, struct desk_reply *r);

struct td_violations_query {
    struct str object, state, survey, document;
    bool       open;   /* only those that no survey has found fixed */
    int        limit;
    struct str before;
};
MUST_USE int desk_td_violations(struct desk *d, const struct viewer *v, const struct td_violations_query *q, time_ns now, struct desk_reply *r);
MUST_USE int desk_td_violation(struct desk *d, const struct viewer *v, struct str id, time_ns now, struct desk_reply *r);
/* desk_td_library - the requirements as the files say now; document empty: all. Files that are broken are told with their place. */
MUST_USE int desk_td_library(struct desk *d, const struct viewer *v, struct str document, time_ns now, struct desk_reply *r);
/* desk_td_table - "register" (of: an object), "checklist" (of: a survey) or "violations" (of: an object, empty: all that the viewer reaches) as XLSX or CSV. */
MUST_USE int desk_td_table(struct desk *d, const struct viewer *v, struct str what, struct str of, struct str format, time_ns now, struct buf *out,
                           struct desk_reply *r);

/* --- for the core --- */

struct call;
/* documents_tick - lines of agreed schedules become surveys; surveys follow their requests. Returns how many rows moved. */
MUST_USE int documents_tick(struct call *c);

#endif
