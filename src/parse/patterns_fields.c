/* patterns_fields.c - the parts of a product's file about names and values: fields, constants, cases, times, samples; see
 * patterns.h and docs/parsers.md. Every refusal names its place in the file. */
#include "base/yaml.h"
#include "parse/patterns.h"

#define VALUES_MAX 2000 /* of one map */

/* copy - a text of the file that outlives it. */
static struct str copy(struct making *m, struct str s) { return s.n ? arena_copy(m->arena, s) : s; }

static int memory(struct making *m) { return err_set(m->e, -ENOMEM, "no memory for a parser"); }

static int wrong(struct making *m, const struct ynode *at, const char *what)
{
    return yaml_err(m->yaml, at, m->e, "%s", what);
}

int making_texts(struct making *m, const struct ynode *map, const char *key, const struct str **out, size_t *count)
{
    const struct ynode *n = yaml_get(map, key);
    struct str *texts;
    size_t i = 0;

    *out = NULL;
    *count = 0;
    if (!n)
        return 0;
    if (n->kind == YNODE_MAP)
        return yaml_err(m->yaml, n, m->e, "\"%s\" wants a text or a list of texts", key);
    texts = arena_array(m->arena, n->kind == YNODE_SEQ ? n->count + 1 : 1, sizeof *texts);
    if (!texts)
        return memory(m);
    if (n->kind == YNODE_SCALAR) {
        texts[i++] = copy(m, n->text);
    } else {
        for (const struct ynode *item = n->first; item; item = item->next) {
            if (item->kind != YNODE_SCALAR)
                return yaml_err(m->yaml, item, m->e, "\"%s\" wants texts", key);
            texts[i++] = copy(m, item->text);
        }
    }
    *out = texts;
    *count = i;
    return 0;
}

int making_zone(struct making *m, const struct ynode *map, const char *key, int32_t *out)
{
    struct str s = yaml_text(map, key);
    int32_t hours, minutes;

    *out = EVENT_OFFSET_NONE;
    if (s.n == 0)
        return 0;
    *out = 0;
    if (str_eq(s, STR("UTC")))
        return 0;
    if (s.n != 6 || (*s.p != '+' && *s.p != '-') || s.p[3] != ':' || !all_digits(str_of(s.p + 1, 2)) || !all_digits(str_cut(s, 4)))
        return wrong(m, yaml_get(map, key), "a zone is \"UTC\" or \"+05:00\"");
    hours = (s.p[1] - '0') * 10 + s.p[2] - '0';
    minutes = (s.p[4] - '0') * 10 + s.p[5] - '0';
    if (hours > 14 || minutes > 59)
        return wrong(m, yaml_get(map, key), "there is no such zone");
    *out = (*s.p == '-' ? -1 : 1) * (hours * 60 + minutes);
    return 0;
}

/* --- names --- */

int making_number(struct making *m, const struct ynode *at, struct str name, uint16_t *out)
{
    size_t *count = &m->product->name_count;

    for (size_t i = 0; i < *count; i++)
        if (same_name(m->names[i].name, name)) {
            *out = m->names[i].number;
            return 0;
        }
    if (*count == PRODUCT_NAMES_MAX)
        return yaml_err(m->yaml, at, m->e, "the file speaks of more than %d names", PRODUCT_NAMES_MAX);
    if (*count == m->name_room) {
        struct field *more = arena_array(m->arena, 2 * *count + 32, sizeof *more);

        if (!more)
            return memory(m);
        if (*count)
            memcpy(more, m->names, *count * sizeof *more);
        m->names = more;
        m->name_room = 2 * *count + 32;
    }
    *out = (uint16_t)(*count + 1);
    m->names[(*count)++] = (struct field){ .name = copy(m, name), .number = *out };
    return 0;
}

int making_names(struct making *m)
{
    size_t cap = 8, count = m->product->name_count;
    struct field *table;

    while (cap < count * 2 + 1)
        cap *= 2;
    table = arena_zero(m->arena, cap * sizeof *table);
    if (!table)
        return memory(m);
    for (size_t i = 0; i < count; i++) {
        size_t at = str_hash(m->names[i].name) & (cap - 1);

        while (table[at].name.n)
            at = (at + 1) & (cap - 1);
        table[at] = m->names[i];
    }
    m->product->fields = table;
    m->product->field_cap = cap;
    return 0;
}

static bool ecs_set(struct str first)
{
    static const char *const sets[] = {
        "agent",   "client",  "cloud",    "container", "data_stream", "destination", "device",  "dll",           "dns",
        "ecs",     "email",   "entity",   "error",     "event",       "faas",        "file",    "gen_ai",        "group",
        "host",    "http",    "labels",   "log",       "network",     "observer",    "orchestrator", "organization", "package",
        "process", "registry", "related", "rule",      "server",      "service",     "source",  "span",          "threat",
        "tls",     "trace",   "transaction", "url",    "user",        "user_agent",  "volume",  "vulnerability",
    };

    for (size_t i = 0; i < COUNT(sets); i++)
        if (str_eq(first, str_c(sets[i])))
            return true;
    return false;
}

static bool bare_name(struct str name)
{
    return str_eq(name, STR("message")) || str_eq(name, STR("tags")) || str_eq(name, STR("@timestamp"));
}

/* direct - the name is meant for the event as it stands. */
static bool direct(struct str name) { return bare_name(name) || str_chr(name, '.') > 0; }

static int check_name(struct making *m, const struct ynode *at, struct str name)
{
    struct str first = name, rest;

    for (size_t i = 0; i < name.n; i++)
        if (!is_alpha(name.p[i]) && !is_digit(name.p[i]) && !strchr("_.@-", name.p[i]))
            return yaml_err(m->yaml, at, m->e, "\"%.*s\" is no name of a field", STR_ARG(name));
    if (bare_name(name))
        return 0;
    if (name.n > EVENT_NAME_MAX || !split_at(name, STR("."), &first, &rest) || rest.n == 0)
        return yaml_err(m->yaml, at, m->e, "\"%.*s\" is no name of a field: it wants a dot", STR_ARG(name));
    if (str_starts(name, STR("event.original")) || str_eq(first, STR("saqshy")))
        return yaml_err(m->yaml, at, m->e, "\"%.*s\" is not for parsers to set", STR_ARG(name));
    rest = m->product->prefix;
    if (ecs_set(first) || (str_starts(name, rest) && name.n > rest.n && name.p[rest.n] == '.'))
        return 0;
    return yaml_err(m->yaml, at, m->e, "\"%.*s\" is neither of ECS nor under \"%.*s.\"", STR_ARG(name), STR_ARG(rest));
}

static bool is_number_name(struct str name)
{
    static const char *const tails[] = { ".port", ".bytes", ".packets", ".pid", ".status_code", ".size", ".iana_number", ".ttl" };
    static const char *const names[] = { "event.severity", "event.duration", "event.sequence", "event.risk_score", "log.origin.file.line" };

    for (size_t i = 0; i < COUNT(tails); i++)
        if (str_ends(name, str_c(tails[i])))
            return true;
    for (size_t i = 0; i < COUNT(names); i++)
        if (str_eq(name, str_c(names[i])))
            return true;
    return false;
}

/* peer - "source" of "source.ip" and "source.address". */
static bool peer(struct making *m, struct target *t)
{
    static const char *const sides[] = { "source", "destination", "client", "server" };

    for (size_t i = 0; i < COUNT(sides); i++) {
        struct str side = str_c(sides[i]), rest = str_cut(t->to, side.n);

        if (!str_starts(t->to, side) || (!str_eq(rest, STR(".ip")) && !str_eq(rest, STR(".address"))))
            continue;
        t->ip = arena_printf(m->arena, "%s.ip", sides[i]);
        t->domain = arena_printf(m->arena, "%s.domain", sides[i]);
        t->address = arena_printf(m->arena, "%s.address", sides[i]);
        return true;
    }
    return false;
}

/* target_by_name - the way of a value that the name alone tells. */
static int target_by_name(struct making *m, const struct ynode *at, struct str name, struct target *t)
{
    int rc = check_name(m, at, name);

    *t = (struct target){ .to = copy(m, name), .lenient = true };
    if (rc < 0)
        return rc;
    if (str_eq(name, STR("@timestamp")))
        t->kind = TARGET_TIME;
    else if (peer(m, t))
        t->kind = TARGET_PEER;
    else if (str_ends(name, STR(".ip")))
        t->kind = TARGET_IP;
    else if (str_eq(name, STR("url.original")))
        t->kind = TARGET_URL;
    else if (is_number_name(name))
        t->kind = TARGET_NUMBER;
    t->instead = str_eq(name, STR("process.pid")) || str_eq(name, STR("process.name")) || str_eq(name, STR("host.name")) ||
                 str_eq(name, STR("message"));
    return arena_failed(m->arena) ? memory(m) : 0;
}

/* --- fields --- */

static int by_from(const void *a, const void *b)
{
    return str_cmp(((const struct value_map *)a)->from, ((const struct value_map *)b)->from);
}

static int target_values(struct making *m, const struct ynode *map, struct target *t)
{
    const struct ynode *values = yaml_get(map, "values");
    struct value_map *list;
    int rc = yaml_bool(m->yaml, map, "keep", &t->lenient, m->e);

    if (rc < 0)
        return rc;
    t->otherwise = copy(m, yaml_text(map, "else"));
    if (!values)
        return 0;
    if (values->kind != YNODE_MAP || values->count == 0 || values->count > VALUES_MAX)
        return wrong(m, values, "\"values\" wants a map of texts");
    list = arena_array(m->arena, values->count, sizeof *list);
    if (!list)
        return memory(m);
    for (const struct ynode *k = values->first; k; k = k->next) {
        if (k->value->kind != YNODE_SCALAR)
            return wrong(m, k, "\"values\" wants a map of texts");
        list[t->value_count++] = (struct value_map){ copy(m, k->text), copy(m, k->value->text) };
    }
    qsort(list, t->value_count, sizeof *list, by_from);
    t->values = list;
    return 0;
}

static int target_as(struct making *m, const struct ynode *map, struct target *t)
{
    static const struct {
        const char *name;
        enum target_kind kind;
    } kinds[] = { { "lower", TARGET_LOWER }, { "upper", TARGET_UPPER }, { "number", TARGET_NUMBER }, { "ip", TARGET_IP },
                  { "hex", TARGET_HEX },     { "name", TARGET_NAME },   { "mac", TARGET_MAC },     { "url", TARGET_URL },
                  { "text", TARGET_PLAIN } };
    static const struct {
        const char *name;
        int64_t ns;
    } units[] = { { "s", NS_PER_SECOND }, { "ms", NS_PER_MS }, { "us", 1000 }, { "ns", 1 } };
    struct str as = yaml_text(map, "as"), unit = yaml_text(map, "unit");
    size_t i;

    for (i = 0; as.n && i < COUNT(kinds) && !str_eq(as, str_c(kinds[i].name)); i++)
        ;
    if (as.n && i == COUNT(kinds))
        return wrong(m, yaml_get(map, "as"), "\"as\" is lower, upper, number, ip, hex, name, mac, url or text");
    if (as.n)
        t->kind = kinds[i].kind;
    for (i = 0; unit.n && i < COUNT(units) && !str_eq(unit, str_c(units[i].name)); i++)
        ;
    if (unit.n && i == COUNT(units))
        return wrong(m, yaml_get(map, "unit"), "\"unit\" is s, ms, us or ns");
    if (unit.n) {
        t->kind = TARGET_DURATION;
        t->unit_ns = units[i].ns;
    }
    return 0;
}

/* words_of - texts with '*' for anything at either end; an empty one stands for no value. */
static int words_of(struct making *m, const struct ynode *map, const struct ynode *key, struct condition *c)
{
    const struct str *texts;
    struct condition_word *words;
    size_t count;
    int rc = making_texts(m, map, c->name.p, &texts, &count);

    if (rc < 0)
        return rc;
    if (count == 0)
        return wrong(m, key, "an empty list of words");
    words = arena_array(m->arena, count, sizeof *words);
    if (!words)
        return memory(m);
    for (size_t i = 0; i < count; i++) {
        struct str t = texts[i];
        bool head = t.n && *t.p == '*', tail = t.n > 1 && t.p[t.n - 1] == '*';

        c->nothing |= t.n == 0;
        if (t.n)
            words[c->count++] = (struct condition_word){ str_of(t.p + head, t.n - head - tail),
                                               head ? (tail ? WORD_WITHIN : WORD_TAIL) : (tail ? WORD_HEAD : WORD_WHOLE) };
    }
    c->words = words;
    return 0;
}

/* is_member - what an event has under this name is none of its fields. */
static bool is_member(struct str name) { return str_starts(name, STR("saqshy.")) || str_eq(name, STR("event.original")); }

static int condition_of(struct making *m, const struct ynode *map, const struct ynode *key, struct condition *c)
{
    static const char *const keys[] = { "from", "to", NULL };
    const struct ynode *v = key->value;
    int rc;

    *c = (struct condition){ .name = copy(m, key->text), .from = INT64_MIN, .to = INT64_MAX };
    if (c->name.n == 0)
        return wrong(m, key, "a condition without a name");
    c->bit = is_member(c->name) ? UINT64_MAX : name_bit(c->name);
    rc = making_number(m, key, c->name, &c->number);
    if (rc < 0)
        return rc;
    if (v->kind != YNODE_MAP)
        return words_of(m, map, key, c);
    c->numeric = true;
    rc = yaml_only(m->yaml, v, keys, m->e);
    if (rc == 0)
        rc = yaml_int(m->yaml, v, "from", &c->from, m->e);
    if (rc >= 0)
        rc = yaml_int(m->yaml, v, "to", &c->to, m->e);
    return rc < 0 ? rc : 0;
}

/* conditions_of - all of the map "when". */
static int conditions_of(struct making *m, const struct ynode *when, const struct condition **out, size_t *count)
{
    struct condition *all = arena_array(m->arena, when->count + 1, sizeof *all);
    int rc = 0;

    if (!all)
        return memory(m);
    for (const struct ynode *k = when->first; k && rc == 0; k = k->next)
        rc = condition_of(m, when, k, &all[(*count)++]);
    *out = all;
    return rc;
}

/* straight - nothing is to be done with a value but to give it a name. */
static bool straight(const struct target *t)
{
    return t->kind == TARGET_PLAIN && t->value_count == 0 && t->split.n == 0 && t->when_count == 0 && !t->instead;
}

static int target_told(struct making *m, const struct ynode *n, struct target *t)
{
    static const char *const keys[] = { "to", "values", "else", "keep", "as", "unit", "split", "when", NULL };
    const struct ynode *when;
    int rc;

    if (n->kind == YNODE_SCALAR) {
        if (n->text.n)
            return target_by_name(m, n, n->text, t);
        *t = (struct target){ .kind = TARGET_DROP };
        return 0;
    }
    if (n->kind != YNODE_MAP)
        return wrong(m, n, "a field wants a name, a map with \"to\", or a list of those");
    rc = yaml_only(m->yaml, n, keys, m->e);
    if (rc == 0 && yaml_text(n, "to").n == 0)
        rc = wrong(m, n, "\"to\" is missing");
    if (rc == 0)
        rc = target_by_name(m, n, yaml_text(n, "to"), t);
    if (rc == 0)
        rc = target_as(m, n, t);
    if (rc == 0)
        rc = target_values(m, n, t);
    if (rc < 0)
        return rc;
    t->split = copy(m, yaml_text(n, "split"));
    when = yaml_get(n, "when");
    if (!when)
        return 0;
    if (when->kind != YNODE_MAP || when->count == 0)
        return wrong(m, n, "\"when\" wants a map of conditions");
    return conditions_of(m, when, &t->when, &t->when_count);
}

static int target_of(struct making *m, const struct ynode *n, struct target *t)
{
    int rc = target_told(m, n, t);

    t->straight = straight(t);
    return rc;
}

static int field_of(struct making *m, const struct ynode *key, struct field *out)
{
    const struct ynode *v = key->value;
    size_t count = v->kind == YNODE_SEQ ? v->count : 1, i = 0;
    struct target *targets = arena_array(m->arena, count + 1, sizeof *targets);
    int rc = 0;

    if (!targets)
        return memory(m);
    if (v->kind != YNODE_SEQ)
        rc = target_of(m, v, &targets[i++]);
    else
        for (const struct ynode *item = v->first; item && rc == 0; item = item->next)
            rc = target_of(m, item, &targets[i++]);
    out->targets = targets;
    out->count = i;
    out->told = true;
    return rc;
}

int making_fields(struct making *m, const struct ynode *map)
{
    if (!map)
        return 0;
    if (map->kind != YNODE_MAP || map->count > CAPTURES_MAX * 4)
        return wrong(m, map, "\"fields\" wants a map");
    for (const struct ynode *k = map->first; k; k = k->next) {
        struct field f = { .name = k->text };
        int rc;

        if (k->text.n == 0)
            return wrong(m, k, "a field without a name");
        rc = field_of(m, k, &f);
        if (rc == 0)
            rc = making_number(m, k, k->text, &f.number);
        if (rc < 0)
            return rc;
        f.name = m->names[f.number - 1].name;
        m->names[f.number - 1] = f;
    }
    return 0;
}

int making_group(struct making *m, const struct ynode *at, struct str name, struct field *out)
{
    struct target *t;
    uint16_t number;
    int rc = making_number(m, at, name, &number);

    if (rc < 0)
        return rc;
    *out = m->names[number - 1];
    if (out->told)
        return 0;
    out->told = true;
    if (!direct(name))
        return 0;
    t = arena_array(m->arena, 1, sizeof *t);
    if (!t)
        return memory(m);
    rc = target_by_name(m, at, name, t);
    t->straight = straight(t);
    out->targets = t;
    out->count = 1;
    return rc;
}

/* --- constants, cases, times --- */

/* said_number - that of the name of a constant. */
static int said_number(struct making *m, const struct ynode *at, struct str name, uint8_t *out)
{
    struct product *p = m->product;

    for (*out = 0; *out < p->said_count; ++*out)
        if (same_name(m->said[*out], name))
            return 0;
    if (p->said_count == SAID_MAX)
        return yaml_err(m->yaml, at, m->e, "the constants of the file have more than %d names", SAID_MAX);
    m->said[p->said_count++] = name;
    return 0;
}

int making_constants(struct making *m, const struct ynode *map, bool said, const struct constant **out, size_t *count)
{
    struct constant *list;

    *out = NULL;
    *count = 0;
    if (!map)
        return 0;
    if (map->kind != YNODE_MAP)
        return wrong(m, map, "a map of names and values is wanted here");
    list = arena_array(m->arena, map->count + 1, sizeof *list);
    if (!list)
        return memory(m);
    for (const struct ynode *k = map->first; k; k = k->next) {
        struct constant *c = &list[(*count)++];
        int rc = said ? check_name(m, k, k->text) : 0;

        *c = (struct constant){ .name = copy(m, k->text) };
        if (rc == 0 && said) {
            c->bit = name_bit(c->name);
            rc = said_number(m, k, c->name, &c->number);
        }
        if (rc < 0)
            return rc;
        if (!yaml_null(k->value))
            rc = making_texts(m, map, c->name.p, &c->values, &c->count);
        if (rc < 0)
            return rc;
    }
    *out = list;
    return 0;
}

static int layer_types(struct making *m, const struct ynode *map, struct layer *out)
{
    const struct str *codes;
    size_t count;
    int rc = making_texts(m, map, "types", &codes, &count);

    for (size_t i = 0; i < count && rc == 0; i++) {
        uint64_t bit = work_type_bit(codes[i]);

        out->types |= bit;
        if (!bit)
            rc = yaml_err(m->yaml, yaml_get(map, "types"), m->e, "\"%.*s\" is no code of Annex 4", STR_ARG(codes[i]));
    }
    return rc;
}

static int case_of(struct making *m, const struct ynode *n, struct when *out)
{
    static const char *const keys[] = { "when", "set", "types", NULL };
    const struct ynode *when = n->kind == YNODE_MAP ? yaml_get(n, "when") : NULL;
    struct layer *then = arena_zero(m->arena, sizeof *then);
    int rc;

    if (!when || when->kind != YNODE_MAP || when->count == 0)
        return wrong(m, n, "a case wants \"when\" with conditions, and \"set\" or \"types\"");
    if (!then)
        return memory(m);
    rc = yaml_only(m->yaml, n, keys, m->e);
    if (rc == 0)
        rc = conditions_of(m, when, &out->all, &out->count);
    if (rc == 0)
        rc = making_constants(m, yaml_get(n, "set"), true, &then->sets, &then->set_count);
    if (rc == 0)
        rc = layer_types(m, n, then);
    out->then = then;
    return rc;
}

static int zones_of(struct making *m, const struct ynode *map, struct time_rule *t)
{
    struct zone_name *list;

    if (!map)
        return 0;
    if (map->kind != YNODE_MAP)
        return wrong(m, map, "\"zones\" wants a map of names and zones");
    list = arena_array(m->arena, map->count + 1, sizeof *list);
    if (!list)
        return memory(m);
    for (const struct ynode *k = map->first; k; k = k->next) {
        struct zone_name *z = &list[t->zone_count++];
        int rc;

        z->name = copy(m, k->text);
        rc = making_zone(m, map, z->name.p, &z->offset_min);
        if (rc < 0)
            return rc;
        if (z->offset_min == EVENT_OFFSET_NONE)
            return wrong(m, k, "a zone is \"UTC\" or \"+05:00\"");
    }
    t->zones = list;
    return 0;
}

/* time_from - the names of the values that are the time; "@timestamp" if none is said. */
static int time_from(struct making *m, const struct ynode *n, struct time_rule *t)
{
    static const struct str usual = STR_INIT("@timestamp");
    const struct str *names;
    uint16_t *numbers;
    int rc = making_texts(m, n, "from", &names, &t->from_count);

    if (rc < 0)
        return rc;
    if (t->from_count == 0) {
        names = &usual;
        t->from_count = 1;
    }
    numbers = arena_array(m->arena, t->from_count, sizeof *numbers);
    if (!numbers)
        return memory(m);
    for (size_t i = 0; i < t->from_count && rc == 0; i++)
        rc = names[i].n ? making_number(m, n, names[i], &numbers[i]) : wrong(m, n, "\"from\" wants names");
    t->from = numbers;
    return rc;
}

static int time_of(struct making *m, const struct ynode *n, const struct time_rule **out)
{
    static const char *const keys[] = { "from", "forms", "zone", "zones", NULL };
    struct time_rule *t = arena_zero(m->arena, sizeof *t);
    int rc;

    if (!t)
        return memory(m);
    if (n->kind != YNODE_MAP)
        return wrong(m, n, "\"time\" wants a map with \"from\", \"forms\" or \"zone\"");
    rc = yaml_only(m->yaml, n, keys, m->e);
    if (rc == 0)
        rc = time_from(m, n, t);
    if (rc == 0)
        rc = making_texts(m, n, "forms", &t->forms, &t->form_count);
    if (rc == 0)
        rc = making_zone(m, n, "zone", &t->zone_min);
    if (rc == 0)
        rc = zones_of(m, yaml_get(n, "zones"), t);
    if (rc == 0 && t->form_count == 0 && (t->zone_count || t->zone_min != EVENT_OFFSET_NONE))
        rc = wrong(m, n, "a zone wants \"forms\"");
    for (size_t i = 0; i < t->form_count && rc == 0; i++)
        if (!stamp_form_valid(t->forms[i]))
            rc = yaml_err(m->yaml, yaml_get(n, "forms"), m->e, "\"%.*s\" has a letter that is none of a time", STR_ARG(t->forms[i]));
    *out = t;
    return rc;
}

int making_time(struct making *m)
{
    struct time_rule *t = arena_zero(m->arena, sizeof *t);

    if (!t)
        return memory(m);
    t->zone_min = EVENT_OFFSET_NONE;
    m->product->layer.time = t;
    return time_from(m, m->yaml->docs[0], t);
}

int making_layer(struct making *m, const struct ynode *map, struct layer *out)
{
    const struct ynode *cases = yaml_get(map, "cases"), *time = yaml_get(map, "time");
    int rc = making_constants(m, yaml_get(map, "set"), true, &out->sets, &out->set_count);

    if (rc == 0)
        rc = layer_types(m, map, out);
    if (rc == 0 && time)
        rc = time_of(m, time, &out->time);
    if (rc == 0 && cases) {
        struct when *list = cases->kind == YNODE_SEQ ? arena_zero(m->arena, (cases->count + 1) * sizeof *list) : NULL;

        if (!list)
            return wrong(m, cases, "\"cases\" wants a list");
        out->cases = list;
        for (const struct ynode *c = cases->first; c && rc == 0; c = c->next)
            rc = case_of(m, c, &list[out->case_count++]);
    }
    return rc;
}

/* --- samples --- */

static int sample_of(struct making *m, const struct ynode *n, struct sample *s)
{
    static const char *const keys[] = { "line", "path", "unit", "zone", "want", "not", NULL };
    const struct ynode *want = n->kind == YNODE_MAP ? yaml_get(n, "want") : NULL;
    struct constant *list;
    size_t kept = 0;
    int rc;

    *s = (struct sample){ .row = n->line, .parser = m->product->id };
    if (n->kind != YNODE_MAP || yaml_text(n, "line").n == 0)
        return wrong(m, n, "a sample wants a \"line\"");
    rc = yaml_only(m->yaml, n, keys, m->e);
    if (rc == 0)
        rc = yaml_bool(m->yaml, n, "not", &s->not, m->e);
    if (rc >= 0)
        rc = making_zone(m, n, "zone", &s->zone_min);
    if (rc == 0 && s->not == (want != NULL))
        rc = wrong(m, n, "a sample has either \"want\" or \"not: true\"");
    if (rc == 0)
        rc = making_constants(m, want, false, &s->want, &s->want_count);
    if (rc < 0)
        return rc;
    s->line = copy(m, yaml_text(n, "line"));
    s->path = copy(m, yaml_text(n, "path"));
    s->unit = copy(m, yaml_text(n, "unit"));
    list = arena_array(m->arena, s->want_count + 1, sizeof *list);
    if (!list)
        return memory(m);
    for (size_t i = 0; i < s->want_count; i++) {
        const struct constant *c = &s->want[i];
        struct str v = c->count ? c->values[0] : (struct str){ NULL, 0 };

        if (str_eq(c->name, STR("parser")))
            s->parser = v;
        else if (!str_eq(c->name, STR("parse")))
            list[kept++] = *c;
        else if (str_eq(v, STR("partial")))
            s->parse = EVENT_PARSE_PARTIAL;
        else if (!str_eq(v, STR("ok")))
            return wrong(m, want, "\"parse\" is ok or partial");
    }
    s->want = list;
    s->want_count = kept;
    return 0;
}

int making_samples(struct making *m, const struct ynode *list)
{
    struct sample *samples;
    size_t not = 0, count = 0;
    int rc = 0;

    if (!list || list->kind != YNODE_SEQ || list->count < 3)
        return yaml_err(m->yaml, list ? list : m->yaml->docs[0], m->e, "a parser wants at least three \"samples\"");
    samples = arena_array(m->arena, list->count, sizeof *samples);
    if (!samples)
        return memory(m);
    for (const struct ynode *n = list->first; n && rc == 0; n = n->next) {
        rc = sample_of(m, n, &samples[count]);
        not += samples[count++].not;
    }
    if (rc == 0 && (not == 0 || not == count))
        rc = wrong(m, list, "\"samples\" want lines that must match and one with \"not: true\" at least");
    m->product->samples = samples;
    m->product->sample_count = count;
    return rc;
}
