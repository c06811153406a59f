/* times.c - times on the command line are those of the search language. */
#include "bin/bin.h"
#include "query/query.h"

int time_argument(const char *text, time_ns now, time_ns *out, struct err *e)
{
    time_ns from, to;

    if (!query_when(str_c(text), now, &from, &to))
        return err_set(e, -EINVAL, "\"%s\" is no time: 2026-03-20T23:50:00+05:00, 2026-03-20, today, now, now-15m or -2h is expected", text);
    *out = from;
    return 0;
}
