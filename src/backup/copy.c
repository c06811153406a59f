/* copy.c - files as objects named by their SHA-256, and back. Every copy is synced and read again before it gets its name. */
#include "backup/internal.h"

#include <dirent.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define STEP_BYTES    MIB
#define TELL_EVERY_NS NS_PER_SECOND

int copier_open(struct copier *c, const struct backup_options *o, struct err *e)
{
    *c = (struct copier){ .o = o, .bytes = malloc(STEP_BYTES), .began = clock_steady() };
    return c->bytes ? 0 : err_set(e, -ENOMEM, "no memory to copy");
}

void copier_close(struct copier *c)
{
    free(c->bytes);
    c->bytes = NULL;
}

void copier_tell(struct copier *c, const char *now, bool last)
{
    time_ns t = clock_steady();

    if (!c->o->tell || (!last && t - c->told_at < TELL_EVERY_NS))
        return;
    c->told_at = t;
    c->o->tell(c->o->arg, &c->done, now);
}

/* pace - n bytes more were read: sleep until the rate allows them. */
static void pace(struct copier *c, size_t n, const char *now)
{
    time_ns due;

    c->read += n;
    copier_tell(c, now, false);
    if (!c->o->bytes_per_s)
        return;
    due = c->began + (time_ns)((double)c->read / (double)c->o->bytes_per_s * (double)NS_PER_SECOND);
    for (time_ns left = due - clock_steady(); left > 0; left = due - clock_steady()) {
        time_ns step = left > NS_PER_SECOND ? NS_PER_SECOND : left;

        nanosleep(&(struct timespec){ .tv_sec = step / NS_PER_SECOND, .tv_nsec = step % NS_PER_SECOND }, NULL);
        copier_tell(c, now, false);
    }
}

void object_path(const char *target, const char *sha, char out[PATH_BYTES]) { snprintf(out, PATH_BYTES, "%.3900s/objects/%.2s/%.64s", target, sha, sha); }

bool object_there(const char *target, const char *sha, uint64_t bytes)
{
    char path[PATH_BYTES];
    struct stat st;

    object_path(target, sha, path);
    return stat(path, &st) == 0 && S_ISREG(st.st_mode) && (uint64_t)st.st_size == bytes;
}

static void hex_of(const unsigned char *p, size_t n, char *out)
{
    for (size_t i = 0; i < n; i++)
        snprintf(out + 2 * i, 3, "%02x", p[i]);
}

/* pour - at most "most" bytes of in, from its start, to out (below zero: nowhere); *bytes of them and their SHA-256. */
static int pour(struct copier *c, int in, int out, uint64_t most, const char *name, char sha[SHA_HEX + 1], uint64_t *bytes, struct err *e)
{
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    unsigned char digest[32];
    unsigned n = sizeof digest;
    ssize_t got = 1;
    int rc = md && EVP_DigestInit_ex(md, EVP_sha256(), NULL) == 1 ? 0 : err_set(e, -ENOMEM, "no memory to copy");

    *bytes = 0;
    while (rc == 0 && *bytes < most && (got = pread(in, c->bytes, min_size(STEP_BYTES, (size_t)(most - *bytes)), (off_t)*bytes)) > 0) {
        *bytes += (uint64_t)got;
        if (EVP_DigestUpdate(md, c->bytes, (size_t)got) != 1)
            rc = err_set(e, -ENOMEM, "no memory to copy");
        if (rc == 0 && out >= 0)
            rc = file_write_all(out, str_of(c->bytes, (size_t)got), e);
        pace(c, (size_t)got, name);
    }
    if (rc == 0 && got < 0)
        rc = err_sys(e, "could not read \"%s\"", name);
    if (rc == 0 && EVP_DigestFinal_ex(md, digest, &n) != 1)
        rc = err_set(e, -ENOMEM, "no memory to copy");
    if (rc == 0)
        hex_of(digest, sizeof digest, sha);
    EVP_MD_CTX_free(md);
    return rc;
}

/* settle - the file behind fd, at path, is on disk and, read again from there, what it should be. */
static int settle(struct copier *c, int fd, const char *path, const char *sha, uint64_t bytes, struct err *e)
{
    char again[SHA_HEX + 1] = "";
    uint64_t n = 0;
    int rc;

    if (fsync(fd) < 0)
        return err_sys(e, "could not sync \"%s\"", path);
    (void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    rc = pour(c, fd, -1, UINT64_MAX, path, again, &n, e);
    if (rc == 0 && (n != bytes || strcmp(again, sha) != 0))
        rc = err_set(e, -EIO, "\"%s\" is not what was written there: the disk cannot be trusted", path);
    return rc;
}

static int make_folder_of(const char *path, struct err *e)
{
    char folder[PATH_BYTES];

    snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(path, '/') - path), path);
    return file_mkdirs(folder, 0750, e);
}

static int sync_folder_of(const char *path, struct err *e)
{
    char folder[PATH_BYTES];

    snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(path, '/') - path), path);
    return file_sync_dir(folder, e);
}

static void fresh_path(const char *target, char out[PATH_BYTES]) { snprintf(out, PATH_BYTES, "%.3900s/objects/new", target); }

/* name_it - the fresh copy becomes the object, if it is not there already. */
static int name_it(struct copier *c, const char *target, const char *fresh, int fd, struct entry *x, struct err *e)
{
    char path[PATH_BYTES];
    int rc = 0;

    if (object_there(target, x->sha, x->bytes)) {
        unlink(fresh);
        return 0;
    }
    object_path(target, x->sha, path);
    rc = settle(c, fd, fresh, x->sha, x->bytes, e);
    if (rc == 0)
        rc = make_folder_of(path, e);
    if (rc == 0 && rename(fresh, path) < 0)
        rc = err_sys(e, "could not name \"%s\"", path);
    if (rc == 0)
        rc = sync_folder_of(path, e);
    if (rc < 0) {
        unlink(fresh);
        return rc;
    }
    c->done.copied_files++;
    c->done.copied_bytes += x->bytes;
    return 0;
}

int object_put_file(struct copier *c, const char *target, const char *file, uint64_t most, const char *want, struct entry *out, struct err *e)
{
    AUTO_CLOSE int in = open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    AUTO_CLOSE int fd = -1;
    char fresh[PATH_BYTES];
    int rc;

    if (in < 0)
        return err_sys(e, "could not open \"%s\"", file);
    fresh_path(target, fresh);
    fd = open(fresh, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (fd < 0)
        return err_sys(e, "could not make \"%s\"", fresh);
    rc = pour(c, in, fd, most, file, out->sha, &out->bytes, e);
    (void)posix_fadvise(in, 0, 0, POSIX_FADV_DONTNEED);     /* what a backup read once nobody needs in memory */
    if (rc == 0 && want && strcmp(want, out->sha) != 0)
        rc = err_set(e, -EBADMSG, "\"%s\" is damaged: its bytes are not those that were sealed (SHA-256)", file);
    if (rc < 0) {
        unlink(fresh);
        return rc == -ENOSPC || rc == -EDQUOT ? err_wrap(e, rc, "the target \"%s\" is full", target) : rc;
    }
    return name_it(c, target, fresh, fd, out, e);
}

int object_put(struct copier *c, const char *target, struct str bytes, struct entry *out, struct err *e)
{
    AUTO_CLOSE int fd = -1;
    unsigned char digest[32];
    unsigned n = sizeof digest;
    char fresh[PATH_BYTES];
    int rc;

    fresh_path(target, fresh);
    fd = open(fresh, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (fd < 0)
        return err_sys(e, "could not make \"%s\"", fresh);
    if (EVP_Digest(bytes.n ? bytes.p : "", bytes.n, digest, &n, EVP_sha256(), NULL) != 1)
        return err_set(e, -ENOMEM, "no memory to copy");
    hex_of(digest, sizeof digest, out->sha);
    out->bytes = bytes.n;
    rc = file_write_all(fd, bytes, e);
    if (rc < 0) {
        unlink(fresh);
        return err_wrap(e, rc, "writing \"%s\"", fresh);
    }
    return name_it(c, target, fresh, fd, out, e);
}

int object_check(struct copier *c, const char *path, const char *sha, uint64_t bytes, struct err *e)
{
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    char got[SHA_HEX + 1];
    uint64_t n;
    int rc;

    if (fd < 0)
        return err_sys(e, "could not open \"%s\"", path);
    rc = pour(c, fd, -1, UINT64_MAX, path, got, &n, e);
    (void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    if (rc == 0 && (n != bytes || strcmp(got, sha) != 0))
        rc = err_set(e, -EBADMSG, "its bytes are not those that were copied (SHA-256)");
    return rc;
}

int object_get(struct copier *c, const char *target, const struct entry *x, const char *file, struct err *e)
{
    char path[PATH_BYTES], fresh[PATH_BYTES], sha[SHA_HEX + 1];
    AUTO_CLOSE int in = -1;
    AUTO_CLOSE int out = -1;
    uint64_t n;
    int rc;

    object_path(target, x->sha, path);
    in = open(path, O_RDONLY | O_CLOEXEC);
    if (in < 0)
        return err_sys(e, "could not open \"%s\"", path);
    rc = make_folder_of(file, e);
    if (rc < 0)
        return rc;
    snprintf(fresh, sizeof fresh, "%.4080s.restoring", file);
    out = open(fresh, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (out < 0)
        return err_sys(e, "could not make \"%s\"", fresh);
    rc = pour(c, in, out, UINT64_MAX, path, sha, &n, e);
    if (rc == 0 && (n != x->bytes || strcmp(sha, x->sha) != 0))
        rc = err_set(e, -EBADMSG, "the copy of \"%s\" is damaged: its bytes are not those that were copied (SHA-256)", x->path);
    /* Never set-user-ID: the list says what it likes, and it may be root who restores. */
    if (rc == 0 && fchmod(out, x->mode & 0777) < 0)
        rc = err_sys(e, "could not set the rights of \"%s\"", fresh);
    if (rc == 0 && fsync(out) < 0)
        rc = err_sys(e, "could not sync \"%s\"", fresh);
    if (rc == 0 && rename(fresh, file) < 0)
        rc = err_sys(e, "could not name \"%s\"", file);
    if (rc == 0)
        rc = sync_folder_of(file, e);
    if (rc < 0) {
        unlink(fresh);
        return rc;
    }
    c->done.copied_files++;
    c->done.copied_bytes += x->bytes;
    return 0;
}

/* --- sweeping --- */

static int by_sha(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

/* folder_in - a folder below another, never a link to one: what a sweep removes lies in the target, whoever else writes there. */
static DIR *folder_in(int above, const char *name)
{
    int fd = openat(above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);

    if (fd >= 0 && !d)
        close(fd);
    return d;
}

static void sweep_folder(int objects, const char *folder, const char *const *names, size_t count)
{
    DIR *d = folder_in(objects, folder);
    struct dirent *f;

    while (d && (f = readdir(d)) != NULL) {
        const char *name = f->d_name;

        if (name[0] == '.' || (count && bsearch(&name, names, count, sizeof *names, by_sha)))
            continue;
        unlinkat(dirfd(d), name, 0);
    }
    if (d)
        closedir(d);
    unlinkat(objects, folder, AT_REMOVEDIR);      /* an empty one goes */
}

int objects_sweep(const char *target, const struct listing *l, struct err *e)
{
    AUTO_FREE const char **names = calloc(l->count + 1, sizeof *names);
    char path[PATH_BYTES];
    struct dirent *f;
    DIR *d;

    if (!names)
        return err_set(e, -ENOMEM, "no memory to clear a backup");
    for (size_t i = 0; i < l->count; i++)
        names[i] = l->item[i].sha;
    qsort(names, l->count, sizeof *names, by_sha);
    snprintf(path, sizeof path, "%.3900s/objects", target);
    d = folder_in(AT_FDCWD, path);
    while (d && (f = readdir(d)) != NULL) {
        if (f->d_name[0] == '.' || strlen(f->d_name) != 2)
            continue;
        sweep_folder(dirfd(d), f->d_name, names, l->count);
    }
    if (d)
        closedir(d);
    fresh_path(target, path);
    unlink(path);
    return 0;
}
