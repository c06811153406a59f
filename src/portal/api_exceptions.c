/* api_exceptions.c - what is excepted from rules: as detection has it in force (detect/exception.h), and what people change of it (desk/detection). Whoever is bound to an
 * organisation sees what was excepted for its objects by name, and changes nothing. */
#include "portal/collection.h"
#include "portal/detection.h"
#include "portal/json_text.h"
#include "desk/collection/collection.h"
#include "desk/scope.h"

#define SHOWN_MAX 1000
#define FOLDER    "rules/exceptions/"

static json_t *rules_json(const struct call *c, const json_t *list, const json_t *rules)
{
    json_t *out = json_array();
    const json_t *id, *r;
    size_t i, k;

    json_array_foreach(list, i, id) {
        const char *name = json_is_string(id) ? json_string_value(id) : "", *title = "";

        json_array_foreach(json_object_get(rules, "rules"), k, r)
            if (strcmp(picture_text(r, "id"), name) == 0) {
                title = picture_title(r, c->lang);
                break;
            }
        json_array_append_new(out, json_pack("{s:s,s:s}", "id", name, "title", title));
    }
    return out;
}

/* objects_json - those that the viewer may see. */
static json_t *objects_json(const json_t *list, const json_t *objects)
{
    json_t *out = json_array();
    const json_t *id;
    size_t i;

    json_array_foreach(list, i, id) {
        const char *name = json_is_string(id) ? json_string_value(id) : "";
        const json_t *o = json_object_get(objects, name);

        if (o)
            json_array_append_new(out, json_pack("{s:s,s:s}", "id", name, "name", picture_text(o, "name")));
    }
    return out;
}

static json_t *exception_json(const struct call *c, const json_t *x, const json_t *rules, json_t *objects, bool bounded)
{
    const char *file = picture_text(x, "file"), *id = picture_text(x, "id"), *brief = detection_short(c, file);
    time_ns until = picture_time(x, "expires");
    char own[256];

    snprintf(own, sizeof own, FOLDER "%.200s.yml", id);
    return json_pack("{s:s,s:s,s:s,s:s,s:o,s:s,s:o,s:b,s:o,s:s,s:b,s:o}", "id", id, "title", picture_text(x, "title"), "author", picture_text(x, "author"), "reason",
                     picture_text(x, "reason"), "expires_at", json_moment(until), "state",
                     strcmp(picture_text(x, "state"), "expired") == 0 || (until && until <= c->now) ? "expired" : "active", "objects", objects, "everywhere",
                     json_array_size(json_object_get(x, "objects")) == 0, "rules", rules_json(c, json_object_get(x, "rules"), rules), "file", brief, "removable",
                     !bounded && strcmp(own, brief) == 0, "text", bounded ? json_null() : detection_text(c, file, picture_count(x, "line")));
}

static int list(struct call *c, const json_t *objects)
{
    bool bounded = scope_of(&c->viewer).bounded;
    json_t *all = pictures_get(c->portal->pictures, PICTURE_EXCEPTIONS), *rules = pictures_get(c->portal->pictures, PICTURE_RULES), *items = json_array();
    struct str rule = params_get(&c->params, "rule");
    char now[TIME_TEXT_MAX];
    const json_t *x, *id;
    size_t i, k;

    json_array_foreach(json_object_get(all, "exceptions"), i, x) {
        json_t *theirs = objects_json(json_object_get(x, "objects"), objects);
        bool fits = !rule.n || json_array_size(json_object_get(x, "rules")) == 0;

        json_array_foreach(json_object_get(x, "rules"), k, id)
            fits = fits || str_eq(rule, str_c(json_is_string(id) ? json_string_value(id) : ""));
        if (!fits || (bounded && json_array_size(theirs) == 0) || json_array_size(items) >= SHOWN_MAX)
            json_decref(theirs);
        else
            json_array_append_new(items, exception_json(c, x, rules, theirs, bounded));
    }
    int rc = call_json(c, 200, json_pack("{s:s,s:o,s:o,s:n}", "now", time_format_utc(c->now, now), "at", json_moment(picture_time(all, "at")), "items", items, "next"));

    json_decref(all);
    json_decref(rules);
    return rc;
}

int api_exceptions(struct call *c)
{
    json_t *objects = NULL;
    int rc = desk_collection_objects(c->desk, &c->viewer, &objects, &c->err);

    if (rc == 0)
        rc = list(c, objects);
    json_decref(objects);
    return rc;
}

static struct str rule_of(const struct call *c)
{
    const json_t *rule = json_object_get(c->body, "rule");

    return json_is_string(rule) ? str_of(json_string_value(rule), json_string_length(rule)) : STR("");
}

int api_exception_preview(struct call *c)
{
    struct desk_reply r = { 0 };
    struct desk_rule_paths where;
    int rc = detection_paths(c, rule_of(c), &where);

    return rc < 0 ? rc : call_desk(c, desk_exception_preview(c->desk, &c->viewer, &where, c->body, c->now, &r), 200, &r);
}

int api_exception_create(struct call *c)
{
    struct desk_reply r = { 0 };
    struct desk_rule_paths where;
    int rc = detection_paths(c, rule_of(c), &where);

    return rc < 0 ? rc : call_desk(c, desk_exception_create(c->desk, &c->viewer, &where, c->body, c->now, &r), 201, &r);
}

int api_exception_remove(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_exception_remove(c->desk, &c->viewer, c->match.arg[0], c->now, &r), 204, &r);
}
