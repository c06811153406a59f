/* duties.c - what other rooms do with duties: begin, facts, fulfil, cancel, supersede, resume, acknowledge. See duties.h. */
#include "desk/duties/room.h"
#include "desk/registry/registry.h"

/* --- whose it is --- */

struct owing {
    const char *by;        /* the column owed_by */
    struct str  performer; /* an organisation, or {NULL,0}: the centre, or nobody known */
    struct str  accountable;
};

static bool by_only(const struct obligation *o, const char *actor)
{
    for (size_t i = 0; i < o->by_count; i++)
        if (!str_eq(o->by[i]->id, str_c(actor)))
            return false;
    return o->by_count > 0;
}

static bool by_any(const struct obligation *o, const char *actor)
{
    for (size_t i = 0; i < o->by_count; i++)
        if (str_eq(o->by[i]->id, str_c(actor)))
            return true;
    return false;
}

/* parties - of the object: the acting party (the possessor if there is one, it uses the object: Q-54), the one named performer of the work type
 * and the operational centre. */
static int parties(struct call *c, struct str object_id, unsigned work, struct str *acting, struct str *performer, struct str *ocib)
{
    struct object_view o;
    int rc;

    *acting = *performer = *ocib = (struct str){ NULL, 0 };
    if (!object_id.p)
        return 0;
    rc = object_look(c, (struct scope){ 0, "" }, object_id, &o);
    if (rc < 0)
        return rc;
    *acting = o.acting_id;
    *ocib = o.ocib_id;
    for (size_t i = 0; i < COUNT(o.performer_id); i++)
        if (work == 1u << i)
            *performer = o.performer_id[i];
    return 0;
}

static int org_of_kind(struct call *c, const char *kind, struct str *out)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT id FROM org WHERE kind = ? ORDER BY id LIMIT 1", "z", kind);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    if (rc > 0) {
        *out = db_copy(st, 0, &c->a);
        db_done(st);
    }
    return rc < 0 ? rc : 0;
}

static int owing_of(struct call *c, const struct subject *s, const struct obligation *o, struct str named, struct owing *out)
{
    struct str acting, performer, ocib;
    int rc = parties(c, s->object_id, o->work, &acting, &performer, &ocib);

    out->accountable = s->org_id.p ? s->org_id : acting;
    out->performer = (struct str){ NULL, 0 };
    if (rc < 0)
        return rc;
    if (by_any(o, "sts")) {
        out->by = "centre";
        return 0;
    }
    if (by_only(o, "knb")) {
        out->by = "knb";
        return org_of_kind(c, "knb", &out->performer);
    }
    out->by = by_only(o, "ocib") ? "ocib" : "organisation";
    out->performer = named.p ? named : by_only(o, "ocib") ? ocib : performer.p ? performer : acting.p ? acting : s->org_id;
    return 0;
}

/* edition_of - a case keeps the edition under which it was opened. */
static int edition_of(struct call *c, const struct subject *s, struct str named, const struct edition **out)
{
    const struct duty_world *w = c->d->setup.world;
    sqlite3_stmt *st;
    int rc = 0;

    *out = named.p ? duty_edition(w, named) : duty_edition_at(w, c->now);
    if (!named.p && s->case_id) {
        st = db_query(c->d, c->e, "SELECT edition FROM cases WHERE id = ?", "i", s->case_id);
        rc = st ? db_step(c->d, st, c->e) : -EIO;
        if (rc > 0) {
            const struct edition *own = duty_edition(w, db_str(st, 0));

            *out = own ? own : *out;
            db_done(st);
        }
    }
    if (rc >= 0 && !*out)
        return err_set(c->e, -ENOTSUP, "no edition \"%.*s\" in content/editions", STR_ARG(named));
    return rc < 0 ? rc : 0;
}

/* --- beginning --- */

static int row_insert(struct call *c, const struct subject *s, const struct counted *n, const struct owing *w, int64_t *id)
{
    const struct duty_result *r = &n->r;
    const struct obligation *o = r->obligation;

    return db_int(c->d, c->e, 0, id,
                  "INSERT INTO duty(subject, subject_id, seq, case_id, object_id, org_id, performer_org, owed_by, obligation, basis, from_field, from_at,"
                  " from_day, due_at, nominal_at, estimated, missing_year, state, edition, calendar, created_at, arithmetic) VALUES (?1,?2,"
                  " (SELECT coalesce(max(seq), 0) + 1 FROM duty WHERE subject = ?1 AND subject_id = ?2 AND obligation = ?8),"
                  " ?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,'running',?17,?18,?19,?20) RETURNING id",
                  "ztmtttztztiimmimttiz", s->kind, s->id, (time_ns)s->case_id, s->object_id, w->accountable, w->performer, w->by, o->id,
                  duty_basis_name(r->basis), o->from ? o->from->id : STR("started_at"), r->start.at, (int64_t)r->start.date, r->due, r->nominal,
                  (int64_t)r->estimated, n->missing_year, o->edition, c->d->setup.world->calendar->version, recorded_at(c), n->arithmetic);
}

static int begin_new(struct call *c, const struct subject *s, const struct obligation *o, struct duty_start start, struct str performer,
                     int64_t *id)
{
    AUTO_COUNTED struct counted n = { .arithmetic = NULL };
    struct owing w = { .by = NULL };
    int rc = count_due(c, o, start, &n);

    if (rc == 0)
        rc = owing_of(c, s, o, performer, &w);
    if (rc == 0)
        rc = row_insert(c, s, &n, &w, id);
    if (rc == 0)
        rc = reminders_plan(c, *id, c->now);
    if (rc < 0)
        return rc;
    change_id(c->d, "clock", *id);
    return timeline_of(c, s, &(struct line){ .kind = "clock_started", .obligation = arena_copy(&c->a, o->id).p, .happened_at = start.at,
                                             .due_at = n.r.due });
}

int duties_begin_as(struct call *c, const struct subject *s, const char *obligation, struct duty_start start, const struct duty_terms *terms,
                    int64_t *out)
{
    static const struct duty_terms none = { .another = false };
    const struct duty_terms *t = terms ? terms : &none;
    const struct edition *ed;
    const struct obligation *o;
    int64_t running[ROWS_OF_SUBJECT_MAX], id = 0;
    struct duty_row row;
    int n, rc = edition_of(c, s, t->edition, &ed);

    if (rc < 0)
        return rc;
    o = edition_obligation(ed, str_c(obligation));
    if (!o || o->unit == DUTY_PER_YEAR)
        return err_set(c->e, -ENOTSUP, "edition \"%.*s\" has no obligation %s to begin", STR_ARG(ed->id), obligation);
    n = t->another ? 0 : row_running(c, s, obligation, running);
    if (n < 0)
        return n;
    if (n == 0) {
        rc = begin_new(c, s, o, start, t->performer_org, &id);
    } else {
        id = running[n - 1];
        rc = row_load(c, id, &row);
        if (rc == 0)
            rc = row_recount(c, &row, start, CHANGE_START, (struct str){ NULL, 0 });
    }
    if (out)
        *out = id;
    return rc < 0 ? rc : 0;
}

int duties_begin(struct call *c, const struct subject *s, const char *obligation, struct duty_start start, int64_t *id)
{
    return duties_begin_as(c, s, obligation, start, NULL, id);
}

/* --- ending --- */

/* end_row - what runs becomes fulfilled, cancelled or superseded. */
static int end_row(struct call *c, int64_t id, const char *state, time_ns at, const char *key)
{
    static const struct { const char *state, *line; } lines[] = { { "fulfilled", "clock_fulfilled" }, { "cancelled", "clock_cancelled" },
                                                                  { "superseded", "clock_superseded" } };
    bool fulfilled = strcmp(state, "fulfilled") == 0;
    struct duty_row row;
    int rc = row_load(c, id, &row);
    struct subject s;

    if (rc < 0)
        return rc;
    rc = db_exec(c->d, c->e, "UPDATE duty SET state = ?2, fulfilled_at = ?3, ended_at = ?4, ended_key = ?5 WHERE id = ?1", "izmiz", id, state,
                 fulfilled ? at : (time_ns)0, recorded_at(c), key);
    if (rc >= 0)
        rc = db_exec(c->d, c->e, "DELETE FROM reminder WHERE sent_at IS NULL AND duty_id = ?", "i", id);
    if (rc < 0)
        return rc;
    change_id(c->d, "clock", id);
    s = row_subject(&row);
    for (size_t i = 0; i < COUNT(lines); i++)
        if (strcmp(state, lines[i].state) == 0)
            return timeline_of(c, &s, &(struct line){ .kind = lines[i].line, .obligation = row.obligation.p, .happened_at = fulfilled ? at : c->now,
                                                      .due_at = row.due_at, .key = key });
    return 0;
}

static int end_all(struct call *c, const struct subject *s, const char *obligation, const char *state, const char *key)
{
    int64_t ids[ROWS_OF_SUBJECT_MAX];
    int n = row_running(c, s, obligation, ids), rc = 0;

    for (int i = 0; rc == 0 && i < n; i++)
        rc = end_row(c, ids[i], state, 0, key);
    return n < 0 ? n : rc;
}

int duties_cancel(struct call *c, const struct subject *s, const char *obligation, const char *key)
{
    return end_all(c, s, obligation, "cancelled", key);
}

int duties_supersede(struct call *c, const struct subject *s, const char *obligation, const char *key)
{
    return end_all(c, s, obligation, "superseded", key);
}

int duties_resume(struct call *c, const struct subject *s, const char *obligation, const char *key)
{
    struct duty_row row;
    int64_t id = 0;
    int rc = db_int(c->d, c->e, 0, &id,
                    "SELECT id FROM duty WHERE subject = ?1 AND subject_id = ?2 AND obligation = ?3 AND state = 'superseded' ORDER BY ended_at DESC,"
                    " id DESC LIMIT 1",
                    "ztz", s->kind, s->id, obligation);

    if (rc < 0 || id == 0)
        return rc;
    rc = row_load(c, id, &row);
    if (rc == 0)
        rc = db_exec(c->d, c->e, "UPDATE duty SET state = 'running', ended_at = NULL, ended_key = NULL WHERE id = ?", "i", id);
    if (rc >= 0)
        rc = trace_add(c, id, CHANGE_RESUMED, (struct str){ NULL, 0 }, &(struct moved){ .due_is = row.due_at, .from_is = row.from_at });
    if (rc == 0)
        rc = reminders_plan(c, id, c->now);
    if (rc < 0)
        return rc;
    change_id(c->d, "clock", id);
    return timeline_of(c, s, &(struct line){ .kind = "clock_started", .obligation = row.obligation.p, .happened_at = row.from_at,
                                             .due_at = row.due_at, .key = key });
}

/* --- facts --- */

static int fact_put(struct call *c, int64_t duty_id, struct str fact, time_ns at, const struct duty_evidence *ev)
{
    static const struct duty_evidence none = { .notice_id = 0 };
    const struct duty_evidence *v = ev ? ev : &none;
    int rc = db_exec(c->d, c->e,
                     "INSERT INTO duty_fact(duty_id, fact, at, recorded_at, author_id, notice_id, sha256, note) VALUES (?1,?2,?3,?4,?5,?6,?7,?8)"
                     " ON CONFLICT(duty_id, fact) DO UPDATE SET at = ?3, recorded_at = ?4, author_id = ?5, notice_id = ?6, sha256 = ?7, note = ?8",
                     "itiimmtt", duty_id, fact, at, recorded_at(c), c->v ? (time_ns)c->v->user_id : (time_ns)0, (time_ns)v->notice_id,
                     v->sha256.n ? v->sha256 : (struct str){ NULL, 0 }, v->note.n ? v->note : (struct str){ NULL, 0 });

    return rc < 0 ? rc : 0;
}

/* facts_last - the moment of the last of all facts; 0 while one is missing. */
static int facts_last(struct call *c, int64_t duty_id, const struct obligation *o, time_ns *last)
{
    *last = 0;
    for (size_t i = 0; i < o->fact_count; i++) {
        time_ns at = 0;
        int rc = db_int(c->d, c->e, 0, &at, "SELECT at FROM duty_fact WHERE duty_id = ? AND fact = ?", "it", duty_id, o->facts[i]);

        if (rc < 0)
            return rc;
        if (at == 0) {
            *last = 0;
            return 0;
        }
        *last = at > *last ? at : *last;
    }
    return 0;
}

static const struct str *fact_of(const struct obligation *o, const char *fact)
{
    for (size_t i = 0; i < o->fact_count; i++)
        if (str_eq(o->facts[i], str_c(fact)))
            return &o->facts[i];
    return NULL;
}

static int fact_row(struct call *c, int64_t id, const char *fact, time_ns at, const struct duty_evidence *ev)
{
    const struct obligation *o;
    const struct str *known;
    struct duty_row row;
    struct subject s;
    time_ns last = 0;
    int rc = row_load(c, id, &row);

    if (rc < 0)
        return rc;
    o = row_obligation(c->d, &row);
    known = o ? fact_of(o, fact) : NULL;
    if (!known)
        return err_set(c->e, -EINVAL, "%.*s is not fulfilled by \"%s\"", STR_ARG(row.obligation), fact);
    rc = fact_put(c, id, *known, at, ev);
    if (rc == 0)
        rc = facts_last(c, id, o, &last);
    if (rc < 0)
        return rc;
    if (last) {
        rc = end_row(c, id, "fulfilled", last, NULL);
        return rc < 0 ? rc : 1;
    }
    s = row_subject(&row);
    change_id(c->d, "clock", id);
    return timeline_of(c, &s, &(struct line){ .kind = "clock_fact", .obligation = row.obligation.p, .happened_at = at, .due_at = row.due_at,
                                              .text = str_c(fact) });
}

int duties_fact(struct call *c, const struct subject *s, const char *obligation, const char *fact, time_ns at, const struct duty_evidence *ev)
{
    int64_t ids[ROWS_OF_SUBJECT_MAX];
    int n = row_running(c, s, obligation, ids), done = 0;

    for (int i = 0; i < n; i++) {
        int rc = fact_row(c, ids[i], fact, at, ev);

        if (rc < 0)
            return rc;
        done |= rc;
    }
    return n < 0 ? n : done;
}

/* fact_if_missing - what was recorded before keeps its moment and its evidence. */
static int fact_if_missing(struct call *c, int64_t id, struct str fact, time_ns at, const struct duty_evidence *ev)
{
    int64_t there = 0;
    int rc = db_int(c->d, c->e, 0, &there, "SELECT count(*) FROM duty_fact WHERE duty_id = ? AND fact = ?", "it", id, fact);

    return rc < 0 || there ? rc : fact_put(c, id, fact, at, ev);
}

static int fulfil_row(struct call *c, int64_t id, time_ns at, const struct duty_evidence *ev)
{
    const struct obligation *o;
    struct duty_row row;
    int rc = row_load(c, id, &row);

    if (rc < 0)
        return rc;
    o = row_obligation(c->d, &row);
    if (!o || o->fact_count == 0)
        rc = fact_put(c, id, STR("fulfilled_at"), at, ev);
    for (size_t i = 0; rc == 0 && o && i < o->fact_count; i++)
        rc = fact_if_missing(c, id, o->facts[i], at, ev);
    return rc < 0 ? rc : end_row(c, id, "fulfilled", at, NULL);
}

int duties_fulfil_by(struct call *c, const struct subject *s, const char *obligation, time_ns at, const struct duty_evidence *ev)
{
    int64_t ids[ROWS_OF_SUBJECT_MAX];
    int n = row_running(c, s, obligation, ids), rc = 0;

    for (int i = 0; rc == 0 && i < n; i++)
        rc = fulfil_row(c, ids[i], at, ev);
    return n < 0 ? n : rc;
}

int duties_fulfil(struct call *c, const struct subject *s, const char *obligation, time_ns at)
{
    return duties_fulfil_by(c, s, obligation, at, NULL);
}

/* --- the rest --- */

int duties_acknowledge(struct call *c, const struct subject *s, const char *obligation)
{
    int64_t ids[ROWS_OF_SUBJECT_MAX];
    int n = row_running(c, s, obligation, ids);

    for (int i = 0; i < n; i++) {
        int rc = db_exec(c->d, c->e, "UPDATE duty SET acknowledged_at = ?2, acknowledged_by = ?3 WHERE id = ?1 AND acknowledged_at IS NULL", "iim",
                         ids[i], c->now, c->v ? (time_ns)c->v->user_id : (time_ns)0);

        if (rc > 0)
            rc = db_exec(c->d, c->e, "UPDATE reminder SET sent_at = ?2, outcome = 'acknowledged' WHERE duty_id = ?1 AND kind = 'chain' AND sent_at IS"
                         " NULL", "ii", ids[i], c->now);
        if (rc < 0)
            return rc;
        change_id(c->d, "clock", ids[i]);
    }
    return n < 0 ? n : 0;
}

int duties_due(struct call *c, const struct subject *s, const char *obligation, time_ns *due)
{
    return db_int(c->d, c->e, 0, due,
                  "SELECT coalesce(due_at, 0) FROM duty WHERE subject = ?1 AND subject_id = ?2 AND obligation = ?3 AND state = 'running'"
                  " ORDER BY sort_at, id LIMIT 1",
                  "ztz", s->kind, s->id, obligation);
}
