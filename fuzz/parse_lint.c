/* parse_lint.c - enemy of the conformance check: any bytes as a log of any class. */
#include "parse/lint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void count(void *arg, const struct lint_remark *remark)
{
    if (remark->line == 0 || remark->column == 0 || !remark->code || !remark->row)
        abort();
    ++*(size_t *)arg;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t told = 0;

    if (size == 0)
        return 0;
    if (lint_text(str_of((const char *)data + 1, size - 1), (enum event_class)(1 + data[0] % (CLASS_COUNT - 1)), count,
                  &told) != told)
        abort();
    return 0;
}
