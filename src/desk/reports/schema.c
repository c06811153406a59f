/* schema.c - the tables of the room "reports", as numbered steps that are never edited once released, only added to. */
#include "desk/internal.h"

/* case_version: how a case stood from "at" (when it was written down) on. Cases of before this step have one version, as they stood then. */
static const char step_1[] =
    "CREATE TABLE case_version (case_id INTEGER NOT NULL, at INTEGER NOT NULL, state TEXT NOT NULL, kind TEXT NOT NULL, level TEXT,"
    " incident_type TEXT, object_id TEXT, confirmed_at INTEGER, eliminated_at INTEGER, measures INTEGER NOT NULL,"
    " PRIMARY KEY (case_id, at)) STRICT, WITHOUT ROWID;"
    "INSERT INTO case_version SELECT id, updated_at, state, kind, level, annex2 ->> '$.incident_type', object_id, confirmed_at, eliminated_at,"
    " annex2 IS NOT NULL FROM cases;"
    "CREATE INDEX IF NOT EXISTS case_detected ON cases(detected_at);"
    "CREATE INDEX IF NOT EXISTS timeline_happened ON timeline(happened_at);"
    "CREATE TABLE report (id INTEGER PRIMARY KEY AUTOINCREMENT, paragraph TEXT NOT NULL CHECK (paragraph IN ('17','18')),"
    " quarter TEXT NOT NULL CHECK (length(quarter) = 6), version INTEGER NOT NULL CHECK (version >= 1), from_at INTEGER NOT NULL,"
    " to_at INTEGER NOT NULL, state TEXT NOT NULL CHECK (state IN ('collecting','draft','sent','acknowledged')), comment TEXT, reason TEXT,"
    " as_of INTEGER, figures TEXT, created_at INTEGER NOT NULL, sent_at INTEGER, sent_by INTEGER REFERENCES user(id), acknowledged_at INTEGER,"
    " acknowledged_by INTEGER REFERENCES user(id), UNIQUE (paragraph, quarter, version)) STRICT;"
    "CREATE INDEX report_state ON report(state, to_at);"
    "CREATE TRIGGER report_kept BEFORE DELETE ON report BEGIN SELECT RAISE(ABORT, 'a report is kept'); END;"
    "CREATE TRIGGER report_fixed BEFORE UPDATE OF figures, as_of, comment, sent_at, sent_by ON report WHEN OLD.state IN ('sent','acknowledged')"
    " BEGIN SELECT RAISE(ABORT, 'what was sent is not changed'); END;"
    "CREATE TABLE report_file (report_id INTEGER NOT NULL REFERENCES report(id), format TEXT NOT NULL CHECK (format IN ('pdf','xlsx','json')),"
    " sha256 TEXT NOT NULL CHECK (length(sha256) = 64), size_bytes INTEGER NOT NULL, PRIMARY KEY (report_id, format)) STRICT, WITHOUT ROWID;";

/* From when to when each version stood, and what is counted of it, so that a quarter is one walk along an index. A case that was merged into another
 * is counted there. */
static const char step_2[] =
    "CREATE TABLE new_case_version (case_id INTEGER NOT NULL, at INTEGER NOT NULL, until INTEGER NOT NULL, detected_at INTEGER NOT NULL,"
    " state TEXT NOT NULL, kind TEXT NOT NULL, level TEXT, incident_type TEXT, rule_id TEXT NOT NULL, object_id TEXT, confirmed_at INTEGER,"
    " eliminated_at INTEGER, measures INTEGER NOT NULL, merged INTEGER NOT NULL, PRIMARY KEY (case_id, at)) STRICT, WITHOUT ROWID;"
    "INSERT INTO new_case_version SELECT v.case_id, v.at, coalesce(lead(v.at) OVER (PARTITION BY v.case_id ORDER BY v.at), 9223372036854775807),"
    " k.detected_at, v.state, v.kind, v.level, v.incident_type, k.rule_id, v.object_id, v.confirmed_at, v.eliminated_at, v.measures,"
    " k.merged_into IS NOT NULL FROM case_version v JOIN cases k ON k.id = v.case_id;"
    "DROP TABLE case_version; ALTER TABLE new_case_version RENAME TO case_version;"
    "CREATE INDEX case_version_detected ON case_version(detected_at, case_id, until, at, kind, state, level, incident_type, rule_id, merged);"
    "CREATE INDEX case_version_unresolved ON case_version(until, at, detected_at, case_id) WHERE kind = 'incident' AND merged = 0 AND state NOT IN"
    " ('eliminated','closed','rejected','dismissed_by_sts');"
    "DROP INDEX IF EXISTS case_detected; DROP INDEX IF EXISTS timeline_happened;"
    "CREATE INDEX timeline_kind_happened ON timeline(kind, happened_at);"
    "CREATE INDEX duty_due_at ON duty(due_at) WHERE org_id IS NOT NULL;";

/* duty_version: how each duty stood from "at" (when that was known) to "until"; triggers keep it, whoever writes. Rows of before this step get back
 * what duty_change tells of them. */
#define FOR_EVER "9223372036854775807"
#define DUTY_ENDS(id, at) "UPDATE duty_version SET until = max(at, " at ") WHERE duty_id = " id " AND until = " FOR_EVER ";"
#define DUTY_STANDS(id, at)                                                                                                                     \
    "INSERT OR REPLACE INTO duty_version SELECT d.id, max(" at ", coalesce((SELECT max(x.at) FROM duty_version x WHERE x.duty_id = d.id), " at ")),"  \
    " " FOR_EVER ", d.due_at, d.state, d.fulfilled_at, d.org_id, d.object_id FROM duty d WHERE d.id = " id "; "
#define ENDED "coalesce(NEW.ended_at, NEW.fulfilled_at, NEW.created_at)"
static const char step_3[] =
    "CREATE TABLE duty_version (duty_id INTEGER NOT NULL, at INTEGER NOT NULL, until INTEGER NOT NULL, due_at INTEGER, state TEXT NOT NULL,"
    " fulfilled_at INTEGER, org_id TEXT, object_id TEXT, PRIMARY KEY (duty_id, at)) STRICT, WITHOUT ROWID;"
    "INSERT OR REPLACE INTO duty_version SELECT d.id, d.created_at, " FOR_EVER ", coalesce((SELECT x.due_was FROM duty_change x WHERE x.duty_id = d.id AND"
    " x.reason <> 'resumed' ORDER BY x.id LIMIT 1), d.due_at), 'running', NULL, d.org_id, d.object_id FROM duty d;"
    "INSERT OR REPLACE INTO duty_version SELECT d.id, max(x.at, d.created_at), " FOR_EVER ", x.due_is, 'running', NULL, d.org_id, d.object_id FROM"
    " duty_change x JOIN duty d ON d.id = x.duty_id WHERE x.reason <> 'resumed' ORDER BY x.id;"
    "INSERT OR REPLACE INTO duty_version SELECT d.id, max(coalesce(d.ended_at, d.fulfilled_at, d.created_at), (SELECT max(x.at) FROM duty_version x WHERE"
    " x.duty_id = d.id)), " FOR_EVER ", d.due_at, d.state, d.fulfilled_at, d.org_id, d.object_id FROM duty d WHERE d.state <> 'running';"
    "UPDATE duty_version SET until = coalesce((SELECT min(x.at) FROM duty_version x WHERE x.duty_id = duty_version.duty_id AND x.at > duty_version.at),"
    " " FOR_EVER ");"
    "CREATE INDEX duty_version_due ON duty_version(due_at, until, at) WHERE org_id IS NOT NULL;"
    "DROP INDEX IF EXISTS duty_due_at;"
    "CREATE TRIGGER duty_version_begun AFTER INSERT ON duty BEGIN " DUTY_STANDS("NEW.id", "NEW.created_at") "END;"
    "CREATE TRIGGER duty_version_ended AFTER UPDATE OF state ON duty WHEN NEW.state <> OLD.state AND NEW.state <> 'running' BEGIN "
    DUTY_ENDS("NEW.id", ENDED) DUTY_STANDS("NEW.id", ENDED) "END;"
    "CREATE TRIGGER duty_version_moved AFTER INSERT ON duty_change BEGIN "
    DUTY_ENDS("NEW.duty_id", "NEW.at") DUTY_STANDS("NEW.duty_id", "NEW.at") "END;";

/* The steps that are counted, and late duties, by the moment that orders their rows. */
#define STEPS_COUNTED " WHERE kind IN ('report_measures','eliminate','event_analysis');"
static const char step_4[] =
    "DROP INDEX timeline_kind_happened; DROP INDEX duty_version_due;"
    "CREATE INDEX timeline_step ON timeline(kind, happened_at, id, recorded_at, case_id)" STEPS_COUNTED
    "CREATE INDEX timeline_step_case ON timeline(case_id, kind, id)" STEPS_COUNTED
    "CREATE INDEX duty_version_due ON duty_version(due_at, duty_id, until, at, state, fulfilled_at, object_id) WHERE org_id IS NOT NULL;";

static const char *const steps[] = { step_1, step_2, step_3, step_4 };
const struct desk_schema reports_schema = { "reports", steps, COUNT(steps) };
