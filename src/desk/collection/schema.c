/* schema.c - the tables of the room "collection", as numbered steps that are never edited once released, only added to. */
#include "desk/internal.h"

static const char step_1[] =
    "CREATE TABLE source_profile (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 100),"
    " address TEXT NOT NULL, host TEXT NOT NULL COLLATE NOCASE, listener TEXT NOT NULL, zone TEXT NOT NULL, encoding TEXT NOT NULL, class TEXT NOT NULL,"
    " parser TEXT NOT NULL, object_id TEXT REFERENCES object(id), note TEXT, rank INTEGER NOT NULL, version INTEGER NOT NULL,"
    " changed_at INTEGER NOT NULL, changed_by INTEGER REFERENCES user(id), UNIQUE (address, host, listener)) STRICT;"
    "CREATE INDEX source_profile_rank ON source_profile(rank DESC, id);";

static const char *const steps[] = { step_1 };
const struct desk_schema collection_schema = { "collection", steps, COUNT(steps) };
