/* database.c - a SQLite database that others write, as it is at one moment. The reading transaction is held open all the while, so that steps of the backup interface see one state and
 * never begin anew; whoever writes goes on, in the write-ahead log. */
#include "backup/internal.h"

#include <sqlite3.h>
#include <time.h>
#include <unistd.h>

#define STEP_PAGES 256
#define WAIT_MS    10000

static int broken(sqlite3 *db, const char *path, struct err *e) { return err_set(e, -EIO, "could not copy \"%s\": %s", path, db ? sqlite3_errmsg(db) : "no memory"); }

static int steps(struct copier *c, sqlite3 *from, sqlite3 *to, const char *path, struct err *e)
{
    sqlite3_backup *b = sqlite3_backup_init(to, "main", from, "main");
    int rc = b ? SQLITE_OK : SQLITE_ERROR;

    while (b && (rc = sqlite3_backup_step(b, STEP_PAGES)) == SQLITE_OK)
        copier_tell(c, path, false);
    if (b)
        sqlite3_backup_finish(b);
    if (rc == SQLITE_FULL)
        return err_set(e, -ENOSPC, "there is no room for a copy of \"%s\"", path);
    return rc == SQLITE_DONE ? 0 : broken(to, path, e);
}

int database_copy(struct copier *c, const char *from, const char *to, struct err *e)
{
    sqlite3 *in = NULL, *out = NULL;
    static const char *const beside[] = { "", "-journal", "-wal", "-shm" };   /* of a run that was killed */
    char path[PATH_BYTES];
    int rc;

    for (size_t i = 0; i < COUNT(beside); i++) {
        snprintf(path, sizeof path, "%.4000s%s", to, beside[i]);
        unlink(path);
    }
    if (sqlite3_open_v2(from, &in, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK || sqlite3_busy_timeout(in, WAIT_MS) != SQLITE_OK ||
        sqlite3_exec(in, "BEGIN; SELECT count(*) FROM sqlite_master", NULL, NULL, NULL) != SQLITE_OK)
        rc = broken(in, from, e);
    else if (sqlite3_open_v2(to, &out, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
        rc = broken(out, to, e);
    else
        rc = steps(c, in, out, from, e);
    if (rc == 0 && sqlite3_exec(out, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL) != SQLITE_OK)
        rc = broken(out, to, e);      /* one file, without a log beside it; the desk sets its own mode again */
    sqlite3_close(out);
    sqlite3_close(in);
    return rc;
}
