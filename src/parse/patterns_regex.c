/* patterns_regex.c - one pattern: from the words of the file to PCRE2, and running it under limits; see patterns.h.
 *
 * The source is walked once. On the way names of groups are taken out (PCRE2 knows no dots in them), {NAME:TYPE} becomes
 * an expression, the longest literal that any match must hold is found, and what could make a match slow is refused:
 * a repetition of a repetition, back references, recursion, verbs. Everything works on bytes: a log may be any. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "parse/patterns.h"

#define GROUP_DEPTH_MAX 24
#define LITERAL_MAX     32

/* One open group. */
struct open_group {
    struct str best;    /* the best literal before it */
    bool alternatives, repeats, atomic, negative;
};

struct walk {
    struct pattern_text *t;
    struct arena *arena;
    struct buf out;
    struct err *e;
    size_t at;
    struct open_group stack[GROUP_DEPTH_MAX + 1];
    size_t depth;
    char run[LITERAL_MAX];
    size_t run_n;
    struct str best;
    bool head_open;          /* since '^', or the '|' of the choice behind it, nothing but literal bytes was read */
    size_t choice;           /* the depth of a group that follows '^' and literal bytes; 0: there was none */
    struct str before;       /* those bytes */
    bool heads_lost;         /* more than there is room for */
    bool atom_repeats; /* what was just closed is a group that holds a repetition */
    bool atom_literal; /* what was just read is the last byte of the run */
};

static int refuse(struct walk *k, const char *why) { return err_at(k->e, -EBADMSG, k->at, "%s", why); }

static char peek(const struct walk *k, size_t ahead)
{
    return k->at + ahead < k->t->source.n ? k->t->source.p[k->at + ahead] : '\0';
}

/* add_head - one more way in which a text may begin. */
static void add_head(struct walk *k)
{
    struct pattern_text *t = k->t;
    size_t n = k->before.n + k->run_n;
    char *p = arena_alloc(k->arena, n + 1);

    if (!p || t->head_count == HEADS_MAX) {
        k->heads_lost = true;
        return;
    }
    if (k->before.n)
        memcpy(p, k->before.p, k->before.n);
    memcpy(p + k->before.n, k->run, k->run_n);
    t->heads[t->head_count++] = str_of(p, n);
}

static void run_end(struct walk *k)
{
    if (k->head_open)
        add_head(k);
    k->head_open = false;
    if (k->run_n > k->best.n)
        k->best = arena_copy(k->arena, str_of(k->run, k->run_n));
    k->run_n = 0;
}

static void literal(struct walk *k, char c)
{
    if (k->run_n == LITERAL_MAX)
        run_end(k);
    k->run[k->run_n++] = c;
    if (strchr("\\^$.[]|()?*+{}", c) && c)
        buf_byte(&k->out, '\\');
    if (c)
        buf_byte(&k->out, c);
    else
        buf_str(&k->out, STR("\\x00"));
    k->atom_literal = true;
    k->atom_repeats = false;
}

/* choice_open - a group at the head: each of its alternatives is a way to begin. */
static void choice_open(struct walk *k)
{
    bool at_head = k->head_open && k->choice == 0;

    if (at_head) {
        k->before = arena_copy(k->arena, str_of(k->run, k->run_n));
        k->choice = k->depth;
        k->head_open = false;
    }
    run_end(k);
    k->head_open = at_head;
}

/* choice_close - none: the group need not stand there. */
static void choice_close(struct walk *k, bool none)
{
    if (k->choice == 0 || k->depth != k->choice)
        return;
    k->choice = SIZE_MAX;
    if (!none)
        return;
    k->t->head_count = 0;
    k->run_n = 0;
    add_head(k);
}

/* other - an atom that is not one known byte. */
static void other(struct walk *k)
{
    run_end(k);
    k->atom_literal = k->atom_repeats = false;
}

/* --- {NAME:TYPE} --- */

static const struct {
    const char *name, *before, *inside, *after;
} types[] = {
    { "ip", "", "(?:\\d{1,3}+(?:\\.\\d{1,3}+){3}|\\[?[0-9A-Fa-f:.]{2,45}(?:%[\\w.-]{1,16})?\\]?)", "" },
    { "host", "", "(?:[\\w.\\x80-\\xff-]++|\\[?[0-9A-Fa-f:.]{2,45}(?:%[\\w.-]{1,16})?\\]?)", "" },
    { "number", "", "-?\\d++", "" },
    { "decimal", "", "-?\\d++(?:\\.\\d++)?", "" },
    { "text", "", ".*?", "" },
    { "rest", "", ".*+", "" },
    { "quoted", "\"", "(?:[^\"\\\\]++|\\\\.)*+", "\"" },
    { "hex", "", "[0-9A-Fa-f]++", "" },
    { "mac", "", "[0-9A-Fa-f]{2}(?:[:.-]?[0-9A-Fa-f]{2}){5}", "" },
    { "time", "", ".{4,64}?", "" },
};

/* follower - the byte that must stand behind the braces; 0 where that is not one byte. */
static char follower(const struct walk *k)
{
    char c = peek(k, 0);

    if (!c || (k->t->template ? c == '{' : strchr("^$.[]|()?*+{}", c) != NULL))
        return 0;
    if (c != '\\')
        return c;
    c = peek(k, 1);
    return is_alpha(c) || is_digit(c) ? 0 : c;
}

/* word - no blanks, and not what follows: so it needs no way back. */
static void word(struct walk *k, bool path)
{
    char c = follower(k);

    if (path)
        buf_byte(&k->out, '/');
    if (c && c != ' ' && c != '\t')
        buf_printf(&k->out, "[^\\s\\x%02x]%s", (unsigned char)c, path ? "*+" : "++");
    else if (c || k->at >= k->t->source.n || peek(k, 0) == '$')
        buf_str(&k->out, path ? STR("\\S*+") : STR("\\S++"));
    else
        buf_str(&k->out, path ? STR("\\S*") : STR("\\S+"));
}

static int type_named(struct walk *k, struct str name)
{
    for (size_t i = 0; i < COUNT(types); i++)
        if (str_eq(name, str_c(types[i].name)))
            return (int)i;
    if (str_eq(name, STR("word")))
        return (int)COUNT(types);
    if (str_eq(name, STR("path")))
        return (int)COUNT(types) + 1;
    return refuse(k, "no such type between braces");
}

static bool name_byte(char c) { return is_alpha(c) || is_digit(c) || c == '_' || c == '.' || c == '@' || c == '-'; }

static int add_group(struct walk *k, struct str name)
{
    if (k->t->groups == PATTERN_GROUPS_MAX)
        return refuse(k, "more than 64 groups in a pattern");
    if (name.n == 0 || name.n > EVENT_NAME_MAX)
        return refuse(k, "a group wants a name");
    k->t->names[++k->t->groups] = name;
    buf_byte(&k->out, '(');
    return 0;
}

static int braces(struct walk *k)
{
    struct str rest = str_cut(k->t->source, k->at + 1), inner, name = { NULL, 0 }, type;
    ptrdiff_t end = str_chr(rest, '}');
    int n, rc;

    inner = str_of(rest.p, end < 0 ? 0 : (size_t)end);
    if (end < 0)
        return refuse(k, "a brace is not closed; a literal one is written \\{");
    type = inner;
    if (split_last(inner, STR(":"), &name, &type) && name.n == 0)
        return refuse(k, "a name is missing between the braces");
    n = type_named(k, type);
    if (n < 0)
        return n;
    other(k);
    if (n < (int)COUNT(types))
        buf_str(&k->out, str_c(types[n].before));
    rc = name.n ? add_group(k, name) : (buf_str(&k->out, STR("(?:")), 0);
    if (rc < 0)
        return rc;
    k->at += (size_t)end + 2;
    if (n < (int)COUNT(types))
        buf_str(&k->out, str_c(types[n].inside));
    else
        word(k, n > (int)COUNT(types));
    buf_byte(&k->out, ')');
    if (n < (int)COUNT(types))
        buf_str(&k->out, str_c(types[n].after));
    return 0;
}

/* --- the expression --- */

static int group_open(struct walk *k)
{
    struct open_group *g = &k->stack[++k->depth];
    struct str rest = str_cut(k->t->source, k->at);
    static const struct {
        const char *head;
        bool atomic, negative;
    } heads[] = { { "(?:", false, false },  { "(?>", true, false },  { "(?=", false, false },
                  { "(?!", false, true },   { "(?<=", false, false }, { "(?<!", false, true },
                  { "(?i:", false, false }, { "(?s:", false, false } };

    if (peek(k, 1) != '?' || peek(k, 2) == ':' || peek(k, 2) == '>' || peek(k, 2) == 'P' || (peek(k, 2) == '<' && name_byte(peek(k, 3))))
        choice_open(k);
    else
        run_end(k);
    *g = (struct open_group){ .best = k->best };
    if (peek(k, 1) == '*')
        return refuse(k, "verbs are not allowed in a pattern");
    if (peek(k, 1) != '?') {
        buf_str(&k->out, STR("(?:"));
        k->at++;
        return 0;
    }
    for (size_t i = 0; i < COUNT(heads); i++)
        if (str_starts(rest, str_c(heads[i].head))) {
            g->atomic = heads[i].atomic;
            k->t->folds |= heads[i].head[2] == 'i';
            g->negative = heads[i].negative;
            buf_str(&k->out, str_c(heads[i].head));
            k->at += strlen(heads[i].head);
            return 0;
        }
    if (str_starts(rest, STR("(?i)"))) {
        k->t->folds = true;
        k->depth--;
        buf_str(&k->out, STR("(?i)"));
        k->at += 4;
        return 0;
    }
    if (str_starts(rest, STR("(?<")) || str_starts(rest, STR("(?P<"))) {
        struct str name = str_cut(rest, rest.p[2] == 'P' ? 4 : 3);
        ptrdiff_t end = str_chr(name, '>');
        int rc;

        name.n = end < 0 ? 0 : (size_t)end;
        for (size_t i = 0; i < name.n; i++)
            if (!name_byte(name.p[i]))
                return refuse(k, "the name of a group has letters, digits, '.', '_', '-' and '@'");
        rc = add_group(k, name);
        k->at = (size_t)(name.p + name.n + 1 - k->t->source.p);
        return rc;
    }
    return refuse(k, "this kind of group is not allowed");
}

static int group_close(struct walk *k)
{
    struct open_group *g = &k->stack[k->depth];
    char next = peek(k, 1);
    bool none = next == '?' || next == '*' || (next == '{' && peek(k, 2) == '0');

    if (k->depth == 0)
        return refuse(k, "a parenthesis too many");
    run_end(k);
    if (g->alternatives || g->negative || none)
        k->best = g->best;
    choice_close(k, none);
    k->depth--;
    k->atom_repeats = g->repeats && !g->atomic;
    k->atom_literal = false;
    k->stack[k->depth].repeats |= k->atom_repeats;
    buf_byte(&k->out, ')');
    k->at++;
    return 0;
}

static int class(struct walk *k)
{
    size_t start = k->at;

    other(k);
    k->at++;
    if (peek(k, 0) == '^')
        k->at++;
    if (peek(k, 0) == ']')
        k->at++;
    while (k->at < k->t->source.n && peek(k, 0) != ']') {
        if ((unsigned char)peek(k, 0) >= 0x80)
            return refuse(k, "letters beyond ASCII cannot stand in a set: patterns read bytes");
        if (peek(k, 0) == '\\')
            k->at++;
        else if (peek(k, 0) == '[' && peek(k, 1) == ':') {
            ptrdiff_t end = str_find(str_cut(k->t->source, k->at), STR(":]"));

            if (end < 0)
                return refuse(k, "a set is not closed");
            k->at += (size_t)end + 1;
        }
        k->at++;
    }
    if (k->at >= k->t->source.n)
        return refuse(k, "a set is not closed");
    k->at++;
    buf_put(&k->out, k->t->source.p + start, k->at - start);
    return 0;
}

static int escape(struct walk *k)
{
    char c = peek(k, 1);

    if (!c)
        return refuse(k, "nothing stands behind the backslash");
    if (!is_alpha(c) && !is_digit(c)) {
        literal(k, c);
        k->at += 2;
        return 0;
    }
    if (c == 't') {
        literal(k, '\t');
        k->at += 2;
        return 0;
    }
    if (!strchr("dDwWsSbBnrxhHvAzZ", c))
        return refuse(k, "this escape is not allowed");
    other(k);
    buf_put(&k->out, k->t->source.p + k->at, 2);
    k->at += 2;
    for (int i = 0; c == 'x' && i < 2 && hex_value(peek(k, 0)) >= 0; i++, k->at++)
        buf_byte(&k->out, peek(k, 0));
    return 0;
}

/* quantifier - ?, *, +, {n,m} with the '?' or '+' behind it. */
static int quantifier(struct walk *k)
{
    char c = peek(k, 0);
    size_t n = 1;
    bool unbounded = c == '*' || c == '+', none = c == '?' || c == '*';
    struct str rest = str_cut(k->t->source, k->at);

    if (c == '{') {
        ptrdiff_t end = str_chr(rest, '}');

        n = end < 0 ? 1 : (size_t)end + 1;
        unbounded = end > 0 && rest.p[end - 1] == ',';
        none = peek(k, 1) == '0' || peek(k, 1) == ',';
    }
    if (unbounded && k->atom_repeats)
        return refuse(k, "a repetition within a repetition can take for ever: make the inner one possessive (\"++\", \"*+\")");
    if (k->atom_literal && none && k->run_n)
        k->run_n--;
    run_end(k);
    if (peek(k, n) == '+' || peek(k, n) == '?')
        unbounded = unbounded && rest.p[n++] != '+';
    buf_put(&k->out, rest.p, min_size(n, rest.n));
    k->at += min_size(n, rest.n);
    k->stack[k->depth].repeats |= unbounded;
    k->atom_repeats = k->atom_literal = false;
    return 0;
}

static int step(struct walk *k)
{
    char c = peek(k, 0);

    if (c == '{' && (is_alpha(peek(k, 1)) || peek(k, 1) == '@'))
        return braces(k);
    if (k->t->template) {
        if (c == '\\' && peek(k, 1) == '{')
            c = k->t->source.p[++k->at];
        literal(k, c);
        k->at++;
        return 0;
    }
    switch (c) {
    case '(':
        return k->depth < GROUP_DEPTH_MAX ? group_open(k) : refuse(k, "groups are nested too deep");
    case ')':
        return group_close(k);
    case '[':
        return class(k);
    case '\\':
        return escape(k);
    case '{':
        if (!is_digit(peek(k, 1)))
            break;
        return quantifier(k);
    case '?':
    case '*':
    case '+':
        return quantifier(k);
    case '|':
        run_end(k);
        k->head_open = k->choice && k->depth == k->choice;
        k->stack[k->depth].alternatives = true;
        k->atom_literal = k->atom_repeats = false;
        buf_byte(&k->out, c);
        k->at++;
        return 0;
    case '^':
        if (k->at == 0) {
            k->head_open = true;
            k->at++;
            buf_byte(&k->out, c);
            return 0;
        }
        /* fallthrough */
    case '$':
    case '.':
        other(k);
        buf_byte(&k->out, c);
        k->at++;
        return 0;
    default:
        break;
    }
    literal(k, c);
    k->at++;
    return 0;
}

/* translate - the whole source; k->out is then what PCRE2 gets. */
static int translate(struct walk *k)
{
    if (k->t->template)
        buf_byte(&k->out, '^');
    k->head_open = k->t->template;
    while (k->at < k->t->source.n) {
        int rc = step(k);

        if (rc < 0)
            return rc;
    }
    if (k->depth)
        return refuse(k, "a parenthesis is not closed");
    run_end(k);
    if (k->t->template)
        buf_byte(&k->out, '$');
    if (k->stack[0].alternatives)
        k->best = (struct str){ NULL, 0 };
    for (size_t i = 0; i < k->t->head_count; i++)
        k->heads_lost |= k->t->heads[i].n == 0;
    if (k->stack[0].alternatives || k->t->folds || k->heads_lost)
        k->t->head_count = 0;
    if (buf_failed(&k->out) || arena_failed(k->arena))
        return err_set(k->e, -ENOMEM, "no memory for a pattern");
    k->t->literal = k->best;
    return 0;
}

int pattern_compile(struct pattern_text *t, struct arena *a, struct pattern *p, struct err *e)
{
    struct walk k = { .t = t, .arena = a, .e = e };
    PCRE2_SIZE at = 0;
    int code = 0, rc;

    t->groups = t->head_count = 0;
    t->folds = false;
    if (t->source.n == 0 || t->source.n > PATTERN_BYTES_MAX)
        return err_set(e, -E2BIG, "a pattern has 1 to %d bytes", PATTERN_BYTES_MAX);
    buf_init(&k.out, 64 * KIB);
    rc = translate(&k);
    if (rc == 0) {
        p->code = pcre2_compile((PCRE2_SPTR)k.out.p, k.out.n, PCRE2_DOTALL | PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_UTF | PCRE2_NEVER_UCP, &code,
                                &at, NULL);
        if (!p->code) {
            PCRE2_UCHAR text[160] = "";

            pcre2_get_error_message(code, text, sizeof text);
            rc = err_set(e, -EBADMSG, "the expression does not compile: %s before \"%.*s\"", (const char *)text,
                         (int)min_size(20, k.out.n - min_size(at, k.out.n)), k.out.p + min_size(at, k.out.n));
        }
    }
    buf_free(&k.out);
    if (rc == 0)
        p->jit = pcre2_jit_compile(p->code, PCRE2_JIT_COMPLETE) == 0;
    return rc;
}

void pattern_free(struct pattern *p)
{
    pcre2_code_free(p->code);
    p->code = NULL;
}

/* --- running --- */

/* room_take - PCRE2's memory: the room on the stack, then the arena of the batch. Nothing is given back. */
static void *room_take(PCRE2_SIZE bytes, void *arg)
{
    struct matcher *m = arg;
    size_t n = (bytes + 15) & ~(size_t)15;

    if (n >= bytes && n <= sizeof m->room - m->used) {
        void *p = m->room + m->used;

        m->used += n;
        return p;
    }
    return arena_alloc(m->arena, bytes);
}

static void room_leave(void *p, void *arg)
{
    (void)p;
    (void)arg;
}

void *limits_new(void)
{
    pcre2_match_context *c = pcre2_match_context_create(NULL);

    if (!c)
        return NULL;
    pcre2_set_match_limit(c, PATTERN_STEPS);
    pcre2_set_depth_limit(c, PATTERN_STEPS);
    pcre2_set_heap_limit(c, PATTERN_HEAP_KIB);
    return c;
}

void limits_free(void *limits) { pcre2_match_context_free(limits); }

bool matcher_open(struct matcher *m, void *limits, struct arena *a)
{
    pcre2_general_context *general;

    m->used = 0;
    m->arena = a;
    m->limits = limits;
    general = pcre2_general_context_create(room_take, room_leave, m);
    m->data = general ? pcre2_match_data_create(PATTERN_GROUPS_MAX + 1, general) : NULL;
    return m->data != NULL;
}

int matcher_run(struct matcher *m, const struct pattern *p, struct str text, const size_t **at, size_t *count)
{
    PCRE2_SPTR bytes = (PCRE2_SPTR)(text.n ? text.p : "");
    int rc = p->jit ? pcre2_jit_match(p->code, bytes, text.n, 0, 0, m->data, m->limits)
                    : pcre2_match(p->code, bytes, text.n, 0, 0, m->data, m->limits);

    if (rc == PCRE2_ERROR_NOMATCH)
        return 0;
    if (rc < 0)
        return -E2BIG;
    *at = pcre2_get_ovector_pointer(m->data);
    *count = (size_t)rc;
    return 1;
}
