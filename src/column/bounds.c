/* bounds.c - what a head says of all values: see internal.h.
 *
 * In a head: varint of the least length, varint of how much more the greatest is, then a byte that is 1 if sixteen bytes follow: the set of bytes that occur. */
#include "column/internal.h"

static unsigned place(unsigned char c) { return c < 0x80 ? c : c & 0x1fu; }

static bool has(const struct bounds *b, unsigned char c)
{
    return b->set[place(c) / 64] >> (place(c) % 64) & 1;
}

void bounds_start(struct bounds *b)
{
    *b = (struct bounds){ .shortest = SIZE_MAX };
}

void bounds_length(struct bounds *b, size_t n)
{
    b->shortest = min_size(b->shortest, n);
    b->longest = max_size(b->longest, n);
}

void bounds_bytes(struct bounds *b, struct str bytes)
{
    unsigned char seen[256] = { 0 };

    for (size_t i = 0; i < bytes.n; i++)
        seen[(unsigned char)bytes.p[i]] = 1;
    for (unsigned c = 0; c < 256; c++)
        b->set[place((unsigned char)c) / 64] |= (uint64_t)seen[c] << place((unsigned char)c) % 64;
}

void bounds_add(struct bounds *b, struct str value)
{
    for (size_t i = 0; i < value.n; i++) {
        unsigned at = place((unsigned char)value.p[i]);

        b->set[at / 64] |= UINT64_C(1) << at % 64;
    }
    bounds_length(b, value.n);
}

void bounds_put(const struct bounds *b, size_t bytes, struct buf *head)
{
    buf_varint(head, b->shortest);
    buf_varint(head, b->longest - b->shortest);
    buf_byte(head, bytes >= BOUNDS_SET_FROM);
    if (bytes >= BOUNDS_SET_FROM) {
        buf_le64(head, b->set[0]);
        buf_le64(head, b->set[1]);
    }
}

void bounds_read(struct bounds *b, struct reader *head)
{
    uint64_t shortest = rd_varint(head), more = rd_varint(head);
    uint8_t set = rd_u8(head);

    if (shortest > COLUMN_VALUE_MAX || more > COLUMN_VALUE_MAX - shortest || set > 1)
        rd_fail(head, "lengths of values");
    *b = (struct bounds){ { ~UINT64_C(0), ~UINT64_C(0) }, (size_t)shortest, (size_t)(shortest + more) };
    if (set == 1) {
        b->set[0] = rd_le64(head);
        b->set[1] = rd_le64(head);
    }
}

static bool has_digit(const struct bounds *b)
{
    return b->set[0] >> '0' & 0x3ff;
}

bool bounds_refuse(const struct bounds *b, const struct column_question *q)
{
    if (q->needle.n > b->longest || (q->whole && q->needle.n < b->shortest))
        return true;
    if ((q->numbers || q->addresses) && (!has_digit(b) || b->longest == 0 || q->least > q->most))
        return true;
    if (q->addresses && (!has(b, '.') || b->longest < strlen("0.0.0.0") || b->shortest > strlen("255.255.255.255") || q->least > UINT32_MAX))
        return true;
    for (size_t i = 0; i < q->needle.n; i++) {
        unsigned char c = (unsigned char)q->needle.p[i];
        bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';

        if (!has(b, c) && !(q->fold && letter && has(b, c ^ 0x20)))
            return true;
    }
    return false;
}
