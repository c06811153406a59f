/* sigma_frequency.c - enemy of the measured frequencies on disk: what is taken is written again as it was. */
#include "sigma/frequency.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sigma_frequency *f = sigma_frequency_new();
    struct str saved = str_of((const char *)data, size);
    AUTO_BUF struct buf b;
    struct err e;

    buf_init(&b, 4u * MIB);
    if (f && sigma_frequency_load(f, saved, &e) == 0) {
        sigma_frequency_save(f, &b);
        if (buf_failed(&b) || b.n > size || sigma_frequency_load(f, buf_view(&b), &e) < 0)
            __builtin_trap();
    }
    sigma_frequency_free(&f);
    return 0;
}
