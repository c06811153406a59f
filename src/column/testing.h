/* testing.h - a column there and back, and what it answers beside what its values say.
 *
 * Owns      struct round owns an encoder, a column and buffers: round_open, round_close.
 * Promises  1. Frames are given from heap blocks of just their size, so that a sanitizer guards their ends.
 *           2. round_check tells in words what is wrong, or NULL.
 * Threads   owner. Only tests, fuzzers and benchmarks include it. */
#ifndef SAQSHY_COLUMN_TESTING_H
#define SAQSHY_COLUMN_TESTING_H

#include "column/column.h"

struct round {
    struct column_encoder *k;
    struct column         *c;
    struct column_out      out;
    struct str             head, frame[COLUMN_FRAMES];   /* owned copies */
    unsigned               opened[COLUMN_FRAMES];
    struct str            *got;
    uint64_t               rows[COLUMN_WORDS(COLUMN_ROWS_MAX)], some[COLUMN_WORDS(COLUMN_ROWS_MAX)];
    struct err             e;
};

static inline void round_open(struct round *r)
{
    memset(r, 0, sizeof *r);
    r->k = column_encoder_new();
    r->c = column_new();
    r->got = malloc(COLUMN_ROWS_MAX * sizeof *r->got);
    buf_init(&r->out.head, 0);
    for (int i = 0; i < COLUMN_FRAMES; i++)
        buf_init(&r->out.frame[i], 256 * MIB);
    if (!r->k || !r->c || !r->got)
        abort();
}

static inline void round_forget(struct round *r)
{
    free((void *)(uintptr_t)r->head.p);
    for (int i = 0; i < COLUMN_FRAMES; i++)
        free((void *)(uintptr_t)r->frame[i].p);
    r->head = r->frame[0] = r->frame[1] = (struct str){ NULL, 0 };
}

static inline void round_close(struct round *r)
{
    round_forget(r);
    column_encoder_free(&r->k);
    column_free(&r->c);
    free(r->got);
    buf_free(&r->out.head);
    for (int i = 0; i < COLUMN_FRAMES; i++)
        buf_free(&r->out.frame[i]);
}

static inline struct str round_copy(const struct buf *b)
{
    char *p = malloc(b->n ? b->n : 1);

    if (!p)
        abort();
    if (b->n)
        memcpy(p, b->p, b->n);
    return str_of(p, b->n);
}

static inline int round_frame(void *arg, unsigned which, struct str *bytes, struct err *e)
{
    struct round *r = arg;

    r->opened[which]++;
    *bytes = r->frame[which];
    return 0;
}

/* round_encode - encode, and open what came of it. */
static inline int round_encode(struct round *r, const struct str *values, size_t count, const time_ns *time)
{
    struct reader head;
    int rc;

    buf_reset(&r->out.head);
    for (int i = 0; i < COLUMN_FRAMES; i++)
        buf_reset(&r->out.frame[i]);
    rc = column_encode(r->k, values, count, time, &r->out, &r->e);
    if (rc < 0)
        return rc;
    round_forget(r);
    r->head = round_copy(&r->out.head);
    for (int i = 0; i < COLUMN_FRAMES; i++)
        r->frame[i] = round_copy(&r->out.frame[i]);
    memset(r->opened, 0, sizeof r->opened);
    head = rd_str(r->head);
    rc = column_open(r->c, &head, count, time, round_frame, r, &r->e);
    if (rc == 0 && rd_left(&head))
        return err_set(&r->e, -EBADMSG, "the reader of the head left %zu bytes", rd_left(&head));
    return rc;
}

/* What yes is in a test: the question itself, answered of the text. */
static inline bool round_digits(struct str v, uint64_t *n)
{
    *n = 0;
    for (size_t i = 0; i < v.n; i++) {
        if (v.p[i] < '0' || v.p[i] > '9')
            return false;
        if (__builtin_mul_overflow(*n, UINT64_C(10), n) || __builtin_add_overflow(*n, (uint64_t)(v.p[i] - '0'), n))
            return false;
    }
    return v.n > 0;
}

static inline bool round_address(struct str v, uint64_t *n)
{
    struct str piece;
    uint64_t part;
    int parts = 0;

    if (v.n == 0 || v.p[v.n - 1] == '.')
        return false;
    *n = 0;
    while (str_split(&v, '.', &piece)) {
        if (++parts > 4 || piece.n > 3 || !round_digits(piece, &part) || part > 255 || (piece.n > 1 && piece.p[0] == '0'))
            return false;
        *n = *n << 8 | part;
    }
    return parts == 4;
}

static inline bool round_yes(const void *arg, struct str v)
{
    const struct column_question *q = arg;
    uint64_t n;

    if (q->numbers)
        return round_digits(v, &n) && n >= q->least && n <= q->most;
    if (q->addresses)
        return round_address(v, &n) && n >= q->least && n <= q->most;
    if (q->whole)
        return q->fold ? str_ieq(v, q->needle) : str_eq(v, q->needle);
    return (q->fold ? str_ifind(v, q->needle) : str_find(v, q->needle)) >= 0;
}

/* round_ask - the column's answer, of the rows of some, is the answer of each value. */
static inline const char *round_ask(struct round *r, const struct str *values, size_t count, struct column_question q)
{
    q.yes = round_yes;
    q.arg = &q;
    memcpy(r->rows, r->some, sizeof r->rows);
    if (column_ask(r->c, &q, r->rows, &r->e) < 0)
        return "a question fails";
    for (size_t i = 0; i < count; i++) {
        bool of = r->some[i / 64] >> (i % 64) & 1, yes = r->rows[i / 64] >> (i % 64) & 1;

        if (yes != (of && round_yes(&q, values[i])))
            return q.numbers ? "a range is wrong" : q.addresses ? "a range of addresses is wrong" : q.whole ? "an equality is wrong" : "a needle is wrong";
    }
    return NULL;
}

/* round_values - the values of the rows of some, or of all, are those that were given. */
static inline const char *round_values(struct round *r, const struct str *values, size_t count, bool all)
{
    for (size_t i = 0; i < count; i++)
        r->got[i] = STR("\1untouched");
    if (column_values(r->c, all ? NULL : r->some, r->got, &r->e) < 0)
        return "the values cannot be read";
    for (size_t i = 0; i < count; i++) {
        bool of = all || (r->some[i / 64] >> (i % 64) & 1);

        if (!str_eq(r->got[i], of ? values[i] : STR("\1untouched")))
            return of ? "a value is another one" : "a cell that was not asked for was written";
    }
    return NULL;
}

/* round_questions - needles, equalities and ranges made of the value of a row. */
static inline const char *round_questions(struct round *r, const struct str *values, size_t count, size_t row)
{
    struct str v = values[row], piece = v.n > 3 ? str_of(v.p + v.n / 4, (v.n + 1) / 2) : v;
    uint64_t n = 0;
    const char *wrong = round_ask(r, values, count, (struct column_question){ .needle = piece });

    if (!wrong)
        wrong = round_ask(r, values, count, (struct column_question){ .needle = piece, .fold = true });
    if (!wrong)
        wrong = round_ask(r, values, count, (struct column_question){ .needle = v, .whole = true });
    if (!wrong)
        wrong = round_ask(r, values, count, (struct column_question){ .needle = v, .whole = true, .fold = true });
    if (!wrong)
        wrong = round_ask(r, values, count, (struct column_question){ .needle = STR("~no~") });
    if (!round_digits(v, &n) && !round_address(v, &n))
        n = v.n;
    for (int wide = 0; !wrong && wide < 3; wide++) {
        struct column_question q = { .least = wide == 2 ? 0 : n, .most = wide == 1 ? UINT64_MAX : n, .numbers = true };

        wrong = round_ask(r, values, count, q);
        q.numbers = false;
        q.addresses = true;
        if (!wrong)
            wrong = round_ask(r, values, count, q);
    }
    return wrong;
}

/* round_check - encode, read all, read some, ask. seed chooses the rows. NULL: all is right. */
static inline const char *round_check(struct round *r, const struct str *values, size_t count, const time_ns *time, uint64_t seed)
{
    const char *wrong;

    if (round_encode(r, values, count, time) < 0)
        return "it does not encode or open";
    wrong = round_values(r, values, count, true);
    for (size_t w = 0; w < COLUMN_WORDS(count); w++) {
        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
        r->some[w] = w % 3 ? seed ^ seed >> 29 : 0;
    }
    for (int pass = 0; !wrong && count && pass < 3; pass++) {
        if (pass == 1)
            memset(r->some, 0xff, COLUMN_WORDS(count) * 8);
        if (pass == 2)
            for (size_t w = 0; w < COLUMN_WORDS(count); w++)
                r->some[w] = w % 7 == 1 || w == 0 ? 1 : 0;
        if (count % 64)
            r->some[count / 64] &= (UINT64_C(1) << count % 64) - 1;
        wrong = round_values(r, values, count, false);
        for (size_t i = 0; !wrong && i < 3; i++)
            wrong = round_questions(r, values, count, (size_t)(seed >> 20) % count * i % count);
    }
    for (int i = 0; !wrong && i < COLUMN_FRAMES; i++)
        if (r->opened[i] > 1)
            wrong = "a frame was asked for twice";
    return wrong;
}

#endif
