/* lines.h - which lines a viewer sees, in one place.
 *
 * Owns      nothing; a struct line_scope borrows from the viewer.
 * Promises  no query of lines goes without LINE_SEEN.
 * Threads   any. */
#ifndef SAQSHY_DESK_SCHEDULE_LINES_H
#define SAQSHY_DESK_SCHEDULE_LINES_H

#include "desk/schedule/room.h"

/* An organisation sees its objects; a surveyor or auditor of documents the works of their teams; the others all. KNB sees all of what plan_load and
 * plan_sees_draft let it see. */
struct line_scope {
    int64_t     bounded;
    const char *org;
    int64_t     member;    /* the account whose teams are seen; 0: not by team */
};
struct line_scope line_scope_of(const struct viewer *v);
/* Bound as ?1 bounded, ?2 org, ?3 member: formats "izi". */
#define LINE_SEEN                                                                                                       \
    "(?1 = 0 OR l.object_id IN " OBJECTS_OF("?2") ") AND (?3 = 0 OR l.team_id IN (SELECT team_id FROM team_member WHERE" \
    " user_id = ?3))"

/* What came of a line: how it stands on a day (bound as ?4): planned, waiting, blocked, in_progress, in_time, late, overdue, cancelled. */
#define LINE_STANDS                                                                                                                       \
    "CASE WHEN w.state = 'completed' THEN iif(w.completed_on <= l.to_on, 'in_time', 'late') WHEN w.state = 'cancelled' THEN 'cancelled' WHEN" \
    " l.to_on < ?4 THEN 'overdue' WHEN w.state IN ('in_progress','blocked') THEN w.state ELSE 'planned' END"

#endif
