/* intel_parse.h - lists of known exploited and of probable vulnerabilities, as their publishers give them.
 *
 * Owns      nothing.
 * Promises  1. A file is taken whole or refused with its place: nothing is given out of a broken one but what was given before, to be thrown away.
 *           2. Sizes are bounded: INTEL_BYTES_MAX as it came, INTEL_TEXT_MAX unpacked, INTEL_ROWS_MAX entries.
 * Threads   any.
 * Source    the JSON catalogue of known exploited vulnerabilities (CISA KEV); the daily EPSS scores (FIRST), CSV with or without gzip. */
#ifndef SAQSHY_DESK_VULNERABILITIES_INTEL_PARSE_H
#define SAQSHY_DESK_VULNERABILITIES_INTEL_PARSE_H

#include "base/base.h"

#define INTEL_BYTES_MAX (32u * MIB)
#define INTEL_TEXT_MAX  (128u * MIB)
#define INTEL_ROWS_MAX  2000000

struct intel_row {
    struct str cve;               /* in capitals */
    struct str added_on, due_on;  /* of a known exploited one: dates */
    bool       ransomware;
    double     epss, percentile;
};
struct intel_meta {
    char   version[64], released[40];
    size_t rows;
};
typedef int intel_fn(void *arg, const struct intel_row *row, struct err *e);
/* kev_read, epss_read - below zero: -EBADMSG, -E2BIG, or what fn answered. */
MUST_USE int kev_read(struct str bytes, intel_fn *fn, void *arg, struct intel_meta *out, struct err *e);
MUST_USE int epss_read(struct str bytes, intel_fn *fn, void *arg, struct intel_meta *out, struct err *e);

#endif
