/* test.h - what every unit test includes: cmocka, and CHECK, which fails with the row's name.
 *
 * Owns      nothing. Only tests include it.
 * Threads   owner. */
#ifndef SAQSHY_BASE_TEST_H
#define SAQSHY_BASE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/base.h"

/* CHECK - the condition holds for the row of this name. */
#define CHECK(name, condition)                                                              \
    do {                                                                                    \
        if (!(condition))                                                                   \
            fail_msg("row \"%s\": %s", (name), #condition);                                 \
    } while (0)

/* tab_column - cell n (from 0) of a line of a manifest whose cells are parted by tabs; {NULL,0} past its end. */
static inline struct str tab_column(struct str line, int n)
{
    struct str piece = { NULL, 0 };

    for (int i = 0; i <= n; i++)
        if (!str_split(&line, '\t', &piece))
            return (struct str){ NULL, 0 };
    return piece;
}

#endif
