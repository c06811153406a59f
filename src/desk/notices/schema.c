/* schema.c - the tables of the room "notices", as numbered steps that are never edited once released, only added to. */
#include "desk/internal.h"

/* A notice may be about any subject (subject.h), and then has a text of its own. */
static const char step_1[] =
    "CREATE TABLE new_notice (id INTEGER PRIMARY KEY AUTOINCREMENT, subject TEXT NOT NULL, subject_id TEXT NOT NULL,"
    " case_id INTEGER REFERENCES cases(id), object_id TEXT REFERENCES object(id), kind TEXT NOT NULL,"
    " channel TEXT NOT NULL CHECK (channel IN ('email','inbox','letter')), addressee TEXT NOT NULL, org_id TEXT REFERENCES org(id),"
    " state TEXT NOT NULL CHECK (state IN ('queued','sent','read','failed')), attempts INTEGER NOT NULL DEFAULT 0, next_try_at INTEGER,"
    " queued_at INTEGER NOT NULL, sent_at INTEGER, read_at INTEGER, read_by INTEGER REFERENCES user(id), message_id TEXT, smtp_reply TEXT,"
    " sha256 TEXT, last_error TEXT, subject_line TEXT, body TEXT, internal INTEGER NOT NULL DEFAULT 0) STRICT;"
    "INSERT INTO new_notice SELECT n.id, 'case', CAST(n.case_id AS TEXT), n.case_id, k.object_id, n.kind, n.channel, n.addressee, n.org_id, n.state,"
    " n.attempts, n.next_try_at, n.queued_at, n.sent_at, n.read_at, n.read_by, n.message_id, n.smtp_reply, n.sha256, n.last_error, n.subject,"
    " n.body, n.internal FROM notice n JOIN cases k ON k.id = n.case_id;"
    "DROP TABLE notice; ALTER TABLE new_notice RENAME TO notice;"
    "CREATE INDEX notice_case ON notice(case_id, id) WHERE case_id IS NOT NULL;"
    "CREATE INDEX notice_subject ON notice(subject, subject_id, id);"
    "CREATE INDEX notice_inbox ON notice(org_id, id) WHERE channel = 'inbox';"
    "CREATE INDEX notice_queue ON notice(next_try_at) WHERE channel = 'email' AND state = 'queued';";

static const char *const steps[] = { step_1 };
const struct desk_schema notices_schema = { "notices", steps, COUNT(steps) };
