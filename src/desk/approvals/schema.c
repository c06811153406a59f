/* schema.c - the tables of the room "approvals", as numbered steps that are never edited once released, only added to. */
#include "desk/internal.h"

static const char step_1[] =
    "CREATE TABLE approval (id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, subject TEXT NOT NULL, subject_id TEXT NOT NULL,"
    " case_id INTEGER REFERENCES cases(id), object_id TEXT REFERENCES object(id), org_id TEXT REFERENCES org(id), args TEXT NOT NULL,"
    " reason TEXT NOT NULL, asked_by INTEGER NOT NULL REFERENCES user(id), asked_at INTEGER NOT NULL,"
    " state TEXT NOT NULL CHECK (state IN ('waiting','approved','refused','withdrawn')), decided_by INTEGER REFERENCES user(id),"
    " decided_at INTEGER, note TEXT, CHECK (state <> 'approved' OR decided_by <> asked_by)) STRICT;"
    "CREATE UNIQUE INDEX approval_one ON approval(kind, subject, subject_id, args) WHERE state = 'waiting';"
    "CREATE INDEX approval_state ON approval(state, id); CREATE INDEX approval_subject ON approval(subject, subject_id);"
    "CREATE TRIGGER approval_kept BEFORE DELETE ON approval BEGIN SELECT RAISE(ABORT, 'an approval is kept'); END;"
    "CREATE TRIGGER approval_fixed BEFORE UPDATE ON approval WHEN OLD.state <> 'waiting' OR NEW.asked_by <> OLD.asked_by OR NEW.args <> OLD.args"
    " BEGIN SELECT RAISE(ABORT, 'a decided approval is kept'); END;";

static const char *const steps[] = { step_1 };
const struct desk_schema approvals_schema = { "approvals", steps, COUNT(steps) };
