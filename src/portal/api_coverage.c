/* api_coverage.c - what arrives of what Annex 4 wants: the table that the role detect publishes (detect/coverage.h), for those who may see it, and as a
 * table for the annual check. */
#include "desk/collection/coverage.h"
#include "desk/scope.h"
#include "event/event.h"
#include "portal/collection.h"
#include "portal/json_text.h"

#define COVERAGE_OLD_NS (150 * NS_PER_SECOND)   /* it is written each ten seconds, a large one each minute */

struct asked_coverage { struct str object, class; bool gaps; };

static int read_asked(struct call *c, struct asked_coverage *a)
{
    a->object = params_get(&c->params, "object");
    a->class = params_get(&c->params, "class");
    if (a->class.n && event_class_parse(a->class) == CLASS_NONE)
        return err_set(&c->err, -EINVAL, "class");
    return params_bool(&c->params, "gaps", &a->gaps, &c->err);
}

/* has_gaps - something late, never seen, or nothing at all. */
static bool has_gaps(const json_t *part) { return picture_count(part, "late") > 0 || picture_count(part, "never") > 0 || picture_count(part, "sources") == 0; }

/* page - parts [from, from + limit), and how many stand in each state. */
static json_t *page(const json_t *parts, const struct asked_coverage *a, uint64_t from, size_t limit, json_t **next)
{
    json_t *items = json_array();
    const json_t *p;
    size_t i, n = 0;

    *next = json_null();
    json_array_foreach(parts, i, p) {
        if (a->gaps && !has_gaps(p))
            continue;
        if (n >= from && json_array_size(items) < limit)
            json_array_append(items, (json_t *)(uintptr_t)p);
        else if (n >= from + limit && json_is_null(*next))
            *next = json_sprintf("%llu", (unsigned long long)(from + limit));
        n++;
    }
    return items;
}

static json_t *counts(const json_t *parts)
{
    static const char *const names[] = { "arriving", "late", "never" };
    json_t *out = json_object();
    const json_t *p;
    size_t i;

    for (size_t k = 0; k < COUNT(names); k++) {
        int64_t sum = 0;

        json_array_foreach(parts, i, p)
            sum += picture_count(p, names[k]);
        json_object_set_new(out, names[k], json_integer(sum));
    }
    return out;
}

/* waiting - rules that no event ever reached: of the whole node, so for those who see all of it. */
static json_t *waiting(struct call *c)
{
    json_t *rules, *out;

    if (scope_of(&c->viewer).bounded)
        return json_array();
    rules = pictures_get(c->portal->pictures, PICTURE_RULES);
    out = coverage_waiting(rules, c->lang);
    json_decref(rules);
    return out;
}

int api_coverage(struct call *c)
{
    json_t *all, *parts = NULL, *sources = NULL, *items, *next;
    struct asked_coverage a = { 0 };
    struct str before;
    uint64_t from = 0;
    char now[TIME_TEXT_MAX];
    int limit, rc = call_page(c, &limit, &before);
    time_ns at;

    if (rc == 0 && before.n && (!str_u64(before, &from) || from > UINT32_MAX))
        rc = err_set(&c->err, -EINVAL, "before");
    if (rc == 0)
        rc = read_asked(c, &a);
    if (rc < 0)
        return rc;
    all = pictures_get(c->portal->pictures, PICTURE_COVERAGE);
    rc = desk_coverage(c->desk, &c->viewer, all, a.object, a.class, c->lang, &parts, a.object.n ? &sources : NULL, &c->err);
    if (rc == 0) {
        at = picture_time(all, "at");
        items = page(parts, &a, from, (size_t)limit, &next);
        rc = call_json(c, 200, json_pack("{s:s,s:o,s:b,s:o,s:o,s:o,s:o,s:o,s:o}", "now", time_format_utc(c->now, now), "at", json_moment(at), "running",
                                         at && c->now - at < COVERAGE_OLD_NS, "since", json_moment(picture_time(all, "since")), "counts", counts(parts), "waiting",
                                         waiting(c), "sources", sources ? json_incref(sources) : json_array(), "items", items, "next", next));
    }
    json_decref(parts);
    json_decref(sources);
    json_decref(all);
    return rc;
}

int api_coverage_table(struct call *c)
{
    struct asked_coverage a = { 0 };
    json_t *all, *parts = NULL;
    int rc = read_asked(c, &a);

    if (rc < 0)
        return rc;
    all = pictures_get(c->portal->pictures, PICTURE_COVERAGE);
    rc = desk_coverage(c->desk, &c->viewer, all, a.object, a.class, c->lang, &parts, NULL, &c->err);
    if (rc == 0)
        rc = coverage_table(parts, c->portal->catalog, c->lang, c->now, &c->reply.body, &c->err);
    json_decref(parts);
    json_decref(all);
    if (rc < 0)
        return rc;
    c->reply.status = 200;
    c->reply.type = "text/csv; charset=utf-8";
    snprintf(c->reply.disposition, sizeof c->reply.disposition, "attachment; filename=\"coverage.csv\"");
    return 0;
}
