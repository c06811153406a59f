/* carry.c - a step of a case becomes a message to a node that knows of the case, or is told of it by this step.
 *
 * The first message about a case has its opening in it, and what was done before comes with it in its order. With a step goes the notice that the act
 * made for this organisation. Under a label that forbids it nothing leaves: the steps wait, and go in their order when the label is another. */
#include "desk/cases/acts.h"
#include "desk/link/room.h"

#define HISTORY_MAX 200     /* steps of one case that go at once; an opening after more than these is refused loudly */

struct carried {
    const struct peer *p;
    struct self        self;
    struct kase        k;
    bool               opening;     /* the node hears of the case for the first time */
    struct str         their_number;
};

static bool telling(struct str act)
{
    return str_eq(act, STR("notify")) || str_eq(act, STR("notify_incident")) || str_eq(act, STR("notify_knb"));
}

static void step_fill(struct call *c, sqlite3_stmt *st, struct step *s)
{
    *s = (struct step){ .id = sqlite3_column_int64(st, 0), .case_id = sqlite3_column_int64(st, 1), .act = db_copy(st, 2, &c->a), .at = sqlite3_column_int64(st, 3),
                        .role = db_copy(st, 4, &c->a), .by = db_copy(st, 5, &c->a), .org_id = db_copy(st, 6, &c->a), .heard_from = db_copy(st, 7, &c->a),
                        .body = db_copy(st, 8, &c->a), .first_record = sqlite3_column_int64(st, 9), .last_record = sqlite3_column_int64(st, 10) };
}

#define STEP_COLUMNS "SELECT s.id, s.case_id, s.act, s.at, s.role, s.by, s.org_id, s.heard_from, s.body, s.first_record, s.last_record FROM link_step s "

/* --- the opening --- */

static json_t *opening_json(struct call *c, const struct carried *x)
{
    const struct kase *k = &x->k;
    json_t *o = json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "machine", machine_name(k->machine), "detector",
                          machine_detector(k->machine), "detected_at", json_time(k->detected_at), "title", json_str(case_title(c, k, LANG_RU)), "tlp",
                          json_str(k->tlp), "incident_type", json_str(k->incident_type), "description", json_str(k->description), "contact", json_str(k->contact),
                          "external_number", json_str(k->external_number), "object_name", json_str(k->object_name), "confirmed_at",
                          json_time_or_null(k->confirmed_at));

    /* KNB is told in the middle of a case: it gets where the case stands instead of how it came there. */
    if (o && str_eq(x->p->org_kind, STR("knb"))) {
        json_object_set_new(o, "level", json_str(k->level));
        json_object_set_new(o, "notified_at", json_time_or_null(k->notified_at ? k->notified_at : k->sts_notified_at));
        json_object_set_new(o, "measures", json_boolean(k->measures_at != 0));
    }
    return o;
}

/* body_for - what of the body goes to this node: ids of people and cases mean nothing there, and the centre's report of a visit stays with it. */
static int body_for(struct call *c, const struct carried *x, const struct step *s, bool bare, json_t **out)
{
    bool knb = str_eq(x->p->org_kind, STR("knb"));
    json_error_t je;
    json_t *b = json_loadb(s->body.p, s->body.n, JSON_DECODE_ANY, &je);

    if (!json_is_object(b)) {
        json_decref(b);
        b = json_object();
    }
    json_object_del(b, "persons");
    json_object_del(b, "previous");
    if (str_eq(s->act, STR("visit_return")) && !knb)
        json_object_set_new(b, "report", json_string("—"));
    if (str_eq(s->act, STR("notify_knb")) && !knb)
        json_object_del(b, "note");
    /* The notice of an incident that was confirmed before we kept steps says when. */
    if (bare && str_eq(s->act, STR("notify_incident")) && x->k.confirmed_at && !json_object_get(b, "confirmed_at")) {
        json_object_set_new(b, "confirmed_at", json_time(x->k.confirmed_at));
        if (!json_get_str(b, "level").n && x->k.level.n)
            json_object_set_new(b, "level", json_str(x->k.level));
    }
    *out = b;
    return b ? 0 : err_set(c->e, -ENOMEM, "no memory for a step");
}

/* --- the notice beside it --- */

static int record_of_step(struct call *c, const struct carried *x, const struct step *s, struct issued *n)
{
    bool to_centre = str_eq(x->p->org_kind, STR("sts")) && !str_eq(x->self.org_kind, STR("sts"));
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT r.id, r.kind, r.number, r.form, r.canonical, r.sha256, r.pdf_sha256 FROM notice_record r WHERE r.case_id = ?1 AND r.id > ?2"
                                " AND r.id <= ?3 AND r.direction = 'out' AND EXISTS (SELECT 1 FROM notice_party t WHERE t.record_id = r.id AND t.side = 'to' AND"
                                " (t.org_id = ?4 OR (?5 AND t.org_id = ''))) AND NOT EXISTS (SELECT 1 FROM link_out y WHERE y.ref = 'record' AND y.ref_id = r.id AND"
                                " y.node = ?6) ORDER BY r.id LIMIT 1",
                                "iiitit", s->case_id, s->first_record, s->last_record, x->p->org_id, (int64_t)to_centre, x->p->node);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    if (rc <= 0)
        return rc;
    n->record = sqlite3_column_int64(st, 0);
    n->kind = db_copy(st, 1, &c->a);
    n->number = db_copy(st, 2, &c->a);
    n->form = db_copy(st, 3, &c->a);
    n->canonical = db_copy(st, 4, &c->a);
    n->sha256 = db_copy(st, 5, &c->a);
    n->pdf = db_copy(st, 6, &c->a);
    db_done(st);
    return 1;
}

static int step_json(struct call *c, const struct carried *x, const struct step *s, bool first, bool bare, json_t **out)
{
    char at[TIME_TEXT_MAX];
    json_t *body = NULL, *opening = first ? opening_json(c, x) : json_null();
    int rc = body_for(c, x, s, bare, &body);

    *out = rc == 0 ? json_pack("{s:o, s:s, s:o, s:o, s:o, s:o}", "act", json_str(s->act), "at", time_format_utc(s->at, at), "body", body, "by", json_str(s->by),
                               "opening", opening, "role", json_str(s->role))
                   : NULL;
    return rc < 0 ? rc : *out ? 0 : err_set(c->e, -ENOMEM, "no memory for a step");
}

static int put_step(struct call *c, const struct carried *x, const struct step *s, bool first, bool bare)
{
    struct issued n = { .case_number = x->k.number, .their_case = x->their_number, .object = x->k.object_id };
    struct message_id sent = { 0 };
    json_t *step = NULL;
    struct peer now;
    int rc = step_json(c, x, s, first, bare, &step);

    if (rc == 0)
        rc = case_origin(c, &x->k, &x->self, &n.origin);
    if (rc == 0)
        rc = record_of_step(c, x, s, &n);
    if (rc >= 0)
        rc = peer_load(c, x->p->node, &now);
    if (rc > 0)
        rc = notice_put(c, &now, &n, step, &sent);
    json_decref(step);
    if (rc >= 0)
        rc = db_exec(c->d, c->e, "UPDATE link_out SET step_act = ?2, case_id = ?3 WHERE id = ?1", "iti", sent.row, s->act, s->case_id);
    return rc < 0 ? rc : 0;
}

/* --- which steps --- */

static int forbidden(struct call *c, const struct carried *x, bool *yes)
{
    struct str centre = { NULL, 0 };
    bool sts = str_eq(x->p->org_kind, STR("sts")), lawful = sts || str_eq(x->p->org_kind, STR("knb")) || str_eq(x->p->org_id, x->k.org_id);
    int rc = tlp_allows(c, &x->k, sts ? centre : x->p->org_id, lawful);

    *yes = rc == -EPROTO;
    if (*yes) {
        c->r->code = NULL;
        c->r->field[0] = 0;
    }
    return *yes ? 0 : rc;
}

static int hold(struct call *c, const struct carried *x, const struct step *s, const char *why)
{
    int rc = db_exec(c->d, c->e, "INSERT OR IGNORE INTO link_held(node, step_id, case_id, why, at) VALUES (?,?,?,?,?)", "tiizi", x->p->node, s->id, s->case_id,
                     why, c->now);

    return rc < 0 ? rc : 0;
}

/* steps_of - those of a case that go now: what was held, and with an opening what was done before. */
static int steps_of(struct call *c, const struct carried *x, const struct step *last, struct step *list, size_t *n)
{
    bool history = x->opening && x->k.machine != MACHINE_STS && !str_eq(x->p->org_kind, STR("knb"));
    sqlite3_stmt *st = db_query(c->d, c->e,
                                STEP_COLUMNS "WHERE s.case_id = ?1 AND s.id < ?2 AND ((?3 AND s.heard_from IS NULL) OR s.id IN (SELECT step_id FROM link_held"
                                             " WHERE node = ?4 AND case_id = ?1 AND why = 'tlp')) ORDER BY s.id LIMIT 201",
                                "iiit", last->case_id, last->id, (int64_t)history, x->p->node);
    int rc = st ? 0 : -EIO;

    *n = 0;
    while (st && (rc = db_step(c->d, st, c->e)) > 0 && *n < HISTORY_MAX)
        step_fill(c, st, &list[(*n)++]);
    if (rc > 0) {
        db_done(st);
        return err_set(c->e, -E2BIG, "more than %d steps of case %.*s would go to node \"%.*s\" at once", HISTORY_MAX, STR_ARG(x->k.number), STR_ARG(x->p->node));
    }
    return rc;
}

static bool is_red(const struct step *s)
{
    json_t *b = str_eq(s->act, STR("set_tlp")) ? json_loadb(s->body.p, s->body.n, JSON_DECODE_ANY, NULL) : NULL;
    bool red = str_eq(json_get_str(b, "tlp"), STR("red"));

    json_decref(b);
    return red;   /* names people of this desk; where nothing leaves it says nothing */
}

static int put_all(struct call *c, struct carried *x, const struct step *last)
{
    struct step *list = arena_array(&c->a, HISTORY_MAX + 1, sizeof *list);
    bool confirmed = false, first = x->opening;
    size_t n = 0;
    int rc = list ? steps_of(c, x, last, list, &n) : err_set(c->e, -ENOMEM, "no memory for steps");

    if (rc < 0)
        return rc;
    list[n++] = *last;
    for (size_t i = 0; rc >= 0 && i < n; i++) {
        if (is_red(&list[i]))
            continue;
        confirmed = confirmed || str_eq(list[i].act, STR("confirm_incident"));
        rc = put_step(c, x, &list[i], first, x->opening && !confirmed);
        first = false;
    }
    if (rc >= 0)
        rc = db_exec(c->d, c->e, "DELETE FROM link_held WHERE node = ?1 AND case_id = ?2 AND why = 'tlp'", "ti", x->p->node, last->case_id);
    if (rc >= 0 && x->opening)
        rc = db_exec(c->d, c->e, "INSERT OR IGNORE INTO link_case(node, case_id, added_at) VALUES (?,?,?)", "tii", x->p->node, last->case_id, c->now);
    return rc < 0 ? rc : 0;
}

/* concerns - does the node know of the case, or does this step tell it? */
static int concerns(struct call *c, struct carried *x, const struct step *s, bool *yes)
{
    bool here = false, knb = str_eq(x->p->org_kind, STR("knb"));
    /* KNB is told by its own notice and by nothing before it, however late we look at what was done. */
    bool tells = knb ? str_eq(s->act, STR("notify_knb")) : telling(s->act);
    int64_t foreign = 0, known = 0;
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT their_number FROM link_case WHERE node = ?1 AND case_id = ?2", "ti", x->p->node, s->case_id);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    if (rc > 0) {
        known = 1;
        x->their_number = db_copy(st, 0, &c->a);
        db_done(st);
    }
    if (rc >= 0)
        rc = db_int(c->d, c->e, 0, &foreign, "SELECT count(*) FROM link_origin WHERE case_id = ?", "i", s->case_id);
    if (rc < 0)
        return rc;
    /* KNB hears from the centre what others did; everybody else hears it from who did it. */
    here = !s->heard_from.n || (knb && str_eq(x->self.org_kind, STR("sts")) && !str_eq(s->heard_from, x->p->node));
    x->opening = !known;
    *yes = here && (known || (tells && (!foreign || knb) && case_told(&x->k, x->p->org_id, x->p->org_kind) &&
                              !str_eq(x->p->org_kind, x->k.machine == MACHINE_STS ? STR("sts") : STR(""))));
    return 0;
}

/* carry - one step for one peer: it goes, it is held, or it is none of theirs. */
static int carry(struct call *c, const struct peer *p, const struct step *s, bool give_up)
{
    struct carried x = { .p = p };
    bool yes = false, no = false;
    int rc = link_self(c, &x.self);

    if (rc <= 0)
        return rc;
    rc = case_load(c, s->case_id, &x.k);
    if (rc == 0)
        rc = concerns(c, &x, s, &yes);
    if (rc < 0 || !yes)
        return rc;
    rc = forbidden(c, &x, &no);
    if (rc < 0 || no || give_up)
        return rc < 0 ? rc : hold(c, &x, s, no ? "tlp" : "too_large");
    return put_all(c, &x, s);
}

int step_send(struct call *c, struct str node, bool give_up)
{
    struct step s;
    struct peer p;
    sqlite3_stmt *st;
    int rc = peer_load(c, node, &p);

    if (rc <= 0)
        return rc;
    st = db_query(c->d, c->e, STEP_COLUMNS "WHERE s.id > (SELECT step_cursor FROM link_peer WHERE node = ?1) ORDER BY s.id LIMIT 1", "t", node);
    rc = st ? db_step(c->d, st, c->e) : -EIO;
    if (rc <= 0)
        return rc;
    step_fill(c, st, &s);
    db_done(st);
    rc = carry(c, &p, &s, give_up);
    if (rc >= 0)
        rc = db_exec(c->d, c->e, "UPDATE link_peer SET step_cursor = ?2 WHERE node = ?1", "ti", node, s.id);
    return rc < 0 ? rc : 1;
}
