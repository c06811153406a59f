/* units.c - what one file of rules becomes: made once, and shared by all sets that hold the file as it is.
 *
 *     file --YAML, rule_compile--> unit: rules, filters, refusals, remarks        (here, once a file and text)
 *     units in order of files --copied, linked (set.c), tables--> set             (each time)
 *
 * A unit depends on its own text and on the pipelines, and it speaks of fields and log sources by their numbers. So the files of one struct sigma_units
 * are compiled on one *bench*, a set that is never linked, whose numbers only grow; each set takes a copy of them. Other pipelines want another bench, and
 * so does what reached a limit of the whole set while the bench had older files in it: refused is only what a set of these files alone refuses.
 *
 * All units of one compilation lie in one *crop*, which is counted by the sets and by the struct sigma_units that have a unit in it; a set needs a handful of
 * counts, not one a file. A text that several of its files say lies there once and counts as the first one's (text_keep). What stands in a crop does not change after its compilation: what linking changes, each set has a copy of. */
#include <stdatomic.h>
#include <xxhash.h>

#include "sigma/engine.h"

struct crop {
    atomic_uint   refs;
    struct arena  arena;
    struct regex *regexes;
    uint32_t      pass;          /* of the struct sigma_units it was seen in last */
};

struct unit {
    XXH128_hash_t         text;
    struct str            path;
    struct crop          *crop;
    struct compiled      *rules;
    struct filter        *filters;
    struct sigma_refusal *refusals;
    struct sigma_remark  *remarks;
    uint32_t rule_count, filter_count, refusal_count, remark_count;
    size_t   bytes, expanded_bytes;
    bool     may_be_pipeline;
};

struct sigma_units {
    struct sigma       *bench;         /* NULL: nothing was compiled */
    struct crop        *ground;        /* names and pipelines of the bench, and */
    const struct unit  *refused;       /* what is wrong with the pipelines */
    XXH128_hash_t       pipelines;
    uint32_t            fields, logsources;   /* of the bench after its first compilation */
    const struct unit **units;         /* of the last set, in its order */
    size_t              count;
    struct crop       **crops;
    uint32_t            crop_count, pass;
    size_t              made;
    const struct sigma_frequency *frequency;
};

/* --- crops --- */

static struct crop *crop_new(void)
{
    struct crop *c = calloc(1, sizeof *c);

    if (!c)
        return NULL;
    atomic_init(&c->refs, 1);
    arena_init(&c->arena, SET_BYTES_MAX);
    return c;
}

static struct crop *crop_ref(struct crop *c)
{
    atomic_fetch_add(&c->refs, 1);
    return c;
}

void crop_unref(struct crop **cp)
{
    struct crop *c = *cp;

    *cp = NULL;
    if (!c || atomic_fetch_sub(&c->refs, 1) != 1)
        return;
    while (c->regexes) {
        struct regex *next = c->regexes->next;

        regex_free(c->regexes);
        c->regexes = next;
    }
    arena_free(&c->arena);
    free(c);
}

/* --- one file --- */

struct adding { struct sigma *s; struct yaml *y; struct str file; bool scanned; struct err *e; };

static int add_document(void *arg, const struct ynode *doc, bool merged)
{
    struct adding *a = arg;

    if (pipeline_is(doc) && !a->scanned)
        return sigma_refuse(a->s, SIGMA_BROKEN, a->file, (struct str){ NULL, 0 }, doc->line, doc->column,
                            "the keys of a pipeline are written without escapes");
    return rule_compile(a->s, a->y, doc, merged, a->file, a->e);
}

static int refuse_file(struct sigma *s, struct str file, const struct err *why)
{
    const char *reason = why->text;
    char place[64];

    /* The place goes into its own members; the text need not say it twice. */
    snprintf(place, sizeof place, ":%d:%d: ", why->line, why->column);
    if (str_starts(str_c(reason), file) && strstr(reason, place))
        reason = strstr(reason, place) + strlen(place);
    return sigma_refuse(s, SIGMA_BROKEN, file, (struct str){ NULL, 0 }, why->line, why->column, reason);
}

static int add_source(struct sigma *s, struct str file, struct str text, bool may_be_pipeline, struct err *e)
{
    struct yaml *y = NULL;
    struct err why = { 0 };
    int rc = yaml_load(text, file.p, &y, &why);

    if (rc == -ENOMEM)
        return err_set(e, rc, "no memory for the rules");
    if (rc < 0)
        return refuse_file(s, file, &why);
    rc = 0;
    if (y->doc_count == 0)
        rc = sigma_refuse(s, SIGMA_BROKEN, file, (struct str){ NULL, 0 }, 1, 1, "the file holds no rule");
    if (rc == 0)
        rc = documents_each(y, add_document, &(struct adding){ s, y, file, may_be_pipeline, e });
    if (rc == -E2BIG)
        rc = sigma_refuse(s, SIGMA_BROKEN, file, (struct str){ NULL, 0 }, 1, 1, "its documents grow too large when they are merged");
    yaml_free(&y);
    return rc;
}

/* keep - count items that stay with the crop; NULL without memory. */
static void *keep(struct arena *a, const void *from, uint32_t count, size_t size)
{
    void *p = arena_array(a, count, size);

    if (p && count)
        memcpy(p, from, count * size);
    return p;
}

/* keep_told - refusals and remarks of the bench become the unit's. */
static void keep_told(struct sigma *b, struct unit *u)
{
    u->refusals = keep(&b->arena, b->refusals, u->refusal_count = b->refusal_count, sizeof *u->refusals);
    u->remarks = keep(&b->arena, b->remarks, u->remark_count = b->remark_count, sizeof *u->remarks);
    b->refusal_count = b->remark_count = 0;
}

static size_t regexes_bytes(const struct regex *from, const struct regex *to)
{
    size_t n = 0;

    for (; from != to; from = from->next)
        n += regex_bytes(from);
    return n;
}

/* make - compile one file on the bench, whose arena is the crop's. */
static int make(struct sigma *b, const struct sigma_source *src, XXH128_hash_t text, struct unit **out, struct err *e)
{
    size_t bytes = b->arena.used_bytes, expanded = b->expanded_bytes;
    const struct regex *regexes = b->regexes;
    struct unit *u = arena_zero(&b->arena, sizeof *u);
    struct str file = arena_copy(&b->arena, src->path);
    int rc;

    if (!u || !file.p)
        return err_set(e, -ENOMEM, "no memory for the rules");
    b->rule_count = b->filter_count = 0;
    *u = (struct unit){ .text = text, .path = file, .may_be_pipeline = pipeline_may_be(src->text) };
    rc = add_source(b, file, src->text, u->may_be_pipeline, e);
    if (rc < 0)
        return rc;
    for (uint32_t i = 0; i < b->rule_count; i++) {
        if (program_name(&b->arena, &b->scratch, b, &b->rules[i].program) < 0)
            return err_set(e, -ENOMEM, "no memory for the rules");
        arena_reset(&b->scratch);
    }
    u->rules = keep(&b->arena, b->rules, u->rule_count = b->rule_count, sizeof *u->rules);
    u->filters = keep(&b->arena, b->filters, u->filter_count = b->filter_count, sizeof *u->filters);
    keep_told(b, u);
    u->bytes = b->arena.used_bytes - bytes + regexes_bytes(b->regexes, regexes);
    u->expanded_bytes = b->expanded_bytes - expanded;
    *out = u;
    return arena_failed(&b->arena) ? err_set(e, -ENOMEM, "no memory for the rules") : 0;
}

/* --- a set of them --- */

/* What is being compiled: the sources, their hashes, and what each becomes. */
struct pass {
    const struct sigma_source *sources;
    size_t              count, made;
    XXH128_hash_t      *text;
    const struct unit **units;      /* NULL: to be made */
    XXH128_hash_t       pipelines;
    struct crop        *crop;       /* of those that are made */
    struct crop       **crops;      /* of all */
    uint32_t            crop_count;
};

static void pass_free(struct pass *p)
{
    crop_unref(&p->crop);
    for (uint32_t i = 0; i < p->crop_count; i++)
        crop_unref(&p->crops[i]);
    free(p->crops);
    free(p->text);
    free(p->units);
}

/* find - what was made of a file with this text; *hint: where the one before stood, for they come in the same order. */
static const struct unit *find(const struct sigma_units *u, const struct sigma_source *src, XXH128_hash_t text, size_t *hint)
{
    for (size_t i = 0; i < u->count; i++) {
        size_t at = (*hint + 1 + i) % u->count;

        if (!str_eq(u->units[at]->path, src->path))
            continue;
        *hint = at;
        return XXH128_isEqual(u->units[at]->text, text) ? u->units[at] : NULL;
    }
    return NULL;
}

/* look_over - what is there already, and which pipelines these sources hold. */
static int look_over(const struct sigma_units *u, struct pass *p, struct err *e)
{
    XXH3_state_t *x = XXH3_createState();
    size_t hint = SIZE_MAX;

    p->text = calloc(p->count + 1, sizeof *p->text);
    p->units = calloc(p->count + 1, sizeof *p->units);
    p->crops = calloc(SIGMA_CROPS_MAX + 2, sizeof *p->crops);
    if (!x || !p->text || !p->units || !p->crops) {
        XXH3_freeState(x);
        return err_set(e, -ENOMEM, "no memory for the rules");
    }
    XXH3_128bits_reset(x);
    for (size_t i = 0; i < p->count; i++) {
        const struct sigma_source *src = &p->sources[i];

        p->text[i] = XXH3_128bits(src->text.n ? src->text.p : "", src->text.n);
        p->units[i] = find(u, src, p->text[i], &hint);
        if (p->units[i] ? !p->units[i]->may_be_pipeline : !pipeline_may_be(src->text))
            continue;
        XXH3_128bits_update(x, src->path.p, src->path.n + 1);
        XXH3_128bits_update(x, &p->text[i], sizeof p->text[i]);
    }
    p->pipelines = XXH3_128bits_digest(x);
    XXH3_freeState(x);
    return 0;
}

static size_t alive_bytes(const struct sigma_units *u)
{
    size_t n = 0;

    for (size_t i = 0; i < u->count; i++)
        n += u->units[i]->bytes;
    return n;
}

/* held_bytes - of all crops, with what is alive of them and what is not. */
static size_t held_bytes(const struct sigma_units *u)
{
    size_t n = 0;

    for (uint32_t i = 0; i < u->crop_count; i++)
        n += u->crops[i]->arena.used_bytes;
    return n;
}

/* worn - one part in "share" of a bound is used up. */
static bool worn(const struct sigma_units *u, uint32_t share)
{
    size_t alive = alive_bytes(u), held = held_bytes(u), dead = held > alive ? held - alive : 0;

    return u->crop_count >= SIGMA_CROPS_MAX / share || dead * share > alive + SIGMA_UNITS_DEAD || u->bench->field_count > u->fields + SIGMA_NAMES_STALE / share || u->bench->logsource_count > u->logsources + SIGMA_NAMES_STALE / share;
}

void sigma_units_drop(struct sigma_units *u)
{
    for (uint32_t i = 0; i < u->crop_count; i++)
        crop_unref(&u->crops[i]);
    free(u->crops);
    free(u->units);
    if (u->bench)
        u->bench->names = NULL;
    sigma_free(&u->bench);
    crop_unref(&u->ground);
    *u = (struct sigma_units){ .made = u->made, .pass = u->pass, .frequency = u->frequency };
}

/* bench_new - with the pipelines of these sources; what was compiled before is of no use any more. */
static int bench_new(struct sigma_units *u, struct pass *p, struct err *e)
{
    struct unit *refused;
    int rc;

    sigma_units_drop(u);
    memset(p->units, 0, p->count * sizeof *p->units);
    u->bench = set_new();
    u->ground = crop_new();
    if (!u->bench || !u->ground)
        return err_set(e, -ENOMEM, "no memory for the rules");
    rc = pipelines_load(u->bench, p->sources, p->count, e);
    refused = arena_zero(&u->bench->arena, sizeof *refused);
    if (refused)
        keep_told(u->bench, refused);
    u->refused = refused;
    u->ground->arena = u->bench->arena;
    texts_end(u->bench);
    arena_init(&u->bench->arena, SET_BYTES_MAX);
    u->bench->names = &u->ground->arena;
    u->pipelines = p->pipelines;
    return rc < 0 ? rc : arena_failed(&u->ground->arena) ? err_set(e, -ENOMEM, "no memory for the rules") : 0;
}

/* make_all - what is not there yet, into one crop. */
static int make_all(struct sigma_units *u, struct pass *p, struct err *e)
{
    struct sigma *b = u->bench;
    int rc = 0;

    crop_unref(&p->crop);
    p->made = 0;
    p->crop = crop_new();
    if (!p->crop)
        return err_set(e, -ENOMEM, "no memory for the rules");
    b->expanded_bytes = 0;
    for (size_t i = 0; i < p->count; i++)
        b->expanded_bytes += p->units[i] ? p->units[i]->expanded_bytes : 0;
    b->arena = p->crop->arena;
    b->regexes = NULL;
    for (size_t i = 0; i < p->count && rc == 0; i++) {
        struct unit *made = NULL;

        if (p->units[i])
            continue;
        rc = make(b, &p->sources[i], p->text[i], &made, e);
        if (rc == 0)
            made->crop = p->crop;
        p->units[i] = made;
        p->made++;
    }
    p->crop->arena = b->arena;
    p->crop->regexes = b->regexes;
    texts_end(b);
    arena_init(&b->arena, SET_BYTES_MAX);
    b->regexes = NULL;
    b->rule_count = b->filter_count = b->refusal_count = b->remark_count = 0;
    arena_free(&b->scratch);
    return rc;
}

/* gather_crops - each once, counted; the ground is the first. */
static void gather_crops(struct sigma_units *u, struct pass *p)
{
    u->pass++;
    p->crops[p->crop_count++] = crop_ref(u->ground);
    for (size_t i = 0; i < p->count; i++) {
        struct crop *c = p->units[i]->crop;

        if (c->pass == u->pass)
            continue;
        c->pass = u->pass;
        p->crops[p->crop_count++] = crop_ref(c);
    }
}

/* --- the set --- */

static int copy_map(struct strmap *to, const struct strmap *from)
{
    free(to->slots);
    *to = *from;
    to->slots = from->cap ? malloc(from->cap * sizeof *to->slots) : NULL;
    if (from->cap && !to->slots)
        return -ENOMEM;
    if (from->cap)
        memcpy(to->slots, from->slots, from->cap * sizeof *to->slots);
    return 0;
}

static void *copy_items(const void *from, size_t count, size_t size)
{
    void *p = calloc(count + 1, size);

    if (p && count)
        memcpy(p, from, count * size);
    return p;
}

/* take_ground - the names, log sources and pipelines of the bench as they are now; linking may add to them. */
static int take_ground(struct sigma *s, const struct sigma *b)
{
    memcpy(s->fields, b->fields, b->field_count * sizeof *s->fields);
    s->field_count = b->field_count;
    if (copy_map(&s->field_map, &b->field_map) < 0 || copy_map(&s->mapping_map, &b->mapping_map) < 0)
        return -ENOMEM;
    s->mappings = copy_items(b->mappings, b->mapping_count, sizeof *s->mappings);
    s->variables = copy_items(b->variables, b->variable_count, sizeof *s->variables);
    s->logsources = copy_items(b->logsources, b->logsource_count, sizeof *s->logsources);
    if (!s->mappings || !s->variables || !s->logsources)
        return -ENOMEM;
    s->mapping_count = s->mapping_cap = b->mapping_count;
    s->variable_count = b->variable_count;
    s->logsource_count = s->logsource_cap = b->logsource_count;
    s->zone_min = b->zone_min;
    return 0;
}

static int too_many(struct sigma *s, struct str file, struct str id, int line, uint32_t most, const char *what)
{
    char why[ERR_TEXT_MAX];

    snprintf(why, sizeof why, "more than %u %s", most, what);
    return sigma_refuse(s, SIGMA_BROKEN, file, id, line, 1, why);
}

/* take_unit - copies of its rules; a correlation, which linking writes to, in the set's own memory. */
static int take_unit(struct sigma *s, const struct unit *u)
{
    for (uint32_t i = 0; i < u->rule_count; i++) {
        struct compiled *c = &s->rules[s->rule_count];

        if (s->rule_count == SIGMA_RULES_MAX) {
            if (too_many(s, u->rules[i].rule.file, u->rules[i].rule.id, u->rules[i].rule.line, SIGMA_RULES_MAX, "rules") < 0)
                return -ENOMEM;
            continue;
        }
        *c = u->rules[i];
        if (c->correlation && !(c->correlation = keep(&s->arena, c->correlation, 1, sizeof *c->correlation)))
            return -ENOMEM;
        s->rule_count++;
    }
    for (uint32_t i = 0; i < u->filter_count; i++)
        if (s->filter_count < SIGMA_FILTERS_MAX)
            s->filters[s->filter_count++] = u->filters[i];
        else if (too_many(s, u->filters[i].file, u->filters[i].id, u->filters[i].line, SIGMA_FILTERS_MAX, "filters") < 0)
            return -ENOMEM;
    for (uint32_t i = 0; i < u->refusal_count; i++) {
        const struct sigma_refusal *r = &u->refusals[i];

        if (sigma_refuse(s, r->verdict, r->file, r->id, r->line, r->column, r->reason.p) < 0)
            return -ENOMEM;
    }
    for (uint32_t i = 0; i < u->remark_count; i++) {
        const struct sigma_remark *r = &u->remarks[i];

        if (sigma_remark(s, r->file, r->id, r->line, r->column, r->text.p) < 0)
            return -ENOMEM;
    }
    s->shared_bytes += u->bytes;
    return 0;
}

/* assemble - units become a set that is not yet linked. */
static int assemble(struct sigma *s, const struct sigma_units *u, const struct pass *p)
{
    size_t rules = 0, filters = 0;
    int rc = take_ground(s, u->bench);

    s->crops = copy_items(p->crops, p->crop_count, sizeof *s->crops);
    for (uint32_t i = 0; s->crops && i < p->crop_count; i++)
        s->crops[s->crop_count++] = crop_ref(p->crops[i]);
    for (size_t i = 0; i < p->count; i++) {
        rules += p->units[i]->rule_count;
        filters += p->units[i]->filter_count;
    }
    s->rule_cap = (uint32_t)min_size(rules, SIGMA_RULES_MAX);
    s->filter_cap = (uint32_t)min_size(filters, SIGMA_FILTERS_MAX);
    s->rules = calloc(s->rule_cap + 1, sizeof *s->rules);
    s->filters = calloc(s->filter_cap + 1, sizeof *s->filters);
    if (rc < 0 || !s->crops || !s->rules || !s->filters)
        return -ENOMEM;
    s->shared_bytes = u->ground->arena.used_bytes;
    rc = take_unit(s, u->refused);
    for (size_t i = 0; i < p->count && rc == 0; i++)
        rc = take_unit(s, p->units[i]);
    return s->shared_bytes > SET_BYTES_MAX ? -ENOMEM : rc;
}

/* fill - units for all sources, those of before or new ones. */
static int fill(struct sigma_units *u, struct pass *p, struct err *e)
{
    bool fresh = !u->bench || !XXH128_isEqual(u->pipelines, p->pipelines) || worn(u, 1);
    int rc = fresh ? bench_new(u, p, e) : 0;

    if (rc == 0)
        rc = make_all(u, p, e);
    if (rc == 0 && u->bench->spent && !fresh) {   /* would these files alone reach it? */
        fresh = true;
        rc = bench_new(u, p, e);
        if (rc == 0)
            rc = make_all(u, p, e);
    }
    if (rc < 0) {
        sigma_units_drop(u);
        return rc;
    }
    if (fresh) {
        u->fields = u->bench->field_count;
        u->logsources = u->bench->logsource_count;
    }
    return 0;
}

/* remember - for the next set; what reached a limit is made anew then. */
static void remember(struct sigma_units *u, struct pass *p)
{
    u->made = p->made;
    if (u->bench->spent) {
        sigma_units_drop(u);
        return;
    }
    for (uint32_t i = 0; i < u->crop_count; i++)
        crop_unref(&u->crops[i]);
    free(u->crops);
    free(u->units);
    u->crops = p->crops;
    u->crop_count = p->crop_count;
    u->units = p->units;
    u->count = p->count;
    p->crops = NULL;
    p->crop_count = 0;
    p->units = NULL;
}

static int compile_with(struct sigma_units *u, struct sigma *s, const struct sigma_source *sources, size_t count, struct err *e)
{
    struct pass p = { .sources = sources, .count = count };
    int rc = look_over(u, &p, e);

    if (rc == 0)
        rc = fill(u, &p, e);
    if (rc == 0) {
        gather_crops(u, &p);
        if (assemble(s, u, &p) < 0)
            rc = err_set(e, -ENOMEM, "no memory for the rules");
    }
    s->frequency = u->frequency;
    if (rc == 0)
        rc = set_link(s, e);
    s->frequency = NULL;
    if (rc == 0)
        remember(u, &p);
    pass_free(&p);
    return rc;
}

/* --- the face --- */

struct sigma_units *sigma_units_new(void) { return calloc(1, sizeof(struct sigma_units)); }

void sigma_units_free(struct sigma_units **up)
{
    if (*up)
        sigma_units_drop(*up);
    free(*up);
    *up = NULL;
}

void sigma_units_measured(struct sigma_units *u, const struct sigma_frequency *f) { u->frequency = f; }
size_t sigma_units_made(const struct sigma_units *u) { return u->made; }
bool sigma_units_worn(const struct sigma_units *u) { return u->bench && worn(u, 2); }

int set_compile(struct sigma *s, struct sigma_units *u, const struct sigma_source *sources, size_t count, struct err *e)
{
    struct sigma_units once = { .made = 0 };
    int rc = count > SIGMA_FILES_MAX ? err_set(e, -E2BIG, "more than %d rule files", SIGMA_FILES_MAX) : 0;

    if (rc == 0)
        rc = compile_with(u ? u : &once, s, sources, count, e);
    sigma_units_drop(&once);
    return rc;
}

int sigma_compile_again(struct sigma_units *u, const struct sigma_source *sources, size_t count, struct sigma **out, struct err *e)
{
    struct sigma *s = set_new();
    int rc = s ? set_compile(s, u, sources, count, e) : err_set(e, -ENOMEM, "no memory for the rules");

    if (rc < 0)
        sigma_free(&s);
    *out = s;
    return rc;
}

int sigma_compile(const struct sigma_source *sources, size_t count, struct sigma **out, struct err *e)
{
    return sigma_compile_again(NULL, sources, count, out, e);
}
