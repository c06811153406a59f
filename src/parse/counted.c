/* counted.c - pairs whose values tell their length, as Oracle's audit writes them to syslog and to .aud files; see forms.h.
 *
 *     LENGTH : '155' ACTION :[7] 'CONNECT' DATABASE USER:[1] '/' USERHOST:[3] "db1" COMMENT$TEXT:[20] "it's "quoted" inside"
 *
 * The length is believed, so that a quote within a value ends nothing; where no quote stands behind so many bytes (the database counts letters,
 * or somebody cut the text) the value ends at the next quote, and the text is damaged. */
#include "parse/forms_internal.h"

/* name_of - up to ':', blanks at its end left out. False: there is none. */
static bool name_of(struct str *s, struct str *name)
{
    ptrdiff_t colon;

    skip_blanks(s);
    while (s->n && (*s->p == '\n' || *s->p == '\r' || *s->p == '\t'))
        *s = str_cut(*s, 1), skip_blanks(s);
    colon = str_chr(str_left(*s, 64), ':');
    if (colon <= 0 || !is_alpha(*s->p))
        return false;
    *name = str_trim(str_left(*s, (size_t)colon));
    *s = str_cut(*s, (size_t)colon + 1);
    return name->n > 0;
}

/* value_of - [n] and what stands in quotes. False: damaged. */
static bool value_of(struct str *s, struct str *value, bool *damaged)
{
    struct str digits;
    uint64_t n = 0;
    bool counted = take(s, STR("["));
    ptrdiff_t end;
    char quote;

    if (counted) {
        digits = take_until(s, STR("]"));
        counted = str_u64(digits, &n);
    }
    skip_blanks(s);
    if (s->n < 2 || (*s->p != '\'' && *s->p != '"'))
        return false;
    quote = *s->p;
    *s = str_cut(*s, 1);
    if (counted && n < s->n && s->p[n] == quote) {
        *value = str_left(*s, (size_t)n);
        *s = str_cut(*s, (size_t)n + 1);
        return true;
    }
    *damaged = *damaged || counted;
    end = str_chr(*s, quote);
    if (end < 0)
        return false;
    *value = str_left(*s, (size_t)end);
    *s = str_cut(*s, (size_t)end + 1);
    return true;
}

bool counted_looks(struct str s) { return str_find(str_left(s, 200), STR(":[")) > 0 || str_starts(s, STR("LENGTH")); }

bool counted_form_read(struct str s, const struct form_how *how, struct form_pairs *out)
{
    struct str name, value;

    (void)how;
    while (str_trim(s).n) {
        if (!name_of(&s, &name) || !value_of(&s, &value, &out->damaged)) {
            out->damaged = true;
            break;
        }
        if (value.n)
            pairs_add(out, name, value);
    }
    return out->count > 0;
}
