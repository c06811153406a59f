/* encode.c - which kind a column gets. */
#include "column/internal.h"

struct column_encoder *column_encoder_new(void)
{
    struct column_encoder *k = calloc(1, sizeof *k);
    int rc;

    if (!k)
        return NULL;
    k->d.slot = malloc(DIFFERENT_SLOTS * sizeof *k->d.slot);
    k->d.first = malloc(COLUMN_ROWS_MAX * sizeof *k->d.first);
    k->d.code = malloc(COLUMN_ROWS_MAX * sizeof *k->d.code);
    k->x.row = malloc((EXCEPT_MAX + 1) * sizeof *k->x.row);
    k->numbers = malloc(COLUMN_ROWS_MAX * sizeof *k->numbers);
    k->each = malloc(COLUMN_ROWS_MAX * sizeof *k->each);
    k->each_bad = malloc(COLUMN_ROWS_MAX);
    rc = estimate_new(&k->est);
    if (rc < 0 || !k->d.slot || !k->d.first || !k->d.code || !k->x.row || !k->numbers || !k->each || !k->each_bad)
        column_encoder_free(&k);
    return k;
}

void column_encoder_free(struct column_encoder **k)
{
    if (!*k)
        return;
    free((*k)->d.slot);
    free((*k)->d.first);
    free((*k)->d.code);
    free((*k)->x.row);
    free((*k)->numbers);
    free((*k)->each);
    free((*k)->each_bad);
    estimate_free(&(*k)->est);
    free(*k);
    *k = NULL;
}

void column_encoder_tell(struct column_encoder *k, column_tell_fn *fn, void *arg)
{
    k->tell = fn;
    k->tell_arg = arg;
}

static int check_sizes(const struct str *values, size_t count, struct err *e)
{
    size_t bytes = 0, longest = 0;

    if (count > COLUMN_ROWS_MAX)
        return err_set(e, -E2BIG, "a column of %zu rows: more than %u", count, COLUMN_ROWS_MAX);
    for (size_t i = 0; i < count; i++) {
        bytes += values[i].n;
        longest = max_size(longest, values[i].n);
    }
    if (longest > COLUMN_VALUE_MAX)
        return err_set(e, -E2BIG, "a value of %zu bytes: more than %u", longest, COLUMN_VALUE_MAX);
    if (bytes > COLUMN_BYTES_MAX)
        return err_set(e, -E2BIG, "a column of %zu bytes: more than %u", bytes, COLUMN_BYTES_MAX);
    return 0;
}

static bool all_equal(const struct str *values, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        texts_ahead(values, count, i);
        if (!str_eq(values[i], values[0]))
            return false;
    }
    return true;
}

static void tell_rows(const struct column_encoder *k, enum column_kind kind, const struct str *values, size_t count)
{
    for (size_t i = 0; k->tell && i < count; i++)
        k->tell(k->tell_arg, kind, values[i]);
}

static void tell_different(const struct column_encoder *k, enum column_kind kind, const struct str *values)
{
    for (size_t i = 0; k->tell && i < k->d.count; i++)
        k->tell(k->tell_arg, kind, values[k->d.first[i]]);
}

static void put_constant(const struct str *values, size_t count, struct column_out *out)
{
    out->kind = COLUMN_CONSTANT;
    buf_byte(&out->head, COLUMN_CONSTANT);
    buf_varstr(&out->head, count ? values[0] : STR(""));
}

/* put_counted - numbers whose different texts were counted: each as a number, or a table of texts, or a table of numbers, whichever takes least room. A table earns a
 * little more than its room: each question is asked of few. False: a table of texts. */
static bool put_counted(struct column_encoder *k, const struct form *f, const struct str *values, size_t count, struct column_out *out)
{
    struct pack rows, each;
    size_t rows_cost = pack_choose(&rows, &k->est, k->numbers, count), codes_cost = table_codes_cost(&k->d, &k->est, count);
    size_t texts_cost = table_texts_cost(&k->d, &k->est, values, count), each_cost = SIZE_MAX;

    if (k->x.count == 0)
        each_cost = pack_choose(&each, &k->est, k->each, k->d.count);
    if (rows_cost + rows_cost / 25 < codes_cost + min_size(texts_cost, each_cost))
        numbers_put(k, f, &rows, values, count, out);
    else if (each_cost < texts_cost)
        column_table_put_numbers(&k->d, f, &each, k->each, count, out);
    else
        return false;
    return true;
}

/* put_form - as numbers, or digits, of a form, if there is one that is better than their texts. */
static bool put_form(struct column_encoder *k, const struct str *values, size_t count, bool counted, struct column_out *out)
{
    struct guess g;
    struct pack p;

    guess_begin(&g);
    while (guess_next(&g, values, count)) {
        if (g.form.kind == COLUMN_LONG) {
            if (!counted && long_put(k, &g.form, values, count, out))
                return true;
            continue;
        }
        if (!numbers_read(k, &g.form, values, count, counted))
            continue;
        if (counted)
            return put_counted(k, &g.form, values, count, out);
        pack_choose(&p, &k->est, k->numbers, count);
        numbers_put(k, &g.form, &p, values, count, out);
        return true;
    }
    return false;
}

/* put_narrow - numbers of a narrow range, as a sample has it: they are counted without looking at their texts again. False: they are not; nothing was put. */
static bool put_narrow(struct column_encoder *k, const struct str *values, size_t count, bool *counted, struct column_out *out)
{
    struct guess g;
    struct pack p;
    int rc;

    guess_begin(&g);
    if (!guess_next(&g, values, count) || g.form.kind == COLUMN_LONG || g.most - g.least >= DIFFERENT_SLOTS)
        return false;
    if (!numbers_read(k, &g.form, values, count, false) || k->x.count)
        return false;
    rc = different_numbers(&k->d, k->numbers, values, count, k->each);
    if (rc < 0)
        return false;
    *counted = rc > 0;
    if (*counted && different_pays(&k->d, count)) {
        if (!put_counted(k, &g.form, values, count, out))
            column_table_put(&k->d, values, count, out);
        return true;
    }
    pack_choose(&p, &k->est, k->numbers, count);
    numbers_put(k, &g.form, &p, values, count, out);
    return true;
}

int column_encode(struct column_encoder *k, const struct str *values, size_t count, const time_ns *time, struct column_out *out, struct err *e)
{
    bool counted = false;
    int rc = check_sizes(values, count, e);

    if (rc < 0)
        return rc;
    for (size_t i = 0; i < COLUMN_FRAMES; i++)
        out->dense[i] = false;
    if (count == 0 || (all_equal(values, count) && values[0].n <= CONSTANT_MAX))
        put_constant(values, count, out);
    else if (!(time && times_put(k, values, count, time, out)) && !put_narrow(k, values, count, &counted, out)) {
        counted = different_count(&k->d, values, count);
        if (!put_form(k, values, count, counted, out)) {
            if (counted)
                column_table_put(&k->d, values, count, out);
            else
                strings_put(values, count, out);
        }
    }
    if (counted)
        tell_different(k, out->kind, values);
    else
        tell_rows(k, out->kind, values, out->kind == COLUMN_CONSTANT ? min_size(count, 1) : count);
    if (buf_failed(&out->head) || buf_failed(&out->frame[0]) || buf_failed(&out->frame[1]))
        return err_set(e, -E2BIG, "a column of %zu rows does not fit into its buffers", count);
    return 0;
}
