/* gather.c - backup_make: which files there are, and one state of them all.
 *
 * Order of a pass: the segments of the journals are listed; desk, the files beside and the places of readers are copied; the store's state is taken and its parts copied; the segments
 * that were listed, and those that came meanwhile, are copied last. So what was acknowledged before is in the store or in a segment, no place of a reader lies before the first segment, and
 * none behind the last. If a listed segment or a part went away meanwhile the pass is taken again: what it copied stays, so each is shorter than the one before. */
#include "backup/internal.h"
#include "journal/journal.h"
#include "store/store.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define PASSES_MAX 50
#define DEPTH_MAX  16

/* A folder that is to be walked. */
struct folder {
    char *path;         /* below DATA; owned */
    int   depth;
};

struct gathering {
    const char                  *data, *target;
    const struct backup_options *o;
    struct copier                c;
    struct listing               l, before;     /* before: of the last backup, and of earlier passes of this one */
};

static void warn(const struct gathering *g, const char *file, const char *reason)
{
    if (g->o->warn)
        g->o->warn(g->o->arg, file, reason);
}

/* --- one file --- */

/* is_key - what nobody else may have: private keys, and the first sign-in. */
static bool is_key(const char *path)
{
    const char *name = strrchr(path, '/');

    name = name ? name + 1 : path;
    return str_ends(str_c(name), STR(".key")) || strcmp(name, "SIGN-IN") == 0;
}

/* is_ours_alone - what belongs to running processes, or is copied another way. */
static bool is_left(const char *path)
{
    struct str p = str_c(path), name = p;
    static const char *const folders[] = { "run", "store", "journal", "findings", "lost+found" };

    for (ptrdiff_t at; (at = str_chr(name, '/')) >= 0;)
        name = str_cut(name, (size_t)at + 1);
    for (size_t i = 0; i < COUNT(folders); i++)
        if (str_eq(p, str_c(folders[i])))
            return true;
    return str_starts(p, STR("desk/desk.db")) || str_eq(name, STR("LOCK")) || str_ends(name, STR(".tmp")) || str_eq(name, STR(RESTORING));
}

static int remember(struct gathering *g, const struct entry *x, const char *path, struct err *e) { return listing_add(&g->l, x, path, e); }

/* known - the object of this file, if it was copied before and the file is the same as it was then. */
static bool known(const struct gathering *g, const char *path, const struct entry *x, struct entry *out)
{
    const struct entry *old = listing_find(&g->before, path);

    if (!old || !old->changed || old->changed != x->changed || old->inode != x->inode || old->bytes != x->bytes || !object_there(g->target, old->sha, old->bytes))
        return false;
    *out = *x;
    memcpy(out->sha, old->sha, sizeof out->sha);
    return true;
}

/* put_file - a regular file below DATA, as long as it is now. growing: only what is there at this moment counts, more may come behind. 1: it is gone. */
static int put_file(struct gathering *g, const char *path, bool growing, struct err *e)
{
    char full[PATH_BYTES];
    struct entry x = { 0 };
    struct stat st;
    int rc = 0;

    snprintf(full, sizeof full, "%.2000s/%.2000s", g->data, path);
    if (lstat(full, &st) < 0)
        return errno == ENOENT ? 1 : err_sys(e, "could not look at \"%s\"", full);
    if (!S_ISREG(st.st_mode))
        return 0;
    x = (struct entry){ .bytes = (uint64_t)st.st_size, .inode = st.st_ino, .changed = (time_ns)st.st_mtim.tv_sec * NS_PER_SECOND + st.st_mtim.tv_nsec, .mode = st.st_mode & 07777 };
    g->c.done.files++;
    g->c.done.bytes += x.bytes;
    if (!known(g, path, &x, &x))
        rc = object_put_file(&g->c, g->target, full, growing ? x.bytes : UINT64_MAX, NULL, &x, e);
    if (rc == -ENOENT)
        return 1;
    return rc < 0 ? rc : remember(g, &x, path, e);
}

static int put_bytes(struct gathering *g, const char *path, struct str bytes, struct err *e)
{
    struct entry x = { .mode = 0640 };
    int rc = object_put(&g->c, g->target, bytes, &x, e);

    g->c.done.files++;
    g->c.done.bytes += bytes.n;
    return rc < 0 ? rc : remember(g, &x, path, e);
}

/* --- folders --- */

typedef int found_fn(struct gathering *g, const char *path, struct err *e);

static int put_found(struct gathering *g, const char *path, struct err *e)
{
    int rc;

    if (is_key(path) && !g->o->keys)
        return 0;
    rc = put_file(g, path, false, e);
    return rc == 1 ? 0 : rc;        /* a file that went away is no part of the node any more */
}

static int push(struct folder **stack, size_t *count, size_t *cap, const char *path, int depth, struct err *e)
{
    if (*count == *cap) {
        size_t more = *cap ? 2 * *cap : 64;
        struct folder *p = realloc(*stack, more * sizeof *p);

        if (!p)
            return err_set(e, -ENOMEM, "no memory to walk the folders of a node");
        *stack = p;
        *cap = more;
    }
    (*stack)[*count] = (struct folder){ strdup(path), depth };
    return (*stack)[(*count)++].path ? 0 : err_set(e, -ENOMEM, "no memory to walk the folders of a node");
}

/* look_into - the files of one folder; its folders are put on the stack. */
static int look_into(struct gathering *g, const struct folder *in, struct folder **stack, size_t *count, size_t *cap, struct err *e)
{
    char full[PATH_BYTES], path[PATH_BYTES];
    struct dirent *f;
    struct stat st;
    DIR *d;
    int rc = 0;

    snprintf(full, sizeof full, "%.2000s/%.2000s", g->data, in->path);
    d = opendir(full);
    if (!d)
        return errno == ENOENT ? 0 : err_sys(e, "could not open \"%s\"", full);
    while (rc == 0 && (f = readdir(d)) != NULL) {
        if (strcmp(f->d_name, ".") == 0 || strcmp(f->d_name, "..") == 0)
            continue;
        snprintf(path, sizeof path, "%.1700s%s%.255s", in->path, *in->path ? "/" : "", f->d_name);
        snprintf(full, sizeof full, "%.2000s/%.2000s", g->data, path);
        if (is_left(path) || lstat(full, &st) < 0)
            continue;
        if (S_ISDIR(st.st_mode) && in->depth < DEPTH_MAX)
            rc = push(stack, count, cap, path, in->depth + 1, e);
        else if (S_ISREG(st.st_mode))
            rc = put_found(g, path, e);
        else if (!S_ISSOCK(st.st_mode))
            warn(g, full, S_ISLNK(st.st_mode) ? "a link is not followed, and not copied" : "it is no file, and not copied");
    }
    closedir(d);
    return rc;
}

/* walk - the folder and all below it. */
static int walk(struct gathering *g, const char *top, struct err *e)
{
    struct folder *stack = NULL;
    size_t count = 0, cap = 0;
    int rc = push(&stack, &count, &cap, top, 0, e);

    while (rc == 0 && count) {
        struct folder in = stack[--count];

        rc = look_into(g, &in, &stack, &count, &cap, e);
        free(in.path);
    }
    while (count)
        free(stack[--count].path);
    free(stack);
    return rc;
}

/* --- the desk --- */

static int put_desk(struct gathering *g, struct err *e)
{
    char from[PATH_BYTES], copy[PATH_BYTES];
    struct entry x = { 0 };
    struct stat st;
    int rc;

    snprintf(from, sizeof from, "%.4000s/desk/desk.db", g->data);
    snprintf(copy, sizeof copy, "%.4000s/objects/desk", g->target);
    if (stat(from, &st) < 0)
        return errno == ENOENT ? 0 : err_sys(e, "could not look at \"%s\"", from);
    rc = database_copy(&g->c, from, copy, e);
    if (rc == 0)
        rc = object_put_file(&g->c, g->target, copy, UINT64_MAX, NULL, &x, e);
    unlink(copy);
    x.mode = st.st_mode & 07777;
    x.changed = 0;
    g->c.done.files++;
    g->c.done.bytes += x.bytes;
    return rc < 0 ? rc : remember(g, &x, "desk/desk.db", e);
}

/* --- the store --- */

/* put_part - 1: it is gone, the store has moved on. */
static int put_part(struct gathering *g, const struct store_part_file *p, struct err *e)
{
    char path[PATH_BYTES];
    struct entry x = { .bytes = p->bytes, .mode = 0640 };
    int rc = 0;

    snprintf(path, sizeof path, "store/%s", p->name);
    memcpy(x.sha, p->sha256, sizeof x.sha);
    g->c.done.files++;
    g->c.done.bytes += p->bytes;
    if (!object_there(g->target, x.sha, p->bytes))
        rc = object_put_file(&g->c, g->target, p->path, UINT64_MAX, p->sha256, &x, e);
    if (rc == -ENOENT)
        return 1;
    return rc < 0 ? rc : remember(g, &x, path, e);
}

/* origin_of - whose store it is: the first link of its chain. */
static void origin_of(const struct store_snapshot *s, char out[SHA_HEX + 1])
{
    out[0] = 0;
    if (s->chain.n < 128)
        return;
    for (size_t i = 0; i < 32; i++)
        snprintf(out + 2 * i, 3, "%02x", (unsigned char)s->chain.p[8 + 88 + i]);
}

static int put_store_files(struct gathering *g, const struct store_snapshot *s, struct err *e)
{
    static const char *const beside[] = { "store/GROWTH", "store/EXPIRED" };
    int rc = put_bytes(g, "store/MANIFEST", buf_view(&s->manifest), e);

    if (rc == 0)
        rc = put_bytes(g, "store/MANIFEST.copy", buf_view(&s->manifest), e);
    if (rc == 0 && s->chain.n)
        rc = put_bytes(g, "store/CHAIN", buf_view(&s->chain), e);
    if (rc == 0 && s->dropped.n)
        rc = put_bytes(g, "store/DROPPED", buf_view(&s->dropped), e);
    for (size_t i = 0; rc == 0 && i < COUNT(beside); i++)
        rc = put_file(g, beside[i], false, e) < 0 ? -EIO : 0;
    return rc;
}

/* put_store - 1: a part went away, another state is to be taken. */
static int put_store(struct gathering *g, struct err *e)
{
    struct store_snapshot s;
    char folder[PATH_BYTES];
    int rc;

    snprintf(folder, sizeof folder, "%.4000s/store", g->data);
    rc = store_snapshot_take(folder, &s, e);
    if (rc < 0)
        return rc;
    origin_of(&s, g->l.origin);
    if (*g->before.origin && *g->l.origin && strcmp(g->before.origin, g->l.origin) != 0)
        rc = err_set(e, -EINVAL, "\"%s\" has the backup of another node: give each node a folder of its own", g->target);
    for (size_t i = 0; rc == 0 && i < s.count; i++)
        rc = put_part(g, &s.part[i], e);
    if (rc == 0 && s.next_seq > 1)
        rc = put_store_files(g, &s, e);
    g->l.facts.store_next_seq = s.next_seq;
    store_snapshot_free(&s);
    return rc;
}

/* --- the journals --- */

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

struct names {
    char **item;
    size_t count;
};

static void names_free(struct names *n)
{
    for (size_t i = 0; i < n->count; i++)
        free(n->item[i]);
    free(n->item);
    *n = (struct names){ NULL, 0 };
}

/* segments - their paths below DATA in order. */
static int segments(const struct gathering *g, const char *journal, struct names *out, struct err *e)
{
    char folder[PATH_BYTES], path[PATH_BYTES];
    struct dirent *f;
    DIR *d;

    *out = (struct names){ NULL, 0 };
    snprintf(folder, sizeof folder, "%.3000s/%s", g->data, journal);
    d = opendir(folder);
    if (!d)
        return errno == ENOENT ? 0 : err_sys(e, "could not open \"%s\"", folder);
    while ((f = readdir(d)) != NULL) {
        char **more;

        if (!str_ends(str_c(f->d_name), STR(".seg")))
            continue;
        more = realloc(out->item, (out->count + 1) * sizeof *more);
        if (more)
            out->item = more;
        snprintf(path, sizeof path, "%.40s/%.255s", journal, f->d_name);
        if (!more || !(out->item[out->count] = strdup(path))) {
            closedir(d);
            return err_set(e, -ENOMEM, "no memory for the segments of a journal");
        }
        out->count++;
    }
    closedir(d);
    if (out->count)
        qsort(out->item, out->count, sizeof *out->item, by_name);
    return 0;
}

/* put_segments - those there are now, from the first of was on. 1: one of them went away. */
static int put_segments(struct gathering *g, const char *journal, const struct names *was, struct err *e)
{
    struct names now;
    int rc = segments(g, journal, &now, e);

    if (rc == 0 && was->count && (!now.count || strcmp(now.item[0], was->item[0]) > 0))
        rc = 1;
    for (size_t i = 0; rc == 0 && i < now.count; i++)
        rc = put_file(g, now.item[i], true, e);
    names_free(&now);
    return rc;
}

static int put_places(struct gathering *g, const char *journal, struct err *e)
{
    char path[64];

    snprintf(path, sizeof path, "%s/cursors", journal);
    return walk(g, path, e);
}

/* --- passes --- */

/* state - all but the parts and segments, which are copied between and after. */
static int put_state(struct gathering *g, struct err *e)
{
    int rc = put_desk(g, e);

    if (rc == 0)
        rc = walk(g, "", e);
    if (rc == 0)
        rc = put_file(g, "run/config.yaml", false, e) < 0 ? -EIO : 0;
    if (rc == 0)
        rc = put_places(g, "findings", e);
    return rc < 0 ? rc : put_places(g, "journal", e);
}

/* pass - 1: something moved away, take another one. */
static int pass(struct gathering *g, struct err *e)
{
    struct names journal = { NULL, 0 }, findings = { NULL, 0 };
    int rc = segments(g, "journal", &journal, e);

    if (rc == 0)
        rc = segments(g, "findings", &findings, e);
    if (rc == 0)
        rc = put_state(g, e);
    if (rc == 0)
        rc = put_store(g, e);
    if (rc == 0)
        rc = put_segments(g, "journal", &journal, e);
    if (rc == 0)
        rc = put_segments(g, "findings", &findings, e);
    names_free(&journal);
    names_free(&findings);
    return rc;
}

/* again - what this pass copied is known to the next one. */
static void again(struct gathering *g)
{
    struct backup_facts facts = g->l.facts;

    memcpy(g->l.origin, *g->l.origin ? g->l.origin : g->before.origin, sizeof g->l.origin);
    listing_free(&g->before);
    g->before = g->l;
    listing_sort(&g->before);
    listing_init(&g->l);
    g->l.facts = facts;
    g->c.done.files = g->c.done.bytes = 0;
}

/* bulk - what there is most of, before the passes: parts and segments. Whatever goes away meanwhile the passes see to. */
static int bulk(struct gathering *g, struct err *e)
{
    struct names none = { NULL, 0 };
    int rc = put_store(g, e);

    if (rc >= 0)
        rc = put_segments(g, "journal", &none, e);
    if (rc >= 0)
        rc = put_segments(g, "findings", &none, e);
    return rc < 0 ? rc : 0;
}

static int gather(struct gathering *g, struct err *e)
{
    char journal[PATH_BYTES];
    int rc;

    snprintf(journal, sizeof journal, "%.4000s/journal", g->data);
    g->l.facts.acknowledged_seq = journal_committed_seq(journal);
    rc = bulk(g, e);
    if (rc == 0)
        again(g);
    for (rc = rc == 0 ? 1 : rc; rc == 1 && g->c.done.passes < PASSES_MAX;) {
        g->c.done.passes++;
        g->l.facts.journal_next_seq = journal_committed_seq(journal);
        rc = pass(g, e);
        if (rc == 1)
            again(g);
    }
    if (rc == 1)
        rc = err_set(e, -EBUSY, "the node changes faster than it can be copied: a higher rate is needed");
    return rc;
}

/* --- the target --- */

static bool empty(const char *folder)
{
    DIR *d = opendir(folder);
    struct dirent *f;
    size_t n = 0;

    while (d && (f = readdir(d)) != NULL)
        n += strcmp(f->d_name, ".") != 0 && strcmp(f->d_name, "..") != 0 && strcmp(f->d_name, "lost+found") != 0;
    if (d)
        closedir(d);
    return n == 0;
}

/* apart - neither lies in the other. */
static bool apart(const char *data, const char *target)
{
    char a[PATH_MAX], b[PATH_MAX];
    size_t n, m;

    if (!realpath(data, a) || !realpath(target, b))
        return true;
    n = strlen(a);
    m = strlen(b);
    return !(strncmp(a, b, n) == 0 && (b[n] == '/' || b[n] == 0)) && !(strncmp(b, a, m) == 0 && a[m] == '/');
}

/* open_target - the lock of the folder; below zero. */
static int open_target(const char *data, const char *target, struct err *e)
{
    char path[PATH_BYTES];
    int lock, rc = file_mkdirs(target, 0750, e);

    if (rc < 0)
        return rc;
    if (!apart(data, target))
        return err_set(e, -EINVAL, "\"%s\" and \"%s\" lie in each other: a backup belongs on another disk", data, target);
    snprintf(path, sizeof path, "%.4000s/" BACKUP_MARK, target);
    if (!file_exists(path)) {
        if (!empty(target))
            return err_set(e, -EINVAL, "\"%s\" is neither empty nor a folder of backups", target);
        rc = file_write_atomic(path, STR("1\n"), 0640, e);
        if (rc < 0)
            return rc;
    }
    snprintf(path, sizeof path, "%.4000s/LOCK", target);
    lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (lock < 0)
        return err_sys(e, "could not open \"%s\"", path);
    if (flock(lock, LOCK_EX | LOCK_NB) < 0) {
        close(lock);
        return err_set(e, -EBUSY, "another backup goes to \"%s\" now", target);
    }
    snprintf(path, sizeof path, "%.4000s/objects", target);
    rc = file_mkdirs(path, 0750, e);
    if (rc == 0)
        return lock;
    close(lock);
    return rc;
}

int backup_make(const char *data, const char *target, const struct backup_options *o, time_ns now, struct backup_facts *facts, struct backup_progress *done, struct err *e)
{
    AUTO_CLOSE int lock = open_target(data, target, e);
    struct gathering g = { .data = data, .target = target, .o = o };
    struct err why;
    int rc = lock < 0 ? lock : copier_open(&g.c, o, e);

    if (rc < 0)
        return rc;
    listing_init(&g.l);
    if (listing_read(target, &g.before, &why) == -EBADMSG)
        warn(&g, target, "the list of the last backup cannot be read: all is copied anew");
    g.l.facts.at = now;
    g.l.facts.keys = o->keys;
    rc = gather(&g, e);
    if (rc == 0)
        rc = listing_write(target, &g.l, e);
    if (rc == 0)
        rc = objects_sweep(target, &g.l, e);
    copier_tell(&g.c, target, true);
    *facts = g.l.facts;
    *done = g.c.done;
    listing_free(&g.l);
    listing_free(&g.before);
    copier_close(&g.c);
    return rc;
}
