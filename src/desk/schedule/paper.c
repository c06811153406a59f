/* paper.c - see paper.h. The Rules prescribe no form of the schedule: the paper says so. */
#include "desk/schedule/paper.h"
#include "desk/blob.h"
#include "desk/notices/notices.h"
#include "desk/schedule/lines.h"
#include "table/table.h"

#define PAPER_ROWS 500    /* objects of one table on paper */

/* What KNB gets the whole table in. */
static const enum lang paper_langs[] = { LANG_KK, LANG_RU };
static const char *const paper_endings[] = { "kk.pdf", "ru.pdf" };

static struct str own(struct call *c, enum lang lang, const char *group, const char *what)
{
    char key[96];

    snprintf(key, sizeof key, "schedule.%s.%s", group, what);
    return catalog_text(c->d->setup.catalog, lang, key);
}

static struct label label_of(struct call *c, const char *group, const char *what)
{
    struct label l;

    for (int lang = 0; lang < LANG_COUNT; lang++)
        l.text[lang] = own(c, (enum lang)lang, group, what);
    return l;
}

static enum lang lang_of(const struct call *c) { return c->v ? c->v->lang : LANG_RU; }

/* --- a row for each line --- */

static void put_day(struct table_writer *w, struct str day)
{
    struct civil date;
    int64_t n;

    if (year_number(day, &n)) {
        date = civil_from_days(n);
        table_put_date(w, &date, false);
    } else
        table_put(w, day);
}

static void row_put(struct call *c, struct table_writer *w, sqlite3_stmt *st)
{
    char mode[32], kind[32];

    snprintf(mode, sizeof mode, "%.*s", STR_ARG(db_str(st, 2)));
    snprintf(kind, sizeof kind, "%.*s", STR_ARG(db_str(st, 3)));
    table_put(w, db_str(st, 0));
    table_put(w, db_str(st, 1));
    table_put(w, own(c, lang_of(c), "mode", mode));
    table_put(w, kind[0] ? own(c, lang_of(c), "kind", kind) : STR(""));
    table_put_number(w, (double)sqlite3_column_int(st, 4));
    put_day(w, db_str(st, 5));
    put_day(w, db_str(st, 6));
    table_put(w, db_str(st, 7));
    char stands[32];
    snprintf(stands, sizeof stands, "%.*s", STR_ARG(db_str(st, 8)));
    table_put(w, own(c, lang_of(c), "stands", stands));
    table_put(w, db_str(st, 9));
    table_end_row(w);
}

int paper_table(struct call *c, const struct plan_row *p, int draft, bool xlsx, struct buf *out)
{
    static const char *const columns[] = { "object", "org", "mode", "kind", "ordinal", "from_on", "to_on", "team", "state", "reason" };
    const unsigned widths[] = { 50, 40, 34, 14, 8, 12, 12, 24, 18, 40 };
    char folder[4096], title[32], today[16];
    struct table_writer_setup s = { .format = xlsx ? TABLE_XLSX : TABLE_CSV, .created = c->now, .folder = node_path(c->d->setup.node, "run", folder), .title = title };
    struct line_scope seen = line_scope_of(c->v);
    struct str heads[COUNT(columns)];
    struct table_writer *w = NULL;
    int rc;

    local_date(c->d, c->now, today);
    snprintf(title, sizeof title, "%d", p->year);
    rc = table_writer_new(&s, &w, c->e);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < COUNT(columns); i++)
        heads[i] = own(c, lang_of(c), "column", columns[i]);
    table_sheet(w, title);
    table_header(w, heads, widths, COUNT(columns));
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT o.name, g.name, l.mode, l.kind, l.ordinal, l.from_on, l.to_on, t.name, " LINE_STANDS ", iif(w.reason <> '', w.reason,"
                                " l.reason) FROM plan_line l JOIN object o ON o.id = l.object_id JOIN org g ON g.id = o.org_id LEFT JOIN team t ON t.id ="
                                " l.team_id LEFT JOIN plan_work w ON w.line_id = l.id AND l.draft = 0 WHERE l.plan_id = ?5 AND l.draft = ?6 AND " LINE_SEEN
                                " ORDER BY l.from_on, l.id",
                                "izizii", seen.bounded, seen.org, seen.member, today, p->id, (int64_t)draft);
    rc = st ? 0 : -EIO;
    while (st && (rc = db_step(c->d, st, c->e)) > 0)
        row_put(c, w, st);
    if (rc == 0)
        rc = table_writer_finish(w, out, c->e);
    table_writer_free(&w);
    return rc;
}

/* --- an object a row --- */

struct sheet {
    struct form_field  fields[FORM_VALUES_MAX];
    struct form_field  cells[1 + PLAN_MODES];
    struct form_values values;
    size_t             field_count;
    struct str        *list;      /* of the table in hand */
    size_t             rows;
};

static void sheet_close(struct call *c, struct sheet *s)
{
    struct form_value *v;

    if (!s->rows || s->values.count == FORM_VALUES_MAX)
        return;
    v = &s->values.v[s->values.count++];
    *v = (struct form_value){ .id = arena_printf(&c->a, "t%zu", s->field_count), .kind = FORM_CELLS, .text = STR("[]"), .list = s->list, .count = s->rows };
    s->fields[s->field_count] = (struct form_field){ .number = arena_printf(&c->a, "%zu", s->field_count + 1), .id = v->id, .type = FIELD_TABLE,
                                                     .presence = FIELD_OPTIONAL, .cells = s->cells, .cell_count = COUNT(s->cells), .label = label_of(c, "paper", "lines") };
    s->field_count++;
    s->rows = 0;
}

/* day_short - "12.01" of "2026-01-12". */
static void days_put(struct buf *b, struct str from, struct str to)
{
    buf_printf(b, "%.2s.%.2s–%.2s.%.2s", from.p + 8, from.p + 5, to.p + 8, to.p + 5);
}

static int sheet_row(struct call *c, struct sheet *s, struct str name, const struct buf cells[PLAN_MODES])
{
    if (s->rows == PAPER_ROWS)
        sheet_close(c, s);
    if (s->field_count == FORM_VALUES_MAX)
        return err_set(c->e, -E2BIG, "more objects than one paper holds");
    if (s->rows == 0)
        s->list = arena_array(&c->a, PAPER_ROWS * COUNT(s->cells), sizeof *s->list);
    if (!s->list)
        return -ENOMEM;
    s->list[s->rows * COUNT(s->cells)] = name;
    for (int m = 0; m < PLAN_MODES; m++)
        s->list[s->rows * COUNT(s->cells) + 1 + (size_t)m] = arena_copy(&c->a, buf_view(&cells[m]));
    s->rows++;
    return 0;
}

static int sheet_fill(struct call *c, const struct plan_row *p, int draft, struct sheet *s)
{
    struct line_scope seen = line_scope_of(c->v);
    struct buf cells[PLAN_MODES] = { { 0 } };
    struct str object = STR(""), name = STR("");
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT l.object_id, o.name, l.mode, l.kind, l.ordinal, l.from_on, l.to_on FROM plan_line l JOIN object o ON o.id = l.object_id WHERE"
                                " l.plan_id = ?4 AND l.draft = ?5 AND " LINE_SEEN " ORDER BY o.sort, l.object_id, l.mode, l.ordinal, l.kind DESC",
                                "iziii", seen.bounded, seen.org, seen.member, p->id, (int64_t)draft);
    int rc = st ? 0 : -EIO;

    for (int m = 0; m < PLAN_MODES; m++)
        buf_init(&cells[m], 64 * KIB);
    while (st && rc >= 0 && (rc = db_step(c->d, st, c->e)) > 0) {
        enum plan_mode m = plan_mode_parse(db_str(st, 2));

        if (!str_eq(object, db_str(st, 0))) {
            int put = object.n ? sheet_row(c, s, name, cells) : 0;

            for (int i = 0; i < PLAN_MODES; i++)
                buf_reset(&cells[i]);
            object = db_copy(st, 0, &c->a);
            name = db_copy(st, 1, &c->a);
            if (put < 0) {
                db_done(st);
                rc = put;
            }
        }
        if (rc >= 0 && m < PLAN_MODES) {
            bool control = str_eq(db_str(st, 3), STR("control"));

            buf_str(&cells[m], cells[m].n == 0 ? STR("") : control ? STR(" → ") : STR("\n"));
            days_put(&cells[m], db_str(st, 5), db_str(st, 6));
        }
    }
    if (rc == 0 && object.n)
        rc = sheet_row(c, s, name, cells);
    for (int m = 0; m < PLAN_MODES; m++)
        buf_free(&cells[m]);
    return rc;
}

/* title_of - with the year: whoever has two of them on the table looks there first. */
static struct label title_of(struct call *c, int year)
{
    struct label l = label_of(c, "paper", "title");

    for (int lang = 0; lang < LANG_COUNT; lang++)
        l.text[lang] = arena_printf(&c->a, "%.*s, %d", STR_ARG(l.text[lang]), year);
    return l;
}

static int sheet_draw(struct call *c, const struct plan_row *p, int draft, enum lang lang, struct buf *out)
{
    struct sheet *s = arena_zero(&c->a, sizeof *s);
    struct duty_world w;
    int rc = s ? world_of(c, p->edition, &w) : -ENOMEM;

    if (rc < 0)
        return rc;
    s->cells[0] = (struct form_field){ .id = STR("object"), .type = FIELD_TEXT, .presence = FIELD_OPTIONAL, .label = label_of(c, "column", "object") };
    for (int m = 0; m < PLAN_MODES; m++)
        s->cells[m + 1] = (struct form_field){ .id = str_c(plan_mode_names[m]), .type = FIELD_TEXT, .presence = FIELD_OPTIONAL, .label = label_of(c, "mode", plan_mode_names[m]) };
    rc = sheet_fill(c, p, draft, s);
    if (rc < 0)
        return rc;
    sheet_close(c, s);
    struct form form = { .id = STR("works_schedule_table"), .identifier = STR("works_schedule_table"), .title = title_of(c, p->year), .fields = s->fields,
                         .field_count = s->field_count };
    struct form_document d = { .world = &w, .catalog = c->d->setup.catalog, .form = &form, .values = &s->values, .produced_at = c->now, .langs = { lang }, .lang_count = 1,
                               .case_number = arena_printf(&c->a, "%d-%lld", p->year, (long long)(draft ? p->version + 1 : p->agreed_version)), };

    return forms_render_pdf(&d, out, c->e);
}

int paper_pdf(struct call *c, const struct plan_row *p, int draft, struct buf *out) { return sheet_draw(c, p, draft, lang_of(c), out); }

int paper_files(struct call *c, const struct plan_row *p, struct sent *s)
{
    sqlite3_stmt *st;
    int rc = paper_table(c, p, 1, true, &s->xlsx);

    for (size_t i = 0; rc == 0 && i < COUNT(s->pdf); i++)
        rc = sheet_draw(c, p, 1, paper_langs[i], &s->pdf[i]);
    if (rc == -E2BIG) {   /* the workbook has all of it */
        for (size_t i = 0; i < COUNT(s->pdf); i++)
            buf_reset(&s->pdf[i]);
        rc = 0;
    }
    if (rc < 0)
        return rc;
    st = db_query(c->d, c->e, "SELECT mode, sum(kind <> 'control'), sum(kind = 'control') FROM plan_line WHERE plan_id = ? AND draft = 1 GROUP BY mode", "i", p->id);
    rc = st ? 0 : -EIO;
    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        enum plan_mode m = plan_mode_parse(db_str(st, 0));

        if (m < PLAN_MODES) {
            s->by_mode[m][0] = sqlite3_column_int64(st, 1);
            s->by_mode[m][1] = sqlite3_column_int64(st, 2);
        }
    }
    return rc;
}

/* --- the letter --- */

static int file_put(struct call *c, const struct plan_row *p, const struct buf *bytes, const char *ending, const char *type, struct notice_file *f)
{
    struct blob blob;
    int rc = blob_put(c, buf_view(bytes), &blob);

    *f = (struct notice_file){ .sha256 = arena_copy(&c->a, str_c(blob.sha256)), .type = str_c(type), .size_bytes = (int64_t)bytes->n,
                               .name = arena_printf(&c->a, "schedule-%d-%lld.%s", p->year, (long long)p->version, ending) };
    return rc;
}

static json_t *letter_values(struct call *c, const struct plan_row *p, const struct sent *s, const char *sha256, struct str note)
{
    json_t *v = json_pack("{s:o, s:o, s:o, s:o, s:s}", "year", json_str(arena_printf(&c->a, "%d", p->year)), "version", json_str(arena_printf(&c->a, "%lld", (long long)p->version)),
                          "objects", json_str(arena_printf(&c->a, "%lld", (long long)s->objects)), "lines", json_str(arena_printf(&c->a, "%lld", (long long)s->lines)), "sha256",
                          sha256);
    json_t *rows = json_array();

    for (int m = 0; m < PLAN_MODES; m++) {
        struct str kk = own(c, LANG_KK, "mode", plan_mode_names[m]), ru = own(c, LANG_RU, "mode", plan_mode_names[m]);

        json_array_append_new(rows, json_pack("{s:o, s:o, s:o}", "mode", json_str(arena_printf(&c->a, "%.*s / %.*s", STR_ARG(kk), STR_ARG(ru))), "main",
                                              json_str(arena_printf(&c->a, "%lld", (long long)s->by_mode[m][0])), "control",
                                              json_str(arena_printf(&c->a, "%lld", (long long)s->by_mode[m][1]))));
    }
    json_object_set_new(v, "counts", rows);
    json_object_set_new(v, "amendment", p->agreed_version ? json_str(p->reason) : json_null());
    json_object_set_new(v, "note", note.n ? json_str(note) : json_null());
    return v;
}

int paper_tell(struct call *c, const struct plan_row *p, const struct sent *s, const char *sha256, struct str note, int64_t *notice)
{
    struct subject about = { .kind = "plan", .id = str_c(p->id_text) };
    struct notice_file files[4];
    struct str orgs[NOTICE_ADDRESSEES_MAX];
    struct notice_new n = { .kind = "works_schedule", .paragraph = "9", .about = &about, .form = "works_schedule", .orgs = orgs, .files = files };
    int rc = notice_orgs(c, "knb", orgs, &n.org_count);

    *notice = 0;
    if (rc < 0 || n.org_count == 0)
        return rc;   /* KNB is not in the registry: the files and the recorded answer are what there is */
    rc = file_put(c, p, &s->xlsx, "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", &files[n.file_count++]);
    for (size_t i = 0; rc == 0 && i < COUNT(s->pdf); i++)
        if (s->pdf[i].n)
            rc = file_put(c, p, &s->pdf[i], paper_endings[i], "application/pdf", &files[n.file_count++]);
    if (rc == 0)   /* whose SHA-256 the form names */
        rc = file_put(c, p, &s->text, "json", "application/json", &files[n.file_count++]);
    json_t *values = letter_values(c, p, s, sha256, note);
    n.values = values;
    n.text = note.n ? note : (struct str){ NULL, 0 };
    if (rc == 0)
        rc = notice_issue(c, &n, notice);
    json_decref(values);
    return rc;
}

int paper_answer(struct call *c, const struct plan_row *p, struct str sha256, const char *decision, struct str remarks)
{
    struct subject about = { .kind = "plan", .id = str_c(p->id_text) };
    struct str centre = { NULL, 0 };
    char key[64];
    json_t *args = json_pack("{s:i, s:I}", "year", p->year, "version", (json_int_t)p->version);

    snprintf(key, sizeof key, "schedule.notice.%s", decision);
    struct str kk = text_fill(&c->a, catalog_text(c->d->setup.catalog, LANG_KK, key), args), ru = text_fill(&c->a, catalog_text(c->d->setup.catalog, LANG_RU, key), args);
    json_decref(args);
    struct notice_new n = { .kind = "works_schedule_answer", .paragraph = "9", .about = &about, .orgs = &centre, .org_count = 1,
                            .title = arena_printf(&c->a, "%.*s / %.*s", STR_ARG(kk), STR_ARG(ru)),
                            .text = arena_printf(&c->a, "%.*s\n\nSHA-256 %.*s", STR_ARG(remarks.n ? remarks : STR("–")), STR_ARG(sha256)) };

    return notice_issue(c, &n, NULL);
}
