/* event_print.c - see event_print.h. */
#include "bin/event_print.h"

#include <time.h>

static void put_plain(struct buf *b, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];

        buf_byte(b, c == '\n' || c == '\t' ? ' ' : c < 0x20 || c == 0x7f ? '?' : (char)c);
    }
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
        struct str host = event_get(ev, STR("host.name"));
        buf_printf(&b, "%s  %-16.*s  %-10.*s  ", when, STR_ARG(host), STR_ARG(ev->parser));
        put_plain(&b, ev->original);
    }
    buf_byte(&b, '\n');
    if (!buf_failed(&b))
        fwrite(b.p, 1, b.n, to);
}

/* relative - "-15m" behind an optional "now". */
static bool relative(struct str s, time_ns now, time_ns *out)
{
    static const struct {
        char    unit;
        int64_t ns;
    } units[] = { { 's', NS_PER_SECOND }, { 'm', NS_PER_MINUTE }, { 'h', NS_PER_HOUR }, { 'd', NS_PER_DAY } };
    uint64_t n;

    if (str_starts(s, STR("now")))
        s = str_cut(s, 3);
    *out = now;
    if (s.n == 0)
        return true;
    if (s.n < 3 || s.p[0] != '-' || !str_u64(str_of(s.p + 1, s.n - 2), &n))
        return false;
    for (size_t i = 0; i < COUNT(units); i++) {
        time_ns span;

        if (units[i].unit != s.p[s.n - 1])
            continue;
        return n <= INT64_MAX && !__builtin_mul_overflow((int64_t)n, units[i].ns, &span) && !__builtin_sub_overflow(now, span, out);
    }
    return false;
}

int time_argument(const char *text, time_ns now, time_ns *out, struct err *e)
{
    struct str s = str_c(text);

    if (s.n && (s.p[0] == '-' || str_starts(s, STR("now"))) && relative(s, now, out))
        return 0;
    if (time_parse_rfc3339(s, out, NULL, NULL) == 0)
        return 0;
    if (s.n == 10) {
        char midnight[32];

        snprintf(midnight, sizeof midnight, "%sT00:00:00Z", text);
        if (time_parse_rfc3339(str_c(midnight), out, NULL, NULL) == 0)
            return 0;
    }
    return err_set(e, -EINVAL, "\"%s\" is no time: 2026-03-20T23:50:00+05:00, 2026-03-20, now, now-15m or -2h is expected", text);
}
