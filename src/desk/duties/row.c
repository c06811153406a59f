/* row.c - one row of the table duty as C. */
#include "desk/duties/room.h"

int row_load(struct call *c, int64_t id, struct duty_row *out)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT subject, subject_id, case_id, object_id, org_id, performer_org, owed_by, obligation, basis, from_field, from_at,"
                                " from_day, due_at, nominal_at, missing_year, state, overdue_marked_at, acknowledged_at, edition, calendar, created_at"
                                " FROM duty WHERE id = ?",
                                "i", id);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    if (rc <= 0)
        return rc < 0 ? rc : -ENOENT;
    *out = (struct duty_row){ .id = id,
                              .subject = db_copy(st, 0, &c->a),
                              .subject_id = db_copy(st, 1, &c->a),
                              .case_id = sqlite3_column_int64(st, 2),
                              .object_id = db_copy(st, 3, &c->a),
                              .org_id = db_copy(st, 4, &c->a),
                              .performer_org = db_copy(st, 5, &c->a),
                              .owed_by = db_copy(st, 6, &c->a),
                              .obligation = db_copy(st, 7, &c->a),
                              .basis = db_copy(st, 8, &c->a),
                              .from_field = db_copy(st, 9, &c->a),
                              .from_at = sqlite3_column_int64(st, 10),
                              .from_day = sqlite3_column_int64(st, 11) != 0,
                              .due_at = sqlite3_column_int64(st, 12),
                              .nominal_at = sqlite3_column_int64(st, 13),
                              .missing_year = sqlite3_column_int64(st, 14),
                              .state = db_copy(st, 15, &c->a),
                              .overdue_marked_at = sqlite3_column_int64(st, 16),
                              .acknowledged_at = sqlite3_column_int64(st, 17),
                              .edition = db_copy(st, 18, &c->a),
                              .calendar = db_copy(st, 19, &c->a),
                              .created_at = sqlite3_column_int64(st, 20) };
    db_done(st);
    return 0;
}

struct subject row_subject(const struct duty_row *d)
{
    return (struct subject){ .kind = d->subject.p, .id = d->subject_id, .case_id = d->case_id, .object_id = d->object_id, .org_id = d->org_id };
}

const struct obligation *row_obligation(const struct desk *d, const struct duty_row *row)
{
    const struct edition *ed = duty_edition(d->setup.world, row->edition);

    return ed ? edition_obligation(ed, row->obligation) : NULL;
}

int row_running(struct call *c, const struct subject *s, const char *obligation, int64_t ids[ROWS_OF_SUBJECT_MAX])
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT id FROM duty WHERE subject = ?1 AND subject_id = ?2 AND (?3 IS NULL OR obligation = ?3) AND state = 'running'"
                                " ORDER BY id LIMIT 64",
                                "ztz", s->kind, s->id, obligation);
    int rc = st ? 0 : -EIO, n = 0;

    while (st && (rc = db_step(c->d, st, c->e)) > 0)
        ids[n++] = sqlite3_column_int64(st, 0);
    return rc < 0 ? rc : n;
}
