/* cisco.c - "%FACILITY-SEVERITY-MNEMONIC: text" of IOS, NX-OS and ASA: the code, and the events of Annex 4 that codes
 * tell. */
#include "parse/internal.h"

static const struct {
    const char *code; /* FACILITY-SEVERITY-MNEMONIC begins with this, after the severity is set aside */
    struct sense sense;
} rows[] = {
    { "SYS-RESTART", SENSE("host", "", "start", "", "system_started", "success", NET(1)) },
    { "SYS-RELOAD", SENSE("host", "", "end", "", "system_stopping", "", NET(1)) },
    { "SYS-CONFIG", SENSE("configuration", "", "change", "", "configuration_changed", "success", NET(2)) },
    { "SYS-PRIV_AUTH_PASS", SENSE("authentication", "", "start", "", "privilege_gained", "success", NET(4)) },
    { "SYS-PRIV_AUTH_FAIL",
      SENSE("authentication", "", "denied", "", "privilege_refused", "failure", NET(4) | NET(6)) },
    { "SEC_LOGIN-LOGIN_SUCCESS", SENSE("authentication", "", "start", "", "login", "success", NET(4)) },
    { "SEC_LOGIN-LOGIN_FAILED", SENSE("authentication", "", "info", "", "login", "failure", NET(6)) },
    { "SEC-IPACCESSLOG", SENSE("network", "", "connection", "", "acl", "", FW(1)) },
    { "LINK-UPDOWN", SENSE("network", "", "change", "", "link_changed", "", NET(7)) },
    { "LINEPROTO-UPDOWN", SENSE("network", "", "change", "", "link_changed", "", NET(7)) },
    { "LINK-CHANGED", SENSE("network", "", "change", "", "link_changed", "", NET(7)) },
    { "ETHPORT-IF_UP", SENSE("network", "", "start", "", "link_up", "", NET(7)) },
    { "ETHPORT-IF_DOWN", SENSE("network", "", "end", "", "link_down", "", NET(7)) },
    { "PARSER-CFGLOG", SENSE("configuration", "", "change", "", "configuration_changed", "success", NET(2)) },
    { "AAA-USER", SENSE("iam", "", "change", "user", "account_changed", "", NET(3)) },
    { "USB", SENSE("host", "", "info", "", "device", "", NET(5)) },
};

/* endpoint - "10.0.6.56(3067)" or "10.0.6.56". */
static void endpoint(struct work *w, struct str s, void (*add)(struct work *, struct str, struct str))
{
    struct str port = { NULL, 0 };

    while (s.n && s.p[s.n - 1] == ',')
        s.n--;
    if (split_at(s, STR("("), &s, &port))
        port = take_until(&port, STR(")"));
    if (ip_of(s).n)
        add(w, s, port);
}

/* access_list - "list 102 denied tcp 10.0.6.56(3067) -> 172.36.4.7(139), 1 packet". */
static void access_list(struct work *w, struct str s)
{
    struct str verb, proto;

    if (!take(&s, STR("list ")))
        return;
    work_add(w, STR("rule.name"), take_word(&s));
    verb = take_word(&s);
    work_set(w, STR("event.action"), verb);
    work_add(w, STR("event.type"), str_eq(verb, STR("permitted")) ? STR("allowed") : STR("denied"));
    work_add(w, STR("event.outcome"), str_eq(verb, STR("permitted")) ? STR("success") : STR("failure"));
    proto = take_word(&s);
    work_add(w, STR("network.transport"), proto);
    endpoint(w, take_word(&s), work_peer);
    if (take(&s, STR("-> ")))
        endpoint(w, take_word(&s), work_dest);
}

/* brackets - "[user: admin] [Source: 192.0.2.1] [localport: 22] …" of SEC_LOGIN. */
static void brackets(struct work *w, struct str s)
{
    struct str inside, key;

    while (split_at(s, STR("["), &key, &s)) {
        inside = take_until(&s, STR("]"));
        if (take(&inside, STR("user: ")))
            work_user(w, inside);
        else if (take(&inside, STR("Source: ")))
            work_peer(w, inside, (struct str){ NULL, 0 });
        else if (take(&inside, STR("localport: ")))
            work_add(w, STR("destination.port"), inside);
        else if (take(&inside, STR("Reason: ")))
            work_add(w, STR("event.reason"), inside);
    }
}

bool cisco_message(struct work *w)
{
    struct str s = w->msg, code, facility, severity, mnemonic;
    bool asa;

    if (!take(&s, STR("%")) || !split_at(s, STR(":"), &code, &s) || code.n > 64 ||
        !split_at(code, STR("-"), &facility, &severity) || !split_last(severity, STR("-"), &severity, &mnemonic))
        return false;
    split_last(severity, STR("-"), &facility, &severity); /* NX-OS: %SYSMGR-STANDBY-3-SHUTDOWN_START */
    if (severity.n != 1 || !is_digit(*severity.p))
        return false;
    skip_blanks(&s);
    asa = str_eq(facility, STR("ASA")) || str_eq(facility, STR("FTD")) || str_eq(facility, STR("PIX"));
    w->ev->parser = STR("cisco");
    w->ev->class = asa ? CLASS_FW : CLASS_NET;
    w->types |= asa ? FW(2) : 0;
    work_add(w, STR("event.code"), asa ? mnemonic : code);
    work_add(w, STR("event.provider"), facility);
    work_add(w, STR("event.severity"), severity);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str row = str_c(rows[i].code), part;

        if (!str_starts(row, facility) || !split_at(row, STR("-"), &part, &row) || !str_eq(part, facility) ||
            !str_starts(mnemonic, row))
            continue;
        work_sense(w, &rows[i].sense);
        break;
    }
    if (str_eq(facility, STR("SEC")))
        access_list(w, s);
    else if (str_eq(facility, STR("SEC_LOGIN")))
        brackets(w, s);
    else if (str_eq(facility, STR("SYS")) && take(&s, STR("Configured from console by ")))
        work_user(w, take_word(&s));
    return true;
}
