/* checklist.c - the check-list of a survey: made from the library when the survey starts, then a verdict for each requirement. */
#include "desk/documents/room.h"
#include "desk/schedule/schedule.h"

/* requirement_kept - the row of these words; made if nobody took them before. */
static int requirement_kept(struct call *c, const struct td_requirement *q, int64_t position, int64_t *id)
{
    json_t *json = requirement_json(q);
    AUTO_FREE char *text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);
    char sha[65];
    int rc;

    json_decref(json);
    secret_sha256_hex(str_c(text ? text : ""), sha);
    rc = db_int(c->d, c->e, 0, id, "SELECT id FROM td_requirement WHERE code = ? AND sha256 = ?", "tz", q->code, sha);
    return rc < 0 || *id ? rc
                         : db_int(c->d, c->e, 0, id, "INSERT INTO td_requirement(code, document, position, sha256, json, taken_at) VALUES (?,?,?,?,?,?) RETURNING id",
                                  "ttizzi", q->code, q->document, position, sha, text, c->now);
}

static int line_put(struct call *c, int64_t survey, int64_t position, struct str code, struct str document, int64_t requirement)
{
    int rc = db_exec(c->d, c->e, "INSERT OR IGNORE INTO td_verdict(survey_id, position, code, document, requirement_id) VALUES (?,?,?,?,?)", "iitti", survey,
                     position, code, document, requirement);

    return rc < 0 ? rc : 0;
}

/* carried - open violations whose requirement the library no longer has: they are judged all the same, by the words of then. */
static int carried(struct call *c, const struct td_survey *s, int64_t position)
{
    int rc = db_exec(c->d, c->e,
                     "INSERT INTO td_verdict(survey_id, position, code, document, requirement_id) SELECT ?1, ?3 + row_number() OVER (ORDER BY v.id), v.code,"
                     " v.document, v.requirement_id FROM td_violation v WHERE v.object_id = ?2 AND v.open = 1 AND NOT EXISTS (SELECT 1 FROM td_verdict x WHERE"
                     " x.survey_id = ?1 AND x.code = v.code)",
                     "iti", s->id, s->object_id, position);

    return rc < 0 ? rc : 0;
}

static int library_refused(struct call *c)
{
    c->r->code = "bad_library";
    c->r->problems = json_pack("[{s:s, s:s, s:s}]", "field", "library", "code", "bad_library", "detail", c->e->text);
    return -EPROTO;
}

int td_start(struct call *c, struct td_survey *s, const json_t *body)
{
    AUTO_LIBRARY struct td_library l = { 0 };
    int64_t id = 0;
    int rc = library_here(c, s->opened_at, &l);

    (void)body;
    if (rc == -EBADMSG || rc == -E2BIG)
        return library_refused(c);
    for (size_t i = 0; rc == 0 && i < l.count; i++) {
        rc = requirement_kept(c, &l.items[i], (int64_t)i, &id);
        if (rc == 0)
            rc = line_put(c, s->id, (int64_t)i, l.items[i].code, l.items[i].document, id);
    }
    if (rc == 0)
        rc = carried(c, s, (int64_t)l.count);
    if (rc == 0)   /* another survey may have been completed since this one was planned */
        rc = db_int(c->d, c->e, 0, &s->previous_id, "SELECT id FROM td_survey WHERE object_id = ? AND completed_at IS NOT NULL ORDER BY id DESC LIMIT 1", "t",
                    s->object_id);
    if (rc == 0)
        rc = db_exec(c->d, c->e, "UPDATE td_survey SET library = ?2 WHERE id = ?1", "iz", s->id, l.sha256);
    s->started_at = c->now;
    return rc < 0 || !s->plan_line ? (rc < 0 ? rc : 0)
                                   : schedule_line_state(c, s->plan_line, STR("document_survey"), str_c(s->id_text), STR("in_progress"), 0);
}

/* --- verdicts --- */

struct verdict {
    struct str code, document, verdict, reason, quote, page, note, description;
    json_t    *recommendation;   /* borrowed; NULL: none */
    int64_t    as_last;
};

static int verdict_put(struct call *c, const struct td_survey *s, const struct verdict *v)
{
    AUTO_FREE char *text = v->recommendation ? json_dumps(v->recommendation, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    int64_t version = 0;
    int rc = newest_version(c, s->object_id, v->document, &version);

    if (rc == 0)
        rc = db_exec(c->d, c->e,
                     "UPDATE td_verdict SET verdict = ?3, reason = ?4, quote = ?5, page = ?6, note = ?7, description = ?8, recommendation = ?9, document_id = ?10,"
                     " as_last = ?11, at = ?12, user_id = ?13 WHERE survey_id = ?1 AND code = ?2",
                     "ittttttt" "zmiii", s->id, v->code, v->verdict, v->reason, v->quote, v->page, v->note, v->description, text, (time_ns)version, v->as_last,
                     c->now, c->v->user_id);
    return rc < 0 ? rc : 0;
}

/* requirement_of - the words of a line of the check-list, and its document; owned by the caller. */
static int requirement_of(struct call *c, const struct td_survey *s, struct str code, json_t **words, struct str *document)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT q.json, v.document FROM td_verdict v JOIN td_requirement q ON q.id = v.requirement_id WHERE v.survey_id = ? AND v.code = ?",
                                "it", s->id, code);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    if (rc <= 0)
        return rc < 0 ? rc : td_wrong(c, "requirement", "no such line of the check-list");
    struct str text = db_str(st, 0);
    *words = json_loadb(text.p, text.n, 0, NULL);
    *document = db_copy(st, 1, &c->a);
    db_done(st);
    return 0;
}

static bool is_violation(struct str verdict) { return str_eq(verdict, STR("partly")) || str_eq(verdict, STR("not_met")); }

/* recommended - what is to be done: as the auditor wrote it, else as the library has it; in all three languages. */
static json_t *recommended(const json_t *body, const json_t *words)
{
    json_t *out = json_object(), *from = json_object_get(words, "recommendation");

    for (enum lang l = 0; l < LANG_COUNT; l++) {
        char key[32];

        snprintf(key, sizeof key, "recommendation_%s", lang_name(l));
        struct str own = json_get_str(body, key);
        json_object_set_new(out, lang_name(l), own.n ? json_str(own) : json_incref(json_object_get(from, lang_name(l))));
    }
    return out;
}

int td_set_verdict(struct call *c, struct td_survey *s, const json_t *body)
{
    struct verdict v = { .code = json_get_str(body, "requirement"), .verdict = json_get_str(body, "verdict"), .reason = json_get_str(body, "reason"),
                         .quote = json_get_str(body, "quote"), .page = json_get_str(body, "page"), .note = json_get_str(body, "note") };
    json_t *words = NULL;
    int rc = requirement_of(c, s, v.code, &words, &v.document);

    if (rc < 0)
        return rc;
    if (str_eq(v.verdict, STR("not_applicable")) && !v.reason.n)
        rc = td_wrong(c, "reason", "why it does not apply must be said");
    if (rc == 0 && is_violation(v.verdict)) {
        v.description = json_get_str(body, "description");
        if (!v.description.n)
            rc = td_wrong(c, "description", "what is wrong must be said");
        v.recommendation = recommended(body, words);
    }
    if (rc == 0)
        rc = verdict_put(c, s, &v);
    json_decref(v.recommendation);
    json_decref(words);
    return rc;
}

/* td_confirm_last - the auditor has looked, and it is as last time: verdict, quote and note are those of then. */
int td_confirm_last(struct call *c, struct td_survey *s, const json_t *body)
{
    struct str code = json_get_str(body, "requirement"), text;
    json_t *words = NULL, *recommendation = NULL;
    struct verdict v = { .code = code, .as_last = 1 };
    int rc = requirement_of(c, s, code, &words, &v.document);

    json_decref(words);
    sqlite3_stmt *st = rc == 0 ? db_query(c->d, c->e, "SELECT verdict, reason, quote, page, note, description, recommendation FROM td_verdict WHERE survey_id = ? AND code = ?"
                                          " AND verdict IS NOT NULL", "it", s->previous_id, code)
                               : NULL;
    if (rc == 0)
        rc = st ? db_step(c->d, st, c->e) : -EIO;
    if (rc == 0)
        return td_wrong(c, "requirement", "there is no verdict of last time");
    if (rc < 0)
        return rc;
    v.verdict = db_copy(st, 0, &c->a);
    v.reason = db_copy(st, 1, &c->a);
    v.quote = db_copy(st, 2, &c->a);
    v.page = db_copy(st, 3, &c->a);
    v.note = db_copy(st, 4, &c->a);
    v.description = db_copy(st, 5, &c->a);
    text = db_copy(st, 6, &c->a);
    db_done(st);
    if (text.n)
        recommendation = json_loadb(text.p, text.n, 0, NULL);
    v.recommendation = recommendation;
    rc = verdict_put(c, s, &v);
    json_decref(recommendation);
    return rc;
}

/* --- a document that nobody brought --- */

/* in_two_plus - a text of the catalogue in the three languages, as a violation keeps them. */
static struct str description_of(struct call *c, struct str note)
{
    struct str both = td_two(c, "document.not_presented", NULL, " / ");

    return note.n ? arena_printf(&c->a, "%.*s\n%.*s", STR_ARG(both), STR_ARG(note)) : both;
}

/* unpresented_line - a violation that is open stays so: what cannot be looked at was not mended by that. */
static int unpresented_line(struct call *c, const struct td_survey *s, struct str document, const json_t *line, struct str note)
{
    const json_t *words = json_object_get(line, "words");
    struct str code = json_get_str(line, "code");
    bool presence = json_is_true(json_object_get(words, "presence")) || json_is_true(json_object_get(line, "open"));
    struct verdict v = { .code = code, .document = document, .verdict = presence ? STR("not_met") : STR("not_applicable") };

    if (presence) {
        v.description = description_of(c, note);
        v.recommendation = json_object_get(words, "recommendation");
    } else
        v.reason = td_two(c, "document.not_presented", NULL, " / ");
    return verdict_put(c, s, &v);
}

/* td_not_presented - one violation for the document; its other requirements cannot be looked at, and those that were violated still are. Those that were judged on site stay as they are. */
int td_not_presented(struct call *c, struct td_survey *s, const json_t *body)
{
    struct str document = json_get_str(body, "document"), note = json_get_str(body, "note");
    json_t *lines = json_array(), *one;
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT v.code, q.json, EXISTS (SELECT 1 FROM td_violation x WHERE x.object_id = ?3 AND x.code = v.code AND x.open = 1) FROM td_verdict v"
                                " JOIN td_requirement q ON q.id = v.requirement_id WHERE v.survey_id = ?1 AND v.document = ?2 AND v.verdict IS NULL ORDER BY v.position",
                                "itt", s->id, document, s->object_id);
    int rc = st ? 0 : -EIO;
    size_t i;

    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        struct str text = db_str(st, 1);

        json_array_append_new(lines, json_pack("{s:o, s:o, s:b}", "code", db_json(st, 0), "words", json_loadb(text.p, text.n, 0, NULL), "open",
                                               sqlite3_column_int(st, 2)));
    }
    if (rc == 0 && json_array_size(lines) == 0)
        rc = td_wrong(c, "document", "no line of this document is without a verdict");
    json_array_foreach(lines, i, one)
        if (rc == 0)
            rc = unpresented_line(c, s, document, one, note);
    json_decref(lines);
    return rc < 0 ? rc : td_line(c, s, "not_presented", arena_printf(&c->a, "%.*s%s%.*s", STR_ARG(td_title(c, document)), note.n ? "\n" : "",
                                                                     STR_ARG(note.n ? note : STR(""))), 0);
}
