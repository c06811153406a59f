/* upstreams.c - see upstreams.h. Tables hold the texts and the limits of an entry; entry.h walks them. */
#include "base/upstreams.h"
#include "base/yaml.h"

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

#define LIMIT(name, lo, hi, def) { #name, offsetof(struct upstream_limits, name), lo, hi, def }
static const struct entry_limit limits[] = {
    LIMIT(window_events, 1, 100000, 10000),
    LIMIT(batch_bytes, 65536, 8388608, 2097152),
    LIMIT(timeout_s, 1, 600, 30),
    LIMIT(retry_max_s, 1, 3600, 60),
    LIMIT(hold_bytes, 0, INT64_C(1) << 50, 0),
};

static const struct entry_text texts[] = {
    { "name", offsetof(struct upstream_conf, name), false },
    { "address", offsetof(struct upstream_conf, address), false },
    { "filter", offsetof(struct upstream_conf, filter), false },
    { "authority", offsetof(struct upstream_conf, authority), true },
    { "certificate", offsetof(struct upstream_conf, certificate), true },
    { "key", offsetof(struct upstream_conf, key), true },
    { "name", offsetof(struct upstream_conf, peer_name), false },
};
#define OWN_TEXTS   3    /* of an entry itself; the others are those of "tls" */
#define FILTER_TEXT 2

const char *upstream_type_name(enum upstream_type type) { return type < UPSTREAM_TYPE_COUNT ? types[type].name : "?"; }

void upstream_conf_free(struct upstream_conf *c)
{
    entry_free_texts(c, texts, COUNT(texts));
    entry_free_options(c->options, &c->option_count);
    *c = (struct upstream_conf){ 0 };
}

int upstream_conf_copy(const struct upstream_conf *from, struct upstream_conf *to)
{
    int rc;

    *to = *from;
    to->option_count = 0;
    rc = entry_copy_texts(from, to, texts, COUNT(texts));
    if (rc == 0)
        rc = entry_copy_options(from->options, from->option_count, to->options, &to->option_count);
    if (rc < 0)
        upstream_conf_free(to);
    return rc;
}

bool upstream_conf_same(const struct upstream_conf *a, const struct upstream_conf *b)
{
    return a->type == b->type && a->tls == b->tls && a->enabled == b->enabled && memcmp(&a->limits, &b->limits, sizeof a->limits) == 0 &&
           entry_same_texts(a, b, texts, FILTER_TEXT) && entry_same_texts(a, b, texts + OWN_TEXTS, COUNT(texts) - OWN_TEXTS) &&
           entry_same_options(a->options, a->option_count, b->options, b->option_count);
}

const char *upstream_option(const struct upstream_conf *c, const char *name)
{
    const struct entry_option *o = entry_option_find(c->options, c->option_count, name);

    return o ? o->value : NULL;
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

static int take_tls(struct upstream_conf *c, const struct yaml *y, const struct ynode *map, const char *base, struct err *e)
{
    if (!map || map->kind != YNODE_MAP)
        return yaml_err(y, map, e, "\"tls\" must be a map with authority, certificate, key, name");
    if (types[c->type].tls == NEVER)
        return yaml_err(y, map, e, "an upstream of the kind %s has no TLS", types[c->type].name);
    c->tls = true;
    for (const struct ynode *k = map->first; k; k = k->next) {
        int rc = entry_take(c, texts + OWN_TEXTS, COUNT(texts) - OWN_TEXTS, y, k, base, e);

        if (rc == 0)
            rc = yaml_err(y, k, e, "unknown setting \"%.*s\" of tls: authority, certificate, key and name are known", STR_ARG(k->text));
        if (rc < 0)
            return rc;
    }
    if ((c->certificate && *c->certificate) != (c->key && *c->key))
        return yaml_err(y, map, e, "\"certificate\" and \"key\" come together");
    return 0;
}

static int take_type(struct upstream_conf *c, const struct yaml *y, const struct ynode *map, struct err *e)
{
    const struct ynode *v = yaml_get(map, "kind");

    for (int i = 0; v && v->kind == YNODE_SCALAR && i < UPSTREAM_TYPE_COUNT; i++)
        if (str_eq(v->text, str_c(types[i].name))) {
            *c = (struct upstream_conf){ .type = (enum upstream_type)i, .enabled = true, .tls = types[i].tls >= ALWAYS };
            entry_default_limits(&c->limits, limits, COUNT(limits));
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
    int taken = entry_take(c, texts, OWN_TEXTS, y, k, NULL, e);

    if (str_eq(k->text, STR("filter"))) {
        c->filter_line = v->line;
        c->filter_column = v->column;
    }
    if (taken != 0)
        return taken < 0 ? taken : 0;
    if (str_eq(k->text, STR("enabled")))
        return take_word(y, k, "yes", "no", &c->enabled, e);
    if (str_eq(k->text, STR("start")))
        return take_word(y, k, "now", "oldest", &c->from_now, e);
    if (str_eq(k->text, STR("tls")))
        return take_tls(c, y, v, base, e);
    if (str_eq(k->text, STR("limits")))
        return entry_take_limits(&c->limits, limits, COUNT(limits), y, v, e);
    if (str_eq(k->text, STR("options")))
        return entry_take_options(c->options, &c->option_count, "an upstream", y, v, e);
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
    if (rc == 0 && entry_fill(c, texts, COUNT(texts)) < 0)
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
