/* value.c - see value.h. */
#include "ioc/value.h"

#include <arpa/inet.h>

static const char *const type_names[IOC_TYPES] = { "ip", "domain", "url", "hash", "email", "file", "other", "network", "user_agent" };

const char *ioc_type_name(enum ioc_type t) { return t < IOC_TYPES ? type_names[t] : ""; }

enum ioc_type ioc_type_parse(struct str name)
{
    enum ioc_type t = 0;

    while (t < IOC_TYPES && !str_eq(name, str_c(type_names[t])))
        t++;
    return t;
}

static bool ip_text(struct str s, char out[INET6_ADDRSTRLEN])
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr a6;
    struct in_addr a4;

    if (s.n == 0 || s.n >= sizeof text || memchr(s.p, 0, s.n))
        return false;
    memcpy(text, s.p, s.n);
    text[s.n] = 0;
    if (inet_pton(AF_INET, text, &a4) == 1)
        return inet_ntop(AF_INET, &a4, out, INET6_ADDRSTRLEN) != NULL;
    if (inet_pton(AF_INET6, text, &a6) != 1)
        return false;
    if (IN6_IS_ADDR_V4MAPPED(&a6))   /* the same machine as without the prefix */
        return inet_ntop(AF_INET, &a6.s6_addr[12], out, INET6_ADDRSTRLEN) != NULL;
    return inet_ntop(AF_INET6, &a6, out, INET6_ADDRSTRLEN) != NULL;
}

/* plain - "hxxp://bad[.]example" as people write it so that nobody clicks: back to what it is. Brackets around brackets go too, so that what
 * is plain stays as it is. */
static void plain(struct str s, bool fold, struct buf *out)
{
    size_t start = out->n;

    for (size_t i = 0; i < s.n; i++) {
        char ch = s.p[i];

        buf_byte(out, fold && ch >= 'A' && ch <= 'Z' ? (char)(ch | 32) : ch);
        if (!buf_failed(out) && out->n >= start + 3 && memcmp(out->p + out->n - 3, "[.]", 3) == 0) {
            out->n -= 2;
            out->p[out->n - 1] = '.';
        }
    }
}

/* hash_small - the digits of a hash, small; false: it is none. Without branches, so that the compiler takes many bytes at a time. */
static bool hash_small(struct str s, char *out)
{
    unsigned char foreign = 0;

    if (s.n != 32 && s.n != 40 && s.n != 64 && s.n != 128)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i], small = c | 32, letter = (unsigned char)(small - 'a'), digit = (unsigned char)(c - '0');

        foreign |= (unsigned char)((letter > 5) & (digit > 9));
        out[i] = (char)small;     /* a digit has this bit */
    }
    return !foreign;
}

static bool hash_ok(struct str s)
{
    char small[128];

    return hash_small(s, small);
}

static bool domain_ok(struct str s)
{
    bool dot = false;

    if (s.n < 3 || s.n > 253)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char ch = (unsigned char)s.p[i];

        if (ch <= 32 || ch == 127 || strchr("/\\@:?#<>\"'", (char)ch))
            return false;
        dot = dot || (ch == '.' && i > 0 && i + 1 < s.n);
    }
    return dot;
}

static bool url_normal(struct str s, struct buf *out)
{
    AUTO_BUF struct buf b = { 0 };
    size_t host, end;

    buf_init(&b, 2 * IOC_VALUE_MAX);
    plain(s, false, &b);
    struct str t = buf_view(&b);
    ptrdiff_t mark = -1;
    for (size_t i = 0; mark < 0 && i + 2 < t.n; i++)
        if (t.p[i] == ':' && t.p[i + 1] == '/' && t.p[i + 2] == '/')
            mark = (ptrdiff_t)i;
    if (mark <= 0 || mark > 16)
        return false;
    host = (size_t)mark + 3;
    for (end = host; end < t.n && t.p[end] != '/' && t.p[end] != '?' && t.p[end] != '#'; end++)
        ;
    if (end == host)
        return false;
    struct str scheme = str_of(t.p, (size_t)mark);
    if (str_ieq(scheme, STR("hxxp")) || str_ieq(scheme, STR("hxxps")))
        buf_str(out, scheme.n == 5 ? STR("https") : STR("http"));
    else
        plain(scheme, true, out);
    buf_str(out, STR("://"));
    plain(str_of(t.p + host, end - host), true, out);
    buf_str(out, str_of(t.p + end, t.n - end));
    return true;
}

/* ends_cut - without blanks at the ends and without the dot of the root, which stands behind a name that is written in full. */
static struct str ends_cut(struct str s)
{
    for (struct str t = s;; s = t) {
        t = str_trim(t);
        while (t.n && t.p[t.n - 1] == '.')
            t.n--;
        if (t.n == s.n)
            return t;
    }
}

/* four_bytes - "203.0.113.7", as nearly all addresses of events are written; strict as inet_pton. */
static bool four_bytes(struct str s, uint8_t out[4])
{
    size_t i = 0;

    for (int part = 0; part < 4; part++) {
        unsigned v = 0;
        size_t from = i;

        while (i < s.n && i - from < 3 && s.p[i] >= '0' && s.p[i] <= '9')
            v = v * 10 + (unsigned)(s.p[i++] - '0');
        if (i == from || v > 255 || (s.p[from] == '0' && i - from > 1) || (part < 3 && (i == s.n || s.p[i++] != '.')))
            return false;
        out[part] = (uint8_t)v;
    }
    return i == s.n;
}

bool ioc_address(struct str s, uint8_t out[16])
{
    char text[INET6_ADDRSTRLEN];

    memset(out, 0, 10);
    memset(out + 10, 0xff, 2);
    if (four_bytes(s, out + 12))
        return true;
    if (!ip_text(s, text))
        return false;
    return strchr(text, ':') ? inet_pton(AF_INET6, text, out) == 1 : four_bytes(str_c(text), out + 12);
}

bool ioc_network(struct str s, uint8_t out[16], uint8_t *bits)
{
    ptrdiff_t slash = str_chr(s, '/');
    uint64_t n;

    if (slash <= 0 || !str_u64(str_cut(s, (size_t)slash + 1), &n) || !ioc_address(str_of(s.p, (size_t)slash), out))
        return false;
    if (str_chr(str_of(s.p, (size_t)slash), ':') < 0)
        n += 96;
    if (n > 128)
        return false;
    for (size_t i = 0; i < 128; i++)
        if (i >= n && out[i / 8] >> (7 - i % 8) & 1)
            return false;
    *bits = (uint8_t)n;
    return true;
}

struct str ioc_url_host(struct str url)
{
    ptrdiff_t at = str_find(url, STR("://"));
    size_t end = 0;

    if (at < 0)
        return str_of(NULL, 0);
    url = str_cut(url, (size_t)at + 3);
    while (end < url.n && !strchr("/?#", url.p[end]))
        end++;
    url.n = end;
    for (at = str_chr(url, '@'); at >= 0; at = str_chr(url, '@'))
        url = str_cut(url, (size_t)at + 1);
    if (url.n && *url.p == '[') {
        at = str_chr(url, ']');
        return at < 0 ? str_of(NULL, 0) : str_of(url.p + 1, (size_t)at - 1);
    }
    at = str_chr(url, ':');
    return at < 0 ? url : str_of(url.p, (size_t)at);
}

static bool network_normal(struct str v, struct buf *out)
{
    ptrdiff_t slash = str_chr(v, '/');
    uint8_t address[16], bits;
    char text[INET6_ADDRSTRLEN];

    if (!ioc_network(v, address, &bits) || !ip_text(str_of(v.p, (size_t)slash), text))
        return false;
    buf_printf(out, "%s/%u", text, strchr(text, ':') ? bits : bits - 96u);
    return true;
}

static bool address_normal(struct str v, struct buf *out)
{
    char text[INET6_ADDRSTRLEN];

    if (!ip_text(v, text))
        return false;
    buf_str(out, str_c(text));
    return true;
}

static bool email_ok(struct str v)
{
    ptrdiff_t at = str_chr(v, '@');

    return at > 0 && (size_t)at + 1 < v.n;
}

/* What a byte of a plainly written name becomes; 0: it is none. A table, because which bytes are letters nobody can foretell. */
static const unsigned char small[256] = {
    ['a'] = 'a', ['b'] = 'b', ['c'] = 'c', ['d'] = 'd', ['e'] = 'e', ['f'] = 'f', ['g'] = 'g', ['h'] = 'h', ['i'] = 'i', ['j'] = 'j', ['k'] = 'k', ['l'] = 'l', ['m'] = 'm',
    ['n'] = 'n', ['o'] = 'o', ['p'] = 'p', ['q'] = 'q', ['r'] = 'r', ['s'] = 's', ['t'] = 't', ['u'] = 'u', ['v'] = 'v', ['w'] = 'w', ['x'] = 'x', ['y'] = 'y', ['z'] = 'z',
    ['A'] = 'a', ['B'] = 'b', ['C'] = 'c', ['D'] = 'd', ['E'] = 'e', ['F'] = 'f', ['G'] = 'g', ['H'] = 'h', ['I'] = 'i', ['J'] = 'j', ['K'] = 'k', ['L'] = 'l', ['M'] = 'm',
    ['N'] = 'n', ['O'] = 'o', ['P'] = 'p', ['Q'] = 'q', ['R'] = 'r', ['S'] = 's', ['T'] = 't', ['U'] = 'u', ['V'] = 'v', ['W'] = 'w', ['X'] = 'x', ['Y'] = 'y', ['Z'] = 'z',
    ['0'] = '0', ['1'] = '1', ['2'] = '2', ['3'] = '3', ['4'] = '4', ['5'] = '5', ['6'] = '6', ['7'] = '7', ['8'] = '8', ['9'] = '9', ['.'] = '.', ['-'] = '-', ['_'] = '_',
};

size_t ioc_normal_name(enum ioc_type type, struct str value, char out[IOC_NAME_ROOM])
{
    unsigned foreign = 0, dots = 0;

    if (type == IOC_HASH)
        return hash_small(value, out) ? value.n : 0;
    if (value.n < 3 || value.n > 253 || value.p[value.n - 1] == '.' || *value.p == '.')
        return 0;
    for (size_t i = 0; i < value.n; i++) {
        unsigned char c = small[(unsigned char)value.p[i]];

        foreign |= c == 0;
        dots |= c == '.';
        out[i] = (char)c;
    }
    return !foreign && dots ? value.n : 0;
}

bool ioc_normal(enum ioc_type type, struct str value, struct buf *out)
{
    AUTO_BUF struct buf b = { 0 };

    value = str_trim(value);
    if (type >= IOC_TYPES || value.n == 0 || value.n > IOC_VALUE_MAX || memchr(value.p, 0, value.n))
        return false;
    if (type == IOC_URL)
        return url_normal(value, out);
    if (type == IOC_FILE || type == IOC_OTHER || type == IOC_AGENT) {
        buf_str(out, value);
        return true;
    }
    buf_init(&b, 2 * IOC_VALUE_MAX);
    plain(value, true, &b);
    struct str v = ends_cut(buf_view(&b));
    if (type == IOC_IP)
        return address_normal(v, out);
    if (type == IOC_NETWORK)
        return network_normal(v, out);
    if (type == IOC_HASH ? !hash_ok(v) : type == IOC_EMAIL ? !email_ok(v) : !domain_ok(v))
        return false;
    buf_str(out, v);
    return true;
}

bool ioc_private(struct str ip)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr a6;
    struct in_addr a4;

    if (!ip_text(ip, text))
        return false;
    if (inet_pton(AF_INET, text, &a4) == 1) {
        uint32_t v = ntohl(a4.s_addr);
        static const struct { uint32_t net, mask; } nets[] = {
            { 0x0a000000, 0xff000000 }, { 0xac100000, 0xfff00000 }, { 0xc0a80000, 0xffff0000 }, { 0x7f000000, 0xff000000 },
            { 0xa9fe0000, 0xffff0000 }, { 0x00000000, 0xff000000 }, { 0x64400000, 0xffc00000 }, { 0xe0000000, 0xe0000000 },
        };

        for (size_t i = 0; i < COUNT(nets); i++)
            if ((v & nets[i].mask) == nets[i].net)
                return true;
        return false;
    }
    return inet_pton(AF_INET6, text, &a6) == 1 && (IN6_IS_ADDR_LOOPBACK(&a6) || IN6_IS_ADDR_UNSPECIFIED(&a6) || IN6_IS_ADDR_LINKLOCAL(&a6) ||
                                                   IN6_IS_ADDR_MULTICAST(&a6) || (a6.s6_addr[0] & 0xfe) == 0xfc);
}
