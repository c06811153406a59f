/* column.c - the reader: what is common to all kinds. */
#include "column/internal.h"

#define TEXTS_MAX (64u * MIB)     /* of all calls of column_values on one column */

static void constant_open(struct column *c, struct reader *head)
{
    c->constant = rd_varstr(head, CONSTANT_MAX, "a constant of at most 1024 bytes");
    bounds_start(&c->bounds);
    bounds_add(&c->bounds, c->constant);
}

static int constant_values(struct column *c, const uint64_t *rows, struct str *out, struct err *e)
{
    for (size_t i = 0; i < c->count; i++)
        if (!rows || bit_test(rows, i))
            out[i] = c->constant;
    return 0;
}

static int constant_ask(struct column *c, const struct column_question *q, uint64_t *rows, struct err *e)
{
    if (!q->yes(q->arg, c->constant))
        bits_none(rows, c->count);
    return 0;
}

static const struct column_ops constant_ops = { "constant", constant_open, constant_values, constant_ask };
static const struct column_ops *const kinds[COLUMN_KINDS] = {
    [COLUMN_CONSTANT] = &constant_ops,
    [COLUMN_TABLE] = &table_ops,
    [COLUMN_STRINGS] = &strings_ops,
    [COLUMN_DECIMAL] = &decimal_ops,
    [COLUMN_HEX] = &hex_ops,
    [COLUMN_ADDRESS] = &address_ops,
    [COLUMN_PATTERN] = &pattern_ops,
    [COLUMN_LONG] = &long_ops,
    [COLUMN_TIME] = &times_ops,
};

const char *column_kind_name(enum column_kind kind)
{
    return (unsigned)kind < COLUMN_KINDS ? kinds[kind]->name : "?";
}

struct column *column_new(void)
{
    struct column *c = calloc(1, sizeof *c);

    if (c)
        arena_init(&c->texts, TEXTS_MAX);
    return c;
}

void column_free(struct column **c)
{
    if (!*c)
        return;
    free((*c)->table);
    free((*c)->ends);
    free((*c)->except_row);
    free((*c)->numbers);
    free((*c)->said);
    arena_free(&(*c)->texts);
    free(*c);
    *c = NULL;
}

/* forget - what the column before left, but for the memory. */
static void forget(struct column *c)
{
    struct column fresh = { .texts = c->texts, .table = c->table, .table_cap = c->table_cap, .ends = c->ends, .except_row = c->except_row, .numbers = c->numbers, .said = c->said };

    arena_reset(&fresh.texts);
    *c = fresh;
}

int column_open(struct column *c, struct reader *head, size_t count, const time_ns *time, column_frame_fn *frame, void *arg, struct err *e)
{
    uint8_t kind = rd_u8(head);

    forget(c);
    if (count > COLUMN_ROWS_MAX)
        return err_set(e, -EBADMSG, "a column of %zu rows: more than %u", count, COLUMN_ROWS_MAX);
    if (kind >= COLUMN_KINDS)
        rd_fail(head, "a kind of column");
    if (!rd_ok(head))
        return rd_err(head, e, "column");
    if (kind == COLUMN_TIME && !time)
        return err_set(e, -EINVAL, "a column of times without the times of its events");
    c->kind = (enum column_kind)kind;
    c->count = count;
    c->time = time;
    c->frame = frame;
    c->frame_arg = arg;
    kinds[kind]->open(c, head);
    return rd_ok(head) ? 0 : rd_err(head, e, "column");
}

enum column_kind column_kind(const struct column *c) { return c->kind; }

int column_constant(const struct column *c, struct str *value)
{
    if (c->kind != COLUMN_CONSTANT)
        return 0;
    *value = c->constant;
    return 1;
}

int column_frame(struct column *c, unsigned which, struct str *bytes, struct err *e)
{
    if (!c->have[which]) {
        int rc = c->frame(c->frame_arg, which, &c->bytes[which], e);

        if (rc < 0)
            return rc;
        c->have[which] = true;
    }
    *bytes = c->bytes[which];
    return 0;
}

int column_torn(const struct column *c, struct err *e, const char *what)
{
    return err_set(e, -EBADMSG, "column (%s): %s", column_kind_name(c->kind), what);
}

int column_memory(void **p, size_t count, size_t size, struct err *e)
{
    void *more = *p ? *p : malloc(count * size);

    if (!more)
        return err_set(e, -ENOMEM, "no memory for a column");
    *p = more;
    return 0;
}

int column_table_room(struct column *c, size_t count, struct err *e)
{
    int rc;

    if (c->table_cap >= count)
        return 0;
    free(c->table);
    c->table = NULL;
    c->table_cap = 0;
    rc = column_memory((void **)&c->table, count, sizeof *c->table, e);
    c->table_cap = rc == 0 ? count : 0;
    return rc;
}

int column_text_room(struct column *c, size_t bytes, char **to, struct err *e)
{
    *to = arena_alloc(&c->texts, max_size(bytes, 1));
    return *to ? 0 : err_set(e, -ENOMEM, "no memory for the texts of a column");
}

int column_values(struct column *c, const uint64_t *rows, struct str *out, struct err *e)
{
    if (c->count == 0 || (rows && bits_count(rows, c->count) == 0))
        return 0;
    return kinds[c->kind]->values(c, rows, out, e);
}

int column_ask(struct column *c, const struct column_question *q, uint64_t *rows, struct err *e)
{
    if (c->count % 64)
        rows[c->count / 64] &= (UINT64_C(1) << c->count % 64) - 1;
    if (bits_count(rows, c->count) == 0)
        return 0;
    if (bounds_refuse(&c->bounds, q)) {
        bits_none(rows, c->count);
        return 0;
    }
    return kinds[c->kind]->ask(c, q, rows, e);
}
