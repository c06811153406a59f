/* import_cell.c - one cell of a spreadsheet as one value of a record, and back.
 *
 * Lists are lines (or parts between ";"), lists of parts are lines with " | " between the parts, what fits neither is JSON. */
#include "desk/tables/import.h"

#include <math.h>

static const struct { const char *word; bool yes; } words[] = {
    { "true", true },  { "yes", true },  { "1", true },  { "да", true },   { "иә", true },   { "+", true },  { "есть", true },  { "бар", true },
    { "false", false }, { "no", false }, { "0", false }, { "нет", false }, { "жоқ", false }, { "-", false },
};

static struct str value_label(struct call *c, enum lang lang, const char *value)
{
    char key[96];

    snprintf(key, sizeof key, "table.value.%s", value);
    struct str s = catalog_text(c->d->setup.catalog, lang, key);
    return s.p == key ? str_c(value) : s;
}

static int as_bool(struct call *c, struct str text, json_t **out)
{
    struct str folded = fold_text(text, &c->a);

    for (size_t i = 0; i < COUNT(words); i++)
        if (str_eq(folded, str_c(words[i].word))) {
            *out = json_boolean(words[i].yes);
            return 0;
        }
    return -EINVAL;
}

/* as_enum - the identifier of a value that is named by it or by its words in one of the languages. */
static const char *as_enum(struct call *c, const char *const *values, struct str text)
{
    struct str folded = fold_text(text, &c->a);

    for (; values && *values; values++) {
        if (str_ieq(text, str_c(*values)))
            return *values;
        for (int lang = 0; lang < LANG_COUNT; lang++)
            if (str_eq(folded, fold_text(value_label(c, (enum lang)lang, *values), &c->a)))
                return *values;
    }
    return NULL;
}

static int as_number(struct str text, bool whole, json_t **out)
{
    char z[64];
    char *end;
    double n;

    if (text.n == 0 || text.n >= sizeof z)
        return -EINVAL;
    for (size_t i = 0; i < text.n; i++) {
        z[i] = text.p[i] == ',' ? '.' : text.p[i];
        if (!strchr("0123456789.-", z[i]))
            return -EINVAL;
    }
    z[text.n] = '\0';
    n = strtod(z, &end);
    if (*end || !isfinite(n) || fabs(n) > 1e15)
        return -EINVAL;
    if (n == floor(n))
        *out = json_integer((json_int_t)n);
    else if (whole)
        return -EINVAL;
    else
        *out = json_real(n);
    return 0;
}

/* as_date - "2026-03-20" or "20.03.2026", with or without a time of day behind. */
static int as_date(struct str text, json_t **out)
{
    struct civil c = { 0 };
    struct reader r = rd_str(text);
    char z[16];

    if (text.n > 2 && text.p[2] == '.') {
        c.day = rd_digits(&r, 2, "day");
        rd_byte(&r, '.');
        c.month = rd_digits(&r, 2, "month");
        rd_byte(&r, '.');
        c.year = rd_digits(&r, 4, "year");
    } else {
        c.year = rd_digits(&r, 4, "year");
        rd_byte(&r, '-');
        c.month = rd_digits(&r, 2, "month");
        rd_byte(&r, '-');
        c.day = rd_digits(&r, 2, "day");
    }
    if (!rd_ok(&r) || (rd_left(&r) && rd_peek(&r) != 'T' && rd_peek(&r) != ' ') || !civil_valid(&c))
        return -EINVAL;
    snprintf(z, sizeof z, "%04u-%02u-%02u", (unsigned)c.year % 10000, (unsigned)c.month % 100, (unsigned)c.day % 100);
    *out = json_string(z);
    return 0;
}

/* next_piece - text before the next newline or ";" (or "," where no text holds one), without blanks. */
static bool next_piece(struct str *rest, bool commas, struct str *piece)
{
    size_t i = 0;

    if (rest->n == 0)
        return false;
    while (i < rest->n && rest->p[i] != '\n' && rest->p[i] != ';' && !(commas && (rest->p[i] == ',' || rest->p[i] == ' ')))
        i++;
    *piece = str_trim(str_of(rest->p, i));
    *rest = str_cut(*rest, i + 1);
    return true;
}

static int as_list(struct call *c, const struct body_field *f, struct str text, json_t *list, const char **code)
{
    bool spaces = f->type == BODY_HOSTS || strcmp(f->name, "ip_addresses") == 0 || strcmp(f->name, "domain_names") == 0;
    struct str rest = text, piece;

    while (next_piece(&rest, spaces, &piece)) {
        const char *value = piece.n && f->type == BODY_ENUMS ? as_enum(c, f->values, piece) : NULL;

        if (piece.n == 0)
            continue;
        if (f->type == BODY_ENUMS && !value) {
            *code = "unknown_value";
            return -EINVAL;
        }
        json_array_append_new(list, value ? json_string(value) : json_str(piece));
    }
    return 0;
}

static int scalar(struct call *c, const struct body_field *f, struct str text, json_t **out, const char **code)
{
    const char *value;

    switch (f->type) {
    case BODY_BOOL:
        *code = "not_yes_or_no";
        return as_bool(c, text, out);
    case BODY_COUNT:
        *code = "not_a_number";
        return as_number(text, true, out);
    case BODY_NUMBER:
        *code = "not_a_number";
        return as_number(text, false, out);
    case BODY_DATE:
        *code = "not_a_date";
        return as_date(text, out);
    case BODY_ENUM:
        *code = "unknown_value";
        value = as_enum(c, f->values, text);
        *out = value ? json_string(value) : NULL;
        return value ? 0 : -EINVAL;
    default:
        *out = json_str(text);
        return 0;
    }
}

/* as_items - lines of parts in the order of the table. */
static int as_items(struct call *c, const struct body_field *f, struct str text, json_t *list, const char **code)
{
    struct str rest = text, line, part;

    while (str_split(&rest, '\n', &line)) {
        json_t *item = json_object();
        size_t i = 0;
        int rc = 0;

        line = str_trim(line);
        while (rc == 0 && i < f->of_count && str_split(&line, '|', &part)) {
            json_t *v = NULL;

            part = str_trim(part);
            if (part.n && (rc = scalar(c, &f->of[i], part, &v, code)) == 0)
                json_object_set_new(item, f->of[i].name, v);
            i++;
        }
        if (rc == 0 && line.n) {
            *code = "too_many_parts";
            rc = -EINVAL;
        }
        if (rc == 0 && json_object_size(item))
            json_array_append(list, item);
        json_decref(item);
        if (rc < 0)
            return rc;
    }
    return 0;
}

int cell_to_json(struct call *c, const struct body_field *f, const struct table_cell *cell, json_t **out, const char **code)
{
    struct str text = str_trim(cell->text);
    bool list = f->type == BODY_HOSTS || f->type == BODY_STRINGS || f->type == BODY_ENUMS || f->type == BODY_ITEMS;
    int rc;

    *out = NULL;
    *code = "formula_error";
    if (cell->type == TABLE_ERROR)
        return -EINVAL;
    if (f->type == BODY_PART || (list && text.n && text.p[0] == '[')) {
        *code = "not_json";
        *out = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
        return *out ? 0 : -EINVAL;
    }
    if (list) {
        *out = json_array();
        rc = f->type == BODY_ITEMS ? as_items(c, f, text, *out, code) : as_list(c, f, text, *out, code);
    } else if (strcmp(f->name, "bin") == 0 && cell->type == TABLE_NUMBER && text.n < 12) {
        /* A spreadsheet takes a number of a business for a number and loses its zeros in front. */
        *out = json_str(arena_printf(&c->a, "%0*d%.*s", (int)(12 - text.n), 0, STR_ARG(text)));
        rc = 0;
    } else
        rc = scalar(c, f, text, out, code);
    if (rc < 0) {
        json_decref(*out);
        *out = NULL;
    }
    return rc;
}

/* --- back --- */

static void scalar_put(struct buf *out, const json_t *v)
{
    if (json_is_string(v))
        buf_put(out, json_string_value(v), json_string_length(v));
    else if (json_is_boolean(v))
        buf_str(out, json_is_true(v) ? STR("true") : STR("false"));
    else if (json_is_integer(v))
        buf_printf(out, "%lld", (long long)json_integer_value(v));
    else if (json_is_real(v))
        buf_printf(out, "%.15g", json_real_value(v));
}

/* plain - can the list be written as lines, and read back the same? */
static bool plain(const struct body_field *f, const json_t *list)
{
    json_t *item;
    size_t i;

    json_array_foreach((json_t *)(uintptr_t)list, i, item) {
        if (f->type == BODY_ITEMS) {
            for (size_t k = 0; k < f->of_count; k++) {
                const json_t *v = json_object_get(item, f->of[k].name);
                struct str s = json_is_string(v) ? str_of(json_string_value(v), json_string_length(v)) : STR("");

                if (json_is_array(v) || json_is_object(v) || str_chr(s, '|') >= 0 || str_chr(s, '\n') >= 0 || !str_eq(s, str_trim(s)) ||
                    (json_is_string(v) && s.n == 0))
                    return false;
            }
        } else {
            struct str s = str_of(json_string_value(item), json_string_length(item));

            if (s.n == 0 || str_chr(s, ';') >= 0 || str_chr(s, '\n') >= 0 || s.p[0] == '[' || !str_eq(s, str_trim(s)))
                return false;
        }
    }
    return true;
}

static void list_put(const struct body_field *f, const json_t *list, struct buf *out)
{
    json_t *item;
    size_t i;

    json_array_foreach((json_t *)(uintptr_t)list, i, item) {
        size_t last = 0;

        if (i)
            buf_byte(out, '\n');
        if (f->type != BODY_ITEMS) {
            scalar_put(out, item);
            continue;
        }
        for (size_t k = 0; k < f->of_count; k++)
            if (!json_is_null(json_object_get(item, f->of[k].name)) && json_object_get(item, f->of[k].name))
                last = k;
        for (size_t k = 0; k <= last; k++) {
            if (k)
                buf_str(out, STR(" | "));
            scalar_put(out, json_object_get(item, f->of[k].name));
        }
    }
}

void json_to_cell(struct call *c, const struct body_field *f, const json_t *v, struct buf *out)
{
    if (!v || json_is_null(v))
        return;
    if (json_is_object(v) || (json_is_array(v) && !plain(f, v))) {
        AUTO_FREE char *text = json_dumps(v, JSON_COMPACT | JSON_SORT_KEYS);

        buf_str(out, str_c(text));
    } else if (json_is_array(v))
        list_put(f, v, out);
    else
        scalar_put(out, v);
}
