/* tokens.c - a text as tokens and separators, in one pass.
 *
 * A token ends where a blank, a quote or a bracket stands: user=ann has two, 10.0.0.7:443 is one, "a b c" in quotes too. Behind a slash only
 * blanks, quotes and angles end it, so that a path with its query is one token. */
#include "learn/internal.h"

const uint8_t learn_class[256] = {
    [0 ... 32] = SEPARATES, [127] = SEPARATES, ['<'] = SEPARATES, ['>'] = SEPARATES, ['|'] = SEPARATES, ['"'] = SEPARATES | QUOTE,
    ['='] = SOFTLY | MARK, [','] = SOFTLY | MARK, [';'] = SOFTLY | MARK, ['('] = SOFTLY | MARK, [')'] = SOFTLY | MARK, ['['] = SOFTLY | MARK,
    [']'] = SOFTLY | MARK, ['{'] = SOFTLY | MARK, ['}'] = SOFTLY | MARK,
    ['0' ... '9'] = DIGIT,
    ['!'] = MARK, ['#'] = MARK, ['$'] = MARK, ['%'] = MARK, ['&'] = MARK, ['\''] = MARK | QUOTE, ['*'] = MARK, ['+'] = MARK, ['-'] = MARK, ['.'] = MARK,
    ['/'] = MARK | SLASH, [':'] = MARK, ['?'] = MARK, ['@'] = MARK, ['\\'] = MARK, ['^'] = MARK, ['`'] = MARK, ['~'] = MARK,
};

#define MARKS_MAX 12u   /* a token with more of them is a text of its own: its face is free */

/* marks_face - what the token is without its words. */
static uint32_t marks_face(const char *p, uint32_t n)
{
    uint32_t h = 0, marks = 0;

    for (uint32_t i = 0; i < n;) {
        if (word_byte(p[i])) {
            h = h * 0x01000193u + 1;
            while (i < n && word_byte(p[i]))
                i++;
        } else {
            if (++marks > MARKS_MAX)
                return FACE_FREE;
            h = h * 0x01000193u + (unsigned char)p[i++];
        }
    }
    return h << 1 | 1;
}

#define ONE_WORD 3u   /* the face of marks without any */

static uint32_t bytes_face(const char *p, uint32_t n) { return ((uint32_t)bytes_hash(p, n) | 2) & ~1u; }

/* What is read, and what is known of quotes in it. */
struct reading {
    const char *p;
    uint32_t n, at;
    uint32_t inside;                       /* up to here it is known what a quote is: in quotes, or the one that ends them */
    bool     lone[2];                      /* no further double, single quote ends */
};

/* quote_end - of the quote at r->at: where the one is that ends it, or 0. */
static uint32_t quote_end(struct reading *r)
{
    const char *p = r->p, *end = p + r->n, *from = p + r->at + 1, *q = from;
    bool *lone = &r->lone[p[r->at] == '\''];

    while (!*lone && q < end && (q = memchr(q, p[r->at], (size_t)(end - q))) != NULL) {
        if (q == from || q[-1] != '\\')
            return (uint32_t)(q - p);
        q++;
    }
    *lone = true;   /* or a text of escaped quotes would be read to its end from each of them */
    return 0;
}

/* request - METHOD target HTTP/1.1: what web servers quote is no value, but three. */
static bool request(const char *p, uint32_t n)
{
    const char *blank = n ? memchr(p, ' ', n) : NULL, *last = blank ? memchr(blank + 1, ' ', (size_t)(p + n - blank - 1)) : NULL;

    return last && p + n - last > 5 && memcmp(last, " HTTP", 5) == 0;
}

/* separators_read - up to the next token; they go into *parting. The end of the token if it is what stands in quotes, else 0. */
static uint32_t separators_read(struct reading *r, uint64_t *parting)
{
    uint8_t before = SEPARATES;
    const char *p = r->p;

    for (; r->at < r->n; r->at++) {
        unsigned char b = (unsigned char)p[r->at];
        uint8_t c = learn_class[b];
        bool closes = c & QUOTE && r->at + 1 == r->inside;
        bool opens = c & QUOTE && r->at >= r->inside && (b == '"' || (r->at && p[r->at - 1] == '='));

        if (!(c & (SEPARATES | SOFTLY)) && !closes && !opens && !(b == ':' && before & (SEPARATES | SOFTLY)))
            return 0;
        *parting = *parting * 257 + b;
        before = c;
        if (opens) {
            uint32_t end = quote_end(r);

            r->inside = end ? end + 1 : r->inside;
            if (end && !(b == '"' && request(p + r->at + 1, end - r->at - 1))) {
                r->at++;
                return end;
            }
        }
    }
    return 0;
}

void learn_tokens_read(struct str text, struct token *at, struct looks *to)
{
    struct reading r = { .p = text.p, .n = (uint32_t)text.n };
    uint64_t kin = 0;
    uint32_t count = 0, head = 0;

    memset(to->heads, 0, sizeof to->heads);
    while (count < LEARN_TOKENS_MAX) {
        uint64_t parting = 1;
        uint32_t end = separators_read(&r, &parting), from = r.at, face;
        uint8_t seen = MARK;
        bool stands;   /* for something: its bytes count */

        kin = mix(kin, parting);
        if (from == r.n && !end)
            break;
        if (count == head_tokens(head) && head < HEADS)
            to->heads[head++] = kin;
        if (end) {
            stands = end + 1 < r.n && r.p[end + 1] == ':';   /* "name": */
        } else {
            uint8_t stop = SEPARATES | SOFTLY, c;

            seen = 0;
            for (end = from; end < r.n && !((c = learn_class[(unsigned char)r.p[end]]) & stop); end++) {
                seen |= c;
                stop = c & SLASH ? SEPARATES : stop;
            }
            stands = !(seen & DIGIT) && !(from && (r.p[from - 1] == '=' || r.p[from - 1] == '>' || r.p[from - 1] == ':'));
        }
        face = stands ? bytes_face(r.p + from, end - from) : seen & MARK ? marks_face(r.p + from, end - from) : ONE_WORD;
        at[count] = (struct token){ (uint16_t)from, (uint16_t)end };
        to->faces[count++] = face;
        r.at = end;
    }
    if (r.at < r.n) {   /* the rest of a text of very many tokens is part of its last */
        at[count - 1].to = (uint16_t)r.n;
        to->faces[count - 1] = FACE_FREE;
    }
    to->kin = mix(kin, count);
    to->count = count;
}
