/* schema.c - the tables of the core of desk.db, as numbered steps that are never edited once released, only added to. Each room has a
 * schema.c of its own, whose steps are counted in the table "room"; they are made after these, in the order of desk_schemas. */
#include "desk/internal.h"

static const char step_1[] =
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value ANY) STRICT, WITHOUT ROWID;"
    "CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE org (id TEXT PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64), name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 500),"
    " kind TEXT NOT NULL CHECK (kind IN ('sts','owner','ocib','knb')), bin TEXT CHECK (length(bin) <= 12),"
    " email TEXT CHECK (length(email) <= 254), created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE object (id TEXT PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64), name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 500),"
    " org_id TEXT NOT NULL REFERENCES org(id), criticality TEXT CHECK (criticality IN ('high','medium','low')),"
    " contour TEXT CHECK (contour IN ('internal','external')), active INTEGER NOT NULL CHECK (active IN (0,1)),"
    " created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE INDEX object_org ON object(org_id);"
    "CREATE TABLE object_host (host TEXT PRIMARY KEY COLLATE NOCASE CHECK (length(host) BETWEEN 1 AND 255),"
    " object_id TEXT NOT NULL REFERENCES object(id), position INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE INDEX object_host_object ON object_host(object_id, position);"
    "CREATE TABLE object_contact (object_id TEXT NOT NULL REFERENCES object(id), position INTEGER NOT NULL,"
    " kind TEXT NOT NULL CHECK (kind IN ('responsible_person','ocib')), name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200),"
    " email TEXT CHECK (length(email) <= 254), phone TEXT CHECK (length(phone) <= 64),"
    " language TEXT NOT NULL CHECK (language IN ('kk','ru','en')), PRIMARY KEY (object_id, position)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE user (id INTEGER PRIMARY KEY AUTOINCREMENT, login TEXT NOT NULL UNIQUE CHECK (length(login) BETWEEN 1 AND 64),"
    " name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200),"
    " role TEXT NOT NULL CHECK (role IN ('administrator','centre_analyst','owner_officer')), org_id TEXT REFERENCES org(id),"
    " language TEXT NOT NULL CHECK (language IN ('kk','ru','en')), email TEXT CHECK (length(email) <= 254),"
    " active INTEGER NOT NULL CHECK (active IN (0,1)), password TEXT NOT NULL, created_at INTEGER NOT NULL, last_login_at INTEGER,"
    " CHECK (role <> 'owner_officer' OR org_id IS NOT NULL)) STRICT;"
    "CREATE TABLE session (id INTEGER PRIMARY KEY AUTOINCREMENT, token BLOB NOT NULL UNIQUE CHECK (length(token) = 32),"
    " user_id INTEGER NOT NULL REFERENCES user(id), created_at INTEGER NOT NULL, seen_at INTEGER NOT NULL, address TEXT NOT NULL) STRICT;"
    "CREATE TABLE guard (key TEXT PRIMARY KEY, failures INTEGER NOT NULL, last_at INTEGER NOT NULL, locked_until INTEGER NOT NULL)"
    " STRICT, WITHOUT ROWID;";

static const char step_2[] =
    "CREATE TABLE cases (id INTEGER PRIMARY KEY AUTOINCREMENT, number TEXT NOT NULL UNIQUE,"
    " state TEXT NOT NULL CHECK (state IN ('detected','primary_analysis','dismissed_by_sts','notified','event_confirmed','event_analysed',"
    "'incident_confirmed','measures_reported','eliminated','escalated_knb','rejected','closed')),"
    " kind TEXT NOT NULL CHECK (kind IN ('event','incident','undetermined')),"
    " rule_id TEXT NOT NULL, rule_name TEXT NOT NULL, rule_level TEXT NOT NULL, object_id TEXT REFERENCES object(id),"
    " grouping TEXT NOT NULL, host TEXT, edition TEXT NOT NULL, detected_at INTEGER NOT NULL, last_seen_at INTEGER NOT NULL,"
    " count INTEGER NOT NULL CHECK (count >= 1), level TEXT CHECK (level IN ('high','medium','low','undefined')),"
    " notified_at INTEGER, acknowledged_at INTEGER, confirmed_at INTEGER, declared_at INTEGER, eliminated_at INTEGER,"
    " escalated_at INTEGER, closed_at INTEGER, recommendations TEXT, detection_kind TEXT CHECK (detection_kind IN ('event','incident')),"
    " annex7 TEXT, annex2 TEXT, previous_id INTEGER REFERENCES cases(id), auto_pending INTEGER NOT NULL DEFAULT 0,"
    " search TEXT NOT NULL DEFAULT '', created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL) STRICT;"
    "CREATE INDEX case_group ON cases(rule_id, object_id, id);"
    "CREATE INDEX case_object ON cases(object_id);"
    "CREATE INDEX case_state ON cases(state);"
    "CREATE INDEX case_auto ON cases(auto_pending) WHERE auto_pending = 1;"
    "CREATE TABLE finding (seq INTEGER PRIMARY KEY, case_id INTEGER NOT NULL REFERENCES cases(id), at INTEGER NOT NULL,"
    " json TEXT NOT NULL) STRICT;"
    "CREATE INDEX finding_case ON finding(case_id, seq);"
    "CREATE TABLE duty (id INTEGER PRIMARY KEY AUTOINCREMENT, case_id INTEGER NOT NULL REFERENCES cases(id), obligation TEXT NOT NULL,"
    " from_field TEXT NOT NULL, from_at INTEGER NOT NULL, due_at INTEGER NOT NULL, nominal_at INTEGER NOT NULL,"
    " state TEXT NOT NULL CHECK (state IN ('running','fulfilled','cancelled')), fulfilled_at INTEGER, overdue_marked_at INTEGER,"
    " edition TEXT NOT NULL, calendar TEXT NOT NULL, arithmetic TEXT NOT NULL, created_at INTEGER NOT NULL,"
    " UNIQUE (case_id, obligation)) STRICT;"
    "CREATE INDEX duty_due ON duty(due_at) WHERE state = 'running';"
    "CREATE TABLE reminder (id INTEGER PRIMARY KEY AUTOINCREMENT, duty_id INTEGER NOT NULL REFERENCES duty(id), percent INTEGER NOT NULL,"
    " recipients INTEGER NOT NULL, at INTEGER NOT NULL, sent_at INTEGER) STRICT;"
    "CREATE INDEX reminder_due ON reminder(at) WHERE sent_at IS NULL;"
    "CREATE INDEX reminder_duty ON reminder(duty_id);"
    "CREATE TABLE timeline (id INTEGER PRIMARY KEY AUTOINCREMENT, case_id INTEGER NOT NULL REFERENCES cases(id), kind TEXT NOT NULL,"
    " happened_at INTEGER NOT NULL, recorded_at INTEGER NOT NULL, due_at INTEGER, author_id INTEGER REFERENCES user(id),"
    " obligation TEXT, text TEXT, key TEXT, args TEXT, channel TEXT, addressee TEXT, message_id TEXT, smtp_reply TEXT, sha256 TEXT,"
    " internal INTEGER NOT NULL DEFAULT 0) STRICT;"
    "CREATE INDEX timeline_case ON timeline(case_id, id);"
    "CREATE TRIGGER timeline_kept BEFORE DELETE ON timeline BEGIN SELECT RAISE(ABORT, 'the timeline is kept'); END;"
    "CREATE TRIGGER timeline_fixed BEFORE UPDATE ON timeline BEGIN SELECT RAISE(ABORT, 'the timeline is kept'); END;"
    "CREATE TABLE document (case_id INTEGER NOT NULL REFERENCES cases(id), sha256 TEXT NOT NULL CHECK (length(sha256) = 64),"
    " kind TEXT NOT NULL CHECK (kind IN ('annex7','annex2','knb_notice')), created_at INTEGER NOT NULL, size_bytes INTEGER NOT NULL,"
    " author_id INTEGER REFERENCES user(id), PRIMARY KEY (case_id, sha256)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX document_sha ON document(sha256);"
    "CREATE TABLE notice (id INTEGER PRIMARY KEY AUTOINCREMENT, case_id INTEGER NOT NULL REFERENCES cases(id), kind TEXT NOT NULL,"
    " channel TEXT NOT NULL CHECK (channel IN ('email','inbox','letter')), addressee TEXT NOT NULL, org_id TEXT REFERENCES org(id),"
    " state TEXT NOT NULL CHECK (state IN ('queued','sent','read','failed')), attempts INTEGER NOT NULL DEFAULT 0, next_try_at INTEGER,"
    " queued_at INTEGER NOT NULL, sent_at INTEGER, read_at INTEGER, read_by INTEGER REFERENCES user(id), message_id TEXT, smtp_reply TEXT,"
    " sha256 TEXT, last_error TEXT, subject TEXT, body TEXT, internal INTEGER NOT NULL DEFAULT 0) STRICT;"
    "CREATE INDEX notice_case ON notice(case_id, id);"
    "CREATE INDEX notice_inbox ON notice(org_id, id) WHERE channel = 'inbox';"
    "CREATE INDEX notice_queue ON notice(next_try_at) WHERE channel = 'email' AND state = 'queued';"
    "CREATE TABLE rule_policy (rule_id TEXT PRIMARY KEY, auto_notify INTEGER NOT NULL CHECK (auto_notify IN (0,1)),"
    " updated_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;";

static const char step_3[] =
    "CREATE TABLE audit (id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, login TEXT NOT NULL, role TEXT, address TEXT NOT NULL,"
    " action TEXT NOT NULL, target TEXT NOT NULL, detail TEXT NOT NULL, outcome TEXT NOT NULL CHECK (outcome IN ('ok','refused','failed')),"
    " hash TEXT NOT NULL CHECK (length(hash) = 64)) STRICT;"
    "CREATE TRIGGER audit_kept BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit trail is only added to'); END;"
    "CREATE TRIGGER audit_fixed BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit trail is only added to'); END;";

/* Which kinds of organisations and which roles there are is checked by the program, so that a new one needs no new table. An object has,
 * beside its owner, a possessor and a person who provides the services of an operational centre. A step of the timeline may belong to
 * whatever else has a life of its own (subject.h). */
static const char step_4[] =
    "CREATE TABLE new_org (id TEXT PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64), name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 500),"
    " kind TEXT NOT NULL CHECK (length(kind) BETWEEN 1 AND 32), bin TEXT CHECK (length(bin) <= 12),"
    " email TEXT CHECK (length(email) <= 254), created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "INSERT INTO new_org SELECT id, name, kind, bin, email, created_at, updated_at FROM org; DROP TABLE org; ALTER TABLE new_org RENAME TO org;"
    "CREATE TABLE new_user (id INTEGER PRIMARY KEY AUTOINCREMENT, login TEXT NOT NULL UNIQUE CHECK (length(login) BETWEEN 1 AND 64),"
    " name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200), role TEXT NOT NULL CHECK (length(role) BETWEEN 1 AND 32),"
    " org_id TEXT REFERENCES org(id), language TEXT NOT NULL CHECK (language IN ('kk','ru','en')), email TEXT CHECK (length(email) <= 254),"
    " active INTEGER NOT NULL CHECK (active IN (0,1)), password TEXT NOT NULL, created_at INTEGER NOT NULL, last_login_at INTEGER) STRICT;"
    "INSERT INTO new_user SELECT id, login, name, role, org_id, language, email, active, password, created_at, last_login_at FROM user;"
    "DROP TABLE user; ALTER TABLE new_user RENAME TO user;"
    "ALTER TABLE object ADD COLUMN possessor_id TEXT REFERENCES org(id);"
    "ALTER TABLE object ADD COLUMN ocib_id TEXT REFERENCES org(id);"
    "CREATE INDEX object_possessor ON object(possessor_id); CREATE INDEX object_ocib ON object(ocib_id);"
    "DROP TRIGGER timeline_kept; DROP TRIGGER timeline_fixed; DROP INDEX timeline_case;"
    "CREATE TABLE new_timeline (id INTEGER PRIMARY KEY AUTOINCREMENT, subject TEXT NOT NULL, subject_id TEXT NOT NULL,"
    " case_id INTEGER REFERENCES cases(id), kind TEXT NOT NULL,"
    " happened_at INTEGER NOT NULL, recorded_at INTEGER NOT NULL, due_at INTEGER, author_id INTEGER REFERENCES user(id),"
    " obligation TEXT, text TEXT, key TEXT, args TEXT, channel TEXT, addressee TEXT, message_id TEXT, smtp_reply TEXT, sha256 TEXT,"
    " internal INTEGER NOT NULL DEFAULT 0) STRICT;"
    "INSERT INTO new_timeline SELECT id, 'case', CAST(case_id AS TEXT), case_id, kind, happened_at, recorded_at, due_at, author_id, obligation,"
    " text, key, args, channel, addressee, message_id, smtp_reply, sha256, internal FROM timeline;"
    "DROP TABLE timeline; ALTER TABLE new_timeline RENAME TO timeline;"
    "CREATE INDEX timeline_case ON timeline(case_id, id) WHERE case_id IS NOT NULL;"
    "CREATE INDEX timeline_subject ON timeline(subject, subject_id, id);"
    "CREATE TRIGGER timeline_kept BEFORE DELETE ON timeline BEGIN SELECT RAISE(ABORT, 'the timeline is kept'); END;"
    "CREATE TRIGGER timeline_fixed BEFORE UPDATE ON timeline BEGIN SELECT RAISE(ABORT, 'the timeline is kept'); END;"
    "CREATE TABLE room (name TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT, WITHOUT ROWID;";

/* Files that people bring: growing, and kept by their hash (blob.h). */
static const char step_5[] =
    "CREATE TABLE upload (id TEXT PRIMARY KEY CHECK (length(id) = 32), user_id INTEGER NOT NULL REFERENCES user(id),"
    " name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 255), size_bytes INTEGER NOT NULL CHECK (size_bytes >= 1), at INTEGER NOT NULL,"
    " sha256 TEXT CHECK (length(sha256) = 64), type TEXT, created_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE INDEX upload_user ON upload(user_id); CREATE INDEX upload_age ON upload(created_at);"
    "CREATE TABLE blob (sha256 TEXT PRIMARY KEY CHECK (length(sha256) = 64), size_bytes INTEGER NOT NULL, type TEXT NOT NULL,"
    " name TEXT NOT NULL, created_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;";

const char *const desk_migrations[] = { step_1, step_2, step_3, step_4, step_5 };
const size_t desk_migration_count = COUNT(desk_migrations);

/* In the order of the rooms: a room's tables may refer to those of rooms before it. */
const struct desk_schema *const desk_schemas[] = { &registry_schema, &tables_schema, &duties_schema, &notices_schema, &approvals_schema, &cases_schema,
                                                   &requests_schema, &schedule_schema, &vulnerabilities_schema, &surveys_schema,
                                                   &documents_schema, &integrity_schema, &collection_schema, &reports_schema, &link_schema };
const size_t desk_schema_count = COUNT(desk_schemas);
