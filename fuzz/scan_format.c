/* scan_format.c - enemy of scan: any bytes as a description; one that loads reads a small report. */
#include "scan_work.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char xml[] = "<a x='1'><h n='h'><r k='v'><b>1</b><b>2</b><c>CVE-2030-1111</c></r></h></a>";
static const char json[] = "{\"a\":{\"h\":[{\"n\":\"h\",\"r\":[{\"k\":\"v\",\"b\":[1,2]},{\"c\":\"CVE-2030-1111\"}]}]}}";
static const char text[] = "a,b\n1,2\nx: y\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct format *f = NULL;
    struct err e = { 0 };

    if (size > 16 * KIB || format_parse(str_of((const char *)data, size), "fuzz.yaml", NULL, &f, &e) < 0) {
        assert(f == NULL);
        return 0;
    }
    if (f->file == FILE_XML)
        scan_run(f, (const uint8_t *)xml, sizeof xml - 1);
    else if (f->file == FILE_JSON)
        scan_run(f, (const uint8_t *)json, sizeof json - 1);
    else
        scan_run(f, (const uint8_t *)text, sizeof text - 1);
    format_free(&f);
    return 0;
}
