/* cef.c - the Common Event Format and LEEF as pairs; see forms.h.
 *
 *     CEF:0|Vendor|Product|Version|Event id|Name|Severity|key=value with blanks key2=a\=b
 *     LEEF:1.0|Vendor|Product|Version|Event id|key=value<TAB>key2=value
 *     LEEF:2.0|Vendor|Product|Version|Event id|^|key=value^key2=value           the delimiter may be hex: x5E, 0x5E
 *
 * In the header "\|" and "\\" are undone, in values of CEF "\=", "\\", "\|", "\n", "\r" and "\t". A value of CEF ends before
 * a blank, a key and "="; an "=" inside a word ("?id=7") parts nothing, so that addresses of pages stay whole although
 * many products do not escape them. */
#include "parse/forms_internal.h"

#define HEADER_PARTS 7

static bool key_char(char c)
{
    return is_alpha(c) || is_digit(c) || c == '_' || c == '.' || c == '-' || c == '[' || c == ']';
}

/* undo - backslashes away; s has some. What stands behind one and is no letter we know stands for itself. */
static struct str undo(struct arena *a, struct str s)
{
    char *copy = arena_alloc(a, s.n);
    size_t n = 0;

    if (!copy)
        return s;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];

        if (c != '\\' || i + 1 == s.n) {
            copy[n++] = c;
            continue;
        }
        c = s.p[++i];
        if (c == 'n' || c == 'r' || c == 't') {
            copy[n++] = c == 'n' ? '\n' : c == 'r' ? '\r' : '\t';
        } else {
            if (c != '\\' && c != '=' && c != '|' && c != '"')
                copy[n++] = '\\'; /* C:\Windows, not escaped by its writer */
            copy[n++] = c;
        }
    }
    return str_of(copy, n);
}

/* header_part - up to the next '|' that no backslash guards. False: there is none, *s as before. */
static bool header_part(struct str *s, struct arena *a, struct str *out)
{
    bool escaped = false;
    size_t n = 0;

    while (n < s->n && s->p[n] != '|') {
        if (s->p[n] == '\\' && n + 1 < s->n) {
            escaped = true;
            n++;
        }
        n++;
    }
    if (n >= s->n)
        return false;
    *out = str_left(*s, n);
    *s = str_cut(*s, n + 1);
    if (escaped)
        *out = undo(a, *out);
    return true;
}

/* pair - "key=value" at the head of s; the value up to the next key. blank: what parts pairs is a blank or a tab. */
static bool pair(struct str *s, struct form_pairs *out)
{
    struct str key, value;
    size_t n = 0, word;
    bool word_ok, escaped = false;

    while (n < s->n && key_char(s->p[n]))
        n++;
    if (n == 0 || n >= s->n || s->p[n] != '=')
        return false;
    key = str_left(*s, n);
    *s = str_cut(*s, n + 1);
    word = 0;
    word_ok = false; /* a key cannot stand right behind '=' */
    for (n = 0; n < s->n; n++) {
        char c = s->p[n];

        if (c == '\\' && n + 1 < s->n) {
            escaped = true;
            word_ok = false;
            n++;
        } else if (c == ' ' || c == '\t') {
            word = n + 1;
            word_ok = true;
        } else if (c == '=') {
            if (word_ok && n > word)
                break;
            word_ok = false;
        } else if (!key_char(c)) {
            word_ok = false;
        }
    }
    value = str_trim(str_left(*s, n < s->n ? word - 1 : s->n));
    *s = str_cut(*s, n < s->n ? word : s->n);
    pairs_add(out, key, escaped ? undo(out->arena, value) : value);
    return true;
}

static void pairs(struct str s, struct form_pairs *out)
{
    for (;;) {
        skip_blanks(&s);
        if (s.n == 0)
            return;
        if (pair(&s, out))
            continue;
        out->damaged = true; /* a word without '=' before the first key: what follows is read on */
        take_word(&s);
    }
}

struct str label_name(struct arena *a, struct str head, struct str label)
{
    size_t n = head.n;
    char *name;

    label = str_trim(label);
    label.n = min_size(label.n, 128);
    if (label.n == 0 || (name = arena_alloc(a, head.n + label.n)) == NULL)
        return (struct str){ NULL, 0 };
    memcpy(name, head.p, head.n);
    for (size_t i = 0; i < label.n; i++) {
        char c = label.p[i];

        if (c >= 'A' && c <= 'Z')
            name[n++] = (char)(c + 32);
        else if (is_alpha(c) || is_digit(c) || (unsigned char)c >= 0x80)
            name[n++] = c;
        else if (n > head.n && name[n - 1] != '_')
            name[n++] = '_';
    }
    while (n > head.n && name[n - 1] == '_')
        n--;
    return n > head.n ? str_of(name, n) : (struct str){ NULL, 0 };
}

/* labels - "cs1=x cs1Label=Rule Name" says label.rule_name = x besides. */
static void labels(struct form_pairs *out)
{
    uint32_t count = out->count;

    for (uint32_t i = 0; i < count; i++) {
        struct event_field l = out->items[i];
        struct str value;

        if (l.name.n <= 5 || !str_ends(l.name, STR("Label")))
            continue;
        value = pairs_get(out, str_left(l.name, l.name.n - 5));
        if (value.n) {
            struct str name = label_name(out->arena, STR("label."), l.value);

            if (name.n)
                pairs_add(out, name, value);
        }
    }
}

bool cef_looks(struct str s) { return str_starts(s, STR("CEF:")) && s.n > 6 && memchr(s.p, '|', min_size(s.n, 12)); }

bool cef_form_read(struct str s, const struct form_how *how, struct form_pairs *out)
{
    static const struct str names[HEADER_PARTS] = {
        STR_INIT("cef.version"),        STR_INIT("cef.device.vendor"), STR_INIT("cef.device.product"),
        STR_INIT("cef.device.version"), STR_INIT("cef.device.event_class_id"), STR_INIT("cef.name"),
        STR_INIT("cef.severity"),
    };
    struct str part;

    if (!take(&s, STR("CEF:")))
        return false;
    for (int i = 0; i < HEADER_PARTS; i++) {
        if (header_part(&s, out->arena, &part)) {
            pairs_add(out, names[i], str_trim(part));
            continue;
        }
        if (i < 5)
            return out->count = 0, false;
        pairs_add(out, names[i], str_trim(s)); /* a header that ends without extension */
        out->damaged = i < HEADER_PARTS - 1;
        return true;
    }
    pairs(s, out);
    if (how->once)
        pairs_once(out, how);
    labels(out);
    return true;
}

/* --- LEEF --- */

bool leef_looks(struct str s) { return str_starts(s, STR("LEEF:")) && s.n > 8 && memchr(s.p, '|', min_size(s.n, 12)); }

/* delimiter_of - one byte, or "x5E", "0x5e"; 0: it is none. */
static char delimiter_of(struct str s)
{
    uint32_t v = 0;

    if (s.n == 1)
        return *s.p;
    take(&s, STR("0"));
    if ((!take(&s, STR("x")) && !take(&s, STR("X"))) || s.n == 0 || s.n > 4)
        return 0;
    for (size_t i = 0; i < s.n; i++) {
        if (hex_value(s.p[i]) < 0)
            return 0;
        v = v * 16 + (uint32_t)hex_value(s.p[i]);
    }
    return v > 0 && v < 0x80 ? (char)v : 0;
}

/* by_delimiter - values hold no escapes; a piece without '=' belongs to the value before it. */
static void by_delimiter(struct str s, char delimiter, struct form_pairs *out)
{
    struct str piece;

    while (str_split(&s, delimiter, &piece)) {
        ptrdiff_t eq = str_chr(piece, '=');

        if (eq > 0)
            pairs_add(out, str_trim(str_left(piece, (size_t)eq)), str_trim(str_cut(piece, (size_t)eq + 1)));
        else if (str_trim(piece).n)
            out->damaged = true;
    }
}

bool leef_form_read(struct str s, const struct form_how *how, struct form_pairs *out)
{
    static const struct str names[5] = { STR_INIT("leef.version"), STR_INIT("leef.device.vendor"),
                                         STR_INIT("leef.device.product"), STR_INIT("leef.device.version"),
                                         STR_INIT("leef.event_id") };
    struct str part, back;
    char delimiter = how->delimiter;

    if (!take(&s, STR("LEEF:")))
        return false;
    for (int i = 0; i < 5; i++) {
        if (!header_part(&s, out->arena, &part)) {
            if (i < 4)
                return out->count = 0, false;
            part = s;
            s = str_cut(s, s.n);
        }
        pairs_add(out, names[i], str_trim(part));
    }
    back = s;
    if (str_starts(out->items[0].value, STR("2")) && header_part(&s, out->arena, &part)) {
        char said = delimiter_of(str_trim(part));

        if (said && !delimiter)
            delimiter = said;
        else if (part.n && !said)
            s = back; /* no delimiter field: the first pair stands here */
    }
    if (!delimiter && str_chr(s, '\t') < 0)
        pairs(s, out); /* tabs that became blanks on the way */
    else
        by_delimiter(s, delimiter ? delimiter : '\t', out);
    return true;
}
