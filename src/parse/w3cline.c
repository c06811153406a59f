/* w3cline.c - what the columns of a W3C log mean in ECS: web servers (IIS), and the firewall of Windows; see internal.h.
 * Dates and times are UTC, as the format says, save in the firewall's log, which is in the local zone of its host. */
#include "parse/forms_internal.h"

static const struct {
    struct str column, field;
} columns[] = {
    { PAIR("cs-method", "http.request.method") },
    { PAIR("cs-uri-stem", "url.path") },
    { PAIR("cs-uri-query", "url.query") },
    { PAIR("cs-username", "user.name") },
    { PAIR("cs(User-Agent)", "user_agent.original") },
    { PAIR("cs(Referer)", "http.request.referrer") },
    { PAIR("cs(Cookie)", "iis.access.cookie") },
    { PAIR("cs-host", "url.domain") },
    { PAIR("cs-uri", "url.path") },
    { PAIR("s-reason", "iis.error.reason_phrase") },
    { PAIR("s-queuename", "iis.error.queue_name") },
    { PAIR("s-siteid", "iis.error.site_id") },
    { PAIR("cs-version", "iis.access.version") },
    { PAIR("cs-bytes", "http.request.body.bytes") },
    { PAIR("sc-bytes", "http.response.body.bytes") },
    { PAIR("sc-status", "http.response.status_code") },
    { PAIR("sc-substatus", "iis.access.sub_status") },
    { PAIR("sc-win32-status", "iis.access.win32_status") },
    { PAIR("s-sitename", "iis.access.site_name") },
    { PAIR("s-computername", "iis.access.server_name") },
    { PAIR("s-port", "destination.port") },
    { PAIR("c-port", "source.port") },
    { PAIR("src-port", "source.port") },
    { PAIR("dst-port", "destination.port") },
    { PAIR("protocol", "network.transport") },
    { PAIR("action", "event.action") },
    { PAIR("path", "network.direction") },
    { PAIR("size", "network.bytes") },
};

static void address(struct work *w, struct str value, bool source)
{
    struct str ip = ip_of(value);

    if (str_chr(ip, '%') >= 0)
        ip.n = (size_t)str_chr(ip, '%'); /* fe80::1%4: the interface is the host's own affair */
    work_add(w, source ? STR("source.address") : STR("destination.address"), value);
    work_add(w, source ? STR("source.ip") : STR("destination.ip"), ip);
}

static void when(struct work *w, const struct form_pairs *p, bool local)
{
    struct parse_hints utc = *w->hints;
    struct work at = { .parser = w->parser, .hints = local ? w->hints : &utc, .arena = w->arena };
    struct str date = pairs_get(p, STR("date")), hour = pairs_get(p, STR("time"));
    struct stamp t;

    utc.zone_min = 0;
    if (date.n != 10 || hour.n < 8 || hour.n > 16)
        return;
    /* the two stand beside each other in the line nearly always: then the text is a view */
    if (hour.p == date.p + 11 && stamp_text(&at, str_of(date.p, 11 + hour.n), &t)) {
        work_time(w, &t);
        return;
    }
    if (stamp_text(&at, arena_printf(w->arena, "%.*s %.*s", STR_ARG(date), STR_ARG(hour)), &t))
        work_time(w, &t);
}

/* url - the whole as it was asked for, and the extension of what was asked for. */
static void url(struct work *w, const struct form_pairs *p)
{
    struct str stem = pairs_get(p, STR("cs-uri-stem")), query = pairs_get(p, STR("cs-uri-query")), before, name, extension;

    if (stem.n == 0)
        stem = pairs_get(p, STR("cs-uri"));
    if (stem.n == 0)
        return;
    work_add(w, STR("destination.domain"), pairs_get(p, STR("cs-host")));
    work_add(w, STR("url.original"), query.n ? arena_printf(w->arena, "%.*s?%.*s", STR_ARG(stem), STR_ARG(query)) : stem);
    if (!split_last(stem, STR("/"), &before, &name))
        name = stem;
    if (split_last(name, STR("."), &before, &extension) && extension.n > 0 && extension.n <= 16)
        work_add(w, STR("url.extension"), extension);
}

static void web(struct work *w, const struct form_pairs *p)
{
    struct str status = pairs_get(p, STR("sc-status")), took = pairs_get(p, STR("time-taken"));
    uint64_t code, ms;

    work_add(w, STR("event.category"), STR("web"));
    work_add(w, STR("event.category"), STR("network"));
    work_add(w, STR("event.type"), STR("connection"));
    if (str_u64(status, &code))
        work_add(w, STR("event.outcome"), code < 400 ? STR("success") : STR("failure"));
    if (str_u64(took, &ms) && ms < UINT64_MAX / 1000000)
        work_number(w, STR("event.duration"), ms * 1000000);
    url(w, p);
    w->ev->class = CLASS_APP;
    w->types |= APP(5);
}

static void firewall(struct work *w, struct str action)
{
    bool allowed = str_ieq(action, STR("ALLOW")) || str_ieq(action, STR("OPEN"));

    work_add(w, STR("event.category"), STR("network"));
    work_add(w, STR("event.type"), STR("connection"));
    work_add(w, STR("event.type"), allowed ? STR("allowed") : STR("denied"));
    w->ev->class = CLASS_FW;
    w->types |= FW(1) | FW(2);
}

bool w3c_line(struct work *w)
{
    struct form_how how = { .memory = w->hints->memory, .source = w->hints->source };
    struct form_pairs p;
    bool wall;

    if (!form_kind_read(form_kind_of(STR("w3c")), w->msg, &how, w->arena, &p))
        return false;
    w->ev->parser = STR("w3c");
    w->trouble = w->trouble || p.damaged;
    if (*w->msg.p == '#') {
        work_add(w, p.items[0].name, p.items[0].value);
        return true;
    }
    wall = pairs_get(&p, STR("src-ip")).n > 0 || pairs_get(&p, STR("dst-ip")).n > 0;
    when(w, &p, wall);
    for (uint32_t i = 0; i < p.count; i++) {
        struct str name = p.items[i].name, value = p.items[i].value, field = { NULL, 0 };

        if (str_eq(name, STR("date")) || str_eq(name, STR("time")) || str_eq(name, STR("time-taken")))
            continue;
        if (str_eq(name, STR("c-ip")) || str_eq(name, STR("src-ip")) || str_eq(name, STR("s-ip")) || str_eq(name, STR("dst-ip"))) {
            address(w, value, str_eq(name, STR("c-ip")) || str_eq(name, STR("src-ip")));
            continue;
        }
        for (size_t k = 0; k < COUNT(columns) && field.n == 0; k++)
            if (str_eq(name, columns[k].column))
                field = columns[k].field;
        if (str_eq(field, STR("iis.access.version")) && take(&value, STR("HTTP/")))
            field = STR("http.version");
        work_add(w, field.n ? field : label_name(w->arena, STR("w3c."), name), value);
    }
    if (wall)
        firewall(w, pairs_get(&p, STR("action")));
    else if (pairs_get(&p, STR("cs-method")).n || pairs_get(&p, STR("sc-status")).n || pairs_get(&p, STR("s-reason")).n)
        web(w, &p);
    return true;
}
