/* room.h - what the files of the schedule share and no other room needs.
 *
 * Owns      a struct gathered owns nothing outside the arena of its call.
 * Promises  see schedule.h.
 * Threads   as struct desk. */
#ifndef SAQSHY_DESK_SCHEDULE_ROOM_H
#define SAQSHY_DESK_SCHEDULE_ROOM_H

#include "desk/internal.h"
#include "desk/schedule/schedule.h"
#include "desk/schedule/year.h"

#define PLAN_FIELDS_MAX   6
#define PLAN_LINES_MAX    2000000     /* of one plan: 50,000 objects of 16 surveys and 12 of documents, and room */
#define PLAN_LINE_LONGEST 92          /* calendar days of one work */
#define PLAN_REASON_MAX   1000        /* letters */
#define PLAN_ARENA        (1024 * MIB)   /* of an act: a plan of 50,000 objects, and its versions as text */

/* --- machine.c --- */

struct plan_state {
    const char *name;
    bool        drafting;      /* its lines may be changed */
    bool        with_knb;      /* KNB sees the draft: it is what was sent */
};
struct plan_row {
    int64_t    id, version, agreed_version, draft_rev;
    int        year, documents;
    bool       begun;
    const struct plan_state *state;
    struct str edition, from_on, reason, writing, ask;   /* writing: of writing.c; empty: it is whole */
    int64_t    written, to_write;                        /* rows */
    time_ns    generated_at, created_at, updated_at;
    char       id_text[24];
};
/* What an act works out before its transaction, so that the lock is held for the writing alone. */
typedef int plan_prepare(struct call *c, struct plan_row *p, const json_t *body, void **out);
typedef int plan_handler(struct call *c, struct plan_row *p, const json_t *body, void *prepared);
struct plan_act {
    const char   *name, *from, *to;   /* states, blank between; to: NULL it stays, or the handler moves it */
    unsigned      roles;
    plan_prepare *prepare;
    plan_handler *run;
    const char   *writes;             /* what follows in pieces (writing.c); NULL: nothing */
    struct body_field fields[PLAN_FIELDS_MAX];
};
extern const struct plan_state plan_states[];
extern const size_t plan_state_count;
extern const struct plan_act plan_acts[];
extern const size_t plan_act_count;
const struct plan_state *plan_state_find(struct str name);
/* plan_load - -ENOENT if the viewer may not see it: owners and teams see plans that were agreed once, KNB those that were sent once. */
MUST_USE int plan_load(struct call *c, int64_t id, struct plan_row *out);
void plan_move(struct plan_row *p, const char *state);
MUST_USE int plan_save(struct call *c, struct plan_row *p);
bool plan_offered(const struct plan_row *p, const struct plan_act *a);
/* plan_sees_draft - does the viewer see the draft's lines? */
bool plan_sees_draft(const struct call *c, const struct plan_row *p);
/* plan_begin - a work has begun: "agreed" becomes "in_execution"; while an amendment is written, it is kept for its end. */
MUST_USE int plan_begin(struct call *c, int64_t plan);
/* plan_changed - the draft is another one than before. */
MUST_USE int plan_changed(struct call *c, struct plan_row *p);
/* plan_ids - a block of new ids of lines; *first is the first one. In a transaction. */
MUST_USE int plan_ids(struct call *c, int64_t count, int64_t *first);

/* plan_whole - -EEXIST "being_written" while its draft is being written. */
MUST_USE int plan_whole(struct call *c, const struct plan_row *p);

/* --- writing.c: a plan of many lines is written in pieces, so that nobody waits long for the lock --- */

#define PLAN_PIECE 1000    /* new lines of the first transaction; the next ones are as large as PIECE_NS lets them be */
#define PLAN_SWAP  4       /* what a line weighs that takes the place of another, or is copied: it touches more pages */

struct gathered;
struct writing;
/* What is being written: its transaction is open, w->rows of it are done. */
struct writing {
    struct call           *c;
    struct plan_row        p;
    const struct gathered *g;             /* of "generate"; NULL else */
    int64_t                rows, load;    /* of this piece: how many, and what they weigh */
    int64_t                most;          /* what a piece may weigh */
    time_ns                begun_at;      /* this piece, by the steady clock */
    int64_t                at;            /* the last line that is done, of those that go by id */
    struct str             key;           /* the last object that is done, the same */
    bool                   resumed;
};
/* writing_open - only one plan is written at a time: a lock on a file, which goes with the process. -EEXIST "being_written". Close *fd. */
MUST_USE int writing_open(struct call *c, int *fd);
/* writing_note - in the act's transaction: from now on the plan is being written. */
MUST_USE int writing_note(struct call *c, const struct plan_row *p, const char *what, const json_t *ask, const struct gathered *g);
/* writing_go - write it, piece by piece, and make it whole. Not in a transaction. What fails or is killed goes on by schedule_turn. */
MUST_USE int writing_go(struct call *c, int64_t plan, const struct gathered *g, bool resumed);
/* piece_rows - so many rows more are written, each as dear as so many new lines: with w->most of them the piece is committed, others may write, and the
 * next one begins. */
MUST_USE int piece_rows(struct writing *w, int64_t rows, int64_t each);
MUST_USE int unplaced_gone(struct writing *w);   /* what had no place before */
int64_t generate_total(const struct gathered *g);
MUST_USE int generate_pieces(struct writing *w);
MUST_USE int agree_pieces(struct writing *w);   /* version.c */
MUST_USE int agree_last(struct writing *w);
MUST_USE int amend_pieces(struct writing *w);
MUST_USE int amend_last(struct writing *w);

/* --- gather.c: what the planner is asked --- */

struct gathered_object {
    struct str  id;
    unsigned    works;
    int         documents;          /* of this object; below zero: as the plan says */
    int         full[PLAN_MODES], share[PLAN_MODES];   /* pairs a year by the edition; of its part of the year */
    unsigned    written;            /* bits of modes with a reason that a person wrote: left as they are */
    const char *code;               /* why shares are smaller: begun, commissioned, entered, terminated; NULL: they are not */
    int         since, until;
};
struct gathered_line {
    int64_t id, pair_id;
    bool    keep;
};
struct gathered {
    struct schedule_year    year;
    struct planner_team    *teams;
    int64_t                *team_ids;
    struct str             *team_names;
    size_t                  team_count;
    struct planner_object  *objects;
    struct gathered_object *facts;      /* by the same index, sorted by id */
    size_t                  object_count;
    struct planner_work    *given;      /* all lines of the draft that stay, by object */
    int64_t                *given_ids;
    size_t                  given_count;
    int64_t                *drop;       /* ids of lines of the draft that go */
    size_t                  drop_count;
    struct planner          planner;
};
/* gather_teams, gather_objects - parts of it; gather_plan all, by what a "generate" asks. Arrays live in the arena. */
MUST_USE int gather_teams(struct call *c, struct gathered *g);
MUST_USE int gather_objects(struct call *c, const struct plan_row *p, struct gathered *g);
MUST_USE int gather_written(struct call *c, const struct plan_row *p, struct gathered *g);
int64_t gathered_index(const struct gathered *g, struct str object);   /* below zero: it is not in the plan */
struct gather_ask {
    bool       all;          /* lay out anew what is not fixed; else only what is missing */
    struct str object;       /* only of this object; empty: all */
};
MUST_USE int gather_plan(struct call *c, const struct plan_row *p, const struct gather_ask *ask, struct gathered *g);
/* gather_counts - full and share of an object with these works, since and until. */
MUST_USE int gather_counts(struct call *c, const struct plan_row *p, const struct schedule_year *y, struct gathered_object *o);
/* plan_year - the year of a plan by the edition of the plan. A calendar without it is refused in words. */
MUST_USE int plan_year(struct call *c, int year, struct schedule_year *out);

/* --- generate.c --- */
plan_prepare prepare_generate;
void gathered_free(struct gathered *g);   /* NULL too */
plan_handler plan_generate;

/* --- version.c --- */
plan_prepare prepare_send;
plan_handler plan_send, plan_agree, plan_record_agreement, plan_return, plan_rework, plan_amend, plan_complete;
MUST_USE int plan_versions_json(struct call *c, const struct plan_row *p, json_t **out);

/* --- check.c --- */
plan_handler plan_reason, plan_documents;
/* plan_mismatches - objects and modes whose lines are neither those of the Rules nor explained: [{object, mode, main, control, due_main, due_control}],
 * at most most of them; *total is how many there are. */
MUST_USE int plan_mismatches(struct call *c, const struct plan_row *p, size_t most, json_t **out, size_t *total);
/* say - a text of the catalogue in the language of the viewer, filled in; args is taken. */
struct str schedule_say(struct call *c, const char *key, json_t *args);

#endif
