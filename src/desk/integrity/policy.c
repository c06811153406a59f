/* policy.c - content/policy/integrity.yaml, and the list of settings by which values are judged. */
#include "desk/integrity/room.h"

static int read_passport(struct integrity_policy *p, const struct ynode *root, struct err *e)
{
    static const char *const known[] = { "opens_case", "after_minutes", NULL };
    const struct ynode *n = yaml_get(root, "passport");
    int rc;

    p->opens_case = true;
    p->after_min = 60;
    if (!n)
        return 0;
    if (n->kind != YNODE_MAP)
        return yaml_err(p->file, n, e, "\"passport\" must be a map of opens_case and after_minutes");
    rc = yaml_only(p->file, n, known, e);
    if (rc == 0)
        rc = yaml_bool(p->file, n, "opens_case", &p->opens_case, e);
    if (rc >= 0)
        rc = yaml_int(p->file, n, "after_minutes", &p->after_min, e);
    if (rc >= 0 && (p->after_min < 0 || p->after_min > 60 * 24 * 31))
        return yaml_err(p->file, n, e, "\"after_minutes\" must be from 0 to 44640");
    return rc < 0 ? rc : 0;
}

static int read_waits(struct integrity_policy *p, const struct ynode *root, struct err *e)
{
    const struct ynode *n = yaml_get(root, "waits");

    if (n && n->kind != YNODE_SEQ)
        return yaml_err(p->file, n, e, "\"waits\" must be a list of files and settings");
    for (const struct ynode *i = n ? n->first : NULL; i; i = i->next) {
        if (!str_eq(i->text, STR("files")) && !str_eq(i->text, STR("settings")))
            return yaml_err(p->file, i, e, "files or settings is expected: packages are compared by the passport's list");
        p->files_wait = p->files_wait || i->text.p[0] == 'f';
        p->settings_wait = p->settings_wait || i->text.p[0] == 's';
    }
    return 0;
}

static int read_packages(struct integrity_policy *p, const struct ynode *root, struct err *e)
{
    static const char *const known[] = { "leave_out", NULL };
    const struct ynode *n = yaml_get(root, "packages"), *list = n && n->kind == YNODE_MAP ? yaml_get(n, "leave_out") : NULL;

    if (n && (n->kind != YNODE_MAP || yaml_only(p->file, n, known, e) < 0 || (list && (list->kind != YNODE_SEQ || list->count > LEAVE_OUT_MAX))))
        return yaml_err(p->file, n, e, "\"packages\" must be a map with \"leave_out\", a list of at most %d patterns", LEAVE_OUT_MAX);
    for (const struct ynode *i = list ? list->first : NULL; i; i = i->next)
        if (i->kind == YNODE_SCALAR && i->text.n < 100)
            p->leave_out[p->leave_out_count++] = i->text;
        else
            return yaml_err(p->file, i, e, "a pattern of at most 99 bytes is expected");
    return 0;
}

int integrity_policy_load(const char *content, struct integrity_policy **out, struct err *e)
{
    static const char *const known[] = { "passport", "waits", "packages", NULL };
    struct integrity_policy *p = calloc(1, sizeof *p);
    char path[4096];
    int rc = p ? 0 : err_set(e, -ENOMEM, "no memory for the policy of integrity");

    *out = p;
    snprintf(path, sizeof path, "%s/policy/integrity.yaml", content);
    if (rc == 0)
        rc = yaml_load_file(path, &p->file, e);
    if (rc == 0 && (p->file->doc_count != 1 || p->file->docs[0]->kind != YNODE_MAP))
        rc = err_line(e, -EBADMSG, path, 1, 1, "one map of passport, waits and packages is expected");
    if (rc == 0)
        rc = yaml_only(p->file, p->file->docs[0], known, e);
    if (rc == 0)
        rc = read_passport(p, p->file->docs[0], e);
    if (rc == 0)
        rc = read_waits(p, p->file->docs[0], e);
    if (rc == 0)
        rc = read_packages(p, p->file->docs[0], e);
    snprintf(path, sizeof path, "%s/agent/settings.yaml", content);
    if (rc == 0)
        rc = settings_load(path, &p->settings, e);
    if (rc < 0)
        integrity_policy_free(out);
    return rc;
}

void integrity_policy_free(struct integrity_policy **p)
{
    if (!*p)
        return;
    settings_free(&(*p)->settings);
    yaml_free(&(*p)->file);
    free(*p);
    *p = NULL;
}
