/* test_people.c - whom to reach, the states of an object, files: through the calls of the API. */
#include "desk/registry/testing.h"
#include "desk/approvals/approvals.h"

/* --- whom to reach --- */

static void duty_hours(void **state)
{
    static const char hours[] = "{'week':[{'day':1,'from':'09:00','to':'18:00'},{'day':5,'from':'20:00','to':'08:00'}],"
                                "'exceptions':[{'date':'2026-03-23'},{'date':'2026-03-24','from':'10:00','to':'12:00'}]}";
    static const struct { const char *name; struct civil at; bool on; } rows[] = {
        { "Monday morning", { 2026, 3, 16, 9, 0, 0 }, true },      { "Monday evening", { 2026, 3, 16, 18, 0, 0 }, false },
        { "a minute before", { 2026, 3, 16, 8, 59, 0 }, false },   { "Friday night", { 2026, 3, 20, 23, 50, 0 }, true },
        { "its morning after", { 2026, 3, 21, 7, 59, 0 }, true },  { "and its end", { 2026, 3, 21, 8, 0, 0 }, false },
        { "a Monday off", { 2026, 3, 23, 10, 0, 0 }, false },      { "a Tuesday on", { 2026, 3, 24, 11, 0, 0 }, true },
        { "Sunday", { 2026, 3, 22, 12, 0, 0 }, false },
    };
    json_t *h = parsed(hours), *none = json_null();

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        CHECK(rows[i].name, hours_cover(h, &rows[i].at) == rows[i].on);
        CHECK(rows[i].name, hours_cover(none, &rows[i].at));
    }
    json_decref(h);
}

static void contact_new(struct world *w, const char *parent, const char *name, const char *hours, const char *role, int order, const char *more)
{
    char value[1024];
    json_t *p;

    snprintf(value, sizeof value, "{'name':'%s','language':'ru','channels':[{'kind':'email','value':'%s@city.example'},{'kind':'messenger','value':'@%s'}],'hours':%s}",
             name, name, name, hours);
    p = make(w, &w->city, RECORD_PERSON, NULL, value);
    snprintf(value, sizeof value, "{'person_id':'%s','role':'%s','order':%d%s}", text(p, "id"), role, order, more);
    json_decref(make(w, &w->city, RECORD_CONTACT, parent, value));
    json_decref(p);
}

static void whom_to_reach(void **state)
{
    struct world *w = *state;
    struct contact_list *l = calloc(1, sizeof *l);
    struct desk_reply r = { 0 };
    struct call c;

    contact_new(w, "object/city-portal", "day", "{'week':[{'day':5,'from':'09:00','to':'18:00'}]}", "responsible_person", 1, "");
    contact_new(w, "object/city-portal", "night", "{'week':[{'day':5,'from':'18:00','to':'09:00'}]}", "deputy", 2, "");
    contact_new(w, "object/city-portal", "gone", "null", "deputy", 3, ",'valid_to':'2026-03-01'");
    contact_new(w, "object/city-portal", "later", "null", "deputy", 4, ",'valid_from':'2026-04-01'");
    contact_new(w, "organisation/city-services", "house", "null", "deputy", 0, "");
    desk_call_init(&c, w->desk, NULL, T0, &r);
    /* Friday, 23:50 at Almaty: the one of the demonstration has no hours (always), the day shift is off. */
    must(contacts_now(&c, STR("city-portal"), NULL, T0, l), c.e);
    assert_int_equal(l->count, 4);
    static const char *const night[] = { "Данияр Оспанов", "night", "house", "day" };
    for (size_t i = 0; i < COUNT(night); i++)
        CHECK(night[i], str_eq(l->at[i].name, str_c(night[i])));
    assert_true(l->at[0].on_duty && l->at[1].on_duty && l->at[2].on_duty && !l->at[3].on_duty);
    assert_true(str_eq(contact_channel_find(&l->at[1], "messenger"), STR("@night")));
    assert_true(contact_channel_find(&l->at[1], "phone").p == NULL);
    must(contacts_now(&c, STR("city-portal"), "responsible_person", T0 - 12 * NS_PER_HOUR, l), c.e);
    assert_int_equal(l->count, 2);
    assert_true(l->at[1].on_duty && str_eq(l->at[1].name, STR("day")));
    desk_call_free(&c);
    free(l);
}

static void a_failed_check_waits_to_be_raised(void **state)
{
    struct world *w = *state;
    struct desk_reply r = { 0 };
    struct registry_query q = { 0 };
    struct str contact, object;
    json_t *body = json_pack("{s:b, s:s}", "ok", 0, "note", "nobody answered"), *list;
    struct call c;
    int64_t check = 0;
    char id[65];

    must(desk_registry_list(w->desk, &w->analyst, RECORD_CONTACT, STR("object/state-register"), &q, T0, &r), &r.err);
    snprintf(id, sizeof id, "%s", text(json_array_get(json_object_get(r.json, "items"), 0), "id"));
    desk_reply_free(&r);
    r = (struct desk_reply){ 0 };
    assert_int_equal(desk_contact_check(w->desk, &w->registry, str_c(id), body, T0, &r), -EACCES);
    desk_reply_free(&r);
    r = (struct desk_reply){ 0 };
    must(desk_contact_check(w->desk, &w->analyst, str_c(id), body, T0, &r), &r.err);
    assert_true(json_is_false(json_object_get(json_object_get(r.json, "checked"), "ok")));
    desk_reply_free(&r);
    json_decref(body);
    desk_call_init(&c, w->desk, NULL, T0, &r);
    must(contact_check_failed_next(&c, &check, &contact, &object), c.e);
    assert_true(check > 0 && str_eq(contact, str_c(id)) && str_eq(object, STR("state-register")));
    must(contact_check_raised(&c, check, STR("7")), c.e);
    must(contact_check_failed_next(&c, &check, &contact, &object), c.e);
    assert_int_equal(check, 0);
    must(contacts_unchecked(&c, T0 - 30 * NS_PER_DAY, 100, &list), c.e);
    assert_int_equal(json_array_size(list), 3);   /* of four contacts of the demonstration one was checked */
    json_decref(list);
    desk_call_free(&c);
}

static void the_responsible_person_changes(void **state)
{
    struct world *w = *state;
    struct desk_reply r = { 0 };
    json_t *person = json_pack("{s:s, s:s, s:n, s:s}", "name", "Жаңа Жауапты", "email", "new@registry.example", "phone", "language", "kk");
    struct contact_list *l = calloc(1, sizeof *l);
    struct call c;

    desk_call_init(&c, w->desk, &w->analyst, T0, &r);
    must(db_begin(w->desk, c.e), c.e);
    must(db_end(w->desk, contact_responsible_set(&c, STR("state-register"), person, STR("CC-1")), c.e), c.e);
    must(contacts_now(&c, STR("state-register"), "responsible_person", T0, l), c.e);
    assert_int_equal(l->count, 1);
    assert_true(str_eq(l->at[0].name, STR("Жаңа Жауапты")));
    json_decref(person);
    free(l);
    desk_call_free(&c);
    r = (struct desk_reply){ 0 };
    must(desk_registry_history(w->desk, &w->analyst, STR("object"), STR("state-register"), 1, NONE, T0, &r), &r.err);
    assert_string_equal(text(json_array_get(json_object_get(r.json, "items"), 0), "kind"), "contact");
    assert_string_equal(text(json_array_get(json_object_get(r.json, "items"), 0), "reason"), "CC-1");
    desk_reply_free(&r);
}

/* --- states --- */

static int move(struct world *w, const struct viewer *v, const char *id, const char *to, struct desk_reply *r)
{
    json_t *body = json_pack("{s:s, s:s}", "to", to, "reason", "a test");
    *r = (struct desk_reply){ 0 };
    int rc = desk_registry_move(w->desk, v, str_c(id), body, T0, r);

    json_decref(body);
    return rc;
}

static void states(void **state)
{
    struct world *w = *state;
    json_t *o = make(w, &w->admin, RECORD_OBJECT, NULL, "{'name':'New','org_id':'city-services','is_ego':true}");
    char id[65];
    struct desk_reply r;
    static const struct { const char *patch, *to; int rc; const char *state; bool two_persons; } rows[] = {
        { NULL, "monitored", -EPROTO, "known" },
        { NULL, "commissioned", -EPROTO, "known" },                                    /* it is not in operation */
        { "{'commissioned_on':'2026-01-01'}", "commissioned", 0, "commissioned" },
        { NULL, "listed", -EPROTO, "commissioned" },
        { NULL, "information_received", 0, "information_received" },
        { NULL, "excluded", -EPROTO, "information_received" },                         /* nothing excludes it */
        { "{'exclusion':'state_secret_resource','exclusion_ground':'x'}", "listed", -EPROTO, "information_received", true },
        { NULL, "excluded", 0, "excluded" },
        { "{'exclusion':null,'exclusion_ground':null}", "information_received", 0, "information_received" },
        { "{'is_cii':true}", "listed", 0, "listed" },                                  /* regime B without a contract warns only */
        { NULL, "scheduled", -EPROTO, "listed" },                                      /* no work type */
        { "{'work_types':['protection']}", "scheduled", 0, "scheduled" },
        { NULL, "onboarding", -EPROTO, "scheduled" },                                  /* no incident response */
        { "{'work_types':['incident_response']}", "onboarding", 0, "onboarding" },
        { NULL, "monitored", 0, "monitored" },
        { NULL, "information_requested", 0, "information_requested" },
        { NULL, "information_received", 0, "monitored" },                              /* it goes on where it was */
        { NULL, "archived", -EPROTO, "monitored" },
        { NULL, "operation_terminated", 0, "operation_terminated" },
        { NULL, "termination_received", 0, "termination_received" },
        { NULL, "archived", 0, "archived" },
        { NULL, "operation_terminated", -EPROTO, "archived" },
        { NULL, "nowhere", -EPROTO, "archived" },
    };

    snprintf(id, sizeof id, "%s", text(o, "id"));
    json_decref(o);
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (rows[i].two_persons)
            approved(w, id, rows[i].patch);
        else if (rows[i].patch)
            changed(w, RECORD_OBJECT, id, rows[i].patch);
        int rc = move(w, &w->analyst, id, rows[i].to, &r);
        CHECK(rows[i].to, rc == rows[i].rc);
        desk_reply_free(&r);
        o = fetch(w, &w->admin, RECORD_OBJECT, id, 0);
        CHECK(rows[i].to, strcmp(text(o, "state"), rows[i].state) == 0);
        json_decref(o);
    }
    assert_int_equal(move(w, &w->city, id, "archived", &r), -EACCES);
    desk_reply_free(&r);
    assert_int_equal(move(w, &w->registry, id, "archived", &r), -ENOENT);
    desk_reply_free(&r);
}

/* Whatever one person changes, an object that is monitored does not become an excluded one. */
static void one_person_excludes_nothing(void **state)
{
    struct world *w = *state;
    static const struct { const char *patch, *field; } rows[] = {
        { "{'exclusion':'state_secret_resource','exclusion_ground':'x'}", "value.exclusion" },
        { "{'exclusion':'state_secret_protected_system','exclusion_ground':'x'}", "value.exclusion" },
        { "{'national_bank':true}", "value.national_bank" },
        { "{'national_bank':true,'exclusion':'national_bank_not_integrated'}", "value.exclusion" },
    };
    const struct viewer *const who[] = { &w->admin, &w->lead, &w->analyst };
    json_t *o = make(w, &w->admin, RECORD_OBJECT, NULL, "{'name':'Plain','org_id':'city-services','is_ego':true,'commissioned_on':'2026-01-01'}");
    char id[65], field[DESK_FIELD_MAX];
    struct desk_reply r;

    snprintf(id, sizeof id, "%s", text(o, "id"));
    json_decref(o);
    for (size_t i = 0; i < COUNT(rows); i++)
        for (size_t k = 0; k < COUNT(who); k++) {
            int rc = change(w, who[k], RECORD_OBJECT, id, rows[i].patch, 0, T0, &r);

            CHECK(rows[i].patch, rc == -EINVAL && r.code && strcmp(r.code, "exclusion_by_request") == 0);
            CHECK(rows[i].patch, strcmp(r.field, rows[i].field) == 0);
            desk_reply_free(&r);
        }
    assert_int_equal(try_make(w, &w->admin, RECORD_OBJECT, NULL, "{'name':'Hidden','org_id':'city-services','is_ego':true,'national_bank':true}", field), -EINVAL);
    assert_string_equal(field, "value.national_bank");
    o = fetch(w, &w->admin, RECORD_OBJECT, id, 0);
    assert_string_equal(text(o, "regime"), "A");
    json_decref(o);
    /* Once two persons have agreed, one may change what else is told of it, and bring it back. */
    approved(w, id, "{'exclusion':'state_secret_resource','exclusion_ground':'x'}");
    changed(w, RECORD_OBJECT, id, "{'exclusion_ground':'letter 5','city':'Астана'}");
    assert_int_equal(change(w, &w->admin, RECORD_OBJECT, id, "{'exclusion':'state_secret_protected_system'}", 0, T0, &r), -EINVAL);
    desk_reply_free(&r);
    changed(w, RECORD_OBJECT, id, "{'exclusion':null,'exclusion_ground':null}");
    o = fetch(w, &w->admin, RECORD_OBJECT, id, 0);
    assert_string_equal(text(o, "regime"), "A");
    json_decref(o);
}

static void no_archive_with_open_cases(void **state)
{
    struct world *w = *state;
    struct desk_reply r;

    case_new(w, "rule-open", T0);
    must(move(w, &w->analyst, "state-register", "operation_terminated", &r), &r.err);
    desk_reply_free(&r);
    must(move(w, &w->analyst, "state-register", "termination_received", &r), &r.err);
    desk_reply_free(&r);
    assert_int_equal(move(w, &w->analyst, "state-register", "archived", &r), -EPROTO);
    assert_string_equal(r.field, "cases");
    desk_reply_free(&r);
}

/* --- files --- */

static void files(void **state)
{
    struct world *w = *state;
    struct desk_reply r = { 0 };
    json_t *one;
    char id[24], bytes[64] = "";
    int fd;

    diagram_put(w, "state-register", "physical_diagram", true);
    diagram_put(w, "state-register", "logical_diagram", true);     /* the same bytes: kept once, told of twice */
    must(desk_attachments(w->desk, &w->registry, STR("object"), STR("state-register"), T0, &r), &r.err);
    assert_int_equal(json_array_size(json_object_get(r.json, "items")), 2);
    one = json_array_get(json_object_get(r.json, "items"), 0);
    assert_string_equal(text(one, "type"), "application/pdf");
    assert_string_equal(text(one, "author"), "registry");
    assert_string_equal(text(one, "sha256"), text(json_array_get(json_object_get(r.json, "items"), 1), "sha256"));
    assert_string_equal(text(one, "approved_on"), "2026-01-15");
    snprintf(id, sizeof id, "%s", text(one, "id"));
    desk_reply_free(&r);
    r = (struct desk_reply){ 0 };
    assert_int_equal(desk_attachment_open(w->desk, &w->city, str_c(id), T0, &fd, &r), -ENOENT);
    desk_reply_free(&r);
    r = (struct desk_reply){ 0 };
    must(desk_attachment_open(w->desk, &w->registry, str_c(id), T0, &fd, &r), &r.err);
    assert_true(read(fd, bytes, sizeof bytes - 1) > 0);
    assert_string_equal(bytes, "%PDF-1.7 a diagram");
    close(fd);
    desk_reply_free(&r);
    assert_int_equal(audited(w, "attachment.read"), 1);
    r = (struct desk_reply){ 0 };
    assert_int_equal(desk_attachments(w->desk, &w->city, STR("object"), STR("state-register"), T0, &r), -ENOENT);
    desk_reply_free(&r);
    /* Its row is never changed or deleted. */
    assert_true(db_exec(w->desk, &r.err, "DELETE FROM attachment", "") < 0);
    assert_true(db_exec(w->desk, &r.err, "UPDATE attachment SET sha256 = lower(hex(zeroblob(32)))", "") < 0);
}

static int decide(struct world *w, const struct viewer *v, const char *approval, struct desk_reply *r)
{
    json_t *body = json_pack("{s:s}", "decision", "approve");
    *r = (struct desk_reply){ 0 };
    int rc = desk_approval_decide(w->desk, v, str_c(approval), body, T0 + NS_PER_HOUR, r);

    json_decref(body);
    return rc;
}

static void two_persons_take_a_file_away(void **state)
{
    struct world *w = *state;
    struct desk_reply r = { 0 };
    struct viewer second = w->analyst;
    json_t *body = json_pack("{s:s}", "reason", "a wrong file");
    char id[24], approval[24];
    int64_t rows = 0;
    int fd;

    diagram_put(w, "state-register", "photo", false);
    must(desk_attachments(w->desk, &w->registry, STR("object"), STR("state-register"), T0, &r), &r.err);
    snprintf(id, sizeof id, "%s", text(json_array_get(json_object_get(r.json, "items"), 0), "id"));
    desk_reply_free(&r);
    r = (struct desk_reply){ 0 };
    assert_int_equal(desk_attachment_remove(w->desk, &w->city, str_c(id), body, T0, &r), -ENOENT);
    desk_reply_free(&r);
    r = (struct desk_reply){ 0 };
    must(desk_attachment_remove(w->desk, &w->registry, str_c(id), body, T0, &r), &r.err);
    desk_reply_free(&r);
    json_decref(body);
    /* It is asked for, not done. */
    must(desk_attachment_open(w->desk, &w->registry, str_c(id), T0, &fd, &r), &r.err);
    close(fd);
    desk_reply_free(&r);
    r = (struct desk_reply){ 0 };
    must(desk_approvals(w->desk, &second, STR(""), 0, STR(""), &r), &r.err);
    snprintf(approval, sizeof approval, "%s", text(json_array_get(json_object_get(r.json, "items"), 0), "id"));
    assert_string_equal(text(json_array_get(json_object_get(r.json, "items"), 0), "kind"), "attachment.delete");
    desk_reply_free(&r);
    assert_true(decide(w, &w->registry, approval, &r) < 0);
    desk_reply_free(&r);
    must(decide(w, &second, approval, &r), &r.err);
    desk_reply_free(&r);
    r = (struct desk_reply){ 0 };
    assert_int_equal(desk_attachment_open(w->desk, &w->registry, str_c(id), T0, &fd, &r), -ENOENT);
    desk_reply_free(&r);
    must(db_int(w->desk, NULL, 0, &rows, "SELECT count(*) FROM attachment WHERE removed_at IS NOT NULL AND removal_reason = 'a wrong file'", ""), &r.err);
    assert_int_equal(rows, 1);
}

#define T(f, n) { .name = n, .test_func = f, .setup_func = world_open, .teardown_func = world_close }

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(duty_hours, "duty hours: the week, a night that runs over midnight, days that are otherwise"),
        T(whom_to_reach, "R-A1-11 whom to reach now: those on duty first, valid today, the object's own before the organisation's"),
        T(a_failed_check_waits_to_be_raised, "R-16-01 a failed check of a contact waits to be raised"),
        T(the_responsible_person_changes, "R-16-01 the responsible person changes, and history tells by which request"),
        T(states, "R-15-02 an object moves along the rows of its states and no other way"),
        T(one_person_excludes_nothing, "R-4-03, R-4-04, R-4-05 one person excludes no object, neither a new one nor one that stands"),
        T(no_archive_with_open_cases, "an object with open cases is not archived"),
        T(two_persons_take_a_file_away, "a file is taken away by two persons, and its row stays"),
        T(files, "R-A1-09 files: kept once by hash, given out in scope, their rows never changed"),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
