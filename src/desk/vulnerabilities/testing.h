/* testing.h - what the tests of the room share: surveys, results fed by hand, the whole room as text. Only tests include it.
 *
 * Owns      nothing.
 * Promises  room_dump holds no number that depends on the order of arrival: keys, names and moments alone.
 * Threads   one.
 * Units     time_ns. */
#ifndef SAQSHY_DESK_VULNERABILITIES_TESTING_H
#define SAQSHY_DESK_VULNERABILITIES_TESTING_H

#include "desk/registry/registry.h"
#include "desk/testing.h"
#include "desk/vulnerabilities/api.h"
#include "desk/vulnerabilities/room.h"
#include "desk/vulnerabilities/testing_rows.h"

#define OBJECT "state-register"

static inline struct call *call_open(struct world *w, struct call *c, const struct viewer *v, time_ns now, struct desk_reply *r)
{
    *r = (struct desk_reply){ 0 };
    desk_call_init(c, w->desk, v, now, r);
    must(db_begin(w->desk, c->e), c->e);
    return c;
}

static inline int call_end_rc(struct world *w, struct call *c, int rc)
{
    rc = db_end(w->desk, rc, c->e);
    desk_call_free(c);
    return rc;
}

static inline void call_ok(struct world *w, struct call *c, int rc)
{
    char text[ERR_TEXT_MAX];

    snprintf(text, sizeof text, "%s", c->e->text);
    if (call_end_rc(w, c, rc) < 0)
        fail_msg("%d: %s", rc, text);
}

static inline void survey_put(struct world *w, const struct vuln_survey *y, time_ns now)
{
    struct desk_reply r;
    struct call c;

    call_open(w, &c, NULL, now, &r);
    call_ok(w, &c, vulns_survey_put(&c, y));
}

static inline void settle(struct world *w, time_ns now)
{
    struct err e;

    must(vulns_settle(w->desk, 0, now, &e), &e);
}

/* One report, as a table of the test has it. */
struct report {
    const char                *name, *tool;
    const struct scan_finding *findings;
    size_t                     finding_count;
    const struct scan_cover   *covers;
    size_t                     cover_count;
    time_ns                    at;
};

static inline void report_feed(struct world *w, int64_t survey, const struct report *p, time_ns now)
{
    struct scan_report about = { .started_at = p->at, .ended_at = p->at };
    char hash[65];
    int64_t id = 0;
    struct desk_reply r;
    struct call c;

    secret_sha256_hex(str_c(p->name), hash);
    snprintf(about.tool, sizeof about.tool, "%s", p->tool);
    call_open(w, &c, NULL, now, &r);
    int rc = vulns_feed_begin(&c, survey, hash, str_c(p->name), str_c(p->tool), &id);
    for (size_t i = 0; rc == 0 && i < p->finding_count; i++) {
        struct scan_finding f = p->findings[i];

        f.port = f.port ? f.port : -1;
        f.cvss = f.cvss > 0 ? f.cvss : -1;
        f.epss = f.epss > 0 ? f.epss : -1;
        rc = vulns_feed_finding(&c, id, &f);
    }
    for (size_t i = 0; rc == 0 && i < p->cover_count; i++)
        rc = vulns_feed_cover(&c, id, &p->covers[i]);
    if (rc == 0)
        rc = vulns_feed_end(&c, id, &about);
    call_ok(w, &c, rc);
}

static inline void dump_rows(struct world *w, const char *sql, struct buf *out)
{
    sqlite3_stmt *st = db_query(w->desk, NULL, sql, "");

    assert_non_null(st);
    while (db_step(w->desk, st, NULL) > 0) {
        for (int i = 0; i < sqlite3_column_count(st); i++) {
            buf_str(out, db_str(st, i));
            buf_byte(out, '|');
        }
        buf_byte(out, '\n');
    }
}

/* room_dump - everything that people can see of the room, in an order of its own. */
static inline void room_dump(struct world *w, struct buf *out)
{
    for (size_t i = 0; i < COUNT(room_rows); i++)
        dump_rows(w, room_rows[i], out);
}

static inline void text_of(struct world *w, char *out, size_t n, const char *sql)
{
    sqlite3_stmt *st = db_query(w->desk, NULL, sql, "");

    out[0] = '\0';
    assert_non_null(st);
    if (db_step(w->desk, st, NULL) > 0) {
        snprintf(out, n, "%.*s", STR_ARG(db_str(st, 0)));
        db_done(st);
    }
}

static inline int64_t number_of(struct world *w, const char *sql)
{
    int64_t n = 0;

    assert_int_equal(db_int(w->desk, NULL, 0, &n, sql, ""), 0);
    return n;
}

#endif
