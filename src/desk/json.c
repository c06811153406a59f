/* json.c - small makers of JSON and text that many answers need. */
#include "desk/internal.h"

json_t *json_str(struct str s)
{
    if (!s.p)
        return json_null();
    json_t *j = json_stringn(s.p, s.n);
    if (j)
        return j;
    /* Not UTF-8: what is not a letter becomes a question mark; the bytes themselves are in the journal. */
    AUTO_FREE char *copy = malloc(s.n + 1);
    if (!copy)
        return json_null();
    for (size_t i = 0; i < s.n; i++)
        copy[i] = (unsigned char)s.p[i] < 0x80 && s.p[i] ? s.p[i] : '?';
    return json_stringn(copy, s.n);
}

json_t *json_time(time_ns t)
{
    char text[TIME_TEXT_MAX];

    return json_string(time_format_utc(t, text));
}

json_t *json_time_or_null(time_ns t) { return t ? json_time(t) : json_null(); }

json_t *json_id(int64_t id)
{
    char text[24];

    snprintf(text, sizeof text, "%lld", (long long)id);
    return json_string(text);
}

json_t *json_ref(struct str id, struct str name)
{
    return id.p ? json_pack("{s:o, s:o}", "id", json_str(id), "name", json_str(name.p ? name : id)) : json_null();
}

struct str json_get_str(const json_t *o, const char *key)
{
    const json_t *v = json_object_get(o, key);

    return json_is_string(v) ? str_of(json_string_value(v), json_string_length(v)) : (struct str){ NULL, 0 };
}

/* fold_point - one letter without its case; only letters whose both cases are equally long in UTF-8. */
static uint32_t fold_point(uint32_t u)
{
    if (u >= 'A' && u <= 'Z')
        return u + 32;
    if (u >= 0xC0 && u <= 0xDE && u != 0xD7)
        return u + 32;
    if (u >= 0x410 && u <= 0x42F)
        return u + 32;
    if (u >= 0x400 && u <= 0x40F)
        return u + 80;
    if (((u >= 0x460 && u <= 0x481) || (u >= 0x48A && u <= 0x4BF) || (u >= 0x4D0 && u <= 0x52F)) && (u & 1) == 0)
        return u + 1;   /* Kazakh Ә Ғ Қ Ң Ө Ұ Ү Һ stand here */
    return u;
}

struct str fold_text(struct str s, struct arena *a)
{
    struct str out = arena_copy(a, s);
    char *p = (char *)(uintptr_t)out.p;

    for (size_t i = 0; i < out.n; i++) {
        unsigned char c = (unsigned char)p[i];

        if (c < 0x80) {
            p[i] = (char)fold_point(c);
        } else if ((c & 0xE0) == 0xC0 && i + 1 < out.n) {
            uint32_t u = fold_point(((uint32_t)(c & 0x1F) << 6) | ((unsigned char)p[i + 1] & 0x3F));

            p[i] = (char)(0xC0 | (u >> 6));
            p[++i] = (char)(0x80 | (u & 0x3F));
        }
    }
    return out;
}

int64_t parse_id(struct str s)
{
    uint64_t id;

    return str_u64(s, &id) && id <= INT64_MAX ? (int64_t)id : 0;
}

int page_limit(int limit) { return limit <= 0 ? 100 : limit > DESK_LIMIT_MAX ? DESK_LIMIT_MAX : limit; }

void local_date(const struct desk *d, time_ns t, char out[16])
{
    struct civil c = civil_of_ns(t, zone_offset_min(d->setup.world->zone, t));

    snprintf(out, 16, "%04d-%02d-%02d", (int)c.year % 10000, (int)c.month % 100, (int)c.day % 100);
}

struct str text_fill(struct arena *a, struct str pattern, const json_t *args)
{
    AUTO_BUF struct buf b = { 0 };
    char name[64];

    buf_init(&b, MIB);
    while (pattern.n) {
        ptrdiff_t open = str_chr(pattern, '{'), close;

        if (open < 0)
            break;
        buf_put(&b, pattern.p, (size_t)open);
        pattern = str_cut(pattern, (size_t)open);
        close = str_chr(pattern, '}');
        if (close > 1 && (size_t)close - 1 < sizeof name) {
            snprintf(name, sizeof name, "%.*s", (int)close - 1, pattern.p + 1);
            const json_t *value = json_object_get(args, name);

            if (value) {
                if (json_is_integer(value))
                    buf_printf(&b, "%lld", (long long)json_integer_value(value));
                else
                    buf_str(&b, json_get_str(args, name));
                pattern = str_cut(pattern, (size_t)close + 1);
                continue;
            }
        }
        buf_byte(&b, '{');
        pattern = str_cut(pattern, 1);
    }
    buf_str(&b, pattern);
    return arena_copy(a, buf_view(&b));
}
