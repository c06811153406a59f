/* compare.c - a survey in rows: the comparison of a control survey, counts, rows for letters, what lies outside the scope, where the tools looked. Each
 * statement stands for both sides (room.h): letters and owners have that of the owner. */
#include "desk/vulnerabilities/api.h"
#include "desk/vulnerabilities/room.h"

struct known {
    int64_t    id, main_id;
    struct str object, number, mode;
    bool       control, sent;
};

/* survey_seen - a survey of which the viewer may know: an owner from the sending of its results on. */
static int survey_seen(struct call *c, int64_t survey, struct known *out)
{
    struct scope s = scope_of(c->v);
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT y.id, y.main_id, y.object_id, y.number, y.mode, y.control, y.sent_at IS NOT NULL FROM vuln_survey y JOIN object o ON o.id ="
                                " y.object_id WHERE y.id = ?3 AND (?1 = 0 OR (y.sent_at IS NOT NULL AND " SCOPE_OBJECT "))",
                                "izi", s.bounded, s.org, survey);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    if (rc <= 0)
        return rc < 0 ? rc : refuse(c, -ENOENT, "not_found", NULL, "no such survey");
    *out = (struct known){ sqlite3_column_int64(st, 0), sqlite3_column_int64(st, 1), db_copy(st, 2, &c->a), db_copy(st, 3, &c->a), db_copy(st, 4, &c->a),
                           sqlite3_column_int(st, 5), sqlite3_column_int(st, 6) };
    db_done(st);
    return 0;
}

static const char *const verdict_values[] = { "fixed", "not_fixed", "new", "reopened", "not_covered", "claimed", NULL };

#define VERDICTS(table, verdicts)                                                                                                                     \
    "SELECT d.verdict, count(*) FROM " verdicts " d JOIN " table " v ON v.id = d.vuln_id WHERE d.survey_id = ? AND v.live = 1 AND (v.severity > 0 OR v.kev = 1)"  \
    " GROUP BY d.verdict"
static const char *const verdicts[SIDE_COUNT] = { VERDICTS("vuln", "vuln_verdict"), VERDICTS("vuln_owner", "vuln_owner_verdict") };

/* counts_json - what informs alone is counted with nothing. */
static int counts_json(struct call *c, int64_t survey, json_t **out)
{
    sqlite3_stmt *st = db_query(c->d, c->e, verdicts[side_of(c->v)], "i", survey);
    int rc = st ? 0 : -EIO;

    *out = json_object();
    for (size_t i = 0; verdict_values[i]; i++)
        json_object_set_new(*out, verdict_values[i], json_integer(0));
    while (st && (rc = db_step(c->d, st, c->e)) > 0)
        json_object_set_new(*out, arena_printf(&c->a, "%.*s", STR_ARG(db_str(st, 0))).p, json_integer(sqlite3_column_int64(st, 1)));
    return rc;
}

#define COMPARED(table, verdicts)                                                                                                                     \
    "SELECT v.id, v.state, v.severity, v.cvss, v.kev, v.epss, v.cves, v.host, v.port, v.protocol, v.component, v.path, v.first_detected_at, v.last_seen_at, v.due_at," \
    " o.id, o.name, g.id, g.name, x.title, v.own, v.rank, v.open, v.key, d.verdict, d.reason, d.proof, EXISTS (SELECT 1 FROM vuln_key k CROSS JOIN" \
    " vuln_sighting s ON s.key_id = k.id CROSS JOIN vuln_result r ON r.id = s.result_id WHERE k.vuln_id = v.id AND r.survey_id = ?6 AND (?7 = 0 OR EXISTS (SELECT 1 FROM vuln_survey m WHERE m.id = ?6 AND m.sent_at IS NOT NULL)) AND s.outside = 0 AND r.state IN"      \
    " ('applying','applied')) FROM " verdicts " d JOIN " table " v ON v.id = d.vuln_id JOIN"                                                               \
    " object o ON o.id = v.object_id JOIN org g ON g.id = o.org_id LEFT JOIN vuln_text x ON x.id = v.text_id WHERE d.survey_id = ?1 AND (?2 = '' OR d.verdict = ?2)"    \
    " AND v.live = 1 AND (v.severity > 0 OR v.kev = 1) AND (v.rank, v.id) < (?3, ?4) ORDER BY v.rank DESC, v.id DESC LIMIT ?5"
static const char *const compared[SIDE_COUNT] = { COMPARED("vuln", "vuln_verdict"), COMPARED("vuln_owner", "vuln_owner_verdict") };

static int items_json(struct call *c, const struct known *y, struct str verdict, int limit, struct str before, json_t *items, struct str *next)
{
    int64_t rank = INT64_MAX, id = INT64_MAX, most = page_limit(limit), last_rank = 0, last_id = 0;
    struct str rest = before, head;
    sqlite3_stmt *st;
    int rc = 0;

    if (before.n && (!str_split(&rest, '.', &head) || !str_i64(head, &rank) || !str_i64(rest, &id)))
        return vuln_wrong(c, "before", "not a cursor");
    st = db_query(c->d, c->e, compared[side_of(c->v)], "itiiiii", y->id, verdict.p ? verdict : STR(""), rank, id, most + 1, y->main_id,
                  (int64_t)side_of(c->v));
    rc = st ? 0 : -EIO;
    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        if ((int64_t)json_array_size(items) == most) {
            *next = arena_printf(&c->a, "%lld.%lld", (long long)last_rank, (long long)last_id);
            db_done(st);
            rc = 0;
            break;
        }
        last_rank = sqlite3_column_int64(st, 21);
        last_id = sqlite3_column_int64(st, 0);
        json_array_append_new(items, json_pack("{s:o, s:o, s:o, s:o, s:b}", "vulnerability", vuln_summary_json(c, st), "verdict", db_json(st, 24), "reason", db_json(st, 25),
                                               "proof", db_json_id(st, 26), "of_main", sqlite3_column_int(st, 27)));
    }
    for (size_t i = 0; rc == 0 && i < json_array_size(items); i++) {
        json_t *one = json_array_get(items, i), *proof = NULL;
        int64_t row = parse_id(json_get_str(one, "proof"));

        rc = row ? cover_json(c, row, &proof) : 0;
        json_object_set_new(one, "proof", proof ? proof : json_null());
    }
    return rc;
}

int vulns_compare(struct call *c, int64_t survey, struct str verdict, int limit, struct str before, json_t **out)
{
    json_t *counts = NULL, *items = json_array();
    struct str next = { NULL, 0 };
    struct known y;
    int rc = survey_seen(c, survey, &y), busy = 0;
    bool known = !verdict.n;

    for (size_t i = 0; verdict_values[i]; i++)
        known = known || str_eq(verdict, str_c(verdict_values[i]));
    if (rc == 0 && !known)
        rc = vuln_wrong(c, "verdict", "no such verdict");
    if (rc == 0)
        rc = busy = vulns_busy(c, survey);
    if (rc >= 0)
        rc = counts_json(c, survey, &counts);
    if (rc == 0)
        rc = items_json(c, &y, verdict, limit, before, items, &next);
    if (rc == 0)
        *out = json_pack("{s:o, s:o, s:o, s:s, s:b, s:b, s:O, s:O, s:o}", "now", json_time(c->now), "survey", json_ref(str_c(arena_printf(&c->a, "%lld", (long long)survey).p), y.number),
                         "main", y.main_id ? json_id(y.main_id) : json_null(), "mode", arena_printf(&c->a, "%.*s", STR_ARG(y.mode)).p, "control", y.control, "ready",
                         busy == 0, "counts", counts, "items", items, "next", json_str(next));
    json_decref(counts);
    json_decref(items);
    return rc;
}

int desk_vuln_compare(struct desk *d, const struct viewer *v, struct str survey, struct str verdict, int limit, struct str before, time_ns now,
                      struct desk_reply *r)
{
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = vulns_compare(&c, parse_id(survey), verdict, limit, before, &r->json);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

/* --- numbers and rows --- */

/* The vulnerabilities that a survey saw, each once. */
#define SEEN                                                                                                                                          \
    "(SELECT DISTINCT k.vuln_id FROM vuln_result r JOIN vuln_sighting s ON s.result_id = r.id JOIN vuln_key k ON k.id = s.key_id WHERE r.survey_id = ?1 AND"       \
    " r.state IN ('applying','applied') AND s.outside = 0)"

#define SEVERITIES(table)                                                                                                                             \
    "SELECT v.severity, count(*), sum(v.kev), sum(v.state = 'reappeared') FROM " table " v WHERE v.id IN " SEEN " AND v.live = 1 GROUP BY 1"
#define FRESH(table, verdicts)                                                                                                                        \
    "SELECT count(*) FROM " verdicts " d JOIN " table " v ON v.id = d.vuln_id WHERE d.survey_id = ? AND d.verdict = 'new' AND v.severity > 0"
static const char *const severities[SIDE_COUNT] = { SEVERITIES("vuln"), SEVERITIES("vuln_owner") },
                  *const fresh_ones[SIDE_COUNT] = { FRESH("vuln", "vuln_verdict"), FRESH("vuln_owner", "vuln_owner_verdict") };

int vulns_counts(struct call *c, int64_t survey, bool told, json_t **out)
{
    enum vuln_side side = told ? SIDE_OWNER : side_of(c->v);
    sqlite3_stmt *st = db_query(c->d, c->e, severities[side], "i", survey);
    int64_t total = 0, kev = 0, again = 0, outside = 0, fresh = 0;
    int rc = st ? 0 : -EIO;

    *out = json_object();
    for (int i = 0; i < SEV_COUNT; i++)
        json_object_set_new(*out, severity_values[i], json_integer(0));
    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        int severity = sqlite3_column_int(st, 0);

        json_object_set_new(*out, severity_values[severity], json_integer(sqlite3_column_int64(st, 1)));
        total += severity > SEV_INFO ? sqlite3_column_int64(st, 1) : 0;
        kev += sqlite3_column_int64(st, 2);
        again += sqlite3_column_int64(st, 3);
    }
    if (rc == 0)
        rc = db_int(c->d, c->e, 0, &outside, "SELECT sum(outside) FROM vuln_result WHERE survey_id = ? AND state IN ('applying','applied')", "i", survey);
    if (rc == 0)
        rc = db_int(c->d, c->e, 0, &fresh, fresh_ones[side], "i", survey);
    json_object_set_new(*out, "total", json_integer(total));
    json_object_set_new(*out, "kev", json_integer(kev));
    json_object_set_new(*out, "reappeared", json_integer(again));
    json_object_set_new(*out, "outside", json_integer(outside));
    json_object_set_new(*out, "new", json_integer(fresh));
    return rc;
}

/* first_sighting - tool, check and fixed version of the sighting that letters name: of the survey, the first by tool and check. CROSS keeps this order: from the
 * survey's side every row that it saw would be read for each vulnerability. */
static int first_sighting(struct call *c, int64_t survey, struct vuln_row *row)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT x.tool, x.name, max(s.fixed_version) OVER () FROM vuln_key k CROSS JOIN vuln_sighting s ON s.key_id = k.id CROSS JOIN vuln_result r ON r.id ="
                                " s.result_id CROSS JOIN vuln_check x ON x.id = s.check_id WHERE k.vuln_id = ?1 AND r.survey_id = ?2 AND s.outside = 0 ORDER BY x.tool, x.name"
                                " LIMIT 1",
                                "ii", row->id, survey);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    if (rc <= 0)
        return rc;
    row->tool = db_copy(st, 0, &c->a);
    row->check = db_copy(st, 1, &c->a);
    row->fixed_version = db_copy(st, 2, &c->a);
    db_done(st);
    return 0;
}

static struct str place_of(struct call *c, struct str host, int64_t port, struct str protocol, struct str path)
{
    struct str out = port >= 0 ? arena_printf(&c->a, "%.*s:%lld/%.*s", STR_ARG(host), (long long)port, STR_ARG(protocol)) : host;

    return path.n ? arena_printf(&c->a, "%.*s%s%.*s", STR_ARG(out), out.n ? ", " : "", STR_ARG(path)) : out;
}

static void row_read(struct call *c, sqlite3_stmt *st, struct vuln_row *out)
{
    *out = (struct vuln_row){ .id = sqlite3_column_int64(st, 0), .state = db_copy(st, 1, &c->a), .severity = str_c(severity_values[sqlite3_column_int(st, 2)]),
                              .cvss = sqlite3_column_type(st, 3) == SQLITE_NULL ? -1 : sqlite3_column_double(st, 3), .kev = sqlite3_column_int(st, 4),
                              .epss = sqlite3_column_type(st, 5) == SQLITE_NULL ? -1 : sqlite3_column_double(st, 5), .cve = db_copy(st, 6, &c->a),
                              .host = db_copy(st, 7, &c->a), .port = sqlite3_column_int(st, 8), .component = db_copy(st, 10, &c->a),
                              .first_detected_at = sqlite3_column_int64(st, 12), .title = db_copy(st, 13, &c->a), .description = db_copy(st, 14, &c->a),
                              .solution = db_copy(st, 15, &c->a), .cvss_vector = db_copy(st, 16, &c->a), .kind = db_copy(st, 17, &c->a),
                              .fixed_version = STR(""), .tool = STR(""), .check = STR("") };
    out->number = arena_printf(&c->a, "V-%06lld", (long long)out->id);
    out->place = place_of(c, out->host, out->port, db_copy(st, 9, &c->a), db_copy(st, 11, &c->a));
    if (!out->title.n)
        out->title = db_copy(st, 18, &c->a);
}

#define ROW(table, verdicts)                                                                                                                          \
    "SELECT v.id, v.state, v.severity, v.cvss, v.kev, v.epss, v.cves, v.host, v.port, v.protocol, v.component, v.path, v.first_detected_at, x.title, x.description,"  \
    " x.solution, v.vector, coalesce((SELECT d.verdict FROM " verdicts " d WHERE d.survey_id = ?1 AND d.vuln_id = v.id), 'vulnerable'), v.key FROM " table " v LEFT JOIN" \
    " vuln_text x ON x.id = v.text_id "
#define COUNTED " AND v.live = 1 AND (?2 = 1 OR v.severity > 0 OR v.kev = 1) AND (v.rank, v.id) < (?4, ?5)"
/* Two ways to a page. Of a survey that found little, all of it is read and put in order. Of one that found much, the object's rows are walked in their order,
 * those that are open beside those that are not, until the page is full. */
#define SORTED(table) "SELECT v.id FROM " table " v WHERE v.id IN " SEEN COUNTED " ORDER BY v.rank DESC, v.id DESC LIMIT ?3"
#define HALF(table, index, open)                                                                                                                       \
    "SELECT v.id AS id, v.rank AS rank FROM " table " v INDEXED BY " index " WHERE v.object_id = (SELECT object_id FROM vuln_survey WHERE id = ?1) AND v.open = " open \
    COUNTED " AND EXISTS (SELECT 1 FROM vuln_key k CROSS JOIN vuln_sighting s ON s.key_id = k.id CROSS JOIN vuln_result r ON r.id = s.result_id WHERE k.vuln_id ="     \
    " v.id AND s.outside = 0 AND r.survey_id = ?1 AND r.state IN ('applying','applied'))"
#define WALKED(table, index) HALF(table, index, "1") " UNION ALL " HALF(table, index, "0") " ORDER BY rank DESC, id DESC LIMIT ?3"
#define WALK_FROM 2000   /* findings of a survey from which on its pages are walked */
#define IDS(table)                                                                                                                                    \
    "SELECT v.id FROM " table " v WHERE v.id IN " SEEN " AND v.live = 1 AND (?2 = 1 OR v.severity > 0 OR v.kev = 1) ORDER BY v.rank DESC, v.id DESC LIMIT ?3"
static const char *const sorted_page[SIDE_COUNT] = { SORTED("vuln"), SORTED("vuln_owner") },
                  *const walked_page[SIDE_COUNT] = { WALKED("vuln", "vuln_object"), WALKED("vuln_owner", "vuln_owner_object") },
                  *const cursor_rank[SIDE_COUNT] = { "SELECT rank FROM vuln WHERE id = ?", "SELECT rank FROM vuln_owner WHERE id = ?" },
                  *const all_ids[SIDE_COUNT] = { IDS("vuln"), IDS("vuln_owner") },
                  *const one_row[SIDE_COUNT] = { ROW("vuln", "vuln_verdict") "WHERE v.id = ?2", ROW("vuln_owner", "vuln_owner_verdict") "WHERE v.id = ?2" };

int vulns_ids_of_survey(struct call *c, int64_t survey, bool told, bool info, size_t most, int64_t **ids, size_t *count)
{
    sqlite3_stmt *st;
    int rc;

    *count = 0;
    *ids = calloc(max_size(most, 1), sizeof **ids);
    if (!*ids)
        return err_set(c->e, -ENOMEM, "no memory for what was found");
    st = db_query(c->d, c->e, all_ids[told ? SIDE_OWNER : side_of(c->v)], "iii", survey, (int64_t)info, (int64_t)most);
    rc = st ? 0 : -EIO;
    while (st && (rc = db_step(c->d, st, c->e)) > 0)
        if (*count < most)
            (*ids)[(*count)++] = sqlite3_column_int64(st, 0);
    return rc;
}

int vulns_rows(struct call *c, int64_t survey, bool told, const int64_t *ids, size_t count, struct vuln_row *out)
{
    int rc = 0;

    for (size_t i = 0; rc >= 0 && i < count; i++) {
        sqlite3_stmt *st = db_query(c->d, c->e, one_row[told ? SIDE_OWNER : side_of(c->v)], "ii", survey, ids[i]);

        rc = st ? db_step(c->d, st, c->e) : -EIO;
        if (rc == 0)
            return err_set(c->e, -EIO, "vulnerability %lld went while it was read", (long long)ids[i]);
        if (rc < 0)
            return rc;
        row_read(c, st, &out[i]);
        db_done(st);
        rc = first_sighting(c, survey, &out[i]);
    }
    return rc < 0 ? rc : 0;
}

/* The cursor is the last row that was given: pages of people. Who reads to the end asks for the ids once. */
int vulns_of_survey(struct call *c, int64_t survey, bool info, int64_t *cursor, struct vuln_row *out, size_t most, size_t *count)
{
    enum vuln_side side = side_of(c->v);
    int64_t *ids = arena_array(&c->a, max_size(most, 1), sizeof *ids), rank = INT64_MAX, last = *cursor ? *cursor : INT64_MAX, found = 0;
    int rc = ids ? 0 : err_set(c->e, -ENOMEM, "no memory for a page");

    *count = 0;
    if (rc == 0 && *cursor)
        rc = db_int(c->d, c->e, INT64_MIN, &rank, cursor_rank[side], "i", *cursor);   /* of a row that is gone: nothing stands behind it */
    if (rc == 0)
        rc = db_int(c->d, c->e, 0, &found, "SELECT sum(findings) FROM vuln_result WHERE survey_id = ?", "i", survey);
    if (rc < 0)
        return rc;
    sqlite3_stmt *st = db_query(c->d, c->e, found < WALK_FROM ? sorted_page[side] : walked_page[side], "iiiii", survey, (int64_t)info, (int64_t)most, rank, last);
    rc = st ? 0 : -EIO;
    while (st && (rc = db_step(c->d, st, c->e)) > 0)
        if (*count < most)
            ids[(*count)++] = sqlite3_column_int64(st, 0);
    if (rc == 0)
        rc = vulns_rows(c, survey, false, ids, *count, out);
    *cursor = *count && *count == most ? ids[most - 1] : 0;
    return rc;
}

/* --- what a letter tells --- */

/* ids_told - of a control survey every vulnerability of the object: it says something of what it did not see, too. */
static int ids_told(struct call *c, int64_t survey, int64_t from, int64_t ids[], size_t most, size_t *n)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT v.id FROM vuln_survey y JOIN vuln v ON v.object_id = y.object_id WHERE y.id = ?1 AND v.id > ?2 AND (y.control = 1 OR v.id IN " SEEN
                                ") ORDER BY v.id LIMIT ?3", "iii", survey, from, (int64_t)most);
    int rc = st ? 0 : -EIO;

    *n = 0;
    while (st && (rc = db_step(c->d, st, c->e)) > 0 && *n < most)
        ids[(*n)++] = sqlite3_column_int64(st, 0);
    return rc;
}

int vulns_told(struct call *c, int64_t survey)
{
    struct vuln_tally *t = NULL;
    struct arena kept = c->a;
    int64_t ids[500], from = 0;
    size_t n = COUNT(ids);
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT object_id FROM vuln_survey WHERE id = ?", "i", survey);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    if (rc <= 0)
        return rc < 0 ? rc : err_set(c->e, -ENOENT, "no survey %lld", (long long)survey);
    struct str object = db_copy(st, 0, &c->a);
    db_done(st);
    kept = c->a;
    arena_init(&c->a, 16 * MIB);
    rc = vuln_tally_open(c, object, &t);
    while (rc >= 0 && n == COUNT(ids)) {
        rc = ids_told(c, survey, from, ids, COUNT(ids), &n);
        for (size_t i = 0; rc >= 0 && i < n; i++)
            rc = vuln_recount(t, ids[i]);
        from = n ? ids[n - 1] : from;
        arena_reset(&c->a);
    }
    vuln_tally_free(&t);
    arena_free(&c->a);
    c->a = kept;
    return rc < 0 ? rc : 0;
}

int vulns_measure(struct call *c, int64_t survey, int64_t vuln, const struct vuln_said *w)
{
    json_t *said = json_pack("{s:o, s:o, s:o, s:b, s:o}", "answer", json_str(w->answer), "on", w->on.n ? json_str(w->on) : json_null(), "comment",
                             w->comment.n ? json_str(w->comment) : json_null(), "eliminated", w->done_at != 0, "done_at", json_time_or_null(w->done_at));
    struct vuln_head h;
    int64_t seen = 0;
    int rc = vuln_load(c, vuln, &h);

    if (rc == 0)
        rc = db_int(c->d, c->e, 0, &seen, "SELECT 1 FROM vuln_key k CROSS JOIN vuln_sighting s ON s.key_id = k.id CROSS JOIN vuln_result r ON r.id = s.result_id WHERE k.vuln_id = ?1"
                                          " AND r.survey_id = ?2 LIMIT 1", "ii", vuln, survey);
    if (rc == 0 && !seen)
        rc = refuse(c, -ENOENT, "not_found", NULL, "the survey did not see it");
    if (rc == 0)
        rc = vuln_act_add(c, vuln, &(struct vuln_act_new){ .kind = "measures", .at = c->now, .survey = survey, .json = said }, NULL);
    if (rc == 0)
        rc = vuln_recount_one(c, vuln);
    json_decref(said);
    return rc;
}

/* --- outside the scope --- */

int desk_vuln_outside(struct desk *d, const struct viewer *v, struct str survey, time_ns now, struct desk_reply *r)
{
    json_t *items = json_array();
    struct known y;
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = survey_seen(&c, parse_id(survey), &y);
    sqlite3_stmt *st = rc < 0 ? NULL
                              : db_query(d, c.e,
                                         "SELECT k.host, max(s.name), count(*), max(s.severity), group_concat(DISTINCT x.tool) FROM vuln_result r JOIN vuln_sighting s ON"
                                         " s.result_id = r.id AND s.outside = 1 JOIN vuln_key k ON k.id = s.key_id JOIN vuln_check x ON x.id = s.check_id WHERE r.survey_id ="
                                         " ? AND r.state IN ('applying','applied') GROUP BY k.host ORDER BY 4 DESC, 3 DESC, 1 LIMIT 1000",
                                         "i", y.id);
    while (st && (rc = db_step(d, st, c.e)) > 0)
        json_array_append_new(items, json_pack("{s:o, s:o, s:I, s:s, s:o}", "host", db_json(st, 0), "name", db_json(st, 1), "findings",
                                               (json_int_t)sqlite3_column_int64(st, 2), "worst", severity_values[sqlite3_column_int(st, 3)], "tools", db_json(st, 4)));
    r->json = json_pack("{s:o, s:n}", "items", items, "next");
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

static const struct body_field take_fields[] = {
    { "host", BODY_STRING, true, false, 1, VULN_HOST_MAX, NULL },
    { "reason", BODY_TEXT, true, false, 1, 2000, NULL },
};

int vulns_take_asked(struct call *c, int64_t survey, const json_t *body)
{
    int rc = body_check(body, take_fields, COUNT(take_fields), c->r->field, c->e);

    return rc < 0 ? rc : vulns_scope_take(c, survey, json_get_str(body, "host"), json_get_str(body, "reason"));
}

/* --- coverage --- */

static const struct body_field cover_fields[] = {
    { "tool", BODY_STRING, false, true, 0, 128, NULL },  { "check", BODY_STRING, false, true, 0, 220, NULL }, { "host", BODY_STRING, false, true, 0, VULN_HOST_MAX, NULL },
    { "path", BODY_STRING, false, true, 0, 400, NULL },  { "port", BODY_COUNT, false, true, 0, 0, NULL },     { "port_to", BODY_COUNT, false, true, 0, 0, NULL },
    { "sha256", BODY_STRING, false, true, 0, 64, NULL }, { "reason", BODY_TEXT, true, false, 1, 4000, NULL },
};

static int32_t port_of(const json_t *body, const char *key)
{
    const json_t *n = json_object_get(body, key);

    return !json_is_integer(n) ? -1 : json_integer_value(n) > 65535 ? 65536 : (int32_t)json_integer_value(n);
}

int vulns_cover_asked(struct call *c, int64_t survey, const json_t *body)
{
    struct vuln_declared w = { .tool = json_get_str(body, "tool"), .check = json_get_str(body, "check"), .host = json_get_str(body, "host"),
                               .path = json_get_str(body, "path"), .reason = json_get_str(body, "reason"), .sha256 = json_get_str(body, "sha256"),
                               .port = port_of(body, "port"), .port_to = port_of(body, "port_to") };
    int64_t id = 0;
    int rc = body_check(body, cover_fields, COUNT(cover_fields), c->r->field, c->e);

    if (rc == 0)
        rc = vulns_cover_declare(c, survey, &w, &id);
    if (rc == 0)
        c->r->json = json_pack("{s:o}", "id", json_id(id));
    return rc;
}

int desk_vuln_covers(struct desk *d, const struct viewer *v, struct str survey, struct str host, int limit, struct str before, time_ns now,
                     struct desk_reply *r)
{
    int64_t ids[DESK_LIMIT_MAX], most = page_limit(limit), next = 0, from = parse_id(before);
    json_t *items = json_array();
    struct known y;
    size_t n = 0;
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = survey_seen(&c, parse_id(survey), &y);
    sqlite3_stmt *st = rc < 0 ? NULL
                              : db_query(d, c.e, "SELECT id FROM vuln_cover WHERE survey_id = ?1 AND ran <> 3 AND id > ?2 AND (?3 = '' OR host = ?3) ORDER BY id LIMIT ?4",
                                         "iiti", y.id, from, host.n ? host_clean(host, &c.a) : STR(""), most + 1);
    while (st && (rc = db_step(d, st, c.e)) > 0 && n < DESK_LIMIT_MAX) {
        if ((int64_t)n == most) {
            next = ids[n - 1];
            db_done(st);
            rc = 0;
            break;
        }
        ids[n++] = sqlite3_column_int64(st, 0);
    }
    for (size_t i = 0; rc >= 0 && i < n; i++) {
        json_t *one = NULL;

        rc = cover_json(&c, ids[i], &one);
        json_array_append_new(items, one ? one : json_null());
    }
    r->json = json_pack("{s:o, s:o}", "items", items, "next", next ? json_id(next) : json_null());
    desk_call_free(&c);
    return refuse_rc(r, rc < 0 ? rc : 0);
}
