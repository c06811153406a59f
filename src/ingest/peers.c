/* peers.c - what one address has at a time and has taken in a second: a hash of addresses that have connections.
 *
 * A bucket holds the bytes that an address may still send. It fills by the limit of the listener and holds at most a second's worth
 * (and one read, so that a small limit does not stand still); an address that overdrew it is not read until it is above zero. */
#include "ingest/internal.h"

#define BUCKETS  4096             /* a power of two */

struct peer {
    struct peer           *chain;
    const struct listener *listener;   /* limits are a listener's: the same address at another one is another peer */
    size_t                 connections;
    int64_t                tokens;
    time_ns                filled;     /* steady */
    char                   address[PEER_TEXT_MAX];
};

struct peers {
    struct peer *bucket[BUCKETS];
};

int peers_new(struct peers **out, struct err *e)
{
    *out = calloc(1, sizeof **out);
    return *out ? 0 : err_set(e, -ENOMEM, "no memory for the table of peers");
}

void peers_free(struct peers **p)
{
    free(*p);
    *p = NULL;
}

struct peer *peers_join(struct peers *p, struct str address, const struct listener *l)
{
    struct peer **at = &p->bucket[str_hash(address) & (BUCKETS - 1)], *one;

    for (one = *at; one; one = one->chain)
        if (one->listener == l && str_eq(str_c(one->address), address))
            break;
    if (!one) {
        one = calloc(1, sizeof *one);
        if (!one)
            return NULL;
        snprintf(one->address, sizeof one->address, "%.*s", STR_ARG(address));
        one->listener = l;
        one->tokens = l->conf.limits.peer_bytes_s;
        one->filled = clock_steady();
        one->chain = *at;
        *at = one;
    }
    if ((int64_t)one->connections >= l->conf.limits.peer_connections)
        return NULL;
    one->connections++;
    return one;
}

void peers_leave(struct peers *p, struct peer **one)
{
    struct peer **at;

    if (!*one)
        return;
    if (--(*one)->connections == 0) {
        /* A debt is forgiven here. To come again for each piece costs the sender more than the limit spares. */
        for (at = &p->bucket[str_hash(str_c((*one)->address)) & (BUCKETS - 1)]; *at != *one; at = &(*at)->chain)
            continue;
        *at = (*one)->chain;
        free(*one);
    }
    *one = NULL;
}

bool peer_ready(struct peer *p, int64_t bytes_s, time_ns now)
{
    int64_t ms = (int64_t)min_size((size_t)((now - p->filled) / NS_PER_MS), 1000 * 3600), more;

    if (bytes_s == 0)
        return true;
    more = bytes_s * ms / 1000;
    if (more > 0) {
        p->filled = now;
        p->tokens = p->tokens + more > bytes_s ? bytes_s : p->tokens + more;
    }
    return p->tokens > 0;
}

bool peer_take(struct peer *p, size_t n, int64_t bytes_s, time_ns now)
{
    if (bytes_s == 0)
        return true;
    (void)peer_ready(p, bytes_s, now);
    p->tokens -= (int64_t)n;
    return p->tokens > 0;
}
