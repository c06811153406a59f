/* numbers.c - columns of numbers in one form: see internal.h. */
#include "column/internal.h"

bool numbers_too_many(size_t excepts, size_t rows)
{
    return excepts > EXCEPT_MAX || excepts > 1 + rows / EXCEPT_ROWS;
}

/* read_different - the number of each different text; false if too many have none. */
static bool read_different(struct column_encoder *k, const struct form *f, const struct str *values, size_t count)
{
    size_t bad = 0;

    for (size_t i = 0; i < k->d.count; i++) {
        k->each_bad[i] = !form_take(f, values[k->d.first[i]], &k->each[i]);
        bad += k->each_bad[i];
        if (numbers_too_many(bad, count))
            return false;
    }
    return true;
}

/* one_number - of a row, by its text, or by its code where texts were counted. */
static bool one_number(const struct column_encoder *k, const struct form *f, const struct str *values, size_t row, bool counted, uint64_t *number)
{
    if (!counted)
        return form_take(f, values[row], number);
    *number = k->each[k->d.code[row]];
    return !k->each_bad[k->d.code[row]];
}

bool numbers_read(struct column_encoder *k, const struct form *f, const struct str *values, size_t count, bool counted)
{
    uint64_t before = 0;
    size_t lead = 0;

    k->x.count = 0;
    if (counted && !read_different(k, f, values, count))
        return false;
    for (size_t i = 0; i < count; i++) {
        texts_ahead(values, counted ? 0 : count, i);
        if (!one_number(k, f, values, i, counted, &k->numbers[i])) {
            if (numbers_too_many(k->x.count + 1, i + 8 * EXCEPT_ROWS))
                return false;
            k->numbers[i] = before;      /* costs a step of nothing */
            k->x.row[k->x.count++] = (uint32_t)i;
        }
        before = k->numbers[i];
    }
    while (lead < k->x.count && k->x.row[lead] == lead)
        lead++;
    for (size_t i = 0; i < lead && lead < count; i++)
        k->numbers[i] = k->numbers[lead];    /* not 0, which would stretch the range */
    return !numbers_too_many(k->x.count, count);
}

void numbers_put(struct column_encoder *k, const struct form *f, const struct pack *p, const struct str *values, size_t count, struct column_out *out)
{
    out->kind = f->kind;
    buf_byte(&out->head, (char)f->kind);
    form_put(f, &out->head);
    pack_put(p, k->numbers, count, &out->head, &out->frame[1], &out->dense[1]);
    except_put(&k->x, values, out);
}

static int ask_numbers(struct column *c, const struct column_question *q, uint64_t *rows, struct err *e);

static void numbers_open(struct column *c, struct reader *head)
{
    form_open(&c->form, c->kind, head);
    pack_read(&c->pack, head);
    if (rd_ok(head))
        form_bounds(&c->form, c->pack.least, c->pack.most, &c->bounds);
    except_open(c, head);
    c->ask_form = ask_numbers;
}

/* read_numbers - frame 1, of the length that it must have; steps are added up once. */
static int read_numbers(struct column *c, const unsigned char **bytes, struct err *e)
{
    struct str frame = { NULL, 0 };
    int rc = c->pack.width ? column_frame(c, 1, &frame, e) : 0;

    if (rc < 0)
        return rc;
    if (frame.n != pack_bytes(&c->pack, c->count))
        return column_torn(c, e, "its numbers are not those of its rows");
    *bytes = (const unsigned char *)frame.p;
    if (c->pack.way != PACK_STEPS || c->ready)
        return 0;
    rc = column_memory((void **)&c->numbers, COLUMN_ROWS_MAX, sizeof *c->numbers, e);
    if (rc == 0) {
        pack_all(&c->pack, *bytes, c->count, c->numbers);
        c->ready = true;
    }
    return rc;
}

/* group - the numbers of 64 rows, from the least up. */
static const uint64_t *group(const struct column *c, const unsigned char *bytes, size_t word, uint64_t room[64])
{
    if (c->pack.way == PACK_STEPS)
        return c->numbers + word * 64;
    pack_group(&c->pack, bytes, c->count, word * 64, room);
    return room;
}

static int numbers_values(struct column *c, const uint64_t *rows, struct str *out, struct err *e)
{
    const unsigned char *bytes;
    size_t wanted = rows ? bits_count(rows, c->count) : c->count;
    char *to = NULL;
    int rc = read_numbers(c, &bytes, e);

    if (rc == 0)
        rc = column_text_room(c, wanted * form_longest(&c->form) + FORM_SLACK, &to, e);
    for (size_t w = 0; rc == 0 && w < COLUMN_WORDS(c->count); w++) {
        uint64_t left = rows ? rows[w] : bits_first(min_size(64, c->count - w * 64)), room[64];
        const uint64_t *v = left ? group(c, bytes, w, room) : NULL;

        for (; left; left &= left - 1) {
            unsigned at = (unsigned)__builtin_ctzll(left);
            size_t n = form_write(&c->form, v[at] + c->pack.least, to);

            out[w * 64 + at] = str_of(to, n);
            to += n;
        }
    }
    return rc == 0 ? except_values(c, rows, out, e) : rc;
}

/* What a question is of the numbers: a range of them, or something that only their texts tell. */
enum asked { ASKED_NONE, ASKED_RANGE, ASKED_TEXT };

static bool has_letter(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((s.p[i] | 0x20) >= 'a' && (s.p[i] | 0x20) <= 'z')
            return true;
    return false;
}

static enum asked range_of(const struct form *f, const struct column_question *q, uint64_t *least, uint64_t *most)
{
    *least = q->least;
    *most = q->most;
    if (q->numbers)
        return form_digits_alone(f) ? ASKED_RANGE : form_more_than_digits(f) ? ASKED_NONE : ASKED_TEXT;
    if (q->addresses)
        return f->kind == COLUMN_ADDRESS && f->prefix.n + f->suffix.n == 0 ? ASKED_RANGE : ASKED_TEXT;
    if (!q->whole || (q->fold && has_letter(q->needle)))
        return ASKED_TEXT;
    if (!form_take(f, q->needle, least))
        return ASKED_NONE;
    *most = *least;
    return ASKED_RANGE;
}

/* ask_range - rows whose number is within least and most. */
static void ask_range(struct column *c, const unsigned char *bytes, uint64_t least, uint64_t most, uint64_t *rows)
{
    uint64_t low = least > c->pack.least ? least - c->pack.least : 0, span = most - c->pack.least - low;

    for (size_t w = 0; w < COLUMN_WORDS(c->count); w++) {
        unsigned char yes[64] = { 0 };
        uint64_t room[64];
        const uint64_t *v = rows[w] ? group(c, bytes, w, room) : NULL;

        for (size_t i = 0, n = v ? min_size(64, c->count - w * 64) : 0; i < n; i++)
            yes[i] = v[i] - low <= span;
        rows[w] &= bits_of_bytes(yes);
    }
}

static void ask_texts(struct column *c, const unsigned char *bytes, const struct column_question *q, uint64_t *rows)
{
    struct needle needle = question_needle(q->needle, q->fold);
    struct aside a;

    for (size_t w = 0; w < COLUMN_WORDS(c->count); w++) {
        uint64_t room[64];
        const uint64_t *v = rows[w] ? group(c, bytes, w, room) : NULL;

        a.count = 0;
        for (uint64_t left = rows[w]; left; left &= left - 1) {
            unsigned at = (unsigned)__builtin_ctzll(left);

            aside_add(&a, at, form_write(&c->form, v[at] + c->pack.least, aside_next(&a)));
        }
        rows[w] = aside_ask(&a, q, &needle);
    }
}

static int ask_numbers(struct column *c, const struct column_question *q, uint64_t *rows, struct err *e)
{
    const unsigned char *bytes;
    uint64_t least, most;
    enum asked asked = range_of(&c->form, q, &least, &most);
    int rc;

    if (asked == ASKED_NONE || (asked == ASKED_RANGE && (least > c->pack.most || most < c->pack.least || least > most))) {
        bits_none(rows, c->count);
        return 0;
    }
    if (asked == ASKED_RANGE && least <= c->pack.least && most >= c->pack.most)
        return 0;
    rc = read_numbers(c, &bytes, e);
    if (rc < 0)
        return rc;
    if (asked == ASKED_RANGE)
        ask_range(c, bytes, least, most, rows);
    else
        ask_texts(c, bytes, q, rows);
    return 0;
}

const struct column_ops decimal_ops = { "decimal", numbers_open, numbers_values, except_ask };
const struct column_ops hex_ops = { "hexadecimal", numbers_open, numbers_values, except_ask };
const struct column_ops address_ops = { "address", numbers_open, numbers_values, except_ask };
const struct column_ops pattern_ops = { "pattern", numbers_open, numbers_values, except_ask };
