/* detection.c - see detection.h. */
#include "portal/detection.h"
#include "portal/collection.h"
#include "portal/json_text.h"
#include "base/file.h"

#include <stdlib.h>

#define RULE_FILE_MAX (4u * MIB)
#define RULE_TEXT_MAX (256u * KIB)

const char *detection_short(const struct call *c, const char *file)
{
    const char *const roots[] = { c->portal->setup.node->content, c->portal->setup.node->data };

    for (size_t i = 0; i < COUNT(roots); i++)
        if (*roots[i] && str_starts(str_c(file), str_c(roots[i])) && file[strlen(roots[i])] == '/')
            return file + strlen(roots[i]) + 1;
    return file;
}

static bool lies_in(const char *real, const char *root, const char *tail)
{
    char path[4200], *folder;
    bool yes;

    snprintf(path, sizeof path, "%.4000s/%s", root, tail);
    folder = *root ? realpath(path, NULL) : NULL;
    yes = folder && str_starts(str_c(real), str_c(folder)) && real[strlen(folder)] == '/';
    free(folder);
    return yes;
}

bool detection_file_ok(const struct call *c, const char *file)
{
    const struct node *n = c->portal->setup.node;
    char *real = realpath(file, NULL);
    bool yes = real && (lies_in(real, n->content, "rules") || lies_in(real, n->content, "pipelines") || lies_in(real, n->data, "rules"));

    free(real);
    return yes;
}

/* document_at - of a text of several YAML documents the one that holds this line (from 1). */
static struct str document_at(struct str text, int64_t line)
{
    size_t from = 0, at = 0;
    int64_t number = 1;

    while (at < text.n) {
        struct str rest = str_cut(text, at);
        ssize_t end = str_chr(rest, '\n');
        struct str one = str_of(rest.p, end < 0 ? rest.n : (size_t)end);

        if (str_eq(str_trim(one), STR("---"))) {
            if (number > line)
                break;
            from = at + one.n + (end >= 0);
        }
        at += one.n + (end >= 0);
        number++;
    }
    return str_of(text.p + from, at - from);
}

json_t *detection_text(const struct call *c, const char *file, int64_t line)
{
    AUTO_BUF struct buf b;
    struct str text;

    buf_init(&b, RULE_FILE_MAX);
    if (!detection_file_ok(c, file) || file_read(file, RULE_FILE_MAX, &b, NULL) < 0)
        return json_null();
    text = document_at(buf_view(&b), line);
    return text.n && text.n <= RULE_TEXT_MAX ? json_foreign(text) : json_null();
}

static void add(struct call *c, struct desk_rule_paths *out, const char *path)
{
    struct str kept = arena_copy(&c->arena, str_of(path, strlen(path) + 1));

    if (kept.p && out->count < DESK_RULE_PATHS_MAX && file_exists(path))
        out->path[out->count++] = kept.p;
}

static const json_t *named(const json_t *list, const char *id)
{
    const json_t *one;
    size_t i;

    json_array_foreach(list, i, one)
        if (strcmp(picture_text(one, "id"), id) == 0)
            return one;
    return NULL;
}

/* add_filters - the files of the filters that narrow a rule, each once. */
static void add_filters(struct call *c, const json_t *rule, struct desk_rule_paths *out)
{
    json_t *all = pictures_get(c->portal->pictures, PICTURE_EXCEPTIONS);
    const json_t *id;
    size_t i;

    json_array_foreach(json_object_get(rule, "filters"), i, id) {
        const char *file = picture_text(named(json_object_get(all, "exceptions"), json_is_string(id) ? json_string_value(id) : ""), "file");
        bool there = false;

        for (size_t k = 0; k < out->count; k++)
            there = there || strcmp(out->path[k], file) == 0;
        if (!there && detection_file_ok(c, file))
            add(c, out, file);
    }
    json_decref(all);
}

int detection_paths(struct call *c, struct str rule, struct desk_rule_paths *out)
{
    json_t *all = pictures_get(c->portal->pictures, PICTURE_RULES);
    char path[4200], id[512];
    const json_t *r;
    int rc = 0;

    *out = (struct desk_rule_paths){ 0 };
    snprintf(id, sizeof id, "%.*s", (int)min_size(rule.n, sizeof id - 1), rule.p);
    r = named(json_object_get(all, "rules"), id);
    snprintf(path, sizeof path, "%.4000s/pipelines", c->portal->setup.node->content);
    add(c, out, path);
    if (!r) {
        rc = err_set(&c->err, -ENOENT, "no such rule runs");
    } else if (json_is_true(json_object_get(r, "correlation")) || !detection_file_ok(c, picture_text(r, "file"))) {
        snprintf(path, sizeof path, "%.4000s/rules", c->portal->setup.node->content);
        add(c, out, path);
        add(c, out, node_path(c->portal->setup.node, "rules", path));
    } else {
        add(c, out, picture_text(r, "file"));
        add_filters(c, r, out);
    }
    json_decref(all);
    return rc;
}
