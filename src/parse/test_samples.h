/* test_samples.h - the sample logs of other projects, which lie beside the project and not in it. Only tests include it.
 *
 * Owns      a folder in /tmp with what was unpacked, until samples_close.
 * Source    SAQSHY_SHARED, or ../shared. */
#ifndef SAQSHY_PARSE_TEST_SAMPLES_H
#define SAQSHY_PARSE_TEST_SAMPLES_H

#include "base/base.h"

#define SAMPLES_SKIP 77   /* what a test program answers that has nothing to do */

struct samples {
    char logs[512];   /* the folder of logs */
    char temp[64];    /* where the sets are unpacked, a folder each */
};
/* samples_open - unpack count sets ("beats"). SAMPLES_SKIP where there are none, and says why. */
MUST_USE int samples_open(struct samples *s, const char *const *sets, size_t count);
/* samples_close - remove what was unpacked. Gives rc, or 1 if that did not work. */
MUST_USE int samples_close(struct samples *s, int rc);

#endif
