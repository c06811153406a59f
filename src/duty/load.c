/* load.c - see internal.h: YAML entries read with a failure that sticks. */
#include "duty/internal.h"

#include <stdarg.h>

#define ID_MAX 64

void ld_fail(struct loader *l, const struct ynode *at, const char *fmt, ...)
{
    char text[ERR_TEXT_MAX];
    va_list ap;

    if (l->rc < 0)
        return;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    l->rc = yaml_err(l->y, at, l->e, "%s", text);
}

static void no_memory(struct loader *l)
{
    if (l->rc == 0)
        l->rc = err_set(l->e, -ENOMEM, "no memory for \"%s\"", l->y->name);
}

void ld_keys(struct loader *l, const struct ynode *map, const char *const *keys)
{
    if (l->rc < 0)
        return;
    if (map->kind != YNODE_MAP)
        ld_fail(l, map, "a map of keys and values is expected");
    else
        l->rc = yaml_only(l->y, map, keys, l->e);
}

const struct ynode *ld_root(struct loader *l, const char *const *keys)
{
    if (l->rc < 0)
        return NULL;
    if (l->y->doc_count != 1) {
        if (l->y->doc_count > 1)
            ld_fail(l, l->y->docs[1], "one document is expected");
        else
            l->rc = err_line(l->e, -EBADMSG, l->y->name, 1, 1, "the file is empty");
        return NULL;
    }
    ld_keys(l, l->y->docs[0], keys);
    return l->rc < 0 ? NULL : l->y->docs[0];
}

/* value_of - the node under key; complains when it is required and absent. */
static const struct ynode *value_of(struct loader *l, const struct ynode *map, const char *key, bool required)
{
    const struct ynode *v = l->rc < 0 ? NULL : yaml_get(map, key);

    if (l->rc == 0 && required && (!v || yaml_null(v))) {
        ld_fail(l, v ? v : map, "\"%s\" is missing", key);
        return NULL;
    }
    return v;
}

const struct ynode *ld_list(struct loader *l, const struct ynode *map, const char *key, bool required)
{
    const struct ynode *v = value_of(l, map, key, required);

    if (!v)
        return NULL;
    if (v->kind != YNODE_SEQ)
        ld_fail(l, v, "\"%s\" must be a list", key);
    else if (v->count > EDITION_ITEMS_MAX)
        ld_fail(l, v, "\"%s\" has more than %d items", key, EDITION_ITEMS_MAX);
    return l->rc < 0 ? NULL : v;
}

void *ld_array(struct loader *l, const struct ynode *list, size_t size, size_t *count)
{
    void *p;

    *count = 0;
    if (l->rc < 0 || !list || list->count == 0)
        return NULL;
    p = arena_array(l->arena, list->count, size);
    if (!p) {
        no_memory(l);
        return NULL;
    }
    memset(p, 0, list->count * size);
    *count = list->count;
    return p;
}

struct str ld_text(struct loader *l, const struct ynode *map, const char *key, bool required)
{
    const struct ynode *v = value_of(l, map, key, required);

    if (!v || yaml_null(v))
        return (struct str){ NULL, 0 };
    if (v->kind != YNODE_SCALAR) {
        ld_fail(l, v, "\"%s\" must be a text", key);
        return (struct str){ NULL, 0 };
    }
    return v->text;
}

static bool id_ok(struct str s)
{
    if (s.n == 0 || s.n > ID_MAX)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("_-.:", c))))
            return false;
    }
    return true;
}

struct str ld_id(struct loader *l, const struct ynode *map, const char *key, bool required)
{
    struct str s = ld_text(l, map, key, required);

    if (s.n && !id_ok(s)) {
        ld_fail(l, yaml_get(map, key), "\"%s\" must be an id: ASCII letters, digits, '_', '-', '.', ':'", key);
        return (struct str){ NULL, 0 };
    }
    return s;
}

bool date_parse(struct str s, int64_t *day)
{
    struct reader r = rd_str(s);
    struct civil c = { 0 };

    c.year = rd_digits(&r, 4, "year");
    rd_byte(&r, '-');
    c.month = rd_digits(&r, 2, "month");
    rd_byte(&r, '-');
    c.day = rd_digits(&r, 2, "day");
    if (!rd_ok(&r) || rd_left(&r) > 0 || !civil_valid(&c))
        return false;
    *day = civil_days(c.year, c.month, c.day);
    return true;
}

struct str ld_date(struct loader *l, const struct ynode *map, const char *key, bool required, int64_t *day)
{
    struct str s = ld_text(l, map, key, required);
    int64_t d = 0;

    if (s.n && !date_parse(s, &d))
        ld_fail(l, yaml_get(map, key), "\"%s\" must be a date such as 2026-03-19", key);
    if (day)
        *day = d;
    return s;
}

int64_t ld_int(struct loader *l, const struct ynode *map, const char *key, bool required, int64_t least, int64_t most)
{
    const struct ynode *v = value_of(l, map, key, required);
    int64_t n = 0;

    if (!v)
        return 0;
    l->rc = yaml_int(l->y, map, key, &n, l->e);
    if (l->rc == 0 && (n < least || n > most))
        ld_fail(l, v, "\"%s\" must be from %lld to %lld", key, (long long)least, (long long)most);
    return l->rc < 0 ? 0 : n;
}

bool ld_bool(struct loader *l, const struct ynode *map, const char *key, bool fallback)
{
    bool b = fallback;
    int rc;

    if (l->rc < 0)
        return fallback;
    rc = yaml_bool(l->y, map, key, &b, l->e);
    if (rc < 0)
        l->rc = rc;
    return b;
}

int ld_word(struct loader *l, const struct ynode *map, const char *key, const char *const *words)
{
    struct str s = ld_text(l, map, key, LD_REQUIRED);
    char list[256];
    size_t n = 0;

    if (l->rc < 0)
        return 0;
    for (int i = 0; words[i]; i++)
        if (str_eq(s, str_c(words[i])))
            return i;
    for (int i = 0; words[i] && n < sizeof list; i++)
        n += (size_t)snprintf(list + n, sizeof list - n, "%s%s", i ? ", " : "", words[i]);
    ld_fail(l, yaml_get(map, key), "\"%s\" must be one of: %s", key, list);
    return 0;
}

struct label ld_label_of(struct loader *l, const struct ynode *node)
{
    static const char *const keys[] = { "kk", "ru", "en", NULL };
    struct label label = { 0 };

    if (l->rc < 0 || !node)
        return label;
    ld_keys(l, node, keys);
    for (enum lang i = 0; i < LANG_COUNT; i++) {
        label.text[i] = ld_text(l, node, lang_name(i), LD_REQUIRED);
        if (l->rc == 0 && label.text[i].n == 0)
            ld_fail(l, node, "the text in \"%s\" is empty", lang_name(i));
    }
    return label;
}

struct label ld_label(struct loader *l, const struct ynode *map, const char *key, bool required)
{
    return ld_label_of(l, value_of(l, map, key, required));
}

const struct str *ld_ids(struct loader *l, const struct ynode *map, const char *key, bool required, size_t *count)
{
    const struct ynode *list = ld_list(l, map, key, required);
    struct str *ids = ld_array(l, list, sizeof *ids, count);
    size_t i = 0;

    for (const struct ynode *n = ids ? list->first : NULL; n && l->rc == 0; n = n->next, i++) {
        ids[i] = n->text;
        if (n->kind != YNODE_SCALAR || !id_ok(n->text))
            ld_fail(l, n, "an id is expected: ASCII letters, digits, '_', '-', '.', ':'");
    }
    return ids;
}
