/* api_collection.c - listeners, parsers, upstreams and storage as other roles publish them, what is alarming about them, and what people tell the collector. */
#include "portal/collection.h"
#include "portal/json_text.h"
#include "desk/collection/collection.h"
#include "desk/scope.h"

#include <math.h>

#define DEAD_S      120     /* an upstream that begins anew is no news */
#define SLOW_S      900
#define DISK_SOON_DAYS 30   /* whoever buys a disk needs as long */
#define NAMES_MAX   5       /* of silent sources in an alarm */
#define DETAILS_MAX 16      /* further members of a listener of a kind that tells more */

static json_t *picture(struct call *c, enum picture which) { return pictures_get(c->portal->pictures, which); }

/* is_fresh - does whoever writes this picture still do so? */
static bool is_fresh(const struct call *c, const json_t *o)
{
    time_ns at = picture_time(o, "at");

    return at && c->now - at < PICTURE_OLD_NS;
}

/* lately - what happened to a counter of a listener or an upstream in the last quarter of an hour. */
static struct moved lately(const struct call *c, const char *kind, const char *id, const char *counter)
{
    char whose[300];

    snprintf(whose, sizeof whose, "%s/%.200s", kind, id);
    return pictures_moved(c->portal->pictures, whose, counter);
}

static json_t *rate_json(double rate) { return rate < 0 ? json_null() : json_real(round(rate * 10) / 10); }

/* reasons_json - {reason: count}, as it stands. */
static json_t *reasons_json(const json_t *o)
{
    json_t *out = json_object(), *v;
    const char *key;

    json_object_foreach((json_t *)(uintptr_t)o, key, v)
        if (json_is_integer(v))
            json_object_set(out, key, v);
    return out;
}

/* --- listeners --- */

static const char *const listener_members[] = { "id", "kind", "address", "port", "tls", "client", "paused", "connections", "accepted", "slowed", "read", "events",
                                                "bytes", "unparsed", "truncated", "kernel_drops", "rate_min", "last_event", "refused", "turned_away", NULL };

/* details_json - what a kind tells besides: [{name, value}]. */
static json_t *details_json(const json_t *l)
{
    json_t *out = json_array(), *v;
    const char *key;

    json_object_foreach((json_t *)(uintptr_t)l, key, v) {
        bool known = false;

        for (const char *const *m = listener_members; *m; m++)
            known = known || strcmp(*m, key) == 0;
        if (known || json_array_size(out) == DETAILS_MAX)
            continue;
        if (json_is_string(v))
            json_array_append_new(out, json_pack("{s:s,s:O}", "name", key, "value", v));
        else if (json_is_integer(v))
            json_array_append_new(out, json_pack("{s:s,s:o}", "name", key, "value", json_sprintf("%lld", (long long)json_integer_value(v))));
    }
    return out;
}

static const char *listener_state(const json_t *l, int64_t trouble, int64_t drops)
{
    return trouble > 0 ? "refuses" : drops > 0 ? "loses" : json_is_true(json_object_get(l, "paused")) ? "paused" : "listening";
}

static json_t *listener_json(const struct call *c, const json_t *l)
{
    const char *id = picture_text(l, "id");
    struct moved read = lately(c, "listener", id, "read"), trouble = lately(c, "listener", id, "trouble"), away = lately(c, "listener", id, "away"),
                 drops = lately(c, "listener", id, "drops");
    json_t *o = json_pack("{s:s,s:s,s:s,s:I,s:b,s:s,s:s,s:o,s:o}", "id", id, "kind", picture_text(l, "kind"), "address", picture_text(l, "address"), "port",
                          picture_count(l, "port"), "tls", json_is_true(json_object_get(l, "tls")), "client", picture_text(l, "client"), "state",
                          listener_state(l, trouble.lately, drops.lately), "last_event_at", json_moment(picture_time(l, "last_event")), "rate_s",
                          rate_json(read.rate_s >= 0 ? read.rate_s : (double)picture_count(l, "rate_min") / 60.0));
    static const char *const counts[] = { "connections", "accepted", "slowed", "read", "events", "bytes", "unparsed", "truncated", "kernel_drops", "rate_min" };

    for (size_t i = 0; i < COUNT(counts); i++)
        json_object_set_new(o, counts[i], json_integer(picture_count(l, counts[i])));
    json_object_set_new(o, "refused", reasons_json(json_object_get(l, "refused")));
    json_object_set_new(o, "turned_away", reasons_json(json_object_get(l, "turned_away")));
    json_object_set_new(o, "lately", json_pack("{s:I,s:I,s:I}", "refused", (json_int_t)trouble.lately, "turned_away", (json_int_t)away.lately, "kernel_drops",
                                               (json_int_t)drops.lately));
    json_object_set_new(o, "details", details_json(l));
    return o;
}

int api_collection_listeners(struct call *c)
{
    json_t *ingest = picture(c, PICTURE_INGEST), *items = json_array(), *config = json_object_get(ingest, "config"), *l;
    const char *error = picture_text(config, "error");
    char now[TIME_TEXT_MAX];
    size_t i;
    int rc;

    json_array_foreach(json_object_get(ingest, "listeners"), i, l)
        json_array_append_new(items, listener_json(c, l));
    rc = call_json(c, 200, json_pack("{s:s,s:o,s:b,s:b,s:I,s:o,s:o,s:n}", "now", time_format_utc(c->now, now), "at", json_moment(picture_time(ingest, "at")),
                                     "expected", node_has_role(c->portal->setup.node, ROLE_INGEST), "running", is_fresh(c, ingest), "reloads",
                                     picture_count(config, "number"), "config_error", *error ? json_string(error) : json_null(), "items", items, "next"));
    json_decref(ingest);
    return rc;
}

/* --- parsers --- */

/* built_in - readers in C that took lines of some source and are no file: {name: lines}. */
static json_t *built_in(const json_t *sources, const json_t *files)
{
    json_t *out = json_object(), *v;
    const json_t *s;
    const char *name;
    size_t i;

    json_array_foreach(sources, i, s)
        json_object_foreach(json_object_get(s, "parsers"), name, v)
            json_object_set_new(out, name, json_integer(json_integer_value(json_object_get(out, name)) + json_integer_value(v)));
    json_array_foreach(files, i, s)
        json_object_del(out, picture_text(s, "id"));
    return out;
}

static json_t *parser_json(const json_t *p)
{
    const char *why = picture_text(p, "reason"), *file = picture_text(p, "file");
    bool loaded = json_is_true(json_object_get(p, "loaded"));

    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:I,s:I,s:I,s:s,s:o,s:o}", "id", picture_text(p, "id"), "title", picture_text(p, "title"), "class",
                     picture_text(p, "class"), "origin", strstr(file, "/content/parsers/") ? "ours" : "own", "state",
                     loaded && *why ? "old" : loaded ? "loaded" : "refused", "patterns", picture_count(p, "patterns"), "samples",
                     picture_count(p, "samples"), "lines", picture_count(p, "lines"), "file", file, "reason", *why ? json_string(why) : json_null(), "version",
                     *picture_text(p, "version") ? json_string(picture_text(p, "version")) : json_null());
}

int api_collection_parsers(struct call *c)
{
    json_t *all = picture(c, PICTURE_PARSERS), *sources = picture(c, PICTURE_SOURCES), *files = json_object_get(all, "parsers"), *items = json_array();
    json_t *others = built_in(sources, files), *v;
    const json_t *p;
    const char *name;
    size_t i;
    int rc;

    json_array_foreach(files, i, p)
        json_array_append_new(items, parser_json(p));
    json_object_foreach(others, name, v)
        json_array_append_new(items, json_pack("{s:s,s:s,s:s,s:s,s:s,s:i,s:i,s:O,s:s,s:n,s:n}", "id", name, "title", "", "class", "", "origin", "built_in", "state",
                                               "loaded", "patterns", 0, "samples", 0, "lines", v, "file", "", "reason", "version"));
    rc = call_json(c, 200, json_pack("{s:I,s:o,s:n}", "limits", picture_count(all, "limits"), "items", items, "next"));
    json_decref(all);
    json_decref(sources);
    json_decref(others);
    return rc;
}

/* --- upstreams --- */

/* upstream_alarm - not connected for some minutes while events wait, or connected and far behind; NULL: neither. */
static const char *upstream_alarm(const json_t *u)
{
    const char *state = picture_text(u, "state");
    int64_t behind_s = picture_count(u, "behind_s");

    if (strcmp(state, "off") == 0)
        return NULL;
    if (strcmp(state, "connected") != 0)
        return behind_s > DEAD_S ? "upstream_dead" : NULL;
    return behind_s > SLOW_S ? "upstream_slow" : NULL;
}

static json_t *upstream_json(const struct call *c, const json_t *u)
{
    const char *error = picture_text(u, "last_error"), *name = picture_text(u, "name");

    json_t *o = json_pack("{s:s,s:s,s:s,s:s,s:I,s:I,s:I,s:I,s:I,s:o,s:o,s:o}", "name", name, "kind", picture_text(u, "kind"), "address", picture_text(u, "address"),
                     "state", picture_text(u, "state"), "seq", picture_count(u, "seq"), "behind_events", picture_count(u, "behind_events"), "behind_s",
                     picture_count(u, "behind_s"), "sent", picture_count(u, "sent"), "bytes", picture_count(u, "bytes"), "rate_s",
                     rate_json(lately(c, "upstream", name, "sent").rate_s), "last_error", *error ? json_string(error) : json_null(), "last_sent_at",
                     json_moment(picture_time(u, "last_sent")));
    static const char *const counts[] = { "held_bytes", "refused", "given_up", "damaged", "failures" };

    for (size_t i = 0; i < COUNT(counts); i++)
        json_object_set_new(o, counts[i], json_integer(picture_count(u, counts[i])));
    json_object_set_new(o, "filter", json_string(picture_text(u, "filter")));
    json_object_set_new(o, "tls", json_boolean(json_is_true(json_object_get(u, "tls"))));
    json_object_set_new(o, "last_error_at", json_moment(picture_time(u, "last_error_at")));
    json_object_set_new(o, "alarm", upstream_alarm(u) ? json_true() : json_false());
    return o;
}

int api_collection_upstreams(struct call *c)
{
    json_t *forward = picture(c, PICTURE_FORWARD), *items = json_array();
    const char *error = picture_text(json_object_get(forward, "config"), "error");
    const json_t *u;
    char now[TIME_TEXT_MAX];
    size_t i;
    int rc;

    json_array_foreach(json_object_get(forward, "upstreams"), i, u)
        json_array_append_new(items, upstream_json(c, u));
    rc = call_json(c, 200, json_pack("{s:s,s:b,s:b,s:o,s:o,s:n}", "now", time_format_utc(c->now, now), "expected",
                                     node_has_role(c->portal->setup.node, ROLE_FORWARD), "running", is_fresh(c, forward), "config_error",
                                     *error ? json_string(error) : json_null(), "items", items, "next"));
    json_decref(forward);
    return rc;
}

/* --- storage --- */

/* retention_json - the picture as it stands, but for the basis of the terms, which is told in one language. */
static json_t *retention_json(const struct call *c, const json_t *all)
{
    static const char *const parts[] = { "store", "growth", "outlook", "space", "holds" };
    json_t *out = json_pack("{s:o,s:b}", "at", json_moment(picture_time(all, "at")), "fresh", is_fresh(c, all));
    json_t *terms = json_copy(json_object_get(all, "terms"));

    json_object_set(terms, "basis", json_object_get(json_object_get(terms, "basis"), lang_name(c->lang)));
    json_object_set_new(out, "terms", terms);
    for (size_t i = 0; i < COUNT(parts); i++)
        json_object_set(out, parts[i], json_object_get(all, parts[i]));
    return out;
}

int api_collection_storage(struct call *c)
{
    json_t *all = picture(c, PICTURE_RETENTION);
    char now[TIME_TEXT_MAX];
    int rc = call_json(c, 200, json_pack("{s:s,s:o}", "now", time_format_utc(c->now, now), "retention", all ? retention_json(c, all) : json_null()));

    json_decref(all);
    return rc;
}

/* --- alarms --- */

static void add_alarm(json_t *items, const char *kind, const char *subject, int64_t count, time_ns since, const char *text, json_t *names)
{
    json_array_append_new(items, json_pack("{s:s,s:o,s:o,s:o,s:o,s:o}", "kind", kind, "subject", subject ? json_string(subject) : json_null(), "count",
                                           count > 0 ? json_integer(count) : json_null(), "since_at", json_moment(since), "text",
                                           text && *text ? json_string(text) : json_null(), "names", names ? names : json_array()));
}

static void alarms_of_listeners(const struct call *c, const json_t *ingest, json_t *items)
{
    const json_t *l;
    size_t i;

    if (node_has_role(c->portal->setup.node, ROLE_INGEST) && !is_fresh(c, ingest))
        add_alarm(items, "collector_down", NULL, 0, picture_time(ingest, "at"), NULL, NULL);
    if (*picture_text(json_object_get(ingest, "config"), "error"))
        add_alarm(items, "config_refused", NULL, 0, 0, picture_text(json_object_get(ingest, "config"), "error"), NULL);
    json_array_foreach(json_object_get(ingest, "listeners"), i, l) {
        const char *id = picture_text(l, "id");
        int64_t trouble = lately(c, "listener", id, "trouble").lately, drops = lately(c, "listener", id, "drops").lately;

        if (trouble > 0)
            add_alarm(items, "listener_refuses", id, trouble, 0, NULL, NULL);
        if (drops > 0)
            add_alarm(items, "listener_loses", id, drops, 0, NULL, NULL);
        if (json_is_true(json_object_get(l, "paused")))
            add_alarm(items, "listener_paused", id, 0, 0, NULL, NULL);
    }
}

static void alarms_of_files(const struct call *c, const json_t *parsers, const json_t *forward, json_t *items)
{
    const json_t *one;
    size_t i;

    json_array_foreach(json_object_get(parsers, "parsers"), i, one)
        if (*picture_text(one, "reason"))
            add_alarm(items, "parser_refused", picture_text(one, "id"), 0, 0, picture_text(one, "reason"), NULL);
    json_array_foreach(json_object_get(forward, "upstreams"), i, one) {
        const char *name = picture_text(one, "name");
        int64_t given_up = lately(c, "upstream", name, "given_up").lately;

        if (upstream_alarm(one))
            add_alarm(items, upstream_alarm(one), name, picture_count(one, "behind_events"), picture_time(one, "last_sent"), picture_text(one, "last_error"), NULL);
        if (given_up > 0)
            add_alarm(items, "upstream_gave_up", name, given_up, 0, NULL, NULL);
    }
}

/* alarms_of_storage - the disk: its reserve, the room that is left, an archive that is not there. */
static void alarms_of_storage(const json_t *all, json_t *items)
{
    const json_t *space = json_object_get(all, "space"), *outlook = json_object_get(all, "outlook"), *full = json_object_get(outlook, "full_in_days");
    const json_t *archive = json_object_get(json_object_get(all, "store"), "archive");
    const char *state = picture_text(space, "state");

    if (strcmp(state, "touched") == 0)
        add_alarm(items, "disk_reserve", NULL, 0, picture_time(space, "since"), NULL, NULL);
    else if (strcmp(state, "low") == 0)
        add_alarm(items, "disk_low", NULL, 0, picture_time(space, "since"), NULL, NULL);
    else if (json_is_integer(full) && json_integer_value(full) <= DISK_SOON_DAYS)
        add_alarm(items, "disk_soon", NULL, json_integer_value(full) > 0 ? json_integer_value(full) : 1, 0, picture_text(outlook, "full_on"), NULL);
    if (json_is_object(archive) && !json_is_true(json_object_get(archive, "there")))
        add_alarm(items, "archive_missing", picture_text(archive, "folder"), 0, 0, picture_text(archive, "error"), NULL);
}

/* alarm_of_sources - those that became silent within the last days: one alarm, with the first names. */
static int alarm_of_sources(struct call *c, json_t *items)
{
    struct sources_seen seen;
    json_t *names = json_array();
    time_ns since = 0;
    int64_t count = 0;
    int rc = sources_see(c, &seen);

    for (size_t i = 0; rc == 0 && i < seen.count; i++) {
        const struct source_view *v = &seen.view[i];

        if (!(v->flags & FLAG_SILENT) || (c->now - v->last) / NS_PER_SECOND > SILENT_MOST_S + v->silent_after_s)
            continue;
        count++;
        since = !since || v->last < since ? v->last : since;
        if (json_array_size(names) < NAMES_MAX)
            json_array_append_new(names, json_string(v->id));
    }
    if (rc == 0)
        sources_done(&seen);
    if (count > 0)
        add_alarm(items, "source_silent", NULL, count, since, NULL, names);
    else
        json_decref(names);
    return rc;
}

int api_collection_alarms(struct call *c)
{
    json_t *items = json_array();
    char now[TIME_TEXT_MAX];
    int rc;

    if (!scope_of(&c->viewer).bounded) {
        json_t *ingest = picture(c, PICTURE_INGEST), *parsers = picture(c, PICTURE_PARSERS), *forward = picture(c, PICTURE_FORWARD);
        json_t *retention = picture(c, PICTURE_RETENTION);

        alarms_of_storage(retention, items);
        json_decref(retention);
        alarms_of_listeners(c, ingest, items);
        alarms_of_files(c, parsers, forward, items);
        json_decref(ingest);
        json_decref(parsers);
        json_decref(forward);
    }
    rc = alarm_of_sources(c, items);
    if (rc < 0) {
        json_decref(items);
        return rc;
    }
    return call_json(c, 200, json_pack("{s:s,s:o,s:n}", "now", time_format_utc(c->now, now), "items", items, "next"));
}

/* --- what people tell the collector --- */

int api_source_profiles(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_source_profiles(c->desk, &c->viewer, &r), 200, &r);
}

int api_source_profile_create(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_source_profile_create(c->desk, &c->viewer, c->body, c->now, &r), 201, &r);
}

int api_source_profile_update(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_source_profile_update(c->desk, &c->viewer, c->match.arg[0], c->body, c->now, &r), 200, &r);
}

int api_source_profile_remove(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_source_profile_remove(c->desk, &c->viewer, c->match.arg[0], c->now, &r), 204, &r);
}

/* put_last_use - of a token: when a source whose name begins with its name last sent by HTTP. */
static void put_last_use(json_t *token, const json_t *sources, const json_t *listeners)
{
    const char *name = picture_text(token, "name");
    size_t n = strlen(name), i, k;
    const json_t *s, *l;
    time_ns last = 0;
    int64_t events = 0;

    json_array_foreach(sources, i, s) {
        const char *id = picture_text(s, "id"), *by = picture_text(s, "listener");
        bool http = false;

        if (strncmp(id, name, n) != 0 || (id[n] && id[n] != '/'))
            continue;
        json_array_foreach(listeners, k, l)
            if (strcmp(picture_text(l, "id"), by) == 0)
                http = strcmp(picture_text(l, "kind"), "bulk") == 0 || strcmp(picture_text(l, "kind"), "hec") == 0;
        if (!http)
            continue;
        last = picture_time(s, "last_seen") > last ? picture_time(s, "last_seen") : last;
        events += picture_count(s, "events");
    }
    json_object_set_new(token, "last_event_at", json_moment(last));
    json_object_set_new(token, "events", json_integer(events));
}

int api_sender_tokens(struct call *c)
{
    json_t *sources = picture(c, PICTURE_SOURCES), *ingest = picture(c, PICTURE_INGEST), *t;
    struct desk_reply r = { 0 };
    size_t i;
    int rc = desk_sender_tokens(c->desk, &c->viewer, &r);

    if (rc == 0)
        json_array_foreach(json_object_get(r.json, "items"), i, t)
            put_last_use(t, sources, json_object_get(ingest, "listeners"));
    json_decref(sources);
    json_decref(ingest);
    return call_desk(c, rc, 200, &r);
}

int api_sender_token_create(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_sender_token_create(c->desk, &c->viewer, c->body, c->now, &r), 201, &r);
}

int api_sender_token_remove(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_sender_token_remove(c->desk, &c->viewer, c->match.arg[0], c->now, &r), 204, &r);
}

/* --- legal holds, and what was removed --- */

int api_holds(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_holds(c->desk, &c->viewer, c->now, &r), 200, &r);
}

int api_hold_set(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_hold_set(c->desk, &c->viewer, c->body, c->now, &r), 201, &r);
}

int api_hold_release(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_hold_release(c->desk, &c->viewer, c->match.arg[0], c->body, c->now, &r), 200, &r);
}

int api_dropped(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_dropped(c->desk, &c->viewer, &r), 200, &r);
}
