/* work.c - the plan in execution: lines handed to the rooms that do the works, what came of them, and what an amendment changed under their hands. */
#include "desk/duties/setback.h"
#include "desk/registry/registry.h"
#include "desk/schedule/room.h"

#define LINE "l.id, l.plan_id, coalesce(l.pair_id, 0), l.object_id, l.mode, l.kind, l.ordinal, l.from_on, l.to_on, coalesce(l.team_id, 0)"

static void line_read(struct call *c, sqlite3_stmt *st, struct plan_line *out)
{
    *out = (struct plan_line){ .id = sqlite3_column_int64(st, 0), .plan_id = sqlite3_column_int64(st, 1), .pair_id = sqlite3_column_int64(st, 2),
                               .object_id = db_copy(st, 3, &c->a), .mode = db_copy(st, 4, &c->a), .kind = db_copy(st, 5, &c->a),
                               .ordinal = sqlite3_column_int(st, 6), .from_on = db_copy(st, 7, &c->a), .to_on = db_copy(st, 8, &c->a),
                               .team_id = sqlite3_column_int64(st, 9) };
}

int schedule_line(struct call *c, int64_t id, struct plan_line *out)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT " LINE " FROM plan_line l WHERE l.id = ? AND l.draft = 0", "i", id);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    if (rc < 0)
        return rc;
    if (rc == 0)
        return err_set(c->e, -ENOENT, "no agreed line %lld", (long long)id);
    line_read(c, st, out);
    db_done(st);
    return 0;
}

int schedule_take(struct call *c, bool documents, struct plan_line *out, size_t most, size_t *count)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT " LINE " FROM plan_wait w JOIN plan_line l ON l.id = w.line_id AND l.draft = 0 WHERE w.documents = ?1"
                                " AND NOT " SETBACK_RESTS(SETBACK_LINE, "w.line_id", "?3") " ORDER BY w.from_on, w.line_id LIMIT ?2",
                                "iii", (int64_t)documents, (int64_t)most, c->now);
    int rc = st ? 0 : -EIO;

    *count = 0;
    while (st && (rc = db_step(c->d, st, c->e)) > 0)
        line_read(c, st, &out[(*count)++]);
    for (size_t i = 0; rc >= 0 && i < *count; i++) {
        rc = db_exec(c->d, c->e, "DELETE FROM plan_wait WHERE line_id = ?", "i", out[i].id);
        if (rc >= 0)
            rc = db_exec(c->d, c->e, "INSERT INTO plan_work(line_id, plan_id, taken_at, state) VALUES (?,?,?,'planned')", "iii", out[i].id, out[i].plan_id,
                         c->now);
    }
    return rc < 0 ? rc : 0;
}

/* unheard - the registry says otherwise by now (no work type, out of operation): the work itself is not refused for that. */
static int unheard(struct call *c)
{
    c->r->code = NULL;
    c->r->field[0] = 0;
    return 0;
}

/* works_begin - the first work: the plan is in execution, and the object is monitored if it was waiting for that. */
static int works_begin(struct call *c, int64_t line)
{
    struct plan_line l;
    struct object_view o;
    int rc = schedule_line(c, line, &l);

    if (rc == -ENOENT)
        return 0;   /* an amendment has dropped it under way; the survey is told by schedule_moved */
    if (rc == 0)
        rc = plan_begin(c, l.plan_id);
    if (rc == 0)
        rc = object_look(c, (struct scope){ 0, "" }, l.object_id, &o);
    if (rc < 0 || !(str_eq(o.state, STR("scheduled")) || str_eq(o.state, STR("onboarding"))))
        return rc == -ENOENT ? 0 : rc;
    rc = object_move(c, l.object_id, "monitored", c->now, STR(""));
    return rc == -EPROTO ? unheard(c) : rc;
}

int schedule_line_state(struct call *c, int64_t line, struct str subject, struct str subject_id, struct str state, time_ns completed_at)
{
    bool completed = str_eq(state, STR("completed"));
    char day[16];
    int rc;

    local_date(c->d, completed_at, day);
    rc = db_exec(c->d, c->e,
                 "UPDATE plan_work SET subject = ?2, subject_id = ?3, state = ?4, completed_at = ?5, completed_on = ?6 WHERE line_id = ?1 AND"
                 " (state <> 'cancelled' OR ?4 = 'cancelled')",
                 "itttmz", line, subject, subject_id, state, completed ? completed_at : 0, completed ? day : NULL);

    if (rc == 0)
        return err_set(c->e, -ENOENT, "line %lld was not taken, or is cancelled", (long long)line);
    if (rc > 0 && (str_eq(state, STR("completed")) || str_eq(state, STR("cancelled"))))
        rc = db_exec(c->d, c->e, "DELETE FROM plan_change WHERE line_id = ?", "i", line);
    if (rc >= 0 && (str_eq(state, STR("in_progress")) || str_eq(state, STR("completed"))))
        rc = works_begin(c, line);
    return rc < 0 ? rc : 0;
}

int schedule_line_cancelled(struct call *c, int64_t line, struct str reason)
{
    int rc = db_exec(c->d, c->e, "UPDATE plan_work SET state = 'cancelled', reason = ?2 WHERE line_id = ?1 AND state <> 'completed'", "it", line,
                     reason.n ? reason : STR("-"));

    if (rc > 0)
        rc = db_exec(c->d, c->e, "DELETE FROM plan_change WHERE line_id = ?", "i", line);
    else if (rc == 0)
        return err_set(c->e, -ENOENT, "line %lld was not taken, or is completed", (long long)line);
    return rc < 0 ? rc : 0;
}

int schedule_moved(struct call *c, bool documents, struct plan_moved *out, size_t most, size_t *count)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT l.line_id, l.plan_id, coalesce(l.pair_id, 0), l.object_id, l.mode, l.kind, l.ordinal, l.from_on, l.to_on,"
                                " coalesce(l.team_id, 0), l.cancelled, l.reason, w.subject_id FROM plan_change l LEFT JOIN plan_work w ON w.line_id ="
                                " l.line_id WHERE l.documents = ?1 AND NOT " SETBACK_RESTS(SETBACK_MOVED, "l.line_id", "?3") " ORDER BY l.line_id LIMIT ?2",
                                "iii", (int64_t)documents, (int64_t)most, c->now);
    int rc = st ? 0 : -EIO;

    *count = 0;
    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        struct plan_moved *m = &out[(*count)++];

        line_read(c, st, &m->line);
        m->cancelled = sqlite3_column_int(st, 10) != 0;
        m->reason = db_copy(st, 11, &c->a);
        m->subject_id = sqlite3_column_type(st, 12) == SQLITE_NULL ? STR("") : db_copy(st, 12, &c->a);
    }
    for (size_t i = 0; rc >= 0 && i < *count; i++)
        rc = db_exec(c->d, c->e, "DELETE FROM plan_change WHERE line_id = ?", "i", out[i].line.id);
    return rc < 0 ? rc : 0;
}

int schedule_team_has(struct call *c, int64_t team, int64_t user)
{
    int64_t n = 0;
    int rc = db_int(c->d, c->e, 0, &n, "SELECT count(*) FROM team_member WHERE team_id = ? AND user_id = ?", "ii", team, user);

    return rc < 0 ? rc : n > 0;
}

int schedule_team_name(struct call *c, int64_t team, struct str *out)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT name FROM team WHERE id = ?", "i", team);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    *out = (struct str){ NULL, 0 };
    if (rc > 0) {
        *out = db_copy(st, 0, &c->a);
        db_done(st);
    }
    return rc < 0 ? rc : 0;
}

/* schedule_tick - objects that stand in an agreed plan and are still "listed": some at a time, each with its own row of history. One whose works were
 * taken away since (7.7 row 8 wants some) is not asked for, however many there are. */
int schedule_tick(struct call *c)
{
    struct str ids[32];
    size_t n = 0;
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT o.id FROM object o WHERE o.state = 'listed' AND EXISTS (SELECT 1 FROM plan_object p WHERE p.object_id = o.id AND"
                                " p.draft = 0 AND p.works > 0) AND EXISTS (SELECT 1 FROM plan WHERE agreed_version > 0) AND EXISTS (SELECT 1 FROM record r WHERE"
                                " r.kind = 'object' AND r.id = o.id AND json_extract(r.json, '$.work_types') LIKE '%\"%') ORDER BY o.id LIMIT 32",
                                "");
    int rc = st ? 0 : -EIO;

    while (st && (rc = db_step(c->d, st, c->e)) > 0)
        ids[n++] = db_copy(st, 0, &c->a);
    for (size_t i = 0; rc >= 0 && i < n; i++) {
        rc = db_begin(c->d, c->e);
        if (rc == 0)
            rc = db_end(c->d, object_move(c, ids[i], "scheduled", c->now, STR("")), c->e);
        if (setback_of_row(rc))
            rc = unheard(c);
    }
    return rc < 0 ? rc : (int)n;
}
