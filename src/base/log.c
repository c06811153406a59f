/* log.c - see log.h. */
#include "base/log.h"
#include "base/base.h"

#include <stdarg.h>

/* The sink is process-wide on purpose: see the face. */
static struct {
    char           role[32];
    enum log_level least;
    int            fd;
} sink = { .role = "saqshy", .least = LOG_INFO, .fd = 2 };

void log_open(const char *role, enum log_level least, int fd)
{
    snprintf(sink.role, sizeof sink.role, "%s", role);
    sink.least = least;
    sink.fd = fd < 0 ? 2 : fd;
}

const char *log_num(long long v, char out[24])
{
    snprintf(out, 24, "%lld", v);
    return out;
}

void log_line(enum log_level level, const char *message, ...)
{
    static const char *const names[] = { "debug", "info", "warning", "error", "notice" };
    AUTO_BUF struct buf b;
    const char *name;
    va_list ap;

    buf_init(&b, 64 * KIB);
    if (level < sink.least)
        return;
    buf_str(&b, STR("{\"@timestamp\":\""));
    buf_time(&b, clock_now());
    buf_printf(&b, "\",\"log.level\":\"%s\",\"event.module\":\"saqshy\",\"process.name\":\"%s\",\"process.pid\":%d,\"saqshy.class\":\"%s\",\"message\":",
               names[level], sink.role, (int)getpid(), level == LOG_SEC ? "sec" : "app");
    buf_json(&b, str_c(message));
    va_start(ap, message);
    while ((name = va_arg(ap, const char *)) != NULL) {
        const char *value = va_arg(ap, const char *);
        struct str v = str_c(value ? value : "");

        if (b.n + v.n * 2 + 64 > LOG_LINE_MAX)
            v.n = min_size(v.n, b.n + 64 < LOG_LINE_MAX ? (LOG_LINE_MAX - b.n - 64) / 6 : 0);
        buf_byte(&b, ',');
        buf_json(&b, str_c(name));
        buf_byte(&b, ':');
        buf_json(&b, v);
    }
    va_end(ap);
    buf_str(&b, STR("}\n"));
    if (!buf_failed(&b) && write(sink.fd, b.p, b.n) < 0)
        return; /* nobody is left to tell */
}
