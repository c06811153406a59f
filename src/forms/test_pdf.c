/* test_pdf.c - the printed forms, read back with pdftotext: each row of the annexes with its label, number and value,
 * in Kazakh and in Russian, in order. */
#include "duty/test_world.h"
#include "forms/internal.h"
#include "forms/test_filled.h"
#include "base/file.h"

#define TESTS_MAX 256

static struct test_world world;
static bool have_pdftotext;

static void squeeze(struct buf *out, struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] == 0 || !strchr(" \t\r\n\f", s.p[i]))
            buf_byte(out, s.p[i]);
}

static struct form_document document(const char *form, struct form_values *vs, enum lang lang)
{
    return (struct form_document){ .world = &world.w,
                                   .catalog = world.c,
                                   .form = edition_form(world.w.edition, str_c(form)),
                                   .values = vs,
                                   .case_number = STR("2026-000123"),
                                   .produced_at = INT64_C(1774032900) * NS_PER_SECOND,
                                   .langs = { lang },
                                   .lang_count = 1 };
}

/* read_back - the text of a PDF without blanks, in drawing order. */
static void read_back(struct str pdf, struct buf *out)
{
    char path[] = "/tmp/saqshy-form-XXXXXX", command[128], block[4096];
    int fd = mkstemp(path);
    FILE *p;
    size_t n;

    assert_true(fd >= 0);
    assert_int_equal(file_write_all(fd, pdf, NULL), 0);
    close(fd);
    snprintf(command, sizeof command, "pdftotext -raw -enc UTF-8 %s -", path);
    p = popen(command, "r");
    assert_non_null(p);
    while ((n = fread(block, 1, sizeof block, p)) > 0)
        squeeze(out, str_of(block, n));
    assert_int_equal(pclose(p), 0);
    unlink(path);
}

static void print_form(const struct form_document *d, struct buf *text)
{
    AUTO_BUF struct buf pdf;
    struct err e = { 0 };

    buf_init(&pdf, 0);
    buf_init(text, 0);
    if (forms_render_pdf(d, &pdf, &e) < 0)
        fail_msg("%s", e.text);
    read_back(buf_view(&pdf), text);
}

/* find_after - the place behind what, searched from at on; what is squeezed first. -1 if it is not there. */
static ptrdiff_t find_after(const struct buf *text, size_t at, struct str what)
{
    AUTO_BUF struct buf b;
    ptrdiff_t found;

    buf_init(&b, 0);
    squeeze(&b, what);
    found = str_find(str_cut(buf_view(text), at), buf_view(&b));
    return found < 0 ? -1 : (ptrdiff_t)at + found + (ptrdiff_t)b.n;
}

static size_t squeezed_length(struct str s)
{
    AUTO_BUF struct buf b;

    buf_init(&b, 0);
    squeeze(&b, s);
    return b.n;
}

/* The annexes printed once each per language and filling, and kept: printing is the slow part. fill FILLED is the
 * filled example; fill k gives each enumeration field its k-th value. */
enum { FILLED = 10, FILLS };
static const char *const form_ids[] = { "annex7", "annex2", "annex1" };
static const char *const fillings[] = { filled_annex7, filled_annex2, filled_annex1 };
static struct buf printed[COUNT(form_ids)][LANG_COUNT][FILLS];

static void fill(struct form_values *vs, const struct form *f, int k)
{
    for (size_t i = 0; i < f->field_count; i++) {
        const struct form_field *x = &f->fields[i];

        if (x->type == FIELD_IOCS || !x->values || (size_t)k >= x->values->count)
            continue;
        if (x->type == FIELD_ENUMS)
            form_set_list(vs, x->id, &x->values->values[k].id, 1);
        else
            form_set_text(vs, x->id, x->values->values[k].id);
    }
}

static const struct buf *printed_form(int form, enum lang lang, int k)
{
    struct buf *text = &printed[form][lang][k];
    struct form_values vs = { .count = 0 };
    struct form_document d = document(form_ids[form], &vs, lang);
    AUTO_ARENA struct arena a;

    arena_init(&a, 0);
    if (text->n)
        return text;
    if (k == FILLED)
        assert_int_equal(forms_values_read(&world.w, d.form, str_c(fillings[form]), &a, &vs, NULL), 0);
    else
        fill(&vs, d.form, k);
    print_form(&d, text);
    return text;
}

/* One field of a form: its number, label and value follow each other. */
struct field_row {
    char   name[128];
    int    form;
    size_t index;
};

/* cells_follow - the header of a table and then every cell, row by row; a bound cell stands where its column is. */
static void cells_follow(const struct field_row *row, const struct buf *text, size_t at, const struct form_value *v, const struct form_document *d,
                         const struct form_field *f, enum lang lang)
{
    AUTO_ARENA struct arena a;
    ptrdiff_t found = (ptrdiff_t)at;

    arena_init(&a, 0);
    CHECK(row->name, v && v->kind == FORM_CELLS && v->count > 0);
    for (size_t k = 0; k < f->cell_count; k++)
        CHECK(row->name, find_after(text, at, f->cells[k].label.text[lang]) > 0);
    for (size_t i = 0; i < v->count; i++) {
        struct str first = form_cell_text(d, &f->cells[0], v->list[i * f->cell_count], lang, &a);

        found = find_after(text, (size_t)found, first);
        if (found < 0)
            fail_msg("row \"%s\": no row %zu", row->name, i);
    }
    for (size_t k = 0; k < v->count * f->cell_count; k++) {
        struct str rest = form_cell_text(d, &f->cells[k % f->cell_count], v->list[k], lang, &a), line;

        while (rest.n && str_split(&rest, '\n', &line))
            if (find_after(text, at, line) < 0)
                fail_msg("row \"%s\": no cell \"%.*s\"", row->name, STR_ARG(line));
    }
}

static void one_field_in(const struct field_row *row, enum lang lang)
{
    struct form_values vs;
    AUTO_ARENA struct arena a;
    struct form_document d = document(form_ids[row->form], &vs, lang);
    const struct form_field *f = &d.form->fields[row->index];
    const struct buf *text = printed_form(row->form, lang, FILLED);
    struct str head, value;
    ptrdiff_t at;

    arena_init(&a, 0);
    assert_int_equal(forms_values_read(&world.w, d.form, str_c(fillings[row->form]), &a, &vs, NULL), 0);
    head = arena_printf(&a, "%.*s %.*s", STR_ARG(f->number), STR_ARG(f->label.text[lang]));
    at = find_after(text, 0, head);
    if (at < 0)
        fail_msg("row \"%s\": no \"%.*s\"", row->name, STR_ARG(head));
    if (f->type == FIELD_GROUP || f->type == FIELD_ENUM || f->type == FIELD_ENUMS)
        return;
    if (f->type == FIELD_TABLE) {
        cells_follow(row, text, (size_t)at, form_value_find(&vs, f->id), &d, f, lang);
        return;
    }
    value = forms_value_text(&d, f, lang, &a);
    if (value.n && find_after(text, (size_t)at, value) != at + (ptrdiff_t)squeezed_length(value))
        fail_msg("row \"%s\": the value does not follow the label", row->name);
}

static void one_field(void **state)
{
    if (!have_pdftotext)
        skip();
    one_field_in(*state, LANG_KK);
    one_field_in(*state, LANG_RU);
}

/* One value of an enumeration: crossed when chosen, and the others offered. */
struct value_row {
    char                     name[128];
    int                      form, k;
    const struct form_field *field;
};

static void one_value(void **state)
{
    const struct value_row *row = *state;
    static const enum lang langs[] = { LANG_KK, LANG_RU };

    if (!have_pdftotext)
        skip();
    for (size_t i = 0; i < COUNT(langs); i++) {
        const struct buf *text = printed_form(row->form, langs[i], row->k);
        AUTO_ARENA struct arena a;

        arena_init(&a, 0);
        for (size_t k = 0; k < row->field->values->count; k++) {
            const struct enum_value *v = &row->field->values->values[k];
            struct str line = arena_printf(&a, "%s %.*s", (int)k == row->k ? "☒" : "☐", STR_ARG(v->name.text[langs[i]]));

            if (find_after(text, 0, line) < 0)
                fail_msg("row \"%s\": no \"%.*s\"", row->name, STR_ARG(line));
        }
    }
}

static void printed_tables_and_notes(void **state)
{
    static const enum lang langs[] = { LANG_KK, LANG_RU };

    (void)state;
    if (!have_pdftotext)
        skip();
    for (size_t i = 0; i < COUNT(langs); i++) {
        struct form_values vs = { .count = 0 };
        AUTO_BUF struct buf text;
        struct form_document d = document("annex2", &vs, langs[i]);
        const struct form_table *t = &d.form->tables[0];
        ptrdiff_t at = 0;

        print_form(&d, &text);
        for (size_t k = 0; k < t->row_count * t->column_count; k++)
            assert_true((at = find_after(&text, (size_t)at, t->cells[k].text[langs[i]])) > 0);
        for (size_t k = 0; k < d.form->note_count; k++)
            assert_true((at = find_after(&text, (size_t)at, d.form->notes[k].text[langs[i]])) > 0);
    }
}

/* Kazakh first, whole, then Russian; heading, mark and title as the annex prints them; the foot on each page. */
static void kazakh_then_russian(void **state)
{
    struct form_values vs;
    AUTO_ARENA struct arena a;
    AUTO_BUF struct buf text;
    struct form_document d = document("annex7", &vs, LANG_KK);
    ptrdiff_t at = 0;

    (void)state;
    if (!have_pdftotext)
        skip();
    arena_init(&a, 0);
    d.langs[1] = LANG_RU;
    d.lang_count = 2;
    assert_int_equal(forms_values_read(&world.w, d.form, str_c(filled_annex7), &a, &vs, NULL), 0);
    print_form(&d, &text);
    for (size_t i = 0; i < 2; i++) {
        enum lang l = d.langs[i];

        assert_true((at = find_after(&text, (size_t)at, d.form->heading.text[l])) > 0);
        assert_true((at = find_after(&text, (size_t)at, d.form->mark.text[l])) > 0);
        assert_true((at = find_after(&text, (size_t)at, d.form->title.text[l])) > 0);
        for (size_t k = 0; k < d.form->field_count; k++)
            assert_true((at = find_after(&text, (size_t)at, d.form->fields[k].label.text[l])) > 0);
        assert_true((at = find_after(&text, (size_t)at, d.form->extras[1].label.text[l])) > 0);
        assert_true((at = find_after(&text, (size_t)at, STR("2026-000123"))) > 0);
    }
    assert_true(find_after(&text, 0, STR("стр. 4 из 4")) > 0);
    assert_true(find_after(&text, 0, STR("1-бет, барлығы 4")) > 0);
}

static void our_own_forms_say_so(void **state)
{
    struct form_values vs;
    AUTO_ARENA struct arena a;
    AUTO_BUF struct buf text;
    struct form_document d = document("knb_notice", &vs, LANG_RU);

    (void)state;
    if (!have_pdftotext)
        skip();
    arena_init(&a, 0);
    assert_int_equal(forms_values_read(&world.w, d.form, str_c(filled_knb), &a, &vs, NULL), 0);
    print_form(&d, &text);
    assert_true(find_after(&text, 0, STR("Эта форма Правилами не установлена")) > 0);
    assert_true(find_after(&text, 0, STR("24.03.2026 01:05")) > 0);
}

static void an_absent_source_address_is_said(void **state)
{
    struct form_values vs = { .count = 0 };
    AUTO_BUF struct buf text;
    struct form_document d = document("annex7", &vs, LANG_KK);

    (void)state;
    if (!have_pdftotext)
        skip();
    print_form(&d, &text);
    assert_true(find_after(&text, 0, STR("Шығу орнының IP-мекенжайы ОТЖ-да деректер жоқ")) > 0);
}

static void the_same_document_has_the_same_bytes(void **state)
{
    struct form_values vs;
    AUTO_ARENA struct arena a;
    struct form_document d = document("annex7", &vs, LANG_KK);
    AUTO_BUF struct buf one;
    AUTO_BUF struct buf two;

    (void)state;
    arena_init(&a, 0);
    buf_init(&one, 0);
    buf_init(&two, 0);
    assert_int_equal(forms_values_read(&world.w, d.form, str_c(filled_annex7), &a, &vs, NULL), 0);
    assert_int_equal(forms_render_pdf(&d, &one, NULL), 0);
    assert_int_equal(forms_render_pdf(&d, &two, NULL), 0);
    assert_true(one.n > 10000 && str_starts(buf_view(&one), STR("%PDF-")) && str_eq(buf_view(&one), buf_view(&two)));
    d.produced_at += NS_PER_SECOND;
    buf_reset(&two);
    assert_int_equal(forms_render_pdf(&d, &two, NULL), 0);
    assert_false(str_eq(buf_view(&one), buf_view(&two)));
    buf_reset(&one);
    buf_reset(&two);
    assert_int_equal(forms_render_json(&d, &one, NULL), 0);
    assert_int_equal(forms_render_json(&d, &two, NULL), 0);
    assert_true(str_eq(buf_view(&one), buf_view(&two)));
}

/* Every field at its bound, in the worst letters: a document still comes out. */
static void full_fields_still_make_a_document(void **state)
{
    static char many[64 * KIB];
    struct form_values vs = { .count = 0 };
    struct form_document d = document("annex7", &vs, LANG_KK);
    AUTO_BUF struct buf pdf;
    struct err e = { 0 };

    (void)state;
    buf_init(&pdf, 0);
    for (size_t i = 0; i < sizeof many; i++)
        many[i] = i % 29 == 0 ? '\n' : (char)(0x01 + i % 200);
    for (size_t i = 0; i < d.form->field_count; i++)
        if (d.form->fields[i].type == FIELD_TEXT || d.form->fields[i].type == FIELD_IP)
            form_set_text(&vs, d.form->fields[i].id, str_of(many, sizeof many));
    d.case_number = str_of(many, sizeof many);
    if (forms_render_pdf(&d, &pdf, &e) < 0)
        fail_msg("%s", e.text);
    assert_true(pdf.n > 10000);
}

static void json_has_labels_values_and_texts(void **state)
{
    struct form_values vs;
    AUTO_ARENA struct arena a;
    AUTO_BUF struct buf b;
    struct form_document d = document("annex7", &vs, LANG_KK);

    (void)state;
    arena_init(&a, 0);
    buf_init(&b, 0);
    d.langs[1] = LANG_RU;
    d.lang_count = 2;
    assert_int_equal(forms_values_read(&world.w, d.form, str_c(filled_annex7), &a, &vs, NULL), 0);
    assert_int_equal(forms_render_json(&d, &b, NULL), 0);
    buf_byte(&b, 0);
    assert_non_null(strstr(b.p, "{\"form\":\"annex7\",\"identifier\":\"detection_notice\",\"prescribed\":true,\"annex\":7,"
                                "\"edition\":\"kz-52-2025\",\"case\":\"2026-000123\","
                                "\"produced_at\":\"2026-03-20T18:55:00Z\",\"title\":{\"kk\":\""));
    assert_non_null(strstr(b.p, "{\"number\":\"2.1\",\"id\":\"detected_at\",\"row\":\"R-A7-03\",\"type\":\"instant\","
                                "\"presence\":\"required\",\"label\":{\"kk\":\"Анықтау күні мен уақыты\",\"ru\":\"Дата и время "
                                "выявления\"},\"value\":\"2026-03-20T23:50:07+05:00\",\"text\":{\"kk\":\"20.03.2026 "
                                "23:50:07\",\"ru\":\"20.03.2026 23:50:07\"}}"));
    assert_non_null(strstr(b.p, "\"value\":\"first\",\"text\":{\"kk\":\"Алғашқы тіркеу\",\"ru\":\"первичная регистрация\"}"));
}

static struct field_row field_rows[TESTS_MAX];
static struct value_row value_rows[TESTS_MAX];

static size_t add_fields(struct CMUnitTest *tests, int form, size_t *used, struct arena *a)
{
    const struct form *f = edition_form(world.w.edition, str_c(form_ids[form]));
    size_t n = 0;

    for (size_t i = 0; i < f->field_count; i++) {
        struct field_row *row = &field_rows[(*used)++];
        struct str claim = arena_printf(a, "%.*s ", STR_ARG(f->fields[i].row));

        row->form = form;
        row->index = i;
        snprintf(row->name, sizeof row->name, "%.*s%s item %.*s is printed with its label, number and value",
                 STR_ARG(claim),
                 form_ids[form], STR_ARG(f->fields[i].number));
        tests[n++] = (struct CMUnitTest){ row->name, one_field, NULL, NULL, row };
    }
    return n;
}

static size_t add_values(struct CMUnitTest *tests, int form, size_t *used)
{
    const struct form *f = edition_form(world.w.edition, str_c(form_ids[form]));
    size_t n = 0;

    for (size_t i = 0; i < f->field_count; i++)
        for (size_t k = 0; f->fields[i].type != FIELD_IOCS && f->fields[i].values && k < f->fields[i].values->count; k++) {
            struct value_row *row = &value_rows[(*used)++];
            const struct enum_value *v = &f->fields[i].values->values[k];

            row->form = form;
            row->field = &f->fields[i];
            row->k = (int)k;
            snprintf(row->name, sizeof row->name, "%.*s value %.*s of %s is printed crossed among the others",
                     STR_ARG(v->row), STR_ARG(v->id), form_ids[form]);
            tests[n++] = (struct CMUnitTest){ row->name, one_value, NULL, NULL, row };
        }
    return n;
}

static void free_printed(void)
{
    for (size_t f = 0; f < COUNT(printed); f++)
        for (size_t l = 0; l < LANG_COUNT; l++)
            for (size_t k = 0; k < FILLS; k++)
                buf_free(&printed[f][l][k]);
}

int main(void)
{
    static struct CMUnitTest tests[TESTS_MAX];
    size_t n = 0, fields = 0, values = 0;
    void *state = NULL;
    AUTO_ARENA struct arena a;
    int rc;

    arena_init(&a, 0);
    if (test_world_open(&state) < 0)
        return 1;
    world = *(struct test_world *)state;
    have_pdftotext = system("pdftotext -v >/dev/null 2>&1") == 0;
    if (!have_pdftotext)
        fprintf(stderr, "skipped: pdftotext (package poppler-utils) is not installed\n");
    for (int form = 0; form < (int)COUNT(form_ids); form++) {
        n += add_fields(tests + n, form, &fields, &a);
        n += add_values(tests + n, form, &values);
    }
    tests[n++] = (struct CMUnitTest){ "R-A2-42 R-A2-43 R-A2-44 R-A2-45 R-A2-46 R-A2-47 the level table and its notes are printed",
                                      printed_tables_and_notes, NULL, NULL, NULL };
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(kazakh_then_russian);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(our_own_forms_say_so);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(an_absent_source_address_is_said);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(the_same_document_has_the_same_bytes);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(full_fields_still_make_a_document);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(json_has_labels_values_and_texts);
    rc = _cmocka_run_group_tests("forms", tests, n, NULL, NULL);
    free_printed();
    state = &world;
    (void)test_world_close(&state);
    return rc;
}
