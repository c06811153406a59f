/* time.c - are the clocks of an object's hosts kept in time? By what their agents read from the kernel (agent/clock.c). A log whose moments are wrong proves
 * nothing, and Annex 4 asks for date and time in each line. What nobody reports is said to be so; nothing is guessed from when a line arrived. */
#include "desk/integrity/room.h"

static void count_host(struct call *c, sqlite3_stmt *st, struct fact_time *out)
{
    struct str value = db_str(st, 1), state = value_part(value, 0);
    time_ns since = sqlite3_column_int64(st, 2), at = sqlite3_column_int64(st, 3);
    bool kept = str_eq(state, STR("synchronised")), known = kept || str_eq(state, STR("unsynchronised"));

    out->hosts++;
    if (!value.n) {
        out->none++;
        return;
    }
    if (c->now - at > FACT_SILENT_NS) {
        out->silent++;
        return;
    }
    out->as_of = !out->as_of || at < out->as_of ? at : out->as_of;
    if (!known)
        out->unreadable++;
    else if (kept)
        out->synchronised++;
    else {
        out->unsynchronised++;
        if (!out->since || since < out->since) {
            out->since = since;
            out->worst = db_copy(st, 0, &c->a);
        }
    }
}

int integrity_time(struct call *c, struct str object, struct fact_time *out)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT oh.host, i.value, i.since_at, s.received_at FROM object_host oh LEFT JOIN fact_host h ON h.host = oh.host LEFT JOIN fact_item i"
                                " ON i.host_id = h.id AND i.kind = 'time' AND i.key = 'clock' LEFT JOIN fact_state s ON s.host_id = h.id AND s.kind = 'time' WHERE"
                                " oh.object_id = ? ORDER BY oh.position", "t", object);
    int rc = st ? 0 : -EIO;

    *out = (struct fact_time){ 0 };
    while (st && (rc = db_step(c->d, st, c->e)) > 0)
        count_host(c, st, out);
    return rc;
}

int fact_clock_json(struct call *c, const char *host, json_t **out)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT i.value, i.since_at FROM fact_host h JOIN fact_item i ON i.host_id = h.id AND i.kind = 'time' AND i.key = 'clock'"
                                            " WHERE h.host = ?", "z", host);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;
    int64_t offset, error;

    *out = json_null();
    if (rc <= 0)
        return rc;
    struct str value = db_str(st, 0);
    *out = json_pack("{s:o, s:o, s:o, s:o}", "state", json_str(value_part(value, 0)), "offset_ms", str_i64(value_part(value, 1), &offset) ? json_integer(offset) : json_null(),
                     "error_ms", str_i64(value_part(value, 2), &error) ? json_integer(error) : json_null(), "since_at", db_json_time(st, 1));
    db_done(st);
    return 0;
}

int fact_time_json(struct call *c, struct str object, json_t **out)
{
    struct fact_time t;
    int rc = integrity_time(c, object, &t);

    *out = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "hosts", (json_int_t)t.hosts, "synchronised", (json_int_t)t.synchronised, "unsynchronised",
                     (json_int_t)t.unsynchronised, "unreadable", (json_int_t)t.unreadable, "silent", (json_int_t)t.silent, "none", (json_int_t)t.none, "since_at",
                     json_time_or_null(t.since));
    return rc;
}
