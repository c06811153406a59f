/* td_library.c - enemy of the library of requirements: any bytes as an administrator's own file. What loads is told as JSON, whole. */
#include "desk/documents/room.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct enum_value values[] = {
    { .id = STR_INIT("is_policy"), .row = STR_INIT("R-A3.1-01"), .number = 1 },
    { .id = STR_INIT("cable_journal"), .row = STR_INIT("R-A3.4-04"), .number = 2 },
};
static const struct enumeration docs = { .id = STR_INIT("td_document_type"), .values = values, .count = COUNT(values) };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct td_library l;
    struct err e;

    if (library_text(str_of((const char *)data, size), "fuzz.yaml", &docs, &l, &e) == 0)
        for (size_t i = 0; i < l.count; i++) {
            json_t *q = requirement_json(&l.items[i]);

            assert(q && l.items[i].code.n && l.items[i].text.text[LANG_KK].n);
            json_decref(q);
        }
    library_free(&l);
    return 0;
}
