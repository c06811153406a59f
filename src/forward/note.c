/* note.c - what a kind must find again after a fall: a line of text in DATA/forward/STREAM.KIND, a file for each numbering.
 *
 * It is replaced as a whole and on disk when note_write returns, so it is the step that decides what was done. What stands in it is the kind's. */
#include "forward/internal.h"
#include "base/file.h"

#include <stdarg.h>

#define SPARE (256u * KIB)      /* of a buffer for file_read */

void note_path(const struct upstream *u, const char *kind, char out[NOTE_PATH])
{
    snprintf(out, NOTE_PATH, "%.4000s/forward/%s.%s", u->data, u->stream, kind);
}

int note_read(const char *path, char text[NOTE_TEXT], struct err *e)
{
    AUTO_BUF struct buf b = { 0 };
    int rc = 0;

    buf_init(&b, NOTE_TEXT + SPARE);
    text[0] = 0;
    if (file_exists(path))
        rc = file_read(path, NOTE_TEXT - 1, &b, e);
    if (rc < 0 || b.n == 0)
        return rc;
    memcpy(text, b.p, b.n);
    text[b.n] = 0;
    return (int)b.n;
}

int note_write(const struct upstream *u, const char *kind, struct err *e, const char *fmt, ...)
{
    char path[NOTE_PATH], text[NOTE_TEXT];
    va_list ap;
    int rc, n;

    snprintf(path, sizeof path, "%.4000s/forward", u->data);
    rc = file_mkdirs(path, 0750, e);
    va_start(ap, fmt);
    n = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    note_path(u, kind, path);
    if (rc == 0 && (n < 0 || (size_t)n >= sizeof text))
        rc = err_set(e, -E2BIG, "\"%s\" would be larger than %u bytes", path, NOTE_TEXT - 1);
    return rc < 0 ? rc : file_write_atomic(path, str_of(text, (size_t)n), 0640, e);
}
