/* test_scope.c - what a label and a side leave to be seen: lists, counts, live changes, notices written by hand, mail addresses. */
#include "desk/duties/duties.h"
#include "desk/notices/api.h"
#include "desk/tables/tables.h"
#include "desk/registry/testing.h"

static void account(struct world *w, const char *login, const char *role, const char *org, struct viewer *v)
{
    json_t *body = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "login", login, "name", login, "role", role, "org_id", org, "language", "en", "password",
                             "correct horse battery staple 7");
    struct desk_reply r = { 0 };

    must(desk_user_create(w->desk, &w->admin, body, T0, &r), &r.err);
    json_decref(body);
    desk_reply_free(&r);
    viewer_make(w, login, v);
}

static void ocib_account(struct world *w, struct viewer *v)
{
    json_t *o = make(w, &w->admin, RECORD_ORGANISATION, NULL, "{'name':'OCIB','kinds':['ocib']}");
    char org[65], patch[128];

    snprintf(org, sizeof org, "%s", text(o, "id"));
    json_decref(o);
    snprintf(patch, sizeof patch, "{'ocib_id':'%s'}", org);
    changed(w, RECORD_OBJECT, "state-register", patch);
    account(w, "ocib-one", "ocib_analyst", org, v);
}

/* Everything that could tell of the case, as one number each. */
struct told {
    int64_t cases, notices, of_case, found, inbox, unread, clocks, of_subject, open_cases, listed_cases;
    bool    change, clock, letter;
};

static int64_t size_of(json_t *j) { return (int64_t)json_array_size(json_object_get(j, "items")); }

static struct told look(struct world *w, const struct viewer *v, int64_t id)
{
    struct told t = { 0 };
    struct desk_reply r = { 0 };
    char key[24];
    int64_t n = 0;
    struct err e;

    snprintf(key, sizeof key, "%lld", (long long)id);
    const struct { int64_t *to; struct notices_query q; } notices[] = {
        { &t.notices, { .limit = 50 } }, { &t.of_case, { .case_id = str_c(key), .limit = 50 } }, { &t.found, { .q = STR("2026"), .limit = 50 } },
    };
    const struct { int64_t *to; struct duties_query q; } duties[] = {
        { &t.clocks, { .limit = 50 } }, { &t.of_subject, { .subject = STR("case"), .subject_id = str_c(key), .limit = 50 } },
    };
    must(desk_cases(w->desk, v, &(struct desk_cases_query){ .open = -1 }, T0, &r), &r.err);
    t.cases = size_of(r.json);
    desk_reply_free(&r);
    for (size_t i = 0; i < COUNT(notices); i++) {
        must(desk_notices(w->desk, v, &notices[i].q, T0, &r), &r.err);
        *notices[i].to = size_of(r.json);
        desk_reply_free(&r);
    }
    for (size_t i = 0; i < COUNT(duties); i++) {
        must(desk_duties(w->desk, v, &duties[i].q, T0, &r), &r.err);
        *duties[i].to = size_of(r.json);
        desk_reply_free(&r);
    }
    must(desk_inbox(w->desk, v, 0, STR(""), &r), &r.err);
    t.inbox = size_of(r.json);
    t.unread = json_integer_value(json_object_get(r.json, "unread"));
    desk_reply_free(&r);
    must(desk_object(w->desk, v, STR("state-register"), T0, &r), &r.err);
    t.open_cases = json_integer_value(json_object_get(r.json, "open_cases"));
    desk_reply_free(&r);
    must(desk_registry_get(w->desk, v, RECORD_OBJECT, STR("state-register"), 0, T0, &r), &r.err);
    t.listed_cases = json_integer_value(json_object_get(r.json, "open_cases"));
    desk_reply_free(&r);
    must(desk_knows(w->desk, v, STR("case"), str_c(key), &t.change, &e), &e);
    must(db_int(w->desk, &e, 0, &n, "SELECT max(id) FROM duty WHERE case_id = ?", "i", id), &e);
    snprintf(key, sizeof key, "%lld", (long long)n);
    must(desk_knows(w->desk, v, STR("clock"), str_c(key), &t.clock, &e), &e);
    must(db_int(w->desk, &e, 0, &n, "SELECT max(id) FROM notice WHERE case_id = ? AND channel = 'inbox' AND org_id = 'registry-centre'", "i", id), &e);
    snprintf(key, sizeof key, "%lld", (long long)n);
    must(desk_knows(w->desk, v, STR("inbox"), str_c(key), &t.letter, &e), &e);
    return t;
}

static void nothing_told(const char *who, struct told t)
{
    CHECK(who, t.cases == 0 && t.notices == 0 && t.of_case == 0 && t.found == 0);
    CHECK(who, t.inbox == 0 && t.unread == 0 && t.clocks == 0 && t.of_subject == 0);
    CHECK(who, t.open_cases == 0 && t.listed_cases == 0 && !t.change && !t.clock && !t.letter);
}

static void all_told(const char *who, struct told t)
{
    CHECK(who, t.cases == 1 && t.notices > 0 && t.of_case > 0 && t.found > 0);
    CHECK(who, t.inbox > 0 && t.unread > 0 && t.clocks > 0 && t.of_subject > 0);
    CHECK(who, t.open_cases == 1 && t.listed_cases == 1 && t.change && t.clock && t.letter);
}

static void label(struct world *w, const struct viewer *v, int64_t id, const char *tlp, const struct viewer *named)
{
    json_t *body = json_pack("{s:s, s:s}", "tlp", tlp, "reason", "a test");
    char me[24];

    if (named) {
        snprintf(me, sizeof me, "%lld", (long long)named->user_id);
        json_object_set_new(body, "persons", json_pack("[s]", me));
    }
    act_do(w, v, id, "set_tlp", body, T0);
}

static void red_is_for_named_persons(void **state)
{
    struct world *w = *state;
    struct viewer colleague;
    int64_t id = case_new(w, "rule-red", T0);

    account(w, "colleague", "owner_officer", "registry-centre", &colleague);
    act_do(w, &w->analyst, id, "notify", notify_body(w, id, T0), T0);
    all_told("a colleague, under amber", look(w, &colleague, id));
    label(w, &w->analyst, id, "red", &w->registry);
    nothing_told("a colleague, under red", look(w, &colleague, id));
    all_told("who is named", look(w, &w->registry, id));
    label(w, &w->analyst, id, "amber", NULL);
    all_told("a colleague, under amber again", look(w, &colleague, id));
}

static void strict_is_for_the_organisation(void **state)
{
    struct world *w = *state;
    struct viewer ocib;
    struct told t;
    int64_t id = case_new(w, "rule-strict", T0);

    ocib_account(w, &ocib);
    act_do(w, &w->analyst, id, "notify", notify_body(w, id, T0), T0);
    t = look(w, &ocib, id);
    assert_true(t.cases == 1 && t.clocks > 0 && t.change && t.open_cases == 1);
    label(w, &w->analyst, id, "amber+strict", NULL);
    nothing_told("the operational centre, under amber+strict", look(w, &ocib, id));
    all_told("the owner", look(w, &w->registry, id));
}

/* An operational centre may make a case RED; those who answer for the object and the centre's leads stay named, whomever it names. */
static void who_answers_is_not_locked_out(void **state)
{
    struct world *w = *state;
    struct viewer ocib;
    int64_t id = case_new(w, "rule-lock", T0), n = 0;

    ocib_account(w, &ocib);
    act_do(w, &w->analyst, id, "notify", notify_body(w, id, T0), T0);
    label(w, &ocib, id, "red", &ocib);
    all_told("the owner", look(w, &w->registry, id));
    assert_int_equal(db_int(w->desk, NULL, 0, &n, "SELECT count(*) FROM case_person WHERE case_id = ?1 AND user_id IN (?2, ?3, ?4)", "iiii", id, ocib.user_id,
                            w->registry.user_id, w->lead.user_id), 0);
    assert_int_equal(n, 3);
    /* Nor by opening it so. */
    json_t *body = json_pack("{s:s, s:s, s:o, s:s}", "object", "state-register", "title", "seen by the operational centre", "detected_at", json_time(T0), "tlp", "red");
    struct desk_reply r = { 0 };
    must(desk_case_create(w->desk, &ocib, body, T0, &r), &r.err);
    json_decref(body);
    desk_reply_free(&r);
    id = newest_case(w);
    json_decref(case_get(w, &ocib, id, T0));
    json_decref(case_get(w, &w->registry, id, T0));
}

static int issue(struct world *w, const struct viewer *v, int64_t id, const char *to, const char *tlp, char made[24], struct desk_reply *r)
{
    char key[24];

    snprintf(key, sizeof key, "%lld", (long long)id);
    json_t *body = json_pack("{s:s, s:{s:s, s:s}, s:[s], s:s, s:s}", "kind", "letter", "subject", "kind", "case", "id", key, "addressees", to, "title", "By hand",
                             "text", "About the case");

    if (tlp)
        json_object_set_new(body, "tlp", json_string(tlp));
    *r = (struct desk_reply){ 0 };
    int rc = desk_notice_create(w->desk, v, body, T0, r);
    json_decref(body);
    if (made && r->json)
        snprintf(made, 24, "%s", json_string_value(json_object_get(r->json, "id")));
    return rc;
}

static void by_hand_as_by_itself(void **state)
{
    struct world *w = *state;
    struct viewer ocib;
    int64_t id = case_new(w, "rule-hand", T0), n = 0;
    struct desk_reply r;
    char made[24], away[24];
    json_t *body = json_pack("{s:s, s:s}", "reason", "a wrong word", "text", "About the case, corrected");

    ocib_account(w, &ocib);
    act_do(w, &w->analyst, id, "notify", notify_body(w, id, T0), T0);
    /* Amber: the object's own, nobody else. */
    assert_int_equal(issue(w, &w->analyst, id, "city-services", NULL, NULL, &r), -EPROTO);
    assert_string_equal(r.code, "tlp_forbids");
    desk_reply_free(&r);
    must(issue(w, &w->analyst, id, ocib.org_id, NULL, away, &r), &r.err);
    desk_reply_free(&r);
    must(issue(w, &w->analyst, id, "registry-centre", NULL, made, &r), &r.err);
    assert_string_equal(json_string_value(json_object_get(r.json, "tlp")), "amber");
    desk_reply_free(&r);
    assert_int_equal(issue(w, &w->analyst, id, "registry-centre", "clear", NULL, &r), -EPROTO);
    assert_string_equal(r.field, "tlp");
    desk_reply_free(&r);
    label(w, &w->analyst, id, "amber+strict", NULL);
    assert_int_equal(issue(w, &w->analyst, id, ocib.org_id, NULL, NULL, &r), -EPROTO);
    desk_reply_free(&r);
    /* A correction goes to those of before under the label of now. */
    r = (struct desk_reply){ 0 };
    assert_int_equal(desk_notice_version(w->desk, &w->analyst, str_c(away), body, T0, &r), -EPROTO);
    assert_string_equal(r.code, "tlp_forbids");
    desk_reply_free(&r);
    r = (struct desk_reply){ 0 };
    must(desk_notice_version(w->desk, &w->analyst, str_c(made), body, T0, &r), &r.err);
    assert_string_equal(json_string_value(json_object_get(r.json, "tlp")), "amber+strict");
    desk_reply_free(&r);
    /* Under red a letter goes to addresses of named persons alone; who is named finds it in the inbox. */
    label(w, &w->analyst, id, "red", &w->registry);
    must(issue(w, &w->analyst, id, "registry-centre", NULL, made, &r), &r.err);
    desk_reply_free(&r);
    assert_int_equal(db_int(w->desk, NULL, 0, &n, "SELECT count(*) FROM notice WHERE record_id = ?1 AND channel = 'email' AND addressee NOT IN (SELECT u.email"
                            " FROM case_person p JOIN user u ON u.id = p.user_id)", "i", parse_id(str_c(made))), 0);
    assert_int_equal(n, 0);
    assert_int_equal(db_int(w->desk, NULL, 0, &n, "SELECT count(*) FROM notice WHERE record_id = ?1 AND channel = 'inbox'", "i", parse_id(str_c(made))), 0);
    assert_int_equal(n, 1);
    /* Who is named but has another address gets no letter to the address of an unnamed one. */
    assert_true(db_exec(w->desk, NULL, "UPDATE user SET email = 'own@registry.example' WHERE id = ?", "i", w->registry.user_id) >= 0);
    must(issue(w, &w->analyst, id, "registry-centre", NULL, made, &r), &r.err);
    desk_reply_free(&r);
    assert_int_equal(db_int(w->desk, NULL, 0, &n, "SELECT count(*) FROM notice WHERE record_id = ?1 AND channel = 'email'", "i", parse_id(str_c(made))), 0);
    assert_int_equal(n, 0);
    json_decref(body);
}

static void each_side_gives_its_own(void **state)
{
    struct world *w = *state;
    static const struct { const char *kind; int sender, addressee; } rows[] = {
        { "registered", -EACCES, 0 }, { "refused", -EACCES, 0 }, { "delivered", 0, 0 },
    };
    json_t *paper = json_pack("{s:s, s:s, s:s}", "number", "1-2/3", "date", "2026-03-20", "signatory", "A. Head");
    int64_t id = case_new(w, "rule-sides", T0);
    struct desk_reply r;
    char made[24];

    act_do(w, &w->analyst, id, "notify", notify_body(w, id, T0), T0);
    must(issue(w, &w->analyst, id, "registry-centre", NULL, made, &r), &r.err);
    desk_reply_free(&r);
    r = (struct desk_reply){ 0 };
    assert_int_equal(desk_notice_paper(w->desk, &w->registry, str_c(made), paper, T0, &r), -EACCES);
    desk_reply_free(&r);
    r = (struct desk_reply){ 0 };
    must(desk_notice_paper(w->desk, &w->analyst, str_c(made), paper, T0, &r), &r.err);
    desk_reply_free(&r);
    for (size_t i = 0; i < COUNT(rows); i++)
        for (int side = 0; side < 2; side++) {
            json_t *body = json_pack("{s:s, s:s, s:s, s:o}", "kind", rows[i].kind, "channel", "paper", "name", "a desk", "at", json_time(T0));

            r = (struct desk_reply){ 0 };
            CHECK(rows[i].kind, desk_notice_receipt(w->desk, side ? &w->registry : &w->analyst, str_c(made), body, T0, &r) ==
                                    (side ? rows[i].addressee : rows[i].sender));
            desk_reply_free(&r);
            json_decref(body);
        }
    json_decref(paper);
}

static int64_t trail(struct world *w, const char *action, const char *outcome)
{
    int64_t n = 0;

    assert_int_equal(db_int(w->desk, NULL, 0, &n, "SELECT count(*) FROM audit WHERE action = ?1 AND outcome = ?2", "zz", action, outcome), 0);
    return n;
}

/* Whoever reads how a person is reached leaves a row, by whatever page. */
static void reading_people_leaves_a_row(void **state)
{
    struct world *w = *state;
    struct desk_reply r = { 0 };
    int64_t before = trail(w, "personal.read", "ok");

    must(desk_object(w->desk, &w->analyst, STR("state-register"), T0, &r), &r.err);
    desk_reply_free(&r);
    assert_int_equal(trail(w, "personal.read", "ok"), before + 1);
    r = (struct desk_reply){ 0 };
    must(desk_registry_history(w->desk, &w->analyst, STR("object"), STR("state-register"), 50, NONE, T0, &r), &r.err);   /* its contacts stand in it */
    desk_reply_free(&r);
    assert_int_equal(trail(w, "personal.read", "ok"), before + 2);
    r = (struct desk_reply){ 0 };
    assert_int_equal(desk_registry_history(w->desk, &w->city, STR("object"), STR("state-register"), 50, NONE, T0, &r), -ENOENT);
    assert_null(r.json);
    desk_reply_free(&r);
    assert_int_equal(trail(w, "personal.read", "ok"), before + 2);
}

/* A foreign id as the place where a list begins says no more than one that nobody has. */
static void a_cursor_tells_nothing(void **state)
{
    struct world *w = *state;
    static const char *const ids[] = { "state-register", "nobody-has-this" };
    struct desk_reply r;

    for (size_t i = 0; i < COUNT(ids); i++) {
        struct registry_query q = { .before = str_c(ids[i]), .limit = 10 };

        r = (struct desk_reply){ 0 };
        CHECK(ids[i], desk_registry_list(w->desk, &w->city, RECORD_OBJECT, NONE, &q, T0, &r) == -EINVAL && strcmp(r.field, "before") == 0);
        desk_reply_free(&r);
        r = (struct desk_reply){ 0 };
        must(desk_objects(w->desk, &w->city, 10, str_c(ids[i]), &r), &r.err);
        CHECK(ids[i], size_of(r.json) == 0);
        desk_reply_free(&r);
        q.before = str_c(i ? "nobody-has-this" : "registry-centre");
        r = (struct desk_reply){ 0 };
        CHECK(ids[i], desk_registry_list(w->desk, &w->city, RECORD_ORGANISATION, NONE, &q, T0, &r) == -EINVAL);
        desk_reply_free(&r);
    }
}

static void refusals_leave_a_row(void **state)
{
    struct world *w = *state;
    struct viewer ocib;
    struct desk_reply r = { 0 };
    json_t *file = json_pack("{s:s, s:s}", "upload_id", "1", "kind", "other"), *gone = json_pack("{s:s}", "reason", "x");
    AUTO_BUF struct buf out = { 0 };

    buf_init(&out, MIB);
    ocib_account(w, &ocib);
    assert_int_equal(desk_attachment_add(w->desk, &ocib, STR("object"), STR("state-register"), file, T0, &r), -EACCES);
    desk_reply_free(&r);
    assert_int_equal(trail(w, "attachment.create", "refused"), 1);
    r = (struct desk_reply){ 0 };
    assert_int_equal(desk_registry_export(w->desk, &w->registry, STR("person"), STR("csv"), T0, &out, &r), -EACCES);
    desk_reply_free(&r);
    assert_int_equal(trail(w, "registry.export", "refused"), 1);
    diagram_put(w, "state-register", "photo", false);
    r = (struct desk_reply){ 0 };
    assert_int_equal(desk_attachment_remove(w->desk, &ocib, STR("1"), gone, T0, &r), -EACCES);
    desk_reply_free(&r);
    assert_int_equal(trail(w, "attachment.delete", "refused"), 1);
    json_decref(file);
    json_decref(gone);
}

#define T(f, n) { .name = n, .test_func = f, .setup_func = world_open, .teardown_func = world_close }

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(red_is_for_named_persons, "TLP:RED: no list, count, clock or live change tells a colleague who is not named"),
        T(strict_is_for_the_organisation, "TLP:AMBER+STRICT: no list, count, clock or live change tells the operational centre"),
        T(who_answers_is_not_locked_out, "TLP:RED set by an operational centre does not lock out the owner and the centre"),
        T(by_hand_as_by_itself, "TLP: a notice written by hand asks the label of its case, and so does its correction"),
        T(reading_people_leaves_a_row, "reading how people are reached leaves a row, by the object and by its history"),
        T(a_cursor_tells_nothing, "the cursor of a list tells nothing of what is foreign"),
        T(refusals_leave_a_row, "refused acts on files and exports leave a row of refusal"),
        T(each_side_gives_its_own, "paper data are the sender's to give, a receipt the addressee's"),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
