/* shapes.h - lines that nobody understood, grouped by what they have in common, the largest group first: what a new parser is worth.
 *
 *      user ann made 2 slices     ─┐
 *      user bob made 12 slices    ─┴─► user * made * slices     count 2, first, last, sources, examples
 *
 * Owns      struct shapes owns its rows; a view borrows from it until the next shapes_add or shapes_free.
 * Promises  1. Bounded: SHAPES_MAX rows, SHAPE_WORDS_MAX words of a line, examples and sources of a row as below. Where the table is full the
 *              smallest row gives way, and the newcomer says by how much its count may be too high (over).
 *           2. A row that is more than one part in SHAPES_MAX of all lines is never lost (Metwally's "Space-Saving").
 *           3. Lines of one row came equally far and have the same program, the same number of words, the same marks between them, the same first word, and
 *              two thirds of their words in common; a word with a digit, and a text in quotes, is like any other.
 *           4. The same lines in the same order give the same rows.
 * Threads   owner.
 * Units     time_ns.
 * Source    He and others, "Drain: an online log parsing approach with fixed depth tree" (2017), for the idea of 3; ours has no tree. */
#ifndef SAQSHY_PARSE_SHAPES_H
#define SAQSHY_PARSE_SHAPES_H

#include "event/event.h"

#define SHAPES_MAX          500
#define SHAPE_WORDS_MAX     48     /* what stands behind them is not looked at */
#define SHAPE_TEXT_MAX      1024   /* bytes of a line that are looked at */
#define SHAPE_EXAMPLES_MAX  6
#define SHAPE_EXAMPLE_BYTES 4096   /* a longer line is no example: half of it would be another line */
#define SHAPE_SOURCES_MAX   8

struct shapes;

/* How far the reading of a line came. */
enum shape_kind {
    SHAPE_FAILED,  /* no form was recognised */
    SHAPE_HEADER,  /* a header of syslog and a message, no more */
    SHAPE_PARTIAL, /* a reader took it and left something out */
    SHAPE_KINDS
};
const char *shape_kind_name(enum shape_kind k); /* "failed", "header", "partial" */
/* shape_kind_of - SHAPE_KINDS: the line was understood. */
enum shape_kind shape_kind_of(const struct event *ev);
/* shape_query - the text of a search (docs/search.md) that selects events of these kinds (a bit each) and at most what another text, which may
 * be empty, selects. */
void shape_query(unsigned kinds, struct str also, struct buf *out);

struct shape_source {
    struct str id;
    uint64_t   count;
};
struct shape_view {
    struct str text;        /* "user * made * slices" */
    enum shape_kind kind;
    struct str program;     /* {NULL,0}: none was named */
    uint64_t   count, over; /* the true count is between count - over and count */
    time_ns    first, last;
    const struct str *examples;
    size_t     example_count;
    const struct shape_source *sources;
    size_t     source_count;
    bool       more_sources;
};

MUST_USE int shapes_new(struct shapes **out, struct err *e);
void shapes_free(struct shapes **s);
/* shapes_add - one more event; those that were understood are passed over. -ENOMEM. */
MUST_USE int shapes_add(struct shapes *s, const struct event *ev);
uint64_t shapes_lines(const struct shapes *s);
/* shapes_sort - rows in the order of their count; ties by their text. Then shapes_view tells the n-th, false past the last. */
void shapes_sort(struct shapes *s);
bool shapes_view(const struct shapes *s, size_t n, struct shape_view *out);

#endif
