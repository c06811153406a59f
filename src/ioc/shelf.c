/* shelf.c - see shelf.h. The lock is a file that stays: whoever holds it changes the folder. */
#include "ioc/shelf.h"
#include "base/file.h"
#include "base/unpack.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define SHELF_PATH_MAX 4400

struct ioc_taking {
    char              data[4096], source[IOC_SOURCE_MAX + 1];
    int               lock;
    struct ioc_build *build;
};

static const char *path_of(const char *data, const char *what, const char *name, char out[SHELF_PATH_MAX])
{
    snprintf(out, SHELF_PATH_MAX, "%.4000s/intel%s%s%s%.255s", data, *what ? "/" : "", what, *name ? "/" : "", name);
    return out;
}

bool ioc_source_valid(struct str name)
{
    if (str_ends(name, STR(".tmp")))     /* so ends what is being written: nobody reads it */
        return false;
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || (c == '.' && i > 0)))
            return false;
    }
    return name.n > 0 && name.n <= IOC_SOURCE_MAX;
}

static int make_folders(const char *data, struct err *e)
{
    char path[SHELF_PATH_MAX];
    int rc = file_mkdirs(path_of(data, "sources", "", path), 0750, e);

    return rc < 0 ? rc : file_mkdirs(path_of(data, "warnings", "", path), 0750, e);
}

/* lock_folder - a descriptor that holds the folder until it is closed. */
static int lock_folder(const char *data, struct err *e)
{
    char path[SHELF_PATH_MAX];
    int fd = open(path_of(data, "lock", "", path), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);

    if (fd < 0)
        return err_sys(e, "could not open \"%s\"", path);
    while (flock(fd, LOCK_EX) < 0)
        if (errno != EINTR) {
            int rc = err_sys(e, "could not lock \"%s\"", path);

            close(fd);
            return rc;
        }
    return fd;
}

/* --- sources --- */

static int by_name(const struct dirent **a, const struct dirent **b) { return strcmp((*a)->d_name, (*b)->d_name); }

static int is_source(const struct dirent *f)
{
    return ioc_source_valid(str_c(f->d_name));
}

typedef int name_fn(const char *data, const char *name, void *arg, struct err *e);

/* each_in - the files of a folder, by name; one that is not there has none. */
static int each_in(const char *data, const char *folder, int (*fits)(const struct dirent *), name_fn *fn, void *arg, struct err *e)
{
    char path[SHELF_PATH_MAX];
    struct dirent **list = NULL;
    int count = scandir(path_of(data, folder, "", path), &list, fits, by_name), rc = 0;

    if (count < 0)
        return errno == ENOENT ? 0 : err_sys(e, "could not read \"%s\"", path);
    for (int i = 0; i < count; i++) {
        if (rc == 0)
            rc = fn(data, list[i]->d_name, arg, e);
        free(list[i]);
    }
    free(list);
    return rc;
}

struct telling {
    ioc_source_fn *fn;
    void          *arg;
};

static int tell_source(const char *data, const char *name, void *arg, struct err *e)
{
    const struct telling *to = arg;
    struct ioc_source s = { .name = name };
    struct ioc_set *set = NULL;
    char path[SHELF_PATH_MAX];
    struct stat st;
    int rc;

    path_of(data, "sources", name, path);
    if (stat(path, &st) == 0) {
        s.bytes = st.st_size;
        s.changed = (time_ns)st.st_mtim.tv_sec * NS_PER_SECOND + st.st_mtim.tv_nsec;
    }
    rc = ioc_open(path, &set, e);
    if (rc == 0)
        s.count = ioc_count(set);
    ioc_close(&set);
    return to->fn(to->arg, &s, rc, e);
}

int ioc_shelf_sources(const char *data, ioc_source_fn *fn, void *arg, struct err *e)
{
    struct telling to = { fn, arg };

    return each_in(data, "sources", is_source, tell_source, &to, e);
}

/* --- the set of all --- */

static int keep(void *arg, const struct ioc *i, struct err *e) { return ioc_build_add(arg, i, e); }

static int take_set(const char *path, struct ioc_build *b, struct err *e)
{
    struct ioc_set *s = NULL;
    int rc = ioc_open(path, &s, e);

    if (rc == 0)
        rc = ioc_each(s, keep, b, e);
    ioc_close(&s);
    return rc;
}

static int source_in(const char *data, const char *name, void *arg, struct err *e)
{
    char path[SHELF_PATH_MAX];

    return take_set(path_of(data, "sources", name, path), arg, e);
}

struct marking {
    struct ioc_build *build;
    ioc_left_out_fn  *left_out;
    void             *arg;
};

static int is_warning(const struct dirent *f) { return *f->d_name != '.' && !str_ends(str_c(f->d_name), STR(".tmp")); }

static int read_warning(const char *path, struct buf *plain, struct err *e)
{
    AUTO_BUF struct buf raw;
    enum packing packing;
    int rc;

    buf_init(&raw, IOC_WARNING_MAX + KIB);
    rc = file_read(path, IOC_WARNING_MAX, &raw, e);
    if (rc < 0)
        return rc;
    packing = packing_of(buf_view(&raw));
    if (packing == PACKING_NONE) {
        buf_str(plain, buf_view(&raw));
        return buf_failed(plain) ? err_set(e, -ENOMEM, "no memory for \"%s\"", path) : 0;
    }
    rc = unpack_all(packing, UNPACK_WINDOW_FILE, buf_view(&raw), IOC_WARNING_MAX, plain);
    return rc < 0 ? err_set(e, rc, "\"%s\" cannot be unpacked", path) : 0;
}

static int warnings_in(const char *data, const char *name, void *arg, struct err *e)
{
    struct marking *m = arg;
    AUTO_BUF struct buf b;
    char path[SHELF_PATH_MAX];
    struct err why = { 0 };
    int rc;

    buf_init(&b, IOC_WARNING_MAX + MIB);
    rc = read_warning(path_of(data, "warnings", name, path), &b, &why);
    if (rc == 0)
        rc = ioc_build_warnings(m->build, buf_view(&b), &why);
    if (rc == -ENOMEM)
        return err_set(e, rc, "%s", why.text);
    if (rc < 0 && m->left_out)
        m->left_out(m->arg, path, why.text);
    return 0;
}

/* rebuild - under the lock. */
static int rebuild(const char *data, ioc_left_out_fn *left_out, void *arg, size_t *all, struct err *e)
{
    struct marking m = { NULL, left_out, arg };
    char path[SHELF_PATH_MAX];
    int rc = ioc_build_new(&m.build, e);

    if (rc == 0)
        rc = each_in(data, "warnings", is_warning, warnings_in, &m, e);
    if (rc == 0)
        rc = each_in(data, "sources", is_source, source_in, m.build, e);
    if (rc == 0)
        rc = ioc_build_write(m.build, path_of(data, "set", "", path), all, e);
    ioc_build_free(&m.build);
    return rc;
}

int ioc_shelf_rebuild(const char *data, ioc_left_out_fn *left_out, void *arg, size_t *all, struct err *e)
{
    int rc = make_folders(data, e), lock = rc < 0 ? rc : lock_folder(data, e);

    if (lock < 0)
        return lock;
    rc = rebuild(data, left_out, arg, all, e);
    close(lock);
    return rc;
}

int ioc_shelf_remove(const char *data, struct str source, ioc_left_out_fn *left_out, void *arg, size_t *all, struct err *e)
{
    char path[SHELF_PATH_MAX], name[IOC_SOURCE_MAX + 1];
    int rc = ioc_source_valid(source) ? make_folders(data, e) : err_set(e, -ENOENT, "there is no such source"), lock = rc < 0 ? rc : lock_folder(data, e);

    if (lock < 0)
        return lock;
    snprintf(name, sizeof name, "%.*s", STR_ARG(source));
    if (unlink(path_of(data, "sources", name, path)) < 0)
        rc = err_sys(e, "could not remove \"%s\"", path);
    if (rc == 0)
        rc = file_sync_dir(path_of(data, "sources", "", path), e);   /* or it is back after a loss of power, with the next set that is made */
    if (rc == 0)
        rc = rebuild(data, left_out, arg, all, e);
    close(lock);
    return rc;
}

int ioc_shelf_open(const char *data, struct ioc_set **out, struct err *e)
{
    char path[SHELF_PATH_MAX];

    return ioc_open(path_of(data, "set", "", path), out, e);
}

/* --- taking --- */

void ioc_taking_drop(struct ioc_taking **t)
{
    if (!*t)
        return;
    ioc_build_free(&(*t)->build);
    if ((*t)->lock >= 0)
        close((*t)->lock);
    free(*t);
    *t = NULL;
}

int ioc_taking_begin(const char *data, struct str source, bool add, struct ioc_taking **out, struct err *e)
{
    struct ioc_taking *t;
    char path[SHELF_PATH_MAX];
    int rc = ioc_source_valid(source) ? make_folders(data, e) : err_set(e, -EINVAL, "\"%.*s\" cannot be the name of a source", (int)min_size(source.n, 80), source.p);

    if (rc < 0)
        return rc;
    if (!(t = calloc(1, sizeof *t)))
        return err_set(e, -ENOMEM, "no memory for indicators");
    snprintf(t->data, sizeof t->data, "%.4000s", data);
    snprintf(t->source, sizeof t->source, "%.*s", STR_ARG(source));
    t->lock = lock_folder(data, e);
    rc = t->lock < 0 ? t->lock : ioc_build_new(&t->build, e);
    if (rc == 0 && add && file_exists(path_of(data, "sources", t->source, path)))
        rc = take_set(path, t->build, e);
    if (rc < 0)
        ioc_taking_drop(&t);
    *out = t;
    return rc;
}

int ioc_taking_file(struct ioc_taking *t, struct str bytes, const struct ioc *usual, struct ioc_told *told, struct err *e)
{
    struct ioc u = *usual;
    int rc;

    u.source = str_c(t->source);
    rc = ioc_read(bytes, &u, keep, t->build, told, e);
    if (rc < 0)
        return rc;
    /* Words that are no list must not take the place of one. */
    if (told->format == IOC_LIST && told->taken == 0 && told->skipped[IOC_SKIP_VALUE] + told->skipped[IOC_SKIP_TYPE])
        return err_set(e, -EBADMSG, "no line of it is an indicator; the source keeps what it had");
    return 0;
}

int ioc_taking_end(struct ioc_taking **t, ioc_left_out_fn *left_out, void *arg, size_t *own, size_t *all, struct err *e)
{
    char path[SHELF_PATH_MAX];
    int rc = ioc_build_write((*t)->build, path_of((*t)->data, "sources", (*t)->source, path), own, e);

    if (rc == 0)
        rc = rebuild((*t)->data, left_out, arg, all, e);
    ioc_taking_drop(t);
    return rc;
}

size_t ioc_check(const struct ioc_set *s, struct str value, time_ns now, struct ioc *out, size_t max)
{
    enum ioc_type types[] = { ioc_guess(value), IOC_AGENT, IOC_FILE, IOC_OTHER };
    size_t n = 0;

    for (size_t t = 0; t < COUNT(types) && n < max; t++)
        if (types[t] < IOC_TYPES)
            n += ioc_find(s, types[t], value, now, out + n, max - n);
    return n;
}
