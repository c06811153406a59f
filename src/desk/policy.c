/* policy.c - content/policy: which rules send the notice of D-05 without a human. */
#include "desk/internal.h"
#include "base/yaml.h"

int policy_load(const char *content, struct policy *out, struct err *e)
{
    static const char *const known[] = { "auto_notify", NULL };
    char path[4096];
    int rc;

    *out = (struct policy){ 0 };
    snprintf(path, sizeof path, "%s/policy/auto_notify.yaml", content);
    rc = yaml_load_file(path, &out->auto_file, e);
    if (rc == 0 && (out->auto_file->doc_count != 1 || out->auto_file->docs[0]->kind != YNODE_MAP))
        rc = err_line(e, -EBADMSG, path, 1, 1, "one map with \"auto_notify\" is expected");
    return rc < 0 ? rc : yaml_only(out->auto_file, out->auto_file->docs[0], known, e);
}

void policy_free(struct policy *p) { yaml_free(&p->auto_file); }

bool policy_auto_notify(const struct policy *p, struct str rule_id)
{
    const struct ynode *list = p->auto_file ? yaml_get(p->auto_file->docs[0], "auto_notify") : NULL;

    for (const struct ynode *n = list && list->kind == YNODE_SEQ ? list->first : NULL; n; n = n->next)
        if (str_eq(n->text, rule_id))
            return true;
    return false;
}
