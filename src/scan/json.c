/* json.c - JSON reports, read token by token with an explicit stack: one document, several behind each other, or a line each.
 *
 * The items of an array become children with the name of the member that holds it, so the array itself is no level of the tree;
 * an array inside of an array is one, and its items are named "item". Bare control letters in texts and NaN are let pass,
 * because exporters write them; broken UTF-8 is not. */
#include "scan/internal.h"
#include "base/utf8.h"

enum place { AT_VALUE, AT_KEY_OR_END, AT_KEY, AT_COLON, AT_COMMA_OR_END, AT_ITEM_OR_END };

struct holder {
    bool       array, opened;     /* opened: it is a node itself */
    uint32_t   id;                /* of the key being read, or of the items */
    uint64_t   count;
    struct buf name;
};

struct json {
    struct readers_arg *r;
    struct err         *e;
    char               *p;
    size_t              at, n;
    uint64_t            base;      /* offset of p in the report */
    uint64_t            line, line_at;
    struct buf          text;
    struct holder       stack[SCAN_DEPTH_MAX + 1];
    size_t              depth;
    bool                end;
};

static int broken(struct json *j, const char *what)
{
    return read_broken(j->r, j->e, j->line, j->base + j->at - j->line_at + 1, what);
}

/* refill - the next piece; false at the end or on a failure, which rc then tells. */
static bool refill(struct json *j, int *rc)
{
    long got;

    if (j->end)
        return false;
    j->base += j->n;
    j->at = j->n = 0;
    got = source_read(j->r->source, j->p, j->r->source->piece, j->e);
    if (got < 0)
        *rc = (int)got;
    if (got <= 0)
        j->end = true;
    else
        j->n = (size_t)got;
    return got > 0;
}

/* next - the next byte that is no blank, not taken; 0 at the end. */
static char next(struct json *j, int *rc)
{
    for (;;) {
        for (; j->at < j->n; j->at++) {
            char c = j->p[j->at];

            if (c == '\n') {
                j->line++;
                j->line_at = j->base + j->at + 1;
            } else if (c != ' ' && c != '\t' && c != '\r' && c != '\x1e') {
                return c;
            }
        }
        if (!refill(j, rc))
            return '\0';
    }
}

static int ended(struct json *j) { return j->r->part ? -ENODATA : broken(j, "the report ends before it is complete"); }

/* byte - one byte, across pieces. */
static int byte(struct json *j, char *c)
{
    int rc = 0;

    if (j->at == j->n && !refill(j, &rc))
        return rc < 0 ? rc : ended(j);
    *c = j->p[j->at++];
    return 0;
}

static int hex4(struct json *j, uint32_t *out)
{
    *out = 0;
    for (int i = 0; i < 4; i++) {
        char c = '\0';
        int rc = byte(j, &c);

        if (rc < 0)
            return rc;
        if (c >= '0' && c <= '9')
            *out = *out << 4 | (uint32_t)(c - '0');
        else if ((c | 32) >= 'a' && (c | 32) <= 'f')
            *out = *out << 4 | (uint32_t)((c | 32) - 'a' + 10);
        else
            return broken(j, "\"\\u\" needs four hexadecimal digits");
    }
    return 0;
}

static void put_code(struct buf *b, uint32_t c)
{
    char text[4];

    buf_put(b, text, utf8_put(text, c ? c : 0xFFFD));   /* no zero byte in a text */
}

/* unicode - "\uXXXX", the "\u" taken; half a pair becomes U+FFFD. */
static int unicode(struct json *j)
{
    uint32_t c, low;
    int rc = hex4(j, &c);

    while (rc == 0 && c >= 0xD800 && c < 0xDC00) {
        char a = '\0', b = '\0';

        rc = byte(j, &a);
        if (rc == 0 && a != '\\') {
            put_code(&j->text, 0xFFFD);
            j->at--;
            return 0;
        }
        if (rc == 0)
            rc = byte(j, &b);
        if (rc == 0 && b != 'u')
            return broken(j, "half of a letter: \"\\u\" of a pair stands alone");
        if (rc == 0)
            rc = hex4(j, &low);
        if (rc < 0)
            return rc;
        if (low >= 0xDC00 && low < 0xE000) {
            c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
        } else {
            put_code(&j->text, 0xFFFD);
            c = low;
        }
    }
    if (rc == 0)
        put_code(&j->text, c >= 0xD800 && c < 0xE000 ? 0xFFFD : c);
    return rc;
}

static int escape(struct json *j)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    char c = '\0';
    int rc = byte(j, &c);
    const char *found;

    if (rc < 0)
        return rc;
    if (c == 'u')
        return unicode(j);
    found = c ? strchr(from, c) : NULL;
    if (!found)
        return broken(j, "no such escape in a text");
    buf_byte(&j->text, to[found - from]);
    return 0;
}

/* run - bytes up to the next that needs thought: a quote, a backslash, a line break. High bytes are noted. */
static size_t run(const char *p, size_t n, bool *high)
{
    size_t i = 0;
    unsigned char all = 0;

    while (i < n && p[i] != '"' && p[i] != '\\' && p[i] != '\n')
        all |= (unsigned char)p[i++];
    *high = *high || all >= 0x80;
    return i;
}

/* string - a text whose quote is taken; *out is good until more is read. */
static int string(struct json *j, struct str *out)
{
    bool high = false;
    int rc = 0;

    buf_reset(&j->text);
    while (rc == 0) {
        size_t start = j->at, n = run(j->p + j->at, j->n - j->at, &high);

        j->at += n;
        if (j->at < j->n && j->p[j->at] == '"') {
            j->at++;
            if (j->text.n == 0 && !buf_failed(&j->text)) {
                *out = str_of(j->p + start, n);
            } else {
                buf_put(&j->text, j->p + start, n);
                *out = buf_view(&j->text);
            }
            if (buf_failed(&j->text))
                return err_line(j->e, -E2BIG, j->r->name, (int)j->line, 0, "a text is larger than 16 MiB");
            if (memchr(out->n ? out->p : "", '\0', out->n))
                return broken(j, "the text before this has a zero byte");
            return high && !str_utf8_valid(*out) ? broken(j, "the text before this is not UTF-8") : 0;
        }
        buf_put(&j->text, j->p + start, n);
        if (j->at == j->n) {
            if (!refill(j, &rc))
                return rc < 0 ? rc : ended(j);
        } else if (j->p[j->at] == '\n') {
            j->line++;
            j->line_at = j->base + j->at + 1;
            buf_byte(&j->text, '\n');
            j->at++;
        } else {
            j->at++;
            rc = escape(j);
        }
    }
    return rc;
}

static bool word_letter(char c)
{
    return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || c == '-' || c == '+' || c == '.';
}

static bool number_good(struct str s)
{
    size_t i = s.p[0] == '-' ? 1 : 0, whole = i;

    while (i < s.n && s.p[i] >= '0' && s.p[i] <= '9')
        i++;
    if (i == whole)
        return false;
    if (i < s.n && s.p[i] == '.') {
        whole = ++i;
        while (i < s.n && s.p[i] >= '0' && s.p[i] <= '9')
            i++;
        if (i == whole)
            return false;
    }
    if (i < s.n && (s.p[i] | 32) == 'e') {
        i++;
        if (i < s.n && (s.p[i] == '-' || s.p[i] == '+'))
            i++;
        whole = i;
        while (i < s.n && s.p[i] >= '0' && s.p[i] <= '9')
            i++;
        if (i == whole)
            return false;
    }
    return i == s.n;
}

/* word - a number, true, false or null; *out is empty for what says nothing. */
static int word(struct json *j, char text[64], struct str *out)
{
    static const char *const nothing[] = { "null", "NaN", "Infinity", "-Infinity" };
    size_t n = 0;
    int rc = 0;

    for (;;) {
        if (j->at == j->n && !refill(j, &rc)) {
            if (rc < 0)
                return rc;
            break;
        }
        if (!word_letter(j->p[j->at]))
            break;
        if (n == 63)
            return broken(j, "a number or a word is too long");
        text[n++] = j->p[j->at++];
    }
    *out = str_of(text, n);
    if (n == 0)
        return broken(j, "a value is expected here");
    for (size_t i = 0; i < COUNT(nothing); i++)
        if (str_eq(*out, str_c(nothing[i]))) {
            *out = str_of(NULL, 0);
            return 0;
        }
    if (str_eq(*out, STR("true")) || str_eq(*out, STR("false")) || number_good(*out))
        return 0;
    if (j->end && j->r->part)
        return -ENODATA;
    return broken(j, "neither a number nor true, false or null");
}

/* open_value - the node of a value that begins here, below the holder on top. */
static int open_value(struct json *j)
{
    struct holder *h = j->depth ? &j->stack[j->depth - 1] : NULL;

    if (!h)
        return tree_open(j->r->tree, STR("item"), 0, -1, j->line, j->e);
    return tree_open(j->r->tree, buf_view(&h->name), h->id, h->array ? (int64_t)min_size(h->count++, UINT32_MAX) : 0, j->line, j->e);
}

static int hold(struct json *j, bool array, bool opened)
{
    struct holder *h = &j->stack[j->depth], *above = j->depth ? h - 1 : NULL;

    if (j->depth == SCAN_DEPTH_MAX)
        return err_line(j->e, -E2BIG, j->r->name, (int)j->line, 0, "more than %d levels, one inside of the other", SCAN_DEPTH_MAX);
    h->array = array;
    h->opened = opened;
    h->count = 0;
    h->id = 0;
    buf_reset(&h->name);
    if (array && above && !above->array) {
        h->id = above->id;
        buf_str(&h->name, buf_view(&above->name));
    } else if (array) {
        h->id = names_find(j->r->tree->names, STR("item"), NULL);
        buf_str(&h->name, STR("item"));
    }
    j->depth++;
    return 0;
}

static int hollow(struct json *j)
{
    int rc = j->r->tree->hollow && j->depth ? open_value(j) : 1;

    if (rc)
        return rc < 0 ? rc : 0;
    if (!tree_skips(j->r->tree))
        j->r->tree->level[j->r->tree->depth].node->hollow = true;
    return tree_close(j->r->tree, j->e);
}

static int scalar(struct json *j, struct str s)
{
    int rc = open_value(j);

    if (rc == 0 && tree_wants_text(j->r->tree))
        rc = tree_text(j->r->tree, s, j->e);
    return rc < 0 ? rc : tree_close(j->r->tree, j->e);
}

/* value - what begins with c, already seen but not taken. */
static int value(struct json *j, char c, enum place *place)
{
    const struct holder *above = j->depth ? &j->stack[j->depth - 1] : NULL;
    struct str s = { NULL, 0 };
    char text[64];
    int rc = 0;

    *place = AT_COMMA_OR_END;
    if (c == '{') {
        bool opens = above || j->r->items;

        j->at++;
        *place = AT_KEY_OR_END;
        rc = opens ? open_value(j) : 0;
        return rc < 0 ? rc : hold(j, false, opens);
    }
    if (c == '[') {
        bool opens = above && above->array;

        j->at++;
        *place = AT_ITEM_OR_END;
        rc = opens ? open_value(j) : 0;
        return rc < 0 ? rc : hold(j, true, opens);
    }
    if (!above)
        return broken(j, "a JSON report begins with \"{\" or \"[\"");
    if (c == '"') {
        j->at++;
        rc = string(j, &s);
        return rc < 0 ? rc : scalar(j, s);
    }
    rc = word(j, text, &s);
    if (rc < 0)
        return rc;
    return s.n ? scalar(j, s) : hollow(j);
}

static int close_holder(struct json *j)
{
    struct holder *h = &j->stack[--j->depth];

    j->at++;
    if (h->array && h->count == 0 && !h->opened) {
        int rc = hollow(j);

        if (rc < 0)
            return rc;
    }
    return h->opened ? tree_close(j->r->tree, j->e) : 0;
}

static int key(struct json *j)
{
    struct holder *h = &j->stack[j->depth - 1];
    struct str s;
    int rc;

    j->at++;
    rc = string(j, &s);
    if (rc < 0)
        return rc;
    if (s.n > SCAN_TEXT_MAX)
        return broken(j, "a key is larger than 64 KiB");
    buf_reset(&h->name);
    buf_str(&h->name, s);
    h->id = tree_skips(j->r->tree) ? 0 : names_find(j->r->tree->names, s, NULL);
    return 0;
}

/* token - one step of the grammar. */
static int token(struct json *j, char c, enum place *place)
{
    const struct holder *h = j->depth ? &j->stack[j->depth - 1] : NULL;

    switch (*place) {
    case AT_KEY_OR_END:
    case AT_KEY:
        if (c == '"') {
            *place = AT_COLON;
            return key(j);
        }
        if (c != '}' || *place == AT_KEY)
            return broken(j, *place == AT_KEY ? "a key in quotes is expected here" : "a key in quotes or \"}\" is expected here");
        *place = AT_COMMA_OR_END;
        return close_holder(j);
    case AT_COLON:
        if (c != ':')
            return broken(j, "\":\" is expected here");
        j->at++;
        *place = AT_VALUE;
        return 0;
    case AT_COMMA_OR_END:
        if (c == ',') {
            j->at++;
            *place = h->array ? AT_VALUE : AT_KEY;
            return 0;
        }
        if (c != (h->array ? ']' : '}'))
            return broken(j, h->array ? "\",\" or \"]\" is expected here" : "\",\" or \"}\" is expected here");
        return close_holder(j);
    case AT_ITEM_OR_END:
        if (c == ']') {
            *place = AT_COMMA_OR_END;
            return close_holder(j);
        }
        return value(j, c, place);
    case AT_VALUE: break;
    }
    return value(j, c, place);
}

static int documents(struct json *j)
{
    uint64_t count = 0;
    int rc = 0;

    for (;; count++) {
        enum place place = AT_VALUE;
        char c = next(j, &rc);

        if (rc < 0)
            return rc;
        if (c == '\0' && j->end)
            return count ? 0 : broken(j, "the report is empty");
        do {
            rc = token(j, c, &place);
            if (rc == 0 && j->depth)
                c = next(j, &rc);
            if (rc == 0 && j->depth && c == '\0' && j->end)
                rc = ended(j);
        } while (rc == 0 && j->depth);
        if (rc < 0)
            return rc;
    }
}

int read_json(struct readers_arg *r, struct err *e)
{
    struct json *j = calloc(1, sizeof *j);
    int rc = 0;

    if (!j)
        return err_set(e, -ENOMEM, "no memory to read \"%s\"", r->name);
    j->r = r;
    j->e = e;
    j->p = r->source->buf;
    j->line = 1;
    buf_init(&j->text, SCAN_RECORD_MAX);
    for (size_t i = 0; i < COUNT(j->stack); i++)
        buf_init(&j->stack[i].name, 2 * SCAN_TEXT_MAX);
    if (refill(j, &rc) && j->n >= 3 && memcmp(j->p, "\xEF\xBB\xBF", 3) == 0)
        j->at = 3;
    if (rc == 0)
        rc = documents(j);
    if (rc == -ENODATA && r->part)
        rc = 0;
    for (size_t i = 0; i < COUNT(j->stack); i++)
        buf_free(&j->stack[i].name);
    buf_free(&j->text);
    free(j);
    return rc;
}
