/* when.c - times as people write them: words, dates with less or more of the time of day, the distance from now. */
#include "query/internal.h"

/* digits - n digits at the head of *s, taken. */
static bool digits(struct str *s, size_t n, int32_t *out)
{
    *out = 0;
    if (s->n < n)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (s->p[i] < '0' || s->p[i] > '9')
            return false;
        *out = *out * 10 + (s->p[i] - '0');
    }
    *s = str_cut(*s, n);
    return true;
}

static bool sign(struct str *s, char c)
{
    if (!s->n || s->p[0] != c)
        return false;
    *s = str_cut(*s, 1);
    return true;
}

/* zone - what stands behind the time of day: nothing, 'Z', "+05:00", "+0500". */
static bool zone(struct str s, int *offset_min)
{
    int32_t hours, minutes = 0;
    bool west;

    *offset_min = QUERY_ZONE_MIN;
    if (s.n == 0)
        return true;
    if (s.n == 1 && (s.p[0] == 'Z' || s.p[0] == 'z')) {
        *offset_min = 0;
        return true;
    }
    west = s.p[0] == '-';
    if (!sign(&s, '+') && !sign(&s, '-'))
        return false;
    if (!digits(&s, 2, &hours) || hours > 23)
        return false;
    (void)sign(&s, ':');
    if (!digits(&s, 2, &minutes) || minutes > 59 || s.n)
        return false;
    *offset_min = (west ? -1 : 1) * (hours * 60 + minutes);
    return true;
}

/* fraction - ".5" or ",5" behind seconds; *ns is it, *unit what its last digit counts. */
static bool fraction(struct str *s, time_ns *ns, time_ns *unit)
{
    *ns = 0;
    *unit = NS_PER_SECOND;
    if (!s->n || (s->p[0] != '.' && s->p[0] != ','))
        return true;
    *s = str_cut(*s, 1);
    if (!s->n || s->p[0] < '0' || s->p[0] > '9')
        return false;
    for (; s->n && s->p[0] >= '0' && s->p[0] <= '9'; *s = str_cut(*s, 1))
        if (*unit > 1) {
            *unit /= 10;
            *ns += (s->p[0] - '0') * *unit;
        }
    return true;
}

/* clock_part - "T10", "T10:30", "T10:30:00.5" and the zone; *width is what the smallest part counts. */
static bool clock_part(struct str s, struct civil *c, time_ns *ns, time_ns *width, int *offset_min)
{
    *ns = 0;
    *width = NS_PER_HOUR;
    if (!digits(&s, 2, &c->hour))
        return false;
    if (sign(&s, ':')) {
        *width = NS_PER_MINUTE;
        if (!digits(&s, 2, &c->minute))
            return false;
        if (sign(&s, ':') && (!digits(&s, 2, &c->second) || !fraction(&s, ns, width)))
            return false;
        if (*width == NS_PER_MINUTE && s.n && s.p[0] == ':')
            return false;
    }
    return zone(s, offset_min);
}

static bool civil_of(struct str s, time_ns *from, time_ns *to)
{
    struct civil c = { .day = 1 };
    int offset_min = QUERY_ZONE_MIN;
    time_ns ns = 0, width = NS_PER_DAY;

    if (!digits(&s, 4, &c.year) || !sign(&s, '-') || !digits(&s, 2, &c.month) || c.month < 1 || c.month > 12 || c.year < 1)
        return false;
    if (s.n == 0) {
        width = civil_month_days(c.year, c.month) * NS_PER_DAY;
    } else {
        if (!sign(&s, '-') || !digits(&s, 2, &c.day))
            return false;
        if (s.n && ((!sign(&s, 'T') && !sign(&s, 't') && !sign(&s, ' ')) || !clock_part(s, &c, &ns, &width, &offset_min)))
            return false;
    }
    /* What time_ns can say ends in 2262. */
    if (!civil_valid(&c) || c.year < 1700 || c.year > 2250)
        return false;
    *from = civil_to_ns(&c, offset_min) + ns;
    *to = *from + width;
    return true;
}

/* steps - "-15m", "+1h30m": each behind the other; true if all of s is such. */
static bool steps(struct str s, time_ns *t)
{
    static const struct {
        char    unit;
        time_ns ns;
    } units[] = { { 's', NS_PER_SECOND }, { 'm', NS_PER_MINUTE }, { 'h', NS_PER_HOUR }, { 'd', NS_PER_DAY }, { 'w', 7 * NS_PER_DAY } };

    bool back = s.n && s.p[0] == '-';

    /* A sign holds until the next one. */
    for (bool first = true; s.n; first = false) {
        size_t sign = s.p[0] == '-' || s.p[0] == '+', n = sign, u = 0;
        uint64_t count;
        time_ns by;

        if (first && !sign)
            return false;
        back = sign ? s.p[0] == '-' : back;
        while (n < s.n && s.p[n] >= '0' && s.p[n] <= '9')
            n++;
        while (u < COUNT(units) && (n == s.n || units[u].unit != s.p[n]))
            u++;
        if (u == COUNT(units) || n > 8 || !str_u64(str_of(s.p + sign, n - sign), &count))
            return false;
        if (__builtin_mul_overflow((time_ns)count, units[u].ns, &by) || (back ? __builtin_sub_overflow(*t, by, t) : __builtin_add_overflow(*t, by, t)))
            return false;
        s = str_cut(s, n + 1);
    }
    return true;
}

/* midnight - of the day in Astana in which t lies. */
static time_ns midnight(time_ns t)
{
    time_ns local = t + QUERY_ZONE_MIN * NS_PER_MINUTE, rest = local % NS_PER_DAY;

    return local - (rest < 0 ? rest + NS_PER_DAY : rest) - QUERY_ZONE_MIN * NS_PER_MINUTE;
}

bool query_when(struct str s, time_ns now, time_ns *from, time_ns *to)
{
    bool day = false;

    if (s.n == 0)
        return false;
    if (s.p[0] >= '0' && s.p[0] <= '9')
        return civil_of(s, from, to);
    if (now == QUERY_NO_NOW)
        return false;
    if (str_starts(s, STR("now"))) {
        *from = now;
        s = str_cut(s, 3);
    } else if (str_starts(s, STR("today"))) {
        *from = midnight(now);
        s = str_cut(s, 5);
        day = true;
    } else if (str_starts(s, STR("yesterday"))) {
        *from = midnight(now) - NS_PER_DAY;
        s = str_cut(s, 9);
        day = true;
    } else if (s.p[0] == '-') {
        *from = now;
    } else {
        return false;
    }
    /* "today" is a day; "today+9h" the moment when office hours begin. */
    day = day && s.n == 0;
    if (!steps(s, from))
        return false;
    *to = day ? *from + NS_PER_DAY : *from;
    return true;
}

bool query_moment(struct str value, time_ns *out)
{
    time_ns to;

    return value.n >= 10 && value.n < TIME_TEXT_MAX && civil_of(value, out, &to);
}
