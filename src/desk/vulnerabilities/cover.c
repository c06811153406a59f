/* cover.c - was a check that could have seen this vulnerability exercised at its place in a survey? The answer is a row that proves it, or the reason why
 * nothing does. Nothing becomes fixed without that row.
 *
 * A report says where its tool looked with everything it has (all), which checks were among those that ran (check), and which ran at a place and found
 * nothing (passed). A report that names its checks must name ours; a report that names port ranges must have ours in one. Of a tool that looks for what it
 * is told to (the policy names them) "everything it has" proves nothing by itself: its report must name our check. What a surveyor declares with a written
 * reason counts the same and is shown as such. */
#include "desk/vulnerabilities/room.h"

#define COVER_SEEN   3
#define PLACES_MAX   64
#define CHECKS_MAX   64
#define SAID_MAX     64

struct place {
    struct str host, protocol, path;
    int64_t    port;
};
struct ask {
    struct call *c;
    int64_t      survey;
    enum vuln_side side;
    const struct cover_facts *facts;
    struct place places[PLACES_MAX];
    struct { struct str object, text, host; } keys[PLACES_MAX];
    struct { struct str host, name; } said[SAID_MAX];      /* names that sightings gave beside an address */
    struct { struct str tool; int64_t id; } checks[CHECKS_MAX];
    size_t       place_count, check_count, key_count, said_count;
    int          best;                  /* how far the search came: index of reasons */
    struct cover_answer *out;
};
static const char *const reasons[] = { "tool_absent", "host_not_seen", "port_not_seen", "path_not_seen", "check_not_run", "checks_not_named", "seen_outside",
                                      "seen_other_name" };
enum { NO_TOOL, NO_HOST, NO_PORT, NO_PATH, NO_CHECK, NO_LIST, OUTSIDE, OTHER_NAME };

static void place_add(struct ask *a, struct str host, int64_t port, struct str protocol, struct str path)
{
    for (size_t i = 0; i < a->place_count; i++)
        if (str_eq(a->places[i].host, host) && a->places[i].port == port && str_eq(a->places[i].path, path))
            return;
    if (a->place_count < PLACES_MAX)
        a->places[a->place_count++] = (struct place){ host, protocol, path, port };
}

static void check_add(struct ask *a, struct str tool, int64_t id)
{
    for (size_t i = 0; i < a->check_count; i++)
        if (a->checks[i].id == id && str_eq(a->checks[i].tool, tool))
            return;
    if (a->check_count < CHECKS_MAX) {
        a->checks[a->check_count].tool = tool;
        a->checks[a->check_count++].id = id;
    }
}

/* places_of - the keys, and where they lie: at their hosts, and at those that a rule says are the same. */
static int places_of(struct ask *a, int64_t vuln)
{
    struct call *c = a->c;
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT k.host, k.port, k.protocol, k.path, k.object_id, k.text FROM vuln_key k WHERE k.vuln_id = ?1 AND (?2 = 0 OR " OWNER_KEY("k")
                                            ") LIMIT 1024", "ii", vuln, (int64_t)(a->side == SIDE_OWNER));
    int rc = st ? 0 : -EIO;

    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        struct str host = db_copy(st, 0, &c->a);

        place_add(a, host, sqlite3_column_int64(st, 1), db_copy(st, 2, &c->a), db_copy(st, 3, &c->a));
        if (host.n && a->key_count < PLACES_MAX) {
            a->keys[a->key_count].object = db_copy(st, 4, &c->a);
            a->keys[a->key_count].text = db_copy(st, 5, &c->a);
            a->keys[a->key_count++].host = host;
        }
    }
    if (rc < 0 || !a->facts->hosts)
        return rc;
    st = db_query(c->d, c->e, "SELECT x.was, k.port, k.protocol, k.path FROM vuln_key k JOIN vuln_rule x ON x.object_id = k.object_id AND x.kind = 'host' AND x.becomes = k.host"
                              " AND x.ended_at IS NULL WHERE k.vuln_id = ?1 AND (?2 = 0 OR " OWNER_KEY("k") ") LIMIT 1024", "ii", vuln, (int64_t)(a->side == SIDE_OWNER));
    for (rc = st ? db_step(c->d, st, c->e) : -EIO; rc > 0; rc = db_step(c->d, st, c->e))
        place_add(a, db_copy(st, 0, &c->a), sqlite3_column_int64(st, 1), db_copy(st, 2, &c->a), db_copy(st, 3, &c->a));
    return rc;
}

/* checks_same - those that a table or people say look for the same. */
static int checks_same(struct ask *a, struct str key)
{
    struct call *c = a->c;
    struct str same;
    int rc = weakness_same(c, key, a->facts->checks, &same);

    if (rc < 0 || str_eq(same, key))
        return rc;
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT x.tool, x.id FROM vuln_check x WHERE x.key IN (SELECT was FROM vuln_rule WHERE kind = 'check' AND becomes = ?1 AND ended_at IS"
                                " NULL UNION SELECT 'check:' || value FROM json_each(?2)) LIMIT 64",
                                "tt", same, vuln_policy_checks(c->d->vuln_policy, same, &c->a));
    for (rc = st ? db_step(c->d, st, c->e) : -EIO; rc > 0; rc = db_step(c->d, st, c->e))
        check_add(a, db_copy(st, 0, &c->a), sqlite3_column_int64(st, 1));
    return rc;
}

static void said_add(struct ask *a, struct str host, struct str name)
{
    for (size_t i = 0; i < a->said_count; i++)
        if (str_eq(a->said[i].name, name) && str_eq(a->said[i].host, host))
            return;
    if (a->said_count < SAID_MAX) {
        a->said[a->said_count].host = host;
        a->said[a->said_count++].name = name;
    }
}

/* sightings_read - which checks have seen it, and which names they gave to its hosts. */
static int sightings_read(struct ask *a, int64_t vuln, struct str keys[CHECKS_MAX], size_t *n)
{
    struct call *c = a->c;
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT x.tool, x.id, x.key, k.host, s.name FROM vuln_key k CROSS JOIN vuln_sighting s ON s.key_id = k.id CROSS JOIN vuln_check x ON x.id ="
                                " s.check_id WHERE k.vuln_id = ?1 AND (?2 = 0 OR EXISTS (SELECT 1 FROM vuln_result r JOIN vuln_survey y ON y.id = r.survey_id WHERE r.id ="
                                " s.result_id AND y.sent_at IS NOT NULL))",
                                "ii", vuln, (int64_t)(a->side == SIDE_OWNER));
    int rc = st ? 0 : -EIO;

    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        size_t before = a->check_count;

        check_add(a, db_copy(st, 0, &c->a), sqlite3_column_int64(st, 1));
        if (*n < CHECKS_MAX && a->check_count > before)
            keys[(*n)++] = db_copy(st, 2, &c->a);
        if (db_str(st, 4).n)
            said_add(a, db_copy(st, 3, &c->a), db_copy(st, 4, &c->a));
    }
    return rc;
}

static void further(struct ask *a, int reason)
{
    if (reason > a->best)
        a->best = reason;
}

/* path_within - is a path below the one that was looked at? */
static bool path_within(struct str path, struct str looked)
{
    if (looked.n == 0 || str_eq(path, looked))
        return true;
    return str_starts(path, looked) && (looked.p[looked.n - 1] == '/' || path.p[looked.n] == '/' || path.p[looked.n] == '?');
}

/* row_fits - does one row of coverage reach the place? ports: the row says which ports it looked at, as far as our place has one. */
static bool row_fits(struct ask *a, const struct place *p, int64_t port, int64_t port_to, struct str protocol, struct str path)
{
    bool port_ok = port < 0 || p->port < 0 || (p->port >= port && p->port <= port_to && (!protocol.n || !p->protocol.n || str_eq(protocol, p->protocol)));

    if (!port_ok)
        further(a, NO_PORT);
    else if (!path_within(p->path, path))
        further(a, NO_PATH);
    return port_ok && path_within(p->path, path);
}

struct row {
    int64_t id, result, check, ran;
    bool    listed, fits, here, told /* a configuration decided what was looked for */;
};

/* judge - do the rows of one result prove it? A named check counts where the host was looked at, by itself or by the rest of its report. */
static void judge(struct ask *a, const struct row *rows, size_t n, const struct row *r)
{
    bool named = r->check != 0, looked = r->here, ran = named || (!r->listed && !r->told);

    for (size_t i = 0; i < n; i++) {
        if (rows[i].result != r->result || !rows[i].fits)
            continue;
        looked = looked || (rows[i].here && rows[i].check == 0 && rows[i].ran != COVER_SEEN) || (named && rows[i].here);
        ran = ran || rows[i].check != 0;
    }
    if (r->ran == COVER_SEEN || !r->fits)
        return;
    if (!looked)
        further(a, NO_HOST);
    else if (!ran)
        further(a, r->listed ? NO_CHECK : NO_LIST);
    else if (!a->out->proved || r->id < a->out->row) {
        a->out->proved = true;
        a->out->row = r->id;
    }
}

#define ROWS_MAX 256

/* ports_told - a result that names port ranges at this host must have ours in one, else a check "wherever it looked" says nothing of our port. */
static int ports_told(struct ask *a, const struct place *p, struct str tool, struct row *rows, size_t n)
{
    struct call *c = a->c;

    for (size_t i = 0; i < n; i++) {
        int64_t ranges = 0, ours = 0;
        int rc = p->port < 0 || rows[i].check == 0 ? 0
                 : db_int(c->d, c->e, 0, &ranges, "SELECT 1 FROM vuln_cover WHERE survey_id = ? AND tool = ? AND host = ? AND check_id = 0 AND ran = 0 AND port >= 0"
                                                  " AND result_id = ?", "itti", a->survey, tool, p->host, rows[i].result);

        if (rc == 0 && ranges)
            rc = db_int(c->d, c->e, 0, &ours, "SELECT 1 FROM vuln_cover WHERE survey_id = ? AND tool = ? AND host = ? AND check_id = 0 AND ran = 0 AND"
                                              " (port < 0 OR (port <= ?4 AND port_to >= ?4 AND (protocol IN ('', ?6) OR ?6 = ''))) AND result_id = ?5", "ittiit",
                        a->survey, tool, p->host, p->port, rows[i].result, p->protocol);
        if (rc < 0)
            return rc;
        if (ranges && !ours) {
            rows[i].fits = false;
            further(a, NO_PORT);
        }
    }
    return 0;
}

static int ask_one(struct ask *a, const struct place *p, struct str tool, int64_t check)
{
    struct call *c = a->c;
    struct row rows[ROWS_MAX];
    size_t n = 0;
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT w.id, w.result_id, w.check_id, w.ran, w.port, w.port_to, w.protocol, w.path, w.host = ?3, EXISTS (SELECT 1 FROM vuln_listed l WHERE l.result_id = w.result_id AND l.tool = ?2) FROM"
                                " vuln_cover w LEFT JOIN vuln_result r ON r.id = w.result_id WHERE w.survey_id = ?1 AND w.tool = ?2 AND w.host IN (?3, '') AND"
                                " w.check_id IN (0, ?4) AND (w.result_id = 0 OR r.state IN ('applying','applied')) LIMIT 256",
                                "itti", a->survey, tool, p->host, check);
    int rc = st ? 0 : -EIO;

    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        struct row r = { .id = sqlite3_column_int64(st, 0), .result = sqlite3_column_int64(st, 1), .check = sqlite3_column_int64(st, 2),
                         .ran = sqlite3_column_int64(st, 3), .here = sqlite3_column_int(st, 8), .listed = sqlite3_column_int(st, 9) };

        r.here = r.here || r.result == 0;
        r.told = r.result != 0 && vuln_policy_told(c->d->vuln_policy, tool);
        r.fits = row_fits(a, p, sqlite3_column_int64(st, 4), sqlite3_column_int64(st, 5), db_str(st, 6), db_str(st, 7));
        further(a, NO_HOST);
        if (n < ROWS_MAX)
            rows[n++] = r;
    }
    if (rc == 0)
        rc = ports_told(a, p, tool, rows, n);
    for (size_t i = 0; rc == 0 && i < n; i++)
        judge(a, rows, n, &rows[i]);
    return rc;
}

/* tool_there - the tool at least was at work in this survey, somewhere. */
static int tool_there(struct ask *a, struct str tool)
{
    struct call *c = a->c;
    int64_t there = 0;
    int rc = db_int(c->d, c->e, 0, &there, "SELECT 1 FROM vuln_cover WHERE survey_id = ? AND tool = ? LIMIT 1", "it", a->survey, tool);

    if (there)
        further(a, NO_HOST);
    return rc;
}

/* seen_outside - a report of the survey saw it at a place that the scope does not have: whatever ran there, it found it. */
static int seen_outside(struct call *c, int64_t vuln, int64_t survey, int64_t *yes)
{
    /* CROSS keeps this order: from the survey's side every row that it saw would be read for each vulnerability. */
    return db_int(c->d, c->e, 0, yes, "SELECT 1 FROM vuln_key k CROSS JOIN vuln_sighting s ON s.key_id = k.id CROSS JOIN vuln_result r ON r.id = s.result_id WHERE k.vuln_id = ? AND"
                                      " r.survey_id = ? AND s.outside = 1 AND r.state IN ('applying','applied') LIMIT 1", "ii", vuln, survey);
}

#define NAMES_MAX 16
struct names { struct str name[NAMES_MAX]; size_t count; };

static void name_add(struct names *n, struct str name)
{
    for (size_t i = 0; i < n->count; i++)
        if (str_eq(n->name[i], name))
            return;
    if (name.n && n->count < NAMES_MAX)
        n->name[n->count++] = name;
}

/* names_of - other spellings of the host of a place: without its domain, with the domain that the scope has, the name that a sighting gave beside the address. */
static int names_of(struct ask *a, struct str host, struct names *out)
{
    struct call *c = a->c;
    struct str label;
    sqlite3_stmt *st;
    int rc;

    if (host_short(host, &label))
        name_add(out, label);
    for (size_t i = 0; i < a->said_count; i++) {
        struct str name = str_eq(a->said[i].host, host) ? host_clean(a->said[i].name, &c->a) : STR("");

        name_add(out, name);
        if (host_short(name, &label))
            name_add(out, label);
    }
    if (str_chr(host, '.') >= 0 || str_chr(host, ':') >= 0)
        return 0;
    st = db_query(c->d, c->e, "SELECT host FROM vuln_scope WHERE survey_id = ?1 AND host > ?2 || '.' AND host < ?2 || '/' LIMIT 16", "it", a->survey, host);
    for (rc = st ? db_step(c->d, st, c->e) : -EIO; rc > 0; rc = db_step(c->d, st, c->e))
        name_add(out, db_copy(st, 0, &c->a));
    return rc;
}

/* seen_elsewhere - the survey saw the same at the same host under another name of it: that is not "found nothing", whichever vulnerability it counts as. */
static int seen_elsewhere(struct ask *a, int64_t *yes)
{
    struct call *c = a->c;
    int rc = 0;

    for (size_t i = 0; rc >= 0 && i < a->key_count && !*yes; i++) {
        struct str host = a->keys[i].host, whole = a->keys[i].text;
        struct names names = { .count = 0 };

        rc = str_starts(whole, host) ? names_of(a, host, &names) : 0;
        for (size_t k = 0; rc >= 0 && k < names.count && !*yes; k++) {
            struct str text = arena_printf(&c->a, "%.*s%.*s", STR_ARG(names.name[k]), (int)(whole.n - host.n), whole.p + host.n);

            rc = db_int(c->d, c->e, 0, yes, "SELECT 1 FROM vuln_key k CROSS JOIN vuln_sighting s ON s.key_id = k.id CROSS JOIN vuln_result r ON r.id = s.result_id WHERE k.object_id = ? AND"
                                            " k.text = ? AND r.survey_id = ? AND r.state IN ('applying','applied') LIMIT 1", "tti", a->keys[i].object, text, a->survey);
        }
    }
    return rc;
}

int cover_facts_of(struct call *c, int64_t survey, struct cover_facts *out)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT EXISTS (SELECT 1 FROM vuln_cover WHERE survey_id = ?1 AND tool = ''), EXISTS (SELECT 1 FROM vuln_result r CROSS JOIN vuln_sighting s ON"
                                " s.result_id = r.id AND s.outside = 1 WHERE r.survey_id = ?1), EXISTS (SELECT 1 FROM vuln_rule WHERE kind = 'host' AND ended_at IS NULL),"
                                " EXISTS (SELECT 1 FROM vuln_rule WHERE kind = 'check' AND ended_at IS NULL)", "i", survey);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    if (rc <= 0)
        return rc;
    *out = (struct cover_facts){ sqlite3_column_int(st, 0), sqlite3_column_int(st, 1), sqlite3_column_int(st, 2), sqlite3_column_int(st, 3) };
    db_done(st);
    return 0;
}

/* asked - every check at every place; *a->out and a->best tell how far that led. */
static int asked(struct ask *a, const struct str *keys, size_t n)
{
    int rc = 0;

    for (size_t i = 0; rc >= 0 && i < n; i++)
        rc = checks_same(a, keys[i]);
    if (a->facts->declared)
        check_add(a, STR(""), 0);      /* what a surveyor declares for every tool */
    for (size_t k = 0; rc >= 0 && k < a->check_count; k++)
        for (size_t i = 0; rc >= 0 && i < a->place_count; i++)
            rc = ask_one(a, &a->places[i], a->checks[k].tool, a->checks[k].id);
    for (size_t k = 0; rc >= 0 && !a->out->proved && a->best < NO_HOST && k < a->check_count; k++)
        rc = tool_there(a, a->checks[k].tool);
    return rc;
}

int cover_of(struct call *c, int64_t vuln, int64_t survey, enum vuln_side side, const struct cover_facts *f, struct cover_answer *out)
{
    struct ask a;   /* its lists are long, and empty by their counts */
    struct str keys[CHECKS_MAX];
    int64_t outside = 0, other = 0;
    size_t n = 0;
    int rc;

    a.c = c;
    a.survey = survey;
    a.side = side;
    a.facts = f;
    a.out = out;
    a.best = NO_TOOL;
    a.place_count = a.check_count = a.key_count = a.said_count = 0;
    rc = places_of(&a, vuln);
    *out = (struct cover_answer){ .reason = reasons[NO_TOOL] };
    if (rc >= 0 && f->outside)
        rc = seen_outside(c, vuln, survey, &outside);
    if (rc >= 0 && !outside)
        rc = sightings_read(&a, vuln, keys, &n);
    if (rc >= 0 && !outside)
        rc = seen_elsewhere(&a, &other);
    if (rc >= 0 && !outside && !other)
        rc = asked(&a, keys, n);
    out->reason = reasons[outside ? OUTSIDE : other ? OTHER_NAME : a.best];
    return rc < 0 ? rc : 0;
}

int cover_json(struct call *c, int64_t row, json_t **out)
{
    static const char *const ran[] = { "all", "check", "passed", "seen" };
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT w.id, w.tool, x.name, w.host, w.ran, w.port, w.port_to, w.protocol, w.path, w.reason, w.sha256, u.name, w.at, r.id, r.name"
                                " FROM vuln_cover w LEFT JOIN vuln_check x ON x.id = w.check_id LEFT JOIN user u ON u.id = w.by_id LEFT JOIN vuln_result r ON"
                                " r.id = w.result_id WHERE w.id = ?",
                                "i", row);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    *out = json_null();
    if (rc <= 0)
        return rc;
    *out = json_pack("{s:o, s:o, s:o, s:o, s:s, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "id", db_json_id(st, 0), "tool", db_json(st, 1), "check",
                     db_json(st, 2), "host", db_json(st, 3), "ran", ran[sqlite3_column_int(st, 4) & 3], "port", (json_int_t)sqlite3_column_int64(st, 5), "port_to",
                     (json_int_t)sqlite3_column_int64(st, 6), "protocol", db_json(st, 7), "path", db_json(st, 8), "reason", db_json(st, 9), "sha256",
                     db_json(st, 10), "by", db_json(st, 11), "at", db_json_time(st, 12), "result", db_json_id(st, 13), "file", db_json(st, 14));
    db_done(st);
    return 0;
}

/* --- what a surveyor declares --- */

int vulns_cover_declare(struct call *c, int64_t survey, const struct vuln_declared *w, int64_t *id)
{
    const struct scan_finding as_key = { .tool = w->tool, .check = w->check, .path = w->path };
    struct vuln_parts p;
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT object_id FROM vuln_survey WHERE id = ?", "i", survey);
    int64_t check = 0;
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    if (rc <= 0)
        return rc < 0 ? rc : refuse(c, -ENOENT, "not_found", NULL, "no such survey");
    struct str object = db_copy(st, 0, &c->a), tool = w->tool.p ? w->tool : STR("");
    db_done(st);
    rc = vuln_letter_out(c, survey);
    if (rc < 0)
        return rc;
    if (!str_trim(w->reason).n)
        return vuln_wrong(c, "reason", "what shows that the check ran must be written down");
    if (w->check.n && !tool.n)
        return vuln_wrong(c, "tool", "a check belongs to a tool");
    if (w->port < -1 || w->port > 65535 || w->port_to > 65535 || (w->port >= 0 && w->port_to >= 0 && w->port_to < w->port))
        return vuln_wrong(c, "port", "no such range of ports");
    parts_of(&as_key, &c->a, &p);
    rc = 0;
    if (w->check.n)
        rc = db_int(c->d, c->e, 0, &check, "INSERT INTO vuln_check(tool, name, key) VALUES (?1, ?2, ?3) ON CONFLICT(tool, name) DO UPDATE SET key = key RETURNING id",
                    "ttt", tool, w->check, weakness_of(&as_key, &c->a));
    if (rc == 0)
        rc = db_int(c->d, c->e, 0, id,
                    "INSERT INTO vuln_cover(survey_id, result_id, tool, check_id, host, ran, port, port_to, protocol, path, reason, sha256, by_id, at) VALUES"
                    " (?1, 0, ?2, ?3, ?4, ?5, ?6, ?7, '', ?8, ?9, ?10, ?11, ?12) ON CONFLICT DO UPDATE SET reason = ?9, sha256 = ?10, by_id = ?11, at = ?12"
                    " RETURNING id",
                    "ititiiitttmi", survey, tool, check, host_clean(w->host, &c->a), (int64_t)(check ? SCAN_RAN_CHECK : SCAN_RAN_ALL), (int64_t)w->port,
                    (int64_t)(w->port < 0 ? -1 : w->port_to < 0 ? w->port : w->port_to), p.path, w->reason, w->sha256.p ? w->sha256 : STR(""),
                    (time_ns)(c->v ? c->v->user_id : 0), c->now);
    if (rc == 0)
        rc = pending_add(c, object, false);
    return rc < 0 ? rc : audit_add(c, "vulnerability.cover_declare", arena_printf(&c->a, "survey/%lld", (long long)survey).p, w->reason, "ok");
}
