/* json.c - a row as the API gives it: schema Clock. */
#include "desk/duties/room.h"

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

static json_t *arithmetic_json(struct str text, enum lang lang)
{
    json_t *all = text.n ? json_loadb(text.p, text.n, 0, NULL) : NULL;
    json_t *steps = json_incref(json_object_get(all, lang_name(lang)));

    json_decref(all);
    return steps ? steps : json_array();
}

/* seconds_left - a started second of lateness counts as one: 0 is left only at the due instant itself. */
static json_int_t seconds_left(time_ns due, time_ns now)
{
    time_ns left = due - now;

    return left >= 0 ? left / NS_PER_SECOND : -((-left + NS_PER_SECOND - 1) / NS_PER_SECOND);
}

static json_t *number_or_null(sqlite3_stmt *st, int column)
{
    return sqlite3_column_type(st, column) == SQLITE_NULL ? json_null() : json_integer(sqlite3_column_int64(st, column));
}

/* late_json - was it kept, if it has ended or has a lawful moment? Null where the law names none. */
static json_t *late_json(sqlite3_stmt *st, time_ns now, bool running)
{
    bool lawful = str_eq(db_str(st, 16), STR("law")) && sqlite3_column_type(st, 3) != SQLITE_NULL;
    time_ns due = sqlite3_column_int64(st, 3);

    if (!lawful || (!running && sqlite3_column_type(st, 6) == SQLITE_NULL))
        return json_null();
    return json_boolean(duty_late(due, running ? now : sqlite3_column_int64(st, 6)));
}

static json_t *title_json(struct call *c, sqlite3_stmt *st, enum lang lang)
{
    struct kase k = { .rule_id = db_copy(st, 10, &c->a), .rule_name = db_copy(st, 11, &c->a) };

    return k.rule_id.p ? json_str(case_title(c, &k, lang)) : json_null();
}

json_t *clock_json(struct call *c, sqlite3_stmt *st)
{
    enum lang lang = c->v ? c->v->lang : LANG_RU;
    struct str id = db_copy(st, 1, &c->a), state = db_str(st, 5);
    const struct edition *ed = duty_edition(c->d->setup.world, db_str(st, 17));
    const struct obligation *o = edition_obligation(ed ? ed : c->d->setup.world->edition, id);
    bool running = str_eq(state, STR("running")), timed = sqlite3_column_type(st, 3) != SQLITE_NULL;
    bool overdue = running && timed && str_eq(db_str(st, 16), STR("law")) && duty_late(sqlite3_column_int64(st, 3), c->now);
    json_t *j = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "subject",
                          json_pack("{s:o, s:o}", "kind", db_json(st, 14), "id", db_json(st, 15)), "id", db_json_id(st, 0), "obligation",
                          json_str(id), "paragraph", o ? json_str(o->paragraph) : json_string(""), "title",
                          o ? json_str(o->title.text[lang]) : json_str(id), "who", o ? actors_json(o->by, o->by_count, lang) : json_string(""),
                          "whom", o ? actors_json(o->to, o->to_count, lang) : json_string(""), "case_id", db_json_id(st, 8), "case_number",
                          db_json(st, 9), "case_title", title_json(c, st, lang), "object", json_ref(db_str(st, 12), db_str(st, 13)), "from",
                          db_json_time(st, 2), "due", db_json_time(st, 3), "nominal", db_json_time(st, 4), "state",
                          overdue ? json_string("overdue") : json_str(state));
    json_t *rest = json_pack("{s:I, s:o, s:o, s:o, s:o, s:o, s:I, s:b, s:o, s:o, s:o, s:o, s:o, s:b, s:o}", "remaining_s",
                             running && timed ? seconds_left(sqlite3_column_int64(st, 3), c->now) : (json_int_t)0, "arithmetic",
                             arithmetic_json(db_str(st, 7), lang), "fulfilled_at", db_json_time(st, 6), "basis", db_json(st, 16), "edition",
                             db_json(st, 17), "calendar", db_json(st, 18), "seq", (json_int_t)sqlite3_column_int64(st, 19), "estimated",
                             (int)sqlite3_column_int64(st, 20), "missing_year", number_or_null(st, 21), "acknowledged_at", db_json_time(st, 22),
                             "owed_by", db_json(st, 23), "performer", json_ref(db_str(st, 24), db_str(st, 25)), "accountable",
                             json_ref(db_str(st, 26), db_str(st, 27)), "from_day", (int)sqlite3_column_int64(st, 28), "late",
                             late_json(st, c->now, running));

    json_object_update(j, rest);
    json_decref(rest);
    return j;
}

int duties_json(struct call *c, const struct subject *s, json_t **out)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT " CLOCK_COLUMNS " FROM duty d" CLOCK_JOINS "WHERE d.subject = ? AND d.subject_id = ?"
                                            " ORDER BY d.sort_at, d.id", "zt", s->kind, s->id);
    int rc = st ? 0 : -EIO;

    *out = json_array();
    while (st && (rc = db_step(c->d, st, c->e)) > 0)
        json_array_append_new(*out, clock_json(c, st));
    return rc;
}
