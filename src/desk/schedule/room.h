/* room.h - what the files of the schedule share and no other room needs.
 *
 * Owns      nothing.
 * Promises  see schedule.h.
 * Threads   as struct desk. */
#ifndef SAQSHY_DESK_SCHEDULE_ROOM_H
#define SAQSHY_DESK_SCHEDULE_ROOM_H

#include "desk/internal.h"
#include "desk/schedule/schedule.h"

/* plan_begin - a work has begun: "agreed" becomes "in_execution"; while an amendment is written, it is kept for its end. */
MUST_USE int plan_begin(struct call *c, int64_t plan);

#endif
