/* acts.c - doing something to a request: the table of kinds is asked, the handler works, values, state, line and audit row are written. */
#include "desk/registry/registry.h"
#include "desk/requests/kind.h"

static const struct req_act *act_find(const struct req_kind *k, struct str name)
{
    for (const struct req_act *a = k->acts; a->name; a++)
        if (str_eq(name, str_c(a->name)))
            return a;
    return NULL;
}

static bool offered(const struct req *q, const struct req_act *a)
{
    return strcmp(a->from, "*") == 0 ? !q->state->ended : req_in(q, a->from);
}

static int files_there(struct call *c, const struct req *q, const char *roles)
{
    struct str all = str_c(roles), role;

    while (str_split(&all, ' ', &role)) {
        char name[32], field[48];
        int64_t n = 0;

        snprintf(name, sizeof name, "%.*s", STR_ARG(role));
        int rc = files_of(c, q, name, &n);
        if (rc < 0)
            return rc;
        snprintf(field, sizeof field, "files.%s", name);
        if (n == 0)
            return req_wrong(c, field, "this must be attached before");
    }
    return 0;
}

/* keep - the body becomes values of the request, or one entry of a list among them. */
static int keep(struct call *c, struct req *q, const struct req_act *a, const json_t *body)
{
    json_t *list, *entry;

    if (!a->list)
        return json_object_update(q->values, (json_t *)(uintptr_t)body) < 0 ? -ENOMEM : 0;
    list = json_object_get(q->values, a->list);
    if (!list) {
        list = json_array();
        req_set(q, a->list, list);
    }
    if (json_array_size(list) >= 1000)
        return refuse(c, -EINVAL, "bad_request", a->list, "more than 1000 entries");
    entry = json_deep_copy(body);
    json_object_set_new(entry, "by", json_string(c->v ? c->v->name : ""));
    json_object_set_new(entry, "recorded_at", json_time(c->now));
    return json_array_append_new(list, entry) < 0 ? -ENOMEM : 0;
}

/* said - what a person wrote with the act, for the timeline. */
static struct str said(const json_t *body)
{
    static const char *const keys[] = { "reason", "note", "answer", "actions", "operation", "text" };

    for (size_t i = 0; i < COUNT(keys); i++)
        if (json_get_str(body, keys[i]).n)
            return json_get_str(body, keys[i]);
    return STR("");
}

/* line_add - the line keeps all that was given, beside the words. */
static int line_add(struct call *c, const struct req *q, const struct req_act *a, const json_t *body)
{
    struct subject s = req_subject(q);
    json_t *args = json_object();

    if (!a->run || (a->run != act_logging_compare))
        json_object_update(args, (json_t *)(uintptr_t)body);
    return timeline_of(c, &s, &(struct line){ .kind = a->name, .text = said(body), .args = args });
}

static int run(struct call *c, struct req *q, const struct req_act *a, const json_t *body)
{
    char action[60], target[40];
    int rc = body_check(body, a->fields, body_field_count(a->fields, REQ_FIELDS_MAX), c->r->field, c->e);

    if (rc == 0 && a->files)
        rc = files_there(c, q, a->files);
    if (rc == 0 && a->run != act_set_item && a->run != act_add_item && a->run != act_record_copy && a->run != act_logging_compare)
        rc = keep(c, q, a, body);
    if (rc == 0)
        rc = line_add(c, q, a, body);
    if (rc == 0 && a->to)
        req_move(q, a->to);
    if (rc == 0 && a->run)
        rc = a->run(c, q, body);
    if (rc == 0 && q->state->ended)
        rc = req_cancel(c, q, NULL);
    if (rc == 0)
        rc = req_save(c, q);
    snprintf(action, sizeof action, "request.%s", a->name);
    snprintf(target, sizeof target, "request/%lld", (long long)q->id);
    return rc < 0 ? rc : audit_add(c, action, target, q->number, "ok");
}

/* may_act - the request and the act, where the viewer may do it now. */
static int may_act(struct call *c, int64_t id, struct str name, struct req *q, const struct req_act **out)
{
    int rc = req_load(c, id, q);
    const struct req_act *a = rc == 0 ? act_find(q->kind, name) : NULL;

    *out = a;
    if (rc < 0)
        return rc;
    if (!a)
        return refuse(c, -ENOENT, "not_found", NULL, "no such action");
    if (!(a->roles & (1u << c->v->role)))
        return refuse(c, -EACCES, "forbidden", NULL, "%s may not %s", desk_role_name(c->v->role), a->name);
    rc = object_capacity(c, q->object_id);
    if (rc < 0)
        return rc;
    return offered(q, a) ? 0 : refuse(c, -EPROTO, "wrong_state", NULL, "%s in state %s does not offer %s", q->kind->name, q->state->name, a->name);
}

/* measured - what the store says, looked up before the transaction, for those alone who may act on it. */
static int measured(struct call *c, int64_t id, struct str name, const json_t *body, json_t **out)
{
    AUTO_REQ struct req q = { 0 };
    const struct req_act *a;
    int rc = str_eq(name, STR("compare_source")) ? may_act(c, id, name, &q, &a) : 1;

    return rc < 0 ? rc : rc ? 0 : logging_measure(c, id, body, out);
}

static int act(struct call *c, int64_t id, struct str name, const json_t *body)
{
    AUTO_REQ struct req q = { 0 };
    const struct req_act *a;
    int rc = may_act(c, id, name, &q, &a);

    if (rc < 0)
        return rc;
    if (body)
        return run(c, &q, a, body);
    json_t *empty = json_object();
    rc = run(c, &q, a, empty);
    json_decref(empty);
    return rc;
}

int requests_act(struct call *c, int64_t id, const char *action, const json_t *body) { return act(c, id, str_c(action), body); }

int desk_request_act(struct desk *d, const struct viewer *v, struct str id, struct str action, const json_t *body, time_ns now, struct desk_reply *r)
{
    char name[60], target[40];
    json_t *lines = NULL;
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = measured(&c, parse_id(id), action, body, &lines);
    c.measured = lines;
    if (rc == 0)
        rc = db_begin(d, c.e);
    if (rc == 0)
        rc = db_end(d, act(&c, parse_id(id), action, body), c.e);
    json_decref(lines);
    if (rc == -EACCES) {
        snprintf(name, sizeof name, "request.%.*s", (int)min_size(action.n, 40), action.p);
        snprintf(target, sizeof target, "request/%lld", (long long)parse_id(id));
        audit_refusal(&c, name, target);
    }
    desk_call_free(&c);
    return rc < 0 ? refuse_rc(r, rc) : desk_request(d, v, id, now, r);
}

/* --- what the portal draws its forms from --- */

static json_t *words_json(const char *words)
{
    json_t *list = json_array();
    struct str all = str_c(words ? words : ""), one;

    while (str_split(&all, ' ', &one))
        if (one.n)
            json_array_append_new(list, json_str(one));
    return list;
}

json_t *req_actions_json(struct call *c, const struct req *q)
{
    json_t *list = json_array();

    for (const struct req_act *a = q->kind->acts; c->v && a->name; a++)
        if ((a->roles & (1u << c->v->role)) && offered(q, a))
            json_array_append_new(list, json_pack("{s:s, s:o, s:o}", "name", a->name, "fields", body_fields_json(a->fields, body_field_count(a->fields, REQ_FIELDS_MAX)), "files",
                                                  words_json(a->files)));
    return list;
}

int desk_request_kinds(struct desk *d, const struct viewer *v, struct desk_reply *r)
{
    json_t *items = json_array();

    (void)d;
    for (size_t i = 0; i < req_kind_count; i++) {
        const struct req_kind *k = &req_kinds[i];
        json_t *states = json_array();

        for (size_t s = 0; s < REQ_STATES_MAX && k->states[s].name; s++)
            json_array_append_new(states, json_string(k->states[s].name));
        json_array_append_new(items, json_pack("{s:s, s:s, s:o, s:b, s:o, s:o}", "name", k->name, "paragraph", k->paragraph, "rows", words_json(k->rows),
                                               "opens", (k->open & (1u << v->role)) != 0, "states", states, "fields",
                                               body_fields_json(k->fields, body_field_count(k->fields, REQ_FIELDS_MAX))));
    }
    r->json = json_pack("{s:o, s:n}", "items", items, "next");
    return 0;
}
