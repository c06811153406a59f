/* kernel.c - the kernel's own lines: packets logged by netfilter, devices, links, access control; see internal.h. */
#include "parse/internal.h"

static const struct sense packet_allowed = SENSE("network", "", "connection", "allowed", "allow", "success", FW(1));
static const struct sense packet_denied = SENSE("network", "", "connection", "denied", "deny", "failure", FW(1));
static const struct sense packet_seen = SENSE("network", "", "connection", "", "packet", "", FW(1));

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

/* What a packet's line says, in the order in which the kernel writes it. */
enum how { AS_IT_IS, AN_ADDRESS, A_PROTOCOL, THE_LENGTH, TWO_MACS };
static const struct packet_key {
    struct str key, field;
    enum how how;
} packet_keys[] = {
    { PAIR("IN", "observer.ingress.interface.name"), AS_IT_IS },
    { PAIR("OUT", "observer.egress.interface.name"), AS_IT_IS },
    { PAIR("PHYSIN", "iptables.physical_input"), AS_IT_IS },
    { PAIR("PHYSOUT", "iptables.physical_output"), AS_IT_IS },
    { PAIR("MAC", ""), TWO_MACS },
    { PAIR("SRC", "source.ip"), AN_ADDRESS },
    { PAIR("DST", "destination.ip"), AN_ADDRESS },
    { PAIR("LEN", "network.bytes"), THE_LENGTH },
    { PAIR("TOS", "iptables.tos"), AS_IT_IS },
    { PAIR("PREC", "iptables.precedence_bits"), AS_IT_IS },
    { PAIR("TTL", "iptables.ttl"), AS_IT_IS },
    { PAIR("ID", "iptables.id"), AS_IT_IS },
    { PAIR("PROTO", "network.transport"), A_PROTOCOL },
    { PAIR("SPT", "source.port"), AS_IT_IS },
    { PAIR("DPT", "destination.port"), AS_IT_IS },
    { PAIR("WINDOW", "iptables.tcp.window"), AS_IT_IS },
    { PAIR("TYPE", "iptables.icmp.type"), AS_IT_IS },
    { PAIR("CODE", "iptables.icmp.code"), AS_IT_IS },
    { PAIR("UID", "user.id"), AS_IT_IS },
    { PAIR("GID", "group.id"), AS_IT_IS },
    { PAIR("MARK", "iptables.mark"), AS_IT_IS },
    { PAIR("VID", "network.vlan.id"), AS_IT_IS },
};

/* packet_key - the entry for a key, looked for from *at on and around: mostly it is the next. NULL: none; *at stays. */
static const struct packet_key *packet_key(struct str key, size_t *at)
{
    size_t i = *at;

    do {
        const struct packet_key *k = &packet_keys[i];

        i = i + 1 < COUNT(packet_keys) ? i + 1 : 0;
        if (same_name(k->key, key)) {
            *at = i;
            return k;
        }
    } while (i != *at);
    return NULL;
}

static void pair(struct work *w, const struct packet_key *k, struct str value, bool *length_seen)
{
    switch (k->how) {
    case TWO_MACS:
        mac(w, value);
        return;
    case AN_ADDRESS:
        value = ip_of(value);
        break;
    case A_PROTOCOL:
        value = lower(w, value);
        break;
    case THE_LENGTH:
        if (*length_seen)
            return; /* the second LEN is that of UDP */
        *length_seen = true;
        break;
    case AS_IT_IS:
        break;
    }
    work_add(w, k->field, value);
}

/* flag - a word between the pairs. */
static void flag(struct work *w, struct str word)
{
    if (word.n != 3) {
        if (str_eq(word, STR("DF")))
            work_add(w, STR("iptables.fragment_flags"), word);
    } else if (str_eq(word, STR("SYN")) || str_eq(word, STR("ACK")) || str_eq(word, STR("FIN")) || str_eq(word, STR("RST")) || str_eq(word, STR("PSH")) ||
               str_eq(word, STR("URG"))) {
        work_add(w, STR("iptables.tcp.flags"), word);
    }
}

/* uptime - "[ 3529.289825] " before a kernel message. */
static void uptime(struct str *s)
{
    const char *p = s->p + 1, *end = s->p + min_size(s->n, 22);

    if (s->n == 0 || *s->p != '[')
        return;
    while (p < end && (is_digit(*p) || *p == '.' || *p == ' '))
        p++;
    if (p == end || *p != ']')
        return;
    *s = str_of(p + 1, s->n - (size_t)(p + 1 - s->p));
    skip_blanks(s);
}

/* packet_looks - what every packet's line has: "IN=", which begins at in, with " OUT=" behind it or somewhere, and " SRC=". */
static bool packet_looks(struct str s, ptrdiff_t in)
{
    struct str rest = in < 0 ? (struct str){ NULL, 0 } : str_cut(s, (size_t)in);

    take_word(&rest);
    return in >= 0 && (str_starts(rest, STR("OUT=")) || has(s, STR(" OUT="))) && has(s, STR(" SRC="));
}

/* word_ends - where the word at the head of s ends; *equals: where its first '=' stands, or that end. Most words have fewer than 16 bytes. */
static inline size_t word_ends(struct str s, size_t *equals)
{
    size_t end;

#ifdef __SSE2__
    if (s.n >= 16) {
        __m128i x = _mm_loadu_si128((const void *)s.p);
        unsigned signs = any_of(x, '=', '=', '=', '='), blanks = any_of(x, ' ', '\t', ' ', '\t');

        if (signs && blanks) {
            end = (size_t)__builtin_ctz(blanks);
            *equals = min_size((size_t)__builtin_ctz(signs), end);
            return end;
        }
    }
#endif
    *equals = until(s, '=', ' ', '\t', ' ');
    end = *equals + until(str_cut(s, *equals), ' ', '\t', ' ', '\t');
    return end;
}

bool netfilter_message(struct work *w)
{
    struct str s = w->msg, prefix, value;
    ptrdiff_t in = str_find(s, STR("IN="));
    bool length_seen = false;
    size_t next = 0;

    if (!packet_looks(s, in))
        return false;
    uptime(&s);
    in -= s.p - w->msg.p;
    prefix = str_trim(str_left(s, (size_t)in));
    work_add(w, STR("rule.name"), prefix);
    work_sense(w, verdict(prefix));
    s = str_cut(s, (size_t)in);
    while (s.n) {
        size_t equals, end = word_ends(s, &equals);
        struct str word = str_of(s.p, equals);
        const struct packet_key *k;

        if (equals == end)
            flag(w, word);
        else if ((k = packet_key(word, &next)) != NULL)
            pair(w, k, str_of(s.p + equals + 1, end - equals - 1), &length_seen);
        s = str_of(s.p + end, s.n - end);
        skip_blanks(&s);
    }
    value = work_first(w, NOTED_SOURCE_IP);
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
        { "Linux version ", SENSE("host", "", "start", "", "system_started", "success", OS(1)) },
        { "reboot: ", SENSE("host", "", "end", "", "system_stopping", "", OS(1)) },
        { "New USB device found", SENSE("host", "", "start", "", "device_connected", "success", OS(10)) },
        { "USB disconnect", SENSE("host", "", "end", "", "device_disconnected", "success", OS(10)) },
        { "Attached SCSI", SENSE("host", "", "start", "", "device_connected", "success", OS(10)) },
        { "entered promiscuous mode",
          SENSE("network", "configuration", "change", "", "promiscuous_mode_entered", "success", OS(5)) },
        { "left promiscuous mode",
          SENSE("network", "configuration", "change", "", "promiscuous_mode_left", "success", OS(5)) },
        { "Link is Up", SENSE("network", "", "start", "", "link_up", "success", 0) },
        { "Link is Down", SENSE("network", "", "end", "", "link_down", "success", 0) },
        { "link becomes ready", SENSE("network", "", "start", "", "link_up", "success", 0) },
        { "apparmor=\"DENIED\"", SENSE("process", "", "denied", "", "violated-apparmor-policy", "failure", OS(12)) },
        { "avc:  denied", SENSE("process", "", "denied", "", "violated-selinux-policy", "failure", OS(12)) },
        { "segfault at ", SENSE("process", "", "error", "", "segfault", "failure", OS(13)) },
        { "Out of memory", SENSE("process", "", "end", "", "out_of_memory", "failure", OS(13)) },
        { "Killed process ", SENSE("process", "", "end", "", "out_of_memory", "failure", OS(13)) },
        { "Kernel logging (proc) stopped", SENSE("process", "", "end", "", "logging_stopped", "", OS(7)) },
        { "loading out-of-tree module", SENSE("driver", "", "start", "", "module_loaded", "success", OS(5)) },
        { "module verification failed", SENSE("driver", "", "start", "", "module_loaded", "unknown", OS(5)) },
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
