/* record.c - one value, its versions and what differs between them: the same for every kind of record.
 *
 * record holds the newest version, record_version each of them whole, record_change each difference. The value of any moment is one row of
 * record_version; nothing is replayed. */
#include "desk/registry/room.h"

/* root - under what the history of a record is shown: a component stands under its object. */
static struct str root_of(struct call *c, const char *kind, struct str id, struct str parent)
{
    return parent.n ? parent : arena_printf(&c->a, "%s/%.*s", kind, STR_ARG(id));
}

bool parent_split(struct str parent, struct str *kind, struct str *id)
{
    ptrdiff_t slash = str_chr(parent, '/');

    *kind = slash > 0 ? str_of(parent.p, (size_t)slash) : STR("");
    *id = slash > 0 ? str_cut(parent, (size_t)slash + 1) : STR("");
    return id->n > 0 && id->n <= ID_MAX;
}

struct str today_of(struct call *c)
{
    char day[16];

    local_date(c->d, c->now, day);
    return arena_copy(&c->a, str_c(day));
}

static int record_fill(struct call *c, sqlite3_stmt *st, struct record *out)
{
    struct str json = db_str(st, 2);

    out->version = sqlite3_column_int64(st, 0);
    out->parent = db_copy(st, 1, &c->a);
    out->updated_at = sqlite3_column_int64(st, 3);
    out->updated_by = db_copy(st, 4, &c->a);
    out->removed = sqlite3_column_int(st, 5) != 0;
    out->value = json.n ? json_loadb(json.p, json.n, 0, NULL) : json_object();
    db_done(st);
    return out->value ? 0 : err_set(c->e, -EIO, "record %s \"%.*s\" is no JSON", record_kind_name(out->kind), STR_ARG(out->id));
}

int record_read(struct call *c, enum record_kind k, struct str id, time_ns as_of, struct record *out)
{
    const char *kind = record_kind_name(k);
    sqlite3_stmt *st;
    int rc;

    *out = (struct record){ .kind = k, .id = arena_copy(&c->a, id) };
    if (as_of)
        st = db_query(c->d, c->e,
                      "SELECT v.version, r.parent, v.json, v.at, v.author, v.json IS NULL FROM record_version v JOIN record r ON r.kind = v.kind"
                      " AND r.id = v.id WHERE v.kind = ?1 AND v.id = ?2 AND v.at <= ?3 ORDER BY v.version DESC LIMIT 1",
                      "zti", kind, id, (int64_t)as_of);
    else
        st = db_query(c->d, c->e, "SELECT version, parent, json, updated_at, updated_by, removed FROM record WHERE kind = ?1 AND id = ?2", "zt", kind,
                      id);
    rc = st ? db_step(c->d, st, c->e) : -EIO;
    if (rc > 0)
        return record_fill(c, st, out);
    return rc < 0 ? rc : refuse(c, -ENOENT, "not_found", NULL, "no such %s", kind);
}

void record_done(struct record *r)
{
    json_decref(r->value);
    r->value = NULL;
}

json_t *record_diff(const json_t *from, const json_t *to)
{
    json_t *out = json_array(), *v, *was;
    const char *key;

    json_object_foreach((json_t *)(uintptr_t)to, key, v) {
        was = json_object_get(from, key);
        if (!(was ? json_equal(was, v) : json_is_null(v)))
            json_array_append_new(out, json_pack("{s:s, s:O?, s:O}", "field", key, "from", was, "to", v));
    }
    json_object_foreach((json_t *)(uintptr_t)from, key, was)
        if (!json_object_get(to, key) && !json_is_null(was))
            json_array_append_new(out, json_pack("{s:s, s:O, s:n}", "field", key, "from", was, "to"));
    return out;
}

/* text_of - JSON of a value in the arena; {NULL,0} for none. */
static struct str text_of(struct call *c, const json_t *v)
{
    AUTO_FREE char *text = v ? json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;

    return text ? arena_copy(&c->a, str_c(text)) : (struct str){ NULL, 0 };
}

static int changes_write(struct call *c, int64_t seq, const json_t *changes)
{
    json_t *one;
    size_t i;
    int rc = 0;

    json_array_foreach((json_t *)(uintptr_t)changes, i, one) {
        if (rc < 0)
            break;
        rc = db_exec(c->d, c->e, "INSERT INTO record_change(seq, field, was, became) VALUES (?,?,?,?)", "iztt", seq,
                     json_string_value(json_object_get(one, "field")), text_of(c, json_object_get(one, "from")),
                     text_of(c, json_object_get(one, "to")));
    }
    return rc < 0 ? rc : 0;
}

static int version_add(struct call *c, const char *kind, struct str id, int64_t version, struct str root, const char *origin, struct str reason,
                       struct str json, const json_t *changes)
{
    int rc = db_exec(c->d, c->e,
                     "INSERT INTO record_version(kind, id, version, root, at, author_id, author, origin, reason, json) VALUES (?,?,?,?,?,?,?,?,?,?)",
                     "ztitimzztt", kind, id, version, root, c->now, c->v ? c->v->user_id : 0, c->v ? c->v->login : "", origin,
                     reason.p ? reason : STR(""), json);

    return rc < 0 ? rc : changes_write(c, sqlite3_last_insert_rowid(c->d->db), changes);
}

static void words_add(struct buf *b, const json_t *v)
{
    if (json_is_string(v)) {
        buf_str(b, str_of(json_string_value(v), json_string_length(v)));
        buf_byte(b, ' ');
    }
}

/* words_of - what full-text search looks into: the texts of a value, folded. Lists hold texts or flat objects. */
static struct str words_of(struct call *c, struct str id, const json_t *value)
{
    AUTO_BUF struct buf b = { 0 };
    const char *key, *inner;
    json_t *v, *item, *part;
    size_t i;

    buf_init(&b, REGISTRY_RECORD_MAX);
    buf_str(&b, id);
    buf_byte(&b, ' ');
    json_object_foreach((json_t *)(uintptr_t)value, key, v) {
        words_add(&b, v);
        json_array_foreach(v, i, item) {
            words_add(&b, item);
            json_object_foreach(item, inner, part)
                words_add(&b, part);
        }
    }
    return fold_text(buf_view(&b), &c->a);
}

/* sort_of - by what lists are ordered: the name, or the order of a contact. */
static struct str sort_of(struct call *c, enum record_kind k, const json_t *value)
{
    if (k == RECORD_CONTACT)
        return arena_printf(&c->a, "%06lld", (long long)json_integer_value(json_object_get(value, "order")));
    return fold_text(json_get_str(value, k == RECORD_CONTRACT ? "number" : "name"), &c->a);
}

static int words_write(struct call *c, int64_t rid, enum record_kind k, struct str id, const json_t *value)
{
    int rc = db_exec(c->d, c->e, "DELETE FROM registry_fts WHERE rowid = ?", "i", rid);

    if (rc >= 0 && value && k != RECORD_CONTACT)
        rc = db_exec(c->d, c->e, "INSERT INTO registry_fts(rowid, text) VALUES (?,?)", "it", rid, words_of(c, id, value));
    return rc < 0 ? rc : 0;
}

static int search_write(struct call *c, enum record_kind k, struct str id, const json_t *value, bool later)
{
    int64_t rid = 0;
    int rc = db_int(c->d, c->e, 0, &rid, "SELECT rid FROM record WHERE kind = ?1 AND id = ?2", "zt", record_kind_name(k), id);

    if (rc == 0 && later)
        return db_exec(c->d, c->e, "INSERT OR IGNORE INTO search_waiting(rid) VALUES (?)", "i", rid);
    return rc < 0 ? rc : words_write(c, rid, k, id, value);
}

/* search_one - the words of one record that waits. 0 if none does. */
static int search_one(struct call *c)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT w.rid, r.kind, r.id, CASE WHEN r.removed THEN NULL ELSE r.json END FROM search_waiting w JOIN record r ON"
                                            " r.rid = w.rid ORDER BY w.rid LIMIT 1", "");
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    if (rc <= 0)
        return rc;
    const int64_t rid = sqlite3_column_int64(st, 0);
    const enum record_kind kind = record_kind_parse(db_str(st, 1));
    struct str id = db_copy(st, 2, &c->a), text = db_str(st, 3);
    json_t *value = text.n ? json_loadb(text.p, text.n, 0, NULL) : NULL;
    db_done(st);
    rc = words_write(c, rid, kind, id, value);
    json_decref(value);
    if (rc >= 0)
        rc = db_exec(c->d, c->e, "DELETE FROM search_waiting WHERE rid = ?", "i", rid);
    return rc < 0 ? rc : 1;
}

static int search_some(struct call *c, int most)
{
    int done = 0, rc = 1;

    while (rc > 0 && done < most) {
        rc = search_one(c);
        done += rc > 0;
        arena_reset(&c->a);
    }
    return rc < 0 ? rc : done;
}

int records_search(struct call *c, int most)
{
    int64_t some = 0;
    int rc = db_int(c->d, c->e, 0, &some, "SELECT EXISTS (SELECT 1 FROM search_waiting)", "");

    if (rc < 0 || !some)
        return rc;
    rc = db_begin(c->d, c->e);
    return rc < 0 ? rc : db_end(c->d, search_some(c, most), c->e);
}

static int record_store(struct call *c, const struct record_write *w, struct str id, int64_t version, const json_t *value, struct str json)
{
    struct str kind, object = { NULL, 0 };

    if (json.n > REGISTRY_RECORD_MAX)
        return refuse(c, -EINVAL, "bad_request", w->field, "the record is larger than %u bytes", REGISTRY_RECORD_MAX);
    if (w->kind == RECORD_OBJECT)
        object = id;
    else if (w->parent.n && parent_split(w->parent, &kind, &object) && !str_eq(kind, STR("object")))
        object = (struct str){ NULL, 0 };
    return db_exec(c->d, c->e,
                   "INSERT INTO record(kind, id, parent, object_id, sort, version, json, created_at, updated_at, updated_by)"
                   " VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?8,?9) ON CONFLICT(kind, id) DO UPDATE SET sort = ?5, version = ?6, json = ?7, removed = 0,"
                   " updated_at = ?8, updated_by = ?9",
                   "zttttitiz", record_kind_name(w->kind), id, w->parent, object, sort_of(c, w->kind, value), version, json, c->now,
                   c->v ? c->v->login : "");
}

static const struct { const char *counter, *create, *update, *remove; } words[] = {
    [RECORD_ORGANISATION] = { "org", "organisation.create", "organisation.update", NULL },
    [RECORD_PERSON] = { "person", "person.create", "person.update", NULL },
    [RECORD_OBJECT] = { "object", "object.create", "object.update", NULL },
    [RECORD_COMPONENT] = { "component", "component.create", "component.update", "component.remove" },
    [RECORD_CONTACT] = { "contact", "contact.create", "contact.update", "contact.remove" },
    [RECORD_CONTRACT] = { "contract", "contract.create", "contract.update", NULL },
};

/* fields_named - "name, city, …" of the differences: the detail of the audit row. */
static struct str fields_named(struct call *c, struct str name, struct str reason, const json_t *changes)
{
    AUTO_BUF struct buf b = { 0 };
    json_t *one;
    size_t i;

    buf_init(&b, 64 * KIB);
    buf_str(&b, name);
    json_array_foreach((json_t *)(uintptr_t)changes, i, one)
        buf_printf(&b, "%s%s", i ? ", " : name.n ? ": " : "", json_string_value(json_object_get(one, "field")));
    if (reason.n)
        buf_printf(&b, " (%.*s)", STR_ARG(reason));
    return arena_copy(&c->a, buf_view(&b));
}

/* put_new - everything of one version, in the transaction of the act. */
static int put_new(struct call *c, const struct record_write *w, struct str id, const struct record *old, const json_t *value, const json_t *changes)
{
    struct stored s = { w->kind, id.p, w->parent.n ? w->parent.p : NULL, w->field ? w->field : "", value, old->version == 0 };
    const char *kind = record_kind_name(w->kind);
    struct str target = arena_printf(&c->a, "%s/%.*s", kind, STR_ARG(id)), json = text_of(c, value);
    int rc = columns_write(c, &s);

    if (rc >= 0)
        rc = record_store(c, w, id, old->version + 1, value, json);
    if (rc >= 0)
        rc = version_add(c, kind, id, old->version + 1, root_of(c, kind, id, w->parent), w->origin ? w->origin : "system", w->reason,
                         json, changes);
    if (rc >= 0)
        rc = search_write(c, w->kind, id, value, w->search_later);
    if (rc >= 0)
        rc = audit_add(c, old->version ? words[w->kind].update : words[w->kind].create, target.p,
                       old->version ? fields_named(c, json_get_str(value, "name"), w->reason, changes) : json_get_str(value, "name"), "ok");
    return rc < 0 ? rc : 1;
}

int record_check(struct call *c, const struct record_write *w)
{
    const char *prefix = w->field ? w->field : "";
    int rc = value_check(c, w->kind, prefix, w->value);

    if (rc == 0 && (w->kind == RECORD_COMPONENT || w->kind == RECORD_CONTACT) && !w->id.n && !w->parent.n)
        rc = refuse(c, -EINVAL, "bad_request", "parent", "a %s belongs to something", record_kind_name(w->kind));
    if (rc == 0 && w->kind == RECORD_OBJECT)
        rc = exclusion_check(c, w->id, prefix, w->value);
    return rc;
}

static int record_id(struct call *c, const struct record_write *w, struct str *id)
{
    int64_t n = 0;
    int rc;

    if (w->id.n > ID_MAX)
        return refuse(c, -ENOENT, "not_found", NULL, "no such record");
    if (w->id.n) {
        *id = arena_copy(&c->a, w->id);
        return 0;
    }
    rc = counter_next(c->d, words[w->kind].counter, &n, c->e);
    *id = arena_printf(&c->a, "%s-%lld", words[w->kind].counter, (long long)n);
    return rc;
}

int record_put(struct call *c, const struct record_write *given, char id_out[ID_MAX + 1])
{
    struct record_write w = *given;
    struct record old = { 0 };
    json_t *value = NULL, *before = NULL, *changes = NULL;
    struct str id;
    int rc = record_check(c, &w);

    if (rc == 0)
        rc = record_id(c, &w, &id);
    if (rc == 0 && w.id.n) {
        rc = record_read(c, w.kind, id, 0, &old);
        if (rc == -ENOENT && w.version == 0) {      /* a new one whose id was chosen: the demonstration, an import, a peer */
            c->r->code = NULL;
            rc = 0;
        }
        w.parent = old.version ? old.parent : w.parent;
    }
    if (rc == 0 && old.version && w.version && w.version != old.version)
        rc = refuse(c, -EEXIST, "stale", "version", "version %lld was read, %lld is the newest: look at it and change again", (long long)w.version,
                    (long long)old.version);
    if (rc == 0) {
        if (w.parent.n)
            w.parent = arena_copy(&c->a, w.parent);
        value = value_whole(w.kind, w.value);
        before = old.value && !old.removed ? value_whole(w.kind, old.value) : NULL;
        changes = record_diff(before, value);
        rc = before && json_array_size(changes) == 0 ? 0 : put_new(c, &w, id, &old, value, changes);
        if (id_out)
            snprintf(id_out, ID_MAX + 1, "%.*s", STR_ARG(id));
    }
    json_decref(value);
    json_decref(before);
    json_decref(changes);
    record_done(&old);
    return rc;
}

int record_remove(struct call *c, enum record_kind k, struct str id, int64_t version, struct str reason, const char *origin)
{
    const char *kind = record_kind_name(k);
    struct record old;
    int rc = record_read(c, k, id, 0, &old);

    if (rc < 0)
        return rc;
    if (!words[k].remove || old.removed)
        rc = refuse(c, old.removed ? -ENOENT : -EPROTO, old.removed ? "not_found" : "wrong_state", NULL, "a %s is not removed", kind);
    else if (version && version != old.version)
        rc = refuse(c, -EEXIST, "stale", "version", "version %lld was read, %lld is the newest", (long long)version, (long long)old.version);
    if (rc == 0) {
        struct stored s = { k, old.id.p, old.parent.p, "", NULL, false };
        struct str target = arena_printf(&c->a, "%s/%.*s", kind, STR_ARG(old.id));
        json_t *empty = json_object(), *changes = record_diff(old.value, empty);

        rc = columns_write(c, &s);
        if (rc >= 0)
            rc = db_exec(c->d, c->e, "UPDATE record SET removed = 1, version = version + 1, updated_at = ?3, updated_by = ?4 WHERE kind = ?1 AND id = ?2",
                         "ztiz", kind, old.id, c->now, c->v ? c->v->login : "");
        if (rc >= 0)
            rc = version_add(c, kind, old.id, old.version + 1, root_of(c, kind, old.id, old.parent), origin ? origin : "system", reason,
                             (struct str){ NULL, 0 }, changes);
        if (rc >= 0)
            rc = search_write(c, k, old.id, NULL, false);
        if (rc >= 0)
            rc = audit_add(c, words[k].remove, target.p, fields_named(c, json_get_str(old.value, "name"), reason, empty), "ok");
        json_decref(empty);
        json_decref(changes);
    }
    record_done(&old);
    return rc < 0 ? rc : 0;
}

int record_children(struct call *c, enum record_kind k, struct str parent, time_ns as_of, json_t **out)
{
    const char *kind = record_kind_name(k);
    sqlite3_stmt *st;
    int rc;

    *out = json_array();
    if (as_of)
        st = db_query(c->d, c->e,
                      "SELECT v.id, v.version, v.json FROM record_version v WHERE v.root = ?1 AND v.kind = ?2 AND v.json IS NOT NULL AND v.version ="
                      " (SELECT max(w.version) FROM record_version w WHERE w.kind = v.kind AND w.id = v.id AND w.at <= ?3) ORDER BY v.id",
                      "tzi", parent, kind, (int64_t)as_of);
    else
        st = db_query(c->d, c->e, "SELECT id, version, json FROM record WHERE parent = ?1 AND kind = ?2 AND removed = 0 ORDER BY sort, id", "tz", parent,
                      kind);
    rc = st ? 0 : -EIO;
    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        struct str json = db_str(st, 2);

        json_array_append_new(*out, json_pack("{s:o, s:I, s:o}", "id", db_json(st, 0), "version", (json_int_t)sqlite3_column_int64(st, 1), "value",
                                              json_loadb(json.p, json.n, 0, NULL)));
    }
    if (rc < 0) {
        json_decref(*out);
        *out = NULL;
    }
    return rc;
}
