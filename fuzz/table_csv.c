/* table_csv.c - enemy of table: any bytes as a text table; the first byte chooses delimiter and encoding. */
#include "table/table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
    uint32_t number;
    size_t   letters;
};

static int check_row(void *arg, const struct table_row *row, struct err *e)
{
    struct seen *s = arg;
    uint32_t column = 0;

    assert(row->number > s->number && row->count > 0);
    s->number = row->number;
    for (size_t i = 0; i < row->count; i++) {
        assert(row->cells[i].column > column && row->cells[i].text.n > 0);
        column = row->cells[i].column;
        s->letters += (unsigned char)row->cells[i].text.p[0] + (unsigned char)row->cells[i].text.p[row->cells[i].text.n - 1];
    }
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char delimiters[] = { 0, ';', ',', '\t' };
    struct table_options o = { 0 };
    struct seen s = { 0 };
    struct err e;

    if (size < 2)
        return 0;
    o.delimiter = delimiters[data[0] & 3];
    o.encoding = (enum table_encoding)((data[0] >> 2) % 6);
    if (table_read(str_of((const char *)data + 1, size - 1), &o, check_row, &s, &e) < 0)
        assert(e.text[0]);
    return 0;
}
