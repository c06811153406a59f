/* tally.h - what count.c and owner.c share while one vulnerability is counted: the surveys of its object, and the two counts of it.
 *
 * Owns      what each struct says.
 * Promises  1. SIDE_CENTRE is counted from everything that is known. SIDE_OWNER is counted from surveys whose results were sent, from what the owner did and
 *              from what was done to them, and from the beginning of control surveys, of which they are told: nothing else moves it.
 *           2. Where no survey of the object waits for its letter both are the same.
 * Threads   as struct desk.
 * Source    requirements 1.2, 7.4. */
#ifndef SAQSHY_DESK_VULNERABILITIES_TALLY_H
#define SAQSHY_DESK_VULNERABILITIES_TALLY_H

#include "desk/vulnerabilities/room.h"

#define EVENTS_MAX (VULN_SURVEYS_MAX * 5 + VULN_ACTS_MAX * 2)

struct survey {
    int64_t    id, main_id;
    struct str mode;
    bool       control;
    time_ns    begun, completed, sent, due, measures;
    bool       seen;         /* by the vulnerability in hand */
    time_ns    seen_at;
    bool       known;        /* facts: read when first wanted */
    struct cover_facts facts;
    bool       asked[SIDE_COUNT];   /* cover_of of the vulnerability in hand: the event and the verdict want the same answer */
    struct cover_answer cover[SIDE_COUNT];
};
struct vuln_tally {
    struct call      *c;
    struct str        object;
    struct arena      a;
    struct survey     surveys[VULN_SURVEYS_MAX];
    size_t            count;
    bool              controls, intel;   /* intel: a list of exploited or probable ones is loaded */
    bool              waiting;           /* some survey has not been sent */
    bool              merges;            /* people said of some that they are one */
    struct life_event acts[VULN_ACTS_MAX * 2], events[EVENTS_MAX];
    size_t            act_count, event_count;
    struct life       life[SIDE_COUNT];
};

/* What is chosen among the sightings of one vulnerability, of one side. */
struct sum {
    int64_t    vuln, text, kev;
    size_t     sightings;
    int        severity;
    double     cvss, epss;
    time_ns    first, last, due;
    struct str title, hash, vector, cves;
    int64_t    key;          /* of one of the sightings */
};
/* What is the same for both sides. */
struct head {
    int64_t    told, own, own_text, into;   /* into: the one that it was merged into; own_text: what the owner wrote, as a text */
    time_ns    d15, own_due;
    bool       mixed;                       /* a survey that was not sent says something of it */
    bool       known;                       /* there is a row of what the owner knows */
    bool       judged[SIDE_COUNT];          /* verdicts are there */
    struct str org, key, host, protocol, component, path, contour;
    int64_t    port;
    struct version { bool any, live; struct str state; int severity; int64_t kev; time_ns first, at, fixed; } kept;   /* the version that stands now */
};

/* verdicts_put - count.c: the verdicts of one side. */
MUST_USE int verdicts_put(struct vuln_tally *t, const struct head *h, int64_t vuln, enum vuln_side side);
/* owner_write - the row and the verdicts of what the owner knows, or none. After the row of the centre. */
MUST_USE int owner_write(struct vuln_tally *t, const struct head *h, const struct sum *s);
/* owner_cves - of the keys that the owner may know. */
sqlite3_stmt *owner_cves(struct vuln_tally *t, int64_t vuln);

#endif
