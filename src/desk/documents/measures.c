/* measures.c - what the owner did about the violations of a survey (paragraph 14, D-18): a measure for each, then one letter. */
#include "desk/documents/room.h"

/* violation_of - a violation by id that this survey asks the owner to mend. */
static int violation_of(struct call *c, const struct td_survey *s, struct str id, int64_t *out)
{
    int rc = db_int(c->d, c->e, 0, out, "SELECT violation_id FROM td_verdict WHERE survey_id = ? AND violation_id = ? AND verdict IN ('partly','not_met')", "ii",
                    s->id, parse_id(id));

    return rc < 0 ? rc : *out ? 0 : td_wrong(c, "violation", "no such violation of this survey");
}

int td_set_measure(struct call *c, struct td_survey *s, const json_t *body)
{
    struct str done = json_get_str(body, "done_on");
    char today[16];
    int64_t id = 0;
    int rc = violation_of(c, s, json_get_str(body, "violation"), &id);

    local_date(c->d, c->now, today);
    if (rc == 0 && done.n && str_cmp(done, str_c(today)) > 0)
        rc = td_wrong(c, "done_on", "lies in the future");
    if (rc == 0)
        rc = db_exec(c->d, c->e,
                     "INSERT INTO td_measure(violation_id, survey_id, text, done_on, at, user_id) VALUES (?1,?2,?3,?4,?5,?6) ON CONFLICT (violation_id, survey_id)"
                     " DO UPDATE SET text = ?3, done_on = ?4, at = ?5, user_id = ?6", "iittii", id, s->id, json_get_str(body, "measure"),
                     done.n ? done : (struct str){ NULL, 0 }, c->now, c->v->user_id);
    return rc < 0 ? rc : 0;
}

/* measures_rows - what goes into the letter; *missing: violations without a measure. */
static int measures_rows(struct call *c, const struct td_survey *s, json_t **out, int64_t *missing)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT x.number, v.document, q.json, m.text, m.done_on, (SELECT group_concat(f.name, ', ') FROM td_evidence f WHERE f.survey_id ="
                                " ?1 AND f.violation_id = x.id) FROM td_verdict v JOIN td_violation x ON x.id = v.violation_id JOIN td_requirement q ON q.id ="
                                " v.requirement_id LEFT JOIN td_measure m ON m.violation_id = x.id AND m.survey_id = ?1 WHERE v.survey_id = ?1 AND v.verdict IN"
                                " ('partly','not_met') ORDER BY v.position", "i", s->id);
    int rc = st ? 0 : -EIO;

    *out = json_array();
    *missing = 0;
    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        struct str text = db_str(st, 2);
        json_t *words = json_loadb(text.p, text.n, 0, NULL), *said = json_object_get(words, "text");
        json_t *row = json_pack("{s:o, s:o, s:o, s:o}", "number", db_json(st, 0), "document", db_json(st, 1), "requirement",
                                json_str(arena_printf(&c->a, "%.*s\n%.*s", STR_ARG(json_get_str(said, "kk")), STR_ARG(json_get_str(said, "ru")))), "measure",
                                db_json(st, 3));

        if (sqlite3_column_type(st, 3) == SQLITE_NULL)
            ++*missing;
        if (db_str(st, 4).n)
            json_object_set_new(row, "done_on", db_json(st, 4));
        if (db_str(st, 5).n)
            json_object_set_new(row, "files", db_json(st, 5));
        json_array_append_new(*out, row);
        json_decref(words);
    }
    return rc;
}

static const struct td_column measures_columns[] = {
    { "number", "document.column.violation" }, { "document", "document.column.document" }, { "requirement", "document.column.text" },
    { "measure", "document.column.measure" }, { "done_on", "document.column.done_on" }, { "files", "document.column.files" },
};

/* measures_values - the letter: as many measures as it can name, all of them in the workbook if that is not all; it is the last of files then. */
static int measures_values(struct call *c, const struct td_survey *s, json_t *rows, struct str note, struct notice_file *files, size_t *count, json_t **out)
{
    const struct td_sheet sheet = { "measures", measures_columns, COUNT(measures_columns), rows };
    struct td_enclosed enclosed = { 0 };
    json_t *part = td_letter_part(rows);
    bool cut = json_array_size(part) < json_array_size(rows);
    int rc = cut ? td_enclose(c, s, &sheet, 1, &enclosed) : 0;

    if (rc == 0 && cut)
        files[(*count)++] = enclosed.file;
    *out = json_pack("{s:o, s:o, s:o, s:O, s:s, s:o}", "object", json_str(s->object_name), "owner_or_possessor", json_str(s->org_name), "survey_number",
                     json_str(s->number), "measures", part, "contact", c->v->name, "note",
                     td_letter_note(c, cut ? &enclosed : NULL, json_array_size(part), json_array_size(rows), note));
    json_decref(part);
    return rc;
}

/* files_of - what the owner attached to the violations goes with the letter; past NOTICE_DOCUMENTS_MAX the letter names them and the survey keeps them. */
static int files_of(struct call *c, const struct td_survey *s, struct notice_file **out, size_t *count)
{
    struct notice_file *f = arena_zero(&c->a, NOTICE_DOCUMENTS_MAX * sizeof *f);
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT min(id), sha256, name, type, size_bytes FROM td_evidence WHERE survey_id = ? AND violation_id IS NOT NULL GROUP BY sha256"
                                " ORDER BY 1 LIMIT 17", "i", s->id);
    int rc = st && f ? 0 : -EIO;

    *out = f;
    *count = 0;
    while (f && st && (rc = db_step(c->d, st, c->e)) > 0)
        f[(*count)++] = (struct notice_file){ db_copy(st, 1, &c->a), db_copy(st, 2, &c->a), db_copy(st, 3, &c->a), sqlite3_column_int64(st, 4) };
    return rc;
}

static int reported_all(struct call *c, const struct td_survey *s)
{
    int rc = db_exec(c->d, c->e,
                     "INSERT INTO td_step(violation_id, survey_id, state, at, user_id, text) SELECT m.violation_id, m.survey_id, 'measure_reported', ?2, ?3, m.text"
                     " FROM td_measure m WHERE m.survey_id = ?1 ORDER BY m.violation_id", "iii", s->id, c->now, c->v->user_id);

    if (rc >= 0)
        rc = db_exec(c->d, c->e,
                     "UPDATE td_violation SET state = 'measure_reported', updated_at = ?2 WHERE survey_id = ?1 AND open = 1 AND id IN (SELECT violation_id FROM"
                     " td_measure WHERE survey_id = ?1)", "ii", s->id, c->now);
    return rc < 0 ? rc : 0;
}

int td_send_measures(struct call *c, struct td_survey *s, const json_t *body)
{
    struct str centre = { NULL, 0 }, note = json_get_str(body, "note");
    struct subject about = td_subject(s);
    struct notice_new n = { .kind = "document_measures", .paragraph = "14", .about = &about, .form = "td_measures", .orgs = &centre, .org_count = 1 };
    struct notice_file *files = NULL;
    int64_t missing = 0, id = 0;
    json_t *rows = NULL, *values = NULL;
    int rc = json_is_true(json_object_get(body, "confirmed")) ? measures_rows(c, s, &rows, &missing) : td_wrong(c, "confirmed", "the sending must be confirmed");

    if (rc == 0 && missing)
        rc = refuse(c, -EPROTO, "wrong_state", "measures", "%lld violations are without a measure", (long long)missing);
    if (rc == 0 && !json_array_size(rows))
        rc = refuse(c, -EPROTO, "wrong_state", NULL, "nothing was found that a measure could be owed for");
    if (rc == 0)
        rc = files_of(c, s, &files, &n.file_count);
    if (rc == 0)
        rc = measures_values(c, s, rows, note, files, &n.file_count, &values);
    if (rc == 0) {
        n.values = values;
        n.files = files;
        rc = notice_issue(c, &n, &id);
    }
    json_decref(values);
    json_decref(rows);
    s->measures_at = c->now;
    if (rc == 0)
        rc = reported_all(c, s);
    return rc < 0 ? rc : duties_fulfil_by(c, &about, "D-18", c->now, &(struct duty_evidence){ .notice_id = id });
}
