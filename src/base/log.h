/* log.h - our own structured log: one JSON object a line, on standard error.
 *
 * Owns      the sink: role name, level and descriptor, set once by log_open in main. The one piece of
 *           process-wide state in base; libraries below main return errors instead of logging.
 * Promises  1. A line is written by one write(2): lines of several processes on one pipe do not mix
 *              (PIPE_BUF, so lines are cut at LOG_LINE_MAX).
 *           2. Field values are JSON-escaped: nobody can forge a line through a value.
 *           3. Never a secret: callers pass names, counts, addresses.
 * Threads   any, after log_open.
 * Units     "@timestamp" is UTC.
 * Source    the lines are events of class app (sec for LOG_SEC) in our own store. */
#ifndef SAQSHY_BASE_LOG_H
#define SAQSHY_BASE_LOG_H

#include "base/str.h"

#define LOG_LINE_MAX 4000

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_SEC };

/* log_open - name the role; fd -1 means standard error. */
void log_open(const char *role, enum log_level least, int fd);
/* log_line - "message" (lower case, no full stop) and pairs of field name and value, ended by NULL:
 *     log_line(LOG_WARN, "could not send the batch, retrying", "server.address", addr, NULL);
 * Numbers go through log_num, which writes into a caller's buffer. */
void log_line(enum log_level level, const char *message, ...) __attribute__((sentinel));
/* log_num - decimal text of v in out. */
const char *log_num(long long v, char out[24]);

#endif
