/* scan_cvss.c - enemy of scan/cvss: any bytes as a vector; what is read has a score. */
#include "scan/cvss.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cvss c;
    struct err e = { 0 };

    if (cvss_parse(str_of((const char *)data, size), &c, &e) < 0) {
        assert(e.text[0]);
        return 0;
    }
    assert(cvss_base(&c) >= 0 && cvss_base(&c) <= 10 && cvss_score(&c) >= 0 && cvss_score(&c) <= 10);
    return 0;
}
