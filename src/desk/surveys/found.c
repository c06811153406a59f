/* found.c - what a survey found, with what is recommended to the owner and what the owner answered: as a page, as a table, as rows of the letter. */
#include "desk/surveys/room.h"
#include "table/table.h"

#define FOUND_TURN 64    /* rows asked for at once */
#define FOUND_MOST 200000

/* The texts of a turn go with it: a survey of 200,000 rows needs no more memory than one of 64. */
int found_each(struct call *c, const struct sv *s, bool told, int64_t most, found_fn *fn, void *arg, bool *left)
{
    struct vuln_row rows[FOUND_TURN];
    struct arena kept = c->a;
    size_t count = 0, want = (size_t)(most < FOUND_MOST ? most : FOUND_MOST);
    AUTO_FREE int64_t *ids = NULL;
    int rc = vulns_ids_of_survey(c, s->id, told, false, want + 1, &ids, &count);

    *left = count > want;
    count = min_size(count, want);
    arena_init(&c->a, 16 * MIB);
    for (size_t from = 0; rc >= 0 && from < count; from += FOUND_TURN) {
        size_t n = min_size(FOUND_TURN, count - from);

        rc = vulns_rows(c, s->id, told, ids + from, n, rows);
        for (size_t i = 0; rc >= 0 && i < n; i++)
            rc = fn(arg, &rows[i]);
        if (rc >= 0 && arena_failed(&c->a))
            rc = err_set(c->e, -ENOMEM, "no memory for what was found");
        arena_reset(&c->a);
    }
    arena_free(&c->a);
    c->a = kept;
    return rc < 0 ? rc : 0;
}

int found_remedy(struct call *c, const struct sv *s, const struct remedies *r, const struct vuln_row *f, struct str out[LANG_COUNT], bool *edited)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT kk, ru, en FROM survey_remedy WHERE survey_id = ? AND vulnerability_id = ?", "ii", s->id, f->id);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;
    struct remedy_of of = { .title = f->title, .description = f->description, .component = f->component, .fixed_version = f->fixed_version,
                            .solution = f->solution, .cve = f->cve, .port = f->port };

    *edited = rc > 0;
    if (rc > 0) {
        out[LANG_KK] = db_copy(st, 0, &c->a);
        out[LANG_RU] = db_copy(st, 1, &c->a);
        out[LANG_EN] = db_copy(st, 2, &c->a);
        db_done(st);
        return 0;
    }
    for (enum lang l = 0; rc == 0 && l < LANG_COUNT; l++)
        out[l] = remedy_text(r, &of, l, &c->a);
    return rc;
}

int found_contour(struct call *c, const struct sv *s, struct str *out)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT contour FROM object WHERE id = ?", "t", s->object_id);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    *out = rc > 0 ? db_copy(st, 0, &c->a) : (struct str){ NULL, 0 };
    if (rc > 0)
        db_done(st);
    return rc < 0 ? rc : 0;
}

/* measure_json - the owner's newest answer about one vulnerability: its own, else the one about all. */
static int measure_json(struct call *c, const struct sv *s, int64_t vuln, json_t **out)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT answer, on_date, comment, at FROM survey_measure WHERE survey_id = ?1 AND (vulnerability_id = ?2 OR vulnerability_id IS NULL)"
                                " ORDER BY vulnerability_id IS NULL, id DESC LIMIT 1",
                                "ii", s->id, vuln);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    *out = json_null();
    if (rc > 0) {
        *out = json_pack("{s:o, s:o, s:o, s:o}", "answer", db_json(st, 0), "on", db_json(st, 1), "comment", db_json(st, 2), "at", db_json_time(st, 3));
        db_done(st);
    }
    return rc < 0 ? rc : 0;
}

static json_t *or_null(struct str s) { return s.n ? json_str(s) : json_null(); }

static int row_json(struct call *c, const struct sv *s, const struct remedies *r, const struct vuln_row *f, json_t **out)
{
    struct str remedy[LANG_COUNT] = { { NULL, 0 } };
    json_t *measure = NULL;
    bool edited = false;
    int rc = found_remedy(c, s, r, f, remedy, &edited);

    if (rc == 0)
        rc = measure_json(c, s, f->id, &measure);
    if (rc < 0)
        return rc;
    *out = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:o, s:o, s:o, s:{s:o, s:o, s:o, s:b}, s:o}", "id", json_id(f->id), "number",
                     or_null(f->number), "title", json_str(f->title), "severity", json_str(f->severity), "cve", or_null(f->cve), "host", or_null(f->host), "place",
                     or_null(f->place), "component", or_null(f->component), "fixed_version", or_null(f->fixed_version), "description", or_null(f->description),
                     "cvss", f->cvss < 0 ? json_null() : json_real(f->cvss), "kev", f->kev, "state", or_null(f->state), "kind", or_null(f->kind),
                     "first_detected_at", json_time_or_null(f->first_detected_at), "remedy", "kk", json_str(remedy[LANG_KK]), "ru", json_str(remedy[LANG_RU]),
                     "en", json_str(remedy[LANG_EN]), "edited", edited, "measure", measure);
    return 0;
}

/* shown - an owner sees what was found from the sending of the results on. */
static int shown(struct call *c, int64_t id, struct sv *s)
{
    int rc = sv_load(c, id, s);

    return rc == 0 && scope_of(c->v).bounded && !s->sent_at ? refuse(c, -ENOENT, "not_found", NULL, "the results are not sent yet") : rc;
}

static int page(struct call *c, const struct sv *s, int limit, struct str before, json_t *items, int64_t *next)
{
    size_t most = (size_t)(page_limit(limit) < 200 ? page_limit(limit) : 200), count = 0;
    struct vuln_row *rows = arena_zero(&c->a, most * sizeof *rows);
    struct remedies *r = NULL;
    int64_t cursor = parse_id(before);
    int rc = rows ? remedies_load(c->d->setup.node->content, &r, c->e) : err_set(c->e, -ENOMEM, "no memory for a page");

    if (rc == 0)
        rc = vulns_of_survey(c, s->id, true, &cursor, rows, most, &count);
    for (size_t i = 0; rc >= 0 && i < count; i++) {
        json_t *one = NULL;

        rc = row_json(c, s, r, &rows[i], &one);
        if (one)
            json_array_append_new(items, one);
    }
    *next = cursor;
    remedies_free(&r);
    return rc < 0 ? rc : 0;
}

int desk_survey_vulnerabilities(struct desk *d, const struct viewer *v, struct str id, int limit, struct str before, time_ns now, struct desk_reply *r)
{
    AUTO_SV struct sv s = { 0 };
    json_t *items = json_array();
    int64_t next = 0;
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = shown(&c, parse_id(id), &s);
    if (rc == 0)
        rc = page(&c, &s, limit, before, items, &next);
    r->json = json_pack("{s:o, s:o}", "items", items, "next", next ? json_id(next) : json_null());
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

int desk_survey_comparison(struct desk *d, const struct viewer *v, struct str id, struct str verdict, int limit, struct str before, time_ns now,
                           struct desk_reply *r)
{
    AUTO_SV struct sv s = { 0 };
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = shown(&c, parse_id(id), &s);
    if (rc == 0 && !str_eq(s.kind, STR("control")))
        rc = refuse(&c, -EPROTO, "wrong_state", NULL, "a control survey alone is compared with its main one");
    if (rc == 0)
        rc = vulns_compare(&c, s.id, verdict, limit, before, &r->json);
    desk_call_free(&c);
    return refuse_rc(r, rc < 0 ? rc : 0);
}

/* --- as a table --- */

struct table_work {
    struct call         *c;
    const struct sv     *s;
    struct remedies     *r;
    struct table_writer *w;
    struct str           contour;
    enum lang            lang;
};

static int table_row(void *arg, const struct vuln_row *f)
{
    struct table_work *t = arg;
    struct str remedy[LANG_COUNT] = { { NULL, 0 } };
    bool edited;
    int rc = found_remedy(t->c, t->s, t->r, f, remedy, &edited);
    char when[48], port[12] = "";
    struct buf at;

    buf_init(&at, sizeof when);
    buf_time(&at, f->first_detected_at);
    if (f->port >= 0)
        snprintf(port, sizeof port, "%d", f->port);
    const struct str cells[] = { f->number, f->first_detected_at ? buf_view(&at) : STR(""), t->contour.n ? sv_text(t->c, "survey.contour", t->contour, t->lang) : STR(""),
                                 t->s->object_name, f->component.n ? f->component : f->host, f->host, str_c(port), f->title, f->description,
                                 f->severity.n ? sv_text(t->c, "survey.severity", f->severity, t->lang) : STR(""), f->cve, f->place, f->kev ? STR("+") : STR(""),
                                 remedy[LANG_KK], remedy[LANG_RU], remedy[LANG_EN] };
    for (size_t i = 0; i < COUNT(cells); i++)
        table_put(t->w, sv_head(cells[i].p ? cells[i] : STR(""), TABLE_CELL_LETTERS));
    table_end_row(t->w);
    buf_free(&at);
    return rc;
}

int found_table(struct call *c, const struct sv *s, bool told, bool csv, struct buf *out)
{
    static const char *const names[] = { "number", "detected_at", "contour", "object", "component", "host", "port", "title", "description", "severity", "cve", "place",
                                         "kev", "remedy_kk", "remedy_ru", "remedy_en" };
    static const unsigned widths[] = { 14, 22, 12, 30, 24, 24, 8, 40, 60, 12, 24, 36, 6, 60, 60, 60 };
    char folder[4096];
    struct table_writer_setup setup = { .format = csv ? TABLE_CSV : TABLE_XLSX, .created = c->now, .folder = node_path(c->d->setup.node, "run", folder) };
    struct table_work t = { .c = c, .s = s, .lang = c->v ? c->v->lang : LANG_KK };
    struct str heads[COUNT(names)];
    bool left = false;
    int rc = remedies_load(c->d->setup.node->content, &t.r, c->e);

    if (rc == 0)
        rc = found_contour(c, s, &t.contour);
    if (rc == 0)
        rc = table_writer_new(&setup, &t.w, c->e);
    if (rc == 0) {
        table_sheet(t.w, s->number.p);
        for (size_t i = 0; i < COUNT(names); i++)
            heads[i] = sv_text(c, "survey.column", str_c(names[i]), t.lang);
        table_header(t.w, heads, widths, COUNT(names));
        rc = found_each(c, s, told, FOUND_MOST, table_row, &t, &left);
    }
    if (rc == 0)
        rc = table_writer_finish(t.w, out, c->e);
    table_writer_free(&t.w);
    remedies_free(&t.r);
    return rc;
}

int desk_survey_vulnerabilities_table(struct desk *d, const struct viewer *v, struct str id, bool csv, time_ns now, struct buf *out, struct desk_reply *r)
{
    AUTO_SV struct sv s = { 0 };
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = shown(&c, parse_id(id), &s);
    if (rc == 0)
        rc = audit_read(&c, "export", arena_printf(&c.a, "survey/%lld", (long long)s.id).p, s.number);
    if (rc == 0)
        rc = found_table(&c, &s, false, csv, out);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}
