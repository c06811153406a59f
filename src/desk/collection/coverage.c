/* coverage.c - see coverage.h. */
#include "desk/collection/coverage.h"

#include "desk/collection/collection.h"
#include "desk/internal.h"
#include "desk/scope.h"
#include "table/table.h"

static const char *text(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));

    return s ? s : "";
}

static json_int_t number(const json_t *o, const char *key)
{
    json_int_t n = json_integer_value(json_object_get(o, key));

    return n > 0 ? n : 0;
}

static json_t *list_of(const json_t *o, const char *key)
{
    json_t *v = json_object_get(o, key);

    return json_is_array(v) ? json_incref(v) : json_array();
}

static json_t *moment(const json_t *o, const char *key)
{
    json_t *v = json_object_get(o, key);

    return json_is_string(v) ? json_incref(v) : json_null();
}

static json_t *rate(const json_t *o) { return json_real(json_number_value(json_object_get(o, "rate_h"))); }

/* --- parts: an object and a class --- */

static const json_t *type_named(const json_t *types, struct str code)
{
    const json_t *t;
    size_t i;

    json_array_foreach(types, i, t)
        if (str_eq(str_c(text(t, "type")), code))
            return t;
    return NULL;
}

static bool in_list(const json_t *list, struct str code)
{
    const json_t *t;
    size_t i;

    json_array_foreach(list, i, t)
        if (str_eq(str_c(json_string_value(t)), code))
            return true;
    return false;
}

static json_t *type_json(const struct coverage_view *v, const struct event_type *of, const json_t *t, bool wanted)
{
    struct str title = of->label.text[v->lang];
    json_t *o = json_pack("{s:o,s:o,s:o,s:b,s:s,s:I,s:o,s:o,s:o}", "type", json_str(of->code), "row", json_str(of->row), "title", json_str(title), "wanted", wanted,
                          "state", t ? text(t, "state") : "never", "events", number(t, "events"), "first_at", moment(t, "first"), "last_at", moment(t, "last"), "rate_h", rate(t));

    json_object_set_new(o, "silence_s", json_integer(number(t, "silence_s")));
    json_object_set_new(o, "late_after_s", json_integer(number(t, "late_after_s")));
    json_object_set_new(o, "sources", json_integer(number(t, "sources")));
    json_object_set_new(o, "late", json_integer(number(t, "late")));
    json_object_set_new(o, "last_source", moment(t, "last_source"));
    json_object_set_new(o, "last_seq", json_integer(number(t, "last_seq")));
    json_object_set_new(o, "seen", list_of(t, "seen"));
    json_object_set_new(o, "lacks", list_of(t, "lacks"));
    return o;
}

static json_t *object_json(const struct coverage_view *v, const char *id)
{
    const char *name = text(json_object_get(v->objects, id), "name");

    return *id ? json_pack("{s:s,s:s}", "id", id, "name", *name ? name : id) : json_null();
}

static json_t *part_json(const struct coverage_view *v, const json_t *p)
{
    const json_t *wants = json_object_get(json_object_get(json_object_get(v->all, "classes"), text(p, "class")), "types");
    json_t *types = json_array();
    json_int_t states[3] = { 0 };   /* of those that are wanted: arriving, late, never */

    for (size_t i = 0; i < v->edition->event_type_count; i++) {
        const struct event_type *of = &v->edition->event_types[i];
        const json_t *t = type_named(json_object_get(p, "types"), of->code);
        bool wanted = in_list(wants, of->code);

        if (!t && !wanted)
            continue;
        states[!t ? 2 : strcmp(text(t, "state"), "late") == 0] += wanted;
        json_array_append_new(types, type_json(v, of, t, wanted));
    }
    return json_pack("{s:o,s:s,s:I,s:I,s:I,s:o,s:o,s:I,s:I,s:I,s:o}", "object", object_json(v, text(p, "object")), "class", text(p, "class"), "sources", number(p, "sources"),
                     "silent", number(p, "silent"), "events", number(p, "events"), "first_at", moment(p, "first"), "last_at", moment(p, "last"), "arriving", states[0], "late",
                     states[1], "never", states[2], "types", types);
}

static bool is_asked(const struct coverage_view *v, const json_t *p)
{
    const char *id = text(p, "object");
    struct str asked = str_eq(v->object, STR(COVERAGE_UNASSIGNED)) ? STR("") : v->object;

    return (!v->bounded || json_object_get(v->objects, id)) && (!v->object.n || str_eq(asked, str_c(id))) && (!v->class.n || str_eq(v->class, str_c(text(p, "class"))));
}

/* add_silent_objects - those of the registry of which nothing came. */
static void add_silent_objects(const struct coverage_view *v, json_t *parts)
{
    json_t *known = json_object(), *o;
    const json_t *p;
    const char *id;
    size_t i;

    json_array_foreach(json_object_get(v->all, "objects"), i, p)
        json_object_set_new(known, text(p, "object"), json_true());
    json_object_foreach((json_t *)(uintptr_t)v->objects, id, o)
        if (!json_object_get(known, id) && !v->class.n && (!v->object.n || str_eq(v->object, str_c(id)))) {
            json_t *none = json_pack("{s:s,s:s}", "object", id, "class", "");

            json_array_append_new(parts, part_json(v, none));
            json_decref(none);
        }
    json_decref(known);
}

json_t *coverage_parts(const struct coverage_view *v)
{
    json_t *parts = json_array();
    const json_t *p;
    size_t i;

    add_silent_objects(v, parts);   /* the worst stands first */
    json_array_foreach(json_object_get(v->all, "objects"), i, p)
        if (is_asked(v, p))
            json_array_append_new(parts, part_json(v, p));
    return parts;
}

json_t *coverage_sources(const struct coverage_view *v)
{
    json_t *out = json_array();
    const json_t *s, *t;
    size_t i, k;

    json_array_foreach(json_object_get(v->all, "sources"), i, s) {
        json_t *types;

        if (!is_asked(v, s))
            continue;
        types = json_array();
        json_array_foreach(json_object_get(s, "types"), k, t)
            json_array_append_new(types, json_pack("{s:s,s:s,s:I,s:o,s:o,s:I,s:o}", "type", text(t, "type"), "state", text(t, "state"), "events", number(t, "events"), "last_at",
                                                   moment(t, "last"), "rate_h", rate(t), "late_after_s", number(t, "late_after_s"), "lacks", list_of(t, "lacks")));
        json_array_append_new(out, json_pack("{s:s,s:o,s:s,s:s,s:I,s:o,s:o,s:o,s:I,s:o,s:o}", "source", text(s, "source"), "object", object_json(v, text(s, "object")), "class",
                                             text(s, "class"), "state", text(s, "state"), "events", number(s, "events"), "first_at", moment(s, "first"), "last_at",
                                             moment(s, "last"), "rate_h", rate(s), "late_after_s", number(s, "late_after_s"), "lacks", list_of(s, "lacks"), "types", types));
    }
    return out;
}

/* --- rules that wait for a log that does not come --- */

static int level_of(const json_t *rule)
{
    static const char *const levels[] = { "informational", "low", "medium", "high", "critical" };

    for (size_t i = 0; i < COUNT(levels); i++)
        if (strcmp(text(rule, "level"), levels[i]) == 0)
            return (int)i;
    return 0;
}

/* name_rule - the gravest of those that wait are named. */
static void name_rule(json_t *named, const json_t *r, enum lang lang)
{
    const char *own = text(r, lang == LANG_KK ? "title_kk" : lang == LANG_RU ? "title_ru" : "title");
    size_t at = 0;

    while (at < json_array_size(named) && level_of(json_array_get(named, at)) >= level_of(r))
        at++;
    if (at < COVERAGE_RULES_NAMED)
        json_array_insert_new(named, at, json_pack("{s:s,s:s,s:s}", "id", text(r, "id"), "title", *own ? own : text(r, "title"), "level", text(r, "level")));
    if (json_array_size(named) > COVERAGE_RULES_NAMED)
        json_array_remove(named, COVERAGE_RULES_NAMED);
}

static int by_count(const void *a, const void *b)
{
    const json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;
    json_int_t nx = number(x, "count"), ny = number(y, "count");

    return nx != ny ? (nx > ny ? -1 : 1) : strcmp(text(x, "product"), text(y, "product"));
}

static json_t *sorted(json_t *groups)
{
    size_t n = json_object_size(groups), count = 0;
    AUTO_FREE json_t **row = calloc(n + 1, sizeof *row);
    json_t *out = json_array(), *g;
    const char *key;

    json_object_foreach(groups, key, g)
        if (row)
            row[count++] = g;
    if (row)
        qsort(row, count, sizeof *row, by_count);
    for (size_t i = 0; i < count; i++)
        json_array_append(out, row[i]);
    json_decref(groups);
    return out;
}

json_t *coverage_waiting(const json_t *rules, enum lang lang)
{
    json_t *groups = json_object();
    const json_t *r;
    size_t i;

    json_array_foreach(json_object_get(rules, "rules"), i, r) {
        const json_t *of = json_object_get(r, "logsource");
        char key[400];
        json_t *g;

        if (!json_is_false(json_object_get(r, "fed")) || json_is_true(json_object_get(r, "correlation")))
            continue;
        snprintf(key, sizeof key, "%.120s/%.120s/%.120s", text(of, "product"), text(of, "category"), text(of, "service"));
        g = json_object_get(groups, key);
        if (!g) {
            g = json_pack("{s:s,s:s,s:s,s:i,s:[]}", "product", text(of, "product"), "category", text(of, "category"), "service", text(of, "service"), "count", 0, "rules");
            json_object_set_new(groups, key, g);
        }
        json_object_set_new(g, "count", json_integer(number(g, "count") + 1));
        name_rule(json_object_get(g, "rules"), r, lang);
    }
    return sorted(groups);
}

/* --- the table --- */

static const char *const columns[] = { "object", "object_id", "class", "type", "row", "title", "state", "events", "first", "last", "rate_h", "sources", "late_sources",
                                       "last_source", "last_seq", "lacks" };

static struct str word(const struct catalog *words, enum lang lang, const char *head, const char *tail)
{
    char key[128];

    snprintf(key, sizeof key, "%s.%.60s", head, tail);
    return catalog_text(words, lang, key);
}

/* put_fields - in the words of the law. */
static void put_fields(struct table_writer *w, const json_t *list, const struct catalog *words, enum lang lang, struct buf *b)
{
    const json_t *f;
    size_t i;

    buf_reset(b);
    json_array_foreach(list, i, f) {
        buf_str(b, i ? STR(", ") : STR(""));
        buf_str(b, word(words, lang, "annex4.field", json_string_value(f)));
    }
    table_put(w, buf_view(b));
}

static void put_row(struct table_writer *w, const json_t *p, const json_t *t, const struct catalog *words, enum lang lang, struct buf *b)
{
    const json_t *object = json_object_get(p, "object");
    const char *class = text(p, "class");

    table_put(w, str_c(text(object, "name")));
    table_put(w, str_c(text(object, "id")));
    table_put(w, *class ? word(words, lang, "ui.class", class) : STR(""));
    table_put(w, str_c(text(t, "type")));
    table_put(w, str_c(text(t, "row")));
    table_put(w, str_c(text(t, "title")));
    table_put(w, word(words, lang, "ui.collection.coverage_state", t ? text(t, "state") : "never"));
    table_put_number(w, (double)number(t, "events"));
    table_put(w, str_c(text(t, "first_at")));
    table_put(w, str_c(text(t, "last_at")));
    table_put_number(w, json_number_value(json_object_get(t, "rate_h")));
    table_put_number(w, (double)number(t, "sources"));
    table_put_number(w, (double)number(t, "late"));
    table_put(w, str_c(text(t, "last_source")));
    table_put_number(w, (double)number(t, "last_seq"));
    put_fields(w, json_object_get(t, "lacks"), words, lang, b);
    table_end_row(w);
}

int coverage_table(const json_t *parts, const struct catalog *words, enum lang lang, time_ns now, struct buf *out, struct err *e)
{
    const struct table_writer_setup setup = { .format = TABLE_CSV, .created = now };
    struct table_writer *w = NULL;
    struct str names[COUNT(columns)];
    AUTO_BUF struct buf b;
    const json_t *p, *t;
    size_t i, k;
    int rc;

    buf_init(&b, MIB);
    rc = table_writer_new(&setup, &w, e);
    if (rc < 0)
        return rc;
    for (i = 0; i < COUNT(columns); i++)
        names[i] = word(words, lang, "coverage.column", columns[i]);
    table_sheet(w, "coverage");
    table_header(w, names, NULL, COUNT(columns));
    json_array_foreach(parts, i, p) {
        json_array_foreach(json_object_get(p, "types"), k, t)
            put_row(w, p, t, words, lang, &b);
        if (json_array_size(json_object_get(p, "types")) == 0)
            put_row(w, p, NULL, words, lang, &b);
    }
    rc = table_writer_finish(w, out, e);
    table_writer_free(&w);
    return rc;
}

int desk_coverage(struct desk *d, const struct viewer *v, const json_t *all, struct str object, struct str class, enum lang lang, json_t **parts, json_t **sources,
                  struct err *e)
{
    struct coverage_view view = { .all = all, .bounded = scope_of(v).bounded, .object = object, .class = class, .edition = d->setup.world->edition, .lang = lang };
    json_t *objects = NULL;
    int rc = desk_collection_objects(d, v, &objects, e);

    if (rc < 0)
        return rc;
    view.objects = objects;
    *parts = coverage_parts(&view);
    if (sources)
        *sources = coverage_sources(&view);
    json_decref(objects);
    return *parts ? 0 : err_set(e, -ENOMEM, "no memory for what arrives");
}
