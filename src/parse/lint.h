/* lint.h - does an event log keep to Annex 4: text, UTF-8, one format, delimiters and quotes, the required fields in their order.
 *
 * Owns      nothing: remarks are handed out one by one and borrow from the caller's text until the callback returns.
 * Promises  1. The delimiter is found per file: the one under which most lines begin with a date; never a colon, a blank or a quote.
 *           2. Each remark names line, column, code and the row of the catalogue that rules it. In the order of the lines.
 *           3. Date and time stand in one field "dd:mm:yyyy hh:mm:ss" or in two adjacent ones. Further fields may follow the required
 *              ones. Empty lines are no records.
 *           4. "-" stands for "the event has none": an address may be it too, unless strict. A first line with the names of the
 *              chapter's fields (annex4.h) is no record.
 * Threads   any.
 * Units     line and column count from 1; a column counts characters.
 * Source    Annex 4, paragraphs 2, 5-8, 10-14, 17-21, 23-27, 29-33; R-A4-DT1, R-A4-DT2. */
#ifndef SAQSHY_PARSE_LINT_H
#define SAQSHY_PARSE_LINT_H

#include "event/event.h"

struct lint_remark {
    size_t line, column;
    const char *code;    /* stable: not_text not_utf8 no_delimiter mixed_format bad_quote date_format time_format
                            missing_field bad_address look_alike */
    const char *row;     /* "R-A4.17-04" */
    const char *message; /* a sentence, English */
};

typedef void lint_tell(void *arg, const struct lint_remark *remark);

struct lint_options {
    bool strict; /* "-" is no value: told as missing_field */
};
/* lint_with - the whole of a log file against class; the number of remarks told. class is not CLASS_NONE; o may be NULL. */
size_t lint_with(struct str text, enum event_class class, const struct lint_options *o, lint_tell *tell, void *arg);
/* lint_delimiter - of one line that begins with date and time as Annex 4 writes them; 0: it does not. */
char lint_delimiter(struct str line);
/* lint_text - the whole of a log file against class; the number of remarks told. class is not CLASS_NONE. */
size_t lint_text(struct str text, enum event_class class, lint_tell *tell, void *arg);

#endif
