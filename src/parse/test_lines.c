/* test_lines.c - see test_lines.h. */
#include "parse/test_lines.h"

struct parse_hints lines_hints(void)
{
    return (struct parse_hints){ .received = RECEIVED,
                                 .zone_min = EVENT_OFFSET_NONE,
                                 .future_tolerance = 5 * NS_PER_MINUTE };
}

/* nth - the value of name at position n of its values. */
static struct str nth(const struct event *ev, struct str name, unsigned n)
{
    uint32_t at = 0;
    struct str v = { NULL, 0 };

    for (unsigned i = 0; i <= n; i++)
        if (!event_values(ev, name, &at, &v))
            return (struct str){ NULL, 0 };
    return v;
}

static void dump(const char *row, const struct event *ev, struct str piece)
{
    AUTO_BUF struct buf b;

    buf_init(&b, 0);
    event_json(ev, &b);
    fail_msg("row \"%s\": not so: %.*s\n%.*s", row, STR_ARG(piece), STR_ARG(buf_view(&b)));
}

static void check_piece(const char *row, const struct event *ev, struct str piece, struct str *last, unsigned *n)
{
    struct str name = piece, value = { NULL, 0 };
    char text[TIME_TEXT_MAX];
    ptrdiff_t eq = str_chr(piece, '=');

    if (piece.p[0] == '!') {
        if (event_get(ev, str_cut(piece, 1)).n)
            dump(row, ev, piece);
        return;
    }
    if (eq < 0) { /* parser/status */
        ptrdiff_t slash = str_chr(piece, '/');

        if (slash < 0 || !str_eq(str_of(piece.p, (size_t)slash), ev->parser) ||
            !str_eq(str_cut(piece, (size_t)slash + 1), str_c(event_parse_name(ev->parse))))
            dump(row, ev, piece);
        return;
    }
    name.n = (size_t)eq;
    value = str_cut(piece, (size_t)eq + 1);
    *n = str_eq(name, *last) ? *n + 1 : 0;
    *last = name;
    if (str_eq(name, STR("@timestamp"))) {
        if (!str_eq(value, str_c(time_format_utc(ev->time, text))))
            dump(row, ev, str_c(text));
    } else if (!str_eq(nth(ev, name, *n), value)) {
        dump(row, ev, piece);
    }
}

/* cut_everywhere - heads of the line from blocks of just their size, so that the sanitizer guards the end. */
static void cut_everywhere(const struct parser *p, const struct parse_hints *h, struct str line)
{
    for (size_t n = 0; n <= min_size(line.n, 600); n++) {
        char *block = malloc(n ? n : 1);
        struct event_batch b;
        struct event *ev;

        assert_non_null(block);
        memcpy(block, line.p, n);
        event_batch_init(&b, 0);
        ev = event_batch_add(&b);
        parse_line(p, str_of(block, n), h, &b.arena, ev);
        assert_true(str_eq(ev->original, str_of(block, n)));
        event_batch_free(&b);
        free(block);
    }
}

void lines_check(const struct line_row *rows, size_t count, const struct parse_hints *hints)
{
    struct parse_hints h = hints ? *hints : lines_hints();
    struct parser *p;

    assert_int_equal(parse_new(NULL, 0, &p, NULL), 0);
    for (size_t i = 0; i < count; i++) {
        struct str rest = str_c(rows[i].want), piece, last = { NULL, 0 };
        struct event_batch b;
        struct event *ev;
        unsigned n = 0;

        event_batch_init(&b, 0);
        ev = event_batch_add(&b);
        parse_line(p, str_c(rows[i].line), &h, &b.arena, ev);
        while (str_split(&rest, '\n', &piece))
            if (piece.n)
                check_piece(rows[i].name, ev, piece, &last, &n);
        assert_true(str_eq(ev->original, str_c(rows[i].line)));
        event_batch_free(&b);
        cut_everywhere(p, &h, str_c(rows[i].line));
    }
    parse_free(&p);
}
