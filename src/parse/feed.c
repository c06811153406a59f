/* feed.c - see feed.h. */
#include "parse/feed.h"
#include "parse/internal.h"

#define HELD_MAX (2 * EVENT_ORIGINAL_MAX + MIB) /* a line that is not whole yet, and one read of the caller */

struct feed {
    struct buf held, xml; /* bytes behind the last whole line; lines of an XML event or a record that is open */
    const struct str *starts;
    size_t start_count;
    struct join *join;
    enum encoding encoding;
    uint32_t xml_lines;
    bool started, more; /* more: what comes is the rest of a line that was cut */
};

int feed_new(struct feed **out, struct err *e)
{
    struct feed *f = calloc(1, sizeof *f);

    if (!f || join_new(&f->join, e) < 0) {
        free(f);
        return err_set(e, -ENOMEM, "no memory to take lines");
    }
    buf_init(&f->held, HELD_MAX);
    buf_init(&f->xml, EVENT_ORIGINAL_MAX + KIB);
    *out = f;
    return 0;
}

void feed_free(struct feed **f)
{
    if (!*f)
        return;
    join_free(&(*f)->join);
    buf_free(&(*f)->held);
    buf_free(&(*f)->xml);
    free(*f);
    *f = NULL;
}

static bool wide(const struct feed *f) { return f->encoding == ENCODING_UTF16LE || f->encoding == ENCODING_UTF16BE; }

static int give(struct feed *f, struct str text, bool cut, uint32_t lines, feed_each *each, void *arg, struct err *e)
{
    return each(arg, &(struct feed_text){ text, wide(f) ? f->encoding : ENCODING_DETECT, cut, false, lines }, e);
}

static int give_joined(struct feed *f, feed_each *each, void *arg, struct err *e)
{
    struct joined j;
    int rc = 0;

    while (rc >= 0 && join_next(f->join, &j))
        rc = each(arg, &(struct feed_text){ j.text, ENCODING_DETECT, false, j.split, j.records }, e);
    return rc;
}

static int give_xml(struct feed *f, feed_each *each, void *arg, struct err *e)
{
    uint32_t lines = f->xml_lines;
    int rc;

    f->xml_lines = 0;
    rc = lines ? give(f, buf_view(&f->xml), false, lines, each, arg, e) : 0;
    buf_reset(&f->xml);
    return rc;
}

static bool xml_opens(struct str s)
{
    return (str_starts(s, STR("<Event ")) || str_starts(s, STR("<Event>"))) && !has(s, STR("</Event>"));
}

static bool wrapper(struct str s)
{
    return str_eq(s, STR("<Events>")) || str_eq(s, STR("</Events>")) || (str_starts(s, STR("<?xml")) && str_ends(s, STR("?>")));
}

/* xml_line - a line within an event that spans several. */
static int xml_line(struct feed *f, struct str line, feed_each *each, void *arg, struct err *e)
{
    int rc;

    if (f->xml.n + line.n + 1 > EVENT_ORIGINAL_MAX) { /* no event is so long: what was held goes out as it is */
        rc = give_xml(f, each, arg, e);
        return rc < 0 ? rc : give(f, line, false, 1, each, arg, e);
    }
    if (f->xml_lines++)
        buf_byte(&f->xml, '\n');
    buf_str(&f->xml, line);
    if (buf_failed(&f->xml))
        return err_set(e, -ENOMEM, "no memory for an event of several lines");
    return has(line, STR("</Event>")) ? give_xml(f, each, arg, e) : 0;
}

/* record_line - a line where records may have several. */
static int record_line(struct feed *f, struct str line, bool cut, feed_each *each, void *arg, struct err *e)
{
    int rc = 0;

    bool first = !cut && record_begins(f->starts, f->start_count, f->encoding, line);

    if (cut || first || f->xml.n + line.n + 2 > EVENT_ORIGINAL_MAX || f->xml_lines >= RECORD_LINES_MAX)
        rc = give_xml(f, each, arg, e);
    if (rc < 0)
        return rc;
    if (!first && f->xml_lines == 0)
        return give(f, line, cut, 1, each, arg, e);
    if (f->xml_lines++)
        buf_str(&f->xml, !wide(f) ? STR("\n") : f->encoding == ENCODING_UTF16LE ? STR("\n\0") : STR("\0\n"));
    buf_str(&f->xml, line);
    return buf_failed(&f->xml) ? err_set(e, -ENOMEM, "no memory for a record of several lines") : 0;
}

static int one_line(struct feed *f, struct str line, bool cut, feed_each *each, void *arg, struct err *e)
{
    struct str bare = str_trim(line);
    enum join_kind kind;
    int rc;

    if (f->start_count)
        return bare.n ? record_line(f, line, cut, each, arg, e) : 0;
    if (f->xml_lines)
        return xml_line(f, line, each, arg, e);
    if (bare.n == 0 || (!wide(f) && *bare.p == '<' && wrapper(bare)))
        return 0;
    if (*bare.p == '<' && !cut && xml_opens(bare))
        return xml_line(f, line, each, arg, e);
    kind = cut || wide(f) ? JOIN_NONE : join_kind(line);
    if (kind == JOIN_NONE || kind == JOIN_ALONE)
        return give(f, line, cut, 1, each, arg, e);
    rc = join_add(f->join, STR(""), line, 0, 0, e);
    return rc < 0 ? rc : give_joined(f, each, arg, e);
}

/* whole_lines - of what is held. last: the rest is a line too. */
static int whole_lines(struct feed *f, bool last, feed_each *each, void *arg, struct err *e)
{
    struct str rest = buf_view(&f->held), line;
    int rc = 0;

    while (rc >= 0 && rest.n) {
        struct str at = rest;
        bool whole = encoding_line(f->encoding, &at, &line);
        bool cut = whole ? line.n > EVENT_ORIGINAL_MAX : rest.n > EVENT_ORIGINAL_MAX;

        if (!whole && !cut && !last)
            break;
        if (cut) {
            line = str_of(rest.p, EVENT_ORIGINAL_MAX);
            at = str_cut(rest, EVENT_ORIGINAL_MAX);
        } else if (!whole) {
            line = rest;
            at = str_cut(rest, rest.n);
        }
        rest = at;
        rc = one_line(f, line, cut || f->more, each, arg, e);
        f->more = cut;
    }
    buf_drop(&f->held, f->held.n - rest.n);
    return rc;
}

int feed_bytes(struct feed *f, struct str bytes, feed_each *each, void *arg, struct err *e)
{
    while (bytes.n) {
        struct str part = str_left(bytes, EVENT_ORIGINAL_MAX);
        int rc;

        if (!f->started) {
            f->encoding = encoding_of_file(str_left(bytes, 4096));
            f->started = true;
        }
        buf_str(&f->held, part);
        if (buf_failed(&f->held))
            return err_set(e, -ENOMEM, "no memory for a line");
        bytes = str_cut(bytes, part.n);
        rc = whole_lines(f, false, each, arg, e);
        if (rc < 0)
            return rc;
    }
    return 0;
}

void feed_records(struct feed *f, const struct str *starts, size_t count)
{
    f->starts = starts;
    f->start_count = count;
}

int feed_flush(struct feed *f, feed_each *each, void *arg, struct err *e)
{
    int rc = give_xml(f, each, arg, e);

    join_flush(f->join);
    return rc < 0 ? rc : give_joined(f, each, arg, e);
}

int feed_end(struct feed *f, feed_each *each, void *arg, struct err *e)
{
    int rc = whole_lines(f, true, each, arg, e);

    if (rc >= 0)
        rc = feed_flush(f, each, arg, e);
    f->started = f->more = false;
    return rc < 0 ? rc : 0;
}
