/* retro_wants.c - from the texts that rules need to the tokens that a store has an index of.
 *
 * A store indexes whole tokens: runs of letters, digits and '_', in small letters. A text of a rule holds a whole token where its neighbours on both sides are in the text, too, or
 * the text is bound to the beginning or end of the value. Rules fold more letters than tokens do: U+017F is "s" for a rule and U+212A is "k", so a token with these letters is
 * asked for in each way of writing it; tokens with letters past ASCII are not asked for. What is left out here stays closed, so whatever is not certain is not asked for. */
#include "detect/retro_internal.h"
#include "query/query.h"

#define TOKEN_LONG   100u    /* the index leaves out tokens of more than 128 bytes, however they are written */
#define VARIANTS_MAX 8u
#define PLAIN_MAX    7u

static bool is_token(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || (unsigned char)c >= 0x80; }

static void keep_hash(void *arg, uint64_t hash) { *(uint64_t *)arg = hash; }

static uint64_t hash_of(struct str token)
{
    uint64_t hash = 0;

    query_tokens(token, keep_hash, &hash);
    return hash;
}

/* variant - the token with its i-th s or k written otherwise where bit i of which is set. */
static uint64_t variant(struct str token, unsigned which)
{
    char text[3 * TOKEN_LONG];
    size_t n = 0;
    unsigned i = 0;

    for (size_t k = 0; k < token.n; k++) {
        char c = token.p[k];
        bool odd = (c == 's' || c == 'k') && (which >> i++ & 1);

        if (odd && c == 's') {
            memcpy(text + n, "\xC5\xBF", 2);
            n += 2;
        } else if (odd) {
            memcpy(text + n, "\xE2\x84\xAA", 3);
            n += 3;
        } else {
            text[n++] = c;
        }
    }
    return hash_of(str_of(text, n));
}

/* The tokens of one text: those written in one way, and the one of those with "s" and "k" that has the fewest ways. */
struct tokens {
    uint64_t   plain[PLAIN_MAX];
    size_t     plains;
    struct str many;
    unsigned   ways;       /* 0: there is none */
};

static void take_token(struct tokens *t, struct str token)
{
    unsigned ways = 1;

    if (!token.n || token.n > TOKEN_LONG)
        return;
    for (size_t i = 0; i < token.n; i++) {
        if ((unsigned char)token.p[i] >= 0x80)
            return;
        if (token.p[i] == 's' || token.p[i] == 'k')
            ways = ways <= VARIANTS_MAX ? ways * 2 : ways;
    }
    if (ways == 1 && t->plains < PLAIN_MAX)
        t->plain[t->plains++] = hash_of(token);
    else if (ways > 1 && ways <= VARIANTS_MAX && (!t->ways || ways < t->ways || (ways == t->ways && token.n > t->many.n))) {
        t->ways = ways;
        t->many = token;
    }
}

static void tokens_of(struct tokens *t, struct str s, bool left, bool right)
{
    size_t i = 0;

    *t = (struct tokens){ .ways = 0 };
    while (i < s.n) {
        size_t start = i;

        while (i < s.n && is_token(s.p[i]) == is_token(s.p[start]))
            i++;
        if (is_token(s.p[start]) && (start > 0 || left) && (i < s.n || right))
            take_token(t, str_of(s.p + start, i - start));
    }
}

bool wants_add(struct wants *w, struct str folded, bool left, bool right)
{
    struct tokens t;
    unsigned sets;

    tokens_of(&t, folded, left, right);
    sets = t.ways ? t.ways : t.plains > 0;
    if (!sets || w->store.count + sets > WANTS_SETS_MAX || w->token_count + sets * (t.plains + 1) > WANTS_TOKENS_MAX)
        return false;
    for (unsigned i = 0; i < sets; i++) {
        for (size_t k = 0; k < t.plains; k++)
            w->tokens[w->token_count++] = t.plain[k];
        if (t.ways)
            w->tokens[w->token_count++] = variant(t.many, i);
        w->ends[w->store.count++] = (uint32_t)w->token_count;
    }
    return true;
}

static int add_need(void *arg, const struct sigma_need *n) { return wants_add(arg, n->text, n->left, n->right) ? 0 : -E2BIG; }

bool wants_of_rules(struct wants *w, const struct sigma *s)
{
    w->store = (struct store_wants){ w->tokens, w->ends, 0 };
    w->token_count = 0;
    return sigma_needs(s, add_need, w) == 1;
}
