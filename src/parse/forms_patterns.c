/* forms_patterns.c - the structured forms for parsers as data: what patterns.h asks, by the readers of forms.h. */
#include "parse/forms_internal.h"
#include "parse/patterns.h"

/* Their names in files of parsers, and ours. */
static const struct {
    struct str name;
    const char *kind;
} names[FORM_COUNT] = {
    [FORM_TEXT] = { STR_INIT("text"), NULL },   [FORM_KV] = { STR_INIT("kv"), "kv" },
    [FORM_CSV] = { STR_INIT("csv"), "csv" },    [FORM_JSON] = { STR_INIT("json"), "json" },
    [FORM_CEF] = { STR_INIT("cef"), "cef" },    [FORM_LEEF] = { STR_INIT("leef"), "leef" },
    [FORM_W3C] = { STR_INIT("w3c"), "w3c" },    [FORM_XML] = { STR_INIT("xml"), "winxml" },
    [FORM_SD] = { STR_INIT("sd"), NULL },
    [FORM_ELEMENTS] = { STR_INIT("elements"), "elements" }, [FORM_COUNTED] = { STR_INIT("counted"), "counted" },
};

enum form form_named(struct str name)
{
    for (int f = 0; f < FORM_COUNT; f++)
        if (str_eq(name, names[f].name))
            return (enum form)f;
    return FORM_COUNT;
}

/* structured_read - what RFC 5424's header brought, by the names of its parameters; they leave the event. The text behind is "message". */
static bool structured_read(struct work *w, struct str s, struct form_fields *out)
{
    static const struct str head = STR_INIT("log.syslog.structured_data.");
    struct event *ev = w->ev;
    uint32_t count = w->structured_to - w->structured_from;

    if (count == 0 || w->structured_to > ev->field_count)
        return false;
    for (uint32_t i = w->structured_from; i < w->structured_to; i++) {
        struct str name = str_cut(ev->fields[i].name, head.n + w->structured.n + 1);

        if (str_starts(str_cut(ev->fields[i].name, head.n), w->structured) && name.n)
            form_add(w, out, name, ev->fields[i].value);
    }
    memmove(&ev->fields[w->structured_from], &ev->fields[w->structured_to], (ev->field_count - w->structured_to) * sizeof *ev->fields);
    ev->field_count -= count;
    work_survey(w);
    w->structured_to = w->structured_from;
    if (s.n)
        form_add(w, out, STR("message"), s);
    return true;
}

/* tail - what of name stands behind "LIST.KEY": nothing, or ".more". False: it is another name. */
static bool tail(struct str name, struct str list, struct str key, struct str *rest)
{
    if (!str_starts(name, list) || name.n <= list.n + key.n || name.p[list.n] != '.' || !str_starts(str_cut(name, list.n + 1), key))
        return false;
    *rest = str_cut(name, list.n + 1 + key.n);
    return rest->n == 0 || *rest->p == '.';
}

/* listed - the values of lists of pairs get their names: LIST.VALUE[.more] behind LIST.KEY=x becomes LIST.x[.more]. */
static void listed(struct work *w, const struct form_listing *l, struct form_pairs *f)
{
    struct str name = { NULL, 0 }, rest;
    uint32_t kept = 0;

    for (uint32_t i = 0; i < f->count; i++) {
        struct event_field at = f->items[i];

        if (tail(at.name, l->list, l->key, &rest) && rest.n == 0) {
            name = at.value;
            continue;
        }
        if (name.n && tail(at.name, l->list, l->value, &rest)) {
            if (l->list.n + 1 + name.n + rest.n > EVENT_NAME_MAX)
                f->damaged = true;
            else
                at.name = arena_printf(w->arena, "%.*s.%.*s%.*s", STR_ARG(l->list), STR_ARG(name), STR_ARG(rest));
            if (at.name.n == 0)
                continue; /* no memory */
        }
        f->items[kept++] = at;
    }
    f->count = kept;
}

bool form_read(struct work *w, enum form form, const struct form_options *o, struct str s, struct form_fields *out)
{
    struct form_how how = { .delimiter = o ? o->separator : 0,
                            .assign = o ? o->assign : 0,
                            .columns = o ? o->columns : NULL,
                            .column_count = o ? o->column_count : 0,
                            .by = o ? o->by : (struct str){ NULL, 0 },
                            .further = o ? o->further : NULL,
                            .further_count = o ? o->further_count : 0,
                            .once = o && o->once,
                            .repeats = o ? o->repeats : NULL,
                            .repeat_count = o ? o->repeat_count : 0,
                            .doubled = o && o->doubled,
                            .memory = w->hints->memory,
                            .source = w->hints->source };
    struct form_pairs pairs;

    *out = (struct form_fields){ 0 };
    if (form == FORM_TEXT || form >= FORM_COUNT)
        return false;
    if (form == FORM_SD)
        return structured_read(w, s, out);
    how.header = how.column_count == 0;
    if (!form_kind_read(form_kind_of(str_c(names[form].kind)), s, &how, w->arena, &pairs))
        return false;
    for (size_t i = 0; o && i < o->listing_count; i++)
        listed(w, &o->listings[i], &pairs);
    *out = (struct form_fields){ pairs.items, pairs.count, pairs.cap };
    w->trouble = w->trouble || pairs.damaged;
    return true;
}

void form_add(struct work *w, struct form_fields *f, struct str name, struct str value)
{
    struct form_pairs pairs = { w->arena, f->items, f->count, f->cap, false };

    pairs_add(&pairs, name, value);
    *f = (struct form_fields){ pairs.items, pairs.count, pairs.cap };
    w->trouble = w->trouble || pairs.damaged;
}
