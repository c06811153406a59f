/* listen.c - see listen.h. Tables hold the texts and the limits of an entry; entry.h walks them. */
#include "base/listen.h"
#include "base/yaml.h"

enum tls_rule { NEVER, MAY, ALWAYS, SERVER };

static const struct {
    const char   *name, *address;
    enum tls_rule tls;
} kinds[LISTEN_KIND_COUNT] = {
#define LISTENER(kind, address, tls) [LISTEN_##kind] = { #kind, address, tls },
#include "base/listeners.def"
#undef LISTENER
};

static const char *const clients[] = { "none", "optional", "required" };

#define LIMIT(name, lo, hi, def) { #name, offsetof(struct listen_limits, name), lo, hi, def }
static const struct entry_limit limits[] = {
    LIMIT(connections, 1, 100000, 2048),
    LIMIT(peer_connections, 1, 100000, 64),
    LIMIT(peer_bytes_s, 0, INT64_C(1) << 40, 0),
    LIMIT(record_bytes, 1024, 1048576, 1048576),
    LIMIT(idle_s, 10, 86400 * 7, 3600),
    LIMIT(handshake_s, 1, 300, 10),
};

static const struct entry_text listener_texts[] = {
    { "id", offsetof(struct listen_conf, id) },
    { "address", offsetof(struct listen_conf, address) },
    { "source", offsetof(struct listen_conf, source) },
    { "certificate", offsetof(struct listen_conf, certificate), true },
    { "key", offsetof(struct listen_conf, key), true },
    { "authority", offsetof(struct listen_conf, authority), true },
};
#define OWN_TEXTS 3    /* of an entry itself; the others are those of "tls" */
static const struct entry_text profile_texts[] = {
    { "name", offsetof(struct source_profile, name) },         { "address", offsetof(struct source_profile, address) },
    { "host", offsetof(struct source_profile, host) },         { "listener", offsetof(struct source_profile, listener) },
    { "zone", offsetof(struct source_profile, zone) },         { "encoding", offsetof(struct source_profile, encoding) },
    { "class", offsetof(struct source_profile, class) },       { "parser", offsetof(struct source_profile, parser) },
    { "object", offsetof(struct source_profile, object) },
};

const char *listen_kind_name(enum listen_kind kind) { return kind < LISTEN_KIND_COUNT ? kinds[kind].name : "?"; }
const char *listen_client_name(enum listen_client c) { return c < COUNT(clients) ? clients[c] : "?"; }

void listen_default(enum listen_kind kind, struct listen_conf *out)
{
    *out = (struct listen_conf){ .kind = kind, .tls = kinds[kind].tls >= ALWAYS,
                                 .client = kinds[kind].tls == ALWAYS ? LISTEN_CLIENT_REQUIRED : LISTEN_CLIENT_NONE };
    entry_default_limits(&out->limits, limits, COUNT(limits));
}

void listen_conf_free(struct listen_conf *c)
{
    entry_free_texts(c, listener_texts, COUNT(listener_texts));
    entry_free_options(c->options, &c->option_count);
    *c = (struct listen_conf){ 0 };
}

int listen_conf_copy(const struct listen_conf *from, struct listen_conf *to)
{
    int rc;

    *to = *from;
    to->option_count = 0;
    rc = entry_copy_texts(from, to, listener_texts, COUNT(listener_texts));
    if (rc == 0)
        rc = entry_copy_options(from->options, from->option_count, to->options, &to->option_count);
    if (rc < 0)
        listen_conf_free(to);
    return rc;
}

bool listen_conf_same(const struct listen_conf *a, const struct listen_conf *b)
{
    return a->kind == b->kind && a->tls == b->tls && a->client == b->client && memcmp(&a->limits, &b->limits, sizeof a->limits) == 0 &&
           entry_same_texts(a, b, listener_texts, COUNT(listener_texts)) &&
           entry_same_options(a->options, a->option_count, b->options, b->option_count);
}

const char *listen_option(const struct listen_conf *c, const char *name)
{
    const struct entry_option *o = entry_option_find(c->options, c->option_count, name);

    return o ? o->value : NULL;
}

static bool id_valid(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.'))
            return false;
    }
    return s.n > 0 && s.n <= LISTEN_ID_MAX;
}

static int take_client(const struct yaml *y, const struct ynode *v, enum listen_client *out, struct err *e)
{
    for (size_t i = 0; v && v->kind == YNODE_SCALAR && i < COUNT(clients); i++)
        if (str_eq(v->text, str_c(clients[i]))) {
            *out = (enum listen_client)i;
            return 0;
        }
    return yaml_err(y, v, e, "\"client\" must be none, optional or required");
}

static int take_tls(struct listen_conf *c, const struct yaml *y, const struct ynode *map, const char *base, struct err *e)
{
    if (!map || map->kind != YNODE_MAP)
        return yaml_err(y, map, e, "\"tls\" must be a map with certificate, key, authority, client");
    if (kinds[c->kind].tls == NEVER)
        return yaml_err(y, map, e, "a listener of the kind %s has no TLS", kinds[c->kind].name);
    c->tls = true;
    for (const struct ynode *k = map->first; k; k = k->next) {
        int rc = entry_take(c, listener_texts + OWN_TEXTS, COUNT(listener_texts) - OWN_TEXTS, y, k, base, e);

        if (rc == 0)
            rc = str_eq(k->text, STR("client")) ? take_client(y, k->value, &c->client, e)
                 : yaml_err(y, k, e, "unknown setting \"%.*s\" of tls: certificate, key, authority and client are known", STR_ARG(k->text));
        if (rc < 0)
            return rc;
    }
    if ((c->certificate && *c->certificate) != (c->key && *c->key))
        return yaml_err(y, map, e, "\"certificate\" and \"key\" come together");
    return 0;
}

static int take_kind(struct listen_conf *c, const struct yaml *y, const struct ynode *map, struct err *e)
{
    const struct ynode *v = yaml_get(map, "kind");

    for (int i = 0; v && v->kind == YNODE_SCALAR && i < LISTEN_KIND_COUNT; i++)
        if (str_eq(v->text, str_c(kinds[i].name))) {
            listen_default((enum listen_kind)i, c);
            return 0;
        }
    if (v && v->kind == YNODE_SCALAR)
        return yaml_err(y, v, e, "unknown kind \"%.*s\" of a listener", STR_ARG(v->text));
    return yaml_err(y, v ? v : map, e, "a listener needs \"kind\"");
}

static int take_listener(struct listen_conf *c, const struct yaml *y, const struct ynode *map, const char *base, struct err *e)
{
    int rc;

    if (map->kind != YNODE_MAP)
        return yaml_err(y, map, e, "a listener is a map: id, kind, address, tls, limits, source, options");
    rc = take_kind(c, y, map, e);
    for (const struct ynode *k = map->first; rc == 0 && k; k = k->next) {
        const struct ynode *v = k->value ? k->value : k;
        int taken = str_eq(k->text, STR("kind")) ? 1 : entry_take(c, listener_texts, OWN_TEXTS, y, k, NULL, e);

        if (taken != 0)
            rc = taken < 0 ? taken : 0;
        else if (str_eq(k->text, STR("tls")))
            rc = take_tls(c, y, v, base, e);
        else if (str_eq(k->text, STR("limits")))
            rc = entry_take_limits(&c->limits, limits, COUNT(limits), y, v, e);
        else if (str_eq(k->text, STR("options")))
            rc = entry_take_options(c->options, &c->option_count, "a listener", y, v, e);
        else
            rc = yaml_err(y, k, e, "unknown setting \"%.*s\" of a listener", STR_ARG(k->text));
    }
    if (rc == 0 && !id_valid(str_c(c->id)))
        rc = yaml_err(y, map, e, "a listener needs \"id\": 1 to %d letters, digits, '_', '-', '.'", LISTEN_ID_MAX);
    c->line = map->line;
    c->column = map->column;
    return rc == 0 && entry_fill(c, listener_texts, COUNT(listener_texts)) < 0 ? err_set(e, -ENOMEM, "no memory for the configuration") : rc;
}

static bool id_taken(const struct listen_table *t, const char *id)
{
    for (size_t i = 0; i < t->listener_count; i++)
        if (strcmp(t->listeners[i].id, id) == 0)
            return true;
    return strcmp(id, "own_log") == 0;   /* the metrics have a row of this name */
}

static struct listen_conf *room_for_listener(struct listen_table *t)
{
    struct listen_conf *more = realloc(t->listeners, (t->listener_count + 1) * sizeof *more);

    if (!more)
        return NULL;
    t->listeners = more;
    more[t->listener_count] = (struct listen_conf){ 0 };
    return &more[t->listener_count];
}

int listen_take_listeners(struct listen_table *t, const struct yaml *y, const struct ynode *list, const char *base, struct err *e)
{
    if (list && yaml_null(list))
        return 0;
    if (!list || list->kind != YNODE_SEQ)
        return yaml_err(y, list, e, "\"listeners\" must be a list");
    for (const struct ynode *i = list->first; i; i = i->next) {
        struct listen_conf *c;
        int rc;

        if (t->listener_count == LISTENERS_MAX)
            return yaml_err(y, i, e, "there may be %d listeners", LISTENERS_MAX);
        c = room_for_listener(t);
        if (!c)
            return err_set(e, -ENOMEM, "no memory for the configuration");
        rc = take_listener(c, y, i, base, e);
        if (rc == 0 && id_taken(t, c->id))
            rc = yaml_err(y, i, e, "there is a listener \"%s\" already", c->id);
        if (rc < 0) {
            listen_conf_free(c);
            return rc;
        }
        t->listener_count++;
    }
    return 0;
}

int listen_add_short(struct listen_table *t, enum listen_kind kind, const char *address, struct err *e)
{
    struct listen_conf *c;

    if (!address || !*address)
        return 0;
    if (id_taken(t, kinds[kind].name))
        return err_set(e, -EINVAL, "the listener \"%s\" stands in \"ingest.listeners\" and as \"ingest.%s\": one of them must go, or the setting be empty",
                       kinds[kind].name, kinds[kind].name);
    if (t->listener_count == LISTENERS_MAX)
        return err_set(e, -EINVAL, "there may be %d listeners", LISTENERS_MAX);
    c = room_for_listener(t);
    if (!c)
        return err_set(e, -ENOMEM, "no memory for the configuration");
    listen_default(kind, c);
    if (entry_set(&c->id, str_c(kinds[kind].name)) < 0 || entry_set(&c->address, str_c(address)) < 0 || entry_fill(c, listener_texts, COUNT(listener_texts)) < 0) {
        listen_conf_free(c);
        return err_set(e, -ENOMEM, "no memory for the configuration");
    }
    t->listener_count++;
    return 0;
}

bool listen_zone(struct str s, int32_t *minutes)
{
    uint64_t h, m;

    if (s.n != 6 || (s.p[0] != '+' && s.p[0] != '-') || s.p[3] != ':' || !str_u64(str_of(s.p + 1, 2), &h) || !str_u64(str_of(s.p + 4, 2), &m) ||
        h > 18 || m > 59)
        return false;
    *minutes = (int32_t)(h * 60 + m) * (s.p[0] == '-' ? -1 : 1);
    return true;
}

/* take_zone - "+05:00" becomes minutes; a name is left for whoever can look it up. */
static int take_zone(struct source_profile *p, const struct yaml *y, const struct ynode *v, struct err *e)
{
    struct str s = str_c(p->zone);

    if (s.n == 0 || (s.p[0] != '+' && s.p[0] != '-'))
        return 0;
    p->zone_known = listen_zone(s, &p->zone_min);
    return p->zone_known ? 0 : yaml_err(y, v, e, "\"zone\" must be as +05:00, or a name as Asia/Almaty");
}

static int take_profile(struct source_profile *p, const struct yaml *y, const struct ynode *map, struct err *e)
{
    int rc = 0;

    if (map->kind != YNODE_MAP)
        return yaml_err(y, map, e, "a source is a map: name; address, host, listener; zone, encoding, class, parser, object");
    for (const struct ynode *k = map->first; rc == 0 && k; k = k->next) {
        rc = entry_take(p, profile_texts, COUNT(profile_texts), y, k, NULL, e);
        if (rc == 0)
            rc = yaml_err(y, k, e, "unknown setting \"%.*s\" of a source", STR_ARG(k->text));
        else if (rc > 0)
            rc = str_eq(k->text, STR("zone")) ? take_zone(p, y, k->value, e) : 0;
    }
    if (rc == 0 && entry_fill(p, profile_texts, COUNT(profile_texts)) < 0)
        rc = err_set(e, -ENOMEM, "no memory for the configuration");
    if (rc == 0 && !*p->name)
        rc = yaml_err(y, map, e, "a source needs \"name\"");
    p->line = map->line;
    p->column = map->column;
    return rc;
}

static void profile_free(struct source_profile *p)
{
    entry_free_texts(p, profile_texts, COUNT(profile_texts));
}

int listen_take_profiles(struct listen_table *t, const struct yaml *y, const struct ynode *list, struct err *e)
{
    if (list && yaml_null(list))
        return 0;
    if (!list || list->kind != YNODE_SEQ)
        return yaml_err(y, list, e, "\"sources\" must be a list");
    if (list->count > PROFILES_MAX)
        return yaml_err(y, list, e, "there may be %d sources", PROFILES_MAX);
    for (const struct ynode *i = list->first; i; i = i->next) {
        struct source_profile *more = realloc(t->profiles, (t->profile_count + 1) * sizeof *more), p = { 0 };
        int rc;

        if (!more)
            return err_set(e, -ENOMEM, "no memory for the configuration");
        t->profiles = more;
        rc = take_profile(&p, y, i, e);
        if (rc < 0) {
            profile_free(&p);
            return rc;
        }
        more[t->profile_count++] = p;
    }
    return 0;
}

void listen_table_free(struct listen_table *t)
{
    for (size_t i = 0; i < t->listener_count; i++)
        listen_conf_free(&t->listeners[i]);
    for (size_t i = 0; i < t->profile_count; i++)
        profile_free(&t->profiles[i]);
    free(t->listeners);
    free(t->profiles);
    *t = (struct listen_table){ 0 };
}
