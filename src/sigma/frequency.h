/* frequency.h - how often the texts that rules look for stand in the values of events: measured from a few events, for the choice of witnesses.
 *
 * What is measured are the atoms of engine.h, each by the name of its field, its kind and its text, and only in events that its rule is shown and that have the
 * field: seen so often, found so often. So the atoms of one rule are measured by the same events, whatever else arrives.
 *
 * Owns      struct sigma_frequency: FREQUENCY_SLOTS counters (1.5 MiB), no more whatever the rules say. What has no room is not measured.
 * Promises  1. It changes what a rule costs, never what it matches: every atom that may be chosen holds whenever the rule does.
 *           2. The past fades: when FREQUENCY_EVENTS events were looked at all numbers are halved.
 *           3. A saved state that is torn or altered is refused whole, and measuring begins anew.
 * Threads   one measures; any number may ask and save meanwhile: numbers are read one by one, each whole.
 * Units     events.
 * Source    docs/detection.md, witnesses. */
#ifndef SAQSHY_SIGMA_FREQUENCY_H
#define SAQSHY_SIGMA_FREQUENCY_H

#include "sigma/sigma.h"

#define FREQUENCY_SLOTS  65536u      /* the public collection has some 25,000 atoms */
#define FREQUENCY_EVENTS 100000u
#define FREQUENCY_BYTES  (8u * KIB)  /* of a value that are looked at */
#define FREQUENCY_PRIOR  200.0f      /* what is assumed without measuring counts as so many events */

struct sigma_frequency;
struct sigma_frequency *sigma_frequency_new(void);   /* NULL without memory */
void sigma_frequency_free(struct sigma_frequency **f);
/* sigma_frequency_events - events that were looked at, since it was halved last. */
uint32_t sigma_frequency_events(const struct sigma_frequency *f);
/* frequency_event - another one begins;  frequency_noted - in it the atom was looked for already;  frequency_note - it is, for the first time. */
void frequency_event(struct sigma_frequency *f);
bool frequency_noted(const struct sigma_frequency *f, uint64_t atom);
void frequency_note(struct sigma_frequency *f, uint64_t atom, bool found);
/* frequency_of - in one part of the events that have the field: prior as long as nothing was measured, and less and less of it the more was. */
float frequency_of(const struct sigma_frequency *f, uint64_t atom, float prior);

/* Offset  size  meaning
 *      0     8  "SQFREQ1\n"
 *      8     4  events (le32)
 *     12     4  rows (le32)
 *     16    16  each row: the atom's hash (le64), seen (le32), found (le32)
 *      -     8  XXH3 of all before it */
void sigma_frequency_save(const struct sigma_frequency *f, struct buf *b);
MUST_USE int sigma_frequency_load(struct sigma_frequency *f, struct str saved, struct err *e);

#endif
