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
};

enum form form_named(struct str name)
{
    for (int f = 0; f < FORM_COUNT; f++)
        if (str_eq(name, names[f].name))
            return (enum form)f;
    return FORM_COUNT;
}

bool form_read(struct work *w, enum form form, const struct form_options *o, struct str s, struct form_fields *out)
{
    struct form_how how = { .delimiter = o ? o->separator : 0,
                            .assign = o ? o->assign : 0,
                            .columns = o ? o->columns : NULL,
                            .column_count = o ? o->column_count : 0,
                            .memory = w->hints->memory,
                            .source = w->hints->source };
    struct form_pairs pairs;

    *out = (struct form_fields){ 0 };
    if (form == FORM_TEXT || form >= FORM_COUNT)
        return false;
    how.header = how.column_count == 0;
    if (!form_kind_read(form_kind_of(str_c(names[form].kind)), s, &how, w->arena, &pairs))
        return false;
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
