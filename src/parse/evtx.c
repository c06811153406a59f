/* evtx.c - chunks and the records in them; see evtx.h.
 *
 *   chunk:    0 "ElfChnk\0"  8 numbers of the first and last record (4 of 8 bytes)  40 size of this head (128)  44 last record
 *             48 where free room begins  52 CRC of the records  120 flags  124 CRC of the head without 120..127
 *             128 64 names by hash  384 32 templates by hash  512 records
 *   record:   0 "**\0\0"  4 size  8 number  16 when written (FILETIME)  24 binary XML  size-4 size again
 *
 * A chunk whose sums hold ends where its head says. Any other is searched for records to the last byte. */
#include <zlib.h>

#include "parse/evtx_internal.h"

#define CHUNK_HEAD 512u
#define CHUNK_MAGIC "ElfChnk"
#define FILE_MAGIC "ElfFile"
#define RECORD_HEAD 24u
#define RECORD_LEAST (RECORD_HEAD + 4u + 1u)
#define RECORD_ALIGNED 4u /* records begin at such places */
#define FILETIME_UNIX UINT64_C(116444736000000000) /* 1970 in steps of 100 ns since 1601 */

int evtx_new(struct evtx **out, struct err *e)
{
    struct evtx *x = calloc(1, sizeof *x);

    *out = x;
    if (!x)
        return err_set(e, -ENOMEM, "no memory to read event logs");
    arena_init(&x->templates, EVTX_COMPILED_MAX);
    arena_init(&x->scratch, EVTX_COMPILED_MAX);
    x->out.cap = EVTX_TEXT_MAX;
    x->out.p = malloc(x->out.cap);
    if (!x->out.p) {
        evtx_free(out);
        return err_set(e, -ENOMEM, "no memory to read event logs");
    }
    return 0;
}

void evtx_free(struct evtx **xp)
{
    struct evtx *x = *xp;

    if (!x)
        return;
    arena_free(&x->templates);
    arena_free(&x->scratch);
    free(x->out.p);
    free(x);
    *xp = NULL;
}

/* --- what is an event log --- */

bool evtx_looks(struct str head)
{
    return str_starts(head, str_of(FILE_MAGIC, 8)) || str_starts(head, str_of(CHUNK_MAGIC, 8)) ||
           str_starts(str_cut(head, EVTX_HEAD_BYTES), str_of(CHUNK_MAGIC, 8));
}

uint64_t evtx_start(struct str head)
{
    struct reader r = rd_str(head);
    uint64_t size;

    if (str_starts(head, str_of(CHUNK_MAGIC, 8)))
        return 0;
    rd_skip(&r, 40);
    size = rd_le16(&r);
    return rd_ok(&r) && size > EVTX_HEAD_BYTES ? size : EVTX_HEAD_BYTES;
}

/* --- chunks --- */

static uint32_t le32_at(const uint8_t *p) { return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24; }

/* sums_hold - the head says where records end, and both sums agree. */
static bool sums_hold(const uint8_t *p, size_t n, size_t *end)
{
    *end = le32_at(p + 48);
    if (*end < CHUNK_HEAD || *end > n)
        return false;
    return crc32(crc32(0, p, 120), p + 128, CHUNK_HEAD - 128) == le32_at(p + 124) &&
           crc32(0, p + CHUNK_HEAD, (uInt)(*end - CHUNK_HEAD)) == le32_at(p + 52);
}

static bool all_zero(const uint8_t *p, size_t n)
{
    return n == 0 || (p[0] == 0 && memcmp(p, p + 1, n - 1) == 0);
}

enum evtx_chunk evtx_chunk(struct evtx *x, struct str bytes)
{
    const uint8_t *p = (const uint8_t *)bytes.p;
    bool headed = bytes.n >= CHUNK_HEAD && memcmp(p, CHUNK_MAGIC, 8) == 0, whole;

    arena_reset(&x->templates);
    memset(x->cache, 0, sizeof x->cache);
    x->cached = 0;
    x->chunk = p;
    x->chunk_n = x->end = min_size(bytes.n, EVTX_CHUNK_BYTES);
    x->at = headed ? CHUNK_HEAD : 0;
    x->searched = !headed;
    if (!headed && all_zero(p, x->chunk_n)) {
        x->at = x->end;
        return EVTX_EMPTY;
    }
    whole = headed && sums_hold(p, x->chunk_n, &x->end);
    if (!whole)
        x->end = x->chunk_n;
    return whole ? EVTX_WHOLE : EVTX_DAMAGED;
}

/* --- records --- */

/* record_at - its size, or 0 where none stands. */
static size_t record_at(const struct evtx *x, size_t at)
{
    const uint8_t *p = x->chunk + at;
    size_t left = x->end - at, size;

    if (left < RECORD_LEAST || memcmp(p, "**\0\0", 4) != 0)
        return 0;
    size = le32_at(p + 4);
    return size >= RECORD_LEAST && size <= left && le32_at(p + size - 4) == size ? size : 0;
}

/* find - the next record from x->at on, or 0. */
static size_t find(struct evtx *x)
{
    size_t size = record_at(x, x->at);

    while (size == 0 && x->at + RECORD_LEAST <= x->end) {
        x->at += RECORD_ALIGNED - x->at % RECORD_ALIGNED;
        if (x->at > x->end)
            break;
        size = record_at(x, x->at);
    }
    return size;
}

static time_ns written_at(const uint8_t *p)
{
    uint64_t t = le32_at(p) | (uint64_t)le32_at(p + 4) << 32;

    if (t < FILETIME_UNIX || (t - FILETIME_UNIX) > (uint64_t)INT64_MAX / 100)
        return 0;
    return (time_ns)(t - FILETIME_UNIX) * 100;
}

int evtx_next(struct evtx *x, struct evtx_record *out, struct err *e)
{
    size_t next = x->at, size = next < x->end ? find(x) : 0, at = x->at;
    const uint8_t *p = x->chunk + at;
    bool ok;

    if (size == 0) {
        x->at = x->end;
        return 0;
    }
    x->at += size;
    x->searched = x->searched || at != next;
    *out = (struct evtx_record){ .id = le32_at(p + 8) | (uint64_t)le32_at(p + 12) << 32, .written = written_at(p + 16), .at = at,
                                  .found = x->searched };
    ok = evtx_write(x, at + RECORD_HEAD, at + size - 4);
    if (!ok)
        return err_set(e, -EBADMSG, "%s", x->trouble ? x->trouble : "its binary XML is damaged");
    out->xml = str_of(x->out.p, x->out.n);
    out->pairs = x->pairs;
    return 1;
}

/* moved - a text of the record: where the copy of its XML has it, or a copy of its own. */
static struct str moved(struct str s, struct str from, struct str to, struct arena *a)
{
    uintptr_t at = (uintptr_t)s.p - (uintptr_t)from.p;

    if (s.n == 0)
        return STR("");
    return (uintptr_t)s.p >= (uintptr_t)from.p && at < from.n ? str_of(to.p + at, s.n) : arena_copy(a, s);
}

int evtx_keep(const struct evtx_record *r, struct arena *a, struct evtx_record *out)
{
    *out = *r;
    out->xml = arena_copy(a, r->xml);
    out->pairs.arena = a;
    out->pairs.cap = r->pairs.count;
    out->pairs.items = arena_array(a, r->pairs.count + 1, sizeof *out->pairs.items);
    if (!out->xml.p || !out->pairs.items)
        return -ENOMEM;
    for (uint32_t i = 0; i < r->pairs.count; i++)
        out->pairs.items[i] = (struct event_field){ arena_copy(a, r->pairs.items[i].name), moved(r->pairs.items[i].value, r->xml, out->xml, a) };
    return arena_failed(a) ? -ENOMEM : 0;
}
