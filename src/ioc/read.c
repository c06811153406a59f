/* read.c - what a file is, by its content, and what all its readers share. */
#include "ioc/internal.h"

#define WIDE_BITS 8   /* of IPv4; twice as many of IPv6 */

static const char *const tlp_names[IOC_TLP_COUNT] = { "", "clear", "green", "amber", "amber+strict", "red" };

const char *ioc_tlp_name(enum ioc_tlp t) { return t < IOC_TLP_COUNT ? tlp_names[t] : ""; }

enum ioc_tlp ioc_tlp_parse(struct str name)
{
    if (name.n > 4 && str_ieq(str_of(name.p, 4), STR("tlp:")))
        name = str_cut(name, 4);
    if (str_ieq(name, STR("white")))
        return IOC_TLP_CLEAR;
    for (enum ioc_tlp t = IOC_TLP_CLEAR; t < IOC_TLP_COUNT; t++)
        if (str_ieq(name, str_c(tlp_names[t])))
            return t;
    return IOC_TLP_COUNT;
}

const char *ioc_format_name(enum ioc_format f)
{
    static const char *const names[IOC_FORMATS] = { "stix", "misp", "list" };

    return f < IOC_FORMATS ? names[f] : "";
}

const char *ioc_skip_name(enum ioc_skip s)
{
    static const char *const names[IOC_SKIPS] = { "not_for_detection", "revoked", "type", "value", "pattern", "private_or_wide" };

    return s < IOC_SKIPS ? names[s] : "";
}

struct str ioc_text_of(const json_t *object, const char *name)
{
    const json_t *v = json_object_get(object, name);

    return json_is_string(v) ? str_of(json_string_value(v), json_string_length(v)) : str_of(NULL, 0);
}

time_ns ioc_time_of(const json_t *object, const char *name)
{
    struct str s = ioc_text_of(object, name);
    time_ns t = 0;

    int offset;

    return s.n && time_parse_rfc3339(s, &t, &offset, NULL) == 0 ? t : 0;
}

void ioc_skip(struct reading *r, enum ioc_skip why, struct str what)
{
    if (r->told->skipped[why]++ == 0)
        snprintf(r->told->example[why], sizeof r->told->example[why], "%.*s", (int)min_size(what.n, sizeof r->told->example[why] - 1), what.n ? what.p : "");
}

/* above_all - "*.evil.example" and ".evil.example" are all names below evil.example, and those are found by it. */
static struct str above_all(struct str value)
{
    value = str_trim(value);
    if (str_starts(value, STR("*.")) || str_starts(value, STR(".")))
        return str_cut(value, *value.p == '*' ? 2 : 1);
    return value;
}

/* too_wide - one line of a feed must not raise a finding for each event of everybody. */
static bool too_wide(enum ioc_type type, struct str value)
{
    uint8_t address[16], bits;

    if (type == IOC_IP)
        return ioc_private(value);
    if (type != IOC_NETWORK || !ioc_network(value, address, &bits))
        return false;
    return bits < (str_chr(value, ':') < 0 ? 96 + WIDE_BITS : 2 * WIDE_BITS) || ioc_private(str_of(value.p, (size_t)str_chr(value, '/')));
}

int ioc_take(struct reading *r, struct ioc *i, struct str value)
{
    int rc;

    if (i->type == IOC_DOMAIN)
        value = above_all(value);
    buf_reset(&r->value);
    if (!ioc_normal(i->type, value, &r->value)) {
        ioc_skip(r, IOC_SKIP_VALUE, value);
        return 0;
    }
    i->value = buf_view(&r->value);
    if (too_wide(i->type, i->value)) {
        ioc_skip(r, IOC_SKIP_WIDE, i->value);
        return 0;
    }
    rc = r->fn(r->arg, i, r->e);
    r->told->taken += rc == 0;
    return rc;
}

/* looks_a_name - letters, digits, '-' and '_' between dots, letters beyond ASCII too; what is highest is no number. */
static bool looks_a_name(struct str s)
{
    size_t last = 0;

    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if (c < 0x80 && c != '.' && c != '-' && c != '_' && !(c >= '0' && c <= '9') && !((c | 32) >= 'a' && (c | 32) <= 'z'))
            return false;
        if (c == '.')
            last = i + 1;
    }
    return last < s.n && !(s.p[last] >= '0' && s.p[last] <= '9');
}

enum ioc_type ioc_guess(struct str value)
{
    static const enum ioc_type order[] = { IOC_NETWORK, IOC_IP, IOC_URL, IOC_HASH, IOC_EMAIL, IOC_DOMAIN };
    AUTO_BUF struct buf b = { 0 };

    buf_init(&b, 2 * IOC_VALUE_MAX);
    for (size_t i = 0; i < COUNT(order); i++)
        if (ioc_normal(order[i], order[i] == IOC_DOMAIN ? above_all(value) : value, &b) && (order[i] != IOC_DOMAIN || looks_a_name(buf_view(&b))))
            return order[i];
    return IOC_TYPES;
}

int ioc_read(struct str bytes, const struct ioc *usual, ioc_fn *fn, void *arg, struct ioc_told *told, struct err *e)
{
    struct reading r = { .usual = usual, .fn = fn, .arg = arg, .told = told, .e = e };
    json_error_t at;
    json_t *root = NULL;
    int rc;

    memset(told, 0, sizeof *told);
    told->format = IOC_LIST;
    if (bytes.n > IOC_FILE_MAX)
        return err_set(e, -E2BIG, "a file of indicators has at most %u MiB", IOC_FILE_MAX / MIB);
    if (str_starts(bytes, STR("\xEF\xBB\xBF")))
        bytes = str_cut(bytes, 3);
    bytes = str_trim(bytes);
    buf_init(&r.value, 4 * IOC_VALUE_MAX);
    if (bytes.n && (*bytes.p == '{' || *bytes.p == '[')) {
        root = json_loadb(bytes.p, bytes.n, 0, &at);
        if (!root)
            return err_set(e, -EBADMSG, "line %d, column %d: %s", at.line, at.column, at.text);
        told->format = ioc_misp_looks(root) ? IOC_MISP : IOC_STIX;
        rc = told->format == IOC_MISP ? ioc_misp(&r, root) : ioc_stix(&r, root);
        json_decref(root);
    } else {
        rc = ioc_list(&r, bytes);
    }
    buf_free(&r.value);
    return rc;
}
