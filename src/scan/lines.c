/* lines.c - reports that are plain text: each line is given to the patterns of the description, and the first that fits makes a node
 * of it. A pattern with a level is a heading: it stays open, and what follows stands inside, until a heading of its level or above. */
#include "scan/internal.h"

#define LINE_MAX_BYTES (1u * MIB)
#define SNIFF_LINES    2000

struct lines {
    struct readers_arg *r;
    struct err         *e;
    struct buf          line, clean;
    uint64_t            number;
    unsigned            open[16];   /* levels of the headings that are open */
    size_t              depth;
};

/* clean - without colours of a terminal, and with U+FFFD for bytes that are no UTF-8. */
static struct str clean(struct lines *l, struct str s)
{
    if (!memchr(s.p ? s.p : "", '\x1b', s.n) && str_utf8_valid(s))
        return s;
    buf_reset(&l->clean);
    for (size_t i = 0; i < s.n;) {
        size_t n = 1;

        if (s.p[i] == '\x1b') {
            for (i += i + 1 < s.n && s.p[i + 1] == '[' ? 2 : 1; i < s.n && (s.p[i] < '@' || s.p[i] > '~'); i++)
                ;
            i += i < s.n;
            continue;
        }
        while (n < 4 && i + n < s.n && ((unsigned char)s.p[i + n] & 0xC0) == 0x80)
            n++;
        if (str_utf8_valid(str_of(s.p + i, n))) {
            buf_put(&l->clean, s.p + i, n);
        } else {
            buf_str(&l->clean, STR("\xEF\xBF\xBD"));
            n = 1;
        }
        i += n;
    }
    return buf_view(&l->clean);
}

static int group(struct lines *l, struct str name, uint32_t id, struct str text)
{
    struct tree *tree = l->r->tree;
    int rc = tree_open(tree, name, id, 0, l->number, l->e);

    if (rc == 0 && tree_wants_text(tree))
        rc = tree_text(tree, text, l->e);
    return rc < 0 ? rc : tree_close(tree, l->e);
}

static int node_of(struct lines *l, const struct line_rule *rule, struct str line, struct str groups[RE_GROUPS])
{
    struct tree *tree = l->r->tree;
    int rc = 0;

    while (rule->level && l->depth && l->open[l->depth - 1] >= rule->level && rc == 0) {
        rc = tree_close(tree, l->e);
        l->depth--;
    }
    if (rc == 0)
        rc = tree_open(tree, rule->name, rule->id, -1, l->number, l->e);
    if (rc == 0 && tree_wants_text(tree))
        rc = tree_text(tree, line, l->e);
    for (size_t i = 1; i < re_groups(rule->re) && rc == 0; i++)
        if (rule->group_ids[i] && groups[i].n)
            rc = group(l, re_name(rule->re, i), rule->group_ids[i], groups[i]);
    if (rc < 0)
        return rc;
    if (!rule->level)
        return tree_close(tree, l->e);
    l->open[l->depth++] = rule->level;
    return 0;
}

static int one_line(struct lines *l, struct str s)
{
    struct str line, groups[RE_GROUPS];

    l->number++;
    if (s.n && s.p[s.n - 1] == '\r')
        s.n--;
    if (l->number == 1 && str_starts(s, STR("\xEF\xBB\xBF")))
        s = str_cut(s, 3);
    if (memchr(s.p ? s.p : "", '\0', s.n))
        return read_broken(l->r, l->e, l->number, 1, "a zero byte: this is no text in UTF-8");
    line = clean(l, s);
    if (!l->r->f)
        return l->number > SNIFF_LINES ? 0 : group(l, STR("line"), 0, line);
    for (size_t i = 0; i < l->r->f->line_count; i++) {
        int rc = re_find(l->r->f->lines[i].re, l->r->work, line, 0, groups);

        if (rc < 0)
            return err_line(l->e, rc, l->r->name, (int)l->number, 1, "a pattern of the description takes too long on this line");
        if (rc > 0)
            return node_of(l, &l->r->f->lines[i], line, groups);
    }
    return 0;
}

static int piece(struct lines *l, const char *p, size_t n)
{
    while (n) {
        const char *end = memchr(p, '\n', n);
        size_t part = end ? (size_t)(end - p) : n;
        int rc = 0;

        if (end && l->line.n == 0) {
            rc = one_line(l, str_of(p, part));
        } else {
            buf_put(&l->line, p, part);
            if (buf_failed(&l->line))
                return err_line(l->e, -E2BIG, l->r->name, (int)l->number + 1, 1, "the line is larger than 1 MiB");
            if (end) {
                rc = one_line(l, buf_view(&l->line));
                buf_reset(&l->line);
            }
        }
        if (rc < 0)
            return rc;
        n -= part + (end ? 1 : 0);
        p += part + (end ? 1 : 0);
    }
    return 0;
}

int read_lines(struct readers_arg *r, struct err *e)
{
    struct lines l = { .r = r, .e = e };
    struct source *s = r->source;
    long got;
    int rc = 0;

    buf_init(&l.line, LINE_MAX_BYTES);
    buf_init(&l.clean, 4 * LINE_MAX_BYTES);
    while (rc == 0 && (got = source_read(s, s->buf, s->piece, e)) != 0)
        rc = got < 0 ? (int)got : piece(&l, s->buf, (size_t)got);
    if (rc == 0 && l.line.n && !r->part)
        rc = one_line(&l, buf_view(&l.line));
    for (; l.depth && rc == 0; l.depth--)
        rc = tree_close(r->tree, e);
    buf_free(&l.line);
    buf_free(&l.clean);
    return rc;
}
