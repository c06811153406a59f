/* schema.c - the tables of the room "duties", as numbered steps that are never edited once released, only added to. */
#include "desk/internal.h"

/* A duty is owed on any subject, and again and again: seq counts the rows of one obligation on one subject. object_id and org_id say who may
 * see it and whose it is; case_id is set where the subject is a case. */
static const char step_1[] =
    "CREATE TABLE new_duty (id INTEGER PRIMARY KEY AUTOINCREMENT, subject TEXT NOT NULL CHECK (length(subject) BETWEEN 1 AND 32),"
    " subject_id TEXT NOT NULL CHECK (length(subject_id) BETWEEN 1 AND 64), seq INTEGER NOT NULL CHECK (seq >= 1),"
    " case_id INTEGER REFERENCES cases(id), object_id TEXT REFERENCES object(id), org_id TEXT REFERENCES org(id), obligation TEXT NOT NULL,"
    " from_field TEXT NOT NULL, from_at INTEGER NOT NULL, from_day INTEGER NOT NULL DEFAULT 0 CHECK (from_day IN (0,1)),"
    " due_at INTEGER NOT NULL, nominal_at INTEGER NOT NULL,"
    " state TEXT NOT NULL CHECK (state IN ('running','fulfilled','cancelled')), fulfilled_at INTEGER, overdue_marked_at INTEGER,"
    " edition TEXT NOT NULL, calendar TEXT NOT NULL, arithmetic TEXT NOT NULL, created_at INTEGER NOT NULL,"
    " UNIQUE (subject, subject_id, obligation, seq)) STRICT;"
    "INSERT INTO new_duty SELECT d.id, 'case', CAST(d.case_id AS TEXT), 1, d.case_id, k.object_id, o.org_id, d.obligation, d.from_field, d.from_at,"
    " 0, d.due_at, d.nominal_at, d.state, d.fulfilled_at, d.overdue_marked_at, d.edition, d.calendar, d.arithmetic, d.created_at FROM duty d"
    " JOIN cases k ON k.id = d.case_id LEFT JOIN object o ON o.id = k.object_id;"
    "DROP TABLE duty; ALTER TABLE new_duty RENAME TO duty;"
    "CREATE INDEX duty_due ON duty(due_at) WHERE state = 'running';"
    "CREATE INDEX duty_case ON duty(case_id) WHERE case_id IS NOT NULL;"
    "CREATE INDEX duty_object ON duty(object_id, state) WHERE object_id IS NOT NULL;";

static const char *const steps[] = { step_1 };
const struct desk_schema duties_schema = { "duties", steps, COUNT(steps) };
