/* bench_desk.c - a desk as it is after years: fills an empty one with organisations, objects, cases and all that hangs on them.
 *
 * usage: bench_desk DATA CONTENT [CASES [OBJECTS]]. DATA is the data folder of a node that does not run; bench/desk.mjs then starts it and
 * measures each list of the API. The rows are made by SQL, not by acts: they have the shape and number of real ones, not their words. */
#include "desk/internal.h"
#include "bench_open.h"
#include "base/file.h"

#include <stdlib.h>

/* :cases, :objects and :now are put in; n counts from 1. Two clocks, four lines, three deliveries and one document a case. */
static const char *const steps[] = {
    "INSERT INTO org(id, name, kind, created_at, updated_at, sort) SELECT 'bench-org-'||n, 'Ұйым № '||n, 'owner', :now, :now, 'ұйым № '||n"
    " FROM (WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM s WHERE n < :objects/10) SELECT n FROM s)",
    "INSERT INTO org_kind SELECT id, 'owner' FROM org WHERE id LIKE 'bench-%'",
    "INSERT INTO record(kind, id, sort, version, json, created_at, updated_at, updated_by) SELECT 'organisation', id, sort, 1, json_object('name', name,"
    " 'name_ru', NULL, 'kinds', json_array('owner'), 'bin', NULL, 'address', NULL, 'email', NULL, 'phone', NULL, 'head', NULL, 'active', json('true')),"
    " :now, :now, '' FROM org WHERE id LIKE 'bench-%'",
    "INSERT INTO object(id, name, org_id, criticality, contour, active, created_at, updated_at, sort, state) SELECT 'bench-ob-'||n,"
    " 'Ақпараттық жүйе № '||n, 'bench-org-'||(1 + n % (:objects/10)), CASE n % 3 WHEN 0 THEN 'high' WHEN 1 THEN 'medium' ELSE 'low' END, 'external', 1,"
    " :now, :now, 'ақпараттық жүйе № '||n, 'monitored'"
    " FROM (WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM s WHERE n < :objects) SELECT n FROM s)",
    "INSERT INTO object_host SELECT 'bench-host-'||substr(id, 10), id, 0 FROM object WHERE id LIKE 'bench-%'",
    "INSERT INTO record(kind, id, object_id, sort, version, json, created_at, updated_at, updated_by) SELECT 'object', id, id, sort, 1, json_object('name',"
    " name, 'org_id', org_id, 'possessor_id', NULL, 'ocib_id', NULL, 'criticality', criticality, 'contour', contour, 'hosts',"
    " json_array('bench-host-'||substr(id, 10)), 'active', json('true'), 'is_ego', json('true')), :now, :now, '' FROM object WHERE id LIKE 'bench-%'",
    "INSERT INTO record_version(kind, id, version, root, at, author, origin, reason, json) SELECT kind, id, 1, kind||'/'||id, updated_at, '', 'system',"
    " 'made by the benchmark', json FROM record WHERE id LIKE 'bench-%'",
    "INSERT INTO registry_fts(rowid, text) SELECT rid, sort FROM record WHERE id LIKE 'bench-%'",
    "INSERT INTO cases(number, machine, detector, state, kind, rule_id, rule_name, rule_level, object_id, grouping, host, edition, detected_at,"
    " last_seen_at, count, level, incident_type, notified_at, confirmed_at, closed_at, created_at, updated_at, search) SELECT 'B-'||printf('%06d', n), 'sts',"
    " 'centre', CASE WHEN n % 10 < 7 THEN 'closed' WHEN n % 10 = 7 THEN 'notified' WHEN n % 10 = 8 THEN 'incident_confirmed' ELSE 'detected' END,"
    " CASE WHEN n % 10 = 8 THEN 'incident' ELSE 'event' END, 'bench-rule-'||(n % 200), 'Подбор пароля № '||(n % 200), 'high',"
    " 'bench-ob-'||(1 + n % :objects), 'g'||n, 'bench-host-'||(1 + n % :objects), 'kz-52-2025', :now - (:cases - n) * 300000000000,"
    " :now - (:cases - n) * 300000000000, 1 + n % 50, CASE WHEN n % 10 = 8 THEN 'medium' END, CASE WHEN n % 10 = 8 THEN 'phishing' END,"
    " CASE WHEN n % 10 < 9 THEN :now - (:cases - n) * 300000000000 + 600000000000 END,"
    " CASE WHEN n % 10 = 8 THEN :now - (:cases - n) * 300000000000 + 900000000000 END,"
    " CASE WHEN n % 10 < 7 THEN :now - (:cases - n) * 300000000000 + 90000000000000 END, :now - (:cases - n) * 300000000000,"
    " :now - (:cases - n) * 300000000000, 'b-'||printf('%06d', n)||' подбор пароля № '||(n % 200)||' ақпараттық жүйе № '||(1 + n % :objects)"
    " FROM (WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM s WHERE n < :cases) SELECT n FROM s)",
    "INSERT INTO case_version(case_id, at, until, detected_at, state, kind, level, incident_type, rule_id, object_id, confirmed_at, eliminated_at,"
    " measures, merged) SELECT k.id, k.detected_at + s.v * 600000000000, iif(s.v = 2, 9223372036854775807, k.detected_at + (s.v + 1) * 600000000000),"
    " k.detected_at, CASE s.v WHEN 0 THEN 'detected' WHEN 1 THEN 'notified' ELSE k.state END, k.kind, k.level, k.incident_type, k.rule_id, k.object_id,"
    " k.confirmed_at, k.eliminated_at, k.closed_at IS NOT NULL, 0 FROM cases k, (SELECT 0 AS v UNION ALL SELECT 1 UNION ALL SELECT 2) s"
    " WHERE k.number LIKE 'B-%'",
    "INSERT INTO case_text(case_text) VALUES('rebuild')",
    "INSERT INTO duty(subject, subject_id, seq, case_id, object_id, org_id, performer_org, owed_by, basis, obligation, from_field, from_at, due_at, nominal_at, state, fulfilled_at,"
    " overdue_marked_at, edition, calendar, arithmetic, created_at) SELECT 'case', CAST(k.id AS TEXT), 1, k.id, k.object_id, o.org_id, CASE d.v WHEN 'D-11' THEN o.org_id END,"
    " CASE d.v WHEN 'D-11' THEN 'organisation' ELSE 'centre' END, 'law', d.v, 'detected_at',"
    " k.detected_at, k.detected_at + 259200000000000, k.detected_at + 259200000000000, CASE WHEN k.closed_at IS NULL AND d.v = 'D-11' THEN 'running' ELSE"
    " 'fulfilled' END, CASE WHEN k.closed_at IS NULL AND d.v = 'D-11' THEN NULL ELSE k.detected_at + iif(k.id % 20, 1, 300000000000000) END, k.detected_at + 259200000000001,"
    " 'kz-52-2025', '1', '{\"kk\":[],\"ru\":[],\"en\":[]}', k.detected_at FROM cases k JOIN object o ON o.id = k.object_id,"
    " (SELECT 'D-05' AS v UNION ALL SELECT 'D-11') d WHERE k.number LIKE 'B-%'",
    "INSERT INTO timeline(subject, subject_id, case_id, kind, happened_at, recorded_at) SELECT 'case', CAST(k.id AS TEXT), k.id, t.v, k.detected_at,"
    " k.detected_at FROM cases k, (SELECT 'detected' AS v UNION ALL SELECT 'clock_started' UNION ALL SELECT 'notify' UNION ALL SELECT 'report_measures') t"
    " WHERE k.number LIKE 'B-%'",
    "INSERT INTO notice(subject, subject_id, case_id, object_id, kind, channel, addressee, org_id, state, queued_at, sent_at, read_at) SELECT 'case',"
    " CAST(k.id AS TEXT), k.id, k.object_id, 'annex7', 'inbox', 'Ұйым', CASE t.v WHEN 1 THEN o.org_id END, CASE WHEN k.closed_at IS NULL THEN 'sent' ELSE"
    " 'read' END, k.detected_at, k.detected_at, k.closed_at FROM cases k JOIN object o ON o.id = k.object_id, (SELECT 1 AS v UNION ALL SELECT 2) t"
    " WHERE k.number LIKE 'B-%' AND k.notified_at IS NOT NULL",
    "INSERT INTO document(case_id, sha256, kind, created_at, size_bytes) SELECT id, printf('%064x', id), 'annex7', detected_at, 40000 FROM cases"
    " WHERE number LIKE 'B-%' AND notified_at IS NOT NULL",
    "ANALYZE",
};

static int step(struct desk *d, const char *sql, int64_t cases, int64_t objects, time_ns now, struct err *e)
{
    sqlite3_stmt *st;
    const struct { const char *name; int64_t value; } put[] = { { ":cases", cases }, { ":objects", objects }, { ":now", now } };
    int rc = sqlite3_prepare_v2(d->db, sql, -1, &st, NULL);

    if (rc != SQLITE_OK)
        return err_set(e, -EIO, "%.60s…: %s", sql, sqlite3_errmsg(d->db));
    for (size_t i = 0; i < COUNT(put); i++)
        if (sqlite3_bind_parameter_index(st, put[i].name))
            sqlite3_bind_int64(st, sqlite3_bind_parameter_index(st, put[i].name), put[i].value);
    rc = sqlite3_step(st);
    if (rc != SQLITE_DONE && rc != SQLITE_ROW)
        err_set(e, -EIO, "%.60s…: %s", sql, sqlite3_errmsg(d->db));
    sqlite3_finalize(st);
    return rc == SQLITE_DONE || rc == SQLITE_ROW ? 0 : -EIO;
}

int main(int argc, char **argv)
{
    struct desk *desk;
    struct err e;
    int rc;

    if (argc < 3) {
        fprintf(stderr, "usage: bench_desk DATA CONTENT [CASES [OBJECTS]]\n");
        return 2;
    }
    rc = bench_open(argv[1], argv[2], &desk, &e);
    if (rc == 0)
        rc = db_begin(desk, &e);
    for (size_t i = 0; rc == 0 && i < COUNT(steps); i++)
        rc = step(desk, steps[i], argc > 3 ? strtoll(argv[3], NULL, 10) : 200000, argc > 4 ? strtoll(argv[4], NULL, 10) : 10000, clock_now(), &e);
    if (rc == 0)
        rc = db_end(desk, 0, &e);
    if (rc < 0)
        fprintf(stderr, "bench_desk: %s\n", e.text);
    return rc < 0;
}
