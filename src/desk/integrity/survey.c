/* survey.c - facts of hosts as results of a survey of updates and configurations (10(2)): at a press, as they are known at that moment.
 *
 * Each host gives a file in the format "saqshy-facts", kept by its SHA-256 like one that a person brought. Facts that say the same as those the survey has
 * already bring nothing: when they came, and in whose language titles stand, is left out of that comparison. */
#include "desk/integrity/room.h"
#include "desk/blob.h"
#include "desk/surveys/surveys.h"

#define HOSTS_MAX      SURVEY_RESULTS_MAX
#define FACT_FILE_MAX  (32u * MIB)

struct taking {
    int64_t     survey, host_id;
    struct str  object, host;
    time_ns     at;            /* when the newest of it came; 0: nothing is known */
    bool        stale, silent;
    const char *outcome;       /* a literal */
    char        sha256[65];
    int64_t     result;
};

/* content_of - the hash of what the facts say. */
static int content_of(struct call *c, const json_t *file, char out[65])
{
    json_t *copy = json_deep_copy(file), *one;
    AUTO_FREE char *text = NULL;
    size_t i;

    json_object_del(copy, "taken_at");
    json_array_foreach(json_object_get(copy, "settings"), i, one)
        json_object_del(one, "title");
    text = json_dumps(copy, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(copy);
    if (!text)
        return err_set(c->e, -ENOMEM, "no memory for the facts of a host");
    secret_sha256_hex(str_c(text), out);
    return 0;
}

/* there_already - these facts are a result of the survey: "same", or "removed" if somebody took the file away. */
static int there_already(struct call *c, struct taking *t, const char *content)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT f.result_id, f.sha256, r.removed_at IS NOT NULL FROM fact_taken f JOIN survey_result r ON r.survey_id = f.survey_id AND"
                                " r.sha256 = f.sha256 WHERE f.survey_id = ? AND f.host_id = ? AND f.content = ?", "iiz", t->survey, t->host_id, content);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    if (rc <= 0)
        return rc;
    t->result = sqlite3_column_int64(st, 0);
    snprintf(t->sha256, sizeof t->sha256, "%.*s", STR_ARG(db_str(st, 1)));
    t->outcome = sqlite3_column_int(st, 2) ? "removed" : "same";
    db_done(st);
    return 1;
}

static int bring(struct call *c, struct taking *t, const json_t *file, const char *content)
{
    AUTO_FREE char *text = json_dumps(file, JSON_INDENT(1) | JSON_SORT_KEYS);
    struct blob b = { 0 };
    int rc = text && strlen(text) <= FACT_FILE_MAX ? blob_put(c, str_c(text), &b) : err_set(c->e, -E2BIG, "the facts of a host are too large for a file");

    if (rc < 0)
        return rc;
    snprintf(b.name, sizeof b.name, "facts-%.*s.json", (int)min_size(t->host.n, 200), t->host.p);
    rc = survey_result_bring(c, t->survey, &b, STR("auto"), &t->result);
    if (rc == 0)
        rc = db_exec(c->d, c->e, "INSERT OR REPLACE INTO fact_taken(survey_id, host_id, content, result_id, sha256, at, user_id) VALUES (?,?,?,?,?,?,?)", "iizizii",
                     t->survey, t->host_id, content, t->result, b.sha256, c->now, c->v->user_id);
    memcpy(t->sha256, b.sha256, sizeof t->sha256);
    t->outcome = "taken";
    return rc < 0 ? rc : 0;
}

/* take_one - what is not whole is not taken, nor what a host said that has been silent since: a check that seems to have passed would be a lie. */
static int take_one(struct call *c, struct taking *t)
{
    json_t *file = NULL;
    char content[65];
    int rc = 0;

    t->outcome = !t->at ? "none" : t->silent ? "silent" : "incomplete";
    if (!t->at || t->silent || t->stale)
        return 0;
    rc = facts_json_of(c, t->object, t->host_id, t->host, t->at, &file);
    if (rc == 0)
        rc = content_of(c, file, content);
    if (rc == 0)
        rc = there_already(c, t, content);
    if (rc == 0)
        rc = bring(c, t, file, content);
    json_decref(file);
    return rc < 0 ? rc : 0;
}

/* wanted - is this host among those of the body? */
static bool wanted(const json_t *hosts, struct str host)
{
    const json_t *one;
    size_t i;

    json_array_foreach((json_t *)(uintptr_t)hosts, i, one)
        if (str_ieq(str_c(json_string_value(one)), host))
            return true;
    return !hosts;
}

static int hosts_load(struct call *c, int64_t survey, struct str object, const json_t *hosts, struct taking *all, size_t *count)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT h.id, oh.host, (SELECT max(s.received_at) FROM fact_state s WHERE s.host_id = h.id AND s.kind IN ('packages','settings')),"
                                " (SELECT max(s.stale) FROM fact_state s WHERE s.host_id = h.id AND s.kind IN ('packages','settings')), (SELECT min(s.received_at)"
                                " FROM fact_state s WHERE s.host_id = h.id AND s.kind IN ('packages','settings')) FROM object_host oh LEFT JOIN"
                                " fact_host h ON h.host = oh.host WHERE oh.object_id = ? ORDER BY oh.position", "t", object);
    int rc = st ? 0 : -EIO;

    *count = 0;
    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        if (!wanted(hosts, db_str(st, 1)))
            continue;
        if (*count == HOSTS_MAX) {
            db_done(st);
            return refuse(c, -EINVAL, "bad_request", "hosts", "a survey has at most %d files: choose hosts", HOSTS_MAX);
        }
        all[(*count)++] = (struct taking){ .survey = survey, .object = object, .host_id = sqlite3_column_int64(st, 0), .host = db_copy(st, 1, &c->a),
                                           .at = sqlite3_column_int64(st, 2), .stale = sqlite3_column_int(st, 3) != 0,
                                           .silent = c->now - sqlite3_column_int64(st, 4) > FACT_SILENT_NS };
    }
    if (rc == 0 && hosts && *count < json_array_size(hosts))
        return refuse(c, -EINVAL, "bad_request", "hosts", "not all of these are hosts of the object");
    return rc;
}

static int take(struct call *c, int64_t survey, const json_t *body)
{
    static const struct body_field fields[] = { { "hosts", BODY_STRINGS, false, true, 1, HOSTS_MAX, NULL } };
    struct taking *all = arena_zero(&c->a, HOSTS_MAX * sizeof *all);
    const json_t *hosts = json_object_get(body, "hosts");
    json_t *items = json_array();
    struct str object = { NULL, 0 };
    size_t count = 0;
    int rc = body_check(body, fields, COUNT(fields), c->r->field, c->e);

    if (rc == 0)
        rc = survey_takes(c, survey, "update_config", &object);
    if (rc == 0)
        rc = hosts_load(c, survey, object, json_is_array(hosts) ? hosts : NULL, all, &count);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        rc = take_one(c, &all[i]);
        json_array_append_new(items, json_pack("{s:o, s:s, s:o, s:o}", "host", json_str(all[i].host), "outcome", all[i].outcome, "result",
                                               all[i].result ? json_id(all[i].result) : json_null(), "sha256", *all[i].sha256 ? json_string(all[i].sha256) : json_null()));
    }
    if (rc == 0)
        rc = audit_add(c, "survey.facts", arena_printf(&c->a, "survey/%lld", (long long)survey).p, arena_printf(&c->a, "%zu hosts", count), "ok");
    if (rc == 0)
        c->r->json = json_pack("{s:O, s:n}", "items", items, "next");
    json_decref(items);
    return rc;
}

int desk_survey_facts(struct desk *d, const struct viewer *v, struct str survey, const json_t *body, time_ns now, struct desk_reply *r)
{
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = db_begin(d, c.e);
    if (rc == 0)
        rc = db_end(d, take(&c, parse_id(survey), body), c.e);
    if (rc == -EACCES)
        audit_refusal(&c, "survey.facts", "survey");
    if (rc < 0) {
        json_decref(r->json);
        r->json = NULL;
    }
    desk_call_free(&c);
    return refuse_rc(r, rc);
}
