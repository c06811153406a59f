/* params.c - see params.h. */
#include "portal/params.h"

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int percent_decode(struct str in, bool plus, struct arena *a, struct str *out, struct err *e)
{
    char *to = arena_alloc(a, in.n + 1);
    size_t n = 0;

    if (!to)
        return err_set(e, -ENOMEM, "no memory to decode a parameter");
    for (size_t i = 0; i < in.n; i++) {
        char c = in.p[i];

        if (c == '+' && plus)
            c = ' ';
        if (c == '%') {
            int high = in.n - i > 2 ? hex_value(in.p[i + 1]) : -1;
            int low = in.n - i > 2 ? hex_value(in.p[i + 2]) : -1;

            if (high < 0 || low < 0)
                return err_at(e, -EBADMSG, i, "%% without two hexadecimal digits");
            c = (char)(high << 4 | low);
            i += 2;
        }
        if (c == 0)
            return err_at(e, -EBADMSG, i, "a zero byte");
        to[n++] = c;
    }
    to[n] = 0;
    *out = str_of(to, n);
    return str_utf8_valid(*out) ? 0 : err_set(e, -EBADMSG, "not UTF-8");
}

int params_read(struct str query, struct arena *a, struct params *out, struct err *e)
{
    struct str pair, name;

    out->count = 0;
    if (query.n > PARAM_BYTES_MAX)
        return err_set(e, -E2BIG, "more than %u bytes of parameters", PARAM_BYTES_MAX);
    while (str_split(&query, '&', &pair)) {
        struct param *p = &out->item[out->count];
        int rc;

        if (pair.n == 0)
            continue;
        if (out->count == PARAMS_MAX)
            return err_set(e, -E2BIG, "more than %d parameters", PARAMS_MAX);
        if (!str_split(&pair, '=', &name))
            continue;
        rc = percent_decode(name, true, a, &p->name, e);
        if (rc == 0)
            rc = percent_decode(pair, true, a, &p->value, e);
        if (rc < 0)
            return rc;
        for (size_t i = 0; i < out->count; i++)
            if (str_eq(out->item[i].name, p->name))
                return err_set(e, -EBADMSG, "a parameter stands twice");
        out->count++;
    }
    return 0;
}

struct str params_get(const struct params *p, const char *name)
{
    for (size_t i = 0; i < p->count; i++)
        if (str_eq(p->item[i].name, str_c(name)))
            return p->item[i].value;
    return (struct str){ NULL, 0 };
}

int params_int(const struct params *p, const char *name, int64_t least, int64_t most, int64_t *out, struct err *e)
{
    struct str text = params_get(p, name);
    int64_t v;

    if (text.n == 0)
        return 0;
    if (!str_i64(text, &v) || v < least || v > most)
        return err_set(e, -EINVAL, "%s", name);
    *out = v;
    return 0;
}

int params_bool(const struct params *p, const char *name, bool *out, struct err *e)
{
    struct str text = params_get(p, name);

    if (text.n == 0)
        return 0;
    if (!str_eq(text, STR("true")) && !str_eq(text, STR("false")))
        return err_set(e, -EINVAL, "%s", name);
    *out = text.n == 4;
    return 0;
}

int params_time(const struct params *p, const char *name, time_ns *out, struct err *e)
{
    struct str text = params_get(p, name);
    time_ns t;

    if (text.n == 0)
        return 0;
    if (time_parse_rfc3339(text, &t, NULL, NULL) < 0)
        return err_set(e, -EINVAL, "%s", name);
    *out = t;
    return 0;
}
