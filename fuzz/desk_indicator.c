/* desk_indicator.c - enemy of the indicators of a case: a type, a blank, any bytes. What is normal stays as it is when it is made normal again. */
#include "desk/cases/indicator.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str all = str_of((const char *)data, size), type, value;
    AUTO_BUF struct buf once = { 0 }, twice = { 0 };
    ptrdiff_t blank = str_chr(all, ' ');

    buf_init(&once, 16 * KIB);
    buf_init(&twice, 16 * KIB);
    if (blank < 0)
        return 0;
    type = str_of(all.p, (size_t)blank);
    value = str_cut(all, (size_t)blank + 1);
    (void)indicator_private(value);
    if (!indicator_normal(type, value, &once))
        return 0;
    assert(once.n <= 2 * INDICATOR_MAX && !buf_failed(&once));
    if (indicator_normal(type, buf_view(&once), &twice))
        assert(str_eq(buf_view(&once), buf_view(&twice)));
    return 0;
}
