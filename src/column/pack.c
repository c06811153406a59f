/* pack.c - numbers as bytes: see internal.h.
 *
 * Three ways, all from the least number up:
 *   bits    each in as many bits as the greatest needs, 64 rows together so that every 64 begin at a byte: smallest where nothing repeats, and compressing gains nothing
 *   planes  the low bytes of all rows, then the next bytes: what is skewed or alike stands side by side for the compressor
 *   steps   planes of the difference to the row before, signs folded into the lowest bit: counters, and numbers that stay a while */
#include "column/internal.h"

#include <endian.h>

static uint64_t load64(const unsigned char *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof v);
    return le64toh(v);
}

static unsigned bits_of(uint64_t v) { return v ? 64 - (unsigned)__builtin_clzll(v) : 0; }
static unsigned bytes_of(uint64_t v) { return (bits_of(v) + 7) / 8; }

static uint64_t folded(uint64_t step) { return step << 1 ^ (uint64_t)((int64_t)step >> 63); }
static uint64_t unfolded(uint64_t v) { return v >> 1 ^ (0 - (v & 1)); }

size_t pack_bytes(const struct pack *p, size_t count)
{
    return p->way == PACK_BITS ? count / 64 * 8 * p->width + (count % 64 * p->width + 7) / 8 : count * p->width;
}

/* --- writing --- */

static void put_bits(unsigned width, const uint64_t *numbers, size_t count, uint64_t least, char *to)
{
    for (size_t from = 0; from < count; from += 64) {
        size_t n = min_size(64, count - from), bytes = (n * width + 7) / 8;
        uint64_t words[65] = { 0 };

        for (size_t i = 0, at = 0; i < n; i++, at += width) {
            uint64_t v = numbers[from + i] - least;

            words[at / 64] |= v << at % 64;
            words[at / 64 + 1] |= v >> (63 - at % 64) >> 1;
        }
        for (size_t i = 0; i < 64; i++)
            words[i] = htole64(words[i]);
        memcpy(to, words, bytes);
        to += bytes;
    }
}

static void put_planes(unsigned width, const uint64_t *numbers, size_t count, uint64_t least, char *to)
{
    for (unsigned byte = 0; byte < width; byte++)
        for (size_t i = 0; i < count; i++)
            to[byte * count + i] = (char)((numbers[i] - least) >> 8 * byte);
}

static void put_steps(unsigned width, const uint64_t *numbers, size_t count, uint64_t before, char *to)
{
    for (unsigned byte = 0; byte < width; byte++)
        for (size_t i = 0; i < count; i++)
            to[byte * count + i] = (char)(folded(numbers[i] - (i ? numbers[i - 1] : before)) >> 8 * byte);
}

/* put - numbers, or a stretch of them, in p's way. */
static void put(const struct pack *p, const uint64_t *numbers, size_t count, uint64_t before, char *to)
{
    if (p->way == PACK_BITS)
        put_bits(p->width, numbers, count, p->least, to);
    else if (p->way == PACK_PLANES)
        put_planes(p->width, numbers, count, p->least, to);
    else
        put_steps(p->width, numbers, count, before, to);
}

/* cost - how many bytes all rows will take in p's way once compressed, judged by a stretch in the middle. */
static size_t cost(const struct pack *p, struct estimate *est, const uint64_t *numbers, size_t count)
{
    size_t rows = min_size(count, max_size(256, min_size(count / 8, ESTIMATE_BYTES / max_size(p->width, 1)))), from = (count - rows) / 2;

    if (p->way == PACK_BITS)
        return pack_bytes(p, count);
    put(p, numbers + from, rows, from ? numbers[from - 1] : p->least, est->bytes);
    return estimate_bytes(est, rows * p->width) * count / rows;
}

size_t pack_choose(struct pack *p, struct estimate *est, const uint64_t *numbers, size_t count)
{
    struct pack planes = { .way = PACK_PLANES, .least = UINT64_MAX }, steps = { .way = PACK_STEPS };
    uint64_t step = 0;
    size_t bits_cost, planes_cost, steps_cost;

    for (size_t i = 0; i < count; i++) {
        planes.least = numbers[i] < planes.least ? numbers[i] : planes.least;
        planes.most = numbers[i] > planes.most ? numbers[i] : planes.most;
    }
    for (size_t i = 0; i < count; i++)
        step |= folded(numbers[i] - (i ? numbers[i - 1] : planes.least));
    planes.width = (uint8_t)bytes_of(planes.most - planes.least);
    *p = planes;
    p->way = PACK_BITS;
    p->width = (uint8_t)bits_of(planes.most - planes.least);
    steps.least = planes.least;
    steps.most = planes.most;
    steps.width = (uint8_t)bytes_of(step);
    if (p->width == 0)
        return 0;
    bits_cost = cost(p, est, numbers, count);
    planes_cost = cost(&planes, est, numbers, count);
    steps_cost = cost(&steps, est, numbers, count);
    /* Bits are the fastest to ask, steps the slowest: each must earn its place. */
    if (planes_cost + planes_cost / 25 < bits_cost) {
        *p = planes;
        bits_cost = planes_cost;
    }
    if (steps_cost + steps_cost / 8 < bits_cost) {
        *p = steps;
        bits_cost = steps_cost;
    }
    return bits_cost;
}

void pack_put(const struct pack *p, const uint64_t *numbers, size_t count, struct buf *head, struct buf *frame, bool *dense)
{
    char *to = buf_room(frame, pack_bytes(p, count));

    buf_byte(head, (char)p->way);
    buf_varint(head, p->least);
    buf_varint(head, p->most - p->least);
    if (p->way == PACK_STEPS)
        buf_byte(head, (char)p->width);
    if (!to)
        return;
    put(p, numbers, count, p->least, to);
    frame->n += pack_bytes(p, count);
    *dense = p->way == PACK_BITS;
}

/* --- reading --- */

void pack_read(struct pack *p, struct reader *head)
{
    uint8_t way = rd_u8(head);
    uint64_t least = rd_varint(head), more = rd_varint(head);
    uint8_t width = way == PACK_STEPS ? rd_u8(head) : way == PACK_BITS ? (uint8_t)bits_of(more) : (uint8_t)bytes_of(more);

    if (way >= PACK_WAYS || more > UINT64_MAX - least || (way == PACK_STEPS && width > 8))
        rd_fail(head, "a way of packing");
    *p = (struct pack){ .way = way, .width = width, .least = least, .most = least + more };
}

static void group_bits(unsigned width, const unsigned char *bytes, size_t n, uint64_t v[64])
{
    unsigned char room[64 * 8 + 16] = { 0 };
    uint64_t mask = width == 64 ? UINT64_MAX : (UINT64_C(1) << width) - 1;

    memcpy(room, bytes, (n * width + 7) / 8);
    if (width <= 57)
        for (size_t i = 0; i < 64; i++)
            v[i] = load64(room + i * width / 8) >> (i * width % 8) & mask;
    else
        for (size_t i = 0; i < 64; i++) {
            size_t at = i * width;
            uint64_t high = room[at / 8 + 8];

            v[i] = (load64(room + at / 8) >> at % 8 | high << (63 - at % 8) << 1) & mask;
        }
}

static void group_planes(unsigned width, const unsigned char *bytes, size_t stride, size_t n, uint64_t v[64])
{
    for (size_t i = 0; i < 64; i++)
        v[i] = 0;
    for (unsigned byte = 0; byte < width; byte++)
        for (size_t i = 0; i < n; i++)
            v[i] |= (uint64_t)bytes[byte * stride + i] << 8 * byte;
}

void pack_group(const struct pack *p, const unsigned char *bytes, size_t count, size_t from, uint64_t v[64])
{
    size_t n = min_size(64, count - from);

    if (p->width == 0)      /* there are no bytes */
        memset(v, 0, 64 * sizeof *v);
    else if (p->way == PACK_BITS)
        group_bits(p->width, bytes + from / 8 * p->width, n, v);
    else
        group_planes(p->width, bytes + from, count, n, v);
}

void pack_all(const struct pack *p, const unsigned char *bytes, size_t count, uint64_t *numbers)
{
    uint64_t at = 0;

    for (size_t from = 0; from < count; from += 64) {
        size_t n = min_size(64, count - from);
        uint64_t v[64];

        pack_group(p, bytes, count, from, v);
        for (size_t i = 0; i < n; i++)
            numbers[from + i] = at = p->way == PACK_STEPS ? at + unfolded(v[i]) : v[i];
    }
}
