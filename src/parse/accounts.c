/* accounts.c - useradd, usermod, userdel, groupadd, groupmod, groupdel, gpasswd, passwd, chpasswd, chage, chfn; see
 * internal.h. */
#include "parse/internal.h"

struct row {
    const char *prefix;
    const char *key; /* the field that takes the name behind the prefix; NULL: name=… pairs follow */
    struct sense sense;
};

/* clang-format off */
#define IAM(what, kind, action) SENSE("iam", "", kind, what, action, "success", OS(6))
#define FAILED(what, action) SENSE("iam", "", "error", what, action, "failure", OS(6) | OS(11))
/* clang-format on */

static const struct row rows[] = {
    { "new user: ", NULL, IAM("user", "creation", "added-user-account") },
    { "new account", NULL, IAM("user", "creation", "added-user-account") },
    { "new group: ", NULL, IAM("group", "creation", "added-group-account") },
    { "failed adding user ", "user.target.name", FAILED("user", "added-user-account") },
    { "failed adding group ", "group.name", FAILED("group", "added-group-account") },
    { "delete user ", "user.target.name", IAM("user", "deletion", "deleted-user-account") },
    { "remove group ", "group.name", IAM("group", "deletion", "deleted-group-account") },
    { "removed group ", "group.name", IAM("group", "deletion", "deleted-group-account") },
    { "group removed from ", NULL, SENSE("iam", "", "deletion", "group", "deleted-group-account", "success", 0) },
    { "group deleted: ", NULL, IAM("group", "deletion", "deleted-group-account") },
    { "removed shadow group ", "group.name", IAM("group", "deletion", "deleted-group-account") },
    { "group '", "group.name", IAM("group", "deletion", "deleted-group-account") },
    { "group added to ", NULL, SENSE("iam", "", "creation", "group", "added-group-account", "success", 0) },
    { "group changed in ", NULL, SENSE("iam", "", "change", "group", "changed-group", "success", OS(6)) },
    { "add '", "user.target.name", IAM("group", "change", "added-user-to-group") },
    { "add `", "user.target.name", IAM("group", "change", "added-user-to-group") },
    { "delete '", "user.target.name", IAM("group", "change", "removed-user-from-group") },
    { "delete `", "user.target.name", IAM("group", "change", "removed-user-from-group") },
    { "change user '", "user.target.name", IAM("user", "change", "changed-user-account") },
    { "change user `", "user.target.name", IAM("user", "change", "changed-user-account") },
    { "change user ", "user.target.name", IAM("user", "change", "changed-user-account") },
    { "lock user '", "user.target.name", IAM("user", "change", "locked-user-account") },
    { "unlock user '", "user.target.name", IAM("user", "change", "unlocked-user-account") },
    { "changed user '", "user.target.name", IAM("user", "change", "changed-user-account") },
    { "changed password expiry for ", "user.target.name", IAM("user", "change", "changed-password-expiry") },
    { "password changed for ", "user.target.name", IAM("user", "change", "password_changed") },
    { "password for '", "user.target.name", IAM("user", "change", "password_changed") },
    { "password for user ", "user.target.name", IAM("user", "change", "password_changed") },
    { "user ", "user.name", IAM("group", "change", "changed-group") },
    { "users ", NULL, IAM("group", "change", "changed-group") },
    { "set members of ", NULL, IAM("group", "change", "changed-group") },
};

/* name_value - "name=test, UID=5006, GID=5006, home=/home/test, shell=/bin/bash, from=none". */
static void name_values(struct work *w, struct str s, bool group)
{
    struct str piece, key, value;

    while (s.n) {
        piece = str_trim(take_until(&s, STR(", ")));
        if (!split_at(piece, STR("="), &key, &value))
            continue;
        if (str_eq(key, STR("name")) || str_eq(key, STR("account")))
            work_add(w, group ? STR("group.name") : STR("user.target.name"), unquote(value));
        else if (str_ieq(key, STR("uid")))
            work_add(w, STR("user.target.id"), value);
        else if (str_ieq(key, STR("gid")))
            work_add(w, group ? STR("group.id") : STR("user.target.group.id"), value);
        else if (str_eq(key, STR("home")))
            work_add(w, STR("system.auth.useradd.home"), value);
        else if (str_eq(key, STR("shell")))
            work_add(w, STR("system.auth.useradd.shell"), value);
        else if (str_eq(key, STR("by")))
            work_add(w, STR("user.id"), value);
        else if (str_eq(key, STR("from")) && !str_eq(value, STR("none")))
            work_add(w, STR("user.terminal"), value);
    }
}

/* quoted_name - the name up to a closing quote, or the first word. */
static struct str quoted_name(struct str *s, bool quoted)
{
    size_t n = 0;
    struct str name;

    if (!quoted && s->n && (*s->p == '\'' || *s->p == '`')) {
        *s = str_cut(*s, 1);
        quoted = true;
    }
    while (n < s->n && s->p[n] != '\'' && (quoted || (s->p[n] != ' ' && s->p[n] != ',')))
        n++;
    name = str_left(*s, n);
    *s = str_cut(*s, n);
    return name;
}

/* group_behind - "… to group 'sudo'", "… from group 'x'", "… group x by y". */
static void group_behind(struct work *w, struct str s)
{
    struct str before, after;

    if (split_at(s, STR("group "), &before, &after)) {
        struct str name = quoted_name(&after, false);

        work_add(w, STR("group.name"), name);
        if (str_eq(name, STR("sudo")) || str_eq(name, STR("wheel")) || str_eq(name, STR("root")) ||
            str_eq(name, STR("admin")))
            w->types |= OS(9);
    }
}

bool account_message(struct work *w)
{
    struct str s = w->msg;

    if (str_starts(s, STR("pam_")))
        return pam_message(w);
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct row *r = &rows[i];
        size_t n = strlen(r->prefix);
        bool quoted = r->prefix[n - 1] == '\'' || r->prefix[n - 1] == '`';

        if (!s.n || *s.p != r->prefix[0] || !take(&s, str_c(r->prefix)))
            continue;
        work_sense(w, &r->sense);
        if (r->key) {
            struct str name = quoted_name(&s, quoted);

            while (name.n && name.p[name.n - 1] == '.')
                name.n--;
            work_add(w, str_c(r->key), name);
            if (str_eq(r->sense.type2, STR("group")) &&
                !str_eq(str_c(r->key), STR("group.name")))
                group_behind(w, s);
        } else {
            bool group = str_eq(r->sense.type2, STR("group"));

            if (take(&s, STR("/"))) /* "group added to /etc/group: name=test, GID=1002" */
                take_until(&s, STR(": "));
            take(&s, STR("- "));
            name_values(w, s, group);
        }
        return true;
    }
    return false;
}
