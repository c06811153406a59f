/* facts.c - what became of the findings of each rule: cases, open ones, such as were no incident after all. */
#include "desk/detection/detection.h"
#include "desk/internal.h"

bool desk_detection_seen_by(const struct viewer *v)
{
    return v->role == DESK_ADMINISTRATOR || v->role == DESK_AUDITOR || role_of_centre(v->role);
}

int desk_rule_facts(struct desk *d, const struct viewer *v, json_t **out, struct err *e)
{
    sqlite3_stmt *st;
    int rc = 0;

    if (!desk_detection_seen_by(v))
        return err_set(e, -EACCES, "rules are not shown to owners");
    st = db_query(d, e,
                  "SELECT rule_id, sum(count), count(*), sum(closed_at IS NULL AND merged_into IS NULL), sum(state IN ('dismissed_by_sts','rejected')),"
                  " sum(confirmed_at IS NOT NULL OR declared_at IS NOT NULL) FROM cases GROUP BY rule_id",
                  "");
    if (!st)
        return -EIO;
    *out = json_object();
    while ((rc = db_step(d, st, e)) > 0) {
        AUTO_BUF struct buf id;

        buf_init(&id, 1024);
        buf_str(&id, db_str(st, 0));
        buf_byte(&id, 0);
        if (!buf_failed(&id))
            json_object_set_new(*out, id.p, json_pack("{s:I,s:I,s:I,s:I,s:I}", "findings", (json_int_t)sqlite3_column_int64(st, 1), "cases", (json_int_t)sqlite3_column_int64(st, 2), "open",
                                                      (json_int_t)sqlite3_column_int64(st, 3), "dismissed", (json_int_t)sqlite3_column_int64(st, 4), "confirmed", (json_int_t)sqlite3_column_int64(st, 5)));
    }
    if (rc < 0) {
        json_decref(*out);
        *out = NULL;
    }
    return rc;
}
