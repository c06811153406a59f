/* api_indicators.c - indicators of compromise: their sources, search, whether a value is one; files that people bring go to the desk.
 *
 * The set is mapped for the answer alone. A search walks it, within SEARCH_NS; a check looks up. */
#include "portal/internal.h"
#include "portal/json_text.h"
#include "portal/lists.h"
#include "desk/collection/collection.h"
#include "desk/detection/detection.h"
#include "ioc/shelf.h"

#define FOUND_MAX 64

static json_t *indicator_json(const struct ioc *i, time_ns now)
{
    return json_pack("{s:s,s:o,s:o,s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:b}", "type", ioc_type_name(i->type), "value", json_foreign(i->value), "source", json_foreign(i->source), "tlp",
                     ioc_tlp_name(i->tlp), "confidence", i->confidence == IOC_CONFIDENCE_NONE ? json_null() : json_integer(i->confidence), "valid_from",
                     json_moment(i->from), "valid_until", json_moment(i->until), "id", json_foreign_or_null(i->id), "note",
                     json_foreign_or_null(i->note), "warning", json_foreign_or_null(i->warning), "over",
                     i->until != 0 && i->until <= now);
}

/* --- sources --- */

struct listing {
    json_t *items;
    size_t  count;
};

static int list_source(void *arg, const struct ioc_source *s, int rc, struct err *e)
{
    struct listing *l = arg;

    (void)e;
    json_array_append_new(l->items, json_pack("{s:s,s:I,s:I,s:o,s:b}", "name", s->name, "indicators", (json_int_t)s->count, "bytes", (json_int_t)s->bytes, "changed_at",
                                              json_moment(s->changed), "broken", rc < 0));
    return ++l->count < IOC_SOURCES_MAX ? 0 : -E2BIG;
}

int api_indicator_sources(struct call *c)
{
    const char *data = c->portal->setup.node->data;
    struct listing l = { json_array(), 0 };
    struct ioc_set *set = NULL;
    int rc = ioc_shelf_sources(data, list_source, &l, &c->err), there = rc == 0 || rc == -E2BIG ? ioc_shelf_open(data, &set, &c->err) : rc;
    size_t all = set ? ioc_count(set) : 0;

    ioc_close(&set);
    if ((rc < 0 && rc != -E2BIG) || (there < 0 && there != -ENOENT && there != -EBADMSG)) {
        json_decref(l.items);
        return rc < 0 && rc != -E2BIG ? rc : there;
    }
    return call_json(c, 200, json_pack("{s:I,s:b,s:o,s:n}", "all", (json_int_t)all, "broken", there == -EBADMSG, "items", l.items, "next"));
}

/* --- search --- */

struct walking {
    struct call  *c;
    struct str    q;          /* folded */
    struct str    source, tlp;
    enum ioc_type type;       /* IOC_TYPES: any */
    size_t        at, from, limit, looked;
    json_t       *items;
    bool          more, late;
    int64_t       deadline;
    struct arena  fold;       /* of one indicator */
};

static bool holds(struct walking *w, struct str text)
{
    return text.n && str_find(desk_fold(text, &w->fold), w->q) >= 0;
}

static bool fits(struct walking *w, const struct ioc *i)
{
    bool yes;

    if ((w->type != IOC_TYPES && i->type != w->type) || (w->source.n && !str_eq(w->source, i->source)) || (w->tlp.n && !str_eq(w->tlp, str_c(ioc_tlp_name(i->tlp)))))
        return false;
    if (!w->q.n)
        return true;
    yes = holds(w, i->value) || holds(w, i->note) || holds(w, i->id);
    arena_reset(&w->fold);
    return yes;
}

static int walk(void *arg, const struct ioc *i, struct err *e)
{
    struct walking *w = arg;

    if ((++w->looked & 0xfff) == 0 && clock_steady() > w->deadline) {
        w->late = true;
        return err_set(e, -ECANCELED, "the search took too long");
    }
    if (w->at++ < w->from)
        return 0;
    if (!fits(w, i))
        return 0;
    if (json_array_size(w->items) == w->limit) {
        w->at--;
        w->more = true;
        return err_set(e, -ECANCELED, "the page is full");
    }
    json_array_append_new(w->items, indicator_json(i, w->c->now));
    return 0;
}

static int take_asked(struct call *c, struct walking *w)
{
    struct str type = params_get(&c->params, "type"), before = params_get(&c->params, "before");
    int64_t limit = 100;
    uint64_t from = 0;
    int rc = params_int(&c->params, "limit", 1, 1000, &limit, &c->err);

    if (rc == 0)
        rc = list_search(c, &w->q);
    if (rc < 0)
        return rc;
    w->limit = (size_t)limit;
    w->type = type.n ? ioc_type_parse(type) : IOC_TYPES;
    if (type.n && w->type == IOC_TYPES)
        return err_set(&c->err, -EINVAL, "type");
    if (before.n && !str_u64(before, &from))
        return err_set(&c->err, -EINVAL, "before");
    w->from = (size_t)from;
    w->source = params_get(&c->params, "source");
    w->tlp = params_get(&c->params, "tlp");
    w->deadline = clock_steady() + SEARCH_NS;
    return 0;
}

int api_indicators(struct call *c)
{
    struct walking w = { .c = c, .items = NULL };
    struct ioc_set *set = NULL;
    int rc = take_asked(c, &w), there = rc < 0 ? rc : ioc_shelf_open(c->portal->setup.node->data, &set, &c->err);

    if (there < 0 && there != -ENOENT)
        return there;
    arena_init(&w.fold, MIB);
    w.items = json_array();
    rc = set ? ioc_each(set, walk, &w, &c->err) : 0;
    arena_free(&w.fold);
    if (rc < 0 && !w.more && !w.late) {
        json_decref(w.items);
        ioc_close(&set);
        return rc;
    }
    rc = call_json(c, 200, json_pack("{s:I,s:b,s:o,s:o}", "all", (json_int_t)(set ? ioc_count(set) : 0), "complete", !w.late, "items", w.items, "next",
                                     w.more ? json_sprintf("%zu", w.at) : json_null()));
    ioc_close(&set);
    return rc;
}

/* --- check --- */

int api_indicator_check(struct call *c)
{
    struct str value = str_trim(params_get(&c->params, "value"));
    struct ioc found[FOUND_MAX];
    struct ioc_set *set = NULL;
    json_t *items;
    size_t n = 0;
    int rc = value.n && value.n <= IOC_VALUE_MAX ? ioc_shelf_open(c->portal->setup.node->data, &set, &c->err) : err_set(&c->err, -EINVAL, "value");

    if (rc < 0 && rc != -ENOENT)
        return rc;
    items = json_array();
    if (set)
        n = ioc_check(set, value, c->now, found, FOUND_MAX);
    for (size_t i = 0; i < n; i++)
        json_array_append_new(items, indicator_json(&found[i], c->now));
    ioc_close(&set);
    enum ioc_type look = ioc_guess(value);
    return call_json(c, 200, json_pack("{s:o,s:o,s:o,s:n}", "asked", json_foreign(value), "type", look < IOC_TYPES ? json_string(ioc_type_name(look)) : json_null(), "items",
                                       items, "next"));
}

/* --- changes --- */

int api_indicators_import(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_indicators_import(c->desk, &c->viewer, c->body, c->now, &r), 200, &r);
}

int api_indicators_remove(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_indicators_remove(c->desk, &c->viewer, c->match.arg[0], c->now, &r), 204, &r);
}
