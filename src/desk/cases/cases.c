/* cases.c - reading cases: the list, one with all that belongs to it. */
#include "desk/approvals/approvals.h"
#include "desk/internal.h"

static const char *const state_names[CASE_STATE_COUNT] = {
    "detected", "primary_analysis", "dismissed_by_sts", "notified", "event_confirmed", "event_analysed",
    "incident_confirmed", "measures_reported", "eliminated", "escalated_knb", "rejected", "closed",
};

const char *case_state_name(enum case_state s) { return s < CASE_STATE_COUNT ? state_names[s] : "?"; }

enum case_state case_state_parse(struct str s)
{
    enum case_state i = 0;

    while (i < CASE_STATE_COUNT && !str_eq(s, str_c(state_names[i])))
        i++;
    return i;
}

#define CASE_COLUMNS                                                                                                                \
    "k.id, k.number, k.state, k.kind, k.rule_id, k.rule_name, k.rule_level, k.object_id, o.name, o.org_id, g.name, k.grouping, k.level," \
    " k.host, k.edition, k.recommendations, k.detection_kind, k.annex7, k.annex2, o.contour, k.detected_at, k.last_seen_at,"         \
    " k.notified_at, k.acknowledged_at, k.confirmed_at, k.declared_at, k.eliminated_at, k.escalated_at, k.closed_at, k.updated_at,"  \
    " k.count, k.previous_id"
#define CASE_TABLES " FROM cases k LEFT JOIN object o ON o.id = k.object_id LEFT JOIN org g ON g.id = o.org_id "
/* An owner's officer sees what was notified to their organisation. */
#define CASE_VISIBLE "(?1 = 0 OR (" SCOPE_OBJECT " AND k.notified_at IS NOT NULL))"

static void case_fill(struct call *c, sqlite3_stmt *st, struct kase *k)
{
    struct str *const texts[] = { &k->rule_id, &k->rule_name, &k->rule_level, &k->object_id, &k->object_name, &k->org_id, &k->org_name, &k->group,
                                  &k->level, &k->host, &k->edition, &k->recommendations, &k->detection_kind, &k->annex7, &k->annex2,
                                  &k->object_contour };
    time_ns *const times[] = { &k->detected_at, &k->last_seen_at, &k->notified_at, &k->acknowledged_at, &k->confirmed_at, &k->declared_at,
                               &k->eliminated_at, &k->escalated_at, &k->closed_at, &k->updated_at };

    *k = (struct kase){ .id = sqlite3_column_int64(st, 0) };
    k->number = db_copy(st, 1, &c->a);
    k->state = case_state_parse(db_str(st, 2));
    k->kind = db_copy(st, 3, &c->a);
    for (size_t i = 0; i < COUNT(texts); i++)
        *texts[i] = db_copy(st, 4 + (int)i, &c->a);
    for (size_t i = 0; i < COUNT(times); i++)
        *times[i] = sqlite3_column_int64(st, 20 + (int)i);
    k->count = sqlite3_column_int64(st, 30);
    k->previous_id = sqlite3_column_int64(st, 31);
    k->repeated = k->previous_id != 0;
}

static int64_t is_officer(const struct call *c) { return scope_of(c->v).bounded; }

int case_load(struct call *c, int64_t id, struct kase *out)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT " CASE_COLUMNS CASE_TABLES "WHERE " CASE_VISIBLE " AND k.id = ?3", "izi", is_officer(c),
                                c->v ? c->v->org_id : "", id);
    int rc = st ? db_step(c->d, st, c->e) : -EIO;

    if (rc > 0) {
        case_fill(c, st, out);
        db_done(st);
        return arena_failed(&c->a) ? err_set(c->e, -ENOMEM, "no memory for a case") : 0;
    }
    return rc < 0 ? rc : refuse(c, -ENOENT, "not_found", NULL, "no such case");
}

struct str case_title(const struct desk *d, const struct kase *k, enum lang lang)
{
    const struct rule *r = rule_find(&d->rules, k->rule_id);

    return r ? r->title.text[lang] : k->rule_name;
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
    const struct str parts[] = { k.number, k.rule_id, k.rule_name, case_title(c->d, &k, LANG_KK), case_title(c->d, &k, LANG_RU),
                                 case_title(c->d, &k, LANG_EN), k.object_name, k.org_name };
    for (size_t i = 0; i < COUNT(parts); i++) {
        buf_str(&b, parts[i]);
        buf_byte(&b, '\n');
    }
    rc = db_exec(c->d, c->e, "UPDATE cases SET search = ?2 WHERE id = ?1", "it", id, fold_text(buf_view(&b), &c->a));
    return rc < 0 ? rc : 0;
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

static int summary_json(struct call *c, const struct kase *k, json_t **out)
{
    enum lang lang = c->v ? c->v->lang : LANG_RU;
    struct str title = case_title(c->d, k, lang);
    json_t *next;
    bool overdue;
    int rc = next_due_json(c, k->id, &next, &overdue);

    *out = json_pack("{s:o, s:o, s:o, s:s, s:o, s:{s:o, s:o, s:o}, s:o, s:o, s:o, s:o, s:I, s:o, s:o, s:b, s:o}", "id", json_id(k->id), "number",
                     json_str(k->number), "kind", json_str(k->kind), "state", case_state_name(k->state), "title", json_str(title), "rule", "id",
                     json_str(k->rule_id), "name", json_str(title), "level", json_str(k->rule_level), "object",
                     json_ref(k->object_id, k->object_name), "org", json_ref(k->org_id, k->org_name), "detected_at", json_time(k->detected_at),
                     "last_seen_at", json_time(k->last_seen_at), "count", (json_int_t)k->count, "level", json_str(k->level), "next_due", next,
                     "overdue", overdue, "updated_at", json_time(k->updated_at));
    return rc;
}

static int findings_json(struct call *c, int64_t id, json_t **out)
{
    sqlite3_stmt *st = db_query(c->d, c->e, "SELECT json FROM finding WHERE case_id = ?1 ORDER BY seq DESC LIMIT ?2", "ii", id,
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

/* annexes_json - the sent or filed form, else a draft from what is known. */
static int annexes_json(struct call *c, const struct kase *k, json_t *out)
{
    json_t *a7 = stored_json(k->annex7), *a2 = stored_json(k->annex2);
    int rc = a7 ? 0 : annex7_draft(c, k, &a7);

    if (rc == 0 && !a2 && k->confirmed_at)
        rc = annex2_draft(c, k, &a2);
    json_object_set_new(out, "annex7", a7 ? a7 : json_null());
    json_object_set_new(out, "annex2", a2 ? a2 : json_null());
    return rc;
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
    struct str advice = k.recommendations.n ? k.recommendations : recommendations_both(c->d, k.rule_id, &c->a);
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
    int64_t before = q->before.n ? parse_id(q->before) : INT64_MAX, ids[DESK_LIMIT_MAX + 1];
    int limit = page_limit(q->limit), n = 0, rc;
    sqlite3_stmt *st;

    if (q->state.n && case_state_parse(q->state) == CASE_STATE_COUNT)
        return refuse(c, -EINVAL, "bad_request", "state", "no such state");
    if (q->q.n > 1024)
        return refuse(c, -EINVAL, "bad_request", "q", "too long");
    st = db_query(c->d, c->e,
                  "SELECT k.id" CASE_TABLES "WHERE " CASE_VISIBLE " AND k.id < ?3 AND (?4 = '' OR k.state = ?4)"
                  " AND (?5 < 0 OR (k.state <> 'closed') = ?5) AND (?6 = '' OR k.object_id = ?6) AND (?7 = '' OR instr(k.search, ?7) > 0)"
                  " ORDER BY k.id DESC LIMIT ?8",
                  "izititti", is_officer(c), c->v->org_id, before, q->state.p ? q->state : STR(""), (int64_t)q->open,
                  q->object.p ? q->object : STR(""), q->q.n ? fold_text(q->q, &c->a) : STR(""), (int64_t)limit + 1);
    if (!st)
        return -EIO;
    while ((rc = db_step(c->d, st, c->e)) > 0)
        ids[n++] = sqlite3_column_int64(st, 0);
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
