/* violation_list.c - violations as they are told: pages of them, one with its life. The owner sees what was sent to them, as it was then. */
#include "desk/documents/room.h"

/* The owner reads of a violation what the last letter said of it. */
#define TOLD_WORDS(column)                                                                                                                            \
    "CASE WHEN ?1 = 0 OR y.results_sent_at IS NOT NULL THEN x." column " ELSE (SELECT v." column " FROM td_verdict v JOIN td_survey z ON z.id ="          \
    " v.survey_id WHERE v.violation_id = x.id AND z.results_sent_at IS NOT NULL ORDER BY v.survey_id DESC LIMIT 1) END"
/* Why its requirement does not apply any more. */
#define ENDED_WHY                                                                                                                                      \
    "CASE WHEN x.state = 'not_applicable' AND (?1 = 0 OR y.results_sent_at IS NOT NULL) THEN (SELECT t.text FROM td_step t WHERE t.violation_id = x.id AND"  \
    " t.state = 'not_applicable' ORDER BY t.id DESC LIMIT 1) END"
#define VIOLATION                                                                                                                                       \
    "SELECT x.id, x.number, x.document, x.code, q.json, " TD_TOLD_STATE("?1") ", " TD_TOLD_OPEN("?1") ", " TOLD_WORDS("description")                    \
    ", " TOLD_WORDS("recommendation") ", o.id, o.name, x.found_at, x.sent_at, CASE WHEN ?1 = 0 OR y.results_sent_at IS NOT NULL THEN x.settled_at END, f.id, f.number,"  \
    " y.id, y.number, (SELECT m.text FROM td_measure m WHERE m.violation_id = x.id ORDER BY m.survey_id DESC LIMIT 1), (SELECT m.done_on FROM td_measure m"  \
    " WHERE m.violation_id = x.id ORDER BY m.survey_id DESC LIMIT 1), y.results_sent_at IS NOT NULL, " ENDED_WHY " FROM td_violation x JOIN td_requirement q ON q.id ="      \
    " x.requirement_id JOIN object o ON o.id = x.object_id JOIN td_survey f ON f.id = x.found_survey JOIN td_survey y ON y.id = x.survey_id "

static json_t *violation_json(struct call *c, sqlite3_stmt *st)
{
    struct str text = db_str(st, 4), said = db_str(st, 8);
    json_t *words = json_loadb(text.p, text.n, 0, NULL), *recommendation = json_loadb(said.p, said.n, 0, NULL);
    bool told = sqlite3_column_int(st, 20) || !scope_of(c->v).bounded;
    json_t *out = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "id", db_json_id(st, 0), "number",
                            db_json(st, 1), "document", db_json(st, 2), "requirement", db_json(st, 3), "text",
                            json_str(said_in(c, json_object_get(words, "text"), c->v->lang)), "state", db_json(st, 5), "open", sqlite3_column_int(st, 6),
                            "description", db_json(st, 7), "recommendation", recommendation, "object", json_ref(db_str(st, 9), db_str(st, 10)), "found_at",
                            db_json_time(st, 11), "sent_at", db_json_time(st, 12), "settled_at", db_json_time(st, 13), "found_by",
                            json_pack("{s:o, s:o}", "id", db_json_id(st, 14), "number", db_json(st, 15)), "survey",
                            told ? json_pack("{s:o, s:o}", "id", db_json_id(st, 16), "number", db_json(st, 17))
                                 : json_pack("{s:o, s:o}", "id", db_json_id(st, 14), "number", db_json(st, 15)),
                            "measure", db_json(st, 18), "done_on", db_json(st, 19), "ended_why", db_json(st, 21));

    json_object_set_new(out, "title", json_str(td_title(c, db_str(st, 2))));
    json_decref(words);
    return out;
}

/* Each way of asking walks an index of its own: those of a survey, of an object, the open ones, or all. */
static sqlite3_stmt *violations_query(struct call *c, const struct td_violations_query *q, int64_t limit)
{
    struct scope s = scope_of(c->v);
    int64_t before = parse_id(q->before) ? parse_id(q->before) : INT64_MAX, open = q->open;
    struct str state = q->state.p ? q->state : STR(""), document = q->document.p ? q->document : STR("");

#define REST                                                                                                                                         \
    " AND x.id < ?3 AND (?4 = '' OR " TD_TOLD_STATE("?1") " = ?4) AND (?5 = '' OR x.document = ?5) AND (?6 = 0 OR " TD_TOLD_OPEN("?1") ") AND (?1 = 0 OR x.shown = 1) ORDER BY x.id DESC" \
    " LIMIT ?7"
    if (q->survey.n)
        return db_query(c->d, c->e, VIOLATION "WHERE x.id IN (SELECT v.violation_id FROM td_verdict v JOIN td_survey w ON w.id = v.survey_id WHERE v.survey_id = ?8"
                        " AND v.violation_id IS NOT NULL AND (?1 = 0 OR w.results_sent_at IS NOT NULL)) AND " SCOPE_OBJECT REST, "izittiii", s.bounded, s.org, before,
                        state, document, open, limit, parse_id(q->survey));
    if (q->object.n)
        return db_query(c->d, c->e, VIOLATION "WHERE x.object_id = ?8 AND " SCOPE_OBJECT REST, "izittiit", s.bounded, s.org, before, state, document, open, limit,
                        q->object);
    if (s.bounded)
        return db_query(c->d, c->e, VIOLATION "WHERE ?1 = 1 AND x.object_id IN " OBJECTS_OF("?2") REST, "izittii", s.bounded, s.org, before, state, document, open,
                        limit);
    if (open)
        return db_query(c->d, c->e, VIOLATION "WHERE x.open = 1 AND ?2 = ''" REST, "izittii", s.bounded, s.org, before, state, document, open, limit);
    return db_query(c->d, c->e, VIOLATION "WHERE ?2 = ''" REST, "izittii", s.bounded, s.org, before, state, document, open, limit);
#undef REST
}

int desk_td_violations(struct desk *d, const struct viewer *v, const struct td_violations_query *q, time_ns now, struct desk_reply *r)
{
    json_t *items = json_array(), *next = json_null();
    int64_t limit = page_limit(q->limit);
    struct call c;

    desk_call_init(&c, d, v, now, r);
    sqlite3_stmt *st = violations_query(&c, q, limit + 1);
    int rc = st ? 0 : -EIO;
    while (st && (rc = db_step(d, st, c.e)) > 0) {
        if ((int64_t)json_array_size(items) == limit) {
            json_decref(next);
            next = json_incref(json_object_get(json_array_get(items, (size_t)limit - 1), "id"));
            db_done(st);
            rc = 0;
            break;
        }
        json_array_append_new(items, violation_json(&c, st));
    }
    r->json = json_pack("{s:o, s:o}", "items", items, "next", next);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

static int life_json(struct call *c, int64_t id, json_t **out)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT t.state, t.at, u.name, t.text, s.id, s.number FROM td_step t JOIN td_survey s ON s.id = t.survey_id LEFT JOIN user u ON"
                                " u.id = t.user_id WHERE t.violation_id = ?1 AND (?2 = 0 OR s.results_sent_at IS NOT NULL) ORDER BY t.id", "ii", id,
                                scope_of(c->v).bounded);
    int rc = st ? 0 : -EIO;

    *out = json_array();
    while (st && (rc = db_step(c->d, st, c->e)) > 0)
        json_array_append_new(*out, json_pack("{s:o, s:o, s:o, s:o, s:{s:o, s:o}}", "state", db_json(st, 0), "at", db_json_time(st, 1), "by", db_json(st, 2), "text",
                                              db_json(st, 3), "survey", "id", db_json_id(st, 4), "number", db_json(st, 5)));
    return rc;
}

int desk_td_violation(struct desk *d, const struct viewer *v, struct str id, time_ns now, struct desk_reply *r)
{
    struct scope s = scope_of(v);
    json_t *life = NULL;
    struct call c;

    desk_call_init(&c, d, v, now, r);
    sqlite3_stmt *st = db_query(d, c.e, VIOLATION "WHERE x.id = ?3 AND (?1 = 0 OR x.shown = 1) AND " SCOPE_OBJECT, "izi", s.bounded, s.org, parse_id(id));
    int rc = st ? db_step(d, st, c.e) : -EIO;
    if (rc == 0)
        rc = refuse(&c, -ENOENT, "not_found", NULL, "no such violation");
    if (rc > 0) {
        r->json = violation_json(&c, st);
        db_done(st);
        rc = life_json(&c, parse_id(id), &life);
        json_object_set_new(r->json, "life", life);
    }
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

/* --- this time and last time --- */

int desk_td_compare(struct desk *d, const struct viewer *v, struct str id, struct desk_reply *r)
{
    json_t *items = json_array();
    struct td_survey s;
    struct call c;

    desk_call_init(&c, d, v, 0, r);
    int rc = td_load(&c, parse_id(id), &s);
    if (rc == 0 && scope_of(v).bounded && !s.state->told)
        rc = refuse(&c, -ENOENT, "not_found", NULL, "the results were not sent yet");
    sqlite3_stmt *st = rc == 0 ? db_query(d, c.e,
                                          "SELECT v.code, v.document, q.json, l.verdict, v.verdict, l.quote, v.quote, x.number,"
                                          " (SELECT t.state FROM td_step t WHERE t.violation_id = x.id AND t.survey_id = ?1 AND t.state IN ('found','fixed','not_applicable',"
                                          "'persisting') ORDER BY t.id LIMIT 1), v.reason FROM td_verdict v JOIN td_requirement q ON"
                                          " q.id = v.requirement_id LEFT JOIN td_verdict l ON l.survey_id = ?2 AND l.code = v.code LEFT JOIN td_violation x ON x.id ="
                                          " coalesce(v.violation_id, l.violation_id) WHERE v.survey_id = ?1 AND v.verdict IS NOT NULL AND v.verdict IS NOT l.verdict"
                                          " ORDER BY v.position", "ii", s.id, s.previous_id)
                               : NULL;
    for (rc = rc < 0 ? rc : st ? db_step(d, st, c.e) : -EIO; rc > 0; rc = db_step(d, st, c.e)) {
        struct str text = db_str(st, 2);
        json_t *words = json_loadb(text.p, text.n, 0, NULL);

        json_array_append_new(items, json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "requirement", db_json(st, 0), "document", db_json(st, 1), "text",
                                               json_str(said_in(&c, json_object_get(words, "text"), v->lang)), "was", db_json(st, 3), "became", db_json(st, 4),
                                               "quote_was", db_json(st, 5), "quote", db_json(st, 6), "violation", db_json(st, 7), "outcome", db_json(st, 8), "reason",
                                               db_json(st, 9)));
        json_decref(words);
    }
    r->json = json_pack("{s:o, s:n}", "items", items, "next");
    desk_call_free(&c);
    return refuse_rc(r, rc);
}
