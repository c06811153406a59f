/* api_collection_sources.c - sources as the collector knows them, held against the registry: a list that is filtered, sorted and paged here, and one of them. */
#include "portal/collection.h"
#include "portal/json_text.h"
#include "portal/lists.h"
#include "detect/coverage.h"
#include "desk/collection/collection.h"
#include "desk/scope.h"
#include "event/event.h"

#define OWN_LOG        "saqshyd"     /* our own log is nobody's object, and Annex 4 is not about it */
#define CURSOR_BYTES   640           /* "INDEX ID" */
#define SCORE_KEY_BYTES (2 * CURSOR_BYTES + 2)

/* --- what is odd about a source --- */

/* silent_after - see promise 1 of collection.h: the same as detection tells of. */
static int64_t silent_after(const struct source_view *v)
{
    return coverage_silent_after(picture_count(v->json, "silence_s"), (v->last - v->first) / NS_PER_SECOND, v->events);
}

static bool is_skewed(const char *kind) { return strcmp(kind, "zone") == 0 || strcmp(kind, "old_zone") == 0 || strcmp(kind, "off") == 0; }

/* score_key - two organisations may have a host of the same name: each has scores of its own. */
static const char *score_key(const char *id, const char *object, char out[SCORE_KEY_BYTES])
{
    snprintf(out, SCORE_KEY_BYTES, "%.*s\n%.*s", (int)CURSOR_BYTES, id, (int)CURSOR_BYTES, object);
    return out;
}

static void judge(struct source_view *v, const json_t *scores, time_ns now)
{
    char key[SCORE_KEY_BYTES];
    const char *kind = picture_text(json_object_get(v->json, "skew"), "kind");
    const json_t *score = json_object_get(scores, score_key(v->id, picture_text(v->json, "object"), key));
    bool own = strcmp(v->id, OWN_LOG) == 0;

    v->first = picture_time(v->json, "first_seen");
    v->last = picture_time(v->json, "last_seen");
    v->events = picture_count(v->json, "events");
    v->unparsed = picture_count(v->json, "unparsed");
    v->rate_min = now - v->last < NS_PER_MINUTE ? picture_count(v->json, "rate_min") : 0;   /* the file is as old as the last event */
    v->silent_after_s = silent_after(v);
    v->score = json_is_integer(score) ? json_integer_value(score) : -1;
    v->flags = (v->last == 0 || (now - v->last) / NS_PER_SECOND > v->silent_after_s ? FLAG_SILENT : 0) | (is_skewed(kind) ? FLAG_SKEWED : 0) |
               (strcmp(kind, "late") == 0 ? FLAG_LATE : 0) | (v->unparsed > 0 ? FLAG_UNPARSED : 0) |
               (!own && v->score >= 0 && v->score < SCORE_LOW ? FLAG_LOW_SCORE : 0) | (!own && !v->object ? FLAG_UNASSIGNED : 0) |
               (picture_count(v->json, "not_utf8") ? FLAG_ENCODING : 0) | (picture_count(v->json, "gaps") ? FLAG_GAPS : 0);
}

/* scores_of - the lowest score of each source and object: {score_key: percent}. */
static json_t *scores_of(const json_t *annex4)
{
    const json_t *list = json_object_get(annex4, "items"), *one;
    json_t *out = json_object();
    size_t i;

    json_array_foreach(list, i, one) {
        char key[SCORE_KEY_BYTES];
        const char *id = score_key(picture_text(one, "source"), picture_text(one, "object"), key);
        const json_t *score = json_object_get(one, "score"), *known = json_object_get(out, id);

        if (json_is_integer(score) && (!known || json_integer_value(known) > json_integer_value(score)))
            json_object_set_new(out, id, json_integer(json_integer_value(score)));
    }
    return out;
}

int sources_see(struct call *c, struct sources_seen *out)
{
    bool bounded = scope_of(&c->viewer).bounded;
    const json_t *s;
    size_t i, n;
    int rc;

    *out = (struct sources_seen){ .sources = pictures_get(c->portal->pictures, PICTURE_SOURCES), .annex4 = pictures_get(c->portal->pictures, PICTURE_ANNEX4) };
    rc = desk_collection_objects(c->desk, &c->viewer, &out->objects, &c->err);
    n = json_array_size(out->sources);
    out->view = calloc(n + 1, sizeof *out->view);
    out->scores = scores_of(out->annex4);
    if (rc == 0 && (!out->view || !out->scores))
        rc = err_set(&c->err, -ENOMEM, "no memory for the list of sources");
    if (rc < 0) {
        sources_done(out);
        return rc;
    }
    json_array_foreach(out->sources, i, s) {
        struct source_view v = { .json = s, .id = picture_text(s, "id"), .object = json_object_get(out->objects, picture_text(s, "object")) };

        if (!*v.id || (bounded && !v.object))
            continue;
        judge(&v, out->scores, c->now);
        out->view[out->count++] = v;
    }
    return 0;
}

void sources_done(struct sources_seen *s)
{
    json_decref(s->sources);
    json_decref(s->objects);
    json_decref(s->scores);
    json_decref(s->annex4);
    free(s->view);
    *s = (struct sources_seen){ 0 };
}

/* --- as the API shows it --- */

static const char *const flag_names[] = { "silent", "skewed", "late", "unparsed", "low_score", "unassigned", "encoding", "gaps" };   /* bit i has name i */

static json_t *text_or_null(const json_t *o, const char *key)
{
    const char *t = picture_text(o, key);

    return *t ? json_string(t) : json_null();
}

static json_t *flags_json(unsigned set)
{
    json_t *out = json_array();

    for (size_t i = 0; i < COUNT(flag_names); i++)
        if (set >> i & 1)
            json_array_append_new(out, json_string(flag_names[i]));
    return out;
}

/* parsers_json - who read its lines, the one with the most first. */
static json_t *parsers_json(const json_t *source)
{
    json_t *out = json_array(), *in = json_object_get(source, "parsers"), *v;
    const char *name;

    json_object_foreach(in, name, v) {
        size_t at = 0;

        while (at < json_array_size(out) && json_integer_value(json_object_get(json_array_get(out, at), "count")) >= json_integer_value(v))
            at++;
        json_array_insert_new(out, at, json_pack("{s:s,s:I}", "name", name, "count", picture_count(in, name)));
    }
    return out;
}

static json_t *skew_json(const json_t *source)
{
    const json_t *s = json_object_get(source, "skew"), *zone = json_object_get(s, "zone_min");

    return json_is_object(s) ? json_pack("{s:s,s:I,s:I,s:I,s:o}", "kind", picture_text(s, "kind"), "median_s",
                                         json_integer_value(json_object_get(s, "median_s")), "spread_s", picture_count(s, "spread_s"), "samples",
                                         picture_count(s, "samples"), "zone_min", json_is_integer(zone) ? json_integer(json_integer_value(zone)) : json_null())
                             : json_null();
}

static json_t *source_json(const struct source_view *v)
{
    const json_t *gaps = json_object_get(v->json, "gaps");
    json_t *o = json_pack("{s:s,s:s,s:o,s:o,s:s,s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:I,s:I,s:I,s:I,s:I}", "id", v->id, "host", picture_text(v->json, "host"), "object",
                          v->object ? json_pack("{s:s,s:O}", "id", picture_text(v->json, "object"), "name", json_object_get(v->object, "name")) : json_null(),
                          "org", v->object ? json_incref(json_object_get(v->object, "org")) : json_null(), "class",
                          event_class_name(event_class_parse(str_c(picture_text(v->json, "class")))), "listener", picture_text(v->json, "listener"), "address",
                          text_or_null(v->json, "peer"), "profile", text_or_null(v->json, "profile"), "flags", flags_json(v->flags), "first_seen_at",
                          json_moment(v->first), "last_seen_at", json_moment(v->last), "parsers", parsers_json(v->json), "silent_after_s",
                          v->silent_after_s, "rate_min", v->rate_min, "events", v->events, "unparsed", v->unparsed, "bytes",
                          picture_count(v->json, "bytes"));

    json_object_set_new(o, "truncated", json_integer(picture_count(v->json, "truncated")));
    json_object_set_new(o, "not_utf8", json_integer(picture_count(v->json, "not_utf8")));
    json_object_set_new(o, "encoding", text_or_null(v->json, "encoding"));
    json_object_set_new(o, "gaps", json_is_integer(gaps) ? json_integer(picture_count(v->json, "gaps")) : json_null());
    json_object_set_new(o, "skew", skew_json(v->json));
    json_object_set_new(o, "score", v->score >= 0 ? json_integer(v->score) : json_null());
    return o;
}

/* --- the list --- */

enum sort { SORT_TROUBLE, SORT_NAME, SORT_RATE, SORT_EVENTS, SORT_UNPARSED, SORT_LAST, SORT_SCORE, SORT_SKEW, SORT_COUNT };
static const char *const sorts[SORT_COUNT] = { "trouble", "name", "rate", "events", "unparsed", "last", "score", "skew" };

struct asked {
    struct str q, object, listener, class, parser;
    unsigned   flag;
    enum sort  sort;
};

static int64_t skew_of(const struct source_view *v) { return llabs(json_integer_value(json_object_get(json_object_get(v->json, "skew"), "median_s"))); }

static int64_t trouble_of(const struct source_view *v)
{
    if (v->flags & FLAG_SILENT)
        return INT64_MAX - v->last / NS_PER_SECOND;   /* the longest silent first */
    return 100 * !!(v->flags & FLAG_SKEWED) + 50 * !!(v->flags & FLAG_GAPS) + 20 * !!(v->flags & FLAG_LATE) + 10 * !!(v->flags & FLAG_LOW_SCORE) +
           5 * !!(v->flags & FLAG_UNASSIGNED);
}

/* key_of - the larger, the further up. */
static int64_t key_of(const struct source_view *v, enum sort sort)
{
    switch (sort) {
    case SORT_TROUBLE: return trouble_of(v);
    case SORT_RATE: return v->rate_min;
    case SORT_EVENTS: return v->events;
    case SORT_UNPARSED: return v->unparsed;
    case SORT_LAST: return v->last;
    case SORT_SCORE: return v->score < 0 ? -1000 : -v->score;
    case SORT_SKEW: return skew_of(v);
    default: return 0;
    }
}

static int compare(const void *a, const void *b, void *arg)
{
    const struct source_view *x = *(const struct source_view *const *)a, *y = *(const struct source_view *const *)b;
    enum sort sort = *(const enum sort *)arg;
    int64_t kx = key_of(x, sort), ky = key_of(y, sort);

    return kx != ky ? (kx > ky ? -1 : 1) : strcmp(x->id, y->id);
}

static bool has_parser(const struct source_view *v, struct str name)
{
    char key[128];

    snprintf(key, sizeof key, "%.*s", STR_ARG(name));
    return json_object_get(json_object_get(v->json, "parsers"), key) != NULL;
}

/* fits - but for the flag, which is counted for the others too. */
static bool fits(struct call *c, const struct source_view *v, const struct asked *a)
{
    if ((a->object.n && !str_eq(a->object, str_c(picture_text(v->json, "object")))) ||
        (a->listener.n && !str_eq(a->listener, str_c(picture_text(v->json, "listener")))) ||
        (a->class.n && !str_eq(a->class, str_c(picture_text(v->json, "class")))) || (a->parser.n && !has_parser(v, a->parser)))
        return false;
    return !a->q.n || list_holds(c, v->id, a->q) || list_holds(c, picture_text(v->json, "host"), a->q) || list_holds(c, picture_text(v->json, "peer"), a->q) ||
           list_holds(c, picture_text(v->object, "name"), a->q);
}

static int read_asked(struct call *c, struct asked *a)
{
    size_t flag = COUNT(flag_names), sort = SORT_TROUBLE;
    int rc;

    *a = (struct asked){ .object = params_get(&c->params, "object"), .listener = params_get(&c->params, "listener"), .class = params_get(&c->params, "class"),
                         .parser = params_get(&c->params, "parser") };
    rc = list_search(c, &a->q);
    if (rc == 0)
        rc = list_choice(c, "flag", flag_names, COUNT(flag_names), &flag);
    if (rc == 0)
        rc = list_choice(c, "sort", sorts, SORT_COUNT, &sort);
    a->flag = flag < COUNT(flag_names) ? 1u << flag : 0;
    a->sort = (enum sort)sort;
    return rc;
}

static const char *id_at(const void *rows, size_t i) { return ((const struct source_view *const *)rows)[i]->id; }

static json_t *counts_json(const size_t *counts, size_t all)
{
    json_t *o = json_object();

    for (size_t i = 0; i < COUNT(flag_names); i++)
        json_object_set_new(o, flag_names[i], json_integer((json_int_t)counts[i]));
    json_object_set_new(o, "all", json_integer((json_int_t)all));
    return o;
}

static int answer_list(struct call *c, const struct sources_seen *seen, struct asked *a, int limit, struct str before)
{
    AUTO_FREE const struct source_view **row = calloc(seen->count + 1, sizeof *row);
    size_t n = 0, at, all = 0, counts[COUNT(flag_names)] = { 0 };
    json_t *items = json_array();
    char now[TIME_TEXT_MAX];
    int rc = row ? 0 : err_set(&c->err, -ENOMEM, "no memory for the list of sources");

    for (size_t i = 0; rc == 0 && i < seen->count; i++) {
        const struct source_view *v = &seen->view[i];

        if (!fits(c, v, a))
            continue;
        all++;
        for (size_t k = 0; k < COUNT(flag_names); k++)
            counts[k] += v->flags >> k & 1;
        if (!a->flag || (v->flags & a->flag))
            row[n++] = v;
    }
    if (rc == 0) {
        qsort_r(row, n, sizeof *row, compare, &a->sort);
        rc = list_begin(c, row, n, id_at, before, &at);
    }
    if (rc < 0) {
        json_decref(items);
        return rc;
    }
    for (size_t i = at; i < n && i < at + (size_t)limit; i++)
        json_array_append_new(items, source_json(row[i]));
    return call_json(c, 200, json_pack("{s:s,s:I,s:o,s:o,s:o}", "now", time_format_utc(c->now, now), "total", (json_int_t)n, "counts",
                                       counts_json(counts, all), "items", items, "next", list_next(row, n, id_at, at + (size_t)limit)));
}

int api_collection_sources(struct call *c)
{
    struct sources_seen seen;
    struct str before;
    struct asked a;
    int limit, rc = call_page_within(c, CURSOR_BYTES, &limit, &before);

    if (rc == 0)
        rc = read_asked(c, &a);
    if (rc == 0)
        rc = sources_see(c, &seen);
    if (rc < 0)
        return rc;
    rc = answer_list(c, &seen, &a, limit, before);
    sources_done(&seen);
    return rc;
}

int api_collection_source(struct call *c)
{
    struct str id = params_get(&c->params, "id");
    struct sources_seen seen;
    char now[TIME_TEXT_MAX];
    int rc = id.n ? sources_see(c, &seen) : err_set(&c->err, -EINVAL, "id");

    if (rc < 0)
        return rc;
    rc = -ENOENT;
    for (size_t i = 0; i < seen.count; i++)
        if (str_eq(id, str_c(seen.view[i].id))) {
            rc = call_json(c, 200, json_pack("{s:s,s:o}", "now", time_format_utc(c->now, now), "source", source_json(&seen.view[i])));
            break;
        }
    sources_done(&seen);
    return rc;
}
