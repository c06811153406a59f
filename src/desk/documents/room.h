/* room.h - the family of the room "documents": a survey in hand, its table of acts, the library of requirements.
 *
 * Owns      a struct library owns its requirements; texts of a struct td_survey are of the call's arena.
 * Promises  see documents.h.
 * Threads   as struct desk.
 * Source    requirements 7.6. */
#ifndef SAQSHY_DESK_DOCUMENTS_ROOM_H
#define SAQSHY_DESK_DOCUMENTS_ROOM_H

#include "desk/documents/documents.h"
#include "desk/duties/duties.h"
#include "desk/notices/notices.h"
#include "desk/registry/registry.h"

#define TD_FIELDS_MAX 12

/* --- library.c --- */

/* What Saqshy measures itself. The order is that of measure_names and of facts.c. */
enum td_measure {
    MEASURE_LOG_COVERAGE, MEASURE_RETENTION, MEASURE_TIME_SYNC, MEASURE_AGENTS, MEASURE_LOG_FORMAT, MEASURE_VULNERABILITY_AGE, MEASURE_DOCUMENT_EXPIRY,
    MEASURE_INCIDENTS, MEASURE_PASSPORT, MEASURE_CHANGES, MEASURE_COUNT
};
extern const char *const td_measure_names[];

struct td_requirement {
    struct str   code;       /* "is_policy.scope", stable */
    struct str   document;   /* "is_policy" */
    struct label text, look, recommendation;
    struct str   basis;      /* empty: ours, not prescribed by the Rules */
    unsigned     measures;   /* bits of enum td_measure */
    int64_t      version;    /* of its file */
    bool         presence;   /* of the document itself: not met when it was not presented */
};
struct td_library {
    struct arena           a;
    struct td_requirement *items;   /* in the order of Annex 3, within a document in that of the files */
    size_t                 count;
    char                   sha256[65];   /* of all words */
};
/* library_load - content/requirements/annex3 and DATA/requirements, every file whole or nothing. docs: the edition's list. -EBADMSG "FILE:LINE:COLUMN: …". */
MUST_USE int library_load(const char *content, const char *own, const struct enumeration *docs, struct td_library *out, struct err *e);
/* library_text - one file alone, for the fuzzer and the tests. */
MUST_USE int library_text(struct str text, const char *name, const struct enumeration *docs, struct td_library *out, struct err *e);
void library_free(struct td_library *l);
#define AUTO_LIBRARY __attribute__((cleanup(library_free)))
json_t *requirement_json(const struct td_requirement *q);
/* library_here - that of the call's desk, by the edition in force at a moment. */
MUST_USE int library_here(struct call *c, time_ns at, struct td_library *out);

/* --- survey.c --- */

enum td_waits { TD_NOBODY, TD_OWNER, TD_CENTRE };
struct td_state {
    const char   *name;
    enum td_waits waits;
    bool          ended;
    bool          inner;     /* the centre's own work: the owner does not see that there is one */
    bool          told;      /* what was found is the owner's to see */
};
extern const struct td_state td_states[];
extern const size_t td_state_count;

struct td_survey {
    int64_t                id, request_id, plan_line, previous_id;
    const struct td_state *state;
    struct str             number, object_id, object_name, org_id, org_name, possessor_id, planned_from, planned_to, reason, team;
    time_ns                opened_at, started_at, completed_at, results_sent_at, results_received_at, measures_at, ended_at;
    bool                   copies_taken;
    char                   id_text[24];
};
MUST_USE int td_load(struct call *c, int64_t id, struct td_survey *out);
MUST_USE int td_save(struct call *c, struct td_survey *s);
void td_move(struct td_survey *s, const char *state);
bool td_in(const struct td_survey *s, const char *states);
struct subject td_subject(const struct td_survey *s);
MUST_USE int td_line(struct call *c, const struct td_survey *s, const char *kind, struct str text, time_ns happened);
MUST_USE int td_wrong(struct call *c, const char *field, const char *why);   /* -EINVAL */
/* td_moment - a RFC 3339 moment of the body that has passed; absent: now. td_day - a date of the body; empty: 0. */
MUST_USE int td_moment(struct call *c, const json_t *body, const char *key, time_ns *out);
/* td_new - a survey in its first state. plan_line 0: by hand, with a reason. */
MUST_USE int td_new(struct call *c, const struct td_survey *plan, int64_t *id);
/* td_documents - the list of Annex 3 by the edition in force at a moment. -ENOTSUP if it has none. td_level - 1 … 4. */
MUST_USE int td_documents(struct call *c, time_ns at, const struct enumeration **out);
int td_level(const struct enum_value *v);
/* td_title - a document's name in the reader's language; its identifier if the edition in force lacks it. */
struct str td_title(struct call *c, struct str document);
/* td_two - a text of the catalogue in Kazakh and Russian, filled. */
struct str td_two(struct call *c, const char *key, const json_t *args, const char *between);
MUST_USE int td_object_reached(struct call *c, struct str object);
/* td_number - "TD-2026-000001" of a series. */
MUST_USE int td_number(struct call *c, const char *series, char out[40]);

/* --- machine.c: the table of 7.6 --- */

typedef int td_handler(struct call *c, struct td_survey *s, const json_t *body);
struct td_act {
    const char  *name, *from, *to;   /* from: states, blank between; to NULL: it stays */
    unsigned     roles;              /* 0: nobody: the survey follows its request */
    td_handler  *run;
    const char  *row;                /* of 7.6; empty: ours */
    bool         quiet;              /* a line of the check-list: no line of the timeline for each */
    struct body_field fields[TD_FIELDS_MAX];
};
extern const struct td_act td_acts[];   /* ended by a name of NULL */
const struct td_act *td_act_find(struct str name);
json_t *td_actions_json(struct call *c, const struct td_survey *s);

/* --- handlers, by the file they stand in --- */
td_handler td_send_notice, td_withdraw;                                        /* follow.c */
td_handler td_start, td_set_verdict, td_confirm_last, td_not_presented;      /* checklist.c */
td_handler td_complete;                                                         /* violations.c */
td_handler td_send_results, td_receive, td_set_measure, td_send_measures, td_close;   /* letters.c, measures.c */

/* --- follow.c --- */
/* The request (r) of a survey (s) stands further than the survey does. */
#define TD_BEHIND                                                                                                                                 \
    "s.copies_taken = 0 AND s.ended = 0 AND (r.state = 'td_received' OR (s.state IN ('planned','notice_sent','notice_received') AND r.state <> s.state))"
/* request_end - with the survey: what its request still asks for is asked no more. */
MUST_USE int request_end(struct call *c, const struct td_survey *s, struct str reason);
/* td_follow - bring a survey to where its request stands; 1 if it moved. In a transaction. */
MUST_USE int td_follow(struct call *c, struct td_survey *s);

/* --- register.c --- */
struct td_version {
    struct str   object_id, document, number, dated_on, edition, approved_by, approved_on, valid_until, review_on, note;
    int          is_signed, is_sealed, is_certified;   /* sealed: -1 not said */
    const char  *source;
    int64_t      request_id;
};
MUST_USE int version_add(struct call *c, const struct td_version *t, int64_t *id);
MUST_USE int version_file(struct call *c, int64_t document_id, struct str name, struct str type, int64_t size, struct str sha256, struct str dated_on);
/* register_json - the 27 documents of an object with their newest versions. */
MUST_USE int register_json(struct call *c, struct str object, json_t **out);
MUST_USE int newest_version(struct call *c, struct str object, struct str document, int64_t *id);

/* --- facts.c --- */
/* facts_json - [{measure, state, text: {kk, ru, en}, measured_at, by}] of all measures. */
MUST_USE int facts_json(struct call *c, struct str object, json_t **out);

/* --- violations.c --- */
/* What a survey (y, of violation x) whose results were not sent says of a violation is the centre's alone: until then the owner (bounded) sees the state
 * of before, and what a survey found mended is open to them as it was. */
#define TD_TOLD_STATE(bounded)                                                                                                                     \
    "CASE WHEN " bounded " = 0 OR y.results_sent_at IS NOT NULL THEN x.state ELSE (SELECT t.state FROM td_step t JOIN td_survey z ON z.id ="        \
    " t.survey_id WHERE t.violation_id = x.id AND z.results_sent_at IS NOT NULL ORDER BY t.id DESC LIMIT 1) END"
#define TD_TOLD_OPEN(bounded) "(x.open OR (" bounded " = 1 AND y.results_sent_at IS NULL))"
MUST_USE int violation_step(struct call *c, int64_t id, const struct td_survey *s, const char *state, struct str text);

/* --- enclosed.c: the workbook of a letter that cannot name everything --- */
struct td_column {
    const char *key, *heading;   /* of a row; of the catalogue */
};
struct td_sheet {
    const char             *name;
    const struct td_column *columns;   /* NULL: the rows are lines of text */
    size_t                  count;
    const json_t           *rows;
};
struct td_enclosed {
    struct notice_file file;   /* sha256 {NULL,0}: there is none */
};
/* td_letter_part - the first rows, as many as a letter names: TD_LETTER_ROWS of them and TD_LETTER_BYTES. Owned by the caller. */
#define TD_LETTER_ROWS  1000u
#define TD_LETTER_BYTES (256u * KIB)   /* a notice with all its parts has NOTICE_CANONICAL_MAX */
json_t *td_letter_part(const json_t *all);
/* td_enclose - all rows as a workbook, kept as a file of the notice. */
MUST_USE int td_enclose(struct call *c, const struct td_survey *s, const struct td_sheet *sheets, size_t count, struct td_enclosed *out);
/* td_letter_note - the note of a letter: how many stand here and where the others do (enclosed NULL: all stand here), then what the sender wrote. */
json_t *td_letter_note(struct call *c, const struct td_enclosed *enclosed, size_t shown, size_t count, struct str note);

/* --- survey_json.c --- */
MUST_USE int survey_json(struct call *c, struct td_survey *s, json_t **out);
/* progress_json - the 27 documents of a survey with how many requirements were judged how. */
MUST_USE int progress_json(struct call *c, const struct td_survey *s, json_t **out);
/* said_json - texts of three languages as they stand in a column, in the reader's language. */
struct str said_in(struct call *c, const json_t *texts, enum lang lang);

#endif
