/* test_records.c - records, versions, the data of Annex 1, regimes, lists: through the calls of the API. */
#include "desk/registry/testing.h"

/* --- the regimes --- */

static void regimes(void **state)
{
    static const struct { const char *name; struct object_facts f; enum regime want; } rows[] = {
        { "an EGO in operation", { .ego = true, .operating = true }, REGIME_A },
        { "an EGO in operation that is CII", { .ego = true, .cii = true, .operating = true }, REGIME_B },
        { "CII, not EGO", { .cii = true, .operating = true }, REGIME_C },
        { "CII, not EGO, not in operation", { .cii = true }, REGIME_C },
        { "an EGO not in operation", { .ego = true }, REGIME_N1 },
        { "an EGO with state secrets", { .ego = true, .operating = true, .exclusion = EXCLUSION_STATE_SECRET_RESOURCE }, REGIME_N2 },
        { "an EGO in protected execution", { .ego = true, .operating = true, .exclusion = EXCLUSION_STATE_SECRET_SYSTEM }, REGIME_N2 },
        { "Q-31: excluded and CII", { .ego = true, .cii = true, .operating = true, .exclusion = EXCLUSION_STATE_SECRET_SYSTEM }, REGIME_N2 },
        { "the National Bank, not integrated", { .ego = true, .operating = true, .national_bank = true }, REGIME_N2 },
        { "the National Bank, integrated", { .ego = true, .operating = true, .national_bank = true, .integrated = true }, REGIME_A },
        { "Q-31: the National Bank, CII, not EGO", { .cii = true, .national_bank = true }, REGIME_C },
        { "neither", { .operating = true }, REGIME_N3 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK(rows[i].name, regime_of(&rows[i].f) == rows[i].want);
}

static bool says(const json_t *list, const char *code)
{
    json_t *one;
    size_t i;

    json_array_foreach((json_t *)(uintptr_t)list, i, one)
        if (strcmp(text(one, "code"), code) == 0) {
            for (enum lang l = 0; l < LANG_COUNT; l++)
                if (strlen(text(json_object_get(one, "text"), lang_name(l))) < 10)
                    fail_msg("%s has no text in %s", code, lang_name(l));
            return strlen(text(one, "paragraph")) > 0;
        }
    return false;
}

/* Each case is an object in the desk: what it is told to be, why, and that the list filters by the same regime. */
static void why(void **state)
{
    struct world *w = *state;
    static const struct { const char *value, *regime, *because, *warning; } rows[] = {
        { "'is_ego':true,'commissioned_on':'2025-01-01'", "A", "operating", "warn_no_work" },
        { "'is_ego':true,'is_cii':true,'commissioned_on':'2025-01-01'", "B", "no_contract", "warn_contract" },
        { "'is_ego':true,'commissioned_on':'2099-01-01'", "N1", "not_operating", NULL },
        { "'is_ego':true,'commissioned_on':'2025-01-01','terminated_on':'2026-01-01'", "N1", "terminated", NULL },
        { "'is_ego':true,'commissioned_on':'2025-01-01','exclusion':'state_secret_resource','exclusion_ground':'x'", "N2", "exc_1", NULL },
        { "'is_ego':true,'commissioned_on':'2025-01-01','exclusion':'state_secret_protected_system','exclusion_ground':'x'", "N2", "exc_2", NULL },
        { "'is_ego':true,'commissioned_on':'2025-01-01','national_bank':true", "N2", "exc_3", NULL },
        { "'is_ego':true,'commissioned_on':'2025-01-01','national_bank':true,'national_bank_integrated':true,'work_types':['protection']", "A",
          "bank_integrated", NULL },
        { "'is_ego':true,'is_cii':true,'commissioned_on':'2025-01-01','national_bank':true", "N2", "exc_3", "warn_excluded_cii" },
        { "'is_ego':false,'is_cii':true,'national_bank':true", "C", "not_ego", "warn_bank_cii" },
        { "'is_ego':false", "N3", "not_ego", NULL },
        { "'is_ego':true,'commissioned_on':'2025-01-01','contour':'internal','lcs_present':true,'lcs_contour':'external'", "A", "ego", "warn_contour" },
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct registry_query q = { .regime = str_c(rows[i].regime), .limit = 1000 };
        struct desk_reply r = { 0 };
        char value[1024], id[65];
        json_t *o, *one;
        bool found = false;
        size_t k;

        snprintf(value, sizeof value, "{'name':'Object %zu','org_id':'city-services'}", i);
        o = make(w, &w->admin, RECORD_OBJECT, NULL, value);
        snprintf(id, sizeof id, "%s", text(o, "id"));
        json_decref(o);
        snprintf(value, sizeof value, "{%s}", rows[i].value);
        approved(w, id, value);
        o = fetch(w, &w->admin, RECORD_OBJECT, id, 0);
        CHECK(rows[i].value, strcmp(text(o, "regime"), rows[i].regime) == 0);
        CHECK(rows[i].value, says(json_object_get(o, "why"), rows[i].because));
        CHECK(rows[i].value, !rows[i].warning || says(json_object_get(o, "warnings"), rows[i].warning));
        CHECK(rows[i].value, json_is_true(json_object_get(o, "monitored")) == (rows[i].regime[0] == 'A' || rows[i].regime[0] == 'B'));
        must(desk_registry_list(w->desk, &w->admin, RECORD_OBJECT, NONE, &q, T0, &r), &r.err);
        json_array_foreach(json_object_get(r.json, "items"), k, one)
            found = found || strcmp(text(one, "id"), text(o, "id")) == 0;
        CHECK(rows[i].value, found);
        desk_reply_free(&r);
        json_decref(o);
    }
}

static void contract(void **state)
{
    struct world *w = *state;
    json_t *c = make(w, &w->analyst, RECORD_CONTRACT, NULL, "{'number':'17-2026','signed_on':'2026-01-05','knb_id':'knb','sts_id':'sts',"
                                                            "'valid_from':'2026-01-05','valid_to':'2026-12-31'}");
    char value[512], field[DESK_FIELD_MAX];
    json_t *o;

    snprintf(value, sizeof value, "{'name':'Energy','org_id':'city-services','is_ego':true,'is_cii':true,'commissioned_on':'2025-01-01','contract_id':'%s'}",
             text(c, "id"));
    o = make(w, &w->analyst, RECORD_OBJECT, NULL, value);
    assert_true(says(json_object_get(o, "why"), "contract") && !says(json_object_get(o, "warnings"), "warn_contract"));
    /* The contract ends: the object warns and is monitored all the same. */
    changed(w, RECORD_CONTRACT, text(c, "id"), "{'valid_to':'2026-02-01'}");
    json_t *again = fetch(w, &w->analyst, RECORD_OBJECT, text(o, "id"), 0);
    assert_true(says(json_object_get(again, "warnings"), "warn_contract") && json_is_true(json_object_get(again, "monitored")));
    assert_string_equal(text(again, "regime"), "B");
    assert_int_equal(try_make(w, &w->analyst, RECORD_CONTRACT, NULL,
                              "{'number':'1','signed_on':'2026-01-05','knb_id':'sts','sts_id':'sts','valid_from':'2026-01-05'}", field), -EINVAL);
    assert_string_equal(field, "value.knb_id");
    assert_int_equal(try_make(w, &w->registry, RECORD_CONTRACT, NULL, "{}", field), -EACCES);
    json_decref(again);
    json_decref(o);
    json_decref(c);
}

static void variants(void **state)
{
    struct world *w = *state;
    static const struct { const char *types, *variant; } rows[] = {
        { "[]", "" }, { "['protection']", "V-1" }, { "['protection','incident_response']", "V-2" },
        { "['secure_operation','protection','incident_response']", "V-3" },
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        char patch[256];

        snprintf(patch, sizeof patch, "{'work_types':%s}", rows[i].types);
        changed(w, RECORD_OBJECT, "city-portal", patch);
        json_t *o = fetch(w, &w->admin, RECORD_OBJECT, "city-portal", 0);
        CHECK(rows[i].types, strcmp(text(o, "variant"), rows[i].variant) == 0);
        json_decref(o);
    }
}

/* --- the items of Annex 1 --- */

static void annex1_items(void **state)
{
    struct world *w = *state;
    static const struct { const char *name, *value, *field; } rows[] = {
        { "1: no name", "'org_id':'city-services'", "value.name" },
        { "2: no owner", "'name':'A'", "value.org_id" },
        { "2: an owner that is nowhere", "'name':'A','org_id':'nobody'", "value.org_id" },
        { "3: a possessor that is nowhere", "'name':'A','org_id':'city-services','possessor_id':'nobody'", "value.possessor_id" },
        { "5: support without a name", "'name':'A','org_id':'city-services','support':[{'phone':'1'}]", "value.support.0.name" },
        { "5: support with a broken address", "'name':'A','org_id':'city-services','support':[{'name':'B','email':'b'}]", "value.support.0.email" },
        { "6: an unknown level", "'name':'A','org_id':'city-services','criticality':'undefined'", "value.criticality" },
        { "7: a width without a connection", "'name':'A','org_id':'city-services','utesb_bandwidth':10,'utesb_unit':'mbit/s'", "value.utesb_bandwidth" },
        { "7: a width without a unit", "'name':'A','org_id':'city-services','utesb_connected':true,'utesb_bandwidth':10", "value.utesb_unit" },
        { "8: an unknown unit", "'name':'A','org_id':'city-services','internet_connected':true,'internet_bandwidth':10,'internet_unit':'mb'",
          "value.internet_unit" },
        { "8: a width of nothing", "'name':'A','org_id':'city-services','internet_connected':true,'internet_bandwidth':0,'internet_unit':'mbit/s'",
          "value.internet_bandwidth" },
        { "8: a negative width", "'name':'A','org_id':'city-services','internet_connected':true,'internet_bandwidth':-1,'internet_unit':'mbit/s'",
          "value.internet_bandwidth" },
        { "10: a name without a system", "'name':'A','org_id':'city-services','lcs_name':'X'", "value.lcs_name" },
        { "10: an unknown contour", "'name':'A','org_id':'city-services','lcs_present':true,'lcs_contour':'middle'", "value.lcs_contour" },
        { "a field that is not known", "'name':'A','org_id':'city-services','colour':'red'", "value.colour" },
        { "an exclusion without its ground", "'name':'A','org_id':'city-services','exclusion':'state_secret_resource'", "value.exclusion_ground" },
        { "EXC-3 of somebody else", "'name':'A','org_id':'city-services','exclusion':'national_bank_not_integrated'", "value.exclusion" },
        { "an end before the beginning", "'name':'A','org_id':'city-services','commissioned_on':'2026-01-01','terminated_on':'2025-01-01'",
          "value.terminated_on" },
        { "a performer that is not there", "'name':'A','org_id':'city-services','performer_response':'ocib'", "value.performer_response" },
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        char value[512], field[DESK_FIELD_MAX];

        snprintf(value, sizeof value, "{%s}", rows[i].value);
        CHECK(rows[i].name, try_make(w, &w->admin, RECORD_OBJECT, NULL, value, field) == -EINVAL);
        CHECK(rows[i].name, strcmp(field, rows[i].field) == 0);
    }
}

static void components(void **state)
{
    struct world *w = *state;
    static const struct { const char *name, *value, *field; } rows[] = {
        { "no address", "'name':'A','asset_class':'hardware','purpose':'x','ip_addresses':[]", "value.ip_addresses" },
        { "no purpose", "'name':'A','asset_class':'hardware','ip_addresses':['10.0.0.1']", "value.purpose" },
        { "an unknown class", "'name':'A','asset_class':'cloud','purpose':'x','ip_addresses':['10.0.0.1']", "value.asset_class" },
        { "an address of letters", "'name':'A','asset_class':'ipt','purpose':'x','ip_addresses':['10.0.0.1','ten']", "value.ip_addresses.1" },
        { "a byte too large", "'name':'A','asset_class':'ipt','purpose':'x','ip_addresses':['10.0.0.256']", "value.ip_addresses.0" },
        { "a network too long", "'name':'A','asset_class':'ipt','purpose':'x','ip_addresses':['10.0.0.0/33']", "value.ip_addresses.0" },
        { "an address twice", "'name':'A','asset_class':'ipt','purpose':'x','ip_addresses':['10.0.0.1','10.0.0.1']", "value.ip_addresses.1" },
        { "a name with a blank", "'name':'A','asset_class':'software','purpose':'x','ip_addresses':['::1'],'domain_names':['a b.kz']", "value.domain_names.0" },
    };
    char field[DESK_FIELD_MAX], value[512];
    json_t *c;

    for (size_t i = 0; i < COUNT(rows); i++) {
        snprintf(value, sizeof value, "{%s}", rows[i].value);
        CHECK(rows[i].name, try_make(w, &w->admin, RECORD_COMPONENT, "object/city-portal", value, field) == -EINVAL);
        CHECK(rows[i].name, strcmp(field, rows[i].field) == 0);
    }
    /* A reserve means has addresses, purpose and version like any other. */
    c = make(w, &w->admin, RECORD_COMPONENT, "object/city-portal",
             "{'name':'Firewall','asset_class':'ipt','is_reserve':true,'ip_addresses':['192.0.2.77','2001:db8::/48'],'domain_names':['fw.city.example'],"
             "'purpose':'border','version':'7.2','vendor':'Example'}");
    assert_true(json_is_true(json_object_get(json_object_get(c, "value"), "is_reserve")));
    /* Found by its address at its object. */
    struct registry_query q = { .q = STR("192.0.2.77") };
    struct desk_reply r = { 0 };
    must(desk_registry_list(w->desk, &w->analyst, RECORD_OBJECT, NONE, &q, T0, &r), &r.err);
    assert_int_equal(json_array_size(json_object_get(r.json, "items")), 1);
    assert_string_equal(text(json_array_get(json_object_get(r.json, "items"), 0), "id"), "city-portal");
    desk_reply_free(&r);
    json_decref(c);
    assert_int_equal(try_make(w, &w->admin, RECORD_COMPONENT, "organisation/city-services", "{'name':'A','asset_class':'ipt','purpose':'x','ip_addresses':['::1']}", field),
                     -ENOENT);
}

static const char whole_object[] =
    "{'name':'Салық ақпараттық жүйесі','name_ru':'Налоговая информационная система','org_id':'registry-centre','possessor_id':'city-services',"
    "'street':'Мәңгілік Ел 55','city':'Астана','region':'Астана','support':[{'name':'Қолдау ЖШС','phone':'+7 000 000 00 09','email':'s@support.example',"
    "'address':'Астана','contact_person':'Б. Болат'}],'criticality':'high','class_code':'1.2','contour':'internal','utesb_connected':true,"
    "'utesb_bandwidth':100,'utesb_unit':'mbit/s','internet_connected':true,'internet_bandwidth':1.5,'internet_unit':'gbit/s','lcs_present':true,"
    "'lcs_name':'Журнал','lcs_contour':'internal','is_ego':true,'commissioned_on':'2025-06-01','work_types':['incident_response']}";

static int64_t missing_item(struct world *w, const char *id, int item)
{
    json_t *o = fetch(w, &w->admin, RECORD_OBJECT, id, 0), *one;
    int64_t n = 0;
    size_t i;

    json_array_foreach(json_object_get(o, "missing"), i, one)
        n += json_integer_value(json_object_get(one, "item")) == item;
    json_decref(o);
    return n;
}

static void annex1_whole(void **state)
{
    struct world *w = *state;
    json_t *o = make(w, &w->admin, RECORD_OBJECT, NULL, whole_object), *p, *a;
    char id[65], parent[80], value[256];
    struct desk_reply r = { 0 };

    snprintf(id, sizeof id, "%s", text(o, "id"));
    snprintf(parent, sizeof parent, "object/%s", id);
    json_decref(o);
    assert_int_equal(missing_item(w, id, 9), 2);
    assert_int_equal(missing_item(w, id, 11), 1);
    assert_int_equal(missing_item(w, id, 12), 1);
    diagram_put(w, id, "logical_diagram", false);   /* neither approved nor signed */
    diagram_put(w, id, "physical_diagram", true);
    assert_int_equal(missing_item(w, id, 9), 1);
    diagram_put(w, id, "logical_diagram", true);
    assert_int_equal(missing_item(w, id, 9), 0);
    p = make(w, &w->registry, RECORD_PERSON, NULL, "{'name':'Айгүл Сейтқали','language':'kk','channels':[{'kind':'mobile','value':'+7 700 000 00 00'}]}");
    snprintf(value, sizeof value, "{'person_id':'%s','role':'responsible_person'}", text(p, "id"));
    json_decref(make(w, &w->registry, RECORD_CONTACT, parent, value));
    json_decref(make(w, &w->registry, RECORD_COMPONENT, parent, "{'name':'Сервер','asset_class':'hardware','ip_addresses':['10.1.1.1'],'purpose':'ДБ'}"));
    json_decref(p);
    must(desk_registry_annex1(w->desk, &w->registry, str_c(id), 0, T0, &r), &r.err);
    assert_int_equal(json_array_size(json_object_get(r.json, "missing")), 0);
    a = json_object_get(r.json, "values");
    assert_string_equal(text(a, "official_name"), "Салық ақпараттық жүйесі");
    assert_string_equal(text(json_object_get(a, "owner"), "id"), "registry-centre");
    assert_string_equal(text(json_object_get(a, "possessor"), "id"), "city-services");
    assert_string_equal(text(json_object_get(a, "actual_location"), "city"), "Астана");
    assert_string_equal(text(json_array_get(json_object_get(a, "support_organization"), 0), "phone"), "+7 000 000 00 09");
    assert_string_equal(text(a, "object_criticality"), "high");
    assert_int_equal(json_integer_value(json_object_get(json_object_get(a, "utesb_connection"), "bandwidth")), 100);
    assert_string_equal(text(json_object_get(a, "internet_connection"), "unit"), "gbit/s");
    assert_int_equal(json_array_size(json_object_get(a, "architecture_diagrams")), 3);
    assert_string_equal(text(json_object_get(a, "lcs"), "contour"), "internal");
    assert_string_equal(text(json_array_get(json_object_get(a, "is_contacts"), 0), "name"), "Айгүл Сейтқали");
    assert_string_equal(text(json_array_get(json_object_get(a, "assets"), 0), "purpose"), "ДБ");
    desk_reply_free(&r);
    /* What one item lacks is named by its number. */
    static const struct { const char *patch; int item; } rows[] = {
        { "{'street':null}", 4 }, { "{'support':[]}", 5 }, { "{'criticality':null}", 6 }, { "{'utesb_connected':null,'utesb_bandwidth':null,'utesb_unit':null}", 7 },
        { "{'internet_bandwidth':null,'internet_unit':null}", 8 }, { "{'lcs_name':null}", 10 },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        changed(w, RECORD_OBJECT, id, rows[i].patch);
        CHECK(rows[i].patch, missing_item(w, id, rows[i].item) == 1);
    }
}

/* --- versions --- */

static void versions(void **state)
{
    struct world *w = *state;
    struct desk_reply r = { 0 };
    json_t *then, *one, *changes;

    must(change(w, &w->registry, RECORD_OBJECT, "state-register", "{'city':'Алматы','lcs_name':'Басқа'}", 0, T0 + NS_PER_HOUR, &r), &r.err);
    assert_int_equal(json_integer_value(json_object_get(r.json, "version")), 2);
    desk_reply_free(&r);
    must(change(w, &w->admin, RECORD_OBJECT, "state-register", "{'city':'Шымкент','possessor_id':'city-services'}", 0, T0 + 2 * NS_PER_HOUR, &r), &r.err);
    desk_reply_free(&r);
    /* Somebody who read version 2 is told that it is not the newest, and nothing is written. */
    assert_int_equal(change(w, &w->admin, RECORD_OBJECT, "state-register", "{'city':'Орал'}", 2, T0 + 3 * NS_PER_HOUR, &r), -EEXIST);
    assert_string_equal(r.code, "stale");
    assert_string_equal(r.field, "version");
    desk_reply_free(&r);
    /* The state of any moment. */
    then = fetch(w, &w->admin, RECORD_OBJECT, "state-register", T0 + NS_PER_HOUR);
    assert_string_equal(text(json_object_get(then, "value"), "city"), "Алматы");
    json_decref(then);
    then = fetch(w, &w->admin, RECORD_OBJECT, "state-register", T0);
    assert_string_equal(text(json_object_get(then, "value"), "city"), "Астана");
    json_decref(then);
    /* Who, when, why, from, to. */
    r = (struct desk_reply){ 0 };
    must(desk_registry_history(w->desk, &w->registry, STR("object"), STR("state-register"), 0, NONE, T0, &r), &r.err);
    one = json_array_get(json_object_get(r.json, "items"), 0);
    assert_int_equal(json_integer_value(json_object_get(one, "version")), 3);
    assert_string_equal(text(one, "author"), "admin");
    assert_string_equal(text(one, "origin"), "centre");
    assert_string_equal(text(one, "reason"), "a test");
    assert_string_equal(text(one, "at"), "2026-03-20T20:50:00Z");
    changes = json_object_get(one, "changes");
    assert_int_equal(json_array_size(changes), 2);
    assert_string_equal(text(json_array_get(changes, 0), "from"), "Алматы");
    assert_string_equal(text(json_array_get(changes, 0), "to"), "Шымкент");
    one = json_array_get(json_object_get(r.json, "items"), 1);
    assert_string_equal(text(one, "author"), "registry");
    assert_string_equal(text(one, "origin"), "owner");
    desk_reply_free(&r);
    /* A change that changes nothing makes no version. */
    must(change(w, &w->admin, RECORD_OBJECT, "state-register", "{}", 0, T0 + 3 * NS_PER_HOUR, &r), &r.err);
    assert_int_equal(json_integer_value(json_object_get(r.json, "version")), 3);
    desk_reply_free(&r);
    /* History cannot be rewritten. */
    assert_true(db_exec(w->desk, &r.err, "DELETE FROM record_version", "") < 0);
    assert_true(db_exec(w->desk, &r.err, "UPDATE record_change SET became = 'x'", "") < 0);
}

static void removed_things_stay_in_history(void **state)
{
    struct world *w = *state;
    json_t *c = make(w, &w->registry, RECORD_COMPONENT, "object/state-register", "{'name':'Old','asset_class':'software','ip_addresses':['10.9.9.9'],'purpose':'x'}");
    json_t *body = json_pack("{s:i, s:s}", "version", 1, "reason", "written off"), *list;
    struct desk_reply r = { 0 };
    struct call call;
    char id[65];

    snprintf(id, sizeof id, "%s", text(c, "id"));
    json_decref(c);
    assert_int_equal(desk_registry_remove(w->desk, &w->city, RECORD_COMPONENT, str_c(id), body, T0 + NS_PER_HOUR, &r), -ENOENT);
    desk_reply_free(&r);
    r = (struct desk_reply){ 0 };
    must(desk_registry_remove(w->desk, &w->registry, RECORD_COMPONENT, str_c(id), body, T0 + NS_PER_HOUR, &r), &r.err);
    json_decref(body);
    desk_call_init(&call, w->desk, NULL, T0, &r);
    must(record_children(&call, RECORD_COMPONENT, STR("object/state-register"), 0, &list), call.e);
    assert_int_equal(json_array_size(list), 4);   /* those of the demonstration */
    json_decref(list);
    must(record_children(&call, RECORD_COMPONENT, STR("object/state-register"), T0 + NS_PER_MINUTE, &list), call.e);
    assert_int_equal(json_array_size(list), 5);
    json_decref(list);
    /* A quarter's changes of the object: the component came and went. */
    must(registry_changes(&call, (struct scope){ 0, "" }, STR("state-register"), T0 - 1, T0 + NS_PER_DAY, 100, &list), call.e);
    assert_int_equal(json_array_size(list), 2);
    assert_true(json_is_true(json_object_get(json_array_get(list, 1), "removed")));
    json_decref(list);
    must(registry_changes(&call, (struct scope){ 1, "city-services" }, STR(""), T0 - 1, T0 + NS_PER_DAY, 100, &list), call.e);
    assert_int_equal(json_array_size(list), 0);
    json_decref(list);
    desk_call_free(&call);
}

/* --- who may --- */

static void owners_change_what_is_theirs(void **state)
{
    struct world *w = *state;
    struct desk_reply r;
    char field[DESK_FIELD_MAX];
    static const struct { const char *patch, *field; } foreign[] = {
        { "{'is_cii':true}", "value.is_cii" }, { "{'org_id':'city-services'}", "value.org_id" }, { "{'hosts':[]}", "value.hosts" },
        { "{'work_types':['protection']}", "value.work_types" }, { "{'contract_id':'contract-1'}", "value.contract_id" },
    };

    must(change(w, &w->registry, RECORD_OBJECT, "state-register", "{'street':'Абай 1','criticality':'medium'}", 0, T0, &r), &r.err);
    assert_string_equal(text(r.json, "may"), "own");
    desk_reply_free(&r);
    for (size_t i = 0; i < COUNT(foreign); i++) {
        CHECK(foreign[i].patch, change(w, &w->registry, RECORD_OBJECT, "state-register", foreign[i].patch, 0, T0, &r) == -EACCES);
        CHECK(foreign[i].patch, strcmp(r.field, foreign[i].field) == 0);
        desk_reply_free(&r);
    }
    assert_int_equal(change(w, &w->city, RECORD_OBJECT, "state-register", "{'street':'x'}", 0, T0, &r), -ENOENT);
    desk_reply_free(&r);
    must(change(w, &w->registry, RECORD_ORGANISATION, "registry-centre", "{'phone':'+7 000 111'}", 0, T0, &r), &r.err);
    desk_reply_free(&r);
    assert_int_equal(change(w, &w->registry, RECORD_ORGANISATION, "registry-centre", "{'name':'Mine'}", 0, T0, &r), -EACCES);
    desk_reply_free(&r);
    assert_int_equal(change(w, &w->registry, RECORD_ORGANISATION, "city-services", "{'phone':'1'}", 0, T0, &r), -ENOENT);
    desk_reply_free(&r);
    assert_int_equal(try_make(w, &w->registry, RECORD_PERSON, NULL, "{'name':'A','language':'kk','channels':[],'hours':{'week':[{'day':1,'from':'09:00','to':'18:00'},"
                              "{'day':8,'from':'09:00','to':'18:00'}]}}", field), -EINVAL);
    assert_string_equal(field, "value.hours.week.1.day");
    assert_int_equal(try_make(w, &w->registry, RECORD_PERSON, NULL, "{'name':'A','language':'kk','channels':[],'hours':{'week':[{'day':1,'from':'09:00','to':'25:00'}]}}",
                              field), -EINVAL);
    assert_string_equal(field, "value.hours.week.0.to");
    assert_int_equal(try_make(w, &w->registry, RECORD_PERSON, NULL, "{'name':'A','language':'kk','channels':[],'org_id':'city-services'}", field), -EACCES);
    assert_int_equal(try_make(w, &w->registry, RECORD_CONTACT, "object/city-portal", "{'person_id':'x','role':'ocib'}", field), -ENOENT);
    assert_int_equal(try_make(w, &w->registry, RECORD_OBJECT, NULL, "{'name':'A','org_id':'registry-centre'}", field), -EACCES);
    /* Who reads only, reads: the possessor's people see the object as soon as it is theirs to possess. */
    changed(w, RECORD_OBJECT, "state-register", "{'possessor_id':'city-services'}");
    must(change(w, &w->city, RECORD_OBJECT, "state-register", "{'street':'Абай 2'}", 0, T0, &r), &r.err);
    assert_string_equal(text(r.json, "acting_id"), "city-services");
    desk_reply_free(&r);
    changed(w, RECORD_OBJECT, "state-register", "{'acting_party':'owner'}");
    json_t *o = fetch(w, &w->admin, RECORD_OBJECT, "state-register", 0);
    assert_string_equal(text(o, "acting_id"), "registry-centre");
    json_decref(o);
    struct viewer auditor = w->admin;
    auditor.role = DESK_AUDITOR;
    assert_int_equal(change(w, &auditor, RECORD_OBJECT, "state-register", "{'street':'x'}", 0, T0, &r), -EACCES);
    desk_reply_free(&r);
}

static void reading_people_is_audited(void **state)
{
    struct world *w = *state;
    struct registry_query q = { 0 };
    struct desk_reply r = { 0 };
    int64_t before = audited(w, "personal.read");
    char id[65];

    must(desk_registry_list(w->desk, &w->registry, RECORD_PERSON, NONE, &q, T0, &r), &r.err);
    assert_int_equal(json_array_size(json_object_get(r.json, "items")), 2);   /* the responsible person and the duty officer of their object */
    snprintf(id, sizeof id, "%s", text(json_array_get(json_object_get(r.json, "items"), 0), "id"));
    desk_reply_free(&r);
    r = (struct desk_reply){ 0 };
    must(desk_registry_list(w->desk, &w->registry, RECORD_CONTACT, STR("object/state-register"), &q, T0, &r), &r.err);
    desk_reply_free(&r);
    r = (struct desk_reply){ 0 };
    must(desk_registry_reach(w->desk, &w->registry, STR("state-register"), T0, &r), &r.err);
    desk_reply_free(&r);
    json_decref(fetch(w, &w->registry, RECORD_PERSON, id, 0));
    assert_int_equal(audited(w, "personal.read"), before + 4);
    r = (struct desk_reply){ 0 };
    assert_int_equal(desk_registry_get(w->desk, &w->city, RECORD_PERSON, str_c(id), 0, T0, &r), -ENOENT);
    desk_reply_free(&r);
    assert_int_equal(audited(w, "personal.read"), before + 4);
}

/* --- searching and lists --- */

static void search(void **state)
{
    struct world *w = *state;
    static const struct { const char *q; size_t found; } rows[] = {
        { "ТІЗІЛІМ", 1 }, { "тізілім мемлекеттік", 1 }, { "қала", 1 }, { "ҚАЛА тұрғын", 1 }, { "registry-web-1", 1 }, { "registry-web", 1 }, { "алматы", 1 }, { "семей", 0 },
        { "\"", 3 }, { "city*", 1 }, { "a OR b", 0 }, { "NEAR(", 0 }, { "", 3 },
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct registry_query q = { .q = str_c(rows[i].q) };
        struct desk_reply r = { 0 };
        int rc = desk_registry_list(w->desk, &w->analyst, RECORD_OBJECT, NONE, &q, T0, &r);

        CHECK(rows[i].q, rc == 0 && json_array_size(json_object_get(r.json, "items")) == rows[i].found);
        desk_reply_free(&r);
    }
}

static void pages(void **state)
{
    struct world *w = *state;
    char before[65] = "", value[128], last[600] = "";
    size_t seen = 0, turns = 0;

    for (int i = 0; i < 25; i++) {
        snprintf(value, sizeof value, "{'name':'Object %02d','org_id':'city-services'}", (i * 7) % 25);
        json_decref(make(w, &w->admin, RECORD_OBJECT, NULL, value));
    }
    for (bool more = true; more; turns++) {
        struct registry_query q = { .limit = 10, .before = str_c(before) };
        struct desk_reply r = { 0 };
        json_t *one;
        size_t i;

        must(desk_registry_list(w->desk, &w->city, RECORD_OBJECT, NONE, &q, T0, &r), &r.err);
        json_array_foreach(json_object_get(r.json, "items"), i, one) {
            assert_true(strcmp(last, text(one, "name")) < 0 || seen == 0);
            snprintf(last, sizeof last, "%s", text(one, "name"));
            seen++;
        }
        more = json_is_string(json_object_get(r.json, "next"));
        snprintf(before, sizeof before, "%s", text(r.json, "next"));
        desk_reply_free(&r);
    }
    assert_true(turns == 3 && seen == 26);   /* theirs alone, with the one of the demonstration */
}

static void plan_of(struct world *w, const char *sql, const char *wanted, const char *unwanted)
{
    AUTO_BUF struct buf b;
    AUTO_BUF struct buf plan;
    sqlite3_stmt *st = NULL;

    buf_init(&b, MIB);
    buf_init(&plan, MIB);
    buf_printf(&b, "EXPLAIN QUERY PLAN %s", sql);
    buf_byte(&b, 0);
    assert_int_equal(sqlite3_prepare_v2(w->desk->db, b.p, -1, &st, NULL), SQLITE_OK);
    while (sqlite3_step(st) == SQLITE_ROW)
        buf_printf(&plan, "%s; ", (const char *)sqlite3_column_text(st, 3));
    buf_byte(&plan, 0);
    sqlite3_finalize(st);
    if (!strstr(plan.p, wanted) || (unwanted && strstr(plan.p, unwanted)))
        fail_msg("\"%s\" wanted, \"%s\" not, in: %s", wanted, unwanted ? unwanted : "", plan.p);
}

static void plans(void **state)
{
    struct world *w = *state;

    plan_of(w, registry_objects_sql, "o USING INDEX object_sort", "TEMP B-TREE FOR ORDER");
    plan_of(w, registry_records_sql, "r USING INDEX record_sort (kind=?", "TEMP B-TREE FOR ORDER");
    plan_of(w, registry_children_sql, "r USING INDEX record_parent (parent=? AND kind=?", "TEMP B-TREE FOR ORDER");
    plan_of(w, registry_objects_found_sql, "f VIRTUAL TABLE INDEX", NULL);
}

/* --- organisations and the readers of foreign texts --- */

static void organisations(void **state)
{
    struct world *w = *state;
    char field[DESK_FIELD_MAX];
    struct registry_query q = { .kind = STR("ocib") };
    struct desk_reply r = { 0 };

    json_decref(make(w, &w->analyst, RECORD_ORGANISATION, NULL,
                     "{'name':'АҚЖО ЖШС','name_ru':'ТОО ОЦИБ','kinds':['ocib','support'],'bin':'000000000101','address':'Астана','email':'o@ocib.example',"
                     "'phone':'+7 000','head':'А. Басшы'}"));
    must(desk_registry_list(w->desk, &w->analyst, RECORD_ORGANISATION, NONE, &q, T0, &r), &r.err);
    assert_int_equal(json_array_size(json_object_get(r.json, "items")), 2);   /* this one and that of the demonstration */
    desk_reply_free(&r);
    assert_int_equal(try_make(w, &w->analyst, RECORD_ORGANISATION, NULL, "{'name':'A','kinds':[]}", field), -EINVAL);
    assert_string_equal(field, "value.kinds");
    assert_int_equal(try_make(w, &w->analyst, RECORD_ORGANISATION, NULL, "{'name':'A','kinds':['owner'],'bin':'123456789012'}", field), -EINVAL);
    assert_string_equal(field, "value.bin");
    assert_int_equal(try_make(w, &w->analyst, RECORD_ORGANISATION, NULL, "{'name':'A','kinds':['ministry']}", field), -EINVAL);
}

static void foreign_texts(void **state)
{
    static const struct { const char *name, *text; bool bin, address, domain; } rows[] = {
        { "a number of a business", "000000000010", true, false, true },
        { "a wrong last digit", "000000000011", false, false, true },
        { "the second row of weights", "000000000101", true, false, true },
        { "too short", "00000000001", false, false, true },
        { "letters", "00000000001a", false, false, true },
        { "IPv4", "192.0.2.1", false, true, true },
        { "a network", "192.0.2.0/24", false, true, false },
        { "IPv6", "2001:db8::1", false, true, false },
        { "a network of IPv6", "2001:db8::/32", false, true, false },
        { "too long a network", "2001:db8::/129", false, false, false },
        { "no length", "192.0.2.0/", false, false, false },
        { "three numbers", "192.0.2", false, false, true },
        { "a domain", "portal.gov.kz", false, false, true },
        { "any below", "*.gov.kz", false, false, true },
        { "Kazakh letters", "қала.қаз", false, false, true },
        { "a hyphen in front", "-a.kz", false, false, false },
        { "an empty label", "a..kz", false, false, false },
        { "a blank", "a b", false, false, false },
        { "nothing", "", false, false, false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        CHECK(rows[i].name, bin_valid(str_c(rows[i].text)) == rows[i].bin);
        CHECK(rows[i].name, address_valid(str_c(rows[i].text)) == rows[i].address);
        CHECK(rows[i].name, domain_valid(str_c(rows[i].text)) == rows[i].domain);
    }
    assert_int_equal(minute_of_day(STR("24:00")), 1440);
    assert_int_equal(minute_of_day(STR("24:01")), -1);
    assert_int_equal(minute_of_day(STR("09:60")), -1);
}

#define T(f, n) { .name = n, .test_func = f, .setup_func = world_open, .teardown_func = world_close }

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(regimes, "R-4-01 R-4-02 R-4-03 R-4-04 R-4-05 the regime follows from the facts alone, by the table"),
        T(why, "R-4-01 R-4-02 R-4-03 R-4-04 R-4-05 each object says why it is monitored or not, with the paragraph, in three languages"),
        T(contract, "R-6-01 an object of regime B names the contract of KNB and STS; without one it warns and is monitored all the same"),
        T(variants, "R-3-03 R-3-04 R-3-05 R-5-01 R-5-02 R-5-03 the variant follows from the set of work types"),
        T(annex1_items, "R-A1-01 R-A1-02 R-A1-03 R-A1-05 R-A1-06 R-A1-07 R-A1-08 R-A1-10 what an item of Annex 1 does not take is refused by its name"),
        T(components, "R-A1-12 R-7-03 components: class, reserve, addresses, domain names, purpose, version; found by address"),
        T(annex1_whole, "R-A1-01 R-A1-02 R-A1-03 R-A1-04 R-A1-05 R-A1-06 R-A1-07 R-A1-08 R-A1-09 R-A1-10 R-A1-11 R-A1-12 the twelve items of Annex 1, and "
                        "what each lacks"),
        T(versions, "each change is a version: who, when, why, from, to; the state of any moment; a stale writer is told"),
        T(removed_things_stay_in_history, "R-17-05 what was removed stays in history, and is among the changes of its object"),
        T(owners_change_what_is_theirs, "R-2-02 owners and possessors change the data of Annex 1 of their own, and nothing else"),
        T(reading_people_is_audited, "each reading of people and contacts is audited"),
        T(search, "objects are found by words of any letter case, by hosts; what looks like a query is words"),
        T(pages, "lists go page by page without gaps or doubles, in scope"),
        T(plans, "lists walk an index in its order, whatever their size"),
        T(organisations, "organisations have one or more kinds; a business number is checked"),
        T(foreign_texts, "numbers of businesses, addresses, domain names, times of day"),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
