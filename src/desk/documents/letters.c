/* letters.c - the letter of results and recommendations (paragraph 10(3)): what was looked at, what is not met, what to do; and its receipt. */
#include "desk/documents/room.h"

/* What a survey found: rows of the table of violations, and lines of those that ended. */
struct found {
    json_t *wrong, *fixed, *gone;   /* owned */
};
static const struct td_column results_columns[] = {
    { "number", "document.column.violation" }, { "document", "document.column.document" }, { "requirement", "document.column.text" },
    { "verdict", "document.column.verdict" }, { "description", "document.column.description" }, { "recommendation", "document.column.recommendation" },
};

/* in_lines - texts of two languages, one under the other: the paper is in both. */
static json_t *in_lines(const json_t *texts)
{
    struct str kk = json_get_str(texts, "kk"), ru = json_get_str(texts, "ru");
    AUTO_BUF struct buf b = { 0 };

    buf_init(&b, 64 * KIB);
    buf_str(&b, kk);
    if (!str_eq(kk, ru)) {
        buf_byte(&b, '\n');
        buf_str(&b, ru);
    }
    return json_str(buf_view(&b));
}

/* documents_rows - the 27 documents with what was found of each. */
static int documents_rows(struct call *c, const struct td_survey *s, json_t **out)
{
    static const char *const counts[] = { "met", "partly", "not_met", "not_applicable" };
    json_t *progress = NULL, *p;
    size_t i;
    int rc = progress_json(c, s, &progress);

    *out = json_array();
    json_array_foreach(progress, i, p) {
        json_t *version = json_object_get(p, "newest"), *row = json_pack("{s:O}", "document", json_object_get(p, "document"));
        struct str number = json_get_str(version, "number"), dated = json_get_str(version, "dated_on");

        json_object_set_new(row, "version",
                            json_is_object(version) ? json_str(arena_printf(&c->a, "v. %lld%s%.*s%s%.*s", json_integer_value(json_object_get(version, "version")),
                                                                            number.n ? ", № " : "", STR_ARG(number.n ? number : STR("")), dated.n ? ", " : "",
                                                                            STR_ARG(dated.n ? dated : STR(""))))
                                                    : json_str(td_two(c, "document.missing", NULL, " / ")));
        for (size_t k = 0; k < COUNT(counts); k++)
            json_object_set(row, counts[k], json_object_get(p, counts[k]));
        json_array_append_new(*out, row);
    }
    json_decref(progress);
    return rc;
}

static json_t *column_json(sqlite3_stmt *st, int column)
{
    struct str text = db_str(st, column);

    return text.n ? json_loadb(text.p, text.n, 0, NULL) : json_object();
}

/* ended_line - a violation that ended, in a line: what was asked, and why it is asked no more. */
static json_t *ended_line(struct call *c, struct str number, const json_t *text, struct str why)
{
    return json_str(arena_printf(&c->a, "%.*s: %.*s%s%.*s", STR_ARG(number), STR_ARG(json_get_str(text, "kk")), why.n ? " — " : "", STR_ARG(why.n ? why : STR(""))));
}

/* violation_rows - all of what is not met (found now or still there), of what the survey found fixed, and of what does not apply any more. */
static int violation_rows(struct call *c, const struct td_survey *s, struct found *out)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT x.number, v.document, q.json, v.verdict, v.description, v.recommendation, v.quote, v.page, v.reason FROM td_verdict v JOIN"
                                " td_violation x ON x.id = v.violation_id JOIN td_requirement q ON q.id = v.requirement_id WHERE v.survey_id = ? ORDER BY"
                                " v.position", "i", s->id);
    int rc = st ? 0 : -EIO;

    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        json_t *words = column_json(st, 2), *recommendation = column_json(st, 5), *text = in_lines(json_object_get(words, "text"));
        struct str verdict = db_str(st, 3), quote = db_str(st, 6), page = db_str(st, 7);

        if (str_eq(verdict, STR("partly")) || str_eq(verdict, STR("not_met")))
            json_array_append_new(out->wrong, json_pack("{s:o, s:o, s:O, s:o, s:o, s:o}", "number", db_json(st, 0), "document", db_json(st, 1), "requirement", text,
                                                        "verdict", db_json(st, 3), "description",
                                                        json_str(arena_printf(&c->a, "%.*s%s%.*s%s%.*s%s", STR_ARG(db_str(st, 4)), quote.n ? "\n«" : "",
                                                                              STR_ARG(quote.n ? quote : STR("")), quote.n ? "»" : "",
                                                                              STR_ARG(page.n ? page : STR("")), "")),
                                                        "recommendation", in_lines(recommendation)));
        else if (str_eq(verdict, STR("met")))
            json_array_append_new(out->fixed, ended_line(c, db_str(st, 0), json_object_get(words, "text"), STR("")));
        else
            json_array_append_new(out->gone, ended_line(c, db_str(st, 0), json_object_get(words, "text"), db_str(st, 8)));
        json_decref(text);
        json_decref(recommendation);
        json_decref(words);
    }
    return rc;
}

/* moment_words - "20.03.2026 14:05" of an instant, by the clock of the node. */
static struct str moment_words(struct call *c, struct str instant)
{
    struct civil at;
    struct err e;
    time_ns t;
    int offset;

    if (time_parse_rfc3339(instant, &t, &offset, &e) < 0)
        return instant;
    at = civil_of_ns(t, zone_offset_min(c->d->setup.world->zone, t));
    return arena_printf(&c->a, "%02d.%02d.%04d %02d:%02d", (int)at.day, (int)at.month, (int)at.year, (int)at.hour, (int)at.minute);
}

/* fact_lines - what Saqshy measured, as it was frozen when the survey was completed. */
static int fact_lines(struct call *c, const struct td_survey *s, json_t **out)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT facts FROM td_survey WHERE id = ?", "i", s->id);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;
    json_t *facts, *f;
    size_t i;

    *out = json_array();
    if (rc <= 0)
        return rc;
    facts = column_json(st, 0);
    db_done(st);
    json_array_foreach(facts, i, f) {
        json_t *text = in_lines(json_object_get(f, "text"));

        json_array_append_new(*out, json_str(arena_printf(&c->a, "%.*s (%.*s)", STR_ARG(str_c(json_string_value(text))), STR_ARG(moment_words(c, json_get_str(f, "measured_at"))))));
        json_decref(text);
    }
    json_decref(facts);
    return 0;
}

/* within - from what the owner's month is counted: the day itself is known with the receipt. */
static json_t *within(struct call *c, const struct edition *ed)
{
    const struct obligation *o = edition_obligation(ed, STR("D-18"));
    json_t *args, *text;

    if (!o || o->unit != DUTY_MONTHS)
        return json_string("—");
    args = json_pack("{s:o}", "amount", json_str(arena_printf(&c->a, "%d", o->amount)));
    text = json_str(td_two(c, "document.form.within", args, "\n"));
    json_decref(args);
    return text;
}

static json_t *day_json(struct call *c, time_ns t)
{
    char day[16];

    if (!t)
        return json_null();
    local_date(c->d, t, day);
    return json_string(day);
}

/* found_put - what was found into the letter: as much as it can name; the rest is said to stand in the workbook, which goes with it. */
static int found_put(struct call *c, const struct td_survey *s, const struct found *f, struct str note, json_t *values, struct td_enclosed *enclosed)
{
    const struct td_sheet sheets[] = {
        { "violations", results_columns, COUNT(results_columns), f->wrong }, { "fixed", NULL, 0, f->fixed }, { "not applicable", NULL, 0, f->gone },
    };
    json_t *wrong = td_letter_part(f->wrong), *fixed = td_letter_part(f->fixed), *gone = td_letter_part(f->gone);
    bool cut = json_array_size(wrong) < json_array_size(f->wrong) || json_array_size(fixed) < json_array_size(f->fixed) ||
               json_array_size(gone) < json_array_size(f->gone);
    int rc = cut ? td_enclose(c, s, sheets, COUNT(sheets), enclosed) : 0;

    if (json_array_size(wrong)) {
        json_object_set(values, "violations", wrong);
        json_object_set_new(values, "measures_by", within(c, duty_edition_at(c->d->setup.world, s->completed_at)));
    } else
        json_object_set_new(values, "conclusion", json_str(td_two(c, "document.form.no_violations", NULL, "\n")));
    if (json_array_size(fixed))
        json_object_set(values, "fixed", fixed);
    if (json_array_size(gone))
        json_object_set(values, "not_applicable", gone);
    json_object_set_new(values, "note", td_letter_note(c, cut ? enclosed : NULL, json_array_size(wrong), json_array_size(f->wrong), note));
    json_decref(wrong);
    json_decref(fixed);
    json_decref(gone);
    return rc;
}

static int results_values(struct call *c, const struct td_survey *s, const json_t *body, json_t **out, struct td_enclosed *enclosed)
{
    struct found f = { json_array(), json_array(), json_array() };
    json_t *documents = NULL, *facts = NULL;
    int rc = documents_rows(c, s, &documents);

    if (rc == 0)
        rc = violation_rows(c, s, &f);
    if (rc == 0)
        rc = fact_lines(c, s, &facts);
    if (rc == 0) {
        *out = json_pack("{s:o, s:o, s:o, s:o, s:o, s:O, s:[o]}", "object", json_str(s->object_name), "owner_or_possessor", json_str(s->org_name),
                         "survey_number", json_str(s->number), "started_on", day_json(c, s->started_at), "completed_on", day_json(c, s->completed_at), "documents",
                         documents, "surveyors", json_string(c->v ? c->v->name : "—"));
        rc = found_put(c, s, &f, json_get_str(body, "note"), *out, enclosed);
        if (json_array_size(facts))
            json_object_set(*out, "facts", facts);
    }
    json_decref(documents);
    json_decref(f.wrong);
    json_decref(f.fixed);
    json_decref(f.gone);
    json_decref(facts);
    return rc;
}

/* sent_all - every violation that the letter names is now with the owner. */
static int sent_all(struct call *c, const struct td_survey *s)
{
    int rc = db_exec(c->d, c->e,
                     "INSERT INTO td_step(violation_id, survey_id, state, at, user_id) SELECT violation_id, survey_id, 'sent', ?2, ?3 FROM td_verdict WHERE survey_id"
                     " = ?1 AND violation_id IS NOT NULL AND verdict IN ('partly','not_met') ORDER BY position", "iim", s->id, c->now,
                     (time_ns)(c->v ? c->v->user_id : 0));

    if (rc >= 0)
        rc = db_exec(c->d, c->e,
                     "UPDATE td_violation SET state = 'sent', shown = 1, sent_at = ?2, updated_at = ?2 WHERE survey_id = ?1 AND open = 1 AND id IN (SELECT"
                     " violation_id FROM td_verdict WHERE survey_id = ?1 AND violation_id IS NOT NULL)", "ii", s->id, c->now);
    return rc < 0 ? rc : 0;
}

int td_send_results(struct call *c, struct td_survey *s, const json_t *body)
{
    struct subject about = td_subject(s);
    struct str orgs[2] = { s->org_id, s->possessor_id };
    struct notice_new n = { .kind = "document_results", .paragraph = "10(3)", .about = &about, .form = "td_survey_results", .orgs = orgs,
                            .org_count = s->possessor_id.n && !str_eq(s->possessor_id, s->org_id) ? 2 : 1 };
    struct td_enclosed enclosed = { 0 };
    json_t *values = NULL;
    int64_t id = 0;
    int rc = json_is_true(json_object_get(body, "confirmed")) ? results_values(c, s, body, &values, &enclosed)
                                                              : td_wrong(c, "confirmed", "the sending must be confirmed");

    n.values = values;
    n.files = &enclosed.file;
    n.file_count = enclosed.file.sha256.n ? 1 : 0;
    if (rc == 0)
        rc = notice_issue(c, &n, &id);
    json_decref(values);
    s->results_sent_at = c->now;
    if (rc == 0)
        rc = sent_all(c, s);
    return rc < 0 ? rc : duties_fulfil_by(c, &about, "D-17", c->now, &(struct duty_evidence){ .notice_id = id });
}

/* wrong_count - what the letter of this survey asks the owner to mend. */
static int wrong_count(struct call *c, const struct td_survey *s, int64_t *n)
{
    return db_int(c->d, c->e, 0, n, "SELECT count(*) FROM td_verdict WHERE survey_id = ? AND violation_id IS NOT NULL AND verdict IN ('partly','not_met')", "i", s->id);
}

/* td_receive - by the one who received the results: now; by the one who sent them: at a moment with proof. Nothing is owed where nothing was found. */
int td_receive(struct call *c, struct td_survey *s, const json_t *body)
{
    struct subject about = td_subject(s);
    int64_t wrong = 0;
    time_ns at;
    int rc = td_moment(c, body, "received_at", &at);

    if (rc == 0 && at / NS_PER_MINUTE < s->results_sent_at / NS_PER_MINUTE)
        rc = td_wrong(c, "received_at", "before it was sent");
    if (rc == 0)
        rc = wrong_count(c, s, &wrong);
    s->results_received_at = at;
    return rc < 0 || !wrong ? rc : duties_begin(c, &about, "D-18", (struct duty_start){ at, false }, NULL);
}

int td_close(struct call *c, struct td_survey *s, const json_t *body)
{
    int64_t wrong = 0;
    int rc = wrong_count(c, s, &wrong);

    (void)body;
    if (rc == 0 && wrong && td_in(s, "results_received"))
        return refuse(c, -EPROTO, "wrong_state", NULL, "the owner still owes the measures");
    if (rc < 0)
        return rc;
    json_t *args = json_pack("{s:o}", "number", json_str(s->number));   /* copies that never came are not awaited behind a closed survey */
    rc = request_end(c, s, td_two(c, "document.request_ended", args, " / "));
    json_decref(args);
    return rc;
}
