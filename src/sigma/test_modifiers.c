/* test_modifiers.c - M1 to M16 of docs/detection.md (but M13, test_pipelines.c): what stands behind "|" in the name of a field. */
#include "sigma/test_rows.h"

static const struct row rows[] = {
    { "M1 contains", "s: {a|contains: bc}", "a=aBCd", true },
    { "M1 contains, not there", "s: {a|contains: bc}", "a=abxc", false },
    { "M1 contains keeps the stars that are there", "s: {a|contains: '*bc*'}", "a=aBCd", true },
    { "M1 startswith", "s: {a|startswith: ab}", "a=ABC", true },
    { "M1 startswith, not inside", "s: {a|startswith: bc}", "a=abc", false },
    { "M1 endswith", "s: {a|endswith: [.exe, .dll]}", "a=x.DLL", true },
    { "M1 endswith, not inside", "s: {a|endswith: [.exe, .dll]}", "a=x.dll.txt", false },
    { "M1 re contains", "s: {a|re|contains: 'b\\d'}", "a=ab1c", true },
    { "M1 re startswith", "s: {a|re|startswith: 'b\\d|c'}", "a=b1c", true },
    { "M1 re startswith, not inside", "s: {a|re|startswith: 'b\\d|c'}", "a=ab1c", false },
    { "M1 re endswith", "s: {a|re|endswith: 'b\\d?'}", "a=ab1", true },
    { "M1 re endswith, not inside", "s: {a|re|endswith: 'b\\d?'}", "a=ab1c", false },
    { "M1 re endswith, with flags", "s: {a|re|i|endswith: 'B\\d'}", "a=ab1", true },
    { "M1 fieldref startswith", "s: {a|fieldref|startswith: b}", "a=rootfs\nb=ROOT", true },
    { "M1 fieldref startswith, not inside", "s: {a|fieldref|startswith: b}", "a=xrootfs\nb=root", false },
    { "M1 fieldref endswith", "s: {a|fieldref|endswith: b}", "a=host\\root\nb=root", true },
    { "M1 fieldref contains", "s: {a|fieldref|contains: b}", "a=x root y\nb=root", true },

    { "M2 all", "s: {a|contains|all: [x, y]}", "a=yx", true },
    { "M2 all, one missing", "s: {a|contains|all: [x, y]}", "a=x", false },
    { "M2 all in front of contains", "s: {a|all|contains: [x, y]}", "a=yx", true },
    { "M2 all: what windash makes of one value stays OR", "s: {a|contains|all|windash: [' -x', ' -y']}", "a=q /x /y", true },
    { "M2 all: what base64offset makes of one value stays OR", "s: {a|base64offset|contains|all: ['/bin/bash', '/bin/bash']}", "a=eC9iaW4vYmFzaA==",
      true },
    { "M2 all: a value with windash is still wanted", "s: {a|contains|all|windash: [' -x', ' -y']}", "a=q /x", false },

    { "M3 cased, the same", "s: {a|cased: Bc}", "a=Bc", true },
    { "M3 cased", "s: {a|cased: Bc}", "a=bc", false },
    { "M3 cased keeps wildcards", "s: {a|cased: 'B*c?'}", "a=BxxcЖ", true },
    { "M3 cased wildcards heed case", "s: {a|cased: 'B*c?'}", "a=bxxcЖ", false },
    { "M3 cased contains", "s: {a|contains|cased: Қ}", "a=xҚy", true },
    { "M3 cased contains heeds case", "s: {a|contains|cased: Қ}", "a=xқy", false },

    { "M4 re searches anywhere", "s: {a|re: 'b\\d+'}", "a=ab12", true },
    { "M4 re heeds case", "s: {a|re: 'B'}", "a=b", false },
    { "M4 re with i", "s: {a|re|i: 'қ'}", "a=Қ", true },
    { "M4 re with ignorecase", "s: {a|re|ignorecase: 'B'}", "a=b", true },
    { "M4 (?i) in the expression", "s: {a|re: '(?i)B'}", "a=b", true },
    { "M4 re takes its value as it is: a star is no wildcard", "s: {a|re: '^ab*$'}", "a=a", true },
    { "M4 re takes its value as it is: no escapes of Sigma", "s: {a|re: '^a\\\\b$'}", "a=a\\b", true },
    { "M4 re without m: the beginning of the value", "s: {a|re: '^b'}", "a=a\rb", false },
    { "M4 re with m: the beginning of a line", "s: {a|re|m: '^b'}", "a=a\rb", true },
    { "M4 re with multiline", "s: {a|re|multiline: 'a$'}", "a=a\rb", true },
    { "M4 re without s: a dot is no newline", "s: {a|re: 'a.b'}", "a=a\rb", false },
    { "M4 re with s", "s: {a|re|s: 'a.b'}", "a=a\rb", true },
    { "M4 re with dotall and i", "s: {a|re|i|dotall: 'A.B'}", "a=a\rb", true },
    { "M4 a number as an expression", "s: {a|re: 46}", "a=4624", true },

    { "M5 classes, word boundaries, lazy repetition", "s: {a|re: '\\bx\\s\\w+?\\d{2,3}\\b'}", "a=yy x abc12", true },
    { "M5 a dot is a character, not a byte", "s: {a|re: '^.$'}", "a=Ж", true },
    { "M5 look-around and references back", "s: {a|re: '(?<=b)(c)\\1(?!d)'}", "a=abcc", true },
    { "M5 a word boundary is wanted", "s: {a|re: '\\bbc'}", "a=abc", false },
    { "M5 an expression that would run for ever is stopped: no match", "s: {a|re: '^(?:x+x+)+y$'}",
      "a=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", false },
    { "M5 what is not UTF-8 is passed over", "s: {a|re: 'abc'}", "a=\xff\xfe" "abc", true },

    { "M6 cidr", "s: {a|cidr: 10.0.0.0/8}", "a=10.200.3.4", true },
    { "M6 cidr, outside", "s: {a|cidr: 10.0.0.0/8}", "a=11.0.0.1", false },
    { "M6 cidr, a prefix within a byte", "s: {a|cidr: 192.168.128.0/17}", "a=192.168.127.255", false },
    { "M6 cidr, version 6", "s: {a|cidr: '2001:db8::/33'}", "a=2001:db8:7fff::1", true },
    { "M6 cidr, version 6, outside", "s: {a|cidr: '2001:db8::/33'}", "a=2001:db8:8000::1", false },
    { "M6 cidr, version 6 in another form", "s: {a|cidr: '2001:db8::/33'}", "a=2001:0DB8:0:0:0:0:0:1", true },
    { "M6 cidr, a mapped address", "s: {a|cidr: 10.0.0.0/8}", "a=::ffff:10.1.1.1", true },
    { "M6 cidr, a network of version 6 holds no address of version 4", "s: {a|cidr: '::/0'}", "a=10.1.1.1", false },
    { "M6 cidr, a network of version 6 holds its own", "s: {a|cidr: '::/0'}", "a=2001:db8::1", true },
    { "M6 cidr, not an address", "s: {a|cidr: 0.0.0.0/0}", "a=host", false },
    { "M6 cidr, a list", "s: {a|cidr: [127.0.0.0/8, 10.0.0.0/8]}", "a=10.1.1.1", true },
    { "M6 cidr, one address", "s: {a|cidr: 10.0.0.7}", "a=10.0.0.7", true },

    { "M7 base64", "s: {a|base64|contains: '/bin/sh'}", "a=x L2Jpbi9zaA== y", true },
    { "M7 base64 of another text", "s: {a|base64|contains: '/bin/sh'}", "a=x L2Jpbi9zYQ== y", false },
    { "M7 base64 after unescaping", "s: {a|base64: '\\*'}", "a=Kg==", true },
    { "M7 base64 of the bytes of UTF-8", "s: {a|base64: 'Қ'}", "a=0po=", true },
    { "M7 base64 is an ordinary text: case is folded", "s: {a|base64: '/bin/sh'}", "a=l2jPBI9ZAa==", true },
    { "M7 base64 cased", "s: {a|base64|cased: '/bin/sh'}", "a=l2jPBI9ZAa==", false },

    { "M8 base64offset 0", "s: {a|base64offset|contains: '/bin/bash'}", "a=L2Jpbi9iYXNo", true },
    { "M8 base64offset 1", "s: {a|base64offset|contains: '/bin/bash'}", "a=eC9iaW4vYmFzaA==", true },
    { "M8 base64offset 2", "s: {a|base64offset|contains: '/bin/bash'}", "a=eHgvYmluL2Jhc2g=", true },
    { "M8 base64offset, another text", "s: {a|base64offset|contains: '/bin/bash'}", "a=eHgvYmluL2Jhc3g=", false },
    { "M8 base64offset counts bytes, not characters, at 0", "s: {a|base64offset|contains|cased: 'Қазақ'}", "a=0prQsNC30LDSm3h4", true },
    { "M8 base64offset counts bytes, not characters, at 1", "s: {a|base64offset|contains|cased: 'Қазақ'}", "a=eNKa0LDQt9Cw0pt4", true },
    { "M8 base64offset counts bytes, not characters, at 2", "s: {a|base64offset|contains|cased: 'Қазақ'}", "a=eHjSmtCw0LfQsNKbeA==", true },

    { "M9 wide base64offset", "s: {a|wide|base64offset|contains: 'ping'}", "a=cABpAG4AZwA=", true },
    { "M9 utf16le is wide", "s: {a|utf16le|base64: 'A'}", "a=QQA=", true },
    { "M9 wide beyond ASCII", "s: {a|wide|base64|cased: 'Қ'}", "a=mgQ=", true },
    { "M9 wide beyond 16 bits", "s: {a|wide|base64|cased: '\xf0\x9f\x98\x80'}", "a=PdgA3g==", true },
    { "M9 utf16be", "s: {a|utf16be|base64|cased: 'Қ'}", "a=BJo=", true },
    { "M9 utf16 begins with FF FE", "s: {a|utf16|base64|cased: 'A'}", "a=//5BAA==", true },
    { "M9 utf16 is not without its mark", "s: {a|utf16|base64|cased: 'A'}", "a=QQA=", false },
    { "M9 wide is not the other order", "s: {a|wide|base64|cased: 'Қ'}", "a=BJo=", false },

    { "M10 windash: slash for dash", "s: {a|windash|contains: ' -accept'}", "a=x /ACCEPT", true },
    { "M10 windash: dash for slash", "s: {a|contains|windash: ' /accept'}", "a=x -accept", true },
    { "M10 windash: en dash", "s: {a|windash|contains: ' -accept'}", "a=x \xe2\x80\x93" "accept", true },
    { "M10 windash: em dash", "s: {a|windash|contains: ' -accept'}", "a=x \xe2\x80\x94" "accept", true },
    { "M10 windash: horizontal bar", "s: {a|windash|contains: ' -accept'}", "a=x \xe2\x80\x95" "accept", true },
    { "M10 windash: no other dash", "s: {a|windash|contains: ' -accept'}", "a=x \xe2\x80\x92" "accept", false },
    { "M10 windash: each place by itself", "s: {a|windash|contains: ' -a -b'}", "a=x /a -B", true },
    { "M10 windash: not inside a word", "s: {a|windash|contains: 'a-b'}", "a=a/b", false },
    { "M10 windash: not before a blank", "s: {a|windash|contains: ' - '}", "a=x / y", false },
    { "M10 windash: at the beginning", "s: {a|windash: '-enc'}", "a=/enc", true },
    { "M10 windash and then base64", "s: {a|windash|base64|contains: '-x -y'}", "a=L3ggLXk=", true },

    { "M11 exists", "s: {a|exists: true}", "a=1", true },
    { "M11 exists: an empty text does", "s: {a|exists: true}", "a=", true },
    { "M11 exists: null does", "s: {a|exists: true}", "a", true },
    { "M11 exists: not there", "s: {a|exists: true}", "b=1", false },
    { "M11 exists not", "s: {a|exists: false}", "b=1", true },
    { "M11 exists not: null is there", "s: {a|exists: false}", "a\nb=1", false },

    { "M12 fieldref", "s: {a|fieldref: b}", "a=Xy\nb=xY", true },
    { "M12 fieldref, another value", "s: {a|fieldref: b}", "a=Xy\nb=xz", false },
    { "M12 fieldref, the other is absent", "s: {a|fieldref: b}", "a=x", false },
    { "M12 fieldref, this one is absent", "s: {a|fieldref: b}", "b=x", false },
    { "M12 fieldref, null equals nothing", "s: {a|fieldref: b}", "a=\nb", false },
    { "M12 fieldref neq", "s: {a|fieldref|neq: b}", "a=x\nb=y", true },
    { "M12 fieldref neq, equal", "s: {a|fieldref|neq: b}", "a=x\nb=X", false },
    { "M12 fieldref cased", "s: {a|fieldref|cased: b}", "a=x\nb=X", false },
    { "M12 fieldref, several values: any of both", "s: {a|fieldref: b}", "a=x\na=y\nb=z\nb=y", true },

    { "M14 gt", "s: {a|gt: 9}", "a=10", true },
    { "M14 gt, equal", "s: {a|gt: 9}", "a=9", false },
    { "M14 gte", "s: {a|gte: 9}", "a=9.0", true },
    { "M14 lt", "s: {a|lt: -1.5}", "a=-2", true },
    { "M14 lte", "s: {a|lte: 9.5}", "a=9.5", true },
    { "M14 lt on a text", "s: {a|lt: 9}", "a=abc", false },
    { "M14 lt on hexadecimal", "s: {a|lt: 99}", "a=0x17", false },
    { "M14 lt on nothing", "s: {a|lt: 9}", "a=", false },
    { "M14 a text that is a number", "s: {a|gt: '9'}", "a=10", true },

    { "M15 neq", "s: {a|neq: x}", "a=y", true },
    { "M15 neq, equal", "s: {a|neq: x}", "a=X", false },
    { "M15 neq is true without the field", "s: {a|neq: x}", "b=1", true },
    { "M15 neq of a list: none", "s: {a|neq: [x, y]}", "a=z", true },
    { "M15 neq of a list: one", "s: {a|neq: [x, y]}", "a=y", false },
    { "M15 neq contains", "s: {a|contains|neq: x}", "a=zxz", false },
    { "M15 neq re", "s: {a|re|neq: 'x\\d'}", "a=x", true },
    { "M15 neq null", "s: {a|neq: null}", "a=x", true },

    { "M16 minute", "s: {a|minute: 5}", "a=2026-03-20T23:05:59Z", true },
    { "M16 hour", "s: {a|hour: [22, 23]}", "a=2026-03-20T23:05:59.123Z", true },
    { "M16 hour, another", "s: {a|hour: [22, 23]}", "a=2026-03-20T21:59:59Z", false },
    { "M16 hour is in UTC", "s: {a|hour: 19}", "a=2026-03-21T00:30:00+05:00", true },
    { "M16 a time without a zone is in UTC", "s: {a|hour: 23}", "a=2026-03-20 23:05:59.123", true },
    { "M16 seconds since 1970", "s: {a|hour: 22}", "a=1700000000", true },
    { "M16 milliseconds since 1970", "s: {a|minute: 13}", "a=1700000000123", true },
    { "M16 day", "s: {a|day: 31}", "a=2026-12-31T00:00:00Z", true },
    { "M16 month", "s: {a|month: 12}", "a=2026-12-31T00:00:00Z", true },
    { "M16 month, another", "s: {a|month: 1}", "a=2026-12-31T00:00:00Z", false },
    { "M16 year", "s: {a|year: 2026}", "a=2026-12-31T00:00:00Z", true },
    { "M16 week 53", "s: {a|week: 53}", "a=2027-01-03T12:00:00Z", true },
    { "M16 week 1 begins on a Monday, also in December", "s: {a|week: 1}", "a=2025-12-29T00:00:00Z", true },
    { "M16 week 1 has the first Thursday", "s: {a|week: 1}", "a=2027-01-01T00:00:00Z", false },
    { "M16 compared", "s: {a|hour|gte: 20}", "a=2026-03-20T23:05:59Z", true },
    { "M16 compared, outside", "s: {a|hour|lt: 6}", "a=2026-03-20T06:00:00Z", false },
    { "M16 not a time", "s: {a|hour: 0}", "a=noon", false },
    { "M16 not there", "s: {a|hour: 0}", "b=2026-03-20T00:00:00Z", false },
    { "M16 neq", "s: {a|hour|neq: 0}", "a=2026-03-20T01:00:00Z", true },
    { "M16 of the event itself", "s: {'@timestamp|hour': 22}", "a=1\ntime=1700000000", true },
    { "M16 of the event itself, another hour", "s: {'@timestamp|hour': 21}", "a=1\ntime=1700000000", false },
};

#define RULE(item) "title: t\nlogsource: {}\ndetection:\n  s: {" item "}\n  condition: s\n"

static const struct refused_row refused[] = {
    { "M1 an unknown modifier", RULE("a|contians: x"), SIGMA_BROKEN, 4, 7, "no modifier \"contians\"" },
    { "M4 re behind another", RULE("a|contains|re: x"), SIGMA_BROKEN, 4, 7, "must be the first one" },
    { "M4 i without re", RULE("a|i: x"), SIGMA_BROKEN, 4, 7, "belong behind \"re\"" },
    { "M5 a bad regular expression", RULE("a|re: '(x'"), SIGMA_BROKEN, 4, 14, "regular expression" },
    { "M6 a network with host bits", RULE("a|cidr: 10.0.0.1/8"), SIGMA_BROKEN, 4, 15, "bits set" },
    { "M6 not a network", RULE("a|cidr: host/8"), SIGMA_BROKEN, 4, 15, "is not a network" },
    { "M6 cidr behind another", RULE("a|contains|cidr: 10.0.0.0/8"), SIGMA_BROKEN, 4, 7, "must be the first one" },
    { "M7 base64 of a wildcard", RULE("a|base64: 'x*'"), SIGMA_BROKEN, 4, 18, "wildcards" },
    { "M8 base64offset of a wildcard", RULE("a|base64offset: 'x?'"), SIGMA_BROKEN, 4, 24, "wildcards" },
    { "M11 exists is true or false", RULE("a|exists: 1"), SIGMA_BROKEN, 4, 17, "true or false" },
    { "M11 exists behind another", RULE("a|contains|exists: true"), SIGMA_BROKEN, 4, 7, "must be the first one" },
    { "M11 exists needs a field", RULE("'|exists': true"), SIGMA_BROKEN, 4, 8, "needs a field" },
    { "M12 a reference with a wildcard", RULE("a|fieldref: 'b*'"), SIGMA_BROKEN, 4, 20, "the name of a field" },
    { "M16 no such hour", RULE("a|hour: 24"), SIGMA_BROKEN, 4, 15, "clock or calendar" },
    { "M16 not a whole number", RULE("a|day: 1.5"), SIGMA_BROKEN, 4, 14, "clock or calendar" },
    { "M16 behind another", RULE("a|contains|hour: 1"), SIGMA_BROKEN, 4, 7, "must be the first one" },
    { "M14 not a number", RULE("a|gt: x"), SIGMA_BROKEN, 4, 13, "a number is expected" },
};

static void m1_to_m16_modifiers(void **state)
{
    (void)state;
    rows_hold(rows, COUNT(rows));
    refusals_hold(refused, COUNT(refused));
}

#define ALONE(item) { "title: t\nlogsource: {}\ndetection: {s: {" item "}, condition: s}\n" }

static const struct files_row odd[] = {
    { "M2 all over one value is told", ALONE("a|contains|all: x"), "a=x", 1, "\"all\" over a single value" },
    { "M2 all over a list of one is told", ALONE("a|contains|all: [x]"), "a=x", 1, "\"all\" over a single value" },
    { "M2 all over two is not", ALONE("a|contains|all: [x, y]"), "a=x", 0, NULL },
    { "M9 wide alone is told", ALONE("a|wide|contains: x"), "a=x", 0, "stands only in front of base64" },
    { "M9 wide before base64 is not", ALONE("a|wide|base64: A"), "a=QQA=", 1, NULL },
};

static void odd_modifiers_are_told(void **state)
{
    (void)state;
    files_hold(odd, COUNT(odd));
}

static void m1_to_m16_have_both(void **state)
{
    struct points p = { 0 };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        points_take(&p, 'M', rows[i].name, rows[i].match);
    points_have_both(&p, 'M', 1, 12);
    points_have_both(&p, 'M', 14, 16);   /* 13: test_pipelines.c */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(m1_to_m16_modifiers),
        cmocka_unit_test(odd_modifiers_are_told),
        cmocka_unit_test(m1_to_m16_have_both),
    };

    return cmocka_run_group_tests_name("sigma modifiers", tests, NULL, NULL);
}
