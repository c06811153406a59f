/* column_read.c - enemy of the reader: any bytes as head and frames. It answers or refuses, and reads no byte that is not there.
 *
 * Two bytes: rows; two: length of the head; two: length of frame 0; then these three one behind the other, and the rest is frame 1. */
#include "column/testing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ROWS_MAX 4097u     /* more cost only time */

static bool never(const void *arg, struct str value)
{
    const size_t *sum = arg;
    size_t n = *sum;

    for (size_t i = 0; i < value.n; i++)     /* each byte is touched: the sanitizer looks */
        n += (unsigned char)value.p[i];
    return n % 3 == 1;
}

/* take - the next bytes as a heap block of just that size. */
static struct str take(struct reader *in, size_t n)
{
    struct str s = rd_take(in, min_size(n, rd_left(in)), "bytes");
    struct buf b;
    struct str copy;

    buf_init(&b, 0);
    buf_str(&b, s);
    copy = round_copy(&b);
    buf_free(&b);
    return copy;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct round r;
    static time_ns time[ROWS_MAX];
    struct reader in = rd_from(data, size), head;
    size_t count = rd_le16(&in) % ROWS_MAX, head_bytes = rd_le16(&in), first_bytes = rd_le16(&in), sum = size;
    struct column_question asks[] = {
        { .needle = STR("a") }, { .needle = STR("10"), .fold = true }, { .needle = STR("7"), .whole = true }, { .numbers = true, .least = 5, .most = 1u << 20 },
        { .addresses = true, .least = 1, .most = UINT32_MAX - 1 },
    };

    if (!r.k)
        round_open(&r);      /* kept: what a column leaves must not hurt the next */
    r.head = take(&in, head_bytes);
    r.frame[0] = take(&in, first_bytes);
    r.frame[1] = take(&in, rd_left(&in));
    for (size_t i = 0; i < count; i++)
        time[i] = (time_ns)(i % 7 == 6 ? INT64_MIN + (time_ns)i : (time_ns)(1795514400u * (i & 3)) * NS_PER_SECOND + (time_ns)i);
    head = rd_str(r.head);
    if (column_open(r.c, &head, count, size % 2 ? time : NULL, round_frame, &r, &r.e) == 0) {
        if (column_values(r.c, NULL, r.got, &r.e) == 0)
            for (size_t i = 0; i < count; i++)
                sum += never(&sum, r.got[i]);
        for (size_t i = 0; i < COUNT(asks); i++) {
            asks[i].yes = never;
            asks[i].arg = &sum;
            memset(r.rows, i % 2 ? 0x55 : 0xff, sizeof r.rows);
            if (column_ask(r.c, &asks[i], r.rows, &r.e) < 0 || column_values(r.c, r.rows, r.got, &r.e) < 0)
                break;
        }
    }
    round_forget(&r);
    return 0;
}
