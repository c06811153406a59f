/* cvss.h - vectors of the Common Vulnerability Scoring System, read strictly and scored.
 *
 * Owns      nothing: a struct cvss is a value.
 * Promises  1. Versions 2.0, 3.0, 3.1 and 4.0. A metric that is unknown, stands twice, has a value it cannot have, or is missing though the
 *              base group needs it, is -EBADMSG with its name and place. Metrics may stand in any order.
 *           2. Base scores are those of the specifications, to the tenth.
 *           3. Texts longer than CVSS_TEXT_MAX are -E2BIG; nothing is allocated.
 * Threads   any.
 * Units     scores 0 to 10.
 * Source    CVSS v2 guide 3.2.1; v3.0 and v3.1 specification 7.1 and appendix A; v4.0 specification 7 and 8 (FIRST). */
#ifndef SAQSHY_SCAN_CVSS_H
#define SAQSHY_SCAN_CVSS_H

#include "scan/scan.h"

#define CVSS_TEXT_MAX    512
#define CVSS_METRICS_MAX 32

enum cvss_version { CVSS_2_0, CVSS_3_0, CVSS_3_1, CVSS_4_0 };

struct cvss {
    enum cvss_version version;
    int8_t value[CVSS_METRICS_MAX];   /* of each metric of the version's table, the place of its value; -1 not given */
};

/* cvss_parse - "CVSS:3.1/AV:N/…", "CVSS:4.0/…"; without a prefix version 2.0, in parentheses or not. e->at is the place of the mistake. */
MUST_USE int cvss_parse(struct str text, struct cvss *out, struct err *e);
/* cvss_base - the base score. */
double cvss_base(const struct cvss *c);
/* cvss_score - of 4.0 with the threat and environmental metrics that the vector gives (CVSS-BTE); of others the base score. */
double cvss_score(const struct cvss *c);
/* cvss_severity - the rating of a score: of 3.x and 4.0 that of the specification, of 2.0 that of NVD (low below 4, medium below 7, high). */
enum scan_severity cvss_severity(enum cvss_version v, double score);

#endif
