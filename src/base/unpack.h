/* unpack.h - compressed bytes become plain ones, in pieces of any size or whole.
 *
 * Owns      struct unpack owns the state of one compressed text; bytes are the caller's.
 * Promises  1. All members of gzip and all frames of zstd are read, as zcat and zstdcat do; a text that ends within one is known as not whole.
 *           2. Bounded: a piece gives no more than the room there is, a whole text no more than its limit, so a bomb stops there; the window of a zstd frame, which is
 *              memory that a foreign header asks for, has a limit too.
 *           3. What is compressed is told by its first bytes (packing_of), not by a name.
 * Threads   owner.
 * Units     bytes; a window in powers of two. */
#ifndef SAQSHY_BASE_UNPACK_H
#define SAQSHY_BASE_UNPACK_H

#include "base/base.h"

#define UNPACK_WINDOW_FILE 27   /* 128 MiB: what "zstd --long" uses */
#define UNPACK_WINDOW_BODY 24   /* 16 MiB: of texts that are held in memory */

enum packing { PACKING_NONE, PACKING_GZIP, PACKING_ZSTD };

struct unpack;

/* packing_of - by the first bytes of a text: four are enough. */
enum packing packing_of(struct str head);

/* unpack_new - packing is gzip or zstd. */
MUST_USE int unpack_new(enum packing packing, int window, struct unpack **out, struct err *e);
void unpack_free(struct unpack **u);

/* unpack_step - takes from the beginning of *packed, which becomes shorter, and puts at most room bytes down at to. Returns how many, or -EBADMSG: the bytes are not of
 * their kind. 0 with *packed empty: more is needed, or there is no more. */
MUST_USE ssize_t unpack_step(struct unpack *u, struct str *packed, char *to, size_t room);
/* unpack_whole - a text that ended here would be whole. True at the beginning, too. */
bool unpack_whole(const struct unpack *u);

/* unpack_all - a whole text behind what out has. -E2BIG: more than most bytes, or than out takes; -EBADMSG: damaged, or cut; -ENOMEM. */
MUST_USE int unpack_all(enum packing packing, int window, struct str packed, size_t most, struct buf *out);

#endif
