/* annex4.c - see annex4.h. */
#include "parse/annex4.h"
#include "parse/internal.h"
#include "base/lookalike.h"

#define CELL_MAX (256u * KIB) /* of one value; the original stays in the store whole */

/* --- what an event says for a field: the first of these that it has --- */

#define SAID(...) { __VA_ARGS__, { NULL, 0 } }
static const struct str host_name[] = SAID(STR_INIT("host.name"), STR_INIT("host.hostname"), STR_INIT("winlog.computer_name"), STR_INIT("log.syslog.hostname"));
static const struct str device_name[] = SAID(STR_INIT("observer.name"), STR_INIT("host.name"), STR_INIT("observer.hostname"), STR_INIT("host.hostname"),
                                             STR_INIT("log.syslog.hostname"));
static const struct str source_name[] = SAID(STR_INIT("service.name"), STR_INIT("observer.product"), STR_INIT("process.name"), STR_INIT("winlog.provider_name"),
                                             STR_INIT("event.provider"), STR_INIT("event.module"), STR_INIT("host.name"), STR_INIT("saqshy.parser"));
static const struct str account_id[] = SAID(STR_INIT("user.name"), STR_INIT("user.id"), STR_INIT("user.email"), STR_INIT("source.user.name"),
                                            STR_INIT("client.user.name"), STR_INIT("user.effective.name"), STR_INIT("user.target.name"),
                                            STR_INIT("destination.user.name"), STR_INIT("user.audit.id"));
static const struct str host_ip[] = SAID(STR_INIT("host.ip"), STR_INIT("observer.ip"), STR_INIT("server.ip"), STR_INIT("log.source.address"));
static const struct str host_ip_or_name[] = SAID(STR_INIT("host.ip"), STR_INIT("host.name"), STR_INIT("server.ip"), STR_INIT("server.address"),
                                                 STR_INIT("host.hostname"), STR_INIT("winlog.computer_name"), STR_INIT("log.source.address"));
static const struct str source_ip[] = SAID(STR_INIT("source.ip"), STR_INIT("client.ip"), STR_INIT("source.nat.ip"));
static const struct str destination_ip[] = SAID(STR_INIT("destination.ip"), STR_INIT("server.ip"), STR_INIT("destination.nat.ip"));
static const struct str client_ip[] = SAID(STR_INIT("source.ip"), STR_INIT("client.ip"), STR_INIT("related.ip"));
static const struct str object_name[] = SAID(STR_INIT("postgresql.audit.object_name"), STR_INIT("mysql.audit.table"), STR_INIT("oracle.audit.object"),
                                             STR_INIT("mssql.object"), STR_INIT("mongodb.audit.namespace"), STR_INIT("db.collection.name"));
static const struct str event_description[] = SAID(STR_INIT("message"), STR_INIT("event.reason"), STR_INIT("event.action"), STR_INIT("event.original"));

#define OS_CHAPTER                                                                                                                                  \
    {                                                                                                                                               \
        1, "R-A4.5-01", "R-A4.6-01", "R-A4.7-01", "R-A4.8-01", "R-A4.2-01",                                                                         \
        {                                                                                                                                           \
            { ANNEX4_TEXT, "R-A4.2-02", "host_name", "the host name is missing", host_name },                                                       \
            { ANNEX4_TEXT, "R-A4.2-03", "event_description", "the description of the event is missing", event_description }                         \
        }                                                                                                                                           \
    }
#define NET_CHAPTER                                                                                                                                 \
    {                                                                                                                                               \
        3, "R-A4.18-01", "R-A4.19-01", "R-A4.20-01", "R-A4.21-01", "R-A4.17-01",                                                                    \
        {                                                                                                                                           \
            { ANNEX4_TEXT, "R-A4.17-02", "device_name", "the name of the device is missing", device_name },                                         \
            { ANNEX4_TEXT, "R-A4.17-03", "account_id", "the account or user ID is missing", account_id },                                           \
            { ANNEX4_ADDRESS, "R-A4.17-04", "host_ip", "the IP address of the host is missing", host_ip },                                          \
            { ANNEX4_ADDRESS, "R-A4.17-05", "source_ip", "the source IP address is missing", source_ip },                                           \
            { ANNEX4_ADDRESS, "R-A4.17-06", "destination_ip", "the destination IP address is missing", destination_ip },                            \
            { ANNEX4_TEXT, "R-A4.17-07", "event_description", "the description of the event is missing", event_description }                        \
        }                                                                                                                                           \
    }

static const struct annex4_chapter chapters[CLASS_COUNT] = {
    [CLASS_OS_UNIX] = OS_CHAPTER,
    [CLASS_OS_WINDOWS] = OS_CHAPTER,
    [CLASS_DB] = { 2,
                   "R-A4.11-01",
                   "R-A4.12-01",
                   "R-A4.13-01",
                   "R-A4.14-01",
                   "R-A4.10-01",
                   { { ANNEX4_TEXT, "R-A4.10-02", "account_id", "the account name or user ID is missing", account_id },
                     { ANNEX4_TEXT, "R-A4.10-03", "host_ip_or_name", "the IP address or name of the host is missing", host_ip_or_name },
                     { ANNEX4_TEXT, "R-A4.10-04", "event_description", "the description of the event is missing", event_description },
                     { ANNEX4_OPTIONAL, "R-A4.10-05", "object_name", "the name of the object is missing", object_name } } },
    [CLASS_NET] = NET_CHAPTER,
    [CLASS_FW] = NET_CHAPTER,
    [CLASS_APP] = { 4,
                    "R-A4.24-01",
                    "R-A4.25-01",
                    "R-A4.26-01",
                    "R-A4.27-01",
                    "R-A4.23-01",
                    { { ANNEX4_TEXT, "R-A4.23-02", "source_name", "the name of the event source is missing", source_name },
                      { ANNEX4_TEXT, "R-A4.23-03", "account_id", "the account name or user ID is missing", account_id },
                      { ANNEX4_ADDRESS, "R-A4.23-04", "user_ip", "the IP address of the user is missing", client_ip },
                      { ANNEX4_TEXT, "R-A4.23-05", "operation_started_at", "the time when the operation started is missing", NULL },
                      { ANNEX4_TEXT, "R-A4.23-06", "operation_ended_at", "the time when the operation ended is missing", NULL },
                      { ANNEX4_TEXT, "R-A4.23-07", "event_description", "the description of the event is missing", event_description } } },
    [CLASS_SEC] = { 5,
                    "R-A4.30-01",
                    "R-A4.31-01",
                    "R-A4.32-01",
                    "R-A4.33-01",
                    "R-A4.29-01",
                    { { ANNEX4_TEXT, "R-A4.29-02", "source_name", "the name of the event source is missing", source_name },
                      { ANNEX4_TEXT, "R-A4.29-03", "account_id", "the account name or user ID is missing", account_id },
                      { ANNEX4_ADDRESS, "R-A4.29-04", "client_ip", "the IP address of the client is missing", client_ip },
                      { ANNEX4_TEXT, "R-A4.29-05", "operation_started_at", "the time when the operation started is missing", NULL },
                      { ANNEX4_TEXT, "R-A4.29-06", "operation_ended_at", "the time when the operation ended is missing", NULL },
                      { ANNEX4_TEXT, "R-A4.29-07", "event_description", "the description of the event is missing", event_description } } },
};

const struct annex4_chapter *annex4_chapter(enum event_class class) { return class > CLASS_NONE && class < CLASS_COUNT ? &chapters[class] : NULL; }

static struct str first_said(const struct event *ev, const struct str *names, bool address)
{
    for (; names->n; names++) {
        struct str v = str_trim(event_get(ev, *names));

        if (address)
            v = ip_of(v);
        if (v.n && !str_eq(v, STR(ANNEX4_NONE)))
            return v;
    }
    return str_of(NULL, 0);
}

/* moment_said - operation_started_at, operation_ended_at: event.start and event.end; else the duration counted back from the event. */
static struct str moment_said(const struct event *ev, bool end, int32_t zone_min, struct arena *a)
{
    struct str said = event_get(ev, end ? STR("event.end") : STR("event.start")), duration = event_get(ev, STR("event.duration"));
    int32_t zone = ev->offset_min == EVENT_OFFSET_NONE ? zone_min : ev->offset_min;
    uint64_t ns;
    time_ns t;
    struct civil c;

    if (said.n && time_parse_rfc3339(said, &t, NULL, NULL) < 0)
        return said;
    if (!said.n) {
        if (!duration.n || !str_u64(duration, &ns) || ns > (uint64_t)NS_PER_DAY * 366 || ev->marks & MARK_NO_TIME)
            return str_of(NULL, 0);
        t = end ? ev->time : ev->time - (time_ns)ns;
    }
    c = civil_of_ns(t, zone);
    return arena_printf(a, "%02d:%02d:%04d %02d:%02d:%02d", c.day, c.month, c.year, c.hour, c.minute, c.second);
}

/* --- the object of a statement, where the line names none: the word behind what the statement begins with, or its FROM --- */

static struct str sql_word(struct str *s)
{
    size_t n = 0;
    bool quoted = false;

    while (s->n && strchr(" \t\r\n(;,", *s->p) && *s->p)
        *s = str_cut(*s, 1);
    while (n < s->n && (quoted || !strchr(" \t\r\n(;,", s->p[n]) || !s->p[n])) {
        quoted ^= s->p[n] == '"' || s->p[n] == '`';
        n++;
    }
    struct str word = str_left(*s, n);
    *s = str_cut(*s, n);
    return word;
}

static bool one_of(struct str word, const char *const *words)
{
    for (; *words; words++)
        if (str_ieq(word, str_c(*words)))
            return true;
    return false;
}

/* bare - "shop"."Orders" without its quotes. */
static struct str bare(struct str s, struct arena *a)
{
    char *p = arena_alloc(a, s.n + 1);
    size_t n = 0;

    for (size_t i = 0; p && i < s.n; i++)
        if (s.p[i] != '"' && s.p[i] != '`' && s.p[i] != '[' && s.p[i] != ']')
            p[n++] = s.p[i];
    return str_of(p, p ? n : 0);
}

#define SQL_WORDS_MAX 200 /* a FROM that comes later is not looked for */

static struct str sql_object(const struct event *ev, struct arena *a)
{
    static const struct str queries[] = SAID(STR_INIT("postgresql.log.query"), STR_INIT("mysql.query"), STR_INIT("mysql.audit.query"), STR_INIT("oracle.audit.query"),
                                             STR_INIT("oracle.audit.statement"), STR_INIT("mssql.query"), STR_INIT("db.query.text"));
    static const char *const lead[] = { "insert", "into", "update", "delete", "from", "table", "view", "index", "procedure", "function", "call", "exec", "execute", "lock",
                                        "truncate", NULL };
    static const char *const passed[] = { "if", "exists", "not", "or", "replace", "only", "ignore", "low_priority", "concurrently", "unique", "into", "from", "table",
                                          "view", "procedure", "function", "tables", "materialized", "temporary", "temp", NULL };
    static const char *const begins[] = { "select", "insert", "update", "delete", "create", "alter", "drop", "truncate", "rename", "call", "exec", "execute", "lock", "merge", "with",
                                          "grant", "revoke", NULL };
    struct str s = first_said(ev, queries, false), word = sql_word(&s);
    bool named = one_of(word, lead);

    if (!one_of(word, begins))
        return str_of(NULL, 0);
    for (int i = 0; i < SQL_WORDS_MAX && s.n; i++) {
        word = sql_word(&s);
        if (named && word.n && !one_of(word, passed) && *word.p != '\'' && !str_ieq(word, STR("select")))
            return bare(word, a);
        named = one_of(word, lead) || (named && one_of(word, passed));
    }
    return str_of(NULL, 0);
}

struct str annex4_value(const struct event *ev, enum event_class class, size_t n, int32_t zone_min, struct arena *a)
{
    const struct annex4_field *f = &chapters[class].fields[n];
    struct str said;

    if (!f->said)
        return moment_said(ev, strcmp(f->name, "operation_ended_at") == 0, zone_min, a);
    said = first_said(ev, f->said, f->need == ANNEX4_ADDRESS);
    return said.n || f->need != ANNEX4_OPTIONAL ? said : sql_object(ev, a);
}

/* --- writing --- */

void annex4_header(enum event_class class, struct buf *out)
{
    buf_str(out, STR("event_datetime"));
    for (const struct annex4_field *f = chapters[class].fields; f->need != ANNEX4_END; f++)
        buf_printf(out, "%c%s", ANNEX4_DELIMITER, f->name);
    buf_printf(out, "%cevent_types%cevent_instant%cevent_source%crecord_id\n", ANNEX4_DELIMITER, ANNEX4_DELIMITER, ANNEX4_DELIMITER, ANNEX4_DELIMITER);
}

/* letter - the bytes of the letter at s.p, 0 if they are none. */
static size_t letter(struct str s)
{
    unsigned char c = (unsigned char)*s.p;
    size_t n = c < 0x80 ? 1 : c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : 2;

    return n <= s.n && str_utf8_valid(str_left(s, n)) ? n : 0;
}

/* plain - v as text without bytes that a record cannot hold. The braces keep what follows apart: a letter behind a hexadecimal digit would
 * make a word with it. */
static void plain(struct str v, struct buf *out)
{
    ptrdiff_t twin = lookalike_mixed(v);

    for (size_t i = 0; i < v.n;) {
        struct str here = str_cut(v, i);
        unsigned char c = (unsigned char)v.p[i];
        size_t n = letter(here);

        if (n == 0 || (c < 0x20 && c != '\t') || c == 0x7f || str_starts(here, STR("\\x{")) || str_starts(here, STR("\\u{"))) {
            buf_printf(out, "\\x{%02X}", c);
            n = 1;
        } else if (n == 2 && twin == (ptrdiff_t)i) {
            buf_printf(out, "\\u{%X}", (unsigned)((c & 0x1F) << 6 | ((unsigned char)v.p[i + 1] & 0x3F)));
        } else {
            buf_str(out, str_left(here, n));
        }
        i += n;
        if (twin >= 0 && (ptrdiff_t)i > twin) {
            twin = lookalike_mixed(str_cut(v, i));
            twin = twin < 0 ? twin : twin + (ptrdiff_t)i;
        }
    }
}

static void cell(struct str v, struct buf *out)
{
    AUTO_BUF struct buf text;

    buf_init(&text, 6 * CELL_MAX + 16);
    plain(str_trim(str_left(v, CELL_MAX)), &text);
    if (text.n == 0) {
        buf_str(out, STR(ANNEX4_NONE));
        return;
    }
    if (str_chr(buf_view(&text), ANNEX4_DELIMITER) < 0 && str_chr(buf_view(&text), '"') < 0) {
        buf_str(out, buf_view(&text));
        return;
    }
    buf_byte(out, '"');
    for (size_t i = 0; i < text.n; i++) {
        buf_byte(out, text.p[i]);
        if (text.p[i] == '"')
            buf_byte(out, '"');
    }
    buf_byte(out, '"');
}

/* types - the codes of Annex 4 that the event shows. */
static struct str types(const struct event *ev, struct arena *a)
{
    struct str v, all = { NULL, 0 };
    uint32_t at = 0;

    while (event_values(ev, STR("saqshy.types"), &at, &v))
        all = all.n ? arena_printf(a, "%.*s,%.*s", STR_ARG(all), STR_ARG(v)) : v;
    return all;
}

void annex4_record(const struct event *ev, enum event_class class, int32_t zone_min, struct arena *a, struct buf *out)
{
    struct civil c = civil_of_ns(ev->time, ev->offset_min == EVENT_OFFSET_NONE ? zone_min : ev->offset_min);

    assert(annex4_chapter(class));
    buf_printf(out, "%02d:%02d:%04d %02d:%02d:%02d", c.day, c.month, c.year, c.hour, c.minute, c.second);
    for (size_t i = 0; chapters[class].fields[i].need != ANNEX4_END; i++) {
        buf_byte(out, ANNEX4_DELIMITER);
        cell(annex4_value(ev, class, i, zone_min, a), out);
    }
    buf_byte(out, ANNEX4_DELIMITER);
    cell(types(ev, a), out);
    buf_byte(out, ANNEX4_DELIMITER);
    buf_time(out, ev->time);
    buf_byte(out, ANNEX4_DELIMITER);
    cell(ev->source, out);
    buf_printf(out, "%c%llu\n", ANNEX4_DELIMITER, (unsigned long long)ev->seq);
}
