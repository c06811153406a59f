/* findings.c - the reader of the findings journal: a finding opens a case or joins an open one, exactly once.
 *
 * The cursor (seq of the next finding) is a row of meta, written in the transaction of the cases. A finding joins the newest case of its
 * rule and object that still waits for something and was last seen within findings_group_hours; else it opens one, which is linked to
 * the one before as "repeated" (row 19). One that cannot become a case is kept whole as a setback, the cursor passes it, and it is tried
 * again: the journal forgets what the cursor has passed. Detection is the instant when detect raised the finding, so D-05 counts from there. */
#include "desk/internal.h"
#include "desk/duties/setback.h"
#include "base/log.h"

#define CURSOR           "findings_next"
#define FINDING_KEPT_MAX (3u * MIB)   /* bytes of a finding that waits; a row of desk.db holds 4 MiB */
#define KEPT_TURN        100          /* of them in one turn */
#define HITS_MAX         INT64_C(1000000000000)   /* matches of one finding */

static struct str get(const struct event *ev, const char *name) { return event_get(ev, str_c(name)); }

/* finding_json - as kept in the journal; one with a giant line is kept with its line cut. */
static struct str finding_json(const struct event *ev, struct arena *a)
{
    struct event copy = *ev;
    AUTO_BUF struct buf b = { 0 };

    buf_init(&b, 4 * MIB);
    event_json(ev, &b);
    if (buf_failed(&b) || b.n > FINDING_JSON_MAX) {
        struct event_field few[24];

        copy.original = str_of(ev->original.p, min_size(ev->original.n, 2048));
        copy.field_count = 0;
        copy.fields = few;
        for (uint32_t i = 0; i < ev->field_count && copy.field_count < COUNT(few); i++)
            if (ev->fields[i].value.n <= 1024)
                few[copy.field_count++] = ev->fields[i];
        buf_reset(&b);
        b.failed = false;
        event_json(&copy, &b);
    }
    /* The API gives numbers of events as text (openapi Event). */
    json_t *j = json_loadb(b.p ? b.p : "", b.n, 0, NULL);
    if (!j)
        j = json_object();
    json_object_set_new(j, "saqshy.seq", json_id((int64_t)ev->seq));
    if (!json_object_get(j, "event.original"))
        json_object_set_new(j, "event.original", json_string(""));
    AUTO_FREE char *text = json_dumps(j, JSON_COMPACT);
    json_decref(j);
    return arena_copy(a, str_c(text));
}

struct seen {
    const struct event *ev;
    struct str rule_id, object, group, host, json;
    int64_t    object_known;
    int64_t    hits;       /* matches that this finding counts (saqshy.hits): an update of an episode has those since the one before it */
};

static int64_t hits_of(const struct event *ev)
{
    int64_t n = 1;

    return str_i64(get(ev, "saqshy.hits"), &n) && n >= 1 && n <= HITS_MAX ? n : 1;
}

static const char open_case_sql[] =
    "SELECT coalesce(merged_into, id) FROM cases WHERE rule_id = ?1 AND object_id IS ?2 AND (?2 IS NOT NULL OR host IS ?3) AND last_seen_at >= ?4"
    " AND machine = 'sts' AND closed_at IS NULL AND state IN ('detected','primary_analysis','notified','event_confirmed','incident_confirmed','measures_reported','escalated_knb')"
    " ORDER BY id DESC LIMIT 1";

static int case_join(struct call *c, const struct seen *s, int64_t id)
{
    int64_t count = 0;
    int rc = db_int(c->d, c->e, 0, &count,
                    "UPDATE cases SET count = count + ?4, last_seen_at = max(last_seen_at, ?2), updated_at = ?3 WHERE id = ?1 RETURNING count", "iiii", id,
                    s->ev->time, c->now, s->hits);
    char text[24];
    int64_t tens = 10;

    if (rc < 0)
        return rc;
    change_case(c->d, id);
    /* The first ten, then 100, 1000 …, or the first behind them: a flood stands in the counter, not in the timeline. */
    while (tens <= count / 10)
        tens *= 10;
    if (count > 10 && count - s->hits >= tens)
        return 0;
    snprintf(text, sizeof text, "%lld", (long long)count);
    return timeline_add(c, id, &(struct line){ .kind = "finding", .happened_at = s->ev->time, .key = "case.text.finding",
                                               .args = json_pack("{s:s}", "count", text) });
}

int case_number(struct call *c, time_ns at, char out[32])
{
    char date[16], name[16];
    int64_t n = 0;
    int rc;

    local_date(c->d, at, date);
    snprintf(name, sizeof name, "case-%.4s", date);
    rc = counter_next(c->d, name, &n, c->e);
    snprintf(out, 32, "%.4s-%06lld", date, (long long)n);
    return rc;
}

static struct str rule_level(struct str s)
{
    static const char *const levels[] = { "informational", "low", "medium", "high", "critical", NULL };

    return value_known(levels, s) ? s : STR("medium");
}

/* policy_sends - does the notice of this rule and object go out without a human? Not where somebody's word is needed. */
static int policy_sends(struct call *c, const struct seen *s, int64_t *on)
{
    int rc = db_int(c->d, c->e, -1, on, "SELECT auto_notify FROM rule_policy WHERE rule_id = ?", "t", s->rule_id);

    if (*on < 0)
        *on = policy_auto_notify(&c->d->policy, s->rule_id, s->object);
    if (policy_confirm(&c->d->policy, s->rule_id, rule_level(get(s->ev, "rule.level")), s->object))
        *on = 0;
    return rc;
}

/* tell_people - whom policy wants told the moment such a case opens. */
static int tell_people(struct call *c, const struct kase *k, struct str level)
{
    const struct letter l = { .kind = "reminder", .key = "case_opened", .due = k->detected_at };
    const struct policy *p = &c->d->policy;
    int rc = 0;

    for (size_t i = 0; i < p->tell_count && rc >= 0; i++) {
        const struct people_row *r = &p->tell[i];

        if (!people_fit(r, k->rule_id, level, k->object_id))
            continue;
        for (size_t n = 0; r->email && n < r->role_count && rc >= 0; n++)
            rc = letter_role(c, k, r->roles[n], &l);
        if (rc >= 0 && r->inbox)
            rc = inbox_centre(c, k, &l);
    }
    return rc < 0 ? rc : 0;
}

/* detected_line - the first line; of a repeated registration it names the case before (row 19). */
static int detected_line(struct call *c, int64_t id, int64_t previous, time_ns at)
{
    struct kase before;
    int rc = previous ? case_load(c, previous, &before) : 0;

    if (rc < 0)
        return rc;
    return timeline_add(c, id, &(struct line){ .kind = "detected", .happened_at = at, .key = previous ? "case.text.repeated" : NULL,
                                               .args = previous ? json_pack("{s:o}", "number", json_str(before.number)) : NULL });
}

static int case_open(struct call *c, const struct seen *s, int64_t *id)
{
    int64_t previous = 0, automatic = 0;
    struct str name = get(s->ev, "rule.name"), published = get(s->ev, "threat.indicator.marking.tlp");
    const char *tlp = tlp_narrower_than_usual(published) ? "amber+strict" : "amber";
    struct kase k;
    char number[32];
    int rc = case_number(c, s->ev->time, number);

    if (rc == 0)
        rc = case_recurrence(c, s->rule_id, name, s->object, s->host, s->ev->time, &previous);
    if (rc == 0 && s->object.p)
        rc = policy_sends(c, s, &automatic);
    if (rc == 0)
        rc = db_int(c->d, c->e, 0, id,
                    "INSERT INTO cases(number, machine, detector, state, kind, rule_id, rule_name, rule_level, object_id, grouping, host, edition,"
                    " detected_at, last_seen_at, count, suggested_id, auto_pending, created_at, updated_at, tlp) VALUES (?1,'sts','centre','detected',"
                    "'undetermined',?2,?3,?4,?5,?6,?7,?8,?9,?9,?13,?10,?11,?12,?12,?14) RETURNING id",
                    "zttttttti" "miiiz", number, s->rule_id, name.n ? name : s->rule_id, rule_level(get(s->ev, "rule.level")), s->object, s->group,
                    s->host, duty_edition_at(c->d->setup.world, s->ev->time)->id, s->ev->time, previous, automatic, c->now, s->hits, tlp);
    if (rc == 0)
        rc = case_load(c, *id, &k);
    if (rc == 0)
        rc = detected_line(c, *id, previous, s->ev->time);
    if (rc == 0 && tlp_narrower_than_usual(published))
        rc = timeline_add(c, *id, &(struct line){ .kind = "set_tlp", .key = "case.text.tlp_of_indicator",
                                                  .args = json_pack("{s:s, s:o, s:o}", "tlp", tlp, "published", json_str(published), "source", json_str(get(s->ev, "threat.feed.name"))) });
    if (rc == 0)
        rc = clock_start(c, &k, "D-05", s->ev->time);
    if (rc == 0)
        rc = tell_people(c, &k, rule_level(get(s->ev, "rule.level")));
    return rc < 0 ? rc : case_search_update(c, *id);
}

static struct str or_null(struct str s) { return s.n ? s : (struct str){ NULL, 0 }; }

/* state_keep - a part of the state of a host opens no case and joins none: it waits for the room "integrity". Who sent it stands in front of the
 * source, as the certificate says; only ingest gives events this parser. */
static int state_keep(struct call *c, const struct event *ev)
{
    ptrdiff_t slash = str_chr(ev->source, '/');
    int rc = db_exec(c->d, c->e, "INSERT OR IGNORE INTO state_arrived(seq, received_at, at, sender, payload) VALUES (?,?,?,?,?)", "iiitb", (int64_t)ev->seq,
                     ev->received, ev->time, str_of(ev->source.p, slash < 0 ? ev->source.n : (size_t)slash), ev->original);

    return rc < 0 ? rc : setback_done(c, SETBACK_FINDING, (int64_t)ev->seq);
}

int finding_take(struct call *c, const struct event *ev)
{
    struct seen s = { .ev = ev, .rule_id = get(ev, "rule.id"), .object = or_null(get(ev, "saqshy.object")), .group = get(ev, "saqshy.group"),
                      .host = or_null(get(ev, "host.name")), .hits = hits_of(ev) };
    int64_t id = 0, known = 0;
    int rc = 0;

    if (str_eq(ev->parser, STR(EVENT_PARSER_FACTS)))
        return state_keep(c, ev);
    if (!s.rule_id.n)
        return err_set(c->e, -EBADMSG, "a finding without rule.id");
    s.group = s.group.p ? s.group : STR("");
    if (s.object.p)
        rc = db_int(c->d, c->e, 0, &known, "SELECT count(*) FROM object WHERE id = ?", "t", s.object);
    if (rc == 0 && !known) {
        /* The event was stored before the registry knew its host, or the object is gone: ask the registry now. */
        sqlite3_stmt *st = db_query(c->d, c->e, "SELECT object_id FROM object_host WHERE host = ?", "t", s.host.p ? s.host : STR(""));
        rc = st ? db_step(c->d, st, c->e) : -EIO;
        s.object = rc > 0 ? db_copy(st, 0, &c->a) : (struct str){ NULL, 0 };
        if (rc > 0)
            db_done(st);
    }
    if (rc >= 0)
        rc = db_int(c->d, c->e, 0, &id, open_case_sql, "ttti", s.rule_id, s.object, s.host,
                    ev->time - c->d->setup.node->findings_group_hours * NS_PER_HOUR);
    if (rc < 0)
        return rc;
    rc = id ? case_join(c, &s, id) : case_open(c, &s, &id);
    if (rc == 0)
        rc = db_exec(c->d, c->e, "INSERT INTO finding(seq, case_id, at, json) VALUES (?,?,?,?)", "iiit", (int64_t)ev->seq, id, ev->time,
                     finding_json(ev, &c->a));
    if (rc >= 0)
        rc = setback_done(c, SETBACK_FINDING, (int64_t)ev->seq);   /* marked, then killed before the cursor passed it */
    return rc < 0 ? rc : indicators_of_event(c, id, ev);
}

static int cursor_set(struct call *c, uint64_t seq)
{
    int rc = db_exec(c->d, c->e, "INSERT INTO meta(key, value) VALUES ('" CURSOR "', ?1) ON CONFLICT(key) DO UPDATE SET value = ?1", "i",
                     (int64_t)seq);

    return rc < 0 ? rc : 0;
}

static int batch_take(struct call *c, uint64_t next)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < c->d->batch.count; i++)
        if (c->d->batch.items[i].seq >= next)
            rc = finding_take(c, &c->d->batch.items[i]);
    return rc < 0 ? rc : cursor_set(c, c->d->batch.items[c->d->batch.count - 1].seq + 1);
}

/* --- what cannot become a case --- */

/* finding_keep - the whole finding as a setback; of one that is too long for a row, its beginning. */
static int finding_keep(struct call *c, const struct event *ev, const char *story)
{
    struct event cut = *ev;
    char text[ERR_TEXT_MAX];
    AUTO_BUF struct buf b = { 0 };
    int rc;

    snprintf(text, sizeof text, "%s", story);
    buf_init(&b, FINDING_KEPT_MAX);
    rc = event_encode(ev, 1, &b, c->e);
    if (rc < 0 || buf_failed(&b)) {
        cut.original = str_of(ev->original.p, min_size(ev->original.n, FINDING_JSON_MAX));
        cut.field_count = cut.field_count < 24 ? cut.field_count : 24;
        buf_free(&b);
        buf_init(&b, FINDING_KEPT_MAX);
        rc = event_encode(&cut, 1, &b, c->e);
    }
    return setback_add(c, SETBACK_FINDING, (int64_t)ev->seq, text, rc < 0 || buf_failed(&b) ? STR("") : buf_view(&b));
}

static int one_of_batch(struct call *c, const struct event *ev)
{
    int rc = finding_take(c, ev);

    return rc < 0 ? rc : cursor_set(c, ev->seq + 1);
}

static int cursor_pass(struct call *c, uint64_t seq)
{
    int rc = db_begin(c->d, c->e);

    return rc < 0 ? rc : db_end(c->d, cursor_set(c, seq), c->e);
}

/* batch_singly - the same, each finding in a transaction of its own: one of them cannot be written, and the others must be. A kill between the
 * mark and the cursor marks it again. */
static int batch_singly(struct call *c, uint64_t next)
{
    int rc = 0;

    for (size_t i = 0; rc >= 0 && i < c->d->batch.count; i++) {
        const struct event *ev = &c->d->batch.items[i];

        if (ev->seq < next)
            continue;
        arena_reset(&c->a);
        rc = db_begin(c->d, c->e);
        if (rc == 0)
            rc = db_end(c->d, one_of_batch(c, ev), c->e);
        if (!setback_of_row(rc))
            continue;
        rc = finding_keep(c, ev, c->e->text);
        if (rc == 0)
            rc = cursor_pass(c, ev->seq + 1);
    }
    return rc < 0 ? rc : 0;
}

/* one_kept - a finding whose pause is over, once more. */
static int one_kept(struct call *c, int64_t *id)
{
    struct event_batch b;
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT id, payload FROM setback WHERE kind = '" SETBACK_FINDING "' AND (next_at <= ?1 OR last_at > ?1) ORDER BY next_at, id"
                                " LIMIT 1", "i", c->now);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    if (rc <= 0)
        return rc;
    const int64_t seq = sqlite3_column_int64(st, 0);
    struct str bytes = arena_copy(&c->a, str_of(sqlite3_column_blob(st, 1), (size_t)sqlite3_column_bytes(st, 1)));
    db_done(st);
    *id = seq;
    event_batch_init(&b, 0);
    rc = event_decode(bytes, (uint64_t)seq, &b, c->e);
    if (rc == 0)
        rc = b.count == 1 ? finding_take(c, &b.items[0]) : err_set(c->e, -EBADMSG, "a finding that was too long to keep");
    event_batch_free(&b);
    return rc < 0 ? rc : 1;
}

static int take_kept(struct call *c)
{
    int64_t some = 0;
    int rc = db_int(c->d, c->e, 0, &some, "SELECT EXISTS (SELECT 1 FROM setback WHERE kind = '" SETBACK_FINDING "' AND (next_at <= ?1 OR last_at > ?1))", "i",
                    c->now);

    return rc < 0 || !some ? rc : setback_repeat(c, SETBACK_FINDING, one_kept, KEPT_TURN);
}

static int damage_note(struct call *c, const char *story)
{
    log_line(LOG_ERROR, "a frame of findings is damaged, skipping it", "error.message", story, NULL);
    int rc = db_begin(c->d, c->e);

    if (rc < 0)
        return rc;
    rc = audit_add(c, "finding.damaged", "findings", str_c(story), "failed");
    if (rc == 0)
        rc = cursor_set(c, journal_reader_seq(c->d->findings));
    return db_end(c->d, rc, c->e);
}

static int reader_open(struct call *c, uint64_t next)
{
    char folder[4096];

    if (c->d->findings && journal_reader_seq(c->d->findings) == next)
        return 0;
    journal_reader_close(&c->d->findings);
    return journal_reader_open(node_path(c->d->setup.node, "findings", folder), next, &c->d->findings, c->e);
}

static int take(struct call *c)
{
    int64_t next = 1;
    int taken = 0, rc = db_int(c->d, c->e, 1, &next, "SELECT value FROM meta WHERE key = '" CURSOR "'", "");

    if (rc == 0)
        rc = reader_open(c, (uint64_t)next);
    while (rc == 0 && taken < DESK_FINDINGS_TURN) {
        char story[ERR_TEXT_MAX];

        event_batch_reset(&c->d->batch);
        arena_reset(&c->a);
        rc = journal_reader_next(c->d->findings, &c->d->batch, NULL, c->e);
        if (rc == 0)
            break;
        if (rc == -EBADMSG) {
            snprintf(story, sizeof story, "%s", c->e->text);
            rc = damage_note(c, story);
            continue;
        }
        if (rc < 0)
            break;
        taken += (int)c->d->batch.count;
        rc = db_begin(c->d, c->e);
        if (rc == 0)
            rc = db_end(c->d, batch_take(c, (uint64_t)next), c->e);
        if (setback_of_row(rc))
            rc = batch_singly(c, (uint64_t)next);
    }
    if (rc < 0)
        journal_reader_close(&c->d->findings);   /* the cursor in desk.db says where to go on */
    return rc < 0 ? rc : taken;
}

int desk_take_findings(struct desk *d, time_ns now, struct err *e)
{
    struct desk_reply r = { 0 };
    struct call c;
    char folder[4096];
    int rc;

    desk_call_init(&c, d, NULL, now, &r);
    rc = take(&c);
    if (rc >= 0) {
        int kept = take_kept(&c);
        rc = kept < 0 ? kept : rc + kept;
    }
    if (rc > 0) {
        int64_t next = 1;
        int kept = db_int(d, c.e, 1, &next, "SELECT value FROM meta WHERE key = '" CURSOR "'", "");

        if (kept == 0)
            kept = journal_cursor_set(node_path(d->setup.node, "findings", folder), "desk", (uint64_t)next, c.e);
        rc = kept < 0 ? kept : rc;
    }
    if (rc < 0)
        err_set(e, rc, "%s", r.err.text);
    desk_call_free(&c);
    desk_reply_free(&r);
    return rc;
}
