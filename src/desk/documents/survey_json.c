/* survey_json.c - a survey as it is told: where it stands, the 27 documents with how far each was judged, clocks, timeline, what to do now. */
#include "desk/documents/room.h"

struct str said_in(struct call *c, const json_t *texts, enum lang lang)
{
    struct str s = json_get_str(texts, lang_name(lang));

    (void)c;
    return s.n ? s : STR("");
}

/* counts_of - {document: {total, met, partly, not_met, not_applicable}} of a survey. */
static int counts_of(struct call *c, const struct td_survey *s, json_t **out)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT document, count(*), sum(verdict IS 'met'), sum(verdict IS 'partly'), sum(verdict IS 'not_met'), sum(verdict IS"
                                " 'not_applicable') FROM td_verdict WHERE survey_id = ? GROUP BY document", "i", s->id);
    int rc = st ? 0 : -EIO;

    *out = json_object();
    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        struct str document = db_str(st, 0);

        json_object_setn_new(*out, document.p, document.n,
                             json_pack("{s:I, s:I, s:I, s:I, s:I}", "total", (json_int_t)sqlite3_column_int64(st, 1), "met", (json_int_t)sqlite3_column_int64(st, 2),
                                       "partly", (json_int_t)sqlite3_column_int64(st, 3), "not_met", (json_int_t)sqlite3_column_int64(st, 4), "not_applicable",
                                       (json_int_t)sqlite3_column_int64(st, 5)));
    }
    return rc;
}

int progress_json(struct call *c, const struct td_survey *s, json_t **out)
{
    static const char *const keys[] = { "total", "met", "partly", "not_met", "not_applicable" };
    json_t *counts = NULL, *one;
    size_t i;
    int rc = register_json(c, s->object_id, out);

    if (rc == 0)
        rc = counts_of(c, s, &counts);
    json_array_foreach(*out, i, one) {
        json_t *n = json_object_get(counts, json_string_value(json_object_get(one, "document")));

        for (size_t k = 0; k < COUNT(keys); k++)
            json_object_set_new(one, keys[k], json_integer(json_integer_value(json_object_get(n, keys[k]))));
    }
    json_decref(counts);
    return rc;
}

static json_t *author_json(sqlite3_stmt *st, int column)
{
    if (sqlite3_column_type(st, column) == SQLITE_NULL)
        return json_null();
    return json_pack("{s:o, s:o, s:o}", "id", db_json_id(st, column), "name", db_json(st, column + 1), "role", db_json(st, column + 2));
}

static json_t *step_text(struct call *c, struct str text, struct str key, json_t *values)
{
    if (!key.n)
        return json_str(text);
    struct str told = text_fill(&c->a, catalog_text(c->d->setup.catalog, c->v->lang, key.p), values);

    return json_str(text.n ? arena_printf(&c->a, "%.*s\n%.*s", STR_ARG(told), STR_ARG(text)) : told);
}

/* timeline_told - of the survey itself, and of the request where the owner's part was done. */
static int timeline_told(struct call *c, const struct td_survey *s, json_t **out)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT t.id, t.kind, t.happened_at, t.recorded_at, t.due_at, t.author_id, u.name, u.role, t.text, t.key, t.args, t.obligation,"
                                " t.addressee FROM timeline t LEFT JOIN user u ON u.id = t.author_id WHERE t.subject = 'document_survey' AND t.subject_id = ?1 AND"
                                " (?2 = 0 OR t.internal = 0) ORDER BY t.recorded_at, t.id", "zi", s->id_text, scope_of(c->v).bounded);
    int rc = st ? 0 : -EIO;

    *out = json_array();
    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        struct str args = db_str(st, 10), key = db_copy(st, 9, &c->a);
        json_t *values = args.n ? json_loadb(args.p, args.n, 0, NULL) : NULL;

        json_array_append_new(*out, json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:n}", "id", db_json_id(st, 0), "kind", db_json(st, 1),
                                              "happened_at", db_json_time(st, 2), "recorded_at", db_json_time(st, 3), "due_at", db_json_time(st, 4), "author",
                                              author_json(st, 5), "obligation", db_json(st, 11), "addressee", db_json(st, 12), "text",
                                              step_text(c, db_copy(st, 8, &c->a), key, values), "values"));
        json_decref(values);
    }
    return rc;
}

static int evidence_json(struct call *c, const struct td_survey *s, bool whole, json_t **out)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT f.id, f.role, f.code, f.violation_id, f.name, f.type, f.size_bytes, f.sha256, f.captured_at, f.place, f.note, f.added_at,"
                                " u.name FROM td_evidence f LEFT JOIN user u ON u.id = f.added_by WHERE f.survey_id = ? ORDER BY f.id", "i", s->id);
    int rc = st ? 0 : -EIO;

    *out = json_array();
    while (st && (rc = db_step(c->d, st, c->e)) > 0)
        if (whole)
            json_array_append_new(*out, json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:o, s:o, s:o, s:o, s:o, s:o}", "id", db_json_id(st, 0), "role",
                                                  db_json(st, 1), "requirement", db_json(st, 2), "violation", db_json_id(st, 3), "name", db_json(st, 4), "type",
                                                  db_json(st, 5), "size_bytes", (json_int_t)sqlite3_column_int64(st, 6), "sha256", db_json(st, 7), "captured_at",
                                                  db_json_time(st, 8), "place", db_json(st, 9), "note", db_json(st, 10), "added_at", db_json_time(st, 11), "added_by",
                                                  db_json(st, 12)));
    return rc;
}

/* clocks_json - D-17 and D-18 of the survey, before them D-16 of its request. */
static int survey_clocks(struct call *c, const struct td_survey *s, json_t **out)
{
    struct subject own = td_subject(s), request = { .kind = "request", .object_id = s->object_id, .org_id = s->org_id };
    json_t *mine = NULL;
    int rc;

    request.id = arena_printf(&c->a, "%lld", (long long)s->request_id);
    *out = json_array();
    if (s->request_id) {
        json_decref(*out);
        rc = duties_json(c, &request, out);
        if (rc < 0)
            return rc;
    }
    rc = duties_json(c, &own, &mine);
    json_array_extend(*out, mine);
    json_decref(mine);
    return rc;
}

static int request_json(struct call *c, const struct td_survey *s, json_t **out)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT r.id, r.number, r.state, (SELECT count(*) FROM request_item i WHERE i.request_id = r.id AND i.state = 'provided'),"
                                " (SELECT count(*) FROM request_item i WHERE i.request_id = r.id AND i.state = 'missing'),"
                                " (SELECT count(*) FROM request_item i WHERE i.request_id = r.id) FROM request r WHERE r.id = ?", "i", s->request_id);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    *out = json_null();
    if (rc <= 0)
        return rc;
    *out = json_pack("{s:o, s:o, s:o, s:I, s:I, s:I}", "id", db_json_id(st, 0), "number", db_json(st, 1), "state", db_json(st, 2), "provided",
                     (json_int_t)sqlite3_column_int64(st, 3), "missing", (json_int_t)sqlite3_column_int64(st, 4), "count", (json_int_t)sqlite3_column_int64(st, 5));
    db_done(st);
    return 0;
}

static int previous_json(struct call *c, const struct td_survey *s, json_t **out)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT id, number, completed_at FROM td_survey WHERE id = ? AND (?2 = 0 OR results_sent_at IS NOT NULL)", "ii",
                                s->previous_id, scope_of(c->v).bounded);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    *out = json_null();
    if (rc <= 0)
        return rc;
    *out = json_pack("{s:o, s:o, s:o}", "id", db_json_id(st, 0), "number", db_json(st, 1), "completed_at", db_json_time(st, 2));
    db_done(st);
    return 0;
}

/* found_json - how many requirements are not met, by what became of the violations; to the owner from the sending on. */
static int found_json(struct call *c, const struct td_survey *s, bool whole, json_t **out)
{
    int64_t n[5] = { 0 };
    static const char *const sql[] = {
        "SELECT count(*) FROM td_verdict WHERE survey_id = ? AND verdict = 'partly'", "SELECT count(*) FROM td_verdict WHERE survey_id = ? AND verdict = 'not_met'",
        "SELECT count(*) FROM td_verdict WHERE survey_id = ? AND violation_id IS NOT NULL AND verdict = 'met'",
        "SELECT count(*) FROM td_measure WHERE survey_id = ?",
        "SELECT count(*) FROM td_verdict WHERE survey_id = ? AND violation_id IS NOT NULL AND verdict = 'not_applicable'",
    };

    *out = json_null();
    for (size_t i = 0; whole && i < COUNT(sql); i++) {
        int rc = db_int(c->d, c->e, 0, &n[i], sql[i], "i", s->id);

        if (rc < 0)
            return rc;
    }
    if (whole)
        *out = json_pack("{s:I, s:I, s:I, s:I, s:I}", "partly", (json_int_t)n[0], "not_met", (json_int_t)n[1], "fixed", (json_int_t)n[2], "measures", (json_int_t)n[3],
                         "not_applicable", (json_int_t)n[4]);
    return 0;
}

struct parts {
    json_t *clocks, *steps, *files, *request, *previous, *progress, *found, *notices;
};

static int parts_json(struct call *c, const struct td_survey *s, bool whole, struct parts *p)
{
    struct subject about = td_subject(s);
    int rc = survey_clocks(c, s, &p->clocks);

    if (rc == 0)
        rc = timeline_told(c, s, &p->steps);
    if (rc == 0)
        rc = evidence_json(c, s, whole, &p->files);
    if (rc == 0)
        rc = request_json(c, s, &p->request);
    if (rc == 0)
        rc = previous_json(c, s, &p->previous);
    if (rc == 0 && whole)
        rc = progress_json(c, s, &p->progress);
    if (rc == 0)
        rc = found_json(c, s, whole, &p->found);
    return rc < 0 ? rc : notices_of(c, &about, &p->notices);
}

int survey_json(struct call *c, struct td_survey *s, json_t **out)
{
    static const char *const waits[] = { "nobody", "owner", "centre" };
    bool whole = !scope_of(c->v).bounded || s->state->told;
    struct parts p = { 0 };
    int rc = parts_json(c, s, whole, &p);

    if (rc == 0)
        *out = json_pack("{s:o, s:o, s:o, s:s, s:s, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b}", "now", json_time(c->now), "id",
                         json_id(s->id), "number", json_str(s->number), "state", s->state->name, "waits", waits[s->state->waits], "ended", s->state->ended,
                         "object", json_ref(s->object_id, s->object_name), "org", json_ref(s->org_id, s->org_name), "planned_from", json_str(s->planned_from),
                         "planned_to", json_str(s->planned_to), "reason", json_str(s->reason), "plan_line", s->plan_line ? json_id(s->plan_line) : json_null(),
                         "opened_at", json_time(s->opened_at), "started_at", json_time_or_null(s->started_at), "completed_at",
                         json_time_or_null(whole ? s->completed_at : 0), "results_sent_at", json_time_or_null(s->results_sent_at), "results_received_at",
                         json_time_or_null(s->results_received_at), "measures_at", json_time_or_null(s->measures_at), "ended_at", json_time_or_null(s->ended_at),
                         "whole", whole);
    if (rc == 0) {
        json_object_set(*out, "clocks", p.clocks);
        json_object_set(*out, "timeline", p.steps);
        json_object_set(*out, "files", p.files);
        json_object_set(*out, "request", p.request);
        json_object_set(*out, "previous", p.previous);
        json_object_set_new(*out, "documents", p.progress ? json_incref(p.progress) : json_array());
        json_object_set(*out, "found", p.found);
        json_object_set(*out, "notices", p.notices);
        json_object_set_new(*out, "actions", td_actions_json(c, s));
    }
    json_decref(p.clocks), json_decref(p.steps), json_decref(p.files), json_decref(p.request), json_decref(p.previous), json_decref(p.progress);
    json_decref(p.found), json_decref(p.notices);
    return rc;
}

/* Where the owner has got to in the request, the survey gets to before it is shown: the tick may be a second behind. What is looked at first is whether it
 * is behind: were it loaded first, a tick between the two would leave the old state in hand. */
static int followed(struct call *c, int64_t id, struct td_survey *s)
{
    int64_t behind = 0;
    int rc = db_int(c->d, c->e, 0, &behind, "SELECT count(*) FROM td_survey s JOIN request r ON r.id = s.request_id WHERE s.id = ? AND " TD_BEHIND, "i", id);

    if (rc < 0 || !behind)
        return rc < 0 ? rc : td_load(c, id, s);
    rc = db_begin(c->d, c->e);
    if (rc < 0)
        return rc;
    rc = td_load(c, id, s);
    if (rc == 0)
        rc = td_follow(c, s);
    rc = db_end(c->d, rc < 0 ? rc : 0, c->e);
    return rc < 0 ? rc : td_load(c, id, s);
}

int desk_td_survey(struct desk *d, const struct viewer *v, struct str id, time_ns now, struct desk_reply *r)
{
    struct td_survey s;
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = followed(&c, parse_id(id), &s);
    if (rc == 0)
        rc = survey_json(&c, &s, &r->json);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}
