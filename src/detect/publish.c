/* publish.c - see publish.h. The counters themselves lie in the run (sigma_run_costs); here they are written, read back, and held against
 * the budget. */
#include <jansson.h>

#include "base/file.h"
#include "detect/publish.h"

struct publisher {
    char    *path;
    time_ns  written;          /* on the steady clock; 0: never */
    time_ns  since;            /* wall clock: since when is counted */
    uint64_t events;           /* of earlier processes, and of runs before the rules changed */
    const struct sigma *set;   /* whose numbers they are; another one: they begin anew */
    uint64_t budget_events;
    uint64_t *ns;              /* by rule, at the last look at the budget */
    bool     *costly;
    size_t    costly_count;
    struct published   now;    /* what is to be written */
    struct detect_rules stats;
    char               policy_wrong[ERR_TEXT_MAX];
    struct sigma_cost *cost;   /* by rule */
    uint64_t           now_events;
};

int publisher_new(const char *path, struct publisher **out, struct err *e)
{
    struct publisher *p = calloc(1, sizeof *p);

    *out = NULL;
    if (p)
        p->path = strdup(path);
    if (!p || !p->path) {
        publisher_free(&p);
        return err_set(e, -ENOMEM, "no memory for detection");
    }
    p->since = clock_now();
    *out = p;
    return 0;
}

void publisher_free(struct publisher **pp)
{
    struct publisher *p = *pp;

    if (!p)
        return;
    free(p->path);
    free(p->ns);
    free(p->costly);
    free(p->cost);
    free(p);
    *pp = NULL;
}

/* --- an earlier file --- */

static uint64_t count_of(const json_t *o, const char *key)
{
    json_int_t v = json_integer_value(json_object_get(o, key));

    return v > 0 ? (uint64_t)v : 0;
}

static time_ns time_of(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));
    time_ns t = 0;

    return text && time_parse_rfc3339(str_c(text), &t, NULL, NULL) == 0 ? t : 0;
}

uint64_t publisher_restore(struct publisher *p, const struct sigma *set, struct sigma_run *run)
{
    AUTO_BUF struct buf b;
    const json_t *list, *r;
    uint64_t seq = 0;
    json_t *all;
    size_t i;

    buf_init(&b, PUBLISH_BYTES_MAX + MIB);
    all = file_read(p->path, PUBLISH_BYTES_MAX, &b, NULL) < 0 ? NULL : json_loadb(b.p, b.n, 0, NULL);
    list = json_object_get(all, "rules");
    json_array_foreach(list, i, r) {
        const char *id = json_string_value(json_object_get(r, "id"));
        const struct sigma_rule *rule = id ? sigma_rule_find(set, str_c(id)) : NULL;
        struct sigma_cost c = { .looked = count_of(r, "looked"), .matched = count_of(r, "matched"), .events = count_of(r, "events"),
                                .ns = count_of(r, "ns"), .limited = count_of(r, "limited"), .last_match = time_of(r, "last_match") };

        if (rule && str_eq(rule->id, str_c(id)))
            sigma_run_cost_add(run, rule->index, &c);
    }
    if (json_is_array(list)) {
        seq = count_of(all, "seq");
        p->events = count_of(all, "events");
        p->since = time_of(all, "since") ? time_of(all, "since") : p->since;
    }
    json_decref(all);
    return seq;
}

/* --- the budget --- */

/* budget_anew - numbers of another set say nothing of this one. */
static bool budget_anew(struct publisher *p, const struct sigma *set, const struct sigma_cost *cost, uint64_t events)
{
    size_t n = sigma_rule_count(set);

    free(p->ns);
    free(p->costly);
    p->ns = calloc(n + 1, sizeof *p->ns);
    p->costly = calloc(n + 1, sizeof *p->costly);
    p->set = NULL;
    p->costly_count = 0;
    if (!p->ns || !p->costly)
        return false;
    for (size_t i = 0; i < n; i++)
        p->ns[i] = cost[i].ns;
    p->set = set;
    p->budget_events = events;
    return true;
}

static void budget_look(struct publisher *p, const struct sigma_cost *cost, uint64_t events, detect_costly *told, void *arg)
{
    uint64_t span = events - p->budget_events;

    if (span < BUDGET_EVENTS)
        return;
    p->costly_count = 0;
    for (size_t i = 0; i < sigma_rule_count(p->set); i++) {
        uint64_t mean = (cost[i].ns - p->ns[i]) / span;
        bool over = mean > BUDGET_NS;

        if (over && !p->costly[i] && told)
            told(arg, sigma_rule_at(p->set, i), mean);
        p->costly[i] = over;
        p->costly_count += over;
        p->ns[i] = cost[i].ns;
    }
    p->budget_events = events;
}

/* --- the file --- */

static void put_texts(struct buf *b, const char *key, const struct sigma_texts *t)
{
    buf_printf(b, ",\"%s\":[", key);
    for (size_t i = 0; i < t->count; i++) {
        buf_str(b, i ? STR(",") : STR(""));
        buf_json(b, t->items[i]);
    }
    buf_byte(b, ']');
}

static void put_text(struct buf *b, const char *key, struct str text)
{
    buf_printf(b, ",\"%s\":", key);
    buf_json(b, text);
}

static void put_moment(struct buf *b, const char *key, time_ns t)
{
    buf_printf(b, ",\"%s\":", key);
    if (t <= 0) {
        buf_str(b, STR("null"));
        return;
    }
    buf_byte(b, '"');
    buf_time(b, t);
    buf_byte(b, '"');
}

static void put_bool(struct buf *b, const char *key, bool yes) { buf_printf(b, ",\"%s\":%s", key, yes ? "true" : "false"); }
static void put_count(struct buf *b, const char *key, uint64_t n) { buf_printf(b, ",\"%s\":%llu", key, (unsigned long long)n); }

static void put_rule(struct buf *b, const struct sigma *set, const struct sigma_rule *r, const struct sigma_cost *c, bool costly)
{
    struct str source[3], filter;

    buf_str(b, STR("{\"id\":"));
    buf_json(b, r->id);
    put_text(b, "title", r->title);
    put_text(b, "title_kk", r->title_kk);
    put_text(b, "title_ru", r->title_ru);
    put_text(b, "level", str_c(sigma_level_name(r->level)));
    put_text(b, "status", r->status);
    put_text(b, "author", r->author);
    put_texts(b, "tags", &r->tags);
    put_text(b, "file", r->file);
    put_count(b, "line", (uint64_t)r->line);
    sigma_rule_source(set, r, &source[0], &source[1], &source[2]);
    buf_str(b, STR(",\"logsource\":{\"product\":"));
    buf_json(b, source[0]);
    put_text(b, "category", source[1]);
    put_text(b, "service", source[2]);
    buf_byte(b, '}');
    put_bool(b, "correlation", r->correlation);
    put_bool(b, "silent", r->silent);
    put_bool(b, "fed", c->events > 0);
    put_count(b, "events", c->events);
    put_count(b, "looked", c->looked);
    put_count(b, "matched", c->matched);
    put_count(b, "ns", c->ns);
    put_count(b, "limited", c->limited);
    put_moment(b, "last_match", c->last_match);
    put_bool(b, "costly", costly);
    buf_str(b, STR(",\"filters\":["));
    for (uint32_t i = 0; sigma_rule_filter(set, r->index, i, &filter); i++) {
        buf_str(b, i ? STR(",") : STR(""));
        buf_json(b, filter);
    }
    buf_str(b, STR("]}"));
}

static void put_refusal(struct buf *b, const struct sigma_refusal *r, bool kept, bool *first)
{
    buf_str(b, *first ? STR("\n{\"file\":") : STR(",\n{\"file\":"));
    buf_json(b, r->file);
    buf_printf(b, ",\"line\":%d,\"column\":%d", r->line, r->column);
    put_text(b, "id", r->id);
    put_text(b, "verdict", r->verdict == SIGMA_BROKEN ? STR("broken") : STR("unsupported"));
    put_text(b, "reason", r->reason);
    put_bool(b, "kept", kept);
    buf_byte(b, '}');
    *first = false;
}

static void put_remarks(struct buf *b, const struct sigma *set)
{
    for (size_t i = 0; i < sigma_remark_count(set); i++) {
        const struct sigma_remark *r = sigma_remark_at(set, i);

        buf_str(b, i ? STR(",\n{\"file\":") : STR("\n{\"file\":"));
        buf_json(b, r->file);
        buf_printf(b, ",\"line\":%d,\"column\":%d", r->line, r->column);
        put_text(b, "id", r->id);
        put_text(b, "text", r->text);
        buf_byte(b, '}');
    }
}

static void put_all(const struct publisher *p, const struct published *now, const struct sigma_cost *cost, uint64_t events, struct buf *b)
{
    const struct detect_rules *s = now->stats;
    bool first = true;

    buf_str(b, STR("{\"at\":\""));
    buf_time(b, clock_now());
    buf_byte(b, '"');
    put_moment(b, "since", p->since);
    put_count(b, "seq", now->seq);
    put_count(b, "events", events);
    buf_printf(b, ",\n\"set\":{\"loaded\":%zu,\"unsupported\":%zu,\"broken\":%zu,\"kept\":%zu,\"compiled_bytes\":%zu}", s->loaded, s->unsupported, s->broken,
               s->kept, sigma_bytes(now->set));
    put_text(b, "policy_wrong", str_c(now->policy_wrong));
    buf_str(b, STR(",\n\"rules\":["));
    for (size_t i = 0; i < sigma_rule_count(now->set); i++) {
        buf_str(b, i ? STR(",\n") : STR("\n"));
        put_rule(b, now->set, sigma_rule_at(now->set, i), &cost[i], p->set == now->set && p->costly[i]);
    }
    buf_str(b, STR("],\n\"refused\":["));
    for (size_t i = 0; i < sigma_refusal_count(now->set); i++)
        put_refusal(b, sigma_refusal_at(now->set, i), false, &first);
    for (size_t i = 0; i < now->kept_count; i++)
        put_refusal(b, &now->kept[i], true, &first);
    buf_str(b, STR("],\n\"remarks\":["));
    put_remarks(b, now->set);
    buf_str(b, STR("]}\n"));
}

bool publisher_due(const struct publisher *p) { return !p->written || clock_steady() - p->written >= PUBLISH_NS; }

void publisher_carry(struct publisher *p, uint64_t events) { p->events += events; }

int publisher_take(struct publisher *p, const struct published *now, detect_costly *told, void *arg, size_t *costly, struct err *e)
{
    size_t n = sigma_rule_count(now->set);
    uint64_t events = p->events + sigma_run_counted(now->run);

    free(p->cost);
    p->written = clock_steady();
    p->cost = calloc(n + 1, sizeof *p->cost);
    if (!p->cost)
        return err_set(e, -ENOMEM, "no memory for the picture of the rules");
    sigma_run_costs(now->run, p->cost);
    if (p->set != now->set && !budget_anew(p, now->set, p->cost, events))
        return err_set(e, -ENOMEM, "no memory for the picture of the rules");
    budget_look(p, p->cost, events, told, arg);
    *costly = p->costly_count;
    p->now = *now;
    p->stats = *now->stats;
    p->now.stats = &p->stats;
    snprintf(p->policy_wrong, sizeof p->policy_wrong, "%s", now->policy_wrong ? now->policy_wrong : "");
    p->now.policy_wrong = p->policy_wrong;
    p->now_events = events;
    return 0;
}

int publisher_put(struct publisher *p, struct err *e)
{
    AUTO_BUF struct buf b;

    buf_init(&b, PUBLISH_BYTES_MAX);
    put_all(p, &p->now, p->cost, p->now_events, &b);
    if (buf_failed(&b))
        return err_set(e, -E2BIG, "the picture of the rules is larger than %u bytes", PUBLISH_BYTES_MAX);
    return file_write_quick(p->path, buf_view(&b), e);
}
