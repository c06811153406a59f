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

/* The record of a notice, frozen when it is made; a row of "notice" is one delivery of it. Organisation '' is the centre. What happens to a
 * notice later (receipts, signatures, its paper part) is only added to. */
static const char step_2[] =
    "CREATE TABLE notice_record (id INTEGER PRIMARY KEY AUTOINCREMENT, number TEXT NOT NULL UNIQUE,"
    " direction TEXT NOT NULL CHECK (direction IN ('out','in')), medium TEXT NOT NULL CHECK (medium IN ('electronic','paper')),"
    " kind TEXT NOT NULL, paragraph TEXT, subject TEXT NOT NULL, subject_id TEXT NOT NULL, case_id INTEGER REFERENCES cases(id),"
    " object_id TEXT REFERENCES object(id), sender_org TEXT REFERENCES org(id), sender_name TEXT NOT NULL, title TEXT NOT NULL, text TEXT NOT NULL,"
    " form TEXT, form_values TEXT, edition TEXT NOT NULL, tlp TEXT NOT NULL CHECK (tlp IN ('clear','green','amber','amber+strict','red')),"
    " made_at INTEGER NOT NULL, author_id INTEGER REFERENCES user(id), first_id INTEGER REFERENCES notice_record(id),"
    " version INTEGER NOT NULL CHECK (version >= 1), corrects INTEGER UNIQUE REFERENCES notice_record(id), reason TEXT,"
    " outer_number TEXT, outer_date TEXT, canonical TEXT NOT NULL, sha256 TEXT NOT NULL CHECK (length(sha256) = 64),"
    " pdf_sha256 TEXT CHECK (length(pdf_sha256) = 64), search TEXT NOT NULL, CHECK ((corrects IS NULL) = (version = 1)),"
    " CHECK ((corrects IS NULL) = (reason IS NULL))) STRICT;"
    "CREATE INDEX notice_record_subject ON notice_record(subject, subject_id, id);"
    "CREATE INDEX notice_record_case ON notice_record(case_id, id) WHERE case_id IS NOT NULL;"
    "CREATE INDEX notice_record_object ON notice_record(object_id, id) WHERE object_id IS NOT NULL;"
    "CREATE INDEX notice_record_kind ON notice_record(kind, id);"
    "CREATE INDEX notice_record_first ON notice_record(first_id) WHERE first_id IS NOT NULL;"
    "CREATE INDEX notice_record_pdf ON notice_record(pdf_sha256);"
    "CREATE TRIGGER notice_record_kept BEFORE DELETE ON notice_record BEGIN SELECT RAISE(ABORT, 'a notice is kept'); END;"
    "CREATE TRIGGER notice_record_fixed BEFORE UPDATE ON notice_record BEGIN SELECT RAISE(ABORT, 'a notice is never changed'); END;"
    "CREATE TABLE notice_party (org_id TEXT NOT NULL, record_id INTEGER NOT NULL REFERENCES notice_record(id), side TEXT NOT NULL"
    " CHECK (side IN ('from','to')), name TEXT NOT NULL, PRIMARY KEY (org_id, record_id, side)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX notice_party_record ON notice_party(record_id);"
    "CREATE TABLE notice_document (record_id INTEGER NOT NULL REFERENCES notice_record(id), position INTEGER NOT NULL, sha256 TEXT NOT NULL"
    " CHECK (length(sha256) = 64), name TEXT NOT NULL, type TEXT NOT NULL, size_bytes INTEGER NOT NULL, PRIMARY KEY (record_id, position)) STRICT,"
    " WITHOUT ROWID;"
    "CREATE TABLE notice_receipt (id INTEGER PRIMARY KEY AUTOINCREMENT, record_id INTEGER NOT NULL REFERENCES notice_record(id), kind TEXT NOT NULL"
    " CHECK (kind IN ('delivered','read','registered','refused')), channel TEXT NOT NULL, org_id TEXT NOT NULL, name TEXT NOT NULL, at INTEGER NOT NULL,"
    " recorded_at INTEGER NOT NULL, author_id INTEGER REFERENCES user(id), number TEXT, note TEXT) STRICT;"
    "CREATE INDEX notice_receipt_record ON notice_receipt(record_id, id);"
    "CREATE TABLE notice_paper (id INTEGER PRIMARY KEY AUTOINCREMENT, record_id INTEGER NOT NULL REFERENCES notice_record(id), number TEXT NOT NULL,"
    " date TEXT NOT NULL, signatory TEXT NOT NULL, scan_sha256 TEXT, scan_name TEXT, scan_type TEXT, scan_size INTEGER, recorded_at INTEGER NOT NULL,"
    " author_id INTEGER REFERENCES user(id)) STRICT;"
    "CREATE INDEX notice_paper_record ON notice_paper(record_id, id);"
    "CREATE TABLE notice_signature (id INTEGER PRIMARY KEY AUTOINCREMENT, record_id INTEGER NOT NULL REFERENCES notice_record(id), sha256 TEXT NOT NULL"
    " CHECK (length(sha256) = 64), cms BLOB NOT NULL, over TEXT NOT NULL CHECK (over IN ('canonical','pdf')), at INTEGER NOT NULL,"
    " author_id INTEGER REFERENCES user(id), UNIQUE (record_id, sha256)) STRICT;"
    "CREATE TABLE notice_check (id INTEGER PRIMARY KEY AUTOINCREMENT, signature_id INTEGER NOT NULL REFERENCES notice_signature(id),"
    " verdict TEXT NOT NULL CHECK (verdict IN ('valid','invalid','not_checked')), reason TEXT NOT NULL, signers TEXT NOT NULL, at INTEGER NOT NULL,"
    " author_id INTEGER REFERENCES user(id)) STRICT;"
    "CREATE INDEX notice_check_signature ON notice_check(signature_id, id);"
    "CREATE TABLE org_webhook (org_id TEXT PRIMARY KEY REFERENCES org(id), url TEXT NOT NULL, secret TEXT NOT NULL,"
    " active INTEGER NOT NULL CHECK (active IN (0,1)), created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE new_notice (id INTEGER PRIMARY KEY AUTOINCREMENT, record_id INTEGER REFERENCES notice_record(id), subject TEXT NOT NULL,"
    " subject_id TEXT NOT NULL, case_id INTEGER REFERENCES cases(id), object_id TEXT REFERENCES object(id), kind TEXT NOT NULL,"
    " channel TEXT NOT NULL CHECK (channel IN ('email','inbox','webhook','paper')), addressee TEXT NOT NULL, org_id TEXT REFERENCES org(id),"
    " state TEXT NOT NULL CHECK (state IN ('queued','sent','read','failed')), attempts INTEGER NOT NULL DEFAULT 0, next_try_at INTEGER,"
    " queued_at INTEGER NOT NULL, sent_at INTEGER, read_at INTEGER, read_by INTEGER REFERENCES user(id), message_id TEXT, smtp_reply TEXT,"
    " sha256 TEXT, last_error TEXT, subject_line TEXT, body TEXT, internal INTEGER NOT NULL DEFAULT 0) STRICT;"
    "INSERT INTO new_notice SELECT id, NULL, subject, subject_id, case_id, object_id, kind, channel, addressee, org_id, state, attempts, next_try_at,"
    " queued_at, sent_at, read_at, read_by, message_id, smtp_reply, sha256, last_error, subject_line, body, internal FROM notice;"
    "DROP TABLE notice; ALTER TABLE new_notice RENAME TO notice;"
    "CREATE INDEX notice_case ON notice(case_id, id) WHERE case_id IS NOT NULL;"
    "CREATE INDEX notice_subject ON notice(subject, subject_id, id);"
    "CREATE INDEX notice_inbox ON notice(org_id, id) WHERE channel = 'inbox';"
    "CREATE INDEX notice_unread ON notice(org_id, id) WHERE channel = 'inbox' AND read_at IS NULL;"
    "CREATE INDEX notice_queue ON notice(channel, next_try_at) WHERE state = 'queued';"
    "CREATE INDEX notice_of_record ON notice(record_id, id) WHERE record_id IS NOT NULL;"
    "CREATE TRIGGER notice_kept BEFORE DELETE ON notice BEGIN SELECT RAISE(ABORT, 'a notice is kept'); END;"
    "CREATE TRIGGER notice_fixed BEFORE UPDATE OF record_id, subject, subject_id, case_id, kind, channel, addressee, org_id, queued_at, message_id,"
    " sha256, subject_line, body, internal ON notice BEGIN SELECT RAISE(ABORT, 'what was sent is never changed'); END;"
#define KEPT(table)                                                                                                                  \
    "CREATE TRIGGER " table "_kept BEFORE DELETE ON " table " BEGIN SELECT RAISE(ABORT, 'only added to'); END;"                        \
    "CREATE TRIGGER " table "_fixed BEFORE UPDATE ON " table " BEGIN SELECT RAISE(ABORT, 'only added to'); END;"
    KEPT("notice_party") KEPT("notice_document") KEPT("notice_receipt") KEPT("notice_paper") KEPT("notice_signature") KEPT("notice_check");

/* The words of a record, folded, for the search of the journal; and the few that came from outside, for its filter. */
static const char step_3[] =
    "CREATE VIRTUAL TABLE notice_fts USING fts5(words, content='', tokenize='unicode61 remove_diacritics 0', prefix='2 4');"
    "INSERT INTO notice_fts(rowid, words) SELECT id, search FROM notice_record;"
    "CREATE INDEX notice_record_direction ON notice_record(direction, id);";

/* Who did not answer (queue.h). */
static const char step_4[] =
    "CREATE TABLE receiver (key TEXT PRIMARY KEY, failures INTEGER NOT NULL, set_at INTEGER NOT NULL, rest_until INTEGER NOT NULL, error TEXT) STRICT,"
    " WITHOUT ROWID;";

/* What the system itself says in an inbox: key of the text and its parameters, so that each reads it in their own language. Rows of before keep theirs. */
static const char step_5[] =
    "ALTER TABLE notice ADD COLUMN text_key TEXT;"
    "ALTER TABLE notice ADD COLUMN text_args TEXT;"
    "CREATE TRIGGER notice_words_fixed BEFORE UPDATE OF text_key, text_args ON notice BEGIN SELECT RAISE(ABORT, 'what was sent is never changed'); END;";

static const char *const steps[] = { step_1, step_2, step_3, step_4, step_5 };
const struct desk_schema notices_schema = { "notices", steps, COUNT(steps) };
