/* csv.c - one record of separated values as pairs, RFC 4180; see forms.h.
 *
 * A cell in quotes may hold the delimiter and, doubled, the quote. Names of columns come from a data parser, or from a
 * header line that the source sent before (form_how.header); else a cell is column_N, from 1. A line is the header if every cell
 * is a name (letters first, no blank-separated prose) and the source's data never looks so: it is asked for, not guessed. */
#include "parse/forms_internal.h"

#define CELL_NAMES 64

bool csv_cell(struct str *s, char delimiter, struct arena *a, struct str *cell, bool *damaged)
{
    size_t n = 1, doubled = 0, at = 0;
    struct str raw;
    char *copy;

    if (s->p == NULL)
        return false;
    if (s->n == 0 || *s->p != '"') {
        ptrdiff_t end = str_chr(*s, delimiter);

        *cell = str_left(*s, end < 0 ? s->n : (size_t)end);
        *s = end < 0 ? (struct str){ NULL, 0 } : str_cut(*s, (size_t)end + 1);
        return true;
    }
    while (n < s->n && (s->p[n] != '"' || (n + 1 < s->n && s->p[n + 1] == '"'))) {
        doubled += s->p[n] == '"';
        n += s->p[n] == '"' ? 2 : 1;
    }
    raw = str_of(s->p + 1, min_size(n, s->n) - 1);
    if (n >= s->n) { /* never closed: the rest is the value */
        *damaged = true;
        *s = (struct str){ NULL, 0 };
    } else {
        *s = str_cut(*s, n + 1);
        if (s->n == 0) {
            *s = (struct str){ NULL, 0 };
        } else if (*s->p == delimiter) {
            *s = str_cut(*s, 1);
        } else { /* something between quote and delimiter */
            *damaged = true;
            take_until(s, str_of(&delimiter, 1));
        }
    }
    *cell = raw;
    if (doubled == 0 || (copy = arena_alloc(a, raw.n)) == NULL)
        return true;
    for (size_t i = 0; i < raw.n; i++) {
        if (raw.p[i] == '"' && i + 1 < raw.n)
            i++;
        copy[at++] = raw.p[i];
    }
    *cell = str_of(copy, at);
    return true;
}

bool csv_looks(struct str s)
{
    size_t commas = 0;

    for (size_t i = 0; i < s.n && commas < 4; i++)
        commas += s.p[i] == ',';
    return commas >= 4;
}

/* is_header - every cell a name. */
static bool is_header(struct str s, char delimiter, struct arena *a)
{
    struct str cell;
    size_t count = 0;
    bool damaged = false;

    while (csv_cell(&s, delimiter, a, &cell, &damaged)) {
        cell = str_trim(cell);
        if (++count > FORM_COLUMNS_MAX || cell.n == 0 || cell.n > CELL_NAMES || is_digit(*cell.p) || damaged)
            return false;
        for (size_t i = 0; i < cell.n; i++)
            if (!is_alpha(cell.p[i]) && !is_digit(cell.p[i]) && (unsigned char)cell.p[i] < 0x80 &&
                !memchr("_-. ()/#%", cell.p[i], 9))
                return false;
    }
    return count >= 3;
}

/* further_of - the columns of records of a kind, or NULL. */
static const struct form_columns *further_of(const struct form_how *how, struct str kind)
{
    for (size_t i = 0; i < how->further_count; i++)
        if (str_eq(how->further[i].kind, kind))
            return &how->further[i];
    return NULL;
}

/* column - the name that a parser gives to cell i; "-": it is not wanted. */
static struct str column(const struct form_how *how, const struct form_columns *further, size_t i)
{
    if (i < how->column_count)
        return how->columns[i];
    i -= how->column_count;
    return further && i < further->count ? further->names[i] : (struct str){ NULL, 0 };
}

bool csv_form_read(struct str s, const struct form_how *how, struct form_pairs *out)
{
    const struct form_columns *further = NULL;
    char delimiter = how->delimiter ? how->delimiter : ',';
    struct str names = { NULL, 0 }, cell, name = { NULL, 0 };
    bool named = false;
    size_t i = 0;

    if (str_chr(s, delimiter) < 0)
        return false; /* one cell is no record */
    if (how->header) {
        if (is_header(s, delimiter, out->arena)) {
            if (how->memory)
                memory_keep(how->memory, how->source, "csv", s);
            pairs_add(out, STR("csv.header"), s);
            return true;
        }
        if (how->memory)
            names = arena_copy(out->arena, memory_columns(how->memory, how->source, "csv"));
        named = names.n > 0;
    }
    for (; csv_cell(&s, delimiter, out->arena, &cell, &out->damaged); i++) {
        if (named)
            name = csv_cell(&names, delimiter, out->arena, &name, &out->damaged) ? str_trim(name) : (struct str){ NULL, 0 };
        else
            name = column(how, further, i);
        if (how->further_count && name.n && str_eq(name, how->by))
            further = further_of(how, cell);
        if (name.n == 0)
            name = arena_printf(out->arena, "column_%zu", i + 1);
        if (cell.n && !str_eq(name, STR("-")))
            pairs_add(out, name, cell);
        if (i >= FORM_FIELDS_MAX)
            break;
    }
    return true;
}
