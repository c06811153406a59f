/* api_risk.c - what hosts and users have on their account (detect/risk.h), the highest first. Whoever is bound to an organisation sees the accounts of its objects. */
#include "portal/collection.h"
#include "portal/json_text.h"
#include "portal/lists.h"
#include "desk/collection/collection.h"
#include "desk/detection/detection.h"
#include "desk/scope.h"

#define RULES_SHOWN  5

struct asked_risk {
    struct str q, kind;
    bool       over;
};

static double number_of(const json_t *o, const char *key)
{
    double v = json_number_value(json_object_get(o, key));

    return v > 0 ? v : 0;
}

static json_t *rules_json(const struct call *c, const json_t *list)
{
    json_t *out = json_array();
    const json_t *r;
    size_t i;

    json_array_foreach(list, i, r)
        if (i < RULES_SHOWN)
            json_array_append_new(out, json_pack("{s:s,s:s,s:s,s:f,s:I,s:o}", "id", picture_text(r, "id"), "title", picture_title(r, c->lang), "level",
                                                 picture_text(r, "level"), "points", number_of(r, "points"), "count", picture_count(r, "count"), "last_at",
                                                 json_moment(picture_time(r, "last"))));
    return out;
}

static json_t *entity_json(const struct call *c, const json_t *e, const json_t *objects)
{
    const char *id = picture_text(e, "object");
    const json_t *object = json_object_get(objects, id);

    return json_pack("{s:s,s:s,s:o,s:f,s:b,s:o,s:o,s:I,s:o}", "kind", strcmp(picture_text(e, "kind"), "user") == 0 ? "user" : "host", "name", picture_text(e, "name"), "object",
                     object ? json_pack("{s:s,s:s}", "id", id, "name", picture_text(object, "name")) : json_null(), "score", number_of(e, "score"), "over",
                     json_is_true(json_object_get(e, "over")), "first_at", json_moment(picture_time(e, "first")), "last_at", json_moment(picture_time(e, "last")), "findings",
                     picture_count(e, "findings"), "rules", rules_json(c, json_object_get(e, "rules")));
}

static bool fits(struct call *c, const json_t *e, const json_t *objects, const struct asked_risk *a)
{
    const json_t *object = json_object_get(objects, picture_text(e, "object"));

    if (scope_of(&c->viewer).bounded && !object)
        return false;
    if ((a->kind.n && !str_eq(a->kind, str_c(picture_text(e, "kind")))) || (a->over && !json_is_true(json_object_get(e, "over"))))
        return false;
    return !a->q.n || list_holds(c, picture_text(e, "name"), a->q) || list_holds(c, picture_text(object, "name"), a->q);
}

static int answer(struct call *c, const json_t *all, const json_t *objects, const struct asked_risk *a, int limit)
{
    const json_t *threshold = json_object_get(all, "threshold"), *e;
    json_t *items = json_array();
    size_t i, total = 0;
    time_ns at = picture_time(all, "at");
    char now[TIME_TEXT_MAX];

    json_array_foreach(json_object_get(all, "entities"), i, e)
        if (fits(c, e, objects, a) && ++total <= (size_t)limit)
            json_array_append_new(items, entity_json(c, e, objects));
    return call_json(c, 200, json_pack("{s:s,s:o,s:b,s:I,s:{s:f,s:f},s:I,s:o,s:n}", "now", time_format_utc(c->now, now), "at", json_moment(at), "running",
                                       at && c->now - at < PICTURE_OLD_NS, "half_life_s", picture_count(all, "half_life_s"), "threshold", "host", number_of(threshold, "host"),
                                       "user", number_of(threshold, "user"), "total", (json_int_t)total, "items", items, "next"));
}

int api_risk(struct call *c)
{
    struct asked_risk a = { .kind = params_get(&c->params, "kind") };
    json_t *all, *objects = NULL;
    int64_t limit = 200;
    int rc = list_search(c, &a.q);

    if (rc == 0)
        rc = params_int(&c->params, "limit", 1, 1000, &limit, &c->err);
    if (rc == 0)
        rc = params_bool(&c->params, "over", &a.over, &c->err);
    if (rc == 0)
        rc = desk_collection_objects(c->desk, &c->viewer, &objects, &c->err);
    if (rc < 0)
        return rc;
    all = pictures_get(c->portal->pictures, PICTURE_RISK);
    rc = answer(c, all, objects, &a, (int)limit);
    json_decref(all);
    json_decref(objects);
    return rc;
}
