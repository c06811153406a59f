/* count.c - the due moment of a row, its arithmetic as it was counted, and the trace of everything that moved it. */
#include "desk/duties/room.h"

static void append(json_t *all, enum lang lang, struct str text)
{
    json_t *list = json_object_get(all, lang_name(lang));

    if (!list)
        json_object_set_new(all, lang_name(lang), list = json_array());
    json_array_append_new(list, json_str(text));
}

static char *arithmetic_text(struct call *c, const struct duty_result *r, int64_t missing_year)
{
    const struct catalog *cat = c->d->setup.catalog;
    json_t *all = json_object();
    char year[24];

    snprintf(year, sizeof year, "%lld", (long long)missing_year);
    for (enum lang l = 0; l < LANG_COUNT; l++) {
        for (size_t i = 0; i < r->step_count; i++)
            append(all, l, duty_step_text(c->d->setup.world, r, i, cat, l, &c->a));
        if (missing_year)
            append(all, l, catalog_format(cat, l, &c->a, "duty.step.no_calendar", "year", year, NULL));
    }
    char *text = json_dumps(all, JSON_COMPACT);
    json_decref(all);
    return text;
}

int count_due(struct call *c, const struct obligation *o, struct duty_start start, struct counted *out)
{
    struct err e = { 0 };
    int rc;

    *out = (struct counted){ .missing_year = 0 };
    rc = duty_due(c->d->setup.world, o, start, &out->r, &e);
    if (rc == -ENODATA) {
        /* An act is not stopped by a calendar that nobody has written yet: the row says what is missing and is counted when it comes. */
        out->missing_year = (int64_t)e.at;
        out->r = (struct duty_result){ .obligation = o, .start = start, .basis = obligation_lawful(o) ? DUTY_LAW : DUTY_TARGET, .step_count = 1 };
        out->r.steps[0] = (struct duty_step){ .kind = DUTY_STEP_START, .day = duty_local_day(c->d->setup.world, start.at), .at = start.at };
        rc = 0;
    }
    if (rc < 0)
        return err_set(c->e, rc, "%s", e.text);
    out->arithmetic = arithmetic_text(c, &out->r, out->missing_year);
    return out->arithmetic ? 0 : err_set(c->e, -ENOMEM, "no memory for the arithmetic");
}

void counted_free(struct counted *n)
{
    free(n->arithmetic);
    n->arithmetic = NULL;
}

int trace_add(struct call *c, int64_t duty_id, enum change_reason why, struct str note, const struct moved *m)
{
    static const char *const reasons[] = { "start", "calendar", "clock", "resumed" };
    int rc = db_exec(c->d, c->e,
                     "INSERT INTO duty_change(duty_id, at, author_id, reason, note, from_was, from_is, due_was, due_is, nominal_was, nominal_is,"
                     " calendar_was, calendar_is) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
                     "iimztmmmmmmtt", duty_id, recorded_at(c), c->v ? (time_ns)c->v->user_id : (time_ns)0, reasons[why],
                     note.n ? note : (struct str){ NULL, 0 }, m->from_was, m->from_is, m->due_was, m->due_is, m->nominal_was, m->nominal_is,
                     m->calendar_was, m->calendar_is);

    return rc < 0 ? rc : 0;
}

static int row_write(struct call *c, const struct duty_row *row, const struct counted *n, bool moved)
{
    const struct duty_result *r = &n->r;
    /* A mark belongs to the due moment it was made for; the next tick makes a new one if the new moment has passed too. */
    int rc = db_exec(c->d, c->e,
                     "UPDATE duty SET from_at = ?2, from_day = ?3, due_at = ?4, nominal_at = ?5, basis = ?6, estimated = ?7, missing_year = ?8,"
                     " calendar = ?9, arithmetic = ?10, overdue_marked_at = CASE WHEN ?11 THEN NULL ELSE overdue_marked_at END WHERE id = ?1",
                     "iiimmzimtzi", row->id, r->start.at, (int64_t)r->start.date, r->due, r->nominal, duty_basis_name(r->basis),
                     (int64_t)r->estimated, n->missing_year, c->d->setup.world->calendar->version, n->arithmetic, (int64_t)moved);
    return rc < 0 ? rc : 0;
}

int row_recount(struct call *c, const struct duty_row *row, struct duty_start start, enum change_reason why, struct str note)
{
    const struct obligation *o = row_obligation(c->d, row);
    AUTO_COUNTED struct counted n = { .arithmetic = NULL };
    struct subject s = row_subject(row);
    bool moved;
    int rc;

    if (!o)
        return err_set(c->e, -ENOTSUP, "edition \"%.*s\" of a duty that runs is not in content/editions", STR_ARG(row->edition));
    rc = count_due(c, o, start, &n);
    if (rc < 0)
        return rc;
    moved = n.r.due != row->due_at || start.at != row->from_at || start.date != row->from_day;
    rc = row_write(c, row, &n, moved);
    if (rc < 0 || !moved)
        return rc;
    const struct moved m = { .from_was = row->from_at, .from_is = start.at, .due_was = row->due_at, .due_is = n.r.due,
                             .nominal_was = row->nominal_at, .nominal_is = n.r.nominal, .calendar_was = row->calendar,
                             .calendar_is = c->d->setup.world->calendar->version };
    rc = trace_add(c, row->id, why, note, &m);
    if (rc == 0)
        rc = reminders_plan(c, row->id, c->now);
    if (rc < 0)
        return rc;
    change_id(c->d, "clock", row->id);
    rc = timeline_of(c, &s, &(struct line){ .kind = why == CHANGE_CALENDAR ? "clock_recounted" : "clock_started", .obligation = row->obligation.p,
                                            .happened_at = why == CHANGE_CALENDAR ? (time_ns)0 : start.at, .due_at = n.r.due, .text = note });
    return rc < 0 ? rc : 1;
}
