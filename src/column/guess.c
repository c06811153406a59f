/* guess.c - in which form the texts of a column may be, judged by a few of them: see internal.h.
 *
 * Nothing here has to be right: who encodes reads every row in the form, and a form that does not hold is given up. */
#include "column/internal.h"

#define SAMPLE       32u
#define SAMPLE_BAD   4u     /* of which so many may be something else */
#define SEEDS        3u     /* rows whose own form is tried */

static bool is_decimal(char c) { return c >= '0' && c <= '9'; }
static bool is_letter_of_hex(char c, enum digits kind) { return kind == DIGITS_LOWER ? c >= 'a' && c <= 'f' : kind == DIGITS_UPPER && c >= 'A' && c <= 'F'; }

/* wrap - the text before from and from end on are the form's prefix and suffix. */
static bool wrap(struct form *f, struct str v, size_t from, size_t end)
{
    f->prefix = str_of(v.p, from);
    f->suffix = str_of(v.p + end, v.n - end);
    return from <= FORM_AFFIX_MAX && v.n - end <= FORM_AFFIX_MAX;
}

static bool as_address(struct str v, struct form *f)
{
    size_t from = 0, end;
    int dots = 0;

    while (from < v.n && !is_decimal(v.p[from]))
        from++;
    for (end = from; end < v.n && (is_decimal(v.p[end]) || (v.p[end] == '.' && dots < 3)); end++)
        dots += v.p[end] == '.';
    return dots == 3 && wrap(f, v, from, end);
}

/* as_decimal - the last run of digits, with the run before it if only a point stands between them. */
static bool as_decimal(struct str v, struct form *f)
{
    size_t end = v.n, from, whole;

    while (end > 0 && !is_decimal(v.p[end - 1]))
        end--;
    for (from = end; from > 0 && is_decimal(v.p[from - 1]);)
        from--;
    if (from == end)
        return false;
    if (from > 1 && v.p[from - 1] == '.' && is_decimal(v.p[from - 2]) && end - from <= 18) {
        f->point = (uint8_t)(end - from);
        for (whole = from - 1; whole > 0 && is_decimal(v.p[whole - 1]);)
            whole--;
        from = whole;
    }
    return wrap(f, v, from, end);
}

static bool as_hex(struct str v, struct form *f)
{
    size_t from = 0, end;

    while (from + 2 < v.n && !(v.p[from] == '0' && (v.p[from + 1] | 0x20) == 'x'))
        from++;
    if (from + 2 >= v.n)
        return false;
    for (from += 2, end = from; end < v.n && (is_decimal(v.p[end]) || is_letter_of_hex(v.p[end], f->digits));)
        end++;
    return end > from && wrap(f, v, from, end);
}

/* as_pattern - every digit is one; f->pattern gets room for the text. */
static bool as_pattern(struct str v, struct form *f, char *room)
{
    if (v.n > FORM_PATTERN_MAX || memchr(v.p, 0, v.n))
        return false;
    for (size_t i = 0; i < v.n; i++) {
        bool one = is_decimal(v.p[i]) || is_letter_of_hex(v.p[i], f->digits);

        room[i] = one ? 0 : v.p[i];
    }
    f->pattern = str_of(room, v.n);
    if (!pattern_prepare(f))
        return false;
    f->kind = f->count > form_digits_max(f->digits) ? COLUMN_LONG : COLUMN_PATTERN;
    return true;
}

/* holds - most of the sample are texts of the form. */
static bool holds(struct guess *g, const struct str *values, size_t count, size_t stride)
{
    unsigned char bytes[LONG_BYTES_MAX * LONG_STRIDE];
    size_t bad = 0, seen = 0;
    uint64_t n;

    g->least = UINT64_MAX;
    g->most = 0;
    for (size_t i = 0; i < count && bad <= SAMPLE_BAD; i += stride, seen++) {
        if (g->form.kind == COLUMN_LONG)
            bad += !pattern_read_long(&g->form, values[i], bytes);
        else if (form_take(&g->form, values[i], &n)) {
            g->least = n < g->least ? n : g->least;
            g->most = n > g->most ? n : g->most;
        } else
            bad++;
    }
    return bad <= SAMPLE_BAD && bad * 2 < seen;
}

/* alike - most of the sample have the length of this one: only then is there a pattern. */
static bool alike(size_t length, const struct str *values, size_t count, size_t stride)
{
    size_t bad = 0;

    for (size_t i = 0; i < count && bad <= SAMPLE_BAD; i += stride)
        bad += values[i].n != length;
    return bad <= SAMPLE_BAD;
}

static bool has_decimal(struct str v)
{
    for (size_t i = 0; i < v.n; i++)
        if (is_decimal(v.p[i]))
            return true;
    return false;
}

static bool derive(struct str v, enum column_kind kind, enum digits digits, struct form *f, char *room)
{
    /* Not the whole of it is cleared: pattern_prepare makes what it is for, and that is much. */
    f->kind = kind;
    f->digits = digits;
    f->point = 0;
    f->prefix = f->suffix = f->pattern = (struct str){ NULL, 0 };
    f->count = f->runs = f->eights = 0;
    switch (kind) {
    case COLUMN_ADDRESS: return as_address(v, f);
    case COLUMN_DECIMAL: return as_decimal(v, f);
    case COLUMN_HEX: return as_hex(v, f);
    default: return as_pattern(v, f, room);
    }
}

void guess_begin(struct guess *g) { g->next = 0; }

bool guess_next(struct guess *g, const struct str *values, size_t count)
{
    static const struct {
        enum column_kind kind;
        enum digits digits;
    } tries[] = {
        { COLUMN_ADDRESS, DIGITS_DECIMAL }, { COLUMN_DECIMAL, DIGITS_DECIMAL }, { COLUMN_HEX, DIGITS_LOWER }, { COLUMN_HEX, DIGITS_UPPER },
        { COLUMN_PATTERN, DIGITS_DECIMAL }, { COLUMN_PATTERN, DIGITS_LOWER }, { COLUMN_PATTERN, DIGITS_UPPER },
    };
    size_t stride = max_size(1, count / SAMPLE);

    /* g->next remembers how far we were: seed by seed, form by form. A text without a digit seeds nothing. */
    while (g->next < SEEDS * COUNT(tries)) {
        size_t at = g->next % COUNT(tries);
        struct str seed = values[g->next / COUNT(tries) * (count / SEEDS)];

        if (at == 0 && !has_decimal(seed)) {
            g->next += COUNT(tries);
            continue;
        }
        g->next++;
        if (tries[at].kind == COLUMN_PATTERN && !alike(seed.n, values, count, stride))
            continue;
        if (derive(seed, tries[at].kind, tries[at].digits, &g->form, g->room) && holds(g, values, count, stride))
            return true;
    }
    return false;
}
