/* base.h - the ground floor: what every other module stands on.
 *
 * Owns      nothing at run time; it is the one include of every file. Each part has its own
 *           header with its own essay; this one holds what is too small for a header.
 * Promises  1. No part of base keeps writable state outside what the caller passes in, but for
 *              the log sink, which is set once in main.
 *           2. Nothing here knows what an event is.
 * Threads   each part says its own rule.
 * Units     time is time_ns (nanoseconds since 1970 UTC) unless a name says otherwise.
 * Source    conventions: text is struct str, errors are negative errno with a struct err. */
#ifndef SAQSHY_BASE_H
#define SAQSHY_BASE_H

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MUST_USE        __attribute__((warn_unused_result))
#define RARELY          __attribute__((cold)) /* few come here: it lies apart from what all come through */
#define PRINTF(f, a)    __attribute__((format(printf, f, a)))
#define COUNT(array)    (sizeof(array) / sizeof((array)[0]))
#define KIB             1024u
#define MIB             (1024u * 1024u)

static inline size_t min_size(size_t a, size_t b) { return a < b ? a : b; }
static inline size_t max_size(size_t a, size_t b) { return a > b ? a : b; }

#include "base/str.h"
#include "base/err.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/reader.h"
#include "base/auto.h"

/* Unbounded or locale-bound functions of the C library that have no place here. */
#undef sprintf /* a macro where the C library is fortified and the compiler is clang */
#pragma GCC poison strcpy strcat sprintf vsprintf strtok atoi atol gets

#endif
