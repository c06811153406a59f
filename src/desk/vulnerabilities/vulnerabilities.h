/* vulnerabilities.h - what surveys found and owners reported: each vulnerability once, with everything that was seen and said of it.
 *
 * Owns      its tables in desk.db (vulnerabilities/schema.c).
 * Promises  an act is one transaction with its audit row, or nothing.
 * Threads   as struct desk.
 * Units     time_ns.
 * Source    paragraphs 10(2), 13, 23, Annexes 5 and 6; requirements 4.4, 4.8, 6.5, 6.6, 7.4, Q-17 to Q-19. */
#ifndef SAQSHY_DESK_VULNERABILITIES_H
#define SAQSHY_DESK_VULNERABILITIES_H

#include "desk/desk.h"

#endif
