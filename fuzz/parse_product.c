/* parse_product.c - enemy of the loader of parsers as data: whatever the file, it loads or is refused with a story; what loads can be
 * tried. */
#include "parse_work.h"

#include "parse/patterns.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct product *p = NULL;
    struct err e = { 0 };
    int rc = product_load(str_of((const char *)data, size), "fuzz.yaml", &p, &e);

    if ((rc == 0) != (p != NULL) || (rc < 0 && e.text[0] == '\0'))
        abort();
    if (p && product_try_samples(p, 0, &e) < 0 && e.text[0] == '\0')
        abort();
    product_unref(&p);
    return 0;
}
