/* files.c - into files of a folder: JSON lines or the lines as they came, rotated by size and time, compressed.
 *
 * What gathered is written as a part of the open file (a zstd frame or a gzip member of its own, so that a file can be read up to any of them) and synced; then
 * DATA/forward/STREAM.files says how long the file is and which event comes next; then the place in the journal moves. After a fall the file is cut back to the
 * length that is written there, so nothing stands in it twice. A file has its name for good once nothing more comes into it; before it ends with .part.
 *
 *      write, sync ──► STREAM.files: file, length, next event ──► acknowledged          full or old: sync ──► rename ──► STREAM.files: no file */
#include "forward/internal.h"
#include "base/file.h"
#include "base/log.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <zlib.h>
#include <zstd.h>

#define STATE       "files"           /* DATA/forward/STREAM.files */
#define PATH_ROOM   8192
#define NAME_ROOM   160
#define PENDING_MAX (64u * MIB)
#define ZSTD_LEVEL  3
#define GZIP_WINDOW (15 + 16)         /* zlib: with the head of gzip */

enum packing { PACK_NONE, PACK_GZIP, PACK_ZSTD };
static const char *const packings[] = { "none", "gzip", "zstd" };
static const char *const endings[] = { "", ".gz", ".zst" };

struct filing {
    int          fd;                  /* the open file, -1: none */
    char         name[NAME_ROOM];     /* of it, without .part; empty: none */
    uint64_t     size, next;
    time_ns      created;             /* UTC, of the open file */
    struct buf   pending, packed;
    uint64_t     events, pending_next, first;
    enum packing packing;
    bool         original;
    uint64_t     max_bytes;
    time_ns      every;
};

static const char *const names[] = { "format", "compression", "every_s", "max_mib", NULL };

static int packing_of(const struct upstream_conf *c)
{
    const char *s = upstream_option(c, "compression");

    for (size_t i = 0; s && *s && i < COUNT(packings); i++)
        if (strcmp(s, packings[i]) == 0)
            return (int)i;
    return s && *s ? -1 : PACK_ZSTD;
}

static int check(const struct upstream_conf *c, const char *file, struct err *e)
{
    const char *format = upstream_option(c, "format");
    uint64_t n = 0;
    int rc = upstream_only(c, file, names, e);

    if (rc < 0)
        return rc;
    if (*c->address != '/')
        return upstream_bad(c, file, NULL, e, "\"address\" must be a folder with its whole path");
    if (format && strcmp(format, "json") != 0 && strcmp(format, "original") != 0)
        return upstream_bad(c, file, "format", e, "\"format\" must be json or original");
    if (packing_of(c) < 0)
        return upstream_bad(c, file, "compression", e, "\"compression\" must be zstd, gzip or none");
    if (!upstream_whole(c, "every_s", 1, 86400 * 31, &n))
        return upstream_bad(c, file, "every_s", e, "\"every_s\" must be a whole number of seconds from 1 to 2678400");
    if (!upstream_whole(c, "max_mib", 1, 65536, &n))
        return upstream_bad(c, file, "max_mib", e, "\"max_mib\" must be a whole number from 1 to 65536");
    return 0;
}

static void rights(const struct upstream_conf *c, const struct upstream_rights *r) { r->write(r->arg, c->address); }

static int open_files(struct upstream *u, struct err *e)
{
    struct filing *s = calloc(1, sizeof *s);
    const char *format = upstream_option(u->conf, "format");
    uint64_t mib = 64, every = 3600;

    if (!s)
        return err_set(e, -ENOMEM, "no memory for an upstream");
    (void)upstream_whole(u->conf, "max_mib", 1, 65536, &mib);
    (void)upstream_whole(u->conf, "every_s", 1, 86400 * 31, &every);
    *s = (struct filing){ .fd = -1, .packing = (enum packing)packing_of(u->conf), .original = format && strcmp(format, "original") == 0,
                          .max_bytes = mib * MIB, .every = (time_ns)every * NS_PER_SECOND };
    u->state = s;
    return 0;
}

static void disconnect_files(struct upstream *u)
{
    struct filing *s = u->state;

    if (!s)
        return;
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
    s->name[0] = 0;
    s->events = 0;
    buf_free(&s->pending);
    buf_free(&s->packed);
}

static void close_files(struct upstream *u)
{
    disconnect_files(u);
    free(u->state);
    u->state = NULL;
}

/* --- what is written down --- */

/* label - what names of files begin with: a replay beside the role has its own. */
static const char *label(const struct upstream *u) { return str_starts(str_c(u->stream), STR("replay-")) ? u->stream : u->conf->name; }

static void file_path(const struct upstream *u, const struct filing *s, bool part, char out[PATH_ROOM])
{
    snprintf(out, PATH_ROOM, "%.4000s/%s%s", u->conf->address, s->name, part ? ".part" : "");
}

static int state_save(const struct upstream *u, const struct filing *s, struct err *e)
{
    return note_write(u, STATE, e, "%s %llu %llu %lld %s\n", u->stream, (unsigned long long)s->next, (unsigned long long)s->size, (long long)s->created,
                      *s->name ? s->name : "-");
}

/* state_load - of this numbering; what another one wrote is left as it is. */
static int state_load(struct upstream *u, struct filing *s, struct err *e)
{
    char path[NOTE_PATH], text[NOTE_TEXT], stream[UPSTREAM_STREAM_MAX] = "", name[NAME_ROOM] = "";
    unsigned long long next = 0, size = 0;
    long long created = 0;
    int rc;

    note_path(u, STATE, path);
    s->next = s->size = 0;
    s->name[0] = 0;
    rc = note_read(path, text, e);
    if (rc > 0 && sscanf(text, "%63s %llu %llu %lld %159s", stream, &next, &size, &created, name) != 5)
        return err_set(e, -EBADMSG, "\"%s\" cannot be read: it tells how far the files are", path);
    if (rc < 0 || strcmp(stream, u->stream) != 0)
        return rc < 0 ? rc : 0;
    s->next = next;
    s->size = size;
    s->created = created;
    if (strcmp(name, "-") != 0 && !strchr(name, '/'))
        snprintf(s->name, sizeof s->name, "%s", name);
    return 0;
}

/* --- the open file --- */

/* reopen - the file that is written down, cut back to its length. One that is not there has its name already, or was taken away. */
static int reopen(struct upstream *u, struct filing *s, struct err *e)
{
    char path[PATH_ROOM];
    struct stat st;

    if (!*s->name)
        return 0;
    file_path(u, s, true, path);
    s->fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    if (s->fd < 0 && errno == ENOENT) {
        s->name[0] = 0;
        return 0;
    }
    if (s->fd < 0 || fstat(s->fd, &st) < 0)
        return err_sys(e, "could not open \"%s\"", path);
    if ((uint64_t)st.st_size < s->size)
        return err_set(e, -EBADMSG, "\"%s\" is shorter than what was written: move it away", path);
    if (ftruncate(s->fd, (off_t)s->size) < 0)
        return err_sys(e, "could not cut \"%s\" back", path);
    return 0;
}

/* ours - an unfinished file of this upstream: "NAME-20261127T100000Z-…part". */
static bool ours(const struct upstream *u, struct str name)
{
    static const char form[] = "-00000000T000000Z-";
    size_t n = strlen(label(u));

    if (name.n < n + sizeof form || !str_starts(name, str_c(label(u))) || !str_ends(name, STR(".part")))
        return false;
    for (size_t i = 0; form[i]; i++) {
        char c = name.p[n + i];

        if (form[i] == '0' ? c < '0' || c > '9' : c != form[i])
            return false;
    }
    return true;
}

/* length_elsewhere - of an unfinished file that another numbering of this upstream wrote down; false: none did. name without .part. */
static bool length_elsewhere(const struct upstream *u, struct str name, off_t *length)
{
    char path[PATH_ROOM], text[NOTE_TEXT], stream[UPSTREAM_STREAM_MAX], known[NAME_ROOM];
    unsigned long long size;
    struct dirent *f;
    bool found = false;
    DIR *d;

    snprintf(path, sizeof path, "%.4000s/forward", u->data);
    d = opendir(path);
    while (d && !found && (f = readdir(d)) != NULL) {
        if (!str_ends(str_c(f->d_name), STR("." STATE)))
            continue;
        snprintf(path, sizeof path, "%.4000s/forward/%.255s", u->data, f->d_name);
        if (note_read(path, text, NULL) <= 0)
            continue;
        found = sscanf(text, "%63s %*u %llu %*d %159s", stream, &size, known) == 3 && strcmp(stream, u->stream) != 0 && str_eq(name, str_c(known));
        *length = found ? (off_t)size : 0;
    }
    if (d)
        closedir(d);
    return found;
}

/* close_other - an unfinished file of another numbering, in which acknowledged events stand, gets its name: nothing more comes into it. */
static bool close_other(const struct upstream *u, int folder, const char *part)
{
    struct str name = str_of(part, strlen(part) - 5);
    char whole[NAME_ROOM + 256];
    AUTO_CLOSE int fd = -1;
    struct stat st;
    off_t length;

    if (!length_elsewhere(u, name, &length))
        return false;
    snprintf(whole, sizeof whole, "%.*s", STR_ARG(name));
    fd = openat(folder, part, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0 || (st.st_size > length && ftruncate(fd, length) < 0) || fsync(fd) < 0 || renameat(folder, part, folder, whole) < 0)
        log_line(LOG_WARN, "could not close an unfinished file of a former numbering", "saqshy.upstream", u->conf->name, "file.name", part, NULL);
    return true;
}

/* sweep - files that were begun and never written down: nothing in them was acknowledged. */
static void sweep(const struct upstream *u, const struct filing *s)
{
    DIR *d = opendir(u->conf->address);
    struct dirent *f;

    while (d && (f = readdir(d)) != NULL) {
        struct str name = str_c(f->d_name);

        if (!ours(u, name) || (*s->name && str_eq(str_of(name.p, name.n - 5), str_c(s->name))) || close_other(u, dirfd(d), f->d_name))
            continue;
        if (unlinkat(dirfd(d), f->d_name, 0) < 0)
            log_line(LOG_WARN, "could not remove an unfinished file", "saqshy.upstream", u->conf->name, "file.name", f->d_name, NULL);
    }
    if (d)
        closedir(d);
}

static int connect_files(struct upstream *u, struct err *e)
{
    struct filing *s = u->state;
    int rc = file_mkdirs(u->conf->address, 0750, e);

    buf_init(&s->pending, PENDING_MAX);
    buf_init(&s->packed, PENDING_MAX + MIB);
    s->events = 0;
    if (rc == 0)
        rc = state_load(u, s, e);
    if (rc == 0)
        sweep(u, s);
    if (rc == 0)
        rc = reopen(u, s, e);
    if (rc == 0)
        upstream_acked(u, s->next, 0, 0);
    return rc;
}

static int begin_file(struct upstream *u, struct filing *s, struct err *e)
{
    char path[PATH_ROOM], at[32] = "";
    time_t seconds;
    struct tm tm;
    int rc;

    s->created = clock_now();
    seconds = (time_t)(s->created / NS_PER_SECOND);
    if (gmtime_r(&seconds, &tm))
        strftime(at, sizeof at, "%Y%m%dT%H%M%SZ", &tm);
    snprintf(s->name, sizeof s->name, "%s-%s-%llu%s%s", label(u), at, (unsigned long long)s->first, s->original ? ".log" : ".jsonl", endings[s->packing]);
    s->size = 0;
    file_path(u, s, true, path);
    s->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0640);
    if (s->fd < 0) {
        rc = err_sys(e, "could not make \"%s\"", path);
        s->name[0] = 0;
        return rc;
    }
    return file_sync_dir(u->conf->address, e);
}

/* finish_file - nothing more comes into it. */
static int finish_file(struct upstream *u, struct filing *s, struct err *e)
{
    char part[PATH_ROOM], path[PATH_ROOM];
    int rc;

    if (s->fd < 0)
        return 0;
    file_path(u, s, true, part);
    file_path(u, s, false, path);
    close(s->fd);
    s->fd = -1;
    if (rename(part, path) < 0)
        return err_sys(e, "could not give \"%s\" its name", path);
    rc = file_sync_dir(u->conf->address, e);
    s->name[0] = 0;
    s->size = 0;
    return rc < 0 ? rc : state_save(u, s, e);
}

static int gzip(struct filing *s, struct err *e)
{
    z_stream z = { .next_in = (unsigned char *)s->pending.p, .avail_in = (unsigned)s->pending.n };
    size_t room;
    int done;

    if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return err_set(e, -ENOMEM, "no memory to compress");
    room = deflateBound(&z, s->pending.n);
    z.next_out = (unsigned char *)buf_room(&s->packed, room);
    z.avail_out = z.next_out ? (unsigned)room : 0;
    done = z.next_out ? deflate(&z, Z_FINISH) : Z_MEM_ERROR;
    s->packed.n = done == Z_STREAM_END ? (size_t)z.total_out : 0;
    deflateEnd(&z);
    return done == Z_STREAM_END ? 0 : err_set(e, -ENOMEM, "no memory to compress");
}

static int pack(struct filing *s, struct str *out, struct err *e)
{
    size_t room = ZSTD_compressBound(s->pending.n), n;
    char *to;
    int rc;

    *out = buf_view(&s->pending);
    if (s->packing == PACK_NONE)
        return 0;
    buf_reset(&s->packed);
    if (s->packing == PACK_GZIP) {
        rc = gzip(s, e);
        *out = buf_view(&s->packed);
        return rc;
    }
    to = buf_room(&s->packed, room);
    n = to ? ZSTD_compress(to, room, s->pending.p, s->pending.n, ZSTD_LEVEL) : 0;
    if (!to || ZSTD_isError(n))
        return err_set(e, -ENOMEM, "no memory to compress");
    *out = str_of(to, n);
    return 0;
}

/* flush - what gathered is in the file, on disk, and acknowledged. */
static int flush(struct upstream *u, struct err *e)
{
    struct filing *s = u->state;
    struct str bytes;
    int rc;

    if (s->events == 0)
        return 0;
    rc = pack(s, &bytes, e);
    if (rc == 0 && s->fd < 0)
        rc = begin_file(u, s, e);
    if (rc == 0)
        rc = file_write_all(s->fd, bytes, e);
    if (rc == 0 && fdatasync(s->fd) < 0)
        rc = err_sys(e, "could not write \"%s\" to the disk", s->name);
    if (rc < 0)
        return rc;
    s->size += bytes.n;
    s->next = s->pending_next;
    rc = state_save(u, s, e);
    if (rc < 0)
        return rc;
    upstream_acked(u, s->next, s->events, bytes.n);
    s->events = 0;
    buf_reset(&s->pending);
    return s->size >= s->max_bytes ? finish_file(u, s, e) : 0;
}

static int send_files(struct upstream *u, const struct event *events, size_t count, uint64_t next_seq, struct err *e)
{
    struct filing *s = u->state;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < count; i++) {
        if (s->events == 0)
            s->first = events[i].seq;
        if (s->original)
            buf_str(&s->pending, events[i].original);
        else
            event_json(&events[i], &s->pending);
        buf_byte(&s->pending, '\n');
        s->events++;
        s->pending_next = i + 1 < count ? events[i].seq + 1 : next_seq;
        if (buf_failed(&s->pending))
            return err_set(e, -ENOMEM, "no memory for lines of a file");
        if (s->pending.n >= (size_t)u->conf->limits.batch_bytes)
            rc = flush(u, e);
    }
    return rc;
}

static int settle_files(struct upstream *u, int wait_ms, struct err *e)
{
    struct filing *s = u->state;
    int rc = flush(u, e);

    (void)wait_ms;
    if (rc == 0 && s->fd >= 0 && clock_now() - s->created >= s->every)
        rc = finish_file(u, s, e);
    return rc;
}

const struct upstream_kind files_upstream = {
    .type = UPSTREAM_files, .check = check, .rights = rights, .open = open_files, .connect = connect_files, .send = send_files, .settle = settle_files,
    .disconnect = disconnect_files, .close = close_files,
};
