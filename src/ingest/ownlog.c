/* ownlog.c - our own log as events: the supervisor's file, followed across rotation.
 *
 * No position is stored anywhere: a part of the file goes into the journal with the origin {id of the file, offset behind the
 * part}, so the journal itself remembers how far we are. The id is made of the inode and the first line, which begins with a
 * moment: a file of the same name that was begun anew, even in the same inode, is another origin. On rotation (rename to
 * PATH.1, a new file in its place) the old file is read to its end by its descriptor; after a restart PATH.1 is looked at first. */
#include "ingest/worker.h"

#include <fcntl.h>
#include <sys/stat.h>

#define PART_BYTES_MAX PILE_BYTES_MAX
#define PATH_TEXT_MAX  4096

struct ownlog {
    char       path[PATH_TEXT_MAX], before[PATH_TEXT_MAX];
    int        fd;
    ino_t      inode;
    dev_t      device;
    char       id[OWNLOG_ID_MAX];
    uint64_t   offset, size;
    bool       looked_before;     /* PATH.1 was seen to */
    struct buf bytes;
};

int ownlog_new(const char *path, struct ownlog **out, struct err *e)
{
    struct ownlog *o = calloc(1, sizeof *o);

    if (!o)
        return err_set(e, -ENOMEM, "no memory to follow our own log");
    o->fd = -1;
    snprintf(o->path, sizeof o->path, "%s", path);
    snprintf(o->before, sizeof o->before, "%.*s.1", (int)sizeof o->before - 3, path);
    buf_init(&o->bytes, PART_BYTES_MAX + 64 * KIB);
    *out = o;
    return 0;
}

static void leave(struct ownlog *o)
{
    if (o->fd >= 0)
        close(o->fd);
    o->fd = -1;
}

void ownlog_free(struct ownlog **o)
{
    if (!*o)
        return;
    leave(*o);
    buf_free(&(*o)->bytes);
    free(*o);
    *o = NULL;
}

/* enter - open a file and learn who it is. False if it is not there or has no whole first line yet. */
static bool enter(struct ownlog *o, const char *path, ownlog_seen *seen, void *arg)
{
    char head[4096];
    struct stat st;
    ssize_t n;
    ptrdiff_t end;

    o->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (o->fd < 0)
        return false;
    n = pread(o->fd, head, sizeof head, 0);
    end = n > 0 ? str_chr(str_of(head, (size_t)n), '\n') : -1;
    if (n == (ssize_t)sizeof head && end < 0)
        end = n;
    if (end < 0 || fstat(o->fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        leave(o);
        return false;
    }
    o->inode = st.st_ino;
    o->device = st.st_dev;
    snprintf(o->id, sizeof o->id, "self-%llx-%016llx", (unsigned long long)st.st_ino,
             (unsigned long long)str_hash(str_of(head, (size_t)end)));
    o->offset = seen(arg, str_c(o->id));
    o->size = (uint64_t)st.st_size;
    if (o->offset > o->size) {
        leave(o);
        return false;
    }
    return true;
}

/* replaced - the name belongs to another file now, or ours was cut short. */
static bool replaced(struct ownlog *o)
{
    struct stat st, own;

    if (fstat(o->fd, &own) == 0) {
        o->size = (uint64_t)own.st_size;
        if (o->size < o->offset)
            return true;
    }
    return stat(o->path, &st) == 0 && (st.st_ino != o->inode || st.st_dev != o->device);
}

/* read_part - whole lines from the offset on, in o->bytes. */
static bool read_part(struct ownlog *o)
{
    char *to;
    ssize_t n;

    buf_reset(&o->bytes);
    to = buf_room(&o->bytes, PART_BYTES_MAX);
    n = to ? pread(o->fd, to, PART_BYTES_MAX, (off_t)o->offset) : -1;
    if (n <= 0)
        return false;
    o->bytes.n = (size_t)n;
    while (o->bytes.n && o->bytes.p[o->bytes.n - 1] != '\n')
        o->bytes.n--;
    if (o->bytes.n == 0 && (size_t)n == PART_BYTES_MAX)
        o->bytes.n = (size_t)n;   /* no line of ours is that long: taken as it is */
    return o->bytes.n > 0;
}

int ownlog_next(struct ownlog *o, struct pile *p, struct ownlog_part *part, ownlog_seen *seen, void *arg)
{
    static const struct sender own = { .card = CARD_OWN };
    struct str rest, line;
    time_ns now = clock_now();

    for (int i = 0; i < 3; i++) {   /* the old file, the new one, and one more look */
        if (o->fd < 0 && !o->looked_before) {
            o->looked_before = true;
            if (!enter(o, o->before, seen, arg))
                continue;
        } else if (o->fd < 0 && !enter(o, o->path, seen, arg)) {
            return 0;
        }
        if (read_part(o))
            break;
        if (!replaced(o))
            return 0;
        if (read_part(o))           /* written between our two looks */
            break;
        leave(o);
    }
    if (o->fd < 0 || o->bytes.n == 0)
        return 0;
    rest = buf_view(&o->bytes);
    while (p->count < PILE_LINES_MAX && str_split(&rest, '\n', &line))
        if (line.n && pile_add(p, &own, line, false, now) < 0)
            return -ENOMEM;
    if (p->count == PILE_LINES_MAX)
        o->bytes.n -= rest.n;
    memcpy(part->id, o->id, sizeof part->id);
    part->end = o->offset + o->bytes.n;
    return 1;
}

void ownlog_taken(struct ownlog *o, const struct ownlog_part *part)
{
    if (strcmp(o->id, part->id) == 0)
        o->offset = part->end;
}

uint64_t ownlog_lag(const struct ownlog *o) { return o->fd >= 0 && o->size > o->offset ? o->size - o->offset : 0; }
