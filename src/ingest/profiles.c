/* profiles.c - see profiles.h. A list that is walked: it is asked once for each sender of a pile, not for each line, unless hosts matter. */
#include "ingest/profiles.h"

#include <arpa/inet.h>

struct rule {
    struct profile what;
    struct str     listener, host;
    bool           address;
    uint8_t        net[16];
    unsigned       bits;
};
/* All that comes by a listener whose configuration names a profile. */
struct forced {
    struct str  listener;
    struct rule *rule;
};

struct profiles {
    struct arena   arena;
    struct rule   *rules;
    size_t         count;
    struct forced *forced;
    size_t         forced_count;
    int32_t        zone_min;
    time_ns        tolerance;
    bool           by_host;
};

/* to_bytes - an address in its 16-byte form. */
static bool to_bytes(struct str text, uint8_t out[16])
{
    char copy[64];
    struct in_addr four;

    if (text.n == 0 || text.n >= sizeof copy)
        return false;
    memcpy(copy, text.p, text.n);
    copy[text.n] = 0;
    if (inet_pton(AF_INET, copy, &four) == 1) {
        memset(out, 0, 10);
        out[10] = out[11] = 0xff;
        memcpy(out + 12, &four, 4);
        return true;
    }
    return inet_pton(AF_INET6, copy, out) == 1;
}

/* read_net - *bits of the 16-byte form that count. */
static bool read_net(struct str text, uint8_t net[16], unsigned *bits)
{
    struct str rest = text, address;
    uint64_t n = 0;
    unsigned most;

    if (!str_split(&rest, '/', &address) || !to_bytes(address, net))
        return false;
    most = str_chr(address, ':') < 0 ? 32 : 128;
    if (rest.p && (!str_u64(rest, &n) || n > most))
        return false;
    *bits = rest.p ? (unsigned)n + (128 - most) : 128;
    return true;
}

bool profile_address_valid(struct str text)
{
    uint8_t net[16];
    unsigned bits;

    return read_net(text, net, &bits);
}

static int take_address(struct rule *r, const struct source_profile *from, struct err *e)
{
    r->address = true;
    return read_net(str_c(from->address), r->net, &r->bits)
               ? 0 : err_set(e, -EINVAL, "source \"%s\": \"%s\" is no address or network, as 10.0.0.7 or 10.0.0.0/8", from->name, from->address);
}

static int take_rule(struct profiles *p, struct rule *r, const struct source_profile *from, struct err *e)
{
    *r = (struct rule){ .what = { .name = arena_copy(&p->arena, str_c(from->name)),
                                  .parser = arena_copy(&p->arena, str_c(from->parser)), .object = arena_copy(&p->arena, str_c(from->object)),
                                  .class = arena_copy(&p->arena, str_c(from->class)),
                                  .zone_min = from->zone_known ? from->zone_min : INT32_MIN },
                        .listener = arena_copy(&p->arena, str_c(from->listener)), .host = arena_copy(&p->arena, str_c(from->host)) };
    p->by_host = p->by_host || r->host.n;
    if (*from->encoding) {
        r->what.encoding = encoding_named(str_c(from->encoding));
        if (r->what.encoding == ENCODING_COUNT)
            return err_set(e, -EINVAL, "source \"%s\": unknown encoding \"%s\"", from->name, from->encoding);
    }
    return *from->address ? take_address(r, from, e) : 0;
}

static int take_forced(struct profiles *p, const struct listen_conf *c, struct err *e)
{
    for (size_t i = 0; i < p->count; i++)
        if (str_eq(p->rules[i].what.name, str_c(c->source))) {
            p->forced[p->forced_count++] = (struct forced){ arena_copy(&p->arena, str_c(c->id)), &p->rules[i] };
            return 0;
        }
    return err_set(e, -EINVAL, "listener \"%s\": there is no source \"%s\" in ingest.sources", c->id, c->source);
}

int profiles_new(const struct ingest_options *o, struct profiles **out, struct err *e)
{
    const struct listen_table *t = o->listen;
    struct profiles *p = calloc(1, sizeof *p);
    int rc = 0;

    if (p) {
        arena_init(&p->arena, 0);
        p->rules = calloc(t->profile_count + 1, sizeof *p->rules);
        p->forced = calloc(t->listener_count + 1, sizeof *p->forced);
    }
    if (!p || !p->rules || !p->forced) {
        if (p)
            profiles_free(&p);
        return err_set(e, -ENOMEM, "no memory for source profiles");
    }
    p->zone_min = o->zone_min;
    p->tolerance = o->future_tolerance_s * NS_PER_SECOND;
    for (; rc == 0 && p->count < t->profile_count; p->count++)
        rc = take_rule(p, &p->rules[p->count], &t->profiles[p->count], e);
    for (size_t i = 0; rc == 0 && i < t->listener_count; i++)
        if (*t->listeners[i].source)
            rc = take_forced(p, &t->listeners[i], e);
    if (rc == 0 && arena_failed(&p->arena))
        rc = err_set(e, -ENOMEM, "no memory for source profiles");
    if (rc < 0) {
        profiles_free(&p);
        return rc;
    }
    *out = p;
    return 0;
}

void profiles_free(struct profiles **p)
{
    if (!*p)
        return;
    arena_free(&(*p)->arena);
    free((*p)->rules);
    free((*p)->forced);
    free(*p);
    *p = NULL;
}

int32_t profiles_zone(const struct profiles *p) { return p->zone_min; }
time_ns profiles_tolerance(const struct profiles *p) { return p->tolerance; }
bool profiles_by_host(const struct profiles *p) { return p->by_host; }

static bool in_net(const struct rule *r, const uint8_t address[16])
{
    unsigned whole = r->bits / 8, rest = r->bits % 8;

    if (memcmp(r->net, address, whole) != 0)
        return false;
    return rest == 0 || ((r->net[whole] ^ address[whole]) >> (8 - rest)) == 0;
}

/* is_host - letters folded; "*" at one end stands for any text. */
static bool is_host(struct str pattern, struct str host)
{
    struct str bare;

    if (host.n == 0)
        return false;
    if (str_ends(pattern, STR("*"))) {
        bare = str_of(pattern.p, pattern.n - 1);
        return host.n >= bare.n && str_ieq(str_of(host.p, bare.n), bare);
    }
    if (str_starts(pattern, STR("*"))) {
        bare = str_cut(pattern, 1);
        return host.n >= bare.n && str_ieq(str_cut(host, host.n - bare.n), bare);
    }
    return str_ieq(pattern, host);
}

const struct profile *profiles_find(const struct profiles *p, struct str peer, struct str listener, struct str host)
{
    uint8_t address[16];
    bool known = p->count && to_bytes(peer, address);

    for (size_t i = 0; i < p->forced_count; i++)
        if (str_eq(p->forced[i].listener, listener))
            return &p->forced[i].rule->what;
    for (size_t i = 0; i < p->count; i++) {
        const struct rule *r = &p->rules[i];

        if ((!r->address || (known && in_net(r, address))) && (!r->listener.n || str_eq(r->listener, listener)) &&
            (!r->host.n || is_host(r->host, host)))
            return &r->what;
    }
    return NULL;
}
