/* requests.c - a request in hand: loaded within the viewer's scope, opened, moved, saved; its timeline and notices. */
#include "desk/registry/registry.h"
#include "desk/requests/kind.h"

#define REQ_COLUMNS                                                                                                            \
    "r.id, r.number, r.kind, r.state, r.object_id, o.name, o.org_id, g.name, o.possessor_id, o.ocib_id, r.batch, r.values_json, r.opened_at," \
    " r.opened_by"
#define REQ_TABLES " FROM request r JOIN object o ON o.id = r.object_id JOIN org g ON g.id = o.org_id "

static const char *const waits_names[] = { "nobody", "owner", "centre", "ocib" };

void req_free(struct req *q)
{
    json_decref(q->values);
    q->values = NULL;
}

static const struct req_state *state_find(const struct req_kind *k, struct str name)
{
    for (size_t i = 0; i < REQ_STATES_MAX && k->states[i].name; i++)
        if (str_eq(name, str_c(k->states[i].name)))
            return &k->states[i];
    return NULL;
}

void req_move(struct req *q, const char *state)
{
    q->state = state_find(q->kind, str_c(state));
    assert(q->state);
}

/* word_in - is a word among words parted by blanks? */
static bool word_in(const char *words, const char *word)
{
    struct str all = str_c(words), one;

    while (str_split(&all, ' ', &one))
        if (str_eq(one, str_c(word)))
            return true;
    return false;
}

bool req_in(const struct req *q, const char *states) { return word_in(states, q->state->name); }

struct subject req_subject(const struct req *q)
{
    return (struct subject){ .kind = "request", .id = str_c(q->id_text), .object_id = q->object_id, .org_id = q->org_id };
}

struct str req_text(const struct req *q, const char *key) { return json_get_str(q->values, key); }
bool req_true(const struct req *q, const char *key) { return json_is_true(json_object_get(q->values, key)); }
void req_set(struct req *q, const char *key, json_t *value) { json_object_set_new(q->values, key, value); }

int req_wrong(struct call *c, const char *field, const char *why) { return refuse(c, -EINVAL, "bad_request", field, "%s: %s", field, why); }

static int row_read(struct call *c, sqlite3_stmt *st, struct req *q)
{
    struct str values = db_str(st, 11);

    *q = (struct req){ .id = sqlite3_column_int64(st, 0), .number = db_copy(st, 1, &c->a), .kind = req_kind_find(db_str(st, 2)),
                       .object_id = db_copy(st, 4, &c->a), .object_name = db_copy(st, 5, &c->a), .org_id = db_copy(st, 6, &c->a),
                       .org_name = db_copy(st, 7, &c->a), .possessor_id = db_copy(st, 8, &c->a), .ocib_id = db_copy(st, 9, &c->a),
                       .batch = sqlite3_column_int64(st, 10), .opened_at = sqlite3_column_int64(st, 12), .opened_by = sqlite3_column_int64(st, 13) };
    if (q->kind)
        q->state = state_find(q->kind, db_str(st, 3));
    q->values = json_loadb(values.n ? values.p : "{}", values.n ? values.n : 2, 0, NULL);
    snprintf(q->id_text, sizeof q->id_text, "%lld", (long long)q->id);
    db_done(st);
    return q->state && q->values ? 0 : err_set(c->e, -EIO, "request %lld is of a kind or state that nobody knows", (long long)q->id);
}

int req_load(struct call *c, int64_t id, struct req *out)
{
    struct scope s = scope_of(c->v);
    int64_t list = c->v && c->v->role == DESK_AUTHORISED_BODY;
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT " REQ_COLUMNS REQ_TABLES "WHERE r.id = ?3 AND (?1 = 0 OR (r.inner = 0 AND (" SCOPE_OBJECT
                                " OR (?4 = 1 AND r.kind = 'cii_connection'))))",
                                "izii", s.bounded, s.org, id, list);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    *out = (struct req){ 0 };
    if (rc < 0)
        return rc;
    return rc == 0 ? refuse(c, -ENOENT, "not_found", NULL, "no such request") : row_read(c, st, out);
}

int req_save(struct call *c, struct req *q)
{
    AUTO_FREE char *text = json_dumps(q->values, JSON_COMPACT | JSON_SORT_KEYS);
    int rc = db_exec(c->d, c->e,
                     "UPDATE request SET state = ?2, waits = ?3, ended = ?4, inner = ?5, values_json = ?6, updated_at = ?7,"
                     " ended_at = CASE WHEN ?4 = 1 THEN coalesce(ended_at, ?7) END WHERE id = ?1",
                     "izziizi", q->id, q->state->name, waits_names[q->state->waits], (int64_t)q->state->ended, (int64_t)q->state->inner, text, c->now);

    change_id(c->d, "request", q->id);
    return rc < 0 ? rc : 0;
}

int req_line(struct call *c, const struct req *q, const char *kind, struct str text, time_ns happened)
{
    struct subject s = req_subject(q);

    return timeline_of(c, &s, &(struct line){ .kind = kind, .text = text, .happened_at = happened });
}

/* both - a text in Kazakh and Russian, as notices go out. */
static struct str both(struct call *c, const char *key, const char *between)
{
    struct str kk = catalog_text(c->d->setup.catalog, LANG_KK, key), ru = catalog_text(c->d->setup.catalog, LANG_RU, key);
    AUTO_BUF struct buf b = { 0 };

    buf_init(&b, 64 * KIB);
    buf_str(&b, kk);
    buf_str(&b, str_c(between));
    buf_str(&b, ru);
    return arena_copy(&c->a, buf_view(&b));
}

int req_tell_about(struct call *c, const struct req *q, const struct subject *about, const char *kind, const char *paragraph, bool owner,
                   const char *key)
{
    struct str orgs[3] = { { NULL, 0 } }, said = q->values ? req_text(q, "text") : STR(""), text;
    char title_key[64], text_key[64];
    int64_t id = 0;
    size_t n = 1;

    if (owner) {
        orgs[0] = q->org_id;
        if (q->possessor_id.n && !str_eq(q->possessor_id, q->org_id))
            orgs[n++] = q->possessor_id;
    }
    snprintf(title_key, sizeof title_key, "request.notice.%s.title", key);
    snprintf(text_key, sizeof text_key, "request.notice.%s.text", key);
    json_t *args = json_pack("{s:o, s:o, s:o}", "number", json_str(q->number.p ? q->number : STR("")), "object", json_str(q->object_name), "text",
                             json_str(said.p ? said : STR("")));
    struct str title = text_fill(&c->a, both(c, title_key, " / "), args);
    text = text_fill(&c->a, both(c, text_key, "\n\n"), args);
    json_decref(args);
    struct notice_new notice = { .kind = kind, .paragraph = paragraph, .about = about, .title = title, .text = text, .orgs = orgs, .org_count = n };
    struct notice_file *files = NULL;
    json_t *values = NULL;

    notice.form = q->values ? req_form(c, q, key, &values) : NULL;
    notice.values = values;
    int rc = q->values ? req_files(c, q, key, &files, &notice.file_count) : 0;
    notice.files = files;
    if (rc == 0)
        rc = notice_issue(c, &notice, &id);
    json_decref(values);
    return rc;
}

int req_tell(struct call *c, const struct req *q, bool owner, const char *key)
{
    struct subject about = req_subject(q);

    return req_tell_about(c, q, &about, q->kind->name, q->kind->paragraph, owner, key);
}

/* --- opening --- */

static int number_next(struct call *c, char out[32])
{
    char date[16], counter[24];
    int64_t n = 0;
    int rc;

    local_date(c->d, c->now, date);
    snprintf(counter, sizeof counter, "request-%.4s", date);
    rc = counter_next(c->d, counter, &n, c->e);
    snprintf(out, 32, "T-%.4s-%06lld", date, (long long)n);
    return rc;
}

/* target_seen - the viewer reaches the object; the authorised body names objects of the CII list that are not its own. */
static int target_seen(struct call *c, const struct req_kind *k, struct str object)
{
    struct scope s = scope_of(c->v);
    int64_t n = 0, list = c->v && c->v->role == DESK_AUTHORISED_BODY && strcmp(k->name, "cii_connection") == 0;
    int rc = db_int(c->d, c->e, 0, &n, "SELECT count(*) FROM object o WHERE o.id = ?3 AND (" SCOPE_OBJECT " OR ?4 = 1)", "izti", s.bounded, s.org, object,
                    list);

    return rc < 0 ? rc : n ? object_capacity(c, object) : refuse(c, -EINVAL, "bad_request", "object_ids", "no such object");
}

int req_insert(struct call *c, const struct req_kind *k, struct str object, const json_t *values, int64_t batch, struct req *out)
{
    AUTO_FREE char *text = json_dumps(values, JSON_COMPACT | JSON_SORT_KEYS);
    char number[32];
    int64_t id = 0, open = 0;
    int rc = k->once ? db_int(c->d, c->e, 0, &open, "SELECT count(*) FROM request WHERE object_id = ? AND kind = ? AND ended = 0", "tz", object, k->name) : 0;

    *out = (struct req){ 0 };
    if (rc == 0 && open)
        return refuse(c, -EEXIST, "conflict", "object_ids", "a request of kind %s is open for this object", k->name);
    if (rc == 0)
        rc = number_next(c, number);
    if (rc == 0)
        rc = db_int(c->d, c->e, 0, &id,
                    "INSERT INTO request(number, kind, state, waits, ended, inner, object_id, batch, values_json, opened_at, opened_by, updated_at)"
                    " VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?10) RETURNING id",
                    "zzzziitmzim", number, k->name, k->states[0].name, waits_names[k->states[0].waits], (int64_t)k->states[0].ended,
                    (int64_t)k->states[0].inner, object, (time_ns)batch, text, c->now, (time_ns)(c->v ? c->v->user_id : 0));
    if (rc < 0)
        return rc;
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT " REQ_COLUMNS REQ_TABLES "WHERE r.id = ?", "i", id);
    rc = st ? db_step(c->d, st, c->e) : -EIO;
    return rc < 0 ? rc : rc == 0 ? err_set(c->e, -EIO, "a request vanished") : row_read(c, st, out);
}

int req_open(struct call *c, const struct req_kind *k, struct str object, const json_t *values, int64_t batch, struct req *out)
{
    char target[40];
    int rc = req_insert(c, k, object, values, batch, out);

    if (rc == 0)
        rc = req_line(c, out, "opened", req_text(out, "note"), 0);
    if (rc == 0 && k->items)
        rc = items_seed(c, out);
    if (rc == 0 && k->run)
        rc = k->run(c, out, values);
    if (rc == 0)
        rc = req_save(c, out);
    if (rc == 0 && k->owner_told && !out->state->inner && !(c->v && role_of_owner(c->v->role)))
        rc = req_tell(c, out, true, k->name);
    if (rc == 0 && k->centre_told && c->v && role_of_owner(c->v->role))
        rc = req_tell(c, out, false, k->name);
    snprintf(target, sizeof target, "request/%lld", (long long)out->id);
    return rc < 0 ? rc : audit_add(c, "request.open", target, out->number, "ok");
}

static const struct body_field open_fields[] = {
    { "kind", BODY_STRING, true, false, 1, 64, NULL },
};

/* body_open - {kind, object_ids, values}: the outer form by hand, values by the table of the kind. */
static int body_open(struct call *c, const json_t *body, const struct req_kind **k)
{
    const json_t *ids = json_object_get(body, "object_ids"), *values = json_object_get(body, "values");
    json_t *outer = json_copy((json_t *)(uintptr_t)body), *item;
    size_t i, fields = 0;
    int rc;

    json_object_del(outer, "object_ids");
    json_object_del(outer, "values");
    rc = body_check(outer, open_fields, COUNT(open_fields), c->r->field, c->e);
    json_decref(outer);
    if (rc < 0)
        return rc;
    *k = req_kind_find(json_get_str(body, "kind"));
    if (!*k)
        return req_wrong(c, "kind", "no such kind");
    if (!json_is_array(ids) || json_array_size(ids) == 0 || json_array_size(ids) > REQUEST_OBJECTS_MAX)
        return req_wrong(c, "object_ids", "a list of 1 to 500 objects is expected");
    json_array_foreach((json_t *)(uintptr_t)ids, i, item) {
        if (!json_is_string(item) || json_string_length(item) == 0 || json_string_length(item) > ID_MAX)
            return req_wrong(c, "object_ids", "an object's id is expected");
        for (size_t j = 0; j < i; j++)
            if (json_equal(item, json_array_get(ids, j)))
                return req_wrong(c, "object_ids", "an object stands twice");
    }
    if (c->v->role >= DESK_ROLE_COUNT || !((*k)->open & (1u << c->v->role)))
        return refuse(c, -EACCES, "forbidden", NULL, "%s may not open %s", desk_role_name(c->v->role), (*k)->name);
    while (fields < REQ_FIELDS_MAX && (*k)->fields[fields].name)
        fields++;
    if (!json_is_object(values))
        return req_wrong(c, "values", "an object is expected");
    rc = body_check(values, (*k)->fields, fields, c->r->field, c->e);
    if (rc < 0 && c->r->field[0]) {
        char inner[DESK_FIELD_MAX];

        snprintf(inner, sizeof inner, "%.100s", c->r->field);
        snprintf(c->r->field, sizeof c->r->field, "values.%.110s", inner);
    }
    return rc;
}

int requests_open_one(struct call *c, const char *kind, struct str object, const json_t *values, int64_t *id)
{
    const struct req_kind *k = req_kind_find(str_c(kind));
    AUTO_REQ struct req q = { 0 };
    size_t fields = 0;

    assert(k);
    if (c->v && !(k->open & (1u << c->v->role)))
        return refuse(c, -EACCES, "forbidden", NULL, "%s may not open %s", desk_role_name(c->v->role), kind);
    while (fields < REQ_FIELDS_MAX && k->fields[fields].name)
        fields++;
    int rc = body_check(values, k->fields, fields, c->r->field, c->e);
    if (rc == 0)
        rc = req_open(c, k, object, values, 0, &q);
    *id = q.id;
    return rc;
}

static int open_all(struct call *c, const json_t *body, json_t *items)
{
    const struct req_kind *k = NULL;
    json_t *ids = json_object_get(body, "object_ids"), *id;
    int64_t batch = 0;
    size_t i;
    int rc = body_open(c, body, &k);

    if (rc == 0 && json_array_size(ids) > 1)
        rc = counter_next(c->d, "request-batch", &batch, c->e);
    json_array_foreach(ids, i, id) {
        struct str object = str_of(json_string_value(id), json_string_length(id));
        AUTO_REQ struct req q = { 0 };

        if (rc == 0)
            rc = target_seen(c, k, object);
        if (rc == 0)
            rc = req_open(c, k, object, json_object_get(body, "values"), batch, &q);
        if (rc == 0)
            json_array_append_new(items, json_pack("{s:o, s:o, s:o}", "id", json_id(q.id), "number", json_str(q.number), "object",
                                                   json_ref(q.object_id, q.object_name)));
        if (rc < 0)
            break;
    }
    return rc;
}

int desk_request_open(struct desk *d, const struct viewer *v, const json_t *body, time_ns now, struct desk_reply *r)
{
    json_t *items = json_array();
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = db_begin(d, c.e);
    if (rc == 0)
        rc = db_end(d, open_all(&c, body, items), c.e);
    if (rc == 0)
        r->json = json_pack("{s:O, s:n}", "items", items, "next");
    if (rc == -EACCES)
        audit_refusal(&c, "request.open", "request");
    json_decref(items);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

int request_open_as(struct call *c, const char *kind, struct str object, const json_t *values, int64_t *id)
{
    json_t *items = json_array(), *body = json_pack("{s:s, s:[o], s:O}", "kind", kind, "object_ids", json_str(object), "values", values);
    int rc = body ? open_all(c, body, items) : -ENOMEM;

    *id = rc < 0 ? 0 : parse_id(json_get_str(json_array_get(items, 0), "id"));
    json_decref(body);
    json_decref(items);
    return rc;
}
