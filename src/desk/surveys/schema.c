/* schema.c - the tables of the room "surveys", as numbered steps that are never edited once released, only added to. */
#include "desk/internal.h"

/* survey: one survey of one object; waits and ended follow from the state (acts.c) and are kept as columns for the lists. told_at: since when the owner's
 * side sees it. survey_scope: what is looked at; source "annex1" and "passport" come from the registry, "manual" from a person, "adjacent" is the network
 * beside the object's own (R-10.2-06). survey_result: a file of a scanner under the number that the room
 * "vulnerabilities" gave it, which reads it; one that was taken away keeps its row. survey_remedy: what is recommended to the owner in three languages; survey_measure: what the owner answers, of one vulnerability
 * or (vulnerability_id NULL) of all. survey_run: a run of a tool of ours, with the very arguments. */
static const char step_1[] =
    "CREATE TABLE survey (id INTEGER PRIMARY KEY AUTOINCREMENT, number TEXT NOT NULL UNIQUE, object_id TEXT NOT NULL REFERENCES object(id),"
    " mode TEXT NOT NULL CHECK (mode IN ('pentest_auto','update_config','source_code','pentest_manual')),"
    " kind TEXT NOT NULL CHECK (kind IN ('main','control')), main_id INTEGER REFERENCES survey(id), ordinal INTEGER NOT NULL,"
    " line_id INTEGER UNIQUE, reason TEXT, team_id INTEGER, from_on TEXT NOT NULL, to_on TEXT NOT NULL, state TEXT NOT NULL,"
    " waits TEXT NOT NULL CHECK (waits IN ('nobody','owner','centre')), ended INTEGER NOT NULL CHECK (ended IN (0,1)), values_json TEXT NOT NULL,"
    " told_at INTEGER, started_at INTEGER, completed_at INTEGER, results_sent_at INTEGER, results_received_at INTEGER, measures_at INTEGER,"
    " created_at INTEGER NOT NULL, created_by INTEGER REFERENCES user(id), updated_at INTEGER NOT NULL,"
    " CHECK (main_id IS NULL OR kind = 'control'), CHECK (line_id IS NOT NULL OR reason IS NOT NULL)) STRICT;"
    "CREATE INDEX survey_object ON survey(object_id, id);"
    "CREATE INDEX survey_open ON survey(ended, waits, id);"
    "CREATE INDEX survey_state ON survey(state, id);"
    "CREATE INDEX survey_mode ON survey(mode, kind, id);"
    "CREATE INDEX survey_main ON survey(main_id) WHERE main_id IS NOT NULL;"
    "CREATE INDEX survey_begins ON survey(from_on, id) WHERE ended = 0;"
    "CREATE TABLE survey_person (survey_id INTEGER NOT NULL REFERENCES survey(id), user_id INTEGER NOT NULL REFERENCES user(id),"
    " PRIMARY KEY (survey_id, user_id)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX survey_person_of ON survey_person(user_id, survey_id);"
    "CREATE TABLE survey_scope (id INTEGER PRIMARY KEY AUTOINCREMENT, survey_id INTEGER NOT NULL REFERENCES survey(id),"
    " source TEXT NOT NULL CHECK (source IN ('annex1','passport','manual','adjacent')), ref TEXT NOT NULL, name TEXT NOT NULL, hosts TEXT NOT NULL,"
    " included INTEGER NOT NULL CHECK (included IN (0,1)), reason TEXT, updated_at INTEGER NOT NULL, updated_by INTEGER REFERENCES user(id),"
    " UNIQUE (survey_id, source, ref), CHECK (included = 1 OR reason IS NOT NULL)) STRICT;"
    "CREATE TABLE survey_file (id INTEGER PRIMARY KEY AUTOINCREMENT, survey_id INTEGER NOT NULL REFERENCES survey(id), role TEXT NOT NULL,"
    " name TEXT NOT NULL, type TEXT NOT NULL, size_bytes INTEGER NOT NULL, sha256 TEXT NOT NULL CHECK (length(sha256) = 64), captured_at INTEGER,"
    " place TEXT, note TEXT, added_at INTEGER NOT NULL, added_by INTEGER REFERENCES user(id)) STRICT;"
    "CREATE INDEX survey_file_of ON survey_file(survey_id, id);"
    "CREATE TRIGGER survey_file_kept BEFORE DELETE ON survey_file BEGIN SELECT RAISE(ABORT, 'evidence is kept'); END;"
    "CREATE TRIGGER survey_file_fixed BEFORE UPDATE ON survey_file BEGIN SELECT RAISE(ABORT, 'evidence is kept'); END;"
    "CREATE TABLE survey_mapping (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 100),"
    " tool TEXT NOT NULL, sheet TEXT NOT NULL, columns TEXT NOT NULL, updated_at INTEGER NOT NULL, author_id INTEGER REFERENCES user(id)) STRICT;"
    "CREATE TABLE survey_result (id INTEGER PRIMARY KEY, survey_id INTEGER NOT NULL REFERENCES survey(id), sha256 TEXT NOT NULL, name TEXT NOT NULL,"
    " size_bytes INTEGER NOT NULL, format TEXT NOT NULL, mapping TEXT, run_id INTEGER, added_at INTEGER NOT NULL, added_by INTEGER REFERENCES user(id),"
    " removed_at INTEGER, removed_by INTEGER REFERENCES user(id), reason TEXT) STRICT;"
    "CREATE INDEX survey_result_of ON survey_result(survey_id, id);"
    "CREATE TABLE survey_remedy (survey_id INTEGER NOT NULL REFERENCES survey(id), vulnerability_id INTEGER NOT NULL, kk TEXT NOT NULL, ru TEXT NOT NULL,"
    " en TEXT NOT NULL, edited_at INTEGER NOT NULL, edited_by INTEGER REFERENCES user(id), PRIMARY KEY (survey_id, vulnerability_id)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE survey_measure (id INTEGER PRIMARY KEY AUTOINCREMENT, survey_id INTEGER NOT NULL REFERENCES survey(id), vulnerability_id INTEGER,"
    " answer TEXT NOT NULL CHECK (answer IN ('fixed','until','claim','comment','nothing')), on_date TEXT, comment TEXT, notice_id INTEGER,"
    " at INTEGER NOT NULL, user_id INTEGER REFERENCES user(id)) STRICT;"
    "CREATE INDEX survey_measure_of ON survey_measure(survey_id, id);"
    "CREATE TABLE survey_run (id INTEGER PRIMARY KEY AUTOINCREMENT, survey_id INTEGER NOT NULL REFERENCES survey(id), profile TEXT NOT NULL,"
    " tool TEXT NOT NULL, targets TEXT NOT NULL, argv TEXT NOT NULL,"
    " state TEXT NOT NULL CHECK (state IN ('proposed','confirmed','running','done','failed','cancelled')), proposed_at INTEGER NOT NULL,"
    " proposed_by INTEGER NOT NULL REFERENCES user(id), confirmed_at INTEGER, confirmed_by INTEGER REFERENCES user(id), started_at INTEGER, ended_at INTEGER,"
    " exit_code INTEGER, story TEXT, result_id INTEGER) STRICT;"
    "CREATE INDEX survey_run_of ON survey_run(survey_id, id);"
    "CREATE INDEX survey_run_works ON survey_run(id) WHERE exit_code IS NULL AND confirmed_at IS NOT NULL;";

static const char *const steps[] = { step_1 };
const struct desk_schema surveys_schema = { "surveys", steps, COUNT(steps) };
