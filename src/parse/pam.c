/* pam.c - what the modules of Linux-PAM say through the program that uses them; see internal.h.
 *
 *     pam_unix(sshd:session): session opened for user root(uid=0) by (uid=0)
 *     pam_unix(sudo:auth): authentication failure; logname=… uid=0 euid=0 tty=ssh ruser=… rhost=192.0.2.1  user=root
 *     (pam_unix) …, "sshd(pam_unix)[1]: …" of old versions, and "PAM 2 more authentication failures; …" of sshd */
#include "parse/internal.h"

static const struct sense opened = SENSE("session", "", "start", "", "session_opened", "success", OS(4));
static const struct sense closed = SENSE("session", "", "end", "", "session_closed", "success", OS(4));
static const struct sense failed = SENSE("authentication", "", "info", "", "authentication_failure", "failure", OS(4) | OS(11));
static const struct sense denied = SENSE("authentication", "", "denied", "", "account_refused", "failure", OS(4) | OS(11));
static const struct sense changed = SENSE("iam", "", "change", "user", "password_changed", "success", OS(6));
static const struct sense unlocked = SENSE("authentication", "", "info", "", "authentication_success", "success", OS(4));

/* user_uid - "root(uid=0)" or "root". */
static void user_uid(struct work *w, struct str s, struct str name_field, struct str id_field)
{
    struct str name, id;

    if (split_at(s, STR("(uid="), &name, &id)) {
        work_add(w, name_field, name);
        id = take_until(&id, STR(")"));
        if (all_digits(id))
            work_add(w, id_field, id);
    } else {
        work_add(w, name_field, s);
    }
}

/* session - "for user NAME[(uid=N)] by [NAME](uid=N)". Whose session it is, is the effective user if another opened it.
 */
static void session(struct work *w, struct str s)
{
    struct str target, by, name;

    take(&s, STR("for user "));
    if (!split_at(s, STR(" by "), &target, &by)) {
        user_uid(w, str_trim(s), STR("user.name"), STR("user.id"));
        return;
    }
    if (split_at(by, STR("(uid="), &name, &s) && name.n) {
        user_uid(w, by, STR("user.name"), STR("user.id"));
        user_uid(w, target, STR("user.effective.name"), STR("user.effective.id"));
    } else {
        user_uid(w, target, STR("user.name"), STR("user.id"));
    }
    if (str_eq(take_until(&target, STR("(")), STR("root")))
        w->types |= OS(9);
}

/* attributes - logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.1  user=root */
static void attributes(struct work *w, struct str s)
{
    struct str user = { NULL, 0 }, ruser = { NULL, 0 }, rhost = { NULL, 0 }, name, value;

    while (s.n) {
        struct str word;

        if (take(&s, STR("user="))) { /* the last; what a stranger typed may look like more of them */
            user = str_trim(s);
            break;
        }
        word = take_word(&s);
        if (!split_at(word, STR("="), &name, &value) || value.n == 0)
            continue;
        if (str_eq(name, STR("ruser")))
            ruser = value;
        else if (str_eq(name, STR("rhost"))) /* the last before user=: ruser is a stranger's too */
            rhost = value;
        else if (str_eq(name, STR("tty")))
            work_add(w, STR("user.terminal"), value);
        else if (str_eq(name, STR("uid")) && all_digits(value))
            work_add(w, STR("process.user.id"), value);
    }
    if (user.n && ruser.n && rhost.n == 0) { /* su and sudo: who asks, and for whom */
        work_user(w, ruser);
        work_add(w, STR("user.effective.name"), user);
    } else {
        work_user(w, user.n ? user : ruser);
    }
    work_peer(w, rhost, (struct str){ NULL, 0 });
}

/* head - take "pam_unix(sshd:auth): ", "(pam_unix) ", "pam_unix: " and note the service. */
static void head(struct work *w, struct str *s)
{
    struct str at = *s, module, service;

    if (take(&at, STR("(")) && str_starts(at, STR("pam_")) && split_at(at, STR(")"), &module, &at)) {
        take(&at, STR(":"));
    } else if (take(&at, STR("PAM "))) {
        module = STR("pam_unix");
    } else if (split_at(at, STR(": "), &module, &at) && str_starts(module, STR("pam_"))) {
        if (split_at(module, STR("("), &module, &service))
            work_add(w, STR("pam.service"), take_until(&service, STR(":")));
    } else {
        return;
    }
    work_add(w, STR("pam.module"), module);
    skip_blanks(&at);
    *s = at;
}

static bool quiet_service(struct work *w)
{
    struct str service = event_get(w->ev, STR("pam.service"));

    return str_starts(service, STR("cron")) || str_eq(service, STR("atd")) || str_starts(service, STR("systemd-user"));
}

static bool failure(struct work *w, struct str s)
{
    struct str count;

    if (str_starts(s, STR("authentication failure")) || has(s, STR("more authentication failure"))) {
        work_sense(w, &failed);
        split_at(s, STR(";"), &count, &s);
        attributes(w, s);
        return true;
    }
    if (take(&s, STR("check pass; user unknown")) || take(&s, STR("user unknown")) || take(&s, STR("bad username ["))) {
        work_sense(w, &failed);
        work_add(w, STR("event.reason"), STR("invalid user"));
        return true;
    }
    if (take(&s, STR("auth could not identify password for ["))) {
        work_sense(w, &failed);
        work_user(w, take_until(&s, STR("]")));
        return true;
    }
    if (has(s, STR("account temporarily locked")) || has(s, STR("Access denied for user")) ||
        has(s, STR("has expired")) || has(s, STR("access denied")) || has(s, STR("tally")) ||
        has(s, STR("onsecutive login failures for user"))) {
        struct str user;

        work_sense(w, &denied);
        if (split_at(s, STR("user "), &count, &user)) {
            user = take_word(&user);
            while (user.n && memchr(":;,'", user.p[user.n - 1], 4))
                user.n--;
            work_user(w, user);
        }
        return true;
    }
    return false;
}

bool pam_message(struct work *w)
{
    struct str s = w->msg;

    take(&s, STR("error: "));
    head(w, &s);
    if (take(&s, STR("session opened "))) {
        work_sense(w, &opened);
        session(w, s);
    } else if (take(&s, STR("session closed "))) {
        work_sense(w, &closed);
        session(w, s);
    } else if (failure(w, s)) {
        return true;
    } else if (take(&s, STR("password changed for "))) {
        work_sense(w, &changed);
        work_add(w, STR("user.target.name"), take_word(&s));
    } else if (has(s, STR("unlocked login keyring")) || has(s, STR("authentication success"))) {
        work_sense(w, &unlocked);
    } else {
        return event_get(w->ev, STR("pam.module")).n > 0;
    }
    if (quiet_service(w))
        w->types &= ~OS(4); /* a job's session is nobody's login */
    return true;
}
