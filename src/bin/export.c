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

struct out {
    bool       used;
    char       key[KEY_MAX];       /* class and source */
    int64_t    day;
    uint64_t   touched;
    int        fd;
    char       part[4300], head[4200];   /* OUT/class/name-day, to which a number comes */
    uint64_t   bytes;              /* plain */
    struct buf plain;
    ZSTD_CCtx *zstd;
    z_stream   gzip;
    bool       gzip_open;
};
struct export {
    struct export_options o;
    struct export_counts  counts;
    struct out            outs[EXPORT_OPEN_MAX];
    uint64_t              clock;
    struct arena          arena;
    struct buf            squeezed;
};

int export_new(const struct export_options *o, struct export **out, struct err *e)
{
    struct export *x = calloc(1, sizeof *x);
    int rc;

    if (!x)
        return err_set(e, -ENOMEM, "no memory for an export");
    x->o = *o;
    arena_init(&x->arena, 0);
    buf_init(&x->squeezed, 0);
    for (size_t i = 0; i < EXPORT_OPEN_MAX; i++)
        x->outs[i].fd = -1;
    rc = file_mkdirs(o->folder, 0750, e);
    if (rc < 0)
        export_free(&x);
    *out = x;
    return rc;
}

struct export_counts export_counts(const struct export *x) { return x->counts; }

/* --- bytes --- */

static int squeeze_zstd(struct export *x, struct out *f, bool end, struct err *e)
{
    ZSTD_inBuffer in = { f->plain.p, f->plain.n, 0 };
    size_t left;

    do {
        char *room = buf_room(&x->squeezed, ZSTD_CStreamOutSize());
        ZSTD_outBuffer o = { room, ZSTD_CStreamOutSize(), 0 };

        if (!room)
            return err_set(e, -ENOMEM, "no memory to compress");
        left = ZSTD_compressStream2(f->zstd, &o, &in, end ? ZSTD_e_end : ZSTD_e_continue);
        if (ZSTD_isError(left))
            return err_set(e, -EIO, "could not compress: %s", ZSTD_getErrorName(left));
        x->squeezed.n += o.pos;
    } while (in.pos < in.size || (end && left > 0));
    return 0;
}

static int squeeze_gzip(struct export *x, struct out *f, bool end, struct err *e)
{
    int z = Z_OK;

    f->gzip.next_in = (Bytef *)f->plain.p;
    f->gzip.avail_in = (uInt)f->plain.n;
    do {
        char *room = buf_room(&x->squeezed, FLUSH_BYTES);

        if (!room)
            return err_set(e, -ENOMEM, "no memory to compress");
        f->gzip.next_out = (Bytef *)room;
        f->gzip.avail_out = FLUSH_BYTES;
        z = deflate(&f->gzip, end ? Z_FINISH : Z_NO_FLUSH);
        if (z == Z_STREAM_ERROR)
            return err_set(e, -EIO, "could not compress");
        x->squeezed.n += FLUSH_BYTES - f->gzip.avail_out;
    } while (f->gzip.avail_in > 0 || f->gzip.avail_out == 0 || (end && z != Z_STREAM_END));
    return 0;
}

/* flush - what waits goes to the file; end: and the frame is closed. */
static int flush(struct export *x, struct out *f, bool end, struct err *e)
{
    struct str bytes = buf_view(&f->plain);
    int rc = 0;

    if (buf_failed(&f->plain))
        return err_set(e, -ENOMEM, "no memory for a record");
    buf_reset(&x->squeezed);
    if (x->o.coding == EXPORT_ZSTD)
        rc = squeeze_zstd(x, f, end, e);
    else if (x->o.coding == EXPORT_GZIP)
        rc = squeeze_gzip(x, f, end, e);
    if (rc == 0 && x->o.coding != EXPORT_PLAIN)
        bytes = buf_view(&x->squeezed);
    if (rc == 0 && bytes.n)
        rc = file_write_all(f->fd, bytes, e);
    f->bytes += f->plain.n;
    x->counts.bytes += f->plain.n;
    buf_reset(&f->plain);
    return rc;
}

/* --- files --- */

static const char *ending(const struct export *x)
{
    static const char *const endings[2][3] = { { ".log.zst", ".log.gz", ".log" }, { ".jsonl.zst", ".jsonl.gz", ".jsonl" } };

    return endings[x->o.form == EXPORT_JSON][x->o.coding];
}

static void forget(struct out *f)
{
    if (f->fd >= 0)
        close(f->fd);
    ZSTD_freeCCtx(f->zstd);
    if (f->gzip_open)
        deflateEnd(&f->gzip);
    buf_free(&f->plain);
    *f = (struct out){ .fd = -1 };
}

/* name_it - NAME.part becomes NAME, with the first number that is free. */
static int name_it(const struct export *x, struct out *f, struct err *e)
{
    char name[4300];

    for (unsigned n = 1; n <= NUMBER_MAX; n++) {
        snprintf(name, sizeof name, "%s-%04u%s", f->head, n, ending(x));
        if (link(f->part, name) == 0) {
            unlink(f->part);
            *strrchr(name, '/') = 0;
            return file_sync_dir(name, e);
        }
        if (errno != EEXIST)
            return err_sys(e, "could not name \"%s\"", name);
    }
    return err_set(e, -EEXIST, "there are %d files \"%s-…\" already", NUMBER_MAX, f->head);
}

static int finish(struct export *x, struct out *f, struct err *e)
{
    int rc = flush(x, f, true, e);

    if (rc == 0 && fsync(f->fd) < 0)
        rc = err_sys(e, "could not sync \"%s\"", f->part);
    if (rc == 0)
        rc = name_it(x, f, e);
    if (rc < 0)
        unlink(f->part);
    else
        x->counts.files++;
    forget(f);
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

static int begin(struct export *x, struct out *f, enum event_class class, struct str source, int64_t day, struct err *e)
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
    if (rc < 0)
        return rc;
    snprintf(f->head, sizeof f->head, "%.3980s/%s%s", path, name, when);
    snprintf(f->part, sizeof f->part, "%s-%ld%s.part", f->head, (long)getpid(), ending(x));
    f->fd = open(f->part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    if (f->fd < 0)
        return err_sys(e, "could not create \"%s\"", f->part);
    f->used = true;
    f->day = day;
    buf_init(&f->plain, 0);
    if (x->o.coding == EXPORT_ZSTD) {
        f->zstd = ZSTD_createCCtx();
        if (!f->zstd)
            return err_set(e, -ENOMEM, "no memory to compress");
        (void)ZSTD_CCtx_setParameter(f->zstd, ZSTD_c_compressionLevel, ZSTD_LEVEL);
        (void)ZSTD_CCtx_setParameter(f->zstd, ZSTD_c_checksumFlag, 1);
    } else if (x->o.coding == EXPORT_GZIP) {
        f->gzip_open = deflateInit2(&f->gzip, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK;
        if (!f->gzip_open)
            return err_set(e, -ENOMEM, "no memory to compress");
    }
    if (x->o.form == EXPORT_ANNEX4)
        annex4_header(class, &f->plain);
    return 0;
}

/* file_for - the open file of this class, source and day, begun if need be. */
static int file_for(struct export *x, enum event_class class, struct str source, int64_t day, struct out **out, struct err *e)
{
    struct out *f = NULL, *oldest = &x->outs[0];
    char key[KEY_MAX];
    int rc = 0;

    snprintf(key, sizeof key, "%d %.*s", (int)class, x->o.by_class ? 0 : (int)min_size(source.n, 1000), source.n ? source.p : "");
    for (size_t i = 0; i < EXPORT_OPEN_MAX && !f; i++) {
        if (x->outs[i].used && strcmp(x->outs[i].key, key) == 0)
            f = &x->outs[i];
        else if (!x->outs[i].used || (oldest->used && x->outs[i].touched < oldest->touched))
            oldest = &x->outs[i];
    }
    if (f && ((x->o.daily && f->day != day) || (x->o.rotate_bytes && f->bytes + f->plain.n >= x->o.rotate_bytes)))
        rc = finish(x, f, e);
    else if (!f && oldest->used)
        rc = finish(x, oldest, e);
    f = f ? f : oldest;
    if (rc == 0 && !f->used)
        rc = begin(x, f, class, source, day, e);
    if (rc < 0)
        return rc;
    memcpy(f->key, key, sizeof key);
    f->touched = ++x->clock;
    *out = f;
    return 0;
}

int export_add(struct export *x, const struct event *ev, struct err *e)
{
    enum event_class class = ev->class == CLASS_NONE && x->o.form == EXPORT_ANNEX4 ? x->o.unclassified : ev->class;
    int32_t zone = ev->offset_min == EVENT_OFFSET_NONE ? x->o.zone_min : ev->offset_min;
    int64_t local = ev->time + zone * NS_PER_MINUTE, day = local >= 0 ? local / NS_PER_DAY : -((-local + NS_PER_DAY - 1) / NS_PER_DAY);
    struct out *f = NULL;
    int rc;

    if (x->o.form == EXPORT_ANNEX4 && class == CLASS_NONE) {
        x->counts.left_out++;
        return 0;
    }
    rc = file_for(x, class, ev->source, day, &f, e);
    if (rc < 0)
        return rc;
    arena_reset(&x->arena);
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
    return f->plain.n >= FLUSH_BYTES ? flush(x, f, false, e) : buf_failed(&f->plain) ? err_set(e, -ENOMEM, "no memory for a record") : 0;
}

int export_end(struct export *x, struct err *e)
{
    int rc = 0;

    for (size_t i = 0; i < EXPORT_OPEN_MAX && rc == 0; i++)
        if (x->outs[i].used)
            rc = finish(x, &x->outs[i], e);
    return rc;
}

void export_free(struct export **x)
{
    for (size_t i = 0; *x && i < EXPORT_OPEN_MAX; i++)
        if ((*x)->outs[i].fd >= 0) {
            unlink((*x)->outs[i].part);
            forget(&(*x)->outs[i]);
        }
    if (*x) {
        arena_free(&(*x)->arena);
        buf_free(&(*x)->squeezed);
    }
    free(*x);
    *x = NULL;
}
