/* export.c - see export.h. */
#include "bin/export.h"
#include "base/file.h"
#include "parse/annex4.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <zlib.h>
#include <zstd.h>

#define NAME_MAX_BYTES 80          /* of a source, in a file's name */
#define NUMBER_MAX     9999
#define FLUSH_BYTES    (64u * KIB)
#define ZSTD_LEVEL     3
#define KEY_MAX        1100
#define PATH_MAX_BYTES 4400
#define BUCKETS        16384       /* a power of two */

/* A file that was begun. It is open only while bytes go to it: each time a frame of zstd or a member of gzip of its own. */
struct out {
    struct out *chain;             /* of the bucket */
    struct out *newer, *older;     /* by the last event */
    char       *key;               /* class, source and day */
    char       *head;              /* OUT/class/name-day, to which a number comes */
    bool        begun;             /* NAME.part is there */
    uint64_t    bytes;             /* plain, written */
    struct buf  plain;             /* what waits */
};
struct export {
    struct export_options o;
    struct export_counts  counts;
    struct out           *buckets[BUCKETS], *newest, *oldest;
    size_t                count, held;   /* files; bytes that wait in all of them */
    struct arena          arena;
    struct buf            squeezed;
    ZSTD_CCtx            *zstd;
    z_stream              gzip;
    bool                  gzip_open;
};

static int open_coding(struct export *x)
{
    if (x->o.coding == EXPORT_ZSTD) {
        x->zstd = ZSTD_createCCtx();
        if (!x->zstd)
            return -ENOMEM;
        (void)ZSTD_CCtx_setParameter(x->zstd, ZSTD_c_compressionLevel, ZSTD_LEVEL);
        (void)ZSTD_CCtx_setParameter(x->zstd, ZSTD_c_checksumFlag, 1);
    } else if (x->o.coding == EXPORT_GZIP) {
        x->gzip_open = deflateInit2(&x->gzip, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK;
        return x->gzip_open ? 0 : -ENOMEM;
    }
    return 0;
}

int export_new(const struct export_options *o, struct export **out, struct err *e)
{
    struct export *x = calloc(1, sizeof *x);
    int rc;

    if (!x)
        return err_set(e, -ENOMEM, "no memory for an export");
    x->o = *o;
    arena_init(&x->arena, 0);
    buf_init(&x->squeezed, 0);
    rc = open_coding(x) < 0 ? err_set(e, -ENOMEM, "no memory to compress") : file_mkdirs(o->folder, 0750, e);
    if (rc < 0)
        export_free(&x);
    *out = x;
    return rc;
}

struct export_counts export_counts(const struct export *x) { return x->counts; }

/* --- bytes --- */

static int squeeze_zstd(struct export *x, struct str plain, struct err *e)
{
    size_t bound = ZSTD_compressBound(plain.n), n;
    char *room = buf_room(&x->squeezed, bound);

    if (!room)
        return err_set(e, -ENOMEM, "no memory to compress");
    n = ZSTD_compress2(x->zstd, room, bound, plain.p, plain.n);
    if (ZSTD_isError(n))
        return err_set(e, -EIO, "could not compress: %s", ZSTD_getErrorName(n));
    x->squeezed.n += n;
    return 0;
}

static int squeeze_gzip(struct export *x, struct str plain, struct err *e)
{
    size_t bound = deflateReset(&x->gzip) == Z_OK ? deflateBound(&x->gzip, plain.n) : 0;
    char *room = bound ? buf_room(&x->squeezed, bound) : NULL;

    if (!room)
        return err_set(e, -ENOMEM, "no memory to compress");
    x->gzip.next_in = (Bytef *)(uintptr_t)plain.p;
    x->gzip.avail_in = (uInt)plain.n;
    x->gzip.next_out = (Bytef *)room;
    x->gzip.avail_out = (uInt)bound;
    if (deflate(&x->gzip, Z_FINISH) != Z_STREAM_END)
        return err_set(e, -EIO, "could not compress");
    x->squeezed.n += bound - x->gzip.avail_out;
    return 0;
}

/* --- files --- */

static const char *ending(const struct export *x)
{
    static const char *const endings[2][3] = { { ".log.zst", ".log.gz", ".log" }, { ".jsonl.zst", ".jsonl.gz", ".jsonl" } };

    return endings[x->o.form == EXPORT_JSON][x->o.coding];
}

static const char *part_of(const struct export *x, const struct out *f, char path[PATH_MAX_BYTES])
{
    snprintf(path, PATH_MAX_BYTES, "%s-%ld%s.part", f->head, (long)getpid(), ending(x));
    return path;
}

/* append - bytes to the end of NAME.part; sync: and it is on the disk. */
static int append(struct export *x, struct out *f, struct str bytes, bool sync, struct err *e)
{
    char part[PATH_MAX_BYTES];
    int fd = open(part_of(x, f, part), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | (f->begun ? O_APPEND : O_TRUNC), 0640), rc;

    if (fd < 0)
        return err_sys(e, "could not create \"%s\"", part);
    f->begun = true;
    rc = bytes.n ? file_write_all(fd, bytes, e) : 0;
    if (rc == 0 && sync && fsync(fd) < 0)
        rc = err_sys(e, "could not sync \"%s\"", part);
    close(fd);
    return rc;
}

/* flush - what waits goes to the file. */
static int flush(struct export *x, struct out *f, bool sync, struct err *e)
{
    struct str bytes = buf_view(&f->plain);
    size_t n = f->plain.n;
    int rc = 0;

    if (buf_failed(&f->plain))
        return err_set(e, -ENOMEM, "no memory for a record");
    buf_reset(&x->squeezed);
    if (n && x->o.coding == EXPORT_ZSTD)
        rc = squeeze_zstd(x, bytes, e);
    else if (n && x->o.coding == EXPORT_GZIP)
        rc = squeeze_gzip(x, bytes, e);
    if (rc == 0 && x->o.coding != EXPORT_PLAIN)
        bytes = buf_view(&x->squeezed);
    if (rc == 0)
        rc = append(x, f, bytes, sync, e);
    f->bytes += n;
    x->counts.bytes += n;
    x->held -= min_size(x->held, n);
    buf_free(&f->plain);
    buf_init(&f->plain, 0);
    return rc;
}

/* move_to - never over a file that is there. Sticks (FAT) know no second name of a file, some file systems of networks no such renaming: the other way then. */
static int move_to(const char *from, const char *to)
{
    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -1;
    return link(from, to) == 0 ? unlink(from) : -1;
}

/* name_it - NAME.part becomes NAME, with the first number that is free. */
static int name_it(const struct export *x, struct out *f, struct err *e)
{
    char part[PATH_MAX_BYTES], name[PATH_MAX_BYTES];

    part_of(x, f, part);
    for (unsigned n = 1; n <= NUMBER_MAX; n++) {
        snprintf(name, sizeof name, "%s-%04u%s", f->head, n, ending(x));
        if (move_to(part, name) == 0) {
            *strrchr(name, '/') = 0;
            return file_sync_dir(name, e);
        }
        if (errno != EEXIST)
            return err_sys(e, "could not name \"%s\"", name);
    }
    return err_set(e, -EEXIST, "there are %d files \"%s-…\" already", NUMBER_MAX, f->head);
}

static void forget(struct export *x, struct out *f)
{
    struct out **at = &x->buckets[str_hash(str_c(f->key)) & (BUCKETS - 1)];

    while (*at != f)
        at = &(*at)->chain;
    *at = f->chain;
    *(f->newer ? &f->newer->older : &x->newest) = f->older;
    *(f->older ? &f->older->newer : &x->oldest) = f->newer;
    x->count--;
    x->held -= min_size(x->held, f->plain.n);
    buf_free(&f->plain);
    free(f->key);
    free(f->head);
    free(f);
}

static int finish(struct export *x, struct out *f, struct err *e)
{
    char part[PATH_MAX_BYTES];
    int rc = flush(x, f, true, e);

    if (rc == 0)
        rc = name_it(x, f, e);
    if (rc < 0)
        unlink(part_of(x, f, part));
    else
        x->counts.files++;
    forget(x, f);
    return rc;
}

/* safe_name - of a source: what is no letter, digit, '.', '-' or '_' becomes '_', and a hash tells those apart that become the same. */
static void safe_name(struct str source, char out[NAME_MAX_BYTES + 16])
{
    size_t n = 0;

    for (size_t i = 0; i < source.n && n < NAME_MAX_BYTES; i++) {
        char c = source.p[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || (c == '.' && n > 0);

        if (plain || n > 0)
            out[n++] = plain ? c : '_';
    }
    snprintf(out + n, 16, "%s%08x", n ? "-" : "", (unsigned)(str_hash(source) & 0xffffffff));
}

/* head_of - OUT/class/name-day; the folder of the class is made. */
static int head_of(const struct export *x, enum event_class class, struct str source, int64_t day, char out[PATH_MAX_BYTES], struct err *e)
{
    const char *folder = class == CLASS_NONE ? "unclassified" : event_class_name(class);
    char name[NAME_MAX_BYTES + 16] = "all", path[4100], when[16] = "";
    struct civil c = civil_from_days(day);
    int rc;

    if (!x->o.by_class)
        safe_name(source, name);
    if (x->o.daily)
        snprintf(when, sizeof when, "-%04d%02d%02d", c.year % 10000, c.month, c.day);
    snprintf(path, sizeof path, "%.3900s/%s", x->o.folder, folder);
    rc = file_mkdirs(path, 0750, e);
    if (rc == 0)
        snprintf(out, PATH_MAX_BYTES, "%.3980s/%s%s", path, name, when);
    return rc;
}

static void link_newest(struct export *x, struct out *f)
{
    f->newer = NULL;
    f->older = x->newest;
    *(f->older ? &f->older->newer : &x->oldest) = f;
    x->newest = f;
}

static int begin(struct export *x, const char *key, enum event_class class, struct str source, int64_t day, struct out **out, struct err *e)
{
    struct out **bucket = &x->buckets[str_hash(str_c(key)) & (BUCKETS - 1)], *f;
    char head[PATH_MAX_BYTES];
    int rc = head_of(x, class, source, day, head, e);

    if (rc < 0)
        return rc;
    f = calloc(1, sizeof *f);
    if (f) {
        f->key = strdup(key);
        f->head = strdup(head);
    }
    if (!f || !f->key || !f->head) {
        if (f) {
            free(f->key);
            free(f->head);
        }
        free(f);
        return err_set(e, -ENOMEM, "no memory for a file");
    }
    buf_init(&f->plain, 0);
    f->chain = *bucket;
    *bucket = f;
    link_newest(x, f);
    x->count++;
    if (x->o.form == EXPORT_ANNEX4)
        annex4_header(class, &f->plain);
    x->held += f->plain.n;
    *out = f;
    return 0;
}

static struct out *find(struct export *x, const char *key)
{
    struct out *f = x->buckets[str_hash(str_c(key)) & (BUCKETS - 1)];

    while (f && strcmp(f->key, key) != 0)
        f = f->chain;
    if (f && x->newest != f) {
        *(f->newer ? &f->newer->older : &x->newest) = f->older;
        *(f->older ? &f->older->newer : &x->oldest) = f->newer;
        link_newest(x, f);
    }
    return f;
}

/* file_for - the file of this class, source and day, begun if need be. */
static int file_for(struct export *x, enum event_class class, struct str source, int64_t day, struct out **out, struct err *e)
{
    char key[KEY_MAX];
    int rc = 0;

    snprintf(key, sizeof key, "%d %lld %.*s", (int)class, (long long)(x->o.daily ? day : 0), x->o.by_class ? 0 : (int)min_size(source.n, 1000),
             source.n ? source.p : "");
    *out = find(x, key);
    if (*out && x->o.rotate_bytes && (*out)->bytes + (*out)->plain.n >= x->o.rotate_bytes) {
        rc = finish(x, *out, e);
        *out = NULL;
    }
    if (rc == 0 && !*out && x->count >= EXPORT_FILES_MAX)
        rc = finish(x, x->oldest, e);
    return rc < 0 || *out ? rc : begin(x, key, class, source, day, out, e);
}

/* make_room - what waits for longest goes to its files, until half of the room is free. */
static int make_room(struct export *x, struct err *e)
{
    int rc = 0;

    for (struct out *f = x->oldest; f && rc == 0 && x->held > EXPORT_HELD_MAX / 2; f = f->newer)
        if (f->plain.n)
            rc = flush(x, f, false, e);
    return rc;
}

int export_add(struct export *x, const struct event *ev, struct err *e)
{
    enum event_class class = ev->class == CLASS_NONE && x->o.form == EXPORT_ANNEX4 ? x->o.unclassified : ev->class;
    int32_t zone = ev->offset_min == EVENT_OFFSET_NONE ? x->o.zone_min : ev->offset_min;
    int64_t local = ev->time + zone * NS_PER_MINUTE, day = local >= 0 ? local / NS_PER_DAY : -((-local + NS_PER_DAY - 1) / NS_PER_DAY);
    struct out *f = NULL;
    size_t before;
    int rc;

    if (x->o.form == EXPORT_ANNEX4 && class == CLASS_NONE) {
        x->counts.left_out++;
        return 0;
    }
    rc = file_for(x, class, ev->source, day, &f, e);
    if (rc < 0)
        return rc;
    arena_reset(&x->arena);
    before = f->plain.n;
    if (x->o.form == EXPORT_ANNEX4) {
        annex4_record(ev, class, x->o.zone_min, &x->arena, &f->plain);
    } else {
        if (x->o.form == EXPORT_JSON)
            event_json(ev, &f->plain);
        else
            buf_str(&f->plain, ev->original);
        buf_byte(&f->plain, '\n');
    }
    x->counts.events++;
    x->held += f->plain.n - before;
    if (buf_failed(&f->plain))
        return err_set(e, -ENOMEM, "no memory for a record");
    rc = f->plain.n >= FLUSH_BYTES ? flush(x, f, false, e) : 0;
    return rc == 0 && x->held > EXPORT_HELD_MAX ? make_room(x, e) : rc;
}

int export_end(struct export *x, struct err *e)
{
    int rc = 0;

    while (x->oldest && rc == 0)
        rc = finish(x, x->oldest, e);
    return rc;
}

void export_free(struct export **out)
{
    struct export *x = *out;
    char part[PATH_MAX_BYTES];

    if (!x)
        return;
    while (x->oldest) {
        if (x->oldest->begun)
            unlink(part_of(x, x->oldest, part));
        forget(x, x->oldest);
    }
    ZSTD_freeCCtx(x->zstd);
    if (x->gzip_open)
        deflateEnd(&x->gzip);
    arena_free(&x->arena);
    buf_free(&x->squeezed);
    free(x);
    *out = NULL;
}
