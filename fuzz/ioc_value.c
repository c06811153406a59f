/* ioc_value.c - enemy of indicators: a type, a blank, any bytes. What is normal stays as it is when it is made normal again. */
#include "ioc/value.h"

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
    (void)ioc_private(value);
    for (enum ioc_type t = IOC_DOMAIN; t <= IOC_HASH; t += IOC_HASH - IOC_DOMAIN) {
        AUTO_BUF struct buf slow = { 0 };
        char quick[IOC_NAME_ROOM];
        size_t n = ioc_normal_name(t, value, quick);

        buf_init(&slow, 16 * KIB);
        assert(n == 0 || (ioc_normal(t, value, &slow) && str_eq(buf_view(&slow), str_of(quick, n))));
    }
    if (!ioc_normal(ioc_type_parse(type), value, &once))
        return 0;
    assert(once.n <= 2 * IOC_VALUE_MAX && !buf_failed(&once));
    if (ioc_normal(ioc_type_parse(type), buf_view(&once), &twice))
        assert(str_eq(buf_view(&once), buf_view(&twice)));
    return 0;
}
