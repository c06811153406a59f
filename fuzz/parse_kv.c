/* parse_kv.c - enemy of the reader of key=value. */
#include "parse_work.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bench b;

    bench_open(&b, str_of((const char *)data, size));
    (void)kv_line(&b.work, b.work.msg);
    bench_close(&b);
    return 0;
}
