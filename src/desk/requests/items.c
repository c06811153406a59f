/* items.c - check-lists: the conditions of paragraph 11, the documents of Annex 3, and lines that people add. */
#include "desk/requests/kind.h"

static const char *const conditions[] = { "R-11-02", "R-11-03", "R-11-04", "R-11-05", "R-11-06", "R-11-07", "R-11-08", "R-11-09", "R-11-10" };

/* documents_of - by the edition in force when the survey was opened. */
static const struct enumeration *documents_of(const struct call *c, const struct req *q)
{
    const struct edition *ed = duty_edition_at(c->d->setup.world, q->opened_at);

    return strcmp(q->kind->name, "document_survey") == 0 ? edition_enumeration(ed, STR("td_document_type")) : NULL;
}

static int insert(struct call *c, const struct req *q, struct str code, int64_t position, struct str row, struct str title)
{
    int rc = db_exec(c->d, c->e, "INSERT INTO request_item(request_id, code, position, row, title, state) VALUES (?,?,?,?,?,?)", "ititt" "z", q->id, code,
                     position, row, title, q->kind->items[0]);

    return rc < 0 ? rc : 0;
}

int items_seed(struct call *c, const struct req *q)
{
    const struct enumeration *docs = documents_of(c, q);
    int rc = 0;

    if (strcmp(q->kind->name, "document_survey") == 0 && !docs)
        return err_set(c->e, -ENOTSUP, "the edition has no list of the documents of Annex 3");
    for (size_t i = 0; docs && rc == 0 && i < docs->count; i++)
        rc = insert(c, q, docs->values[i].id, (int64_t)i, docs->values[i].row, (struct str){ NULL, 0 });
    for (size_t i = 0; !docs && rc == 0 && i < COUNT(conditions); i++)
        rc = insert(c, q, str_c(conditions[i]), (int64_t)i, str_c(conditions[i]), (struct str){ NULL, 0 });
    return rc;
}

/* title_of - as a person wrote it, as the edition names it, or from the catalogue. */
static struct str title_of(struct call *c, const struct enumeration *docs, struct str code, struct str own)
{
    char key[96];

    if (own.n)
        return own;
    for (size_t i = 0; docs && i < docs->count; i++)
        if (str_eq(docs->values[i].id, code))
            return docs->values[i].name.text[c->v ? c->v->lang : LANG_KK];
    snprintf(key, sizeof key, "request.item.%.*s", STR_ARG(code));
    return catalog_text(c->d->setup.catalog, c->v ? c->v->lang : LANG_KK, arena_copy(&c->a, str_c(key)).p);
}

int items_json(struct call *c, const struct req *q, json_t **out)
{
    const struct enumeration *docs = documents_of(c, q);
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT i.code, i.row, i.title, i.state, i.note, i.values_json, i.updated_at, u.name FROM request_item i LEFT JOIN user u"
                                " ON u.id = i.updated_by WHERE i.request_id = ? ORDER BY i.position, i.code",
                                "i", q->id);
    int rc = st ? 0 : -EIO;

    *out = json_array();
    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        struct str code = db_copy(st, 0, &c->a), values = db_str(st, 5);

        json_array_append_new(*out, json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "code", json_str(code), "row", db_json(st, 1), "title",
                                              json_str(title_of(c, docs, code, db_copy(st, 2, &c->a))), "state", db_json(st, 3), "note", db_json(st, 4),
                                              "values", json_loadb(values.n ? values.p : "{}", values.n ? values.n : 2, 0, NULL), "updated_at",
                                              db_json_time(st, 6), "updated_by", db_json(st, 7)));
    }
    return rc;
}

int items_count(struct call *c, const struct req *q, const char *state, int64_t *n)
{
    return db_int(c->d, c->e, 0, n, "SELECT count(*) FROM request_item WHERE request_id = ? AND state = ?", "iz", q->id, state);
}

/* tested - has round-the-clock access been tried, with success, from each of the two workplaces (R-11-05)? */
static bool tested(const struct req *q)
{
    json_t *list = json_object_get(q->values, "tests"), *t;
    bool seen[3] = { false };
    size_t i;

    json_array_foreach(list, i, t) {
        json_int_t place = json_integer_value(json_object_get(t, "workplace"));

        if (place >= 1 && place <= 2)
            seen[place] = str_eq(json_get_str(t, "result"), STR("ok"));
    }
    return seen[1] && seen[2];
}

static int item_guard(struct call *c, const struct req *q, struct str code, const json_t *body)
{
    if (strcmp(q->kind->name, "access") != 0 || !str_eq(json_get_str(body, "state"), STR("provided")))
        return 0;
    if (str_eq(code, STR("R-11-04")) && json_integer_value(json_object_get(body, "count")) < 2)
        return req_wrong(c, "count", "two workplaces are owed");
    if (str_eq(code, STR("R-11-05")) && !tested(q))
        return refuse(c, -EPROTO, "wrong_state", NULL, "no successful test of access from each of the two workplaces is recorded");
    return 0;
}

/* A copy that was handed over as paper: what the centre recorded of it stands in the line's values under these names, and no mark of the owner undoes it. */
static const char *const paper_values[] = { "paper_received_by", "paper_received_at", "paper_number", "paper_reason", "paper_recorded_by" };

/* values_of - what the line holds now; owned by the caller. */
static int values_of(struct call *c, const struct req *q, struct str code, json_t **out)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT coalesce(values_json, '{}') FROM request_item WHERE request_id = ? AND code = ?", "it", q->id, code);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;
    struct str text;

    *out = NULL;
    if (rc <= 0)
        return rc < 0 ? rc : req_wrong(c, "item", "no such line");
    text = db_str(st, 0);
    *out = json_loadb(text.p, text.n, 0, NULL);
    db_done(st);
    return *out ? 0 : -EIO;
}

static int item_write(struct call *c, const struct req *q, struct str code, struct str state, struct str note, const json_t *values)
{
    AUTO_FREE char *text = json_dumps(values, JSON_COMPACT | JSON_SORT_KEYS);
    int rc = db_exec(c->d, c->e,
                     "UPDATE request_item SET state = ?3, note = ?4, values_json = ?5, updated_at = ?6, updated_by = ?7 WHERE request_id = ?1 AND code = ?2",
                     "itttzii", q->id, code, state, note, text, c->now, c->v->user_id);

    return rc < 0 ? rc : rc == 0 ? req_wrong(c, "item", "no such line") : 0;
}

int act_set_item(struct call *c, struct req *q, const json_t *body)
{
    struct str code = json_get_str(body, "item"), note = json_get_str(body, "note");
    json_t *values = json_copy((json_t *)(uintptr_t)body), *before = NULL;
    int rc = item_guard(c, q, code, body);

    if (rc == 0)
        rc = values_of(c, q, code, &before);
    for (size_t i = 0; rc == 0 && i < COUNT(paper_values); i++)
        if (json_object_get(before, paper_values[i]))
            json_object_set(values, paper_values[i], json_object_get(before, paper_values[i]));
    json_decref(before);
    json_object_del(values, "item");
    json_object_del(values, "state");
    json_object_del(values, "note");
    if (rc == 0)
        rc = item_write(c, q, code, json_get_str(body, "state"), note, values);
    json_decref(values);
    return rc;
}

/* act_record_copy - a copy of Annex 3 that came as paper: the centre says who received it, when, under which number, and why there is no file (R-14-01). */
int act_record_copy(struct call *c, struct req *q, const json_t *body)
{
    static const char *const given[] = { "received_by", "received_at", "number", "reason" };
    static const char *const marks[] = { "approved", "signed", "sealed" };
    struct str code = json_get_str(body, "item");
    json_t *values = NULL;
    time_ns at;
    int rc = moment_of(c, body, "received_at", true, &at);

    if (rc == 0)
        rc = values_of(c, q, code, &values);
    for (size_t i = 0; rc == 0 && i < COUNT(given); i++)
        json_object_set(values, paper_values[i], json_object_get(body, given[i]));
    for (size_t i = 0; rc == 0 && i < COUNT(marks); i++)
        if (json_is_boolean(json_object_get(body, marks[i])))
            json_object_set(values, marks[i], json_object_get(body, marks[i]));
    if (rc == 0) {
        json_object_set_new(values, paper_values[COUNT(given)], json_string(c->v->name));
        rc = item_write(c, q, code, STR("provided"), (struct str){ NULL, 0 }, values);
    }
    json_decref(values);
    return rc;
}

/* items_bare - lines that are marked as provided with nothing behind the mark: neither a file nor a record of paper. */
int items_bare(struct call *c, const struct req *q, int64_t *n)
{
    return db_int(c->d, c->e, 0, n,
                  "SELECT count(*) FROM request_item i WHERE i.request_id = ? AND i.state = 'provided' AND coalesce(json_extract(i.values_json,"
                  " '$.paper_number'), '') = '' AND NOT EXISTS (SELECT 1 FROM request_file f WHERE f.request_id = i.request_id AND f.item = i.code)", "i", q->id);
}

int act_add_item(struct call *c, struct req *q, const json_t *body)
{
    char code[32];
    int64_t n = 0;
    int rc = db_int(c->d, c->e, 0, &n, "SELECT count(*) FROM request_item WHERE request_id = ?", "i", q->id);

    if (rc < 0)
        return rc;
    if (n >= REQUEST_ITEMS_MAX)
        return refuse(c, -EINVAL, "bad_request", "title", "more than %d lines", REQUEST_ITEMS_MAX);
    snprintf(code, sizeof code, "own-%lld", (long long)n + 1);
    return insert(c, q, str_c(code), n, (struct str){ NULL, 0 }, json_get_str(body, "title"));
}
