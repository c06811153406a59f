/* patterns_run.c - a text against one product: what the form or the patterns find, then values, time and constants; see
 * patterns.h.
 *
 * Nothing goes into the event before the text is known to be the product's: captures are kept on the stack until then. */
#include <stdarg.h>

#include "parse/forms_internal.h"
#include "parse/patterns.h"

/* What one text needs while it is read: on the stack, not cleared. */
struct room {
    struct captured items[CAPTURES_MAX];
    uint16_t latest[PRODUCT_NAMES_MAX + 1];
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

/* is_empty - it stands for no value, as "-" does. */
static inline bool is_empty(const struct product *p, struct str v)
{
    bool empty = v.n == 0;

    for (size_t i = 0; v.n <= p->empty_longest && i < p->empty_count && !empty; i++)
        empty = str_eq(v, p->empty[i]);
    return empty;
}

/* capture - one more value of field; NULL if it is none. */
static inline struct captured *capture(struct work *w, struct taken *t, const struct field *field, struct str value)
{
    struct captured *c = &t->items[t->count];

    if (is_empty(t->product, value))
        return NULL;
    if (t->count == CAPTURES_MAX) {
        w->trouble = true;
        return NULL;
    }
    c->name = field->name;
    c->value = value;
    c->field = field;
    c->before = t->latest[field->number];
    t->latest[field->number] = (uint16_t)++t->count;
    return c;
}

/* found - the first value of a name. */
static struct str found(const struct taken *t, uint16_t number)
{
    struct str v = { NULL, 0 };

    for (unsigned at = t->latest[number]; at; at = t->items[at - 1].before)
        v = t->items[at - 1].value;
    return v;
}

/* try_pattern - its groups are captured if it matches. The text begins as it must. */
static bool try_pattern(struct work *w, struct taken *t, struct room *room, const struct pattern *p, struct str text)
{
    const size_t *at;
    size_t count;
    int rc;

    if (!t->matcher) {
        if (!matcher_open(&room->matcher, t->product->limits, w->arena))
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
    count = min_size(count, p->group_count + 1);
    for (size_t i = 1; i < count; i++) {
        size_t from = at[2 * i], to = at[2 * i + 1];

        if (from < to && to <= text.n)
            (void)capture(w, t, &p->groups[i], str_of(text.p + from, to - from));
    }
    if (t->matched_count < MATCHED_MAX)
        t->matched[t->matched_count++] = p;
    return true;
}

/* begins - as a text that p matches must. Heads that share their first bytes are told apart by their last. */
static bool begins(const struct pattern *p, struct str text)
{
    bool ok = p->head_count == 0;

    for (size_t i = 0; i < p->head_count && !ok; i++) {
        struct str head = p->heads[i];

        ok = text.n >= head.n && text.p[head.n - 1] == head.p[head.n - 1] && same_bytes(text.p, head.p, head.n);
    }
    return ok && (p->start_count == 0 || starts_as(p->starts, p->start_count, text));
}

/* tell_why - the pattern does not come into question. */
RARELY static void tell_why(struct work *w, const struct product *product, const struct pattern *p)
{
    if (p->head_count == 1)
        parse_explain(w, "%.*s: pattern \"%.*s\" (line %d): the text does not begin with \"%.*s\", or \"%.*s\" is not there", STR_ARG(product->id),
                      STR_ARG(p->name), p->line, STR_ARG(p->heads[0]), STR_ARG(p->literal));
    else
        parse_explain(w, "%.*s: pattern \"%.*s\" (line %d): \"%.*s\" is not in the text, or it begins otherwise", STR_ARG(product->id), STR_ARG(p->name),
                      p->line, STR_ARG(p->literal));
}

static inline bool may(struct work *w, const struct product *product, const struct pattern *p, struct str text)
{
    if (begins(p, text) && (p->needle.text.n == 0 || needle_in(&p->needle, text)))
        return true;
    if (w->hints->explain)
        tell_why(w, product, p);
    return false;
}

bool pattern_may(struct work *w, const struct product *product, const struct pattern *p, struct str text) { return may(w, product, p, text); }

/* list_for - the patterns that may match text by its first byte; all of them where the reader of the file wants to be told of each. */
static const struct pattern_list *list_for(const struct work *w, const struct group_of *g, struct str text)
{
    return &g->lists[text.n && !w->hints->explain ? g->list_of[(unsigned char)*text.p] : 0];
}

/* try_filtered - by one pass over the text: those of the group whose literals stand in it. */
static bool try_filtered(struct work *w, struct taken *t, struct room *room, const struct group_of *g, struct str text)
{
    uint64_t hits[PATTERNS_MAX / 64];

    filter_scan(g->filter, text, hits);
    for (size_t i = 0; i < (g->lists[0].count + 63) / 64; i++)
        for (uint64_t left = hits[i]; left; left &= left - 1) {
            const struct pattern *p = &t->product->patterns[g->lists[0].items[i * 64 + (size_t)__builtin_ctzll(left)]];

            if (begins(p, text) && try_pattern(w, t, room, p, text))
                return true;
        }
    return false;
}

/* try_group - the first of the patterns that matches, in their order. Literals are looked for one by one where they are few; of more most are
 * ruled out by pairs of bytes that the text lacks. */
static bool try_group(struct work *w, struct taken *t, struct room *room, const struct group_of *g, struct str text)
{
    const struct pattern_list *list = list_for(w, g, text);
    const uint8_t *seen = NULL;

    if (list->searches > FILTER_FROM && list->count > PAIRS_TO)
        return try_filtered(w, t, room, g, text);
    if (list->searches > FILTER_FROM)
        seen = text_pairs(w, text);
    for (size_t i = 0; i < list->count; i++) {
        const struct pattern *p = &t->product->patterns[list->items[i]];

        if ((!seen || pairs_hold(seen, &p->pairs)) && may(w, t->product, p, text) && try_pattern(w, t, room, p, text))
            return true;
    }
    return false;
}

/* field_named - the file's for a name of a form, or one that it does not speak of. */
static const struct field *field_named(const struct product *p, struct str name)
{
    static const struct field unknown;

    for (size_t at = str_hash(name) & (p->field_cap - 1); p->fields[at].name.n; at = (at + 1) & (p->field_cap - 1))
        if (str_eq(p->fields[at].name, name))
            return &p->fields[at];
    return &unknown;
}

static bool take_form(struct work *w, struct taken *t, enum form form, const struct form_options *o, struct str text)
{
    struct form_fields f = { 0 };

    if (!form_read(w, form, o, text, &f))
        return false;
    for (uint32_t i = 0; i < f.count; i++) {
        struct captured *c = capture(w, t, field_named(t->product, f.items[i].name), f.items[i].value);

        if (c)
            c->name = f.items[i].name; /* which the file may not speak of */
    }
    return true;
}

/* --- into the event --- */

RARELY static struct str join(struct work *w, struct str a, char sep, struct str b)
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
RARELY static void put_unnamed(struct work *w, const struct taken *t, const struct captured *c)
{
    enum form form = t->product->form;

    if (form == FORM_CEF || form == FORM_LEEF)
        cef_other(w, form == FORM_LEEF, c->name, c->value, labelled(t, c->name));
    else if (!t->product->drop_rest)
        work_add(w, join(w, t->product->prefix, '.', c->name), c->value);
}

/* put_to - a value, or its parts, to one of its targets. */
static void put_to(struct work *w, const struct taken *t, const struct target *to, struct str value)
{
    if (to->when_count && !all_hold(w, t, to->when, to->when_count))
        return;
    if (to->split.n == 0)
        put_value(w, to, value);
    while (to->split.n && value.n)
        put_value(w, to, str_trim(take_until(&value, to->split)));
}

static void put_all(struct work *w, const struct taken *t)
{
    for (const struct captured *c = t->items, *end = c + t->count; c < end; c++) {
        const struct target *to = c->field->targets, *last = to + c->field->count;

        if (!c->field->told)
            put_unnamed(w, t, c);
        for (; to < last; to++)
            if (to->straight)
                put_text(w, to->to, c->value);
            else
                put_to(w, t, to, c->value);
    }
}

static void put_time(struct work *w, const struct taken *t)
{
    const struct time_rule *r = t->product->layer.time;
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

/* --- what follows from other fields --- */

static void put_sum(struct work *w, struct str name, struct str a, struct str b)
{
    uint64_t x, y, sum;

    if (event_get(w->ev, name).n == 0 && str_u64(event_get(w->ev, a), &x) && str_u64(event_get(w->ev, b), &y) && !__builtin_add_overflow(x, y, &sum))
        work_number(w, name, sum);
}

RARELY static void put_derived(struct work *w, unsigned what)
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

/* value_of - what patterns look at: a value of the text, or the path of its file. */
static struct str value_of(const struct work *w, const struct taken *t, const struct group_of *g)
{
    struct str v = found(t, g->number);

    return v.n == 0 && g->path ? w->hints->path : v;
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
            struct str v = p->groups[i].number && !(groups[i / 64] >> i % 64 & 1) ? value_of(w, t, &p->groups[i]) : (struct str){ NULL, 0 };

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

static void put_taken(struct work *w, struct taken *t, struct room *room)
{
    const struct product *p = t->product;

    look_inside(w, t, room);
    w->product_from = t->matched_count > (p->form == FORM_TEXT) ? w->ev->field_count : UINT32_MAX;
    put_all(w, t);
    if (p->message_of && event_get(w->ev, STR("message")).n == 0)
        work_add(w, STR("message"), found(t, p->message_of));
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

/* take_open - nothing is taken yet. */
static void take_open(struct taken *t, const struct product *p, struct room *room)
{
    t->product = p;
    t->items = room->items;
    t->latest = room->latest;
    t->count = t->matched_count = 0;
    t->matcher = NULL;
    memset(t->latest, 0, (p->name_count + 1) * sizeof *t->latest);
}

bool product_run(struct work *w, const struct product *p, struct str text)
{
    struct room room;
    struct taken t;
    bool ok;

    if (!product_looks(p, text)) {
        parse_explain(w, "%.*s: the text does not begin as its texts do, or a word of theirs is missing", STR_ARG(p->id));
        return false;
    }
    take_open(&t, p, &room);
    if (p->form != FORM_TEXT)
        ok = take_form(w, &t, p->form, &p->options, text);
    else
        ok = p->group_count && p->groups[0].number == 0 && try_group(w, &t, &room, &p->groups[0], text);
    if (!ok) {
        parse_explain(w, "%.*s: %s", STR_ARG(p->id), p->form == FORM_TEXT ? "no pattern matches" : "the text is not of its form");
        return false;
    }
    put_taken(w, &t, &room);
    return true;
}

bool product_try(struct work *w, const struct product *p, const struct pattern *pattern, struct str text)
{
    struct room room;
    struct taken t;

    take_open(&t, p, &room);
    if (!product_looks(p, text) || !try_pattern(w, &t, &room, pattern, text))
        return false;
    put_taken(w, &t, &room);
    return true;
}
