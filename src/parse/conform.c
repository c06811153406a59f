/* conform.c - see conform.h. */
#include "parse/conform.h"
#include "parse/internal.h"
#include "parse/lint.h"
#include "base/lookalike.h"

#define CSV_BLANKS    2  /* in its first value */
#define CSV_PARTS     4  /* with fewer delimiters a line is no CSV */

const char *conform_form_name(enum conform_form f)
{
    static const char *const names[CONFORM_FORMS] = { "other", "annex4", "rfc5424", "rfc3164", "json", "xml", "csv", "cef", "leef", "w3c", "keyvalue", "audit" };

    return names[f];
}

/* --- the form of a line --- */

/* csv_like - a first value of few words (a day, an hour, a zone), and delimiters behind it: commas within a sentence are none. */
static bool csv_like(struct str s)
{
    static const char parts[] = ",;\t|";

    if (!s.n || (!is_digit(*s.p) && *s.p != '"'))
        return false;
    for (const char *d = parts; *d; d++) {
        size_t n = 0, blanks = 0;
        bool quoted = false;

        for (size_t i = 0; i < s.n && blanks <= CSV_BLANKS; i++) {
            quoted ^= s.p[i] == '"';
            n += !quoted && s.p[i] == *d;
            blanks += n == 0 && s.p[i] == ' ';
        }
        if (n >= CSV_PARTS && !quoted && blanks <= CSV_BLANKS)
            return true;
    }
    return false;
}

/* behind_pri - "<38>1 " and "<38>…" are told apart by the version. */
static enum conform_form syslog_form(struct str s)
{
    size_t n = 1;

    while (n < s.n && n < 5 && is_digit(s.p[n]))
        n++;
    if (n == 1 || n >= s.n || s.p[n] != '>')
        return CONFORM_FORMS;
    return str_starts(str_cut(s, n + 1), STR("1 ")) ? CONFORM_RFC5424 : CONFORM_RFC3164;
}

static enum conform_form form_of(const struct event *ev, struct str s)
{
    static const struct { const char *parser; enum conform_form form; } parsers[] = {
        { "w3c", CONFORM_W3C }, { "kv", CONFORM_KEYVALUE }, { "auditd", CONFORM_AUDIT }, { "json", CONFORM_JSON },
    };
    struct str head = str_left(s, 256);
    enum conform_form f;

    if (has(head, STR("EF:"))) {
        if (has(head, STR("CEF:")))
            return CONFORM_CEF;
        if (has(head, STR("LEEF:")))
            return CONFORM_LEEF;
    }
    if (s.n && *s.p == '{')
        return CONFORM_JSON;
    if (s.n && *s.p == '<') {
        f = syslog_form(s);
        return f == CONFORM_FORMS ? CONFORM_XML : f;
    }
    if (audit_looks(s))
        return CONFORM_AUDIT;
    for (size_t i = 0; i < COUNT(parsers); i++)
        if (str_eq(ev->parser, str_c(parsers[i].parser)))
            return parsers[i].form;
    if (ev->time_text.n && ev->time_text.p == s.p && event_get(ev, STR("process.name")).n)
        return CONFORM_RFC3164;
    return csv_like(s) ? CONFORM_CSV : CONFORM_OTHER;
}

/* parted - formats whose values stand between delimiters, with quotes or escapes where a value holds one. A blank or a colon is no
 * delimiter: they stand in the date. */
static bool parted(enum conform_form f)
{
    return f == CONFORM_ANNEX4 || f == CONFORM_JSON || f == CONFORM_XML || f == CONFORM_CSV || f == CONFORM_CEF || f == CONFORM_LEEF;
}

/* --- one event --- */

static size_t column_of(struct str line, size_t at)
{
    size_t column = 1;

    for (size_t i = 0; i < at && i < line.n; i++)
        column += ((unsigned char)line.p[i] & 0xC0) != 0x80;
    return column;
}

static void check(struct conform *c, int which, bool holds, const char *code, const char *row, size_t column)
{
    c->checked |= 1u << which;
    if (holds)
        return;
    c->failed |= 1u << which;
    c->mark[which] = (struct conform_mark){ code, row, column };
}

/* A remark of lint.h, and the check that it is about. */
struct hearing {
    struct conform *c;
    const struct annex4_chapter *chapter;
};

static int check_named(const struct annex4_chapter *ch, const struct lint_remark *m)
{
    static const struct { const char *code; int check; } codes[] = {
        { "not_text", CONFORM_TEXT }, { "not_utf8", CONFORM_UTF8 }, { "no_delimiter", CONFORM_QUOTING }, { "bad_quote", CONFORM_QUOTING },
        { "mixed_format", CONFORM_FORMAT }, { "date_format", CONFORM_DATE }, { "time_format", CONFORM_TIME }, { "look_alike", CONFORM_LETTERS },
    };

    for (size_t i = 0; i < COUNT(codes); i++)
        if (strcmp(m->code, codes[i].code) == 0)
            return codes[i].check;
    for (int i = 0; ch->fields[i].need != ANNEX4_END; i++)
        if (strcmp(m->row, ch->fields[i].row) == 0)
            return CONFORM_FIELDS + i;
    return CONFORM_WHEN;
}

static void hear(void *arg, const struct lint_remark *m)
{
    struct hearing *h = arg;

    check(h->c, check_named(h->chapter, m), false, m->code, m->row, m->column);
}

static void judge_written(struct str line, enum event_class class, struct conform *c)
{
    const struct annex4_chapter *ch = annex4_chapter(class);
    struct hearing h = { c, ch };

    c->checked = (1u << CONFORM_FIELDS) - 1;
    for (int i = 0; ch->fields[i].need != ANNEX4_END; i++)
        c->checked |= ch->fields[i].need == ANNEX4_OPTIONAL ? 0 : 1u << (CONFORM_FIELDS + i);
    lint_with(line, class, &(struct lint_options){ .strict = true }, hear, &h);
    /* Where quotes are wrong nothing behind them was looked at. */
    if (c->failed & (1u << CONFORM_QUOTING | 1u << CONFORM_TEXT | 1u << CONFORM_UTF8))
        c->checked &= CONFORM_FORM_BITS;
    c->failed &= c->checked;
}

/* shape_in - a piece of s of this shape, d for a digit, no digit at either end of it. All shapes have a ':' behind two digits. */
static bool shape_in(struct str s, const char *shape)
{
    size_t n = strlen(shape);

    for (size_t i = 0; i + n <= s.n; i++) {
        size_t k = 0;

        if (s.p[i + 2] != ':')
            continue;
        while (k < n && (shape[k] == 'd' ? is_digit(s.p[i + k]) : s.p[i + k] == shape[k]))
            k++;
        if (k == n && (i == 0 || !is_digit(s.p[i - 1])) && (i + n == s.n || !is_digit(s.p[i + n])))
            return true;
    }
    return false;
}

/* check_line - the same, of the byte at that place of the line. */
static void check_line(struct conform *c, int which, bool holds, const char *code, const char *row, struct str line, size_t at)
{
    check(c, which, holds, code, row, holds ? 0 : column_of(line, at));
}

static size_t first_control(struct str s)
{
    size_t n = 0;

    while (n < s.n && ((unsigned char)s.p[n] >= 0x20 || strchr("\t\r\n", s.p[n])) && s.p[n] != 0x7f)
        n++;
    return n;
}

static void judge_other(const struct event *ev, struct str line, enum event_class class, struct arena *a, struct conform *c)
{
    const struct annex4_chapter *ch = annex4_chapter(class);
    bool text = !(ev->marks & MARK_BINARY);
    ptrdiff_t twin = lookalike_mixed(line), said = ev->time_text.n ? str_find(line, ev->time_text) : -1;
    size_t at = said > 0 ? (size_t)said : 0;

    check_line(c, CONFORM_TEXT, text, "not_text", ch->text, line, text ? 0 : first_control(line));
    check(c, CONFORM_UTF8, !(ev->marks & MARK_NOT_UTF8), "not_utf8", ch->utf8, 1);
    check(c, CONFORM_QUOTING, parted(c->form), "no_delimiter", ch->quoting, 1);
    check(c, CONFORM_FORMAT, true, "mixed_format", ch->mixed, 1);
    check_line(c, CONFORM_DATE, shape_in(ev->time_text, "dd:dd:dddd"), "date_format", "R-A4-DT1", line, at);
    check_line(c, CONFORM_TIME, shape_in(ev->time_text, "dd:dd:dd"), "time_format", "R-A4-DT2", line, at);
    check_line(c, CONFORM_LETTERS, twin < 0, "look_alike", ch->utf8, line, twin < 0 ? 0 : (size_t)twin);
    check_line(c, CONFORM_WHEN, !(ev->marks & MARK_NO_TIME), "missing_field", ch->when, line, line.n);
    for (int i = 0; ch->fields[i].need != ANNEX4_END; i++)
        if (ch->fields[i].need != ANNEX4_OPTIONAL)
            check_line(c, CONFORM_FIELDS + i, annex4_value(ev, class, (size_t)i, 0, a).n > 0, "missing_field", ch->fields[i].row, line, line.n);
}

void conform_event(const struct event *ev, enum event_class class, struct arena *a, struct conform *out)
{
    struct str line = str_left(ev->original, CONFORM_LINE_MAX);

    *out = (struct conform){ .form = CONFORM_ANNEX4, .delimiter = lint_delimiter(line) };
    if (out->delimiter) {
        judge_written(line, class, out);
        return;
    }
    out->form = form_of(ev, line);
    judge_other(ev, line, class, a, out);
}
