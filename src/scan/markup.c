/* markup.c - texts that tools wrap for a browser: tags off, entities as letters, parts of a URL, base64. */
#include "scan/internal.h"
#include "base/utf8.h"

static void put_code(struct buf *out, uint32_t c)
{
    char text[4];

    if (c == 0 || c > 0x10FFFF || (c >= 0xD800 && c < 0xE000))
        c = 0xFFFD;
    buf_put(out, text, utf8_put(text, c));
}

/* entity - "&lt;" at the beginning of s; how many bytes it took, 0 if it is none. */
static size_t entity(struct buf *out, struct str s)
{
    static const struct { const char *name; uint32_t code; } names[] = {
        { "lt", '<' }, { "gt", '>' }, { "amp", '&' }, { "quot", '"' }, { "apos", '\'' }, { "nbsp", ' ' }, { "ndash", 0x2013 }, { "mdash", 0x2014 },
        { "lsquo", 0x2018 }, { "rsquo", 0x2019 }, { "ldquo", 0x201C }, { "rdquo", 0x201D }, { "hellip", 0x2026 }, { "copy", 0xA9 }, { "reg", 0xAE }, { "bull", 0x2022 },
    };
    ptrdiff_t end = str_chr(str_of(s.p, min_size(s.n, 12)), ';');
    struct str name;
    uint32_t code = 0;

    if (end < 2)
        return 0;
    name = str_of(s.p + 1, (size_t)end - 1);
    if (name.p[0] == '#') {
        bool hex = name.n > 1 && (name.p[1] | 32) == 'x';

        for (size_t i = hex ? 2 : 1; i < name.n; i++) {
            int d = name.p[i] >= '0' && name.p[i] <= '9' ? name.p[i] - '0' : (name.p[i] | 32) >= 'a' && (name.p[i] | 32) <= 'f' ? (name.p[i] | 32) - 'a' + 10 : 99;

            if (d >= (hex ? 16 : 10))
                return 0;
            code = code * (hex ? 16 : 10) + (uint32_t)d;
        }
        put_code(out, code);
        return (size_t)end + 1;
    }
    for (size_t i = 0; i < COUNT(names); i++)
        if (str_eq(name, str_c(names[i].name))) {
            put_code(out, names[i].code);
            return (size_t)end + 1;
        }
    return 0;
}

/* tag - a tag at the beginning of s; its length, 0 if it is none. What ends a line or a paragraph becomes a line break. */
static size_t tag(struct buf *out, struct str s)
{
    static const char *const breaks[] = { "br", "p", "/p", "li", "div", "/div", "tr", "ul", "/ul", "ol", "/ol", "h1", "h2", "h3", "h4", "pre", "/pre" };
    ptrdiff_t end = str_chr(str_of(s.p, min_size(s.n, 4096)), '>');
    size_t n = 1;

    if (end < 0 || s.n < 2 || !((s.p[1] | 32) >= 'a' || s.p[1] == '/' || s.p[1] == '!') || (s.p[1] | 32) > 'z')
        return 0;
    while (n < (size_t)end && s.p[n] != ' ' && !(s.p[n] == '/' && n > 1) && s.p[n] != '\t' && s.p[n] != '\n')
        n++;
    for (size_t i = 0; i < COUNT(breaks); i++)
        if (str_ieq(str_of(s.p + 1, n - 1), str_c(breaks[i])) && out->n && out->p[out->n - 1] != '\n')
            buf_byte(out, '\n');
    return (size_t)end + 1;
}

void markup_plain(struct buf *out, struct str s)
{
    for (size_t i = 0; i < s.n;) {
        struct str rest = str_cut(s, i);
        size_t took = rest.p[0] == '<' ? tag(out, rest) : rest.p[0] == '&' ? entity(out, rest) : 0;

        if (took == 0) {
            char c = rest.p[0];
            bool blank = c == ' ' || c == '\t' || c == '\r';

            if (!blank || (out->n && out->p[out->n - 1] != ' ' && out->p[out->n - 1] != '\n'))
                buf_byte(out, blank ? ' ' : c);
            took = 1;
        }
        i += took;
    }
}

static struct str default_port(struct str scheme)
{
    return str_ieq(scheme, STR("https")) ? STR("443") : str_ieq(scheme, STR("http")) ? STR("80") : STR("");
}

/* url_part - "scheme://user@host:port/path?…"; a text without "//" is host:port/path. */
bool url_part(struct str url, struct str part, struct str *out)
{
    ptrdiff_t at = str_find(url, STR("://")), end;
    struct str scheme = at > 0 ? str_of(url.p, (size_t)at) : STR(""), rest = at > 0 ? str_cut(url, (size_t)at + 3) : url, host, port = STR("");
    size_t n = 0;

    while (n < rest.n && rest.p[n] != '/' && rest.p[n] != '?' && rest.p[n] != '#')
        n++;
    host = str_of(rest.p, n);
    at = str_chr(host, '@');
    if (at >= 0)
        host = str_cut(host, (size_t)at + 1);
    if (host.n && host.p[0] == '[') {
        end = str_chr(host, ']');
        if (end < 0)
            return false;
        port = str_starts(str_cut(host, (size_t)end + 1), STR(":")) ? str_cut(host, (size_t)end + 2) : STR("");
        host = str_of(host.p + 1, (size_t)end - 1);
    } else if ((at = str_chr(host, ':')) >= 0 && str_chr(str_cut(host, (size_t)at + 1), ':') < 0) {
        port = str_cut(host, (size_t)at + 1);
        host = str_of(host.p, (size_t)at);
    }
    if (str_eq(part, STR("host")))
        *out = host;
    else if (str_eq(part, STR("port")))
        *out = port.n ? port : default_port(scheme);
    else if (str_eq(part, STR("scheme")))
        *out = scheme;
    else
        *out = str_cut(rest, n);
    return out->n > 0;
}

bool base64_text(struct buf *out, struct str s)
{
    uint32_t bits = 0;
    int have = 0;

    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        int d = c >= 'A' && c <= 'Z' ? c - 'A' : c >= 'a' && c <= 'z' ? c - 'a' + 26 : c >= '0' && c <= '9' ? c - '0' + 52 : c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;

        if (d < 0) {
            if (c == '=' || c == ' ' || c == '\n' || c == '\r' || c == '\t')
                continue;
            return false;
        }
        bits = bits << 6 | (uint32_t)d;
        have += 6;
        if (have >= 8) {
            have -= 8;
            buf_byte(out, (char)(bits >> have & 0xFF));
        }
    }
    return true;
}
