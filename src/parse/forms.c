/* forms.c - the table of structured forms, and adding pairs; see forms.h. */
#include "parse/forms_internal.h"

static const struct form_kind forms[] = {
    { "json", json_looks, json_form_read }, { "kv", kv_looks, kv_form_read },          { "cef", cef_looks, cef_form_read },
    { "leef", leef_looks, leef_form_read }, { "csv", csv_looks, csv_form_read },       { "w3c", w3c_looks, w3c_form_read },
    { "snare", snare_looks, snare_form_read }, { "winxml", winxml_looks, winxml_form_read },
    { "elements", elements_looks, elements_form_read }, { "counted", counted_looks, counted_form_read },
};

const struct form_kind *form_kind_of(struct str name)
{
    for (size_t i = 0; i < COUNT(forms); i++)
        if (str_eq(name, str_c(forms[i].name)))
            return &forms[i];
    return NULL;
}

bool form_kind_read(const struct form_kind *f, struct str text, const struct form_how *how, struct arena *a, struct form_pairs *out)
{
    static const struct form_how none;

    *out = (struct form_pairs){ .arena = a };
    return f->read(text, how ? how : &none, out);
}

struct str pairs_get(const struct form_pairs *f, struct str name)
{
    for (uint32_t i = 0; i < f->count; i++)
        if (str_eq(f->items[i].name, name))
            return f->items[i].value;
    return (struct str){ NULL, 0 };
}

void pairs_add(struct form_pairs *f, struct str name, struct str value)
{
    if (name.n == 0 || name.n > EVENT_NAME_MAX || f->count >= FORM_FIELDS_MAX) {
        f->damaged = true;
        return;
    }
    if (f->count == f->cap) {
        uint32_t cap = f->cap ? f->cap * 3 : 32;
        struct event_field *more = arena_array(f->arena, cap, sizeof *more);

        if (!more) {
            f->damaged = true;
            return;
        }
        if (f->count)
            memcpy(more, f->items, f->count * sizeof *more);
        f->items = more;
        f->cap = cap;
    }
    f->items[f->count++] = (struct event_field){ name, value };
}

static bool may_repeat(const struct form_how *how, struct str name)
{
    for (size_t i = 0; i < how->repeat_count; i++)
        if (str_eq(how->repeats[i], name))
            return true;
    return false;
}

/* pairs_once - by a table of names, so that a line of many costs no more than one of few. */
void pairs_once(struct form_pairs *f, const struct form_how *how)
{
    uint16_t table[1024] = { 0 }; /* index + 1 of the first of a name */
    bool twice[FORM_FIELDS_MAX] = { false };

    static_assert(FORM_FIELDS_MAX * 2 < COUNT(table), "the table stays half empty");
    for (uint32_t i = 0; i < f->count; i++) {
        size_t at = str_hash(f->items[i].name) % COUNT(table);

        while (table[at] && !str_eq(f->items[table[at] - 1].name, f->items[i].name))
            at = (at + 1) % COUNT(table);
        if (table[at] && !may_repeat(how, f->items[i].name))
            twice[i] = twice[table[at] - 1] = f->damaged = true;
        else if (!table[at])
            table[at] = (uint16_t)(i + 1);
    }
    for (uint32_t i = 0; f->damaged && i < f->count; i++)
        if (twice[i])
            f->items[i].name = arena_printf(f->arena, "twice.%.*s", (int)min_size(f->items[i].name.n, EVENT_NAME_MAX - 6), f->items[i].name.p);
}
