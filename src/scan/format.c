/* format.c - a description of content/scanners as it is loaded: its parts in the order in which they may name each other. */
#include "scan/internal.h"

#include <dirent.h>

static int no_memory(struct compile *c) { return err_set(c->e, -ENOMEM, "no memory for a description"); }

static size_t items(const struct ynode *n) { return n && n->kind == YNODE_SEQ ? n->count : 0; }

static int list_wanted(struct compile *c, const struct ynode *n, const char *key)
{
    return n && n->kind != YNODE_SEQ ? yaml_err(c->y, n, c->e, "\"%s\" is a list", key) : 0;
}

/* --- detect --- */

static int path_list(struct compile *c, const struct ynode *n, struct path **out, unsigned *weight)
{
    struct path **tail = out;

    if (!n)
        return 0;
    if (n->kind != YNODE_SEQ)
        return yaml_err(c->y, n, c->e, "a list of keys is expected here");
    for (const struct ynode *i = n->first; i; i = i->next) {
        int rc = i->kind == YNODE_SCALAR ? compile_paths(c, arena_copy(&c->f->arena, i->text), i, tail) : yaml_err(c->y, i, c->e, "a key is expected here");

        if (rc < 0)
            return rc;
        tail = &(*tail)->next;
        ++*weight;
    }
    return 0;
}

static int columns(struct compile *c, const struct ynode *n, struct detect *d)
{
    if (!n)
        return 0;
    if (n->kind != YNODE_SEQ || n->count == 0)
        return yaml_err(c->y, n, c->e, "\"columns\" is a list of headings");
    d->columns = arena_zero(&c->f->arena, n->count * sizeof *d->columns);
    if (!d->columns)
        return no_memory(c);
    for (const struct ynode *i = n->first; i; i = i->next) {
        d->columns[d->column_count++] = arena_copy(&c->f->arena, i->text);
        d->weight++;
    }
    return 0;
}

static int detect_one(struct compile *c, const struct ynode *n, struct detect *d)
{
    static const char *const names[] = { "root", "keys", "item_keys", "columns", "line", "when", NULL };
    int rc = yaml_only(c->y, n, names, c->e);

    if (rc < 0)
        return rc;
    d->root = arena_copy(&c->f->arena, yaml_text(n, "root"));
    d->weight = d->root.n ? 1 : 0;
    rc = path_list(c, yaml_get(n, "keys"), &d->keys, &d->weight);
    if (rc == 0)
        rc = path_list(c, yaml_get(n, "item_keys"), &d->item_keys, &d->weight);
    if (rc == 0)
        rc = columns(c, yaml_get(n, "columns"), d);
    if (rc == 0 && yaml_get(n, "line")) {
        rc = compile_re(c, yaml_get(n, "line"), yaml_text(n, "line"), &d->line);
        d->weight++;
    }
    if (rc == 0)
        rc = compile_conds(c, yaml_get(n, "when"), &d->when);
    for (const struct cond *w = d->when; w; w = w->next)
        d->weight++;
    return rc == 0 && d->weight == 0 ? yaml_err(c->y, n, c->e, "an item of \"detect\" needs root, keys, item_keys, columns, line or when") : rc;
}

static int load_detect(struct compile *c, const struct ynode *n)
{
    int rc = list_wanted(c, n, "detect");

    c->f->detect = arena_zero(&c->f->arena, (items(n) + 1) * sizeof *c->f->detect);
    if (!c->f->detect)
        return no_memory(c);
    c->in_table = true;
    for (const struct ynode *i = items(n) ? n->first : NULL; i && rc == 0; i = i->next)
        rc = detect_one(c, i, &c->f->detect[c->f->detect_count++]);
    c->in_table = false;
    return rc;
}

/* --- report, context, tables --- */

static int literal_or_expr(struct compile *c, const struct ynode *n, struct expr **out)
{
    struct expr *x;

    if (!n || n->kind != YNODE_SCALAR)
        return compile_expr(c, n, out);
    x = arena_zero(&c->f->arena, sizeof *x);
    if (!x || !(x->path = arena_zero(&c->f->arena, sizeof *x->path)))
        return no_memory(c);
    x->path->from = FROM_LITERAL;
    x->path->literal = arena_copy(&c->f->arena, n->text);
    *out = x;
    return 0;
}

static int load_report(struct compile *c, const struct ynode *n)
{
    static const char *const names[] = { "version", "started", "ended", NULL };
    struct expr **places[] = { &c->f->version, &c->f->started, &c->f->ended };
    int rc = n ? yaml_only(c->y, n, names, c->e) : 0;

    for (size_t i = 0; rc == 0 && i < COUNT(places); i++)
        if (yaml_get(n, names[i]))
            rc = compile_expr(c, yaml_get(n, names[i]), places[i]);
    return rc;
}

static int load_context(struct compile *c, const struct ynode *n)
{
    int rc = 0;

    if (!n)
        return 0;
    if (n->kind != YNODE_MAP)
        return yaml_err(c->y, n, c->e, "\"context\" is a map of names and paths");
    c->f->scalars = arena_zero(&c->f->arena, (n->count + 1) * sizeof *c->f->scalars);
    if (!c->f->scalars)
        return no_memory(c);
    for (const struct ynode *k = n->first; k && rc == 0; k = k->next) {
        struct scalar *s = &c->f->scalars[c->f->scalar_count++];

        s->name = arena_copy(&c->f->arena, k->text);
        rc = compile_expr(c, k->value, &s->value);
    }
    return rc;
}

static int table_gives(struct compile *c, const struct ynode *n, struct table *t)
{
    int rc = 0;

    if (!n)
        return 0;
    if (n->kind != YNODE_MAP)
        return yaml_err(c->y, n, c->e, "\"give\" is a map of names and expressions");
    t->gives = arena_zero(&c->f->arena, (n->count + 1) * sizeof *t->gives);
    t->give_values = arena_zero(&c->f->arena, (n->count + 1) * sizeof(struct expr *));
    if (!t->gives || !t->give_values)
        return no_memory(c);
    for (const struct ynode *k = n->first; k && rc == 0; k = k->next) {
        t->gives[t->give_count].key = arena_copy(&c->f->arena, k->text);
        if (!names_add(&c->f->names, &c->f->arena, k->text))
            return no_memory(c);
        rc = compile_expr(c, k->value, &t->give_values[t->give_count++]);
    }
    return rc;
}

static int table_one(struct compile *c, const struct ynode *n, struct table *t)
{
    static const char *const names[] = { "at", "key", "keep", "give", "when", NULL };
    int rc = yaml_only(c->y, n, names, c->e);

    if (rc == 0)
        rc = compile_base(c, yaml_get(n, "at"), &t->at, &t->at_count);
    if (rc == 0)
        rc = compile_expr(c, yaml_get(n, "key"), &t->key);
    if (rc == 0)
        rc = compile_conds(c, yaml_get(n, "when"), &t->when);
    return rc == 0 ? table_gives(c, yaml_get(n, "give"), t) : rc;
}

static int load_tables(struct compile *c, const struct ynode *n)
{
    int rc = 0;

    if (!n)
        return 0;
    if (n->kind != YNODE_MAP)
        return yaml_err(c->y, n, c->e, "\"tables\" is a map of names");
    c->f->tables = arena_zero(&c->f->arena, (n->count + 1) * sizeof *c->f->tables);
    if (!c->f->tables)
        return no_memory(c);
    for (const struct ynode *k = n->first; k && rc == 0; k = k->next) {
        c->f->tables[c->f->table_count].name = arena_copy(&c->f->arena, k->text);
        rc = table_one(c, k->value, &c->f->tables[c->f->table_count++]);
    }
    return rc;
}

/* --- records and covers --- */

static int settings(struct compile *c, const struct ynode *n, const struct field *fields, struct record *r)
{
    int rc = 0;

    if (!n || n->kind != YNODE_MAP)
        return yaml_err(c->y, n, c->e, "a map of fields and expressions is expected here");
    r->settings = arena_zero(&c->f->arena, (n->count + 1) * sizeof *r->settings);
    if (!r->settings)
        return no_memory(c);
    for (const struct ynode *k = n->first; k && rc == 0; k = k->next) {
        struct setting *s = &r->settings[r->count];

        s->field = field_find(fields, k->text);
        if (fields == cover_fields && (str_eq(k->text, STR("at")) || str_eq(k->text, STR("when")) || str_eq(k->text, STR("each")) || str_eq(k->text, STR("ran"))))
            continue;
        if (!s->field)
            return yaml_err(c->y, k, c->e, "no field \"%.*s\"; docs/scanners.md lists them", STR_ARG(k->text));
        r->count++;
        rc = compile_expr(c, k->value, &s->value);
    }
    return rc;
}

static int record_head(struct compile *c, const struct ynode *n, struct record *r)
{
    int rc = compile_base(c, yaml_get(n, "at"), &r->at, &r->at_count);

    if (rc == 0 && yaml_get(n, "each")) {
        const struct ynode *each = yaml_get(n, "each");

        if (each->kind != YNODE_SCALAR)
            return yaml_err(c->y, each, c->e, "\"each\" is a path");
        rc = compile_paths(c, arena_copy(&c->f->arena, each->text), each, &r->each);
        for (const struct path *p = r->each; rc == 0 && p; p = p->next) {
            if (p->from != FROM_HERE || p->give != GIVE_TEXT)
                return yaml_err(c->y, each, c->e, "\"each\" is a path into the record");
            for (size_t i = 0; i < p->count; i++)
                if (p->steps[i].kind == STEP_UP)
                    return yaml_err(c->y, each, c->e, "\"each\" is a path into the record");
        }
    }
    return rc == 0 ? compile_conds(c, yaml_get(n, "when"), &r->when) : rc;
}

static int ran_of(struct compile *c, const struct ynode *n, enum scan_ran *out)
{
    static const char *const words[] = { "all", "check", "passed" };
    struct str s = yaml_text(n, "ran");

    for (size_t i = 0; i < COUNT(words); i++)
        if (str_eq(s, str_c(words[i]))) {
            *out = (enum scan_ran)i;
            return 0;
        }
    return yaml_err(c->y, yaml_get(n, "ran") ? yaml_get(n, "ran") : n, c->e, "\"ran\" is all, check or passed");
}

static int load_records(struct compile *c, const struct ynode *n)
{
    static const char *const names[] = { "at", "each", "when", "finding", NULL };
    int rc = list_wanted(c, n, "records");

    c->f->records = arena_zero(&c->f->arena, (items(n) + 1) * sizeof *c->f->records);
    if (!c->f->records)
        return no_memory(c);
    for (const struct ynode *i = items(n) ? n->first : NULL; i && rc == 0; i = i->next) {
        struct record *r = &c->f->records[c->f->record_count++];

        rc = yaml_only(c->y, i, names, c->e);
        if (rc == 0)
            rc = record_head(c, i, r);
        if (rc == 0)
            rc = settings(c, yaml_get(i, "finding"), finding_fields, r);
    }
    return rc;
}

static int load_covers(struct compile *c, const struct ynode *n)
{
    int rc = list_wanted(c, n, "covers");

    c->f->covers = arena_zero(&c->f->arena, (items(n) + 1) * sizeof *c->f->covers);
    if (!c->f->covers)
        return no_memory(c);
    for (const struct ynode *i = items(n) ? n->first : NULL; i && rc == 0; i = i->next) {
        struct record *r = &c->f->covers[c->f->cover_count++];

        rc = settings(c, i, cover_fields, r);
        if (rc == 0)
            rc = record_head(c, i, r);
        if (rc == 0)
            rc = ran_of(c, i, &r->ran);
    }
    return rc;
}

/* --- text --- */

static int line_one(struct compile *c, const struct ynode *n, struct line_rule *l)
{
    static const char *const names[] = { "name", "match", "level", NULL };
    int64_t level = 0;
    int rc = yaml_only(c->y, n, names, c->e);

    if (rc == 0 && (!yaml_text(n, "name").n || !yaml_text(n, "match").n))
        rc = yaml_err(c->y, n, c->e, "a line needs name and match");
    if (rc == 0)
        rc = yaml_int(c->y, n, "level", &level, c->e);
    if (rc < 0)
        return rc;
    if (level < 0 || level > 8)
        return yaml_err(c->y, yaml_get(n, "level"), c->e, "\"level\" is 1 to 8: a heading, and how deep");
    l->level = (unsigned)level;
    l->name = arena_copy(&c->f->arena, yaml_text(n, "name"));
    l->id = names_add(&c->f->names, &c->f->arena, l->name);
    rc = compile_re(c, yaml_get(n, "match"), yaml_text(n, "match"), &l->re);
    if (rc < 0)
        return rc;
    l->group_ids = arena_zero(&c->f->arena, RE_GROUPS * sizeof *l->group_ids);
    for (size_t i = 0; l->group_ids && i < re_groups(l->re); i++)
        if (re_name(l->re, i).n)
            l->group_ids[i] = names_add(&c->f->names, &c->f->arena, re_name(l->re, i));
    return l->group_ids ? 0 : no_memory(c);
}

static int load_lines(struct compile *c, const struct ynode *n)
{
    int rc = list_wanted(c, n, "lines");

    c->f->lines = arena_zero(&c->f->arena, (items(n) + 1) * sizeof *c->f->lines);
    if (!c->f->lines)
        return no_memory(c);
    for (const struct ynode *i = items(n) ? n->first : NULL; i && rc == 0; i = i->next)
        rc = line_one(c, i, &c->f->lines[c->f->line_count++]);
    return rc;
}

/* --- the whole --- */

static int head(struct compile *c, const struct ynode *top)
{
    static const char *const names[] = { "id", "title", "tool", "file", "detect", "report", "context", "tables", "records", "covers", "lines", "items", "delimiter", NULL };
    static const char *const kinds[] = { "xml", "json", "csv", "text" };
    struct str id = yaml_text(top, "id"), file = yaml_text(top, "file"), delimiter = yaml_text(top, "delimiter");
    bool list = false;
    int rc = yaml_only(c->y, top, names, c->e);

    if (rc < 0)
        return rc;
    if (!id.n || id.n >= sizeof c->f->id || !yaml_text(top, "title").n || !yaml_get(top, "tool"))
        return yaml_err(c->y, top, c->e, "a description needs id, title, tool and file");
    if (c->f->id[0] && !str_eq(id, str_c(c->f->id)))
        return yaml_err(c->y, yaml_get(top, "id"), c->e, "\"id\" must be the name of the file, %s", c->f->id);
    snprintf(c->f->id, sizeof c->f->id, "%.*s", STR_ARG(id));
    c->f->title = arena_copy(&c->f->arena, yaml_text(top, "title"));
    c->f->delimiter = delimiter.n == 1 ? delimiter.p[0] : '\0';
    rc = yaml_bool(c->y, top, "items", &list, c->e);
    if (rc < 0)
        return rc;
    c->f->items = rc == 1 ? -1 : list;
    for (size_t i = 0; i < COUNT(kinds); i++)
        if (str_eq(file, str_c(kinds[i]))) {
            c->f->file = (enum file_kind)i;
            return 0;
        }
    return yaml_err(c->y, yaml_get(top, "file") ? yaml_get(top, "file") : top, c->e, "\"file\" is xml, json, csv or text");
}

static int parts(struct compile *c, const struct ynode *top)
{
    int rc = head(c, top);

    if (rc == 0)
        rc = load_detect(c, yaml_get(top, "detect"));
    c->in_table = true;
    if (rc == 0)
        rc = literal_or_expr(c, yaml_get(top, "tool"), &c->f->tool);
    if (rc == 0)
        rc = load_report(c, yaml_get(top, "report"));
    if (rc == 0)
        rc = load_context(c, yaml_get(top, "context"));
    if (rc == 0)
        rc = load_tables(c, yaml_get(top, "tables"));
    c->in_table = false;
    if (rc == 0)
        rc = load_lines(c, yaml_get(top, "lines"));
    if (rc == 0)
        rc = load_records(c, yaml_get(top, "records"));
    if (rc == 0)
        rc = load_covers(c, yaml_get(top, "covers"));
    return rc == 0 && arena_failed(&c->f->arena) ? err_set(c->e, -E2BIG, "the description is too large") : rc;
}

static int format_new(struct format **out, struct err *e)
{
    struct format *f = calloc(1, sizeof *f);

    *out = f;
    if (!f)
        return err_set(e, -ENOMEM, "no memory for a description");
    arena_init(&f->arena, FORMAT_BYTES);
    f->items = -1;
    if (names_init(&f->names, &f->arena) < 0 || trie_init(&f->first) < 0 || trie_init(&f->second) < 0) {
        format_free(out);
        return err_set(e, -ENOMEM, "no memory for a description");
    }
    return 0;
}

void format_free(struct format **f)
{
    if (!*f)
        return;
    for (size_t i = 0; i < (*f)->re_count; i++)
        re_free((*f)->res[i]);
    free((*f)->res);
    trie_free(&(*f)->first);
    trie_free(&(*f)->second);
    arena_free(&(*f)->arena);
    free(*f);
    *f = NULL;
}

static int format_build(const struct yaml *y, const char *id, struct format **out, struct err *e)
{
    struct compile c = { .y = y, .e = e };
    int rc = format_new(out, e);

    if (rc < 0)
        return rc;
    c.f = *out;
    if (id)
        snprintf(c.f->id, sizeof c.f->id, "%s", id);
    rc = y->doc_count == 1 ? parts(&c, y->docs[0]) : err_set(e, -EBADMSG, "%s: one description a file", y->name);
    if (rc == 0)
        rc = format_tries(c.f, e);
    if (rc < 0)
        format_free(out);
    return rc;
}

int format_parse(struct str text, const char *name, const char *id, struct format **out, struct err *e)
{
    struct yaml *y;
    int rc = yaml_load(text, name, &y, e);

    *out = NULL;
    if (rc < 0)
        return rc;
    rc = format_build(y, id, out, e);
    yaml_free(&y);
    return rc;
}

int format_load(const char *path, struct format **out, struct err *e)
{
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
    struct yaml *y;
    char id[64];
    int rc = yaml_load_file(path, &y, e);

    *out = NULL;
    if (rc < 0)
        return rc;
    snprintf(id, sizeof id, "%.*s", (int)(strlen(base) - 5), base);
    rc = format_build(y, id, out, e);
    yaml_free(&y);
    return rc;
}

/* one_column - a saved column is a path of one step. */
static int one_column(struct format *f, struct record *r, const struct scan_column *column, struct err *e)
{
    struct setting *s = &r->settings[r->count];
    struct path *p = arena_zero(&f->arena, sizeof *p);

    s->field = field_find(finding_fields, column->field);
    if (!s->field)
        return err_set(e, -EINVAL, "the mapping names a field \"%.*s\", which findings do not have", STR_ARG(column->field));
    s->value = arena_zero(&f->arena, sizeof *s->value);
    if (!p || !s->value || !(p->steps = arena_zero(&f->arena, sizeof *p->steps)))
        return err_set(e, -ENOMEM, "no memory for a mapping");
    p->count = 1;
    p->steps[0] = (struct step){ .kind = STEP_NAME, .name = names_add(&f->names, &f->arena, column->heading) };
    s->value->path = p;
    r->count++;
    return p->steps[0].name ? 0 : err_set(e, -E2BIG, "the mapping has too many columns");
}

static int mapping_record(struct format *f, const struct scan_mapping *m, struct err *e)
{
    struct record *r = f->records = arena_zero(&f->arena, sizeof *r);
    struct step *row = arena_zero(&f->arena, sizeof *row);
    int rc = 0;

    if (!r || !row || !(r->at = arena_zero(&f->arena, sizeof *r->at)) ||
        !(r->settings = arena_zero(&f->arena, (m->count + 1) * sizeof *r->settings)) || !(f->tool = arena_zero(&f->arena, sizeof *f->tool)) ||
        !(f->tool->path = arena_zero(&f->arena, sizeof *f->tool->path)))
        return err_set(e, -ENOMEM, "no memory for a mapping");
    f->record_count = 1;
    *row = (struct step){ .kind = STEP_NAME, .name = names_add(&f->names, &f->arena, STR("row")) };
    *r->at = (struct base){ row, 1 };
    r->at_count = 1;
    f->tool->path->from = FROM_LITERAL;
    f->tool->path->literal = arena_copy(&f->arena, m->tool);
    for (size_t i = 0; i < m->count && rc == 0; i++)
        rc = one_column(f, r, &m->columns[i], e);
    return rc;
}

int format_of_mapping(const struct scan_mapping *m, struct format **out, struct err *e)
{
    int rc = m->count ? format_new(out, e) : err_set(e, -EINVAL, "the mapping names no column");

    if (rc < 0) {
        *out = NULL;
        return rc;
    }
    snprintf((*out)->id, sizeof (*out)->id, "mapping");
    (*out)->title = STR("mapping");
    (*out)->file = FILE_CSV;
    (*out)->mapping = true;
    rc = mapping_record(*out, m, e);
    if (rc == 0)
        rc = format_tries(*out, e);
    if (rc < 0)
        format_free(out);
    return rc;
}

/* --- all of a folder --- */

static int by_id(const void *a, const void *b)
{
    return strcmp((*(struct format *const *)a)->id, (*(struct format *const *)b)->id);
}

static int load_folder(struct scan_formats *all, const char *folder, DIR *d, struct err *e)
{
    struct dirent *entry;

    while ((entry = readdir(d))) {
        size_t n = strlen(entry->d_name);
        char path[4096];
        int rc;

        if (n < 6 || strcmp(entry->d_name + n - 5, ".yaml") != 0)
            continue;
        if (all->count == FORMATS_MAX)
            return err_set(e, -E2BIG, "%s: more than %u descriptions", folder, FORMATS_MAX);
        if (snprintf(path, sizeof path, "%s/%s", folder, entry->d_name) >= (int)sizeof path)
            return err_set(e, -E2BIG, "%s: a path is too long", folder);
        rc = format_load(path, &all->format[all->count], e);
        if (rc < 0)
            return rc;
        all->count++;
    }
    qsort(all->format, all->count, sizeof(struct format *), by_id);
    return 0;
}

int scan_formats_load(const char *content, struct scan_formats **out, struct err *e)
{
    struct scan_formats *all = calloc(1, sizeof *all);
    char folder[4000];
    DIR *d = NULL;
    int rc = 0;

    *out = NULL;
    if (!all || !(all->format = calloc(FORMATS_MAX, sizeof(struct format *))))
        rc = err_set(e, -ENOMEM, "no memory for the descriptions of scanners");
    else if (snprintf(folder, sizeof folder, "%s/scanners", content) >= (int)sizeof folder)
        rc = err_set(e, -E2BIG, "%s: a path is too long", content);
    else if (!(d = opendir(folder)))
        rc = err_sys(e, "cannot open %s", folder);
    else
        rc = load_folder(all, folder, d, e);
    if (d)
        closedir(d);
    if (rc < 0)
        scan_formats_free(&all);
    *out = all;
    return rc;
}

void scan_formats_free(struct scan_formats **f)
{
    if (!*f)
        return;
    for (size_t i = 0; (*f)->format && i < (*f)->count; i++)
        format_free(&(*f)->format[i]);
    free((*f)->format);
    free(*f);
    *f = NULL;
}

size_t scan_formats_count(const struct scan_formats *f) { return f->count; }
const char *scan_format_id(const struct scan_formats *f, size_t i) { return f->format[i]->id; }
const char *scan_format_title(const struct scan_formats *f, size_t i) { return f->format[i]->title.p ? f->format[i]->title.p : ""; }
