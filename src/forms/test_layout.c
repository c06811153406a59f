/* test_layout.c - how the printed annexes look: pages drawn to small pictures and compared with those in testdata, places of the items read with
 * pdftotext -bbox. The pictures are ours (SAQSHY_PICTURES=1 draws them anew, to be looked at before they are kept); fonts and poppler may differ by a
 * hair, so blocks of pixels are compared, not pixels. */
#include "duty/test_world.h"
#include "forms/internal.h"
#include "forms/test_filled.h"
#include "base/file.h"

#include <sys/stat.h>

#define BLOCK      5    /* pixels of one side */
#define DIFFERENCE 40   /* of 255: two blocks differ */
#define PER_MILLE  12   /* so many blocks may */

static struct test_world world;
static bool have_tools;

static const struct {
    const char *name, *form, *values;
    bool        pair;
    int         pages;
} rows[] = {
    { "annex1-kk", "annex1", filled_annex1, false, 2 },
    { "annex1-pair", "annex1", filled_annex1, true, 2 },
    { "annex2-kk", "annex2", filled_annex2, false, 2 },
    { "annex2-pair", "annex2", filled_annex2, true, 3 },
    { "annex7-kk", "annex7", filled_annex7, false, 2 },
    { "annex7-pair", "annex7", filled_annex7, true, 2 },
    { "recommendations-kk", "recommendations", filled_recommendations, false, 1 },
    { "recommendations-pair", "recommendations", filled_recommendations, true, 1 },
    { "visit-decision-kk", "visit_decision", filled_visit_decision, false, 1 },
    { "visit-decision-pair", "visit_decision", filled_visit_decision, true, 1 },
    { "visit-notice-kk", "visit_notice", filled_visit_notice, false, 1 },
    { "visit-notice-pair", "visit_notice", filled_visit_notice, true, 1 },
    { "consultation-request-kk", "consultation_request", filled_consultation_request, false, 1 },
    { "consultation-request-pair", "consultation_request", filled_consultation_request, true, 1 },
    { "consultation-answer-kk", "consultation_answer", filled_consultation_answer, false, 1 },
    { "consultation-answer-pair", "consultation_answer", filled_consultation_answer, true, 1 },
    { "event-analysis-kk", "event_analysis", filled_event_analysis, false, 1 },
    { "event-analysis-pair", "event_analysis", filled_event_analysis, true, 1 },
    { "information-request-kk", "information_request", filled_information_request, false, 1 },
    { "information-request-pair", "information_request", filled_information_request, true, 1 },
    { "td-survey-notice-kk", "td_survey_notice", filled_td_survey_notice, false, 2 },
    { "td-survey-notice-pair", "td_survey_notice", filled_td_survey_notice, true, 3 },
    { "letter-kk", "letter", filled_letter, false, 1 },
    { "letter-pair", "letter", filled_letter, true, 1 },
    { "knb-notice-kk", "knb_notice", filled_knb, false, 1 },
    { "knb-notice-pair", "knb_notice", filled_knb, true, 1 },
};

static void draw(size_t row, const char *pdf_path, struct arena *a)
{
    static struct form_values vs;
    static const struct str to[] = { STR_INIT("Қазақстан Республикасының Цифрлық даму министрлігі"), STR_INIT("«Ұлттық ақпараттық технологиялар» АҚ") };
    struct form_document d = { .world = &world.w, .catalog = world.c, .form = edition_form(world.w.edition, str_c(rows[row].form)), .values = &vs,
                               .notice_number = STR("OUT-2026-000123"), .sender = STR("«Мемлекеттік техникалық қызмет» АҚ"), .paragraph = STR("10(1)"),
                               .addressees = to, .addressee_count = 2, .tlp = STR("amber"), .produced_at = INT64_C(1774032900) * NS_PER_SECOND,
                               .langs = { LANG_KK, LANG_RU }, .lang_count = rows[row].pair ? 2 : 1, .side_by_side = rows[row].pair };
    AUTO_BUF struct buf pdf;
    struct err e;

    buf_init(&pdf, 0);
    if (forms_values_read(&world.w, d.form, str_c(rows[row].values), a, &vs, &e) < 0 || forms_render_pdf(&d, &pdf, &e) < 0)
        fail_msg("row \"%s\": %s", rows[row].name, e.text);
    assert_int_equal(file_write_atomic(pdf_path, buf_view(&pdf), 0600, NULL), 0);
}

static void run(const char *command)
{
    if (system(command) != 0)
        fail_msg("%s", command);
}

static int block(cairo_surface_t *s, int x, int y)
{
    const unsigned char *p = cairo_image_surface_get_data(s);
    int stride = cairo_image_surface_get_stride(s), sum = 0, step = cairo_image_surface_get_format(s) == CAIRO_FORMAT_A8 ? 1 : 4;

    for (int i = 0; i < BLOCK; i++)
        for (int k = 0; k < BLOCK; k++)
            sum += p[(y + i) * stride + (x + k) * step];
    return sum / (BLOCK * BLOCK);
}

static void compare(const char *name, const char *got_path, const char *want_path)
{
    cairo_surface_t *got = cairo_image_surface_create_from_png(got_path), *want = cairo_image_surface_create_from_png(want_path);
    int w = cairo_image_surface_get_width(got), h = cairo_image_surface_get_height(got), differ = 0, all = 0;

    CHECK(name, cairo_surface_status(got) == CAIRO_STATUS_SUCCESS);
    if (cairo_surface_status(want) != CAIRO_STATUS_SUCCESS)
        fail_msg("row \"%s\": no picture \"%s\"", name, want_path);
    CHECK(name, w == cairo_image_surface_get_width(want) && h == cairo_image_surface_get_height(want));
    for (int y = 0; y + BLOCK <= h; y += BLOCK)
        for (int x = 0; x + BLOCK <= w; x += BLOCK) {
            all++;
            differ += abs(block(got, x, y) - block(want, x, y)) > DIFFERENCE;
        }
    if (differ * 1000 > all * PER_MILLE)
        fail_msg("row \"%s\": %d of %d blocks differ from \"%s\"; look at \"%s\"", name, differ, all, want_path, got_path);
    cairo_surface_destroy(got);
    cairo_surface_destroy(want);
}

/* page_count - the pages that pdftoppm drew: PREFIX-1.png … */
static int page_count(const char *prefix)
{
    char path[512];
    int n = 0;

    do
        snprintf(path, sizeof path, "%s-%d.png", prefix, n + 1);
    while (file_exists(path) && ++n < 20);
    return n;
}

static void pages_look_like_their_pictures(void **state)
{
    char folder[] = "/tmp/saqshy-layout-XXXXXX", pdf[256], prefix[256], command[1024], got[512], want[512];
    bool anew = getenv("SAQSHY_PICTURES") != NULL;

    (void)state;
    if (!have_tools)
        skip();
    assert_non_null(mkdtemp(folder));
    for (size_t i = 0; i < COUNT(rows); i++) {
        AUTO_ARENA struct arena a;
        int pages;

        arena_init(&a, 0);
        snprintf(pdf, sizeof pdf, "%s/%s.pdf", folder, rows[i].name);
        snprintf(prefix, sizeof prefix, "%s/%s", folder, rows[i].name);
        draw(i, pdf, &a);
        snprintf(command, sizeof command, "pdftoppm -png -gray -r 36 -sep - %s %s", pdf, prefix);
        run(command);
        pages = page_count(prefix);
        for (int page = 1; page <= pages; page++) {
            snprintf(got, sizeof got, "%s-%d.png", prefix, page);
            snprintf(want, sizeof want, "%s/src/forms/testdata/%s-%d.png", getenv("SAQSHY_SOURCE"), rows[i].name, page);
            snprintf(command, sizeof command, "cp %.400s %.500s", got, want);
            if (anew)
                run(command);
            compare(rows[i].name, got, want);
        }
        if (pages != rows[i].pages)
            fail_msg("row \"%s\": %d pages", rows[i].name, pages);
    }
    snprintf(command, sizeof command, "rm -r %s", folder);
    run(command);
}

/* --- places --- */

struct word {
    double x, y;
    int    page;
    char   text[64];
};

static size_t words_of(const char *pdf, struct word *out, size_t max)
{
    char command[512], line[1024];
    int page = 0;
    size_t n = 0;
    FILE *p;

    snprintf(command, sizeof command, "pdftotext -bbox %s -", pdf);
    p = popen(command, "r");
    assert_non_null(p);
    while (fgets(line, sizeof line, p)) {
        double x2, y2;
        struct word w = { .page = page };

        if (strstr(line, "<page "))
            page++;
        if (sscanf(line, " <word xMin=\"%lf\" yMin=\"%lf\" xMax=\"%lf\" yMax=\"%lf\">%63[^<]", &w.x, &w.y, &x2, &y2, w.text) == 5 && n < max)
            out[n++] = w;
    }
    assert_int_equal(pclose(p), 0);
    return n;
}

/* Numbers of the items stand in the first column, each lower than the one before or on a later page: the order of the annex. */
static void items_stand_in_the_order_of_the_annex(void **state)
{
    static struct word words[8192];
    char pdf[] = "/tmp/saqshy-order-XXXXXX.pdf";

    (void)state;
    if (!have_tools)
        skip();
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct form *f = edition_form(world.w.edition, str_c(rows[i].form));
        AUTO_ARENA struct arena a;
        double y = 0, column = 0;
        int page = 0;
        size_t n, at = 0, seen = 0;

        arena_init(&a, 0);
        int fd = mkstemps(pdf, 4);
        close(fd);
        draw(i, pdf, &a);
        n = words_of(pdf, words, COUNT(words));
        unlink(pdf);
        memcpy(pdf + strlen(pdf) - 10, "XXXXXX", 6);
        for (size_t k = 0; k < f->field_count; k++, seen++) {
            while (at < n && !(words[at].x < SHEET_LEFT + 12 && str_eq(str_c(words[at].text), f->fields[k].number)))
                at++;
            if (at == n)
                fail_msg("row \"%s\": item %.*s is not in its column after item %zu", rows[i].name, STR_ARG(f->fields[k].number), k);
            if (k == 0)
                column = words[at].x;
            CHECK(rows[i].name, words[at].page > page || words[at].y > y);
            CHECK(rows[i].name, words[at].x - column < 0.5 && column - words[at].x < 0.5);
            page = words[at].page;
            y = words[at++].y;
        }
        CHECK(rows[i].name, seen == f->field_count);
    }
}

/* TLP 2.0: the mark on each page, in head and foot, flush right; the number of the notice beside it. */
static void mark_and_number_stand_on_every_page(void **state)
{
    static struct word words[8192];
    char pdf[] = "/tmp/saqshy-mark-XXXXXX.pdf";

    (void)state;
    if (!have_tools)
        skip();
    for (size_t i = 0; i < COUNT(rows); i++) {
        AUTO_ARENA struct arena a;
        int marks[21] = { 0 }, numbers[21] = { 0 };
        size_t n;

        arena_init(&a, 0);
        int fd = mkstemps(pdf, 4);
        close(fd);
        draw(i, pdf, &a);
        n = words_of(pdf, words, COUNT(words));
        unlink(pdf);
        memcpy(pdf + strlen(pdf) - 10, "XXXXXX", 6);
        for (size_t k = 0; k < n; k++) {
            assert_in_range(words[k].page, 1, 20);
            marks[words[k].page] += strcmp(words[k].text, "TLP:AMBER") == 0;
            numbers[words[k].page] += strcmp(words[k].text, "OUT-2026-000123") == 0;
        }
        for (int page = 1; page <= rows[i].pages; page++)
            CHECK(rows[i].name, marks[page] == 2 && numbers[page] == 2);
    }
}

/* A column is as wide as its longest word: in the seven columns of item 12 of Annex 1 none is cut. */
static void no_word_of_a_table_is_cut(void **state)
{
    static const char *const whole[] = { "Резервтік", "мекенжайлары", "Домендік", "бағдарламалық", "техникалық", "желіаралық" };
    static struct word words[8192];
    char pdf[] = "/tmp/saqshy-words-XXXXXX.pdf";
    AUTO_ARENA struct arena a;

    (void)state;
    if (!have_tools)
        skip();
    arena_init(&a, 0);
    int fd = mkstemps(pdf, 4);
    close(fd);
    draw(0, pdf, &a);
    size_t n = words_of(pdf, words, COUNT(words));
    unlink(pdf);
    for (size_t i = 0; i < COUNT(whole); i++) {
        size_t found = 0;

        for (size_t k = 0; k < n; k++)
            found += words[k].page == 2 && strstr(words[k].text, whole[i]) != NULL;
        CHECK(whole[i], found > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        { "R-A1-01 R-A1-12 R-A2-01 R-A2-16 R-A7-01 R-A7-16 the pages of the annexes look like their pictures, in Kazakh and side by side",
          pages_look_like_their_pictures, NULL, NULL, NULL },
        { "R-A1-04 R-A1-09 R-A2-05 R-A7-02 the items stand in the order of the annex, their numbers in one column", items_stand_in_the_order_of_the_annex,
          NULL, NULL, NULL },
        { "R-A1-12 no word in the columns of a table is cut", no_word_of_a_table_is_cut, NULL, NULL, NULL },
        { "the TLP mark and the number of the notice stand on every page, in head and foot", mark_and_number_stand_on_every_page, NULL, NULL, NULL },
    };
    void *state = NULL;
    int rc;

    if (test_world_open(&state) < 0)
        return 1;
    world = *(struct test_world *)state;
    have_tools = system("pdftoppm -v >/dev/null 2>&1") == 0 && system("pdftotext -v >/dev/null 2>&1") == 0;
    if (!have_tools)
        fprintf(stderr, "skipped: pdftoppm and pdftotext (package poppler-utils) are not installed\n");
    rc = cmocka_run_group_tests(tests, NULL, NULL);
    state = &world;
    (void)test_world_close(&state);
    return rc;
}
