/* document.c - a filled form as one JSON object. */
#include "forms/internal.h"

static void member(struct buf *out, const char *name, struct str value)
{
    buf_printf(out, "\"%s\":", name);
    buf_json(out, value);
    buf_byte(out, ',');
}

static void labels(struct buf *out, const char *name, const struct form_document *d, const struct label *l)
{
    buf_printf(out, "\"%s\":{", name);
    for (size_t i = 0; i < d->lang_count; i++) {
        buf_printf(out, "%s\"%s\":", i ? "," : "", lang_name(d->langs[i]));
        buf_json(out, l->text[d->langs[i]]);
    }
    buf_str(out, STR("},"));
}

static void field(struct buf *out, const struct form_document *d, const struct form_field *f, struct arena *a)
{
    buf_byte(out, '{');
    if (f->number.n)
        member(out, "number", f->number);
    member(out, "id", f->id);
    if (f->row.n)
        member(out, "row", f->row);
    member(out, "type", str_c(field_type_name(f->type)));
    member(out, "presence", str_c(field_presence_name(f->presence)));
    labels(out, "label", d, &f->label);
    buf_str(out, STR("\"value\":"));
    form_value_write(d->world, f, form_value_find(d->values, f->id), out);
    buf_str(out, STR(",\"text\":{"));
    for (size_t i = 0; i < d->lang_count; i++) {
        buf_printf(out, "%s\"%s\":", i ? "," : "", lang_name(d->langs[i]));
        buf_json(out, forms_value_text(d, f, d->langs[i], a));
    }
    buf_str(out, STR("}}"));
}

static void fields(struct buf *out, const char *name, const struct form_document *d, const struct form_field *f,
                   size_t count, struct arena *a)
{
    buf_printf(out, "\"%s\":[", name);
    for (size_t i = 0; i < count; i++) {
        if (i)
            buf_byte(out, ',');
        field(out, d, &f[i], a);
    }
    buf_byte(out, ']');
}

int forms_render_json(const struct form_document *d, struct buf *out, struct err *e)
{
    AUTO_ARENA struct arena a;
    char text[TIME_TEXT_MAX];

    arena_init(&a, 0);
    buf_byte(out, '{');
    member(out, "form", d->form->id);
    member(out, "identifier", d->form->identifier);
    buf_printf(out, "\"prescribed\":%s,", d->form->prescribed ? "true" : "false");
    if (d->form->annex)
        buf_printf(out, "\"annex\":%d,", d->form->annex);
    member(out, "edition", d->world->edition->id);
    member(out, "case", d->case_number);
    member(out, "produced_at", str_c(time_format_utc(d->produced_at, text)));
    labels(out, "title", d, &d->form->title);
    fields(out, "fields", d, d->form->fields, d->form->field_count, &a);
    buf_byte(out, ',');
    fields(out, "extras", d, d->form->extras, d->form->extra_count, &a);
    buf_byte(out, '}');
    if (buf_failed(out) || arena_failed(&a))
        return err_set(e, -ENOMEM, "no memory for the document");
    return 0;
}
