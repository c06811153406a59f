/* shape.c - the names of an event, looked up once for all events that have the same.
 *
 * A rule names a field once; events carry it under several names (aliases_build in view.c). Which value is which field depends on the
 * names alone, and events of one kind have the same names in the same order: so the answer is kept, and an event whose names are
 * byte for byte those of an earlier one takes it over. Two shapes share a place in the cache; the one used longer ago is given up. */
#include "sigma/internal.h"

struct maker {              /* a shape while it is made: room for the widest event */
    uint32_t *generation, *rank;      /* by field of the rules */
    uint16_t *first, *last;
    uint16_t *next, *source;          /* by value */
    uint16_t *present;
    uint32_t  now, value_count, present_count, own;
    bool      full;
};

/* The names of an earlier event of the batch at hand. */
struct met { const struct event_field *fields; const struct shape *shape; };
#define MET_MAX 256

struct shapes {
    const struct sigma *set;
    struct maker  make;
    struct shape *kept[SHAPES_MAX];
    struct shape *fresh;              /* the last one of shapes_make */
    uint64_t      made;
    bool          stay;               /* what was met stands where it stood */
    struct met    met[MET_MAX];
};

static const char *const origin_names[ON_COUNT] = {
    [ON_PROGRAM] = "process.name", [ON_DATASET] = "event.dataset", [ON_MODULE] = "event.module", [ON_VENDOR] = "observer.vendor",
    [ON_PRODUCT] = "observer.product", [ON_CATEGORY] = "event.category", [ON_TYPE] = "event.type",
};

enum { MEMBER_TIME, MEMBER_SOURCE, MEMBER_OBJECT, MEMBER_PARSER, MEMBER_CLASS, MEMBER_PARSE, MEMBER_COUNT };
static const char *const member_names[MEMBER_COUNT] = { "@timestamp", "saqshy.source", "saqshy.object", "saqshy.parser", "saqshy.class", "saqshy.parse" };

#define VALUES_MAX 0xF000u   /* a name leads to some ten fields at most, so EVENT_FIELDS_MAX names stay far below */

static struct str time_text(const struct event *ev, struct arena *a)
{
    char text[TIME_TEXT_MAX];

    return arena_copy(a, str_c(time_format_utc(ev->time, text)));
}

struct str shape_member(const struct event *ev, uint32_t which, struct arena *a)
{
    switch (which) {
    case MEMBER_TIME: return time_text(ev, a);
    case MEMBER_SOURCE: return ev->source;
    case MEMBER_OBJECT: return ev->object;
    case MEMBER_PARSER: return ev->parser;
    case MEMBER_CLASS: return str_c(event_class_name(ev->class));
    default: return str_c(event_parse_name(ev->parse));
    }
}

int shapes_open(const struct sigma *s, struct shapes **out, struct err *e)
{
    struct shapes *k = calloc(1, sizeof *k);
    size_t fields = s->field_count + 1;

    *out = NULL;
    if (!k)
        return err_set(e, -ENOMEM, "no memory for detection");
    k->set = s;
    k->make.generation = calloc(fields, sizeof *k->make.generation);
    k->make.rank = calloc(fields, sizeof *k->make.rank);
    k->make.first = calloc(fields, sizeof *k->make.first);
    k->make.last = calloc(fields, sizeof *k->make.last);
    k->make.present = calloc(fields, sizeof *k->make.present);
    k->make.next = calloc(VALUES_MAX, sizeof *k->make.next);
    k->make.source = calloc(VALUES_MAX, sizeof *k->make.source);
    if (!k->make.generation || !k->make.rank || !k->make.first || !k->make.last || !k->make.present || !k->make.next || !k->make.source) {
        shapes_close(&k);
        return err_set(e, -ENOMEM, "no memory for detection");
    }
    *out = k;
    return 0;
}

void shapes_close(struct shapes **kp)
{
    struct shapes *k = *kp;

    if (!k)
        return;
    for (size_t i = 0; i < SHAPES_MAX; i++)
        free(k->kept[i]);
    free(k->fresh);
    free(k->make.generation);
    free(k->make.rank);
    free(k->make.first);
    free(k->make.last);
    free(k->make.present);
    free(k->make.next);
    free(k->make.source);
    free(k);
    *kp = NULL;
}

/* --- making --- */

static void field_take(struct maker *m, uint32_t field, uint32_t rank, uint32_t value)
{
    if (m->generation[field] != m->now) {
        m->generation[field] = m->now;
        m->present[m->present_count++] = (uint16_t)field;
    } else if (rank > m->rank[field]) {
        return;
    } else if (rank == m->rank[field]) {
        m->next[m->last[field]] = (uint16_t)value;
        m->last[field] = (uint16_t)value;
        return;
    }
    m->rank[field] = rank;
    m->first[field] = m->last[field] = (uint16_t)value;
}

static uint32_t value_add(struct maker *m, uint32_t source)
{
    if (m->value_count == VALUES_MAX) {
        m->full = true;
        return 0;
    }
    m->next[m->value_count] = VALUE_NONE;
    m->source[m->value_count] = (uint16_t)source;
    return m->value_count++;
}

/* name_take - link a value to every field that knows this name. The value's own number serves the first, further ones the others. */
static void name_take(struct maker *m, const struct sigma *s, struct str name, uint32_t more_rank, uint32_t source, uint32_t value, bool *used)
{
    for (uint32_t a = strmap_get(&s->alias_map, name); a != UINT32_MAX; a = s->aliases[a].next) {
        uint32_t number = *used ? value_add(m, source) : value;

        *used = true;
        field_take(m, s->aliases[a].field, s->aliases[a].rank + more_rank, number);
    }
}

/* odd_names - "Product Name" is ProductName for rules; below Event.UserData only the last part counts. */
static void odd_names(struct maker *m, const struct sigma *s, struct str name, uint32_t i, bool *used)
{
    char z[EVENT_NAME_MAX];
    size_t n = 0;

    if (str_starts(name, STR("Event.UserData.")) || str_starts(name, STR("winlog.user_data."))) {
        size_t at = name.n;

        while (at && name.p[at - 1] != '.')
            at--;
        name_take(m, s, str_cut(name, at), 50, i, i, used);
    }
    if (str_chr(name, ' ') < 0)
        return;
    for (size_t k = 0; k < name.n && n < sizeof z; k++)
        if (name.p[k] != ' ')
            z[n++] = name.p[k];
    name_take(m, s, str_of(z, n), 60, i, i, used);
}

static void member_take(struct maker *m, const struct sigma *s, const struct event *ev, uint32_t which)
{
    struct str name = str_c(member_names[which]);
    bool used = false;

    if ((which == MEMBER_TIME || shape_member(ev, which, NULL).n) && strmap_get(&s->alias_map, name) != UINT32_MAX)
        name_take(m, s, name, 0, SOURCE_MEMBER + which, value_add(m, SOURCE_MEMBER + which), &used);
}

static void maker_run(struct maker *m, const struct sigma *s, const struct event *ev)
{
    bool used = false;

    if (++m->now == 0) {   /* after 2^32 shapes the marks of the first would look new */
        memset(m->generation, 0, (s->field_count + 1) * sizeof *m->generation);
        m->now = 1;
    }
    m->value_count = m->present_count = 0;
    m->full = false;
    for (uint32_t i = 0; i <= ev->field_count; i++)
        value_add(m, i);
    for (uint32_t i = 0; i < ev->field_count; i++) {
        used = false;
        name_take(m, s, ev->fields[i].name, 0, i, i, &used);
        odd_names(m, s, ev->fields[i].name, i, &used);
    }
    used = false;
    name_take(m, s, STR("event.original"), 0, ev->field_count, ev->field_count, &used);
    for (uint32_t i = 0; i < MEMBER_COUNT; i++)
        member_take(m, s, ev, i);
}

static void take_origins(struct shape *sh, const struct event *ev)
{
    for (uint32_t i = 0; i < ev->field_count; i++)
        for (uint32_t o = 0; o < ON_COUNT; o++) {
            if (!str_eq(ev->fields[i].name, str_c(origin_names[o])))
                continue;
            if (sh->origin_count[o] == ORIGIN_VALUES_MAX)
                sh->many = true;
            else
                sh->origin[o][sh->origin_count[o]++] = sh->origin_places[sh->origins++] = (uint16_t)i;
        }
}

/* members_of - which members have a text; how it was parsed is always told. */
static uint8_t members_of(const struct event *ev)
{
    return (uint8_t)((ev->source.n != 0) | (ev->object.n != 0) << 1 | (ev->parser.n != 0) << 2 | (ev->class != CLASS_NONE) << 3);
}

/* shape_of - what the maker holds, in one block of memory. */
static struct shape *shape_of(const struct maker *m, const struct sigma *s, const struct event *ev, uint32_t hash)
{
    size_t names = 0, numbers, at = 0;
    struct shape *sh;
    uint16_t *p;

    for (uint32_t i = 0; i < ev->field_count; i++)
        names += ev->fields[i].name.n;
    numbers = s->field_count + 2 * (size_t)m->value_count + m->present_count + ev->field_count + 1;
    sh = calloc(1, sizeof *sh + numbers * sizeof *p + names + 1);
    if (!sh)
        return NULL;
    *sh = (struct shape){ .hash = hash, .field_count = ev->field_count, .value_count = m->value_count, .present_count = m->present_count,
                          .members = members_of(ev), .names_n = (uint32_t)names };
    p = (uint16_t *)(sh + 1);
    sh->first = p;
    sh->next = sh->first + s->field_count;
    sh->source = sh->next + m->value_count;
    sh->present = sh->source + m->value_count;
    sh->name_n = sh->present + m->present_count;
    sh->names = (char *)(sh->name_n + ev->field_count + 1);
    for (uint32_t f = 0; f < s->field_count; f++)
        sh->first[f] = m->generation[f] == m->now ? m->first[f] : VALUE_NONE;
    memcpy(sh->next, m->next, m->value_count * sizeof *p);
    memcpy(sh->source, m->source, m->value_count * sizeof *p);
    memcpy(sh->present, m->present, m->present_count * sizeof *p);
    for (uint32_t i = 0; i < ev->field_count; i++) {
        sh->name_n[i] = (uint16_t)ev->fields[i].name.n;
        if (sh->name_n[i])
            memcpy(sh->names + at, ev->fields[i].name.p, sh->name_n[i]);
        at += sh->name_n[i];
    }
    take_origins(sh, ev);
    return sh;
}

static int make(struct shapes *k, const struct event *ev, uint32_t hash, struct shape **out, struct err *e)
{
    maker_run(&k->make, k->set, ev);
    if (k->make.full)
        return err_set(e, -E2BIG, "an event has too many values");
    *out = shape_of(&k->make, k->set, ev, hash);
    if (*out)
        (*out)->serial = ++k->made;
    return *out ? 0 : err_set(e, -ENOMEM, "no memory to look at an event");
}

int shapes_make(struct shapes *k, const struct event *ev, const struct shape **out, struct err *e)
{
    int rc;

    free(k->fresh);
    k->fresh = NULL;
    rc = make(k, ev, 0, &k->fresh, e);
    *out = k->fresh;
    return rc;
}

/* --- finding --- */

/* names_hash - of the lengths and a few bytes of each name; what it confuses, same_names tells apart. */
static uint32_t names_hash(const struct event *ev)
{
    uint64_t h = ev->field_count * 0x9E3779B97F4A7C15ull;

    for (uint32_t i = 0; i < ev->field_count; i++) {
        struct str n = ev->fields[i].name;

        h = (h ^ n.n ^ (n.n >= 4 ? (uint64_t)load4(n.p + n.n - 4) << 8 : 0)) * 0xFF51AFD7ED558CCDull;
    }
    return (uint32_t)(h >> 32);
}

static bool same_names(const struct shape *sh, const struct event *ev)
{
    const char *p = sh->names;

    for (uint32_t i = 0; i < ev->field_count; i++) {
        struct str n = ev->fields[i].name;

        if (n.n != sh->name_n[i] || !same_bytes(p, n.p, n.n))
            return false;
        p += n.n;
    }
    return true;
}

void shapes_stay(struct shapes *k, bool on)
{
    k->stay = on;
    memset(k->met, 0, sizeof k->met);
}

/* met_at - where an event of the same names, at the same places, was left. */
static struct met *met_at(struct shapes *k, const struct event *ev)
{
    uint64_t h = ev->field_count;

    if (ev->field_count)
        h += (uintptr_t)ev->fields[0].name.p * 31 + (uintptr_t)ev->fields[ev->field_count - 1].name.p + (uintptr_t)ev->fields[ev->field_count / 2].name.p * 7;
    return &k->met[(h * UINT64_C(0x9E3779B97F4A7C15)) >> 56];
}
static_assert(MET_MAX == 1 << (64 - 56), "the upper bits of the hash");

static bool met_again(const struct met *m, const struct event *ev)
{
    if (!m->shape || m->shape->field_count != ev->field_count || m->shape->members != members_of(ev))
        return false;
    for (uint32_t i = 0; i < ev->field_count; i++)
        if (m->fields[i].name.p != ev->fields[i].name.p || m->fields[i].name.n != ev->fields[i].name.n)
            return false;
    return true;
}

static __attribute__((noinline)) int find(struct shapes *k, const struct event *ev, const struct shape **out, struct err *e)
{
    uint32_t hash = names_hash(ev), at = hash % SHAPES_MAX;
    uint8_t members = members_of(ev);
    struct shape *made = NULL;
    int rc;

    for (uint32_t way = 0; way < 2; way++) {
        const struct shape *sh = k->kept[at ^ way];

        if (!sh || sh->hash != hash || sh->field_count != ev->field_count || sh->members != members || !same_names(sh, ev))
            continue;
        if (way == 1) {    /* the one used last stands first */
            struct shape *other = k->kept[at];

            k->kept[at] = k->kept[at ^ 1];
            k->kept[at ^ 1] = other;
        }
        *out = sh;
        return 0;
    }
    rc = make(k, ev, hash, &made, e);
    if (rc < 0)
        return rc;
    memset(k->met, 0, sizeof k->met);    /* the one that goes may be among them */
    free(k->kept[at ^ 1]);
    k->kept[at ^ 1] = k->kept[at];
    k->kept[at] = made;
    *out = made;
    return 0;
}

int shapes_find(struct shapes *k, const struct event *ev, const struct shape **out, struct err *e)
{
    struct met *m = k->stay ? met_at(k, ev) : NULL;
    int rc;

    if (m && met_again(m, ev)) {
        *out = m->shape;
        return 0;
    }
    rc = find(k, ev, out, e);
    if (rc == 0 && m)
        *m = (struct met){ ev->fields, *out };
    return rc;
}
