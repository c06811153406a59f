/* api_detection.c - the rules of detection as they run now: what the role detect publishes (detect/publish.h), and what became of their findings (desk/detection).
 */
#include "portal/collection.h"
#include "portal/detection.h"
#include "portal/json_text.h"
#include "portal/lists.h"
#include "desk/collection/collection.h"

#define CURSOR_BYTES   400
#define REFUSED_SHOWN  500

enum sort { SORT_TROUBLE, SORT_TITLE, SORT_LEVEL, SORT_MATCHED, SORT_COST, SORT_LAST, SORT_COUNT };
static const char *const sorts[SORT_COUNT] = { "trouble", "title", "level", "matched", "cost", "last" };
static const char *const levels[] = { "informational", "low", "medium", "high", "critical" };

enum flag { FLAG_MATCHED = 1, FLAG_NEVER_FED = 2, FLAG_COSTLY = 4, FLAG_FILTERED = 8, FLAG_OWN = 16, FLAG_DISMISSED = 32 };
static const char *const flag_names[] = { "matched", "never_fed", "costly", "filtered", "own", "dismissed" };   /* bit i has name i */

struct rule_view {
    const json_t *json, *facts;
    const char   *id;
    struct str    title, key;   /* key: folded, to sort by */
    unsigned      flags;
    int           level;
    int64_t       matched, ns, last;
};

struct rules_seen {
    json_t           *all, *facts;
    struct rule_view *view;
    size_t            count;
    int64_t           ns;        /* of all */
};

struct asked_rules {
    struct str q, level;
    unsigned   flag;
    enum sort  sort;
};

static int level_of(const char *text)
{
    for (size_t i = 0; i < COUNT(levels); i++)
        if (strcmp(levels[i], text) == 0)
            return (int)i;
    return 2;
}

static bool is_true(const json_t *o, const char *key) { return json_is_true(json_object_get(o, key)); }

static struct str title_of(const struct call *c, const json_t *r)
{
    const char *title = picture_title(r, c->lang);

    return str_c(*title ? title : picture_text(r, "id"));
}

static bool is_own(const struct call *c, const char *file)
{
    return !str_starts(str_c(file), str_c(c->portal->setup.node->content));
}

/* is_fed - its numbers are some seconds old: what has found something was shown events. */
static bool is_fed(const json_t *r, const json_t *facts) { return is_true(r, "fed") || picture_count(facts, "findings") > 0; }

static void view_of(struct call *c, const json_t *r, const json_t *facts, struct rule_view *v)
{
    *v = (struct rule_view){ .json = r, .id = picture_text(r, "id"), .title = title_of(c, r), .level = level_of(picture_text(r, "level")), .matched = picture_count(r, "matched"),
                             .ns = picture_count(r, "ns"), .last = picture_time(r, "last_match") };
    v->facts = json_object_get(facts, v->id);
    v->key = desk_fold(v->title, &c->arena);
    v->flags = (v->matched > 0 ? FLAG_MATCHED : 0) | (is_fed(r, v->facts) ? 0 : FLAG_NEVER_FED) | (is_true(r, "costly") ? FLAG_COSTLY : 0) |
               (json_array_size(json_object_get(r, "filters")) ? FLAG_FILTERED : 0) | (is_own(c, picture_text(r, "file")) ? FLAG_OWN : 0) |
               (picture_count(v->facts, "dismissed") > 0 ? FLAG_DISMISSED : 0);
}

static int rules_see(struct call *c, struct rules_seen *out)
{
    const json_t *list, *r;
    size_t i;
    int rc;

    *out = (struct rules_seen){ .all = pictures_get(c->portal->pictures, PICTURE_RULES) };
    rc = desk_rule_facts(c->desk, &c->viewer, &out->facts, &c->err);
    list = json_object_get(out->all, "rules");
    if (rc == 0 && !(out->view = calloc(json_array_size(list) + 1, sizeof *out->view)))
        rc = err_set(&c->err, -ENOMEM, "no memory for the rules");
    if (rc == 0)
        json_array_foreach(list, i, r) {
            view_of(c, r, out->facts, &out->view[out->count]);
            out->ns += out->view[out->count++].ns;
        }
    return rc;
}

static void rules_done(struct rules_seen *s)
{
    free(s->view);
    json_decref(s->facts);
    json_decref(s->all);
}

/* texts_of - an array of texts, whatever else stands in it left out. */
static json_t *texts_of(const json_t *list)
{
    json_t *out = json_array();
    const json_t *v;
    size_t i;

    json_array_foreach(list, i, v)
        if (json_is_string(v))
            json_array_append(out, (json_t *)(uintptr_t)v);
    return out;
}

static json_t *rule_json(const struct call *c, const struct rules_seen *all, const struct rule_view *v)
{
    const json_t *r = v->json;
    json_t *o = json_pack("{s:s,s:o,s:s,s:s,s:s,s:o,s:s,s:I,s:s}", "id", v->id, "title", json_foreign(v->title), "level", levels[v->level], "status", picture_text(r, "status"),
                          "author", picture_text(r, "author"), "tags", texts_of(json_object_get(r, "tags")), "file", detection_short(c, picture_text(r, "file")), "line",
                          picture_count(r, "line"), "origin", v->flags & FLAG_OWN ? "own" : "ours");
    static const char *const yes[] = { "correlation", "silent", "costly" }, *const counts[] = { "events", "looked", "matched" },
                             *const facts[] = { "findings", "cases", "open", "dismissed", "confirmed" };

    for (size_t i = 0; i < COUNT(yes); i++)
        json_object_set_new(o, yes[i], json_boolean(is_true(r, yes[i])));
    for (size_t i = 0; i < COUNT(counts); i++)
        json_object_set_new(o, counts[i], json_integer(picture_count(r, counts[i])));
    for (size_t i = 0; i < COUNT(facts); i++)
        json_object_set_new(o, facts[i], json_integer(picture_count(v->facts, facts[i])));
    json_object_set_new(o, "fed", json_boolean(is_fed(r, v->facts)));
    json_object_set_new(o, "share", all->ns > 0 ? json_real((double)v->ns / (double)all->ns) : json_null());
    json_object_set_new(o, "last_match_at", json_moment(v->last));
    json_object_set_new(o, "filters", texts_of(json_object_get(r, "filters")));
    return o;
}

/* --- the list --- */

static int64_t trouble_of(const struct rule_view *v)
{
    return ((v->flags & FLAG_COSTLY) ? 1000000 : 0) + picture_count(v->facts, "open") * 100 + (v->matched > 0 ? 10 + v->level : 0);
}

static int64_t key_of(const struct rule_view *v, enum sort sort)
{
    switch (sort) {
    case SORT_TROUBLE: return trouble_of(v);
    case SORT_LEVEL: return v->level;
    case SORT_MATCHED: return v->matched;
    case SORT_COST: return v->ns;
    case SORT_LAST: return v->last;
    default: return 0;
    }
}

static int compare(const void *a, const void *b, void *arg)
{
    const struct rule_view *x = *(const struct rule_view *const *)a, *y = *(const struct rule_view *const *)b;
    int64_t kx = key_of(x, *(const enum sort *)arg), ky = key_of(y, *(const enum sort *)arg);
    int by_key = str_cmp(x->key, y->key);

    return kx != ky ? (kx > ky ? -1 : 1) : by_key ? by_key : strcmp(x->id, y->id);
}

static bool fits(struct call *c, const struct rule_view *v, const struct asked_rules *a)
{
    const json_t *tag;
    size_t i;

    if (a->level.n && !str_eq(a->level, str_c(levels[v->level])))
        return false;
    if (!a->q.n || str_find(v->key, a->q) >= 0 || list_holds(c, v->id, a->q) || list_holds(c, picture_text(v->json, "title"), a->q) || list_holds(c, picture_text(v->json, "author"), a->q) ||
        list_holds(c, detection_short(c, picture_text(v->json, "file")), a->q))
        return true;
    json_array_foreach(json_object_get(v->json, "tags"), i, tag)
        if (json_is_string(tag) && list_holds(c, json_string_value(tag), a->q))
            return true;
    return false;
}

static int read_asked(struct call *c, struct asked_rules *a)
{
    size_t flag = COUNT(flag_names), sort = SORT_TROUBLE;
    int rc;

    *a = (struct asked_rules){ .level = params_get(&c->params, "level") };
    rc = list_search(c, &a->q);
    if (rc == 0)
        rc = list_choice(c, "flag", flag_names, COUNT(flag_names), &flag);
    if (rc == 0)
        rc = list_choice(c, "sort", sorts, SORT_COUNT, &sort);
    a->flag = flag < COUNT(flag_names) ? 1u << flag : 0;
    a->sort = (enum sort)sort;
    return rc;
}

static const char *id_at(const void *rows, size_t i) { return ((const struct rule_view *const *)rows)[i]->id; }

static json_t *refused_json(const struct call *c, const json_t *r)
{
    return json_pack("{s:s,s:I,s:I,s:s,s:s,s:s}", "file", detection_short(c, picture_text(r, "file")), "line", picture_count(r, "line"), "column", picture_count(r, "column"), "id",
                     picture_text(r, "id"), "verdict", strcmp(picture_text(r, "verdict"), "broken") == 0 ? "broken" : "unsupported", "reason", picture_text(r, "reason"));
}

/* remark_json - a remark is a text, or a text with its place. */
static json_t *remark_json(const struct call *c, const json_t *r)
{
    return json_pack("{s:s,s:I,s:s}", "file", detection_short(c, picture_text(r, "file")), "line", picture_count(r, "line"), "text",
                     json_is_string(r) ? json_string_value(r) : *picture_text(r, "reason") ? picture_text(r, "reason") : picture_text(r, "text"));
}

/* policies_json - what is wrong in files of DATA/policy, as detection and the desk tell it. */
static json_t *policies_json(struct call *c, const json_t *all)
{
    json_t *list = json_array();
    const char *wrong = picture_text(all, "policy_wrong");

    if (*wrong)
        json_array_append_new(list, json_pack("{s:s,s:s}", "by", "detection", "reason", wrong));
    for (size_t i = 0; (wrong = desk_policy_wrong(c->desk, i)) != NULL; i++)
        if (*wrong)
            json_array_append_new(list, json_pack("{s:s,s:s}", "by", "desk", "reason", wrong));
    return list;
}

static json_t *set_json(struct call *c, const json_t *all)
{
    static const char *const counts[] = { "loaded", "unsupported", "broken", "kept", "compiled_bytes" };
    json_t *o = json_object(), *refused = json_array(), *remarks = json_array();
    const json_t *set = json_object_get(all, "set"), *r;
    size_t i;

    for (i = 0; i < COUNT(counts); i++)
        json_object_set_new(o, counts[i], json_integer(picture_count(set, counts[i])));
    json_object_set_new(o, "events", json_integer(picture_count(all, "events")));
    json_array_foreach(json_object_get(all, "refused"), i, r)
        if (i < REFUSED_SHOWN)
            json_array_append_new(refused, refused_json(c, r));
    json_array_foreach(json_object_get(all, "remarks"), i, r)
        if (i < REFUSED_SHOWN)
            json_array_append_new(remarks, remark_json(c, r));
    json_object_set_new(o, "policies_wrong", policies_json(c, all));
    json_object_set_new(o, "refused", refused);
    json_object_set_new(o, "remarks", remarks);
    return o;
}

static json_t *counts_json(const size_t *counts, size_t all)
{
    json_t *o = json_pack("{s:I}", "all", (json_int_t)all);

    for (size_t i = 0; i < COUNT(flag_names); i++)
        json_object_set_new(o, flag_names[i], json_integer((json_int_t)counts[i]));
    return o;
}

/* rows_of - those that were asked for, in their order, and how many there are of each flag. */
static size_t rows_of(struct call *c, const struct rules_seen *seen, struct asked_rules *a, const struct rule_view **row, size_t *counts, size_t *all)
{
    size_t n = 0;

    for (size_t i = 0; i < seen->count; i++) {
        const struct rule_view *v = &seen->view[i];

        if (!fits(c, v, a))
            continue;
        ++*all;
        for (size_t k = 0; k < COUNT(flag_names); k++)
            counts[k] += v->flags >> k & 1;
        if (!a->flag || (v->flags & a->flag))
            row[n++] = v;
    }
    qsort_r(row, n, sizeof *row, compare, &a->sort);
    return n;
}

static int answer_list(struct call *c, const struct rules_seen *seen, struct asked_rules *a, int limit, struct str before)
{
    AUTO_FREE const struct rule_view **row = calloc(seen->count + 1, sizeof *row);
    size_t n = 0, at, all = 0, counts[COUNT(flag_names)] = { 0 };
    json_t *items;
    time_ns published = picture_time(seen->all, "at");
    char now[TIME_TEXT_MAX];
    int rc;

    if (!row)
        return err_set(&c->err, -ENOMEM, "no memory for the list of rules");
    n = rows_of(c, seen, a, row, counts, &all);
    rc = list_begin(c, row, n, id_at, before, &at);
    if (rc < 0)
        return rc;
    items = json_array();
    for (size_t i = at; i < n && i < at + (size_t)limit; i++)
        json_array_append_new(items, rule_json(c, seen, row[i]));
    return call_json(c, 200, json_pack("{s:s,s:o,s:b,s:b,s:o,s:I,s:o,s:o,s:o}", "now", time_format_utc(c->now, now), "at", json_moment(published), "expected",
                                       node_has_role(c->portal->setup.node, ROLE_DETECT), "running", published && c->now - published < PICTURE_OLD_NS, "set",
                                       set_json(c, seen->all), "total", (json_int_t)n, "counts", counts_json(counts, all), "items", items, "next", list_next(row, n, id_at, at + (size_t)limit)));
}

int api_detection_rules(struct call *c)
{
    struct rules_seen seen;
    struct asked_rules a;
    struct str before;
    int limit, rc = call_page_within(c, CURSOR_BYTES, &limit, &before);

    if (rc == 0)
        rc = read_asked(c, &a);
    if (rc < 0)
        return rc;
    rc = rules_see(c, &seen);
    if (rc == 0)
        rc = answer_list(c, &seen, &a, limit, before);
    rules_done(&seen);
    return rc;
}

/* --- one rule --- */

/* auto_json - does the rule send the notice of D-05 without a human? null: the desk does not know the rule. */
static json_t *auto_json(struct call *c, const char *id)
{
    struct desk_reply r = { 0 };
    json_t *out = NULL;
    const json_t *one;
    size_t i;

    if (desk_rules(c->desk, &c->viewer, &r) == 0)
        json_array_foreach(json_object_get(r.json, "items"), i, one)
            if (strcmp(picture_text(one, "id"), id) == 0)
                out = json_incref(json_object_get(one, "auto_notify"));
    desk_reply_free(&r);
    return out ? out : json_null();
}

int api_detection_rule(struct call *c)
{
    struct str id = params_get(&c->params, "id");
    struct rules_seen seen;
    json_t *o;
    char now[TIME_TEXT_MAX];
    int rc = id.n ? rules_see(c, &seen) : err_set(&c->err, -EINVAL, "id");

    if (!id.n)
        return rc;
    if (rc == 0)
        rc = -ENOENT;
    for (size_t i = 0; rc == -ENOENT && i < seen.count; i++)
        if (str_eq(id, str_c(seen.view[i].id))) {
            o = rule_json(c, &seen, &seen.view[i]);
            json_object_set_new(o, "text", detection_text(c, picture_text(seen.view[i].json, "file"), picture_count(seen.view[i].json, "line")));
            json_object_set_new(o, "auto_notify", auto_json(c, seen.view[i].id));
            rc = call_json(c, 200, json_pack("{s:s,s:o,s:o}", "now", time_format_utc(c->now, now), "at", json_moment(picture_time(seen.all, "at")), "rule", o));
        }
    rules_done(&seen);
    return rc;
}
