/* objects.c - which object of the registry a source belongs to: DATA/run/objects.tsv, "host or address TAB object id" a line.
 *
 * The registry's owner writes the file anew when it changes; it is read again when its time or size differ. A broken line is
 * skipped and said once; a file that cannot be read leaves the last good table in force. */
#include "ingest/worker.h"
#include "base/file.h"
#include "base/log.h"

#include <sys/stat.h>

#define OBJECTS_BYTES_MAX (32u * MIB)
#define HOST_MAX          256

struct entry {
    struct str host, object;    /* views into text */
};
struct objects {
    char          *path;
    struct buf     text;        /* the file, hosts in lower case */
    struct entry  *table;       /* open addressing; size a power of two */
    size_t         size, count;
    struct timespec mtime;
    int64_t        bytes;
};

int objects_new(const char *path, struct objects **out, struct err *e)
{
    struct objects *o = calloc(1, sizeof *o);

    if (o)
        o->path = strdup(path);
    if (!o || !o->path) {
        free(o);
        return err_set(e, -ENOMEM, "no memory for the table of objects");
    }
    buf_init(&o->text, OBJECTS_BYTES_MAX + 64 * KIB);
    *out = o;
    objects_reload(o);
    return 0;
}

void objects_free(struct objects **o)
{
    if (!*o)
        return;
    buf_free(&(*o)->text);
    free((*o)->table);
    free((*o)->path);
    free(*o);
    *o = NULL;
}

static void lower(char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] >= 'A' && p[i] <= 'Z')
            p[i] = (char)(p[i] + 32);
}

static struct entry *slot(const struct objects *o, struct str host)
{
    size_t at = (size_t)str_hash(host) & (o->size - 1);

    while (o->table[at].host.n && !str_eq(o->table[at].host, host))
        at = (at + 1) & (o->size - 1);
    return &o->table[at];
}

static size_t index_text(struct objects *o)
{
    struct str rest = buf_view(&o->text), line;
    size_t lines = 1, broken = 0;

    o->count = 0;

    for (size_t i = 0; i < rest.n; i++)
        lines += rest.p[i] == '\n';
    o->size = 16;
    while (o->size < lines * 2)
        o->size *= 2;
    o->table = calloc(o->size, sizeof *o->table);
    if (!o->table) {
        o->size = 0;
        return 0;
    }
    while (str_split(&rest, '\n', &line)) {
        ptrdiff_t tab = str_chr(line, '\t');
        struct str host = str_trim(str_of(line.p, tab < 0 ? 0 : (size_t)tab));
        struct str object = tab < 0 ? str_of(NULL, 0) : str_trim(str_cut(line, (size_t)tab + 1));

        if (str_trim(line).n == 0)
            continue;
        if (host.n == 0 || host.n > HOST_MAX || object.n == 0) {
            broken++;
            continue;
        }
        lower(o->text.p + (host.p - o->text.p), host.n);
        *slot(o, host) = (struct entry){ host, object };
        o->count++;
    }
    return broken;
}

void objects_reload(struct objects *o)
{
    struct stat st;
    struct buf text;
    struct err e;
    size_t broken;
    char n[24];

    if (stat(o->path, &st) < 0)
        return;
    if (st.st_mtim.tv_sec == o->mtime.tv_sec && st.st_mtim.tv_nsec == o->mtime.tv_nsec && st.st_size == o->bytes)
        return;
    o->mtime = st.st_mtim;
    o->bytes = st.st_size;
    buf_init(&text, OBJECTS_BYTES_MAX + 64 * KIB);
    if (file_read(o->path, OBJECTS_BYTES_MAX, &text, &e) < 0) {
        log_line(LOG_WARN, "could not read the table of objects, keeping the last one", "error.message", e.text, NULL);
        buf_free(&text);
        return;
    }
    buf_free(&o->text);
    free(o->table);
    o->text = text;
    broken = index_text(o);
    if (broken)
        log_line(LOG_WARN, "skipping lines of the table of objects that are not HOST TAB OBJECT", "file.path", o->path,
                 "saqshy.count", log_num((long long)broken, n), NULL);
}

struct str objects_find(const struct objects *o, struct str host)
{
    char name[HOST_MAX];

    if (!o->size || !o->count || host.n == 0 || host.n > sizeof name)
        return str_of(NULL, 0);
    memcpy(name, host.p, host.n);
    lower(name, host.n);
    return slot(o, str_of(name, host.n))->object;
}
