/* zone.c - see calendar.h: one zone of the tz database, read from its file.
 *
 * A TZif file (RFC 8536), big-endian: header of 44 bytes, a data block with 4-byte times, and from version 2 on a
 * second header and block with 8-byte times, then "\nRULE\n" for the time after the last change.
 *
 *   offset  size  header
 *        0     4  "TZif"
 *        4     1  version: 0, '2', '3', '4'
 *       20   6*4  counts: isut, isstd, leap, time, type, char
 *   block: time * (4|8) moments, time * 1 type indices, type * 6 (utoff 4, isdst 1, idx 1), char, leap * (8|12),
 *          isstd, isut */
#include "duty/internal.h"
#include "base/file.h"

#define HEADER_COUNTS_AT 20
#define TYPES_MAX        256

struct zone {
    size_t  count;
    int     before_min;                   /* before the first change */
    int64_t at_s[ZONE_CHANGES_MAX];       /* ascending */
    int     offset_min[ZONE_CHANGES_MAX]; /* from that moment on */
};

struct counts {
    uint32_t isut, isstd, leap, time, type, chars;
};

static uint32_t be32(struct reader *r)
{
    uint32_t v = 0;

    for (int i = 0; i < 4; i++)
        v = v << 8 | rd_u8(r);
    return v;
}

static int64_t be_time(struct reader *r, bool wide)
{
    uint64_t high = wide ? be32(r) : 0, low = be32(r);

    return wide ? (int64_t)(high << 32 | low) : (int64_t)(int32_t)(uint32_t)low;
}

static struct counts read_header(struct reader *r, int *version)
{
    struct counts c;

    for (const char *m = "TZif"; *m; m++)
        rd_byte(r, *m);
    *version = rd_u8(r);
    rd_skip(r, HEADER_COUNTS_AT - 5);
    c.isut = be32(r);
    c.isstd = be32(r);
    c.leap = be32(r);
    c.time = be32(r);
    c.type = be32(r);
    c.chars = be32(r);
    if (rd_ok(r) && (c.time > ZONE_CHANGES_MAX || c.type < 1 || c.type > TYPES_MAX || c.chars > 4096 || c.leap > 1000 ||
                     c.isut > TYPES_MAX || c.isstd > TYPES_MAX))
        rd_fail(r, "counts within bounds");
    return rd_ok(r) ? c : (struct counts){ 0 };
}

static void skip_block(struct reader *r, const struct counts *c)
{
    rd_skip(r, c->time * 5ul + c->type * 6ul + c->chars + c->leap * 8ul + c->isstd + c->isut);
}

static int round_min(int32_t seconds)
{
    return (seconds + (seconds < 0 ? -30 : 30)) / 60;
}

static void read_block(struct reader *r, const struct counts *c, bool wide, struct zone *z)
{
    uint8_t index[ZONE_CHANGES_MAX];
    int offset[TYPES_MAX] = { 0 };

    for (uint32_t i = 0; i < c->time; i++) {
        z->at_s[i] = be_time(r, wide);
        if (i > 0 && z->at_s[i] <= z->at_s[i - 1])
            rd_fail(r, "moments in ascending order");
    }
    for (uint32_t i = 0; i < c->time; i++) {
        index[i] = rd_u8(r);
        if (index[i] >= c->type)
            rd_fail(r, "the index of a type");
    }
    for (uint32_t i = 0; i < c->type; i++) {
        int32_t s = (int32_t)be32(r);

        if (s < -93599 || s > 93599)
            rd_fail(r, "an offset of at most 26 hours");
        else
            offset[i] = round_min(s);
        rd_skip(r, 2);
    }
    rd_skip(r, c->chars + c->leap * (wide ? 12ul : 8ul) + c->isstd + c->isut);
    if (!rd_ok(r))
        return;
    z->count = c->time;
    z->before_min = offset[0];
    for (uint32_t i = 0; i < c->time; i++)
        z->offset_min[i] = offset[index[i]];
}

int zone_read(struct str tzif, const char *name, struct zone **out, struct err *e)
{
    struct reader r = rd_str(tzif);
    struct zone *z = calloc(1, sizeof *z);
    struct counts c;
    struct str rule = { NULL, 0 };
    int version = 0;

    *out = NULL;
    if (!z)
        return err_set(e, -ENOMEM, "no memory for the zone");
    c = read_header(&r, &version);
    if (version >= '2') {
        skip_block(&r, &c);
        c = read_header(&r, &version);
        read_block(&r, &c, true, z);
        rd_byte(&r, '\n');
        rule = rd_until(&r, '\n', "the rule after the last change");
    } else {
        read_block(&r, &c, false, z);
    }
    if (!rd_ok(&r)) {
        free(z);
        return err_wrap(e, rd_err(&r, e, "time zone"), "\"%s\"", name);
    }
    if (str_chr(rule, ',') >= 0) {
        free(z);
        return err_set(e, -ENOTSUP, "zone \"%s\" changes its clocks every year (\"%.*s\"): not supported", name,
                       STR_ARG(rule));
    }
    *out = z;
    return 0;
}

static bool name_ok(const char *name)
{
    size_t n = strlen(name);

    if (n == 0 || n > 64 || name[0] == '/' || strstr(name, ".."))
        return false;
    return strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/") == n;
}

int zone_load(const char *folder, const char *name, struct zone **out, struct err *e)
{
    char path[4096];
    AUTO_BUF struct buf b;
    int rc;

    *out = NULL;
    buf_init(&b, 0); /* the limit is file_read's */
    if (!name_ok(name))
        return err_set(e, -EINVAL, "\"%s\" is no time zone name such as Asia/Almaty", name);
    snprintf(path, sizeof path, "%s/%s", folder, name);
    rc = file_read(path, ZONE_BYTES_MAX, &b, e);
    if (rc < 0)
        return err_wrap(e, rc, "time zone \"%s\" (package tzdata)", name);
    return zone_read(buf_view(&b), name, out, e);
}

void zone_free(struct zone **z)
{
    free(*z);
    *z = NULL;
}

int zone_offset_min(const struct zone *z, time_ns t)
{
    int64_t s = t / NS_PER_SECOND - (t % NS_PER_SECOND < 0);
    size_t lo = 0, hi = z->count;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (z->at_s[mid] <= s)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo == 0 ? z->before_min : z->offset_min[lo - 1];
}

/* resolve - the moment of a local time: of the offsets before and after a change nearby those that fit. */
static time_ns resolve(const struct zone *z, const struct civil *local, bool last)
{
    time_ns naive = civil_to_ns(local, 0);
    int before = zone_offset_min(z, naive - 26 * NS_PER_HOUR), after = zone_offset_min(z, naive + 26 * NS_PER_HOUR);
    time_ns a = naive - before * NS_PER_MINUTE, b = naive - after * NS_PER_MINUTE;
    bool a_fits = zone_offset_min(z, a) == before, b_fits = zone_offset_min(z, b) == after;

    if (a_fits && b_fits)
        return (a < b) == last ? b : a;
    return b_fits ? b : a;
}

time_ns zone_first(const struct zone *z, const struct civil *local)
{
    return resolve(z, local, false);
}

time_ns zone_last(const struct zone *z, const struct civil *local)
{
    return resolve(z, local, true);
}
