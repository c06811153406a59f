/* versions.c - how each case stood after each transaction that changed it: what lets a past quarter be counted as it was known then. */
#include "desk/reports/internal.h"

/* keep_one - a version ends where the next begins; the newest has no end. A clock that went back does not order them anew. */
static int keep_one(struct desk *d, int64_t id, struct err *e)
{
    int64_t differs = 0;
    int rc = db_int(d, e, 0, &differs,
                    "SELECT count(*) FROM cases k WHERE k.id = ?1 AND NOT EXISTS (SELECT 1 FROM case_version v WHERE v.case_id = k.id"
                    " AND v.until = 9223372036854775807 AND v.state = k.state AND v.kind = k.kind AND v.level IS k.level AND v.incident_type IS"
                    " coalesce(k.incident_type, k.annex2 ->> '$.incident_type') AND v.object_id IS k.object_id AND v.confirmed_at IS k.confirmed_at"
                    " AND v.eliminated_at IS k.eliminated_at AND v.measures = (k.annex2 IS NOT NULL) AND v.merged = (k.merged_into IS NOT NULL))",
                    "i", id);

    if (rc < 0 || !differs)
        return rc;
    rc = db_exec(d, e,
                 "UPDATE case_version SET until = max(at, (SELECT updated_at FROM cases WHERE id = ?1)) WHERE case_id = ?1 AND until = 9223372036854775807",
                 "i", id);
    if (rc < 0)
        return rc;
    return db_exec(d, e,
                   "INSERT OR REPLACE INTO case_version(case_id, at, until, detected_at, state, kind, level, incident_type, rule_id, object_id, confirmed_at,"
                   " eliminated_at, measures, merged) SELECT k.id, max(k.updated_at, coalesce((SELECT max(at) FROM case_version WHERE case_id = k.id), 0)),"
                   " 9223372036854775807, k.detected_at, k.state, k.kind, k.level, coalesce(k.incident_type, k.annex2 ->> '$.incident_type'), k.rule_id,"
                   " k.object_id, k.confirmed_at, k.eliminated_at, k.annex2 IS NOT NULL, k.merged_into IS NOT NULL FROM cases k WHERE k.id = ?1",
                   "i", id);
}

/* keep_all - after a transaction that changed more cases than were told one by one (a frame of findings): every case without its present version. */
static int keep_all(struct desk *d, struct err *e)
{
    int64_t id = 0;
    int rc = 0;

    while (rc >= 0 && (rc = db_int(d, e, 0, &id,
                                   "SELECT coalesce((SELECT k.id FROM cases k WHERE k.id > ?1 AND NOT EXISTS (SELECT 1 FROM case_version v WHERE"
                                   " v.case_id = k.id AND v.until = 9223372036854775807 AND v.at >= k.updated_at) ORDER BY k.id LIMIT 1), 0)",
                                   "i", id)) >= 0 && id)
        rc = keep_one(d, id, e);
    return rc < 0 ? rc : 0;
}

int case_versions_keep(struct desk *d, struct err *e)
{
    int rc = d->cases_lost ? keep_all(d, e) : 0;

    for (size_t i = 0; rc >= 0 && i < d->change_count; i++)
        if (strcmp(d->changes[i].type, "case") == 0)
            rc = keep_one(d, parse_id(str_c(d->changes[i].id)), e);
    return rc < 0 ? rc : 0;
}
