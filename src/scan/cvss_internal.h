/* cvss_internal.h - what cvss.c and cvss4.c share: the table of metrics and the places of those of 4.0. */
#ifndef SAQSHY_SCAN_CVSS_INTERNAL_H
#define SAQSHY_SCAN_CVSS_INTERNAL_H

#include "scan/cvss.h"

struct metric {
    const char *name, *values;
    bool        base;
};

enum v4_metric {
    V4_AV, V4_AC, V4_AT, V4_PR, V4_UI, V4_VC, V4_VI, V4_VA, V4_SC, V4_SI, V4_SA, V4_E, V4_CR, V4_IR, V4_AR,
    V4_MAV, V4_MAC, V4_MAT, V4_MPR, V4_MUI, V4_MVC, V4_MVI, V4_MVA, V4_MSC, V4_MSI, V4_MSA
};

/* cvss_v4 - the score; with all, threat and environmental metrics count too. */
double cvss_v4(const struct cvss *c, bool all);

#endif
