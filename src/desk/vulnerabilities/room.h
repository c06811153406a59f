/* room.h - the family of the room: keys, the life of one vulnerability, what a result file is read into, recounting.
 *
 * Owns      what each struct says.
 * Promises  see vulnerabilities.h. Everything in vuln and vuln_verdict can be counted again from the other tables.
 * Threads   as struct desk.
 * Source    requirements 7.4. */
#ifndef SAQSHY_DESK_VULNERABILITIES_ROOM_H
#define SAQSHY_DESK_VULNERABILITIES_ROOM_H

#include "desk/duties/duties.h"
#include "desk/notices/notices.h"
#include "desk/vulnerabilities/vulnerabilities.h"

#define VULN_HOST_MAX      255
#define VULN_COMPONENT_MAX 200
#define VULN_PATH_MAX      400       /* a longer one ends in its hash */
#define VULN_WEAKNESS_MAX  300
#define VULN_KEY_MAX       2048
#define VULN_EVIDENCE_MAX  2000
#define VULN_LONG_MAX      4000      /* description, solution: bytes that are kept */
#define VULN_CHAIN_MAX     16        /* merges of merges */
#define VULN_SURVEYS_MAX   512       /* of one object that count: dozens a year */
#define VULN_ACTS_MAX      256       /* of one vulnerability that count; twice as many where one was merged into it */
#define VULN_FREE_MIN_MIB  48        /* of the disk: with less, files of results wait, so that letters, cases and terms have what is left */
#define VULN_ACTS_KEPT     56        /* of these, for what follows of the others */

/* Severities as they are kept: the order of the queue. "unknown" stands above what is only informational. */
enum { SEV_INFO, SEV_UNKNOWN, SEV_LOW, SEV_MEDIUM, SEV_HIGH, SEV_CRITICAL, SEV_COUNT };
extern const char *const severity_values[];       /* ended by NULL */
int severity_rank(enum scan_severity s, double cvss);
int severity_parse(struct str name);              /* -1: none */

/* vuln.rank. Severities of one class of "known exploited" lie together, so lists ask for ranges. */
#define RANK_KEV_SHIFT 44
#define RANK_SEV_SHIFT 40
#define RANK_EPSS_SHIFT 28
int64_t rank_of(bool kev, int severity, double epss, time_ns first);

/* --- keys.c --- */

/* Where and what, normalised; texts of the caller's or the arena. */
struct vuln_parts {
    struct str host, protocol, component, path, weakness;
    int32_t    port;           /* -1: none */
    bool       is_cve;
};
/* parts_of - of a finding, without its weakness. Texts in a. */
void parts_of(const struct scan_finding *f, struct arena *a, struct vuln_parts *out);
/* weakness_of - "check:nessus/10881", or "title:…" without a check; for findings without a CVE. */
struct str weakness_of(const struct scan_finding *f, struct arena *a);
/* cve_clean - "CVE-2021-44228" in capitals if s is one. */
bool cve_clean(struct str s, struct arena *a, struct str *out);
/* host_clean - a name or an address as keys have it. */
struct str host_clean(struct str s, struct arena *a);
/* host_short - the first label of a full name ("web01" of "web01.example.kz"); false: an address, or a name without a domain. */
bool host_short(struct str host, struct str *out);
struct str key_text(const struct vuln_parts *p, struct arena *a);
/* key_find - the row of a raw key, made if there is none. */
MUST_USE int key_find(struct call *c, struct str object, const struct vuln_parts *p, struct str text, int64_t *id);
/* key_final - the key of the vulnerability to which a raw key belongs now, by all rules; *parts become those of the final one. parted: what a split
 * put behind its text, empty if nothing. */
MUST_USE int key_final(struct call *c, struct str object, struct vuln_parts *parts, struct str parted, bool ruled, struct str *text);
/* rules_any - is there a living rule that may change a key of this object? Without one, many keys are resolved without asking for each. */
MUST_USE int rules_any(struct call *c, struct str object, bool *any);
/* key_resolve - that vulnerability, made if there is none; vuln_key.vuln_id is set. ruled: what rules_any said; true if it was not asked. */
MUST_USE int key_resolve(struct call *c, int64_t key, bool ruled, int64_t *vuln);
/* weakness_same - the equivalent of "check:…" by the desk's rules, then by content/policy/vulnerability_keys.yaml; itself if there is none. */
MUST_USE int weakness_same(struct call *c, struct str weakness, bool ruled, struct str *out);

/* --- policy.c --- */
struct vuln_policy;
MUST_USE int vuln_policy_load(const char *content, struct vuln_policy **out, struct err *e);
void vuln_policy_free(struct vuln_policy **p);
/* vuln_policy_same - "weakness:ID" of a check, {NULL,0}: none. vuln_policy_json - the table, for the page. */
struct str vuln_policy_same(const struct vuln_policy *p, struct str check);
/* vuln_policy_checks - the checks of a weakness, as JSON text. */
struct str vuln_policy_checks(const struct vuln_policy *p, struct str weakness, struct arena *a);
/* vuln_policy_told - does a configuration decide what this tool looks for? Its report must name the checks that ran. */
bool vuln_policy_told(const struct vuln_policy *p, struct str tool);
json_t *vuln_policy_json(const struct vuln_policy *p);

/* --- life.c: the machine of 7.4, from what happened to where it stands. Pure. --- */

enum vuln_state {
    VULN_NONE, VULN_FOUND_BY_SURVEY, VULN_FOUND_BY_OWNER, VULN_SENT, VULN_REPORTED, VULN_MEASURES, VULN_CLAIM_NECESSITY, VULN_CLAIM_ZERO_DAY,
    VULN_CLAIM_FALSE, VULN_CLAIM_RETURNED, VULN_CLAIM_EXPIRED, VULN_UNDER_CONTROL, VULN_FIXED, VULN_PERSISTING, VULN_REAPPEARED, VULN_CLOSED,
    VULN_STATE_COUNT
};
extern const char *const vuln_state_values[];     /* of the above, ended by NULL; [0] is "none" */
enum vuln_state vuln_state_parse(struct str s);   /* VULN_NONE: unknown */
bool vuln_state_open(enum vuln_state s);

enum life_kind {   /* in the order in which they count at the same moment */
    LIFE_OWNER_FOUND, LIFE_OWNER_REPORTED, LIFE_SEEN, LIFE_CONTROL_BEGUN, LIFE_CONTROL_ENDED, LIFE_SENT, LIFE_MEASURES, LIFE_CLAIM, LIFE_CLAIM_RETURNED,
    LIFE_CLAIM_WITHDRAWN, LIFE_CLAIM_EXPIRED, LIFE_CLAIM_ACCEPTED, LIFE_CLOSED
};
/* What a completed survey says of the place of a vulnerability that it did not see. */
enum life_cover { COVER_UNKNOWN, COVER_PROVED, COVER_NOT };
struct life_event {
    enum life_kind  kind;
    time_ns         at;
    int64_t         id;         /* of the survey or of the act: the order at the same moment and kind */
    bool            seen;       /* LIFE_CONTROL_ENDED */
    bool            related;    /* LIFE_CONTROL_…: the survey checks what surveys of this mode had found, and this is of it */
    enum life_cover cover;
    enum vuln_state claim;      /* LIFE_CLAIM: the state that it leads to */
};
struct life_verdict {
    int64_t     survey;
    const char *verdict;        /* a literal */
};
struct life {
    enum vuln_state state;
    time_ns         since;
    bool            owner;      /* the owner found it first */
    struct life_verdict verdicts[VULN_SURVEYS_MAX];
    size_t          verdict_count;
};
/* life_of - events in any order; they are sorted in place. */
void life_of(struct life_event *events, size_t count, struct life *out);
/* life_allows - may this act be done in this state? (claim, report, measure, return …) */
bool life_allows(enum vuln_state s, enum life_kind act);

/* --- scope.c --- */
struct vuln_scope;   /* names, addresses and networks of a survey, sorted for asking */
MUST_USE int vuln_scope_load(struct call *c, int64_t survey, struct str object, struct vuln_scope **out);
bool vuln_scope_holds(const struct vuln_scope *s, struct str host, struct str name);
void vuln_scope_free(struct vuln_scope **s);
/* vuln_letter_out - the letter with the results of the survey has gone out: refused, with its number. What it said and what the room counts never differ. */
MUST_USE int vuln_letter_out(struct call *c, int64_t survey);
/* pending_add - recount an object in the background; rekey: its keys too. */
MUST_USE int pending_add(struct call *c, struct str object, bool rekey);

/* --- feed.c: what a file says, into rows that count only when the result is applied --- */
struct vuln_feed;
MUST_USE int vuln_feed_open(struct call *c, int64_t result, struct vuln_feed **out);
MUST_USE int vuln_feed_put(struct vuln_feed *f, const struct scan_finding *s);
MUST_USE int vuln_feed_cover(struct vuln_feed *f, const struct scan_cover *w);
/* vuln_feed_close - the counts and the report into the row of the result; report may be NULL. */
MUST_USE int vuln_feed_close(struct vuln_feed *f, const struct scan_report *report);
void vuln_feed_call(struct vuln_feed *f, struct call *c);   /* the call that feeds now */
int64_t vuln_feed_result(const struct vuln_feed *f);
void vuln_feed_free(struct vuln_feed **f);
MUST_USE int vuln_feed_clear(struct call *c, int64_t result, int64_t most);   /* takes away at most so many rows; returns how many */

/* --- result.c --- */
/* space_left - of the disk with the desk's tables, in MiB; a disk that does not tell has enough. */
int64_t space_left(const struct call *c);

/* --- count.c, owner.c --- */
/* Who looks: the centre at everything, a bounded viewer at what results were sent of and what they reported themselves (tally.h). */
enum vuln_side { SIDE_CENTRE, SIDE_OWNER, SIDE_COUNT };
enum vuln_side side_of(const struct viewer *v);
/* OWNER_KEY - may an owner know this raw key? Sent results saw it, or they reported it themselves. k: alias of vuln_key. */
#define OWNER_KEY(k)                                                                                                                                  \
    "(EXISTS (SELECT 1 FROM vuln_sighting os CROSS JOIN vuln_result orr ON orr.id = os.result_id CROSS JOIN vuln_survey oy ON oy.id = orr.survey_id WHERE os.key_id = " k ".id" \
    " AND os.outside = 0 AND orr.state IN ('applying','applied') AND oy.sent_at IS NOT NULL AND oy.cancelled = 0) OR EXISTS (SELECT 1 FROM vuln_act oa WHERE"      \
    " oa.key_id = " k ".id))"
/* A count for many vulnerabilities of one object: its surveys are read once. */
struct vuln_tally;
MUST_USE int vuln_tally_open(struct call *c, struct str object, struct vuln_tally **out);
void vuln_tally_free(struct vuln_tally **t);
MUST_USE int vuln_recount(struct vuln_tally *t, int64_t vuln);
/* vuln_recount_one - the same for one, after an act. */
MUST_USE int vuln_recount_one(struct call *c, int64_t vuln);

/* --- cover.c --- */
struct cover_answer {
    bool        proved;
    int64_t     row;       /* of vuln_cover */
    const char *reason;    /* of not proved: a literal */
};
/* What is the same for all vulnerabilities of one survey: where nothing of a kind is there, nobody is asked for it once more for each of them. */
struct cover_facts { bool declared, outside, hosts, checks; };
MUST_USE int cover_facts_of(struct call *c, int64_t survey, struct cover_facts *out);
/* cover_of - did a check that could have seen this vulnerability run at its place in the survey? */
MUST_USE int cover_of(struct call *c, int64_t vuln, int64_t survey, enum vuln_side side, const struct cover_facts *f, struct cover_answer *out);
MUST_USE int cover_json(struct call *c, int64_t row, json_t **out);

/* --- list.c --- */
/* vuln_summary_json - a row of a list: the columns that list.c and compare.c read, in their order. */
json_t *vuln_summary_json(struct call *c, sqlite3_stmt *st);
/* vuln_list_sql - the statements of lists one by one, for the test of their plans; NULL behind the last. */
const char *vuln_list_sql(size_t way, enum vuln_side side);

/* --- one.c, act.c --- */
struct vuln_head {
    int64_t         id;
    struct str      object_id, object_name, org_id, org_name, possessor_id, key, title, state_name;
    enum vuln_state state;
    bool            sent, own, live, is_ego;
    time_ns         first_detected_at;
    char            id_text[24], number[24];
};
/* vuln_load - if the viewer may see it (1.2), else -ENOENT. */
MUST_USE int vuln_load(struct call *c, int64_t id, struct vuln_head *out);
/* vuln_load_as - as one side knows it: letters to an owner say what the owner knows, whoever writes them. */
MUST_USE int vuln_load_as(struct call *c, int64_t id, enum vuln_side side, struct vuln_head *out);
struct subject vuln_subject(const struct vuln_head *h);
json_t *vuln_actions_json(struct call *c, const struct vuln_head *h);
struct vuln_act_new {
    const char *kind, *category;
    time_ns     at, until;
    int64_t     survey, notice, request;
    int64_t     key, text;   /* of what an owner found: the raw key that they named, their words */
    const json_t *json;    /* borrowed; NULL: {} */
};
MUST_USE int vuln_act_add(struct call *c, int64_t vuln, const struct vuln_act_new *a, int64_t *id);
/* vuln_own_report - Annex 5 to the centre: of one that the owner found, or of all of the object that were not sent yet; D-14 is kept. */
MUST_USE int vuln_own_report(struct call *c, const struct vuln_head *h, bool all, int64_t *notice);
int vuln_wrong(struct call *c, const char *field, const char *why);   /* -EINVAL */

/* --- intel.c --- */
MUST_USE int intel_turn(struct call *c);      /* a piece of loading or recounting; above 0: there may be more */
struct intel { bool kev; double epss; };
MUST_USE int intel_of(struct call *c, struct str cve, struct intel *out);

#endif
