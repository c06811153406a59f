/* db.c - the connection: opening, migrations, prepared statements, transactions. */
#include "desk/internal.h"
#include "desk/reports/reports.h"
#include "base/file.h"

#include <stdarg.h>
#include <sys/stat.h>

static int db_err(struct desk *d, struct err *e, int rc, const char *what)
{
    int base = rc & 0xff;
    int out = base == SQLITE_BUSY || base == SQLITE_LOCKED ? -EBUSY
              : rc == SQLITE_CONSTRAINT_UNIQUE || rc == SQLITE_CONSTRAINT_PRIMARYKEY ? -EEXIST
              : base == SQLITE_FULL ? -ENOSPC : base == SQLITE_NOMEM ? -ENOMEM
              : base == SQLITE_CONSTRAINT || base == SQLITE_TOOBIG || base == SQLITE_MISMATCH || base == SQLITE_ERROR ? -EDOM : -EIO;

    return err_set(e, out, "%s: %s", what, d->db ? sqlite3_errmsg(d->db) : "no connection");
}

static int db_plain(struct desk *d, const char *sql, struct err *e)
{
    int rc = sqlite3_exec(d->db, sql, NULL, NULL, NULL);

    return rc == SQLITE_OK ? 0 : db_err(d, e, sqlite3_extended_errcode(d->db), "desk.db");
}

/* migrate_room - the same for one room: the table "room" says how many of its steps were made. */
static int migrate_room(struct desk *d, const struct desk_schema *s, struct err *e)
{
    int64_t version = 0;
    int rc = db_int(d, e, 0, &version, "SELECT version FROM room WHERE name = ?", "z", s->name);

    if (rc == 0 && version > (int64_t)s->count)
        rc = err_set(e, -ENOTSUP, "desk.db has version %lld of the tables of \"%s\", this program knows %zu: use the newer program",
                     (long long)version, s->name, s->count);
    if (rc < 0 || version == (int64_t)s->count)
        return rc;
    for (size_t i = (size_t)version; rc >= 0 && i < s->count; i++)
        rc = db_plain(d, s->steps[i], e);
    if (rc >= 0)
        rc = db_exec(d, e, "INSERT INTO room(name, version) VALUES (?1, ?2) ON CONFLICT(name) DO UPDATE SET version = ?2", "zi", s->name,
                     (int64_t)s->count);
    return rc < 0 ? rc : 0;
}

/* references_hold - steps run with references unwatched, for tables are rebuilt under others that refer to them. */
static int references_hold(struct desk *d, struct err *e)
{
    int64_t broken = 0;
    int rc = db_int(d, e, 0, &broken, "SELECT count(*) FROM pragma_foreign_key_check", "");

    return rc < 0 ? rc : broken ? err_set(e, -EIO, "desk.db: %lld references lead nowhere after the migration", (long long)broken) : 0;
}

/* made - is there nothing to migrate? Asked first: checking every reference of a large desk takes seconds. */
static int made(struct desk *d, bool *yes, struct err *e)
{
    int64_t version = 0, rooms = 0;
    int rc = db_int(d, e, 0, &version, "PRAGMA user_version", "");

    *yes = rc == 0 && version == (int64_t)desk_migration_count;
    for (size_t i = 0; rc == 0 && *yes && i < desk_schema_count; i++) {
        rc = db_int(d, e, 0, &rooms, "SELECT version FROM room WHERE name = ?", "z", desk_schemas[i]->name);
        *yes = rooms == (int64_t)desk_schemas[i]->count;
    }
    return rc;
}

/* migrate - numbered steps; user_version says how many were made. */
static int migrate(struct desk *d, struct err *e)
{
    int64_t version = 0;
    char set[64];
    int rc = db_begin(d, e);

    if (rc < 0)
        return rc;
    rc = db_int(d, e, 0, &version, "PRAGMA user_version", "");
    if (rc == 0 && version > (int64_t)desk_migration_count)
        rc = err_set(e, -ENOTSUP, "desk.db has schema version %lld, this program knows %zu: use the newer program", (long long)version,
                     desk_migration_count);
    for (size_t i = (size_t)version; rc >= 0 && i < desk_migration_count; i++) {
        rc = db_plain(d, desk_migrations[i], e);
        snprintf(set, sizeof set, "PRAGMA user_version = %zu", i + 1);
        if (rc >= 0)
            rc = db_plain(d, set, e);
    }
    for (size_t i = 0; rc >= 0 && i < desk_schema_count; i++)
        rc = migrate_room(d, desk_schemas[i], e);
    if (rc >= 0)
        rc = references_hold(d, e);
    return db_end(d, rc, e);
}

int db_open(struct desk *d, struct err *e)
{
    /* Temporary files would lie where the sandbox lets nobody write: a large transaction then ended in "unable to open database file". */
    static const char pragmas[] = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = OFF;"
                                  "PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY;"
                                  "PRAGMA cache_size = -4096; PRAGMA wal_autocheckpoint = 512;";
    char path[4096];
    bool ready = false;
    int rc;

    node_path(d->setup.node, "desk/desk.db", path);
    rc = sqlite3_open_v2(path, &d->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc != SQLITE_OK)
        return db_err(d, e, rc, path);
    (void)chmod(path, 0600);
    sqlite3_extended_result_codes(d->db, 1);
    sqlite3_busy_timeout(d->db, DB_BUSY_MS);
    sqlite3_db_config(d->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_limit(d->db, SQLITE_LIMIT_LENGTH, 4 * 1024 * 1024);
    rc = db_plain(d, pragmas, e);
    if (rc >= 0)
        rc = made(d, &ready, e);
    if (rc >= 0 && !ready)
        rc = migrate(d, e);
    return rc < 0 ? rc : db_plain(d, "PRAGMA foreign_keys = ON", e);
}

void db_close(struct desk *d)
{
    for (size_t i = 0; i < d->cached; i++)
        sqlite3_finalize(d->cache[i].st);
    d->cached = 0;
    sqlite3_close(d->db);
    d->db = NULL;
}

int db_begin(struct desk *d, struct err *e)
{
    assert(!d->in_tx);
    int rc = db_exec(d, e, "BEGIN IMMEDIATE", "");

    if (rc < 0)
        return rc;
    d->in_tx = true;
    d->change_count = 0;
    d->cases_lost = false;
    return 0;
}

static void tell_changes(struct desk *d)
{
    size_t n = d->change_count;

    d->change_count = 0;
    for (size_t i = 0; d->setup.changed && i < n; i++)
        d->setup.changed(d->setup.changed_arg, d->changes[i].type, d->changes[i].id);
}

int db_end(struct desk *d, int rc, struct err *e)
{
    assert(d->in_tx);
    d->in_tx = false;
    if (rc >= 0) {
        int ended = case_versions_keep(d, e);

        if (ended >= 0)
            ended = db_exec(d, e, "COMMIT", "");

        if (ended >= 0) {
            tell_changes(d);
            return rc;
        }
        rc = ended;
    }
    d->change_count = 0;
    for (size_t i = 0; i < d->cached; i++)
        sqlite3_reset(d->cache[i].st);
    if (!sqlite3_get_autocommit(d->db))
        (void)sqlite3_exec(d->db, "ROLLBACK", NULL, NULL, NULL);
    return rc;
}

/* oldest_idle - a place of the full cache whose statement gives way: round and round, past those that are being stepped. The newest is the last
 * that can be met, so a statement that was just bound is safe. */
static size_t oldest_idle(struct desk *d)
{
    for (size_t i = 0; i < DB_STATEMENTS_MAX; i++) {
        size_t at = d->cache_hand++ % DB_STATEMENTS_MAX;

        if (!sqlite3_stmt_busy(d->cache[at].st))
            return at;
    }
    assert(!"as many queries at once as there are places");
    return 0;
}

static sqlite3_stmt *statement(struct desk *d, const char *sql, struct err *e)
{
    sqlite3_stmt *st = NULL;
    int rc;

    /* Where a literal stood last is looked at first: an import asks the same twenty a million times. */
    size_t *hint = &d->cache_hint[((uintptr_t)sql >> 4) % COUNT(d->cache_hint)];
    if (*hint < d->cached && d->cache[*hint].sql == sql) {
        sqlite3_reset(d->cache[*hint].st);
        return d->cache[*hint].st;
    }
    for (size_t i = 0; i < d->cached; i++)
        if (d->cache[i].sql == sql) {
            *hint = i;
            sqlite3_reset(d->cache[i].st);
            return d->cache[i].st;
        }
    rc = sqlite3_prepare_v3(d->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &st, NULL);
    if (rc != SQLITE_OK) {
        db_err(d, e, rc, "desk.db");
        return NULL;
    }
    size_t at = d->cached < DB_STATEMENTS_MAX ? d->cached++ : oldest_idle(d);
    if (d->cache[at].st)
        sqlite3_finalize(d->cache[at].st);
    d->cache[at].sql = sql;
    d->cache[at].st = st;
    return st;
}

/* keep: SQLITE_TRANSIENT copies what is bound; SQLITE_STATIC where the statement has ended before the caller's text can go. */
static int bind_one(sqlite3_stmt *st, int at, char kind, sqlite3_destructor_type keep, va_list *ap)
{
    if (kind == 'i')
        return sqlite3_bind_int64(st, at, va_arg(*ap, int64_t));
    if (kind == 'm') {
        time_ns t = va_arg(*ap, time_ns);

        return t ? sqlite3_bind_int64(st, at, t) : sqlite3_bind_null(st, at);
    }
    if (kind == 'z') {
        const char *z = va_arg(*ap, const char *);

        return z ? sqlite3_bind_text(st, at, z, -1, keep) : sqlite3_bind_null(st, at);
    }
    struct str s = va_arg(*ap, struct str);

    if (kind == 'b')
        return sqlite3_bind_blob64(st, at, s.n ? s.p : "", s.n, keep);
    return s.p ? sqlite3_bind_text64(st, at, s.p, s.n, keep, SQLITE_UTF8) : sqlite3_bind_null(st, at);
}

static sqlite3_stmt *query_v(struct desk *d, struct err *e, const char *sql, const char *fmt, sqlite3_destructor_type keep, va_list *ap)
{
    sqlite3_stmt *st = statement(d, sql, e);

    if (!st)
        return NULL;
    assert(sqlite3_bind_parameter_count(st) == (int)strlen(fmt));
    for (int i = 0; fmt[i]; i++) {
        int rc = bind_one(st, i + 1, fmt[i], keep, ap);

        if (rc != SQLITE_OK) {
            db_err(d, e, rc, "desk.db");
            return NULL;
        }
    }
    return st;
}

sqlite3_stmt *db_query(struct desk *d, struct err *e, const char *sql, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    sqlite3_stmt *st = query_v(d, e, sql, fmt, SQLITE_TRANSIENT, &ap);
    va_end(ap);
    return st;
}

int db_step(struct desk *d, sqlite3_stmt *st, struct err *e)
{
    int rc = sqlite3_step(st);

    if (rc == SQLITE_ROW)
        return 1;
    if (rc == SQLITE_DONE) {
        sqlite3_reset(st);
        return 0;
    }
    rc = db_err(d, e, sqlite3_extended_errcode(d->db), "desk.db");
    sqlite3_reset(st);
    return rc;
}

void db_done(sqlite3_stmt *st) { sqlite3_reset(st); }

int db_exec(struct desk *d, struct err *e, const char *sql, const char *fmt, ...)
{
    va_list ap;
    int rc;

    va_start(ap, fmt);
    sqlite3_stmt *st = query_v(d, e, sql, fmt, SQLITE_STATIC, &ap);
    va_end(ap);
    if (!st)
        return e && e->rc < 0 ? e->rc : -EIO;
    while ((rc = db_step(d, st, e)) > 0)
        ;
    return rc < 0 ? rc : sqlite3_changes(d->db);
}

int db_int(struct desk *d, struct err *e, int64_t absent, int64_t *out, const char *sql, const char *fmt, ...)
{
    va_list ap;

    *out = absent;
    va_start(ap, fmt);
    sqlite3_stmt *st = query_v(d, e, sql, fmt, SQLITE_STATIC, &ap);
    va_end(ap);
    if (!st)
        return -EIO;
    int rc = db_step(d, st, e);
    if (rc <= 0)
        return rc;
    if (sqlite3_column_type(st, 0) != SQLITE_NULL)
        *out = sqlite3_column_int64(st, 0);
    db_done(st);
    return 0;
}

struct str db_str(sqlite3_stmt *st, int column)
{
    const unsigned char *p = sqlite3_column_text(st, column);

    return p ? str_of((const char *)p, (size_t)sqlite3_column_bytes(st, column)) : (struct str){ NULL, 0 };
}

struct str db_copy(sqlite3_stmt *st, int column, struct arena *a)
{
    struct str s = db_str(st, column);

    return s.p ? arena_copy(a, s) : s;
}

json_t *db_json(sqlite3_stmt *st, int column) { return json_str(db_str(st, column)); }

json_t *db_json_time(sqlite3_stmt *st, int column)
{
    return sqlite3_column_type(st, column) == SQLITE_NULL ? json_null() : json_time(sqlite3_column_int64(st, column));
}

json_t *db_json_id(sqlite3_stmt *st, int column)
{
    return sqlite3_column_type(st, column) == SQLITE_NULL ? json_null() : json_id(sqlite3_column_int64(st, column));
}

void change_add(struct desk *d, const char *type, struct str id)
{
    struct change want;

    snprintf(want.type, sizeof want.type, "%s", type);
    snprintf(want.id, sizeof want.id, "%.*s", (int)min_size(id.n, ID_MAX), id.n ? id.p : "");
    for (size_t i = 0; i < d->change_count; i++)
        if (strcmp(d->changes[i].type, want.type) == 0 && strcmp(d->changes[i].id, want.id) == 0)
            return;
    if (d->change_count < CHANGES_MAX)
        d->changes[d->change_count++] = want;
    else if (strcmp(want.type, "case") == 0)
        d->cases_lost = true;
}

void change_id(struct desk *d, const char *type, int64_t id)
{
    char text[24];

    snprintf(text, sizeof text, "%lld", (long long)id);
    change_add(d, type, str_c(text));
}

void change_case(struct desk *d, int64_t id) { change_id(d, "case", id); }

int counter_next(struct desk *d, const char *name, int64_t *out, struct err *e)
{
    /* Two statements: RETURNING makes a table of its own for each row, which was a sixth of the time of an import. */
    int rc = db_exec(d, e, "INSERT INTO counter(name, value) VALUES (?1, 1) ON CONFLICT(name) DO UPDATE SET value = value + 1", "z", name);

    return rc < 0 ? rc : db_int(d, e, 0, out, "SELECT value FROM counter WHERE name = ?", "z", name);
}
