/* tlp.c - the label of a case (TLP 2.0), and sending under it: who may get what is asked before anything leaves.
 *
 * CLEAR and GREEN go wide. AMBER stays with the object's organisations: owner, possessor, operational centre. AMBER+STRICT stays with the
 * owner, and with whoever opened the case. RED goes to named persons alone. The centre is a party to every case of its node. The addressee whom
 * the Rules themselves name (KNB, 10(1)) may be told under AMBER and AMBER+STRICT; under RED somebody of theirs has to be named first.
 *
 * Whoever of the object's side makes a case RED does not lock out those who answer for it: the responsible persons of the owner, and the centre's
 * leads, are named whether the body names them or not. The centre names whom it wants: the one it leaves out may be the one it looks for. */
#include "desk/cases/acts.h"
#include "desk/notices/notices.h"
#include "desk/registry/registry.h"

const char *const case_tlp_values[] = { "clear", "green", "amber", "amber+strict", "red", NULL };

int tlp_allows(struct call *c, const struct kase *k, struct str org, bool lawful)
{
    int64_t named = 0;
    bool leaves = false;
    int rc = str_eq(k->tlp, STR("red")) ? org_on_node(c, org, &leaves) : 0;

    if (rc < 0)
        return rc;
    if (leaves)
        return refuse(c, -EPROTO, "tlp_forbids", "tlp", "TLP:RED does not leave this node, and the addressee is on another");
    if (!org.n || str_eq(k->tlp, STR("clear")) || str_eq(k->tlp, STR("green")))
        return 0;
    if (str_eq(k->tlp, STR("red"))) {
        rc = db_int(c->d, c->e, 0, &named, "SELECT count(*) FROM case_person p JOIN user u ON u.id = p.user_id WHERE p.case_id = ?1 AND u.org_id = ?2",
                    "it", k->id, org);
        if (rc < 0 || named)
            return rc;
        return refuse(c, -EPROTO, "tlp_forbids", "tlp", "TLP:RED goes to named persons alone, and nobody of \"%.*s\" is named", STR_ARG(org));
    }
    if (lawful || str_eq(org, k->org_id))
        return 0;
    if (str_eq(k->tlp, STR("amber+strict")))
        return str_eq(org, k->opened_org) ? 0
               : refuse(c, -EPROTO, "tlp_forbids", "tlp", "TLP:AMBER+STRICT stays with the organisation, \"%.*s\" is another", STR_ARG(org));
    return str_eq(org, k->possessor_id) || str_eq(org, k->ocib_id) || str_eq(org, k->opened_org)
               ? 0 : refuse(c, -EPROTO, "tlp_forbids", "tlp", "TLP:AMBER stays with owner, possessor and operational centre, \"%.*s\" is none of them",
                            STR_ARG(org));
}

static size_t label_rank(struct str tlp)
{
    size_t i = 0;

    while (case_tlp_values[i] && !str_eq(tlp, str_c(case_tlp_values[i])))
        i++;
    return i;
}

bool tlp_narrower_than_usual(struct str published) { return label_rank(published) > label_rank(STR("amber")) && label_rank(published) <= label_rank(STR("red")); }

int tlp_not_wider(struct call *c, const struct kase *k, bool correction, const char **tlp)
{
    bool wider = *tlp && label_rank(str_c(*tlp)) < label_rank(k->tlp);

    if (wider && !correction)
        return refuse(c, -EPROTO, "tlp_forbids", "tlp", "the case is TLP:%.*s, the notice cannot be wider", STR_ARG(k->tlp));
    if (!*tlp || wider)
        *tlp = k->tlp.p;
    return 0;
}

/* What stands in each row of an address is whose it is: the centre's, a named person's, somebody's of an organisation that the label lets know. */
int tlp_letter(struct call *c, int64_t case_id, struct str email, bool *may)
{
    int64_t n = 0;
    int rc = db_int(c->d, c->e, 0, &n,
                    "SELECT count(*) FROM cases k LEFT JOIN object o ON o.id = k.object_id WHERE k.id = ?1 AND (k.tlp NOT IN ('red','amber+strict')"
                    " OR EXISTS (SELECT 1 FROM org g WHERE g.kind = 'sts' AND g.email = ?2) OR EXISTS (SELECT 1 FROM user u WHERE u.email = ?2 AND u.role IN"
                    " ('administrator','centre_analyst','centre_lead','surveyor','document_auditor','auditor'))"
                    " OR EXISTS (SELECT 1 FROM case_person p JOIN user u ON u.id = p.user_id WHERE p.case_id = k.id AND u.email = ?2)"
                    " OR (k.tlp = 'amber+strict' AND (EXISTS (SELECT 1 FROM person p WHERE p.org_id IN (o.org_id, k.opened_org) AND p.email = ?2)"
                    " OR EXISTS (SELECT 1 FROM user u WHERE u.org_id IN (o.org_id, k.opened_org) AND u.email = ?2)"
                    " OR EXISTS (SELECT 1 FROM org g WHERE (g.id IN (o.org_id, k.opened_org) OR (g.kind = 'knb' AND k.escalated_at IS NOT NULL)) AND"
                    " g.email = ?2))))",
                    "it", case_id, email);

    *may = rc == 0 && n > 0;
    return rc;
}

#define SEND_ORGS_MAX 16

struct send_list {
    struct str org[SEND_ORGS_MAX];
    bool       lawful[SEND_ORGS_MAX];
    size_t     n;
};

static void list_add(struct send_list *l, struct str org, bool lawful)
{
    for (size_t i = 0; i < l->n; i++)
        if (str_eq(l->org[i], org))
            return;
    if (l->n < SEND_ORGS_MAX) {
        l->lawful[l->n] = lawful;
        l->org[l->n++] = org;
    }
}

static int list_knb(struct call *c, struct send_list *l)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT id FROM org WHERE kind = 'knb' ORDER BY id LIMIT 4", "");
    int rc = st ? 0 : -EIO;

    while (st && (rc = db_step(c->d, st, c->e)) > 0)
        list_add(l, db_copy(st, 0, &c->a), true);
    return rc;
}

/* list_fill - the other side of the centre is the object's parties, and theirs is the centre and whoever else of them knows of the case. */
static int list_fill(struct call *c, const struct kase *k, unsigned to, struct send_list *l)
{
    bool centre = side_of_centre(c);
    struct str mine = str_c(viewer_org(c));

    if (to & TO_OTHER_SIDE)
        to |= centre ? TO_OWNER | TO_POSSESSOR | (k->machine == MACHINE_OCIB || k->machine == MACHINE_UNIT ? TO_OCIB : 0) : TO_STS;
    if (to & TO_STS)
        list_add(l, (struct str){ NULL, 0 }, false);
    if ((to & TO_OWNER) && k->org_id.n && (centre || !str_eq(mine, k->org_id)))
        list_add(l, k->org_id, true);
    if ((to & TO_POSSESSOR) && k->possessor_id.n && (centre || !str_eq(mine, k->possessor_id)))
        list_add(l, k->possessor_id, false);
    if ((to & TO_OCIB) && k->ocib_id.n && (centre || !str_eq(mine, k->ocib_id)))
        list_add(l, k->ocib_id, false);
    return to & TO_KNB ? list_knb(c, l) : 0;
}

int case_send(struct call *c, const struct kase *k, const struct case_message *m, int64_t *id)
{
    struct send_list l = { .n = 0 };
    char tlp[16], text[24];
    struct subject about = case_about(k, text);
    int64_t record = 0;
    int rc = list_fill(c, k, m->to, &l);

    for (size_t i = 0; rc == 0 && i < l.n; i++)
        rc = tlp_allows(c, k, l.org[i], l.lawful[i]);
    if (c->heard && id)
        *id = c->heard->record;
    if (rc < 0 || !m->kind || l.n == 0 || c->heard)
        return rc;
    snprintf(tlp, sizeof tlp, "%.*s", STR_ARG(k->tlp));
    struct str title = arena_printf(&c->a, "%.*s: %.*s", STR_ARG(k->number), STR_ARG(case_title_both(c, k, 450)));
    rc = notice_issue(c, &(struct notice_new){ .kind = m->kind, .paragraph = m->paragraph, .about = &about, .title = title, .text = m->text, .form = m->form,
                                               .values = m->values, .orgs = l.org, .org_count = l.n, .tlp = tlp }, &record);
    if (id)
        *id = record;
    return rc;
}

/* person_add - named for RED: an active account of an organisation of the case, of the centre, or of KNB. */
static int person_add(struct call *c, const struct kase *k, struct str id)
{
    int64_t known = 0;
    int rc = db_int(c->d, c->e, 0, &known,
                    "SELECT count(*) FROM user u LEFT JOIN org g ON g.id = u.org_id WHERE u.id = ?1 AND u.active = 1 AND"
                    " (u.org_id IN (?2, ?3, ?4, ?5) OR g.kind IN ('sts','knb'))",
                    "itttt", parse_id(id), k->org_id, k->possessor_id, k->ocib_id, k->opened_org);

    if (rc == 0 && !known)
        rc = refuse(c, -EINVAL, "bad_request", "persons", "a person who has no account, or belongs to nobody of the case");
    if (rc == 0)
        rc = db_exec(c->d, c->e, "INSERT OR IGNORE INTO case_person(case_id, user_id) VALUES (?, ?)", "ii", k->id, parse_id(id));
    return rc < 0 ? rc : 0;
}

/* tlp_owner_named - the owner's responsible persons who have an account; without any, its administrators and responsible persons of CII; without any,
 * whoever acts for it. */
int tlp_owner_named(struct call *c, const struct kase *k)
{
    static const char *const roles[] = { "owner_administrator", "cii_responsible", "owner_officer", "" };
    struct contact_list *l = arena_zero(&c->a, sizeof *l);
    int n = 0, rc = l ? 0 : -ENOMEM;

    if (rc == 0 && k->object_id.n)
        rc = contacts_now(c, k->object_id, "responsible_person", c->now, l);
    for (size_t i = 0; rc >= 0 && i < l->count; i++)
        if (l->at[i].user_id && (rc = db_exec(c->d, c->e, "INSERT OR REPLACE INTO case_person SELECT ?1, id FROM user WHERE id = ?2 AND org_id = ?3 AND active = 1",
                                              "iit", k->id, l->at[i].user_id, k->org_id)) > 0)
            n += rc;
    for (size_t i = 0; rc >= 0 && n == 0 && i < COUNT(roles); i += 2)
        n = rc = db_exec(c->d, c->e, "INSERT OR REPLACE INTO case_person SELECT ?1, id FROM user WHERE org_id = ?2 AND active = 1 AND role IN (?3, ?4)", "itzz",
                         k->id, k->org_id, roles[i], roles[i + 1]);
    if (rc >= 0)
        rc = db_exec(c->d, c->e, "INSERT OR IGNORE INTO case_person SELECT ?1, id FROM user WHERE active = 1 AND role = 'centre_lead'", "i", k->id);
    return rc < 0 ? rc : 0;
}

/* act_set_tlp - the object's side may make the label stricter, the centre may set any. */
int act_set_tlp(struct call *c, struct act_call *a)
{
    struct str tlp = json_get_str(a->body, "tlp");
    const json_t *persons = json_object_get(a->body, "persons");
    int rc = 0;

    if (!side_of_centre(c) && label_rank(tlp) < label_rank(a->k->tlp))
        return refuse(c, -EINVAL, "bad_request", "tlp", "only the centre makes a label wider");
    if (str_eq(tlp, STR("red")) && json_array_size(persons) == 0)
        return refuse(c, -EINVAL, "bad_request", "persons", "TLP:RED needs the persons who may know");
    rc = db_exec(c->d, c->e, "DELETE FROM case_person WHERE case_id = ?", "i", a->k->id);
    for (size_t i = 0; rc >= 0 && i < json_array_size(persons); i++) {
        const json_t *p = json_array_get(persons, i);

        rc = person_add(c, a->k, str_of(json_string_value(p), json_string_length(p)));
    }
    if (rc >= 0 && str_eq(tlp, STR("red")) && c->v)   /* who sets it knows it */
        rc = db_exec(c->d, c->e, "INSERT OR IGNORE INTO case_person(case_id, user_id) VALUES (?, ?)", "ii", a->k->id, c->v->user_id);
    if (rc >= 0 && str_eq(tlp, STR("red")) && !side_of_centre(c))
        rc = tlp_owner_named(c, a->k);
    if (rc >= 0)
        rc = db_exec(c->d, c->e, "UPDATE cases SET tlp = ?2, updated_at = ?3 WHERE id = ?1", "iti", a->k->id, tlp, c->now);
    return rc < 0 ? rc : timeline_add(c, a->k->id, &(struct line){ .kind = "set_tlp", .text = json_get_str(a->body, "reason"), .key = "case.text.tlp",
                                                                    .args = json_pack("{s:o}", "tlp", json_str(tlp)) });
}
