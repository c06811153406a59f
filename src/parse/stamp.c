/* stamp.c - dates and times as logs write them; see internal.h.
 *
 * Forms: "Feb  4 10:44:00[.frac]" with the year before, after the day or at the end, or none; "Sun Aug 27 16:28:20
 * 2006"; "2026-03-20T23:50:00.123+05:00" with 'T' or blank, '-' or '/', and any of Z, +05:00, +0500, " +0500", or none;
 * a zone by name where it is UTC or GMT, or a name that only one place uses. Others are ambiguous (IST is three zones, CST three, EST
 * two): they are skipped, and the zone is that of the source's profile.
 */
#include "parse/internal.h"

/* A year-less time up to a day ahead of receipt is a clock or zone that is off, not last year. */
#define YEARLESS_AHEAD NS_PER_DAY
#define YEAR_MAX 2261 /* the last whole year that time_ns can hold */

int32_t month_of(uint32_t three)
{
    switch (three | 0x202020) {
    case THREE('j', 'a', 'n'): return 1;
    case THREE('f', 'e', 'b'): return 2;
    case THREE('m', 'a', 'r'): return 3;
    case THREE('a', 'p', 'r'): return 4;
    case THREE('m', 'a', 'y'): return 5;
    case THREE('j', 'u', 'n'): return 6;
    case THREE('j', 'u', 'l'): return 7;
    case THREE('a', 'u', 'g'): return 8;
    case THREE('s', 'e', 'p'): return 9;
    case THREE('o', 'c', 't'): return 10;
    case THREE('n', 'o', 'v'): return 11;
    case THREE('d', 'e', 'c'): return 12;
    default: return 0;
    }
}

int32_t weekday_of(uint32_t three)
{
    switch (three | 0x202020) {
    case THREE('s', 'u', 'n'): return 1;
    case THREE('m', 'o', 'n'): return 2;
    case THREE('t', 'u', 'e'): return 3;
    case THREE('w', 'e', 'd'): return 4;
    case THREE('t', 'h', 'u'): return 5;
    case THREE('f', 'r', 'i'): return 6;
    case THREE('s', 'a', 't'): return 7;
    default: return 0;
    }
}

/* two - two digits off *s; -1 where they are not. */
static inline int32_t two(struct str *s)
{
    int32_t v = s->n < 2 ? -1 : two_at(s->p);

    if (v >= 0)
        *s = str_of(s->p + 2, s->n - 2);
    return v;
}

/* one_or_two - of a day, where a blank may stand for the first digit. */
static inline int32_t one_or_two(struct str *s)
{
    int32_t v = two(s);

    if (v >= 0 || s->n == 0 || !is_digit(*s->p))
        return v;
    v = *s->p - '0';
    *s = str_of(s->p + 1, s->n - 1);
    return v;
}

static inline int32_t four(struct str *s)
{
    int32_t high = s->n < 4 ? -1 : two_at(s->p), low = high < 0 ? -1 : two_at(s->p + 2);

    if (low < 0)
        return -1;
    *s = str_of(s->p + 4, s->n - 4);
    return high * 100 + low;
}

/* month - off *s, by three letters in just this case; 0: none. */
static inline int32_t month(struct str *s)
{
    uint32_t word = s->n < 3 ? 0 : THREE(s->p[0], s->p[1], s->p[2]);
    int32_t m = AS_NAME(word) ? month_of(word) : 0;

    if (m)
        *s = str_of(s->p + 3, s->n - 3);
    return m;
}

static inline bool weekday(struct str s)
{
    uint32_t word = s.n < 3 ? 0 : THREE(s.p[0], s.p[1], s.p[2]);

    return AS_NAME(word) && weekday_of(word);
}

/* fraction_take - ".123" behind the seconds, in ns; digits past the ninth are dropped. */
static inline int64_t fraction_take(struct str *s)
{
    static const int32_t scale[] = { 1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000 }; /* by digits that are not there */
    int32_t ns = 0;
    size_t n = 1;

    if (s->n < 2 || (*s->p != '.' && *s->p != ',') || !is_digit(s->p[1]))
        return 0;
    for (; n < s->n && is_digit(s->p[n]); n++)
        if (n <= 9)
            ns = ns * 10 + (s->p[n] - '0');
    *s = str_cut(*s, n);
    return n <= 9 ? ns * scale[10 - n] : ns;
}

/* clock_at - the eight bytes "hh:mm:ss" at p, all at once: a byte of x is then a digit's value, and zero where a colon stood. */
static inline bool clock_at(const char *p, struct civil *c)
{
    const uint64_t zeros = UINT64_C(0x30303a30303a3030), over = UINT64_C(0x76767f76767f7676), high = UINT64_C(0x8080808080808080);
    uint64_t x;

    memcpy(&x, p, sizeof x);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    x = __builtin_bswap64(x);
#endif
    x ^= zeros;
    if (((x + over) | x) & high)
        return false;
    x = x * 10 + (x >> 8); /* two digits become their number, in the byte of the first */
    c->hour = (int32_t)(x & 0xff);
    c->minute = (int32_t)(x >> 24 & 0xff);
    c->second = (int32_t)(x >> 48 & 0xff);
    return true;
}

/* short_clock_at - "h:mm:ss". */
RARELY static bool short_clock_at(const char *p, struct civil *c)
{
    c->hour = is_digit(*p) ? *p - '0' : -1;
    c->minute = two_at(p + 2);
    c->second = two_at(p + 5);
    return p[4] == ':' && c->hour >= 0 && c->minute >= 0 && c->second >= 0;
}

/* clock_time - hh:mm:ss or h:mm:ss, and a fraction in ns. A leap second is read as the second before it. */
static inline bool clock_time(struct str *s, struct civil *c, int64_t *fraction)
{
    bool brief = s->n > 6 && s->p[1] == ':'; /* one digit for the hour */

    if (s->n < 8 - (size_t)brief || !(brief ? short_clock_at(s->p, c) : clock_at(s->p, c)))
        return false;
    if (c->second == 60)
        c->second = 59;
    *s = str_of(s->p + 8 - brief, s->n - 8 + brief);
    *fraction = fraction_take(s);
    return true;
}

/* Names that only one place uses. ALMT is written by zone data that knows nothing of 2024: its times were made with UTC+6. */
static const struct {
    struct str name;
    int16_t minutes;
} zone_names[] = {
    { STR_INIT("MSK"), 180 },  { STR_INIT("SAMT"), 240 }, { STR_INIT("YEKT"), 300 }, { STR_INIT("OMST"), 360 }, { STR_INIT("NOVT"), 420 },
    { STR_INIT("KRAT"), 420 }, { STR_INIT("IRKT"), 480 }, { STR_INIT("YAKT"), 540 }, { STR_INIT("VLAT"), 600 }, { STR_INIT("ALMT"), 360 },
    { STR_INIT("AQTT"), 300 }, { STR_INIT("ORAT"), 300 }, { STR_INIT("UZT"), 300 },  { STR_INIT("KGT"), 360 },  { STR_INIT("TJT"), 300 },
    { STR_INIT("CET"), 60 },   { STR_INIT("CEST"), 120 }, { STR_INIT("EET"), 120 },  { STR_INIT("EEST"), 180 }, { STR_INIT("WEST"), 60 },
    { STR_INIT("JST"), 540 },
};

/* year_or_end - what may stand behind a zone's name where else a host would: "Nov 13 08:05:09 MSK 2025", "… MSK: %SYS". */
static bool year_or_end(struct str s)
{
    return s.n == 0 || *s.p == ':' || *s.p == ']' || *s.p == ')' || (s.n >= 5 && *s.p == ' ' && all_digits(str_of(s.p + 1, 4)));
}

/* zone_by_name - " MSK" with no letter behind it. A host may be called so too: where a host may follow, only before a year or an end. */
RARELY static int32_t zone_by_name(struct str *s, bool host_follows)
{
    if (s->n < 4 || *s->p != ' ' || s->p[1] < 'A' || s->p[1] > 'Z')
        return EVENT_OFFSET_NONE;
    for (size_t i = 0; i < COUNT(zone_names); i++) {
        struct str rest = str_cut(*s, 1);

        if (take(&rest, zone_names[i].name) && (!host_follows || year_or_end(rest)) &&
            (rest.n == 0 || !(is_alpha(*rest.p) || is_digit(*rest.p) || memchr("-_.@/", *rest.p, 5)))) {
            *s = rest;
            return zone_names[i].minutes;
        }
    }
    return EVENT_OFFSET_NONE;
}

/* zone - Z, +05:00, +0500, +05, " +0500", " UTC". Nothing taken: EVENT_OFFSET_NONE. */
static int32_t zone(struct str *s, bool host_follows)
{
    struct str at = *s;
    int32_t sign, hours, minutes = 0;

    if (!at.n || (*at.p != ' ' && *at.p != '+' && *at.p != '-' && *at.p != 'Z') || (*at.p == ' ' && at.n > 1 && at.p[1] >= 'a'))
        return EVENT_OFFSET_NONE; /* the host follows, or nothing */
    if (at.n > 5 && *at.p != ' ' && at.p[3] == ':' && (at.n == 6 || !is_digit(at.p[6])) && (hours = two_at(at.p + 1)) >= 0 && hours < 24 &&
        (minutes = two_at(at.p + 4)) >= 0 && minutes < 60 && *at.p != 'Z') {
        *s = str_of(at.p + 6, at.n - 6);
        return (*at.p == '-' ? -1 : 1) * (hours * 60 + minutes);
    }
    minutes = 0;
    if (take(s, STR("Z")) || take(s, STR(" UTC")) || take(s, STR(" GMT")))
        return 0;
    take(&at, STR(" "));
    if (at.n < 3 || (*at.p != '+' && *at.p != '-') || !is_digit(at.p[1]) || !is_digit(at.p[2]))
        return zone_by_name(s, host_follows);
    sign = *at.p == '-' ? -1 : 1;
    at = str_cut(at, 1);
    hours = two(&at);
    if (at.n > 2 && *at.p == ':' && is_digit(at.p[1]))
        at = str_cut(at, 1);
    if (at.n > 1 && is_digit(at.p[0]) && is_digit(at.p[1]))
        minutes = two(&at);
    if (hours > 23 || minutes > 59 || (at.n && is_digit(*at.p)))
        return EVENT_OFFSET_NONE;
    *s = at;
    return sign * (hours * 60 + minutes);
}

static int32_t default_zone(const struct work *w)
{
    return w->hints->zone_min == EVENT_OFFSET_NONE ? w->parser->zone_min : w->hints->zone_min;
}

/* year_ahead - the year of a moment, or in its last days perhaps the next one: by the mean length of a year. */
static int32_t year_ahead(time_ns t)
{
    const int64_t days_of_400_years = 146097;

    return 1970 + (int32_t)((t / NS_PER_DAY + 4) * 400 / days_of_400_years);
}

/* finish - from civil time to a moment; completes the year to the latest that is not after receipt. */
static bool finish(const struct work *w, struct civil *c, bool year_known, int64_t fraction, struct stamp *out)
{
    int32_t offset = out->offset_min == EVENT_OFFSET_NONE ? default_zone(w) : out->offset_min;
    time_ns latest = w->hints->received + YEARLESS_AHEAD;

    if (year_known) {
        if (c->year > YEAR_MAX || !civil_valid(c))
            return false;
        out->time = civil_to_ns(c, offset) + fraction;
        return true;
    }
    c->year = (int32_t)min_size((size_t)year_ahead(latest), YEAR_MAX);
    for (int tries = 0; tries < 10 && c->year > 1970; tries++, c->year--) { /* 29 February may lie up to eight years back */
        if (!civil_valid(c))
            continue;
        out->time = civil_to_ns(c, offset) + fraction;
        if (out->time <= latest)
            return true;
    }
    return false;
}

/* month_form - from "Mmm" on; *year is 0 where none was read yet. */
static inline bool month_form(struct str *s, struct civil *c, int32_t *year, int64_t *fraction, int32_t *offset)
{
    struct str at;
    int32_t y;

    if ((c->month = month(s)) == 0 || !s->n || *s->p != ' ')
        return false;
    skip_blanks(s);
    if ((c->day = one_or_two(s)) < 1 || !s->n || (*s->p != ' ' && *s->p != ','))
        return false;
    take(s, STR(","));
    skip_blanks(s);
    at = *s;
    if (*year == 0 && (y = four(&at)) >= 1970 && at.n && *at.p == ' ') {
        *year = y;
        skip_blanks(&at);
        *s = at;
    }
    if (!clock_time(s, c, fraction))
        return false;
    *offset = zone(s, true);
    at = *s;
    if (*year == 0 && take(&at, STR(" ")) && (y = four(&at)) >= 1970 && y < 2200 &&
        (!at.n || *at.p == ' ' || *at.p == ':' || *at.p == ']')) {
        *year = y;
        *s = at;
    }
    return true;
}

/* digits_form - "2026-03-20T23:50:00…", "2026/03/20 …", "2026:03:20-23:50:00" or "2026 Mar 20 …". */
static inline bool digits_form(struct str *s, struct civil *c, int64_t *fraction, struct stamp *out, bool *by_month)
{
    const char *p = s->p; /* of 14 bytes or more */
    int32_t high = two_at(p), low = two_at(p + 2);
    char sep = p[4];

    *by_month = sep == ' ';
    c->year = high * 100 + low;
    if (high < 0 || low < 0 || c->year < 1970)
        return false;
    if (sep == ' ') {
        *s = str_of(p + 5, s->n - 5);
        return month_form(s, c, &c->year, fraction, &out->offset_min);
    }
    c->month = two_at(p + 5);
    c->day = two_at(p + 8);
    if ((sep != '-' && sep != '/' && sep != ':') || p[7] != sep || c->month < 1 || c->day < 1)
        return false;
    if (sep == ':' ? p[10] != '-' : p[10] != 'T' && p[10] != 't' && p[10] != ' ')
        return false; /* "2026:03:20-23:50:00" is Sophos UTM's */
    out->iso = p[10] != ' ';
    *s = str_of(p + 11, s->n - 11);
    if (!clock_time(s, c, fraction))
        return false;
    out->offset_min = zone(s, out->iso);
    return true;
}

/* plain_form - "Mmm dd hh:mm:ss host": what most headers have, told by the places of its blanks. Nothing else may follow the seconds, and hosts in
 * small letters are no zones. */
static inline bool plain_form(struct str s, struct civil *c)
{
    const char *p = s.p;

    if (s.n < 17 || p[3] != ' ' || p[6] != ' ' || p[15] != ' ' || p[16] < 'a' || p[16] > 'z' || !is_digit(p[5]) || (p[4] != ' ' && !is_digit(p[4])) ||
        !clock_at(p + 7, c) || (c->month = month(&s)) == 0)
        return false;
    c->day = (p[4] & 15) * 10 + (p[5] & 15); /* the low half of a blank is 0 too */
    c->second -= c->second == 60;
    return c->day > 0;
}

bool stamp_take(const struct work *w, struct str *s, struct stamp *out)
{
    struct str at = *s;
    struct civil c = { 0 };
    int64_t fraction = 0;
    int32_t year = 0;
    bool ok, by_month;

    *out = (struct stamp){ .offset_min = EVENT_OFFSET_NONE };
    if (at.n < 14)
        return false;
    if (plain_form(at, &c)) {
        ok = true;
        at = str_of(at.p + 15, at.n - 15);
    } else if (is_digit(*at.p)) {
        ok = digits_form(&at, &c, &fraction, out, &by_month);
        year = c.year;
    } else {
        if (at.p[3] == ' ' && weekday(at))
            at = str_cut(at, 4);
        ok = month_form(&at, &c, &year, &fraction, &out->offset_min);
        c.year = year;
    }
    if (!ok || (at.n && (is_digit(*at.p) || is_alpha(*at.p))) || !finish(w, &c, year != 0, fraction, out))
        return false;
    out->text = str_left(*s, s->n - at.n);
    *s = at;
    return true;
}

bool stamp_text(const struct work *w, struct str s, struct stamp *out)
{
    struct str rest = s, whole, part;
    uint64_t v;
    int64_t ns = 0, scale = 100000000;

    if (stamp_take(w, &rest, out) && rest.n == 0)
        return true;
    whole = s;
    part = (struct str){ NULL, 0 };
    split_at(s, STR("."), &whole, &part);
    if (whole.n < 9 || whole.n > 19 || !str_u64(whole, &v) || (part.n && !all_digits(part)))
        return false;
    *out = (struct stamp){ .offset_min = EVENT_OFFSET_NONE, .text = s };
    for (size_t digits = 10; digits < 19; digits += 3, scale = 0)
        if (whole.n <= digits + 1) {
            uint64_t unit = digits == 10 ? 1000000000u : digits == 13 ? 1000000u : 1000u;

            if (v > (uint64_t)INT64_MAX / unit)
                return false;
            for (size_t i = 0; i < part.n && scale; i++, scale /= 10)
                ns += (part.p[i] - '0') * scale;
            out->time = (time_ns)(v * unit) + ns;
            return true;
        }
    out->time = (time_ns)v;
    return v <= INT64_MAX;
}

void work_time(struct work *w, const struct stamp *t)
{
    w->ev->time = t->time;
    w->ev->offset_min = t->offset_min;
    w->ev->time_text = t->text;
    w->timed = true;
}
