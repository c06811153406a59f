/* test_duties.c - duties as rows: of any subject, by facts, counted anew, reminded of, escalated, through outages and wrong clocks. */
#include "desk/approvals/approvals.h"
#include "desk/duties/room.h"
#include "duty/internal.h"
#include "desk/testing.h"

#define S NS_PER_SECOND
#define M NS_PER_MINUTE
#define H NS_PER_HOUR
#define D NS_PER_DAY

static int64_t count(struct world *w, const char *sql)
{
    int64_t n = -1;

    assert_int_equal(db_int(w->desk, NULL, -1, &n, sql, ""), 0);
    return n;
}

static const struct subject object = { .kind = "object", .id = STR_INIT("state-register"), .object_id = STR_INIT("state-register"),
                                       .org_id = STR_INIT("registry-centre") };

/* One act of some room at a moment, in a transaction of its own. */
struct acting {
    struct call       c;
    struct desk_reply r;
};

static struct call *acting_begin(struct acting *a, struct world *w, const struct viewer *v, time_ns now)
{
    *a = (struct acting){ .r = { 0 } };
    desk_call_init(&a->c, w->desk, v, now, &a->r);
    must(db_begin(w->desk, a->c.e), a->c.e);
    return &a->c;
}

static int acting_end(struct acting *a, int rc)
{
    rc = db_end(a->c.d, rc, a->c.e);
    desk_call_free(&a->c);
    desk_reply_free(&a->r);
    return rc;
}

static int64_t begin_at(struct world *w, const char *obligation, struct duty_start start, time_ns now)
{
    struct acting a;
    int64_t id = 0;
    int rc = duties_begin(acting_begin(&a, w, NULL, now), &object, obligation, start, &id);

    if (rc < 0)
        fail_msg("%s: %s", obligation, a.c.e->text);
    assert_true(acting_end(&a, rc) >= 0);
    return id;
}

static int64_t begin(struct world *w, const char *obligation, time_ns from)
{
    return begin_at(w, obligation, (struct duty_start){ .at = from }, from);
}

static int fact(struct world *w, const char *obligation, const char *name, time_ns at)
{
    struct duty_evidence ev = { .notice_id = 7, .sha256 = STR("abc"), .note = STR("outgoing 12/3") };
    struct acting a;

    return acting_end(&a, duties_fact(acting_begin(&a, w, &w->analyst, at), &object, obligation, name, at, &ev));
}

static void fulfil(struct world *w, const char *obligation, time_ns at)
{
    struct acting a;

    assert_true(acting_end(&a, duties_fulfil(acting_begin(&a, w, NULL, at), &object, obligation, at)) >= 0);
}

static void tick(struct world *w, time_ns now)
{
    struct err e;

    must(desk_tick(w->desk, now, NULL, &e), &e);
}

static json_t *duty_get(struct world *w, const struct viewer *v, int64_t id, time_ns now)
{
    struct desk_reply r = { 0 };
    char text[24];

    snprintf(text, sizeof text, "%lld", (long long)id);
    must(desk_duty(w->desk, v, str_c(text), now, &r), &r.err);
    return r.json;
}

static void want(struct world *w, int64_t id, time_ns now, const char *key, const char *value)
{
    json_t *j = duty_get(w, &w->analyst, id, now);
    const char *is = json_string_value(json_object_get(j, key));

    if (!is || strcmp(is, value) != 0)
        fail_msg("%s is \"%s\", not \"%s\"", key, is ? is : "null", value);
    json_decref(j);
}

static void want_time(struct world *w, int64_t id, const char *key, time_ns value)
{
    json_t *j = duty_get(w, &w->analyst, id, T0);
    time_ns t = 0;

    assert_int_equal(time_parse_rfc3339(json_get_str(j, key), &t, NULL, NULL), 0);
    assert_int_equal(t, value);
    json_decref(j);
}

/* --- every obligation as a row --- */

struct one {
    const char *name, *id;
};

/* A row for the obligation on an object: it runs, is due when the engine says, is kept at the due instant and late a nanosecond after it. */
static void one_obligation(struct world *w, const char *id)
{
    const struct duty_world *dw = w->desk->setup.world;
    const struct obligation *o = edition_obligation(dw->edition, str_c(id));
    struct duty_start start = { .at = T0 };
    struct duty_result r;
    struct err e;
    int64_t first, second;

    must(duty_due(dw, o, start, &r, &e), &e);
    first = begin_at(w, id, start, T0);
    want_time(w, first, "due", r.due);
    want(w, first, r.due < T0 ? T0 : r.due, "state", r.due < T0 ? "overdue" : "running");
    want(w, first, r.due + 1, "state", r.basis == DUTY_LAW ? "overdue" : "running");
    fulfil(w, id, r.due);
    want(w, first, r.due + 1, "state", "fulfilled");
    json_t *j = duty_get(w, &w->analyst, first, r.due + D);
    assert_true(r.basis == DUTY_LAW ? json_is_false(json_object_get(j, "late")) : json_is_null(json_object_get(j, "late")));
    assert_int_equal(json_array_size(json_object_get(j, "facts")), o->fact_count);
    assert_true(json_array_size(json_object_get(j, "arithmetic")) > 1);
    json_decref(j);
    /* Again on the same object: a next row, and this one is kept too late. */
    second = begin_at(w, id, start, T0);
    assert_true(second > first);
    fulfil(w, id, r.due + 1);
    j = duty_get(w, &w->analyst, second, r.due + D);
    assert_int_equal(json_integer_value(json_object_get(j, "seq")), 2);
    assert_true(r.basis == DUTY_LAW ? json_is_true(json_object_get(j, "late")) : json_is_null(json_object_get(j, "late")));
    json_decref(j);
}

static void each_is_a_row(void **state)
{
    struct world *w = *state;
    const struct edition *ed = w->desk->setup.world->edition;

    for (size_t i = 0; i < ed->obligation_count; i++) {
        char id[8];

        snprintf(id, sizeof id, "%.*s", STR_ARG(ed->obligations[i].id));
        if (id[0] == 'D')
            one_obligation(w, id);
    }
    assert_int_equal(count(w, "SELECT count(*) FROM duty WHERE subject = 'object'"), 62);
}

static void whose_each_is(void **state)
{
    static const struct { const char *id, *owed_by; } rows[] = {
        { "D-01", "organisation" }, { "D-03", "organisation" }, { "D-05", "centre" }, { "D-06", "organisation" }, { "D-12", "centre" },
        { "D-17", "centre" }, { "D-19", "centre" }, { "D-20", "knb" }, { "D-21", "organisation" }, { "D-23", "ocib" }, { "D-24", "ocib" },
        { "D-25", "ocib" }, { "D-27", "organisation" }, { "D-29", "ocib" }, { "D-30", "organisation" }, { "D-31", "organisation" },
    };
    struct world *w = *state;

    for (size_t i = 0; i < COUNT(rows); i++)
        want(w, begin(w, rows[i].id, T0), T0, "owed_by", rows[i].owed_by);
    assert_int_equal(count(w, "SELECT count(*) FROM duty WHERE obligation = 'D-20' AND performer_org = 'knb'"), 1);
    assert_int_equal(count(w, "SELECT count(*) FROM duty WHERE obligation = 'D-01' AND performer_org = 'registry-centre'"), 1);
}

/* one named performer; the possessor goes before the owner; the owner stays accountable and still sees it. */
static void performers(void **state)
{
    struct world *w = *state;
    struct duty_terms terms = { .performer_org = STR("city-services") };
    struct desk_reply r = { 0 };
    struct acting a;
    int64_t id = 0;

    assert_true(acting_end(&a, duties_begin_as(acting_begin(&a, w, NULL, T0), &object, "D-09", (struct duty_start){ .at = T0 }, &terms, &id)) >= 0);
    json_t *j = duty_get(w, &w->city, id, T0);
    assert_true(str_eq(json_get_str(json_object_get(j, "performer"), "id"), STR("city-services")));
    assert_true(str_eq(json_get_str(json_object_get(j, "accountable"), "id"), STR("registry-centre")));
    json_decref(j);
    json_decref(duty_get(w, &w->registry, id, T0));
    /* A foreign organisation sees nothing of what does not reach it. */
    char text[24];
    snprintf(text, sizeof text, "%lld", (long long)begin(w, "D-10", T0));
    assert_int_equal(desk_duty(w->desk, &w->city, str_c(text), T0, &r), -ENOENT);
    desk_reply_free(&r);
    /* The object gets a possessor: what begins from now on is the possessor's, and both see what there is. */
    assert_int_equal(db_exec(w->desk, NULL, "UPDATE object SET possessor_id = 'city-services' WHERE id = 'state-register'", ""), 1);
    id = begin(w, "D-11", T0);
    assert_int_equal(count(w, "SELECT count(*) FROM duty WHERE obligation = 'D-11' AND performer_org = 'city-services' AND org_id = 'registry-centre'"), 1);
    json_decref(duty_get(w, &w->city, id, T0));
    r = (struct desk_reply){ 0 };
    must(desk_duty(w->desk, &w->city, str_c(text), T0, &r), &r.err);
    desk_reply_free(&r);
    assert_int_equal(db_exec(w->desk, NULL, "UPDATE object SET possessor_id = NULL WHERE id = 'state-register'", ""), 1);
    assert_int_equal(desk_duty(w->desk, &w->city, str_c(text), T0, &r), -ENOENT);
    desk_reply_free(&r);
}

/* paper and electronic, the last of the two counts. */
static void both_parts(void **state)
{
    struct world *w = *state;
    const struct { const char *id, *paper, *electronic; } rows[] = {
        { "D-01", "commission_paper_at", "commission_electronic_at" }, { "D-02", "termination_paper_at", "termination_electronic_at" },
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t id = begin(w, rows[i].id, T0);

        assert_int_equal(fact(w, rows[i].id, rows[i].electronic, T0 + D), 0);
        want(w, id, T0 + D, "state", "running");
        assert_int_equal(fact(w, rows[i].id, "nonsense_at", T0 + D), -EINVAL);
        assert_int_equal(fact(w, rows[i].id, rows[i].paper, T0 + 3 * D), 1);
        want(w, id, T0 + 3 * D, "state", "fulfilled");
        want_time(w, id, "fulfilled_at", T0 + 3 * D);
        json_t *j = duty_get(w, &w->registry, id, T0 + 3 * D), *f = json_array_get(json_object_get(j, "facts"), 0);
        assert_true(str_eq(json_get_str(f, "fact"), str_c(rows[i].paper)) && str_eq(json_get_str(f, "notice_id"), STR("7")));
        assert_true(str_eq(json_get_str(f, "note"), STR("outgoing 12/3")));
        json_decref(j);
        assert_int_equal(fact(w, rows[i].id, rows[i].paper, T0 + 4 * D), 0);   /* nothing runs any more */
    }
}

static void causes_and_consequences(void **state)
{
    struct world *w = *state;
    int64_t id = begin(w, "D-06", T0);

    assert_int_equal(fact(w, "D-06", "consequences_eliminated_at", T0 + 10 * H), 0);
    want(w, id, T0 + 10 * H, "state", "running");
    assert_int_equal(fact(w, "D-06", "causes_eliminated_at", T0 + 5 * H), 1);
    want_time(w, id, "fulfilled_at", T0 + 10 * H);
}

/* a second change of contacts within the 48 hours has 48 hours of its own; one answer keeps both. */
static void side_by_side(void **state)
{
    struct world *w = *state;
    struct duty_terms terms = { .another = true };
    int64_t first = begin(w, "D-04", T0), second = 0;
    struct acting a;

    assert_true(acting_end(&a, duties_begin_as(acting_begin(&a, w, NULL, T0 + H), &object, "D-04", (struct duty_start){ .at = T0 + H }, &terms,
                                               &second)) >= 0);
    assert_true(second != first);
    want_time(w, first, "due", T0 + 48 * H);
    want_time(w, second, "due", T0 + 49 * H);
    fulfil(w, "D-04", T0 + 2 * H);
    assert_int_equal(count(w, "SELECT count(*) FROM duty WHERE state = 'running'"), 0);
}

static void superseded_and_resumed(void **state)
{
    struct world *w = *state;
    int64_t id = begin(w, "D-09", T0);
    struct acting a;

    assert_true(acting_end(&a, duties_supersede(acting_begin(&a, w, NULL, T0 + H), &object, "D-09", "duty.text.before")) >= 0);
    want(w, id, T0 + H, "state", "superseded");
    assert_int_equal(count(w, "SELECT count(*) FROM reminder WHERE sent_at IS NULL"), 0);
    assert_true(acting_end(&a, duties_resume(acting_begin(&a, w, NULL, T0 + 2 * H), &object, "D-09", "duty.text.before")) >= 0);
    want(w, id, T0 + 2 * H, "state", "running");
    want_time(w, id, "due", T0 + 72 * H);
    assert_true(count(w, "SELECT count(*) FROM reminder WHERE sent_at IS NULL") > 0);
    assert_int_equal(count(w, "SELECT count(*) FROM duty_change WHERE reason = 'resumed'"), 1);
    assert_true(acting_end(&a, duties_cancel(acting_begin(&a, w, NULL, T0 + 3 * H), &object, "D-09", "duty.text.before")) >= 0);
    want(w, id, T0 + 3 * H, "state", "cancelled");
}

/* Q-25, requirements 5.3: an internal day is told as such and is never overdue by law; what has none has none. */
static void without_a_term(void **state)
{
    struct world *w = *state;
    int64_t quarter = begin(w, "D-19", T0), none = begin(w, "N-05", T0);
    json_t *j;

    want(w, quarter, T0 + 365 * D, "state", "running");
    want(w, quarter, T0, "basis", "target");
    tick(w, T0 + 60 * D);
    assert_int_equal(count(w, "SELECT count(*) FROM timeline WHERE kind = 'clock_overdue'"), 0);
    assert_int_equal(count(w, "SELECT count(*) FROM timeline WHERE kind = 'target_passed' AND obligation = 'D-19' AND subject = 'object'"), 1);
    j = duty_get(w, &w->analyst, none, T0 + 365 * D);
    assert_true(json_is_null(json_object_get(j, "due")) && json_is_null(json_object_get(j, "late")));
    assert_true(str_eq(json_get_str(j, "state"), STR("running")) && str_eq(json_get_str(j, "basis"), STR("open")));
    json_decref(j);
}

/* --- what moves a due moment --- */

static void an_earlier_start_is_counted_anew(void **state)
{
    struct world *w = *state;
    int64_t id = begin(w, "D-06", T0 + H), again;
    json_t *j, *change;

    again = begin_at(w, "D-06", (struct duty_start){ .at = T0 }, T0 + 2 * H);
    assert_int_equal(again, id);
    want_time(w, id, "due", T0 + 72 * H);
    j = duty_get(w, &w->analyst, id, T0 + 2 * H);
    change = json_array_get(json_object_get(j, "changes"), 0);
    assert_int_equal(json_array_size(json_object_get(j, "changes")), 1);
    assert_true(str_eq(json_get_str(change, "reason"), STR("start")));
    assert_true(json_is_string(json_object_get(change, "due_was")) && json_is_string(json_object_get(change, "due_is")));
    json_decref(j);
    /* The same start again moves nothing and leaves nothing. */
    begin_at(w, "D-06", (struct duty_start){ .at = T0 }, T0 + 3 * H);
    assert_int_equal(count(w, "SELECT count(*) FROM duty_change"), 1);
    /* Reminders are those of the new moment. */
    assert_int_equal(count(w, "SELECT count(*) FROM reminder WHERE kind = 'due' AND sent_at IS NULL"), 1);
    assert_int_equal(count(w, "SELECT count(*) FROM reminder r JOIN duty d ON d.id = r.duty_id WHERE r.kind = 'due' AND r.at = d.due_at"), 1);
    /* The trace cannot be touched. */
    assert_true(db_exec(w->desk, NULL, "DELETE FROM duty_change", "") < 0);
    assert_true(db_exec(w->desk, NULL, "UPDATE duty_change SET note = 'x'", "") < 0);
}

/* other_calendar - the shipped calendar with one replacement, in the place of the desk's. */
static void other_calendar(struct world *w, const char *from, const char *to)
{
    AUTO_BUF struct buf in;
    AUTO_BUF struct buf out;
    char path[4096];
    struct err e;
    ptrdiff_t at;

    buf_init(&in, MIB);
    buf_init(&out, MIB);
    must(file_read(source_path("content/calendars/kz.yaml", path), MIB, &in, &e), &e);
    at = str_find(buf_view(&in), str_c(from));
    assert_true(at > 0);
    buf_put(&out, in.p, (size_t)at);
    buf_str(&out, str_c(to));
    buf_str(&out, str_cut(buf_view(&in), (size_t)at + strlen(from)));
    at = str_find(buf_view(&out), STR("version: '"));
    out.p[at + 10] = 'X';
    calendar_free(&w->duty.calendar);
    must(calendar_read(buf_view(&out), "kz.yaml", &w->duty.calendar, &e), &e);
    desk_reopen(w);
}

static void a_new_calendar_recounts_what_runs(void **state)
{
    struct world *w = *state;
    struct civil day = { 2026, 6, 10, 12, 0, 0 };
    time_ns june = civil_to_ns(&day, 300);
    int64_t runs = begin(w, "D-12", june), minutes = begin(w, "D-05", june), ended = begin(w, "D-16", june);
    struct desk_reply r = { 0 };
    json_t *first;

    tick(w, june);
    fulfil(w, "D-16", june + H);
    /* An order moves a day off to Monday 15 June 2026. */
    other_calendar(w, "      - {date: 2026-07-06,", "      - {date: 2026-06-15, kind: off, name: swap, source: 'an order'}\n      - {date: 2026-07-06,");
    tick(w, june + D);
    tick(w, june + D + H);
    want(w, runs, june + D, "due", "2026-06-25T18:59:59Z");
    assert_int_equal(count(w, "SELECT count(*) FROM duty_change WHERE reason = 'calendar' AND due_is - due_was = 86400000000000"), 1);
    assert_int_equal(count(w, "SELECT count(*) FROM duty_change"), 1);   /* minutes do not move, what has ended is as it was */
    assert_int_equal(count(w, "SELECT count(*) FROM timeline WHERE kind = 'clock_recounted' AND obligation = 'D-12'"), 1);
    assert_int_equal(count(w, "SELECT count(*) FROM duty WHERE state = 'fulfilled' AND calendar LIKE 'X%'"), 0);
    assert_int_equal(count(w, "SELECT count(*) FROM duty WHERE state = 'running' AND calendar NOT LIKE 'X%'"), 0);
    assert_int_equal(count(w, "SELECT count(*) FROM reminder r JOIN duty d ON d.id = r.duty_id WHERE d.obligation = 'D-12' AND r.kind = 'due' AND"
                              " r.at = d.due_at"), 1);
    (void)minutes;
    (void)ended;
    /* A lead and the administrator see what moved; an owner does not. */
    must(desk_duty_changes(w->desk, &w->admin, STR("calendar"), 0, STR(""), june + D, &r), &r.err);
    first = json_array_get(json_object_get(r.json, "items"), 0);
    assert_true(str_eq(json_get_str(first, "obligation"), STR("D-12")));
    desk_reply_free(&r);
}

static void a_missing_year_stops_no_act(void **state)
{
    struct world *w = *state;
    struct civil day = { 2027, 12, 28, 12, 0, 0 };
    time_ns december = civil_to_ns(&day, 300);
    int64_t id = begin(w, "D-01", december);
    json_t *j = duty_get(w, &w->analyst, id, december);

    assert_true(json_is_null(json_object_get(j, "due")));
    assert_int_equal(json_integer_value(json_object_get(j, "missing_year")), 2028);
    assert_true(str_eq(json_get_str(j, "state"), STR("running")));
    json_decref(j);
    tick(w, december + 20 * D);
    want(w, id, december + 20 * D, "state", "running");   /* never overdue by a guess */
    other_calendar(w, "  - year: 2027\n    status: estimated", "  - year: 2027\n    status: confirmed");
    /* The year 2028 comes. */
    {
        AUTO_BUF struct buf b;
        char path[4096];
        struct err e;

        buf_init(&b, MIB);
        must(file_read(source_path("content/calendars/kz.yaml", path), MIB, &b, &e), &e);
        buf_str(&b, STR("  - year: 2028\n    status: estimated\n    source: 'a test'\n    days: []\n"));
        b.p[str_find(buf_view(&b), STR("version: '")) + 10] = 'Y';
        calendar_free(&w->duty.calendar);
        must(calendar_read(buf_view(&b), "kz.yaml", &w->duty.calendar, &e), &e);
        desk_reopen(w);
    }
    tick(w, december + 21 * D);
    assert_int_equal(count(w, "SELECT count(*) FROM duty WHERE subject = 'object' AND due_at IS NOT NULL AND coalesce(missing_year, 0) = 0"), 1);
    want(w, id, december + 10 * D, "calendar", "Y026-11-24");
    want(w, id, december + 10 * D, "state", "running");
}

/* later_edition - the shipped edition as it might be amended: in force from 1 June 2026, D-05 within 20 minutes and with other words. */
static void later_edition(struct world *w)
{
    static const struct { const char *file, *from, *to; } changes[] = {
        { "edition.yaml", "id: kz-52-2025", "id: kz-52-2026" },
        { "edition.yaml", "effective_from: ''", "effective_from: '2026-06-01'" },
        { "obligations.yaml", "amount: 30", "amount: 20" },
        { "obligations.yaml", "'Notify the persons responsible for IS'", "'Tell them at once'" },
    };
    struct buf files[EDITION_PARTS];
    struct str texts[EDITION_PARTS];
    struct edition *ed;
    struct err e;

    for (size_t i = 0; i < EDITION_PARTS; i++) {
        char tail[128], path[4096];

        buf_init(&files[i], MIB);
        snprintf(tail, sizeof tail, "content/editions/kz-52-2025/%s", edition_part_name(i));
        must(file_read(source_path(tail, path), MIB, &files[i], &e), &e);
        for (size_t k = 0; k < COUNT(changes); k++) {
            AUTO_BUF struct buf out;
            ptrdiff_t at = strcmp(changes[k].file, edition_part_name(i)) ? -1 : str_find(buf_view(&files[i]), str_c(changes[k].from));

            buf_init(&out, MIB);
            if (at < 0)
                continue;
            buf_put(&out, files[i].p, (size_t)at);
            buf_str(&out, str_c(changes[k].to));
            buf_str(&out, str_cut(buf_view(&files[i]), (size_t)at + strlen(changes[k].from)));
            buf_reset(&files[i]);
            buf_str(&files[i], buf_view(&out));
        }
        texts[i] = buf_view(&files[i]);
    }
    must(edition_read(texts, &ed, &e), &e);
    w->duty.editions[w->duty.edition_count++] = ed;
    for (size_t i = 0; i < EDITION_PARTS; i++)
        buf_free(&files[i]);
}

static void each_row_keeps_its_edition(void **state)
{
    struct world *w = *state;
    struct civil day = { 2026, 6, 2, 12, 0, 0 };
    time_ns june = civil_to_ns(&day, 300);
    int64_t before, after;

    later_edition(w);
    desk_reopen(w);
    before = begin(w, "D-05", T0);
    want_time(w, before, "due", T0 + 30 * M);
    fulfil(w, "D-05", T0 + M);
    after = begin(w, "D-05", june);
    want_time(w, after, "due", june + 20 * M);
    want(w, before, june, "edition", "kz-52-2025");
    want(w, before, june, "title", "Notify the persons responsible for IS");
    want(w, after, june, "edition", "kz-52-2026");
    want(w, after, june, "title", "Tell them at once");
    /* What runs by the old edition is counted anew by the old edition, whatever is in force by then. */
    fulfil(w, "D-05", june + M);
    struct duty_terms terms = { .edition = STR("kz-52-2025") };
    struct acting a;
    assert_true(acting_end(&a, duties_begin_as(acting_begin(&a, w, NULL, june), &object, "D-05", (struct duty_start){ .at = june }, &terms, &after)) >= 0);
    begin_at(w, "D-05", (struct duty_start){ .at = june + 5 * M }, june + 6 * M);
    want_time(w, after, "due", june + 35 * M);
    want(w, after, june, "edition", "kz-52-2025");
    /* An edition of which nothing is known is refused, not guessed. */
    terms.edition = STR("kz-1-1999");
    assert_int_equal(acting_end(&a, duties_begin_as(acting_begin(&a, w, NULL, june), &object, "D-12", (struct duty_start){ .at = june }, &terms, NULL)),
                     -ENOTSUP);
}

/* --- the start under the two-person rule --- */

static void another_start_needs_another_person(void **state)
{
    struct world *w = *state;
    int64_t id = begin(w, "D-06", T0);
    json_t *body = json_pack("{s:s, s:s}", "from", "2026-03-20T20:00:00+05:00", "reason", "the log shows it"), *waiting;
    json_t *yes = json_pack("{s:s}", "decision", "approve");
    struct viewer lead = w->analyst;
    struct desk_reply r = { 0 };
    char text[24], approval[24];

    snprintf(text, sizeof text, "%lld", (long long)id);
    assert_int_equal(desk_duty_restart(w->desk, &w->registry, str_c(text), body, T0 + H, &r), -EACCES);
    desk_reply_free(&r);
    r = (struct desk_reply){ 0 };
    must(desk_duty_restart(w->desk, &w->analyst, str_c(text), body, T0 + H, &r), &r.err);
    waiting = json_array_get(json_object_get(r.json, "approvals"), 0);
    assert_non_null(waiting);
    snprintf(approval, sizeof approval, "%s", json_string_value(json_object_get(waiting, "id")));
    desk_reply_free(&r);
    want_time(w, id, "due", T0 + 72 * H);   /* nothing has moved yet */
    r = (struct desk_reply){ 0 };
    assert_true(desk_approval_decide(w->desk, &w->analyst, str_c(approval), yes, T0 + 2 * H, &r) < 0);   /* not by the one who asked */
    desk_reply_free(&r);
    assert_int_equal(db_exec(w->desk, NULL, "INSERT INTO user(login, name, role, language, active, password, created_at) VALUES ('second-lead', 'Lead',"
                                            " 'centre_lead', 'ru', 1, 'x', 1)", ""), 1);
    lead.user_id = count(w, "SELECT id FROM user WHERE login = 'second-lead'");
    lead.role = DESK_CENTRE_LEAD;
    r = (struct desk_reply){ 0 };
    must(desk_approval_decide(w->desk, &lead, str_c(approval), yes, T0 + 2 * H, &r), &r.err);
    desk_reply_free(&r);
    want_time(w, id, "due", T0 - 230 * M + 72 * H);
    assert_int_equal(count(w, "SELECT count(*) FROM duty_change WHERE reason = 'start' AND note = 'the log shows it'"), 1);
    json_decref(body);
    json_decref(yes);
}

static void wrong_starts_are_refused(void **state)
{
    static const struct { const char *name, *from, *reason, *field; } rows[] = {
        { "no reason", "2026-03-20T20:00:00+05:00", "", "reason" },
        { "no moment", "yesterday", "because", "from" },
        { "in the future", "2027-03-20", "because", "from" },
    };
    struct world *w = *state;
    int64_t id = begin(w, "D-06", T0);
    char text[24];

    snprintf(text, sizeof text, "%lld", (long long)id);
    for (size_t i = 0; i < COUNT(rows); i++) {
        json_t *body = json_pack("{s:s, s:s}", "from", rows[i].from, "reason", rows[i].reason);
        struct desk_reply r = { 0 };

        CHECK(rows[i].name, desk_duty_restart(w->desk, &w->analyst, str_c(text), body, T0 + H, &r) == -EINVAL);
        CHECK(rows[i].name, strcmp(r.field, rows[i].field) == 0);
        desk_reply_free(&r);
        json_decref(body);
    }
    assert_int_equal(count(w, "SELECT count(*) FROM approval"), 0);
}

/* --- time --- */

static void reminders_survive_four_days(void **state)
{
    struct world *w = *state;
    int64_t id = begin(w, "D-06", T0);

    tick(w, T0 + H);
    assert_int_equal(count(w, "SELECT count(*) FROM reminder WHERE sent_at IS NOT NULL AND duty_id IN (SELECT id FROM duty WHERE obligation = 'D-06')"), 0);
    desk_reopen(w);   /* killed; four days of nothing */
    tick(w, T0 + 96 * H);
    assert_int_equal(count(w, "SELECT count(*) FROM reminder WHERE kind = 'before' AND outcome = 'sent' AND duty_id IN (SELECT id FROM duty WHERE obligation = 'D-06')"), 3);
    assert_int_equal(count(w, "SELECT count(*) FROM reminder WHERE kind = 'due' AND outcome = 'sent' AND duty_id IN (SELECT id FROM duty WHERE obligation = 'D-06')"), 1);
    assert_int_equal(count(w, "SELECT count(*) FROM reminder WHERE kind = 'after' AND outcome = 'sent' AND duty_id IN (SELECT id FROM duty WHERE obligation = 'D-06')"), 1);   /* one, and no pile of nights */
    assert_int_equal(count(w, "SELECT count(*) FROM reminder WHERE kind = 'chain' AND outcome = 'sent' AND duty_id IN (SELECT id FROM duty WHERE obligation = 'D-06')"), 1);
    assert_int_equal(count(w, "SELECT count(*) FROM timeline WHERE kind = 'clock_overdue' AND obligation = 'D-06'"), 1);
    int64_t letters = count(w, "SELECT count(*) FROM notice WHERE kind = 'reminder' AND subject = 'object' AND channel = 'email'");
    assert_true(letters >= 5);
    assert_true(count(w, "SELECT count(*) FROM notice WHERE kind = 'reminder' AND subject = 'object' AND channel = 'inbox' AND org_id = 'registry-centre'") >= 4);
    tick(w, T0 + 96 * H);
    desk_reopen(w);
    tick(w, T0 + 96 * H);
    assert_int_equal(count(w, "SELECT count(*) FROM notice WHERE kind = 'reminder' AND subject = 'object' AND channel = 'email'"), letters);   /* each once */
    /* It goes on at the rhythm of the due moment: every twelve hours after it. */
    assert_int_equal(count(w, "SELECT count(*) FROM reminder r JOIN duty d ON d.id = r.duty_id WHERE d.obligation = 'D-06' AND r.kind = 'after' AND r.sent_at IS NULL AND"
                              " (r.at - d.due_at) % 43200000000000 = 0"), 1);
    fulfil(w, "D-06", T0 + 97 * H);
    tick(w, T0 + 400 * H);
    assert_int_equal(count(w, "SELECT count(*) FROM notice WHERE kind = 'reminder' AND subject = 'object' AND channel = 'email'"), letters);
    want(w, id, T0 + 400 * H, "state", "fulfilled");
}

static void escalation_goes_up_until_somebody_answers(void **state)
{
    struct world *w = *state;
    int64_t id = begin(w, "D-06", T0);
    time_ns start = T0 + 72 * H / 100 * 80;
    struct desk_reply r = { 0 };
    char text[24];

    tick(w, start);
    assert_int_equal(count(w, "SELECT count(*) FROM timeline WHERE kind = 'escalation'"), 1);
    tick(w, start + 59 * M);
    assert_int_equal(count(w, "SELECT count(*) FROM timeline WHERE kind = 'escalation'"), 1);
    tick(w, start + 60 * M);
    assert_int_equal(count(w, "SELECT count(*) FROM timeline WHERE kind = 'escalation'"), 2);
    snprintf(text, sizeof text, "%lld", (long long)id);
    assert_int_equal(desk_duty_acknowledge(w->desk, &w->analyst, str_c(text), start + 61 * M, &r), -EACCES);   /* not the centre's to say */
    desk_reply_free(&r);
    r = (struct desk_reply){ 0 };
    must(desk_duty_acknowledge(w->desk, &w->registry, str_c(text), start + 61 * M, &r), &r.err);
    assert_true(json_is_string(json_object_get(r.json, "acknowledged_at")));
    desk_reply_free(&r);
    tick(w, start + 11 * H);
    assert_int_equal(count(w, "SELECT count(*) FROM timeline WHERE kind = 'escalation'"), 2);
    assert_int_equal(count(w, "SELECT count(*) FROM reminder WHERE kind = 'chain' AND outcome = 'acknowledged' AND duty_id IN (SELECT id FROM duty WHERE obligation = 'D-06')"), 1);
    assert_int_equal(count(w, "SELECT count(*) FROM timeline WHERE kind = 'reminder' AND obligation = 'D-06'"), 3);   /* reminders go on */
    r = (struct desk_reply){ 0 };
    assert_int_equal(desk_duty_acknowledge(w->desk, &w->city, str_c(text), start + 12 * H, &r), -ENOENT);
    desk_reply_free(&r);
}

static void a_wrong_clock_leaves_no_false_mark(void **state)
{
    struct world *w = *state;
    int64_t id = begin(w, "D-06", T0);

    tick(w, T0 + H);
    tick(w, T0 + 1000 * D);   /* the battery of the clock */
    assert_int_equal(count(w, "SELECT count(*) FROM duty WHERE obligation = 'D-06' AND overdue_marked_at IS NOT NULL"), 1);
    tick(w, T0 + 2 * H);
    assert_int_equal(count(w, "SELECT count(*) FROM duty WHERE obligation = 'D-06' AND overdue_marked_at IS NOT NULL"), 0);
    want(w, id, T0 + 2 * H, "state", "running");
    assert_int_equal(count(w, "SELECT count(*) FROM duty_change WHERE reason = 'clock' AND duty_id IN (SELECT id FROM duty WHERE obligation = 'D-06')"), 1);
    assert_int_equal(count(w, "SELECT count(*) FROM timeline WHERE kind = 'clock_overdue_undone' AND obligation = 'D-06'"), 1);
    assert_int_equal(count(w, "SELECT count(*) FROM reminder WHERE kind IN ('before','due') AND sent_at IS NULL AND duty_id IN (SELECT id FROM duty WHERE obligation = 'D-06')"), 4);   /* their time is yet to come */
    assert_int_equal(count(w, "SELECT count(*) FROM reminder WHERE kind = 'chain' AND sent_at IS NULL AND duty_id IN (SELECT id FROM duty WHERE obligation = 'D-06')"), 1);
    tick(w, T0 + 73 * H);
    assert_int_equal(count(w, "SELECT count(*) FROM duty WHERE obligation = 'D-06' AND overdue_marked_at IS NOT NULL"), 1);   /* and now it is true */
}

static int64_t sent_before(struct world *w) { return count(w, "SELECT count(*) FROM reminder WHERE kind = 'before' AND sent_at IS NOT NULL"); }

static void a_clock_ahead_by_less_takes_no_reminder_away(void **state)
{
    struct world *w = *state;

    begin(w, "D-06", T0);
    tick(w, T0 + H);
    tick(w, T0 + 70 * H);                        /* ahead, and not yet at the due moment: reminders go out too early */
    assert_true(sent_before(w) > 0);
    tick(w, T0 + 2 * H);
    assert_int_equal(sent_before(w), 0);
    for (int i = 3; i < 73; i++)
        tick(w, T0 + i * H);
    assert_int_equal(sent_before(w), 3);         /* each at its time */
    int64_t told = count(w, "SELECT count(*) FROM timeline WHERE kind LIKE 'reminder%'");
    tick(w, T0 + 72 * H - 10 * S);               /* set back by some seconds: nothing is repeated */
    tick(w, T0 + 72 * H);
    assert_int_equal(count(w, "SELECT count(*) FROM timeline WHERE kind LIKE 'reminder%'"), told);
}

static void a_session_of_a_clock_ahead_ends(void **state)
{
    struct world *w = *state;

    assert_int_equal(db_exec(w->desk, NULL, "INSERT INTO session(token, user_id, created_at, seen_at, address) VALUES (randomblob(32), 1, ?1, ?1, '')", "i", T0 + 900 * D), 1);
    assert_int_equal(db_exec(w->desk, NULL, "INSERT INTO session(token, user_id, created_at, seen_at, address) VALUES (randomblob(32), 1, ?1, ?1, '')", "i", T0), 1);
    tick(w, T0 + M);
    assert_int_equal(count(w, "SELECT count(*) FROM session"), 1);
}

static void entered_late_is_reminded_once(void **state)
{
    struct world *w = *state;

    begin_at(w, "D-06", (struct duty_start){ .at = T0 }, T0 + 60 * H);
    tick(w, T0 + 60 * H);
    assert_int_equal(count(w, "SELECT count(*) FROM reminder WHERE kind = 'before' AND outcome = 'sent'"), 1);
    assert_int_equal(count(w, "SELECT percent FROM reminder WHERE kind = 'before' AND outcome = 'sent'"), 80);
}

/* D-05 may concern a case that nobody but the centre knows of: not a word of it leaves. */
static void what_the_centre_owes_stays_there(void **state)
{
    struct world *w = *state;

    begin(w, "D-05", T0);
    tick(w, T0 + 5 * H);
    assert_true(count(w, "SELECT count(*) FROM notice WHERE kind = 'reminder'") > 0);
    assert_int_equal(count(w, "SELECT count(*) FROM notice WHERE kind = 'reminder' AND (org_id IS NOT NULL OR addressee LIKE '%registry.example')"), 0);
    assert_int_equal(count(w, "SELECT count(*) FROM notice WHERE kind = 'reminder' AND internal = 0"), 0);
}

/* --- lists --- */

static size_t list_size(struct world *w, const struct viewer *v, struct duties_query q, time_ns now)
{
    struct desk_reply r = { 0 };
    size_t n, pages = 0;
    char cursor[80] = "";

    /* Through all its pages, of two rows each: no row twice, none lost. */
    n = 0;
    q.limit = 2;
    do {
        q.before = str_c(cursor);
        r = (struct desk_reply){ 0 };
        must(desk_duties(w->desk, v, &q, now, &r), &r.err);
        n += json_array_size(json_object_get(r.json, "items"));
        const char *next = json_string_value(json_object_get(r.json, "next"));
        bool more = next != NULL;
        snprintf(cursor, sizeof cursor, "%s", more ? next : "");
        desk_reply_free(&r);
        assert_true(++pages < 100);
    } while (cursor[0]);
    return n;
}

static void lists_by_page(void **state)
{
    static const char *const ids[] = { "D-01", "D-03", "D-05", "D-06", "D-09", "D-31", "N-05" };
    struct world *w = *state;
    const struct duties_query all = { .limit = 0 };
    struct desk_reply r = { 0 };

    for (size_t i = 0; i < COUNT(ids); i++)
        begin(w, ids[i], T0);
    assert_int_equal(list_size(w, &w->analyst, all, T0), COUNT(ids));
    assert_int_equal(list_size(w, &w->registry, all, T0), COUNT(ids));
    assert_int_equal(list_size(w, &w->city, all, T0), 0);
    assert_int_equal(list_size(w, &w->analyst, (struct duties_query){ .mine = true }, T0), 2);       /* D-05, N-05 */
    assert_int_equal(list_size(w, &w->registry, (struct duties_query){ .mine = true }, T0), 5);
    assert_int_equal(list_size(w, &w->analyst, (struct duties_query){ .obligation = STR("D-06") }, T0), 1);
    assert_int_equal(list_size(w, &w->registry, (struct duties_query){ .obligation = STR("D-06") }, T0), 1);
    assert_int_equal(list_size(w, &w->city, (struct duties_query){ .obligation = STR("D-06") }, T0), 0);
    assert_int_equal(list_size(w, &w->city, (struct duties_query){ .object = STR("state-register") }, T0), 0);
    assert_int_equal(list_size(w, &w->city, (struct duties_query){ .subject = STR("object"), .subject_id = STR("state-register") }, T0), 0);
    assert_int_equal(list_size(w, &w->registry, (struct duties_query){ .subject = STR("object"), .subject_id = STR("state-register") }, T0), COUNT(ids));
    assert_int_equal(list_size(w, &w->analyst, (struct duties_query){ .object = STR("state-register") }, T0), COUNT(ids));
    assert_int_equal(list_size(w, &w->analyst, (struct duties_query){ .org = STR("registry-centre") }, T0), COUNT(ids));
    assert_int_equal(list_size(w, &w->analyst, (struct duties_query){ .overdue = true }, T0 + H), 1);
    fulfil(w, "D-05", T0 + M);
    assert_int_equal(list_size(w, &w->analyst, (struct duties_query){ .ended = true }, T0 + H), 1);
    assert_int_equal(list_size(w, &w->registry, (struct duties_query){ .ended = true }, T0 + H), 1);
    assert_int_equal(list_size(w, &w->city, (struct duties_query){ .ended = true }, T0 + H), 0);
    assert_int_equal(list_size(w, &w->analyst, all, T0), COUNT(ids) - 1);
    assert_int_equal(desk_duties(w->desk, &w->analyst, &(struct duties_query){ .ended = true, .overdue = true }, T0, &r), -EINVAL);
    assert_string_equal(r.field, "overdue");
    desk_reply_free(&r);
    r = (struct desk_reply){ 0 };
    assert_int_equal(desk_duties(w->desk, &w->analyst, &(struct duties_query){ .before = STR("x.y") }, T0, &r), -EINVAL);
    assert_string_equal(r.field, "before");
    desk_reply_free(&r);
}

#define T(f, n) { .name = n, .test_func = f, .setup_func = world_open, .teardown_func = world_close }

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(each_is_a_row, "D-01 D-02 D-03 D-04 D-05 D-06 D-07 D-08 D-09 D-10 D-11 D-12 D-13 D-14 D-15 D-16 D-17 D-18 D-19 D-20 D-21 D-22 D-23 D-24"
                         " D-25 D-26 D-27 D-28 D-29 D-30 D-31 each is a row: kept at its due instant, late a nanosecond after"),
        T(whose_each_is, "D-20 D-23 whose each duty is follows from who owes it"),
        T(performers, "D-09 D-11 one named performer, the possessor before the owner, the owner accountable"),
        T(both_parts, "D-01 D-02 R-8-03 fulfilled only when both the paper and the electronic part are recorded"),
        T(causes_and_consequences, "D-06 causes and consequences are two facts, the last one ends it"),
        T(side_by_side, "D-04 a second change has 48 hours of its own"),
        T(superseded_and_resumed, "D-09 what gave way to another runs again when it is called back"),
        T(without_a_term, "D-19 an internal day is never overdue by law, and what has no term has no due moment"),
        T(an_earlier_start_is_counted_anew, "D-06 another start is counted anew with a trace that cannot be touched"),
        T(a_new_calendar_recounts_what_runs, "D-12 a new calendar counts anew what runs, with a trace for each row that moved"),
        T(a_missing_year_stops_no_act, "D-01 a calendar without the year stops no act and is never guessed; it is counted when the year comes"),
        T(each_row_keeps_its_edition, "D-05 with two editions loaded each row is counted and drawn by its own"),
        T(another_start_needs_another_person, "D-06 another start needs another person"),
        T(wrong_starts_are_refused, "a wrong start is refused with its field and nothing waits"),
        T(reminders_survive_four_days, "D-06 four days without the desk delay reminders and drop none, each goes out once"),
        T(escalation_goes_up_until_somebody_answers, "D-06 an escalation tells the next until somebody acknowledges"),
        T(a_clock_ahead_by_less_takes_no_reminder_away, "a clock that ran ahead takes no reminder away, and one that was set back by seconds repeats none"),
        T(a_session_of_a_clock_ahead_ends, "a session that began while the clock ran ahead ends when it comes back"),
        T(a_wrong_clock_leaves_no_false_mark, "D-06 a clock that runs ahead and comes back leaves no overdue mark, but a trace"),
        T(entered_late_is_reminded_once, "D-06 what is entered late is reminded of once and not in a pile"),
        T(what_the_centre_owes_stays_there, "D-05 reminders of what the centre owes reach nobody else"),
        T(lists_by_page, "lists by page for each viewer: no row twice, none lost, none of others"),
    };

    return cmocka_run_group_tests_name("duties", tests, NULL, NULL);
}
