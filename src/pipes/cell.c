/* cell.c - values of rows: their order, their bytes, their texts. */
#include "pipes/internal.h"

bool cell_number(const struct pipes_cell *c, double *out)
{
    if (c->type == PIPES_NUMBER) {
        *out = c->number;
        return true;
    }
    return c->type == PIPES_TEXT && query_number(c->text, out);
}

/* value_compare - cells of one value. */
static int value_compare(const struct pipes_cell *a, const struct pipes_cell *b)
{
    double x, y;
    bool one = cell_number(a, &x), two = cell_number(b, &y);

    if (one && two) {
        if (x != y)
            return x < y ? -1 : 1;
        return a->type == PIPES_TEXT && b->type == PIPES_TEXT ? str_cmp(a->text, b->text) : (int)a->type - (int)b->type;
    }
    if (one || two || a->type != b->type) {
        static const int rank[] = { [PIPES_NONE] = 3, [PIPES_NUMBER] = 0, [PIPES_TIME] = 1, [PIPES_TEXT] = 2 };
        int ra = one ? 0 : rank[a->type], rb = two ? 0 : rank[b->type];

        return ra - rb;
    }
    if (a->type == PIPES_TIME)
        return a->time < b->time ? -1 : a->time > b->time;
    if (a->type == PIPES_NONE)
        return 0;
    return str_cmp(a->text, b->text);
}

int cell_compare(const struct pipes_cell *a, const struct pipes_cell *b)
{
    size_t na = cell_values(a), nb = cell_values(b);
    int order = value_compare(a, b);

    for (size_t i = 1; i < na && i < nb && order == 0; i++) {
        struct pipes_cell x = cell_value(a, i), y = cell_value(b, i);

        order = value_compare(&x, &y);
    }
    return order ? order : na < nb ? -1 : na > nb;
}

struct pipes_cell cell_value(const struct pipes_cell *c, size_t i)
{
    return c->type == PIPES_TEXT && c->count > 1 ? cell_of_text(c->values[i]) : *c;
}

/* --- bytes --- */

void cell_pack(const struct pipes_cell *c, struct buf *out)
{
    double x = c->number == 0 ? 0 : c->number;   /* -0 is 0 */

    buf_byte(out, (char)c->type);
    if (c->type == PIPES_NUMBER)
        buf_put(out, &x, sizeof x);
    else if (c->type == PIPES_TIME)
        buf_put(out, &c->time, sizeof c->time);
    else if (c->type == PIPES_TEXT)
        buf_varstr(out, c->text);
}

struct pipes_cell cell_unpack(struct str *bytes)
{
    struct pipes_cell c = { .type = (enum pipes_type)bytes->p[0], .count = 1 };
    struct reader r;

    *bytes = str_cut(*bytes, 1);
    if (c.type == PIPES_NUMBER) {
        memcpy(&c.number, bytes->p, sizeof c.number);
        *bytes = str_cut(*bytes, sizeof c.number);
    } else if (c.type == PIPES_TIME) {
        memcpy(&c.time, bytes->p, sizeof c.time);
        *bytes = str_cut(*bytes, sizeof c.time);
    } else if (c.type == PIPES_TEXT) {
        r = rd_from(bytes->p, bytes->n);
        c.text = rd_varstr(&r, SIZE_MAX, "text");
        *bytes = str_cut(*bytes, rd_offset(&r));
    }
    return c;
}

static size_t row_bytes(const struct pipes_cell *cells, size_t count)
{
    size_t bytes = count * sizeof *cells;

    for (size_t i = 0; i < count; i++)
        if (cells[i].type == PIPES_TEXT) {
            bytes += cells[i].count > 1 ? 0 : cells[i].text.n;
            for (size_t k = 0; cells[i].count > 1 && k < cells[i].count; k++)
                bytes += sizeof(struct str) + cells[i].values[k].n;
        }
    return bytes;
}

static struct str place_text(char **at, struct str s)
{
    struct str out = str_of(*at, s.n);

    memcpy(*at, s.n ? s.p : "", s.n);
    *at += s.n;
    return out;
}

struct pipes_cell *cells_copy(const struct pipes_cell *cells, size_t count, size_t *bytes)
{
    struct pipes_cell *row = malloc(*bytes = max_size(row_bytes(cells, count), 1));
    struct str *list = (struct str *)(void *)(row + count);
    size_t lists = 0;

    if (!row)
        return NULL;
    memcpy(row, cells, count * sizeof *row);
    /* Arrays first, where they are aligned; then all texts. */
    for (size_t i = 0; i < count; i++)
        if (row[i].type == PIPES_TEXT && row[i].count > 1) {
            row[i].values = list + lists;
            lists += row[i].count;
        }
    char *at = (char *)(list + lists);
    for (size_t i = 0; i < count; i++) {
        if (row[i].type != PIPES_TEXT)
            continue;
        if (row[i].count <= 1) {
            row[i].text = place_text(&at, cells[i].text);
            continue;
        }
        struct str *values = list + (row[i].values - list);
        for (size_t k = 0; k < row[i].count; k++)
            values[k] = place_text(&at, cells[i].values[k]);
        row[i].text = values[0];
    }
    return row;
}

/* --- texts --- */

/* put_number - the shortest form that reads back as the same number. */
static void put_number(struct buf *out, double x)
{
    char text[40];

    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, x);
        if (strtod(text, NULL) == x)
            break;
    }
    if (x == (double)(int64_t)(x > -1e15 && x < 1e15 ? x : 0) && x > -1e15 && x < 1e15)
        snprintf(text, sizeof text, "%lld", (long long)x);
    buf_str(out, str_c(text));
}

static void put_time(struct buf *out, time_ns t)
{
    struct civil c = civil_of_ns(t, QUERY_ZONE_MIN);
    int64_t rest = t % NS_PER_SECOND;
    char text[80], fraction[16] = "";
    size_t n;

    if (rest) {
        snprintf(fraction, sizeof fraction, ".%09lld", (long long)(rest < 0 ? rest + NS_PER_SECOND : rest));
        for (n = strlen(fraction); n > 1 && fraction[n - 1] == '0'; n--)
            fraction[n - 1] = 0;
    }
    snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d%s+%02d:%02d", c.year, c.month, c.day, c.hour, c.minute, c.second, fraction, QUERY_ZONE_MIN / 60,
             QUERY_ZONE_MIN % 60);
    buf_str(out, str_c(text));
}

void pipes_cell_text(const struct pipes_cell *c, struct buf *out)
{
    if (c->type == PIPES_NUMBER)
        put_number(out, c->number);
    else if (c->type == PIPES_TIME)
        put_time(out, c->time);
    else if (c->type == PIPES_TEXT)
        for (size_t i = 0; i < cell_values(c); i++) {
            buf_str(out, i ? STR(", ") : STR(""));
            buf_str(out, cell_value(c, i).text);
        }
}

void pipes_cell_json(const struct pipes_cell *c, struct buf *out)
{
    switch (c->type) {
    case PIPES_NONE: buf_str(out, STR("null")); return;
    case PIPES_NUMBER: put_number(out, c->number); return;
    case PIPES_TIME:
        buf_byte(out, '"');
        put_time(out, c->time);
        buf_byte(out, '"');
        return;
    case PIPES_TEXT: break;
    }
    if (cell_values(c) > 1)
        buf_byte(out, '[');
    for (size_t i = 0; i < cell_values(c); i++) {
        buf_str(out, i ? STR(",") : STR(""));
        buf_json(out, cell_value(c, i).text);
    }
    if (cell_values(c) > 1)
        buf_byte(out, ']');
}
