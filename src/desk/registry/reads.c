/* reads.c - what is shown of the registry: one record, its history, the lists. Lists go by (sort, id): the cursor is the id of the last row, so that a
 * page costs the same wherever it stands. */
#include "desk/registry/room.h"

int personal_read(struct call *c, const char *target)
{
    int rc = db_begin(c->d, c->e);

    return rc < 0 ? rc : db_end(c->d, audit_add(c, "personal.read", target, STR(""), "ok"), c->e);
}

struct str registry_words(struct call *c, struct str q)
{
    AUTO_BUF struct buf b = { 0 };
    struct str rest = fold_text(q, &c->a), word;

    buf_init(&b, 64 * KIB);
    while (str_split(&rest, ' ', &word)) {
        bool letter = false;

        for (size_t i = 0; i < word.n; i++)
            letter = letter || (unsigned char)word.p[i] >= 0x80 || (word.p[i] >= '0' && word.p[i] <= '9') || (word.p[i] >= 'a' && word.p[i] <= 'z');
        if (!letter)
            continue;
        buf_byte(&b, '"');
        for (size_t i = 0; i < word.n; i++)
            if (word.p[i] != '"' && word.p[i] != 0)
                buf_byte(&b, word.p[i]);
        buf_put(&b, "\"* ", 3);
    }
    return b.n ? arena_copy(&c->a, buf_view(&b)) : (struct str){ NULL, 0 };
}

/* --- one record --- */

static int ref_of(struct call *c, struct str id, json_t **out)
{
    sqlite3_stmt *st;
    int rc;

    *out = json_null();
    if (!id.n)
        return 0;
    st = db_query(c->d, c->e, "SELECT name FROM org WHERE id = ?", "t", id);
    rc = st ? db_step(c->d, st, c->e) : -EIO;
    if (rc > 0) {
        *out = json_ref(id, db_str(st, 0));
        db_done(st);
    }
    return rc < 0 ? rc : 0;
}

static int refs_set(struct call *c, const json_t *value, json_t *out)
{
    static const char *const fields[][2] = { { "org_id", "org" }, { "possessor_id", "possessor" }, { "ocib_id", "ocib" }, { "knb_id", "knb" },
                                             { "sts_id", "sts" } };
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < COUNT(fields); i++)
        if (json_object_get(value, fields[i][0])) {
            json_t *ref = NULL;

            rc = ref_of(c, json_get_str(value, fields[i][0]), &ref);
            json_object_set_new(out, fields[i][1], ref ? ref : json_null());
        }
    return rc;
}

static json_t *or_null(struct str s) { return s.p ? json_str(s) : json_null(); }

static int object_more(struct call *c, const struct record *r, time_ns as_of, json_t *out)
{
    char day[16];
    bool contract = false;
    struct object_facts facts;
    struct object_view o;
    json_t *states = NULL, *missing = NULL;
    int64_t open = 0;
    int rc;

    local_date(c->d, as_of ? as_of : c->now, day);
    facts = facts_of(r->value, day);
    rc = contract_valid(c, json_get_str(r->value, "contract_id"), day, &contract);
    if (rc == 0)
        rc = object_look(c, (struct scope){ 0, "" }, r->id, &o);
    if (rc == 0)
        rc = states_json(c, r->id, &states);
    if (rc == 0)
        rc = annex1_missing(c, r->id, as_of, &missing);
    if (rc == 0)
        rc = db_int(c->d, c->e, 0, &open, "SELECT " CASES_COUNTED("?3") " FROM object o WHERE o.id = ?4", "izit", is_bounded(c), viewer_org(c), viewer_id(c),
                    r->id);
    if (rc < 0)
        return rc;
    json_object_set_new(out, "regime", json_string(regime_name(regime_of(&facts))));
    json_object_set_new(out, "monitored", json_boolean(regime_monitored(regime_of(&facts))));
    json_object_set_new(out, "why", why_json(c, r->value, day, contract));
    json_object_set_new(out, "warnings", warnings_json(c, r->value, day, contract));
    json_object_set_new(out, "variant", variant_of(works_of(r->value)) ? json_string(variant_of(works_of(r->value))) : json_null());
    json_object_set_new(out, "state", json_str(o.state));
    json_object_set_new(out, "moves", moves_json(o.state));
    json_object_set_new(out, "states", states);
    json_object_set_new(out, "missing", missing);
    json_object_set_new(out, "acting_id", or_null(o.acting_id));
    json_object_set_new(out, "performers", json_pack("{s:o, s:o, s:o}", "incident_response", or_null(o.performer_id[0]), "protection",
                                                     or_null(o.performer_id[1]), "secure_operation", or_null(o.performer_id[2])));
    json_object_set_new(out, "open_cases", json_integer(open));
    return 0;
}

/* contact_more - the person of a contact and when it was last checked. */
static int contact_more(struct call *c, const struct record *r, json_t *out)
{
    struct record p;
    sqlite3_stmt *st;
    int rc = record_read(c, RECORD_PERSON, json_get_str(r->value, "person_id"), 0, &p);

    if (rc < 0)
        return rc;
    json_object_set_new(out, "person", p.value);
    st = db_query(c->d, c->e, "SELECT at, ok, note FROM contact_check WHERE contact_id = ?1 ORDER BY at DESC, id DESC LIMIT 1", "t", r->id);
    rc = st ? db_step(c->d, st, c->e) : -EIO;
    json_object_set_new(out, "checked", rc > 0 ? json_pack("{s:o, s:b, s:o}", "at", db_json_time(st, 0), "ok", sqlite3_column_int(st, 1), "note",
                                                           db_json(st, 2))
                                               : json_null());
    if (rc > 0)
        db_done(st);
    return rc < 0 ? rc : 0;
}

/* may_json - how much of it the viewer may change: all, own (the fields of an owner), nothing. */
static int may_json(struct call *c, const struct record *r, json_t *out)
{
    struct desk_reply kept = *c->r;
    bool whole = false;
    int rc = registry_may_write(c, r->kind, r->id, (struct str){ NULL, 0 }, &whole);

    *c->r = kept;
    if (rc < 0 && rc != -EACCES && rc != -ENOENT)
        return rc;
    json_object_set_new(out, "may", json_string(rc < 0 ? "read" : whole ? "all" : "own"));
    return 0;
}

static json_t *record_head(const struct record *r)
{
    return json_pack("{s:s, s:o, s:o, s:I, s:b, s:o, s:o, s:O}", "kind", record_kind_name(r->kind), "id", json_str(r->id), "parent", or_null(r->parent),
                     "version", (json_int_t)r->version, "removed", r->removed, "updated_at", json_time(r->updated_at), "updated_by",
                     json_str(r->updated_by), "value", r->value);
}

int record_answer(struct call *c, enum record_kind k, struct str id, time_ns as_of, json_t **out)
{
    struct record r;
    json_t *whole;
    int rc = record_read(c, k, id, as_of, &r);

    *out = NULL;
    if (rc < 0)
        return rc;
    whole = value_whole(k, r.value);
    json_decref(r.value);
    r.value = whole;
    *out = record_head(&r);
    rc = refs_set(c, r.value, *out);
    if (rc == 0 && k == RECORD_OBJECT)
        rc = object_more(c, &r, as_of, *out);
    if (rc == 0 && k == RECORD_CONTACT)
        rc = contact_more(c, &r, *out);
    if (rc == 0)
        rc = may_json(c, &r, *out);
    record_done(&r);
    if (rc < 0) {
        json_decref(*out);
        *out = NULL;
    }
    return rc;
}

static bool personal(enum record_kind k) { return k == RECORD_PERSON || k == RECORD_CONTACT; }

int desk_registry_get(struct desk *d, const struct viewer *v, enum record_kind k, struct str id, time_ns at, time_ns now, struct desk_reply *r)
{
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = record_seen(&c, k, id);
    if (rc == 0)
        rc = record_answer(&c, k, id, at, &r->json);
    if (rc == 0 && personal(k))
        rc = personal_read(&c, arena_printf(&c.a, "%s/%.*s", record_kind_name(k), STR_ARG(id)).p);
    if (rc < 0) {
        json_decref(r->json);
        r->json = NULL;
    }
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

int desk_registry_annex1(struct desk *d, const struct viewer *v, struct str object_id, time_ns at, time_ns now, struct desk_reply *r)
{
    struct call c;
    json_t *values = NULL, *missing = NULL;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = object_seen(&c, object_id);
    if (rc == 0)
        rc = annex1_json(&c, object_id, at, &values);
    if (rc == 0)
        rc = annex1_missing(&c, object_id, at, &missing);
    if (rc == 0)
        rc = personal_read(&c, arena_printf(&c.a, "object/%.*s", STR_ARG(object_id)).p);
    if (rc == 0)
        r->json = json_pack("{s:O, s:O}", "values", values, "missing", missing);
    json_decref(values);
    json_decref(missing);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

int desk_registry_reach(struct desk *d, const struct viewer *v, struct str object_id, time_ns now, struct desk_reply *r)
{
    struct call c;
    struct contact_list *l = calloc(1, sizeof *l);
    json_t *items = json_array();
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = l ? object_seen(&c, object_id) : err_set(c.e, -ENOMEM, "no memory for contacts");
    if (rc == 0)
        rc = contacts_now(&c, object_id, NULL, now, l);
    for (size_t i = 0; rc == 0 && i < l->count; i++) {
        const struct contact_now *p = &l->at[i];
        json_t *channels = json_array();

        for (size_t k = 0; k < p->channels; k++)
            json_array_append_new(channels, json_pack("{s:o, s:o}", "kind", json_str(p->channel[k].kind), "value", json_str(p->channel[k].value)));
        json_array_append_new(items, json_pack("{s:o, s:o, s:o, s:o, s:o, s:b, s:o}", "contact_id", json_str(p->contact_id), "person_id",
                                               json_str(p->person_id), "name", json_str(p->name), "role", json_str(p->role), "language",
                                               json_str(p->language), "on_duty", p->on_duty, "channels", channels));
    }
    if (rc == 0)
        rc = personal_read(&c, arena_printf(&c.a, "object/%.*s", STR_ARG(object_id)).p);
    r->json = json_pack("{s:o, s:n}", "items", items, "next");
    if (rc < 0) {
        json_decref(r->json);
        r->json = NULL;
    }
    free(l);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}
