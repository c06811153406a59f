/* patterns_put.c - one value that a product's text had goes into the event: under the name of its target, as that name wants it;
 * see patterns.h. */
#include "parse/patterns.h"

static bool is_number(struct str s)
{
    size_t i = s.n && *s.p == '-', from = i;

    while (i < s.n && is_digit(s.p[i]))
        i++;
    return i > from && (i == s.n || (s.p[i] == '.' && all_digits(str_cut(s, i + 1))));
}

bool put_twice(const struct work *w, struct str name, struct str value)
{
    for (uint32_t i = w->product_from; i < w->ev->field_count; i++)
        if (w->ev->fields[i].value.n == value.n && same_name(w->ev->fields[i].name, name) && str_eq(w->ev->fields[i].value, value))
            return true;
    return false;
}

/* give - under the name of the target: beside what is there, or instead of what the header said. */
static void give(struct work *w, const struct target *t, struct str value)
{
    if (t->instead)
        work_set(w, t->to, value);
    else
        put_text(w, t->to, value);
}

static void put_peer(struct work *w, const struct target *t, struct str value)
{
    struct str ip = ip_of(value);

    put_text(w, ip.n ? t->ip : t->domain, ip.n ? ip : value);
    if (!(w->names & name_bit(t->address)) || event_get(w->ev, t->address).n == 0)
        put_text(w, t->address, ip.n ? ip : value);
}

/* put_site - scheme, domain and port of a URL; returns what stands behind them. One that begins with its path has none. */
RARELY static struct str put_site(struct work *w, struct str url)
{
    struct str scheme, rest, host, port, before;
    ptrdiff_t slash;

    if (url.n == 0 || *url.p == '/' || !split_at(url, STR("://"), &scheme, &rest) || scheme.n >= 16 || str_chr(scheme, '/') >= 0)
        return url;
    slash = str_chr(rest, '/');
    host = slash < 0 ? rest : str_left(rest, (size_t)slash);
    rest = str_cut(rest, host.n);
    put_text(w, STR("url.scheme"), scheme);
    (void)split_last(host, STR("@"), &before, &host);
    if (split_last(host, STR(":"), &before, &port) && all_digits(port)) {
        put_text(w, STR("url.port"), port);
        host = before;
    }
    put_text(w, STR("url.domain"), host);
    return rest;
}

/* extension - what stands behind the last dot of the last part of a path, where that is short; else nothing. */
static struct str extension(struct str path)
{
    for (size_t n = 0; n < path.n && n < 16; n++) {
        char c = path.p[path.n - 1 - n];

        if (c == '.')
            return str_cut(path, path.n - n);
        if (c == '/')
            break;
    }
    return (struct str){ NULL, 0 };
}

static void put_url(struct work *w, const struct target *t, struct str url)
{
    struct str path;
    ptrdiff_t query;

    put_text(w, t->to, url);
    path = put_site(w, url);
    if (path.n == 0 || *path.p != '/')
        return;
    query = str_chr(path, '?');
    if (query >= 0) {
        put_text(w, STR("url.path"), str_left(path, (size_t)query));
        put_text(w, STR("url.query"), str_cut(path, (size_t)query + 1));
        path = str_left(path, (size_t)query);
    } else {
        put_text(w, STR("url.path"), path);
    }
    put_text(w, STR("url.extension"), extension(path));
}

/* clock_seconds - "1:02:03", hours first. */
RARELY static bool clock_seconds(struct str s, uint64_t *seconds)
{
    struct str hours = take_until(&s, STR(":")), minutes = take_until(&s, STR(":"));
    uint64_t h, m, sec;

    if (!str_u64(hours, &h) || !str_u64(minutes, &m) || !str_u64(s, &sec) || h > 1000000 || m > 59 || sec > 59)
        return false;
    *seconds = h * 3600 + m * 60 + sec;
    return true;
}

/* put_duration - a decimal number of units, in nanoseconds. */
static void put_duration(struct work *w, const struct target *t, struct str value)
{
    struct str whole = value, part = { NULL, 0 };
    int64_t scale = t->unit_ns, ns, more = 0;
    uint64_t v;

    if (str_chr(value, ':') >= 0 && clock_seconds(value, &v)) {
        if (!__builtin_mul_overflow((int64_t)v, NS_PER_SECOND, &ns))
            work_number(w, t->to, (uint64_t)ns);
        return;
    }
    (void)split_at(value, STR("."), &whole, &part);
    if (!str_u64(whole, &v) || v > INT64_MAX || __builtin_mul_overflow((int64_t)v, t->unit_ns, &ns))
        return;
    for (size_t i = 0; i < part.n && is_digit(part.p[i]) && scale >= 10; i++)
        more += (part.p[i] - '0') * (scale /= 10);
    if (!__builtin_add_overflow(ns, more, &ns))
        work_number(w, t->to, (uint64_t)ns);
}

static struct str changed_case(struct work *w, struct str s, bool upper)
{
    char *p = arena_alloc(w->arena, s.n ? s.n : 1);

    if (!p)
        return s;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];

        p[i] = (char)(upper ? (c >= 'a' && c <= 'z' ? c - 32 : c) : (c >= 'A' && c <= 'Z' ? c + 32 : c));
    }
    return str_of(p, s.n);
}

static void put_hex(struct work *w, const struct target *t, struct str s)
{
    uint64_t v = 0;

    (void)(take(&s, STR("0x")) || take(&s, STR("0X")));
    if (s.n == 0 || s.n > 15)
        return;
    for (size_t i = 0; i < s.n; i++) {
        if (hex_value(s.p[i]) < 0)
            return;
        v = v << 4 | (uint64_t)hex_value(s.p[i]);
    }
    work_number(w, t->to, v);
}

/* mac_form - an address of six bytes with ':', '-', '.' or nothing between; what is none stays as it is. */
static struct str mac_form(struct work *w, struct str s)
{
    char *p;
    size_t digits = 0;

    for (size_t i = 0; i < s.n; i++) {
        if (hex_value(s.p[i]) >= 0)
            digits++;
        else if (s.p[i] != ':' && s.p[i] != '-' && s.p[i] != '.')
            return s;
    }
    if (digits != 12 || s.n > 17 || (p = arena_alloc(w->arena, 17)) == NULL)
        return s;
    for (size_t i = 0, n = 0; i < s.n; i++) {
        if (hex_value(s.p[i]) < 0)
            continue;
        if (n % 3 == 2)
            p[n++] = '-';
        p[n++] = (char)(s.p[i] >= 'a' ? s.p[i] - 32 : s.p[i]);
    }
    return str_of(p, 17);
}

static void put_ip(struct work *w, const struct target *t, struct str v) { give(w, t, ip_of(v)); }

static void put_number(struct work *w, const struct target *t, struct str v)
{
    if (is_number(v))
        give(w, t, v);
}

static void put_lower(struct work *w, const struct target *t, struct str v) { give(w, t, changed_case(w, v, false)); }

static void put_upper(struct work *w, const struct target *t, struct str v) { give(w, t, changed_case(w, v, true)); }

static void put_mac(struct work *w, const struct target *t, struct str v) { give(w, t, mac_form(w, v)); }

/* put_name - the last part of a path. */
static void put_name(struct work *w, const struct target *t, struct str v)
{
    struct str before;

    if (!split_last(v, STR("/"), &before, &v))
        (void)split_last(v, STR("\\"), &before, &v);
    give(w, t, v);
}

/* put_nowhere - a time is read with its form, when all values are there; others are dropped. */
static void put_nowhere(struct work *w, const struct target *t, struct str v)
{
    (void)w;
    (void)t;
    (void)v;
}

/* --- the way of a value --- */

/* mapped - *v is what "values" or "else" make of it. False: it goes nowhere. */
static bool mapped(const struct target *t, struct str *v)
{
    size_t low = 0, high = t->value_count;

    while (low < high) {
        size_t mid = (low + high) / 2;
        int order = str_cmp(t->values[mid].from, *v);

        if (order == 0) {
            *v = t->values[mid].to;
            return true;
        }
        if (order < 0)
            low = mid + 1;
        else
            high = mid;
    }
    if (t->otherwise.n)
        *v = t->otherwise;
    return t->lenient || t->otherwise.n;
}

void put_value(struct work *w, const struct target *t, struct str v)
{
    static void (*const ways[])(struct work *w, const struct target *t, struct str v) = {
        [TARGET_PLAIN] = give,       [TARGET_TIME] = put_nowhere, [TARGET_PEER] = put_peer,         [TARGET_IP] = put_ip,
        [TARGET_NUMBER] = put_number, [TARGET_URL] = put_url,     [TARGET_LOWER] = put_lower,       [TARGET_UPPER] = put_upper,
        [TARGET_HEX] = put_hex,      [TARGET_NAME] = put_name,    [TARGET_MAC] = put_mac,           [TARGET_DURATION] = put_duration,
        [TARGET_DROP] = put_nowhere,
    };

    if (t->value_count == 0 || mapped(t, &v))
        ways[t->kind](w, t, v);
}
