/* feed.h - the bytes of a file become the texts of events: lines, or what of several lines is one event.
 *
 * Owns      what of the bytes is not given yet; joins of audit records.
 * Promises  1. Every line comes out once, in an event's text: a line alone, the records of an audit event with newlines between
 *              (join.h), a Windows event in XML that spans lines, or a record whose lines were named (feed_records). Only blank lines and the lines "<Events>", "</Events>" and
 *              "<?xml …?>" around such events are left out.
 *           2. A text is at most EVENT_ORIGINAL_MAX: a longer line comes in pieces, each told as cut; memory is bounded by that.
 *           3. UTF-16 is known by its first bytes; its lines end where they end there. Bytes are not changed.
 * Threads   owner.
 * Units     bytes. */
#ifndef SAQSHY_PARSE_FEED_H
#define SAQSHY_PARSE_FEED_H

#include "parse/edges.h"
#include "parse/join.h"
#include "parse/encoding.h"

struct feed;
struct feed_text {
    struct str text;        /* valid until each returns */
    enum encoding encoding; /* UTF-16 of the file; else ENCODING_DETECT */
    bool cut, split;        /* a piece of a longer line; an audit event that did not fit into one text */
    uint32_t lines;
};
/* 0 or above: go on. */
typedef int feed_each(void *arg, const struct feed_text *t, struct err *e);

MUST_USE int feed_new(struct feed **out, struct err *e);
void feed_free(struct feed **f);
/* feed_bytes - the next bytes. What each answers below 0 comes back, and the rest of the bytes is kept. */
MUST_USE int feed_bytes(struct feed *f, struct str bytes, feed_each *each, void *arg, struct err *e);
/* feed_records - from here on a line that begins in none of these ways (patterns.h, "starts") goes on the record before it: stack
 * traces, statements of several lines. Before a first line that begins so, and past RECORD_LINES_MAX, each line is a record. Borrowed. What is open is given first by feed_flush or feed_end. */
void feed_records(struct feed *f, const struct str *starts, size_t count);
/* feed_flush - a record or an audit event that is open counts as whole: for files that nobody writes to for a while. */
MUST_USE int feed_flush(struct feed *f, feed_each *each, void *arg, struct err *e);
/* feed_end - there is no more: what is left comes out. The feed is then as new. */
MUST_USE int feed_end(struct feed *f, feed_each *each, void *arg, struct err *e);

#endif
