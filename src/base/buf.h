/* buf.h - a growing row of bytes to write into.
 *
 * Owns      its bytes, until buf_free.
 * Promises  1. A failed growth sticks: later writes do nothing, buf_failed says so. Check once.
 *           2. Never grows past limit_bytes.
 * Threads   owner.
 * Units     bytes; integers are little-endian; varints are LEB128. */
#ifndef SAQSHY_BASE_BUF_H
#define SAQSHY_BASE_BUF_H

#include "base/str.h"

struct buf {
    char  *p;
    size_t n, cap, limit_bytes;
    bool   failed;
};

/* buf_init - an empty buffer; nothing is allocated yet. limit 0: 64 MiB. */
void buf_init(struct buf *b, size_t limit_bytes);
void buf_free(struct buf *b);
/* buf_reset - empty it, keep the memory. */
void buf_reset(struct buf *b);
/* buf_room - a place for bytes more bytes, or NULL; the caller then adds to b->n what it wrote. */
char *buf_room(struct buf *b, size_t bytes);
void buf_put(struct buf *b, const void *p, size_t n);
void buf_str(struct buf *b, struct str s);
void buf_byte(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* decimal_put - v as "%llu" at to, which has room for DECIMAL_MAX bytes; where that happens for every event. Returns the end. */
#define DECIMAL_MAX 20
char *decimal_put(char *to, uint64_t v);
void buf_decimal(struct buf *b, uint64_t v);
void buf_le32(struct buf *b, uint32_t v);
void buf_le64(struct buf *b, uint64_t v);
void buf_varint(struct buf *b, uint64_t v);
/* buf_varstr - length as varint, then the bytes. */
void buf_varstr(struct buf *b, struct str s);
/* buf_json - s as a JSON string with quotes. Bytes that are not UTF-8 become U+FFFD. */
void buf_json(struct buf *b, struct str s);
/* buf_drop - remove the first n bytes. */
void buf_drop(struct buf *b, size_t n);
static inline bool buf_failed(const struct buf *b) { return b->failed; }
static inline struct str buf_view(const struct buf *b) { return str_of(b->p, b->n); }

#endif
