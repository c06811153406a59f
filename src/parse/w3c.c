/* w3c.c - the W3C Extended Log File Format (IIS and others) as pairs; see forms.h.
 *
 *     #Software: Microsoft Internet Information Services 10.0
 *     #Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) sc-status
 *     2026-03-20 12:00:00 10.0.0.1 GET / - 443 - 192.0.2.7 Mozilla/5.0+(X11) 200
 *
 * The columns are those of the last "#Fields:" of the source. Where none was seen (the file is older than our following it, or
 * the state was lost) a line that fits what IIS writes by default is read so, and damaged says that it was a guess. "-" is an
 * empty value; "+" in a user agent is a blank. Some products part with commas (Exchange): then so do we. */
#include "parse/forms_internal.h"

/* What IIS 7 and later write unless told otherwise. */
static const struct str iis_default = STR_INIT(
    "date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) "
                                  "cs(Referer) sc-status sc-substatus sc-win32-status time-taken");

bool w3c_looks(struct str s)
{
    if (s.n > 8 && *s.p == '#')
        return str_starts(s, STR("#Fields:")) || str_starts(s, STR("#Software:")) || str_starts(s, STR("#Version:")) ||
               str_starts(s, STR("#Date:")) || str_starts(s, STR("#Start-Date:")) || str_starts(s, STR("#End-Date:")) ||
               str_starts(s, STR("#Remark:")) || str_starts(s, STR("#Log-type:"));
    return s.n > 19 && is_digit(*s.p) && s.p[4] == '-' && s.p[7] == '-' && (s.p[10] == ' ' || s.p[10] == '\t' || s.p[10] == 'T');
}

static bool directive(struct str s, const struct form_how *how, struct form_pairs *out)
{
    struct str name, value = s;

    if (!split_at(str_cut(s, 1), STR(":"), &name, &value) || name.n > 32)
        return false;
    value = str_trim(value);
    if (str_eq(name, STR("Fields")) && how->memory)
        memory_keep(how->memory, how->source, "w3c", value);
    pairs_add(out, label_name(out->arena, STR("w3c."), name), value);
    return true;
}

/* word - the next value: blanks part, quotes keep them. */
static bool word(struct str *s, char delimiter, struct form_pairs *out, struct str *value)
{
    if (delimiter == ',')
        return csv_cell(s, ',', out->arena, value, &out->damaged);
    while (s->n && (*s->p == ' ' || *s->p == '\t'))
        *s = str_cut(*s, 1);
    if (s->n == 0)
        return false;
    if (*s->p == '"') {
        bool damaged = false;

        return csv_cell(s, ' ', out->arena, value, &damaged);
    }
    *value = take_word(s);
    return true;
}

static struct str blanks_back(struct arena *a, struct str s)
{
    char *copy;

    if (str_chr(s, '+') < 0 || str_chr(s, ' ') >= 0 || (copy = arena_alloc(a, s.n)) == NULL)
        return s;
    for (size_t i = 0; i < s.n; i++)
        copy[i] = s.p[i] == '+' ? ' ' : s.p[i];
    return str_of(copy, s.n);
}

/* fits_default - as many words as IIS writes by default, and the telling ones are what they should be. */
static bool fits_default(struct str s)
{
    size_t count = 0;

    for (; s.n && count < 16; count++) {
        struct str word = take_word(&s);

        if (((count == 2 || count == 8) && ip_of(word).n == 0) ||
            ((count == 6 || count == 11 || count == 14) && !all_digits(word)))
            return false;
    }
    return s.n == 0 && count == 15;
}

/* by_columns - the values of s under names, or under how's columns where names is empty. False: not as many of the one as of the other. */
static bool by_columns(struct str s, struct str names, const struct form_how *how, struct form_pairs *out)
{
    char delimiter = how->delimiter ? how->delimiter : str_chr(names, ',') >= 0 ? ',' : ' ';
    bool own = names.n == 0;
    struct str name, value;

    for (size_t i = 0; i < FORM_COLUMNS_MAX && word(&s, delimiter, out, &value); i++) {
        bool damaged = false;

        if (own ? i >= how->column_count : names.n == 0)
            return false; /* more values than columns */
        if (own)
            name = how->columns[i];
        else if (delimiter == ',')
            csv_cell(&names, ',', out->arena, &name, &damaged);
        else
            name = take_word(&names);
        if (value.n == 0 || str_eq(value, STR("-")))
            continue;
        if (str_eq(name, STR("cs(User-Agent)")))
            value = blanks_back(out->arena, value);
        pairs_add(out, str_trim(name), value);
    }
    return str_trim(s).n == 0 && str_trim(names).n == 0;
}

bool w3c_form_read(struct str s, const struct form_how *how, struct form_pairs *out)
{
    struct str names = { NULL, 0 };

    if (s.n && *s.p == '#')
        return directive(s, how, out);
    if (how->memory)
        names = arena_copy(out->arena, memory_columns(how->memory, how->source, "w3c"));
    if (names.n || how->column_count) {
        if (by_columns(s, names, how, out))
            return true;
        out->damaged = true;
        if (how->column_count || !fits_default(s))
            return out->count > 0;
    } else if (!fits_default(s)) {
        return false;
    }
    out->count = 0; /* the columns are not of this line: IIS' own fit */
    out->damaged = true;
    (void)by_columns(s, iis_default, how, out);
    return out->count > 0;
}
