/* result.c - the files of a survey: added, withdrawn, listed; and results that come from no file. */
#include "desk/blob.h"
#include "desk/vulnerabilities/room.h"
#include "scan/scan.h"

#include <sys/statvfs.h>

int64_t space_left(const struct call *c)
{
    struct statvfs s;
    char path[4096];

    if (statvfs(node_path(c->d->setup.node, "desk", path), &s) < 0)
        return INT64_MAX;
    return (int64_t)((uint64_t)s.f_bavail * s.f_frsize / MIB);
}

static int survey_object(struct call *c, int64_t survey, struct str *object)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT object_id FROM vuln_survey WHERE id = ?", "i", survey);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    if (rc <= 0)
        return rc < 0 ? rc : refuse(c, -ENOENT, "not_found", NULL, "no such survey");
    *object = db_copy(st, 0, &c->a);
    db_done(st);
    return 0;
}

/* same_file - the row of these bytes in this survey; *state in the arena. */
static int same_file(struct call *c, int64_t survey, const char *sha256, int64_t *id, struct str *state)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT id, state FROM vuln_result WHERE survey_id = ? AND sha256 = ?", "iz", survey, sha256);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    *id = 0;
    if (rc <= 0)
        return rc;
    *id = sqlite3_column_int64(st, 0);
    *state = db_copy(st, 1, &c->a);
    db_done(st);
    return 0;
}

static int insert(struct call *c, int64_t survey, const char *sha256, struct str name, struct str format, const json_t *mapping, const char *state, int64_t *id)
{
    AUTO_FREE char *map = mapping ? json_dumps(mapping, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    int64_t count = 0;
    int rc = db_int(c->d, c->e, 0, &count, "SELECT count(*) FROM vuln_result WHERE survey_id = ?", "i", survey);

    if (rc == 0 && count >= VULN_RESULTS_MAX)
        return refuse(c, -EINVAL, "bad_request", "files", "more than %d files of one survey", VULN_RESULTS_MAX);
    if (map && strlen(map) > VULN_MAPPING_MAX)
        return vuln_wrong(c, "mapping", "it is too long");
    if (rc == 0)
        rc = db_int(c->d, c->e, 0, id, "INSERT INTO vuln_result(survey_id, sha256, name, format, mapping, state, added_at, added_by) VALUES (?,?,?,?,?,?,?,?)"
                                       " RETURNING id", "izttzzim", survey, sha256, str_of(name.p ? name.p : "", min_size(name.n, 255)), format.n ? format : STR("auto"),
                    map, state, c->now, (time_ns)(c->v ? c->v->user_id : 0));
    return rc;
}

static int again(struct call *c, int64_t id, struct str format, const json_t *mapping)
{
    AUTO_FREE char *map = mapping ? json_dumps(mapping, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    int rc = db_exec(c->d, c->e, "UPDATE vuln_result SET state = 'waiting', format = ?2, mapping = ?3, error = '', line = 0, reason = '' WHERE id = ?1", "itz", id,
                     format.n ? format : STR("auto"), map);

    return rc < 0 ? rc : 1;
}

int vulns_result_add(struct call *c, int64_t survey, const char *sha256, struct str name, struct str format, const json_t *mapping, int64_t *id)
{
    struct str object, state = STR("");
    int rc = survey_object(c, survey, &object);

    if (rc == 0)
        rc = same_file(c, survey, sha256, id, &state);
    if (rc < 0)
        return rc;
    if (*id && (str_eq(state, STR("refused")) || str_eq(state, STR("withdrawn"))))
        return again(c, *id, format, mapping);
    if (*id)
        return 1;
    rc = insert(c, survey, sha256, name, format, mapping, "waiting", id);
    return rc < 0 ? rc : audit_add(c, "vulnerability.result_add", arena_printf(&c->a, "survey/%lld", (long long)survey).p,
                                   arena_printf(&c->a, "%.*s, SHA-256 %s", STR_ARG(name), sha256), "ok");
}

int vulns_result_withdraw(struct call *c, int64_t result, struct str reason)
{
    int64_t survey = 0;
    int rc = db_int(c->d, c->e, 0, &survey, "SELECT survey_id FROM vuln_result WHERE id = ?", "i", result);

    if (rc == 0 && !survey)
        return refuse(c, -ENOENT, "not_found", NULL, "no such file of results");
    if (rc == 0 && !str_trim(reason).n)
        return vuln_wrong(c, "reason", "why the file does not count must be said");
    if (rc == 0)
        rc = db_exec(c->d, c->e, "UPDATE vuln_result SET state = 'withdrawing', reason = ?2 WHERE id = ?1 AND state IN ('applied','refused')", "it", result, reason);
    if (rc == 0)
        return refuse(c, -EPROTO, "wrong_state", NULL, "the file is being read, or was withdrawn");
    return rc < 0 ? rc : audit_add(c, "vulnerability.result_withdraw", arena_printf(&c->a, "survey/%lld", (long long)survey).p, reason, "ok");
}

/* held_json - why a file does not go on: told from the disk itself, where nothing can be written down. */
static json_t *held_json(struct call *c, struct str state, struct str name, int64_t left)
{
    static const char *const going[] = { "waiting", "reading", "applying", "withdrawing" };
    const char *file = arena_printf(&c->a, "%.*s", STR_ARG(name)).p;
    char free_text[24], need_text[24];

    snprintf(free_text, sizeof free_text, "%lld", (long long)left);
    snprintf(need_text, sizeof need_text, "%d", VULN_FREE_MIN_MIB);
    for (size_t i = 0; left < VULN_FREE_MIN_MIB && i < COUNT(going); i++)
        if (str_eq(state, str_c(going[i])))
            return json_str(catalog_format(c->d->setup.catalog, c->v ? c->v->lang : LANG_EN, &c->a, "survey.result.no_space", "free", free_text, "name",
                                           file ? file : "", "need", need_text, NULL));
    return NULL;
}

int vulns_results_json(struct call *c, int64_t survey, json_t **out)
{
    int64_t left = space_left(c);
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT r.id, r.name, r.sha256, r.format, r.tool, r.version, r.state, r.error, r.line, r.done, r.total, r.findings, r.outside,"
                                " r.covers, r.started_at, r.ended_at, r.added_at, u.name, r.applied_at, r.reason FROM vuln_result r LEFT JOIN user u ON u.id ="
                                " r.added_by WHERE r.survey_id = ? ORDER BY r.id DESC LIMIT 1000",
                                "i", survey);
    int rc = st ? 0 : -EIO;

    *out = json_array();
    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        json_t *held = held_json(c, db_str(st, 6), db_str(st, 1), left);

        json_array_append_new(*out, json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o}", "id",
                                              db_json_id(st, 0), "name", db_json(st, 1), "sha256", db_json(st, 2), "format", db_json(st, 3), "tool", db_json(st, 4),
                                              "version", db_json(st, 5), "state", db_json(st, 6), "error", held ? held
                                              : json_str(scan_fault_words(c->d->setup.catalog, c->v ? c->v->lang : LANG_EN, &c->a, db_copy(st, 7, &c->a))), "line",
                                              (json_int_t)sqlite3_column_int64(st, 8), "done", (json_int_t)sqlite3_column_int64(st, 9), "total",
                                              (json_int_t)sqlite3_column_int64(st, 10), "findings", (json_int_t)sqlite3_column_int64(st, 11), "outside",
                                              (json_int_t)sqlite3_column_int64(st, 12), "covers", (json_int_t)sqlite3_column_int64(st, 13), "started_at",
                                              db_json_time(st, 14), "ended_at", db_json_time(st, 15), "added_at", db_json_time(st, 16), "added_by", db_json(st, 17),
                                              "applied_at", db_json_time(st, 18), "reason", db_json(st, 19)));
    }
    return rc;
}

/* --- what comes from no file --- */

int vulns_feed_begin(struct call *c, int64_t survey, const char *sha256, struct str name, struct str tool, int64_t *result)
{
    struct str object, state = STR("");
    int rc = survey_object(c, survey, &object);

    if (rc == 0)
        rc = same_file(c, survey, sha256, result, &state);
    if (rc < 0 || (*result && !str_eq(state, STR("withdrawn"))))
        return rc < 0 ? rc : 1;
    if (*result)
        rc = db_exec(c->d, c->e, "UPDATE vuln_result SET state = 'feeding', reason = '' WHERE id = ?", "i", *result);
    else
        rc = insert(c, survey, sha256, name, tool, NULL, "feeding", result);
    if (rc < 0)
        return rc;
    vuln_feed_free(&c->d->vuln_feed);
    return vuln_feed_open(c, *result, &c->d->vuln_feed);
}

/* feed_of - what this call feeds; one that another call left behind is not it. */
static struct vuln_feed *feed_of(struct call *c, int64_t result)
{
    if (c->d->vuln_feed && vuln_feed_result(c->d->vuln_feed) == result) {
        vuln_feed_call(c->d->vuln_feed, c);
        return c->d->vuln_feed;
    }
    return NULL;
}

int vulns_feed_finding(struct call *c, int64_t result, const struct scan_finding *f)
{
    struct vuln_feed *feed = feed_of(c, result);

    return feed ? vuln_feed_put(feed, f) : err_set(c->e, -EINVAL, "nothing is being fed");
}

int vulns_feed_cover(struct call *c, int64_t result, const struct scan_cover *w)
{
    struct vuln_feed *feed = feed_of(c, result);

    return feed ? vuln_feed_cover(feed, w) : err_set(c->e, -EINVAL, "nothing is being fed");
}

int vulns_feed_end(struct call *c, int64_t result, const struct scan_report *report)
{
    struct vuln_feed *feed = feed_of(c, result);
    int rc = feed ? vuln_feed_close(feed, report) : err_set(c->e, -EINVAL, "nothing is being fed");

    vuln_feed_free(&c->d->vuln_feed);
    if (rc == 0)
        rc = db_exec(c->d, c->e, "UPDATE vuln_result SET state = 'applying', cursor = 0 WHERE id = ?", "i", result);
    return rc < 0 ? rc : 0;
}
