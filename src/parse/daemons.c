/* daemons.c - short stories of the system's own daemons: cron, systemd, logind, the log writers, package managers. */
#include "parse/internal.h"

/* --- cron --- */

static const struct sense cron_job = SENSE("process", "", "start", "", "cron_job", "success", OS(13));
static const struct sense cron_info = SENSE("process", "", "info", "", "cron", "", 0);
static const struct sense crontab_changed = SENSE("configuration", "", "change", "", "crontab_changed", "success", OS(5));
static const struct sense cron_denied = SENSE("process", "", "denied", "", "cron_denied", "failure", OS(11));

/* cron_message - "(root) CMD (command)", "(root) RELOAD (…)", "(alice) REPLACE (alice)", "(CRON) INFO (…)". */
bool cron_message(struct work *w)
{
    struct str s = w->msg, user, verb;

    if (str_starts(s, STR("pam_")) || str_starts(s, STR("(pam_")))
        return pam_message(w);
    if (!take(&s, STR("(")) || !split_at(s, STR(") "), &user, &s))
        return false;
    verb = take_until(&s, STR(" ("));
    if (s.n && s.p[s.n - 1] == ')')
        s.n--;
    if (str_eq(verb, STR("CMD")) || str_eq(verb, STR("CMDEND"))) {
        work_sense(w, &cron_job);
        work_user(w, user);
        work_add(w, STR("process.command_line"), s);
    } else if (str_eq(verb, STR("REPLACE")) || str_eq(verb, STR("DELETE")) || str_eq(verb, STR("END EDIT"))) {
        work_sense(w, &crontab_changed);
        work_user(w, user);
        work_add(w, STR("user.target.name"), s);
    } else if (has(verb, STR("AUTH")) || has(s, STR("not allowed"))) {
        work_sense(w, &cron_denied);
        work_user(w, user);
    } else {
        work_sense(w, &cron_info);
        if (!str_eq(user, STR("CRON")))
            work_user(w, user);
    }
    return true;
}

/* --- services that protect or log: switching them is OS-07 of Annex 4 --- */

bool protects(struct str unit)
{
    static const char *const units[] = {
        "auditd",
        "audit",
        "rsyslog",
        "syslog",
        "syslog-ng",
        "systemd-journald",
        "clamav",
        "clamd",
        "clamav-daemon",
        "freshclam",
        "fail2ban",
        "crowdsec",
        "firewalld",
        "ufw",
        "iptables",
        "nftables",
        "netfilter-persistent",
        "apparmor",
        "suricata",
        "snort",
        "wazuh-agent",
        "ossec",
        "falcon-sensor",
        "aide",
        "osqueryd",
        "auditbeat",
        "filebeat",
        "falco",
        "saqshy-agent",
        "saqshyd",
        "kesl",
        "drweb",
    };
    struct str name = unit;

    for (size_t i = 0; i < unit.n; i++)
        if (unit.p[i] == '.' || unit.p[i] == '@' || unit.p[i] == ' ') {
            name = str_left(unit, i);
            break;
        }
    for (size_t i = 0; i < COUNT(units); i++)
        if (str_ieq(name, str_c(units[i])))
            return true;
    return false;
}

static void unit_field(struct work *w, struct str unit)
{
    while (unit.n && *unit.p != '/' && (unit.p[unit.n - 1] == '.' || unit.p[unit.n - 1] == ' '))
        unit.n--;
    work_add(w, STR("service.name"), unit);
    if (protects(unit))
        w->types |= OS(7);
}

/* --- systemd --- */

static const struct unit_row {
    const char *prefix;
    struct sense sense;
} unit_rows[] = {
    { "Started ", SENSE("process", "", "start", "", "service_started", "success", OS(13)) },
    { "Starting ", SENSE("process", "", "start", "", "service_starting", "", 0) },
    { "Stopped ", SENSE("process", "", "end", "", "service_stopped", "success", OS(13)) },
    { "Stopping ", SENSE("process", "", "end", "", "service_stopping", "", 0) },
    { "Finished ", SENSE("process", "", "end", "", "service_finished", "success", OS(13)) },
    { "Failed to start ", SENSE("process", "", "error", "", "service_failed", "failure", OS(13)) },
    { "Failed ", SENSE("process", "", "error", "", "service_failed", "failure", 0) },
    { "Reloaded ", SENSE("process", "configuration", "change", "", "service_reloaded", "success", OS(5)) },
    { "Reloading ", SENSE("process", "configuration", "change", "", "service_reloading", "", 0) },
    { "Reached target ", SENSE("process", "", "info", "", "target_reached", "success", 0) },
    { "Listening on ", SENSE("network", "", "start", "", "port_opened", "success", UX(2)) },
    { "Closed ", SENSE("network", "", "end", "", "port_closed", "success", 0) },
    { "Created slice ", SENSE("process", "", "info", "", "slice_created", "", 0) },
    { "Removed slice ", SENSE("process", "", "info", "", "slice_removed", "", 0) },
    { "Mounted ", SENSE("host", "", "info", "", "mounted", "success", 0) },
    { "Unmounted ", SENSE("host", "", "info", "", "unmounted", "success", 0) },
    { "Startup finished in ", SENSE("host", "", "start", "", "system_started", "success", OS(1)) },
    { "Shutting down", SENSE("host", "", "end", "", "system_stopping", "", OS(1)) },
    { "Time has been changed", SENSE("host", "configuration", "change", "", "changed-system-time", "success", OS(5)) },
    { "Received SIGINT", SENSE("host", "", "info", "", "signal", "", 0) },
};

/* unit_story - "x.service: Main process exited, code=…", "x.service: Failed with result 'exit-code'." */
static bool unit_story(struct work *w, struct str s)
{
    static const struct sense failed = SENSE("process", "", "error", "", "service_failed", "failure", OS(13));
    static const struct sense ended = SENSE("process", "", "end", "", "service_ended", "", OS(13));
    static const struct sense info = SENSE("process", "", "info", "", "service_state", "", 0);
    struct str unit, story;

    if (!split_at(s, STR(": "), &unit, &story) || has(unit, STR(" ")) || !has(unit, STR(".")))
        return false;
    if (has(story, STR("Failed with result")) || str_starts(story, STR("Failed")) ||
        has(story, STR("entered failed state")) || has(story, STR("code=killed")) || has(story, STR("code=dumped")))
        work_sense(w, &failed);
    else
        work_sense(w, has(story, STR("exited")) || has(story, STR("Deactivated successfully")) ||
                              str_starts(story, STR("Succeeded"))
                          ? &ended
                          : &info);
    unit_field(w, unit);
    return true;
}

bool systemd_message(struct work *w)
{
    struct str s = w->msg;

    if (str_starts(s, STR("pam_")))
        return pam_message(w);
    for (size_t i = 0; i < COUNT(unit_rows); i++) {
        if (!s.n || *s.p != unit_rows[i].prefix[0] || !take(&s, str_c(unit_rows[i].prefix)))
            continue;
        work_sense(w, &unit_rows[i].sense);
        if (str_starts(s, STR("target ")) || str_starts(w->msg, STR("Reached "))) {
            if (has(s, STR("Shutdown")) || has(s, STR("Reboot")) || has(s, STR("Power-Off")) ||
                has(s, STR("Power Off")) || has(s, STR("System Shutdown")))
                w->types |= OS(1);
            return true;
        }
        if (has(s, STR(" - "))) /* "cron.service - Regular background …" since systemd 252 */
            s = take_until(&s, STR(" - "));
        unit_field(w, s);
        return true;
    }
    (void)unit_story(w, s);
    return true; /* an open vocabulary, like the kernel's */
}

/* --- logind --- */

bool logind_message(struct work *w)
{
    static const struct sense opened = SENSE("session", "", "start", "", "session_opened", "success", OS(4));
    static const struct sense closed = SENSE("session", "", "end", "", "session_closed", "success", OS(4));
    static const struct sense power = SENSE("host", "", "end", "", "system_stopping", "", OS(1));
    static const struct sense seat = SENSE("host", "", "info", "", "device_watched", "", OS(10));
    struct str s = w->msg, user;

    if (take(&s, STR("New session "))) {
        work_sense(w, &opened);
        work_add(w, STR("session.id"), take_until(&s, STR(" of user ")));
        user = take_until(&s, STR(" with class")); /* since systemd 256 */
        if (user.n && user.p[user.n - 1] == '.')
            user.n--;
        work_user(w, unquote(user));
        return true;
    }
    if (take(&s, STR("Removed session ")) || (take(&s, STR("Session ")) && has(s, STR("logged out")))) {
        work_sense(w, &closed);
        work_add(w, STR("session.id"), take_until(&s, STR(".")));
        return true;
    }
    if (has(w->msg, STR("System is powering down")) || has(w->msg, STR("System is rebooting")) ||
        has(w->msg, STR("System is halting")) || has(w->msg, STR("The system will ")) ||
        has(w->msg, STR("Power key pressed"))) {
        work_sense(w, &power);
        return true;
    }
    if (str_starts(w->msg, STR("Watching system buttons")) || str_starts(w->msg, STR("New seat"))) {
        work_sense(w, &seat);
        return true;
    }
    return false;
}

/* --- what writes the log: rsyslogd, syslogd, auditd, journald --- */

bool logger_message(struct work *w)
{
    static const struct sense on = SENSE("process", "", "start", "", "logging_started", "success", OS(7));
    static const struct sense off = SENSE("process", "", "end", "", "logging_stopped", "", OS(7));
    static const struct sense lost = SENSE("process", "", "error", "", "logging_dropped", "failure", OS(7));
    struct str s = w->msg;

    if (has(s, STR("exiting on signal")) || has(s, STR("Exiting on signal")) || has(s, STR("shutdown")) ||
        has(s, STR("terminating")) || has(s, STR("Journal stopped")) || has(s, STR("The audit daemon is exiting")))
        work_sense(w, &off);
    else if (has(s, STR("] start")) || has(s, STR("restart")) || has(s, STR("Journal started")) ||
             has(s, STR("Init complete")) || has(s, STR("Started dispatcher")) || has(s, STR("starting up")))
        work_sense(w, &on);
    else if (has(s, STR("drop messages")) || has(s, STR("rate-limiting")) || has(s, STR("Suppressed ")) ||
             has(s, STR("messages lost")))
        work_sense(w, &lost);
    else
        return false;
    return true;
}

/* --- package managers: "Installed: x", "Erased: x" (yum), "install x:amd64 <none> 1.0" (dpkg) --- */

bool package_message(struct work *w)
{
    static const struct row {
        const char *prefix;
        struct sense sense;
    } rows[] = {
        { "Installed: ", SENSE("package", "", "installation", "", "package_installed", "success", OS(3)) },
        { "Updated: ", SENSE("package", "", "change", "", "package_updated", "success", OS(3)) },
        { "Upgraded: ", SENSE("package", "", "change", "", "package_updated", "success", OS(3)) },
        { "Erased: ", SENSE("package", "", "deletion", "", "package_removed", "success", OS(3)) },
        { "Removed: ", SENSE("package", "", "deletion", "", "package_removed", "success", OS(3)) },
        { "install ", SENSE("package", "", "installation", "", "package_installed", "success", OS(3)) },
        { "upgrade ", SENSE("package", "", "change", "", "package_updated", "success", OS(3)) },
        { "remove ", SENSE("package", "", "deletion", "", "package_removed", "success", OS(3)) },
        { "purge ", SENSE("package", "", "deletion", "", "package_removed", "success", OS(3)) },
    };
    struct str s = w->msg, name, old, version;

    for (size_t i = 0; i < COUNT(rows); i++) {
        if (!take(&s, str_c(rows[i].prefix)))
            continue;
        name = take_word(&s);
        if (rows[i].prefix[0] >= 'a') { /* dpkg.log: name:arch old new */
            old = take_word(&s);
            version = take_word(&s);
            if (version.n == 0 || s.n || !has(name, STR(":")))
                return false;
            name = take_until(&name, STR(":"));
            work_add(w, STR("package.version"), rows[i].prefix[0] == 'r' || rows[i].prefix[0] == 'p' ? old : version);
        }
        work_sense(w, &rows[i].sense);
        work_add(w, STR("package.name"), name);
        return true;
    }
    return false;
}
