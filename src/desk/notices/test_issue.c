/* test_issue.c - notices about any subject: recorded, frozen, delivered, seen by their parties alone, corrected by versions. */
#include "desk/notices/notices.h"
#include "desk/testing.h"

static struct subject object_of(const char *id, const char *org)
{
    return (struct subject){ .kind = "object", .id = str_c(id), .object_id = str_c(id), .org_id = str_c(org) };
}

/* issue - one notice in its own transaction; returns what notice_issue returned, the refusal in *r. */
static int issue(struct world *w, const struct viewer *v, const struct notice_new *n, int64_t *id, struct desk_reply *r)
{
    struct call c;
    int rc;

    *r = (struct desk_reply){ 0 };
    desk_call_init(&c, w->desk, v, T0, r);
    must(db_begin(w->desk, c.e), c.e);
    rc = db_end(w->desk, notice_issue(&c, n, id), c.e);
    desk_call_free(&c);
    return rc;
}

static int64_t count_of(struct world *w, const char *sql)
{
    int64_t n = -1;

    assert_int_equal(db_int(w->desk, NULL, 0, &n, sql, ""), 0);
    return n;
}

static struct str owner_org(struct world *w) { return str_c(w->registry.org_id); }

static void a_text_about_an_object_is_recorded_and_delivered(void **state)
{
    struct world *w = *state;
    struct subject about = object_of("state-register", w->registry.org_id);
    struct str to = owner_org(w);
    struct notice_new n = { .kind = "information_request", .paragraph = "15", .about = &about, .title = STR("Мәліметтерді сұрату"),
                            .text = STR("10 жұмыс күні ішінде мәліметтерді беріңіз."), .orgs = &to, .org_count = 1, .tlp = "amber" };
    struct desk_reply r;
    int64_t id = 0;

    assert_int_equal(issue(w, &w->analyst, &n, &id, &r), 0);
    assert_true(id > 0);
    assert_int_equal(count_of(w, "SELECT count(*) FROM notice_record WHERE number = 'OUT-2026-000001' AND direction = 'out' AND paragraph = '15'"
                                 " AND subject = 'object' AND subject_id = 'state-register' AND sender_org IS NULL AND tlp = 'amber'"), 1);
    assert_int_equal(count_of(w, "SELECT count(*) FROM notice WHERE channel = 'inbox' AND state = 'sent' AND record_id = 1"), 1);
    assert_int_equal(count_of(w, "SELECT count(*) FROM notice WHERE channel = 'email' AND state = 'queued' AND addressee = 'seitqali@registry.example'"
                                 " AND body LIKE '%OUT-2026-000001%' AND body LIKE '%TLP:AMBER%' AND body LIKE '%10 жұмыс күні%'"), 1);
    assert_int_equal(count_of(w, "SELECT count(*) FROM timeline WHERE subject = 'object' AND kind IN ('notice_sent', 'notice_queued')"), 3);
    assert_int_equal(count_of(w, "SELECT count(*) FROM audit WHERE action = 'notice.issue'"), 1);
    /* It stands in the addressee's inbox, in nobody else's; opening it is a receipt. */
    assert_int_equal(desk_inbox(w->desk, &w->city, 0, STR(""), &r), 0);
    assert_int_equal(json_array_size(json_object_get(r.json, "items")), 0);
    desk_reply_free(&r);
    r = (struct desk_reply){ 0 };
    assert_int_equal(desk_inbox(w->desk, &w->registry, 0, STR(""), &r), 0);
    json_t *item = json_array_get(json_object_get(r.json, "items"), 0);
    assert_string_equal(json_string_value(json_object_get(item, "number")), "OUT-2026-000001");
    assert_true(json_is_null(json_object_get(item, "case_id")));
    struct desk_reply read = { 0 };
    assert_int_equal(desk_inbox_read(w->desk, &w->registry, json_get_str(item, "id"), T0 + NS_PER_MINUTE, &read), 0);
    desk_reply_free(&read);
    desk_reply_free(&r);
    assert_int_equal(count_of(w, "SELECT count(*) FROM notice_receipt WHERE record_id = 1 AND kind = 'read' AND channel = 'inbox'"), 1);
}

static void what_was_sent_is_never_changed(void **state)
{
    static const char *const tries[] = {
        "UPDATE notice_record SET text = 'x'", "DELETE FROM notice_record", "UPDATE notice SET body = 'x'", "UPDATE notice SET addressee = 'x'",
        "DELETE FROM notice", "DELETE FROM notice_party", "UPDATE notice_party SET name = 'x'", "UPDATE notice_record SET sha256 = sha256",
    };
    struct world *w = *state;
    struct subject about = object_of("state-register", w->registry.org_id);
    struct str to = owner_org(w);
    struct notice_new n = { .kind = "information_request", .about = &about, .title = STR("t"), .text = STR("x"), .orgs = &to, .org_count = 1 };
    struct desk_reply r;
    char sum[65];

    assert_int_equal(issue(w, &w->analyst, &n, NULL, &r), 0);
    for (size_t i = 0; i < COUNT(tries); i++)
        CHECK(tries[i], (sqlite3_exec(w->desk->db, tries[i], NULL, NULL, NULL) & 0xff) == SQLITE_CONSTRAINT);
    /* The hash is that of the canonical bytes. */
    sqlite3_stmt *st = db_query(w->desk, NULL, "SELECT canonical, sha256 FROM notice_record", "");
    assert_int_equal(db_step(w->desk, st, NULL), 1);
    secret_sha256_hex(db_str(st, 0), sum);
    assert_true(str_eq(db_str(st, 1), str_c(sum)));
    assert_true(str_starts(db_str(st, 0), STR("{\"addressees\":[{\"id\":\"")));
    db_done(st);
}

static void a_correction_is_a_version_with_a_reason(void **state)
{
    struct world *w = *state;
    struct subject about = object_of("state-register", w->registry.org_id), other = object_of("other", w->registry.org_id);
    struct str to = owner_org(w);
    struct notice_new n = { .kind = "information_request", .about = &about, .title = STR("t"), .text = STR("one"), .orgs = &to, .org_count = 1 };
    struct desk_reply r;
    int64_t first = 0, second = 0, third = 0;

    assert_int_equal(issue(w, &w->analyst, &n, &first, &r), 0);
    n.corrects = first;
    n.text = STR("two");
    assert_int_equal(issue(w, &w->analyst, &n, &second, &r), -EINVAL);   /* no reason */
    assert_string_equal(r.field, "reason");
    n.reason = STR("қате мерзім");
    n.about = &other;
    assert_int_equal(issue(w, &w->analyst, &n, &second, &r), -EINVAL);   /* about something else */
    n.about = &about;
    assert_int_equal(issue(w, &w->analyst, &n, &second, &r), 0);
    assert_int_equal(issue(w, &w->analyst, &n, &third, &r), -EPROTO);    /* the first was corrected already */
    n.corrects = second;
    assert_int_equal(issue(w, &w->analyst, &n, &third, &r), 0);
    assert_int_equal(count_of(w, "SELECT count(*) FROM notice_record WHERE first_id = 1 AND version IN (2, 3)"), 2);
    assert_int_equal(count_of(w, "SELECT count(*) FROM notice_record WHERE text = 'one' AND version = 1"), 1);
}

static void a_form_goes_whole_in_the_letter(void **state)
{
    struct world *w = *state;
    struct subject about = object_of("state-register", w->registry.org_id);
    struct str to[2] = { owner_org(w), { NULL, 0 } };
    json_t *values = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "object", "Мемлекеттік тізілім", "owner_or_possessor", "Тізілім", "event_name",
                               "Іріктеу", "level", "high", "detected_at", "2026-03-20T23:50:00+05:00", "confirmed_at", "2026-03-21T00:10:00+05:00",
                               "elimination_due_at", "2026-03-24T00:10:00+05:00", "not_eliminated", "осалдық жабылмаған");
    struct notice_new n = { .kind = "knb_notice", .paragraph = "10(1)", .about = &about, .form = "knb_notice", .values = values, .orgs = to,
                            .org_count = 2, .tlp = "red" };
    struct desk_reply r;
    int64_t id = 0;

    assert_int_equal(issue(w, &w->analyst, &n, &id, &r), 0);
    assert_int_equal(count_of(w, "SELECT count(*) FROM notice WHERE channel = 'email' AND body LIKE '%9. Жойылмаған себептер мен салдар: осалдық жабылмаған%'"
                                 " AND body LIKE '%9. Неустраненные причины и последствия: осалдық жабылмаған%' AND body LIKE '%24.03.2026 00:10%'"
                                 " AND subject_line LIKE '[TLP:RED] OUT-2026-000001 %'") > 0, 1);
    /* Wrong and missing values are named, and nothing is half-saved. */
    json_object_set_new(values, "level", json_string("enormous"));
    assert_int_equal(issue(w, &w->analyst, &n, &id, &r), -EINVAL);
    assert_string_equal(r.field, "values.level");
    json_object_del(values, "level");
    assert_int_equal(issue(w, &w->analyst, &n, &id, &r), -EINVAL);
    assert_string_equal(r.field, "values.level");
    json_object_set_new(values, "level", json_string("low"));
    json_object_set_new(values, "strange", json_string("x"));
    assert_int_equal(issue(w, &w->analyst, &n, &id, &r), -EINVAL);
    json_object_del(values, "strange");
    to[1] = STR("nobody");
    assert_int_equal(issue(w, &w->analyst, &n, &id, &r), -EINVAL);
    assert_string_equal(r.field, "addressees");
    to[1] = to[0];
    assert_int_equal(issue(w, &w->analyst, &n, &id, &r), -EINVAL);
    assert_int_equal(count_of(w, "SELECT count(*) FROM notice_record"), 1);
    json_decref(values);
}

/* TLP 2.0: AMBER+STRICT is for the addressee's own organisation, RED for the persons addressed; a hired operational centre is neither. */
static void a_strict_notice_stays_with_the_addressee(void **state)
{
    struct world *w = *state;
    struct subject about = object_of("state-register", w->registry.org_id);
    struct str to = owner_org(w);
    struct notice_new n = { .kind = "letter", .about = &about, .title = STR("t"), .text = STR("x"), .orgs = &to, .org_count = 1, .tlp = "amber" };
    struct desk_reply r;

    assert_int_equal(issue(w, &w->analyst, &n, NULL, &r), 0);
    assert_int_equal(count_of(w, "SELECT count(*) FROM notice WHERE channel = 'email' AND addressee = 'duty@ocib.example'"), 1);
    n.tlp = "amber+strict";
    assert_int_equal(issue(w, &w->analyst, &n, NULL, &r), 0);
    n.tlp = "red";
    assert_int_equal(issue(w, &w->analyst, &n, NULL, &r), 0);
    assert_int_equal(count_of(w, "SELECT count(*) FROM notice WHERE channel = 'email' AND addressee = 'duty@ocib.example'"), 1);
    assert_int_equal(count_of(w, "SELECT count(*) FROM notice WHERE channel = 'email' AND addressee = 'seitqali@registry.example'"), 3);
}

static void an_owners_notice_to_the_centre_names_the_owner(void **state)
{
    struct world *w = *state;
    struct subject about = object_of("state-register", w->registry.org_id);
    struct str centre = { NULL, 0 };
    struct notice_new n = { .kind = "contact_change", .paragraph = "16", .about = &about, .title = STR("Байланыс деректері өзгерді"), .text = STR("x"),
                            .orgs = &centre, .org_count = 1 };
    struct desk_reply r;

    assert_int_equal(issue(w, &w->registry, &n, NULL, &r), 0);
    assert_int_equal(count_of(w, "SELECT count(*) FROM notice_record r JOIN org o ON o.id = r.sender_org AND o.name = r.sender_name"), 1);
    assert_int_equal(count_of(w, "SELECT count(*) FROM notice WHERE channel = 'inbox' AND org_id IS NULL"), 1);
}

#define T(f, n) { .name = n, .test_func = f, .setup_func = world_open, .teardown_func = world_close }

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_text_about_an_object_is_recorded_and_delivered, "a notice about an object is recorded, stands in the inbox and goes by mail"),
        T(what_was_sent_is_never_changed, "what was sent is never changed, and its hash is that of the canonical bytes"),
        T(a_correction_is_a_version_with_a_reason, "a correction is a next version with a reason"),
        T(a_form_goes_whole_in_the_letter, "a form goes whole in the body of the letter; what is wrong is named and nothing is half-saved"),
        T(a_strict_notice_stays_with_the_addressee, "a notice of TLP AMBER+STRICT or RED stays with the addressee's own people"),
        T(an_owners_notice_to_the_centre_names_the_owner, "an owner's notice to the centre names the owner"),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
