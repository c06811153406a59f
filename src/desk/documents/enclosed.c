/* enclosed.c - letters of surveys name what fits, and enclose a workbook of everything when that is not all: nothing is cut in silence. */
#include "desk/documents/room.h"
#include "desk/blob.h"
#include "table/table.h"

#define WORKBOOK_BYTES_MAX (64u * MIB)
#define COLUMNS_MAX        12

json_t *td_letter_part(const json_t *all)
{
    json_t *out = json_array(), *row;
    size_t bytes = 0, i;

    json_array_foreach((json_t *)(uintptr_t)all, i, row) {
        bytes += json_dumpb(row, NULL, 0, JSON_COMPACT | JSON_ENCODE_ANY);
        if (i >= TD_LETTER_ROWS || bytes > TD_LETTER_BYTES)
            break;
        json_array_append(out, row);
    }
    return out;
}

json_t *td_letter_note(struct call *c, const struct td_enclosed *enclosed, size_t shown, size_t count, struct str note)
{
    struct str more = { NULL, 0 };

    if (enclosed) {
        json_t *args = json_pack("{s:o, s:o, s:o}", "shown", json_str(arena_printf(&c->a, "%zu", shown)), "count", json_str(arena_printf(&c->a, "%zu", count)), "file",
                                 json_str(enclosed->file.name));

        more = td_two(c, "document.form.enclosed", args, "\n");
        json_decref(args);
    }
    if (!more.n)
        return note.n ? json_str(note) : json_null();
    return json_str(note.n ? arena_printf(&c->a, "%.*s\n%.*s", STR_ARG(more), STR_ARG(note)) : more);
}

/* named - a document or a verdict as people of both languages call it; every other word as it is. */
static struct str named(struct call *c, const char *key, struct str value)
{
    const struct enumeration *docs = NULL;
    const struct enum_value *d;
    char text[96];

    if (strcmp(key, "document") == 0 && td_documents(c, c->now, &docs) == 0 && (d = enumeration_value(docs, value)) != NULL)
        return arena_printf(&c->a, "%.*s / %.*s", STR_ARG(d->name.text[LANG_KK]), STR_ARG(d->name.text[LANG_RU]));
    if (strcmp(key, "verdict") != 0)
        return value;
    snprintf(text, sizeof text, "document.verdict.%.*s", STR_ARG(value));
    return td_two(c, arena_copy(&c->a, str_c(text)).p, NULL, " / ");
}

static void sheet_put(struct call *c, struct table_writer *w, const struct td_sheet *s)
{
    struct str heads[COLUMNS_MAX];
    unsigned widths[COLUMNS_MAX];
    const json_t *row;
    size_t i;

    assert(s->count <= COLUMNS_MAX);
    table_sheet(w, s->name);
    for (size_t k = 0; k < s->count; k++) {
        heads[k] = td_two(c, s->columns[k].heading, NULL, " / ");
        widths[k] = k < 2 || strcmp(s->columns[k].key, "done_on") == 0 ? 20 : 60;
    }
    if (s->count)
        table_header(w, heads, widths, s->count);
    json_array_foreach((json_t *)(uintptr_t)s->rows, i, row) {
        if (!s->count)
            table_put(w, str_c(json_string_value(row)));
        for (size_t k = 0; k < s->count; k++)
            table_put(w, named(c, s->columns[k].key, json_get_str(row, s->columns[k].key)));
        table_end_row(w);
    }
}

int td_enclose(struct call *c, const struct td_survey *s, const struct td_sheet *sheets, size_t count, struct td_enclosed *out)
{
    char folder[4096];
    struct table_writer_setup setup = { .format = TABLE_XLSX, .created = c->now, .folder = node_path(c->d->setup.node, "run", folder) };
    AUTO_BUF struct buf bytes = { 0 };
    struct table_writer *w = NULL;
    struct blob b;
    int rc = table_writer_new(&setup, &w, c->e);

    buf_init(&bytes, WORKBOOK_BYTES_MAX);
    for (size_t i = 0; rc == 0 && i < count; i++)
        if (json_array_size(sheets[i].rows))
            sheet_put(c, w, &sheets[i]);
    if (rc == 0)
        rc = table_writer_finish(w, &bytes, c->e);
    table_writer_free(&w);
    if (rc == 0)
        rc = blob_put(c, buf_view(&bytes), &b);
    if (rc == 0)
        out->file = (struct notice_file){ arena_copy(&c->a, str_c(b.sha256)), arena_printf(&c->a, "%.*s.xlsx", STR_ARG(s->number)),
                                          STR("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"), b.size_bytes };
    return rc < 0 ? rc : 0;
}
