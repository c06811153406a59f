/* testing.h - what the tests of scan share: reports from memory, trees as text, findings as lines.
 *
 * Owns      nothing. Only tests include it.
 * Threads   owner. */
#ifndef SAQSHY_SCAN_TESTING_H
#define SAQSHY_SCAN_TESTING_H

#include <sys/mman.h>

#include "base/file.h"
#include "base/test.h"
#include "scan/internal.h"

static inline int memory_file(struct str text)
{
    int fd = memfd_create("report", MFD_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(file_write_all(fd, text, NULL), 0);
    return fd;
}

/* put_tree - "a(text){b c(1)}" of a node and all below, iteratively. */
static inline void put_tree(struct buf *out, const struct node *top)
{
    const struct node *n = top;

    for (;;) {
        buf_str(out, n->name);
        if (n->text.n) {
            buf_byte(out, '(');
            buf_str(out, n->text);
            buf_byte(out, ')');
        }
        if (n->first) {
            buf_byte(out, '{');
            n = n->first;
            continue;
        }
        while (n != top && !n->next) {
            buf_byte(out, '}');
            n = n->parent;
        }
        if (n == top)
            return;
        buf_byte(out, ' ');
        n = n->next;
    }
}

static inline int test_nobody(void *arg, enum consumer_kind kind, uint32_t index, struct node *n, struct err *e)
{
    (void)arg, (void)kind, (void)index, (void)n, (void)e;
    return 0;
}

/* tree_of - the whole report as text; the reader's answer. */
static inline int tree_of(int (*reader)(struct readers_arg *r, struct err *e), struct str report, bool items, struct buf *out, struct err *e)
{
    struct step deep = { .kind = STEP_DEEP };
    struct path every = { .from = FROM_ROOT, .steps = &deep, .count = 1 };
    struct tree *t = malloc(sizeof *t);
    struct source s = { 0 };
    struct trie trie;
    struct names names;
    AUTO_ARENA struct arena a;
    AUTO_CLOSE int fd = memory_file(report);
    struct readers_arg r = { .source = &s, .tree = t, .name = "report", .items = items };
    int rc;

    arena_init(&a, 0);
    assert_non_null(t);
    assert_int_equal(trie_init(&trie), 0);
    assert_int_equal(names_init(&names, &a), 0);
    assert_int_equal(tree_init(t, SCAN_RECORD_MAX), 0);
    assert_int_equal(source_open(&s, fd, e), 0);
    trie_want(&trie, NULL, 0, 0, &every, WANT_TEXT);
    t->consume = test_nobody;
    t->hollow = reader == read_xml;   /* attributes too */
    assert_int_equal(tree_begin(t, &names, &trie, e), 0);
    rc = reader(&r, e);
    if (rc == 0)
        rc = tree_end(t, e);
    buf_reset(out);
    if (rc == 0)
        put_tree(out, t->level[0].node);
    source_close(&s);
    tree_free(t);
    trie_free(&trie);
    free(t);
    return rc;
}

/* --- descriptions and findings --- */

static inline int test_finding(void *arg, const struct scan_finding *f, struct err *e)
{
    struct buf *b = arg;

    (void)e;
    buf_printf(b, "[%s|%.*s|%.*s|%.*s|%d", scan_severity_name(f->severity), STR_ARG(f->check), STR_ARG(f->title), STR_ARG(f->host.n ? f->host : f->ip), (int)f->port);
    for (size_t i = 0; i < f->cve_count; i++)
        buf_printf(b, "|%.*s", STR_ARG(f->cve[i]));
    for (size_t i = 0; i < f->cwe_count; i++)
        buf_printf(b, "|cwe %u", f->cwe[i]);
    for (size_t i = 0; i < f->tag_count; i++)
        buf_printf(b, "|%.*s", STR_ARG(f->tags[i]));
    buf_str(b, STR("]"));
    return buf_failed(b) ? -E2BIG : 0;
}

static inline int test_cover(void *arg, const struct scan_cover *c, struct err *e)
{
    struct buf *b = arg;

    (void)e;
    buf_printf(b, "<%d|%.*s|%.*s|%d-%d>", (int)c->ran, STR_ARG(c->check), STR_ARG(c->host.n ? c->host : c->ip), (int)c->port, (int)c->port_to);
    return 0;
}

/* findings_of - a report by one description, as lines of test_finding. */
static inline int findings_of(const char *yaml, struct str report, const char *format, struct buf *out, struct scan_report *r, struct err *e)
{
    struct scan_sink sink = { .finding = test_finding, .cover = test_cover, .arg = out };
    struct format *one = NULL;
    struct scan_formats all = { .format = &one, .count = 1 };
    AUTO_CLOSE int fd = memory_file(report);
    int rc = format_parse(str_c(yaml), "t.yaml", NULL, &one, e);

    buf_reset(out);
    if (rc == 0)
        rc = scan_read(&all, fd, "report", format, NULL, &sink, r, e);
    format_free(&one);
    return rc;
}

#endif
