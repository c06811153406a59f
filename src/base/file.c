/* file.c - see file.h. */
#include "base/file.h"

#include <fcntl.h>
#include <sys/stat.h>

#define PATH_TEXT_MAX 4096

int file_read(const char *path, size_t max_bytes, struct buf *b, struct err *e)
{
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return err_sys(e, "could not open \"%s\"", path);
    buf_reset(b);
    for (;;) {
        char *to = buf_room(b, 64 * KIB);
        ssize_t got;

        if (!to)
            return err_set(e, -E2BIG, "\"%s\" is larger than %zu bytes", path, max_bytes);
        got = read(fd, to, 64 * KIB);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_sys(e, "could not read \"%s\"", path);
        if (got == 0)
            return 0;
        b->n += (size_t)got;
        if (b->n > max_bytes)
            return err_set(e, -E2BIG, "\"%s\" is larger than %zu bytes", path, max_bytes);
    }
}

int file_write_all(int fd, struct str content, struct err *e)
{
    while (content.n) {
        ssize_t put = write(fd, content.p, content.n);

        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return err_sys(e, "could not write");
        content = str_cut(content, (size_t)put);
    }
    return 0;
}

int file_sync_dir(const char *path, struct err *e)
{
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return err_sys(e, "could not open folder \"%s\"", path);
    if (fsync(fd) < 0)
        return err_sys(e, "could not sync folder \"%s\"", path);
    return 0;
}

/* parent - the folder that path stands in. */
static void parent(const char *path, char out[PATH_TEXT_MAX])
{
    const char *slash = strrchr(path, '/');

    if (!slash)
        snprintf(out, PATH_TEXT_MAX, ".");
    else
        snprintf(out, PATH_TEXT_MAX, "%.*s", slash == path ? 1 : (int)(slash - path), path);
}

int file_write_atomic(const char *path, struct str content, unsigned mode, struct err *e)
{
    char tmp[PATH_TEXT_MAX], dir[PATH_TEXT_MAX];
    AUTO_CLOSE int fd = -1;
    int rc;

    if (snprintf(tmp, sizeof tmp, "%s.tmp", path) >= (int)sizeof tmp)
        return err_set(e, -ENAMETOOLONG, "path \"%.100s…\" is too long", path);
    fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    if (fd < 0)
        return err_sys(e, "could not create \"%s\"", tmp);
    rc = file_write_all(fd, content, e);
    if (rc < 0) {
        unlink(tmp);
        return err_wrap(e, rc, "\"%s\"", tmp);
    }
    if (fsync(fd) < 0 || rename(tmp, path) < 0) {
        rc = err_sys(e, "could not store \"%s\"", path);
        unlink(tmp);
        return rc;
    }
    parent(path, dir);
    return file_sync_dir(dir, e);
}

int file_mkdirs(const char *path, unsigned mode, struct err *e)
{
    char at[PATH_TEXT_MAX], above[PATH_TEXT_MAX];
    size_t n = strlen(path);

    if (n == 0 || n >= sizeof at)
        return err_set(e, -ENAMETOOLONG, "no usable folder name \"%.100s\"", path);
    memcpy(at, path, n + 1);
    for (size_t i = 1; i <= n; i++) {
        if (at[i] != '/' && at[i] != 0)
            continue;
        char kept = at[i];
        at[i] = 0;
        if (mkdir(at, mode) == 0) {
            /* The name is on disk too: files that are synced in the folder are promised to be found again. Whoever may make a folder in
             * another but not read that one must trust the file system. */
            parent(at, above);
            int rc = file_sync_dir(above, e);
            if (rc < 0 && rc != -EACCES && rc != -EPERM)
                return rc;
        } else if (errno != EEXIST) {
            return err_sys(e, "could not make folder \"%s\"", at);
        }
        at[i] = kept;
    }
    return 0;
}

bool file_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

int file_write_quick(const char *path, struct str content, struct err *e)
{
    char tmp[4096];
    AUTO_CLOSE int fd = -1;
    int rc;

    if (snprintf(tmp, sizeof tmp, "%s.tmp", path) >= (int)sizeof tmp)
        return err_set(e, -ENAMETOOLONG, "path \"%.100s\" is too long", path);
    fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    if (fd < 0)
        return err_sys(e, "could not create \"%s\"", tmp);
    rc = file_write_all(fd, content, e);
    if (rc < 0)
        return rc;
    return rename(tmp, path) < 0 ? err_sys(e, "could not store \"%s\"", path) : 0;
}
