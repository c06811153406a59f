/* desk_action.c - the body of an action on a case: first line the action's name, the rest JSON from whoever is signed in. What is
 * accepted must hold what its handler relies on. */
#include "desk/internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest = str_of((const char *)data, size), name;
    char field[DESK_FIELD_MAX] = "";
    time_ns t;
    json_t *body;

    if (!str_split(&rest, '\n', &name))
        return 0;
    body = json_loadb(rest.n ? rest.p : "", rest.n, JSON_REJECT_DUPLICATES, NULL);
    int rc = act_body_check(name, body, field, NULL);
    if (rc == -EINVAL && memchr(field, 0, sizeof field) == NULL)
        abort();
    if (rc == 0 && str_eq(name, STR("confirm_incident")) &&
        (time_parse_rfc3339(json_get_str(body, "confirmed_at"), &t, NULL, NULL) < 0 || !value_known(level_values, json_get_str(body, "level"))))
        abort();
    if (rc == 0 && str_eq(name, STR("report_measures")) && !json_is_array(json_object_get(json_object_get(body, "annex2"), "iocs")))
        abort();
    if (rc == 0 && str_eq(name, STR("notify")) && !json_get_str(body, "recommendations").n)
        abort();
    json_decref(body);
    return 0;
}
