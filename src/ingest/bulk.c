/* bulk.c - POST /_bulk: lines of actions and documents become events, and an answer with an item for each. See bulk.h. */
#include "ingest/bulk.h"
#include "ingest/jread.h"
#include "ingest/tokens.h"

/* Items are told in full as long as an answer is small: Fluent Bit reads 512 KiB of it by default. Past that an item is its status. */
#define ITEMS_FULL_BYTES (64u * KIB)
#define NAME_SHOWN_MAX   128

static const char *const kind_names[] = { "create", "index", "update", "delete" };

static int wrong(struct err *e, const char *why) { return err_set(e, -EBADMSG, "%s", why); }

int bulk_action_read(struct str line, struct arena *a, struct bulk_action *out, struct err *e)
{
    struct jread r = jread_of(line, a);
    struct str key, text, raw;
    enum jtoken t;
    size_t k = 0;

    *out = (struct bulk_action){ 0 };
    if (jread_next(&r, &text) != J_OBJECT || jread_next(&r, &key) != J_KEY)
        return wrong(e, "Malformed action/metadata line, expected START_OBJECT and a FIELD_NAME");
    while (k < COUNT(kind_names) && !str_eq(key, str_c(kind_names[k])))
        k++;
    if (k == COUNT(kind_names))
        return wrong(e, "Malformed action/metadata line, expected create, index, update or delete");
    out->kind = (enum bulk_kind)k;
    if (jread_next(&r, &text) != J_OBJECT)
        return wrong(e, "Malformed action/metadata line, expected START_OBJECT behind the action");
    while ((t = jread_next(&r, &key)) == J_KEY) {
        t = jread_value(&r, &raw, &text);
        if (t == J_STRING && str_eq(key, STR("_index")))
            out->index = text;
        else if (t == J_STRING && str_eq(key, STR("_id")))
            out->id = text;
        else if (t == J_BAD)
            break;
    }
    if (t != J_OBJECT_END || jread_next(&r, &text) != J_OBJECT_END || jread_next(&r, &text) != J_END)
        return wrong(e, "Malformed action/metadata line, expected END_OBJECT");
    return 0;
}

/* next_line - one with something in it. */
static bool next_line(struct str *body, struct str *line)
{
    while (body->n && str_split(body, '\n', line)) {
        *line = str_trim(*line);
        if (line->n)
            return true;
    }
    return false;
}

int bulk_walk(struct str body, struct arena *a, bulk_take *take, void *arg, struct err *e)
{
    struct str line;
    int rc = 0;

    for (size_t count = 0; rc == 0 && next_line(&body, &line); count++) {
        struct bulk_action action;
        struct str document = { NULL, 0 };

        if (count == BULK_ACTIONS_MAX)
            return err_set(e, -E2BIG, "a request may hold %d actions", BULK_ACTIONS_MAX);
        rc = bulk_action_read(line, a, &action, e);
        if (rc == 0 && action.kind != BULK_DELETE && !next_line(&body, &document))
            rc = wrong(e, "the last action has no document");
        if (rc == 0)
            rc = take(arg, &action, document, e);
    }
    return rc;
}

/* --- in the worker --- */

struct answering {
    struct taking *taking;
    struct buf     items;
    struct str     index;      /* of the path */
    bool           errors;
};

/* plain - a name that may be shown as it is. */
static bool plain(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < ' ' || s.p[i] > '~' || s.p[i] == '"' || s.p[i] == '\\')
            return false;
    return s.n > 0 && s.n <= NAME_SHOWN_MAX;
}

static void put_item(struct answering *w, const struct bulk_action *a, bool taken)
{
    struct str index = a->index.n ? a->index : w->index;
    bool full = w->items.n < ITEMS_FULL_BYTES;

    buf_printf(&w->items, "%s{\"%s\":{", w->items.n ? "," : "", kind_names[a->kind]);
    if (full && plain(index))
        buf_printf(&w->items, "\"_index\":\"%.*s\",", STR_ARG(index));
    if (full && plain(a->id))
        buf_printf(&w->items, "\"_id\":\"%.*s\",", STR_ARG(a->id));
    if (taken)
        buf_printf(&w->items, "%s\"status\":201}}", full ? "\"result\":\"created\"," : "");
    else if (full)
        buf_str(&w->items, STR("\"status\":400,\"error\":{\"type\":\"illegal_argument_exception\",\"reason\":\"logs are kept as they came: create and index "
                               "are taken, update and delete are not\"}}}"));
    else
        buf_str(&w->items, STR("\"status\":400,\"error\":{\"type\":\"refused\"}}}"));
}

static int take(void *arg, const struct bulk_action *a, struct str document, struct err *e)
{
    struct answering *w = arg;
    bool taken = a->kind == BULK_CREATE || a->kind == BULK_INDEX;
    int rc = taken ? bulk_document(w->taking, document, e) : 0;

    put_item(w, a, taken);
    if (!taken) {
        taking_pile(w->taking)->unsupported++;
        w->errors = true;
    }
    return rc;
}

/* index_of - "logs" of "/logs/_bulk". */
static struct str index_of(const char *query)
{
    struct str s = str_c(query), piece;

    if (!str_starts(s, STR("/")) || str_starts(s, STR("/_bulk")))
        return str_of(NULL, 0);
    s = str_cut(s, 1);
    return str_split(&s, '/', &piece) ? piece : str_of(NULL, 0);
}

static int decode(struct taking *t, struct str body, struct err *e)
{
    struct pile *p = taking_pile(t);
    struct answering w = { .taking = t, .index = index_of(p->query) };
    int rc;

    buf_init(&w.items, ANSWER_BYTES_MAX - KIB);
    rc = bulk_walk(body, taking_arena(t), take, &w, e);
    if (rc == 0 && buf_failed(&w.items))
        rc = err_set(e, -E2BIG, "the answer to this request would be too large, send fewer actions at once");
    if (rc == 0 && w.items.n == 0)
        rc = wrong(e, "request body is required");
    if (rc == 0) {
        /* Fluent Bit looks for the text "errors":false,"items":[ in an answer that it cannot read to the end. */
        buf_printf(&p->answer, "{\"took\":0,\"errors\":%s,\"items\":[", w.errors ? "true" : "false");
        buf_str(&p->answer, buf_view(&w.items));
        buf_str(&p->answer, STR("]}"));
    }
    buf_free(&w.items);
    return rc;
}

const struct body_decoder bulk_decoder = { "bulk", decode };

/* --- in the loop --- */

static int admit(const struct http_ask *a, struct pile *p, struct err *e)
{
    if (!str_ends(a->path, STR("/_bulk"))) {
        err_set(e, -ENOENT, "no handler found for this path: a collector of logs takes _bulk alone");
        return 404;
    }
    if (tokens_admit(a, p) == ADMITTED)
        return 0;
    err_set(e, -EACCES, "unable to authenticate: send an API key or a password that is a token of the collector");
    return 401;
}

static void form(struct http_answer *a, const struct pile *p)
{
    (void)p;
    a->type = "application/json";
    http_answer_header(a, "X-Elastic-Product", "Elasticsearch");
    if (a->status == 401)
        http_answer_header(a, "WWW-Authenticate", "Basic realm=\"saqshy\"");
    if (a->status == 200)
        return;
    buf_reset(a->body);
    bulk_error(a->body, a->status, a->reason);
}

#define ASK (HTTP_GET | HTTP_HEAD)
#define SETUP (HTTP_GET | HTTP_HEAD | HTTP_PUT | HTTP_POST)
static const struct http_route routes[] = {
    { HTTP_POST | HTTP_PUT, "/_bulk", admit, &bulk_decoder, NULL },
    { ASK, "/", NULL, NULL, bulk_probe },
    { HTTP_GET, "/_license", NULL, NULL, bulk_probe },
    { HTTP_GET, "/_xpack*", NULL, NULL, bulk_probe },
    { HTTP_GET, "/_nodes*", NULL, NULL, bulk_probe },
    { HTTP_GET, "/_cluster/health*", NULL, NULL, bulk_probe },
    { HTTP_GET, "/_cat/*", NULL, NULL, bulk_probe },
    { SETUP, "/_ilm/policy/*", NULL, NULL, bulk_probe },
    { SETUP, "/_index_template/*", NULL, NULL, bulk_probe },
    { SETUP, "/_component_template/*", NULL, NULL, bulk_probe },
    { SETUP, "/_template/*", NULL, NULL, bulk_probe },
    { SETUP, "/_data_stream/*", NULL, NULL, bulk_probe },
    { SETUP, "/_ingest/pipeline/*", NULL, NULL, bulk_probe },
    { ASK, "/_alias/*", NULL, NULL, bulk_probe },
    { HTTP_HEAD, "/*", NULL, NULL, bulk_probe },
    { HTTP_POST | HTTP_PUT, "/*", admit, &bulk_decoder, NULL },
};
static const struct http_service service = { "Elasticsearch bulk", routes, COUNT(routes), form };

static const char *const options[] = { "version", NULL };

static int open_bulk(struct ingest *in, const struct listen_conf *c, struct listener **out, struct err *e)
{
    return tokens_http_open(in, &bulk_kind, &service, options, c, out, e);
}

static int change_bulk(struct listener *l, const struct listen_conf *c, struct err *e) { return tokens_http_change(l, options, c, e); }

const struct listener_kind bulk_kind = { .number = LISTEN_bulk, .open = open_bulk, .change = change_bulk, TOKENS_HTTP_MEMBERS };
