/* config.c - the agent's YAML file. An unknown key, wrong type or missing setting refuses the whole file. */
#include "agent/facts.h"
#include "base/yaml.h"
#include "parse/edges.h"

static int take_text(const struct yaml *y, const struct ynode *map, const char *key, char **out, struct err *e)
{
    struct str s = yaml_text(map, key);

    if (!s.n || s.n >= AGENT_PATH_MAX - 64 || memchr(s.p, 0, s.n))
        return yaml_err(y, map, e, "\"%s\" is missing here, or is no text", key);
    *out = strndup(s.p, s.n);
    return *out ? 0 : err_set(e, -ENOMEM, "no memory for the configuration");
}

static int take_server(struct agent_config *c, const struct yaml *y, const struct ynode *root, struct err *e)
{
    static const char *const names[] = { "url", "ca", "cert", "key", NULL };
    const struct ynode *s = yaml_get(root, "server");
    int rc;

    if (!s || s->kind != YNODE_MAP)
        return yaml_err(y, s ? s : root, e, "\"server\" must be a map of url, ca, cert and key");
    if ((rc = yaml_only(y, s, names, e)) < 0 || (rc = take_text(y, s, "url", &c->url, e)) < 0 ||
        (rc = take_text(y, s, "ca", &c->ca, e)) < 0 || (rc = take_text(y, s, "cert", &c->cert, e)) < 0 ||
        (rc = take_text(y, s, "key", &c->key, e)) < 0)
        return rc;
    if (!str_starts(str_c(c->url), STR("https://")))
        return yaml_err(y, yaml_get(s, "url"), e, "\"url\" must be https://HOST:PORT, without a path");
    return 0;
}

static int take_inputs(struct agent_config *c, const struct yaml *y, const struct ynode *root, struct err *e)
{
    struct str s = yaml_text(root, "inputs");
    bool none = str_eq(s, STR("none"));

    if (!s.n || str_eq(s, STR("auto")))
        c->journald = c->system_files = true;
    else if (str_eq(s, STR("journald")))
        c->journald = true;
    else if (str_eq(s, STR("files")))
        c->system_files = true;
    else if (!none)
        return yaml_err(y, yaml_get(root, "inputs"), e, "\"inputs\" must be auto, journald, files or none");
    c->ports = !none;
    return yaml_bool(y, root, "listening_ports", &c->ports, e) < 0 ? -EBADMSG : 0;
}

/* take_records - how records of several lines begin. */
static int take_records(struct agent_file *f, const struct yaml *y, const struct ynode *map, struct err *e)
{
    const struct ynode *list = yaml_get(map, "records");

    if (!list)
        return 0;
    if (list->kind != YNODE_SEQ || list->count == 0 || list->count > RECORD_STARTS_MAX)
        return yaml_err(y, list, e, "\"records\" must be a list of 1 to %d beginnings", RECORD_STARTS_MAX);
    f->starts = calloc(list->count, sizeof *f->starts);
    if (!f->starts)
        return err_set(e, -ENOMEM, "no memory for the configuration");
    for (const struct ynode *i = list->first; i; i = i->next) {
        char *copy = i->kind == YNODE_SCALAR && i->text.n && i->text.n <= 64 ? strndup(i->text.p, i->text.n) : NULL;

        if (!copy)
            return yaml_err(y, i, e, "a beginning of 1 to 64 bytes is expected here, as in \"####-##-## \"");
        f->starts[f->start_count++] = str_of(copy, i->text.n);
    }
    return 0;
}

static int take_files(struct agent_config *c, const struct yaml *y, const struct ynode *root, struct err *e)
{
    static const char *const names[] = { "path", "program", "records", NULL };
    const struct ynode *list = yaml_get(root, "files");
    int rc;

    if (!list || yaml_null(list))
        return 0;
    if (list->kind != YNODE_SEQ || list->count > FILES_MAX)
        return yaml_err(y, list, e, "\"files\" must be a list of \"path: PATTERN\", at most %d", FILES_MAX);
    c->files = calloc(list->count + 1, sizeof *c->files);
    if (!c->files)
        return err_set(e, -ENOMEM, "no memory for the configuration");
    for (const struct ynode *i = list->first; i; i = i->next) {
        struct agent_file *f = &c->files[c->file_count];

        if (i->kind != YNODE_MAP)
            return yaml_err(y, i, e, "\"path: PATTERN\" is expected here, as in path: /var/log/nginx/*.log");
        if ((rc = yaml_only(y, i, names, e)) < 0 || (rc = take_text(y, i, "path", &f->glob, e)) < 0)
            return rc;
        c->file_count++;
        if (f->glob[0] != '/')
            return yaml_err(y, i, e, "\"path\" must begin with \"/\"");
        if (yaml_get(i, "program") && (rc = take_text(y, i, "program", &f->program, e)) < 0)
            return rc;
        if ((rc = take_records(f, y, i, e)) < 0)
            return rc;
    }
    return 0;
}

/* take_paths - a list of texts that begin with "/" (or "*"), sorted as trees are walked. */
static int take_paths(const struct yaml *y, const struct ynode *map, const char *key, size_t most, char ***out, size_t *count, struct err *e)
{
    const struct ynode *list = yaml_get(map, key);
    char **all;

    if (!list || yaml_null(list))
        return 0;
    if (list->kind != YNODE_SEQ || list->count > most)
        return yaml_err(y, list, e, "\"%s\" must be a list of at most %zu paths", key, most);
    *out = all = calloc(list->count + 1, sizeof *all);
    if (!all)
        return err_set(e, -ENOMEM, "no memory for the configuration");
    for (const struct ynode *n = list->first; n; n = n->next) {
        struct str s = n->text;
        size_t k = *count;

        while (s.n > 1 && s.p[s.n - 1] == '/')
            s.n--;
        if (n->kind != YNODE_SCALAR || s.n < 2 || s.n > 1000 || (s.p[0] != '/' && s.p[0] != '*'))
            return yaml_err(y, n, e, "a path from \"/\" on is expected, and not the whole host");
        for (; k > 0 && fact_key_cmp(s, str_c(all[k - 1])) < 0; k--)
            all[k] = all[k - 1];
        all[k] = strndup(s.p, s.n);
        if (!all[k])
            return err_set(e, -ENOMEM, "no memory for the configuration");
        ++*count;
    }
    return 0;
}

static int take_trees(struct agent_config *c, const struct yaml *y, const struct ynode *root, struct err *e)
{
    static const char *const names[] = { "paths", "exclude", "every_hours", "files_max", NULL };
    const struct ynode *t = yaml_get(root, "trees");
    int64_t hours = 24;
    int rc;

    c->tree_files_max = 50000;
    c->tree_every_ns = hours * NS_PER_HOUR;
    if (!t || yaml_null(t))
        return 0;
    if (t->kind != YNODE_MAP)
        return yaml_err(y, t, e, "\"trees\" must be a map of paths, exclude, every_hours and files_max");
    if ((rc = yaml_only(y, t, names, e)) < 0 || (rc = take_paths(y, t, "paths", TREES_MAX, &c->trees, &c->tree_count, e)) < 0 ||
        (rc = take_paths(y, t, "exclude", TREES_MAX, &c->tree_exclude, &c->tree_exclude_count, e)) < 0 ||
        (rc = yaml_int(y, t, "every_hours", &hours, e)) < 0 || (rc = yaml_int(y, t, "files_max", &c->tree_files_max, e)) < 0)
        return rc;
    if (hours < 1 || hours > 24 * 31)
        return yaml_err(y, t, e, "\"every_hours\" must be from 1 to 744");
    if (c->tree_files_max < 1 || c->tree_files_max > TREE_FILES_MAX)
        return yaml_err(y, t, e, "\"files_max\" must be from 1 to %d", TREE_FILES_MAX);
    for (size_t i = 1; i < c->tree_count; i++) {
        struct str outer = str_c(c->trees[i - 1]), inner = str_c(c->trees[i]);

        if (str_eq(outer, inner) || (str_starts(inner, outer) && inner.p[outer.n] == '/'))
            return yaml_err(y, t, e, "\"%s\" lies in \"%s\"", c->trees[i], c->trees[i - 1]);
    }
    c->tree_every_ns = hours * NS_PER_HOUR;
    return 0;
}

static int take_facts(struct agent_config *c, const struct yaml *y, const struct ynode *root, bool on, struct err *e)
{
    static const char *const names[] = { "packages", "packages_file", "settings", "time", NULL };
    const struct ynode *f = yaml_get(root, "facts");
    int rc = 0;

    c->packages = c->clock = on;
    if (f && !yaml_null(f)) {
        if (f->kind != YNODE_MAP)
            return yaml_err(y, f, e, "\"facts\" must be a map of packages, packages_file, settings and time");
        rc = yaml_only(y, f, names, e);
        if (rc == 0)
            rc = yaml_bool(y, f, "packages", &c->packages, e);
        if (rc >= 0)
            rc = yaml_bool(y, f, "time", &c->clock, e);
        if (rc >= 0 && yaml_get(f, "packages_file"))
            rc = take_text(y, f, "packages_file", &c->packages_file, e);
        if (rc >= 0 && yaml_get(f, "settings"))
            rc = take_text(y, f, "settings", &c->settings_file, e);
    }
    if (rc >= 0 && !c->packages_file && !(c->packages_file = strdup("/var/lib/dpkg/status")))
        rc = err_set(e, -ENOMEM, "no memory for the configuration");
    return rc < 0 ? rc : take_trees(c, y, root, e);
}

/* id_valid - it becomes part of names everywhere, and is the certificate's CN. */
static bool id_valid(const char *id)
{
    return strlen(id) <= 64 && id[0] != '.' && id[0] != '-' &&
           strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == strlen(id);
}

int agent_config_load(const char *file, struct agent_config **out, struct err *e)
{
    static const char *const names[] = { "id", "state", "server", "inputs", "files", "listening_ports", "facts", "trees", NULL };
    struct agent_config *c = calloc(1, sizeof *c);
    struct yaml *y = NULL;
    const struct ynode *root;
    int rc = c ? yaml_load_file(file, &y, e) : err_set(e, -ENOMEM, "no memory for the configuration");

    if (rc < 0) {
        free(c);
        return rc;
    }
    root = y->doc_count == 1 ? y->docs[0] : NULL;
    if (!root || root->kind != YNODE_MAP)
        rc = err_set(e, -EBADMSG, "%s: a map of settings is expected: id, state, server, inputs, files", file);
    else if ((rc = yaml_only(y, root, names, e)) == 0 && (rc = take_text(y, root, "id", &c->id, e)) == 0 &&
             (rc = take_text(y, root, "state", &c->state, e)) == 0 && (rc = take_server(c, y, root, e)) == 0 &&
             (rc = take_inputs(c, y, root, e)) == 0)
        rc = take_files(c, y, root, e);
    if (rc == 0)
        rc = take_facts(c, y, root, c->journald || c->system_files, e);
    if (rc == 0 && !id_valid(c->id))
        rc = yaml_err(y, yaml_get(root, "id"), e, "\"id\" must be letters, digits, '.', '_' and '-', at most 64");
    if (rc == 0 && c->state[0] != '/')
        rc = yaml_err(y, yaml_get(root, "state"), e, "\"state\" must begin with \"/\"");
    yaml_free(&y);
    if (rc < 0)
        agent_config_free(&c);
    *out = c;
    return rc;
}

void agent_config_free(struct agent_config **c)
{
    if (!*c)
        return;
    for (size_t i = 0; (*c)->files && i <= (*c)->file_count; i++) {
        free((*c)->files[i].glob);
        free((*c)->files[i].program);
        for (size_t k = 0; k < (*c)->files[i].start_count; k++)
            free((char *)(uintptr_t)(*c)->files[i].starts[k].p);
        free((*c)->files[i].starts);
    }
    free((*c)->files);
    for (size_t i = 0; i < (*c)->tree_count; i++)
        free((*c)->trees[i]);
    for (size_t i = 0; i < (*c)->tree_exclude_count; i++)
        free((*c)->tree_exclude[i]);
    free((*c)->trees);
    free((*c)->tree_exclude);
    free((*c)->packages_file);
    free((*c)->settings_file);
    free((*c)->id);
    free((*c)->state);
    free((*c)->url);
    free((*c)->ca);
    free((*c)->cert);
    free((*c)->key);
    free(*c);
    *c = NULL;
}
