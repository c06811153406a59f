/* replay.c - what was done on another node is repeated here: by the same table of acts, as somebody of that node's organisation, at the moment it says.
 *
 * Nothing is believed but that it was said: whether the organisation may do it, on this object, in this state and under this label, is asked exactly
 * as for a person in the portal. What cannot be repeated leaves the copy as it was; its notice still lies in the inbox, with the reason. */
#include "desk/cases/acts.h"
#include "desk/link/room.h"

void peer_viewer(const struct peer *p, enum desk_role role, struct viewer *v)
{
    *v = (struct viewer){ .role = role, .lang = LANG_RU };
    snprintf(v->login, sizeof v->login, "node/%.*s", STR_ARG(p->node));
    snprintf(v->name, sizeof v->name, "%.*s", (int)min_size(p->title.n, 400), p->title.p);
    snprintf(v->org_id, sizeof v->org_id, "%.*s", STR_ARG(p->org_id));
    snprintf(v->address, sizeof v->address, "%.*s", (int)min_size(p->node.n, 63), p->node.p);
}

/* usual_role - as whom the node looks for a case. */
static enum desk_role usual_role(const struct peer *p)
{
    return str_eq(p->org_kind, STR("sts")) ? DESK_CENTRE_ANALYST : str_eq(p->org_kind, STR("knb")) ? DESK_KNB
         : str_eq(p->org_kind, STR("ocib")) ? DESK_OCIB_ANALYST : DESK_OWNER_OFFICER;
}

/* own_number - of an origin that names this node; empty for another. */
static int own_number(struct call *c, struct str origin, struct str *out)
{
    struct self self;
    int rc = link_self(c, &self);

    *out = STR("");
    if (rc > 0 && origin.n > self.node.n && str_starts(origin, self.node) && origin.p[self.node.n] == '/')
        *out = str_cut(origin, self.node.n + 1);
    return rc < 0 ? rc : 0;
}

/* number_keep - their number of a case. Naming one makes nobody known to it: only who was told of it has a row to come. */
static int number_keep(struct call *c, const struct peer *p, int64_t id, struct str theirs)
{
    const struct viewer *v = c->v;
    struct kase k;
    int rc;

    c->v = NULL;
    rc = case_load(c, id, &k);
    c->v = v;
    if (rc == 0 && case_told(&k, p->org_id, p->org_kind))
        rc = db_exec(c->d, c->e, "INSERT OR IGNORE INTO link_case(node, case_id, added_at) VALUES (?,?,?)", "tii", p->node, id,
                     k.notified_at ? k.notified_at : k.sts_notified_at ? k.sts_notified_at : k.detected_at);
    if (rc >= 0)
        rc = db_exec(c->d, c->e, "UPDATE link_case SET their_number = coalesce(their_number, ?3) WHERE node = ?1 AND case_id = ?2", "tit", p->node, id, theirs);
    return rc < 0 ? rc : 0;
}

/* case_find - what a node was told of stays known to it when the label becomes RED: it says what it did, and hears nothing more. */
int case_find(struct call *c, const struct peer *p, const json_t *about, int64_t *id)
{
    struct str yours = json_get_str(about, "your_case"), theirs = json_get_str(about, "case"), origin = json_get_str(about, "origin"), own;
    struct viewer v;
    int rc = own_number(c, origin, &own);
    enum desk_role role = usual_role(p);

    *id = 0;
    peer_viewer(p, role, &v);
    if (rc == 0)
        rc = db_int(c->d, c->e, 0, id,
                    "SELECT k.id FROM cases k LEFT JOIN object o ON o.id = k.object_id WHERE k.id IN (SELECT id FROM cases WHERE number IN (?5, ?6) UNION"
                    " SELECT case_id FROM link_origin WHERE origin = ?7 UNION SELECT case_id FROM link_case WHERE node = ?8 AND their_number = ?9) AND "
                    "(" CASE_VISIBLE " OR (k.tlp = 'red' AND k.id IN (SELECT case_id FROM link_case WHERE node = ?8) AND ((?4 = 1 AND k.escalated_at IS NOT NULL) OR"
                    " ?2 IN (o.org_id, o.possessor_id, o.ocib_id)))) ORDER BY k.number = ?5 DESC, k.number = ?6 DESC LIMIT 1",
                    "iziittttt", (int64_t)!role_of_centre(role), v.org_id, (int64_t)0, (int64_t)(role == DESK_KNB), yours, own, origin, p->node, theirs);
    if (rc == 0 && *id && theirs.n)
        rc = number_keep(c, p, *id, theirs);
    return rc < 0 ? rc : 0;
}

int object_find(struct call *c, const struct peer *p, const json_t *about, struct str *id)
{
    struct str yours = json_get_str(about, "your_object"), theirs = json_get_str(about, "object");
    int64_t bounded = !str_eq(p->org_kind, STR("sts"));
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT o.id FROM object o WHERE o.id = coalesce(nullif(?3, ''), (SELECT object_id FROM link_object WHERE node = ?4 AND their_id ="
                                " ?5), ?5) AND " SCOPE_OBJECT,
                                "itttt", bounded, p->org_id, yours.n ? yours : STR(""), p->node, theirs.n ? theirs : STR(""));
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    *id = (struct str){ NULL, 0 };
    if (rc > 0) {
        *id = db_copy(st, 0, &c->a);
        db_done(st);
    }
    return rc < 0 ? rc : 0;
}

/* --- as whom --- */

static int role_may(struct call *c, const struct peer *p, enum desk_role role, bool *yes)
{
    struct self self;
    sqlite3_stmt *st;
    int rc = link_self(c, &self);

    *yes = false;
    if (rc < 0 || role == DESK_ROLE_COUNT)
        return rc < 0 ? rc : 0;
    /* KNB hears of a case from the centre alone, what others did too. */
    if (rc > 0 && str_eq(self.org_kind, STR("knb")) && str_eq(p->org_kind, STR("sts")) && (role_of_centre(role) || role_of_owner(role)))
        *yes = true;
    st = db_query(c->d, c->e, "SELECT kind FROM org_kind WHERE org_id = ?1", "t", p->org_id);
    rc = st ? 0 : -EIO;
    while (st && (rc = db_step(c->d, st, c->e)) > 0)
        *yes = *yes || step_role_allowed(db_str(st, 0), role);
    return rc;
}

/* viewer_for - at KNB, what the owner's side did is repeated as the owner's side. */
static int viewer_for(struct call *c, const struct peer *p, enum desk_role role, struct str object, struct viewer *v)
{
    sqlite3_stmt *st;
    int rc;

    peer_viewer(p, role, v);
    if (!str_eq(p->org_kind, STR("sts")) || !role_of_owner(role))
        return 0;
    st = db_query(c->d, c->e, "SELECT CASE WHEN ?2 THEN ocib_id ELSE org_id END FROM object WHERE id = ?1", "ti", object, (int64_t)(role == DESK_OCIB_ANALYST));
    rc = st ? db_step(c->d, st, c->e) : -EIO;
    if (rc > 0) {
        snprintf(v->org_id, sizeof v->org_id, "%.*s", STR_ARG(db_str(st, 0)));
        db_done(st);
    }
    return rc < 0 ? rc : 0;
}

/* --- opening --- */

static bool level_known(struct str level)
{
    for (size_t i = 0; level_values[i]; i++)
        if (str_eq(level, str_c(level_values[i])))
            return true;
    return false;
}

/* snapshot - KNB takes the case where it stands: a confirmed incident whose elimination is late. */
static int snapshot(struct call *c, int64_t id, const json_t *o)
{
    struct kase k;
    time_ns confirmed = time_of(o, "confirmed_at"), told = time_of(o, "notified_at");
    struct str level = json_get_str(o, "level");
    int rc = case_load(c, id, &k);

    if (rc == 0 && !confirmed)
        rc = refuse(c, -EINVAL, "bad_payload", "opening", "KNB is told of confirmed incidents alone");
    if (rc == 0)
        rc = within(c, confirmed, k.detected_at, "confirmed_at");
    if (rc == 0 && told)
        rc = within(c, told, k.detected_at, "notified_at");
    if (rc == 0 && level.n && !level_known(level))
        rc = refuse(c, -EINVAL, "bad_payload", "level", "no such level");
    if (rc == 0)
        rc = db_exec(c->d, c->e,
                     "UPDATE cases SET state = ?2, kind = 'incident', confirmed_at = ?3, level = ?4, notified_at = CASE WHEN machine = 'sts' THEN ?5 END,"
                     " sts_notified_at = CASE WHEN machine = 'sts' THEN NULL ELSE ?5 END, measures_at = CASE WHEN ?6 THEN ?5 END WHERE id = ?1",
                     "izitmi", id, json_is_true(json_object_get(o, "measures")) ? "measures_reported" : k.machine == MACHINE_STS ? "incident_confirmed" : "sts_notified",
                     confirmed, level.n ? level : STR("undefined"), told, (int64_t)json_is_true(json_object_get(o, "measures")));
    return rc < 0 ? rc : clock_start(c, &k, "D-06", confirmed);
}

static json_t *case_body(const json_t *o, struct str object)
{
    static const char *const same[] = { "title", "detected_at", "description", "contact", "external_number", "tlp", "incident_type" };
    json_t *body = json_pack("{s:o}", "object", json_str(object));

    for (size_t i = 0; body && i < COUNT(same); i++)
        if (json_object_get(o, same[i]))
            json_object_set(body, same[i], json_object_get(o, same[i]));
    return body;
}

static int origin_keep(struct call *c, const struct peer *p, struct str origin, bool knb, int64_t id)
{
    int rc;

    /* Who opens a case gives it its name: nobody takes that of another. */
    if (!origin.n || origin.n > 200 || (!knb && !(str_starts(origin, p->node) && origin.n > p->node.n && origin.p[p->node.n] == '/')))
        return refuse(c, -EINVAL, "bad_payload", "origin", "the case has the name of another node");
    rc = db_exec(c->d, c->e, "INSERT INTO link_origin(case_id, origin) VALUES (?, ?)", "it", id, origin);
    return rc == -EEXIST ? refuse(c, -EINVAL, "bad_payload", "origin", "a case of this name is known, and is not theirs") : rc < 0 ? rc : 0;
}

static int open_case(struct call *c, const struct peer *p, const json_t *about, const json_t *o, struct str object, int64_t *id)
{
    struct self self;
    int rc = link_self(c, &self);
    bool knb = rc > 0 && str_eq(self.org_kind, STR("knb"));
    json_t *body = case_body(o, object);

    rc = rc < 0 ? rc : body ? 0 : err_set(c->e, -ENOMEM, "no memory for a case");
    if (rc == 0 && str_eq(json_get_str(o, "tlp"), STR("red")))
        rc = refuse(c, -EPROTO, "tlp_forbids", "tlp", "TLP:RED does not travel");
    if (rc == 0)
        rc = case_open_heard(c, body, json_get_str(o, "machine"), json_get_str(o, "detector"), knb, id);
    json_decref(body);
    if (rc == 0)
        rc = origin_keep(c, p, json_get_str(about, "origin"), knb, *id);
    if (rc == 0)
        rc = db_exec(c->d, c->e, "INSERT OR REPLACE INTO link_case(node, case_id, their_number, added_at) VALUES (?,?,?,?)", "titi", p->node, *id,
                     json_get_str(about, "case"), c->heard->at);
    if (rc >= 0 && knb)
        rc = snapshot(c, *id, o);
    return rc < 0 ? rc : 0;
}

/* --- the act --- */

/* found_or_opened - with c->v and c->now as the act has them. */
static int found_or_opened(struct call *c, const struct peer *p, const json_t *about, const json_t *step, struct str object, int64_t *id, bool *opened)
{
    const json_t *opening = json_object_get(step, "opening");
    int rc = case_find(c, p, about, id);

    *opened = rc == 0 && !*id;
    if (rc < 0 || *id)
        return rc;
    if (!json_is_object(opening))
        return refuse(c, -ENOENT, "unknown_case", NULL, "no case of this name is known here, or it is not theirs");
    if (!object.n)
        return refuse(c, -ENOENT, "unknown_object", NULL, "the object \"%.*s\" is not registered here, or is not theirs", STR_ARG(json_get_str(about, "object")));
    return open_case(c, p, about, opening, object, id);
}

bool link_trouble(int rc) { return rc == -EIO || rc == -ENOMEM || rc == -EBUSY || rc == -ENOSPC || rc == -EAGAIN; }

/* What one step needs while it is repeated; c->v, c->now and c->heard are the act's between as_them and as_us. */
struct replay {
    const struct peer *p;
    const json_t      *about, *step;
    struct str         object;
    enum desk_role     role;
    struct viewer      v;
    struct heard       heard;
    time_ns            said, sent;
    bool               opened;      /* by this step, here */
    step_register     *registered;
    void              *arg;
};

static void as_them(struct call *c, const struct replay *r)
{
    c->v = &r->v;
    c->now = r->said < r->heard.at ? r->said : r->heard.at;
    c->heard = &r->heard;
}

static void as_us(struct call *c, const struct replay *r)
{
    c->v = NULL;
    c->now = r->heard.at;
    c->heard = NULL;
}

/* body_travels - ids of people and cases mean others here than there, and RED names people. */
static int body_travels(struct call *c, struct str act, const json_t *body)
{
    if (json_object_get(body, "persons") || json_object_get(body, "previous"))
        return refuse(c, -EINVAL, "bad_payload", "step", "people and cases of another node are named");
    if (str_eq(act, STR("set_tlp")) && str_eq(json_get_str(body, "tlp"), STR("red")))
        return refuse(c, -EPROTO, "tlp_forbids", "tlp", "TLP:RED does not travel");
    return 0;
}

/* judge - is it a step, and one that somebody of this organisation may have done? */
static int judge(struct call *c, struct replay *r)
{
    struct str act = json_get_str(r->step, "act"), role = json_get_str(r->step, "role"), by = json_get_str(r->step, "by");
    bool may = false;
    int rc;

    if (!link_instant(json_get_str(r->step, "at"), &r->said) || !json_is_object(json_object_get(r->step, "body")))
        return refuse(c, -EINVAL, "bad_payload", "step", "a step has a moment and a body");
    if (r->said > r->sent + ACT_FUTURE_NS)
        return refuse(c, -EINVAL, "bad_payload", "step", "a step was done before it is sent");
    if (!act.n || act.n > 40 || !step_travels(arena_printf(&c->a, "%.*s", STR_ARG(act)).p))
        return refuse(c, -EINVAL, "bad_payload", "step", "no such act travels");
    r->role = desk_role_parse(role);
    rc = body_travels(c, act, json_object_get(r->step, "body"));
    if (rc == 0)
        rc = role_may(c, r->p, r->role, &may);
    if (rc == 0 && !may)
        rc = refuse(c, -EACCES, "forbidden", NULL, "an organisation of kind %.*s does nothing in the role \"%.*s\"", STR_ARG(r->p->org_kind), STR_ARG(role));
    if (rc == 0)
        rc = object_find(c, r->p, r->about, &r->object);
    r->heard.by = arena_printf(&c->a, "%.*s: %.*s", STR_ARG(r->p->title), (int)min_size(by.n, 300), by.n ? by.p : "");
    return rc < 0 ? rc : viewer_for(c, r->p, r->role, r->object, &r->v);
}

/* bound_below - nobody does a thing before the case stands, before their node was told of it (if it was opened here), or before what they did last. */
static int bound_below(struct call *c, struct replay *r, int64_t case_id)
{
    time_ns low = 0;
    int rc = db_int(c->d, c->e, 0, &low,
                    "SELECT max(min(k.created_at, k.detected_at), coalesce((SELECT x.added_at FROM link_case x WHERE x.case_id = k.id AND x.node = ?2 AND NOT EXISTS"
                    " (SELECT 1 FROM link_origin o WHERE o.case_id = k.id)), 0), coalesce((SELECT max(s.at) FROM link_step s WHERE s.case_id = k.id AND s.heard_from"
                    " = ?2), 0)) FROM cases k WHERE k.id = ?1",
                    "it", case_id, r->p->node);

    r->said = rc == 0 && r->said < low ? low : r->said;
    return rc < 0 ? rc : 0;
}

/* late_line - a moment that is far from when we heard of it is said where the case is read. */
static int late_line(struct call *c, const struct replay *r, int64_t case_id)
{
    char at[TIME_TEXT_MAX];

    if (r->heard.at - r->said <= LINK_LATE_NS)
        return 0;
    return timeline_add(c, case_id, &(struct line){ .kind = "comment", .channel = "link", .addressee = r->p->title, .key = "case.text.step_late", .args =
                                                    json_pack("{s:o, s:o, s:s}", "node", json_str(r->p->title), "act", json_str(json_get_str(r->step, "act")), "at",
                                                              time_format_utc(r->said, at)) });
}

static int repeat(struct call *c, struct replay *r, int64_t *case_id)
{
    struct kase k;
    int rc;

    as_them(c, r);
    rc = found_or_opened(c, r->p, r->about, r->step, r->object, case_id, &r->opened);
    as_us(c, r);
    if (rc == 0 && !r->opened)
        rc = bound_below(c, r, *case_id);
    if (rc == 0 && r->registered)   /* the notice is registered by us, now; the act needs to know it */
        rc = r->registered(c, r->arg, *case_id, &r->heard.record, &r->heard.pdf);
    as_them(c, r);
    if (rc == 0)
        rc = act_run(c, *case_id, json_get_str(r->step, "act"), json_object_get(r->step, "body"));
    as_us(c, r);
    if (rc == 0)
        rc = late_line(c, r, *case_id);
    if (rc == 0)
        rc = db_exec(c->d, c->e, "INSERT INTO link_case(node, case_id, their_number, added_at) VALUES (?1,?2,nullif(?3, ''),?4) ON CONFLICT DO UPDATE SET"
                                 " their_number = coalesce(their_number, nullif(?3, ''))",
                     "titi", r->p->node, *case_id, json_get_str(r->about, "case"), c->now);
    /* What the acts wrote as "changed" is their moment; the versions of the case go by when it was written down. */
    if (rc >= 0)
        rc = db_exec(c->d, c->e, "UPDATE cases SET updated_at = ?2 WHERE id = ?1", "ii", *case_id, recorded_at(c));
    if (rc >= 0)
        rc = case_load(c, *case_id, &k);
    return rc < 0 ? rc : case_known_to(c, &k, r->p->node);
}

int step_replay(struct call *c, const struct peer *p, const json_t *payload, time_ns sent, step_register *registered, void *arg, struct replayed *out)
{
    struct replay *r = arena_zero(&c->a, sizeof *r);
    int rc = r ? 0 : err_set(c->e, -ENOMEM, "no memory for a step");

    *out = (struct replayed){ 0 };
    if (rc < 0)
        return rc;
    *r = (struct replay){ .p = p, .about = json_object_get(payload, "about"), .step = json_object_get(payload, "step"), .heard = { .at = c->now }, .sent = sent,
                          .registered = registered, .arg = arg };
    rc = judge(c, r);
    if (rc == 0)
        rc = repeat(c, r, &out->case_id);
    if (rc < 0 && link_trouble(rc))
        return rc;
    out->applied = rc == 0;
    if (rc < 0) {
        out->code = c->r->code ? c->r->code : "bad_payload";
        snprintf(out->reason, sizeof out->reason, "%.*s%s%s", ERR_TEXT_MAX - DESK_FIELD_MAX - 8, c->r->err.text, *c->r->field ? ": " : "", c->r->field);
    }
    c->r->code = NULL;
    c->r->field[0] = 0;
    return 0;
}
