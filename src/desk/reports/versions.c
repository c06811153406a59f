/* versions.c - how each case stood after each transaction that changed it: what lets a past quarter be counted as it was known then. */
#include "desk/reports/internal.h"

int case_versions_keep(struct desk *d, struct err *e)
{
    int rc = 0;

    for (size_t i = 0; rc >= 0 && i < d->change_count; i++) {
        if (strcmp(d->changes[i].type, "case") != 0)
            continue;
        rc = db_exec(d, e,
                     "INSERT OR REPLACE INTO case_version(case_id, at, state, kind, level, incident_type, object_id, confirmed_at, eliminated_at,"
                     " measures) SELECT k.id, k.updated_at, k.state, k.kind, k.level, k.annex2 ->> '$.incident_type', k.object_id, k.confirmed_at,"
                     " k.eliminated_at, k.annex2 IS NOT NULL FROM cases k WHERE k.id = ?1 AND NOT EXISTS (SELECT 1 FROM case_version v"
                     " WHERE v.case_id = k.id AND v.at = (SELECT max(x.at) FROM case_version x WHERE x.case_id = k.id) AND v.state = k.state"
                     " AND v.kind = k.kind AND v.level IS k.level AND v.incident_type IS (k.annex2 ->> '$.incident_type')"
                     " AND v.object_id IS k.object_id AND v.confirmed_at IS k.confirmed_at AND v.eliminated_at IS k.eliminated_at"
                     " AND v.measures = (k.annex2 IS NOT NULL))",
                     "i", parse_id(str_c(d->changes[i].id)));
    }
    return rc < 0 ? rc : 0;
}
