/* backup_print.h - what "saqshy backup" and "saqshy restore" say while they work, and at the end.
 *
 * Owns      nothing.
 * Promises  1. Progress and warnings go to standard error, the result to standard output.
 * Threads   main only. */
#ifndef SAQSHY_BIN_BACKUP_PRINT_H
#define SAQSHY_BIN_BACKUP_PRINT_H

#include "backup/backup.h"

struct backup_say {
    const char *command;
    bool        quiet, json;
};
/* What struct backup_options wants; arg is a struct backup_say. */
void backup_say_progress(void *arg, const struct backup_progress *p, const char *now);
void backup_say_fault(void *arg, const char *file, const char *reason);
/* backup_rate - "50" or "0.5" MiB a second; false if it is none. */
bool backup_rate(const char *s, uint64_t *bytes_per_s);
void backup_say_result(const struct backup_say *s, const struct backup_facts *f, const struct backup_progress *p);

#endif
