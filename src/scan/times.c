/* times.c - moments as tools write them. A time without a zone is taken as UTC: reports do not say more, and a guess would hide that. */
#include "scan/internal.h"

struct stamp {
    struct civil c;
    int64_t      ns;
    int          offset_min;
    bool         pm, am, epoch;
    time_ns      moment;
};

static const char *const months[] = { "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec" };
static const char *const month_names[] = { "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december" };
static const char *const days[] = { "sun", "mon", "tue", "wed", "thu", "fri", "sat" };

static bool digits(struct str *s, size_t least, size_t most, int32_t *out)
{
    size_t n = 0;
    int64_t value = 0;

    while (n < s->n && n < most && s->p[n] >= '0' && s->p[n] <= '9')
        value = value * 10 + (s->p[n++] - '0');
    *s = str_cut(*s, n);
    *out = (int32_t)value;
    return n >= least;
}

static size_t letters(struct str s)
{
    size_t n = 0;

    while (n < s.n && ((s.p[n] | 32) >= 'a' && (s.p[n] | 32) <= 'z'))
        n++;
    return n;
}

static bool month(struct str *s, int32_t *out)
{
    size_t n = letters(*s);
    struct str word = str_of(s->p, n);

    for (int32_t i = 0; i < 12; i++)
        if (str_ieq(word, str_c(months[i])) || str_ieq(word, str_c(month_names[i])) || (n == 4 && str_ieq(str_of(s->p, 3), str_c(months[i])))) {
            *out = i + 1;
            *s = str_cut(*s, n);
            return true;
        }
    return false;
}

static bool weekday(struct str *s)
{
    size_t n = letters(*s);

    for (size_t i = 0; i < COUNT(days); i++)
        if (n >= 3 && str_ieq(str_of(s->p, 3), str_c(days[i]))) {
            *s = str_cut(*s, n);
            return true;
        }
    return false;
}

/* zone - Z, UTC, GMT, +05:00, +0500, +05; other names are read over as UTC only when the form says so. */
static bool zone(struct str *s, int *offset)
{
    int32_t h = 0, m = 0;
    bool minus;
    size_t n = letters(*s);

    *offset = 0;
    if (n) {
        struct str word = str_of(s->p, n);
        bool utc = str_ieq(word, STR("z")) || str_ieq(word, STR("utc")) || str_ieq(word, STR("gmt"));

        *s = str_cut(*s, n);
        return utc && (s->n == 0 || (s->p[0] != '+' && s->p[0] != '-') || zone(s, offset));
    }
    if (s->n == 0 || (s->p[0] != '+' && s->p[0] != '-'))
        return false;
    minus = s->p[0] == '-';
    *s = str_cut(*s, 1);
    if (!digits(s, 2, 2, &h))
        return false;
    if (s->n && s->p[0] == ':')
        *s = str_cut(*s, 1);
    if (s->n && s->p[0] >= '0' && s->p[0] <= '9' && !digits(s, 2, 2, &m))
        return false;
    *offset = (minus ? -1 : 1) * (h * 60 + m);
    return h <= 15 && m < 60;
}

static bool fraction(struct str *s, int64_t *ns)
{
    int64_t scale = NS_PER_SECOND / 10, sum = 0;
    size_t n = 0;

    for (; n < s->n && s->p[n] >= '0' && s->p[n] <= '9'; n++, scale /= 10)
        sum += (s->p[n] - '0') * scale;
    *s = str_cut(*s, n);
    *ns = sum;
    return n > 0;
}

static bool epoch(struct str *s, struct stamp *t)
{
    double number;
    size_t n = 0;

    while (n < s->n && ((s->p[n] >= '0' && s->p[n] <= '9') || s->p[n] == '.'))
        n++;
    if (n == 0 || n > 24 || !number_in(str_of(s->p, n), &number) || number > 9e9)
        return false;
    *s = str_cut(*s, n);
    t->epoch = true;
    t->moment = (time_ns)(number * 1000.0 + 0.5) * NS_PER_MS;
    return true;
}

static bool part(char letter, struct str *s, struct stamp *t)
{
    int32_t year;

    switch (letter) {
    case 'Y': return digits(s, 4, 4, &t->c.year);
    case 'y':
        if (!digits(s, 2, 2, &year))
            return false;
        t->c.year = year + (year < 70 ? 2000 : 1900);
        return true;
    case 'm': return digits(s, 1, 2, &t->c.month);
    case 'd': case 'e': return digits(s, 1, 2, &t->c.day);
    case 'H': case 'I': return digits(s, 1, 2, &t->c.hour);
    case 'M': return digits(s, 1, 2, &t->c.minute);
    case 'S': return digits(s, 1, 2, &t->c.second);
    case 'b': case 'B': return month(s, &t->c.month);
    case 'a': case 'A': return weekday(s);
    case 'f': return fraction(s, &t->ns);
    case 'z': return zone(s, &t->offset_min);
    case 's': return epoch(s, t);
    case 'Z':
        *s = str_cut(*s, letters(*s));
        return true;
    case 'p':
        t->pm = str_starts(*s, STR("PM")) || str_starts(*s, STR("pm"));
        t->am = !t->pm;
        *s = str_cut(*s, 2);
        return true;
    default: return false;
    }
}

bool time_by_form(struct str s, struct str form, time_ns *out)
{
    struct stamp t = { .c = { 0, 1, 1, 0, 0, 0 } };

    s = str_trim(s);
    for (size_t i = 0; i < form.n; i++) {
        if (form.p[i] == '%' && i + 1 < form.n) {
            if (!part(form.p[++i], &s, &t))
                return false;
        } else if (form.p[i] == ' ') {
            if (s.n == 0 || s.p[0] != ' ')
                return false;
            while (s.n && s.p[0] == ' ')
                s = str_cut(s, 1);
        } else {
            if (s.n == 0 || s.p[0] != form.p[i])
                return false;
            s = str_cut(s, 1);
        }
    }
    if (s.n)
        return false;
    if (t.epoch) {
        *out = t.moment;
        return true;
    }
    if (t.pm && t.c.hour < 12)
        t.c.hour += 12;
    if (t.am && t.c.hour == 12)
        t.c.hour = 0;
    if (t.c.second == 60)
        t.c.second = 59;
    if (t.c.year < 1971 || t.c.year > 2200 || !civil_valid(&t.c))
        return false;
    *out = civil_to_ns(&t.c, t.offset_min) + t.ns;
    return true;
}

bool time_auto(struct str s, time_ns *out)
{
    static const char *const forms[] = {
        "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M:%S.%f", "%Y-%m-%dT%H:%M:%S.%f%z", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%S%z",
        "%Y-%m-%d %H:%M:%S %z", "%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%d %H:%M:%S.%f%z", "%Y-%m-%d %H:%M:%S.%f %z", "%Y-%m-%d %H:%M:%S.%f %z %Z", "%Y-%m-%d %H:%M",
        "%Y-%m-%dT%H:%M%z", "%Y-%m-%d", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d", "%Y%m%dT%H%M%S", "%a %b %d %H:%M:%S %Y", "%a %b %d %H:%M:%S %Y %z", "%a %b %d %H:%M:%S %z %Y",
        "%a, %d %b %Y %H:%M:%S", "%a, %d %b %Y %H:%M:%S %z", "%d %b %Y %H:%M:%S", "%d %b %Y %H:%M:%S %z", "%d/%b/%Y:%H:%M:%S %z", "%b %d, %Y %I:%M:%S %p", "%b %d, %Y %H:%M:%S",
        "%b %d, %Y", "%d %b %Y", "%d-%b-%Y", "%d %B %Y", "%A, %d %b %Y %H:%M:%S",
    };
    uint64_t n;

    s = str_trim(s);
    if (s.n > 80)
        return false;
    for (size_t i = 0; i < COUNT(forms); i++)
        if (time_by_form(s, str_c(forms[i]), out))
            return true;
    if (s.n == 13 && str_u64(s, &n)) {
        *out = (time_ns)n * NS_PER_MS;
        return true;
    }
    return s.n >= 9 && (s.n <= 10 || str_chr(s, '.') == 10) && time_by_form(s, STR("%s"), out);
}
