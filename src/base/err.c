/* err.c - see err.h. */
#include "base/base.h"

#include <stdarg.h>

static void clean(struct err *e)
{
    for (char *p = e->text; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = '?';
}

__attribute__((format(printf, 3, 0)))
static void put(struct err *e, int rc, const char *fmt, va_list ap)
{
    e->rc = rc;
    vsnprintf(e->text, sizeof e->text, fmt, ap);
    clean(e);
}

int err_set(struct err *e, int rc, const char *fmt, ...)
{
    va_list ap;

    if (!e)
        return rc;
    *e = (struct err){ .rc = rc };
    va_start(ap, fmt);
    put(e, rc, fmt, ap);
    va_end(ap);
    return rc;
}

int err_at(struct err *e, int rc, size_t at, const char *fmt, ...)
{
    va_list ap;

    if (!e)
        return rc;
    *e = (struct err){ .at = at };
    va_start(ap, fmt);
    put(e, rc, fmt, ap);
    va_end(ap);
    return rc;
}

int err_line(struct err *e, int rc, const char *file, int line, int column, const char *fmt, ...)
{
    char head[256], said[ERR_TEXT_MAX];
    va_list ap;

    if (!e)
        return rc;
    va_start(ap, fmt);
    vsnprintf(said, sizeof said, fmt, ap);
    va_end(ap);
    if (line > 0)
        snprintf(head, sizeof head, "%s%s%d:%d: ", file ? file : "", file ? ":" : "line ", line, column);
    else
        snprintf(head, sizeof head, "%s%s", file ? file : "", file ? ": " : "");
    *e = (struct err){ .rc = rc, .line = line, .column = column };
    snprintf(e->text, sizeof e->text, "%s%.*s", head, (int)(sizeof e->text - strlen(head) - 1), said);
    clean(e);
    return rc;
}

int err_wrap(struct err *e, int rc, const char *fmt, ...)
{
    char head[ERR_TEXT_MAX], tail[ERR_TEXT_MAX];
    va_list ap;

    if (!e)
        return rc;
    va_start(ap, fmt);
    vsnprintf(head, sizeof head, fmt, ap);
    va_end(ap);
    memcpy(tail, e->text, sizeof tail);
    snprintf(e->text, sizeof e->text, "%.200s: %.300s", head, tail);
    e->rc = rc;
    clean(e);
    return rc;
}

int err_sys(struct err *e, const char *fmt, ...)
{
    int saved = errno ? errno : EIO;
    char head[ERR_TEXT_MAX];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(head, sizeof head, fmt, ap);
    va_end(ap);
    return err_set(e, -saved, "%.400s: %s", head, strerror(saved));
}
