/* winxml.c - a Windows event as XML (what WEF, Winlogbeat and agents send) as pairs with the names of Winlogbeat; see forms.h.
 *
 *     <Event xmlns='…'><System><Provider Name='…'/><EventID>4624</EventID>…</System>
 *       <EventData><Data Name='TargetUserName'>ann</Data></EventData>
 *       <RenderingInfo Culture='ru-RU'><Message>…</Message></RenderingInfo></Event>
 *
 * The reader knows elements, attributes, the five entities, numbers of letters and CDATA. No DOCTYPE, so no entities of a
 * stranger; no recursion: a stack of WINXML_DEPTH_MAX names. Of an <Events> that holds several only the first is read: whoever
 * takes such a list splits it (winxml_next). */
#include "parse/forms_internal.h"
#include "parse/winnames.h"
#include "base/utf8.h"

#define WINXML_DEPTH_MAX 16 /* UserData of known providers nests up to 4 below Event */

struct xml {
    const char *p, *end;
    struct form_pairs *out;
    struct str path[WINXML_DEPTH_MAX]; /* local names of open elements, from Event on */
    int depth;
    struct str data_name; /* of <Data Name=…> that is open */
    unsigned params;      /* unnamed <Data> so far */
    struct str text;      /* of the innermost element */
    bool ended;
};

static bool blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

/* entity - what "&…;" stands for, as bytes in out; 0: none that we know. name is without '&' and ';'. Shorter than its name. */
static size_t entity(struct str name, char out[4])
{
    static const struct {
        struct str name;
        char c;
    } known[] = { { STR_INIT("lt"), '<' }, { STR_INIT("gt"), '>' }, { STR_INIT("amp"), '&' }, { STR_INIT("quot"), '"' },
                  { STR_INIT("apos"), '\'' } };
    uint32_t v = 0;
    bool hex;

    for (size_t i = 0; i < COUNT(known); i++)
        if (str_eq(name, known[i].name))
            return out[0] = known[i].c, 1;
    if (!take(&name, STR("#")) || name.n == 0 || name.n > 8)
        return 0;
    hex = *name.p == 'x' || *name.p == 'X';
    name = str_cut(name, hex);
    if (name.n == 0)
        return 0;
    for (size_t i = 0; i < name.n; i++) {
        int d = hex ? hex_value(name.p[i]) : is_digit(name.p[i]) ? name.p[i] - '0' : -1;

        if (d < 0 || v > 0x10FFFF)
            return 0;
        v = v * (hex ? 16 : 10) + (uint32_t)d;
    }
    if (v == 0 || v > 0x10FFFF || (v >= 0xD800 && v <= 0xDFFF))
        return 0;
    return utf8_put(out, v);
}

struct str xml_decoded(struct form_pairs *f, struct str s)
{
    char *copy;
    size_t n = 0;

    if (str_chr(s, '&') < 0 || (copy = arena_alloc(f->arena, s.n)) == NULL)
        return s;
    for (size_t i = 0; i < s.n; i++) {
        size_t end = i + 1, got = 0;

        if (s.p[i] == '&') {
            while (end < s.n && end - i < 11 && s.p[end] != ';')
                end++;
            if (end < s.n && s.p[end] == ';')
                got = entity(str_of(s.p + i + 1, end - i - 1), copy + n);
            f->damaged = f->damaged || got == 0;
        }
        if (got) {
            n += got;
            i = end;
        } else {
            copy[n++] = s.p[i];
        }
    }
    return str_of(copy, n);
}

static struct str local(struct str name)
{
    ptrdiff_t colon = str_chr(name, ':');

    return colon >= 0 ? str_cut(name, (size_t)colon + 1) : name;
}

static bool inside(const struct xml *x, const char *element, int depth)
{
    return x->depth > depth && str_eq(x->path[depth], str_c(element));
}

static struct str joined(struct xml *x, const char *head, struct str name)
{
    size_t head_n = strlen(head);
    char *copy;

    name.n = min_size(name.n, EVENT_NAME_MAX - head_n);
    if ((copy = arena_alloc(x->out->arena, head_n + name.n)) == NULL)
        return (struct str){ NULL, 0 };
    memcpy(copy, head, head_n);
    if (name.n)
        memcpy(copy + head_n, name.p, name.n);
    return str_of(copy, head_n + name.n);
}

static void add(struct xml *x, struct str name, struct str value)
{
    value = str_trim(value);
    if (value.n)
        pairs_add(x->out, name, value);
}

/* add_data - a value of the event's own: its blanks are its own too ("cmd.exe /c "), rules look at them. */
static void add_data(struct xml *x, struct str name)
{
    if (str_trim(x->text).n)
        pairs_add(x->out, name, x->text);
}

static void attribute(struct xml *x, struct str element, struct str name, struct str value)
{
    if (inside(x, "System", 1)) {
        struct str field = winname_attribute(element, name);

        if (field.n)
            add(x, field, xml_decoded(x->out, value));
    } else if (str_eq(name, STR("Name")) && str_eq(element, STR("Data"))) {
        x->data_name = xml_decoded(x->out, value);
    } else if (str_eq(name, STR("Culture")) && str_eq(element, STR("RenderingInfo"))) {
        add(x, STR("rendered.culture"), value);
    }
}

/* take_attributes - up to '>' or "/>". False: damaged. *empty: the element is closed at once. */
static bool take_attributes(struct xml *x, struct str element, bool *empty)
{
    *empty = false;
    for (;;) {
        const char *name, *value;
        size_t name_n;
        char quote;

        while (x->p < x->end && blank(*x->p))
            x->p++;
        if (x->p < x->end && *x->p == '/') {
            *empty = true;
            x->p++;
        }
        if (x->p < x->end && *x->p == '>')
            return x->p++, true;
        name = x->p;
        while (x->p < x->end && *x->p != '=' && !blank(*x->p) && *x->p != '>' && *x->p != '/')
            x->p++;
        name_n = (size_t)(x->p - name);
        while (x->p < x->end && blank(*x->p))
            x->p++;
        if (x->p >= x->end || *x->p != '=' || name_n == 0)
            return false;
        x->p++;
        while (x->p < x->end && blank(*x->p))
            x->p++;
        if (x->p >= x->end || (*x->p != '"' && *x->p != '\''))
            return false;
        quote = *x->p++;
        value = x->p;
        while (x->p < x->end && *x->p != quote)
            x->p++;
        if (x->p >= x->end)
            return false;
        attribute(x, element, str_of(name, name_n), str_of(value, (size_t)(x->p++ - value)));
    }
}

/* event_data - <Data> with a name, without one, or another element with text. */
static void event_data(struct xml *x, struct str element)
{
    struct str name = x->data_name;

    if (str_eq(element, STR("Data")) && name.n == 0)
        name = arena_printf(x->out->arena, "param%u", ++x->params);
    else if (!str_eq(element, STR("Data")))
        name = element;
    add_data(x, joined(x, WIN_EVENT_DATA, name));
}

/* closed - the innermost element ends: its text is told by where it stands. */
static void closed(struct xml *x)
{
    struct str element = x->path[x->depth - 1];

    if (inside(x, "System", 1) && x->depth == 3) {
        if (winname_system(element).n)
            add(x, winname_system(element), x->text);
    } else if ((inside(x, "EventData", 1) || inside(x, "ProcessingErrorData", 1)) && x->depth == 3) {
        event_data(x, element);
    } else if (inside(x, "UserData", 1) && x->depth > 2) {
        add_data(x, joined(x, WIN_USER_DATA, element));
    } else if (inside(x, "RenderingInfo", 1)) {
        if (winname_rendered(element).n)
            add(x, winname_rendered(element), x->text);
    }
    x->text = x->data_name = (struct str){ NULL, 0 };
    if (--x->depth == 0)
        x->ended = true;
}

/* opened - "<name …>" from behind '<'. False: damaged. */
static bool opened(struct xml *x)
{
    const char *start = x->p;
    struct str name;
    bool empty;

    while (x->p < x->end && !blank(*x->p) && *x->p != '>' && *x->p != '/')
        x->p++;
    name = local(str_of(start, (size_t)(x->p - start)));
    if (name.n == 0 || x->depth == WINXML_DEPTH_MAX)
        return false;
    if (x->depth == 0 && !str_eq(name, STR("Event"))) /* <Events> around, or something that is no event */
        return take_attributes(x, name, &empty);
    if (x->depth == 2 && str_eq(x->path[1], STR("UserData")))
        add(x, STR(WIN_USER_DATA_ROOT), name);
    x->path[x->depth++] = name;
    x->text = x->data_name = (struct str){ NULL, 0 };
    if (!take_attributes(x, name, &empty))
        return false;
    if (empty)
        closed(x);
    return true;
}

/* skip_to - behind the next end. False: it does not come. */
static bool skip_to(struct xml *x, const char *end, struct str *inner)
{
    struct str rest = str_of(x->p, (size_t)(x->end - x->p));
    ptrdiff_t at = str_find(rest, str_c(end));

    if (at < 0)
        return false;
    *inner = str_left(rest, (size_t)at);
    x->p += (size_t)at + strlen(end);
    return true;
}

/* markup - at '<'. False: damaged, or nothing that an event may hold. */
static bool markup(struct xml *x)
{
    struct str rest = str_of(x->p, (size_t)(x->end - x->p)), inner;

    if (str_starts(rest, STR("<!--")))
        return skip_to(x, "-->", &inner);
    if (str_starts(rest, STR("<?")))
        return skip_to(x, "?>", &inner);
    if (str_starts(rest, STR("<![CDATA["))) {
        x->p += 9;
        if (!skip_to(x, "]]>", &inner))
            return false;
        if (inner.n && x->depth > 0)
            x->text = inner; /* as it stands: nothing in it is markup */
        return true;
    }
    if (str_starts(rest, STR("<!")))
        return false; /* DOCTYPE: not here */
    if (str_starts(rest, STR("</"))) {
        if (!skip_to(x, ">", &inner))
            return false;
        if (x->depth > 0)
            closed(x);
        return true;
    }
    x->p++;
    return opened(x);
}

bool winxml_looks(struct str s)
{
    skip_blanks(&s);
    if (s.n < 12 || *s.p != '<')
        return false;
    s = str_left(s, 400);
    return str_starts(s, STR("<Event ")) || str_starts(s, STR("<Event>")) || str_starts(s, STR("<Events")) ||
           (str_starts(s, STR("<?xml")) && has(s, STR("<Event")));
}

bool winxml_form_read(struct str s, const struct form_how *how, struct form_pairs *out)
{
    struct xml x = { .p = s.p, .end = s.p + s.n, .out = out };

    (void)how;
    while (x.p < x.end && !x.ended) {
        const char *start = x.p;

        while (x.p < x.end && *x.p != '<')
            x.p++;
        if (x.p > start && x.depth > 0 && str_trim(str_of(start, (size_t)(x.p - start))).n)
            x.text = xml_decoded(out, str_of(start, (size_t)(x.p - start)));
        if (x.p < x.end && !markup(&x))
            break;
    }
    if (!x.ended)
        out->damaged = true;
    return out->count > 0;
}

bool winxml_next(struct str *rest, struct str *event)
{
    struct str at = *rest;
    ptrdiff_t start, end;

    for (;;) {
        start = str_find(at, STR("<Event"));
        if (start < 0 || (size_t)start + 6 >= at.n)
            return false;
        at = str_cut(at, (size_t)start);
        if (blank(at.p[6]) || at.p[6] == '>')
            break;
        at = str_cut(at, 6); /* <Events>, <EventID> */
    }
    end = str_find(at, STR("</Event>"));
    if (end < 0)
        return false;
    *event = str_left(at, (size_t)end + 8);
    *rest = str_cut(at, (size_t)end + 8);
    return true;
}
