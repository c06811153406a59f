/* wef.c - messages, bookmarks and queries of Windows Event Forwarding: whatever comes, the reader ends, stays in its bounds, and what it calls sound is. */
#include "ingest/wef.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = str_of((const char *)data, size);
    AUTO_ARENA struct arena a = { 0 };
    AUTO_BUF struct buf b = { 0 };
    struct wef_message m;
    struct err e;

    arena_init(&a, 16 * MIB);
    buf_init(&b, 16 * MIB);
    if (wef_read(text, &a, &m, &e) == 0) {
        if (m.bookmark.n && !wef_bookmark_sound(m.bookmark))
            abort();
        for (size_t i = 0; i < m.count; i++)
            if (m.events[i].n == 0 || m.events[i].n > size)
                abort();
        if (m.rest.n > size)
            abort();
        wef_ack(&b, &m);
        struct wef_message ours;
        struct str answer = buf_view(&b);
        /* what we write, we can read: an acknowledgement is no action of a machine */
        if (wef_read(answer, &a, &ours, &e) < 0 || ours.action != WEF_UNKNOWN)
            abort();
        buf_reset(&b);
        wef_utf16(&b, text);
    }
    if (wef_query_lint(text, &e) < 0 && e.rc != -EINVAL && e.rc != -E2BIG && e.rc != -ENOMEM)
        abort();
    (void)wef_bookmark_sound(text);
    buf_reset(&b);
    if (wef_sldc(text, &b, &e) == 0 && b.n > 271 * 8 * size)
        abort();
    return 0;
}
