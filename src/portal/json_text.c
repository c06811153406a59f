/* json_text.c - see json_text.h. */
#include "portal/json_text.h"

json_t *json_foreign(struct str s)
{
    AUTO_BUF struct buf b;
    json_t *j = NULL;

    buf_init(&b, 0);
    buf_json(&b, s);
    if (!buf_failed(&b))
        j = json_loadb(b.p, b.n, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    return j ? j : json_string("");
}

json_t *json_foreign_or_null(struct str s) { return s.n ? json_foreign(s) : json_null(); }

json_t *json_moment(time_ns t)
{
    char text[TIME_TEXT_MAX];

    return t ? json_string(time_format_utc(t, text)) : json_null();
}
