/* results.c - files of scanners for a survey: brought here, read by the room "vulnerabilities" in the background; a wrong one is taken away and can come
 * back. Tables (CSV, XLSX) are read by a mapping of headings that a person made and named. */
#include "desk/surveys/room.h"
#include "table/table.h"

#define MAPPING_COLUMNS_MAX 100
#define HEADING_MAX         500
#define HEADINGS_BYTES_MAX  TABLE_BYTES_MAX
#define SAMPLE_ROWS         5

int result_put(struct call *c, const struct sv *s, const struct blob *b, struct str format, struct str mapping, int64_t run_id, int64_t *id)
{
    json_t *columns = NULL;
    int64_t n = 0;
    int rc = db_int(c->d, c->e, 0, &n, "SELECT count(*) FROM survey_result WHERE survey_id = ?", "i", s->id);

    if (rc == 0 && n >= SURVEY_RESULTS_MAX)
        return sv_wrong(c, "upload_id", "as many files of results as a survey may have");
    if (rc == 0 && mapping.n)
        rc = mapping_json(c, mapping, &columns);
    if (rc == -ENOENT)
        return sv_wrong(c, "mapping", "no mapping of this name is saved");
    if (rc == 0)
        rc = sv_put(c, s);
    if (rc == 0)
        rc = vulns_result_add(c, s->id, b->sha256, str_c(b->name), format, columns, id);
    json_decref(columns);
    if (rc < 0)
        return rc;
    rc = db_exec(c->d, c->e,
                 "INSERT INTO survey_result(id, survey_id, sha256, name, size_bytes, format, mapping, run_id, added_at, added_by) VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10)"
                 " ON CONFLICT(id) DO UPDATE SET removed_at = NULL, removed_by = NULL, reason = NULL",
                 "iizzittmim", *id, s->id, b->sha256, b->name, b->size_bytes, format, mapping, (time_ns)run_id, c->now, (time_ns)(c->v ? c->v->user_id : 0));
    return rc < 0 ? rc : 0;
}

/* Who reads and how far is told by the room that does it; what belongs to the survey stands here. */
int results_json(struct call *c, const struct sv *s, json_t **out)
{
    static const char *const taken[] = { "state", "error", "line", "done", "total", "findings", "sightings", "outside", "tool", "applied_at" };
    json_t *read = NULL, *one, *row;
    sqlite3_stmt *st;
    size_t i;
    int rc = vulns_results_json(c, s->id, &read);

    *out = json_array();
    st = rc == 0 ? db_query(c->d, c->e,
                            "SELECT r.id, r.name, r.size_bytes, r.sha256, r.format, r.mapping, r.run_id, r.added_at, u.name, r.removed_at, x.name, r.reason"
                            " FROM survey_result r LEFT JOIN user u ON u.id = r.added_by LEFT JOIN user x ON x.id = r.removed_by WHERE r.survey_id = ? ORDER BY r.id",
                            "i", s->id)
                 : NULL;
    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        row = json_pack("{s:o, s:o, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "id", db_json_id(st, 0), "name", db_json(st, 1), "size_bytes",
                        (json_int_t)sqlite3_column_int64(st, 2), "sha256", db_json(st, 3), "format", db_json(st, 4), "mapping", db_json(st, 5), "run",
                        db_json_id(st, 6), "added_at", db_json_time(st, 7), "added_by", db_json(st, 8), "removed_at", db_json_time(st, 9), "removed_by",
                        db_json(st, 10), "reason", db_json(st, 11));
        for (size_t t = 0; t < COUNT(taken); t++)
            json_object_set_new(row, taken[t], json_null());
        json_array_foreach(read, i, one)
            for (size_t t = 0; t < COUNT(taken) && json_equal(json_object_get(one, "id"), json_object_get(row, "id")); t++)
                if (json_object_get(one, taken[t]))
                    json_object_set(row, taken[t], json_object_get(one, taken[t]));
        json_array_append_new(*out, row);
    }
    json_decref(read);
    return rc;
}

int results_waiting(struct call *c, const struct sv *s, int64_t *waiting)
{
    static const char *const still[] = { "waiting", "reading", "applying", "withdrawing" };
    json_t *all = NULL, *one;
    size_t i;
    int rc = results_json(c, s, &all);

    *waiting = 0;
    json_array_foreach(all, i, one)
        for (size_t k = 0; k < COUNT(still); k++)
            *waiting += str_eq(json_get_str(one, "state"), str_c(still[k]));
    json_decref(all);
    return rc;
}

int results_there(struct call *c, const struct sv *s, int64_t *there)
{
    json_t *all = NULL, *one;
    size_t i;
    int rc = results_json(c, s, &all);

    *there = 0;
    json_array_foreach(all, i, one)
        *there += json_is_null(json_object_get(one, "removed_at")) && !str_eq(json_get_str(one, "state"), STR("refused"));
    json_decref(all);
    return rc;
}

static const struct body_field result_fields[] = {
    { "upload_id", BODY_STRING, true, false, 1, 64, NULL },
    { "format", BODY_STRING, false, true, 1, 64, NULL },
    { "mapping", BODY_STRING, false, true, 1, 100, NULL },
};

static int takes(struct call *c, const struct sv *s)
{
    int rc = sv_team_only(c, s);

    if (rc < 0)
        return rc;
    return sv_in(s, "in_progress completed") ? 0 : refuse(c, -EPROTO, "wrong_state", NULL, "results are taken while the works go on and until they are sent");
}

static int bring(struct call *c, struct sv *s, const struct blob *b, struct str format, struct str mapping, int64_t *id)
{
    char target[40];
    int rc = result_put(c, s, b, format, mapping, 0, id);

    if (rc == 0)
        rc = sv_line(c, s, "result_added", str_c(b->name), json_pack("{s:s}", "sha256", b->sha256), true);
    if (rc == 0)
        rc = sv_save(c, s);
    snprintf(target, sizeof target, "survey/%lld", (long long)s->id);
    return rc < 0 ? rc : audit_add(c, "survey.result_add", target, str_c(b->sha256), "ok");
}

static int add(struct call *c, int64_t survey, const json_t *body)
{
    AUTO_SV struct sv s = { 0 };
    struct str format = json_get_str(body, "format");
    struct blob b;
    int64_t id = 0;
    int rc = sv_load(c, survey, &s);

    if (rc == 0)
        rc = takes(c, &s);
    if (rc == 0)
        rc = body_check(body, result_fields, COUNT(result_fields), c->r->field, c->e);
    if (rc == 0)
        rc = blob_take_large(c, json_get_str(body, "upload_id"), "upload_id", &b);
    return rc < 0 ? rc : bring(c, &s, &b, format.n ? format : STR("auto"), json_get_str(body, "mapping"), &id);
}

int survey_takes(struct call *c, int64_t survey, const char *mode, struct str *object_id)
{
    AUTO_SV struct sv s = { 0 };
    int rc = sv_load(c, survey, &s);

    if (rc == 0 && !str_eq(s.mode, str_c(mode)))
        rc = sv_wrong(c, "mode", "a survey of another mode");
    if (rc == 0)
        rc = takes(c, &s);
    *object_id = rc == 0 ? s.object_id : (struct str){ NULL, 0 };
    return rc;
}

int survey_result_bring(struct call *c, int64_t survey, const struct blob *b, struct str format, int64_t *id)
{
    AUTO_SV struct sv s = { 0 };
    int rc = sv_load(c, survey, &s);

    return rc < 0 ? rc : bring(c, &s, b, format, (struct str){ NULL, 0 }, id);
}

int desk_survey_result_add(struct desk *d, const struct viewer *v, struct str id, const json_t *body, time_ns now, struct desk_reply *r)
{
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = db_begin(d, c.e);
    if (rc == 0)
        rc = db_end(d, add(&c, parse_id(id), body), c.e);
    if (rc == -EACCES)
        audit_refusal(&c, "survey.result_add", "survey");
    desk_call_free(&c);
    return rc < 0 ? refuse_rc(r, rc) : desk_survey(d, v, id, now, r);
}

/* --- taken away and back --- */

static int result_row(struct call *c, const struct sv *s, const json_t *body, bool removed, struct blob *b, struct str *format, struct str *mapping)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT sha256, name, size_bytes, format, mapping FROM survey_result WHERE survey_id = ?1 AND id = ?2 AND (removed_at IS NOT NULL) = ?3",
                                "iii", s->id, parse_id(json_get_str(body, "result")), (int64_t)removed);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    if (rc <= 0)
        return rc < 0 ? rc : sv_wrong(c, "result", removed ? "no file that was taken away" : "no such file of results");
    *b = (struct blob){ .size_bytes = sqlite3_column_int64(st, 2) };
    snprintf(b->sha256, sizeof b->sha256, "%.*s", STR_ARG(db_str(st, 0)));
    snprintf(b->name, sizeof b->name, "%.*s", (int)min_size(db_str(st, 1).n, BLOB_NAME_MAX), db_str(st, 1).p);
    *format = db_copy(st, 3, &c->a);
    *mapping = db_copy(st, 4, &c->a);
    db_done(st);
    return 0;
}

int sv_do_result_remove(struct call *c, struct sv *s, const json_t *body)
{
    struct str format, mapping, reason = json_get_str(body, "reason");
    int64_t id = parse_id(json_get_str(body, "result"));
    struct blob b;
    int rc = result_row(c, s, body, false, &b, &format, &mapping);

    if (rc == 0)
        rc = vulns_result_withdraw(c, id, reason);
    if (rc >= 0)
        rc = db_exec(c->d, c->e, "UPDATE survey_result SET removed_at = ?2, removed_by = ?3, reason = ?4 WHERE id = ?1", "iiit", id, c->now, c->v->user_id, reason);
    return rc < 0 ? rc : sv_line(c, s, "result_removed", reason, json_pack("{s:s, s:s}", "name", b.name, "sha256", b.sha256), true);
}

int sv_do_result_restore(struct call *c, struct sv *s, const json_t *body)
{
    struct str format, mapping, reason = json_get_str(body, "reason");
    int64_t id = 0;
    struct blob b;
    int rc = result_row(c, s, body, true, &b, &format, &mapping);

    if (rc == 0)
        rc = result_put(c, s, &b, format, mapping, 0, &id);
    if (rc == 0 && id != parse_id(json_get_str(body, "result"))) {
        rc = db_exec(c->d, c->e, "DELETE FROM survey_result WHERE id = ?", "i", parse_id(json_get_str(body, "result")));
        rc = rc < 0 ? rc : 0;
    }
    return rc < 0 ? rc : sv_line(c, s, "result_restored", reason, json_pack("{s:s, s:s}", "name", b.name, "sha256", b.sha256), true);
}

/* --- mappings of tables --- */

int mapping_json(struct call *c, struct str name, json_t **out)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT tool, sheet, columns FROM survey_mapping WHERE name = ?", "t", name);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;
    json_t *list, *columns, *one;
    size_t i;

    *out = NULL;
    if (rc <= 0)
        return rc < 0 ? rc : -ENOENT;
    list = json_loadb(db_str(st, 2).p, db_str(st, 2).n, 0, NULL);
    columns = json_object();
    json_array_foreach(list, i, one)
        json_object_set(columns, json_string_value(json_object_get(one, "heading")), json_object_get(one, "field"));
    *out = json_pack("{s:o, s:o, s:o}", "tool", db_json(st, 0), "sheet", db_json(st, 1), "columns", columns);
    json_decref(list);
    db_done(st);
    return 0;
}

int desk_survey_mappings(struct desk *d, const struct viewer *v, struct desk_reply *r)
{
    json_t *items = json_array();
    struct call c;
    int rc;

    desk_call_init(&c, d, v, 0, r);
    sqlite3_stmt *st = db_query(d, c.e, "SELECT m.name, m.tool, m.sheet, m.columns, m.updated_at, u.name FROM survey_mapping m LEFT JOIN user u ON u.id = m.author_id"
                                        " ORDER BY m.name LIMIT 1000", "");
    rc = st ? 0 : -EIO;
    while (st && (rc = db_step(d, st, c.e)) > 0) {
        json_t *columns = json_loadb(db_str(st, 3).p, db_str(st, 3).n, 0, NULL);

        json_array_append_new(items, json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "name", db_json(st, 0), "tool", db_json(st, 1), "sheet", db_json(st, 2), "columns",
                                               columns ? columns : json_array(), "updated_at", db_json_time(st, 4), "author", db_json(st, 5)));
    }
    r->json = json_pack("{s:o, s:n}", "items", items, "next");
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

/* The fields of a finding that a column of a table can be (scan.h). */
static const char *const target_names[] = { "title", "description", "severity", "solution", "impact", "evidence", "check", "id", "cve", "cwe", "cvss", "cvss_v2",
                                            "cvss_v3", "cvss_v4", "host", "ip", "port", "protocol", "service", "component", "version", "fixed_version", "path",
                                            "url", "references", "tags", "seen_at", "status", NULL };
static const struct body_field column_fields[] = {
    { "heading", BODY_STRING, true, false, 1, HEADING_MAX, NULL }, { "field", BODY_ENUM, true, false, 0, 0, target_names },
};
static const struct body_field mapping_fields[] = {
    { "name", BODY_STRING, true, false, 1, 100, NULL },
    { "tool", BODY_STRING, true, false, 1, 100, NULL },
    { "sheet", BODY_STRING, false, true, 0, 31, NULL },
    { "columns", BODY_ITEMS, true, false, 1, MAPPING_COLUMNS_MAX, NULL, column_fields, COUNT(column_fields) },
};

/* columns_fit - a heading and a field stand once; without a title nobody knows what was found. */
static int columns_fit(struct call *c, const json_t *columns)
{
    bool title = false;

    for (size_t i = 0; i < json_array_size(columns); i++) {
        const json_t *a = json_array_get(columns, i);

        title = title || str_eq(json_get_str(a, "field"), STR("title"));
        for (size_t j = 0; j < i; j++) {
            const json_t *b = json_array_get(columns, j);

            if (json_equal(json_object_get(a, "heading"), json_object_get(b, "heading")) || json_equal(json_object_get(a, "field"), json_object_get(b, "field")))
                return sv_wrong(c, "columns", "a heading and a field stand once");
        }
    }
    return title ? 0 : sv_wrong(c, "columns", "one column must be the title");
}

static int mapping_save(struct call *c, const json_t *body)
{
    AUTO_FREE char *columns = NULL;
    struct str sheet = json_get_str(body, "sheet");
    int rc = body_check(body, mapping_fields, COUNT(mapping_fields), c->r->field, c->e);

    if (rc == 0)
        rc = columns_fit(c, json_object_get(body, "columns"));
    if (rc < 0)
        return rc;
    columns = json_dumps(json_object_get(body, "columns"), JSON_COMPACT);
    rc = db_exec(c->d, c->e,
                 "INSERT INTO survey_mapping(name, tool, sheet, columns, updated_at, author_id) VALUES (?1,?2,?3,?4,?5,?6) ON CONFLICT(name) DO UPDATE SET"
                 " tool = excluded.tool, sheet = excluded.sheet, columns = excluded.columns, updated_at = excluded.updated_at, author_id = excluded.author_id",
                 "tttzii", json_get_str(body, "name"), json_get_str(body, "tool"), sheet.p ? sheet : STR(""), columns, c->now, c->v->user_id);
    return rc < 0 ? rc : audit_add(c, "survey.mapping_save", "survey_mapping", json_get_str(body, "name"), "ok");
}

int desk_survey_mapping_save(struct desk *d, const struct viewer *v, const json_t *body, time_ns now, struct desk_reply *r)
{
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = db_begin(d, c.e);
    if (rc == 0)
        rc = db_end(d, mapping_save(&c, body), c.e);
    desk_call_free(&c);
    return rc < 0 ? refuse_rc(r, rc) : desk_survey_mappings(d, v, r);
}

/* --- what a table looks like, before somebody says what its headings mean --- */

struct look {
    json_t *headings, *rows;
};

static int look_row(void *arg, const struct table_row *row, struct err *e)
{
    struct look *l = arg;
    json_t *cells = json_array();

    for (size_t i = 0; i < row->count && row->cells[i].column <= MAPPING_COLUMNS_MAX; i++) {
        while (json_array_size(cells) + 1 < row->cells[i].column)
            json_array_append_new(cells, json_string(""));
        json_array_append_new(cells, json_str(sv_head(row->cells[i].text, HEADING_MAX)));
    }
    if (!l->headings)
        l->headings = cells;
    else
        json_array_append_new(l->rows, cells);
    return json_array_size(l->rows) >= SAMPLE_ROWS ? err_set(e, -ECANCELED, "enough seen") : 0;
}

static int headings(struct call *c, const json_t *body)
{
    static const struct body_field fields[] = {
        { "upload_id", BODY_STRING, true, false, 1, 64, NULL },
        { "sheet", BODY_STRING, false, true, 0, 31, NULL },
    };
    struct table_options o = { .sheet = json_get_str(body, "sheet") };
    struct look l = { NULL, json_array() };
    AUTO_BUF struct buf bytes = { 0 };
    struct str *sheets = NULL;
    size_t count = 0;
    struct err e = { 0 };

    buf_init(&bytes, HEADINGS_BYTES_MAX);
    int rc = body_check(body, fields, COUNT(fields), c->r->field, c->e);
    if (rc == 0)
        rc = blob_peek(c, json_get_str(body, "upload_id"), "upload_id", &bytes);
    if (rc == 0) {
        rc = table_sheets(buf_view(&bytes), &c->a, &sheets, &count, &e);
        if (rc >= 0)
            rc = table_read(buf_view(&bytes), &o, look_row, &l, &e);
        rc = rc == -ECANCELED ? 0 : rc < 0 ? refuse(c, -EINVAL, "bad_request", "upload_id", "%s", e.text) : 0;
    }
    if (rc == 0) {
        json_t *names = json_array(), *targets = json_array();

        for (size_t i = 0; i < count; i++)
            json_array_append_new(names, json_str(sheets[i]));
        for (size_t i = 0; target_names[i]; i++)
            json_array_append_new(targets, json_string(target_names[i]));
        c->r->json = json_pack("{s:o, s:O, s:O, s:o}", "sheets", names, "headings", l.headings ? l.headings : l.rows, "rows", l.rows, "fields", targets);
    }
    json_decref(l.headings);
    json_decref(l.rows);
    return rc;
}

int desk_survey_headings(struct desk *d, const struct viewer *v, const json_t *body, time_ns now, struct desk_reply *r)
{
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = headings(&c, body);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}
