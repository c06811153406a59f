/* cefline.c - what the keys of CEF and LEEF mean in ECS; see internal.h. Keys without a place there are kept as
 * cef.extensions.KEY and leef.KEY; a labelled one (cs1 with cs1Label) by its label. */
#include "parse/forms_internal.h"

enum kind { K_TEXT, K_HASH, K_IP, K_NUMBER, K_TIME, K_SUSER, K_DUSER, K_WAY, K_LOWER };

struct meaning {
    struct str key, field;
    enum kind kind;
};

/* Sorted by key: found by halving. */
static const struct meaning cef_keys[] = {
    { PAIR("act", "event.action"), K_TEXT },
    { PAIR("app", "network.protocol"), K_LOWER },
    { PAIR("cat", "cef.category"), K_TEXT },
    { PAIR("destinationDnsDomain", "destination.registered_domain"), K_TEXT },
    { PAIR("destinationTranslatedAddress", "destination.nat.ip"), K_IP },
    { PAIR("destinationTranslatedPort", "destination.nat.port"), K_NUMBER },
    { PAIR("deviceDirection", "network.direction"), K_WAY },
    { PAIR("deviceExternalId", "observer.serial_number"), K_TEXT },
    { PAIR("deviceInboundInterface", "observer.ingress.interface.name"), K_TEXT },
    { PAIR("deviceOutboundInterface", "observer.egress.interface.name"), K_TEXT },
    { PAIR("deviceProcessName", "process.name"), K_TEXT },
    { PAIR("dhost", "destination.domain"), K_TEXT },
    { PAIR("dmac", "destination.mac"), K_TEXT },
    { PAIR("dntdom", "destination.user.domain"), K_TEXT },
    { PAIR("dpt", "destination.port"), K_NUMBER },
    { PAIR("dst", "destination.ip"), K_IP },
    { PAIR("duid", "destination.user.id"), K_TEXT },
    { PAIR("duser", "destination.user.name"), K_DUSER },
    { PAIR("dvc", "observer.ip"), K_IP },
    { PAIR("dvchost", "observer.hostname"), K_TEXT },
    { PAIR("dvcmac", "observer.mac"), K_TEXT },
    { PAIR("end", "event.end"), K_TIME },
    { PAIR("externalId", "event.id"), K_TEXT },
    { PAIR("fileHash", "file.hash.sha256"), K_HASH },
    { PAIR("fileId", "file.inode"), K_TEXT },
    { PAIR("filePath", "file.path"), K_TEXT },
    { PAIR("fileType", "file.type"), K_TEXT },
    { PAIR("fname", "file.name"), K_TEXT },
    { PAIR("fsize", "file.size"), K_NUMBER },
    { PAIR("in", "source.bytes"), K_NUMBER },
    { PAIR("msg", "message"), K_TEXT },
    { PAIR("out", "destination.bytes"), K_NUMBER },
    { PAIR("outcome", "event.outcome"), K_LOWER },
    { PAIR("proto", "network.transport"), K_LOWER },
    { PAIR("reason", "event.reason"), K_TEXT },
    { PAIR("request", "url.original"), K_TEXT },
    { PAIR("requestClientApplication", "user_agent.original"), K_TEXT },
    { PAIR("requestContext", "http.request.referrer"), K_TEXT },
    { PAIR("requestMethod", "http.request.method"), K_TEXT },
    { PAIR("rt", "event.created"), K_TIME },
    { PAIR("shost", "source.domain"), K_TEXT },
    { PAIR("smac", "source.mac"), K_TEXT },
    { PAIR("sntdom", "source.user.domain"), K_TEXT },
    { PAIR("sourceTranslatedAddress", "source.nat.ip"), K_IP },
    { PAIR("sourceTranslatedPort", "source.nat.port"), K_NUMBER },
    { PAIR("spt", "source.port"), K_NUMBER },
    { PAIR("src", "source.ip"), K_IP },
    { PAIR("start", "event.start"), K_TIME },
    { PAIR("suid", "source.user.id"), K_TEXT },
    { PAIR("suser", "source.user.name"), K_SUSER },
};

static const struct meaning leef_keys[] = {
    { PAIR("accountName", "source.user.name"), K_SUSER },
    { PAIR("action", "event.action"), K_TEXT },
    { PAIR("cat", "leef.category"), K_TEXT },
    { PAIR("devTime", "event.created"), K_TIME },
    { PAIR("domain", "source.user.domain"), K_TEXT },
    { PAIR("dst", "destination.ip"), K_IP },
    { PAIR("dstBytes", "destination.bytes"), K_NUMBER },
    { PAIR("dstMAC", "destination.mac"), K_TEXT },
    { PAIR("dstPackets", "destination.packets"), K_NUMBER },
    { PAIR("dstPort", "destination.port"), K_NUMBER },
    { PAIR("dstPostNAT", "destination.nat.ip"), K_IP },
    { PAIR("dstPostNATPort", "destination.nat.port"), K_NUMBER },
    { PAIR("identHostName", "source.domain"), K_TEXT },
    { PAIR("identSrc", "source.address"), K_TEXT },
    { PAIR("msg", "message"), K_TEXT },
    { PAIR("policy", "rule.name"), K_TEXT },
    { PAIR("proto", "network.transport"), K_LOWER },
    { PAIR("reason", "event.reason"), K_TEXT },
    { PAIR("sev", "event.severity"), K_NUMBER },
    { PAIR("src", "source.ip"), K_IP },
    { PAIR("srcBytes", "source.bytes"), K_NUMBER },
    { PAIR("srcMAC", "source.mac"), K_TEXT },
    { PAIR("srcPackets", "source.packets"), K_NUMBER },
    { PAIR("srcPort", "source.port"), K_NUMBER },
    { PAIR("srcPostNAT", "source.nat.ip"), K_IP },
    { PAIR("srcPostNATPort", "source.nat.port"), K_NUMBER },
    { PAIR("url", "url.original"), K_TEXT },
    { PAIR("usrName", "source.user.name"), K_SUSER },
};

static const struct meaning *meaning_of(const struct meaning *keys, size_t count, struct str key)
{
    size_t low = 0, high = count;

    while (low < high) {
        size_t middle = (low + high) / 2;
        int c = str_cmp(key, keys[middle].key);

        if (c == 0)
            return &keys[middle];
        if (c < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

static struct str lower(struct work *w, struct str s)
{
    char *copy;
    size_t n = 0;

    while (n < s.n && !(s.p[n] >= 'A' && s.p[n] <= 'Z'))
        n++;
    if (n == s.n || (copy = arena_alloc(w->arena, s.n)) == NULL)
        return s;
    for (size_t i = 0; i < s.n; i++)
        copy[i] = s.p[i] >= 'A' && s.p[i] <= 'Z' ? (char)(s.p[i] + 32) : s.p[i];
    return str_of(copy, s.n);
}

/* moment - a stamp, perhaps with the name of a zone behind it, or a number since 1970. */
static bool moment(struct work *w, struct str s, struct stamp *t)
{
    struct str rest = s;

    return stamp_text(w, s, t) || (stamp_take(w, &rest, t) && rest.n <= 7);
}

/* put - one pair by its meaning. False: the value does not fit it. */
static bool put(struct work *w, const struct meaning *m, struct str value)
{
    char text[TIME_TEXT_MAX];
    struct stamp t;
    struct str ip;

    switch (m->kind) {
    case K_IP:
        ip = ip_of(value);
        if (ip.n == 0)
            return false;
        if (str_eq(m->field, STR("source.ip")))
            work_add(w, STR("source.address"), ip);
        else if (str_eq(m->field, STR("destination.ip")))
            work_add(w, STR("destination.address"), ip);
        value = ip;
        break;
    case K_NUMBER:
        if (!all_digits(value))
            return false;
        break;
    case K_TIME:
        if (!moment(w, value, &t))
            return false;
        if (str_eq(m->field, STR("event.created")))
            work_time(w, &t); /* more exact than the header's, and with a year */
        value = arena_copy(w->arena, str_c(time_format_utc(t.time, text)));
        break;
    case K_HASH: /* which it is, its length tells */
        if (value.n != 32 && value.n != 40 && value.n != 64)
            return false;
        work_add(w, value.n == 32 ? STR("file.hash.md5") : value.n == 40 ? STR("file.hash.sha1") : m->field, value);
        return true;
    case K_WAY:
        value = str_eq(value, STR("0")) ? STR("inbound") : str_eq(value, STR("1")) ? STR("outbound") : value;
        break;
    case K_LOWER:
        value = lower(w, value);
        break;
    case K_SUSER:
        work_set(w, STR("user.name"), value);
        break;
    case K_DUSER:
        if (event_get(w->ev, STR("user.name")).n == 0)
            work_add(w, STR("user.name"), value);
        break;
    case K_TEXT:
        break;
    }
    work_add(w, m->field, value);
    return true;
}

static void other(struct work *w, const char *head, struct str key, struct str value)
{
    work_add(w, ARENA_JOIN(w->arena, str_c(head), word_of(key, 200)), value);
}

/* labelled - "cs1" where "cs1Label" stands too: it is told by its label. */
static bool labelled(const struct form_pairs *p, struct str key)
{
    if (str_ends(key, STR("Label")) && key.n > 5)
        return pairs_get(p, str_left(key, key.n - 5)).n > 0;
    if (key.n > 24)
        return false;
    for (uint32_t i = 0; i < p->count; i++)
        if (p->items[i].name.n == key.n + 5 && str_starts(p->items[i].name, key) && str_ends(p->items[i].name, STR("Label")))
            return p->items[i].value.n > 0;
    return false;
}

/* class_of - firewalls say so in the name of the product; what else speaks these forms protects something. */
static enum event_class class_of(struct str vendor, struct str product)
{
    static const char *const walls[] = { "firewall", "fortigate", "pan-os", "vpn-1", "asa", "usg", "sonicwall", "ngfw", "utm" };

    for (size_t i = 0; i < COUNT(walls); i++)
        if (str_ifind(product, str_c(walls[i])) >= 0)
            return CLASS_FW;
    return str_ieq(vendor, STR("Microsoft")) && str_ifind(product, STR("Windows")) >= 0 ? CLASS_OS_WINDOWS : CLASS_SEC;
}

/* severity - a number, or one of the five words of CEF. */
static void severity(struct work *w, struct str s)
{
    static const struct {
        struct str word;
        const char *number;
    } words[] = { { STR_INIT("Unknown"), NULL }, { STR_INIT("Low"), "3" }, { STR_INIT("Medium"), "6" },
                  { STR_INIT("High"), "8" },     { STR_INIT("Very-High"), "10" } };

    work_add(w, STR("cef.severity"), s);
    for (size_t i = 0; i < COUNT(words); i++)
        if (str_ieq(s, words[i].word))
            s = str_c(words[i].number);
    if (all_digits(s))
        work_add(w, STR("event.severity"), s);
}

static void observer(struct work *w, struct str vendor, struct str product, struct str version)
{
    work_add(w, STR("observer.vendor"), vendor);
    work_add(w, STR("observer.product"), product);
    work_add(w, STR("observer.version"), version);
    w->ev->class = class_of(vendor, product);
    if (w->ev->class == CLASS_FW)
        w->types |= FW(2);
}

bool cef_line(struct work *w)
{
    struct form_pairs p;

    if (!form_kind_read(form_kind_of(STR("cef")), w->msg, NULL, w->arena, &p))
        return false;
    w->ev->parser = STR("cef");
    work_add(w, STR("cef.version"), p.items[0].value);
    observer(w, p.items[1].value, p.items[2].value, p.items[3].value);
    work_add(w, STR("event.code"), p.items[4].value);
    work_add(w, STR("cef.name"), pairs_get(&p, STR("cef.name")));
    severity(w, pairs_get(&p, STR("cef.severity")));
    for (uint32_t i = 7; i < p.count; i++) {
        struct str key = p.items[i].name, value = p.items[i].value;
        const struct meaning *m = meaning_of(cef_keys, COUNT(cef_keys), key);

        if (value.n == 0 || (m && put(w, m, value)))
            continue;
        if (take(&key, STR("label.")) || !labelled(&p, key))
            other(w, "cef.extensions.", key, value);
    }
    if (event_get(w->ev, STR("message")).n == 0)
        work_add(w, STR("message"), pairs_get(&p, STR("cef.name")));
    w->quoted = true;
    w->trouble = w->trouble || p.damaged;
    return true;
}

void cef_other(struct work *w, bool leef, struct str key, struct str value, bool label)
{
    static const struct meaning heads[] = {
        { PAIR("cef.device.event_class_id", "event.code"), K_TEXT }, { PAIR("cef.device.product", "observer.product"), K_TEXT },
        { PAIR("cef.device.vendor", "observer.vendor"), K_TEXT },    { PAIR("cef.device.version", "observer.version"), K_TEXT },
        { PAIR("leef.device.product", "observer.product"), K_TEXT }, { PAIR("leef.device.vendor", "observer.vendor"), K_TEXT },
        { PAIR("leef.device.version", "observer.version"), K_TEXT }, { PAIR("leef.event_id", "event.code"), K_TEXT },
    };
    const struct meaning *m = leef ? meaning_of(leef_keys, COUNT(leef_keys), key) : meaning_of(cef_keys, COUNT(cef_keys), key);

    if (!m && (str_starts(key, STR("cef.")) || str_starts(key, STR("leef.")))) {
        m = meaning_of(heads, COUNT(heads), key);
        if (m)
            work_add(w, m->field, value);
        else if (str_eq(key, STR("cef.severity")))
            severity(w, value);
        else
            work_add(w, key, value);
        return;
    }
    if ((m && put(w, m, value)) || label)
        return;
    (void)take(&key, STR("label."));
    other(w, leef ? "leef." : "cef.extensions.", key, value);
}

bool leef_line(struct work *w)
{
    struct form_pairs p;

    if (!form_kind_read(form_kind_of(STR("leef")), w->msg, NULL, w->arena, &p))
        return false;
    w->ev->parser = STR("leef");
    work_add(w, STR("leef.version"), p.items[0].value);
    observer(w, p.items[1].value, p.items[2].value, p.items[3].value);
    work_add(w, STR("event.code"), p.items[4].value);
    for (uint32_t i = 5; i < p.count; i++) {
        const struct meaning *m = meaning_of(leef_keys, COUNT(leef_keys), p.items[i].name);

        if (p.items[i].value.n && !(m && put(w, m, p.items[i].value)))
            other(w, "leef.", p.items[i].name, p.items[i].value);
    }
    w->quoted = event_get(w->ev, STR("message")).n > 0;
    w->trouble = w->trouble || p.damaged;
    return true;
}

bool meanings_sorted(void)
{
    for (size_t i = 1; i < COUNT(cef_keys); i++)
        if (str_cmp(cef_keys[i - 1].key, cef_keys[i].key) >= 0)
            return false;
    for (size_t i = 1; i < COUNT(leef_keys); i++)
        if (str_cmp(leef_keys[i - 1].key, leef_keys[i].key) >= 0)
            return false;
    return true;
}
