/* ioc_read.c - enemy of files of indicators: STIX, MISP, lists, and warning lists. Whatever comes out is written one way, and a set that is made of it finds it. */
#include "ioc/ioc.h"

static int take(void *arg, const struct ioc *i, struct err *e)
{
    AUTO_BUF struct buf again = { 0 };

    buf_init(&again, 16 * KIB);
    assert(i->type < IOC_TYPES && i->value.n && i->value.n <= 2 * IOC_VALUE_MAX && i->note.n <= IOC_NOTE_MAX);
    if (ioc_normal(i->type, i->value, &again))
        assert(str_eq(buf_view(&again), i->value));
    return ioc_build_add(arg, i, e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct ioc usual = { .type = IOC_TYPES, .confidence = IOC_CONFIDENCE_NONE, .source = STR_INIT("fuzz") };
    struct str all = str_of((const char *)data, size);
    struct ioc_build *b = NULL;
    struct ioc_told told;
    struct err e;

    if (ioc_build_new(&b, &e) < 0)
        return 0;
    int rc = ioc_read(all, &usual, take, b, &told, &e);

    assert(rc <= 0 && told.format < IOC_FORMATS);
    rc = ioc_build_warnings(b, all, &e);
    assert(rc <= 0);
    ioc_build_free(&b);
    return 0;
}
