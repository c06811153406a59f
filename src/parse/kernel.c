/* kernel.c - the kernel's own lines: packets logged by netfilter, devices, links, access control; see internal.h. */
#include "parse/internal.h"

static const struct sense packet_allowed = { "network", NULL, "connection", "allowed", "allow", "success", FW(1) };
static const struct sense packet_denied = { "network", NULL, "connection", "denied", "deny", "failure", FW(1) };
static const struct sense packet_seen = { "network", NULL, "connection", NULL, "packet", NULL, FW(1) };

/* verdict - from the prefix that whoever wrote the rule gave it; packets are logged, the verdict is a convention. */
static const struct sense *verdict(struct str prefix)
{
    static const char *const denied[] = { "block",  "drop",    "drp",   "deny",   "denied",
                                          "reject", "invalid", "limit", "refuse", "bad" };
    static const char *const allowed[] = { "allow", "accept", "acc-", "pass", "permit", "audit" };

    for (size_t i = 0; i < COUNT(denied); i++)
        if (str_ifind(prefix, str_c(denied[i])) >= 0)
            return &packet_denied;
    for (size_t i = 0; i < COUNT(allowed); i++)
        if (str_ifind(prefix, str_c(allowed[i])) >= 0)
            return &packet_allowed;
    return &packet_seen;
}

/* mac - "dst(6):src(6):type(2)" as two addresses in ECS form. */
static void mac(struct work *w, struct str s)
{
    static const struct {
        size_t at;
        const char *field;
    } parts[] = { { 0, "destination.mac" }, { 18, "source.mac" } };

    if (s.n < 35)
        return;
    for (size_t i = 0; i < COUNT(parts); i++) {
        char *copy = arena_alloc(w->arena, 17);

        if (!copy)
            return;
        for (size_t n = 0; n < 17; n++) {
            char c = s.p[parts[i].at + n];

            copy[n] = c == ':' ? '-' : c >= 'a' && c <= 'f' ? (char)(c - 32) : c;
        }
        work_add(w, str_c(parts[i].field), str_of(copy, 17));
    }
}

static struct str lower(struct work *w, struct str s)
{
    static const struct {
        const char *upper, *lower;
    } known[] = {
        { "TCP", "tcp" }, { "UDP", "udp" }, { "ICMP", "icmp" }, { "ICMPv6", "ipv6-icmp" }, { "UDPLITE", "udplite" },
        { "ESP", "esp" }, { "AH", "ah" },   { "SCTP", "sctp" }, { "2", "igmp" },           { "47", "gre" },
    };

    for (size_t i = 0; i < COUNT(known); i++)
        if (str_eq(s, str_c(known[i].upper)))
            return str_c(known[i].lower);
    return s;
}

static void pair(struct work *w, struct str key, struct str value, bool *first_len)
{
    static const struct {
        struct str key, field;
    } keys[] = {
        { PAIR("SRC", "source.ip") },
        { PAIR("DST", "destination.ip") },
        { PAIR("SPT", "source.port") },
        { PAIR("DPT", "destination.port") },
        { PAIR("PROTO", "network.transport") },
        { PAIR("LEN", "network.bytes") },
        { PAIR("IN", "observer.ingress.interface.name") },
        { PAIR("OUT", "observer.egress.interface.name") },
        { PAIR("TTL", "iptables.ttl") },
        { PAIR("ID", "iptables.id") },
        { PAIR("TOS", "iptables.tos") },
        { PAIR("PREC", "iptables.precedence_bits") },
        { PAIR("WINDOW", "iptables.tcp.window") },
        { PAIR("TYPE", "iptables.icmp.type") },
        { PAIR("CODE", "iptables.icmp.code") },
        { PAIR("MARK", "iptables.mark") },
        { PAIR("PHYSIN", "iptables.physical_input") },
        { PAIR("PHYSOUT", "iptables.physical_output") },
        { PAIR("UID", "user.id") },
        { PAIR("GID", "group.id") },
        { PAIR("VID", "network.vlan.id") },
    };

    if (key.n == 0)
        return;
    if (str_eq(key, STR("MAC"))) {
        mac(w, value);
        return;
    }
    for (size_t i = 0; i < COUNT(keys); i++) {
        if (key.n != keys[i].key.n || *key.p != *keys[i].key.p || memcmp(key.p, keys[i].key.p, key.n) != 0)
            continue;
        if (i < 2)
            value = ip_of(value);
        else if (i == 4)
            value = lower(w, value);
        else if (i == 5 && !*first_len)
            return; /* the second LEN is that of UDP */
        if (i == 5)
            *first_len = false;
        work_add(w, keys[i].field, value);
        return;
    }
}

/* uptime - "[ 3529.289825] " before a kernel message. */
static void uptime(struct str *s)
{
    struct str at = *s, inside;

    if (!take(&at, STR("[")) || !split_at(at, STR("]"), &inside, &at) || inside.n > 20)
        return;
    for (size_t i = 0; i < inside.n; i++)
        if (!is_digit(inside.p[i]) && inside.p[i] != '.' && inside.p[i] != ' ')
            return;
    skip_blanks(&at);
    *s = at;
}

bool netfilter_message(struct work *w)
{
    struct str s = w->msg, prefix, key, value;
    ptrdiff_t in = str_find(s, STR("IN="));
    bool first_len = true;

    if (in < 0 || !has(s, STR(" OUT=")) || !has(s, STR(" SRC=")))
        return false;
    uptime(&s);
    in -= s.p - w->msg.p;
    prefix = str_trim(str_left(s, (size_t)in));
    if (prefix.n)
        work_add(w, STR("rule.name"), prefix);
    work_sense(w, verdict(prefix));
    s = str_cut(s, (size_t)in);
    while (s.n) {
        struct str word = take_word(&s);

        if (split_at(word, STR("="), &key, &value))
            pair(w, key, value, &first_len);
        else if (word.n > 3)
            continue;
        else if (str_eq(word, STR("SYN")) || str_eq(word, STR("ACK")) || str_eq(word, STR("FIN")) ||
                 str_eq(word, STR("RST")) || str_eq(word, STR("PSH")) || str_eq(word, STR("URG")))
            work_add(w, STR("iptables.tcp.flags"), word);
        else if (str_eq(word, STR("DF")))
            work_add(w, STR("iptables.fragment_flags"), word);
    }
    value = event_get(w->ev, STR("source.ip"));
    if (value.n)
        work_add(w, STR("network.type"), has(value, STR(":")) ? STR("ipv6") : STR("ipv4"));
    w->ev->parser = STR("netfilter");
    w->ev->class = CLASS_FW;
    return true;
}

bool kernel_message(struct work *w)
{
    static const struct row {
        const char *part;
        struct sense sense;
    } rows[] = {
        { "Linux version ", { "host", NULL, "start", NULL, "system_started", "success", OS(1) } },
        { "reboot: ", { "host", NULL, "end", NULL, "system_stopping", NULL, OS(1) } },
        { "New USB device found", { "host", NULL, "start", NULL, "device_connected", "success", OS(10) } },
        { "USB disconnect", { "host", NULL, "end", NULL, "device_disconnected", "success", OS(10) } },
        { "Attached SCSI", { "host", NULL, "start", NULL, "device_connected", "success", OS(10) } },
        { "entered promiscuous mode",
          { "network", "configuration", "change", NULL, "promiscuous_mode_entered", "success", OS(5) } },
        { "left promiscuous mode",
          { "network", "configuration", "change", NULL, "promiscuous_mode_left", "success", OS(5) } },
        { "Link is Up", { "network", NULL, "start", NULL, "link_up", "success", 0 } },
        { "Link is Down", { "network", NULL, "end", NULL, "link_down", "success", 0 } },
        { "link becomes ready", { "network", NULL, "start", NULL, "link_up", "success", 0 } },
        { "apparmor=\"DENIED\"", { "process", NULL, "denied", NULL, "violated-apparmor-policy", "failure", OS(12) } },
        { "avc:  denied", { "process", NULL, "denied", NULL, "violated-selinux-policy", "failure", OS(12) } },
        { "segfault at ", { "process", NULL, "error", NULL, "segfault", "failure", OS(13) } },
        { "Out of memory", { "process", NULL, "end", NULL, "out_of_memory", "failure", OS(13) } },
        { "Killed process ", { "process", NULL, "end", NULL, "out_of_memory", "failure", OS(13) } },
        { "Kernel logging (proc) stopped", { "process", NULL, "end", NULL, "logging_stopped", NULL, OS(7) } },
        { "loading out-of-tree module", { "driver", NULL, "start", NULL, "module_loaded", "success", OS(5) } },
        { "module verification failed", { "driver", NULL, "start", NULL, "module_loaded", "unknown", OS(5) } },
    };

    if (netfilter_message(w))
        return true;
    uptime(&w->msg);
    if (str_starts(w->msg, STR("audit: type=")) || str_starts(w->msg, STR("type=")) ||
        str_starts(w->msg, STR("audit(")))
        return audit_message(w);
    for (size_t i = 0; i < COUNT(rows); i++)
        if (has(w->msg, str_c(rows[i].part))) {
            work_sense(w, &rows[i].sense);
            return true;
        }
    return true; /* the kernel's vocabulary is open: nothing more is to be known */
}
