/* kv.c - name=value pairs with quotes and escapes; see internal.h. */
#include "parse/forms_internal.h"

#define KV_ZONE_MAX 32   /* of tz="+0500", which is put behind date and time */
#define KV_PAIRS_LEAST 3 /* fewer is prose with an equals sign in it */

static bool name_char(char c)
{
    return is_alpha(c) || is_digit(c) || c == '_' || c == '-' || c == '.' || c == '@' || c == '/' || c == '#';
}

/* quoted_value - from the quote on; a backslash before the quote or another backslash is undone. */
static struct str quoted_value(struct work *w, struct str *s)
{
    char quote = *s->p;
    size_t n = 1, escapes = 0, at = 0;
    struct str raw;
    char *copy;

    while (n < s->n && s->p[n] != quote) {
        if (s->p[n] == '\\' && n + 1 < s->n && (s->p[n + 1] == quote || s->p[n + 1] == '\\')) {
            escapes++;
            n++;
        }
        n++;
    }
    if (n >= s->n) { /* never closed: the rest is the value */
        raw = str_cut(*s, 1);
        *s = str_cut(*s, s->n);
        w->trouble = true;
    } else {
        raw = str_of(s->p + 1, n - 1);
        *s = str_cut(*s, n + 1);
    }
    if (escapes == 0 || (copy = arena_alloc(w->arena, raw.n)) == NULL)
        return raw;
    for (size_t i = 0; i < raw.n; i++) {
        if (raw.p[i] == '\\' && i + 1 < raw.n && (raw.p[i + 1] == quote || raw.p[i + 1] == '\\'))
            i++;
        copy[at++] = raw.p[i];
    }
    return str_of(copy, at);
}

bool kv_take(struct work *w, struct str *s, char sep, struct pair *out)
{
    size_t n = 0;
    struct str at = *s;

    while (at.n && (*at.p == ' ' || *at.p == '\t' || *at.p == ',' || *at.p == ';' || *at.p == '\x1d' || *at.p == sep))
        at = str_cut(at, 1);
    while (n < at.n && name_char(at.p[n]))
        n++;
    if (n == 0 || n >= at.n || at.p[n] != '=' || n > EVENT_NAME_MAX)
        return false;
    out->name = str_left(at, n);
    at = str_cut(at, n + 1);
    out->quoted = at.n && (*at.p == '"' || *at.p == '\'');
    if (out->quoted) {
        out->value = quoted_value(w, &at);
    } else {
        n = 0;
        while (n < at.n && at.p[n] != sep && at.p[n] != '\t' && at.p[n] != '\x1d')
            n++;
        out->value = str_left(at, n);
        at = str_cut(at, n);
        while (out->value.n && (out->value.p[out->value.n - 1] == ',' || out->value.p[out->value.n - 1] == ';'))
            out->value.n--;
    }
    *s = at;
    return true;
}

/* Names that devices and loggers use for what ECS has a name for. */
static const struct {
    struct str key, field;
} keys[] = {
    { PAIR("msg", "message") },
    { PAIR("message", "message") },
    { PAIR("level", "log.level") },
    { PAIR("severity", "log.level") },
    { PAIR("host", "host.name") },
    { PAIR("hostname", "host.name") },
    { PAIR("devname", "host.name") },
    { PAIR("dvchost", "host.name") },
    { PAIR("user", "user.name") },
    { PAIR("username", "user.name") },
    { PAIR("usr", "user.name") },
    { PAIR("suser", "user.name") },
    { PAIR("src", "source.ip") },
    { PAIR("srcip", "source.ip") },
    { PAIR("src_ip", "source.ip") },
    { PAIR("dst", "destination.ip") },
    { PAIR("dstip", "destination.ip") },
    { PAIR("dst_ip", "destination.ip") },
    { PAIR("spt", "source.port") },
    { PAIR("srcport", "source.port") },
    { PAIR("src_port", "source.port") },
    { PAIR("dpt", "destination.port") },
    { PAIR("dstport", "destination.port") },
    { PAIR("dst_port", "destination.port") },
    { PAIR("action", "event.action") },
    { PAIR("act", "event.action") },
    { PAIR("pid", "process.pid") },
    { PAIR("logid", "event.code") },
    { PAIR("url", "url.original") },
    { PAIR("proto", "network.iana_number") },
};

static struct str field_of(struct work *w, struct pair *v)
{
    for (size_t k = 0; k < COUNT(keys); k++) {
        struct str to = keys[k].field;

        if (!str_eq(v->name, keys[k].key))
            continue;
        if (str_ends(to, STR(".ip"))) {
            struct str ip = ip_of(v->value);

            if (ip.n == 0)
                return v->name;
            v->value = ip;
        } else if ((str_ends(to, STR(".port")) || str_ends(to, STR("_number"))) && !all_digits(v->value)) {
            return v->name;
        }
        return event_get(w->ev, to).n ? v->name : to;
    }
    return v->name;
}

static void add_pair(struct work *w, struct pair *v)
{
    if (str_eq(v->name, STR("devname")) && v->value.n && w->host.n) {
        work_set(w, STR("host.name"), v->value); /* what the device calls itself; the header may have a relay's word */
        return;
    }
    work_add(w, field_of(w, v), v->value);
}

/* separator - '|' where the first pair ends with one (Check Point), else a blank. */
static char separator(struct str s)
{
    for (size_t i = 0; i < s.n && s.p[i] != ' ' && s.p[i] != '"'; i++)
        if (s.p[i] == '|')
            return '|';
    return ' ';
}

/* looks - at least KV_PAIRS_LEAST pairs from the start, with little between them. Adds nothing. */
static bool looks(struct work *w, struct str s, char sep)
{
    struct pair v;
    int pairs = 0;
    bool trouble = w->trouble;

    while (pairs < KV_PAIRS_LEAST && kv_take(w, &s, sep, &v))
        pairs++;
    w->trouble = trouble;
    return pairs == KV_PAIRS_LEAST;
}

static void kv_time(struct work *w)
{
    static const char *const names[] = { "time", "timestamp", "ts", "eventtime", "rt" };
    struct str date = event_get(w->ev, STR("date")), hour = event_get(w->ev, STR("time"));
    struct stamp t;

    if (date.n == 10 && hour.n >= 8 && hour.n <= 15) {
        struct str tz = event_get(w->ev, STR("tz"));

        if (stamp_text(w, ARENA_JOIN(w->arena, word_of(date, 10), STR(" "), word_of(hour, 15), word_of(tz, KV_ZONE_MAX)), &t)) {
            work_time(w, &t);
            return;
        }
    }
    for (size_t i = 0; i < COUNT(names); i++)
        if (stamp_text(w, event_get(w->ev, str_c(names[i])), &t)) {
            work_time(w, &t);
            return;
        }
}

bool kv_line(struct work *w, struct str s)
{
    struct pair v;
    char sep = separator(s);

    if (s.n < 8 || !looks(w, s, sep))
        return false;
    while (s.n) {
        if (kv_take(w, &s, sep, &v))
            add_pair(w, &v);
        else if (sep == ' ')
            take_word(&s); /* a word between pairs: it stays in the message */
        else
            take_until(&s, str_of(&sep, 1));
        skip_blanks(&s);
    }
    w->ev->parser = STR("kv");
    if (!w->timed)
        kv_time(w);
    return true;
}

/* --- as a form: the pairs alone --- */

bool kv_looks(struct str s)
{
    size_t n = 0;

    while (n < s.n && name_char(s.p[n]))
        n++;
    return n > 0 && n < s.n && s.p[n] == '=';
}

/* assigned - the next "name: value" or `name:"value; of it"` where a data parser named the signs: up to sep outside of quotes. */
static bool assigned(struct work *w, struct str *s, char sep, char assign, struct pair *out)
{
    while (s->n) {
        size_t n = 0;

        skip_blanks(s);
        while (n < s->n && s->p[n] != assign && s->p[n] != sep)
            n++;
        out->name = str_trim(str_left(*s, n));
        if (n >= s->n || s->p[n] == sep) { /* a piece without the sign */
            *s = str_cut(*s, n + 1);
            continue;
        }
        *s = str_cut(*s, n + 1);
        if (s->n && *s->p == assign) /* "ike::" of Check Point */
            *s = str_cut(*s, 1);
        skip_blanks(s);
        if (s->n && *s->p == '"') {
            out->value = quoted_value(w, s);
            take_until(s, str_of(&sep, 1));
        } else {
            out->value = str_trim(take_until(s, str_of(&sep, 1)));
        }
        if (out->name.n)
            return true;
    }
    return false;
}

/* doubled_value - from the quote on to one that is not doubled; a doubled one stands for one. A backslash means itself. */
static struct str doubled_value(struct form_pairs *f, struct str *s)
{
    char quote = *s->p, *copy;
    size_t n = 1, kept = 0, pairs = 0;
    struct str raw;

    for (; n < s->n && (s->p[n] != quote || (n + 1 < s->n && s->p[n + 1] == quote)); n++)
        if (s->p[n] == quote)
            n++, pairs++;
    f->damaged = f->damaged || n >= s->n;
    raw = str_of(s->p + 1, min_size(n, s->n) - 1);
    *s = str_cut(*s, n + 1);
    if (pairs == 0 || (copy = arena_alloc(f->arena, raw.n)) == NULL)
        return raw;
    for (size_t i = 0; i < raw.n; i++) {
        copy[kept++] = raw.p[i];
        i += raw.p[i] == quote;
    }
    return str_of(copy, kept);
}

/* doubled_pairs - NAME=VALUE,NAME='it''s',… where a quote in a value is doubled, as 1C:Enterprise writes them. */
static void doubled_pairs(struct str s, char sep, struct form_pairs *out)
{
    while (s.n) {
        ptrdiff_t eq = str_chr(s, '='), end = str_chr(s, sep);
        struct str name, value;

        if (eq <= 0 || (end >= 0 && end < eq)) { /* a piece without the sign */
            out->damaged = out->damaged || eq != 0;
            take_until(&s, str_of(&sep, 1));
            continue;
        }
        name = str_trim(str_left(s, (size_t)eq));
        s = str_cut(s, (size_t)eq + 1);
        if (s.n && (*s.p == '\'' || *s.p == '"')) {
            value = doubled_value(out, &s);
            take_until(&s, str_of(&sep, 1));
        } else {
            value = take_until(&s, str_of(&sep, 1));
        }
        if (value.n)
            pairs_add(out, name, value);
    }
}

bool kv_form_read(struct str s, const struct form_how *how, struct form_pairs *out)
{
    struct work w = { .arena = out->arena };
    struct pair v;
    char sep = how->delimiter ? how->delimiter : separator(s);

    if (how->doubled) {
        doubled_pairs(s, sep, out);
        if (how->once)
            pairs_once(out, how);
        return out->count > 0;
    }
    if (how->assign && how->assign != '=') {
        s = str_trim(s);
        if (take(&s, STR("[")) && s.n && s.p[s.n - 1] == ']')
            s.n--; /* Check Point: [action:"Drop"; src:"192.0.2.1"]; one that was cut has no end */
        while (assigned(&w, &s, sep, how->assign, &v))
            pairs_add(out, v.name, v.value);
        if (how->once)
            pairs_once(out, how);
        out->damaged = out->damaged || w.trouble;
        return out->count > 0;
    }
    while (s.n) {
        if (kv_take(&w, &s, sep, &v))
            pairs_add(out, v.name, v.value);
        else if (sep == ' ')
            take_word(&s);
        else
            take_until(&s, str_of(&sep, 1));
        skip_blanks(&s);
    }
    if (how->once)
        pairs_once(out, how);
    out->damaged = out->damaged || w.trouble;
    return out->count > 0;
}
