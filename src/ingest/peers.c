/* peers.c - what one address has at a time at a listener, and has taken in a second: a hash, and a list by last use.
 *
 * A bucket holds the bytes that an address may still send. It fills by the limit of the listener and holds at most a second's worth; an
 * address that overdrew it is not read until it is above zero. Addresses without a connection are remembered for the tables that people look
 * at, and so that nobody is rid of a debt by coming again; past PEERS_IDLE_MAX the one silent for longest is forgotten. */
#include "ingest/internal.h"

#define BUCKETS         4096             /* a power of two */
#define PEERS_IDLE_MAX  20000
#define PEERS_SHOWN_MAX 2000

struct peer {
    struct peer *chain;
    struct peer *newer, *older;
    struct card *card;        /* limits are a listener's: the same address at another one is another peer */
    size_t       connections;
    int64_t      accepted, away, bytes, tokens;
    time_ns      filled;      /* steady */
    bool         begun;       /* the bucket was filled for the first time */
    char         address[PEER_TEXT_MAX];
};

struct peers {
    struct peer *bucket[BUCKETS];
    struct peer *newest, *oldest;
    size_t       idle;        /* without a connection */
};

int peers_new(struct peers **out, struct err *e)
{
    *out = calloc(1, sizeof **out);
    return *out ? 0 : err_set(e, -ENOMEM, "no memory for the table of peers");
}

void peers_free(struct peers **p)
{
    if (!*p)
        return;
    for (struct peer *one = (*p)->newest, *older; one; one = older) {
        older = one->older;
        free(one);
    }
    free(*p);
    *p = NULL;
}

static struct peer **bucket(struct peers *p, const char *address) { return &p->bucket[str_hash(str_c(address)) & (BUCKETS - 1)]; }

static void unlink_use(struct peers *p, struct peer *one)
{
    *(one->newer ? &one->newer->older : &p->newest) = one->older;
    *(one->older ? &one->older->newer : &p->oldest) = one->newer;
}

static void link_newest(struct peers *p, struct peer *one)
{
    one->newer = NULL;
    one->older = p->newest;
    *(one->older ? &one->older->newer : &p->oldest) = one;
    p->newest = one;
}

/* forget_idle - of those without a connection the one silent for longest. */
static void forget_idle(struct peers *p)
{
    struct peer *one = p->oldest, **at;

    while (one && one->connections)
        one = one->newer;
    if (!one)
        return;
    for (at = bucket(p, one->address); *at != one; at = &(*at)->chain)
        continue;
    *at = one->chain;
    unlink_use(p, one);
    p->idle--;
    free(one);
}

static struct peer *find(struct peers *p, const char *address, struct card *card)
{
    struct peer **at = bucket(p, address), *one;

    for (one = *at; one; one = one->chain)
        if (one->card == card && strcmp(one->address, address) == 0)
            break;
    if (one) {
        unlink_use(p, one);
        link_newest(p, one);
        return one;
    }
    one = calloc(1, sizeof *one);
    if (!one)
        return NULL;
    snprintf(one->address, sizeof one->address, "%s", address);
    one->card = card;
    one->chain = *at;
    *at = one;
    link_newest(p, one);
    p->idle++;
    return one;
}

struct peer *peers_join(struct peers *p, const char *address, const struct listener *l)
{
    struct peer *one = find(p, address, l->card);

    if (!one)
        return NULL;
    if ((int64_t)one->connections >= l->conf.limits.peer_connections) {
        one->away++;
        return NULL;
    }
    p->idle -= one->connections == 0;
    one->connections++;
    one->accepted++;
    if (p->idle > PEERS_IDLE_MAX)
        forget_idle(p);
    return one;
}

void peers_leave(struct peers *p, struct peer **one)
{
    if (*one)
        p->idle += --(*one)->connections == 0;
    *one = NULL;
}

void peer_away(struct peer *p) { p->away++; }

bool peer_ready(struct peer *p, int64_t bytes_s, time_ns now)
{
    int64_t ms = (int64_t)min_size((size_t)((now - p->filled) / NS_PER_MS), 1000 * 3600), more = bytes_s * ms / 1000;

    if (bytes_s == 0)
        return true;
    if (!p->begun) {
        p->begun = true;
        p->filled = now;
        p->tokens = bytes_s;
    } else if (more > 0) {
        p->filled = now;
        p->tokens = p->tokens + more > bytes_s ? bytes_s : p->tokens + more;
    }
    return p->tokens > 0;
}

bool peer_take(struct peer *p, size_t n, int64_t bytes_s, time_ns now)
{
    bool ready = peer_ready(p, bytes_s, now);

    p->bytes += (int64_t)n;
    if (bytes_s == 0)
        return ready;
    p->tokens -= (int64_t)n;
    return p->tokens > 0;
}

void peers_json(const struct peers *p, struct buf *b)
{
    size_t n = 0;

    for (const struct peer *one = p->newest; one && n < PEERS_SHOWN_MAX; one = one->older, n++)
        buf_printf(b, "%s\n{\"address\":\"%s\",\"listener\":\"%s\",\"connections\":%zu,\"accepted\":%lld,\"turned_away\":%lld,\"bytes\":%lld}", n ? "," : "",
                   one->address, one->card->id, one->connections, (long long)one->accepted, (long long)one->away, (long long)one->bytes);
}
