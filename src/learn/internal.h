/* internal.h - for the files of learn: texts as tokens, shapes of texts, groups of shapes, slots of groups; in the order in which they are made. */
#ifndef SAQSHY_LEARN_INTERNAL_H
#define SAQSHY_LEARN_INTERNAL_H

#include "learn/bytes.h"
#include "learn/learn.h"

#define TOKENS_ALL   (8u * MIB)            /* tokens of all texts of one call; texts beyond stay whole */
#define TOKENS_SPARE 4u                    /* room behind the last token of all, for those who write four at once */
#define FACES_ALL    (MIB / 2)             /* tokens of all shapes */
#define NONE         UINT32_MAX

struct learner;

/* --- tokens.c --- */

/* Where a token stands. What stands between tokens are separators. */
struct token { uint16_t from, to; };
static_assert(sizeof(struct token) == 2 * sizeof(uint16_t), "tokens are a row of edges (trail.c)");

#define HEADS 5u
static inline uint32_t head_tokens(uint32_t head) { return 2u << head; }

/* What a text looks like. A face says what of a token is looked at when texts are compared: its bytes, or only the marks in it -
 * "10.0.0.7:80" and "10.0.0.9:443" have one face - or nothing. */
struct looks {
    uint64_t kin;                          /* of the separators */
    uint64_t all;                          /* of them and the faces: kin_apply */
    uint64_t heads[HEADS];                 /* of the separators before and behind the first 2, 4, 8, 16, 32 tokens; 0: there are no more than so many */
    uint32_t count;                        /* of tokens */
    uint32_t faces[LEARN_TOKENS_MAX];
};
#define FACE_FREE 0u                       /* may be anything */
static inline bool face_marks(uint32_t face) { return face & 1; }   /* equal faces of this kind: the same marks, so the same number of words */

/* learn_tokens_read - the tokens of text into at, which has room for LEARN_TOKENS_MAX; *to: their looks. */
void learn_tokens_read(struct str text, struct token *at, struct looks *to);

/* --- shapes.c --- */

#define WORDS_MAX 16u                      /* of a token whose face is that of marks: it has no more than 13 */
#define WORD_ALL  UINT16_MAX

/* Of a token of a shape, what differs from text to text. */
struct differing {
    uint16_t words;                        /* a bit a word; WORD_ALL: the token as one */
    uint16_t all;                          /* words if everything differs; 0: it cannot differ, its bytes are its face */
    struct token last;                     /* the word of the first text that was found to differ last */
};

struct shape {                             /* texts that look the same */
    uint64_t all, kin, heads[HEADS];
    uint32_t faces, tokens;                /* where its faces begin (and what is kept of each token), how many */
    uint32_t rows, first_row, group;
    uint32_t live_n;                       /* tokens of which not all is known to differ */
    uint32_t steps, step_n;                /* of its trail, and how many; 0: it has none */
    uint32_t next;                         /* shape + 1 of the same kin; 0: none */
    uint32_t place;                        /* in the table */
};

/* shapes_look - read all texts: tokens, shapes, what differs within each shape. -ENOMEM. */
MUST_USE int shapes_look(struct learner *l);
/* words_of - the words of a token; at most WORDS_MAX are noted. */
uint32_t words_of(const char *p, struct token t, struct token *words);
/* words_differ - the words in which token y of b is not token x of a; WORD_ALL if they have not the same number of words. */
uint16_t words_differ(const char *a, struct token x, const char *b, struct token y);

static inline bool same(const char *a, struct token x, const char *b, struct token y)
{
    size_t n = (size_t)(x.to - x.from);

    return n == (size_t)(y.to - y.from) && bytes_same(a + x.from, b + y.from, n);
}

/* --- kin.c --- */

#define KINS_MAX   4096u
#define FREE_WORDS ((LEARN_TOKENS_MAX + 63) / 64)

/* Shapes with the same separators, and what was learned of them: tokens that may be anything. */
struct kin {
    uint64_t key, free[FREE_WORDS];
    uint32_t call;                         /* in which it came last; 0: the place is empty */
    uint32_t shape_n, shapes;              /* in that call: how many shapes, the last of them + 1 */
    bool     any;                          /* a token is free */
};

/* kin_apply - that of texts that look like this; what is known to be free becomes so in *looks. */
struct kin *kin_apply(struct learner *l, struct looks *looks);
/* kin_add - one more shape. If they become many, the tokens by which they do are free from now on. */
void kin_add(struct learner *l, struct kin *k, uint32_t shape);

/* --- trail.c --- */

#define RECENT_SHAPES 4u

/* A text that looks like a known one is read along it: so many bytes that must be the same, then a word, and so on. */
struct step {
    uint16_t from, n;                      /* the bytes, in the first text of the shape */
    uint8_t  then;                         /* what follows them: enum in trail.c */
    uint8_t  edges;                        /* begins and ends of tokens in these bytes: they move with them */
};

/* trail_lay - the trail of a shape. -ENOMEM. */
MUST_USE int trail_lay(struct learner *l, struct shape *s);
/* trail_follow - the shape along which the text of row could be read, its tokens then at at; NONE. */
uint32_t trail_follow(struct learner *l, uint32_t row, struct token *at);
/* trail_note - a text like that of row is of this shape: look there first next time. */
void trail_note(struct learner *l, uint32_t row, uint32_t shape);

/* --- groups.c --- */

/* A slot goes from the begin of a word of one token to the end of a word of the same or a later one. WORD_ALL: the begin, or end, of the token;
 * TOKEN_END: to the end of the text. */
#define TOKEN_END UINT16_MAX
struct slot { uint16_t from, from_word, to, to_word; };

struct group {
    uint32_t rows, member;                 /* how many, and where in member they begin */
    uint32_t shape;                        /* one of its shapes */
    uint32_t tokens;                       /* that are compared */
    bool     tail;                         /* and the rest of the text is a slot */
    uint32_t number;                       /* in learn_out; 0: none yet */
    uint32_t slot_n;
    uint32_t first_row;                    /* NONE: not known yet */
    uint16_t words[LEARN_TOKENS_MAX];      /* of each token those that differ, as in struct differing */
    uint64_t free[FREE_WORDS];             /* tokens whose faces differ from shape to shape */
    struct slot slots[LEARN_SLOTS_MAX];
    struct str  statics[LEARN_SLOTS_MAX + 1];   /* before each slot and behind the last, in its first row */
};

/* groups_make - which shapes belong together. -ENOMEM. */
MUST_USE int groups_make(struct learner *l);

/* --- slots.c --- */

/* slots_find - the slots of each group. -ENOMEM. */
MUST_USE int slots_find(struct learner *l);

/* Where one has read to: behind word words of token. */
struct place { uint32_t token, word, at; };
/* slot_span - where a slot lies in a text with these tokens. *from: the end of the slot before, { NONE } for the first. */
static inline struct token slot_span(const struct slot *s, struct str text, const struct token *tokens, struct place *from)
{
    uint32_t at, begin, end;

    if (s->from_word == WORD_ALL) {
        begin = tokens[s->from].from;
    } else {
        if (from->token != s->from)
            *from = (struct place){ s->from, 0, tokens[s->from].from };
        for (at = from->at; (end = word_next(text.p, &at, tokens[s->from].to)) > at && from->word < s->from_word; from->word++)
            at = end;
        begin = at;
        from->at = end;
        from->word++;
    }
    if (s->to_word == WORD_ALL) {
        end = s->to == TOKEN_END ? (uint32_t)text.n : tokens[s->to].to;
    } else {
        if (from->token != s->to)
            *from = (struct place){ s->to, 0, tokens[s->to].from };
        for (; from->word <= s->to_word; from->word++)
            from->at = word_next(text.p, &from->at, tokens[s->to].to);
        end = from->at;
    }
    return (struct token){ (uint16_t)begin, (uint16_t)end };
}

/* --- learn.c --- */

struct learner {
    struct kin kins[KINS_MAX];             /* remembered from call to call */
    uint32_t call;
    uint64_t origin;
    const struct str *texts;               /* of the call, borrowed */
    uint32_t count;
    uint32_t *shape;                       /* of each row; NONE: it is whole */
    uint32_t *token;                       /* of each row and one more: where its tokens begin */
    uint32_t *member;                      /* rows, those of a group one behind the other */
    uint32_t *group, *first;               /* as in learn_out */
    uint32_t  cap;                         /* rows that these five have room for */
    struct token *tokens;
    uint32_t  token_n, token_cap;
    uint32_t *cuts;                        /* as in learn_out */
    uint32_t  cut_n, cut_cap;
    uint32_t *faces;                       /* of all shapes */
    struct differing *differing;           /* the same */
    uint16_t *live;                        /* of each shape live_n tokens */
    uint32_t  face_n, face_cap;            /* of these three */
    struct step *steps;
    uint32_t  step_n, step_cap;
    uint32_t  recent[256][RECENT_SHAPES];  /* shapes by the begin of their texts, the last seen first; shape + 1 */
    struct shape shapes[LEARN_SHAPES_MAX];
    uint32_t  shape_n;
    uint32_t  table[4 * LEARN_SHAPES_MAX]; /* of shapes by their looks: index + 1 */
    uint32_t  order[LEARN_SHAPES_MAX], spare[LEARN_SHAPES_MAX];
    struct group *groups;                  /* [0] is that of the whole ones */
    uint32_t  group_n, group_cap;
    uint32_t *rows;                        /* as in learn_out */
    struct looks looks;
};

/* room - for n more of size bytes at *at, which holds used of *cap. */
bool room(void *at, uint32_t used, uint32_t n, uint32_t *cap, size_t size);

static inline const struct token *tokens_of(const struct learner *l, uint32_t row) { return l->tokens + l->token[row]; }

#endif
