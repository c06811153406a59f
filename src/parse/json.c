/* json.c - one JSON object as dotted fields; see internal.h.
 *
 * Iterative: a stack of open containers, each with the length of its name. Strings without escapes are views into the
 * line; numbers stay the text that was written. Arrays give their members' values under the array's own name. */
#include "parse/forms_internal.h"
#include "base/utf8.h"

#define JSON_DEPTH_MAX 32 /* deeper than any log; the rest of the line is then not read */

struct level {
    bool array;
    uint16_t name_n; /* length of the name before this container's keys */
};

struct json {
    struct work *w;
    const char *p, *end;
    struct level level[JSON_DEPTH_MAX];
    int depth;
    char name[EVENT_NAME_MAX];
    size_t name_n;
    struct str key; /* a view if the name is just this key, else empty */
};

static void blanks(struct json *j)
{
    while (j->p < j->end && (*j->p == ' ' || *j->p == '\t' || *j->p == '\n' || *j->p == '\r'))
        j->p++;
}

static int32_t hex4(const char *p, const char *end)
{
    int32_t v = 0;

    if (end - p < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        if (hex_value(p[i]) < 0)
            return -1;
        v = v * 16 + hex_value(p[i]);
    }
    return v;
}

/* code_point - after "\u": one unit or a pair; a lone half becomes U+FFFD. -1: not four hex digits. */
static int32_t code_point(const char **p, const char *end)
{
    int32_t c = hex4(*p, end), low;

    if (c < 0)
        return -1;
    *p += 4;
    if (c < 0xD800 || c > 0xDFFF)
        return c;
    if (c < 0xDC00 && end - *p >= 6 && (*p)[0] == '\\' && (*p)[1] == 'u') {
        low = hex4(*p + 2, end);
        if (low >= 0xDC00 && low <= 0xDFFF) {
            *p += 6;
            return 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
        }
    }
    return 0xFFFD;
}

/* unescape - the text of a string with escapes, in the arena. An escape is never shorter than what it stands for. */
static bool unescape(struct json *j, struct str raw, struct str *out)
{
    const char *p = raw.p, *end = raw.p + raw.n;
    char *copy = arena_alloc(j->w->arena, raw.n);
    size_t n = 0;

    if (!copy)
        return false;
    while (p < end) {
        int32_t c;

        if (*p != '\\') {
            copy[n++] = *p++;
            continue;
        }
        if (++p == end)
            return false;
        switch (*p++) {
        case '"':
            copy[n++] = '"';
            break;
        case '\\':
            copy[n++] = '\\';
            break;
        case '/':
            copy[n++] = '/';
            break;
        case 'b':
            copy[n++] = '\b';
            break;
        case 'f':
            copy[n++] = '\f';
            break;
        case 'n':
            copy[n++] = '\n';
            break;
        case 'r':
            copy[n++] = '\r';
            break;
        case 't':
            copy[n++] = '\t';
            break;
        case 'u':
            if ((c = code_point(&p, end)) < 0)
                return false;
            n += utf8_put(copy + n, (uint32_t)c);
            break;
        default:
            return false;
        }
    }
    *out = str_of(copy, n);
    return true;
}

/* string - j->p is at the quote. */
static bool string(struct json *j, struct str *out)
{
    const char *start = ++j->p;
    bool escapes = false;

    while (j->p < j->end && *j->p != '"') {
        if (*j->p == '\\') {
            escapes = true;
            j->p++;
        }
        j->p++;
    }
    if (j->p >= j->end)
        return false;
    *out = str_of(start, (size_t)(j->p++ - start));
    return escapes ? unescape(j, *out, out) : true;
}

/* literal - number, true, false or null, as written. */
static bool literal(struct json *j, struct str *out)
{
    const char *start = j->p;

    while (j->p < j->end && (is_digit(*j->p) || is_alpha(*j->p) || memchr("+-.", *j->p, 3)))
        j->p++;
    *out = str_of(start, (size_t)(j->p - start));
    if (out->n == 0)
        return false;
    if (is_digit(*start) || *start == '-') {
        for (size_t i = 0; i < out->n; i++)
            if (is_alpha(out->p[i]) && out->p[i] != 'e' && out->p[i] != 'E')
                return false;
        return is_digit(start[out->n - 1]);
    }
    return str_eq(*out, STR("true")) || str_eq(*out, STR("false")) || str_eq(*out, STR("null"));
}

/* name_key - the name of the field is the open container's name, a dot, and key. False: too long. */
static bool name_key(struct json *j, struct str key)
{
    size_t n = j->level[j->depth - 1].name_n;

    j->key = n == 0 ? key : (struct str){ NULL, 0 };
    if (n + 1 + key.n > sizeof j->name)
        return false;
    if (n)
        j->name[n++] = '.';
    if (key.n)
        memcpy(j->name + n, key.p, key.n);
    j->name_n = n + key.n;
    return true;
}

static void add_value(struct json *j, struct str value)
{
    struct str name = j->key;

    if (value.n == 0 || j->name_n == 0)
        return;
    if (name.n == 0)
        name = arena_copy(j->w->arena, str_of(j->name, j->name_n));
    if (name.n == 0)
        j->w->trouble = true;
    else
        work_add(j->w, name, value);
}

static bool open_container(struct json *j)
{
    if (j->depth == JSON_DEPTH_MAX)
        return false;
    j->level[j->depth++] = (struct level){ *j->p == '[', (uint16_t)j->name_n };
    j->p++;
    return true;
}

/* member - the next key or value of the open container. False: the text is damaged. */
static bool member(struct json *j)
{
    struct str text;
    bool array = j->level[j->depth - 1].array;

    if (array) {
        j->name_n = j->level[j->depth - 1].name_n; /* members share the array's name; inner keys have moved it */
        j->key = (struct str){ NULL, 0 };
    } else {
        if (*j->p != '"' || !string(j, &text))
            return false;
        blanks(j);
        if (j->p >= j->end || *j->p++ != ':' || !name_key(j, text))
            return false;
        blanks(j);
    }
    if (j->p >= j->end)
        return false;
    if (*j->p == '{' || *j->p == '[')
        return open_container(j);
    if (*j->p == '"') {
        if (!string(j, &text))
            return false;
    } else if (!literal(j, &text)) {
        return false;
    } else if (str_eq(text, STR("null"))) {
        text.n = 0;
    }
    add_value(j, text);
    return true;
}

/* walk - until the outermost container closes. */
static bool walk(struct json *j)
{
    bool first = true; /* no comma is due */

    while (j->depth > 0) {
        char close = j->level[j->depth - 1].array ? ']' : '}';
        int depth = j->depth;

        blanks(j);
        if (j->p >= j->end)
            return false;
        if (*j->p == close) {
            j->p++;
            j->depth--;
            first = false;
            continue;
        }
        if (!first) {
            if (*j->p++ != ',')
                return false;
            blanks(j);
            if (j->p >= j->end)
                return false;
        }
        if (!member(j))
            return false;
        first = j->depth > depth;
    }
    return true;
}

bool json_object(struct work *w, struct str s)
{
    struct json j;

    s = str_trim(s);
    if (s.n < 2 || *s.p != '{')
        return false;
    j.w = w;
    j.p = s.p;
    j.end = s.p + s.n;
    j.depth = 0;
    j.name_n = 0;
    j.key = (struct str){ NULL, 0 };
    open_container(&j);
    if (!walk(&j)) {
        w->trouble = true;
        return false;
    }
    blanks(&j);
    if (j.p < j.end)
        w->trouble = true; /* something stands behind the object */
    return true;
}

/* --- as a form: an event of nothing but fields takes the pairs --- */

bool json_looks(struct str s) { return s.n > 1 && *s.p == '{'; }

bool json_form_read(struct str s, const struct form_how *how, struct form_pairs *out)
{
    struct event ev = { .field_count = 0 };
    struct noted noted[EVENT_FIELDS_MAX];
    struct work w = { .arena = out->arena, .ev = &ev, .noted = noted };
    bool whole = json_object(&w, s);

    (void)how;
    out->items = ev.fields;
    out->count = ev.field_count;
    out->cap = ev.field_cap;
    out->damaged = w.trouble;
    return whole || ev.field_count > 0;
}
