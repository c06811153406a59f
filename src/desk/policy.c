/* policy.c - content/policy: when to remind of a term, and which rules send the notice of D-05 without a human. */
#include "desk/internal.h"
#include "base/yaml.h"

static int read_to(const struct yaml *y, const struct ynode *seq, unsigned *to, struct err *e)
{
    *to = 0;
    if (!seq || seq->kind != YNODE_SEQ)
        return yaml_err(y, seq ? seq : y->docs[0], e, "\"to\" must be a list of centre, owner");
    for (const struct ynode *n = seq->first; n; n = n->next) {
        if (str_eq(n->text, STR("centre")))
            *to |= REMIND_CENTRE;
        else if (str_eq(n->text, STR("owner")))
            *to |= REMIND_OWNER;
        else
            return yaml_err(y, n, e, "centre or owner is expected");
    }
    return 0;
}

static int read_one(struct policy *p, const struct yaml *y, const struct ynode *n, struct err *e)
{
    static const char *const known[] = { "obligation", "at_percent", "to", NULL };
    struct str id = yaml_text(n, "obligation");
    const struct ynode *list = yaml_get(n, "at_percent");
    unsigned to = 0;
    int rc;

    if (n->kind != YNODE_MAP)
        return yaml_err(y, n, e, "obligation, at_percent and to are expected");
    rc = yaml_only(y, n, known, e);
    if (rc == 0)
        rc = read_to(y, yaml_get(n, "to"), &to, e);
    if (rc < 0)
        return rc;
    if (id.n != 4 || !str_starts(id, STR("D-")))
        return yaml_err(y, n, e, "\"obligation\" must be like D-05");
    if (!list || list->kind != YNODE_SEQ)
        return yaml_err(y, n, e, "\"at_percent\" must be a list of numbers");
    for (const struct ynode *v = list->first; v; v = v->next) {
        uint64_t percent;

        if (!str_u64(v->text, &percent) || percent < 1 || percent > 100)
            return yaml_err(y, v, e, "a number from 1 to 100 is expected");
        if (p->reminder_count == REMINDERS_MAX)
            return yaml_err(y, v, e, "more than %d reminders", REMINDERS_MAX);
        struct reminder_policy *r = &p->reminders[p->reminder_count++];
        snprintf(r->obligation, sizeof r->obligation, "%.*s", 4, id.p);
        r->percent = (int32_t)percent;
        r->to = to;
    }
    return 0;
}

static int read_reminders(struct policy *p, const char *path, struct err *e)
{
    static const char *const known[] = { "reminders", NULL };
    struct yaml *y = NULL;
    int rc = yaml_load_file(path, &y, e);

    if (rc == 0 && (y->doc_count != 1 || y->docs[0]->kind != YNODE_MAP))
        rc = err_line(e, -EBADMSG, path, 1, 1, "one map with \"reminders\" is expected");
    if (rc == 0)
        rc = yaml_only(y, y->docs[0], known, e);
    const struct ynode *list = rc == 0 ? yaml_get(y->docs[0], "reminders") : NULL;
    for (const struct ynode *n = list && list->kind == YNODE_SEQ ? list->first : NULL; rc == 0 && n; n = n->next)
        rc = read_one(p, y, n, e);
    yaml_free(&y);
    return rc;
}

int policy_load(const char *content, struct policy *out, struct err *e)
{
    static const char *const known[] = { "auto_notify", NULL };
    char path[4096];
    int rc;

    *out = (struct policy){ 0 };
    snprintf(path, sizeof path, "%s/policy/reminders.yaml", content);
    rc = read_reminders(out, path, e);
    if (rc < 0)
        return rc;
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
