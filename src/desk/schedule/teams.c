/* teams.c - who does the works and when not: teams with members, modes, capacity and absences; days on which objects are left alone. */
#include "desk/registry/registry.h"
#include "desk/schedule/room.h"

#define TEAM_MEMBERS_MAX  100
#define TEAM_ABSENCES_MAX 200
#define BLACKOUTS_MAX     20000    /* of all years: an object has a handful */

/* --- teams, told --- */

static int members_json(struct call *c, int64_t team, json_t **out)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT u.id, u.name, u.role FROM team_member m JOIN user u ON u.id = m.user_id WHERE m.team_id = ? ORDER BY u.name, u.id", "i", team);
    int rc = st ? 0 : -EIO;

    *out = json_array();
    while (st && (rc = db_step(c->d, st, c->e)) > 0)
        json_array_append_new(*out, json_pack("{s:o, s:o, s:o}", "id", db_json_id(st, 0), "name", db_json(st, 1), "role", db_json(st, 2)));
    return rc;
}

static int absences_json(struct call *c, int64_t team, json_t **out)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT from_on, to_on, less, reason FROM team_absence WHERE team_id = ? ORDER BY from_on, id", "i", team);
    int rc = st ? 0 : -EIO;

    *out = json_array();
    while (st && (rc = db_step(c->d, st, c->e)) > 0)
        json_array_append_new(*out, json_pack("{s:o, s:o, s:i, s:o}", "from_on", db_json(st, 0), "to_on", db_json(st, 1), "less", sqlite3_column_int(st, 2), "reason",
                                              db_json(st, 3)));
    return rc;
}

static json_t *modes_json(struct str words)
{
    json_t *list = json_array();
    struct str one;

    while (str_split(&words, ' ', &one))
        if (one.n)
            json_array_append_new(list, json_str(one));
    return list;
}

static int team_json(struct call *c, int64_t id, json_t **out)
{
    json_t *members = NULL, *absences = NULL;
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT name, at_once, days_week, modes, active FROM team WHERE id = ?", "i", id);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    if (rc <= 0)
        return rc < 0 ? rc : refuse(c, -ENOENT, "not_found", NULL, "no such team");
    *out = json_pack("{s:o, s:o, s:i, s:i, s:o, s:b}", "id", json_id(id), "name", db_json(st, 0), "at_once", sqlite3_column_int(st, 1), "days_week", sqlite3_column_int(st, 2),
                     "modes", modes_json(db_str(st, 3)), "active", sqlite3_column_int(st, 4));
    db_done(st);
    rc = members_json(c, id, &members);
    if (rc == 0)
        rc = absences_json(c, id, &absences);
    json_object_set(*out, "members", members);
    json_object_set(*out, "absences", absences);
    json_decref(members);
    json_decref(absences);
    return rc;
}

/* people_json - who may be a member. */
static int people_json(struct call *c, json_t **out)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT id, name, role FROM user WHERE active = 1 AND role IN ('surveyor','document_auditor','centre_analyst','centre_lead') ORDER BY name, id"
                                " LIMIT 1000",
                                "");
    int rc = st ? 0 : -EIO;

    *out = json_array();
    while (st && (rc = db_step(c->d, st, c->e)) > 0)
        json_array_append_new(*out, json_pack("{s:o, s:o, s:o}", "id", db_json_id(st, 0), "name", db_json(st, 1), "role", db_json(st, 2)));
    return rc;
}

int desk_schedule_teams(struct desk *d, const struct viewer *v, struct desk_reply *r)
{
    json_t *items = json_array(), *people = NULL;
    int64_t ids[PLAN_TEAMS_MAX];
    size_t n = 0;
    struct call c;
    int rc;

    desk_call_init(&c, d, v, 0, r);
    rc = role_reads_all(v->role) ? 0 : refuse(&c, -EACCES, "forbidden", NULL, "teams are the centre's");
    sqlite3_stmt *st = rc < 0 ? NULL : db_query(d, c.e, "SELECT id FROM team ORDER BY active DESC, name, id LIMIT ?", "i", (int64_t)PLAN_TEAMS_MAX);
    if (rc == 0 && !st)
        rc = -EIO;
    while (st && (rc = db_step(d, st, c.e)) > 0)
        ids[n++] = sqlite3_column_int64(st, 0);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        json_t *one = NULL;

        rc = team_json(&c, ids[i], &one);
        if (one)
            json_array_append_new(items, one);
    }
    if (rc == 0)
        rc = people_json(&c, &people);
    if (rc == 0)
        r->json = json_pack("{s:O, s:n, s:O}", "items", items, "next", "people", people);
    json_decref(items);
    json_decref(people);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

/* --- teams, kept --- */

static const char *const mode_values[] = { "pentest_auto", "update_config", "source_code", "pentest_manual", "document", NULL };
static const struct body_field absence_fields[] = {
    { "from_on", BODY_DATE, true, false, 0, 0, NULL, NULL, 0 },
    { "to_on", BODY_DATE, true, false, 0, 0, NULL, NULL, 0 },
    { "less", BODY_COUNT, true, false, 0, 0, NULL, NULL, 0 },
    { "reason", BODY_STRING, true, false, 1, 300, NULL, NULL, 0 },
};
static const struct body_field team_fields[] = {
    { "name", BODY_STRING, true, false, 1, 200, NULL, NULL, 0 },
    { "at_once", BODY_COUNT, true, false, 0, 0, NULL, NULL, 0 },
    { "days_week", BODY_COUNT, true, false, 0, 0, NULL, NULL, 0 },
    { "modes", BODY_ENUMS, true, false, 1, PLAN_MODES, mode_values, NULL, 0 },
    { "active", BODY_BOOL, true, false, 0, 0, NULL, NULL, 0 },
    { "member_ids", BODY_STRINGS, true, false, 0, TEAM_MEMBERS_MAX, NULL, NULL, 0 },
    { "absences", BODY_ITEMS, true, false, 0, TEAM_ABSENCES_MAX, NULL, absence_fields, COUNT(absence_fields) },
};

static int members_write(struct call *c, int64_t team, const json_t *ids)
{
    json_t *one;
    size_t i;
    int rc = db_exec(c->d, c->e, "DELETE FROM team_member WHERE team_id = ?", "i", team);

    json_array_foreach((json_t *)(uintptr_t)ids, i, one) {
        char field[32];

        if (rc < 0)
            break;
        rc = db_exec(c->d, c->e,
                     "INSERT OR IGNORE INTO team_member(team_id, user_id) SELECT ?1, id FROM user WHERE id = ?2 AND role IN ('surveyor','document_auditor','centre_analyst',"
                     "'centre_lead')",
                     "ii", team, parse_id(str_c(json_string_value(one))));
        snprintf(field, sizeof field, "member_ids.%zu", i);
        if (rc == 0)
            return refuse(c, -EINVAL, "bad_request", field, "no such person, or named twice, or of another role");
    }
    return rc;
}

static int absences_write(struct call *c, int64_t team, const json_t *list)
{
    json_t *one;
    size_t i;
    int rc = db_exec(c->d, c->e, "DELETE FROM team_absence WHERE team_id = ?", "i", team);

    json_array_foreach((json_t *)(uintptr_t)list, i, one) {
        struct str from = json_get_str(one, "from_on"), to = json_get_str(one, "to_on");
        char field[40];

        if (rc < 0)
            break;
        snprintf(field, sizeof field, "absences.%zu.to_on", i);
        if (str_cmp(to, from) < 0)
            return refuse(c, -EINVAL, "bad_request", field, "ends before it begins");
        rc = db_exec(c->d, c->e, "INSERT INTO team_absence(team_id, from_on, to_on, less, reason) VALUES (?,?,?,?,?)", "ittit", team, from, to,
                     (int64_t)json_integer_value(json_object_get(one, "less")), json_get_str(one, "reason"));
    }
    return rc;
}

static struct str words_of(struct call *c, const json_t *list)
{
    AUTO_BUF struct buf b = { 0 };
    json_t *one;
    size_t i;

    buf_init(&b, KIB);
    json_array_foreach((json_t *)(uintptr_t)list, i, one) {
        if (i)
            buf_byte(&b, ' ');
        buf_put(&b, json_string_value(one), json_string_length(one));
    }
    return arena_copy(&c->a, buf_view(&b));
}

static int team_put(struct call *c, int64_t *id, const json_t *body)
{
    int64_t at_once = json_integer_value(json_object_get(body, "at_once")), days = json_integer_value(json_object_get(body, "days_week")), n = 0;
    struct str modes = words_of(c, json_object_get(body, "modes"));
    bool fresh = *id == 0, active = json_is_true(json_object_get(body, "active"));
    int rc;

    if (at_once > 10000 || days > 70000)
        return refuse(c, -EINVAL, "bad_request", at_once > 10000 ? "at_once" : "days_week", "too many");
    rc = db_int(c->d, c->e, 0, &n, "SELECT count(*) FROM team", "");
    if (rc == 0 && fresh && n >= PLAN_TEAMS_MAX)
        return refuse(c, -EINVAL, "bad_request", "name", "more than %d teams", PLAN_TEAMS_MAX);
    if (rc == 0)
        rc = fresh ? db_int(c->d, c->e, 0, id,
                            "INSERT INTO team(name, at_once, days_week, modes, active, updated_at) VALUES (?,?,?,?,?,?) RETURNING id", "tiitii", json_get_str(body, "name"),
                            at_once, days, modes, (int64_t)active, c->now)
                   : db_exec(c->d, c->e, "UPDATE team SET name = ?2, at_once = ?3, days_week = ?4, modes = ?5, active = ?6, updated_at = ?7 WHERE id = ?1", "itiitii", *id,
                             json_get_str(body, "name"), at_once, days, modes, (int64_t)active, c->now);
    if (rc == -EEXIST)
        return refuse(c, -EEXIST, "conflict", "name", "a team of that name is there");
    if (rc == 0 && !fresh)
        return refuse(c, -ENOENT, "not_found", NULL, "no such team");
    if (rc >= 0)
        rc = members_write(c, *id, json_object_get(body, "member_ids"));
    if (rc >= 0)
        rc = absences_write(c, *id, json_object_get(body, "absences"));
    return rc < 0 ? rc : audit_add(c, fresh ? "schedule.team_add" : "schedule.team_change", arena_printf(&c->a, "team/%lld", (long long)*id).p, json_get_str(body, "name"), "ok");
}

int desk_schedule_team_put(struct desk *d, const struct viewer *v, struct str team, const json_t *body, time_ns now, struct desk_reply *r)
{
    int64_t id = parse_id(team);
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = v->role == DESK_CENTRE_LEAD ? 0 : refuse(&c, -EACCES, "forbidden", NULL, "%s may not change teams", desk_role_name(v->role));
    if (rc == 0)
        rc = team.n && !id ? refuse(&c, -ENOENT, "not_found", NULL, "no such team") : body_check(body, team_fields, COUNT(team_fields), r->field, c.e);
    if (rc == 0)
        rc = db_begin(d, c.e);
    if (rc == 0)
        rc = db_end(d, team_put(&c, &id, body), c.e);
    if (rc == 0)
        rc = team_json(&c, id, &r->json);
    if (rc == -EACCES)
        audit_refusal(&c, "schedule.team_change", "team");
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

/* --- blackouts --- */

static json_t *blackout_json(sqlite3_stmt *st)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "id", db_json_id(st, 0), "object", json_ref(db_str(st, 1), db_str(st, 2)), "org",
                     json_ref(db_str(st, 3), db_str(st, 4)), "from_on", db_json(st, 5), "to_on", db_json(st, 6), "reason", db_json(st, 7), "created_at", db_json_time(st, 8),
                     "created_by", db_json(st, 9));
}

/* An owner sees what concerns them: of all, of their organisation, of their objects. */
int desk_schedule_blackouts(struct desk *d, const struct viewer *v, struct str object, int limit, struct str before, struct desk_reply *r)
{
    int64_t most = page_limit(limit), last = parse_id(before), next = 0;
    struct scope s = scope_of(v);
    json_t *items = json_array();
    struct call c;

    desk_call_init(&c, d, v, 0, r);
    sqlite3_stmt *st = db_query(d, c.e,
                                "SELECT b.id, b.object_id, o.name, b.org_id, g.name, b.from_on, b.to_on, b.reason, b.at, u.name FROM blackout b LEFT JOIN object o ON o.id ="
                                " b.object_id LEFT JOIN org g ON g.id = b.org_id LEFT JOIN user u ON u.id = b.user_id WHERE (?1 = 0 OR (b.object_id IS NULL AND b.org_id IS"
                                " NULL) OR b.org_id = ?2 OR b.object_id IN " OBJECTS_OF("?2") ") AND b.id < ?3 AND (?4 = '' OR b.object_id = ?4 OR (b.object_id IS NULL AND"
                                " (b.org_id IS NULL OR b.org_id = (SELECT org_id FROM object WHERE id = ?4)))) ORDER BY b.id DESC LIMIT ?5",
                                "iziti", s.bounded, s.org, last ? last : INT64_MAX, object.p ? object : STR(""), most + 1);
    int rc = st ? 0 : -EIO;

    while (st && (rc = db_step(d, st, c.e)) > 0) {
        if ((int64_t)json_array_size(items) == most) {
            next = parse_id(json_get_str(json_array_get(items, (size_t)most - 1), "id"));
            db_done(st);
            rc = 0;
            break;
        }
        json_array_append_new(items, blackout_json(st));
    }
    if (rc == 0)
        r->json = json_pack("{s:O, s:o}", "items", items, "next", next ? json_id(next) : json_null());
    json_decref(items);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

static const struct body_field blackout_fields[] = {
    { "object_id", BODY_STRING, false, true, 1, ID_MAX, NULL, NULL, 0 }, { "org_id", BODY_STRING, false, true, 1, ID_MAX, NULL, NULL, 0 },
    { "from_on", BODY_DATE, true, false, 0, 0, NULL, NULL, 0 },          { "to_on", BODY_DATE, true, false, 0, 0, NULL, NULL, 0 },
    { "reason", BODY_STRING, true, false, 1, 500, NULL, NULL, 0 },
};

static int blackout_add(struct call *c, const json_t *body, int64_t *id)
{
    struct str object = json_get_str(body, "object_id"), org = json_get_str(body, "org_id"), from = json_get_str(body, "from_on"), to = json_get_str(body, "to_on");
    int64_t n = 0;
    int rc = 0;

    if (object.n && org.n)
        return refuse(c, -EINVAL, "bad_request", "org_id", "an object or an organisation, not both");
    if (str_cmp(to, from) < 0)
        return refuse(c, -EINVAL, "bad_request", "to_on", "ends before it begins");
    if (object.n)
        rc = object_seen(c, object);
    else if (org.n)
        rc = org_seen(c, org);
    if (rc == -ENOENT) {
        c->r->code = NULL;
        return refuse(c, -EINVAL, "bad_request", object.n ? "object_id" : "org_id", "there is none");
    }
    if (rc == 0)
        rc = db_int(c->d, c->e, 0, &n, "SELECT count(*) FROM blackout", "");
    if (rc == 0 && n >= BLACKOUTS_MAX)
        return refuse(c, -EINVAL, "bad_request", "from_on", "more than %d of them", BLACKOUTS_MAX);
    if (rc == 0)
        rc = db_int(c->d, c->e, 0, id, "INSERT INTO blackout(object_id, org_id, from_on, to_on, reason, at, user_id) VALUES (?,?,?,?,?,?,?) RETURNING id", "tttttim",
                    object.n ? object : (struct str){ NULL, 0 }, org.n ? org : (struct str){ NULL, 0 }, from, to, json_get_str(body, "reason"), c->now,
                    (time_ns)c->v->user_id);
    return rc < 0 ? rc : audit_add(c, "schedule.blackout_add", arena_printf(&c->a, "blackout/%lld", (long long)*id).p, json_get_str(body, "reason"), "ok");
}

int desk_schedule_blackout_add(struct desk *d, const struct viewer *v, const json_t *body, time_ns now, struct desk_reply *r)
{
    int64_t id = 0;
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = role_of_centre(v->role) ? 0 : refuse(&c, -EACCES, "forbidden", NULL, "%s may not close days", desk_role_name(v->role));
    if (rc == 0)
        rc = body_check(body, blackout_fields, COUNT(blackout_fields), r->field, c.e);
    if (rc == 0)
        rc = db_begin(d, c.e);
    if (rc == 0)
        rc = db_end(d, blackout_add(&c, body, &id), c.e);
    if (rc == 0) {
        sqlite3_stmt *st = db_query(d, c.e,
                                    "SELECT b.id, b.object_id, o.name, b.org_id, g.name, b.from_on, b.to_on, b.reason, b.at, u.name FROM blackout b LEFT JOIN object o ON"
                                    " o.id = b.object_id LEFT JOIN org g ON g.id = b.org_id LEFT JOIN user u ON u.id = b.user_id WHERE b.id = ?",
                                    "i", id);

        rc = st ? db_step(d, st, c.e) : -EIO;
        if (rc > 0) {
            r->json = blackout_json(st);
            db_done(st);
            rc = 0;
        }
    }
    if (rc == -EACCES)
        audit_refusal(&c, "schedule.blackout_add", "blackout");
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

static int blackout_drop(struct call *c, int64_t id)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "DELETE FROM blackout WHERE id = ? RETURNING from_on || '..' || to_on || ' ' || reason", "i", id);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;
    struct str was;

    if (rc <= 0)
        return rc < 0 ? rc : refuse(c, -ENOENT, "not_found", NULL, "no such days");
    was = db_copy(st, 0, &c->a);
    db_done(st);
    return audit_add(c, "schedule.blackout_drop", arena_printf(&c->a, "blackout/%lld", (long long)id).p, was, "ok");
}

int desk_schedule_blackout_drop(struct desk *d, const struct viewer *v, struct str id, time_ns now, struct desk_reply *r)
{
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = role_of_centre(v->role) ? 0 : refuse(&c, -EACCES, "forbidden", NULL, "%s may not open days", desk_role_name(v->role));
    if (rc == 0)
        rc = db_begin(d, c.e);
    if (rc == 0)
        rc = db_end(d, blackout_drop(&c, parse_id(id)), c.e);
    if (rc == -EACCES)
        audit_refusal(&c, "schedule.blackout_drop", "blackout");
    desk_call_free(&c);
    return refuse_rc(r, rc);
}
