/* logsource.c - which rules an event is shown to.
 *
 * A rule names product, category and service; it applies when every name it gives is true of the event. What an event is, it
 * says by its class and parser (ours) or by channel and event number (Windows). Tables: winlog.def and services below. */
#include "sigma/internal.h"

struct channel  { const char *service, *channel; };
struct category { const char *category, *service, *event_id, *event_type; };

static const struct channel channels[] = {
#define CHANNEL(service, channel) { service, channel },
#define CATEGORY(category, service, id, type)
#include "sigma/winlog.def"
#undef CHANNEL
#undef CATEGORY
};
static const struct category categories[] = {
#define CHANNEL(service, channel)
#define CATEGORY(category, service, id, type) { category, service, id, type },
#include "sigma/winlog.def"
#undef CHANNEL
#undef CATEGORY
};

/* Services and categories of other products: true when the parser, the program or the class is one of the words. */
static const struct { const char *name, *words; } words[] = {
    { "auth", "sshd login su sudo pam gdm systemd-logind useradd userdel usermod groupadd passwd chpasswd polkitd" },
    { "cron", "cron crond anacron" },
    { "clamav", "clamav clamd freshclam clamonacc" },
    { "syslog", "syslog" },
    { "aaa", "cisco cisco-ios" }, { "bgp", "cisco cisco-ios juniper huawei" }, { "ldp", "cisco cisco-ios" },   /* their log lines do not name the service */
    { "webserver", "apache nginx haproxy iis traefik lighttpd httpd apache2 access" },
    { "proxy", "squid haproxy" },
    { "database", "postgresql postgres mysql mysqld mariadb mariadbd mongod redis oracle mssql" },
    { "dns", "named unbound dnsmasq pdns bind" },
    { "antivirus", "clamav clamd freshclam clamonacc drweb kesl" },
    { "firewall", "netfilter iptables nftables ufw firewalld" },
};

static bool same(struct str a, struct str b) { return str_ieq(a, b); }

static bool word_in(struct str list, struct str word)
{
    struct str one;

    while (word.n && str_split(&list, ' ', &one))
        if (same(one, word))
            return true;
    return false;
}

static struct str windows_service_channel(struct str service, uint32_t *at)
{
    for (; *at < COUNT(channels); (*at)++)
        if (same(service, str_c(channels[*at].service)))
            return str_c(channels[(*at)++].channel);
    return (struct str){ NULL, 0 };
}

static bool windows_service(struct str service, const struct origin *o)
{
    uint32_t at = 0;
    struct str c;

    while ((c = windows_service_channel(service, &at)).n)
        if (same(c, o->channel))
            return true;
    return false;
}

static bool windows_category(struct str category, const struct origin *o)
{
    for (size_t i = 0; i < COUNT(categories); i++) {
        const struct category *c = &categories[i];

        if (!same(category, str_c(c->category)) || !str_eq(o->event_id, str_c(c->event_id)))
            continue;
        if (c->event_type[0] && o->event_type.n && !same(o->event_type, str_c(c->event_type)))
            continue;
        if (windows_service(str_c(c->service), o))
            return true;
    }
    return false;
}

/* named - the event's parser, program or ECS category bears the name, or one of the words that stand for it. */
static bool named(struct str name, const struct origin *o)
{
    struct str program = event_get(o->ev, STR("process.name")), value;
    uint32_t at = 0;

    if (same(name, o->ev->parser) || same(name, program))
        return true;
    for (size_t i = 0; i < COUNT(words); i++)
        if (same(name, str_c(words[i].name)) &&
            (word_in(str_c(words[i].words), o->ev->parser) || word_in(str_c(words[i].words), program)))
            return true;
    while (event_values(o->ev, STR("event.category"), &at, &value))
        if (same(value, name) || (same(name, STR("webserver")) && same(value, STR("web"))))
            return true;
    return same(name, event_get(o->ev, STR("event.dataset"))) || same(name, event_get(o->ev, STR("event.module")));
}

static bool has_value(const struct event *ev, struct str field, struct str want)
{
    struct str value;
    uint32_t at = 0;

    while (event_values(ev, field, &at, &value))
        if (same(value, want))
            return true;
    return false;
}

/* unix_category - process and file events as ECS describes them. */
static bool unix_category(struct str category, const struct origin *o)
{
    if (same(category, STR("process_creation")))
        return has_value(o->ev, STR("event.category"), STR("process")) && has_value(o->ev, STR("event.type"), STR("start"));
    if (same(category, STR("file_event")))
        return has_value(o->ev, STR("event.category"), STR("file"));
    if (same(category, STR("network_connection")))
        return has_value(o->ev, STR("event.category"), STR("network"));
    return named(category, o);
}

static bool product_is(struct str product, const struct origin *o)
{
    if (o->product.n)
        return same(product, o->product) ||
               (same(o->product, STR("linux")) && same(product, STR("unix")));
    return named(product, o) || same(product, event_get(o->ev, STR("observer.vendor"))) ||
           same(product, event_get(o->ev, STR("observer.product")));
}

static struct str field_value(struct view *v, uint32_t field)
{
    uint32_t i = view_first(v, field);

    return i == UINT32_MAX ? (struct str){ NULL, 0 } : view_value(v, i)->raw;
}

void origin_of(struct view *v, const struct sigma *s, const struct event *ev, struct origin *o)
{
    *o = (struct origin){ .ev = ev };
    o->event_id = field_value(v, s->f_event_id);
    o->channel = field_value(v, s->f_channel);
    o->event_type = field_value(v, s->f_event_type);
    o->provider = field_value(v, s->f_provider);
    if (ev->class == CLASS_OS_WINDOWS || (ev->class == CLASS_NONE && o->channel.n && o->event_id.n))
        o->product = STR("windows");
    else if (ev->class == CLASS_OS_UNIX)
        o->product = STR("linux");
}

bool origin_unknown(const struct origin *o)
{
    return o->product.n == 0 && o->ev->class == CLASS_NONE &&
           (o->ev->parser.n == 0 || o->ev->parse == EVENT_PARSE_FAILED || same(o->ev->parser, STR("json")));
}

bool logsource_applies(const struct logsource *l, const struct origin *o, bool loose)
{
    bool windows = same(o->product, STR("windows"));

    if (loose && origin_unknown(o))
        return true;
    if (l->product.n && !product_is(l->product, o))
        return false;
    if (l->category.n && !(windows ? windows_category(l->category, o) : unix_category(l->category, o)) &&
        !(same(l->category, STR("firewall")) && o->ev->class == CLASS_FW) &&
        !(same(l->category, STR("database")) && o->ev->class == CLASS_DB) &&
        !(same(l->category, STR("application")) && o->ev->class == CLASS_APP))
        return false;
    if (l->service.n && !(windows ? windows_service(l->service, o) : named(l->service, o)) &&
        !(same(l->service, STR("syslog")) && !windows && event_get(o->ev, STR("process.name")).n))
        return false;
    return true;
}

static bool named_alike(struct str wanted, struct str given) { return wanted.n == 0 || same(wanted, given); }

bool logsource_within(const struct logsource *part, const struct logsource *whole)
{
    return named_alike(part->product, whole->product) && named_alike(part->category, whole->category) && named_alike(part->service, whole->service);
}

/* Texts that the functions above compare with, besides those of their tables. */
static const char *const fixed_words[] = { "process", "file", "network", "web", "webserver", "start", "json" };

bool logsource_word(uint32_t i, struct str *out)
{
    const size_t sizes[] = { COUNT(fixed_words), COUNT(channels), COUNT(categories), COUNT(categories), COUNT(words) };
    size_t table = 0, at = i;
    struct str list, one = { NULL, 0 };

    while (table < COUNT(sizes) && at >= sizes[table])
        at -= sizes[table++];
    switch (table) {
    case 0: *out = str_c(fixed_words[at]); return true;
    case 1: *out = str_c(channels[at].channel); return true;
    case 2: *out = str_c(categories[at].event_id); return true;
    case 3: *out = str_c(categories[at].event_type); return true;
    case 4: *out = str_c(words[at].name); return true;
    default: break;
    }
    for (size_t w = 0; w < COUNT(words); w++)
        for (list = str_c(words[w].words); str_split(&list, ' ', &one);)
            if (at-- == 0) {
                *out = one;
                return true;
            }
    return false;
}
