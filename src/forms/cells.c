/* cells.c - compound values: one object of cells (a location), or a row of cells for each thing (the hardware and software of Annex 1). The JSON
 * is kept as it came, for the data form; the cells are read out of it, for paper. */
#include "forms/internal.h"

static int refuse(const struct reading *r, const struct form_field *cell, const char *why)
{
    return err_set(r->e, -EBADMSG, "field \"%.*s\": \"%.*s\": %s", STR_ARG(r->f->id), STR_ARG(cell->id), why);
}

/* enum_id - the value's id; registries write "mbit/s" where an id has no slash. */
static struct str enum_id(const struct enumeration *en, struct str s, struct arena *a)
{
    struct str copy = arena_copy(a, s);

    if (enumeration_value(en, s))
        return copy;
    for (size_t i = 0; i < copy.n; i++)
        if (copy.p[i] == '/')
            ((char *)(uintptr_t)copy.p)[i] = '_';
    return copy;
}

static int read_list(const struct reading *r, const struct form_field *cell, const json_t *j, struct str *out)
{
    AUTO_BUF struct buf b;
    const json_t *one;
    size_t i;

    buf_init(&b, FORM_JSON_MAX);
    if (json_array_size(j) > FORM_LIST_MAX)
        return refuse(r, cell, "too many entries");
    json_array_foreach(j, i, one) {
        if (!json_is_string(one))
            return refuse(r, cell, "a list of texts is expected");
        if (b.n)
            buf_byte(&b, '\n');
        buf_put(&b, json_string_value(one), json_string_length(one));
    }
    *out = arena_copy(r->a, buf_view(&b));
    return 0;
}

static int read_string(const struct reading *r, const struct form_field *cell, struct str s, struct str *out)
{
    struct duty_start start;
    uint64_t n;

    if (!str_trim(s).n)
        return 0;
    *out = cell->type == FIELD_ENUM ? enum_id(cell->values, str_trim(s), r->a) : arena_copy(r->a, s);
    if (cell->type == FIELD_ENUM && !enumeration_value(cell->values, *out))
        return refuse(r, cell, "none of its values");
    if (cell->type == FIELD_BOOL)
        return refuse(r, cell, "true or false is expected");
    if ((cell->type == FIELD_DATE || cell->type == FIELD_INSTANT) && duty_start_parse(str_trim(s), r->w->zone, &start, NULL) < 0)
        return refuse(r, cell, "a date such as 2026-03-20 is expected");
    if (cell->type == FIELD_NUMBER && !str_u64(str_trim(s), &n))
        return refuse(r, cell, "a whole number is expected");
    return 0;
}

static int read_cell(const struct reading *r, const struct form_field *cell, const json_t *j, struct str *out)
{
    *out = (struct str){ NULL, 0 };
    if (!j || json_is_null(j))
        return 0;
    if (json_is_boolean(j) && cell->type == FIELD_BOOL) {
        *out = json_is_true(j) ? STR("true") : STR("false");
        return 0;
    }
    if (json_is_array(j) && cell->type == FIELD_LIST)
        return read_list(r, cell, j, out);
    if (json_is_integer(j) && (cell->type == FIELD_NUMBER || cell->type == FIELD_TEXT))
        *out = arena_printf(r->a, "%lld", (long long)json_integer_value(j));
    else if (json_is_real(j) && cell->type == FIELD_TEXT)
        *out = arena_printf(r->a, "%g", json_real_value(j));
    else if (json_is_string(j))
        return read_string(r, cell, str_of(json_string_value(j), json_string_length(j)), out);
    else
        return refuse(r, cell, "a value of another type is expected");
    return 0;
}

static int read_row(const struct reading *r, const json_t *j, struct str *cells)
{
    const struct form_field *f = r->f;
    const char *key;
    json_t *v;

    json_object_foreach((json_t *)(uintptr_t)j, key, v) {
        bool known = false;

        for (size_t i = 0; i < f->cell_count && !known; i++)
            known = str_eq(f->cells[i].id, str_c(key));
        if (!known)
            return err_set(r->e, -EBADMSG, "field \"%.*s\": no part \"%s\"", STR_ARG(f->id), key);
    }
    for (size_t i = 0; i < f->cell_count; i++) {
        char name[80];
        int rc;

        snprintf(name, sizeof name, "%.*s", STR_ARG(f->cells[i].id));
        rc = read_cell(r, &f->cells[i], json_object_get(j, name), &cells[i]);
        if (rc < 0)
            return rc;
    }
    return 0;
}

int form_cells_read(const struct reading *r, const json_t *j, struct form_value *v)
{
    const struct form_field *f = r->f;
    size_t rows = f->type == FIELD_TABLE && json_is_array(j) ? json_array_size(j) : 1;
    struct str *cells = rows <= FORM_LIST_MAX ? arena_zero(r->a, (rows * f->cell_count + 1) * sizeof *cells) : NULL;
    AUTO_FREE char *text = json_dumps(j, JSON_COMPACT);

    if (rows > FORM_LIST_MAX)
        return err_set(r->e, -E2BIG, "field \"%.*s\": more than %d entries", STR_ARG(f->id), FORM_LIST_MAX);
    if (!cells || !text)
        return err_set(r->e, -ENOMEM, "no memory for the form");
    for (size_t i = 0; i < rows; i++) {
        const json_t *row = json_is_array(j) ? json_array_get(j, i) : j;
        int rc = json_is_object(row) ? read_row(r, row, cells + i * f->cell_count)
                                     : err_set(r->e, -EBADMSG, "field \"%.*s\": an object of its parts is expected", STR_ARG(f->id));

        if (rc < 0)
            return rc;
    }
    v->kind = rows ? FORM_CELLS : FORM_EMPTY;
    v->list = cells;
    v->count = rows;
    v->text = arena_copy(r->a, str_c(text));
    return v->text.p ? 0 : err_set(r->e, -ENOMEM, "no memory for the form");
}

bool form_cells_answered(const struct form_field *f, const struct form_value *v)
{
    for (size_t i = 0; i < v->count * f->cell_count; i++)
        if (f->cells[i % f->cell_count].presence == FIELD_REQUIRED && !v->list[i].n)
            return false;
    return v->count > 0;
}

struct str form_cell_text(const struct form_document *d, const struct form_field *cell, struct str s, enum lang lang, struct arena *a)
{
    if (!s.n)
        return s;
    if (cell->type == FIELD_BOOL)
        return catalog_text(d->catalog, lang, str_eq(s, STR("true")) ? "forms.yes" : "forms.no");
    return form_text_value(d, cell, s, lang, a);
}

struct str forms_cell_text(const struct form_document *d, const struct form_field *cell, struct str raw, enum lang lang, struct arena *a)
{
    return form_cell_text(d, cell, raw, lang, a);
}

struct str form_cells_text(const struct form_document *d, const struct form_field *f, const struct form_value *v, enum lang lang, struct arena *a)
{
    AUTO_BUF struct buf b;

    buf_init(&b, 0);
    for (size_t i = 0; i < v->count && b.n < FORM_TEXT_MAX; i++) {
        bool first = true;

        if (f->type == FIELD_TABLE)
            buf_printf(&b, "%s%zu) ", i ? "\n" : "", i + 1);
        for (size_t k = 0; k < f->cell_count; k++) {
            struct str s = form_cell_text(d, &f->cells[k], v->list[i * f->cell_count + k], lang, a);

            if (!s.n)
                continue;
            buf_printf(&b, "%s%.*s: ", first ? "" : "; ", STR_ARG(f->cells[k].label.text[lang]));
            for (size_t n = 0; n < s.n; n++) {
                if (s.p[n] == '\n')
                    buf_str(&b, STR(", "));
                else
                    buf_byte(&b, s.p[n]);
            }
            first = false;
        }
    }
    return arena_copy(a, buf_view(&b));
}
