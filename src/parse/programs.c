/* programs.c - which program's messages go to which sub-parser; see internal.h. */
#include "parse/patterns.h"

const struct program programs[] = {
    { "sshd", "sshd", sshd_message, CLASS_OS_UNIX },
    { "sshd-session", "sshd", sshd_message, CLASS_OS_UNIX },
    { "sshd-auth", "sshd", sshd_message, CLASS_OS_UNIX },
    { "ssh", "sshd", sshd_message, CLASS_OS_UNIX }, /* the unit of Debian, where journald names no identifier */
    { "internal-sftp", "sshd", sshd_message, CLASS_OS_UNIX },
    { "sftp-server", "sshd", sshd_message, CLASS_OS_UNIX },
    { "sudo", "sudo", sudo_message, CLASS_OS_UNIX },
    { "su", "su", su_message, CLASS_OS_UNIX },
    { "su-l", "su", su_message, CLASS_OS_UNIX },
    { "runuser", "su", su_message, CLASS_OS_UNIX },
    { "doas", "doas", doas_message, CLASS_OS_UNIX },
    { "CRON", "cron", cron_message, CLASS_OS_UNIX },
    { "cron", "cron", cron_message, CLASS_OS_UNIX },
    { "crond", "cron", cron_message, CLASS_OS_UNIX },
    { "CROND", "cron", cron_message, CLASS_OS_UNIX },
    { "crontab", "cron", cron_message, CLASS_OS_UNIX },
    { "anacron", "cron", cron_message, CLASS_OS_UNIX },
    { "atd", "cron", cron_message, CLASS_OS_UNIX },
    { "kernel", "kernel", kernel_message, CLASS_OS_UNIX },
    { "useradd", "accounts", account_message, CLASS_OS_UNIX },
    { "adduser", "accounts", account_message, CLASS_OS_UNIX },
    { "usermod", "accounts", account_message, CLASS_OS_UNIX },
    { "userdel", "accounts", account_message, CLASS_OS_UNIX },
    { "deluser", "accounts", account_message, CLASS_OS_UNIX },
    { "groupadd", "accounts", account_message, CLASS_OS_UNIX },
    { "addgroup", "accounts", account_message, CLASS_OS_UNIX },
    { "groupmod", "accounts", account_message, CLASS_OS_UNIX },
    { "groupdel", "accounts", account_message, CLASS_OS_UNIX },
    { "gpasswd", "accounts", account_message, CLASS_OS_UNIX },
    { "passwd", "accounts", account_message, CLASS_OS_UNIX },
    { "chpasswd", "accounts", account_message, CLASS_OS_UNIX },
    { "chage", "accounts", account_message, CLASS_OS_UNIX },
    { "chfn", "accounts", account_message, CLASS_OS_UNIX },
    { "chsh", "accounts", account_message, CLASS_OS_UNIX },
    { "systemd", "systemd", systemd_message, CLASS_OS_UNIX },
    { "init", "systemd", systemd_message, CLASS_OS_UNIX },
    { "systemd-logind", "logind", logind_message, CLASS_OS_UNIX },
    { "elogind-daemon", "logind", logind_message, CLASS_OS_UNIX },
    { "login", "pam", pam_message, CLASS_OS_UNIX },
    { "gdm-password", "pam", pam_message, CLASS_OS_UNIX },
    { "polkitd", "pam", pam_message, CLASS_OS_UNIX },
    { "rsyslogd", "syslogd", logger_message, CLASS_OS_UNIX },
    { "syslogd", "syslogd", logger_message, CLASS_OS_UNIX },
    { "syslog-ng", "syslogd", logger_message, CLASS_OS_UNIX },
    { "systemd-journald", "syslogd", logger_message, CLASS_OS_UNIX },
    { "systemd-journal", "syslogd", logger_message, CLASS_OS_UNIX },
    { "auditd", "syslogd", logger_message, CLASS_OS_UNIX },
    { "audit", "auditd", audit_message, CLASS_OS_UNIX },
    { "audispd", "auditd", audit_message, CLASS_OS_UNIX },
    { "audisp-syslog", "auditd", audit_message, CLASS_OS_UNIX },
    { "yum", "packages", package_message, CLASS_OS_UNIX },
    { "dnf", "packages", package_message, CLASS_OS_UNIX },
};
const size_t program_count = COUNT(programs);

const struct program *program_of(const struct parser *p, struct str name)
{
    if (name.n == 0 || name.n > 24)
        return NULL;
    for (size_t at = str_hash(name) % COUNT(p->programs); p->programs[at].program; at = (at + 1) % COUNT(p->programs))
        if (str_eq(p->programs[at].name, name))
            return p->programs[at].program;
    return NULL;
}

bool program_known(const struct parser *p, struct str name) { return program_of(p, name) || patterns_program(p, name); }

/* plain - nothing in it that a plain name has not. */
static bool plain(struct str s)
{
    bool other = false;

    for (size_t i = 0; i < s.n; i++)
        other |= s.p[i] == '/' || s.p[i] == '(' || s.p[i] == '-';
    return !other;
}

struct str plain_name(struct str s)
{
    struct str before, after;

    if (plain(s))
        return s;
    if (s.n && *s.p == '/' && split_last(s, STR("/"), &before, &after))
        s = after;
    if (split_at(s, STR("("), &before, &after) && str_starts(after, STR("pam_")))
        s = before;
    if (split_last(s, STR("-"), &before, &after) && all_digits(after) && after.n >= 3)
        s = before;
    return s;
}

/* route_of - the products of the program, by its name as it stands or plain; p is its reader in C, or NULL. */
static const struct route *route_of(struct work *w, struct str name, const struct program *p)
{
    if (!w->parser->data || w->program.n == 0)
        return NULL;
    if (p)
        return w->parser->data->known[p - programs];
    if (w->route_name.p != w->program.p || w->route_name.n != w->program.n) {
        w->route_name = w->program;
        w->route = patterns_program(w->parser, w->program);
        if (!w->route && name.n != w->program.n)
            w->route = patterns_program(w->parser, name);
    }
    return w->route;
}

bool program_taken(struct work *w)
{
    struct str name = plain_name(w->program);

    return program_of(w->parser, name) || route_of(w, name, NULL);
}

/* by_reader - the reader in C. False: it did not understand the message. */
static bool by_reader(struct work *w, const struct program *p, bool pam)
{
    w->ev->parser = p ? str_c(p->parser) : STR("pam");
    w->ev->class = p ? p->class : CLASS_OS_UNIX;
    if (w->hints->explain)
        parse_explain(w, "%.*s: the reader in C of this program", STR_ARG(w->ev->parser));
    if (pam || !p ? pam_message(w) : p->handler(w))
        return true;
    if (p && p->handler == audit_message)
        w->ev->parser = (struct str){ NULL, 0 }; /* others call themselves "audit" too */
    return false;
}

bool program_data(struct work *w)
{
    struct str name = plain_name(w->program);
    const struct program *p = program_of(w->parser, name);
    const struct route *r = route_of(w, name, p);

    w->routed = r && (r->replaces || !p);
    return w->routed && route_run(w, r, false);
}

void program_message(struct work *w)
{
    struct str name = plain_name(w->program);
    const struct program *p = program_of(w->parser, name);
    const struct route *r = route_of(w, name, p);
    bool pam = name.n < w->program.n && has(w->program, STR("(pam_"));

    pam = pam || (!p && (str_starts(w->msg, STR("pam_")) || str_starts(w->msg, STR("(pam_"))));
    if (r && !w->routed && (r->replaces || !p) && route_run(w, r, false))
        return;
    if (p || pam) {
        if (by_reader(w, p, pam) || (r && !r->replaces && route_run(w, r, false)) || w->ev->parser.n == 0)
            return;
        w->trouble = true;
    } else if (r) {
        (void)route_run(w, r, true);
    }
}
