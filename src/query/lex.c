/* lex.c - a search text as tokens: words, fields with values, quotes, patterns, operators. */
#include "query/internal.h"

static const struct str none = { NULL, 0 };

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static struct str text_of(const struct lexer *l) { return l->tell.text; }

/* pipe_at - a '|' that stands by itself at one side at least: "a | b", "a| b", "a |b". Inside a word it is a sign like others: lines of CEF are full of them. Of several in
 * a row the first decides: a word that ends with them could not be printed. */
static bool pipe_at(struct str s, size_t i)
{
    size_t end = i;

    if (s.p[i] != '|' || (i > 0 && s.p[i - 1] == '|'))
        return false;
    while (end < s.n && s.p[end] == '|')
        end++;
    return i == 0 || blank(s.p[i - 1]) || s.p[i - 1] == ')' || s.p[i - 1] == '"' || end == s.n || blank(s.p[end]);
}

static bool ends_word(const struct lexer *l, size_t i, bool member)
{
    char c = text_of(l).p[i];

    return blank(c) || c == '(' || c == ')' || (member && c == ',') || pipe_at(text_of(l), i);
}

/* take_closed - text up to the closing mark, which is taken too; a backslash keeps the mark (and itself) from being special. */
static int take_closed(struct lexer *l, char mark, bool keep_backslash, struct str *out)
{
    struct str s = text_of(l);
    size_t open = l->at++, n = 0;
    char *p;

    /* Counted first: each quote of a long text may be the last one. */
    while (l->at < s.n && s.p[l->at] != mark)
        l->at += s.p[l->at] == '\\' && l->at + 1 < s.n ? 2 : 1;
    if (l->at >= s.n)
        return tell(&l->tell, open, mark == '"' ? FAULT_open_quote : FAULT_open_pattern, none, none);
    p = arena_alloc(l->arena, l->at - open);
    if (!p)
        return tell_memory(&l->tell);
    for (size_t i = open + 1; i < l->at; i++) {
        if (s.p[i] == '\\' && (s.p[i + 1] == mark || s.p[i + 1] == '\\')) {
            if (keep_backslash && s.p[i + 1] == '\\')
                p[n++] = '\\';
            i++;
        }
        p[n++] = s.p[i];
    }
    l->at++;
    *out = str_of(p, n);
    return 0;
}

/* field_name - "host.name:" at the position, with something behind that is not "//"; its length without ':', or 0. */
static size_t field_name(const struct lexer *l)
{
    const char *p = text_of(l).p + l->at;
    size_t n = text_of(l).n - l->at, i = 0;

    if (n == 0 || !((p[0] >= 'a' && p[0] <= 'z') || (p[0] >= 'A' && p[0] <= 'Z') || p[0] == '_' || p[0] == '@'))
        return 0;
    while (i < n && (query_word_byte(p[i]) || p[i] == '.' || p[i] == '-' || p[i] == '@'))
        i++;
    if (i >= n || p[i] != ':' || i > EVENT_NAME_MAX || (i + 2 < n && p[i + 1] == '/' && p[i + 2] == '/'))
        return 0;
    return i;
}

/* take_value - a quoted text, a pattern (of a field) or a bare one, with '~' before it. */
static int take_value(struct lexer *l, struct token *t, bool member)
{
    struct str s = text_of(l);
    size_t from;
    int rc;

    t->value_at = l->at;
    /* "~/.ssh" is a path; "~root" and "~"…"" ask for look-alikes. */
    if (s.p[l->at] == '~' && l->at + 1 < s.n && (query_word_byte(s.p[l->at + 1]) || s.p[l->at + 1] == '"' || s.p[l->at + 1] == '*' || s.p[l->at + 1] == '?')) {
        t->twins = true;
        l->at++;
    }
    from = l->at;
    if (s.p[l->at] == '"') {
        t->quoted = true;
        rc = take_closed(l, '"', false, &t->text);
    } else if (t->name.n && s.p[l->at] == '/' && !t->twins) {
        t->regex = true;
        rc = take_closed(l, '/', true, &t->text);
    } else {
        while (l->at < s.n && !ends_word(l, l->at, member))
            l->at++;
        t->text = str_of(s.p + from, l->at - from);
        rc = 0;
    }
    return rc == 0 && t->text.n > QUERY_VALUE_MAX ? tell(&l->tell, from, FAULT_value_too_long, none, none) : rc;
}

static int take_leaf(struct lexer *l, struct token *t)
{
    struct str s = text_of(l);
    size_t name = field_name(l);

    t->kind = TOKEN_LEAF;
    if (name) {
        t->name = str_of(s.p + l->at, name);
        l->at += name + 1;
        if (l->at < s.n && s.p[l->at] == '(') {
            t->kind = TOKEN_SET;
            t->value_at = l->at++;
            return 0;
        }
        if (l->at == s.n || ends_word(l, l->at, false))
            return tell(&l->tell, l->at, FAULT_no_value, none, none);
    }
    return take_value(l, t, false);
}

static void skip_blanks(struct lexer *l)
{
    while (l->at < text_of(l).n && blank(text_of(l).p[l->at]))
        l->at++;
}

int lex_next(struct lexer *l, struct token *t)
{
    struct str s = text_of(l);
    int rc;

    skip_blanks(l);
    *t = (struct token){ .at = l->at };
    if (l->at == s.n)
        return 0;
    if (pipe_at(s, l->at)) {
        t->kind = TOKEN_PIPE;
        l->at++;
        return 0;
    }
    if (s.p[l->at] == '(' || s.p[l->at] == ')') {
        t->kind = s.p[l->at++] == '(' ? TOKEN_OPEN : TOKEN_CLOSE;
        return 0;
    }
    if (s.p[l->at] == '-' && l->at + 1 < s.n && !blank(s.p[l->at + 1])) {
        t->kind = TOKEN_NOT;
        l->at++;
        return 0;
    }
    rc = take_leaf(l, t);
    if (rc < 0 || t->name.n || t->quoted || t->twins)
        return rc;
    if (str_eq(t->text, STR("AND")))
        t->kind = TOKEN_AND;
    else if (str_eq(t->text, STR("OR")))
        t->kind = TOKEN_OR;
    else if (str_eq(t->text, STR("NOT")))
        t->kind = TOKEN_NOT;
    return 0;
}

/* member_end - the text behind a value of a set: 1 for another value, 0 for the ')' (taken). */
static int member_end(struct lexer *l, size_t open)
{
    struct str s = text_of(l), rest, word;
    size_t n = 0;

    skip_blanks(l);
    if (l->at == s.n)
        return tell(&l->tell, open, FAULT_open_paren, none, none);
    if (s.p[l->at] == ')') {
        l->at++;
        return 0;
    }
    if (s.p[l->at] == ',') {
        l->at++;
        return 1;
    }
    rest = str_cut(s, l->at);
    while (n < rest.n && !ends_word(l, l->at + n, true))
        n++;
    word = str_of(rest.p, max_size(n, 1));
    if (str_eq(word, STR("OR"))) {
        l->at += 2;
        return 1;
    }
    return tell(&l->tell, l->at, FAULT_set_or, word, none);
}

int lex_member(struct lexer *l, struct token *t, bool first)
{
    struct token was = *t;
    struct str s = text_of(l);
    int rc = first ? 1 : member_end(l, t->at);

    *t = (struct token){ .kind = rc == 0 ? TOKEN_CLOSE : TOKEN_LEAF, .name = was.name, .at = was.at, .value_at = l->at };
    if (rc <= 0)
        return rc;
    skip_blanks(l);
    if (l->at == s.n)
        return tell(&l->tell, t->at, FAULT_open_paren, none, none);
    if (s.p[l->at] == ')' && first)
        return tell(&l->tell, l->at, FAULT_set_empty, none, none);
    if (ends_word(l, l->at, true))
        return tell(&l->tell, l->at, FAULT_no_operand, none, none);
    rc = take_value(l, t, true);
    if (rc == 0 && !t->quoted && !t->regex && !t->twins && (str_eq(t->text, STR("AND")) || str_eq(t->text, STR("OR")) || str_eq(t->text, STR("NOT"))))
        return tell(&l->tell, t->value_at, FAULT_set_operator, t->text, str_eq(t->text, STR("NOT")) ? STR("a AND NOT b:(c OR d)") : STR("b:c AND b:d"));
    return rc;
}
