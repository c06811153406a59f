/* wef_xml.c - XML, piece by piece: what the messages, bookmarks and queries of Windows need, and no more; see wef.h.
 *
 * A well-kept reader of XML is at hand (expat), but it is strict, as it should be: events of Windows hold bytes that XML 1.0 has no place for
 * (a 0x05 in the name of a device), and one such event would make its whole batch unreadable, again and again. This one looks at markup alone and
 * lets every other byte pass. Names must be closed in order, which finds whatever is cut or out of step. */
#include "ingest/wef.h"
#include "parse/forms.h"

void xpull_from(struct xpull *x, struct str text)
{
    *x = (struct xpull){ .p = text.p, .end = text.p ? text.p + text.n : NULL, .at = text.p };
}

static bool blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

static enum xtoken damaged(struct xpull *x, const char *why)
{
    x->why = why;
    x->p = x->at;
    return X_DAMAGED;
}

static struct str left(const struct xpull *x) { return str_of(x->p, (size_t)(x->end - x->p)); }

static struct str local(struct str name)
{
    ptrdiff_t colon = str_chr(name, ':');

    return colon >= 0 ? str_cut(name, (size_t)colon + 1) : name;
}

/* tag_end - the '>' of a tag, outside of quotes; NULL if it does not come. */
static const char *tag_end(const struct xpull *x)
{
    char quote = 0;

    for (const char *p = x->p; p < x->end; p++) {
        if (quote)
            quote = *p == quote ? 0 : quote;
        else if (*p == '"' || *p == '\'')
            quote = *p;
        else if (*p == '>')
            return p;
        else if (*p == '<')
            return NULL;
    }
    return NULL;
}

static enum xtoken opened(struct xpull *x)
{
    const char *end, *p;

    x->p++;
    end = tag_end(x);
    if (!end)
        return damaged(x, "a tag has no end");
    for (p = x->p; p < end && !blank(*p) && *p != '/'; p++)
        ;
    x->name = local(str_of(x->p, (size_t)(p - x->p)));
    x->attributes = str_of(p, (size_t)(end - p));
    x->closing = end > x->p && end[-1] == '/';
    if (x->closing)
        x->attributes.n--;
    if (x->name.n == 0)
        return damaged(x, "a tag has no name");
    if (x->depth == WEF_DEPTH_MAX)
        return damaged(x, "elements stand in each other too deeply");
    x->path[x->depth++] = x->name;
    x->p = end + 1;
    return X_OPEN;
}

static enum xtoken closed(struct xpull *x)
{
    struct str rest = str_cut(left(x), 2);
    ptrdiff_t end = str_chr(rest, '>');
    struct str name = end < 0 ? rest : local(str_trim(str_of(rest.p, (size_t)end)));

    if (end < 0)
        return damaged(x, "a tag has no end");
    if (x->depth == 0 || !str_eq(x->path[x->depth - 1], name))
        return damaged(x, "an element is closed that is not open");
    x->p = rest.p + end + 1;
    x->name = name;
    x->depth--;
    return X_CLOSE;
}

/* passed - is x at head, which ends with tail? Then x is behind it, and *inner is what stands between. *lost: the tail does not come. */
static bool passed(struct xpull *x, struct str head, struct str tail, struct str *inner, bool *lost)
{
    struct str rest = left(x);
    ptrdiff_t end;

    if (!str_starts(rest, head))
        return false;
    rest = str_cut(rest, head.n);
    end = str_find(rest, tail);
    *lost = end < 0;
    if (end >= 0) {
        *inner = str_of(rest.p, (size_t)end);
        x->p = rest.p + end + tail.n;
    }
    return true;
}

enum xtoken xpull_next(struct xpull *x)
{
    struct str inner;
    bool lost = false;

    for (;;) {
        x->at = x->p;
        if (x->closing) {
            x->closing = false;
            x->depth--;
            return X_CLOSE;
        }
        if (x->p == x->end)
            return x->depth ? damaged(x, "the text ends within an element") : X_END;
        if (*x->p != '<') {
            ptrdiff_t to = str_chr(left(x), '<');

            x->text = to < 0 ? left(x) : str_of(x->p, (size_t)to);
            x->cdata = false;
            x->p += x->text.n;
            return X_TEXT;
        }
        if (passed(x, STR("<![CDATA["), STR("]]>"), &inner, &lost) && !lost) {
            x->text = inner;
            x->cdata = true;
            return X_TEXT;
        }
        if (!lost && (passed(x, STR("<!--"), STR("-->"), &inner, &lost) || passed(x, STR("<?"), STR("?>"), &inner, &lost)) && !lost)
            continue;
        if (lost)
            return damaged(x, "a comment or a part of text has no end");
        if (str_starts(left(x), STR("<!")))
            return damaged(x, "a document type has no place here");
        return str_starts(left(x), STR("</")) ? closed(x) : opened(x);
    }
}

bool xpull_attribute(const struct xpull *x, struct str name, struct str *value)
{
    struct str rest = x->attributes;

    for (;;) {
        ptrdiff_t eq, end;
        struct str key;

        rest = str_trim(rest);
        eq = str_chr(rest, '=');
        if (eq < 0)
            return false;
        key = local(str_trim(str_of(rest.p, (size_t)eq)));
        rest = str_trim(str_cut(rest, (size_t)eq + 1));
        if (rest.n < 2 || (*rest.p != '"' && *rest.p != '\''))
            return false;
        end = str_chr(str_cut(rest, 1), *rest.p);
        if (end < 0)
            return false;
        *value = str_of(rest.p + 1, (size_t)end);
        if (str_eq(key, name))
            return true;
        rest = str_cut(rest, (size_t)end + 2);
    }
}

struct str xpull_decoded(struct str text, struct arena *a)
{
    struct form_pairs f = { .arena = a };

    return xml_decoded(&f, text);
}

void xml_put(struct buf *b, struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        switch (text.p[i]) {
        case '<': buf_str(b, STR("&lt;")); break;
        case '>': buf_str(b, STR("&gt;")); break;
        case '&': buf_str(b, STR("&amp;")); break;
        case '"': buf_str(b, STR("&quot;")); break;
        case '\'': buf_str(b, STR("&apos;")); break;
        default: buf_byte(b, text.p[i]);
        }
    }
}
