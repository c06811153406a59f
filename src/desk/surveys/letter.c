/* letter.c - results and recommendations on their way to the owner (D-12, R-10.2-07, R-10.2-08), and their receipt, with which D-13 begins. */
#include "desk/surveys/room.h"

#define LETTER_TEXT_MAX 1500   /* letters of one text in the form: the table beside it has all of it */

int sv_guard_results(struct call *c, struct sv *s, const json_t *body)
{
    int rc = vulns_busy(c, s->id);

    (void)body;
    return rc > 0 ? refuse(c, -EPROTO, "wrong_state", "results", "files of results are still being read") : rc;
}

/* R-10.2-08: what is recommended is prefilled and stays until a person writes something else. */
int sv_do_remedy(struct call *c, struct sv *s, const json_t *body)
{
    int64_t vuln = parse_id(json_get_str(body, "vulnerability"));
    int rc = vuln ? db_exec(c->d, c->e,
                            "INSERT INTO survey_remedy(survey_id, vulnerability_id, kk, ru, en, edited_at, edited_by) VALUES (?1,?2,?3,?4,?5,?6,?7)"
                            " ON CONFLICT(survey_id, vulnerability_id) DO UPDATE SET kk = excluded.kk, ru = excluded.ru, en = excluded.en,"
                            " edited_at = excluded.edited_at, edited_by = excluded.edited_by",
                            "iitttii", s->id, vuln, json_get_str(body, "kk"), json_get_str(body, "ru"), json_get_str(body, "en"), c->now, c->v->user_id)
                  : sv_wrong(c, "vulnerability", "no such vulnerability");

    return rc < 0 ? rc : 0;
}

/* --- the form --- */

struct letter_work {
    struct call     *c;
    const struct sv *s;
    struct remedies *r;
    struct str       contour;
    json_t          *rows, *remedies;
    int64_t          n;
};

/* day_of - "20.03.2026", as a letter writes it. */
static struct str day_of(struct call *c, time_ns at)
{
    char day[16];

    local_date(c->d, at, day);
    return arena_printf(&c->a, "%.2s.%.2s.%.4s", day + 8, day + 5, day);
}

static json_t *cut(struct str s) { return json_str(sv_head(s.p ? s : STR(""), LETTER_TEXT_MAX)); }

static struct str two(struct call *c, const char *key, struct str value)
{
    return value.n ? arena_printf(&c->a, "%.*s / %.*s", STR_ARG(sv_text(c, key, value, LANG_KK)), STR_ARG(sv_text(c, key, value, LANG_RU))) : STR("—");
}

static int letter_row(void *arg, const struct vuln_row *f)
{
    struct letter_work *l = arg;
    struct str remedy[LANG_COUNT] = { { NULL, 0 } };
    char port[12] = "—", number[24];
    bool edited;
    int rc = found_remedy(l->c, l->s, l->r, f, remedy, &edited);

    if (rc < 0)
        return rc;
    if (f->port >= 0)
        snprintf(port, sizeof port, "%d", f->port);
    snprintf(number, sizeof number, "%lld", (long long)++l->n);
    json_array_append_new(l->rows, json_pack("{s:s, s:o, s:o, s:o, s:s, s:o, s:o, s:o}", "number", number, "detected_at", json_str(day_of(l->c, f->first_detected_at ? f->first_detected_at : l->s->completed_at)),
                                             "contour", json_str(two(l->c, "survey.contour", l->contour)), "component", cut(f->component.n ? f->component : f->host.n ? f->host : STR("—")),
                                             "port", port, "description", cut(f->title), "severity", json_str(two(l->c, "survey.severity", f->severity)), "additional",
                                             cut(arena_printf(&l->c->a, "%.*s%s%.*s%s", STR_ARG(f->place), f->place.n && f->cve.n ? "; " : "", STR_ARG(f->cve),
                                                              f->kev ? "; KEV" : ""))));
    json_array_append_new(l->remedies, json_pack("{s:s, s:o, s:o}", "number", number, "kk", cut(remedy[LANG_KK]), "ru", cut(remedy[LANG_RU])));
    return 0;
}

/* names - places of the scope, a line each, as the form shows them. */
static json_t *scope_lines(struct call *c, const json_t *scope)
{
    json_t *lines = json_array();

    for (size_t i = 0; i < json_array_size(scope) && i < SURVEY_LETTER_ROWS; i++) {
        const json_t *one = json_array_get(scope, i), *hosts = json_object_get(one, "hosts");
        AUTO_BUF struct buf b = { 0 };

        buf_init(&b, 8 * KIB);
        buf_str(&b, json_get_str(one, "name"));
        for (size_t h = 0; h < json_array_size(hosts) && h < 16; h++)
            buf_printf(&b, "%s%s", h ? ", " : ": ", json_string_value(json_array_get(hosts, h)));
        json_array_append_new(lines, json_str(arena_copy(&c->a, buf_view(&b))));
    }
    return lines;
}

/* adjacent_text - R-10.2-06 in the letter: surveyed or absent, and why. */
static struct str adjacent_text(struct call *c, const struct sv *s)
{
    const json_t *lan = json_object_get(s->values, "adjacent");
    struct str value = json_get_str(lan, "lan"), why = json_get_str(lan, "reason");

    return value.n ? arena_printf(&c->a, "%.*s: %.*s", STR_ARG(two(c, "survey.lan", value)), STR_ARG(why)) : (struct str){ NULL, 0 };
}

/* as_texts - numbers as texts, for the placeholders of the catalogue. Owned by the caller. */
static json_t *as_texts(struct call *c, const json_t *numbers)
{
    json_t *out = json_object(), *v;
    const char *key;

    json_object_foreach((json_t *)(uintptr_t)numbers, key, v)
        if (json_is_integer(v))
            json_object_set_new(out, key, json_str(arena_printf(&c->a, "%lld", (long long)json_integer_value(v))));
    return out;
}

static int letter_values(struct call *c, const struct sv *s, struct str note, json_t **out)
{
    struct letter_work l = { .c = c, .s = s, .rows = json_array(), .remedies = json_array() };
    json_t *scope = NULL, *numbers = NULL, *counts = NULL;
    bool left = false;
    int rc = remedies_load(c->d->setup.node->content, &l.r, c->e);

    if (rc == 0)
        rc = found_contour(c, s, &l.contour);
    if (rc == 0)
        rc = scope_included(c, s, &scope);
    if (rc == 0)
        rc = vulns_counts(c, s->id, true, &numbers);
    counts = as_texts(c, numbers);
    if (rc == 0)
        rc = found_each(c, s, true, SURVEY_LETTER_ROWS, letter_row, &l, &left);
    if (rc >= 0) {
        struct str lan = adjacent_text(c, s), more = left ? sv_two(c, "survey.form.more", counts, "\n") : STR("");
        struct str said = arena_printf(&c->a, "%.*s%s%.*s", STR_ARG(more), more.n && note.n ? "\n" : "", STR_ARG(note.p ? note : STR("")));

        *out = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:O, s:O, s:o, s:o}", "object", json_str(s->object_name), "owner_or_possessor",
                         json_str(s->org_name), "survey", json_str(s->number), "mode", json_str(two(c, "survey.mode", s->mode)), "kind",
                         json_str(two(c, "survey.kind", s->kind)), "period",
                         json_str(arena_printf(&c->a, "%.*s – %.*s", STR_ARG(day_of(c, s->started_at)), STR_ARG(day_of(c, s->completed_at)))), "scope",
                         scope_lines(c, scope), "adjacent", lan.n ? json_str(lan) : json_null(), "summary", json_str(sv_two(c, "survey.form.summary", counts, "\n")),
                         "vulnerabilities", l.rows, "recommendations", l.remedies, "answer_by", json_str(sv_two(c, "survey.form.answer_by", NULL, "\n")), "note",
                         said.n ? json_str(said) : json_null());
        json_object_set_new(*out, "contact", json_string(c->v->name));
        if (json_array_size(l.rows) == 0) {
            json_object_set_new(*out, "vulnerabilities", json_null());
            json_object_set_new(*out, "recommendations", json_null());
        }
        rc = 0;
    }
    json_decref(l.rows);
    json_decref(l.remedies);
    json_decref(scope);
    json_decref(counts);
    json_decref(numbers);
    remedies_free(&l.r);
    return rc;
}

/* table_file - the whole list as a workbook, kept as a file of the notice. */
static int table_file(struct call *c, const struct sv *s, struct notice_file *f)
{
    AUTO_BUF struct buf bytes = { 0 };
    struct blob b;

    buf_init(&bytes, 64 * MIB);
    int rc = found_table(c, s, true, false, &bytes);
    if (rc == 0)
        rc = blob_put(c, buf_view(&bytes), &b);
    if (rc == 0)
        *f = (struct notice_file){ arena_copy(&c->a, str_c(b.sha256)), arena_printf(&c->a, "%.*s.xlsx", STR_ARG(s->number)),
                                   STR("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"), b.size_bytes };
    return rc;
}

/* pdf_of - the SHA-256 of a notice's PDF: the evidence of the duty. */
static int pdf_of(struct call *c, int64_t notice, struct str *out)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT pdf_sha256 FROM notice_record WHERE id = ?", "i", notice);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    *out = rc > 0 ? db_copy(st, 0, &c->a) : (struct str){ NULL, 0 };
    if (rc > 0)
        db_done(st);
    return rc < 0 ? rc : 0;
}

int sv_fulfil(struct call *c, const struct sv *s, const char *obligation, time_ns at, int64_t notice)
{
    struct subject about = sv_subject(s);
    struct duty_evidence ev = { .notice_id = notice };
    int rc = pdf_of(c, notice, &ev.sha256);

    return rc < 0 ? rc : duties_fulfil_by(c, &about, obligation, at, &ev);
}

int sv_do_send(struct call *c, struct sv *s, const json_t *body)
{
    struct notice_file file = { 0 };
    json_t *values = NULL;
    int64_t notice = 0;
    int rc;

    /* What the letter says is what the owner is shown from its sending on, so that is counted first. */
    s->sent_at = c->now;
    rc = sv_put(c, s);
    if (rc == 0)
        rc = vulns_told(c, s->id);
    if (rc == 0)
        rc = letter_values(c, s, json_get_str(body, "note"), &values);
    if (rc == 0)
        rc = table_file(c, s, &file);
    if (rc == 0)
        rc = sv_tell(c, s, &(struct sv_letter){ .key = "results", .paragraph = "10(2)", .form = "survey_results", .values = values, .files = &file, .file_count = 1 },
                     &notice);
    json_decref(values);
    if (rc == 0)
        rc = sv_fulfil(c, s, "D-12", c->now, notice);
    if (rc < 0)
        return rc;
    json_object_set_new(s->values, "results_notice", json_id(notice));
    return sv_line(c, s, "results_sent", json_get_str(body, "note"), NULL, false);
}

/* --- receipt --- */

int sv_do_receive(struct call *c, struct sv *s, const json_t *body)
{
    struct subject about = sv_subject(s);
    struct str proof = json_get_str(body, "proof");
    time_ns at;
    int rc = sv_moment(c, body, "received_at", &at);

    if (rc == 0 && at / NS_PER_MINUTE < s->sent_at / NS_PER_MINUTE)
        return sv_wrong(c, "received_at", "before the results were sent");
    if (rc < 0)
        return rc;
    s->received_at = at;
    if (proof.n)
        json_object_set_new(s->values, "receipt_proof", json_str(proof));
    rc = sv_line(c, s, "results_received", proof, NULL, false);
    return rc < 0 ? rc : duties_begin(c, &about, "D-13", (struct duty_start){ at, false }, NULL);
}
