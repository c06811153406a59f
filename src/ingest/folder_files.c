/* folder_files.c - the table of files, and who is who when names and inodes change; see folder.h. What is kept of it on disk: folder_list.c.
 *
 *     a name is met again                  the same inode and size: nothing happened
 *     its content begins as it did         the same file, grown, or put anew in its place (rsync): read on
 *     its content begins otherwise         another file; the old one may stand under another name: by its inode (renamed), or by its content (copied, then cut)
 *     a copy beside its original           waits until the original is read or cut: what both hold is read once */
#include "ingest/folder_files.h"
#include "base/file.h"
#include "base/log.h"

#include <dirent.h>
#include <fcntl.h>
#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

#define FORGET_NS     NS_PER_HOUR
#define COPY_LEAST    64               /* bytes that must be the same before a file is taken for a copy */
#define SAME_NAMES    1000             /* finished files of one name */


/* --- the table --- */

static struct folder_file **path_at(struct folder_files *t, const char *path) { return &t->path_bucket[str_hash(str_c(path)) % BUCKETS]; }
static struct folder_file **ino_at(struct folder_files *t, ino_t ino) { return &t->ino_bucket[(uint64_t)ino * UINT64_C(0x9E3779B97F4A7C15) % BUCKETS]; }

struct folder_file *folder_table_find(struct folder_files *t, uint64_t number)
{
    struct folder_file *f = t->number_bucket[number % BUCKETS];

    while (f && f->number != number)
        f = f->by_number;
    return f;
}

void folder_table_number(struct folder_files *t, struct folder_file *f, uint32_t number)
{
    struct folder_file **at = &t->number_bucket[f->number % BUCKETS];

    while (*at && *at != f)
        at = &(*at)->by_number;
    if (*at)
        *at = f->by_number;
    f->number = number;
    f->by_number = t->number_bucket[number % BUCKETS];
    if (number)
        t->number_bucket[number % BUCKETS] = f;
}

static void link_in(struct folder_files *t, struct folder_file *f)
{
    struct folder_file **p = path_at(t, f->path), **i = ino_at(t, f->ino);

    f->by_path = *p;
    *p = f;
    f->by_ino = *i;
    *i = f;
}

static void link_out(struct folder_files *t, struct folder_file *f)
{
    struct folder_file **at = path_at(t, f->path);

    while (*at && *at != f)
        at = &(*at)->by_path;
    if (*at)
        *at = f->by_path;
    at = ino_at(t, f->ino);
    while (*at && *at != f)
        at = &(*at)->by_ino;
    if (*at)
        *at = f->by_ino;
}

static struct folder_file *of_path(struct folder_files *t, const char *path)
{
    struct folder_file *f = *path_at(t, path);

    while (f && (f->lost || strcmp(f->path, path) != 0))
        f = f->by_path;
    return f;
}

static void shut(struct folder_files *t, struct folder_file *f)
{
    if (f->fd < 0)
        return;
    close(f->fd);
    f->fd = -1;
    t->open--;
}

/* keep_open - takes fd: kept while there is room. */
static void keep_open(struct folder_files *t, struct folder_file *f, int fd)
{
    shut(t, f);
    if (t->open >= FOLDER_OPEN_MAX) {
        close(fd);
        return;
    }
    f->fd = fd;
    t->open++;
}

struct folder_file *folder_table_add(struct folder_files *t, const char *path, ino_t ino)
{
    struct folder_file *f = t->count < FOLDER_FILES_MAX ? calloc(1, sizeof *f) : NULL;

    if (!f || (f->path = strdup(path)) == NULL) {
        free(f);
        return NULL;
    }
    f->ino = ino;
    f->fd = -1;
    folder_table_number(t, f, ++t->last);
    f->packed = folder_packed(path);
    f->grown = clock_steady();
    f->next = t->first;
    t->first = f;
    t->count++;
    link_in(t, f);
    return f;
}

void folder_table_drop(struct folder_files *t, struct folder_file *f)
{
    struct folder_file **at = &t->first;

    while (*at && *at != f)
        at = &(*at)->next;
    if (*at)
        *at = f->next;
    for (struct folder_file *o = t->copies ? t->first : NULL; o; o = o->next)
        if (o->copy_of == f)
            o->copy_of = NULL;
    folder_table_number(t, f, 0);
    link_out(t, f);
    shut(t, f);
    free(f->path);
    free(f);
    t->count--;
}

void folder_table_rename(struct folder_files *t, struct folder_file *f, const char *path, ino_t ino)
{
    char *copy = strdup(path);

    if (!copy)
        return;
    link_out(t, f);
    free(f->path);
    f->path = copy;
    f->ino = ino;
    f->lost = false;
    link_in(t, f);
}

struct folder_files *folder_files_new(void)
{
    struct folder_files *t = calloc(1, sizeof *t);

    if (t)
        t->fd = -1;
    return t;
}

void folder_files_free(struct folder_files **t)
{
    if (!*t)
        return;
    while ((*t)->first)
        folder_table_drop(*t, (*t)->first);
    if ((*t)->fd >= 0)
        close((*t)->fd);
    free(*t);
    *t = NULL;
}

void folder_file_take(struct folder_file *f, const struct folder_place *to)
{
    f->offset = to->offset;
    f->tail = to->tail;
    f->inside = to->inside;
}

static void forget(struct folder_files *t, struct folder_file *f)
{
    if (folder_list_gone(t, f) == 0)     /* else it is forgotten another time */
        folder_table_drop(t, f);
}

/* --- who is who --- */

/* same - does this file begin as f did, up to where we are? */
static bool same(const struct folder_file *f, int fd, const struct stat *st)
{
    struct file_head tail;

    if (!f->head.n)
        return f->ino == st->st_ino;
    if (!file_head_same(fd, &f->head))
        return false;
    if (f->packed)
        return f->offset == 0 || (uint64_t)st->st_size >= f->size;
    if ((uint64_t)st->st_size < f->offset)
        return false;
    tail = file_piece_of(fd, f->offset, f->tail.n);
    return tail.n == f->tail.n && (tail.n == 0 || tail.hash == f->tail.hash);
}

/* copy_name - "app.log.1" and "app.log-20261127" may be copies of "app.log". */
static bool copy_name(const char *path, const char *original)
{
    size_t n = strlen(original);

    return strncmp(path, original, n) == 0 && (path[n] == '.' || path[n] == '-') && !strchr(path + n, '/');
}

static struct folder_file *original_of(struct folder_files *t, const char *path, int fd, const struct stat *st)
{
    char name[FOLDER_PATH_MAX];

    /* Every beginning of the name that ends before a '.' or '-': of the many files of a folder only those are asked. */
    snprintf(name, sizeof name, "%s", path);
    for (char *cut = name + strlen(name); cut > name && *cut != '/'; cut--) {
        if (*cut != '.' && *cut != '-')
            continue;
        *cut = 0;
        for (struct folder_file *f = *path_at(t, name); f; f = f->by_path)
            if (strcmp(f->path, name) == 0 && copy_name(path, name) && f->offset >= COPY_LEAST && !f->packed && same(f, fd, st))
                return f;
    }
    return NULL;
}

/* note_stat - how the file is now. */
static void note_stat(struct folder_file *f, const struct stat *st)
{
    if ((uint64_t)st->st_size != f->size || st->st_mtim.tv_sec != f->mtime_s || st->st_mtim.tv_nsec != f->mtime_ns) {
        f->grown = clock_steady();
        f->settled = false;
    }
    f->size = (uint64_t)st->st_size;
    f->mtime_s = st->st_mtim.tv_sec;
    f->mtime_ns = st->st_mtim.tv_nsec;
    f->seen = true;
    f->missed = 0;
}

/* met - f stands under this name now. */
static void met(struct folder_files *t, struct folder_file *f, const char *path, int fd, const struct stat *st)
{
    if (f->lost || f->ino != st->st_ino || strcmp(f->path, path) != 0)
        folder_table_rename(t, f, path, st->st_ino);
    note_stat(f, st);
    if (f->head.n < FILE_HEAD_MAX)
        f->head = file_head_of(fd, FILE_HEAD_MAX);
    keep_open(t, f, fd);
}

/* supplant - f was cut, or its name is another file's. Copies that waited for it go on from where it stood. */
static void supplant(struct folder_files *t, struct folder_file *f, const struct stat *st)
{
    bool cut = f->ino == st->st_ino;

    f->lost = true;
    for (struct folder_file *o = t->first; o; o = o->next)
        if (o->copy_of == f) {
            o->copy_of = NULL;
            o->offset = f->offset;
            o->tail = f->tail;
            o->inside = f->inside;
            f->settled = true;
            f->offset = 0;      /* it is read as its copy */
        }
    if (cut) {                  /* nothing of it is left behind this inode */
        log_line(LOG_INFO, "a file was cut short, reading it from its beginning", "file.path", f->path, NULL);
        shut(t, f);
    }
}

/* stranger - a file that nobody knows: a copy of one that is known, or new. Takes fd. */
static void stranger(struct folder_files *t, const struct folder_conf *c, const char *path, int fd, const struct stat *st)
{
    struct folder_file *from = original_of(t, path, fd, st), *f;

    if (from && from->lost) {
        met(t, from, path, fd, st);
        return;
    }
    f = folder_table_add(t, path, st->st_ino);
    if (!f) {
        if (!t->full)
            log_line(LOG_ERROR, "too many files are in a watched folder, new ones are not read", "file.path", path, NULL);
        t->full = true;
        close(fd);
        return;
    }
    if (from) {
        f->copy_of = from;
        t->copies++;
        f->offset = from->offset;
        f->tail = from->tail;
        f->inside = from->inside;
    } else if (c->from_end && t->fresh && !t->looked && !f->packed) {
        f->offset = (uint64_t)st->st_size;
        f->tail = file_piece_of(fd, f->offset, FOLDER_TAIL);
        f->head = file_head_of(fd, FILE_HEAD_MAX);
        folder_list_remember(t, f);
    }
    met(t, f, path, fd, st);
}

static void look_at(struct folder_files *t, const struct folder_conf *c, const char *path)
{
    struct folder_file *f = of_path(t, path), *other;
    struct stat st;
    int fd;

    if (f && stat(path, &st) == 0 && f->ino == st.st_ino && f->size == (uint64_t)st.st_size && f->mtime_s == st.st_mtim.tv_sec &&
        f->mtime_ns == st.st_mtim.tv_nsec) {
        f->seen = true;
        return;
    }
    fd = file_open_regular(path, &st);
    if (fd < 0)
        return;
    if (f && same(f, fd, &st)) {
        met(t, f, path, fd, &st);
        return;
    }
    if (f)
        supplant(t, f, &st);
    for (other = *ino_at(t, st.st_ino); other; other = other->by_ino)
        if (other != f && other->ino == st.st_ino && !other->seen && same(other, fd, &st))
            break;
    if (other)
        met(t, other, path, fd, &st);
    else
        stranger(t, c, path, fd, &st);
}

/* unfinished_name - what others write before the file has its name. */
static bool unfinished_name(const char *path)
{
    static const char *const ends[] = { ".tmp", ".swp", ".part", ".filepart", ".partial", "~" };

    for (size_t i = 0; i < COUNT(ends); i++)
        if (str_ends(str_c(path), str_c(ends[i])))
            return true;
    return false;
}

/* finished_place - lies the file where finished ones are put? */
static bool finished_place(const struct folder_conf *c, const char *path)
{
    struct str folder = str_of(path, (size_t)(strrchr(path, '/') - path)), done = str_c(c->done);

    if (!c->move)
        return false;
    return *c->done == '/' ? str_eq(folder, done) : str_ends(folder, done) && folder.n > done.n && folder.p[folder.n - done.n - 1] == '/';
}

/* find_beside - the file of this inode in the folder of the path: renamed to what the pattern does not take. */
static int find_beside(const struct folder_file *f)
{
    char folder[FOLDER_PATH_MAX], path[FOLDER_PATH_MAX + 300];
    const struct dirent *entry;
    int found = -1;
    DIR *d;

    snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(f->path, '/') - f->path), f->path);
    d = opendir(*folder ? folder : "/");
    while (d && found < 0 && (entry = readdir(d)) != NULL) {
        struct stat st;

        if (entry->d_ino != f->ino)
            continue;
        snprintf(path, sizeof path, "%s/%.255s", folder, entry->d_name);
        found = file_open_regular(path, &st);
        if (found >= 0 && !same(f, found, &st)) {
            close(found);
            found = -1;
        }
    }
    if (d)
        closedir(d);
    return found;
}

/* missing - the file has no name that the pattern takes. */
static void missing(struct folder_files *t, struct folder_file *f)
{
    struct stat st;

    if (!f->missed) {
        f->missed = clock_steady();
        f->lost = true;
        if (f->fd < 0 && !(f->settled && f->packed) && f->head.n) {   /* it may have grown since, before it was renamed */
            int fd = find_beside(f);

            if (fd >= 0)
                keep_open(t, f, fd);
        }
    }
    if (f->fd >= 0 && fstat(f->fd, &st) == 0) {
        bool other = f->seen;

        note_stat(f, &st);
        f->missed = f->missed ? f->missed : clock_steady();
        f->seen = other;
    }
    if (f->fd < 0 && !f->settled) {
        if (f->head.n && !f->told)
            log_line(LOG_WARN, "a file is gone before it was read to its end", "file.path", f->path, NULL);
        f->settled = f->told = true;
    }
}

/* wait_for - has the original of a copy been read as far as it goes? */
static void wait_for(struct folder_file *f)
{
    struct folder_file *o = f->copy_of;

    if (!o)
        return;
    if (o->offset >= f->size) {
        f->offset = f->size;
        f->settled = true;
        f->copy_of = NULL;
        f->tail = (struct file_head){ 0, 0 };
    } else if (o->settled && o->offset >= o->size) {
        f->offset = o->offset;
        f->tail = o->tail;
        f->inside = o->inside;
        f->copy_of = NULL;
    }
}

void folder_files_look(struct folder_files *t, const struct folder_conf *c)
{
    glob_t g = { 0 };

    for (struct folder_file *f = t->first; f; f = f->next)
        f->seen = false;
    if (glob(c->pattern, GLOB_BRACE, NULL, &g) == 0)
        for (size_t i = 0; i < g.gl_pathc; i++)
            if (strlen(g.gl_pathv[i]) < FOLDER_PATH_MAX - 300 && g.gl_pathv[i][0] == '/' && !unfinished_name(g.gl_pathv[i]) && !finished_place(c, g.gl_pathv[i]))
                look_at(t, c, g.gl_pathv[i]);
    globfree(&g);
    for (struct folder_file *f = t->first; f; f = f->next) {
        if (!f->seen)
            missing(t, f);
        wait_for(f);
    }
    t->looked = true;
}

struct folder_file *folder_files_first(struct folder_files *t) { return t->first; }
size_t folder_files_count(const struct folder_files *t) { return t->count; }

int folder_file_fd(struct folder_files *t, struct folder_file *f)
{
    struct stat st;
    int fd;

    if (f->fd >= 0 || f->lost)
        return f->fd;
    fd = file_open_regular(f->path, &st);
    if (fd >= 0 && st.st_ino == f->ino) {
        if (t->open >= FOLDER_OPEN_MAX)
            for (struct folder_file *o = t->first; o; o = o->next)
                if (o != f && o->fd >= 0 && !o->lost) {
                    shut(t, o);
                    break;
                }
        keep_open(t, f, fd);
    } else if (fd >= 0) {
        close(fd);      /* the next look tells who it is */
    }
    return f->fd;
}

void folder_file_rest(struct folder_files *t, struct folder_file *f)
{
    f->settled = true;
    if (!f->lost)
        shut(t, f);
}

/* --- finished files --- */

/* done_folder - where finished files go. One beside them must be a folder, not a link of somebody else's: who may write there must not have us put files elsewhere. */
static int done_folder(const struct folder_file *f, const struct folder_conf *c, char out[FOLDER_PATH_MAX], struct err *e)
{
    struct stat st;
    int rc;

    if (*c->done == '/')
        snprintf(out, FOLDER_PATH_MAX, "%s", c->done);
    else
        snprintf(out, FOLDER_PATH_MAX, "%.*s/%.255s", (int)(strrchr(f->path, '/') - f->path), f->path, c->done);
    rc = file_mkdirs(out, 0750, e);
    if (rc == 0 && *c->done != '/' && (lstat(out, &st) < 0 || (S_ISLNK(st.st_mode) && st.st_uid != 0 && st.st_uid != geteuid())))
        rc = err_set(e, -EPERM, "\"%s\" is a link of somebody else's", out);
    return rc;
}

/* unchanged - is what has this descriptor as it was when it was read to its end? */
static bool unchanged(const struct folder_file *f, int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 && st.st_ino == f->ino && (uint64_t)st.st_size == f->size && st.st_mtim.tv_sec == f->mtime_s && st.st_mtim.tv_nsec == f->mtime_ns;
}

/* rename_to - never over another file. Some file systems cannot promise that: there it is looked for before. */
static int rename_to(const char *from, const char *to)
{
    int rc = renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) < 0 ? -errno : 0;

    if (rc != -EINVAL && rc != -ENOSYS)
        return rc;
    return file_exists(to) ? -EEXIST : rename(from, to) < 0 ? -errno : 0;
}

/* put_away - fd is the file that stands under f's path. What is written to it while it moves is met under its name again. */
static int put_away(const struct folder_file *f, int fd, const char *folder, struct err *e)
{
    const char *name = strrchr(f->path, '/') + 1;
    char to[2 * FOLDER_PATH_MAX];
    int rc = -EEXIST;

    for (int i = 0; rc == -EEXIST && i < SAME_NAMES; i++) {
        if (i)
            snprintf(to, sizeof to, "%s/%s.%d", folder, name, i);
        else
            snprintf(to, sizeof to, "%s/%s", folder, name);
        rc = rename_to(f->path, to);
    }
    if (rc < 0)
        return err_set(e, rc, "could not move \"%s\" to \"%s\": %s", f->path, to, strerror(-rc));
    if (!unchanged(f, fd) && rename_to(to, f->path) == 0)
        return 1;
    /* That it is forgotten must not be on disk before the move is: it would be read again. */
    if (file_sync_dir(folder, e) < 0)
        log_line(LOG_WARN, "could not write the move of a finished file to the disk", "file.path", to, "error.message", e->text, NULL);
    return 0;
}

static void move_away(struct folder_files *t, struct folder_file *f, const struct folder_conf *c)
{
    char folder[FOLDER_PATH_MAX];
    struct err e = { 0 };
    struct stat st;
    AUTO_CLOSE int fd = file_open_regular(f->path, &st);
    int rc;

    if (fd < 0 || !unchanged(f, fd))
        return;     /* the next look tells what it is now */
    rc = done_folder(f, c, folder, &e);
    if (rc == 0)
        rc = put_away(f, fd, folder, &e);
    if (rc < 0 && !f->told)
        log_line(LOG_ERROR, "cannot move a finished file, it stays where it is", "file.path", f->path, "error.message", e.text, NULL);
    f->told = f->told || rc < 0;
    if (rc == 0)
        forget(t, f);
}

void folder_files_finish(struct folder_files *t, const struct folder_conf *c)
{
    time_ns now = clock_steady();

    for (struct folder_file *f = t->first, *next; f; f = next) {
        next = f->next;
        if (!f->seen && f->settled && f->missed) {
            if (f->fd >= 0 && now - f->grown > c->finished_s * NS_PER_SECOND)
                shut(t, f);
            if (f->fd < 0 && (f->offset == 0 || now - f->missed > FORGET_NS))
                forget(t, f);
        } else if (c->move && f->settled && f->seen && !f->lost && !f->copy_of && !f->failed && !f->told && f->size > 0 && now - f->grown > c->finished_s * NS_PER_SECOND) {
            move_away(t, f, c);
        }
    }
}
