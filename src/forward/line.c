/* line.c - events as messages of syslog (RFC 5424).
 *
 * original    the line as it came where it is a message of syslog (it begins with <PRI>); a line of a file gets a header before it, made of what the event
 *             says, and is the MSG.
 * structured  always such a header, with two elements of structured data: what this Saqshy knows of the event, and its fields; the line is the MSG.
 *
 * Values that the grammar cannot hold (a field's name of more than 32 bytes or with blanks) are left out; the line itself is never changed, save that
 * one_line makes spaces of its line feeds. */
#include "forward/internal.h"

#define HEADER_HOST_MAX 255
#define HEADER_APP_MAX   48
#define HEADER_PROC_MAX 128
#define PARAM_NAME_MAX   32
#define SD_BYTES_MAX    (64u * KIB)   /* of the fields of one event */
#define PRI_USER_NOTICE  13
#define PRI_MAX         191

#define FIELD_PRIORITY  "log.syslog.priority"
#define FIELD_SEVERITY  "log.syslog.severity.code"
#define FIELD_FACILITY  "log.syslog.facility.code"
#define FIELD_HOST      "host.name"
#define FIELD_APP       "process.name"
#define FIELD_PROC      "process.pid"

static const char *const names[] = { "format", "enterprise", "framing", NULL };

int line_form_take(const struct upstream_conf *c, const char *file, struct line_form *out, struct err *e)
{
    const char *format = upstream_option(c, "format"), *number = upstream_option(c, "enterprise"), *framing = upstream_option(c, "framing");
    bool tcp = c->type == UPSTREAM_syslog_tcp;
    uint64_t n = 32473;   /* RFC 5612: for documentation and examples */
    int rc = upstream_only(c, file, names, e);

    *out = (struct line_form){ LINE_ORIGINAL, false, 32473 };
    if (rc < 0)
        return rc;
    if (format && strcmp(format, "original") != 0 && strcmp(format, "structured") != 0)
        return upstream_bad(c, file, "format", e, "\"format\" must be original or structured");
    if (number && (!str_u64(str_c(number), &n) || n < 1 || n > UINT32_MAX))
        return upstream_bad(c, file, "enterprise", e, "\"enterprise\" must be the number of an organisation at IANA");
    if (framing && (!tcp || (strcmp(framing, "octets") != 0 && strcmp(framing, "lines") != 0)))
        return upstream_bad(c, file, "framing", e, tcp ? "\"framing\" must be octets or lines" : "only the kind syslog_tcp has \"framing\"");
    out->format = format && strcmp(format, "structured") == 0 ? LINE_STRUCTURED : LINE_ORIGINAL;
    out->enterprise = (uint32_t)n;
    out->one_line = framing && strcmp(framing, "lines") == 0;
    return 0;
}

bool line_wants(const struct line_form *f, struct str field)
{
    static const struct str header[] = { STR_INIT(FIELD_PRIORITY), STR_INIT(FIELD_SEVERITY), STR_INIT(FIELD_FACILITY),
                                         STR_INIT(FIELD_HOST), STR_INIT(FIELD_APP), STR_INIT(FIELD_PROC) };

    for (size_t i = 0; i < COUNT(header); i++)
        if (str_eq(field, header[i]))
            return true;
    return f->format == LINE_STRUCTURED;
}

/* has_pri - "<0>" to "<191>" at the beginning. */
static bool has_pri(struct str s)
{
    unsigned v = 0;
    size_t i = 1;

    if (s.n < 3 || s.p[0] != '<')
        return false;
    for (; i < s.n && i < 4 && s.p[i] >= '0' && s.p[i] <= '9'; i++)
        v = v * 10 + (unsigned)(s.p[i] - '0');
    return i > 1 && i < s.n && s.p[i] == '>' && v <= PRI_MAX;
}

/* put_token - a part of the header: printable ASCII without blanks, cut at most bytes; "-" for nothing. */
static void put_token(struct buf *out, struct str s, size_t most)
{
    size_t n = min_size(s.n, most);

    buf_byte(out, ' ');
    if (n == 0)
        buf_byte(out, '-');
    for (size_t i = 0; i < n; i++)
        buf_byte(out, s.p[i] > 32 && s.p[i] < 127 ? s.p[i] : '_');
}

static unsigned priority(const struct event *ev)
{
    uint64_t pri, facility, severity;

    if (str_u64(event_get(ev, STR(FIELD_PRIORITY)), &pri) && pri <= PRI_MAX)
        return (unsigned)pri;
    if (!str_u64(event_get(ev, STR(FIELD_SEVERITY)), &severity) || severity > 7)
        severity = PRI_USER_NOTICE % 8;
    if (!str_u64(event_get(ev, STR(FIELD_FACILITY)), &facility) || facility > 23)
        facility = PRI_USER_NOTICE / 8;
    return (unsigned)(facility * 8 + severity);
}

/* put_time - at most six digits of a fraction are allowed (6.2.3). */
static void put_time(struct buf *out, const struct event *ev)
{
    char text[TIME_TEXT_MAX];

    buf_str(out, ev->time > 0 ? str_c(time_format_utc(ev->time / 1000 * 1000, text)) : STR("-"));
}

/* put_value - a PARAM-VALUE: '"', '\' and ']' are escaped, control bytes become spaces; what is no UTF-8 may stand there in practice. */
static void put_value(struct buf *out, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];

        if (c == '"' || c == '\\' || c == ']')
            buf_byte(out, '\\');
        buf_byte(out, c >= 0 && c < 32 ? ' ' : c);
    }
}

static bool param_name(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] <= 32 || s.p[i] >= 127 || s.p[i] == '=' || s.p[i] == ']' || s.p[i] == '"')
            return false;
    return s.n > 0 && s.n <= PARAM_NAME_MAX;
}

static void put_param(struct buf *out, struct str name, struct str value)
{
    if (!value.n || !param_name(name))
        return;
    buf_byte(out, ' ');
    buf_str(out, name);
    buf_str(out, STR("=\""));
    put_value(out, value);
    buf_byte(out, '"');
}

static void put_structured(struct buf *out, const struct line_form *f, const struct event *ev)
{
    size_t began;

    buf_printf(out, "[saqshy@%u", f->enterprise);
    put_param(out, STR("source"), ev->source);
    put_param(out, STR("object"), ev->object);
    put_param(out, STR("class"), str_c(event_class_name(ev->class)));
    put_param(out, STR("parser"), ev->parser);
    put_param(out, STR("parse"), str_c(event_parse_name(ev->parse)));
    buf_byte(out, ']');
    began = out->n;
    for (uint32_t i = 0; i < ev->field_count; i++) {
        const struct event_field *field = &ev->fields[i];

        if (out->n - began + field->value.n > SD_BYTES_MAX || !field->value.n || !param_name(field->name))
            continue;
        if (out->n == began)
            buf_printf(out, "[fields@%u", f->enterprise);
        put_param(out, field->name, field->value);
    }
    if (out->n > began)
        buf_byte(out, ']');
}

static void put_text(struct buf *out, struct str s, bool one_line)
{
    size_t at = out->n;

    buf_str(out, s);
    for (; one_line && !buf_failed(out) && at < out->n; at++)
        if (out->p[at] == '\n' || out->p[at] == '\r')
            out->p[at] = ' ';
}

/* put_message - with a header of ours. */
static void put_message(struct buf *out, const struct line_form *f, const struct event *ev)
{
    buf_byte(out, '<');
    buf_decimal(out, priority(ev));
    buf_str(out, STR(">1 "));
    put_time(out, ev);
    put_token(out, event_get(ev, STR(FIELD_HOST)), HEADER_HOST_MAX);
    put_token(out, event_get(ev, STR(FIELD_APP)), HEADER_APP_MAX);
    put_token(out, event_get(ev, STR(FIELD_PROC)), HEADER_PROC_MAX);
    buf_str(out, STR(" - "));
    if (f->format == LINE_STRUCTURED)
        put_structured(out, f, ev);
    else
        buf_byte(out, '-');
    buf_byte(out, ' ');
    put_text(out, ev->original, f->one_line);
}

struct str line_of(const struct line_form *f, const struct event *ev, struct buf *room)
{
    bool whole = f->format == LINE_ORIGINAL && has_pri(ev->original);

    if (whole && !f->one_line)
        return ev->original;
    buf_reset(room);
    if (whole)
        put_text(room, ev->original, true);
    else
        put_message(room, f, ev);
    return buf_view(room);
}
