/* api_tester.c - why a rule matches an event, or why not (sigma/explain.h); and what rules would have found in the last days (detect/retro.h). Nothing is changed, nothing is
 * kept: the rules are compiled for the answer, from their files or from a text that somebody is writing. */
#include "portal/collection.h"
#include "portal/detection.h"
#include "portal/json_text.h"
#include "base/file.h"
#include "desk/collection/collection.h"
#include "detect/hunt.h"
#include "detect/retro.h"
#include "detect/why.h"
#include "parse/parse.h"

#define RULE_TEXT_MAX  (256u * KIB)
#define PIPELINE_MAX   (4u * MIB)
#define PIPELINES_MAX  256
#define REFUSALS_MAX   20
#define MATCHES_MAX    200
#define DAYS_MAX       31
#define OBJECTS_SHOWN  64
#define ZONE_MIN       300      /* of lines without a zone: Kazakhstan */
#define OURS           "rule.yml"

static struct str body_text(const struct call *c, const char *key)
{
    const json_t *v = json_object_get(c->body, key);

    return json_is_string(v) ? str_of(json_string_value(v), json_string_length(v)) : STR("");
}

/* known_only - nothing but these members. */
static int known_only(struct call *c, const char *const *names)
{
    const char *key;
    json_t *v;

    json_object_foreach(c->body, key, v) {
        size_t i = 0;

        while (names[i] && strcmp(names[i], key) != 0)
            i++;
        if (!names[i])
            return err_set(&c->err, -EINVAL, "%.60s", key);
    }
    return 0;
}

/* --- the rules --- */

static int refuse_rules(struct call *c, const struct sigma *set)
{
    json_t *errors = json_array();
    struct desk_reply r = { .code = "rule_refused" };

    for (size_t i = 0; i < sigma_refusal_count(set) && i < REFUSALS_MAX; i++) {
        const struct sigma_refusal *x = sigma_refusal_at(set, i);

        if (str_eq(x->file, STR(OURS)))
            json_array_append_new(errors, json_pack("{s:s,s:s,s:o}", "field", "text", "code", "rule_refused", "detail",
                                                    json_sprintf("%d:%d: %.*s", x->line, x->column, (int)min_size(x->reason.n, 400), x->reason.p)));
    }
    snprintf(r.field, sizeof r.field, "text");
    r.problems = errors;
    return call_desk(c, -EINVAL, 200, &r) < 0 ? -EIO : 1;
}

/* drafted - the pipelines of content and a text. 1: refused and answered. */
static int drafted(struct call *c, struct str text, struct sigma **out)
{
    AUTO_FREE struct sigma_source *all = calloc(PIPELINES_MAX + 1, sizeof *all);
    struct str *files = NULL;
    size_t count = 0, n = 0;
    char folder[4200];
    int rc = all ? 0 : err_set(&c->err, -ENOMEM, "no memory for a rule");

    snprintf(folder, sizeof folder, "%.4000s/pipelines", c->portal->setup.node->content);
    if (rc == 0 && file_exists(folder))
        rc = sigma_files(folder, &c->arena, &files, &count, &c->err);
    for (size_t i = 0; rc == 0 && i < count && n < PIPELINES_MAX; i++) {
        AUTO_BUF struct buf b;
        char path[4200];

        buf_init(&b, PIPELINE_MAX);
        snprintf(path, sizeof path, "%.*s", (int)min_size(files[i].n, sizeof path - 1), files[i].p);
        if (file_read(path, PIPELINE_MAX, &b, NULL) == 0)
            all[n++] = (struct sigma_source){ files[i], arena_copy(&c->arena, buf_view(&b)) };
    }
    if (rc < 0)
        return rc;
    all[n++] = (struct sigma_source){ STR(OURS), text };
    rc = sigma_compile(all, n, out, &c->err);
    return rc < 0 ? rc : sigma_rule_count(*out) ? 0 : refuse_rules(c, *out);
}

static int all_rules(struct call *c, struct sigma **out)
{
    static const char *const tails[] = { "pipelines", "rules" };
    char path[3][4200];
    const char *paths[3];
    size_t n = 0;

    for (size_t i = 0; i < COUNT(tails); i++)
        snprintf(path[i], sizeof path[i], "%.4000s/%s", c->portal->setup.node->content, tails[i]);
    snprintf(path[2], sizeof path[2], "%.4000s/rules", c->portal->setup.node->data);
    for (size_t i = 0; i < 3; i++)
        if (file_exists(path[i]))
            paths[n++] = path[i];
    return sigma_load(paths, n, out, &c->err);
}

/* rules_of - of the body's rule, of its text, or all. 1: refused and answered. */
static int rules_of(struct call *c, struct sigma **out)
{
    struct str rule = body_text(c, "rule"), text = body_text(c, "text");
    struct desk_rule_paths where;
    int rc;

    *out = NULL;
    if (rule.n && text.n)
        return err_set(&c->err, -EINVAL, "text");
    if (text.n)
        return text.n > RULE_TEXT_MAX ? err_set(&c->err, -EINVAL, "text") : drafted(c, text, out);
    if (!rule.n)
        return all_rules(c, out);
    rc = detection_paths(c, rule, &where);
    return rc < 0 ? rc : sigma_load(where.path, where.count, out, &c->err);
}

/* rule_asked - the rule that was named, or the first of a text. */
static const struct sigma_rule *rule_asked(const struct call *c, const struct sigma *set)
{
    struct str rule = body_text(c, "rule");

    return rule.n ? sigma_rule_find(set, rule) : sigma_rule_count(set) ? sigma_rule_at(set, sigma_rule_count(set) - 1) : NULL;
}

/* --- an event --- */

/* event_of - from a line or from JSON, as hunting reads them. */
static int event_of(struct call *c, struct str text, struct event_batch *batch)
{
    struct parse_hints hints = { .received = c->now, .zone_min = EVENT_OFFSET_NONE };
    struct parser *parser = NULL;
    struct event *ev;
    int rc;

    if (str_starts(text, STR("{"))) {
        rc = hunt_json_event(text, batch, &c->err);
        return rc == -EBADMSG ? err_set(&c->err, -EINVAL, "event") : rc;
    }
    rc = parse_new(c->portal->setup.node->content, ZONE_MIN, &parser, &c->err);
    if (rc == 0 && !(ev = event_batch_add(batch)))
        rc = err_set(&c->err, -ENOMEM, "no memory for an event");
    if (rc == 0) {
        ev->received = c->now;
        parse_line(parser, text, &hints, &batch->arena, ev);
    }
    parse_free(&parser);
    return rc;
}

static json_t *json_of(const struct buf *b)
{
    json_t *j = buf_failed(b) ? NULL : json_loadb(b->p, b->n, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);

    return j ? j : json_null();
}

static json_t *read_event(const struct event *ev)
{
    AUTO_BUF struct buf b;

    buf_init(&b, 4 * MIB);
    event_json(ev, &b);
    return json_of(&b);
}

static struct str title_of(const struct call *c, const struct sigma_rule *r)
{
    struct str own = c->lang == LANG_KK ? r->title_kk : c->lang == LANG_RU ? r->title_ru : STR("");

    return own.n ? own : r->title;
}

static int add_matches(struct call *c, struct sigma_run *run, const struct event *ev, json_t *out)
{
    const struct sigma_match *m = NULL;
    int n = sigma_run_event(run, ev, true, &m, &c->err);

    for (int i = 0; i < n && i < MATCHES_MAX; i++)
        json_array_append_new(out, json_pack("{s:o,s:o,s:s,s:b}", "id", json_foreign(m[i].rule->id), "title", json_foreign(title_of(c, m[i].rule)), "level",
                                             sigma_level_name(m[i].rule->level), "silent", m[i].rule->silent));
    return n < 0 ? n : 0;
}

/* explained - the rule over all events that the text becomes. */
static int explained(struct call *c, const struct sigma *set, struct str text)
{
    const struct sigma_rule *rule = rule_asked(c, set);
    AUTO_BUF struct buf b;
    json_t *o;
    int rc;

    buf_init(&b, 32 * MIB);
    if (!rule)
        return err_set(&c->err, -ENOENT, "no such rule");
    rc = why_text(set, c->portal->setup.node->content, rule, text, &b, &c->err);
    if (rc == -EINVAL || rc == -E2BIG || rc == -EBADMSG)
        return err_set(&c->err, -EINVAL, "event");
    if (rc < 0)
        return rc;
    o = json_of(&b);
    if (!json_is_object(o)) {
        json_decref(o);
        return err_set(&c->err, -EIO, "the explanation is no JSON");
    }
    json_object_set_new(o, "matches", json_array());
    return call_json(c, 200, o);
}

/* matching - which rules match the first event of the text. */
static int matching(struct call *c, const struct sigma *set, struct str text)
{
    struct event_batch batch;
    struct sigma_run *run = NULL;
    json_t *matches = json_array(), *event = NULL;
    int rc;

    event_batch_init(&batch, 16 * MIB);
    rc = event_of(c, text, &batch);
    if (rc == 0)
        rc = sigma_run_new(set, false, &run, &c->err);
    if (rc == 0)
        rc = add_matches(c, run, &batch.items[batch.count - 1], matches);
    if (rc == 0)
        event = read_event(&batch.items[batch.count - 1]);
    sigma_run_free(&run);
    event_batch_free(&batch);
    if (rc < 0) {
        json_decref(matches);
        return rc;
    }
    return call_json(c, 200, json_pack("{s:[{s:o,s:n}],s:b,s:o}", "events", "event", event, "explain", "more", 0, "matches", matches));
}

int api_rule_explain(struct call *c)
{
    static const char *const names[] = { "rule", "text", "event", NULL };
    struct str text = str_trim(body_text(c, "event"));
    bool one = body_text(c, "rule").n || body_text(c, "text").n;
    struct sigma *set = NULL;
    int rc = known_only(c, names);

    if (rc == 0 && (text.n == 0 || text.n > WHY_TEXT_MAX))
        rc = err_set(&c->err, -EINVAL, "event");
    if (rc == 0)
        rc = rules_of(c, &set);
    if (rc == 0)
        rc = one ? explained(c, set, text) : matching(c, set, text);
    sigma_free(&set);
    return rc == 1 ? 0 : rc;
}

/* --- what rules would have found --- */

static json_t *object_json(const json_t *objects, const char *id)
{
    const json_t *o = json_object_get(objects, id);

    return o ? json_pack("{s:s,s:s}", "id", id, "name", picture_text(o, "name")) : json_null();
}

static json_t *days_json(const struct retro_preview_result *p, const struct retro_rule *r)
{
    json_t *out = json_array();

    for (size_t i = 0; i < p->day_count; i++) {
        char day[TIME_TEXT_MAX];

        time_format_utc(((time_ns)p->first_day + (time_ns)i) * NS_PER_DAY, day);
        json_array_append_new(out, json_pack("{s:s%,s:I}", "day", day, (size_t)10, "count", (json_int_t)r->days[i]));
    }
    return out;
}

static json_t *would_json(const struct call *c, const struct retro_preview_result *p, const struct retro_rule *r, const struct sigma *set, const json_t *objects)
{
    const struct sigma_rule *rule = sigma_rule_find(set, str_c(r->id));
    json_t *where = json_array(), *samples = json_array();

    for (size_t i = 0; i < r->object_count && i < OBJECTS_SHOWN; i++)
        json_array_append_new(where, json_pack("{s:o,s:I}", "object", object_json(objects, r->objects[i].id), "count", (json_int_t)r->objects[i].count));
    for (size_t i = 0; i < r->sample_count; i++) {
        const struct retro_sample *s = &r->samples[i];

        json_array_append_new(samples, json_pack("{s:o,s:o,s:o,s:o}", "seq", json_sprintf("%llu", (unsigned long long)s->seq), "time", json_moment(s->time), "object",
                                                 object_json(objects, s->object), "line", json_foreign(str_c(s->line ? s->line : ""))));
    }
    return json_pack("{s:o,s:o,s:s,s:I,s:o,s:o,s:I,s:o}", "id", json_foreign(str_c(r->id)), "title", json_foreign(rule ? title_of(c, rule) : str_c(r->title)), "level",
                     sigma_level_name(r->level), "count", (json_int_t)r->count, "days", days_json(p, r), "objects", where, "other_objects", (json_int_t)r->other_objects,
                     "samples", samples);
}

static int would_have(struct call *c, const struct sigma *set, int64_t days, const json_t *objects)
{
    struct retro_options o = { .data = c->portal->setup.node->data, .rules = set, .from = c->now - days * NS_PER_DAY, .to = c->now + NS_PER_HOUR,
                               .deadline_steady = clock_steady() + SEARCH_NS };
    struct retro_preview_result p = { 0 };
    struct str asked = body_text(c, "rule");
    json_t *items = json_array();
    int rc = search_objects(c, &o.object_only, &o.object_filter);

    if (rc == 0)
        rc = retro_preview(&o, NULL, NULL, &p, &c->err);
    for (size_t i = 0; rc == 0 && i < p.rule_count; i++)
        if (!p.rules[i].silent && (!asked.n || str_eq(asked, str_c(p.rules[i].id))))
            json_array_append_new(items, would_json(c, &p, &p.rules[i], set, objects));
    if (rc == 0)
        rc = call_json(c, 200, json_pack("{s:o,s:o,s:b,s:I,s:I,s:o,s:n}", "from", json_moment(o.from), "to", json_moment(c->now), "complete", p.complete, "events",
                                         (json_int_t)p.stats.events, "all", (json_int_t)(p.stats.all > p.stats.events ? p.stats.all : p.stats.events), "items", items, "next"));
    else
        json_decref(items);
    retro_preview_free(&p);
    return rc;
}

int api_rule_would_have(struct call *c)
{
    static const char *const names[] = { "rule", "text", "days", NULL };
    const json_t *days = json_object_get(c->body, "days");
    json_t *objects = NULL;
    struct sigma *set = NULL;
    int rc = known_only(c, names);

    if (rc == 0 && (!json_is_integer(days) || json_integer_value(days) < 1 || json_integer_value(days) > DAYS_MAX))
        rc = err_set(&c->err, -EINVAL, "days");
    if (rc == 0 && !body_text(c, "rule").n && !body_text(c, "text").n)
        rc = err_set(&c->err, -EINVAL, "rule");
    if (rc == 0)
        rc = desk_collection_objects(c->desk, &c->viewer, &objects, &c->err);
    if (rc == 0)
        rc = rules_of(c, &set);
    if (rc == 0)
        rc = would_have(c, set, json_integer_value(days), objects);
    sigma_free(&set);
    json_decref(objects);
    return rc == 1 ? 0 : rc;
}
