/* search_explain.h - what a search did: its tree, what lets a store skip blocks, the range of time, what was looked at.
 *
 * Owns      nothing.
 * Promises  1. The tree is the one that was run; the figures are those of the search that was done, not a guess.
 * Threads   owner. */
#ifndef SAQSHY_BIN_SEARCH_EXPLAIN_H
#define SAQSHY_BIN_SEARCH_EXPLAIN_H

#include "pipes/pipes.h"
#include "store/store.h"

/* search_explain - p may be NULL; rows: how many were given out. */
void search_explain(const struct query *q, const struct pipes *p, const struct store_search *s, const struct store_stats *st, size_t rows, FILE *to);

#endif
