/* tick.c - what time itself brings: notices by policy, duties (src/desk/duties), the KNB task. All of it comes from rows that say "not
 * yet", each made in its own transaction with the row that says "done": whatever an outage delays is made at the next tick, once. */
#include "desk/blob.h"
#include "desk/documents/documents.h"
#include "desk/duties/duties.h"
#include "desk/duties/setback.h"
#include "desk/integrity/integrity.h"
#include "desk/internal.h"
#include "desk/requests/requests.h"
#include "desk/surveys/surveys.h"
#include "base/log.h"
#include "desk/reports/reports.h"
#include "desk/schedule/schedule.h"
#include "desk/tables/tables.h"

#define TICK_ROWS 64

/* --- notices that policy sends --- */

static int auto_failed(struct call *c, int64_t id, const char *story)
{
    int rc = db_begin(c->d, c->e);

    if (rc < 0)
        return rc;
    rc = db_exec(c->d, c->e, "UPDATE cases SET auto_pending = 0 WHERE id = ?", "i", id);
    if (rc >= 0)
        rc = timeline_add(c, id, &(struct line){ .kind = "notice_failed", .key = "case.text.auto_failed", .internal = true,
                                                 .args = json_pack("{s:s}", "reason", story) });
    return db_end(c->d, rc, c->e);
}

static int one_auto(struct call *c, int64_t id)
{
    int rc = db_begin(c->d, c->e);

    if (rc < 0)
        return rc;
    rc = auto_notify(c, id);
    if (rc >= 0)
        rc = setback_done(c, SETBACK_AUTO, id);
    rc = db_end(c->d, rc, c->e);
    if (rc == -EINVAL || rc == -EPROTO || rc == -ENOENT) {
        /* The form lacks what only a person knows: said, and left to the analyst. */
        char story[ERR_TEXT_MAX];

        snprintf(story, sizeof story, "%s", c->e->text);
        rc = auto_failed(c, id, story);
    }
    if (setback_of_row(rc))
        rc = setback_add(c, SETBACK_AUTO, id, c->e->text, STR(""));
    return rc;
}

/* autos - one that cannot be sent now (a disk without room for its PDF) does not hold up those behind it. */
static int autos(struct call *c)
{
    int64_t ids[TICK_ROWS];
    int n = 0, made = 0, failed = 0;
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT id FROM cases WHERE auto_pending = 1 AND NOT " SETBACK_RESTS(SETBACK_AUTO, "cases.id", "?1") " ORDER BY id LIMIT 64",
                                "i", c->now);
    int rc = st ? 0 : -EIO;

    while (st && (rc = db_step(c->d, st, c->e)) > 0)
        ids[n++] = sqlite3_column_int64(st, 0);
    for (int i = 0; rc >= 0 && i < n; i++) {
        int one = one_auto(c, ids[i]);

        made += one >= 0;
        failed = one < 0 ? one : failed;
    }
    return rc < 0 ? rc : failed < 0 ? failed : made;
}

/* --- what the Rules order when D-06 is missed --- */

static int knb_task(struct call *c, const struct kase *k, time_ns due)
{
    struct letter l = { .kind = "knb_notice", .key = "knb_task", .due = due, .obligation = "D-06" };
    int rc = inbox_centre(c, k, &l);

    l.kind = "reminder";   /* the letter to ourselves is no document to anybody */
    return rc < 0 ? rc : letter_org_kind(c, k, "sts", &l, true);
}

int duty_late_case(struct call *c, int64_t case_id, struct str order, time_ns due)
{
    struct kase k;
    int rc = str_eq(order, STR("notify_knb")) ? case_load(c, case_id, &k) : -ENOENT;

    return rc == -ENOENT ? 0 : rc < 0 ? rc : knb_task(c, &k, due);
}

static int sessions_end(struct call *c)
{
    int64_t n = 0;
    /* One from the future was begun while the clock ran ahead: it would outlive every limit. */
    int rc = db_int(c->d, c->e, 0, &n, "SELECT count(*) FROM session WHERE seen_at <= ?1 OR created_at <= ?2 OR seen_at > ?3", "iii",
                    c->now - DESK_SESSION_IDLE_NS, c->now - DESK_SESSION_MOST_NS, c->now + DESK_SESSION_MOST_NS);

    if (rc < 0 || n == 0)
        return rc;
    rc = db_exec(c->d, c->e, "DELETE FROM session WHERE seen_at <= ?1 OR created_at <= ?2 OR seen_at > ?3", "iii", c->now - DESK_SESSION_IDLE_NS,
                 c->now - DESK_SESSION_MOST_NS, c->now + DESK_SESSION_MOST_NS);
    return rc < 0 ? rc : 0;
}

/* policy_part - what is wrong in a file of DATA/policy is logged once, and when it is good again. */
static int policy_part(struct call *c)
{
    uint64_t hash = 0;

    for (size_t i = 0; desk_policy_wrong(c->d, i); i++) {
        const char *wrong = desk_policy_wrong(c->d, i);

        hash = hash * 31 + (*wrong ? str_hash(str_c(wrong)) : 0);
    }
    for (size_t i = 0; hash != c->d->policy.told && desk_policy_wrong(c->d, i); i++)
        if (*desk_policy_wrong(c->d, i))
            log_line(LOG_ERROR, "a file of this site's policy is wrong and left out: what was good before, or ours, counts", "error.message", desk_policy_wrong(c->d, i), NULL);
    if (hash != c->d->policy.told && hash == 0)
        log_line(LOG_INFO, "this site's policy counts again", NULL);
    c->d->policy.told = hash;
    return 0;
}

/* The parts of a tick. One that fails does not stop the others: an overdue mark must not wait for a disk that has no room for a PDF, nor a
 * session's end for a report. */
typedef int tick_part(struct call *c);
static int uploads_part(struct call *c) { return uploads_sweep(c->d, c->now, c->e); }
static int files_part(struct call *c) { return files_sweep(c->d, c->now, c->e); }
static int audit_part(struct call *c) { return audit_sweep(c->d, c->now, c->e); }
static int tables_part(struct call *c) { return tables_tick(c->d, c->now, c->e); }
static int reports_part(struct call *c) { return reports_tick(c->d, c->now, c->e); }

static int tick(struct call *c, time_ns *next)
{
    static tick_part *const parts[] = {
        autos, duties_tick, sessions_end, uploads_part, files_part, audit_part, tables_part, reports_part, requests_tick,
        schedule_tick,
        surveys_tick,
        documents_tick,
        integrity_tick,
        keeping_tick,
        policy_part,
    };
    char story[ERR_TEXT_MAX] = "";
    int made = 0, failed = 0;

    for (size_t i = 0; i < COUNT(parts); i++) {
        int rc = parts[i](c);

        made += rc > 0 && i < 2 ? rc : 0;
        if (rc < 0 && failed == 0) {
            failed = rc;
            snprintf(story, sizeof story, "%s", c->e->text);
        }
        arena_reset(&c->a);
    }
    int rc = duties_next(c, next);
    return failed < 0 ? err_set(c->e, failed, "%s", story) : rc < 0 ? rc : made;
}

int desk_tick(struct desk *d, time_ns now, time_ns *next, struct err *e)
{
    struct desk_reply r = { 0 };
    time_ns when = INT64_MAX;
    struct call c;
    int rc;

    desk_call_init(&c, d, NULL, now, &r);
    rc = tick(&c, &when);
    if (next)
        *next = when;
    if (rc < 0)
        err_set(e, rc, "%s", r.err.text);
    desk_call_free(&c);
    desk_reply_free(&r);
    return rc;
}
