/* cursor.c - where each reader stands, and cutting what nobody needs any more. */
#include "journal/internal.h"
#include "base/file.h"

#include <dirent.h>

static int cursor_path(const char *folder, const char *name, char out[PATH_BYTES], struct err *e)
{
    for (const char *p = name; *p; p++)
        if (!((*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9') || *p == '-' || *p == '_'))
            return err_set(e, -EINVAL, "a cursor's name has small letters, digits, '-' and '_' only, not \"%s\"", name);
    if (snprintf(out, PATH_BYTES, "%s/cursors/%s", folder, name) >= (int)PATH_BYTES)
        return err_set(e, -ENAMETOOLONG, "path of cursor \"%s\" is too long", name);
    return 0;
}

int journal_cursor_set(const char *folder, const char *name, uint64_t seq, struct err *e)
{
    char path[PATH_BYTES], dir[PATH_BYTES], text[32];
    int rc = cursor_path(folder, name, path, e);

    if (rc < 0)
        return rc;
    snprintf(dir, sizeof dir, "%s/cursors", folder);
    rc = file_mkdirs(dir, 0750, e);
    if (rc < 0)
        return rc;
    snprintf(text, sizeof text, "%llu\n", (unsigned long long)seq);
    return file_write_atomic(path, str_c(text), 0640, e);
}

static int read_cursor(const char *path, uint64_t *seq, struct err *e)
{
    AUTO_BUF struct buf b;
    int rc;

    buf_init(&b, 128 * KIB);
    rc = file_read(path, 64, &b, e);
    if (rc < 0)
        return rc;
    return str_u64(str_trim(buf_view(&b)), seq) ? 0 : err_set(e, -EBADMSG, "\"%s\" holds no number", path);
}

int journal_cursor_get(const char *folder, const char *name, uint64_t *seq, struct err *e)
{
    char path[PATH_BYTES];
    int rc = cursor_path(folder, name, path, e);

    *seq = 0;
    if (rc < 0)
        return rc;
    return file_exists(path) ? read_cursor(path, seq, e) : 0;
}

/* slowest - the smallest of all cursors; false if there is none or one cannot be read (then nothing may be cut). */
static bool slowest(const char *folder, uint64_t *seq)
{
    char dir[PATH_BYTES], path[PATH_BYTES];
    struct dirent *f;
    bool any = false, sound = true;
    DIR *d;

    *seq = UINT64_MAX;
    snprintf(dir, sizeof dir, "%s/cursors", folder);
    d = opendir(dir);
    while (d && (f = readdir(d)) != NULL) {
        size_t n = strlen(f->d_name);
        uint64_t one;

        if (f->d_name[0] == '.' || (n > 4 && strcmp(f->d_name + n - 4, ".tmp") == 0))
            continue;
        snprintf(path, sizeof path, "%.3000s/%.255s", dir, f->d_name);
        if (read_cursor(path, &one, NULL) < 0) {
            sound = false;
            continue;
        }
        any = true;
        if (one < *seq)
            *seq = one;
    }
    if (d)
        closedir(d);
    return any && sound;
}

int journal_cut(const char *folder, uint64_t keep_from_seq, size_t *removed, struct err *e)
{
    struct segments s;
    uint64_t keep;
    size_t count = 0;
    int rc;

    if (removed)
        *removed = 0;
    if (!slowest(folder, &keep))
        return 0;
    if (keep_from_seq < keep)
        keep = keep_from_seq;
    rc = segments_list(folder, &s, e);
    if (rc < 0)
        return rc;
    for (size_t i = 0; rc == 0 && i + 1 < s.count && s.first_seq[i + 1] <= keep; i++) {
        char path[PATH_BYTES];

        segment_path(folder, s.first_seq[i], path);
        if (unlink(path) < 0 && errno != ENOENT)
            rc = err_sys(e, "could not remove \"%s\"", path);
        else
            count++;
    }
    segments_free(&s);
    if (removed)
        *removed = count;
    return rc;
}
