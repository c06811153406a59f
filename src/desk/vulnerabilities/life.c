/* life.c - the machine of requirements 7.4: what happened to a vulnerability, in the order of time, and where it stands after it.
 *
 * The state is never stepped by the import that happens to come: it is counted from everything that is known, so the order of imports cannot matter. */
#include "desk/vulnerabilities/room.h"

const char *const vuln_state_values[] = {
    "none", "found_by_survey", "found_by_owner", "sent_to_owner", "reported_to_sts", "measures_reported", "claimed_production_necessity", "claimed_zero_day",
    "claimed_false_positive", "claim_returned", "claim_expired", "under_control_survey", "fixed", "persisting", "reappeared", "closed", NULL,
};
static_assert(COUNT(vuln_state_values) == VULN_STATE_COUNT + 1, "a name for each state");

enum vuln_state vuln_state_parse(struct str s)
{
    for (size_t i = 1; i < VULN_STATE_COUNT; i++)
        if (str_eq(s, str_c(vuln_state_values[i])))
            return (enum vuln_state)i;
    return VULN_NONE;
}

bool vuln_state_open(enum vuln_state s) { return s != VULN_NONE && s != VULN_FIXED && s != VULN_CLOSED; }

#define S(state) (1u << VULN_##state)
#define CLAIMED  (S(CLAIM_NECESSITY) | S(CLAIM_ZERO_DAY) | S(CLAIM_FALSE))
#define OWNED    (S(SENT) | S(REPORTED) | S(MEASURES) | S(PERSISTING) | S(REAPPEARED) | S(CLAIM_RETURNED) | S(CLAIM_EXPIRED))
#define OPEN     (CLAIMED | OWNED | S(FOUND_BY_SURVEY) | S(FOUND_BY_OWNER) | S(UNDER_CONTROL))

/* The table of 7.4: from which states an event moves, and to which. Rows of requirements 7.4 in the last column. What is not in the table stays. */
static const struct {
    enum life_kind  kind;
    unsigned        from;
    enum vuln_state to;
} moves[] = {
    { LIFE_OWNER_FOUND, S(NONE) | S(FOUND_BY_SURVEY), VULN_FOUND_BY_OWNER },                 /* 2: nobody had told the owner */
    { LIFE_OWNER_REPORTED, S(FOUND_BY_OWNER) | S(NONE), VULN_REPORTED },                    /* 4 */
    { LIFE_SEEN, S(NONE), VULN_FOUND_BY_SURVEY },                                           /* 1 */
    { LIFE_SEEN, S(FIXED), VULN_REAPPEARED },                                               /* 15 */
    { LIFE_CONTROL_BEGUN, S(MEASURES) | CLAIMED, VULN_UNDER_CONTROL },                      /* 9 */
    { LIFE_SENT, S(FOUND_BY_SURVEY) | S(PERSISTING) | S(REAPPEARED), VULN_SENT },           /* 3, 11: "new results" */
    { LIFE_MEASURES, S(SENT) | S(REPORTED) | S(CLAIM_RETURNED) | S(CLAIM_EXPIRED), VULN_MEASURES },  /* 6 */
    { LIFE_CLAIM_RETURNED, CLAIMED | S(UNDER_CONTROL), VULN_CLAIM_RETURNED },               /* 8 */
    { LIFE_CLAIM_EXPIRED, S(CLAIM_NECESSITY) | S(UNDER_CONTROL), VULN_CLAIM_EXPIRED },      /* 13 */
    { LIFE_CLAIM_ACCEPTED, S(CLAIM_FALSE), VULN_CLOSED },                                   /* 16 */
    { LIFE_CLOSED, S(FIXED), VULN_CLOSED },                                                 /* 16 */
};

/* Acts that people do, and in which states they are offered. */
static const struct {
    enum life_kind act;
    unsigned       from;
} offers[] = {
    { LIFE_OWNER_REPORTED, S(FOUND_BY_OWNER) },
    { LIFE_CLAIM, OWNED },                                                                  /* 7 */
    { LIFE_CLAIM_RETURNED, CLAIMED },                                                       /* 8 */
    { LIFE_CLAIM_WITHDRAWN, CLAIMED },
    { LIFE_CLAIM_ACCEPTED, S(CLAIM_FALSE) },                                                /* 16 */
    { LIFE_MEASURES, S(SENT) | S(REPORTED) | S(MEASURES) | S(CLAIM_RETURNED) | S(CLAIM_EXPIRED) | S(PERSISTING) | S(REAPPEARED) },
    { LIFE_CLOSED, S(FIXED) },
};

bool life_allows(enum vuln_state s, enum life_kind act)
{
    for (size_t i = 0; i < COUNT(offers); i++)
        if (offers[i].act == act)
            return (offers[i].from & (1u << s)) != 0;
    return false;
}

static int event_order(const void *a, const void *b)
{
    const struct life_event *x = a, *y = b;

    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    return x->id < y->id ? -1 : x->id > y->id;
}

struct walk {
    struct life    *out;
    enum vuln_state before;     /* the control survey: where it goes back to if nothing is shown */
    enum vuln_state claim;      /* the valid claim; VULN_NONE: none stands */
    enum vuln_state unclaimed;  /* where it stood before the claim */
    bool            by_claim;   /* closed because a false positive was accepted */
    bool            known;      /* somebody saw it before */
};

static void to(struct walk *w, enum vuln_state s, time_ns at)
{
    if (s != w->out->state)
        w->out->since = at;
    w->out->state = s;
}

static void judge(struct walk *w, int64_t survey, const char *verdict)
{
    if (w->out->verdict_count < VULN_SURVEYS_MAX)
        w->out->verdicts[w->out->verdict_count++] = (struct life_verdict){ survey, verdict };
}

/* seen_again - the control survey found it: rows 11, 12 and 15, or it is new. */
static void seen_again(struct walk *w, const struct life_event *e)
{
    enum vuln_state s = w->out->state;

    if (!w->known || s == VULN_NONE) {
        judge(w, e->id, "new");
        to(w, VULN_FOUND_BY_SURVEY, e->at);
    } else if (s == VULN_CLOSED && w->by_claim) {
        judge(w, e->id, "claimed");
    } else if (s == VULN_FIXED || s == VULN_CLOSED) {
        judge(w, e->id, "reopened");
        to(w, VULN_REAPPEARED, e->at);
    } else if (w->claim != VULN_NONE) {
        judge(w, e->id, "claimed");
        to(w, w->claim, e->at);
    } else {
        judge(w, e->id, "not_fixed");
        to(w, VULN_PERSISTING, e->at);
    }
}

static void control_ended(struct walk *w, const struct life_event *e)
{
    bool was_open = vuln_state_open(w->out->state);

    if (e->seen) {
        seen_again(w, e);
    } else if (e->related && w->known && was_open) {
        if (e->cover == COVER_PROVED) {
            judge(w, e->id, "fixed");
            to(w, VULN_FIXED, e->at);
            w->claim = VULN_NONE;
        } else {
            judge(w, e->id, "not_covered");
            if (w->out->state == VULN_UNDER_CONTROL)
                to(w, w->before, e->at);
        }
    }
    w->known = w->known || e->seen;
}

static void claim(struct walk *w, const struct life_event *e)
{
    if (!vuln_state_open(w->out->state))
        return;
    if (w->claim == VULN_NONE)
        w->unclaimed = w->out->state;
    w->claim = e->claim;
    to(w, e->claim, e->at);
}

static void plain(struct walk *w, const struct life_event *e)
{
    for (size_t i = 0; i < COUNT(moves); i++) {
        if (moves[i].kind != e->kind || !(moves[i].from & (1u << w->out->state)))
            continue;
        if (e->kind == LIFE_CONTROL_BEGUN)
            w->before = w->out->state;
        to(w, moves[i].to, e->at);
        return;
    }
    if (e->kind == LIFE_SEEN && w->out->state == VULN_CLOSED && !w->by_claim)
        to(w, VULN_REAPPEARED, e->at);
}

static void step(struct walk *w, const struct life_event *e)
{
    bool claimed = w->claim != VULN_NONE;

    switch (e->kind) {
    case LIFE_CONTROL_ENDED:
        control_ended(w, e);
        return;
    case LIFE_CLAIM:
        claim(w, e);
        return;
    case LIFE_CLAIM_WITHDRAWN:
        if (claimed && vuln_state_open(w->out->state))
            to(w, w->unclaimed, e->at);
        w->claim = VULN_NONE;
        return;
    case LIFE_CONTROL_BEGUN:
        if (e->related)
            plain(w, e);
        return;
    case LIFE_CLAIM_EXPIRED:
        if (w->claim != VULN_CLAIM_NECESSITY)
            return;
        break;
    case LIFE_CLAIM_RETURNED:
        if (!claimed)
            return;
        break;
    case LIFE_CLAIM_ACCEPTED:
        w->by_claim = w->out->state == VULN_CLAIM_FALSE;
        break;
    case LIFE_OWNER_FOUND:
        w->out->owner = w->out->state == VULN_NONE;
        break;
    default:
        break;
    }
    plain(w, e);
    if (e->kind == LIFE_CLAIM_EXPIRED || e->kind == LIFE_CLAIM_RETURNED)
        w->claim = VULN_NONE;
    if (e->kind == LIFE_SEEN || e->kind == LIFE_OWNER_FOUND || e->kind == LIFE_OWNER_REPORTED)
        w->known = true;
}

void life_of(struct life_event *events, size_t count, struct life *out)
{
    struct walk w = { .out = out };

    out->state = VULN_NONE;
    out->since = 0;
    out->owner = false;
    out->verdict_count = 0;
    if (count > 1)
        qsort(events, count, sizeof *events, event_order);
    for (size_t i = 0; i < count; i++)
        step(&w, &events[i]);
}
