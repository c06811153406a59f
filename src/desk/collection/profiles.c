/* profiles.c - profiles of sources: rows of the desk, and the file that the collector reads (ingest/told.h).
 *
 * The first profile of the file that matches a sender counts, so the order is part of what a profile means. People would have to sort; instead the
 * narrowest comes first: a whole host name, a pattern of host names, then the longest network, then a listener alone. */
#include "desk/collection/collection.h"
#include "desk/internal.h"
#include "base/file.h"
#include "base/log.h"
#include "ingest/told.h"
#include "parse/encoding.h"

#define COLUMNS                                                                                                                               \
    "p.id, p.name, p.address, p.host, p.listener, p.zone, p.encoding, p.class, p.parser, p.object_id, o.name, p.note, p.version, p.changed_at," \
    " u.id, u.name"
#define TABLES " FROM source_profile p LEFT JOIN object o ON o.id = p.object_id LEFT JOIN user u ON u.id = p.changed_by "

/* All of a profile; empty texts are "not said". */
static const struct body_field fields[] = {
    { "version", BODY_COUNT, false, true, 0, 0, NULL },          { "name", BODY_STRING, true, false, 1, 100, NULL },
    { "address", BODY_STRING, true, true, 0, 64, NULL },         { "host", BODY_STRING, true, true, 0, 255, NULL },
    { "listener", BODY_STRING, true, true, 0, LISTEN_ID_MAX, NULL }, { "zone", BODY_STRING, true, true, 0, 6, NULL },
    { "encoding", BODY_STRING, true, true, 0, 32, NULL },        { "class", BODY_STRING, true, true, 0, 16, NULL },
    { "parser", BODY_STRING, true, true, 0, 64, NULL },          { "object_id", BODY_STRING, true, true, 0, 64, NULL },
    { "note", BODY_TEXT, false, true, 0, 1000, NULL },
};

static struct str text(const json_t *body, const char *key)
{
    struct str s = str_trim(json_get_str(body, key));

    return s.p ? s : STR("");
}

/* rank - the narrower, the larger. */
static int64_t rank_of(const json_t *body)
{
    struct str host = text(body, "host"), net = text(body, "address"), address;
    uint64_t bits = 0;
    int64_t rank = text(body, "listener").n ? 1 : 0;

    if (host.n)
        rank += str_chr(host, '*') < 0 ? 1000000 : 500000 + (int64_t)host.n * 1000;
    if (net.n && str_split(&net, '/', &address)) {
        bool six = str_chr(address, ':') >= 0;

        if (!net.p || !str_u64(net, &bits))
            bits = six ? 128 : 32;
        rank += 2 * ((int64_t)bits + (six ? 0 : 96) + 1);
    }
    return rank;
}

/* judge - what the collector would refuse, with the property's name; told_read sees the whole file again later. */
static int judge(struct call *c, const json_t *body)
{
    struct str zone = text(body, "zone"), encoding = text(body, "encoding"), class = text(body, "class"), address = text(body, "address");
    struct str host = text(body, "host");
    ptrdiff_t star = str_chr(host, '*');
    int32_t minutes;

    if (!address.n && !host.n && !text(body, "listener").n)
        return refuse(c, -EINVAL, "bad_request", "host", "a profile says for whom it is: an address, a host or a listener");
    if (!zone.n && !encoding.n && !class.n && !text(body, "parser").n && !text(body, "object_id").n)
        return refuse(c, -EINVAL, "bad_request", "zone", "a profile says something: a zone, an encoding, a class, a parser or an object");
    if (address.n && !profile_address_valid(address))
        return refuse(c, -EINVAL, "bad_request", "address", "no address or network, as 10.0.0.7 or 10.0.0.0/8");
    if (star >= 0 && (host.n == 1 || (star > 0 && (size_t)star != host.n - 1) || str_chr(str_cut(host, (size_t)star + 1), '*') >= 0))
        return refuse(c, -EINVAL, "bad_request", "host", "\"*\" stands once, at the beginning or the end of a name");
    if (zone.n && !listen_zone(zone, &minutes))
        return refuse(c, -EINVAL, "bad_request", "zone", "a zone is as +05:00");
    if (encoding.n && (encoding_named(encoding) == ENCODING_COUNT))
        return refuse(c, -EINVAL, "bad_request", "encoding", "unknown encoding");
    if (class.n && event_class_parse(class) == CLASS_NONE)
        return refuse(c, -EINVAL, "bad_request", "class", "unknown class");
    return 0;
}

static json_t *said(struct str s) { return s.n ? json_str(s) : json_null(); }

static json_t *profile_json(sqlite3_stmt *st)
{
    struct str object = db_str(st, 9);

    return json_pack("{s:o,s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:I,s:o,s:o}", "id", db_json_id(st, 0), "origin", "desk", "name", db_json(st, 1),
                     "address", said(db_str(st, 2)), "host", said(db_str(st, 3)), "listener", said(db_str(st, 4)), "zone", said(db_str(st, 5)), "encoding",
                     said(db_str(st, 6)), "class", said(db_str(st, 7)), "parser", said(db_str(st, 8)), "object",
                     object.n ? json_ref(object, db_str(st, 10)) : json_null(), "note", db_json(st, 11), "version",
                     (json_int_t)sqlite3_column_int64(st, 12), "changed_at", db_json_time(st, 13), "changed_by",
                     sqlite3_column_type(st, 14) == SQLITE_NULL ? json_null() : json_pack("{s:o,s:o}", "id", db_json_id(st, 14), "name", db_json(st, 15)));
}

static json_t *own(const char *s) { return s && *s ? json_str(str_c(s)) : json_null(); }

/* file_json - one of saqshyd.yaml: shown, and changed there. */
static json_t *file_json(const struct source_profile *p)
{
    return json_pack("{s:o,s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:n,s:i,s:n,s:n}", "id", json_sprintf("file-%.120s", p->name ? p->name : ""), "origin", "file",
                     "name", json_str(str_c(p->name ? p->name : "")), "address", own(p->address), "host", own(p->host), "listener", own(p->listener), "zone",
                     own(p->zone), "encoding", own(p->encoding), "class", own(p->class), "parser", own(p->parser), "object",
                     p->object && *p->object ? json_ref(str_c(p->object), str_c(p->object)) : json_null(), "note", "version", 0, "changed_at", "changed_by");
}

static int may(struct call *c, const char *action, bool change)
{
    int rc = 0;

    if (c->v->role != DESK_ADMINISTRATOR && (change || scope_of(c->v).bounded)) {
        rc = refuse(c, -EACCES, "forbidden", NULL, "profiles of sources are for administrators");
        audit_refusal(c, action, "source_profile");
    }
    return rc;
}

static int list(struct call *c)
{
    const struct listen_table *t = &c->d->setup.node->listen;
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT " COLUMNS TABLES "ORDER BY p.rank DESC, p.id", "");
    json_t *items = json_array();
    int rc = st ? 0 : -EIO;

    while (st && (rc = db_step(c->d, st, c->e)) > 0)
        json_array_append_new(items, profile_json(st));
    for (size_t i = 0; rc == 0 && i < t->profile_count; i++)
        json_array_append_new(items, file_json(&t->profiles[i]));
    c->r->json = json_pack("{s:o,s:n}", "items", items, "next");
    return rc;
}

int desk_source_profiles(struct desk *d, const struct viewer *v, struct desk_reply *r)
{
    struct call c;
    int rc;

    desk_call_init(&c, d, v, 0, r);
    rc = may(&c, "source_profile.read", false);
    if (rc == 0)
        rc = list(&c);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

/* --- the file --- */

static void put(struct buf *b, const char *name, struct str value)
{
    if (!value.n)
        return;
    buf_printf(b, ",\"%s\":", name);
    buf_json(b, value);
}

/* draw - the file's text; read back by the collector's own reader before anybody else does. */
static int draw(struct desk *d, struct buf *b, struct err *e)
{
    static const char *const names[] = { "address", "host", "listener", "zone", "encoding", "class", "parser", "object" };
    sqlite3_stmt *st = db_query(d, e, "SELECT name, address, host, listener, zone, encoding, class, parser, coalesce(object_id, '') FROM source_profile"
                                      " ORDER BY rank DESC, id", "");
    struct profiles *judged = NULL;
    bool first = true;
    int rc = st ? 0 : -EIO;

    buf_byte(b, '[');
    while (st && (rc = db_step(d, st, e)) > 0) {
        buf_str(b, first ? STR("\n{\"name\":") : STR(",\n{\"name\":"));
        buf_json(b, db_str(st, 0));
        for (int i = 0; i < (int)COUNT(names); i++)
            put(b, names[i], db_str(st, i + 1));
        buf_byte(b, '}');
        first = false;
    }
    buf_str(b, STR("\n]\n"));
    if (rc < 0)
        return rc;
    if (buf_failed(b) || b->n > TOLD_BYTES_MAX)
        return err_set(e, -E2BIG, "there are too many profiles of sources");
    rc = told_read(buf_view(b), &judged, e);
    profiles_free(&judged);
    return rc;
}

static int write_file(struct desk *d, struct err *e)
{
    AUTO_BUF struct buf b = { 0 };
    char path[4096];
    int rc;

    buf_init(&b, 2 * TOLD_BYTES_MAX);
    rc = draw(d, &b, e);
    if (rc == 0)
        rc = file_mkdirs(node_path(d->setup.node, "run", path), 0750, e);
    return rc < 0 ? rc : file_write_atomic(node_path(d->setup.node, "run/profiles.json", path), buf_view(&b), 0640, e);
}

int desk_source_profiles_export(struct desk *d, struct err *e)
{
    int rc = db_begin(d, e);   /* the lock of writers: an older picture never comes after a newer one */

    return rc < 0 ? rc : db_end(d, write_file(d, e), e);
}

/* --- acts --- */

/* row_of - one profile; NULL json when there is none. */
static int row_of(struct call *c, int64_t id, json_t **out)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT " COLUMNS TABLES "WHERE p.id = ?", "i", id);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    *out = NULL;
    if (rc > 0) {
        *out = profile_json(st);
        db_done(st);
    }
    return rc < 0 ? rc : 0;
}

/* told - what changed, for the audit trail: what stood before and what stands now. */
static int audit(struct call *c, const char *action, int64_t id, const json_t *before, const json_t *after)
{
    json_t *both = json_pack("{s:O?,s:O?}", "before", before, "after", after);
    AUTO_FREE char *words = json_dumps(both, JSON_COMPACT);
    char target[64];

    json_decref(both);
    change_add(c->d, "source", STR("profile"));
    snprintf(target, sizeof target, "source_profile/%lld", (long long)id);
    return audit_add(c, action, target, str_c(words ? words : ""), "ok");
}

static int object_known(struct call *c, struct str object)
{
    int64_t there = 0;
    int rc = object.n ? db_int(c->d, c->e, 0, &there, "SELECT 1 FROM object WHERE id = ?", "t", object) : 0;

    return rc == 0 && object.n && !there ? refuse(c, -EINVAL, "bad_request", "object_id", "there is no such object") : rc;
}

static int save(struct call *c, int64_t *id, const json_t *body)
{
    struct str object = text(body, "object_id"), note = text(body, "note"), none = { NULL, 0 };
    int rc;

    if (*id == 0) {
        rc = db_int(c->d, c->e, 0, id,
                    "INSERT INTO source_profile(name, address, host, listener, zone, encoding, class, parser, object_id, note, rank, version, changed_at,"
                    " changed_by) VALUES (?,?,?,?,?,?,?,?,?,?,?,1,?,?) RETURNING id",
                    "ttttttttttiii", text(body, "name"), text(body, "address"), text(body, "host"), text(body, "listener"), text(body, "zone"),
                    text(body, "encoding"), text(body, "class"), text(body, "parser"), object.n ? object : none, note.n ? note : none, rank_of(body),
                    c->now, c->v->user_id);
    } else {
        rc = db_exec(c->d, c->e,
                     "UPDATE source_profile SET name = ?, address = ?, host = ?, listener = ?, zone = ?, encoding = ?, class = ?, parser = ?, object_id = ?,"
                     " note = ?, rank = ?, version = version + 1, changed_at = ?, changed_by = ? WHERE id = ? AND version = ?",
                     "ttttttttttiiiii", text(body, "name"), text(body, "address"), text(body, "host"), text(body, "listener"), text(body, "zone"),
                     text(body, "encoding"), text(body, "class"), text(body, "parser"), object.n ? object : none, note.n ? note : none, rank_of(body),
                     c->now, c->v->user_id, *id, (int64_t)json_integer_value(json_object_get(body, "version")));
        if (rc == 0)
            return refuse(c, -EEXIST, "conflict", "version", "somebody else has changed this profile meanwhile");
    }
    if (rc == -EEXIST)
        return refuse(c, -EEXIST, "conflict", "name", "there is a profile of this name, or for just these senders, already");
    return rc < 0 ? rc : 0;
}

static int change(struct call *c, int64_t id, const json_t *body)
{
    AUTO_BUF struct buf drawn = { 0 };
    json_t *before = NULL;
    bool made = id == 0;
    int rc = made ? 0 : row_of(c, id, &before);

    buf_init(&drawn, 2 * TOLD_BYTES_MAX);
    if (rc == 0 && !made && !before)
        rc = refuse(c, -ENOENT, "not_found", NULL, "no such profile");
    if (rc == 0)
        rc = object_known(c, text(body, "object_id"));
    if (rc == 0)
        rc = save(c, &id, body);
    if (rc == 0)
        rc = row_of(c, id, &c->r->json);
    if (rc == 0)
        rc = audit(c, made ? "source_profile.create" : "source_profile.update", id, before, c->r->json);
    if (rc == 0 && (rc = draw(c->d, &drawn, c->e)) == -EBADMSG)
        rc = refuse(c, -EINVAL, "bad_request", NULL, "the collector would refuse it");
    if (rc == -E2BIG)
        rc = refuse(c, -EINVAL, "bad_request", NULL, "there are too many profiles of sources");
    json_decref(before);
    return rc;
}

/* tell - after the commit. */
static int tell(struct call *c)
{
    return desk_source_profiles_export(c->d, c->e) < 0 ? err_wrap(c->e, -EIO, "the change is kept, but the collector could not be told") : 0;
}

static int profile_act(struct desk *d, const struct viewer *v, int64_t id, bool made, const json_t *body, time_ns now, struct desk_reply *r)
{
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = may(&c, made ? "source_profile.create" : "source_profile.update", true);
    if (rc == 0 && !made && id == 0)
        rc = refuse(&c, -ENOENT, "not_found", NULL, "no such profile");
    if (rc == 0)
        rc = body_check(body, fields, COUNT(fields), r->field, c.e);
    if (rc == 0)
        rc = judge(&c, body);
    if (rc == 0)
        rc = db_begin(d, c.e);
    if (rc == 0)
        rc = db_end(d, change(&c, id, body), c.e);
    if (rc == 0)
        rc = tell(&c);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

int desk_source_profile_create(struct desk *d, const struct viewer *v, const json_t *body, time_ns now, struct desk_reply *r)
{
    return profile_act(d, v, 0, true, body, now, r);
}

int desk_source_profile_update(struct desk *d, const struct viewer *v, struct str id, const json_t *body, time_ns now, struct desk_reply *r)
{
    return profile_act(d, v, parse_id(id), false, body, now, r);
}

static int taken_out(struct call *c, int64_t id)
{
    json_t *before = NULL;
    int rc = row_of(c, id, &before);

    if (rc == 0 && !before)
        rc = refuse(c, -ENOENT, "not_found", NULL, "no such profile");
    if (rc == 0)
        rc = db_exec(c->d, c->e, "DELETE FROM source_profile WHERE id = ?", "i", id);
    if (rc >= 0)
        rc = audit(c, "source_profile.remove", id, before, NULL);
    json_decref(before);
    return rc;
}

int desk_source_profile_remove(struct desk *d, const struct viewer *v, struct str id, time_ns now, struct desk_reply *r)
{
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = may(&c, "source_profile.remove", true);
    if (rc == 0)
        rc = db_begin(d, c.e);
    if (rc == 0)
        rc = db_end(d, taken_out(&c, parse_id(id)), c.e);
    if (rc == 0)
        rc = tell(&c);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

/* --- objects --- */

struct str desk_fold(struct str s, struct arena *a) { return fold_text(s, a); }

int desk_collection_objects(struct desk *d, const struct viewer *v, json_t **out, struct err *e)
{
    struct scope scope = scope_of(v);
    json_t *all = json_object();
    sqlite3_stmt *st = db_query(d, e, "SELECT o.id, o.name, g.id, g.name FROM object o JOIN org g ON g.id = o.org_id WHERE " SCOPE_OBJECTS, "iz", scope.bounded,
                                scope.org);
    int rc = st ? 0 : -EIO;

    while (st && (rc = db_step(d, st, e)) > 0) {
        char id[ID_MAX + 1];

        snprintf(id, sizeof id, "%.*s", STR_ARG(db_str(st, 0)));
        json_object_set_new(all, id, json_pack("{s:o,s:o}", "name", db_json(st, 1), "org", json_ref(db_str(st, 2), db_str(st, 3))));
    }
    if (rc < 0)
        json_decref(all);
    else
        *out = all;
    return rc < 0 ? rc : 0;
}
