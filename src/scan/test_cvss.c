/* test_cvss.c - vectors read strictly, and the scores of the examples that FIRST publishes with its specifications. */
#include "base/test.h"
#include "scan/cvss.h"

#include <math.h>

/* CVEs and scores: the v2 guide (3.3), "CVSS v3.0 Examples", "v3.1 Examples" and "v4.0 Examples" of FIRST. */
static const struct { const char *vector; double base, score; } scores[] = {
    { "AV:N/AC:L/Au:N/C:N/I:N/A:C", 7.8, 7.8 },   /* CVE-2002-0392 */
    { "AV:N/AC:L/Au:N/C:C/I:C/A:C", 10.0, 10.0 }, /* CVE-2003-0818 */
    { "AV:L/AC:H/Au:N/C:C/I:C/A:C", 6.2, 6.2 },   /* CVE-2003-0062 */
    { "(AV:N/AC:M/Au:N/C:N/I:P/A:N)", 4.3, 4.3 },
    { "CVSS2#AV:N/AC:L/Au:N/C:P/I:N/A:N/E:F/RL:OF/RC:C", 5.0, 5.0 },
    { "AV:L/AC:H/Au:M/C:N/I:N/A:N", 0.0, 0.0 },
    { "CVSS:3.0/AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N", 6.4, 6.4 },   /* CVE-2013-0375 */
    { "CVSS:3.0/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N", 3.1, 3.1 },   /* CVE-2014-3566 */
    { "CVSS:3.0/AV:N/AC:L/PR:L/UI:N/S:C/C:H/I:H/A:H", 9.9, 9.9 },   /* CVE-2012-1516 */
    { "CVSS:3.0/AV:L/AC:L/PR:H/UI:N/S:U/C:L/I:L/A:L", 4.2, 4.2 },   /* CVE-2009-0783 */
    { "CVSS:3.0/AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H", 8.8, 8.8 },   /* CVE-2012-0384 */
    { "CVSS:3.0/AV:N/AC:H/PR:N/UI:N/S:C/C:N/I:H/A:N", 6.8, 6.8 },   /* CVE-2008-1447 */
    { "CVSS:3.0/AV:A/AC:L/PR:N/UI:N/S:C/C:H/I:N/A:H", 9.3, 9.3 },   /* CVE-2013-6014 */
    { "CVSS:3.0/AV:N/AC:L/PR:L/UI:R/S:C/C:L/I:L/A:N", 5.4, 5.4 },   /* CVE-2014-9253 */
    { "CVSS:3.0/AV:P/AC:L/PR:N/UI:N/S:U/C:N/I:H/A:N", 4.6, 4.6 },   /* CVE-2014-2019 */
    { "CVSS:3.1/AV:N/AC:L/PR:H/UI:N/S:U/C:H/I:H/A:H", 7.2, 7.2 },   /* CVE-2012-0384 */
    { "CVSS:3.1/AV:L/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:H", 7.8, 7.8 },   /* CVE-2015-1098 */
    { "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", 7.5, 7.5 },   /* CVE-2014-0160 */
    { "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 9.8, 9.8 },   /* CVE-2014-6271 */
    { "CVSS:3.1/AV:P/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 6.8, 6.8 },   /* CVE-2014-2005 */
    { "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:L/I:N/A:N", 5.8, 5.8 },   /* CVE-2010-0467 */
    { "CVSS:3.1/AV:N/AC:L/PR:L/UI:R/S:C/C:H/I:H/A:H", 9.0, 9.0 },   /* CVE-2019-7551 */
    { "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:H", 8.8, 8.8 },   /* CVE-2015-0970 */
    { "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H/E:P/RL:O", 10.0, 10.0 },
    { "CVSS:3.1/A:H/I:H/C:H/S:U/UI:N/PR:N/AC:L/AV:N", 9.8, 9.8 },   /* any order */
    { "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:N/I:N/A:N", 0.0, 0.0 },
    { "CVSS:4.0/AV:L/AC:L/AT:P/PR:L/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", 7.3, 7.3 },   /* CVE-2022-41741 */
    { "CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:P/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N/E:U", 7.7, 5.2 },   /* CVE-2020-3549 */
    { "CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:N/VC:H/VI:L/VA:L/SC:N/SI:N/SA:N/CR:H/IR:L/AR:L/MAV:N/MAC:H/MVC:H/MVI:L/MVA:L", 8.3, 8.1 },   /* CVE-2023-3089 */
    { "CVSS:4.0/AV:L/AC:L/AT:N/PR:N/UI:A/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N", 4.6, 4.6 },   /* CVE-2021-44714 */
    { "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:A/VC:N/VI:N/VA:N/SC:L/SI:L/SA:N", 5.1, 5.1 },   /* CVE-2022-21830 */
    { "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:N/SC:L/SI:L/SA:N", 6.9, 6.9 },   /* CVE-2022-22186 */
    { "CVSS:4.0/AV:L/AC:L/AT:N/PR:H/UI:N/VC:N/VI:N/VA:N/SC:H/SI:N/SA:N", 5.9, 5.9 },   /* CVE-2023-21989 */
    { "CVSS:4.0/AV:L/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H", 9.4, 9.4 },   /* CVE-2020-3947 */
    { "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:H/VA:N/SC:H/SI:H/SA:H", 9.3, 9.3 },   /* CVE-2023-48228 */
    { "CVSS:4.0/AV:P/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:H/SA:N/S:P/V:D", 8.3, 8.3 },   /* CVE-2023-30560 */
    { "CVSS:4.0/AV:L/AC:L/AT:N/PR:L/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N/E:A", 6.8, 6.8 },   /* CVE-2026-20805 */
    { "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N/E:A", 8.7, 8.7 },   /* CVE-2014-0160 */
    { "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N/E:A", 9.3, 9.3 },   /* CVE-2021-44228 */
    { "CVSS:4.0/AV:N/AC:H/AT:P/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N/E:P/MAC:L/MAT:N/MVC:N/MVI:N/MVA:L", 9.2, 5.5 },   /* the same, in an environment */
    { "CVSS:4.0/AV:N/AC:H/AT:P/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N/E:P", 9.2, 8.2 },   /* CVE-2024-6387 */
    { "CVSS:4.0/AV:A/AC:L/AT:N/PR:N/UI:N/VC:N/VI:L/VA:N/SC:H/SI:N/SA:H", 6.4, 6.4 },   /* CVE-2013-6014 */
    { "CVSS:4.0/AV:L/AC:L/AT:N/PR:H/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N/R:I", 8.4, 8.4 },   /* CVE-2016-5729 */
    { "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:N/SC:N/SI:N/SA:N", 0.0, 0.0 },
    { "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H/MSI:S", 10.0, 10.0 },
};

static void test_scores_of_the_specifications(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(scores); i++) {
        struct cvss c;
        struct err e = { 0 };

        CHECK(scores[i].vector, cvss_parse(str_c(scores[i].vector), &c, &e) == 0);
        if (fabs(cvss_base(&c) - scores[i].base) > 1e-9 || fabs(cvss_score(&c) - scores[i].score) > 1e-9)
            fail_msg("%s: base %.2f, score %.2f", scores[i].vector, cvss_base(&c), cvss_score(&c));
    }
}

static const struct { const char *vector; int rc; const char *story; } wrong[] = {
    { "", -EBADMSG, "empty" },
    { "CVSS:3.1/", -EBADMSG, "empty" },
    { "CVSS:5.0/AV:N", -EBADMSG, "no such version" },
    { "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H", -EBADMSG, "\"A\" is missing" },
    { "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/AV:N", -EBADMSG, "\"AV\" stands twice" },
    { "CVSS:3.1/AV:X/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", -EBADMSG, "\"AV\" has no value \"X\"" },
    { "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/AT:N", -EBADMSG, "no metric \"AT\"" },
    { "CVSS:3.1/AV:N//AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", -EBADMSG, "no metric \"\"" },
    { "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/", -EBADMSG, "no metric \"\"" },
    { "CVSS:3.1/av:n/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", -EBADMSG, "no metric \"av\"" },
    { "AV:N/AC:L/Au:N/C:C/I:C", -EBADMSG, "\"A\" is missing" },
    { "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:S/SA:N", -EBADMSG, "\"SI\" has no value \"S\"" },
    { "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:N/MSC:S", -EBADMSG, "\"MSC\" has no value \"S\"" },
    { "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H", -EBADMSG, "\"SA\" is missing" },
};

static void test_what_is_refused_names_the_metric(void **state)
{
    char long_text[CVSS_TEXT_MAX + 2];

    (void)state;
    for (size_t i = 0; i < COUNT(wrong); i++) {
        struct cvss c;
        struct err e = { 0 };

        CHECK(wrong[i].vector, cvss_parse(str_c(wrong[i].vector), &c, &e) == wrong[i].rc);
        CHECK(wrong[i].vector, strstr(e.text, wrong[i].story) != NULL);
    }
    memset(long_text, 'A', sizeof long_text);
    assert_int_equal(cvss_parse(str_of(long_text, sizeof long_text), &(struct cvss){ 0 }, NULL), -E2BIG);
}

/* Cut after every byte, from a block of just that size: the sanitizer guards its end. */
static void test_cut_after_every_byte(void **state)
{
    static const char whole[] = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N/U:Amber";

    (void)state;
    for (size_t n = 0; n < sizeof whole - 1; n++) {
        char *p = malloc(n + 1);
        struct cvss c;

        assert_non_null(p);
        memcpy(p + 1, whole, n);
        if (cvss_parse(str_of(p + 1, n), &c, NULL) == 0)
            assert_true(cvss_score(&c) >= 0 && cvss_score(&c) <= 10);
        free(p);
    }
}

/* Each step to a worse value of a base metric of 4.0 never lowers the score: the table and the distances fit together. */
static void test_worse_is_never_lower(void **state)
{
    static const char *const values[11] = { "NALP", "LH", "NP", "NLH", "NPA", "HLN", "HLN", "HLN", "HLN", "HLN", "HLN" };
    static const char *const names[11] = { "AV", "AC", "AT", "PR", "UI", "VC", "VI", "VA", "SC", "SI", "SA" };
    size_t at[11] = { 0 };

    (void)state;
    for (bool more = true; more;) {
        double score[2] = { 0 };

        for (int worse = 0; worse < 2; worse++) {
            AUTO_BUF struct buf b;
            struct cvss c;

            buf_init(&b, 0);
            buf_str(&b, STR("CVSS:4.0"));
            for (size_t i = 0; i < 11; i++)
                buf_printf(&b, "/%s:%c", names[i], values[i][i == 3 && worse && at[3] ? at[3] - 1 : at[i]]);
            assert_int_equal(cvss_parse(buf_view(&b), &c, NULL), 0);
            score[worse] = cvss_base(&c);
        }
        assert_true(score[1] >= score[0]);
        more = false;
        for (size_t i = 0; i < 11 && !more; i++) {
            at[i] = (at[i] + 1) % strlen(values[i]);
            more = at[i] != 0;
        }
    }
}

static void test_ratings(void **state)
{
    (void)state;
    assert_int_equal(cvss_severity(CVSS_3_1, 0), SCAN_INFO);
    assert_int_equal(cvss_severity(CVSS_3_1, 3.9), SCAN_LOW);
    assert_int_equal(cvss_severity(CVSS_4_0, 6.9), SCAN_MEDIUM);
    assert_int_equal(cvss_severity(CVSS_4_0, 7.0), SCAN_HIGH);
    assert_int_equal(cvss_severity(CVSS_3_0, 9.0), SCAN_CRITICAL);
    assert_int_equal(cvss_severity(CVSS_2_0, 9.9), SCAN_HIGH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scores_of_the_specifications), cmocka_unit_test(test_what_is_refused_names_the_metric), cmocka_unit_test(test_cut_after_every_byte),
        cmocka_unit_test(test_worse_is_never_lower), cmocka_unit_test(test_ratings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
