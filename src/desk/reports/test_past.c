/* test_past.c - the past stays as it was: whatever is done, counted anew, merged, renamed or corrected later, a summary as of a moment has the same
 * bytes, its rows and its three files too. Acts are drawn from a seeded generator; nothing sleeps. */
#include "desk/duties/duties.h"
#include "desk/registry/registry.h"
#include "desk/reports/internal.h"
#include "desk/testing.h"

#define SNAPSHOTS 8
#define ACTS      45   /* between two of them */

static uint64_t next(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

/* --- what a summary says, as one text --- */

static void rows_put(struct call *c, const struct period *p, struct buf *out)
{
    for (size_t i = 0; i < figure_count; i++) {
        json_t *rows = NULL;

        must(figure_rows(c, &figures[i], p, false, STR(""), STR(""), 500, &rows), c->e);
        char *text = json_dumps(rows, JSON_SORT_KEYS);
        buf_str(out, str_c(text));
        free(text);
        json_decref(rows);
    }
}

static void files_put(struct call *c, const struct report_head *h, struct buf *out)
{
    int (*const make[])(struct call *c, const struct report_head *h, struct buf *out) = { report_pdf, report_xlsx, report_json };

    for (size_t i = 0; i < COUNT(make); i++) {
        AUTO_BUF struct buf b = { 0 };
        char sum[65];

        buf_init(&b, REPORT_FILE_MAX);
        must(make[i](c, h, &b), c->e);
        secret_sha256_hex(buf_view(&b), sum);
        buf_printf(out, "\n%s\n", sum);
    }
}

/* past - all that is said of both quarters as of a moment, asked now. */
static char *past(struct world *w, time_ns as_of, time_ns now)
{
    static const char *const quarters[] = { "2026Q1", "2026Q2" };
    char moment[TIME_TEXT_MAX];
    AUTO_BUF struct buf out = { 0 };

    buf_init(&out, 16 * MIB);
    time_format_utc(as_of, moment);
    for (size_t i = 0; i < 4; i++) {
        struct desk_reply r = { 0 };
        struct report_head h = { .id = 1, .version = 1, .paragraph = i % 2 ? STR("18") : STR("17"), .comment = STR("c") };
        struct call c;
        json_t *figs = NULL;

        desk_call_init(&c, w->desk, &w->analyst, now, &r);
        must(period_of(&c, str_c(quarters[i / 2]), str_c(moment), &h.p), c.e);
        must(figures_json(&c, i % 2 ? IN_18 : IN_17, &h.p, LANG_RU, &figs), c.e);
        char *text = json_dumps(figs, JSON_SORT_KEYS);
        buf_str(&out, str_c(text));
        free(text);
        json_decref(figs);
        rows_put(&c, &h.p, &out);
        files_put(&c, &h, &out);
        desk_call_free(&c);
        desk_reply_free(&r);
    }
    assert_false(buf_failed(&out));
    return strndup(out.p, out.n);
}

/* --- acts --- */

struct play {
    struct world *w;
    uint64_t      seed;
    time_ns       now;
    int64_t       cases[128];
    size_t        count, done, recounted, merged, renamed;
};

static void recount(struct play *p)
{
    struct desk_reply r = { 0 };
    struct call c;
    int64_t id = 0, start = 0;

    desk_call_init(&c, p->w->desk, NULL, p->now, &r);
    must(db_int(p->w->desk, c.e, 0, &id, "SELECT coalesce(max(id), 0) FROM duty WHERE state = 'running' AND subject = 'case' AND id % 5 = ?", "i",
                (int64_t)(next(&p->seed) % 5)), c.e);
    if (id) {
        sqlite3_stmt *st = db_query(p->w->desk, c.e, "SELECT subject_id, case_id, object_id, org_id, obligation, from_at FROM duty WHERE id = ?", "i", id);

        assert_int_equal(db_step(p->w->desk, st, c.e), 1);
        struct subject s = { .kind = "case", .id = db_copy(st, 0, &c.a), .case_id = sqlite3_column_int64(st, 1), .object_id = db_copy(st, 2, &c.a),
                             .org_id = db_copy(st, 3, &c.a) };
        struct str obligation = db_copy(st, 4, &c.a);
        start = sqlite3_column_int64(st, 5) - (int64_t)(next(&p->seed) % 300) * NS_PER_HOUR + 100 * NS_PER_HOUR;
        db_done(st);
        must(db_begin(p->w->desk, c.e), c.e);
        must(db_end(p->w->desk, duties_begin(&c, &s, obligation.p, (struct duty_start){ .at = start }, NULL), c.e), c.e);
        p->recounted++;
    }
    desk_call_free(&c);
    desk_reply_free(&r);
}

static void rename_object(struct play *p)
{
    struct desk_reply r = { 0 };
    char name[32];

    snprintf(name, sizeof name, "Тізілім %llu", (unsigned long long)(next(&p->seed) % 1000));
    json_t *hosts = json_pack("[s]", "registry-web-1"), *body = json_pack("{s:s, s:s, s:s, s:n, s:o, s:[], s:b}", "name", name, "org_id",
                                                                          p->w->registry.org_id, "criticality", "high", "contour", "hosts", hosts,
                                                                          "contacts", "active", 1);
    if (desk_object_update(p->w->desk, &p->w->admin, STR("state-register"), body, p->now, &r) == 0)
        p->renamed++;
    json_decref(body);
    desk_reply_free(&r);
}

static json_t *body_of(struct play *p, const char *name, int64_t id)
{
    static const char *const levels[] = { "low", "medium", "high" };
    time_ns before = p->now - (int64_t)(next(&p->seed) % 50) * NS_PER_HOUR;

    if (strcmp(name, "notify") == 0)
        return notify_body(p->w, id, p->now);
    if (strcmp(name, "confirm_incident") == 0)
        return incident_body(p->now, "high");
    if (strcmp(name, "report_measures") == 0)
        return measures_body(p->w, id, p->now, levels[next(&p->seed) % 3]);
    if (strcmp(name, "eliminate") == 0)
        return eliminate_body(before);
    if (strcmp(name, "review_level") == 0)
        return json_pack("{s:s, s:s}", "level", levels[next(&p->seed) % 3], "reason", "x");
    if (strcmp(name, "event_analysis") == 0)
        return json_pack("{s:s}", "text", "x");
    if (strcmp(name, "reject") == 0 || strcmp(name, "dispute_rejection") == 0 || strcmp(name, "return_elimination") == 0)
        return json_pack("{s:s}", "reason", "x");
    if (strcmp(name, "merge") == 0)
        return json_pack("{s:o, s:s}", "into", json_id(p->cases[next(&p->seed) % p->count]), "reason", "x");
    return json_object();
}

static void act_random(struct play *p)
{
    static const struct { const char *name; bool owner; } acts[] = {
        { "notify", false }, { "confirm_incident", true }, { "confirm_event", true }, { "report_measures", true }, { "eliminate", true },
        { "accept_elimination", false }, { "review_level", false }, { "event_analysis", true }, { "reject", true }, { "dispute_rejection", false },
        { "return_elimination", false }, { "merge", false }, { "split", false }, { "close", false }, { "notify", false }, { "confirm_incident", true },
    };
    size_t which = next(&p->seed) % COUNT(acts), tries = 0;
    int64_t id = p->cases[next(&p->seed) % p->count];
    const struct viewer *v = NULL;
    struct desk_reply r = { 0 };
    char text[24];
    bool offered = false;

    snprintf(text, sizeof text, "%lld", (long long)id);
    for (; !offered && tries < COUNT(acts); tries++) {   /* the first from there on that the case takes */
        which = (which + 1) % COUNT(acts);
        v = acts[which].owner ? &p->w->registry : &p->w->analyst;
        desk_reply_free(&r);
        r = (struct desk_reply){ 0 };
        offered = desk_case(p->w->desk, v, str_c(text), p->now, &r) == 0 && offers(r.json, acts[which].name);
    }
    if (offered) {
        json_t *body = body_of(p, acts[which].name, id);
        struct desk_reply done;

        if (act_try(p->w, v, id, acts[which].name, body, p->now, &done) == 0) {
            p->done++;
            p->merged += strcmp(acts[which].name, "merge") == 0;
        }
        desk_reply_free(&done);
    }
    desk_reply_free(&r);
}

static void step(struct play *p)
{
    static const char *const rules[] = { "ssh-brute-force", "linux-web-shell", "rule-x" };
    struct err e;
    uint64_t what = next(&p->seed) % 20;

    p->now += (int64_t)(1 + next(&p->seed) % 300) * NS_PER_MINUTE;
    if (p->count == 0 || (what < 3 && p->count < COUNT(p->cases))) {
        /* Raised some hours ago, taken now. */
        finding_write(p->w, rules[next(&p->seed) % 3], "state-register", "registry-web-1", p->now - (int64_t)(next(&p->seed) % 20) * NS_PER_HOUR);
        must(desk_take_findings(p->w->desk, p->now, &e), &e);
        int64_t id = newest_case(p->w);

        if (p->count == 0 || id > p->cases[p->count - 1])
            p->cases[p->count++] = id;
    } else if (what == 3)
        recount(p);
    else if (what == 4)
        rename_object(p);
    else if (what == 5)
        must(desk_tick(p->w->desk, p->now, NULL, &e), &e);
    else
        act_random(p);
}

static int64_t late_now(struct world *w, time_ns now)
{
    struct desk_reply r = { 0 };
    json_t *f;
    size_t i;
    int64_t n = -1;

    must(desk_figures(w->desk, &w->analyst, &(struct desk_figures_query){ STR("17"), STR("2026Q1"), STR("") }, now, &r), &r.err);
    json_array_foreach(json_object_get(r.json, "figures"), i, f)
        if (strcmp(json_string_value(json_object_get(f, "id")), "measures.late") == 0)
            n = json_integer_value(json_object_get(f, "total"));
    desk_reply_free(&r);
    return n;
}

static void whatever_happens_the_past_stays(void **state)
{
    struct play p = { .w = *state, .seed = 0x5a9517, .now = T0 };
    struct { time_ns at; char *text; int64_t late; } then[SNAPSHOTS];
    size_t different = 0, late = 0;

    for (size_t i = 0; i < SNAPSHOTS; i++) {
        for (int k = 0; k < ACTS; k++)
            step(&p);
        then[i].at = p.now;
        then[i].text = past(p.w, p.now, p.now);
        then[i].late = late_now(p.w, p.now);
        late += then[i].late > 0;
        different += i && strcmp(then[i].text, then[i - 1].text) != 0;
        p.now += NS_PER_MINUTE;
        for (size_t k = i + 1 < SNAPSHOTS && i ? i - 1 : 0; k < i; k++) {   /* the one before, at the end all of them */
            char *again = past(p.w, then[k].at, p.now);

            if (strcmp(again, then[k].text) != 0) {
                size_t at = 0;

                while (again[at] && again[at] == then[k].text[at])
                    at++;
                fail_msg("moment %zu, seen from %zu: \"%.160s\" was \"%.160s\"", k, i, again + (at > 60 ? at - 60 : 0), then[k].text + (at > 60 ? at - 60 : 0));
            }
            free(again);
        }
    }
    /* The play was no empty one. */
    if (p.count < 15 || p.done < 60 || p.recounted < 5 || p.merged < 2 || p.renamed < 3)
        fail_msg("%zu cases, %zu acts, %zu counted anew, %zu merged, %zu names", p.count, p.done, p.recounted, p.merged, p.renamed);
    assert_true(different == SNAPSHOTS - 1 && late >= SNAPSHOTS / 2);
    for (size_t i = 0; i < SNAPSHOTS; i++)
        free(then[i].text);
}

static struct subject incident_subject(struct world *w, int64_t id)
{
    (void)w;
    return (struct subject){ .kind = "case", .case_id = id, .object_id = STR("state-register"), .org_id = str_c(w->registry.org_id) };
}

/* What was late by the due moment known at that time is late as of that time for ever, whatever due moment the row has now; and the other way round. */
static void a_recount_does_not_reach_back(void **state)
{
    struct world *w = *state;
    int64_t id = case_new(w, "linux-web-shell", T0);
    time_ns late = T0 + 80 * NS_PER_HOUR, known = late + NS_PER_HOUR;
    char text[24];
    struct desk_reply r = { 0 };
    struct call c;

    act_do(w, &w->analyst, id, "notify", notify_body(w, id, T0), T0);
    act_do(w, &w->registry, id, "confirm_incident", incident_body(T0, "high"), T0);   /* D-06: 72 hours from T0 */
    char *before = past(w, late, late);
    assert_true(late_now(w, late) >= 1);
    /* The start is put right by ten days: D-06 is not late any more. */
    struct subject s = incident_subject(w, id);
    snprintf(text, sizeof text, "%lld", (long long)id);
    s.id = str_c(text);
    desk_call_init(&c, w->desk, NULL, known, &r);
    must(db_begin(w->desk, c.e), c.e);
    int rc = duties_begin(&c, &s, "D-06", (struct duty_start){ .at = T0 + 10 * NS_PER_DAY }, NULL);
    if (rc >= 0)
        rc = duties_begin(&c, &s, "D-11", (struct duty_start){ .at = T0 + 10 * NS_PER_DAY }, NULL);
    must(db_end(w->desk, rc, c.e), c.e);
    desk_call_free(&c);
    desk_reply_free(&r);
    assert_int_equal(late_now(w, known), 0);
    char *after = past(w, late, known);
    assert_string_equal(before, after);
    free(before);
    free(after);
}

#define T(f, name) { name, f, world_open, world_close, NULL }

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_recount_does_not_reach_back, "R-17-07 R-18-06 a late duty is late as of then by the due moment known then, whatever it was counted to later"),
        T(whatever_happens_the_past_stays, "R-17-01 R-18-01 hundreds of random acts leave every past summary byte for byte: figures, rows, PDF, XLSX, JSON"),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
