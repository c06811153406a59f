/* policy.c - content/policy: which rules send the notice of D-05 without a human (auto_notify.yaml), who is told when a case opens and without whose
 * word nothing goes out (detection.yaml, "people"). A file of DATA/policy takes the place of ours: auto_notify.yaml whole, people as one key. Somebody writes it by hand,
 * while the desk runs or before it starts: what is wrong in it must stop neither. */
#include <sys/stat.h>

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

/* people_read - the rows of the file, or none of them. */
static int people_read(struct policy *p, const struct yaml *y, struct err *e)
{
    static const char *const known[] = { "tell", "confirm", NULL };
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

static const char *const file_names[POLICY_FILES] = { [POLICY_AUTO] = "auto_notify.yaml", [POLICY_PEOPLE] = "detection.yaml" };

static const char *site_path(const struct node *n, enum policy_file f, char path[4096])
{
    char relative[64];

    snprintf(relative, sizeof relative, "policy/%s", file_names[f]);
    return node_path(n, relative, path);
}

static void look(const char *path, int64_t *mtime_ns, int64_t *bytes)
{
    struct stat st;

    *mtime_ns = *bytes = 0;
    if (stat(path, &st) == 0) {
        *mtime_ns = (int64_t)st.st_mtim.tv_sec * NS_PER_SECOND + st.st_mtim.tv_nsec;
        *bytes = st.st_size;
    }
}

/* take - what the file says, in the place of what was said before; as that was if the file is wrong. Rows borrow from the file. */
static int take(struct policy *p, enum policy_file f, struct yaml *y, struct err *e)
{
    AUTO_FREE struct policy *fresh = calloc(1, sizeof *fresh);
    int rc = !fresh ? err_set(e, -ENOMEM, "no memory for the policy") : f == POLICY_AUTO ? auto_check(y, e) : people_read(fresh, y, e);

    if (rc < 0) {
        yaml_free(&y);
        return rc;
    }
    if (f == POLICY_PEOPLE) {
        memcpy(p->tell, fresh->tell, sizeof p->tell);
        memcpy(p->confirm, fresh->confirm, sizeof p->confirm);
        p->tell_count = fresh->tell_count;
        p->confirm_count = fresh->confirm_count;
    }
    yaml_free(&p->file[f]);
    p->file[f] = y;
    return 0;
}

/* take_site - 1: there is no file of the site, or it says nothing of people. */
static int take_site(const struct node *n, struct policy *p, enum policy_file f, struct err *e)
{
    struct yaml *y = NULL;
    char path[4096];
    int rc;

    if (!file_exists(site_path(n, f, path)))
        return 1;
    rc = yaml_load_file(path, &y, e);
    if (rc == 0 && f == POLICY_PEOPLE && (y->doc_count != 1 || y->docs[0]->kind != YNODE_MAP || !yaml_get(y->docs[0], "people"))) {
        yaml_free(&y);
        return 1;
    }
    return rc < 0 ? rc : take(p, f, y, e);
}

static int take_ours(const struct node *n, struct policy *p, enum policy_file f, struct err *e)
{
    struct yaml *y = NULL;
    char path[4096];
    int rc;

    if (snprintf(path, sizeof path, "%s/policy/%s", n->content, file_names[f]) >= (int)sizeof path)
        return err_set(e, -ENAMETOOLONG, "the name of the folder is too long");
    rc = yaml_load_file(path, &y, e);
    return rc < 0 ? rc : take(p, f, y, e);
}

/* read_file - the site's, else ours. What is wrong in the site's is noted, and what there was before goes on. */
static int read_file(const struct node *n, struct policy *p, enum policy_file f, struct err *e)
{
    struct err why = { 0 };
    char path[4096];
    int rc;

    look(site_path(n, f, path), &p->site[f].mtime_ns, &p->site[f].bytes);
    rc = take_site(n, p, f, &why);
    if (rc == -ENOMEM)
        return err_set(e, rc, "%s", why.text);
    snprintf(p->site[f].wrong, sizeof p->site[f].wrong, "%s", rc < 0 ? why.text : "");
    return rc == 1 || (rc < 0 && !p->file[f]) ? take_ours(n, p, f, e) : 0;
}

int policy_load(const struct node *n, struct policy *out, struct err *e)
{
    int rc = 0;

    *out = (struct policy){ 0 };
    for (int f = 0; f < POLICY_FILES && rc == 0; f++)
        rc = read_file(n, out, (enum policy_file)f, e);
    return rc;
}

int policy_refresh(const struct node *n, struct policy *p, struct err *e)
{
    int rc = 0;

    for (int f = 0; f < POLICY_FILES && rc == 0; f++) {
        int64_t mtime_ns, bytes;
        char path[4096];

        look(site_path(n, (enum policy_file)f, path), &mtime_ns, &bytes);
        if (mtime_ns != p->site[f].mtime_ns || bytes != p->site[f].bytes)
            rc = read_file(n, p, (enum policy_file)f, e);
    }
    return rc;
}

const char *desk_policy_wrong(struct desk *d, size_t i)
{
    struct err ours;

    if (i >= POLICY_FILES)
        return NULL;
    (void)!policy_refresh(d->setup.node, &d->policy, &ours);
    return d->policy.site[i].wrong;
}

void policy_free(struct policy *p)
{
    for (int f = 0; f < POLICY_FILES; f++)
        yaml_free(&p->file[f]);
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
    const struct ynode *list = p->file[POLICY_AUTO] ? yaml_get(p->file[POLICY_AUTO]->docs[0], "auto_notify") : NULL;

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
