/* replay_parse.c - originals through today's parsers, beside what they became when they came: which parser took them then and now, and which fields differ.
 *
 * What the receiver added (addresses, names of files, attributes of an agent) is not in the line and cannot come out of it again: fields that are in
 * the stored event alone count as lost only if a parser could have found them. */
#include "bin/event_print.h"
#include "bin/replay.h"
#include "parse/parse.h"

#include <jansson.h>

#define LINE_ARENA   (16u * MIB)
#define TOLD_FIELDS  16
#define SHOWN_BYTES  400
#define FIELD_SHOWN  200
#define NAME_SHOWN   256

struct pair {
    char     before[64], after[64];
    uint64_t events, differ;
    json_t  *examples;     /* array of {seq, original, fields} */
};

struct reparse {
    struct parser       *parser;
    struct parse_memory *memory;
    struct event_batch   batch;
    struct pair          pair[REPARSE_PAIRS_MAX];
    size_t               pairs;
    uint64_t             events, differ, skipped, beyond;
};

int reparse_new(const char *data, const char *content, const char *own, struct reparse **out, struct err *e)
{
    struct parse_options o = { .zone_min = 0 };
    struct reparse *r = calloc(1, sizeof *r);
    char theirs[4200], ours[4200];
    int rc;

    *out = NULL;
    if (!r)
        return err_set(e, -ENOMEM, "no memory to parse again");
    snprintf(theirs, sizeof theirs, "%s", own ? own : "");
    if (!own)
        snprintf(theirs, sizeof theirs, "%s/parsers", data);
    snprintf(ours, sizeof ours, "%s/parsers", content);
    o.folders[0] = theirs;
    o.folders[1] = ours;
    event_batch_init(&r->batch, LINE_ARENA);
    rc = parse_open(&o, &r->parser, e);
    if (rc == 0)
        rc = parse_memory_new(&r->memory, e);
    if (rc < 0)
        reparse_free(&r);
    *out = r;
    return rc;
}

void reparse_free(struct reparse **rp)
{
    struct reparse *r = *rp;

    if (!r)
        return;
    for (size_t i = 0; i < r->pairs; i++)
        json_decref(r->pair[i].examples);
    event_batch_free(&r->batch);
    parse_memory_free(&r->memory);
    parse_free(&r->parser);
    free(r);
    *rp = NULL;
}

static struct pair *pair_of(struct reparse *r, struct str before, struct str after)
{
    char b[64], a[64];

    snprintf(b, sizeof b, "%.*s", STR_ARG(before));
    snprintf(a, sizeof a, "%.*s", STR_ARG(after));
    for (size_t i = 0; i < r->pairs; i++)
        if (strcmp(r->pair[i].before, b) == 0 && strcmp(r->pair[i].after, a) == 0)
            return &r->pair[i];
    if (r->pairs == REPARSE_PAIRS_MAX)
        return NULL;
    struct pair *p = &r->pair[r->pairs++];
    snprintf(p->before, sizeof p->before, "%s", b);
    snprintf(p->after, sizeof p->after, "%s", a);
    p->examples = json_array();
    return p;
}

/* added - a name that the receiver gives, or an attribute of whoever sent it. */
static bool added(struct str name)
{
    static const struct str names[] = { STR_INIT("log.source.address"), STR_INIT("log.file.path"), STR_INIT("host.name"), STR_INIT("host.hostname") };
    static const struct str heads[] = { STR_INIT("saqshy."), STR_INIT("agent."), STR_INIT("resource."), STR_INIT("otel."), STR_INIT("tls.") };

    for (size_t i = 0; i < COUNT(names); i++)
        if (str_eq(name, names[i]))
            return true;
    for (size_t i = 0; i < COUNT(heads); i++)
        if (str_starts(name, heads[i]))
            return true;
    return false;
}

/* shown - the beginning of a text, in whole letters; bytes that are no UTF-8 become U+FFFD. */
static json_t *shown(struct str s, size_t most)
{
    AUTO_BUF struct buf b;
    json_t *j = NULL;
    size_t n = min_size(s.n, most);

    buf_init(&b, 0);
    while (n < s.n && n > 0 && most - n < 3 && ((unsigned char)s.p[n] & 0xC0) == 0x80)
        n--;
    buf_json(&b, str_of(s.n ? s.p : "", n));
    if (!buf_failed(&b))
        j = json_loadb(b.p, b.n, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    return j ? j : json_string("");
}

static void tell_field(json_t *list, struct str name, struct str before, struct str after)
{
    if (json_array_size(list) < TOLD_FIELDS)
        json_array_append_new(list, json_pack("{s:o,s:o,s:o}", "field", shown(name, NAME_SHOWN), "before",
                                              before.p ? shown(before, FIELD_SHOWN) : json_null(), "after",
                                              after.p ? shown(after, FIELD_SHOWN) : json_null()));
}

static bool has_value(const struct event *ev, struct str name, struct str value, bool *named)
{
    bool same = false;

    *named = false;
    for (uint32_t i = 0; !same && i < ev->field_count; i++)
        if (str_eq(ev->fields[i].name, name)) {
            *named = true;
            same = str_eq(ev->fields[i].value, value);
        }
    return same;
}

/* same_moment - a time without a zone was read in that of its source, which the event does not keep: whole quarters of an hour are no difference. */
static bool same_moment(const struct event *before, const struct event *after)
{
    time_ns off = after->time - before->time;

    if (off == 0)
        return true;
    return before->offset_min == EVENT_OFFSET_NONE && after->offset_min == EVENT_OFFSET_NONE && off % (15 * NS_PER_MINUTE) == 0 &&
           off >= -14 * NS_PER_HOUR && off <= 14 * NS_PER_HOUR;
}

/* differences - of fields, in list; their number. */
static size_t differences(const struct event *before, const struct event *after, json_t *list)
{
    const struct str none = { NULL, 0 };
    size_t n = 0;
    bool named;

    for (uint32_t i = 0; i < after->field_count; i++) {
        struct str name = after->fields[i].name, value = after->fields[i].value;

        if (added(name) || has_value(before, name, value, &named))
            continue;
        tell_field(list, name, named ? event_get(before, name) : none, value.p ? value : STR(""));
        n++;
    }
    for (uint32_t i = 0; i < before->field_count; i++) {
        struct str name = before->fields[i].name, value = before->fields[i].value;

        if (added(name) || has_value(after, name, value, &named) || named)
            continue;
        tell_field(list, name, value.p ? value : STR(""), none);
        n++;
    }
    if (before->class != after->class) {
        tell_field(list, STR("saqshy.class"), str_c(event_class_name(before->class)), str_c(event_class_name(after->class)));
        n++;
    }
    if (!same_moment(before, after)) {
        char a[TIME_TEXT_MAX], b[TIME_TEXT_MAX];

        tell_field(list, STR("@timestamp"), str_c(time_format_utc(before->time, a)), str_c(time_format_utc(after->time, b)));
        n++;
    }
    return n;
}

int reparse_event(struct reparse *r, const struct event *ev, struct err *e)
{
    struct parse_hints h = { .received = ev->received, .zone_min = EVENT_OFFSET_NONE, .future_tolerance = 300 * NS_PER_SECOND, .source = ev->source,
                             .host = event_get(ev, STR("host.name")), .peer = event_get(ev, STR("log.source.address")),
                             .path = event_get(ev, STR("log.file.path")), .memory = r->memory };
    json_t *fields;
    struct event *now;
    struct pair *p;
    size_t n;

    if (!ev->original.n || str_eq(ev->parser, STR("facts"))) {
        r->skipped++;
        return 0;
    }
    event_batch_reset(&r->batch);
    now = event_batch_add(&r->batch);
    fields = json_array();
    if (!now || !fields) {
        json_decref(fields);
        return err_set(e, -ENOMEM, "no memory to parse again");
    }
    parse_line(r->parser, ev->original, &h, &r->batch.arena, now);
    n = differences(ev, now, fields);
    r->events++;
    p = pair_of(r, ev->parser, now->parser);
    if (!p)
        r->beyond++;
    if (p) {
        p->events++;
        p->differ += n > 0 || !str_eq(ev->parser, now->parser);
    }
    r->differ += n > 0 || !str_eq(ev->parser, now->parser);
    if (p && n && json_array_size(p->examples) < REPARSE_EXAMPLES)
        json_array_append_new(p->examples, json_pack("{s:I,s:o,s:O}", "seq", (json_int_t)ev->seq, "original",
                                                     shown(ev->original, SHOWN_BYTES), "fields", fields));
    json_decref(fields);
    return 0;
}

static void show_json(const struct reparse *r)
{
    json_t *pairs = json_array(), *all;

    for (size_t i = 0; i < r->pairs; i++)
        json_array_append_new(pairs, json_pack("{s:s,s:s,s:I,s:I,s:O}", "before", r->pair[i].before, "after", r->pair[i].after, "events",
                                               (json_int_t)r->pair[i].events, "differ", (json_int_t)r->pair[i].differ, "examples", r->pair[i].examples));
    all = json_pack("{s:I,s:I,s:I,s:o}", "events", (json_int_t)r->events, "differ", (json_int_t)r->differ, "skipped", (json_int_t)r->skipped, "parsers", pairs);
    json_dumpf(all, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(all);
}

static void put_text(const json_t *v)
{
    const char *s = json_string_value(v);
    AUTO_BUF struct buf b;

    buf_init(&b, 0);
    plain_put(&b, str_c(s ? s : "(none)"), 120);
    fwrite(b.p, 1, b.n, stdout);
}

static void show_example(const json_t *x)
{
    const json_t *f;
    size_t i;

    printf("      %lld  ", (long long)json_integer_value(json_object_get(x, "seq")));
    put_text(json_object_get(x, "original"));
    putchar('\n');
    json_array_foreach(json_object_get(x, "fields"), i, f) {
        printf("          ");
        put_text(json_object_get(f, "field"));
        printf(": ");
        put_text(json_object_get(f, "before"));
        printf(" -> ");
        put_text(json_object_get(f, "after"));
        putchar('\n');
    }
}

static int by_difference(const void *x, const void *y)
{
    const struct pair *a = x, *b = y;

    return a->differ != b->differ ? (a->differ > b->differ ? -1 : 1) : a->events > b->events ? -1 : a->events < b->events;
}

bool reparse_show(struct reparse *r, bool json)
{
    const json_t *x;
    size_t k;

    qsort(r->pair, r->pairs, sizeof *r->pair, by_difference);
    if (json) {
        show_json(r);
        return r->differ > 0;
    }
    printf("%llu events, %llu differ, %llu have no line to parse\n", (unsigned long long)r->events, (unsigned long long)r->differ, (unsigned long long)r->skipped);
    for (size_t i = 0; i < r->pairs; i++) {
        const struct pair *p = &r->pair[i];

        printf("%10llu of %-10llu %s -> %s\n", (unsigned long long)p->differ, (unsigned long long)p->events, *p->before ? p->before : "-", *p->after ? p->after : "-");
        json_array_foreach(p->examples, k, x)
            show_example(x);
    }
    if (r->beyond)
        printf("%llu events of further pairs of parsers are not listed\n", (unsigned long long)r->beyond);
    return r->differ > 0;
}
