/* count.c - one vulnerability, counted from what is known: its sightings, the surveys of its object, what people did. What stands in vuln and
 * vuln_verdict comes from here alone; every choice among sightings (title, severity, moment) is by a rule that knows no order of arrival. */
#include "desk/vulnerabilities/room.h"

#define EVENTS_MAX (VULN_SURVEYS_MAX * 5 + VULN_ACTS_MAX * 2)

struct survey {
    int64_t    id, main_id;
    struct str mode;
    bool       control;
    time_ns    begun, completed, sent, due, measures;
    bool       seen;         /* by the vulnerability in hand */
    time_ns    seen_at;
    bool       asked;        /* cover_of of the vulnerability in hand: the event and the verdict want the same answer */
    struct cover_answer cover;
};
struct vuln_tally {
    struct call      *c;
    struct str        object;
    struct arena      a;
    struct survey     surveys[VULN_SURVEYS_MAX];
    size_t            count;
    bool              controls, intel;   /* intel: a list of exploited or probable ones is loaded */
    struct life_event events[EVENTS_MAX];
    size_t            event_count;
    struct life       life;
};

/* What is chosen among the sightings of one vulnerability. */
struct sum {
    int64_t    vuln, text;
    size_t     sightings;
    int        severity;
    int64_t    kev, told, own, was_told, into;   /* into: the one that it was merged into */
    double     cvss, epss;
    time_ns    first, last, due, d15, own_due;
    struct str title, hash, vector, cves, was_state, org;
    struct version { bool any, live; struct str state; int severity; int64_t kev; time_ns first; } kept;   /* the version that stands now */
};

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
    }
    int64_t loaded = 0;
    if (rc >= 0)
        rc = db_int(c->d, c->e, 0, &loaded, "SELECT 1 FROM intel_load WHERE state IN ('counting','applied') LIMIT 1", "");
    t->intel = loaded != 0;
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

static void sighting_take(struct vuln_tally *t, struct sum *s, sqlite3_stmt *st)
{
    struct survey *y = survey_of(t, sqlite3_column_int64(st, 0));
    struct arena *a = &t->c->a;
    struct str title = db_str(st, 7), vector = db_str(st, 3);
    double cvss = sqlite3_column_type(st, 2) == SQLITE_NULL ? -1 : sqlite3_column_double(st, 2);
    int severity = sqlite3_column_int(st, 1);

    if (!y)
        return;
    time_ns at = detected(y, sqlite3_column_int64(st, 6));
    if (!y->seen || at < y->seen_at)
        y->seen_at = at;
    y->seen = true;
    s->sightings++;
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

/* No order is asked for: sighting_take chooses by rules that know none, and a sorter would cost more than the rest. */
static int sightings_of(struct vuln_tally *t, struct sum *s)
{
    struct call *c = t->c;
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT r.survey_id, s.severity, s.cvss, s.vector, s.epss, s.kev, coalesce(nullif(s.seen_at, 0), r.started_at, r.ended_at, 0),"
                                " x.title, x.id, x.hash FROM vuln_key k JOIN vuln_sighting s ON s.key_id = k.id JOIN vuln_result r ON r.id = s.result_id JOIN"
                                " vuln_text x ON x.id = s.text_id WHERE k.vuln_id = ? AND s.outside = 0 AND r.state IN ('applying','applied')",
                                "i", s->vuln);
    int rc = st ? 0 : -EIO;

    for (size_t i = 0; i < t->count; i++)
        t->surveys[i].seen = t->surveys[i].asked = false;
    while (st && (rc = db_step(c->d, st, c->e)) > 0)
        sighting_take(t, s, st);
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

/* cves_of - the CVEs of the keys, with what is known of each: exploited, and how likely. */
static int cves_of(struct vuln_tally *t, struct sum *s)
{
    struct call *c = t->c;
    struct str list[CVES_KEPT];
    size_t n = 0;
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT cve FROM vuln_key WHERE vuln_id = ? AND cve IS NOT NULL", "i", s->vuln);
    int rc = st ? 0 : -EIO;

    while (st && (rc = db_step(c->d, st, c->e)) > 0)
        n = cve_in_order(list, n, db_copy(st, 0, &c->a));
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

static void event_add_one(struct vuln_tally *t, struct life_event ev)
{
    if (t->event_count < EVENTS_MAX)
        t->events[t->event_count++] = ev;
}

static time_ns order_of(const struct survey *y) { return y->completed ? y->completed : y->begun ? y->begun : y->seen_at; }

/* related - does a control survey check this? What an earlier survey of its mode saw, and what the owner found and no survey saw yet. */
static bool related(const struct vuln_tally *t, const struct survey *control, const struct sum *s)
{
    for (size_t i = 0; i < t->count; i++) {
        const struct survey *y = &t->surveys[i];

        if (y != control && y->seen && (y->id == control->main_id || (str_eq(y->mode, control->mode) && order_of(y) < order_of(control))))
            return true;
    }
    return s->own && s->sightings == 0;
}

/* covered - cover_of, asked once of each vulnerability and survey. */
static int covered(struct vuln_tally *t, const struct sum *s, struct survey *y)
{
    int rc = y->asked ? 0 : cover_of(t->c, s->vuln, y->id, &y->cover);

    y->asked = rc == 0;
    return rc;
}

static int survey_events(struct vuln_tally *t, struct sum *s, struct survey *y)
{
    bool ours = y->control && related(t, y, s);
    struct life_event ended = { .kind = LIFE_CONTROL_ENDED, .at = y->completed, .id = y->id, .seen = y->seen, .related = ours };
    int rc = 0;

    if (y->control && y->begun && (ours || y->seen))
        event_add_one(t, (struct life_event){ .kind = LIFE_CONTROL_BEGUN, .at = y->begun, .id = y->id, .related = ours });
    if (y->control && y->completed) {
        if (ours && !y->seen) {
            rc = covered(t, s, y);
            ended.cover = rc == 0 && y->cover.proved ? COVER_PROVED : COVER_NOT;
        }
        if (ours || y->seen)
            event_add_one(t, ended);
    } else if (y->seen)
        event_add_one(t, (struct life_event){ .kind = LIFE_SEEN, .at = order_of(y), .id = y->id });
    if (y->seen && y->sent)
        event_add_one(t, (struct life_event){ .kind = LIFE_SENT, .at = y->sent, .id = y->id });
    if (y->seen && y->measures)
        event_add_one(t, (struct life_event){ .kind = LIFE_MEASURES, .at = y->measures, .id = y->id });
    return rc;
}

static const struct { const char *kind; enum life_kind event; } act_events[] = {
    { "found", LIFE_OWNER_FOUND }, { "reported", LIFE_OWNER_REPORTED }, { "measures", LIFE_MEASURES }, { "claim", LIFE_CLAIM },
    { "return", LIFE_CLAIM_RETURNED }, { "withdraw", LIFE_CLAIM_WITHDRAWN }, { "expire", LIFE_CLAIM_EXPIRED }, { "accept", LIFE_CLAIM_ACCEPTED },
    { "close", LIFE_CLOSED },
};

static void act_take(struct vuln_tally *t, struct sum *s, sqlite3_stmt *st)
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
            s->own_due = until;
        }
        if (ev.kind == LIFE_OWNER_FOUND) {
            s->own = 1;
            s->first = s->first == 0 || at < s->first ? at : s->first;
            s->last = at > s->last ? at : s->last;
            s->severity = s->sightings ? s->severity : SEV_UNKNOWN;
        }
        event_add_one(t, ev);
    }
}

/* acts_of - what people did to it, and to what was merged into it. */
static int acts_of(struct vuln_tally *t, struct sum *s)
{
    struct call *c = t->c;
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT id, kind, at, category, until FROM vuln_act WHERE (vuln_id = ?1 OR vuln_id IN (SELECT id FROM vuln WHERE merged_into ="
                                " ?1)) AND kind NOT IN ('note','consultation') ORDER BY at, id LIMIT 512",
                                "i", s->vuln);
    int rc = st ? 0 : -EIO;

    while (st && (rc = db_step(c->d, st, c->e)) > 0)
        act_take(t, s, st);
    return rc;
}

/* --- what follows --- */

static bool claimed_necessity(const struct life *l) { return l->state == VULN_CLAIM_NECESSITY; }

/* duty_follow - D-15 runs while the claim of production necessity stands, from the first detection; it ends with the fix or with the claim. */
static int duty_follow(struct vuln_tally *t, struct sum *s)
{
    struct call *c = t->c;
    struct subject about = { .kind = "vulnerability", .id = arena_printf(&c->a, "%lld", (long long)s->vuln), .object_id = t->object, .org_id = s->org };
    const struct life *l = &t->life;
    int rc = 0;

    if (claimed_necessity(l) || l->state == VULN_UNDER_CONTROL) {
        if (claimed_necessity(l) && s->first != s->d15) {
            rc = duties_begin(c, &about, "D-15", (struct duty_start){ s->first, false }, NULL);
            s->d15 = s->first;
        }
    } else if (s->d15 && (l->state == VULN_FIXED || l->state == VULN_CLOSED)) {
        rc = duties_fulfil(c, &about, "D-15", l->since);
        s->d15 = 0;
    } else if (s->d15 && l->state != VULN_CLAIM_EXPIRED) {
        rc = duties_cancel(c, &about, "D-15", "vulnerability.duty.claim_ended");
        s->d15 = 0;
    }
    if (rc >= 0 && claimed_necessity(l)) {
        time_ns cap = 0;

        rc = duties_due(c, &about, "D-15", &cap);
        s->due = cap && (s->own_due == 0 || cap < s->own_due) ? cap : s->own_due;
    }
    return rc < 0 ? rc : 0;
}

static void due_of(struct vuln_tally *t, struct sum *s)
{
    if (t->life.state == VULN_FOUND_BY_OWNER)
        s->due = s->first + 24 * NS_PER_HOUR;
    for (size_t i = 0; t->life.state == VULN_SENT && i < t->count; i++)
        if (t->surveys[i].seen && t->surveys[i].sent && t->surveys[i].due > s->due)
            s->due = t->surveys[i].due;
}

static int verdict_put(struct vuln_tally *t, const struct sum *s, const struct life_verdict *v)
{
    struct call *c = t->c;
    struct cover_answer answer = { .reason = "" };
    struct survey *y = survey_of(t, v->survey);
    bool fixed = strcmp(v->verdict, "fixed") == 0;
    int rc = 0;

    if (y && (fixed || strcmp(v->verdict, "not_covered") == 0)) {
        rc = covered(t, s, y);
        answer = y->cover;
    }

    if (rc == 0)
        rc = db_exec(c->d, c->e,
                     "INSERT INTO vuln_verdict(survey_id, vuln_id, verdict, reason, proof) VALUES (?1,?2,?3,?4,nullif(?5, 0)) ON CONFLICT DO UPDATE SET verdict ="
                     " ?3, reason = ?4, proof = nullif(?5, 0)",
                     "iizzi", v->survey, s->vuln, v->verdict, fixed ? "" : answer.reason, answer.row);
    return rc < 0 ? rc : 0;
}

static int verdicts_put(struct vuln_tally *t, const struct sum *s)
{
    struct call *c = t->c;
    int rc = t->controls ? db_exec(c->d, c->e, "DELETE FROM vuln_verdict WHERE vuln_id = ?", "i", s->vuln) : 0;

    for (size_t i = 0; rc >= 0 && i < t->life.verdict_count; i++)
        rc = verdict_put(t, s, &t->life.verdicts[i]);
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
static int version_keep(struct vuln_tally *t, const struct sum *s, bool live)
{
    struct call *c = t->c;
    const struct version *k = &s->kept;
    int64_t vuln = s->vuln;
    int rc = 0;

    if (k->any ? k->live == live && k->severity == s->severity && k->kev == s->kev && k->first == s->first &&
                     str_eq(k->state, str_c(vuln_state_values[t->life.state]))
               : !live)
        return 0;
    if (k->any)
        rc = db_exec(c->d, c->e, "UPDATE vuln_version SET until = max(at, ?2) WHERE vuln_id = ?1 AND until = 9223372036854775807", "ii", vuln, c->now);
    if (rc < 0)
        return rc;
    rc = db_exec(c->d, c->e,
                 "INSERT OR REPLACE INTO vuln_version(vuln_id, at, until, live, state, open, severity, kev, first_detected_at, fixed_at) SELECT v.id,"
                 " max(?2, coalesce(x.at, 0)), 9223372036854775807, v.live, v.state, v.open, v.severity, v.kev, v.first_detected_at, CASE v.state WHEN 'fixed'"
                 " THEN v.since WHEN 'closed' THEN x.fixed_at END FROM vuln v LEFT JOIN vuln_version x ON x.vuln_id = v.id AND x.at = (SELECT max(y.at) FROM"
                 " vuln_version y WHERE y.vuln_id = v.id) WHERE v.id = ?1", "ii", vuln, c->now);
    return rc < 0 ? rc : 0;
}

static int row_write(struct vuln_tally *t, struct sum *s)
{
    struct call *c = t->c;
    const struct life *l = &t->life;
    bool sent = s->own && s->sightings == 0, live = l->state != VULN_NONE && (s->sightings > 0 || s->own);
    int rc = 0;

    for (size_t i = 0; i < t->count; i++)
        sent = sent || (t->surveys[i].seen && t->surveys[i].sent);
    /* A row that stands as it was is not written: each would be taken out of six indexes and put back. */
    if (rc == 0)
        rc = db_exec(c->d, c->e,
                     "UPDATE vuln SET live = ?2, merged_into = nullif(?3, 0), state = ?4, open = ?5, since = ?6, sent = ?7, own = ?8, rank = ?9, severity = ?10, cvss ="
                     " iif(?11 < 0, NULL, ?11 / 10.0), vector = ?12, kev = ?13, epss = iif(?14 < 0, NULL, ?14 / 100000.0), text_id = nullif(?15, 0), cves = ?16,"
                     " first_detected_at = ?17, last_seen_at = ?18, due_at = ?19, d15_from = ?20 WHERE id = ?1 AND (live, merged_into,"
                     " state, open, since, sent, own, rank, severity, cvss, vector, kev, epss, text_id, cves, first_detected_at, last_seen_at, due_at, d15_from) IS NOT"
                     " (?2, nullif(?3, 0), ?4, ?5, ?6, ?7, ?8, ?9, ?10, iif(?11 < 0, NULL, ?11 / 10.0), ?12, ?13, iif(?14 < 0, NULL, ?14 / 100000.0), nullif(?15, 0),"
                     " ?16, ?17, ?18, ?19, ?20)",
                     "iiiziiiiiiitiiitiimm", s->vuln, (int64_t)live, live ? 0 : s->into, vuln_state_values[l->state], (int64_t)vuln_state_open(l->state), l->since, (int64_t)sent,
                     s->own, rank_of(s->kev, s->severity, s->epss, s->first), (int64_t)s->severity, (int64_t)(s->cvss >= 0 ? s->cvss * 10 + 0.5 : -1), s->vector,
                     s->kev, (int64_t)(s->epss > 0 ? s->epss * 100000 + 0.5 : -1), s->text, s->cves, s->first, s->last, s->due, s->d15);
    return rc < 0 ? rc : version_keep(t, s, live);
}

static int head_read(struct vuln_tally *t, struct sum *s)
{
    struct call *c = t->c;
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT v.told, v.d15_from, v.text_id, iif(v.told, (SELECT o.org_id FROM object o WHERE o.id = v.object_id), NULL),"
                                            " x.live, x.state, x.severity, x.kev, x.first_detected_at FROM vuln v LEFT JOIN vuln_version x ON x.vuln_id = v.id AND"
                                            " x.until = 9223372036854775807 WHERE v.id = ?", "i", s->vuln);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    if (rc <= 0)
        return rc < 0 ? rc : err_set(c->e, -ENOENT, "no vulnerability %lld", (long long)s->vuln);
    s->told = sqlite3_column_int64(st, 0);
    s->d15 = sqlite3_column_int64(st, 1);
    s->was_told = sqlite3_column_int64(st, 2);    /* the text of an owner's own */
    s->org = s->told ? db_copy(st, 3, &c->a) : STR("");
    if (sqlite3_column_type(st, 4) != SQLITE_NULL)
        s->kept = (struct version){ true, sqlite3_column_int(st, 4), db_copy(st, 5, &c->a), sqlite3_column_int(st, 6), sqlite3_column_int64(st, 7),
                                    sqlite3_column_int64(st, 8) };
    db_done(st);
    return 0;
}

int vuln_recount(struct vuln_tally *t, int64_t vuln)
{
    struct sum s = { .vuln = vuln, .cvss = -1, .epss = -1, .vector = STR(""), .title = STR(""), .hash = STR("") };
    int rc = head_read(t, &s);

    t->event_count = 0;
    if (rc == 0)
        rc = sightings_of(t, &s);
    if (rc == 0 && s.sightings == 0)
        rc = merged_where(t, &s, &s.into);
    if (rc == 0)
        rc = cves_of(t, &s);
    if (rc == 0 && s.told && !s.into)   /* of one that was merged into another, they count there */
        rc = acts_of(t, &s);
    for (size_t i = 0; rc == 0 && i < t->count; i++)
        rc = survey_events(t, &s, &t->surveys[i]);
    if (rc < 0)
        return rc;
    if (s.own && s.sightings == 0)
        s.text = s.was_told;
    life_of(t->events, t->event_count, &t->life);
    due_of(t, &s);
    if (s.told)
        rc = duty_follow(t, &s);
    if (rc == 0)
        rc = verdicts_put(t, &s);
    return rc < 0 ? rc : row_write(t, &s);
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
