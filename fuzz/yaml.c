/* yaml.c - enemy of base/yaml: any bytes as a configuration, rule, calendar or edition file. */
#include "base/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct yaml *y;
    struct err e;

    if (yaml_load(str_of((const char *)data, size), "fuzz", &y, &e) == 0)
        yaml_free(&y);
    return 0;
}
