/* more.c - the parts of a case's page that this issue added: facts of the notices and of elimination, updates, visits, consultations, persons. */
#include "desk/cases/acts.h"

typedef json_t *row_fn(sqlite3_stmt *st);

static int rows(struct call *c, json_t *out, const char *name, sqlite3_stmt *st, row_fn *row)
{
    json_t *list = json_array();
    int rc = st ? 0 : -EIO;

    while (st && (rc = db_step(c->d, st, c->e)) > 0)
        json_array_append_new(list, row(st));
    json_object_set_new(out, name, list);
    return rc;
}

static json_t *update_row(sqlite3_stmt *st)
{
    struct str f = db_str(st, 3);
    json_t *fields = json_loadb(f.p, f.n, 0, NULL);

    return json_pack("{s:I, s:o, s:o, s:o, s:o, s:o}", "no", (json_int_t)sqlite3_column_int64(st, 0), "at", db_json_time(st, 1), "side", db_json(st, 2),
                     "fields", fields ? fields : json_object(), "text", db_json(st, 4), "author", db_json(st, 5));
}

static json_t *visit_row(sqlite3_stmt *st)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "id", db_json_id(st, 0), "state", db_json(st, 1), "decided_by", db_json(st, 2),
                     "decided_at", db_json_time(st, 3), "reason", db_json(st, 4), "employee", db_json(st, 5), "sent_at", db_json_time(st, 6),
                     "returned_at", db_json_time(st, 7), "report", db_json(st, 8));
}

static json_t *consultation_row(sqlite3_stmt *st)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "id", db_json_id(st, 0), "state", db_json(st, 1), "requested_at", db_json_time(st, 2), "question",
                     db_json(st, 3), "given_at", db_json_time(st, 4), "answer", db_json(st, 5));
}

static json_t *person_row(sqlite3_stmt *st)
{
    return json_pack("{s:o, s:o, s:o}", "id", db_json_id(st, 0), "name", db_json(st, 1), "org", json_ref(db_str(st, 2), db_str(st, 3)));
}

static json_t *node_row(sqlite3_stmt *st) { return json_pack("{s:o, s:o, s:o}", "node", db_json(st, 0), "title", db_json(st, 1), "number", db_json(st, 2)); }

static json_t *merged_row(sqlite3_stmt *st) { return json_pack("{s:o, s:o}", "id", db_json_id(st, 0), "number", db_json(st, 1)); }

/* link_json - another case by number, if the viewer may see it. */
static json_t *link_json(struct call *c, int64_t id)
{
    sqlite3_stmt *st = id ? db_query(c->d, NULL, "SELECT k.id, k.number FROM cases k LEFT JOIN object o ON o.id = k.object_id WHERE k.id = ?5 AND " CASE_VISIBLE,
                                     "iziii", is_bounded(c), viewer_org(c), viewer_id(c), is_knb(c), id) : NULL;
    json_t *out = NULL;

    if (st && db_step(c->d, st, NULL) > 0) {
        out = merged_row(st);
        db_done(st);
    }
    return out ? out : json_null();
}

static int lists(struct call *c, const struct kase *k, json_t *out)
{
    bool bounded = is_bounded(c);
    int rc = rows(c, out, "updates", db_query(c->d, c->e, "SELECT n.no, n.at, n.kind, n.fields, n.text, u.name FROM case_update n LEFT JOIN user u ON"
                                              " u.id = n.author_id WHERE n.case_id IN (SELECT ?1 UNION ALL SELECT id FROM cases WHERE merged_into = ?1)"
                                              " ORDER BY n.at, n.no", "i", k->id), update_row);

    if (rc == 0)
        rc = rows(c, out, "visits", db_query(c->d, c->e, "SELECT id, state, decided_by, decided_at, reason, employee, sent_at, returned_at,"
                                             " CASE WHEN ?2 AND NOT ?3 THEN NULL ELSE report END FROM case_visit WHERE case_id = ?1 ORDER BY id", "iii",
                                             k->id, (int64_t)bounded, is_knb(c)), visit_row);
    if (rc == 0)
        rc = rows(c, out, "consultations", db_query(c->d, c->e, "SELECT id, state, requested_at, question, given_at, answer FROM consultation"
                                                    " WHERE case_id = ? ORDER BY id", "i", k->id), consultation_row);
    if (rc == 0)
        rc = rows(c, out, "persons", db_query(c->d, c->e, "SELECT u.id, u.name, g.id, g.name FROM case_person p JOIN user u ON u.id = p.user_id"
                                              " LEFT JOIN org g ON g.id = u.org_id WHERE p.case_id = ? ORDER BY u.name, u.id", "i", k->id), person_row);
    if (rc == 0)
        rc = rows(c, out, "merged_cases", db_query(c->d, c->e, "SELECT id, number FROM cases WHERE merged_into = ? ORDER BY id", "i", k->id), merged_row);
    if (rc == 0)   /* whoever sees the case may know where else it stands */
        rc = rows(c, out, "nodes", db_query(c->d, c->e, "SELECT x.node, p.title, x.their_number FROM link_case x JOIN link_peer p ON p.node = x.node WHERE"
                                            " x.case_id = ? ORDER BY p.title, x.node LIMIT 100", "i", k->id), node_row);
    return rc;
}

static json_t *person_json(struct call *c, int64_t id)
{
    sqlite3_stmt *st = id ? db_query(c->d, NULL, "SELECT u.id, u.name, g.id, g.name FROM user u LEFT JOIN org g ON g.id = u.org_id WHERE u.id = ?", "i", id)
                          : NULL;
    json_t *out = NULL;

    if (st && db_step(c->d, st, NULL) > 0) {
        out = person_row(st);
        db_done(st);
    }
    return out ? out : json_null();
}

int case_more_json(struct call *c, const struct kase *k, json_t *out)
{
    json_t *indicators = NULL;
    int rc = indicators_json(c, k, &indicators);

    json_object_set_new(out, "indicators", indicators);
    json_object_set_new(out, "description", json_str(k->description));
    json_object_set_new(out, "contact", json_str(k->contact));
    json_object_set_new(out, "recurrence", json_str(k->recurrence));
    json_object_set_new(out, "previous", link_json(c, k->previous_id));
    json_object_set_new(out, "suggested", link_json(c, k->previous_id ? 0 : k->suggested_id));
    json_object_set_new(out, "merged_into", link_json(c, k->merged_into));
    json_object_set_new(out, "assignee", person_json(c, c->v && role_of_owner(c->v->role) ? k->owner_assignee_id : k->assignee_id));
    json_object_set_new(out, "opened_by", person_json(c, k->opened_by));
    json_object_set_new(out, "facts", json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "acknowledged_at",
                                                json_time_or_null(k->acknowledged_at), "sts_notified_at", json_time_or_null(k->sts_notified_at),
                                                "second_notified_at", json_time_or_null(k->second_notified_at), "measures_at",
                                                json_time_or_null(k->measures_at), "escalated_at", json_time_or_null(k->escalated_at), "causes_at",
                                                json_time_or_null(k->causes_at), "causes_accepted_at", json_time_or_null(k->causes_accepted_at),
                                                "consequences_at", json_time_or_null(k->consequences_at), "consequences_accepted_at",
                                                json_time_or_null(k->consequences_accepted_at), "disputed_at", json_time_or_null(k->disputed_at)));
    return rc < 0 ? rc : lists(c, k, out);
}

/* people - whom TLP:RED may name: the active accounts of the case's organisations, of the centre, of KNB. */
static int people(struct call *c, int64_t id)
{
    struct kase k;
    int rc = id ? case_load(c, id, &k) : refuse(c, -ENOENT, "not_found", NULL, "no such case");

    if (rc < 0)
        return rc;
    c->r->json = json_pack("{s:n}", "next");
    return rows(c, c->r->json, "items", db_query(c->d, c->e, "SELECT u.id, u.name, g.id, g.name FROM user u JOIN org g ON g.id = u.org_id WHERE u.active = 1"
                                                 " AND (u.org_id IN (?1, ?2, ?3, ?4) OR g.kind IN ('sts','knb')) ORDER BY g.name, u.name, u.id LIMIT 500",
                                                 "tttt", k.org_id, k.possessor_id, k.ocib_id, k.opened_org), person_row);
}

int desk_case_people(struct desk *d, const struct viewer *v, struct str case_id, time_ns now, struct desk_reply *r)
{
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = people(&c, parse_id(case_id));
    desk_call_free(&c);
    return refuse_rc(r, rc);
}
