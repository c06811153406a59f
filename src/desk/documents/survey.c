/* survey.c - a survey of documents in hand: loaded within the viewer's scope, planned, moved, saved. */
#include "desk/documents/room.h"

/* A declared moment may lie a little ahead of our clock: a minute of a form, a watch that runs fast. */
#define AHEAD_NS (5 * NS_PER_MINUTE)

#define TD_COLUMNS                                                                                                                                \
    "s.id, s.number, s.state, s.object_id, o.name, o.org_id, g.name, o.possessor_id, s.plan_line, s.team, s.planned_from, s.planned_to, s.reason,"   \
    " s.request_id, s.copies_taken, s.previous_id, s.opened_at, s.started_at, s.completed_at, s.results_sent_at, s.results_received_at, s.measures_at," \
    " s.ended_at"

static const char *const waits_names[] = { "nobody", "owner", "centre" };

static const struct td_state *state_find(struct str name)
{
    for (size_t i = 0; i < td_state_count; i++)
        if (str_eq(name, str_c(td_states[i].name)))
            return &td_states[i];
    return NULL;
}

void td_move(struct td_survey *s, const char *state)
{
    s->state = state_find(str_c(state));
    assert(s->state);
}

bool td_in(const struct td_survey *s, const char *states)
{
    struct str all = str_c(states), one;

    while (str_split(&all, ' ', &one))
        if (str_eq(one, str_c(s->state->name)))
            return true;
    return false;
}

struct subject td_subject(const struct td_survey *s)
{
    return (struct subject){ .kind = "document_survey", .id = str_c(s->id_text), .object_id = s->object_id, .org_id = s->org_id };
}

int td_wrong(struct call *c, const char *field, const char *why) { return refuse(c, -EINVAL, "bad_request", field, "%s: %s", field, why); }

int td_load(struct call *c, int64_t id, struct td_survey *out)
{
    struct scope scope = scope_of(c->v);
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT " TD_COLUMNS " FROM td_survey s JOIN object o ON o.id = s.object_id JOIN org g ON g.id = o.org_id WHERE s.id = ?3 AND"
                                " (?1 = 0 OR (s.inner = 0 AND " SCOPE_OBJECT "))",
                                "izi", scope.bounded, scope.org, id);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    *out = (struct td_survey){ 0 };
    if (rc <= 0)
        return rc < 0 ? rc : refuse(c, -ENOENT, "not_found", NULL, "no such survey");
    *out = (struct td_survey){ .id = sqlite3_column_int64(st, 0), .number = db_copy(st, 1, &c->a), .state = state_find(db_str(st, 2)),
                               .object_id = db_copy(st, 3, &c->a), .object_name = db_copy(st, 4, &c->a), .org_id = db_copy(st, 5, &c->a),
                               .org_name = db_copy(st, 6, &c->a), .possessor_id = db_copy(st, 7, &c->a), .plan_line = sqlite3_column_int64(st, 8),
                               .team = db_copy(st, 9, &c->a), .planned_from = db_copy(st, 10, &c->a), .planned_to = db_copy(st, 11, &c->a),
                               .reason = db_copy(st, 12, &c->a), .request_id = sqlite3_column_int64(st, 13), .copies_taken = sqlite3_column_int(st, 14) != 0,
                               .previous_id = sqlite3_column_int64(st, 15), .opened_at = sqlite3_column_int64(st, 16),
                               .started_at = sqlite3_column_int64(st, 17), .completed_at = sqlite3_column_int64(st, 18),
                               .results_sent_at = sqlite3_column_int64(st, 19), .results_received_at = sqlite3_column_int64(st, 20),
                               .measures_at = sqlite3_column_int64(st, 21), .ended_at = sqlite3_column_int64(st, 22) };
    db_done(st);
    snprintf(out->id_text, sizeof out->id_text, "%lld", (long long)out->id);
    return out->state ? 0 : err_set(c->e, -EIO, "survey %lld is in a state that nobody knows", (long long)id);
}

int td_save(struct call *c, struct td_survey *s)
{
    if (s->state->ended && !s->ended_at)
        s->ended_at = c->now;
    int rc = db_exec(c->d, c->e,
                     "UPDATE td_survey SET state = ?2, waits = ?3, ended = ?4, inner = ?5, request_id = ?6, copies_taken = ?7, previous_id = ?8, started_at = ?9,"
                     " completed_at = ?10, results_sent_at = ?11, results_received_at = ?12, measures_at = ?13, ended_at = ?14, updated_at = ?15 WHERE id = ?1",
                     "izziimimmmmmmmi", s->id, s->state->name, waits_names[s->state->waits], (int64_t)s->state->ended, (int64_t)s->state->inner,
                     (time_ns)s->request_id, (int64_t)s->copies_taken, (time_ns)s->previous_id, s->started_at, s->completed_at, s->results_sent_at,
                     s->results_received_at, s->measures_at, s->ended_at, c->now);

    change_id(c->d, "doc", s->id);
    return rc < 0 ? rc : 0;
}

int td_line(struct call *c, const struct td_survey *s, const char *kind, struct str text, time_ns happened)
{
    struct subject about = td_subject(s);
    bool inner = s->state->inner || strcmp(kind, "start") == 0 || strcmp(kind, "complete") == 0 || strcmp(kind, "not_presented") == 0;

    return timeline_of(c, &about, &(struct line){ .kind = kind, .text = text, .happened_at = happened, .internal = inner });
}

int td_moment(struct call *c, const json_t *body, const char *key, time_ns *out)
{
    struct str s = json_get_str(body, key);

    *out = c->now;
    if (!s.n)
        return 0;
    if (time_parse_rfc3339(s, out, NULL, NULL) < 0)
        return td_wrong(c, key, "not a moment");
    return *out > c->now + AHEAD_NS ? td_wrong(c, key, "lies in the future") : 0;
}

struct str td_two(struct call *c, const char *key, const json_t *args, const char *between)
{
    struct str kk = text_fill(&c->a, catalog_text(c->d->setup.catalog, LANG_KK, key), args);
    struct str ru = text_fill(&c->a, catalog_text(c->d->setup.catalog, LANG_RU, key), args);

    return arena_printf(&c->a, "%.*s%s%.*s", STR_ARG(kk), between, STR_ARG(ru));
}

int td_documents(struct call *c, time_ns at, const struct enumeration **out)
{
    const struct edition *ed = duty_edition_at(c->d->setup.world, at);

    *out = ed ? edition_enumeration(ed, STR("td_document_type")) : NULL;
    return *out ? 0 : err_set(c->e, -ENOTSUP, "the edition has no list of the documents of Annex 3");
}

struct str td_title(struct call *c, struct str document)
{
    const struct enumeration *docs = NULL;
    const struct enum_value *v = td_documents(c, c->now, &docs) == 0 ? enumeration_value(docs, document) : NULL;

    return v ? v->name.text[c->v ? c->v->lang : LANG_KK] : arena_copy(&c->a, document);
}

/* "R-A3.2-07": the level stands in the row. */
int td_level(const struct enum_value *v) { return v->row.n > 5 && v->row.p[5] >= '1' && v->row.p[5] <= '4' ? v->row.p[5] - '0' : 0; }

int td_object_reached(struct call *c, struct str object)
{
    struct scope s = scope_of(c->v);
    int64_t n = 0;
    int rc = db_int(c->d, c->e, 0, &n, "SELECT count(*) FROM object o WHERE o.id = ?3 AND " SCOPE_OBJECT, "izt", s.bounded, s.org, object);

    return rc < 0 ? rc : n ? 0 : refuse(c, -ENOENT, "not_found", NULL, "no such object");
}

int td_number(struct call *c, const char *series, char out[40])
{
    char date[16], counter[32];
    int64_t n = 0;
    int rc;

    local_date(c->d, c->now, date);
    snprintf(counter, sizeof counter, "%.10s-%.4s", series, date);
    rc = counter_next(c->d, counter, &n, c->e);
    snprintf(out, 40, "%.10s-%.4s-%06lld", series, date, (long long)n);
    return rc;
}

/* --- planning --- */

/* previous - the survey of the object that was completed last: its verdicts are "last time". */
static int previous(struct call *c, struct str object, int64_t *out)
{
    return db_int(c->d, c->e, 0, out, "SELECT id FROM td_survey WHERE object_id = ? AND completed_at IS NOT NULL ORDER BY id DESC LIMIT 1", "t", object);
}

int td_new(struct call *c, const struct td_survey *plan, int64_t *id)
{
    struct td_survey s;
    char number[40];
    int64_t before = 0;
    int rc = td_number(c, "TD", number);

    if (rc == 0)
        rc = previous(c, plan->object_id, &before);
    if (rc == 0)
        rc = db_int(c->d, c->e, 0, id,
                    "INSERT INTO td_survey(number, object_id, state, waits, ended, inner, plan_line, team, planned_from, planned_to, reason, request_id,"
                    " previous_id, opened_at, opened_by, updated_at) VALUES (?1,?2,?3,?4,0,1,?5,?6,?7,?8,?9,?10,?11,?12,?13,?12) RETURNING id",
                    "ztzzmttttmmim", number, plan->object_id, td_states[0].name, waits_names[td_states[0].waits], (time_ns)plan->plan_line, plan->team,
                    plan->planned_from, plan->planned_to, plan->reason, (time_ns)plan->request_id, (time_ns)before, c->now,
                    (time_ns)(c->v ? c->v->user_id : 0));
    if (rc == 0) {
        change_id(c->d, "doc", *id);
        rc = td_load(c, *id, &s);
    }
    if (rc == 0)
        rc = td_line(c, &s, "planned", plan->reason.p ? plan->reason : STR(""), 0);
    return rc < 0 ? rc
                  : audit_add(c, "document_survey.plan", arena_printf(&c->a, "document_survey/%lld", (long long)*id).p, str_c(arena_copy(&c->a, str_c(number)).p),
                              "ok");
}

static const struct body_field plan_fields[] = {
    { "object_id", BODY_STRING, true, false, 1, ID_MAX, NULL }, { "planned_from", BODY_DATE, true, false, 0, 0, NULL },
    { "planned_to", BODY_DATE, false, true, 0, 0, NULL },       { "reason", BODY_TEXT, true, false, 1, DESK_TEXT_MAX, NULL },
    { "request_id", BODY_STRING, false, true, 1, 20, NULL },
};

/* request_taken - the request that a survey by hand goes on from: the one named, else the one that is open for the object. */
static int request_taken(struct call *c, const json_t *body, struct str object, int64_t *out)
{
    int64_t named = parse_id(json_get_str(body, "request_id"));
    int rc = db_int(c->d, c->e, 0, out,
                    "SELECT r.id FROM request r WHERE r.object_id = ?1 AND r.kind = 'document_survey' AND CASE WHEN ?2 THEN r.id = ?2 AND r.state <> 'withdrawn'"
                    " ELSE r.ended = 0 END AND NOT EXISTS (SELECT 1 FROM td_survey s WHERE s.request_id = r.id) ORDER BY r.id DESC LIMIT 1",
                    "ti", object, named);

    return rc == 0 && json_get_str(body, "request_id").n && !*out ? td_wrong(c, "request_id", "no such request without a survey at this object") : rc;
}

static int plan(struct call *c, const json_t *body, int64_t *id)
{
    struct td_survey s = { .planned_from = json_get_str(body, "planned_from"), .planned_to = json_get_str(body, "planned_to"), .reason = json_get_str(body, "reason"),
                           .object_id = json_get_str(body, "object_id") };
    int64_t open = 0;
    int rc = body_check(body, plan_fields, COUNT(plan_fields), c->r->field, c->e);

    if (rc == 0 && s.planned_to.n && str_cmp(s.planned_to, s.planned_from) < 0)
        rc = td_wrong(c, "planned_to", "before the first day");
    if (rc == 0)
        rc = td_object_reached(c, s.object_id);
    if (rc == -ENOENT)
        return refuse(c, -EINVAL, "bad_request", "object_id", "no such object");
    if (rc == 0)
        rc = db_int(c->d, c->e, 0, &open, "SELECT count(*) FROM td_survey WHERE object_id = ? AND ended = 0", "t", s.object_id);
    if (rc == 0 && open)
        return refuse(c, -EEXIST, "conflict", "object_id", "a survey of this object's documents is open");
    if (rc == 0)
        rc = request_taken(c, body, s.object_id, &s.request_id);
    if (rc == 0)
        rc = td_new(c, &s, id);
    if (rc < 0 || !s.request_id)
        return rc;
    rc = td_load(c, *id, &s);
    rc = rc < 0 ? rc : td_follow(c, &s);
    return rc < 0 ? rc : 0;
}

int desk_td_plan(struct desk *d, const struct viewer *v, const json_t *body, time_ns now, struct desk_reply *r)
{
    char text[24];
    int64_t id = 0;
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = db_begin(d, c.e);
    if (rc == 0)
        rc = db_end(d, plan(&c, body, &id), c.e);
    desk_call_free(&c);
    snprintf(text, sizeof text, "%lld", (long long)id);
    return rc < 0 ? refuse_rc(r, rc) : desk_td_survey(d, v, str_c(text), now, r);
}
