/* desk.h - the registry, the people, the cases with their statutory clocks, the notices and the audit trail.
 *
 * Owns      DATA/desk/desk.db (SQLite, WAL), DATA/documents/SHA256.{pdf,json}, DATA/run/objects.tsv. A struct desk owns its
 *           connection; node, world and catalogue are borrowed and must outlive it.
 * Promises  1. Every read and every act is authorised here, by role and organisation: what a viewer may not see is -ENOENT.
 *           2. An act is one transaction: state, clocks, timeline, documents, notices and audit row, or none of them.
 *           3. A finding changes a case exactly once: the cursor moves in the transaction of the case. One that cannot be written is
 *              kept, counted and tried again, and holds up nothing behind it.
 *           4. Reminders, overdue marks and letters are made from rows that say "not yet": an outage delays, never drops.
 *           5. The audit trail is only added to; each row carries the SHA-256 of itself and the row before.
 *           6. Deadlines come from duty alone. An act at the due instant is in time; one nanosecond later is overdue.
 *           7. Answers are JSON of the schemas of docs/openapi.yaml, nothing more, nothing less.
 *           8. An owner's officer sees a case of their organisation from the notice on (requirements 1.2), not before.
 * Threads   a struct desk is used by one thread at a time; open one for each thread (WAL: readers do not wait for the writer).
 *           Calls block: SQLite syncs, Argon2 takes some 30 ms, a PDF some 100 ms; an event loop hands them to a thread.
 * Units     time_ns; "now" is always an argument.
 * Source    requirements 4.3, 4.7, 5, 6.2, 6.7, 7.1; docs/cases.md. */
#ifndef SAQSHY_DESK_DESK_H
#define SAQSHY_DESK_DESK_H

#include <jansson.h>

#include "base/node.h"
#include "duty/duty.h"

#define DESK_FIELD_MAX    128
#define DESK_TOKEN_TEXT   65            /* 64 hexadecimal digits and NUL */
#define DESK_LIMIT_MAX    1000          /* rows of one answer */
#define DESK_TEXT_MAX     8000          /* letters of a note */
#define DESK_DOCUMENT_MAX (16u * MIB)

struct desk;

/* What changed, for the live pages: called after the commit, in the thread that did the work. type is "case", "clock", "inbox",
 * "source", "request" or "survey" (as in schema Change). Must not call back into the desk and must not block. */
typedef void desk_changed(void *arg, const char *type, const char *id);

struct desk_setup {
    const struct node       *node;     /* data, content, public_url, smtp_…, findings_group_hours, edition */
    const struct duty_world *world;
    const struct catalog    *catalog;
    desk_changed            *changed;  /* may be NULL */
    void                    *changed_arg;
};

/* The answer to one call. Zero it before ({0}); desk_reply_free after. */
struct desk_reply {
    json_t     *json;                   /* owned; NULL when there is nothing to tell (204) */
    const char *code;                   /* of a refusal: Error.code, a literal; NULL on success */
    char        field[DESK_FIELD_MAX];  /* the wrong property, dotted; empty if none */
    int64_t     retry_after_s;          /* with locked_out */
    json_t     *problems;               /* owned; more than one wrong property: [{field, code, detail}], or NULL */
    struct err  err;                    /* for the log; people read the catalogue's text error.CODE */
};
void desk_reply_free(struct desk_reply *r);

/* What calls return, and what it means to HTTP:
 *     0         200/201/204
 *     -EINVAL   400 bad_request or weak_password, field
 *     -EPERM    bad_credentials: 401 of sign-in, 403 of a password change
 *     -ENOKEY   401 unauthenticated
 *     -EACCES   403 forbidden
 *     -ENOENT   404 not_found
 *     -EPROTO   409 wrong_state
 *     -EEXIST   409 conflict
 *     -EAGAIN   429 locked_out, retry_after_s
 *     -EBUSY    503 unavailable
 *     else      500 internal
 * desk_status gives that number (for 0: 200). */
int desk_status(int rc);

enum desk_role {
    DESK_ADMINISTRATOR, DESK_CENTRE_ANALYST, DESK_CENTRE_LEAD, DESK_SURVEYOR, DESK_DOCUMENT_AUDITOR, DESK_OWNER_OFFICER, DESK_OWNER_ADMINISTRATOR,
    DESK_OCIB_ANALYST, DESK_CII_RESPONSIBLE, DESK_KNB, DESK_AUTHORISED_BODY, DESK_AUDITOR, DESK_ROLE_COUNT
};
const char *desk_role_name(enum desk_role r);
enum desk_role desk_role_parse(struct str s);   /* DESK_ROLE_COUNT if it is none */

/* Who asks. Filled by desk_sign_in and desk_session; lang may be replaced by the one of Accept-Language. */
struct viewer {
    int64_t        user_id, session_id;
    enum desk_role role;
    enum lang      lang;
    char           login[129];
    char           name[801];
    char           org_id[65];              /* empty: none */
    char           address[64];             /* of the peer, for the audit trail */
    char           csrf[DESK_TOKEN_TEXT];   /* what X-CSRF-Token must be; compare with desk_csrf_ok */
};

/* desk_open - open DATA/desk/desk.db, made and migrated as needed. -EBUSY if the file is locked for long. */
MUST_USE int desk_open(const struct desk_setup *setup, struct desk **out, struct err *e);
void desk_close(struct desk **d);

/* desk_init - fill an empty desk: the administrator with a random password and, with demo, content/demo/demo.yaml.
 * *accounts is an array of {login,password,name,role,org}, to be printed once and kept nowhere (empty if the desk had
 * an administrator before). The caller owns it. */
MUST_USE int desk_init(struct desk *d, bool demo, time_ns now, json_t **accounts, struct err *e);
/* desk_password_reset - a new random password for a login, its sessions ended (saqshy admin). */
MUST_USE int desk_password_reset(struct desk *d, struct str login, time_ns now, char password[33], struct err *e);

/* --- sessions --- */

/* desk_sign_in - json is schema Session; token goes into the cookie saqshy_session. After DESK_FAILURES_LOGIN wrong passwords for a
 * login (known or not) or DESK_FAILURES_ADDRESS from an address -EAGAIN for a time that doubles with each further failure. */
#define DESK_FAILURES_LOGIN   5
#define DESK_FAILURES_ADDRESS 20
#define DESK_LOCK_FIRST_NS    (30 * NS_PER_SECOND)
#define DESK_LOCK_MOST_NS     (15 * NS_PER_MINUTE)
#define DESK_SESSION_IDLE_NS  (60 * NS_PER_MINUTE)
#define DESK_SESSION_MOST_NS  (12 * NS_PER_HOUR)
MUST_USE int desk_sign_in(struct desk *d, struct str login, struct str password, struct str address, time_ns now,
                          char token[DESK_TOKEN_TEXT], struct viewer *v, struct desk_reply *r);
/* desk_session - who holds this token; moves the idle limit. r->json is schema Session. -ENOKEY if nobody. */
MUST_USE int desk_session(struct desk *d, struct str token, struct str address, time_ns now, struct viewer *v,
                          struct desk_reply *r);
bool desk_csrf_ok(const struct viewer *v, struct str header);
MUST_USE int desk_sign_out(struct desk *d, const struct viewer *v, time_ns now, struct desk_reply *r);
MUST_USE int desk_password_change(struct desk *d, const struct viewer *v, const json_t *body, time_ns now, struct desk_reply *r);
MUST_USE int desk_language_set(struct desk *d, const struct viewer *v, const json_t *body, time_ns now, struct desk_reply *r);

/* --- reads; r->json is the body of the answer of the operation named in the comment --- */

struct desk_cases_query {
    struct str state;       /* empty: all */
    int        open;        /* 1 all but closed, 0 closed only, -1 both */
    struct str object, q, machine, kind, level, type, org, indicator;
    bool       overdue, mine;
    int        limit;       /* 0: 100 */
    struct str before;      /* cursor */
};
MUST_USE int desk_clocks(struct desk *d, const struct viewer *v, int limit, struct str before, time_ns now, struct desk_reply *r); /* listClocks */
MUST_USE int desk_cases(struct desk *d, const struct viewer *v, const struct desk_cases_query *q, time_ns now,
                        struct desk_reply *r);                                                                /* listCases */
MUST_USE int desk_case(struct desk *d, const struct viewer *v, struct str id, time_ns now, struct desk_reply *r);  /* getCase */
MUST_USE int desk_inbox(struct desk *d, const struct viewer *v, int limit, struct str before, struct desk_reply *r); /* listInbox */
MUST_USE int desk_inbox_read(struct desk *d, const struct viewer *v, struct str id, time_ns now, struct desk_reply *r); /* markRead */
/* last_event_at of an object is null here: the desk does not read events; the portal puts it in. */
MUST_USE int desk_objects(struct desk *d, const struct viewer *v, int limit, struct str before, struct desk_reply *r);                      /* listObjects */
MUST_USE int desk_object(struct desk *d, const struct viewer *v, struct str id, time_ns now, struct desk_reply *r); /* getObject; shows people: audited */
MUST_USE int desk_organisations(struct desk *d, const struct viewer *v, struct desk_reply *r);                /* listOrganisations */
MUST_USE int desk_users(struct desk *d, const struct viewer *v, time_ns now, struct desk_reply *r);           /* listUsers */
MUST_USE int desk_rules(struct desk *d, const struct viewer *v, struct desk_reply *r);                        /* listRules */
MUST_USE int desk_audit(struct desk *d, const struct viewer *v, struct str q, int limit, struct str before,
                        struct desk_reply *r);                                                                /* listAudit */
/* Of any loaded edition; an empty id: the configured one. */
MUST_USE int desk_editions(struct desk *d, struct desk_reply *r);                                             /* listEditions */
MUST_USE int desk_edition(struct desk *d, struct str id, struct desk_reply *r);                               /* getEdition */
MUST_USE int desk_due(struct desk *d, enum lang lang, struct str obligation, struct str from, struct desk_reply *r); /* computeDue */
/* desk_document - the bytes of a document of a case that v may see. json: the structured form instead of the PDF. */
/* desk_case_preview - the PDF of annex7 or annex2 as filled in so far, marked as a draft; nothing is kept (previewCaseForm). */
MUST_USE int desk_case_preview(struct desk *d, const struct viewer *v, struct str case_id, struct str form, const json_t *body, time_ns now,
                               struct buf *out, struct desk_reply *r);
/* desk_case_indicators - the indicators of a case that are not one's own, as a bundle of STIX 2.1 or an event of MISP, under the label of the case; a row of the trail (exportCaseIndicators). */
MUST_USE int desk_case_indicators(struct desk *d, const struct viewer *v, struct str case_id, bool misp, time_ns now, struct buf *out, struct desk_reply *r);
MUST_USE int desk_document(struct desk *d, const struct viewer *v, struct str sha256, bool json, time_ns now, struct buf *out,
                           struct desk_reply *r);
/* desk_object_names - {id: name} of the objects that v reaches. The caller owns it. */
MUST_USE int desk_object_names(struct desk *d, const struct viewer *v, json_t **names, struct err *e);
/* desk_visible_objects - ids of the objects whose events v may read, an array of strings; JSON null: all, unassigned too. */
MUST_USE int desk_visible_objects(struct desk *d, const struct viewer *v, json_t **ids, struct err *e);

/* desk_policy_wrong - why the i-th of the site's files that the desk reads (DATA/policy: auto_notify.yaml; the people of detection.yaml) is left out, as it is now:
 * what was good before, or ours, counts. Borrowed until the next call; "": it counts; NULL past the last. */
const char *desk_policy_wrong(struct desk *d, size_t i);

/* desk_knows - may v know of this change (of desk_changed)? Two or three index lookups; "source" is for all who may see its object. */
MUST_USE int desk_knows(struct desk *d, const struct viewer *v, struct str type, struct str id, bool *yes, struct err *e);

/* What stands in the metrics of the desk. */
struct desk_counts {
    int64_t open_cases, running_clocks, overdue_clocks, letters_queued, letters_failed, findings_taken, sessions;
    int64_t rows_waiting, findings_waiting;   /* could not be written, are tried again (duties/setback.h) */
    int64_t link_waiting, link_oldest_s, link_refused, link_unapplied, link_held;   /* of all nodes; each node's stand in its page */
    int64_t policies_wrong;                   /* files of DATA/policy that the desk leaves out (desk_policy_wrong) */
    int64_t files_swept;                      /* of refused acts, taken away (sweep.c) */
};
MUST_USE int desk_count(struct desk *d, time_ns now, struct desk_counts *out, struct err *e);

/* --- acts; body is the parsed JSON of the request, borrowed (NULL: empty) --- */

MUST_USE int desk_case_create(struct desk *d, const struct viewer *v, const json_t *body, time_ns now, struct desk_reply *r);  /* createCase */
/* Who may be named for TLP:RED; what the policy recommends first, by type of incident. */
MUST_USE int desk_case_people(struct desk *d, const struct viewer *v, struct str case_id, time_ns now, struct desk_reply *r);  /* listCasePeople */
MUST_USE int desk_recommendations(struct desk *d, const struct viewer *v, struct desk_reply *r);                       /* listRecommendations */

MUST_USE int desk_act(struct desk *d, const struct viewer *v, struct str case_id, struct str action, const json_t *body,
                      time_ns now, struct desk_reply *r);                                                     /* actOnCase */
MUST_USE int desk_object_create(struct desk *d, const struct viewer *v, const json_t *body, time_ns now, struct desk_reply *r);
MUST_USE int desk_object_update(struct desk *d, const struct viewer *v, struct str id, const json_t *body, time_ns now,
                                struct desk_reply *r);
MUST_USE int desk_organisation_create(struct desk *d, const struct viewer *v, const json_t *body, time_ns now,
                                      struct desk_reply *r);
MUST_USE int desk_organisation_update(struct desk *d, const struct viewer *v, struct str id, const json_t *body, time_ns now,
                                      struct desk_reply *r);
MUST_USE int desk_user_create(struct desk *d, const struct viewer *v, const json_t *body, time_ns now, struct desk_reply *r);
MUST_USE int desk_user_update(struct desk *d, const struct viewer *v, struct str id, const json_t *body, time_ns now,
                              struct desk_reply *r);
MUST_USE int desk_rule_policy(struct desk *d, const struct viewer *v, struct str rule_id, const json_t *body, time_ns now,
                              struct desk_reply *r);                                                          /* setRulePolicy */
/* desk_audit_note - one more row in the audit trail for what the portal itself decides (an export, a refused request). */
MUST_USE int desk_audit_note(struct desk *d, const struct viewer *v, const char *action, const char *target, const char *detail,
                             const char *outcome, time_ns now, struct err *e);

/* --- work in the background --- */

/* desk_take_findings - read DATA/findings from the stored cursor; open or join cases. At most DESK_FINDINGS_TURN findings a call.
 * Returns how many were taken (0: nothing new). A damaged frame is skipped, audited and counted. */
#define DESK_FINDINGS_TURN 1000
MUST_USE int desk_take_findings(struct desk *d, time_ns now, struct err *e);
/* desk_tick - notices that policy sends, reminders, overdue marks, the KNB task when D-06 has passed, old sessions.
 * *next (may be NULL) is the moment when the next of these falls due (INT64_MAX: none known). Returns how many were made. */
MUST_USE int desk_tick(struct desk *d, time_ns now, time_ns *next, struct err *e);
/* desk_mail_turn - send letters that are due, at most DESK_MAIL_TURN; each try is bounded by DESK_MAIL_TRY_S. What the server accepted is
 * never sent again; a refusal is tried again after a growing pause. Returns how many were tried. Own desk, own thread. */
#define DESK_MAIL_TURN  20
#define DESK_MAIL_TRY_S 60
MUST_USE int desk_mail_turn(struct desk *d, time_ns now, struct err *e);

/* desk_worker_start - these, and webhooks, and what files of results bring (vulnerabilities), for ever, in four threads with their own connections; setup is copied (what it points to is
 * borrowed). setup->changed is called from these threads. desk_worker_stop waits for the turn in work to end. */
struct desk_worker;
MUST_USE int desk_worker_start(const struct desk_setup *setup, struct desk_worker **out, struct err *e);
void desk_worker_stop(struct desk_worker **w);
/* desk_worker_poke - look now instead of at the next second (after an act that queued letters). Any thread. */
void desk_worker_poke(struct desk_worker *w);

/* desk_audit_verify - the chain of hashes from the first row. 0: it holds; 1: *broken_at is the id of the first row that does not fit. */
MUST_USE int desk_audit_verify(struct desk *d, int64_t *broken_at, struct err *e);
/* desk_objects_export - write DATA/run/objects.tsv ("host TAB object id", sorted), as every change of the registry does. */
MUST_USE int desk_objects_export(struct desk *d, struct err *e);

#endif
