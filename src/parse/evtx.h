/* evtx.h - event log files of Windows (EVTX): records as the XML that Windows would show, and as pairs with our names.
 *
 *     file:   head 4 KiB | chunk 64 KiB | chunk 64 KiB | …             a chunk needs nothing of its neighbours
 *     chunk:  head 512 bytes | record | record | … | unused
 *     record: "**\0\0" | size | number | when written | binary XML | size again
 *
 * Binary XML has templates: an event as a tree with numbered holes, set down once a chunk; a record says which one, and what
 * stands in the holes. A template is compiled once into a row of steps ("write these bytes, then value 7 as CommandLine"), and
 * a record is a walk along the row that writes the text of the event and notes where its values stand in it.
 *
 * Owns      a struct evtx owns the memory of one chunk's templates and of one record's text.
 * Promises  1. Heads are not trusted: neither the count of chunks nor that of records, nor where a chunk says it ends. A file
 *              that was copied while it was written is read as far as it goes.
 *           2. A record that cannot be read is told with its reason, and the next one is looked for; where the head of a chunk
 *              is damaged, its records are found by their own marks.
 *           3. Every offset and length is checked against the chunk; nesting, steps, values, texts and templates have limits
 *              below; nothing recurses.
 *           4. Records without any template are read too (logs of forwarded events).
 *           5. The text, read by the reader of Windows XML (winxml.c), gives the same pairs; an empty value of the event's
 *              data is kept here and left out there.
 * Threads   owner: one struct evtx a thread; chunks are independent.
 * Units     bytes; places in the file from 0; chunks and records as they stand.
 * Source    [MS-EVEN6] 2.2.12 (binary XML), and the format as libevtx's documentation describes it. */
#ifndef SAQSHY_PARSE_EVTX_H
#define SAQSHY_PARSE_EVTX_H

#include "parse/forms.h"

#define EVTX_HEAD_BYTES 4096u
#define EVTX_CHUNK_BYTES 65536u
#define EVTX_TEXT_MAX EVENT_ORIGINAL_MAX    /* of one record; a longer one is told as unreadable */
#define EVTX_NEST_MAX 16                    /* binary XML within values; real events nest twice */
#define EVTX_DEPTH_MAX 32                   /* open elements */
#define EVTX_VALUES_MAX 8192                /* in the holes of one record; a chunk has room for as many */
#define EVTX_STEPS_MAX (1u << 17)           /* of one record: values can name templates that name values … */
#define EVTX_TEMPLATES_MAX 256              /* of one chunk, real ones have up to 40 */
#define EVTX_COMPILED_MAX (4u * MIB)        /* memory of one chunk's templates */

struct evtx;

struct evtx_record {
    uint64_t id;             /* EventRecordID as the record's head has it */
    time_ns written;         /* when the log took it */
    size_t at;               /* in the chunk */
    bool found;              /* it was searched for: behind damage, or what an older use of the chunk left there */
    struct str xml;          /* borrowed until the next record, and so are the pairs */
    struct form_pairs pairs; /* names of winxml; texts are views into xml where nothing had to be escaped */
};

MUST_USE int evtx_new(struct evtx **out, struct err *e);
void evtx_free(struct evtx **x);

/* evtx_looks - the first bytes of a file: the head of an EVTX file, or a chunk alone. */
bool evtx_looks(struct str head);
/* evtx_start - where the chunks begin: 4096, or what a larger head says; 0 for a chunk alone. */
uint64_t evtx_start(struct str head);

enum evtx_chunk { EVTX_EMPTY, EVTX_WHOLE, EVTX_DAMAGED };
/* evtx_chunk - begin with a chunk, borrowed until the next one; up to 64 KiB, less at the end of a cut file. EMPTY: nothing
 * there but zeros. DAMAGED: no head, or its check sums do not hold; its records are looked for all the same. */
enum evtx_chunk evtx_chunk(struct evtx *x, struct str bytes);
/* evtx_next - 1: a record; 0: the chunk has no more; -EBADMSG: a record that cannot be read, out->id and ->at tell which, go on;
 * -ENOMEM. */
MUST_USE int evtx_next(struct evtx *x, struct evtx_record *out, struct err *e);

/* evtx_keep - a copy of the record that outlives it, in arena a. */
MUST_USE int evtx_keep(const struct evtx_record *r, struct arena *a, struct evtx_record *out);

/* parse_evtx - the record as an event, as parse_line makes it of the record's XML; that is its original. Texts borrow from the
 * record. */
void parse_evtx(const struct parser *p, const struct evtx_record *r, const struct parse_hints *h, struct arena *a, struct event *ev);

#endif
