/* audit_chain.c - what a row of the audit trail hashes to, and a walk over the whole trail from outside, as "saqshy verify" makes it.
 *
 * The walk opens the database read-only in one transaction: a desk that runs goes on writing, and the trail is seen as it stood at the beginning. */
#include "desk/audit_chain.h"

#include "desk/internal.h"

#define WAIT_MS 5000

void audit_row_hash(const char *before, const struct audit_row *r, char out[65])
{
    const struct str parts[] = { r->login, r->role, r->address, r->action, r->target, r->detail, r->outcome };
    AUTO_BUF struct buf b = { 0 };

    buf_init(&b, MIB);
    buf_put(&b, before, 64);
    buf_le64(&b, (uint64_t)r->id);
    buf_le64(&b, (uint64_t)r->at);
    for (size_t i = 0; i < COUNT(parts); i++) {
        buf_le64(&b, parts[i].n);
        buf_str(&b, parts[i]);
    }
    secret_sha256_hex(buf_view(&b), out);
}

static struct str column(sqlite3_stmt *st, int i)
{
    const char *text = (const char *)sqlite3_column_text(st, i);

    return str_of(text ? text : "", (size_t)sqlite3_column_bytes(st, i));
}

static int broken(sqlite3 *db, struct err *e) { return err_set(e, -EIO, "could not read the audit trail: %s", sqlite3_errmsg(db)); }

/* newest - the number of the newest row that ever was: rows that were cut off show here. */
static int newest(sqlite3 *db, int64_t *id, struct err *e)
{
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(db, "SELECT seq FROM sqlite_sequence WHERE name = 'audit'", -1, &st, NULL);

    *id = 0;
    if (rc == SQLITE_OK && (rc = sqlite3_step(st)) == SQLITE_ROW)
        *id = sqlite3_column_int64(st, 0);
    rc = rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : broken(db, e);
    sqlite3_finalize(st);
    return rc;
}

static int rows(sqlite3 *db, struct audit_chain *out, struct err *e)
{
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(db, "SELECT id, at, login, role, address, action, target, detail, outcome, hash FROM audit ORDER BY id", -1, &st, NULL);

    while (rc == SQLITE_OK || rc == SQLITE_ROW) {
        rc = sqlite3_step(st);
        if (rc != SQLITE_ROW)
            break;
        struct audit_row r = { sqlite3_column_int64(st, 0), sqlite3_column_int64(st, 1), column(st, 2), column(st, 3), column(st, 4),
                               column(st, 5), column(st, 6), column(st, 7), column(st, 8) };
        char hash[65];

        audit_row_hash(out->last, &r, hash);
        if (r.id != out->rows + 1 || !str_eq(column(st, 9), str_c(hash))) {
            out->broken_at = out->rows + 1;
            rc = SQLITE_DONE;
            break;
        }
        memcpy(out->last, hash, sizeof hash);
        out->rows++;
    }
    rc = rc == SQLITE_DONE ? 0 : broken(db, e);
    sqlite3_finalize(st);
    return rc;
}

int audit_chain_verify(const char *path, struct audit_chain *out, struct err *e)
{
    sqlite3 *db = NULL;
    int64_t last = 0;
    int rc;

    *out = (struct audit_chain){ .last = AUDIT_ZERO_HASH };
    if (access(path, F_OK) < 0)
        return err_set(e, -ENOENT, "there is no \"%s\"", path);
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK ||
        sqlite3_busy_timeout(db, WAIT_MS) != SQLITE_OK || sqlite3_exec(db, "BEGIN", NULL, NULL, NULL) != SQLITE_OK)
        rc = broken(db, e);
    else
        rc = newest(db, &last, e);
    if (rc == 0)
        rc = rows(db, out, e);
    if (rc == 0 && out->broken_at == 0 && out->rows != last)
        out->broken_at = out->rows + 1;
    sqlite3_close(db);
    return rc < 0 ? rc : out->broken_at != 0;
}
