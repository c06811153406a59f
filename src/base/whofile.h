/* whofile.h - which file is this: for whoever follows files that others write, rename, cut and replace.
 *
 * Owns      nothing.
 * Promises  1. A file is known by its first bytes: an inode alone is given out again, and a name is anybody's.
 *           2. A link is followed only if root or we made it, or whoever owns the file that it leads to: a service cannot make a reader with more
 *              rights than its own read what it may not read itself.
 * Threads   any.
 * Units     bytes. */
#ifndef SAQSHY_BASE_WHOFILE_H
#define SAQSHY_BASE_WHOFILE_H

#include "base/base.h"

#define FILE_HEAD_MAX 256             /* first bytes that tell a file from another in the same inode */

struct file_head {
    uint32_t n;                       /* so many bytes */
    uint64_t hash;
};
/* file_head_of - of the first bytes, at most most of them; n is 0 for an empty file. */
struct file_head file_head_of(int fd, size_t most);
/* file_head_same - does the file still begin so? */
bool file_head_same(int fd, const struct file_head *h);
/* file_piece_of - the same for the n bytes that end at offset. */
struct file_head file_piece_of(int fd, uint64_t offset, size_t n);

struct stat;
/* file_open_regular - the regular file of this name, without waiting; -1. */
int file_open_regular(const char *path, struct stat *st);
/* file_packed_name - a name of a compressed or half-written file, which is no log to follow. */
bool file_packed_name(const char *name);

#endif
