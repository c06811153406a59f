/* told.h - source profiles that the desk writes: DATA/run/profiles.json, read again when it changes.
 *
 * Owns      struct told owns the profiles of the last sound file.
 * Promises  1. A file that is broken anywhere is refused whole and told once; the profiles before it stay. No file: no profiles.
 *           2. Bounded: TOLD_BYTES_MAX, PROFILES_MAX.
 * Threads   the worker.
 * Units     as profiles.h.
 * Source    docs/collection.md: an array of {name, address, host, listener, zone ("+05:00"), encoding, class, parser, object}, all texts. */
#ifndef SAQSHY_INGEST_TOLD_H
#define SAQSHY_INGEST_TOLD_H

#include "ingest/profiles.h"

#define TOLD_BYTES_MAX (4u * MIB)

struct told;
MUST_USE int told_new(const char *path, struct told **out, struct err *e);
void told_free(struct told **t);
/* told_look - has the file changed? Profiles given before become invalid. */
void told_look(struct told *t);
/* told_profiles - NULL: none. */
const struct profiles *told_profiles(const struct told *t);
/* told_read - the text of such a file. -EBADMSG names the entry. */
MUST_USE int told_read(struct str json, struct profiles **out, struct err *e);

#endif
