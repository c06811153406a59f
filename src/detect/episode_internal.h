/* episode_internal.h - what the files of episodes share: episode.c decides, episode_tell.c writes findings, episode_state.c saves. */
#ifndef SAQSHY_DETECT_EPISODE_INTERNAL_H
#define SAQSHY_DETECT_EPISODE_INTERNAL_H

#include "detect/ages.h"
#include "detect/episode.h"
#include "detect/internal.h"

#define STEPS 5   /* updates come after update, then twice, 4, 8, 16 times that */

/* The first byte of a key. Quiet and loud matches of a rule do not mix: its level may be changed under way. */
enum episode_kind { EPISODE_LOUD = 'g', EPISODE_QUIET = 'q', EPISODE_RATE = 'r' };

/* Where an episode waits. Idle: its last update is long enough ago, and nothing came. */
enum episode_list { LIST_IDLE, LIST_READY, LIST_STEP, LIST_COUNT = LIST_STEP + STEPS };

/* One episode; of kind RATE the new episodes of a rule and object, and the storm that they may be. text is, all with their lengths before them:
 * the key: kind, rule, object, values of the group; then source, title (of a rule that is of no set), group as told, names and values of fields. */
struct episode {
    struct aged     aged;             /* by beginning */
    struct episode *before, *after;   /* in its list */
    enum episode_list list;
    uint8_t         step;
    uint8_t         sample_count, line_count;
    enum sigma_level level;
    enum event_class class;
    time_ns         first_at, told_at, last_at;        /* receipt */
    time_ns         first_time, last_time;             /* of the events */
    uint64_t        hits, untold, first_seq, last_seq, match_count, turn;
    uint64_t        storm;            /* the storm it belongs to; of RATE: that goes on; 0: none */
    uint64_t        groups, in_minute;
    int64_t         minute;
    uint64_t        samples[EPISODE_SAMPLES];
    struct buf      lines;            /* of samples that are not told yet, each with its length */
    uint32_t        key_n, text_n;
    char            text[];
};

struct episode_row { struct episode *head, *tail; };

struct episodes {
    const struct detect_policy *policy;
    struct ages      open;
    struct episode_row list[LIST_COUNT];
    time_ns          now, next;       /* our clock; nothing is due before next */
    uint64_t         turn, storm;     /* numbers given last */
    struct buf       text;            /* scratch */
    struct episode_counters counters;
};

static inline struct episode *episode_at(const struct aged *a) { return (struct episode *)(void *)(uintptr_t)a; }   /* NULL stays NULL */

/* What text says. */
struct episode_text {
    enum episode_kind kind;
    struct str rule, object, source, title, group, fields;   /* fields: name, value … with their lengths */
};
struct episode_text episode_text(const struct episode *ep);

/* episode_put - into the table, as the newest. */
MUST_USE int episode_put(struct episodes *x, struct episode *ep);
void episode_list_add(struct episodes *x, struct episode *ep, enum episode_list list);
void episodes_clear(struct episodes *x);
size_t episode_bytes(const struct episode *ep);

/* episode_update - what came since it was told last, as a finding added to out. */
MUST_USE int episode_update(struct episodes *x, struct episode *ep, const struct sigma *set, struct event_batch *out, struct err *e);

#endif
