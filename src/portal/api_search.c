/* api_search.c - searching events: a page, a histogram, a live tail; and the stream of changes.
 *
 * What a viewer may read is settled here once: the desk names the objects, and the store, or the tail, filters by them. */
#include "portal/search.h"

#define BUCKETS_MAX    500

void ask_free(struct ask *a)
{
    query_free(&a->query);
}

/* take_query - parse q. pipes NULL: they are refused. Returns 0; 1 when a bad one has been answered. */
static int take_query(struct call *c, struct query **out, size_t *pipes)
{
    struct str q = params_get(&c->params, "q");
    struct query_fault fault;
    struct err e = { 0 };
    int rc;

    if (q.n > 4096)
        return err_set(&c->err, -EINVAL, "q");
    rc = query_parse_with(q, &(struct query_options){ .now = c->now, .pipes = pipes, .fault = &fault }, out, &e);
    if (rc == -ENOMEM)
        return err_set(&c->err, rc, "%s", e.text);
    return rc < 0 ? call_refuse_query(c, "q", &fault) + 1 : 0;
}

int search_objects(struct call *c, struct str *list, bool *filter)
{
    AUTO_BUF struct buf b = { 0 };
    json_t *ids = NULL, *id;
    size_t i;
    int rc = desk_visible_objects(c->desk, &c->viewer, &ids, &c->err);

    if (rc < 0)
        return rc;
    *filter = json_is_array(ids);
    buf_init(&b, MIB);
    json_array_foreach(ids, i, id) {
        buf_str(&b, str_of(json_string_value(id), json_string_length(id)));
        buf_byte(&b, ' ');
    }
    json_decref(ids);
    *list = arena_copy(&c->arena, buf_view(&b));
    return buf_failed(&b) || arena_failed(&c->arena) ? err_set(&c->err, -ENOMEM, "no memory for the list of objects") : 0;
}

int ask_take(struct call *c, struct ask *a, size_t *pipes)
{
    const struct node *n = c->portal->setup.node;
    int rc = take_query(c, &a->query, pipes);

    if (rc != 0)
        return rc;
    a->s = (struct store_search){
        .store_folder = node_path(n, "store", a->store), .journal_folder = node_path(n, "journal", a->journal),
        .query = a->query, .from = INT64_MIN, .to = INT64_MAX, .deadline_steady = clock_steady() + SEARCH_NS,
    };
    rc = params_time(&c->params, "from", &a->s.from, &c->err);
    if (rc == 0)
        rc = params_time(&c->params, "to", &a->s.to, &c->err);
    if (rc == 0)
        rc = search_objects(c, &a->s.object_only, &a->s.object_filter);
    if (rc < 0)
        ask_free(a);
    else
        query_range(a->query, &a->s.from, &a->s.to);
    return rc;
}

/* --- a page --- */

struct page {
    struct buf *body;
    size_t      limit, count;
    time_ns     last_time;
    uint64_t    last_seq;
    bool        more;
};

static int page_hit(void *arg, const struct event *ev)
{
    struct page *p = arg;

    if (p->count == p->limit || p->body->n > PAGE_BYTES_MAX) {
        p->more = true;
        return 1;
    }
    if (p->count++)
        buf_byte(p->body, ',');
    event_json(ev, p->body);
    p->last_time = ev->time;
    p->last_seq = ev->seq;
    return 0;
}

/* take_cursor - "TIME.SEQ", as page_end writes it. */
static int take_cursor(struct call *c, struct store_search *s)
{
    struct str text = params_get(&c->params, "before"), time;

    if (text.n == 0)
        return 0;
    if (!str_split(&text, '.', &time) || !str_i64(time, &s->before_time) || !str_u64(text, &s->before_seq) || !s->before_seq)
        return err_set(&c->err, -EINVAL, "before");
    return 0;
}

struct hints {
    struct call *c;
    size_t       count;
};

static void put_hint(void *arg, const struct query_fault *hint)
{
    struct hints *h = arg;
    struct call *c = h->c;
    char key[80];

    snprintf(key, sizeof key, "error.query.%s", hint->code);
    if (h->count++)
        buf_byte(&c->reply.body, ',');
    buf_json(&c->reply.body, catalog_format(c->portal->catalog, c->lang, &c->arena, key, "word", hint->word, "instead", hint->instead, NULL));
}

/* put_hints - slips of the text, told beside what it found. */
static void put_hints(struct call *c, const struct query *q)
{
    struct hints h = { c, 0 };

    buf_str(&c->reply.body, STR(",\"hints\":["));
    query_hints(q, put_hint, &h);
    buf_byte(&c->reply.body, ']');
}

static void page_end(struct call *c, const struct page *p, const struct query *q, const struct store_stats *st)
{
    if (p->more)
        buf_printf(p->body, "],\"next\":\"%lld.%llu\"", (long long)p->last_time, (unsigned long long)p->last_seq);
    else
        buf_str(p->body, STR("],\"next\":null"));
    put_hints(c, q);
    buf_printf(p->body, ",\"stats\":{\"scanned\":%llu,\"ms\":%.3f}}", (unsigned long long)st->events_scanned,
               (double)st->elapsed_ns / 1e6);
}

int api_events(struct call *c)
{
    struct page p = { .body = &c->reply.body };
    struct store_stats st = { 0 };
    struct ask a = { 0 };
    int64_t limit = 100;
    int rc = params_int(&c->params, "limit", 1, 1000, &limit, &c->err);

    if (rc == 0)
        rc = ask_take(c, &a, NULL);
    if (rc != 0)
        return rc < 0 ? rc : 0;
    rc = take_cursor(c, &a.s);
    p.limit = (size_t)limit;
    a.s.limit = p.limit + 1;
    if (rc == 0) {
        buf_reset(p.body);
        buf_str(p.body, STR("{\"items\":["));
        rc = store_find(&a.s, page_hit, &p, &st, &c->err);
    }
    /* Out of time: what was found is shown, and the search goes on from there. With nothing found there is no place to go on. */
    if (rc == -ETIMEDOUT && p.count > 0) {
        p.more = true;
        rc = 0;
    }
    /* How much was looked through tells whether foreign events hold the words asked for: blocks without them are skipped. */
    if (a.s.object_filter)
        st.events_scanned = p.count;
    if (rc == 0)
        page_end(c, &p, a.query, &st);
    ask_free(&a);
    if (rc == -ETIMEDOUT)
        return call_refuse(c, 503, "unavailable", NULL, 0, 1);
    if (rc < 0)
        return rc;
    if (buf_failed(p.body))
        return err_set(&c->err, -ENOMEM, "no memory for a page of events");
    c->reply.status = 200;
    c->reply.type = "application/json";
    return 0;
}

/* --- a histogram --- */

static time_ns edge(const struct store_search *s, int64_t i, int64_t buckets)
{
    return s->from + (time_ns)(((__int128)(s->to - s->from) * i) / buckets);
}

static int put_buckets(struct call *c, const struct store_search *s, int64_t buckets, const uint64_t *counts)
{
    struct buf *b = &c->reply.body;
    uint64_t total = 0;

    buf_reset(b);
    buf_str(b, STR("{\"buckets\":["));
    for (int64_t i = 0; i < buckets; i++) {
        buf_str(b, i ? STR(",{\"from\":\"") : STR("{\"from\":\""));
        buf_time(b, edge(s, i, buckets));
        buf_str(b, STR("\",\"to\":\""));
        buf_time(b, edge(s, i + 1, buckets));
        buf_printf(b, "\",\"count\":%llu}", (unsigned long long)counts[i]);
        total += counts[i];
    }
    buf_printf(b, "],\"total\":%llu}", (unsigned long long)total);
    c->reply.status = 200;
    c->reply.type = "application/json";
    return buf_failed(b) ? err_set(&c->err, -ENOMEM, "no memory for a histogram") : 0;
}

int api_events_histogram(struct call *c)
{
    uint64_t counts[BUCKETS_MAX] = { 0 };
    struct store_stats st = { 0 };
    struct ask a = { 0 };
    int64_t buckets = 60, span = 0;
    int rc = params_int(&c->params, "buckets", 1, BUCKETS_MAX, &buckets, &c->err);

    if (rc == 0)
        rc = ask_take(c, &a, NULL);
    if (rc != 0)
        return rc < 0 ? rc : 0;
    if (a.s.from == INT64_MIN)
        rc = err_set(&c->err, -EINVAL, "from");
    else if (a.s.to == INT64_MAX || __builtin_sub_overflow(a.s.to, a.s.from, &span) || span <= 0)
        rc = err_set(&c->err, -EINVAL, "to");
    if (rc == 0) {
        buckets = buckets < span ? buckets : span;
        rc = store_histogram(&a.s, (size_t)buckets, counts, &st, &c->err);
    }
    ask_free(&a);
    if (rc == -ETIMEDOUT)
        return call_refuse(c, 503, "unavailable", NULL, 0, 1);
    return rc < 0 ? rc : put_buckets(c, &a.s, buckets, counts);
}

/* --- streams --- */

/* open_stream - the answer goes on as server-sent events. sub may be NULL; it is taken. */
static int open_stream(struct call *c, enum stream_kind kind, struct tail_sub *sub)
{
    struct stream *s = calloc(1, sizeof *s);

    if (!s) {
        tail_release(&sub);
        return err_set(&c->err, -ENOMEM, "no memory for a stream");
    }
    s->kind = kind;
    s->viewer = c->viewer;
    s->sub = sub;
    c->reply.stream = s;
    c->reply.status = 200;
    c->reply.type = "text/event-stream";
    return 0;
}

int api_stream(struct call *c)
{
    return open_stream(c, STREAM_CHANGES, NULL);
}

int api_events_tail(struct call *c)
{
    struct tail_sub *sub;
    struct query *q = NULL;
    struct str objects;
    bool filter;
    int rc = take_query(c, &q, NULL);

    if (rc != 0)
        return rc < 0 ? rc : 0;
    rc = search_objects(c, &objects, &filter);
    if (rc < 0) {
        query_free(&q);
        return rc;
    }
    rc = tail_subscribe(c->portal->tail, q, objects, filter, &sub, &c->err);
    return rc < 0 ? rc : open_stream(c, STREAM_TAIL, sub);
}
