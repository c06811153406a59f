/* times.c - columns whose text is the event's own time: see internal.h.
 *
 * Nothing is kept but the form. Which it is, and in which zone the clock stood, is read from the text of a row and proved by writing every row's time in it. A form that
 * has no year or no zone (RFC 3164) needs none: it is written from the time, not read into one. */
#include "column/internal.h"

#define OFFSET_MAX (18 * 60)    /* minutes: no zone is farther from UTC */

/* The parts of a form, one letter each: Y year, o month, d day, _ day with a space for the ten, b month's name, h m s, f fraction, z zone, e seconds since 1970. */
static const char *const layouts[TIME_LAYOUTS] = {
    [0] = "b _ h:m:sf",        /* Nov 28 10:48:03      RFC 3164 */
    [1] = "b _ Y h:m:sf",      /* Nov 28 2026 10:48:03 */
    [2] = "Y-o-dTh:m:sfz",     /* 2026-11-28T10:48:03.5+05:00   RFC 3339 */
    [3] = "Y-o-d h:m:sfz",
    [4] = "Y/o/d h:m:sfz",
    [5] = "d/b/Y:h:m:sf z",    /* 28/Nov/2026:10:48:03 +0500    Common Log Format */
    [6] = "d-o-Y h:m:sf",
    [7] = "d.o.Y h:m:sf",
    [8] = "d:o:Y h:m:sf",      /* R-A4-DT1 */
    [9] = "Y-o-d",
    [10] = "h:m:sf",
    [11] = "ef",               /* 1795844883.25 */
    [12] = "Y-o-d h:m:sf z",
    [13] = "Yod",
    [14] = "hms",
};
static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };

/* --- reading the form of one text --- */

/* digits - n of them at *at. */
static bool digits(struct str v, size_t *at, unsigned n, int64_t *out)
{
    *out = 0;
    if (v.n - *at < n)
        return false;
    for (unsigned i = 0; i < n; i++, ++*at) {
        unsigned d = (unsigned char)v.p[*at] - '0';

        if (d > 9)
            return false;
        *out = *out * 10 + d;
    }
    return true;
}

static bool month_name(struct str v, size_t *at, int64_t *out)
{
    for (int i = 0; i < 12; i++)
        if (v.n - *at >= 3 && memcmp(v.p + *at, months[i], 3) == 0) {
            *at += 3;
            *out = i + 1;
            return true;
        }
    return false;
}

static void fraction(struct str v, size_t *at, struct time_form *f)
{
    size_t from = *at + 1;

    if (*at >= v.n || (v.p[*at] != '.' && v.p[*at] != ','))
        return;
    while (from < v.n && f->digits < 9 && v.p[from] >= '0' && v.p[from] <= '9') {
        f->digits++;
        from++;
    }
    if (f->digits == 0)
        return;
    f->comma = v.p[*at] == ',';
    *at = from;
}

/* zone - "Z", "+05:00", "+0500", "+05" or nothing. */
static bool zone(struct str v, size_t *at, struct time_form *f)
{
    int64_t hours, minutes = 0;
    bool minus;

    if (*at == v.n)
        return true;
    if (v.p[*at] == 'Z') {
        f->zone = ZONE_Z;
        ++*at;
        return true;
    }
    minus = v.p[*at] == '-';
    if (!minus && v.p[*at] != '+')
        return false;
    ++*at;
    if (!digits(v, at, 2, &hours))
        return false;
    f->zone = ZONE_HOURS;
    if (*at < v.n) {
        f->zone = v.p[*at] == ':' ? ZONE_COLON : ZONE_PLAIN;
        *at += f->zone == ZONE_COLON;
        if (!digits(v, at, 2, &minutes))
            return false;
    }
    f->offset_min = (int32_t)((hours * 60 + minutes) * (minus ? -1 : 1));
    return true;
}

struct parts { int64_t year, month, day, hour, minute, second; };

/* part - what a letter of a layout stands for, taken from the text. */
static bool part(char letter, struct str v, size_t *at, struct time_form *f, struct parts *p)
{
    switch (letter) {
    case 'Y': return digits(v, at, 4, &p->year);
    case 'o': return digits(v, at, 2, &p->month);
    case 'd': return digits(v, at, 2, &p->day);
    case '_':
        if (*at < v.n && v.p[*at] == ' ') {
            ++*at;
            return digits(v, at, 1, &p->day);
        }
        return digits(v, at, 2, &p->day);
    case 'b': return month_name(v, at, &p->month);
    case 'h': return digits(v, at, 2, &p->hour);
    case 'm': return digits(v, at, 2, &p->minute);
    case 's': return digits(v, at, 2, &p->second);
    case 'f': fraction(v, at, f); return true;
    case 'z': return zone(v, at, f);
    case 'e':
        for (; *at < v.n && v.p[*at] >= '0' && v.p[*at] <= '9' && p->second < INT64_MAX / 100; ++*at)
            p->second = p->second * 10 + (v.p[*at] - '0');
        return *at > 0;
    default: return *at < v.n && v.p[(*at)++] == letter;
    }
}

/* clock_offset - minutes that the clock of a text without a zone stood from UTC, as its time says. A clock alone does not tell whole days apart: where the text has a
 * day of the month that decides, else the nearer to UTC. */
static int32_t clock_offset(const struct parts *p, time_ns time)
{
    int64_t second = time / NS_PER_SECOND - (time % NS_PER_SECOND < 0), day = second / 86400 - (second % 86400 < 0);
    int64_t ahead = (p->hour * 3600 + p->minute * 60 + p->second - (second - day * 86400)) / 60;

    for (int64_t turn = -1; p->day && turn <= 1; turn++) {
        int64_t local = second + (ahead + turn * 1440) * 60;

        if (ahead + turn * 1440 >= -OFFSET_MAX && ahead + turn * 1440 <= OFFSET_MAX && civil_from_days(local / 86400 - (local % 86400 < 0)).day == p->day)
            return (int32_t)(ahead + turn * 1440);
    }
    return (int32_t)(ahead > 720 ? ahead - 1440 : ahead < -720 ? ahead + 1440 : ahead);
}

static bool layout_of(unsigned layout, struct str v, time_ns time, struct time_form *f)
{
    struct parts p = { 0 };
    size_t at = 0;
    bool ok = true, has_clock = strchr(layouts[layout], 'h') != NULL;

    *f = (struct time_form){ .layout = (uint8_t)layout };
    for (const char *l = layouts[layout]; ok && *l; l++)
        ok = part(*l, v, &at, f, &p);
    if (!ok || at != v.n)
        return false;
    if (f->zone == ZONE_NONE && has_clock)
        f->offset_min = clock_offset(&p, time);
    return f->offset_min >= -OFFSET_MAX && f->offset_min <= OFFSET_MAX;
}

/* --- writing a time --- */

static char *put2(char *to, unsigned v)
{
    to[0] = (char)('0' + v / 10);
    to[1] = (char)('0' + v % 10);
    return to + 2;
}

/* put_fraction - all nine digits are written, and as many of them kept as the form has. */
static char *put_fraction(const struct time_form *f, uint32_t ns, char *to)
{
    unsigned n = f->digits;

    if (n == 0)
        return to;
    digits_put_decimal(to + 1, ns / 10);
    to[9] = (char)('0' + ns % 10);
    while (f->trimmed && n && to[n] == '0')
        n--;
    if (n == 0)
        return to;
    *to = f->comma ? ',' : '.';
    return to + n + 1;
}

static char *put_zone(const struct time_form *f, char *to)
{
    unsigned minutes = (unsigned)(f->offset_min < 0 ? -f->offset_min : f->offset_min);

    if (f->zone == ZONE_NONE)
        return to;
    if (f->zone == ZONE_Z) {
        *to++ = 'Z';
        return to;
    }
    *to++ = f->offset_min < 0 ? '-' : '+';
    to = put2(to, minutes / 60);
    if (f->zone == ZONE_HOURS)
        return to;
    if (f->zone == ZONE_COLON)
        *to++ = ':';
    return put2(to, minutes % 60);
}

static char *put_part(const struct time_form *f, const struct time_writer *w, char letter, char *to)
{
    switch (letter) {
    case 'Y': return put2(put2(to, (unsigned)w->date.year / 100 % 100), (unsigned)w->date.year % 100);
    case 'o': return put2(to, (unsigned)w->date.month);
    case 'd': return put2(to, (unsigned)w->date.day);
    case '_':
        to = put2(to, (unsigned)w->date.day);
        if (to[-2] == '0')
            to[-2] = ' ';
        return to;
    case 'b':
        memcpy(to, months[w->date.month - 1], 3);
        return to + 3;
    case 'h': return put2(to, (unsigned)(w->of_day / 3600));
    case 'm': return put2(to, (unsigned)(w->of_day / 60 % 60));
    case 's': return put2(to, (unsigned)(w->of_day % 60));
    case 'z': return put_zone(f, to);
    case 'e': return decimal_put(to, (uint64_t)w->second);
    default: *to = letter; return to + 1;
    }
}

/* restart - what the rows of a second share: the text before the fraction, and where the layout goes on behind it. */
static void restart(const struct time_form *f, struct time_writer *w, int64_t second)
{
    int64_t local = second + f->offset_min * INT64_C(60), day = local / 86400 - (local % 86400 < 0);
    char *at = w->text;

    if (!w->rest || w->day != day)
        w->date = civil_from_days(day);
    w->second = second;
    w->day = day;
    w->of_day = (int32_t)(local - day * 86400);
    for (w->rest = layouts[f->layout]; *w->rest && *w->rest != 'f'; w->rest++)
        at = put_part(f, w, *w->rest, at);
    w->n = (size_t)(at - w->text);
}

size_t time_write(const struct time_form *f, struct time_writer *w, time_ns time, char *to)
{
    int64_t second = time / NS_PER_SECOND, ns = time % NS_PER_SECOND;
    char *at;

    if (ns < 0) {
        ns += NS_PER_SECOND;
        second--;
    }
    if (layouts[f->layout][0] == 'e' && second < 0)
        return 0;
    if (!w->rest || w->second != second)
        restart(f, w, second);
    memcpy(to, w->text, sizeof w->text);
    at = to + w->n;
    if (*w->rest != 'f')
        return w->n;
    at = put_fraction(f, (uint32_t)ns, at);
    for (const char *l = w->rest + 1; *l; l++)
        at = put_part(f, w, *l, at);
    return (size_t)(at - to);
}

/* --- the kind --- */

/* holds - the form writes most of a few rows as they are. */
static bool holds(const struct time_form *f, const struct str *values, size_t count, const time_ns *time)
{
    struct time_writer w = { 0 };
    char text[TIME_TEXT_ROOM];
    size_t bad = 0, stride = max_size(1, count / 16), seen = 0;

    for (size_t i = 0; i < count; i += stride, seen++)
        bad += !str_eq(str_of(text, time_write(f, &w, time[i], text)), values[i]);
    return bad * 4 < seen;
}

/* guess - the form of a column, from a row of it. */
static bool guess(struct time_form *f, const struct str *values, size_t count, const time_ns *time)
{
    for (size_t seed = 0; seed < 2; seed++) {
        size_t row = seed * (count / 2);

        if (values[row].n < 6 || values[row].n > TIME_FORM_MAX)
            continue;
        for (unsigned layout = 0; layout < TIME_LAYOUTS; layout++) {
            if (!layout_of(layout, values[row], time[row], f))
                continue;
            if (holds(f, values, count, time))
                return true;
            f->trimmed = strchr(layouts[layout], 'f') != NULL;
            f->digits = 9;
            if (f->trimmed && holds(f, values, count, time))
                return true;
        }
    }
    return false;
}

bool times_put(struct column_encoder *k, const struct str *values, size_t count, const time_ns *time, struct column_out *out)
{
    struct time_form f;
    struct time_writer w = { 0 };
    char text[TIME_TEXT_ROOM];

    k->x.count = 0;
    if (!guess(&f, values, count, time))
        return false;
    for (size_t i = 0; i < count; i++) {
        texts_ahead(values, count, i);
        if (str_eq(str_of(text, time_write(&f, &w, time[i], text)), values[i]))
            continue;
        if (numbers_too_many(k->x.count + 1, count))
            return false;
        k->x.row[k->x.count++] = (uint32_t)i;
    }
    out->kind = COLUMN_TIME;
    buf_byte(&out->head, COLUMN_TIME);
    buf_byte(&out->head, (char)f.layout);
    buf_byte(&out->head, (char)(f.digits | f.trimmed << 4 | f.comma << 5));
    buf_byte(&out->head, (char)f.zone);
    buf_varint(&out->head, (uint64_t)(f.offset_min + OFFSET_MAX));
    except_put(&k->x, values, out);
    return true;
}

/* time_bounds - the bytes that a form writes: digits, what stands between, names of months. */
static void time_bounds(const struct time_form *f, struct bounds *b)
{
    size_t longest = 0;

    bounds_start(b);
    bounds_add(b, STR("0123456789"));
    for (const char *l = layouts[f->layout]; *l; l++) {
        if (!strchr("Yod_bhmsfze", *l))
            bounds_add(b, str_of(l, 1));
        if (*l == '_')
            bounds_add(b, STR(" "));
        if (*l == 'z')
            bounds_add(b, STR("Z+-:"));
        if (*l == 'f')
            bounds_add(b, f->comma ? STR(",") : STR("."));
        for (int i = 0; *l == 'b' && i < 12; i++)
            bounds_add(b, str_c(months[i]));
        longest += *l == 'e' ? 20 : *l == 'f' ? 10 : *l == 'z' ? 6 : 4;
    }
    b->shortest = 0;
    b->longest = longest;
}

static int ask_times(struct column *c, const struct column_question *q, uint64_t *rows, struct err *e)
{
    struct needle needle = question_needle(q->needle, q->fold);
    struct time_writer w = { 0 };
    struct aside a;

    for (size_t word = 0; word < COLUMN_WORDS(c->count); word++) {
        a.count = 0;
        for (uint64_t left = rows[word]; left; left &= left - 1) {
            unsigned at = (unsigned)__builtin_ctzll(left);

            aside_add(&a, at, time_write(&c->form_of_time, &w, c->time[word * 64 + at], aside_next(&a)));
        }
        rows[word] = aside_ask(&a, q, &needle);
    }
    return 0;
}

static void times_open(struct column *c, struct reader *head)
{
    struct time_form *f = &c->form_of_time;
    uint8_t how;
    uint64_t offset;

    f->layout = rd_u8(head);
    how = rd_u8(head);
    f->zone = rd_u8(head);
    offset = rd_varint(head);
    f->digits = how & 15;
    f->trimmed = how >> 4 & 1;
    f->comma = how >> 5 & 1;
    if (f->layout >= TIME_LAYOUTS || how >= 64 || f->digits > 9 || f->zone >= ZONES || offset > 2 * OFFSET_MAX)
        rd_fail(head, "a form of time");
    if (!rd_ok(head))
        return;
    f->offset_min = (int32_t)offset - OFFSET_MAX;
    time_bounds(f, &c->bounds);
    except_open(c, head);
    c->ask_form = ask_times;
}

static int times_values(struct column *c, const uint64_t *rows, struct str *out, struct err *e)
{
    struct time_writer w = { 0 };
    char *to = NULL;
    int rc = column_text_room(c, (rows ? bits_count(rows, c->count) : c->count) * TIME_FORM_MAX + TIME_TEXT_ROOM, &to, e);

    for (size_t i = 0; rc == 0 && i < c->count; i++)
        if (!rows || bit_test(rows, i)) {
            out[i] = str_of(to, time_write(&c->form_of_time, &w, c->time[i], to));
            to += out[i].n;
        }
    return rc == 0 ? except_values(c, rows, out, e) : rc;
}

const struct column_ops times_ops = { "time", times_open, times_values, except_ask };
