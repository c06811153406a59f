/* sweep.c - files in DATA/documents that no row knows.
 *
 * A file is renamed or written inside the transaction that refers to it; when that is refused or killed, the file stays and nobody asks for it.
 * One round of the folder begins an hour after the last, some names a turn. What goes: SHA256.bin without a row of "blob" and without an upload
 * that may still become one, upload-ID.part without its upload, both untouched for a day (by change of the inode too: a rename counts). Whether a
 * row knows the file is asked once more under the write lock, which every act that takes a file holds; only then it is unlinked. A kill between
 * the two leaves one file less and the count as it was. PDF and JSON of documents have other owners and are never looked at. */
#include "desk/blob.h"
#include "desk/internal.h"
#include "base/log.h"

#include <fcntl.h>
#include <sys/stat.h>

#define SWEEP_NAMES    512                 /* looked at in one turn */
#define SWEEP_FILES    32                  /* unlinked in one turn */
#define SWEEP_PAUSE_NS NS_PER_HOUR

/* What a name of the folder may be: its kind and the key by which a row would know it. */
enum file_kind { FILE_OTHER, FILE_BLOB, FILE_PART };

static enum file_kind kind_of(const char *name, char key[65])
{
    size_t n = strlen(name), head = 0;
    enum file_kind kind = FILE_OTHER;

    if (n == 64 + 4 && strcmp(name + 64, ".bin") == 0)
        kind = FILE_BLOB;
    else if (n == 7 + 32 + 5 && memcmp(name, "upload-", 7) == 0 && strcmp(name + 39, ".part") == 0) {
        kind = FILE_PART;
        head = 7;
    }
    size_t digits = kind == FILE_BLOB ? 64 : kind == FILE_PART ? 32 : 0;
    if (strspn(name + head, "0123456789abcdef") != digits)
        return FILE_OTHER;
    memcpy(key, name + head, digits);
    key[digits] = '\0';
    return kind;
}

static int known(struct desk *d, enum file_kind kind, const char *key, int64_t *rows, struct err *e)
{
    return kind == FILE_BLOB ? db_int(d, e, 1, rows, "SELECT (SELECT count(*) FROM blob WHERE sha256 = ?1) + (SELECT count(*) FROM upload WHERE sha256 = ?1)",
                                      "z", key)
                             : db_int(d, e, 1, rows, "SELECT count(*) FROM upload WHERE id = ?", "z", key);
}

static bool old_enough(const struct stat *s, time_ns now)
{
    time_ns m = (time_ns)s->st_mtim.tv_sec * NS_PER_SECOND + s->st_mtim.tv_nsec, c = (time_ns)s->st_ctim.tv_sec * NS_PER_SECOND + s->st_ctim.tv_nsec;

    return S_ISREG(s->st_mode) && now - (m > c ? m : c) > SWEEP_AGE_NS;
}

/* forget - ask again under the lock, of the file too (the same bytes may have been brought anew meanwhile), then unlink, then count. 1 if it went. */
static int forget(struct desk *d, const char *name, enum file_kind kind, const char *key, time_ns now, struct err *e)
{
    const int folder = dirfd(d->sweep.dir);
    int64_t rows = 1;
    struct stat s;
    int rc = known(d, kind, key, &rows, e);

    if (rc < 0 || rows || fstatat(folder, name, &s, AT_SYMLINK_NOFOLLOW) < 0 || !old_enough(&s, now))
        return rc < 0 ? rc : 0;
    if (unlinkat(folder, name, 0) < 0 && errno != ENOENT)
        return err_set(e, -EIO, "could not take away \"%s\", which no row knows: %s", name, strerror(errno));
    rc = db_exec(d, e, "INSERT INTO meta(key, value) VALUES ('files_swept', 1) ON CONFLICT(key) DO UPDATE SET value = value + 1", "");
    return rc < 0 ? rc : 1;
}

static int look_at(struct desk *d, const char *name, time_ns now, struct err *e)
{
    const int folder = dirfd(d->sweep.dir);
    char key[65];
    enum file_kind kind = kind_of(name, key);
    int64_t rows = 1;
    struct stat s;
    int rc;

    if (kind == FILE_OTHER || fstatat(folder, name, &s, AT_SYMLINK_NOFOLLOW) < 0 || !old_enough(&s, now))
        return 0;
    rc = known(d, kind, key, &rows, e);   /* most are known: no lock for them */
    if (rc < 0 || rows)
        return rc;
    rc = db_begin(d, e);
    if (rc == 0)
        rc = db_end(d, forget(d, name, kind, key, now, e), e);
    if (rc > 0)
        log_line(LOG_INFO, "took away a file that no row knows", "file.name", name, NULL);
    return rc;
}

void files_sweep_end(struct desk *d)
{
    if (d->sweep.dir)
        closedir(d->sweep.dir);
    d->sweep.dir = NULL;
}

int files_sweep(struct desk *d, time_ns now, struct err *e)
{
    char path[4096];
    int gone = 0;

    if (!d->sweep.dir) {
        /* A clock that came back must not put the next round off for years. */
        if (d->sweep.next_at > now && d->sweep.next_at <= now + SWEEP_PAUSE_NS)
            return 0;
        d->sweep.next_at = now + SWEEP_PAUSE_NS;
        d->sweep.dir = opendir(node_path(d->setup.node, "documents", path));
    }
    for (int i = 0; d->sweep.dir && i < SWEEP_NAMES && gone < SWEEP_FILES; i++) {
        const struct dirent *f = readdir(d->sweep.dir);
        int rc = f ? look_at(d, f->d_name, now, e) : 0;

        gone += rc > 0;
        if (!f || rc < 0)
            files_sweep_end(d);
        if (rc < 0)
            return rc;
    }
    return gone;
}
