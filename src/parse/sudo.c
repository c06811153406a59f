/* sudo.c - one user acting as another: sudo, su, doas, runuser; see internal.h.
 *
 *     alice : TTY=pts/0 ; PWD=/home/alice ; USER=root ; COMMAND=/bin/ls
 *     alice : 3 incorrect password attempts ; TTY=… ; USER=root ; COMMAND=…
 *     alice : user NOT in sudoers ; … , alice : command not allowed ; … */
#include "parse/internal.h"

static const struct sense ran = SENSE("process", "", "start", "", "sudo", "success", OS(9) | OS(13));
static const struct sense refused = SENSE("authentication", "process", "denied", "", "sudo", "failure", OS(9) | OS(11));
static const struct sense su_done = SENSE("authentication", "session", "start", "", "su", "success", OS(4));
static const struct sense su_failed = SENSE("authentication", "", "info", "", "su", "failure", OS(4) | OS(11));

/* assignment - one "NAME=value" of a sudo line. */
static void assignment(struct work *w, struct str name, struct str value)
{
    static const struct {
        struct str key, field;
    } keys[] = {
        { PAIR("TTY", "user.terminal") },
        { PAIR("PWD", "process.working_directory") },
        { PAIR("USER", "user.effective.name") },
        { PAIR("COMMAND", "process.command_line") },
        { PAIR("GROUP", "user.effective.group.name") },
        { PAIR("TSID", "sudo.tsid") },
        { PAIR("ENV", "sudo.env") },
        { PAIR("HOST", "sudo.host") },
        { PAIR("CHROOT", "sudo.chroot") },
    };

    for (size_t i = 0; i < COUNT(keys); i++)
        if (same_name(name, keys[i].key)) {
            work_add(w, keys[i].field, value);
            return;
        }
}

static bool refusal(struct str s)
{
    return has(s, STR("incorrect password attempt")) || has(s, STR("NOT in sudoers")) || has(s, STR("not allowed")) ||
           has(s, STR("NOT authorized")) || has(s, STR("a password is required")) || has(s, STR("no tty present")) ||
           has(s, STR("a terminal is required")) || has(s, STR("account validation failure")) ||
           has(s, STR("password expired")) || has(s, STR("unable to change expired password")) ||
           has(s, STR("conversation failed"));
}

static bool sudo_list(struct work *w, struct str user, struct str s)
{
    struct str piece, reason = { NULL, 0 }, name, value;
    bool pairs = false;

    work_user(w, user);
    while (s.n) {
        if (take(&s, STR("COMMAND="))) { /* the last; it may hold " ; " itself */
            assignment(w, STR("COMMAND"), s);
            pairs = true;
            break;
        }
        piece = take_until(&s, STR(" ; "));
        if (split_at(piece, STR("="), &name, &value) && !has(name, STR(" "))) {
            assignment(w, name, value);
            pairs = true;
        } else {
            reason = piece;
        }
    }
    work_add(w, STR("event.reason"), reason);
    if (reason.n && refusal(reason)) {
        work_sense(w, &refused);
        return true;
    }
    if (pairs)
        work_sense(w, &ran);
    return pairs;
}

bool sudo_message(struct work *w)
{
    struct str s = w->msg, user;

    if (str_starts(s, STR("pam_")) || str_starts(s, STR("(pam_")) || str_starts(s, STR("PAM "))) {
        bool ok = pam_message(w);

        w->types |= OS(9);
        return ok;
    }
    s = str_trim(s);
    if (!split_at(s, STR(" : "), &user, &s) || user.n == 0 || has(user, STR(" ")))
        return false;
    if (str_starts(s, STR("(command continued)"))) {
        work_add(w, STR("process.command_line"), str_trim(str_cut(s, 19)));
        w->types |= OS(9);
        return true;
    }
    return sudo_list(w, str_trim(user), s);
}

static void su_users(struct work *w, const struct sense *sense, struct str from, struct str to, struct str tty)
{
    work_sense(w, sense);
    work_user(w, from);
    work_add(w, STR("user.effective.name"), to);
    if (!str_starts(tty, STR("/")) || !take(&tty, STR("/dev/")))
        skip_blanks(&tty);
    if (!str_eq(tty, STR("none")) && !str_eq(tty, STR("???")))
        work_add(w, STR("user.terminal"), tty);
    if (str_eq(to, STR("root")))
        w->types |= OS(9);
}

/* from_to - "alice to root on /dev/pts/1". */
static bool from_to(struct work *w, const struct sense *sense, struct str s)
{
    struct str from, to, tty = { NULL, 0 };

    if (!split_at(s, STR(" to "), &from, &to))
        return false;
    split_at(to, STR(" on "), &to, &tty);
    if (from.n == 0 || has(from, STR(" ")) || has(to, STR(" ")))
        return false;
    su_users(w, sense, from, to, tty);
    return true;
}

/* sign_form - "+ pts/4 alice:root", "- tty alice-root", "FAILED su for root by alice", "Successful su for root by
 * alice". */
static bool sign_form(struct work *w, struct str s)
{
    const struct sense *sense = *s.p == '+' ? &su_done : &su_failed;
    struct str tty, from, to;

    s = str_cut(s, 2);
    tty = take_word(&s);
    if (!split_at(s, STR(":"), &from, &to) && !split_at(s, STR("-"), &from, &to))
        return false;
    su_users(w, sense, from, to, tty);
    return true;
}

bool su_message(struct work *w)
{
    struct str s = w->msg, to, from, tty;

    if (str_starts(s, STR("pam_")) || str_starts(s, STR("(pam_")))
        return pam_message(w);
    if (s.n > 4 && (*s.p == '+' || *s.p == '-') && s.p[1] == ' ')
        return sign_form(w, s);
    if (take(&s, STR("(to "))) { /* "(to root) alice on pts/0" */
        to = take_until(&s, STR(") "));
        from = take_until(&s, STR(" on "));
        su_users(w, &su_done, from, to, s);
        return true;
    }
    if (take(&s, STR("FAILED SU (to ")) || take(&s, STR("FAILED su (to "))) {
        to = take_until(&s, STR(") "));
        from = take_until(&s, STR(" on "));
        su_users(w, &su_failed, from, to, s);
        return true;
    }
    if (take(&s, STR("BAD SU ")))
        return from_to(w, &su_failed, s);
    if (take(&s, STR("FAILED su for ")) || take(&s, STR("Successful su for "))) {
        const struct sense *sense = w->msg.p[0] == 'F' ? &su_failed : &su_done;

        to = take_until(&s, STR(" by "));
        su_users(w, sense, s, to, (struct str){ NULL, 0 });
        return true;
    }
    if (take(&s, STR("succeeded: ")) || take(&s, STR("failed: "))) { /* AIX: "tty changing from a to b" */
        const struct sense *sense = w->msg.p[0] == 'f' ? &su_failed : &su_done;

        tty = take_word(&s);
        if (!take(&s, STR("changing from ")) || !split_at(s, STR(" to "), &from, &to))
            return false;
        su_users(w, sense, from, to, tty);
        return true;
    }
    take(&s, STR("'su "));
    return from_to(w, has(s, STR(" failed")) ? &su_failed : &su_done, s);
}

/* doas - "alice ran command ls as root from /home/alice", "failed auth for alice", "failed command for alice: ls as
 * root". */
bool doas_message(struct work *w)
{
    struct str s = w->msg, user;

    if (take(&s, STR("failed auth for ")) || take(&s, STR("failed command for ")) ||
        take(&s, STR("command not permitted for "))) {
        work_sense(w, &refused);
        work_user(w, take_until(&s, STR(":")));
        work_add(w, STR("process.command_line"), str_trim(s));
        return true;
    }
    if (!split_at(s, STR(" ran command "), &user, &s))
        return false;
    work_sense(w, &ran);
    work_user(w, user);
    if (split_last(s, STR(" from "), &s, &user))
        work_add(w, STR("process.working_directory"), user);
    if (split_last(s, STR(" as "), &s, &user))
        work_add(w, STR("user.effective.name"), user);
    work_add(w, STR("process.command_line"), s);
    return true;
}
