/* otlp_http.c - OTLP over HTTPS: POST /v1/logs from agents with a certificate of our authority, and what its records mean. */
#include "ingest/http.h"
#include "ingest/otlp.h"
#include "ingest/relayed.h"
#include "ingest/renewal.h"

#define GRPC_INVALID      3
#define GRPC_UNAVAILABLE 14

static bool is_json(const char *type) { return type && strncasecmp(type, "application/json", 16) == 0; }

static int admit(const struct http_ask *a, struct pile *p, struct err *e)
{
    const char *type = http_header(a, "Content-Type"), *number = http_header(a, "Saqshy-Batch");

    if (!*a->client) {
        err_set(e, -EACCES, "a certificate is needed");
        return 403;
    }
    if (is_json(type)) {
        p->decoder = &otlp_json_decoder;
    } else if (!relayed_wanted(type) && (!type || strncasecmp(type, "application/x-protobuf", 22) != 0)) {
        err_set(e, -EINVAL, "Content-Type must be application/x-protobuf or application/json");
        return 415;
    }
    p->alone = true;    /* nobody comes in here without a certificate, whatever the listener insists on */
    p->numbered = number != NULL;
    if (number && (!str_u64(str_c(number), &p->number) || p->number == 0)) {
        err_set(e, -EINVAL, "Saqshy-Batch must be a number above 0");
        return 400;
    }
    return relayed_wanted(type) ? relayed_admit(a, p, e) : 0;
}

/* form - an empty response, or a Status with the reason, in the form of the request. */
static void form(struct http_answer *a, const struct pile *p)
{
    const struct http_ask ask = { .request = a->request };
    bool json = is_json(http_header(&ask, "Content-Type"));
    char number[24];

    a->type = json ? "application/json" : "application/x-protobuf";
    if (json && a->status == 200)
        buf_str(a->body, STR("{}"));
    if (a->status != 200)
        (json ? otlp_json_status : otlp_status)(a->body, a->status == 503 || a->status == 429 ? GRPC_UNAVAILABLE : GRPC_INVALID, str_c(a->reason));
    if (!p || !p->numbered || a->status != 200)
        return;
    snprintf(number, sizeof number, "%llu", (unsigned long long)p->last_number);
    http_answer_header(a, p->repeated ? "Saqshy-Repeated" : "Saqshy-Stored", number);
}

/* --- in the worker --- */

static int32_t zone_of(const struct taking *t, const struct attrs *resource)
{
    int64_t zone;

    if (str_i64(attrs_get(resource, STR("saqshy.zone_min")), &zone) && zone >= -18 * 60 && zone <= 18 * 60)
        return (int32_t)zone;
    return taking_zone(t);
}

static bool fact_kind(struct str s) { return str_eq(s, STR("packages")) || str_eq(s, STR("settings")) || str_eq(s, STR("files")) || str_eq(s, STR("time")); }

static int on_record(void *arg, const struct attrs *resource, const struct otlp_record *rec, struct err *e)
{
    struct taking *t = arg;
    struct str fact = attrs_get(&rec->attrs, STR("saqshy.facts")), unit = attrs_get(&rec->attrs, STR("saqshy.unit"));
    struct record r = {
        .text = rec->body, .time = rec->time ? rec->time : rec->observed, .severity = rec->severity, .host = attrs_get(resource, STR("host.name")),
        .path = attrs_get(&rec->attrs, STR("log.file.path")), .unit = unit.n ? unit : attrs_get(resource, STR("service.name")),
        .pid = attrs_get(&rec->attrs, STR("saqshy.pid")), .zone_min = zone_of(t, resource),
        .truncated = str_eq(attrs_get(&rec->attrs, STR("saqshy.truncated")), STR("true")), .fields = &rec->attrs,
    };

    if (fact_kind(fact) && taking_pile(t)->agent.n)
        return take_fact(t, fact, rec->body, rec->time, e);
    return take_record(t, &r, e);
}

static int decode(struct taking *t, struct str body, struct err *e) { return otlp_decode(body, taking_arena(t), on_record, t, NULL, e); }

static int decode_json(struct taking *t, struct str body, struct err *e) { return otlp_json_decode(body, taking_arena(t), on_record, t, NULL, e); }

const struct body_decoder otlp_decoder = { "otlp", decode };
const struct body_decoder otlp_json_decoder = { "otlp json", decode_json };

static const struct http_route routes[] = {
    { HTTP_POST, "/v1/logs", admit, &otlp_decoder, NULL },
    { HTTP_GET | HTTP_POST, "/v1/certificate", NULL, NULL, renewal_at_once },
};
static const struct http_service service = { "OTLP", routes, COUNT(routes), form };

static int open_otlp(struct ingest *in, const struct listen_conf *c, struct listener **out, struct err *e)
{
    return http_open(in, &otlp_kind, &service, c, out, e);
}

const struct listener_kind otlp_kind = { .number = LISTEN_otlp, .open = open_otlp, HTTP_MEMBERS };
