/* intel_lists.c - enemy of the lists of known exploited vulnerabilities and of probabilities: any bytes as KEV (JSON) and as EPSS (CSV, also packed). */
#include "base/base.h"
#include "desk/vulnerabilities/intel_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int row(void *arg, const struct intel_row *r, struct err *e)
{
    size_t *rows = arg;

    (void)e;
    assert(r->cve.n > 0 && r->epss <= 1);
    ++*rows;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str bytes = str_of((const char *)data, size);
    struct intel_meta meta = { 0 };
    size_t rows = 0;
    struct err e;

    if (kev_read(bytes, row, &rows, &meta, &e) < 0)
        rows = 0;
    if (epss_read(bytes, row, &rows, &meta, &e) < 0)
        rows = 0;
    return 0;
}
