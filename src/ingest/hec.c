/* hec.c - the paths of HEC, who is let in, and answers with Splunk's numbers; see hec.h. */
#include "ingest/hec.h"
#include "ingest/tokens.h"

/* Splunk's table: a reason that begins with the text has the code. */
static const struct {
    const char *text;
    int         code, status;
} codes[] = {
    { "Success", 0, 200 },
    { "Token is required", 2, 401 },
    { "Invalid authorization", 3, 401 },
    { "Invalid token", 4, 403 },
    { "No data", 5, 400 },
    { "Invalid data format", 6, 400 },
    { "Server is busy", 9, 503 },
    { "Data channel is missing", 10, 400 },
    { "Event field is required", 12, 400 },
    { "Event field cannot be blank", 13, 400 },
    { "Error in handling indexed fields", 15, 400 },
    { "Request entity too large", 27, 413 },
};

static const char *channel(const struct http_ask *a, struct str query)
{
    const char *header = http_header(a, "X-Splunk-Request-Channel");

    if (header && *header)
        return header;
    return str_starts(query, STR("channel=")) || str_find(query, STR("&channel=")) >= 0 ? "query" : NULL;
}

static int admit(const struct http_ask *a, struct pile *p, struct err *e)
{
    switch (tokens_admit(a, p)) {
    case ADMITTED:
        return 0;
    case NO_TOKEN:
        err_set(e, -EACCES, "Token is required");
        return 401;
    case BAD_SCHEME:
        err_set(e, -EACCES, "Invalid authorization");
        return 401;
    default:
        err_set(e, -EACCES, "Invalid token");
        return 403;
    }
}

static int admit_ack(const struct http_ask *a, struct pile *p, struct err *e)
{
    if (!channel(a, a->query)) {
        err_set(e, -EINVAL, "Data channel is missing");
        return 400;
    }
    return admit(a, p, e);
}

/* row_of - by the reason; else by the status. */
static size_t row_of(int status, struct str reason)
{
    for (size_t i = 1; i < COUNT(codes); i++)
        if (str_starts(reason, str_c(codes[i].text)))
            return i;
    for (size_t i = 0; i < COUNT(codes); i++)
        if (codes[i].status == (status == 429 ? 503 : status))
            return i;
    return 5;   /* invalid data format */
}

static void put_refusal(struct http_answer *a)
{
    struct str reason = str_c(a->reason);
    ptrdiff_t at = str_find(reason, STR(": event "));
    size_t row = row_of(a->status, reason);
    uint64_t number;

    buf_reset(a->body);
    if (a->status == 404 || a->status == 405) {
        buf_printf(a->body, "{\"text\":\"The requested URL was not found on this server.\",\"code\":%d}", a->status);
        return;
    }
    buf_printf(a->body, "{\"text\":\"%s\",\"code\":%d", codes[row].text, codes[row].code);
    if (at >= 0 && str_u64(str_cut(reason, (size_t)at + 8), &number))
        buf_printf(a->body, ",\"invalid-event-number\":%llu", (unsigned long long)number);
    buf_byte(a->body, '}');
}

/* form - with a channel an ack id: the moment of receipt, which needs no memory of ours. */
static void form(struct http_answer *a, const struct pile *p)
{
    const struct http_ask ask = { .request = a->request };
    struct str query = p ? str_c(p->query) : str_of(NULL, 0);

    a->type = "application/json; charset=UTF-8";
    if (a->status != 200) {
        put_refusal(a);
        return;
    }
    if (a->body->n)
        return;      /* of acks */
    buf_str(a->body, STR("{\"text\":\"Success\",\"code\":0"));
    if (p && channel(&ask, str_cut(query, (size_t)(str_chr(query, '?') + 1))))
        buf_printf(a->body, ",\"ackId\":%lld", (long long)(p->received / 1000));
    buf_byte(a->body, '}');
}

static void health(const struct http_ask *a, struct http_answer *out)
{
    const char *busy = ingest_busy(a->listener->in);

    out->type = "application/json; charset=UTF-8";
    if (busy) {
        out->status = 503;
        out->reason = busy;
    }
    buf_str(out->body, busy ? STR("{\"text\":\"HEC is unhealthy, queues are full\",\"code\":18}") : STR("{\"text\":\"HEC is healthy\",\"code\":17}"));
}

/* ready - Docker's driver asks OPTIONS, without a token, and starts no container before it is answered 200. */
static void ready(const struct http_ask *a, struct http_answer *out)
{
    (void)a;
    http_answer_header(out, "Allow", "POST, OPTIONS");
}

static const struct http_route routes[] = {
    { HTTP_POST, "/services/collector", admit, &hec_event_decoder, NULL },
    { HTTP_POST, "/services/collector/event", admit, &hec_event_decoder, NULL },
    { HTTP_POST, "/services/collector/event/1.0", admit, &hec_event_decoder, NULL },
    { HTTP_POST, "/services/collector/raw", admit, &hec_raw_decoder, NULL },
    { HTTP_POST, "/services/collector/raw/1.0", admit, &hec_raw_decoder, NULL },
    { HTTP_POST, "/services/collector/ack", admit_ack, &hec_ack_decoder, NULL },
    { HTTP_POST, "/services/collector/ack/1.0", admit_ack, &hec_ack_decoder, NULL },
    { HTTP_OPTIONS, "/services/collector/event*", NULL, NULL, ready },
    { HTTP_GET, "/services/collector/health", NULL, NULL, health },
    { HTTP_GET, "/services/collector/health/1.0", NULL, NULL, health },
};
static const struct http_service service = { "HEC", routes, COUNT(routes), form };

static int open_hec(struct ingest *in, const struct listen_conf *c, struct listener **out, struct err *e)
{
    return tokens_http_open(in, &hec_kind, &service, NULL, c, out, e);
}

static int change_hec(struct listener *l, const struct listen_conf *c, struct err *e) { return tokens_http_change(l, NULL, c, e); }

const struct listener_kind hec_kind = { .number = LISTEN_hec, .open = open_hec, .change = change_hec, TOKENS_HTTP_MEMBERS };
