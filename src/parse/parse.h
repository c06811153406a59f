/* parse.h - a line becomes an event: which product wrote it, what its fields mean, which events of Annex 4 it shows.
 *
 * Owns      struct parser owns compiled tables; an event's texts are views into the line, or lie in the arena given.
 * Promises  1. Never fails: a line that nothing understands comes back with EVENT_PARSE_FAILED, its bytes in original,
 * and a time (its own if a header had one, else received).
 *           2. Bounded in length, fields, depth and time; no recursion; the line is not changed.
 *           3. Names are ECS; class and saqshy.types (codes of Annex 4) are set where the line shows them.
 *           4. The same line with the same hints gives the same event (and what hints.memory holds of the source).
 *           5. An event's texts may be views into the parser too: events are gone before parse_reload or parse_free.
 * Threads   a parser is read-only but for parse_reload, which its owner calls while no line is parsed; each call of parse_line
 *           works in the caller's arena.
 * Units     times without a year or zone are completed from hints: the year that puts them nearest before received, the
 * zone of the hint. Source    RFC 3164, RFC 5424, and the formats named in docs/parsers.md. */
#ifndef SAQSHY_PARSE_PARSE_H
#define SAQSHY_PARSE_PARSE_H

#include "event/event.h"
#include "parse/encoding.h"

#define PARSE_FOLDERS_MAX 2

struct parser;
struct parse_memory;

/* What the receiver knows besides the line. Texts are borrowed as long as the event. */
struct parse_hints {
    time_ns received;
    int32_t zone_min;         /* of times without a zone; EVENT_OFFSET_NONE: that of the parser */
    time_ns future_tolerance; /* later than received by more: MARK_FUTURE */
    struct str source;        /* copied into event.source */
    struct str host;          /* host.name if the line has none of its own */
    struct str peer;          /* address of the sender: log.source.address */
    struct str path;          /* log.file.path, from which a format may be guessed ("/var/log/audit/audit.log") */
    struct str unit;          /* journald: SYSLOG_IDENTIFIER, when the line has no header; with pid */
    struct str pid;
    enum encoding encoding; /* said of the source; 0: looked for in each line (parse/encoding.h) */
    bool truncated; /* the receiver cut the line */
    bool split;     /* the records of this event did not fit into one (join.h): saqshy.split */
    struct parse_memory *memory; /* NULL: what a line says of later ones (names of columns) is not kept */
    struct str parser;   /* the source's profile names the parser: a product's id, or a program */
    struct buf *explain; /* not NULL: who was asked and why not, a line each */
};

struct parse_options {
    const char *folders[PARSE_FOLDERS_MAX]; /* of products as data, NULL-ended; one found first takes the place of others with its id */
    int32_t zone_min;                       /* the default zone of lines without one */
};
/* parse_open - with products from folders. A broken product is left out and told by parse_product; a folder that is not
 * there is as if empty. */
MUST_USE int parse_open(const struct parse_options *o, struct parser **out, struct err *e);
/* parse_new - with CONTENT_FOLDER/parsers alone; NULL: built-in readers alone. */
MUST_USE int parse_new(const char *content_folder, int32_t zone_min, struct parser **out, struct err *e);
void parse_free(struct parser **p);
/* parse_line - fill ev (cleared by event_batch_add) from line, which is borrowed; fields and texts that are not views
 * go to the arena. */
void parse_line(const struct parser *p, struct str line, const struct parse_hints *h, struct arena *a,
                struct event *ev);
/* parse_names - the parsers that can be named in saqshy.parser, for counters; *count of them. */
const char *const *parse_names(const struct parser *p, size_t *count);

/* --- products as data (docs/parsers.md) --- */

/* parse_reload - look at the folders (names, times, sizes: cheap) and load what changed. Of a file that became broken the
 * product loaded before stays. 1: something changed, 0: nothing, or -ENOMEM and all is as before. */
MUST_USE int parse_reload(struct parser *p, struct err *e);

struct parse_product {
    struct str id, title; /* of a file that was never loaded: its name, nothing */
    const char *file;
    enum event_class class;
    size_t patterns, samples;
    uint64_t lines;   /* that it took, since it was loaded */
    bool loaded;      /* false: the file is refused and nothing of it is in force */
    const char *why;  /* the file as it is now is refused, with "FILE:LINE:COLUMN: reason"; else NULL */
};
/* parse_product - the n-th file in order; false past the last. Borrowed until the next parse_reload. */
bool parse_product(const struct parser *p, size_t n, struct parse_product *out);
/* parse_limits_hit - texts that took more steps than a pattern may. */
uint64_t parse_limits_hit(const struct parser *p);
/* parse_samples - run all samples against all parsers together. failed is called with the story of each that does not hold.
 * Returns how many samples there are, or -ENOMEM. */
MUST_USE int64_t parse_samples(const struct parser *p, void (*failed)(void *arg, const char *story), void *arg, struct err *e);

/* parse_records - how records begin in a file of that path, or of a source whose profile names that product ("records" of the file of
 * a parser; feed.h): a line that begins otherwise goes on the one before. *count 0: each line is a record. Borrowed until the next parse_reload. */
void parse_records(const struct parser *p, struct str path, struct str product, const struct str **starts, size_t *count);

/* parse_draft - a product's file out of lines of one shape, with the lines as samples. It loads, and takes the lines; names and
 * constants are for a person to look at. -EBADMSG: the lines have no shape in common. */
MUST_USE int parse_draft(struct str lines, struct str id, struct buf *out, struct err *e);

/* parse_draft_id - may it have this id? -EINVAL tells what one wants. parse_draft asks too. */
MUST_USE int parse_draft_id(struct str id, struct err *e);
/* parse_draft_reads - of count lines, how many a product's file understands wholly beside the readers in C. -EBADMSG: it does not load. */
MUST_USE int parse_draft_reads(struct str draft, struct str lines, size_t *count, size_t *reads, struct err *e);

/* --- what a source said for its later lines: the names of columns. Belongs to one thread; bounded (forms.h) --- */

MUST_USE int parse_memory_new(struct parse_memory **out, struct err *e);
void parse_memory_free(struct parse_memory **m);
/* parse_memory_save, parse_memory_load - a text, one source a line, so that it outlives a restart. load skips what is
 * damaged. parse_memory_changed - something was kept since the last save. */
void parse_memory_save(struct parse_memory *m, struct buf *out);
void parse_memory_load(struct parse_memory *m, struct str text);
bool parse_memory_changed(const struct parse_memory *m);

#endif
