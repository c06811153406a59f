/* restore.c - a backup proved, and a node made of it again. */
#include "backup/internal.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

int backup_verify(const char *target, const struct backup_options *o, struct backup_facts *facts, backup_complaint *say, struct err *e)
{
    struct copier c;
    struct listing l;
    bool damaged = false;
    int rc = copier_open(&c, o, e);

    if (rc < 0)
        return rc;
    rc = listing_read(target, &l, e);
    for (size_t i = 0; rc == 0 && i < l.count; i++) {
        const struct entry *x = &l.item[i];
        char path[PATH_BYTES];
        struct err why;
        int one;

        object_path(target, x->sha, path);
        one = object_check(&c, path, x->sha, x->bytes, &why);
        if (one == -ENOMEM)
            rc = err_set(e, one, "%s", why.text);
        else if (one < 0)
            say(o->arg, x->path, why.text);
        damaged = damaged || one < 0;
        c.done.files++;
        c.done.bytes += x->bytes;
    }
    copier_tell(&c, target, true);
    *facts = l.facts;
    listing_free(&l);
    copier_close(&c);
    return rc < 0 ? rc : damaged;
}

/* --- restoring --- */

static bool is_empty(const char *folder)
{
    DIR *d = opendir(folder);
    struct dirent *f;
    bool any = false;

    while (d && (f = readdir(d)) != NULL)
        any = any || (strcmp(f->d_name, ".") != 0 && strcmp(f->d_name, "..") != 0 && strcmp(f->d_name, "lost+found") != 0);
    if (d)
        closedir(d);
    return !any;
}

static int begin(const char *data, struct err *e)
{
    char path[PATH_BYTES];
    int rc = file_mkdirs(data, 0750, e);

    if (rc < 0)
        return rc;
    snprintf(path, sizeof path, "%.4000s/" RESTORING, data);
    if (file_exists(path))
        return 0;
    if (!is_empty(data))
        return err_set(e, -EINVAL, "\"%s\" is not empty: a node is restored into an empty folder", data);
    return file_write_atomic(path, STR("a restore was begun here and is not finished; run it again\n"), 0640, e);
}

/* own - what root makes belongs to whom the folder belongs, as whom the roles run; so do the folders on the way to it. */
static int own(const char *data, const char *path, struct err *e)
{
    char step[PATH_BYTES];
    struct stat owner, st;

    if (geteuid() != 0 || stat(data, &owner) < 0 || owner.st_uid == 0)
        return 0;
    for (const char *p = path; p; p = strchr(p + 1, '/')) {
        const char *next = strchr(p + 1, '/');

        snprintf(step, sizeof step, "%.2000s/%.*s", data, next ? (int)(next - path) : 2000, path);
        if (lstat(step, &st) == 0 && st.st_uid == 0 && lchown(step, owner.st_uid, owner.st_gid) < 0)
            return err_sys(e, "could not give \"%s\" to the owner of \"%s\"", step, data);
    }
    return 0;
}

/* plain_way - no folder on the way to a file is a link: what is restored stays below the folder, even where somebody was there before. */
static int plain_way(const char *data, const char *path, struct err *e)
{
    char step[PATH_BYTES];
    struct stat st;

    for (const char *p = strchr(path, '/'); p; p = strchr(p + 1, '/')) {
        snprintf(step, sizeof step, "%.2000s/%.*s", data, (int)(p - path), path);
        if (lstat(step, &st) < 0)
            return errno == ENOENT ? 0 : err_sys(e, "could not look at \"%s\"", step);
        if (!S_ISDIR(st.st_mode))
            return err_set(e, -EINVAL, "\"%s\" is no folder: a node is restored into an empty one", step);
    }
    return 0;
}

static int restore_one(struct copier *c, const char *target, const char *data, const struct entry *x, struct err *e)
{
    char path[PATH_BYTES];
    struct stat st;
    struct err why;
    int rc = plain_way(data, x->path, e);

    if (rc < 0)
        return rc;
    snprintf(path, sizeof path, "%.2000s/%.2000s", data, x->path);
    c->done.files++;
    c->done.bytes += x->bytes;
    /* What a restore that was broken off has made already. */
    if (lstat(path, &st) < 0 || !S_ISREG(st.st_mode) || (uint64_t)st.st_size != x->bytes || object_check(c, path, x->sha, x->bytes, &why) < 0)
        rc = object_get(c, target, x, path, e);
    return rc < 0 ? rc : own(data, x->path, e);
}

int backup_restore(const char *target, const char *data, const struct backup_options *o, struct backup_facts *facts, struct backup_progress *done, struct err *e)
{
    const struct entry *config;
    char path[PATH_BYTES];
    struct listing l;
    struct copier c;
    int rc = copier_open(&c, o, e);

    if (rc < 0)
        return rc;
    rc = listing_read(target, &l, e);
    if (rc == 0)
        rc = begin(data, e);
    for (size_t i = 0; rc == 0 && i < l.count; i++)
        if (strcmp(l.item[i].path, CONFIG_NAME) != 0)
            rc = restore_one(&c, target, data, &l.item[i], e);
    config = rc == 0 ? listing_find(&l, CONFIG_NAME) : NULL;
    if (rc == 0 && config)
        rc = restore_one(&c, target, data, config, e);
    if (rc == 0) {
        snprintf(path, sizeof path, "%.4000s/" RESTORING, data);
        rc = unlink(path) < 0 ? err_sys(e, "could not remove \"%s\"", path) : file_sync_dir(data, e);
    }
    copier_tell(&c, data, true);
    *facts = l.facts;
    *done = c.done;
    listing_free(&l);
    copier_close(&c);
    return rc;
}
