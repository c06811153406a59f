/* edition.c - see edition.h: opening the folder, the act, terms and enumerations, and lookups. */
#include "duty/internal.h"

typedef int read_part(struct edition *ed, struct loader *l);

static int read_actors(struct edition *ed, struct loader *l, const struct ynode *root)
{
    static const char *const keys[] = { "id", "name", NULL };
    const struct ynode *list = ld_list(l, root, "actors", LD_REQUIRED);
    struct actor *a = ld_array(l, list, sizeof *a, &ed->actor_count);
    size_t i = 0;

    ed->actors = a;
    for (const struct ynode *n = a ? list->first : NULL; n && l->rc == 0; n = n->next, i++) {
        ld_keys(l, n, keys);
        a[i].id = ld_id(l, n, "id", LD_REQUIRED);
        a[i].name = ld_label(l, n, "name", LD_REQUIRED);
        for (size_t k = 0; k < i && l->rc == 0; k++)
            if (str_eq(a[k].id, a[i].id))
                ld_fail(l, n, "actor \"%.*s\" stands twice", STR_ARG(a[i].id));
    }
    return l->rc;
}

static int read_act(struct edition *ed, struct loader *l)
{
    static const char *const keys[] = { "id", "act", "adopted", "registered", "edition_of", "effective_from", "title", "basis",
                                        "amended_by", "actors", NULL };
    static const char *const amend_keys[] = { "act", "date", "changes", NULL };
    const struct ynode *root = ld_root(l, keys), *list;

    if (!root)
        return l->rc;
    ed->id = ld_id(l, root, "id", LD_REQUIRED);
    ed->act = ld_text(l, root, "act", LD_REQUIRED);
    ed->adopted = ld_date(l, root, "adopted", LD_REQUIRED, NULL);
    ed->edition_of = ld_date(l, root, "edition_of", LD_REQUIRED, NULL);
    ed->effective_from = ld_date(l, root, "effective_from", LD_OPTIONAL, NULL);
    (void)ld_text(l, root, "registered", LD_OPTIONAL);
    ed->title = ld_label(l, root, "title", LD_REQUIRED);
    if (l->rc == 0 && yaml_get(root, "basis"))
        ed->basis = ld_label(l, root, "basis", LD_REQUIRED);
    list = ld_list(l, root, "amended_by", LD_OPTIONAL);
    for (const struct ynode *n = list ? list->first : NULL; n && l->rc == 0; n = n->next) {
        ld_keys(l, n, amend_keys);
        (void)ld_text(l, n, "act", LD_REQUIRED);
        (void)ld_date(l, n, "date", LD_REQUIRED, NULL);
        (void)ld_text(l, n, "changes", LD_REQUIRED);
    }
    return read_actors(ed, l, root);
}

static int by_term_id(const void *a, const void *b)
{
    return str_cmp((*(const struct term *const *)a)->id, (*(const struct term *const *)b)->id);
}

/* unique_terms - by sorting pointers: the glossary is long. */
static void unique_terms(const struct edition *ed, struct loader *l, const struct ynode *list)
{
    const struct term **sorted = arena_array(l->arena, ed->term_count + 1, sizeof(const struct term *));

    if (!sorted)
        return;
    for (size_t i = 0; i < ed->term_count; i++)
        sorted[i] = &ed->terms[i];
    qsort(sorted, ed->term_count, sizeof(const struct term *), by_term_id);
    for (size_t i = 1; i < ed->term_count && l->rc == 0; i++)
        if (str_eq(sorted[i]->id, sorted[i - 1]->id))
            ld_fail(l, list, "term \"%.*s\" stands twice", STR_ARG(sorted[i]->id));
}

/* read_definitions - the words that paragraph 2 defines; an act may define none. */
static void read_definitions(struct edition *ed, struct loader *l, const struct ynode *root)
{
    static const char *const keys[] = { "row", "term", "meaning", NULL };
    const struct ynode *list = root ? ld_list(l, root, "definitions", LD_OPTIONAL) : NULL;
    struct definition *d = ld_array(l, list, sizeof *d, &ed->definition_count);
    size_t i = 0;

    ed->definitions = d;
    for (const struct ynode *n = d ? list->first : NULL; n && l->rc == 0; n = n->next, i++) {
        ld_keys(l, n, keys);
        d[i].row = ld_id(l, n, "row", LD_REQUIRED);
        d[i].term = ld_label(l, n, "term", LD_REQUIRED);
        d[i].meaning = ld_label(l, n, "meaning", LD_REQUIRED);
        if (l->rc == 0 && i && str_cmp(d[i - 1].row, d[i].row) >= 0)
            ld_fail(l, n, "definition \"%.*s\" stands after \"%.*s\": they follow the order of the Rules, each once", STR_ARG(d[i].row),
                    STR_ARG(d[i - 1].row));
    }
}

static int read_terms(struct edition *ed, struct loader *l)
{
    static const char *const keys[] = { "terms", "definitions", NULL }, *const term_keys[] = { "id", "kk", "ru", "en", NULL };
    const struct ynode *root = ld_root(l, keys);
    const struct ynode *list = root ? ld_list(l, root, "terms", LD_REQUIRED) : NULL;
    struct term *t = ld_array(l, list, sizeof *t, &ed->term_count);
    size_t i = 0;

    ed->terms = t;
    for (const struct ynode *n = t ? list->first : NULL; n && l->rc == 0; n = n->next, i++) {
        ld_keys(l, n, term_keys);
        t[i].id = ld_id(l, n, "id", LD_REQUIRED);
        for (enum lang k = 0; k < LANG_COUNT; k++)
            t[i].name.text[k] = ld_text(l, n, lang_name(k), LD_REQUIRED);
    }
    if (l->rc == 0)
        unique_terms(ed, l, list);
    if (l->rc == 0)
        read_definitions(ed, l, root);
    return l->rc;
}

static void read_values(struct loader *l, const struct ynode *node, struct enumeration *en)
{
    static const char *const keys[] = { "id", "row", "number", "exclusive", "name", "hint", NULL };
    const struct ynode *list = ld_list(l, node, "values", LD_REQUIRED);
    struct enum_value *v = ld_array(l, list, sizeof *v, &en->count);
    size_t i = 0;

    en->values = v;
    for (const struct ynode *n = v ? list->first : NULL; n && l->rc == 0; n = n->next, i++) {
        ld_keys(l, n, keys);
        v[i].id = ld_id(l, n, "id", LD_REQUIRED);
        v[i].row = ld_id(l, n, "row", LD_OPTIONAL);
        v[i].number = (int32_t)ld_int(l, n, "number", LD_OPTIONAL, 0, 1000);
        v[i].exclusive = ld_bool(l, n, "exclusive", false);
        v[i].name = ld_label(l, n, "name", LD_REQUIRED);
        if (l->rc == 0 && yaml_get(n, "hint"))
            v[i].hint = ld_label(l, n, "hint", LD_REQUIRED);
        for (size_t k = 0; k < i && l->rc == 0; k++)
            if (str_eq(v[k].id, v[i].id))
                ld_fail(l, n, "value \"%.*s\" stands twice", STR_ARG(v[i].id));
    }
}

static int read_enumerations(struct edition *ed, struct loader *l)
{
    static const char *const keys[] = { "enumerations", NULL }, *const one[] = { "id", "prescribed", "values", NULL };
    const struct ynode *root = ld_root(l, keys);
    const struct ynode *list = root ? ld_list(l, root, "enumerations", LD_REQUIRED) : NULL;
    struct enumeration *en = ld_array(l, list, sizeof *en, &ed->enumeration_count);
    size_t i = 0;

    ed->enumerations = en;
    for (const struct ynode *n = en ? list->first : NULL; n && l->rc == 0; n = n->next, i++) {
        ld_keys(l, n, one);
        en[i].id = ld_id(l, n, "id", LD_REQUIRED);
        en[i].prescribed = ld_bool(l, n, "prescribed", false);
        read_values(l, n, &en[i]);
        for (size_t k = 0; k < i && l->rc == 0; k++)
            if (str_eq(en[k].id, en[i].id))
                ld_fail(l, n, "enumeration \"%.*s\" stands twice", STR_ARG(en[i].id));
    }
    return l->rc;
}

/* The files of an edition, in an order in which each refers only to earlier ones. */
static const struct {
    const char *name;
    read_part  *read;
} parts[] = {
    { "edition.yaml", read_act },
    { "terms.yaml", read_terms },
    { "enumerations.yaml", read_enumerations },
    { "forms.yaml", edition_read_forms },
    { "obligations.yaml", edition_read_obligations },
    { "event_types.yaml", edition_read_event_types },
};
static_assert(COUNT(parts) == EDITION_PARTS && EDITION_PARTS <= EDITION_FILES_MAX, "room for every file");

const char *edition_part_name(size_t part)
{
    return part < COUNT(parts) ? parts[part].name : NULL;
}

/* read_parts - from the folder, or from texts where there is none. */
static int read_parts(struct edition *ed, const char *folder, const struct str *texts, struct err *e)
{
    for (size_t i = 0; i < COUNT(parts); i++) {
        struct loader l;
        char path[4096];
        int rc;

        snprintf(path, sizeof path, "%s/%s", folder ? folder : "", parts[i].name);
        rc = folder ? yaml_load_file(path, &ed->files[i], e) : yaml_load(texts[i], parts[i].name, &ed->files[i], e);
        if (rc < 0)
            return rc;
        ed->file_count = i + 1;
        l = (struct loader){ .y = ed->files[i], .arena = &ed->arena, .e = e };
        rc = parts[i].read(ed, &l);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int load_either(const char *folder, const struct str *texts, struct edition **out, struct err *e)
{
    struct edition *ed = calloc(1, sizeof *ed);
    int rc;

    *out = NULL;
    if (!ed)
        return err_set(e, -ENOMEM, "no memory for the edition");
    arena_init(&ed->arena, 16 * MIB);
    rc = read_parts(ed, folder, texts, e);
    if (rc < 0)
        edition_free(&ed);
    *out = ed;
    return rc;
}

int edition_load(const char *folder, struct edition **out, struct err *e)
{
    return load_either(folder, NULL, out, e);
}

int edition_read(const struct str texts[EDITION_PARTS], struct edition **out, struct err *e)
{
    return load_either(NULL, texts, out, e);
}

void edition_free(struct edition **ed)
{
    if (!*ed)
        return;
    for (size_t i = 0; i < (*ed)->file_count; i++)
        yaml_free(&(*ed)->files[i]);
    arena_free(&(*ed)->arena);
    free(*ed);
    *ed = NULL;
}

const struct obligation *edition_obligation(const struct edition *ed, struct str id)
{
    for (size_t i = 0; i < ed->obligation_count; i++)
        if (str_eq(ed->obligations[i].id, id))
            return &ed->obligations[i];
    return NULL;
}

const struct form *edition_form(const struct edition *ed, struct str id)
{
    for (size_t i = 0; i < ed->form_count; i++)
        if (str_eq(ed->forms[i].id, id))
            return &ed->forms[i];
    return NULL;
}

const struct enumeration *edition_enumeration(const struct edition *ed, struct str id)
{
    for (size_t i = 0; i < ed->enumeration_count; i++)
        if (str_eq(ed->enumerations[i].id, id))
            return &ed->enumerations[i];
    return NULL;
}

const struct enum_value *enumeration_value(const struct enumeration *en, struct str id)
{
    for (size_t i = 0; i < en->count; i++)
        if (str_eq(en->values[i].id, id))
            return &en->values[i];
    return NULL;
}

const struct term *edition_term(const struct edition *ed, struct str id)
{
    for (size_t i = 0; i < ed->term_count; i++)
        if (str_eq(ed->terms[i].id, id))
            return &ed->terms[i];
    return NULL;
}

const struct actor *edition_actor(const struct edition *ed, struct str id)
{
    for (size_t i = 0; i < ed->actor_count; i++)
        if (str_eq(ed->actors[i].id, id))
            return &ed->actors[i];
    return NULL;
}

const struct form_field *form_field_find(const struct form *f, struct str id)
{
    for (size_t i = 0; i < f->field_count; i++)
        if (str_eq(f->fields[i].id, id))
            return &f->fields[i];
    for (size_t i = 0; i < f->extra_count; i++)
        if (str_eq(f->extras[i].id, id))
            return &f->extras[i];
    return NULL;
}
