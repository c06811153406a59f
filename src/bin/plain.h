/* plain.h - a file as text, whatever it was compressed with.
 *
 * Owns      nothing.
 * Promises  1. gzip and zstd are told by their first bytes, not by the name; all members and frames are read, as zcat and zstdcat do.
 *           2. Bounded: the limit counts what comes out, so a bomb stops there.
 * Threads   any.
 * Units     bytes. */
#ifndef SAQSHY_BIN_PLAIN_H
#define SAQSHY_BIN_PLAIN_H

#include "base/base.h"

/* plain_read - the text of a file added to out. -E2BIG past max, -EBADMSG for damaged compressed data; *e names the file. */
MUST_USE int plain_read(const char *path, size_t max, struct buf *out, struct err *e);

#endif
