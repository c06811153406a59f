/* trees.c - a walk through trees of files: name, size, mode, time and SHA-256 of each, a slice at a time.
 *
 * The walk goes depth first with names sorted, so its list is sorted without being held. It holds the names of the folders it stands in and nothing
 * else. Symbolic links are told, not followed; another file system is not entered. A file that cannot be read is an item whose sum is "!" and the
 * reason. What was read is dropped from the page cache: the walk is not to push out what the host works with. */
#include "agent/facts.h"
#include "base/log.h"

#include <dirent.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <openssl/evp.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_BYTES   (64u * KIB)
#define NAMES_BYTES  (64u * MIB)   /* of one folder */
#define WATCH_MASK   (IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB | IN_ONLYDIR)

struct level {
    int        fd;
    dev_t      dev;
    struct buf names;        /* escaped, each with a NUL */
    uint32_t  *at;
    size_t     count, next, path_n;
};

struct trees {
    const struct agent_config *c;
    int                 inotify;
    size_t              watches, root;
    struct level        levels[TREE_DEPTH_MAX];
    size_t              depth;
    struct buf          path;          /* escaped, of the folder at hand */
    struct list_out    *out;
    struct list         base;
    bool                based;
    char                after[FACT_LINE_MAX];
    int                 fd;            /* of the file being read; -1: none */
    EVP_MD_CTX         *md;
    struct stat         st;
    struct buf          key;           /* its path, escaped */
    struct tree_result  result;
    unsigned char       bytes[READ_BYTES];
};

int trees_new(const struct agent_config *c, int inotify, struct trees **out, struct err *e)
{
    struct trees *t = calloc(1, sizeof *t);

    *out = t;
    if (!t || !(t->md = EVP_MD_CTX_new())) {
        trees_free(out);
        return err_set(e, -ENOMEM, "no memory to walk through trees");
    }
    t->c = c;
    t->inotify = inotify;
    t->fd = -1;
    t->root = SIZE_MAX;
    buf_init(&t->path, FACT_LINE_MAX);
    buf_init(&t->key, FACT_LINE_MAX);
    return 0;
}

static void level_pop(struct trees *t)
{
    struct level *l = &t->levels[--t->depth];

    close(l->fd);
    buf_free(&l->names);
    free(l->at);
    t->path.n = t->depth ? t->levels[t->depth - 1].path_n : 0;
}

static void walk_end(struct trees *t)
{
    while (t->depth)
        level_pop(t);
    if (t->fd >= 0)
        close(t->fd);
    t->fd = -1;
    if (t->based)
        list_close(&t->base);
    t->based = false;
}

void trees_free(struct trees **t)
{
    if (!*t)
        return;
    walk_end(*t);
    EVP_MD_CTX_free((*t)->md);
    buf_free(&(*t)->path);
    buf_free(&(*t)->key);
    free(*t);
    *t = NULL;
}

int trees_begin(struct trees *t, struct list_out *o, const char *after, const char *base, struct err *e)
{
    walk_end(t);
    (void)e;
    t->root = 0;
    t->out = o;
    t->result = (struct tree_result){ .files = o->count };
    snprintf(t->after, sizeof t->after, "%s", after);
    t->based = base && list_open(&t->base, base);
    return 0;
}

const struct tree_result *trees_result(const struct trees *t) { return &t->result; }

/* --- items --- */

static void put_item(struct trees *t, const struct stat *st, const char *sum)
{
    char value[160], aux[80];
    struct str path = buf_view(&t->key);

    if (t->result.files >= (uint64_t)t->c->tree_files_max) {
        t->result.over++;
        return;
    }
    snprintf(value, sizeof value, "%lld\t%o\t%lld\t%s", (long long)st->st_size, st->st_mode, (long long)st->st_mtim.tv_sec, sum);
    snprintf(aux, sizeof aux, "%llu %lld.%09ld %lld.%09ld", (unsigned long long)st->st_ino, (long long)st->st_ctim.tv_sec, st->st_ctim.tv_nsec,
             (long long)st->st_mtim.tv_sec, st->st_mtim.tv_nsec);
    list_put(t->out, path, str_c(value), str_c(aux));
    t->result.files++;
    t->result.unreadable += sum[0] == '!';
}

static void put_refused(struct trees *t, const struct stat *st, int error)
{
    char sum[32];
    const char *name = strerrorname_np(error);

    snprintf(sum, sizeof sum, "!%s", name ? name : "EIO");
    put_item(t, st, sum);
}

static void hex_of(const unsigned char *p, size_t n, char *out)
{
    for (size_t i = 0; i < n; i++)
        snprintf(out + 2 * i, 3, "%02x", p[i]);
}

static void put_hash(struct trees *t)
{
    unsigned char md[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    char sum[2 * EVP_MAX_MD_SIZE + 1];

    if (!EVP_DigestFinal_ex(t->md, md, &n))
        n = 0;
    hex_of(md, n, sum);
    sum[2 * n] = 0;
    put_item(t, &t->st, n ? sum : "!EIO");
}

/* known - the file looks as it did when it was read last: its content is taken from there. ctime moves with every change, and cannot be set back. */
static bool known(struct trees *t, const struct stat *st)
{
    char aux[80];
    struct str value, sum, rest;

    while (t->based && t->base.have && fact_key_cmp(t->base.key, buf_view(&t->key)) < 0)
        list_advance(&t->base);
    if (!t->based || !t->base.have || !str_eq(t->base.key, buf_view(&t->key)))
        return false;
    snprintf(aux, sizeof aux, "%llu %lld.%09ld %lld.%09ld", (unsigned long long)st->st_ino, (long long)st->st_ctim.tv_sec, st->st_ctim.tv_nsec,
             (long long)st->st_mtim.tv_sec, st->st_mtim.tv_nsec);
    value = rest = t->base.value;
    if (!str_eq(t->base.aux, str_c(aux)) || str_find(value, STR("\t!")) >= 0)
        return false;
    for (int i = 0; i < 4; i++)
        if (!str_split(&rest, '\t', &sum))
            return false;
    char text[2 * EVP_MAX_MD_SIZE + 1];
    snprintf(text, sizeof text, "%.*s", STR_ARG(sum));
    put_item(t, st, text);
    return true;
}

/* --- going down --- */

static int by_name(const void *a, const void *b, void *names)
{
    const char *n = names;

    return strcmp(n + *(const uint32_t *)a, n + *(const uint32_t *)b);
}

static bool names_read(struct level *l)
{
    AUTO_BUF struct buf name = { 0 };
    struct dirent *entry;
    size_t cap = 0;
    int fd = dup(l->fd);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    bool ok = d != NULL;

    buf_init(&name, 4 * KIB);
    if (!d && fd >= 0)
        close(fd);
    buf_init(&l->names, NAMES_BYTES);
    while (ok && (entry = readdir(d)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (l->count == cap) {
            uint32_t *more = realloc(l->at, (cap = cap ? cap * 2 : 64) * sizeof *more);

            if (!(ok = more != NULL))
                break;
            l->at = more;
        }
        l->at[l->count++] = (uint32_t)l->names.n;
        buf_reset(&name);
        fact_escape(str_c(entry->d_name), &name);
        buf_str(&l->names, buf_view(&name));
        buf_byte(&l->names, 0);
        ok = !buf_failed(&l->names);
    }
    if (d)
        closedir(d);
    if (ok && l->count)
        qsort_r(l->at, l->count, sizeof *l->at, by_name, l->names.p);
    return ok;
}

static void watch(struct trees *t, const char *raw)
{
    if (t->inotify < 0 || t->watches >= TREE_WATCHES_MAX)
        return;
    if (inotify_add_watch(t->inotify, raw, WATCH_MASK) < 0) {
        if (errno == ENOSPC) {
            log_line(LOG_WARN, "no more watches for folders: changes in the rest of the trees are seen on schedule alone", "file.path", raw, NULL);
            t->watches = TREE_WATCHES_MAX;
        }
        return;
    }
    t->watches += t->watches < TREE_WATCHES_MAX;
}

/* level_push - stand in the folder whose path is t->key. Takes fd. */
static void level_push(struct trees *t, int fd, const struct stat *st)
{
    struct level *l = &t->levels[t->depth];
    char raw[AGENT_PATH_MAX];

    *l = (struct level){ .fd = fd, .dev = st->st_dev, .path_n = t->key.n };
    t->depth++;
    buf_reset(&t->path);
    buf_str(&t->path, buf_view(&t->key));
    if (!names_read(l)) {
        put_refused(t, st, ENOMEM);
        level_pop(t);
        return;
    }
    if (fact_unescape(buf_view(&t->key), raw, sizeof raw))
        watch(t, raw);
}

/* passed - is all of this behind us already? A folder on the way to the last key is not. */
static bool passed(const struct trees *t, bool folder)
{
    struct str key = buf_view(&t->key), after = str_c(t->after);

    if (!after.n || fact_key_cmp(key, after) > 0)
        return false;
    return !(folder && after.n > key.n && after.p[key.n] == '/' && str_starts(after, key));
}

static bool excluded(const struct trees *t)
{
    char raw[AGENT_PATH_MAX];

    if (!fact_unescape(buf_view(&t->key), raw, sizeof raw))
        return false;
    for (size_t i = 0; i < t->c->tree_exclude_count; i++)
        if (fnmatch(t->c->tree_exclude[i], raw, 0) == 0)
            return true;
    return false;
}

static void take_link(struct trees *t, int at, const char *name, const struct stat *st)
{
    char target[AGENT_PATH_MAX];
    unsigned char md[EVP_MAX_MD_SIZE];
    char sum[2 * EVP_MAX_MD_SIZE + 1];
    unsigned n = 0;
    ssize_t got = readlinkat(at, name, target, sizeof target);

    if (got < 0 || !EVP_Digest(target, (size_t)got, md, &n, EVP_sha256(), NULL)) {
        put_refused(t, st, errno);
        return;
    }
    hex_of(md, n, sum);
    sum[2 * n] = 0;
    put_item(t, st, sum);
}

static void take_folder(struct trees *t, int at, const char *name, const struct stat *st)
{
    int fd;

    if (t->depth && st->st_dev != t->levels[t->depth - 1].dev)
        return;
    if (t->depth == TREE_DEPTH_MAX) {
        put_refused(t, st, ELOOP);
        return;
    }
    fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (t->depth ? O_NOFOLLOW : 0));
    if (fd < 0)
        put_refused(t, st, errno);
    else
        level_push(t, fd, st);
}

static void take_file(struct trees *t, int at, const char *name, const struct stat *st)
{
    if (known(t, st))
        return;
    t->fd = openat(at, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (t->fd >= 0 && (fstat(t->fd, &t->st) < 0 || !S_ISREG(t->st.st_mode) || !EVP_DigestInit_ex(t->md, EVP_sha256(), NULL))) {
        close(t->fd);
        t->fd = -1;
        errno = EIO;
    }
    if (t->fd < 0)
        put_refused(t, st, errno);
}

/* visit - one name of the folder at hand. */
static void visit(struct trees *t)
{
    struct level *l = &t->levels[t->depth - 1];
    const char *escaped = l->names.p + l->at[l->next++];
    char name[NAME_MAX + 1];
    struct stat st = { 0 };

    buf_reset(&t->key);
    buf_str(&t->key, buf_view(&t->path));
    buf_byte(&t->key, '/');
    buf_str(&t->key, str_c(escaped));
    if (!fact_unescape(str_c(escaped), name, sizeof name) || buf_failed(&t->key))
        return;
    if (fstatat(l->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
        if (errno != ENOENT && !passed(t, false))
            put_refused(t, &st, errno);
        return;
    }
    if (passed(t, S_ISDIR(st.st_mode)) || excluded(t))
        return;
    if (S_ISDIR(st.st_mode))
        take_folder(t, l->fd, name, &st);
    else if (S_ISREG(st.st_mode))
        take_file(t, l->fd, name, &st);
    else if (S_ISLNK(st.st_mode))
        take_link(t, l->fd, name, &st);
}

/* enter - the next tree. */
static void enter(struct trees *t)
{
    const char *path = t->c->trees[t->root++];
    struct stat st = { 0 };

    buf_reset(&t->key);
    fact_escape(str_c(path), &t->key);
    if (passed(t, true))
        return;
    if (stat(path, &st) < 0)
        put_refused(t, &st, errno);
    else if (!S_ISDIR(st.st_mode))
        put_refused(t, &st, ENOTDIR);
    else
        take_folder(t, AT_FDCWD, path, &st);
}

/* read_some - of the file at hand. A file that grows while it is read is read to its end as it stood at the beginning of the last piece. */
static void read_some(struct trees *t)
{
    ssize_t n = read(t->fd, t->bytes, sizeof t->bytes);

    if (n > 0 && EVP_DigestUpdate(t->md, t->bytes, (size_t)n))
        return;
    if (n == 0) {
        posix_fadvise(t->fd, 0, 0, POSIX_FADV_DONTNEED);
        put_hash(t);
    } else {
        put_refused(t, &t->st, n < 0 ? errno : EIO);
    }
    close(t->fd);
    t->fd = -1;
}

int trees_step(struct trees *t, time_ns budget)
{
    time_ns end = clock_steady() + budget;

    do {
        if (t->fd >= 0)
            read_some(t);
        else if (t->depth && t->levels[t->depth - 1].next < t->levels[t->depth - 1].count)
            visit(t);
        else if (t->depth)
            level_pop(t);
        else if (t->root < t->c->tree_count)
            enter(t);
        else {
            walk_end(t);
            return 0;
        }
    } while (clock_steady() < end);
    fflush(t->out->f);
    return 1;
}
