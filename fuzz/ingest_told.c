/* ingest_told.c - enemy of the source profiles that the desk writes: any bytes as DATA/run/profiles.json, and the profiles asked. */
#include "ingest/told.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str json = str_of((const char *)data, size);
    struct profiles *p = NULL;
    struct err e;

    if (told_read(json, &p, &e) == 0) {
        (void)profiles_find(p, STR("10.0.0.7"), STR("syslog_udp"), str_of(json.p, min_size(json.n, 16)));
        (void)profiles_find(p, STR("2001:db8::1"), STR(""), STR(""));
        profiles_free(&p);
    }
    return 0;
}
