/* schema.c - the tables of the room "integrity", as numbered steps that are never edited once released, only added to.
 *
 * fact_part holds what has arrived of a snapshot until it is whole; fact_state and fact_item what is known of a host now; integrity_change how it
 * became so; fact_check what the passport's checksums say of the files. A value is text, its parts behind tabs (values.c). */
#include "desk/internal.h"

static const char step_1[] =
    "CREATE TABLE fact_host (id INTEGER PRIMARY KEY AUTOINCREMENT, host TEXT NOT NULL UNIQUE COLLATE NOCASE, first_seen_at INTEGER NOT NULL,"
    " last_seen_at INTEGER NOT NULL, refused INTEGER NOT NULL DEFAULT 0, refused_text TEXT) STRICT;"
    "CREATE TABLE fact_part (host_id INTEGER NOT NULL REFERENCES fact_host(id), kind TEXT NOT NULL, scan INTEGER NOT NULL, part INTEGER NOT NULL,"
    " last INTEGER NOT NULL, received_at INTEGER NOT NULL, payload BLOB NOT NULL, PRIMARY KEY (host_id, kind, scan, part)) STRICT;"
    "CREATE TABLE fact_state (host_id INTEGER NOT NULL REFERENCES fact_host(id), kind TEXT NOT NULL CHECK (kind IN ('packages','settings','files')),"
    " scan INTEGER NOT NULL, items INTEGER NOT NULL, unreadable INTEGER NOT NULL, over INTEGER NOT NULL, roots TEXT NOT NULL,"
    " received_at INTEGER NOT NULL, full_at INTEGER NOT NULL, stale INTEGER NOT NULL DEFAULT 0 CHECK (stale IN (0,1)),"
    " PRIMARY KEY (host_id, kind)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE fact_item (host_id INTEGER NOT NULL REFERENCES fact_host(id), kind TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,"
    " since_at INTEGER NOT NULL, PRIMARY KEY (host_id, kind, key)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE integrity_change (id INTEGER PRIMARY KEY AUTOINCREMENT, object_id TEXT NOT NULL REFERENCES object(id),"
    " host_id INTEGER REFERENCES fact_host(id), kind TEXT NOT NULL CHECK (kind IN ('packages','settings','files')), key TEXT NOT NULL,"
    " against TEXT NOT NULL CHECK (against IN ('before','passport')), what TEXT NOT NULL CHECK (what IN ('appeared','changed','missing')),"
    " before TEXT, after TEXT, state TEXT NOT NULL CHECK (state IN ('open','explained','denied','questioned','accepted','withdrawn','recorded')),"
    " found_at INTEGER NOT NULL, last_at INTEGER NOT NULL, count INTEGER NOT NULL DEFAULT 1, reason TEXT, document_sha256 TEXT, document_name TEXT,"
    " explained_at INTEGER, explained_by INTEGER REFERENCES user(id), decided_at INTEGER, decided_by INTEGER REFERENCES user(id), note TEXT,"
    " passport_version INTEGER, case_due_at INTEGER, case_id INTEGER REFERENCES cases(id)) STRICT;"
    "CREATE INDEX integrity_change_object ON integrity_change(object_id, id);"
    "CREATE INDEX integrity_change_object_state ON integrity_change(object_id, state, id);"
    "CREATE INDEX integrity_change_state ON integrity_change(state, id);"
    "CREATE INDEX integrity_change_found ON integrity_change(found_at);"
    "CREATE INDEX integrity_change_key ON integrity_change(host_id, kind, key, id);"
    "CREATE INDEX integrity_change_due ON integrity_change(case_due_at) WHERE case_due_at IS NOT NULL AND case_id IS NULL;"
    "CREATE TABLE fact_check (object_id TEXT NOT NULL REFERENCES object(id), file TEXT NOT NULL, host_id INTEGER NOT NULL, path TEXT NOT NULL,"
    " verdict TEXT NOT NULL CHECK (verdict IN ('match','differs','missing','not_watched','not_comparable')), expected TEXT NOT NULL, found TEXT,"
    " since_at INTEGER NOT NULL, round INTEGER NOT NULL, PRIMARY KEY (object_id, file, host_id, path)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX fact_check_path ON fact_check(host_id, path);"
    "CREATE INDEX fact_check_verdict ON fact_check(object_id, verdict, file);"
    "CREATE TABLE fact_checked (object_id TEXT PRIMARY KEY REFERENCES object(id), version INTEGER NOT NULL, round INTEGER NOT NULL, at INTEGER NOT NULL,"
    " extra INTEGER NOT NULL) STRICT;";

/* Most rows are recorded and wait for nobody: what waits, and each filter, has an index of its own. */
static const char step_2[] =
    "CREATE INDEX integrity_change_waiting ON integrity_change(id) WHERE state IN ('open','denied','explained','questioned');"
    "CREATE INDEX integrity_change_object_waiting ON integrity_change(object_id, id) WHERE state IN ('open','denied','explained','questioned');"
    "CREATE INDEX integrity_change_kind ON integrity_change(kind, id);"
    "CREATE INDEX integrity_change_state_kind ON integrity_change(state, kind, id);";

/* fact_taken: facts of a host that were made results of a survey, by the hash of what they say (without the moment at which they came): the same facts
 * again are no second file. */
static const char step_3[] =
    "CREATE TABLE fact_taken (survey_id INTEGER NOT NULL REFERENCES survey(id), host_id INTEGER NOT NULL REFERENCES fact_host(id), content TEXT NOT NULL"
    " CHECK (length(content) = 64), result_id INTEGER NOT NULL, sha256 TEXT NOT NULL CHECK (length(sha256) = 64), at INTEGER NOT NULL, user_id INTEGER"
    " REFERENCES user(id), PRIMARY KEY (survey_id, host_id, content)) STRICT, WITHOUT ROWID;";

/* The clock of a host is a kind of its own. */
static const char step_4[] =
    "CREATE TABLE fact_state_4 (host_id INTEGER NOT NULL REFERENCES fact_host(id), kind TEXT NOT NULL CHECK (kind IN ('packages','settings','files','time')),"
    " scan INTEGER NOT NULL, items INTEGER NOT NULL, unreadable INTEGER NOT NULL, over INTEGER NOT NULL, roots TEXT NOT NULL,"
    " received_at INTEGER NOT NULL, full_at INTEGER NOT NULL, stale INTEGER NOT NULL DEFAULT 0 CHECK (stale IN (0,1)),"
    " PRIMARY KEY (host_id, kind)) STRICT, WITHOUT ROWID;"
    "INSERT INTO fact_state_4 SELECT host_id, kind, scan, items, unreadable, over, roots, received_at, full_at, stale FROM fact_state;"
    "DROP TABLE fact_state;"
    "ALTER TABLE fact_state_4 RENAME TO fact_state;";

/* How many files of a host the passport does not name: a host is laid beside it by itself, and the object's number is the sum. */
static const char step_5[] = "ALTER TABLE fact_state ADD COLUMN extra INTEGER NOT NULL DEFAULT 0;";

static const char *const steps[] = { step_1, step_2, step_3, step_4, step_5 };
const struct desk_schema integrity_schema = { "integrity", steps, COUNT(steps) };
