/* arriving.c - an object's onboarding as it is told: the list of logs laid beside what ingest really receives. */
#include "desk/requests/kind.h"
#include "desk/requests/onboarding.h"
#include "desk/requests/way.h"
#include "base/file.h"

#define SOURCES_BYTES_MAX (16u * MIB)

/* real_sources - what ingest wrote of this object: an array of {id, host, class, last_seen, events, unparsed}, empty if there is nothing. */
static json_t *real_sources(struct call *c, struct str object)
{
    json_t *out = json_array(), *all, *list, *s;
    AUTO_BUF struct buf b = { 0 };
    char path[4096];
    size_t i;

    buf_init(&b, SOURCES_BYTES_MAX + 1);
    if (file_read(node_path(c->d->setup.node, "run/sources.json", path), SOURCES_BYTES_MAX, &b, NULL) < 0)
        return out;
    all = json_loadb(b.n ? b.p : "", b.n, 0, NULL);
    list = json_is_object(all) ? json_object_get(all, "items") : all;
    json_array_foreach(list, i, s)
        if (str_eq(json_get_str(s, "object"), object) && json_array_size(out) < LOG_SOURCES_MAX)
            json_array_append(out, s);
    json_decref(all);
    return out;
}

static time_ns seen_at(const json_t *s)
{
    const json_t *j = json_object_get(s, "last_seen");
    time_ns t = 0;

    if (json_is_integer(j))
        return json_integer_value(j);
    return json_is_string(j) && time_parse_rfc3339(str_c(json_string_value(j)), &t, NULL, NULL) == 0 ? t : 0;
}

static json_t *source_json(const json_t *s)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:I, s:I}", "id", json_str(json_get_str(s, "id")), "host", json_str(json_get_str(s, "host")), "class",
                     json_str(json_get_str(s, "class")), "last_seen", json_time_or_null(seen_at(s)), "events",
                     json_integer_value(json_object_get(s, "events")), "unparsed", json_integer_value(json_object_get(s, "unparsed")));
}

/* fits - is this real source the listed log? Linked by hand; else of the same host and class, and of its path where both name one. */
static bool fits(const json_t *s, struct str source_id, struct str host, struct str class, struct str path)
{
    struct str id = json_get_str(s, "id");

    if (source_id.n)
        return str_eq(id, source_id);
    if (host.n == 0 || !str_ieq(json_get_str(s, "host"), host) || !str_eq(json_get_str(s, "class"), class))
        return false;
    return path.n == 0 || str_chr(id, '/') < 0 || str_ends(id, path);
}

struct laid {
    json_t *real, *items;
    bool    used[LOG_SOURCES_MAX];
    int64_t count[2], organised[2], lcs[2], agents[2], arriving[2], approved;   /* [1]: of protection tools */
};

/* now_state - where a listed log stands, by what arrives. */
static const char *now_state(struct call *c, const struct log_rules *rules, const char *stored, const json_t *real)
{
    json_int_t events, unparsed;

    if (strcmp(stored, "proposed") == 0 || strcmp(stored, "retired") == 0 || (!real && strcmp(stored, "agent_installed") != 0))
        return stored;
    if (!real || c->now - seen_at(real) > rules->silent_minutes * NS_PER_MINUTE)
        return "silent";
    events = json_integer_value(json_object_get(real, "events"));
    unparsed = json_integer_value(json_object_get(real, "unparsed"));
    return events > 0 && unparsed > events / 100.0 * (double)rules->unparsed_percent ? "non_conforming" : "to_siem";
}

static void count(struct laid *l, const char *state, bool protection)
{
    static const char *const way[] = { "identified", "logging_organised", "to_lcs", "agent_installed", "to_siem" };
    size_t at = 0;

    if (strcmp(state, "retired") == 0 || strcmp(state, "proposed") == 0)
        return;
    for (size_t i = 0; i < COUNT(way); i++)
        if (strcmp(way[i], state) == 0)
            at = i;
    if (strcmp(state, "silent") == 0 || strcmp(state, "non_conforming") == 0)
        at = 3;
    l->approved++;
    l->count[protection]++;
    l->organised[protection] += at >= 1;
    l->lcs[protection] += at >= 2;
    l->agents[protection] += at >= 3;
    l->arriving[protection] += at >= 4;
}

static int lay(struct call *c, const struct way *w, const struct log_rules *rules, struct laid *l)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT s.id, s.component, s.host, s.class, s.log, s.path, s.agent, s.protection, s.rule, s.reason, s.state, s.approved_at,"
                                " u.name, s.source_id, s.note FROM log_source s LEFT JOIN user u ON u.id = s.approved_by WHERE s.object_id = ?"
                                " ORDER BY s.component, s.class, s.log, s.id",
                                "t", w->object);
    int rc = st ? 0 : -EIO;

    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        json_t *found = NULL, *s;
        char stored[32];
        size_t i;

        json_array_foreach(l->real, i, s)
            if (!found && !l->used[i] && fits(s, db_str(st, 13), db_str(st, 2), db_str(st, 3), db_str(st, 5))) {
                found = s;
                l->used[i] = true;
            }
        snprintf(stored, sizeof stored, "%.*s", STR_ARG(db_str(st, 10)));
        const char *state = now_state(c, rules, stored, found);
        count(l, state, sqlite3_column_int(st, 7));
        json_array_append_new(l->items, json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:o, s:o, s:s, s:s, s:o, s:o, s:o, s:o, s:o}", "id",
                                                  db_json_id(st, 0), "component", db_json(st, 1), "host", db_json(st, 2), "class", db_json(st, 3), "log",
                                                  db_json(st, 4), "path", db_json(st, 5), "agent", db_json(st, 6), "protection", sqlite3_column_int(st, 7),
                                                  "rule", db_json(st, 8), "reason", db_json(st, 9), "stored", stored, "state", state, "approved_at",
                                                  db_json_time(st, 11), "approved_by", db_json(st, 12), "source_id", db_json(st, 13), "note",
                                                  db_json(st, 14), "arriving", found ? source_json(found) : json_null()));
    }
    return rc;
}

static int version_json(struct call *c, const char *sql, const struct way *w, bool agreed, json_t **out)
{
    sqlite3_stmt *st = db_query(c->d, c->e, sql, "t", w->object);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    *out = json_null();
    if (rc <= 0)
        return rc;
    struct str text = db_str(st, 1);
    *out = json_pack("{s:I, s:o, s:o, s:o}", "version", (json_int_t)sqlite3_column_int64(st, 0), "values", json_loadb(text.p, text.n, 0, NULL), "at",
                     db_json_time(st, 2), "by", db_json(st, 3));
    if (agreed) {
        json_object_set_new(*out, "agreed_on", db_json(st, 4));
        json_object_set_new(*out, "agreed_by", db_json(st, 5));
    }
    db_done(st);
    return 0;
}

static void steps_add(json_t *list, const char *row, int64_t done, int64_t of)
{
    json_array_append_new(list, json_pack("{s:s, s:I, s:I}", "row", row, "done", (json_int_t)done, "of", (json_int_t)of));
}

/* steps_json - the rows of the Rules and how far each is met. */
static json_t *steps_json(const struct laid *l, const json_t *collector, const json_t *sending)
{
    json_t *list = json_array();
    int64_t all = l->count[0] + l->count[1], agents = l->agents[0] + l->agents[1];

    steps_add(list, "R-10.1-01", l->approved > 0, 1);
    steps_add(list, "R-12-02", l->organised[0], l->count[0]);
    steps_add(list, "R-12-03", l->organised[1], l->count[1]);
    steps_add(list, "R-12-04", json_is_object(collector), 1);
    steps_add(list, "R-12-05", l->lcs[0], l->count[0]);
    steps_add(list, "R-12-06", l->lcs[1], l->count[1]);
    steps_add(list, "R-12-09", json_is_string(json_object_get(sending, "agreed_on")), 1);
    steps_add(list, "R-10.1-02", agents, all);
    steps_add(list, "R-10.1-04", l->arriving[0], l->count[0]);
    steps_add(list, "R-10.1-05", l->arriving[1], l->count[1]);
    return list;
}

static json_t *unlisted_json(const struct laid *l)
{
    json_t *list = json_array(), *s;
    size_t i;

    json_array_foreach(l->real, i, s)
        if (!l->used[i])
            json_array_append_new(list, source_json(s));
    return list;
}

/* warnings_json - the collection system is expected in the contour of the object; another one is said, not refused. */
static json_t *warnings_json(const struct way *w, const json_t *collector)
{
    const json_t *v = json_object_get(collector, "values");
    json_t *list = json_array();

    if (v && w->contour.n && !str_eq(json_get_str(v, "contour"), w->contour))
        json_array_append_new(list, json_string("other_contour"));
    if (v && !json_is_true(json_object_get(v, "same_network")))
        json_array_append_new(list, json_string("other_network"));
    return list;
}

static int tell(struct call *c, const struct way *w, const struct log_rules *rules, struct laid *l)
{
    json_t *collector = NULL, *sending = NULL;
    int rc = lay(c, w, rules, l);

    if (rc == 0)
        rc = version_json(c,
                          "SELECT k.version, k.values_json, k.at, u.name FROM collector k LEFT JOIN user u ON u.id = k.user_id WHERE k.object_id = ?"
                          " ORDER BY k.version DESC LIMIT 1",
                          w, false, &collector);
    if (rc == 0)
        rc = version_json(c,
                          "SELECT s.version, s.values_json, s.at, u.name, s.agreed_on, x.name FROM sending s LEFT JOIN user u ON u.id = s.user_id"
                          " LEFT JOIN user x ON x.id = s.agreed_by WHERE s.object_id = ? ORDER BY s.version DESC LIMIT 1",
                          w, true, &sending);
    if (rc == 0)
        c->r->json = json_pack("{s:o, s:o, s:o, s:o, s:O, s:O, s:O, s:o, s:o, s:o}", "now", json_time(c->now), "object", json_ref(w->object, w->name), "org",
                               json_ref(w->org, w->org_name), "warnings", warnings_json(w, collector), "collector", collector, "sending", sending, "sources",
                               l->items, "unlisted", unlisted_json(l), "steps", steps_json(l, collector, sending), "actions", way_actions_json(c));
    json_decref(collector);
    json_decref(sending);
    return rc;
}

int desk_onboarding(struct desk *d, const struct viewer *v, struct str object, time_ns now, struct desk_reply *r)
{
    struct log_rules rules = { 0 };
    struct laid *l = calloc(1, sizeof *l);
    struct call c;
    struct way w;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = l ? way_load(&c, object, &w) : err_set(c.e, -ENOMEM, "no memory");
    if (rc == 0)
        rc = log_rules_load(d->setup.node->content, &rules, c.e);
    if (rc == 0) {
        l->real = real_sources(&c, w.object);
        l->items = json_array();
        rc = tell(&c, &w, &rules, l);
        json_decref(l->real);
        json_decref(l->items);
        log_rules_free(&rules);
    }
    free(l);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}
