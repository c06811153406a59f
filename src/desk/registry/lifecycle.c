/* lifecycle.c - the states of an object (requirements 7.7), and what the other rooms need to know of one object. */
#include "desk/registry/room.h"

/* --- one object, as others need it --- */

static struct str party_of(const struct object_view *o, struct str word)
{
    if (str_eq(word, STR("owner")))
        return o->owner_id;
    if (str_eq(word, STR("possessor")) && o->possessor_id.p)
        return o->possessor_id;
    if (str_eq(word, STR("ocib")) && o->ocib_id.p)
        return o->ocib_id;
    return o->acting_id;
}

static int view_fill(struct call *c, const struct record *r, struct object_view *out)
{
    static const char *const performers[] = { "performer_response", "performer_protection", "performer_operation" };
    struct str day = today_of(c), acting = json_get_str(r->value, "acting_party");
    struct object_facts facts = facts_of(r->value, day.p);
    bool contract = false;
    int rc = contract_valid(c, json_get_str(r->value, "contract_id"), day.p, &contract);

    out->regime = regime_of(&facts);
    out->works = works_of(r->value);
    out->contract_missing = out->regime == REGIME_B && !contract;
    out->acting_id = str_eq(acting, STR("owner")) || !out->possessor_id.p ? out->owner_id : out->possessor_id;
    out->accountable_id = out->acting_id;
    for (size_t i = 0; i < COUNT(performers); i++)
        out->performer_id[i] = party_of(out, json_get_str(r->value, performers[i]));
    return rc;
}

int object_look(struct call *c, struct scope s, struct str id, struct object_view *out)
{
    struct record r;
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT o.id, o.name, o.state, o.org_id, o.possessor_id, o.ocib_id, o.active,"
                                " (SELECT json_extract(json, '$.name_ru') FROM record WHERE kind = 'object' AND id = o.id)"
                                " FROM object o WHERE " SCOPE_OBJECT " AND o.id = ?3",
                                "izt", s.bounded, s.org, id);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    *out = (struct object_view){ 0 };
    if (rc <= 0)
        return rc < 0 ? rc : refuse(c, -ENOENT, "not_found", NULL, "no such object");
    out->id = db_copy(st, 0, &c->a);
    out->name = db_copy(st, 1, &c->a);
    out->state = db_copy(st, 2, &c->a);
    out->owner_id = db_copy(st, 3, &c->a);
    out->possessor_id = db_copy(st, 4, &c->a);
    out->ocib_id = db_copy(st, 5, &c->a);
    out->active = sqlite3_column_int(st, 6);
    out->name_ru = db_copy(st, 7, &c->a);
    db_done(st);
    rc = record_read(c, RECORD_OBJECT, out->id, 0, &r);
    if (rc == 0) {
        rc = view_fill(c, &r, out);
        record_done(&r);
    }
    return rc;
}

struct subject object_subject(const struct object_view *o)
{
    return (struct subject){ .kind = "object", .id = o->id, .object_id = o->id, .org_id = o->accountable_id };
}

/* --- states --- */

enum guard { FREE, NEEDS_EXCLUSION, NEEDS_NO_EXCLUSION, NEEDS_REGIME, NEEDS_WORK, NEEDS_RESPONSE, NEEDS_OPERATION, NEEDS_NO_CASES };

#define LISTED_ON "listed", "scheduled", "onboarding", "monitored"

/* The rows of 7.7 (number in the comment). Row 4 may come at any time before or while an object is monitored; the way back from it is made by
 * object_move itself. Row 16 changes no state while the regime stays A or B; a new exclusion takes an object off the list. */
static const struct { const char *to; const char *from[12]; enum guard guard; const char *field; } rows[] = {
    { "commissioned", { "known" }, NEEDS_OPERATION, "commissioned_on" },                                                          /* 2 */
    { "information_received", { "commissioned", "information_requested" }, FREE, NULL },                                          /* 3, 5 */
    { "information_received", { "excluded" }, NEEDS_NO_EXCLUSION, "exclusion" },                                                  /* 16 */
    { "information_requested", { "known", "commissioned", "information_received", "monitored" }, FREE, NULL },                    /* 4 */
    { "excluded", { "information_received", LISTED_ON }, NEEDS_EXCLUSION, "exclusion" },                                          /* 6, 16 */
    { "listed", { "information_received" }, NEEDS_REGIME, "regime" },                                                             /* 7 */
    { "scheduled", { "listed" }, NEEDS_WORK, "work_types" },                                                                      /* 8 */
    { "onboarding", { "scheduled" }, NEEDS_RESPONSE, "work_types" },                                                              /* 9 */
    { "monitored", { "scheduled", "onboarding" }, NEEDS_WORK, "work_types" },                                                     /* 10 */
    { "operation_terminated", { "known", "commissioned", "information_received", "information_requested", "excluded", LISTED_ON }, FREE, NULL }, /* 13 */
    { "termination_received", { "operation_terminated" }, FREE, NULL },                                                           /* 14 */
    { "archived", { "termination_received" }, NEEDS_NO_CASES, "cases" },                                                          /* 15 */
};

static bool leads(size_t row, struct str from)
{
    for (const char *const *f = rows[row].from; *f; f++)
        if (str_eq(from, str_c(*f)))
            return true;
    return false;
}

/* guard_holds - 1, 0, or an error. */
static int guard_holds(struct call *c, const struct object_view *o, enum guard g)
{
    int64_t open = 0;
    int rc;

    switch (g) {
    case NEEDS_EXCLUSION:
        return o->regime == REGIME_N2;
    case NEEDS_NO_EXCLUSION:
        return o->regime != REGIME_N2;
    case NEEDS_REGIME:
        return regime_monitored(o->regime);
    case NEEDS_WORK:
        return o->works != 0;
    case NEEDS_RESPONSE:
        return (o->works & WT_RESPONSE) != 0;
    case NEEDS_OPERATION:
        return o->regime != REGIME_N1;
    case NEEDS_NO_CASES:
        rc = db_int(c->d, c->e, 0, &open, "SELECT count(*) FROM cases WHERE object_id = ?1 AND state NOT IN ('closed','dismissed_by_sts','rejected')",
                    "t", o->id);
        return rc < 0 ? rc : open == 0;
    default:
        return 1;
    }
}

static int state_write(struct call *c, const struct object_view *o, struct str was, const char *to, time_ns at, struct str reason)
{
    struct str target = arena_printf(&c->a, "object/%.*s", STR_ARG(o->id));
    int rc = db_exec(c->d, c->e, "UPDATE object SET state = ?2, updated_at = ?3 WHERE id = ?1", "tzi", o->id, to, c->now);

    if (rc >= 0)
        rc = db_exec(c->d, c->e, "INSERT INTO object_state(object_id, was, state, at, recorded_at, author_id, reason) VALUES (?,?,?,?,?,?,?)", "ttziimt",
                     o->id, was, to, at, c->now, c->v ? c->v->user_id : 0, reason.p ? reason : STR(""));
    if (rc >= 0)
        rc = audit_add(c, "object.state", target.p, arena_printf(&c->a, "%.*s -> %s", STR_ARG(was), to), "ok");
    if (rc >= 0)
        change_add(c->d, "source", o->id);
    return rc < 0 ? rc : 0;
}

/* go_on - a monitored object that was asked for its data and gave them is monitored as before. */
static int go_on(struct call *c, const struct object_view *o, time_ns at, struct str reason)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT was FROM object_state WHERE object_id = ?1 AND state = 'information_requested' ORDER BY id DESC LIMIT 1", "t",
                                o->id);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;
    bool on = rc > 0 && str_eq(db_str(st, 0), STR("monitored"));

    if (rc > 0)
        db_done(st);
    return rc < 0 ? rc : on ? state_write(c, o, STR("information_received"), "monitored", at, reason) : 0;
}

int object_move(struct call *c, struct str id, const char *to, time_ns at, struct str reason)
{
    struct object_view o;
    const char *field = NULL;
    int rc = object_look(c, (struct scope){ 0, "" }, id, &o);

    if (rc < 0)
        return rc;
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (strcmp(rows[i].to, to) != 0 || !leads(i, o.state))
            continue;
        field = rows[i].field;
        rc = guard_holds(c, &o, rows[i].guard);
        if (rc < 0)
            return rc;
        if (rc == 0)
            continue;
        rc = state_write(c, &o, o.state, to, at, reason);
        return rc == 0 && strcmp(to, "information_received") == 0 && str_eq(o.state, STR("information_requested")) ? go_on(c, &o, at, reason) : rc;
    }
    return refuse(c, -EPROTO, "wrong_state", field, "\"%.*s\" does not become \"%s\"%s%s", STR_ARG(o.state), to, field ? ": look at " : "",
                  field ? field : "");
}

json_t *moves_json(struct str state)
{
    json_t *out = json_array();

    for (size_t i = 0; i < COUNT(rows); i++)
        if (leads(i, state))
            json_array_append_new(out, json_string(rows[i].to));
    return out;
}

int states_json(struct call *c, struct str id, json_t **out)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT s.was, s.state, s.at, s.recorded_at, u.login, s.reason FROM object_state s LEFT JOIN user u ON u.id = s.author_id"
                                " WHERE s.object_id = ?1 ORDER BY s.id",
                                "t", id);
    int rc = st ? 0 : -EIO;

    *out = json_array();
    while (st && (rc = db_step(c->d, st, c->e)) > 0)
        json_array_append_new(*out, json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "from", db_json(st, 0), "to", db_json(st, 1), "at", db_json_time(st, 2),
                                              "recorded_at", db_json_time(st, 3), "author", db_json(st, 4), "reason", db_json(st, 5)));
    return rc;
}
