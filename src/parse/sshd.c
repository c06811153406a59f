/* sshd.c - what OpenSSH's server says (sshd, and sshd-session and sshd-auth since 9.8); see internal.h.
 *
 * User names come from strangers and may hold " from 192.0.2.1 port 22": the address is looked for from the right, and
 * a name that only looks like the end of a message moves nothing. */
#include "parse/internal.h"

/* What stands behind the prefix of a message. */
enum shape {
    S_NONE,       /* nothing that is a field */
    S_METHOD_FOR, /* METHOD for [invalid user ]USER from ADDR port N ssh2[: KEY] */
    S_USER_FROM,  /* [invalid user ]USER from ADDR[ port N] … */
    S_PEER,       /* [invalid user |authenticating user |user ][USER ]ADDR[ port N] … */
    S_USER_ONLY,  /* [invalid user ]USER … */
    S_ADDR_FIRST, /* ADDR maps to … */
    S_BRACKETS,   /* … [ADDR] … */
    S_PARENS,     /* … (ADDR) */
    S_SOMEWHERE,  /* … from ADDR …, or a bare address */
    S_LISTEN,     /* ADDR port N. */
    S_BY_USER,    /* … by user USER */
};

struct row {
    struct str prefix;
    enum shape shape;
    struct sense sense;
};

/* clang-format off */
#define ATTEMPT(outcome_, types_) SENSE("authentication", "", "info", "", "ssh_login", outcome_, OS(4) | (types_))
#define REFUSED(action_) SENSE("authentication", "", "denied", "", action_, "failure", OS(4) | OS(11))
#define PROBE(action_) SENSE("network", "intrusion_detection", "connection", "denied", action_, "failure", OS(11))
#define LINK(action_, type_) SENSE("network", "session", "connection", type_, action_, "", 0)
#define OPENED(action_) SENSE("session", "", "start", "", action_, "success", OS(4))
#define CLOSED(action_) SENSE("session", "", "end", "", action_, "", OS(4))
#define SERVICE(action_, type_, types_) SENSE("process", "", type_, "", action_, "", types_)
#define FAULT(action_) SENSE("process", "", "error", "", action_, "failure", 0)
/* clang-format on */

/* First match counts: longer prefixes stand before their heads. */
static const struct row rows[] = {
    { STR_INIT("Failed to "), S_SOMEWHERE, FAULT("ssh_error") },
    { STR_INIT("Failed "), S_METHOD_FOR, ATTEMPT("failure", OS(11)) },
    { STR_INIT("Accepted "),
      S_METHOD_FOR,
      SENSE("authentication", "session", "start", "", "ssh_login", "success", OS(4)) },
    { STR_INIT("Invalid user "), S_USER_FROM, ATTEMPT("failure", OS(11)) },
    { STR_INIT("Illegal user "), S_USER_FROM, ATTEMPT("failure", OS(11)) },
    { STR_INIT("Connection closed by "), S_PEER, LINK("connection_closed", "end") },
    { STR_INIT("Connection reset by "), S_PEER, LINK("connection_reset", "end") },
    { STR_INIT("Connection from "), S_PEER, LINK("connection_opened", "start") },
    { STR_INIT("Connection to "), S_NONE, LINK("connection_opened", "start") },
    { STR_INIT("Disconnected from "),
      S_PEER,
      SENSE("network", "session", "connection", "end", "disconnected", "", OS(4)) },
    { STR_INIT("Received disconnect from "),
      S_PEER,
      SENSE("network", "session", "connection", "end", "disconnected", "", OS(4)) },
    { STR_INIT("Disconnecting: Too many authentication failures for "), S_USER_ONLY,
      REFUSED("too_many_authentication_failures") },
    { STR_INIT("Disconnecting: "), S_NONE, LINK("disconnected", "end") },
    { STR_INIT("Disconnecting "), S_PEER, REFUSED("disconnected") },
    { STR_INIT("maximum authentication attempts exceeded for "), S_USER_FROM,
      REFUSED("too_many_authentication_failures") },
    { STR_INIT("Did not receive identification string from "), S_PEER, PROBE("no_identification") },
    { STR_INIT("Bad protocol version identification "), S_SOMEWHERE, PROBE("bad_protocol") },
    { STR_INIT("Protocol major versions differ for "), S_PEER, PROBE("bad_protocol") },
    { STR_INIT("Unable to negotiate with "), S_PEER, PROBE("negotiation_failed") },
    { STR_INIT("Unable to negotiate "), S_SOMEWHERE, PROBE("negotiation_failed") },
    { STR_INIT("no matching "), S_SOMEWHERE, PROBE("negotiation_failed") },
    { STR_INIT("User "), S_USER_FROM, REFUSED("login_not_allowed") },
    { STR_INIT("Login restricted for user "), S_USER_ONLY, REFUSED("login_not_allowed") },
    { STR_INIT("ROOT LOGIN REFUSED FROM "), S_PEER, REFUSED("login_not_allowed") },
    { STR_INIT("Authentication refused: "), S_NONE, REFUSED("key_refused") },
    { STR_INIT("Authentication key "), S_NONE, REFUSED("key_refused") },
    { STR_INIT("Account "), S_NONE, REFUSED("login_not_allowed") },
    { STR_INIT("PAM: "), S_USER_FROM, ATTEMPT("failure", OS(11)) },
    { STR_INIT("input_userauth_request: invalid user "), S_USER_ONLY, ATTEMPT("failure", OS(11)) },
    { STR_INIT("Postponed "),
      S_METHOD_FOR,
      SENSE("authentication", "", "info", "", "ssh_login_postponed", "unknown", OS(4)) },
    { STR_INIT("Partial "),
      S_METHOD_FOR,
      SENSE("authentication", "", "info", "", "ssh_login_partial", "unknown", OS(4)) },
    { STR_INIT("Starting session: "), S_USER_FROM, OPENED("session_opened") },
    { STR_INIT("Close session: user "), S_USER_FROM, CLOSED("session_closed") },
    { STR_INIT("User child is on pid "), S_NONE, SERVICE("process_forked", "start", OS(13)) },
    { STR_INIT("Closing connection to "), S_PEER, LINK("connection_closed", "end") },
    { STR_INIT("Transferred: "), S_NONE, LINK("connection_statistics", "info") },
    { STR_INIT("session opened for local user "), S_USER_FROM, OPENED("session_opened") },
    { STR_INIT("session closed for local user "), S_USER_FROM, CLOSED("session_closed") },
    { STR_INIT("subsystem request for "), S_BY_USER, SENSE("session", "", "info", "", "subsystem_request", "", 0) },
    { STR_INIT("Server listening on "), S_LISTEN, SERVICE("port_opened", "start", UX(2) | OS(13)) },
    { STR_INIT("Received signal "), S_NONE, SERVICE("service_stopped", "end", OS(13)) },
    { STR_INIT("Received SIGHUP"), S_NONE, SERVICE("service_restarted", "change", OS(13)) },
    { STR_INIT("Exiting on signal "), S_NONE, SERVICE("service_stopped", "end", OS(13)) },
    { STR_INIT("Address "), S_ADDR_FIRST, PROBE("reverse_mapping_failed") },
    { STR_INIT("reverse mapping checking "), S_BRACKETS, PROBE("reverse_mapping_failed") },
    { STR_INIT("refused connect from "), S_PARENS, PROBE("connection_refused") },
    { STR_INIT("Refused connect from "), S_PARENS, PROBE("connection_refused") },
    { STR_INIT("warning: "), S_SOMEWHERE, FAULT("ssh_warning") },
    { STR_INIT("drop connection "), S_SOMEWHERE, PROBE("connection_dropped") },
    { STR_INIT("beginning MaxStartups throttling"), S_NONE, PROBE("throttling") },
    { STR_INIT("exited MaxStartups throttling"), S_NONE, LINK("throttling_ended", "info") },
    { STR_INIT("srclimit_penalise: "), S_SOMEWHERE, PROBE("penalty") },
    { STR_INIT("Timeout before authentication for connection from "), S_PEER, REFUSED("authentication_timeout") },
    { STR_INIT("Timeout before authentication for "), S_PEER, REFUSED("authentication_timeout") },
    { STR_INIT("Timeout before authentication"), S_SOMEWHERE, REFUSED("authentication_timeout") },
    { STR_INIT("Timeout, client not responding"), S_SOMEWHERE, LINK("connection_timeout", "end") },
    { STR_INIT("Read error from remote host "), S_PEER, LINK("connection_error", "end") },
    { STR_INIT("Write failed"), S_NONE, LINK("connection_error", "end") },
    { STR_INIT("Read from socket failed"), S_NONE, LINK("connection_error", "end") },
    { STR_INIT("Write error"), S_NONE, LINK("connection_error", "end") },
    { STR_INIT("kex_exchange_identification: "), S_SOMEWHERE, PROBE("no_identification") },
    { STR_INIT("kex_protocol_error: "), S_SOMEWHERE, PROBE("bad_protocol") },
    { STR_INIT("ssh_dispatch_run_fatal: Connection from "), S_PEER, PROBE("protocol_error") },
    { STR_INIT("ssh_dispatch_run_fatal: "), S_SOMEWHERE, PROBE("protocol_error") },
    { STR_INIT("banner exchange: Connection from "), S_PEER, PROBE("no_identification") },
    { STR_INIT("Bad packet length "), S_SOMEWHERE, PROBE("protocol_error") },
    { STR_INIT("Corrupted MAC on input"), S_SOMEWHERE, PROBE("protocol_error") },
    { STR_INIT("ssh_packet_"), S_SOMEWHERE, PROBE("protocol_error") },
    { STR_INIT("buffer_get_"), S_NONE, PROBE("protocol_error") },
    { STR_INIT("userauth_pubkey: "), S_SOMEWHERE, FAULT("key_refused") },
    { STR_INIT("Found matching "), S_NONE, SENSE("authentication", "", "info", "", "key_found", "", 0) },
    { STR_INIT("Could not "), S_NONE, FAULT("ssh_error") },
    { STR_INIT("Missing privilege separation directory"), S_NONE, FAULT("ssh_error") },
    { STR_INIT("Bind to port "), S_NONE, FAULT("bind_failed") },
    { STR_INIT("Cannot bind any address"), S_NONE, FAULT("bind_failed") },
    { STR_INIT("Postponed"), S_NONE, SENSE("authentication", "", "info", "", "ssh_login_postponed", "", 0) },
    { STR_INIT("Deprecated "), S_NONE, FAULT("configuration_warning") },
    { STR_INIT("channel "), S_NONE, FAULT("channel_error") },
    { STR_INIT("get_remote_port failed"), S_NONE, FAULT("ssh_error") },
    { STR_INIT("getpeername failed"), S_NONE, FAULT("ssh_error") },
    { STR_INIT("server_input_channel_open: "), S_NONE, FAULT("channel_error") },
    { STR_INIT("SSH: Server;"), S_SOMEWHERE, LINK("connection_opened", "info") }, /* HPN-SSH */
    { STR_INIT("mm_"), S_NONE, FAULT("ssh_error") },
    { STR_INIT("monitor_"), S_NONE, FAULT("ssh_error") },
};

/* address_read - ADDR at the head of s: one word, perhaps with a ':' or '.' or ',' behind it or as "[ADDR]:PORT". */
static bool address_read(struct str *s, struct str *ip, struct str *port)
{
    struct str at = *s, word = take_word(&at), tail;

    *port = (struct str){ NULL, 0 };
    if (word.n && *word.p == '[' && split_last(word, STR("]:"), &word, &tail)) {
        *port = tail;
        word = str_cut(word, 1);
    }
    *ip = ip_of(word);
    if (ip->n == 0 && !begins_as_ip(word))
        return false;
    for (size_t cut = 1; ip->n == 0 && cut < word.n && cut < 40; cut++) {
        char c = word.p[word.n - cut];

        if (memchr(":.,;)]>-", c, 8))
            *ip = ip_of(str_left(word, word.n - cut)); /* "192.0.2.1:11:" , "192.0.2.1." */
        else if (!is_digit(c) && !is_alpha(c))
            break;
    }
    if (ip->n == 0)
        return false;
    if (take(&at, STR("port ")))
        *port = take_word(&at);
    while (port->n && !is_digit(port->p[port->n - 1]))
        port->n--;
    for (size_t n = 0; n < port->n; n++)
        if (!is_digit(port->p[n]))
            port->n = n;
    *s = at;
    return true;
}

/* address - most words are told from addresses by their first byte. */
static inline bool address(struct str *s, struct str *ip, struct str *port) { return may_be_ip(*s) && address_read(s, ip, port); }

static bool host_name(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!is_alpha(s.p[i]) && !is_digit(s.p[i]) && s.p[i] != '.' && s.p[i] != '-' && s.p[i] != '_')
            return false;
    return s.n > 0;
}

/* user - without the words that sshd puts before a name. */
static struct str plain_user(struct str s)
{
    if (take(&s, STR("invalid user ")) || take(&s, STR("illegal user ")) || take(&s, STR("authenticating user ")) ||
        take(&s, STR("ignored user ")))
        return s;
    take(&s, STR("user "));
    return s;
}

/* last_from - the last "USER from ADDR …" in s; ssh: that " port N ssh" follows. */
static bool last_from(struct work *w, struct str s, bool ssh, struct str *user, struct str *rest)
{
    struct str before = s, after, ip, port;

    while (split_last(before, STR(" from "), &before, &after)) {
        struct str at = after;

        if (address(&at, &ip, &port) && (!ssh || (port.n && str_starts(at, STR("ssh"))))) {
            *user = before;
            *rest = at;
            work_peer_ip(w, ip, port);
            return true;
        }
    }
    return false;
}

/* user_from - "USER from ADDR …". Adds the peer; *rest is what is left. ssh: prefer the one that " port N ssh" follows,
 * for messages that always have it: what stands behind may be a stranger's word too. */
static bool user_from(struct work *w, struct str s, bool ssh, struct str *user, struct str *rest)
{
    struct str before, after, ip, port, word;

    if ((ssh && last_from(w, s, true, user, rest)) || last_from(w, s, false, user, rest))
        return true;
    if (str_starts(s, STR("from ")) && (after = str_cut(s, 5), address(&after, &ip, &port))) {
        *user = (struct str){ NULL, 0 };
        *rest = after;
        work_peer_ip(w, ip, port);
        return true;
    }
    if (split_last(s, STR(" from "), &before, &after)) { /* with UseDNS it is a name */
        word = take_word(&after);
        if (host_name(word)) {
            port = take(&after, STR("port ")) ? take_word(&after) : (struct str){ NULL, 0 };
            work_peer(w, word, port);
            *user = before;
            *rest = after;
            return true;
        }
    }
    return false;
}

/* somewhere - an address in s: behind " from " or " with ", else the first word that is one. */
static void somewhere(struct work *w, struct str s)
{
    struct str user, rest, ip, port;

    if (user_from(w, s, false, &user, &rest))
        return;
    while (s.n) {
        struct str at = s;

        if (address(&at, &ip, &port)) {
            work_peer_ip(w, ip, port);
            return;
        }
        take_word(&s);
    }
}

static void between(struct work *w, struct str s, struct str open, struct str close)
{
    struct str before, after;

    if (split_last(s, open, &before, &after))
        work_peer(w, take_until(&after, close), (struct str){ NULL, 0 });
    else
        somewhere(w, s);
}

/* peer - "[…user X ]ADDR[ port N]…": the name may hold anything, so the address is looked for from the left behind it,
 * trying each blank; the last word that is an address followed by " port " or the end wins. */
static void peer(struct work *w, struct str s)
{
    struct str ip, port, name = s, at, best = { NULL, 0 }, best_ip = { NULL, 0 }, best_port = { NULL, 0 };

    if (split_at(s, STR(": Change of username or service"), &name, &at) && has(name, STR(" port ")))
        s = name; /* the reason repeats names that strangers gave */
    at = s;
    if (address(&at, &ip, &port)) {
        work_peer_ip(w, ip, port);
        if ((take(&at, STR("on ")) || take(&at, STR("to "))) && address(&at, &ip, &port))
            work_dest(w, ip, port);
        return;
    }
    name = plain_user(s);
    for (size_t i = 0; i < name.n; i += until(str_cut(name, i), ' ', ' ', ' ', ' ') + 1) { /* each word */
        at = str_cut(name, i);
        if (!address(&at, &ip, &port))
            continue;
        best = str_left(name, i ? i - 1 : 0);
        best_ip = ip;
        best_port = port;
    }
    if (best_ip.n) {
        work_peer_ip(w, best_ip, best_port);
        if (name.p != s.p)
            work_user(w, best);
        return;
    }
    at = s;
    name = take_word(&at); /* with UseDNS a name */
    if (host_name(name) && !str_eq(name, STR("UNKNOWN"))) {
        port = take(&at, STR("port ")) ? take_word(&at) : (struct str){ NULL, 0 };
        work_peer(w, name, port);
    }
}

/* ssh_key - "ssh2: RSA SHA256:…" behind an accepted or failed key. */
static void ssh_key(struct work *w, struct str rest)
{
    struct str key;

    if (take(&rest, STR("ssh2")) && take(&rest, STR(": "))) {
        key = str_trim(rest);
        work_add(w, STR("system.auth.ssh.signature"), key);
    }
}

static void method_for(struct work *w, struct str s)
{
    struct str method, user, rest;

    if (!split_at(s, STR(" for "), &method, &s)) {
        w->trouble = true;
        return;
    }
    work_add(w, STR("system.auth.ssh.method"), method);
    if (!user_from(w, s, true, &user, &rest)) {
        w->trouble = true;
        return;
    }
    if (str_starts(user, STR("invalid user ")) || str_starts(user, STR("illegal user ")))
        work_add(w, STR("event.reason"), STR("invalid user"));
    work_user(w, plain_user(user));
    ssh_key(w, rest);
}

static void user_then_from(struct work *w, const struct row *r, struct str s)
{
    struct str user, rest;
    bool pam = str_starts(r->prefix, STR("PAM: "));

    if (pam) {
        struct str reason;

        if (!split_at(s, STR(" for "), &reason, &s))
            return;
        work_add(w, STR("event.reason"), reason);
    }
    if (str_starts(r->prefix, STR("Starting session")) && !split_at(s, STR(" for "), &user, &s))
        return;
    if (user_from(w, s, false, &user, &rest)) {
        work_user(w, plain_user(user));
        return;
    }
    if (pam) {
        work_user(w, plain_user(s));
    } else if (split_at(s, STR(" not allowed because "), &user, &rest)) {
        work_user(w, user);
        work_add(w, STR("event.reason"), rest);
    } else {
        user = s; /* "Invalid user x" of old versions */
        if (split_last(user, STR(" ["), &user, &rest) && !str_eq(rest, STR("preauth]")))
            user = s;
        work_user(w, user);
    }
}

static void user_only(struct work *w, struct str s)
{
    struct str user, rest;

    s = plain_user(s);
    if (user_from(w, s, false, &user, &rest)) {
        work_user(w, user);
        return;
    }
    if (split_at(s, STR(" ["), &user, &rest) || split_at(s, STR(" from "), &user, &rest))
        s = user;
    work_user(w, s);
}

static void listening(struct work *w, struct str s)
{
    struct str ip, port;

    if (!address(&s, &ip, &port)) {
        w->trouble = true;
        return;
    }
    work_add(w, STR("server.ip"), ip);
    work_add(w, STR("server.port"), port);
}

static void shape(struct work *w, const struct row *r, struct str s)
{
    struct str ip, port, before;

    switch (r->shape) {
    case S_NONE:
        break;
    case S_METHOD_FOR:
        method_for(w, s);
        break;
    case S_USER_FROM:
        user_then_from(w, r, s);
        break;
    case S_PEER:
        peer(w, s);
        break;
    case S_USER_ONLY:
        user_only(w, s);
        break;
    case S_ADDR_FIRST:
        if (address(&s, &ip, &port))
            work_peer_ip(w, ip, port);
        break;
    case S_BRACKETS:
        between(w, s, STR("["), STR("]"));
        break;
    case S_PARENS:
        between(w, s, STR("("), STR(")"));
        break;
    case S_SOMEWHERE:
        somewhere(w, s);
        break;
    case S_LISTEN:
        listening(w, s);
        break;
    case S_BY_USER:
        if (split_at(s, STR(" by user "), &before, &s)) {
            if (split_last(s, STR(" failed, "), &before, &ip))
                s = before;
            work_user(w, s);
        }
        break;
    }
}

bool sshd_message(struct work *w)
{
    struct str s = w->msg, event;

    while (take(&s, STR("error: ")) || take(&s, STR("fatal: ")) || take(&s, STR("info: ")) || take(&s, STR("debug1: ")))
        ;
    if (str_starts(s, STR("pam_")) || str_starts(s, STR("PAM ")) || str_starts(s, STR("(pam_")))
        return pam_message(w);
    event = s;
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (!s.n || *s.p != rows[i].prefix.p[0] || !take(&s, rows[i].prefix))
            continue;
        work_sense(w, &rows[i].sense);
        work_add(w, STR("network.protocol"), STR("ssh"));
        if (str_eq(rows[i].sense.action, STR("ssh_login")))
            work_add(w, STR("system.auth.ssh.event"), take_until(&event, STR(" ")));
        shape(w, &rows[i], s);
        if (!rows[i].sense.outcome.n && (str_ends(s, STR("[preauth]")) || has(s, STR("Auth fail"))))
            work_add(w, STR("event.outcome"), STR("failure")); /* it ended before anybody was authenticated */
        if (str_eq(rows[i].sense.outcome, STR("success")) &&
            str_eq(work_first(w, NOTED_USER), STR("root")))
            w->types |= OS(9);
        return true;
    }
    return false;
}
