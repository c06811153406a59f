/* edition_obligations.c - obligations.yaml and event_types.yaml. */
#include "duty/internal.h"

static const char *const unit_names[DUTY_UNIT_COUNT + 1] = {
    [DUTY_MINUTES] = "minutes",
    [DUTY_HOURS] = "hours",
    [DUTY_BUSINESS_DAYS] = "business_days",
    [DUTY_CALENDAR_DAYS] = "calendar_days",
    [DUTY_MONTHS] = "months",
    [DUTY_QUARTER] = "quarter",
    [DUTY_PER_YEAR] = "per_year",
    [DUTY_NONE] = "none",
};
static const char *const work_names[] = { "incident_response", "protection", "secure_operation", NULL };
static const char *const channel_names[] = { "paper", "electronic", NULL };

const char *duty_unit_name(enum duty_unit u)
{
    return u < DUTY_UNIT_COUNT ? unit_names[u] : "?";
}

static const char *bit_name(const char *const *names, unsigned bit)
{
    for (size_t i = 0; names[i]; i++)
        if (bit == 1u << i)
            return names[i];
    return NULL;
}

const char *duty_work_name(unsigned bit) { return bit_name(work_names, bit); }
const char *duty_channel_name(unsigned bit) { return bit_name(channel_names, bit); }

static const struct duty_from *find_from(const struct edition *ed, struct str id)
{
    for (size_t i = 0; i < ed->from_count; i++)
        if (str_eq(ed->froms[i].id, id))
            return &ed->froms[i];
    return NULL;
}

static void read_froms(struct edition *ed, struct loader *l, const struct ynode *root)
{
    static const char *const keys[] = { "id", "day", "name", NULL };
    const struct ynode *list = ld_list(l, root, "froms", LD_REQUIRED);
    struct duty_from *f = ld_array(l, list, sizeof *f, &ed->from_count);
    size_t i = 0;

    ed->froms = f;
    for (const struct ynode *n = f ? list->first : NULL; n && l->rc == 0; n = n->next, i++) {
        ld_keys(l, n, keys);
        f[i].id = ld_id(l, n, "id", LD_REQUIRED);
        f[i].day = ld_bool(l, n, "day", false);
        f[i].name = ld_label(l, n, "name", LD_REQUIRED);
        if (l->rc == 0 && find_from(ed, f[i].id) != &f[i])
            ld_fail(l, n, "\"%.*s\" stands twice", STR_ARG(f[i].id));
    }
}

static void read_actors(const struct edition *ed, struct loader *l, const struct ynode *map, const char *key,
                        const struct actor **out, size_t *count)
{
    const struct ynode *list = ld_list(l, map, key, LD_REQUIRED);

    if (!list)
        return;
    if (list->count > EDITION_ACTORS_MAX) {
        ld_fail(l, list, "at most %d actors", EDITION_ACTORS_MAX);
        return;
    }
    for (const struct ynode *n = list->first; n && l->rc == 0; n = n->next) {
        const struct actor *a = n->kind == YNODE_SCALAR ? edition_actor(ed, n->text) : NULL;

        if (a)
            out[(*count)++] = a;
        else
            ld_fail(l, n, "no actor \"%.*s\" in edition.yaml", STR_ARG(n->text));
    }
}

/* read_bits - a list of words as a set; absent: the empty set. */
static unsigned read_bits(struct loader *l, const struct ynode *map, const char *key, const char *const *names)
{
    const struct ynode *list = ld_list(l, map, key, LD_OPTIONAL);
    unsigned set = 0;

    for (const struct ynode *n = list ? list->first : NULL; n && l->rc == 0; n = n->next) {
        unsigned bit = 0;

        for (size_t i = 0; names[i] && n->kind == YNODE_SCALAR; i++)
            if (str_eq(n->text, str_c(names[i])))
                bit = 1u << i;
        if (bit == 0 || (set & bit))
            ld_fail(l, n, bit ? "\"%.*s\" stands twice" : "\"%.*s\" is no word of this list", STR_ARG(n->text));
        set |= bit;
    }
    return set;
}

/* read_few - a short list of ids into room of its own. */
static void read_few(struct loader *l, const struct ynode *map, const char *key, struct str out[EDITION_FACTS_MAX], size_t *count)
{
    size_t n = 0;
    const struct str *ids = ld_ids(l, map, key, LD_OPTIONAL, &n);

    if (n > EDITION_FACTS_MAX)
        ld_fail(l, yaml_get(map, key), "at most %d ids", EDITION_FACTS_MAX);
    for (size_t i = 0; l->rc == 0 && i < n; i++) {
        for (size_t k = 0; k < i && l->rc == 0; k++)
            if (str_eq(ids[k], ids[i]))
                ld_fail(l, yaml_get(map, key), "\"%.*s\" stands twice", STR_ARG(ids[i]));
        out[i] = ids[i];
    }
    *count = l->rc == 0 ? n : 0;
}

static void read_chapters(struct loader *l, const struct ynode *map, struct obligation *o)
{
    static const char *const names[] = { "2", "3", NULL };
    unsigned set = read_bits(l, map, "chapters", names);

    if (l->rc == 0 && set == 0)
        ld_fail(l, map, "\"chapters\" is missing: a list of 2, 3");
    o->chapter[2] = set & 1;
    o->chapter[3] = set & 2;
}

/* check_term - amounts and starts that make sense for the unit. */
static void check_term(const struct edition *ed, struct loader *l, const struct ynode *n, const struct obligation *o)
{
    bool days = o->unit == DUTY_CALENDAR_DAYS || o->unit == DUTY_MONTHS, count = o->unit == DUTY_PER_YEAR;

    if (l->rc < 0)
        return;
    if (o->unit == DUTY_NONE ? o->amount != 0 : o->amount == 0 || (o->amount < 0 && o->unit != DUTY_BUSINESS_DAYS))
        ld_fail(l, yaml_get(n, "amount"), "\"amount\" must be above zero (below zero only for business days, 0 only for none)");
    else if ((count || o->unit == DUTY_NONE) != (o->from == NULL))
        ld_fail(l, n, "\"from\" is expected, unless the unit is per_year or none");
    else if (o->from && (o->fact_count == 0 || !o->trigger.text[0].n))
        ld_fail(l, n, "\"%s\" is missing", o->fact_count ? "trigger" : "fulfilled_by");
    else if (count && (o->main_count || o->control_count) && o->main_count + o->control_count != o->amount)
        ld_fail(l, yaml_get(n, "amount"), "\"main\" and \"control\" together must be \"amount\"");
    else if (o->channels && o->fact_count > 1 && __builtin_popcount(o->channels) != (int)o->fact_count)
        ld_fail(l, yaml_get(n, "channels"), "as many channels as facts in \"fulfilled_by\" are expected");
    else if (o->roll && !days)
        ld_fail(l, yaml_get(n, "roll"), "\"roll\" belongs to calendar days and months only");
    else if (o->form.n && !edition_form(ed, o->form))
        ld_fail(l, yaml_get(n, "form"), "no form \"%.*s\" in forms.yaml", STR_ARG(o->form));
}

static void read_obligation(const struct edition *ed, struct loader *l, const struct ynode *n, struct obligation *o)
{
    static const char *const keys[] = { "id", "paragraph", "from", "amount", "unit", "roll", "by", "to", "form", "chapters",
                                        "work", "annex", "channels", "fulfilled_by", "parallel", "on_late", "reading", "main",
                                        "control", "rows", "title", "trigger", "content", NULL };
    struct str from;

    ld_keys(l, n, keys);
    o->id = ld_id(l, n, "id", LD_REQUIRED);
    o->paragraph = ld_text(l, n, "paragraph", LD_REQUIRED);
    o->unit = (enum duty_unit)ld_word(l, n, "unit", unit_names);
    o->amount = (int32_t)ld_int(l, n, "amount", LD_REQUIRED, -1000, 100000);
    o->roll = ld_bool(l, n, "roll", false);
    read_actors(ed, l, n, "by", o->by, &o->by_count);
    read_actors(ed, l, n, "to", o->to, &o->to_count);
    o->form = ld_id(l, n, "form", LD_OPTIONAL);
    read_chapters(l, n, o);
    o->work = read_bits(l, n, "work", work_names);
    o->channels = read_bits(l, n, "channels", channel_names);
    o->annex = (int32_t)ld_int(l, n, "annex", LD_OPTIONAL, 1, 7);
    read_few(l, n, "fulfilled_by", o->facts, &o->fact_count);
    read_few(l, n, "parallel", o->parallel, &o->parallel_count);
    o->on_late = ld_id(l, n, "on_late", LD_OPTIONAL);
    o->reading = ld_id(l, n, "reading", LD_OPTIONAL);
    o->main_count = (int32_t)ld_int(l, n, "main", LD_OPTIONAL, 0, 366);
    o->control_count = (int32_t)ld_int(l, n, "control", LD_OPTIONAL, 0, 366);
    o->rows = ld_ids(l, n, "rows", LD_REQUIRED, &o->row_count);
    o->title = ld_label(l, n, "title", LD_REQUIRED);
    o->trigger = ld_label(l, n, "trigger", LD_OPTIONAL);
    o->content = ld_label(l, n, "content", LD_OPTIONAL);
    o->edition = ed->id;
    from = ld_id(l, n, "from", LD_OPTIONAL);
    if (l->rc == 0 && from.n && !(o->from = find_from(ed, from)))
        ld_fail(l, yaml_get(n, "from"), "no start \"%.*s\" in \"froms\"", STR_ARG(from));
    check_term(ed, l, n, o);
}

int edition_read_obligations(struct edition *ed, struct loader *l)
{
    static const char *const keys[] = { "froms", "obligations", NULL };
    const struct ynode *root = ld_root(l, keys), *list;
    struct obligation *o;
    size_t i = 0;

    if (!root)
        return l->rc;
    read_froms(ed, l, root);
    list = ld_list(l, root, "obligations", LD_REQUIRED);
    o = ld_array(l, list, sizeof *o, &ed->obligation_count);
    ed->obligations = o;
    for (const struct ynode *n = o ? list->first : NULL; n && l->rc == 0; n = n->next, i++) {
        read_obligation(ed, l, n, &o[i]);
        if (l->rc == 0 && edition_obligation(ed, o[i].id) != &o[i])
            ld_fail(l, n, "obligation \"%.*s\" stands twice", STR_ARG(o[i].id));
        for (size_t k = 0; l->rc == 0 && k < o[i].parallel_count; k++)
            if (!edition_obligation(ed, o[i].parallel[k]))
                ld_fail(l, yaml_get(n, "parallel"), "no earlier obligation \"%.*s\"", STR_ARG(o[i].parallel[k]));
    }
    return l->rc;
}

static const char *const classes[] = { "os", "ux", "win", "db", "net", "fw", "app", "sec", NULL };

static void read_types(struct edition *ed, struct loader *l, const struct ynode *list)
{
    static const char *const keys[] = { "code", "row", "paragraph", "class", "id", "event_ids", "label", NULL };
    struct event_type *t = ld_array(l, list, sizeof *t, &ed->event_type_count);
    size_t i = 0;

    ed->event_types = t;
    for (const struct ynode *n = t ? list->first : NULL; n && l->rc == 0; n = n->next, i++) {
        ld_keys(l, n, keys);
        t[i].code = ld_id(l, n, "code", LD_REQUIRED);
        t[i].row = ld_id(l, n, "row", LD_REQUIRED);
        t[i].paragraph = ld_text(l, n, "paragraph", LD_REQUIRED);
        t[i].class = str_c(classes[ld_word(l, n, "class", classes)]);
        t[i].id = ld_id(l, n, "id", LD_REQUIRED);
        t[i].event_ids = ld_ids(l, n, "event_ids", LD_OPTIONAL, &t[i].event_id_count);
        t[i].label = ld_label(l, n, "label", LD_REQUIRED);
        for (size_t k = 0; k < i && l->rc == 0; k++)
            if (str_eq(t[k].code, t[i].code))
                ld_fail(l, n, "event type \"%.*s\" stands twice", STR_ARG(t[i].code));
    }
}

static void read_log_fields(struct edition *ed, struct loader *l, const struct ynode *list)
{
    static const char *const keys[] = { "code", "row", "paragraph", "class", "position", "id", "where_feasible",
                                        "label", NULL };
    struct log_field *f = ld_array(l, list, sizeof *f, &ed->log_field_count);
    size_t i = 0;

    ed->log_fields = f;
    for (const struct ynode *n = f ? list->first : NULL; n && l->rc == 0; n = n->next, i++) {
        ld_keys(l, n, keys);
        f[i].code = ld_id(l, n, "code", LD_REQUIRED);
        f[i].row = ld_id(l, n, "row", LD_REQUIRED);
        f[i].paragraph = ld_text(l, n, "paragraph", LD_REQUIRED);
        f[i].class = str_c(classes[ld_word(l, n, "class", classes)]);
        f[i].position = (int32_t)ld_int(l, n, "position", LD_REQUIRED, 1, 100);
        f[i].id = ld_id(l, n, "id", LD_REQUIRED);
        f[i].where_feasible = ld_bool(l, n, "where_feasible", false);
        f[i].label = ld_label(l, n, "label", LD_REQUIRED);
    }
}

int edition_read_event_types(struct edition *ed, struct loader *l)
{
    static const char *const keys[] = { "event_types", "log_fields", NULL };
    const struct ynode *root = ld_root(l, keys);

    if (!root)
        return l->rc;
    read_types(ed, l, ld_list(l, root, "event_types", LD_REQUIRED));
    if (l->rc == 0)
        read_log_fields(ed, l, ld_list(l, root, "log_fields", LD_REQUIRED));
    return l->rc;
}
