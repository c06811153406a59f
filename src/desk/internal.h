/* internal.h - what the files of desk share: the connection, rows as C, one call's context.
 *
 * Owns      see desk.h; a struct call owns its arena.
 * Promises  1. SQL is literal; values go in by binding alone.
 *           2. Between db_begin and db_end one transaction; db_end(rc < 0) rolls back and forgets the changes to tell.
 * Threads   as struct desk.
 * Source    docs/cases.md has the tables. */
#ifndef SAQSHY_DESK_INTERNAL_H
#define SAQSHY_DESK_INTERNAL_H

#include "desk/desk.h"
#include "desk/scope.h"
#include "desk/subject.h"
#include "event/event.h"
#include "forms/forms.h"
#include "journal/journal.h"

#include <dirent.h>
#include <sqlite3.h>

#define DB_STATEMENTS_MAX 256  /* prepared at once; with more, the oldest that is idle gives way */
#define DB_BUSY_MS        15000   /* longer than the largest import holds the lock: a notice waits for it and is not refused */
#define CHANGES_MAX       256
#define RULES_MAX         4096
#define FINDING_JSON_MAX  (64u * KIB)  /* a longer one is kept with its line cut */
#define FINDINGS_SHOWN    50
#define ID_MAX            64

/* --- rules.c: what the desk needs to know of a detection rule --- */
struct rule {
    struct str   id, description, level, status, incident_type;
    struct label title, recommendations;       /* a language without a text has the default one */
    struct str   tags[16];
    size_t       tag_count;
    bool         auto_notify;                   /* the default of content/policy */
};
struct rule_book {
    struct arena arena;
    struct rule *rules;                         /* sorted by id */
    size_t       count;
};
MUST_USE int rule_book_load(const char *content, struct rule_book *out, struct err *e);
void rule_book_free(struct rule_book *b);
const struct rule *rule_find(const struct rule_book *b, struct str id);

/* --- policy.c --- */
#define POLICY_PEOPLE_MAX 64
#define POLICY_ROLES_MAX  8
/* One row of "people" in content/policy/detection.yaml: whom it fits, and who. */
struct people_row {
    struct str          rule;         /* empty: any */
    size_t              from;         /* the least level it fits */
    const struct ynode *objects;      /* NULL: all */
    struct str          roles[POLICY_ROLES_MAX];
    size_t              role_count;
    bool                email, inbox; /* of tell */
};
enum policy_file { POLICY_AUTO, POLICY_PEOPLE, POLICY_FILES };   /* auto_notify.yaml; the people of detection.yaml */
struct policy {
    struct yaml *file[POLICY_FILES];  /* own the texts: ids of auto_notify, those of the rows */
    struct people_row tell[POLICY_PEOPLE_MAX], confirm[POLICY_PEOPLE_MAX];
    size_t       tell_count, confirm_count;
    struct {                          /* the site's file, as it was looked at last */
        int64_t mtime_ns, bytes;
        char    wrong[ERR_TEXT_MAX];  /* why it is left out; "": it is not */
    } site[POLICY_FILES];
    uint64_t     told;                /* of what is wrong, as it was logged last */
};
/* policy_load - both files; those of DATA/policy take their place. One of them that is wrong is left out, and why stands in site[].wrong. Fails only for ours. */
MUST_USE int policy_load(const struct node *n, struct policy *out, struct err *e);
/* policy_refresh - the same if a file of DATA/policy changed; the last good one goes on where it is wrong now. Rows that were borrowed are gone. */
MUST_USE int policy_refresh(const struct node *n, struct policy *p, struct err *e);
void policy_free(struct policy *p);
/* policy_auto_notify - object {NULL,0}: is it so for any object? */
bool policy_auto_notify(const struct policy *p, struct str rule_id, struct str object);
/* people_fit - does the row fit a case of this rule, level and object? */
bool people_fit(const struct people_row *r, struct str rule, struct str level, struct str object);
/* policy_confirm - the role without whose word nothing goes out of such a case; NULL: anybody's who may. */
const struct people_row *policy_confirm(const struct policy *p, struct str rule, struct str level, struct str object);

/* What the room of cases reads from content/policy (cases/advice.c). */
struct case_policy {
    struct label advice[16];       /* in the order of type_values */
    int64_t      recurrence_days;
    struct yaml *advice_file;      /* owns the texts */
};

struct change {
    char type[8], id[ID_MAX + 1];
};

struct desk {
    struct desk_setup setup;
    sqlite3 *db;
    struct { const char *sql; sqlite3_stmt *st; } cache[DB_STATEMENTS_MAX];
    size_t   cached, cache_hand;
    size_t   cache_hint[256];  /* by the address of a literal: where it may stand in cache */
    bool     in_tx;
    struct change changes[CHANGES_MAX];
    size_t   change_count;
    bool     cases_lost;       /* more cases changed in this transaction than changes[] holds */
    struct rule_book rules;
    struct policy    policy;
    struct duty_policy *duty_policy;   /* owned: reminders and escalation (duties) */
    unsigned         two_person;   /* bits of approvals/kinds.c: which acts need a second person */
    struct case_policy cases;
    struct integrity_policy *integrity;   /* owned */
    struct ioc_policy *ioc_policy;        /* owned: which fields of an event are indicators (ioc/policy.h) */
    struct journal_reader *findings;
    struct event_batch     batch;
    size_t   batch_at;
    struct { time_ns changed; int looks; } holds;      /* DATA/holds as it was looked at last (keeping.c) */
    struct { DIR *dir; time_ns next_at; } sweep;   /* a round of DATA/documents (sweep.c); dir is owned, NULL between rounds */
    struct hooks *hooks;        /* webhooks on their way (notices/webhook.c); NULL until the first */
    struct sign_trust *trust;   /* for signatures on notices; NULL until the first */
    struct vuln_policy  *vuln_policy;  /* owned: checks that look for the same (vulnerabilities) */
    struct scan_formats *scan;         /* owned: descriptions of scanner reports; NULL until the first */
    int64_t              vuln_stuck;   /* the result that failed last: the others come first */
    char                 vuln_stuck_object[256];   /* the same of objects to count anew */
    struct vuln_feed    *vuln_feed;    /* owned: what is being fed without a file (vulns_feed_begin) */
    char     fake_hash[160];   /* verified for logins that do not exist, so that time tells nothing */
};

/* An act that was done on another node and is repeated here (room "link"). The call's now is the moment that the other node says, never later than
 * ours; what is written down says both. Nothing goes out for it: whoever did it told those whom it concerns. */
struct heard {
    time_ns    at;              /* when it reached us */
    int64_t    record;          /* the incoming notice that came with it; 0: none */
    struct str pdf;             /* SHA-256 of the document that came with it; {NULL,0}: none */
    struct str by;              /* node and person, as people read it */
};

/* One call of the face: who, when, memory. v is NULL when the system itself acts. */
struct call {
    struct desk         *d;
    const struct viewer *v;
    time_ns              now;
    struct arena         a;
    struct desk_reply   *r;
    const json_t        *measured; /* borrowed, NULL: what was looked at before the transaction (requests/measure.c) */
    struct err          *e;    /* &r->err, or the caller's */
    const struct heard  *heard;    /* NULL: done here */
    bool                 approved; /* a second person has approved the act that runs (approvals.h) */
};
/* drawing_failed - what it means that a document could not be drawn: -EIO, it may work later; -EFBIG, what another node sent and cannot be drawn today
 * cannot be drawn tomorrow either: it is refused, not tried for ever. spilled: it did not fit. */
static inline int drawing_failed(int rc, bool foreign, bool spilled)
{
    bool later = rc == -ENOMEM || rc == -ENOSPC || rc == -EIO || rc == -ENOENT;

    return foreign && (spilled || !later) ? -EFBIG : -EIO;
}
/* recorded_at - when it is written down: what is heard of late was not known before. What counts (fulfilled, happened, begun) is c->now. */
static inline time_ns recorded_at(const struct call *c) { return c->heard ? c->heard->at : c->now; }
void desk_call_init(struct call *c, struct desk *d, const struct viewer *v, time_ns now, struct desk_reply *r);
void desk_call_free(struct call *c);
/* refuse - set code (and field, may be NULL) of the reply and the story; returns rc. */
int refuse(struct call *c, int rc, const char *code, const char *field, const char *fmt, ...) PRINTF(5, 6);
/* refuse_rc - the usual code for rc where none was set. */
int refuse_rc(struct desk_reply *r, int rc);

/* --- db.c --- */
MUST_USE int db_open(struct desk *d, struct err *e);
void db_close(struct desk *d);
MUST_USE int db_begin(struct desk *d, struct err *e);
MUST_USE int db_end(struct desk *d, int rc, struct err *e);
/* db_query - the prepared statement, bound; NULL with *e on failure. fmt: i int64_t, t struct str ({NULL,0}: NULL), z const char *
 * (NULL: NULL), b struct str as blob, m time_ns where 0 means NULL. The statement stays valid until the same SQL is asked again. */
sqlite3_stmt *db_query(struct desk *d, struct err *e, const char *sql, const char *fmt, ...);
/* db_step - 1 a row, 0 the end (statement reset), below zero an error (reset too). What the tables refuse (a constraint, a trigger, a text too
 * long, an expression that fails) is -EDOM: the row is wrong, not the disk. */
MUST_USE int db_step(struct desk *d, sqlite3_stmt *st, struct err *e);
void db_done(sqlite3_stmt *st);
/* db_exec - run to the end; returns the number of changed rows. A broken UNIQUE is -EEXIST. */
MUST_USE int db_exec(struct desk *d, struct err *e, const char *sql, const char *fmt, ...);
/* db_int - the first column of the first row; absent if there is no row. */
MUST_USE int db_int(struct desk *d, struct err *e, int64_t absent, int64_t *out, const char *sql, const char *fmt, ...);
struct str db_str(sqlite3_stmt *st, int column);                       /* borrowed until the next step */
struct str db_copy(sqlite3_stmt *st, int column, struct arena *a);     /* {NULL,0} for NULL */
json_t *db_json(sqlite3_stmt *st, int column);                         /* text or null */
json_t *db_json_time(sqlite3_stmt *st, int column);                    /* instant or null */
json_t *db_json_id(sqlite3_stmt *st, int column);                      /* integer as text, or null */
extern const char *const desk_migrations[];
extern const size_t desk_migration_count;
/* The tables of one room: numbered steps, never edited once released. */
struct desk_schema {
    const char        *name;
    const char *const *steps;
    size_t             count;
};
extern const struct desk_schema registry_schema, tables_schema, duties_schema, notices_schema, approvals_schema, cases_schema, requests_schema, schedule_schema,
    vulnerabilities_schema, surveys_schema, documents_schema, integrity_schema, collection_schema, reports_schema,
    link_schema;
extern const struct desk_schema *const desk_schemas[];
extern const size_t desk_schema_count;
/* change_add - tell this after the commit. */
void change_add(struct desk *d, const char *type, struct str id);
void change_id(struct desk *d, const char *type, int64_t id);
void change_case(struct desk *d, int64_t id);
/* counter_next - 1, 2, 3 … of a name. In a transaction. */
MUST_USE int counter_next(struct desk *d, const char *name, int64_t *out, struct err *e);

/* --- json.c --- */
json_t *json_str(struct str s);              /* invalid UTF-8 is repaired; null for {NULL,0} */
json_t *json_time(time_ns t);
json_t *json_time_or_null(time_ns t);        /* 0: null */
json_t *json_id(int64_t id);
json_t *json_ref(struct str id, struct str name);   /* null without an id */
struct str json_get_str(const json_t *o, const char *key);   /* {NULL,0} if absent, null or no text */
/* fold_text - letters without case (Latin, Cyrillic with the Kazakh letters), for searching. In the arena. */
struct str fold_text(struct str s, struct arena *a);
/* parse_id - a positive decimal; 0 if it is none. */
int64_t parse_id(struct str s);
int page_limit(int limit);
/* local_date - "2026-03-20" of a moment in the zone of the node. */
void local_date(const struct desk *d, time_ns t, char out[16]);

/* --- world.c --- */
/* world_of - the world in which an edition is the one that rules, for drawing what belongs to it. Borrowed from the desk's own. -ENOTSUP for one that
 * content/editions no longer has. */
MUST_USE int world_of(struct call *c, struct str edition, struct duty_world *out);
/* subject_edition - to which one a subject belongs: a case's own, that of the term that runs on it, else the one in force now. */
MUST_USE int subject_edition(struct call *c, const struct subject *s, struct str *out);

/* --- secret.c --- */
MUST_USE int secret_random(void *p, size_t n, struct err *e);
void secret_hex(const unsigned char *p, size_t n, char *out);
void secret_sha256(struct str s, unsigned char out[32]);
void secret_sha256_hex(struct str s, char out[65]);
MUST_USE int password_hash(struct str password, char out[160], struct err *e);
bool password_matches(const char *hash, struct str password);
/* password_fault - why it is too weak, or NULL. */
const char *password_fault(struct str password, struct str login);
MUST_USE int password_random(char out[33], struct err *e);

/* --- audit.c --- */
MUST_USE int audit_add(struct call *c, const char *action, const char *target, struct str detail, const char *outcome);
/* audit_refusal - the same in its own transaction, after the work was rolled back. */
void audit_refusal(struct call *c, const char *action, const char *target);
/* audit_read - a row for what was read or taken out (personal.read, document.read, export), in its own transaction: what cannot be written into
 * the trail is not given out. Call it before the answer is made. */
MUST_USE int audit_read(struct call *c, const char *action, const char *target, struct str detail);
/* audit_sweep - some rows further in the walk over the whole trail; see audit.c. */
MUST_USE int audit_sweep(struct desk *d, time_ns now, struct err *e);

/* --- keeping.c: room and terms of events, as the index tells of them --- */
MUST_USE int keeping_tick(struct call *c);
/* keeping_tell_hold - the row of a hold that was set or released, in the transaction of whoever does it; otherwise keeping_tick tells it. */
struct hold;
MUST_USE int keeping_tell_hold(struct call *c, const struct hold *h);

/* --- body.c: bodies of requests against tables --- */
enum body_type {
    BODY_STRING, BODY_TEXT, BODY_DATE, BODY_DATETIME, BODY_ENUM, BODY_BOOL, BODY_COUNT, BODY_EMAIL, BODY_HOSTS, BODY_CONTACTS,
    BODY_IOCS, BODY_ENUMS, BODY_ANNEX7, BODY_ANNEX2,
    BODY_NUMBER,    /* 0 or more, with or without a fraction */
    BODY_STRINGS,   /* a list of at most "most" texts of at most BODY_STRINGS_LETTERS letters */
    BODY_ITEMS,     /* a list of at least "least", at most "most" objects by the table "of" */
    BODY_PART,      /* an object by the table "of" */
    BODY_ENUM_OR_LIST /* BODY_ENUMS, or one value without its list */
};
#define BODY_STRINGS_LETTERS 500
struct body_field {
    const char        *name;
    enum body_type     type;
    bool               required;   /* must be there */
    bool               nullable;   /* null is an answer */
    size_t             least, most;
    const char *const *values;     /* of BODY_ENUM and BODY_ENUMS, ended by NULL */
    const struct body_field *of;   /* of BODY_ITEMS and BODY_PART */
    size_t             of_count;
};
/* body_check - every property known, of its type and bounds, the required ones there. -EINVAL; field gets the path. */
MUST_USE int body_check(const json_t *body, const struct body_field *fields, size_t count, char field[DESK_FIELD_MAX], struct err *e);
/* body_field_count - of a table that ends with a field without a name, or is full. body_fields_json - what a form draws of them: [{name, type, required, enum}]. */
size_t body_field_count(const struct body_field *fields, size_t most);
json_t *body_fields_json(const struct body_field *fields, size_t count);
extern const struct body_field annex7_fields[], annex2_fields[];
extern const size_t annex7_field_count, annex2_field_count;
extern const char *const level_values[], *const detection_values[], *const language_values[], *const recurrence_values[], *const ioc_values[];
extern const char *const type_values[];
extern const char *const criticality_values[], *const contour_values[], *const role_values[], *const org_kind_values[];
bool value_known(const char *const *values, struct str s);

/* --- timeline.c --- */
struct line {
    const char *kind, *obligation, *key, *channel, *message_id, *smtp_reply, *sha256;
    struct str  text, addressee;
    json_t     *args;      /* taken: values of the placeholders of key */
    time_ns     happened_at, due_at;   /* 0: now; 0: none */
    bool        internal;  /* the centre alone sees it */
};
MUST_USE int timeline_add(struct call *c, int64_t case_id, const struct line *l);
/* timeline_of - the same for any subject. */
MUST_USE int timeline_of(struct call *c, const struct subject *s, const struct line *l);
MUST_USE int timeline_json(struct call *c, int64_t case_id, json_t **out);
struct str text_fill(struct arena *a, struct str pattern, const json_t *args);

struct kase;
#include "desk/cases/cases.h"   /* needs what stands above */

/* --- notices.c --- */
struct letter {
    const char *kind;      /* annex7, annex2, knb_notice, reminder, information */
    const char *sha256;    /* of the attachment, or NULL */
    const char *key;       /* of the texts: mail.KEY.subject, mail.KEY.body */
    const char *obligation;/* of a reminder */
    time_ns     due;
};
MUST_USE int letter_owner(struct call *c, const struct kase *k, const struct letter *l);   /* responsible persons */
MUST_USE int letter_org_kind(struct call *c, const struct kase *k, const char *org_kind, const struct letter *l, bool internal);
/* letter_role - to the people of a role, of the centre or of the object's organisation as the role has it; stays inside. */
MUST_USE int letter_role(struct call *c, const struct kase *k, struct str role, const struct letter *l);
MUST_USE int inbox_owner(struct call *c, const struct kase *k, const struct letter *l);
MUST_USE int inbox_centre(struct call *c, const struct kase *k, const struct letter *l);
MUST_USE int notices_json(struct call *c, int64_t case_id, json_t **out);
MUST_USE int documents_json(struct call *c, int64_t case_id, json_t **out);
MUST_USE int notices_read(struct call *c, const struct kase *k);   /* this viewer's unread ones of the case */

/* --- approvals --- */
/* two_person_load - content/policy/two_person.yaml, as bits. -EBADMSG with its place for an unknown kind. */
MUST_USE int two_person_load(const char *content, unsigned *out, struct err *e);

/* --- registry.c --- */
MUST_USE int org_insert(struct call *c, struct str id, const json_t *in, char out_id[ID_MAX + 1]);
MUST_USE int object_insert(struct call *c, struct str id, const json_t *in, char out_id[ID_MAX + 1]);
MUST_USE int user_insert(struct call *c, const json_t *in, int64_t *id);
MUST_USE int objects_export(struct desk *d, struct err *e);

#endif
