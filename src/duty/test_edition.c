/* test_edition.c - the edition as shipped, against the catalogue's counts and the Kazakh text of the Rules; and
 * broken editions, refused with their place. */
#include "duty/test_world.h"
#include "base/file.h"

#include <sys/stat.h>

static struct test_world *open_state(void **state)
{
    return *state;
}

static void counts_are_those_of_the_catalogue(void **state)
{
    const struct edition *ed = open_state(state)->w.edition;
    size_t limits = 0, frequencies = 0;

    for (size_t i = 0; i < ed->obligation_count; i++) {
        limits += str_starts(ed->obligations[i].id, STR("D-"));
        frequencies += str_starts(ed->obligations[i].id, STR("F-"));
    }
    assert_int_equal(limits, 31);
    assert_int_equal(frequencies, 6);
    assert_int_equal(ed->event_type_count, 48);
    assert_int_equal(ed->log_field_count, 29);
    assert_int_equal(edition_form(ed, STR("annex1"))->field_count, 12);
    assert_int_equal(edition_form(ed, STR("annex2"))->field_count, 16);
    assert_int_equal(edition_form(ed, STR("annex7"))->field_count, 16);
    assert_false(edition_form(ed, STR("knb_notice"))->prescribed);
    assert_false(edition_form(ed, STR("event_analysis"))->prescribed);
    assert_int_equal(edition_enumeration(ed, STR("incident_type"))->count, 10);
    assert_true(enumeration_value(edition_enumeration(ed, STR("consequences")), STR("none"))->exclusive);
    assert_int_equal(enumeration_value(edition_enumeration(ed, STR("level")), STR("high"))->number, 4);
    assert_null(edition_obligation(ed, STR("D-32")));
    assert_null(edition_form(ed, STR("annex9")));
    assert_true(str_eq(edition_term(ed, STR("business_day"))->name.text[LANG_KK], STR("жұмыс күні")));
}

static void frequencies_split_into_main_and_control(void **state)
{
    static const struct {
        const char *id;
        int32_t     amount, main, control;
    } rows[] = { { "F-01", 8, 4, 4 }, { "F-02", 2, 1, 1 }, { "F-03", 4, 2, 2 }, { "F-04", 2, 1, 1 },
                 { "F-05", 4, 0, 0 }, { "F-06", 4, 0, 0 } };
    const struct edition *ed = open_state(state)->w.edition;

    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct obligation *o = edition_obligation(ed, str_c(rows[i].id));

        CHECK(rows[i].id, o && o->unit == DUTY_PER_YEAR && o->amount == rows[i].amount);
        CHECK(rows[i].id, o->main_count == rows[i].main && o->control_count == rows[i].control);
    }
}

/* The careless readings of requirements 9.3. */
static void clocks_start_where_the_rules_say(void **state)
{
    static const struct {
        const char *id, *from, *form, *late;
    } rows[] = {
        { "D-05", "detected_at", "annex7", "" },  { "D-08", "confirmed_at", "", "" },
        { "D-06", "confirmed_at", "", "notify_knb" }, { "D-10", "notified_at", "event_analysis", "" },
        { "D-11", "notified_at", "annex2", "" },  { "D-09", "confirmed_at", "annex2", "" },
        { "D-15", "first_detected_on", "", "" },  { "D-31", "confirmed_at", "", "" },
    };
    const struct edition *ed = open_state(state)->w.edition;
    size_t late = 0;

    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct obligation *o = edition_obligation(ed, str_c(rows[i].id));

        CHECK(rows[i].id, str_eq(o->from->id, str_c(rows[i].from)));
        CHECK(rows[i].id, str_eq(o->form, str_c(rows[i].form)));
        CHECK(rows[i].id, str_eq(o->on_late, str_c(rows[i].late)));
    }
    for (size_t i = 0; i < ed->obligation_count; i++)
        late += ed->obligations[i].on_late.n > 0;
    assert_int_equal(late, 1); /* only D-06 has a lawful consequence */
}

/* squeeze - text without blanks: the page layout of the seed breaks lines anywhere. */
static void squeeze(struct buf *out, struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!strchr(" \t\r\n\f", s.p[i]) || s.p[i] == 0)
            buf_byte(out, s.p[i]);
}

struct seed {
    struct buf rules;
    bool       there;
};

static bool in_rules(const struct seed *s, struct str label)
{
    AUTO_BUF struct buf b;

    buf_init(&b, MIB);
    squeeze(&b, label);
    return str_find(buf_view(&s->rules), buf_view(&b)) >= 0;
}

static void want_in_rules(const struct seed *s, struct str label)
{
    if (!in_rules(s, label))
        fail_msg("not in the Rules: \"%.*s\"", STR_ARG(label));
}

static struct seed open_seed(void)
{
    const char *shared = getenv("SAQSHY_SHARED");
    struct seed s = { .there = false };
    AUTO_BUF struct buf text;
    char path[4096];

    buf_init(&text, MIB);
    buf_init(&s.rules, MIB);
    snprintf(path, sizeof path, "%s/spec/rules-kk.txt", shared ? shared : "../shared");
    s.there = file_read(path, MIB, &text, NULL) == 0;
    squeeze(&s.rules, buf_view(&text));
    return s;
}

/* Labels equal the official Kazakh text letter by letter, but for the layout's line breaks. */
static void kazakh_labels_are_those_of_the_rules(void **state)
{
    static const char *const enums[] = { "level", "incident_type", "scale", "sign", "contour", "consequences",
                                         "recurrence", "registration_kind", "object_criticality" };
    const struct edition *ed = open_state(state)->w.edition;
    struct seed s = open_seed();

    if (!s.there)
        skip();
    for (size_t i = 0; i < ed->form_count; i++) {
        const struct form *f = &ed->forms[i];

        if (!f->prescribed)
            continue;
        want_in_rules(&s, f->title.text[LANG_KK]);
        for (size_t k = 0; k < f->field_count; k++) {
            want_in_rules(&s, f->fields[k].label.text[LANG_KK]);
            if (f->fields[k].hint.text[LANG_KK].n)
                want_in_rules(&s, f->fields[k].hint.text[LANG_KK]);
        }
        for (size_t k = 0; k < f->table_count; k++)
            for (size_t c = 0; c < f->tables[k].row_count * f->tables[k].column_count; c++)
                want_in_rules(&s, f->tables[k].cells[c].text[LANG_KK]);
        for (size_t k = 0; k < f->note_count; k++)
            want_in_rules(&s, f->notes[k].text[LANG_KK]);
    }
    for (size_t i = 0; i < COUNT(enums); i++) {
        const struct enumeration *en = edition_enumeration(ed, str_c(enums[i]));

        for (size_t k = 0; k < en->count; k++)
            want_in_rules(&s, en->values[k].name.text[LANG_KK]);
    }
    for (size_t i = 0; i < ed->event_type_count; i++)
        want_in_rules(&s, ed->event_types[i].label.text[LANG_KK]);
    for (size_t i = 0; i < ed->log_field_count; i++)
        want_in_rules(&s, ed->log_fields[i].label.text[LANG_KK]);
    buf_free(&s.rules);
}

/* what machines read is ASCII, whatever the official text hides in its Latin words. */
static void ids_hold_no_cyrillic(void **state)
{
    const struct edition *ed = open_state(state)->w.edition;

    for (size_t i = 0; i < ed->event_type_count; i++) {
        const struct event_type *t = &ed->event_types[i];

        for (size_t k = 0; k < t->id.n; k++)
            assert_true((unsigned char)t->id.p[k] < 0x80);
        for (size_t k = 0; k < t->event_id_count; k++)
            for (size_t b = 0; b < t->event_ids[k].n; b++)
                assert_true((unsigned char)t->event_ids[k].p[b] < 0x80);
    }
}

/* A copy of the edition with one file changed by one replacement. */
struct broken {
    const char *name, *file, *from, *to, *want;
};
static const struct broken broken[] = {
    { "an unknown key", "obligations.yaml", "    fulfilled_by: notified_at\n", "    fullfilled_by: notified_at\n",
      "fullfilled_by" },
    { "an unknown unit", "obligations.yaml", "unit: minutes", "unit: minuets", "must be one of: minutes, hours" },
    { "an unknown actor", "obligations.yaml", "by: [sts]", "by: [stz]", "no actor \"stz\"" },
    { "an unknown start", "obligations.yaml", "from: confirmed_at", "from: confirmed", "no start \"confirmed\"" },
    { "an unknown form", "obligations.yaml", "form: annex7", "form: annex8", "no form \"annex8\"" },
    { "an amount of nothing", "obligations.yaml", "amount: 30", "amount: 0", "must be above zero" },
    { "a doubled id", "obligations.yaml", "id: D-02", "id: D-01", "stands twice" },
    { "a label without a language", "forms.yaml", "      ru: 'Перечень", "      de: 'Перечень", "\"de\"" },
    { "an empty label", "enumerations.yaml", "ru: 'Спам'", "ru: ''", "is empty" },
    { "an unknown type", "forms.yaml", "type: instant", "type: moment", "must be one of: group, text" },
    { "an unknown enumeration", "forms.yaml", "values: sign", "values: sings", "no enumeration \"sings\"" },
    { "a missing title", "forms.yaml", "    title:\n", "    titel:\n", "titel" },
    { "a broken date", "edition.yaml", "'2025-04-23'", "'2025-13-23'", "must be a date" },
    { "an unknown class", "event_types.yaml", "class: os", "class: so", "must be one of: os, ux" },
    { "a doubled term", "terms.yaml", "id: owner\n", "id: possessor\n", "line" },
};

static void copy_edition(const struct broken *b, const char *folder)
{
    static const char *const files[] = { "edition.yaml", "terms.yaml", "enumerations.yaml", "forms.yaml",
                                         "obligations.yaml", "event_types.yaml" };

    for (size_t i = 0; i < COUNT(files); i++) {
        AUTO_BUF struct buf in;
        AUTO_BUF struct buf out;
        char path[4096], tail[256];
        struct str rest;

        buf_init(&in, MIB);
        buf_init(&out, MIB);
        snprintf(tail, sizeof tail, "content/editions/kz-52-2025/%s", files[i]);
        assert_int_equal(file_read(test_source(tail, path), MIB, &in, NULL), 0);
        rest = buf_view(&in);
        if (!strcmp(files[i], b->file)) {
            ptrdiff_t at = str_find(rest, str_c(b->from));

            CHECK(b->name, at >= 0);
            buf_put(&out, rest.p, (size_t)at);
            buf_str(&out, str_c(b->to));
            rest = str_cut(rest, (size_t)at + strlen(b->from));
        }
        buf_str(&out, rest);
        snprintf(path, sizeof path, "%s/%s", folder, files[i]);
        assert_int_equal(file_write_atomic(path, buf_view(&out), 0600, NULL), 0);
    }
}

static void remove_edition(const char *folder)
{
    static const char *const files[] = { "edition.yaml", "terms.yaml", "enumerations.yaml", "forms.yaml",
                                         "obligations.yaml", "event_types.yaml" };
    char path[4096];

    for (size_t i = 0; i < COUNT(files); i++) {
        snprintf(path, sizeof path, "%s/%s", folder, files[i]);
        unlink(path);
    }
    rmdir(folder);
}

static void broken_editions_tell_their_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(broken); i++) {
        char folder[] = "/tmp/saqshy-edition-XXXXXX";
        struct edition *ed;
        struct err e = { 0 };
        const char *colon;

        assert_non_null(mkdtemp(folder));
        copy_edition(&broken[i], folder);
        CHECK(broken[i].name, edition_load(folder, &ed, &e) == -EBADMSG && !ed);
        remove_edition(folder);
        colon = strstr(e.text, broken[i].file);
        if (!colon || colon[strlen(broken[i].file)] != ':')
            fail_msg("row \"%s\": no place in \"%s\"", broken[i].name, e.text);
        if (strcmp(broken[i].want, "line") && !strstr(e.text, broken[i].want))
            fail_msg("row \"%s\": \"%s\" does not say \"%s\"", broken[i].name, e.text, broken[i].want);
    }
}

static void a_missing_edition_is_told(void **state)
{
    struct edition *ed;
    struct duty_world w;
    struct err e;
    char path[4096];

    (void)state;
    assert_true(edition_load("/nonexistent", &ed, &e) < 0 && !ed);
    assert_non_null(strstr(e.text, "edition.yaml"));
    assert_int_equal(duty_world_load(test_source("content", path), "../../etc", "Asia/Almaty", &w, &e), -EINVAL);
    assert_true(duty_world_load(test_source("content", path), "kz-1-1999", "Asia/Almaty", &w, &e) < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_are_those_of_the_catalogue),
        { .name = "F-01 F-02 F-03 F-04 F-05 F-06 counts a year, main and control",
          .test_func = frequencies_split_into_main_and_control },
        cmocka_unit_test(clocks_start_where_the_rules_say),
        cmocka_unit_test(kazakh_labels_are_those_of_the_rules),
        cmocka_unit_test(ids_hold_no_cyrillic),
        cmocka_unit_test(broken_editions_tell_their_place),
        cmocka_unit_test(a_missing_edition_is_told),
    };

    return cmocka_run_group_tests_name("edition", tests, test_world_open, test_world_close);
}
