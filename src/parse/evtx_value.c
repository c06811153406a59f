/* evtx_value.c - the values of binary XML as text, the way Windows writes them: numbers, times, identifiers, arrays of them;
 * UTF-16 becomes UTF-8 eight letters at a time while they are ASCII. See evtx_internal.h. */
#include "parse/evtx_internal.h"
#include "parse/internal.h"
#include "base/utf8.h"

#define FILETIME_SECOND UINT64_C(10000000)    /* in steps of 100 ns */
#define FILETIME_DAY (86400 * FILETIME_SECOND)
#define FILETIME_EPOCH_DAYS 134774            /* 1601-01-01 to 1970-01-01 */
#define CIVIL_DAYS_MAX 2932896                /* 9999-12-31 */
#define SID_PARTS_MAX 15

static uint16_t le16(const uint8_t *p) { return (uint16_t)(p[0] | p[1] << 8); }
static uint32_t le32(const uint8_t *p) { return le16(p) | (uint32_t)le16(p + 2) << 16; }
static uint64_t le64(const uint8_t *p) { return le32(p) | (uint64_t)le32(p + 4) << 32; }

/* --- writing --- */

static char *room(struct out *o, size_t n)
{
    if (n > o->cap - o->n) {
        o->full = true;
        return NULL;
    }
    return o->p + o->n;
}

void out_bytes(struct out *o, const char *p, size_t n)
{
    char *to = room(o, n);

    if (to && n) {
        memcpy(to, p, n);
        o->n += n;
    }
}

typedef uint16_t eight_units __attribute__((vector_size(16), aligned(1), may_alias));
typedef uint8_t eight_bytes __attribute__((vector_size(8), aligned(1), may_alias));
typedef uint64_t two_words __attribute__((vector_size(16), aligned(1), may_alias));

/* ascii_run - units that are ASCII, eight at a time; how many were taken. */
static size_t ascii_run(char *to, const uint8_t *p, size_t n)
{
    size_t i = 0;

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    for (; i + 8 <= n; i += 8) {
        eight_units v = *(const eight_units *)(const void *)(p + 2 * i);
        two_words high = (two_words)(v & 0xFF80);

        if (high[0] | high[1])
            break;
        *(eight_bytes *)(void *)(to + i) = __builtin_convertvector(v, eight_bytes);
    }
#endif
    for (; i < n && p[2 * i + 1] == 0 && p[2 * i] < 0x80; i++)
        to[i] = (char)p[2 * i];
    return i;
}

void out_utf16(struct out *o, const uint8_t *p, size_t n)
{
    char *to = room(o, 3 * n);

    if (!to)
        return;
    for (size_t i = 0; i < n;) {
        size_t ascii = ascii_run(to, p + 2 * i, n - i);

        to += ascii;
        i += ascii;
        while (i < n && (p[2 * i + 1] || p[2 * i] >= 0x80)) {
            uint32_t c = le16(p + 2 * i++);

            if (c >= 0xD800 && c < 0xDC00 && i < n && (le16(p + 2 * i) & 0xFC00) == 0xDC00)
                c = 0x10000 + ((c - 0xD800) << 10) + (le16(p + 2 * i++) - 0xDC00u);
            else if (c >= 0xD800 && c < 0xE000)
                c = 0xFFFD;
            to += utf8_put(to, c);
        }
    }
    o->n = (size_t)(to - o->p);
}

/* --- escaping --- */

static const struct {
    char c;
    struct str as;
} escapes[] = { { '<', STR_INIT("&lt;") }, { '>', STR_INIT("&gt;") }, { '&', STR_INIT("&amp;") }, { '"', STR_INIT("&quot;") } };

static const struct str *escape_of(char c)
{
    for (size_t i = 0; i < COUNT(escapes); i++)
        if (escapes[i].c == c)
            return &escapes[i].as;
    return NULL;
}

typedef uint8_t sixteen __attribute__((vector_size(16), aligned(1), may_alias));

static bool escapable(char c) { return c == '<' || c == '>' || c == '&' || c == '"'; }

bool markup_in(struct str s)
{
    size_t i = 0;

    for (; i + 16 <= s.n; i += 16) {
        sixteen c = *(const sixteen *)(const void *)(s.p + i);
        two_words hit = (two_words)((c == '<') | (c == '>') | (c == '&') | (c == '"'));

        if (hit[0] | hit[1])
            return true;
    }
    for (; i < s.n; i++)
        if (escapable(s.p[i]))
            return true;
    return false;
}

bool out_escaped(struct out *o, size_t from)
{
    size_t more = 0, read = o->n, write;

    if (!markup_in(str_of(o->p + from, o->n - from)))
        return false;
    for (size_t i = from; i < o->n; i++) {
        const struct str *as = escape_of(o->p[i]);

        more += as ? as->n - 1 : 0;
    }
    if (!room(o, more)) {
        o->n = from;
        return true;
    }
    write = o->n += more;
    while (write > read) { /* from the end: what is not read yet is not written over */
        char c = o->p[--read];
        const struct str *as = escape_of(c);

        if (as)
            memcpy(o->p + (write -= as->n), as->p, as->n);
        else
            o->p[--write] = c;
    }
    return true;
}

/* --- numbers --- */

static void put_decimal(struct out *o, uint64_t v)
{
    char text[20];
    size_t n = 0;

    do {
        text[sizeof text - ++n] = (char)('0' + v % 10);
        v /= 10;
    } while (v);
    out_bytes(o, text + sizeof text - n, n);
}

static void put_signed(struct out *o, int64_t v)
{
    if (v < 0)
        out_bytes(o, "-", 1);
    put_decimal(o, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

static void put_hex(struct out *o, uint64_t v)
{
    char text[18];
    size_t n = 0;

    do {
        text[sizeof text - ++n] = "0123456789abcdef"[v & 15];
        v >>= 4;
    } while (v);
    text[sizeof text - ++n] = 'x';
    text[sizeof text - ++n] = '0';
    out_bytes(o, text + sizeof text - n, n);
}

static void put_bytes(struct out *o, const uint8_t *p, size_t n)
{
    char *to = room(o, 2 * n);

    for (size_t i = 0; to && i < n; i++) {
        *to++ = "0123456789ABCDEF"[p[i] >> 4];
        *to++ = "0123456789ABCDEF"[p[i] & 15];
    }
    if (to)
        o->n += 2 * n;
}

static void put_real(struct out *o, double v, int precision)
{
    char text[40];

    snprintf(text, sizeof text, "%.*g", precision, v);
    out_bytes(o, text, strlen(text));
}

/* --- times and identifiers --- */

/* digits - width of them at to; returns behind. */
static char *digits(char *to, uint32_t v, int width)
{
    for (int i = width - 1; i >= 0; i--, v /= 10)
        to[i] = (char)('0' + v % 10);
    return to + width;
}

/* put_moment - "2026-03-19T08:05:09.1234567Z"; each part is cut to its width, whatever a stranger wrote there. */
static void put_moment(struct out *o, const struct civil *c, uint32_t fraction, int width)
{
    char text[40], *to = text;
    const struct {
        int32_t value;
        int width;
        char behind;
    } parts[] = { { c->year, 4, '-' }, { c->month, 2, '-' },  { c->day, 2, 'T' },
                  { c->hour, 2, ':' }, { c->minute, 2, ':' }, { c->second, 2, '.' } };

    for (size_t i = 0; i < COUNT(parts); i++) {
        to = digits(to, (uint32_t)parts[i].value, parts[i].width);
        *to++ = parts[i].behind;
    }
    to = digits(to, fraction, width);
    *to++ = 'Z';
    out_bytes(o, text, (size_t)(to - text));
}

/* put_filetime - with the seven digits that it has; a moment past the year 9999 stays a number. */
static void put_filetime(struct out *o, uint64_t t)
{
    int64_t days = (int64_t)(t / FILETIME_DAY) - FILETIME_EPOCH_DAYS;
    uint32_t second = (uint32_t)(t % FILETIME_DAY / FILETIME_SECOND);
    struct civil c;

    if (days > CIVIL_DAYS_MAX) {
        put_decimal(o, t);
        return;
    }
    c = civil_from_days(days);
    c.hour = (int32_t)(second / 3600);
    c.minute = (int32_t)(second / 60 % 60);
    c.second = (int32_t)(second % 60);
    put_moment(o, &c, (uint32_t)(t % FILETIME_SECOND), 7);
}

static void put_systemtime(struct out *o, const uint8_t *p)
{
    struct civil c = { .year = le16(p), .month = le16(p + 2), .day = le16(p + 6), .hour = le16(p + 8), .minute = le16(p + 10),
                       .second = le16(p + 12) };

    put_moment(o, &c, le16(p + 14), 3);
}

static void put_guid(struct out *o, const uint8_t *p)
{
    const uint8_t turned[8] = { p[3], p[2], p[1], p[0], p[5], p[4], p[7], p[6] };

    out_bytes(o, "{", 1);
    put_bytes(o, turned, 4);
    out_bytes(o, "-", 1);
    put_bytes(o, turned + 4, 2);
    out_bytes(o, "-", 1);
    put_bytes(o, turned + 6, 2);
    out_bytes(o, "-", 1);
    put_bytes(o, p + 8, 2);
    out_bytes(o, "-", 1);
    put_bytes(o, p + 10, 6);
    out_bytes(o, "}", 1);
}

/* sid_bytes - how long the identifier at p is; 0: none. */
static size_t sid_bytes(const uint8_t *p, size_t n)
{
    size_t need = n >= 8 ? 8 + 4u * p[1] : 0;

    return need && p[1] <= SID_PARTS_MAX && need <= n ? need : 0;
}

static void put_sid(struct out *o, const uint8_t *p, size_t n)
{
    uint64_t authority = 0;

    if (sid_bytes(p, n) == 0) {
        put_bytes(o, p, n);
        return;
    }
    for (int i = 2; i < 8; i++)
        authority = authority << 8 | p[i];
    out_bytes(o, "S-", 2);
    put_decimal(o, p[0]);
    out_bytes(o, "-", 1);
    put_decimal(o, authority);
    for (unsigned i = 0; i < p[1]; i++) {
        out_bytes(o, "-", 1);
        put_decimal(o, le32(p + 8 + 4 * i));
    }
}

/* put_ansi - a text of the system's old code page; which one it was is not said. */
static void put_ansi(struct out *o, struct str s, struct arena *scratch)
{
    enum encoding e;

    while (s.n && s.p[s.n - 1] == '\0')
        s.n--;
    if (!str_utf8_valid(s)) {
        e = encoding_of(s);
        s = encoding_decode(e == ENCODING_UNKNOWN ? ENCODING_CP1252 : e, s, scratch);
    }
    out_str(o, s);
}

/* --- one value --- */

/* type_bytes - of types of one length; 0: any length. */
static size_t type_bytes(uint8_t type)
{
    static const uint8_t sizes[] = { [VALUE_I8] = 1, [VALUE_U8] = 1, [VALUE_I16] = 2, [VALUE_U16] = 2, [VALUE_I32] = 4,
                                     [VALUE_U32] = 4, [VALUE_I64] = 8, [VALUE_U64] = 8, [VALUE_F32] = 4, [VALUE_F64] = 8,
                                     [VALUE_BOOL] = 4, [VALUE_GUID] = 16, [VALUE_FILETIME] = 8, [VALUE_SYSTEMTIME] = 16,
                                     [VALUE_HEX32] = 4, [VALUE_HEX64] = 8 };

    return type < COUNT(sizes) ? sizes[type] : 0;
}

static void put_integer(struct out *o, uint8_t type, const uint8_t *p)
{
    switch (type) {
    case VALUE_I8:
        put_signed(o, (int8_t)p[0]);
        break;
    case VALUE_I16:
        put_signed(o, (int16_t)le16(p));
        break;
    case VALUE_I32:
        put_signed(o, (int32_t)le32(p));
        break;
    case VALUE_I64:
        put_signed(o, (int64_t)le64(p));
        break;
    case VALUE_U8:
        put_decimal(o, p[0]);
        break;
    case VALUE_U16:
        put_decimal(o, le16(p));
        break;
    case VALUE_U32:
        put_decimal(o, le32(p));
        break;
    default:
        put_decimal(o, le64(p));
    }
}

/* put_sized - a value whose type says how long it is. */
static void put_sized(struct out *o, uint8_t type, const uint8_t *p)
{
    float f;
    double d;

    switch (type) {
    case VALUE_F32:
        memcpy(&f, p, sizeof f);
        put_real(o, (double)f, 9);
        break;
    case VALUE_F64:
        memcpy(&d, p, sizeof d);
        put_real(o, d, 17);
        break;
    case VALUE_BOOL:
        out_str(o, le32(p) ? STR("true") : STR("false"));
        break;
    case VALUE_GUID:
        put_guid(o, p);
        break;
    case VALUE_FILETIME:
        put_filetime(o, le64(p));
        break;
    case VALUE_SYSTEMTIME:
        put_systemtime(o, p);
        break;
    case VALUE_HEX32:
        put_hex(o, le32(p));
        break;
    case VALUE_HEX64:
        put_hex(o, le64(p));
        break;
    default:
        put_integer(o, type, p);
    }
}

static size_t utf16_units(const uint8_t *p, size_t n)
{
    n /= 2;
    while (n && le16(p + 2 * (n - 1)) == 0)
        n--;
    return n;
}

bool value_is_plain(uint8_t type) { return type != VALUE_TEXT && type != VALUE_ANSI && !(type & VALUE_ARRAY); }

void out_value(struct out *o, struct value v, struct arena *scratch)
{
    size_t size = type_bytes(v.type);

    if (v.n == 0 || v.type == VALUE_NULL)
        return;
    if (size && v.n >= size)
        put_sized(o, v.type, v.p);
    else if (v.type == VALUE_TEXT)
        out_utf16(o, v.p, utf16_units(v.p, v.n));
    else if (v.type == VALUE_ANSI)
        put_ansi(o, str_of((const char *)v.p, v.n), scratch);
    else if (v.type == VALUE_SID)
        put_sid(o, v.p, v.n);
    else if (v.type == VALUE_SIZE && (v.n == 4 || v.n == 8))
        put_hex(o, v.n == 4 ? le32(v.p) : le64(v.p));
    else
        put_bytes(o, v.p, v.n);
}

/* text_item - up to the NUL that parts the texts of an array. */
static size_t text_item(const struct value *a, size_t unit)
{
    size_t n = 0;

    while (n + unit <= a->n && (a->p[n] || (unit == 2 && a->p[n + 1])))
        n += unit;
    return n;
}

bool value_item(struct value *a, struct value *item)
{
    uint8_t type = a->type & (VALUE_ARRAY - 1);
    size_t n = type_bytes(type), parted = 0;

    if (a->n == 0)
        return false;
    if (type == VALUE_TEXT || type == VALUE_ANSI) {
        parted = type == VALUE_TEXT ? 2 : 1;
        n = text_item(a, parted);
    } else if (type == VALUE_SID) {
        n = sid_bytes(a->p, a->n);
    } else if (type == VALUE_SIZE) {
        n = a->n % 8 == 0 ? 8 : 4;
    }
    if ((n == 0 && parted == 0) || n > a->n)
        n = a->n; /* no item of its type: what is left as it is */
    *item = (struct value){ a->p, (uint32_t)n, type };
    n = min_size(n + parted, a->n);
    a->p += n;
    a->n -= (uint32_t)n;
    return true;
}
