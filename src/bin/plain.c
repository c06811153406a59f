/* plain.c - see plain.h. */
#include "bin/plain.h"
#include "base/unpack.h"

#include <fcntl.h>
#include <unistd.h>

#define READ_BYTES (256u * KIB)

struct plain {
    const char    *path;
    int            fd;
    struct unpack *unpack;   /* NULL: as it is */
    struct buf     raw;
    struct str     left;     /* of raw: not yet given */
    bool           begun;
};

/* refill - the next bytes of the file. Returns how many there are now. */
static ssize_t refill(struct plain *p, struct err *e)
{
    char *to;
    ssize_t n;

    if (p->left.n)
        return (ssize_t)p->left.n;
    buf_reset(&p->raw);
    to = buf_room(&p->raw, READ_BYTES);
    if (!to)
        return err_set(e, -ENOMEM, "no memory to read \"%s\"", p->path);
    do
        n = read(p->fd, to, READ_BYTES);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return err_sys(e, "could not read \"%s\"", p->path);
    p->raw.n = (size_t)n;
    p->left = buf_view(&p->raw);
    return n;
}

/* begin - what the file is, by its first bytes. A pipe gives them in one piece, or they are taken for text. */
static int begin(struct plain *p, struct err *e)
{
    ssize_t n = refill(p, e);
    enum packing packing = n > 0 ? packing_of(p->left) : PACKING_NONE;

    p->begun = true;
    return n < 0 ? (int)n : packing == PACKING_NONE ? 0 : unpack_new(packing, UNPACK_WINDOW_FILE, &p->unpack, e);
}

int plain_open(const char *path, struct plain **out, struct err *e)
{
    struct plain *p = calloc(1, sizeof *p);
    bool in = strcmp(path, "-") == 0;

    if (!p)
        return err_set(e, -ENOMEM, "no memory to read \"%s\"", path);
    p->path = in ? "standard input" : path;
    buf_init(&p->raw, 2 * READ_BYTES);
    p->fd = in ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
    if (p->fd < 0) {
        int rc = err_sys(e, "could not open \"%s\"", p->path);

        plain_close(&p);
        return rc;
    }
    *out = p;
    return 0;
}

void plain_close(struct plain **p)
{
    if (!*p)
        return;
    if ((*p)->fd >= 0)
        close((*p)->fd);
    unpack_free(&(*p)->unpack);
    buf_free(&(*p)->raw);
    free(*p);
    *p = NULL;
}

ssize_t plain_some(struct plain *p, char *to, size_t room, struct err *e)
{
    ssize_t n = p->begun ? 0 : begin(p, e);

    if (n < 0)
        return n;
    for (;;) {
        ssize_t more = refill(p, e);

        if (more < 0)
            return more;
        if (!p->unpack) {
            n = (ssize_t)min_size((size_t)more, room);
            memcpy(to, p->left.p, (size_t)n);
            p->left = str_cut(p->left, (size_t)n);
            return n;
        }
        n = unpack_step(p->unpack, &p->left, to, room);
        if (n < 0 || (n == 0 && more == 0 && !unpack_whole(p->unpack)))
            return err_set(e, -EBADMSG, "\"%s\" is damaged: its compressed data %s", p->path, n < 0 ? "are broken" : "end before their time");
        if (n > 0 || more == 0)
            return n;
    }
}

int plain_read(const char *path, size_t max, struct buf *out, struct err *e)
{
    struct plain *p = NULL;
    size_t from = out->n;
    int rc = plain_open(path, &p, e);

    while (rc == 0) {
        char *to = out->n - from > max ? NULL : buf_room(out, READ_BYTES);
        ssize_t n = to ? plain_some(p, to, READ_BYTES, e) : err_set(e, -E2BIG, "\"%s\" has more than %zu MiB of text", path, max / MIB);

        if (n <= 0) {
            rc = (int)n;
            break;
        }
        out->n += (size_t)n;
    }
    plain_close(&p);
    return rc == 0 && out->n - from > max ? err_set(e, -E2BIG, "\"%s\" has more than %zu MiB of text", path, max / MIB) : rc;
}
