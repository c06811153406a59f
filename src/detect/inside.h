/* inside.h - struct detect, for the files that are detection's loop: detect.c reads the journal and writes what is found, rules_live.c changes the rules
 * under way.
 *
 * Owns      struct detect, below.
 * Promises  those of detect.h.
 * Threads   owner. */
#ifndef SAQSHY_DETECT_INSIDE_H
#define SAQSHY_DETECT_INSIDE_H

#include "detect/back.h"
#include "detect/coverage.h"
#include "detect/indicators.h"
#include "detect/live.h"
#include "detect/saver.h"
#include "detect/triage.h"
#include "sigma/classify.h"

enum { M_EVENTS, M_FINDINGS, M_EVALUATED, M_DAMAGED, M_SEQ, M_LAG, M_RULES, M_BROKEN, M_UNSUPPORTED, M_KEPT, M_GROUPS, M_EVICTED,
       M_BYTES, M_WITHOUT, M_NO_VALUE, M_LATE, M_STOPPED, M_CHECKED, M_DIFFERED, M_REPEATED, M_UNSAVED, M_STATES, M_INDICATORS, M_INDICATED,
       M_SILENT, M_BACK_EVENTS, M_BACK_FOUND, M_BACK_LEFT, M_EPISODES, M_COUNTED, M_STORMS, M_DROPPED, M_COSTLY, M_ROWS, M_ROWS_DROPPED, M_SILENCES, M_POLICY_WRONG, M_COUNT };

/* The list of exceptions: what the thread was given to write, and what was asked for since. */
struct exceptions_told { const struct sigma *set; time_ns at; char path[4096]; };
struct exceptions_asked { struct exceptions_told given; char path[4096]; time_ns at; bool asked, busy; };

struct detect {
    struct detect_config  c;
    char                 *journal, *findings, *state_file;
    char                **rule_paths;
    struct classify      *types;          /* the event types of Annex 4 by rules; NULL: what parsers say is all */
    struct live          *live;           /* the files of rules, and who reads them anew */
    struct refusals       kept;           /* of the files, with the set below */
    uint64_t              hash;           /* of its texts */
    bool                  hold;           /* the set below is not yet on disk as the one that looks: nothing is committed */
    struct replay {                       /* events that were looked at by other rules than those of the files */
        bool              on;
        struct sets       sets;
        size_t            next;           /* of them the one that comes next */
        uint64_t          until;          /* from this event on the files' rules look, */
        struct live_set   files;          /* which wait here */
    } replay;
    struct indicators    *indicators;     /* NULL: none are asked */
    struct back          *back;           /* NULL: stored events are not searched */
    uint64_t              back_from;      /* a new set is in force from this event on and not handed over yet; 0: it is */
    struct triage        *triage;
    struct coverage      *coverage;       /* NULL: what arrives is not counted */
    time_ns               ticked;         /* the last tick that told something */
    time_ns               tick_again, tick_lost;   /* one that the saved state does not know, which comes before the next event; before the first one received behind it */
    bool                  ticks;          /* there was one since the state was saved */
    bool                  idle;           /* the last step found nothing to look at */
    bool                  used;           /* found holds something */
    struct detect_rules   rules;
    struct sigma         *sigma;
    struct sigma_run     *run;
    struct publisher     *publisher;      /* NULL: nothing is published */
    bool                  picture_asked, picture_busy;
    uint64_t              count_from;     /* events before it were counted by an earlier process */
    struct journal_reader *reader;
    struct saver         *saver;          /* of the state */
    struct snapshot      *putting;        /* one is being put together, a slice at each step; NULL: none */
    struct journal       *out;
    struct event_batch    batch, found;
    uint64_t              next_seq;       /* all before it are dealt with */
    uint64_t              saved_seq;
    time_ns               saved_at, save_took;
    struct sigma_counters counted;        /* what the metrics have already */
    struct episode_counters grouped;
    struct metric        *metric[M_COUNT];
    char                  note[ERR_TEXT_MAX]; /* why the saved state was not taken */
    char                  set_note[ERR_TEXT_MAX]; /* why events are looked at again by other rules than before */
    char                  indicator_note[ERR_TEXT_MAX];
    char                  back_note[ERR_TEXT_MAX];
    struct back_counts    back_counted;   /* what the metrics have of it */
    bool                  other;          /* other rules run than when it was asked last */
    size_t                told;           /* of their refusals */
    uint64_t              met;            /* origins that events of this run were the first of */
    struct exceptions_asked exceptions;
    int                   trouble;        /* with reading rules, until it is told: live_err */
    struct err            live_err;
    bool                  failed;         /* an event was half dealt with: the state must not be saved */
};

/* --- detect.c --- */

/* detect_meter - add to a counter, or set a gauge; M_… */
void detect_meter(struct detect *d, int m, int64_t n);

/* detect_save - as detect_checkpoint; 1: there was no room, it is done later. */
MUST_USE int detect_save(struct detect *d, struct err *e);

/* detect_save_drop - a state that is being put together is given up; the next one comes in its time. */
void detect_save_drop(struct detect *d);

/* --- tick.c --- */

/* tick_restored - the saved state was taken, or is lost: which tick is to be repeated. */
void tick_restored(struct detect *d, bool lost);
/* tick_before - before an event (NULL: there is none): the tick that is to be repeated, if it is its turn. */
MUST_USE int tick_before(struct detect *d, const struct event *ev, struct err *e);

/* --- rules_live.c --- */

/* rules_use - the set runs from now on; what ran before must be gone (rules_former). */
void rules_use(struct detect *d, struct live_set *s);
/* rules_former - what runs now, to be handed over. */
struct live_set rules_former(struct detect *d);
void rules_meter(struct detect *d);
/* rules_choose - before the saved state is loaded that ends before "from": the rules that looked at the events from there on. */
MUST_USE int rules_choose(struct detect *d, uint64_t from, struct err *e);
/* rules_next - between two frames: is it for other rules to look at the next one? */
MUST_USE int rules_next(struct detect *d, struct err *e);
/* rules_settle - what the rules of now found may be committed, once it is on disk that they look. */
MUST_USE int rules_settle(struct detect *d, struct err *e);

#endif
