/* canon.c - JSON in one form only, so that a hash or a signature means the same bytes to everybody.
 *
 * The form is that of RFC 8785, narrowed: whole numbers alone (a fraction has many spellings), keys in ASCII (so that their order by
 * bytes and by UTF-16 units is the same). Both walks keep their own stack: how deep a stranger nests is a number, not our memory. */
#include "desk/link/wire.h"

#include <openssl/evp.h>

#define WHOLE_MAX INT64_C(9007199254740991)   /* 2^53 - 1: what every reader of JSON keeps exactly */

static const char *const kind_names[LINK_KIND_COUNT] = { "notice", "form", "registry_update", "receipt", "step" };

const char *link_kind_name(enum link_kind k)
{
    return k < LINK_KIND_COUNT ? kind_names[k] : "?";
}

enum link_kind link_kind_parse(struct str s)
{
    for (enum link_kind k = 0; k < LINK_KIND_COUNT; k++)
        if (str_eq(s, str_c(kind_names[k])))
            return k;
    return LINK_KIND_COUNT;
}

void link_sha256_hex(struct str s, char out[LINK_HASH_TEXT])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char raw[32];

    if (!EVP_Digest(s.n ? s.p : "", s.n, raw, NULL, EVP_sha256(), NULL))
        abort(); /* without SHA-256 there is nothing to go on with */
    for (size_t i = 0; i < sizeof raw; i++) {
        out[2 * i] = digits[raw[i] >> 4];
        out[2 * i + 1] = digits[raw[i] & 15];
    }
    out[64] = 0;
}

bool link_hash_valid(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'a' && s.p[i] <= 'f')))
            return false;
    return s.n == 64;
}

/* depth_ok - before the library, which recurses, sees it. */
static bool depth_ok(struct str text)
{
    bool inside = false;
    int depth = 0;

    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];

        if (inside && c == '\\')
            i++;
        else if (c == '"')
            inside = !inside;
        else if (!inside && (c == '{' || c == '['))
            depth++;
        else if (!inside && (c == '}' || c == ']'))
            depth--;
        if (depth > LINK_DEPTH_MAX)
            return false;
    }
    return true;
}

int link_json_read(struct str text, json_t **out, struct err *e)
{
    json_error_t je;

    *out = NULL;
    if (text.n > LINK_LINE_MAX)
        return err_set(e, -E2BIG, "a line is longer than %u bytes", LINK_LINE_MAX);
    if (!depth_ok(text))
        return err_set(e, -EBADMSG, "JSON nests deeper than %d", LINK_DEPTH_MAX);
    *out = json_loadb(text.n ? text.p : "", text.n, JSON_REJECT_DUPLICATES, &je);
    if (!*out)
        return err_at(e, -EBADMSG, je.position > 0 ? (size_t)je.position : 0, "no JSON: %s", je.text);
    return 0;
}

/* --- writing --- */

struct level {
    const json_t *j;
    const char  **keys;     /* owned; NULL: an array */
    size_t        at, count;
};

static int key_cmp(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool key_valid(const char *k)
{
    size_t n = strlen(k);

    for (size_t i = 0; i < n; i++)
        if (k[i] < 0x20 || k[i] == 0x7f || (unsigned char)k[i] > 0x7f)
            return false;
    return n >= 1 && n <= LINK_KEY_MAX;
}

static int level_open(struct level *l, const json_t *j, struct err *e)
{
    const char *key;
    json_t *value, *object;
    size_t n = 0;

    *l = (struct level){ .j = j, .count = json_is_array(j) ? json_array_size(j) : json_object_size(j) };
    if (json_is_array(j))
        return 0;
    l->keys = calloc(l->count + 1, sizeof *l->keys);
    if (!l->keys)
        return err_set(e, -ENOMEM, "no memory for the keys of an object");
    object = (json_t *)(uintptr_t)j; /* the macro below wants it writable and does not write */
    json_object_foreach(object, key, value) {
        if (!key_valid(key))
            return err_set(e, -EBADMSG, "a property's name is not 1 to %d ASCII letters", LINK_KEY_MAX);
        l->keys[n++] = key;
    }
    qsort(l->keys, n, sizeof *l->keys, key_cmp);
    return 0;
}

static void put_string(struct buf *out, const char *p, size_t n)
{
    static const char digits[] = "0123456789abcdef", plain[] = "\b\t\n\f\r", letters[] = "btnfr";
    size_t from = 0;

    buf_byte(out, '"');
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)p[i];
        const char *named;

        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        buf_put(out, p + from, i - from);
        from = i + 1;
        buf_byte(out, '\\');
        if (c >= 0x20) {
            buf_byte(out, (char)c);
        } else if (c && (named = strchr(plain, c)) != NULL) {
            buf_byte(out, letters[named - plain]);
        } else {
            buf_str(out, STR("u00"));
            buf_byte(out, digits[c >> 4]);
            buf_byte(out, digits[c & 15]);
        }
    }
    buf_put(out, p + from, n - from);
    buf_byte(out, '"');
}

static int put_scalar(struct buf *out, const json_t *j, struct err *e)
{
    int64_t v;

    switch (json_typeof(j)) {
    case JSON_STRING:
        put_string(out, json_string_value(j), json_string_length(j));
        return 0;
    case JSON_INTEGER:
        v = json_integer_value(j);
        if (v > WHOLE_MAX || v < -WHOLE_MAX)
            return err_set(e, -EBADMSG, "a number is larger than 2^53 - 1");
        buf_printf(out, "%lld", (long long)v);
        return 0;
    case JSON_TRUE:
        buf_str(out, STR("true"));
        return 0;
    case JSON_FALSE:
        buf_str(out, STR("false"));
        return 0;
    case JSON_NULL:
        buf_str(out, STR("null"));
        return 0;
    case JSON_REAL:
    case JSON_OBJECT:
    case JSON_ARRAY:
        break;
    }
    return err_set(e, -EBADMSG, "a number has a fraction or an exponent: only whole numbers have one form");
}

/* put_value - a scalar is written, a container becomes a new level. */
static int put_value(struct level *stack, int *depth, const json_t *j, struct buf *out, struct err *e)
{
    if (!json_is_object(j) && !json_is_array(j))
        return put_scalar(out, j, e);
    if (*depth == LINK_DEPTH_MAX)
        return err_set(e, -EBADMSG, "JSON nests deeper than %d", LINK_DEPTH_MAX);
    buf_byte(out, json_is_array(j) ? '[' : '{');
    return level_open(&stack[(*depth)++], j, e);
}

/* put_next - the next child of the innermost container, or its end. */
static int put_next(struct level *stack, int *depth, struct buf *out, struct err *e)
{
    struct level *l = &stack[*depth - 1];
    const json_t *child;

    if (l->at == l->count) {
        buf_byte(out, l->keys ? '}' : ']');
        free(l->keys);
        l->keys = NULL;
        (*depth)--;
        return 0;
    }
    if (l->at)
        buf_byte(out, ',');
    if (l->keys) {
        const char *key = l->keys[l->at];

        child = json_object_get(l->j, key);
        put_string(out, key, strlen(key));
        buf_byte(out, ':');
    } else {
        child = json_array_get(l->j, l->at);
    }
    l->at++;
    return put_value(stack, depth, child, out, e);
}

int link_json_write(const json_t *j, struct buf *out, struct err *e)
{
    struct level stack[LINK_DEPTH_MAX];
    int depth = 0, rc;

    rc = j ? put_value(stack, &depth, j, out, e) : err_set(e, -EBADMSG, "no JSON");
    while (rc == 0 && depth > 0)
        rc = put_next(stack, &depth, out, e);
    while (depth > 0)
        free(stack[--depth].keys);
    if (rc == 0 && buf_failed(out))
        return err_set(e, -E2BIG, "JSON is longer than its limit, or there is no memory for it");
    return rc;
}
