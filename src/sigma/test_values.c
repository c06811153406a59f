/* test_values.c - V1 to V12 of docs/detection.md: what a value of a rule means. */
#include "sigma/internal.h"
#include "sigma/test_rows.h"

#include <math.h>

static const struct row rows[] = {
    { "V1 an escaped star is a star", "s: {a: 'x\\*z'}", "a=x*z", true },
    { "V1 an escaped star is no wildcard", "s: {a: 'x\\*z'}", "a=xyz", false },
    { "V1 an escaped question mark", "s: {a: 'x\\?z'}", "a=x?z", true },
    { "V1 an escaped question mark is no wildcard", "s: {a: 'x\\?z'}", "a=xyz", false },
    { "V1 a backslash before a letter is itself", "s: {a: 'c:\\win'}", "a=C:\\Win", true },
    { "V1 two backslashes are one", "s: {a: 'c:\\\\win'}", "a=C:\\Win", true },
    { "V1 two backslashes are not two", "s: {a: 'c:\\\\win'}", "a=C:\\\\Win", false },
    { "V1 backslash, backslash, star: a backslash and a wildcard", "s: {a: 'c:\\\\*'}", "a=c:\\anything", true },
    { "V1 three backslashes and a star: a backslash and a star", "s: {a: 'c:\\\\\\*'}", "a=c:\\*", true },
    { "V1 three backslashes and a star: no wildcard", "s: {a: 'c:\\\\\\*'}", "a=c:\\x", false },
    { "V1 three backslashes are two", "s: {a: '\\\\\\'}", "a=\\\\", true },
    { "V1 four backslashes are two", "s: {a: '\\\\\\\\'}", "a=\\\\", true },
    { "V1 four backslashes are not four", "s: {a: '\\\\\\\\'}", "a=\\\\\\\\", false },
    { "V1 a last backslash is itself", "s: {a|endswith: 'c\\'}", "a=abc\\", true },

    { "V2 a star is any run", "s: {a: 'x*z'}", "a=xyyz", true },
    { "V2 a star is also nothing", "s: {a: 'x*z'}", "a=xz", true },
    { "V2 a star goes over newlines", "s: {a: 'x*z'}", "a=x\r\rz", true },
    { "V2 a star does not forget the end", "s: {a: 'x*z'}", "a=xzy", false },
    { "V2 two stars", "s: {a: '*b*d'}", "a=abcbd", true },
    { "V2 a question mark is one character, not one byte", "s: {a: 'x?z'}", "a=xЖz", true },
    { "V2 a question mark is also a newline", "s: {a: 'x?z'}", "a=x\rz", true },
    { "V2 a question mark is not none", "s: {a: 'x?z'}", "a=xz", false },
    { "V2 a question mark is not two", "s: {a: 'x?z'}", "a=xЖЖz", false },
    { "V2 only a star: any value", "s: {a: '*'}", "a=1", true },
    { "V2 only a star: not an absent one", "s: {a: '*'}", "b=1", false },

    { "V3 the whole value", "s: {a: bc}", "a=bc", true },
    { "V3 not a part of it", "s: {a: bc}", "a=bcd", false },
    { "V3 a star in front is endswith", "s: {a: '*bc'}", "a=abc", true },
    { "V3 a star in front holds the end", "s: {a: '*bc'}", "a=abcd", false },
    { "V3 a star behind is startswith", "s: {a: 'ab*'}", "a=abc", true },
    { "V3 stars at both ends are contains", "s: {a: '*b*'}", "a=abc", true },
    { "V3 an inner star stays alive under contains", "s: {a|contains: 'b*d'}", "a=abxxde", true },
    { "V3 an inner star keeps the order under contains", "s: {a|contains: 'b*d'}", "a=adxxbe", false },
    { "V3 an inner star stays alive under endswith", "s: {a|endswith: 'a*z'}", "a=xxaxxz", true },
    { "V3 an inner question mark stays alive under startswith", "s: {a|startswith: 'a?c'}", "a=aЖcd", true },

    { "V4 case is folded on both sides", "s: {a: 'BcД'}", "a=bCд", true },
    { "V4 Kazakh letters fold", "s: {a|contains: 'ӘҒҚҢӨҰҮҺІ'}", "a=xәғқңөұүһіx", true },
    { "V4 letters of two alphabets that look alike are two", "s: {a: 'AC'}", "a=АС", false },
    { "V4 the Kelvin sign, which shrinks from three bytes to one", "s: {a: 'KELVIN'}", "a=\xe2\x84\xaa" "elvin", true },
    { "V4 capital sharp s shrinks from three bytes to two", "s: {a|startswith: 'Straße'}", "a=STRA\xe1\xba\x9e" "E 1", true },
    { "V4 U+2C62, whose small form is shorter by a byte", "s: {a|endswith: '\xc9\xab.exe'}", "a=x\xe2\xb1\xa2.EXE", true },
    { "V4 U+023A, whose small form is longer by a byte", "s: {a|contains: '\xe2\xb1\xa5y'}", "a=x\xc8\xbaYz", true },
    { "V4 a final sigma is a sigma", "s: {a: 'ΟΔΟΣ'}", "a=οδος", true },
    { "V4 İ folds to itself: simple folding makes no two letters of one", "s: {a: 'İ'}", "a=i", false },
    { "V4 under wildcards", "s: {a: 'Қ*ж?'}", "a=қазақЖЫ", true },

    { "V5 a number", "s: {a: 4624}", "a=4624", true },
    { "V5 a number is not a part of another", "s: {a: 462}", "a=4624", false },
    { "V5 a number in another form", "s: {a: 1}", "a=1.0", true },
    { "V5 a real in the form of a whole one", "s: {a: 1.0}", "a=1", true },
    { "V5 a text of digits is the number too", "s: {a: '4624'}", "a=4624", true },
    { "V5 hexadecimal in quotes is a text", "s: {a: '0x17'}", "a=0x17", true },
    { "V5 hexadecimal in quotes is not its value", "s: {a: '0x17'}", "a=23", false },
    { "V5 a negative number", "s: {a: -1}", "a=-1", true },
    { "V5 a number past 15 digits is compared digit by digit", "s: {a: 9007199254740993}", "a=9007199254740992", false },

    { "V6 true", "s: {a: true}", "a=True", true },
    { "V6 true is not false", "s: {a: true}", "a=false", false },
    { "V6 False", "s: {a: False}", "a=false", true },
    { "V6 true is not 1", "s: {a: true}", "a=1", false },

    { "V7 null: absent", "s: {a: null}", "b=1", true },
    { "V7 null: JSON's null", "s: {a: null}", "a", true },
    { "V7 null in capitals", "s: {a: NULL}", "b=1", true },
    { "V7 null: there", "s: {a: null}", "a=1", false },
    { "V7 null: an empty text is there", "s: {a: null}", "a=", false },
    { "V7 null: one value of several", "s: {a: null}", "a=1\na=2", false },
    { "V7 the word null in quotes is a text", "s: {a: 'null'}", "a=NULL", true },

    { "V8 an empty text is there and of length 0", "s: {a: ''}", "a=\nb=1", true },
    { "V8 an empty text is not absent", "s: {a: ''}", "b=1", false },
    { "V8 an empty text is not JSON's null", "s: {a: ''}", "a", false },
    { "V8 an empty text is not a blank", "s: {a: ''}", "a= ", false },
    { "V8 a dash is an ordinary value", "s: {a: '-'}", "a=-", true },
    { "V8 a dash is not empty", "s: {a: ''}", "a=-", false },

    { "V9 a list is OR", "s: {a: [x, y]}", "a=y", true },
    { "V9 a map is AND", "s: {a: x, b: y}", "a=x", false },
    { "V9 a list of maps is OR", "s: [{a: x, c: z}, {b: y}]", "b=y", true },
    { "V9 each map of a list is AND", "s: [{a: x, c: z}, {b: y}]", "a=x", false },
    { "V9 texts in a list of maps are keywords", "s: [word, {a: x}]", "b=a word here", true },
    { "V9 maps in a list of texts", "s: [word, {a: x}]", "a=x", true },
    { "V9 a list in a list follows its structure", "s: [[{a: x}, {b: y}], {c: z}]", "b=y", true },
    { "V9 keywords three lists deep", "s: [[[word]], {c: z}]", "b=word", true },
    { "V9 a list in a list is no AND of nothing", "s: [[{a: x}, {b: y}], {c: z}]", "d=y", false },

    { "V10 a keyword in a value", "s: [xyz]", "a=wXYZ", true },
    { "V10 a keyword in the original line", "s: ['failed pass']", "original=Failed password for", true },
    { "V10 a keyword nowhere", "s: [xyz]", "a=x\nb=yz\noriginal=xy z", false },
    { "V10 wildcards in a keyword", "s: ['f*d pass?ord']", "original=xx failed password for", true },
    { "V10 a keyword folds", "s: ['ӘЛЕМ']", "original=сәлем, әлем!", true },
    { "V10 a number as a keyword", "s: [4624]", "a=event 4624", true },
    { "V10 all keywords, in different values", "s: {'|all': [one, two]}", "a=one\nb=two", true },
    { "V10 all keywords, one missing", "s: {'|all': [one, two]}", "a=one", false },
    { "V10 one text as a selection", "s: needle", "a=a needle here", true },
    { "V10 a regular expression over everything", "s: {'|re': 'w.rd'}", "original=a word", true },

    { "V11 several values: any", "s: {a: y}", "a=x\na=y", true },
    { "V11 several values: none", "s: {a: y}", "a=x\na=z", false },
    { "V11 all: each value of the rule meets some value", "s: {a|all: [x, y]}", "a=x\na=y", true },
    { "V11 all: one meets none", "s: {a|all: [x, y]}", "a=x\na=z", false },
    { "V11 negation: no value may match", "s: {a: y}\n  f: {a: x}\n  condition: s and not f", "a=x\na=y", false },
    { "V11 neq: no value may match", "s: {a|neq: x}", "a=x\na=y", false },

    { "V12 an empty list is null", "s: {a: []}", "b=1", true },
    { "V12 an empty list is null: there", "s: {a: []}", "a=1", false },
};

#define RULE(detection) "title: t\nlogsource: {}\ndetection:\n  " detection "\n  condition: s\n"

static const struct refused_row refused[] = {
    { "V7 null in a list", RULE("s: {a: [x, null]}"), SIGMA_BROKEN, 4, 14, "null is not part of a list" },
    { "V7 null among keywords", RULE("s: [x, null]"), SIGMA_BROKEN, 4, 10, "null" },
    { "V7 null under a modifier", RULE("s: {a|contains: null}"), SIGMA_BROKEN, 4, 19, "null takes no modifier" },
    { "V9 a map as a value", RULE("s: {a: {b: c}}"), SIGMA_BROKEN, 4, 10, "a text, a number or a list" },
    { "V12 an empty map", RULE("s: {}"), SIGMA_BROKEN, 4, 6, "empty selection" },
    { "V12 an empty list of keywords", RULE("s: []"), SIGMA_BROKEN, 4, 6, "empty selection" },
    { "V12 an empty list in a list", RULE("s: [x, []]"), SIGMA_BROKEN, 4, 10, "empty selection" },
    { "V12 an empty list under a modifier", RULE("s: {a|contains: []}"), SIGMA_BROKEN, 4, 19, "an empty list" },
    { "V12 nothing in a selection", RULE("s:"), SIGMA_BROKEN, 4, 3, "is empty" },
    { "V12 no selection at all", "title: t\nlogsource: {}\ndetection:\n  condition: s\n", SIGMA_BROKEN, 4, 3, "at least one selection" },
};

static void v1_to_v12_values(void **state)
{
    (void)state;
    rows_hold(rows, COUNT(rows));
    refusals_hold(refused, COUNT(refused));
}

static void v1_to_v12_have_both(void **state)
{
    struct points p = { 0 };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        points_take(&p, 'V', rows[i].name, rows[i].match);
    for (size_t i = 0; i < COUNT(refused); i++)
        points_take(&p, 'V', refused[i].name, false);
    points_have_both(&p, 'V', 1, 12);
}

/* A number of few digits is read without strtod, to the same bits. */
static void numbers_are_those_of_strtod(void **state)
{
    static const char *const good[] = { "0", "-0", "+7", "1.5", ".5", "5.", "-.25", "0.1", "0.3", "123456789.012345", "999999999999999", "000000000000000.1",
                                        "9007199254740993", "12345678901234567890", "0.000000000000001", "1234567.8901234", "+0.30000000000000004" };
    static const char *const bad[] = { "", "-", ".", "+.", "1.2.3", "1e3", "0x10", "1-", "--1", " 1", "1 ", "nan", "inf" };
    uint64_t random = 1;
    char text[40];
    double v;

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++)
        CHECK(good[i], number_parse(str_c(good[i]), &v) && v == strtod(good[i], NULL) && signbit(v) == signbit(strtod(good[i], NULL)));
    for (size_t i = 0; i < COUNT(bad); i++)
        CHECK(bad[i], !number_parse(str_c(bad[i]), &v));
    for (int i = 0; i < 100000; i++) {
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
        snprintf(text, sizeof text, "%.*f", i % 15, (double)(random >> 11) / (double)(UINT64_C(1) << (random & 63)));
        CHECK(text, number_parse(str_c(text), &v) && v == strtod(text, NULL));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(v1_to_v12_values),
        cmocka_unit_test(v1_to_v12_have_both),
        cmocka_unit_test(numbers_are_those_of_strtod),
    };

    return cmocka_run_group_tests_name("sigma values", tests, NULL, NULL);
}
