/* schema.c - the tables of the room "documents", as numbered steps that are never edited once released, only added to. */
#include "desk/internal.h"

/* td_document: one version of one document of Annex 3 at an object; td_file: its bytes, by their hash. Both are only added to: the day that stands on the
 * document and the moment of the upload are two columns, and the second comes from our clock alone.
 * td_requirement: a requirement as it was worded when a survey took it (by the hash of its words). td_survey: a survey (7.6). td_verdict: a line of its
 * check-list. td_evidence: photographs and files of the survey, and of the owner's measures. td_violation: one violation over its life; td_step: that life;
 * td_measure: what the owner did about it, for each survey that found it. */
static const char step_1[] =
    "CREATE TABLE td_document (id INTEGER PRIMARY KEY AUTOINCREMENT, object_id TEXT NOT NULL REFERENCES object(id), document TEXT NOT NULL CHECK"
    " (length(document) BETWEEN 1 AND 64), version INTEGER NOT NULL CHECK (version >= 1), number TEXT, dated_on TEXT, edition TEXT, approved_by TEXT,"
    " approved_on TEXT, signed INTEGER NOT NULL CHECK (signed IN (0,1)), sealed INTEGER CHECK (sealed IN (0,1)), certified INTEGER NOT NULL CHECK"
    " (certified IN (0,1)), valid_until TEXT, review_on TEXT, note TEXT, source TEXT NOT NULL CHECK (source IN ('owner','centre','request')),"
    " request_id INTEGER REFERENCES request(id), added_at INTEGER NOT NULL, added_by INTEGER REFERENCES user(id), UNIQUE (object_id, document, version))"
    " STRICT;"
    "CREATE INDEX td_document_request ON td_document(request_id, document) WHERE request_id IS NOT NULL;"
    "CREATE TRIGGER td_document_kept BEFORE DELETE ON td_document BEGIN SELECT RAISE(ABORT, 'a version is kept'); END;"
    "CREATE TRIGGER td_document_fixed BEFORE UPDATE ON td_document BEGIN SELECT RAISE(ABORT, 'a version is never changed'); END;"
    "CREATE TABLE td_file (id INTEGER PRIMARY KEY AUTOINCREMENT, document_id INTEGER NOT NULL REFERENCES td_document(id), name TEXT NOT NULL,"
    " type TEXT NOT NULL, size_bytes INTEGER NOT NULL, sha256 TEXT NOT NULL CHECK (length(sha256) = 64), dated_on TEXT, added_at INTEGER NOT NULL) STRICT;"
    "CREATE INDEX td_file_of ON td_file(document_id, id);"
    "CREATE TRIGGER td_file_kept BEFORE DELETE ON td_file BEGIN SELECT RAISE(ABORT, 'evidence is kept'); END;"
    "CREATE TRIGGER td_file_fixed BEFORE UPDATE ON td_file BEGIN SELECT RAISE(ABORT, 'evidence is kept'); END;"
    "CREATE TABLE td_requirement (id INTEGER PRIMARY KEY AUTOINCREMENT, code TEXT NOT NULL, document TEXT NOT NULL, position INTEGER NOT NULL, sha256 TEXT"
    " NOT NULL CHECK (length(sha256) = 64), json TEXT NOT NULL, taken_at INTEGER NOT NULL, UNIQUE (code, sha256)) STRICT;"
    "CREATE TABLE td_survey (id INTEGER PRIMARY KEY AUTOINCREMENT, number TEXT NOT NULL UNIQUE, object_id TEXT NOT NULL REFERENCES object(id), state TEXT"
    " NOT NULL, waits TEXT NOT NULL CHECK (waits IN ('nobody','owner','centre')), ended INTEGER NOT NULL CHECK (ended IN (0,1)), inner INTEGER NOT NULL CHECK"
    " (inner IN (0,1)), plan_line INTEGER UNIQUE, team TEXT, planned_from TEXT NOT NULL, planned_to TEXT, reason TEXT, request_id INTEGER UNIQUE REFERENCES"
    " request(id), copies_taken INTEGER NOT NULL DEFAULT 0 CHECK (copies_taken IN (0,1)), previous_id INTEGER REFERENCES td_survey(id), library TEXT,"
    " facts TEXT, opened_at INTEGER NOT NULL, opened_by INTEGER REFERENCES user(id), updated_at INTEGER NOT NULL, started_at INTEGER, completed_at INTEGER,"
    " results_sent_at INTEGER, results_received_at INTEGER, measures_at INTEGER, ended_at INTEGER, CHECK (plan_line IS NOT NULL OR reason IS NOT NULL))"
    " STRICT;"
    "CREATE INDEX td_survey_object ON td_survey(object_id, id);"
    "CREATE INDEX td_survey_open ON td_survey(waits, id) WHERE ended = 0;"
    "CREATE INDEX td_survey_ended ON td_survey(ended, id);"
    "CREATE INDEX td_survey_state ON td_survey(state, id);"
    "CREATE INDEX td_survey_follows ON td_survey(request_id) WHERE copies_taken = 0 AND ended = 0 AND request_id IS NOT NULL;"
    "CREATE UNIQUE INDEX td_survey_one ON td_survey(object_id) WHERE ended = 0 AND state <> 'planned';"
    "CREATE TABLE td_violation (id INTEGER PRIMARY KEY AUTOINCREMENT, number TEXT NOT NULL UNIQUE, object_id TEXT NOT NULL REFERENCES object(id), document"
    " TEXT NOT NULL, code TEXT NOT NULL, requirement_id INTEGER NOT NULL REFERENCES td_requirement(id), state TEXT NOT NULL CHECK (state IN"
    " ('found','sent','measure_reported','fixed','persisting')), open INTEGER NOT NULL CHECK (open IN (0,1)), shown INTEGER NOT NULL DEFAULT 0 CHECK (shown IN"
    " (0,1)), found_survey INTEGER NOT NULL REFERENCES td_survey(id), survey_id INTEGER NOT NULL REFERENCES td_survey(id), description TEXT NOT NULL,"
    " recommendation TEXT NOT NULL, found_at INTEGER NOT NULL, sent_at INTEGER, settled_at INTEGER, updated_at INTEGER NOT NULL) STRICT;"
    "CREATE UNIQUE INDEX td_violation_open ON td_violation(object_id, code) WHERE open = 1;"
    "CREATE INDEX td_violation_object ON td_violation(object_id, id);"
    "CREATE INDEX td_violation_state ON td_violation(state, id);"
    "CREATE INDEX td_violation_opens ON td_violation(open, id);"
    "CREATE INDEX td_violation_found ON td_violation(found_at);"
    "CREATE TABLE td_step (id INTEGER PRIMARY KEY AUTOINCREMENT, violation_id INTEGER NOT NULL REFERENCES td_violation(id), survey_id INTEGER NOT NULL"
    " REFERENCES td_survey(id), state TEXT NOT NULL, at INTEGER NOT NULL, user_id INTEGER REFERENCES user(id), text TEXT) STRICT;"
    "CREATE INDEX td_step_of ON td_step(violation_id, id);"
    "CREATE INDEX td_step_at ON td_step(at, state);"
    "CREATE TRIGGER td_step_kept BEFORE DELETE ON td_step BEGIN SELECT RAISE(ABORT, 'history is kept'); END;"
    "CREATE TRIGGER td_step_fixed BEFORE UPDATE ON td_step BEGIN SELECT RAISE(ABORT, 'history is kept'); END;"
    "CREATE TABLE td_verdict (survey_id INTEGER NOT NULL REFERENCES td_survey(id), position INTEGER NOT NULL, code TEXT NOT NULL, document TEXT NOT NULL,"
    " requirement_id INTEGER NOT NULL REFERENCES td_requirement(id), verdict TEXT CHECK (verdict IN ('met','partly','not_met','not_applicable')), reason TEXT,"
    " quote TEXT, page TEXT, note TEXT, description TEXT, recommendation TEXT, as_last INTEGER NOT NULL DEFAULT 0, document_id INTEGER REFERENCES"
    " td_document(id), violation_id INTEGER REFERENCES td_violation(id), at INTEGER, user_id INTEGER REFERENCES user(id), PRIMARY KEY (survey_id, position))"
    " STRICT, WITHOUT ROWID;"
    "CREATE UNIQUE INDEX td_verdict_code ON td_verdict(survey_id, code);"
    "CREATE INDEX td_verdict_violation ON td_verdict(violation_id, survey_id) WHERE violation_id IS NOT NULL;"
    "CREATE INDEX td_verdict_document ON td_verdict(survey_id, document, position);"
    "CREATE TABLE td_evidence (id INTEGER PRIMARY KEY AUTOINCREMENT, survey_id INTEGER NOT NULL REFERENCES td_survey(id), code TEXT, violation_id INTEGER"
    " REFERENCES td_violation(id), role TEXT NOT NULL, name TEXT NOT NULL, type TEXT NOT NULL, size_bytes INTEGER NOT NULL, sha256 TEXT NOT NULL CHECK"
    " (length(sha256) = 64), captured_at INTEGER, place TEXT, note TEXT, added_at INTEGER NOT NULL, added_by INTEGER REFERENCES user(id)) STRICT;"
    "CREATE INDEX td_evidence_of ON td_evidence(survey_id, id);"
    "CREATE INDEX td_evidence_violation ON td_evidence(violation_id) WHERE violation_id IS NOT NULL;"
    "CREATE TRIGGER td_evidence_kept BEFORE DELETE ON td_evidence BEGIN SELECT RAISE(ABORT, 'evidence is kept'); END;"
    "CREATE TRIGGER td_evidence_fixed BEFORE UPDATE ON td_evidence BEGIN SELECT RAISE(ABORT, 'evidence is kept'); END;"
    "CREATE TABLE td_measure (violation_id INTEGER NOT NULL REFERENCES td_violation(id), survey_id INTEGER NOT NULL REFERENCES td_survey(id), text TEXT NOT"
    " NULL, done_on TEXT, at INTEGER NOT NULL, user_id INTEGER REFERENCES user(id), PRIMARY KEY (violation_id, survey_id)) STRICT, WITHOUT ROWID;";

/* A violation whose requirement no longer applies has an end of its own. Rows that ended so before this step keep the word "fixed", as it was told. */
static const char step_2[] =
    "DROP INDEX td_violation_state;"
    "ALTER TABLE td_violation RENAME COLUMN state TO state_1;"
    "ALTER TABLE td_violation ADD COLUMN state TEXT NOT NULL DEFAULT 'found' CHECK (state IN ('found','sent','measure_reported','fixed','not_applicable',"
    "'persisting'));"
    "UPDATE td_violation SET state = state_1;"
    "ALTER TABLE td_violation DROP COLUMN state_1;"
    "CREATE INDEX td_violation_state ON td_violation(state, id);";

static const char *const steps[] = { step_1, step_2 };
const struct desk_schema documents_schema = { "documents", steps, COUNT(steps) };
