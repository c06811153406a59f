/* measures.c - the owner's information on measures (D-13, R-13-01): of each vulnerability or of all, and "nothing to fix" is an answer too. A claim of
 * Annex 6 is made in the room "vulnerabilities"; here it is said that one is made. */
#include "desk/surveys/room.h"

#define FILES_MAX 20

/* answer_fits - what an answer needs: a day that makes sense, or words. */
static int answer_fits(struct call *c, const json_t *a, const char *field)
{
    struct str answer = json_get_str(a, "answer"), on = json_get_str(a, "on");
    bool fixed = str_eq(answer, STR("fixed")), until = str_eq(answer, STR("until"));
    char at[DESK_FIELD_MAX];
    time_ns day = 0;
    int rc;

    snprintf(at, sizeof at, "%.80s.on", field);
    if ((fixed || until) && !on.n)
        return sv_wrong(c, at, fixed ? "the day on which it was fixed" : "the day until which it will be fixed");
    rc = on.n ? sv_day(c, on, at, &day) : 0;
    if (rc == 0 && fixed && day > c->now)
        return sv_wrong(c, at, "lies in the future");
    if (rc == 0 && until && day + NS_PER_DAY <= c->now)
        return sv_wrong(c, at, "lies in the past");
    snprintf(at, sizeof at, "%.80s.comment", field);
    return rc == 0 && str_eq(answer, STR("comment")) && !json_get_str(a, "comment").n ? sv_wrong(c, at, "a comment without words") : rc;
}

static int keep(struct call *c, const struct sv *s, int64_t vuln, const char *answer, const json_t *a)
{
    int rc = db_exec(c->d, c->e, "INSERT INTO survey_measure(survey_id, vulnerability_id, answer, on_date, comment, at, user_id) VALUES (?,?,?,?,?,?,?)", "imzttii", s->id,
                     (time_ns)vuln, answer, json_get_str(a, "on"), json_get_str(a, "comment"), c->now, c->v->user_id);

    return rc < 0 ? rc : 0;
}

/* tell_one - the room "vulnerabilities" hears what is said of one. */
static int tell_one(struct call *c, const struct sv *s, int64_t vuln, const json_t *a)
{
    struct vuln_said said = { .answer = json_get_str(a, "answer"), .on = json_get_str(a, "on"), .comment = json_get_str(a, "comment") };
    time_ns day = 0;
    int rc = said.on.n ? sv_day(c, said.on, "on", &day) : 0;

    said.done_at = str_eq(said.answer, STR("fixed")) ? day : 0;
    return rc < 0 ? rc : vulns_measure(c, s->id, vuln, &said);
}

struct all_work {
    struct call     *c;
    const struct sv *s;
    const json_t    *answer, *items;
};

/* all_row - the answer about all is that of each which has none of its own. */
static int all_row(void *arg, const struct vuln_row *f)
{
    struct all_work *w = arg;

    for (size_t i = 0; i < json_array_size(w->items); i++)
        if (parse_id(json_get_str(json_array_get(w->items, i), "vulnerability")) == f->id)
            return 0;
    return tell_one(w->c, w->s, f->id, w->answer);
}

static int take_answers(struct call *c, const struct sv *s, const json_t *body)
{
    const json_t *items = json_object_get(body, "items"), *all = json_object_get(body, "all");
    struct all_work w = { c, s, all, items };
    bool left;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < json_array_size(items); i++) {
        const json_t *a = json_array_get(items, i);
        int64_t vuln = parse_id(json_get_str(a, "vulnerability"));
        char field[48];

        snprintf(field, sizeof field, "items.%zu", i);
        rc = answer_fits(c, a, field);
        if (rc == 0)
            rc = tell_one(c, s, vuln, a);
        if (rc == -ENOENT) {
            snprintf(field, sizeof field, "items.%zu.vulnerability", i);
            c->r->code = NULL;
            return sv_wrong(c, field, "the survey did not find it");
        }
        if (rc >= 0)
            rc = keep(c, s, vuln, json_string_value(json_object_get(a, "answer")), a);
    }
    if (rc == 0 && json_is_object(all)) {
        rc = answer_fits(c, all, "all");
        if (rc == 0)
            rc = keep(c, s, 0, json_string_value(json_object_get(all, "answer")), all);
        if (rc == 0)
            rc = found_each(c, s, true, INT64_MAX, all_row, &w, &left);
    }
    if (rc == 0 && json_is_true(json_object_get(body, "nothing_to_fix")))
        rc = keep(c, s, 0, "nothing", NULL);
    return rc;
}

/* whole - every vulnerability is answered: by itself, or by the answer about all. Nothing to fix is an answer where nothing was found. */
static int whole(struct call *c, const struct sv *s, const json_t *body)
{
    const json_t *items = json_object_get(body, "items");
    bool all = json_is_object(json_object_get(body, "all")), nothing = json_is_true(json_object_get(body, "nothing_to_fix"));
    json_t *counts = NULL;
    int rc = vulns_counts(c, s->id, true, &counts);
    int64_t total = json_integer_value(json_object_get(counts, "total")), info = json_integer_value(json_object_get(counts, "info"));

    json_decref(counts);
    if (rc < 0)
        return rc;
    if (nothing && (all || json_array_size(items)))
        return sv_wrong(c, "nothing_to_fix", "either there is nothing to fix or there are measures");
    if (nothing && total > info)
        return sv_wrong(c, "nothing_to_fix", "the survey found vulnerabilities");
    if (!nothing && !all && json_array_size(items) == 0)
        return sv_wrong(c, "items", "say what was done about each vulnerability or about all of them");
    if (!nothing && !all && (int64_t)json_array_size(items) < total - info)
        return sv_wrong(c, "items", "not every vulnerability is answered: answer the others, or all of them at once");
    return 0;
}

static int files_take(struct call *c, const json_t *list, struct notice_file *out, size_t *count)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < json_array_size(list) && i < FILES_MAX; i++) {
        const json_t *one = json_array_get(list, i);
        struct blob b;

        rc = blob_take(c, str_of(json_string_value(one), json_string_length(one)), "files", &b);
        if (rc == 0)
            out[(*count)++] = (struct notice_file){ arena_copy(&c->a, str_c(b.sha256)), arena_copy(&c->a, str_c(b.name)), str_c(b.type), b.size_bytes };
    }
    return rc;
}

static struct str answer_words(struct call *c, struct str answer)
{
    return arena_printf(&c->a, "%.*s / %.*s", STR_ARG(sv_text(c, "survey.answer", answer, LANG_KK)), STR_ARG(sv_text(c, "survey.answer", answer, LANG_RU)));
}

static json_t *form_row(struct call *c, const char *what, const json_t *a)
{
    struct str on = json_get_str(a, "on"), comment = json_get_str(a, "comment");

    return json_pack("{s:s, s:o, s:o, s:o}", "vulnerability", what, "answer", json_str(answer_words(c, json_get_str(a, "answer"))), "on",
                     on.n ? json_str(on) : json_null(), "comment", comment.n ? json_str(sv_head(comment, 1500)) : json_null());
}

struct name_work {
    json_t *wanted;   /* {id: null or "number title"} */
};

static int name_row(void *arg, const struct vuln_row *f)
{
    struct name_work *w = arg;
    char id[24];

    snprintf(id, sizeof id, "%lld", (long long)f->id);
    if (json_object_get(w->wanted, id)) {
        AUTO_BUF struct buf b = { 0 };

        buf_init(&b, 8 * KIB);
        buf_str(&b, f->number);
        buf_byte(&b, ' ');
        buf_str(&b, sv_head(f->title, 250));
        json_object_set_new(w->wanted, id, json_str(buf_view(&b)));
    }
    return 0;
}

/* names_of - what the first answered ones are called. Owned by the caller. */
static int names_of(struct call *c, const struct sv *s, const json_t *items, json_t **out)
{
    struct name_work w = { json_object() };
    bool left;

    for (size_t i = 0; i < json_array_size(items) && i < SURVEY_LETTER_ROWS; i++)
        json_object_set_new(w.wanted, json_string_value(json_object_get(json_array_get(items, i), "vulnerability")), json_null());
    *out = w.wanted;
    return json_object_size(w.wanted) ? found_each(c, s, true, INT64_MAX, name_row, &w, &left) : 0;
}

/* form_values - the answers as the form shows them: the first ones by themselves, the one about all in one row. */
static int form_values(struct call *c, const struct sv *s, const json_t *body, json_t **out)
{
    const json_t *items = json_object_get(body, "items"), *all = json_object_get(body, "all");
    struct str note = json_get_str(body, "note");
    json_t *rows = json_array(), *names = NULL;
    int rc = names_of(c, s, items, &names);

    for (size_t i = 0; i < json_array_size(items) && i < SURVEY_LETTER_ROWS; i++) {
        const json_t *a = json_array_get(items, i);
        const char *name = json_string_value(json_object_get(names, json_string_value(json_object_get(a, "vulnerability"))));

        json_array_append_new(rows, form_row(c, name ? name : "—", a));
    }
    json_decref(names);
    if (json_is_object(all))
        json_array_append_new(rows, form_row(c, sv_two(c, "survey.form.all", NULL, " / ").p, all));
    *out = json_pack("{s:o, s:o, s:o, s:o, s:o, s:b, s:o, s:o}", "object", json_str(s->object_name), "owner_or_possessor", json_str(s->org_name), "survey",
                     json_str(s->number), "results_received_at", json_time(s->received_at), "measures", json_array_size(rows) ? json_incref(rows) : json_null(),
                     "nothing_to_fix", json_is_true(json_object_get(body, "nothing_to_fix")), "contact", json_string(c->v->name), "note",
                     note.n ? json_str(note) : json_null());
    json_decref(rows);
    return rc < 0 ? rc : 0;
}

/* Whoever answers has received: without a receipt the term begins and is kept in one act. */
int sv_do_measures(struct call *c, struct sv *s, const json_t *body)
{
    struct notice_file files[FILES_MAX];
    json_t *values = NULL;
    int64_t notice = 0;
    size_t count = 0;
    time_ns at;
    int rc = sv_moment(c, body, "received_at", &at);

    if (rc == 0 && !s->received_at)
        rc = sv_do_receive(c, s, body);
    if (rc == 0 && at / NS_PER_MINUTE < s->received_at / NS_PER_MINUTE)
        rc = sv_wrong(c, "received_at", "before the results were received");
    if (rc == 0)
        rc = whole(c, s, body);
    if (rc == 0)
        rc = take_answers(c, s, body);
    if (rc == 0)
        rc = files_take(c, json_object_get(body, "files"), files, &count);
    if (rc == 0)
        rc = form_values(c, s, body, &values);
    if (rc == 0)
        rc = sv_tell(c, s, &(struct sv_letter){ .key = "measures", .paragraph = "13", .form = "survey_measures", .values = values, .files = files, .file_count = count,
                                                .to_centre = true, .proof = json_get_str(body, "proof") }, &notice);
    json_decref(values);
    if (rc == 0)
        rc = db_exec(c->d, c->e, "UPDATE survey_measure SET notice_id = ?2 WHERE survey_id = ?1 AND notice_id IS NULL", "ii", s->id, notice);
    if (rc >= 0)
        rc = sv_fulfil(c, s, "D-13", at, notice);
    if (rc < 0)
        return rc;
    s->measures_at = at;
    json_object_set_new(s->values, "measures_notice", json_id(notice));
    return sv_line(c, s, "measures_received", json_get_str(body, "note"), NULL, false);
}
