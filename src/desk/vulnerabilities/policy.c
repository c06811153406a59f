/* policy.c - content/policy/vulnerability_keys.yaml: checks of different tools that look for the same weakness; tools that look for what they are told to. */
#include "desk/vulnerabilities/room.h"
#include "base/yaml.h"

#define SAME_MAX 65536
#define TOLD_MAX 256

struct same {
    struct str check, weakness;    /* "nessus/10881", "weakness:ssh-weak-mac"; borrowed from the arena */
};
struct vuln_policy {
    struct arena a;
    struct yaml *file;
    struct same *same;             /* sorted by check */
    size_t       count;
    struct str   told[TOLD_MAX];   /* borrowed from the file */
    size_t       told_count;
};

static int by_check(const void *a, const void *b) { return str_cmp(((const struct same *)a)->check, ((const struct same *)b)->check); }

/* lower_copy - checks stand in keys in small letters. */
static struct str lower_copy(struct arena *a, struct str s)
{
    struct str out = arena_copy(a, s);
    char *p = (char *)(uintptr_t)out.p;

    for (size_t i = 0; i < out.n; i++)
        if (p[i] >= 'A' && p[i] <= 'Z')
            p[i] = (char)(p[i] + 32);
    return out;
}

static int entry_read(struct vuln_policy *p, const struct ynode *n, struct err *e)
{
    static const char *const known[] = { "id", "title", "checks", NULL };
    const struct ynode *checks;
    struct str id;
    int rc = n->kind == YNODE_MAP ? yaml_only(p->file, n, known, e) : yaml_err(p->file, n, e, "a map with id, title and checks is expected");

    if (rc < 0)
        return rc;
    id = yaml_text(n, "id");
    checks = yaml_get(n, "checks");
    if (id.n == 0 || id.n > 100 || !checks || checks->kind != YNODE_SEQ)
        return yaml_err(p->file, n, e, "an id and a list of checks are expected");
    for (const struct ynode *k = checks->first; k; k = k->next) {
        if (k->kind != YNODE_SCALAR || str_chr(k->text, '/') <= 0 || k->text.n > VULN_WEAKNESS_MAX)
            return yaml_err(p->file, k, e, "a check is written TOOL/NAME");
        if (p->count == SAME_MAX)
            return yaml_err(p->file, k, e, "more than %d checks", SAME_MAX);
        p->same[p->count++] = (struct same){ lower_copy(&p->a, k->text), arena_printf(&p->a, "weakness:%.*s", STR_ARG(id)) };
    }
    return 0;
}

static int told_read(struct vuln_policy *p, const struct ynode *list, struct err *e)
{
    if (list && list->kind != YNODE_SEQ)
        return yaml_err(p->file, list, e, "a list of tools is expected");
    for (const struct ynode *k = list ? list->first : NULL; k; k = k->next) {
        if (k->kind != YNODE_SCALAR || k->text.n == 0)
            return yaml_err(p->file, k, e, "the name of a tool is expected");
        if (p->told_count == TOLD_MAX)
            return yaml_err(p->file, k, e, "more than %d tools", TOLD_MAX);
        p->told[p->told_count++] = k->text;
    }
    return 0;
}

static int all_read(struct vuln_policy *p, const char *path, struct err *e)
{
    static const char *const known[] = { "same", "told", NULL };
    const struct ynode *list;
    int rc;

    if (p->file->doc_count != 1 || p->file->docs[0]->kind != YNODE_MAP)
        return err_line(e, -EBADMSG, path, 1, 1, "one map with \"same\" is expected");
    rc = yaml_only(p->file, p->file->docs[0], known, e);
    list = yaml_get(p->file->docs[0], "same");
    for (const struct ynode *n = list && list->kind == YNODE_SEQ ? list->first : NULL; rc == 0 && n; n = n->next)
        rc = entry_read(p, n, e);
    if (rc == 0)
        rc = told_read(p, yaml_get(p->file->docs[0], "told"), e);
    if (rc < 0)
        return rc;
    if (p->count > 1)
        qsort(p->same, p->count, sizeof *p->same, by_check);
    for (size_t i = 1; i < p->count; i++)
        if (str_eq(p->same[i].check, p->same[i - 1].check))
            return err_line(e, -EBADMSG, path, 1, 1, "\"%.*s\" stands under two weaknesses", STR_ARG(p->same[i].check));
    return arena_failed(&p->a) ? err_set(e, -ENOMEM, "no memory for \"%s\"", path) : 0;
}

int vuln_policy_load(const char *content, struct vuln_policy **out, struct err *e)
{
    struct vuln_policy *p = calloc(1, sizeof *p);
    char path[4096];
    int rc;

    *out = p;
    if (!p)
        return err_set(e, -ENOMEM, "no memory");
    arena_init(&p->a, 16 * MIB);
    p->same = calloc(SAME_MAX, sizeof *p->same);
    snprintf(path, sizeof path, "%s/policy/vulnerability_keys.yaml", content);
    rc = p->same ? yaml_load_file(path, &p->file, e) : err_set(e, -ENOMEM, "no memory");
    if (rc == 0)
        rc = all_read(p, path, e);
    if (rc == 0) {
        struct same *fit = realloc(p->same, max_size(p->count, 1) * sizeof *p->same);

        p->same = fit ? fit : p->same;
    } else
        vuln_policy_free(out);
    return rc;
}

void vuln_policy_free(struct vuln_policy **p)
{
    if (!*p)
        return;
    yaml_free(&(*p)->file);
    arena_free(&(*p)->a);
    free((*p)->same);
    free(*p);
    *p = NULL;
}

struct str vuln_policy_same(const struct vuln_policy *p, struct str check)
{
    struct same wanted = { .check = check };
    const struct same *s = p && p->count ? bsearch(&wanted, p->same, p->count, sizeof *p->same, by_check) : NULL;

    return s ? s->weakness : (struct str){ NULL, 0 };
}

bool vuln_policy_told(const struct vuln_policy *p, struct str tool)
{
    for (size_t i = 0; p && i < p->told_count; i++)
        if (str_ieq(p->told[i], tool))
            return true;
    return false;
}

json_t *vuln_policy_json(const struct vuln_policy *p)
{
    json_t *list = json_array();

    for (size_t i = 0; p && i < p->count; i++)
        json_array_append_new(list, json_pack("{s:o, s:o}", "check", json_str(p->same[i].check), "weakness", json_str(p->same[i].weakness)));
    return list;
}

struct str vuln_policy_checks(const struct vuln_policy *p, struct str weakness, struct arena *a)
{
    json_t *list = json_array();

    for (size_t i = 0; p && i < p->count; i++)
        if (str_eq(p->same[i].weakness, weakness))
            json_array_append_new(list, json_str(p->same[i].check));
    AUTO_FREE char *text = json_dumps(list, JSON_COMPACT);
    json_decref(list);
    return arena_copy(a, str_c(text ? text : "[]"));
}
