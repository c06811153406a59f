/* upstreams.c - see upstreams.h. Tables hold the texts and the limits of an entry; reading, copying and comparing walk them. */
#include "base/upstreams.h"
#include "base/yaml.h"

#include <limits.h>

enum place { HOST, TEXT };
enum tls_rule { NEVER, MAY, ALWAYS, MUTUAL };

static const struct {
    const char   *name;
    enum place    place;
    enum tls_rule tls;
} types[UPSTREAM_TYPE_COUNT] = {
#define UPSTREAM(kind, address, tls) [UPSTREAM_##kind] = { #kind, address, tls },
#include "base/upstreams.def"
#undef UPSTREAM
};

struct limit {
    const char *name;
    size_t      at;
    int64_t     least, most, number;
};
#define LIMIT(name, lo, hi, def) { #name, offsetof(struct upstream_limits, name), lo, hi, def }
static const struct limit limits[] = {
    LIMIT(window_events, 1, 100000, 10000),
    LIMIT(batch_bytes, 65536, 8388608, 2097152),
    LIMIT(timeout_s, 1, 600, 30),
    LIMIT(retry_max_s, 1, 3600, 60),
    LIMIT(hold_bytes, 0, INT64_C(1) << 50, 0),
};

struct text {
    const char *name;
    size_t      at;
    bool        path;    /* relative to the file */
};
static const struct text texts[] = {
    { "name", offsetof(struct upstream_conf, name), false },
    { "address", offsetof(struct upstream_conf, address), false },
    { "filter", offsetof(struct upstream_conf, filter), false },
};
static const struct text tls_texts[] = {
    { "authority", offsetof(struct upstream_conf, authority), true },
    { "certificate", offsetof(struct upstream_conf, certificate), true },
    { "key", offsetof(struct upstream_conf, key), true },
    { "name", offsetof(struct upstream_conf, peer_name), false },
};
#define TEXT_COUNT (COUNT(texts) + COUNT(tls_texts))

static const struct text *text_row(size_t i) { return i < COUNT(texts) ? &texts[i] : &tls_texts[i - COUNT(texts)]; }
static char **text_at(struct upstream_conf *c, const struct text *t) { return (char **)(void *)((char *)c + t->at); }
static const char *text_of(const struct upstream_conf *c, const struct text *t) { return *(char *const *)(const void *)((const char *)c + t->at); }
static int64_t *limit_at(struct upstream_limits *l, const struct limit *m) { return (int64_t *)(void *)((char *)l + m->at); }

const char *upstream_type_name(enum upstream_type type) { return type < UPSTREAM_TYPE_COUNT ? types[type].name : "?"; }

static int set(char **to, struct str s)
{
    char *copy = strndup(s.n ? s.p : "", s.n);

    if (!copy)
        return -ENOMEM;
    free(*to);
    *to = copy;
    return 0;
}

void upstream_conf_free(struct upstream_conf *c)
{
    for (size_t i = 0; i < TEXT_COUNT; i++)
        free(*text_at(c, text_row(i)));
    for (size_t i = 0; i < c->option_count; i++) {
        free(c->options[i].name);
        free(c->options[i].value);
    }
    *c = (struct upstream_conf){ 0 };
}

int upstream_conf_copy(const struct upstream_conf *from, struct upstream_conf *to)
{
    int rc = 0;

    *to = *from;
    to->option_count = 0;
    for (size_t i = 0; i < TEXT_COUNT; i++)
        *text_at(to, text_row(i)) = NULL;
    for (size_t i = 0; rc == 0 && i < TEXT_COUNT; i++)
        rc = set(text_at(to, text_row(i)), str_c(text_of(from, text_row(i))));
    for (size_t i = 0; rc == 0 && i < from->option_count; i++) {
        struct upstream_option o = from->options[i];

        o.name = strdup(o.name);
        o.value = strdup(o.value);
        to->options[to->option_count++] = o;
        rc = o.name && o.value ? 0 : -ENOMEM;
    }
    if (rc < 0)
        upstream_conf_free(to);
    return rc;
}

bool upstream_conf_same(const struct upstream_conf *a, const struct upstream_conf *b)
{
    bool same = a->type == b->type && a->tls == b->tls && a->enabled == b->enabled && a->option_count == b->option_count &&
                memcmp(&a->limits, &b->limits, sizeof a->limits) == 0;

    for (size_t i = 0; same && i < TEXT_COUNT; i++)
        same = strcmp(text_row(i)->name, "filter") == 0 || strcmp(text_of(a, text_row(i)), text_of(b, text_row(i))) == 0;
    for (size_t i = 0; same && i < a->option_count; i++)
        same = strcmp(a->options[i].name, b->options[i].name) == 0 && strcmp(a->options[i].value, b->options[i].value) == 0;
    return same;
}

const char *upstream_option(const struct upstream_conf *c, const char *name)
{
    for (size_t i = 0; i < c->option_count; i++)
        if (strcmp(c->options[i].name, name) == 0)
            return c->options[i].value;
    return NULL;
}

bool upstream_host(const char *address, char host[UPSTREAM_HOST_MAX + 1], uint16_t *port)
{
    const char *colon = strrchr(address, ':');
    struct str name = str_of(address, colon ? (size_t)(colon - address) : 0);
    uint64_t n;

    if (!colon || !str_u64(str_c(colon + 1), &n) || n < 1 || n > 65535)
        return false;
    if (name.n > 2 && name.p[0] == '[' && name.p[name.n - 1] == ']')
        name = str_of(name.p + 1, name.n - 2);
    else if (str_chr(name, ':') >= 0)
        return false;    /* an address of IPv6 stands in brackets */
    if (name.n == 0 || name.n > UPSTREAM_HOST_MAX || str_chr(name, '/') >= 0 || str_chr(name, ' ') >= 0 || str_chr(name, '@') >= 0)
        return false;
    memcpy(host, name.p, name.n);
    host[name.n] = 0;
    *port = (uint16_t)n;
    return true;
}

static bool name_valid(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];

        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-'))
            return false;
    }
    return s.n > 0 && s.n <= UPSTREAM_NAME_MAX;
}

/* take_text - the scalar under key k as *to; a path from base if it is relative. */
static int take_text(const struct yaml *y, const struct ynode *k, const char *base, char **to, struct err *e)
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
    return set(to, s) < 0 ? err_set(e, -ENOMEM, "no memory for the configuration") : 0;
}

static const struct text *find_text(const struct text *rows, size_t count, struct str name)
{
    for (size_t i = 0; i < count; i++)
        if (str_eq(name, str_c(rows[i].name)))
            return &rows[i];
    return NULL;
}

static int take_tls(struct upstream_conf *c, const struct yaml *y, const struct ynode *map, const char *base, struct err *e)
{
    if (!map || map->kind != YNODE_MAP)
        return yaml_err(y, map, e, "\"tls\" must be a map with authority, certificate, key, name");
    if (types[c->type].tls == NEVER)
        return yaml_err(y, map, e, "an upstream of the kind %s has no TLS", types[c->type].name);
    c->tls = true;
    for (const struct ynode *k = map->first; k; k = k->next) {
        const struct text *t = find_text(tls_texts, COUNT(tls_texts), k->text);
        int rc = t ? take_text(y, k, t->path ? base : NULL, text_at(c, t), e)
                   : yaml_err(y, k, e, "unknown setting \"%.*s\" of tls: authority, certificate, key and name are known", STR_ARG(k->text));

        if (rc < 0)
            return rc;
    }
    if ((c->certificate && *c->certificate) != (c->key && *c->key))
        return yaml_err(y, map, e, "\"certificate\" and \"key\" come together");
    return 0;
}

static int take_limits(struct upstream_conf *c, const struct yaml *y, const struct ynode *map, struct err *e)
{
    if (!map || map->kind != YNODE_MAP)
        return yaml_err(y, map, e, "\"limits\" must be a map");
    for (const struct ynode *k = map->first; k; k = k->next) {
        const struct limit *m = NULL;
        int64_t n;

        for (size_t i = 0; i < COUNT(limits); i++)
            if (str_eq(k->text, str_c(limits[i].name)))
                m = &limits[i];
        if (!m)
            return yaml_err(y, k, e, "unknown limit \"%.*s\": window_events, batch_bytes, timeout_s, retry_max_s and hold_bytes are known", STR_ARG(k->text));
        if (!k->value || k->value->kind != YNODE_SCALAR || !str_i64(k->value->text, &n) || n < m->least || n > m->most)
            return yaml_err(y, k->value ? k->value : k, e, "\"%s\" must be a whole number from %lld to %lld", m->name,
                            (long long)m->least, (long long)m->most);
        *limit_at(&c->limits, m) = n;
    }
    return 0;
}

static int take_options(struct upstream_conf *c, const struct yaml *y, const struct ynode *map, struct err *e)
{
    if (!map || map->kind != YNODE_MAP)
        return yaml_err(y, map, e, "\"options\" must be a map of texts");
    for (const struct ynode *k = map->first; k; k = k->next) {
        struct upstream_option *o = &c->options[c->option_count];
        int rc;

        if (c->option_count == UPSTREAM_OPTIONS_MAX)
            return yaml_err(y, k, e, "an upstream has at most %d options", UPSTREAM_OPTIONS_MAX);
        *o = (struct upstream_option){ strndup(k->text.p, k->text.n), NULL, k->line, k->column };
        c->option_count++;
        rc = o->name ? take_text(y, k, NULL, &o->value, e) : err_set(e, -ENOMEM, "no memory for the configuration");
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int take_type(struct upstream_conf *c, const struct yaml *y, const struct ynode *map, struct err *e)
{
    const struct ynode *v = yaml_get(map, "kind");

    for (int i = 0; v && v->kind == YNODE_SCALAR && i < UPSTREAM_TYPE_COUNT; i++)
        if (str_eq(v->text, str_c(types[i].name))) {
            *c = (struct upstream_conf){ .type = (enum upstream_type)i, .enabled = true, .tls = types[i].tls >= ALWAYS };
            for (size_t k = 0; k < COUNT(limits); k++)
                *limit_at(&c->limits, &limits[k]) = limits[k].number;
            return 0;
        }
    if (v && v->kind == YNODE_SCALAR)
        return yaml_err(y, v, e, "unknown kind \"%.*s\" of an upstream", STR_ARG(v->text));
    return yaml_err(y, v ? v : map, e, "an upstream needs \"kind\"");
}

/* take_word - one of two words as true or false. */
static int take_word(const struct yaml *y, const struct ynode *k, const char *yes, const char *no, bool *out, struct err *e)
{
    const struct ynode *v = k->value;

    if (!v || v->kind != YNODE_SCALAR || (!str_eq(v->text, str_c(yes)) && !str_eq(v->text, str_c(no))))
        return yaml_err(y, v ? v : k, e, "\"%.*s\" must be %s or %s", STR_ARG(k->text), yes, no);
    *out = str_eq(v->text, str_c(yes));
    return 0;
}

static int take_key(struct upstream_conf *c, const struct yaml *y, const struct ynode *k, const char *base, struct err *e)
{
    const struct ynode *v = k->value ? k->value : k;
    const struct text *t = find_text(texts, COUNT(texts), k->text);

    if (str_eq(k->text, STR("filter"))) {
        c->filter_line = v->line;
        c->filter_column = v->column;
    }
    if (t)
        return take_text(y, k, NULL, text_at(c, t), e);
    if (str_eq(k->text, STR("enabled")))
        return take_word(y, k, "yes", "no", &c->enabled, e);
    if (str_eq(k->text, STR("start")))
        return take_word(y, k, "now", "oldest", &c->from_now, e);
    if (str_eq(k->text, STR("tls")))
        return take_tls(c, y, v, base, e);
    if (str_eq(k->text, STR("limits")))
        return take_limits(c, y, v, e);
    if (str_eq(k->text, STR("options")))
        return take_options(c, y, v, e);
    return yaml_err(y, k, e, "unknown setting \"%.*s\" of an upstream", STR_ARG(k->text));
}

/* judge - whether the parts of an entry go together. */
static int judge(const struct upstream_conf *c, const struct yaml *y, const struct ynode *map, struct err *e)
{
    const struct ynode *address = yaml_get(map, "address");
    enum tls_rule rule = types[c->type].tls;
    char host[UPSTREAM_HOST_MAX + 1];
    uint16_t port;

    if (!name_valid(str_c(c->name)))
        return yaml_err(y, map, e, "an upstream needs \"name\": 1 to %d small letters, digits, '_', '-'", UPSTREAM_NAME_MAX);
    if (!*c->address)
        return yaml_err(y, map, e, "upstream \"%s\" needs \"address\"", c->name);
    if (types[c->type].place == HOST && !upstream_host(c->address, host, &port))
        return yaml_err(y, address, e, "\"address\" must be a name or address and a port, as centre.example.kz:4318 or [2001:db8::1]:4318");
    if (rule >= ALWAYS && !*c->authority)
        return yaml_err(y, map, e, "upstream \"%s\" of the kind %s needs \"tls\" with \"authority\": who vouches for the other side", c->name,
                        types[c->type].name);
    if (rule == MUTUAL && !*c->certificate)
        return yaml_err(y, map, e, "upstream \"%s\" of the kind %s needs \"tls\" with \"certificate\" and \"key\": our own name", c->name,
                        types[c->type].name);
    return 0;
}

static int take_upstream(struct upstream_conf *c, const struct yaml *y, const struct ynode *map, const char *base, struct err *e)
{
    int rc;

    if (map->kind != YNODE_MAP)
        return yaml_err(y, map, e, "an upstream is a map: name, kind, address, filter, enabled, start, tls, limits, options");
    rc = take_type(c, y, map, e);
    for (const struct ynode *k = map->first; rc == 0 && k; k = k->next)
        if (!str_eq(k->text, STR("kind")))
            rc = take_key(c, y, k, base, e);
    for (size_t i = 0; rc == 0 && i < TEXT_COUNT; i++)
        if (!*text_at(c, text_row(i)) && set(text_at(c, text_row(i)), str_of(NULL, 0)) < 0)
            rc = err_set(e, -ENOMEM, "no memory for the configuration");
    c->line = map->line;
    c->column = map->column;
    return rc == 0 ? judge(c, y, map, e) : rc;
}

int upstream_take_list(struct upstream_table *t, const struct yaml *y, const struct ynode *list, const char *base, struct err *e)
{
    if (list && yaml_null(list))
        return 0;
    if (!list || list->kind != YNODE_SEQ)
        return yaml_err(y, list, e, "\"upstreams\" must be a list");
    for (const struct ynode *i = list->first; i; i = i->next) {
        struct upstream_conf *more, *c;
        int rc;

        if (t->count == UPSTREAMS_MAX)
            return yaml_err(y, i, e, "there may be %d upstreams", UPSTREAMS_MAX);
        more = realloc(t->items, (t->count + 1) * sizeof *more);
        if (!more)
            return err_set(e, -ENOMEM, "no memory for the configuration");
        t->items = more;
        c = &more[t->count];
        *c = (struct upstream_conf){ 0 };
        rc = take_upstream(c, y, i, base, e);
        for (size_t k = 0; rc == 0 && k < t->count; k++)
            if (strcmp(more[k].name, c->name) == 0)
                rc = yaml_err(y, i, e, "there is an upstream \"%s\" already", c->name);
        if (rc < 0) {
            upstream_conf_free(c);
            return rc;
        }
        t->count++;
    }
    return 0;
}

void upstream_table_free(struct upstream_table *t)
{
    for (size_t i = 0; i < t->count; i++)
        upstream_conf_free(&t->items[i]);
    free(t->items);
    *t = (struct upstream_table){ 0 };
}
