/* kinds.c - the kinds of acts that may need a second person, and which of them do (content/policy/two_person.yaml). */
#include "desk/approvals/internal.h"
#include "base/yaml.h"

/* role_of_registry - who may take files away: the centre and the administrator; an owner's people from what is theirs (asked again by the act). */
static bool role_of_registry(enum desk_role r)
{
    return role_of_centre(r) || r == DESK_ADMINISTRATOR || r == DESK_OWNER_ADMINISTRATOR || r == DESK_OWNER_OFFICER;
}

/* role_of_holds - who may set and release legal holds. */
static bool role_of_holds(enum desk_role r) { return role_of_centre(r) || r == DESK_ADMINISTRATOR; }

const struct approval_kind approval_kinds[] = {
    { "case.dismiss", role_of_centre, case_dismiss_approved },
    { "duty.restart", role_of_centre, duty_restart_approved },
    { "attachment.delete", role_of_registry, attachment_delete_approved },
    { "hold.release", role_of_holds, hold_release_approved },
};
const size_t approval_kind_count = COUNT(approval_kinds);

const struct approval_kind *approval_kind_find(struct str name)
{
    for (size_t i = 0; i < COUNT(approval_kinds); i++)
        if (str_eq(name, str_c(approval_kinds[i].name)))
            return &approval_kinds[i];
    return NULL;
}

int two_person_load(const char *content, unsigned *out, struct err *e)
{
    static const char *const known[] = { "two_person", NULL };
    struct yaml *y = NULL;
    char path[4096];
    int rc;

    *out = 0;
    static_assert(COUNT(approval_kinds) <= 32, "a bit for each kind");
    snprintf(path, sizeof path, "%s/policy/two_person.yaml", content);
    rc = yaml_load_file(path, &y, e);
    if (rc == 0 && (y->doc_count != 1 || y->docs[0]->kind != YNODE_MAP))
        rc = err_line(e, -EBADMSG, path, 1, 1, "one map with \"two_person\" is expected");
    if (rc == 0)
        rc = yaml_only(y, y->docs[0], known, e);
    const struct ynode *list = rc == 0 ? yaml_get(y->docs[0], "two_person") : NULL;
    if (rc == 0 && (!list || list->kind != YNODE_SEQ))
        rc = yaml_err(y, list ? list : y->docs[0], e, "\"two_person\" must be a list of kinds of acts");
    for (const struct ynode *n = rc == 0 ? list->first : NULL; rc == 0 && n; n = n->next) {
        const struct approval_kind *k = approval_kind_find(n->text);

        if (k)
            *out |= 1u << (k - approval_kinds);
        else
            rc = yaml_err(y, n, e, "no act of this name knows a second person; docs/approvals.md lists them");
    }
    yaml_free(&y);
    return rc;
}
