/* edition_json.c - the edition as the portal draws it: obligations, enumerations, the two forms, terms; and the arithmetic of a term. */
#include "desk/duties/duties.h"
#include "desk/internal.h"

static json_t *text3(const struct label *l)
{
    json_t *o = json_object();

    for (enum lang i = 0; i < LANG_COUNT; i++)
        json_object_set_new(o, lang_name(i), json_str(l->text[i].p ? l->text[i] : STR("")));
    return o;
}

static json_t *enums_json(const struct edition *ed)
{
    json_t *all = json_object();
    char name[64];

    for (size_t i = 0; i < ed->enumeration_count; i++) {
        const struct enumeration *en = &ed->enumerations[i];
        json_t *values = json_array();

        for (size_t k = 0; k < en->count; k++)
            json_array_append_new(values, json_pack("{s:o, s:o}", "value", json_str(en->values[k].id), "label", text3(&en->values[k].name)));
        snprintf(name, sizeof name, "%.*s", STR_ARG(en->id));
        json_object_set_new(all, name, values);
    }
    return all;
}

static const char *field_type_of(const struct form_field *f)
{
    if (str_eq(f->id, STR("iocs")))
        return "iocs";
    switch (f->type) {
    case FIELD_GROUP: return "group";
    case FIELD_DATE: return "date";
    case FIELD_INSTANT: return "datetime";
    case FIELD_ENUM: return "enum";
    case FIELD_ENUMS: return "enum_set";
    case FIELD_IP: return "ip";
    case FIELD_NUMBER: return "integer";
    case FIELD_TEXT: return str_eq(f->id, STR("nature")) || str_eq(f->id, STR("note")) || str_eq(f->id, STR("elimination_actions")) ||
                                    str_eq(f->id, STR("file_path_or_request")) ? "text" : "string";
    default: return "string";
    }
}

static json_t *form_json(const struct form *form)
{
    json_t *fields = json_array();

    for (size_t i = 0; i < form->field_count; i++) {
        const struct form_field *f = &form->fields[i];
        const char *presence = f->presence == FIELD_REQUIRED ? "required" : f->presence == FIELD_OPTIONAL ? "optional" : "if_in_log";

        json_array_append_new(fields, json_pack("{s:o, s:o, s:o, s:s, s:s, s:o}", "id", json_str(f->id), "number", json_str(f->number), "label",
                                                text3(&f->label), "type", field_type_of(f), "presence", presence, "enum",
                                                f->values ? json_str(f->values->id) : json_null()));
    }
    return json_pack("{s:o, s:o, s:o}", "id", json_str(form->id), "title", text3(&form->title), "fields", fields);
}

static json_t *definitions_json(const struct edition *ed)
{
    json_t *list = json_array();

    for (size_t i = 0; i < ed->definition_count; i++)
        json_array_append_new(list, json_pack("{s:o, s:o, s:o}", "row", json_str(ed->definitions[i].row), "term", text3(&ed->definitions[i].term),
                                              "meaning", text3(&ed->definitions[i].meaning)));
    return list;
}

int desk_edition(struct desk *d, struct str id, struct desk_reply *r)
{
    const struct edition *ed = id.n ? duty_edition(d->setup.world, id) : d->setup.world->edition;
    static const char *const forms[] = { "annex2", "annex7" };
    json_t *list, *terms;
    struct call c;
    char name[64];

    if (!ed) {
        desk_call_init(&c, d, NULL, 0, r);
        int rc = refuse(&c, -ENOENT, "not_found", NULL, "no such edition");

        desk_call_free(&c);
        return rc;
    }
    list = json_array();
    terms = json_object();
    for (size_t i = 0; i < COUNT(forms); i++) {
        const struct form *f = edition_form(ed, str_c(forms[i]));

        if (f)
            json_array_append_new(list, form_json(f));
    }
    for (size_t i = 0; i < ed->term_count; i++) {
        snprintf(name, sizeof name, "%.*s", STR_ARG(ed->terms[i].id));
        json_object_set_new(terms, name, text3(&ed->terms[i].name));
    }
    r->json = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "id", json_str(ed->id), "title", text3(&ed->title), "in_force_from",
                        ed->effective_from.n ? json_str(ed->effective_from) : json_null(), "obligations",
                        duties_table_json(d->setup.world, ed), "enums",
                        enums_json(ed), "forms", list, "terms", terms, "definitions", definitions_json(ed), "basis",
                        ed->basis.text[LANG_KK].n ? text3(&ed->basis) : json_null());
    return r->json ? 0 : err_set(&r->err, -ENOMEM, "no memory for the edition");
}

int desk_due(struct desk *d, enum lang lang, struct str obligation, struct str from, struct desk_reply *r)
{
    const struct duty_world *w = d->setup.world;
    const struct obligation *o = edition_obligation(w->edition, obligation);
    struct duty_start start;
    struct duty_result result;
    AUTO_BUF struct buf b = { 0 };
    struct call c;
    int rc = 0;

    desk_call_init(&c, d, NULL, 0, r);
    buf_init(&b, MIB);
    if (!o)
        rc = refuse(&c, -ENOENT, "not_found", NULL, "no such obligation");
    if (rc == 0 && duty_start_parse(from, w->zone, &start, c.e) < 0)
        rc = refuse(&c, -EINVAL, "bad_request", "from", "not a date or a moment");
    if (rc == 0) {
        /* Of a frequency: the plan of that year, for an object that is monitored since that day. */
        int64_t day = duty_local_day(w, start.at);

        rc = o->unit == DUTY_PER_YEAR ? duty_plan(w, o, civil_from_days(day).year, day, &result, c.e) : duty_due(w, o, start, &result, c.e);
        if (rc == -ENODATA || rc == -ERANGE) {
            char story[ERR_TEXT_MAX];

            snprintf(story, sizeof story, "%s", c.e->text);
            rc = refuse(&c, -EINVAL, "bad_request", "from", "%s", story);
        }
    }
    if (rc == 0) {
        duty_json(w, &result, d->setup.catalog, lang, &b);
        r->json = json_loadb(b.p, b.n, 0, NULL);
        rc = r->json ? 0 : err_set(c.e, -ENOMEM, "no memory for the answer");
    }
    desk_call_free(&c);
    return refuse_rc(r, rc);
}
