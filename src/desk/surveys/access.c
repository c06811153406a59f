/* access.c - whether the conditions of paragraph 11 are there, as the room of requests has them on record: the check-list of the request "access". */
#include "desk/surveys/room.h"

/* The conditions that the Rules name (R-11-02 to R-11-10): without a request on record none of them is known to be there. */
static const char *const conditions[] = { "R-11-02", "R-11-03", "R-11-04", "R-11-05", "R-11-06", "R-11-07", "R-11-08", "R-11-09", "R-11-10" };

static int newest(struct call *c, const struct sv *s, int64_t *id)
{
    return db_int(c->d, c->e, 0, id, "SELECT max(id) FROM request WHERE object_id = ? AND kind = 'access'", "t", s->object_id);
}

int access_json(struct call *c, const struct sv *s, json_t **out)
{
    enum lang lang = c->v ? c->v->lang : LANG_KK;
    json_t *items = json_array(), *request = json_null();
    sqlite3_stmt *st;
    int64_t id = 0;
    int rc = newest(c, s, &id);

    st = rc == 0 && id ? db_query(c->d, c->e, "SELECT r.id, r.number, r.state, r.updated_at FROM request r WHERE r.id = ?", "i", id) : NULL;
    if (st && (rc = db_step(c->d, st, c->e)) > 0) {
        request = json_pack("{s:o, s:o, s:o, s:o}", "id", db_json_id(st, 0), "number", db_json(st, 1), "state", db_json(st, 2), "updated_at",
                            db_json_time(st, 3));
        db_done(st);
    }
    st = rc >= 0 && id ? db_query(c->d, c->e, "SELECT code, row, title, state FROM request_item WHERE request_id = ? ORDER BY position, code", "i", id) : NULL;
    while (st && (rc = db_step(c->d, st, c->e)) > 0)
        json_array_append_new(items, json_pack("{s:o, s:o, s:o}", "code", db_json(st, 0), "title",
                                               json_str(db_str(st, 2).n ? db_copy(st, 2, &c->a) : sv_text(c, "request.item", db_str(st, 0), lang)), "state",
                                               db_json(st, 3)));
    for (size_t i = 0; !id && i < COUNT(conditions); i++)
        json_array_append_new(items, json_pack("{s:s, s:o, s:s}", "code", conditions[i], "title", json_str(sv_text(c, "request.item", str_c(conditions[i]), lang)),
                                               "state", "required"));
    *out = json_pack("{s:o, s:o}", "request", request, "conditions", items);
    return rc < 0 ? rc : 0;
}

static bool among(const json_t *list, const json_t *code)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (json_equal(json_array_get(list, i), code))
            return true;
    return false;
}

int access_missing(struct call *c, const struct sv *s, const json_t *not_needed, json_t **out)
{
    json_t *all = NULL, *item;
    size_t i;
    int rc = access_json(c, s, &all);

    *out = json_array();
    json_array_foreach(json_object_get(all, "conditions"), i, item)
        if (!str_eq(json_get_str(item, "state"), STR("provided")) && !among(not_needed, json_object_get(item, "code")))
            json_array_append_new(*out, json_pack("{s:O, s:O}", "code", json_object_get(item, "code"), "state", json_object_get(item, "state")));
    json_decref(all);
    return rc;
}
