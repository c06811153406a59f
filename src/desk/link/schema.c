/* schema.c - the tables of the room "link", as numbered steps that are never edited once released, only added to. */
#include "desk/internal.h"

/* link_peer      a node, for whom it speaks, and where both streams stand: out_* what we numbered and they acknowledged, in_* what we applied.
 * link_cert      its certificates by fingerprint; one that was withdrawn stays, so that old signatures can be shown to be what they were.
 * link_out       the outbox: canonical bytes, and what is known of their way. Never deleted.
 * link_in        the inbox: canonical bytes with their signature, what came of them, and whether our reading was told.
 * link_case_ref  their number of a case and ours (now link_case).
 * link_proposal  what another node says of an object: a proposed change, which somebody here accepts or declines. */
static const char step_1[] =
    "CREATE TABLE link_self (one INTEGER PRIMARY KEY CHECK (one = 1), org_id TEXT NOT NULL REFERENCES org(id),"
    " node TEXT NOT NULL) STRICT;"
    "CREATE TABLE link_peer (node TEXT PRIMARY KEY CHECK (length(node) BETWEEN 1 AND 64), org_id TEXT NOT NULL REFERENCES org(id),"
    " title TEXT NOT NULL, url TEXT, active INTEGER NOT NULL CHECK (active IN (0,1)), added_at INTEGER NOT NULL, added_by INTEGER REFERENCES user(id),"
    " out_epoch INTEGER NOT NULL DEFAULT 1, out_sequence INTEGER NOT NULL DEFAULT 0, out_hash TEXT NOT NULL, acked INTEGER NOT NULL DEFAULT 0,"
    " in_epoch INTEGER NOT NULL DEFAULT 1, in_sequence INTEGER NOT NULL DEFAULT 0, in_hash TEXT NOT NULL,"
    " last_contact_at INTEGER, last_file_at INTEGER, last_error TEXT, last_error_at INTEGER, attempts INTEGER NOT NULL DEFAULT 0,"
    " next_try_at INTEGER NOT NULL DEFAULT 0, notice_cursor INTEGER NOT NULL DEFAULT 0) STRICT, WITHOUT ROWID;"
    "CREATE UNIQUE INDEX link_peer_org ON link_peer(org_id) WHERE active = 1;"
    "CREATE TABLE link_cert (fingerprint TEXT PRIMARY KEY CHECK (length(fingerprint) = 64), node TEXT NOT NULL REFERENCES link_peer(node),"
    " pem TEXT NOT NULL, ends_at INTEGER NOT NULL, added_at INTEGER NOT NULL, removed_at INTEGER) STRICT, WITHOUT ROWID;"
    "CREATE INDEX link_cert_node ON link_cert(node);"
    "CREATE TABLE link_out (id INTEGER PRIMARY KEY AUTOINCREMENT, node TEXT NOT NULL REFERENCES link_peer(node), epoch INTEGER NOT NULL,"
    " sequence INTEGER NOT NULL, message TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, created_at INTEGER NOT NULL, envelope TEXT NOT NULL, hash TEXT NOT NULL, signature TEXT,"
    " signed_with TEXT, ref TEXT, ref_id INTEGER, sent_at INTEGER, via TEXT, acked_at INTEGER, receipt TEXT, receipt_code TEXT, receipt_number TEXT,"
    " receipt_at INTEGER, read_at INTEGER, UNIQUE (node, epoch, sequence)) STRICT;"
    "CREATE INDEX link_out_ref ON link_out(ref, ref_id) WHERE ref IS NOT NULL;"
    "CREATE INDEX link_out_list ON link_out(node, id);"
    "CREATE TABLE link_in (id INTEGER PRIMARY KEY AUTOINCREMENT, node TEXT NOT NULL REFERENCES link_peer(node), epoch INTEGER NOT NULL,"
    " sequence INTEGER NOT NULL, message TEXT NOT NULL, kind TEXT NOT NULL, created_at INTEGER NOT NULL, received_at INTEGER NOT NULL, via TEXT NOT NULL,"
    " envelope TEXT NOT NULL, hash TEXT NOT NULL, signature TEXT NOT NULL, signed_with TEXT NOT NULL, result TEXT NOT NULL, code TEXT, number TEXT,"
    " ref TEXT, ref_id INTEGER, read_told INTEGER NOT NULL DEFAULT 0, UNIQUE (node, epoch, sequence)) STRICT;"
    "CREATE INDEX link_in_message ON link_in(node, message);"
    "CREATE INDEX link_in_list ON link_in(node, id);"
    "CREATE INDEX link_in_ref ON link_in(ref, ref_id) WHERE ref IS NOT NULL;"
    "CREATE INDEX link_in_unread ON link_in(ref_id) WHERE ref = 'notice' AND read_told = 0;"
    "CREATE TABLE link_case_ref (node TEXT NOT NULL REFERENCES link_peer(node), their_number TEXT NOT NULL, case_id INTEGER NOT NULL REFERENCES"
    " cases(id), added_at INTEGER NOT NULL, PRIMARY KEY (node, their_number)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX link_case_ref_case ON link_case_ref(case_id);"
    "CREATE TABLE link_proposal (id INTEGER PRIMARY KEY AUTOINCREMENT, in_id INTEGER NOT NULL REFERENCES link_in(id), object_id TEXT REFERENCES"
    " object(id), their_object TEXT NOT NULL, changes TEXT NOT NULL, state TEXT NOT NULL CHECK (state IN ('open','accepted','declined')),"
    " decided_at INTEGER, decided_by INTEGER REFERENCES user(id), note TEXT) STRICT;"
    "CREATE INDEX link_proposal_open ON link_proposal(id) WHERE state = 'open';";

/* link_step      what was done on a case here, in the order in which it was done: the act and its body, never changed.
 * link_case      which nodes know of a case, under which number there.
 * link_origin    of a case that another node opened: that node and its number. A case without a row was opened here.
 * link_held      steps that may not leave yet: the label of their case forbids it.
 * link_document  hashes of documents that travelled. */
static const char step_2[] =
    "CREATE TABLE link_step (id INTEGER PRIMARY KEY AUTOINCREMENT, case_id INTEGER NOT NULL REFERENCES cases(id), act TEXT NOT NULL, at INTEGER NOT NULL,"
    " role TEXT NOT NULL, by TEXT NOT NULL, org_id TEXT REFERENCES org(id), heard_from TEXT, body TEXT NOT NULL, first_record INTEGER NOT NULL,"
    " last_record INTEGER NOT NULL) STRICT;"
    "CREATE INDEX link_step_case ON link_step(case_id, id);"
    "CREATE TRIGGER link_step_kept BEFORE DELETE ON link_step BEGIN SELECT RAISE(ABORT, 'a step is kept'); END;"
    "CREATE TRIGGER link_step_fixed BEFORE UPDATE ON link_step BEGIN SELECT RAISE(ABORT, 'a step is kept'); END;"
    "CREATE TABLE link_case (node TEXT NOT NULL REFERENCES link_peer(node), case_id INTEGER NOT NULL REFERENCES cases(id), their_number TEXT,"
    " added_at INTEGER NOT NULL, PRIMARY KEY (node, case_id)) STRICT, WITHOUT ROWID;"
    "INSERT OR IGNORE INTO link_case(node, case_id, their_number, added_at) SELECT node, case_id, their_number, added_at FROM link_case_ref;"
    "DROP TABLE link_case_ref;"
    "CREATE INDEX link_case_theirs ON link_case(node, their_number) WHERE their_number IS NOT NULL;"
    "CREATE INDEX link_case_case ON link_case(case_id);"
    "CREATE TABLE link_origin (case_id INTEGER PRIMARY KEY REFERENCES cases(id), origin TEXT NOT NULL UNIQUE) STRICT;"
    "CREATE TABLE link_object (node TEXT NOT NULL REFERENCES link_peer(node), their_id TEXT NOT NULL, object_id TEXT NOT NULL REFERENCES object(id),"
    " PRIMARY KEY (node, their_id)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE link_held (node TEXT NOT NULL REFERENCES link_peer(node), step_id INTEGER NOT NULL REFERENCES link_step(id), case_id INTEGER NOT NULL,"
    " why TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (node, step_id)) STRICT, WITHOUT ROWID;"
    "ALTER TABLE link_peer ADD COLUMN step_cursor INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE link_in ADD COLUMN step_act TEXT; ALTER TABLE link_in ADD COLUMN step_result TEXT; ALTER TABLE link_in ADD COLUMN step_code TEXT;"
    "ALTER TABLE link_in ADD COLUMN step_reason TEXT; ALTER TABLE link_in ADD COLUMN case_id INTEGER REFERENCES cases(id);"
    "ALTER TABLE link_out ADD COLUMN step_act TEXT; ALTER TABLE link_out ADD COLUMN step_code TEXT; ALTER TABLE link_out ADD COLUMN case_id INTEGER"
    " REFERENCES cases(id);"
    "CREATE INDEX link_in_unapplied ON link_in(node, id) WHERE step_result = 'not_applied';"
    "CREATE TABLE link_document (sha256 TEXT PRIMARY KEY CHECK (length(sha256) = 64)) STRICT, WITHOUT ROWID;"
    "INSERT OR IGNORE INTO link_document SELECT json_extract(d.value, '$.sha256') FROM link_out x, json_each(x.envelope, '$.documents') d;"
    "INSERT OR IGNORE INTO link_document SELECT json_extract(d.value, '$.sha256') FROM link_in x, json_each(x.envelope, '$.documents') d;";

/* link_sent      the version of an object that a node has from us, or that we took from it: what changes after that is told of by itself. */
static const char step_3[] =
    "ALTER TABLE link_peer ADD COLUMN updates INTEGER NOT NULL DEFAULT 0 CHECK (updates IN (0,1));"
    "ALTER TABLE link_peer ADD COLUMN update_cursor INTEGER NOT NULL DEFAULT 0;"
    "CREATE TABLE link_sent (node TEXT NOT NULL REFERENCES link_peer(node), object_id TEXT NOT NULL REFERENCES object(id), version INTEGER NOT NULL,"
    " PRIMARY KEY (node, object_id)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX link_out_refused ON link_out(node) WHERE receipt = 'refused';";

/* link_told      as link_sent was, for records of every kind: what a node knows, in which version.
 * link_record    their id of a component or contact of ours, if it is another. */
static const char step_4[] =
    "CREATE TABLE link_told (node TEXT NOT NULL REFERENCES link_peer(node), kind TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL,"
    " PRIMARY KEY (node, kind, id)) STRICT, WITHOUT ROWID;"
    "INSERT INTO link_told SELECT node, 'object', object_id, version FROM link_sent;"
    "DROP TABLE link_sent;"
    "CREATE TABLE link_record (node TEXT NOT NULL REFERENCES link_peer(node), kind TEXT NOT NULL, their_id TEXT NOT NULL, id TEXT NOT NULL,"
    " PRIMARY KEY (node, kind, their_id)) STRICT, WITHOUT ROWID;"
    "ALTER TABLE link_proposal ADD COLUMN records TEXT NOT NULL DEFAULT '';";

static const char *const steps[] = { step_1, step_2, step_3, step_4 };
const struct desk_schema link_schema = { "link", steps, COUNT(steps) };
