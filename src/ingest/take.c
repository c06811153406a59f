/* take.c - lines and records become events of the worker's batch: hints for the parser, the names of source and object, marks, the tally.
 *
 * Audit records of one event are joined within a pile or a request and never wait for another: what is acknowledged is on disk. The
 * agent cuts its requests where events end. */
#include "envelope/envelope.h"
#include "ingest/parsers.h"
#include "ingest/record.h"
#include "ingest/relayed.h"
#include "ingest/worker.h"
#include "parse/forms.h"
#include "parse/join.h"

#define ATTR_NAME_MAX EVENT_NAME_MAX

struct taking {
    struct worker *w;
    struct pile   *p;
};

struct arena *taking_arena(struct taking *t) { return &t->w->batch.arena; }
struct pile *taking_pile(struct taking *t) { return t->p; }
struct ingest *taking_ingest(struct taking *t) { return t->w->in; }
uint64_t taking_origin(const struct taking *t, struct str id) { return journal_origin_seq(t->w->journal, id); }

/* profile_of - what is told of a sender, by the configuration, then by the desk; host may be empty. */
static const struct profile *profile_of(const struct worker *w, struct str peer, uint16_t card, struct str host)
{
    struct str listener = str_c(w->in->counters.card[card].id);
    const struct profiles *told = told_profiles(w->told);
    const struct profile *p = profiles_find(w->profiles, peer, listener, host);

    return p || !told ? p : profiles_find(told, peer, listener, host);
}

static bool hosts_matter(const struct worker *w)
{
    const struct profiles *told = told_profiles(w->told);

    return profiles_by_host(w->profiles) || (told && profiles_by_host(told));
}

static int32_t zone_of(const struct worker *w, const struct profile *p) { return p && p->zone_min != INT32_MIN ? p->zone_min : profiles_zone(w->profiles); }

int32_t taking_zone(const struct taking *t) { return zone_of(t->w, profile_of(t->w, str_c(t->p->peer), t->p->card, str_of(NULL, 0))); }

/* host_of - host.name, without the detour over members that event_get makes: it is asked for every event. */
static struct str host_of(const struct event *ev)
{
    static const struct str name = STR_INIT("host.name");

    for (uint32_t i = 0; i < ev->field_count; i++)
        if (str_eq(ev->fields[i].name, name))
            return ev->fields[i].value;
    return str_of(NULL, 0);
}

/* complete - what the registry knows of the source. A client's name is in its certificate: one that is a host of the registry speaks for
 * that host's object alone, whatever its lines say, so that a captured server cannot make events of another owner. Then what the
 * configuration says of the source counts, then the host a line names, before the address it came from. */
static void complete(const struct worker *w, struct event *ev, struct str peer, struct str name, struct str host, const struct profile *p)
{
    if (p && p->class.n)
        ev->class = event_class_parse(p->class);
    ev->object = objects_find(w->objects, name);
    if (!ev->object.n && p)
        ev->object = p->object;
    if (!ev->object.n)
        ev->object = objects_find(w->objects, host);
    if (!ev->object.n)
        ev->object = objects_find(w->objects, peer);
}

/* named_source - the source of a line of syslog: host, which it names, unless that would read as an agent's source or our own. Where a
 * client certificate is needed, its name comes first: "NAME" for its own lines, "NAME/HOST" for those that it passes on. */
static struct str named_source(struct worker *w, struct str host, struct str peer, struct str name)
{
    bool usable = host.n && str_chr(host, '/') < 0 && !str_eq(host, STR("saqshyd"));

    if (!name.n)
        return usable ? host : peer;
    return usable && !str_ieq(host, name) ? arena_printf(&w->batch.arena, "%.*s/%.*s", STR_ARG(name), STR_ARG(host)) : name;
}

struct tally_row *tally_row(struct tally *t, uint16_t card)
{
    for (; t->rows <= card; t->rows++)
        t->row[t->rows] = (struct tally_row){ 0 };
    return &t->row[card];
}

/* Whose batch is counted. */
struct counting {
    const struct worker *w;
    const struct pile   *p;
};

/* sender_of - of the event i of the batch; NULL: the pile is a request, of one sender. */
static const struct pile_sender *sender_of(const struct counting *c, size_t i)
{
    return c->p->decoder ? NULL : &c->p->senders[c->p->lines[c->w->made[i].line].sender];
}

/* see - what sources.c shall know of the event i of the batch. */
static struct source_seen see(const void *arg, size_t i)
{
    const struct counting *c = arg;
    const struct pile_sender *s = sender_of(c, i);
    const struct profile *profile = c->w->made[i].profile;

    return (struct source_seen){ .host = host_of(&c->w->batch.items[i]),
                                 .listener = str_c(c->w->in->counters.card[s ? s->card : c->p->card].id),
                                 .peer = s ? str_of(c->p->bytes.p + s->peer_at, s->peer_n) : str_c(c->p->peer),
                                 .profile = profile ? profile->name : str_of(NULL, 0),
                                 .zone_min = zone_of(c->w, profile) };
}

void take_tally(struct worker *w, struct tally *t, const struct pile *p, bool sources)
{
    const struct counting c = { w, p };

    for (size_t i = 0; i < w->batch.count; i++) {
        const struct event *ev = &w->batch.items[i];
        const struct pile_sender *s = sender_of(&c, i);
        struct tally_row *row = tally_row(t, s ? s->card : p->card);

        row->stored += w->made[i].records;
        row->bytes += (int64_t)ev->original.n;
        row->unparsed += ev->parse == EVENT_PARSE_FAILED;
        row->truncated += (ev->marks & MARK_TRUNCATED) != 0 || w->made[i].split;
        row->last = ev->received > row->last ? ev->received : row->last;
    }
    if (sources)
        sources_count(w->sources, w->batch.items, w->batch.count, see, &c);
}

/* --- lines of syslog and of our own log --- */

static void own_class(struct event *ev)
{
    ev->class = str_find(ev->original, STR("\"saqshy.class\":\"sec\"")) >= 0 ? CLASS_SEC : CLASS_APP;
}

/* Whose lines follow each other: asked of the profiles once. */
struct whose {
    const struct pile_sender *sender;
    const struct profile     *profile;
    struct str                peer, name;
};

static struct whose whose(const struct worker *w, const struct pile *p, uint32_t n)
{
    const struct pile_sender *s = &p->senders[n];
    struct whose o = { s, NULL, str_of(p->bytes.p + s->peer_at, s->peer_n), str_of(p->bytes.p + s->name_at, s->name_n) };

    if (s->card != CARD_OWN)
        o.profile = profile_of(w, o.peer, s->card, str_of(NULL, 0));
    return o;
}

/* parse_as - the event of a line at the end of the batch, by the profile. */
static struct event *parse_as(struct worker *w, struct str line, const struct profile *p, struct parse_hints *h)
{
    struct event *ev = event_batch_add(&w->batch);

    if (!ev)
        return NULL;
    h->zone_min = zone_of(w, p);
    h->parser = p ? p->parser : str_of(NULL, 0);
    h->encoding = p ? p->encoding : ENCODING_DETECT;
    parse_line(parsers_get(w->parsers), line, h, &w->batch.arena, ev);
    return ev;
}

/* parse_known - the same; when a profile speaks of the host that the line turns out to name, once more by that one. */
static struct event *parse_known(struct worker *w, struct str line, uint16_t card, const struct profile **p, struct parse_hints *h)
{
    struct event *ev = parse_as(w, line, *p, h);
    const struct profile *better = ev && card != CARD_OWN && hosts_matter(w) ? profile_of(w, h->peer, card, host_of(ev)) : *p;

    if (!ev || better == *p)
        return ev;
    *p = better;
    w->batch.count--;
    return parse_as(w, line, *p, h);
}

/* made - whence the event at the end of the batch is. */
static int made(struct worker *w, struct made m)
{
    if (w->batch.count > w->made_cap) {
        size_t cap = w->made_cap ? w->made_cap * 2 : 1024;
        struct made *more = realloc(w->made, cap * sizeof *more);

        if (!more)
            return -ENOMEM;
        w->made = more;
        w->made_cap = cap;
    }
    w->made[w->batch.count - 1] = m;
    return 0;
}

size_t take_lines_in(const struct worker *w)
{
    size_t n = 0;

    for (size_t i = 0; i < w->batch.count; i++)
        n += w->made[i].records;
    return n;
}

/* empty_join - what an attempt that failed left. */
static void empty_join(struct worker *w)
{
    struct joined j;

    join_flush(w->join);
    while (join_next(w->join, &j))
        ;
    w->held_count = 0;
}

static int take_line(struct worker *w, const struct pile_line *l, const struct whose *o, struct str text, struct made m, bool bare)
{
    bool own = o->sender->card == CARD_OWN;
    const struct profile *profile = o->profile;
    struct str name = o->sender->alone ? o->name : str_of(NULL, 0);
    struct parse_hints h = { .received = l->received, .peer = o->peer, .future_tolerance = profiles_tolerance(w->profiles),
                             .source = own ? STR("saqshyd") : o->peer, .truncated = l->truncated, .memory = w->memory,
                             .split = m.split };
    struct event *ev = parse_known(w, text, o->sender->card, &profile, &h);
    struct str host;

    if (!ev)
        return -ENOMEM;
    ev->received = l->received;
    if (bare) {
        ev->field_count = 0;
        ev->parse = EVENT_PARSE_FAILED;
    }
    host = host_of(ev);
    if (own)
        own_class(ev);
    else
        ev->source = named_source(w, host, o->peer, name);
    complete(w, ev, o->peer, name, host, profile);
    if (o->name.n && !bare && event_set(ev, &w->batch.arena, STR("tls.client.x509.subject.common_name"), o->name) < 0)
        ev->parse = ev->parse == EVENT_PARSE_OK ? EVENT_PARSE_PARTIAL : ev->parse;
    m.profile = profile;
    return made(w, m);
}

/* take_joined - the audit events of a pile, by the sender and moment of their first line. */
static int take_joined(struct worker *w, const struct pile *p, bool bare)
{
    struct joined j;
    int rc = 0;

    while (rc == 0 && join_next(w->join, &j)) {
        const struct pile_line *l = &p->lines[j.first];
        struct whose o = whose(w, p, l->sender);
        struct str text = arena_copy(&w->batch.arena, j.text);

        rc = text.p ? take_line(w, l, &o, text, (struct made){ .line = (uint32_t)j.first, .records = j.records, .split = j.split || j.early }, bare) : -ENOMEM;
    }
    return rc;
}

int take_lines(struct worker *w, const struct pile *p, size_t from, size_t n, bool bare)
{
    struct whose o = { 0 };
    int rc = 0;

    event_batch_reset(&w->batch);
    if (from == 0)
        empty_join(w);
    for (size_t i = from; rc == 0 && i < from + n; i++) {
        const struct pile_line *l = &p->lines[i];
        struct str text = str_of(p->bytes.p + l->at, l->n);

        if (join_kind(text) >= JOIN_PART) {
            rc = join_add(w->join, str_of((const char *)&l->sender, sizeof l->sender), text, i, 0, NULL);
            continue;
        }
        if (o.sender != &p->senders[l->sender])
            o = whose(w, p, l->sender);
        rc = take_line(w, l, &o, text, (struct made){ .line = (uint32_t)i, .records = 1 }, bare);
    }
    return rc == 0 ? take_joined(w, p, bare) : rc;
}

int take_rest(struct worker *w, const struct pile *p, bool bare)
{
    event_batch_reset(&w->batch);
    join_flush(w->join);
    return take_joined(w, p, bare);
}

/* --- requests --- */

/* source_id - "agent/var/log/auth.log", "agent/sshd", "agent/service". */
static struct str source_id(struct worker *w, struct str agent, struct str path, struct str unit)
{
    if (path.n)
        return arena_printf(&w->batch.arena, "%.*s%s%.*s", STR_ARG(agent), path.p[0] == '/' ? "" : "/", STR_ARG(path));
    if (unit.n)
        return arena_printf(&w->batch.arena, "%.*s/%.*s", STR_ARG(agent), STR_ARG(unit));
    return agent;
}

/* foreign - an attribute that a sender may give a field of its own name. */
static bool foreign(struct str name)
{
    return name.n > 0 && name.n <= ATTR_NAME_MAX && !str_starts(name, STR("saqshy.")) && name.p[0] != '@' &&
           !str_eq(name, STR("event.original")) && !str_eq(name, STR("event.received")) && !str_eq(name, STR("log.file.path"));
}

static void add_fields(struct worker *w, struct event *ev, const struct attrs *fields)
{
    for (size_t i = 0; fields && i < fields->count; i++) {
        const struct attr *a = &fields->items[i];

        if (foreign(a->name) && !event_get(ev, a->name).n && event_add(ev, &w->batch.arena, a->name, a->value) < 0)
            ev->parse = ev->parse == EVENT_PARSE_OK ? EVENT_PARSE_PARTIAL : ev->parse;
    }
}

/* add_pairs - the same for the members of a document; those of an array have one name, and stand together. */
static void add_pairs(struct worker *w, struct event *ev, const struct form_pairs *pairs)
{
    struct str before = { NULL, 0 };

    for (uint32_t i = 0; pairs && i < pairs->count; i++) {
        const struct event_field *f = &pairs->items[i];

        if (!foreign(f->name) || (!str_eq(f->name, before) && event_get(ev, f->name).n))
            continue;
        before = f->name;
        if (event_add(ev, &w->batch.arena, f->name, f->value) < 0)
            ev->parse = ev->parse == EVENT_PARSE_OK ? EVENT_PARSE_PARTIAL : ev->parse;
    }
    if (pairs && pairs->damaged && ev->parse == EVENT_PARSE_OK)
        ev->parse = EVENT_PARSE_PARTIAL;
}

static void set_time(const struct worker *w, struct event *ev, time_ns said)
{
    if (said <= 0 || !(ev->marks & MARK_NO_TIME))
        return;
    ev->time = said;
    ev->marks &= ~(uint32_t)MARK_NO_TIME;
    if (said - ev->received > profiles_tolerance(w->profiles))
        ev->marks |= MARK_FUTURE;
}

/* take_fact - it is no line of a log: no parser looks at it, and so no line of a log can pass for one (the parser's name is ours to give).
 * It speaks for the host that the certificate names, and for nobody else. */
int take_fact(struct taking *t, struct str kind, struct str text, time_ns time, struct err *e)
{
    struct worker *w = t->w;
    struct arena *a = &w->batch.arena;
    struct event *ev = event_batch_add(&w->batch);
    int rc = ev ? 0 : -E2BIG;

    if (rc == 0) {
        ev->received = t->p->received;
        ev->time = time > 0 ? time : ev->received;
        ev->offset_min = EVENT_OFFSET_NONE;
        ev->parse = EVENT_PARSE_OK;
        ev->original = str_of(text.p, min_size(text.n, EVENT_ORIGINAL_MAX));
        ev->marks = ev->original.n < text.n ? MARK_TRUNCATED : 0;
        ev->parser = STR(EVENT_PARSER_FACTS);
        ev->source = arena_printf(a, "%.*s/facts", STR_ARG(t->p->agent));
        ev->object = objects_find(w->objects, t->p->agent);
        rc = event_add(ev, a, STR("event.kind"), STR("state"));
    }
    if (rc == 0)
        rc = event_add(ev, a, STR("event.dataset"), arena_printf(a, "saqshy.%.*s", STR_ARG(kind)));
    if (rc == 0)
        rc = event_add(ev, a, STR("host.name"), t->p->agent);
    if (rc == 0)
        rc = made(w, (struct made){ .records = 1 });
    return rc < 0 ? err_set(e, -E2BIG, "too many records in a request") : 0;
}

/* add_relay - the field saqshy.relay, in a list of just the size. False: there are as many fields as there may be. */
static bool add_relay(struct worker *w, struct event *ev, struct str relay)
{
    struct event_field *f = ev->field_count < EVENT_FIELDS_MAX ? arena_array(&w->batch.arena, ev->field_count + 1, sizeof *f) : NULL;

    if (!f)
        return false;
    if (ev->field_count)
        memcpy(f, ev->fields, ev->field_count * sizeof *f);
    f[ev->field_count] = (struct event_field){ STR("saqshy.relay"), relay };
    ev->fields = f;
    ev->field_cap = ++ev->field_count;
    return true;
}

/* relayed - one of them is ours now. False: it has passed too many of us already. Its own log comes from "saqshyd" everywhere, which here is us. */
static bool relayed(struct worker *w, struct event *ev, struct str relay)
{
    uint32_t hops = 0;

    for (uint32_t i = ev->field_count; i > 0; i--)
        hops += str_eq(ev->fields[i - 1].name, STR("saqshy.relay"));
    if (hops >= RELAYS_MAX)
        return false;
    if (!add_relay(w, ev, relay))
        ev->parse = ev->parse == EVENT_PARSE_OK ? EVENT_PARSE_PARTIAL : ev->parse;
    ev->seq = 0;
    envelope_moment(ev, clock_now());
    if (str_eq(ev->source, STR("saqshyd")))
        ev->source = arena_printf(&w->batch.arena, "%.*s/saqshyd", STR_ARG(relay));
    if (!ev->object.n)
        ev->object = objects_find(w->objects, host_of(ev));
    return true;
}

int take_events(struct taking *t, struct str payload, struct err *e)
{
    struct worker *w = t->w;
    size_t had = w->batch.count, count, lines = 0;
    int rc = event_decode(payload, 1, &w->batch, e);

    count = w->batch.count;
    w->batch.count = had;
    for (size_t i = had; rc == 0 && i < count; i++) {
        w->batch.items[w->batch.count] = w->batch.items[i];
        /* A payload writes a line that is like the one before in some bytes: the lines themselves have the limit of a body. */
        lines += w->batch.items[i].original.n;
        if (lines > BODY_PLAIN_MAX)
            return err_set(e, -E2BIG, "the lines of a request are larger than %u bytes", BODY_PLAIN_MAX);
        if (!relayed(w, &w->batch.items[w->batch.count], t->p->agent)) {
            t->p->unsupported++;
            continue;
        }
        w->batch.count++;
        if (made(w, (struct made){ .records = 1 }) < 0)
            rc = err_set(e, -ENOMEM, "no memory for a request");
    }
    return rc;
}

/* parse_record - the text, or the document that holds it where no parser knows the text. */
static struct event *parse_record(struct worker *w, const struct record *r, struct str text, struct parse_hints *h)
{
    struct event *ev = event_batch_add(&w->batch);
    bool whole = r->document.n && text.p == r->text.p;     /* joined ones are what they were joined to */

    if (!ev)
        return NULL;
    parse_line(parsers_get(w->parsers), text, h, &w->batch.arena, ev);
    if (whole && ev->parse == EVENT_PARSE_FAILED) {
        w->batch.count--;
        ev = event_batch_add(&w->batch);
        parse_line(parsers_get(w->parsers), r->document, h, &w->batch.arena, ev);
    } else {
        add_pairs(w, ev, r->pairs);
    }
    if (whole)
        ev->original = r->document;
    return ev;
}

/* record_event - the event of one record, or of several that were joined: then r is the first. */
static int record_event(struct taking *t, const struct record *r, struct str text, struct made m, struct err *e)
{
    struct worker *w = t->w;
    struct str name = t->p->agent, peer = str_c(t->p->peer);
    const struct profile *profile = profile_of(w, peer, t->p->card, r->host);
    struct parse_hints h = {
        .received = t->p->received, .peer = peer, .future_tolerance = profiles_tolerance(w->profiles), .host = r->host, .path = r->path,
        .unit = r->unit, .pid = r->pid, .truncated = r->truncated || (!m.split && text.n < r->text.n), .memory = w->memory, .split = m.split,
    };
    struct event *ev;

    /* What lines say of later ones is kept by this: a sender without a name is its address, one that passes on has hosts. */
    h.source = name.n ? name : peer;
    if (t->p->relay && r->host.n)
        h.source = arena_printf(&w->batch.arena, "%.*s/%.*s", STR_ARG(h.source), STR_ARG(r->host));
    h.source = source_id(w, h.source, r->path, r->unit);
    h.zone_min = r->zone_min == EVENT_OFFSET_NONE ? zone_of(w, profile) : r->zone_min;
    h.parser = r->parser.n || !profile ? r->parser : profile->parser;
    h.encoding = profile ? profile->encoding : ENCODING_DETECT;
    ev = parse_record(w, r, text, &h);
    if (!ev)
        return err_set(e, -E2BIG, "too many records in a request");
    ev->received = t->p->received;
    ev->source = name.n && !t->p->relay ? h.source : named_source(w, host_of(ev), peer, name);
    set_time(w, ev, r->time);
    add_fields(w, ev, r->fields);
    if (r->severity.n && !event_get(ev, STR("log.level")).n)
        (void)event_add(ev, &w->batch.arena, STR("log.level"), r->severity);
    complete(w, ev, peer, t->p->alone ? name : str_of(NULL, 0), host_of(ev), profile);
    if (*t->p->object)
        ev->object = str_c(t->p->object);
    m.profile = profile;
    return made(w, m) < 0 ? err_set(e, -ENOMEM, "no memory for a request") : 0;
}

/* same_fields - records of one file bring the same attributes again and again: they are kept once. */
static bool same_fields(const struct attrs *a, const struct attrs *b)
{
    if (!a || !b || a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!str_eq(a->items[i].name, b->items[i].name) || !str_eq(a->items[i].value, b->items[i].value))
            return false;
    return true;
}

/* hold - a record that waits for others of its audit event. Its texts live until the request is stored, its fields are copied. */
static const struct record *hold(struct worker *w, const struct record *r)
{
    struct record *copy = arena_alloc(&w->batch.arena, sizeof *copy);
    const struct record *before = w->held_count ? w->held[w->held_count - 1] : NULL;

    if (!copy)
        return NULL;
    if (w->held_count == w->held_cap) {
        size_t cap = w->held_cap ? w->held_cap * 2 : 1024;
        const struct record **more = realloc(w->held, cap * sizeof(struct record *));

        if (!more)
            return NULL;
        w->held = more;
        w->held_cap = cap;
    }
    *copy = *r;
    if (r->fields && before && same_fields(before->fields, r->fields)) {
        copy->fields = before->fields;
    } else if (r->fields) {
        struct attrs *fields = arena_alloc(&w->batch.arena, sizeof *fields);

        if (!fields)
            return NULL;
        *fields = *r->fields;
        copy->fields = fields;
    }
    w->held[w->held_count++] = copy;
    return copy;
}

int take_record(struct taking *t, const struct record *r, struct err *e)
{
    struct worker *w = t->w;
    size_t most = t->p->record_bytes ? t->p->record_bytes : LINE_MAX_BYTES;
    struct str rest = r->text, text = str_of(rest.p, min_size(rest.n, most));
    int rc;

    if (join_kind(text) >= JOIN_PART && text.n == r->text.n) {
        if (!hold(w, r))
            return err_set(e, -ENOMEM, "no memory for a request");
        return join_add(w->join, r->path.n ? r->path : r->host, text, w->held_count - 1, 0, e);
    }
    do {    /* a longer one is stored in pieces, each marked */
        text = str_of(rest.p, min_size(rest.n, most));
        rest = str_cut(rest, text.n);
        rc = record_event(t, r, text, (struct made){ .records = 1 }, e);
    } while (rc == 0 && rest.n);
    return rc;
}

/* records_joined - the audit events of a request. */
static int records_joined(struct taking *t, struct err *e)
{
    struct worker *w = t->w;
    struct joined j;
    int rc = 0;

    join_flush(w->join);
    while (rc == 0 && join_next(w->join, &j)) {
        struct str text = arena_copy(&w->batch.arena, j.text);

        rc = text.p ? record_event(t, w->held[j.first], text, (struct made){ .records = j.records, .split = j.split || j.early }, e)
                    : err_set(e, -ENOMEM, "no memory for a request");
    }
    w->held_count = 0;
    return rc;
}

int take_request(struct worker *w, struct pile *p, struct err *e)
{
    struct taking t = { w, p };
    int rc = body_plain(p->coding, buf_view(&p->bytes), &w->plain, e);

    event_batch_reset(&w->batch);
    empty_join(w);
    buf_reset(&p->answer);     /* a group may be done again */
    p->unsupported = p->repeats = 0;
    if (rc == 0)
        rc = p->decoder->decode(&t, buf_view(&w->plain), e);
    return rc < 0 ? rc : records_joined(&t, e);
}
