/* catalog.c - see catalog.h. Texts stand in sorted arrays, found by bisection. */
#include "base/catalog.h"

#include <jansson.h>
#include <stdarg.h>

struct entry {
    struct str key, text;
};

struct catalog {
    json_t       *json[LANG_COUNT];
    struct entry *entry[LANG_COUNT];
    size_t        count[LANG_COUNT];
};

const char *lang_name(enum lang lang)
{
    static const char *const names[LANG_COUNT] = { "kk", "ru", "en" };

    return lang < LANG_COUNT ? names[lang] : "en";
}

enum lang lang_parse(struct str s, enum lang fallback)
{
    s = str_trim(s);
    for (enum lang l = 0; l < LANG_COUNT; l++)
        if (s.n >= 2 && str_ieq(str_of(s.p, 2), str_c(lang_name(l))))
            return l;
    return fallback;
}

static int by_key(const void *a, const void *b)
{
    return str_cmp(((const struct entry *)a)->key, ((const struct entry *)b)->key);
}

static int load_one(struct catalog *c, enum lang l, const char *folder, struct err *e)
{
    char path[4096];
    json_error_t je;
    const char *key;
    json_t *value;

    snprintf(path, sizeof path, "%s/%s.json", folder, lang_name(l));
    c->json[l] = json_load_file(path, JSON_REJECT_DUPLICATES, &je);
    if (!c->json[l])
        return err_line(e, -EBADMSG, path, je.line > 0 ? je.line : 0, je.column, "%s", je.text);
    if (!json_is_object(c->json[l]))
        return err_line(e, -EBADMSG, path, 1, 1, "one object of keys and texts is expected");
    c->entry[l] = calloc(json_object_size(c->json[l]) + 1, sizeof *c->entry[l]);
    if (!c->entry[l])
        return err_set(e, -ENOMEM, "no memory for \"%s\"", path);
    json_object_foreach(c->json[l], key, value) {
        if (!json_is_string(value))
            return err_line(e, -EBADMSG, path, 0, 0, "the value of \"%s\" must be a text", key);
        c->entry[l][c->count[l]++] = (struct entry){
            str_c(key), str_of(json_string_value(value), json_string_length(value))
        };
    }
    qsort(c->entry[l], c->count[l], sizeof *c->entry[l], by_key);
    return 0;
}

int catalog_load(const char *folder, struct catalog **out, struct err *e)
{
    struct catalog *c = calloc(1, sizeof *c);

    *out = NULL;
    if (!c)
        return err_set(e, -ENOMEM, "no memory for the catalogue");
    for (enum lang l = 0; l < LANG_COUNT; l++) {
        int rc = load_one(c, l, folder, e);

        if (rc < 0) {
            catalog_free(&c);
            return rc;
        }
    }
    *out = c;
    return 0;
}

void catalog_free(struct catalog **c)
{
    if (!*c)
        return;
    for (enum lang l = 0; l < LANG_COUNT; l++) {
        free((*c)->entry[l]);
        json_decref((*c)->json[l]);
    }
    free(*c);
    *c = NULL;
}

struct str catalog_text(const struct catalog *c, enum lang lang, const char *key)
{
    struct entry want = { .key = str_c(key) }, *hit = NULL;

    if (lang < LANG_COUNT && c->count[lang])
        hit = bsearch(&want, c->entry[lang], c->count[lang], sizeof want, by_key);
    return hit ? hit->text : want.key;
}

/* pair_value - the value that the argument pairs give to name, or {NULL, 0}. */
static struct str pair_value(struct str name, va_list pairs)
{
    struct str found = { NULL, 0 };
    va_list ap;
    const char *n;

    va_copy(ap, pairs);
    while ((n = va_arg(ap, const char *)) != NULL) {
        const char *v = va_arg(ap, const char *);

        if (str_eq(name, str_c(n)))
            found = str_c(v ? v : "");
    }
    va_end(ap);
    return found;
}

struct str catalog_format(const struct catalog *c, enum lang lang, struct arena *a, const char *key, ...)
{
    struct str rest = catalog_text(c, lang, key);
    AUTO_BUF struct buf b;
    va_list pairs;

    buf_init(&b, MIB);
    va_start(pairs, key);
    while (rest.n) {
        ptrdiff_t open = str_chr(rest, '{'), close;
        struct str value;

        if (open < 0)
            break;
        buf_put(&b, rest.p, (size_t)open);
        rest = str_cut(rest, (size_t)open);
        close = str_chr(rest, '}');
        value = close > 0 ? pair_value(str_of(rest.p + 1, (size_t)close - 1), pairs) : (struct str){ NULL, 0 };
        if (value.p) {
            buf_str(&b, value);
            rest = str_cut(rest, (size_t)close + 1);
        } else {
            buf_byte(&b, '{');
            rest = str_cut(rest, 1);
        }
    }
    va_end(pairs);
    buf_str(&b, rest);
    return arena_copy(a, buf_view(&b));
}
