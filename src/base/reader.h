/* reader.h - bytes from outside, read through a position and a failure that sticks.
 *
 * Owns      nothing: borrows the range until the reader is forgotten.
 * Promises  1. Nothing is read past the end, whatever the caller asks.
 *           2. After the first failure every read returns zero (or an empty view) and moves nothing;
 *              the place and what was expected there are kept.
 * Threads   owner.
 * Units     bytes; integers little-endian unless the name says be.
 * Source    conventions, section 5. */
#ifndef SAQSHY_BASE_READER_H
#define SAQSHY_BASE_READER_H

#include "base/err.h"

struct reader {
    const unsigned char *p;
    size_t      n, at;
    const char *expected;   /* set by the first failure; a literal */
    size_t      failed_at;
};

static inline struct reader rd_from(const void *p, size_t n)
{
    return (struct reader){ .p = p, .n = n };
}
static inline struct reader rd_str(struct str s) { return rd_from(s.p, s.n); }
static inline bool   rd_ok(const struct reader *r) { return r->expected == NULL; }
static inline size_t rd_left(const struct reader *r) { return r->n - r->at; }
static inline size_t rd_offset(const struct reader *r) { return r->at; }
/* rd_peek - the next byte, or -1 at the end or after a failure. */
static inline int rd_peek(const struct reader *r)
{
    return rd_ok(r) && r->at < r->n ? r->p[r->at] : -1;
}
/* rd_fail - fail here; expected is a literal: what should have stood here. The first one counts. */
void rd_fail(struct reader *r, const char *expected);
void rd_skip(struct reader *r, size_t n);
/* rd_byte - take c or fail. */
void rd_byte(struct reader *r, char c);
/* rd_digits - take exactly count (1 to 9) decimal digits. */
int32_t rd_digits(struct reader *r, int count, const char *what);
/* rd_decimal - take 1 to 20 decimal digits. */
uint64_t rd_decimal(struct reader *r, const char *what);
uint8_t  rd_u8(struct reader *r);
uint16_t rd_le16(struct reader *r);
uint32_t rd_le32(struct reader *r);
uint64_t rd_le64(struct reader *r);
/* rd_varint - LEB128, at most 10 bytes. */
uint64_t rd_varint(struct reader *r);
/* rd_take - a view of the next n bytes. */
struct str rd_take(struct reader *r, size_t n, const char *what);
/* rd_varstr - varint length, then so many bytes; longer than max fails. */
struct str rd_varstr(struct reader *r, size_t max, const char *what);
/* rd_until - everything before the next c; c is taken too. Fails if there is none. */
struct str rd_until(struct reader *r, char c, const char *what);
/* rd_rest - all that is left. */
struct str rd_rest(struct reader *r);
/* rd_err - the failure as an error: -EBADMSG, "WHAT: expected X at byte N". */
int rd_err(const struct reader *r, struct err *e, const char *what);

#endif
