/* file.h - whole files, safely.
 *
 * Owns      nothing.
 * Promises  1. file_write_atomic: after a crash the old or the new content stands, never a mixture; on
 *              return the new one is on disk.
 *           2. file_read never reads more than max bytes: a larger file is -E2BIG.
 * Threads   any.
 * Units     bytes. */
#ifndef SAQSHY_BASE_FILE_H
#define SAQSHY_BASE_FILE_H

#include "base/base.h"

/* file_read - the whole file into b (emptied first). */
MUST_USE int file_read(const char *path, size_t max_bytes, struct buf *b, struct err *e);
/* file_write_atomic - through PATH.tmp, fsync, rename, fsync of the folder. */
MUST_USE int file_write_atomic(const char *path, struct str content, unsigned mode, struct err *e);
/* file_write_quick - the same without fsync, for pictures that are rewritten every few seconds: after a crash it may be torn. */
MUST_USE int file_write_quick(const char *path, struct str content, struct err *e);
/* file_mkdirs - the folder and those above it, with mode; one that exists is left as it is. */
MUST_USE int file_mkdirs(const char *path, unsigned mode, struct err *e);
MUST_USE int file_sync_dir(const char *path, struct err *e);
bool file_exists(const char *path);
/* file_write_all - write(2) until all is out. */
MUST_USE int file_write_all(int fd, struct str content, struct err *e);

#endif
