/* elements.c - any small XML record as pairs: the names of elements below the root joined by dots, text and attributes alike; see forms.h.
 *
 *     <AuditRecord><Action>100</Action><Client ip="192.0.2.7"/></AuditRecord>      Action=100  Client.ip=192.0.2.7
 *     <AUDIT_RECORD NAME="Query" USER="ann[ann] @ app [192.0.2.7]"/>               NAME=Query  USER=ann[ann] @ app [192.0.2.7]
 *
 * The form of products whose audit is XML (Oracle, MySQL, Exchange's and others' own). Of the language it knows elements, attributes, the
 * five entities, numbers of letters and CDATA: no DOCTYPE, so no entities of a stranger. Prefixes of namespaces are left out. No
 * recursion: a stack of ELEMENTS_DEPTH_MAX lengths over one name that grows and shrinks. */
#include "parse/forms_internal.h"

#define ELEMENTS_DEPTH_MAX 16

struct elements {
    const char *p, *end;
    struct form_pairs *out;
    char name[EVENT_NAME_MAX];
    size_t name_n, ends[ELEMENTS_DEPTH_MAX]; /* where the name ended before each open element */
    int depth;
    struct str text; /* of the innermost element */
    bool ended;
};

static bool blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

static void give(struct elements *x, struct str leaf, struct str value)
{
    size_t dot = x->name_n && leaf.n, n = x->name_n + dot + leaf.n;
    char *name;

    value = str_trim(xml_decoded(x->out, value));
    if (value.n == 0 || n == 0)
        return;
    if (n > EVENT_NAME_MAX || (name = arena_alloc(x->out->arena, n)) == NULL) {
        x->out->damaged = true;
        return;
    }
    memcpy(name, x->name, x->name_n);
    if (dot)
        name[x->name_n] = '.';
    if (leaf.n)
        memcpy(name + x->name_n + dot, leaf.p, leaf.n);
    pairs_add(x->out, str_of(name, n), value);
}

/* push - below the root the element's name is joined to those around it. False: too deep, or too long. */
static bool push(struct elements *x, struct str name)
{
    if (x->depth == ELEMENTS_DEPTH_MAX)
        return false;
    x->ends[x->depth] = x->name_n;
    if (x->depth++ == 0)
        return true;
    if (x->name_n + 1 + name.n > sizeof x->name)
        return false;
    if (x->name_n)
        x->name[x->name_n++] = '.';
    memcpy(x->name + x->name_n, name.p, name.n);
    x->name_n += name.n;
    return true;
}

static void pop(struct elements *x)
{
    if (x->depth == 0)
        return;
    if (x->text.n)
        give(x, (struct str){ NULL, 0 }, x->text);
    x->text = (struct str){ NULL, 0 };
    x->name_n = x->ends[--x->depth];
    x->ended = x->depth == 0;
}

/* word - up to a blank or one of "=/>"; without the prefix of its namespace. */
static struct str word(struct elements *x)
{
    const char *start = x->p;
    struct str s;
    ptrdiff_t colon;

    while (x->p < x->end && !blank(*x->p) && *x->p != '=' && *x->p != '/' && *x->p != '>')
        x->p++;
    s = str_of(start, (size_t)(x->p - start));
    colon = str_chr(s, ':');
    return colon >= 0 ? str_cut(s, (size_t)colon + 1) : s;
}

static void blanks(struct elements *x)
{
    while (x->p < x->end && blank(*x->p))
        x->p++;
}

/* attribute - NAME="VALUE". False: it is none. */
static bool attribute(struct elements *x)
{
    bool space = str_starts(str_of(x->p, (size_t)(x->end - x->p)), STR("xmlns"));
    struct str name = word(x), value;
    const void *close;

    blanks(x);
    if (name.n == 0 || x->p >= x->end || *x->p != '=')
        return false;
    x->p++;
    blanks(x);
    if (x->p >= x->end || (*x->p != '"' && *x->p != '\''))
        return false;
    close = memchr(x->p + 1, *x->p, (size_t)(x->end - x->p) - 1);
    if (!close)
        return false;
    value = str_of(x->p + 1, (size_t)((const char *)close - x->p) - 1);
    x->p = (const char *)close + 1;
    if (!space)
        give(x, name, value);
    return true;
}

/* opened - from behind '<'. False: damaged. */
static bool opened(struct elements *x)
{
    struct str name = word(x);

    x->text = (struct str){ NULL, 0 };
    if (name.n == 0 || !push(x, name))
        return false;
    for (;;) {
        blanks(x);
        if (x->p < x->end && *x->p == '>')
            return x->p++, true;
        if (x->end - x->p > 1 && x->p[0] == '/' && x->p[1] == '>') {
            x->p += 2;
            pop(x);
            return true;
        }
        if (!attribute(x))
            return false;
    }
}

/* skip_to - behind the next end. False: it does not come. */
static bool skip_to(struct elements *x, struct str end, struct str *inner)
{
    struct str rest = str_of(x->p, (size_t)(x->end - x->p));
    ptrdiff_t at = str_find(rest, end);

    if (at < 0)
        return false;
    *inner = str_left(rest, (size_t)at);
    x->p += (size_t)at + end.n;
    return true;
}

/* markup - at '<'. False: damaged, or what no record may hold. */
static bool markup(struct elements *x)
{
    struct str rest = str_of(x->p, (size_t)(x->end - x->p)), inner;

    if (str_starts(rest, STR("<!--")))
        return skip_to(x, STR("-->"), &inner);
    if (str_starts(rest, STR("<?")))
        return skip_to(x, STR("?>"), &inner);
    if (str_starts(rest, STR("<![CDATA["))) {
        x->p += 9;
        if (!skip_to(x, STR("]]>"), &inner))
            return false;
        if (x->depth > 1 && str_chr(inner, '&') < 0)
            x->text = inner;
        else if (x->depth > 1)
            pairs_add(x->out, arena_copy(x->out->arena, str_of(x->name, x->name_n)), inner); /* as it stands: '&' means itself */
        return true;
    }
    if (str_starts(rest, STR("<!")))
        return false; /* DOCTYPE: not here */
    if (str_starts(rest, STR("</"))) {
        if (!skip_to(x, STR(">"), &inner))
            return false;
        pop(x);
        return true;
    }
    x->p++;
    return opened(x);
}

bool elements_looks(struct str s)
{
    skip_blanks(&s);
    return s.n > 3 && *s.p == '<' && (is_alpha(s.p[1]) || s.p[1] == '?') && str_chr(s, '>') > 0;
}

bool elements_form_read(struct str s, const struct form_how *how, struct form_pairs *out)
{
    struct elements x = { .p = s.p, .end = s.p + s.n, .out = out };

    (void)how;
    if (!elements_looks(s))
        return false;
    while (x.p < x.end && !x.ended) {
        const char *start = x.p;

        while (x.p < x.end && *x.p != '<')
            x.p++;
        if (x.depth > 1 && str_trim(str_of(start, (size_t)(x.p - start))).n)
            x.text = str_of(start, (size_t)(x.p - start));
        if (x.p < x.end && !markup(&x))
            break;
    }
    if (!x.ended)
        out->damaged = true;
    return out->count > 0;
}
