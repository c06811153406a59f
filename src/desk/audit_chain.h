/* audit_chain.h - the hash chain of the audit trail, for the desk that writes it and for whoever checks it from outside.
 *
 * Owns      the definition of the hash of a row.
 * Promises  1. hash(n) = SHA-256(hash(n-1) || id || at || login || role || address || action || target || detail || outcome); numbers are 64-bit
 *              little-endian, texts have their length in front; hash(0) is 64 zeros.
 *           2. audit_chain_verify only reads, asks nothing of a running desk, and sees one moment of the trail even while rows are added.
 *           3. It names the first row that does not fit: changed, taken out, or cut off at the end.
 * Threads   any.
 * Source    requirement: every read of personal data, change, export and sign-in is provable. */
#ifndef SAQSHY_DESK_AUDIT_CHAIN_H
#define SAQSHY_DESK_AUDIT_CHAIN_H

#include "base/base.h"
#include "base/clock.h"

struct audit_row {
    int64_t    id;
    time_ns    at;
    struct str login, role, address, action, target, detail, outcome;
};

#define AUDIT_ZERO_HASH "0000000000000000000000000000000000000000000000000000000000000000"

/* audit_row_hash - before and out: 64 hexadecimal digits. */
void audit_row_hash(const char *before, const struct audit_row *r, char out[65]);

struct audit_chain {
    int64_t rows, broken_at;   /* broken_at: id of the first row that does not fit, 0 if all do */
    char    last[65];          /* hash of the last row that fits: written down elsewhere, it proves later that nothing before was changed */
};

/* audit_chain_verify - path of a desk.db. 0: whole; 1: broken, see broken_at; -ENOENT: there is no such file. */
MUST_USE int audit_chain_verify(const char *path, struct audit_chain *out, struct err *e);

#endif
