/* tick.c - what time itself does to duties: recounting when the calendar is another one, overdue marks and taking back false ones, reminders.
 *
 * Each row is made in a transaction of its own. Whether there is anything to do is asked before, without one: most turns have nothing to do
 * and must neither lock nor sync. */
#include "desk/duties/room.h"
#include "desk/duties/setback.h"

#define TURN_MOST    640   /* rows of a kind in one turn; the next turn goes on */
#define SET_BACK_NS  NS_PER_MINUTE   /* a clock that went back by less was corrected, and did not run ahead */
#define RECOUNT_ROWS 64    /* counted anew in one transaction */

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

/* recount_row - one that runs; what has ended stays as it was counted. Of an edition that is no longer in content nothing can be counted. */
static int recount_row(struct call *c, int64_t id, int64_t *moved)
{
    struct duty_row row;
    int rc = row_load(c, id, &row);

    if (rc == 0 && str_eq(row.state, STR("running")) && row_obligation(c->d, &row))
        rc = row_recount(c, &row, (struct duty_start){ row.from_at, row.from_day }, CHANGE_CALENDAR, (struct str){ NULL, 0 });
    if (rc == 0 && str_eq(row.state, STR("running")))
        rc = reminders_plan(c, id, 0);   /* the policy may be another one; what an outage left undone stays */
    *moved += rc > 0;
    return rc < 0 ? rc : 0;
}

struct recount_turn {
    int64_t cursor, moved;
    int64_t at;      /* the row in work: of a failure, the one that failed */
    int64_t singly;  /* rows up to this one are counted one by one */
    int64_t most;    /* rows of the next transaction */
};

/* recount_some - up to t->most rows that run, from the cursor on, in one transaction. Returns how many it saw. */
static int recount_some(struct call *c, struct recount_turn *t)
{
    int64_t ids[RECOUNT_ROWS];
    int n = 0, rc = 0;
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT id FROM duty WHERE state = 'running' AND id > ?1 ORDER BY id LIMIT ?2", "ii", t->cursor, t->most);

    t->at = 0;
    while (st && (rc = db_step(c->d, st, c->e)) > 0)
        ids[n++] = sqlite3_column_int64(st, 0);
    rc = st ? rc : -EIO;
    for (int i = 0; rc >= 0 && i < n; i++) {
        t->at = ids[i];
        rc = recount_row(c, ids[i], &t->moved);
    }
    return rc < 0 ? rc : n;
}

/* recount_lot - the next rows; one that cannot be counted is marked and passed, its neighbours are then counted one by one. */
static int recount_lot(struct call *c, struct recount_turn *t)
{
    const int64_t moved = t->moved;
    int rc = db_begin(c->d, c->e);

    if (rc < 0)
        return rc;
    rc = db_end(c->d, recount_some(c, t), c->e);
    if (rc >= 0) {
        t->cursor = t->at;
        t->most = t->most == 1 && t->at < t->singly ? 1 : RECOUNT_ROWS;
        return rc;
    }
    t->moved = moved;
    if (!t->at || !setback_of_row(rc))
        return rc;
    if (t->most > 1) {
        t->most = 1;
        t->singly = t->at;
        return 1;
    }
    rc = setback_add(c, SETBACK_RECOUNT, t->at, c->e->text, (struct str){ NULL, 0 });
    t->cursor = t->at;
    return rc < 0 ? rc : 1;
}

static int one_recount_again(struct call *c, int64_t *id)
{
    int64_t moved = 0;
    int rc = db_int(c->d, c->e, 0, id, "SELECT id FROM setback WHERE kind = '" SETBACK_RECOUNT "' AND (next_at <= ?1 OR last_at > ?1) ORDER BY next_at LIMIT 1",
                    "i", c->now);

    if (rc < 0 || *id == 0)
        return rc;
    rc = recount_row(c, *id, &moved);
    return rc < 0 ? rc : 1;
}

static int recount_again(struct call *c)
{
    int64_t some = 0;
    int rc = db_int(c->d, c->e, 0, &some, "SELECT count(*) FROM setback WHERE kind = '" SETBACK_RECOUNT "' AND (next_at <= ?1 OR last_at > ?1)", "i", c->now);

    return rc < 0 || !some ? rc : setback_repeat(c, SETBACK_RECOUNT, one_recount_again, TURN_MOST);
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
    struct recount_turn t = { .most = RECOUNT_ROWS };
    struct str was;
    char print[65];
    int rc = counted_by(c, &was), seen = 1;

    bool first = was.p == NULL;
    print_of(c->d, print);
    if (rc < 0 || str_eq(was.p ? was : STR(""), str_c(print)))
        return rc;
    while (rc >= 0 && seen > 0) {
        arena_reset(&c->a);
        rc = seen = recount_lot(c, &t);
    }
    if (rc < 0)
        return rc;
    rc = db_begin(c->d, c->e);
    if (rc == 0)
        rc = db_end(c->d, recount_finish(c, print, first, t.moved), c->e);
    return rc < 0 ? rc : (int)t.moved;
}

/* --- marks --- */

static bool lawful(const struct duty_row *row) { return str_eq(row->basis, STR("law")); }

/* one_overdue - an act at the due instant is in time: overdue is strictly after it. What has only an internal day is told as such. */
static int one_overdue(struct call *c, int64_t *id)
{
    struct duty_row row;
    int rc = db_int(c->d, c->e, 0, id,
                    "SELECT id FROM duty WHERE state = 'running' AND overdue_marked_at IS NULL AND due_at IS NOT NULL AND due_at < ?1 AND NOT "
                    SETBACK_RESTS(SETBACK_OVERDUE, "duty.id", "?1") " ORDER BY due_at, id LIMIT 1",
                    "i", c->now);

    if (rc < 0 || *id == 0)
        return rc;
    rc = row_load(c, *id, &row);
    if (rc < 0)
        return rc;
    struct subject s = row_subject(&row);
    const struct obligation *o = row_obligation(c->d, &row);
    rc = db_exec(c->d, c->e, "UPDATE duty SET overdue_marked_at = ?2 WHERE id = ?1", "ii", *id, c->now);
    if (rc >= 0)
        rc = timeline_of(c, &s, &(struct line){ .kind = lawful(&row) ? "clock_overdue" : "target_passed", .obligation = row.obligation.p,
                                                .happened_at = row.due_at, .due_at = row.due_at });
    if (rc == 0 && o && lawful(&row) && row.case_id && o->on_late.n)
        rc = duty_late_case(c, row.case_id, o->on_late, row.due_at);
    change_id(c->d, "clock", *id);
    return rc < 0 ? rc : 1;
}

/* reminders_again - what was sent before its time comes again when its time comes. A clock that was set back by some seconds repeats nothing. */
static int reminders_again(struct call *c, int64_t id)
{
    int rc = db_exec(c->d, c->e, "UPDATE reminder SET sent_at = NULL, outcome = NULL WHERE duty_id = ?1 AND at > ?2 AND sent_at > ?2 AND kind IN"
                                 " ('before','due')", "ii", id, c->now + SET_BACK_NS);

    if (rc >= 0)
        rc = db_exec(c->d, c->e, "DELETE FROM reminder WHERE duty_id = ?1 AND at > ?2 AND kind IN ('after','chain')", "ii", id, c->now + SET_BACK_NS);
    return rc < 0 ? rc : reminders_plan(c, id, c->now);
}

/* one_early - a duty of which a reminder went out before its time: the clock ran ahead, not as far as the due moment. */
static int one_early(struct call *c, int64_t *id)
{
    int rc = db_int(c->d, c->e, 0, id,
                    "SELECT r.duty_id FROM reminder r JOIN duty d ON d.id = r.duty_id WHERE r.sent_at > ?2 AND r.at > ?2 AND d.state = 'running' AND NOT "
                    SETBACK_RESTS(SETBACK_CLOCK, "r.duty_id", "?1") " ORDER BY r.sent_at LIMIT 1", "ii", c->now, c->now + SET_BACK_NS);

    if (rc < 0 || *id == 0)
        return rc;
    rc = reminders_again(c, *id);
    return rc < 0 ? rc : 1;
}

static int early_reminders(struct call *c)
{
    int64_t some = 0;
    int rc = db_int(c->d, c->e, 0, &some,
                    "SELECT EXISTS (SELECT 1 FROM reminder r JOIN duty d ON d.id = r.duty_id WHERE r.sent_at > ?2 AND r.at > ?2 AND d.state = 'running' AND NOT "
                    SETBACK_RESTS(SETBACK_CLOCK, "r.duty_id", "?1") ")", "ii", c->now, c->now + SET_BACK_NS);

    return rc < 0 || !some ? rc : setback_repeat(c, SETBACK_CLOCK, one_early, TURN_MOST);
}

/* one_false_mark - the clock of the machine ran ahead and has come back: the mark goes, the trace stays, and what was sent too early is sent
 * again when its time comes. */
static int one_false_mark(struct call *c, int64_t *found)
{
    struct duty_row row;
    int rc = db_int(c->d, c->e, 0, found,
                    "SELECT id FROM duty WHERE state = 'running' AND overdue_marked_at IS NOT NULL AND due_at >= ?1 AND NOT "
                    SETBACK_RESTS(SETBACK_CLOCK, "duty.id", "?1") " ORDER BY due_at DESC, id LIMIT 1", "i", c->now);
    const int64_t id = *found;

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
        rc = reminders_again(c, id);
    if (rc == 0)
        rc = timeline_of(c, &s, &(struct line){ .kind = "clock_overdue_undone", .obligation = row.obligation.p, .due_at = row.due_at,
                                                .key = "duty.text.clock_undone" });
    change_id(c->d, "clock", id);
    return rc < 0 ? rc : 1;
}

/* --- the turn --- */

static int false_marks(struct call *c)
{
    int64_t some = 0;
    int rc = db_int(c->d, c->e, 0, &some,
                    "SELECT EXISTS (SELECT 1 FROM duty WHERE state = 'running' AND overdue_marked_at IS NOT NULL AND due_at >= ?1 AND NOT "
                    SETBACK_RESTS(SETBACK_CLOCK, "duty.id", "?1") ")", "i", c->now);

    return rc < 0 || !some ? rc : setback_repeat(c, SETBACK_CLOCK, one_false_mark, TURN_MOST);
}

int duties_next(struct call *c, time_ns *next)
{
    time_ns again = INT64_MAX;
    int rc = db_int(c->d, c->e, INT64_MAX, next,
                    "SELECT min(t) FROM (SELECT * FROM (SELECT at AS t FROM reminder WHERE sent_at IS NULL AND NOT "
                    SETBACK_RESTS(SETBACK_REMINDER, "reminder.id", "?1") " ORDER BY at LIMIT 1) UNION ALL SELECT * FROM (SELECT due_at + 1 FROM duty WHERE"
                    " state = 'running' AND overdue_marked_at IS NULL AND due_at IS NOT NULL AND NOT " SETBACK_RESTS(SETBACK_OVERDUE, "duty.id", "?1")
                    " ORDER BY due_at LIMIT 1))",
                    "i", c->now);

    if (rc == 0)
        rc = setback_next(c, &again);
    *next = again < *next ? again : *next;
    return rc;
}

static int due_rows(struct call *c)
{
    time_ns next = INT64_MAX;
    int rc = duties_next(c, &next);

    if (rc < 0 || next > c->now)
        return rc;
    int sent = setback_repeat(c, SETBACK_REMINDER, reminder_one, TURN_MOST), marked = setback_repeat(c, SETBACK_OVERDUE, one_overdue, TURN_MOST);
    return sent < 0 ? sent : marked < 0 ? marked : sent + marked;
}

/* duties_tick - one part that fails does not stop the others: an overdue mark must not wait for a calendar that cannot be counted by. */
int duties_tick(struct call *c)
{
    static int (*const parts[])(struct call *) = { setback_sweep, recount, recount_again, false_marks, early_reminders, due_rows };
    char story[ERR_TEXT_MAX] = "";
    int sum = 0, failed = 0;

    for (size_t i = 0; i < COUNT(parts); i++) {
        int rc = parts[i](c);

        sum += rc > 0 ? rc : 0;
        if (rc < 0 && failed == 0) {
            failed = rc;
            snprintf(story, sizeof story, "%s", c->e->text);
        }
    }
    return failed < 0 ? err_set(c->e, failed, "%s", story) : sum;
}
