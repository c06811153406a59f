/* event_print.h - how commands show events to people and to programs.
 *
 * Owns      nothing.
 * Promises  1. One line an event; nothing of a log that could drive the terminal or turn its text reaches it.
 * Threads   owner. */
#ifndef SAQSHY_BIN_EVENT_PRINT_H
#define SAQSHY_BIN_EVENT_PRINT_H

#include "event/event.h"

/* event_print - "2026-03-20 23:50:00  host  parser  line", or the flat JSON object; then a newline. The time is local. */
void event_print(const struct event *ev, bool json, FILE *to);
/* plain_put - at most max bytes of s as a terminal may see them: '?' for control characters, for those that turn or hide text and for what is
 * no UTF-8; a blank for a line end. */
void plain_put(struct buf *b, struct str s, size_t max);
/* plain_column - the same, filled up with blanks to width, and two blanks. */
void plain_column(struct buf *b, struct str s, size_t width);

#endif
