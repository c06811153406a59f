/* form.c - which form of the edition goes out with a notice of a request, and what stands in it. Where a day is not
 * known yet (by when to answer, before the request was received), the form says from what it is counted. */
#include "desk/requests/kind.h"
#include "forms/forms.h"

#define PIECES_MAX 8

static json_t *text_or_null(const struct req *q, const char *key)
{
    struct str s = req_text(q, key);

    return s.n ? json_str(s) : json_null();
}

/* in_two - a text of the catalogue in Kazakh and Russian. */
static struct str in_two(struct call *c, const char *key, const json_t *args, const char *between)
{
    struct str kk = text_fill(&c->a, catalog_text(c->d->setup.catalog, LANG_KK, key), args);
    struct str ru = text_fill(&c->a, catalog_text(c->d->setup.catalog, LANG_RU, key), args);

    return arena_printf(&c->a, "%.*s%s%.*s", STR_ARG(kk), between, STR_ARG(ru));
}

/* letter_values - the letter of paragraph 8 that people print, sign and send; Annex 1 goes with it. */
static json_t *letter_values(struct call *c, const struct req *q, const struct edition *ed)
{
    bool ending = strcmp(q->kind->name, "termination") == 0;

    (void)ed;
    json_t *v = json_pack("{s:[o], s:o}", "enclosures", json_str(in_two(c, "request.enclosure.annex1", NULL, " / ")), "note",
                          text_or_null(q, "note"));
    const char *day = ending ? "terminated_on" : "commissioned_on";

    json_object_set_new(v, day, text_or_null(q, day));
    if (ending)
        json_object_set_new(v, "reason", text_or_null(q, "reason"));
    return v;
}

static json_t *contact_values(struct call *c, const struct req *q, const struct edition *ed)
{
    static const char *const keys[] = { "person_name", "person_position", "person_phone", "person_email" };
    AUTO_BUF struct buf b = { 0 };

    (void)c;
    (void)ed;
    buf_init(&b, 8 * KIB);
    for (size_t i = 0; i < COUNT(keys); i++) {
        struct str s = req_text(q, keys[i]);

        if (s.n && b.n)
            buf_str(&b, STR(", "));
        buf_str(&b, s);
    }
    return json_pack("{s:o, s:[o], s:o}", "changed_at", text_or_null(q, "changed_at"), "contacts", json_str(buf_view(&b)), "note", text_or_null(q, "note"));
}

static json_t *logging_values(struct call *c, const struct req *q, const struct edition *ed)
{
    json_t *formats = json_array();
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT name, sha256 FROM request_file WHERE request_id = ? AND role IN ('formats','format_description') ORDER BY id",
                                "i", q->id);

    (void)ed;
    while (st && json_array_size(formats) < NOTICE_DOCUMENTS_MAX && db_step(c->d, st, c->e) > 0)
        json_array_append_new(formats, json_str(arena_printf(&c->a, "%.*s (SHA-256 %.*s)", STR_ARG(db_str(st, 0)), STR_ARG(db_str(st, 1)))));
    if (st)
        db_done(st);
    return json_pack("{s:o, s:o, s:[o], s:o, s:o}", "planned_at", text_or_null(q, "change_at"), "change", text_or_null(q, "text"), "systems",
                     text_or_null(q, "log_class"), "formats", formats, "note", text_or_null(q, "note"));
}

/* edition_of - the one by which the notice will be drawn. */
static const struct edition *edition_of(struct call *c, const struct req *q)
{
    struct subject s = req_subject(q);
    struct str id;

    return subject_edition(c, &s, &id) == 0 ? duty_edition(c->d->setup.world, id) : NULL;
}

/* within - "10 business days from …", by the edition's own number: the day itself is known when the letter has been received. */
static json_t *within(struct call *c, const struct edition *ed, const char *obligation)
{
    const struct obligation *o = edition_obligation(ed, str_c(obligation));
    char key[48], amount[16];
    json_t *args, *text;

    if (!o || o->unit != DUTY_BUSINESS_DAYS)
        return json_string("—");
    snprintf(amount, sizeof amount, "%d", o->amount);
    snprintf(key, sizeof key, "request.form.within.%s", obligation);
    args = json_pack("{s:s}", "amount", amount);
    text = json_str(in_two(c, key, args, "\n"));
    json_decref(args);
    return text;
}

/* information_values - the request of paragraph 15: what, why, by when. */
static json_t *information_values(struct call *c, const struct req *q, const struct edition *ed)
{
    struct str number = req_text(q, "letter_number"), said = req_text(q, "text");
    json_t *none = json_object(), *args = json_pack("{s:s}", "paragraph", q->kind->paragraph);
    json_t *v = json_pack("{s:[o], s:o, s:o, s:o, s:o}", "requested", json_str(in_two(c, "request.form.requested", none, " / ")), "purpose",
                          json_str(in_two(c, "request.form.purpose", none, " / ")), "basis",
                          json_str(arena_printf(&c->a, "%.*s%s%.*s", STR_ARG(in_two(c, "request.form.basis", args, " / ")), number.n ? "; № " : "",
                                                STR_ARG(number.n ? number : STR("")))), "answer_by", within(c, ed, "D-03"), "note",
                          said.n ? json_str(said) : json_null());

    json_decref(none);
    json_decref(args);
    return v;
}

/* survey_values - the notice of paragraph 14: from when, of which documents of Annex 3 copies are owed, how certified, by when. */
static json_t *survey_values(struct call *c, const struct req *q, const struct edition *ed)
{
    struct str said = req_text(q, "text"), schedule = req_text(q, "schedule");
    json_t *documents = json_array(), *none = json_object();
    sqlite3_stmt *st = db_query(c->d, NULL, "SELECT code FROM request_item WHERE request_id = ? AND row IS NOT NULL ORDER BY position, code", "i", q->id);

    while (st && db_step(c->d, st, NULL) > 0)
        json_array_append_new(documents, db_json(st, 0));
    struct str note = arena_printf(&c->a, "%.*s%s%.*s", STR_ARG(schedule.n ? schedule : STR("")), schedule.n && said.n ? "\n" : "",
                                   STR_ARG(said.n ? said : STR("")));
    json_t *v = json_pack("{s:o, s:o, s:o, s:o, s:[o], s:o}", "starts_on", text_or_null(q, "survey_from"), "documents", documents, "certification",
                          json_str(in_two(c, "request.form.certification", none, "\n")), "provide_by", within(c, ed, "D-16"), "surveyors",
                          json_string(c->v ? c->v->name : "—"), "note", note.n ? json_str(note) : json_null());

    json_decref(none);
    return v;
}

static json_t *question_values(struct call *c, const struct req *q, const struct edition *ed)
{
    struct str title = req_text(q, "title"), text = req_text(q, "text");
    json_t *v = json_pack("{s:o}", "question", json_str(arena_printf(&c->a, "%.*s\n%.*s", STR_ARG(title), STR_ARG(text))));

    (void)ed;
    if (strcmp(q->state->name, "given") == 0)
        json_object_set_new(v, "answer", text_or_null(q, "answer"));
    return v;
}

const char *req_form(struct call *c, const struct req *q, const char *key, json_t **values)
{
    static const struct {
        const char *key, *kind, *form;
        json_t *(*fill)(struct call *c, const struct req *q, const struct edition *ed);
    } rows[] = {
        { "information", "information", "information_request", information_values },
        { "document_survey", "document_survey", "td_survey_notice", survey_values },
        { "consultation", "consultation", "consultation_request", question_values },
        { "consultation_given", "consultation", "consultation_answer", question_values },
        { "commissioning", "commissioning", "commissioning_letter", letter_values },
        { "termination", "termination", "termination_letter", letter_values },
        { "contacts_sent", "contact_change", "contact_change", contact_values },
        { "logging_change", "logging_change", "logging_change", logging_values },
    };

    const struct edition *ed = edition_of(c, q);

    *values = NULL;
    if (strcmp(key, "information_sent") == 0 && json_array_size(json_object_get(q->values, "information_missing")) == 0) {
        *values = json_incref(json_object_get(q->values, "information"));
        return *values ? "annex1" : NULL;
    }
    for (size_t i = 0; i < COUNT(rows); i++)
        if (q->kind && strcmp(key, rows[i].key) == 0 && strcmp(q->kind->name, rows[i].kind) == 0) {
            const struct form *f = ed ? edition_form(ed, str_c(rows[i].form)) : NULL;

            if (!f)
                return NULL;   /* an edition made from an older one may lack the form: the words alone go out */
            *values = rows[i].fill(c, q, ed);
            json_object_set_new(*values, "object", json_str(q->object_name));
            if (form_field_find(f, STR("owner_or_possessor")))
                json_object_set_new(*values, "owner_or_possessor", json_str(q->org_name));
            if (c->v && form_field_find(f, STR("contact")))
                json_object_set_new(*values, "contact", json_string(c->v->name));
            return rows[i].form;
        }
    return NULL;
}

/* req_files - what is attached to the notice of a planned change of logging (R-12-08): formats and their description. */
int req_files(struct call *c, const struct req *q, const char *key, struct notice_file **out, size_t *count)
{
    struct notice_file *f = arena_zero(&c->a, PIECES_MAX * sizeof *f);
    sqlite3_stmt *st;
    int rc = 0;

    *out = f;
    *count = 0;
    if (strcmp(key, "logging_change") != 0 || !f)
        return 0;
    st = db_query(c->d, c->e,
                  "SELECT sha256, name, type, size_bytes FROM request_file WHERE request_id = ? AND role IN ('formats','format_description') ORDER BY id LIMIT 8",
                  "i", q->id);
    rc = st ? 0 : -EIO;
    while (st && *count < PIECES_MAX && (rc = db_step(c->d, st, c->e)) > 0)
        f[(*count)++] = (struct notice_file){ db_copy(st, 0, &c->a), db_copy(st, 1, &c->a), db_copy(st, 2, &c->a), sqlite3_column_int64(st, 3) };
    if (rc > 0)
        db_done(st);
    return rc < 0 ? rc : 0;
}
