/* bench_column.c - columns: nanoseconds and bytes a value of each kind, beside zstd -3 of the same column, one value a line.
 *
 * usage: bench_column [FILE…]
 *
 * Without files: one column of 65,536 rows a kind, made up. With files: their lines cut at spaces, lines with one number of pieces together, each piece a column; the
 * sum by kind. Bytes are head and frames, the frames compressed by zstd -1 where column_encode does not call them dense. Time is that of the processor. */
#include "column/testing.h"

#include <time.h>
#include <zstd.h>

#define PIECES_MAX 40u

struct sum {
    size_t columns, rows, raw, bytes, zstd;
    double encode, values, often, rare, range, whole;
};

static struct round r;
static struct sum kinds[COLUMN_KINDS], all;
static ZSTD_CCtx *zstd;
static struct buf room, joined;

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static size_t packed(const void *p, size_t n, int level)
{
    size_t bound = ZSTD_compressBound(n), got;

    buf_reset(&room);
    if (!buf_room(&room, bound))
        exit(2);
    got = ZSTD_compressCCtx(zstd, room.p, bound, p, n, level);
    return ZSTD_isError(got) || got > n ? n : got;
}

static bool holds(const void *arg, struct str value) { return str_find(value, *(const struct str *)arg) >= 0; }
static bool same(const void *arg, struct str value) { return str_eq(value, *(const struct str *)arg); }
static bool within(const void *arg, struct str value)
{
    uint64_t n;

    return round_digits(value, &n) && n >= 1000 && n <= 9999;
}

static double ask(struct column_question q)
{
    double from = now();

    memset(r.rows, 0xff, sizeof r.rows);
    if (column_ask(r.c, &q, r.rows, &r.e) < 0)
        exit(2);
    return now() - from;
}

static void measure(const struct str *values, size_t count, const time_ns *time, struct sum *s)
{
    struct str often = str_of(values[0].p, min_size(values[0].n, 3)), rare;
    char back[4];
    double from;

    /* Four bytes that there are, in another order than anywhere, mostly. */
    for (size_t i = 0; i < sizeof back; i++)
        back[i] = values[count / 2].n ? values[count / 2].p[values[count / 2].n - 1 - i * 3 % values[count / 2].n] : 'x';
    rare = str_of(back, sizeof back);
    buf_reset(&joined);
    for (size_t i = 0; i < count; i++) {
        buf_str(&joined, values[i]);
        buf_byte(&joined, '\n');
    }
    s->zstd += packed(joined.p, joined.n, 3);
    s->raw += joined.n;
    s->columns++;
    s->rows += count;
    buf_reset(&r.out.head);
    buf_reset(&r.out.frame[0]);
    buf_reset(&r.out.frame[1]);
    from = now();
    if (column_encode(r.k, values, count, time, &r.out, &r.e) < 0)
        exit(2);
    s->encode += now() - from;
    s->bytes += r.out.head.n;
    for (int i = 0; i < COLUMN_FRAMES; i++)
        s->bytes += r.out.dense[i] ? r.out.frame[i].n : packed(r.out.frame[i].p, r.out.frame[i].n, 1);
    if (round_encode(&r, values, count, time) < 0)
        exit(2);
    s->often += ask((struct column_question){ .yes = holds, .arg = &often, .needle = often });
    s->rare += ask((struct column_question){ .yes = holds, .arg = &rare, .needle = rare });
    s->whole += ask((struct column_question){ .yes = same, .arg = &values[count / 2], .needle = values[count / 2], .whole = true });
    s->range += ask((struct column_question){ .yes = within, .numbers = true, .least = 1000, .most = 9999 });
    from = now();
    if (column_values(r.c, NULL, r.got, &r.e) < 0)
        exit(2);
    s->values += now() - from;
    for (size_t i = 0; i < count; i++)
        if (!str_eq(r.got[i], values[i]))
            abort();
}

static void add(struct sum *to, const struct sum *s)
{
    to->columns += s->columns;
    to->rows += s->rows;
    to->raw += s->raw;
    to->bytes += s->bytes;
    to->zstd += s->zstd;
    to->encode += s->encode;
    to->values += s->values;
    to->often += s->often;
    to->rare += s->rare;
    to->range += s->range;
    to->whole += s->whole;
}

static void print(const char *name, const char *kind, const struct sum *s)
{
    double n = (double)max_size(s->rows, 1);

    printf("%-22s %-12s %7zu %9zu %8.1f %8.1f %8.2f %8.2f %8.2f %8.2f %8.2f %8.3f %8.3f %6.2f\n", name, kind, s->columns, s->rows, s->encode / n, s->values / n, s->often / n,
           s->rare / n, s->whole / n, s->range / n, (double)s->raw / n, (double)s->bytes / n, (double)s->zstd / n, (double)s->bytes / (double)max_size(s->zstd, 1));
}

static void print_head(void)
{
    printf("%-22s %-12s %7s %9s %8s %8s %8s %8s %8s %8s %8s %8s %8s %6s\n", "", "", "columns", "rows", "encode", "values", "often", "rare", "equal", "range", "raw", "bytes", "zstd -3", "ratio");
}

/* --- made up --- */

static uint64_t seed = 88172645463325252;
static uint64_t next(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    return seed ^= seed << 17;
}

static struct str make(struct arena *a, int which, size_t i, time_ns time)
{
    uint64_t x = next();
    struct civil c = civil_of_ns(time, 300);
    static const char *const words[] = { "root", "admin", "aigerim", "nurlan", "backup", "postgres", "www-data", "oper" };

    switch (which) {
    case 0: return STR("sshd");
    case 1: return str_c(words[x % 8 & x >> 20]);
    case 2: return arena_printf(a, "user%c%c%c", (int)('g' + x % 20), (int)('g' + x / 20 % 20), (int)('g' + x / 400 % 5));
    case 3: return arena_printf(a, "%llu", (unsigned long long)(x % 32768));
    case 4: return arena_printf(a, "%llu", (unsigned long long)(1024 + x % 64512));
    case 5: return arena_printf(a, "%zu", 4100000 + i * 3 + x % 3);
    case 6: return arena_printf(a, "0.%03u", (unsigned)(x % 400));
    case 7: return arena_printf(a, "%08x", (unsigned)x);
    case 8: return arena_printf(a, "0x%llx", (unsigned long long)(x >> (x % 40)));
    case 9: return arena_printf(a, "%u.%u.%u.%u", (unsigned)(x & 255), (unsigned)(x >> 8 & 255), (unsigned)(x >> 16 & 255), (unsigned)(x >> 24 & 255));
    case 10: x = x % 3000 * 2654435761u; return arena_printf(a, "10.%u.%u.%u", (unsigned)(x >> 8 & 7), (unsigned)(x >> 16 & 255), (unsigned)(x >> 24 & 255));
    case 11: return arena_printf(a, "%08x-%04x-4%03x-9%03x-%08x%04x", (unsigned)x, (unsigned)(x >> 32 & 65535), (unsigned)(x >> 48 & 4095), (unsigned)(next() & 4095), (unsigned)next(), (unsigned)(next() & 65535));
    case 12: return arena_printf(a, "%s %2d %02d:%02d:%02d", c.month == 11 ? "Nov" : "Dec", c.day, c.hour, c.minute, c.second);
    case 13: return arena_printf(a, "%04d-%02d-%02dT%02d:%02d:%02d.%06u+05:00", c.year, c.month, c.day, c.hour, c.minute, c.second, (unsigned)(time % NS_PER_SECOND / 1000));
    case 14: return arena_printf(a, "/srv/%c%c/%llx/index.%s", (int)('g' + x % 20), (int)('g' + x / 20 % 20), (unsigned long long)(x >> 20), x & 1 ? "html" : "php");
    default: return arena_printf(a, "text %llu of %llx", (unsigned long long)(x % 1000003), (unsigned long long)(x >> 40));
    }
}

static void made_up(struct str *values, time_ns *times)
{
    static const char *const names[] = { "one value", "8 words", "2,000 names", "process ids", "ports", "counter", "seconds, 3 digits", "8 hexadecimal digits", "0x numbers",
                                         "addresses, all", "addresses, 3,000", "UUIDs", "RFC 3164 time", "RFC 3339 time", "paths", "texts" };
    struct arena a;

    arena_init(&a, 256 * MIB);
    for (size_t i = 0; i < COLUMN_ROWS_MAX; i++)
        times[i] = (i ? times[i - 1] : INT64_C(1795844883) * NS_PER_SECOND) + (time_ns)(next() % 100000) * 1000;
    for (int which = 0; which < (int)COUNT(names); which++) {
        struct sum s = { 0 };

        arena_reset(&a);
        for (size_t i = 0; i < COLUMN_ROWS_MAX; i++)
            values[i] = make(&a, which, i, times[i]);
        for (int again = 0; again < 4; again++)
            measure(values, COLUMN_ROWS_MAX, times, &s);
        s.columns = 1;
        print(names[which], column_kind_name(r.out.kind), &s);
    }
    arena_free(&a);
}

/* --- cut from files --- */

/* columns - the lines of a file that have so many pieces, a block at a time. */
static void columns(struct str text, size_t pieces, struct str *values[PIECES_MAX])
{
    struct str line;

    while (text.n) {
        size_t count = 0;

        while (count < COLUMN_ROWS_MAX && str_split(&text, '\n', &line)) {
            size_t n = 0;
            struct str piece, left = line;

            while (n < PIECES_MAX && str_split(&left, ' ', &piece))
                values[n++][count] = piece;
            if (line.n && n == pieces)
                count++;
        }
        for (size_t i = 0; count >= 24 && i < pieces; i++) {
            struct sum s = { 0 };

            measure(values[i], count, NULL, &s);
            add(&kinds[r.out.kind], &s);
            add(&all, &s);
        }
    }
}

int main(int argc, char **argv)
{
    static struct str *values[PIECES_MAX];
    time_ns *times = malloc(COLUMN_ROWS_MAX * sizeof *times);

    zstd = ZSTD_createCCtx();
    buf_init(&room, 1024 * MIB);
    buf_init(&joined, 1024 * MIB);
    round_open(&r);
    for (size_t i = 0; i < PIECES_MAX; i++)
        values[i] = malloc(COLUMN_ROWS_MAX * sizeof *values[i]);
    print_head();
    if (argc < 2)
        made_up(values[0], times);
    for (int i = 1; i < argc; i++) {
        FILE *f = fopen(argv[i], "rb");
        struct buf text;
        size_t n;
        char *to;

        buf_init(&text, 1024 * MIB);
        while (f && (to = buf_room(&text, MIB)) && (n = fread(to, 1, MIB, f)) > 0)
            text.n += n;
        if (!f)
            return 2;
        fclose(f);
        for (size_t pieces = 1; pieces <= PIECES_MAX; pieces++)
            columns(buf_view(&text), pieces, values);
        buf_free(&text);
    }
    for (int i = 0; argc > 1 && i < COLUMN_KINDS; i++)
        print("", column_kind_name((enum column_kind)i), &kinds[i]);
    if (argc > 1)
        print("all", "", &all);
    round_close(&r);
    return 0;
}
