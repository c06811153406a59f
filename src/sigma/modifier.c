/* modifier.c - what stands behind "|" in a field's name, and the values it is applied to; see modifier.h. */
#include "sigma/modifier.h"

static const struct {
    const char   *name;
    enum modifier modifier;
} table[] = {
    { "contains", MOD_CONTAINS },      { "startswith", MOD_STARTS },
    { "endswith", MOD_ENDS },          { "all", MOD_ALL },
    { "cased", MOD_CASED },            { "neq", MOD_NEQ },
    { "re", MOD_RE },                  { "i", MOD_RE_I },
    { "ignorecase", MOD_RE_I },        { "m", MOD_RE_M },
    { "multiline", MOD_RE_M },         { "s", MOD_RE_S },
    { "dotall", MOD_RE_S },            { "cidr", MOD_CIDR },
    { "base64", MOD_BASE64 },          { "base64offset", MOD_BASE64OFFSET },
    { "wide", MOD_UTF16LE },           { "utf16le", MOD_UTF16LE },
    { "utf16be", MOD_UTF16BE },        { "utf16", MOD_UTF16 },
    { "windash", MOD_WINDASH },        { "exists", MOD_EXISTS },
    { "fieldref", MOD_REF },           { "lt", MOD_LT },
    { "lte", MOD_LTE },                { "gt", MOD_GT },
    { "gte", MOD_GTE },
    { "expand", MOD_EXPAND },
    { "minute", MOD_MINUTE },          { "hour", MOD_HOUR },
    { "day", MOD_DAY },                { "week", MOD_WEEK },
    { "month", MOD_MONTH },            { "year", MOD_YEAR },
};

/* What may follow what: the first group decides how values are read, the others work on texts. */
static bool decides(enum modifier m)
{
    return m == MOD_RE || m == MOD_CIDR || m == MOD_EXISTS || m == MOD_REF || m >= MOD_LT;
}

static bool is_part(enum modifier m) { return m >= MOD_MINUTE; }

static int take(struct draft *d, const struct ynode *key, enum modifier m, struct chain *c)
{
    switch (m) {
    case MOD_ALL: c->all = true; return 0;
    case MOD_CASED: c->cased = true; return 0;
    case MOD_NEQ: c->neq = true; return 0;
    case MOD_EXPAND: c->expand = true; return 0;
    case MOD_RE_I: c->re_flags |= RE_CASELESS; break;
    case MOD_RE_M: c->re_flags |= RE_MULTILINE; break;
    case MOD_RE_S: c->re_flags |= RE_DOTALL; break;
    default: break;
    }
    if (m == MOD_RE_I || m == MOD_RE_M || m == MOD_RE_S)
        return c->first == MOD_RE ? 0 : draft_broken(d, key, "modifiers i, m and s belong behind \"re\"");
    if (is_part(c->first) && m >= MOD_LT && m <= MOD_GTE && c->compare == MOD_NONE) {
        c->compare = m;
        return 0;
    }
    if (decides(m)) {
        if (c->first != MOD_NONE || c->count)
            return draft_broken(d, key, "this modifier must be the first one");
        c->first = m;
        return 0;
    }
    if (c->first == MOD_RE && (m == MOD_STARTS || m == MOD_ENDS || m == MOD_CONTAINS)) {
        c->re_flags |= m == MOD_STARTS ? RE_FROM_START : m == MOD_ENDS ? RE_TO_END : 0;   /* a search finds it anywhere already */
        return 0;
    }
    if (c->first != MOD_NONE && !(c->first == MOD_REF && (m == MOD_STARTS || m == MOD_ENDS || m == MOD_CONTAINS)))
        return draft_unsupported(d, key, "these modifiers are not combined");
    if (c->count == COUNT(c->text))
        return draft_broken(d, key, "more than %zu modifiers", COUNT(c->text));
    c->text[c->count++] = m;
    return 0;
}

/* encodes_later - base64 or base64offset stands behind modifier i. */
static bool encodes_later(const struct chain *c, uint32_t i)
{
    while (++i < c->count)
        if (c->text[i] == MOD_BASE64 || c->text[i] == MOD_BASE64OFFSET)
            return true;
    return false;
}

int chain_parse(struct draft *d, const struct ynode *key, struct str names, struct chain *c)
{
    struct str one;

    *c = (struct chain){ 0 };
    while (str_split(&names, '|', &one)) {
        size_t i = 0;
        int rc;

        while (i < COUNT(table) && !str_eq(one, str_c(table[i].name)))
            i++;
        if (i == COUNT(table))
            return draft_broken(d, key, "no modifier \"%.*s\"; known are contains, startswith, endswith, all, re, cidr, cased, "
                                "exists, lt, lte, gt, gte, neq, windash, fieldref, base64, base64offset, wide, expand, minute … year", STR_ARG(one));
        rc = take(d, key, table[i].modifier, c);
        if (rc < 0)
            return rc;
    }
    for (uint32_t i = 0; i < c->count; i++)
        if (c->text[i] >= MOD_UTF16LE && c->text[i] <= MOD_UTF16 && !encodes_later(c, i))
            draft_remark(d, key, "UTF-16 stands only in front of base64 or base64offset: events hold UTF-8");
    return 0;
}

/* --- encodings --- */

static struct str utf16(struct arena *a, struct str s, bool big, bool mark)
{
    char *p = arena_alloc(a, s.n * 2 + 4);
    size_t n = 0;

    if (!p)
        return (struct str){ NULL, 0 };
    if (mark) {
        p[n++] = big ? (char)0xFE : (char)0xFF;
        p[n++] = big ? (char)0xFF : (char)0xFE;
    }
    for (size_t i = 0; i < s.n;) {
        size_t w = utf8_width(s.p + i, s.n - i);
        const unsigned char *u = (const unsigned char *)s.p + i;
        uint32_t cp = w == 1 ? u[0] : w == 2 ? (u[0] & 0x1Fu) << 6 | (u[1] & 0x3Fu)
                    : w == 3 ? (u[0] & 0x0Fu) << 12 | (u[1] & 0x3Fu) << 6 | (u[2] & 0x3Fu)
                    : (u[0] & 7u) << 18 | (u[1] & 0x3Fu) << 12 | (u[2] & 0x3Fu) << 6 | (u[3] & 0x3Fu);
        uint16_t unit[2] = { (uint16_t)cp, 0 };
        int units = 1;

        if (cp > 0xFFFF) {
            unit[0] = (uint16_t)(0xD800 + ((cp - 0x10000) >> 10));
            unit[1] = (uint16_t)(0xDC00 + ((cp - 0x10000) & 0x3FF));
            units = 2;
        }
        for (int k = 0; k < units; k++) {
            p[n++] = (char)(big ? unit[k] >> 8 : unit[k] & 0xFF);
            p[n++] = (char)(big ? unit[k] & 0xFF : unit[k] >> 8);
        }
        i += w;
    }
    return str_of(p, n);
}

static struct str base64(struct arena *a, struct str s, size_t shift)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *p = arena_alloc(a, (s.n + shift) * 4 / 3 + 8);
    size_t n = 0, total = s.n + shift;

    if (!p)
        return (struct str){ NULL, 0 };
    for (size_t i = 0; i < total; i += 3) {
        uint32_t v = 0;

        for (size_t k = 0; k < 3; k++) {
            size_t at = i + k;

            v = v << 8 | (at < shift ? ' ' : at < total ? (unsigned char)s.p[at - shift] : 0u);
        }
        p[n++] = digits[v >> 18 & 63];
        p[n++] = digits[v >> 12 & 63];
        p[n++] = i + 1 < total ? digits[v >> 6 & 63] : '=';
        p[n++] = i + 2 < total ? digits[v & 63] : '=';
    }
    return str_of(p, n);
}

/* shifted - the part of the encoding that does not depend on what stands before and behind. */
static struct str shifted(struct arena *a, struct str s, size_t shift)
{
    static const size_t skip[3] = { 0, 2, 3 }, drop[3] = { 0, 3, 2 };
    struct str whole = base64(a, s, shift);
    size_t end = drop[(s.n + shift) % 3];

    if (!whole.p)
        return whole;
    if (whole.n < skip[shift] + end)
        return str_of(whole.p, 0);
    return str_of(whole.p + skip[shift], whole.n - skip[shift] - end);
}

static struct str encoded(struct arena *a, enum modifier m, struct str plain, uint32_t shift)
{
    switch (m) {
    case MOD_BASE64: return base64(a, plain, 0);
    case MOD_BASE64OFFSET: return shifted(a, plain, shift);
    default: return utf16(a, plain, m == MOD_UTF16BE, m == MOD_UTF16);
    }
}

static int encode_text(struct draft *d, const struct ynode *at, enum modifier m, struct alternatives *v)
{
    struct arena *a = &d->set->scratch;
    uint32_t each = m == MOD_BASE64OFFSET ? 3 : 1;
    struct tokens *made = arena_array(a, (size_t)v->count * each, sizeof *made);

    if (!made)
        return err_set(d->e, -ENOMEM, "no memory for patterns");
    for (uint32_t i = 0; i < v->count * each; i++) {
        struct str plain, s;

        if (!tokens_text(a, &v->t[i / each], &plain))
            return draft_broken(d, at, "a value with wildcards cannot be encoded");
        s = encoded(a, m, plain, i % each);
        if (!s.p || tokens_literal(a, s, &made[i], d->e) < 0)
            return -ENOMEM;
        if (s.n == 0)
            return draft_broken(d, at, "the value is too short to be encoded");
    }
    *v = (struct alternatives){ made, v->count * each };
    return 0;
}

/* write_out - each dash of windash as each of the signs it stands for: 5 texts a dash. */
static int write_out(struct draft *d, const struct ynode *at, struct alternatives *v)
{
    static const char *const dashes[] = { "-", "/", "\xe2\x80\x93", "\xe2\x80\x94", "\xe2\x80\x95" };

    for (uint32_t i = 0; i < v->count;) {
        struct tokens t = v->t[i], *made;
        uint32_t dash = 0;

        while (dash < t.n && t.p[dash] != TOK_DASH)
            dash++;
        if (dash == t.n) {
            i++;
            continue;
        }
        made = arena_array(&d->set->scratch, (size_t)v->count + COUNT(dashes) - 1, sizeof *made);
        if (v->count + COUNT(dashes) > ALTERNATIVES_MAX || (uint64_t)(v->count + COUNT(dashes)) * t.n > ALTERNATIVES_BYTES_MAX)
            return draft_broken(d, at, "the value stands for more than %d texts, or for too long ones", ALTERNATIVES_MAX);
        if (!made)
            return err_set(d->e, -ENOMEM, "no memory for patterns");
        memcpy(made, v->t, v->count * sizeof *made);
        for (uint32_t k = 0; k < COUNT(dashes); k++)
            if (tokens_put(&d->set->scratch, &t, dash, str_c(dashes[k]), &made[k ? v->count + k - 1 : i], d->e) < 0)
                return -ENOMEM;
        *v = (struct alternatives){ made, v->count + COUNT(dashes) - 1 };
    }
    return 0;
}

static bool encodes(enum modifier m) { return m >= MOD_BASE64 && m <= MOD_UTF16; }

int chain_apply(struct draft *d, const struct ynode *at, const struct chain *c, struct alternatives *v)
{
    int rc = 0;

    for (uint32_t m = 0; m < c->count && rc == 0; m++) {
        enum modifier mod = c->text[m];

        if (encodes(mod)) {
            rc = write_out(d, at, v);
            if (rc == 0)
                rc = encode_text(d, at, mod, v);
            continue;
        }
        for (uint32_t i = 0; i < v->count && rc == 0; i++) {
            if (mod == MOD_WINDASH)
                tokens_windash(&v->t[i]);
            else
                rc = tokens_wrap(&d->set->scratch, &v->t[i], mod != MOD_STARTS, mod != MOD_ENDS, d->e);
        }
    }
    return rc;
}
