/* long.c - columns of texts of one pattern with more digits than a number holds: UUIDs, sums of files. See internal.h.
 *
 * Half a byte a digit, an odd one alone in the first byte; the first bytes of all rows, then the second bytes. */
#include "column/internal.h"

static size_t bytes_of(const struct form *f) { return (f->count + 1) / 2; }

/* as_random - compressing the planes would gain nothing, judged by the beginning of each. */
static bool as_random(struct estimate *est, const char *planes, size_t bytes, size_t count)
{
    size_t rows = min_size(count, ESTIMATE_BYTES / bytes);

    for (size_t i = 0; i < bytes; i++)
        memcpy(est->bytes + i * rows, planes + i * count, rows);
    return estimate_bytes(est, bytes * rows) >= bytes * rows / 32 * 31;
}

/* read_rows - the digits of up to 64 rows into their planes; false: too many have others. */
static bool read_rows(struct column_encoder *k, const struct form *f, const struct str *values, size_t count, size_t from, char *planes)
{
    unsigned char room[LONG_BYTES_MAX * LONG_STRIDE] = { 0 };
    size_t n = min_size(LONG_STRIDE, count - from), bytes = bytes_of(f);

    for (size_t i = 0; i < n; i++) {
        texts_ahead(values, count, from + i);
        if (pattern_read_long(f, values[from + i], room + i))
            continue;
        if (numbers_too_many(k->x.count + 1, count))
            return false;
        for (size_t byte = 0; i && byte < bytes; byte++)
            room[byte * LONG_STRIDE + i] = room[byte * LONG_STRIDE + i - 1];
        k->x.row[k->x.count++] = (uint32_t)(from + i);
    }
    for (size_t byte = 0; byte < bytes; byte++)
        memcpy(planes + byte * count + from, room + byte * LONG_STRIDE, n);
    return true;
}

bool long_put(struct column_encoder *k, const struct form *f, const struct str *values, size_t count, struct column_out *out)
{
    size_t bytes = bytes_of(f);
    char *to = buf_room(&out->frame[1], bytes * count);

    k->x.count = 0;
    for (size_t from = 0; to && from < count; from += LONG_STRIDE)
        if (!read_rows(k, f, values, count, from, to))
            return false;
    if (to) {
        out->frame[1].n += bytes * count;
        out->dense[1] = as_random(&k->est, to, bytes, count);
    }
    out->kind = COLUMN_LONG;
    buf_byte(&out->head, COLUMN_LONG);
    form_put(f, &out->head);
    except_put(&k->x, values, out);
    return true;
}

static int ask_long(struct column *c, const struct column_question *q, uint64_t *rows, struct err *e);

static void long_open(struct column *c, struct reader *head)
{
    form_open(&c->form, c->kind, head);
    if (rd_ok(head))
        form_bounds(&c->form, 0, 0, &c->bounds);
    except_open(c, head);
    c->ask_form = ask_long;
}

static int read_long(struct column *c, const unsigned char **bytes, struct err *e)
{
    struct str frame;
    int rc = column_frame(c, 1, &frame, e);

    if (rc < 0)
        return rc;
    if (frame.n != bytes_of(&c->form) * c->count)
        return column_torn(c, e, "its digits are not those of its rows");
    *bytes = (const unsigned char *)frame.p;
    return 0;
}

/* rows_aside - the digits of the 64 rows of a word, each byte LONG_STRIDE from the next. */
static void rows_aside(const struct column *c, const unsigned char *bytes, size_t word, unsigned char *room)
{
    size_t n = min_size(LONG_STRIDE, c->count - word * 64);

    for (size_t byte = 0; byte < bytes_of(&c->form); byte++)
        memcpy(room + byte * LONG_STRIDE, bytes + byte * c->count + word * 64, n);
}

static int long_values(struct column *c, const uint64_t *rows, struct str *out, struct err *e)
{
    unsigned char room[LONG_BYTES_MAX * LONG_STRIDE];
    const unsigned char *bytes;
    char *to = NULL;
    int rc = read_long(c, &bytes, e);

    if (rc == 0)
        rc = column_text_room(c, (rows ? bits_count(rows, c->count) : c->count) * form_longest(&c->form) + FORM_SLACK, &to, e);
    for (size_t w = 0; rc == 0 && w < COLUMN_WORDS(c->count); w++) {
        uint64_t left = rows ? rows[w] : bits_first(min_size(64, c->count - w * 64));

        if (left)
            rows_aside(c, bytes, w, room);
        for (; left; left &= left - 1) {
            unsigned at = (unsigned)__builtin_ctzll(left);

            out[w * 64 + at] = str_of(to, pattern_write_long(&c->form, room + at, to));
            to += c->form.pattern.n;
        }
    }
    return rc == 0 ? except_values(c, rows, out, e) : rc;
}

static void ask_texts(const struct column *c, const unsigned char *bytes, const struct column_question *q, uint64_t *rows)
{
    unsigned char room[LONG_BYTES_MAX * LONG_STRIDE];
    struct needle needle = question_needle(q->needle, q->fold);
    struct aside a;

    for (size_t w = 0; w < COLUMN_WORDS(c->count); w++) {
        if (rows[w])
            rows_aside(c, bytes, w, room);
        a.count = 0;
        for (uint64_t left = rows[w]; left; left &= left - 1) {
            unsigned at = (unsigned)__builtin_ctzll(left);

            aside_add(&a, at, pattern_write_long(&c->form, room + at, aside_next(&a)));
        }
        rows[w] = aside_ask(&a, q, &needle);
    }
}

/* ask_same - rows that have just these digits. */
static void ask_same(const struct column *c, const unsigned char *bytes, const unsigned char *digits, uint64_t *rows)
{
    for (size_t w = 0; w < COLUMN_WORDS(c->count); w++)
        for (uint64_t left = rows[w]; left; left &= left - 1) {
            size_t row = w * 64 + (size_t)__builtin_ctzll(left);

            for (size_t i = 0; i < bytes_of(&c->form); i++)
                if (bytes[i * c->count + row] != digits[i * LONG_STRIDE]) {
                    bit_clear(rows, row);
                    break;
                }
        }
}

static int ask_long(struct column *c, const struct column_question *q, uint64_t *rows, struct err *e)
{
    unsigned char digits[LONG_BYTES_MAX * LONG_STRIDE];
    const unsigned char *bytes;
    bool exact = q->whole && !q->fold;
    int rc;

    if ((q->numbers && form_more_than_digits(&c->form)) || (exact && !pattern_read_long(&c->form, q->needle, digits))) {
        bits_none(rows, c->count);
        return 0;
    }
    rc = read_long(c, &bytes, e);
    if (rc < 0)
        return rc;
    if (exact)
        ask_same(c, bytes, digits, rows);
    else
        ask_texts(c, bytes, q, rows);
    return 0;
}

const struct column_ops long_ops = { "long", long_open, long_values, except_ask };
