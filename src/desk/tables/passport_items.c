/* passport_items.c - what a passport holds: hardware and software, diagrams of networks, checksums, structures of databases. */
#include "desk/registry/room.h"
#include "desk/tables/internal.h"

static const char *const algorithm_values[] = { "md5", "sha1", "sha256", "sha384", "sha512", "gost341194", "streebog256", "streebog512", "other", NULL };
static const char *const checksum_of_values[] = { "source", "program", NULL };

/* Annex 1 item 12 and paragraph 7(1): hardware and software with address, purpose, version. */
static const struct body_field thing_fields[] = {
    { "kind", BODY_STRING, true, false, 1, 16, NULL },     { "name", BODY_STRING, true, false, 1, 500, NULL },
    { "host", BODY_STRING, false, true, 0, 255, NULL },    { "address", BODY_STRING, false, true, 0, 64, NULL },
    { "domain", BODY_STRING, false, true, 0, 255, NULL },  { "version", BODY_STRING, false, true, 0, 200, NULL },
    { "purpose", BODY_TEXT, false, true, 0, 2000, NULL },  { "reserve", BODY_BOOL, false, false, 0, 0, NULL },
    { "protection", BODY_BOOL, false, false, 0, 0, NULL },
};
static const struct body_field diagram_fields[] = {
    { "kind", BODY_STRING, true, false, 1, 16, NULL },
    { "name", BODY_STRING, true, false, 1, 500, NULL },
    { "sha256", BODY_STRING, false, true, 0, 64, NULL },
    { "file_name", BODY_STRING, false, true, 0, 255, NULL },
    { "description", BODY_TEXT, false, true, 0, 8000, NULL },
};
static const struct body_field checksum_fields[] = {
    { "kind", BODY_STRING, true, false, 1, 16, NULL },
    { "file", BODY_STRING, true, false, 1, 1000, NULL },
    { "algorithm", BODY_ENUM, true, false, 0, 0, algorithm_values },
    { "value", BODY_STRING, true, false, 1, 200, NULL },
    { "of", BODY_ENUM, false, false, 0, 0, checksum_of_values },
};
static const struct body_field database_fields[] = {
    { "kind", BODY_STRING, true, false, 1, 16, NULL },
    { "name", BODY_STRING, true, false, 1, 500, NULL },
    { "structure", BODY_TEXT, false, true, 0, 8000, NULL },
    { "sha256", BODY_STRING, false, true, 0, 64, NULL },
    { "file_name", BODY_STRING, false, true, 0, 255, NULL },
};
static const struct item_kind {
    const char              *name;
    const struct body_field *fields;
    size_t                   count;
} kinds[] = {
    { "hardware", thing_fields, COUNT(thing_fields) },   { "software", thing_fields, COUNT(thing_fields) },
    { "diagram", diagram_fields, COUNT(diagram_fields) }, { "checksum", checksum_fields, COUNT(checksum_fields) },
    { "database", database_fields, COUNT(database_fields) },
};

static const struct item_kind *kind_of(const json_t *item)
{
    struct str kind = json_get_str(item, "kind");

    for (size_t i = 0; i < COUNT(kinds); i++)
        if (str_eq(kind, str_c(kinds[i].name)))
            return &kinds[i];
    return NULL;
}

/* sum_fits - hexadecimal digits, as many as the algorithm makes; of another one any number. */
static bool sum_fits(struct str algorithm, struct str sum)
{
    static const struct { const char *name; size_t digits; } lengths[] = {
        { "md5", 32 }, { "sha1", 40 }, { "sha256", 64 }, { "sha384", 96 }, { "sha512", 128 }, { "gost341194", 64 }, { "streebog256", 64 }, { "streebog512", 128 },
    };

    for (size_t i = 0; i < COUNT(lengths); i++)
        if (str_eq(algorithm, str_c(lengths[i].name)) && sum.n != lengths[i].digits)
            return false;
    return strspn(sum.p, "0123456789abcdefABCDEF") == sum.n;
}

/* whole_fits - what the table of fields cannot say of an item that is written by people; -EINVAL with the field. */
static int whole_fits(const json_t *item, bool checksum, char inner[DESK_FIELD_MAX], struct err *e)
{
    struct str address = json_get_str(item, "address");

    if (checksum && !sum_fits(json_get_str(item, "algorithm"), json_get_str(item, "value"))) {
        snprintf(inner, DESK_FIELD_MAX, "value");
        return err_set(e, -EINVAL, "a checksum is hexadecimal digits, as many as its algorithm makes");
    }
    if (address.n && !address_valid(address)) {
        snprintf(inner, DESK_FIELD_MAX, "address");
        return err_set(e, -EINVAL, "not an IP address");
    }
    return 0;
}

int item_check(const json_t *item, bool partial, const char *prefix, char field[DESK_FIELD_MAX], struct err *e)
{
    const struct item_kind *k = kind_of(item);
    char inner[DESK_FIELD_MAX] = "";
    int rc;

    if (!k) {
        snprintf(field, DESK_FIELD_MAX, "%.60s.kind", prefix);
        return err_set(e, -EINVAL, "%s: an item is hardware, software, diagram, checksum or database", prefix);
    }
    rc = body_check(item, k->fields, k->count, inner, e);
    if (rc == 0 && !partial)
        rc = whole_fits(item, strcmp(k->name, "checksum") == 0, inner, e);
    if (rc < 0)
        snprintf(field, DESK_FIELD_MAX, "%.60s.%.60s", prefix, inner);
    return rc;
}

struct str item_key(struct arena *a, const json_t *item)
{
    const struct item_kind *k = kind_of(item);
    struct str name = json_get_str(item, "name"), host = json_get_str(item, "host"), address = json_get_str(item, "address");
    struct str id = str_trim(name);

    if (!k)
        return (struct str){ NULL, 0 };
    if (strcmp(k->name, "checksum") == 0) /* paths of files have case */
        return arena_printf(a, "checksum:%.*s", STR_ARG(json_get_str(item, "file")));
    if (strcmp(k->name, "hardware") == 0)
        id = host.n ? host : address.n ? address : id;
    else if (strcmp(k->name, "software") == 0)
        id = arena_printf(a, "%.*s/%.*s", STR_ARG(host.n ? host : address), STR_ARG(id));
    id = fold_text(id, a);
    return arena_printf(a, "%s:%.*s", k->name, STR_ARG(id));
}

/* empty - null, an empty text and what is left out say the same. */
static bool empty(const json_t *j) { return !j || json_is_null(j) || json_is_false(j) || (json_is_string(j) && json_string_length(j) == 0); }

static bool value_same(const json_t *a, const json_t *b) { return (empty(a) && empty(b)) || (a && b && json_equal((json_t *)(uintptr_t)a, (json_t *)(uintptr_t)b)); }

bool item_same(const json_t *written, const json_t *seen, bool partial)
{
    const struct item_kind *k = kind_of(written);

    for (size_t i = 0; k && i < k->count; i++) {
        const json_t *w = json_object_get(written, k->fields[i].name), *s = json_object_get(seen, k->fields[i].name);

        /* A machine is known by its host or address; what people call it is theirs. */
        if (partial && (empty(s) || strcmp(k->fields[i].name, "name") == 0))
            continue;
        if (!value_same(w, s))
            return false;
    }
    return k != NULL;
}

int items_load(struct call *c, int64_t passport_id, json_t **out)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT key, json FROM passport_item WHERE passport_id = ? ORDER BY position", "i", passport_id);
    int rc = st ? 0 : -EIO;

    *out = json_object();
    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        struct str key = db_str(st, 0), text = db_str(st, 1);

        json_object_setn_new(*out, key.p, key.n, json_loadb(text.p, text.n, 0, NULL));
    }
    return rc;
}

int passport_newest(struct call *c, struct str object_id, int64_t *id, int64_t *version)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT id, version FROM passport WHERE object_id = ? ORDER BY version DESC LIMIT 1", "t", object_id);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    *id = *version = 0;
    if (rc > 0) {
        *id = sqlite3_column_int64(st, 0);
        *version = sqlite3_column_int64(st, 1);
        db_done(st);
    }
    return rc < 0 ? rc : 0;
}

int object_reached(struct call *c, struct str object_id, struct str *org)
{
    struct scope s = scope_of(c->v);
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT o.org_id FROM object o WHERE o.id = ?3 AND " SCOPE_OBJECT, "izt", s.bounded, s.org, object_id);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    if (rc == 0)
        return refuse(c, -ENOENT, "not_found", NULL, "no such object");
    if (rc > 0) {
        if (org)
            *org = db_copy(st, 0, &c->a);
        db_done(st);
    }
    return rc < 0 ? rc : 0;
}
