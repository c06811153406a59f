/* testing_dump.c - for tests: what the room "vulnerabilities" of a desk that is not running holds, a line a row, in an order that knows nothing of how it
 * came in. Two desks that were told the same give the same text. */
#include "base/base.h"
#include "desk/vulnerabilities/testing_rows.h"

#include <sqlite3.h>
#include <stdio.h>

static int rows_print(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(db, sql, -1, &st, NULL);

    while (rc == SQLITE_OK || rc == SQLITE_ROW) {
        rc = sqlite3_step(st);
        if (rc != SQLITE_ROW)
            break;
        for (int i = 0; i < sqlite3_column_count(st); i++) {
            const unsigned char *text = sqlite3_column_text(st, i);

            printf("%s|", text ? (const char *)text : "");
        }
        putchar('\n');
    }
    sqlite3_finalize(st);
    return rc == SQLITE_DONE ? 0 : -1;
}

int main(int argc, char **argv)
{
    sqlite3 *db = NULL;
    int rc = argc == 2 && sqlite3_open_v2(argv[1], &db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK ? 0 : -1;

    for (size_t i = 0; rc == 0 && i < COUNT(room_rows); i++) {
        rc = rows_print(db, room_rows[i]);
        puts("--");
    }
    if (rc < 0)
        fprintf(stderr, "usage: room-dump DESK.DB %s\n", db ? sqlite3_errmsg(db) : "");
    sqlite3_close(db);
    return rc < 0 ? 2 : 0;
}
