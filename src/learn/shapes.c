/* shapes.c - texts that look the same, and what differs in them. That is seen while a text is at hand: to come back to it costs more than to read it. */
#include "learn/internal.h"

bool room(void *at, uint32_t used, uint32_t n, uint32_t *cap, size_t size)
{
    void *old, *grown;
    uint32_t more;

    if (*cap - used >= n)
        return true;
    memcpy(&old, at, sizeof old);
    more = *cap + *cap / 2 + n + 1024;
    grown = realloc(old, more * size);
    if (!grown)
        return false;
    memcpy(at, &grown, sizeof grown);
    *cap = more;
    return true;
}

uint32_t words_of(const char *p, struct token t, struct token *words)
{
    uint32_t n = 0, at = t.from, end;

    while (n < WORDS_MAX && (end = word_next(p, &at, t.to)) > at) {
        words[n++] = (struct token){ (uint16_t)at, (uint16_t)end };
        at = end;
    }
    return n;
}

uint16_t words_differ(const char *a, struct token x, const char *b, struct token y)
{
    struct token his[WORDS_MAX], own[WORDS_MAX];
    uint32_t n = words_of(a, x, his);
    uint16_t words = 0;

    if (n == 0 || n >= WORDS_MAX || words_of(b, y, own) != n)   /* the face of another token, by accident or on purpose */
        return WORD_ALL;
    for (uint32_t w = 0; w < n; w++)
        if (!same(a, his[w], b, own[w]))
            words |= (uint16_t)(1u << w);
    return words;
}

/* faces_room - for those of one more text. */
static bool faces_room(struct learner *l)
{
    uint32_t need = l->face_n + LEARN_TOKENS_MAX, cap = l->face_cap + l->face_cap / 2 + 4 * LEARN_TOKENS_MAX;
    uint32_t *faces;
    struct differing *differing;
    uint16_t *live;

    if (need <= l->face_cap)
        return true;
    faces = realloc(l->faces, cap * sizeof *faces);
    l->faces = faces ? faces : l->faces;
    differing = realloc(l->differing, cap * sizeof *differing);
    l->differing = differing ? differing : l->differing;
    live = realloc(l->live, cap * sizeof *live);
    l->live = live ? live : l->live;
    if (!faces || !differing || !live)
        return false;
    l->face_cap = cap;
    return true;
}

/* shape_new - of this row, which is the first that looks so. */
static void shape_new(struct learner *l, const struct looks *looks, uint32_t row)
{
    struct shape *s = &l->shapes[l->shape_n++];

    *s = (struct shape){ .all = looks->all, .kin = looks->kin, .faces = l->face_n, .tokens = looks->count, .first_row = row };
    memcpy(s->heads, looks->heads, sizeof s->heads);
    memcpy(l->faces + s->faces, looks->faces, s->tokens * sizeof *l->faces);
    for (uint32_t t = 0; t < s->tokens; t++) {
        struct differing *d = &l->differing[s->faces + t];
        struct token words[WORDS_MAX];

        *d = (struct differing){ 0 };
        if (face_marks(looks->faces[t]))
            d->all = (uint16_t)((1u << words_of(l->texts[row].p, tokens_of(l, row)[t], words)) - 1);
        if (looks->faces[t] == FACE_FREE || (face_marks(looks->faces[t]) && !d->all))
            d->all = WORD_ALL;
        if (d->all)
            l->live[s->faces + s->live_n++] = (uint16_t)t;
    }
    l->face_n += s->tokens;
}

/* differs_there - all that is not the same in both tokens lies in this word of the first. */
static bool differs_there(struct token word, const char *a, struct token x, const char *b, struct token y)
{
    uint32_t n = x.to - x.from, m = y.to - y.from, least = n < m ? n : m, head = word.from - x.from, tail = x.to - word.to;

    return word.to && head + tail <= least && bytes_same(a + x.from, b + y.from, head) && bytes_same(a + word.to, b + y.to - tail, tail);
}

/* shape_compare - a further row with the first: what differs. */
static void shape_compare(struct learner *l, struct shape *s, uint32_t row)
{
    const char *a = l->texts[s->first_row].p, *b = l->texts[row].p;
    const struct token *his = tokens_of(l, s->first_row), *own = tokens_of(l, row);
    uint16_t *live = l->live + s->faces;

    for (uint32_t k = 0; k < s->live_n; k++) {
        uint32_t t = live[k];
        struct differing *d = &l->differing[s->faces + t];
        uint16_t words;

        if (same(a, his[t], b, own[t]) || differs_there(d->last, a, his[t], b, own[t]))
            continue;
        words = d->all == WORD_ALL ? WORD_ALL : words_differ(a, his[t], b, own[t]);
        d->words |= words;
        if (d->words == d->all || d->words == WORD_ALL) {
            live[k--] = live[--s->live_n];
        } else if (words) {
            struct token each[WORDS_MAX];

            words_of(a, his[t], each);
            d->last = each[__builtin_ctz(words)];
        }
    }
}

/* shape_find - its number; NONE: there are too many. */
static uint32_t shape_find(struct learner *l, struct looks *looks, uint32_t row)
{
    struct kin *k = kin_apply(l, looks);
    uint32_t at = (uint32_t)looks->all % COUNT(l->table);

    for (; l->table[at]; at = (at + 1) % COUNT(l->table)) {
        struct shape *s = &l->shapes[l->table[at] - 1];

        if (s->all == looks->all && s->kin == looks->kin && s->tokens == looks->count)
            return l->table[at] - 1;
    }
    if (l->shape_n == LEARN_SHAPES_MAX || l->face_n + looks->count > FACES_ALL)
        return NONE;
    shape_new(l, looks, row);
    l->table[at] = l->shape_n;
    l->shapes[l->shape_n - 1].place = at;
    kin_add(l, k, l->shape_n - 1);
    return l->shape_n - 1;
}

#define ROWS_TRAIL 4u   /* texts that look the same before a trail is laid */

/* row_read - its tokens and shape. -ENOMEM. */
static int row_read(struct learner *l, uint32_t row)
{
    uint32_t i;
    struct shape *s;

    if (!room(&l->tokens, l->token_n, LEARN_TOKENS_MAX + TOKENS_SPARE, &l->token_cap, sizeof *l->tokens) || !faces_room(l))
        return -ENOMEM;
    i = trail_follow(l, row, l->tokens + l->token_n);
    if (i == NONE) {
        learn_tokens_read(l->texts[row], l->tokens + l->token_n, &l->looks);
        i = shape_find(l, &l->looks, row);
        if (i == NONE)
            return 0;
        if (l->shapes[i].step_n)
            trail_note(l, row, i);
    }
    s = &l->shapes[i];
    l->shape[row] = i;
    l->token_n += s->tokens;
    if (s->rows++ && s->live_n)
        shape_compare(l, s, row);
    return s->rows == ROWS_TRAIL ? trail_lay(l, s) : 0;
}

int shapes_look(struct learner *l)
{
    int rc = 0;

    for (uint32_t i = 0; i < l->shape_n; i++)   /* of the call before: mostly few */
        l->table[l->shapes[i].place] = 0;
    memset(l->recent, 0, sizeof l->recent);
    l->token_n = l->face_n = l->shape_n = l->step_n = 0;
    for (uint32_t row = 0; row < l->count && rc == 0; row++) {
        l->token[row] = l->token_n;
        l->shape[row] = NONE;
        if (l->texts[row].n && l->texts[row].n <= LEARN_TEXT_MAX && l->token_n <= TOKENS_ALL - LEARN_TOKENS_MAX)
            rc = row_read(l, row);
    }
    l->token[l->count] = l->token_n;
    return rc;
}
