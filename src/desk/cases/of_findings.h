/* of_findings.h - what became of findings, for whoever asks from outside a desk.
 *
 * Owns      nothing.
 * Promises  1. Only reads, asks nothing of a running desk, and sees one moment of it.
 *           2. Each case is told once, by its number.
 * Threads   any.
 * Source    detect.md 7 (10): an exception says beforehand which confirmed cases it would have removed. */
#ifndef SAQSHY_DESK_CASES_OF_FINDINGS_H
#define SAQSHY_DESK_CASES_OF_FINDINGS_H

#include "base/base.h"

/* CASE_CONFIRMED_SQL - of a row k of cases: a person confirmed it, as an event or an incident. What is declared eliminated was one. */
#define CASE_CONFIRMED_SQL "(k.confirmed_at IS NOT NULL OR k.declared_at IS NOT NULL OR k.state IN ('event_confirmed','event_analysed'))"

struct finding_case {
    const char *number, *state;
    bool        confirmed;     /* as an event or an incident */
    uint64_t    findings;      /* of those asked for */
};
typedef void finding_case_tell(void *arg, const struct finding_case *k);

/* cases_of_findings - path of a desk.db; seqs: numbers of findings. 0, also where some are of no case; -ENOENT: there is no such file. */
MUST_USE int cases_of_findings(const char *path, const uint64_t *seqs, size_t count, finding_case_tell *tell, void *arg, struct err *e);

/* case_object - the object of the case of this number, and when it was detected, as they stand in a desk's database at path. -ENOENT: no such file or case; -ENODATA: the case is of no
 * object. */
MUST_USE int case_object(const char *path, struct str number, char object[256], time_ns *detected, struct err *e);

#endif
