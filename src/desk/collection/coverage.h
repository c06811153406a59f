/* coverage.h - what arrives, held against what Annex 4 wants of each object: the published table (detect/coverage.h) with the words of the law, for the
 * portal, for the command line, and as a table for the annual check.
 *
 * Owns      nothing; what is returned is the caller's.
 * Promises  1. An object and class has a row for each type that the chapter of the class wants, whether it came or not, in the law's order, and for
 *              each other type that came.
 *           2. An object of the registry of which nothing came at all is there too, without a class.
 *           3. Bounded viewers see their objects alone.
 * Threads   any.
 * Units     moments in RFC 3339, seconds, events an hour.
 * Source    Rules paragraph 12, Annex 4; docs/collection.md, "What arrives". */
#ifndef SAQSHY_DESK_COLLECTION_COVERAGE_H
#define SAQSHY_DESK_COLLECTION_COVERAGE_H

#include "base/catalog.h"
#include "desk/desk.h"
#include "duty/edition.h"

#define COVERAGE_RULES_NAMED 3
#define COVERAGE_UNASSIGNED  "-"   /* in place of an object's id: sources that are assigned to none */

struct coverage_view {
    const json_t *all;              /* coverage.json; NULL: nothing was published */
    const json_t *objects;          /* {id: {"name", …}}; NULL: nobody knows their names, all are shown */
    bool          bounded;          /* those of "objects" alone */
    struct str    object, class;    /* empty: all */
    const struct edition *edition;
    enum lang     lang;
};
/* coverage_parts - [{object:{id,name}|null, class, sources, silent, events, first_at, last_at, arriving, late, never,
 *   types:[{type,row,title,wanted,state:"arriving"|"late"|"never",events,first_at,last_at,rate_h,silence_s,late_after_s,sources,late,last_source,last_seq,seen,lacks}]}] */
json_t *coverage_parts(const struct coverage_view *v);
/* coverage_sources - the same of each source: [{source, object, class, state, events, …, types:[…]}] without types that never came. */
json_t *coverage_sources(const struct coverage_view *v);
/* coverage_waiting - rules that no event ever reached, by the log source they wait for, the most first: [{product, category, service, count,
 * rules:[{id,title,level}]}]; rules: rules.json (detect/publish.h). */
json_t *coverage_waiting(const json_t *rules, enum lang lang);
/* coverage_table - parts as CSV, a line a type: evidence for the annual check. */
MUST_USE int coverage_table(const json_t *parts, const struct catalog *words, enum lang lang, time_ns now, struct buf *out, struct err *e);

/* desk_coverage - parts and sources for a viewer; *out may hold parts of objects of the registry of which nothing came. */
MUST_USE int desk_coverage(struct desk *d, const struct viewer *v, const json_t *all, struct str object, struct str class, enum lang lang, json_t **parts, json_t **sources,
                           struct err *e);

#endif
