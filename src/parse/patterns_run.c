/* patterns_run.c - a text against one product: what the form or the patterns find, then names, time, constants, cases; see
 * patterns.h.
 *
 * Nothing goes into the event before the text is known to be the product's: captures are kept on the stack until then. */
#include <stdarg.h>

#include "parse/forms_internal.h"
#include "parse/patterns.h"

/* One value that was found. Of a form, field is NULL where the file does not name it. */
struct captured {
    struct str name, value;
    const struct field *field;
};

#define PLACES 4

struct place {
    struct str name;
    size_t from, to;
};

struct taken {
    struct place places[PLACES]; /* of names asked for last, while there are "placed" captures */
    size_t placed, place_next;
    const struct product *product;
    struct captured *items;
    size_t count;
    const struct pattern *matched[MATCHED_MAX];
    size_t matched_count;
    struct matcher *matcher; /* NULL: not yet made */
};

/* What one text needs while it is read: on the stack, not cleared. */
struct room {
    struct captured items[CAPTURES_MAX];
    struct matcher matcher;
};

void parse_explain(struct work *w, const char *fmt, ...)
{
    char text[ERR_TEXT_MAX];
    va_list ap;

    if (!w->hints->explain)
        return;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    buf_str(w->hints->explain, str_c(text));
    buf_byte(w->hints->explain, '\n');
}

bool product_looks(const struct product *p, struct str text)
{
    if (!starts_as(p->starts, p->start_count, text))
        return false;
    if (p->contain_count == 0)
        return true;
    for (size_t i = 0; i < p->contain_count; i++)
        if (has(text, p->contains[i]))
            return true;
    return false;
}

/* --- finding --- */

static bool is_empty(const struct product *p, struct str v)
{
    for (size_t i = 0; i < p->empty_count; i++)
        if (str_eq(v, p->empty[i]))
            return true;
    return v.n == 0;
}

static void capture(struct work *w, struct taken *t, struct str name, struct str value, const struct field *field)
{
    if (is_empty(t->product, value))
        return;
    if (t->count == CAPTURES_MAX)
        w->trouble = true;
    else
        t->items[t->count++] = (struct captured){ name, value, field };
}

static struct str found(const struct taken *t, struct str name)
{
    for (size_t i = 0; i < t->count; i++)
        if (same_name(t->items[i].name, name))
            return t->items[i].value;
    return (struct str){ NULL, 0 };
}

/* try_pattern - its groups are captured if it matches. */
static bool try_pattern(struct work *w, struct taken *t, struct room *room, const struct pattern *p, struct str text)
{
    const size_t *at;
    size_t count;
    int rc;

    if (!starts_as(p->starts, p->start_count, text) || !str_starts(text, p->head))
        return false;
    if (!t->matcher) {
        if (!matcher_open(&room->matcher, w->arena))
            return false;
        t->matcher = &room->matcher;
    }
    rc = matcher_run(t->matcher, p, text, &at, &count);
    if (rc < 0) {
        w->trouble = true;
        patterns_count_limit(w->parser);
    }
    if (rc <= 0) {
        if (w->hints->explain)
            parse_explain(w, "%.*s: pattern \"%.*s\" (line %d) %s", STR_ARG(t->product->id), STR_ARG(p->name), p->line,
                rc < 0 ? "takes more steps than allowed" : "does not match");
        return false;
    }
    if (w->hints->explain)
        parse_explain(w, "%.*s: pattern \"%.*s\" (line %d) matches", STR_ARG(t->product->id), STR_ARG(p->name), p->line);
    for (size_t i = 1; i < count && i <= p->group_count; i++)
        if (at[2 * i] < at[2 * i + 1] && at[2 * i + 1] <= text.n)
            capture(w, t, p->groups[i].name, str_of(text.p + at[2 * i], at[2 * i + 1] - at[2 * i]), &p->groups[i]);
    if (t->matched_count < MATCHED_MAX)
        t->matched[t->matched_count++] = p;
    return true;
}

bool pattern_may(struct work *w, const struct product *product, const struct pattern *p, struct str text)
{
    if (str_starts(text, p->head) && starts_as(p->starts, p->start_count, text) && (p->folds || p->literal.n <= p->head.n || str_find(text, p->literal) >= 0))
        return true;
    if (w->hints->explain && p->head.n == 0 && p->literal.n)
        parse_explain(w, "%.*s: pattern \"%.*s\" (line %d): \"%.*s\" is not in the text, or it begins otherwise", STR_ARG(product->id), STR_ARG(p->name),
                      p->line, STR_ARG(p->literal));
    else if (w->hints->explain)
        parse_explain(w, "%.*s: pattern \"%.*s\" (line %d): the text does not begin with \"%.*s\", or \"%.*s\" is not there", STR_ARG(product->id),
                      STR_ARG(p->name), p->line, STR_ARG(p->head), STR_ARG(p->literal));
    return false;
}

/* try_by_pairs - most are ruled out by pairs of bytes that the text lacks; what is left is looked for. */
static bool try_by_pairs(struct work *w, struct taken *t, struct room *room, const struct group_of *g, struct str text)
{
    const uint8_t *seen = text_pairs(w, text);

    for (size_t i = 0; i < g->count; i++) {
        const struct pattern *p = &t->product->patterns[g->patterns[i]];

        if (pairs_hold(seen, &p->pairs) && pattern_may(w, t->product, p, text) && try_pattern(w, t, room, p, text))
            return true;
    }
    return false;
}

/* try_group - the first of the patterns that matches, in their order. */
static bool try_group(struct work *w, struct taken *t, struct room *room, const struct group_of *g, struct str text)
{
    uint64_t hits[PATTERNS_MAX / 64];

    if (g->searches <= FILTER_FROM) {
        for (size_t i = 0; i < g->count; i++) {
            const struct pattern *p = &t->product->patterns[g->patterns[i]];

            if (pattern_may(w, t->product, p, text) && try_pattern(w, t, room, p, text))
                return true;
        }
        return false;
    }
    if (g->count <= PAIRS_TO)
        return try_by_pairs(w, t, room, g, text);
    filter_scan(g->filter, text, hits);
    for (size_t i = 0; i < (g->count + 63) / 64; i++)
        for (uint64_t left = hits[i]; left; left &= left - 1)
            if (try_pattern(w, t, room, &t->product->patterns[g->patterns[i * 64 + (size_t)__builtin_ctzll(left)]], text))
                return true;
    return false;
}

static const struct field *field_named(const struct product *p, struct str name)
{
    if (p->field_cap == 0)
        return NULL;
    for (size_t at = str_hash(name) & (p->field_cap - 1); p->fields[at].name.n; at = (at + 1) & (p->field_cap - 1))
        if (str_eq(p->fields[at].name, name))
            return &p->fields[at];
    return NULL;
}

static bool take_form(struct work *w, struct taken *t, enum form form, const struct form_options *o, struct str text)
{
    struct form_fields f = { 0 };

    if (!form_read(w, form, o, text, &f))
        return false;
    for (uint32_t i = 0; i < f.count; i++)
        capture(w, t, f.items[i].name, f.items[i].value, field_named(t->product, f.items[i].name));
    return true;
}

/* --- into the event --- */

static struct str join(struct work *w, struct str a, char sep, struct str b)
{
    char *p = arena_alloc(w->arena, a.n + b.n + 1);

    if (!p) {
        w->trouble = true;
        return a;
    }
    memcpy(p, a.p, a.n);
    p[a.n] = sep;
    memcpy(p + a.n + 1, b.p, b.n);
    return str_of(p, a.n + b.n + 1);
}

static bool is_number(struct str s)
{
    struct str whole = s, part;

    if (s.n && *s.p == '-')
        whole = str_cut(s, 1);
    return split_at(whole, STR("."), &whole, &part) ? all_digits(whole) && all_digits(part) : all_digits(whole);
}

/* add - unless this product gave the same already: a user stands in the prefix of a line and again in its text. */
static void add(struct work *w, struct str name, struct str value)
{
    for (uint32_t i = w->product_from; i < w->ev->field_count; i++)
        if (w->ev->fields[i].value.n == value.n && same_name(w->ev->fields[i].name, name) && str_eq(w->ev->fields[i].value, value))
            return;
    work_add(w, name, value);
}

static void put_peer(struct work *w, const struct target *t, struct str value)
{
    struct str ip = ip_of(value);

    add(w, ip.n ? t->ip : t->domain, ip.n ? ip : value);
    if (event_get(w->ev, t->address).n == 0)
        add(w, t->address, ip.n ? ip : value);
}

static void put_url(struct work *w, struct str name, struct str url)
{
    struct str scheme, rest = url, host, port, path, last, before, query = { NULL, 0 };

    add(w, name, url);
    if (split_at(url, STR("://"), &scheme, &rest) && scheme.n < 16 && str_chr(scheme, '/') < 0) {
        ptrdiff_t slash = str_chr(rest, '/');

        host = slash < 0 ? rest : str_left(rest, (size_t)slash);
        rest = str_cut(rest, host.n);
        add(w, STR("url.scheme"), scheme);
        (void)split_last(host, STR("@"), &before, &host);
        if (split_last(host, STR(":"), &before, &port) && all_digits(port)) {
            add(w, STR("url.port"), port);
            host = before;
        }
        add(w, STR("url.domain"), host);
    } else {
        rest = url;
    }
    path = take_until(&rest, STR("?"));
    query = rest;
    if (path.n == 0 || *path.p != '/')
        return;
    add(w, STR("url.path"), path);
    add(w, STR("url.query"), query);
    if (split_last(path, STR("/"), &before, &last) && split_last(last, STR("."), &before, &last) && last.n < 16)
        add(w, STR("url.extension"), last);
}

/* clock_seconds - "1:02:03", hours first. */
static bool clock_seconds(struct str s, uint64_t *seconds)
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

    if (clock_seconds(value, &v)) {
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

static void put_hex(struct work *w, struct str name, struct str s)
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
    work_number(w, name, v);
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

/* give - under the name of the target: beside what is there, or instead of what the header said. */
static void give(struct work *w, const struct target *t, struct str value)
{
    if (t->instead)
        work_set(w, t->to, value);
    else
        add(w, t->to, value);
}

static void put(struct work *w, const struct target *t, struct str v)
{
    struct str before;

    if (t->value_count && !mapped(t, &v))
        return;
    switch (t->kind) {
    case TARGET_PLAIN:
        give(w, t, v);
        break;
    case TARGET_PEER:
        put_peer(w, t, v);
        break;
    case TARGET_IP:
        give(w, t, ip_of(v));
        break;
    case TARGET_NUMBER:
        if (is_number(v))
            give(w, t, v);
        break;
    case TARGET_URL:
        put_url(w, t->to, v);
        break;
    case TARGET_LOWER:
    case TARGET_UPPER:
        give(w, t, changed_case(w, v, t->kind == TARGET_UPPER));
        break;
    case TARGET_HEX:
        put_hex(w, t->to, v);
        break;
    case TARGET_NAME:
        if (!split_last(v, STR("/"), &before, &v))
            (void)split_last(v, STR("\\"), &before, &v);
        give(w, t, v);
        break;
    case TARGET_DURATION:
        put_duration(w, t, v);
        break;
    case TARGET_MAC:
        give(w, t, mac_form(w, v));
        break;
    case TARGET_TIME:
    case TARGET_DROP:
        break;
    }
}

static bool word_holds(struct str word, struct str v)
{
    bool head = word.n && *word.p == '*', tail = word.n > 1 && word.p[word.n - 1] == '*';
    struct str part = str_of(word.p + head, word.n - head - tail);

    if (word.n == 0)
        return v.n == 0;
    if (v.n == 0)
        return false;
    if (head && tail)
        return has(v, part);
    return head ? str_ends(v, part) : tail ? str_starts(v, part) : str_eq(v, word);
}

static bool value_holds(const struct condition *c, struct str v)
{
    int64_t n;

    if (c->numeric)
        return str_i64(take_until(&v, STR(".")), &n) && n >= c->from && n <= c->to;
    for (size_t i = 0; i < c->count; i++)
        if (word_holds(c->words[i], v))
            return true;
    return false;
}

/* place_of - where the captures of a name stand. Conditions ask for few names, many times. */
static const struct place *place_of(struct taken *t, struct str name)
{
    struct place *p;

    if (t->placed != t->count) {
        memset(t->places, 0, sizeof t->places);
        t->placed = t->count;
    }
    for (size_t i = 0; i < PLACES; i++)
        if (same_name(t->places[i].name, name))
            return &t->places[i];
    p = &t->places[t->place_next++ % PLACES];
    *p = (struct place){ .name = name };
    for (size_t i = 0; i < t->count; i++)
        if (same_name(t->items[i].name, name)) {
            p->from = p->to ? p->from : i;
            p->to = i + 1;
        }
    return p;
}

/* condition_holds - of one of the values, where there are several. */
static bool condition_holds(const struct work *w, struct taken *t, const struct condition *c)
{
    const struct place *p = place_of(t, c->name);
    struct str v = { NULL, 0 };
    uint32_t at = 0;
    bool any = false;

    for (size_t i = p->from; i < p->to; i++)
        if (t->items[i].value.n && same_name(t->items[i].name, c->name)) {
            any = true;
            if (value_holds(c, t->items[i].value))
                return true;
        }
    if (any)
        return false;
    while (event_values(w->ev, c->name, &at, &v)) {
        any = true;
        if (value_holds(c, v))
            return true;
    }
    return !any && value_holds(c, str_of(NULL, 0));
}

static bool all_hold(const struct work *w, struct taken *t, const struct condition *all, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!condition_holds(w, t, &all[i]))
            return false;
    return true;
}

/* labelled - "cs1" where "cs1Label" stands too, or that label: the form gave the value by its label besides. */
static bool labelled(const struct taken *t, struct str name)
{
    static const struct str tail = STR_INIT("Label");

    if (str_ends(name, tail) && name.n > tail.n)
        return true;
    for (size_t i = 0; i < t->count; i++)
        if (t->items[i].name.n == name.n + tail.n && str_starts(t->items[i].name, name) && str_ends(t->items[i].name, tail))
            return true;
    return false;
}

/* put_unnamed - what the file does not name stays under its own name; keys of CEF and LEEF mean what they mean everywhere. */
static void put_unnamed(struct work *w, const struct taken *t, const struct captured *c)
{
    enum form form = t->product->form;

    if (form == FORM_CEF || form == FORM_LEEF)
        cef_other(w, form == FORM_LEEF, c->name, c->value, labelled(t, c->name));
    else if (!t->product->drop_rest)
        work_add(w, join(w, t->product->prefix, '.', c->name), c->value);
}

static void put_all(struct work *w, struct taken *t)
{
    for (size_t i = 0; i < t->count; i++) {
        const struct captured *c = &t->items[i];

        if (!c->field) {
            put_unnamed(w, t, c);
            continue;
        }
        for (size_t k = 0; k < c->field->count; k++) {
            const struct target *to = &c->field->targets[k];
            struct str rest = c->value;

            if (to->when_count && !all_hold(w, t, to->when, to->when_count))
                continue;
            if (to->split.n == 0)
                put(w, to, rest);
            while (to->split.n && rest.n)
                put(w, to, str_trim(take_until(&rest, to->split)));
        }
    }
}

static void put_time(struct work *w, const struct taken *t)
{
    static const struct str stamp = STR_INIT("@timestamp");
    static const struct time_rule usual = { .from = &stamp, .from_count = 1, .zone_min = EVENT_OFFSET_NONE };
    const struct time_rule *r = t->product->layer.time ? t->product->layer.time : &usual;
    struct str text = { NULL, 0 };
    struct stamp at;

    for (size_t i = 0; i < t->matched_count; i++)
        if (t->matched[i]->layer.time)
            r = t->matched[i]->layer.time;
    for (size_t i = 0; i < r->from_count; i++) {
        struct str v = found(t, r->from[i]);

        if (v.n)
            text = text.n ? join(w, text, ' ', v) : v;
    }
    if (text.n == 0)
        return;
    for (size_t i = 0; i < r->form_count; i++)
        if (stamp_by_form(w, r, r->forms[i], text, &at)) {
            work_time(w, &at);
            return;
        }
    if (r->form_count == 0 && stamp_text(w, text, &at))
        work_time(w, &at);
    else
        w->trouble = true;
}

/* --- constants and cases --- */

struct active {
    const struct constant *items[SETS_MAX];
    bool strong[SETS_MAX]; /* of a case: it replaces what was captured */
    size_t count;
};

static void activate(struct active *a, const struct layer *l, bool strong)
{
    for (size_t i = 0; i < l->set_count; i++) {
        size_t at = 0;

        while (at < a->count && !same_name(a->items[at]->name, l->sets[i].name))
            at++;
        if (at == SETS_MAX)
            continue;
        a->items[at] = &l->sets[i];
        a->strong[at] = strong;
        a->count += at == a->count;
    }
}

static void cases(struct work *w, struct taken *t, const struct layer *l, struct active *a)
{
    for (size_t i = 0; i < l->case_count; i++) {
        if (!all_hold(w, t, l->cases[i].all, l->cases[i].count))
            continue;
        w->types |= l->cases[i].then->types;
        activate(a, l->cases[i].then, true);
    }
}

static void put_constants(struct work *w, struct taken *t)
{
    const struct layer *own = &t->product->layer;
    uint32_t captured = w->ev->field_count;
    struct active a;

    a.count = 0;
    activate(&a, own, false);
    w->types |= own->types;
    for (size_t i = 0; i < t->matched_count; i++) {
        activate(&a, &t->matched[i]->layer, false);
        w->types |= t->matched[i]->layer.types;
    }
    cases(w, t, own, &a);
    for (size_t i = 0; i < t->matched_count; i++)
        cases(w, t, &t->matched[i]->layer, &a);
    for (size_t i = 0; i < a.count; i++) {
        const struct constant *c = a.items[i];
        uint32_t at = 0;

        while (at < captured && !same_name(w->ev->fields[at].name, c->name))
            at++;
        if (at < captured && a.strong[i] && c->count)
            w->ev->fields[at].value = c->values[0];
        for (size_t k = at < captured; k < c->count; k++)
            if (at == captured || a.strong[i])
                work_add(w, c->name, c->values[k]);
    }
}

/* --- what follows from other fields --- */

static void put_sum(struct work *w, struct str name, struct str a, struct str b)
{
    uint64_t x, y, sum;

    if (event_get(w->ev, name).n == 0 && str_u64(event_get(w->ev, a), &x) && str_u64(event_get(w->ev, b), &y) && !__builtin_add_overflow(x, y, &sum))
        work_number(w, name, sum);
}

static void put_derived(struct work *w, unsigned what)
{
    struct str ip;

    if (what & DERIVE_BYTES)
        put_sum(w, STR("network.bytes"), STR("source.bytes"), STR("destination.bytes"));
    if (what & DERIVE_PACKETS)
        put_sum(w, STR("network.packets"), STR("source.packets"), STR("destination.packets"));
    if (!(what & DERIVE_TYPE))
        return;
    ip = event_get(w->ev, STR("source.ip"));
    if (ip.n == 0)
        ip = event_get(w->ev, STR("destination.ip"));
    if (ip.n && event_get(w->ev, STR("network.type")).n == 0)
        work_add(w, STR("network.type"), str_chr(ip, ':') < 0 ? STR("ipv4") : STR("ipv6"));
}

/* --- all of it --- */

/* value_of - what is looked at: a value of the text, or the path of its file. */
static struct str value_of(const struct work *w, const struct taken *t, struct str of)
{
    struct str v = found(t, of);

    return v.n == 0 && str_eq(of, STR("log.file.path")) ? w->hints->path : v;
}

/* look_inside - the patterns of values that are there, and the forms inside them; these give values that patterns read in turn. */
static void look_inside(struct work *w, struct taken *t, struct room *room)
{
    const struct product *p = t->product;
    uint64_t groups[PATTERNS_MAX / 64] = { 0 }, forms = 0; /* done */
    bool more = true;

    for (int rounds = 0; more && rounds < INSIDE_DEPTH_MAX; rounds++) {
        more = false;
        for (size_t i = 0; i < p->group_count; i++) {
            struct str v = p->groups[i].of.n && !(groups[i / 64] >> i % 64 & 1) ? value_of(w, t, p->groups[i].of) : (struct str){ NULL, 0 };

            if (v.n == 0)
                continue;
            groups[i / 64] |= UINT64_C(1) << i % 64;
            (void)try_group(w, t, room, &p->groups[i], v);
        }
        for (size_t i = 0; i < p->inside_count; i++) {
            struct str v = p->inside[i].form != FORM_TEXT && !(forms >> i & 1) ? found(t, p->inside[i].of) : (struct str){ NULL, 0 };

            if (v.n == 0)
                continue;
            forms |= UINT64_C(1) << i;
            more = take_form(w, t, p->inside[i].form, &p->inside[i].options, v) || more;
        }
    }
}

static void finish(struct work *w, struct taken *t, struct room *room)
{
    const struct product *p = t->product;

    look_inside(w, t, room);
    w->product_from = t->matched_count > (p->form == FORM_TEXT) ? w->ev->field_count : UINT32_MAX;
    put_all(w, t);
    if (p->form == FORM_CEF && event_get(w->ev, STR("message")).n == 0)
        work_add(w, STR("message"), found(t, STR("cef.name")));
    put_time(w, t);
    put_constants(w, t);
    if (p->derive)
        put_derived(w, p->derive);
    for (size_t i = 0; i < p->inside_count; i++) {
        struct str v = p->inside[i].form == FORM_TEXT ? found(t, p->inside[i].of) : (struct str){ NULL, 0 };

        if (v.n)
            (void)patterns_inside(w, p->inside[i].program, p->inside[i].parser, v);
    }
    w->ev->parser = p->id;
    w->ev->class = p->class;
    __atomic_fetch_add(p->lines, 1, __ATOMIC_RELAXED);
}

bool product_run(struct work *w, const struct product *p, struct str text)
{
    struct room room;
    struct taken t = { .product = p, .items = room.items };
    bool ok;

    if (!product_looks(p, text)) {
        parse_explain(w, "%.*s: the text does not begin as its texts do, or a word of theirs is missing", STR_ARG(p->id));
        return false;
    }
    if (p->form != FORM_TEXT)
        ok = take_form(w, &t, p->form, &p->options, text);
    else
        ok = p->group_count && p->groups[0].of.n == 0 && try_group(w, &t, &room, &p->groups[0], text);
    if (!ok) {
        parse_explain(w, "%.*s: %s", STR_ARG(p->id), p->form == FORM_TEXT ? "no pattern matches" : "the text is not of its form");
        return false;
    }
    finish(w, &t, &room);
    return true;
}

bool product_try(struct work *w, const struct product *p, size_t pattern, struct str text)
{
    struct room room;
    struct taken t = { .product = p, .items = room.items };

    if (!product_looks(p, text) || !try_pattern(w, &t, &room, &p->patterns[pattern], text))
        return false;
    finish(w, &t, &room);
    return true;
}
