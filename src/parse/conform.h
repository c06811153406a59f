/* conform.h - what a running source sends, held against Annex 4: one event, and a tally over many.
 *
 *      the line itself      text, UTF-8, delimiter with quoting, one format, date, time, letters      the form
 *      what it says         date and time at all, each field that the chapter of its class wants       the fields
 *
 * Owns      struct conform_tally owns its samples.
 * Promises  1. A line that is written as Annex 4 wants is judged by lint.h, strictly; any other by its form, and its fields by what the parser
 *              found: those that a record in the form of Annex 4 could be written of (annex4.h).
 *           2. A tally is bounded: counts of the last CONFORM_WINDOW to 2 * CONFORM_WINDOW judged lines, CONFORM_SAMPLES lines of
 *              CONFORM_SAMPLE_BYTES.
 *           3. A score is the share of checks that hold, in percent, rounded down: 100 means all.
 *           4. When CONFORM_RECENT judged lines but two have another format than most before, the format has changed: that is kept with
 *              the score before, and the counts begin anew.
 * Threads   owner.
 * Units     time_ns; lines and columns count from 1.
 * Source    Annex 4; paragraph 12 (R-12-02, R-12-07). */
#ifndef SAQSHY_PARSE_CONFORM_H
#define SAQSHY_PARSE_CONFORM_H

#include "parse/annex4.h"

#define CONFORM_FIRST        100    /* so many lines of a source are judged at first, */
#define CONFORM_EVERY        1000   /* then one of so many, */
#define CONFORM_AT_LEAST_NS  NS_PER_MINUTE /* and one in this time */
#define CONFORM_WINDOW       1000
#define CONFORM_RECENT       20
#define CONFORM_SAMPLES      3
#define CONFORM_SAMPLE_BYTES 300
#define CONFORM_LINE_MAX     4096   /* bytes of a line that are looked at */

enum conform_check {
    CONFORM_TEXT, CONFORM_UTF8, CONFORM_QUOTING, CONFORM_FORMAT, CONFORM_DATE, CONFORM_TIME, CONFORM_LETTERS,
    CONFORM_WHEN, CONFORM_FIELDS, /* and on: the chapter's, in their order */
    CONFORM_CHECKS = CONFORM_FIELDS + ANNEX4_FIELDS_MAX - 1
};
#define CONFORM_FORM_BITS ((1u << CONFORM_WHEN) - 1)

enum conform_form {
    CONFORM_OTHER, CONFORM_ANNEX4, CONFORM_RFC5424, CONFORM_RFC3164, CONFORM_JSON, CONFORM_XML, CONFORM_CSV, CONFORM_CEF, CONFORM_LEEF, CONFORM_W3C,
    CONFORM_KEYVALUE, CONFORM_AUDIT, CONFORM_FORMS
};
const char *conform_form_name(enum conform_form f);   /* "rfc3164" */

struct conform_mark {
    const char *code; /* of lint.h */
    const char *row;
    size_t column;
};
struct conform {
    enum conform_form form;
    char delimiter;           /* with CONFORM_ANNEX4 */
    uint32_t checked, failed; /* bits by enum conform_check */
    struct conform_mark mark[CONFORM_CHECKS]; /* of those that failed */
};

/* conform_event - class is not CLASS_NONE. */
void conform_event(const struct event *ev, enum event_class class, struct arena *a, struct conform *out);

/* --- over many --- */

struct conform_window {
    uint32_t judged, checked[CONFORM_CHECKS], failed[CONFORM_CHECKS], forms[CONFORM_FORMS];
};
struct conform_finding {
    struct conform_mark mark;
    uint64_t line;   /* 0: none since the samples were renewed */
    time_ns  last;
    int      sample; /* of samples, -1: none was kept */
};
struct conform_tally {
    enum event_class class;
    uint64_t seen;            /* lines, judged or not */
    time_ns  since, last, judged_at;
    struct conform_window window[2];   /* [0]: filling; [1]: the one before */
    struct conform_finding finding[CONFORM_CHECKS];
    char *samples[CONFORM_SAMPLES];    /* malloc'ed */
    char delimiter;
    enum conform_form form;            /* of most */
    uint8_t recent[CONFORM_RECENT];
    size_t recent_count;
    time_ns turned_at;                 /* the first of the recent ones that differ */
    bool changed;
    time_ns changed_at;
    enum conform_form form_before;
    int score_before;
};

/* conform_due - is the next line, received at this moment, to be judged? Counts it as seen. */
bool conform_due(struct conform_tally *t, time_ns received);
/* conform_add - what the event, the t->seen-th, came to; may set CONFORM_FORMAT of c. */
void conform_add(struct conform_tally *t, const struct event *ev, struct conform *c);
void conform_tally_free(struct conform_tally *t);

struct conform_scores {
    int all, form, fields; /* percent; -1: nothing was checked */
};
struct conform_scores conform_scores(const struct conform_tally *t);
/* conform_json - the members of a tally as DATA/run/annex4.json has them (docs/collection.md), without braces; brief: without findings and samples. */
void conform_json(const struct conform_tally *t, bool brief, struct buf *out);

#endif
