/* vulnerabilities.h - what surveys found and owners reported: each vulnerability once, with everything that was seen and said of it.
 *
 * Owns      the tables vuln_* and intel_* of desk.db (vulnerabilities/schema.c); content/policy/vulnerability_keys.yaml.
 * Promises  1. A vulnerability of an object is its key: place (host and port, or package, and path) and weakness (CVE, else the tool's check by the
 *              table of equivalents, else the title). The key is shown, and rules on keys (merge, split, same host, same check) change it and can
 *              be ended again; they hold for what is imported later.
 *           2. The state of the room is a function of the SET of result files and of what people did, never of the order of imports: importing a
 *              file twice, or two files the other way round, gives the same state.
 *           3. A file that is broken leaves nothing. A kill leaves a result that goes on or begins again; no transaction holds the lock for long.
 *           4. Nothing becomes fixed without a row of coverage that proves that the check ran there and found nothing.
 *           5. first_detected_at is the earliest moment at which anybody saw it, and stays over fixing and reappearing.
 *           6. What was found outside the survey's scope is kept apart and counted, never attached.
 *           7. An owner sees a vulnerability from the sending of results on, and those that they reported themselves (requirements 1.2): each as sent results
 *              and their own words tell it, state, severity and place in lists. What waits for its letter moves nothing of it.
 * Threads   as struct desk. vulns_turn works in transactions of its own.
 * Units     time_ns; ports -1 none; scores 0 to 10, below 0 none.
 * Source    paragraphs 10(2), 13, 23, Annexes 5 and 6; requirements 4.4, 4.8, 6.5, 6.6, 7.4, Q-15 to; docs/vulnerabilities.md. */
#ifndef SAQSHY_DESK_VULNERABILITIES_H
#define SAQSHY_DESK_VULNERABILITIES_H

#include "desk/desk.h"
#include "scan/scan.h"

#define VULN_SCOPE_MAX   4096          /* hosts, addresses and networks of one survey */
#define VULN_RESULTS_MAX 1000          /* files of one survey */
#define VULN_MAPPING_MAX (16u * KIB)

struct call;

/* --- for "surveys": a survey as this room knows it --- */

/* Written whole by vulns_survey_put whenever something of it changes; what is 0 has not happened. */
struct vuln_survey {
    int64_t    id;
    struct str object_id, number;   /* number: as people call it, shown beside what was seen */
    struct str mode;                /* pentest_auto, update_config, source_code, pentest_manual */
    bool       control;
    int64_t    main_id;             /* of a control survey: the survey that it checks */
    time_ns    begun_at, completed_at;
    time_ns    sent_at;             /* results and recommendations given to the owner (7.4 row 3) */
    time_ns    received_at, measures_due_at;   /* receipt by the owner; when D-13 falls due */
    time_ns    measures_at;         /* information on measures received (7.4 row 6) */
    bool       cancelled;
    /* What belongs to the survey: host names, addresses and networks ("10.0.0.0/24"). scope_count 0: the hosts and components that the registry has of
     * the object (hosts, Annex 1 item 12, the newest passport). Findings without a host (source code, images) always belong to it. */
    const struct str *scope;
    size_t     scope_count;
};

/* vulns_survey_put - in the transaction of the act. Cheap: what follows from it for the vulnerabilities is made by vulns_turn; vulns_settle makes it at
 * once. A survey must be put before its first result. */
MUST_USE int vulns_survey_put(struct call *c, const struct vuln_survey *s);
/* vulns_scope_take - a host that was found outside belongs to the survey after all: by whom and why is recorded. Findings move in by the next turn.
 * -EPROTO once the letter with the results went out. */
MUST_USE int vulns_scope_take(struct call *c, int64_t survey, struct str host, struct str reason);

/* vulns_result_add - a file of results for a survey, kept as a blob (blob.h), to be read by vulns_turn: waiting -> reading -> applying -> applied, or
 * refused with its reason and place. In the transaction of the act. mapping (may be NULL): {tool, sheet, columns: {heading: field}} for tables.
 * The same bytes again: 1, *id is the row that is there already (a refused one is read again). */
MUST_USE int vulns_result_add(struct call *c, int64_t survey, const char *sha256, struct str name, struct str format, const json_t *mapping, int64_t *id);
/* vulns_result_withdraw - what the file brought goes away (the wrong file); the row stays with the reason. */
MUST_USE int vulns_result_withdraw(struct call *c, int64_t result, struct str reason);
/* vulns_results_json - files of a survey, newest first: [{id, name, sha256, format, tool, version, state, error, line, done, total, findings,
 * sightings, outside, covers, started_at, ended_at, added_at, added_by, applied_at}]. */
MUST_USE int vulns_results_json(struct call *c, int64_t survey, json_t **out);
/* vulns_busy - 1: results of the survey are still being read or applied, or its vulnerabilities are being counted anew. */
MUST_USE int vulns_busy(struct call *c, int64_t survey);

/* vulns_turn - the room's work in the background: one piece of reading, applying, recounting. Above 0: there may be more. Outside of any transaction;
 * runs in a lane of its own (worker.c). vulns_settle - turns until nothing is left of a survey (0: of all). For tests and for `saqshy`. */
MUST_USE int vulns_turn(struct desk *d, time_ns now, struct err *e);
MUST_USE int vulns_settle(struct desk *d, int64_t survey, time_ns now, struct err *e);

/* vulns_cover_declare - a surveyor says that a check (empty: everything) ran at a place although no file shows it: reason and evidence are kept, and the
 * row counts as coverage. host "": everywhere in the scope; port -1: whatever ports. -EPROTO once the letter with the results went out. */
struct vuln_declared { struct str tool, check, host, path, reason, sha256 /* of evidence; may be {NULL,0} */; int32_t port, port_to; };
MUST_USE int vulns_cover_declare(struct call *c, int64_t survey, const struct vuln_declared *w, int64_t *id);
/* vulns_cover_asked, vulns_take_asked - the same, and that a host found outside the scope belongs to it, as a body asks; who may is for the caller to say. */
MUST_USE int vulns_cover_asked(struct call *c, int64_t survey, const json_t *body);
MUST_USE int vulns_take_asked(struct call *c, int64_t survey, const json_t *body);

/* vulns_compare - a control survey against what was open of its mode before it:
 *     {survey, main, ready, counts: {fixed, not_fixed, new, reopened, not_covered, claimed}, items: [{vulnerability, verdict, reason, proof}], next}
 * verdict: one of the counts, empty: all. ready false: results are still being counted. reason of not_covered: host_not_seen, port_not_seen,
 * check_not_run, checks_not_named, tool_absent, path_not_seen. proof of fixed: the row of coverage. */
MUST_USE int vulns_compare(struct call *c, int64_t survey, struct str verdict, int limit, struct str before, json_t **out);
/* vulns_counts - of a survey: {total, critical, high, medium, low, info, unknown, kev, outside, new, reappeared}. */
MUST_USE int vulns_counts(struct call *c, int64_t survey, bool told, json_t **out);

/* vulns_told - the letter with the results of the survey goes out in this transaction, vulns_survey_put with sent_at was before it: from now on its owner sees
 * them, and the letter says what they see. told (below): as the owner knows it, whoever asks. */
MUST_USE int vulns_told(struct call *c, int64_t survey);

/* Rows for letters and tables: the worst first (known exploited, severity, EPSS, age). Texts are of the call's arena. What is informational alone is
 * left out unless info is set. */
struct vuln_row {
    int64_t    id;
    struct str number, title, severity, cve /* "CVE-…, CVE-…" */, host, place /* "10.0.0.5:443/tcp, /login" */, component, fixed_version, cvss_vector;
    struct str description, solution, tool, check, state, kind /* vulnerable, or the verdict of a control survey */;
    double     cvss, epss;
    bool       kev;
    int32_t    port;
    time_ns    first_detected_at;
};
/* vulns_of_survey - at most `most` rows behind *cursor (0 at the beginning; 0 afterwards: there are no more). */
MUST_USE int vulns_of_survey(struct call *c, int64_t survey, bool info, int64_t *cursor, struct vuln_row *out, size_t most, size_t *count);
/* vulns_ids_of_survey - all of them in that order, at most `most`: for who reads a survey to its end. *ids is the caller's to free. vulns_rows - rows of
 * some of these. */
MUST_USE int vulns_ids_of_survey(struct call *c, int64_t survey, bool told, bool info, size_t most, int64_t **ids, size_t *count);
MUST_USE int vulns_rows(struct call *c, int64_t survey, bool told, const int64_t *ids, size_t count, struct vuln_row *out);

/* vulns_measure - what the owner's information on measures says of one vulnerability; vulns_survey_put with measures_at says that it has arrived.
 * The answer is kept as a value: the page says it in the language of its reader. -ENOENT if the survey did not see it or the viewer may not. */
struct vuln_said {
    struct str answer /* fixed, until, claim, comment */, on /* a date, or empty */, comment;
    time_ns    done_at /* of fixed; 0: not done yet */;
};
MUST_USE int vulns_measure(struct call *c, int64_t survey, int64_t vuln, const struct vuln_said *said);

/* --- for "integrity": facts of agents --- */

/* vulns_feed_begin/_finding/_cover/_end - results that come from no file (what an agent measured): a result row with this name and SHA-256 of what
 * was fed, idempotent by it. In the caller's transaction; at most VULN_FEED_MAX findings. 1 from begin: it is there already, feed nothing. */
#define VULN_FEED_MAX 20000
MUST_USE int vulns_feed_begin(struct call *c, int64_t survey, const char *sha256, struct str name, struct str tool, int64_t *result);
MUST_USE int vulns_feed_finding(struct call *c, int64_t result, const struct scan_finding *f);
MUST_USE int vulns_feed_cover(struct call *c, int64_t result, const struct scan_cover *w);
MUST_USE int vulns_feed_end(struct call *c, int64_t result, const struct scan_report *report);

#endif
