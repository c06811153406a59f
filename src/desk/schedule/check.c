/* check.c - the guard of requirements 7.8: what an object is owed, and where the draft has something else without a reason. */
#include "desk/registry/registry.h"
#include "desk/schedule/room.h"

/* days_said - days of the arguments as people write them. */
static void days_said(struct call *c, json_t *args)
{
    const char *name;
    json_t *value;
    void *next;

    json_object_foreach_safe(args, next, name, value) {
        int64_t day;

        if (json_is_string(value) && year_number(str_c(json_string_value(value)), &day))
            json_object_set_new(args, name, json_str(duty_date_text(day, &c->a)));
    }
}

struct str schedule_say(struct call *c, const char *key, json_t *args)
{
    days_said(c, args);
    struct str text = text_fill(&c->a, catalog_text(c->d->setup.catalog, c->v ? c->v->lang : LANG_RU, key), args);

    json_decref(args);
    return text;
}

/* What stands in the draft for an object. */
struct standing {
    int  main[PLAN_MODES], control[PLAN_MODES];
    char code[PLAN_MODES];   /* 0 none, 'w' written, 't' terminated, 'p' a part of the year */
};

static int stand(struct call *c, const struct plan_row *p, const struct gathered *g, struct standing *s, int64_t *stray)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT object_id, mode, sum(kind <> 'control'), sum(kind = 'control') FROM plan_line WHERE plan_id = ? AND draft = 1"
                                " GROUP BY object_id, mode",
                                "i", p->id);
    int rc = st ? 0 : -EIO;

    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        int64_t at = gathered_index(g, db_str(st, 0));
        enum plan_mode m = plan_mode_parse(db_str(st, 1));

        if (at < 0 || m == PLAN_MODES) {
            (*stray)++;
            continue;
        }
        s[at].main[m] = sqlite3_column_int(st, 2);
        s[at].control[m] = sqlite3_column_int(st, 3);
    }
    if (rc < 0)
        return rc;
    st = db_query(c->d, c->e, "SELECT object_id, mode, code FROM plan_reason WHERE plan_id = ? AND draft = 1", "i", p->id);
    rc = st ? 0 : -EIO;
    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        int64_t at = gathered_index(g, db_str(st, 0));
        enum plan_mode m = plan_mode_parse(db_str(st, 1));
        struct str code = db_str(st, 2);

        if (at >= 0 && m < PLAN_MODES)
            s[at].code[m] = str_eq(code, STR("written")) ? 'w' : str_eq(code, STR("terminated")) ? 't' : 'p';
    }
    return rc;
}

static json_t *mismatch_json(struct call *c, const struct plan_row *p, const struct gathered_object *o, const struct standing *s, int m, int due)
{
    int64_t control = m == PLAN_DOCUMENT ? 0 : due;
    struct str name = STR("");
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT name FROM object WHERE id = ?", "t", o->id);

    if (st && db_step(c->d, st, c->e) > 0) {
        name = db_copy(st, 0, &c->a);
        db_done(st);
    }
    struct str text = schedule_say(c, m == PLAN_DOCUMENT ? "schedule.rule.count_documents" : "schedule.rule.count",
                                   json_pack("{s:i, s:i, s:i, s:i, s:s}", "main", s->main[m], "control", s->control[m], "due_main", due, "due_control", (int)control,
                                             "frequency", plan_mode_frequency[m] ? plan_mode_frequency[m] : "-"));

    (void)p;
    return json_pack("{s:o, s:s, s:i, s:i, s:i, s:i, s:o}", "object", json_ref(o->id, name), "mode", plan_mode_names[m], "main", s->main[m], "control",
                     s->control[m], "due_main", due, "due_control", (int)control, "text", json_str(text));
}

int plan_mismatches(struct call *c, const struct plan_row *p, size_t most, json_t **out, size_t *total)
{
    struct gathered *g = arena_zero(&c->a, sizeof *g);
    int64_t stray = 0;
    struct standing *s = NULL;
    int rc = g ? plan_year(c, p->year, &g->year) : -ENOMEM;

    *out = json_array();
    *total = 0;
    if (rc == 0)
        rc = gather_objects(c, p, g);
    if (rc == 0)
        rc = (s = arena_zero(&c->a, (g->object_count + 1) * sizeof *s)) ? stand(c, p, g, s, &stray) : -ENOMEM;
    for (size_t i = 0; rc == 0 && i < g->object_count; i++)
        for (int m = 0; m < PLAN_MODES; m++) {
            const struct gathered_object *o = &g->facts[i];
            int due = s[i].code[m] ? o->share[m] : o->full[m], control = m == PLAN_DOCUMENT ? 0 : due;

            if (s[i].code[m] == 'w' || (s[i].code[m] == 't' && p->agreed_version) || (s[i].main[m] == due && s[i].control[m] == control))
                continue;
            if ((*total)++ < most)
                json_array_append_new(*out, mismatch_json(c, p, o, &s[i], m, due));
        }
    if (rc == 0 && stray)
        *total += (size_t)stray;   /* lines of objects that are no longer monitored: "generate" takes them away */
    return rc;
}

int desk_schedule_mismatches(struct desk *d, const struct viewer *v, struct str id, int limit, time_ns now, struct desk_reply *r)
{
    json_t *items = NULL;
    struct plan_row p;
    size_t total = 0;
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = plan_load(&c, parse_id(id), &p);
    if (rc == 0 && !plan_sees_draft(&c, &p))
        rc = refuse(&c, -ENOENT, "not_found", NULL, "the draft is the centre's");
    if (rc == 0)
        rc = plan_whole(&c, &p);
    if (rc == 0)   /* between amendments there is no draft that could differ */
        rc = p.state->drafting || p.state->with_knb ? plan_mismatches(&c, &p, (size_t)page_limit(limit), &items, &total) : (items = json_array()) ? 0 : -ENOMEM;
    if (rc == 0)
        r->json = json_pack("{s:O, s:n, s:I}", "items", items, "next", "total", (json_int_t)total);
    json_decref(items);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

/* --- what a person says about counts --- */

static int in_draft(struct call *c, const struct plan_row *p, struct str object)
{
    int64_t n = 0;
    int rc = db_int(c->d, c->e, 0, &n, "SELECT count(*) FROM plan_object WHERE plan_id = ? AND draft = 1 AND object_id = ?", "it", p->id, object);

    return rc < 0 ? rc : n ? 0 : refuse(c, -EINVAL, "bad_request", "object_id", "the object is not in the draft");
}

int plan_reason(struct call *c, struct plan_row *p, const json_t *body, void *prepared)
{
    struct str object = json_get_str(body, "object_id"), mode = json_get_str(body, "mode"), reason = str_trim(json_get_str(body, "reason"));
    int rc = in_draft(c, p, object);

    (void)prepared;
    if (rc == 0)
        rc = db_exec(c->d, c->e, "DELETE FROM plan_reason WHERE plan_id = ? AND draft = 1 AND object_id = ? AND mode = ?", "itt", p->id, object, mode);
    if (rc >= 0 && reason.n)
        rc = db_exec(c->d, c->e, "INSERT INTO plan_reason(plan_id, draft, object_id, mode, code, text) VALUES (?,1,?,?,'written',?)", "ittt", p->id, object, mode,
                     reason);
    return rc < 0 ? rc : plan_changed(c, p);
}

/* How many surveys of documents: of an object, or of every object that has none of its own (the Rules set no number, Q-20). */
int plan_documents(struct call *c, struct plan_row *p, const json_t *body, void *prepared)
{
    struct str object = json_get_str(body, "object_id");
    int64_t count = json_integer_value(json_object_get(body, "count"));
    int rc = 0;

    (void)prepared;
    if (count > 12)
        return refuse(c, -EINVAL, "bad_request", "count", "more than 12 a year");
    if (!object.n)
        p->documents = (int)count;
    else {
        rc = in_draft(c, p, object);
        if (rc == 0)
            rc = db_exec(c->d, c->e, "UPDATE plan_object SET documents = ? WHERE plan_id = ? AND draft = 1 AND object_id = ?", "iit", count, p->id, object);
    }
    return rc < 0 ? rc : plan_changed(c, p);
}
