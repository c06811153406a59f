/* test_place.h - a folder of journals, rules and state, for tests of detection.
 *
 * Owns      what place_make made, until place_remove.
 * Promises  1. The same numbers give the same events.
 * Threads   owner.
 * Source    none: for tests. */
#ifndef SAQSHY_DETECT_TEST_PLACE_H
#define SAQSHY_DETECT_TEST_PLACE_H

#include <jansson.h>

#include "base/test.h"
#include "detect/detect.h"

struct place {
    char root[64], journal[96], findings[96], state[96], rules[96], policy[96];   /* policy "": none */
    size_t slice;   /* slice_bytes */
};
void place_make(struct place *p);
void place_remove(struct place *p);
void write_rule(const struct place *p, const char *file, const char *text);
struct detect *open_detect(const struct place *p, const char *rules, struct err *e);
/* read_findings - all findings as lines of JSON; returns how many. */
size_t read_findings(const struct place *p, struct buf *out);
/* fill - frames of varying size; kinds and users by a fixed row of pseudo-random numbers. */
void fill(const struct place *p, unsigned from, unsigned frames, uint32_t *random);
void run_to_end(const struct place *p);
/* index_to - events before seq are in the store ROOT/store, in blocks of so many; the rest are the journal's tail. */
void index_to(const struct place *p, uint64_t seq, size_t block);
/* killed_run - a child that a timer ends wherever it stands (SIGALRM, not caught: no cleaning up, as by kill -9). */
bool killed_run(const struct place *p, unsigned microseconds);
/* killed_finds_the_same - two places that furnish makes alike, one run to its end, one killed over and over: both find the same, more than least findings,
 * and each of parts stands among them. */
void killed_finds_the_same(void (*furnish)(struct place *p), size_t least, const char *const *parts, size_t count);

/* --- rows of events, and what was found in them --- */

#define T0 INT64_C(1700000000)   /* seconds */

/* policy_write - a policy of detection at p->policy, which is in force from the next open_detect on. */
void policy_write(struct place *p, const char *window, const char *update, int groups, const char *from);
/* One event a row: so many seconds behind T0, of this user, kind and object (NULL: obj-1). */
struct row { int at; const char *user, *kind, *object; };
void put_rows(const struct place *p, const struct row *rows, size_t count);
/* findings_of - of one rule, an array of JSON objects, owned; told_text, told_number - a field of the i-th. */
json_t *findings_of(const struct place *p, const char *rule);
const char *told_text(const json_t *list, size_t i, const char *name);
unsigned long long told_number(const json_t *list, size_t i, const char *name);

/* PLAIN - a rule as a document of a file of several: events whose kind is value. */
#define PLAIN(name, value) "title: " name "\nid: " name "\nlogsource: {}\ndetection: {s: {kind: " value "}, condition: s}\n---\n"

#endif
