/* indicator.c - see indicator.h. */
#include "desk/cases/indicator.h"

#include <arpa/inet.h>

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

static bool hash_ok(struct str s)
{
    if (s.n != 32 && s.n != 40 && s.n != 64 && s.n != 128)
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= '0' && s.p[i] <= '9') || ((s.p[i] | 32) >= 'a' && (s.p[i] | 32) <= 'f')))
            return false;
    return true;
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

    buf_init(&b, 2 * INDICATOR_MAX);
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

bool indicator_normal(struct str type, struct str value, struct buf *out)
{
    AUTO_BUF struct buf b = { 0 };
    char ip[INET6_ADDRSTRLEN];

    value = str_trim(value);
    if (value.n == 0 || value.n > INDICATOR_MAX || memchr(value.p, 0, value.n))
        return false;
    if (str_eq(type, STR("url")))
        return url_normal(value, out);
    if (str_eq(type, STR("file")) || str_eq(type, STR("other"))) {
        buf_str(out, value);
        return true;
    }
    buf_init(&b, 2 * INDICATOR_MAX);
    plain(value, true, &b);
    struct str v = ends_cut(buf_view(&b));
    if (str_eq(type, STR("ip"))) {
        if (!ip_text(v, ip))
            return false;
        buf_str(out, str_c(ip));
        return true;
    }
    if (str_eq(type, STR("hash")) ? !hash_ok(v) : str_eq(type, STR("email")) ? str_chr(v, '@') <= 0 || (size_t)str_chr(v, '@') + 1 >= v.n : !domain_ok(v))
        return false;
    buf_str(out, v);
    return true;
}

bool indicator_private(struct str ip)
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
