/* schema.c - the tables of the room "requests", as numbered steps that are never edited once released, only added to. */
#include "desk/internal.h"

/* request: what somebody asked or declared about an object, with all that was recorded of it as JSON. waits, ended and inner follow from the state
 * (kinds.c) and are kept as columns for the lists. request_item: one line of a check-list. request_file: evidence, by the SHA-256 of its bytes.
 * log_source: one log that must arrive; collector and sending: versions of what was told of the owner's collection and agreed of the sending. */
static const char step_1[] =
    "CREATE TABLE request (id INTEGER PRIMARY KEY AUTOINCREMENT, number TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, state TEXT NOT NULL,"
    " waits TEXT NOT NULL CHECK (waits IN ('nobody','owner','centre','ocib')), ended INTEGER NOT NULL CHECK (ended IN (0,1)),"
    " inner INTEGER NOT NULL CHECK (inner IN (0,1)), object_id TEXT NOT NULL REFERENCES object(id), batch INTEGER, values_json TEXT NOT NULL,"
    " opened_at INTEGER NOT NULL, opened_by INTEGER REFERENCES user(id), updated_at INTEGER NOT NULL, ended_at INTEGER) STRICT;"
    "CREATE INDEX request_object ON request(object_id, kind, id);"
    "CREATE INDEX request_open ON request(waits, id) WHERE ended = 0;"
    "CREATE INDEX request_kind ON request(kind, state, id);"
    "CREATE TABLE request_item (request_id INTEGER NOT NULL REFERENCES request(id), code TEXT NOT NULL CHECK (length(code) BETWEEN 1 AND 64),"
    " position INTEGER NOT NULL, row TEXT, title TEXT, state TEXT NOT NULL, note TEXT, values_json TEXT NOT NULL DEFAULT '{}', updated_at INTEGER,"
    " updated_by INTEGER REFERENCES user(id), PRIMARY KEY (request_id, code)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE request_file (id INTEGER PRIMARY KEY AUTOINCREMENT, request_id INTEGER NOT NULL REFERENCES request(id), item TEXT,"
    " role TEXT NOT NULL, name TEXT NOT NULL, type TEXT NOT NULL, size_bytes INTEGER NOT NULL, sha256 TEXT NOT NULL CHECK (length(sha256) = 64),"
    " captured_at INTEGER, place TEXT, note TEXT, added_at INTEGER NOT NULL, added_by INTEGER REFERENCES user(id)) STRICT;"
    "CREATE INDEX request_file_of ON request_file(request_id, id);"
    "CREATE TRIGGER request_file_kept BEFORE DELETE ON request_file BEGIN SELECT RAISE(ABORT, 'evidence is kept'); END;"
    "CREATE TRIGGER request_file_fixed BEFORE UPDATE ON request_file BEGIN SELECT RAISE(ABORT, 'evidence is kept'); END;"
    "CREATE TABLE log_source (id INTEGER PRIMARY KEY AUTOINCREMENT, object_id TEXT NOT NULL REFERENCES object(id), component TEXT NOT NULL,"
    " host TEXT, class TEXT NOT NULL, log TEXT NOT NULL, path TEXT, agent TEXT NOT NULL CHECK (agent IN ('lcs','server')), rule TEXT, reason TEXT,"
    " state TEXT NOT NULL, approved_at INTEGER, approved_by INTEGER REFERENCES user(id), source_id TEXT, updated_at INTEGER NOT NULL,"
    " UNIQUE (object_id, component, class, log)) STRICT;"
    "CREATE TABLE collector (object_id TEXT NOT NULL REFERENCES object(id), version INTEGER NOT NULL, values_json TEXT NOT NULL, at INTEGER NOT NULL,"
    " user_id INTEGER REFERENCES user(id), PRIMARY KEY (object_id, version)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE sending (object_id TEXT NOT NULL REFERENCES object(id), version INTEGER NOT NULL, values_json TEXT NOT NULL, agreed_on TEXT NOT NULL,"
    " at INTEGER NOT NULL, user_id INTEGER REFERENCES user(id), confirmed_at INTEGER, confirmed_by INTEGER REFERENCES user(id),"
    " PRIMARY KEY (object_id, version)) STRICT, WITHOUT ROWID;";

/* The sending conditions are proposed by one side and agreed by the other; a log may be one of a protection tool (R-12-03, R-12-06, R-10.1-05). */
static const char step_2[] =
    "DROP TABLE sending;"
    "CREATE TABLE sending (object_id TEXT NOT NULL REFERENCES object(id), version INTEGER NOT NULL, values_json TEXT NOT NULL,"
    " at INTEGER NOT NULL, user_id INTEGER REFERENCES user(id), agreed_on TEXT, agreed_at INTEGER, agreed_by INTEGER REFERENCES user(id),"
    " PRIMARY KEY (object_id, version)) STRICT, WITHOUT ROWID;"
    "ALTER TABLE log_source ADD COLUMN protection INTEGER NOT NULL DEFAULT 0 CHECK (protection IN (0,1));"
    "ALTER TABLE log_source ADD COLUMN note TEXT;";

static const char *const steps[] = { step_1, step_2 };
const struct desk_schema requests_schema = { "requests", steps, COUNT(steps) };
