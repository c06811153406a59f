/* remind.c - reminders and escalations as rows that say "not yet".
 *
 * What is known when a duty begins is planned then: shares of the term, times before its end, the due moment, the start of the chain. What
 * repeats or waits for an answer is planned by the row before it. An outage leaves rows that are due; each is sent once, late. A reminder
 * that repeats is not sent five times for five nights that nobody was there: one goes out, and the next is planned from now. */
#include "desk/duties/room.h"
#include "desk/duties/setback.h"

/* sent_before - did this very reminder go out already (before the row was counted anew)? */
static int sent_before(struct call *c, int64_t duty_id, const char *kind, int64_t step, time_ns at, int64_t *yes)
{
    return db_int(c->d, c->e, 0, yes, "SELECT count(*) FROM reminder WHERE duty_id = ? AND kind = ? AND step = ? AND at = ? AND sent_at IS NOT NULL",
                  "izii", duty_id, kind, step, at);
}

static int plan(struct call *c, int64_t duty_id, const char *kind, int64_t step, int64_t percent, time_ns at)
{
    int64_t sent = 0;
    int rc = sent_before(c, duty_id, kind, step, at, &sent);

    if (rc < 0 || sent)
        return rc;
    rc = db_exec(c->d, c->e, "INSERT INTO reminder(duty_id, kind, step, percent, at) VALUES (?,?,?,?,?)", "iziim", duty_id, kind, step, percent, at);
    return rc < 0 ? rc : 0;
}

/* base_of - from when shares of the term are counted: its start; of one counted back, when it became known. */
static time_ns base_of(const struct duty_row *row)
{
    return row->due_at < row->from_at ? row->created_at : row->from_at;
}

static time_ns moment(const struct duty_row *row, const struct remind_when *w)
{
    time_ns base = base_of(row), end = row->nominal_at;

    if (w->kind == WHEN_DUE)
        return row->due_at;
    return w->kind == WHEN_PERCENT ? base + (end - base) / 100 * w->value : end - w->value;
}

/* plan_before - each that comes after since. Of those before (the duty was entered late, or counted anew) the last one goes out, and no pile of
 * them. */
static int plan_before(struct call *c, const struct duty_row *row, const struct remind_rule *rule, time_ns since)
{
    time_ns base = base_of(row), last = INT64_MIN;
    size_t last_i = 0;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < rule->before_count; i++) {
        const struct remind_when *w = &rule->before[i];
        time_ns at = moment(row, w);

        if (at <= base)
            continue;   /* a week before the end of a term of three days */
        if (at <= since) {
            if (at > last) {
                last = at;
                last_i = i;
            }
            continue;
        }
        rc = plan(c, row->id, "before", (int64_t)i, w->kind == WHEN_PERCENT ? w->value : 0, at);
    }
    if (rc == 0 && last != INT64_MIN && row->due_at > c->now)
        rc = plan(c, row->id, "before", (int64_t)last_i, rule->before[last_i].kind == WHEN_PERCENT ? rule->before[last_i].value : 0, last);
    return rc;
}

static int plan_chain(struct call *c, const struct duty_row *row, const struct remind_chain *chain)
{
    int64_t began = 0;
    int rc = db_int(c->d, c->e, 0, &began, "SELECT count(*) FROM reminder WHERE duty_id = ? AND kind = 'chain' AND sent_at IS NOT NULL", "i", row->id);

    if (rc < 0 || began || row->acknowledged_at)
        return rc;
    return plan(c, row->id, "chain", 0, 0, moment(row, &chain->start) + chain->steps[0].wait);
}

int reminders_plan(struct call *c, int64_t duty_id, time_ns since)
{
    const struct remind_rule *rule;
    struct duty_row row;
    int rc = row_load(c, duty_id, &row);

    if (rc == 0)
        rc = db_exec(c->d, c->e, "DELETE FROM reminder WHERE duty_id = ? AND sent_at IS NULL", "i", duty_id);
    if (rc < 0)
        return rc;
    rule = remind_rule_of(c->d->duty_policy, row.obligation);
    if (!rule || row.due_at == 0)
        return 0;
    rc = plan_before(c, &row, rule, since ? since : row.created_at);
    if (rc == 0 && rule->at_due)
        rc = plan(c, duty_id, "due", 0, 100, row.due_at);
    if (rc == 0 && rule->every)
        rc = plan(c, duty_id, "after", 1, 0, row.due_at + rule->every);
    if (rc == 0 && rule->chain)
        rc = plan_chain(c, &row, rule->chain);
    return rc;
}

/* --- sending --- */

struct waiting {
    int64_t    id, duty_id, step, percent;
    struct str kind;
    time_ns    at;
};

static int done(struct call *c, const struct waiting *w, const char *outcome)
{
    return db_exec(c->d, c->e, "UPDATE reminder SET sent_at = ?2, outcome = ?3 WHERE id = ?1 AND sent_at IS NULL", "iiz", w->id, c->now, outcome);
}

static bool internal_to_centre(const struct duty_row *row) { return str_eq(row->owed_by, STR("centre")); }

static int say(struct call *c, const struct duty_row *row, const struct waiting *w, const char *line_kind, const char *text_key)
{
    struct subject s = row_subject(row);
    char percent[24], step[24];

    snprintf(percent, sizeof percent, "%lld", (long long)w->percent);
    snprintf(step, sizeof step, "%lld", (long long)w->step);
    return timeline_of(c, &s, &(struct line){ .kind = line_kind, .obligation = row->obligation.p, .happened_at = w->at, .due_at = row->due_at,
                                              .key = text_key, .args = json_pack("{s:s, s:s}", "percent", percent, "step", step),
                                              .internal = internal_to_centre(row) });
}

static int send_before(struct call *c, const struct duty_row *row, const struct remind_rule *rule, const struct waiting *w)
{
    bool due = str_eq(w->kind, STR("due"));
    int rc = say(c, row, w, due ? "reminder_due" : "reminder", due ? "duty.text.due" : w->percent ? "case.text.reminder" : "duty.text.before");

    return rc < 0 ? rc : send_to(c, row, &rule->to, due ? "due" : "reminder", internal_to_centre(row));
}

/* send_after - one for now; the next from now on, at the rhythm of the due moment. */
static int send_after(struct call *c, const struct duty_row *row, const struct remind_rule *rule, const struct waiting *w)
{
    time_ns passed = c->now - row->due_at;
    int rc;

    if (!rule->every || w->step > rule->most)
        return 0;
    rc = say(c, row, w, "reminder_late", "duty.text.after");
    if (rc == 0)
        rc = send_to(c, row, &rule->to, "late", internal_to_centre(row));
    if (rc == 0 && w->step < rule->most)
        rc = plan(c, row->id, "after", w->step + 1, 0, row->due_at + (passed / rule->every + 1) * rule->every);
    return rc;
}

static int send_chain(struct call *c, const struct duty_row *row, const struct remind_rule *rule, const struct waiting *w)
{
    const struct remind_chain *chain = rule->chain;
    int rc;

    if (!chain || (size_t)w->step >= chain->count || row->acknowledged_at)
        return 0;
    rc = say(c, row, w, "escalation", "duty.text.chain");
    if (rc == 0)
        rc = send_to(c, row, &chain->steps[w->step].to, "chain", internal_to_centre(row));
    /* The time to answer is counted from when they were told, not from when they should have been. */
    if (rc == 0 && (size_t)w->step + 1 < chain->count)
        rc = plan(c, row->id, "chain", w->step + 1, 0, c->now + chain->steps[w->step + 1].wait);
    return rc;
}

static int send_one(struct call *c, const struct waiting *w)
{
    const struct remind_rule *rule;
    struct duty_row row;
    int rc = row_load(c, w->duty_id, &row);

    if (rc < 0)
        return rc;
    rule = remind_rule_of(c->d->duty_policy, row.obligation);
    if (!rule || !str_eq(row.state, STR("running")))
        return done(c, w, "no longer wanted");
    rc = done(c, w, "sent");
    if (rc <= 0)
        return rc;
    if (str_eq(w->kind, STR("after")))
        rc = send_after(c, &row, rule, w);
    else if (str_eq(w->kind, STR("chain")))
        rc = send_chain(c, &row, rule, w);
    else
        rc = send_before(c, &row, rule, w);
    return rc < 0 ? rc : 1;
}

int reminder_one(struct call *c, int64_t *id)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT id, duty_id, step, percent, kind, at FROM reminder WHERE sent_at IS NULL AND at <= ?1 AND NOT "
                                            SETBACK_RESTS(SETBACK_REMINDER, "reminder.id", "?1") " ORDER BY at, id LIMIT 1", "i", c->now);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    if (rc <= 0)
        return rc;
    const struct waiting w = { sqlite3_column_int64(st, 0), sqlite3_column_int64(st, 1), sqlite3_column_int64(st, 2), sqlite3_column_int64(st, 3),
                               db_copy(st, 4, &c->a), sqlite3_column_int64(st, 5) };
    db_done(st);
    *id = w.id;
    return send_one(c, &w);
}
