/* kind.h - the family of the room: a kind of request as a row of a table, and a request in hand.
 *
 * Owns      a struct req owns its values; texts are of the call's arena.
 * Promises  see requests.h.
 * Threads   as struct desk.
 * Source    requirements 7.6, 7.7, 7.9, 7.10. */
#ifndef SAQSHY_DESK_REQUEST_KIND_H
#define SAQSHY_DESK_REQUEST_KIND_H

#include "desk/duties/duties.h"
#include "desk/notices/notices.h"
#include "desk/requests/requests.h"

#define REQ_FIELDS_MAX 12
#define REQ_STATES_MAX 8
#define REQ_ITEM_VALUES_MAX 8

enum req_waits { WAITS_NOBODY, WAITS_OWNER, WAITS_CENTRE, WAITS_OCIB };

struct req;
typedef int req_handler(struct call *c, struct req *q, const json_t *body);

struct req_state {
    const char    *name;
    enum req_waits waits;
    bool           ended;
    bool           inner;    /* the centre's own work: the owner does not see it yet */
};

struct req_act {
    const char  *name;
    const char  *from;       /* states, blank between; "*": every state that has not ended */
    const char  *to;         /* the next state; NULL: it stays, or the handler moves it */
    unsigned     roles;
    req_handler *run;        /* NULL: the values are kept and the state moves, that is all */
    const char  *files;      /* roles of files that must be there, blank between */
    const char  *list;       /* the body is one entry of this list among the values; NULL: its members are values themselves */
    struct body_field fields[REQ_FIELDS_MAX];
};

struct req_kind {
    const char    *name, *paragraph;
    const char    *rows;     /* rows of the catalogue, and duties: told by the API */
    unsigned       open;     /* roles that may open one */
    bool           owner_told, centre_told;   /* who hears of a new one */
    bool           once;     /* one open request for each object */
    req_handler   *run;      /* after it was opened; may move the state */
    struct req_state       states[REQ_STATES_MAX];   /* the first is where it begins */
    struct body_field      fields[REQ_FIELDS_MAX];
    const struct req_act  *acts;                      /* ended by a name of NULL */
    const char *const     *items;                     /* states of a line of the check-list, the first where it begins; NULL: no check-list */
    struct body_field      item_fields[REQ_ITEM_VALUES_MAX];
};
extern const struct req_kind req_kinds[];
extern const size_t req_kind_count;
const struct req_kind *req_kind_find(struct str name);

struct req {
    int64_t                 id, batch, opened_by;
    const struct req_kind  *kind;
    const struct req_state *state;
    struct str              number, object_id, object_name, org_id, org_name, possessor_id, ocib_id;
    time_ns                 opened_at;
    json_t                 *values;
    char                    id_text[24];
};
void req_free(struct req *q);
#define AUTO_REQ __attribute__((cleanup(req_free)))

/* --- requests.c --- */
/* req_load - by id, if the viewer may see it; else -ENOENT. */
MUST_USE int req_load(struct call *c, int64_t id, struct req *out);
/* req_insert - a new one in its first state; kind->run is for the caller. */
MUST_USE int req_insert(struct call *c, const struct req_kind *k, struct str object, const json_t *values, int64_t batch, struct req *out);
/* req_open - insert, run, line, notices, audit row: what opening means, for people and for the system. */
MUST_USE int req_open(struct call *c, const struct req_kind *k, struct str object, const json_t *values, int64_t batch, struct req *out);
/* req_move - to a state of its kind, by name: written by req_save. */
void req_move(struct req *q, const char *state);
MUST_USE int req_save(struct call *c, struct req *q);
bool req_in(const struct req *q, const char *states);
struct subject req_subject(const struct req *q);
struct str req_text(const struct req *q, const char *key);         /* {NULL,0} if there is none */
bool req_true(const struct req *q, const char *key);
void req_set(struct req *q, const char *key, json_t *value);       /* taken */
/* req_line - a line of its timeline; text may be empty. */
MUST_USE int req_line(struct call *c, const struct req *q, const char *kind, struct str text, time_ns happened);
/* req_tell - a notice about it: to the owner's side or to the centre, by the texts request.notice.KEY of the catalogue. */
MUST_USE int req_tell(struct call *c, const struct req *q, bool owner, const char *key);
MUST_USE int req_tell_about(struct call *c, const struct req *q, const struct subject *about, const char *kind, const char *paragraph, bool owner,
                            const char *key);
MUST_USE int req_wrong(struct call *c, const char *field, const char *why);   /* -EINVAL */

json_t *req_actions_json(struct call *c, const struct req *q);

/* --- days.c --- */
/* moment_of - a RFC 3339 moment of the body; absent: now. -EINVAL if it lies in the future and must not. */
MUST_USE int moment_of(struct call *c, const json_t *body, const char *key, bool past, time_ns *out);
/* minutes_before - people give minutes: within one minute nothing is before anything. */
static inline bool minutes_before(time_ns a, time_ns b) { return a / NS_PER_MINUTE < b / NS_PER_MINUTE; }
/* day_start - a date of the body as the start of a term. -EINVAL if it lies in the future and must not. */
MUST_USE int day_start(struct call *c, struct str date, const char *key, bool past, struct duty_start *out);
MUST_USE int req_begin(struct call *c, struct req *q, const char *obligation, struct duty_start start);
MUST_USE int req_fulfil(struct call *c, struct req *q, const char *obligation, time_ns at);
MUST_USE int req_cancel(struct call *c, struct req *q, const char *obligation);
MUST_USE int req_fact(struct call *c, struct req *q, const char *obligation, const char *fact, time_ns at, struct str sha256, struct str note);

/* --- form.c --- */
/* req_form - the form that goes with a notice, NULL: none; values are the caller's. req_files: its attachments, in the arena. */
const char *req_form(struct call *c, const struct req *q, const char *key, json_t **values);
MUST_USE int req_files(struct call *c, const struct req *q, const char *key, struct notice_file **out, size_t *count);

/* --- reg.c --- */
/* life_move - the object goes to a state of 7.7; where it stands further on already, it stays. */
MUST_USE int life_move(struct call *c, struct str object, struct str org, const char *state, time_ns at);
/* registry_set - fields of the object's record change, the request is the reason; changes is taken. registry_contact: the person of the request becomes
 * the responsible one. registry_components: [{id, version, value}], owned by the caller. registry_is_ego: 1 or 0. */
MUST_USE int registry_set(struct call *c, const struct req *q, json_t *changes);
MUST_USE int registry_contact(struct call *c, const struct req *q);
MUST_USE int registry_components(struct call *c, struct str object, json_t **out);
MUST_USE int registry_is_ego(struct call *c, struct str object);
/* annex1_snapshot - the twelve items as the registry holds them now, what the form wants and they lack, and the SHA-256 of their text; owned by the
 * caller. */
MUST_USE int annex1_snapshot(struct call *c, struct str object, json_t **out, json_t **missing, char sha256[65]);

/* --- items.c --- */
MUST_USE int items_seed(struct call *c, const struct req *q);
MUST_USE int items_json(struct call *c, const struct req *q, json_t **out);
/* items_count - lines in this state. */
MUST_USE int items_count(struct call *c, const struct req *q, const char *state, int64_t *n);
MUST_USE int items_bare(struct call *c, const struct req *q, int64_t *n);
req_handler act_set_item, act_add_item, act_record_copy;

/* --- files.c --- */
MUST_USE int files_json(struct call *c, const struct req *q, json_t **out);
MUST_USE int files_of(struct call *c, const struct req *q, const char *role, int64_t *n);

/* --- handlers, by the file they stand in --- */
req_handler open_commissioning, act_paper, act_electronic, act_archive;                                            /* life.c */
req_handler open_information, act_receive_information, act_answer_information, act_return_information, act_register; /* life.c */
req_handler open_contact_change, open_contact_check, act_declare_contact, act_send_contacts, act_record_contacts, act_check_ok, act_check_failed;     /* contacts.c */
req_handler open_logging, act_logging_notify, act_logging_move, act_logging_made, act_logging_compare;              /* logging.c */
req_handler act_logging_compare_source;                                                                             /* measure.c */
/* logging_measure - the lines that the source of the request sent before and after the change, judged; *out is the caller's, NULL where something to look
 * for is missing. Outside of a transaction. */
MUST_USE int logging_measure(struct call *c, int64_t id, const json_t *body, json_t **out);
req_handler open_access, act_access_settle;                                                                         /* access.c */
req_handler act_exclusion_approve, act_exclusion_end;                                                               /* access.c */
req_handler open_cii, act_cii_mode, act_cii_designate, act_cii_declare, act_cii_confirm, act_cii_decline, act_cii_delist;           /* cii.c */
req_handler open_survey, open_testing, act_survey_send, act_survey_receive, act_survey_submit;                                                    /* survey.c */
req_handler act_vulnerability_receive, act_vulnerability_correct, act_vulnerability_dispute;                        /* survey.c */
req_handler act_consultation_give, act_hand_over;                                                                                          /* survey.c */

#endif
