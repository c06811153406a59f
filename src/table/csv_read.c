/* csv_read.c - records of RFC 4180, and of what exporters make of it.
 *
 * A record ends at CRLF, LF or CR outside quotes; a field in quotes may hold all of them, and "" for a quote. Left of the RFC: the
 * delimiter may be ; , tab or |, chosen by looking at the first records unless the caller or a first line "sep=;" names it; a quote inside
 * an unquoted field is a letter. Refused: letters after a closing quote, a quote that never closes, NUL bytes. */
#include "table/internal.h"

#define SNIFF_RECORDS 20
#define SNIFF_BYTES   (256u * KIB)

static const char candidates[] = { ';', '\t', ',', '|' };

struct csv {
    struct str  s;
    size_t      at;
    char        delimiter;
    uint32_t    line, column;   /* of the next letter */
};

static int csv_fail(const struct csv *c, uint32_t line, uint32_t column, int rc, struct err *e, const char *what)
{
    (void)c;
    err_set(e, rc, "line %u, column %u: %s", line, column, what);
    if (e) {
        e->line = (int)line;
        e->column = (int)column;
    }
    return rc;
}

static bool at_newline(const struct csv *c) { return c->at < c->s.n && (c->s.p[c->at] == '\n' || c->s.p[c->at] == '\r'); }

/* advance - one byte on; columns count letters, so the later bytes of a letter do not count. */
static char advance(struct csv *c)
{
    char b = c->s.p[c->at++];

    if (b == '\n' || (b == '\r' && !(c->at < c->s.n && c->s.p[c->at] == '\n'))) {
        c->line++;
        c->column = 1;
    } else if (((unsigned char)b & 0xc0) != 0x80)
        c->column++;
    return b;
}

static int quoted(struct csv *c, struct buf *out, struct err *e)
{
    uint32_t line = c->line, column = c->column;

    advance(c);
    for (;;) {
        if (c->at >= c->s.n)
            return csv_fail(c, line, column, -EBADMSG, e, "this quote is never closed");
        if (c->s.p[c->at] == '"') {
            advance(c);
            if (c->at >= c->s.n || c->s.p[c->at] != '"')
                return 0;
        } else if (c->s.p[c->at] == '\0')
            return csv_fail(c, c->line, c->column, -EBADMSG, e, "a NUL byte in a text table");
        buf_byte(out, advance(c));
    }
}

static int field(struct csv *c, struct buf *out, struct err *e)
{
    int rc = 0;

    if (c->at < c->s.n && c->s.p[c->at] == '"') {
        rc = quoted(c, out, e);
        if (rc == 0 && c->at < c->s.n && c->s.p[c->at] != c->delimiter && !at_newline(c))
            rc = csv_fail(c, c->line, c->column, -EBADMSG, e, "text after the closing quote of a field");
        return rc;
    }
    while (c->at < c->s.n && c->s.p[c->at] != c->delimiter && !at_newline(c)) {
        if (c->s.p[c->at] == '\0')
            return csv_fail(c, c->line, c->column, -EBADMSG, e, "a NUL byte in a text table");
        buf_byte(out, advance(c));
    }
    return 0;
}

/* sniff_one - how many of the first records have as many delimiters as the first one; *per is that number. */
static size_t sniff_one(struct str s, char delimiter, size_t *per)
{
    size_t records = 0, same = 0, n = 0;
    bool inside = false;

    *per = 0;
    for (size_t i = 0; i < s.n && records < SNIFF_RECORDS; i++) {
        if (s.p[i] == '"')
            inside = !inside;
        if (inside)
            continue;
        n += s.p[i] == delimiter;
        if (s.p[i] != '\n' && s.p[i] != '\r' && i + 1 < s.n)
            continue;
        if (records == 0)
            *per = n;
        if (n || records == 0) { /* an empty line tells nothing */
            same += n == *per;
            records++;
        }
        n = 0;
    }
    return *per ? same : 0;
}

static char sniff(struct str s)
{
    size_t best = 0, best_per = 0;
    char out = ';';

    s.n = min_size(s.n, SNIFF_BYTES);
    for (size_t i = 0; i < COUNT(candidates); i++) {
        size_t per, same = sniff_one(s, candidates[i], &per);

        if (same > best || (same == best && per > best_per)) {
            best = same;
            best_per = per;
            out = candidates[i];
        }
    }
    return out;
}

/* unguard - the apostrophe that keeps a spreadsheet from reckoning (see text_guarded) is no part of the text. */
static size_t unguard(const struct row_builder *b, size_t start)
{
    struct str s = str_cut(buf_view(&b->bytes), start);

    return s.n && s.p[0] == '\'' && text_guarded(s) ? start + 1 : start;
}

static int record(struct csv *c, struct row_builder *b, struct err *e)
{
    for (uint32_t column = 1;; column++) {
        uint32_t line = c->line, at = c->column;
        size_t start = b->bytes.n;
        int rc = field(c, &b->bytes, e);

        if (rc < 0)
            return rc;
        if (b->bytes.n - start > TABLE_CELL_MAX)
            return csv_fail(c, line, at, -E2BIG, e, "a field of more than 128 KiB");
        if (buf_failed(&b->bytes))
            return csv_fail(c, line, at, -E2BIG, e, "a record of more than 4 MiB");
        if (column > TABLE_COLUMNS_MAX)
            return csv_fail(c, line, at, -E2BIG, e, "more than 16384 fields in a record");
        rc = row_cell(b, column, TABLE_TEXT, unguard(b, start));
        if (rc < 0)
            return err_set(e, rc, "out of memory");
        if (c->at >= c->s.n || c->s.p[c->at] != c->delimiter)
            break;
        advance(c);
    }
    if (c->at < c->s.n && c->s.p[c->at] == '\r' && c->at + 1 < c->s.n && c->s.p[c->at + 1] == '\n')
        advance(c);
    if (c->at < c->s.n)
        advance(c);
    return 0;
}

int csv_read(struct str bytes, const struct table_options *o, table_row_fn *fn, void *arg, struct err *e)
{
    AUTO_BUF struct buf decoded = { 0 };
    struct csv c = { .delimiter = o->delimiter, .line = 1, .column = 1 };
    struct row_builder b;
    int rc;

    buf_init(&decoded, 3 * TABLE_BYTES_MAX);
    rc = encoding_to_utf8(bytes, o->encoding, &decoded, &c.s, e);
    if (rc < 0)
        return rc;
    if (c.s.n > 5 && str_ieq(str_of(c.s.p, 4), STR("sep=")) && (c.s.p[5] == '\r' || c.s.p[5] == '\n')) {
        c.delimiter = c.delimiter ? c.delimiter : c.s.p[4];
        while (c.at < c.s.n && !at_newline(&c))
            advance(&c);
        while (at_newline(&c) && c.line == 1)
            advance(&c);
    }
    if (!c.delimiter)
        c.delimiter = sniff(str_cut(c.s, c.at));
    if (c.delimiter == '"' || c.delimiter == '\n' || c.delimiter == '\r')
        return err_set(e, -EINVAL, "a quote or a line end cannot be the delimiter");
    row_init(&b);
    for (uint32_t number = 1; rc >= 0 && c.at < c.s.n; number++) {
        uint32_t line = c.line;

        if (number > TABLE_ROWS_MAX)
            rc = csv_fail(&c, c.line, 1, -E2BIG, e, "more than 1048576 records");
        else
            rc = record(&c, &b, e);
        if (rc >= 0)
            rc = row_send(&b, STR(""), number, line, fn, arg, e);
    }
    row_free(&b);
    return rc < 0 ? rc : 0;
}
