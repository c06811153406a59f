/* schema.c - the tables of the room "vulnerabilities", as numbered steps that are never edited once released, only added to. */
#include "desk/internal.h"

/* What came in: surveys as they were told to us, their files, what each file saw and where it looked. Rules and acts are what people said. vuln,
 * vuln_verdict and vuln_key.vuln_id are counted from these and can be counted again (count.c, keys.c). Names of checks and long texts stand once. */
static const char step_1[] =
    "CREATE TABLE vuln_survey (id INTEGER PRIMARY KEY, object_id TEXT NOT NULL REFERENCES object(id), number TEXT NOT NULL, mode TEXT NOT NULL,"
    " control INTEGER NOT NULL, main_id INTEGER NOT NULL, begun_at INTEGER, completed_at INTEGER, sent_at INTEGER, received_at INTEGER,"
    " measures_due_at INTEGER, measures_at INTEGER, cancelled INTEGER NOT NULL, scope_given INTEGER NOT NULL) STRICT;"
    "CREATE INDEX vuln_survey_object ON vuln_survey(object_id, id);"
    "CREATE TABLE vuln_scope (survey_id INTEGER NOT NULL REFERENCES vuln_survey(id), host TEXT NOT NULL, taken INTEGER NOT NULL, reason TEXT NOT NULL,"
    " by_id INTEGER REFERENCES user(id), at INTEGER NOT NULL, PRIMARY KEY (survey_id, host)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE vuln_result (id INTEGER PRIMARY KEY AUTOINCREMENT, survey_id INTEGER NOT NULL REFERENCES vuln_survey(id), sha256 TEXT NOT NULL,"
    " name TEXT NOT NULL, format TEXT NOT NULL, mapping TEXT, tool TEXT NOT NULL DEFAULT '', version TEXT NOT NULL DEFAULT '', state TEXT NOT NULL"
    " CHECK (state IN ('feeding','waiting','reading','applying','applied','refused','withdrawing','withdrawn')), error TEXT NOT NULL DEFAULT '',"
    " line INTEGER NOT NULL DEFAULT 0, done INTEGER NOT NULL DEFAULT 0, total INTEGER NOT NULL DEFAULT 0, findings INTEGER NOT NULL DEFAULT 0,"
    " outside INTEGER NOT NULL DEFAULT 0, covers INTEGER NOT NULL DEFAULT 0, cursor INTEGER NOT NULL DEFAULT 0,"
    " started_at INTEGER, ended_at INTEGER, added_at INTEGER NOT NULL, added_by INTEGER REFERENCES user(id), applied_at INTEGER,"
    " reason TEXT NOT NULL DEFAULT '', UNIQUE (survey_id, sha256)) STRICT;"
    "CREATE INDEX vuln_result_work ON vuln_result(id) WHERE state IN ('waiting','reading','applying','withdrawing');"
    "CREATE TABLE vuln_check (id INTEGER PRIMARY KEY, tool TEXT NOT NULL, name TEXT NOT NULL, key TEXT NOT NULL, UNIQUE (tool, name)) STRICT;"
    "CREATE INDEX vuln_check_key ON vuln_check(key);"
    "CREATE TABLE vuln_text (id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, title TEXT NOT NULL, description TEXT NOT NULL, impact TEXT NOT NULL,"
    " solution TEXT NOT NULL, refs TEXT NOT NULL) STRICT;"
    "CREATE VIRTUAL TABLE vuln_title USING fts5(title, content = 'vuln_text', content_rowid = 'id', tokenize = 'unicode61 remove_diacritics 0', prefix = '3');"
    "CREATE TABLE vuln_key (id INTEGER PRIMARY KEY, object_id TEXT NOT NULL REFERENCES object(id), text TEXT NOT NULL, host TEXT NOT NULL,"
    " port INTEGER NOT NULL, protocol TEXT NOT NULL, component TEXT NOT NULL, path TEXT NOT NULL, weakness TEXT NOT NULL, cve TEXT, vuln_id INTEGER,"
    " UNIQUE (object_id, text)) STRICT;"
    "CREATE INDEX vuln_key_vuln ON vuln_key(vuln_id) WHERE vuln_id IS NOT NULL;"
    "CREATE INDEX vuln_key_cve ON vuln_key(cve) WHERE cve IS NOT NULL;"
    "CREATE INDEX vuln_key_weakness ON vuln_key(weakness, object_id) WHERE cve IS NULL;"
    "CREATE TABLE vuln_sighting (id INTEGER PRIMARY KEY, result_id INTEGER NOT NULL, key_id INTEGER NOT NULL, check_id INTEGER NOT NULL,"
    " text_id INTEGER NOT NULL, severity INTEGER NOT NULL, severity_text TEXT NOT NULL, status INTEGER NOT NULL, cvss REAL, vector TEXT NOT NULL,"
    " epss REAL, kev INTEGER NOT NULL, seen_at INTEGER NOT NULL, occurrences INTEGER NOT NULL, outside INTEGER NOT NULL, name TEXT NOT NULL,"
    " version TEXT NOT NULL, fixed_version TEXT NOT NULL, cwe TEXT NOT NULL, evidence TEXT NOT NULL) STRICT;"
    "CREATE UNIQUE INDEX vuln_sighting_key ON vuln_sighting(key_id, result_id, check_id);"
    "CREATE INDEX vuln_sighting_result ON vuln_sighting(result_id);"
    "CREATE TABLE vuln_cover (id INTEGER PRIMARY KEY, survey_id INTEGER NOT NULL, result_id INTEGER NOT NULL, tool TEXT NOT NULL, check_id INTEGER NOT NULL,"
    " host TEXT NOT NULL, ran INTEGER NOT NULL, port INTEGER NOT NULL, port_to INTEGER NOT NULL, protocol TEXT NOT NULL, path TEXT NOT NULL,"
    " reason TEXT NOT NULL DEFAULT '', sha256 TEXT NOT NULL DEFAULT '', by_id INTEGER REFERENCES user(id), at INTEGER) STRICT;"
    "CREATE UNIQUE INDEX vuln_cover_place ON vuln_cover(survey_id, tool, host, check_id, ran, port, port_to, protocol, path, result_id);"
    "CREATE INDEX vuln_cover_result ON vuln_cover(result_id);"
    /* Tools whose report names the checks that ran: a check that is not named did not. */
    "CREATE TABLE vuln_listed (result_id INTEGER NOT NULL, tool TEXT NOT NULL, PRIMARY KEY (result_id, tool)) STRICT, WITHOUT ROWID;";

/* vuln.rank: known exploited, severity, EPSS, age in one number, the worst highest (room.h). due_at: what the owner owes for it. */
static const char step_2[] =
    "CREATE TABLE vuln (id INTEGER PRIMARY KEY AUTOINCREMENT, object_id TEXT NOT NULL REFERENCES object(id), key TEXT NOT NULL, live INTEGER NOT NULL,"
    " merged_into INTEGER, state TEXT NOT NULL, open INTEGER NOT NULL, since INTEGER NOT NULL, sent INTEGER NOT NULL, own INTEGER NOT NULL, rank INTEGER NOT NULL,"
    " severity INTEGER NOT NULL, cvss REAL, vector TEXT NOT NULL, kev INTEGER NOT NULL, epss REAL, text_id INTEGER, cves TEXT NOT NULL, host TEXT NOT NULL,"
    " port INTEGER NOT NULL, protocol TEXT NOT NULL, component TEXT NOT NULL, path TEXT NOT NULL, contour TEXT NOT NULL, first_detected_at INTEGER NOT NULL,"
    " last_seen_at INTEGER NOT NULL, due_at INTEGER, told INTEGER NOT NULL DEFAULT 0, d15_from INTEGER, UNIQUE (object_id, key)) STRICT;"
    "CREATE INDEX vuln_open ON vuln(open, rank, id) WHERE live = 1;"
    "CREATE INDEX vuln_state ON vuln(state, rank, id) WHERE live = 1;"
    "CREATE INDEX vuln_object ON vuln(object_id, open, rank, id) WHERE live = 1;"
    "CREATE INDEX vuln_host ON vuln(host, rank, id) WHERE live = 1;"
    "CREATE INDEX vuln_due ON vuln(due_at, id) WHERE live = 1 AND due_at IS NOT NULL;"
    "CREATE INDEX vuln_expiry ON vuln(due_at) WHERE live = 1 AND state = 'claimed_production_necessity' AND due_at IS NOT NULL;"
    "CREATE INDEX vuln_said ON vuln(text_id, id) WHERE live = 1;"
    "CREATE INDEX vuln_merged ON vuln(merged_into) WHERE merged_into IS NOT NULL;"
    "CREATE TABLE vuln_verdict (survey_id INTEGER NOT NULL, vuln_id INTEGER NOT NULL, verdict TEXT NOT NULL, reason TEXT NOT NULL, proof INTEGER,"
    " PRIMARY KEY (survey_id, vuln_id)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX vuln_verdict_kind ON vuln_verdict(survey_id, verdict, vuln_id);"
    "CREATE INDEX vuln_verdict_vuln ON vuln_verdict(vuln_id);"
    /* What people did. kind: found (Annex 5), reported, claim, return, withdraw, expire, accept, measure, close, link, note. */
    "CREATE TABLE vuln_act (id INTEGER PRIMARY KEY AUTOINCREMENT, vuln_id INTEGER NOT NULL REFERENCES vuln(id), kind TEXT NOT NULL, at INTEGER NOT NULL,"
    " recorded_at INTEGER NOT NULL, survey_id INTEGER, category TEXT, until INTEGER, notice_id INTEGER, request_id INTEGER, by_id INTEGER REFERENCES user(id),"
    " json TEXT NOT NULL) STRICT;"
    "CREATE INDEX vuln_act_vuln ON vuln_act(vuln_id, id);"
    "CREATE INDEX vuln_act_until ON vuln_act(until) WHERE until IS NOT NULL;"
    "CREATE TRIGGER vuln_act_kept BEFORE DELETE ON vuln_act BEGIN SELECT RAISE(ABORT, 'what was done is kept'); END;"
    "CREATE TABLE vuln_rule (id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL CHECK (kind IN ('merge','split','host','check')), object_id TEXT"
    " REFERENCES object(id), was TEXT NOT NULL, becomes TEXT NOT NULL, reason TEXT NOT NULL, at INTEGER NOT NULL, by_id INTEGER REFERENCES user(id),"
    " ended_at INTEGER, ended_by INTEGER REFERENCES user(id), end_reason TEXT NOT NULL DEFAULT '') STRICT;"
    "CREATE UNIQUE INDEX vuln_rule_was ON vuln_rule(kind, coalesce(object_id, ''), was) WHERE ended_at IS NULL;"
    "CREATE INDEX vuln_rule_object ON vuln_rule(object_id, id);"
    "CREATE TABLE vuln_pending (object_id TEXT PRIMARY KEY REFERENCES object(id), rekey INTEGER NOT NULL, cursor INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE intel_load (id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL CHECK (kind IN ('kev','epss')), version TEXT NOT NULL,"
    " released TEXT NOT NULL, sha256 TEXT NOT NULL, name TEXT NOT NULL, entries INTEGER NOT NULL, state TEXT NOT NULL, error TEXT NOT NULL DEFAULT '',"
    " cursor TEXT NOT NULL DEFAULT '', at INTEGER NOT NULL, by_id INTEGER REFERENCES user(id)) STRICT;"
    "CREATE INDEX intel_load_work ON intel_load(id) WHERE state IN ('waiting','counting');"
    "CREATE TABLE intel_kev (load_id INTEGER NOT NULL, cve TEXT NOT NULL, added_on TEXT NOT NULL, due_on TEXT NOT NULL, ransomware INTEGER NOT NULL,"
    " PRIMARY KEY (load_id, cve)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE intel_epss (load_id INTEGER NOT NULL, cve TEXT NOT NULL, epss REAL NOT NULL, percentile REAL NOT NULL, PRIMARY KEY (load_id, cve))"
    " STRICT, WITHOUT ROWID;";

/* vuln_version: how each vulnerability stood from "at" (when it was counted so) on, for the summaries of a past moment. fixed_at: when the survey that
 * found it gone was completed. One that has never been live has no version. */
static const char step_3[] =
    "CREATE TABLE vuln_version (vuln_id INTEGER NOT NULL, at INTEGER NOT NULL, until INTEGER NOT NULL, live INTEGER NOT NULL, state TEXT NOT NULL,"
    " open INTEGER NOT NULL, severity INTEGER NOT NULL, kev INTEGER NOT NULL, first_detected_at INTEGER NOT NULL, fixed_at INTEGER,"
    " PRIMARY KEY (vuln_id, at)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX vuln_version_found ON vuln_version(first_detected_at, vuln_id) WHERE live = 1;"
    "CREATE INDEX vuln_version_fixed ON vuln_version(fixed_at, vuln_id) WHERE fixed_at IS NOT NULL;"
    "CREATE INDEX vuln_version_open ON vuln_version(until, at, first_detected_at, severity, kev) WHERE open = 1 AND live = 1;"
    "CREATE INDEX vuln_survey_completed ON vuln_survey(completed_at) WHERE completed_at IS NOT NULL;"
    "CREATE INDEX vuln_survey_measures ON vuln_survey(measures_at) WHERE measures_at IS NOT NULL;"
    "CREATE INDEX vuln_act_kind ON vuln_act(kind, at);";

/* What owners know (owner.c), with an index for each order in which they may ask. A database that had vulnerabilities before: where no survey of an object
 * waits for its letter both are the same; the others are counted in the background, and until then the owner is shown nothing of them. */
static const char step_4[] =
    "CREATE TABLE vuln_owner (id INTEGER PRIMARY KEY, object_id TEXT NOT NULL REFERENCES object(id), live INTEGER NOT NULL, sent INTEGER NOT NULL,"
    " key TEXT NOT NULL, state TEXT NOT NULL, open INTEGER NOT NULL, since INTEGER NOT NULL, own INTEGER NOT NULL, rank INTEGER NOT NULL, severity INTEGER NOT NULL,"
    " cvss REAL, vector TEXT NOT NULL, kev INTEGER NOT NULL, epss REAL, text_id INTEGER, cves TEXT NOT NULL, host TEXT NOT NULL, port INTEGER NOT NULL,"
    " protocol TEXT NOT NULL, component TEXT NOT NULL, path TEXT NOT NULL, contour TEXT NOT NULL, first_detected_at INTEGER NOT NULL, last_seen_at INTEGER NOT NULL,"
    " due_at INTEGER) STRICT;"
    "CREATE INDEX vuln_owner_open ON vuln_owner(open, rank, id);"
    "CREATE INDEX vuln_owner_state ON vuln_owner(state, rank, id);"
    "CREATE INDEX vuln_owner_object ON vuln_owner(object_id, open, rank, id);"
    "CREATE INDEX vuln_owner_host ON vuln_owner(host, rank, id);"
    "CREATE INDEX vuln_owner_due ON vuln_owner(due_at, id) WHERE due_at IS NOT NULL;"
    "CREATE INDEX vuln_owner_expiry ON vuln_owner(due_at) WHERE state = 'claimed_production_necessity' AND due_at IS NOT NULL;"
    "CREATE INDEX vuln_owner_said ON vuln_owner(text_id, id);"
    "CREATE TABLE vuln_owner_verdict (survey_id INTEGER NOT NULL, vuln_id INTEGER NOT NULL, verdict TEXT NOT NULL, reason TEXT NOT NULL, proof INTEGER,"
    " PRIMARY KEY (survey_id, vuln_id)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX vuln_owner_verdict_kind ON vuln_owner_verdict(survey_id, verdict, vuln_id);"
    "CREATE INDEX vuln_owner_verdict_vuln ON vuln_owner_verdict(vuln_id);"
    /* Of what an owner found: the raw key that they named, and their words. */
    "ALTER TABLE vuln_act ADD COLUMN key_id INTEGER;"
    "ALTER TABLE vuln_act ADD COLUMN text_id INTEGER;"
    "CREATE INDEX vuln_act_key ON vuln_act(key_id) WHERE key_id IS NOT NULL;"
    "UPDATE vuln_act SET key_id = (SELECT k.id FROM vuln m JOIN vuln_key k ON k.object_id = m.object_id AND k.text = m.key WHERE m.id = vuln_act.vuln_id)"
    " WHERE kind = 'found';"
    "UPDATE vuln_act SET text_id = w.id FROM (SELECT max(x.id) AS id, x.description AS said FROM vuln_text x WHERE x.impact = '' AND x.solution = '' AND x.refs = ''"
    " AND x.description IN (SELECT json_extract(a.json, '$.description') FROM vuln_act a WHERE a.kind = 'found') GROUP BY x.description) w WHERE kind = 'found' AND"
    " w.said = json_extract(json, '$.description');"
    "INSERT INTO vuln_owner SELECT v.id, v.object_id, 1, 1, v.key, v.state, v.open, v.since, v.own, v.rank, v.severity, v.cvss, v.vector, v.kev, v.epss, v.text_id,"
    " v.cves, v.host, v.port, v.protocol, v.component, v.path, v.contour, v.first_detected_at, v.last_seen_at, v.due_at FROM vuln v WHERE v.live = 1 AND v.sent = 1 AND"
    " NOT EXISTS (SELECT 1 FROM vuln_survey y WHERE y.object_id = v.object_id AND y.cancelled = 0 AND y.sent_at IS NULL);"
    "INSERT INTO vuln_owner_verdict SELECT d.* FROM vuln_verdict d JOIN vuln_owner w ON w.id = d.vuln_id;"
    "INSERT INTO vuln_pending(object_id, rekey, cursor) SELECT DISTINCT object_id, 0, 0 FROM vuln WHERE true ON CONFLICT(object_id) DO UPDATE SET cursor = 0;";

/* Pieces of one object, by id: without these every piece would sort the whole object. */
static const char step_5[] = "CREATE INDEX vuln_of ON vuln(object_id);";
static const char step_6[] = "CREATE INDEX vuln_key_of ON vuln_key(object_id);"
                             "CREATE INDEX vuln_sighting_outside ON vuln_sighting(result_id) WHERE outside = 1;";

static const char *const steps[] = { step_1, step_2, step_3, step_4, step_5, step_6 };
const struct desk_schema vulnerabilities_schema = { "vulnerabilities", steps, COUNT(steps) };
