/* sources.c - what came from whom: DATA/run/sources.json for the portal.
 *
 * A list ordered by last use and a hash over it; past SOURCES_MAX the one silent for longest is forgotten. The file is read at
 * the start, so counts live on over a restart (what was counted after the last writing is lost: it is a picture, not evidence).
 *
 * With a thousand sources each event finds its own cold in the processor's cache: what is asked of every event stands together, its texts in one block. */
#include "ingest/conformance.h"
#include "ingest/skew.h"
#include "ingest/worker.h"
#include "base/file.h"
#include "base/log.h"

#include <jansson.h>

#define BUCKETS          16384          /* a power of two */
#define TEXT_MAX         512
#define PUBLISH_NS       (2 * NS_PER_SECOND)
#define PUBLISH_MANY_NS  (15 * NS_PER_SECOND) /* with more than MANY sources: the file has megabytes */
#define ANNEX_NS         (5 * NS_PER_SECOND)
#define ANNEX_MANY_NS    (60 * NS_PER_SECOND)
#define MANY             2000
#define AHEAD            32             /* events whose sources are looked for together */
#define NAMES_MAX        4096           /* of parsers, of all sources together: products come and go with their files, names stay */
#define NAMES_NEAR       64             /* a power of two: names that are known by their place in memory, while a portion is counted */
#define FILE_MAX         (64u * MIB)
#define SEQUENCE_JUMP_MAX 100000        /* a longer jump is another numbering */
#define SEQUENCE_LATE_MAX 64            /* datagrams that overtook each other */

/* The names of parsers, kept once for all sources: a source's counts lie side by side, and no text is looked at to find one. */
struct parser_names {
    struct str *text;                /* owned, and each of them */
    uint32_t    count, cap;
    uint16_t    slot[2 * NAMES_MAX]; /* index + 1, by the hash of the text */
};
static_assert(NAMES_MAX < UINT16_MAX && (NAMES_MAX & (NAMES_MAX - 1)) == 0, "an index fits a slot, and the hash is cut by a mask");

struct parser_count {
    uint64_t count;
    uint32_t name;                   /* index */
};
/* What is told of a source in words, beside its id. */
enum text { HOST, OBJECT, LISTENER, PEER, PROFILE, TEXTS };

struct source {
    /* what every event needs */
    struct source *chain;            /* of the bucket */
    struct str     id;
    struct source *next;             /* of those in this portion of events */
    const struct event *event;       /* the last one of the portion; NULL: none */
    time_ns        first, last;
    uint64_t       events, unparsed, bytes, truncated;
    struct rate    rate;
    int64_t        silence_s[2];     /* the longest silence between two events, of this week and of the one before */
    int64_t        week;
    struct parser_count *parsers;
    uint32_t       parser_count;
    uint64_t       sequence, gaps;   /* the last number that the sender gave; lines that are missing by such numbers */
    bool           numbered;
    enum event_class class;
    int32_t        zone_min;         /* in which its times without a zone are read */
    struct skew    skew;
    struct annexes annexes;          /* how far it keeps to Annex 4, by class */
    /* the rest */
    struct source *newer, *older;
    char          *block;            /* owned: the bytes of id and text */
    struct str     text[TEXTS];
    uint64_t       not_utf8;
    struct str     encoding;         /* of the last line that was no UTF-8; owned */
};
struct sources {
    char          *path;
    struct source *buckets[BUCKETS];
    struct source *newest, *oldest;
    size_t         count;
    bool           changed, annex_changed;
    time_ns        published;        /* steady */
    char          *annex_path;
    time_ns        annex_published;  /* steady */
    struct arena   scratch;          /* of one event held against Annex 4 */
    struct parser_names names;
};

/* copy - at most TEXT_MAX bytes, owned; p NULL without memory. */
static struct str copy(struct str s)
{
    size_t n = min_size(s.n, TEXT_MAX);
    char *p = malloc(n + 1);

    if (p && n)
        memcpy(p, s.p, n);
    return str_of(p, p ? n : 0);
}

static void drop(struct str s) { free((char *)(uintptr_t)s.p); }

/* renew - *text becomes s, if it is something else. */
static void renew(struct str *text, struct str s)
{
    struct str n;

    s.n = min_size(s.n, TEXT_MAX);
    if (text->p && str_eq(*text, s))
        return;
    n = copy(s);
    if (!n.p)
        return;
    drop(*text);
    *text = n;
}

/* write_down - the source has this id and these texts: they are copied into one block. False without memory: then all is as it was. */
static bool write_down(struct source *s, struct str id, const struct str text[TEXTS])
{
    size_t n = id.n + 1;
    char *block, *to;

    for (int i = 0; i < TEXTS; i++)
        n += min_size(text[i].n, TEXT_MAX);
    to = block = malloc(n);
    if (!block)
        return false;
    if (id.n)
        memcpy(to, id.p, id.n);
    s->id = str_of(to, id.n);
    to += id.n;
    for (int i = 0; i < TEXTS; i++) {
        struct str t = str_of(text[i].p, min_size(text[i].n, TEXT_MAX));

        if (t.n)
            memcpy(to, t.p, t.n);
        s->text[i] = str_of(to, t.n);
        to += t.n;
    }
    free(s->block);
    s->block = block;
    return true;
}

static void source_free(struct source *s)
{
    free(s->parsers);
    free(s->block);
    drop(s->encoding);
    conformance_free(&s->annexes);
    free(s);
}

static void unlink_use(struct sources *all, struct source *s)
{
    *(s->newer ? &s->newer->older : &all->newest) = s->older;
    *(s->older ? &s->older->newer : &all->oldest) = s->newer;
}

static void link_newest(struct sources *all, struct source *s)
{
    s->newer = NULL;
    s->older = all->newest;
    *(s->older ? &s->older->newer : &all->oldest) = s;
    all->newest = s;
}

static struct source **bucket(struct sources *all, struct str id) { return &all->buckets[str_hash(id) & (BUCKETS - 1)]; }

static void forget_oldest(struct sources *all)
{
    struct source *s = all->oldest;
    struct source **at = bucket(all, s->id);

    while (*at != s)
        at = &(*at)->chain;
    *at = s->chain;
    unlink_use(all, s);
    all->count--;
    source_free(s);
}

static void forget_many(struct sources *all)
{
    while (all->count > SOURCES_MAX)
        forget_oldest(all);
}

/* find - the source of this id, made if need be. */
static struct source *find(struct sources *all, struct str id)
{
    struct source **at, *s;

    id.n = min_size(id.n, TEXT_MAX);
    at = bucket(all, id);
    for (s = *at; s; s = s->chain)
        if (str_eq(s->id, id))
            return s;
    s = calloc(1, sizeof *s);
    if (!s || !write_down(s, id, s->text)) {
        free(s);
        return NULL;
    }
    s->chain = *at;
    *at = s;
    link_newest(all, s);
    all->count++;
    return s;
}

/* name_add - the index of a name that is new; NAMES_MAX without room for it. */
static uint32_t name_add(struct parser_names *names, struct str name)
{
    struct str text = copy(name);

    if (text.p && names->count == names->cap) {
        uint32_t cap = names->cap ? names->cap * 2 : 64;
        struct str *more = realloc(names->text, cap * sizeof *more);

        names->text = more ? more : names->text;
        names->cap = more ? cap : names->cap;
    }
    if (!text.p || names->count == names->cap) {
        drop(text);
        return NAMES_MAX;
    }
    names->text[names->count] = text;
    return names->count++;
}

/* name_of - the index of a name, added if it is new. NAMES_MAX: none, it is empty or there is no room. */
static uint32_t name_of(struct parser_names *names, struct str name)
{
    size_t at;
    uint32_t i;

    name.n = min_size(name.n, TEXT_MAX);
    if (name.n == 0)
        return NAMES_MAX;
    at = str_hash(name) & (COUNT(names->slot) - 1);
    while (names->slot[at]) {
        if (str_eq(names->text[names->slot[at] - 1], name))
            return names->slot[at] - 1u;
        at = (at + 1) & (COUNT(names->slot) - 1);
    }
    i = names->count < NAMES_MAX ? name_add(names, name) : NAMES_MAX;
    names->slot[at] = i < NAMES_MAX ? (uint16_t)(i + 1) : 0;
    return i;
}

/* The names of a portion's events by their places, which keep their texts so long. */
struct near {
    struct str name;
    uint32_t   index;
};

static uint32_t name_near(struct parser_names *names, struct near list[NAMES_NEAR], struct str name)
{
    struct near *n = &list[((uintptr_t)name.p * UINT64_C(0x9E3779B97F4A7C15) >> 40) & (NAMES_NEAR - 1)];

    if (name.n == 0)
        return NAMES_MAX;
    if (n->name.p != name.p || n->name.n != name.n)
        *n = (struct near){ name, name_of(names, name) };
    return n->index;
}

static void count_parser(struct source *s, uint32_t name, uint64_t n)
{
    struct parser_count *more;

    for (uint32_t i = 0; i < s->parser_count; i++)
        if (s->parsers[i].name == name) {
            s->parsers[i].count += n;
            return;
        }
    if (name == NAMES_MAX || s->parser_count >= SOURCE_PARSERS_MAX)
        return;
    more = realloc(s->parsers, (s->parser_count + 1) * sizeof *more);
    if (!more)
        return;
    s->parsers = more;
    more[s->parser_count++] = (struct parser_count){ n, name };
}

/* field_of - by name, without the detour over members that event_get makes. */
static struct str field_of(const struct event *ev, struct str name)
{
    for (uint32_t i = 0; i < ev->field_count; i++)
        if (str_eq(ev->fields[i].name, name))
            return ev->fields[i].value;
    return str_of(NULL, 0);
}

/* sequence_of - in one walk over the fields: it is asked of every event. */
static struct str sequence_of(const struct event *ev)
{
    static const char meta[] = "log.syslog.structured_data.meta.sequenceId", plain[] = "event.sequence";
    struct str text = { NULL, 0 };

    for (uint32_t i = 0; i < ev->field_count; i++) {
        const struct event_field *f = &ev->fields[i];

        if (f->name.n == sizeof meta - 1 && memcmp(f->name.p, meta, sizeof meta - 1) == 0)
            return f->value;
        if (f->name.n == sizeof plain - 1 && !text.n && memcmp(f->name.p, plain, sizeof plain - 1) == 0)
            text = f->value;
    }
    return text;
}

/* count_sequence - senders number their lines in the structured data of RFC 5424 (meta, sequenceId) or before the line (Cisco). A number that
 * comes late fills a gap; a small one after a large one is a sender that began again. */
static void count_sequence(struct source *s, const struct event *ev)
{
    struct str text = sequence_of(ev);
    uint64_t n;

    if (!text.n || !str_u64(text, &n))
        return;
    if (s->numbered && n > s->sequence && n - s->sequence <= SEQUENCE_JUMP_MAX)
        s->gaps += n - s->sequence - 1;
    else if (s->numbered && n < s->sequence && s->sequence - n < SEQUENCE_LATE_MAX && s->gaps > 0)
        s->gaps--;
    if (!s->numbered || n > s->sequence || s->sequence - n >= SEQUENCE_LATE_MAX)
        s->sequence = n;
    s->numbered = true;
}

/* count_silence - how long a source is silent when all is well: whoever looks tells by it whether a silence is unusual. */
static void count_silence(struct source *s, time_ns now)
{
    int64_t week = now / (7 * 24 * NS_PER_HOUR), silent_s = s->last ? (now - s->last) / NS_PER_SECOND : 0;

    if (week != s->week) {
        s->silence_s[1] = week == s->week + 1 ? s->silence_s[0] : 0;
        s->silence_s[0] = 0;
        s->week = week;
    }
    if (silent_s > s->silence_s[0])
        s->silence_s[0] = silent_s;
}

/* count - what is a number of one event. */
static void count(struct source *s, const struct event *ev, uint32_t parser, struct arena *scratch)
{
    if (!s->first)
        s->first = ev->received;
    count_silence(s, ev->received);
    s->last = ev->received;
    s->events++;
    s->unparsed += ev->parse == EVENT_PARSE_FAILED;
    s->bytes += ev->original.n;
    s->truncated += (ev->marks & MARK_TRUNCATED) != 0;
    rate_add(&s->rate, 1, ev->received);
    if (ev->class != CLASS_NONE)
        s->class = ev->class;
    if (ev->marks & MARK_NOT_UTF8) {
        s->not_utf8++;
        renew(&s->encoding, field_of(ev, STR("saqshy.encoding")));
    }
    if (!(ev->marks & MARK_NO_TIME))
        skew_add(&s->skew, ev->received, ev->time, ev->offset_min == EVENT_OFFSET_NONE);
    count_sequence(s, ev);
    count_parser(s, parser, 1);
    conformance_see(&s->annexes, ev, scratch);
}

/* note - the texts that the last event of a portion leaves. Without memory it keeps those that it has. */
static void note(struct source *s, const struct source_seen *seen)
{
    const struct str text[TEXTS] = {
        [HOST] = seen->host, [OBJECT] = s->event->object, [LISTENER] = seen->listener, [PEER] = seen->peer, [PROFILE] = seen->profile,
    };
    bool same = true;

    for (int i = 0; same && i < TEXTS; i++)
        same = str_eq(s->text[i], str_of(text[i].p, min_size(text[i].n, TEXT_MAX)));
    if (same || write_down(s, s->id, text))
        s->zone_min = seen->zone_min;
}

/* find_some - of events whose sources lie anywhere, all are looked for before the first is counted: the processor waits for their memory once. */
static void find_some(struct sources *all, const struct event *events, size_t n, struct source **found)
{
    for (size_t i = 0; i < n; i++)
        found[i] = str_eq(events[i].parser, STR(EVENT_PARSER_FACTS)) ? NULL : find(all, events[i].source);
    for (size_t i = 0; i < n; i++)
        if (found[i]) {
            __builtin_prefetch(found[i]->parsers);
            conformance_ahead(&found[i]->annexes, events[i].class);
        }
}

void sources_count(struct sources *all, const struct event *events, size_t n, sources_see *see, const void *arg)
{
    struct source *list = NULL, **tail = &list, *found[AHEAD];
    struct near names[NAMES_NEAR] = { 0 };

    for (size_t i = 0; i < n; i++) {
        const struct event *ev = &events[i];
        struct source *s;

        if (i % AHEAD == 0)
            find_some(all, ev, min_size(n - i, AHEAD), found);
        s = found[i % AHEAD];
        if (!s)
            continue;
        if (!s->event) {
            *tail = s;
            tail = &s->next;
        }
        s->event = ev;
        count(s, ev, name_near(&all->names, names, ev->parser), &all->scratch);
    }
    all->changed = all->annex_changed = all->changed || list;
    for (*tail = NULL; list; list = list->next) {
        struct source_seen seen = see(arg, (size_t)(list->event - events));

        note(list, &seen);
        list->event = NULL;
        unlink_use(all, list);
        link_newest(all, list);
    }
    forget_many(all);
}

static void put_text(struct buf *b, const char *name, struct str value)
{
    buf_printf(b, ",\"%s\":", name);
    buf_json(b, value);
}

/* put_skew - how far the clock is off, and what that looks like. */
static void put_skew(struct buf *b, const struct source *s)
{
    struct skew_view v = skew_look(&s->skew, s->zone_min);

    if (v.kind == SKEW_UNKNOWN)
        return;
    buf_printf(b, ",\"skew\":{\"kind\":\"%s\",\"median_s\":%d,\"spread_s\":%d,\"samples\":%u", skew_name(v.kind), v.median_s, v.spread_s,
               v.count);
    if (v.zone_min)
        buf_printf(b, ",\"zone_min\":%d", v.zone_min);
    buf_byte(b, '}');
}

static void put_source(struct buf *b, const struct source *s, const struct parser_names *names, time_ns now)
{
    buf_str(b, STR("{\"id\":"));
    buf_json(b, s->id);
    put_text(b, "host", s->text[HOST]);
    put_text(b, "object", s->text[OBJECT]);
    put_text(b, "class", str_c(event_class_name(s->class)));
    put_text(b, "listener", s->text[LISTENER]);
    buf_str(b, STR(",\"first_seen\":\""));
    buf_time(b, s->first);
    buf_str(b, STR("\",\"last_seen\":\""));
    buf_time(b, s->last);
    buf_printf(b, "\",\"events\":%llu,\"unparsed\":%llu,\"bytes\":%llu,\"truncated\":%llu,\"rate_min\":%llu", (unsigned long long)s->events,
               (unsigned long long)s->unparsed, (unsigned long long)s->bytes, (unsigned long long)s->truncated,
               (unsigned long long)rate_get(&s->rate, now));
    buf_printf(b, ",\"silence_s\":%lld", (long long)(s->silence_s[0] > s->silence_s[1] ? s->silence_s[0] : s->silence_s[1]));
    if (s->numbered)
        buf_printf(b, ",\"gaps\":%llu", (unsigned long long)s->gaps);
    if (s->text[PEER].n)
        put_text(b, "peer", s->text[PEER]);
    if (s->text[PROFILE].n)
        put_text(b, "profile", s->text[PROFILE]);
    if (s->not_utf8) {
        buf_printf(b, ",\"not_utf8\":%llu", (unsigned long long)s->not_utf8);
        put_text(b, "encoding", s->encoding);
    }
    put_skew(b, s);
    buf_str(b, STR(",\"parsers\":{"));
    for (uint32_t i = 0; i < s->parser_count; i++) {
        if (i)
            buf_byte(b, ',');
        buf_json(b, names->text[s->parsers[i].name]);
        buf_printf(b, ":%llu", (unsigned long long)s->parsers[i].count);
    }
    buf_str(b, STR("}}"));
}

/* publish_annex - DATA/run/annex4.json. */
static void publish_annex(struct sources *all, bool now)
{
    time_ns at = clock_steady();
    AUTO_BUF struct buf b = { 0 };
    struct err e;
    size_t count = 0;

    if (!all->annex_changed || (!now && at - all->annex_published < (all->count > MANY ? ANNEX_MANY_NS : ANNEX_NS)))
        return;
    buf_init(&b, FILE_MAX);
    buf_str(&b, STR("{\"items\":["));
    for (const struct source *s = all->newest; s; s = s->older) {
        struct conformance_of of = { s->id, s->text[HOST], s->text[LISTENER] };

        conformance_put(&b, &of, &s->annexes, &count);
    }
    buf_str(&b, STR("\n]}\n"));
    all->annex_published = at;
    all->annex_changed = false;
    if (buf_failed(&b) || file_write_quick(all->annex_path, buf_view(&b), &e) < 0)
        log_line(LOG_WARN, "could not write the conformance of sources", "error.message", buf_failed(&b) ? "too large" : e.text, NULL);
}

void sources_publish(struct sources *all, bool now)
{
    time_ns at = clock_steady(), now_utc = clock_now();
    AUTO_BUF struct buf b = { 0 };
    struct err e;

    publish_annex(all, now);
    if (!all->changed || (!now && at - all->published < (all->count > MANY ? PUBLISH_MANY_NS : PUBLISH_NS)))
        return;
    buf_init(&b, FILE_MAX);
    buf_byte(&b, '[');
    for (const struct source *s = all->newest; s; s = s->older) {
        buf_str(&b, s == all->newest ? STR("\n") : STR(",\n"));
        put_source(&b, s, &all->names, now_utc);
    }
    buf_str(&b, STR("\n]\n"));
    all->published = at;
    all->changed = false;
    if (buf_failed(&b) || file_write_quick(all->path, buf_view(&b), &e) < 0)
        log_line(LOG_WARN, "could not write the list of sources", "error.message", buf_failed(&b) ? "too large" : e.text, NULL);
}

static struct str json_text(const json_t *o, const char *key)
{
    const json_t *v = json_object_get(o, key);

    return json_is_string(v) ? str_of(json_string_value(v), json_string_length(v)) : str_of(NULL, 0);
}

static uint64_t json_count(const json_t *v)
{
    return json_is_integer(v) && json_integer_value(v) > 0 ? (uint64_t)json_integer_value(v) : 0;
}

static void take_source(struct sources *all, json_t *o)
{
    const struct str text[TEXTS] = {
        [HOST] = json_text(o, "host"), [OBJECT] = json_text(o, "object"), [LISTENER] = json_text(o, "listener"), [PEER] = json_text(o, "peer"),
        [PROFILE] = json_text(o, "profile"),
    };
    struct str id = json_text(o, "id");
    struct source *s = id.n ? find(all, id) : NULL;
    const char *name;
    json_t *v;

    if (!s || !write_down(s, s->id, text))
        return;
    s->class = event_class_parse(json_text(o, "class"));
    if (time_parse_rfc3339(json_text(o, "first_seen"), &s->first, NULL, NULL) < 0 ||
        time_parse_rfc3339(json_text(o, "last_seen"), &s->last, NULL, NULL) < 0)
        s->first = s->last = 0;
    s->silence_s[0] = (int64_t)json_count(json_object_get(o, "silence_s"));
    s->week = s->last / (7 * 24 * NS_PER_HOUR);
    s->events = json_count(json_object_get(o, "events"));
    s->unparsed = json_count(json_object_get(o, "unparsed"));
    s->bytes = json_count(json_object_get(o, "bytes"));
    s->truncated = json_count(json_object_get(o, "truncated"));
    s->gaps = json_count(json_object_get(o, "gaps"));
    s->not_utf8 = json_count(json_object_get(o, "not_utf8"));
    renew(&s->encoding, json_text(o, "encoding"));
    json_object_foreach(json_object_get(o, "parsers"), name, v)
        count_parser(s, name_of(&all->names, str_c(name)), json_count(v));
}

/* beside - another file of the same folder. */
static char *beside(const char *path, const char *name)
{
    const char *slash = strrchr(path, '/');
    char full[4200];

    snprintf(full, sizeof full, "%.*s%s", slash ? (int)(slash - path + 1) : 0, path, name);
    return strdup(full);
}

/* restore_annex - what an earlier process found of the sources that are still known: an object a line. */
static void restore_annex(struct sources *all)
{
    AUTO_BUF struct buf b = { 0 };
    struct str rest, line;

    buf_init(&b, FILE_MAX + 64 * KIB);
    if (!file_exists(all->annex_path) || file_read(all->annex_path, FILE_MAX, &b, NULL) < 0)
        return;
    rest = buf_view(&b);
    while (rest.n && str_split(&rest, '\n', &line)) {
        json_t *o;
        struct source *s;

        if (line.n && line.p[line.n - 1] == ',')
            line.n--;
        o = line.n && *line.p == '{' ? json_loadb(line.p, line.n, 0, NULL) : NULL;
        for (s = o ? *bucket(all, json_text(o, "source")) : NULL; s && !str_eq(s->id, json_text(o, "source")); s = s->chain)
            ;
        if (s && str_eq(s->text[OBJECT], json_text(o, "object")))    /* of others that it had, the next event tells */
            conformance_restore(&s->annexes, event_class_parse(json_text(o, "class")), s->text[OBJECT], line);
        json_decref(o);
    }
}

int sources_new(const char *path, struct sources **out, struct err *e)
{
    struct sources *all = calloc(1, sizeof *all);
    AUTO_BUF struct buf b = { 0 };
    json_t *list;

    if (all) {
        arena_init(&all->scratch, 0);
        all->path = strdup(path);
        all->annex_path = beside(path, "annex4.json");
    }
    if (!all || !all->path || !all->annex_path) {
        if (all)
            free(all->path);
        free(all);
        return err_set(e, -ENOMEM, "no memory for the list of sources");
    }
    *out = all;
    buf_init(&b, FILE_MAX + 64 * KIB);
    if (!file_exists(path) || file_read(path, FILE_MAX, &b, NULL) < 0)
        return 0;
    list = json_loadb(b.p ? b.p : "", b.n, 0, NULL);
    if (!list)
        log_line(LOG_WARN, "the list of sources is damaged, beginning a new one", "file.path", path, NULL);
    for (size_t i = json_array_size(list); i > 0; i--)
        take_source(all, json_array_get(list, i - 1));   /* the one seen last comes last */
    json_decref(list);
    forget_many(all);
    restore_annex(all);
    return 0;
}

void sources_free(struct sources **s)
{
    if (!*s)
        return;
    while ((*s)->oldest)
        forget_oldest(*s);
    free((*s)->path);
    free((*s)->annex_path);
    for (uint32_t i = 0; i < (*s)->names.count; i++)
        drop((*s)->names.text[i]);
    free((*s)->names.text);
    arena_free(&(*s)->scratch);
    free(*s);
    *s = NULL;
}
