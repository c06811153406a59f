/* parsers.h - the parser of a worker, and the files it is made from: looked at once a second, told when they change.
 *
 * Owns      struct parsers owns the parser.
 * Promises  1. parsers_look changes the parser only between batches: its caller calls it while no event is in hand.
 *           2. A file that became broken changes nothing but the counters and the log.
 *           3. DATA/run/parsers.json tells what is loaded and refused, and how many lines each took: at a change and every ten
 *              seconds.
 * Threads   owner (the worker). */
#ifndef SAQSHY_INGEST_PARSERS_H
#define SAQSHY_INGEST_PARSERS_H

#include "base/metrics.h"
#include "parse/parse.h"

struct parsers;
/* parsers_new - of DATA/parsers and CONTENT/parsers (content may be ""). Broken files are told in the log. */
MUST_USE int parsers_new(const char *data, const char *content, int32_t zone_min, struct metrics *m, struct parsers **out, struct err *e);
void parsers_free(struct parsers **p);
const struct parser *parsers_get(const struct parsers *p);
void parsers_look(struct parsers *p);

#endif
