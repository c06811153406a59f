/* plans.c - plans as they are told: the list, one with its versions and what may be done, what could not be placed. Opening one. */
#include "desk/schedule/room.h"

static json_t *words_json(const char *const *words)
{
    json_t *list = json_array();

    for (; words && *words; words++)
        json_array_append_new(list, json_string(*words));
    return list;
}

static json_t *fields_json(const struct body_field *f)
{
    json_t *list = json_array();

    for (size_t i = 0; i < PLAN_FIELDS_MAX && f[i].name; i++) {
        const char *type = f[i].type == BODY_TEXT ? "text" : f[i].type == BODY_DATE ? "date" : f[i].type == BODY_ENUM ? "enum" : f[i].type == BODY_COUNT ? "count" : "string";

        json_array_append_new(list, json_pack("{s:s, s:s, s:b, s:o}", "name", f[i].name, "type", type, "required", (int)f[i].required, "enum",
                                              words_json(f[i].type == BODY_ENUM ? f[i].values : NULL)));
    }
    return list;
}

static json_t *plan_actions(const struct call *c, const struct plan_row *p)
{
    json_t *list = json_array();

    for (size_t i = 0; c->v && i < plan_act_count; i++)
        if ((plan_acts[i].roles & (1u << c->v->role)) && plan_offered(p, &plan_acts[i]) && !p->writing.n)
            json_array_append_new(list, json_pack("{s:s, s:o}", "name", plan_acts[i].name, "fields", fields_json(plan_acts[i].fields)));
    return list;
}

/* estimated - are days of that year an estimate of the calendar? Every day is looked at: an entry may be one in a year that is not. */
static bool estimated(const struct call *c, int year)
{
    for (int64_t d = civil_days(year, 1, 1); d < civil_days(year + 1, 1, 1); d++) {
        struct calendar_day day;
        struct err e;

        if (calendar_day(c->d->setup.world->calendar, d, &day, &e) < 0)
            return true;
        if (day.estimated)
            return true;
    }
    return false;
}

static json_t *head_json(const struct call *c, const struct plan_row *p)
{
    json_t *writing = p->writing.n ? json_pack("{s:o, s:I, s:I}", "what", json_str(p->writing), "done", (json_int_t)p->written, "total", (json_int_t)p->to_write) : json_null();

    return json_pack("{s:o, s:i, s:s, s:i, s:o, s:I, s:I, s:o, s:o, s:b, s:b, s:o, s:o, s:o, s:o}", "id", json_id(p->id), "year", p->year, "state", p->state->name, "documents",
                     p->documents, "from_on", json_str(p->from_on), "version", (json_int_t)p->version, "agreed_version", (json_int_t)p->agreed_version, "reason",
                     json_str(p->reason), "edition", json_str(p->edition), "estimated", (int)estimated(c, p->year), "shows_draft", (int)plan_sees_draft(c, p),
                     "writing", writing, "generated_at", json_time_or_null(p->generated_at), "created_at", json_time(p->created_at), "updated_at", json_time(p->updated_at));
}

int desk_schedule_plans(struct desk *d, const struct viewer *v, time_ns now, struct desk_reply *r)
{
    json_t *items = json_array();
    int64_t ids[PLAN_DAYS];
    size_t n = 0;
    struct call c;

    desk_call_init(&c, d, v, now, r);
    sqlite3_stmt *st = db_query(d, c.e, "SELECT id FROM plan ORDER BY year DESC LIMIT 200", "");   /* one a year, of the years 2000 to 2200 */
    int rc = st ? 0 : -EIO;

    while (st && (rc = db_step(d, st, c.e)) > 0)
        ids[n++] = sqlite3_column_int64(st, 0);
    for (size_t i = 0; rc >= 0 && i < n; i++) {
        struct plan_row p;

        rc = plan_load(&c, ids[i], &p);
        if (rc == 0)
            json_array_append_new(items, head_json(&c, &p));
        if (rc == -ENOENT) {
            *r = (struct desk_reply){ .json = r->json };
            rc = 0;
        }
    }
    r->json = json_pack("{s:o, s:n}", "items", items, "next");
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

/* frequencies_json - what the edition asks for, as the page shows it beside what stands. */
static json_t *frequencies_json(const struct call *c, const struct plan_row *p)
{
    const struct edition *ed = duty_edition(c->d->setup.world, p->edition);
    json_t *list = json_array();

    for (int m = 0; m < PLAN_MODES; m++) {
        const struct obligation *o = ed && plan_mode_frequency[m] ? edition_obligation(ed, str_c(plan_mode_frequency[m])) : NULL;

        json_array_append_new(list, json_pack("{s:s, s:o, s:i, s:i}", "mode", plan_mode_names[m], "obligation", o ? json_str(o->id) : json_null(), "main",
                                              o ? o->main_count : p->documents, "control", o ? o->control_count : 0));
    }
    return list;
}

/* left_out - objects in operation with works that the schedule is made of, which are not in the list of ISM objects yet (7.7 row 7). */
static int left_out(struct call *c, int64_t *n)
{
    return db_int(c->d, c->e, 0, n,
                  "SELECT count(*) FROM object o JOIN record r ON r.kind = 'object' AND r.id = o.id WHERE o.active = 1 AND o.is_ego = 1 AND o.excluded = 0 AND o.state IN"
                  " ('known','commissioned','information_received') AND o.commissioned_on IS NOT NULL AND o.terminated_on IS NULL AND"
                  " (json_extract(r.json, '$.work_types') LIKE '%\"protection\"%' OR json_extract(r.json, '$.work_types') LIKE '%\"secure_operation\"%')",
                  "");
}

static int counts_json(struct call *c, const struct plan_row *p, json_t **out)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT (SELECT count(*) FROM plan_line WHERE plan_id = ?1 AND draft = 0), (SELECT count(*) FROM plan_line WHERE plan_id = ?1 AND"
                                " draft = 1), (SELECT count(*) FROM plan_unplaced WHERE plan_id = ?1), (SELECT count(*) FROM plan_object WHERE plan_id = ?1 AND draft ="
                                " 0), (SELECT count(*) FROM plan_object WHERE plan_id = ?1 AND draft = 1)",
                                "i", p->id);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;
    bool draft = plan_sees_draft(c, p) && !(p->state->drafting && p->writing.n);
    int64_t left = 0;

    if (rc <= 0)
        return rc < 0 ? rc : -EIO;
    *out = json_pack("{s:I, s:I, s:I, s:I, s:I, s:o}", "agreed_lines", (json_int_t)sqlite3_column_int64(st, 0), "draft_lines", (json_int_t)(draft ? sqlite3_column_int64(st, 1) : 0),
                     "unplaced", (json_int_t)(draft ? sqlite3_column_int64(st, 2) : 0), "agreed_objects", (json_int_t)sqlite3_column_int64(st, 3), "draft_objects",
                     (json_int_t)(draft ? sqlite3_column_int64(st, 4) : 0), "left_out", json_integer(0));
    db_done(st);
    rc = draft ? left_out(c, &left) : 0;
    json_object_set_new(*out, "left_out", json_integer(left));
    return rc;
}

int desk_schedule_plan(struct desk *d, const struct viewer *v, struct str id, time_ns now, struct desk_reply *r)
{
    json_t *versions = NULL, *counts = NULL;
    struct plan_row p;
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = plan_load(&c, parse_id(id), &p);
    if (rc == 0)
        rc = plan_versions_json(&c, &p, &versions);
    if (rc == 0 && (role_of_owner(v->role) || v->role == DESK_SURVEYOR || v->role == DESK_DOCUMENT_AUDITOR))
        counts = json_null();   /* of all objects: not theirs to know */
    else if (rc == 0)
        rc = counts_json(&c, &p, &counts);
    if (rc == 0) {
        r->json = head_json(&c, &p);
        json_object_set_new(r->json, "now", json_time(now));
        json_object_set(r->json, "versions", versions);
        json_object_set(r->json, "counts", counts);
        json_object_set_new(r->json, "frequencies", frequencies_json(&c, &p));
        json_object_set_new(r->json, "actions", plan_actions(&c, &p));
    }
    json_decref(versions);
    json_decref(counts);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

int schedule_knows(struct desk *d, const struct viewer *v, int64_t plan, int64_t *n, struct err *e)
{
    bool reads = role_of_centre(v->role) || role_of_owner(v->role) || v->role == DESK_SURVEYOR || v->role == DESK_DOCUMENT_AUDITOR || v->role == DESK_KNB || v->role == DESK_AUDITOR;
    struct desk_reply r = { 0 };
    struct plan_row p;
    struct call c;
    int rc;

    *n = 0;
    if (!reads)
        return 0;
    desk_call_init(&c, d, v, 0, &r);
    rc = plan_load(&c, plan, &p);
    if (rc < 0 && rc != -ENOENT)
        err_set(e, rc, "%s", r.err.text);
    *n = rc == 0;
    desk_call_free(&c);
    desk_reply_free(&r);
    return rc == -ENOENT ? 0 : rc;
}

/* --- opening --- */

static const struct body_field open_fields[] = {
    { "year", BODY_COUNT, true, false, 0, 0, NULL, NULL, 0 },
    { "documents", BODY_COUNT, true, false, 0, 0, NULL, NULL, 0 },
    { "from_on", BODY_DATE, false, true, 0, 0, NULL, NULL, 0 },
};

static int open_plan(struct call *c, const json_t *body, int64_t *id)
{
    int64_t year = json_integer_value(json_object_get(body, "year")), documents = json_integer_value(json_object_get(body, "documents")), n = 0;
    struct str from = json_get_str(body, "from_on");
    const struct edition *ed = duty_edition_at(c->d->setup.world, c->now);
    char today[16], first[16];
    int rc;

    local_date(c->d, c->now, today);
    snprintf(first, sizeof first, "%04d-01-01", (int)(year % 10000));
    if (documents > 12)
        return refuse(c, -EINVAL, "bad_request", "documents", "more than 12 a year");
    if (year > 2200 || strncmp(first, today, 4) < 0)
        return refuse(c, -EINVAL, "bad_request", "year", "this year or a later one is expected");
    if (!from.n)
        from = strncmp(first, today, 4) == 0 ? str_c(today) : str_c(first);
    if (!str_starts(from, str_of(first, 5)))
        return refuse(c, -EINVAL, "bad_request", "from_on", "a day of the year is expected");
    struct schedule_year *y = arena_alloc(&c->a, sizeof *y);
    rc = y ? plan_year(c, (int)year, y) : -ENOMEM;
    if (rc == 0)
        rc = db_int(c->d, c->e, 0, &n, "SELECT count(*) FROM plan WHERE year = ?", "i", year);
    if (rc == 0 && n)
        return refuse(c, -EEXIST, "conflict", "year", "there is a plan of %lld", (long long)year);
    if (rc == 0)
        rc = db_int(c->d, c->e, 0, id,
                    "INSERT INTO plan(year, state, documents, edition, from_on, created_at, updated_at) VALUES (?1,'draft',?2,?3,?4,?5,?5) RETURNING id", "iitti", year,
                    documents, ed->id, from, c->now);
    if (rc < 0)
        return rc;
    change_id(c->d, "plan", *id);
    return audit_add(c, "schedule.open", arena_printf(&c->a, "plan/%lld", (long long)*id).p, arena_printf(&c->a, "%lld", (long long)year), "ok");
}

int desk_schedule_open(struct desk *d, const struct viewer *v, const json_t *body, time_ns now, struct desk_reply *r)
{
    int64_t id = 0;
    char text[24];
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = role_of_centre(v->role) ? 0 : refuse(&c, -EACCES, "forbidden", NULL, "%s may not open a plan", desk_role_name(v->role));
    if (rc == 0)
        rc = body_check(body, open_fields, COUNT(open_fields), r->field, c.e);
    if (rc == 0)
        rc = db_begin(d, c.e);
    if (rc == 0)
        rc = db_end(d, open_plan(&c, body, &id), c.e);
    if (rc == -EACCES)
        audit_refusal(&c, "schedule.open", "plan");
    desk_call_free(&c);
    snprintf(text, sizeof text, "%lld", (long long)id);
    return rc < 0 ? refuse_rc(r, rc) : desk_schedule_plan(d, v, str_c(text), now, r);
}

/* --- what could not be placed --- */

/* joined - names with commas between. */
static struct str joined(struct call *c, const json_t *names)
{
    AUTO_BUF struct buf b = { 0 };
    json_t *one;
    size_t i;

    buf_init(&b, 8 * KIB);
    json_array_foreach((json_t *)(uintptr_t)names, i, one) {
        if (i)
            buf_str(&b, STR(", "));
        buf_put(&b, json_string_value(one), json_string_length(one));
    }
    return arena_copy(&c->a, buf_view(&b));
}

static json_t *unplaced_json(struct call *c, sqlite3_stmt *st)
{
    struct str text = db_str(st, 7);
    json_t *args = json_loadb(text.p, text.n, 0, NULL), *said;
    char key[64];

    snprintf(key, sizeof key, "schedule.why.%.*s", STR_ARG(db_str(st, 6)));
    said = json_pack("{s:o, s:o, s:o}", "from", json_str(json_get_str(args, "from")), "to", json_str(json_get_str(args, "to")), "teams",
                     json_str(joined(c, json_object_get(args, "teams"))));
    json_t *one = json_pack("{s:o, s:o, s:o, s:o, s:i, s:o, s:o, s:o, s:o}", "id", db_json_id(st, 0), "object", json_ref(db_str(st, 1), db_str(st, 2)), "mode", db_json(st, 3),
                            "kind", db_json(st, 4), "ordinal", sqlite3_column_int(st, 5), "why", db_json(st, 6), "text", json_str(schedule_say(c, key, said)), "from_on",
                            json_str(json_get_str(args, "from")), "to_on", json_str(json_get_str(args, "to")));
    json_decref(args);
    return one;
}

int desk_schedule_unplaced(struct desk *d, const struct viewer *v, struct str id, int limit, struct str before, time_ns now, struct desk_reply *r)
{
    int64_t most = page_limit(limit), next = 0;
    json_t *items = json_array();
    struct plan_row p;
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = plan_load(&c, parse_id(id), &p);
    if (rc == 0 && !plan_sees_draft(&c, &p))
        rc = refuse(&c, -ENOENT, "not_found", NULL, "the draft is the centre's");
    if (rc == 0)
        rc = plan_whole(&c, &p);
    sqlite3_stmt *st = rc < 0 ? NULL
                              : db_query(d, c.e,
                                         "SELECT u.id, u.object_id, o.name, u.mode, u.kind, u.ordinal, u.why, u.args FROM plan_unplaced u JOIN object o ON o.id ="
                                         " u.object_id WHERE u.plan_id = ? AND u.id > ? ORDER BY u.id LIMIT ?",
                                         "iii", p.id, parse_id(before), most + 1);
    if (rc == 0 && !st)
        rc = -EIO;
    while (st && (rc = db_step(d, st, c.e)) > 0) {
        if ((int64_t)json_array_size(items) == most) {
            next = parse_id(json_get_str(json_array_get(items, (size_t)most - 1), "id"));
            db_done(st);
            rc = 0;
            break;
        }
        json_array_append_new(items, unplaced_json(&c, st));
    }
    if (rc == 0)
        r->json = json_pack("{s:O, s:o}", "items", items, "next", next ? json_id(next) : json_null());
    json_decref(items);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}
