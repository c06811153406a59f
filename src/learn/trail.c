/* trail.c - a text that looks like a known one is read along it, which is several times as quick as to read it token by token.
 *
 * The trail of a shape is the bytes between the words that may differ, from its first text; a text that follows has the same between them. A few
 * shapes are tried, those last seen of texts that began alike. What they could not be told apart by does no harm: a row is cut by its own tokens. */
#include "learn/internal.h"

enum { WORD, DIGITS, TOKEN, QUOTED, END };   /* DIGITS: a word with one in it at least, for without one it would stand for something */

#define STEPS_MAX 250u

/* laying - a trail being laid. */
struct laying {
    struct step steps[STEPS_MAX];
    uint32_t n, at;                   /* at: up to here its text is laid out */
    uint32_t edges;                   /* of tokens, since the last step */
};

/* step_add - the text up to from is the same, then comes what ends at to. False if there are too many. */
static bool step_add(struct laying *y, uint32_t from, uint32_t to, uint8_t then)
{
    if (y->n == STEPS_MAX)
        return false;
    y->steps[y->n++] = (struct step){ (uint16_t)y->at, (uint16_t)(from - y->at), then, (uint8_t)y->edges };
    y->at = to;
    y->edges = 0;
    return true;
}

/* token_lay - one token. False if no trail can be laid along it. */
static bool token_lay(struct laying *y, const char *p, struct token t, uint32_t face)
{
    struct token words[WORDS_MAX];
    uint32_t n;
    bool quoted = t.from && learn_class[(unsigned char)p[t.from - 1]] & QUOTE, value = quoted || (t.from && (p[t.from - 1] == '=' || p[t.from - 1] == '>' || p[t.from - 1] == ':'));

    y->edges++;
    if (face == FACE_FREE && !step_add(y, t.from, t.to, quoted ? QUOTED : TOKEN))
        return false;
    n = face_marks(face) ? words_of(p, t, words) : 0;
    for (uint32_t w = 0; w < n; w++)
        if (!step_add(y, words[w].from, words[w].to, n == 1 && !value ? DIGITS : WORD))
            return false;
    return ++y->edges < UINT8_MAX;
}

int trail_lay(struct learner *l, struct shape *s)
{
    struct str text = l->texts[s->first_row];
    struct laying y = { .n = 0 };

    if (s->tokens == LEARN_TOKENS_MAX)   /* its last token may be anything */
        return 0;
    for (uint32_t t = 0; t < s->tokens; t++)
        if (!token_lay(&y, text.p, tokens_of(l, s->first_row)[t], l->faces[s->faces + t]))
            return 0;
    if (!step_add(&y, (uint32_t)text.n, (uint32_t)text.n, END))
        return 0;
    if (!room(&l->steps, l->step_n, y.n, &l->step_cap, sizeof *l->steps))
        return -ENOMEM;
    memcpy(l->steps + l->step_n, y.steps, y.n * sizeof *y.steps);
    s->steps = l->step_n;
    s->step_n = y.n;
    l->step_n += y.n;
    return 0;
}

/* quoted_end - where the quote ends that began before at; n if it does not. */
static uint32_t quoted_end(const char *p, uint32_t at, uint32_t n)
{
    const char *q = p + at;

    while ((q = memchr(q, p[at - 1], (size_t)(p + n - q))) != NULL && q > p + at && q[-1] == '\\')
        q++;
    return q ? (uint32_t)(q - p) : n;
}

/* follow - whether the text can be read along the trail of s; *begins: where each step begins in it. */
static bool follow(const struct learner *l, const struct shape *s, struct str text, uint32_t *begins)
{
    const char *p = text.p, *model = l->texts[s->first_row].p;
    const struct step *step = l->steps + s->steps;
    uint32_t at = 0, n = (uint32_t)text.n, from;
    bool digit;

    for (uint32_t i = 0; i < s->step_n; i++, step++) {
        begins[i] = at;
        if (step->n > n - at || !bytes_same(p + at, model + step->from, step->n))
            return false;
        at += step->n;
        from = at;
        switch (step->then) {
        case END:
            return at == n;
        case TOKEN:
            at = token_end(p, at, n);
            break;
        case QUOTED:
            at = at < n ? quoted_end(p, at, n) : n;
            break;
        case DIGITS:
            digit = false;
            at = word_end(p, at, n, &digit);
            if (!digit)
                return false;
            break;
        default:
            at = word_end(p, at, n, NULL);
            if (at == from)
                return false;
        }
    }
    return false;
}

typedef uint16_t edges8 __attribute__((vector_size(16)));
static_assert(sizeof(edges8) == 4 * sizeof(struct token), "TOKENS_SPARE tokens");

/* tokens_move - tokens stand where those of the first text do, moved with the steps. Eight edges at once: what is too much is written again by the
 * next step, or is spare. */
static void tokens_move(const struct learner *l, const struct shape *s, const uint32_t *begins, struct token *at)
{
    const uint16_t *his = &tokens_of(l, s->first_row)->from;
    uint16_t *own = &at->from;
    const struct step *step = l->steps + s->steps;

    for (uint32_t i = 0; i < s->step_n; i++, step++) {
        uint16_t by = (uint16_t)(begins[i] - step->from);

        for (uint32_t k = 0; k < step->edges; k += 8) {
            edges8 moved;

            memcpy(&moved, his + k, sizeof moved);
            moved += by;
            memcpy(own + k, &moved, sizeof moved);
        }
        his += step->edges;
        own += step->edges;
    }
}

/* bucket - texts that begin alike, whatever their digits. */
static uint32_t *bucket(struct learner *l, struct str text)
{
    uint64_t head[2] = { 0 }, hash = 0;

    memcpy(head, text.p, text.n < sizeof head ? text.n : sizeof head);
    for (size_t i = 0; i < COUNT(head); i++) {
        uint64_t digits = (head[i] & UINT64_C(0xF0F0F0F0F0F0F0F0)) ^ UINT64_C(0x3030303030303030);

        digits = (digits - UINT64_C(0x0101010101010101)) & ~digits & UINT64_C(0x8080808080808080);
        hash = mix(hash, head[i] & ~((digits >> 7) * 15));
    }
    return l->recent[hash % COUNT(l->recent)];
}

static void move_first(uint32_t *recent, uint32_t i, uint32_t shape)
{
    memmove(recent + 1, recent, i * sizeof *recent);
    recent[0] = shape + 1;
}

uint32_t trail_follow(struct learner *l, uint32_t row, struct token *at)
{
    uint32_t *recent = bucket(l, l->texts[row]), begins[STEPS_MAX];

    for (uint32_t i = 0; i < RECENT_SHAPES && recent[i]; i++) {
        uint32_t shape = recent[i] - 1;
        const struct shape *s = &l->shapes[shape];

        if (!follow(l, s, l->texts[row], begins))
            continue;
        tokens_move(l, s, begins, at);
        move_first(recent, i, shape);
        return shape;
    }
    return NONE;
}

void trail_note(struct learner *l, uint32_t row, uint32_t shape)
{
    uint32_t *recent = bucket(l, l->texts[row]), i = 0;

    while (i < RECENT_SHAPES - 1 && recent[i] && recent[i] != shape + 1)
        i++;
    move_first(recent, i, shape);
}
