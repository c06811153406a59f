/* worker.c - from piles to the journal: parse, append, commit, then answer.
 *
 * Whatever lies in the hub when the last commit is done makes the next group: under load groups grow by themselves, and an fsync is
 * shared by all of them. A group that could not be committed is done again from its piles; numbered batches cannot double by that. */
#include "ingest/worker.h"
#include "ingest/otlp.h"
#include "ingest/parsers.h"
#include "base/log.h"

#define WAIT_MS          200            /* how often our own log and the tables are looked at when nothing arrives */
#define RETRY_MS         1000           /* no space, or a journal that could not be written */
#define BATCH_ARENA_MAX  (256u * MIB)
#define PUBLISH_NS       (2 * NS_PER_SECOND)
#define ATTR_NAME_MAX    EVENT_NAME_MAX

/* What a pile came to; added to the counters when its group is on disk. */
struct tally {
    int64_t read, stored[FROM_COUNT], bytes[FROM_COUNT], unparsed, truncated, refused[REFUSED_COUNT];
};

struct worker {
    struct ingest     *in;
    pthread_t          thread;
    char               folder[4096], metrics_path[4096];
    struct journal    *journal;
    struct parsers    *parsers;
    struct sources    *sources;
    struct objects    *objects;
    struct ownlog     *ownlog;
    struct event_batch batch;
    struct buf         plain;
    time_ns            published;
};

/* host_of - host.name, without the detour over members that event_get makes: it is asked for every event. */
static struct str host_of(const struct event *ev)
{
    static const struct str name = STR_INIT("host.name");

    for (uint32_t i = 0; i < ev->field_count; i++)
        if (str_eq(ev->fields[i].name, name))
            return ev->fields[i].value;
    return str_of(NULL, 0);
}

/* complete - what the registry knows of the source. An agent's name is in its certificate: one that is a host of the registry speaks for
 * that host's object alone, whatever its lines say, so that a captured server cannot make events of another owner. Then the host a line
 * names counts before the address it came from. */
static void complete(const struct worker *w, struct event *ev, struct str peer, struct str agent)
{
    ev->object = objects_find(w->objects, agent);
    if (!ev->object.n)
        ev->object = objects_find(w->objects, host_of(ev));
    if (!ev->object.n)
        ev->object = objects_find(w->objects, peer);
}

/* named_source - the source of a line of syslog: the host that it names, unless that would read as an agent's source or our own. */
static struct str named_source(const struct event *ev, struct str peer)
{
    struct str host = host_of(ev);

    return host.n == 0 || str_chr(host, '/') >= 0 || str_eq(host, STR("saqshyd")) ? peer : host;
}

static void tally_batch(struct worker *w, struct tally *t, const struct pile *p)
{
    for (size_t i = 0; i < w->batch.count; i++) {
        const struct event *ev = &w->batch.items[i];
        enum from f = p->request ? FROM_OTLP : (enum from)p->lines[i].from;

        t->stored[f]++;
        t->bytes[f] += (int64_t)ev->original.n;
        t->unparsed += ev->parse == EVENT_PARSE_FAILED;
        t->truncated += (ev->marks & MARK_TRUNCATED) != 0;
        /* Facts are no log: they are no source that somebody might look for among the logs of the host. */
        if (!str_eq(ev->parser, STR(EVENT_PARSER_FACTS)))
            sources_count(w->sources, ev, host_of(ev), f);
    }
}

/* --- lines of syslog and of our own log --- */

static void own_class(struct event *ev)
{
    ev->class = str_find(ev->original, STR("\"saqshy.class\":\"sec\"")) >= 0 ? CLASS_SEC : CLASS_APP;
}

static int parse_pile(struct worker *w, const struct pile *p, bool bare)
{
    event_batch_reset(&w->batch);
    for (size_t i = 0; i < p->count; i++) {
        const struct pile_line *l = &p->lines[i];
        struct str line = str_of(p->bytes.p + l->at, l->n), peer = str_of(p->bytes.p + l->peer_at, l->peer_n);
        bool own = l->from == FROM_OWN;
        struct parse_hints h = { .received = l->received, .zone_min = w->in->options->zone_min, .peer = peer,
                                 .future_tolerance = w->in->options->future_tolerance_s * NS_PER_SECOND,
                                 .source = own ? STR("saqshyd") : peer, .truncated = l->truncated };
        struct event *ev = event_batch_add(&w->batch);

        if (!ev)
            return -ENOMEM;
        parse_line(parsers_get(w->parsers), line, &h, &w->batch.arena, ev);
        ev->received = l->received;
        if (bare) {
            ev->field_count = 0;
            ev->parse = EVENT_PARSE_FAILED;
        }
        if (own)
            own_class(ev);
        else
            ev->source = named_source(ev, peer);
        complete(w, ev, peer, str_of(NULL, 0));
    }
    return 0;
}

/* store_lines - a frame of lines. If their fields make it too large, the lines go in without them: bytes come first. */
static int store_lines(struct worker *w, struct pile *p, struct journal_origin origin, struct tally *t, struct err *e)
{
    int rc = -E2BIG;

    for (int bare = 0; bare < 2 && rc == -E2BIG; bare++) {
        rc = parse_pile(w, p, bare != 0);
        if (rc == 0)
            rc = journal_append(w->journal, w->batch.items, w->batch.count, origin, NULL, e);
    }
    if (rc == 0)
        tally_batch(w, t, p);
    else if (rc == -E2BIG || rc == -EINVAL)
        t->refused[REFUSED_TOO_LARGE] += (int64_t)p->count;
    else if (rc == 1)
        t->refused[REFUSED_REPEATED] += (int64_t)p->count;
    if (rc == -E2BIG || rc == -EINVAL) {
        log_line(LOG_ERROR, "cannot store a pile of lines, skipping it", "error.message", e->text, NULL);
        return 0;
    }
    return rc;
}

/* --- requests --- */

struct taking {
    struct worker *w;
    struct pile   *p;
};

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
           !str_eq(name, STR("event.original")) && !str_eq(name, STR("log.file.path"));
}

static void add_attrs(struct worker *w, struct event *ev, const struct otlp_attrs *attrs)
{
    for (size_t i = 0; i < attrs->count; i++) {
        const struct otlp_attr *a = &attrs->items[i];

        if (foreign(a->name) && !event_get(ev, a->name).n && event_add(ev, &w->batch.arena, a->name, a->value) < 0)
            ev->parse = ev->parse == EVENT_PARSE_OK ? EVENT_PARSE_PARTIAL : ev->parse;
    }
}

static int32_t zone_of(const struct worker *w, const struct otlp_attrs *resource)
{
    int64_t zone;

    if (str_i64(otlp_attr(resource, STR("saqshy.zone_min")), &zone) && zone >= -18 * 60 && zone <= 18 * 60)
        return (int32_t)zone;
    return w->in->options->zone_min;
}

static void set_time(const struct worker *w, struct event *ev, time_ns said)
{
    if (said <= 0 || !(ev->marks & MARK_NO_TIME))
        return;
    ev->time = said;
    ev->marks &= ~(uint32_t)MARK_NO_TIME;
    if (said - ev->received > w->in->options->future_tolerance_s * NS_PER_SECOND)
        ev->marks |= MARK_FUTURE;
}

/* on_fact - a part of what an agent reports of its host's state. It is no line of a log: no parser looks at it, and so no line of a log can pass for
 * one (the parser's name is ours to give). It speaks for the host that the certificate names, and for nobody else. */
static int on_fact(struct taking *t, const struct otlp_record *rec, struct str kind)
{
    struct worker *w = t->w;
    struct arena *a = &w->batch.arena;
    struct event *ev = event_batch_add(&w->batch);
    int rc;

    if (!ev)
        return -E2BIG;
    ev->received = t->p->received;
    ev->time = rec->time > 0 ? rec->time : ev->received;
    ev->offset_min = EVENT_OFFSET_NONE;
    ev->parse = EVENT_PARSE_OK;
    ev->original = str_of(rec->body.p, min_size(rec->body.n, EVENT_ORIGINAL_MAX));
    ev->marks = ev->original.n < rec->body.n ? MARK_TRUNCATED : 0;
    ev->parser = STR(EVENT_PARSER_FACTS);
    ev->source = arena_printf(a, "%.*s/facts", STR_ARG(t->p->agent));
    ev->object = objects_find(w->objects, t->p->agent);
    rc = event_add(ev, a, STR("event.kind"), STR("state"));
    if (rc == 0)
        rc = event_add(ev, a, STR("event.dataset"), arena_printf(a, "saqshy.%.*s", STR_ARG(kind)));
    return rc == 0 ? event_add(ev, a, STR("host.name"), t->p->agent) : rc;
}

static bool fact_kind(struct str s) { return str_eq(s, STR("packages")) || str_eq(s, STR("settings")) || str_eq(s, STR("files")); }

static int on_record(void *arg, const struct otlp_attrs *resource, const struct otlp_record *rec, struct err *e)
{
    struct taking *t = arg;
    struct worker *w = t->w;
    struct str fact = otlp_attr(&rec->attrs, STR("saqshy.facts"));
    struct str unit = otlp_attr(&rec->attrs, STR("saqshy.unit")), path = otlp_attr(&rec->attrs, STR("log.file.path"));
    struct str service = otlp_attr(resource, STR("service.name"));
    struct parse_hints h = {
        .received = t->p->received, .zone_min = zone_of(w, resource), .peer = str_c(t->p->peer),
        .future_tolerance = w->in->options->future_tolerance_s * NS_PER_SECOND,
        .host = otlp_attr(resource, STR("host.name")), .path = path, .unit = unit.n ? unit : service,
        .pid = otlp_attr(&rec->attrs, STR("saqshy.pid")),
        .truncated = rec->body.n > LINE_MAX_BYTES || str_eq(otlp_attr(&rec->attrs, STR("saqshy.truncated")), STR("true")),
    };
    struct event *ev;

    if (fact_kind(fact) && t->p->agent.n)
        return on_fact(t, rec, fact) < 0 ? err_set(e, -E2BIG, "too many records in a request") : 0;
    ev = event_batch_add(&w->batch);
    if (!ev)
        return err_set(e, -E2BIG, "too many records in a request");
    h.source = source_id(w, t->p->agent, path, unit.n ? unit : service);
    parse_line(parsers_get(w->parsers), str_of(rec->body.p, min_size(rec->body.n, LINE_MAX_BYTES)), &h, &w->batch.arena, ev);
    ev->received = t->p->received;
    ev->source = h.source;
    set_time(w, ev, rec->time ? rec->time : rec->observed);
    add_attrs(w, ev, &rec->attrs);
    if (rec->severity.n && !event_get(ev, STR("log.level")).n)
        (void)event_add(ev, &w->batch.arena, STR("log.level"), rec->severity);
    complete(w, ev, str_c(t->p->peer), t->p->agent);
    return 0;
}

static void answer(struct pile *p, int status, const char *reason)
{
    p->status = status;
    snprintf(p->reason, sizeof p->reason, "%s", reason);
}

/* store_request - decode and append. What the sender did wrong is its answer, not our failure. */
static int store_request(struct worker *w, struct pile *p, struct tally *t, struct err *e)
{
    struct journal_origin origin = { p->numbered ? p->agent : str_of(NULL, 0), p->number };
    struct taking taking = { w, p };
    int rc = unpack(p->coding, buf_view(&p->bytes), &w->plain, e);

    event_batch_reset(&w->batch);
    if (rc == 0)
        rc = otlp_decode(buf_view(&w->plain), &w->batch.arena, on_record, &taking, NULL, e);
    if (rc < 0) {
        metric_add(w->in->counters.poison, 1);
        answer(p, rc == -EBADMSG ? 400 : rc == -E2BIG ? 413 : 503, e->text);
        return 0;
    }
    t->read = (int64_t)w->batch.count;
    rc = w->batch.count ? journal_append(w->journal, w->batch.items, w->batch.count, origin, NULL, e) : 0;
    if (rc == -E2BIG || rc == -EINVAL) {
        t->refused[REFUSED_TOO_LARGE] += t->read;
        answer(p, 413, e->text);
        return 0;
    }
    if (rc < 0)
        return rc;
    p->repeated = rc == 1;
    p->last_number = origin.id.n ? journal_origin_seq(w->journal, origin.id) : 0;
    if (rc == 1)
        t->refused[REFUSED_REPEATED] += t->read;
    else
        tally_batch(w, t, p);
    answer(p, 200, "");
    return 0;
}

/* --- groups --- */

static void add_tally(struct counters *c, const struct tally *t)
{
    metric_add(c->read[FROM_OTLP], t->read);
    for (int i = 0; i < FROM_COUNT; i++) {
        metric_add(c->stored[i], t->stored[i]);
        metric_add(c->bytes[i], t->bytes[i]);
    }
    for (int i = 0; i < REFUSED_COUNT; i++)
        metric_add(c->refused[i], t->refused[i]);
    metric_add(c->unparsed, t->unparsed);
    metric_add(c->truncated, t->truncated);
}

static void sum_tally(struct tally *to, const struct tally *t)
{
    to->read += t->read;
    for (int i = 0; i < FROM_COUNT; i++) {
        to->stored[i] += t->stored[i];
        to->bytes[i] += t->bytes[i];
    }
    for (int i = 0; i < REFUSED_COUNT; i++)
        to->refused[i] += t->refused[i];
    to->unparsed += t->unparsed;
    to->truncated += t->truncated;
}

static int commit(struct worker *w, struct err *e)
{
    struct counters *c = &w->in->counters;
    time_ns before = clock_steady(), took;
    int rc = journal_commit(w->journal, e);

    took = clock_steady() - before;
    metric_add(c->commits, 1);
    metric_add(c->commit_us, took / 1000);
    metric_set(c->commit_last_us, took / 1000);
    return rc;
}

/* rest - wait a little before trying again. True when the role is to end. */
static bool rest(struct worker *w)
{
    struct timespec t = { RETRY_MS / 1000, RETRY_MS % 1000 * NS_PER_MS };

    if (hub_stopping(&w->in->hub))
        return true;
    nanosleep(&t, NULL);
    return hub_stopping(&w->in->hub);
}

/* reopen - after -EIO the writer takes nothing more. */
static bool reopen(struct worker *w)
{
    struct err e;

    for (;;) {
        journal_close(&w->journal);
        if (journal_open(w->folder, (uint64_t)w->in->options->segment_bytes, &w->journal, &e) == 0)
            return true;
        log_line(LOG_ERROR, "could not open the journal again, retrying", "error.message", e.text, NULL);
        if (rest(w))
            return false;
    }
}

static void give_up(struct worker *w, struct pile *list, enum refusal why)
{
    for (struct pile *p = list; p; p = p->next) {
        if (p->request)
            answer(p, 503, "the journal takes nothing now");
        else
            metric_add(w->in->counters.refused[why], (int64_t)p->count);
    }
    hub_return(&w->in->hub, list);
}

/* append_group - piles up to the first that the journal refuses; *stopped is that one. */
static int append_group(struct worker *w, struct pile *list, struct tally *sum, struct pile **stopped, struct err *e)
{
    const struct journal_origin none = { { NULL, 0 }, 0 };
    int rc = 0;

    *sum = (struct tally){ 0 };
    for (*stopped = list; *stopped; *stopped = (*stopped)->next) {
        struct tally t = { 0 };

        rc = (*stopped)->request ? store_request(w, *stopped, &t, e) : store_lines(w, *stopped, none, &t, e);
        if (rc < 0)
            return rc;
        sum_tally(sum, &t);
    }
    return 0;
}

/* no_space - requests are refused, those that came meanwhile too; lines wait (and with them TCP, when the queue is full). Returns
 * what still waits. */
static struct pile *no_space(struct worker *w, struct pile *list, const struct err *e)
{
    struct pile *waiting = NULL, **tail = &waiting, *refused = NULL, *next, *last = list;
    bool stop;

    if (!hub_disk_full(&w->in->hub))
        log_line(LOG_ERROR, "there is no space for the journal, taking nothing until there is", "error.message", e->text, NULL);
    hub_disk(&w->in->hub, true);
    while (last->next)
        last = last->next;
    last->next = hub_take(&w->in->hub, 0, &stop);
    for (; list; list = next) {
        next = list->next;
        list->next = NULL;
        if (list->request) {
            list->next = refused;
            refused = list;
        } else {
            *tail = list;
            tail = &list->next;
        }
    }
    if (refused)
        give_up(w, refused, REFUSED_NO_SPACE);
    if (waiting && rest(w)) {
        give_up(w, waiting, REFUSED_NO_SPACE);
        return NULL;
    }
    return waiting;
}

/* split - cut the list before its member stop; the head is returned, NULL if stop is the first. */
static struct pile *split(struct pile *list, struct pile *stop)
{
    struct pile *p = list;

    if (list == stop)
        return NULL;
    while (p->next != stop)
        p = p->next;
    p->next = NULL;
    return list;
}

static void store_group(struct worker *w, struct pile *list)
{
    struct err e = { 0 };

    while (list) {
        struct pile *stopped = NULL, *whole;
        struct tally sum;
        int rc = append_group(w, list, &sum, &stopped, &e), committed = 0;

        if (rc == 0 || rc == -ENOSPC)
            committed = commit(w, &e);
        if (committed < 0 || (rc < 0 && rc != -ENOSPC)) {
            log_line(LOG_ERROR, "could not write the journal, opening it again", "error.message", e.text, NULL);
            if (rest(w) || !reopen(w)) {
                give_up(w, list, REFUSED_STOPPED);
                return;
            }
            continue;
        }
        add_tally(&w->in->counters, &sum);
        whole = split(list, stopped);
        hub_return(&w->in->hub, whole);
        list = stopped ? no_space(w, stopped, &e) : NULL;
    }
    hub_disk(&w->in->hub, false);
}

/* --- our own log --- */

static uint64_t own_seen(void *arg, struct str id) { return journal_origin_seq(((struct worker *)arg)->journal, id); }

/* follow_own_log - one part of it. True if there may be more. */
static bool follow_own_log(struct worker *w)
{
    struct pile *p = pile_new();
    struct ownlog_part part;
    struct tally t = { 0 };
    struct err e = { 0 };
    int rc = p ? ownlog_next(w->ownlog, p, &part, own_seen, w) : 0;

    if (rc <= 0) {
        pile_free(&p);
        return false;
    }
    rc = p->count ? store_lines(w, p, (struct journal_origin){ str_c(part.id), part.end }, &t, &e) : 0;
    if (rc >= 0)
        rc = commit(w, &e);
    if (rc >= 0) {
        ownlog_taken(w->ownlog, &part);
        metric_add(w->in->counters.read[FROM_OWN], (int64_t)p->count);
        add_tally(&w->in->counters, &t);
    } else if (rc != -ENOSPC && !reopen(w)) {
        rc = -EIO;
    }
    pile_free(&p);
    return rc >= 0;
}

static void publish(struct worker *w, bool now)
{
    time_ns at = clock_steady();
    struct counters *c = &w->in->counters;

    sources_publish(w->sources, now);
    if (!now && at - w->published < PUBLISH_NS)
        return;
    w->published = at;
    objects_reload(w->objects);
    counters_balance(c);
    metric_set(c->queue_bytes, (int64_t)hub_weight(&w->in->hub));
    metric_set(c->own_lag, (int64_t)ownlog_lag(w->ownlog));
    if (metrics_publish(&c->all, w->metrics_path, NULL) < 0)
        return; /* a picture, tried again in two seconds */
}

static void *run(void *arg)
{
    struct worker *w = arg;
    bool stop = false, more = false;

    while (!stop) {
        struct pile *list = hub_take(&w->in->hub, more ? 0 : WAIT_MS, &stop);

        if (list)
            store_group(w, list);
        more = w->journal && follow_own_log(w);
        publish(w, false);
        event_batch_reset(&w->batch); /* its texts may be the parser's */
        parsers_look(w->parsers);
        if (!w->journal)
            break;
    }
    publish(w, true);
    return NULL;
}

static void worker_free(struct worker *w)
{
    journal_close(&w->journal);
    parsers_free(&w->parsers);
    sources_free(&w->sources);
    objects_free(&w->objects);
    ownlog_free(&w->ownlog);
    event_batch_free(&w->batch);
    buf_free(&w->plain);
    free(w);
}

static int open_parts(struct worker *w, const struct ingest_options *o, struct err *e)
{
    char path[4096];
    int rc;

    snprintf(w->folder, sizeof w->folder, "%s/journal", o->data);
    snprintf(w->metrics_path, sizeof w->metrics_path, "%s/run/metrics-ingest.prom", o->data);
    rc = journal_open(w->folder, (uint64_t)o->segment_bytes, &w->journal, e);
    if (rc == 0)
        rc = parsers_new(o->data, o->content ? o->content : "", o->zone_min, &w->in->counters.all, &w->parsers, e);
    snprintf(path, sizeof path, "%s/run/sources.json", o->data);
    if (rc == 0)
        rc = sources_new(path, &w->sources, e);
    snprintf(path, sizeof path, "%s/run/objects.tsv", o->data);
    if (rc == 0)
        rc = objects_new(path, &w->objects, e);
    snprintf(path, sizeof path, "%s/log/saqshyd.jsonl", o->data);
    return rc == 0 ? ownlog_new(path, &w->ownlog, e) : rc;
}

int worker_start(struct ingest *in, struct worker **out, struct err *e)
{
    struct worker *w = calloc(1, sizeof *w);
    int rc;

    if (!w)
        return err_set(e, -ENOMEM, "no memory for the worker");
    w->in = in;
    event_batch_init(&w->batch, BATCH_ARENA_MAX);
    buf_init(&w->plain, BODY_PLAIN_MAX + MIB);
    rc = open_parts(w, in->options, e);
    if (rc == 0 && pthread_create(&w->thread, NULL, run, w) != 0)
        rc = err_set(e, -EAGAIN, "could not start the worker");
    if (rc < 0) {
        worker_free(w);
        return rc;
    }
    *out = w;
    return 0;
}

void worker_join(struct worker **w)
{
    if (!*w)
        return;
    pthread_join((*w)->thread, NULL);
    worker_free(*w);
    *w = NULL;
}
