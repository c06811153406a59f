/* document.c - a summary on paper, as a workbook and as data. No form is prescribed, and the paper says so. */
#include "desk/reports/internal.h"
#include "table/table.h"

#define SHEET_ROWS_MAX REPORT_ROWS_MAX

static unsigned in_of(const struct report_head *h) { return str_eq(h->paragraph, STR("17")) ? IN_17 : IN_18; }

static struct label label_of(struct call *c, const char *group, const char *what)
{
    struct label l;

    for (int lang = 0; lang < LANG_COUNT; lang++)
        l.text[lang] = report_text(c, (enum lang)lang, "report.%s.%s", group, what);
    return l;
}

/* --- paper: a form of our own whose fields are the figures --- */

struct paper {
    struct form_field fields[FORM_VALUES_MAX];
    size_t            count;
    int               section, item;
    const char       *last;
    struct form_values values, russian;
};

/* paper_value - the figure and its parts, in the words of one language. */
static void paper_value(struct call *c, struct form_values *values, const struct figure *f, const json_t *one)
{
    json_t *part;
    size_t i;
    AUTO_BUF struct buf b = { 0 };

    buf_init(&b, 64 * KIB);
    buf_printf(&b, "%lld", (long long)json_integer_value(json_object_get(one, "total")));
    json_array_foreach(json_object_get(one, "parts"), i, part)
        buf_printf(&b, "\n%.*s: %lld", STR_ARG(json_get_str(part, "label")), (long long)json_integer_value(json_object_get(part, "count")));
    if (json_is_string(json_object_get(one, "note")))
        buf_printf(&b, "\n%.*s", STR_ARG(json_get_str(one, "note")));
    form_set_text(values, str_c(f->id), arena_copy(&c->a, buf_view(&b)));
}

static void paper_field(struct call *c, struct paper *p, enum field_type type, struct str id, struct label label)
{
    if (p->count == FORM_VALUES_MAX)
        return;
    if (type == FIELD_GROUP) {
        p->section++;
        p->item = 0;
    } else
        p->item++;
    p->fields[p->count++] = (struct form_field){
        .number = type == FIELD_GROUP ? arena_printf(&c->a, "%d", p->section) : arena_printf(&c->a, "%d.%d", p->section, p->item),
        .id = id, .type = type, .presence = FIELD_OPTIONAL, .label = label,
    };
}

static void paper_fill(struct call *c, struct paper *p, const struct report_head *h, const json_t *kk, const json_t *ru)
{
    json_t *one;
    size_t i;

    paper_field(c, p, FIELD_GROUP, STR("head"), label_of(c, "section", "head"));
    paper_field(c, p, FIELD_TEXT, STR("quarter"), label_of(c, "field", "quarter"));
    form_set_text(&p->values, STR("quarter"), str_c(h->p.quarter));
    paper_field(c, p, FIELD_INSTANT, STR("as_of"), label_of(c, "field", "as_of"));
    form_set_instant(&p->values, STR("as_of"), h->p.as_of);
    json_array_foreach((json_t *)(uintptr_t)kk, i, one) {
        const struct figure *f = figure_find(json_get_str(one, "id"));

        if (!f)
            continue;
        if (!p->last || strcmp(p->last, f->section) != 0)
            paper_field(c, p, FIELD_GROUP, str_c(f->section), label_of(c, "section", f->section));
        p->last = f->section;
        paper_field(c, p, FIELD_TEXT, str_c(f->id), label_of(c, "figure", f->id));
        paper_value(c, &p->values, f, one);
        paper_value(c, &p->russian, f, json_array_get(ru, i));
    }
    if (h->comment.n) {
        paper_field(c, p, FIELD_GROUP, STR("words"), label_of(c, "section", "comment"));
        paper_field(c, p, FIELD_TEXT, STR("comment"), label_of(c, "field", "comment"));
        form_set_text(&p->values, STR("comment"), h->comment);
    }
}

int report_pdf(struct call *c, const struct report_head *h, struct buf *out)
{
    struct paper *p = arena_zero(&c->a, sizeof *p);
    json_t *kk = NULL, *ru = NULL;
    struct duty_world w;
    int rc = p ? world_of(c, report_edition(c, &h->p)->id, &w) : -ENOMEM;

    if (rc == 0)
        rc = figures_json(c, in_of(h), &h->p, LANG_KK, &kk);

    if (rc == 0)
        rc = figures_json(c, in_of(h), &h->p, LANG_RU, &ru);
    if (rc == 0) {
        struct form form = { .id = arena_printf(&c->a, "report%.*s", STR_ARG(h->paragraph)), .identifier = STR("quarterly_report"),
                             .title = label_of(c, "title", in_of(h) == IN_17 ? "17" : "18"), .fields = p->fields };
        struct form_document d = { .world = &w, .catalog = c->d->setup.catalog, .form = &form, .values = &p->values, .said = { [LANG_RU] = &p->russian },
                                   .case_number = arena_printf(&c->a, "%.*s-%s-%lld", STR_ARG(h->paragraph), h->p.quarter, (long long)h->version),
                                   .produced_at = h->sent_at ? h->sent_at : h->p.as_of, .langs = { LANG_KK, LANG_RU }, .lang_count = 2 };

        paper_fill(c, p, h, kk, ru);
        form.field_count = p->count;
        rc = forms_render_pdf(&d, out, c->e);
    }
    json_decref(kk);
    json_decref(ru);
    return rc;
}

/* --- workbook: the figures, and a sheet of the rows behind each --- */

static struct str own(struct call *c, const char *key) { return report_text(c, c->v ? c->v->lang : LANG_RU, "%s", key); }

static void sheet_figures(struct call *c, struct table_writer *w, const json_t *figs)
{
    struct str head[] = { own(c, "report.column.section"), own(c, "report.column.figure"), own(c, "report.column.part"), own(c, "report.column.count") };
    const unsigned widths[] = { 24, 60, 40, 12 };
    char section[64];
    json_t *f, *part;
    size_t i, k;

    table_sheet(w, "1");
    table_header(w, head, widths, COUNT(head));
    json_array_foreach((json_t *)(uintptr_t)figs, i, f) {
        struct str label = json_get_str(f, "label"), name;

        snprintf(section, sizeof section, "report.section.%.*s", STR_ARG(json_get_str(f, "section")));
        name = own(c, section);
        table_put(w, name);
        table_put(w, label);
        table_put(w, json_get_str(f, "note"));
        table_put_number(w, (double)json_integer_value(json_object_get(f, "total")));
        table_end_row(w);
        json_array_foreach(json_object_get(f, "parts"), k, part) {
            table_put(w, name);
            table_put(w, label);
            table_put(w, json_get_str(part, "label"));
            table_put_number(w, (double)json_integer_value(json_object_get(part, "count")));
            table_end_row(w);
        }
    }
}

static int sheet_rows(struct call *c, struct table_writer *w, const struct figure *f, const struct period *p, int number)
{
    struct str head[] = { own(c, "report.column.number"), own(c, "report.column.object"), own(c, "report.column.at") };
    const unsigned widths[] = { 30, 60, 24 };
    char name[16];
    char before[64] = "";
    size_t written = 0, n;
    int rc = 0;

    snprintf(name, sizeof name, "%d", number);
    table_sheet(w, name);
    table_put(w, figure_label(c, f, c->v ? c->v->lang : LANG_RU));
    table_end_row(w);
    table_header(w, head, widths, COUNT(head));
    do {
        json_t *rows = NULL, *row;
        size_t i;

        rc = figure_rows(c, f, p, false, STR(""), str_c(before), 500, &rows);
        n = json_array_size(rows);
        json_array_foreach(rows, i, row) {
            time_ns at = 0;
            struct civil local;

            table_put(w, json_get_str(row, "name"));
            table_put(w, json_get_str(json_object_get(row, "object"), "name"));
            if (time_parse_rfc3339(json_get_str(row, "at"), &at, NULL, NULL) == 0) {
                local = civil_of_ns(at, zone_offset_min(c->d->setup.world->zone, at));
                table_put_date(w, &local, true);
            }
            table_end_row(w);
            snprintf(before, sizeof before, "%.*s", STR_ARG(json_get_str(row, "sort")));
        }
        written += n;
        json_decref(rows);
    } while (rc == 0 && n == 500 && written < SHEET_ROWS_MAX);
    return rc;
}

int report_xlsx(struct call *c, const struct report_head *h, struct buf *out)
{
    char folder[4096], title[64];
    struct table_writer_setup s = { .format = TABLE_XLSX, .created = h->sent_at ? h->sent_at : h->p.as_of, .title = title };
    struct table_writer *w = NULL;
    json_t *figs = NULL;
    int rc = figures_json(c, in_of(h), &h->p, c->v ? c->v->lang : LANG_RU, &figs), number = 1;

    s.folder = node_path(c->d->setup.node, "run", folder);
    snprintf(title, sizeof title, "%.*s %s", STR_ARG(h->paragraph), h->p.quarter);
    if (rc == 0)
        rc = table_writer_new(&s, &w, c->e);
    if (rc == 0)
        sheet_figures(c, w, figs);
    for (size_t i = 0; rc == 0 && i < figure_count; i++)
        if ((figures[i].in & in_of(h)) && figures[i].rows_sql)
            rc = sheet_rows(c, w, &figures[i], &h->p, ++number);
    if (rc == 0)
        rc = table_writer_finish(w, out, c->e);
    table_writer_free(&w);
    json_decref(figs);
    return rc;
}

int report_json(struct call *c, const struct report_head *h, struct buf *out)
{
    json_t *figs = NULL, *all;
    int rc = figures_json(c, in_of(h), &h->p, LANG_KK, &figs);

    if (rc < 0)
        return rc;
    all = json_pack("{s:o, s:s, s:I, s:s, s:o, s:o, s:o, s:o, s:o}", "paragraph", json_str(h->paragraph), "quarter", h->p.quarter, "version",
                    (json_int_t)h->version, "edition", report_edition(c, &h->p)->id.p, "from", json_time(h->p.from), "to", json_time(h->p.to), "as_of",
                    json_time(h->p.as_of), "comment", json_str(h->comment), "figures", figs);
    AUTO_FREE char *text = all ? json_dumps(all, JSON_SORT_KEYS | JSON_INDENT(1)) : NULL;

    json_decref(all);
    buf_str(out, str_c(text));
    return text && !buf_failed(out) ? 0 : err_set(c->e, -ENOMEM, "out of memory");
}
