/* tick.c - what time itself does to duties: recounting when the calendar is another one, overdue marks and taking back false ones, reminders.
 *
 * Each row is made in a transaction of its own. Whether there is anything to do is asked before, without one: most turns have nothing to do
 * and must neither lock nor sync. */
#include "desk/duties/room.h"

#define TURN_MOST 640   /* rows of a kind in one turn; the next turn goes on */

/* --- the calendar and the internal days by which rows that run were counted --- */

/* print_of - changes with the calendar's version, the internal days and the policy of reminders. */
static void print_of(const struct desk *d, char out[65])
{
    const struct duty_world *w = d->setup.world;
    AUTO_BUF struct buf b;

    buf_init(&b, 64 * KIB);
    buf_printf(&b, "%.*s|%s|", STR_ARG(w->calendar->version), policy_print(d->duty_policy));
    for (size_t i = 0; i < w->edition->obligation_count; i++) {
        const struct duty_target *t = duty_target_of(w, &w->edition->obligations[i]);

        if (t)
            buf_printf(&b, "%.*s=%d%s|", STR_ARG(t->obligation), t->amount, duty_unit_name(t->unit));
    }
    secret_sha256_hex(buf_view(&b), out);
}

static int counted_by(struct call *c, struct str *out)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT value FROM meta WHERE key = 'duty.counted'", "");
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    *out = (struct str){ NULL, 0 };
    if (rc > 0) {
        *out = db_copy(st, 0, &c->a);
        db_done(st);
    }
    return rc < 0 ? rc : 0;
}

/* recount_some - up to 64 rows that run, from the cursor on, in one transaction. Returns how many it saw; *moved counts those that moved. */
static int recount_some(struct call *c, int64_t *cursor, int64_t *moved)
{
    int64_t ids[64];
    int n = 0, rc = 0;
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT id FROM duty WHERE state = 'running' AND id > ? ORDER BY id LIMIT 64", "i", *cursor);

    while (st && (rc = db_step(c->d, st, c->e)) > 0)
        ids[n++] = sqlite3_column_int64(st, 0);
    rc = st ? rc : -EIO;
    for (int i = 0; rc >= 0 && i < n; i++) {
        struct duty_row row;

        rc = row_load(c, ids[i], &row);
        /* Of an edition that is no longer in content nothing can be counted: the row stays as it was. */
        if (rc == 0 && row_obligation(c->d, &row))
            rc = row_recount(c, &row, (struct duty_start){ row.from_at, row.from_day }, CHANGE_CALENDAR, (struct str){ NULL, 0 });
        if (rc > 0)
            ++*moved;
        else if (rc == 0)
            rc = reminders_plan(c, ids[i], 0);   /* the policy may be another one; what an outage left undone stays */
        *cursor = ids[i];
    }
    return rc < 0 ? rc : n;
}

static int recount_finish(struct call *c, const char *print, bool first, int64_t moved)
{
    char text[24];
    int rc = db_exec(c->d, c->e, "INSERT INTO meta(key, value) VALUES ('duty.counted', ?1) ON CONFLICT(key) DO UPDATE SET value = ?1", "z", print);

    snprintf(text, sizeof text, "%lld", (long long)moved);
    return rc < 0 || first ? rc : audit_add(c, "duty.recount", "duty", str_c(text), "ok");
}

/* recount - all that runs, once, when what they were counted by is no longer what is there. A kill on the way begins again: counting is
 * repeatable and leaves a trace only of what moves. */
static int recount(struct call *c)
{
    int64_t cursor = 0, moved = 0;
    struct str was;
    char print[65];
    int rc = counted_by(c, &was), seen = 1;

    bool first = was.p == NULL;
    print_of(c->d, print);
    if (rc < 0 || str_eq(was.p ? was : STR(""), str_c(print)))
        return rc;
    while (rc >= 0 && seen > 0) {
        arena_reset(&c->a);
        rc = db_begin(c->d, c->e);
        if (rc < 0)
            return rc;
        rc = seen = db_end(c->d, recount_some(c, &cursor, &moved), c->e);
    }
    if (rc < 0)
        return rc;
    rc = db_begin(c->d, c->e);
    if (rc == 0)
        rc = db_end(c->d, recount_finish(c, print, first, moved), c->e);
    return rc < 0 ? rc : (int)moved;
}

/* --- marks --- */

static bool lawful(const struct duty_row *row) { return str_eq(row->basis, STR("law")); }

/* one_overdue - an act at the due instant is in time: overdue is strictly after it. What has only an internal day is told as such. */
static int one_overdue(struct call *c)
{
    struct duty_row row;
    int64_t id = 0;
    int rc = db_int(c->d, c->e, 0, &id,
                    "SELECT id FROM duty WHERE state = 'running' AND overdue_marked_at IS NULL AND due_at IS NOT NULL AND due_at < ? ORDER BY due_at, id"
                    " LIMIT 1",
                    "i", c->now);

    if (rc < 0 || id == 0)
        return rc;
    rc = row_load(c, id, &row);
    if (rc < 0)
        return rc;
    struct subject s = row_subject(&row);
    const struct obligation *o = row_obligation(c->d, &row);
    rc = db_exec(c->d, c->e, "UPDATE duty SET overdue_marked_at = ?2 WHERE id = ?1", "ii", id, c->now);
    if (rc >= 0)
        rc = timeline_of(c, &s, &(struct line){ .kind = lawful(&row) ? "clock_overdue" : "target_passed", .obligation = row.obligation.p,
                                                .happened_at = row.due_at, .due_at = row.due_at });
    if (rc == 0 && o && lawful(&row) && row.case_id && o->on_late.n)
        rc = duty_late_case(c, row.case_id, o->on_late, row.due_at);
    change_id(c->d, "clock", id);
    return rc < 0 ? rc : 1;
}

/* one_false_mark - the clock of the machine ran ahead and has come back: the mark goes, the trace stays, and what was sent too early is sent
 * again when its time comes. */
static int one_false_mark(struct call *c)
{
    struct duty_row row;
    int64_t id = 0;
    int rc = db_int(c->d, c->e, 0, &id, "SELECT id FROM duty WHERE state = 'running' AND overdue_marked_at IS NOT NULL AND due_at >= ? ORDER BY due_at"
                                        " DESC, id LIMIT 1", "i", c->now);

    if (rc < 0 || id == 0)
        return rc;
    rc = row_load(c, id, &row);
    if (rc < 0)
        return rc;
    struct subject s = row_subject(&row);
    rc = db_exec(c->d, c->e, "UPDATE duty SET overdue_marked_at = NULL WHERE id = ?", "i", id);
    if (rc >= 0)
        rc = trace_add(c, id, CHANGE_CLOCK, (struct str){ NULL, 0 },
                       &(struct moved){ .due_was = row.due_at, .due_is = row.due_at, .from_was = row.from_at, .from_is = row.from_at });
    if (rc == 0)
        rc = db_exec(c->d, c->e, "UPDATE reminder SET sent_at = NULL, outcome = NULL WHERE duty_id = ?1 AND at > ?2 AND sent_at > ?2 AND kind IN"
                                 " ('before','due')", "ii", id, c->now);
    if (rc >= 0)
        rc = db_exec(c->d, c->e, "DELETE FROM reminder WHERE duty_id = ?1 AND at > ?2 AND kind IN ('after','chain')", "ii", id, c->now);
    if (rc >= 0)
        rc = reminders_plan(c, id, c->now);
    if (rc == 0)
        rc = timeline_of(c, &s, &(struct line){ .kind = "clock_overdue_undone", .obligation = row.obligation.p, .due_at = row.due_at,
                                                .key = "duty.text.clock_undone" });
    change_id(c->d, "clock", id);
    return rc < 0 ? rc : 1;
}

/* --- the turn --- */

static int repeat(struct call *c, int (*one)(struct call *))
{
    int made = 0, rc = 1;

    while (rc > 0 && made < TURN_MOST) {
        arena_reset(&c->a);
        rc = db_begin(c->d, c->e);
        if (rc < 0)
            return rc;
        rc = db_end(c->d, one(c), c->e);
        made += rc > 0;
    }
    return rc < 0 ? rc : made;
}

static int false_marks(struct call *c, int64_t *count)
{
    return db_int(c->d, c->e, 0, count, "SELECT EXISTS (SELECT 1 FROM duty WHERE state = 'running' AND overdue_marked_at IS NOT NULL AND due_at >= ?)", "i",
                  c->now);
}

int duties_next(struct call *c, time_ns *next)
{
    return db_int(c->d, c->e, INT64_MAX, next,
                  "SELECT min(t) FROM (SELECT min(at) AS t FROM reminder WHERE sent_at IS NULL UNION ALL SELECT min(due_at) + 1 FROM duty WHERE"
                  " state = 'running' AND overdue_marked_at IS NULL AND due_at IS NOT NULL)",
                  "");
}

/* duties_tick - one part that fails does not stop the others: an overdue mark must not wait for a reminder that cannot be written. */
int duties_tick(struct call *c)
{
    time_ns next = INT64_MAX;
    int64_t wrong = 0;
    int made = recount(c), rc = made < 0 ? made : false_marks(c, &wrong), sum = made > 0 ? made : 0;

    if (rc >= 0 && wrong) {
        rc = repeat(c, one_false_mark);
        sum += rc > 0 ? rc : 0;
    }
    if (rc >= 0)
        rc = duties_next(c, &next);
    if (rc < 0 || next > c->now)
        return rc < 0 ? rc : sum;
    made = repeat(c, reminder_one);
    sum += made > 0 ? made : 0;
    rc = repeat(c, one_overdue);
    sum += rc > 0 ? rc : 0;
    return rc < 0 ? rc : made < 0 ? made : sum;
}
