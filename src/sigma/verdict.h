/* verdict.h - what the rules of a set say together of an event, where each says no more than a few bits: remembered by what decided it.
 *
 *     event ──► names ──► which of its values decide ──► a row of bits: which questions of the rules are true ──► answer, kept by that row
 *                                                                       └── questions of free texts are asked of each event, if the row leaves them open
 *
 * Most rules of a set like that of event types (classify.h) ask whether a field equals one of a few words. For them an event is no more than
 * the answers to these questions, and strangers can vary its values as they like: what the rules do not tell apart is one row.
 *
 * Owns      struct verdicts owns its memory and what it remembers; it borrows the set.
 * Promises  1. The answer is that of the rules' own conditions (rule_holds), for every event: rows, names and values are compared whole, never by
 *              their hash alone. Correlations are no part of it.
 *           2. Bounded: VERDICT_ROWS rows, VERDICT_KINDS kinds of names, VERDICT_VALUES values a field. Who makes up values loses what is
 *              remembered, and then each question is asked, as it is without memory; the values of one field push out no others'.
 * Threads   owner. */
#ifndef SAQSHY_SIGMA_VERDICT_H
#define SAQSHY_SIGMA_VERDICT_H

#include "sigma/sigma.h"

#define VERDICT_ROWS   1024
#define VERDICT_KINDS  256
#define VERDICT_VALUES 64
#define VERDICT_SLOTS  96     /* fields whose values decide; of further ones each event is asked */

struct verdicts;
/* verdicts_new - bits: what each rule says, by its index; borrowed. */
MUST_USE int verdicts_new(const struct sigma *s, const uint64_t *bits, struct verdicts **out, struct err *e);
void verdicts_free(struct verdicts **k);
/* verdicts_batch - until it is said otherwise the events that come are of one batch, whose memory stays as it is: names that stand at the same
 * place are the same. */
void verdicts_batch(struct verdicts *k, bool on);
/* verdicts_event - put into *out what all rules that match say together; what is in "have" may be missing from it. */
MUST_USE int verdicts_event(struct verdicts *k, const struct event *ev, uint64_t have, uint64_t *out, struct err *e);

#endif
