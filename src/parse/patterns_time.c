/* patterns_time.c - a time by a form with the letters of strftime; see patterns.h and docs/parsers.md.
 *
 * The whole text must be used up. What the form does not say is completed as for any other line: the zone from the rule,
 * else from the hints, the year from the moment of receipt. Names of months are English, in full or three letters. */
#include "parse/patterns.h"

#define YEARLESS_AHEAD NS_PER_DAY
#define YEAR_MAX       2261

/* What was read so far. */
struct reading {
    struct civil c;
    int64_t fraction, epoch_ns;
    int32_t offset, half; /* half: 1 am, 2 pm */
    bool year, epoch;
    const struct time_rule *rule;
};

static int32_t digits(struct str *s, size_t least, size_t most)
{
    int32_t v = 0;
    size_t n = 0;

    most = min_size(most, s->n);
    while (n < most && is_digit(s->p[n]))
        v = v * 10 + (s->p[n++] - '0');
    if (n < least)
        return -1;
    *s = str_cut(*s, n);
    return v;
}

/* named - the name that s begins with, its first three letters or all of them, is taken off; of tells its number from 1. -1: none. */
static int32_t named(struct str *s, int32_t (*of)(uint32_t three), const char *const *names)
{
    int32_t i = s->n < 3 ? 0 : of(THREE(s->p[0], s->p[1], s->p[2]));
    struct str name;
    size_t n = 3;

    if (i == 0)
        return -1;
    if (s->n > 3 && is_alpha(s->p[3])) {
        name = str_c(names[i - 1]);
        if (s->n >= name.n && str_ieq(str_left(*s, name.n), name))
            n = name.n;
    }
    *s = str_of(s->p + n, s->n - n);
    return i;
}

/* zone_take - "Z", "UTC", "GMT", +05, +0500, +05:00. */
static bool zone_take(struct str *s, int32_t *offset)
{
    struct str at = *s;
    int32_t sign, hours, minutes = 0;

    *offset = 0;
    if (at.n && is_alpha(*at.p))
        return take(s, STR("UTC")) || take(s, STR("GMT")) || take(s, STR("Z"));
    if (at.n < 3 || (*at.p != '+' && *at.p != '-'))
        return false;
    if (at.n > 4 && (hours = two_at(at.p + 1)) >= 0 && hours <= 14 && (minutes = two_at(at.p + 3)) >= 0 && minutes <= 59) {
        *offset = (*at.p == '-' ? -1 : 1) * (hours * 60 + minutes);
        *s = str_of(at.p + 5, at.n - 5);
        return true;
    }
    minutes = 0;
    sign = *at.p == '-' ? -1 : 1;
    at = str_cut(at, 1);
    hours = digits(&at, 2, 2);
    if (at.n > 2 && *at.p == ':')
        at = str_cut(at, 1);
    if (at.n > 1 && is_digit(*at.p))
        minutes = digits(&at, 2, 2);
    if (hours < 0 || hours > 14 || minutes < 0 || minutes > 59)
        return false;
    *offset = sign * (hours * 60 + minutes);
    *s = at;
    return true;
}

/* zone_named - by a name that the rule gives, or UTC and GMT. */
static bool zone_named(const struct time_rule *rule, struct str *s, int32_t *offset)
{
    size_t n = 0;
    struct str name;

    while (n < s->n && is_alpha(s->p[n]))
        n++;
    name = str_left(*s, n);
    for (size_t i = 0; i < rule->zone_count; i++)
        if (str_eq(rule->zones[i].name, name)) {
            *offset = rule->zones[i].offset_min;
            *s = str_cut(*s, n);
            return true;
        }
    return zone_take(s, offset);
}

static void fraction_take(struct str *s, int64_t *out)
{
    int64_t scale = NS_PER_SECOND / 10;

    if (s->n < 2 || (*s->p != '.' && *s->p != ',' && *s->p != ':') || !is_digit(s->p[1]))
        return;
    *s = str_cut(*s, 1);
    for (*out = 0; s->n && is_digit(*s->p); *s = str_cut(*s, 1), scale /= 10)
        *out += (*s->p - '0') * scale;
}

static bool epoch_take(struct reading *r, struct str *s)
{
    uint64_t v;
    size_t n = 0;

    while (n < s->n && n < 11 && is_digit(s->p[n]))
        n++;
    if (!str_u64(str_left(*s, n), &v) || v > (uint64_t)INT64_MAX / (uint64_t)NS_PER_SECOND)
        return false;
    *s = str_cut(*s, n);
    r->epoch = true;
    r->epoch_ns = (int64_t)v * NS_PER_SECOND;
    return true;
}

/* small - one or two digits into *to. */
static bool small(struct str *s, int32_t *to)
{
    if (s->n < 2 || !is_digit(s->p[0]) || !is_digit(s->p[1]))
        return (*to = digits(s, 1, 2)) >= 0;
    *to = (s->p[0] - '0') * 10 + s->p[1] - '0';
    *s = str_of(s->p + 2, s->n - 2);
    return true;
}

/* of_two_digits - where what a letter says goes, if that mostly has two digits; NULL: it has not. */
static inline int32_t *of_two_digits(struct reading *r, char c)
{
    switch (c) {
    case 'm':
        return &r->c.month;
    case 'd':
    case 'e':
        return &r->c.day;
    case 'H':
    case 'I':
        return &r->c.hour;
    case 'M':
        return &r->c.minute;
    case 'S':
        return &r->c.second;
    default:
        return NULL;
    }
}

static bool letter(struct reading *r, char c, struct str *s)
{
    static const char *const months[] = { "January", "February", "March",     "April",   "May",      "June",
                                          "July",    "August",   "September", "October", "November", "December" };
    static const char *const days[] = { "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday" };
    int32_t *to;

    switch (c) {
    case 'Y':
        r->year = true;
        return (r->c.year = digits(s, 4, 4)) >= 1970;
    case 'y':
        r->year = true;
        r->c.year = digits(s, 2, 2);
        return r->c.year >= 0 && (r->c.year += 2000) > 0;
    case 'e':
        skip_blanks(s);
        return small(s, &r->c.day);
    case 'b':
    case 'B':
        return (r->c.month = named(s, month_of, months)) > 0;
    case 'a':
        return named(s, weekday_of, days) > 0;
    case 'p':
        r->half = s->n >= 2 && str_ieq(str_left(*s, 2), STR("am")) ? 1 : s->n >= 2 && str_ieq(str_left(*s, 2), STR("pm")) ? 2 : 0;
        *s = str_cut(*s, 2);
        return r->half != 0;
    case 'z':
        return zone_take(s, &r->offset);
    case 'Z':
        return zone_named(r->rule, s, &r->offset);
    case 'f':
        fraction_take(s, &r->fraction);
        return true;
    case 's':
        return epoch_take(r, s);
    case '%':
        return take(s, STR("%"));
    default:
        to = of_two_digits(r, c);
        return to && small(s, to);
    }
}

bool stamp_form_valid(struct str form)
{
    for (size_t i = 0; i < form.n; i++)
        if (form.p[i] == '%' && (++i >= form.n || !strchr("YymedHIMSbBapzZfs%", form.p[i]) || !form.p[i]))
            return false;
    return form.n > 0;
}

/* settle - the moment of what was read. */
static bool settle(const struct work *w, struct reading *r, int32_t zone_min, struct stamp *out)
{
    int32_t offset = r->offset;

    out->offset_min = r->offset;
    if (r->epoch) {
        out->time = r->epoch_ns + r->fraction;
        return true;
    }
    if (r->half)
        r->c.hour = r->c.hour % 12 + (r->half == 2 ? 12 : 0);
    if (r->c.second == 60)
        r->c.second = 59;
    if (offset == EVENT_OFFSET_NONE)
        offset = out->offset_min = zone_min;
    if (offset == EVENT_OFFSET_NONE)
        offset = w->hints->zone_min == EVENT_OFFSET_NONE ? w->parser->zone_min : w->hints->zone_min;
    if (!r->year)
        r->c.year = civil_of_ns(w->hints->received + YEARLESS_AHEAD, offset).year;
    for (int tries = 0; tries < 9; tries++, r->c.year--) { /* 29 February may lie up to eight years back */
        if (r->c.year > YEAR_MAX || r->c.year < 1970)
            return false;
        if (civil_valid(&r->c)) {
            out->time = civil_to_ns(&r->c, offset) + r->fraction;
            if (r->year || out->time <= w->hints->received + YEARLESS_AHEAD)
                return true;
        }
        if (r->year)
            return false;
    }
    return false;
}

bool stamp_by_form(const struct work *w, const struct time_rule *rule, struct str form, struct str text, struct stamp *out)
{
    struct reading r = { .offset = EVENT_OFFSET_NONE, .rule = rule };
    struct str s = text;

    *out = (struct stamp){ .offset_min = EVENT_OFFSET_NONE, .text = text };
    for (size_t i = 0; i < form.n; i++) {
        if (form.p[i] == '%' && i + 1 < form.n) {
            int32_t *to = of_two_digits(&r, form.p[++i]), v = to && s.n > 1 ? two_at(s.p) : -1;

            if (v >= 0) {
                *to = v;
                s = str_of(s.p + 2, s.n - 2);
            } else if (!letter(&r, form.p[i], &s)) {
                return false;
            }
        } else if (form.p[i] == ' ') {
            if (!s.n || *s.p != ' ')
                return false;
            skip_blanks(&s);
        } else if (!s.n || *s.p != form.p[i]) {
            return false;
        } else {
            s = str_of(s.p + 1, s.n - 1);
        }
    }
    return s.n == 0 && settle(w, &r, rule->zone_min, out);
}
