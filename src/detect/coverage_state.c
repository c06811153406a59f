/* coverage_state.c - the table of what arrives as bytes of the file of saved state (section "cove" of internal.h).
 *
 *   varint version 1; le64 since, clock, resumed; varint scanned_s, due_s, dropped, rows; the rows, the one silent for longest first:
 *   varstr object, varstr source, u8 class, u8 cells; each cell: u8 type, told, seen, lacks; varint events, last_seq, first_s, last_s - first_s,
 *   gap_s[0], gap_s[1], checked; le32 the bits of recent */
#include "detect/coverage_internal.h"

#include <math.h>

#define VERSION 1

static void save_cell(const struct cell *x, struct buf *b)
{
    uint32_t bits;

    memcpy(&bits, &x->recent, sizeof bits);
    buf_byte(b, (char)x->type);
    buf_byte(b, (char)x->told);
    buf_byte(b, (char)x->seen);
    buf_byte(b, (char)x->lacks);
    buf_varint(b, x->events);
    buf_varint(b, x->last_seq);
    buf_varint(b, x->first_s);
    buf_varint(b, x->last_s - x->first_s);
    buf_varint(b, x->gap_s[0]);
    buf_varint(b, x->gap_s[1]);
    buf_varint(b, x->checked);
    buf_le32(b, bits);
}

void coverage_save(const struct coverage *c, struct buf *b)
{
    buf_varint(b, VERSION);
    buf_le64(b, (uint64_t)c->since);
    buf_le64(b, (uint64_t)c->clock);
    buf_le64(b, (uint64_t)c->resumed);
    buf_varint(b, c->scanned_s);
    buf_varint(b, c->due_s);
    buf_varint(b, c->dropped);
    buf_varint(b, c->rows.count);
    for (const struct row *r = row_at(c->rows.oldest); r; r = row_at(r->aged.newer)) {
        buf_varstr(b, row_object(r));
        buf_varstr(b, row_source(r));
        buf_byte(b, (char)r->class);
        buf_byte(b, (char)r->count);
        for (uint8_t i = 0; i < r->count; i++)
            save_cell(&r->cells[i], b);
    }
}

static uint32_t rd_u32(struct reader *in, const char *what)
{
    uint64_t v = rd_varint(in);

    if (v > UINT32_MAX)
        rd_fail(in, what);
    return rd_ok(in) ? (uint32_t)v : 0;
}

static int load_cell(struct row *r, uint8_t index, struct reader *in)
{
    struct cell x = { .type = rd_u8(in) }, *to;
    uint8_t told = rd_u8(in);
    uint32_t bits, life;

    x.seen = rd_u8(in);
    x.lacks = rd_u8(in);
    x.events = rd_varint(in);
    x.last_seq = rd_varint(in);
    x.first_s = rd_u32(in, "a moment");
    life = rd_u32(in, "a time");
    x.gap_s[0] = rd_u32(in, "a silence");
    x.gap_s[1] = rd_u32(in, "a silence");
    x.checked = rd_u32(in, "a count");
    bits = rd_le32(in);
    memcpy(&x.recent, &bits, sizeof bits);
    if (told > 1 || !isfinite(x.recent) || x.recent < 0 || life > UINT32_MAX - x.first_s ||
        (index == 0 ? x.type != ROW_ITSELF : x.type >= EVENT_TYPES || r->at[x.type]))
        rd_fail(in, "a cell");
    if (!rd_ok(in))
        return 0;
    x.told = told;
    x.last_s = x.first_s + life;
    to = index ? coverage_cell(r, x.type) : r->cells;
    if (!to)
        return -ENOMEM;
    *to = x;
    return 0;
}

static int load_row(struct coverage *c, struct reader *in)
{
    struct str object = rd_varstr(in, COVERAGE_NAME_MAX, "an object"), source = rd_varstr(in, COVERAGE_NAME_MAX, "a source");
    uint8_t class = rd_u8(in), cells = rd_u8(in);
    struct row *r;
    int rc = 0;

    if (class >= CLASS_COUNT || cells == 0 || cells > EVENT_TYPES + 1)
        rd_fail(in, "a row");
    if (!rd_ok(in))
        return 0;
    r = coverage_row(c, object, source, (enum event_class)class);
    if (!r)
        return -ENOMEM;
    for (uint8_t i = 0; i < cells && rc == 0 && rd_ok(in); i++)
        rc = load_cell(r, i, in);
    return rc;
}

int coverage_load(struct coverage *c, struct str saved, struct err *e)
{
    struct reader in = rd_str(saved);
    int rc = 0;

    coverage_clear(c);
    if (saved.n == 0)
        return 0;
    if (rd_varint(&in) != VERSION)
        rd_fail(&in, "version 1");
    c->since = (time_ns)rd_le64(&in);
    c->clock = (time_ns)rd_le64(&in);
    c->resumed = (time_ns)rd_le64(&in);
    c->scanned_s = rd_u32(&in, "a moment");
    c->due_s = rd_u32(&in, "a moment");
    uint64_t dropped = rd_varint(&in), rows = rd_varint(&in);
    if (rows > COVERAGE_ROWS_MAX || c->since < 0 || c->clock < 0 || c->resumed < 0)
        rd_fail(&in, "a number of rows");
    for (uint64_t i = 0; i < rows && rd_ok(&in) && rc == 0; i++)
        rc = load_row(c, &in);
    c->dropped = dropped;
    if (rc == 0 && rd_ok(&in) && rd_left(&in) == 0)
        return 0;
    coverage_clear(c);
    return err_set(e, rc < 0 ? rc : -EBADMSG, rc < 0 ? "no memory for the table of what arrives" : "the saved table of what arrives is damaged");
}
