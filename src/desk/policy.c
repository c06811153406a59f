/* policy.c - content/policy: which rules send the notice of D-05 without a human (auto_notify.yaml), who is told when a case opens and without whose
 * word nothing goes out (detection.yaml, "people"). A file of DATA/policy takes the place of ours: auto_notify.yaml whole, people as one key. */
#include "desk/internal.h"
#include "base/file.h"
#include "base/yaml.h"

static const char *const level_names[] = { "informational", "low", "medium", "high", "critical" };

/* level_at - the place of a level; COUNT(level_names): it is none. */
static size_t level_at(struct str s)
{
    size_t i = 0;

    while (i < COUNT(level_names) && !str_eq(s, str_c(level_names[i])))
        i++;
    return i;
}

/* --- reading --- */

/* texts - n is a list of texts that are not empty. */
static bool texts(const struct ynode *n)
{
    bool good = n && n->kind == YNODE_SEQ && n->count;

    for (const struct ynode *i = good ? n->first : NULL; i && good; i = i->next)
        good = i->kind == YNODE_SCALAR && i->text.n;
    return good;
}

static int auto_check(const struct yaml *y, struct err *e)
{
    static const char *const known[] = { "auto_notify", NULL }, *const of_row[] = { "rule", "objects", NULL };
    const struct ynode *list;
    int rc;

    if (y->doc_count != 1 || y->docs[0]->kind != YNODE_MAP)
        return err_line(e, -EBADMSG, y->name, 1, 1, "one map with \"auto_notify\" is expected");
    rc = yaml_only(y, y->docs[0], known, e);
    list = yaml_get(y->docs[0], "auto_notify");
    for (const struct ynode *n = list && list->kind == YNODE_SEQ ? list->first : NULL; n && rc == 0; n = n->next) {
        if (n->kind == YNODE_SCALAR)
            continue;
        if (n->kind != YNODE_MAP || !yaml_text(n, "rule").n || !texts(yaml_get(n, "objects")))
            return yaml_err(y, n, e, "the id of a rule is expected, or {rule: ID, objects: [ID …]}");
        rc = yaml_only(y, n, of_row, e);
    }
    return rc;
}

static int add_role(const struct yaml *y, struct people_row *r, const struct ynode *n, struct err *e)
{
    if (!n || n->kind != YNODE_SCALAR || desk_role_parse(n->text) == DESK_ROLE_COUNT)
        return yaml_err(y, n ? n : y->docs[0], e, "a role is expected, such as centre_lead");
    if (r->role_count == POLICY_ROLES_MAX)
        return yaml_err(y, n, e, "more than %d roles", POLICY_ROLES_MAX);
    r->roles[r->role_count++] = n->text;
    return 0;
}

/* read_whom - whom a row fits. */
static int read_whom(const struct yaml *y, const struct ynode *n, struct people_row *r, struct err *e)
{
    const struct ynode *from = yaml_get(n, "from");

    r->rule = yaml_text(n, "rule");
    r->objects = yaml_get(n, "objects");
    if (!r->rule.n && !from)
        return yaml_err(y, n, e, "\"rule\" or \"from\" is missing: which cases");
    if (from && (r->from = from->kind == YNODE_SCALAR ? level_at(from->text) : COUNT(level_names)) == COUNT(level_names))
        return yaml_err(y, from, e, "\"from\" must be informational, low, medium, high or critical");
    return !r->objects || texts(r->objects) ? 0 : yaml_err(y, r->objects, e, "\"objects\" must be a list of ids");
}

static int read_tell(const struct yaml *y, const struct ynode *n, struct people_row *r, struct err *e)
{
    static const char *const known[] = { "rule", "from", "objects", "roles", "channels", NULL };
    const struct ynode *roles = yaml_get(n, "roles"), *channels = yaml_get(n, "channels");
    int rc = yaml_only(y, n, known, e);

    if (rc == 0 && !texts(roles))
        rc = yaml_err(y, roles ? roles : n, e, "\"roles\" must be a list of roles");
    for (const struct ynode *i = rc == 0 ? roles->first : NULL; i && rc == 0; i = i->next)
        rc = add_role(y, r, i, e);
    r->email = !channels;
    if (rc == 0 && channels && !texts(channels))
        rc = yaml_err(y, channels, e, "\"channels\" must be a list of email, inbox");
    for (const struct ynode *i = rc == 0 && channels ? channels->first : NULL; i && rc == 0; i = i->next) {
        bool email = str_eq(i->text, STR("email")), inbox = str_eq(i->text, STR("inbox"));

        r->email = r->email || email;
        r->inbox = r->inbox || inbox;
        rc = email || inbox ? 0 : yaml_err(y, i, e, "email or inbox is expected");
    }
    return rc < 0 ? rc : read_whom(y, n, r, e);
}

static int read_confirm(const struct yaml *y, const struct ynode *n, struct people_row *r, struct err *e)
{
    static const char *const known[] = { "rule", "from", "objects", "by", NULL };
    const struct ynode *by = yaml_get(n, "by");
    int rc = yaml_only(y, n, known, e);

    if (rc == 0 && (!by || by->kind != YNODE_SCALAR || (!str_eq(by->text, STR("centre_lead")) && !str_eq(by->text, STR("centre_analyst")))))
        rc = yaml_err(y, by ? by : n, e, "\"by\" must be centre_lead or centre_analyst: who sends notices");
    if (rc == 0)
        rc = add_role(y, r, by, e);
    return rc < 0 ? rc : read_whom(y, n, r, e);
}

typedef int row_read(const struct yaml *y, const struct ynode *n, struct people_row *r, struct err *e);

static int read_rows(const struct yaml *y, const struct ynode *list, row_read *read, struct people_row *rows, size_t *count, struct err *e)
{
    int rc = 0;

    *count = 0;
    if (!list)
        return 0;
    if (list->kind != YNODE_SEQ || list->count > POLICY_PEOPLE_MAX)
        return yaml_err(y, list, e, "a list of at most %d maps is expected", POLICY_PEOPLE_MAX);
    for (const struct ynode *n = list->first; n && rc == 0; n = n->next) {
        if (n->kind != YNODE_MAP)
            return yaml_err(y, n, e, "a map is expected");
        rows[*count] = (struct people_row){ { NULL, 0 }, 0, NULL, { { NULL, 0 } }, 0, false, false };
        rc = read(y, n, &rows[*count], e);
        *count += rc == 0;
    }
    return rc;
}

static int people_read(struct policy *p, struct err *e)
{
    static const char *const known[] = { "tell", "confirm", NULL };
    const struct yaml *y = p->people_file;
    const struct ynode *people = yaml_get(y->docs[0], "people");
    int rc;

    if (!people)
        return 0;
    if (people->kind != YNODE_MAP)
        return yaml_err(y, people, e, "\"people\" must be a map of tell and confirm");
    rc = yaml_only(y, people, known, e);
    if (rc == 0)
        rc = read_rows(y, yaml_get(people, "tell"), read_tell, p->tell, &p->tell_count, e);
    return rc < 0 ? rc : read_rows(y, yaml_get(people, "confirm"), read_confirm, p->confirm, &p->confirm_count, e);
}

/* load - the site's file of this name if it is there and has the key (or need not), else ours. */
static int load(const struct node *n, const char *name, const char *key, struct yaml **out, struct err *e)
{
    char path[4096], relative[64];
    int rc = 1;

    snprintf(relative, sizeof relative, "policy/%s", name);
    node_path(n, relative, path);
    if (file_exists(path)) {
        rc = yaml_load_file(path, out, e);
        if (rc == 0 && key && ((*out)->doc_count != 1 || (*out)->docs[0]->kind != YNODE_MAP || !yaml_get((*out)->docs[0], key))) {
            yaml_free(out);
            rc = 1;
        }
    }
    if (rc != 1)
        return rc;
    if (snprintf(path, sizeof path, "%s/policy/%s", n->content, name) >= (int)sizeof path)
        return err_set(e, -ENAMETOOLONG, "the name of the folder is too long");
    return yaml_load_file(path, out, e);
}

int policy_load(const struct node *n, struct policy *out, struct err *e)
{
    int rc;

    *out = (struct policy){ 0 };
    rc = load(n, "auto_notify.yaml", NULL, &out->auto_file, e);
    if (rc == 0)
        rc = auto_check(out->auto_file, e);
    if (rc == 0)
        rc = load(n, "detection.yaml", "people", &out->people_file, e);
    return rc < 0 ? rc : people_read(out, e);
}

void policy_free(struct policy *p)
{
    yaml_free(&p->auto_file);
    yaml_free(&p->people_file);
}

/* --- asking --- */

static bool among(const struct ynode *list, struct str text)
{
    for (const struct ynode *n = list ? list->first : NULL; n; n = n->next)
        if (str_eq(n->text, text))
            return true;
    return false;
}

bool policy_auto_notify(const struct policy *p, struct str rule_id, struct str object)
{
    const struct ynode *list = p->auto_file ? yaml_get(p->auto_file->docs[0], "auto_notify") : NULL;

    for (const struct ynode *n = list && list->kind == YNODE_SEQ ? list->first : NULL; n; n = n->next)
        if (n->kind == YNODE_SCALAR ? str_eq(n->text, rule_id) : str_eq(yaml_text(n, "rule"), rule_id) && among(yaml_get(n, "objects"), object))
            return true;
    return false;
}

bool people_fit(const struct people_row *r, struct str rule, struct str level, struct str object)
{
    return (!r->rule.n || str_eq(r->rule, rule)) && level_at(level) >= r->from && (!r->objects || among(r->objects, object));
}

const struct people_row *policy_confirm(const struct policy *p, struct str rule, struct str level, struct str object)
{
    for (size_t i = 0; i < p->confirm_count; i++)
        if (people_fit(&p->confirm[i], rule, level, object))
            return &p->confirm[i];
    return NULL;
}
