/* source.c - the bytes of a report, read in pieces at their offsets: the file itself never stands in memory. */
#include "scan/internal.h"

#include <fcntl.h>
#include <sys/stat.h>

int source_open(struct source *s, int fd, struct err *e)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return err_sys(e, "cannot look at the report");
    if (!S_ISREG(st.st_mode))
        return err_set(e, -EINVAL, "the report is not a regular file");
    s->fd = fd;
    s->offset = 0;
    s->size = (uint64_t)st.st_size;
    s->piece = s->size < SOURCE_PIECE ? (size_t)s->size + 1 : SOURCE_PIECE;
    s->buf = malloc(s->piece);
    posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    return s->buf ? 0 : err_set(e, -ENOMEM, "no memory to read a report");
}

void source_close(struct source *s)
{
    free(s->buf);
    s->buf = NULL;
}

long source_read(struct source *s, char *p, size_t most, struct err *e)
{
    ssize_t got;

    if (s->limit && s->offset + most > s->limit)
        most = s->limit > s->offset ? (size_t)(s->limit - s->offset) : 0;
    if (most == 0)
        return 0;
    do {
        got = pread(s->fd, p, most, (off_t)s->offset);
    } while (got < 0 && errno == EINTR);
    if (got < 0)
        return err_sys(e, "cannot read the report");
    s->offset += (uint64_t)got;
    if (s->progress)
        s->progress(s->arg, s->before + s->offset, s->total);
    return (long)got;
}

int read_broken(const struct readers_arg *r, struct err *e, uint64_t line, uint64_t column, const char *what)
{
    return err_line(e, -EBADMSG, r->name, (int)min_size(line, INT32_MAX), (int)min_size(column, INT32_MAX),
                    "%s; nothing of the report is taken: export it from the tool again, whole", what);
}
