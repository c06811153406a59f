/* list.c - surveys as they are told: pages of them, the same as a table, and one with all that belongs to it. */
#include "desk/schedule/schedule.h"
#include "desk/surveys/room.h"
#include "table/table.h"

#define TABLE_ROWS 20000   /* of the list as a workbook */

/* side_of - whose turn counts as "mine" for a viewer. */
static const char *side_of(const struct viewer *v) { return role_of_owner(v->role) ? "owner" : "centre"; }

static json_t *next_due_json(struct call *c, sqlite3_stmt *st, int column)
{
    time_ns due = sqlite3_column_int64(st, column), left = due - c->now;

    if (sqlite3_column_type(st, column) == SQLITE_NULL)
        return json_null();
    return json_pack("{s:o, s:o, s:I}", "obligation", db_json(st, column + 1), "due", json_time(due), "remaining_s",
                     (json_int_t)(left >= 0 ? left / NS_PER_SECOND : -((-left + NS_PER_SECOND - 1) / NS_PER_SECOND)));
}

static json_t *summary_json(struct call *c, sqlite3_stmt *st)
{
    bool overdue = sqlite3_column_type(st, 17) != SQLITE_NULL && c->now > sqlite3_column_int64(st, 17);

    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:o, s:o, s:o, s:b, s:o, s:o, s:o, s:b}", "id", db_json_id(st, 0), "number",
                     db_json(st, 1), "object", json_ref(db_str(st, 2), db_str(st, 3)), "org", json_ref(db_str(st, 4), db_str(st, 5)), "mode", db_json(st, 6), "kind",
                     db_json(st, 7), "state", db_json(st, 8), "waits", db_json(st, 9), "from_on", db_json(st, 10), "to_on", db_json(st, 11), "ordinal",
                     (json_int_t)sqlite3_column_int64(st, 12), "main", db_json_id(st, 13), "completed_at", db_json_time(st, 14), "updated_at", db_json_time(st, 15),
                     "ended", sqlite3_column_int(st, 16), "next_due", next_due_json(c, st, 17), "control", db_json_id(st, 19), "reason",
                     scope_of(c->v).bounded ? json_null() : db_json(st, 20), "overdue", overdue);
}

#define SUMMARY                                                                                                                               \
    "SELECT s.id, s.number, o.id, o.name, g.id, g.name, s.mode, s.kind, s.state, s.waits, s.from_on, s.to_on, s.ordinal, s.main_id, s.completed_at," \
    " s.updated_at, s.ended, d.due_at, d.obligation, (SELECT x.id FROM survey x WHERE x.main_id = s.id AND x.state <> 'cancelled' ORDER BY x.id LIMIT 1)," \
    " s.reason FROM survey s JOIN object o ON o.id = s.object_id JOIN org g ON g.id = o.org_id LEFT JOIN duty d ON d.id ="                      \
    " (SELECT x.id FROM duty x WHERE x.subject = 'survey' AND x.subject_id = CAST(s.id AS TEXT) AND x.state = 'running' AND x.due_at IS NOT NULL"  \
    " ORDER BY x.due_at LIMIT 1)"

#define NONE(s) ((s).p ? (s) : STR(""))

typedef int row_fn(void *arg, struct call *c, sqlite3_stmt *st);

/* rows - at most limit rows by a query; *next the cursor of what is left. */
static int rows(struct call *c, const struct surveys_query *q, int64_t limit, row_fn *fn, void *arg, int64_t *next)
{
    struct scope s = scope_of(c->v);
    int64_t before = parse_id(q->before), n = 0, last = 0;
    sqlite3_stmt *st = db_query(c->d, c->e,
                                SUMMARY " WHERE (?1 = 0 OR (s.told_at IS NOT NULL AND s.object_id IN " OBJECTS_OF("?2") ")) AND s.id < ?3"
                                " AND (?4 = '' OR s.object_id = ?4) AND (?5 = '' OR s.mode = ?5) AND (?6 = '' OR s.kind = ?6) AND (?7 = '' OR s.state = ?7)"
                                " AND CASE ?8 WHEN 'ended' THEN s.ended = 1 WHEN 'mine' THEN s.ended = 0 AND s.waits = ?9 WHEN 'other' THEN s.ended = 0 AND s.waits <> ?9"
                                " WHEN 'all' THEN 1 ELSE s.ended = 0 END AND (?10 = 0 OR s.main_id = ?10) AND (?11 = 0 OR s.id IN (SELECT CAST(w.subject_id AS INTEGER) FROM duty w WHERE w.state = 'running' AND w.due_at < ?12 AND w.subject = 'survey'))"
                                " AND (?13 = 0 OR EXISTS (SELECT 1 FROM survey_person p WHERE p.survey_id = s.id AND p.user_id = ?13)) ORDER BY s.id DESC LIMIT ?14",
                                "izittttt" "ziiiii", s.bounded, s.org, before ? before : INT64_MAX, NONE(q->object), NONE(q->mode), NONE(q->kind), NONE(q->state),
                                NONE(q->side), side_of(c->v), parse_id(q->main), (int64_t)q->overdue, c->now, q->my_team ? c->v->user_id : (int64_t)0, limit + 1);
    int rc = st ? 0 : -EIO;

    *next = 0;
    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        if (n++ == limit) {
            *next = last;
            db_done(st);
            return 0;
        }
        last = sqlite3_column_int64(st, 0);
        if ((rc = fn(arg, c, st)) < 0) {
            db_done(st);
            return rc;
        }
    }
    return rc;
}

static int to_items(void *arg, struct call *c, sqlite3_stmt *st)
{
    json_array_append_new(arg, summary_json(c, st));
    return 0;
}

int desk_surveys(struct desk *d, const struct viewer *v, const struct surveys_query *q, time_ns now, struct desk_reply *r)
{
    json_t *items = json_array();
    int64_t next = 0;
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = rows(&c, q, page_limit(q->limit), to_items, items, &next);
    r->json = json_pack("{s:o, s:o, s:o}", "now", json_time(now), "items", items, "next", next ? json_id(next) : json_null());
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

/* --- as a table --- */

static int to_table(void *arg, struct call *c, sqlite3_stmt *st)
{
    struct table_writer *w = arg;
    enum lang lang = c->v->lang;
    struct buf due;
    char text[48];

    buf_init(&due, sizeof text);
    if (sqlite3_column_type(st, 17) != SQLITE_NULL)
        buf_time(&due, sqlite3_column_int64(st, 17));
    const struct str cells[] = { db_str(st, 1), db_str(st, 3), db_str(st, 5), sv_text(c, "survey.mode", db_str(st, 6), lang), sv_text(c, "survey.kind", db_str(st, 7), lang),
                                 db_str(st, 10), db_str(st, 11), sv_text(c, "survey.state", db_str(st, 8), lang), db_str(st, 18), buf_view(&due) };
    for (size_t i = 0; i < COUNT(cells); i++)
        table_put(w, cells[i].p ? cells[i] : STR(""));
    table_end_row(w);
    buf_free(&due);
    return 0;
}

int desk_surveys_table(struct desk *d, const struct viewer *v, const struct surveys_query *q, bool csv, time_ns now, struct buf *out, struct desk_reply *r)
{
    static const char *const names[] = { "number", "object", "owner", "mode", "kind", "from", "to", "state", "duty", "due" };
    static const unsigned widths[] = { 16, 40, 40, 30, 14, 12, 12, 20, 10, 24 };
    char folder[4096];
    struct table_writer_setup setup = { .format = csv ? TABLE_CSV : TABLE_XLSX, .created = now, .folder = node_path(d->setup.node, "run", folder) };
    struct table_writer *w = NULL;
    struct str heads[COUNT(names)];
    int64_t next = 0;
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = audit_read(&c, "export", "surveys", csv ? STR("csv") : STR("xlsx"));
    if (rc == 0)
        rc = table_writer_new(&setup, &w, c.e);
    if (rc == 0) {
        table_sheet(w, "surveys");
        for (size_t i = 0; i < COUNT(names); i++)
            heads[i] = sv_text(&c, "survey.column", str_c(names[i]), v->lang);
        table_header(w, heads, widths, COUNT(names));
        rc = rows(&c, q, TABLE_ROWS, to_table, w, &next);
    }
    if (rc == 0)
        rc = table_writer_finish(w, out, c.e);
    table_writer_free(&w);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

/* --- one --- */

static json_t *author_json(sqlite3_stmt *st, int column)
{
    if (sqlite3_column_type(st, column) == SQLITE_NULL)
        return json_null();
    return json_pack("{s:o, s:o, s:o}", "id", db_json_id(st, column), "name", db_json(st, column + 1), "role", db_json(st, column + 2));
}

static int steps_json(struct call *c, const struct sv *s, json_t **out)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT t.id, t.kind, t.happened_at, t.recorded_at, t.due_at, t.author_id, u.name, u.role, t.text, t.args, t.obligation, CASE WHEN ?2 = 1 AND t.addressee LIKE '%@%' THEN NULL ELSE t.addressee END, t.key"
                                " FROM timeline t LEFT JOIN user u ON u.id = t.author_id WHERE t.subject = 'survey' AND t.subject_id = ?1 AND (?2 = 0 OR t.internal = 0)"
                                " AND t.kind <> 'notice_queued' ORDER BY t.recorded_at, t.id LIMIT 5000",
                                "zi", s->id_text, scope_of(c->v).bounded);
    int rc = st ? 0 : -EIO;

    *out = json_array();
    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        struct str args = db_str(st, 9), key = db_copy(st, 12, &c->a), text = db_copy(st, 8, &c->a);
        json_t *values = args.n ? json_loadb(args.p, args.n, 0, NULL) : NULL;

        if (key.n && !text.n)
            text = text_fill(&c->a, catalog_text(c->d->setup.catalog, c->v->lang, key.p), values);
        json_array_append_new(*out, json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "id", db_json_id(st, 0), "kind", db_json(st, 1), "happened_at",
                                              db_json_time(st, 2), "recorded_at", db_json_time(st, 3), "due_at", db_json_time(st, 4), "author", author_json(st, 5),
                                              "obligation", db_json(st, 10), "addressee", db_json(st, 11), "text", json_str(text), "values",
                                              !key.n && json_object_size(values) ? json_incref(values) : json_null()));
        json_decref(values);
    }
    return rc;
}

static int files_json(struct call *c, const struct sv *s, json_t **out)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT f.id, f.role, f.name, f.type, f.size_bytes, f.sha256, f.captured_at, f.place, f.note, f.added_at, u.name FROM survey_file f"
                                " LEFT JOIN user u ON u.id = f.added_by WHERE f.survey_id = ? ORDER BY f.id", "i", s->id);
    int rc = st ? 0 : -EIO;

    *out = json_array();
    while (st && (rc = db_step(c->d, st, c->e)) > 0)
        json_array_append_new(*out, json_pack("{s:o, s:o, s:o, s:o, s:I, s:o, s:o, s:o, s:o, s:o, s:o}", "id", db_json_id(st, 0), "role", db_json(st, 1), "name",
                                              db_json(st, 2), "type", db_json(st, 3), "size_bytes", (json_int_t)sqlite3_column_int64(st, 4), "sha256", db_json(st, 5),
                                              "captured_at", db_json_time(st, 6), "place", db_json(st, 7), "note", db_json(st, 8), "added_at", db_json_time(st, 9),
                                              "added_by", db_json(st, 10)));
    return rc;
}

static int people_json(struct call *c, const struct sv *s, json_t **out)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT u.id, u.name, u.role FROM survey_person p JOIN user u ON u.id = p.user_id WHERE p.survey_id = ? ORDER BY u.name, u.id",
                                "i", s->id);
    int rc = st ? 0 : -EIO;

    *out = json_array();
    while (st && (rc = db_step(c->d, st, c->e)) > 0)
        json_array_append_new(*out, author_json(st, 0));
    return rc;
}

/* candidates_json - whom the team may have: people of the centre who make surveys. */
static int candidates_json(struct call *c, const struct sv *s, json_t **out)
{
    sqlite3_stmt *st = s->state->ended ? NULL
                                       : db_query(c->d, c->e, "SELECT id, name, role FROM user WHERE active = 1 AND role IN ('surveyor','centre_lead','centre_analyst') ORDER BY name, id LIMIT 500",
                                                  "");
    int rc = 0;

    *out = json_array();
    while (st && (rc = db_step(c->d, st, c->e)) > 0)
        json_array_append_new(*out, author_json(st, 0));
    return rc;
}

static int ref_json(struct call *c, int64_t id, json_t **out)
{
    sqlite3_stmt *st = id ? db_query(c->d, c->e, "SELECT id, number, state FROM survey WHERE id = ?", "i", id) : NULL;
    int rc = st ? db_step(c->d, st, c->e) : 0;

    *out = json_null();
    if (rc > 0) {
        *out = json_pack("{s:o, s:o, s:o}", "id", db_json_id(st, 0), "number", db_json(st, 1), "state", db_json(st, 2));
        db_done(st);
    }
    return rc < 0 ? rc : 0;
}

/* consultations of the object that were asked since the results were sent: the question belongs to the survey (R-10.2-09). */
static int consultations_json(struct call *c, const struct sv *s, json_t **out)
{
    sqlite3_stmt *st = s->sent_at ? db_query(c->d, c->e,
                                             "SELECT r.id, r.number, r.state, json_extract(r.values_json, '$.title') FROM request r WHERE r.object_id = ?1 AND r.kind ="
                                             " 'consultation' AND r.opened_at >= ?2 ORDER BY r.id LIMIT 100",
                                             "ti", s->object_id, s->sent_at)
                                  : NULL;
    int rc = 0;

    *out = json_array();
    while (st && (rc = db_step(c->d, st, c->e)) > 0)
        json_array_append_new(*out, json_pack("{s:o, s:o, s:o, s:o}", "id", db_json_id(st, 0), "number", db_json(st, 1), "state", db_json(st, 2), "title", db_json(st, 3)));
    return rc;
}

struct part {
    const char *name;
    int       (*make)(struct call *c, const struct sv *s, json_t **out);
    bool        inner;      /* not for owners: an empty list */
    bool        sent;       /* for owners from the sending of the results on */
};

static int duties_json_of(struct call *c, const struct sv *s, json_t **out)
{
    struct subject about = sv_subject(s);

    return duties_json(c, &about, out);
}

static int notices_json_of(struct call *c, const struct sv *s, json_t **out)
{
    struct subject about = sv_subject(s);

    return notices_of(c, &about, out);
}

static int counts_json(struct call *c, const struct sv *s, json_t **out)
{
    int rc;

    *out = json_null();
    if (!s->started_at)
        return 0;
    rc = vulns_counts(c, s->id, false, out);
    if (!*out)
        *out = json_null();
    return rc;
}

static const struct part parts[] = {
    { "access", access_json, false, false },     { "scope", scope_json, false, true },      { "people", people_json, true, false },     { "candidates", candidates_json, true, false },
   
    { "files", files_json, true, false },        { "results", results_json, true, false },  { "runs", runs_json, true, false },
    { "counts", counts_json, false, true },      { "clocks", duties_json_of, false, false },   { "timeline", steps_json, false, false },
    { "notices", notices_json_of, false, false }, { "consultations", consultations_json, false, true },
};

static int one_json(struct call *c, const struct sv *s, json_t **out)
{
    bool bounded = scope_of(c->v).bounded;
    struct str team = { NULL, 0 };
    json_t *main = NULL, *control = NULL;
    int busy = s->started_at ? vulns_busy(c, s->id) : 0, rc = busy < 0 ? busy : schedule_team_name(c, s->team_id, &team);

    if (rc >= 0)
        rc = ref_json(c, s->main_id, &main);
    if (rc == 0)
        rc = ref_json(c, s->control_id, &control);
    if (rc < 0)
        return rc;
    *out = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:s, s:s, s:b, s:o, s:O}", "now", json_time(c->now), "id",
                     json_id(s->id), "number", json_str(s->number), "object", json_ref(s->object_id, s->object_name), "org", json_ref(s->org_id, s->org_name), "mode",
                     json_str(s->mode), "kind", json_str(s->kind), "ordinal", (json_int_t)s->ordinal, "main", main, "control", control, "line",
                     s->line_id ? json_id(s->line_id) : json_null(), "reason", bounded ? json_null() : json_str(s->reason), "from_on", json_str(s->from_on), "to_on",
                     json_str(s->to_on), "state", s->state->name, "waits", s->state->waits == SV_OWNER ? "owner" : s->state->waits == SV_CENTRE ? "centre" : "nobody",
                     "ended", s->state->ended, "team", s->team_id ? json_pack("{s:o, s:o}", "id", json_id(s->team_id), "name", json_str(team.p ? team : STR(""))) : json_null(),
                     "values", s->values);
    const struct { const char *name; time_ns at; } moments[] = {
        { "created_at", s->created_at }, { "told_at", s->told_at }, { "started_at", s->started_at }, { "completed_at", s->completed_at }, { "results_sent_at", s->sent_at },
        { "results_received_at", s->received_at }, { "measures_at", s->measures_at },
    };
    for (size_t i = 0; i < COUNT(moments); i++)
        json_object_set_new(*out, moments[i].name, json_time_or_null(moments[i].at));
    bool mine = false;
    if (rc == 0 && c->v && !bounded)
        rc = sv_team(c, s, &mine);
    json_object_set_new(*out, "busy", json_boolean(busy > 0));
    json_object_set_new(*out, "own_team", json_boolean(mine));
    for (size_t i = 0; rc == 0 && i < COUNT(parts); i++) {
        json_t *part = NULL;

        if (bounded && (parts[i].inner || (parts[i].sent && !s->sent_at)))
            part = parts[i].make == counts_json ? json_null() : json_array();
        else
            rc = parts[i].make(c, s, &part);
        json_object_set_new(*out, parts[i].name, part ? part : json_null());
        rc = rc > 0 ? 0 : rc;
    }
    json_object_set_new(*out, "actions", sv_actions_json(c, s));
    return rc;
}

int desk_survey(struct desk *d, const struct viewer *v, struct str id, time_ns now, struct desk_reply *r)
{
    AUTO_SV struct sv s = { 0 };
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = sv_load(&c, parse_id(id), &s);
    if (rc == 0)
        rc = one_json(&c, &s, &r->json);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}
