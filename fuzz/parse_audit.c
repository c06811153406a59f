/* parse_audit.c - enemy of the reader of audit records. */
#include "parse_work.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bench b;

    bench_open(&b, str_of((const char *)data, size));
    (void)audit_message(&b.work);
    bench_close(&b);
    return 0;
}
