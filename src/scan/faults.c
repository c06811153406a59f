/* faults.c - why a report was refused, in the reader's language. The sentence in English, as an err carries it to the log, the audit trail
 * and the database, is the name of its own translation: the catalogue's English text under one of the keys below is that sentence, with
 * {names} where the report's own words stand. So what was refused years ago is told in any language too, and a sentence that the catalogue
 * does not have stays as it is. tests/scan.words.test.mjs holds that every sentence of the readers is there. */
#include "scan/scan.h"

#define HOLES 3            /* {names} of one sentence */
#define HEADS 12           /* places of ": " that are tried as the end of the place */
#define PLACE_NUMBERS 2    /* line and column */

static const char *const keys[] = {
    "scan.fault.archive", "scan.fault.archive_damaged", "scan.fault.attributes", "scan.fault.cells", "scan.fault.cells_too_many", "scan.fault.context_large",
    "scan.fault.depth", "scan.fault.doctype", "scan.fault.doctype_large", "scan.fault.empty", "scan.fault.ends", "scan.fault.entity",
    "scan.fault.expression_large", "scan.fault.file_empty", "scan.fault.file_large", "scan.fault.finding_large", "scan.fault.findings_large",
    "scan.fault.format", "scan.fault.headings_large", "scan.fault.json_begin", "scan.fault.json_colon", "scan.fault.json_comma_array",
    "scan.fault.json_comma_object", "scan.fault.json_escape", "scan.fault.json_half", "scan.fault.json_hexadecimal", "scan.fault.json_key",
    "scan.fault.json_key_large", "scan.fault.json_key_or_end", "scan.fault.json_utf8", "scan.fault.json_value", "scan.fault.json_word",
    "scan.fault.json_word_long", "scan.fault.json_zero", "scan.fault.line_large", "scan.fault.line_zero", "scan.fault.mapping_columns",
    "scan.fault.mapping_empty", "scan.fault.mapping_field", "scan.fault.name_long", "scan.fault.names", "scan.fault.no_headings",
    "scan.fault.no_headings_yet", "scan.fault.no_sheet", "scan.fault.no_sheets", "scan.fault.no_workbook", "scan.fault.not_file", "scan.fault.old_workbook",
    "scan.fault.paths", "scan.fault.pattern_line", "scan.fault.pattern_text", "scan.fault.quote_open", "scan.fault.quote_text", "scan.fault.record_large",
    "scan.fault.row_large", "scan.fault.row_utf8", "scan.fault.row_zero", "scan.fault.same_key", "scan.fault.steps", "scan.fault.tables_large",
    "scan.fault.tag_large", "scan.fault.text_large", "scan.fault.text_utf16", "scan.fault.text_utf8", "scan.fault.unknown", "scan.fault.unpacked_large",
    "scan.fault.whole_table_large", "scan.fault.xml", "scan.fault.zero",
};
/* What may stand at a hole, or before the sentence, and is told in words itself. */
static const char *const parts[] = {
    "scan.place.line", "scan.seen.json", "scan.seen.json_bare", "scan.seen.text", "scan.seen.xml", "scan.xml.after", "scan.xml.attribute", "scan.xml.encoding",
    "scan.xml.entity", "scan.xml.mismatched", "scan.xml.not_closed", "scan.xml.token", "scan.xml.unclosed",
};

struct hole { struct str name, value; };
struct match { const char *key; struct hole hole[HOLES]; size_t count; };

/* until - where `literal` begins in s, or -1; an empty one is at the end. */
static ptrdiff_t until(struct str s, struct str literal)
{
    if (!literal.n)
        return (ptrdiff_t)s.n;
    for (size_t i = 0; i + literal.n <= s.n; i++)
        if (memcmp(s.p + i, literal.p, literal.n) == 0)
            return (ptrdiff_t)i;
    return -1;
}

/* hole_end - length of "{name}" at the beginning of t, or 0: braces of JSON in a sentence are no hole. */
static size_t hole_end(struct str t)
{
    size_t i = 1;

    while (i < t.n && t.p[i] >= 'a' && t.p[i] <= 'z')
        i++;
    return t.n && t.p[0] == '{' && i > 1 && i < t.n && t.p[i] == '}' ? i + 1 : 0;
}

/* literal_of - the text before the next hole of t. */
static struct str literal_of(struct str t)
{
    size_t i = 0;

    while (i < t.n && !hole_end(str_cut(t, i)))
        i++;
    return str_of(t.p, i);
}

/* fits - whether s is the template with something in each of its holes. */
static bool fits(struct str template, struct str s, struct match *m)
{
    struct str literal = literal_of(template);

    m->count = 0;
    if (!str_starts(s, literal))
        return false;
    s = str_cut(s, literal.n);
    template = str_cut(template, literal.n);
    while (template.n) {
        size_t n = hole_end(template);
        struct str name = str_of(template.p + 1, n - 2);
        ptrdiff_t end;

        template = str_cut(template, n);
        literal = literal_of(template);
        /* The last literal ends the sentence: what a stranger wrote into the hole may hold the same words. */
        end = literal.n < template.n ? until(s, literal) : str_ends(s, literal) ? (ptrdiff_t)(s.n - literal.n) : -1;
        if (end < 1 || m->count == HOLES)
            return false;
        m->hole[m->count++] = (struct hole){ name, str_of(s.p, (size_t)end) };
        s = str_cut(s, (size_t)end + literal.n);
        template = str_cut(template, literal.n);
    }
    return s.n == 0;
}

static bool find(const struct catalog *c, const char *const *list, size_t n, struct str s, struct match *m)
{
    for (size_t i = 0; i < n; i++) {
        struct str template = catalog_text(c, LANG_EN, list[i]);

        m->key = list[i];
        if (!str_eq(template, str_c(list[i])) && fits(template, s, m))
            return true;
    }
    return false;
}

static struct str filled(const struct catalog *c, enum lang lang, struct arena *a, const struct match *m)
{
    const char *name[HOLES] = { "", "", "" }, *value[HOLES] = { "", "", "" };

    for (size_t i = 0; i < m->count; i++) {
        name[i] = arena_copy(a, m->hole[i].name).p;
        value[i] = arena_copy(a, m->hole[i].value).p;
    }
    return catalog_format(c, lang, a, m->key, name[0], value[0], name[1], value[1], name[2], value[2], NULL);
}

static struct str part(const struct catalog *c, enum lang lang, struct arena *a, struct str s)
{
    struct match m;

    return find(c, parts, COUNT(parts), s, &m) ? filled(c, lang, a, &m) : s;
}

/* sentence - s, or s with what to do behind it, in words; false if the catalogue does not know it. */
static bool sentence(const struct catalog *c, enum lang lang, struct arena *a, struct str s, struct str *out)
{
    struct str advice = catalog_text(c, LANG_EN, "scan.advice.again");
    struct match m;
    bool advised = s.n > advice.n && str_ends(s, advice);

    if (advised)
        s.n -= advice.n;
    if (!find(c, keys, COUNT(keys), s, &m))
        return false;
    for (size_t i = 0; i < m.count; i++)
        m.hole[i].value = part(c, lang, a, m.hole[i].value);
    *out = filled(c, lang, a, &m);
    if (advised)
        *out = arena_printf(a, "%.*s%.*s", STR_ARG(*out), STR_ARG(catalog_text(c, lang, "scan.advice.again")));
    return true;
}

/* place - "NAME:12:5" as a name, a line and a column; anything else as it is. */
static struct str place(const struct catalog *c, enum lang lang, struct arena *a, struct str head)
{
    struct str rest = head, number[PLACE_NUMBERS];

    for (size_t i = PLACE_NUMBERS; i-- > 0;) {
        size_t n = rest.n;

        while (n && rest.p[n - 1] >= '0' && rest.p[n - 1] <= '9')
            n--;
        if (n == rest.n || n < 2 || rest.p[n - 1] != ':')
            return part(c, lang, a, head);
        number[i] = str_of(rest.p + n, rest.n - n);
        rest.n = n - 1;
    }
    return catalog_format(c, lang, a, str_eq(number[1], STR("0")) ? "scan.place.row" : "scan.place.point", "name", arena_copy(a, rest).p, "line",
                          arena_copy(a, number[0]).p, "column", arena_copy(a, number[1]).p, NULL);
}

struct str scan_fault_words(const struct catalog *c, enum lang lang, struct arena *a, struct str said)
{
    struct str out, head = { NULL, 0 };
    size_t at = 0;

    if (!said.n || sentence(c, lang, a, said, &out))
        return said.n ? out : said;
    for (size_t tries = 0; tries < HEADS; tries++) {
        ptrdiff_t n = until(str_cut(said, at), STR(": "));

        if (n < 0)
            break;
        head = str_of(said.p, at + (size_t)n);
        at += (size_t)n + 2;
        if (sentence(c, lang, a, str_cut(said, at), &out))
            return arena_printf(a, "%.*s: %.*s", STR_ARG(place(c, lang, a, head)), STR_ARG(out));
    }
    return said;
}
