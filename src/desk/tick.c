/* tick.c - what time itself brings: notices by policy, reminders, overdue marks, the KNB task. All of it comes from rows that say "not
 * yet", each made in its own transaction with the row that says "done": whatever an outage delays is made at the next tick, once. */
#include "desk/blob.h"
#include "desk/internal.h"
#include "base/log.h"
#include "desk/reports/reports.h"
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

static int autos(struct call *c)
{
    int64_t ids[TICK_ROWS];
    int n = 0, made = 0;
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT id FROM cases WHERE auto_pending = 1 ORDER BY id LIMIT 64", "");
    int rc = st ? 0 : -EIO;

    while (st && (rc = db_step(c->d, st, c->e)) > 0)
        ids[n++] = sqlite3_column_int64(st, 0);
    for (int i = 0; rc >= 0 && i < n; i++) {
        rc = db_begin(c->d, c->e);
        if (rc < 0)
            return rc;
        rc = db_end(c->d, auto_notify(c, ids[i]), c->e);
        if (rc == -EINVAL || rc == -EPROTO || rc == -ENOENT) {
            /* The form lacks what only a person knows: said, and left to the analyst. */
            char story[ERR_TEXT_MAX];

            snprintf(story, sizeof story, "%s", c->e->text);
            rc = auto_failed(c, ids[i], story);
        }
        made++;
    }
    return rc < 0 ? rc : made;
}

/* --- reminders --- */

static int remind(struct call *c, int64_t reminder, int64_t case_id, const char *obligation, int64_t percent, unsigned to, time_ns at, time_ns due)
{
    struct letter l = { .kind = "reminder", .key = "reminder", .obligation = obligation, .due = due };
    char text[24];
    struct kase k;
    int rc = db_exec(c->d, c->e, "UPDATE reminder SET sent_at = ?2 WHERE id = ?1 AND sent_at IS NULL", "ii", reminder, c->now);

    if (rc <= 0)
        return rc;
    rc = case_load(c, case_id, &k);
    snprintf(text, sizeof text, "%lld", (long long)percent);
    if (rc == 0)
        rc = timeline_add(c, case_id, &(struct line){ .kind = "reminder", .obligation = obligation, .happened_at = at, .due_at = due,
                                                      .key = "case.text.reminder", .args = json_pack("{s:s}", "percent", text),
                                                      .internal = !(to & REMIND_OWNER) });
    if (rc == 0 && (to & REMIND_CENTRE))
        rc = letter_org_kind(c, &k, "sts", &l, true);
    if (rc == 0 && (to & REMIND_OWNER))
        rc = letter_owner(c, &k, &l);
    return rc < 0 ? rc : 1;
}

/* one_reminder - the earliest that is due and unsent; 1 if one was made, 0 if there is none. */
static int one_reminder(struct call *c)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT r.id, d.case_id, d.obligation, r.percent, r.recipients, r.at, d.due_at FROM reminder r JOIN duty d ON"
                                " d.id = r.duty_id WHERE r.sent_at IS NULL AND d.case_id IS NOT NULL AND r.at <= ? ORDER BY r.at, r.id LIMIT 1",
                                "i", c->now);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    if (rc <= 0)
        return rc;
    int64_t id = sqlite3_column_int64(st, 0), case_id = sqlite3_column_int64(st, 1), percent = sqlite3_column_int64(st, 3);
    struct str obligation = db_copy(st, 2, &c->a);
    unsigned to = (unsigned)sqlite3_column_int64(st, 4);
    time_ns at = sqlite3_column_int64(st, 5), due = sqlite3_column_int64(st, 6);
    db_done(st);
    return remind(c, id, case_id, obligation.p, percent, to, at, due);
}

/* --- overdue marks, and what the Rules order when D-06 is missed --- */

static int knb_task(struct call *c, const struct kase *k, time_ns due)
{
    struct letter l = { .kind = "knb_notice", .key = "knb_task", .due = due, .obligation = "D-06" };
    int rc = inbox_centre(c, k, &l);

    l.kind = "reminder";   /* the letter to ourselves is no document to anybody */
    return rc < 0 ? rc : letter_org_kind(c, k, "sts", &l, true);
}

static int one_overdue(struct call *c)
{
    /* An act at the due instant is in time: overdue is strictly after it. */
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT id, case_id, obligation, due_at, subject, subject_id FROM duty WHERE state = 'running' AND overdue_marked_at IS NULL AND due_at < ?"
                                " ORDER BY due_at, id LIMIT 1",
                                "i", c->now);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;
    struct kase k;

    if (rc <= 0)
        return rc;
    int64_t id = sqlite3_column_int64(st, 0), case_id = sqlite3_column_int64(st, 1);
    struct str obligation = db_copy(st, 2, &c->a);
    time_ns due = sqlite3_column_int64(st, 3);
    struct str kind = db_copy(st, 4, &c->a), subject_id = db_copy(st, 5, &c->a);
    db_done(st);
    const struct obligation *o = edition_obligation(c->d->setup.world->edition, obligation);
    const struct subject about = { .kind = kind.p, .id = subject_id, .case_id = case_id };
    rc = db_exec(c->d, c->e, "UPDATE duty SET overdue_marked_at = ?2 WHERE id = ?1", "ii", id, c->now);
    if (rc >= 0 && case_id)
        rc = case_load(c, case_id, &k);
    if (rc >= 0)
        rc = timeline_of(c, &about, &(struct line){ .kind = "clock_overdue", .obligation = obligation.p, .happened_at = due, .due_at = due });
    if (rc == 0 && case_id && o && str_eq(o->on_late, STR("notify_knb")))
        rc = knb_task(c, &k, due);
    change_id(c->d, "clock", id);
    return rc < 0 ? rc : 1;
}

static int repeat(struct call *c, int (*one)(struct call *))
{
    int made = 0, rc = 1;

    while (rc > 0 && made < 10 * TICK_ROWS) {
        arena_reset(&c->a);
        rc = db_begin(c->d, c->e);
        if (rc < 0)
            return rc;
        rc = db_end(c->d, one(c), c->e);
        made += rc > 0;
    }
    return rc < 0 ? rc : made;
}

/* anything_due - asked without a transaction first: most ticks have nothing to do and must not lock or sync. */
static int next_moment(struct call *c, time_ns *next)
{
    return db_int(c->d, c->e, INT64_MAX, next,
                  "SELECT min(t) FROM (SELECT min(r.at) AS t FROM reminder r JOIN duty d ON d.id = r.duty_id WHERE r.sent_at IS NULL AND d.case_id IS NOT NULL UNION ALL SELECT min(due_at) + 1 FROM duty WHERE"
                  " state = 'running' AND overdue_marked_at IS NULL)",
                  "");
}

static int sessions_end(struct call *c)
{
    int64_t n = 0;
    int rc = db_int(c->d, c->e, 0, &n, "SELECT count(*) FROM session WHERE seen_at <= ?1 OR created_at <= ?2", "ii", c->now - DESK_SESSION_IDLE_NS,
                    c->now - DESK_SESSION_MOST_NS);

    if (rc < 0 || n == 0)
        return rc;
    rc = db_exec(c->d, c->e, "DELETE FROM session WHERE seen_at <= ?1 OR created_at <= ?2", "ii", c->now - DESK_SESSION_IDLE_NS,
                 c->now - DESK_SESSION_MOST_NS);
    return rc < 0 ? rc : 0;
}

/* tick - one part that fails does not stop the others: an overdue mark must not wait for a disk that has no room for a PDF. */
static int tick(struct call *c, time_ns *next)
{
    char story[ERR_TEXT_MAX] = "";
    int sent = autos(c), made = sent > 0 ? sent : 0, rc;

    if (sent < 0)
        snprintf(story, sizeof story, "%s", c->e->text);
    rc = next_moment(c, next);
    if (rc == 0 && *next <= c->now) {
        rc = repeat(c, one_reminder);
        made += rc > 0 ? rc : 0;
        int marked = repeat(c, one_overdue);
        made += marked > 0 ? marked : 0;
        rc = rc < 0 ? rc : marked < 0 ? marked : next_moment(c, next);
    }
    if (rc >= 0)
        rc = sessions_end(c);
    if (rc >= 0)
        rc = uploads_sweep(c->d, c->now, c->e);
    if (rc >= 0)
        rc = audit_sweep(c->d, c->now, c->e);
    if (rc >= 0 && sent < 0)
        rc = err_set(c->e, sent, "%s", story);
    return rc < 0 ? rc : made;
}

int desk_tick(struct desk *d, time_ns now, time_ns *next, struct err *e)
{
    struct desk_reply r = { 0 };
    time_ns when = INT64_MAX;
    struct call c;
    int rc;

    desk_call_init(&c, d, NULL, now, &r);
    rc = tick(&c, &when);
    if (rc >= 0) {
        int seen = tables_tick(d, now, c.e);

        if (seen >= 0)
            seen = reports_tick(d, now, c.e);

        rc = seen < 0 ? seen : rc;
    }
    if (next)
        *next = when;
    if (rc < 0)
        err_set(e, rc, "%s", r.err.text);
    desk_call_free(&c);
    desk_reply_free(&r);
    return rc;
}
