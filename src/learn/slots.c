/* slots.c - what differs within a group.
 *
 * A token whose faces are marks alone is taken word by word: of 2026-11-28T10:48:03 the year stays static. An address, a MAC address or a UUID
 * is one word here. Slots side by side that move together - the path and the name of a program, uid and gid - are one: a column tells it once. */
#include "learn/internal.h"

#define MOVING_MAX   (4 * LEARN_SLOTS_MAX)      /* slots before some become one */
#define SAMPLE_MAX   128u                       /* rows by which it is judged what moves together */
#define SAMPLE_TABLE (4 * SAMPLE_MAX)

struct moving {
    struct slot slots[MOVING_MAX];
    uint32_t n;
    uint32_t sample[SAMPLE_MAX], sample_n;
    uint64_t hash[2][SAMPLE_MAX];
    uint32_t table[SAMPLE_TABLE];
};

/* --- what differs --- */

/* shape_join - what differs within one more shape of a group, and from the shape with its first row. */
static void shape_join(const struct learner *l, struct group *g, const struct shape *s)
{
    const struct differing *d = l->differing + s->faces;
    bool first = g->first_row == NONE;

    if (first)
        g->first_row = s->first_row;
    for (uint32_t t = 0; t < g->tokens; t++) {
        struct token x = tokens_of(l, g->first_row)[t], y = tokens_of(l, s->first_row)[t];
        const char *a = l->texts[g->first_row].p, *b = l->texts[s->first_row].p;

        if (bit(g->free, t))
            g->words[t] = WORD_ALL;
        else
            g->words[t] |= d[t].words;
        if (!first && g->words[t] != WORD_ALL && g->words[t] != d[t].all && d[t].all && !same(a, x, b, y))
            g->words[t] |= d[t].all == WORD_ALL ? WORD_ALL : words_differ(a, x, b, y);
    }
}

static void differing_find(struct learner *l)
{
    for (uint32_t i = 0; i < l->shape_n; i++)
        if (l->shapes[i].group)
            shape_join(l, &l->groups[l->shapes[i].group], &l->shapes[i]);
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
    const char *p = l->texts[g->first_row].p;

    m->n = 0;
    for (uint32_t t = 0; t < g->tokens; t++) {
        struct token words[WORDS_MAX], own = tokens_of(l, g->first_row)[t];
        uint32_t count = words_of(p, own, words);

        if (g->words[t] == WORD_ALL)
            slot_put(m, (struct slot){ (uint16_t)t, WORD_ALL, (uint16_t)t, WORD_ALL });
        for (uint32_t w = 0, n; g->words[t] && g->words[t] != WORD_ALL && w < count; w += n) {
            n = atom(p, words + w, count - w);
            if (g->words[t] >> w & ((1u << n) - 1))   /* where a word is the begin or the end of the token that is quicker to find */
                slot_put(m, (struct slot){ (uint16_t)t, words[w].from == own.from ? WORD_ALL : (uint16_t)w,
                                           (uint16_t)t, words[w + n - 1].to == own.to ? WORD_ALL : (uint16_t)(w + n - 1) });
        }
    }
    if (g->tail)
        slot_put(m, (struct slot){ (uint16_t)g->tokens, WORD_ALL, TOKEN_END, WORD_ALL });
}

/* --- slots that move together --- */

/* value_of - what stands in a slot. */
static struct str value_of(const struct learner *l, uint32_t row, const struct slot *s)
{
    struct place from = { .token = NONE };
    struct str text = l->texts[row];
    struct token t = slot_span(s, text, tokens_of(l, row), &from);

    return str_of(text.p + t.from, (size_t)(t.to - t.from));
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
        struct str value = value_of(l, m->sample[i], s);

        hash[i] = bytes_hash(value.p, value.n);
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

/* --- slots that say the same --- */

#define ECHO_ROWS 16u
#define ECHO_MIN  5u     /* bytes */
#define KEPT_SLOT 24     /* won by a column of its own, in eighths of a byte a row */

/* echo - of how many of the rows value a stands in value b too; 0 if there is little to gain. */
static uint32_t echo(const struct str *a, const struct str *b, uint32_t rows)
{
    uint32_t n = 0, bytes = 0;

    for (uint32_t i = 0; i < rows; i++)
        if (a[i].n >= ECHO_MIN && b[i].n >= a[i].n && str_find(b[i], a[i]) >= 0) {
            n++;
            bytes += (uint32_t)a[i].n;
        }
    return n * 4 < rows * 3 ? 0 : bytes / rows;
}

/* slots_echo - a slot of ever new values that stand in a later one again is one with it and all between: as columns of their own both would be
 * kept whole, in one the compressor sees the second. */
static void slots_echo(const struct learner *l, struct moving *m)
{
    struct str values[MOVING_MAX][ECHO_ROWS];
    uint32_t rows = m->sample_n < ECHO_ROWS ? m->sample_n : ECHO_ROWS, step = m->sample_n / rows;
    bool many[MOVING_MAX];

    for (uint32_t i = 0; i < m->n; i++) {
        slot_hash(l, m, &m->slots[i], m->hash[0]);
        many[i] = different(m, m->hash[0]) > m->sample_n / 4;
        for (uint32_t k = 0; k < rows; k++)
            values[i][k] = value_of(l, m->sample[k * step], &m->slots[i]);
    }
    for (uint32_t j = m->n; j-- > 1;) {
        int64_t sum = 0, most = 0;
        uint32_t best = j;

        for (uint32_t i = j; i-- > 0;) {
            uint32_t bytes = many[i] && many[j] ? echo(values[i], values[j], rows) : 0;

            if (!bytes && many[i] && many[j])
                bytes = echo(values[j], values[i], rows);
            sum += (bytes > 6 ? (int64_t)(bytes - 6) * 5 : 0) - KEPT_SLOT;
            if (sum > most) {
                most = sum;
                best = i;
            }
        }
        if (best == j)
            continue;
        m->slots[best].to = m->slots[j].to;
        m->slots[best].to_word = m->slots[j].to_word;
        memmove(m->slots + best + 1, m->slots + j + 1, (m->n - j - 1) * sizeof *m->slots);
        m->n -= j - best;
        j = best;
        if (!j)
            break;
    }
}

int slots_find(struct learner *l)
{
    struct moving *m = malloc(sizeof *m);

    if (!m)
        return -ENOMEM;
    differing_find(l);
    for (uint32_t i = 1; i < l->group_n; i++) {
        struct group *g = &l->groups[i];

        slots_list(l, g, m);
        slots_join(l, g, m);
        if (m->n > 1)
            slots_echo(l, m);
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
