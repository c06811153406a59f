/* schema.c - the tables of the room "cases", as numbered steps that are never edited once released, only added to.
 *
 * Small columns stand before the long texts: a row that is only looked at for a list is read without its overflow pages. Which machines,
 * states and labels there are is checked by the program (machine.c), so that a new one needs no new table. The index of words is written by
 * case_search_update: SQLite lets no trigger of an untrusted schema write to a virtual table. */
#include "desk/internal.h"

/* Three machines (requirements 7.1–7.3); elimination of causes and of consequences as two facts; TLP; merging; what a person opened. */
static const char step_1[] =
    "CREATE TABLE new_cases (id INTEGER PRIMARY KEY AUTOINCREMENT, number TEXT NOT NULL UNIQUE,"
    " machine TEXT NOT NULL CHECK (length(machine) BETWEEN 1 AND 16), detector TEXT NOT NULL CHECK (length(detector) BETWEEN 1 AND 16),"
    " state TEXT NOT NULL CHECK (length(state) BETWEEN 1 AND 32), kind TEXT NOT NULL CHECK (length(kind) BETWEEN 1 AND 16),"
    " rule_id TEXT NOT NULL, rule_name TEXT NOT NULL, rule_level TEXT NOT NULL, object_id TEXT REFERENCES object(id), grouping TEXT NOT NULL,"
    " host TEXT, edition TEXT NOT NULL, detected_at INTEGER NOT NULL, last_seen_at INTEGER NOT NULL, count INTEGER NOT NULL CHECK (count >= 1),"
    " level TEXT, incident_type TEXT, tlp TEXT NOT NULL DEFAULT 'amber', notified_at INTEGER, acknowledged_at INTEGER, confirmed_at INTEGER,"
    " declared_at INTEGER, eliminated_at INTEGER, escalated_at INTEGER, closed_at INTEGER, sts_notified_at INTEGER,"
    " second_notified_at INTEGER, measures_at INTEGER, causes_at INTEGER, causes_accepted_at INTEGER, consequences_at INTEGER,"
    " consequences_accepted_at INTEGER, disputed_at INTEGER, detection_kind TEXT, recurrence TEXT,"
    " previous_id INTEGER REFERENCES cases(id), suggested_id INTEGER REFERENCES cases(id), merged_into INTEGER REFERENCES cases(id),"
    " opened_by INTEGER REFERENCES user(id), opened_org TEXT REFERENCES org(id), external_number TEXT, assignee_id INTEGER REFERENCES user(id),"
    " owner_assignee_id INTEGER REFERENCES user(id), auto_pending INTEGER NOT NULL DEFAULT 0, created_at INTEGER NOT NULL,"
    " updated_at INTEGER NOT NULL, contact TEXT, description TEXT, recommendations TEXT, annex7 TEXT, annex2 TEXT,"
    " search TEXT NOT NULL DEFAULT '') STRICT;"
    "INSERT INTO new_cases(id, number, machine, detector, state, kind, rule_id, rule_name, rule_level, object_id, grouping, host, edition,"
    " detected_at, last_seen_at, count, level, notified_at, acknowledged_at, confirmed_at, declared_at, eliminated_at, escalated_at, closed_at,"
    " causes_at, consequences_at, causes_accepted_at, consequences_accepted_at, measures_at, detection_kind, recurrence, previous_id,"
    " auto_pending, created_at, updated_at, recommendations, annex7, annex2, search)"
    " SELECT id, number, 'sts', 'centre', state, kind, rule_id, rule_name, rule_level, object_id, grouping, host, edition, detected_at, last_seen_at,"
    " count, level, notified_at, acknowledged_at, confirmed_at, declared_at, eliminated_at, escalated_at, closed_at, declared_at, declared_at,"
    " eliminated_at, eliminated_at, CASE WHEN annex2 IS NULL THEN NULL ELSE updated_at END, detection_kind,"
    " CASE WHEN previous_id IS NULL THEN 'new' ELSE 'repeated' END, previous_id, auto_pending, created_at, updated_at, recommendations,"
    " annex7, annex2, search FROM cases;"
    "DROP TABLE cases; ALTER TABLE new_cases RENAME TO cases;"
    "CREATE INDEX case_group ON cases(rule_id, object_id, id);"
    "CREATE INDEX case_object ON cases(object_id, id);"
    "CREATE INDEX case_state ON cases(state, id);"
    "CREATE INDEX case_machine ON cases(machine, id);"
    "CREATE INDEX case_level ON cases(level, id);"
    "CREATE INDEX case_type ON cases(incident_type, id);"
    "CREATE INDEX case_open ON cases(id) WHERE closed_at IS NULL;"
    "CREATE INDEX case_assignee ON cases(assignee_id, id) WHERE assignee_id IS NOT NULL;"
    "CREATE INDEX case_owner_assignee ON cases(owner_assignee_id, id) WHERE owner_assignee_id IS NOT NULL;"
    "CREATE INDEX case_escalated ON cases(id) WHERE escalated_at IS NOT NULL;"
    "CREATE INDEX case_previous ON cases(previous_id) WHERE previous_id IS NOT NULL;"
    "CREATE INDEX case_merged ON cases(merged_into) WHERE merged_into IS NOT NULL;"
    "CREATE INDEX case_auto ON cases(auto_pending) WHERE auto_pending = 1;"
    "CREATE VIRTUAL TABLE case_text USING fts5(search, content='cases', content_rowid='id', tokenize=\"unicode61 remove_diacritics 0\", prefix='2 3');"
    "INSERT INTO case_text(case_text) VALUES('rebuild');";

/* What belongs to a case besides its row. An update that was sent is never changed. */
static const char step_2[] =
    "CREATE TABLE case_person (case_id INTEGER NOT NULL REFERENCES cases(id), user_id INTEGER NOT NULL REFERENCES user(id),"
    " PRIMARY KEY (case_id, user_id)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE case_update (case_id INTEGER NOT NULL REFERENCES cases(id), no INTEGER NOT NULL CHECK (no >= 1), at INTEGER NOT NULL,"
    " author_id INTEGER REFERENCES user(id), kind TEXT NOT NULL, fields TEXT NOT NULL, text TEXT NOT NULL, notice_id INTEGER,"
    " PRIMARY KEY (case_id, no)) STRICT, WITHOUT ROWID;"
    "CREATE TRIGGER case_update_kept BEFORE DELETE ON case_update BEGIN SELECT RAISE(ABORT, 'an update is kept'); END;"
    "CREATE TRIGGER case_update_fixed BEFORE UPDATE ON case_update BEGIN SELECT RAISE(ABORT, 'an update is kept'); END;"
    "CREATE TABLE case_draft (case_id INTEGER NOT NULL REFERENCES cases(id), form TEXT NOT NULL, at INTEGER NOT NULL,"
    " author_id INTEGER REFERENCES user(id), json TEXT NOT NULL, PRIMARY KEY (case_id, form)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE case_visit (id INTEGER PRIMARY KEY AUTOINCREMENT, case_id INTEGER NOT NULL REFERENCES cases(id), state TEXT NOT NULL,"
    " decided_by TEXT NOT NULL, decided_at INTEGER NOT NULL, author_id INTEGER REFERENCES user(id), reason TEXT NOT NULL, employee TEXT,"
    " sent_at INTEGER, returned_at INTEGER, report TEXT) STRICT;"
    "CREATE INDEX case_visit_case ON case_visit(case_id, id);"
    "CREATE TABLE consultation (id INTEGER PRIMARY KEY AUTOINCREMENT, case_id INTEGER NOT NULL REFERENCES cases(id), state TEXT NOT NULL,"
    " requested_at INTEGER NOT NULL, requested_by INTEGER REFERENCES user(id), question TEXT NOT NULL, given_at INTEGER,"
    " given_by INTEGER REFERENCES user(id), answer TEXT) STRICT;"
    "CREATE INDEX consultation_case ON consultation(case_id, id);"
    "CREATE TABLE indicator (case_id INTEGER NOT NULL REFERENCES cases(id), type TEXT NOT NULL, norm TEXT NOT NULL, value TEXT NOT NULL,"
    " own INTEGER NOT NULL CHECK (own IN (0,1)), origin TEXT NOT NULL, author_id INTEGER REFERENCES user(id), at INTEGER NOT NULL,"
    " removed_at INTEGER, note TEXT, PRIMARY KEY (case_id, type, norm)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX indicator_value ON indicator(norm, case_id, type);"
    "CREATE TABLE case_merge (id INTEGER PRIMARY KEY AUTOINCREMENT, source_id INTEGER NOT NULL REFERENCES cases(id),"
    " target_id INTEGER NOT NULL REFERENCES cases(id), at INTEGER NOT NULL, author_id INTEGER REFERENCES user(id), reason TEXT NOT NULL,"
    " before TEXT NOT NULL, undone_at INTEGER) STRICT;"
    "CREATE INDEX case_merge_target ON case_merge(target_id, id); CREATE INDEX case_merge_source ON case_merge(source_id, id);";

/* What came through the findings journal and is no finding: parts of the state of hosts, until the room "integrity" has taken them. */
static const char step_3[] =
    "CREATE TABLE state_arrived (seq INTEGER PRIMARY KEY, received_at INTEGER NOT NULL, at INTEGER NOT NULL, sender TEXT NOT NULL, payload BLOB NOT NULL) STRICT;";

static const char *const steps[] = { step_1, step_2, step_3 };
const struct desk_schema cases_schema = { "cases", steps, COUNT(steps) };
