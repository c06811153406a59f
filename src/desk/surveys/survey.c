/* survey.c - a survey in hand: loaded within the viewer's scope, made, saved; its timeline and notices. */
#include "desk/registry/registry.h"
#include "desk/schedule/schedule.h"
#include "desk/surveys/room.h"

#define SV_COLUMNS                                                                                                                        \
    "s.id, s.number, s.object_id, o.name, o.org_id, g.name, o.possessor_id, o.ocib_id, s.mode, s.kind, s.main_id, s.ordinal, s.line_id, s.reason," \
    " s.team_id, s.from_on, s.to_on, s.state, s.values_json, s.told_at, s.started_at, s.completed_at, s.results_sent_at, s.results_received_at,"  \
    " s.measures_at, s.created_at, s.created_by, s.updated_at, (SELECT x.id FROM survey x WHERE x.main_id = s.id AND x.state <> 'cancelled'"     \
    " ORDER BY x.id LIMIT 1)"

static const char *const waits_names[] = { "nobody", "owner", "centre" };

/* A declared moment may lie a little ahead of our clock: a minute of a form, a watch that runs fast. */
#define AHEAD_NS (5 * NS_PER_MINUTE)

void sv_free(struct sv *s)
{
    json_decref(s->values);
    s->values = NULL;
}

void sv_move(struct sv *s, const char *state)
{
    for (size_t i = 0; i < sv_state_count; i++)
        if (strcmp(sv_states[i].name, state) == 0)
            s->state = &sv_states[i];
    assert(s->state && strcmp(s->state->name, state) == 0);
}

bool sv_in(const struct sv *s, const char *states)
{
    struct str all = str_c(states), one;

    while (str_split(&all, ' ', &one))
        if (str_eq(one, str_c(s->state->name)))
            return true;
    return false;
}

struct subject sv_subject(const struct sv *s)
{
    return (struct subject){ .kind = "survey", .id = str_c(s->id_text), .object_id = s->object_id, .org_id = s->org_id };
}

int sv_wrong(struct call *c, const char *field, const char *why) { return refuse(c, -EINVAL, "bad_request", field, "%s: %s", field, why); }

static int row_read(struct call *c, sqlite3_stmt *st, struct sv *s)
{
    struct str values = db_str(st, 18), state = db_str(st, 17);

    *s = (struct sv){ .id = sqlite3_column_int64(st, 0), .number = db_copy(st, 1, &c->a), .object_id = db_copy(st, 2, &c->a),
                      .object_name = db_copy(st, 3, &c->a), .org_id = db_copy(st, 4, &c->a), .org_name = db_copy(st, 5, &c->a),
                      .possessor_id = db_copy(st, 6, &c->a), .ocib_id = db_copy(st, 7, &c->a), .mode = db_copy(st, 8, &c->a), .kind = db_copy(st, 9, &c->a),
                      .main_id = sqlite3_column_int64(st, 10), .ordinal = sqlite3_column_int64(st, 11), .line_id = sqlite3_column_int64(st, 12),
                      .reason = db_copy(st, 13, &c->a), .team_id = sqlite3_column_int64(st, 14), .from_on = db_copy(st, 15, &c->a), .to_on = db_copy(st, 16, &c->a),
                      .told_at = sqlite3_column_int64(st, 19), .started_at = sqlite3_column_int64(st, 20), .completed_at = sqlite3_column_int64(st, 21),
                      .sent_at = sqlite3_column_int64(st, 22), .received_at = sqlite3_column_int64(st, 23), .measures_at = sqlite3_column_int64(st, 24),
                      .created_at = sqlite3_column_int64(st, 25), .created_by = sqlite3_column_int64(st, 26), .updated_at = sqlite3_column_int64(st, 27),
                      .control_id = sqlite3_column_int64(st, 28) };
    for (size_t i = 0; i < sv_state_count; i++)
        if (str_eq(state, str_c(sv_states[i].name)))
            s->state = &sv_states[i];
    s->values = json_loadb(values.p, values.n, 0, NULL);
    snprintf(s->id_text, sizeof s->id_text, "%lld", (long long)s->id);
    db_done(st);
    return s->state && s->values ? 0 : err_set(c->e, -EIO, "survey %lld is in a state that nobody knows", (long long)s->id);
}

int sv_load(struct call *c, int64_t id, struct sv *out)
{
    struct scope scope = scope_of(c->v);
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT " SV_COLUMNS " FROM survey s JOIN object o ON o.id = s.object_id JOIN org g ON g.id = o.org_id"
                                " WHERE s.id = ?3 AND (?1 = 0 OR (s.told_at IS NOT NULL AND " SCOPE_OBJECT "))",
                                "izi", scope.bounded, scope.org, id);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    *out = (struct sv){ 0 };
    if (rc < 0)
        return rc;
    return rc == 0 ? refuse(c, -ENOENT, "not_found", NULL, "no such survey") : row_read(c, st, out);
}

int sv_save(struct call *c, struct sv *s)
{
    AUTO_FREE char *text = json_dumps(s->values, JSON_COMPACT | JSON_SORT_KEYS);
    int rc = db_exec(c->d, c->e,
                     "UPDATE survey SET state = ?2, waits = ?3, ended = ?4, values_json = ?5, from_on = ?6, to_on = ?7, team_id = ?8, told_at = ?9,"
                     " started_at = ?10, completed_at = ?11, results_sent_at = ?12, results_received_at = ?13, measures_at = ?14, updated_at = ?15 WHERE id = ?1",
                     "izziztt" "mmmmmmmi", s->id, s->state->name, waits_names[s->state->waits], (int64_t)s->state->ended, text, s->from_on, s->to_on, (time_ns)s->team_id,
                     s->told_at, s->started_at, s->completed_at, s->sent_at, s->received_at, s->measures_at, c->now);

    change_id(c->d, "survey", s->id);
    return rc < 0 || !s->started_at ? (rc < 0 ? rc : 0) : sv_put(c, s);
}

int sv_put(struct call *c, const struct sv *s)
{
    struct str *hosts = arena_array(&c->a, VULN_SCOPE_MAX, sizeof *hosts);
    struct subject about = sv_subject(s);
    json_t *scope = NULL;
    size_t count = 0;
    struct vuln_survey v = { .id = s->id, .object_id = s->object_id, .number = s->number, .mode = s->mode, .control = str_eq(s->kind, STR("control")),
                             .main_id = s->main_id, .begun_at = s->started_at, .completed_at = s->completed_at, .sent_at = s->sent_at,
                             .received_at = s->received_at, .measures_at = s->measures_at, .cancelled = sv_in(s, "cancelled"), .scope = hosts };
    int rc = hosts ? scope_included(c, s, &scope) : err_set(c->e, -ENOMEM, "no memory for a scope");

    for (size_t i = 0; rc == 0 && i < json_array_size(scope); i++) {
        const json_t *list = json_object_get(json_array_get(scope, i), "hosts");

        for (size_t h = 0; rc == 0 && h < json_array_size(list); h++) {
            if (count == VULN_SCOPE_MAX)
                rc = refuse(c, -EINVAL, "bad_request", "scope", "the scope has more than %d addresses", VULN_SCOPE_MAX);
            else
                hosts[count++] = arena_copy(&c->a, str_c(json_string_value(json_array_get(list, h))));
        }
    }
    json_decref(scope);
    v.scope_count = count;
    if (rc == 0 && s->received_at)
        rc = duties_due(c, &about, "D-13", &v.measures_due_at);
    return rc < 0 ? rc : vulns_survey_put(c, &v);
}

int sv_moment(struct call *c, const json_t *body, const char *key, time_ns *out)
{
    struct str s = json_get_str(body, key);

    *out = c->now;
    if (s.n == 0)
        return 0;
    if (time_parse_rfc3339(s, out, NULL, NULL) < 0)
        return sv_wrong(c, key, "not a moment");
    if (*out > c->now + AHEAD_NS)
        return sv_wrong(c, key, "lies in the future");
    return 0;
}

int sv_day(struct call *c, struct str date, const char *key, time_ns *out)
{
    struct duty_start start;

    if (duty_start_parse(date, c->d->setup.world->zone, &start, NULL) < 0 || !start.date)
        return sv_wrong(c, key, "not a date");
    *out = start.at;
    return 0;
}

int sv_team(struct call *c, const struct sv *s, bool *yes)
{
    int64_t named = 0, all = 0;
    int rc = db_int(c->d, c->e, 0, &named, "SELECT count(*) FROM survey_person WHERE survey_id = ? AND user_id = ?", "ii", s->id, c->v->user_id);

    *yes = true;
    if (rc < 0 || named || c->v->role == DESK_CENTRE_LEAD)
        return rc < 0 ? rc : 0;
    rc = s->team_id ? schedule_team_has(c, s->team_id, c->v->user_id)
                    : db_int(c->d, c->e, 0, &all, "SELECT count(*) FROM survey_person WHERE survey_id = ?", "i", s->id);
    *yes = s->team_id ? rc > 0 : all == 0;
    return rc < 0 ? rc : 0;
}

/* people_named - whom to ask, where there is no team. */
static int people_named(struct call *c, const struct sv *s, struct str *out)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT group_concat(name, ', ') FROM (SELECT u.name FROM survey_person p JOIN user u ON u.id = p.user_id WHERE p.survey_id = ?"
                                            " ORDER BY u.name LIMIT 5)", "i", s->id);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    *out = STR("");
    if (rc > 0) {
        *out = db_copy(st, 0, &c->a);
        db_done(st);
    }
    return rc < 0 ? rc : 0;
}

int sv_team_only(struct call *c, const struct sv *s)
{
    struct str who = { NULL, 0 };
    bool mine = false;
    int rc = sv_team(c, s, &mine);

    if (rc < 0 || mine)
        return rc;
    rc = s->team_id ? schedule_team_name(c, s->team_id, &who) : people_named(c, s, &who);
    if (rc < 0)
        return rc;
    return refuse(c, -EACCES, "not_of_team", NULL, "survey %.*s is of %s \"%.*s\": one of them or a lead does this", STR_ARG(s->number), s->team_id ? "the team" : "", STR_ARG(who));
}

/* --- lines and notices --- */

int sv_line(struct call *c, const struct sv *s, const char *kind, struct str text, json_t *args, bool internal)
{
    struct subject about = sv_subject(s);

    return timeline_of(c, &about, &(struct line){ .kind = kind, .text = text, .args = args, .internal = internal });
}

struct str sv_text(const struct call *c, const char *key, struct str value, enum lang lang)
{
    char name[96];

    snprintf(name, sizeof name, "%s.%.*s", key, (int)min_size(value.n, 40), value.p ? value.p : "");
    return catalog_text(c->d->setup.catalog, lang, name);
}

struct str sv_two(struct call *c, const char *key, const json_t *args, const char *between)
{
    struct str kk = text_fill(&c->a, catalog_text(c->d->setup.catalog, LANG_KK, key), args);
    struct str ru = text_fill(&c->a, catalog_text(c->d->setup.catalog, LANG_RU, key), args);

    return arena_printf(&c->a, "%.*s%s%.*s", STR_ARG(kk), between, STR_ARG(ru));
}

/* told_args - the placeholders that every text has; a word of a language is filled where that language stands. */
static json_t *told_args(struct call *c, const struct sv *s, enum lang lang, const json_t *more)
{
    json_t *args = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "number", json_str(s->number), "object", json_str(s->object_name), "from", json_str(s->from_on),
                             "to", json_str(s->to_on), "mode", json_str(sv_text(c, "survey.mode", s->mode, lang)), "kind",
                             json_str(sv_text(c, "survey.kind", s->kind, lang)));

    if (more)
        json_object_update(args, (json_t *)(uintptr_t)more);
    return args;
}

static struct str told(struct call *c, const struct sv *s, const char *key, const char *part, const char *between, const json_t *more)
{
    static const enum lang langs[] = { LANG_KK, LANG_RU };
    char name[80];
    struct str out[COUNT(langs)];

    snprintf(name, sizeof name, "survey.notice.%s.%s", key, part);
    for (size_t i = 0; i < COUNT(langs); i++) {
        json_t *args = told_args(c, s, langs[i], more);

        out[i] = text_fill(&c->a, catalog_text(c->d->setup.catalog, langs[i], name), args);
        json_decref(args);
    }
    return arena_printf(&c->a, "%.*s%s%.*s", STR_ARG(out[0]), between, STR_ARG(out[1]));
}

int sv_tell(struct call *c, struct sv *s, const struct sv_letter *l, int64_t *notice_id)
{
    struct subject about = sv_subject(s);
    struct str orgs[3] = { { NULL, 0 } };
    size_t n = 1;
    char kind[48];

    if (!l->to_centre) {
        orgs[0] = s->org_id;
        if (s->possessor_id.n && !str_eq(s->possessor_id, s->org_id))
            orgs[n++] = s->possessor_id;
        if (!s->told_at)
            s->told_at = c->now;
    }
    snprintf(kind, sizeof kind, "survey_%s", l->key);
    struct notice_new notice = { .kind = kind, .paragraph = l->paragraph, .about = &about, .form = l->form, .values = l->values,
                                 .title = told(c, s, l->key, "title", " / ", l->args), .text = told(c, s, l->key, "text", "\n\n", l->args), .orgs = orgs,
                                 .org_count = n, .files = l->files, .file_count = l->file_count };
    if (l->proof.n) {
        notice.incoming = true;
        notice.sender_name = s->org_name;
        notice.outer_number = l->proof;
        notice.sender = &s->org_id;
    }
    int rc = notice_issue(c, &notice, notice_id);

    json_decref(l->args);
    return rc;
}

/* --- new ones --- */

static int number_next(struct call *c, char out[32])
{
    char date[16], counter[24];
    int64_t n = 0;
    int rc;

    local_date(c->d, c->now, date);
    snprintf(counter, sizeof counter, "survey-%.4s", date);
    rc = counter_next(c->d, counter, &n, c->e);
    snprintf(out, 32, "S-%.4s-%06lld", date, (long long)n);
    return rc;
}

int sv_insert(struct call *c, const struct sv_new *n, int64_t *id)
{
    char number[32], target[40];
    int rc = number_next(c, number);

    if (rc == 0)
        rc = db_int(c->d, c->e, 0, id,
                    "INSERT INTO survey(number, object_id, mode, kind, main_id, ordinal, line_id, reason, team_id, from_on, to_on, state, waits, ended,"
                    " values_json, created_at, created_by, updated_at) VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,'planned','centre',0,'{}',?12,?13,?12)"
                    " RETURNING id",
                    "ztttmimtmttim", number, n->object_id, n->mode, n->kind, (time_ns)n->main_id, n->ordinal, (time_ns)n->line_id, n->reason, (time_ns)n->team_id,
                    n->from_on, n->to_on, c->now, (time_ns)(c->v ? c->v->user_id : 0));
    if (rc < 0)
        return rc;
    snprintf(target, sizeof target, "survey/%lld", (long long)*id);
    change_id(c->d, "survey", *id);
    struct subject about = { .kind = "survey", .id = str_c(target + 7), .object_id = n->object_id };
    rc = timeline_of(c, &about, &(struct line){ .kind = "planned", .text = n->reason, .internal = n->reason.n > 0, .args = json_pack("{s:o, s:o}", "from_on", json_str(n->from_on), "to_on",
                                                                                                        json_str(n->to_on)) });
    return rc < 0 ? rc : audit_add(c, "survey.create", target, str_c(number), "ok");
}

static const struct body_field create_fields[] = {
    { "object_id", BODY_STRING, true, false, 1, ID_MAX, NULL },
    { "mode", BODY_ENUM, true, false, 0, 0, NULL },
    { "kind", BODY_ENUM, true, false, 0, 0, NULL },
    { "main_id", BODY_STRING, false, true, 1, 24, NULL },
    { "from_on", BODY_DATE, true, false, 0, 0, NULL },
    { "to_on", BODY_DATE, true, false, 0, 0, NULL },
    { "reason", BODY_TEXT, true, false, 1, DESK_TEXT_MAX, NULL },
};

/* main_fits - a control survey looks again at its main one: of the same object and mode, whose works are completed; it is of the same team. */
static int main_fits(struct call *c, struct sv_new *n)
{
    AUTO_SV struct sv m = { 0 };
    bool control = str_eq(n->kind, STR("control"));
    int rc;

    if (control != (n->main_id != 0))
        return sv_wrong(c, "main_id", control ? "a control survey names its main one" : "a main survey has none");
    if (!control)
        return 0;
    rc = sv_load(c, n->main_id, &m);
    if (rc == -ENOENT)
        return sv_wrong(c, "main_id", "no such survey");
    if (rc == 0 && (!str_eq(m.object_id, n->object_id) || !str_eq(m.mode, n->mode) || !str_eq(m.kind, STR("main"))))
        rc = sv_wrong(c, "main_id", "not a main survey of this object in this mode");
    if (rc == 0)
        rc = sv_team_only(c, &m);
    n->team_id = m.team_id;
    if (rc == 0 && !sv_in(&m, "completed results_sent results_received measures_received"))
        rc = sv_wrong(c, "main_id", "its works are not completed");
    return rc == 0 && m.control_id ? refuse(c, -EEXIST, "conflict", "main_id", "it has its control survey") : rc;
}

static int create(struct call *c, const json_t *body, int64_t *id)
{
    struct body_field fields[COUNT(create_fields)];
    struct sv_new n = { .object_id = json_get_str(body, "object_id"), .mode = json_get_str(body, "mode"), .kind = json_get_str(body, "kind"),
                        .from_on = json_get_str(body, "from_on"), .to_on = json_get_str(body, "to_on"), .reason = json_get_str(body, "reason"),
                        .main_id = parse_id(json_get_str(body, "main_id")) };
    time_ns from, to;

    memcpy(fields, create_fields, sizeof fields);
    fields[1].values = sv_modes;
    fields[2].values = sv_kinds;
    int rc = body_check(body, fields, COUNT(fields), c->r->field, c->e);
    if (rc == 0)
        rc = object_seen(c, n.object_id);
    if (rc == -ENOENT)
        return sv_wrong(c, "object_id", "no such object");
    if (rc == 0)
        rc = sv_day(c, n.from_on, "from_on", &from);
    if (rc == 0)
        rc = sv_day(c, n.to_on, "to_on", &to);
    if (rc == 0 && to < from)
        rc = sv_wrong(c, "to_on", "before the beginning");
    if (rc == 0)
        rc = main_fits(c, &n);
    if (rc == 0)
        rc = db_int(c->d, c->e, 0, &n.ordinal, "SELECT 1 + coalesce(max(ordinal), 0) FROM survey WHERE object_id = ?1 AND mode = ?2 AND kind = ?3 AND substr(from_on, 1, 4) ="
                                               " substr(?4, 1, 4)", "tttt", n.object_id, n.mode, n.kind, n.from_on);
    if (rc == 0)
        rc = sv_insert(c, &n, id);
    /* Without a team it is its maker's, until others are named. */
    if (rc == 0 && !n.team_id && c->v->role != DESK_CENTRE_LEAD)
        rc = db_exec(c->d, c->e, "INSERT INTO survey_person(survey_id, user_id) VALUES (?,?)", "ii", *id, c->v->user_id);
    return rc < 0 ? rc : 0;
}

int desk_survey_create(struct desk *d, const struct viewer *v, const json_t *body, time_ns now, struct desk_reply *r)
{
    char text[24];
    int64_t id = 0;
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = db_begin(d, c.e);
    if (rc == 0)
        rc = db_end(d, create(&c, body, &id), c.e);
    if (rc == -EACCES)
        audit_refusal(&c, "survey.create", "survey");
    desk_call_free(&c);
    snprintf(text, sizeof text, "%lld", (long long)id);
    return rc < 0 ? refuse_rc(r, rc) : desk_survey(d, v, str_c(text), now, r);
}
