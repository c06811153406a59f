/* bench_learn.c - what cutting lines into templates is worth: the bytes of each file as zstd -3 of the whole, beside those of its pieces as columns.
 *
 *     bench_learn [--level N] [--repeat N] [--show] FILE…
 *
 * Columns are modelled simply here: of each slot the smallest of bit-packed numbers, a table with codes, and lengths with bytes, by what zstd makes of
 * them; frames of less than FRAME_ALONE bytes are compressed together. What stands in a directory - the static pieces, COLUMN_HEAD bytes a column - is
 * compressed with them. */
#include "learn/learn.h"

#include "base/clock.h"
#include "base/file.h"

#include <time.h>
#include <zstd.h>

#define LINES_MAX   (1u << 20)
#define FRAME_ALONE 65536u
#define COLUMN_HEAD 8u

static int level = 1;

static size_t packed_size(struct str s)
{
    size_t bound = ZSTD_compressBound(s.n), n;
    char *to = malloc(bound);

    if (!to)
        abort();
    n = ZSTD_compress(to, bound, s.p, s.n, level);
    free(to);
    return n;
}

static size_t packed_at(struct str s, int with)
{
    int own = level;
    size_t n;

    level = with;
    n = packed_size(s);
    level = own;
    return n;
}

/* What a file takes. */
struct sizes { size_t whole, directory, pools, frames, groups; };

/* Frames that are too small to be compressed alone, apart by what they hold. */
struct pools { struct buf text, codes, directory; struct sizes *sizes; };

static void frame(struct pools *p, struct buf *pool, struct buf *bytes)
{
    if (bytes->n >= FRAME_ALONE)
        p->sizes->frames += min_size(packed_size(buf_view(bytes)), bytes->n) + 8;
    else
        buf_str(pool, buf_view(bytes));
}

/* numbers - all values as numbers, bit-packed. False if one is none, or not written as usual. */
static bool numbers(const struct str *values, size_t count, struct buf *out)
{
    uint64_t least = UINT64_MAX, most = 0, v, bits = 0, width = 0;
    uint32_t have = 0;
    bool padded = false, varies = false;

    for (size_t i = 0; i < count; i++) {
        if (values[i].n > 18 || !str_u64(values[i], &v))
            return false;
        padded |= values[i].n > 1 && *values[i].p == '0';
        varies |= values[i].n != values[0].n;
        least = v < least ? v : least;
        most = v > most ? v : most;
    }
    if (padded && varies)
        return false;
    while (width < 64 && (most - least) >> width)
        width++;
    for (size_t i = 0; i < count; i++) {
        (void)str_u64(values[i], &v);
        v -= least;
        for (uint64_t left = width; left;) {
            uint64_t take = left < 8 - have ? left : 8 - have;

            bits |= (v & ((1u << take) - 1)) << have;
            v >>= take;
            left -= take;
            have += (uint32_t)take;
            if (have == 8) {
                buf_byte(out, (char)bits);
                bits = have = 0;
            }
        }
    }
    if (have)
        buf_byte(out, (char)bits);
    return true;
}

/* deltas - differences, as varints by plane of one. */
static bool deltas(const struct str *values, size_t count, struct buf *out)
{
    uint64_t v, before = 0;

    for (size_t i = 0; i < count; i++) {
        if (values[i].n > 18 || !str_u64(values[i], &v) || (values[i].n > 1 && *values[i].p == '0' && values[i].n != values[0].n))
            return false;
        buf_varint(out, (v - before) << 1 ^ (uint64_t)((int64_t)(v - before) >> 63));
        before = v;
    }
    return true;
}

/* table - each different value once, and codes. False if there are too many. */
static bool table(const struct str *values, size_t count, struct buf *dictionary, struct buf *codes)
{
    static uint32_t slots[1 << 18], known[1 << 16];
    uint32_t n = 0;

    memset(slots, 0, sizeof slots);
    for (size_t i = 0; i < count; i++) {
        uint32_t at = (uint32_t)(str_hash(values[i]) % COUNT(slots));

        while (slots[at] && !str_eq(values[known[slots[at] - 1]], values[i]))
            at = (at + 1) % COUNT(slots);
        if (!slots[at]) {
            if (n == 65535)
                return false;
            known[n] = (uint32_t)i;
            slots[at] = ++n;
        }
        buf_byte(codes, (char)(slots[at] - 1));
        buf_byte(codes, (char)((slots[at] - 1) >> 8));
    }
    for (uint32_t i = 0; i < n; i++)
        buf_varstr(dictionary, values[known[i]]);
    if (n <= 256) {
        for (size_t i = 0; i < count; i++)
            codes->p[i] = codes->p[2 * i];
        codes->n = count;
    }
    return true;
}

static size_t cost(const struct buf *b) { return b->n < 64 ? b->n : min_size(packed_size(buf_view(b)), b->n); }

static void column(struct pools *p, const struct str *values, size_t count)
{
    struct buf packed, steps, dictionary, codes, plain, lengths;
    size_t a = SIZE_MAX, b = SIZE_MAX, c, d = SIZE_MAX, least;
    struct buf *all[] = { &packed, &steps, &dictionary, &codes, &plain, &lengths };

    for (size_t i = 0; i < COUNT(all); i++)
        buf_init(all[i], 0);
    if (numbers(values, count, &packed))
        a = cost(&packed);
    if (deltas(values, count, &steps))
        d = cost(&steps);
    if (table(values, count, &dictionary, &codes))
        b = cost(&dictionary) + cost(&codes);
    for (size_t i = 0; i < count; i++) {
        buf_varint(&lengths, values[i].n);
        buf_str(&plain, values[i]);
    }
    c = cost(&plain) + cost(&lengths);
    least = min_size(min_size(a, d), min_size(b, c));
    if (least == a) {
        frame(p, &p->codes, &packed);
    } else if (least == d) {
        frame(p, &p->codes, &steps);
    } else if (least == b) {
        frame(p, &p->text, &dictionary);
        frame(p, &p->codes, &codes);
    } else {
        frame(p, &p->text, &plain);
        frame(p, &p->codes, &lengths);
    }
    for (size_t i = 0; i < COLUMN_HEAD; i++)
        buf_byte(&p->directory, (char)(count * (i + 7) + least));
    for (size_t i = 0; i < COUNT(all); i++)
        buf_free(all[i]);
}

static void columns(const struct str *texts, size_t count, const struct learn_out *out, struct sizes *sizes)
{
    struct pools p = { .sizes = sizes };
    struct str *values = malloc(count * sizeof *values);
    AUTO_BUF struct buf ids = { 0 };

    if (!values)
        abort();
    buf_init(&p.text, 0);
    buf_init(&p.codes, 0);
    buf_init(&p.directory, 0);
    buf_init(&ids, 0);
    for (uint32_t g = 0; g <= out->groups; g++) {
        uint32_t pieces = 0, n = 0;

        for (size_t i = 0; i < count && !pieces; i++)
            if (out->group[i] == g)
                pieces = out->first[i + 1] - out->first[i] + 1;
        for (uint32_t k = 0; k < pieces; k++, n = 0) {
            for (size_t i = 0; i < count; i++) {
                const uint32_t *cut = out->cut + out->first[i];
                uint32_t from = k ? cut[k - 1] : 0, to = k + 1 < pieces ? cut[k] : (uint32_t)texts[i].n;

                if (out->group[i] == g)
                    values[n++] = str_of(texts[i].p + from, to - from);
            }
            if (g && k % 2 == 0)
                buf_varstr(&p.text, values[0]);
            else
                column(&p, values, n);
        }
    }
    for (size_t i = 0; i < count; i++) {
        buf_byte(&ids, (char)out->group[i]);
        if (out->groups > 255)
            buf_byte(&ids, (char)(out->group[i] >> 8));
    }
    sizes->groups = out->groups ? packed_size(buf_view(&ids)) : 0;
    sizes->directory = packed_size(buf_view(&p.directory));
    sizes->pools = packed_size(buf_view(&p.text)) + packed_size(buf_view(&p.codes));
    buf_free(&p.text);
    buf_free(&p.codes);
    buf_free(&p.directory);
    free(values);
}

static void show(const struct str *texts, size_t count, const struct learn_out *out)
{
    for (uint32_t g = 0; g <= out->groups; g++)
        for (size_t i = 0, told = 0; i < count && told < 1; i++) {
            uint32_t at = 0;

            if (out->group[i] != g)
                continue;
            told++;
            printf("  %6u %3u  ", out->rows[g], (out->first[i + 1] - out->first[i]) / 2);
            for (uint32_t k = out->first[i]; k <= out->first[i + 1]; k++) {
                uint32_t end = k < out->first[i + 1] ? out->cut[k] : (uint32_t)texts[i].n;

                printf("%.*s%s", (int)(end - at), texts[i].p + at, k == out->first[i + 1] ? "\n" : (k - out->first[i]) % 2 ? "\033[0m" : "\033[32m");
                at = end;
            }
        }
}

static time_ns cpu_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (time_ns)t.tv_sec * NS_PER_SECOND + t.tv_nsec;
}

int main(int argc, char **argv)
{
    static struct str lines[LINES_MAX];
    size_t sum_old = 0, sum_new = 0, repeat = 1;
    bool shows = false;
    struct err e;

    printf("%-28s %7s %9s %8s %8s %6s | %7s %6s %7s %7s %6s %6s %8s\n", "file", "lines", "bytes", "zstd -3", "columns", "ratio", "whole r", "groups", "direct.", "pools", "frames", "ids", "ns/line");
    for (int i = 1; i < argc; i++) {
        AUTO_BUF struct buf file = { 0 };
        struct learner *l;
        struct str rest, line;
        size_t count = 0, old, sum;
        struct sizes s = { 0 };
        struct learn_out out = { 0 };
        time_ns start;
        const char *name = strrchr(argv[i], '/') ? strrchr(argv[i], '/') + 1 : argv[i];

        buf_init(&file, 0);
        if (strcmp(argv[i], "--level") == 0 && i + 1 < argc) {
            level = (int)strtol(argv[++i], NULL, 10);
            continue;
        }
        if (strcmp(argv[i], "--repeat") == 0 && i + 1 < argc) {
            repeat = strtoul(argv[++i], NULL, 10);
            continue;
        }
        if (strcmp(argv[i], "--show") == 0) {
            shows = true;
            continue;
        }
        if (file_read(argv[i], 64 * MIB, &file, &e) < 0) {
            fprintf(stderr, "bench_learn: %s\n", e.text);
            return 1;
        }
        rest = buf_view(&file);
        while (count < LEARN_TEXTS_MAX && str_split(&rest, '\n', &line))
            if (rest.p || line.n)
                lines[count++] = line;
        l = learner_new();
        start = cpu_now();
        for (size_t k = 0; k < repeat; k++)
            if (!l || learn_cut(l, 1, lines, count, &out, &e) < 0)
                return 1;
        start = cpu_now() - start;
        columns(lines, count, &out, &s);
        old = packed_at(buf_view(&file), 3);
        sum = s.directory + s.pools + s.frames + s.groups;
        printf("%-28.28s %7zu %9zu %8zu %8zu %6.3f | %7u %6u %7zu %7zu %6zu %6zu %8.0f\n", name, count, file.n, old, sum, (double)sum / (double)old, out.rows[0], out.groups,
               s.directory, s.pools, s.frames, s.groups, (double)start / (double)(count * repeat));
        if (shows)
            show(lines, count, &out);
        sum_old += old;
        sum_new += sum;
        learner_free(&l);
    }
    printf("%-28s %7s %9s %8zu %8zu %6.3f\n", "all", "", "", sum_old, sum_new, (double)sum_new / (double)sum_old);
    return 0;
}
