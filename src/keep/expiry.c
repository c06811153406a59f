/* expiry.c - when events went for their age last: DATA/store/EXPIRED, a number of nanoseconds since 1970. The limit of days an hour holds over restarts by it. */
#include "base/file.h"
#include "keep/internal.h"

#define EXPIRY_EVERY_NS NS_PER_HOUR

time_ns keep_expiry_wait(const struct keep *k, time_ns now)
{
    AUTO_BUF struct buf b = { 0 };
    char path[4096];
    uint64_t number;

    buf_init(&b, 0);
    if (file_read(node_path(k->node, "store/EXPIRED", path), TIME_TEXT_MAX, &b, NULL) < 0 || !str_u64(str_trim(buf_view(&b)), &number) || number > INT64_MAX)
        return 0;
    time_ns last = (time_ns)number;

    return last > now || now - last >= EXPIRY_EVERY_NS ? 0 : EXPIRY_EVERY_NS - (now - last);
}

int keep_expiry_note(const struct keep *k, time_ns now, struct err *e)
{
    char path[4096], text[32];

    snprintf(text, sizeof text, "%lld\n", (long long)now);
    return file_write_atomic(node_path(k->node, "store/EXPIRED", path), str_c(text), 0640, e);
}
