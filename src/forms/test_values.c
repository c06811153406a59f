/* test_values.c - values read and written, what is missing, and hostile text made harmless. */
#include "duty/test_world.h"
#include "forms/test_filled.h"

static const struct form *form_of(void **state, const char *id)
{
    const struct test_world *t = *state;
    const struct form *f = edition_form(t->w.edition, str_c(id));

    CHECK(id, f != NULL);
    return f;
}

static void good_values_are_read(void **state)
{
    const struct test_world *t = *state;
    const struct form *f = form_of(state, "annex2");
    struct form_values vs;
    AUTO_ARENA struct arena a;
    struct err e = { 0 };
    const struct form_value *v;

    arena_init(&a, 0);
    if (forms_values_read(&t->w, f, str_c(filled_annex2), &a, &vs, &e) < 0)
        fail_msg("%s", e.text);
    v = form_value_find(&vs, STR("occurred_at"));
    assert_true(v->kind == FORM_INSTANT && v->at == INT64_C(1774032607) * NS_PER_SECOND);
    v = form_value_find(&vs, STR("consequences"));
    assert_true(v->kind == FORM_LIST && v->count == 2 && str_eq(v->list[1], STR("confidentiality_breach")));
    v = form_value_find(&vs, STR("iocs"));
    assert_true(v->count == 3 && str_eq(v->list[0], STR("ip 203.0.113.77")));
    assert_null(form_value_find(&vs, STR("note"))); /* an empty text is no value */
    assert_int_equal(forms_missing(f, &vs, NULL, 0), 0);
}

static void one_value_may_stand_for_a_list(void **state)
{
    const struct test_world *t = *state;
    struct form_values vs;
    AUTO_ARENA struct arena a;
    const struct form_value *v;

    arena_init(&a, 0);
    assert_int_equal(forms_values_read(&t->w, form_of(state, "annex2"), STR("{\"contour\":\"external_lan\"}"), &a, &vs, NULL), 0);
    v = form_value_find(&vs, STR("contour"));
    assert_true(v->kind == FORM_LIST && v->count == 1 && str_eq(v->list[0], STR("external_lan")));
}

static void bad_values_name_their_field(void **state)
{
    static const struct {
        const char *name, *json, *want;
    } rows[] = {
        { "no JSON", "{", "form:1:" },
        { "a list", "[]", "an object" },
        { "an unknown field", "{\"lvl\":\"high\"}", "no field \"lvl\"" },
        { "a doubled field", "{\"level\":\"high\",\"level\":\"low\"}", "level" },
        { "an unknown value", "{\"level\":\"critical\"}", "\"critical\" is none of its values" },
        { "a label instead of an id", "{\"level\":\"Жоғары (4)\"}", "none of its values" },
        { "none beside others", "{\"consequences\":[\"none\",\"integrity_breach\"]}", "stands alone" },
        { "a value twice", "{\"contour\":[\"internal_lan\",\"internal_lan\"]}", "twice" },
        { "a list for one", "{\"level\":[\"high\"]}", "not a list" },
        { "a number in a list", "{\"contour\":[1]}", "a list of texts" },
        { "an indicator that is none", "{\"iocs\":[1]}", "an indicator is" },
        { "an indicator of no kind", "{\"iocs\":[{\"type\":\"car\",\"value\":\"x\"}]}", "\"car\" is none" },
        { "an indicator without a value", "{\"iocs\":[{\"type\":\"ip\",\"value\":\" \"}]}", "without a value" },
        { "a day for a moment", "{\"confirmed_at\":\"2026-03-21\"}", "time of day is missing" },
        { "words for a moment", "{\"confirmed_at\":\"yesterday\"}", "a moment such as" },
        { "no such day", "{\"registered_on\":\"2026-02-30\"}", "a moment such as" },
        { "no data where there must be some", "{\"level\":{\"no_data\":true}}", "no answer here" },
        { "another object", "{\"level\":{\"no\":1}}", "is expected" },
        { "a truth", "{\"note\":true}", "a text is expected" },
        { "a heading", "{\"details\":\"x\"}", "no value of its own" },
    };
    const struct test_world *t = *state;
    const struct form *f = form_of(state, "annex2");

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct form_values vs;
        AUTO_ARENA struct arena a;
        struct err e = { 0 };

        arena_init(&a, 0);
        CHECK(rows[i].name, forms_values_read(&t->w, f, str_c(rows[i].json), &a, &vs, &e) == -EBADMSG);
        CHECK(rows[i].name, vs.count == 0);
        if (!strstr(e.text, rows[i].want))
            fail_msg("row \"%s\": \"%s\" does not say \"%s\"", rows[i].name, e.text, rows[i].want);
    }
}

static void what_is_written_is_read_again(void **state)
{
    static const struct {
        const char *form, *json;
    } rows[] = { { "annex7", filled_annex7 }, { "annex2", filled_annex2 }, { "knb_notice", filled_knb } };
    const struct test_world *t = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct form *f = form_of(state, rows[i].form);
        struct form_values vs, again;
        AUTO_ARENA struct arena a;
        AUTO_BUF struct buf one;
        AUTO_BUF struct buf two;
        struct err e = { 0 };

        arena_init(&a, 0);
        buf_init(&one, 0);
        buf_init(&two, 0);
        CHECK(rows[i].form, forms_values_read(&t->w, f, str_c(rows[i].json), &a, &vs, &e) == 0);
        forms_values_write(&t->w, f, &vs, &one);
        CHECK(rows[i].form, forms_values_read(&t->w, f, buf_view(&one), &a, &again, &e) == 0);
        forms_values_write(&t->w, f, &again, &two);
        CHECK(rows[i].form, str_eq(buf_view(&one), buf_view(&two)) && again.count == vs.count);
    }
}

static void cut_json_is_refused(void **state)
{
    const struct test_world *t = *state;
    const struct form *f = form_of(state, "annex7");
    size_t n = strlen(filled_annex7);

    for (size_t cut = 0; cut < n; cut++) {
        char *copy = malloc(cut + 1);
        struct form_values vs;
        AUTO_ARENA struct arena a;

        arena_init(&a, 0);
        assert_non_null(copy);
        memcpy(copy, filled_annex7, cut);
        assert_int_equal(forms_values_read(&t->w, f, str_of(copy, cut), &a, &vs, NULL), -EBADMSG);
        free(copy);
    }
}

/* The least that a notice needs: the fields that Annex 7 asks for without condition, and not the source address. */
static void an_address_that_the_log_lacks_blocks_nothing(void **state)
{
    const struct form *f = form_of(state, "annex7");
    const struct form_field *missing[32];
    struct form_values vs = { .count = 0 };

    assert_int_equal(forms_missing(f, &vs, missing, COUNT(missing)), 7);
    for (size_t i = 0; i < 7; i++)
        assert_true(missing[i]->presence == FIELD_REQUIRED);
    form_set_instant(&vs, STR("registered_on"), 0);
    form_set_instant(&vs, STR("detected_at"), 0);
    form_set_text(&vs, STR("device_name"), STR("host"));
    form_set_text(&vs, STR("event_name"), STR("brute force"));
    form_set_text(&vs, STR("registration_kind"), STR("first"));
    form_set_text(&vs, STR("owner_or_possessor"), STR("owner"));
    form_set_text(&vs, STR("object"), STR("  "));
    assert_int_equal(forms_missing(f, &vs, missing, COUNT(missing)), 1); /* blanks are no answer */
    assert_true(str_eq(missing[0]->id, STR("object")));
    form_set_text(&vs, STR("object"), STR("object"));
    assert_int_equal(forms_missing(f, &vs, missing, COUNT(missing)), 0);
    form_set_no_data(&vs, STR("source_ip"));
    assert_int_equal(forms_missing(f, &vs, missing, COUNT(missing)), 0);
    form_set_no_data(&vs, STR("device_name"));
    assert_int_equal(forms_missing(f, &vs, missing, COUNT(missing)), 1);
}

static void hostile_text_is_made_visible(void **state)
{
    static const struct {
        const char *name;
        struct str  in;
        const char *want;
    } rows[] = {
        { "plain words stay", STR_INIT("Құпиясөз: ҒҮҰҚӨҺІ"), "Құпиясөз: ҒҮҰҚӨҺІ" },
        { "markup is only text", STR_INIT("<b>x</b> &amp;"), "<b>x</b> &amp;" },
        { "terminal escapes", STR_INIT("\033[31mred\007"), "\\x1b[31mred\\x07" },
        { "a NUL", STR_INIT("a\0b"), "a\\x00b" },
        { "bytes that are not UTF-8", STR_INIT("\xff\xc0\xafx"), "\\xff\\xc0\\xafx" },
        { "a torn character at the end", STR_INIT("Қ\xd2"), "Қ\\xd2" },
        { "a surrogate", STR_INIT("\xed\xa0\x80"), "\\xed\\xa0\\x80" },
        { "the override that turns exe.jpg", STR_INIT("a\u202egpj.exe"), "a<U+202E>gpj.exe" },
        { "isolates and marks", STR_INIT("\u2066x\u2069\u200f\u061c"), "<U+2066>x<U+2069><U+200F><U+061C>" },
        { "zero width", STR_INIT("ad\u200bmin\ufeff"), "ad<U+200B>min<U+FEFF>" },
        { "soft hyphen", STR_INIT("a\u00adb"), "a<U+00AD>b" },
        { "a tower of marks", STR_INIT("A\u0301\u0301\u0301\u0301\u0301\u0301"),
          "A\u0301\u0301\u0301\u0301<U+0301><U+0301>" },
        { "lines of Windows", STR_INIT("a\r\nb\rc"), "a\nb\\x0dc" },
        { "a tab", STR_INIT("a\tb"), "a    b" },
        { "a line separator", STR_INIT("a\u2028b"), "a<U+2028>b" },
        { "private and unassigned planes", STR_INIT("\ue000\U000e0041"), "<U+E000><U+E0041>" },
        { "past the last character", STR_INIT("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80" },
    };
    AUTO_ARENA struct arena a;

    (void)state;
    arena_init(&a, 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        bool cut = true;
        struct str got = forms_safe_text(rows[i].in, &cut, &a);

        if (cut || !str_eq(got, str_c(rows[i].want)))
            fail_msg("row \"%s\": \"%.*s\"", rows[i].name, STR_ARG(got));
        CHECK(rows[i].name, str_utf8_valid(got));
    }
}

static void long_text_is_cut(void **state)
{
    static char many[FORM_TEXT_MAX * 4];
    AUTO_ARENA struct arena a;
    bool cut = false;
    struct str got;

    (void)state;
    arena_init(&a, 0);
    memset(many, 'x', sizeof many);
    got = forms_safe_text(str_of(many, sizeof many), &cut, &a);
    assert_true(cut && got.n == FORM_TEXT_MAX);
    got = forms_safe_text(str_of(many, FORM_TEXT_MAX), &cut, &a);
    assert_true(!cut && got.n == FORM_TEXT_MAX);
    memset(many, '\n', sizeof many);
    got = forms_safe_text(str_of(many, sizeof many), &cut, &a);
    assert_true(cut && got.n == FORM_LINES_MAX);
}

static void a_full_set_says_no(void **state)
{
    static char names[FORM_VALUES_MAX + 1][8];
    struct form_values vs = { .count = 0 };

    (void)state;
    for (size_t i = 0; i <= FORM_VALUES_MAX; i++) {
        snprintf(names[i], sizeof names[i], "f%zu", i);
        assert_true(form_set_text(&vs, str_c(names[i]), STR("x")) == (i < FORM_VALUES_MAX));
    }
    assert_true(form_set_text(&vs, STR("f0"), STR("y"))); /* replacing needs no room */
    assert_int_equal(vs.count, FORM_VALUES_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_values_are_read),
        cmocka_unit_test(one_value_may_stand_for_a_list),
        cmocka_unit_test(bad_values_name_their_field),
        cmocka_unit_test(what_is_written_is_read_again),
        cmocka_unit_test(cut_json_is_refused),
        { .name = "R-A7-04 an address that the log lacks blocks nothing (Q-64)",
          .test_func = an_address_that_the_log_lacks_blocks_nothing },
        cmocka_unit_test(hostile_text_is_made_visible),
        cmocka_unit_test(long_text_is_cut),
        cmocka_unit_test(a_full_set_says_no),
    };

    return cmocka_run_group_tests_name("form values", tests, test_world_open, test_world_close);
}
