/* event_print.h - how commands show events to people and to programs.
 *
 * Owns      nothing.
 * Promises  1. One line an event; control bytes of a log never reach the terminal.
 * Threads   owner. */
#ifndef SAQSHY_BIN_EVENT_PRINT_H
#define SAQSHY_BIN_EVENT_PRINT_H

#include "event/event.h"

/* event_print - "2026-03-20 23:50:00  host  parser  line", or the flat JSON object; then a newline. The time is local. */
void event_print(const struct event *ev, bool json, FILE *to);
/* time_argument - RFC 3339, a date, "now", "now-15m" or "-15m" (s, m, h, d). -EINVAL with the expected form. */
MUST_USE int time_argument(const char *text, time_ns now, time_ns *out, struct err *e);

#endif
