/* test_rows.h - what the tests of the rule language share: rows of one rule and one event, rows of refusals, and the check that
 * each point of a chapter (V1 … K10 of docs/detection.md) has a row that matches and a row that does not. */
#ifndef SAQSHY_SIGMA_TEST_ROWS_H
#define SAQSHY_SIGMA_TEST_ROWS_H

#include "base/test.h"
#include "sigma/sigma.h"

/* event_from - "name=value" lines become an event. "class=", "parser=", "original=" and "time=" (seconds) are its members; "name="
 * is present and empty, a name alone is JSON's null; \r in a value stands for a newline. */
void event_from(struct event_batch *b, const char *text);

/* One text of rules, compiled, and what runs them. */
struct one_set {
    struct sigma      *s;
    struct sigma_run  *run;
    struct event_batch b;
};
struct one_set one_set(const char *text);
void one_set_free(struct one_set *o);

/* The rule is "detection" with a condition "s" unless it has one; its name starts with the point that it shows: "V1 …". */
struct row {
    const char *name, *detection, *event;
    bool match;
};
void rows_hold(const struct row *rows, size_t count);
/* mapped_rows_hold - the same with the pipelines of content/ in front of each rule. */
void mapped_rows_hold(const struct row *rows, size_t count);

/* Whole files, and how many of their rules match the event. */
struct files_row {
    const char *name;
    const char *files[4];
    const char *event;
    int         matches;
    const char *remark;     /* in one of the set's remarks, or NULL: there are none */
};
void files_hold(const struct files_row *rows, size_t count);

/* The file is refused, at this place, for a reason that holds these words; a rule before and one behind it load all the same. */
struct refused_row {
    const char *name, *text;
    enum sigma_verdict verdict;
    int line, column;
    const char *reason;
};
void refusals_hold(const struct refused_row *rows, size_t count);

/* points_have_both - of each point letter1 … letterN one row matches and another does not (a refusal counts as that). */
struct points { bool yes[64], no[64]; };
void points_take(struct points *p, char letter, const char *name, bool match);
void points_have_both(const struct points *p, char letter, unsigned first, unsigned last);

#endif
