/* buf.c - see buf.h. */
#include "base/base.h"

#include <stdarg.h>

#define BUF_LIMIT_DEFAULT (64u * MIB)

void buf_init(struct buf *b, size_t limit_bytes)
{
    *b = (struct buf){ .limit_bytes = limit_bytes ? limit_bytes : BUF_LIMIT_DEFAULT };
}

void buf_free(struct buf *b)
{
    free(b->p);
    *b = (struct buf){ .limit_bytes = b->limit_bytes };
}

void buf_reset(struct buf *b)
{
    b->n = 0;
    b->failed = false;
}

char *buf_room(struct buf *b, size_t bytes)
{
    size_t need, cap;
    char *p;

    if (b->failed)
        return NULL;
    if (__builtin_add_overflow(b->n, bytes, &need) || need > b->limit_bytes) {
        b->failed = true;
        return NULL;
    }
    if (need <= b->cap && b->p)
        return b->p + b->n;
    cap = max_size(max_size(need, b->cap * 2), 256);
    cap = min_size(cap, max_size(b->limit_bytes, 1));
    p = realloc(b->p, cap);
    if (!p) {
        b->failed = true;
        return NULL;
    }
    b->p = p;
    b->cap = cap;
    return b->p + b->n;
}

void buf_put(struct buf *b, const void *p, size_t n)
{
    char *to = n ? buf_room(b, n) : NULL;

    if (!to)
        return;
    memcpy(to, p, n);
    b->n += n;
}

void buf_str(struct buf *b, struct str s)
{
    buf_put(b, s.p, s.n);
}

void buf_byte(struct buf *b, char c)
{
    buf_put(b, &c, 1);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list ap, again;
    char *to;
    int n;

    va_start(ap, fmt);
    va_copy(again, ap);
    n = vsnprintf(NULL, 0, fmt, ap);
    if (n >= 0 && (to = buf_room(b, (size_t)n + 1)) != NULL) {
        vsnprintf(to, (size_t)n + 1, fmt, again);
        b->n += (size_t)n;
    }
    va_end(again);
    va_end(ap);
}

char *decimal_put(char *to, uint64_t v)
{
    char digits[DECIMAL_MAX];
    size_t at = sizeof digits;

    do
        digits[--at] = (char)('0' + v % 10);
    while (v /= 10);
    while (at < sizeof digits)
        *to++ = digits[at++];
    return to;
}

void buf_decimal(struct buf *b, uint64_t v)
{
    char *to = buf_room(b, DECIMAL_MAX);

    if (to)
        b->n = (size_t)(decimal_put(to, v) - b->p);
}

void buf_le32(struct buf *b, uint32_t v)
{
    unsigned char x[4] = { v & 255, v >> 8 & 255, v >> 16 & 255, v >> 24 & 255 };

    buf_put(b, x, sizeof x);
}

void buf_le64(struct buf *b, uint64_t v)
{
    buf_le32(b, (uint32_t)v);
    buf_le32(b, (uint32_t)(v >> 32));
}

void buf_varint(struct buf *b, uint64_t v)
{
    unsigned char x[10];
    size_t n = 0;

    while (v >= 0x80) {
        x[n++] = (unsigned char)(v | 0x80);
        v >>= 7;
    }
    x[n++] = (unsigned char)v;
    buf_put(b, x, n);
}

void buf_varstr(struct buf *b, struct str s)
{
    buf_varint(b, s.n);
    buf_str(b, s);
}

/* utf8_len - bytes of the well-formed sequence that starts at p, or 0. */
static size_t utf8_len(const char *p, size_t n)
{
    for (size_t len = 2; len <= 4 && len <= n; len++)
        if (str_utf8_valid(str_of(p, len)))
            return len;
    return 0;
}

void buf_json(struct buf *b, struct str s)
{
    static const char hex[] = "0123456789abcdef";
    size_t done = 0, i = 0;

    buf_byte(b, '"');
    while (i < s.n) {
        unsigned char c = (unsigned char)s.p[i];
        size_t len;

        if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\') {
            i++;
            continue;
        }
        if (c >= 0x80 && (len = utf8_len(s.p + i, s.n - i)) != 0) {
            i += len;
            continue;
        }
        buf_put(b, s.p + done, i - done);
        if (c >= 0x80)
            buf_str(b, STR("\xef\xbf\xbd"));
        else if (c == '"' || c == '\\')
            buf_put(b, (char[2]){ '\\', (char)c }, 2);
        else if (c == '\n')
            buf_str(b, STR("\\n"));
        else if (c == '\t')
            buf_str(b, STR("\\t"));
        else if (c == '\r')
            buf_str(b, STR("\\r"));
        else
            buf_put(b, (char[6]){ '\\', 'u', '0', '0', hex[c >> 4], hex[c & 15] }, 6);
        done = ++i;
    }
    if (s.n > done)
        buf_put(b, s.p + done, s.n - done);
    buf_byte(b, '"');
}

void buf_drop(struct buf *b, size_t n)
{
    n = min_size(n, b->n);
    if (n && b->n > n)
        memmove(b->p, b->p + n, b->n - n);
    b->n -= n;
}
