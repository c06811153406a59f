/* pattern.c - one value of a rule: texts with wildcards, numbers, networks. Regular expressions are in regex.c. */
#include "sigma/internal.h"

#include <arpa/inet.h>
#include <math.h>

/* --- tokens --- */

int tokens_of(struct arena *a, struct str s, struct tokens *out, struct err *e)
{
    uint16_t *p = arena_array(a, s.n ? s.n : 1, sizeof *p);
    uint32_t n = 0;

    if (s.n > PATTERN_TOKENS_MAX)
        return err_set(e, -E2BIG, "a value is longer than %d bytes", PATTERN_TOKENS_MAX);
    if (!p)
        return err_set(e, -ENOMEM, "no memory for a pattern");
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];

        if (c == '\\' && i + 1 < s.n && (s.p[i + 1] == '*' || s.p[i + 1] == '?' || s.p[i + 1] == '\\'))
            p[n++] = (unsigned char)s.p[++i];
        else if (c == '*')
            p[n++] = TOK_STAR;
        else if (c == '?')
            p[n++] = TOK_ONE;
        else
            p[n++] = (unsigned char)c;
    }
    *out = (struct tokens){ p, n };
    return 0;
}

int tokens_literal(struct arena *a, struct str bytes, struct tokens *out, struct err *e)
{
    uint16_t *p = arena_array(a, bytes.n ? bytes.n : 1, sizeof *p);

    if (bytes.n > PATTERN_TOKENS_MAX)
        return err_set(e, -E2BIG, "a value is longer than %d bytes", PATTERN_TOKENS_MAX);
    if (!p)
        return err_set(e, -ENOMEM, "no memory for a pattern");
    for (size_t i = 0; i < bytes.n; i++)
        p[i] = (unsigned char)bytes.p[i];
    *out = (struct tokens){ p, (uint32_t)bytes.n };
    return 0;
}

int tokens_put(struct arena *a, const struct tokens *t, uint32_t place, struct str bytes, struct tokens *out, struct err *e)
{
    uint16_t *p = arena_array(a, t->n + bytes.n, sizeof *p);

    if (!p)
        return err_set(e, -ENOMEM, "no memory for a pattern");
    memcpy(p, t->p, place * sizeof *p);
    for (size_t i = 0; i < bytes.n; i++)
        p[place + i] = (unsigned char)bytes.p[i];
    memcpy(p + place + bytes.n, t->p + place + 1, (t->n - place - 1) * sizeof *p);
    *out = (struct tokens){ p, t->n - 1 + (uint32_t)bytes.n };
    return 0;
}

int tokens_wrap(struct arena *a, struct tokens *t, bool before, bool after, struct err *e)
{
    uint16_t *p;
    uint32_t n = 0;

    before = before && !(t->n && t->p[0] == TOK_STAR);
    after = after && !(t->n && t->p[t->n - 1] == TOK_STAR);
    if (!before && !after)
        return 0;
    p = arena_array(a, (size_t)t->n + 2, sizeof *p);
    if (!p)
        return err_set(e, -ENOMEM, "no memory for a pattern");
    if (before)
        p[n++] = TOK_STAR;
    if (t->n)
        memcpy(p + n, t->p, t->n * sizeof *p);
    n += t->n;
    if (after)
        p[n++] = TOK_STAR;
    *t = (struct tokens){ p, n };
    return 0;
}

bool tokens_text(struct arena *a, const struct tokens *t, struct str *out)
{
    char *p;

    for (uint32_t i = 0; i < t->n; i++)
        if (t->p[i] > 255)
            return false;
    p = arena_alloc(a, (size_t)t->n + 1);
    if (!p)
        return false;
    for (uint32_t i = 0; i < t->n; i++)
        p[i] = (char)t->p[i];
    *out = str_of(p, t->n);
    return true;
}

static bool word_token(uint16_t t)
{
    return (t >= '0' && t <= '9') || (t >= 'A' && t <= 'Z') || (t >= 'a' && t <= 'z') || t == '_' || (t >= 0x80 && t <= 0xFF);
}

/* A dash or slash that no word character precedes and one follows is any of - / and the three long dashes (pySigma: \B[-/]\b). */
void tokens_windash(struct tokens *t)
{
    bool before_is_word = false;

    for (uint32_t i = 0; i < t->n; i++) {
        bool word = word_token(t->p[i]);

        if ((t->p[i] == '-' || t->p[i] == '/') && !before_is_word && i + 1 < t->n && word_token(t->p[i + 1]))
            t->p[i] = TOK_DASH;
        before_is_word = word;
    }
}

/* fold_tokens - each run of bytes folded; a folded run may be longer. */
static int fold_tokens(struct arena *a, const struct tokens *t, struct tokens *out, struct err *e)
{
    uint16_t *p = arena_array(a, (size_t)t->n * 3 / 2 + 4, sizeof *p);
    char *run = arena_alloc(a, (size_t)t->n + 1);
    uint32_t n = 0;

    if (!p || !run)
        return err_set(e, -ENOMEM, "no memory for a pattern");
    for (uint32_t i = 0; i < t->n;) {
        size_t len = 0;
        struct str folded;

        if (t->p[i] > 255) {
            p[n++] = t->p[i++];
            continue;
        }
        while (i < t->n && t->p[i] <= 255)
            run[len++] = (char)t->p[i++];
        folded = sigma_fold(a, str_of(run, len));
        if (!folded.p)
            return err_set(e, -ENOMEM, "no memory for a pattern");
        for (size_t k = 0; k < folded.n; k++)
            p[n++] = (unsigned char)folded.p[k];
    }
    *out = (struct tokens){ p, n };
    return 0;
}

/* squeeze - one star for several in a row. */
static void squeeze(struct tokens *t)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < t->n; i++)
        if (t->p[i] != TOK_STAR || n == 0 || t->p[n - 1] != TOK_STAR)
            t->p[n++] = t->p[i];
    t->n = n;
}

int pattern_of_tokens(struct sigma *s, const struct tokens *given, bool cased, struct pattern *out, struct err *e)
{
    struct tokens t = { NULL, 0 }, mid;
    bool before, after;
    struct str text;
    int rc;

    *out = (struct pattern){ .cased = cased };
    if (cased) {
        t.p = arena_array(&s->scratch, given->n ? given->n : 1, sizeof *t.p);
        if (!t.p)
            return err_set(e, -ENOMEM, "no memory for a pattern");
        if (given->n)
            memcpy(t.p, given->p, given->n * sizeof *t.p);
        t.n = given->n;
    } else {
        rc = fold_tokens(&s->scratch, given, &t, e);
        if (rc < 0)
            return rc;
    }
    squeeze(&t);
    if (t.n == 1 && t.p[0] == TOK_STAR) {
        out->kind = PAT_ANY;
        return 0;
    }
    before = t.n && t.p[0] == TOK_STAR;
    after = t.n && t.p[t.n - 1] == TOK_STAR;
    mid = (struct tokens){ t.p + before, t.n - before - after };
    if (tokens_text(&s->scratch, &mid, &text)) {
        out->kind = before && after ? PAT_CONTAINS : before ? PAT_ENDS : after ? PAT_STARTS : PAT_EQ;
        out->text = text_keep(s, text);
        return out->text.p ? 0 : err_set(e, -ENOMEM, "no memory for a pattern");
    }
    out->kind = PAT_GLOB;
    out->tokens = arena_array(&s->arena, t.n, sizeof *t.p);
    if (!out->tokens)
        return err_set(e, -ENOMEM, "no memory for a pattern");
    memcpy(out->tokens, t.p, t.n * sizeof *t.p);
    out->token_count = t.n;
    return 0;
}

/* --- wildcards --- */

/* one_token - bytes that token t takes from s at i, or 0. */
static inline size_t one_token(uint16_t t, struct str s, size_t i)
{
    if (i >= s.n)
        return 0;
    if (t < 256)
        return (unsigned char)s.p[i] == t;
    if (t == TOK_ONE)
        return utf8_width(s.p + i, s.n - i);
    if (s.p[i] == '-' || s.p[i] == '/')   /* TOK_DASH */
        return 1;
    if (s.n - i >= 3 && (unsigned char)s.p[i] == 0xE2 && (unsigned char)s.p[i + 1] == 0x80 &&
        (unsigned char)s.p[i + 2] >= 0x93 && (unsigned char)s.p[i + 2] <= 0x95)
        return 3;
    return 0;
}

bool glob_match(const uint16_t *tokens, uint32_t count, struct str s, uint32_t *steps)
{
    size_t i = 0, star_i = 0;
    uint32_t t = 0, star_t = UINT32_MAX;

    /* Only the last star need be tried again: what stood before it matched as early as it could. */
    for (;;) {
        size_t took = 0;

        if ((*steps)-- == 0) {
            *steps = 0;
            return false;
        }
        if (t == count && i == s.n)
            return true;
        if (t < count && tokens[t] == TOK_STAR) {
            star_t = ++t;
            star_i = i;
            if (t == count)
                return true;
            continue;
        }
        if (t < count)
            took = one_token(tokens[t], s, i);
        if (took) {
            i += took;
            t++;
            continue;
        }
        if (star_t == UINT32_MAX || star_i >= s.n)
            return false;
        star_i += utf8_width(s.p + star_i, s.n - star_i);
        if (tokens[star_t] < 256) {
            const char *hit = star_i < s.n ? memchr(s.p + star_i, tokens[star_t], s.n - star_i) : NULL;

            if (!hit)
                return false;
            star_i = (size_t)(hit - s.p);
        }
        i = star_i;
        t = star_t;
    }
}

/* --- addresses and numbers --- */

bool address_parse(struct str s, uint8_t out[16])
{
    char z[INET6_ADDRSTRLEN + 1];

    if (s.n == 0 || s.n >= sizeof z)
        return false;
    memcpy(z, s.p, s.n);
    z[s.n] = 0;
    if (inet_pton(AF_INET6, z, out) == 1)
        return true;
    memcpy(out, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);
    return inet_pton(AF_INET, z, out + 12) == 1;
}

int pattern_cidr(struct str s, struct pattern *out, struct err *e)
{
    ptrdiff_t slash = str_chr(s, '/');
    struct str addr = slash < 0 ? s : str_of(s.p, (size_t)slash);
    bool v4 = str_chr(addr, ':') < 0;
    uint64_t bits = v4 ? 32 : 128;

    *out = (struct pattern){ .kind = PAT_CIDR };
    if (!address_parse(addr, out->net) || (slash >= 0 && !str_u64(str_cut(s, (size_t)slash + 1), &bits)) ||
        bits > (v4 ? 32u : 128u))
        return err_set(e, -EBADMSG, "\"%.*s\" is not a network, write it like 192.0.2.0/24 or 2001:db8::/32", STR_ARG(s));
    out->prefix = (uint8_t)(bits + (v4 ? 96 : 0));
    for (unsigned i = out->prefix; i < 128; i++)
        if (out->net[i / 8] & (0x80u >> i % 8))
            return err_set(e, -EBADMSG, "network \"%.*s\" has bits set behind its prefix", STR_ARG(s));
    return 0;
}

/* number_short - of at most 15 digits: both their number and the power of ten are exact, so that one division rounds as strtod does. */
static double number_short(struct str s, uint64_t digits, size_t behind_point)
{
    static const double ten[] = { 1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15 };
    double v = (double)digits / ten[behind_point];

    return s.p[0] == '-' ? -v : v;
}

bool number_parse(struct str s, double *out)
{
    size_t digits = 0, point = s.n, points = 0;
    uint64_t number = 0;
    char z[64], *end;

    if (s.n == 0 || s.n >= sizeof z)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        unsigned digit = (unsigned char)s.p[i] - (unsigned)'0';

        if (digit <= 9) {
            number = number * 10 + digit;   /* wraps where it is not used */
            digits++;
        } else if (s.p[i] == '.') {
            point = i;
            points++;
        } else if (i || (s.p[i] != '-' && s.p[i] != '+')) {
            return false;
        }
    }
    if (!digits || points > 1)
        return false;
    if (digits <= 15) {
        *out = number_short(s, number, point == s.n ? 0 : s.n - point - 1);
        return true;
    }
    memcpy(z, s.p, s.n);
    z[s.n] = 0;
    *out = strtod(z, &end);
    return *end == 0 && isfinite(*out);
}

bool number_compare(enum pattern_kind kind, double v, double number)
{
    switch (kind) {
    case PAT_LT: return v < number;
    case PAT_LTE: return v <= number;
    case PAT_GT: return v > number;
    case PAT_GTE: return v >= number;
    default: return v >= number && v <= number;
    }
}
