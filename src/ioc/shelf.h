/* shelf.h - the folder of indicators of a node, as the command line and the portal both keep it.
 *
 *      DATA/intel/sources/NAME   what a source said last, a set of its own
 *      DATA/intel/warnings/      warning lists of MISP, as they came
 *      DATA/intel/set            all sources in one, marked by the warning lists: what detection asks
 *
 * Owns      DATA/intel. struct ioc_taking owns the lock of the folder and what was read so far.
 * Promises  1. One change at a time, whoever makes it: the second waits for the first, so that no set is made of half of both.
 *           2. A source is replaced as a whole, or kept as it was; words that are no list of indicators never take the place of one.
 *           3. The set of all follows each change before the change is said to be done.
 *           4. A name of a source can be nothing but a file of that folder.
 * Threads   any; the lock is of the folder.
 * Units     bytes; at most IOC_SOURCES_MAX sources.
 * Source    R-A2-09; docs/intel.md. */
#ifndef SAQSHY_IOC_SHELF_H
#define SAQSHY_IOC_SHELF_H

#include "ioc/ioc.h"

#define IOC_WARNING_MAX (64u * MIB)   /* of a warning list */

/* ioc_source_valid - 1 to IOC_SOURCE_MAX letters, digits, '.', '-', '_', not beginning with '.'. */
bool ioc_source_valid(struct str name);

struct ioc_source {
    const char *name;
    size_t      count;
    int64_t     bytes;
    time_ns     changed;   /* when it was imported last */
};
/* ioc_source_fn - below zero ends it with that. e tells of a source that cannot be read: count is zero then, and rc its failure. */
typedef int ioc_source_fn(void *arg, const struct ioc_source *s, int rc, struct err *e);
/* ioc_shelf_sources - each source of the folder data/intel, by name. Nothing was ever imported: none. */
MUST_USE int ioc_shelf_sources(const char *data, ioc_source_fn *fn, void *arg, struct err *e);

/* ioc_left_out_fn - a warning list that cannot be read: it marks nothing, so more is found, not less. */
typedef void ioc_left_out_fn(void *arg, const char *path, const char *why);

struct ioc_taking;
/* ioc_taking_begin - a source is to be imported; add: beside what it said before. Makes the folders. */
MUST_USE int ioc_taking_begin(const char *data, struct str source, bool add, struct ioc_taking **out, struct err *e);
/* ioc_taking_file - the indicators of one file (plain); usual as for ioc_read, its source is the one of the taking. -EBADMSG: no such file, or none of its lines is an
 * indicator. */
MUST_USE int ioc_taking_file(struct ioc_taking *t, struct str bytes, const struct ioc *usual, struct ioc_told *told, struct err *e);
/* ioc_taking_end - the source is what was read, and the set of all is made anew. *own of the source, *all of the set. */
MUST_USE int ioc_taking_end(struct ioc_taking **t, ioc_left_out_fn *left_out, void *arg, size_t *own, size_t *all, struct err *e);
/* ioc_taking_drop - the source stays as it was. */
void ioc_taking_drop(struct ioc_taking **t);

/* ioc_shelf_remove - -ENOENT: there is no such source. *all: what the set has left. */
MUST_USE int ioc_shelf_remove(const char *data, struct str source, ioc_left_out_fn *left_out, void *arg, size_t *all, struct err *e);
MUST_USE int ioc_shelf_rebuild(const char *data, ioc_left_out_fn *left_out, void *arg, size_t *all, struct err *e);
/* ioc_shelf_open - the set of all; -ENOENT: there is none. */
MUST_USE int ioc_shelf_open(const char *data, struct ioc_set **out, struct err *e);

/* ioc_check - what a set has of a value that a person wrote: by its look, and as what only a person can know - what a browser calls itself, a file. */
size_t ioc_check(const struct ioc_set *s, struct str value, time_ns now, struct ioc *out, size_t max);

#endif
