/* annex4.h - the chapters of Annex 4: which fields each wants, in which order, and what an event says for them.
 *
 *      dd:mm:yyyy hh:mm:ss ; field ; field … ; further fields       one record, one line
 *
 * Owns      nothing: tables are constant, values borrow from the event or lie in the arena given.
 * Promises  1. annex4_record writes what lint.h accepts, whatever the event holds: text, UTF-8, the required fields in the law's order, a
 *              delimiter and quotes, "-" where the event says nothing for a field.
 *           2. Nothing is lost by it: a control byte, a byte that is no UTF-8 and a Cyrillic letter that looks like a Latin one within a Latin
 *              word are written as \x{0A} and \u{430}, and a text that reads so itself with \x{5C} for its backslash. Where the event names no address or
 *              moment "-" is written: nothing is made up. Values longer than 256 KiB are cut; the original is in the store.
 * Threads   any.
 * Units     date and time are those of the source's clock where it wrote its zone, else of the zone given.
 * Source    Annex 4, paragraphs 2, 5-8, 10-14, 17-21, 23-27, 29-33; of the requirements. */
#ifndef SAQSHY_PARSE_ANNEX4_H
#define SAQSHY_PARSE_ANNEX4_H

#include "event/event.h"

#define ANNEX4_FIELDS_MAX 8
#define ANNEX4_DELIMITER  ';'
#define ANNEX4_NONE       "-"   /* the event says nothing for this field */

enum annex4_need { ANNEX4_END, ANNEX4_TEXT, ANNEX4_OPTIONAL, ANNEX4_ADDRESS };

/* A field behind date and time. */
struct annex4_field {
    enum annex4_need need;
    const char *row, *name, *missing; /* "R-A4.2-02", "host_name", a sentence */
    const struct str *said;           /* names of the event's fields, the first that is there counts; up to an empty one. NULL: a moment */
};
struct annex4_chapter {
    int number;
    const char *text, *quoting, *utf8, *mixed, *when; /* rows */
    struct annex4_field fields[ANNEX4_FIELDS_MAX];    /* up to ANNEX4_END */
};

/* annex4_chapter - of a class; NULL for CLASS_NONE. */
const struct annex4_chapter *annex4_chapter(enum event_class class);
/* annex4_value - what the event says for the n-th field of its chapter; {NULL,0}: nothing. */
struct str annex4_value(const struct event *ev, enum event_class class, size_t n, int32_t zone_min, struct arena *a);
/* annex4_header - the names of a file's columns, with '\n'. */
void annex4_header(enum event_class class, struct buf *out);
/* annex4_record - the event as a record, with '\n'. class is not CLASS_NONE; zone_min counts where the source wrote none. */
void annex4_record(const struct event *ev, enum event_class class, int32_t zone_min, struct arena *a, struct buf *out);

#endif
