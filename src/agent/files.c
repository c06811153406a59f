/* files.c - following log files: growth, rotation by rename, copy and truncate, reused inodes, files that come later.
 *
 * A *follow* is one path. Behind it stand *tails*, oldest first: the files that the path has been, each open by its own descriptor
 * until it is read to its end and has been silent for ROTATED_IDLE. A file is who it is by device, inode and the hash of its first
 * bytes: an inode alone is given out again.
 *
 *      the path is another file now        between: files beside it that are newer than our last and that nobody has read
 *                                          (two rotations between two looks), in order of their last change; then the new one
 *      shorter than we read, or its        copy and truncate: the copy is the file beside it with our first bytes, and is read
 *      first bytes are others              on from our position; the file itself from 0
 *      read to its end, renamed, silent    done: closed, but remembered, should it grow after all or be met again */
#include "agent/files.h"
#include "base/log.h"
#include "base/whofile.h"
#include "parse/edges.h"
#include "parse/encoding.h"

#include <dirent.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <glob.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#define READ_FIRST        (256u * KIB)
#define PARTIAL_NS        (5 * NS_PER_SECOND)    /* a line waits no longer for its end */
#define ROTATED_IDLE_NS   (30 * NS_PER_SECOND)   /* a writer may hold a renamed file open for a while */
#define REMOVED_IDLE_NS   (5 * NS_PER_SECOND)
#define GLOB_NS           (5 * NS_PER_SECOND)

/* What a host without journald writes. kern.log and their like repeat what stands in syslog on Debian. */
static const char *const system_globs[] = { "/var/log/auth.log", "/var/log/secure", "/var/log/syslog", "/var/log/messages",
                                            "/var/log/cron" };
static const char kernel_log[] = "/var/log/kern.log";

static struct follow *follow_find(const struct files *f, const char *path)
{
    for (struct follow *w = f->follows; w; w = w->next)
        if (strcmp(w->path, path) == 0)
            return w;
    return NULL;
}

static void watch_folder(const struct files *f, const char *path)
{
    const char *slash = strrchr(path, '/');
    char folder[AGENT_PATH_MAX];

    snprintf(folder, sizeof folder, "%.*s", slash > path ? (int)(slash - path) : 1, path);
    if (!strpbrk(folder, "*?["))
        (void)inotify_add_watch(f->inotify, folder, IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_ONLYDIR);
}

/* file_of - what the configuration says of a path. */
static const struct agent_file *file_of(const struct files *f, const char *path)
{
    for (size_t i = 0; i < f->config->file_count; i++)
        if (fnmatch(f->config->files[i].glob, path, FNM_PATHNAME) == 0)
            return &f->config->files[i];
    return NULL;
}

static struct follow *follow_make(struct files *f, const char *path, const char *program)
{
    struct follow *w = follow_find(f, path), **at = &f->follows;

    if (w)
        return w;
    if (f->count == FILES_MAX) {
        if (!f->full)
            log_line(LOG_ERROR, "too many files match, those behind the first are not read", "file.path", path, NULL);
        f->full = true;
        return NULL;
    }
    w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    w->path = strdup(path);
    w->program = strdup(program ? program : "");
    w->file = file_of(f, path);
    if (!w->path || !w->program) {
        free(w->path);
        free(w->program);
        free(w);
        return NULL;
    }
    while (*at)
        at = &(*at)->next;
    *at = w;
    f->count++;
    watch_folder(f, path);
    return w;
}

/* --- who is a file --- */

static bool same_inode(const struct tail *t, const struct stat *st) { return t->dev == st->st_dev && t->ino == st->st_ino; }

/* known - the tail, of any path, that this open file is. */
static struct tail *known(struct files *f, int fd, const struct stat *st)
{
    for (struct follow *w = f->follows; w; w = w->next)
        for (struct tail *t = w->tails; t; t = t->next)
            if (same_inode(t, st) && file_head_same(fd, &t->head))
                return t;
    return NULL;
}

/* --- tails --- */

static struct tail *newest(const struct follow *w)
{
    struct tail *t = w->tails;

    while (t && t->next)
        t = t->next;
    return t;
}

static void tail_drop(struct follow *w, struct tail *t)
{
    struct tail **at = &w->tails;

    while (*at != t)
        at = &(*at)->next;
    *at = t->next;
    if (t->fd >= 0)
        close(t->fd);
    free(t);
    w->tail_count--;
}

/* tail_insert - takes fd. before NULL: at the end. The oldest that is done makes room. */
static struct tail *tail_insert(struct follow *w, struct tail *before, int fd, const struct stat *st, uint64_t offset)
{
    struct tail **at = &w->tails, *t;

    for (t = w->tails; t && w->tail_count >= GENERATIONS_MAX; t = w->tails) {
        while (t && !t->done)
            t = t->next;
        if (!t)
            break;
        tail_drop(w, t);
    }
    t = w->tail_count < GENERATIONS_MAX ? calloc(1, sizeof *t) : NULL;
    if (!t) {
        close(fd);
        return NULL;
    }
    *t = (struct tail){ .dev = st->st_dev, .ino = st->st_ino, .fd = fd, .offset = offset, .grown = clock_steady() };
    while (*at && *at != before)
        at = &(*at)->next;
    t->next = *at;
    *at = t;
    w->tail_count++;
    return t;
}

/* tail_reopen - a tail that is done, or comes from the state, gets its file back. Takes fd. */
static void tail_reopen(struct tail *t, int fd)
{
    t->fd = fd;
    t->done = false;
    t->grown = clock_steady();
}

/* tail_last - one of w's tails is the path again: it becomes the newest. */
static void tail_last(struct follow *w, struct tail *t)
{
    struct tail **at = &w->tails;

    while (*at && *at != t)
        at = &(*at)->next;
    if (!*at)
        return;
    *at = t->next;
    while (*at)
        at = &(*at)->next;
    t->next = NULL;
    *at = t;
}

/* --- the folder around a path --- */

struct beside {
    int         fd;
    struct stat st;
};
typedef bool beside_want(struct files *f, struct follow *w, const char *name, int fd, const struct stat *st, const void *arg);

/* beside - open files in the folder of a path that want picks, oldest change first; at most GENERATIONS_MAX. */
static size_t beside(struct files *f, struct follow *w, beside_want *want, const void *arg, struct beside out[GENERATIONS_MAX])
{
    const char *slash = strrchr(w->path, '/');
    int n = (int)(slash - w->path);
    char path[AGENT_PATH_MAX + 256];
    size_t count = 0;
    struct dirent *entry;
    DIR *d;

    snprintf(path, sizeof path, "%.*s/", n, w->path);
    d = opendir(path);
    while (d && count < GENERATIONS_MAX && (entry = readdir(d)) != NULL) {
        struct beside b;
        size_t i = count;

        if (entry->d_name[0] == '.' || strcmp(entry->d_name, slash + 1) == 0 || file_packed_name(entry->d_name))
            continue;
        snprintf(path, sizeof path, "%.*s/%s", n, w->path, entry->d_name);
        b.fd = file_open_regular(path, &b.st);
        if (b.fd < 0)
            continue;
        if (!want(f, w, entry->d_name, b.fd, &b.st, arg)) {
            close(b.fd);
            continue;
        }
        for (; i > 0 && (out[i - 1].st.st_mtim.tv_sec > b.st.st_mtim.tv_sec ||
                         (out[i - 1].st.st_mtim.tv_sec == b.st.st_mtim.tv_sec &&
                          out[i - 1].st.st_mtim.tv_nsec > b.st.st_mtim.tv_nsec));
             i--)
            out[i] = out[i - 1];
        out[i] = b;
        count++;
    }
    if (d)
        closedir(d);
    return count;
}

static bool is_tail(struct files *f, struct follow *w, const char *name, int fd, const struct stat *st, const void *arg)
{
    const struct tail *t = arg;

    (void)f, (void)w, (void)name;
    return same_inode(t, st) && file_head_same(fd, &t->head);
}

static bool is_copy(struct files *f, struct follow *w, const char *name, int fd, const struct stat *st, const void *arg)
{
    const struct tail *t = arg;

    (void)w, (void)name;
    return t->head.n && !same_inode(t, st) && (uint64_t)st->st_size >= t->offset && file_head_same(fd, &t->head) && !known(f, fd, st);
}

/* is_between - a file that was the path after our newest tail and before what it is now; or one that grew after it was done. */
static bool is_between(struct files *f, struct follow *w, const char *name, int fd, const struct stat *st, const void *arg)
{
    const struct timespec *since = arg;
    const char *base = strrchr(w->path, '/') + 1;
    size_t n = strlen(base);
    struct tail *t;

    if (strncmp(name, base, n) != 0 || (name[n] != '.' && name[n] != '-'))
        return false;
    t = known(f, fd, st);
    if (t)
        return t->done && (uint64_t)st->st_size > t->offset;
    return st->st_mtim.tv_sec > since->tv_sec || (st->st_mtim.tv_sec == since->tv_sec && st->st_mtim.tv_nsec >= since->tv_nsec);
}

static void take_between(struct files *f, struct follow *w, const struct tail *last)
{
    struct beside found[GENERATIONS_MAX];
    struct timespec since = f->since;
    struct stat st;
    size_t n;

    if (last && last->fd >= 0 && fstat(last->fd, &st) == 0)
        since = st.st_mtim;
    else if (!w->lost)
        return;
    n = beside(f, w, is_between, &since, found);
    for (size_t i = 0; i < n; i++) {
        struct tail *t = known(f, found[i].fd, &found[i].st);

        if (t)
            tail_reopen(t, found[i].fd);
        else
            tail_insert(w, NULL, found[i].fd, &found[i].st, 0);
    }
}

/* --- looking --- */

/* resume - open again what the state says was being read. */
static void resume(struct files *f, struct follow *w)
{
    struct beside found[GENERATIONS_MAX];
    struct tail *next;

    for (struct tail *t = w->tails; t; t = next) {
        struct stat st;
        int fd;

        next = t->next;
        if (t->done || t->fd >= 0)
            continue;
        fd = file_open_regular(w->path, &st);
        if (fd >= 0 && same_inode(t, &st) && file_head_same(fd, &t->head)) {
            tail_reopen(t, fd);
            continue;
        }
        if (fd >= 0)
            close(fd);
        size_t n = beside(f, w, is_tail, t, found);
        if (n == 0 && (n = beside(f, w, is_copy, t, found)) > 0) {
            t->dev = found[0].st.st_dev;
            t->ino = found[0].st.st_ino;
        }
        for (size_t i = 1; i < n; i++)
            close(found[i].fd);
        if (n) {
            tail_reopen(t, found[0].fd);
        } else {
            log_line(LOG_WARN, "a file that was being read is gone, going on with its successor", "file.path", w->path, NULL);
            tail_drop(w, t);
            w->lost = true;
        }
    }
}

/* look - is the path still the file that we think it is? */
static void look(struct files *f, struct follow *w)
{
    struct tail *last = newest(w), *t;
    struct stat st;
    int fd;

    if (!w->wanted || stat(w->path, &st) < 0 || (last && same_inode(last, &st) && last->fd >= 0))
        return;
    fd = file_open_regular(w->path, &st);
    if (fd < 0)
        return;
    t = known(f, fd, &st);
    if (t && t->fd >= 0) {          /* renamed from another path, and read there */
        close(fd);
    } else if (t && t->done && (uint64_t)st.st_size >= t->offset) {
        tail_reopen(t, fd);
        tail_last(w, t);
    } else {
        take_between(f, w, last);
        tail_insert(w, NULL, fd, &st, 0);
    }
}

static void follow_free(struct follow *w)
{
    while (w->tails)
        tail_drop(w, w->tails);
    free(w->path);
    free(w->program);
    free(w);
}

/* forget_gone - paths of which nothing is left, neither a file nor anything to know one by. */
static void forget_gone(struct files *f)
{
    for (struct follow **at = &f->follows, *w; (w = *at) != NULL;) {
        if (w->tails || w->lost || access(w->path, F_OK) == 0 || errno != ENOENT) {
            at = &w->next;
            continue;
        }
        *at = w->next;
        if (f->turn == w)
            f->turn = w->next;
        follow_free(w);
        f->count--;
        f->full = false;
    }
}

static void glob_one(struct files *f, const char *pattern, const char *program)
{
    glob_t g = { 0 };

    watch_folder(f, pattern);
    if (glob(pattern, GLOB_NOSORT, NULL, &g) == 0) {
        for (size_t i = 0; i < g.gl_pathc; i++) {
            struct follow *w = strlen(g.gl_pathv[i]) < AGENT_PATH_MAX - 64 && !file_packed_name(g.gl_pathv[i])
                                   ? follow_make(f, g.gl_pathv[i], program) : NULL;

            if (w)
                w->wanted = true;
        }
    }
    globfree(&g);
}

static void scan(struct files *f)
{
    time_ns now = clock_steady();

    if (!f->globbed || f->woken || now - f->globbed > GLOB_NS) {
        f->globbed = now;
        forget_gone(f);
        for (size_t i = 0; i < f->config->file_count; i++)
            glob_one(f, f->config->files[i].glob, f->config->files[i].program);
        if (f->audit)
            glob_one(f, AUDIT_LOG, NULL);
        for (size_t i = 0; f->system && i < COUNT(system_globs); i++)
            glob_one(f, system_globs[i], NULL);
        if (f->system && !follow_find(f, "/var/log/syslog") && !follow_find(f, "/var/log/messages"))
            glob_one(f, kernel_log, NULL);
    }
    f->woken = false;
    for (struct follow *w = f->follows; w; w = w->next)
        look(f, w);
}

/* --- reading --- */

/* truncated - the file begins anew; what we had not read of the old content may be in a copy beside it. */
static void truncated(struct files *f, struct follow *w, struct tail *t)
{
    struct beside found[GENERATIONS_MAX];
    size_t n = beside(f, w, is_copy, t, found);

    for (size_t i = 0; i < n; i++) {
        if (i == 0 && (uint64_t)found[0].st.st_size > t->offset) {
            struct tail *copy = tail_insert(w, t, found[0].fd, &found[0].st, t->offset);

            if (copy)
                copy->head = t->head;
        } else {
            close(found[i].fd);
        }
    }
    log_line(LOG_INFO, "a log file was cut short, reading it from its beginning", "file.path", w->path, NULL);
    t->offset = 0;
    t->head = (struct file_head){ 0, 0 };
    t->cut = false;
}

static void emit(const struct follow *w, struct batch *b, struct str line, bool cut, time_ns now)
{
    struct record r = { .body = line, .path = str_c(w->path), .unit = str_c(w->program), .truncated = cut };

    if (r.body.n && r.body.p[r.body.n - 1] == '\r')
        r.body.n--;
    if (r.body.n)
        batch_add(b, &r, now);
}

/* A place where a batch may end: what it held and how far the file was read. */
struct place {
    size_t   records_n, lines, bytes;
    uint64_t offset;
};

static struct place place_now(const struct batch *b, uint64_t offset) { return (struct place){ b->records.n, b->lines, b->bytes, offset }; }

/* back_to - what was read behind the place is read again with the next batch. */
static void back_to(struct batch *b, struct tail *t, const struct place *p)
{
    b->records.n = p->records_n;
    b->lines = p->lines;
    b->bytes = p->bytes;
    t->offset = p->offset;
}

/* at_an_edge - the records of an audit event travel in one batch. What of an event is there waits for the rest, two seconds at most; an event
 * that fills a batch alone does not. */
static void at_an_edge(struct batch *b, struct tail *t, const struct edges *open, const struct place *first, const struct place *edge, bool full)
{
    if (!edges_open(open) || (full && edge->offset == first->offset && first->lines == 0))
        return;
    if (full || clock_steady() - t->grown < EDGES_WAIT)
        back_to(b, t, edge);
}

/* encoding_at - UTF-16 is known by the first bytes of a file; its lines end otherwise. */
static enum encoding encoding_at(int fd)
{
    char head[64];
    ssize_t n = pread(fd, head, sizeof head, 0);

    return encoding_of_file(str_of(head, n > 0 ? (size_t)n : 0));
}

/* next_text - the next whole line, or record of several. */
static bool next_text(const struct follow *w, enum encoding e, struct str *rest, struct str *text)
{
    if (!w->file || w->file->start_count == 0)
        return encoding_line(e, rest, text);
    return record_next(w->file->starts, w->file->start_count, e, rest, text);
}

/* last_text - what stands at the end of a file as one text, once nothing came for a while: a line without its end, or a record that no other
 * follows. False: it may go on. */
static bool last_text(const struct tail *t, enum encoding e, struct str s, struct str *text)
{
    struct str rest = s, line = { NULL, 0 };

    while (encoding_line(e, &rest, &line))
        ;
    *text = rest.n || line.p == NULL ? s : str_of(s.p, (size_t)(line.p + line.n - s.p));
    return s.n && clock_steady() - t->grown > (rest.n ? PARTIAL_NS : EDGES_WAIT);
}

/* lines - whole lines from the position on. True if the batch is full. */
static bool lines(struct files *f, const struct follow *w, struct tail *t, struct batch *b, time_ns now)
{
    struct place first = place_now(b, t->offset), edge = first;
    struct edges open = { .count = 0 };
    enum encoding encoding = encoding_at(t->fd);
    size_t want = READ_FIRST;

    while (!batch_full(b)) {
        ssize_t got = pread(t->fd, f->bytes, want, (off_t)t->offset);
        size_t n = got > 0 ? (size_t)got : 0, at = 0;
        struct str rest = str_of(f->bytes, n), line;

        while (!batch_full(b) && next_text(w, encoding, &rest, &line)) {
            emit(w, b, line, t->cut, now);
            edges_line(&open, line, 0);
            t->cut = false;
            at = n - rest.n;
            if (!edges_open(&open))
                edge = place_now(b, t->offset + at);
        }
        t->offset += at;
        if (batch_full(b))
            break;
        if (n < want) {
            if (last_text(t, encoding, str_of(f->bytes + at, n - at), &line)) {
                emit(w, b, line, t->cut, now);
                t->offset += n - at;
            }
            at_an_edge(b, t, &open, &first, &edge, false);
            return false;
        }
        if (at == 0 && want < LINE_MAX_BYTES) {
            want = LINE_MAX_BYTES;
        } else if (at == 0) {
            emit(w, b, str_of(f->bytes, n), true, now);
            t->offset += n;
            t->cut = true;
        }
    }
    at_an_edge(b, t, &open, &first, &edge, true);
    return true;
}

/* retire - a tail at its end: close it if its time is over. */
static void retire(struct follow *w, struct tail *t, const struct stat *st)
{
    time_ns idle = clock_steady() - t->grown;

    if ((st->st_nlink == 0 && idle > REMOVED_IDLE_NS) || (t != newest(w) && !t->head.n && idle > ROTATED_IDLE_NS)) {
        tail_drop(w, t);    /* an empty file leaves nothing to know it by */
    } else if (t != newest(w) && idle > ROTATED_IDLE_NS) {
        close(t->fd);
        t->fd = -1;
        t->done = true;
    }
}

static bool read_tail(struct files *f, struct follow *w, struct tail *t, struct batch *b, time_ns now)
{
    struct stat st;
    bool full = false;

    if (t->fd < 0 || fstat(t->fd, &st) < 0)
        return false;
    if ((uint64_t)st.st_size != t->size) {
        t->size = (uint64_t)st.st_size;
        t->grown = clock_steady();
        if (!file_head_same(t->fd, &t->head))
            truncated(f, w, t);
    }
    if ((uint64_t)st.st_size < t->offset)
        truncated(f, w, t);
    if ((uint64_t)st.st_size == t->offset) {
        retire(w, t, &st);
        return false;
    }
    if (t->head.n < FILE_HEAD_MAX)
        t->head = file_head_of(t->fd, FILE_HEAD_MAX);
    full = lines(f, w, t, b, now);
    return full;
}

bool files_read(struct files *f, struct batch *b, time_ns now)
{
    struct follow *first, *w;
    struct tail *next;

    scan(f);
    /* Whoever filled the last batch comes last in this one. */
    first = f->turn ? f->turn : f->follows;
    for (w = first; w;) {
        for (struct tail *t = w->tails; t; t = next) {
            next = t->next;
            if (read_tail(f, w, t, b, now)) {
                f->turn = w->next;
                return true;
            }
        }
        w = w->next ? w->next : f->follows;
        if (w == first)
            break;
    }
    return false;
}

/* --- the whole --- */

static bool covered(const struct files *f, const char *path)
{
    if (file_of(f, path))
        return true;
    for (size_t i = 0; f->system && i < COUNT(system_globs); i++)
        if (strcmp(system_globs[i], path) == 0)
            return true;
    return (f->system && strcmp(path, kernel_log) == 0) || (f->audit && strcmp(path, AUDIT_LOG) == 0);
}

int files_new(const struct agent_config *c, bool system, const struct state *s, struct timespec since, struct files **out,
              struct err *e)
{
    struct files *f = calloc(1, sizeof *f);

    if (f)
        f->bytes = malloc(LINE_MAX_BYTES);
    if (!f || !f->bytes) {
        free(f);
        return err_set(e, -ENOMEM, "no memory to follow files");
    }
    f->config = c;
    f->system = system;
    f->audit = c->system_files; /* auditd writes a file of its own beside the journal too */
    f->since = since;
    f->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    for (size_t i = 0; i < s->mark_count; i++) {
        const struct mark *m = &s->marks[i];
        struct follow *w = m->path[0] == '/' ? follow_make(f, m->path, m->program) : NULL;
        struct stat st = { .st_dev = m->dev, .st_ino = m->ino };
        struct tail *t = w ? tail_insert(w, NULL, -1, &st, m->offset) : NULL;

        if (!t)
            continue;
        t->head = m->head;
        t->done = m->done;
        w->wanted = covered(f, w->path);
    }
    for (struct follow *w = f->follows; w; w = w->next)
        if (w->wanted)
            resume(f, w);
    *out = f;
    return 0;
}

void files_close(struct files **f)
{
    struct follow *w;

    if (!*f)
        return;
    while ((w = (*f)->follows) != NULL) {
        (*f)->follows = w->next;
        follow_free(w);
    }
    if ((*f)->inotify >= 0)
        close((*f)->inotify);
    free((*f)->bytes);
    free(*f);
    *f = NULL;
}

int files_fd(const struct files *f) { return f->inotify; }

void files_drain(struct files *f)
{
    char bytes[8192];

    while (read(f->inotify, bytes, sizeof bytes) > 0)
        f->woken = true;
}

int files_save(const struct files *f, struct state *s)
{
    for (const struct follow *w = f->follows; w; w = w->next)
        for (const struct tail *t = w->tails; t; t = t->next) {
            struct mark m = { t->dev, t->ino, t->head, t->offset, t->done, w->path, w->program };
            int rc = state_add_mark(s, &m);

            if (rc < 0)
                return rc;
        }
    return 0;
}
