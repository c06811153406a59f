/* of_findings.c - see of_findings.h. */
#include "desk/cases/of_findings.h"

#include <sqlite3.h>
#include <unistd.h>

#define WAIT_MS 10000

static int broken(sqlite3 *db, struct err *e) { return err_set(e, -EIO, "desk.db: %s", db ? sqlite3_errmsg(db) : "no memory"); }

/* keep - the numbers that are asked for, as a table of this connection. */
static int keep(sqlite3 *db, const uint64_t *seqs, size_t count, struct err *e)
{
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_exec(db, "CREATE TEMP TABLE asked (seq INTEGER PRIMARY KEY); BEGIN", NULL, NULL, NULL);

    if (rc == SQLITE_OK)
        rc = sqlite3_prepare_v2(db, "INSERT OR IGNORE INTO temp.asked VALUES (?)", -1, &st, NULL);
    for (size_t i = 0; rc == SQLITE_OK && i < count; i++) {
        sqlite3_bind_int64(st, 1, (int64_t)seqs[i]);
        rc = sqlite3_step(st) == SQLITE_DONE ? sqlite3_reset(st) : SQLITE_ERROR;
    }
    sqlite3_finalize(st);
    return rc == SQLITE_OK ? 0 : broken(db, e);
}

static int tell_all(sqlite3 *db, finding_case_tell *tell, void *arg, struct err *e)
{
    static const char sql[] = "SELECT k.number, k.state, " CASE_CONFIRMED_SQL ", count(*) FROM temp.asked a"
                              " JOIN finding f ON f.seq = a.seq JOIN cases k ON k.id = f.case_id GROUP BY k.id ORDER BY k.id";
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(db, sql, -1, &st, NULL);

    while (rc == SQLITE_OK || rc == SQLITE_ROW) {
        rc = sqlite3_step(st);
        if (rc != SQLITE_ROW)
            break;
        struct finding_case k = { (const char *)sqlite3_column_text(st, 0), (const char *)sqlite3_column_text(st, 1), sqlite3_column_int(st, 2) != 0,
                                  (uint64_t)sqlite3_column_int64(st, 3) };

        if (k.number && k.state)
            tell(arg, &k);
    }
    sqlite3_finalize(st);
    return rc == SQLITE_DONE ? 0 : broken(db, e);
}

int cases_of_findings(const char *path, const uint64_t *seqs, size_t count, finding_case_tell *tell, void *arg, struct err *e)
{
    sqlite3 *db = NULL;
    int rc;

    if (access(path, F_OK) < 0)
        return err_set(e, -ENOENT, "there is no \"%s\"", path);
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK || sqlite3_busy_timeout(db, WAIT_MS) != SQLITE_OK)
        rc = broken(db, e);
    else
        rc = keep(db, seqs, count, e);
    if (rc == 0)
        rc = tell_all(db, tell, arg, e);
    sqlite3_close(db);
    return rc;
}

int case_object(const char *path, struct str number, char object[256], time_ns *detected, struct err *e)
{
    static const char sql[] = "SELECT coalesce(object_id, ''), detected_at FROM cases WHERE number = ?";
    sqlite3 *db = NULL;
    sqlite3_stmt *st = NULL;
    int rc;

    if (access(path, F_OK) < 0)
        return err_set(e, -ENOENT, "there is no \"%s\"", path);
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK || sqlite3_busy_timeout(db, WAIT_MS) != SQLITE_OK ||
        sqlite3_prepare_v2(db, sql, -1, &st, NULL) != SQLITE_OK || sqlite3_bind_text(st, 1, number.p, (int)number.n, SQLITE_STATIC) != SQLITE_OK) {
        rc = broken(db, e);
    } else {
        rc = sqlite3_step(st);
        if (rc == SQLITE_ROW) {
            snprintf(object, 256, "%s", (const char *)sqlite3_column_text(st, 0));
            *detected = sqlite3_column_int64(st, 1);
            rc = *object ? 0 : err_set(e, -ENODATA, "case %.*s is of no object: say by --query what is held", STR_ARG(number));
        } else {
            rc = rc == SQLITE_DONE ? err_set(e, -ENOENT, "there is no case %.*s", STR_ARG(number)) : broken(db, e);
        }
    }
    sqlite3_finalize(st);
    sqlite3_close(db);
    return rc;
}
