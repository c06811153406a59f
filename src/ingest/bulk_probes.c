/* bulk_probes.c - what senders ask an Elasticsearch before they deliver, and the least that lets them go on.
 *
 * Setting up (templates, policies, pipelines, aliases) is answered as if it were there already: a sender then leaves it alone, and one that insists is
 * told that it was done. Nothing of it is kept; there are no indices here. Who asks what: docs/inputs/elasticsearch-bulk.md. */
#include "ingest/bulk.h"
#include "ingest/tokens.h"

static const struct {
    const char *path;        /* the beginning */
    const char *get;
} answers[] = {
    { "/_license", "{\"license\":{\"status\":\"active\",\"uid\":\"00000000-0000-0000-0000-000000000000\",\"type\":\"basic\",\"issued_to\":\"saqshy\"}}" },
    { "/_xpack", "{\"license\":{\"status\":\"active\",\"type\":\"basic\",\"mode\":\"basic\",\"uid\":\"00000000-0000-0000-0000-000000000000\"},"
                 "\"features\":{\"ilm\":{\"available\":true,\"enabled\":true},\"security\":{\"available\":true,\"enabled\":true}}}" },
    { "/_nodes", "{\"_nodes\":{\"total\":1,\"successful\":1,\"failed\":0},\"cluster_name\":\"saqshy\",\"nodes\":{}}" },
    { "/_cluster/health", "{\"cluster_name\":\"saqshy\",\"status\":\"green\",\"timed_out\":false,\"number_of_nodes\":1,\"number_of_data_nodes\":1,"
                          "\"active_primary_shards\":0,\"active_shards\":0,\"relocating_shards\":0,\"initializing_shards\":0,\"unassigned_shards\":0}" },
    { "/_data_stream/", "{\"data_streams\":[]}" },
    { "/_index_template/", "{\"index_templates\":[]}" },
    { "/_component_template/", "{\"component_templates\":[]}" },
};

static void put_version(const struct http_ask *a, struct buf *out)
{
    const char *version = listen_option(&a->listener->conf, "version");

    buf_str(out, STR("{\"name\":\"saqshy\",\"cluster_name\":\"saqshy\",\"cluster_uuid\":\"saqshy-collector-00000\",\"version\":{\"number\":"));
    buf_json(out, str_c(version && *version ? version : BULK_VERSION));
    buf_str(out, STR(",\"build_flavor\":\"default\",\"build_type\":\"deb\",\"build_hash\":\"0000000\",\"build_date\":\"2026-01-01T00:00:00.000Z\",\"build_snapshot\":false,"
                     "\"lucene_version\":\"9.12.0\",\"minimum_wire_compatibility_version\":\"7.17.0\",\"minimum_index_compatibility_version\":\"7.0.0\"},"
                     "\"tagline\":\"You Know, for Search\"}"));
}

/* put_names - of /_cat/templates/NAME the name: Beats 7 look for it in the text. */
static void put_names(const struct http_ask *a, struct buf *out)
{
    struct str name = str_cut(a->path, strlen("/_cat/templates/"));

    for (size_t i = 0; i < name.n; i++)
        if (!((name.p[i] >= 'a' && name.p[i] <= 'z') || (name.p[i] >= 'A' && name.p[i] <= 'Z') || (name.p[i] >= '0' && name.p[i] <= '9') ||
              name.p[i] == '-' || name.p[i] == '_' || name.p[i] == '.'))
            name.n = 0;
    buf_printf(out, "%.*s\n", STR_ARG(name));
}

static void put_get(const struct http_ask *a, struct http_answer *out)
{
    if (str_eq(a->path, STR("/"))) {
        put_version(a, out->body);
        return;
    }
    if (str_starts(a->path, STR("/_cat/"))) {
        out->type = "text/plain; charset=UTF-8";
        if (str_starts(a->path, STR("/_cat/templates/")))
            put_names(a, out->body);
        return;
    }
    for (size_t i = 0; i < COUNT(answers); i++)
        if (str_starts(a->path, str_c(answers[i].path))) {
            buf_str(out->body, str_c(answers[i].get));
            return;
        }
    buf_str(out->body, STR("{}"));
}

void bulk_probe(const struct http_ask *a, struct http_answer *out)
{
    out->type = "application/json";
    http_answer_header(out, "X-Elastic-Product", "Elasticsearch");
    if (tokens_admit(a, NULL) != ADMITTED) {
        out->status = 401;
        out->reason = "unable to authenticate";
        http_answer_header(out, "WWW-Authenticate", "Basic realm=\"saqshy\"");
        if (a->method != HTTP_HEAD)
            bulk_error(out->body, 401, out->reason);
    } else if (a->method == HTTP_PUT || a->method == HTTP_POST) {
        buf_str(out->body, STR("{\"acknowledged\":true}"));
    } else if (a->method == HTTP_GET) {
        put_get(a, out);
    }
}

void bulk_error(struct buf *out, int status, const char *reason)
{
    const char *type = status == 401 || status == 403 ? "security_exception" : status == 404 ? "resource_not_found_exception"
                     : status == 503 || status == 429 ? "es_rejected_execution_exception" : "illegal_argument_exception";

    buf_printf(out, "{\"error\":{\"root_cause\":[{\"type\":\"%s\",\"reason\":", type);
    buf_json(out, str_c(reason));
    buf_printf(out, "}],\"type\":\"%s\",\"reason\":", type);
    buf_json(out, str_c(reason));
    buf_printf(out, "},\"status\":%d}", status);
}
