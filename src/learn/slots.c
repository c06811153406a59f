/* slots.c - what differs within a group.
 *
 * A token whose faces are marks alone is taken word by word: of 2026-11-28T10:48:03 the year stays static. An address, a MAC address or a UUID
 * is one word here. Slots side by side that move together - the path and the name of a program, uid and gid - are one: a column tells it once. */
#include "learn/internal.h"

#define MOVING_MAX   (4 * LEARN_SLOTS_MAX)      /* slots before some become one */
#define SAMPLE_MAX   128u                       /* rows by which it is judged what moves together */
#define SAMPLE_TABLE (4 * SAMPLE_MAX)
#define HASHED_END   64u                        /* bytes */
#define ECHO_ROWS    16u                        /* rows by which it is judged what says the same */
#define ECHO_MIN     5u                         /* bytes of a value that is worth it */
#define ECHO_MATCH   6                          /* bytes that a repetition costs a row */
#define ECHO_WON     5                          /* of a byte that is not kept twice: eighths of a byte */
#define KEPT_SLOT    24                         /* won by a column of its own, eighths of a byte a row */

/* The slots of a group while they are found. */
struct moving {
    struct slot slots[MOVING_MAX];
    uint32_t n;
    uint32_t sample[SAMPLE_MAX], sample_n;      /* rows */
    uint64_t hash[2][SAMPLE_MAX];               /* of the values in them */
    uint32_t table[SAMPLE_TABLE];
    struct str values[MOVING_MAX][ECHO_ROWS];
    bool     many[MOVING_MAX];                  /* ever new values */
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

/* chain - how many words one behind the other are parted by this mark alone; by ':' twice too. */
static uint32_t chain(const char *p, const struct token *words, uint32_t n, char mark)
{
    uint32_t k = 1;

    for (; k < n; k++) {
        uint32_t end = words[k - 1].to, marks = words[k].from - end;

        if (p[end] != mark || (marks != 1 && !(mark == ':' && marks == 2 && p[end + 1] == ':')))
            break;
    }
    return k;
}

/* atom - how many of the n words here are one. It is seen by their marks, which are the same in all texts: an IPv4 address has four words, a MAC
 * address six, an IPv6 address mostly eight, a UUID five; a time of day has three, a date too. What is of one kind ends before what is of a kind
 * that stands before it in the table: 64:ff9b::10.0.0.7. */
static uint32_t atom(const char *p, const struct token *words, uint32_t n)
{
    static const struct { char mark; uint32_t least; } kinds[] = { { '.', 4 }, { ':', 4 }, { '-', 5 } };

    for (size_t i = 0; i < COUNT(kinds); i++) {
        uint32_t k = chain(p, words, n, kinds[i].mark);

        for (uint32_t w = 1; w < k; w++)
            for (size_t other = 0; other < i && w < k; other++)
                if (chain(p, words + w, n - w, kinds[other].mark) >= kinds[other].least)
                    k = w;
        if (k >= kinds[i].least)
            return k;
    }
    return 1;
}

/* slot_reach - to the end of a later one. */
static void slot_reach(struct slot *s, const struct slot *later)
{
    s->to = later->to;
    s->to_word = later->to_word;
}

/* slot_put - one more; if there are too many the last takes it in. */
static void slot_put(struct moving *m, struct slot s)
{
    if (m->n < MOVING_MAX)
        m->slots[m->n++] = s;
    else
        slot_reach(&m->slots[MOVING_MAX - 1], &s);
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

/* slot_hash - of the values in the sample; of a long one its ends are enough. */
static void slot_hash(const struct learner *l, const struct moving *m, const struct slot *s, uint64_t *hash)
{
    for (uint32_t i = 0; i < m->sample_n; i++) {
        struct str value = value_of(l, m->sample[i], s);
        size_t end = min_size(value.n, HASHED_END);

        hash[i] = bytes_hash(value.p, end);
        if (value.n > HASHED_END)
            hash[i] = mix(hash[i] ^ value.n, bytes_hash(value.p + value.n - end, end));
    }
}

/* sample_take - some rows from all over the group. */
static void sample_take(const struct learner *l, const struct group *g, struct moving *m)
{
    uint32_t step = g->rows / SAMPLE_MAX + 1;

    m->sample_n = 0;
    for (uint32_t i = 0; i < g->rows; i += step)
        m->sample[m->sample_n++] = l->member[g->member + i];
}

/* slots_join - neighbours of which one tells the other. */
static void slots_join(const struct learner *l, struct moving *m)
{
    uint64_t *before = m->hash[0], *own = m->hash[1], both[SAMPLE_MAX];
    uint32_t n = 0, last = 0;

    for (uint32_t i = 0; i < m->n; i++) {
        uint32_t count, joint = UINT32_MAX;

        slot_hash(l, m, &m->slots[i], own);
        count = different(m, own);
        if (n) {
            for (uint32_t k = 0; k < m->sample_n; k++)
                both[k] = mix(before[k], own[k]);
            joint = different(m, both);
        }
        if (joint <= m->sample_n / 2 && joint <= (last > count ? last : count) + joint / 16) {
            slot_reach(&m->slots[n - 1], &m->slots[i]);
            memcpy(before, both, sizeof both);
            last = joint;
        } else {
            memcpy(before, own, sizeof both);
            last = count;
            m->slots[n++] = m->slots[i];
        }
        m->many[n - 1] = last > m->sample_n / 4;
    }
    m->n = n;
}

/* --- slots that say the same --- */

/* echo - bytes a row of values a that stand in values b too; 0 if they do not in most rows. */
static uint32_t echo(const struct str *a, const struct str *b, uint32_t rows)
{
    uint32_t misses = 0, bytes = 0;

    for (uint32_t i = 0; i < rows && misses * 4 <= rows; i++) {
        if (a[i].n >= ECHO_MIN && b[i].n >= a[i].n && str_find(b[i], a[i]) >= 0)
            bytes += (uint32_t)a[i].n;
        else
            misses++;
    }
    return misses * 4 > rows ? 0 : bytes / rows;
}

/* echo_won - by slots i and j in one, for what they say both; eighths of a byte a row. */
static int64_t echo_won(const struct moving *m, uint32_t i, uint32_t j, uint32_t rows)
{
    int64_t bytes;

    if (!m->many[i] || !m->many[j])
        return 0;
    bytes = echo(m->values[i], m->values[j], rows);
    if (!bytes)
        bytes = echo(m->values[j], m->values[i], rows);
    return bytes > ECHO_MATCH ? (bytes - ECHO_MATCH) * ECHO_WON : 0;
}

/* echo_values - a few values of each slot. */
static uint32_t echo_values(const struct learner *l, struct moving *m)
{
    uint32_t rows = m->sample_n < ECHO_ROWS ? m->sample_n : ECHO_ROWS, step = m->sample_n / rows;

    for (uint32_t i = 0; i < m->n; i++)
        for (uint32_t k = 0; k < rows && m->many[i]; k++)
            m->values[i][k] = value_of(l, m->sample[k * step], &m->slots[i]);
    return rows;
}

/* slots_echo - a slot of ever new values that stand in a later one again is one with it and all between: as columns of their own both would be
 * kept whole, in one the compressor sees the second. */
static void slots_echo(const struct learner *l, struct moving *m)
{
    uint32_t rows = echo_values(l, m);

    for (uint32_t j = m->n; j-- > 1;) {
        int64_t sum = 0, most = 0;
        uint32_t best = j;

        for (uint32_t i = j; i-- > 0;) {
            sum += echo_won(m, i, j, rows) - KEPT_SLOT;
            if (sum > most) {
                most = sum;
                best = i;
            }
        }
        if (best == j)
            continue;
        slot_reach(&m->slots[best], &m->slots[j]);
        memmove(m->slots + best + 1, m->slots + j + 1, (m->n - j - 1) * sizeof *m->slots);   /* those before best are still to come, and stand where they did */
        m->n -= j - best;
        j = best;
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

        sample_take(l, g, m);
        slots_list(l, g, m);
        slots_join(l, m);
        if (m->n > 1)
            slots_echo(l, m);
        if (m->n > LEARN_SLOTS_MAX)
            slot_reach(&m->slots[LEARN_SLOTS_MAX - 1], &m->slots[m->n - 1]);
        g->slot_n = m->n < LEARN_SLOTS_MAX ? m->n : LEARN_SLOTS_MAX;
        memcpy(g->slots, m->slots, g->slot_n * sizeof *g->slots);
    }
    free(m);
    return 0;
}
