/* schedule.h - the yearly schedule of monitoring works: what is planned for each object, agreed with KNB, and what came of it.
 *
 * Owns      its tables in desk.db (schedule/schema.c).
 * Promises  an act is one transaction with its audit row, or nothing.
 * Threads   as struct desk.
 * Units     time_ns.
 * Source    paragraph 9 of the Rules; requirements 7.8, R-9-01, R-9-02, F-01 to F-04, Q-15, Q-20. */
#ifndef SAQSHY_DESK_SCHEDULE_H
#define SAQSHY_DESK_SCHEDULE_H

#include "desk/desk.h"

#endif
