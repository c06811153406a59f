/* portal_body.c - a JSON body within its limits, from whatever a stranger sends. */
#include "portal/call.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e;
    json_t *j;

    if (json_body_read(str_of((const char *)data, size), &j, &e) < 0)
        return 0;
    if (!json_is_object(j))
        abort();
    json_decref(j);
    return 0;
}
