/* api.h - the room "vulnerabilities" over the API: lists, one, acts, rules, comparison, known exploited and probable ones.
 *
 * Owns      nothing.
 * Promises  bodies and answers by docs/openapi.yaml; see vulnerabilities.h and desk.h.
 * Threads   as struct desk.
 * Units     time_ns. */
#ifndef SAQSHY_DESK_VULNERABILITIES_API_H
#define SAQSHY_DESK_VULNERABILITIES_API_H

#include "desk/desk.h"

struct vulns_query {
    struct str object, org, state, severity, cve, host, survey, q, before;   /* q: words of the title, a CVE or an address */
    bool       kev, overdue, closed, info;   /* closed: fixed and closed ones; info: what only informs, too */
    int        limit;
};
MUST_USE int desk_vulns(struct desk *d, const struct viewer *v, const struct vulns_query *q, time_ns now, struct desk_reply *r);
/* desk_vulns_export - the same list as a table, "xlsx" or "csv"; at most VULN_EXPORT_MAX rows. */
#define VULN_EXPORT_MAX 50000
MUST_USE int desk_vulns_export(struct desk *d, const struct viewer *v, const struct vulns_query *q, struct str format, time_ns now, struct buf *out,
                               struct desk_reply *r);
MUST_USE int desk_vulns_summary(struct desk *d, const struct viewer *v, struct str object, time_ns now, struct desk_reply *r);
MUST_USE int desk_vuln(struct desk *d, const struct viewer *v, struct str id, time_ns now, struct desk_reply *r);
MUST_USE int desk_vuln_act(struct desk *d, const struct viewer *v, struct str id, struct str action, const json_t *body, time_ns now, struct desk_reply *r);
/* desk_vuln_own - Annex 5: {object_id, rows, send}. */
MUST_USE int desk_vuln_own(struct desk *d, const struct viewer *v, const json_t *body, time_ns now, struct desk_reply *r);

MUST_USE int desk_vuln_merge(struct desk *d, const struct viewer *v, struct str id, const json_t *body, time_ns now, struct desk_reply *r);
MUST_USE int desk_vuln_split(struct desk *d, const struct viewer *v, struct str id, const json_t *body, time_ns now, struct desk_reply *r);
MUST_USE int desk_vuln_rules(struct desk *d, const struct viewer *v, struct str object, bool ended, int limit, struct str before, time_ns now, struct desk_reply *r);
MUST_USE int desk_vuln_rule_host(struct desk *d, const struct viewer *v, const json_t *body, time_ns now, struct desk_reply *r);
MUST_USE int desk_vuln_rule_check(struct desk *d, const struct viewer *v, const json_t *body, time_ns now, struct desk_reply *r);
MUST_USE int desk_vuln_rule_end(struct desk *d, const struct viewer *v, struct str id, const json_t *body, time_ns now, struct desk_reply *r);

MUST_USE int desk_vuln_compare(struct desk *d, const struct viewer *v, struct str survey, struct str verdict, int limit, struct str before, time_ns now,
                               struct desk_reply *r);
/* desk_vuln_outside - what was found outside the scope of a survey, by host: {host, name, findings, worst, taken}. That a host belongs to it, and where its tools
 * looked, is declared by people of the survey (surveys.h). */
MUST_USE int desk_vuln_outside(struct desk *d, const struct viewer *v, struct str survey, time_ns now, struct desk_reply *r);
MUST_USE int desk_vuln_covers(struct desk *d, const struct viewer *v, struct str survey, struct str host, int limit, struct str before, time_ns now,
                              struct desk_reply *r);

/* desk_intel - loaded lists of known exploited and probable ones, newest first. desk_intel_load - {kind, upload_id}. */
MUST_USE int desk_intel(struct desk *d, const struct viewer *v, time_ns now, struct desk_reply *r);
MUST_USE int desk_intel_load(struct desk *d, const struct viewer *v, const json_t *body, time_ns now, struct desk_reply *r);

#endif
