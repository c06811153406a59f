/* integrity_part.c - a part of a host's state as an agent, or whoever holds its certificate, may send it. */
#include "desk/integrity/room.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct snapshot s = { 0 };
    int64_t part = 0;
    bool last = false;
    struct err e;

    if (facts_part_read(str_of((const char *)data, size), &s, &part, &last, &e) == 0) {
        const char *key;
        json_t *value;

        assert(s.kind && s.scan > 0 && part >= 1 && part <= FACT_PARTS_MAX && s.base >= 0);
        json_object_foreach(s.items, key, value) {
            struct str text = str_of(json_string_value(value), json_string_length(value));

            assert(*key && text.n <= FACT_VALUE_MAX);
            json_decref(fact_value_json(s.kind, text));
            (void)value_unreadable(s.kind, text);
        }
    }
    snapshot_free(&s);
    return 0;
}
