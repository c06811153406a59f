/* api_sources.c - where events come from, and the objects they belong to.
 *
 * DATA/run/sources.json is written by ingest every few seconds: an array of {id, host, object, class, first_seen, last_seen, events, unparsed,
 * bytes, lag_s, parsers: {name: count}}; moments are RFC 3339. What is missing there is shown as unknown. */
#include "base/file.h"
#include "event/event.h"
#include "desk/scope.h"
#include "portal/internal.h"

#define SOURCES_BYTES_MAX (16u * MIB)
#define SILENT_NS         (15 * NS_PER_MINUTE)
#define LATE_S            300.0

/* load_sources - an array, empty if ingest has written nothing yet. NULL only without memory. */
static json_t *load_sources(const struct call *c)
{
    char path[4096];
    AUTO_BUF struct buf b;
    json_t *all = NULL;

    buf_init(&b, SOURCES_BYTES_MAX + 1);
    if (file_read(node_path(c->portal->setup.node, "run/sources.json", path), SOURCES_BYTES_MAX, &b, NULL) == 0)
        all = json_loadb(b.n ? b.p : "", b.n, 0, NULL);
    if (json_is_object(all)) {
        json_t *items = json_incref(json_object_get(all, "items"));

        json_decref(all);
        all = items;
    }
    if (json_is_array(all))
        return all;
    json_decref(all);
    return json_array();
}

static const char *text_of(const json_t *s, const char *key)
{
    const char *t = json_string_value(json_object_get(s, key));

    return t ? t : "";
}

static bool time_of(const json_t *s, const char *key, time_ns *out)
{
    const json_t *j = json_object_get(s, key);

    if (json_is_integer(j) && json_integer_value(j) > 0) {
        *out = json_integer_value(j);
        return true;
    }
    return json_is_string(j) && time_parse_rfc3339(str_c(json_string_value(j)), out, NULL, NULL) == 0;
}

static json_t *count_of(const json_t *s, const char *key)
{
    json_int_t n = json_integer_value(json_object_get(s, key));

    return json_integer(n > 0 ? n : 0);
}

/* object_ref - {id, name} of an object among those of the viewer, or null. */
static json_t *object_ref(const json_t *names, const char *id)
{
    const json_t *name = json_object_get(names, id);

    return name ? json_pack("{s:s,s:O}", "id", id, "name", name) : json_null();
}

static json_t *parser_counts(const json_t *s)
{
    json_t *in = json_object_get(s, "parsers"), *out = json_object(), *v;
    const char *name;

    json_object_foreach(in, name, v)
        if (json_is_integer(v) && json_integer_value(v) >= 0)
            json_object_set(out, name, v);
    return out;
}

static json_t *one_source(const json_t *s, const json_t *names, time_ns now)
{
    const json_t *lag = json_object_get(s, "lag_s");
    char seen_text[TIME_TEXT_MAX];
    time_ns seen = 0;
    bool known = time_of(s, "last_seen", &seen);
    const char *state = "ok";

    if (!known || now - seen > SILENT_NS)
        state = "silent";
    else if (json_is_number(lag) && json_number_value(lag) > LATE_S)
        state = "late";
    return json_pack("{s:s,s:s,s:o,s:s,s:s,s:o,s:o,s:o,s:o,s:o}", "id", text_of(s, "id"), "host", text_of(s, "host"), "object",
                     object_ref(names, text_of(s, "object")), "class",
                     event_class_name(event_class_parse(str_c(text_of(s, "class")))), "state", state, "last_seen",
                     known ? json_string(time_format_utc(seen, seen_text)) : json_null(), "events", count_of(s, "events"),
                     "unparsed", count_of(s, "unparsed"), "parser_counts", parser_counts(s), "lag_s",
                     json_is_number(lag) ? json_real(json_number_value(lag)) : json_null());
}

/* by_silence - the longest silent first, those never heard before all others; names settle the rest. */
static int by_silence(const void *a, const void *b)
{
    const json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;
    time_ns tx = INT64_MIN, ty = INT64_MIN;

    time_of(x, "last_seen", &tx);
    time_of(y, "last_seen", &ty);
    return tx != ty ? (tx < ty ? -1 : 1) : strcmp(text_of(x, "id"), text_of(y, "id"));
}

static json_t *sorted(json_t *items)
{
    size_t n = json_array_size(items);
    json_t **row = calloc(n + 1, sizeof *row), *out = json_array();

    for (size_t i = 0; row && i < n; i++)
        row[i] = json_array_get(items, i);
    if (row)
        qsort(row, n, sizeof *row, by_silence);
    for (size_t i = 0; row && i < n; i++)
        json_array_append(out, row[i]);
    free(row);
    json_decref(items);
    return out;
}

int api_sources(struct call *c)
{
    json_t *names = NULL, *all, *items, *s;
    char now[TIME_TEXT_MAX];
    size_t i;
    int rc = desk_object_names(c->desk, &c->viewer, &names, &c->err);

    if (rc < 0)
        return rc;
    all = load_sources(c);
    items = json_array();
    json_array_foreach(all, i, s)
        if (!scope_of(&c->viewer).bounded || json_object_get(names, text_of(s, "object")))
            json_array_append_new(items, one_source(s, names, c->now));
    json_decref(all);
    json_decref(names);
    return call_json(c, 200, json_pack("{s:s,s:o,s:n}", "now", time_format_utc(c->now, now), "items", sorted(items), "next"));
}

/* put_last_event - into an object of the desk: when the last event of one of its sources came. */
static void put_last_event(json_t *object, const json_t *sources)
{
    const char *id = text_of(object, "id");
    char text[TIME_TEXT_MAX];
    time_ns last = INT64_MIN, seen;
    const json_t *s;
    size_t i;

    json_array_foreach(sources, i, s)
        if (strcmp(text_of(s, "object"), id) == 0 && time_of(s, "last_seen", &seen) && seen > last)
            last = seen;
    if (last != INT64_MIN)
        json_object_set_new(object, "last_event_at", json_string(time_format_utc(last, text)));
}

static int object_answer(struct call *c, int rc, int status, struct desk_reply *r)
{
    json_t *sources, *items, *o;
    size_t i;

    if (rc == 0 && r->json) {
        sources = load_sources(c);
        items = json_object_get(r->json, "items");
        json_array_foreach(items, i, o)
            put_last_event(o, sources);
        if (!items)
            put_last_event(r->json, sources);
        json_decref(sources);
    }
    return call_desk(c, rc, status, r);
}

int api_objects(struct call *c)
{
    struct desk_reply r = { 0 };
    struct str before;
    int limit, rc = call_page(c, &limit, &before);

    return rc < 0 ? rc : object_answer(c, desk_objects(c->desk, &c->viewer, limit, before, &r), 200, &r);
}

int api_object(struct call *c)
{
    struct desk_reply r = { 0 };
    int rc = desk_object(c->desk, &c->viewer, c->match.arg[0], c->now, &r);
    char target[160];

    /* Its contacts are data of persons: who reads them is written down. */
    snprintf(target, sizeof target, "object/%.*s", STR_ARG(c->match.arg[0]));
    if (rc == 0)
        rc = desk_audit_note(c->desk, &c->viewer, "personal.read", target, NULL, "ok", c->now, &r.err);
    return object_answer(c, rc, 200, &r);
}

int api_object_create(struct call *c)
{
    struct desk_reply r = { 0 };

    return object_answer(c, desk_object_create(c->desk, &c->viewer, c->body, c->now, &r), 201, &r);
}

int api_object_update(struct call *c)
{
    struct desk_reply r = { 0 };

    return object_answer(c, desk_object_update(c->desk, &c->viewer, c->match.arg[0], c->body, c->now, &r), 200, &r);
}
