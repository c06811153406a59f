/* integrity.h - what agents report of hosts: packages, settings, checksums of trees; and what differs from the passport and from before.
 *
 * Owns      the tables fact_host, fact_part, fact_state, fact_item, fact_check, fact_checked, fact_taken, integrity_change.
 * Promises  1. A snapshot counts when all its parts are here, in one transaction; one that is not whole changes nothing.
 *           2. A fact speaks for the host whose name stands in the certificate of its sender, and for the object that the registry gives that
 *              host. What a fact says of itself binds nobody.
 *           3. Facts open no case by themselves. A file of the passport's checksums (7(3)) that differs, and that nobody explained in the time of
 *              content/policy/integrity.yaml, or whose change the owner denies, becomes a case: an event (cases.h).
 *           4. What is known of a host is its present state and the history of differences. Differences of one thing that nobody has explained yet
 *              are one row with a count; one that goes away by itself is withdrawn, never deleted.
 *           5. Differences that wait are explained by the owner and accepted by the centre; each act is one transaction with its audit row.
 * Threads   as struct desk.
 * Units     time_ns.
 * Source    paragraphs 7(3), 10(2), 17 of the Rules; R-7-03, R-7-05, R-10.2-03, Q-04, Q-25; docs/integrity.md. */
#ifndef SAQSHY_DESK_INTEGRITY_H
#define SAQSHY_DESK_INTEGRITY_H

#include "desk/desk.h"

#define FACT_ITEMS_MAX    200000   /* of one snapshot: agents go no higher */
#define FACT_PARTS_MAX    4096
#define FACT_KEY_MAX      4096     /* bytes of a path */
#define FACT_VALUE_MAX    4096
#define FACT_SILENT_NS    (3 * NS_PER_DAY)   /* agents speak daily: a host that did not for so long is silent */
#define INTEGRITY_IDS_MAX 500      /* of one act */

/* --- the API; bodies and answers by docs/openapi.yaml --- */

/* desk_fact_hosts - the hosts of the registry, with what agents report of each and when last; a page. */
MUST_USE int desk_fact_hosts(struct desk *d, const struct viewer *v, int limit, struct str before, time_ns now, struct desk_reply *r);
/* desk_facts - of one object: its hosts, what is known of each, and how the passport's checksums stand. */
MUST_USE int desk_facts(struct desk *d, const struct viewer *v, struct str object, time_ns now, struct desk_reply *r);
struct desk_facts_query {
    struct str object, kind, host, q;
    int        limit;
    struct str before;
};
/* desk_fact_items - what is known of one kind on one host (host empty: the object's first that reports it). */
MUST_USE int desk_fact_items(struct desk *d, const struct viewer *v, const struct desk_facts_query *q, time_ns now, struct desk_reply *r);
/* desk_facts_file - the same as a file in the format "saqshy-facts", for a survey of mode update_config. */
MUST_USE int desk_facts_file(struct desk *d, const struct viewer *v, struct str object, struct str host, time_ns now, struct desk_reply *r);
/* desk_survey_facts - body {hosts} (absent: all of the object): what is known of them now becomes results of a survey of mode update_config, a file for each
 * host, kept like an uploaded one. r->json {items: [{host, outcome: taken|same|removed|incomplete|none, result, sha256}]}. */
MUST_USE int desk_survey_facts(struct desk *d, const struct viewer *v, struct str survey, const json_t *body, time_ns now, struct desk_reply *r);
/* desk_checksums - the passport's checksums laid beside the files; verdict empty: all. */
MUST_USE int desk_checksums(struct desk *d, const struct viewer *v, struct str object, struct str verdict, int limit, struct str before, struct desk_reply *r);
struct desk_integrity_query {
    struct str object, state, host, kind, key;   /* empty: all; state "waiting": open, denied, explained, questioned */
    int        limit;
    struct str before;
};
MUST_USE int desk_integrity_changes(struct desk *d, const struct viewer *v, const struct desk_integrity_query *q, struct desk_reply *r);
/* desk_integrity_explain - body {ids, kind: planned|not_ours, reason, upload_id}. */
MUST_USE int desk_integrity_explain(struct desk *d, const struct viewer *v, const json_t *body, time_ns now, struct desk_reply *r);
/* desk_integrity_decide - body {ids, decision: accept|question, note}. Accepted differences to the passport make its next version. */
MUST_USE int desk_integrity_decide(struct desk *d, const struct viewer *v, const json_t *body, time_ns now, struct desk_reply *r);
/* desk_integrity_document - the document of an explanation: a descriptor, owned by the caller; r->json {name, type, size_bytes}. */
MUST_USE int desk_integrity_document(struct desk *d, const struct viewer *v, struct str id, time_ns now, int *fd, struct desk_reply *r);

/* --- for other rooms --- */
struct call;
struct fact_time {
    int64_t    hosts, synchronised, unsynchronised, unreadable;   /* of the registry; by what their agents said last */
    int64_t    silent, none;                                      /* said nothing for FACT_SILENT_NS; never said anything of their clock */
    time_ns    since, as_of;                                      /* the longest out of time: from when; the oldest of the reports that are counted; 0: none */
    struct str worst;                                             /* that host; {NULL,0}: none */
};
/* integrity_time - how the clocks of an object's hosts are kept; texts are of the call's arena. */
MUST_USE int integrity_time(struct call *c, struct str object, struct fact_time *out);

/* --- for the core --- */
/* integrity_tick - take what has arrived, lay files beside passports that changed, open the cases that are due. */
MUST_USE int integrity_tick(struct call *c);
struct integrity_policy;
MUST_USE int integrity_policy_load(const char *content, struct integrity_policy **out, struct err *e);
void integrity_policy_free(struct integrity_policy **p);

#endif
