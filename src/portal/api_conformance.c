/* api_conformance.c - how far what each source sends keeps to Annex 4: what ingest found (DATA/run/annex4.json), for those who may see it.
 *
 * The file is written by src/ingest/conformance.c: {"items": [{source, host, object, class, …, findings}]}; what a message says is put
 * here into the language of the session. */
#include "event/event.h"
#include "desk/requests/requests.h"
#include "desk/scope.h"
#include "portal/internal.h"
#include "portal/pictures.h"

/* load - the array as it stands; shared, so it is read only. */
static json_t *load(const struct call *c)
{
    json_t *all = pictures_get(c->portal->pictures, PICTURE_ANNEX4), *items = json_incref(json_object_get(all, "items"));

    json_decref(all);
    if (json_is_array(items))
        return items;
    json_decref(items);
    return json_array();
}

static const char *text_of(const json_t *o, const char *key)
{
    const char *t = json_string_value(json_object_get(o, key));

    return t ? t : "";
}

static json_t *count_of(const json_t *o, const char *key)
{
    json_int_t n = json_integer_value(json_object_get(o, key));

    return json_integer(n > 0 ? n : 0);
}

/* kept - the value as it stands, null where there is none. */
static json_t *kept(const json_t *o, const char *key)
{
    json_t *v = json_object_get(o, key);

    return v ? json_deep_copy(v) : json_null();
}

static json_t *finding(struct call *c, const json_t *f)
{
    const char *field = json_string_value(json_object_get(f, "field"));
    char key[96];
    struct str name = { NULL, 0 }, message;

    if (field) {
        snprintf(key, sizeof key, "annex4.field.%.60s", field);
        name = catalog_text(c->portal->catalog, c->lang, key);
    }
    snprintf(key, sizeof key, "annex4.code.%.60s", text_of(f, "code"));
    message = catalog_format(c->portal->catalog, c->lang, &c->arena, key, "field", name.p ? name.p : "", NULL);
    return json_pack("{s:s,s:s,s:o,s:s%,s:o,s:o,s:o,s:o,s:o,s:o}", "row", text_of(f, "row"), "code", text_of(f, "code"), "field", kept(f, "field"), "message",
                     message.n ? message.p : "", message.n, "checked", count_of(f, "checked"), "failed", count_of(f, "failed"), "line", count_of(f, "line"),
                     "column", count_of(f, "column"), "sample", kept(f, "sample"), "last", kept(f, "last"));
}

static json_t *object_ref(const json_t *names, const char *id)
{
    const json_t *name = json_object_get(names, id);

    return name ? json_pack("{s:s,s:O}", "id", id, "name", name) : json_null();
}

/* change_json - a format that changed, and who announced it (paragraph 12); what cannot be looked up is told as nobody's. */
static json_t *change_json(struct call *c, const json_t *s)
{
    const json_t *ch = json_object_get(s, "change");
    json_t *announced = NULL;
    time_ns at;
    struct err e;

    if (!json_is_object(ch))
        return json_null();
    if (time_parse_rfc3339(str_c(text_of(ch, "at")), &at, NULL, NULL) < 0 || !*text_of(s, "object") ||
        desk_logging_announced(c->desk, &c->viewer, str_c(text_of(s, "object")), str_c(text_of(s, "source")), str_c(text_of(s, "class")), at, &announced, &e) < 0) {
        json_decref(announced);
        announced = json_null();
    }
    return json_pack("{s:o,s:s,s:s,s:o,s:o,s:o}", "at", kept(ch, "at"), "before", text_of(ch, "before"), "after", text_of(ch, "after"), "score_before",
                     count_of(ch, "score_before"), "score_after", count_of(ch, "score_after"), "announced", announced);
}

static json_t *one(struct call *c, const json_t *s, const json_t *names)
{
    json_t *findings = json_array(), *f, *out;
    size_t i;

    json_array_foreach(json_object_get(s, "findings"), i, f)
        json_array_append_new(findings, finding(c, f));
    out = json_pack("{s:s,s:s,s:o,s:s,s:o,s:s,s:o,s:o,s:o}", "source", text_of(s, "source"), "host", text_of(s, "host"), "object",
                    object_ref(names, text_of(s, "object")), "class", text_of(s, "class"), "chapter", kept(s, "chapter"), "listener", text_of(s, "listener"),
                    "score", kept(s, "score"), "form_score", kept(s, "form_score"), "field_score", kept(s, "field_score"));
    json_object_set_new(out, "seen", count_of(s, "seen"));
    json_object_set_new(out, "judged", count_of(s, "judged"));
    json_object_set_new(out, "format", json_string(text_of(s, "format")));
    json_object_set_new(out, "formats", kept(s, "formats"));
    json_object_set_new(out, "since", kept(s, "since"));
    json_object_set_new(out, "last", kept(s, "last"));
    json_object_set_new(out, "change", change_json(c, s));
    json_object_set_new(out, "findings", findings);
    json_object_set_new(out, "sample", kept(s, "sample"));
    return out;
}

static json_int_t score_of(const json_t *s)
{
    const json_t *j = json_object_get(s, "score");

    return json_is_integer(j) ? json_integer_value(j) : -1;
}

/* by_score - the worst first: sources of no class (nothing can be judged) before all; names settle the rest. */
static int by_score(const void *a, const void *b)
{
    const json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;
    json_int_t sx = score_of(x), sy = score_of(y);
    int names = strcmp(text_of(x, "source"), text_of(y, "source"));

    return sx != sy ? (sx < sy ? -1 : 1) : names ? names : strcmp(text_of(x, "class"), text_of(y, "class"));
}

/* wanted - may the viewer see it, and was it asked for? */
static bool wanted(const struct call *c, const json_t *s, const json_t *names)
{
    struct str source = params_get(&c->params, "source"), object = params_get(&c->params, "object");

    return (!scope_of(&c->viewer).bounded || json_object_get(names, text_of(s, "object"))) && (!source.n || str_eq(source, str_c(text_of(s, "source")))) &&
           (!object.n || str_eq(object, str_c(text_of(s, "object"))));
}

/* page - rows [from, from + limit) of those that are wanted. */
static int page(struct call *c, json_t *all, const json_t *names, uint64_t from, size_t limit)
{
    size_t n = json_array_size(all), count = 0;
    json_t **rows = calloc(n + 1, sizeof *rows), *items = json_array(), *next = json_null();
    char now[TIME_TEXT_MAX];

    if (!rows) {
        json_decref(items);
        return err_set(&c->err, -ENOMEM, "no memory for a list of sources");
    }
    for (size_t i = 0; i < n; i++)
        if (wanted(c, json_array_get(all, i), names))
            rows[count++] = json_array_get(all, i);
    qsort(rows, count, sizeof *rows, by_score);
    for (size_t i = from; i < count && json_array_size(items) < limit; i++)
        json_array_append_new(items, one(c, rows[i], names));
    if (from + json_array_size(items) < count)
        next = json_sprintf("%llu", (unsigned long long)(from + json_array_size(items)));
    free(rows);
    return call_json(c, 200, json_pack("{s:s,s:I,s:o,s:o}", "now", time_format_utc(c->now, now), "total", (json_int_t)count, "items", items, "next", next));
}

int api_conformance(struct call *c)
{
    json_t *names = NULL, *all;
    struct str before;
    uint64_t from = 0;
    int limit, rc = call_page(c, &limit, &before);

    if (rc == 0 && before.n && (!str_u64(before, &from) || from > UINT32_MAX))
        rc = err_set(&c->err, -EINVAL, "before");
    if (rc == 0)
        rc = desk_object_names(c->desk, &c->viewer, &names, &c->err);
    if (rc < 0)
        return rc;
    all = load(c);
    rc = page(c, all, names, from, (size_t)limit);
    json_decref(all);
    json_decref(names);
    return rc;
}
