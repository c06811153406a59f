/* cases.c - reading cases: one with all that belongs to it, and the page of a list. */
#include "desk/approvals/approvals.h"
#include "desk/cases/acts.h"
#include "ioc/ioc.h"

int64_t is_bounded(const struct call *c) { return scope_of(c->v).bounded; }
int64_t is_knb(const struct call *c) { return c->v && c->v->role == DESK_KNB; }
int64_t viewer_id(const struct call *c) { return c->v ? c->v->user_id : 0; }
const char *viewer_org(const struct call *c) { return c->v ? c->v->org_id : ""; }

#define CASE_COLUMNS                                                                                                                \
    "k.id, k.number, k.machine, k.detector, k.state, k.kind, k.rule_id, k.rule_name, k.rule_level, k.object_id, o.name, o.org_id, g.name,"  \
    " k.grouping, k.level, k.host, k.edition, k.recommendations, k.detection_kind, k.annex7, k.annex2, o.contour, k.tlp, k.incident_type,"  \
    " k.recurrence, k.opened_org, k.external_number, k.contact, k.description, o.possessor_id, o.ocib_id, k.detected_at, k.last_seen_at,"   \
    " k.notified_at, k.acknowledged_at, k.confirmed_at, k.declared_at, k.eliminated_at, k.escalated_at, k.closed_at, k.updated_at,"         \
    " k.sts_notified_at, k.second_notified_at, k.measures_at, k.causes_at, k.causes_accepted_at, k.consequences_at,"                        \
    " k.consequences_accepted_at, k.disputed_at, k.count, k.previous_id, k.suggested_id, k.merged_into, k.opened_by, k.assignee_id,"        \
    " k.owner_assignee_id"
#define CASE_TABLES " FROM cases k LEFT JOIN object o ON o.id = k.object_id LEFT JOIN org g ON g.id = o.org_id "

static enum machine machine_parse(struct str name, struct str detector)
{
    enum machine m = 0;

    while (m < MACHINE_COUNT - 1 && !(str_eq(name, str_c(machine_name(m))) && str_eq(detector, str_c(machine_detector(m)))))
        m++;
    return m;
}

static void case_fill(struct call *c, sqlite3_stmt *st, struct kase *k)
{
    struct str machine, detector, state;
    struct str *const texts[] = { &k->number, &machine, &detector, &state, &k->kind, &k->rule_id, &k->rule_name, &k->rule_level, &k->object_id,
                                  &k->object_name, &k->org_id, &k->org_name, &k->group, &k->level, &k->host, &k->edition, &k->recommendations,
                                  &k->detection_kind, &k->annex7, &k->annex2, &k->object_contour, &k->tlp, &k->incident_type, &k->recurrence,
                                  &k->opened_org, &k->external_number, &k->contact, &k->description, &k->possessor_id, &k->ocib_id };
    time_ns *const times[] = { &k->detected_at, &k->last_seen_at, &k->notified_at, &k->acknowledged_at, &k->confirmed_at, &k->declared_at,
                               &k->eliminated_at, &k->escalated_at, &k->closed_at, &k->updated_at, &k->sts_notified_at, &k->second_notified_at,
                               &k->measures_at, &k->causes_at, &k->causes_accepted_at, &k->consequences_at, &k->consequences_accepted_at,
                               &k->disputed_at };
    int64_t *const numbers[] = { &k->count, &k->previous_id, &k->suggested_id, &k->merged_into, &k->opened_by, &k->assignee_id,
                                 &k->owner_assignee_id };
    int at = 1;

    *k = (struct kase){ .id = sqlite3_column_int64(st, 0) };
    for (size_t i = 0; i < COUNT(texts); i++)
        *texts[i] = db_copy(st, at++, &c->a);
    for (size_t i = 0; i < COUNT(times); i++)
        *times[i] = sqlite3_column_int64(st, at++);
    for (size_t i = 0; i < COUNT(numbers); i++)
        *numbers[i] = sqlite3_column_int64(st, at++);
    k->machine = machine_parse(machine, detector);
    k->state = case_state_parse(state);
    k->repeated = k->recurrence.p ? str_eq(k->recurrence, STR("repeated")) : k->previous_id != 0 || k->suggested_id != 0;
}

int case_load(struct call *c, int64_t id, struct kase *out)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT " CASE_COLUMNS CASE_TABLES "WHERE k.id = ?5 AND " CASE_VISIBLE, "iziii", is_bounded(c),
                                viewer_org(c), viewer_id(c), is_knb(c), id);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    if (rc > 0) {
        case_fill(c, st, out);
        db_done(st);
        return arena_failed(&c->a) ? err_set(c->e, -ENOMEM, "no memory for a case") : 0;
    }
    return rc < 0 ? rc : refuse(c, -ENOENT, "not_found", NULL, "no such case");
}

int case_by_number(struct call *c, struct str number, int64_t *id)
{
    int rc;

    *id = 0;
    rc = db_int(c->d, c->e, 0, id,
                "SELECT k.id FROM cases k LEFT JOIN object o ON o.id = k.object_id WHERE (k.number = ?5 OR k.id = ?6) AND " CASE_VISIBLE, "iziiti",
                is_bounded(c), viewer_org(c), viewer_id(c), is_knb(c), number, parse_id(number));
    return rc < 0 ? rc : *id ? 0 : -ENOENT;
}

struct str case_title(struct call *c, const struct kase *k, enum lang lang)
{
    const struct rule *r = rule_find(&c->d->rules, k->rule_id);
    char value[IOC_VALUE_MAX + 1];

    if (r || !str_starts(k->rule_id, STR(IOC_RULE_PREFIX)))
        return r ? r->title.text[lang] : k->rule_name;
    snprintf(value, sizeof value, "%.*s", STR_ARG(k->rule_name));
    return catalog_format(c->d->setup.catalog, lang, &c->a, "case.title.indicator", "value", value, NULL);
}

/* search_put - the words of the row and of the index change together; the index forgets the old ones only if told what they were. */
static int search_put(struct call *c, int64_t id, struct str words)
{
    int rc = db_exec(c->d, c->e, "INSERT INTO case_text(case_text, rowid, search) SELECT 'delete', id, search FROM cases WHERE id = ? AND search <> ''", "i", id);

    if (rc >= 0)
        rc = db_exec(c->d, c->e, "UPDATE cases SET search = ?2 WHERE id = ?1", "it", id, words);
    if (rc >= 0)
        rc = db_exec(c->d, c->e, "INSERT INTO case_text(rowid, search) VALUES (?, ?)", "it", id, words);
    return rc < 0 ? rc : 0;
}

int case_search_update(struct call *c, int64_t id)
{
    struct kase k;
    AUTO_BUF struct buf b = { 0 };
    const struct viewer *v = c->v;
    int rc;

    c->v = NULL;   /* whoever changed a name, the row is all the same */
    rc = case_load(c, id, &k);
    c->v = v;
    if (rc < 0)
        return rc;
    buf_init(&b, 64 * KIB);
    const struct str parts[] = { k.number, k.external_number, k.description, k.rule_id, k.rule_name, case_title(c, &k, LANG_KK), case_title(c, &k, LANG_RU),
                                 case_title(c, &k, LANG_EN), k.object_name, k.org_name };
    for (size_t i = 0; i < COUNT(parts); i++) {
        buf_str(&b, parts[i]);
        buf_byte(&b, '\n');
    }
    return search_put(c, id, fold_text(buf_view(&b), &c->a));
}

/* next_due_json - the earliest running clock. */
static int next_due_json(struct call *c, int64_t id, json_t **next, bool *overdue)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT obligation, due_at FROM duty WHERE case_id = ? AND state = 'running' ORDER BY due_at, id LIMIT 1", "i", id);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    *next = NULL;
    *overdue = false;
    if (rc > 0) {
        time_ns due = sqlite3_column_int64(st, 1), left = due - c->now;

        *overdue = left < 0;
        *next = json_pack("{s:o, s:o, s:I}", "obligation", db_json(st, 0), "due", json_time(due), "remaining_s",
                          (json_int_t)(left >= 0 ? left / NS_PER_SECOND : -((-left + NS_PER_SECOND - 1) / NS_PER_SECOND)));
        db_done(st);
        rc = 0;
    }
    if (!*next)
        *next = json_null();
    return rc;
}

static json_t *rule_json(const struct kase *k, struct str title)
{
    if (!k->rule_id.n)
        return json_null();
    return json_pack("{s:o, s:o, s:o}", "id", json_str(k->rule_id), "name", json_str(title), "level", json_str(k->rule_level));
}

static int summary_json(struct call *c, const struct kase *k, json_t **out)
{
    struct str title = case_title(c, k, c->v ? c->v->lang : LANG_RU);
    json_t *next;
    bool overdue;
    int rc = next_due_json(c, k->id, &next, &overdue);

    *out = json_pack("{s:o, s:o, s:s, s:s, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:o, s:o, s:o, s:b, s:o, s:o, s:o, s:b}", "id", json_id(k->id),
                     "number", json_str(k->number), "machine", machine_name(k->machine), "detector", machine_detector(k->machine), "kind",
                     json_str(k->kind), "state", case_state_name(k->state), "title", json_str(title), "rule", rule_json(k, title), "object",
                     json_ref(k->object_id, k->object_name), "org", json_ref(k->org_id, k->org_name), "detected_at", json_time(k->detected_at),
                     "last_seen_at", json_time(k->last_seen_at), "count", (json_int_t)k->count, "level", json_str(k->level), "incident_type",
                     json_str(k->incident_type), "next_due", next, "overdue", overdue, "updated_at", json_time(k->updated_at), "tlp", json_str(k->tlp),
                     "external_number", json_str(k->external_number), "merged", k->merged_into != 0);
    return rc;
}

static int findings_json(struct call *c, int64_t id, json_t **out)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT json FROM finding WHERE case_id IN (SELECT ?1 UNION ALL SELECT id FROM cases WHERE merged_into = ?1)"
                                " ORDER BY seq DESC LIMIT ?2", "ii", id,
                                (int64_t)FINDINGS_SHOWN);
    int rc = st ? 0 : -EIO;

    *out = json_array();
    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        struct str s = db_str(st, 0);
        json_t *f = json_loadb(s.p, s.n, 0, NULL);

        if (f)
            json_array_append_new(*out, f);
    }
    return rc;
}

static json_t *stored_json(struct str s) { return s.n ? json_loadb(s.p, s.n, 0, NULL) : NULL; }

/* draft_kept - what somebody saved without sending. */
static int draft_kept(struct call *c, int64_t id, const char *form, json_t **out)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT json FROM case_draft WHERE case_id = ?1 AND form = ?2", "iz", id, form);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    if (rc > 0) {
        *out = stored_json(db_str(st, 0));
        db_done(st);
    }
    return rc < 0 ? rc : 0;
}

/* annexes_json - the sent or filed form, else what was saved, else a draft from what is known. A draft is seen by the side that writes it. */
static int annexes_json(struct call *c, const struct kase *k, json_t *out)
{
    json_t *a7 = stored_json(k->annex7), *a2 = stored_json(k->annex2);
    int rc = 0;

    if (!a7 && k->machine == MACHINE_STS && !is_bounded(c))
        rc = draft_kept(c, k->id, "annex7", &a7);
    if (rc == 0 && !a7 && k->machine == MACHINE_STS)
        rc = annex7_draft(c, k, &a7);
    if (rc == 0 && !a2 && c->v && role_of_owner(c->v->role))
        rc = draft_kept(c, k->id, "annex2", &a2);
    if (rc == 0 && !a2 && k->confirmed_at)
        rc = annex2_draft(c, k, &a2);
    json_object_set_new(out, "annex7", a7 ? a7 : json_null());
    json_object_set_new(out, "annex2", a2 ? a2 : json_null());
    return rc;
}

/* advice_of - what the rule recommends first, else the template of the type of incident. */
static struct str advice_of(struct call *c, const struct kase *k)
{
    struct str of_rule = recommendations_both(c->d, k->rule_id, &c->a);

    return of_rule.n || !k->incident_type.n ? of_rule : template_both(c->d, k->incident_type, &c->a);
}

int case_json(struct call *c, int64_t id, json_t **out)
{
    typedef int part_fn(struct call *, int64_t, json_t **);
    static const struct { const char *name; part_fn *make; } parts[] = {
        { "clocks", clocks_json }, { "timeline", timeline_json }, { "documents", documents_json }, { "notices", notices_json },
        { "findings", findings_json },
    };
    struct kase k;
    int rc = case_load(c, id, &k);

    *out = NULL;
    if (rc == 0)
        rc = summary_json(c, &k, out);
    if (rc < 0)
        return rc;
    struct str advice = k.recommendations.n ? k.recommendations : advice_of(c, &k);
    json_t *more = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "now", json_time(c->now), "edition", json_str(k.edition), "group",
                             json_str(k.group), "notified_at", json_time_or_null(k.notified_at), "confirmed_at", json_time_or_null(k.confirmed_at),
                             "elimination_declared_at", json_time_or_null(k.declared_at), "eliminated_at", json_time_or_null(k.eliminated_at),
                             "closed_at", json_time_or_null(k.closed_at), "recommendations", advice.n ? json_str(advice) : json_null());
    json_object_update(*out, more);
    json_decref(more);
    for (size_t i = 0; rc == 0 && i < COUNT(parts); i++) {
        json_t *part = NULL;

        rc = parts[i].make(c, id, &part);
        json_object_set_new(*out, parts[i].name, part);
    }
    if (rc == 0) {
        json_t *waiting = NULL;

        rc = approvals_json(c, "case", json_get_str(*out, "id"), &waiting);
        json_object_set_new(*out, "approvals", waiting);
    }
    if (rc == 0)
        rc = annexes_json(c, &k, *out);
    if (rc == 0)
        rc = case_more_json(c, &k, *out);
    if (rc == 0)
        json_object_set_new(*out, "actions", actions_json(c, &k));
    return rc;
}

int desk_case(struct desk *d, const struct viewer *v, struct str id, time_ns now, struct desk_reply *r)
{
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = parse_id(id) ? case_json(&c, parse_id(id), &r->json) : refuse(&c, -ENOENT, "not_found", NULL, "no such case");
    desk_call_free(&c);
    return refuse_rc(r, rc);
}

static int cases_page(struct call *c, const struct desk_cases_query *q)
{
    int64_t ids[DESK_LIMIT_MAX + 1];
    int limit = page_limit(q->limit), n = 0, rc = case_list_ids(c, q, ids, &n);

    if (rc < 0)
        return rc;
    json_t *items = json_array();
    for (int i = 0; rc == 0 && i < n && i < limit; i++) {
        struct kase k;
        json_t *one = NULL;

        rc = case_load(c, ids[i], &k);
        if (rc == 0)
            rc = summary_json(c, &k, &one);
        if (rc == 0)
            json_array_append_new(items, one);
    }
    c->r->json = json_pack("{s:o, s:o, s:o}", "now", json_time(c->now), "items", items, "next", n > limit ? json_id(ids[limit - 1]) : json_null());
    return rc;
}

int desk_cases(struct desk *d, const struct viewer *v, const struct desk_cases_query *q, time_ns now, struct desk_reply *r)
{
    struct call c;
    int rc;

    desk_call_init(&c, d, v, now, r);
    rc = cases_page(&c, q);
    desk_call_free(&c);
    return refuse_rc(r, rc);
}
