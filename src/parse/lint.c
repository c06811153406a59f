/* lint.c - see lint.h. */
#include "parse/lint.h"
#include "parse/internal.h"
#include "parse/lookalike.h"

#define FIELDS_MAX 64 /* the longest required list has 7; what stands behind is not judged */

enum need { N_END, N_TEXT, N_OPTIONAL, N_ADDRESS };

/* A required field after date and time. */
struct need_row {
    enum need need;
    const char *row, *missing;
};

static const struct form {
    const char *text, *quoting, *utf8, *mixed, *when;
    struct need_row needs[8];
} forms[CLASS_COUNT] = {
#define OS_FORM                                                                                                        \
    {                                                                                                                  \
        "R-A4.5-01", "R-A4.6-01", "R-A4.7-01", "R-A4.8-01", "R-A4.2-01",                                               \
        {                                                                                                              \
            { N_TEXT, "R-A4.2-02", "the host name is missing" },                                                       \
            {                                                                                                          \
                N_TEXT, "R-A4.2-03", "the description of the event is missing"                                         \
            }                                                                                                          \
        }                                                                                                              \
    }
#define NET_FORM                                                                                                       \
    {                                                                                                                  \
        "R-A4.18-01", "R-A4.19-01", "R-A4.20-01", "R-A4.21-01", "R-A4.17-01",                                          \
        {                                                                                                              \
            { N_TEXT, "R-A4.17-02", "the name of the device is missing" },                                             \
                { N_TEXT, "R-A4.17-03", "the account or user ID is missing" },                                         \
                { N_ADDRESS, "R-A4.17-04", "the IP address of the host is missing" },                                  \
                { N_ADDRESS, "R-A4.17-05", "the source IP address is missing" },                                       \
                { N_ADDRESS, "R-A4.17-06", "the destination IP address is missing" },                                  \
            {                                                                                                          \
                N_TEXT, "R-A4.17-07", "the description of the event is missing"                                        \
            }                                                                                                          \
        }                                                                                                              \
    }
    [CLASS_OS_UNIX] = OS_FORM,
    [CLASS_OS_WINDOWS] = OS_FORM,
    [CLASS_DB] = { "R-A4.11-01",
                   "R-A4.12-01",
                   "R-A4.13-01",
                   "R-A4.14-01",
                   "R-A4.10-01",
                   { { N_TEXT, "R-A4.10-02", "the account name or user ID is missing" },
                     { N_TEXT, "R-A4.10-03", "the IP address or name of the host is missing" },
                     { N_TEXT, "R-A4.10-04", "the description of the event is missing" },
                     { N_OPTIONAL, "R-A4.10-05", "" } } },
    [CLASS_NET] = NET_FORM,
    [CLASS_FW] = NET_FORM,
    [CLASS_APP] = { "R-A4.24-01",
                    "R-A4.25-01",
                    "R-A4.26-01",
                    "R-A4.27-01",
                    "R-A4.23-01",
                    { { N_TEXT, "R-A4.23-02", "the name of the event source is missing" },
                      { N_TEXT, "R-A4.23-03", "the account name or user ID is missing" },
                      { N_ADDRESS, "R-A4.23-04", "the IP address of the user is missing" },
                      { N_TEXT, "R-A4.23-05", "the time when the operation started is missing" },
                      { N_TEXT, "R-A4.23-06", "the time when the operation ended is missing" },
                      { N_TEXT, "R-A4.23-07", "the description of the event is missing" } } },
    [CLASS_SEC] = { "R-A4.30-01",
                    "R-A4.31-01",
                    "R-A4.32-01",
                    "R-A4.33-01",
                    "R-A4.29-01",
                    { { N_TEXT, "R-A4.29-02", "the name of the event source is missing" },
                      { N_TEXT, "R-A4.29-03", "the account name or user ID is missing" },
                      { N_ADDRESS, "R-A4.29-04", "the IP address of the client is missing" },
                      { N_TEXT, "R-A4.29-05", "the time when the operation started is missing" },
                      { N_TEXT, "R-A4.29-06", "the time when the operation ended is missing" },
                      { N_TEXT, "R-A4.29-07", "the description of the event is missing" } } },
};

struct lint {
    const struct form *form;
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
    const struct need_row *n = l->form->needs;

    for (size_t i = 0; i < c->count; i++) {
        bool address = i >= when && n->need == N_ADDRESS;
        ptrdiff_t at = i < when || address ? lookalike_any(c->cell[i]) : lookalike_mixed(c->cell[i]);

        if (at >= 0)
            remark(l, c->cell[i].p + at, "look_alike", i < when ? l->form->when : n->need == N_END ? l->form->utf8 : n->row,
                   "a Cyrillic letter stands here that looks like a Latin one or a digit");
        n += i >= when && n->need != N_END;
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
    for (const struct need_row *n = l->form->needs; n->need != N_END; n++, at++) {
        struct str cell = at < c.count ? str_trim(c.cell[at]) : (struct str){ NULL, 0 };

        if (n->need == N_OPTIONAL)
            continue;
        if (cell.n == 0)
            remark(l, at < c.count ? c.cell[at].p : end, "missing_field", n->row, n->missing);
        else if (n->need == N_ADDRESS && ip_of(cell).n == 0)
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

size_t lint_text(struct str text, enum event_class class, lint_tell *tell, void *arg)
{
    struct lint l = { .form = &forms[class], .tell = tell, .arg = arg };
    struct str rest;

    assert(class > CLASS_NONE && class < CLASS_COUNT);
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
        else
            record(&l);
    }
    return l.told;
}
