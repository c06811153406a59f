/* xlsx_styles.c - which cells show a date: a workbook keeps dates as plain numbers, and only the format tells. */
#include "table/internal.h"

#include <math.h>

#define CUSTOM_MAX   4096
#define DAY_MOST     2958465   /* 9999-12-31 */
#define DAYS_TO_1970 25569     /* from 1899-12-30 */

struct style_walk {
    struct styles *s;
    struct { uint32_t id; enum date_kind kind; } custom[CUSTOM_MAX];
    size_t custom_count;
    bool   formats;            /* in <cellXfs> */
};

/* skip_one - the length of what is no letter of a format at p: quoted text, escapes, padding, brackets; 0 if it is one. */
static size_t skip_one(struct str s, bool *elapsed)
{
    ptrdiff_t end;

    switch (s.p[0]) {
    case '"':
        end = str_chr(str_cut(s, 1), '"');
        return end < 0 ? s.n : (size_t)end + 2;
    case '\\': case '_': case '*':
        return min_size(2, s.n);
    case '[':
        *elapsed = *elapsed || (s.n > 2 && strchr("hHmMsS", s.p[1]) && (s.p[2] == ']' || s.p[2] == s.p[1]));
        end = str_chr(s, ']');
        return end < 0 ? s.n : (size_t)end + 1;
    default:
        return str_starts(s, STR("AM/PM")) ? 5 : str_starts(s, STR("A/P")) ? 3 : 0;
    }
}

enum date_kind date_kind_of(struct str code)
{
    bool date = false, time = false, month = false, elapsed = false;

    if (str_ieq(code, STR("General")))
        return NOT_A_DATE;
    while (code.n && code.p[0] != ';') {
        size_t n = skip_one(code, &elapsed);

        if (n == 0) {
            char c = code.p[0];
            date = date || c == 'y' || c == 'Y' || c == 'd' || c == 'D';
            time = time || c == 'h' || c == 'H' || c == 's' || c == 'S';
            month = month || c == 'm' || c == 'M';
            n = 1;
        }
        code = str_cut(code, n);
    }
    if (elapsed)
        return NOT_A_DATE; /* a length of time, not a moment */
    return date && time ? A_DATETIME : date ? A_DATE : time ? A_TIME : month ? A_DATE : NOT_A_DATE;
}

static enum date_kind built_in(uint32_t id)
{
    if ((id >= 14 && id <= 17) || (id >= 27 && id <= 31) || id == 36 || (id >= 50 && id <= 54) || id == 57 || id == 58)
        return A_DATE;
    return id >= 18 && id <= 21 ? A_TIME : id == 22 ? A_DATETIME : NOT_A_DATE;
}

static uint32_t attr_number(const char **attrs, const char *name)
{
    const char *v = xml_attr(attrs, name);
    uint64_t n = 0;

    return v && str_u64(str_c(v), &n) && n < UINT32_MAX ? (uint32_t)n : 0;
}

static int xf_add(struct style_walk *w, uint32_t id, struct err *e)
{
    struct styles *s = w->s;
    enum date_kind kind = built_in(id);

    for (size_t i = 0; i < w->custom_count; i++)
        if (w->custom[i].id == id)
            kind = w->custom[i].kind;
    if (s->count == TABLE_STYLES_MAX)
        return err_set(e, -E2BIG, "more than %u cell formats", TABLE_STYLES_MAX);
    if (s->count == s->cap) {
        size_t cap = s->cap ? s->cap * 2 : 64;
        unsigned char *kinds = realloc(s->kinds, cap);

        if (!kinds)
            return err_set(e, -ENOMEM, "out of memory");
        s->kinds = kinds;
        s->cap = cap;
    }
    s->kinds[s->count++] = (unsigned char)kind;
    return 0;
}

static int style_open(void *arg, const char *name, const char **attrs, struct err *e)
{
    struct style_walk *w = arg;

    if (strcmp(name, "cellXfs") == 0)
        w->formats = true;
    else if (strcmp(name, "numFmt") == 0) {
        const char *code = xml_attr(attrs, "formatCode");

        if (w->custom_count == CUSTOM_MAX)
            return err_set(e, -E2BIG, "more than %d number formats", CUSTOM_MAX);
        w->custom[w->custom_count].id = attr_number(attrs, "numFmtId");
        w->custom[w->custom_count++].kind = date_kind_of(str_c(code ? code : ""));
    } else if (w->formats && strcmp(name, "xf") == 0)
        return xf_add(w, attr_number(attrs, "numFmtId"), e);
    return 0;
}

static int style_close(void *arg, const char *name, struct err *e)
{
    struct style_walk *w = arg;

    if (strcmp(name, "cellXfs") == 0)
        w->formats = false;
    return 0;
}

int styles_load(struct package *p, struct styles *s, struct err *e)
{
    static const struct xml_handler handler = { .open = style_open, .close = style_close };
    struct style_walk *w;
    int rc;

    *s = (struct styles){ 0 };
    if (!p->styles.n)
        return 0;
    w = calloc(1, sizeof *w);
    if (!w)
        return err_set(e, -ENOMEM, "out of memory");
    w->s = s;
    rc = xml_walk(p, p->styles, &handler, w, e);
    free(w);
    return rc;
}

void styles_free(struct styles *s)
{
    free(s->kinds);
    *s = (struct styles){ 0 };
}

bool date_text(double serial, enum date_kind kind, bool date1904, struct buf *out, enum table_type *type)
{
    int64_t seconds, days;
    struct civil c;

    if (kind == NOT_A_DATE || !(serial >= 0) || serial > DAY_MOST)
        return false;
    seconds = (int64_t)llround(serial * 86400.0);
    days = seconds / 86400;
    seconds %= 86400;
    if (kind == A_TIME && days == 0) {
        buf_printf(out, "%02d:%02d:%02d", (int)(seconds / 3600), (int)(seconds / 60 % 60), (int)(seconds % 60));
        *type = TABLE_TIME;
        return true;
    }
    if (date1904)
        days += 1462;
    /* Spreadsheets count a 29 February 1900 that never was: day 60. Before it the count is one less. */
    if (days == 60 || days < 1 || days > DAY_MOST)
        return false;
    c = civil_from_days(days - DAYS_TO_1970 + (days < 60));
    buf_printf(out, "%04d-%02d-%02d", (int)c.year, (int)c.month, (int)c.day);
    *type = TABLE_DATE;
    if (kind != A_DATE) {
        buf_printf(out, "T%02d:%02d:%02d", (int)(seconds / 3600), (int)(seconds / 60 % 60), (int)(seconds % 60));
        *type = TABLE_DATETIME;
    }
    return true;
}
