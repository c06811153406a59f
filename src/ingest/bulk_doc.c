/* bulk_doc.c - a document of a sender as a record: what is its original, its text, its time and host.
 *
 *     winlog.event_id or winlog.channel   Winlogbeat: the document itself is read, as an event of Windows
 *     event.original                      is the original, and what is parsed
 *     message                             is parsed; if no parser knows it, the document is. The original is the document
 *     anything else                       the document is parsed, and is the original; and one that is longer than a record, in pieces
 *
 * In every case the members of the document that are names of fields become fields, where parsing found none of the name. */
#include "ingest/bulk.h"
#include "parse/forms.h"

#define MS_LEAST INT64_C(100000000000)      /* 1973: smaller numbers are seconds */

static time_ns time_of(struct str s)
{
    time_ns t = 0;
    int64_t n;
    struct err e;

    if (str_i64(s, &n))
        return n <= 0 || n > INT64_MAX / NS_PER_MS ? 0 : n >= MS_LEAST ? n * NS_PER_MS : n * NS_PER_SECOND;
    return time_parse_rfc3339(s, &t, NULL, &e) == 0 ? t : 0;
}

static struct str host_of(const struct form_pairs *p)
{
    static const char *const names[] = { "host.name", "host.hostname", "agent.hostname", "agent.name", "beat.hostname", "hostname", "host" };

    for (size_t i = 0; i < COUNT(names); i++) {
        struct str s = pairs_get(p, str_c(names[i]));

        if (s.n && s.n < EVENT_NAME_MAX)
            return s;
    }
    return str_of(NULL, 0);
}

int bulk_document(struct taking *t, struct str document, struct err *e)
{
    const struct record known = { .zone_min = EVENT_OFFSET_NONE };

    return bulk_document_as(t, document, &known, e);
}

int bulk_document_as(struct taking *t, struct str document, const struct record *known, struct err *e)
{
    struct arena *a = taking_arena(t);
    struct form_pairs *pairs = arena_zero(a, sizeof *pairs);
    struct record r = *known;
    struct str original, message;
    time_ns time;
    size_t most = taking_pile(t)->record_bytes ? (size_t)taking_pile(t)->record_bytes : LINE_MAX_BYTES;

    r.text = document;
    if (!pairs)
        return err_set(e, -ENOMEM, "no memory for a document");
    if (*document.p != '{' || !form_kind_read(form_kind_of(STR("json")), document, NULL, a, pairs))
        return take_record(t, &r, e);      /* no object: kept as it is, unparsed */
    time = time_of(pairs_get(pairs, STR("@timestamp")));
    if (time)
        r.time = time;
    if (host_of(pairs).n)
        r.host = host_of(pairs);
    r.path = pairs_get(pairs, STR("log.file.path"));
    if (r.path.n > EVENT_NAME_MAX)
        r.path = str_of(NULL, 0);
    original = pairs_get(pairs, STR("event.original"));
    message = pairs_get(pairs, STR("message"));
    if (original.n) {
        r.text = original;
        r.pairs = pairs;
    } else if (message.n && document.n <= most && !pairs_get(pairs, STR("winlog.event_id")).n && !pairs_get(pairs, STR("winlog.channel")).n) {
        r.text = message;
        r.pairs = pairs;
        r.document = document;
    }
    return take_record(t, &r, e);
}
