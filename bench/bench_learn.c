/* bench_learn.c - what cutting lines into templates is worth: the bytes of each file as zstd -3 of the whole, beside those of its pieces as columns.
 *
 *     bench_learn [--level N] [--own BYTES] [--pool BYTES] [--statics] [--prefix] [--repeat N] [--show] FILE…
 *
 * A file is one call, as if all its lines were the free text of one kind of event; at most LEARN_TEXTS_MAX lines are read. What is counted is what the store keeps of
 * them: a directory of the static pieces and the columns' heads, frames of --own bytes or more each alone, smaller ones in pools of --pool bytes, the number of each
 * line's group. All that is compressed at --level. --statics: the static pieces stand in the first pool instead. --prefix: each frame is compressed
 * as if the directory stood before it (ZSTD_CCtx_refPrefix). --show: a line of each group, its slots in green. */
#include "column/column.h"
#include "learn/learn.h"

#include "base/clock.h"
#include "base/file.h"

#include <time.h>
#include <zstd.h>

#define FRAME_SAID 4u    /* bytes in the directory that say where a frame is */

static struct {
    int    level;
    size_t own, pool, repeat;
    bool   statics, prefix, show;
} options = { .level = 1, .own = 4096, .pool = 65536, .repeat = 1 };

struct sizes { size_t directory, pools, frames, groups; };

/* packed_size - as zstd makes it at this level, with prefix before it. */
static size_t packed_size(struct str s, int level, struct str prefix)
{
    ZSTD_CCtx *zstd = ZSTD_createCCtx();
    size_t bound = ZSTD_compressBound(s.n), n;
    char *to = malloc(bound);

    if (!to || !zstd || ZSTD_isError(ZSTD_CCtx_setParameter(zstd, ZSTD_c_compressionLevel, level)) || ZSTD_isError(ZSTD_CCtx_refPrefix(zstd, prefix.p, prefix.n)))
        abort();
    n = ZSTD_compress2(zstd, to, bound, s.p, s.n);
    free(to);
    ZSTD_freeCCtx(zstd);
    return n < s.n ? n : s.n;
}

/* A block in the making. Its frames wait, one behind the other, until the directory is whole. */
struct framed { size_t n; bool dense; };
struct block { struct buf directory, statics, raw, framed; struct column_encoder *encoder; struct column_out out; };

static void frame(struct block *b, struct str raw, bool dense)
{
    if (raw.n == 0)
        return;
    buf_str(&b->raw, raw);
    buf_put(&b->framed, &(struct framed){ raw.n, dense }, sizeof(struct framed));
}

/* block_pack - what all of it takes. */
static struct sizes block_pack(struct block *b)
{
    struct sizes sizes = { .directory = packed_size(buf_view(&b->directory), options.level, STR("")) };
    struct str prefix = options.prefix ? buf_view(&b->directory) : STR(""), rest = buf_view(&b->raw);
    size_t count = b->framed.n / sizeof(struct framed);
    struct buf *pool = &b->statics;

    for (size_t i = 0; i < count; i++) {
        struct framed f;
        struct str raw;

        memcpy(&f, b->framed.p + i * sizeof f, sizeof f);
        raw = str_of(rest.p, f.n);
        rest = str_cut(rest, f.n);
        sizes.directory += FRAME_SAID;
        if (f.dense || f.n >= options.own) {
            sizes.frames += f.dense ? f.n : packed_size(raw, options.level, prefix);
            continue;
        }
        if (pool->n + raw.n > options.pool) {
            sizes.pools += packed_size(buf_view(pool), options.level, prefix);
            buf_reset(pool);
        }
        buf_str(pool, raw);
    }
    sizes.pools += packed_size(buf_view(pool), options.level, prefix);
    return sizes;
}

static void column(struct block *b, const struct str *values, size_t count)
{
    struct err e;

    buf_reset(&b->out.head);
    for (size_t i = 0; i < COLUMN_FRAMES; i++)
        buf_reset(&b->out.frame[i]);
    if (column_encode(b->encoder, values, count, NULL, &b->out, &e) < 0) {
        fprintf(stderr, "bench_learn: %s\n", e.text);
        exit(1);
    }
    buf_str(&b->directory, buf_view(&b->out.head));
    for (size_t i = 0; i < COLUMN_FRAMES; i++)
        frame(b, buf_view(&b->out.frame[i]), b->out.dense[i]);
    if (options.show)
        printf("      %-9s %6zu head %7zu %7zu  %.*s\n", column_kind_name(b->out.kind), b->out.head.n, b->out.frame[0].n, b->out.frame[1].n,
               (int)min_size(values[0].n, 80), values[0].p);
}

static struct str piece(const struct str *texts, const struct learn_out *out, size_t row, uint32_t k)
{
    const uint32_t *cut = out->cut + out->first[row];
    uint32_t n = out->first[row + 1] - out->first[row], from = k ? cut[k - 1] : 0, to = k < n ? cut[k] : (uint32_t)texts[row].n;

    return str_of(texts[row].p + from, to - from);
}

/* show - the first row of a group, its slots in green. */
static void show(const struct str *texts, const struct learn_out *out, size_t row)
{
    uint32_t n = out->first[row + 1] - out->first[row];

    printf("  %u rows: ", out->rows[out->group[row]]);
    for (uint32_t k = 0; k <= n; k++) {
        struct str p = piece(texts, out, row, k);

        printf(k % 2 ? "\033[32m%.*s\033[0m" : "%.*s", (int)p.n, p.p);
    }
    printf("\n");
}

/* group_put - the rows of group g; member: which they are. */
static void group_put(struct block *b, const struct str *texts, const struct learn_out *out, uint32_t g, const uint32_t *member, struct str *values)
{
    uint32_t count = out->rows[g], pieces = count ? out->first[member[0] + 1] - out->first[member[0]] + 1 : 0;

    if (count && options.show)
        show(texts, out, member[0]);
    for (uint32_t k = 0; k < pieces; k++) {
        for (uint32_t i = 0; i < count; i++)
            values[i] = piece(texts, out, member[i], k);
        if (g == 0 || k % 2)
            column(b, values, count);
        else
            buf_varstr(options.statics ? &b->statics : &b->directory, values[0]);
    }
}

static struct sizes columns(const struct str *texts, size_t count, const struct learn_out *out)
{
    struct block b = { .encoder = column_encoder_new() };
    struct str *values = malloc((count + 1) * sizeof *values);
    uint32_t *member = malloc((count + 1) * sizeof *member);
    struct buf *bufs[] = { &b.directory, &b.statics, &b.raw, &b.framed, &b.out.head, &b.out.frame[0], &b.out.frame[1] };
    AUTO_BUF struct buf ids = { 0 };
    struct sizes sizes;

    if (!values || !member || !b.encoder)
        abort();
    buf_init(&ids, 0);
    for (size_t i = 0; i < COUNT(bufs); i++)
        buf_init(bufs[i], 0);
    for (uint32_t g = 0; g <= out->groups; g++) {
        for (uint32_t i = 0, n = 0; i < count; i++)
            if (out->group[i] == g)
                member[n++] = i;
        group_put(&b, texts, out, g, member, values);
    }
    for (size_t i = 0; i < count && out->rows[0] + out->groups > 1; i++) {
        buf_byte(&ids, (char)out->group[i]);
        if (out->groups > 255)
            buf_byte(&ids, (char)(out->group[i] >> 8));
    }
    sizes = block_pack(&b);
    sizes.groups = packed_size(buf_view(&ids), options.level, STR(""));
    for (size_t i = 0; i < COUNT(bufs); i++)
        buf_free(bufs[i]);
    column_encoder_free(&b.encoder);
    free(values);
    free(member);
    return sizes;
}

static time_ns cpu_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (time_ns)t.tv_sec * NS_PER_SECOND + t.tv_nsec;
}

/* measure - one file; adds to both sums. */
static void measure(const char *path, size_t *sum_old, size_t *sum_new)
{
    static struct str lines[LEARN_TEXTS_MAX];
    AUTO_BUF struct buf file = { 0 };
    struct learner *l = learner_new();
    struct str rest, line;
    size_t count = 0, old, sum;
    struct sizes s;
    struct learn_out out = { 0 };
    struct err e;
    time_ns first, start, later;
    const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;

    buf_init(&file, 64 * MIB);
    if (!l || file_read(path, 64 * MIB, &file, &e) < 0) {
        fprintf(stderr, "bench_learn: %s\n", path);
        exit(1);
    }
    rest = buf_view(&file);
    while (count < COUNT(lines) && str_split(&rest, '\n', &line))
        if (rest.p || line.n)
            lines[count++] = line;
    first = start = cpu_now();
    for (size_t k = 0; k <= options.repeat; k++) {
        if (learn_cut(l, 1, lines, count, &out, &e) < 0)
            exit(1);
        if (k == 0)
            start = cpu_now();
    }
    first = start - first;
    later = cpu_now() - start;
    s = columns(lines, count, &out);
    old = packed_size(str_of(file.p, rest.p ? (size_t)(rest.p - file.p) : file.n), 3, STR(""));
    sum = s.directory + s.pools + s.frames + s.groups;
    printf("%-30.30s %6zu %9zu %8zu %8zu %6.3f | %6u %4u %7zu %7zu %7zu %6zu | %6.0f %6.0f\n", name, count, file.n, old, sum, (double)sum / (double)old, out.rows[0],
           out.groups, s.directory, s.pools, s.frames, s.groups, (double)first / (double)count, (double)later / (double)(count * options.repeat));
    *sum_old += old;
    *sum_new += sum;
    learner_free(&l);
}

int main(int argc, char **argv)
{
    size_t sum_old = 0, sum_new = 0;
    int i = 1;

    for (; i < argc && strncmp(argv[i], "--", 2) == 0; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";

        if (strcmp(argv[i], "--statics") == 0) {
            options.statics = true;
        } else if (strcmp(argv[i], "--prefix") == 0) {
            options.prefix = true;
        } else if (strcmp(argv[i], "--show") == 0) {
            options.show = true;
        } else {
            size_t n = strtoul(value, NULL, 10);

            if (strcmp(argv[i], "--level") == 0)
                options.level = (int)n;
            else
                *(strcmp(argv[i], "--own") == 0 ? &options.own : strcmp(argv[i], "--pool") == 0 ? &options.pool : &options.repeat) = n;
            i++;
        }
    }
    printf("%-30s %6s %9s %8s %8s %6s | %6s %4s %7s %7s %7s %6s | ns a line, first call and later\n", "file", "lines", "bytes", "zstd -3", "columns", "ratio", "whole",
           "grps", "direct.", "pools", "frames", "ids");
    for (; i < argc; i++)
        measure(argv[i], &sum_old, &sum_new);
    if (sum_old)
        printf("%-30s %6s %9s %8zu %8zu %6.3f\n", "all", "", "", sum_old, sum_new, (double)sum_new / (double)sum_old);
    return 0;
}
