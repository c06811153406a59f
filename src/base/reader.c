/* reader.c - see reader.h. */
#include "base/base.h"

void rd_fail(struct reader *r, const char *expected)
{
    if (r->expected)
        return;
    r->expected = expected;
    r->failed_at = r->at;
}

/* need - n bytes are there, or the reader fails. */
static bool need(struct reader *r, size_t n, const char *what)
{
    if (!rd_ok(r))
        return false;
    if (rd_left(r) >= n)
        return true;
    rd_fail(r, what);
    return false;
}

void rd_skip(struct reader *r, size_t n)
{
    if (need(r, n, "more bytes"))
        r->at += n;
}

void rd_byte(struct reader *r, char c)
{
    static const char *const names[128] = {
        ['-'] = "'-'", [':'] = "':'", [' '] = "a space", ['.'] = "'.'", ['/'] = "'/'", ['='] = "'='",
        ['<'] = "'<'", ['>'] = "'>'", ['['] = "'['", [']'] = "']'", ['"'] = "'\"'", ['('] = "'('",
        [')'] = "')'", [','] = "','", [';'] = "';'", ['{'] = "'{'", ['}'] = "'}'", ['T'] = "'T'",
    };
    unsigned char u = (unsigned char)c;

    if (rd_peek(r) == u)
        r->at++;
    else
        rd_fail(r, u < 128 && names[u] ? names[u] : "another byte");
}

int32_t rd_digits(struct reader *r, int count, const char *what)
{
    int32_t v = 0;

    for (int i = 0; i < count && i < 9; i++) {
        int c = rd_peek(r);

        if (c < '0' || c > '9') {
            rd_fail(r, what);
            return 0;
        }
        v = v * 10 + (c - '0');
        r->at++;
    }
    return v;
}

uint64_t rd_decimal(struct reader *r, const char *what)
{
    size_t from = r->at;
    uint64_t v;

    if (!rd_ok(r))
        return 0;
    while (r->at < r->n && r->p[r->at] >= '0' && r->p[r->at] <= '9' && r->at - from < 21)
        r->at++;
    if (!str_u64(str_of((const char *)r->p + from, r->at - from), &v)) {
        r->at = from;
        rd_fail(r, what);
        return 0;
    }
    return v;
}

uint8_t rd_u8(struct reader *r)
{
    return need(r, 1, "one more byte") ? r->p[r->at++] : 0;
}

static uint64_t little(struct reader *r, size_t n)
{
    uint64_t v = 0;

    if (!need(r, n, "an integer"))
        return 0;
    for (size_t i = n; i-- > 0;)
        v = v << 8 | r->p[r->at + i];
    r->at += n;
    return v;
}

uint16_t rd_le16(struct reader *r) { return (uint16_t)little(r, 2); }
uint32_t rd_le32(struct reader *r) { return (uint32_t)little(r, 4); }
uint64_t rd_le64(struct reader *r) { return little(r, 8); }

uint64_t rd_varint(struct reader *r)
{
    uint64_t v = 0;

    if (rd_ok(r) && r->at < r->n && r->p[r->at] < 0x80)   /* nearly all are one byte */
        return r->p[r->at++];
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t b = rd_u8(r);

        if (!rd_ok(r))
            return 0;
        if (shift == 63 && b > 1)
            break;
        v |= (uint64_t)(b & 0x7f) << shift;
        if (!(b & 0x80))
            return v;
    }
    rd_fail(r, "a varint of at most 64 bits");
    return 0;
}

struct str rd_take(struct reader *r, size_t n, const char *what)
{
    struct str s = { NULL, 0 };

    if (need(r, n, what)) {
        s = str_of((const char *)r->p + r->at, n);
        r->at += n;
    }
    return s;
}

struct str rd_varstr(struct reader *r, size_t max, const char *what)
{
    uint64_t n = rd_varint(r);

    if (n > max) {
        rd_fail(r, what);
        return (struct str){ NULL, 0 };
    }
    return rd_take(r, (size_t)n, what);
}

struct str rd_until(struct reader *r, char c, const char *what)
{
    struct str rest = str_of((const char *)r->p + r->at, rd_ok(r) ? rd_left(r) : 0), got;
    ptrdiff_t at = str_chr(rest, c);

    if (at < 0) {
        rd_fail(r, what);
        return (struct str){ NULL, 0 };
    }
    got = str_of(rest.p, (size_t)at);
    r->at += (size_t)at + 1;
    return got;
}

struct str rd_rest(struct reader *r)
{
    return rd_take(r, rd_ok(r) ? rd_left(r) : 0, "");
}

int rd_err(const struct reader *r, struct err *e, const char *what)
{
    return err_at(e, -EBADMSG, r->failed_at, "%s: expected %s at byte %zu", what,
                  r->expected ? r->expected : "something else", r->failed_at);
}
