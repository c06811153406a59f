/* episode.h - matches of one rule that belong together are one episode: told at once when it begins, counted while it lasts.
 *
 *     match -> level (policy.h) -> episode -> finding now | counted, and told with the next update
 *                                     |-> storm: too many new episodes of a rule and object within a minute: one summary counts the rest
 *
 * Owns      struct episodes owns the open episodes. Rules and policy are borrowed.
 * Promises  1. Each match is counted in exactly one finding: the sum of saqshy.hits over the findings of a rule is the number of its matches that
 *              were to be told. Nothing is discarded: an episode that is dropped at a limit is told first.
 *           2. The first match of an episode is a finding at once. What follows is told when the update is due, later at the end of the window,
 *              by the first event of any kind that was received behind that moment, or by detection's clock while none comes (tick.c).
 *           3. What is decided depends on the events and the saved state alone, so a replay after a kill decides the same.
 *           4. Memory is bounded: EPISODES_MAX, EPISODE_BYTES_MAX. Past the second no further sample lines are kept, only their numbers.
 * Threads   owner.
 * Units     times are moments of receipt; they do not run backwards here.
 * Source    detect.md 7 (9, 11); docs/detection.md, "From a match to a finding". */
#ifndef SAQSHY_DETECT_EPISODE_H
#define SAQSHY_DETECT_EPISODE_H

#include "detect/policy.h"

#define EPISODES_MAX      100000          /* open at once; the oldest is told and dropped */
#define EPISODE_BYTES_MAX (48u * MIB)     /* of their keys, fields and sample lines */
#define EPISODE_SAMPLES   5
#define EPISODE_LINE_MAX  1024            /* bytes of a sample line */
#define EPISODE_DUE_MAX   64              /* updates that one event brings about */

struct episodes;

/* A match on its way to people. */
struct hit {
    const struct sigma_match *match;
    const struct event       *event;
    enum sigma_level          level;      /* as the policy has it */
    bool                      quiet;      /* below raise_from: counted in an episode, never told */
};
enum hit_fate {
    HIT_COUNTED,     /* it belongs to an episode that was told */
    HIT_BEGINS,      /* a new episode: a finding at once */
    HIT_SUMMARY,     /* a storm begins: the finding is its summary */
};
/* What stands in a finding beside the match. */
struct episode_told {
    struct str id;              /* saqshy.episode; in arena of the batch */
    struct str group;           /* values of the fields by which it is grouped, joined by '|' */
    struct str fields;          /* the same with their names: see episode_fields */
};
/* episode_fields - those that the finding lacks, added to it. */
MUST_USE int episode_fields(struct str fields, struct event *finding, struct event_batch *b);

MUST_USE int episodes_new(const struct detect_policy *p, struct episodes **out, struct err *e);
void episodes_free(struct episodes **x);
/* episodes_policy - another policy from now on. */
void episodes_policy(struct episodes *x, const struct detect_policy *p);
/* episodes_hit - count a match. An episode that this one ends is told into out. Returns a fate, or -ENOMEM. */
MUST_USE int episodes_hit(struct episodes *x, const struct hit *h, const struct sigma *set, struct event_batch *out, struct episode_told *told, struct err *e);
/* episodes_are_due - something is, at that moment. */
bool episodes_are_due(const struct episodes *x, time_ns at);
/* episodes_due - the updates that are due when an event is received at now, added to out. Returns how many, or -ENOMEM. */
MUST_USE int episodes_due(struct episodes *x, time_ns now, const struct sigma *set, struct event_batch *out, struct err *e);

struct episode_counters { uint64_t open, bytes, told, counted, storms, dropped; };
struct episode_counters episodes_counters(const struct episodes *x);

/* episodes_save, episodes_load - as a section of the saved state. -EBADMSG if it is damaged; x is then empty. */
void episodes_save(const struct episodes *x, struct buf *b);
MUST_USE int episodes_load(struct episodes *x, struct str saved, struct err *e);

#endif
