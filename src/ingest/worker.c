/* worker.c - from piles to the journal: parse, append, commit, then answer.
 *
 * Whatever lies in the hub when the last commit is done makes the next group: under load groups grow by themselves, and an fsync is
 * shared by all of them. A group that could not be committed is done again from its piles; numbered batches cannot double by that. */
#include "ingest/worker.h"
#include "parse/join.h"
#include "ingest/parsers.h"
#include "ingest/record.h"
#include "base/file.h"
#include "base/log.h"

#define WAIT_MS          200            /* how often our own log and the tables are looked at when nothing arrives */
#define SPACE_EVERY_NS   (500 * NS_PER_MS)   /* between two looks at the free space */
#define SPACE_EVERY_BYTES (8u * MIB)    /* and after so many: a fast sender needs less time for a reserve than that */
#define FULL_TOLD_NS     (10 * NS_PER_SECOND) /* each line is an event again, later */
#define RETRY_MS         1000           /* no space, or a journal that could not be written */
#define BATCH_ARENA_MAX  (256u * MIB)
#define PUBLISH_NS       (2 * NS_PER_SECOND)
#define MEMORY_MAX       (64u * MIB)
#define NUMBER_FREE_MAX  (UINT64_MAX / 2)    /* up to here a sender may choose its numbers: a moment in nanoseconds fits until the year 2262 */
#define NUMBER_STEP_MAX  (UINT64_C(1) << 32) /* above the last one, beyond that */
#define STREAMS_MAX      1024           /* numberings of one Saqshy that passes events on: there are JOURNAL_ORIGINS_MAX for all senders */
#define PORTION          256            /* lines: their events, a kilobyte each, stay in a core's own cache, and most are like one before */

static void answer(struct pile *p, int status, const char *reason)
{
    p->status = status;
    snprintf(p->reason, sizeof p->reason, "%s", reason);
}

static void refuse_lines(const struct pile *p, struct tally *t, enum refusal why)
{
    for (size_t i = 0; i < p->count; i++)
        tally_row(t, p->senders[p->lines[i].sender].card)->refused[why]++;
}

/* add_lines - the pile's lines into the frame that was begun, portion by portion: each is parsed, encoded and counted while it lies in the
 * processor's cache. seen: so many are known to the sources already. */
static int add_lines(struct worker *w, const struct pile *p, bool bare, struct tally *t, size_t *seen, struct err *e)
{
    int rc = 0;

    t->rows = 0;
    for (size_t from = 0; rc == 0 && from < p->count; from += PORTION) {
        rc = take_lines(w, p, from, min_size(PORTION, p->count - from), bare);
        if (rc == 0 && w->batch.count)
            rc = journal_add(w->journal, w->batch.items, w->batch.count, e);
        if (rc == 0)
            take_tally(w, t, p, from >= *seen);
        if (rc == 0)
            *seen = max_size(*seen, from + PORTION);
    }
    if (rc == 0)
        rc = take_rest(w, p, bare);
    if (rc == 0 && w->batch.count)
        rc = journal_add(w->journal, w->batch.items, w->batch.count, e);
    if (rc == 0)
        take_tally(w, t, p, *seen != SIZE_MAX);
    if (rc == 0)
        *seen = SIZE_MAX;
    return rc;
}

/* store_lines - a frame of lines. If their fields make it too large, the lines go in without them: bytes come first. */
static int store_lines(struct worker *w, struct pile *p, struct journal_origin origin, struct tally *t, struct err *e)
{
    size_t seen = 0;
    int rc = -E2BIG;

    for (int bare = 0; bare < 2 && rc == -E2BIG; bare++) {
        rc = journal_begin(w->journal, origin, e);
        if (rc == 0)
            rc = add_lines(w, p, bare != 0, t, &seen, e);
        if (rc == 0)
            rc = journal_end(w->journal, NULL, e);
    }
    if (rc != 0)
        t->rows = 0;
    if (rc == -E2BIG || rc == -EINVAL)
        refuse_lines(p, t, REFUSED_TOO_LARGE);
    else if (rc == 1)
        refuse_lines(p, t, REFUSED_REPEATED);
    answer(p, 200, "");
    if (rc == -E2BIG || rc == -EINVAL) {
        answer(p, 413, e->text);
        log_line(LOG_ERROR, "cannot store a pile of lines, skipping it", "error.message", e->text, NULL);
        return 0;
    }
    return rc;
}

/* origin_of - whose numbers these are: an agent has one numbering, a Saqshy that passes events on one for each of its journals and upstreams. */
static struct str origin_of(const struct pile *p, char text[JOURNAL_ORIGIN_ID_MAX + 1])
{
    if (*p->origin)
        return str_c(p->origin);
    if (!*p->stream)
        return p->agent;
    snprintf(text, JOURNAL_ORIGIN_ID_MAX + 1, "%.64s/%.63s", p->agent_text, p->stream);
    return str_c(text);
}

/* judge_number - may this number be taken of a sender? One that leaves no room above it would end a numbering for good, and whoever had the key of a name for a
 * while could leave that behind. And nobody takes the room that others need for theirs. */
static int judge_number(const struct worker *w, const struct pile *p, struct err *e)
{
    char text[JOURNAL_ORIGIN_ID_MAX + 1], beginning[AGENT_TEXT_MAX + 1];
    struct str id = origin_of(p, text);
    uint64_t last = id.n ? journal_origin_seq(w->journal, id) : 0;

    if (p->number > NUMBER_FREE_MAX && p->number > last && p->number - last > NUMBER_STEP_MAX)
        return err_set(e, -EBADMSG, "number %llu is too far above the last one, %llu", (unsigned long long)p->number, (unsigned long long)last);
    if (!*p->stream || last)
        return 0;
    snprintf(beginning, sizeof beginning, "%s/", p->agent_text);
    if (journal_origin_count(w->journal, str_c(beginning)) >= STREAMS_MAX)
        return err_set(e, -EAGAIN, "\"%s\" has %d numberings here already", p->agent_text, STREAMS_MAX);
    return 0;
}

/* store_request - decode and append. What the sender did wrong is its answer, not our failure. */
static int store_request(struct worker *w, struct pile *p, struct tally *t, struct err *e)
{
    char origin_text[JOURNAL_ORIGIN_ID_MAX + 1];
    struct tally_row *row = tally_row(t, p->card);
    int rc = p->numbered && !*p->origin ? judge_number(w, p, e) : 0;

    if (rc == 0)
        rc = take_request(w, p, e);
    struct journal_origin origin = { p->numbered ? origin_of(p, origin_text) : str_of(NULL, 0), p->number };

    if (rc < 0) {
        metric_add(w->in->counters.poison, 1);
        answer(p, rc == -EBADMSG ? 400 : rc == -E2BIG ? 413 : 503, e->text);
        return 0;
    }
    row->read = (int64_t)take_lines_in(w) + p->unsupported + p->repeats;
    row->refused[REFUSED_UNSUPPORTED] = p->unsupported;
    row->refused[REFUSED_REPEATED] = p->repeats;
    p->records = take_lines_in(w);
    rc = w->batch.count ? journal_append(w->journal, w->batch.items, w->batch.count, origin, NULL, e) : 0;
    if (rc == -E2BIG || rc == -EINVAL) {
        row->refused[REFUSED_TOO_LARGE] += row->read - p->unsupported - p->repeats;
        answer(p, 413, e->text);
        return 0;
    }
    if (rc < 0)
        return rc;
    p->repeated = rc == 1;
    p->last_number = origin.id.n ? journal_origin_seq(w->journal, origin.id) : 0;
    if (rc == 1)
        row->refused[REFUSED_REPEATED] += row->read - p->unsupported - p->repeats;
    else
        take_tally(w, t, p, true);
    answer(p, 200, "");
    return 0;
}

/* --- groups --- */

static void add_tally(struct counters *c, const struct tally *t)
{
    for (size_t i = 0; i < t->rows; i++) {
        const struct tally_row *r = &t->row[i];
        struct card *card = &c->card[i];

        card_add(&card->read, r->read);
        card_add(&card->stored, r->stored);
        card_add(&card->bytes, r->bytes);
        card_add(&card->unparsed, r->unparsed);
        card_add(&card->truncated, r->truncated);
        if (r->last)
            card_set(&card->last_event, r->last);
        for (int k = 0; k < REFUSED_COUNT; k++) {
            card_add(&card->refused[k], r->refused[k]);
            metric_add(c->refused[k], r->refused[k]);
        }
        metric_add(c->unparsed, r->unparsed);
        metric_add(c->truncated, r->truncated);
    }
}

static void sum_tally(struct tally *to, const struct tally *t)
{
    for (size_t i = 0; i < t->rows; i++) {
        const struct tally_row *r = &t->row[i];
        struct tally_row *sum = tally_row(to, (uint16_t)i);

        sum->read += r->read;
        sum->stored += r->stored;
        sum->bytes += r->bytes;
        sum->unparsed += r->unparsed;
        sum->truncated += r->truncated;
        sum->last = r->last > sum->last ? r->last : sum->last;
        for (int k = 0; k < REFUSED_COUNT; k++)
            sum->refused[k] += r->refused[k];
    }
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
        answer(p, 503, "the journal takes nothing now");
        for (size_t i = 0; !p->decoder && i < p->count; i++)
            ingest_refuse(w->in, &w->in->counters.card[p->senders[p->lines[i].sender].card], why, 1);
    }
    hub_return(&w->in->hub, list);
}

/* room - 0, or -ENOSPC while a reserve is touched: what comes then would take the room that our own log, cases and the journal's end live on. */
static int room(struct worker *w, struct err *e)
{
    const char *const paths[] = { w->folder, w->in->options->data };
    time_ns now = clock_steady();
    bool due = now - w->space_at >= SPACE_EVERY_NS || w->space_taken >= SPACE_EVERY_BYTES;

    for (size_t i = 0; due && i < COUNT(paths); i++) {
        struct space s = { .state = w->space[i] };

        if (space_look(paths[i], &w->reserve, w->space[i], &s, e) == 0)
            w->space[i] = s.state;
    }
    if (due) {
        w->space_at = now;
        w->space_taken = 0;
    }
    for (size_t i = 0; i < COUNT(paths); i++)
        if (w->space[i] == SPACE_TOUCHED)
            return err_set(e, -ENOSPC, "the reserve of the disk of \"%s\" is touched", paths[i]);
    return 0;
}

/* append_group - piles up to the first that the journal refuses; *stopped is that one. */
static int append_group(struct worker *w, struct pile *list, struct tally *sum, struct pile **stopped, struct err *e)
{
    const struct journal_origin none = { { NULL, 0 }, 0 };
    int rc = 0;

    sum->rows = 0;
    for (*stopped = list; *stopped; *stopped = (*stopped)->next) {
        struct tally *t = &w->tally;

        t->rows = 0;
        rc = room(w, e);
        if (rc < 0)
            return rc;
        w->space_taken += (*stopped)->bytes.n;
        rc = (*stopped)->decoder ? store_request(w, *stopped, t, e) : store_lines(w, *stopped, none, t, e);
        if (rc < 0)
            return rc;
        sum_tally(sum, t);
    }
    return 0;
}

/* no_space - requests are refused, those that came meanwhile too; lines wait (and with them TCP, when the queue is full). Returns
 * what still waits. */
static struct pile *no_space(struct worker *w, struct pile *list, const struct err *e)
{
    struct pile *waiting = NULL, **tail = &waiting, *refused = NULL, *next, *last = list;
    bool stop;

    if (!hub_disk_full(&w->in->hub) && (!w->full_told || clock_steady() - w->full_told >= FULL_TOLD_NS)) {
        w->full_told = clock_steady();
        log_line(LOG_ERROR, "there is no space for the journal, taking nothing until there is", "error.message", e->text, NULL);
    }
    hub_disk(&w->in->hub, true);
    while (last->next)
        last = last->next;
    last->next = hub_take(&w->in->hub, 0, &stop);
    for (; list; list = next) {
        next = list->next;
        list->next = NULL;
        if (list->decoder) {
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

/* tell_decoders - those that keep something of what is on disk now. */
static void tell_decoders(struct worker *w, struct pile *list)
{
    const struct body_decoder *told = NULL;

    for (struct pile *p = list; p; p = p->next) {
        if (p->decoder && p->decoder->committed && p->decoder != told)
            p->decoder->committed(w->in, list);
        told = p->decoder;
    }
}

static void store_group(struct worker *w, struct pile *list)
{
    struct err e = { 0 };

    while (list) {
        struct pile *stopped = NULL, *whole;
        int rc = append_group(w, list, &w->sum, &stopped, &e), committed = 0;

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
        add_tally(&w->in->counters, &w->sum);
        whole = split(list, stopped);
        tell_decoders(w, whole);
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
    struct err e = { 0 };
    int rc = p ? ownlog_next(w->ownlog, p, &part, own_seen, w) : 0;

    if (rc <= 0) {
        pile_free(&p);
        return false;
    }
    w->sum.rows = 0;
    rc = p->count ? store_lines(w, p, (struct journal_origin){ str_c(part.id), part.end }, &w->sum, &e) : 0;
    if (rc >= 0)
        rc = commit(w, &e);
    if (rc >= 0) {
        ownlog_taken(w->ownlog, &part);
        card_add(&w->in->counters.card[CARD_OWN].read, (int64_t)p->count);
        add_tally(&w->in->counters, &w->sum);
    } else if (rc != -ENOSPC && !reopen(w)) {
        rc = -EIO;
    }
    pile_free(&p);
    return rc >= 0;
}

/* keep_memory - what the parser has learned of sources, for the next start; it is a picture, a lost one is learned again. */
static void keep_memory(struct worker *w)
{
    AUTO_BUF struct buf b = { 0 };

    if (!parse_memory_changed(w->memory))
        return;
    buf_init(&b, MEMORY_MAX);
    parse_memory_save(w->memory, &b);
    if (buf_failed(&b) || file_write_quick(w->memory_path, buf_view(&b), NULL) < 0)
        return;
}

/* write_picture - what the loop drew, as DATA/run/ingest.json. */
static void write_picture(struct worker *w)
{
    AUTO_BUF struct buf b = { 0 };
    struct hub *h = &w->in->hub;

    buf_init(&b, 4u * MIB);
    pthread_mutex_lock(&h->lock);
    if (w->in->picture_new)
        buf_str(&b, buf_view(&w->in->picture));
    w->in->picture_new = false;
    pthread_mutex_unlock(&h->lock);
    if (b.n && !buf_failed(&b) && file_write_quick(w->picture_path, buf_view(&b), NULL) < 0)
        return; /* a picture, tried again in two seconds */
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
    told_look(w->told);
    keep_memory(w);
    metric_set(c->queue_bytes, (int64_t)hub_weight(&w->in->hub));
    metric_set(c->own_lag, (int64_t)ownlog_lag(w->ownlog));
    write_picture(w);
    if (counters_publish(c, w->metrics_path, NULL) < 0)
        return; /* likewise */
}

/* take_profiles - those of a changed configuration. */
static void take_profiles(struct worker *w)
{
    struct hub *h = &w->in->hub;
    struct profiles *p;

    pthread_mutex_lock(&h->lock);
    p = w->in->profiles;
    w->in->profiles = NULL;
    pthread_mutex_unlock(&h->lock);
    if (!p)
        return;
    profiles_free(&w->profiles);
    w->profiles = p;
}

static void *run(void *arg)
{
    struct worker *w = arg;
    bool stop = false, more = false;

    while (!stop) {
        take_profiles(w);
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
    parse_memory_free(&w->memory);
    join_free(&w->join);
    free(w->made);
    free((void *)w->held);
    profiles_free(&w->profiles);
    told_free(&w->told);
    sources_free(&w->sources);
    objects_free(&w->objects);
    ownlog_free(&w->ownlog);
    event_batch_free(&w->batch);
    buf_free(&w->plain);
    free(w);
}

/* open_parser - and what it learned before. */
static int open_parser(struct worker *w, const struct ingest_options *o, struct err *e)
{
    AUTO_BUF struct buf b = { 0 };
    int rc = parsers_new(o->data, o->content ? o->content : "", o->zone_min, &w->in->counters.all, &w->parsers, e);

    if (rc == 0)
        rc = parse_memory_new(&w->memory, e);
    if (rc == 0)
        rc = join_new(&w->join, e);
    snprintf(w->memory_path, sizeof w->memory_path, "%s/run/parse-memory.txt", o->data);
    buf_init(&b, MEMORY_MAX + 1);
    if (rc == 0 && file_exists(w->memory_path) && file_read(w->memory_path, MEMORY_MAX, &b, NULL) == 0)
        parse_memory_load(w->memory, buf_view(&b));
    return rc;
}

static int open_parts(struct worker *w, const struct ingest_options *o, struct err *e)
{
    char path[4096];
    int rc;

    snprintf(w->folder, sizeof w->folder, "%s/journal", o->data);
    snprintf(w->metrics_path, sizeof w->metrics_path, "%s/run/metrics-ingest.prom", o->data);
    snprintf(w->picture_path, sizeof w->picture_path, "%s/run/ingest.json", o->data);
    rc = journal_open(w->folder, (uint64_t)o->segment_bytes, &w->journal, e);
    if (rc == 0)
        rc = open_parser(w, o, e);
    if (rc == 0)
        rc = profiles_new(o, &w->profiles, e);
    snprintf(path, sizeof path, "%s/run/sources.json", o->data);
    if (rc == 0)
        rc = sources_new(path, &w->sources, e);
    snprintf(path, sizeof path, "%s/run/profiles.json", o->data);
    if (rc == 0)
        rc = told_new(path, &w->told, e);
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
    if (!reserve_parse(str_c(in->options->reserve ? in->options->reserve : ""), &w->reserve))
        w->reserve = (struct reserve){ 0 };
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
