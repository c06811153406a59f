/* slots.c - what differs within a group.
 *
 * A token whose faces are marks alone is taken word by word: of 2026-11-28T10:48:03 the year stays static. An address, a MAC address or a UUID
 * is one word here. Slots side by side that move together - the path and the name of a program, uid and gid - are one: a column tells it once. */
#include "learn/internal.h"

#define WORDS_MAX    16u                        /* of a token with a face of marks: those have no more */
#define MOVING_MAX   (4 * LEARN_SLOTS_MAX)      /* slots before some become one */
#define SAMPLE_MAX   128u                       /* rows by which it is judged what moves together */
#define SAMPLE_TABLE (4 * SAMPLE_MAX)

/* What differs in a group so far. */
struct moving {
    uint16_t words[LEARN_TOKENS_MAX];           /* a bit a word; WORD_ALL: the token as one */
    uint8_t  count[LEARN_TOKENS_MAX];           /* of words; 0: the token is not taken word by word */
    struct slot slots[MOVING_MAX];
    uint32_t n;
    uint32_t sample[SAMPLE_MAX], sample_n;
    uint64_t hash[2][SAMPLE_MAX];
    uint32_t table[SAMPLE_TABLE];
};

/* words_of - of the text from from to end; at most max are noted. */
static uint32_t words_of(const char *p, struct token t, struct token *words, uint32_t max)
{
    uint32_t n = 0, at = t.from, end;

    while (n < max && (end = word_next(p, &at, t.to)) > at) {
        words[n++] = (struct token){ (uint16_t)at, (uint16_t)end };
        at = end;
    }
    return n;
}

static bool same(const char *a, struct token x, const char *b, struct token y) { return x.to - x.from == y.to - y.from && memcmp(a + x.from, b + y.from, (size_t)(x.to - x.from)) == 0; }

/* token_compare - with that of the first row: which words differ. */
static void token_compare(struct moving *m, uint32_t t, const char *first, struct token x, const char *p, struct token y)
{
    struct token a[WORDS_MAX], b[WORDS_MAX];
    uint32_t n;

    if (same(first, x, p, y))
        return;
    if (!m->count[t]) {
        m->words[t] = WORD_ALL;
        return;
    }
    n = words_of(first, x, a, WORDS_MAX);
    if (words_of(p, y, b, WORDS_MAX) != n) {   /* the face of another token, by accident or on purpose */
        m->count[t] = 0;
        m->words[t] = WORD_ALL;
        return;
    }
    for (uint32_t w = 0; w < n; w++)
        if (!same(first, a[w], p, b[w]))
            m->words[t] |= (uint16_t)(1u << w);
}

static void compare(struct learner *l, const struct group *g, struct moving *m)
{
    const struct shape *s = &l->shapes[g->shape];
    uint32_t first = l->member[g->member];
    uint16_t all[LEARN_TOKENS_MAX];

    memset(m->words, 0, sizeof m->words);
    for (uint32_t t = 0; t < s->tokens; t++) {
        uint32_t face = l->faces[s->faces + t];
        struct token words[WORDS_MAX];

        m->count[t] = face_marks(face) && !bit(g->free, t) ? (uint8_t)words_of(l->texts[first].p, tokens_of(l, first)[t], words, WORDS_MAX) : 0;
        all[t] = m->count[t] ? (uint16_t)((1u << m->count[t]) - 1) : WORD_ALL;
    }
    for (uint32_t i = 1; i < g->rows; i++) {
        uint32_t row = l->member[g->member + i];

        for (uint32_t t = 0; t < s->tokens; t++)
            if (m->words[t] != all[t] && m->words[t] != WORD_ALL)
                token_compare(m, t, l->texts[first].p, tokens_of(l, first)[t], l->texts[row].p, tokens_of(l, row)[t]);
    }
}

/* --- words that are one: addresses, UUIDs --- */

static bool parted_by(const char *p, const struct token *words, uint32_t n, char mark)
{
    for (uint32_t i = 1; i < n; i++)
        if (words[i].from != words[i - 1].to + 1 || p[words[i - 1].to] != mark)
            return false;
    return true;
}

static bool digits(const char *p, struct token w)
{
    for (uint32_t i = w.from; i < w.to; i++)
        if (p[i] < '0' || p[i] > '9')
            return false;
    return w.to - w.from <= 3;
}

/* atom - how many of the n words here are one. */
static uint32_t atom(const char *p, const struct token *words, uint32_t n)
{
    static const uint8_t uuid[] = { 8, 4, 4, 4, 12 };
    uint32_t k = 0;

    if (n >= 4 && parted_by(p, words, 4, '.') && digits(p, words[0]) && digits(p, words[1]) && digits(p, words[2]) && digits(p, words[3]))
        return 4;
    while (n >= 5 && k < 5 && words[k].to - words[k].from == uuid[k])
        k++;
    if (k == 5 && parted_by(p, words, 5, '-'))
        return 5;
    if (n >= 6 && parted_by(p, words, 6, '-') && words[5].to - words[0].from == 17 && words[0].to - words[0].from == 2)
        return 6;   /* MAC address as Windows writes it */
    for (k = 1; k < n && p[words[k - 1].to] == ':' && words[k].from - words[k - 1].to <= 2 && words[k].to - words[k].from <= 4; k++)
        ;
    return k >= 4 ? k : 1;   /* IPv6 and MAC addresses; a time of day has three */
}

static void slot_put(struct moving *m, struct slot s)
{
    if (m->n < MOVING_MAX)
        m->slots[m->n++] = s;
    else   /* the last takes it in */
        m->slots[MOVING_MAX - 1] = (struct slot){ m->slots[MOVING_MAX - 1].from, m->slots[MOVING_MAX - 1].from_word, s.to, s.to_word };
}

/* slots_list - what differs as slots, one a word. */
static void slots_list(const struct learner *l, const struct group *g, struct moving *m)
{
    uint32_t first = l->member[g->member];
    const char *p = l->texts[first].p;

    m->n = 0;
    for (uint32_t t = 0; t < l->shapes[g->shape].tokens; t++) {
        struct token words[WORDS_MAX];

        if (!m->words[t])
            continue;
        if (!m->count[t]) {
            slot_put(m, (struct slot){ (uint16_t)t, WORD_ALL, (uint16_t)t, WORD_ALL });
            continue;
        }
        words_of(p, tokens_of(l, first)[t], words, WORDS_MAX);
        for (uint32_t w = 0, n; w < m->count[t]; w += n) {
            n = atom(p, words + w, m->count[t] - w);
            if (m->words[t] >> w & ((1u << n) - 1))
                slot_put(m, (struct slot){ (uint16_t)t, (uint16_t)w, (uint16_t)t, (uint16_t)(w + n - 1) });
        }
    }
}

/* --- slots that move together --- */

struct token slot_span(const struct slot *s, const char *p, const struct token *tokens)
{
    uint32_t from = tokens[s->from].from, to = tokens[s->to].to, end, at = tokens[s->to].from, word = 0;

    if (s->from_word != WORD_ALL) {
        for (uint32_t w = 0; (end = word_next(p, &from, tokens[s->from].to)) > from && w < s->from_word; w++)
            from = end;
        if (s->to == s->from) {
            at = from;
            word = s->from_word;
        }
    }
    if (s->to_word != WORD_ALL)
        for (; word <= s->to_word; word++)
            at = to = word_next(p, &at, tokens[s->to].to);
    return (struct token){ (uint16_t)from, (uint16_t)to };
}

static uint32_t different(struct moving *m, const uint64_t *hash)
{
    uint32_t n = 0;

    memset(m->table, 0, sizeof m->table);
    for (uint32_t i = 0; i < m->sample_n; i++) {
        uint32_t at = (uint32_t)hash[i] % SAMPLE_TABLE;

        while (m->table[at] && hash[m->table[at] - 1] != hash[i])
            at = (at + 1) % SAMPLE_TABLE;
        if (!m->table[at]) {
            m->table[at] = i + 1;
            n++;
        }
    }
    return n;
}

static void slot_hash(const struct learner *l, const struct moving *m, const struct slot *s, uint64_t *hash)
{
    for (uint32_t i = 0; i < m->sample_n; i++) {
        const char *p = l->texts[m->sample[i]].p;
        struct token t = slot_span(s, p, tokens_of(l, m->sample[i]));

        hash[i] = bytes_hash(p + t.from, (size_t)(t.to - t.from));
    }
}

/* slots_join - neighbours of which one tells the other. */
static void slots_join(const struct learner *l, const struct group *g, struct moving *m)
{
    uint32_t n = 0, step = g->rows / SAMPLE_MAX + 1, last = 0;

    m->sample_n = 0;
    for (uint32_t i = 0; i < g->rows; i += step)
        m->sample[m->sample_n++] = l->member[g->member + i];
    for (uint32_t i = 0; i < m->n; i++) {
        uint64_t *own = m->hash[1], both[SAMPLE_MAX];
        uint32_t count, joint;

        slot_hash(l, m, &m->slots[i], own);
        count = different(m, own);
        if (n) {
            for (uint32_t k = 0; k < m->sample_n; k++)
                both[k] = mix(m->hash[0][k], own[k]);
            joint = different(m, both);
            if (joint <= m->sample_n / 2 && joint <= (last > count ? last : count) + joint / 16) {
                m->slots[n - 1].to = m->slots[i].to;
                m->slots[n - 1].to_word = m->slots[i].to_word;
                memcpy(m->hash[0], both, sizeof both);
                last = joint;
                continue;
            }
        }
        memcpy(m->hash[0], own, sizeof both);
        last = count;
        m->slots[n++] = m->slots[i];
    }
    m->n = n;
}

int slots_find(struct learner *l)
{
    struct moving *m = malloc(sizeof *m);

    if (!m)
        return -ENOMEM;
    for (uint32_t i = 1; i < l->group_n; i++) {
        struct group *g = &l->groups[i];

        compare(l, g, m);
        slots_list(l, g, m);
        slots_join(l, g, m);
        g->slot_n = m->n < LEARN_SLOTS_MAX ? m->n : LEARN_SLOTS_MAX;
        memcpy(g->slots, m->slots, g->slot_n * sizeof *g->slots);
        if (m->n > LEARN_SLOTS_MAX) {   /* the last one reaches to the end of the last */
            g->slots[LEARN_SLOTS_MAX - 1].to = m->slots[m->n - 1].to;
            g->slots[LEARN_SLOTS_MAX - 1].to_word = m->slots[m->n - 1].to_word;
        }
    }
    free(m);
    return 0;
}
