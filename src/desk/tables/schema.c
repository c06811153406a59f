/* schema.c - the tables of the room "tables", as numbered steps that are never edited once released, only added to. */
#include "desk/internal.h"

static const char step_1[] =
    "CREATE TABLE passport (id INTEGER PRIMARY KEY AUTOINCREMENT, object_id TEXT NOT NULL REFERENCES object(id),"
    " version INTEGER NOT NULL CHECK (version >= 1),"
    " source TEXT NOT NULL CHECK (source IN ('architecture_portal','conformity_testing','owner','observation')),"
    " tested_kind TEXT CHECK (tested_kind IN ('service_software_product','ict_platform','internet_resource','information_system')),"
    " reference TEXT, received_on TEXT, note TEXT, item_count INTEGER NOT NULL, created_at INTEGER NOT NULL,"
    " author_id INTEGER REFERENCES user(id), CHECK ((source = 'conformity_testing') = (tested_kind IS NOT NULL)),"
    " UNIQUE (object_id, version)) STRICT;"
    "CREATE TABLE passport_item (passport_id INTEGER NOT NULL REFERENCES passport(id), position INTEGER NOT NULL, kind TEXT NOT NULL,"
    " key TEXT NOT NULL, json TEXT NOT NULL, PRIMARY KEY (passport_id, position)) STRICT, WITHOUT ROWID;"
    "CREATE UNIQUE INDEX passport_item_key ON passport_item(passport_id, key);"
    "CREATE TRIGGER passport_fixed BEFORE UPDATE ON passport BEGIN SELECT RAISE(ABORT, 'a passport is never changed'); END;"
    "CREATE TRIGGER passport_kept BEFORE DELETE ON passport BEGIN SELECT RAISE(ABORT, 'a passport is never changed'); END;"
    "CREATE TRIGGER passport_item_fixed BEFORE UPDATE ON passport_item BEGIN SELECT RAISE(ABORT, 'a passport is never changed'); END;"
    "CREATE TRIGGER passport_item_kept BEFORE DELETE ON passport_item BEGIN SELECT RAISE(ABORT, 'a passport is never changed'); END;"
    "CREATE TABLE observed (object_id TEXT NOT NULL REFERENCES object(id), key TEXT NOT NULL, kind TEXT NOT NULL, json TEXT NOT NULL,"
    " source TEXT NOT NULL, first_seen_at INTEGER NOT NULL, last_seen_at INTEGER NOT NULL, PRIMARY KEY (object_id, key)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE object_change (id INTEGER PRIMARY KEY AUTOINCREMENT, object_id TEXT NOT NULL REFERENCES object(id),"
    " kind TEXT NOT NULL, key TEXT NOT NULL, what TEXT NOT NULL CHECK (what IN ('appeared','changed','missing')), before TEXT, after TEXT,"
    " found_by TEXT NOT NULL, state TEXT NOT NULL CHECK (state IN ('open','accepted','questioned','withdrawn','recorded')),"
    " found_at INTEGER NOT NULL, decided_at INTEGER, decided_by INTEGER REFERENCES user(id), passport_version INTEGER, note TEXT) STRICT;"
    "CREATE INDEX object_change_object ON object_change(object_id, id);"
    "CREATE INDEX object_change_found ON object_change(found_at);"
    "CREATE INDEX object_change_state ON object_change(state, id);"
    "CREATE UNIQUE INDEX object_change_pending ON object_change(object_id, key) WHERE state IN ('open','questioned');";

/* import_row: what a dry run showed of each row, until it is written or forgotten. target: what makes two rows be about the same record. */
static const char step_2[] =
    "CREATE TABLE import_mapping (id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 100),"
    " columns TEXT NOT NULL, empty TEXT NOT NULL CHECK (empty IN ('keep','clear')), updated_at INTEGER NOT NULL, author_id INTEGER REFERENCES user(id),"
    " UNIQUE (kind, name)) STRICT;"
    "CREATE TABLE import_run (id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, sha256 TEXT NOT NULL, file_name TEXT NOT NULL, sheet TEXT NOT NULL,"
    " sheets TEXT NOT NULL, headings TEXT NOT NULL, heading_row INTEGER NOT NULL, state TEXT NOT NULL CHECK (state IN ('read','checked','applied')),"
    " checked INTEGER NOT NULL DEFAULT 0, columns TEXT, empty TEXT, created_at INTEGER NOT NULL, author_id INTEGER NOT NULL REFERENCES user(id),"
    " applied_at INTEGER, applied_by INTEGER REFERENCES user(id)) STRICT;"
    "CREATE TABLE import_row (run_id INTEGER NOT NULL REFERENCES import_run(id), row INTEGER NOT NULL,"
    " action TEXT NOT NULL CHECK (action IN ('create','change','same','error')), target TEXT, record_id TEXT, version INTEGER NOT NULL, parent TEXT,"
    " name TEXT NOT NULL, value TEXT, diff TEXT NOT NULL, errors TEXT NOT NULL, PRIMARY KEY (run_id, row)) STRICT, WITHOUT ROWID;"
    "CREATE UNIQUE INDEX import_row_target ON import_row(run_id, target) WHERE target IS NOT NULL;"
    "CREATE INDEX import_row_action ON import_row(run_id, action, row);"
    "CREATE INDEX IF NOT EXISTS org_bin ON org(bin) WHERE bin IS NOT NULL;";

/* A dry run writes its rows piece by piece under a number of its own, which nobody sees until it is the run's newest; search_waiting: records whose
 * words are not in the search yet (registry/record.c). */
static const char step_3[] =
    "CREATE TABLE new_import_row (run_id INTEGER NOT NULL REFERENCES import_run(id), attempt INTEGER NOT NULL, row INTEGER NOT NULL,"
    " action TEXT NOT NULL CHECK (action IN ('create','change','same','error')), target TEXT, record_id TEXT, version INTEGER NOT NULL, parent TEXT,"
    " name TEXT NOT NULL, value TEXT, diff TEXT NOT NULL, errors TEXT NOT NULL, PRIMARY KEY (run_id, attempt, row)) STRICT, WITHOUT ROWID;"
    "INSERT INTO new_import_row SELECT w.run_id, r.checked, w.row, w.action, w.target, w.record_id, w.version, w.parent, w.name, w.value, w.diff, w.errors"
    " FROM import_row w JOIN import_run r ON r.id = w.run_id;"
    "DROP TABLE import_row; ALTER TABLE new_import_row RENAME TO import_row;"
    "CREATE UNIQUE INDEX import_row_target ON import_row(run_id, attempt, target) WHERE target IS NOT NULL;"
    "CREATE INDEX import_row_action ON import_row(run_id, attempt, action, row);"
    "ALTER TABLE import_run ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0;"
    "UPDATE import_run SET attempts = checked;"
    "CREATE TABLE search_waiting (rid INTEGER PRIMARY KEY) STRICT;";

static const char *const steps[] = { step_1, step_2, step_3 };
const struct desk_schema tables_schema = { "tables", steps, COUNT(steps) };
