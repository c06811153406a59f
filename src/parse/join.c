/* join.c - see join.h.
 *
 * Open events stand in a hash by key and in a list by age; ended ones in a queue. One struct is one event; its text is one block
 * that doubles. Structs and blocks are used again: a loop over lines settles and allocates no more. */
#include "parse/join.h"
#include "parse/internal.h"

#define BUCKETS 4096
#define SPARE_MAX 256               /* structs that are kept for the next events */
#define SPARE_BYTES (64u * KIB)     /* a larger text is not kept */
#define HEAD_MAX 512 /* a record's stamp stands in its first bytes, behind a header of syslog at most */

struct open_event {
    struct open_event *chain;        /* of the bucket */
    struct open_event *newer, *older; /* by age; newer also links the queue of ended ones */
    uint64_t hash, first;
    char *source;                    /* own copy */
    size_t source_n, source_cap;
    char *text;
    size_t n, cap;
    uint32_t key_n; /* key is the head of text's first line's stamp: kept apart */
    char key[96];
    time_ns begun, stamp_ms;
    uint32_t records;
    bool split, early;
};

struct join {
    struct open_event *buckets[BUCKETS], *newest, *oldest;
    struct open_event *ended, **ended_tail, *taken, *spare;
    size_t count, bytes, spares;
};

/* A record's identity. */
struct stamp_of {
    struct str type, node, id; /* id: "1489519230.178:19600327" */
    time_ns ms;
};

/* stamp_at - where "audit(" stands, or -1: it is asked of every line, and few hold a '(' at all. */
static ptrdiff_t stamp_at(struct str head)
{
    size_t from = 5;

    while (from < head.n) {
        ptrdiff_t hit = str_chr(str_cut(head, from), '(');

        if (hit < 0)
            break;
        from += (size_t)hit;
        if (memcmp(head.p + from - 5, "audit", 5) == 0)
            return (ptrdiff_t)from - 5;
        from++;
    }
    return -1;
}

/* identify - false: the line is no audit record with a serial. */
static bool identify(struct str line, struct stamp_of *out)
{
    struct str head = str_left(line, HEAD_MAX), rest, before, seconds, fraction;
    ptrdiff_t at = stamp_at(head);
    uint64_t s = 0, ms = 0;

    *out = (struct stamp_of){ .ms = 0 };
    if (at < 0)
        return false;
    before = str_left(head, (size_t)at);
    rest = str_cut(head, (size_t)at + 6);
    out->id = take_until(&rest, STR(")"));
    if (rest.n == 0 || *rest.p != ':' || out->id.n > sizeof(((struct open_event *)0)->key) - 1 || out->id.n < 5)
        return false;
    if (!split_at(out->id, STR("."), &seconds, &rest) || !split_at(rest, STR(":"), &fraction, &rest) || !str_u64(seconds, &s) ||
        !str_u64(fraction, &ms) || !all_digits(rest) || s > INT32_MAX * UINT64_C(4))
        return false;
    out->ms = (time_ns)(s * 1000 + ms % 1000);
    at = str_find(before, STR("type="));
    if (at < 0)
        return false;
    rest = str_cut(before, (size_t)at + 5);
    out->type = take_word(&rest);
    at = str_find(str_left(before, (size_t)at), STR("node="));
    if (at >= 0) {
        rest = str_cut(before, (size_t)at + 5);
        out->node = take_word(&rest);
    }
    return out->type.n > 0;
}

/* number_of - of a record's type, by name or "UNKNOWN[1420]"; 0: not known. */
static unsigned number_of(struct str type)
{
    static const struct {
        struct str head;
        unsigned number;
    } heads[] = { { STR_INIT("USER_"), 1100 },  { STR_INIT("CRED_"), 1103 },   { STR_INIT("DAEMON_"), 1200 }, { STR_INIT("SERVICE_"), 1130 },
                  { STR_INIT("SYSTEM_"), 1127 }, { STR_INIT("CRYPTO_"), 2400 }, { STR_INIT("VIRT_"), 2500 },   { STR_INIT("ADD_"), 1114 },
                  { STR_INIT("DEL_"), 1115 },    { STR_INIT("GRP_"), 1126 },    { STR_INIT("ANOM_LOGIN"), 2100 }, { STR_INIT("ACCT_"), 1135 },
                  { STR_INIT("RESP_"), 2200 },   { STR_INIT("SOFTWARE_"), 1138 }, { STR_INIT("EOE"), 1320 }, { STR_INIT("PROCTITLE"), 1327 } };
    uint64_t n;

    if (str_u64(type, &n))
        return (unsigned)(n < 10000 ? n : 0);
    for (size_t i = 0; i < COUNT(heads); i++)
        if (str_starts(type, heads[i].head))
            return heads[i].number;
    return 0;
}

/* alone - written by a user program: an event of one record, without EOE. */
static bool alone(unsigned number) { return (number >= 1100 && number < 1300) || (number >= 2100 && number < 3000); }

enum join_kind join_kind(struct str line)
{
    struct stamp_of id;
    unsigned number;

    if (!identify(line, &id))
        return JOIN_NONE;
    number = number_of(id.type);
    return number == 1320 ? JOIN_END : alone(number) ? JOIN_ALONE : JOIN_PART;
}

struct join_seen join_look(struct str line)
{
    struct stamp_of id;
    unsigned number;

    if (!identify(line, &id))
        return (struct join_seen){ .kind = JOIN_NONE, .last = true };
    number = number_of(id.type);
    return (struct join_seen){ .kind = number == 1320 ? JOIN_END : alone(number) ? JOIN_ALONE : JOIN_PART,
                               .last = number == 1320 || number == 1327 || alone(number),
                               .id = str_hash(id.id) ^ str_hash(id.node) * 131, .stamp_ms = id.ms };
}

int join_new(struct join **out, struct err *e)
{
    struct join *j = calloc(1, sizeof *j);

    if (!j)
        return err_set(e, -ENOMEM, "no memory to join audit records");
    j->ended_tail = &j->ended;
    *out = j;
    return 0;
}

static void event_free(struct open_event *o)
{
    if (!o)
        return;
    free(o->source);
    free(o->text);
    free(o);
}

/* put_by - for the next event. */
static void put_by(struct join *j, struct open_event *o)
{
    if (!o)
        return;
    if (j->spares >= SPARE_MAX || o->cap > SPARE_BYTES) {
        event_free(o);
        return;
    }
    o->newer = j->spare;
    j->spare = o;
    j->spares++;
}

/* take_up - a cleared one, with the blocks of another if there is one. */
static struct open_event *take_up(struct join *j)
{
    struct open_event *o = j->spare;

    if (!o)
        return calloc(1, sizeof *o);
    j->spare = o->newer;
    j->spares--;
    *o = (struct open_event){ .text = o->text, .cap = o->cap, .source = o->source, .source_cap = o->source_cap };
    return o;
}

void join_free(struct join **jp)
{
    struct join *j = *jp;
    struct open_event *o;

    if (!j)
        return;
    join_flush(j);
    while ((o = j->ended) != NULL) {
        j->ended = o->newer;
        event_free(o);
    }
    event_free(j->taken);
    while ((o = j->spare) != NULL) {
        j->spare = o->newer;
        event_free(o);
    }
    free(j);
    *jp = NULL;
}

/* end - from the open ones to the queue. */
static void end(struct join *j, struct open_event *o)
{
    struct open_event **at = &j->buckets[o->hash & (BUCKETS - 1)];

    while (*at != o)
        at = &(*at)->chain;
    *at = o->chain;
    *(o->newer ? &o->newer->older : &j->newest) = o->older;
    *(o->older ? &o->older->newer : &j->oldest) = o->newer;
    o->newer = NULL;
    *j->ended_tail = o;
    j->ended_tail = &o->newer;
    j->count--;
    j->bytes -= o->n;
}

void join_flush(struct join *j)
{
    while (j->oldest)
        end(j, j->oldest);
}

void join_expire(struct join *j, time_ns now)
{
    while (j->oldest && now - j->oldest->begun > JOIN_WAIT)
        end(j, j->oldest);
}

static bool append(struct join *j, struct open_event *o, struct str line)
{
    size_t need = o->n + line.n + 1, cap = o->cap ? o->cap : 1024;
    char *text;

    while (cap < need)
        cap *= 2;
    if (cap > o->cap) {
        if (!(text = realloc(o->text, cap)))
            return false;
        o->text = text;
        o->cap = cap;
    }
    if (o->n)
        o->text[o->n++] = '\n', j->bytes++;
    if (line.n)
        memcpy(o->text + o->n, line.p, line.n);
    o->n += line.n;
    j->bytes += line.n;
    o->records++;
    return true;
}

static struct open_event *find(struct join *j, uint64_t hash, struct str source, struct str key)
{
    for (struct open_event *o = j->buckets[hash & (BUCKETS - 1)]; o; o = o->chain)
        if (o->hash == hash && str_eq(str_of(o->key, o->key_n), key) && str_eq(str_of(o->source, o->source_n), source))
            return o;
    return NULL;
}

static struct open_event *open_new(struct join *j, uint64_t hash, struct str source, struct str key, uint64_t first)
{
    struct open_event *o = take_up(j);

    if (o && source.n >= o->source_cap) {
        free(o->source);
        o->source_cap = source.n + 64;
        o->source = malloc(o->source_cap);
    }
    if (!o || !o->source) {
        event_free(o);
        return NULL;
    }
    if (source.n)
        memcpy(o->source, source.p, source.n);
    o->source_n = source.n;
    memcpy(o->key, key.p, key.n);
    o->key_n = (uint32_t)key.n;
    o->hash = hash;
    o->first = first;
    o->chain = j->buckets[hash & (BUCKETS - 1)];
    j->buckets[hash & (BUCKETS - 1)] = o;
    o->older = j->newest;
    *(o->older ? &o->older->newer : &j->oldest) = o;
    j->newest = o;
    j->count++;
    return o;
}

/* old_ones - a record of the same source that is JOIN_WAIT newer by its own time: what is older will not be continued. */
static void old_ones(struct join *j, struct str source, time_ns ms)
{
    while (j->oldest && ms - j->oldest->stamp_ms > JOIN_WAIT / NS_PER_MS &&
           str_eq(str_of(j->oldest->source, j->oldest->source_n), source))
        end(j, j->oldest);
}

int join_add(struct join *j, struct str source, struct str line, uint64_t first, time_ns now, struct err *e)
{
    struct stamp_of id;
    struct open_event *o;
    uint64_t hash;
    unsigned number;

    if (!identify(line, &id))
        id = (struct stamp_of){ .id = STR("?"), .type = STR("USER_") }; /* no record: an event of its own */
    number = number_of(id.type);
    hash = str_hash(id.id) ^ str_hash(source) * 31 ^ str_hash(id.node) * 131;
    old_ones(j, source, id.ms);
    o = alone(number) ? NULL : find(j, hash, source, id.id);
    if (o && o->n + 1 + line.n > EVENT_ORIGINAL_MAX) {
        o->split = true;
        end(j, o);
        o = open_new(j, hash, source, id.id, first);
        if (o)
            o->split = true;
    } else if (!o) {
        o = open_new(j, hash, source, id.id, first);
    }
    if (!o)
        return err_set(e, -ENOMEM, "no memory to join audit records");
    if (o->records == 0) {
        o->begun = now;
        o->stamp_ms = id.ms;
    }
    if (!append(j, o, line)) {
        if (o->records == 0) {
            end(j, o); /* an empty one: join_next leaves it out */
        }
        return err_set(e, -ENOMEM, "no memory to join audit records");
    }
    if (number == 1320 || alone(number))
        end(j, o);
    while (j->count > JOIN_EVENTS_MAX || j->bytes > JOIN_BYTES_MAX) {
        j->oldest->early = true;
        end(j, j->oldest);
    }
    return 0;
}

bool join_next(struct join *j, struct joined *out)
{
    struct open_event *o;

    do {
        put_by(j, j->taken);
        j->taken = o = j->ended;
        if (!o)
            return false;
        j->ended = o->newer;
        if (!j->ended)
            j->ended_tail = &j->ended;
    } while (o->records == 0);
    *out = (struct joined){ str_of(o->text, o->n), str_of(o->source, o->source_n), o->first, o->records, o->split, o->early };
    return true;
}

size_t join_bytes(const struct join *j) { return j->bytes; }

time_ns join_oldest(const struct join *j) { return j->oldest ? j->oldest->begun : INT64_MAX; }
