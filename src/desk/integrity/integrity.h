/* integrity.h - what agents report of hosts: packages, settings, checksums of trees; and what differs from the passport.
 *
 * Owns      its tables in desk.db (integrity/schema.c).
 * Promises  an act is one transaction with its audit row, or nothing.
 * Threads   as struct desk.
 * Units     time_ns.
 * Source    paragraphs 7(3), 10(2), 17 of the Rules; R-7-05, Q-04, Q-25. */
#ifndef SAQSHY_DESK_INTEGRITY_H
#define SAQSHY_DESK_INTEGRITY_H

#include "desk/desk.h"

#endif
