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

/* CHECK - the condition holds for the row of this name. */
#define CHECK(name, condition)                                                              \
    do {                                                                                    \
        if (!(condition))                                                                   \
            fail_msg("row \"%s\": %s", (name), #condition);                                 \
    } while (0)

#endif
