/* event_print.c - see event_print.h. */
#include "bin/event_print.h"

#include <time.h>

/* letter_at - bytes of the letter at p: 1 to 4; 0 for what is no UTF-8. */
static size_t letter_at(const char *p, size_t n)
{
    for (size_t len = 1; len <= 4 && len <= n; len++)
        if (str_utf8_valid(str_of(p, len)))
            return len;
    return 0;
}

/* drives - control characters of ASCII and of ISO 6429 (U+009B begins a command like ESC [), and those that turn the direction of what
 * follows or hide in it. */
static bool drives(const char *p, size_t n)
{
    unsigned a = (unsigned char)p[0], b = n > 1 ? (unsigned char)p[1] : 0, c = n > 2 ? (unsigned char)p[2] : 0;

    if (n == 1)
        return a < 0x20 || a == 0x7f;
    if (n == 2)
        return (a == 0xc2 && b < 0xa0) || (a == 0xd8 && b == 0x9c);
    return n == 3 && a == 0xe2 && ((b == 0x80 && (c >= 0xa8 || (c >= 0x8b && c <= 0x8f)) && c <= 0xae) || (b == 0x81 && c >= 0xa0 && c <= 0xaf));
}

void plain_put(struct buf *b, struct str s, size_t max)
{
    s.n = min_size(s.n, max);
    for (size_t i = 0, n; i < s.n; i += n ? n : 1) {
        n = letter_at(s.p + i, s.n - i);
        if (s.p[i] == '\n' || s.p[i] == '\t')
            buf_byte(b, ' ');
        else if (n == 0 || drives(s.p + i, n))
            buf_byte(b, '?');
        else
            buf_put(b, s.p + i, n);
    }
}

void plain_column(struct buf *b, struct str s, size_t width)
{
    size_t from = b->n;

    plain_put(b, s, 256);
    while (b->n < from + width && !buf_failed(b))
        buf_byte(b, ' ');
    buf_str(b, STR("  "));
}

void event_print(const struct event *ev, bool json, FILE *to)
{
    AUTO_BUF struct buf b;

    buf_init(&b, 64 * MIB);
    if (json) {
        event_json(ev, &b);
    } else {
        time_t t = (time_t)(ev->time / NS_PER_SECOND);
        char when[32] = "";
        struct tm local;

        if (localtime_r(&t, &local))
            strftime(when, sizeof when, "%F %T", &local);
        buf_printf(&b, "%s  ", when);
        plain_column(&b, event_get(ev, STR("host.name")), 16);
        plain_column(&b, ev->parser, 10);
        plain_put(&b, ev->original, SIZE_MAX);
    }
    buf_byte(&b, '\n');
    if (!buf_failed(&b))
        fwrite(b.p, 1, b.n, to);
}
