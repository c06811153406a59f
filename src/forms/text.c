/* text.c - values as they are printed: hostile text made harmless and visible. */
#include "forms/internal.h"

/* More marks on one letter than any writing needs would climb over the lines above. */
#define MARKS_MAX 4

struct range {
    uint32_t first, last;
};

/* Characters that print nothing, or turn the direction of what follows. */
static const struct range hidden[] = {
    { 0x0080, 0x009f }, { 0x00ad, 0x00ad }, { 0x034f, 0x034f }, { 0x061c, 0x061c },   { 0x115f, 0x1160 },
    { 0x17b4, 0x17b5 }, { 0x180b, 0x180f }, { 0x200b, 0x200f }, { 0x2028, 0x202e },   { 0x2060, 0x206f },
    { 0x3164, 0x3164 }, { 0xfe00, 0xfe0f }, { 0xfeff, 0xfeff }, { 0xffa0, 0xffa0 },   { 0xfff0, 0xfffb },
    { 0xe000, 0xf8ff }, { 0xfdd0, 0xfdef }, { 0xfffe, 0xffff }, { 0xe0000, 0x10ffff }, { 0x1d173, 0x1d17a },
};
static const struct range marks[] = {
    { 0x0300, 0x036f }, { 0x0483, 0x0489 }, { 0x1ab0, 0x1aff }, { 0x1dc0, 0x1dff }, { 0x20d0, 0x20ff }, { 0xfe20, 0xfe2f },
};

static bool within(const struct range *r, size_t count, uint32_t c)
{
    for (size_t i = 0; i < count; i++)
        if (c >= r[i].first && c <= r[i].last)
            return true;
    return false;
}

/* take - the character at the head of s and its length; 0 if it is not UTF-8. */
static size_t take(struct str s, uint32_t *c)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    unsigned char b = (unsigned char)s.p[0];
    size_t n = b < 0x80 ? 1 : b >= 0xf0 && b < 0xf5 ? 4 : b >= 0xe0 ? 3 : b >= 0xc2 ? 2 : 0;

    if (n == 0 || n > s.n || (b >= 0xf5 && n > 1))
        return 0;
    *c = n == 1 ? b : b & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        unsigned char next = (unsigned char)s.p[i];

        if ((next & 0xc0) != 0x80)
            return 0;
        *c = *c << 6 | (next & 0x3f);
    }
    return *c < least[n] || *c > 0x10ffff || (*c >= 0xd800 && *c <= 0xdfff) ? 0 : n;
}

struct printing {
    struct buf b;
    int        lines, marks;
};

/* print_char - one character of n bytes at the head of s. False when no more lines may follow. */
static bool print_char(struct printing *p, struct str s, uint32_t c, size_t n)
{
    p->marks = within(marks, COUNT(marks), c) ? p->marks + 1 : 0;
    if (c == '\n') {
        if (++p->lines > FORM_LINES_MAX)
            return false;
        buf_byte(&p->b, '\n');
    } else if (c == '\t') {
        buf_str(&p->b, STR("    "));
    } else if (c < 0x20 || c == 0x7f) {
        buf_printf(&p->b, "\\x%02x", c);
    } else if (p->marks > MARKS_MAX || within(hidden, COUNT(hidden), c)) {
        buf_printf(&p->b, "<U+%04X>", c);
    } else {
        buf_put(&p->b, s.p, n);
    }
    return true;
}

struct str forms_safe_text(struct str s, bool *cut, struct arena *a)
{
    struct printing p = { .lines = 0 };
    struct str out;
    bool whole = true;

    buf_init(&p.b, 0);
    while (s.n && whole) {
        uint32_t c = 0;
        size_t n = take(s, &c);

        if (p.b.n >= FORM_TEXT_MAX) {
            whole = false;
        } else if (n == 0) {
            p.marks = 0;
            buf_printf(&p.b, "\\x%02x", (unsigned char)s.p[0]);
            n = 1;
        } else if (c == '\r' && s.n > 1 && s.p[1] == '\n') {
            n = 1; /* the line end of Windows */
        } else {
            whole = print_char(&p, s, c, n);
        }
        s = str_cut(s, whole ? n : 0);
    }
    out = p.b.failed ? (struct str){ NULL, 0 } : arena_copy(a, buf_view(&p.b));
    if (cut)
        *cut = !whole;
    buf_free(&p.b);
    return out;
}

static struct str no_data(const struct form_document *d, enum lang lang)
{
    return catalog_text(d->catalog, lang, "forms.no_data");
}

/* printed - a text, with a word when it was cut. */
static struct str printed(const struct form_document *d, struct str s, enum lang lang, struct arena *a)
{
    bool cut = false;
    struct str safe = forms_safe_text(s, &cut, a), more;

    if (!cut)
        return safe;
    more = catalog_format(d->catalog, lang, a, "forms.cut", "bytes", arena_printf(a, "%zu", s.n).p, NULL);
    return arena_printf(a, "%.*s%.*s", (int)safe.n, safe.p ? safe.p : "", STR_ARG(more));
}

static struct str moment(const struct form_document *d, const struct form_field *f, time_ns at, struct arena *a)
{
    struct str s;

    if (f->type != FIELD_DATE)
        return duty_time_text(d->world, at, (at / NS_PER_SECOND) % 60 != 0, a);
    s = duty_time_text(d->world, at, false, a);
    return str_of(s.p, min_size(s.n, 10));
}

struct str form_text_value(const struct form_document *d, const struct form_field *f, struct str s, enum lang lang,
                           struct arena *a)
{
    const struct enum_value *v = f->values ? enumeration_value(f->values, s) : NULL;
    struct duty_start start;

    if (v)
        return v->name.text[lang];
    if ((f->type == FIELD_DATE || f->type == FIELD_INSTANT) &&
        duty_start_parse(s, d->world->zone, &start, NULL) == 0)
        return moment(d, f, start.at, a);
    return printed(d, s, lang, a);
}

/* ioc_text - "ip 203.0.113.7" with its kind in words. */
static struct str ioc_text(const struct form_document *d, const struct form_field *f, struct str s, enum lang lang,
                           struct arena *a)
{
    ptrdiff_t space = str_chr(s, ' ');
    const struct enum_value *kind = space > 0 ? enumeration_value(f->values, str_of(s.p, (size_t)space)) : NULL;
    struct str text = printed(d, kind ? str_cut(s, (size_t)space + 1) : s, lang, a);

    if (!kind)
        return text;
    return arena_printf(a, "%.*s: %.*s", STR_ARG(kind->name.text[lang]), (int)text.n, text.n ? text.p : "");
}

static struct str list_value(const struct form_document *d, const struct form_field *f, const struct form_value *v,
                             enum lang lang, struct arena *a)
{
    AUTO_BUF struct buf b;
    size_t i;

    buf_init(&b, 0);
    for (i = 0; i < v->count && b.n < FORM_TEXT_MAX; i++) {
        if (i)
            buf_str(&b, STR("\n"));
        buf_str(&b, f->type == FIELD_IOCS ? ioc_text(d, f, v->list[i], lang, a)
                                          : form_text_value(d, f, v->list[i], lang, a));
    }
    if (i < v->count) {
        buf_byte(&b, '\n');
        buf_str(&b, catalog_format(d->catalog, lang, a, "forms.more", "count",
                                   arena_printf(a, "%zu", v->count - i).p, NULL));
    }
    return arena_copy(a, buf_view(&b));
}

struct str forms_value_text(const struct form_document *d, const struct form_field *f, enum lang lang, struct arena *a)
{
    const struct form_value *own = d->said[lang] ? form_value_find(d->said[lang], f->id) : NULL;
    const struct form_value *v = own ? own : form_value_find(d->values, f->id);

    switch (v ? v->kind : FORM_EMPTY) {
    case FORM_TEXT:
        if (f->type == FIELD_BOOL)
            return form_cell_text(d, f, v->text, lang, a);
        return form_text_value(d, f, v->text, lang, a);
    case FORM_LIST:
        return list_value(d, f, v, lang, a);
    case FORM_INSTANT:
        return moment(d, f, v->at, a);
    case FORM_CELLS:
        return form_cells_text(d, f, v, lang, a);
    case FORM_NO_DATA:
        return no_data(d, lang);
    default:
        /* The notice goes out without it, and says so. */
        return f->presence == FIELD_REQUIRED_OR_NO_DATA ? no_data(d, lang) : (struct str){ NULL, 0 };
    }
}
