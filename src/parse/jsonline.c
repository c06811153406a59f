/* jsonline.c - what the keys of a JSON line mean: ECS names for the well-known ones, the time, the class, and, where
 * the line wraps a message of a known program (journald's export), that program's parser; see internal.h. */
#include "parse/internal.h"

/* Keys of loggers that say what ECS has a name for. The first of a target counts, a later one keeps its own name. */
static const struct {
    const char *key, *field;
} keys[] = {
    { "msg", "message" }, { "MESSAGE", "message" }, { "log", "message" }, { "short_message", "message" },
    { "level", "log.level" }, { "lvl", "log.level" }, { "severity", "log.level" }, { "loglevel", "log.level" },
    { "log_level", "log.level" }, { "levelname", "log.level" }, { "logger", "log.logger" }, { "logger_name", "log.logger" },
    { "host", "host.name" }, { "hostname", "host.name" }, { "_HOSTNAME", "host.name" }, { "host.hostname", "host.name" },
    { "pid", "process.pid" }, { "_PID", "process.pid" }, { "SYSLOG_PID", "process.pid" }, { "_COMM", "process.name" },
    { "SYSLOG_IDENTIFIER", "process.name" }, { "_EXE", "process.executable" }, { "_CMDLINE", "process.command_line" },
    { "_UID", "user.id" }, { "_SYSTEMD_UNIT", "systemd.unit" }, { "PRIORITY", "log.syslog.severity.code" },
    { "SYSLOG_FACILITY", "log.syslog.facility.code" }, { "app", "service.name" }, { "application", "service.name" },
    { "service", "service.name" }, { "user", "user.name" }, { "username", "user.name" }, { "user_name", "user.name" },
    { "src_ip", "source.ip" }, { "srcip", "source.ip" }, { "source_ip", "source.ip" }, { "client_ip", "source.ip" },
    { "clientip", "source.ip" }, { "remote_addr", "source.ip" }, { "remote_ip", "source.ip" }, { "src_port", "source.port" },
    { "srcport", "source.port" }, { "dest_ip", "destination.ip" }, { "dst_ip", "destination.ip" },
    { "dstip", "destination.ip" }, { "dest_port", "destination.port" }, { "dst_port", "destination.port" },
    { "dstport", "destination.port" }, { "status", "http.response.status_code" }, { "method", "http.request.method" },
    { "user_agent", "user_agent.original" }, { "trace_id", "trace.id" }, { "span_id", "span.id" },
};

/* Keys that say when, the surest first. */
static const char *const time_keys[] = {
    "@timestamp", "timestamp", "time", "ts", "_SOURCE_REALTIME_TIMESTAMP", "__REALTIME_TIMESTAMP", "datetime", "eventTime",
    "event.created", "date", "t",
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

            if (f->name.p[0] != keys[k].key[0] || !str_eq(f->name, str_c(keys[k].key)))
                continue;
            to = str_c(keys[k].field);
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
}

/* own_members - an object may bring names that are members of an event; ours wins, what it said of itself is moved. */
static void own_members(struct work *w, uint32_t first)
{
    static const char *const taken[] = { "event.original", "saqshy.source", "saqshy.object", "saqshy.parser", "saqshy.parse",
                                         "saqshy.class", "saqshy.types", "saqshy.marks", "saqshy.seq", "event.received",
                                         "saqshy.time_text" };

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
