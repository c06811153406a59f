/* audit.h - the tables of the audit records: types, system calls, architectures; for auditd.c alone.
 *
 * Owns      nothing: constant tables.
 * Threads   any.
 * Source    linux/audit.h and libaudit's record numbers; actions in the words of the Elastic Common Schema. */
#ifndef SAQSHY_PARSE_AUDIT_H
#define SAQSHY_PARSE_AUDIT_H

#include "parse/internal.h"

#define AUDIT_SYSCALL 1300
#define AUDIT_PATH 1302
#define AUDIT_CWD 1307
#define AUDIT_EXECVE 1309
#define AUDIT_EOE 1320
#define AUDIT_PROCTITLE 1327

struct audit_type {
    const char *name;
    uint16_t number;
    struct sense sense; /* outcome comes from the record */
};

struct audit_call {
    const char *name;
    int16_t x86_64, aarch64; /* -1: there is none */
    const char *direction;   /* network.direction, or NULL */
    struct sense sense;
};

/* audit_type_of - by name ("USER_LOGIN") or number ("1112"); NULL if unknown. */
const struct audit_type *audit_type_of(struct str name);
/* audit_call_of - by name, or by number in that architecture; NULL if it is none that we tell about. */
const struct audit_call *audit_call_of(struct str call, struct str arch);
/* audit_arch - "c000003e" is "x86_64"; what is unknown comes back as it is. */
struct str audit_arch(struct str hex);

#endif
