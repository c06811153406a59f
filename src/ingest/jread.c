/* jread.c - see jread.h. One variable says what is due; a stack of bits says in what we are. */
#include "ingest/jread.h"
#include "base/utf8.h"

struct jread jread_of(struct str s, struct arena *a)
{
    const char *p = s.n ? s.p : "";

    return (struct jread){ .start = p, .p = p, .end = p + s.n, .arena = a };
}

static enum jtoken bad(struct jread *r, const char *what)
{
    if (!r->bad)
        r->bad = what;
    return J_BAD;
}

static void blanks(struct jread *r)
{
    while (r->p < r->end && (*r->p == ' ' || *r->p == '\n' || *r->p == '\r' || *r->p == '\t'))
        r->p++;
}

static int hex(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* unit - the four hex digits at p, -1 if they are none. */
static int32_t unit(const char *p, const char *end)
{
    int32_t v = 0;

    if (end - p < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        if (hex(p[i]) < 0)
            return -1;
        v = v * 16 + hex(p[i]);
    }
    return v;
}

/* escape - what stands behind a backslash at *p, as bytes in out; 0 if it is no escape. Never longer than it was written. */
static size_t escape(const char **p, const char *end, char out[4])
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char *at;
    int32_t c, low;

    if (*p == end)
        return 0;
    at = **p ? strchr(from, **p) : NULL;
    if (at) {
        (*p)++;
        return out[0] = to[at - from], 1;
    }
    if (*(*p)++ != 'u' || (c = unit(*p, end)) < 0)
        return 0;
    *p += 4;
    if (c >= 0xD800 && c < 0xDC00 && end - *p >= 6 && (*p)[0] == '\\' && (*p)[1] == 'u' && (low = unit(*p + 2, end)) >= 0xDC00 && low <= 0xDFFF) {
        *p += 6;
        c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
    } else if (c >= 0xD800 && c <= 0xDFFF) {
        c = 0xFFFD;
    }
    return utf8_put(out, (uint32_t)c);
}

static bool unescape(struct jread *r, struct str raw, struct str *out)
{
    const char *p = raw.p, *end = raw.p + raw.n;
    char *copy = arena_alloc(r->arena, raw.n);
    size_t n = 0;

    while (copy && p < end) {
        char one[4];
        size_t got;

        if (*p != '\\') {
            copy[n++] = *p++;
            continue;
        }
        p++;
        got = escape(&p, end, one);
        if (got == 0)
            return false;
        memcpy(copy + n, one, got);
        n += got;
    }
    *out = str_of(copy, n);
    return copy != NULL;
}

/* string - p stands behind the quote. */
static bool string(struct jread *r, struct str *out)
{
    const char *start = r->p;
    bool escapes = false;

    while (r->p < r->end && *r->p != '"') {
        if (*r->p == '\\') {
            escapes = true;
            r->p++;
        }
        if (r->p < r->end)
            r->p++;
    }
    if (r->p == r->end)
        return bad(r, "the end of a string"), false;
    *out = str_of(start, (size_t)(r->p++ - start));
    if (escapes && !r->skim && !unescape(r, *out, out))
        return bad(r, "a known escape"), false;
    return true;
}

/* number - RFC 8259: no leading zero or plus is asked about, senders differ; it begins with a digit or a minus and ends in a digit. */
static enum jtoken number(struct jread *r, struct str *out)
{
    const char *start = r->p;

    if (*r->p == '-')
        r->p++;
    if (r->p == r->end || *r->p < '0' || *r->p > '9')
        return bad(r, "a value");
    while (r->p < r->end && ((*r->p >= '0' && *r->p <= '9') || *r->p == '.' || *r->p == 'e' || *r->p == 'E' || *r->p == '+' || *r->p == '-'))
        r->p++;
    *out = str_of(start, (size_t)(r->p - start));
    return r->p[-1] >= '0' && r->p[-1] <= '9' ? J_NUMBER : bad(r, "a number");
}

static enum jtoken word(struct jread *r, struct str *out)
{
    static const struct {
        struct str  text;
        enum jtoken token;
    } words[] = { { STR_INIT("true"), J_TRUE }, { STR_INIT("false"), J_FALSE }, { STR_INIT("null"), J_NULL } };
    struct str left = str_of(r->p, (size_t)(r->end - r->p));

    for (size_t i = 0; i < COUNT(words); i++)
        if (str_starts(left, words[i].text)) {
            *out = str_of(r->p, words[i].text.n);
            r->p += words[i].text.n;
            return words[i].token;
        }
    return number(r, out);
}

static enum jtoken open_container(struct jread *r, bool array)
{
    if (r->depth == JREAD_DEPTH_MAX)
        return bad(r, "fewer levels");
    r->array[r->depth++] = array;
    r->due = JDUE_FIRST;
    r->keyed = false;
    r->p++;
    return array ? J_ARRAY : J_OBJECT;
}

static enum jtoken close_container(struct jread *r)
{
    bool array = r->array[--r->depth];

    r->p++;
    r->due = r->depth ? JDUE_NEXT : JDUE_VALUE;
    return array ? J_ARRAY_END : J_OBJECT_END;
}

static enum jtoken value(struct jread *r, struct str *text)
{
    enum jtoken t = J_STRING;

    if (*r->p == '{' || *r->p == '[')
        return open_container(r, *r->p == '[');
    if (*r->p != '"') {
        t = word(r, text);
    } else {
        r->p++;
        if (!string(r, text))
            return J_BAD;
    }
    r->due = r->depth ? JDUE_NEXT : JDUE_VALUE;
    r->keyed = false;
    return t;
}

static enum jtoken key(struct jread *r, struct str *text)
{
    if (*r->p != '"')
        return bad(r, "a name in quotes");
    r->p++;
    if (!string(r, text))
        return J_BAD;
    blanks(r);
    if (r->p == r->end || *r->p != ':')
        return bad(r, "a colon");
    r->p++;
    r->due = JDUE_VALUE;
    r->keyed = true;
    return J_KEY;
}

enum jtoken jread_next(struct jread *r, struct str *text)
{
    *text = str_of(NULL, 0);
    if (r->bad)
        return J_BAD;
    blanks(r);
    if (r->p == r->end)
        return r->depth ? bad(r, "the end of an object or array") : J_END;
    if (r->depth == 0 || r->keyed)
        return value(r, text);
    if (*r->p == (r->array[r->depth - 1] ? ']' : '}') && r->due != JDUE_VALUE)
        return close_container(r);
    if (r->due == JDUE_NEXT) {
        if (*r->p != ',')
            return bad(r, "a comma");
        r->p++;
        r->due = JDUE_VALUE;       /* nothing but a member may follow a comma */
        blanks(r);
        if (r->p == r->end)
            return bad(r, "the end of an object or array");
    }
    return r->array[r->depth - 1] ? value(r, text) : key(r, text);
}

bool jread_skip(struct jread *r, enum jtoken t)
{
    int depth = r->depth - 1;
    struct str text;

    if (t != J_OBJECT && t != J_ARRAY)
        return t != J_BAD && t != J_END;
    r->skim = true;
    while (r->depth > depth && !r->bad)
        (void)jread_next(r, &text);
    r->skim = false;
    return !r->bad;
}

enum jtoken jread_value(struct jread *r, struct str *raw, struct str *text)
{
    const char *start;
    enum jtoken t;

    blanks(r);
    start = r->p;
    t = jread_next(r, text);
    if (!jread_skip(r, t))
        return t == J_END ? J_END : J_BAD;
    *raw = str_of(start, (size_t)(r->p - start));
    return t;
}

static int digit64(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

bool jread_base64(struct jread *r, struct str s, struct str *out)
{
    char *to;
    uint32_t held = 0;
    size_t n = 0;
    int bits = 0;

    while (s.n && s.p[s.n - 1] == '=')
        s.n--;
    to = arena_alloc(r->arena, s.n + 1);
    if (!to || s.n % 4 == 1)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        int d = digit64(s.p[i]);

        if (d < 0)
            return false;
        held = held << 6 | (uint32_t)d;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            to[n++] = (char)(held >> bits & 0xFF);
        }
    }
    *out = str_of(to, n);
    return true;
}

int jread_err(const struct jread *r, struct err *e, const char *what)
{
    return err_at(e, -EBADMSG, (size_t)(r->p - r->start), "%s: expected %s at byte %zu", what, r->bad ? r->bad : "something else",
                  (size_t)(r->p - r->start));
}
