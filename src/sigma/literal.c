/* literal.c - what texts a pattern needs: the step from a pattern to an atom that holds whenever the pattern does.
 *
 * An atom is looked for in the folded value. A folded pattern is its own atom. Of one with case only what is ASCII can be used: there
 * folding goes byte by byte, past it the folded text may begin or end elsewhere. Of a wildcard pattern and a regular expression the
 * longest run of plain bytes is taken. Whatever is not understood with certainty gives "the field is there". */
#include "sigma/engine.h"

#define RUN_MIN 3   /* shorter runs stand in nearly every value */

static bool ascii(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] >= 0x80)
            return false;
    return true;
}

/* Bytes in a row while a pattern is read; the longest such run is kept. */
struct runs {
    char  *p, *best;
    size_t n, best_n;
};

static bool runs_init(struct runs *r, struct arena *a, size_t room)
{
    *r = (struct runs){ .p = arena_alloc(a, room + 1), .best = arena_alloc(a, room + 1) };
    return r->p && r->best;
}

static void run_end(struct runs *r)
{
    if (r->n > r->best_n) {
        memcpy(r->best, r->p, r->n);
        r->best_n = r->n;
    }
    r->n = 0;
}

static struct str runs_longest(struct runs *r)
{
    run_end(r);
    return r->best_n >= RUN_MIN ? str_of(r->best, r->best_n) : (struct str){ NULL, 0 };
}

static char lower(char c) { return (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c); }

static struct str glob_literal(struct arena *a, const struct pattern *p)
{
    struct runs r;

    if (!runs_init(&r, a, p->token_count))
        return (struct str){ NULL, 0 };
    for (uint32_t i = 0; i < p->token_count; i++) {
        uint16_t t = p->tokens[i];

        if (t > 255 || (p->cased && t >= 0x80))
            run_end(&r);
        else
            r.p[r.n++] = p->cased ? lower((char)t) : (char)t;
    }
    return runs_longest(&r);
}

/* cased_literal - the longest ASCII run of a text that is compared with case. */
static struct str cased_literal(struct arena *a, struct str s)
{
    struct runs r;

    if (!runs_init(&r, a, s.n))
        return (struct str){ NULL, 0 };
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] >= 0x80)
            run_end(&r);
        else
            r.p[r.n++] = lower(s.p[i]);
    return runs_longest(&r);
}

/* --- regular expressions --- */

/* skip_class - the place after a class whose '[' stands at i. 0: it does not end. */
static size_t skip_class(struct str s, size_t i)
{
    i++;
    if (i < s.n && s.p[i] == '^')
        i++;
    if (i < s.n && s.p[i] == ']')
        i++;
    for (; i < s.n && s.p[i] != ']'; i++) {
        if (s.p[i] == '\\')
            i++;
        else if (s.p[i] == '[' && i + 1 < s.n && (s.p[i + 1] == ':' || s.p[i + 1] == '.' || s.p[i + 1] == '='))
            return 0;
    }
    return i < s.n ? i + 1 : 0;
}

/* skip_group - the place after a group whose '(' stands at i. 0: it is of a kind that may change what stands around it. */
static size_t skip_group(struct str s, size_t i)
{
    size_t depth = 0;

    while (i < s.n) {
        char c = s.p[i];

        if (c == '(' && i + 1 < s.n && (s.p[i + 1] == '*' || s.p[i + 1] == '?')) {
            size_t k = i + 2;

            if (s.p[i + 1] == '*' || (k < s.n && s.p[k] == '#'))
                return 0;
            while (k < s.n && ((s.p[k] >= 'a' && s.p[k] <= 'z') || s.p[k] == '-' || s.p[k] == '^'))
                if (s.p[k++] == 'x')
                    return 0;
        }
        if (c == '\\') {
            if (i + 1 < s.n && (s.p[i + 1] == 'Q' || s.p[i + 1] == 'E'))
                return 0;
            i += 2;
            continue;
        }
        if (c == '[') {
            i = skip_class(s, i);
            if (i == 0)
                return 0;
            continue;
        }
        depth += c == '(';
        i++;
        if (c == ')' && --depth == 0)
            return i;
    }
    return 0;
}

/* skip_quantifier - the place after a quantifier at i; i itself if there is none. */
static size_t skip_quantifier(struct str s, size_t i)
{
    size_t start = i;

    if (i < s.n && (s.p[i] == '*' || s.p[i] == '+' || s.p[i] == '?')) {
        i++;
    } else if (i + 1 < s.n && s.p[i] == '{' && ((s.p[i + 1] >= '0' && s.p[i + 1] <= '9') || s.p[i + 1] == ',' || s.p[i + 1] == ' ')) {
        ptrdiff_t end = str_chr(str_cut(s, i), '}');

        i = end < 0 ? s.n : i + (size_t)end + 1;
    }
    if (i > start && i < s.n && (s.p[i] == '?' || s.p[i] == '+'))
        i++;
    return i;
}

/* one_piece - the piece at *i: a byte that must stand there (its value), or something else (-1), or the whole cannot be told (-2). */
static int one_piece(struct str s, size_t *i)
{
    char c = s.p[*i];
    size_t next = *i + 1;

    if (c == '|' || c == ')' || c == '*' || c == '+' || c == '?')
        return -2;
    if (c == '\\') {
        if (next == s.n || strchr("QExocpPNuUgkKGX0123456789", s.p[next]))
            return -2;
        *i = next + 1;
        return strchr("dDwWsSbBAzZhHvVRtnrfae", s.p[next]) || (unsigned char)s.p[next] >= 0x80 ? -1 : lower(s.p[next]);
    }
    if (c == '[' || c == '(') {
        *i = c == '[' ? skip_class(s, *i) : skip_group(s, *i);
        return *i == 0 ? -2 : -1;
    }
    *i = next;
    return c == '.' || c == '^' || c == '$' || (unsigned char)c >= 0x80 ? -1 : lower(c);
}

struct str regex_literal(struct arena *a, struct str s)
{
    const struct str none = { NULL, 0 };
    struct runs r;
    size_t i = 0;

    if (!runs_init(&r, a, s.n))
        return none;
    while (i < s.n) {
        int c = one_piece(s, &i);
        size_t after = c == -2 ? 0 : skip_quantifier(s, i);
        bool least_one = after > i && s.p[i] == '+';

        if (c == -2)
            return none;
        if (c >= 0 && (after == i || least_one))
            r.p[r.n++] = (char)c;
        if (c < 0 || after > i)
            run_end(&r);
        i = after;
    }
    return runs_longest(&r);
}

/* --- atoms --- */

static void contains(struct atom *out, struct str text)
{
    if (text.n >= RUN_MIN) {
        out->kind = ATOM_CONTAINS;
        out->text = text;
    }
}

bool pattern_beyond(const struct pattern *p)
{
    return !p->cased && (p->kind == PAT_EQ || p->kind == PAT_STARTS || p->kind == PAT_ENDS || p->kind == PAT_CONTAINS) && !ascii(p->text);
}

bool pattern_atom(struct arena *a, const struct sigma *s, uint32_t field, const struct pattern *p, struct atom *out)
{
    double number;

    *out = (struct atom){ .field = field == FIELD_KEYWORD ? s->field_count : field, .kind = ATOM_PRESENT };
    switch (p->kind) {
    case PAT_NULL: case PAT_ABSENT:
        return false;
    case PAT_EQ: case PAT_STARTS: case PAT_ENDS:
        if (p->text.n && (!p->cased || ascii(p->text))) {
            out->kind = p->kind == PAT_EQ ? ATOM_EQ : p->kind == PAT_STARTS ? ATOM_STARTS : ATOM_ENDS;
            out->text = p->cased ? sigma_fold(a, p->text) : p->text;
        } else if (p->cased) {
            contains(out, cased_literal(a, p->text));
        }
        break;
    case PAT_CONTAINS:
        contains(out, p->cased ? cased_literal(a, p->text) : p->text);
        if (out->kind == ATOM_PRESENT && pattern_beyond(p)) {
            out->kind = ATOM_BEYOND;
            out->text = STR("");
        }
        break;
    case PAT_GLOB:
        contains(out, glob_literal(a, p));
        break;
    case PAT_RE:
        contains(out, p->text);
        break;
    case PAT_NUMBER:
        number = p->number == 0 ? 0 : p->number;   /* one zero, not two */
        out->kind = ATOM_NUMBER;
        out->text = arena_copy(a, str_of((const char *)&number, sizeof number));
        break;
    default:
        break;
    }
    if (out->kind != ATOM_PRESENT && !out->text.p)
        out->kind = ATOM_PRESENT;
    return true;
}

/* --- what to deny by --- */

static bool word_byte(unsigned char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == ' ' || c == '.' || c == '\\'; }

/* pattern_needs - what a look into a value's sets of grams and bytes can deny before the value is searched. */
static void pattern_needs(struct pattern *p, const struct atom *a)
{
    struct str short_text = p->kind == PAT_CONTAINS && !p->cased ? p->text : (struct str){ NULL, 0 };

    p->needs = 0;
    p->needs_byte = false;
    if (p->kind != PAT_CONTAINS && p->kind != PAT_GLOB && p->kind != PAT_RE)
        return;
    if (a->kind == ATOM_CONTAINS && a->text.n >= 4) {
        p->need[p->needs++] = gram_hash(load4(a->text.p));
        if (a->text.n > 4)
            p->need[p->needs++] = gram_hash(load4(a->text.p + a->text.n - 4));
    } else if (short_text.n) {
        p->needs_byte = true;
        p->need_byte = (unsigned char)short_text.p[0];
        for (size_t i = 1; i < short_text.n; i++)   /* letters and digits stand in most values */
            if (!word_byte((unsigned char)short_text.p[i]))
                p->need_byte = (unsigned char)short_text.p[i];
    }
}

/* name_of - as what an atom is measured, over all sets and restarts. */
static uint64_t name_of(struct arena *scratch, struct str field, const struct atom *a)
{
    const unsigned char kind = (unsigned char)a->kind;

    return str_hash(ARENA_JOIN(scratch, field, str_of("", 1), str_of((const char *)&kind, 1), a->text));
}

static int name_leaf(struct arena *keep, struct arena *scratch, const struct sigma *s, struct leaf *leaf)
{
    struct str field = leaf->field == FIELD_KEYWORD ? STR("") : s->fields[leaf->field];

    leaf->names = arena_array(keep, leaf->count, sizeof *leaf->names);
    for (uint32_t i = 0; leaf->names && i < leaf->count; i++) {
        struct atom a;

        leaf->names[i] = 0;
        if (!pattern_atom(scratch, s, leaf->field, &leaf->patterns[i], &a))
            continue;
        pattern_needs(&leaf->patterns[i], &a);
        leaf->names[i] = name_of(scratch, field, &a);
    }
    return arena_failed(keep) || arena_failed(scratch) ? -ENOMEM : 0;
}

int program_name(struct arena *a, struct arena *scratch, const struct sigma *s, struct program *p)
{
    int rc = 0;

    for (uint32_t l = 0; l < p->leaf_count && rc == 0; l++)
        rc = name_leaf(a, scratch, s, &p->leaves[l]);
    return rc;
}

bool leaf_atom(struct arena *a, const struct sigma *s, const struct leaf *leaf, uint32_t i, struct atom *out)
{
    bool any = pattern_atom(a, s, leaf->field, &leaf->patterns[i], out);

    out->name = any ? leaf->names[i] : 0;
    return any;
}
