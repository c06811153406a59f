/* plain.h - a file or standard input as text, whatever it was compressed with.
 *
 * Owns      struct plain owns its descriptor and what is being unpacked.
 * Promises  1. gzip and zstd are told by their first bytes, not by the name; all members and frames are read, as zcat and zstdcat do.
 *           2. Memory is bounded, however large the file: one piece, and the window of a zstd frame.
 *           3. What stands before a damage is given before it is told.
 * Threads   owner.
 * Units     bytes. */
#ifndef SAQSHY_BIN_PLAIN_H
#define SAQSHY_BIN_PLAIN_H

#include "base/base.h"

struct plain;

/* plain_open - path "-" is standard input; it is borrowed. */
MUST_USE int plain_open(const char *path, struct plain **out, struct err *e);
/* plain_some - the next bytes at to, at most room. Returns how many, 0 at the end, -EBADMSG for damaged compressed data; *e names the file. */
MUST_USE ssize_t plain_some(struct plain *p, char *to, size_t room, struct err *e);
void plain_close(struct plain **p);

/* plain_read - the whole text added to out. -E2BIG past max. */
MUST_USE int plain_read(const char *path, size_t max, struct buf *out, struct err *e);

#endif
