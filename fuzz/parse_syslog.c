/* parse_syslog.c - enemy of the reader of headers. */
#include "parse_work.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bench b;

    bench_open(&b, str_of((const char *)data, size));
    (void)syslog_header(&b.work);
    bench_close(&b);
    return 0;
}
