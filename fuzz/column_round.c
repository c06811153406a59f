/* column_round.c - enemy of column_encode: any lines as a column. What is read back, and what is answered, is what the lines say.
 *
 * Byte 0: how often the lines are taken once more, then the time of the first row (8 bytes) and from one row to the next (4 bytes), then the lines. */
#include "column/testing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LINES_MAX 4096u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct round r;
    static struct str values[LINES_MAX];
    static time_ns time[LINES_MAX];
    struct reader in = rd_from(data, size);
    unsigned again = rd_u8(&in);
    uint64_t first = rd_le64(&in), step = rd_le32(&in);
    struct str text = rd_rest(&in), piece;
    size_t count = 0, lines;
    const char *wrong;

    while (count < LINES_MAX && str_split(&text, '\n', &piece))
        values[count++] = piece;
    lines = count;
    for (unsigned i = 0; i < again && lines; i++)
        for (size_t j = 0; j < lines && count < LINES_MAX; j++)
            values[count++] = values[j];
    for (size_t i = 0; i < count; i++)
        time[i] = (time_ns)(first + i * step);
    if (!r.k)
        round_open(&r);      /* kept: what a column leaves must not hurt the next */
    wrong = round_check(&r, values, count, first ? time : NULL, size);
    if (wrong) {
        fprintf(stderr, "%s (%s)\n", wrong, r.e.text);
        abort();
    }
    round_forget(&r);
    return 0;
}
