/* rows.c - reports that are tables. CSV goes by in pieces, whatever its size; workbooks and text in old encodings are read by src/table.
 *
 * The heading is the first row that has all columns by which the report is known; rows before it (a title, a date) are nodes
 * "before" with cells c1, c2 and so on. */
#include "scan/internal.h"
#include "table/table.h"

#define HEADING_ROWS 64      /* the heading stands among the first rows */
#define ENOUGH       (-ECANCELED)

struct cell { uint32_t column; size_t at, n; };
struct heading { uint32_t id; struct str name; };

struct rows {
    struct readers_arg *r;
    struct err         *e;
    struct arena        arena;
    struct heading     *headings;
    size_t              heading_count;
    uint64_t            number;
    uint32_t            row_id, before_id;
    struct buf          text;       /* all cells of the row */
    struct cell        *cells;
    size_t              count, cap;
    uint64_t            line, row_line, quote_line;
    char                delimiter;
    bool                quoted, was_quoted;
    uint32_t            column;
    size_t              cell_at;
};

static int broken(struct rows *t, uint64_t line, const char *what) { return read_broken(t->r, t->e, line, t->column + 1, what); }

static struct str cell_text(const struct rows *t, size_t i) { return str_trim(str_of(t->text.p + t->cells[i].at, t->cells[i].n)); }

static int put(struct rows *t, struct str name, uint32_t id, struct str text)
{
    struct tree *tree = t->r->tree;
    int rc = tree_open(tree, name, id, 0, t->row_line, t->e);

    if (rc == 0 && tree_wants_text(tree))
        rc = tree_text(tree, text, t->e);
    return rc < 0 ? rc : tree_close(tree, t->e);
}

static bool has_heading(const struct rows *t, struct str want)
{
    for (size_t i = 0; i < t->count; i++)
        if (str_eq(cell_text(t, i), want))
            return true;
    return false;
}

static bool is_heading(const struct rows *t)
{
    const struct readers_arg *r = t->r;

    for (size_t i = 0; r->detect && i < r->detect->column_count; i++)
        if (!has_heading(t, r->detect->columns[i]))
            return false;
    for (size_t i = 0; r->mapping && i < r->mapping->count; i++)
        if (!has_heading(t, r->mapping->columns[i].heading))
            return false;
    return true;
}

static int take_heading(struct rows *t)
{
    size_t most = t->count ? t->cells[t->count - 1].column + 1 : 0;

    t->headings = arena_zero(&t->arena, (most + 1) * sizeof *t->headings);
    if (!t->headings)
        return err_set(t->e, -ENOMEM, "no memory for the headings of \"%s\"", t->r->name);
    for (size_t i = 0; i < t->count; i++) {
        struct heading *h = &t->headings[t->cells[i].column];

        h->name = arena_copy(&t->arena, cell_text(t, i));
        h->id = names_find(t->r->tree->names, h->name, NULL);
    }
    t->heading_count = most;
    return arena_failed(&t->arena) ? err_set(t->e, -E2BIG, "the headings of \"%s\" are too large", t->r->name) : 0;
}

static int row_node(struct rows *t, bool before)
{
    struct tree *tree = t->r->tree;
    int rc = tree_open(tree, before ? STR("before") : STR("row"), before ? t->before_id : t->row_id, -1, t->row_line, t->e);
    char name[16];

    for (size_t i = 0; i < t->count && rc == 0; i++) {
        uint32_t column = t->cells[i].column;
        struct str text = cell_text(t, i);

        if (text.n == 0)
            continue;
        if (before) {
            snprintf(name, sizeof name, "c%u", column + 1);
            rc = put(t, str_c(name), 0, text);
        } else if (column >= t->heading_count) {
            return broken(t, t->row_line, "the row has more cells than the heading");
        } else if (t->headings[column].name.n) {
            rc = put(t, t->headings[column].name, t->headings[column].id, text);
        }
    }
    return rc < 0 ? rc : tree_close(tree, t->e);
}

static int row_end(struct rows *t)
{
    bool empty = true;
    int rc = 0;

    for (size_t i = 0; i < t->count && empty; i++)
        empty = t->cells[i].n == 0;
    if (!empty && memchr(t->text.p, '\0', t->text.n))
        return broken(t, t->row_line, "a zero byte stands in the row");
    if (!empty && !str_utf8_valid(buf_view(&t->text)))
        return broken(t, t->row_line, "the row is not UTF-8");
    if (!empty) {
        t->number++;
        if (t->headings)
            rc = row_node(t, false);
        else if (t->r->f && is_heading(t))
            rc = take_heading(t);
        else if (t->number > HEADING_ROWS)
            rc = t->r->f ? broken(t, t->row_line, "no row so far has the headings of this kind of table") : ENOUGH;
        else
            rc = row_node(t, true);
    }
    buf_reset(&t->text);
    t->count = 0;
    return rc;
}

static int cell_add(struct rows *t, uint32_t column, size_t at, size_t n)
{
    if (t->count == t->cap) {
        size_t cap = t->cap ? t->cap * 2 : 64;
        struct cell *more = cap <= 2 * TABLE_COLUMNS_MAX ? realloc(t->cells, cap * sizeof *more) : NULL;

        if (!more)
            return err_line(t->e, -E2BIG, t->r->name, (int)t->row_line, 0, "the row has more than %u cells", TABLE_COLUMNS_MAX);
        t->cells = more;
        t->cap = cap;
    }
    t->cells[t->count++] = (struct cell){ column, at, n };
    return 0;
}

/* --- CSV --- */

static int end_cell(struct rows *t)
{
    int rc;

    if (buf_failed(&t->text))
        return err_line(t->e, -E2BIG, t->r->name, (int)t->row_line, 0, "the row is larger than 16 MiB");
    rc = cell_add(t, t->column, t->cell_at, t->text.n - t->cell_at);
    buf_byte(&t->text, '\n');   /* so that letters of two cells never join */
    t->column++;
    t->cell_at = t->text.n;
    t->was_quoted = false;
    return rc;
}

static int end_row(struct rows *t)
{
    int rc = end_cell(t);

    if (rc == 0)
        rc = row_end(t);
    t->column = 0;
    t->cell_at = 0;
    t->line++;
    t->row_line = t->line;
    return rc;
}

/* letter - one byte outside of plain runs. pending: the last byte was a quote inside of quotes. */
static int letter(struct rows *t, char c, bool *pending)
{
    if (t->quoted && !*pending) {
        if (c == '"')
            *pending = true;
        else {
            t->line += c == '\n';
            buf_byte(&t->text, c);
        }
        return 0;
    }
    if (t->quoted) {
        *pending = false;
        if (c == '"') {
            buf_byte(&t->text, c);
            return 0;
        }
        t->quoted = false;
        t->was_quoted = true;
    }
    if (c == t->delimiter)
        return end_cell(t);
    if (c == '\n')
        return end_row(t);
    if (c == '\0')
        return broken(t, t->line, "a zero byte");
    if (c == '"' && t->text.n == t->cell_at && !t->was_quoted) {
        t->quoted = true;
        t->quote_line = t->line;
        return 0;
    }
    if (t->was_quoted && c != ' ' && c != '\t' && c != '\r')
        return broken(t, t->line, "text stands behind a closing quote");
    if (!t->was_quoted)
        buf_byte(&t->text, c);
    return 0;
}

static int csv_piece(struct rows *t, const char *p, size_t n, bool *pending)
{
    size_t i = 0;

    while (i < n) {
        size_t start = i;
        int rc;

        /* Plain letters go over at once; what has a meaning goes through letter(). */
        if (t->quoted && !*pending)
            while (i < n && p[i] != '"' && p[i] != '\n')
                i++;
        else if (!t->quoted && !t->was_quoted && t->text.n > t->cell_at)
            while (i < n && p[i] != t->delimiter && p[i] != '\n' && p[i] != '\0')
                i++;
        if (i > start) {
            buf_put(&t->text, p + start, i - start);
            continue;
        }
        rc = letter(t, p[i++], pending);
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* find_delimiter - the one among ; , tab and | that the first line has most of, outside of quotes. */
static char find_delimiter(const char *p, size_t n)
{
    static const char marks[] = ",;\t|";
    size_t best = 0, count[4] = { 0 }, lines = 0;
    bool quoted = false;

    for (size_t i = 0; i < n && lines < 5; i++) {
        const char *m = p[i] ? strchr(marks, p[i]) : NULL;

        quoted = quoted != (p[i] == '"');
        lines += p[i] == '\n' && !quoted;
        if (m && !quoted)
            count[m - marks]++;
    }
    for (size_t i = 1; i < 4; i++)
        if (count[i] > count[best])
            best = i;
    return marks[best];
}

static int csv(struct rows *t, long got)
{
    struct source *s = t->r->source;
    bool pending = false;
    size_t skip = got >= 3 && memcmp(s->buf, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    int rc = 0;

    t->delimiter = t->r->f && t->r->f->delimiter ? t->r->f->delimiter : find_delimiter(s->buf + skip, (size_t)got - skip);
    if ((size_t)got > skip + 4 && memcmp(s->buf + skip, "sep=", 4) == 0)
        t->delimiter = s->buf[skip + 4];
    while (got > 0 && rc == 0) {
        rc = csv_piece(t, s->buf + skip, (size_t)got - skip, &pending);
        skip = 0;
        if (rc == 0)
            got = source_read(s, s->buf, s->piece, t->e);
    }
    if (rc < 0 || got < 0)
        return rc < 0 ? rc : (int)got;
    if (t->r->part)
        return 0;
    if (t->quoted && !pending)
        return broken(t, t->quote_line, "a quote is opened here and never closed");
    return t->text.n || t->count ? end_row(t) : 0;
}

/* --- workbooks and old encodings --- */

static int table_row_in(void *arg, const struct table_row *row, struct err *e)
{
    struct rows *t = arg;
    int rc = 0;

    (void)e;
    t->row_line = row->line;
    for (size_t i = 0; i < row->count && rc == 0; i++) {
        size_t at = t->text.n;

        buf_str(&t->text, row->cells[i].text);
        rc = cell_add(t, row->cells[i].column - 1, at, row->cells[i].text.n);
        buf_byte(&t->text, '\n');
    }
    return rc < 0 ? rc : row_end(t);
}

static int whole_table(struct rows *t)
{
    struct source *s = t->r->source;
    struct table_options o = { .sheet = t->r->mapping ? t->r->mapping->sheet : STR("") };
    char *all;
    uint64_t have = 0;
    long got = 1;
    int rc = 0;

    if (s->size > TABLE_BYTES_MAX)
        return err_set(t->e, -E2BIG, "%s: workbooks, and tables that are not UTF-8, are read up to 64 MiB; save it as CSV in UTF-8", t->r->name);
    all = malloc(s->size + 1);
    if (!all)
        return err_set(t->e, -ENOMEM, "no memory to read \"%s\"", t->r->name);
    s->limit = 0;
    for (s->offset = 0; have < s->size && got > 0; have += got > 0 ? (uint64_t)got : 0)
        got = source_read(s, all + have, (size_t)(s->size - have), t->e);
    rc = got < 0 ? (int)got : table_read(str_of(all, (size_t)have), &o, table_row_in, t, t->e);
    free(all);
    if (rc < 0 && rc != ENOUGH && t->e && !t->e->line)
        err_wrap(t->e, rc, "%s", t->r->name);
    return rc;
}

/* old_encoding - no UTF-8 in the first piece; its last letter may be cut. */
static bool old_encoding(const char *p, size_t n)
{
    if (n >= 2 && ((p[0] == '\xFF' && p[1] == '\xFE') || (p[0] == '\xFE' && p[1] == '\xFF')))
        return true;
    for (size_t cut = 0; cut < 4 && cut <= n; cut++)
        if (str_utf8_valid(str_of(p, n - cut)))
            return false;
    return true;
}

int read_rows(struct readers_arg *r, struct err *e)
{
    struct rows t = { .r = r, .e = e, .line = 1, .row_line = 1 };
    long got = source_read(r->source, r->source->buf, r->source->piece, e);
    int rc;

    arena_init(&t.arena, SCAN_RECORD_MAX);
    buf_init(&t.text, SCAN_RECORD_MAX);
    t.row_id = names_find(r->tree->names, STR("row"), NULL);
    t.before_id = names_find(r->tree->names, STR("before"), NULL);
    if (got < 0)
        rc = (int)got;
    else if (got >= 4 && (memcmp(r->source->buf, "PK\3\4", 4) == 0 || memcmp(r->source->buf, "\xD0\xCF\x11\xE0", 4) == 0))
        rc = whole_table(&t);
    else
        rc = old_encoding(r->source->buf, (size_t)got) ? whole_table(&t) : csv(&t, got);
    if (rc == 0 && r->f && !t.headings)
        rc = broken(&t, t.line, "no row has the headings of this kind of table");
    free(t.cells);
    arena_free(&t.arena);
    buf_free(&t.text);
    return rc == ENOUGH ? 0 : rc;
}
