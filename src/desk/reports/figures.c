/* figures.c - the figures of the summaries: each a query over what was recorded by "as of", the same for the count and for the rows behind it.
 *
 * ?1 from, ?2 to (the next quarter's first moment), ?3 as of. A figure may have parts by one expression; the rows of one part are those where the
 * expression is ?4 (?7 = 1), all of them otherwise; ?5 the cursor, ?6 the limit. */
#include "desk/reports/internal.h"

#include <stdarg.h>

/* The count reads "from" alone; the rows join what names them. Rows are ordered by sort and then by tie, which is unique with it. */
#define FIGURE(id, section, in, parts, kind, sort, tie, key, name, object, at, part, from, joins, where)                                        \
    { id, section, in, "SELECT " part ", count(*) FROM " from " WHERE " where " GROUP BY 1 ORDER BY 2 DESC, 1",                                 \
      "SELECT " kind ", CAST(" key " AS TEXT), " name ", " object ", o.name, " at ", " sort ", " tie " FROM " from " " joins " WHERE " where      \
      " AND (?7 = 0 OR (" part ") IS ?4) AND (" sort ", " tie ") < (?5, ?8) ORDER BY " sort " DESC, " tie " DESC LIMIT ?6", parts, TALLY_NONE,  \
      false }

/* How each case stood as of ?3; all of them are counted in one walk (tally), their rows come by the moment of detection. */
#define STOOD "v.at <= ?3 AND v.until > ?3 AND v.merged = 0 AND "
#define DETECTED STOOD "v.detected_at >= ?1 AND v.detected_at < ?2"
#define CASE_ROWS(part, condition)                                                                                                              \
    "SELECT 'case', CAST(v.case_id AS TEXT), k.number, v.object_id, o.name, v.detected_at, v.detected_at, v.case_id FROM case_version v"          \
    " JOIN cases k ON k.id = v.case_id LEFT JOIN object o ON o.id = v.object_id WHERE " condition " AND (?7 = 0 OR (" part ") IS ?4) AND"        \
    " (v.detected_at, v.case_id) < (?5, ?8) ORDER BY v.detected_at DESC, v.case_id DESC LIMIT ?6"
#define CASE_FIGURE(id, section, in, parts, column, incident)                                                                                   \
    { id, section, in, NULL, CASE_ROWS("v." #column, DETECTED " AND v.kind " incident "= 'incident'"), parts, TALLY_##column, sizeof(incident) == 1 }
#define UNRESOLVED                                                                                                                              \
    STOOD "v.detected_at < ?2 AND ?1 > 0 AND v.kind = 'incident' AND v.state NOT IN ('eliminated','closed','rejected','dismissed_by_sts')"
/* Steps of cases that happened in the quarter and were written down by then. The first of a kind counts. OF_STEPS is the condition of both indices. */
#define OF_STEPS(t) t ".kind IN ('report_measures','eliminate','event_analysis')"
#define STEP_FIGURE(id, step)                                                                                                                   \
    FIGURE(id, "measures", IN_17 | IN_18, NULL, "'case'", "t.happened_at", "t.id", "k.id", "k.number", "o.id", "t.happened_at", "NULL",          \
           "timeline t", "JOIN cases k ON k.id = t.case_id LEFT JOIN object o ON o.id = (SELECT v.object_id FROM case_version v WHERE"          \
           " v.case_id = t.case_id AND v.at <= ?3 AND v.until > ?3 LIMIT 1)", "t.happened_at >= ?1 AND t.happened_at < ?2 AND t.recorded_at"     \
           " <= ?3 AND " OF_STEPS("t") " AND t.kind = '" step "' AND t.case_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM timeline y WHERE "      \
           OF_STEPS("y") " AND y.case_id = t.case_id AND y.kind = '" step "' AND y.id < t.id)")
/* Duties of owners that fell due in the quarter by the law and were not kept by their due moment: both as they were known at ?3. What was superseded
 * goes on in another case and is counted there. */
#define LATE                                                                                                                                    \
    "x.org_id IS NOT NULL AND x.due_at >= ?1 AND x.due_at < ?2 AND x.due_at < ?3 AND x.at <= ?3 AND x.until > ?3 AND d.basis = 'law'"             \
    " AND d.owed_by NOT IN ('centre','knb') AND d.subject <> 'report' AND (x.state = 'running' OR (x.state = 'fulfilled' AND x.fulfilled_at > x.due_at))"
#define PASSPORT_CHANGES "h.state IN ('accepted','recorded') AND h.decided_at >= ?1 AND h.decided_at < ?2 AND h.decided_at <= ?3"
/* Versions of registered objects with their components and contacts, and of people; the first version of an object is its entry. */
#define REGISTRY_CHANGES                                                                                                                        \
    "rv.at >= ?1 AND rv.at < ?2 AND rv.at <= ?3 AND (rv.root LIKE 'object/%' OR (rv.kind = 'person' AND rv.version > 1))"
#define OBJECT_OF_ROOT "LEFT JOIN object o ON o.id = iif(rv.root LIKE 'object/%', substr(rv.root, 8), NULL)"
#define OBJECT_OF(id)  "LEFT JOIN object o ON o.id = " id
#define FIELD_CHANGED(name) "EXISTS (SELECT 1 FROM record_change x WHERE x.seq = rv.seq AND x.field = '" name "')"
/* How each vulnerability stood (vulnerabilities/count.c); what is only informational is none. Open ones are those at the end of the quarter as it was
 * known then, or as of an earlier moment. */
#define VULN_STOOD(then) "x.live = 1 AND x.severity <> 1 AND x.at <= " then " AND x.until > " then
#define VULN_SEVERITY                                                                                                                           \
    "CASE x.severity WHEN 5 THEN 'critical' WHEN 4 THEN 'high' WHEN 3 THEN 'medium' WHEN 2 THEN 'low' ELSE 'unknown' END"
#define VULN_FIGURE(id, moment, parts, part, where)                                                                                             \
    FIGURE(id, "vulnerabilities", IN_17 | IN_18, parts, "'vulnerability'", "x." moment, "x.vuln_id", "x.vuln_id", "printf('V-%06d', x.vuln_id)",  \
           "v.object_id", "x." moment, part, "vuln_version x", "JOIN vuln v ON v.id = x.vuln_id " OBJECT_OF("v.object_id"), where)
/* Steps of violations of TD (7.6), which are only added to. One that a survey has found fixed, or whose requirement does not apply any more, never opens
 * again: the next one is another row. */
#define VIOLATION_FIGURE(id, section, step, moment, parts, part)                                                                                        \
    FIGURE(id, section, IN_17 | IN_18, parts, "'violation'", moment, "s.id", "w.id", "w.number", "w.object_id", moment, part,                    \
           "td_violation w JOIN td_step s ON s.violation_id = w.id", OBJECT_OF("w.object_id"),                                                  \
           moment " >= ?1 AND " moment " < ?2 AND s.at <= ?3 AND s.state = '" step "'")
#define VIOLATION_OPEN                                                                                                                          \
    "w.found_at < ?2 AND EXISTS (SELECT 1 FROM td_step y WHERE y.violation_id = w.id AND y.state = 'found' AND y.at <= ?3) AND NOT EXISTS (SELECT 1 FROM td_step y WHERE y.violation_id = w.id AND y.state IN ('fixed','not_applicable') AND y.at < ?2"  \
    " AND y.at <= ?3)"
#define REGISTRY_PART                                                                                                                           \
    "CASE WHEN rv.kind IN ('contact','person') THEN 'contacts' WHEN rv.kind = 'object' AND rv.version = 1 THEN 'registered'"                     \
    " WHEN " FIELD_CHANGED("terminated_on") " THEN 'termination' WHEN " FIELD_CHANGED("commissioned_on") " THEN 'commissioning' ELSE 'annex1' END"

const struct figure figures[] = {
    CASE_FIGURE("events.state", "events", IN_17, "ui.state", state, "!"),
    CASE_FIGURE("events.rule", "events", IN_17, "rule", rule_id, "!"),
    CASE_FIGURE("incidents.type", "incidents", IN_17 | IN_18, "incident_type", incident_type, ""),
    CASE_FIGURE("incidents.level", "incidents", IN_17 | IN_18, "level", level, ""),
    CASE_FIGURE("incidents.state", "incidents", IN_17 | IN_18, "ui.state", state, ""),
    { "incidents.unresolved", "incidents", IN_17 | IN_18, "SELECT NULL, count(*) FROM case_version v WHERE " UNRESOLVED,
      CASE_ROWS("NULL", UNRESOLVED), NULL, TALLY_NONE, false },
    FIGURE("vulnerabilities.surveys", "vulnerabilities", IN_17 | IN_18, "schedule.mode", "'survey'", "y.completed_at", "y.id", "y.id", "y.number", "y.object_id",
           "y.completed_at", "y.mode", "vuln_survey y", OBJECT_OF("y.object_id"),
           "y.completed_at >= ?1 AND y.completed_at < ?2 AND y.completed_at <= ?3 AND y.cancelled = 0"),
    VULN_FIGURE("vulnerabilities.found", "first_detected_at", "vulnerability.severity", VULN_SEVERITY, VULN_STOOD("?3") " AND x.first_detected_at >= ?1 AND"
                " x.first_detected_at < ?2"),
    VULN_FIGURE("vulnerabilities.fixed", "fixed_at", "vulnerability.severity", VULN_SEVERITY, VULN_STOOD("?3") " AND x.fixed_at >= ?1 AND x.fixed_at < ?2"),
    VULN_FIGURE("vulnerabilities.open", "first_detected_at", "vulnerability.severity", VULN_SEVERITY, VULN_STOOD("min(?2, ?3)") " AND x.open = 1"),
    VULN_FIGURE("vulnerabilities.exploited", "first_detected_at", NULL, "NULL", VULN_STOOD("min(?2, ?3)") " AND x.open = 1 AND x.kev = 1"),
    FIGURE("changes.registry", "changes", IN_17 | IN_18, "report.change", "CASE WHEN rv.root LIKE 'object/%' THEN 'object' ELSE rv.kind END", "rv.seq", "rv.seq",
           "substr(rv.root, instr(rv.root, '/') + 1)", "rv.kind || ' ' || rv.id", "o.id", "rv.at", REGISTRY_PART, "record_version rv", OBJECT_OF_ROOT,
           REGISTRY_CHANGES),
    FIGURE("changes.logging", "changes", IN_17 | IN_18, NULL, "'request'", "q.id", "q.id", "q.id", "q.number", "q.object_id", "q.opened_at", "NULL", "request q",
           OBJECT_OF("q.object_id"), "q.kind = 'logging_change' AND q.opened_at >= ?1 AND q.opened_at < ?2 AND q.opened_at <= ?3"),
    FIGURE("changes.passport", "changes", IN_17 | IN_18, "report.change", "'change'", "h.id", "h.id", "h.id", "h.key", "h.object_id", "h.decided_at", "h.kind",
           "object_change h", OBJECT_OF("h.object_id"), PASSPORT_CHANGES),
    FIGURE("changes.integrity", "changes", IN_17 | IN_18, "ui.facts.kind", "'integrity'", "i.found_at", "i.id", "i.id", "i.key", "i.object_id", "i.found_at",
           "i.kind", "integrity_change i", OBJECT_OF("i.object_id"), "i.found_at >= ?1 AND i.found_at < ?2 AND i.found_at <= ?3 AND NOT (i.state = 'withdrawn' AND i.decided_at <= ?3)"),
    FIGURE("violations.surveys", "violations", IN_17 | IN_18, NULL, "'document_survey'", "y.completed_at", "y.id", "y.id", "y.number", "y.object_id",
           "y.completed_at", "NULL", "td_survey y", OBJECT_OF("y.object_id"), "y.completed_at >= ?1 AND y.completed_at < ?2 AND y.completed_at <= ?3"),
    VIOLATION_FIGURE("violations.found", "violations", "found", "w.found_at", "td_document_type", "w.document"),
    VIOLATION_FIGURE("violations.persisting", "violations", "persisting", "s.at", "td_document_type", "w.document"),
    VIOLATION_FIGURE("violations.fixed", "violations", "fixed", "s.at", "td_document_type", "w.document"),
    VIOLATION_FIGURE("violations.not_applicable", "violations", "not_applicable", "s.at", "td_document_type", "w.document"),
    FIGURE("violations.open", "violations", IN_17 | IN_18, "td_document_type", "'violation'", "w.found_at", "w.id", "w.id", "w.number", "w.object_id",
           "w.found_at", "w.document", "td_violation w", OBJECT_OF("w.object_id"), VIOLATION_OPEN),
    STEP_FIGURE("measures.reported", "report_measures"),
    STEP_FIGURE("measures.eliminated", "eliminate"),
    STEP_FIGURE("measures.analysed", "event_analysis"),
    FIGURE("measures.surveys", "measures", IN_17 | IN_18, "schedule.mode", "'survey'", "y.measures_at", "y.id", "y.id", "y.number", "y.object_id",
           "y.measures_at", "y.mode", "vuln_survey y", OBJECT_OF("y.object_id"), "y.measures_at >= ?1 AND y.measures_at < ?2 AND y.measures_at <= ?3"),
    FIGURE("measures.claims", "measures", IN_17 | IN_18, "non_elimination_category", "'vulnerability'", "a.at", "a.id", "a.vuln_id",
           "printf('V-%06d', a.vuln_id)", "v.object_id", "a.at", "a.category", "vuln_act a JOIN vuln v ON v.id = a.vuln_id", OBJECT_OF("v.object_id"),
           "a.kind = 'claim' AND a.at >= ?1 AND a.at < ?2 AND a.recorded_at <= ?3"),
    VIOLATION_FIGURE("measures.violations", "measures", "measure_reported", "s.at", NULL, "NULL"),
    FIGURE("measures.late", "measures", IN_17 | IN_18, "obligation", "d.subject", "x.due_at", "x.duty_id", "d.subject_id", "d.obligation", "x.object_id",
           "x.due_at", "d.obligation", "duty_version x JOIN duty d ON d.id = x.duty_id", OBJECT_OF("x.object_id"), LATE),
};
const size_t figure_count = COUNT(figures);

const struct figure *figure_find(struct str id)
{
    for (size_t i = 0; i < figure_count; i++)
        if (str_eq(id, str_c(figures[i].id)))
            return &figures[i];
    return NULL;
}

/* --- words --- */

struct str report_text(struct call *c, enum lang lang, const char *fmt, ...)
{
    char key[128];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(key, sizeof key, fmt, ap);
    va_end(ap);
    struct str s = catalog_text(c->d->setup.catalog, lang, key);
    /* Without a text the answer is the key itself, which stands on our stack. */
    return s.p == key ? arena_copy(&c->a, s) : s;
}

struct str figure_label(struct call *c, const struct figure *f, enum lang lang) { return report_text(c, lang, "report.figure.%s", f->id); }

const struct edition *report_edition(const struct call *c, const struct period *p) { return duty_edition_at(c->d->setup.world, p->from); }

/* value_named - by the edition of the quarter; a case that keeps another edition may have a value that only that one knows. */
static const struct enum_value *value_named(struct call *c, const struct period *p, const char *list, struct str value)
{
    const struct duty_world *w = c->d->setup.world;
    const struct enumeration *en = edition_enumeration(report_edition(c, p), str_c(list));
    const struct enum_value *v = en ? enumeration_value(en, value) : NULL;

    for (size_t i = w->edition_count; !v && i-- > 0;) {
        en = edition_enumeration(w->editions[i], str_c(list));
        v = en ? enumeration_value(en, value) : NULL;
    }
    return v;
}

static struct str part_label(struct call *c, const struct figure *f, const struct period *p, struct str value, enum lang lang)
{
    const struct enum_value *v = f->parts && value.n ? value_named(c, p, f->parts, value) : NULL;

    if (!value.n)
        return report_text(c, lang, "report.part.none");
    if (v)
        return v->name.text[lang];
    if (f->parts && strcmp(f->parts, "rule") == 0) {
        const struct rule *r = rule_find(&c->d->rules, value);
        return r ? r->title.text[lang] : value;
    }
    if (f->parts && strcmp(f->parts, "obligation") == 0) {   /* nobody outside knows our numbers: what is owed stands beside them */
        const struct obligation *o = edition_obligation(report_edition(c, p), value);
        return o ? arena_printf(&c->a, "%.*s – %.*s", STR_ARG(value), STR_ARG(o->title.text[lang])) : value;
    }
    return f->parts && strchr(f->parts, '.') ? report_text(c, lang, "%s.%.*s", f->parts, STR_ARG(value)) : value;
}

/* --- counting --- */

static int parts_json(struct call *c, const struct figure *f, const struct period *p, enum lang lang, json_t *parts, int64_t *total)
{
    sqlite3_stmt *st = db_query(c->d, c->e, f->count_sql, "iii", p->from, p->to, p->as_of);
    int rc = st ? 0 : -EIO;

    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        struct str value = db_copy(st, 0, &c->a);
        int64_t n = sqlite3_column_int64(st, 1);

        *total += n;
        if (f->parts)
            json_array_append_new(parts, json_pack("{s:o, s:o, s:I}", "value", json_str(value.p ? value : STR("")), "label",
                                                   json_str(part_label(c, f, p, value, lang)), "count", (json_int_t)n));
    }
    return rc;
}

struct tally {
    struct str by[TALLY_COUNT];   /* state, level, incident_type, rule_id */
    bool       incident;
    int64_t    n;
};
struct tallies {
    struct tally *list;
    size_t        count, cap;
};

static int tally_read(struct call *c, const struct period *p, struct tallies *t)
{
    sqlite3_stmt *st = db_query(c->d, c->e,
                                "SELECT v.kind = 'incident', v.state, v.level, v.incident_type, v.rule_id, count(*) FROM case_version v WHERE " DETECTED
                                " GROUP BY 1, 2, 3, 4, 5", "iii", p->from, p->to, p->as_of);
    int rc = st ? 0 : -EIO;

    while (st && (rc = db_step(c->d, st, c->e)) > 0) {
        if (t->count == t->cap) {
            size_t cap = t->cap ? t->cap * 2 : 256;
            struct tally *list = arena_array(&c->a, cap, sizeof *list);

            if (!list) {
                db_done(st);
                return err_set(c->e, -ENOMEM, "out of memory");
            }
            if (t->count)
                memcpy(list, t->list, t->count * sizeof *list);
            t->list = list;
            t->cap = cap;
        }
        struct tally *one = &t->list[t->count++];
        *one = (struct tally){ .incident = sqlite3_column_int(st, 0), .n = sqlite3_column_int64(st, 5) };
        for (int i = TALLY_state; i < TALLY_COUNT; i++)
            one->by[i] = db_copy(st, i, &c->a);
    }
    return rc;
}

/* tally_parts - the sums of one figure, the largest first. */
static void tally_parts(struct call *c, const struct figure *f, const struct period *p, const struct tallies *t, enum lang lang, json_t *parts, int64_t *total)
{
    struct part {
        struct str value;
        int64_t    n;
    } *sums = arena_array(&c->a, t->count ? t->count : 1, sizeof *sums);
    size_t count = 0;

    for (size_t i = 0; sums && i < t->count; i++) {
        struct str value = t->list[i].by[f->column];
        size_t k = 0;

        if (t->list[i].incident != f->incident)
            continue;
        while (k < count && !str_eq(sums[k].value, value))
            k++;
        if (k == count)
            sums[count++] = (struct part){ value, 0 };
        sums[k].n += t->list[i].n;
        *total += t->list[i].n;
    }
    for (size_t done = 0; done < count; done++) {
        size_t best = done;

        for (size_t k = done + 1; k < count; k++)
            if (sums[k].n > sums[best].n || (sums[k].n == sums[best].n && str_cmp(sums[k].value, sums[best].value) < 0))
                best = k;
        struct part most = sums[best];
        sums[best] = sums[done];
        sums[done] = most;
        json_array_append_new(parts, json_pack("{s:o, s:o, s:I}", "value", json_str(most.value.p ? most.value : STR("")), "label",
                                               json_str(part_label(c, f, p, most.value, lang)), "count", (json_int_t)most.n));
    }
}

int figures_json(struct call *c, unsigned in, const struct period *p, enum lang lang, json_t **out)
{
    json_t *list = json_array();
    struct tallies t = { 0 };
    int rc = tally_read(c, p, &t);

    for (size_t i = 0; rc >= 0 && i < figure_count; i++) {
        const struct figure *f = &figures[i];
        json_t *parts = json_array();
        int64_t total = 0;

        if (!(f->in & in)) {
            json_decref(parts);
            continue;
        }
        if (f->count_sql)
            rc = parts_json(c, f, p, lang, parts, &total);
        else if (f->column)
            tally_parts(c, f, p, &t, lang, parts, &total);
        json_array_append_new(list, json_pack("{s:s, s:s, s:o, s:o, s:I, s:o}", "id", f->id, "section", f->section, "label",
                                              json_str(figure_label(c, f, lang)), "note",
                                              json_null(), "total",
                                              (json_int_t)total, "parts", parts));
    }
    *out = list;
    return rc < 0 ? rc : 0;
}

/* cursor_read - "SORT" or "SORT-ID"; empty: from the newest on. */
static void cursor_read(struct str before, int64_t *sort, int64_t *id)
{
    ptrdiff_t dash = str_chr(before, '-');

    *sort = before.n ? parse_id(dash < 0 ? before : str_of(before.p, (size_t)dash)) : INT64_MAX;
    *id = dash < 0 ? INT64_MAX : parse_id(str_cut(before, (size_t)dash + 1));
}

/* object_named - what the object was called at that moment: the name that the first later change says it was, else what it is called now. */
static int object_named(struct call *c, struct str object, time_ns as_of, struct str now, struct str *out)
{
    sqlite3_stmt *st = object.p ? db_query(c->d, c->e, "SELECT x.was FROM record_version v JOIN record_change x ON x.seq = v.seq AND x.field = 'name' WHERE"
                                                       " v.kind = 'object' AND v.id = ?1 AND v.at > ?2 AND v.version > 1 ORDER BY v.seq LIMIT 1", "ti", object,
                                                       as_of) : NULL;
    int rc = st ? db_step(c->d, st, c->e) : object.p ? -EIO : 0;

    *out = now;
    if (rc > 0) {
        struct str was = db_copy(st, 0, &c->a);
        json_t *text = was.n && was.p[0] == '"' ? json_loadb(was.p, was.n, JSON_DECODE_ANY, NULL) : NULL;

        *out = text ? arena_copy(&c->a, str_of(json_string_value(text), json_string_length(text))) : was;
        json_decref(text);
        db_done(st);
    }
    return rc < 0 ? rc : 0;
}

/* row_told - a case that a label keeps from the viewer is counted, and is no row of theirs. */
static int row_told(struct call *c, bool of_case, struct str id, bool *told)
{
    int64_t n = 1;
    int rc = 0;

    if (of_case && is_bounded(c))
        rc = db_int(c->d, c->e, 0, &n, "SELECT count(*) FROM cases k LEFT JOIN object o ON o.id = k.object_id WHERE k.id = ?3 AND (?1 = 0 OR " CASE_TOLD("?4") ")",
                    "izii", is_bounded(c), viewer_org(c), parse_id(id), viewer_id(c));
    *told = n > 0;
    return rc;
}

static int row_add(struct call *c, sqlite3_stmt *st, const struct period *p, struct str next, json_t *out)
{
    struct str object = db_copy(st, 3, &c->a), name;
    bool told = false;
    int rc = row_told(c, str_eq(db_str(st, 0), STR("case")), db_copy(st, 1, &c->a), &told);

    if (rc == 0 && told)
        rc = object_named(c, object, p->as_of, db_copy(st, 4, &c->a), &name);
    if (rc == 0 && told)
        json_array_append_new(out, json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "kind", db_json(st, 0), "id", db_json(st, 1), "name", db_json(st, 2), "object",
                                             json_ref(object, name), "at", db_json_time(st, 5), "sort", json_str(next)));
    return rc;
}

int figure_rows(struct call *c, const struct figure *f, const struct period *p, bool one_part, struct str part, struct str before, int limit, json_t **out)
{
    int64_t sort, id;
    int rc = 0, taken;

    *out = json_array();
    if (!f->rows_sql)
        return 0;
    cursor_read(before, &sort, &id);
    do {   /* more than once only where labels have left rows out */
        sqlite3_stmt *st = db_query(c->d, c->e, f->rows_sql, "iiitiiii", p->from, p->to, p->as_of, part.n ? part : (struct str){ NULL, 0 }, sort,
                                    (int64_t)limit, (int64_t)one_part, id);

        rc = st ? 0 : -EIO;
        for (taken = 0; st && (rc = db_step(c->d, st, c->e)) > 0; taken++) {
            sort = sqlite3_column_int64(st, 6);
            id = sqlite3_column_int64(st, 7);
            rc = row_add(c, st, p, arena_printf(&c->a, "%lld-%lld", (long long)sort, (long long)id), *out);
            if (rc < 0 || json_array_size(*out) == (size_t)limit) {
                db_done(st);
                return rc;
            }
        }
    } while (rc == 0 && taken == limit);
    return rc < 0 ? rc : 0;
}

/* --- quarters --- */

static time_ns quarter_start(const struct desk *d, int year, int quarter)
{
    struct civil c = { .year = year + (quarter > 4), .month = (quarter > 4 ? 0 : quarter - 1) * 3 + 1, .day = 1 };

    return zone_first(d->setup.world->zone, &c);
}

void quarter_at(const struct desk *d, time_ns t, char out[8])
{
    struct civil c = civil_of_ns(t, zone_offset_min(d->setup.world->zone, t));

    snprintf(out, 8, "%04uQ%c", (unsigned)c.year % 10000, "1234"[(c.month - 1) / 3 % 4]);
}

int period_of(struct call *c, struct str quarter, struct str as_of, struct period *out)
{
    uint64_t year = 0;
    int q;

    if (quarter.n != 6 || !str_u64(str_of(quarter.p, 4), &year) || year < 2000 || year > 2199 || quarter.p[4] != 'Q' || quarter.p[5] < '1' ||
        quarter.p[5] > '4')
        return refuse(c, -EINVAL, "bad_request", "quarter", "a quarter is written 2026Q1");
    q = quarter.p[5] - '0';
    *out = (struct period){ .from = quarter_start(c->d, (int)year, q), .to = quarter_start(c->d, (int)year, q + 1), .as_of = c->now };
    memcpy(out->quarter, quarter.p, 6);
    if (as_of.n && time_parse_rfc3339(as_of, &out->as_of, NULL, NULL) < 0)
        return refuse(c, -EINVAL, "bad_request", "as_of", "a moment is written 2026-04-01T09:00:00Z");
    return 0;
}
