/* scan.c - small readers of text that every sub-parser uses; see internal.h. */
#include "parse/internal.h"

struct str take_word(struct str *s)
{
    size_t n = until(*s, ' ', '\t', ' ', '\t');
    struct str word = str_of(s->p, n);

    *s = str_cut(*s, n);
    skip_blanks(s);
    return word;
}

struct str take_until(struct str *s, struct str sep)
{
    ptrdiff_t at = str_find(*s, sep);
    struct str head = *s;

    if (at < 0) {
        *s = str_cut(*s, s->n);
        return head;
    }
    head.n = (size_t)at;
    *s = str_cut(*s, (size_t)at + sep.n);
    return head;
}

bool split_at(struct str s, struct str sep, struct str *before, struct str *after)
{
    ptrdiff_t at = str_find(s, sep);

    if (at < 0)
        return false;
    *before = str_left(s, (size_t)at);
    *after = str_cut(s, (size_t)at + sep.n);
    return true;
}

bool split_last(struct str s, struct str sep, struct str *before, struct str *after)
{
    if (sep.n == 0 || s.n < sep.n || !memchr(s.p, *sep.p, s.n))
        return false;
    for (size_t at = s.n - sep.n + 1; at-- > 0;)
        if (s.p[at] == sep.p[0] && memcmp(s.p + at, sep.p, sep.n) == 0) {
            *before = str_left(s, at);
            *after = str_cut(s, at + sep.n);
            return true;
        }
    return false;
}

struct str word_of(struct str s, size_t most)
{
    ptrdiff_t nul;

    s = str_left(s, most);
    nul = str_chr(s, '\0');
    return nul < 0 ? s : str_left(s, (size_t)nul);
}

struct str unquote(struct str s)
{
    if (s.n >= 2 && (s.p[0] == '"' || s.p[0] == '\'') && s.p[s.n - 1] == s.p[0])
        return str_of(s.p + 1, s.n - 2);
    return s;
}

bool has(struct str s, struct str part) { return str_find(s, part) >= 0; }

int hex_value(char c)
{
    if (is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* octet - a number of one to three digits, up to 255, off *s. */
static inline bool octet(struct str *s)
{
    size_t n = 1;
    int v;

    if (s->n == 0 || !is_digit(*s->p))
        return false;
    for (v = *s->p - '0'; n < s->n && n < 3 && is_digit(s->p[n]); n++)
        v = v * 10 + (s->p[n] - '0');
    *s = str_of(s->p + n, s->n - n);
    return v <= 255;
}

static bool is_ipv4(struct str s)
{
    return octet(&s) && take(&s, STR(".")) && octet(&s) && take(&s, STR(".")) && octet(&s) && take(&s, STR(".")) && octet(&s) && s.n == 0;
}

/* is_ipv6 - groups of up to four hex digits, one "::" at most, perhaps a dotted tail and a %zone. */
static bool is_ipv6(struct str s)
{
    int groups = 0, digits = 0;
    bool gap = false;
    size_t i = 0, start = 0;

    if (s.n < 2 || s.n > 64 || (s.p[0] == ':' && s.p[1] != ':'))
        return false;
    for (; i < s.n && s.p[i] != '%'; i++) {
        if (s.p[i] == ':') {
            if (i + 1 < s.n && s.p[i + 1] == ':') {
                if (gap)
                    return false;
                gap = true;
            } else if (i + 1 == s.n && !(i > 0 && s.p[i - 1] == ':')) {
                return false;
            }
            groups += digits > 0;
            digits = 0;
            start = i + 1;
        } else if (s.p[i] == '.') {
            return groups <= 6 && (gap || groups == 6) && is_ipv4(str_cut(s, start));
        } else if (hex_value(s.p[i]) < 0 || ++digits > 4) {
            return false;
        }
    }
    groups += digits > 0;
    return gap ? groups < 8 : groups == 8;
}

bool begins_as_ip(struct str s)
{
    size_t from = s.n && *s.p == '[', n = from;

    while (n < s.n && n <= from + 4 && is_hex(s.p[n]))
        n++;
    return n < s.n && (s.p[n] == '.' || s.p[n] == ':');
}

struct str ip_of(struct str s)
{
    if (!begins_as_ip(s))
        return (struct str){ NULL, 0 };
    if (s.n > 2 && s.p[0] == '[' && s.p[s.n - 1] == ']')
        s = str_of(s.p + 1, s.n - 2);
    if (s.n < 2 || s.n > 64)
        return (struct str){ NULL, 0 };
    if (is_digit(s.p[0]) && is_ipv4(s))
        return s;
    if (str_starts(s, STR("::ffff:")) && is_ipv4(str_cut(s, 7)))
        return str_cut(s, 7);
    return is_ipv6(s) ? s : (struct str){ NULL, 0 };
}

/* --- recognising --- */

static bool starts_so(struct str shape, struct str text)
{
    if (text.n < shape.n)
        return false;
    for (size_t i = 0; i < shape.n; i++) {
        char c = text.p[i];

        if (shape.p[i] == '#' ? !is_digit(c) : shape.p[i] == '@' ? !is_alpha(c) : shape.p[i] != '?' && shape.p[i] != c)
            return false;
    }
    return true;
}

bool starts_as(const struct str *starts, size_t count, struct str text)
{
    bool ok = count == 0;

    for (size_t i = 0; i < count && !ok; i++)
        ok = starts_so(starts[i], text);
    return ok;
}
