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
    for (size_t at = name_hash(name) % COUNT(p->programs); p->programs[at].program; at = (at + 1) % COUNT(p->programs))
        if (same_name(p->programs[at].name, name))
            return p->programs[at].program;
    return NULL;
}

bool program_known(const struct parser *p, struct str name) { return program_of(p, name) || patterns_program(p, name); }

struct str plain_name(struct str s)
{
    static const bool odd[256] = { ['/'] = true, ['('] = true, ['-'] = true };
    struct str before, after;
    size_t n = 0;

    while (n < s.n && !odd[(unsigned char)s.p[n]])
        n++;
    if (n == s.n)
        return s;
    if (s.n && *s.p == '/' && split_last(s, STR("/"), &before, &after))
        s = after;
    if (split_at(s, STR("("), &before, &after) && str_starts(after, STR("pam_")))
        s = before;
    if (split_last(s, STR("-"), &before, &after) && all_digits(after) && after.n >= 3)
        s = before;
    return s;
}

/* readers_of - whoever reads messages of w->program, by its name as it stands or plain. */
static const struct readers *readers_of(struct work *w)
{
    struct readers *r = &w->readers;
    struct str name = w->program;

    if (r->of.p == name.p && r->of.n == name.n)
        return r;
    *r = (struct readers){ .of = name, .plain = plain_name(name) };
    r->program = program_of(w->parser, r->plain);
    if (!w->parser->data)
        return r;
    r->route = r->program ? w->parser->data->known[r->program - programs] : patterns_program(w->parser, name);
    if (!r->program && !r->route && r->plain.n != name.n)
        r->route = patterns_program(w->parser, r->plain);
    return r;
}

bool program_taken(struct work *w)
{
    const struct readers *r = readers_of(w);

    return r->program || r->route;
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

/* data_first - products as data come before the reader in C, or there is none. */
static bool data_first(const struct readers *r) { return r->route && (!r->program || r->route->replaces); }

bool program_data(struct work *w)
{
    const struct readers *r = readers_of(w);

    w->routed = data_first(r);
    return w->routed && route_run(w, r->route, false);
}

void program_message(struct work *w)
{
    const struct readers r = *readers_of(w); /* a text within may be another program's */
    bool pam = r.plain.n < w->program.n && has(w->program, STR("(pam_"));

    pam = pam || (!r.program && (str_starts(w->msg, STR("pam_")) || str_starts(w->msg, STR("(pam_"))));
    if (!w->routed && data_first(&r) && route_run(w, r.route, false))
        return;
    if (r.program || pam) {
        if (by_reader(w, r.program, pam) || (r.route && !r.route->replaces && route_run(w, r.route, false)) || w->ev->parser.n == 0)
            return;
        w->trouble = true;
    } else if (r.route) {
        (void)route_run(w, r.route, true);
    }
}
