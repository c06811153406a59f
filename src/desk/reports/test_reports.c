/* test_reports.c - the quarterly summaries: counted from what was recorded by a moment, the rows behind each figure, the way of a report. */
#include "desk/reports/internal.h"
#include "desk/registry/registry.h"
#include "desk/tables/tables.h"
#include "desk/testing.h"
#include "table/table.h"

#define DAY(n) (T0 + (n) * NS_PER_DAY)   /* T0: 2026-03-20 at Almaty */

struct viewer knb, body;

static void person(struct world *w, const char *login, enum desk_role role, struct viewer *v)
{
    struct err e;

    must(db_exec(w->desk, &e,
                 "INSERT INTO user(login, name, role, org_id, language, active, password, created_at) VALUES (?1, ?1, ?2, 'knb', 'ru', 1, 'x', 1)", "zz", login,
                 desk_role_name(role)), &e);
    viewer_make(w, login, v);
}

static int reports_open(void **state)
{
    int rc = world_open(state);

    person(*state, "knb-officer", DESK_KNB, &knb);
    person(*state, "authorised", DESK_AUTHORISED_BODY, &body);
    return rc;
}

static json_t *counted(struct world *w, const struct viewer *v, const char *paragraph, const char *quarter, time_ns as_of)
{
    char text[TIME_TEXT_MAX] = "";
    struct desk_reply r = { 0 };

    if (as_of)
        time_format_utc(as_of, text);
    struct desk_figures_query q = { str_c(paragraph), str_c(quarter), str_c(text) };
    must(desk_figures(w->desk, v, &q, DAY(60), &r), &r.err);
    json_t *figs = json_incref(json_object_get(r.json, "figures"));
    desk_reply_free(&r);
    return figs;
}

static const json_t *figure(const json_t *figs, const char *id)
{
    json_t *f;
    size_t i;

    json_array_foreach((json_t *)(uintptr_t)figs, i, f)
        if (strcmp(json_string_value(json_object_get(f, "id")), id) == 0)
            return f;
    return NULL;
}

static int64_t total(const json_t *figs, const char *id) { return json_integer_value(json_object_get(figure(figs, id), "total")); }

static int64_t part(const json_t *figs, const char *id, const char *value)
{
    json_t *p;
    size_t i;

    json_array_foreach(json_object_get(figure(figs, id), "parts"), i, p)
        if (strcmp(json_string_value(json_object_get(p, "value")), value) == 0)
            return json_integer_value(json_object_get(p, "count"));
    return 0;
}

static json_t *rows_of(struct world *w, const char *figure_id, const char *value, const char *paragraph, time_ns as_of, int limit, const char *before)
{
    char text[TIME_TEXT_MAX] = "";
    struct desk_reply r = { 0 };

    if (as_of)
        time_format_utc(as_of, text);
    struct desk_rows_query q = { .figure = str_c(figure_id), .part = str_c(value ? value : ""), .one_part = value != NULL, .paragraph = str_c(paragraph),
                                 .quarter = STR("2026Q1"), .as_of = str_c(text), .limit = limit, .before = str_c(before) };
    must(desk_figure_rows(w->desk, &w->analyst, &q, DAY(60), &r), &r.err);
    return r.json;
}

/* story - an event that is analysed, and an incident whose measures are reported and which is eliminated. Returns the incident. */
static int64_t story(struct world *w)
{
    int64_t event = case_new(w, "ssh-brute-force", T0), incident;

    act_do(w, &w->analyst, event, "notify", notify_body(w, event, T0), T0 + NS_PER_MINUTE);
    act_do(w, &w->registry, event, "confirm_event", json_object(), T0 + NS_PER_HOUR);
    act_do(w, &w->registry, event, "event_analysis", json_pack("{s:s}", "text", "a lost password"), T0 + 2 * NS_PER_HOUR);
    act_do(w, &w->analyst, event, "close", json_object(), T0 + 3 * NS_PER_HOUR);
    incident = case_new(w, "linux-web-shell", DAY(1));
    act_do(w, &w->analyst, incident, "notify", notify_body(w, incident, DAY(1)), DAY(1) + NS_PER_MINUTE);
    act_do(w, &w->registry, incident, "confirm_incident", incident_body(DAY(1) + NS_PER_HOUR, "high"), DAY(1) + NS_PER_HOUR);
    act_do(w, &w->registry, incident, "report_measures", measures_body(w, incident, DAY(2), "high"), DAY(2));
    return incident;
}

static void figures_are_counted_from_cases(void **state)
{
    struct world *w = *state;
    int64_t incident = story(w);
    json_t *figs = counted(w, &w->analyst, "17", "2026Q1", 0), *rows;
    char number[32];

    assert_int_equal(total(figs, "events.state"), 1);
    assert_int_equal(part(figs, "events.state", "closed"), 1);
    assert_int_equal(total(figs, "incidents.level"), 1);
    assert_int_equal(part(figs, "incidents.level", "high"), 1);
    assert_int_equal(part(figs, "incidents.type", "authentication_means_compromise"), 1);
    assert_int_equal(part(figs, "incidents.state", "measures_reported"), 1);
    assert_int_equal(total(figs, "incidents.unresolved"), 1);
    assert_int_equal(total(figs, "measures.reported"), 1);
    assert_int_equal(total(figs, "measures.analysed"), 1);
    assert_int_equal(total(figs, "measures.eliminated"), 0);
    assert_int_equal(total(figs, "vulnerabilities.found"), 0);
    json_decref(figs);
    rows = rows_of(w, "incidents.level", "high", "17", 0, 0, "");
    snprintf(number, sizeof number, "%lld", (long long)incident);
    assert_int_equal(json_array_size(json_object_get(rows, "items")), 1);
    assert_string_equal(json_string_value(json_object_get(json_array_get(json_object_get(rows, "items"), 0), "id")), number);
    json_decref(rows);
    rows = rows_of(w, "incidents.level", "low", "17", 0, 0, "");
    assert_int_equal(json_array_size(json_object_get(rows, "items")), 0);
    json_decref(rows);
}

static void measures_and_late_duties_of_owners_are_in_both_summaries(void **state)
{
    static const char *const both[] = { "17", "18" };
    struct world *w = *state;
    int64_t incident = story(w);
    struct err e;

    act_do(w, &w->registry, incident, "eliminate", eliminate_body(DAY(6)), DAY(6));
    act_do(w, &w->analyst, incident, "accept_elimination", json_object(), DAY(7));
    must(desk_tick(w->desk, DAY(7), NULL, &e), &e);
    for (size_t i = 0; i < COUNT(both); i++) {
        json_t *figs = counted(w, &w->analyst, both[i], "2026Q1", 0), *rows;

        assert_int_equal(total(figs, "measures.reported"), 1);
        assert_int_equal(total(figs, "measures.eliminated"), 1);
        assert_int_equal(part(figs, "measures.late", "D-06"), 1);   /* 72 hours ran out on day 4 */
        json_t *late = json_array_get(json_object_get(figure(figs, "measures.late"), "parts"), 0);
        assert_string_equal(json_string_value(json_object_get(late, "label")), "D-06 – Eliminate the causes and consequences of the IS incident");
        assert_int_equal(total(figs, "incidents.unresolved"), 0);
        json_decref(figs);
        rows = rows_of(w, "measures.late", "D-06", both[i], 0, 0, "");
        assert_string_equal(json_string_value(json_object_get(json_array_get(json_object_get(rows, "items"), 0), "kind")), "case");
        json_decref(rows);
    }
    /* What the centre itself owes an owner is no late duty of the owner. */
    must(db_exec(w->desk, &e, "UPDATE duty SET owed_by = 'centre'", ""), &e);
    for (size_t i = 0; i < COUNT(both); i++) {
        json_t *figs = counted(w, &w->analyst, both[i], "2026Q1", 0);

        assert_int_equal(total(figs, "measures.late"), 0);
        json_decref(figs);
    }
}

/* A frame of findings may open more cases in one transaction than the desk tells the live pages one by one. */
static void every_case_of_a_large_transaction_is_counted(void **state)
{
    enum { MANY = CHANGES_MAX + 44 };
    struct world *w = *state;
    int64_t kept = 0;
    struct err e;

    must(db_begin(w->desk, &e), &e);
    for (int i = 1; i <= MANY; i++) {
        must(db_exec(w->desk, &e,
                     "INSERT INTO cases(number, machine, detector, state, kind, rule_id, rule_name, rule_level, grouping, host, edition, detected_at,"
                     " last_seen_at, count, created_at, updated_at, search) VALUES ('M-'||?1, 'sts', 'centre', 'detected', 'event', 'r', 'r', 'low', 'g'||?1,"
                     " 'h', 'kz-52-2025', ?2, ?2, 1, ?2, ?2, '')", "ii", (int64_t)i, DAY(1)),
             &e);
        change_case(w->desk, sqlite3_last_insert_rowid(w->desk->db));
    }
    must(db_end(w->desk, 0, &e), &e);
    must(db_int(w->desk, &e, 0, &kept, "SELECT count(*) FROM case_version v JOIN cases k ON k.id = v.case_id WHERE k.number LIKE 'M-%'", ""), &e);
    assert_int_equal(kept, MANY);
}

static void changes_of_objects_are_counted_by_kind(void **state)
{
    struct world *w = *state;
    struct desk_reply r = { 0 };
    static const char *const bodies[] = { "{\"source\":\"owner\",\"items\":[{\"kind\":\"software\",\"name\":\"nginx\",\"version\":\"1\"}]}",
                                          "{\"source\":\"owner\",\"items\":[{\"kind\":\"software\",\"name\":\"nginx\",\"version\":\"2\"},"
                                          "{\"kind\":\"checksum\",\"file\":\"/a\",\"algorithm\":\"other\",\"value\":\"00\"}]}" };

    for (size_t i = 0; i < 2; i++) {
        json_t *b = json_loads(bodies[i], 0, NULL);

        must(desk_passport_create(w->desk, &w->analyst, STR("state-register"), b, DAY((int)i), &r), &r.err);
        desk_reply_free(&r);
        json_decref(b);
    }
    json_t *figs = counted(w, &w->analyst, "18", "2026Q1", 0);
    assert_int_equal(total(figs, "changes.passport"), 2);
    assert_int_equal(part(figs, "changes.passport", "software"), 1);
    assert_int_equal(part(figs, "changes.passport", "checksum"), 1);
    json_decref(figs);
    figs = counted(w, &w->analyst, "17", "2026Q1", T0 + NS_PER_HOUR);
    assert_int_equal(total(figs, "changes.passport"), 0);
    json_decref(figs);
}

/* put - one field of a record, as the registry writes it. */
static void put(struct world *w, enum record_kind k, const char *id, const char *parent, json_t *fields, time_ns now)
{
    struct desk_reply r = { 0 };
    struct record old = { 0 };
    struct call c;

    desk_call_init(&c, w->desk, &w->admin, now, &r);
    must(db_begin(w->desk, c.e), c.e);
    json_t *value = id && record_read(&c, k, str_c(id), 0, &old) == 0 ? json_deep_copy(old.value) : json_object();
    json_object_update(value, fields);
    struct record_write rw = { .kind = k, .id = str_c(id), .parent = str_c(parent), .value = value, .reason = STR("test"), .origin = "centre" };
    int rc = record_put(&c, &rw, NULL);
    must(db_end(w->desk, rc < 0 ? rc : 0, c.e), c.e);
    record_done(&old);
    json_decref(value);
    json_decref(fields);
    desk_call_free(&c);
    desk_reply_free(&r);
}

static void changes_of_registered_data_are_told_apart(void **state)
{
    static const struct { const char *part; int64_t count; } want[] = {
        { "commissioning", 1 }, { "termination", 1 }, { "annex1", 2 }, { "contacts", 2 },
    };
    struct world *w = *state;
    struct err e;
    json_t *before = counted(w, &w->analyst, "17", "2026Q1", T0 - NS_PER_HOUR), *figs, *rows;

    put(w, RECORD_OBJECT, "state-register", NULL, json_pack("{s:s}", "commissioned_on", "2026-01-10"), DAY(1));
    put(w, RECORD_OBJECT, "state-register", NULL, json_pack("{s:s}", "city", "Сынақ қаласы"), DAY(2));
    put(w, RECORD_COMPONENT, NULL, "object/state-register",
        json_pack("{s:s, s:s, s:[s], s:s}", "name", "nginx", "asset_class", "software", "ip_addresses", "10.0.0.1", "purpose", "web"), DAY(2));
    put(w, RECORD_PERSON, "person-x", NULL, json_pack("{s:s, s:s, s:[]}", "name", "Айгүл", "language", "kk", "channels"), DAY(2));
    put(w, RECORD_PERSON, "person-x", NULL, json_pack("{s:[{s:s, s:s}]}", "channels", "kind", "email", "value", "a@b.kz"), DAY(3));
    put(w, RECORD_CONTACT, NULL, "object/state-register", json_pack("{s:s, s:s}", "person_id", "person-x", "role", "deputy"), DAY(3));
    put(w, RECORD_OBJECT, "state-register", NULL, json_pack("{s:s}", "terminated_on", "2026-03-24"), DAY(4));
    must(db_exec(w->desk, &e,
                 "INSERT INTO request(number, kind, state, waits, ended, inner, object_id, values_json, opened_at, updated_at)"
                 " VALUES ('Z-1', 'logging_change', 'announced', 'centre', 0, 0, 'state-register', '{}', ?1, ?1)", "i", DAY(4)), &e);
    figs = counted(w, &w->analyst, "17", "2026Q1", 0);
    for (size_t i = 0; i < COUNT(want); i++)
        CHECK(want[i].part, part(figs, "changes.registry", want[i].part) - part(before, "changes.registry", want[i].part) == want[i].count);
    assert_int_equal(total(figs, "changes.logging"), 1);
    json_decref(figs);
    json_decref(before);
    rows = rows_of(w, "changes.registry", "termination", "18", 0, 0, "");
    assert_string_equal(json_string_value(json_object_get(json_array_get(json_object_get(rows, "items"), 0), "id")), "state-register");
    json_decref(rows);
    rows = rows_of(w, "changes.logging", NULL, "18", 0, 0, "");
    assert_string_equal(json_string_value(json_object_get(json_array_get(json_object_get(rows, "items"), 0), "name")), "Z-1");
    json_decref(rows);
}

static void a_past_quarter_is_the_same_as_of_the_same_moment(void **state)
{
    struct world *w = *state;
    time_ns early = DAY(1) + 2 * NS_PER_HOUR;
    int64_t incident = story(w);
    json_t *then = counted(w, &w->analyst, "17", "2026Q1", early), *again, *now;

    assert_int_equal(part(then, "incidents.state", "incident_confirmed"), 1);
    assert_int_equal(total(then, "measures.reported"), 0);
    act_do(w, &w->registry, incident, "eliminate", eliminate_body(DAY(3)), DAY(3));
    act_do(w, &w->analyst, incident, "accept_elimination", json_object(), DAY(30));
    case_new(w, "ssh-brute-force", DAY(2));   /* found late, within the quarter */
    again = counted(w, &w->analyst, "17", "2026Q1", early);
    assert_true(json_equal(then, again));
    now = counted(w, &w->analyst, "17", "2026Q1", 0);
    assert_int_equal(part(now, "incidents.state", "eliminated"), 1);
    assert_int_equal(total(now, "events.state"), 2);
    json_decref(then);
    json_decref(again);
    json_decref(now);
    now = counted(w, &w->analyst, "17", "2025Q4", 0);
    assert_int_equal(total(now, "events.state") + total(now, "incidents.level"), 0);
    json_decref(now);
}

static void rows_come_in_pages(void **state)
{
    struct world *w = *state;
    char before[32] = "";
    int64_t last = INT64_MAX;
    int seen = 0;

    for (int i = 0; i < 5; i++)
        case_new(w, i % 2 ? "ssh-brute-force" : "linux-web-shell", T0 + i * 2 * NS_PER_DAY);
    json_t *figs = counted(w, &w->analyst, "17", "2026Q1", 0);
    int64_t all = total(figs, "events.state");
    json_decref(figs);
    for (bool more = true; more;) {
        json_t *page = rows_of(w, "events.state", NULL, "17", 0, 2, before), *row;
        size_t i;

        json_array_foreach(json_object_get(page, "items"), i, row) {
            assert_true(id_of(row, "id") < last);
            last = id_of(row, "id");
            seen++;
        }
        more = json_is_string(json_object_get(page, "next"));
        snprintf(before, sizeof before, "%s", more ? json_string_value(json_object_get(page, "next")) : "");
        json_decref(page);
    }
    assert_int_equal(seen, all);
    assert_true(all >= 2);
}

static void the_summary_of_paragraph_18_has_no_events(void **state)
{
    struct world *w = *state;
    struct desk_reply r = { 0 };
    json_t *figs;

    story(w);
    figs = counted(w, &knb, "18", "2026Q1", 0);
    assert_null(figure(figs, "events.state"));
    assert_null(figure(figs, "events.rule"));
    static const char *const has[] = { "incidents.type", "vulnerabilities.found", "changes.passport", "violations.found", "measures.reported" };
    for (size_t i = 0; i < COUNT(has); i++)
        CHECK(has[i], figure(figs, has[i]) != NULL);
    json_decref(figs);
    struct desk_rows_query q = { .figure = STR("events.state"), .paragraph = STR("18"), .quarter = STR("2026Q1") };
    assert_int_equal(desk_figure_rows(w->desk, &w->analyst, &q, T0, &r), -ENOENT);
    desk_reply_free(&r);
}

static json_t *reports(struct world *w, const struct viewer *v, const char *paragraph)
{
    struct desk_reply r = { 0 };

    must(desk_reports(w->desk, v, str_c(paragraph), 0, STR(""), DAY(60), &r), &r.err);
    json_t *items = json_incref(json_object_get(r.json, "items"));
    desk_reply_free(&r);
    return items;
}

static int act(struct world *w, const struct viewer *v, const char *id, const char *name, const char *text, time_ns now, struct desk_reply *r)
{
    json_t *b = text ? json_pack("{s:s}", strcmp(name, "correct") == 0 ? "reason" : "text", text) : json_object();

    *r = (struct desk_reply){ 0 };
    int rc = desk_report_act(w->desk, v, str_c(id), str_c(name), b, now, r);
    json_decref(b);
    return rc;
}

/* newest_of - the id of the report of a quarter, for the life of the call. */
static void report_id(struct world *w, const char *paragraph, const char *quarter, char out[24])
{
    int64_t id = 0;

    assert_int_equal(db_int(w->desk, NULL, 0, &id, "SELECT max(id) FROM report WHERE paragraph = ? AND quarter = ?", "zz", paragraph, quarter), 0);
    assert_true(id > 0);
    snprintf(out, 24, "%lld", (long long)id);
}

static void each_quarter_has_two_reports_even_an_empty_one(void **state)
{
    struct world *w = *state;
    struct err e;
    json_t *items;

    for (int i = 0; i < 4; i++)
        must(desk_tick(w->desk, T0 + i * 91 * NS_PER_DAY, NULL, &e), &e);
    must(desk_tick(w->desk, T0 + 3 * 91 * NS_PER_DAY, NULL, &e), &e);   /* no twins */
    for (int p = 17; p <= 18; p++) {
        static const char *const quarters[] = { "2026Q4", "2026Q3", "2026Q2", "2026Q1" };
        char text[4];

        snprintf(text, sizeof text, "%d", p);
        items = reports(w, p == 17 ? &w->analyst : &knb, text);
        assert_int_equal(json_array_size(items), 4);
        for (size_t i = 0; i < 4; i++) {
            const json_t *r = json_array_get(items, i);

            assert_string_equal(json_string_value(json_object_get(r, "quarter")), quarters[i]);
            assert_string_equal(json_string_value(json_object_get(r, "state")), i ? "draft" : "collecting");
        }
        json_decref(items);
    }
    items = reports(w, &knb, "17");
    assert_int_equal(json_array_size(items), 0);   /* nothing was sent yet */
    json_decref(items);
}

static void a_report_is_sent_acknowledged_and_corrected(void **state)
{
    struct world *w = *state;
    char id[24], id18[24];
    struct desk_reply r = { 0 };
    int64_t n = 0;
    struct err e;

    story(w);
    must(desk_tick(w->desk, DAY(3), NULL, &e), &e);
    report_id(w, "17", "2026Q1", id);
    assert_int_equal(act(w, &w->analyst, id, "send", NULL, DAY(3), &r), -EPROTO);   /* the quarter still runs */
    desk_reply_free(&r);
    assert_int_equal(db_int(w->desk, &e, 0, &n, "SELECT count(*) FROM duty WHERE subject = 'report' AND obligation = 'D-19' AND state = 'running'", ""), 0);
    assert_int_equal(n, 1);
    must(desk_tick(w->desk, DAY(15), NULL, &e), &e);
    must(act(w, &w->analyst, id, "comment", "a quiet quarter", DAY(15), &r), &r.err);
    desk_reply_free(&r);
    assert_int_equal(act(w, &knb, id, "acknowledge", NULL, DAY(15), &r), -ENOENT);
    desk_reply_free(&r);
    must(act(w, &w->analyst, id, "send", NULL, DAY(16), &r), &r.err);
    assert_string_equal(json_string_value(json_object_get(r.json, "state")), "sent");
    assert_int_equal(json_array_size(json_object_get(r.json, "files")), 3);
    desk_reply_free(&r);
    assert_int_equal(db_int(w->desk, &e, 0, &n, "SELECT fulfilled_at FROM duty WHERE subject = 'report' AND obligation = 'D-19' AND subject_id = ?", "z", id), 0);
    assert_int_equal(n, DAY(16));
    assert_int_equal(db_int(w->desk, &e, 0, &n, "SELECT count(*) FROM notice WHERE kind = 'quarterly_report' AND org_id = 'knb'", ""), 0);
    assert_true(n >= 1);
    assert_int_equal(act(w, &w->analyst, id, "comment", "later", DAY(16), &r), -EPROTO);
    desk_reply_free(&r);
    must(act(w, &knb, id, "acknowledge", NULL, DAY(17), &r), &r.err);
    assert_string_equal(json_string_value(json_object_get(r.json, "state")), "acknowledged");
    desk_reply_free(&r);
    report_id(w, "18", "2026Q1", id18);
    assert_int_equal(act(w, &w->analyst, id18, "send", NULL, DAY(17), &r), -EPROTO);   /* 18 is KNB's to send */
    desk_reply_free(&r);
    must(act(w, &knb, id18, "send", NULL, DAY(17), &r), &r.err);
    desk_reply_free(&r);
    assert_int_equal(db_int(w->desk, &e, 0, &n, "SELECT count(*) FROM duty WHERE subject = 'report' AND obligation = 'D-20' AND state = 'fulfilled'", ""), 0);
    assert_int_equal(n, 1);
    must(act(w, &body, id18, "acknowledge", NULL, DAY(18), &r), &r.err);
    desk_reply_free(&r);
    must(act(w, &w->analyst, id, "correct", "an incident was found later", DAY(19), &r), &r.err);
    desk_reply_free(&r);
    assert_int_equal(act(w, &w->analyst, id, "correct", "twice", DAY(19), &r), -EPROTO);
    desk_reply_free(&r);
    report_id(w, "17", "2026Q1", id);
    must(act(w, &w->analyst, id, "send", NULL, DAY(20), &r), &r.err);
    assert_int_equal(json_integer_value(json_object_get(r.json, "version")), 2);
    assert_string_equal(json_string_value(json_object_get(r.json, "reason")), "an incident was found later");
    desk_reply_free(&r);
}

static int count_rows(void *arg, const struct table_row *row, struct err *e)
{
    (void)row;
    (void)e;
    ++*(size_t *)arg;
    return 0;
}

static void what_was_sent_is_kept_as_pdf_xlsx_and_json(void **state)
{
    static const char *const formats[] = { "pdf", "xlsx", "json" };
    struct world *w = *state;
    char id[24], path[4096];
    struct desk_reply r = { 0 };
    struct err e;

    story(w);
    must(file_mkdirs(node_path(w->node, "run", path), 0755, &e), &e);
    must(desk_tick(w->desk, DAY(3), NULL, &e), &e);
    must(desk_tick(w->desk, DAY(15), NULL, &e), &e);
    report_id(w, "17", "2026Q1", id);
    must(act(w, &w->analyst, id, "send", NULL, DAY(16), &r), &r.err);
    desk_reply_free(&r);
    case_new(w, "ssh-brute-force", DAY(2));
    for (size_t i = 0; i < COUNT(formats); i++) {
        AUTO_BUF struct buf one = { 0 }, two = { 0 };

        buf_init(&one, 0);
        buf_init(&two, 0);
        must(desk_report_file(w->desk, &w->analyst, str_c(id), str_c(formats[i]), STR(""), DAY(17), &one, &r), &r.err);
        must(desk_report_file(w->desk, &knb, str_c(id), str_c(formats[i]), STR(""), DAY(40), &two, &r), &r.err);
        assert_true(str_eq(buf_view(&one), buf_view(&two)));
        if (i == 0)
            assert_true(str_starts(buf_view(&one), STR("%PDF-")));
        if (i == 1) {
            size_t rows = 0;
            must(table_read(buf_view(&one), NULL, count_rows, &rows, &e), &e);
            assert_true(rows > 12);
        }
        if (i == 2) {
            json_t *j = json_loadb(one.p, one.n, 0, NULL);
            assert_int_equal(total(json_object_get(j, "figures"), "events.state"), 1);
            json_decref(j);
        }
    }
    assert_int_equal(desk_report_file(w->desk, &body, str_c(id), STR("pdf"), STR(""), DAY(17), &(struct buf){ 0 }, &r), -ENOENT);
    desk_reply_free(&r);
}

static void bad_questions_name_their_field(void **state)
{
    static const struct { const char *paragraph, *quarter, *as_of, *field; } rows[] = {
        { "19", "2026Q1", "", "paragraph" }, { "17", "2026Q5", "", "quarter" }, { "17", "26Q1", "", "quarter" }, { "17", "", "", "quarter" },
        { "17", "1999Q1", "", "quarter" }, { "17", "2026Q1", "yesterday", "as_of" },
    };
    struct world *w = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct desk_figures_query q = { str_c(rows[i].paragraph), str_c(rows[i].quarter), str_c(rows[i].as_of) };
        struct desk_reply r = { 0 };

        CHECK(rows[i].quarter, desk_figures(w->desk, &w->analyst, &q, T0, &r) == -EINVAL);
        assert_string_equal(r.field, rows[i].field);
        desk_reply_free(&r);
    }
}

int main(void)
{
#define T(f, name) { name, f, reports_open, world_close, NULL }
    const struct CMUnitTest tests[] = {
        T(figures_are_counted_from_cases, "R-17-02 R-17-03 R-18-02 figures are counted from cases, and each opens the rows behind it"),
        T(measures_and_late_duties_of_owners_are_in_both_summaries, "R-17-07 R-18-06 measures of owners and their late duties are in both summaries"),
        T(every_case_of_a_large_transaction_is_counted, "every case of a large transaction is counted"),
        T(changes_of_objects_are_counted_by_kind, "R-17-05 R-18-04 changes of objects are counted by kind"),
        T(changes_of_registered_data_are_told_apart,
          "R-17-05 R-18-04 commissioning, termination, Annex 1, contacts and logging changes are told apart"),
        T(a_past_quarter_is_the_same_as_of_the_same_moment, "a past quarter is the same as of the same moment, whatever was recorded later"),
        T(rows_come_in_pages, "the rows behind a figure come in pages, each once"),
        T(the_summary_of_paragraph_18_has_no_events, "R-18-07 the summary of paragraph 18 has no section of events"),
        T(each_quarter_has_two_reports_even_an_empty_one, "F-05 F-06 each of four quarters has its two reports, an empty one too"),
        T(a_report_is_sent_acknowledged_and_corrected, "D-19 D-20 R-17-01 R-18-01 a report is sent to KNB and on to the authorised body, acknowledged, corrected"),
        T(what_was_sent_is_kept_as_pdf_xlsx_and_json, "what was sent is kept as PDF, XLSX and JSON, byte for byte"),
        T(bad_questions_name_their_field, "bad questions name their field"),
    };

    return cmocka_run_group_tests_name("reports", tests, NULL, NULL);
}
