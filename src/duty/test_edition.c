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
        { "D-05", "detected_at", "annex7", "" },  { "D-08", "confirmed_at", "incident_notice", "" },
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
    { "an unknown key", "obligations.yaml", "    fulfilled_by: [notified_at]\n", "    fullfilled_by: [notified_at]\n",
      "fullfilled_by" },
    { "no fact that fulfils", "obligations.yaml", "    fulfilled_by: [notified_at]\n", "", "\"fulfilled_by\" is missing" },
    { "a fact twice", "obligations.yaml", "[causes_eliminated_at, consequences_eliminated_at]",
      "[causes_eliminated_at, causes_eliminated_at]", "stands twice" },
    { "two channels and three facts", "obligations.yaml", "[commission_paper_at, ", "[commission_other_at, commission_paper_at, ",
      "as many channels" },
    { "an unknown work type", "obligations.yaml", "work: [protection]", "work: [protecting]", "\"protecting\" is no word" },
    { "an unknown channel", "obligations.yaml", "channels: [paper,", "channels: [papers,", "\"papers\" is no word" },
    { "no chapter", "obligations.yaml", "    chapters: [2]\n", "    chapters: []\n", "\"chapters\" is missing" },
    { "a parallel count that is none", "obligations.yaml", "parallel: [D-06]", "parallel: [D-66]", "no earlier obligation \"D-66\"" },
    { "halves that are no whole", "obligations.yaml", "main: 4", "main: 5", "together must be" },
    { "an amount where there is no term", "obligations.yaml", "amount: 0", "amount: 1", "0 only for none" },
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

/* --- more than one edition --- */

static void copy_file(const char *tail, const char *target, const char *from, const char *to)
{
    AUTO_BUF struct buf in;
    AUTO_BUF struct buf out;
    char path[4096];
    struct str rest;
    ptrdiff_t at;

    buf_init(&in, MIB);
    buf_init(&out, MIB);
    assert_int_equal(file_read(test_source(tail, path), MIB, &in, NULL), 0);
    rest = buf_view(&in);
    at = from ? str_find(rest, str_c(from)) : -1;
    if (from) {
        assert_true(at >= 0);
        buf_put(&out, rest.p, (size_t)at);
        buf_str(&out, str_c(to));
        rest = str_cut(rest, (size_t)at + strlen(from));
    }
    buf_str(&out, rest);
    assert_int_equal(file_write_atomic(target, buf_view(&out), 0600, NULL), 0);
}

/* A content folder with two editions: the shipped one, and a later one that gives D-05 twenty minutes and is in force from 2026-06-01. */
struct two {
    char folder[64];
    struct duty_world w;
};

static void folder_make(const char *root, const char *tail)
{
    char path[4096];

    snprintf(path, sizeof path, "%.64s/%.128s", root, tail);
    assert_int_equal(mkdir(path, 0700), 0);
}

static void edition_put(const char *root, const char *id, const char *file, const char *from, const char *to)
{
    struct broken b = { id, file, from, to, "" };
    char path[256];

    snprintf(path, sizeof path, "editions/%.64s", id);
    folder_make(root, path);
    snprintf(path, sizeof path, "%.64s/editions/%.64s", root, id);
    copy_edition(&b, path);
}

static void edition_change(const char *root, const char *id, const char *file, const char *from, const char *to)
{
    AUTO_BUF struct buf in;
    AUTO_BUF struct buf out;
    char path[256];
    ptrdiff_t at;

    buf_init(&in, MIB);
    buf_init(&out, MIB);
    snprintf(path, sizeof path, "%.64s/editions/%.64s/%.64s", root, id, file);
    assert_int_equal(file_read(path, MIB, &in, NULL), 0);
    at = str_find(buf_view(&in), str_c(from));
    assert_true(at >= 0);
    buf_put(&out, in.p, (size_t)at);
    buf_str(&out, str_c(to));
    buf_str(&out, str_cut(buf_view(&in), (size_t)at + strlen(from)));
    assert_int_equal(file_write_atomic(path, buf_view(&out), 0600, NULL), 0);
}

static void two_make(struct two *t)
{
    char path[4096];

    snprintf(t->folder, sizeof t->folder, "/tmp/saqshy-editions-XXXXXX");
    assert_non_null(mkdtemp(t->folder));
    folder_make(t->folder, "editions");
    folder_make(t->folder, "calendars");
    folder_make(t->folder, "policy");
    edition_put(t->folder, "kz-52-2025", "", "", "");
    edition_put(t->folder, "kz-52-2026", "edition.yaml", "id: kz-52-2025", "id: kz-52-2026");
    edition_change(t->folder, "kz-52-2026", "edition.yaml", "effective_from: ''", "effective_from: '2026-06-01'");
    edition_change(t->folder, "kz-52-2026", "obligations.yaml", "amount: 30", "amount: 20");
    snprintf(path, sizeof path, "%s/calendars/kz.yaml", t->folder);
    copy_file("content/calendars/kz.yaml", path, NULL, NULL);
    snprintf(path, sizeof path, "%s/policy/targets.yaml", t->folder);
    copy_file("content/policy/targets.yaml", path, NULL, NULL);
}

static void two_remove(struct two *t)
{
    static const char *const tails[] = { "calendars/kz.yaml", "policy/targets.yaml", "calendars", "policy", "editions" };
    char path[4096];

    duty_world_free(&t->w);
    snprintf(path, sizeof path, "%s/editions/kz-52-2025", t->folder);
    remove_edition(path);
    snprintf(path, sizeof path, "%s/editions/kz-52-2026", t->folder);
    remove_edition(path);
    for (size_t i = 0; i < COUNT(tails); i++) {
        snprintf(path, sizeof path, "%s/%s", t->folder, tails[i]);
        (void)remove(path);
    }
    rmdir(t->folder);
}

static void old_cases_keep_their_edition(void **state)
{
    struct duty_start s = { .at = (time_ns)1774032600 * NS_PER_SECOND }; /* 2026-03-20T23:50+05:00 */
    const struct edition *before, *after;
    struct duty_result r;
    struct two t = { { 0 }, { 0 } };
    struct err e = { 0 };

    (void)state;
    two_make(&t);
    if (duty_world_load(t.folder, "kz-52-2025", "Asia/Almaty", &t.w, &e) < 0)
        fail_msg("%s", e.text);
    assert_int_equal(t.w.edition_count, 2);
    before = duty_edition_at(&t.w, s.at);
    after = duty_edition_at(&t.w, s.at + 90 * NS_PER_DAY);
    assert_true(str_eq(before->id, STR("kz-52-2025")) && str_eq(after->id, STR("kz-52-2026")));
    /* The last second of 31 May is of the old one, the first of 1 June of the new one, in local time. */
    assert_ptr_equal(duty_edition_at(&t.w, (time_ns)1780253999 * NS_PER_SECOND), before);
    assert_ptr_equal(duty_edition_at(&t.w, (time_ns)1780254000 * NS_PER_SECOND), after);
    /* Years later a row of the old edition is still counted by it, and says so. */
    assert_int_equal(duty_due(&t.w, edition_obligation(duty_edition(&t.w, STR("kz-52-2025")), STR("D-05")), s, &r, &e), 0);
    assert_true(r.due == s.at + 30 * NS_PER_MINUTE && str_eq(r.obligation->edition, STR("kz-52-2025")));
    assert_int_equal(duty_due(&t.w, edition_obligation(duty_edition(&t.w, STR("kz-52-2026")), STR("D-05")), s, &r, &e), 0);
    assert_true(r.due == s.at + 20 * NS_PER_MINUTE && str_eq(r.obligation->edition, STR("kz-52-2026")));
    assert_null(duty_edition(&t.w, STR("kz-52-1999")));
    duty_world_free(&t.w);
    /* A folder that is not called as its edition is refused, and so is the whole set when one of it is broken. */
    edition_change(t.folder, "kz-52-2026", "edition.yaml", "id: kz-52-2026", "id: kz-52-2027");
    assert_int_equal(duty_world_load(t.folder, "kz-52-2025", "Asia/Almaty", &t.w, &e), -EBADMSG);
    assert_non_null(strstr(e.text, "must have its id as a name"));
    edition_change(t.folder, "kz-52-2026", "obligations.yaml", "amount: 20", "amount: 0");
    assert_int_equal(duty_world_load(t.folder, "kz-52-2025", "Asia/Almaty", &t.w, &e), -EBADMSG);
    assert_non_null(strstr(e.text, "kz-52-2026/obligations.yaml:"));
    two_remove(&t);
}

/* The date in force of the shipped edition is not known to us; nothing may guess one. */
static void an_edition_without_a_date_is_taken_by_its_name(void **state)
{
    const struct duty_world *w = &open_state(state)->w;

    assert_true(w->edition->effective_from.n == 0);
    assert_ptr_equal(duty_edition_at(w, 0), w->edition);
    assert_ptr_equal(duty_edition_at(w, (time_ns)4000000000 * NS_PER_SECOND), w->edition);
}

/* --- internal days --- */

static void targets_are_for_what_has_no_term(void **state)
{
    static const struct {
        const char *name, *to, *want;
    } wrong[] = {
        { "a term of the Rules", "obligation: D-05", "has its term from the Rules" },
        { "a frequency", "obligation: F-01", "is a frequency" },
        { "nothing that exists", "obligation: D-77", "no edition has \"D-77\"" },
        { "twice", "obligation: N-07", "stands twice" },
    };
    struct two t = { { 0 }, { 0 } };
    struct err e;
    char path[4096];

    (void)state;
    two_make(&t);
    snprintf(path, sizeof path, "%s/policy/targets.yaml", t.folder);
    for (size_t i = 0; i < COUNT(wrong); i++) {
        copy_file("content/policy/targets.yaml", path, "obligation: D-20", wrong[i].to);
        CHECK(wrong[i].name, duty_world_load(t.folder, "kz-52-2025", "Asia/Almaty", &t.w, &e) == -EBADMSG);
        if (!strstr(e.text, wrong[i].want) || !strstr(e.text, "targets.yaml:1"))
            fail_msg("%s: \"%s\"", wrong[i].name, e.text);
    }
    copy_file("content/policy/targets.yaml", path, "unit: business_days", "unit: hours");
    assert_int_equal(duty_world_load(t.folder, "kz-52-2025", "Asia/Almaty", &t.w, &e), -EBADMSG);
    assert_non_null(strstr(e.text, "days after the end of the quarter"));
    two_remove(&t);
}

static void a_quarter_has_no_lawful_day(void **state)
{
    const struct test_world *t = open_state(state);
    const struct obligation *o = edition_obligation(t->w.edition, STR("D-19"));
    struct duty_start s = { .at = (time_ns)1774032600 * NS_PER_SECOND };
    struct duty_world bare = t->w;
    struct duty_result r;
    AUTO_BUF struct buf b;

    buf_init(&b, 0);
    assert_false(obligation_lawful(o));
    assert_int_equal(duty_due(&t->w, o, s, &r, NULL), 0);
    assert_true(r.basis == DUTY_TARGET && r.due > 0);
    duty_json(&t->w, &r, t->c, LANG_EN, &b);
    assert_true(str_find(buf_view(&b), STR("\"basis\":\"target\"")) > 0);
    assert_true(str_find(buf_view(&b), STR("not set by law")) > 0);
    bare.targets = NULL;
    assert_int_equal(duty_due(&bare, o, s, &r, NULL), 0);
    assert_true(r.basis == DUTY_OPEN && r.due == 0 && r.nominal == 0);
    buf_reset(&b);
    duty_json(&bare, &r, t->c, LANG_EN, &b);
    assert_true(str_find(buf_view(&b), STR("\"due\":null,\"nominal\":null")) > 0);
    assert_true(str_find(buf_view(&b), STR("31.03.2026")) > 0); /* the end of the quarter is still told */
}

/* 5.2 and Q-15: counts a year, and the share of a year for an object that came later. */
static void frequencies_are_planned(void **state)
{
    static const struct {
        const char *id;
        int         month, day;
        int32_t     main, control;
    } rows[] = {
        { "F-01", 1, 1, 4, 4 }, { "F-01", 7, 2, 2, 2 }, { "F-01", 12, 31, 0, 0 }, { "F-02", 1, 1, 1, 1 }, { "F-02", 6, 30, 1, 1 },
        { "F-02", 7, 3, 0, 0 }, { "F-03", 4, 1, 2, 2 }, { "F-03", 10, 1, 1, 1 }, { "F-04", 1, 1, 1, 1 }, { "F-05", 1, 1, 0, 0 },
        { "F-06", 8, 1, 0, 0 },
    };
    const struct test_world *t = open_state(state);
    struct duty_result r;
    AUTO_ARENA struct arena a;

    arena_init(&a, 4 * MIB);
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct obligation *o = edition_obligation(t->w.edition, str_c(rows[i].id));

        CHECK(rows[i].id, duty_plan(&t->w, o, 2026, civil_days(2026, rows[i].month, rows[i].day), &r, NULL) == 0);
        CHECK(rows[i].id, r.basis == DUTY_FREQUENCY && r.main == rows[i].main && r.control == rows[i].control);
        for (enum lang l = 0; l < LANG_COUNT; l++)
            for (size_t k = 0; k < r.step_count; k++) {
                struct str text = duty_step_text(&t->w, &r, k, t->c, l, &a);

                CHECK(rows[i].id, text.n > 0 && str_chr(text, '{') < 0 && str_find(text, STR("duty.")) < 0);
            }
        CHECK(rows[i].id, duty_due(&t->w, o, (struct duty_start){ .at = 0 }, &r, NULL) == -ENOTSUP);
    }
    assert_int_equal(duty_plan(&t->w, edition_obligation(t->w.edition, STR("F-06")), 2026, civil_days(2026, 8, 1), &r, NULL), 0);
    assert_true(str_eq(duty_step_text(&t->w, &r, 1, t->c, LANG_EN, &a), STR("Last days of the quarters: 30.09.2026; 31.12.2026")));
    assert_int_equal(duty_plan(&t->w, edition_obligation(t->w.edition, STR("D-05")), 2026, 0, &r, NULL), -ENOTSUP);
    assert_int_equal(duty_plan(&t->w, edition_obligation(t->w.edition, STR("F-01")), 2026, civil_days(2027, 1, 1), &r, NULL), -ERANGE);
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
        cmocka_unit_test(old_cases_keep_their_edition),
        cmocka_unit_test(an_edition_without_a_date_is_taken_by_its_name),
        cmocka_unit_test(targets_are_for_what_has_no_term),
        { .name = "D-19 D-20 have no lawful day: an internal one of policy, or none", .test_func = a_quarter_has_no_lawful_day },
        { .name = "F-01 F-02 F-03 F-04 F-05 F-06 are planned for a year, and by its share for an object that came later",
          .test_func = frequencies_are_planned },
    };

    return cmocka_run_group_tests_name("edition", tests, test_world_open, test_world_close);
}
