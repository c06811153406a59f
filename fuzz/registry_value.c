/* registry_value.c - the value of a record: first line its kind, the rest JSON from whoever is signed in. What is accepted must hold what the columns
 * rely on, and a value made whole is accepted again and stays as it is. */
#include "desk/registry/room.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool fits(const json_t *list, bool (*valid)(struct str))
{
    json_t *item;
    size_t i;

    json_array_foreach((json_t *)(uintptr_t)list, i, item)
        if (!valid(str_of(json_string_value(item), json_string_length(item))))
            return false;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest = str_of((const char *)data, size), name;
    struct desk_reply r = { 0 };
    struct call c;
    enum record_kind k;
    json_t *value, *whole, *again;

    (void)minute_of_day(rest);
    (void)domain_valid(rest);
    (void)address_valid(rest);
    (void)bin_valid(rest);
    if (!str_split(&rest, '\n', &name) || (k = record_kind_parse(name)) == RECORD_KIND_COUNT)
        return 0;
    value = json_loadb(rest.n ? rest.p : "", rest.n, JSON_REJECT_DUPLICATES, NULL);
    desk_call_init(&c, NULL, NULL, 0, &r);
    if (value_check(&c, k, "value.", value) == 0) {
        if (k == RECORD_COMPONENT && (json_array_size(json_object_get(value, "ip_addresses")) == 0 || !fits(json_object_get(value, "ip_addresses"), address_valid)))
            abort();
        whole = value_whole(k, value);
        again = value_whole(k, whole);
        if (!json_equal(whole, again))
            abort();
        json_decref(whole);
        json_decref(again);
    } else if (memchr(r.field, 0, sizeof r.field) == NULL) {
        abort();
    }
    desk_call_free(&c);
    json_decref(value);
    return 0;
}
