/* auto.h - what closes itself at the end of its block.
 *
 * Owns      nothing of its own: each AUTO_ word ties one variable to its destructor.
 * Promises  destructors accept the empty value (-1, NULL).
 * Threads   owner. */
#ifndef SAQSHY_BASE_AUTO_H
#define SAQSHY_BASE_AUTO_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"

static inline void auto_close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}
static inline void auto_close_file(FILE **f)
{
    if (*f)
        fclose(*f);
    *f = NULL;
}
static inline void auto_free_ptr(void *p) { free(*(void **)p); }

#define AUTO_CLOSE  __attribute__((cleanup(auto_close_fd)))
#define AUTO_FCLOSE __attribute__((cleanup(auto_close_file)))
#define AUTO_FREE   __attribute__((cleanup(auto_free_ptr)))
#define AUTO_ARENA  __attribute__((cleanup(arena_free)))
#define AUTO_BUF    __attribute__((cleanup(buf_free)))

#endif
