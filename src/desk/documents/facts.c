/* facts.c - what Saqshy measures itself and an auditor may lay beside a requirement: with when and by what it was measured. What nobody measures is said
 * to be not measured; nothing is guessed.
 *
 * log coverage: components of Annex 1 beside the sources that ingest knows (DATA/run/sources.json). retention: the days of the store (DATA/store) and the
 * number of days that are configured; both belong to the node, not to one object. The others are counted in the desk's own tables. */
#include "desk/documents/room.h"
#include "base/file.h"
#include "desk/integrity/integrity.h"

#include <sys/stat.h>

#define SOURCES_BYTES_MAX (16u * MIB)
#define FRESH_NS          (24 * NS_PER_HOUR)   /* a source is arriving if its last event is not older */
#define FACT_HOSTS_MAX    20000
#define STORE_DAYS_MAX    20000

struct fact {
    bool        measured;
    const char *key;      /* of the catalogue: document.fact.KEY */
    json_t     *args;     /* taken; NULL: none */
    const char *by;       /* what measured it */
    time_ns     at;       /* 0: now */
};

static json_t *fact_json(struct call *c, enum td_measure m, struct fact *f)
{
    json_t *text = json_object(), *out;
    char key[64];

    snprintf(key, sizeof key, "document.fact.%s", f->key);
    for (enum lang l = 0; l < LANG_COUNT; l++)
        json_object_set_new(text, lang_name(l), json_str(text_fill(&c->a, catalog_text(c->d->setup.catalog, l, key), f->args)));
    out = json_pack("{s:s, s:s, s:o, s:o, s:s}", "measure", td_measure_names[m], "state", f->measured ? "measured" : "not_measured", "text", text, "measured_at",
                    json_time(f->at ? f->at : c->now), "by", f->by);
    json_decref(f->args);
    return out;
}

static json_t *number(struct call *c, int64_t n) { return json_str(arena_printf(&c->a, "%lld", (long long)n)); }

static json_t *day_of(struct call *c, time_ns t)
{
    char day[16];

    local_date(c->d, t, day);   /* "2026-11-27", said as people here write it */
    return json_str(arena_printf(&c->a, "%.2s.%.2s.%.4s", day + 8, day + 5, day));
}

/* --- logs --- */

struct arriving {
    json_t *hosts;        /* {host in small letters: 1} of sources of the object that arrive */
    int64_t sources, agents;
    time_ns newest, written;
    bool    known;        /* ingest has written its list */
};

/* sources_read - the list is as old as its file: the moment of the measurement. */
static void sources_read(struct call *c, struct str object, struct arriving *out)
{
    AUTO_BUF struct buf b = { 0 };
    json_t *all, *list, *s, *agents = json_object();
    struct stat st;
    char path[4096];
    size_t i;

    *out = (struct arriving){ .hosts = json_object() };
    buf_init(&b, SOURCES_BYTES_MAX + 1);
    node_path(c->d->setup.node, "run/sources.json", path);
    out->known = file_read(path, SOURCES_BYTES_MAX, &b, NULL) >= 0 && stat(path, &st) == 0;
    out->written = out->known ? (time_ns)st.st_mtim.tv_sec * NS_PER_SECOND : 0;
    all = json_loadb(b.n ? b.p : "", b.n, 0, NULL);
    list = json_is_object(all) ? json_object_get(all, "items") : all;
    json_array_foreach(list, i, s) {
        struct str host = fold_text(json_get_str(s, "host"), &c->a);
        time_ns seen = 0;

        if (!str_eq(json_get_str(s, "object"), object) || !host.n || json_object_size(out->hosts) >= FACT_HOSTS_MAX)
            continue;
        (void)!time_parse_rfc3339(json_get_str(s, "last_seen"), &seen, NULL, NULL);
        if (seen > out->newest)
            out->newest = seen;
        if (c->now - seen > FRESH_NS)
            continue;
        out->sources++;
        json_object_setn_new(out->hosts, host.p, host.n, json_true());
        if (str_eq(json_get_str(s, "listener"), STR("otlp")))
            json_object_setn_new(agents, host.p, host.n, json_true());
    }
    out->agents = (int64_t)json_object_size(agents);
    json_decref(agents);
    json_decref(all);
}

static bool arrives(struct call *c, const struct arriving *a, struct str name)
{
    struct str low = fold_text(name, &c->a);

    return low.n && json_object_getn(a->hosts, low.p, low.n) != NULL;
}

static bool any_arrives(struct call *c, const struct arriving *a, const json_t *names)
{
    json_t *one;
    size_t i;

    json_array_foreach((json_t *)(uintptr_t)names, i, one)
        if (json_is_string(one) && arrives(c, a, str_c(json_string_value(one))))
            return true;
    return false;
}

/* covered - components of Annex 1 of which a source arrives: by name, address or domain name, or by the host that the list of logs gives them. */
static int covered(struct call *c, struct str object, const struct arriving *a, int64_t *count, int64_t *with)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT r.json, (SELECT json_group_array(l.host) FROM log_source l WHERE l.object_id = ?1 AND l.host IS NOT NULL AND l.component IN"
                                " (r.id, json_extract(r.json, '$.name'))) FROM record r WHERE r.kind = 'component' AND r.object_id = ?1 AND r.removed = 0 LIMIT"
                                " 20000", "t", object);
    int rc = st ? 0 : -EIO;

    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        struct str text = db_str(st, 0), hosts = db_str(st, 1);
        json_t *v = json_loadb(text.p, text.n, 0, NULL), *linked = json_loadb(hosts.p, hosts.n, 0, NULL);

        ++*count;
        *with += arrives(c, a, json_get_str(v, "name")) || any_arrives(c, a, json_object_get(v, "ip_addresses")) ||
                 any_arrives(c, a, json_object_get(v, "domain_names")) || any_arrives(c, a, linked);
        json_decref(v);
        json_decref(linked);
    }
    return rc;
}

static int fact_coverage(struct call *c, struct str object, const struct arriving *a, struct fact *out)
{
    int64_t count = 0, with = 0;
    int rc = covered(c, object, a, &count, &with);

    *out = (struct fact){ .measured = a->known && count, .key = !a->known ? "no_sources" : count ? "log_coverage" : "no_components", .by = "ingest", .at = a->written };
    out->args = json_pack("{s:o, s:o, s:o, s:o}", "with", number(c, with), "count", number(c, count), "sources", number(c, a->sources), "hosts",
                          number(c, (int64_t)json_object_size(a->hosts)));
    return rc;
}

/* oldest_day - the first of the store's days "YYYYMMDD"; 0: there is none. */
static int64_t oldest_day(struct call *c, int64_t *days)
{
    int64_t oldest = 0, seen = 0;
    struct dirent *f;
    char path[4096];
    DIR *dir = opendir(node_path(c->d->setup.node, "store", path));

    *days = 0;
    while (dir && seen++ < STORE_DAYS_MAX && (f = readdir(dir)) != NULL) {
        int64_t day = strlen(f->d_name) == 8 ? parse_id(str_c(f->d_name)) : 0;

        if (day < 19700101 || day > 99991231)
            continue;
        ++*days;
        if (!oldest || day < oldest)
            oldest = day;
    }
    if (dir)
        closedir(dir);
    return oldest;
}

static void fact_retention(struct call *c, struct fact *out)
{
    int64_t days, oldest = oldest_day(c, &days);

    *out = (struct fact){ .measured = oldest > 0, .key = oldest ? "retention" : "no_store", .by = "store" };
    out->args = json_pack("{s:o, s:o, s:o}", "day",
                          json_str(arena_printf(&c->a, "%02lld.%02lld.%04lld", (long long)(oldest % 100), (long long)(oldest / 100 % 100), (long long)(oldest / 10000))),
                          "days", number(c, days), "kept", number(c, c->d->setup.node->retention_days));
}

/* fact_agents - hosts that sent through an agent, hosts of which an agent listed the software (tables, "agent:HOST"), and the versions of ours among it. */
static int fact_agents(struct call *c, struct str object, const struct arriving *a, struct fact *out)
{
    int64_t listed = 0;
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT count(DISTINCT source), group_concat(DISTINCT CASE WHEN json_extract(json, '$.name') = 'saqshy-agent' THEN json_extract(json,"
                                " '$.version') END) FROM observed WHERE object_id = ? AND source LIKE 'agent:%'", "t", object);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;
    struct str versions = { NULL, 0 };

    if (rc > 0) {
        listed = sqlite3_column_int64(st, 0);
        versions = db_copy(st, 1, &c->a);
        db_done(st);
    }
    *out = (struct fact){ .measured = a->known || listed, .key = a->known || listed ? "agents" : "no_sources", .by = "ingest", .at = a->written };
    out->args = json_pack("{s:o, s:o, s:o}", "count", number(c, a->agents), "listed", number(c, listed), "versions", versions.n ? json_str(versions) : json_string("—"));
    return rc < 0 ? rc : 0;
}

/* fact_time_sync - what the agents of the object's hosts read of their clocks. Sources that come without an agent are named as such: when a line arrived says
 * nothing of the clock that stamped it. */
static int fact_time_sync(struct call *c, struct str object, const struct arriving *a, struct fact *out)
{
    struct fact_time t;
    int rc = integrity_time(c, object, &t);
    bool any = t.synchronised + t.unsynchronised + t.unreadable + t.silent > 0;

    *out = (struct fact){ .measured = t.synchronised + t.unsynchronised > 0, .key = !any ? "no_time_sync" : t.unsynchronised ? "time_sync_off" : "time_sync", .by = "agent",
                          .at = t.as_of };
    out->args = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "with", number(c, t.synchronised), "count", number(c, t.hosts), "off",
                          number(c, t.unsynchronised), "unreadable", number(c, t.unreadable), "silent", number(c, t.silent), "none", number(c, t.none), "sources",
                          number(c, (int64_t)json_object_size(a->hosts) - a->agents), "day", day_of(c, t.since), "host", json_str(t.worst.p ? t.worst : STR("—")));
    return rc;
}

/* fact_vulnerabilities - open ones that the owner knows of: what no letter has told yet is not told by a number either, nor by "there are none". */
static int fact_vulnerabilities(struct call *c, struct str object, struct fact *out)
{
    int64_t surveys = 0, open = 0, oldest = 0;
    int rc = db_int(c->d, c->e, 0, &surveys, "SELECT (SELECT count(*) FROM vuln_survey WHERE object_id = ?1 AND sent_at IS NOT NULL) + (SELECT count(*) FROM"
                                             " vuln_owner WHERE object_id = ?1 AND own = 1)", "t", object);

#define KNOWN "FROM vuln_owner WHERE object_id = ?1 AND open = 1"
    if (rc == 0)
        rc = db_int(c->d, c->e, 0, &open, "SELECT count(*) " KNOWN, "t", object);
    if (rc == 0 && open)
        rc = db_int(c->d, c->e, 0, &oldest, "SELECT min(first_detected_at) " KNOWN, "t", object);
#undef KNOWN
    *out = (struct fact){ .measured = surveys > 0, .key = open ? "vulnerability_age" : surveys ? "vulnerability_none" : "no_vulnerabilities", .by = "vulnerabilities" };
    out->args = json_pack("{s:o, s:o}", "count", number(c, open), "day", day_of(c, oldest));
    return rc;
}

/* fact_log_format - what the last comparison of a change of logging said of the form of Annex 4 (requests, logging_change). */
static int fact_log_format(struct call *c, struct str object, struct fact *out)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT state, updated_at, number FROM request WHERE object_id = ? AND kind = 'logging_change' AND state IN ('verified',"
                                "'non_conforming') ORDER BY id DESC LIMIT 1", "t", object);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    *out = (struct fact){ .key = "no_log_format", .by = "requests" };
    if (rc <= 0)
        return rc;
    *out = (struct fact){ .measured = true, .key = str_eq(db_str(st, 0), STR("verified")) ? "log_format_good" : "log_format_bad", .by = "requests",
                          .at = sqlite3_column_int64(st, 1), .args = json_pack("{s:o}", "number", db_json(st, 2)) };
    db_done(st);
    return 0;
}

/* --- what the desk counts --- */

static int fact_incidents(struct call *c, struct str object, struct fact *out)
{
    int64_t year = 0, open = 0;
    int rc = db_int(c->d, c->e, 0, &year, "SELECT count(*) FROM cases WHERE object_id = ?1 AND kind = 'incident' AND detected_at >= ?2", "ti", object,
                    c->now - 365 * NS_PER_DAY);

    if (rc == 0)
        rc = db_int(c->d, c->e, 0, &open, "SELECT count(*) FROM cases WHERE object_id = ?1 AND kind = 'incident' AND state <> 'closed'", "t", object);
    *out = (struct fact){ .measured = true, .key = "incidents", .by = "cases", .args = json_pack("{s:o, s:o}", "count", number(c, year), "open", number(c, open)) };
    return rc;
}

static int fact_passport(struct call *c, struct str object, struct fact *out)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT version, created_at, item_count FROM passport WHERE object_id = ? ORDER BY version DESC LIMIT 1", "t", object);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    *out = (struct fact){ .key = "no_passport", .by = "tables" };
    if (rc <= 0)
        return rc;
    *out = (struct fact){ .measured = true, .key = "passport", .by = "tables",
                          .args = json_pack("{s:o, s:o, s:o}", "version", number(c, sqlite3_column_int64(st, 0)), "day", day_of(c, sqlite3_column_int64(st, 1)), "count",
                                            number(c, sqlite3_column_int64(st, 2))) };
    db_done(st);
    return 0;
}

static int fact_changes(struct call *c, struct str object, struct fact *out)
{
    int64_t open = 0, year = 0;
    int rc = db_int(c->d, c->e, 0, &open, "SELECT count(*) FROM object_change WHERE object_id = ? AND state IN ('open','questioned')", "t", object);

    if (rc == 0)
        rc = db_int(c->d, c->e, 0, &year, "SELECT count(*) FROM object_change WHERE object_id = ?1 AND found_at >= ?2 AND state <> 'withdrawn'", "ti", object,
                    c->now - 365 * NS_PER_DAY);
    *out = (struct fact){ .measured = true, .key = "changes", .by = "tables", .args = json_pack("{s:o, s:o}", "count", number(c, year), "open", number(c, open)) };
    return rc;
}

static int fact_expiry(struct call *c, struct str object, struct fact *out)
{
    int64_t have = 0, expired = 0, review = 0;
    const struct enumeration *docs = NULL;
    char today[16];
    int rc = td_documents(c, c->now, &docs);

    local_date(c->d, c->now, today);
#define NEWEST "FROM td_document t WHERE t.object_id = ?1 AND t.version = (SELECT max(x.version) FROM td_document x WHERE x.object_id = ?1 AND x.document = t.document)"
    if (rc == 0)
        rc = db_int(c->d, c->e, 0, &have, "SELECT count(*) " NEWEST, "t", object);
    if (rc == 0)
        rc = db_int(c->d, c->e, 0, &expired, "SELECT count(*) " NEWEST " AND t.valid_until < ?2", "tz", object, today);
    if (rc == 0)
        rc = db_int(c->d, c->e, 0, &review, "SELECT count(*) " NEWEST " AND t.review_on < ?2", "tz", object, today);
#undef NEWEST
    *out = (struct fact){ .measured = true, .key = "document_expiry", .by = "documents" };
    out->args = json_pack("{s:o, s:o, s:o, s:o}", "have", number(c, have), "count", number(c, docs ? (int64_t)docs->count : 0), "expired", number(c, expired), "review",
                          number(c, review));
    return rc;
}

/* --- all of them --- */

int facts_json(struct call *c, struct str object, json_t **out)
{
    struct fact f[MEASURE_COUNT] = { 0 };
    struct arriving a;
    int rc;

    sources_read(c, object, &a);
    rc = fact_coverage(c, object, &a, &f[MEASURE_LOG_COVERAGE]);
    fact_retention(c, &f[MEASURE_RETENTION]);
    if (rc == 0)
        rc = fact_time_sync(c, object, &a, &f[MEASURE_TIME_SYNC]);
    if (rc == 0)
        rc = fact_agents(c, object, &a, &f[MEASURE_AGENTS]);
    if (rc == 0)
        rc = fact_vulnerabilities(c, object, &f[MEASURE_VULNERABILITY_AGE]);
    if (rc == 0)
        rc = fact_log_format(c, object, &f[MEASURE_LOG_FORMAT]);
    if (rc == 0)
        rc = fact_expiry(c, object, &f[MEASURE_DOCUMENT_EXPIRY]);
    if (rc == 0)
        rc = fact_incidents(c, object, &f[MEASURE_INCIDENTS]);
    if (rc == 0)
        rc = fact_passport(c, object, &f[MEASURE_PASSPORT]);
    if (rc == 0)
        rc = fact_changes(c, object, &f[MEASURE_CHANGES]);
    *out = json_array();
    for (size_t m = 0; m < MEASURE_COUNT; m++)
        if (f[m].key)
            json_array_append_new(*out, fact_json(c, (enum td_measure)m, &f[m]));
    json_decref(a.hosts);
    return rc;
}

int desk_td_facts(struct desk *d, const struct viewer *v, struct str object, time_ns now, struct desk_reply *r)
{
    json_t *facts = NULL, *items = json_array(), *f;
    struct call c;
    size_t i;

    desk_call_init(&c, d, v, now, r);
    int rc = td_object_reached(&c, object);
    if (rc == 0)
        rc = facts_json(&c, object, &facts);
    json_array_foreach(facts, i, f) {
        json_object_set_new(f, "text", json_str(said_in(&c, json_object_get(f, "text"), v->lang)));
        json_array_append(items, f);
    }
    json_decref(facts);
    r->json = json_pack("{s:o, s:n}", "items", items, "next");
    desk_call_free(&c);
    return refuse_rc(r, rc);
}
