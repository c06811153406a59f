/* counts.c - who may know of a change, and the numbers that metrics show. */
#include "desk/notices/room.h"
#include "desk/schedule/schedule.h"

int desk_knows(struct desk *d, const struct viewer *v, struct str type, struct str id, bool *yes, struct err *e)
{
    static const struct { const char *type, *sql; } asks[] = {
        { "case", "SELECT count(*) FROM cases k LEFT JOIN object o ON o.id = k.object_id WHERE k.id = ?5 AND " CASE_VISIBLE },
        { "clock", "SELECT count(*) FROM duty d LEFT JOIN cases k ON k.id = d.case_id LEFT JOIN object o ON o.id = coalesce(d.object_id, k.object_id)"
                   " WHERE d.id = ?5 AND (?1 = 0 OR ((?2 IN (d.org_id, d.performer_org) OR " SCOPE_OBJECT ") AND (d.case_id IS NULL OR "
                   CASE_SHOWN("?3") ")))" },
        { "inbox", "SELECT count(*) FROM notice n WHERE n.id = ?5 AND n.channel = 'inbox' AND ((?1 = 1 AND n.org_id = ?2 AND " NOTICE_TOLD("n", "?3") ")"
                   " OR (?1 = 0 AND n.org_id IS NULL))" },
        { "request", "SELECT count(*) FROM request r JOIN object o ON o.id = r.object_id WHERE r.id = ?5 AND (?1 = 0 OR (r.inner = 0 AND "
                     SCOPE_OBJECT "))" },
        { "survey", "SELECT count(*) FROM survey s JOIN object o ON o.id = s.object_id WHERE s.id = ?5 AND (?1 = 0 OR (s.told_at IS NOT NULL AND "
                    SCOPE_OBJECT "))" },
        { "doc", "SELECT count(*) FROM td_survey s JOIN object o ON o.id = s.object_id WHERE s.id = ?5 AND (?1 = 0 OR (s.inner = 0 AND " SCOPE_OBJECT "))" },
    };
    struct scope scope = scope_of(v);
    int64_t n = 0;
    int rc = 0;

    *yes = false;
    if (str_eq(type, STR("inbox")) && v->role == DESK_ADMINISTRATOR)
        return 0;
    for (size_t i = 0; i < COUNT(asks); i++)
        if (str_eq(type, str_c(asks[i].type)))
            rc = db_int(d, e, 0, &n, asks[i].sql, "iziii", scope.bounded, scope.org, v->user_id, (int64_t)(v->role == DESK_KNB), parse_id(id));
    if (str_eq(type, STR("link")) && v->role == DESK_OWNER_ADMINISTRATOR)
        rc = db_int(d, e, 0, &n, "SELECT count(*) FROM link_self WHERE org_id = ?", "z", v->org_id);
    else if (str_eq(type, STR("link")))
        n = role_of_centre(v->role) || v->role == DESK_ADMINISTRATOR || v->role == DESK_AUDITOR;
    if (str_eq(type, STR("plan")))
        rc = schedule_knows(d, v, parse_id(id), &n, e);
    if (str_eq(type, STR("source")) || str_eq(type, STR("change")))
        rc = db_int(d, e, 0, &n, "SELECT count(*) FROM object o WHERE o.id = ?3 AND " SCOPE_OBJECT, "izt", scope.bounded, scope.org, id);
    *yes = rc == 0 && n > 0;
    return rc;
}

int desk_count(struct desk *d, time_ns now, struct desk_counts *out, struct err *e)
{
    const struct { int64_t *to; const char *sql; bool timed; } asks[] = {
        { &out->open_cases, "SELECT count(*) FROM cases WHERE state <> 'closed'", false },
        { &out->running_clocks, "SELECT count(*) FROM duty WHERE state = 'running'", false },
        { &out->overdue_clocks, "SELECT count(*) FROM duty WHERE state = 'running' AND due_at < ?", true },
        { &out->letters_queued, "SELECT count(*) FROM notice WHERE channel = 'email' AND state = 'queued'", false },
        { &out->letters_failed, "SELECT count(*) FROM notice WHERE channel = 'email' AND state = 'failed'", false },
        { &out->rows_waiting, "SELECT count(*) FROM setback WHERE kind <> 'finding'", false },
        { &out->findings_waiting, "SELECT count(*) FROM setback WHERE kind = 'finding'", false },
        { &out->files_swept, "SELECT value FROM meta WHERE key = 'files_swept'", false },
        { &out->link_waiting, "SELECT coalesce(sum(out_sequence - acked), 0) FROM link_peer WHERE active = 1", false },
        { &out->link_oldest_s, "SELECT coalesce((? - min(x.created_at)) / 1000000000, 0) FROM link_peer p JOIN link_out x ON x.node = p.node AND x.epoch = p.out_epoch"
                               " AND x.sequence = p.acked + 1 WHERE p.active = 1", true },
        { &out->link_refused, "SELECT count(*) FROM link_out WHERE receipt = 'refused'", false },
        { &out->link_unapplied, "SELECT count(*) FROM link_in WHERE step_result = 'not_applied'", false },
        { &out->link_held, "SELECT count(*) FROM link_held", false },
        { &out->findings_taken, "SELECT value - 1 FROM meta WHERE key = 'findings_next'", false },
        { &out->sessions, "SELECT count(*) FROM session WHERE seen_at > ?", true },
    };
    int rc = 0;

    *out = (struct desk_counts){ 0 };
    for (size_t i = 0; desk_policy_wrong(d, i); i++)
        out->policies_wrong += *desk_policy_wrong(d, i) != 0;
    for (size_t i = 0; rc == 0 && i < COUNT(asks); i++)
        rc = asks[i].timed ? db_int(d, e, 0, asks[i].to, asks[i].sql, "i", asks[i].to == &out->sessions ? now - DESK_SESSION_IDLE_NS : now)
                           : db_int(d, e, 0, asks[i].to, asks[i].sql, "");
    return rc;
}
