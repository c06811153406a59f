/* bench_vulns.c - vulnerabilities as they are after years: findings of many objects brought in as files do, then every list and comparison, timed.
 *
 * usage: bench_vulns DATA CONTENT [FINDINGS [OBJECTS]]. DATA is an empty data folder. Each object gets a main survey with its share of the findings (80 in a
 * hundred with a CVE, on ten hosts) and a control survey that finds half of them again and proves the rest. Fixed seed; in-process, without HTTP.
 * With LISTS in the environment only the lists of a folder that was filled before are timed; with STATEMENTS, each statement of the imports is told with how
 * often it ran and how many steps of the tables' machine that took. */
#include "bench_open.h"
#include "base/clock.h"
#include "base/file.h"
#include "desk/vulnerabilities/api.h"
#include "desk/vulnerabilities/vulnerabilities.h"

#include <sys/resource.h>
#include <sys/stat.h>

#define DAY NS_PER_DAY
#define T   ((time_ns)1774032600 * NS_PER_SECOND)
#define HOSTS 10

static void need(int rc, const struct err *e)
{
    if (rc < 0) {
        fprintf(stderr, "%d: %s\n", rc, e->text);
        exit(1);
    }
}

static uint64_t seed = 88172645463325252u;
static uint64_t chance(uint64_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed % below;
}

static void sql(struct desk *d, const char *text)
{
    if (sqlite3_exec(d->db, text, NULL, NULL, NULL) != SQLITE_OK) {
        fprintf(stderr, "%s\n", sqlite3_errmsg(d->db));
        exit(1);
    }
}

static void objects_make(struct desk *d, int64_t objects)
{
    char text[1024];

    snprintf(text, sizeof text,
             "BEGIN; INSERT INTO org(id, name, kind, created_at, updated_at, sort) SELECT 'bo-'||n, 'Org '||n, 'owner', 1, 1, 'org '||n FROM (WITH RECURSIVE s(n) AS"
             " (SELECT 0 UNION ALL SELECT n+1 FROM s WHERE n < %lld/10) SELECT n FROM s);"
             "INSERT INTO object(id, name, org_id, criticality, contour, active, created_at, updated_at, sort, state) SELECT 'ob-'||n, 'Object '||n, 'bo-'||(n/10), 'high',"
             " 'external', 1, 1, 1, 'object '||n, 'monitored' FROM (WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM s WHERE n < %lld) SELECT n FROM s); COMMIT;",
             (long long)objects, (long long)objects);
    sql(d, text);
}

struct one { char check[24], cve[24], ip[24], title[64]; struct str cves[1]; };

static void finding_make(uint64_t n, struct one *o, struct scan_finding *f)
{
    uint64_t check = n * 2654435761u % 20000;

    snprintf(o->check, sizeof o->check, "%llu", (unsigned long long)(10000 + check));
    snprintf(o->cve, sizeof o->cve, "CVE-%llu-%05llu", (unsigned long long)(2015 + check % 11), (unsigned long long)(10000 + check));
    snprintf(o->ip, sizeof o->ip, "10.0.0.%llu", (unsigned long long)(1 + n % HOSTS));
    snprintf(o->title, sizeof o->title, "A weakness of a service, number %llu", (unsigned long long)check);
    o->cves[0] = str_c(o->cve);
    *f = (struct scan_finding){ .tool = STR("Nessus"), .check = str_c(o->check), .title = str_c(o->title), .severity = SCAN_INFO + check % 5, .cvss = (double)(check % 100) / 10,
                                .ip = str_c(o->ip), .port = (int32_t)(1 + n / HOSTS), .protocol = STR("tcp"), .epss = -1, .occurrences = 1,
                                .description = STR("What is wrong, why it is wrong, and what somebody could do with it, in a paragraph as scanners write them."),
                                .solution = STR("Install the newest version."), .evidence = STR("Installed version : 1.2.3\nFixed version : 1.2.9") };
    if (check % 5) {
        f->cve = o->cves;
        f->cve_count = 1;
    }
}

static void result_feed(struct desk *d, int64_t survey, int64_t count, int64_t from, bool control)
{
    struct scan_report about = { .started_at = T };
    struct desk_reply r = { 0 };
    char name[32], hash[65];
    struct call c;
    int64_t id = 0;

    snprintf(name, sizeof name, "file %lld", (long long)survey);
    snprintf(hash, sizeof hash, "%064llx", (unsigned long long)survey);
    desk_call_init(&c, d, NULL, T, &r);
    need(db_begin(d, c.e), c.e);
    int rc = vulns_feed_begin(&c, survey, hash, str_c(name), STR("Nessus"), &id);
    for (int64_t i = 0; rc == 0 && i < count; i++) {
        struct scan_finding f;
        struct one o;

        if (control && i % 2)
            continue;
        finding_make((uint64_t)(from + i), &o, &f);
        rc = vulns_feed_finding(&c, id, &f);
    }
    for (int i = 1; rc == 0 && i <= HOSTS; i++) {
        char ip[24];

        snprintf(ip, sizeof ip, "10.0.0.%d", i);
        rc = vulns_feed_cover(&c, id, &(struct scan_cover){ .ran = SCAN_RAN_ALL, .tool = STR("Nessus"), .ip = str_c(ip), .port = -1, .port_to = -1 });
    }
    if (rc == 0)
        rc = vulns_feed_end(&c, id, &about);
    need(db_end(d, rc, c.e), c.e);
    desk_call_free(&c);
}

static void survey_make(struct desk *d, int64_t object, bool control, int64_t objects)
{
    static const struct str scope[] = { STR_INIT("10.0.0.0/16") };
    struct desk_reply r = { 0 };
    char id[32];
    struct call c;

    snprintf(id, sizeof id, "ob-%lld", (long long)object);
    struct vuln_survey y = { .id = object + (control ? objects : 0), .object_id = str_c(id), .number = STR("S"), .mode = STR("pentest_auto"), .control = control,
                             .main_id = control ? object : 0, .begun_at = control ? T + 30 * DAY : T - DAY, .completed_at = control ? T + 31 * DAY : T,
                             .sent_at = control ? 0 : T + DAY, .measures_due_at = T + 21 * DAY, .scope = scope, .scope_count = 1 };
    desk_call_init(&c, d, NULL, T, &r);
    need(db_begin(d, c.e), c.e);
    need(db_end(d, vulns_survey_put(&c, &y), c.e), c.e);
    desk_call_free(&c);
}

static double seconds(int64_t since) { return (double)(clock_steady() - since) / 1e9; }

/* cpu - of this process: what other programs do beside it matters less. */
static double cpu(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void bring(struct desk *d, int64_t findings, int64_t objects, bool control)
{
    int64_t each = findings / objects, began = clock_steady(), n = control ? findings / 2 : findings, worst = 0;
    double used = cpu();
    struct err e;

    for (int64_t i = 1; i <= objects; i++) {
        survey_make(d, i, control, objects);
        result_feed(d, i + (control ? objects : 0), each, i * 7919, control);
        for (int made = 1; made > 0;) {
            int64_t turn = clock_steady();

            made = vulns_turn(d, T + 40 * DAY, &e);
            need(made, &e);
            worst = clock_steady() - turn > worst ? clock_steady() - turn : worst;
        }
    }
    double s = seconds(began);
    used = cpu() - used;
    printf("%s: %lld findings of %lld objects in %.1f s, %.0f findings/s; %.2f s of CPU: %.0f findings/CPU-s, %.1f CPU-s a million; longest piece %.0f ms\n",
           control ? "control surveys" : "main surveys", (long long)n, (long long)objects, s, (double)n / s, used, (double)n / used, used * 1e6 / (double)n,
           (double)worst / 1e6);
}

static int by_time(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

/* statements - the costly first; counted since the last call. */
static void statements(struct desk *d)
{
    for (sqlite3_stmt *st = getenv("STATEMENTS") ? sqlite3_next_stmt(d->db, NULL) : NULL; st; st = sqlite3_next_stmt(d->db, st)) {
        int runs = sqlite3_stmt_status(st, SQLITE_STMTSTATUS_RUN, 1), steps = sqlite3_stmt_status(st, SQLITE_STMTSTATUS_VM_STEP, 1);

        if (steps > 100000)
            printf("%9d runs %10d steps  %.170s\n", runs, steps, sqlite3_sql(st));
    }
}

#define RUNS 60
static void timed(struct desk *d, const struct viewer *v, const char *name, struct vulns_query q, int64_t objects)
{
    static char cursor[64], object[32], host[32];
    int64_t took[RUNS];
    size_t rows = 0;

    cursor[0] = '\0';
    for (size_t i = 0; i < RUNS; i++) {
        struct desk_reply r = { 0 };
        bool compare = q.survey.n && q.survey.p[0] == '*';
        int64_t began;

        snprintf(object, sizeof object, "ob-%llu", (unsigned long long)(1 + chance((uint64_t)objects)));
        snprintf(host, sizeof host, "%llu", (unsigned long long)(1 + chance((uint64_t)objects) + (uint64_t)(compare ? objects : 0)));
        struct vulns_query one = q;
        if (q.object.n)
            one.object = str_c(object);
        if (q.survey.n)
            one.survey = str_c(host);
        one.before = str_c(i % 2 && !q.object.n && !q.survey.n ? cursor : "");
        began = clock_steady();
        int rc = compare ? desk_vuln_compare(d, v, one.survey, (struct str){ NULL, 0 }, 100, (struct str){ NULL, 0 }, T + 40 * DAY, &r)
                         : desk_vulns(d, v, &one, T + 40 * DAY, &r);
        took[i] = clock_steady() - began;
        need(rc, &r.err);
        rows += json_array_size(json_object_get(r.json, "items"));
        struct str next = json_get_str(r.json, "next");
        snprintf(cursor, sizeof cursor, "%.*s", STR_ARG(next.p ? next : STR("")));
        desk_reply_free(&r);
    }
    qsort(took, RUNS, sizeof took[0], by_time);
    printf("%-34s p50 %7.2f ms  worst %7.2f ms  rows %zu\n", name, (double)took[RUNS / 2] / 1e6, (double)took[RUNS - 1] / 1e6, rows / RUNS);
}

static void lists(struct desk *d, int64_t objects)
{
    struct viewer centre = { .role = DESK_CENTRE_ANALYST, .lang = LANG_RU }, owner = { .role = DESK_OWNER_OFFICER, .lang = LANG_RU, .org_id = "bo-3" };
    const struct { const char *name; struct vulns_query q; } asked[] = {
        { "all", { .limit = 100 } }, { "one severity", { .severity = STR("low") } }, { "known exploited (none)", { .kev = true } }, { "closed", { .closed = true } },
        { "a state", { .state = STR("persisting") } }, { "a state that is rare", { .state = STR("claim_expired") } }, { "an object", { .object = STR("x") } },
        { "an organisation", { .org = STR("bo-7") } }, { "an organisation and a severity", { .org = STR("bo-7"), .severity = STR("critical") } },
        { "a CVE", { .cve = STR("CVE-2015-10000") } }, { "a host", { .host = STR("10.0.0.3") } }, { "overdue", { .overdue = true } }, { "words", { .q = STR("number 1777") } },
        { "common words", { .q = STR("weakness service") } }, { "words of nothing", { .q = STR("zzzz") } }, { "a survey", { .survey = STR("x") } },
        { "a state and a severity", { .state = STR("found_by_survey"), .severity = STR("critical") } }, { "comparison", { .survey = STR("*") } },
    };

    for (size_t i = 0; i < COUNT(asked); i++)
        timed(d, &centre, asked[i].name, asked[i].q, objects);
    timed(d, &owner, "owner: all", (struct vulns_query){ .limit = 100 }, objects);
    timed(d, &owner, "owner: a state", (struct vulns_query){ .state = STR("persisting") }, objects);
    timed(d, &owner, "owner: words", (struct vulns_query){ .q = STR("weakness service") }, objects);
}

int main(int argc, char **argv)
{
    int64_t findings = argc > 3 ? strtoll(argv[3], NULL, 10) : 1000000, objects = argc > 4 ? strtoll(argv[4], NULL, 10) : 2000;
    struct desk *d = NULL;
    struct stat s;
    char path[4096];
    struct err e;

    if (argc < 3 || findings < objects || objects < 1) {
        fprintf(stderr, "usage: bench_vulns DATA CONTENT [FINDINGS [OBJECTS]]\n");
        return 2;
    }
    need(file_mkdirs(argv[1], 0750, &e), &e);
    need(bench_open(argv[1], argv[2], &d, &e), &e);
    if (getenv("LISTS")) { lists(d, objects); return 0; }
    objects_make(d, objects);
    bring(d, findings, objects, false);
    statements(d);
    bring(d, findings, objects, true);
    statements(d);
    sql(d, "PRAGMA wal_checkpoint(TRUNCATE)");
    snprintf(path, sizeof path, "%s/desk/desk.db", argv[1]);
    if (stat(path, &s) == 0)
        printf("desk.db: %.0f MiB, %.0f bytes a finding\n", (double)s.st_size / (1024 * 1024), (double)s.st_size / ((double)findings * 1.5));
    lists(d, objects);
    desk_close(&d);
    return 0;
}
