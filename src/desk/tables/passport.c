/* passport.c - the initial data of an object (paragraph 7) as numbered versions, each with its source. */
#include "desk/tables/internal.h"
#include "desk/blob.h"
#include "desk/registry/room.h"

static const char *const source_values[] = { "architecture_portal", "conformity_testing", "owner", NULL };
static const char *const tested_values[] = { "service_software_product", "ict_platform", "internet_resource", "information_system", NULL };

/* items has the type of any list here; item_check judges it. */
static const struct body_field passport_fields[] = {
    { "source", BODY_ENUM, true, false, 0, 0, source_values },     { "tested_kind", BODY_ENUM, false, true, 0, 0, tested_values },
    { "reference", BODY_STRING, false, true, 0, 500, NULL },       { "received_on", BODY_DATE, false, true, 0, 0, NULL },
    { "note", BODY_TEXT, false, true, 0, DESK_TEXT_MAX, NULL },
};

/* differences - rows for what the new items have that the old lack, lack that the old have, or have otherwise. */
static int differences(struct call *c, struct str object_id, json_t *old, json_t *new, struct str source, int64_t version)
{
    const char *key;
    json_t *item;
    int rc = 0;

    json_object_foreach(new, key, item) {
        const json_t *before = json_object_get(old, key);
        struct difference f = { object_id, str_c(key), source, before ? "changed" : "appeared", before, item };

        if (rc == 0 && !(before && item_same(before, item, false)))
            rc = change_recorded(c, &f, version);
    }
    json_object_foreach(old, key, item) {
        struct difference f = { object_id, str_c(key), source, "missing", item, NULL };

        if (rc == 0 && !json_object_get(new, key))
            rc = change_recorded(c, &f, version);
    }
    return rc;
}

static int items_insert(struct call *c, int64_t id, const json_t *items, json_t *by_key)
{
    json_t *item;
    size_t i;
    int rc = 0;

    json_array_foreach((json_t *)(uintptr_t)items, i, item) {
        char prefix[32], inner[DESK_FIELD_MAX] = "";

        snprintf(prefix, sizeof prefix, "items.%zu", i);
        rc = item_check(item, false, prefix, inner, c->e);
        if (rc < 0) {
            c->r->code = "bad_request";
            snprintf(c->r->field, sizeof c->r->field, "%s", inner);
            return rc;
        }
        struct str key = item_key(&c->a, item);
        AUTO_FREE char *text = json_dumps(item, JSON_COMPACT | JSON_SORT_KEYS);

        if (!key.p || !text)
            return err_set(c->e, -ENOMEM, "out of memory");
        rc = db_exec(c->d, c->e, "INSERT INTO passport_item(passport_id, position, kind, key, json) VALUES (?,?,?,?,?)", "iittz", id, (int64_t)i,
                     json_get_str(item, "kind"), key, text);
        if (rc == -EEXIST)
            return refuse(c, -EINVAL, "bad_request", prefix, "\"%.*s\" stands in the passport twice", STR_ARG(key));
        if (rc < 0)
            return rc;
        json_object_setn(by_key, key.p, key.n, item);
    }
    return 0;
}

int passport_write(struct call *c, const struct passport_new *p, int64_t *version)
{
    json_t *old = NULL, *new = json_object();
    int64_t before = 0, id = 0;
    bool system = !c->v || !c->v->user_id;
    char target[ID_MAX + 20];
    int rc = passport_newest(c, p->object_id, &before, version);

    ++*version;
    if (rc == 0 && (!json_is_array(p->items) || json_array_size(p->items) > PASSPORT_ITEMS_MAX))
        rc = refuse(c, -EINVAL, "bad_request", "items", "a passport holds a list of at most %d items", PASSPORT_ITEMS_MAX);
    if (rc == 0)
        rc = db_exec(c->d, c->e,
                     "INSERT INTO passport(object_id, version, source, tested_kind, reference, received_on, note, item_count, created_at, author_id)"
                     " VALUES (?,?,?,?,?,?,?,?,?,?)",
                     "titttttiim", p->object_id, *version, p->source, p->tested_kind, p->reference, p->received_on, p->note,
                     (int64_t)json_array_size(p->items), c->now, system ? (time_ns)0 : (time_ns)c->v->user_id);
    id = sqlite3_last_insert_rowid(c->d->db);
    if (rc >= 0)
        rc = items_insert(c, id, p->items, new);
    /* What was accepted stands in the rows that were accepted. */
    bool record = before && !str_eq(p->source, STR("observation"));
    if (rc >= 0 && record)
        rc = items_load(c, before, &old);
    if (rc >= 0 && record)
        rc = differences(c, p->object_id, old, new, p->source, *version);
    json_decref(old);
    json_decref(new);
    if (rc < 0)
        return rc;
    snprintf(target, sizeof target, "object/%.*s", (int)min_size(p->object_id.n, ID_MAX), p->object_id.p);
    return audit_add(c, "passport.create", target, arena_printf(&c->a, "version %lld, %.*s", (long long)*version, STR_ARG(p->source)), "ok");
}

/* --- reading --- */

#define PASSPORT_COLUMNS                                                                                                                   \
    "p.version, p.source, p.tested_kind, p.reference, p.received_on, p.note, p.item_count, p.created_at, p.author_id, u.name, p.id"

static json_t *passport_json(sqlite3_stmt *st)
{
    json_t *author = sqlite3_column_type(st, 8) == SQLITE_NULL ? json_null() : json_pack("{s:o, s:o}", "id", db_json_id(st, 8), "name", db_json(st, 9));

    return json_pack("{s:I, s:o, s:o, s:o, s:o, s:o, s:I, s:o, s:o}", "version", (json_int_t)sqlite3_column_int64(st, 0), "source", db_json(st, 1),
                     "tested_kind", db_json(st, 2), "reference", db_json(st, 3), "received_on", db_json(st, 4), "note", db_json(st, 5), "item_count",
                     (json_int_t)sqlite3_column_int64(st, 6), "created_at", db_json_time(st, 7), "author", author);
}

static int passports_page(struct call *c, struct str object, int limit, struct str before)
{
    json_t *items = json_array();
    int64_t last = before.n ? parse_id(before) : INT64_MAX;
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT " PASSPORT_COLUMNS " FROM passport p LEFT JOIN user u ON u.id = p.author_id WHERE p.object_id = ?1"
                                " AND p.version < ?2 ORDER BY p.version DESC LIMIT ?3",
                                "tii", object, last, (int64_t)limit + 1);
    int rc = st ? 0 : -EIO;
    bool more = false;

    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        if (json_array_size(items) == (size_t)limit) {
            more = true;
            db_done(st);
            break;
        }
        last = sqlite3_column_int64(st, 0);
        json_array_append_new(items, passport_json(st));
    }
    c->r->json = json_pack("{s:o, s:o}", "items", items, "next", more ? json_id(last) : json_null());
    return rc < 0 ? rc : 0;
}

int desk_passports(struct desk *d, const struct viewer *v, struct str object, int limit, struct str before, struct desk_reply *r)
{
    struct call c;
    int rc;

    desk_call_init(&c, d, v, 0, r);
    rc = object_reached(&c, object, NULL);
    if (rc == 0)
        rc = passports_page(&c, object, page_limit(limit), before);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

static int passport_read(struct call *c, struct str object, int64_t version)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT " PASSPORT_COLUMNS " FROM passport p LEFT JOIN user u ON u.id = p.author_id WHERE p.object_id = ?1"
                                " AND p.version = ?2",
                                "ti", object, version);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;
    json_t *items = json_array();
    int64_t id = 0;

    if (rc == 0)
        rc = refuse(c, -ENOENT, "not_found", NULL, "no such version of the passport");
    else if (rc > 0) {
        c->r->json = passport_json(st);
        id = sqlite3_column_int64(st, 10);
        db_done(st);
        st = db_query(c->d, c->e, "SELECT json FROM passport_item WHERE passport_id = ? ORDER BY position", "i", id);
        rc = st ? 0 : -EIO;
    }
    while (rc >= 0 && st && (rc = db_step(c->d, st, c->e)) > 0) {
        struct str text = db_str(st, 0);

        json_array_append_new(items, json_loadb(text.p, text.n, 0, NULL));
    }
    if (rc == 0)
        json_object_set(c->r->json, "items", items);
    json_decref(items);
    return rc;
}

int desk_passport(struct desk *d, const struct viewer *v, struct str object, struct str version, time_ns now, struct desk_reply *r)
{
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = object_reached(&c, object, NULL);
    if (rc == 0)
        rc = passport_read(&c, object, parse_id(version));
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

/* --- files of diagrams and structures --- */

/* file_known - is it a file of an item of the object's passports? */
static int file_known(struct call *c, struct str object, struct str sha256, struct str *name)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT i.json ->> '$.file_name' FROM passport p JOIN passport_item i ON i.passport_id = p.id WHERE p.object_id = ?1"
                                " AND i.kind IN ('diagram','database') AND i.json ->> '$.sha256' = ?2 ORDER BY p.version DESC LIMIT 1", "tt", object, sha256);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    if (rc > 0) {
        *name = db_copy(st, 0, &c->a);
        db_done(st);
    }
    return rc;
}

/* files_take - uploads of the items become files; a file named by its sum alone must be of an earlier version, or anybody could ask for any. */
static int files_take(struct call *c, struct str object, json_t *items)
{
    json_t *item;
    size_t i;

    json_array_foreach(items, i, item) {
        struct str upload = json_get_str(item, "upload_id"), sum = json_get_str(item, "sha256"), name;
        char field[64];
        struct blob b;
        int rc;

        snprintf(field, sizeof field, "items.%zu.%s", i, upload.p ? "upload_id" : "sha256");
        if (upload.n) {
            rc = blob_take(c, upload, arena_copy(&c->a, str_c(field)).p, &b);
            if (rc < 0)
                return rc;
            json_object_set_new(item, "sha256", json_string(b.sha256));
            json_object_set_new(item, "file_name", json_string(b.name));
        } else if (sum.n) {
            rc = file_known(c, object, sum, &name);
            if (rc <= 0)
                return rc < 0 ? rc : refuse(c, -EINVAL, "bad_request", field, "no version of this passport has such a file");
            json_object_set_new(item, "file_name", json_str(name));
        }
        json_object_del(item, "upload_id");
    }
    return 0;
}

int desk_passport_file(struct desk *d, const struct viewer *v, struct str object, struct str sha256, time_ns now, int *fd, struct desk_reply *r)
{
    struct str name;
    struct blob b;
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = object_reached(&c, object, NULL);
    if (rc == 0)
        rc = file_known(&c, object, sha256, &name);
    if (rc == 0)
        rc = refuse(&c, -ENOENT, "not_found", NULL, "no such file");
    else if (rc > 0) {
        rc = audit_read(&c, "document.read", arena_printf(&c.a, "object/%.*s", STR_ARG(object)).p, sha256);
        if (rc == 0)
            rc = blob_open(&c, arena_copy(&c.a, sha256).p, fd, &b);
        if (rc == 0)
            r->json = json_pack("{s:o, s:s, s:I}", "name", json_str(name.p ? name : sha256), "type", b.type, "size_bytes", (json_int_t)b.size_bytes);
    }
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

/* --- the act --- */

static int passport_create(struct call *c, struct str object, const json_t *body)
{
    struct passport_new p = { object, json_get_str(body, "source"), json_get_str(body, "tested_kind"), json_get_str(body, "reference"),
                              json_get_str(body, "received_on"), json_get_str(body, "note"), json_object_get(body, "items") };
    bool testing = str_eq(p.source, STR("conformity_testing"));
    int64_t version = 0;
    int rc = object_reached(c, object, NULL);

    if (rc == 0)
        rc = object_capacity(c, object);
    if (rc == 0 && role_of_owner(c->v->role) && !str_eq(p.source, STR("owner")))
        rc = refuse(c, -EACCES, "forbidden", "source", "an owner sends the owner's own data");
    if (rc == 0 && testing != (p.tested_kind.p != NULL))
        rc = refuse(c, -EINVAL, "bad_request", "tested_kind", "data of conformity testing say which of the four kinds was tested, other data do not");
    if (rc == 0 && p.received_on.n && str_cmp(p.received_on, today_of(c)) > 0)
        rc = refuse(c, -EINVAL, "bad_request", "received_on", "data cannot have come on a day that is still to come");
    json_t *items = json_deep_copy(p.items);
    if (rc == 0)
        rc = files_take(c, object, items);
    p.items = items;
    if (rc == 0)
        rc = passport_write(c, &p, &version);
    json_decref(items);
    return rc < 0 ? rc : passport_read(c, object, version);
}

/* members_check - body_check knows no lists of items: the rest of the body is checked without them. */
static int members_check(const json_t *body, char field[DESK_FIELD_MAX], struct err *e)
{
    json_t *rest = json_is_object(body) ? json_copy((json_t *)(uintptr_t)body) : NULL;
    int rc;

    if (rest)
        json_object_del(rest, "items");
    rc = body_check(rest, passport_fields, COUNT(passport_fields), field, e);
    json_decref(rest);
    return rc;
}

int desk_passport_create(struct desk *d, const struct viewer *v, struct str object, const json_t *body, time_ns now, struct desk_reply *r)
{
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = members_check(body, r->field, c.e);
    if (rc == 0)
        rc = db_begin(d, c.e);
    if (rc == 0)
        rc = db_end(d, passport_create(&c, object, body), c.e);
    if (rc == -EACCES)
        audit_refusal(&c, "passport.create", arena_printf(&c.a, "object/%.*s", STR_ARG(object)).p);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}
