/* jsonline.c - what the keys of a JSON line mean: ECS names for the well-known ones, the time, the class, and, where
 * the line wraps a message of a known program (journald's export), that program's parser; see internal.h. */
#include "parse/internal.h"

/* Keys of loggers that say what ECS has a name for. The first of a target counts, a later one keeps its own name. */
static const struct {
    struct str key, field;
} keys[] = {
    { PAIR("msg", "message") },
    { PAIR("MESSAGE", "message") },
    { PAIR("log", "message") },
    { PAIR("short_message", "message") },
    { PAIR("level", "log.level") },
    { PAIR("lvl", "log.level") },
    { PAIR("severity", "log.level") },
    { PAIR("loglevel", "log.level") },
    { PAIR("log_level", "log.level") },
    { PAIR("levelname", "log.level") },
    { PAIR("logger", "log.logger") },
    { PAIR("logger_name", "log.logger") },
    { PAIR("host", "host.name") },
    { PAIR("hostname", "host.name") },
    { PAIR("_HOSTNAME", "host.name") },
    { PAIR("host.hostname", "host.name") },
    { PAIR("pid", "process.pid") },
    { PAIR("_PID", "process.pid") },
    { PAIR("SYSLOG_PID", "process.pid") },
    { PAIR("_COMM", "process.name") },
    { PAIR("SYSLOG_IDENTIFIER", "process.name") },
    { PAIR("_EXE", "process.executable") },
    { PAIR("_CMDLINE", "process.command_line") },
    { PAIR("_UID", "user.id") },
    { PAIR("_SYSTEMD_UNIT", "systemd.unit") },
    { PAIR("PRIORITY", "log.syslog.severity.code") },
    { PAIR("SYSLOG_FACILITY", "log.syslog.facility.code") },
    { PAIR("app", "service.name") },
    { PAIR("application", "service.name") },
    { PAIR("service", "service.name") },
    { PAIR("user", "user.name") },
    { PAIR("username", "user.name") },
    { PAIR("user_name", "user.name") },
    { PAIR("src_ip", "source.ip") },
    { PAIR("srcip", "source.ip") },
    { PAIR("source_ip", "source.ip") },
    { PAIR("client_ip", "source.ip") },
    { PAIR("clientip", "source.ip") },
    { PAIR("remote_addr", "source.ip") },
    { PAIR("remote_ip", "source.ip") },
    { PAIR("src_port", "source.port") },
    { PAIR("srcport", "source.port") },
    { PAIR("dest_ip", "destination.ip") },
    { PAIR("dst_ip", "destination.ip") },
    { PAIR("dstip", "destination.ip") },
    { PAIR("dest_port", "destination.port") },
    { PAIR("dst_port", "destination.port") },
    { PAIR("dstport", "destination.port") },
    { PAIR("status", "http.response.status_code") },
    { PAIR("method", "http.request.method") },
    { PAIR("user_agent", "user_agent.original") },
    { PAIR("trace_id", "trace.id") },
    { PAIR("span_id", "span.id") },
};

/* Keys that say when, the surest first. */
static const char *const time_keys[] = {
    "@timestamp", "timestamp",     "time", "ts", "_SOURCE_REALTIME_TIMESTAMP", "__REALTIME_TIMESTAMP", "datetime",
    "eventTime",  "event.created", "date", "t",
};

static void find_time(struct work *w)
{
    struct stamp t;

    for (size_t i = 0; i < COUNT(time_keys); i++) {
        struct str v = event_get(w->ev, str_c(time_keys[i]));

        if (v.n && stamp_text(w, v, &t)) {
            work_time(w, &t);
            return;
        }
    }
}

/* rename_keys - only the fields from first on: those that the object brought. */
static void rename_keys(struct work *w, uint32_t first)
{
    for (uint32_t i = first; i < w->ev->field_count; i++) {
        struct event_field *f = &w->ev->fields[i];

        if (f->name.n > 20)
            continue;
        for (size_t k = 0; k < COUNT(keys); k++) {
            struct str to;

            if (!str_eq(f->name, keys[k].key))
                continue;
            to = keys[k].field;
            if (str_eq(to, STR("source.ip")) || str_eq(to, STR("destination.ip"))) {
                struct str ip = ip_of(f->value);

                if (ip.n == 0)
                    break;
                f->value = ip;
            }
            if (str_eq(to, STR("http.response.status_code")) && (f->value.n != 3 || !all_digits(f->value)))
                break;
            if (event_get(w->ev, to).n == 0)
                f->name = to;
            break;
        }
    }
    work_survey(w);
}

/* drop_field - one that is told by a member of the event. */
static void drop_field(struct work *w, struct str name)
{
    struct event *ev = w->ev;
    uint32_t kept = 0;

    for (uint32_t i = 0; i < ev->field_count; i++)
        if (!str_eq(ev->fields[i].name, name))
            ev->fields[kept++] = ev->fields[i];
    ev->field_count = kept;
    work_survey(w);
}

/* own_members - an object may bring names that are members of an event; ours wins, what it said of itself is moved. */
static void own_members(struct work *w, uint32_t first)
{
    static const char *const taken[] = { "event.original", "saqshy.source",  "saqshy.object",   "saqshy.parser",
                                         "saqshy.parse",   "saqshy.class",   "saqshy.types",    "saqshy.marks",
                                         "saqshy.seq",     "event.received", "saqshy.time_text" };

    for (uint32_t i = first; i < w->ev->field_count; i++) {
        struct event_field *f = &w->ev->fields[i];

        if (f->name.n < 12 || f->name.n > 16 || (f->name.p[0] != 'e' && f->name.p[0] != 's'))
            continue;
        for (size_t k = 0; k < COUNT(taken); k++)
            if (str_eq(f->name, str_c(taken[k])))
                f->name = arena_printf(w->arena, "json.%s", taken[k]);
    }
}

/* class_of - our own log says app or sec; others are applications, unless a program of an operating system is named. */
static void class_of(struct work *w)
{
    if (str_eq(event_get(w->ev, STR("event.module")), STR("saqshy"))) {
        struct str said = event_get(w->ev, STR("json.saqshy.class"));

        w->ev->class = str_eq(said, STR("sec")) ? CLASS_SEC : CLASS_APP;
        drop_field(w, STR("json.saqshy.class"));
    } else if (w->ev->class == CLASS_NONE) {
        w->ev->class = CLASS_APP;
    }
}

bool json_line(struct work *w)
{
    uint32_t first = w->ev->field_count;
    bool whole = json_object(w, w->msg);
    struct str message, name;
    bool journald;

    if (!whole && w->ev->field_count == first)
        return false;
    own_members(w, first);
    if (windows_json(w, first)) {
        w->quoted = event_get(w->ev, STR("message")).n > 0;
        return true;
    }
    journald = event_get(w->ev, STR("__REALTIME_TIMESTAMP")).n || event_get(w->ev, STR("SYSLOG_IDENTIFIER")).n;
    if (!w->timed) {
        find_time(w);
        if (w->timed)
            drop_field(w, STR("@timestamp"));
    }
    if (journald && event_get(w->ev, STR("SYSLOG_IDENTIFIER")).n)
        drop_field(w, STR("_COMM"));
    rename_keys(w, first);
    w->ev->parser = STR("json");
    message = event_get(w->ev, STR("message"));
    name = event_get(w->ev, STR("process.name"));
    if (journald && message.n && program_of(w->parser, name)) {
        w->program = name;
        w->msg = message;
        w->quoted = true;
        program_message(w);
    } else {
        w->quoted = message.n > 0;
    }
    class_of(w);
    return true;
}
