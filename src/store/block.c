/* block.c - a block: some thousand events of one day, sorted by time, compressed.
 *
 *   keys      zstd of: for each event its time (difference, varint) and its seq (difference, zig-zag varint); see get_keys
 *   payload   zstd of the event codec's bytes
 *   filter    lines of 64 bytes: 480 bits of a Bloom filter over the tokens of the events, and their checksum. A token speaks to one line
 *             alone, so a question costs one read of 64 bytes, and that read is checked. */
#include "base/log.h"
#include "store/internal.h"

#include <xxhash.h>
#include <zstd.h>

#define FILTER_BITS   480u
#define FILTER_PROBES 6u
#define ZSTD_LEVEL    1     /* engine research: higher ones cost more than they save */

/* --- events --- */

int32_t day_of(time_ns t)
{
    int64_t day = t < 0 ? 0 : t / NS_PER_DAY;

    return day > 2932896 ? 2932896 : (int32_t)day;
}

int32_t event_day(const struct event *ev)
{
    return day_of(ev->received ? ev->received : ev->time);
}

/* inside - v is a piece of the original line. */
static bool inside(const struct event *ev, struct str v)
{
    uintptr_t a = (uintptr_t)ev->original.p, b = (uintptr_t)v.p;

    return v.n && ev->original.n && b >= a && b - a <= ev->original.n && v.n <= ev->original.n - (b - a);
}

size_t event_bytes(const struct event *ev)
{
    size_t n = sizeof *ev + ev->field_count * sizeof *ev->fields + ev->original.n;
    const struct str members[] = { ev->time_text, ev->source, ev->object, ev->parser };

    for (size_t i = 0; i < COUNT(members); i++)
        n += inside(ev, members[i]) ? 0 : members[i].n;
    for (uint32_t i = 0; i < ev->field_count; i++)
        n += ev->fields[i].name.n + (inside(ev, ev->fields[i].value) ? 0 : ev->fields[i].value.n);
    return n;
}

static struct str put_text(char **to, struct str s)
{
    struct str out = str_of(*to, s.n);

    if (s.n)
        memcpy(*to, s.p, s.n);
    *to += s.n;
    return out;
}

static struct str put_piece(char **to, const struct event *ev, struct str original, struct str s)
{
    return inside(ev, s) ? str_of(original.p + (s.p - ev->original.p), s.n) : put_text(to, s);
}

struct event *event_place(const struct event *ev, void *memory)
{
    struct event *out = memory;
    char *to = (char *)memory + sizeof *out + ev->field_count * sizeof *out->fields;

    *out = *ev;
    out->fields = (struct event_field *)(void *)((char *)memory + sizeof *out);
    out->field_cap = ev->field_count;
    out->original = put_text(&to, ev->original);
    out->time_text = put_piece(&to, ev, out->original, ev->time_text);
    out->source = put_piece(&to, ev, out->original, ev->source);
    out->object = put_piece(&to, ev, out->original, ev->object);
    out->parser = put_piece(&to, ev, out->original, ev->parser);
    for (uint32_t i = 0; i < ev->field_count; i++) {
        out->fields[i].name = put_text(&to, ev->fields[i].name);
        out->fields[i].value = put_piece(&to, ev, out->original, ev->fields[i].value);
    }
    return out;
}

/* --- filter --- */

struct token_set {
    uint64_t *slot;
    size_t    count, cap;   /* cap a power of two */
    bool      failed;
};

static void token_grow(struct token_set *t)
{
    size_t cap = t->cap ? t->cap * 2 : 4096;
    uint64_t *slot = calloc(cap, sizeof *slot);

    if (!slot) {
        t->failed = true;
        return;
    }
    for (size_t i = 0; i < t->cap; i++) {
        if (!t->slot[i])
            continue;
        size_t at = t->slot[i] & (cap - 1);

        while (slot[at])
            at = (at + 1) & (cap - 1);
        slot[at] = t->slot[i];
    }
    free(t->slot);
    t->slot = slot;
    t->cap = cap;
}

static void token_forget(struct token_set *t)
{
    if (t->slot)
        memset(t->slot, 0, t->cap * sizeof *t->slot);
    t->count = 0;
    t->failed = false;
}

static void token_add(void *arg, uint64_t hash)
{
    struct token_set *t = arg;
    size_t at;

    hash += hash == 0;      /* 0 marks an empty slot */
    if (t->count * 2 >= t->cap)
        token_grow(t);
    if (t->failed)
        return;
    for (at = hash & (t->cap - 1); t->slot[at]; at = (at + 1) & (t->cap - 1))
        if (t->slot[at] == hash)
            return;
    t->slot[at] = hash;
    t->count++;
}

uint32_t filter_line_of(const struct block_entry *entry, uint64_t hash)
{
    hash += hash == 0;
    return (uint32_t)((hash >> 32) * entry->filter_lines >> 32);
}

static uint32_t filter_bit(uint32_t *x, unsigned probe)
{
    *x = (*x ^ *x >> 15) * 0x9E3779B1u + probe;
    return (uint32_t)((uint64_t)*x * FILTER_BITS >> 32);
}

static uint32_t line_sum(const unsigned char line[FILTER_LINE], uint32_t index)
{
    return (uint32_t)XXH3_64bits_withSeed(line, FILTER_BITS / 8, index);
}

/* may_hold - the bits of a token are set in the line. */
static bool may_hold(const unsigned char line[FILTER_LINE], uint64_t hash)
{
    uint32_t x;

    hash += hash == 0;
    x = (uint32_t)hash;
    for (unsigned i = 0; i < FILTER_PROBES; i++) {
        uint32_t bit = filter_bit(&x, i);

        if (!(line[bit / 8] & 1u << bit % 8))
            return false;
    }
    return true;
}

int filter_may(const struct block_entry *entry, const unsigned char line[FILTER_LINE], uint32_t index, uint64_t hash)
{
    struct reader r = rd_from(line + FILTER_BITS / 8, 4);

    if (rd_le32(&r) != line_sum(line, index))
        return -EBADMSG;
    if (entry->version != BLOCK_ROWS)
        return may_hold(line, hash);
    /* Blocks of rows have every word by its whole hash, and no address as one. */
    if (hash & QUERY_TOKEN_ADDRESS)
        return 1;
    for (uint64_t low = 0; low <= QUERY_TOKEN_FLAGS; low++)
        if (may_hold(line, (hash & ~(uint64_t)QUERY_TOKEN_FLAGS) | low))
            return 1;
    return 0;
}

bool filter_has(const struct block_entry *entry, uint64_t hash)
{
    return entry->version == BLOCK_ROWS ? !(hash & QUERY_TOKEN_ADDRESS) : !(hash & QUERY_TOKEN_COMMON);
}

static void filter_encode(const struct token_set *t, struct block_entry *entry, struct buf *out)
{
    size_t lines = (t->count * FILTER_BITS_TOKEN + FILTER_BITS - 1) / FILTER_BITS;
    unsigned char *p;

    entry->filter_lines = lines ? (uint32_t)lines : 1;
    p = (unsigned char *)buf_room(out, (size_t)entry->filter_lines * FILTER_LINE);
    if (!p)
        return;
    memset(p, 0, (size_t)entry->filter_lines * FILTER_LINE);
    for (size_t i = 0; i < t->cap; i++) {
        uint32_t x = (uint32_t)t->slot[i];

        if (!t->slot[i])
            continue;
        unsigned char *line = p + (size_t)filter_line_of(entry, t->slot[i]) * FILTER_LINE;
        for (unsigned k = 0; k < FILTER_PROBES; k++) {
            uint32_t bit = filter_bit(&x, k);

            line[bit / 8] |= (unsigned char)(1u << bit % 8);
        }
    }
    for (uint32_t i = 0; i < entry->filter_lines; i++) {
        unsigned char *line = p + (size_t)i * FILTER_LINE;
        uint32_t sum = line_sum(line, i);

        for (unsigned k = 0; k < 4; k++)
            line[FILTER_BITS / 8 + k] = (unsigned char)(sum >> 8 * k);
    }
    out->n += (size_t)entry->filter_lines * FILTER_LINE;
}

/* --- encoding --- */

struct block_writer {
    struct columns_writer *columns;
    struct arena           arena;       /* of one event */
    struct token_set       tokens;
    struct buf             raw;
};

struct block_writer *block_writer_new(void)
{
    struct block_writer *w = calloc(1, sizeof *w);

    if (!w)
        return NULL;
    buf_init(&w->raw, BLOCK_RAW_MAX);
    arena_init(&w->arena, BLOCK_RAW_MAX);
    w->columns = columns_writer_new();
    if (!w->columns)
        block_writer_free(&w);
    return w;
}

void block_writer_free(struct block_writer **wp)
{
    struct block_writer *w = *wp;

    if (!w)
        return;
    columns_writer_free(&w->columns);
    arena_free(&w->arena);
    free(w->tokens.slot);
    buf_free(&w->raw);
    free(w);
    *wp = NULL;
}

static int pack(struct str raw, struct buf *out, uint32_t *bytes, uint64_t *sum, struct err *e)
{
    size_t bound = ZSTD_compressBound(raw.n), n;
    char *to = buf_room(out, bound);

    if (!to)
        return err_set(e, -ENOMEM, "no memory to compress a block");
    n = ZSTD_compress(to, bound, raw.p, raw.n, ZSTD_LEVEL);
    if (ZSTD_isError(n) || n > UINT32_MAX)
        return err_set(e, -ENOMEM, "could not compress a block: %s", ZSTD_getErrorName(n));
    *bytes = (uint32_t)n;
    *sum = XXH3_64bits(to, n);
    out->n += n;
    return 0;
}

static uint64_t zig(uint64_t difference) { return difference << 1 ^ (uint64_t)((int64_t)difference >> 63); }
static uint64_t zag(uint64_t v) { return v >> 1 ^ (~(v & 1) + 1); }

static void tell_token(void *arg, struct str value)
{
    query_index_tokens(value, token_add, arg);
}

static int put_columns(struct block_writer *w, const struct waiting *p, size_t from, size_t count, struct block_entry *entry, struct buf *out, struct err *e)
{
    size_t at = out->n;
    int rc = columns_encode(w->columns, &p->shaped, p->order + from, count, tell_token, &w->tokens, out, e);

    entry->payload_bytes = (uint32_t)(out->n - at);
    entry->payload_sum = XXH3_64bits(out->p + at, out->n - at);
    return rc;
}

static void tell_every_token(void *arg, struct str value)
{
    query_tokens(value, token_add, arg);
}

/* put_rows - the events as a payload; such blocks have every word in their filter. */
static int put_rows(struct block_writer *w, const struct waiting *p, size_t from, size_t count, struct block_entry *entry, struct buf *out, struct err *e)
{
    struct event_encoder *k = event_encoder_new();
    int rc = k ? 0 : err_set(e, -ENOMEM, "no memory for a block");

    buf_reset(&w->raw);
    if (k)
        event_encoder_begin(k, &w->raw);
    for (size_t i = from; rc == 0 && i < from + count; i++) {
        struct event ev;

        arena_reset(&w->arena);
        rc = shaped_event(&p->shaped, p->order[i], &w->arena, &ev) < 0 ? err_set(e, -ENOMEM, "no memory for a block") : event_encoder_add(k, &ev, 1, e);
        if (rc == 0)
            columns_tell_event(&ev, tell_every_token, &w->tokens);
    }
    if (rc == 0)
        rc = event_encoder_end(k, NULL, e);
    event_encoder_free(&k);
    entry->payload_raw = (uint32_t)w->raw.n;
    return rc < 0 ? rc : pack(buf_view(&w->raw), out, &entry->payload_bytes, &entry->payload_sum, e);
}

/* unit_of - the largest of these units that all differences of time are multiples of: most clocks of logs are coarser than a nanosecond. */
static uint64_t unit_of(const struct waiting *p, size_t from, size_t count)
{
    uint64_t unit = NS_PER_SECOND;

    for (size_t i = from + 1; i < from + count && unit > 1; i++)
        while (((uint64_t)waiting_time(p, i) - (uint64_t)waiting_time(p, i - 1)) % unit)
            unit /= 1000;
    return unit;
}

/* put_seq - a number as its difference from the one before; the least and the greatest are remembered. */
static void put_seq(struct buf *raw, uint64_t seq, uint64_t before, struct block_entry *entry)
{
    buf_varint(raw, zig(seq - before));
    entry->first_seq = seq < entry->first_seq ? seq : entry->first_seq;
    entry->last_seq = seq > entry->last_seq ? seq : entry->last_seq;
}

/* put_keys - as get_keys reads them of a block of this version. */
static int put_keys(struct block_writer *w, const struct waiting *p, size_t from, size_t count, struct block_entry *entry, struct buf *out, struct err *e)
{
    bool columns = entry->version == BLOCK_COLUMNS;
    uint64_t unit = columns ? unit_of(p, from, count) : 1;

    entry->first_seq = UINT64_MAX;
    entry->last_seq = 0;
    buf_reset(&w->raw);
    if (columns)
        buf_varint(&w->raw, unit);
    for (size_t i = from; i < from + count; i++) {
        buf_varint(&w->raw, ((uint64_t)waiting_time(p, i) - (uint64_t)waiting_time(p, i > from ? i - 1 : i)) / unit);
        if (!columns)
            put_seq(&w->raw, waiting_seq(p, i), i > from ? waiting_seq(p, i - 1) : 0, entry);
    }
    for (size_t i = from; columns && i < from + count; i++)
        put_seq(&w->raw, waiting_seq(p, i), i > from ? waiting_seq(p, i - 1) : 0, entry);
    entry->keys_raw = (uint32_t)w->raw.n;
    return buf_failed(&w->raw) ? err_set(e, -ENOMEM, "no memory for a block") : pack(buf_view(&w->raw), out, &entry->keys_bytes, &entry->keys_sum, e);
}

/* encode_as - keys and payload as a block of this version has them. */
static int encode_as(struct block_writer *w, enum block_version version, const struct waiting *p, size_t at, size_t count, struct block_entry *entry, struct buf *out, struct err *e)
{
    int rc;

    token_forget(&w->tokens);
    entry->version = version;
    rc = put_keys(w, p, at, count, entry, out, e);
    if (rc < 0)
        return rc;
    return version == BLOCK_COLUMNS ? put_columns(w, p, at, count, entry, out, e) : put_rows(w, p, at, count, entry, out, e);
}

int block_encode(struct block_writer *w, const struct waiting *p, size_t at, size_t count, struct block_entry *entry, struct buf *out, struct err *e)
{
    size_t start = out->n;
    struct err why = { 0 };
    int rc;

    assert(p->sorted && count > 0 && count <= EVENT_BATCH_MAX);
    *entry = (struct block_entry){ .events = (uint32_t)count, .min_time = waiting_time(p, at), .max_time = waiting_time(p, at + count - 1) };
    rc = encode_as(w, BLOCK_COLUMNS, p, at, count, entry, out, &why);
    if (rc < 0) {
        /* Whatever it is that columns cannot do: events that are not stored now would be tried, and refused, for ever. */
        log_line(LOG_ERROR, "events do not fit columns: their block is kept as rows", "error.message", why.text, NULL);
        out->n = start;
        rc = encode_as(w, BLOCK_ROWS, p, at, count, entry, out, e);
    }
    if (rc < 0)
        return rc;
    if (w->tokens.failed)
        return err_set(e, -ENOMEM, "no memory for a block");
    filter_encode(&w->tokens, entry, out);
    return buf_failed(out) ? err_set(e, -ENOMEM, "no memory for a block") : 0;
}

size_t block_bytes(const struct block_entry *b)
{
    return (size_t)b->keys_bytes + b->payload_bytes + (size_t)b->filter_lines * FILTER_LINE;
}

/* --- decoding --- */

void block_view_init(struct block_view *v)
{
    *v = (struct block_view){ 0 };
    buf_init(&v->packed, BLOCK_RAW_MAX);
    buf_init(&v->keys, BLOCK_RAW_MAX);
    buf_init(&v->payload, BLOCK_RAW_MAX);
    event_batch_init(&v->batch, BLOCK_RAW_MAX);
}

void block_view_free(struct block_view *v)
{
    buf_free(&v->packed);
    buf_free(&v->keys);
    buf_free(&v->payload);
    free(v->time);
    free(v->seq);
    event_batch_free(&v->batch);
    columns_free(&v->columns);
    v->time = NULL;
    v->seq = NULL;
}

static int unpack(struct str packed, uint64_t sum, uint32_t raw, struct buf *out, const char *what, struct err *e)
{
    char *to;
    size_t n;

    if (XXH3_64bits(packed.p, packed.n) != sum)
        return err_set(e, -EBADMSG, "block: wrong checksum of its %s", what);
    buf_reset(out);
    if (raw == 0 || raw > BLOCK_RAW_MAX - 1)
        return err_set(e, -EBADMSG, "block: %u bytes of %s", raw, what);
    to = buf_room(out, raw);
    if (!to)
        return err_set(e, -ENOMEM, "no memory to read a block");
    n = ZSTD_decompress(to, raw, packed.p, packed.n);
    if (ZSTD_isError(n) || n != raw)
        return err_set(e, -EBADMSG, "block: its %s cannot be decompressed", what);
    out->n = raw;
    return 0;
}

bool block_sound(const struct block_entry *entry, struct str packed)
{
    if (packed.n != block_bytes(entry) || XXH3_64bits(packed.p, entry->keys_bytes) != entry->keys_sum ||
        XXH3_64bits(packed.p + entry->keys_bytes, entry->payload_bytes) != entry->payload_sum)
        return false;
    packed = str_cut(packed, (size_t)entry->keys_bytes + entry->payload_bytes);
    for (uint32_t i = 0; i < entry->filter_lines; i++)
        if (filter_may(entry, (const unsigned char *)packed.p + (size_t)i * FILTER_LINE, i, 0) < 0)
            return false;
    return true;
}

/* get_keys - of blocks of rows each time and number after the other, in nanoseconds; of columns all times, in a unit, then all numbers. */
static void get_keys(const struct block_entry *entry, struct reader *r, struct block_view *v)
{
    bool columns = entry->version == BLOCK_COLUMNS;
    uint64_t time = (uint64_t)entry->min_time, seq = 0, unit = columns ? rd_varint(r) : 1;

    for (uint32_t i = 0; i < entry->events; i++) {
        v->time[i] = (time_ns)(time += rd_varint(r) * unit);
        if (!columns)
            v->seq[i] = seq += zag(rd_varint(r));
    }
    for (uint32_t i = 0; columns && i < entry->events; i++)
        v->seq[i] = seq += zag(rd_varint(r));
    for (uint32_t i = 0; i < entry->events && rd_ok(r); i++)
        if (v->time[i] < entry->min_time || v->time[i] > entry->max_time || v->seq[i] < entry->first_seq || v->seq[i] > entry->last_seq)
            rd_fail(r, "a time and number within those of the block");
}

int block_decode_keys(const struct block_entry *entry, struct str packed, struct block_view *v, struct err *e)
{
    struct reader r;
    int rc;

    if (packed.n < entry->keys_bytes)
        return err_set(e, -EBADMSG, "block: shorter than its keys");
    rc = unpack(str_of(packed.p, entry->keys_bytes), entry->keys_sum, entry->keys_raw, &v->keys, "keys", e);
    if (rc < 0)
        return rc;
    if (v->cap < entry->events) {
        free(v->time);
        free(v->seq);
        v->time = calloc(entry->events, sizeof *v->time);
        v->seq = calloc(entry->events, sizeof *v->seq);
        v->cap = v->time && v->seq ? entry->events : 0;
        if (!v->cap)
            return err_set(e, -ENOMEM, "no memory to read a block");
    }
    r = rd_str(buf_view(&v->keys));
    get_keys(entry, &r, v);
    if (rd_left(&r))
        rd_fail(&r, "the end of the keys");
    return rd_ok(&r) ? 0 : rd_err(&r, e, "block");
}

static int decode_rows(const struct block_entry *entry, struct str payload, struct block_view *v, struct err *e)
{
    int rc = unpack(payload, entry->payload_sum, entry->payload_raw, &v->payload, "payload", e);

    return rc < 0 ? rc : event_decode(buf_view(&v->payload), 1, &v->batch, e);
}

int block_open(const struct block_entry *entry, struct str packed, struct block_view *v, struct err *e)
{
    int rc = block_decode_keys(entry, packed, v, e);

    v->columned = false;
    if (rc < 0)
        return rc;
    if (packed.n < (size_t)entry->keys_bytes + entry->payload_bytes)
        return err_set(e, -EBADMSG, "block: shorter than its payload");
    if (entry->version != BLOCK_COLUMNS)
        return block_decode_events(entry, packed, v, e);
    if (!v->columns)
        v->columns = columns_new();
    if (!v->columns)
        return err_set(e, -ENOMEM, "no memory to read a block");
    v->columned = true;
    return columns_open(v->columns, str_of(packed.p + entry->keys_bytes, entry->payload_bytes), v->time, entry->events, e);
}

/* number - each event gets its seq; those of rows alone are in the batch (NULL: all). */
static int number(const struct block_entry *entry, const uint64_t *rows, struct block_view *v, struct err *e)
{
    size_t at = 0;

    for (uint32_t i = 0; i < entry->events; i++) {
        if (rows && !(rows[i / 64] >> i % 64 & 1))
            continue;
        if (at == v->batch.count || v->batch.items[at].time != v->time[i])
            return err_set(e, -EBADMSG, "block: keys and events differ in time");
        v->batch.items[at++].seq = v->seq[i];
    }
    return at == v->batch.count ? 0 : err_set(e, -EBADMSG, "block: %zu events, not %zu", v->batch.count, at);
}

int block_take(const struct block_entry *entry, const uint64_t *rows, struct block_view *v, struct err *e)
{
    int rc;

    assert(v->columned);
    event_batch_reset(&v->batch);
    rc = columns_events(v->columns, rows, &v->batch, e);
    return rc < 0 ? rc : number(entry, rows, v, e);
}

int block_decode_events(const struct block_entry *entry, struct str packed, struct block_view *v, struct err *e)
{
    int rc;

    if (entry->version == BLOCK_COLUMNS) {
        rc = block_open(entry, packed, v, e);
        return rc < 0 ? rc : block_take(entry, NULL, v, e);
    }
    rc = block_decode_keys(entry, packed, v, e);
    if (rc < 0)
        return rc;
    if (packed.n < (size_t)entry->keys_bytes + entry->payload_bytes)
        return err_set(e, -EBADMSG, "block: shorter than its payload");
    event_batch_reset(&v->batch);
    rc = decode_rows(entry, str_of(packed.p + entry->keys_bytes, entry->payload_bytes), v, e);
    return rc < 0 ? rc : number(entry, NULL, v, e);
}
