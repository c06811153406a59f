/* table.c - the table of obligations of an edition as the API gives it: every column of requirements section 5. */
#include "desk/duties/room.h"

static json_t *text3(const struct label *l)
{
    json_t *o = json_object();

    for (enum lang i = 0; i < LANG_COUNT; i++)
        json_object_set_new(o, lang_name(i), json_str(l->text[i].p ? l->text[i] : STR("")));
    return o;
}

static json_t *text3_or_null(const struct label *l)
{
    return l->text[0].n ? text3(l) : json_null();
}

/* actors3 - their names as one text, "owner, possessor". */
static json_t *actors3(const struct actor *const *list, size_t n)
{
    json_t *o = json_object();

    for (enum lang l = 0; l < LANG_COUNT; l++) {
        AUTO_BUF struct buf b = { 0 };

        buf_init(&b, 16 * KIB);
        for (size_t i = 0; i < n; i++) {
            buf_str(&b, i ? STR(", ") : STR(""));
            buf_str(&b, list[i]->name.text[l]);
        }
        json_object_set_new(o, lang_name(l), json_str(b.n ? buf_view(&b) : STR("")));
    }
    return o;
}

static json_t *actor_ids(const struct actor *const *list, size_t n)
{
    json_t *a = json_array();

    for (size_t i = 0; i < n; i++)
        json_array_append_new(a, json_str(list[i]->id));
    return a;
}

static json_t *texts(const struct str *list, size_t n)
{
    json_t *a = json_array();

    for (size_t i = 0; i < n; i++)
        json_array_append_new(a, json_str(list[i]));
    return a;
}

static json_t *bits(unsigned set, const char *(*name)(unsigned))
{
    json_t *a = json_array();

    for (unsigned bit = 1; bit <= DUTY_WORK_OPERATION; bit <<= 1)
        if (set & bit)
            json_array_append_new(a, json_string(name(bit)));
    return a;
}

static json_t *chapters(const struct obligation *o)
{
    json_t *a = json_array();

    for (int i = 2; i <= 3; i++)
        if (o->chapter[i])
            json_array_append_new(a, json_integer(i));
    return a;
}

static json_t *or_null(struct str s) { return s.n ? json_str(s) : json_null(); }

static const char *basis_of(const struct duty_world *w, const struct obligation *o)
{
    if (obligation_lawful(o))
        return duty_basis_name(DUTY_LAW);
    return duty_basis_name(o->unit == DUTY_PER_YEAR ? DUTY_FREQUENCY : duty_target_of(w, o) ? DUTY_TARGET : DUTY_OPEN);
}

static json_t *obligation_json(const struct duty_world *w, const struct obligation *o)
{
    json_t *from = o->from ? json_pack("{s:o, s:b, s:o}", "id", json_str(o->from->id), "day", (int)o->from->day, "name", text3(&o->from->name))
                           : json_null();
    json_t *j = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "id", json_str(o->id), "paragraph", json_str(o->paragraph), "title",
                          text3(&o->title), "trigger", text3_or_null(&o->trigger), "content", text3_or_null(&o->content), "who",
                          actors3(o->by, o->by_count), "whom", actors3(o->to, o->to_count), "by", actor_ids(o->by, o->by_count), "to",
                          actor_ids(o->to, o->to_count), "from", from);
    json_t *rest = json_pack("{s:i, s:s, s:s, s:b, s:i, s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "amount", (int)o->amount, "unit",
                             duty_unit_name(o->unit), "basis", basis_of(w, o), "roll", (int)o->roll, "main", (int)o->main_count, "control",
                             (int)o->control_count, "chapters", chapters(o), "work", bits(o->work, duty_work_name), "channels",
                             bits(o->channels, duty_channel_name), "annex", o->annex ? json_integer(o->annex) : json_null(), "form",
                             or_null(o->form), "fulfilled_by", texts(o->facts, o->fact_count), "parallel", texts(o->parallel, o->parallel_count),
                             "on_late", or_null(o->on_late), "reading", or_null(o->reading), "rows", texts(o->rows, o->row_count));

    json_object_update(j, rest);
    json_decref(rest);
    return j;
}

json_t *duties_table_json(const struct duty_world *w, const struct edition *ed)
{
    json_t *list = json_array();

    for (size_t i = 0; i < ed->obligation_count; i++)
        json_array_append_new(list, obligation_json(w, &ed->obligations[i]));
    return list;
}

static json_t *date_or_null(struct str s) { return s.n ? json_str(s) : json_null(); }

int desk_editions(struct desk *d, struct desk_reply *r)
{
    const struct duty_world *w = d->setup.world;
    json_t *items = json_array();

    for (size_t i = 0; i < w->edition_count; i++) {
        const struct edition *ed = w->editions[i];

        json_array_append_new(items, json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:b}", "id", json_str(ed->id), "title", text3(&ed->title), "act",
                                               json_str(ed->act), "adopted", json_str(ed->adopted), "edition_of", json_str(ed->edition_of),
                                               "in_force_from", date_or_null(ed->effective_from), "configured", (int)(ed == w->edition)));
    }
    r->json = json_pack("{s:o, s:n}", "items", items, "next");
    return r->json ? 0 : err_set(&r->err, -ENOMEM, "no memory for the editions");
}
