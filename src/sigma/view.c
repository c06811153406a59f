/* view.c - an event as the rules see it: values by field number (shape.c), folded when first needed.
 *
 * A rule names a field once; events carry it under several names: by its own, below winlog.event_data, in the shape of
 * evtx_dump (Event.EventData.Image), or under a name that a pipeline maps it to. aliases_build makes one table of all those names;
 * among the names that an event uses for one field the one of the smallest rank counts. */
#include "sigma/internal.h"

/* What decides the log source of an event of Windows, wherever the event has it. All other names are in the pipelines of content/. */
static const struct { const char *field, *name; } known[] = {
    { "EventID", "winlog.event_id" }, { "EventID", "event.code" }, { "EventId", "Event.System.EventID" }, { "EventId", "event.code" },
    { "Channel", "winlog.channel" },
    { "Provider_Name", "winlog.provider_name" }, { "Provider_Name", "event.provider" }, { "Provider_Name", "SourceName" },
    { "Provider_Name", "ProviderName" }, { "Provider_Name", "source_name" },
    { "EventType", "Message.EventType" },
};
/* Folders under which the field's own name may stand, by rank from 1. */
static const char *const prefixes[] = {
    "winlog.event_data.", "Event.EventData.", "Event.System.", "winlog.user_data.", "auditd.data.", "EventData.", "System.",
    "winlog.", "event_data.", "auditd.log.",
};
#define RANK_OTHER_FORM  30
#define RANK_MAPPED      100
#define RANKS_A_NAME     16     /* a name, and below each of the prefixes */
#define RANK_KNOWN       80     /* before the pipelines, behind what odd_names adds */
#define UNNAMED_DATA_MAX 32

bool strmap_put(struct strmap *m, struct str key, uint32_t value)
{
    if (m->count * 2 >= m->cap) {
        uint32_t cap = m->cap ? m->cap * 2 : 256;
        struct slot *grown = calloc(cap, sizeof *grown);

        if (!grown)
            return false;
        for (uint32_t i = 0; i < m->cap; i++)
            if (m->slots[i].key.p) {
                uint64_t at = str_hash(m->slots[i].key) & (cap - 1);

                while (grown[at].key.p)
                    at = (at + 1) & (cap - 1);
                grown[at] = m->slots[i];
            }
        free(m->slots);
        m->slots = grown;
        m->cap = cap;
    }
    uint64_t at = str_hash(key) & (m->cap - 1);

    while (m->slots[at].key.p && !str_eq(m->slots[at].key, key))
        at = (at + 1) & (m->cap - 1);
    m->count += m->slots[at].key.p == NULL;
    m->slots[at] = (struct slot){ key.p ? key : STR(""), value };
    return true;
}

const struct slot *strmap_find(const struct strmap *m, struct str key)
{
    uint64_t at;

    if (!m->cap)
        return NULL;
    at = str_hash(key) & (m->cap - 1);
    while (m->slots[at].key.p) {
        if (str_eq(m->slots[at].key, key))
            return &m->slots[at];
        at = (at + 1) & (m->cap - 1);
    }
    return NULL;
}

uint32_t strmap_get(const struct strmap *m, struct str key)
{
    const struct slot *found = strmap_find(m, key);

    return found ? found->value : UINT32_MAX;
}

uint32_t field_new(struct sigma *s, struct str name)
{
    s->spent = s->spent || s->field_count == SIGMA_FIELDS_MAX;
    if (s->field_count == SIGMA_FIELDS_MAX)
        return UINT32_MAX;
    s->fields[s->field_count] = name;
    return s->field_count++;
}

uint32_t field_intern(struct sigma *s, struct str name)
{
    uint32_t n = strmap_get(&s->field_map, name);

    if (n != UINT32_MAX)
        return n;
    name = arena_copy(s->names, name);
    s->spent = s->spent || s->field_count == SIGMA_FIELDS_MAX;
    if (!name.p || s->field_count == SIGMA_FIELDS_MAX || !strmap_put(&s->field_map, name, s->field_count))
        return UINT32_MAX;
    return field_new(s, name);
}

static bool alias_add(struct sigma *s, struct str name, uint32_t field, uint32_t rank)
{
    uint32_t next = strmap_get(&s->alias_map, name);

    for (uint32_t i = next; i != UINT32_MAX; i = s->aliases[i].next)
        if (s->aliases[i].field == field)
            return true;
    if (s->alias_count == s->alias_cap) {
        uint32_t cap = s->alias_cap ? s->alias_cap * 2 : 1024;
        struct alias *grown = realloc(s->aliases, cap * sizeof *grown);

        if (!grown)
            return false;
        s->aliases = grown;
        s->alias_cap = cap;
    }
    s->aliases[s->alias_count] = (struct alias){ field, rank, next };
    return strmap_put(&s->alias_map, name, s->alias_count++);
}

/* windows_names - how Windows writes a field's name in other ways: Provider_Name is an attribute of an element, an element with
 * attributes has its text apart, and <Data> without a name are numbered by parsers. */
static bool windows_names(struct sigma *s, uint32_t field)
{
    struct str name = s->fields[field], other;
    ptrdiff_t bar = str_chr(name, '_');
    bool ok = true;

    for (uint32_t i = 0; i < 2 && ok; i++) {
        other = arena_printf(&s->arena, "Event.%s.%.*s.#text", i ? "System" : "EventData", STR_ARG(name));
        ok = other.p && alias_add(s, other, field, RANK_OTHER_FORM);
    }
    if (ok && bar > 0) {
        other = arena_printf(&s->arena, "Event.System.%.*s.#attributes.%.*s", (int)bar, name.p, STR_ARG(str_cut(name, (size_t)bar + 1)));
        ok = other.p && alias_add(s, other, field, RANK_OTHER_FORM);
    }
    for (uint32_t i = 1; ok && i <= UNNAMED_DATA_MAX && str_eq(name, STR("Data")); i++) {
        other = arena_printf(&s->arena, "winlog.event_data.param%u", i);
        ok = other.p && alias_add(s, other, field, RANK_OTHER_FORM);
    }
    return ok;
}

/* names_in_all_shapes - a name as it is, and below the folders that our parsers and others put it. */
static bool names_in_all_shapes(struct sigma *s, struct str plain, uint32_t field, uint32_t rank)
{
    bool ok = alias_add(s, plain, field, rank);

    for (uint32_t p = 0; p < COUNT(prefixes) && ok; p++) {
        struct str name = arena_printf(&s->arena, "%s%.*s", prefixes[p], STR_ARG(plain));

        ok = name.p && alias_add(s, name, field, rank + p + 1);
    }
    return ok;
}

/* mapped_names - the names of the pipelines: of a mapping for all rules to the plain field, unless a newer one has been there; of another
 * to the field that it made, if some rule asked for it. */
static bool mapped_names(struct sigma *s, uint32_t mapping)
{
    const struct mapping *m = &s->mappings[mapping];
    uint32_t field = m->number;
    bool ok = true;

    if (mapping_is_for_all(m)) {
        for (uint32_t newer = strmap_get(&s->mapping_map, m->field); newer != mapping; newer = s->mappings[newer].next)
            if (mapping_is_for_all(&s->mappings[newer]))
                return true;
        field = strmap_get(&s->field_map, m->field);
    }
    for (size_t i = 0; i < m->names.count && ok && field != UINT32_MAX; i++)
        ok = names_in_all_shapes(s, m->names.items[i], field, RANK_MAPPED + (uint32_t)i * RANKS_A_NAME);
    return ok;
}

int aliases_build(struct sigma *s, struct err *e)
{
    bool ok = true;

    for (uint32_t f = 0; f < s->field_count && ok; f++)
        ok = names_in_all_shapes(s, s->fields[f], f, 0) && windows_names(s, f);
    for (uint32_t i = 0; i < s->mapping_count && ok; i++)
        ok = mapped_names(s, i);
    for (uint32_t i = 0; i < COUNT(known) && ok; i++) {
        uint32_t f = strmap_get(&s->field_map, str_c(known[i].field));

        if (f != UINT32_MAX)
            ok = alias_add(s, str_c(known[i].name), f, RANK_KNOWN + i);
    }
    return ok ? 0 : err_set(e, -ENOMEM, "no memory for the rules");
}

/* --- the view --- */

int view_init(struct view *v, const struct sigma *set, struct err *e)
{
    int rc;

    *v = (struct view){ .set = set };
    arena_init(&v->scratch, 64u * MIB);
    rc = shapes_open(set, &v->shapes, e);
    v->re = regex_scratch_new();
    if (rc == 0 && !v->re)
        rc = err_set(e, -ENOMEM, "no memory for detection");
    if (rc < 0)
        view_free(v);
    return rc;
}

void view_free(struct view *v)
{
    shapes_close(&v->shapes);
    free(v->values);
    regex_scratch_free(&v->re);
    arena_free(&v->scratch);
    v->values = NULL;
}

/* room - for the values of the event; new ones are of no event. */
static int room(struct view *v, uint32_t count, struct err *e)
{
    struct vvalue *grown;

    if (count <= v->value_cap)
        return 0;
    grown = realloc(v->values, count * 2 * sizeof *grown);
    if (!grown)
        return err_set(e, -ENOMEM, "no memory to look at an event");
    memset(grown + v->value_cap, 0, (count * 2 - v->value_cap) * sizeof *grown);
    v->values = grown;
    v->value_cap = count * 2;
    return 0;
}

int view_take(struct view *v, const struct event *ev, bool fresh, struct err *e)
{
    int rc = fresh ? shapes_make(v->shapes, ev, &v->shape, e) : shapes_find(v->shapes, ev, &v->shape, e);

    if (rc == 0)
        rc = room(v, v->shape->value_count, e);
    if (rc < 0)
        return rc;
    if (++v->generation == 0) {   /* after 2^32 events the marks of the first would look new */
        memset(v->values, 0, v->value_cap * sizeof *v->values);
        v->generation = 1;
    }
    arena_reset(&v->scratch);
    v->ev = ev;
    v->failed = false;
    return 0;
}

void view_fill(struct view *v, uint32_t value)
{
    uint32_t own = v->shape->field_count, source = value < own ? value : v->shape->source[value];
    struct vvalue *val = &v->values[value];

    *val = (struct vvalue){ .generation = v->generation };
    val->raw = source < own ? v->ev->fields[source].value
             : source == own ? v->ev->original : shape_member(v->ev, source - SOURCE_MEMBER, &v->scratch);
}

struct str view_folded(struct view *v, uint32_t value)
{
    struct vvalue *val = view_value(v, value);

    if (!val->has_folded) {
        val->folded = sigma_fold(&v->scratch, val->raw);
        if (!val->folded.p && val->raw.n) {   /* an event larger than the scratch: compared as it is, and told */
            v->failed = true;
            val->folded = val->raw;
        }
        val->has_folded = true;
    }
    return val->folded;
}
