/* hec_body.c - bodies of HEC requests: events, raw lines, questions for acks; see hec.h. */
#include "ingest/hec.h"
#include "parse/forms.h"

#include <stdlib.h>

#define SECONDS_MOST 1e11      /* larger numbers are milliseconds */

static int wrong(struct err *e, const char *why) { return err_set(e, -EBADMSG, "%s", why); }

time_ns hec_time(struct str s)
{
    ptrdiff_t dot = str_chr(s, '.');
    struct str whole = dot < 0 ? s : str_of(s.p, (size_t)dot), part = dot < 0 ? str_of(NULL, 0) : str_cut(s, (size_t)dot + 1);
    uint64_t seconds, digits;
    char copy[40];
    double d;

    if (str_u64(whole, &seconds) && seconds < (uint64_t)(INT64_MAX / NS_PER_SECOND) && (part.n == 0 || str_u64(str_of(part.p, min_size(part.n, 18)), &digits))) {
        time_ns t = (time_ns)seconds * NS_PER_SECOND, unit = NS_PER_SECOND / 10;

        for (size_t i = 0; i < part.n && unit > 0; i++, unit /= 10)
            t += unit * (part.p[i] - '0');
        return t;
    }
    if (str_u64(s, &seconds) && seconds >= (uint64_t)SECONDS_MOST && seconds < (uint64_t)(INT64_MAX / NS_PER_MS))
        return (time_ns)seconds * NS_PER_MS;
    snprintf(copy, sizeof copy, "%.*s", (int)min_size(s.n, sizeof copy - 1), s.n ? s.p : "");
    d = strtod(copy, NULL);
    d *= d >= SECONDS_MOST ? 1e6 : 1e9;
    return d > 0 && d < (double)INT64_MAX ? (time_ns)d : 0;
}

/* keep - a value of the envelope: a text, or a number as it was written. */
static void keep(struct str *to, enum jtoken t, struct str text)
{
    if ((t == J_STRING || t == J_NUMBER) && text.n <= EVENT_NAME_MAX)
        *to = text;
}

/* read_member - the value of one key. */
static int read_member(struct jread *r, struct str key, struct hec_event *out, bool *met, struct err *e)
{
    struct str raw, text;
    enum jtoken t = jread_value(r, &raw, &text);

    if (t == J_BAD || t == J_END)
        return wrong(e, "Invalid data format");
    if (str_eq(key, STR("event"))) {
        *met = true;
        out->text = t == J_STRING ? text : t == J_NULL ? str_of(NULL, 0) : raw;
    } else if (str_eq(key, STR("time"))) {
        out->time = t == J_STRING || t == J_NUMBER ? hec_time(text) : 0;
    } else if (str_eq(key, STR("host"))) {
        keep(&out->host, t, text);
    } else if (str_eq(key, STR("source"))) {
        keep(&out->source, t, text);
    } else if (str_eq(key, STR("sourcetype"))) {
        keep(&out->sourcetype, t, text);
    } else if (str_eq(key, STR("index"))) {
        keep(&out->index, t, text);
    } else if (str_eq(key, STR("fields"))) {
        if (t != J_OBJECT && t != J_NULL)
            return wrong(e, "Error in handling indexed fields");
        out->fields = t == J_OBJECT ? raw : str_of(NULL, 0);
    }
    return 0;
}

int hec_event_read(struct jread *r, struct hec_event *out, struct err *e)
{
    struct str key;
    enum jtoken t = jread_next(r, &key);
    bool met = false;
    int rc = 0;

    *out = (struct hec_event){ .time = 0 };
    if (t == J_END)
        return 0;
    if (t != J_OBJECT)
        return wrong(e, "Invalid data format");
    while (rc == 0 && (t = jread_next(r, &key)) == J_KEY)
        rc = read_member(r, key, out, &met, e);
    if (rc < 0)
        return rc;
    if (t != J_OBJECT_END)
        return wrong(e, "Invalid data format");
    if (!met)
        return wrong(e, "Event field is required");
    return out->text.n ? 1 : wrong(e, "Event field cannot be blank");
}

static int hex(char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1; }

struct str hec_param(struct str query, const char *name, struct arena *a)
{
    struct str pair, want = str_c(name);
    char *to;
    size_t n = 0;

    query = str_cut(query, (size_t)(str_chr(query, '?') + 1));
    while (str_split(&query, '&', &pair)) {
        if (!str_starts(pair, want) || pair.n <= want.n || pair.p[want.n] != '=')
            continue;
        pair = str_cut(pair, want.n + 1);
        to = arena_alloc(a, pair.n + 1);
        for (size_t i = 0; to && i < pair.n; i++) {
            bool coded = pair.p[i] == '%' && i + 2 < pair.n && hex(pair.p[i + 1]) >= 0 && hex(pair.p[i + 2]) >= 0;

            to[n++] = coded ? (char)(hex(pair.p[i + 1]) << 4 | hex(pair.p[i + 2])) : pair.p[i] == '+' ? ' ' : pair.p[i];
            i += coded ? 2 : 0;
        }
        return str_of(to, to ? n : 0);
    }
    return str_of(NULL, 0);
}

/* --- in the worker --- */

/* take - an event as a record. source that is a path is one; sourcetype and index are told as they are, nothing is decided by them. */
static int take(struct taking *t, const struct hec_event *h, struct err *e)
{
    struct arena *a = taking_arena(t);
    struct form_pairs *pairs = arena_zero(a, sizeof *pairs);
    struct record r = { .text = h->text, .time = h->time, .host = h->host, .zone_min = EVENT_OFFSET_NONE, .pairs = pairs };
    bool path = h->source.n && (h->source.p[0] == '/' || str_find(h->source, STR(":\\")) == 1);

    if (!pairs)
        return err_set(e, -ENOMEM, "no memory for an event");
    pairs->arena = a;
    if (h->fields.n && !form_kind_read(form_kind_of(STR("json")), h->fields, NULL, a, pairs))
        pairs->arena = a;
    if (path)
        r.path = h->source;
    else if (h->source.n)
        pairs_add(pairs, STR("hec.source"), h->source);
    if (h->sourcetype.n)
        pairs_add(pairs, STR("hec.sourcetype"), h->sourcetype);
    if (h->index.n)
        pairs_add(pairs, STR("hec.index"), h->index);
    return take_record(t, &r, e);
}

/* numbered - the reason with the number of the event, from 0, as Splunk tells it. */
static int numbered(struct err *e, int rc, size_t number)
{
    struct err why = *e;

    return err_set(e, rc, "%.100s: event %zu", why.text, number);
}

static int decode_events(struct taking *t, struct str body, struct err *e)
{
    struct jread r = jread_of(body, taking_arena(t));
    struct hec_event h;
    size_t count = 0;
    int rc;

    while ((rc = hec_event_read(&r, &h, e)) > 0) {
        if (count++ == HEC_EVENTS_MAX)
            return err_set(e, -E2BIG, "a request may hold %d events", HEC_EVENTS_MAX);
        rc = take(t, &h, e);
        if (rc < 0)
            return rc;
    }
    if (rc < 0)
        return numbered(e, rc, count);
    return count ? 0 : wrong(e, "No data");
}

static int decode_raw(struct taking *t, struct str body, struct err *e)
{
    struct arena *a = taking_arena(t);
    struct str query = str_c(taking_pile(t)->query), line;
    struct hec_event h = { .host = hec_param(query, "host", a), .source = hec_param(query, "source", a),
                           .sourcetype = hec_param(query, "sourcetype", a), .index = hec_param(query, "index", a),
                           .time = hec_time(hec_param(query, "time", a)) };
    size_t count = 0;
    int rc = 0;

    while (rc == 0 && str_split(&body, '\n', &line)) {
        if (str_ends(line, STR("\r")))
            line.n--;
        if (str_trim(line).n == 0)
            continue;
        if (count++ == HEC_EVENTS_MAX)
            return err_set(e, -E2BIG, "a request may hold %d lines", HEC_EVENTS_MAX);
        h.text = line;
        rc = take(t, &h, e);
    }
    return rc == 0 && count == 0 ? wrong(e, "No data") : rc;
}

/* decode_acks - {"acks":[0,1]} is answered {"acks":{"0":true,"1":true}}: who has been given an ack id was given it after the commit. */
static int decode_acks(struct taking *t, struct str body, struct err *e)
{
    struct jread r = jread_of(body, taking_arena(t));
    struct buf *out = &taking_pile(t)->answer;
    struct str key, text;
    enum jtoken token;
    size_t count = 0;
    uint64_t id;

    if (jread_next(&r, &key) != J_OBJECT || jread_next(&r, &key) != J_KEY || !str_eq(key, STR("acks")) || jread_next(&r, &key) != J_ARRAY)
        return wrong(e, "Invalid data format");
    buf_str(out, STR("{\"acks\":{"));
    while ((token = jread_next(&r, &text)) == J_NUMBER) {
        if (!str_u64(text, &id) || count == HEC_ACKS_MAX)
            return wrong(e, "Invalid data format");
        buf_printf(out, "%s\"%llu\":true", count++ ? "," : "", (unsigned long long)id);
    }
    buf_str(out, STR("}}"));
    if (token != J_ARRAY_END || jread_next(&r, &text) != J_OBJECT_END)
        return wrong(e, "Invalid data format");
    return 0;
}

const struct body_decoder hec_event_decoder = { "hec event", decode_events };
const struct body_decoder hec_raw_decoder = { "hec raw", decode_raw };
const struct body_decoder hec_ack_decoder = { "hec ack", decode_acks };
