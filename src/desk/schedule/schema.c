/* schema.c - the tables of the room "schedule", as numbered steps that are never edited once released, only added to.
 *
 * A line of the plan has one id for ever and at most two rows: what is agreed (draft 0) and what is being drafted (draft 1). So the agreed lines stay
 * in execution while an amendment is written; when it is agreed, its rows take their place. What came of a line stands apart (plan_work). */
#include "desk/internal.h"

static const char step_1[] =
    "CREATE TABLE team (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 200), at_once INTEGER NOT NULL"
    " CHECK (at_once BETWEEN 0 AND 10000), days_week INTEGER NOT NULL CHECK (days_week BETWEEN 0 AND 70000), modes TEXT NOT NULL, active INTEGER NOT NULL"
    " CHECK (active IN (0,1)), updated_at INTEGER NOT NULL) STRICT;"
    "CREATE TABLE team_member (team_id INTEGER NOT NULL REFERENCES team(id), user_id INTEGER NOT NULL REFERENCES user(id),"
    " PRIMARY KEY (team_id, user_id)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX team_member_user ON team_member(user_id, team_id);"
    "CREATE TABLE team_absence (id INTEGER PRIMARY KEY AUTOINCREMENT, team_id INTEGER NOT NULL REFERENCES team(id), from_on TEXT NOT NULL,"
    " to_on TEXT NOT NULL, less INTEGER NOT NULL CHECK (less >= 0), reason TEXT NOT NULL, CHECK (from_on <= to_on)) STRICT;"
    "CREATE INDEX team_absence_team ON team_absence(team_id, from_on);"
    "CREATE TABLE blackout (id INTEGER PRIMARY KEY AUTOINCREMENT, object_id TEXT REFERENCES object(id), org_id TEXT REFERENCES org(id),"
    " from_on TEXT NOT NULL, to_on TEXT NOT NULL, reason TEXT NOT NULL CHECK (length(reason) > 0), at INTEGER NOT NULL, user_id INTEGER"
    " REFERENCES user(id), CHECK (from_on <= to_on), CHECK (object_id IS NULL OR org_id IS NULL)) STRICT;"
    "CREATE INDEX blackout_object ON blackout(object_id, from_on) WHERE object_id IS NOT NULL;"
    "CREATE INDEX blackout_org ON blackout(org_id, from_on) WHERE org_id IS NOT NULL;"
    /* draft_rev counts every change of the draft: what was computed from an older one is not written. begun: a work has started. */
    "CREATE TABLE plan (id INTEGER PRIMARY KEY AUTOINCREMENT, year INTEGER NOT NULL UNIQUE CHECK (year BETWEEN 2000 AND 2200), state TEXT NOT NULL,"
    " documents INTEGER NOT NULL CHECK (documents BETWEEN 0 AND 12), version INTEGER NOT NULL DEFAULT 0, agreed_version INTEGER NOT NULL DEFAULT 0,"
    " begun INTEGER NOT NULL DEFAULT 0, draft_rev INTEGER NOT NULL DEFAULT 0, edition TEXT NOT NULL, from_on TEXT NOT NULL DEFAULT '', reason TEXT NOT NULL"
    " DEFAULT '',"
    " generated_at INTEGER, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL) STRICT;"
    "CREATE TABLE plan_object (plan_id INTEGER NOT NULL REFERENCES plan(id), draft INTEGER NOT NULL CHECK (draft IN (0,1)), object_id TEXT NOT NULL"
    " REFERENCES object(id), works INTEGER NOT NULL, since_on TEXT NOT NULL, until_on TEXT NOT NULL, documents INTEGER,"
    " PRIMARY KEY (plan_id, draft, object_id)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX plan_object_object ON plan_object(object_id, draft);"
    "CREATE TABLE plan_line (id INTEGER NOT NULL, draft INTEGER NOT NULL CHECK (draft IN (0,1)), plan_id INTEGER NOT NULL REFERENCES plan(id),"
    " object_id TEXT NOT NULL REFERENCES object(id), mode TEXT NOT NULL CHECK (mode IN"
    " ('pentest_auto','update_config','source_code','pentest_manual','document')), kind TEXT NOT NULL CHECK (kind IN ('main','control','')),"
    " ordinal INTEGER NOT NULL CHECK (ordinal >= 1), pair_id INTEGER, from_on TEXT NOT NULL CHECK (length(from_on) = 10), to_on TEXT NOT NULL"
    " CHECK (length(to_on) = 10), team_id INTEGER REFERENCES team(id), fixed INTEGER NOT NULL DEFAULT 0 CHECK (fixed IN (0,1)),"
    " reason TEXT NOT NULL DEFAULT '', PRIMARY KEY (id, draft), CHECK (from_on <= to_on)) STRICT;"
    "CREATE INDEX plan_line_day ON plan_line(plan_id, draft, from_on, id, to_on);"
    "CREATE INDEX plan_line_object ON plan_line(object_id, draft, plan_id, from_on, id);"
    "CREATE INDEX plan_line_team ON plan_line(team_id, draft, plan_id, from_on, id);"
    "CREATE INDEX plan_line_pair ON plan_line(pair_id, draft) WHERE pair_id IS NOT NULL;"
    /* why the count of an object and mode is not that of the Rules: written by a person, or told by the planner: the plan, or the
     * object in it, begins or ends within the year */
    "CREATE TABLE plan_reason (plan_id INTEGER NOT NULL REFERENCES plan(id), draft INTEGER NOT NULL CHECK (draft IN (0,1)), object_id TEXT NOT NULL"
    " REFERENCES object(id), mode TEXT NOT NULL, code TEXT NOT NULL CHECK (code IN"
    " ('begun','commissioned','entered','terminated','written')), text TEXT NOT NULL,"
    " PRIMARY KEY (plan_id, draft, object_id, mode)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE plan_unplaced (id INTEGER PRIMARY KEY AUTOINCREMENT, plan_id INTEGER NOT NULL REFERENCES plan(id), object_id TEXT NOT NULL"
    " REFERENCES object(id), mode TEXT NOT NULL, kind TEXT NOT NULL, ordinal INTEGER NOT NULL, why TEXT NOT NULL, args TEXT NOT NULL) STRICT;"
    "CREATE INDEX plan_unplaced_plan ON plan_unplaced(plan_id, id);"
    /* the text of a version is a file by its hash, among the documents: it can be larger than a row may be */
    "CREATE TABLE plan_version (plan_id INTEGER NOT NULL REFERENCES plan(id), number INTEGER NOT NULL, sha256 TEXT NOT NULL CHECK (length(sha256) = 64),"
    " size_bytes INTEGER NOT NULL, lines INTEGER NOT NULL, objects INTEGER NOT NULL, reason TEXT NOT NULL, made_at INTEGER NOT NULL, made_by INTEGER"
    " REFERENCES user(id), notice_id INTEGER, decision TEXT CHECK (decision IN ('agreed','returned')), decided_at INTEGER, decided_by INTEGER"
    " REFERENCES user(id), remarks TEXT, PRIMARY KEY (plan_id, number)) STRICT;"
    "CREATE TRIGGER plan_version_kept BEFORE DELETE ON plan_version BEGIN SELECT RAISE(ABORT, 'a version that was sent is kept'); END;"
    "CREATE TRIGGER plan_version_fixed BEFORE UPDATE ON plan_version WHEN OLD.decision IS NOT NULL OR NEW.size_bytes IS NOT OLD.size_bytes OR NEW.sha256"
    " IS NOT OLD.sha256 OR NEW.number IS NOT OLD.number OR NEW.plan_id IS NOT OLD.plan_id OR NEW.lines IS NOT OLD.lines OR NEW.objects IS NOT OLD.objects OR"
    " NEW.made_at IS NOT OLD.made_at OR NEW.made_by IS NOT OLD.made_by OR NEW.reason IS NOT OLD.reason OR (OLD.notice_id IS NOT NULL AND NEW.notice_id"
    " IS NOT OLD.notice_id) BEGIN SELECT RAISE(ABORT, 'a version that was sent is frozen'); END;"
    /* what a sent version changes in the one agreed before it: added, moved, dropped */
    "CREATE TABLE plan_diff (plan_id INTEGER NOT NULL, number INTEGER NOT NULL, line_id INTEGER NOT NULL, change TEXT NOT NULL CHECK (change IN"
    " ('added','moved','dropped')), object_id TEXT NOT NULL, mode TEXT NOT NULL, kind TEXT NOT NULL, ordinal INTEGER NOT NULL, from_on TEXT, to_on TEXT,"
    " team_id INTEGER, was_from TEXT, was_to TEXT, was_team INTEGER, reason TEXT NOT NULL, PRIMARY KEY (plan_id, number, line_id)) STRICT, WITHOUT ROWID;"
    "CREATE TRIGGER plan_diff_kept BEFORE DELETE ON plan_diff BEGIN SELECT RAISE(ABORT, 'a version that was sent is kept'); END;"
    "CREATE TRIGGER plan_diff_fixed BEFORE UPDATE ON plan_diff BEGIN SELECT RAISE(ABORT, 'a version that was sent is frozen'); END;"
    /* line_id is plan_line.id; a row is there from the moment a line was taken, or was cancelled */
    "CREATE TABLE plan_work (line_id INTEGER PRIMARY KEY, plan_id INTEGER NOT NULL REFERENCES plan(id), taken_at INTEGER, subject TEXT, subject_id TEXT,"
    " state TEXT NOT NULL CHECK (state IN ('planned','blocked','in_progress','completed','cancelled')), completed_at INTEGER, completed_on TEXT,"
    " reason TEXT NOT NULL DEFAULT '') STRICT;"
    "CREATE INDEX plan_work_subject ON plan_work(subject, subject_id) WHERE subject_id IS NOT NULL;"
    /* the queue of lines that wait to be taken: a row is put in when a version is agreed */
    "CREATE TABLE plan_wait (documents INTEGER NOT NULL, from_on TEXT NOT NULL, line_id INTEGER NOT NULL, PRIMARY KEY (documents, from_on, line_id))"
    " STRICT, WITHOUT ROWID;"
    "CREATE UNIQUE INDEX plan_wait_line ON plan_wait(line_id);"
    /* what a taken line's room was not told of yet; the last line as it was, for one that was dropped */
    "CREATE TABLE plan_change (line_id INTEGER PRIMARY KEY, documents INTEGER NOT NULL, cancelled INTEGER NOT NULL, reason TEXT NOT NULL, plan_id INTEGER NOT"
    " NULL, object_id TEXT NOT NULL, mode TEXT NOT NULL, kind TEXT NOT NULL, ordinal INTEGER NOT NULL, pair_id INTEGER, from_on TEXT NOT NULL,"
    " to_on TEXT NOT NULL, team_id INTEGER) STRICT;"
    "CREATE INDEX plan_change_documents ON plan_change(documents, line_id);";

/* A plan is written in pieces (writing.c). writing: generate, amend, agree, or empty; ask: what it was asked; at, key: the last line and the last object
 * that are done. */
static const char step_2[] = "ALTER TABLE plan ADD COLUMN writing TEXT NOT NULL DEFAULT '' CHECK (writing IN ('','generate','amend','agree'));"
                             "ALTER TABLE plan ADD COLUMN writing_ask TEXT NOT NULL DEFAULT '{}';"
                             "ALTER TABLE plan ADD COLUMN writing_at INTEGER NOT NULL DEFAULT 0;"
                             "ALTER TABLE plan ADD COLUMN writing_key TEXT NOT NULL DEFAULT '';"
                             "ALTER TABLE plan ADD COLUMN writing_done INTEGER NOT NULL DEFAULT 0;"
                             "ALTER TABLE plan ADD COLUMN writing_total INTEGER NOT NULL DEFAULT 0;";

static const char *const steps[] = { step_1, step_2 };
const struct desk_schema schedule_schema = { "schedule", steps, COUNT(steps) };
