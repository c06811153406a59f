/* surveys.h - surveys for vulnerabilities: from the line of the schedule to the measures of the owner.
 *
 * Owns      its tables in desk.db (surveys/schema.c).
 * Promises  an act is one transaction with its audit row, or nothing.
 * Threads   as struct desk.
 * Units     time_ns.
 * Source    paragraphs 10(2), 11, 13 of the Rules; requirements 4.4, 7.5, D-12, D-13, Q-15, Q-16. */
#ifndef SAQSHY_DESK_SURVEYS_H
#define SAQSHY_DESK_SURVEYS_H

#include "desk/desk.h"

#endif
