/* list.c - lists of cases that stay fast when there are many: each statement is driven by one index, the rest of the filters look at its rows.
 *
 * A cursor is the id of the last row; ids only grow, so pages neither repeat nor lose a case. Which index drives is chosen here, not left to the
 * planner, from the narrowest filter that was given: a test asks for the plans. */
#include "desk/cases/acts.h"
#include "ioc/value.h"

/* ?1–?4 the viewer; ?5 cursor; ?6 limit; ?7 state, ?8 machine, ?9 kind, ?10 level, ?11 type, ?12 object, ?13 organisation, ?14 open (-1 either),
 * ?15 overdue (0: either), ?16 now, ?17 mine (0: everybody's), ?18 what drives (text, indicator), ?19 text where it does not drive. */
#define LIST_REST                                                                                                                     \
    " AND " CASE_VISIBLE " AND (?7 = '' OR k.state = ?7) AND (?8 = '' OR k.machine = ?8) AND (?9 = '' OR k.kind = ?9)"                 \
    " AND (?10 = '' OR k.level = ?10) AND (?11 = '' OR k.incident_type = ?11) AND (?12 = '' OR k.object_id = ?12)"                     \
    " AND (?13 = '' OR ?13 IN (o.org_id, o.possessor_id, o.ocib_id)) AND (?14 < 0 OR (k.closed_at IS NULL AND k.merged_into IS NULL) = ?14)"                     \
    " AND (?15 = 0 OR EXISTS (SELECT 1 FROM duty d WHERE d.case_id = k.id AND d.state = 'running' AND d.due_at < ?16))"                \
    " AND (?17 = 0 OR k.assignee_id = ?17 OR k.owner_assignee_id = ?17) AND (?18 = '' OR 1)"                                           \
    " AND (?19 = '' OR instr(k.search, ?19) > 0)"
#define LIST_OF(index, where)                                                                                                         \
    "SELECT k.id FROM cases k " index " LEFT JOIN object o ON o.id = k.object_id WHERE " where " AND k.id < ?5" LIST_REST                \
    " ORDER BY k.id DESC LIMIT ?6"

enum driver { BY_INDICATOR, BY_TEXT, BY_OBJECT, BY_MINE, BY_OVERDUE, BY_SCOPE, BY_KNB, BY_ORG, BY_OPEN, BY_TYPE, BY_LEVEL, BY_STATE, BY_MACHINE, BY_ID };
static const char *const statements[] = {
    [BY_INDICATOR] = "SELECT DISTINCT i.case_id FROM indicator i CROSS JOIN cases k ON k.id = i.case_id LEFT JOIN object o ON o.id = k.object_id"
                     " WHERE i.norm = ?18 AND i.removed_at IS NULL AND i.case_id < ?5" LIST_REST " ORDER BY i.case_id DESC LIMIT ?6",
    [BY_TEXT] = "SELECT t.rowid FROM case_text t CROSS JOIN cases k ON k.id = t.rowid LEFT JOIN object o ON o.id = k.object_id"
                " WHERE t.search MATCH ?18 AND t.rowid < ?5" LIST_REST " ORDER BY t.rowid DESC LIMIT ?6",
    [BY_OBJECT] = LIST_OF("INDEXED BY case_object", "k.object_id = ?12"),
    [BY_MINE] = LIST_OF("", "k.id IN (SELECT id FROM cases WHERE assignee_id = ?17 UNION SELECT id FROM cases WHERE owner_assignee_id = ?17)"),
    [BY_OVERDUE] = LIST_OF("", "k.id IN (SELECT d.case_id FROM duty d WHERE d.open = 1 AND d.sort_at < ?16 AND d.case_id IS NOT NULL)"),
    [BY_SCOPE] = LIST_OF("INDEXED BY case_object", "k.object_id IN " OBJECTS_OF("?2")),
    [BY_KNB] = LIST_OF("INDEXED BY case_escalated", "k.escalated_at IS NOT NULL"),
    [BY_ORG] = LIST_OF("INDEXED BY case_object", "k.object_id IN " OBJECTS_OF("?13")),
    [BY_OPEN] = LIST_OF("INDEXED BY case_open", "k.closed_at IS NULL"),
    [BY_TYPE] = LIST_OF("INDEXED BY case_type", "k.incident_type = ?11"),
    [BY_LEVEL] = LIST_OF("INDEXED BY case_level", "k.level = ?10"),
    [BY_STATE] = LIST_OF("INDEXED BY case_state", "k.state = ?7"),
    [BY_MACHINE] = LIST_OF("INDEXED BY case_machine", "k.machine = ?8"),
    [BY_ID] = LIST_OF("NOT INDEXED", "1"),
};
const char *const *case_list_statements(size_t *count)
{
    *count = COUNT(statements);
    return statements;
}

/* driver_of - words drive only where everything may be seen: an owner has few cases of all that hold a common word. */
static enum driver driver_of(const struct call *c, const struct desk_cases_query *q)
{
    const struct { bool given; enum driver by; } order[] = {
        { q->indicator.n, BY_INDICATOR }, { q->q.n && !is_bounded(c), BY_TEXT }, { q->object.n, BY_OBJECT },   { q->mine, BY_MINE },
        { q->overdue && !is_bounded(c), BY_OVERDUE },       { is_knb(c), BY_KNB }, { is_bounded(c), BY_SCOPE },  { q->org.n, BY_ORG },
        { q->open == 1, BY_OPEN },        { q->type.n, BY_TYPE },{ q->level.n, BY_LEVEL },     { q->state.n, BY_STATE },
        { q->machine.n, BY_MACHINE },
    };

    for (size_t i = 0; i < COUNT(order); i++)
        if (order[i].given)
            return order[i].by;
    return BY_ID;
}

/* match_of - what a person typed as a question to the index of words: each word quoted, the last letters may be missing. */
static struct str match_of(struct call *c, struct str typed)
{
    struct str s = fold_text(typed, &c->a);
    AUTO_BUF struct buf b = { 0 };
    size_t i = 0;

    buf_init(&b, 8 * KIB);
    while (i < s.n) {
        size_t from;

        while (i < s.n && (unsigned char)s.p[i] <= 32)
            i++;
        from = i;
        while (i < s.n && (unsigned char)s.p[i] > 32)
            i++;
        if (i == from)
            break;
        buf_str(&b, b.n ? STR(" \"") : STR("\""));
        for (size_t k = from; k < i; k++)
            if (s.p[k] != '"')
                buf_byte(&b, s.p[k]);
        buf_str(&b, STR("\"*"));
    }
    return b.n ? arena_copy(&c->a, buf_view(&b)) : STR("\"\"");
}

static struct str indicator_key(struct call *c, struct str value)
{
    static const char *const types[] = { "ip", "hash", "url", "email", "domain", "file" };
    AUTO_BUF struct buf b = { 0 };

    buf_init(&b, 8 * KIB);
    for (size_t i = 0; i < COUNT(types) && b.n == 0; i++)
        if (!ioc_normal(ioc_type_parse(str_c(types[i])), value, &b))
            buf_reset(&b);
    return arena_copy(&c->a, buf_view(&b));
}

static int query_check(struct call *c, const struct desk_cases_query *q)
{
    static const char *const machines[] = { "sts", "self", "cii", NULL }, *const kinds[] = { "event", "incident", "undetermined", NULL };
    const struct { struct str value; const char *const *known; const char *name; } choices[] = {
        { q->machine, machines, "machine" }, { q->kind, kinds, "kind" }, { q->level, level_values, "level" }, { q->type, type_values, "type" },
    };

    if (q->state.n && case_state_parse(q->state) == CASE_STATE_COUNT)
        return refuse(c, -EINVAL, "bad_request", "state", "no such state");
    for (size_t i = 0; i < COUNT(choices); i++)
        if (choices[i].value.n && !value_known(choices[i].known, choices[i].value))
            return refuse(c, -EINVAL, "bad_request", choices[i].name, "not one of the known values");
    if (q->q.n > 1024)
        return refuse(c, -EINVAL, "bad_request", "q", "too long");
    if (q->indicator.n > IOC_VALUE_MAX)
        return refuse(c, -EINVAL, "bad_request", "indicator", "too long");
    if (q->before.n && parse_id(q->before) == 0)
        return refuse(c, -EINVAL, "bad_request", "before", "not a cursor");
    return 0;
}

static struct str or_empty(struct str s) { return s.p ? s : STR(""); }

/* overdue_many - where very many are overdue, the newest hundred are found sooner from the cases down than from the clocks up. */
static int overdue_many(struct call *c, enum driver *by)
{
    int64_t n = 0;
    int rc = db_int(c->d, c->e, 0, &n, "SELECT count(*) FROM (SELECT 1 FROM duty WHERE open = 1 AND sort_at < ?1 AND case_id IS NOT NULL LIMIT 2000)", "i",
                    c->now);

    if (rc == 0 && n == 2000)
        *by = BY_OPEN;
    return rc;
}

int case_list_ids(struct call *c, const struct desk_cases_query *q, int64_t *ids, int *n)
{
    enum driver by = driver_of(c, q);
    struct str key = by == BY_TEXT ? match_of(c, q->q) : by == BY_INDICATOR ? indicator_key(c, q->indicator) : STR("");
    int rc = query_check(c, q);

    *n = 0;
    if (rc == 0 && by == BY_OVERDUE)
        rc = overdue_many(c, &by);
    if (rc < 0)
        return rc;
    sqlite3_stmt *st = db_query(c->d, c->e, statements[by], "iziiiittttttt" "iiiitt", is_bounded(c), viewer_org(c), viewer_id(c), is_knb(c),
                                q->before.n ? parse_id(q->before) : INT64_MAX, (int64_t)page_limit(q->limit) + 1, or_empty(q->state),
                                or_empty(q->machine), or_empty(q->kind), or_empty(q->level), or_empty(q->type), or_empty(q->object), or_empty(q->org),
                                (int64_t)q->open, (int64_t)q->overdue, c->now, q->mine ? viewer_id(c) : (int64_t)0, key,
                                by != BY_TEXT && q->q.n ? fold_text(q->q, &c->a) : STR(""));
    rc = st ? 0 : -EIO;
    while (st && (rc = db_step(c->d, st, c->e)) > 0)
        ids[(*n)++] = sqlite3_column_int64(st, 0);
    return rc;
}
