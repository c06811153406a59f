/* one.c - one vulnerability with all that belongs to it: keys and why they are the same, sightings, life line over the surveys, acts, letters, clocks. */
#include "desk/vulnerabilities/api.h"
#include "desk/vulnerabilities/room.h"

#define SIGHTINGS_SHOWN 200

int vuln_wrong(struct call *c, const char *field, const char *why) { return refuse(c, -EINVAL, "bad_request", field, "%s: %s", field, why); }

/* An owner sees what results were sent of, and what they reported themselves (1.2): as they were told of it (owner.c). */
#define HEAD(table)                                                                                                                                   \
    "SELECT v.id, v.object_id, o.name, o.org_id, g.name, o.possessor_id, v.key, x.title, v.state, v.sent, v.own, v.live, o.is_ego, v.first_detected_at FROM " table    \
    " v JOIN object o ON o.id = v.object_id JOIN org g ON g.id = o.org_id LEFT JOIN vuln_text x ON x.id = v.text_id WHERE v.id = ?3 AND " SCOPE_OBJECT
static const char *const heads[SIDE_COUNT] = { HEAD("vuln"), HEAD("vuln_owner") };

int vuln_load_as(struct call *c, int64_t id, enum vuln_side side, struct vuln_head *out)
{
    struct scope s = scope_of(c->v);
    sqlite3_stmt *st = db_query(c->d, c->e, heads[side], "izi", s.bounded, s.org, id);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    *out = (struct vuln_head){ 0 };
    if (rc <= 0)
        return rc < 0 ? rc : refuse(c, -ENOENT, "not_found", NULL, "no such vulnerability");
    *out = (struct vuln_head){ .id = id, .object_id = db_copy(st, 1, &c->a), .object_name = db_copy(st, 2, &c->a), .org_id = db_copy(st, 3, &c->a),
                               .org_name = db_copy(st, 4, &c->a), .possessor_id = db_copy(st, 5, &c->a), .key = db_copy(st, 6, &c->a),
                               .title = db_copy(st, 7, &c->a), .state_name = db_copy(st, 8, &c->a), .sent = sqlite3_column_int(st, 9),
                               .own = sqlite3_column_int(st, 10), .live = sqlite3_column_int(st, 11), .is_ego = sqlite3_column_int(st, 12),
                               .first_detected_at = sqlite3_column_int64(st, 13) };
    out->state = vuln_state_parse(out->state_name);
    snprintf(out->id_text, sizeof out->id_text, "%lld", (long long)id);
    snprintf(out->number, sizeof out->number, "V-%06lld", (long long)id);
    db_done(st);
    return 0;
}

int vuln_load(struct call *c, int64_t id, struct vuln_head *out) { return vuln_load_as(c, id, side_of(c->v), out); }

struct subject vuln_subject(const struct vuln_head *h)
{
    return (struct subject){ .kind = "vulnerability", .id = str_c(h->id_text), .object_id = h->object_id, .org_id = h->org_id };
}

/* --- parts of the page --- */

static json_t *real_or_null(sqlite3_stmt *st, int column)
{
    return sqlite3_column_type(st, column) == SQLITE_NULL ? json_null() : json_real(sqlite3_column_double(st, column));
}

static json_t *port_or_null(sqlite3_stmt *st, int column)
{
    return sqlite3_column_int(st, column) < 0 ? json_null() : json_integer(sqlite3_column_int(st, column));
}

#define WHOLE(table, into)                                                                                                                            \
    "SELECT v.severity, v.cvss, v.vector, v.kev, v.epss, v.cves, v.host, v.port, v.protocol, v.component, v.path, v.contour, v.first_detected_at, v.last_seen_at, v.due_at," \
    " v.since, " into ", x.description, x.impact, x.solution, x.refs FROM " table " v LEFT JOIN vuln_text x ON x.id = v.text_id WHERE v.id = ?"
static const char *const wholes[SIDE_COUNT] = { WHOLE("vuln", "v.merged_into"), WHOLE("vuln_owner", "NULL") };

static int head_json(struct call *c, const struct vuln_head *h, json_t **out)
{
    sqlite3_stmt *st = db_query(c->d, c->e, wholes[side_of(c->v)], "i", h->id);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    if (rc <= 0)
        return rc < 0 ? rc : -EIO;
    *out = json_pack("{s:o, s:o, s:s, s:o, s:o, s:o, s:b, s:o, s:b, s:b, s:b, s:s, s:o, s:o, s:b, s:o, s:o}", "now", json_time(c->now), "id", json_id(h->id),
                     "number", h->number, "key", json_str(h->key), "title", json_str(h->title.n ? h->title : h->key), "state", json_str(h->state_name), "live", h->live,
                     "object", json_ref(h->object_id, h->object_name), "sent", h->sent, "own", h->own, "open", vuln_state_open(h->state), "severity",
                     severity_values[sqlite3_column_int(st, 0)], "cvss", real_or_null(st, 1), "cvss_vector", db_json(st, 2), "kev", sqlite3_column_int(st, 3), "epss",
                     real_or_null(st, 4), "cves", db_json(st, 5));
    json_t *more = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "host", db_json(st, 6), "port",
                             port_or_null(st, 7), "protocol", db_json(st, 8), "component", db_json(st, 9), "path", db_json(st, 10), "contour", db_json(st, 11),
                             "first_detected_at", db_json_time(st, 12), "last_seen_at", db_json_time(st, 13), "due_at", db_json_time(st, 14), "overdue",
                             sqlite3_column_type(st, 14) != SQLITE_NULL && sqlite3_column_int64(st, 14) < c->now && vuln_state_open(h->state), "since",
                             db_json_time(st, 15), "merged_into", db_json_id(st, 16), "org", json_ref(h->org_id, h->org_name), "description", db_json(st, 17), "impact",
                             db_json(st, 18), "solution", db_json(st, 19), "references", db_json(st, 20));
    json_object_update(*out, more);
    json_decref(more);
    db_done(st);
    return 0;
}

/* keys_json - the raw keys that lead here, and by which rules: "the same, because …". An owner sees those of what they were told. */
static int keys_json(struct call *c, const struct vuln_head *h, json_t **out)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT k.id, k.text, k.weakness, k.host, (SELECT count(*) FROM vuln_sighting s JOIN vuln_result r ON r.id = s.result_id"
                                " JOIN vuln_survey y ON y.id = r.survey_id WHERE s.key_id = k.id AND (?2 = 0 OR y.sent_at IS NOT NULL)) FROM vuln_key k WHERE"
                                " k.vuln_id = ?1 AND (?2 = 0 OR " OWNER_KEY("k") ") ORDER BY k.text LIMIT 100",
                                "ii", h->id, scope_of(c->v).bounded);
    int rc = st ? 0 : -EIO;

    *out = json_array();
    while (st && (rc = db_step(c->d, st, c->e)) > 0)
        json_array_append_new(*out, json_pack("{s:o, s:o, s:o, s:o, s:b, s:I}", "id", db_json_id(st, 0), "text", db_json(st, 1), "weakness", db_json(st, 2), "host",
                                              db_json(st, 3), "same", str_eq(db_str(st, 1), h->key), "sightings", (json_int_t)sqlite3_column_int64(st, 4)));
    return rc;
}

/* rules_json - an owner sees them where no survey that waits for its letter has a part in it: a rule names both keys. */
static int rules_json(struct call *c, const struct vuln_head *h, json_t **out)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT r.id, r.kind, r.was, r.becomes, r.reason, r.at, u.name, r.ended_at, r.end_reason FROM vuln_rule r LEFT JOIN user u ON u.id ="
                                " r.by_id WHERE ((r.object_id = ?1 AND ((r.kind = 'merge' AND (r.becomes = ?2 OR r.was = ?2)) OR (r.kind = 'split' AND"
                                " (r.becomes = ?2 OR substr(r.was, 1, length(?2)) = ?2)) OR (r.kind = 'host' AND (r.becomes || ' | ' = substr(?2, 1, length(r.becomes) + 3)"
                                " OR r.becomes || ':' = substr(?2, 1, length(r.becomes) + 1))))) OR (r.kind = 'check' AND r.was IN (SELECT weakness FROM vuln_key WHERE"
                                " vuln_id = ?3 AND cve IS NULL))) AND (?4 = 0 OR NOT EXISTS (SELECT 1 FROM vuln_survey y WHERE y.object_id = ?1 AND y.cancelled = 0 AND"
                                " y.sent_at IS NULL AND y.begun_at IS NOT NULL)) ORDER BY r.id LIMIT 100",
                                "ttii", h->object_id, h->key, h->id, scope_of(c->v).bounded);
    int rc = st ? 0 : -EIO;

    *out = json_array();
    while (st && (rc = db_step(c->d, st, c->e)) > 0)
        json_array_append_new(*out, json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "id", db_json_id(st, 0), "kind", db_json(st, 1), "was", db_json(st, 2),
                                              "becomes", db_json(st, 3), "reason", db_json(st, 4), "at", db_json_time(st, 5), "by", db_json(st, 6), "ended_at",
                                              db_json_time(st, 7), "end_reason", db_json(st, 8)));
    return rc;
}

static json_t *sighting_json(sqlite3_stmt *st)
{
    static const char *const status[] = { "open", "false_positive", "accepted", "fixed", "not_affected" };
    int at = sqlite3_column_int(st, 12);

    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:s, s:o, s:o, s:o, s:s, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "id", db_json_id(st, 0), "survey",
                     json_ref(db_str(st, 1), db_str(st, 2)), "result", json_ref(db_str(st, 3), db_str(st, 4)), "tool", db_json(st, 5), "check", db_json(st, 6), "title",
                     db_json(st, 7), "key", db_json(st, 8), "seen_at", db_json_time(st, 9), "severity", severity_values[sqlite3_column_int(st, 10)], "severity_text",
                     db_json(st, 11), "cvss", real_or_null(st, 13), "cvss_vector", db_json(st, 14), "status", status[at >= 0 && at < 5 ? at : 0], "occurrences",
                     (json_int_t)sqlite3_column_int64(st, 15), "host_name", db_json(st, 16), "version", db_json(st, 17), "fixed_version", db_json(st, 18), "cwe",
                     db_json(st, 19), "evidence", db_json(st, 20), "check_id", db_json_id(st, 21), "key_id", db_json_id(st, 22));
}

/* A bounded viewer is shown what was seen in surveys whose results were sent. */
static int sightings_json(struct call *c, const struct vuln_head *h, json_t **out)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT s.id, CAST(y.id AS TEXT), y.number, CAST(r.id AS TEXT), r.name, x.tool, x.name, t.title, k.text, coalesce(nullif(s.seen_at, 0),"
                                " r.started_at, r.ended_at), s.severity, s.severity_text, s.status, s.cvss, s.vector, s.occurrences, s.name, s.version,"
                                " s.fixed_version, s.cwe, s.evidence, x.id, k.id FROM vuln_key k JOIN vuln_sighting s ON s.key_id = k.id JOIN vuln_result r ON r.id ="
                                " s.result_id JOIN vuln_survey y ON y.id = r.survey_id JOIN vuln_check x ON x.id = s.check_id JOIN vuln_text t ON t.id = s.text_id"
                                " WHERE k.vuln_id = ?1 AND s.outside = 0 AND r.state IN ('applying','applied') AND (?2 = 0 OR y.sent_at IS NOT NULL)"
                                " ORDER BY y.id DESC, x.tool, x.name LIMIT 200",
                                "ii", h->id, scope_of(c->v).bounded);
    int rc = st ? 0 : -EIO;

    *out = json_array();
    while (st && (rc = db_step(c->d, st, c->e)) > 0)
        json_array_append_new(*out, sighting_json(st));
    return rc;
}

/* line_json - the life over surveys: each survey of the object since it was first seen, and what it says of it. */
#define LINE(verdicts)                                                                                                                                \
    "SELECT y.id, y.number, y.mode, y.control, y.begun_at, y.completed_at, y.sent_at, y.measures_at, d.verdict, d.reason, d.proof, EXISTS (SELECT 1 FROM vuln_key k JOIN"  \
    " vuln_sighting s ON s.key_id = k.id JOIN vuln_result r ON r.id = s.result_id WHERE k.vuln_id = ?2 AND r.survey_id = y.id AND s.outside = 0 AND r.state IN"          \
    " ('applying','applied')) FROM vuln_survey y LEFT JOIN " verdicts " d ON d.survey_id = y.id AND d.vuln_id = ?2 WHERE y.object_id = ?1 AND y.cancelled = 0 AND (?3 = 0" \
    " OR y.sent_at IS NOT NULL) ORDER BY coalesce(y.completed_at, y.begun_at, 9e18), y.id LIMIT 200"
static const char *const lines[SIDE_COUNT] = { LINE("vuln_verdict"), LINE("vuln_owner_verdict") };

static int line_json(struct call *c, const struct vuln_head *h, json_t **out)
{
    sqlite3_stmt *st = db_query(c->d, c->e, lines[side_of(c->v)], "tii", h->object_id, h->id, scope_of(c->v).bounded);
    int rc = st ? 0 : -EIO;

    *out = json_array();
    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        bool seen = sqlite3_column_int(st, 11);

        if (!seen && sqlite3_column_type(st, 8) == SQLITE_NULL)
            continue;
        json_array_append_new(*out, json_pack("{s:o, s:o, s:o, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b}", "survey", db_json_id(st, 0), "number", db_json(st, 1),
                                              "mode", db_json(st, 2), "control", sqlite3_column_int(st, 3), "begun_at", db_json_time(st, 4), "completed_at",
                                              db_json_time(st, 5), "sent_at", db_json_time(st, 6), "measures_at", db_json_time(st, 7), "verdict", db_json(st, 8), "reason",
                                              db_json(st, 9), "proof_id", db_json_id(st, 10), "seen", seen));
    }
    for (size_t i = 0; rc == 0 && i < json_array_size(*out); i++) {
        json_t *one = json_array_get(*out, i), *proof = NULL;
        int64_t row = parse_id(json_get_str(one, "proof_id"));

        rc = row ? cover_json(c, row, &proof) : 0;
        json_object_set_new(one, "proof", proof ? proof : json_null());
        json_object_del(one, "proof_id");
    }
    return rc;
}

static int acts_json(struct call *c, const struct vuln_head *h, json_t **out)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT a.id, a.kind, a.at, a.recorded_at, a.category, a.until, a.notice_id, a.request_id, u.name, u.role, a.json, a.survey_id, a.vuln_id"
                                " FROM vuln_act a LEFT JOIN user u ON u.id = a.by_id WHERE a.vuln_id = ?1 OR a.vuln_id IN (SELECT id FROM vuln WHERE merged_into = ?1)"
                                " ORDER BY a.at, a.id LIMIT 256",
                                "i", h->id);
    int rc = st ? 0 : -EIO;

    *out = json_array();
    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        struct str text = db_str(st, 10);
        json_t *values = json_loadb(text.p, text.n, 0, NULL);

        json_array_append_new(*out, json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "id", db_json_id(st, 0), "kind", db_json(st, 1), "at",
                                              db_json_time(st, 2), "recorded_at", db_json_time(st, 3), "category", db_json(st, 4), "until", db_json_time(st, 5), "notice",
                                              db_json_id(st, 6), "request", db_json_id(st, 7), "by", db_json(st, 8), "survey", db_json_id(st, 11), "values",
                                              values ? values : json_object()));
    }
    return rc;
}

/* intel_json - what is known of each CVE, from which loaded list: its version and day stand on the page. */
static int intel_json(struct call *c, const struct vuln_head *h, json_t **out)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT DISTINCT k.cve, v.added_on, v.due_on, v.ransomware, p.epss, p.percentile, lk.version, lk.released, lp.version, lp.released FROM"
                                " vuln_key k LEFT JOIN intel_load lk ON lk.id = (SELECT max(id) FROM intel_load WHERE kind = 'kev' AND state IN ('counting','applied'))"
                                " LEFT JOIN intel_kev v ON v.load_id = lk.id AND v.cve = k.cve LEFT JOIN intel_load lp ON lp.id = (SELECT max(id) FROM intel_load WHERE"
                                " kind = 'epss' AND state IN ('counting','applied')) LEFT JOIN intel_epss p ON p.load_id = lp.id AND p.cve = k.cve WHERE k.vuln_id = ?1"
                                " AND k.cve IS NOT NULL AND (?2 = 0 OR " OWNER_KEY("k") ") ORDER BY k.cve LIMIT 64",
                                "ii", h->id, scope_of(c->v).bounded);
    int rc = st ? 0 : -EIO;

    *out = json_array();
    while (st && (rc = db_step(c->d, st, c->e)) > 0)
        json_array_append_new(*out, json_pack("{s:o, s:b, s:o, s:o, s:b, s:o, s:o, s:o, s:o, s:o, s:o}", "cve", db_json(st, 0), "kev",
                                              sqlite3_column_type(st, 1) != SQLITE_NULL, "kev_added_on", db_json(st, 1), "kev_due_on", db_json(st, 2), "ransomware",
                                              sqlite3_column_int(st, 3), "epss", real_or_null(st, 4), "percentile", real_or_null(st, 5), "kev_version", db_json(st, 6),
                                              "kev_released", db_json(st, 7), "epss_version", db_json(st, 8), "epss_released", db_json(st, 9)));
    return rc;
}

/* letters_json - notices about it, and those of its acts that went out with others. */
static int letters_json(struct call *c, const struct vuln_head *h, json_t **out)
{
    struct subject s = vuln_subject(h);

    return notices_of(c, &s, out);
}

static int terms_json(struct call *c, const struct vuln_head *h, json_t **out)
{
    struct subject s = vuln_subject(h);

    return duties_json(c, &s, out);
}

static int one_json(struct call *c, const struct vuln_head *h, json_t **out)
{
    static const struct { const char *name; int (*part)(struct call *c, const struct vuln_head *h, json_t **out); } parts[] = {
        { "keys", keys_json }, { "rules", rules_json }, { "sightings", sightings_json }, { "surveys", line_json }, { "acts", acts_json }, { "intel", intel_json },
        { "notices", letters_json }, { "clocks", terms_json },
    };
    int rc = head_json(c, h, out);

    for (size_t i = 0; rc == 0 && i < COUNT(parts); i++) {
        json_t *part = NULL;

        rc = parts[i].part(c, h, &part);
        json_object_set_new(*out, parts[i].name, part ? part : json_array());
    }
    if (rc == 0)
        json_object_set_new(*out, "actions", vuln_actions_json(c, h));
    return rc;
}

/* follow - the number that a letter named to the owner leads to the one that it became. */
static int follow(struct call *c, int64_t *id)
{
    int64_t into = 0;
    int rc = side_of(c->v) == SIDE_CENTRE ? 0
             : db_int(c->d, c->e, 0, &into, "SELECT v.merged_into FROM vuln v WHERE v.id = ?1 AND v.merged_into IS NOT NULL AND NOT EXISTS (SELECT 1 FROM vuln_owner w WHERE"
                                            " w.id = ?1) AND (EXISTS (SELECT 1 FROM vuln_act a WHERE a.vuln_id = ?1) OR EXISTS (SELECT 1 FROM vuln_version x WHERE x.vuln_id = ?1"
                                            " AND x.state = 'sent_to_owner'))", "i", *id);

    *id = into ? into : *id;
    return rc;
}

int desk_vuln(struct desk *d, const struct viewer *v, struct str id, time_ns now, struct desk_reply *r)
{
    int64_t asked = parse_id(id);
    struct vuln_head h;
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = follow(&c, &asked);
    if (rc == 0)
        rc = vuln_load(&c, asked, &h);
    if (rc == 0)
        rc = one_json(&c, &h, &r->json);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}
