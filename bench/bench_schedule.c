/* bench_schedule.c - a year's plan of many objects: how long it takes to lay out, how long the write lock is held, and what the pages cost.
 *
 * bench_schedule DATA CONTENT OBJECTS - DATA is an empty folder; it is left behind with the plan in it. */
#include "bench_open.h"
#include "desk/schedule/room.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#define NOW ((time_ns)1790000000 * NS_PER_SECOND)   /* September 2026: the plan of 2027 */

static double seconds(time_ns from) { return (double)(clock_steady() - from) / 1e9; }

static void die(const char *what, const struct err *e)
{
    fprintf(stderr, "bench_schedule: %s: %s\n", what, e->text);
    exit(1);
}

static void run(struct desk *d, const char *sql, int64_t n)
{
    struct err e = { 0 };

    if (db_exec(d, &e, sql, strchr(sql, '?') ? "i" : "", n) < 0)
        die(sql, &e);
}

/* objects_make - in operation, listed, with all works; a twentieth put into operation in the course of the year, and some closed days. */
static void objects_make(struct desk *d, int64_t objects)
{
    run(d, "UPDATE object SET active = 0", 0);
    run(d, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1) INSERT INTO object(id, name, org_id, criticality, contour, active, created_at, updated_at,"
           " sort, state, is_ego, commissioned_on) SELECT printf('b%06d', i), printf('Object %06d', i), 'registry-centre', 'high', 'internal', 1, 1, 1, printf('object %06d', i),"
           " 'scheduled', 1, iif(i % 20 = 0, '2027-07-01', '2024-01-01') FROM n", objects);
    run(d, "INSERT INTO record(kind, id, object_id, sort, version, json, created_at, updated_at, updated_by) SELECT 'object', id, id, sort, 1, json_object('name', name, 'org_id', org_id,"
           " 'active', json('true'), 'is_ego', json('true'), 'commissioned_on', commissioned_on, 'work_types', json('[\"incident_response\",\"protection\",\"secure_operation\"]')), 1, 1,"
           " '' FROM object WHERE id LIKE 'b%'", 0);
    run(d, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1) INSERT INTO team(name, at_once, days_week, modes, active, updated_at) SELECT printf('Team %d', i), 10,"
           " 45, 'pentest_auto update_config source_code pentest_manual document', 1, 1 FROM n", objects / 20 + 1);
    run(d, "INSERT INTO blackout(object_id, from_on, to_on, reason, at) SELECT id, '2027-06-01', '2027-06-20', 'closed', 1 FROM object WHERE id LIKE 'b%5'", 0);
    run(d, "INSERT INTO blackout(from_on, to_on, reason, at) VALUES ('2027-12-27', '2027-12-31', 'end of the year', 1)", 0);
}

static void viewer_of(struct desk *d, const char *login, enum desk_role role, struct viewer *v)
{
    int64_t id = 0;

    *v = (struct viewer){ .role = role, .lang = LANG_RU };
    if (db_int(d, NULL, 0, &id, "SELECT id FROM user WHERE login = ?", "z", login) < 0)
        exit(1);
    v->user_id = id;
    snprintf(v->login, sizeof v->login, "%s", login);
}

/* --- how long others wait for the lock --- */

struct waiter {
    char        path[4096];
    atomic_bool stop;
    atomic_long most_us;
};

/* waiting - somebody who begins and ends a transaction again and again, as the acts of others do, and takes the longest time it had to wait. */
static void *waiting(void *arg)
{
    static const struct timespec pause = { 0, 3000000 };
    struct waiter *k = arg;
    sqlite3 *db = NULL;

    if (sqlite3_open_v2(k->path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
        exit(1);
    sqlite3_busy_timeout(db, 120000);
    while (!atomic_load(&k->stop)) {
        time_ns from = clock_steady();

        if (sqlite3_exec(db, "BEGIN IMMEDIATE; ROLLBACK", NULL, NULL, NULL) != SQLITE_OK)
            exit(1);
        long us = (long)((clock_steady() - from) / 1000);
        if (us > atomic_load(&k->most_us))
            atomic_store(&k->most_us, us);
        nanosleep(&pause, NULL);
    }
    sqlite3_close(db);
    return NULL;
}

static void act(struct desk *d, const struct viewer *v, const char *name, json_t *body)
{
    struct desk_reply r = { 0 };
    struct waiter k = { .most_us = 0 };
    pthread_t thread;

    node_path(d->setup.node, "desk/desk.db", k.path);
    if (pthread_create(&thread, NULL, waiting, &k) != 0)
        exit(1);
    time_ns from = clock_steady();
    if (desk_schedule_act(d, v, STR("1"), str_c(name), body, NOW, &r) < 0)
        die(name, &r.err);
    double took = seconds(from);
    atomic_store(&k.stop, true);
    pthread_join(thread, NULL);
    printf("%s: %.2f s; another writer waited %.3f s at most\n", name, took, (double)atomic_load(&k.most_us) / 1e6);
    json_t *counts = json_object_get(r.json, "counts");
    printf("    objects %lld, lines drafted %lld, agreed %lld, without a place %lld\n", (long long)json_integer_value(json_object_get(counts, "draft_objects")),
           (long long)json_integer_value(json_object_get(counts, "draft_lines")), (long long)json_integer_value(json_object_get(counts, "agreed_lines")),
           (long long)json_integer_value(json_object_get(counts, "unplaced")));
    fflush(stdout);
    json_decref(body);
    desk_reply_free(&r);
}

#define TIMED(what, call)                                                     \
    do {                                                                      \
        struct desk_reply r = { 0 };                                          \
        time_ns from = clock_steady();                                        \
        if ((call) < 0)                                                       \
            die(what, &r.err);                                                \
        printf("%-34s %7.1f ms\n", what, seconds(from) * 1000);               \
        desk_reply_free(&r);                                                  \
    } while (0)

int main(int argc, char **argv)
{
    struct viewer lead, owner;
    struct desk *d = NULL;
    json_t *accounts = NULL;
    struct err e = { 0 };
    int64_t objects = argc == 4 ? strtoll(argv[3], NULL, 10) : 0;

    if (objects < 1 || objects > PLAN_OBJECTS_MAX) {
        fprintf(stderr, "usage: bench_schedule DATA CONTENT OBJECTS\n");
        return 2;
    }
    if (bench_open(argv[1], argv[2], &d, &e) < 0 || desk_init(d, true, NOW - NS_PER_DAY, &accounts, &e) < 0)
        die("open", &e);
    objects_make(d, objects);
    viewer_of(d, "lead", DESK_CENTRE_LEAD, &lead);
    viewer_of(d, "registry", DESK_OWNER_OFFICER, &owner);
    snprintf(owner.org_id, sizeof owner.org_id, "registry-centre");
    json_t *body = json_pack("{s:i, s:i}", "year", 2027, "documents", 1);
    TIMED("open", desk_schedule_open(d, &lead, body, NOW, &r));
    json_decref(body);
    act(d, &lead, "generate", json_pack("{s:s}", "scope", "all"));
    TIMED("mismatches", desk_schedule_mismatches(d, &lead, STR("1"), 100, NOW, &r));
    /* What found no place gets a reason, so that it can be sent. */
    run(d, "INSERT OR REPLACE INTO plan_reason(plan_id, draft, object_id, mode, code, text) SELECT DISTINCT 1, 1, object_id, mode, 'written', 'no room' FROM plan_unplaced", 0);
    act(d, &lead, "send", json_object());
    sqlite3_stmt *st = db_query(d, &e, "SELECT sha256 FROM plan_version", "");
    if (!st || db_step(d, st, &e) <= 0)
        die("version", &e);
    body = json_pack("{s:s, s:s, s:i, s:o}", "letter_number", "1", "letter_date", "2026-09-20", "version", 1, "sha256", db_json(st, 0));
    db_done(st);
    act(d, &lead, "record_agreement", body);
    for (int i = 0; i < 2; i++) {
        struct schedule_query day = { .limit = 100 }, team = { .team = 1, .limit = 100 }, one = { .object = STR("b000001"), .limit = 100 }, on = { .on = STR("2027-10-12"), .limit = 100 },
                              late = { .state = STR("late"), .limit = 100 };

        TIMED("lines, first page", desk_schedule_lines(d, &lead, STR("1"), &day, NOW, &r));
        TIMED("lines of a team", desk_schedule_lines(d, &lead, STR("1"), &team, NOW, &r));
        TIMED("lines of an object", desk_schedule_lines(d, &lead, STR("1"), &one, NOW, &r));
        TIMED("lines of a day", desk_schedule_lines(d, &lead, STR("1"), &on, NOW, &r));
        TIMED("lines by a state nobody has", desk_schedule_lines(d, &lead, STR("1"), &late, NOW, &r));
        TIMED("lines of an owner of all", desk_schedule_lines(d, &owner, STR("1"), &day, NOW, &r));
        TIMED("calendar", desk_schedule_calendar(d, &lead, STR("1"), &(struct schedule_query){ 0 }, NOW, &r));
        TIMED("progress by mode", desk_schedule_progress(d, &lead, STR("1"), STR("mode"), 100, STR(""), NOW, &r));
        TIMED("progress by object, a page", desk_schedule_progress(d, &lead, STR("1"), STR("object"), 100, STR(""), NOW, &r));
        TIMED("plan", desk_schedule_plan(d, &lead, STR("1"), NOW, &r));
    }
    act(d, &lead, "amend", json_pack("{s:s}", "reason", "new objects"));
    act(d, &lead, "generate", json_pack("{s:s}", "scope", "missing"));
    json_decref(accounts);
    desk_close(&d);
    return 0;
}
