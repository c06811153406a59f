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

/* A due moment may be missing: the Rules name none, or the calendar lacks a year. org_id is accountable, performer_org is the one who is to do it
 * owed_by says on whose desk it lies. duty_reach is by whom a row may be seen, in the order of lists, so that a page of an organisation
 * costs its own rows and nobody else's; triggers keep it, whoever writes. */
static const char step_2[] =
    "CREATE TABLE new_duty (id INTEGER PRIMARY KEY AUTOINCREMENT, subject TEXT NOT NULL CHECK (length(subject) BETWEEN 1 AND 32),"
    " subject_id TEXT NOT NULL CHECK (length(subject_id) BETWEEN 1 AND 64), seq INTEGER NOT NULL CHECK (seq >= 1),"
    " case_id INTEGER REFERENCES cases(id), object_id TEXT REFERENCES object(id), org_id TEXT REFERENCES org(id),"
    " performer_org TEXT REFERENCES org(id), owed_by TEXT NOT NULL CHECK (owed_by IN ('centre','organisation','knb','ocib')),"
    " obligation TEXT NOT NULL, basis TEXT NOT NULL CHECK (basis IN ('law','target','open')),"
    " from_field TEXT NOT NULL, from_at INTEGER NOT NULL, from_day INTEGER NOT NULL DEFAULT 0 CHECK (from_day IN (0,1)),"
    " due_at INTEGER, nominal_at INTEGER, estimated INTEGER NOT NULL DEFAULT 0, missing_year INTEGER,"
    " state TEXT NOT NULL CHECK (state IN ('running','fulfilled','cancelled','superseded')),"
    " open INTEGER NOT NULL GENERATED ALWAYS AS (state = 'running') STORED,"
    " sort_at INTEGER NOT NULL GENERATED ALWAYS AS (coalesce(due_at, 9223372036854775807)) STORED,"
    " fulfilled_at INTEGER, ended_at INTEGER, ended_key TEXT, overdue_marked_at INTEGER, acknowledged_at INTEGER,"
    " acknowledged_by INTEGER REFERENCES user(id), edition TEXT NOT NULL, calendar TEXT NOT NULL, created_at INTEGER NOT NULL,"
    " arithmetic TEXT NOT NULL, UNIQUE (subject, subject_id, obligation, seq)) STRICT;"
    "INSERT INTO new_duty(id, subject, subject_id, seq, case_id, object_id, org_id, performer_org, owed_by, obligation, basis, from_field, from_at,"
    " from_day, due_at, nominal_at, state, fulfilled_at, ended_at, overdue_marked_at, edition, calendar, created_at, arithmetic)"
    " SELECT d.id, d.subject, d.subject_id, d.seq, d.case_id, d.object_id, d.org_id,"
    " CASE WHEN d.obligation IN ('D-05','D-12','D-17','D-19') THEN NULL ELSE coalesce(o.possessor_id, d.org_id) END,"
    " CASE WHEN d.obligation IN ('D-05','D-12','D-17','D-19') THEN 'centre' ELSE 'organisation' END,"
    " d.obligation, 'law', d.from_field, d.from_at, d.from_day, d.due_at, d.nominal_at, d.state, d.fulfilled_at, d.fulfilled_at,"
    " d.overdue_marked_at, d.edition, d.calendar, d.created_at, d.arithmetic FROM duty d LEFT JOIN object o ON o.id = d.object_id;"
    "DROP TABLE duty; ALTER TABLE new_duty RENAME TO duty;"
    "CREATE INDEX duty_list ON duty(open, sort_at);"
    "CREATE INDEX duty_case ON duty(case_id) WHERE case_id IS NOT NULL;"
    "CREATE INDEX duty_object ON duty(object_id, open, sort_at) WHERE object_id IS NOT NULL;"
    "CREATE INDEX duty_obligation ON duty(obligation, open, sort_at);"
    "CREATE INDEX duty_owed ON duty(owed_by, open, sort_at);"
    "CREATE INDEX duty_performer ON duty(performer_org, open, sort_at) WHERE performer_org IS NOT NULL;"
    "CREATE INDEX duty_unmarked ON duty(due_at) WHERE state = 'running' AND overdue_marked_at IS NULL AND due_at IS NOT NULL;"
    "CREATE INDEX duty_marked ON duty(due_at) WHERE state = 'running' AND overdue_marked_at IS NOT NULL;"
    "CREATE INDEX duty_calendar ON duty(calendar, id) WHERE state = 'running';"
    "CREATE TABLE new_reminder (id INTEGER PRIMARY KEY AUTOINCREMENT, duty_id INTEGER NOT NULL REFERENCES duty(id),"
    " kind TEXT NOT NULL CHECK (kind IN ('before','due','after','chain')), step INTEGER NOT NULL, percent INTEGER, at INTEGER NOT NULL,"
    " sent_at INTEGER, outcome TEXT) STRICT;"
    "INSERT INTO new_reminder(id, duty_id, kind, step, percent, at, sent_at) SELECT id, duty_id, 'before', 0, percent, at, sent_at FROM reminder;"
    "DROP TABLE reminder; ALTER TABLE new_reminder RENAME TO reminder;"
    "CREATE INDEX reminder_due ON reminder(at) WHERE sent_at IS NULL;"
    "CREATE INDEX reminder_duty ON reminder(duty_id);"
    "CREATE TABLE duty_fact (duty_id INTEGER NOT NULL REFERENCES duty(id), fact TEXT NOT NULL, at INTEGER NOT NULL, recorded_at INTEGER NOT NULL,"
    " author_id INTEGER REFERENCES user(id), notice_id INTEGER, sha256 TEXT, note TEXT, PRIMARY KEY (duty_id, fact)) STRICT, WITHOUT ROWID;"
    "INSERT INTO duty_fact(duty_id, fact, at, recorded_at) SELECT id, 'fulfilled_at', fulfilled_at, fulfilled_at FROM duty WHERE state = 'fulfilled';"
    "CREATE TABLE duty_change (id INTEGER PRIMARY KEY AUTOINCREMENT, duty_id INTEGER NOT NULL REFERENCES duty(id), at INTEGER NOT NULL,"
    " author_id INTEGER REFERENCES user(id), reason TEXT NOT NULL CHECK (reason IN ('start','calendar','clock','resumed','performer')), note TEXT,"
    " from_was INTEGER, from_is INTEGER, due_was INTEGER, due_is INTEGER, nominal_was INTEGER, nominal_is INTEGER, calendar_was TEXT,"
    " calendar_is TEXT, performer_was TEXT, performer_is TEXT) STRICT;"
    "CREATE INDEX duty_change_duty ON duty_change(duty_id, id);"
    "CREATE INDEX duty_change_reason ON duty_change(reason, id);"
    "CREATE TRIGGER duty_change_kept BEFORE DELETE ON duty_change BEGIN SELECT RAISE(ABORT, 'the trace is kept'); END;"
    "CREATE TRIGGER duty_change_fixed BEFORE UPDATE ON duty_change BEGIN SELECT RAISE(ABORT, 'the trace is kept'); END;"
    "CREATE TABLE duty_reach (org_id TEXT NOT NULL, open INTEGER NOT NULL, sort_at INTEGER NOT NULL, duty_id INTEGER NOT NULL,"
    " PRIMARY KEY (org_id, open, sort_at, duty_id)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX duty_reach_duty ON duty_reach(duty_id, org_id);"
#define REACH(id, orgs)                                                                                                             \
    "INSERT OR IGNORE INTO duty_reach SELECT r.org, d.open, d.sort_at, d.id FROM duty d JOIN (" orgs ") r WHERE d.id = " id " AND r.org IS NOT NULL"
#define REACH_ORGS(d)                                                                                                               \
    "SELECT " d ".org_id AS org UNION SELECT " d ".performer_org UNION SELECT org_id FROM object WHERE id = " d ".object_id UNION"     \
    " SELECT possessor_id FROM object WHERE id = " d ".object_id UNION SELECT ocib_id FROM object WHERE id = " d ".object_id"
    "CREATE TRIGGER duty_reach_new AFTER INSERT ON duty BEGIN " REACH("NEW.id", REACH_ORGS("NEW")) "; END;"
    "CREATE TRIGGER duty_reach_changed AFTER UPDATE OF state, due_at, org_id, performer_org, object_id ON duty BEGIN"
    " DELETE FROM duty_reach WHERE duty_id = NEW.id; " REACH("NEW.id", REACH_ORGS("NEW")) "; END;"
    "CREATE TRIGGER duty_reach_object AFTER UPDATE OF org_id, possessor_id, ocib_id ON object"
    " WHEN NEW.org_id IS NOT OLD.org_id OR NEW.possessor_id IS NOT OLD.possessor_id OR NEW.ocib_id IS NOT OLD.ocib_id BEGIN"
    " DELETE FROM duty_reach WHERE duty_id IN (SELECT id FROM duty WHERE object_id = NEW.id);"
    " INSERT OR IGNORE INTO duty_reach SELECT r.org, d.open, d.sort_at, d.id FROM duty d JOIN (SELECT NEW.org_id AS org UNION SELECT"
    " NEW.possessor_id UNION SELECT NEW.ocib_id) r WHERE d.object_id = NEW.id AND r.org IS NOT NULL;"
    " INSERT OR IGNORE INTO duty_reach SELECT d.org_id, d.open, d.sort_at, d.id FROM duty d WHERE d.object_id = NEW.id AND d.org_id IS NOT NULL;"
    " INSERT OR IGNORE INTO duty_reach SELECT d.performer_org, d.open, d.sort_at, d.id FROM duty d WHERE d.object_id = NEW.id AND d.performer_org IS"
    " NOT NULL; END;"
    "INSERT OR IGNORE INTO duty_reach SELECT org, open, sort_at, id FROM (SELECT d.org_id AS org, d.open, d.sort_at, d.id FROM duty d UNION ALL"
    " SELECT d.performer_org, d.open, d.sort_at, d.id FROM duty d UNION ALL SELECT o.org_id, d.open, d.sort_at, d.id FROM duty d JOIN object o ON"
    " o.id = d.object_id UNION ALL SELECT o.possessor_id, d.open, d.sort_at, d.id FROM duty d JOIN object o ON o.id = d.object_id UNION ALL SELECT"
    " o.ocib_id, d.open, d.sort_at, d.id FROM duty d JOIN object o ON o.id = d.object_id) WHERE org IS NOT NULL;";

/* What the background could not write (setback.h). payload: the finding itself, for the journal forgets it. */
static const char step_3[] =
    "CREATE TABLE setback (kind TEXT NOT NULL CHECK (kind IN ('reminder','overdue','clock','recount','finding','auto')), id INTEGER NOT NULL,"
    " first_at INTEGER NOT NULL, last_at INTEGER NOT NULL, tries INTEGER NOT NULL, next_at INTEGER NOT NULL, story TEXT NOT NULL,"
    " payload BLOB NOT NULL, PRIMARY KEY (kind, id)) STRICT;"
    "CREATE INDEX setback_next ON setback(next_at);";

/* What was sent too early is found by its moment of sending. */
static const char step_4[] = "CREATE INDEX reminder_sent ON reminder(sent_at) WHERE sent_at IS NOT NULL;";

/* An object that is written by INSERT … ON CONFLICT overrides OR IGNORE in its triggers, so another owner or operational centre of an object with duties
 * was refused: the rows are made once each, and need nothing to be ignored. */
static const char step_5[] =
    "DROP TRIGGER duty_reach_object;"
    "CREATE TRIGGER duty_reach_object AFTER UPDATE OF org_id, possessor_id, ocib_id ON object"
    " WHEN NEW.org_id IS NOT OLD.org_id OR NEW.possessor_id IS NOT OLD.possessor_id OR NEW.ocib_id IS NOT OLD.ocib_id BEGIN"
    " DELETE FROM duty_reach WHERE duty_id IN (SELECT id FROM duty WHERE object_id = NEW.id);"
    " INSERT INTO duty_reach SELECT r.org, d.open, d.sort_at, d.id FROM duty d JOIN (SELECT NEW.org_id AS org UNION SELECT NEW.possessor_id UNION"
    " SELECT NEW.ocib_id) r WHERE d.object_id = NEW.id AND r.org IS NOT NULL UNION SELECT d.org_id, d.open, d.sort_at, d.id FROM duty d WHERE"
    " d.object_id = NEW.id AND d.org_id IS NOT NULL UNION SELECT d.performer_org, d.open, d.sort_at, d.id FROM duty d WHERE d.object_id = NEW.id AND"
    " d.performer_org IS NOT NULL; END;";

/* Other rooms' work of the background is marked too; which kinds there are stands in setback.h alone. */
static const char step_6[] =
    "CREATE TABLE setback_any (kind TEXT NOT NULL CHECK (length(kind) BETWEEN 1 AND 20), id INTEGER NOT NULL, first_at INTEGER NOT NULL, last_at INTEGER NOT"
    " NULL, tries INTEGER NOT NULL, next_at INTEGER NOT NULL, story TEXT NOT NULL, payload BLOB NOT NULL, PRIMARY KEY (kind, id)) STRICT;"
    "INSERT INTO setback_any SELECT kind, id, first_at, last_at, tries, next_at, story, payload FROM setback;"
    "DROP TABLE setback;"
    "ALTER TABLE setback_any RENAME TO setback;"
    "CREATE INDEX setback_next ON setback(next_at);";

static const char *const steps[] = { step_1, step_2, step_3, step_4, step_5, step_6 };
const struct desk_schema duties_schema = { "duties", steps, COUNT(steps) };
