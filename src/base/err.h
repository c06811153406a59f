/* err.h - what went wrong, where, in one sentence.
 *
 * Owns      its own text, a fixed buffer inside the struct: nothing to free.
 * Promises  1. Every function that takes a struct err accepts NULL and then tells nothing.
 *           2. rc is always returned unchanged, so a failure is reported in one statement.
 *           3. Text that came from outside is cut at a bound and its control bytes are shown as '?'.
 * Threads   owner.
 * Units     at is a byte offset in the input, line and column count from 1; 0 means unknown.
 * Source    conventions, section 6. */
#ifndef SAQSHY_BASE_ERR_H
#define SAQSHY_BASE_ERR_H

#include "base/str.h"

#define ERR_TEXT_MAX 512

struct err {
    int    rc;
    size_t at;
    int    line, column;
    char   text[ERR_TEXT_MAX];
};

/* err_set - write the story; returns rc. */
int err_set(struct err *e, int rc, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* err_at - the same with the offset in the input. */
int err_at(struct err *e, int rc, size_t at, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* err_line - the same with a place in a text file; the text gets "FILE:LINE:COLUMN: " in front.
 * file may be NULL. */
int err_line(struct err *e, int rc, const char *file, int line, int column, const char *fmt, ...)
    __attribute__((format(printf, 6, 7)));
/* err_wrap - put "context: " before what e already says; returns rc. */
int err_wrap(struct err *e, int rc, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* err_sys - "WHAT: strerror(errno)"; returns -errno. Call at once after the failed call. */
int err_sys(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
