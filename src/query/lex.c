/* lex.c - a search text as tokens: words, fields with values, quotes, patterns, operators. */
#include "query/internal.h"

int query_error(struct err *e, struct str text, size_t at, const char *expected)
{
    int letter = 1;

    for (size_t i = 0; i < at && i < text.n; i++)
        letter += ((unsigned char)text.p[i] & 0xC0) != 0x80;
    err_at(e, -EINVAL, at, "search: at letter %d: %s", letter, expected);
    if (e)
        e->column = letter;
    return -EINVAL;
}

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool ends_word(char c)
{
    return blank(c) || c == '(' || c == ')';
}

/* take_closed - text up to the closing mark, which is taken too; a backslash keeps the mark (and itself) from being special. */
static int take_closed(struct lexer *l, char mark, bool keep_backslash, struct str *out, struct err *e)
{
    size_t open = l->at++;
    char *p = arena_alloc(l->arena, l->text.n - open + 1);
    size_t n = 0;

    if (!p)
        return err_set(e, -ENOMEM, "no memory for the search");
    while (l->at < l->text.n && l->text.p[l->at] != mark) {
        if (l->text.p[l->at] == '\\' && l->at + 1 < l->text.n && (l->text.p[l->at + 1] == mark || (!keep_backslash && l->text.p[l->at + 1] == '\\')))
            l->at++;
        p[n++] = l->text.p[l->at++];
    }
    if (l->at == l->text.n)
        return query_error(e, l->text, open, mark == '"' ? "this quote has no end" : "this pattern has no end, '/' is expected");
    l->at++;
    *out = str_of(p, n);
    return 0;
}

/* field_name - "host.name:" at the position, with something behind that is not "//"; its length without ':', or 0. */
static size_t field_name(const struct lexer *l)
{
    const char *p = l->text.p + l->at;
    size_t n = l->text.n - l->at, i = 0;

    if (n == 0 || !((p[0] >= 'a' && p[0] <= 'z') || (p[0] >= 'A' && p[0] <= 'Z') || p[0] == '_' || p[0] == '@'))
        return 0;
    while (i < n && (word_byte(p[i]) || p[i] == '.' || p[i] == '-' || p[i] == '@'))
        i++;
    if (i >= n || p[i] != ':' || i > EVENT_NAME_MAX || (i + 2 < n && p[i + 1] == '/' && p[i + 2] == '/'))
        return 0;
    return i;
}

static int take_leaf(struct lexer *l, struct token *t, struct err *e)
{
    size_t name = field_name(l), from;

    t->kind = TOKEN_LEAF;
    if (name) {
        t->name = str_of(l->text.p + l->at, name);
        l->at += name + 1;
        if (l->at == l->text.n || ends_word(l->text.p[l->at]))
            return query_error(e, l->text, l->at, "a value is expected behind ':'");
    }
    if (l->text.p[l->at] == '"') {
        t->quoted = true;
        return take_closed(l, '"', false, &t->text, e);
    }
    if (name && l->text.p[l->at] == '/') {
        t->regex = true;
        return take_closed(l, '/', true, &t->text, e);
    }
    from = l->at;
    while (l->at < l->text.n && !ends_word(l->text.p[l->at]))
        l->at++;
    t->text = str_of(l->text.p + from, l->at - from);
    return 0;
}

int lex_next(struct lexer *l, struct token *t, struct err *e)
{
    size_t start;

    while (l->at < l->text.n && blank(l->text.p[l->at]))
        l->at++;
    *t = (struct token){ .at = l->at };
    if (l->at == l->text.n)
        return 0;
    if (l->text.p[l->at] == '(' || l->text.p[l->at] == ')') {
        t->kind = l->text.p[l->at++] == '(' ? TOKEN_OPEN : TOKEN_CLOSE;
        return 0;
    }
    if (l->text.p[l->at] == '-' && l->at + 1 < l->text.n && !blank(l->text.p[l->at + 1])) {
        t->kind = TOKEN_NOT;
        l->at++;
        return 0;
    }
    start = l->at;
    int rc = take_leaf(l, t, e);
    if (rc < 0 || t->name.n || t->quoted)
        return rc;
    if (str_eq(t->text, STR("AND")))
        t->kind = TOKEN_AND;
    else if (str_eq(t->text, STR("OR")))
        t->kind = TOKEN_OR;
    else if (str_eq(t->text, STR("NOT")))
        t->kind = TOKEN_NOT;
    t->at = start;
    return 0;
}
