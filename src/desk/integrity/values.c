/* values.c - the value of a fact: text, its parts behind tabs.
 *
 *      packages   version
 *      settings   set | absent | unreadable TAB file TAB value
 *      files      bytes TAB mode (octal) TAB seconds since 1970 TAB SHA-256, or "!" and why it could not be read
 *      time       synchronised | unsynchronised | unreadable TAB offset in ms TAB estimated error in ms TAB why it could not be read
 *      and what a passport says of a file: TAB TAB TAB algorithm:sum */
#include "desk/integrity/room.h"

const char *fact_kind(struct str s)
{
    static const char *const kinds[] = { "packages", "settings", "files", "time" };

    for (size_t i = 0; i < COUNT(kinds); i++)
        if (str_eq(s, str_c(kinds[i])))
            return kinds[i];
    return NULL;
}

struct str value_part(struct str value, int n)
{
    struct str part = { NULL, 0 };

    for (int i = 0; i <= n; i++)
        if (!str_split(&value, '\t', &part))
            return (struct str){ NULL, 0 };
    return part;
}

static bool of_files(const char *kind) { return kind[0] == 'f'; }

bool value_same_fact(const char *kind, struct str a, struct str b)
{
    static const int counted[] = { 0, 1, 3 };

    if (kind[0] == 't')                /* offset and error move all the time: whether it is kept in time is the fact */
        return str_eq(value_part(a, 0), value_part(b, 0));
    if (!of_files(kind))
        return str_eq(a, b);
    for (size_t i = 0; i < COUNT(counted); i++)
        if (!str_eq(value_part(a, counted[i]), value_part(b, counted[i])))
            return false;
    return true;
}

bool value_unreadable(const char *kind, struct str value)
{
    return of_files(kind) ? str_starts(value_part(value, 3), STR("!")) : str_starts(value, STR("unreadable\t"));
}

static json_t *number_of(struct str s)
{
    int64_t v;

    return str_i64(s, &v) ? json_integer(v) : json_null();
}

json_t *fact_value_json(const char *kind, struct str value)
{
    struct str text = of_files(kind) ? value_part(value, 3) : kind[0] == 's' ? value_part(value, 2) : kind[0] == 't' ? value_part(value, 0) : value;
    bool files = of_files(kind), settings = kind[0] == 's';
    int64_t at;

    if (!value.p)
        return json_null();
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "text", json_str(text.p ? text : STR("")), "state", settings ? json_str(value_part(value, 0)) : json_null(),
                     "file", settings && value_part(value, 1).n ? json_str(value_part(value, 1)) : json_null(), "size_bytes",
                     files ? number_of(value_part(value, 0)) : json_null(), "mode", files && value_part(value, 1).n ? json_str(value_part(value, 1)) : json_null(),
                     "modified_at", files && str_i64(value_part(value, 2), &at) && at >= 0 && at < INT64_MAX / NS_PER_SECOND ? json_time(at * NS_PER_SECOND)
                                                                                                                            : json_null());
}
