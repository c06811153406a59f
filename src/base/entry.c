/* entry.c - see entry.h. */
#include "base/entry.h"
#include "base/buf.h"

#include <limits.h>

static char **text_at(void *entry, const struct entry_text *t) { return (char **)(void *)((char *)entry + t->at); }
static const char *text_of(const void *entry, const struct entry_text *t) { return *(char *const *)(const void *)((const char *)entry + t->at); }
static int64_t *limit_at(void *limits, const struct entry_limit *m) { return (int64_t *)(void *)((char *)limits + m->at); }
static int no_memory(struct err *e) { return err_set(e, -ENOMEM, "no memory for the configuration"); }

/* --- texts --- */

int entry_set(char **to, struct str s)
{
    char *copy = strndup(s.n ? s.p : "", s.n);

    if (!copy)
        return -ENOMEM;
    free(*to);
    *to = copy;
    return 0;
}

int entry_take_text(const struct yaml *y, const struct ynode *k, const char *base, char **to, struct err *e)
{
    const struct ynode *v = k->value;
    char joined[PATH_MAX];
    struct str s;

    if (!v || v->kind != YNODE_SCALAR)
        return yaml_err(y, v ? v : k, e, "\"%.*s\" must be a text", STR_ARG(k->text));
    s = yaml_null(v) ? STR("") : v->text;
    if (base && s.n && s.p[0] != '/') {
        snprintf(joined, sizeof joined, "%s/%.*s", base, STR_ARG(s));
        s = str_c(joined);
    }
    return entry_set(to, s) < 0 ? no_memory(e) : 0;
}

int entry_take(void *entry, const struct entry_text *texts, size_t count, const struct yaml *y, const struct ynode *k, const char *base, struct err *e)
{
    for (size_t i = 0; i < count; i++)
        if (str_eq(k->text, str_c(texts[i].name))) {
            int rc = entry_take_text(y, k, texts[i].path ? base : NULL, text_at(entry, &texts[i]), e);

            return rc < 0 ? rc : 1;
        }
    return 0;
}

int entry_fill(void *entry, const struct entry_text *texts, size_t count)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < count; i++)
        if (!*text_at(entry, &texts[i]))
            rc = entry_set(text_at(entry, &texts[i]), str_of(NULL, 0));
    return rc;
}

int entry_copy_texts(const void *from, void *to, const struct entry_text *texts, size_t count)
{
    int rc = 0;

    for (size_t i = 0; i < count; i++)
        *text_at(to, &texts[i]) = NULL;
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = entry_set(text_at(to, &texts[i]), str_c(text_of(from, &texts[i])));
    return rc;
}

bool entry_same_texts(const void *a, const void *b, const struct entry_text *texts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(text_of(a, &texts[i]), text_of(b, &texts[i])) != 0)
            return false;
    return true;
}

void entry_free_texts(void *entry, const struct entry_text *texts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(*text_at(entry, &texts[i]));
}

/* --- limits --- */

void entry_default_limits(void *limits, const struct entry_limit *table, size_t count)
{
    for (size_t i = 0; i < count; i++)
        *limit_at(limits, &table[i]) = table[i].number;
}

static int unknown_limit(const struct entry_limit *table, size_t count, const struct yaml *y, const struct ynode *k, struct err *e)
{
    AUTO_BUF struct buf known;

    buf_init(&known, 4096);
    for (size_t i = 0; i < count; i++)
        buf_printf(&known, "%s%s", i == 0 ? "" : i + 1 < count ? ", " : " and ", table[i].name);
    return yaml_err(y, k, e, "unknown limit \"%.*s\": %.*s are known", STR_ARG(k->text), STR_ARG(buf_view(&known)));
}

int entry_take_limits(void *limits, const struct entry_limit *table, size_t count, const struct yaml *y, const struct ynode *map, struct err *e)
{
    if (!map || map->kind != YNODE_MAP)
        return yaml_err(y, map, e, "\"limits\" must be a map");
    for (const struct ynode *k = map->first; k; k = k->next) {
        const struct entry_limit *m = NULL;
        int64_t n;

        for (size_t i = 0; i < count; i++)
            if (str_eq(k->text, str_c(table[i].name)))
                m = &table[i];
        if (!m)
            return unknown_limit(table, count, y, k, e);
        if (!k->value || k->value->kind != YNODE_SCALAR || !str_i64(k->value->text, &n) || n < m->least || n > m->most)
            return yaml_err(y, k->value ? k->value : k, e, "\"%s\" must be a whole number from %lld to %lld", m->name, (long long)m->least,
                            (long long)m->most);
        *limit_at(limits, m) = n;
    }
    return 0;
}

/* --- options --- */

int entry_take_options(struct entry_option options[ENTRY_OPTIONS_MAX], size_t *count, const char *what, const struct yaml *y, const struct ynode *map,
                       struct err *e)
{
    if (!map || map->kind != YNODE_MAP)
        return yaml_err(y, map, e, "\"options\" must be a map of texts");
    for (const struct ynode *k = map->first; k; k = k->next) {
        struct entry_option *o = &options[*count];
        int rc;

        if (*count == ENTRY_OPTIONS_MAX)
            return yaml_err(y, k, e, "%s has at most %d options", what, ENTRY_OPTIONS_MAX);
        *o = (struct entry_option){ strndup(k->text.p, k->text.n), NULL, k->line, k->column };
        ++*count;
        rc = o->name ? entry_take_text(y, k, NULL, &o->value, e) : no_memory(e);
        if (rc < 0)
            return rc;
    }
    return 0;
}

int entry_copy_options(const struct entry_option *from, size_t count, struct entry_option *to, size_t *to_count)
{
    *to_count = 0;
    for (size_t i = 0; i < count; i++) {
        struct entry_option o = { strdup(from[i].name), strdup(from[i].value), from[i].line, from[i].column };

        to[(*to_count)++] = o;
        if (!o.name || !o.value)
            return -ENOMEM;
    }
    return 0;
}

bool entry_same_options(const struct entry_option *a, size_t a_count, const struct entry_option *b, size_t b_count)
{
    bool same = a_count == b_count;

    for (size_t i = 0; same && i < a_count; i++)
        same = strcmp(a[i].name, b[i].name) == 0 && strcmp(a[i].value, b[i].value) == 0;
    return same;
}

const struct entry_option *entry_option_find(const struct entry_option *options, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(options[i].name, name) == 0)
            return &options[i];
    return NULL;
}

void entry_free_options(struct entry_option *options, size_t *count)
{
    for (size_t i = 0; i < *count; i++) {
        free(options[i].name);
        free(options[i].value);
    }
    *count = 0;
}
