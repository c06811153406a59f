/* agent.h - reads the logs and facts of one host and sends them to a collector, each line once.
 *
 * Owns      a state folder: state (how far each source was read), spool/batch (what is on its way), spool.key, lock.
 * Promises  1. Nothing is lost and nothing repeated that the collector's journal can see: a batch and the positions behind it lie
 *              on disk before it is sent; it is sent again, byte for byte and under its number, until it is acknowledged; only
 *              then do the positions move.
 *           2. While the collector is away nothing is read further, so an outage costs no disk; files rotated meanwhile are kept
 *              open, or found again by inode and by the hash of their first bytes.
 *           3. Bounded: one batch of BATCH_BYTES_MAX in memory and on disk, FILES_MAX files, GENERATIONS_MAX rotations of each.
 *           4. The spool is encrypted (AES-256-GCM), folder 0700, files 0600.
 * Threads   one.
 * Units     bytes; time_ns.
 * Source    R-10.1-04, R-12-05; OTLP 1.x over HTTP. docs/agent.md. */
#ifndef SAQSHY_AGENT_AGENT_H
#define SAQSHY_AGENT_AGENT_H

#include "base/base.h"

struct agent_config;

/* agent_config_load - -EBADMSG or -EINVAL with file, line, column and the expected form. */
MUST_USE int agent_config_load(const char *file, struct agent_config **out, struct err *e);
void agent_config_free(struct agent_config **c);
/* agent_run - work until SIGTERM or SIGINT, then return 0. What was not acknowledged is sent at the next start. */
MUST_USE int agent_run(const struct agent_config *c, struct err *e);

#endif
