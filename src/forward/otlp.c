/* otlp.c - to another Saqshy: events as they are in our journal, in numbered requests over HTTPS with our certificate.
 *
 * The body is a payload of the event codec (docs/formats.md), so everything of an event arrives: its line, fields, source, object, moments. The number of a
 * request is the seq of the first event behind it. The other side keeps the last number of this numbering with the events in one commit and answers
 * it; on connecting it is asked first. So whatever of us or of it falls at whatever moment, the first event it is sent is the first one that it lacks.
 *
 *      we, cursor 100                      the other side, last number 180 (an answer was lost)
 *        ── empty request ──────────────►
 *        ◄───────── Saqshy-Stored: 180 ──
 *        ── events 180 … 249, number 250 ─► */
#include "forward/internal.h"
#include "forward/otlp_answer.h"
#include "journal/journal.h"
#include "base/log.h"

#include <curl/curl.h>
#include <zstd.h>

#define ZSTD_LEVEL   1
#define PLAIN_MAX    (15u * MIB)    /* the other side unpacks 16 */
#define EVENTS_MAX   16384u
#define ANSWER_MAX   1024
#define EVENT_HEAD   64u            /* numbers of an event in the payload, at the most */

struct otlp {
    CURL                 *easy;
    CURLM                *multi;
    struct curl_slist    *to;       /* where the name of the certificate is really reached */
    struct event_encoder *encoder;
    struct buf            plain, packed;
    bool                  begun;    /* plain is the encoder's */
    size_t                weight;   /* bound of what plain will be */
    uint64_t              events, next_seq;
    char                  error[CURL_ERROR_SIZE], said[ANSWER_MAX];
    size_t                said_n;
    struct otlp_answer    answer;
};

static int check(const struct upstream_conf *c, const char *file, struct err *e)
{
    static const char *const none[] = { NULL };

    return upstream_only(c, file, none, e);
}

static size_t on_body(char *p, size_t size, size_t n, void *arg)
{
    struct otlp *s = arg;
    size_t more = min_size(size * n, sizeof s->said - s->said_n);

    memcpy(s->said + s->said_n, p, more);
    s->said_n += more;
    return size * n;
}

static size_t on_header(char *p, size_t size, size_t n, void *arg)
{
    struct otlp *s = arg;

    otlp_answer_header(str_of(p, size * n), &s->answer);
    return size * n;
}

static int open_otlp(struct upstream *u, struct err *e)
{
    struct otlp *s = calloc(1, sizeof *s);

    if (!s)
        return err_set(e, -ENOMEM, "no memory for an upstream");
    buf_init(&s->plain, PLAIN_MAX + MIB);
    buf_init(&s->packed, PLAIN_MAX + 2 * MIB);
    u->state = s;
    return 0;
}

static void disconnect_otlp(struct upstream *u)
{
    struct otlp *s = u->state;

    if (!s)
        return;
    curl_easy_cleanup(s->easy);
    curl_multi_cleanup(s->multi);
    curl_slist_free_all(s->to);
    event_encoder_free(&s->encoder);
    buf_free(&s->plain);
    buf_free(&s->packed);
    s->easy = NULL;
    s->multi = NULL;
    s->to = NULL;
    s->begun = false;
    s->events = s->weight = 0;
    buf_init(&s->plain, PLAIN_MAX + MIB);
    buf_init(&s->packed, PLAIN_MAX + 2 * MIB);
}

static void close_otlp(struct upstream *u)
{
    disconnect_otlp(u);
    free(u->state);
    u->state = NULL;
}

/* prepare - a handle with all that is the same for every request. The address may have another name than the certificate. */
static int prepare(struct upstream *u, struct otlp *s, struct err *e)
{
    const struct upstream_conf *c = u->conf;
    char host[UPSTREAM_HOST_MAX + 1] = "", url[2 * UPSTREAM_HOST_MAX], to[2 * UPSTREAM_HOST_MAX];
    const char *name;
    uint16_t port = 0;
    bool ok = upstream_host(c->address, host, &port);

    name = *c->peer_name ? c->peer_name : host;
    snprintf(url, sizeof url, strchr(name, ':') ? "https://[%s]:%u/v1/logs" : "https://%s:%u/v1/logs", name, port);
    snprintf(to, sizeof to, strchr(host, ':') ? "::[%s]:%u" : "::%s:%u", host, port);
    s->easy = curl_easy_init();
    s->multi = curl_multi_init();
    s->to = *c->peer_name ? curl_slist_append(NULL, to) : NULL;
    s->encoder = event_encoder_new();
    ok = ok && s->easy && s->multi && s->encoder && (s->to || !*c->peer_name);
    ok = ok && curl_easy_setopt(s->easy, CURLOPT_URL, url) == CURLE_OK && curl_easy_setopt(s->easy, CURLOPT_PROTOCOLS_STR, "https") == CURLE_OK &&
         curl_easy_setopt(s->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK &&
         curl_easy_setopt(s->easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
         curl_easy_setopt(s->easy, CURLOPT_CAINFO, c->authority) == CURLE_OK && curl_easy_setopt(s->easy, CURLOPT_CAPATH, NULL) == CURLE_OK &&
         curl_easy_setopt(s->easy, CURLOPT_SSLCERT, c->certificate) == CURLE_OK && curl_easy_setopt(s->easy, CURLOPT_SSLKEY, c->key) == CURLE_OK;
    ok = ok && curl_easy_setopt(s->easy, CURLOPT_CONNECT_TO, s->to) == CURLE_OK && curl_easy_setopt(s->easy, CURLOPT_PROXY, "") == CURLE_OK &&
         curl_easy_setopt(s->easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK && curl_easy_setopt(s->easy, CURLOPT_CONNECTTIMEOUT, (long)c->limits.timeout_s) == CURLE_OK &&
         curl_easy_setopt(s->easy, CURLOPT_TIMEOUT, (long)c->limits.timeout_s) == CURLE_OK && curl_easy_setopt(s->easy, CURLOPT_ERRORBUFFER, s->error) == CURLE_OK;
    ok = ok && curl_easy_setopt(s->easy, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK && curl_easy_setopt(s->easy, CURLOPT_WRITEDATA, s) == CURLE_OK &&
         curl_easy_setopt(s->easy, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK && curl_easy_setopt(s->easy, CURLOPT_HEADERDATA, s) == CURLE_OK;
    return ok ? 0 : err_set(e, -ENOMEM, "could not prepare a transfer");
}

/* perform - the transfer, watched together with the descriptor that says stop. */
static int perform(struct upstream *u, struct err *e)
{
    struct otlp *s = u->state;
    int running = 1, left, rc = 0;
    CURLMsg *m;

    if (curl_multi_add_handle(s->multi, s->easy) != CURLM_OK)
        return err_set(e, -ENOMEM, "no memory for a transfer");
    while (rc == 0 && running) {
        struct curl_waitfd stop = { .fd = upstream_stopping(u) ? -1 : u->stop_fd, .events = CURL_WAIT_POLLIN };

        if (curl_multi_perform(s->multi, &running) != CURLM_OK)
            rc = err_set(e, -EIO, "could not go on with a transfer");
        else if (running && curl_multi_poll(s->multi, &stop, stop.fd >= 0, 100, NULL) != CURLM_OK)
            rc = err_set(e, -EIO, "could not wait for a transfer");
        if (rc == 0 && upstream_wait(u, -1, 0, 0) == -EINTR)
            rc = err_set(e, -EINTR, "stopping");
    }
    while (rc == 0 && (m = curl_multi_info_read(s->multi, &left)) != NULL)
        if (m->msg == CURLMSG_DONE && m->data.result != CURLE_OK)
            rc = err_set(e, -EIO, "\"%s\": %s", u->conf->address, s->error[0] ? s->error : curl_easy_strerror(m->data.result));
    curl_multi_remove_handle(s->multi, s->easy);
    return rc;
}

/* said - the text of a refusal: a google.rpc.Status in protobuf (1 code, 2 message), or whatever else it is. */
static struct str said(const struct otlp *s)
{
    struct reader r = rd_from(s->said, s->said_n);
    struct str text;

    rd_byte(&r, 1 << 3);
    (void)rd_varint(&r);
    rd_byte(&r, 2 << 3 | 2);
    text = rd_varstr(&r, sizeof s->said, "a message");
    return rd_ok(&r) ? text : str_of(s->said, s->said_n);
}

/* post - one request; its answer is in s->answer. */
static int post(struct upstream *u, struct str body, uint64_t number, struct err *e)
{
    struct otlp *s = u->state;
    struct curl_slist *headers = NULL;
    char batch[64], stream[UPSTREAM_STREAM_MAX + 32];
    long status = 0;
    int rc;

    s->said_n = 0;
    s->error[0] = 0;
    s->answer = (struct otlp_answer){ 0 };
    snprintf(batch, sizeof batch, "Saqshy-Batch: %llu", (unsigned long long)number);
    snprintf(stream, sizeof stream, "Saqshy-Stream: %s", u->stream);
    headers = curl_slist_append(headers, batch);
    headers = curl_slist_append(headers, stream);
    headers = curl_slist_append(headers, "Content-Type: application/x-saqshy-events");
    headers = curl_slist_append(headers, "Content-Encoding: zstd");
    headers = curl_slist_append(headers, "Expect:");
    curl_easy_setopt(s->easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(s->easy, CURLOPT_POSTFIELDS, body.p);
    curl_easy_setopt(s->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.n);
    rc = perform(u, e);
    curl_easy_getinfo(s->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_setopt(s->easy, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(headers);
    if (rc < 0)
        return rc;
    if (status == 415)
        return err_set(e, -EPROTO, "\"%s\" takes no events of this form: it is no Saqshy, or one of an older version", u->conf->address);
    if (status != 200)
        return err_set(e, -EIO, "\"%s\" answered %ld: %.*s", u->conf->address, status, STR_ARG(said(s)));
    if (!s->answer.known)
        return err_set(e, -EPROTO, "\"%s\" took a request and does not say its number: it is no Saqshy that knows its senders", u->conf->address);
    return 0;
}

static int pack(struct otlp *s, struct err *e)
{
    size_t room = ZSTD_compressBound(s->plain.n), n;

    buf_reset(&s->packed);
    if (!buf_room(&s->packed, room))
        return err_set(e, -ENOMEM, "no memory to compress a request");
    n = ZSTD_compress(s->packed.p, room, s->plain.p ? s->plain.p : "", s->plain.n, ZSTD_LEVEL);
    if (ZSTD_isError(n))
        return err_set(e, -EIO, "could not compress a request: %s", ZSTD_getErrorName(n));
    s->packed.n = n;
    return 0;
}

/* ask - how far the other side has this numbering. */
static int ask(struct upstream *u, struct err *e)
{
    struct otlp *s = u->state;
    int rc = pack(s, e);

    return rc < 0 ? rc : post(u, buf_view(&s->packed), 1, e);
}

/* connect_otlp - a number that our journal has not reached is of another journal: then this one gets a name of its own. */
static int connect_otlp(struct upstream *u, struct err *e)
{
    struct otlp *s = u->state;
    char journal[4096];
    int rc = prepare(u, s, e);

    if (rc == 0)
        rc = ask(u, e);
    snprintf(journal, sizeof journal, "%.4000s/journal", u->data);
    if (rc == 0 && s->answer.last > journal_committed_seq(journal)) {
        log_line(LOG_WARN, "the other side has more events of this upstream than the journal: it is another journal than before, which is numbered anew",
                 "saqshy.upstream", u->conf->name, NULL);
        rc = place_renumber(journal, u->conf->name, u->stream, e);
        if (rc == 0)
            rc = ask(u, e);
    }
    if (rc == 0 && s->answer.last)
        upstream_acked(u, s->answer.last, 0, 0);
    return rc;
}

static size_t weight_of(const struct event *ev)
{
    size_t n = EVENT_HEAD + ev->original.n + ev->time_text.n + ev->source.n + ev->object.n + ev->parser.n;

    for (uint32_t i = 0; i < ev->field_count; i++)
        n += ev->fields[i].name.n + ev->fields[i].value.n + 12;
    return n;
}

/* deliver - what is held, as one request. */
static int deliver(struct upstream *u, struct err *e)
{
    struct otlp *s = u->state;
    size_t bytes;
    int rc;

    if (!s->begun)
        return 0;
    rc = event_encoder_end(s->encoder, NULL, e);
    s->begun = false;
    bytes = s->plain.n;
    if (rc == 0)
        rc = pack(s, e);
    if (rc == 0)
        rc = post(u, buf_view(&s->packed), s->next_seq, e);
    if (rc == 0)
        upstream_acked(u, s->next_seq, s->events, bytes);
    buf_reset(&s->plain);
    s->events = s->weight = 0;
    return rc;
}

static int add(struct otlp *s, const struct event *events, size_t count, size_t weight, uint64_t next_seq, struct err *e)
{
    int rc;

    if (!s->begun) {
        event_encoder_begin(s->encoder, &s->plain);
        s->begun = true;
    }
    rc = event_encoder_add(s->encoder, events, count, e);
    s->events += count;
    s->weight += weight;
    s->next_seq = next_seq;
    return rc;
}

/* add_alone - an event that is too large beside others: in a request of its own, without its fields if need be. */
static int add_alone(struct upstream *u, const struct event *ev, size_t weight, uint64_t next_seq, struct err *e)
{
    struct otlp *s = u->state;
    struct event bare = *ev;
    char seq[24];
    int rc = deliver(u, e);

    if (rc == 0 && weight > PLAIN_MAX) {
        bare.field_count = 0;
        bare.parse = EVENT_PARSE_PARTIAL;
        weight = weight_of(&bare);
        log_line(LOG_WARN, "the fields of an event are larger than a request may be: its line is passed on without them", "saqshy.upstream", u->conf->name,
                 "saqshy.seq", log_num((long long)ev->seq, seq), NULL);
    }
    if (rc == 0)
        rc = add(s, &bare, 1, weight, next_seq, e);
    return rc == 0 ? deliver(u, e) : rc;
}

static int send_otlp(struct upstream *u, const struct event *events, size_t count, uint64_t next_seq, struct err *e)
{
    struct otlp *s = u->state;
    size_t most = (size_t)u->conf->limits.batch_bytes, from = 0, run = 0;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < count; i++) {
        size_t weight = weight_of(&events[i]);

        if (weight > most) {
            if (i > from)
                rc = add(s, events + from, i - from, run, events[i].seq, e);
            if (rc == 0)
                rc = add_alone(u, &events[i], weight, i + 1 < count ? events[i + 1].seq : next_seq, e);
            from = i + 1;
            run = 0;
            continue;
        }
        if (s->weight + run + weight > PLAIN_MAX) {
            if (i > from)
                rc = add(s, events + from, i - from, run, events[i].seq, e);
            if (rc == 0)
                rc = deliver(u, e);
            from = i;
            run = 0;
        }
        run += weight;
    }
    if (rc == 0 && count > from)
        rc = add(s, events + from, count - from, run, next_seq, e);
    return rc < 0 ? rc : s->weight >= most || s->events >= EVENTS_MAX;
}

static int settle_otlp(struct upstream *u, int wait_ms, struct err *e)
{
    (void)wait_ms;   /* an answer is waited for in any case: nothing else could be done meanwhile */
    return deliver(u, e);
}

const struct upstream_kind otlp_upstream = {
    .type = UPSTREAM_otlp, .check = check, .open = open_otlp, .connect = connect_otlp, .send = send_otlp, .settle = settle_otlp,
    .disconnect = disconnect_otlp, .close = close_otlp,
};
