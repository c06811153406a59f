/* count.c - one vulnerability, counted from what is known: its sightings, the surveys of its object, what people did. What stands in vuln and
 * vuln_verdict comes from here alone; every choice among sightings (title, severity, moment) is by a rule that knows no order of arrival.
 *
 * It is counted twice: for the centre from everything, for the owner from what results were sent of (tally.h); owner.c writes the second down. */
#include "desk/vulnerabilities/tally.h"

int vuln_tally_open(struct call *c, struct str object, struct vuln_tally **out)
{
    struct vuln_tally *t = calloc(1, sizeof *t);
    sqlite3_stmt *st;
    int rc;

    *out = t;
    if (!t)
        return err_set(c->e, -ENOMEM, "no memory to count");
    arena_init(&t->a, 4 * MIB);
    t->c = c;
    t->object = arena_copy(&t->a, object);
    st = db_query(c->d, c->e,
                  "SELECT id, mode, control, main_id, coalesce(begun_at, 0), coalesce(completed_at, 0), coalesce(sent_at, 0), coalesce(measures_due_at, 0),"
                  " coalesce(measures_at, 0) FROM vuln_survey WHERE object_id = ? AND cancelled = 0 ORDER BY id DESC LIMIT 512",
                  "t", object);
    rc = st ? 0 : -EIO;
    while (st && (rc = db_step(c->d, st, c->e)) > 0 && t->count < VULN_SURVEYS_MAX) {
        struct survey *y = &t->surveys[t->count++];

        *y = (struct survey){ .id = sqlite3_column_int64(st, 0), .mode = db_copy(st, 1, &t->a), .control = sqlite3_column_int(st, 2),
                              .main_id = sqlite3_column_int64(st, 3), .begun = sqlite3_column_int64(st, 4), .completed = sqlite3_column_int64(st, 5),
                              .sent = sqlite3_column_int64(st, 6), .due = sqlite3_column_int64(st, 7), .measures = sqlite3_column_int64(st, 8) };
        t->controls = t->controls || y->control;
        t->waiting = t->waiting || !y->sent;
    }
    int64_t loaded = 0, merges = 0;
    if (rc >= 0)
        rc = db_int(c->d, c->e, 0, &loaded, "SELECT 1 FROM intel_load WHERE state IN ('counting','applied') LIMIT 1", "");
    t->intel = loaded != 0;
    if (rc == 0)
        rc = db_int(c->d, c->e, 0, &merges, "SELECT 1 FROM vuln_rule WHERE object_id = ? AND kind = 'merge' AND ended_at IS NULL LIMIT 1", "t", object);
    t->merges = merges != 0;
    return rc < 0 ? rc : 0;
}

void vuln_tally_free(struct vuln_tally **t)
{
    if (!*t)
        return;
    arena_free(&(*t)->a);
    free(*t);
    *t = NULL;
}

static struct survey *survey_of(struct vuln_tally *t, int64_t id)
{
    for (size_t i = 0; i < t->count; i++)
        if (t->surveys[i].id == id)
            return &t->surveys[i];
    return NULL;
}

/* detected - the moment of a sighting, within the survey that it belongs to: a clock of a scanner that is wrong by years moves no term. */
static time_ns detected(const struct survey *y, time_ns at)
{
    if (y->begun && at < y->begun)
        at = y->begun;
    if (y->completed && at > y->completed)
        at = y->completed;
    return at;
}

/* better_title - the longer says more; of two as long, the first by letters. */
static bool better_title(struct str a, struct str b) { return a.n != b.n ? a.n > b.n : str_cmp(a, b) < 0; }

static void sum_take(struct vuln_tally *t, struct sum *s, sqlite3_stmt *st, time_ns at)
{
    struct arena *a = &t->c->a;
    struct str title = db_str(st, 7), vector = db_str(st, 3);
    double cvss = sqlite3_column_type(st, 2) == SQLITE_NULL ? -1 : sqlite3_column_double(st, 2);
    int severity = sqlite3_column_int(st, 1);

    s->sightings++;
    s->key = sqlite3_column_int64(st, 11);
    s->first = s->first == 0 || at < s->first ? at : s->first;
    s->last = at > s->last ? at : s->last;
    s->severity = severity > s->severity ? severity : s->severity;
    s->kev |= sqlite3_column_int(st, 5);
    if (sqlite3_column_type(st, 4) != SQLITE_NULL && sqlite3_column_double(st, 4) > s->epss)
        s->epss = sqlite3_column_double(st, 4);
    if (cvss > s->cvss || (cvss == s->cvss && str_cmp(vector, s->vector) > 0)) {
        s->cvss = cvss;
        s->vector = arena_copy(a, vector);
    }
    /* Of two texts with the same title, the one whose hash is first: ids follow the order of arrival, hashes do not. */
    struct str hash = str_of(sqlite3_column_blob(st, 9), (size_t)sqlite3_column_bytes(st, 9));
    if (s->text == 0 || better_title(title, s->title) || (str_eq(title, s->title) && str_cmp(hash, s->hash) < 0)) {
        s->title = arena_copy(a, title);
        s->hash = arena_copy(a, hash);
        s->text = sqlite3_column_int64(st, 8);
    }
}

/* sighting_take - for the centre; for the owner too where results of its survey were sent. What counts not yet, or outside, says only that it is there. */
static void sighting_take(struct vuln_tally *t, struct head *h, struct sum s[SIDE_COUNT], sqlite3_stmt *st)
{
    struct survey *y = survey_of(t, sqlite3_column_int64(st, 0));

    if (!y)
        return;
    h->mixed = h->mixed || !y->sent;
    if (!sqlite3_column_int(st, 10))
        return;
    time_ns at = detected(y, sqlite3_column_int64(st, 6));
    if (!y->seen || at < y->seen_at)
        y->seen_at = at;
    y->seen = true;
    sum_take(t, &s[SIDE_CENTRE], st, at);
    if (y->sent)
        sum_take(t, &s[SIDE_OWNER], st, at);
}

/* No order is asked for: sum_take chooses by rules that know none, and a sorter would cost more than the rest. */
static int sightings_of(struct vuln_tally *t, struct head *h, struct sum s[SIDE_COUNT])
{
    struct call *c = t->c;
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT r.survey_id, s.severity, s.cvss, s.vector, s.epss, s.kev, coalesce(nullif(s.seen_at, 0), r.started_at, r.ended_at, 0),"
                                " x.title, x.id, x.hash, s.outside = 0 AND r.state IN ('applying','applied'), k.id FROM vuln_key k JOIN vuln_sighting s ON s.key_id = k.id"
                                " JOIN vuln_result r ON r.id = s.result_id JOIN vuln_text x ON x.id = s.text_id WHERE k.vuln_id = ?",
                                "i", s->vuln);
    int rc = st ? 0 : -EIO;

    for (size_t i = 0; i < t->count; i++) {
        t->surveys[i].seen = false;
        memset(t->surveys[i].asked, 0, sizeof t->surveys[i].asked);
    }
    while (st && (rc = db_step(c->d, st, c->e)) > 0)
        sighting_take(t, h, s, st);
    return rc;
}

#define CVES_KEPT 32

/* cve_in_order - the first ones by letters, each once: nearly always one, for which a sorter of the tables costs more than all else here. */
static size_t cve_in_order(struct str list[CVES_KEPT], size_t n, struct str cve)
{
    size_t at = 0;

    while (at < n && str_cmp(list[at], cve) < 0)
        at++;
    if (at == CVES_KEPT || (at < n && str_eq(list[at], cve)))
        return n;
    n = n < CVES_KEPT ? n + 1 : n;
    memmove(&list[at + 1], &list[at], (n - at - 1) * sizeof *list);
    list[at] = cve;
    return n;
}

/* cves_take - *only is the key where one alone has a CVE, else 0. */
static int cves_take(struct vuln_tally *t, struct sum *s, sqlite3_stmt *st, int64_t *only)
{
    struct call *c = t->c;
    struct str list[CVES_KEPT];
    size_t n = 0, rows = 0;
    int rc = st ? 0 : -EIO;

    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        n = cve_in_order(list, n, db_copy(st, 0, &c->a));
        *only = rows++ ? 0 : sqlite3_column_int64(st, 1);
    }
    s->cves = STR("");
    for (size_t i = 0; rc == 0 && i < n; i++) {
        struct intel known = { false, -1 };

        rc = t->intel ? intel_of(c, list[i], &known) : 0;
        s->kev |= known.kev;
        s->epss = known.epss > s->epss ? known.epss : s->epss;
        s->cves = i ? arena_printf(&c->a, "%.*s, %.*s", STR_ARG(s->cves), STR_ARG(list[i])) : list[i];
    }
    return rc;
}

/* cves_of - the CVEs of the keys, with what is known of each: exploited, and how likely. */
static int cves_of(struct vuln_tally *t, const struct head *h, struct sum s[SIDE_COUNT])
{
    struct call *c = t->c;
    int64_t only = 0, none;
    int rc = cves_take(t, &s[SIDE_CENTRE], db_query(c->d, c->e, "SELECT cve, id FROM vuln_key WHERE vuln_id = ? AND cve IS NOT NULL", "i", s->vuln), &only);

    if (rc < 0 || (s[SIDE_OWNER].sightings == 0 && !h->own))
        return rc;
    /* Where there is none, the owner knows none; where one key alone has one and the owner was told of that key, it is the same. */
    if (h->mixed && s->cves.n && (only == 0 || only != s[SIDE_OWNER].key))
        return cves_take(t, &s[SIDE_OWNER], owner_cves(t, s->vuln), &none);
    s[SIDE_OWNER].cves = s->cves;
    s[SIDE_OWNER].kev = s->kev;
    s[SIDE_OWNER].epss = s->epss;
    return 0;
}

static void event_add_one(struct vuln_tally *t, struct life_event ev)
{
    if (t->event_count < EVENTS_MAX)
        t->events[t->event_count++] = ev;
}

/* order_of - when a survey stands among the others. Of one that was not sent the owner knows when it began. */
static time_ns order_of(const struct survey *y, enum vuln_side side)
{
    return y->completed && (side == SIDE_CENTRE || y->sent) ? y->completed : y->begun ? y->begun : y->seen_at;
}

static bool sees(const struct survey *y, enum vuln_side side) { return y->seen && (side == SIDE_CENTRE || y->sent); }

/* related - does a control survey check this? What an earlier survey of its mode saw, and what the owner found and no survey saw yet. */
static bool related(const struct vuln_tally *t, const struct survey *control, const struct head *h, const struct sum *s, enum vuln_side side)
{
    for (size_t i = 0; i < t->count; i++) {
        const struct survey *y = &t->surveys[i];

        if (y != control && sees(y, side) &&
            (y->id == control->main_id || (str_eq(y->mode, control->mode) && order_of(y, side) < order_of(control, side))))
            return true;
    }
    return h->own && s->sightings == 0;
}

/* covered - cover_of, asked once of each vulnerability and survey. Only where a survey waits for its letter may the owner's answer be another. */
static int covered(struct vuln_tally *t, const struct head *h, int64_t vuln, struct survey *y, enum vuln_side side)
{
    enum vuln_side as = h->mixed ? side : SIDE_CENTRE;
    int rc = y->known ? 0 : cover_facts_of(t->c, y->id, &y->facts);

    y->known = rc == 0;
    if (rc == 0 && !y->asked[as])
        rc = cover_of(t->c, vuln, y->id, as, &y->facts, &y->cover[as]);

    y->asked[as] = rc == 0;
    y->cover[side] = y->cover[as];
    y->asked[side] = y->asked[as];
    return rc;
}

static int control_events(struct vuln_tally *t, const struct head *h, struct sum *s, struct survey *y, enum vuln_side side)
{
    bool ours = related(t, y, h, s, side), seen = sees(y, side), told = side == SIDE_CENTRE || y->sent;
    struct life_event ended = { .kind = LIFE_CONTROL_ENDED, .at = y->completed, .id = y->id, .seen = seen, .related = ours };
    int rc = 0;

    if (y->begun && (ours || seen))
        event_add_one(t, (struct life_event){ .kind = LIFE_CONTROL_BEGUN, .at = y->begun, .id = y->id, .related = ours });
    if (!told || (!ours && !seen))
        return 0;
    if (!y->completed) {
        if (seen)
            event_add_one(t, (struct life_event){ .kind = LIFE_SEEN, .at = order_of(y, side), .id = y->id });
        return 0;
    }
    if (ours && !seen) {
        rc = covered(t, h, s->vuln, y, side);
        ended.cover = rc == 0 && y->cover[side].proved ? COVER_PROVED : COVER_NOT;
    }
    event_add_one(t, ended);
    return rc;
}

static int survey_events(struct vuln_tally *t, const struct head *h, struct sum *s, struct survey *y, enum vuln_side side)
{
    int rc = y->control ? control_events(t, h, s, y, side) : 0;

    if (!sees(y, side))
        return rc;
    if (!y->control)
        event_add_one(t, (struct life_event){ .kind = LIFE_SEEN, .at = order_of(y, side), .id = y->id });
    if (y->sent)
        event_add_one(t, (struct life_event){ .kind = LIFE_SENT, .at = y->sent, .id = y->id });
    if (y->measures)
        event_add_one(t, (struct life_event){ .kind = LIFE_MEASURES, .at = y->measures, .id = y->id });
    return rc;
}

static const struct { const char *kind; enum life_kind event; } act_events[] = {
    { "found", LIFE_OWNER_FOUND }, { "reported", LIFE_OWNER_REPORTED }, { "measures", LIFE_MEASURES }, { "claim", LIFE_CLAIM },
    { "return", LIFE_CLAIM_RETURNED }, { "withdraw", LIFE_CLAIM_WITHDRAWN }, { "expire", LIFE_CLAIM_EXPIRED }, { "accept", LIFE_CLAIM_ACCEPTED },
    { "close", LIFE_CLOSED },
};

/* found_take - what the owner found counts for both sides, by the owner's word. */
static void found_take(struct head *h, struct sum s[SIDE_COUNT], sqlite3_stmt *st, time_ns at)
{
    h->own = 1;
    h->own_text = h->own_text ? h->own_text : sqlite3_column_int64(st, 5);
    for (size_t i = 0; i < SIDE_COUNT; i++) {
        s[i].first = s[i].first == 0 || at < s[i].first ? at : s[i].first;
        s[i].last = at > s[i].last ? at : s[i].last;
        s[i].severity = s[i].sightings ? s[i].severity : SEV_UNKNOWN;
    }
}

static void act_take(struct vuln_tally *t, struct head *h, struct sum s[SIDE_COUNT], sqlite3_stmt *st)
{
    struct str kind = db_str(st, 1), category = db_str(st, 3);
    time_ns at = sqlite3_column_int64(st, 2), until = sqlite3_column_int64(st, 4);
    struct life_event ev = { .at = at, .id = sqlite3_column_int64(st, 0), .claim = VULN_NONE };

    for (size_t i = 0; i < COUNT(act_events); i++) {
        if (!str_eq(kind, str_c(act_events[i].kind)))
            continue;
        ev.kind = act_events[i].event;
        if (ev.kind == LIFE_CLAIM) {
            ev.claim = str_eq(category, STR("production_necessity")) ? VULN_CLAIM_NECESSITY
                       : str_eq(category, STR("zero_day"))           ? VULN_CLAIM_ZERO_DAY
                                                                     : VULN_CLAIM_FALSE;
            h->own_due = until;
        }
        if (ev.kind == LIFE_OWNER_FOUND)
            found_take(h, s, st, at);
        if (t->act_count < COUNT(t->acts))
            t->acts[t->act_count++] = ev;
    }
}

/* acts_of - what people did to it, and to what was merged into it. */
static int acts_of(struct vuln_tally *t, struct head *h, struct sum s[SIDE_COUNT])
{
    struct call *c = t->c;
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT id, kind, at, category, until, text_id FROM vuln_act WHERE (vuln_id = ?1 OR vuln_id IN (SELECT id FROM vuln WHERE merged_into ="
                                " ?1)) AND kind NOT IN ('note','consultation') ORDER BY at, id LIMIT 512",
                                "i", s->vuln);
    int rc = st ? 0 : -EIO;

    while (st && (rc = db_step(c->d, st, c->e)) > 0)
        act_take(t, h, s, st);
    return rc;
}

/* live_of - the life of one side. */
static int live_of(struct vuln_tally *t, const struct head *h, struct sum *s, enum vuln_side side)
{
    int rc = 0;

    memcpy(t->events, t->acts, t->act_count * sizeof *t->acts);
    t->event_count = t->act_count;
    for (size_t i = 0; rc == 0 && i < t->count; i++)
        rc = survey_events(t, h, s, &t->surveys[i], side);
    if (rc == 0)
        life_of(t->events, t->event_count, &t->life[side]);
    return rc;
}

/* --- what follows --- */

static bool claimed_necessity(const struct life *l) { return l->state == VULN_CLAIM_NECESSITY; }

/* duty_follow - D-15 runs while the claim of production necessity stands, from the first detection; it ends with the fix or with the claim. It is the
 * owner's: what ends it is what they were told. */
static int duty_follow(struct vuln_tally *t, struct head *h, struct sum s[SIDE_COUNT])
{
    struct call *c = t->c;
    struct subject about = { .kind = "vulnerability", .id = arena_printf(&c->a, "%lld", (long long)s->vuln), .object_id = t->object, .org_id = h->org };
    const struct life *l = &t->life[SIDE_OWNER];
    time_ns first = s[SIDE_OWNER].first, cap = 0;
    int rc = 0;

    if (claimed_necessity(l) || l->state == VULN_UNDER_CONTROL) {
        if (claimed_necessity(l) && first != h->d15) {
            rc = duties_begin(c, &about, "D-15", (struct duty_start){ first, false }, NULL);
            h->d15 = first;
        }
    } else if (h->d15 && (l->state == VULN_FIXED || l->state == VULN_CLOSED)) {
        rc = duties_fulfil(c, &about, "D-15", l->since);
        h->d15 = 0;
    } else if (h->d15 && l->state != VULN_CLAIM_EXPIRED) {
        rc = duties_cancel(c, &about, "D-15", "vulnerability.duty.claim_ended");
        h->d15 = 0;
    }
    for (size_t i = 0; rc >= 0 && i < SIDE_COUNT; i++)
        if (claimed_necessity(&t->life[i])) {
            rc = cap ? 0 : duties_due(c, &about, "D-15", &cap);
            s[i].due = cap && (h->own_due == 0 || cap < h->own_due) ? cap : h->own_due;
        }
    return rc < 0 ? rc : 0;
}

static void due_of(struct vuln_tally *t, struct sum *s, enum vuln_side side)
{
    if (t->life[side].state == VULN_FOUND_BY_OWNER)
        s->due = s->first + 24 * NS_PER_HOUR;
    for (size_t i = 0; t->life[side].state == VULN_SENT && i < t->count; i++)
        if (t->surveys[i].seen && t->surveys[i].sent && t->surveys[i].due > s->due)
            s->due = t->surveys[i].due;
}

static int verdict_put(struct vuln_tally *t, const struct head *h, int64_t vuln, const struct life_verdict *v, enum vuln_side side)
{
    static const char *const put[SIDE_COUNT] = {
        "INSERT INTO vuln_verdict(survey_id, vuln_id, verdict, reason, proof) VALUES (?1,?2,?3,?4,nullif(?5, 0)) ON CONFLICT DO UPDATE SET verdict = ?3, reason ="
        " ?4, proof = nullif(?5, 0) WHERE (verdict, reason, proof) IS NOT (?3, ?4, nullif(?5, 0))",
        "INSERT INTO vuln_owner_verdict(survey_id, vuln_id, verdict, reason, proof) VALUES (?1,?2,?3,?4,nullif(?5, 0)) ON CONFLICT DO UPDATE SET verdict = ?3, reason ="
        " ?4, proof = nullif(?5, 0) WHERE (verdict, reason, proof) IS NOT (?3, ?4, nullif(?5, 0))",
    };
    struct call *c = t->c;
    struct cover_answer answer = { .reason = "" };
    struct survey *y = survey_of(t, v->survey);
    bool fixed = strcmp(v->verdict, "fixed") == 0;
    int rc = 0;

    if (y && (fixed || strcmp(v->verdict, "not_covered") == 0)) {
        rc = covered(t, h, vuln, y, side);
        answer = y->cover[side];
    }
    if (rc == 0)
        rc = db_exec(c->d, c->e, put[side], "iizzi", v->survey, vuln, v->verdict, fixed ? "" : answer.reason, answer.row);
    return rc < 0 ? rc : 0;
}

/* verdicts_drop - those of surveys that say nothing of it any more. */
static int verdicts_drop(struct vuln_tally *t, int64_t vuln, enum vuln_side side)
{
    static const char *const all[SIDE_COUNT] = { "SELECT survey_id FROM vuln_verdict WHERE vuln_id = ?", "SELECT survey_id FROM vuln_owner_verdict WHERE vuln_id = ?" };
    static const char *const drop[SIDE_COUNT] = { "DELETE FROM vuln_verdict WHERE survey_id = ? AND vuln_id = ?",
                                                  "DELETE FROM vuln_owner_verdict WHERE survey_id = ? AND vuln_id = ?" };
    struct call *c = t->c;
    int64_t gone[VULN_SURVEYS_MAX];
    size_t n = 0;
    sqlite3_stmt *st = db_query(c->d, c->e, all[side], "i", vuln);
    int rc = st ? 0 : -EIO;

    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        bool stays = false;

        for (size_t i = 0; i < t->life[side].verdict_count; i++)
            stays = stays || t->life[side].verdicts[i].survey == sqlite3_column_int64(st, 0);
        if (!stays && n < VULN_SURVEYS_MAX)
            gone[n++] = sqlite3_column_int64(st, 0);
    }
    for (size_t i = 0; rc >= 0 && i < n; i++)
        rc = db_exec(c->d, c->e, drop[side], "ii", gone[i], vuln);
    return rc < 0 ? rc : 0;
}

int verdicts_put(struct vuln_tally *t, const struct head *h, int64_t vuln, enum vuln_side side)
{
    int rc = h->judged[side] ? verdicts_drop(t, vuln, side) : 0;

    for (size_t i = 0; rc >= 0 && i < t->life[side].verdict_count; i++)
        rc = verdict_put(t, h, vuln, &t->life[side].verdicts[i], side);
    return rc < 0 ? rc : 0;
}

/* merged_where - a vulnerability without keys of its own went into another, or lives no more. */
static int merged_where(struct vuln_tally *t, const struct sum *s, int64_t *into)
{
    struct call *c = t->c;
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT key FROM vuln WHERE id = ?", "i", s->vuln);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;
    struct str key;

    *into = 0;
    if (rc <= 0)
        return rc;
    key = db_copy(st, 0, &c->a);
    db_done(st);
    /* Where what bears its own key went, by whatever rule. */
    rc = db_int(c->d, c->e, 0, into, "SELECT vuln_id FROM vuln_key WHERE object_id = ? AND text = ? AND vuln_id <> ?", "tti", t->object, key, s->vuln);
    if (rc < 0 || *into)
        return rc;
    for (int i = 0; i < VULN_CHAIN_MAX; i++) {
        st = db_query(c->d, c->e, "SELECT becomes FROM vuln_rule WHERE kind = 'merge' AND coalesce(object_id, '') = ? AND was = ? AND ended_at IS NULL", "tt",
                      t->object, key);
        rc = st ? db_step(c->d, st, c->e) : -EIO;
        if (rc <= 0)
            break;
        key = db_copy(st, 0, &c->a);
        db_done(st);
    }
    return rc < 0 ? rc : db_int(c->d, c->e, 0, into, "SELECT id FROM vuln WHERE object_id = ? AND key = ? AND id <> ?", "tti", t->object, key, s->vuln);
}

/* version_keep - after the row: a version ends where the next begins, and what is as it was makes none. A clock that went back does not order them anew. */
static int version_keep(struct vuln_tally *t, const struct head *h, const struct sum *s, bool live)
{
    struct call *c = t->c;
    const struct version *k = &h->kept;
    const struct life *l = &t->life[SIDE_CENTRE];
    time_ns at = k->any && k->at > c->now ? k->at : c->now;
    int64_t vuln = s->vuln;
    int rc = 0;

    if (k->any ? k->live == live && k->severity == s->severity && k->kev == s->kev && k->first == s->first &&
                     str_eq(k->state, str_c(vuln_state_values[l->state]))
               : !live)
        return 0;
    if (k->any && at > k->at)   /* at the same moment the row is replaced */
        rc = db_exec(c->d, c->e, "UPDATE vuln_version SET until = ?3 WHERE vuln_id = ?1 AND at = ?2", "iii", vuln, k->at, at);
    if (rc < 0)
        return rc;
    rc = db_exec(c->d, c->e,
                 "INSERT OR REPLACE INTO vuln_version(vuln_id, at, until, live, state, open, severity, kev, first_detected_at, fixed_at) VALUES (?1, ?2,"
                 " 9223372036854775807, ?3, ?4, ?5, ?6, ?7, ?8, nullif(?9, 0))", "iiiziiiii", vuln, at, (int64_t)live, vuln_state_values[l->state],
                 (int64_t)vuln_state_open(l->state), (int64_t)s->severity, s->kev, s->first, l->state == VULN_FIXED ? l->since : l->state == VULN_CLOSED ? k->fixed : 0);
    return rc < 0 ? rc : 0;
}

/* A row that stands as it was is not written: each would be taken out of six indexes and put back. Of one that never lived nobody asks whether it does. */
#define VULN_SET                                                                                                                                       \
    "live = ?2, merged_into = nullif(?3, 0), state = ?4, open = ?5, since = ?6, sent = ?7, own = ?8, rank = ?9, severity = ?10, cvss = iif(?11 < 0, NULL, ?11 / 10.0),"   \
    " vector = ?12, kev = ?13, epss = iif(?14 < 0, NULL, ?14 / 100000.0), text_id = nullif(?15, 0), cves = ?16, first_detected_at = ?17, last_seen_at = ?18,"             \
    " due_at = ?19, d15_from = ?20"
#define VULN_CHANGED                                                                                                                                   \
    "(live, merged_into, state, open, since, sent, own, rank, severity, cvss, vector, kev, epss, text_id, cves, first_detected_at, last_seen_at, due_at, d15_from) IS NOT" \
    " (?2, nullif(?3, 0), ?4, ?5, ?6, ?7, ?8, ?9, ?10, iif(?11 < 0, NULL, ?11 / 10.0), ?12, ?13, iif(?14 < 0, NULL, ?14 / 100000.0), nullif(?15, 0), ?16, ?17, ?18, ?19,"  \
    " ?20)"

static int row_write(struct vuln_tally *t, const struct head *h, const struct sum *s)
{
    struct call *c = t->c;
    const struct life *l = &t->life[SIDE_CENTRE];
    bool sent = h->own && s->sightings == 0, live = l->state != VULN_NONE && (s->sightings > 0 || h->own), fresh = live && !h->kept.any;
    int rc = 0;

    for (size_t i = 0; i < t->count; i++)
        sent = sent || (t->surveys[i].seen && t->surveys[i].sent);
    rc = db_exec(c->d, c->e, fresh ? "UPDATE vuln SET " VULN_SET " WHERE id = ?1" : "UPDATE vuln SET " VULN_SET " WHERE id = ?1 AND " VULN_CHANGED,
                 "iiiziiiiiiitiiitiimm", s->vuln, (int64_t)live, live ? 0 : h->into, vuln_state_values[l->state], (int64_t)vuln_state_open(l->state), l->since, (int64_t)sent,
                 h->own, rank_of(s->kev, s->severity, s->epss, s->first), (int64_t)s->severity, (int64_t)(s->cvss >= 0 ? s->cvss * 10 + 0.5 : -1), s->vector,
                 s->kev, (int64_t)(s->epss > 0 ? s->epss * 100000 + 0.5 : -1), s->text, s->cves, s->first, s->last, s->due, h->d15);
    return rc < 0 ? rc : version_keep(t, h, s, live);
}

static int head_read(struct vuln_tally *t, struct head *h, int64_t vuln)
{
    struct call *c = t->c;
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT v.told, v.d15_from, iif(v.told, (SELECT o.org_id FROM object o WHERE o.id = v.object_id), NULL),"
                                            " x.live, x.state, x.severity, x.kev, x.first_detected_at, EXISTS (SELECT 1 FROM vuln_owner w WHERE w.id = v.id), x.at, x.fixed_at, v.key, v.host, v.port,"
                                            " v.protocol, v.component, v.path, v.contour, EXISTS (SELECT 1 FROM vuln_verdict d WHERE d.vuln_id = v.id), EXISTS (SELECT 1"
                                            " FROM vuln_owner_verdict d WHERE d.vuln_id = v.id) FROM vuln v"
                                            " LEFT JOIN vuln_version x ON x.vuln_id = v.id AND x.until = 9223372036854775807 WHERE v.id = ?", "i", vuln);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    if (rc <= 0)
        return rc < 0 ? rc : err_set(c->e, -ENOENT, "no vulnerability %lld", (long long)vuln);
    h->told = sqlite3_column_int64(st, 0);
    h->d15 = sqlite3_column_int64(st, 1);
    h->org = h->told ? db_copy(st, 2, &c->a) : STR("");
    if (sqlite3_column_type(st, 3) != SQLITE_NULL)
        h->kept = (struct version){ true, sqlite3_column_int(st, 3), db_copy(st, 4, &c->a), sqlite3_column_int(st, 5), sqlite3_column_int64(st, 6),
                                    sqlite3_column_int64(st, 7), sqlite3_column_int64(st, 9), sqlite3_column_int64(st, 10) };
    h->known = sqlite3_column_int(st, 8);
    h->key = db_copy(st, 11, &c->a);
    h->host = db_copy(st, 12, &c->a);
    h->port = sqlite3_column_int64(st, 13);
    h->protocol = db_copy(st, 14, &c->a);
    h->component = db_copy(st, 15, &c->a);
    h->path = db_copy(st, 16, &c->a);
    h->contour = db_copy(st, 17, &c->a);
    h->judged[SIDE_CENTRE] = sqlite3_column_int(st, 18);
    h->judged[SIDE_OWNER] = sqlite3_column_int(st, 19);
    db_done(st);
    return 0;
}

/* both_count - sightings, CVEs and acts into both sums. */
static int both_count(struct vuln_tally *t, struct head *h, struct sum s[SIDE_COUNT])
{
    int rc = head_read(t, h, s->vuln);

    t->act_count = 0;
    if (rc == 0)
        rc = sightings_of(t, h, s);
    if (rc == 0 && s->sightings == 0)
        rc = merged_where(t, s, &h->into);
    if (rc == 0 && h->told && !h->into)   /* of one that was merged into another, they count there */
        rc = acts_of(t, h, s);
    if (rc == 0)
        rc = cves_of(t, h, s);
    for (size_t i = 0; i < SIDE_COUNT; i++)
        if (h->own && s[i].sightings == 0)
            s[i].text = h->own_text;
    return rc;
}

/* lives_of - of the owner only where there is something that they may know. */
static int lives_of(struct vuln_tally *t, struct head *h, struct sum s[SIDE_COUNT])
{
    int rc = live_of(t, h, &s[SIDE_CENTRE], SIDE_CENTRE);

    t->life[SIDE_OWNER].state = VULN_NONE;
    t->life[SIDE_OWNER].verdict_count = 0;
    if (rc == 0 && !t->waiting)
        t->life[SIDE_OWNER] = t->life[SIDE_CENTRE];
    else if (rc == 0 && (s[SIDE_OWNER].sightings || h->own))
        rc = live_of(t, h, &s[SIDE_OWNER], SIDE_OWNER);
    return rc;
}

int vuln_recount(struct vuln_tally *t, int64_t vuln)
{
    const struct sum none = { .vuln = vuln, .cvss = -1, .epss = -1, .vector = STR(""), .title = STR(""), .hash = STR(""), .cves = STR("") };
    struct sum s[SIDE_COUNT] = { none, none };
    struct head h = { .org = STR("") };
    int rc = both_count(t, &h, s);

    if (rc == 0)
        rc = lives_of(t, &h, s);
    if (rc < 0)
        return rc;
    for (enum vuln_side i = 0; i < SIDE_COUNT; i++)
        due_of(t, &s[i], i);
    if (h.told)
        rc = duty_follow(t, &h, s);
    if (rc == 0)
        rc = verdicts_put(t, &h, vuln, SIDE_CENTRE);
    if (rc == 0)
        rc = row_write(t, &h, &s[SIDE_CENTRE]);
    return rc < 0 ? rc : owner_write(t, &h, &s[SIDE_OWNER]);
}

int vuln_recount_one(struct call *c, int64_t vuln)
{
    struct vuln_tally *t = NULL;
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT object_id FROM vuln WHERE id = ?", "i", vuln);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    if (rc <= 0)
        return rc < 0 ? rc : err_set(c->e, -ENOENT, "no vulnerability %lld", (long long)vuln);
    struct str object = db_copy(st, 0, &c->a);
    db_done(st);
    rc = vuln_tally_open(c, object, &t);
    if (rc == 0)
        rc = vuln_recount(t, vuln);
    vuln_tally_free(&t);
    return rc;
}
