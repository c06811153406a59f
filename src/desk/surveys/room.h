/* room.h - the family of the room: a survey in hand, its machine, its parts.
 *
 * Owns      a struct sv owns its values; texts are of the call's arena.
 * Promises  see surveys.h.
 * Threads   as struct desk.
 * Source    requirements 7.5. */
#ifndef SAQSHY_DESK_SURVEYS_ROOM_H
#define SAQSHY_DESK_SURVEYS_ROOM_H

#include "desk/duties/duties.h"
#include "desk/notices/notices.h"
#include "desk/scope.h"
#include "desk/blob.h"
#include "desk/surveys/surveys.h"
#include "desk/vulnerabilities/vulnerabilities.h"

#define SV_FIELDS_MAX 12

enum sv_waits { SV_NOBODY, SV_OWNER, SV_CENTRE };

struct sv;
typedef int sv_handler(struct call *c, struct sv *s, const json_t *body);

struct sv_state {
    const char   *name;
    enum sv_waits waits;
    bool          ended;
};

/* One row of the machine 7.5: from these states to that one, by whom, on which condition, with which fields. */
struct sv_act {
    const char  *name;
    const char  *from;       /* states, blank between */
    const char  *to;         /* NULL: it stays, or the handler moves it */
    unsigned     roles;
    bool         manual;     /* of surveys by hand only */
    bool         by_hand;    /* of surveys that no schedule names only */
    bool         team;       /* by the survey's own people only (sv_team) */
    sv_handler  *guard;      /* NULL: none; asked before anything is written */
    sv_handler  *run;
    struct body_field fields[SV_FIELDS_MAX];
};
extern const struct sv_act sv_acts[];
extern const struct sv_state sv_states[];
extern const size_t sv_act_count, sv_state_count;
extern const char *const sv_modes[], *const sv_kinds[];

struct sv {
    int64_t    id, main_id, control_id, line_id, team_id, created_by;   /* control_id: of a main one; 0: none yet */
    struct str number, object_id, object_name, org_id, org_name, possessor_id, ocib_id, mode, kind, from_on, to_on, reason;
    int64_t    ordinal;
    const struct sv_state *state;
    json_t    *values;
    time_ns    told_at, started_at, completed_at, sent_at, received_at, measures_at, created_at, updated_at;
    char       id_text[24];
};
void sv_free(struct sv *s);
#define AUTO_SV __attribute__((cleanup(sv_free)))

/* --- survey.c --- */
MUST_USE int sv_load(struct call *c, int64_t id, struct sv *out);          /* within the viewer's scope, else -ENOENT */
/* sv_pair - the main survey of a control one that was taken before it (planned.c). */
MUST_USE int sv_pair(struct call *c, struct sv *s);
/* sv_new - a survey in its first state. Of a line of the schedule: line and ordinal; by hand: reason. */
struct sv_new {
    struct str object_id, mode, kind, from_on, to_on, reason;
    int64_t    main_id, line_id, team_id, ordinal;
};
MUST_USE int sv_insert(struct call *c, const struct sv_new *n, int64_t *id);
MUST_USE int sv_save(struct call *c, struct sv *s);
void sv_move(struct sv *s, const char *state);
bool sv_in(const struct sv *s, const char *states);
struct subject sv_subject(const struct sv *s);
/* sv_put - tell the room "vulnerabilities" what the survey is now. sv_save does it once works have begun. */
MUST_USE int sv_put(struct call *c, const struct sv *s);
MUST_USE int sv_wrong(struct call *c, const char *field, const char *why);  /* -EINVAL */
MUST_USE int sv_line(struct call *c, const struct sv *s, const char *kind, struct str text, json_t *args, bool internal);   /* args is taken */
/* sv_tell - a notice to the owner's side or to the centre, by the texts survey.notice.KEY of the catalogue. From now on the owner sees the survey. */
struct sv_letter {
    const char   *key, *paragraph, *form;
    const json_t *values;            /* of the form, borrowed */
    json_t       *args;              /* more placeholders of the texts; taken */
    const struct notice_file *files;
    size_t        file_count;
    bool          to_centre;
    struct str    proof;             /* not empty: it came on paper, registered here under this number */
};
MUST_USE int sv_tell(struct call *c, struct sv *s, const struct sv_letter *l, int64_t *notice_id);
/* sv_head - at most n bytes of a text, cut at a letter. */
static inline struct str sv_head(struct str s, size_t n)
{
    size_t at = min_size(s.n, n);

    while (at < s.n && at > 0 && ((unsigned char)s.p[at] & 0xC0) == 0x80)
        at--;
    return str_of(s.p, at);
}
struct str sv_text(const struct call *c, const char *key, struct str value, enum lang lang);   /* text "KEY.VALUE" of the catalogue */
/* sv_two - a text in Kazakh and Russian, with its placeholders filled. */
struct str sv_two(struct call *c, const char *key, const json_t *args, const char *between);
/* sv_fulfil - the duty is kept, with a notice as evidence (letter.c). */
MUST_USE int sv_fulfil(struct call *c, const struct sv *s, const char *obligation, time_ns at, int64_t notice);
/* sv_moment - a moment of the body that lies in the past; absent: now. sv_day - a date that exists. */
MUST_USE int sv_moment(struct call *c, const json_t *body, const char *key, time_ns *out);
MUST_USE int sv_day(struct call *c, struct str date, const char *key, time_ns *out);
/* sv_team - may the viewer work on this survey: somebody of its team, one of the people named in it, or a lead, who acts for all? A survey that has
 * neither team nor people is still nobody's: whoever of the centre does surveys may take it. */
MUST_USE int sv_team(struct call *c, const struct sv *s, bool *yes);
/* sv_team_only - the same as a refusal, -EACCES "not_of_team", in words that name the team. */
MUST_USE int sv_team_only(struct call *c, const struct sv *s);

/* --- acts.c --- */
json_t *sv_actions_json(struct call *c, const struct sv *s);

/* --- access.c: the conditions of paragraph 11 --- */
MUST_USE int access_json(struct call *c, const struct sv *s, json_t **out);
/* access_missing - [{code, state}] of conditions that are not provided; not_needed: those that this survey can do without. */
MUST_USE int access_missing(struct call *c, const struct sv *s, const json_t *not_needed, json_t **out);

/* --- scope.c --- */
MUST_USE int scope_json(struct call *c, const struct sv *s, json_t **out);
MUST_USE int scope_fill(struct call *c, const struct sv *s, bool again);   /* from the registry or the main survey, if there is nothing yet (or again) */
/* scope_included - rows {id, name, hosts, …} of what is looked at. */
MUST_USE int scope_included(struct call *c, const struct sv *s, json_t **out);
/* place_valid - one address of IPv4 or IPv6 or one host name, nothing that a program could take for an option, a list or a network. */
bool place_valid(struct str s);

/* --- results.c --- */
MUST_USE int results_json(struct call *c, const struct sv *s, json_t **out);
MUST_USE int results_waiting(struct call *c, const struct sv *s, int64_t *waiting);   /* files that are not read whole yet */
MUST_USE int results_there(struct call *c, const struct sv *s, int64_t *there);   /* not taken away, not refused */
MUST_USE int result_put(struct call *c, const struct sv *s, const struct blob *b, struct str format, struct str mapping, int64_t run_id, int64_t *id);
/* mapping_json - a saved one by its name, as the room "vulnerabilities" wants it; owned by the caller. -ENOENT. */
MUST_USE int mapping_json(struct call *c, struct str name, json_t **out);

/* --- remedies.c: content/policy/remedies.yaml --- */
struct remedies;
MUST_USE int remedies_load(const char *content, struct remedies **out, struct err *e);
void remedies_free(struct remedies **r);
/* What of a finding decides the class of its weakness. */
struct remedy_of {
    struct str title, description, component, fixed_version, solution, cve;
    int32_t    port;        /* -1: none */
};
/* remedy_class - id of the first class that fits; the last one fits all. */
struct str remedy_class(const struct remedies *r, const struct remedy_of *f);
/* remedy_text - the recommendation in a language, joined with what the scanner says; in the arena. */
struct str remedy_text(const struct remedies *r, const struct remedy_of *f, enum lang lang, struct arena *a);

/* --- found.c: vulnerabilities of a survey with what is recommended --- */
typedef int found_fn(void *arg, const struct vuln_row *f);
/* found_each - all rows of a survey, the gravest first, at most `most`, as the owner knows them if told; *left says whether there are more. */
MUST_USE int found_each(struct call *c, const struct sv *s, bool told, int64_t most, found_fn *fn, void *arg, bool *left);
/* found_remedy - as a person wrote it, else prefilled. */
MUST_USE int found_remedy(struct call *c, const struct sv *s, const struct remedies *r, const struct vuln_row *f, struct str out[LANG_COUNT], bool *edited);
MUST_USE int found_contour(struct call *c, const struct sv *s, struct str *out);
MUST_USE int found_table(struct call *c, const struct sv *s, bool told, bool csv, struct buf *out);

/* --- runs.c --- */
MUST_USE int runs_json(struct call *c, const struct sv *s, json_t **out);
MUST_USE int runs_tick(struct call *c);   /* give confirmed runs to the role "tools", take what it has ended */

/* --- handlers, by the file they stand in --- */
sv_handler sv_guard_complete, sv_guard_results;
sv_handler sv_do_assign, sv_do_move, sv_do_notify, sv_do_start, sv_do_block, sv_do_complete, sv_do_cancel;          /* works.c */
sv_handler sv_do_adjacent, sv_do_scope_take, sv_do_scope_set, sv_do_scope_add;                                /* scope.c */
sv_handler sv_do_result_remove, sv_do_result_restore;                                                     /* results.c */
sv_handler sv_do_remedy, sv_do_send, sv_do_receive;                                                         /* letter.c */
sv_handler sv_do_measures;                                                                              /* measures.c */
sv_handler sv_do_run_propose, sv_do_run_confirm, sv_do_run_cancel;                                          /* runs.c */

#endif
