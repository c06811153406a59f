/* duties.c - the rows: begin, fulfil, cancel, and telling them. See duties.h. */
#include "desk/duties/duties.h"

static char *arithmetic_text(struct call *c, const struct duty_result *r)
{
    json_t *all = json_object();

    for (enum lang l = 0; l < LANG_COUNT; l++) {
        json_t *list = json_array();

        for (size_t i = 0; i < r->step_count; i++)
            json_array_append_new(list, json_str(duty_step_text(c->d->setup.world, r, i, c->d->setup.catalog, l, &c->a)));
        json_object_set_new(all, lang_name(l), list);
    }
    char *text = json_dumps(all, JSON_COMPACT);
    json_decref(all);
    return text;
}

static int reminders_plan(struct call *c, int64_t duty_id, const char *obligation, time_ns from, time_ns due)
{
    const struct policy *p = &c->d->policy;
    int rc = db_exec(c->d, c->e, "DELETE FROM reminder WHERE duty_id = ? AND sent_at IS NULL", "i", duty_id);

    for (size_t i = 0; rc >= 0 && i < p->reminder_count; i++) {
        const struct reminder_policy *r = &p->reminders[i];

        if (strcmp(r->obligation, obligation) == 0)
            rc = db_exec(c->d, c->e, "INSERT INTO reminder(duty_id, percent, recipients, at) VALUES (?,?,?,?)", "iiii", duty_id, (int64_t)r->percent,
                         (int64_t)r->to, from + (due - from) / 100 * r->percent);
    }
    return rc < 0 ? rc : 0;
}

/* row_running - the row that runs on the subject; 0 if none does. *next is the seq of a new row. */
static int row_running(struct call *c, const struct subject *s, const char *obligation, int64_t *id, int64_t *next)
{
    int rc = db_int(c->d, c->e, 0, id,
                    "SELECT id FROM duty WHERE subject = ?1 AND subject_id = ?2 AND obligation = ?3 AND state = 'running' ORDER BY seq DESC LIMIT 1",
                    "ztz", s->kind, s->id, obligation);

    return rc < 0 ? rc : db_int(c->d, c->e, 1, next, "SELECT coalesce(max(seq), 0) + 1 FROM duty WHERE subject = ?1 AND subject_id = ?2 AND obligation = ?3",
                                "ztz", s->kind, s->id, obligation);
}

static int row_write(struct call *c, const struct subject *s, const struct duty_result *r, int64_t running, int64_t next, int64_t *id)
{
    const struct duty_world *w = c->d->setup.world;
    AUTO_FREE char *arithmetic = arithmetic_text(c, r);

    if (running) {
        *id = running;
        int rc = db_exec(c->d, c->e,
                         "UPDATE duty SET from_field = ?2, from_at = ?3, from_day = ?4, due_at = ?5, nominal_at = ?6, overdue_marked_at = NULL,"
                         " edition = ?7, calendar = ?8, arithmetic = ?9 WHERE id = ?1",
                         "itiiiittz", running, r->obligation->from->id, r->start.at, (int64_t)r->start.date, r->due, r->nominal, w->edition->id,
                         w->calendar->version, arithmetic);
        return rc < 0 ? rc : 0;
    }
    return db_int(c->d, c->e, 0, id,
                  "INSERT INTO duty(subject, subject_id, seq, case_id, object_id, org_id, obligation, from_field, from_at, from_day, due_at, nominal_at,"
                  " state, edition, calendar, arithmetic, created_at) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,'running',?,?,?,?) RETURNING id",
                  "ztimtttt" "iiii" "ttzi", s->kind, s->id, next, (time_ns)s->case_id, s->object_id, s->org_id, r->obligation->id, r->obligation->from->id,
                  r->start.at, (int64_t)r->start.date, r->due, r->nominal, w->edition->id, w->calendar->version, arithmetic, c->now);
}

int duties_begin(struct call *c, const struct subject *s, const char *obligation, struct duty_start start, int64_t *out)
{
    const struct duty_world *w = c->d->setup.world;
    const struct obligation *o = edition_obligation(w->edition, str_c(obligation));
    struct duty_result r;
    int64_t id = 0, running = 0, next = 1;
    int rc;

    if (!o || !o->from)
        return err_set(c->e, -ENOTSUP, "edition \"%.*s\" has no obligation %s", STR_ARG(w->edition->id), obligation);
    rc = duty_due(w, o, start, &r, c->e);
    if (rc < 0)
        return rc;
    rc = row_running(c, s, obligation, &running, &next);
    if (rc == 0)
        rc = row_write(c, s, &r, running, next, &id);
    if (rc == 0)
        rc = reminders_plan(c, id, obligation, start.at, r.due);
    if (rc < 0)
        return rc;
    if (out)
        *out = id;
    change_id(c->d, "clock", id);
    return timeline_of(c, s, &(struct line){ .kind = "clock_started", .obligation = obligation, .happened_at = start.at, .due_at = r.due });
}

/* end - what runs becomes fulfilled or cancelled; what does not run is left as it is. */
static int end(struct call *c, const struct subject *s, const char *obligation, const char *state, time_ns at, const char *key)
{
    bool fulfilled = strcmp(state, "fulfilled") == 0;
    int64_t id = 0;
    time_ns due = 0;
    int rc = duties_due(c, s, obligation, &due);

    if (rc == 0)
        rc = db_int(c->d, c->e, 0, &id,
                    "UPDATE duty SET state = ?4, fulfilled_at = ?5 WHERE subject = ?1 AND subject_id = ?2 AND obligation = ?3 AND state = 'running'"
                    " RETURNING id",
                    "ztzzm", s->kind, s->id, obligation, state, fulfilled ? at : (time_ns)0);
    if (rc < 0 || id == 0)
        return rc;
    rc = db_exec(c->d, c->e, "DELETE FROM reminder WHERE sent_at IS NULL AND duty_id = ?", "i", id);
    if (rc < 0)
        return rc;
    change_id(c->d, "clock", id);
    return timeline_of(c, s, &(struct line){ .kind = fulfilled ? "clock_fulfilled" : "clock_cancelled", .obligation = obligation,
                                                  .happened_at = fulfilled ? at : c->now, .due_at = due, .key = key });
}

int duties_fulfil(struct call *c, const struct subject *s, const char *obligation, time_ns at)
{
    return end(c, s, obligation, "fulfilled", at, NULL);
}

int duties_cancel(struct call *c, const struct subject *s, const char *obligation, const char *key)
{
    return end(c, s, obligation, "cancelled", 0, key);
}

int duties_due(struct call *c, const struct subject *s, const char *obligation, time_ns *due)
{
    return db_int(c->d, c->e, 0, due,
                  "SELECT due_at FROM duty WHERE subject = ?1 AND subject_id = ?2 AND obligation = ?3 AND state = 'running'", "ztz", s->kind, s->id,
                  obligation);
}

static json_t *actors_json(const struct actor *const *list, size_t n, enum lang lang)
{
    AUTO_BUF struct buf b = { 0 };

    buf_init(&b, 4 * KIB);
    for (size_t i = 0; i < n; i++) {
        if (i)
            buf_put(&b, ", ", 2);
        buf_str(&b, list[i]->name.text[lang]);
    }
    return json_str(b.n ? buf_view(&b) : STR(""));
}

#define CLOCK_COLUMNS                                                                                                             \
    "d.id, d.obligation, d.from_at, d.due_at, d.nominal_at, d.state, d.fulfilled_at, d.arithmetic, d.case_id, k.number, k.rule_id," \
    " k.rule_name, o.id, o.name, d.subject, d.subject_id"
#define CLOCK_TABLES " FROM duty d LEFT JOIN cases k ON k.id = d.case_id LEFT JOIN object o ON o.id = coalesce(d.object_id, k.object_id) "

static json_t *clock_json(struct call *c, sqlite3_stmt *st)
{
    enum lang lang = c->v ? c->v->lang : LANG_RU;
    struct str id = db_copy(st, 1, &c->a), arithmetic = db_str(st, 7), state = db_str(st, 5);
    const struct obligation *o = edition_obligation(c->d->setup.world->edition, id);
    struct kase k = { .rule_id = db_copy(st, 10, &c->a), .rule_name = db_copy(st, 11, &c->a) };
    json_t *all = json_loadb(arithmetic.n ? arithmetic.p : "{}", arithmetic.n ? arithmetic.n : 2, 0, NULL);
    json_t *steps = json_incref(json_object_get(all, lang_name(lang)));
    time_ns due = sqlite3_column_int64(st, 3), left = due - c->now;
    bool running = str_eq(state, STR("running"));

    json_decref(all);
    if (running && c->now > due)
        state = STR("overdue");
    /* A started second of lateness counts as one: 0 is left only at the due instant itself. */
    json_int_t seconds = !running ? 0 : left >= 0 ? left / NS_PER_SECOND : -((-left + NS_PER_SECOND - 1) / NS_PER_SECOND);
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:o, s:o}", "subject",
                     json_pack("{s:o, s:o}", "kind", db_json(st, 14), "id", db_json(st, 15)), "id", db_json_id(st, 0), "obligation",
                     json_str(id), "paragraph", o ? json_str(o->paragraph) : json_string(""), "title",
                     o ? json_str(o->title.text[lang]) : json_str(id), "who", o ? actors_json(o->by, o->by_count, lang) : json_string(""), "whom",
                     o ? actors_json(o->to, o->to_count, lang) : json_string(""), "case_id", db_json_id(st, 8), "case_number", db_json(st, 9),
                     "case_title", k.rule_id.p ? json_str(case_title(c->d, &k, lang)) : json_null(), "object", json_ref(db_str(st, 12), db_str(st, 13)), "from",
                     db_json_time(st, 2), "due", db_json_time(st, 3), "nominal", db_json_time(st, 4), "state", json_str(state), "remaining_s",
                     seconds, "arithmetic", steps ? steps : json_array(), "fulfilled_at", db_json_time(st, 6));
}

int duties_json(struct call *c, const struct subject *s, json_t **out)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT " CLOCK_COLUMNS CLOCK_TABLES "WHERE d.subject = ? AND d.subject_id = ? ORDER BY d.due_at, d.id",
                                "zt", s->kind, s->id);
    int rc = st ? 0 : -EIO;

    *out = json_array();
    while (st && (rc = db_step(c->d, st, c->e)) > 0)
        json_array_append_new(*out, clock_json(c, st));
    return rc;
}

int desk_clocks(struct desk *d, const struct viewer *v, time_ns now, struct desk_reply *r)
{
    json_t *items = json_array();
    struct scope scope = scope_of(v);
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    sqlite3_stmt *st = db_query(d, c.e,
                                "SELECT " CLOCK_COLUMNS CLOCK_TABLES "WHERE d.state = 'running' AND (?1 = 0 OR ((d.org_id = ?2 OR " SCOPE_OBJECT ")"
                                " AND (d.case_id IS NULL OR k.notified_at IS NOT NULL))) ORDER BY d.due_at, d.id LIMIT 10000",
                                "iz", scope.bounded, scope.org);
    rc = st ? 0 : -EIO;
    while (st && (rc = db_step(d, st, c.e)) > 0)
        json_array_append_new(items, clock_json(&c, st));
    r->json = json_pack("{s:o, s:o, s:n}", "now", json_time(now), "items", items, "next");
    desk_call_free(&c);
    return refuse_rc(r, rc);
}
