/* call.c - see call.h. */
#include "portal/call.h"
#include "base/log.h"
#include "portal/internal.h"
#include "query/query.h"

#include <unistd.h>

int call_begin(struct portal *p, struct str head, struct call **out, struct err *e)
{
    struct call *c = calloc(1, sizeof *c);

    *out = NULL;
    if (!c)
        return err_set(e, -ENOMEM, "no memory for a request");
    c->portal = p;
    c->lang = LANG_KK;
    c->started = clock_steady();
    buf_init(&c->head, HTTP_HEAD_MAX + 1);
    buf_init(&c->content, HTTP_BODY_MAX + 1);
    buf_init(&c->reply.body, 0);
    arena_init(&c->arena, 4 * MIB);
    buf_str(&c->head, head);
    *out = c;
    return 0;
}

void call_end(struct call **c)
{
    if (!*c)
        return;
    buf_free(&(*c)->head);
    buf_free(&(*c)->content);
    buf_free(&(*c)->reply.body);
    stream_free(&(*c)->reply.stream);
    if ((*c)->reply.file > 0)
        close((*c)->reply.file);
    json_decref((*c)->body);
    json_decref((*c)->session);
    arena_free(&(*c)->arena);
    free(*c);
    *c = NULL;
}

/* --- answers --- */

int call_json(struct call *c, int status, json_t *j)
{
    struct reply *r = &c->reply;
    size_t n = j ? json_dumpb(j, NULL, 0, JSON_COMPACT) : 0;
    char *to;

    buf_reset(&r->body);
    to = n ? buf_room(&r->body, n) : NULL;
    if (to)
        r->body.n += json_dumpb(j, to, n, JSON_COMPACT);
    json_decref(j);
    if (!to)
        return err_set(&c->err, -ENOMEM, "no memory for an answer");
    r->status = status;
    r->type = "application/json";
    return 0;
}

/* problem - answer with a problem document (RFC 9457). errors, may be NULL, is borrowed: [{field, code, detail}]. */
static int problem(struct call *c, int status, const char *code, const char *field, size_t at, int64_t retry_after_s, struct str detail, json_t *errors)
{
    char key[64], type[96];
    struct str text;
    json_t *p;

    snprintf(key, sizeof key, "error.%s", code);
    snprintf(type, sizeof type, "urn:saqshy:problem:%s", code);
    text = catalog_text(c->portal->catalog, c->lang, key);
    p = json_pack("{s:s,s:s%,s:i,s:s}", "type", type, "title", text.p, text.n, "status", status, "code", code);
    if (field && *field)
        json_object_set_new(p, "field", json_string(field));
    if (at)
        json_object_set_new(p, "at", json_integer((json_int_t)at));
    if (retry_after_s > 0)
        json_object_set_new(p, "retry_after", json_integer(retry_after_s));
    if (detail.n)
        json_object_set_new(p, "detail", json_stringn(detail.p, detail.n));
    if (errors)
        json_object_set(p, "errors", errors);
    c->reply.retry_after_s = retry_after_s;
    c->reply.cookie[0] = 0;
    if (call_json(c, status, p) < 0) {
        c->reply.status = 500;
        c->reply.type = NULL;
    } else {
        c->reply.type = "application/problem+json";
    }
    return 0;
}

int call_refuse(struct call *c, int status, const char *code, const char *field, size_t at, int64_t retry_after_s)
{
    return problem(c, status, code, field, at, retry_after_s, (struct str){ NULL, 0 }, NULL);
}

int call_refuse_query(struct call *c, const char *field, const struct query_fault *f)
{
    char key[80];

    snprintf(key, sizeof key, "error.query.%s", f->code);
    struct str detail = catalog_format(c->portal->catalog, c->lang, &c->arena, key, "word", f->word, "instead", f->instead, NULL);

    return problem(c, 400, "bad_query", field, (size_t)f->letter, 0, detail, NULL);
}

/* The name goes percent-encoded (RFC 8187): it is what somebody's machine called the file. */
int call_file(struct call *c, int fd, int64_t bytes, const char *type, const char *name)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
    size_t n = (size_t)snprintf(c->reply.disposition, sizeof c->reply.disposition, "attachment; filename*=UTF-8''");

    for (const char *p = name; *p && n + 4 < sizeof c->reply.disposition; p++)
        n += (size_t)snprintf(c->reply.disposition + n, 4, strchr(plain, *p) ? "%c" : "%%%02X", (unsigned char)*p);
    c->reply.status = 200;
    c->reply.type = type;
    c->reply.file = fd;
    c->reply.file_bytes = bytes;
    return 0;
}

static const char *code_of_status(int status)
{
    static const struct {
        int         status;
        const char *code;
    } codes[] = {
        { 400, "bad_request" }, { 401, "unauthenticated" }, { 403, "forbidden" }, { 404, "not_found" },
        { 405, "method_not_allowed" }, { 409, "conflict" }, { 413, "too_large" }, { 429, "too_many_requests" },
        { 503, "unavailable" },
    };

    for (size_t i = 0; i < COUNT(codes); i++)
        if (codes[i].status == status)
            return codes[i].code;
    return "internal";
}

static void tell_failure(const struct call *c, const struct err *e)
{
    struct str path = c->http.path;
    char shown[200];

    snprintf(shown, sizeof shown, "%.*s", (int)min_size(path.n, 199), path.n ? path.p : "");
    log_line(LOG_ERROR, "could not answer a request", "http.request.method", http_method_name(c->http.method),
             "url.path", shown, "error.message", e->text, NULL);
}

int call_fail(struct call *c, int rc)
{
    int status = desk_status(rc);

    if (status >= 500)
        tell_failure(c, &c->err);
    return call_refuse(c, status, code_of_status(status), NULL, 0, status == 503 ? 1 : 0);
}

int call_desk(struct call *c, int rc, int status, struct desk_reply *r)
{
    if (rc == 0 && r->json && status != 204)
        rc = call_json(c, status, json_incref(r->json));
    else if (rc == 0)
        c->reply.status = 204;
    else if (desk_status(rc) < 500 && r->code)
        rc = problem(c, desk_status(rc), r->code, r->field, 0, r->retry_after_s, (struct str){ NULL, 0 }, r->problems);
    else {
        c->err = r->err;
        rc = call_fail(c, rc);
    }
    desk_reply_free(r);
    return rc;
}

int call_page_within(struct call *c, size_t cursor_most, int *limit, struct str *before)
{
    int64_t n = 100;
    int rc = params_int(&c->params, "limit", 1, DESK_LIMIT_MAX, &n, &c->err);

    *limit = (int)n;
    *before = params_get(&c->params, "before");
    return rc == 0 && before->n > cursor_most ? err_set(&c->err, -EINVAL, "before") : rc;
}

int call_page(struct call *c, int *limit, struct str *before) { return call_page_within(c, CURSOR_MAX, limit, before); }

int call_attachment(struct call *c, int rc, int fd, struct desk_reply *r)
{
    const char *name, *said;
    struct str type;

    if (rc < 0)
        return call_desk(c, rc, 200, r);
    name = json_string_value(json_object_get(r->json, "name"));
    said = json_string_value(json_object_get(r->json, "type"));
    /* The answer keeps the type until it is sent: it lives in the call. */
    type = said ? arena_copy(&c->arena, str_c(said)) : (struct str){ NULL, 0 };
    rc = call_file(c, fd, json_integer_value(json_object_get(r->json, "size_bytes")), type.p ? type.p : "application/octet-stream", name ? name : "file");
    desk_reply_free(r);
    return rc;
}

void call_acted(struct call *c)
{
    if (c->portal->worker)
        desk_worker_poke(c->portal->worker);
}

/* --- the checks --- */

/* depth_ok - brackets outside of texts nest at most BODY_DEPTH_MAX deep: the library's reader recurses. */
static bool depth_ok(struct str text)
{
    bool quoted = false;
    size_t depth = 0;

    for (size_t i = 0; i < text.n; i++) {
        char ch = text.p[i];

        if (quoted && ch == '\\')
            i++;
        else if (ch == '"')
            quoted = !quoted;
        else if (!quoted && (ch == '{' || ch == '[') && ++depth > BODY_DEPTH_MAX)
            return false;
        else if (!quoted && (ch == '}' || ch == ']') && depth > 0)
            depth--;
    }
    return true;
}

int json_body_read(struct str text, json_t **out, struct err *e)
{
    json_error_t je;

    *out = NULL;
    if (!depth_ok(text))
        return err_set(e, -EBADMSG, "the body nests deeper than %d", BODY_DEPTH_MAX);
    *out = json_loadb(text.n ? text.p : "", text.n, JSON_REJECT_DUPLICATES, &je);
    if (!*out)
        return err_line(e, -EBADMSG, NULL, je.line > 0 ? je.line : 0, je.column > 0 ? je.column : 0, "%s", je.text);
    if (!json_is_object(*out)) {
        json_decref(*out);
        *out = NULL;
        return err_set(e, -EBADMSG, "the body is not a JSON object");
    }
    return 0;
}

bool call_origin_ok(const struct http_request *r)
{
    struct str origin = r->header[HTTP_ORIGIN], site = r->header[HTTP_FETCH_SITE];

    if (site.p && !str_eq(site, STR("same-origin")) && !str_eq(site, STR("none")))
        return false;
    if (!origin.p)
        return true;
    return str_starts(origin, STR("https://")) && str_ieq(str_cut(origin, 8), r->header[HTTP_HOST]);
}

static unsigned role_bit(enum desk_role r) { return r < DESK_ROLE_COUNT ? 1u << r : 0; }

int call_session(struct call *c)
{
    struct str token = http_cookie(c->http.header[HTTP_COOKIE], STR(SESSION_COOKIE));
    struct desk_reply r = { 0 };
    enum lang asked = c->lang;
    int rc;

    if (token.n == 0)
        return call_refuse(c, 401, "unauthenticated", NULL, 0, 0) + 1;
    rc = desk_session(c->desk, token, str_c(c->address), c->now, &c->viewer, &r);
    if (rc < 0)
        return call_desk(c, rc, 200, &r) + 1;
    c->session = json_incref(r.json);
    desk_reply_free(&r);
    c->signed_in = true;
    if (lang_parse(c->http.header[HTTP_ACCEPT_LANGUAGE], LANG_COUNT) == LANG_COUNT)
        c->lang = c->viewer.lang;
    else
        c->viewer.lang = asked;
    return 0;
}

static bool mutates(const struct call *c)
{
    return c->http.method != HTTP_GET && c->http.method != HTTP_HEAD;
}

/* refuse_role - who is signed in and asks for what their role does not have: answered, and a row of the audit trail. */
static int refuse_role(struct call *c)
{
    struct err e = { 0 };
    char target[160];

    snprintf(target, sizeof target, "%s %.*s", http_method_name(c->http.method), (int)min_size(c->http.path.n, 140), c->http.path.n ? c->http.path.p : "");
    if (desk_audit_note(c->desk, &c->viewer, "access", target, NULL, "refused", c->now, &e) < 0)
        log_line(LOG_ERROR, "could not write a refusal into the audit trail, going on", "error.message", e.text, NULL);
    return call_refuse(c, 403, "forbidden", NULL, 0, 0) + 1;
}

/* check_caller - session, role, origin, token. Returns 0; 1 when that has been answered. */
static int check_caller(struct call *c)
{
    bool open = c->match.route->roles & ROUTE_ANYBODY;
    int rc = open ? 0 : call_session(c);

    if (rc)
        return rc;
    if (!open && !(role_bit(c->viewer.role) & c->match.route->roles))
        return refuse_role(c);
    if (!mutates(c))
        return 0;
    if (!call_origin_ok(&c->http) || (!open && !desk_csrf_ok(&c->viewer, c->http.header[HTTP_CSRF])))
        return call_refuse(c, 403, "bad_csrf", NULL, 0, 0) + 1;
    return 0;
}

/* take_input - parameters and body. Returns 0; 1 when that has been answered. */
static int take_input(struct call *c)
{
    struct str type = c->http.header[HTTP_CONTENT_TYPE];
    struct err e;

    if (params_read(c->http.query, &c->arena, &c->params, &e) < 0)
        return call_refuse(c, 400, "bad_request", "query", 0, 0) + 1;
    if (c->match.route->body != JSON)
        return 0;
    if (!str_ieq(str_of(type.p, min_size(type.n, 16)), STR("application/json")) ||
        json_body_read(buf_view(&c->content), &c->body, &e) < 0)
        return call_refuse(c, 400, "bad_request", "body", 0, 0) + 1;
    return 0;
}

void call_run(struct call *c)
{
    int rc;

    c->now = clock_now();
    c->lang = lang_parse(c->http.header[HTTP_ACCEPT_LANGUAGE], LANG_KK);
    if (check_caller(c) || take_input(c))
        return;
    rc = c->match.route->handle(c);
    if (rc == -EINVAL && c->err.text[0])
        rc = call_refuse(c, 400, "bad_request", c->err.text, 0, 0);
    if (rc < 0)
        call_fail(c, rc);
}
