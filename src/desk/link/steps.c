/* steps.c - what is done on a case stands in a row of steps, in the transaction of the act; and the gate that keeps one side's acts on its own node.
 *
 * A step is the act itself: its name and its body, as the table of cases/machine.c knows them. The other node repeats it by the same table, as
 * somebody of our organisation: so what one node may do to the copy of another is what its people might do in the portal, and nothing more. */
#include "desk/cases/acts.h"
#include "desk/link/room.h"

/* Drafts, remarks, merging, whose work it is, the label before the notice: each side's own. */
static const char *const travelling[] = {
    "notify", "acknowledge", "confirm_event", "confirm_incident", "reject", "dispute_rejection", "event_analysis", "report_measures", "notify_incident",
    "eliminate", "accept_elimination", "return_elimination", "notify_knb", "close", "decide_visit", "send_employee", "visit_return", "recommend",
    "review_level", "update", "decide_recurrence", "consult_request", "consult_give", "set_tlp", "add_indicator", "remove_indicator",
};

bool step_travels(const char *act)
{
    for (size_t i = 0; i < COUNT(travelling); i++)
        if (strcmp(travelling[i], act) == 0)
            return true;
    return false;
}

/* What people of an organisation may be, by its kind: requirements 1.2. */
bool step_role_allowed(struct str org_kind, enum desk_role role)
{
    if (str_eq(org_kind, STR("sts")))
        return role_of_centre(role);
    if (str_eq(org_kind, STR("knb")))
        return role == DESK_KNB;
    if (str_eq(org_kind, STR("ocib")))
        return role == DESK_OCIB_ANALYST;
    if (str_eq(org_kind, STR("owner")) || str_eq(org_kind, STR("possessor")))
        return role == DESK_OWNER_OFFICER || role == DESK_OWNER_ADMINISTRATOR || role == DESK_CII_RESPONSIBLE;
    return false;
}

/* --- who acts where --- */

bool step_elsewhere(struct call *c, const struct kase *k)
{
    int64_t n = 0;

    /* A red case does not reach their node: those of them who are named act here. */
    if (!c->v || c->heard || str_eq(k->tlp, STR("red")))
        return false;
    return db_int(c->d, NULL, 0, &n,
                  "SELECT count(*) FROM link_case x JOIN link_peer p ON p.node = x.node JOIN org o ON o.id = p.org_id WHERE x.case_id = ?1 AND p.active = 1"
                  " AND (p.org_id = ?2 OR (o.kind = 'sts' AND ?3) OR (o.kind = 'knb' AND ?4))",
                  "izii", k->id, c->v->org_id, (int64_t)role_of_centre(c->v->role), (int64_t)(c->v->role == DESK_KNB)) == 0 && n > 0;
}

int step_here(struct call *c, const struct kase *k, const char *act)
{
    if (!step_travels(act) || !step_elsewhere(c, k))
        return 0;
    return refuse(c, -EPROTO, "elsewhere", NULL, "\"%s\" acts on a node of its own, which knows this case: do it there", c->v->org_id);
}

int org_on_node(struct call *c, struct str org, bool *yes)
{
    int64_t n = 0;
    int rc = db_int(c->d, c->e, 0, &n,
                    "SELECT count(*) FROM link_peer p CROSS JOIN org o ON o.id = p.org_id CROSS JOIN link_self s CROSS JOIN org m ON m.id = s.org_id WHERE p.active = 1 AND"
                    " (p.org_id = ?1 OR (?1 IS NULL AND o.kind = 'sts' AND m.kind <> 'sts'))",
                    "t", org.n ? org : (struct str){ NULL, 0 });

    *yes = n > 0 && !c->heard;
    return rc;
}

int heard_document(struct call *c, struct buf *out) { return link_file_read(c->d, c->heard->pdf, out, c->e); }

/* --- writing --- */

int step_keep(struct call *c, const struct kase *k, const char *act, const json_t *body, int64_t first_record)
{
    AUTO_FREE char *text = NULL;
    int64_t nodes = 0;
    int rc;

    if (!step_travels(act))
        return 0;
    rc = db_int(c->d, c->e, 0, &nodes, "SELECT EXISTS (SELECT 1 FROM link_peer)", "");
    if (rc < 0 || !nodes)
        return rc;
    text = json_dumps(body ? body : json_null(), JSON_COMPACT | JSON_ENCODE_ANY);
    if (!text)
        return err_set(c->e, -ENOMEM, "no memory for a step");
    rc = db_exec(c->d, c->e,
                 "INSERT INTO link_step(case_id, act, at, role, by, org_id, heard_from, body, first_record, last_record) VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,"
                 "(SELECT coalesce(max(id), 0) FROM notice_record))",
                 "izizztzzi", k->id, act, c->now, c->v ? desk_role_name(c->v->role) : "centre_analyst", c->v ? c->v->name : "",
                 c->v && c->v->org_id[0] ? str_c(c->v->org_id) : (struct str){ NULL, 0 }, c->heard ? c->v->address : NULL, text, first_record);
    return rc < 0 ? rc : 0;
}

/* --- who was told --- */

bool case_told(const struct kase *k, struct str org, struct str org_kind)
{
    bool ocib = str_eq(org, k->ocib_id), own = str_eq(org, k->org_id) || str_eq(org, k->possessor_id);

    if (str_eq(org_kind, STR("knb")))
        return k->escalated_at != 0;
    if (str_eq(org_kind, STR("sts")))
        return k->machine == MACHINE_STS || k->sts_notified_at != 0;
    if (!ocib && !own)
        return false;
    if (k->machine == MACHINE_STS)
        return k->notified_at != 0;
    if (k->machine == MACHINE_SELF)
        return k->sts_notified_at != 0;
    return k->second_notified_at != 0;
}

int case_known_to(struct call *c, const struct kase *k, struct str but)
{
    struct { struct str node, org, kind; } found[16];
    size_t n = 0;
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT p.node, p.org_id, o.kind FROM link_peer p JOIN org o ON o.id = p.org_id WHERE p.active = 1 AND p.node <> ?1 AND"
                                " (o.kind = 'sts' OR p.org_id IN (?2, ?3, ?4)) ORDER BY p.node LIMIT 16",
                                "tttt", but, k->org_id, k->possessor_id, k->ocib_id);
    int rc = st ? 0 : -EIO;

    while (st && n < COUNT(found) && (rc = db_step(c->d, st, c->e)) > 0) {
        found[n].node = db_copy(st, 0, &c->a);
        found[n].org = db_copy(st, 1, &c->a);
        found[n++].kind = db_copy(st, 2, &c->a);
    }
    if (rc > 0)
        db_done(st);
    for (size_t i = 0; rc >= 0 && i < n; i++)
        if (case_told(k, found[i].org, found[i].kind))
            rc = db_exec(c->d, c->e, "INSERT OR IGNORE INTO link_case(node, case_id, added_at) VALUES (?,?,?)", "tii", found[i].node, k->id, c->now);
    return rc < 0 ? rc : 0;
}

int case_origin(struct call *c, const struct kase *k, const struct self *self, struct str *out)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT origin FROM link_origin WHERE case_id = ?", "i", k->id);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    if (rc > 0) {
        *out = db_copy(st, 0, &c->a);
        db_done(st);
    } else if (rc == 0) {
        *out = arena_printf(&c->a, "%.*s/%.*s", STR_ARG(self->node), STR_ARG(k->number));
    }
    return rc < 0 ? rc : 0;
}
