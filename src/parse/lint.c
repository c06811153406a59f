/* lint.c - see lint.h. */
#include "parse/lint.h"
#include "parse/annex4.h"
#include "parse/internal.h"
#include "base/lookalike.h"

#define FIELDS_MAX 64 /* the longest required list has 7; what stands behind is not judged */

struct lint {
    const struct annex4_chapter *form;
    bool strict;     /* "-" is no value */
    lint_tell *tell;
    void *arg;
    size_t line_no, told;
    struct str line;
    char delimiter;  /* 0: none was found */
    int when_fields; /* of the first record: date and time in 1 or 2 fields; 0: not seen yet */
};

/* One line split: values without quotes. */
struct cells {
    struct str cell[FIELDS_MAX];
    size_t count;
    const char *fault_at; /* where a quote is wrong, or NULL */
    const char *fault;
};

static void remark(struct lint *l, const char *at, const char *code, const char *row, const char *message)
{
    size_t column = 1;

    for (const char *p = l->line.p; p < at; p++)
        column += ((unsigned char)*p & 0xC0) != 0x80;
    l->told++;
    l->tell(l->arg, &(struct lint_remark){ l->line_no, column, code, row, message });
}

/* quoted_cell - from the quote at *s on; "" within stands for one. False: it does not close, or something follows it.
 */
static bool quoted_cell(struct str *s, char delimiter, struct str *out, struct cells *c)
{
    size_t n = 1;

    while (n < s->n && (s->p[n] != '"' || (n + 1 < s->n && s->p[n + 1] == '"')))
        n += s->p[n] == '"' ? 2 : 1;
    if (n >= s->n) {
        c->fault_at = s->p;
        c->fault = "the quote is not closed";
        return false;
    }
    *out = str_of(s->p + 1, n - 1);
    *s = str_cut(*s, n + 1);
    if (s->n && *s->p != delimiter) {
        c->fault_at = s->p;
        c->fault = "a delimiter is expected behind the closing quote";
        return false;
    }
    return true;
}

static void split(struct str s, char delimiter, struct cells *c)
{
    c->count = 0;
    c->fault_at = NULL;
    while (c->count < FIELDS_MAX) {
        struct str *cell = &c->cell[c->count++];

        *cell = (struct str){ NULL, 0 };
        if (s.n && *s.p == '"') {
            if (!quoted_cell(&s, delimiter, cell, c))
                return;
        } else {
            ptrdiff_t end = str_chr(s, delimiter);

            *cell = str_left(s, end < 0 ? s.n : (size_t)end);
            s = str_cut(s, cell->n);
        }
        if (s.n == 0)
            return;
        s = str_cut(s, 1);
        if (s.n == 0 && c->count < FIELDS_MAX) {
            c->cell[c->count++] = s; /* an empty field behind the last delimiter */
            return;
        }
    }
}

/* shape_of - s looks like "dd:dd:dddd" and so on: d stands for a digit. */
static bool shape_of(struct str s, const char *shape)
{
    if (s.n != strlen(shape))
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (shape[i] == 'd' ? !is_digit(s.p[i]) : s.p[i] != shape[i])
            return false;
    return true;
}

static int32_t digits(struct str s, size_t at, size_t count)
{
    int32_t v = 0;

    for (size_t i = at; i < at + count; i++)
        v = v * 10 + (s.p[i] - '0');
    return v;
}

static bool date_good(struct str s)
{
    struct civil c = { 0 };

    if (!shape_of(s, "dd:dd:dddd"))
        return false;
    c.day = digits(s, 0, 2);
    c.month = digits(s, 3, 2);
    c.year = digits(s, 6, 4);
    return civil_valid(&c);
}

static bool time_good(struct str s)
{
    return shape_of(s, "dd:dd:dd") && digits(s, 0, 2) < 24 && digits(s, 3, 2) < 60 && digits(s, 6, 2) < 60;
}

/* when_of - how many cells date and time take, rightly written: 1, 2 or 0. */
static int when_of(const struct cells *c)
{
    if (c->count && c->cell[0].n == 19 && c->cell[0].p[10] == ' ' && date_good(str_left(c->cell[0], 10)) &&
        time_good(str_cut(c->cell[0], 11)))
        return 1;
    return c->count > 1 && date_good(c->cell[0]) && time_good(c->cell[1]) ? 2 : 0;
}

static const char delimiters[] = ";|\t,^~#!&$*/\\";

/* find_delimiter - the one under which most lines begin as a record; without any, the one that parts most lines. */
static char find_delimiter(struct str text)
{
    size_t best = 0;
    char found = 0;
    struct str rest, line;
    struct cells c;

    for (int pass = 0; pass < 2 && !found; pass++)
        for (const char *d = delimiters; *d; d++) {
            size_t score = 0;

            rest = text;
            while (str_split(&rest, '\n', &line)) {
                split(str_trim(line), *d, &c);
                score += pass == 0 ? c.count > 1 && when_of(&c) > 0 : c.count > 2;
            }
            if (score > best) {
                best = score;
                found = *d;
            }
        }
    return found;
}

static bool other_format(struct lint *l)
{
    char first = l->line.p[0];

    if (first == '{' || first == '<' || str_starts(l->line, STR("type=")))
        return true;
    for (const char *d = delimiters; *d; d++) {
        struct cells c;

        split(l->line, *d, &c);
        if (*d != l->delimiter && c.count > 1 && when_of(&c))
            return true;
    }
    return false;
}

/* when_check - date and time; how many cells they take (also when they are wrong). */
static size_t when_check(struct lint *l, const struct cells *c)
{
    struct str first = c->cell[0], date = str_left(first, 10), hour = str_cut(first, 11);
    int fields = when_of(c);
    bool two = first.n == 10 || (first.n < 10 && c->count > 1 && shape_of(c->cell[1], "dd:dd:dd"));

    if (fields) {
        if (l->when_fields && fields != l->when_fields)
            remark(l, first.p, "mixed_format", l->form->mixed,
                   "date and time are one field in some records and two in others");
        l->when_fields = l->when_fields ? l->when_fields : fields;
        return (size_t)fields;
    }
    if (first.n == 0) {
        remark(l, l->line.p, "missing_field", l->form->when, "date and time are missing");
        return l->when_fields == 2 ? 2 : 1;
    }
    if (two) {
        date = first;
        hour = c->count > 1 ? c->cell[1] : str_cut(first, first.n);
    }
    if (!date_good(date))
        remark(l, first.p, "date_format", "R-A4-DT1", "the date is not a day written dd:mm:yyyy");
    else
        remark(l, hour.n ? hour.p : first.p, "time_format", "R-A4-DT2",
               "the time is not written hh:mm:ss behind one blank, or in the next field");
    return two && c->count > 1 ? 2 : 1;
}

/* look_alikes - a Cyrillic letter in an address, a date or a time, or within a Latin word: nobody who searches finds it. */
static void look_alikes(struct lint *l, const struct cells *c, size_t when)
{
    const struct annex4_field *n = l->form->fields;

    for (size_t i = 0; i < c->count; i++) {
        bool address = i >= when && n->need == ANNEX4_ADDRESS;
        ptrdiff_t at = i < when || address ? lookalike_any(c->cell[i]) : lookalike_mixed(c->cell[i]);

        if (at >= 0)
            remark(l, c->cell[i].p + at, "look_alike", i < when ? l->form->when : n->need == ANNEX4_END ? l->form->utf8 : n->row,
                   "a Cyrillic letter stands here that looks like a Latin one or a digit");
        n += i >= when && n->need != ANNEX4_END;
    }
}

static void record(struct lint *l)
{
    struct cells c;
    size_t at;
    const char *end = l->line.p + l->line.n;

    split(l->line, l->delimiter, &c);
    if (c.fault_at) {
        remark(l, c.fault_at, "bad_quote", l->form->quoting, c.fault);
        return;
    }
    if (!when_of(&c) && other_format(l)) {
        remark(l, l->line.p, "mixed_format", l->form->mixed,
               "this record has another format than the rest of the file");
        return;
    }
    at = when_check(l, &c);
    look_alikes(l, &c, at);
    for (const struct annex4_field *n = l->form->fields; n->need != ANNEX4_END; n++, at++) {
        struct str cell = at < c.count ? str_trim(c.cell[at]) : (struct str){ NULL, 0 };

        if (n->need == ANNEX4_OPTIONAL)
            continue;
        if (cell.n == 0 || (l->strict && str_eq(cell, STR(ANNEX4_NONE))))
            remark(l, at < c.count ? c.cell[at].p : end, "missing_field", n->row, n->missing);
        else if (n->need == ANNEX4_ADDRESS && !str_eq(cell, STR(ANNEX4_NONE)) && ip_of(cell).n == 0)
            remark(l, c.cell[at].p, "bad_address", n->row, "this is not an IP address");
    }
}

/* bytes - text and UTF-8. False: the line is not judged further. */
static bool bytes(struct lint *l)
{
    for (size_t i = 0; i < l->line.n; i++) {
        unsigned char c = (unsigned char)l->line.p[i];

        if ((c < 0x20 && c != '\t') || c == 0x7f) {
            remark(l, l->line.p + i, "not_text", l->form->text,
                   "a control byte stands here: the log is not kept as text");
            return false;
        }
    }
    if (str_utf8_valid(l->line))
        return true;
    remark(l, l->line.p, "not_utf8", l->form->utf8, "the record is not encoded in UTF-8");
    return false;
}

/* heads - a line of names above the records: the chapter's, in its order; others may follow. */
static bool heads(const struct lint *l)
{
    const struct annex4_field *n = l->form->fields;
    struct cells c;
    size_t at = 1;

    if (!l->delimiter)
        return false;
    split(l->line, l->delimiter, &c);
    if (c.fault_at || !str_ieq(str_trim(c.cell[0]), STR("event_datetime")))
        return false;
    while (n->need != ANNEX4_END && at < c.count && str_ieq(str_trim(c.cell[at]), str_c(n->name))) {
        n++;
        at++;
    }
    return n->need == ANNEX4_END;
}

size_t lint_with(struct str text, enum event_class class, const struct lint_options *o, lint_tell *tell, void *arg)
{
    struct lint l = { .form = annex4_chapter(class), .tell = tell, .arg = arg, .strict = o && o->strict };
    struct str rest;
    bool first = true;

    assert(l.form);
    take(&text, STR("\xEF\xBB\xBF"));
    l.delimiter = find_delimiter(text);
    rest = text;
    while (str_split(&rest, '\n', &l.line)) {
        l.line_no++;
        if (l.line.n && l.line.p[l.line.n - 1] == '\r')
            l.line.n--;
        if (str_trim(l.line).n == 0 || !bytes(&l))
            continue;
        if (l.delimiter == 0)
            remark(&l, l.line.p, "no_delimiter", l.form->quoting,
                   "no delimiter parts the fields (a colon or a blank is none)");
        else if (!first || !heads(&l))
            record(&l);
        first = false;
    }
    return l.told;
}

size_t lint_text(struct str text, enum event_class class, lint_tell *tell, void *arg) { return lint_with(text, class, NULL, tell, arg); }

char lint_delimiter(struct str line)
{
    struct cells c;
    struct str first = line;

    take(&first, STR("\""));
    if (!date_good(str_left(first, 10)))
        return 0;
    for (const char *d = delimiters; *d; d++) {
        split(line, *d, &c);
        if (c.count > 1 && when_of(&c))
            return *d;
    }
    return 0;
}
